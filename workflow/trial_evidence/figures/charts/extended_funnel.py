"""The extended funnel plot: what one further trial would do to the pooled interval."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9
from contourpy import contour_generator

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import favours
from trial_evidence.figures.house.legends import legend, line_legend
from trial_evidence.figures.house.marks import (
    DASHED,
    disc,
    geom_disc,
    line_width,
    point_size,
    reference_line,
)
from trial_evidence.figures.house.scales import (
    Span,
    SpanOf,
    between,
    covering,
    finite,
    natural,
    scale,
    spans,
)
from trial_evidence.figures.house.theme import Words, house, panel_height_mm

_REGIONS = (
    "One more trial here: interval excludes no effect",
    "One more trial here: interval includes no effect",
)
_TRIAL = "Trial"
# Limits of a pooled interval may be infinite.
_FAR = 1e6
_MORE_TICKS = 4


def extended_funnel(
    trials: pd.DataFrame,
    further: pd.DataFrame,
    axis: Axis,
    pooled: float,
    words: Words,
    style: Style,
    smallest: tuple[float, float, str] | None = None,
) -> p9.ggplot:
    """A funnel plot, shaded by what one further trial at each place would make of the verdict.

    The panel reaches as far as the further trials do.

    Parameters
    ----------
    trials
        ``estimate`` and ``standard_error`` on the analysis scale.
    further
        The same of further trials, every estimate with every standard error, with ``low`` and
        ``high``, the pooled interval after each.
    axis
        The axis of the estimates; its reference is no effect.
    pooled
        Pooled estimate on the analysis scale.
    words, style
        Title, notes and small print; sizes and colours.
    smallest
        Estimate and standard error of a further trial to be marked, and what it is.

    Returns
    -------
    plotnine.ggplot
        x in the units printed on the axis, y the standard error.

    Notes
    -----
    Langan D, Higgins JPT, Gregory W, Sutton AJ. J Clin Epidemiol 2012;65:511-519.
    """
    across, up = (np.unique(further[name]) for name in ("estimate", "standard_error"))
    ends = natural(across[[0, -1]], axis.scale)
    height = panel_height_mm(style)
    x, y = spans(
        _ending(covering(axis, across), *ends), _ending(between(0.0, up[-1]), 0.0, up[-1]),
        height, style,
    )  # fmt: skip
    looks = {f"Pooled: {printed(pooled, axis.scale)}": (style.accent, style.interval_pt, DASHED)}
    edge = {"color": style.muted, "size": line_width(style.hair_pt)}
    legends = [
        legend(_REGIONS, style, edge, fill=[style.accent_light, style.paper]),
        line_legend(looks, {key: key for key in looks}, style),
        legend([_TRIAL], style, _keys([style.ink], style), shape=["o"]),
    ]
    pool = pd.DataFrame(
        {
            "x": natural([pooled] * 2, axis.scale),
            "standard_error": [y.low, y.high],
            "key": [*looks] * 2,
        }
    )
    points = trials[finite(trials, "estimate", "standard_error")]
    points = points.assign(x=natural(points["estimate"], axis.scale), kind=_TRIAL)
    marked: list[Any] = []
    size = style.square_unweighted_mm
    if smallest is not None:
        estimate, error, name = smallest
        at = pd.DataFrame(
            {"x": natural([estimate], axis.scale), "standard_error": error, "kind": name}
        )
        keys = _keys([style.ink, style.paper], style)
        legends[-1] = legend([_TRIAL, name], style, keys, shape=["o", "D"])
        marked = [
            geom_disc(
                p9.aes("x", "standard_error", shape="kind"), at,
                **disc(1.3 * size, style.paper, style.ink, style),
            )
        ]  # fmt: skip
    return (
        p9.ggplot()
        + house(style, words, height, legends, x=axis, y="Standard error")
        + _shaded(further, across, up, axis)
        + [*reference_line(axis, style), *favours(axis, style)]
        + p9.geom_path(
            p9.aes("x", "standard_error", color="key", linetype="key", size="key"), pool
        )
        + geom_disc(
            p9.aes("x", "standard_error", shape="kind"), points,
            **disc(1.15 * size, style.ink, style.paper, style),
        )
        + marked
        + [scale("x", x), scale("y", y, backwards=True)]
    )  # fmt: skip


def _ending(made: SpanOf, low: float, high: float) -> SpanOf:
    """An axis with these ends, and those of its ticks that lie between them."""

    def cut(most: int) -> Span:
        # some of them lie beyond the ends
        span = made(most + _MORE_TICKS)
        inside = [
            (tick, label)
            for tick, label in zip(span.ticks, span.labels, strict=True)
            if low <= tick * (1 + 1e-9) and tick * (1 - 1e-9) <= high
        ]
        ticks, labels = zip(*inside, strict=True) if inside else ((), ())
        return replace(span, low=low, high=high, ticks=ticks, labels=labels)

    return cut


def _keys(fills: list[str], style: Style) -> dict[str, Any]:
    return {"fill": fills, "color": style.ink, "size": point_size(style.square_unweighted_mm)}


def _shaded(further: pd.DataFrame, across: Any, up: Any, axis: Axis) -> p9.geom_polygon:
    """The panel, the areas where the interval excludes no effect, and the holes in them."""
    table = further.pivot_table(index="standard_error", columns="estimate", values=["low", "high"])
    (left, right), foot, none = natural(across[[0, -1]], axis.scale), up[-1], axis.reference or 0.0
    corners = {"x": [left, right, right, left], "standard_error": [0.0, 0.0, foot, foot]}
    outlines = [pd.DataFrame(corners).assign(hole=1)]
    for beyond in (table["low"] - none, none - table["high"]):
        heights = np.clip(beyond.to_numpy(), -_FAR, _FAR)
        outlines += _outlines(across, up, heights, axis)
    shapes = pd.concat(
        shape.assign(region=_REGIONS[shape["hole"].iloc[0]], order=order)
        for order, shape in enumerate(outlines)
    )
    return p9.geom_polygon(p9.aes("x", "standard_error", fill="region", group="order"), shapes)


def _outlines(across: Any, up: Any, heights: Any, axis: Axis) -> Iterator[pd.DataFrame]:
    """The areas above zero of a surface, each followed by its holes."""
    found = contour_generator(across, up, heights, fill_type="OuterOffset")
    for points, offsets in zip(*found.filled(0.0, 2 * _FAR), strict=True):
        for at, (start, end) in enumerate(pairwise(offsets)):
            part = points[start:end]
            x = natural(part[:, 0], axis.scale)
            yield pd.DataFrame({"x": x, "standard_error": part[:, 1], "hole": int(at > 0)})
