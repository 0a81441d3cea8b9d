"""Interpretation of estimates: side of no effect, values in the interval, and their wording."""

import math
from collections.abc import Sequence

from trial_evidence.files import Record
from trial_evidence.measures import MEASURES, Measure, measure_words
from trial_evidence.words.models import MODEL_PHRASES, SHORT_MODEL_NAMES, is_bayesian
from trial_evidence.words.numbers import format_number
from trial_evidence.words.printed import interval


def measure_of(name: str) -> Measure:
    """A measure by its name; for a comparison (``ratio_of_risk_ratios``) the measure compared."""
    return MEASURES[name.rpartition("_of_")[2].removesuffix("s") if "_of_" in name else name]


def null_of(measure: str) -> float:
    """The value of no effect on the printed scale: 1 for ratios, 0 for differences."""
    null = measure_of(measure).scale.null
    assert null is not None, f"{measure} compares nothing"
    return null


def includes(low: float, high: float, value: float) -> bool:
    """Whether an interval includes a value, limits included."""
    return low <= value <= high


def includes_null(row: Record, of: str = "ci") -> bool:
    """Whether the confidence (``ci``) or prediction (``pi``) interval includes no effect."""
    return includes(row[f"{of}_low"], row[f"{of}_high"], null_of(row["measure"]))


def includes_benefit(row: Record, worthwhile: float, *, below: bool) -> bool:
    """Whether the interval of a ratio reaches a relevant benefit (a factor above 1).

    `below` says whether ratios below 1 are the benefit. With the opposite value, the function
    tests for a harm of the same size.
    """
    return bool(row["ci_low"] <= 1 / worthwhile if below else row["ci_high"] >= worthwhile)


def side(row: Record, *, below: bool) -> str:
    """``benefit`` or ``harm`` if the whole interval lies on that side, else ``no effect``."""
    if includes_null(row):
        return "no effect"
    return "benefit" if (row["ci_high"] < null_of(row["measure"])) == below else "harm"


def where_null_is(row: Record, of: str = "ci") -> str:
    """``includes 1`` or ``excludes 1``, whichever is true of the interval (0 for differences)."""
    verb = "includes" if includes_null(row, of) else "excludes"
    return f"{verb} {null_of(row['measure']):g}"


def prediction_sentence(rows: Sequence[Record]) -> str:
    """What the prediction intervals include; models of equal rank may disagree."""
    known = [row for row in rows if not math.isnan(row["pi_low"])]
    said = "; that ".join(
        ("" if len(known) == 1 else f"of {model_phrase(row)} ")
        + f"({limits(row, 'pi')}) {where_null_is(row, 'pi')}"
        for row in known
    )
    return f" The {known[0]['ci_level']:g}% prediction interval {said}." if known else ""


def model_phrase(row: Record) -> str:
    """The model of an estimate, worded for a sentence."""
    return MODEL_PHRASES.get(row["model"], "the random-effects model")


def measure_name(measure: str) -> str:
    """A measure in lower case: ``risk ratio``, ``ratio of risk ratios``."""
    return measure_words(measure).lower()


def limits(row: Record, of: str = "ci") -> str:
    """Limits of the confidence (``ci``) or prediction (``pi``) interval."""
    return interval(row[f"{of}_low"], row[f"{of}_high"])


def interval_words(row: Record) -> str:
    """``95% CI 1.25–1.70``, or ``95% CrI`` for a Bayesian interval."""
    return f"{row['ci_level']:g}% {'CrI' if is_bayesian(row['model']) else 'CI'} {limits(row)}"


def number_words(row: Record) -> str:
    """An estimate with its interval and level, without its measure: ``1.46 (95% CI 1.25–1.70)``."""
    return f"{format_number(row['estimate'])} ({interval_words(row)})"


def in_percent(row: Record, of: str = "ci") -> str:
    """Limits of a rate in whole percent, without the percent sign."""
    return interval(100 * row[f"{of}_low"], 100 * row[f"{of}_high"], 0)


def estimate_words(row: Record) -> str:
    """An estimate with its interval: ``RR 1.46 (95% CI 1.25–1.70)``; ``""`` if it is missing."""
    if math.isnan(row["estimate"]):
        return ""
    known = MEASURES.get(row["measure"])
    short = known.short if known else measure_name(row["measure"])
    return f"{short} {number_words(row)}"


def model_words(row: Record) -> str:
    """The model of an estimate, as tables print it."""
    return SHORT_MODEL_NAMES.get(row["model"], str(row["model"]))


def by_control_risk(measure: str) -> str:
    """A caveat for tests of asymmetry of risk ratios; ``""`` for any other measure."""
    # A log risk ratio and its standard error both fall as the control risk rises.
    of_risks = " (of risk ratios, where the control risk alone can cause asymmetry)"
    return of_risks if measure == "risk_ratio" else ""


def certainty_sentence(level: str) -> str:
    """A final sentence, `` Certainty of evidence: low (provisional).``; ``""`` without a level."""
    return f" Certainty of evidence: {level[:1].lower()}{level[1:]}." if level else ""
