"""Pooling of effect sizes: models, heterogeneity, intervals, Bayesian posterior, subgroups.

The package itself imports nothing; each module imports the libraries it needs.
"""
