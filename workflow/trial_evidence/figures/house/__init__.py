"""Shared by all charts: theme, scales, placement of labels, and publishing.

It contains no chart.
"""
