"""Models of one set of trials, as the tables name them.

Each gives the same record, `Pooled`. What tries several of them lives in probes.
"""
