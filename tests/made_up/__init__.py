"""A made-up project: invented trials of invented agents, with every kind of output.

``sheet`` and ``config`` are frozen: nothing here changes when a trial is added to the real sheet.
"""
