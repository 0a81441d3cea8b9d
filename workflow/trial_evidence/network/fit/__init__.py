"""Every treatment against every other: fit, ranks, direct and indirect evidence, inconsistency.

Whatever treatments are made of: their parts are for components.
"""
