"""From effect sizes to estimates: every analysis, subgroup and model.

The folders below hold the arithmetic, the Bayesian posterior, the models and the probes; this room
applies them to the evidence of a setting. Nothing here draws.
"""
