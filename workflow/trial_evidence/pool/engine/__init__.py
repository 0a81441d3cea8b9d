"""Random-effects arithmetic for one set of trials or for millions.

Arrays in, arrays out: tau2, intervals, likelihood. No analyses, names or tables.
"""
