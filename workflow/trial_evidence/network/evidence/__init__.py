"""The evidence of a network: one report per trial, arms as nodes, contrasts with covariance.

The rules of selection are those of extract; nothing is fitted here.
"""
