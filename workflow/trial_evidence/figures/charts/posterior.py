"""Posterior densities: the mean effect, a new trial, and the heterogeneity beside its prior."""

from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import wrap
from trial_evidence.figures.house.labels import favours
from trial_evidence.figures.house.scales import (
    covering,
    ends,
    favours_lines,
    finite,
    fitting,
    from_zero,
    per_panel,
)
from trial_evidence.figures.house.theme import (
    DASHED,
    NARROW_MM,
    Words,
    across_mm,
    house,
    leading_mm,
    legend,
    line_width,
    panel_height_mm,
    reference_line,
)

TAU_LABEL = "Standard deviation between trials, τ"
_PANELS = ["Effect", "Heterogeneity"]
_LEFT_MM = 2.0
# densities below this share of the highest are flat to the eye
_FLAT = 0.004


def posterior(
    densities: pd.DataFrame,
    median: float,
    interval: tuple[float, float],
    axis: Axis,
    level: float,
    words: Words,
    style: Style,
) -> p9.ggplot:
    """Draw posterior densities: effect and heterogeneity, side by side if the page is wide enough.

    Densities are per unit of the analysis scale, so that areas on a log axis are probabilities.

    Parameters
    ----------
    densities
        A row a point: ``value`` ascending, ``density``, ``curve`` (words of the legend) and its
        ``kind``: "mean" and "new" on the analysis scale of the effect, "prior" and "posterior" of
        the standard deviation between trials.
    median, interval
        Median of the mean effect and its shortest interval, which is shaded.
    axis
        The axis of the effect, a ratio or a difference.
    level
        Probability of the interval in percent.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        Panels by ``panel``, "Effect" and "Heterogeneity"; x on the analysis scale.
    """
    known = densities[finite(densities, "value", "density")]
    known = known.assign(panel=np.where(known["kind"].isin(["mean", "new"]), *_PANELS))
    seen = known[known["density"] >= _FLAT * known.groupby("kind")["density"].transform("max")]
    effect, tau = (seen.loc[seen["panel"] == panel, "value"] for panel in _PANELS)
    columns = 1 if style.width_mm <= NARROW_MM else len(_PANELS)
    room = across_mm(style, columns=columns)
    spans = [
        fitting(covering(axis, effect), room, style),
        fitting(from_zero(tau), room, style),
    ]
    reach = pd.DataFrame({panel: ends(span) for panel, span in zip(_PANELS, spans, strict=True)})

    mean = known[known["kind"] == "mean"]
    at = np.clip([interval[0], median, interval[1]], *mean["value"].iloc[[0, -1]])
    extra = pd.DataFrame({"value": at, "density": np.interp(at, mean["value"], mean["density"])})
    shade = pd.concat([mean[mean["value"].between(at[0], at[2])], extra.iloc[[0, 2]]])
    middle = extra.iloc[[1, 1]].assign(
        kind="median", curve=f"Median: {printed(median, axis.scale)}"
    )
    middle["density"] *= [0.0, 1.0]
    limits = " to ".join(printed(limit, axis.scale) for limit in interval)
    shaded = legend([f"Shortest {level:g}% interval: {limits}"], style, _LEFT_MM)
    shade, middle = (
        _within(frame.assign(panel=_PANELS[0]).sort_values("value"), reach)
        for frame in (shade.assign(key=shaded.keys[0]), middle)
    )
    curves = pd.concat([_within(known, reach), middle])

    looks = _looks(style)
    named = curves.groupby("kind")["curve"].first()
    kinds = [kind for kind in looks if kind in named.index]
    keys = legend({kind: named[kind] for kind in kinds}, style, _LEFT_MM)
    colours, widths, dashes = zip(*(looks[kind] for kind in kinds), strict=True)
    labels = [wrap(text, room, style.text_pt) for text in (axis.label, TAU_LABEL)]
    sides = max(side.count("\n") + 1 if side else 0 for side in favours_lines(axis, style, columns))
    under = len(labels[0]) + sides, len(labels[1])
    # below each other the label of the second panel is that of the chart
    apart = columns > 1
    around: dict[str, Any] = {"below_axis": max(under)} if apart else {"x": TAU_LABEL}
    tau_label = favours(Axis("linear"), style, labels[1], columns, panel=_PANELS[1])
    height = panel_height_mm(style) * (0.62 if columns > 1 else 1.05)
    between_mm = (1 + under[0]) * leading_mm(style.text_pt, style) + style.block_gap_mm
    corners = reach.melt(var_name="panel").assign(density=0.0)
    return (
        p9.ggplot(curves, p9.aes("value", "density"))
        + house(style, words, height, [keys, shaded], columns=columns, **around)
        + p9.theme(
            axis_line_y=p9.element_blank(),
            axis_text_y=p9.element_blank(),
            axis_ticks_major_y=p9.element_blank(),
            panel_spacing_y=between_mm / style.width_mm,
        )
        + p9.facet_wrap("panel", ncol=columns, scales="free")
        + p9.geom_blank(data=corners)
        + p9.geom_area(p9.aes(fill="key"), shade)
        + reference_line(axis, style, panel=_PANELS[0])
        + p9.geom_path(p9.aes(color="kind", size="kind", linetype="kind"))
        + keys.scales(1, color=colours, size=widths, linetype=dashes)
        + shaded.scales(
            2, {"color": style.accent, "size": line_width(style.hair_pt)}, fill=[style.accent_pale]
        )
        + favours(axis, style, labels[0], columns, panel=_PANELS[0])
        + (tau_label if apart else [])
        + per_panel("x", spans)
        + p9.scale_y_continuous(expand=(0, 0, 0.04, 0))
    )


def _looks(style: Style) -> dict[str, tuple[str, float, Any]]:
    """Colour, width and dashes of every kind of line, in the order of the legend."""
    thick, usual, hair = (
        line_width(points) for points in (1.6 * style.interval_pt, style.interval_pt, style.hair_pt)
    )
    return {
        "mean": (style.accent, thick, "solid"),
        "median": (style.accent, usual, "solid"),
        "new": (style.muted, usual, DASHED),
        "prior": (style.ink, hair, DASHED),
        "posterior": (style.ink, thick, "solid"),
    }


def _within(curves: pd.DataFrame, reach: pd.DataFrame) -> pd.DataFrame:
    """The points between the ends of their panel."""
    low, high = (curves["panel"].map(dict(reach.loc[end])) for end in (0, 1))
    return curves[curves["value"].between(low, high)]
