"""Funnel plots: estimates against standard errors, and the effect of one further trial."""

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
from trial_evidence.figures.house.legends import SMALL, Stroke, legend, line_legend
from trial_evidence.figures.house.marks import (
    DASHED,
    DOTTED,
    disc,
    geom_disc,
    key_size,
    line_width,
    no_difference,
    reference_line,
)
from trial_evidence.figures.house.scales import (
    Span,
    SpanOf,
    between,
    covering,
    finite,
    from_zero,
    natural,
    scale,
    spans,
)
from trial_evidence.figures.house.theme import Words, house, panel_height_mm
from trial_evidence.measures.scales import normal_quantile

LEAST_TRIALS = 10
_REGIONS = ["p > 0.10", "0.05 < p < 0.10", "0.01 < p < 0.05", "p < 0.01"]
_KINDS = ["Trial", "Imputed by trim-and-fill"]
_STEPS = 61
# Limits of a pooled interval may be infinite.
_FAR = 1e6


def funnel(
    trials: pd.DataFrame,
    axis: Axis,
    pooled: float,
    level: float,
    words: Words,
    style: Style,
    regression: tuple[float, float] | None = None,
    adjusted: float | None = None,
) -> p9.ggplot:
    """Estimates against standard errors, on a reversed axis so that large trials are at the top.

    Regions of the two-sided p value for no effect (Peters et al. 2008) are shaded, darker toward
    significance; with fewer than ten trials a note warns that nothing can be concluded (Sterne et
    al. 2011).

    Parameters
    ----------
    trials
        ``estimate`` and ``standard_error`` on the analysis scale; ``imputed`` is true for trials
        added by trim-and-fill.
    axis
        The axis of the estimates.
    pooled
        Pooled estimate on the analysis scale, the centre of the pseudo limits.
    level
        Level of these limits, in percent.
    words, style
        Title, notes and small print; sizes and colours.
    regression
        Estimate at a standard error of 0 and slope, from a regression test for asymmetry.
    adjusted
        Pooled estimate including the imputed trials.

    Returns
    -------
    plotnine.ggplot
        x in the units printed on the axis, y the standard error.
    """
    points = trials[finite(trials, "estimate", "standard_error")]
    imputed = points["imputed"].astype(bool)
    count = int((~imputed).sum())
    if count < LEAST_TRIALS:
        few = (
            f"Small-study effects cannot be judged: k = {count}, fewer than {LEAST_TRIALS} trials."
        )
        words = replace(words, notes=(*words.notes, few))
    deepest = float(points["standard_error"].max()) if len(points) else 1.0
    z = normal_quantile(level)
    reach = [*points["estimate"], pooled - z * deepest, pooled + z * deepest]
    height = panel_height_mm(style)
    x, y = spans(covering(axis, reach), from_zero([1.02 * deepest]), height, style)

    limits = f"Pseudo {level:g}% limits"
    thick, hair = style.interval_pt, style.hair_pt
    # look, estimate at a standard error of 0 and slope of every line
    lines: dict[str, tuple[Stroke, float, float]] = {
        f"Pooled: {printed(pooled, axis.scale)}": ((style.accent, thick, "solid"), pooled, 0.0),
        limits: ((style.accent, hair, DASHED), pooled, z),
    }
    if adjusted is not None:
        name = f"With imputed trials: {printed(adjusted, axis.scale)}"
        lines[name] = (style.accent, thick, DOTTED), adjusted, 0.0
    if regression is not None:
        lines["Regression on the standard error"] = (style.ink, thick, DOTTED), *regression
    rays = pd.concat(
        _ray(axis, at_zero, side * slope, y.high).assign(key=key, ray=f"{key} {side}")
        for key, (_, at_zero, slope) in lines.items()
        for side in ((-1, 1) if key == limits else (1,))
    )
    looks = {key: look for key, (look, *_) in lines.items()}
    fills = [style.ink, style.paper][: 1 + imputed.any()]
    key = {"fill": fills, "color": style.ink, "size": key_size(style)}
    legends = [
        line_legend(looks, {key: key for key in looks}, style),
        legend(_KINDS[: len(fills)], style, key, shape=["o"] * len(fills)),
    ]
    shaded: list[Any] = []
    if axis.reference is not None:
        shades = [style.paper, style.accent_light, style.accent_pale, style.accent_faint]
        edge = {"color": style.muted, "size": line_width(style.hair_pt)}
        legends.append(legend(_REGIONS, style, edge, fill=shades))
        regions = pd.concat(_regions(axis, axis.reference, x, y))
        shaded = [
            p9.geom_polygon(p9.aes("x", "standard_error", fill="p", group="order"), regions),
            *reference_line(axis, style),
            *favours(axis, style),
        ]
    size = 1.15 * style.square_unweighted_mm
    points = points.assign(
        x=natural(points["estimate"], axis.scale), kind=np.where(imputed, *reversed(_KINDS))
    )
    plot = p9.ggplot()
    plot += [
        *house(style, words, height, legends, x=axis, y="Standard error"),
        *shaded,
        p9.geom_path(
            p9.aes("x", "standard_error", color="key", linetype="key", size="key", group="ray"),
            rays,
        ),
        _discs(points[~imputed], size, style.ink, style.paper, style),
        _discs(points[imputed], size, style.paper, style.ink, style),
        scale("x", x),
        scale("y", y, backwards=True),
    ]
    return plot


