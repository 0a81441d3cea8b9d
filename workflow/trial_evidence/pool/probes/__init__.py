"""What a pooled result owes to small studies, single trials, methods and groups.

Tests, deletions, regressions, the multiverse. They refuse with a reason where data are too few.
"""
