"""The surrogacy plot: effects on an endpoint against effects on its surrogate, trial by trial."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import (
    DASHED,
    DOTTED,
    Chart,
    Key,
    Label,
    Panel,
    covering,
    panel_height_mm,
    vertical_label,
)
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style

_LARGEST_MM, _SMALLEST_MM = 6.0, 1.4


@dataclass(frozen=True)
class SurrogateTrial:
    """A trial: both effects on the analysis scale, and what the area of its bubble follows."""

    label: str
    surrogate: float
    endpoint: float
    size: float


@dataclass(frozen=True)
class SurrogateLine:
    """A fitted line with confidence and prediction limits, at ascending surrogate effects."""

    surrogate: Sequence[float]
    fitted: Sequence[float]
    ci_low: Sequence[float]
    ci_high: Sequence[float]
    pi_low: Sequence[float]
    pi_high: Sequence[float]


@dataclass(frozen=True)
class SurrogatePlot:
    """A surrogacy plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    trials
        One contrast a trial.
    line
        The fitted line; None where there is none.
    threshold
        Surrogate threshold effect on the analysis scale; None where there is none.
    x, y
        Axes of the surrogate and of the endpoint.
    size_label
        What the area of a bubble stands for.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    trials: Sequence[SurrogateTrial]
    line: SurrogateLine | None
    threshold: float | None
    x: Axis
    y: Axis
    size_label: str = "patients"
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(plot: SurrogatePlot, style: Style) -> Page:
    """Place a surrogacy plot on a page.

    The axes cover the trials and the threshold where it is near them; bands run off the panel.

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
    chart = Chart(style)
    chart.title(plot.title)
    chart.above_panel(vertical_label(plot.y))
    across = [trial.surrogate for trial in plot.trials]
    if plot.threshold is not None and across:
        reach = max(across) - min(across)
        across += [plot.threshold] if plot.threshold <= max(across) + reach else []
    down = [trial.endpoint for trial in plot.trials]
    panel = chart.panel(
        covering(plot.x, across),
        covering(plot.y, down),
        panel_height_mm(style),
        (plot.x.scale, plot.y.scale),
    )
    keys = [Key("dot", f"Trial (area: {plot.size_label})", style.muted, style.ink)]
    if plot.line is not None:
        keys += _line(chart, panel, plot.line)
    chart.reference(panel, plot.x)
    chart.reference(panel, plot.y, upright=False)
    if plot.threshold is not None and panel.spans(panel.x_mm(plot.threshold)):
        x = panel.x_mm(plot.threshold)
        ends = [(x, panel.top), (x, panel.bottom)]
        width = 1.5 * style.interval_pt
        chart.curve("threshold", ends, style.accent, width, panel, DOTTED)
        words = "Surrogate threshold effect"
        keys.append(Key("line", words, style.accent, width_pt=width, dash=DOTTED))
    _bubbles(chart, panel, plot)
    chart.y_axis(panel)
    labels = [
        Label(
            trial.label, *panel.point(trial.surrogate, trial.endpoint), _diameter(trial, plot) / 2
        )
        for trial in _by_size(plot)
    ]
    chart.x_axis(panel, plot.x)
    chart.labels(labels, (panel.left, panel.top, chart.right, panel.bottom))
    chart.legend(keys)
    chart.notes(plot.notes)
    return chart.page(plot.title, plot.description, plot.footnotes)


def _by_size(plot: SurrogatePlot) -> list[SurrogateTrial]:
    # small ones last: they would vanish behind large ones
    return sorted(plot.trials, key=lambda trial: -trial.size)


def _diameter(trial: SurrogateTrial, plot: SurrogatePlot) -> float:
    largest = max(one.size for one in plot.trials)
    share = max(trial.size, 0.0) / largest if largest > 0 else 1.0
    return max(_SMALLEST_MM, _LARGEST_MM * math.sqrt(share))


def _bubbles(chart: Chart, panel: Panel, plot: SurrogatePlot) -> None:
    for trial in _by_size(plot):
        place = panel.point(trial.surrogate, trial.endpoint)
        chart.dot("trial", place, _diameter(trial, plot), chart.style.muted, chart.style.ink)


def _line(chart: Chart, panel: Panel, line: SurrogateLine) -> list[Key]:
    style = chart.style

    def through(values: Sequence[float]) -> list[tuple[float, float]]:
        return [panel.point(*place) for place in zip(line.surrogate, values, strict=True)]

    highs, lows = through(line.ci_high), through(line.ci_low)
    chart.area("confidence band", [*highs, *reversed(lows)], style.band, panel)
    for edge in (highs, lows):
        chart.curve("confidence edge", edge, style.accent_light, style.hair_pt, panel)
    for edge in (through(line.pi_high), through(line.pi_low)):
        chart.curve("prediction edge", edge, style.accent, style.hair_pt, panel, DASHED)
    width = 1.5 * style.interval_pt
    chart.curve("fitted", through(line.fitted), style.accent, width, panel)
    return [
        Key("line", "Fitted line", style.accent, width_pt=width),
        Key("area", "95% confidence band", style.band, style.accent_light),
        Key("line", "95% prediction band", style.accent, width_pt=style.hair_pt, dash=DASHED),
    ]
