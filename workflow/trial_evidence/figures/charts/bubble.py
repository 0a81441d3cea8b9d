"""The bubble plot of a meta-regression: effects against a covariate, and the fitted line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import (
    Chart,
    Key,
    Label,
    between,
    covering,
    panel_height_mm,
    vertical_label,
)
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style

_LARGEST_MM, _SMALLEST_MM = 6.0, 1.2
# how much wider than the covariate the axis is, on either side
_ROOM = 0.05


@dataclass(frozen=True)
class BubbleTrial:
    """A trial: covariate, estimate on the analysis scale, and weight of any unit."""

    label: str
    covariate: float
    estimate: float
    weight: float


@dataclass(frozen=True)
class Line:
    """A fitted line with its confidence band, at ascending values of the covariate."""

    covariate: Sequence[float]
    fitted: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Bubble:
    """A bubble plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    trials
        Trials; the area of a bubble follows the weight.
    line
        Fitted line on the analysis scale; None where there is none.
    axis
        The axis of the effect, which stands upright.
    covariate_label
        Words for the covariate, with its unit.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    trials: Sequence[BubbleTrial]
    line: Line | None
    axis: Axis
    covariate_label: str
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(bubble: Bubble, style: Style) -> Page:
    """Place a bubble plot on a page.

    Parameters
    ----------
    bubble
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    trials = [
        trial
        for trial in bubble.trials
        if math.isfinite(trial.covariate) and math.isfinite(trial.estimate)
    ]
    chart = Chart(style)
    chart.title(bubble.title)
    chart.above_panel(vertical_label(bubble.axis))
    covariates = [trial.covariate for trial in trials] or [0.0]
    low, high = min(covariates), max(covariates)
    room = _ROOM * (high - low) or max(0.5, 0.01 * abs(low))
    fitted = [] if bubble.line is None else [*bubble.line.fitted]
    panel = chart.panel(
        between(low - room, high + room, whole=all(float(x).is_integer() for x in covariates)),
        covering(bubble.axis, [*(trial.estimate for trial in trials), *fitted]),
        panel_height_mm(style),
        ("linear", bubble.axis.scale),
    )
    keys = [Key("dot", "Trial (area follows weight)", style.muted, style.ink)]
    if bubble.line is not None:
        line = bubble.line
        uppers = [panel.point(*place) for place in zip(line.covariate, line.high, strict=True)]
        lowers = [panel.point(*place) for place in zip(line.covariate, line.low, strict=True)]
        middle = [panel.point(*place) for place in zip(line.covariate, line.fitted, strict=True)]
        chart.area("band", [*uppers, *reversed(lowers)], style.band, panel)
        for edge in (uppers, lowers):
            chart.curve("band edge", edge, style.accent_light, style.hair_pt, panel)
        chart.curve("fitted", middle, style.accent, 1.5 * style.interval_pt, panel)
        keys.append(Key("line", "Fitted line", style.accent, width_pt=1.5 * style.interval_pt))
        keys.append(Key("area", "95% confidence band", style.band, style.accent_light))
    chart.reference(panel, bubble.axis, upright=False)
    heaviest = max((trial.weight for trial in trials), default=0.0)
    labels = []
    # small ones last: they would vanish behind large ones
    for trial in sorted(trials, key=lambda trial: -trial.weight):
        place = panel.point(trial.covariate, trial.estimate)
        if not panel.holds(place):
            continue
        share = max(trial.weight, 0.0) / heaviest if heaviest > 0 else 1.0
        size = max(_SMALLEST_MM, _LARGEST_MM * math.sqrt(share) * style.square_max_mm / 3.3)
        chart.dot("trial", place, size, style.muted, style.ink)
        labels.append(Label(trial.label, *place, size / 2))
    chart.y_axis(panel)
    chart.x_axis(panel, Axis("linear", label=bubble.covariate_label))
    chart.labels(labels, (panel.left, panel.top, chart.right, panel.bottom))
    chart.legend(keys)
    chart.notes(bubble.notes)
    return chart.page(bubble.title, bubble.description, bubble.footnotes)
