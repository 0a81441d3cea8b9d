"""A made-up project: invented trials of invented agents, and every kind of output made of them.

``sheet`` and ``config`` are frozen: nothing here changes when a trial is added to the real sheet.
"""
