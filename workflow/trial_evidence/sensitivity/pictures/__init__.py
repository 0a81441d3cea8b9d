"""Figures of the sensitivity analyses, and the same in words.

Placed on pages; the numbers come from the tables and from pool.
"""
