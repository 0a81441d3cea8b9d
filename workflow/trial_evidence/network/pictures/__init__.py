"""Figures of networks and of what single trials say.

Drawn from the published tables; nothing is computed here.
"""
