"""The specification curve: every defensible analysis, and the choices behind each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trial_evidence.figures.canvas.axis import Axis, AxisView
from trial_evidence.figures.canvas.chart import (
    DASHED,
    Chart,
    Key,
    Panel,
    covering,
    diamond,
    panel_height_mm,
    printed,
    rectangle,
    simplified,
    vertical_label,
)
from trial_evidence.figures.canvas.page import Page, Point
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT, clean, shorten, text_width_mm

Numbers = npt.NDArray[np.float64]

# marks of single specifications are no wider than this, and further apart than that
_WIDEST_MM, _NARROWEST_MM = 1.4, 0.25
_FILLED = 0.62
# limits beyond those of this share of the specifications may leave the panel, and limits further
# from the estimates than so many typical intervals are wide
_TAIL, _TYPICAL = 0.01, 4.0
_HAIR_MM = 1e-6
# a dot of the finest print that is made of a figure: what is narrower stands side by side
_PIXEL_MM = 25.4 / 300


@dataclass(frozen=True)
class Factor:
    """A choice that every specification makes.

    Parameters
    ----------
    label
        What is chosen.
    choices
        What there is to choose from, from top to bottom.
    chosen
        Index of the choice for each specification; negative where the factor does not apply.
    """

    label: str
    choices: Sequence[str]
    chosen: npt.NDArray[np.int_]


@dataclass(frozen=True)
class Specification:
    """A specification curve, described.

    Parameters
    ----------
    title
        Heading of the figure.
    estimates, low, high
        Results of the specifications on the analysis scale, in any order; those without an
        estimate (NaN) are counted in a footnote.
    factors
        Their choices.
    axis
        The axis of the estimates, which stands upright; its reference is no effect.
    leading
        Index of the specification that the report leads with; None for none.
    share
        Sentence on the share of specifications whose interval excludes no effect.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    estimates: Numbers
    low: Numbers
    high: Numbers
    factors: Sequence[Factor]
    axis: Axis
    leading: int | None = None
    share: str = ""
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(specification: Specification, style: Style) -> Page:
    """Place a specification curve (Simonsohn, Simmons and Nelson 2020) on a page.

    Specifications stand from the smallest estimate to the largest, those with equal estimates in
    the order given. Where they are too many to be told apart, a mark in the lower panel stands for
    several neighbours, as high as the share of them that made the choice.

    Parameters
    ----------
    specification
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    known = np.flatnonzero(np.isfinite(specification.estimates))
    order = known[np.argsort(specification.estimates[known], kind="stable")]
    chart = Chart(style)
    chart.title(specification.title)
    chart.above_panel(vertical_label(specification.axis))
    estimates = specification.estimates[order]
    low = _limits(specification.low[order], estimates)
    high = _limits(specification.high[order], estimates)
    panel = chart.panel(
        lambda _: AxisView(0.0, float(max(len(order), 1)), ()),
        covering(specification.axis, [*estimates, *_usual(estimates, low, high)]),
        0.7 * panel_height_mm(style),
        ("linear", specification.axis.scale),
        beside_mm=(_words_mm(specification.factors, style), style.margin_mm),
    )
    place = _leading_place(specification, order)
    _choices(chart, panel, specification.factors, order, place)
    keys = _results(chart, panel, specification.axis, estimates, low, high)
    chart.reference(panel, specification.axis, upright=False)
    chart.y_axis(panel)
    if place is not None:
        _lead(chart, panel, place, estimates[place])
        value = printed(estimates[place], specification.axis.scale)
        keys.append(Key("diamond", f"Leading specification: {value}", style.paper, style.ink))
    chart.legend(keys)
    chart.notes([specification.share, *specification.notes])
    footnotes = list(specification.footnotes)
    if len(order) < len(specification.estimates):
        missing = len(specification.estimates) - len(order)
        footnotes.append(f"Specifications without a result: {missing}.")
    if beyond := _cut_off(panel, low, high):
        footnotes.append(f"Intervals that run beyond the panel: {beyond}.")
    return chart.page(specification.title, specification.description, footnotes)


def _limits(limits: Numbers, estimates: Numbers) -> Numbers:
    """The limits; an unknown one is at the estimate."""
    return np.where(np.isnan(limits), estimates, limits)


def _usual(estimates: Numbers, low: Numbers, high: Numbers) -> list[float]:
    """Limits that the panel holds.

    A model that knows next to nothing of the heterogeneity can give limits so far out that those
    of all others would be pressed into a line.
    """
    if not estimates.size:
        return []
    half = np.maximum(estimates - low, high - estimates)
    room = _TYPICAL * float(np.median(half[np.isfinite(half)])) if np.isfinite(half).any() else 0.0
    lowest = max(float(np.quantile(low, _TAIL, method="nearest")), float(estimates.min()) - room)
    highest = min(
        float(np.quantile(high, 1 - _TAIL, method="nearest")), float(estimates.max()) + room
    )
    return [lowest, highest]


def _cut_off(panel: Panel, low: Numbers, high: Numbers) -> int:
    """Number of intervals that leave the panel."""
    ends = zip(low, high, strict=True)
    return sum(
        panel.y_mm(bottom) > panel.bottom + _HAIR_MM or panel.y_mm(top) < panel.top - _HAIR_MM
        for bottom, top in ends
    )


def _leading_place(specification: Specification, order: npt.NDArray[np.int_]) -> int | None:
    if specification.leading is None:
        return None
    found = np.flatnonzero(order == specification.leading)
    return int(found[0]) if found.size else None


def _words_mm(factors: Sequence[Factor], style: Style) -> float:
    """Width of the names of factors and choices; two fifths of the page at most."""
    size = style.footnote_pt
    widths = [style.text_column_min_mm / 2]
    for factor in factors:
        widths.append(text_width_mm(clean(factor.label), size, True))
        widths += [style.indent_mm + text_width_mm(clean(c), size) for c in factor.choices]
    return min(max(widths), 0.4 * style.width_mm) + style.panel_gap_mm


def _pitch(panel: Panel) -> float:
    """Width of a specification in mm."""
    return (panel.right - panel.left) / panel.x.high


def _results(
    chart: Chart, panel: Panel, axis: Axis, estimates: Numbers, low: Numbers, high: Numbers
) -> list[Key]:
    style = chart.style
    reference = math.nan if axis.reference is None else axis.reference
    excludes = (low > reference) | (high < reference)
    # wide enough to leave no gaps between thousands, narrow enough to tell dozens apart
    width = min(style.interval_pt * 1.5, max(_pitch(panel) / 25.4 * 72, 0.05))
    dense = _pitch(panel) < _PIXEL_MM
    # lines with paper between them look lighter than an area of their colour
    dark, light = (
        (style.accent_light, style.accent_pale) if dense else (style.accent, style.accent_light)
    )
    if dense:
        for first, last in _runs(excludes):
            colour = dark if excludes[first] else light
            outline = _outline(panel, low, high, first, last)
            chart.area("interval", outline, colour, panel)
        # Where the intervals leave no paper between them, the curve of the estimates needs some.
        points = simplified([panel.point(n + 0.5, y) for n, y in enumerate(estimates)])
        rim = 1.5 * style.interval_pt * MM_PER_POINT
        above, below = ([(x, y + side * rim) for x, y in points] for side in (-1, 1))
        chart.area("casing", [*above, *reversed(below)], style.paper, panel)
    else:
        for number, (bottom, top) in enumerate(zip(low, high, strict=True)):
            colour = dark if excludes[number] else light
            ends = [panel.point(number + 0.5, value) for value in (bottom, top)]
            chart.curve("interval", ends, colour, width, panel)
    keys = [
        Key("area", "Interval excludes no effect", dark, style.accent),
        Key("area", "includes it", light, style.accent),
    ]
    if not dense:
        keys = [Key("line", key.label, key.fill, width_pt=2.0) for key in keys]
    if not estimates.size:
        return keys
    dot = min(_WIDEST_MM, _pitch(panel) * _FILLED)
    if dot > 2 * _NARROWEST_MM:
        for number, estimate in enumerate(estimates):
            centre = panel.point(number + 0.5, estimate)
            chart.dot("estimate", centre, dot, style.ink, style.paper)
    else:
        points = [panel.point(n + 0.5, estimate) for n, estimate in enumerate(estimates)]
        chart.curve("estimate", points, style.ink, 1.4 * style.interval_pt, panel)
    median = float(np.median(estimates))
    ends = [(panel.left, panel.y_mm(median)), (panel.right, panel.y_mm(median))]
    chart.curve("median", ends, style.ink, style.hair_pt, panel, DASHED)
    label = f"Median: {printed(median, axis.scale)}"
    keys.append(Key("line", label, style.ink, "", style.hair_pt, DASHED))
    return keys


def _runs(values: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last place of every run of equal values."""
    changes = np.flatnonzero(values[1:] != values[:-1])
    starts, ends = [0, *(changes + 1).tolist()], [*changes.tolist(), len(values) - 1]
    return list(zip(starts, ends, strict=True))


