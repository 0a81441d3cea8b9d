"""Meta-analysis of trial evidence, from the extraction sheet to figures and tables."""

# The version: pyproject.toml takes it from here, and CITATION.cff is tested to say the same.
__version__ = "0.1.0"
