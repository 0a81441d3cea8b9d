"""A forest plot of trials from outside the sheet: only their results are known."""

from collections.abc import Iterator
from math import isclose, isnan, nan

import pandas as pd

from trial_evidence.config.methods import Pooling
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests.axes import comparison_axis
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.files import Record, records
from trial_evidence.measures import MEASURES, Measure
from trial_evidence.words.models import MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, format_p, round_half_up
from trial_evidence.words.printed import with_interval

SIDES = ("experimental", "control")
RESULT = ("estimate", "ci_low", "ci_high")
FROM_TRIALS = Pooling.prediction_from_trials
"""With fewer trials, the prediction interval depends mainly on the distribution assumed."""


def plain_axis(
    measure: str, arms: tuple[str, str], fewer_is_better: bool | None, label: str = ""
) -> Axis:
    """The axis; without labels at its ends if the direction of benefit is unknown."""
    axis = comparison_axis(measure, arms, bool(fewer_is_better), label)
    return axis if fewer_is_better is not None else Axis(axis.scale, axis.reference, label)


def plain_forest(
    trials: pd.DataFrame,
    lead: Record,
    measure: str,
    level: float,
    *,
    title: str,
    arms: tuple[str, str],
    fewer_is_better: bool | None,
) -> Forest:
    """A forest plot of trials and one pooled result.

    Parameters
    ----------
    trials
        Columns as in `trial_evidence.api.PooledTrials.trials`.
    lead
        A row of its ``models``; nothing is drawn for ``single_trial``.
    level
        Level of the intervals, in percent.
    arms
        Experimental and control arm.
    fewer_is_better
        Whether values below no effect favour the experimental arm; None if unknown.
    """
    reading = MEASURES[measure]
    counted = all(f"events_{side}" in trials for side in SIDES)
    columns = [Column("trial", "Trial", "left", "left")]
    if counted:
        headings = zip(SIDES, arms, strict=True)
        columns += [Column(side, f"{arm}\nevents/n", "right", "left", -1) for side, arm in headings]
    columns += [
        Column("weight", "Weight\n(%)", "right", "right", 1, unit="%"),
        Column("result", f"{reading.title}\n({level:g}% CI)", "right", "right"),
    ]
    rows = [_trial(row, reading) for row in records(trials)]
    pooled = lead["model"] != "single_trial"
    if pooled:
        rows += [Row("gap"), *_together(lead, trials[trials["pooled"]], reading, level)]
    said = f"{reading.title} {_printed(lead, reading)}, {int(lead['k'])} trials."
    return Forest(
        title,
        tuple(columns),
        tuple(rows),
        plain_axis(measure, arms, fewer_is_better),
        overall=_places(lead, reading)[0] if pooled else None,
        notes=tuple(_heterogeneity(lead)) if pooled else (),
        footnotes=tuple(_small_print(trials, lead)),
        description=f"Forest plot. {title}. {said}",
    )


def _places(values: Record, reading: Measure) -> tuple[float, float, float]:
    """Estimate and limits on the analysis scale."""
    estimate, low, high = reading.scale.to_analysis([values[name] for name in RESULT]).tolist()
    return estimate, low, high


def _printed(values: Record, reading: Measure) -> str:
    return with_interval(*(values[name] for name in RESULT), digits=reading.digits)


def _counts(row: Record) -> dict[str, str]:
    """Events and patients of both arms; empty if only effects are known."""
    counted = (side for side in SIDES if f"events_{side}" in row)
    return {side: f"{row[f'events_{side}']:.0f}/{row[f'n_{side}']:.0f}" for side in counted}


def _trial(row: Record, reading: Measure) -> Row:
    texts = {"trial": str(row["trial"]), "result": "not estimable", "weight": "–", **_counts(row)}
    if not row["pooled"]:
        return Row("unpooled", texts)
    texts |= {"result": _printed(row, reading), "weight": round_half_up(row["weight"], 1)}
    return Row("trial", texts, *_places(row, reading), row["weight"])


def _together(lead: Record, used: pd.DataFrame, reading: Measure, level: float) -> Iterator[Row]:
    state = "" if isnan(lead["i2"]) else f"; I² = {round_half_up(lead['i2'], 0)}%"
    texts = {
        "trial": f"All trials (k = {int(lead['k'])}{state})",
        "result": _printed(lead, reading),
        "weight": round_half_up(100, 1),
        **_counts(dict(used.sum(numeric_only=True))),
    }
    yield Row("overall", texts, *_places(lead, reading))
    if lead["k"] >= FROM_TRIALS and not isnan(lead["pi_low"]) and not _repeats(lead):
        ends = lead["pi_low"], lead["pi_high"]
        between = f"({format_interval(*ends, reading.digits)})"
        texts = {"trial": f"{level:g}% prediction interval", "result": between}
        low, high = reading.scale.to_analysis(ends).tolist()
        yield Row("prediction", texts, nan, low, high)


def _repeats(lead: Record) -> bool:
    """Whether the prediction interval equals the interval of the mean, and tells nothing new."""
    return all(isclose(lead[f"pi_{end}"], lead[f"ci_{end}"]) for end in ("low", "high"))


def _heterogeneity(lead: Record) -> Iterator[str]:
    if isnan(lead["q"]):
        return
    tested = f"Q = {format_number(lead['q'])}, df = {int(lead['q_df'])}, {format_p(lead['q_p'])}"
    spread = "" if isnan(lead["tau2"]) else f"τ² = {format_number(lead['tau2'], 3)}; "
    yield f"Heterogeneity: {spread}{tested}."


def _small_print(trials: pd.DataFrame, lead: Record) -> Iterator[str]:
    if lead["model"] in MODEL_NAMES:
        yield f"{MODEL_NAMES[lead['model']]}. The area of each square reflects the weight."
    for column, holds, words in (
        ("corrected", True, "0.5 added to each cell because one is empty"),
        ("pooled", False, "No event, or only events, in both arms, so not pooled"),
    ):
        if named := [str(row["trial"]) for row in records(trials) if bool(row[column]) is holds]:
            yield f"{words}: {', '.join(named)}."
