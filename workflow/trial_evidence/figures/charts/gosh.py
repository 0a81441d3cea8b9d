"""The GOSH plot: pooled result and heterogeneity of every subset of the trials."""

import math
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, text_width_mm, wrap
from trial_evidence.figures.house.labels import favours, favours_lines
from trial_evidence.figures.house.legends import SMALL, legend
from trial_evidence.figures.house.marks import disc, geom_disc, line_width, reference_line
from trial_evidence.figures.house.scales import (
    Span,
    across_mm,
    between,
    covering,
    finite,
    fitting,
    natural,
    scale,
    widest_mm,
)
from trial_evidence.figures.house.theme import NARROW_MM, Words, house, panel_height_mm
from trial_evidence.words.numbers import EN_DASH

_TILE_MM = 1.5
# white between tiles, so that no viewer shows seams
_SEAM_MM = 0.06
_BARS_SHARE = 0.22
# the axis covers the estimates except this share in either tail
_TAIL = 0.001
_Y_LABEL = "Number of subsets (bars), I² in % (below)"
_RECTANGLE = p9.aes(xmin="xmin", xmax="xmax", ymin="ymin", ymax="ymax", fill="shade")
_BAR = p9.aes(xmin="xmin", xmax="xmax", ymin="ymin", ymax="ymax")
# the axis is widened in such steps, if the labels beside no effect need at most this share of it
_STEP, _STEPS, _WORDS_SHARE = 0.05, 60, 0.7
_WHOLE = "All trials"
# the bars start at this value on the I2 axis and are this tall
_FOOT, _BARS = 103.0, 25.0


def gosh(
    subsets: pd.DataFrame,
    axis: Axis,
    words: Words,
    style: Style,
    chosen: str = "",
    whole: tuple[float, float] | None = None,
) -> p9.ggplot:
    """Draw a GOSH plot (Olkin, Dahabreh and Trikalinos 2012).

    Subsets are counted in tiles, darker for more; the bars above count them by estimate alone.
    Subsets with and without a chosen trial are in panels side by side, or stacked on a narrow page,
    with the same axes and shades.

    Parameters
    ----------
    subsets
        ``estimate`` on the analysis scale and ``i2`` in percent of each subset; ``chosen`` is true
        if it contains the chosen trial.
    axis
        The axis of the estimates.
    words, style
        Title, notes and small print; sizes and colours.
    chosen
        Name of the trial that splits the panels; empty for one panel.
    whole
        Estimate and I2 of all trials together.

    Returns
    -------
    plotnine.ggplot
        Panels by ``panel``; x in the units printed on the axis, y I2 in percent.
    """
    known = subsets[finite(subsets, "estimate", "i2")]
    panels = [("All subsets", np.ones(len(known), dtype=bool))]
    if chosen:
        inside = known["chosen"].to_numpy(bool)
        panels = [
            (f"Subsets with {clean(chosen)}", inside),
            (f"Subsets without {clean(chosen)}", ~inside),
        ]
    columns = 1 if style.width_mm <= NARROW_MM else len(panels)
    rows = len(panels) // columns
    height = panel_height_mm(style) * (0.8 if len(panels) > 1 else 1.0)
    y = fitting(between(0.0, 100.0), height * (1 - _BARS_SHARE), style, upright=True)
    room = across_mm(style, y, columns)
    tails = known["estimate"].quantile([_TAIL, 1 - _TAIL]) if len(known) else []
    x = _roomy(axis, list(tails), room, columns, style)
    x = _apart(x, style) if columns > 1 else x
    headings = [
        wrap(f"{name} ({members.sum():,})", room, style.text_pt, True) for name, members in panels
    ]
    names = ["\n".join(lines) for lines in headings]
    tiles = pd.concat(
        _tiles(known[members], axis, x, room, height).assign(panel=name)
        for name, (_, members) in zip(names, panels, strict=True)
    )
    most = int(tiles["count"].max()) if len(tiles) else 0
    classes = _classes(most)
    tiles["shade"] = [str(_shade(count, most)) for count in tiles["count"]]
    bars = tiles.groupby(["panel", "xmin", "xmax"], as_index=False)["count"].sum()
    bars["ymax"] = _FOOT + _BARS * bars["count"] / bars["count"].max()
    shades = (style.accent_pale, style.accent_light, style.accent)
    counted = {str(shade): _counted(*ends) for shade, ends in classes.items()}
    keys = legend(counted, style, fill=[shades[shade] for shade in classes])
    legends = [keys] if len(tiles) else []
    marks: list[Any] = []
    if whole is not None and x.low <= natural(whole[0], axis.scale) <= x.high:
        legends.append(legend([_WHOLE], style, SMALL, shape=["D"]))
        at = pd.DataFrame({"x": natural(whole[:1], axis.scale), "i2": whole[1], "key": _WHOLE})
        looks = disc(1.05 * style.square_unweighted_mm, style.paper, style.ink, style)
        marks = [geom_disc(p9.aes("x", "i2", shape="key"), at, **looks)]
    left = pd.DataFrame({"x": [x.low], "y": 0.0, "yend": 100.0})
    every = pd.DataFrame({"panel": pd.Categorical(names, names), "x": x.low, "y": 0.0})
    last = {"panel": names[-1]} if rows > 1 else {}
    line = style.leading_mm(style.text_pt)
    further = (max(map(len, headings)) - 1) * line
    panels_mm = further + rows * height + (rows - 1) * (2 * style.block_gap_mm + line + further)
    plot = p9.ggplot()
    plot += [
        *house(style, words, panels_mm, legends, x=axis, y=_Y_LABEL, columns=columns),
        p9.theme(
            axis_line_y=p9.element_blank(), panel_spacing_y=2 * style.block_gap_mm / style.width_mm
        ),
        p9.facet_wrap("panel", ncol=columns),
        p9.geom_blank(p9.aes("x", "y"), every),
        *reference_line(axis, style),
        p9.geom_rect(_RECTANGLE, tiles),
        p9.geom_rect(_BAR, bars.assign(ymin=_FOOT), fill=style.accent_light),
        *marks,
        p9.geom_segment(
            p9.aes("x", "y", xend="x", yend="yend"), left,
            color=style.ink, size=line_width(style.rule_pt),
        ),
        *favours(axis, style, columns=columns, **last),
        scale("x", x),
        scale("y", replace(y, high=_FOOT + _BARS)),
    ]  # fmt: skip
    return plot


