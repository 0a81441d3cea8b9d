"""Models for one set of trials, under the names used in the tables.

Each returns the same record, `Pooled`. Analyses that try several models belong in probes.
"""
