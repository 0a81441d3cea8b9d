"""Figures of the sensitivity analyses, and the same in words."""
