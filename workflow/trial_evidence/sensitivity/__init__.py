"""Sensitivity: what the pooled result of an analysis owes to its methods, trials and choices."""
