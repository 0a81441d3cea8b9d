"""Charts: functions from a data frame to a ggplot in the house look.

Figures in which text and plot must line up are pages, in forests or overview.
"""