def _outline(panel: Panel, low: Numbers, high: Numbers, first: int, last: int) -> list[Point]:
    """Outline of the intervals of neighbours: along their upper ends and back along the lower.

    Thousands of intervals, each narrower than what can be printed, look the same as one area and
    take a multiple of its room in a file. Of those on half a dot the widest stands for all.
    """
    together = max(1, int(_PIXEL_MM / 2 / _pitch(panel)))
    starts = np.arange(first, last + 1, together)
    start, end = (panel.x_mm(float(x)) for x in (first, last + 1))

    def edge(values: Numbers, widest: np.ufunc) -> list[Point]:
        ends = widest.reduceat(values[: last + 1], starts)
        places = np.minimum(starts + together / 2, last + 0.5)
        middles = [panel.point(float(x), float(y)) for x, y in zip(places, ends, strict=True)]
        return simplified([(start, middles[0][1]), *middles, (end, middles[-1][1])])

    return [*edge(high, np.maximum), *reversed(edge(low, np.minimum))]


def _lead(chart: Chart, panel: Panel, place: int, estimate: float) -> None:
    """Mark the leading specification in both panels."""
    style = chart.style
    x = panel.x_mm(place + 0.5)
    y = panel.y_mm(estimate)
    reach = style.square_unweighted_mm * 0.8
    chart.shape("leading", diamond((x, y), reach), style.paper, style.ink)


