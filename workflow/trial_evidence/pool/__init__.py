"""From effect sizes to estimates: every analysis, subgroup and model.

The rooms below hold the arithmetic, the posterior, the models and the probes; here they meet a
setting's evidence. Nothing draws.
"""
