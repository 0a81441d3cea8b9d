"""Analyses of single trials: synergy of two agents given alone and together, and surrogacy.

No network is fitted here.
"""
