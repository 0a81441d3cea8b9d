"""The Bayesian normal-normal model: priors for tau, its posterior, mixtures of normals.

Deterministic quadrature. The configuration decides which prior is used where.
"""
