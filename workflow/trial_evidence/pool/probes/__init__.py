"""How far a pooled result depends on small studies, single trials, methods and groups.

Tests, deletions, regressions, the multiverse. With too few data they refuse and give the reason.
"""
