"""Network meta-analysis: regimens against each other, by direct and indirect evidence.

The rooms below hold evidence, fit, components and single trials; here a network is analysed and
put into tables.
"""
