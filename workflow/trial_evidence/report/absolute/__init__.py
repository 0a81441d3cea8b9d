"""What a ratio means in patients: control risks with their sources, effects per 1,000, time gained.

The tables that print it are filled in tables. No risk is made up here: it is an arm's own, or one
that the configuration states with its basis.
"""