def _choices(
    chart: Chart,
    panel: Panel,
    factors: Sequence[Factor],
    order: npt.NDArray[np.int_],
    place: int | None,
) -> None:
    """The lower panel: one row a choice, grouped by factor; the page is filled to below it."""
    style = chart.style
    size = style.footnote_pt
    row = 0.92 * chart.leading(size)
    room = panel.left - style.panel_gap_mm - chart.left
    chart.y = panel.bottom + style.block_gap_mm
    for factor in factors:
        chart.y += style.block_gap_mm / 2
        _name(chart, factor.label, 0.0, room, row, bold=True)
        chart.y += row
        chosen = factor.chosen[order]
        for number, choice in enumerate(factor.choices):
            if number % 2 == 0:
                corners = rectangle(panel.left, chart.y, panel.right, chart.y + row)
                chart.area("band", corners, style.band, _open(panel))
            _name(chart, choice, style.indent_mm, room - style.indent_mm, row)
            middle = chart.y + row / 2
            for shape in _marks(panel, chosen == number, middle, 0.36 * row):
                chart.shape("choice", shape, style.ink)
            chart.y += row
    if place is not None:
        x = panel.x_mm(place + 0.5)
        for top, bottom in ((panel.top, panel.bottom), (panel.bottom, chart.y)):
            chart.line("leading", (x, top), (x, bottom), style.muted, style.hair_pt)


def _open(panel: Panel) -> Panel:
    """The panel without a foot, for what stands below it."""
    return Panel(panel.left, panel.top, panel.right, math.inf, panel.x, panel.y)


def _name(
    chart: Chart, name: str, indent: float, room: float, row: float, bold: bool = False
) -> None:
    size = chart.style.footnote_pt
    text = shorten(clean(name), room, size, bold)
    if text != clean(name):
        chart.cut_short(name)
    x, y = chart.left + indent, chart.y + row / 2
    chart.word("choice", text, x, y, "left", bold, size_pt=size)


def _marks(
    panel: Panel, chosen: npt.NDArray[np.bool_], middle: float, half: float
) -> list[tuple[Point, ...]]:
    """Bars for the specifications that made a choice.

    Few stand apart, each with a bar of its own. Many make one outline, so that a file with
    thousands stays small.
    """
    pitch = _pitch(panel)
    if not chosen.any():
        return []
    if pitch > 2 * _NARROWEST_MM:
        reach = min(_WIDEST_MM, pitch * _FILLED) / 2
        centres = [panel.x_mm(number + 0.5) for number in np.flatnonzero(chosen)]
        return [rectangle(x - reach, middle - half, x + reach, middle + half) for x in centres]
    together = max(1, math.ceil(_NARROWEST_MM / pitch))
    starts = np.arange(0, len(chosen), together)
    counts = np.add.reduceat(chosen.astype(float), starts)
    sizes = np.diff([*starts, len(chosen)])
    outline: list[Point] = []
    for start, size, share in zip(starts, sizes, counts / sizes, strict=True):
        top = middle + half - 2 * half * float(share)
        corners = [(panel.x_mm(float(start)), top), (panel.x_mm(float(start + size)), top)]
        # corners on a level stretch add nothing
        if outline and outline[-1][1] == top:
            outline[-1] = corners[1]
        else:
            outline += corners
    ends = ((panel.right, middle + half), (panel.left, middle + half))
    return [(*outline, *ends)]
