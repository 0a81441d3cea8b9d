"""Charts: functions from a data frame to a ggplot in the house look.

A figure in which text and plot have to meet is a page and lives in forests or overview.
"""
