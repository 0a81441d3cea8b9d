"""Figures of networks and of what single trials say, placed on pages."""
