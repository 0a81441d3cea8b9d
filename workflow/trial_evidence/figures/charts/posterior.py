"""Posterior densities: the mean effect, a new trial, and the heterogeneity beside its prior."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import (
    DASHED,
    Chart,
    Key,
    Panel,
    covering,
    from_zero,
    panel_height_mm,
    printed,
)
from trial_evidence.figures.canvas.page import Page, Point
from trial_evidence.figures.canvas.style import Style

# a page as narrow as this has the panels one below another
_NARROW_MM = 100.0
_MAIN_SHARE = 0.62
# densities below this share of the highest are flat to the eye
_FLAT = 0.004


@dataclass(frozen=True)
class Density:
    """A density at ascending values, with the words of its legend."""

    label: str
    values: Sequence[float]
    density: Sequence[float]


@dataclass(frozen=True)
class Posterior:
    """Posterior densities, described.

    Parameters
    ----------
    title
        Heading of the figure.
    mean
        Posterior density of the mean effect, on the analysis scale.
    interval
        Limits of its 95% interval, which is shaded.
    median
        Its median.
    axis
        The axis of the effect.
    tau_prior, tau_posterior
        Densities of the standard deviation between trials.
    predictive
        Density of the effect in a new trial; None for none.
    tau_label
        Words for the axis of the standard deviation.
    statements
        Probabilities in words, under the panels.
    notes, footnotes
        Further sentences and small print.
    description
        What the figure shows, in words.
    """

    title: str
    mean: Density
    interval: tuple[float, float]
    median: float
    axis: Axis
    tau_prior: Density
    tau_posterior: Density
    predictive: Density | None = None
    tau_label: str = "Standard deviation between trials, τ"
    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(posterior: Posterior, style: Style) -> Page:
    """Place posterior densities on a page: effect and heterogeneity, side by side if wide enough.

    Densities are per unit of the analysis scale, so that areas on a log axis are probabilities.

    Parameters
    ----------
    posterior
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(posterior.title)
    height = 0.62 * panel_height_mm(style)
    gap = 2 * style.panel_gap_mm
    whole = (chart.left, chart.right)
    if style.width_mm <= _NARROW_MM:
        keys = _mean_panel(chart, posterior, whole, height)
        chart.legend(keys)
        chart.y += style.block_gap_mm
        keys = _tau_panel(chart, posterior, whole, 0.7 * height)
        chart.legend(keys)
    else:
        split = chart.left + _MAIN_SHARE * (chart.right - chart.left - gap)
        top = chart.y
        keys = _mean_panel(chart, posterior, (chart.left, split), height)
        lowest, chart.y = chart.y, top
        keys += _tau_panel(chart, posterior, (split + gap, chart.right), height)
        chart.y = max(chart.y, lowest)
        chart.legend(keys)
    chart.notes([*posterior.statements, *posterior.notes])
    return chart.page(posterior.title, posterior.description, posterior.footnotes)


def _mean_panel(
    chart: Chart, posterior: Posterior, edges: tuple[float, float], height: float
) -> list[Key]:
    style = chart.style
    chart.heading("Effect", edges)
    drawn = [posterior.mean, *([] if posterior.predictive is None else [posterior.predictive])]
    reach = [end for density in drawn for end in _reach(density)]
    highest = [value for density in drawn for value in density.density]
    panel = chart.panel(
        covering(posterior.axis, reach),
        from_zero(highest),
        height,
        (posterior.axis.scale, "linear"),
        edges,
        beside_mm=(0.0, 0.0),
    )
    chart.area("shade", _under(posterior.mean, posterior.interval, panel), style.accent_pale, panel)
    chart.reference(panel, posterior.axis)
    thick = 1.6 * style.interval_pt
    _outline(chart, panel, posterior.mean, style.accent, thick)
    x = panel.x_mm(posterior.median)
    y = panel.y_mm(float(np.interp(posterior.median, *_grid(posterior.mean))))
    if panel.holds((x, y)):
        chart.line("median", (x, panel.bottom), (x, y), style.accent, style.interval_pt)
    scale = posterior.axis.scale
    limits = " to ".join(printed(limit, scale) for limit in posterior.interval)
    keys = [
        Key("line", posterior.mean.label, style.accent, width_pt=thick),
        Key("line", f"Median: {printed(posterior.median, scale)}", style.accent),
        Key("area", f"Shortest 95% interval: {limits}", style.accent_pale, style.accent),
    ]
    if posterior.predictive is not None:
        _outline(chart, panel, posterior.predictive, style.muted, style.interval_pt, dashed=True)
        keys.append(Key("line", posterior.predictive.label, style.muted, dash=DASHED))
    chart.x_axis(panel, posterior.axis, edges)
    return keys


def _tau_panel(
    chart: Chart, posterior: Posterior, edges: tuple[float, float], height: float
) -> list[Key]:
    style = chart.style
    chart.heading("Heterogeneity", edges)
    drawn = (posterior.tau_prior, posterior.tau_posterior)
    panel = chart.panel(
        from_zero(_reach(density)[1] for density in drawn),
        from_zero(value for density in drawn for value in density.density),
        height,
        edges=edges,
        beside_mm=(0.0, 0.0),
    )
    thick = 1.6 * style.interval_pt
    _outline(chart, panel, posterior.tau_prior, style.ink, style.hair_pt, dashed=True)
    _outline(chart, panel, posterior.tau_posterior, style.ink, thick)
    chart.x_axis(panel)
    chart.under_panel(panel, posterior.tau_label, edges)
    return [
        Key("line", posterior.tau_prior.label, style.ink, "", style.hair_pt, DASHED),
        Key("line", posterior.tau_posterior.label, style.ink, width_pt=thick),
    ]


def _grid(density: Density) -> tuple[list[float], list[float]]:
    pairs = [
        (value, height)
        for value, height in zip(density.values, density.density, strict=True)
        if math.isfinite(value) and math.isfinite(height)
    ]
    return [value for value, _ in pairs], [height for _, height in pairs]


def _reach(density: Density) -> tuple[float, float]:
    """Values between which a density can be seen."""
    values, heights = _grid(density)
    if not values:
        return 0.0, 0.0
    least = _FLAT * max(heights)
    seen = [value for value, height in zip(values, heights, strict=True) if height >= least]
    return min(seen), max(seen)


def _outline(
    chart: Chart,
    panel: Panel,
    density: Density,
    colour: str,
    width_pt: float,
    dashed: bool = False,
) -> None:
    points = [panel.point(*pair) for pair in zip(*_grid(density), strict=True)]
    role = "outline"
    chart.curve(role, points, colour, width_pt, panel, DASHED if dashed else None)


def _under(density: Density, interval: tuple[float, float], panel: Panel) -> list[Point]:
    """Corners of the area under a density between two limits."""
    values, heights = _grid(density)
    if not values:
        return []
    low, high = (min(max(limit, values[0]), values[-1]) for limit in interval)
    inside = [(v, h) for v, h in zip(values, heights, strict=True) if low < v < high]
    ends = [(limit, float(np.interp(limit, values, heights))) for limit in (low, high)]
    top = [ends[0], *inside, ends[1]]
    return [panel.point(*pair) for pair in [(low, 0.0), *top, (high, 0.0)]]
