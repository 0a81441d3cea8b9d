"""Arithmetic of random effects for one set of trials or for millions.

Arrays in, arrays out: tau2, intervals, likelihood. No analysis, no name, no table.
"""
