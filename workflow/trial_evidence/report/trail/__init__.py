"""The trail from each printed number back to the cells of the sheet behind it.

One record per number; the terminal, trace.csv and the page render it.
"""
