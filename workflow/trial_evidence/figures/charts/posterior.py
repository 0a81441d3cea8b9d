"""Posterior densities: mean effect, effect in a new trial, heterogeneity with its prior."""

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import wrap
from trial_evidence.figures.house.labels import favours, favours_lines
from trial_evidence.figures.house.legends import Stroke, legend, line_legend
from trial_evidence.figures.house.marks import DASHED, line_width, reference_line
from trial_evidence.figures.house.scales import (
    across_mm,
    covering,
    ends,
    finite,
    fitting,
    from_zero,
    per_panel,
)
from trial_evidence.figures.house.theme import NARROW_MM, Words, house, panel_height_mm

TAU_LABEL = "Standard deviation between trials, τ"
_PANELS = ["Effect", "Heterogeneity"]
_LEFT_MM = 2.0
# densities below this share of the maximum look flat
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
        One row per point: ``value`` ascending, ``density``, ``curve`` (its label in the legend) and
        its ``kind``: "mean" and "new" on the analysis scale of the effect, "prior" and "posterior"
        of the standard deviation between trials.
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
    spans = [fitting(made, room, style) for made in (covering(axis, effect), from_zero(tau))]
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
    edge = {"color": style.accent, "size": line_width(style.hair_pt)}
    interval_key = f"Shortest {level:g}% interval: {limits}"
    shaded = legend([interval_key], style, edge, _LEFT_MM, fill=[style.accent_pale])
    shade, middle = (
        _within(frame.assign(panel=_PANELS[0]).sort_values("value"), reach)
        for frame in (shade.assign(key=interval_key), middle)
    )
    curves = pd.concat([_within(known, reach), middle])

    named = curves.groupby("kind")["curve"].first().to_dict()
    keys = line_legend(_looks(style), named, style, _LEFT_MM)
    labels = [wrap(text, room, style.text_pt) for text in (axis.label, TAU_LABEL)]
    sides = max(map(len, favours_lines(axis, style, columns)))
    under = len(labels[0]) + sides, len(labels[1])
    # if stacked, the label of the second panel is that of the chart
    apart = columns > 1
    label, below = ("", max(under)) if apart else (TAU_LABEL, None)
    tau_label = favours(Axis("linear"), style, labels[1], columns, panel=_PANELS[1])
    height = panel_height_mm(style) * (0.62 if apart else 1.05)
    between_mm = (1 + under[0]) * style.leading_mm(style.text_pt) + style.block_gap_mm
    corners = reach.melt(var_name="panel").assign(density=0.0)
    plot = p9.ggplot(curves, p9.aes("value", "density"))
    plot += [
        *house(style, words, height, [keys, shaded], label, below_axis=below, columns=columns),
        p9.theme(
            axis_line_y=p9.element_blank(),
            axis_text_y=p9.element_blank(),
            axis_ticks_major_y=p9.element_blank(),
            panel_spacing_y=between_mm / style.width_mm,
        ),
        p9.facet_wrap("panel", ncol=columns, scales="free"),
        p9.geom_blank(data=corners),
        p9.geom_area(p9.aes(fill="key"), shade, position="identity"),
        *reference_line(axis, style, panel=_PANELS[0]),
        p9.geom_path(p9.aes(color="kind", size="kind", linetype="kind")),
        *favours(axis, style, labels[0], columns, panel=_PANELS[0]),
        *(tau_label if apart else []),
        *per_panel("x", spans),
        p9.scale_y_continuous(expand=(0, 0, 0.04, 0)),
    ]
    return plot


def _looks(style: Style) -> dict[str, Stroke]:
    """Every kind of line, in the order of the legend."""
    thick, usual = 1.6 * style.interval_pt, style.interval_pt
    return {
        "mean": (style.accent, thick, "solid"),
        "median": (style.accent, usual, "solid"),
        "new": (style.muted, usual, DASHED),
        "prior": (style.ink, style.hair_pt, DASHED),
        "posterior": (style.ink, thick, "solid"),
    }


def _within(curves: pd.DataFrame, reach: pd.DataFrame) -> pd.DataFrame:
    """The points between the ends of their panel's axis."""
    low, high = (curves["panel"].map(dict(reach.loc[end])) for end in (0, 1))
    return curves[curves["value"].between(low, high)]
