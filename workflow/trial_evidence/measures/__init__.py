"""Measures of effect: one object each, and nothing of a measure is said anywhere else.

Who lives here: effect sizes of single trials, the scales they are pooled on, and their words. Who
does not: outcomes, which configuration names, and models, which pool/ holds.
"""

from trial_evidence.measures.measure import COUNT_COLUMNS, MEASURES, Kind, Measure, measure_words
from trial_evidence.measures.scales import IDENTITY, LOG_RATIO, LOGIT, Scale

__all__ = [
    "COUNT_COLUMNS",
    "IDENTITY",
    "LOGIT",
    "LOG_RATIO",
    "MEASURES",
    "Kind",
    "Measure",
    "Scale",
    "measure_words",
]
