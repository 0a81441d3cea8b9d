"""Axis scales of charts: house ticks, in the units that are printed."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import (
    MOST_TICKS,
    WIDEST_RATIO,
    Axis,
    AxisScale,
    Interval,
    view,
)
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT, text_width_mm
from trial_evidence.words.numbers import format_tick, linear_ticks

Numbers = npt.NDArray[np.floating[Any]]

# a smaller range is rounding error, and an axis over it would show noise
_LEAST_RANGE = 1e-9
# margin beyond the outermost logarithm on an axis of very large ratios
_RIM = 0.1
# ratios with a larger logarithm are not drawn to scale
_FARTHEST = math.log(1e5)


@dataclass(frozen=True)
class Span:
    """An axis as printed: its ends and ticks (ratios, plain numbers, proportions)."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """A printed value converted to the analysis scale."""
        return math.log(value) if self.log else float(value)

    def share(self, value: float) -> float:
        """Relative position of a value: 0 at the low end of the axis, 1 at its high end."""
        low, high = ends(self)
        return (self.place(value) - low) / (high - low)

    def value(self, share: float) -> float:
        """The value at a relative position on the axis; the inverse of `share`."""
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)


SpanOf = Callable[[int], Span]
"""Makes an axis with at most a given number of ticks."""


def widest_mm(lines: Iterable[str], size_pt: float) -> float:
    """Width in mm of the widest line of text; 0 if there are none."""
    return max((text_width_mm(line, size_pt) for line in lines), default=0.0)


def natural(value: npt.ArrayLike, scale: AxisScale) -> Any:
    """Convert values on the analysis scale to printed units: ratios, plain numbers, proportions."""
    values = np.asarray(value, dtype=float)
    if scale == "log":
        return np.exp(np.clip(values, -700.0, 700.0))
    return 1 / (1 + np.exp(-values)) if scale == "logit" else values


def covering(axis: Axis, values: Iterable[float]) -> SpanOf:
    """An axis that covers all finite values (on the analysis scale) and the reference."""
    finite = [float(value) for value in values if math.isfinite(value)]
    reach = [min(finite), max(finite)] if finite else []
    marks = [Interval(value, None, None, None) for value in reach]
    if axis.scale == "log" and max(map(abs, reach), default=0.0) > math.log(WIDEST_RATIO):
        # A forest plot draws arrows for such ratios; a chart has to hold everything it draws.
        low = max(min(0.0, *reach), -_FARTHEST) - _RIM
        high = min(max(0.0, *reach), _FARTHEST) + _RIM
        axis = replace(axis, limits=(math.exp(low), math.exp(high)))

    def made(most: int) -> Span:
        found, log = view(axis, marks, most=most), axis.scale == "log"
        place = math.exp if log else float
        ticks = tuple(place(tick.place) for tick in found.ticks)
        labels = tuple(tick.label for tick in found.ticks)
        return Span(place(found.low), place(found.high), ticks, labels, log)

    return made


def from_zero(values: Iterable[float], percent: bool = False) -> SpanOf:
    """A linear axis from 0 to beyond the largest finite value; from 0 to 1 if none is above 0."""
    highest = max((value for value in values if math.isfinite(value)), default=0.0)
    return between(0.0, highest if highest > _LEAST_RANGE else 1.0, percent)


def between(low: float, high: float, percent: bool = False, whole: bool = False) -> SpanOf:
    """A linear axis that covers a range and ends at ticks.

    With `percent`, ticks are printed as percentages of 1; with `whole`, only whole numbers are
    ticks, as for years.
    """
    factor = 100.0 if percent else 1.0
    # ticks closer together than this are identical to ten digits
    least = max(_LEAST_RANGE, 1e-7 * max(abs(low), abs(high)))
    if high - low < least:
        low, high = low - least, high + least

    def made(most: int) -> Span:
        ticks = linear_ticks(factor * low, factor * high, most)
        shown = [tick for tick in ticks if not whole or float(tick).is_integer()]
        sign = "%" if percent else ""
        return Span(
            ticks[0] / factor,
            ticks[-1] / factor,
            tuple(tick / factor for tick in shown),
            tuple(format_tick(tick) + sign for tick in shown),
        )

    return made


def finite(frame: pd.DataFrame, *columns: str) -> Any:
    """Which rows have finite numbers in all the given columns."""
    return np.isfinite(frame[list(columns)].astype(float)).all(axis=1)


def fitting(made: SpanOf, room_mm: float, style: Style, upright: bool = False) -> Span:
    """The axis with the most ticks whose labels do not crowd each other in the space available."""
    size = style.text_pt
    gap = text_width_mm("0", size)

    def fits(span: Span) -> bool:
        middles = sorted(
            (
                span.share(tick) * room_mm,
                0.65 * size * MM_PER_POINT if upright else (text_width_mm(label, size) + gap) / 2,
            )
            for tick, label in zip(span.ticks, span.labels, strict=True)
        )
        return all(a + half <= b - other for (a, half), (b, other) in pairwise(middles))

    return next((made(n) for n in range(MOST_TICKS, 3, -1) if fits(made(n))), made(3))


def across_mm(style: Style, y: Span | None = None, columns: int = 1) -> float:
    """Width in mm available to a panel between its vertical axis and the edge of the page."""
    labels_mm = 0.0 if y is None else widest_mm(y.labels, style.text_pt)
    gaps = 2 * (columns - 1) * style.panel_gap_mm
    room = (style.width_mm - 2 * style.margin_mm - gaps) / columns
    return room - labels_mm - 2 * style.tick_mm - text_width_mm("0", style.text_pt)


def spans(across: SpanOf, up: SpanOf, height_mm: float, style: Style) -> tuple[Span, Span]:
    """Both axes of a panel of a given height; labels of the vertical axis take up some width."""
    y = fitting(up, height_mm, style, upright=True)
    return fitting(across, across_mm(style, y), style), y


def scale(
    along: Literal["x", "y"], span: Span, backwards: bool = False, beyond: float = 0.0
) -> p9.scale_x_continuous | p9.scale_y_continuous:
    """The position scale of an axis with fixed ends; marks beyond them are clipped.

    Parameters
    ----------
    along
        The axis.
    span
        Ends and ticks as printed; a log axis takes ratios and spaces them logarithmically.
    backwards
        Reverse the axis.
    beyond
        Margin beyond either end, as a share of the axis.

    Returns
    -------
    plotnine scale
    """
    kind = p9.scale_x_continuous if along == "x" else p9.scale_y_continuous
    return kind(
        limits=(span.low, span.high),
        breaks=list(span.ticks),
        labels=list(span.labels),
        trans="log" if span.log else "reverse" if backwards else "identity",
        expand=(beyond, 0),
        oob=_keep,
    )


def per_panel(along: Literal["x", "y"], spans: Sequence[Span]) -> list[Any]:
    """Position scale for panels with their own axes, for facets with free scales.

    Such panels share one scale, so their data are on the analysis scale: logarithms for ratios. The
    data of each panel must reach the ends of its span; see `ends`.
    """

    def breaks(limits: tuple[float, float]) -> list[float]:
        own = min(spans, key=lambda span: sum(map(abs, np.subtract(limits, ends(span)))))
        return [*map(own.place, own.ticks)]

    def labels(places: Sequence[Any]) -> list[str]:
        named = [dict(zip(map(span.place, span.ticks), span.labels, strict=True)) for span in spans]
        own = next(labels for labels in named if labels.keys() >= set(places))
        return [own[place] for place in places]

    kind = p9.scale_x_continuous if along == "x" else p9.scale_y_continuous
    return [kind(breaks=breaks, labels=labels, expand=(0, 0), oob=_keep)]


def ends(span: Span) -> tuple[float, float]:
    """Ends of an axis on the analysis scale."""
    return span.place(span.low), span.place(span.high)


def _keep(x: Any, range: tuple[float, float] = (0.0, 1.0), only_finite: bool = True) -> Numbers:
    # plotnine then looks for NaN, which takes much longer in a column of a table
    return np.array(x, dtype=float)
