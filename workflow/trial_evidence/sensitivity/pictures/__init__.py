"""Figures of the sensitivity analyses, and their descriptions in words.

Placed on pages; the numbers come from the tables and from pool.
"""
