"""The answer: every pooled result of dual versus single treatment, as rows and in words."""

import math
from collections.abc import Sequence
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record
from trial_evidence.pool.columns import ESTIMATE_NUMBERS
from trial_evidence.report.absolute.remarks import remarks
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.tables.certainty import Certainties
from trial_evidence.report.words import reading
from trial_evidence.words.models import BOOTSTRAP, is_random_effects
from trial_evidence.words.numbers import format_number
from trial_evidence.words.printed import capital, count, counted, listing

# Found in a simulation for every prediction interval except the bootstrap, which it leaves out
# (docs/calibration.md).
_TOO_SHORT = (
    "Prediction intervals of the random-effects model are too short: in simulations they contained "
    "the effect of a further trial less often than their nominal level (see the methods)."
)


def front_table(material: Material, certainty: Certainties) -> ReportTable:
    """One row per pooled answer, and a second one if another model is co-primary."""
    rows = [
        row
        | {"certainty": "" if row["role"] == "co-primary" else certainty.get(_place(analysis), "")}
        for analysis in material.front()
        for row in material.leads(analysis) or [_nothing(analysis)]
    ]
    pooling = material.configuration.pooling
    predicted = pooling.prediction_interval != BOOTSTRAP and any(
        is_random_effects(row["model"]) and not math.isnan(row["pi_low"]) for row in rows
    )
    notes = (_TOO_SHORT,) if predicted else ()
    return material.table("front", rows, notes=notes, favour=_favour(material))


def answers_table(material: Material, certainty: Certainties) -> ReportTable:
    """Every pooled answer in words, one row per analysis, with the remarks that a reader needs."""
    rows = []
    for analysis in material.front():
        place = _place(analysis)
        said = result_sentence(analysis, material.leads(analysis), certainty.get(place, ""))
        sentence = " ".join([said, *remarks(material, analysis)])
        rows.append({"setting": place[0], "analysis": place[1], "sentence": sentence})
    return material.table("answers", rows)


def result_sentence(analysis: Analysis, rows: Sequence[Record], certainty: str) -> str:
    """The result of an analysis in one or two sentences, from its numbers alone.

    Parameters
    ----------
    rows : sequence of mapping
        The leading estimate, then the co-primary one.
    certainty : str
        In words; ``""`` if not rated.
    """
    if not rows:
        return "No trial qualifies."
    lead, *others = rows
    patients = count(lead["participants"])
    patients = patients and f" ({patients} patients)"
    model = "" if lead["model"] == "single_trial" else f"; {reading.model_words(lead)}"
    text = (
        f"{counted(int(lead['k']), 'trial')}{patients}: {reading.measure_name(lead['measure'])} "
        f"{format_number(lead['estimate'])} ({reading.interval_words(lead)}{model}), "
        f"{_meaning(lead, analysis)}."
    )
    for row in others:
        text += f" {capital(reading.model_phrase(row))} gives {reading.number_words(row)}."
    return text + reading.prediction_sentence(rows) + reading.certainty_sentence(certainty)


def _meaning(lead: Record, analysis: Analysis) -> str:
    null = reading.null_of(lead["measure"])
    if format_number(lead["estimate"]) == format_number(null):
        return "in favour of neither arm"
    label = analysis.arm_labels[0 if (lead["estimate"] < null) == analysis.fewer_is_better else 1]
    text = f"in favour of the {_in_a_sentence(label)} arm"
    return f"{text}, but compatible with no effect" if reading.includes_null(lead) else text


def _favour(material: Material) -> str:
    """A sentence on the side of no effect that favours the experimental arm, by measure."""
    sides = dict.fromkeys(
        f"{reading.measure_name(analysis.measures[0])}s "
        f"{'below' if analysis.fewer_is_better else 'above'} "
        f"{reading.null_of(analysis.measures[0]):g}"
        for analysis in material.front()
    )
    arms = dict.fromkeys(_in_a_sentence(analysis.arm_labels[0]) for analysis in material.front())
    return f"{capital(listing(list(sides)))} favour the {' or '.join(arms)} arm."


def _in_a_sentence(label: str) -> str:
    # An abbreviation keeps its capitals.
    return label.lower() if label[1:].islower() else label


def _place(analysis: Analysis) -> tuple[str, str]:
    return analysis.setting, analysis.id


def _nothing(analysis: Analysis) -> dict[str, Any]:
    """The row of an analysis for which no trial qualifies."""
    return dict.fromkeys(ESTIMATE_NUMBERS, math.nan) | {
        "setting": analysis.setting, "analysis": analysis.id, "k": 0.0, "model": "", "role": "",
        "outcome": "; ".join(analysis.labels), "measure": analysis.measures[0],
    }  # fmt: skip
