"""How an estimate reads: its side of no effect, what its interval includes, its words."""

import math
from collections.abc import Sequence

from trial_evidence.pool.estimates import MEASURE_SCALES
from trial_evidence.report.material.printed import interval
from trial_evidence.report.material.table import Row
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_number, format_p

RATIOS = ("risk_ratio", "odds_ratio", "hazard_ratio")
_SHORT = {"risk_ratio": "RR", "odds_ratio": "OR", "hazard_ratio": "HR", "risk_difference": "RD"}


def null_of(measure: str) -> float:
    """No effect on the scale that is printed: 1 for ratios, 0 for differences."""
    return 0.0 if "difference" in measure else 1.0


def benefit_below(measure: str) -> bool:
    """Whether values below no effect favour the experimental arm."""
    return bool(MEASURE_SCALES[measure].benefit_below)


def includes(low: float, high: float, value: float) -> bool:
    """Whether an interval includes a value, limits included."""
    return low <= value <= high


def includes_null(row: Row, of: str = "ci") -> bool:
    """Whether the interval of an estimate (``pi``: for a new trial) includes no effect."""
    return includes(row[f"{of}_low"], row[f"{of}_high"], null_of(row["measure"]))


def includes_benefit(row: Row, worthwhile: float) -> bool:
    """Whether the interval of a ratio reaches a relevant benefit (a factor above 1)."""
    below = benefit_below(row["measure"])
    return bool(row["ci_low"] <= 1 / worthwhile if below else row["ci_high"] >= worthwhile)


def includes_harm(row: Row, worthwhile: float) -> bool:
    """Whether the interval of a ratio reaches a harm of the same size."""
    below = benefit_below(row["measure"])
    return bool(row["ci_high"] >= worthwhile if below else row["ci_low"] <= 1 / worthwhile)


def favours_experimental(row: Row) -> bool:
    """Whether an estimate lies on the side of benefit."""
    return bool((row["estimate"] < null_of(row["measure"])) == benefit_below(row["measure"]))


def side(row: Row) -> str:
    """``benefit`` or ``harm`` where the whole interval lies there, else ``no effect``."""
    if includes_null(row):
        return "no effect"
    below = row["ci_high"] < null_of(row["measure"])
    return "benefit" if below == benefit_below(row["measure"]) else "harm"


def with_prediction(rows: Sequence[Row]) -> list[Row]:
    """The estimates that have a prediction interval."""
    return [row for row in rows if not math.isnan(row["pi_low"])]


def measure_name(measure: str) -> str:
    """A measure in small letters: ``risk ratio``, ``ratio of risk ratios``."""
    return MEASURE_NAMES.get(measure, measure.replace("_", " ")).lower()


def limits(row: Row, of: str = "ci", digits: int = 2) -> str:
    """Limits of an estimate's interval; ``pi`` for those of a new trial."""
    return interval(row[f"{of}_low"], row[f"{of}_high"], digits)


def interval_words(row: Row) -> str:
    """``95% CI 1.25–1.70``, or ``95% CrI`` for a Bayesian interval."""
    return f"{row['ci_level']:g}% {'CrI' if row['model'] == 'bayesian' else 'CI'} {limits(row)}"


def estimate_words(row: Row) -> str:
    """An estimate with its interval: ``RR 1.46 (95% CI 1.25–1.70)``; ``""`` where there is none."""
    if math.isnan(row["estimate"]):
        return ""
    measure = row["measure"]
    short = _SHORT.get(measure, measure.replace("_", " "))
    return f"{short} {format_number(row['estimate'])} ({interval_words(row)})"


def model_words(row: Row) -> str:
    """The model of an estimate, as tables print it."""
    return SHORT_MODEL_NAMES.get(row["model"], str(row["model"]))


def p_words(p_value: float) -> str:
    """A p value; ``""`` where there is none."""
    return "" if math.isnan(p_value) else format_p(p_value)


def certainty_sentence(level: str) -> str:
    """`` Certainty: moderate (provisional).`` to end a paragraph with; ``""`` without a level."""
    return f" Certainty: {level[:1].lower()}{level[1:]}." if level else ""
