"""Sensitivity: how the pooled result of an analysis depends on its methods, trials and choices."""
