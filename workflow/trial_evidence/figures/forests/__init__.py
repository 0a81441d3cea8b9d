"""Forest plots, in which text and plot must line up.

From evidence and estimates to rows, and from rows to a page.
"""
