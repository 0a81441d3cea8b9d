"""Observed against predicted effects, each with its intervals, and the line of agreement."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import (
    DASHED,
    Chart,
    Key,
    Label,
    Panel,
    covering,
    panel_height_mm,
    vertical_label,
)
from trial_evidence.figures.canvas.page import Page, Point
from trial_evidence.figures.canvas.style import Style

Effect = tuple[float, float, float]
"""Estimate and limits on the analysis scale."""


@dataclass(frozen=True)
class Agreement:
    """A treatment: its effect as observed and as predicted, on the analysis scale."""

    label: str
    predicted: Effect
    observed: Effect


@dataclass(frozen=True)
class ObservedPredicted:
    """Observed against predicted effects, described.

    Parameters
    ----------
    title
        Heading of the figure.
    points
        Treatments; those with a number that is not finite are left out.
    axis
        The axis of both effects; its label is that of the vertical one.
    predicted_label
        Words for the horizontal axis.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    points: Sequence[Agreement]
    axis: Axis
    predicted_label: str
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(plot: ObservedPredicted, style: Style) -> Page:
    """Place observed and predicted effects on a page.

    Parameters
    ----------
    plot
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    points = [p for p in plot.points if all(map(math.isfinite, (*p.predicted, *p.observed)))]
    chart = Chart(style)
    chart.title(plot.title)
    chart.above_panel(vertical_label(plot.axis))
    # one range for both axes, or the line of agreement would not stand at half a right angle
    estimates = [value for p in points for value in (p.predicted[0], p.observed[0])]
    limits = [value for p in points for value in (*p.predicted[1:], *p.observed[1:])]
    # one imprecise treatment must not press all others together
    spread = max(estimates, default=0.0) - min(estimates, default=0.0) or 1.0
    near = [
        value
        for value in limits
        if min(estimates) - 0.5 * spread <= value <= max(estimates) + 0.5 * spread
    ]
    reach = covering(plot.axis, [*estimates, *near])
    panel = chart.panel(
        reach, reach, 1.15 * panel_height_mm(style), (plot.axis.scale, plot.axis.scale)
    )
    ends = (min(estimates, default=0.0) - 10 * spread, max(estimates, default=0.0) + 10 * spread)
    chart.curve(
        "agreement",
        [panel.point(end, end) for end in ends],
        style.muted,
        style.rule_pt,
        panel,
        DASHED,
    )
    labels = []
    for p in points:
        _whiskers(chart, panel, p)
    for p in points:
        place = panel.point(p.predicted[0], p.observed[0])
        chart.dot("treatment", place, style.square_unweighted_mm, style.accent, style.paper)
        labels.append(Label(p.label, *place, style.square_unweighted_mm / 2))
    chart.y_axis(panel)
    chart.x_axis(panel, Axis(plot.axis.scale, label=plot.predicted_label))
    chart.labels(labels, (panel.left, panel.top, chart.right, panel.bottom))
    chart.legend(
        [
            Key("dot", "Regimen", style.accent, style.paper),
            Key("line", "95% confidence intervals", style.accent_light, width_pt=style.hair_pt),
            Key("line", "Observed as predicted", style.muted, width_pt=style.rule_pt, dash=DASHED),
        ]
    )
    chart.notes(plot.notes)
    return chart.page(plot.title, plot.description, plot.footnotes)


def _whiskers(chart: Chart, panel: Panel, p: Agreement) -> None:
    style = chart.style
    x, y = panel.point(p.predicted[0], p.observed[0])
    level: tuple[Point, Point] = ((panel.x_mm(p.predicted[1]), y), (panel.x_mm(p.predicted[2]), y))
    upright: tuple[Point, Point] = ((x, panel.y_mm(p.observed[1])), (x, panel.y_mm(p.observed[2])))
    for ends in (level, upright):
        chart.curve("interval", ends, style.accent_light, style.hair_pt, panel)
