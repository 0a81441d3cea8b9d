"""What a ratio means in patients: control risks with their sources, effects per 1,000, time gained.

The summary of findings is filled in tables. No risk is made up here: it is an arm's own, or one
that the configuration states with its basis.
"""
