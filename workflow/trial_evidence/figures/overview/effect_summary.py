"""The answer in one picture: one row per pooled effect, one panel per kind of measure."""

from dataclasses import dataclass
from itertools import groupby

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import Described, printed_interval, printed_result
from trial_evidence.figures.canvas.page import Page, stacked
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind, headed
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.forests.widths import closer


@dataclass(frozen=True)
class Behind:
    """A result shown below the pooled one it supports: that of a trial or of another model."""

    label: str
    is_trial: bool
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """A pooled effect with its interval and prediction interval, on the analysis scale.

    Effects of one group are listed together under its heading. `participants` is None if not all
    trials state their number. `behind` are results to show with it.
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
    behind: tuple[Behind, ...] = ()


@dataclass(frozen=True)
class EffectPanel:
    """Effects for one measure on one axis; `measure` heads the column of results."""

    measure: str
    axis: Axis
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class EffectSummary(Described):
    """The description of the picture.

    Measures with opposite directions of benefit have separate panels. `level` is that of the
    intervals, in percent.
    """

    panels: tuple[EffectPanel, ...]
    level: float


def effect_summary(summary: EffectSummary, style: Style) -> Page:
    """Stack all panels, with the same columns.

    The diamond is the estimate with its interval, the bar behind it the prediction interval.
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
            columns=_columns(f"{panel.measure}\n({summary.level:g}% interval)", certain),
            rows=rows[at],
            axis=panel.axis,
            footnotes=summary.footnotes if last else (),
        )
        pages.append(layout(described, style, others))
    return stacked(pages, clean(summary.title), clean(summary.description))


def _columns(result: str, certain: bool) -> tuple[Column, ...]:
    return (
        Column("label", "Comparison and outcome", "left", "left"),
        Column("k", "Trials", "right", "left", 1),
        Column("participants", "Patients", "right", "left", 2),
        Column("result", result, "right", "right"),
        Column("prediction", "Prediction\ninterval", "right", "right", 3),
        *((Column("certainty", "Certainty", "left", "right", 4),) if certain else ()),
    )


def _rows(panel: EffectPanel) -> tuple[Row, ...]:
    rows: list[Row] = []
    scale = panel.axis.scale
    for group, effects in groupby(panel.effects, lambda effect: effect.group):
        rows += headed(rows, group, "label")
        for effect in effects:
            ends = (effect.estimate, effect.low, effect.high)
            among = effect.prediction
            count = effect.participants
            texts = {
                "label": effect.label,
                "k": str(effect.k),
                "participants": "not stated" if count is None else f"{count:,}",
                "result": printed_result(*ends, scale),
                "prediction": "" if among is None else printed_interval(*among, scale),
                "certainty": effect.certainty,
            }
            rows.append(Row("pooled", texts, *ends, prediction=among))
            for own in effect.behind:
                ends = (own.estimate, own.low, own.high)
                texts = {"label": own.label, "result": printed_result(*ends, scale)}
                kind: RowKind = "trial" if own.is_trial else "pooled"
                rows.append(Row(kind, texts, *ends, inset=True))
    return tuple(rows)
