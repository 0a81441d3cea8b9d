"""The Bayesian normal-normal model: priors of tau, its posterior, mixtures of normals.

Deterministic quadrature. Which prior is used where is for configuration to say.
"""