def _roomy(axis: Axis, values: list[float], room_mm: float, columns: int, style: Style) -> Span:
    """The axis of these values, widened if no effect is too near an end for the labels beside it.

    Subsets usually lie on one side of no effect, and their panels are narrow.
    """
    x = fitting(covering(axis, values), room_mm, style)
    if axis.reference is None or not values:
        return x
    before, after = (widest_mm(side, style.text_pt) for side in favours_lines(axis, style, columns))
    # the labels begin half a gap from the line; on the left they may use the gap outside the panel,
    # on the right the page ends
    before, after = before - style.panel_gap_mm / 2, after + style.panel_gap_mm / 2
    if before + after > _WORDS_SHARE * room_mm:
        return x
    low, high = min(*values, axis.reference), max(*values, axis.reference)
    step = max(high - low, _STEP) * _STEP
    wider = x
    for _ in range(_STEPS):
        place = wider.share(float(natural(axis.reference, axis.scale))) * room_mm
        if before <= place <= room_mm - after:
            return wider
        low, high = (low - step, high) if place < before else (low, high + step)
        wider = fitting(covering(axis, [low, high]), room_mm, style)
    return x


def _apart(x: Span, style: Style) -> Span:
    """The axis without its last label if that would overlap the first label of the next panel."""
    ends_mm = [text_width_mm(label, style.text_pt) / 2 for label in (x.labels[0], x.labels[-1])]
    air = text_width_mm("0", style.text_pt)
    if sum(ends_mm) + air <= 2 * style.panel_gap_mm:
        return x
    return replace(x, labels=(*x.labels[:-1], " "))


def _tiles(
    subsets: pd.DataFrame, axis: Axis, x: Span, room_mm: float, height_mm: float
) -> pd.DataFrame:
    """Number of subsets in each non-empty tile: columns along the estimates, rows along I2."""
    unit = height_mm / (_FOOT + _BARS)
    across, up = max(1, round(room_mm / _TILE_MM)), max(1, round(100 * unit / _TILE_MM))
    places = [x.share(float(value)) for value in natural(subsets["estimate"], axis.scale)]
    counts, _, _ = np.histogram2d(places, subsets["i2"], (across, up), ((0, 1), (0, 100)))
    column, row = np.nonzero(counts)
    seam, low, high = _SEAM_MM / room_mm, row * 100 / up, (row + 1) * 100 / up
    return pd.DataFrame(
        {
            "xmin": [x.value(at / across + seam) for at in column],
            "xmax": [x.value((at + 1) / across - seam) for at in column],
            "ymin": low + _SEAM_MM / unit,
            "ymax": high - _SEAM_MM / unit,
            "count": counts[column, row],
        }
    )


def _shade(count: float, most: int) -> int:
    """Class of a count on a logarithmic scale, because subsets cluster at zero heterogeneity."""
    return min(int(3 * math.log1p(count) / math.log1p(most)), 2)


def _classes(most: int) -> dict[int, tuple[int, int]]:
    """Lowest and highest number of subsets in every class that occurs."""
    shades = groupby(range(1, most + 1), lambda count: _shade(count, most))
    counts = {shade: list(alike) for shade, alike in shades}
    return {shade: (alike[0], alike[-1]) for shade, alike in counts.items()}


def _counted(low: int, high: int) -> str:
    counted = str(low) if low == high else f"{low:,}{EN_DASH}{high:,}"
    return f"{counted} subset{'s' if high > 1 else ''} per tile"
