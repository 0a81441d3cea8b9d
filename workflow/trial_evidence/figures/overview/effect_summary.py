"""The answer in one picture: every pooled effect in a row, one panel a kind of measure."""

import math
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.page import Page, stacked
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.forests.widths import closer
from trial_evidence.words.numbers import EN_DASH, MINUS


@dataclass(frozen=True)
class Effect:
    """A pooled effect.

    Parameters
    ----------
    group
        Heading above it; effects of one group stand together.
    label
        What was compared on what outcome.
    k
        Number of trials.
    participants
        Number of patients; None where not all trials say.
    estimate, low, high
        Estimate and limits on the analysis scale.
    prediction
        Limits of the prediction interval; None where there is none.
    certainty
        In a word or two; may be empty.
    """

    group: str
    label: str
    k: int
    participants: int | None
    estimate: float
    low: float
    high: float
    prediction: tuple[float, float] | None = None
    certainty: str = ""


@dataclass(frozen=True)
class EffectPanel:
    """Effects of one measure on one axis; `measure` heads their numbers."""

    measure: str
    axis: Axis
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class EffectSummary:
    """The picture, described.

    Parameters
    ----------
    title
        Heading of the figure.
    panels
        From top to bottom; measures of which opposite sides are a benefit keep to their own.
    footnotes
        Small print.
    description
        What the figure shows, in words.
    """

    title: str
    panels: tuple[EffectPanel, ...]
    footnotes: tuple[str, ...] = ()
    description: str = ""


def effect_summary(summary: EffectSummary, style: Style) -> Page:
    """Place all panels below one another with the same columns.

    The diamond is the estimate with its interval, the bar behind it the prediction interval.

    Parameters
    ----------
    summary
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    certain = any(effect.certainty for panel in summary.panels for effect in panel.effects)
    if certain:
        style = closer(style)
    rows = [_rows(panel) for panel in summary.panels]
    pages = []
    for at, panel in enumerate(summary.panels):
        last = at == len(summary.panels) - 1
        others = [row for number, found in enumerate(rows) if number != at for row in found]
        described = Forest(
            title=summary.title if at == 0 else "",
            columns=_columns(panel.measure, certain),
            rows=rows[at],
            axis=panel.axis,
            footnotes=summary.footnotes if last else (),
        )
        pages.append(layout(described, style, others))
    return stacked(pages, clean(summary.title), clean(summary.description))


def _columns(measure: str, certain: bool) -> tuple[Column, ...]:
    found = [
        Column("label", "Comparison and outcome", "left", "left"),
        Column("k", "Trials", "right", "left", 1),
        Column("participants", "Patients", "right", "left", 2),
        Column("result", f"{measure}\n(95% interval)", "right", "right"),
        Column("prediction", "Prediction\ninterval", "right", "right", 3),
    ]
    if certain:
        found.append(Column("certainty", "Certainty", "left", "right", 4))
    return tuple(found)


def _rows(panel: EffectPanel) -> tuple[Row, ...]:
    rows: list[Row] = []
    group = ""
    for effect in panel.effects:
        if effect.group != group:
            rows += [Row("gap")] if rows else []
            rows.append(Row("heading", {"label": effect.group}))
            group = effect.group
        scale = panel.axis.scale
        texts = {
            "label": effect.label,
            "k": str(effect.k),
            "participants": "not stated" if effect.participants is None
            else f"{effect.participants:,}",
            "result": f"{printed(effect.estimate, scale)} "
            f"({_between(effect.low, effect.high, panel.axis)})",
            "prediction": "" if effect.prediction is None
            else _between(*effect.prediction, panel.axis),
            "certainty": effect.certainty,
        }  # fmt: skip
        rows.append(
            Row("pooled", texts, effect.estimate, effect.low, effect.high,
                prediction=effect.prediction)
        )  # fmt: skip
    return tuple(rows)


def _between(low: float, high: float, axis: Axis) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    ends = [printed(end, axis.scale) for end in (low, high)]
    return (" to " if any(end.startswith(MINUS) for end in ends) else EN_DASH).join(ends)
