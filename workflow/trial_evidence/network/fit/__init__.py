"""Every treatment against every other: fit, ranks, direct and indirect evidence, inconsistency.

Treatments are taken as a whole; components breaks them down into their parts.
"""
