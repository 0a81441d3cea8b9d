"""Figures: plain descriptions in, pages and charts out.

Here the stage that draws forest plots; nothing pools.
"""
