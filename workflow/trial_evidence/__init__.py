"""Meta-analysis of trial evidence, from the extraction sheet to figures and tables."""
