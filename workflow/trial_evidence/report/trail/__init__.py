"""From a number that is shown back to the cells it rests on.

One record; the terminal, trace.csv and the page render it.
"""
