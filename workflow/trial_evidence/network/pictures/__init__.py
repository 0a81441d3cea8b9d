"""Figures of networks, of synergy within trials, and of surrogacy.

Drawn from the published tables; nothing is computed here.
"""
