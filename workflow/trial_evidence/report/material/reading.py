"""How an estimate reads: its side of no effect, what it includes, its words."""

import math
from collections.abc import Mapping
from typing import Any

from trial_evidence.measures import MEASURES
from trial_evidence.report.material.table import interval
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_number, format_p

RATIOS = ("risk_ratio", "odds_ratio", "hazard_ratio")
_SHORT = {"risk_ratio": "RR", "odds_ratio": "OR", "hazard_ratio": "HR", "risk_difference": "RD"}


def null_of(measure: str) -> float:
    """No effect on the scale that is printed: 1 for ratios, 0 for differences."""
    return 0.0 if "difference" in measure else 1.0


def benefit_below(measure: str) -> bool:
    """Whether values below no effect favour the experimental arm."""
    return bool(MEASURES[measure].benefit_below)


def includes(low: float, high: float, value: float) -> bool:
    """Whether an interval includes a value, limits included."""
    return low <= value <= high


def includes_benefit(low: float, high: float, measure: str, worthwhile: float) -> bool:
    """Whether the interval of a ratio reaches a benefit worth having (a factor above 1)."""
    return low <= 1 / worthwhile if benefit_below(measure) else high >= worthwhile


def includes_harm(low: float, high: float, measure: str, worthwhile: float) -> bool:
    """Whether the interval of a ratio reaches a harm of the same size."""
    return high >= worthwhile if benefit_below(measure) else low <= 1 / worthwhile


def side(low: float, high: float, measure: str) -> str:
    """``benefit`` or ``harm`` where the whole interval lies there, else ``no effect``."""
    null = null_of(measure)
    if includes(low, high, null):
        return "no effect"
    return "benefit" if (high < null) == benefit_below(measure) else "harm"


def short_measure(measure: str) -> str:
    """Letters for a measure; for a comparison of two of them, its words."""
    return _SHORT.get(measure, measure.replace("_", " "))


def measure_name(measure: str) -> str:
    """A measure in small letters: ``risk ratio``, ``ratio of risk ratios``."""
    return MEASURE_NAMES.get(measure, measure.replace("_", " ")).lower()


def interval_name(record: Mapping[str, Any]) -> str:
    """``95% CI``, or ``95% CrI`` for a Bayesian interval."""
    kind = "CrI" if record["model"] == "bayesian" else "CI"
    return f"{record['ci_level']:g}% {kind}"


def estimate_words(record: Mapping[str, Any]) -> str:
    """An estimate with its interval: ``RR 1.46 (95% CI 1.25–1.70)``.

    Parameters
    ----------
    record : mapping
        A row of estimates.csv.
    """
    return (
        f"{short_measure(record['measure'])} {format_number(record['estimate'])} "
        f"({interval_name(record)} {interval(record['ci_low'], record['ci_high'])})"
    )


def model_words(record: Mapping[str, Any]) -> str:
    """The model of an estimate, as tables print it."""
    return SHORT_MODEL_NAMES.get(record["model"], str(record["model"]))


def p_words(p_value: float) -> str:
    """A p value; ``""`` where there is none."""
    return "" if math.isnan(p_value) else format_p(p_value)
