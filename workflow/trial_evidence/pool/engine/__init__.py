"""Arithmetic of random effects for one set of trials or for millions; nothing is printed here."""
