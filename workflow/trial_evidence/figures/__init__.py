"""Figures: plain descriptions in, pages and charts out.

This folder itself contains the stage that draws forest plots. Nothing is pooled in this room.
"""
