"""Network meta-analysis: regimens against each other, by direct and indirect evidence.

The subfolders contain evidence, fit, components and single trials; this folder analyses a network
and makes its tables.
"""