def extended_funnel(
    trials: pd.DataFrame,
    further: pd.DataFrame,
    axis: Axis,
    pooled: float,
    words: Words,
    style: Style,
    smallest: tuple[float, float, str] | None = None,
) -> p9.ggplot:
    """A funnel plot shaded by how one further trial at each point would change the verdict.

    The panel extends as far as the further trials do.

    Parameters
    ----------
    trials
        ``estimate`` and ``standard_error`` on the analysis scale.
    further
        The same for further trials, every estimate with every standard error, with ``low`` and
        ``high``, the pooled interval after adding each.
    axis
        The axis of the estimates; its reference is no effect.
    pooled
        Pooled estimate on the analysis scale.
    words, style
        Title, notes and small print; sizes and colours.
    smallest
        Estimate and standard error of a further trial to mark, and its label.

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
    limited = replace(axis, limits=(float(ends[0]), float(ends[1])))
    x, y = spans(covering(limited, ()), _ending(between(0.0, up[-1]), up[-1]), height, style)
    key = f"Pooled: {printed(pooled, axis.scale)}"
    looks = {key: (style.accent, style.interval_pt, DASHED)}
    edge = {"color": style.muted, "size": line_width(style.hair_pt)}
    mark = {"color": style.ink, **SMALL}
    legends = [
        legend(_verdicts(axis), style, edge, fill=[style.accent_light, style.paper]),
        line_legend(looks, {key: key}, style),
        legend([_KINDS[0]], style, {**mark, "fill": [style.ink]}, shape=["o"]),
    ]
    pool = _ray(axis, pooled, 0.0, y.high).iloc[[0, -1]].assign(key=key)
    points = trials[finite(trials, "estimate", "standard_error")]
    points = points.assign(x=natural(points["estimate"], axis.scale), kind=_KINDS[0])
    marked: list[Any] = []
    size = style.square_unweighted_mm
    if smallest is not None:
        estimate, error, name = smallest
        at = {"x": natural([estimate], axis.scale), "standard_error": error, "kind": name}
        mark |= {"fill": [style.ink, style.paper]}
        legends[-1] = legend([_KINDS[0], name], style, mark, shape=["o", "D"])
        marked = [_discs(pd.DataFrame(at), 1.3 * size, style.paper, style.ink, style)]
    plot = p9.ggplot()
    plot += [
        *house(style, words, height, legends, x=axis, y="Standard error"),
        _shaded(further, across, up, axis),
        *reference_line(axis, style),
        *favours(axis, style),
        p9.geom_path(p9.aes("x", "standard_error", color="key", linetype="key", size="key"), pool),
        _discs(points, 1.15 * size, style.ink, style.paper, style),
        *marked,
        scale("x", x),
        scale("y", y, backwards=True),
    ]
    return plot


def _discs(trials: pd.DataFrame, size_mm: float, fill: str, edge: str, style: Style) -> geom_disc:
    """Trials at their estimates and standard errors."""
    looks = disc(size_mm, fill, edge, style)
    return geom_disc(p9.aes("x", "standard_error", shape="kind"), trials, **looks)


def _verdicts(axis: Axis) -> list[str]:
    """Legend texts: with one more trial, the interval excludes or includes no difference."""
    return [
        f"One more trial here: interval {verb} {no_difference(axis)}"
        for verb in ("excludes", "includes")
    ]


def _ray(axis: Axis, at_zero: float, slope: float, deepest: float) -> pd.DataFrame:
    """Points of estimate = at_zero + slope x standard error, down to the bottom of the panel."""
    errors = np.linspace(0.0, deepest, _STEPS)
    estimates = natural(at_zero + slope * errors, axis.scale)
    return pd.DataFrame({"x": estimates, "standard_error": errors})


def _regions(axis: Axis, reference: float, x: Span, y: Span) -> Iterator[pd.DataFrame]:
    """Outlines of the shaded regions, each drawn over the previous one."""
    corners = {"x": [x.low, x.high, x.high, x.low], "standard_error": [0.0, 0.0, y.high, y.high]}
    yield pd.DataFrame(corners).assign(p=_REGIONS[3], order=0)
    for order, (region, level) in enumerate(zip(_REGIONS[2::-1], (99.0, 95.0, 90.0), strict=True)):
        left, right = (
            _ray(axis, reference, side * normal_quantile(level), y.high) for side in (-1, 1)
        )
        yield pd.concat([left, right[::-1]]).assign(p=region, order=order + 1)


def _ending(made: SpanOf, high: float) -> SpanOf:
    """An axis cut at this end, with only the ticks up to it."""

    def cut(most: int) -> Span:
        span = made(most)
        count = sum(tick <= high * (1 + 1e-9) for tick in span.ticks)
        return replace(span, high=high, ticks=span.ticks[:count], labels=span.labels[:count])

    return cut


def _shaded(further: pd.DataFrame, across: Any, up: Any, axis: Axis) -> p9.geom_polygon:
    """The panel background, areas where the interval excludes no effect, and holes in them."""
    table = further.pivot_table(index="standard_error", columns="estimate", values=["low", "high"])
    (left, right), foot, none = natural(across[[0, -1]], axis.scale), up[-1], axis.reference or 0.0
    corners = {"x": [left, right, right, left], "standard_error": [0.0, 0.0, foot, foot]}
    outlines = [pd.DataFrame(corners).assign(hole=1)]
    for beyond in (table["low"] - none, none - table["high"]):
        heights = np.clip(beyond.to_numpy(), -_FAR, _FAR)
        outlines += _outlines(across, up, heights, axis)
    verdicts = _verdicts(axis)
    shapes = pd.concat(
        shape.assign(region=verdicts[shape["hole"].iloc[0]], order=order)
        for order, shape in enumerate(outlines)
    )
    return p9.geom_polygon(p9.aes("x", "standard_error", fill="region", group="order"), shapes)


def _outlines(across: Any, up: Any, heights: Any, axis: Axis) -> Iterator[pd.DataFrame]:
    """The areas where a surface is above zero, each followed by its holes."""
    found = contour_generator(across, up, heights, fill_type="OuterOffset")
    for points, offsets in zip(*found.filled(0.0, 2 * _FAR), strict=True):
        for at, (start, end) in enumerate(pairwise(offsets)):
            part = points[start:end]
            x = natural(part[:, 0], axis.scale)
            yield pd.DataFrame({"x": x, "standard_error": part[:, 1], "hole": int(at > 0)})
