"""Measures of effect: one object for each, the only place that defines the measure.

Effect sizes of single trials, the scales they are pooled on and their names belong here. Outcomes
(named in the configuration) and models (in pool/) do not.
"""

from trial_evidence.measures.measure import COUNT_COLUMNS, MEASURES, Kind, Measure, measure_words
from trial_evidence.measures.scales import Scale

__all__ = [
    "COUNT_COLUMNS",
    "MEASURES",
    "Kind",
    "Measure",
    "Scale",
    "measure_words",
]
