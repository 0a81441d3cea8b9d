"""Forest plots, where text and plot must meet.

From evidence and estimates to rows, from rows to a page.
"""
