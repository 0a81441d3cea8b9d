"""Absolute effects: control risks with their sources, effects per 1,000 patients, time gained.

The summary of findings itself is in tables. No risk is invented here: each is observed in an arm,
or stated in the configuration with its basis.
"""
