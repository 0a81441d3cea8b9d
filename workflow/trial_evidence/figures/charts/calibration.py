"""Calibration: how intervals and estimators behave in simulated meta-analyses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trial_evidence.figures.canvas.axis import Axis, AxisView, Tick
from trial_evidence.figures.canvas.chart import (
    DASHED,
    DOTTED,
    Chart,
    Dash,
    Key,
    KeyKind,
    Panel,
    ViewOf,
    between,
)
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import text_width_mm, wrap
from trial_evidence.words.numbers import format_tick

_LEAST_PANEL_MM = 36.0
_ROOM = 0.04


@dataclass(frozen=True)
class Small:
    """A small panel: what it is about, and values by number of trials (rows) and tau (columns)."""

    label: str
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """Small panels that share an axis.

    Parameters
    ----------
    title
        What the values are.
    y_label
        Words for the vertical axis; may be empty.
    panels
        From left to right.
    target
        Value that a dashed line marks.
    percent
        Print the axis as percentages of 1.
    """

    title: str
    y_label: str
    panels: Sequence[Small]
    target: float
    percent: bool = False


@dataclass(frozen=True)
class Calibration:
    """A calibration figure, described.

    Parameters
    ----------
    title
        Heading of the figure.
    trials
        Numbers of trials in the simulated meta-analyses, ascending.
    taus
        True standard deviations between trials, ascending; six at most.
    sections
        Coverage, width, bias and the like.
    notes, footnotes
        Sentences under the panels and small print.
    description
        What the figure shows, in words.
    """

    title: str
    trials: Sequence[int]
    taus: Sequence[float]
    sections: Sequence[Section]
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class _Trace:
    """How the line of a tau is drawn; each differs from the others without colour."""

    colour: str
    kind: KeyKind
    fill: str
    dash: Dash | None


def layout(calibration: Calibration, style: Style) -> Page:
    """Place a calibration figure on a page: a row of small panels, or several, for each section.

    Parameters
    ----------
    calibration
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.

    Raises
    ------
    ValueError
        If there are more values of tau than lines that can be told apart.
    """
    traces = _traces(style)
    if len(calibration.taus) > len(traces):
        raise ValueError(f"{len(calibration.taus)} values of tau; {len(traces)} can be told apart")
    chart = Chart(style)
    chart.title(calibration.title)
    for section in calibration.sections:
        _section(chart, calibration, section, traces)
        chart.y += style.block_gap_mm
    keys = [
        Key(
            "line",
            f"τ = {format_tick(tau)}",
            trace.colour,
            width_pt=style.interval_pt,
            dash=trace.dash,
            marker=(trace.kind, trace.fill),
        )
        for tau, trace in zip(calibration.taus, traces, strict=False)
    ]
    chart.legend(keys)
    chart.notes(calibration.notes)
    return chart.page(calibration.title, calibration.description, calibration.footnotes)


def _traces(style: Style) -> tuple[_Trace, ...]:
    return (
        _Trace(style.accent_light, "dot", style.paper, None),
        _Trace(style.accent_light, "square", style.accent_light, DASHED),
        _Trace(style.accent, "dot", style.accent, None),
        _Trace(style.accent, "diamond", style.paper, DASHED),
        _Trace(style.ink, "square", style.ink, None),
        _Trace(style.ink, "diamond", style.ink, DOTTED),
    )


def _section(
    chart: Chart, calibration: Calibration, section: Section, traces: Sequence[_Trace]
) -> None:
    style = chart.style
    chart.heading(section.title)
    if section.y_label:
        chart.above_panel(section.y_label)
    gap = style.panel_gap_mm
    fitting = int((chart.right - chart.left + gap) / (_LEAST_PANEL_MM + gap))
    columns = max(1, min(fitting, len(section.panels)))
    # rows of even length look better than a last row with one panel
    columns = math.ceil(len(section.panels) / math.ceil(len(section.panels) / columns))
    width = (chart.right - chart.left + gap) / columns - gap
    axis = _axis_of(section)
    # all panels start at the same distance from the edge of their room, whatever their ticks
    beside = max(text_width_mm(tick.label, style.text_pt) for tick in axis(5).ticks)
    for first in range(0, len(section.panels), columns):
        row = section.panels[first : first + columns]
        edges = [(chart.left + n * (width + gap), chart.left + n * (width + gap) + width)
                 for n in range(len(row))]  # fmt: skip
        leading = chart.leading(style.footnote_pt)
        names = [wrap(small.label, width, style.footnote_pt, False, 2) for small in row]
        deepest = max(len(lines) for lines in names)
        for lines, (left, _) in zip(names, edges, strict=True):
            for number, line in enumerate(lines):
                y = chart.y + (deepest - len(lines) + number + 0.5) * leading
                chart.word("panel label", line, left, y, size_pt=style.footnote_pt)
        top = chart.y + deepest * leading + leading / 2
        for small, room in zip(row, edges, strict=True):
            chart.y = top
            panel = chart.panel(
                lambda _: _trial_axis(calibration.trials),
                lambda most: axis(min(most, 5)),
                0.55 * min(width, 52.0),
                edges=room,
                beside_mm=(beside + 2 * style.tick_mm, style.margin_mm),
            )
            _small(chart, panel, section, small, traces)
            chart.y_axis(panel)
            chart.x_axis(panel, Axis("linear", label="Trials"), room)
        chart.y += style.block_gap_mm / 2


def _axis_of(section: Section) -> ViewOf:
    values = [
        float(value)
        for small in section.panels
        for value in small.values.ravel()
        if math.isfinite(value)
    ]
    low, high = min([section.target, *values]), max([section.target, *values])
    room = _ROOM * (high - low) or 0.01
    # no interval covers more than everything
    return between(
        low - room, min(high + room, 1.0) if section.percent else high + room, section.percent
    )


def _trial_axis(trials: Sequence[int]) -> AxisView:
    """Numbers of trials at even distances: two and three differ more than nine and ten do."""
    ticks = tuple(Tick(float(n), str(count)) for n, count in enumerate(trials))
    return AxisView(-0.4, len(trials) - 0.6, ticks)


def _small(
    chart: Chart, panel: Panel, section: Section, small: Small, traces: Sequence[_Trace]
) -> None:
    style = chart.style
    y = panel.y_mm(section.target)
    ends = [(panel.left, y), (panel.right, y)]
    chart.curve("target", ends, style.muted, style.hair_pt, panel, DASHED)
    for column, trace in zip(small.values.T, traces, strict=False):
        known = [(n, float(value)) for n, value in enumerate(column) if math.isfinite(value)]
        points = [panel.point(float(n), value) for n, value in known]
        chart.curve("trace", points, trace.colour, style.interval_pt, panel, trace.dash)
        size = style.square_min_mm
        for point in points:
            chart.mark("value", trace.kind, point, size, trace.fill, trace.colour)
