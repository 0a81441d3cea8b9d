"""The Bayesian normal-normal model: priors of tau, its posterior, mixtures of normals."""
