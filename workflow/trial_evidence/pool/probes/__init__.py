"""What a pooled result owes to small studies, single trials, methods and groups."""
