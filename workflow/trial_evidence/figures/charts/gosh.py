"""The GOSH plot: the pooled result and the heterogeneity of every subset of the trials."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trial_evidence.figures.canvas.axis import Axis, to_axis
from trial_evidence.figures.canvas.chart import (
    Chart,
    Key,
    Panel,
    between,
    covering,
    panel_height_mm,
    rectangle,
)
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean
from trial_evidence.words.numbers import EN_DASH

Numbers = npt.NDArray[np.float64]

_NARROW_MM = 100.0
_TILE_MM = 1.5
# white between tiles, so that no viewer shows seams
_SEAM_MM = 0.06
_HISTOGRAM_SHARE = 0.22
# the axis holds the estimates but for this share on either side
_TAIL = 0.001


@dataclass(frozen=True)
class Gosh:
    """A GOSH plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    estimates
        Pooled estimate of each subset on the analysis scale.
    i2
        Its heterogeneity I2 in percent.
    axis
        The axis of the estimates.
    chosen
        Which subsets hold one trial: they get a panel of their own; None for one panel.
    chosen_label
        That trial.
    whole
        Estimate and I2 of all trials together; None to leave it out.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    estimates: Numbers
    i2: Numbers
    axis: Axis
    chosen: npt.NDArray[np.bool_] | None = None
    chosen_label: str = ""
    whole: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(gosh: Gosh, style: Style) -> Page:
    """Place a GOSH plot (Olkin, Dahabreh and Trikalinos 2012) on a page.

    Subsets are counted in tiles, the darker the more; the histogram above counts them by estimate
    alone. With and without a chosen trial they stand side by side, or one below the other on a
    narrow page, on the same axes and the same shades.

    Parameters
    ----------
    gosh
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    known = np.isfinite(gosh.estimates) & np.isfinite(gosh.i2)
    chart = Chart(style)
    chart.title(gosh.title)
    groups = [(f"All subsets ({known.sum():,})", known)]
    if gosh.chosen is not None:
        name = clean(gosh.chosen_label)
        inside, outside = known & gosh.chosen, known & ~gosh.chosen
        groups = [
            (f"Subsets with {name} ({inside.sum():,})", inside),
            (f"Subsets without {name} ({outside.sum():,})", outside),
        ]
    columns = 1 if len(groups) == 1 or style.width_mm <= _NARROW_MM else len(groups)
    gap = 2 * style.panel_gap_mm
    width = (chart.right - chart.left - (columns - 1) * gap) / columns
    height = panel_height_mm(style) * (0.8 if len(groups) > 1 else 1.0)
    reach = _reach(gosh.estimates[known])
    edges = [
        (chart.left + n * (width + gap), chart.left + n * (width + gap) + width)
        for n in range(columns)
    ]
    drawn: list[tuple[Panel, Numbers]] = []
    histogram = _HISTOGRAM_SHARE * height
    for first in range(0, len(groups), columns):
        row = groups[first : first + columns]
        top = chart.y = chart.y + (style.block_gap_mm if first else 0.0)
        lowest = top
        for (label, _), room in zip(row, edges, strict=False):
            chart.y = top
            chart.heading(label, room)
            chart.above_panel("Number of subsets (bars), I² in % (below)", room)
            lowest = max(lowest, chart.y)
        for (_, members), room in zip(row, edges, strict=False):
            chart.y = lowest + histogram
            panel = chart.panel(
                covering(gosh.axis, reach),
                between(0.0, 100.0),
                height - histogram,
                (gosh.axis.scale, "linear"),
                room,
            )
            drawn.append((panel, _counts(panel, gosh.estimates[members], gosh.i2[members])))
            chart.reference(panel, gosh.axis)
            chart.y_axis(panel)
            chart.x_axis(panel, gosh.axis, room)
    most = int(max(count.max(initial=0.0) for _, count in drawn))
    highest = max(float(count.sum(axis=1).max(initial=0.0)) for _, count in drawn)
    for panel, count in drawn:
        _tiles(chart, panel, count, most)
        _bars(chart, panel, count, highest, histogram)
        if gosh.whole is not None and panel.holds(place := panel.point(*gosh.whole)):
            size = 1.2 * style.square_unweighted_mm
            chart.mark("whole", "diamond", place, size, style.paper, style.ink)
    chart.legend(_keys(gosh, most, style))
    chart.notes(gosh.notes)
    return chart.page(gosh.title, gosh.description, gosh.footnotes)


def _keys(gosh: Gosh, most: int, style: Style) -> list[Key]:
    """The shades with the numbers of subsets that they stand for."""
    keys = []
    classes = [_shade(count, most) for count in range(1, most + 1)]
    for shade, fill in enumerate(_shades(style)):
        if shade in classes:
            low = classes.index(shade) + 1
            high = low + classes.count(shade) - 1
            counted = str(low) if low == high else f"{low:,}{EN_DASH}{high:,}"
            keys.append(Key("area", f"{counted} subset{'s' if high > 1 else ''} a tile", fill))
    if gosh.whole is not None:
        keys.append(Key("diamond", "All trials", style.paper, style.ink))
    return keys


def _shades(style: Style) -> tuple[str, str, str]:
    return style.accent_pale, style.accent_light, style.accent


def _shade(count: float, most: int) -> int:
    """Class of a count on a logarithmic scale: subsets crowd where there is no heterogeneity."""
    return min(int(3 * math.log1p(count) / math.log1p(most)), 2)


def _reach(estimates: Numbers) -> list[float]:
    if not estimates.size:
        return []
    return [float(end) for end in np.quantile(estimates, [_TAIL, 1 - _TAIL])]


def _counts(panel: Panel, estimates: Numbers, i2: Numbers) -> Numbers:
    """Subsets in each tile: columns along the estimates, rows along I2 from below."""
    across = max(1, round((panel.right - panel.left) / _TILE_MM))
    down = max(1, round((panel.bottom - panel.top) / _TILE_MM))
    places = np.array([to_axis(float(value), panel.x_scale) for value in estimates])
    counts, _, _ = np.histogram2d(
        places,
        i2,
        bins=(across, down),
        range=((panel.x.low, panel.x.high), (panel.y.low, panel.y.high)),
    )
    return counts


def _tiles(chart: Chart, panel: Panel, counts: Numbers, most: int) -> None:
    shades = _shades(chart.style)
    wide = (panel.right - panel.left) / counts.shape[0]
    high = (panel.bottom - panel.top) / counts.shape[1]
    for column, row in np.argwhere(counts > 0):
        left, bottom = panel.left + column * wide, panel.bottom - row * high
        corners = rectangle(
            left + _SEAM_MM, bottom - high + _SEAM_MM, left + wide - _SEAM_MM, bottom - _SEAM_MM
        )
        chart.area("tile", corners, shades[_shade(counts[column, row], most)], panel)


def _bars(chart: Chart, panel: Panel, counts: Numbers, highest: float, room: float) -> None:
    """The histogram above a panel."""
    style = chart.style
    wide = (panel.right - panel.left) / counts.shape[0]
    foot = panel.top - style.block_gap_mm / 2
    whole = room - style.block_gap_mm
    above = replace(panel, top=foot - whole, bottom=foot)
    for column, count in enumerate(counts.sum(axis=1)):
        if count > 0:
            left = panel.left + column * wide
            top = foot - whole * float(count) / highest
            corners = rectangle(left + _SEAM_MM, top, left + wide - _SEAM_MM, foot)
            chart.area("bar", corners, style.accent_light, above)
