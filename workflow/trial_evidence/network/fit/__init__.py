"""Every treatment against every other: fit, ranks, direct and indirect evidence, inconsistency."""
