"""The contour-enhanced funnel plot: estimates against their standard errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import (
    DASHED,
    DOTTED,
    Chart,
    Key,
    Panel,
    backwards,
    covering,
    from_zero,
    panel_height_mm,
    printed,
)
from trial_evidence.figures.canvas.page import Page, Point
from trial_evidence.figures.canvas.style import Style

LEAST_TRIALS = 10
# quantiles of the standard normal distribution for two-sided p of 0.10, 0.05 and 0.01
Z_10, Z_05, Z_01 = 1.6448536269514722, 1.959963984540054, 2.5758293035489004
_STEPS = 60


@dataclass(frozen=True)
class FunnelPoint:
    """A trial: estimate and standard error on the analysis scale.

    `imputed` marks what trim-and-fill has added.
    """

    estimate: float
    standard_error: float
    imputed: bool = False


@dataclass(frozen=True)
class Regression:
    """A line through the funnel: its estimate at a standard error of 0, and its slope."""

    at_zero: float
    slope: float


@dataclass(frozen=True)
class Funnel:
    """A funnel plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    points
        Trials, and imputed ones.
    axis
        The axis of the estimates; contours of significance are drawn about its reference.
    pooled
        Pooled estimate on the analysis scale, about which the pseudo 95% limits lie.
    regression
        Line of a regression test for asymmetry; None for no line.
    adjusted
        Pooled estimate with the imputed trials; None for none.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    points: Sequence[FunnelPoint]
    axis: Axis
    pooled: float
    regression: Regression | None = None
    adjusted: float | None = None
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(funnel: Funnel, style: Style) -> Page:
    """Place a funnel plot on a page.

    The standard error runs downward, so that large trials are at the top. Regions of two-sided
    p about no effect (Peters et al. 2008) are shaded, the darker the nearer to significance; with
    fewer than ten trials a note says that nothing can be concluded (Sterne et al. 2011).

    Parameters
    ----------
    funnel
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    points = [
        point
        for point in funnel.points
        if math.isfinite(point.estimate) and math.isfinite(point.standard_error)
    ]
    deepest = max((point.standard_error for point in points), default=1.0)
    limits = [funnel.pooled - Z_05 * deepest, funnel.pooled + Z_05 * deepest]
    chart = Chart(style)
    chart.title(funnel.title)
    chart.above_panel("Standard error")
    reach = [*(point.estimate for point in points), *limits]
    panel = chart.panel(
        covering(funnel.axis, reach),
        backwards(from_zero([1.02 * deepest])),
        panel_height_mm(style),
        (funnel.axis.scale, "linear"),
    )
    keys = _marks(chart, panel, funnel, points)
    if funnel.axis.reference is not None:
        keys += _contours(chart, panel, funnel.axis.reference, style)
    chart.reference(panel, funnel.axis)
    keys = [*_lines(chart, panel, funnel), *keys]
    chart.y_axis(panel)
    chart.x_axis(panel, funnel.axis)
    chart.legend(keys)
    count = sum(not point.imputed for point in points)
    notes = list(funnel.notes)
    if count < LEAST_TRIALS:
        notes.append(
            f"Small-study effects cannot be judged: k = {count}, fewer than {LEAST_TRIALS} trials."
        )
    chart.notes(notes)
    return chart.page(funnel.title, funnel.description, funnel.footnotes)


def _marks(chart: Chart, panel: Panel, funnel: Funnel, points: Sequence[FunnelPoint]) -> list[Key]:
    style = chart.style
    size = 1.15 * style.square_unweighted_mm
    for point in points:
        place = panel.point(point.estimate, point.standard_error)
        if panel.holds(place):
            fill, outline = (style.paper, style.ink) if point.imputed else (style.ink, style.paper)
            chart.dot("imputed" if point.imputed else "trial", place, size, fill, outline)
    keys = [Key("dot", "Trial", style.ink)]
    if any(point.imputed for point in points):
        keys.append(Key("dot", "Imputed by trim-and-fill", style.paper, style.ink))
    return keys


def _contours(chart: Chart, panel: Panel, reference: float, style: Style) -> list[Key]:
    """Shaded regions from the outside inward; what is not shaded is not significant."""
    regions = (
        (math.inf, style.band, ""),
        (Z_01, style.accent_pale, "0.01 < p < 0.05"),
        (Z_05, style.accent_light, "0.05 < p < 0.10"),
        (Z_10, style.paper, "p > 0.10"),
    )
    for z, fill, _ in regions:
        if math.isinf(z):
            corners: Sequence[Point] = (
                (panel.left, panel.top),
                (panel.right, panel.top),
                (panel.right, panel.bottom),
                (panel.left, panel.bottom),
            )
        else:
            left, right = (_ray(panel, reference, side * z) for side in (-1, 1))
            corners = (*left, *reversed(right))
        chart.area("contour", corners, fill, panel)
    shaded = [Key("area", label, fill, style.muted) for _, fill, label in reversed(regions[1:])]
    return [*shaded, Key("area", "p < 0.01", style.band, style.muted)]


def _ray(panel: Panel, at_zero: float, slope: float) -> list[Point]:
    """Points of estimate = at_zero + slope x standard error, down to the foot of the panel."""
    steps = [panel.y.low * step / _STEPS for step in range(_STEPS + 1)]
    return [panel.point(at_zero + slope * error, error) for error in steps]


def _lines(chart: Chart, panel: Panel, funnel: Funnel) -> list[Key]:
    style = chart.style
    scale = funnel.axis.scale
    pooled = _ray(panel, funnel.pooled, 0.0)
    chart.curve("pooled", pooled, style.accent, style.interval_pt, panel)
    keys = [Key("line", f"Pooled: {printed(funnel.pooled, scale)}", style.accent)]
    for side in (-1, 1):
        limit = _ray(panel, funnel.pooled, side * Z_05)
        chart.curve("limit", limit, style.accent, style.hair_pt, panel, DASHED)
    keys.append(Key("line", "Pseudo 95% limits", style.accent, "", style.hair_pt, DASHED))
    if funnel.adjusted is not None:
        adjusted = _ray(panel, funnel.adjusted, 0.0)
        chart.curve("adjusted", adjusted, style.accent, style.interval_pt, panel, DOTTED)
        label = f"With imputed trials: {printed(funnel.adjusted, scale)}"
        keys.append(Key("line", label, style.accent, dash=DOTTED))
    if funnel.regression is not None:
        line = _ray(panel, funnel.regression.at_zero, funnel.regression.slope)
        chart.curve("regression", line, style.ink, style.interval_pt, panel, DOTTED)
        keys.append(Key("line", "Regression on the standard error", style.ink, dash=DOTTED))
    return keys
