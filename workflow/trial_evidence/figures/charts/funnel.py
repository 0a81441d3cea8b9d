"""The contour-enhanced funnel plot: estimates against their standard errors."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9
from scipy.special import ndtri

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import favours
from trial_evidence.figures.house.scales import (
    Span,
    covering,
    finite,
    fitting,
    from_zero,
    natural,
    scale,
)
from trial_evidence.figures.house.theme import (
    DASHED,
    DOTTED,
    Words,
    across_mm,
    disc,
    geom_disc,
    house,
    legend,
    line_width,
    panel_height_mm,
    point_size,
    reference_line,
)

LEAST_TRIALS = 10
_REGIONS = ["p > 0.10", "0.05 < p < 0.10", "0.01 < p < 0.05", "p < 0.01"]
_KINDS = ["Trial", "Imputed by trim-and-fill"]
_STEPS = 61


def quantile(level: float) -> float:
    """Standard errors on either side of the middle that hold so many percent."""
    return float(ndtri(0.5 + level / 200))


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
    """Estimates against standard errors, which run downward so that large trials are at the top.

    Regions of two-sided p about no effect (Peters et al. 2008) are shaded, the darker the nearer
    to significance; with fewer than ten trials a note says that nothing can be concluded (Sterne et
    al. 2011).

    Parameters
    ----------
    trials
        ``estimate`` and ``standard_error`` on the analysis scale; ``imputed`` is true for what
        trim-and-fill has added.
    axis
        The axis of the estimates.
    pooled
        Pooled estimate on the analysis scale, about which the pseudo limits lie.
    level
        Of these limits, in percent.
    words, style
        Title, notes and small print; sizes and colours.
    regression
        Estimate at a standard error of 0 and slope of a regression test for asymmetry.
    adjusted
        Pooled estimate with the imputed trials.

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
    z = quantile(level)
    reach = [*points["estimate"], pooled - z * deepest, pooled + z * deepest]
    height = panel_height_mm(style)
    y = fitting(from_zero([1.02 * deepest]), height, style, upright=True)
    x = fitting(covering(axis, reach), across_mm(style, y), style)

    limits = f"Pseudo {level:g}% limits"
    lines = _lines(axis, pooled, (limits, z), regression, adjusted, style)
    rays = pd.concat(
        _ray(axis, at_zero, side * slope, y.high).assign(key=key, ray=f"{key} {side}")
        for key, _, _, _, at_zero, slope in lines
        for side in ((-1, 1) if key == limits else (1,))
    )
    keys, dashes, colours, widths, *_ = map(list, zip(*lines, strict=True))
    line_keys, kinds = legend(keys, style), legend(_KINDS[: 1 + imputed.any()], style)
    legends = [line_keys, kinds]
    shaded: list[Any] = []
    if axis.reference is not None:
        legends.append(shades := legend(_REGIONS, style))
        regions = pd.concat(_regions(axis, axis.reference, x, y))
        fills = [style.paper, style.accent_light, style.accent_pale, style.band]
        edge = {"color": style.muted, "size": line_width(style.hair_pt)}
        shaded = [
            p9.geom_polygon(p9.aes("x", "standard_error", fill="p", group="order"), regions),
            *shades.scales(3, edge, fill=fills),
            *reference_line(axis, style),
            *favours(axis, style),
        ]
    size = 1.15 * style.square_unweighted_mm
    solid, empty = (
        disc(size, style.ink, style.paper, style),
        disc(size, style.paper, style.ink, style),
    )
    key = {
        "fill": [style.ink, style.paper][: len(kinds.keys)],
        "color": style.ink,
        "size": point_size(style.square_unweighted_mm),
    }
    points = points.assign(
        x=natural(points["estimate"], axis.scale), kind=np.where(imputed, *reversed(_KINDS))
    )
    return (
        p9.ggplot()
        + house(style, words, height, legends, x=axis, y="Standard error")
        + shaded
        + p9.geom_path(
            p9.aes("x", "standard_error", color="key", linetype="key", size="key", group="ray"),
            rays,
        )
        + line_keys.scales(1, color=colours, linetype=dashes, size=widths)
        + [
            geom_disc(p9.aes("x", "standard_error", shape="kind"), points[hollow], **looks)
            for hollow, looks in ((~imputed, solid), (imputed, empty))
        ]
        + kinds.scales(2, key, shape=["o"] * len(kinds.keys))
        + [scale("x", x), scale("y", y, backwards=True)]
    )


def _lines(
    axis: Axis,
    pooled: float,
    limits: tuple[str, float],
    regression: tuple[float, float] | None,
    adjusted: float | None,
    style: Style,
) -> list[tuple[str, Any, str, float, float, float]]:
    """Key, dashes, colour, width, estimate at a standard error of 0, and slope of every line."""
    usual, hair = line_width(style.interval_pt), line_width(style.hair_pt)
    label = f"Pooled: {printed(pooled, axis.scale)}"
    lines: list[tuple[str, Any, str, float, float, float]] = [
        (label, "solid", style.accent, usual, pooled, 0.0),
        (limits[0], DASHED, style.accent, hair, pooled, limits[1]),
    ]
    if adjusted is not None:
        label = f"With imputed trials: {printed(adjusted, axis.scale)}"
        lines.append((label, DOTTED, style.accent, usual, adjusted, 0.0))
    if regression is not None:
        label = "Regression on the standard error"
        lines.append((label, DOTTED, style.ink, usual, *regression))
    return lines


def _ray(axis: Axis, at_zero: float, slope: float, deepest: float) -> pd.DataFrame:
    """Points of estimate = at_zero + slope x standard error, down to the foot of the panel."""
    errors = np.linspace(0.0, deepest, _STEPS)
    estimates = natural(at_zero + slope * errors, axis.scale)
    return pd.DataFrame({"x": estimates, "standard_error": errors})


def _regions(axis: Axis, reference: float, x: Span, y: Span) -> Iterator[pd.DataFrame]:
    """Outlines of the shaded regions, each drawn over the one before."""
    corners = {"x": [x.low, x.high, x.high, x.low], "standard_error": [0.0, 0.0, y.high, y.high]}
    yield pd.DataFrame(corners).assign(p=_REGIONS[3], order=0)
    for order, (region, level) in enumerate(zip(_REGIONS[2::-1], (99.0, 95.0, 90.0), strict=True)):
        left, right = (_ray(axis, reference, side * quantile(level), y.high) for side in (-1, 1))
        yield pd.concat([left, right[::-1]]).assign(p=region, order=order + 1)
