"""The specification curve: every defensible analysis, and the choices that define it."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.page import DPI
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    MM_PER_INCH,
    MM_PER_POINT,
    clean,
    shorten,
    text_width_mm,
)
from trial_evidence.figures.house.labels import geom_beside, label_footnotes, vertical_label
from trial_evidence.figures.house.legends import SMALL, Legend, legend
from trial_evidence.figures.house.marks import (
    DASHED,
    disc,
    geom_disc,
    line_width,
    no_difference,
    reference_line,
)
from trial_evidence.figures.house.scales import Span, covering, ends, fitting, per_panel, widest_mm
from trial_evidence.figures.house.theme import Words, house, panel_height_mm

Numbers = npt.NDArray[np.float64]

_PANELS = ["estimates", "factors"]
# maximum width of the mark of a single specification
_WIDEST_MM = 1.4
_FILLED = 0.62
# limits beyond those of this share of the specifications may leave the panel, as may limits more
# than this many typical half-widths from the estimates
_TAIL, _TYPICAL = 0.01, 4.0
# a pixel of the finest bitmap of a figure: narrower marks are drawn as areas
_PIXEL_MM = MM_PER_INCH / DPI
# width of a mark that represents several specifications, if they are narrower than a pixel
_BIN_MM = 0.25
_EDGE = pd.DataFrame({"x": [0.0], "panel": _PANELS[0]})


def specification(
    results: pd.DataFrame, choices: pd.DataFrame, axis: Axis, words: Words, style: Style
) -> p9.ggplot:
    """Draw a specification curve (Simonsohn, Simmons and Nelson 2020).

    Specifications are sorted by estimate, ties in the order given. If there are too many to tell
    apart, a mark in the lower panel represents several neighbours, and its height is the share of
    them that made the choice.

    Parameters
    ----------
    results
        One row per specification: ``estimate``, ``low`` and ``high`` on the analysis scale (NaN if
        there is no result; a footnote counts these); ``leading`` is true for the report's leading
        specification.
    choices
        The choices of every specification: one categorical column per factor, named after it, with
        the categories from top to bottom; missing if the factor does not apply.
    axis
        The axis of the estimates, ratios or differences, drawn vertically; its reference is no
        effect.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        Panels by ``panel``, "estimates" and "factors"; x the rank of the specification, from 0, y
        on the analysis scale in the upper panel, rows in the lower one.
    """
    known = results[np.isfinite(results["estimate"])].sort_values("estimate", kind="stable")
    missing, count = len(results) - len(known), max(len(known), 1)
    known = known.assign(
        low=known["low"].fillna(known["estimate"]),
        high=known["high"].fillna(known["estimate"]),
        x=np.arange(len(known)) + 0.5,
        panel=_PANELS[0],
    )
    rows = _rows(choices)
    names_mm = _names_mm(rows, style)
    pitch = (style.width_mm - 3 * style.margin_mm - names_mm) / count
    row_mm = 0.92 * style.leading_mm(style.footnote_pt)
    lowest = float(rows["y"].min()) - 0.5 if len(rows) else 0.0
    height, below = 0.7 * panel_height_mm(style), -lowest * row_mm
    reach = [*known["estimate"].agg(["min", "max"]), *_usual(known)]
    span = fitting(covering(axis, reach), height, style, upright=True)
    bottom, top = ends(span)
    cut = int(((known["low"] < bottom) | (known["high"] > top)).sum())
    room = names_mm - style.panel_gap_mm
    rows["shown"] = [
        shorten(name, room - indent * style.indent_mm, style.footnote_pt, not indent)
        for name, indent in zip(rows["label"], rows["indent"], strict=True)
    ]
    words = words.with_footnotes(
        f"Specifications without a result: {missing}." if missing else "",
        f"Intervals that run beyond the panel: {cut}." if cut else "",
        *label_footnotes(rows.loc[rows["shown"] != rows["label"], "label"].tolist(), []),
    )
    panels = pd.DataFrame(
        {"panel": _PANELS, "low": [bottom, lowest], "high": [top, 0.0], "mm": [height, below]}
    )[: 2 if len(rows) else 1]
    corners = pd.concat(
        [panels.assign(x=x, y=panels[y]) for x, y in ((0.0, "low"), (count, "high"))]
    )
    curve, legends = _curve(known, axis, pitch, (bottom, top), names_mm, style)
    labels = widest_mm(span.labels, style.text_pt)
    plot = p9.ggplot(_thinned(known, pitch), p9.aes("x", "estimate"))
    plot += [
        *house(style, words, height + below + style.block_gap_mm, legends, y=vertical_label(axis)),
        p9.theme(
            axis_line=p9.element_blank(),
            axis_text_x=p9.element_blank(),
            axis_ticks_major_x=p9.element_blank(),
            axis_text_y=p9.element_text(
                margin={"l": (names_mm - labels - 1.7 * style.tick_mm) / MM_PER_POINT}
            ),
            strip_text=p9.element_blank(),
            panel_spacing_y=style.block_gap_mm / style.width_mm,
        ),
        p9.facet_grid("panel", scales="free_y", space={"x": [1], "y": panels["mm"].tolist()}),
        p9.geom_blank(p9.aes("x", "y"), corners),
        *_choices(rows, choices.loc[known.index], pitch, count, style),
        *curve,
        p9.scale_x_continuous(expand=(0, 0), breaks=[]),
        *per_panel("y", [span, Span(lowest, 0.0, (), ())]),
    ]
    return plot


def _rows(choices: pd.DataFrame) -> pd.DataFrame:
    """Names of factors and choices from top to bottom, a unit apart, with a gap before a factor."""
    rows: list[tuple[str, str, str, int, float]] = []
    y = 0.0
    for factor, chosen in choices.items():
        y -= 0.3
        for number, label in enumerate([str(factor), *chosen.cat.categories]):
            rows.append((str(factor), label, clean(label), min(number, 1), y - 0.5))
            y -= 1
    return pd.DataFrame(rows, columns=["factor", "choice", "label", "indent", "y"])


def _names_mm(rows: pd.DataFrame, style: Style) -> float:
    """Width of the names of factors and choices; at most two fifths of the page."""
    widths = [
        indent * style.indent_mm + text_width_mm(label, style.footnote_pt, not indent)
        for label, indent in zip(rows["label"], rows["indent"], strict=True)
    ]
    widest = max([style.text_column_min_mm / 2, *widths])
    return float(min(widest, 0.4 * style.width_mm)) + style.panel_gap_mm


def _usual(known: pd.DataFrame) -> list[float]:
    """Limits that the panel covers.

    A model with hardly any information on heterogeneity can give limits so extreme that all other
    intervals would collapse into a line.
    """
    if known.empty:
        return []
    estimates, low, high = known["estimate"], known["low"], known["high"]
    half = np.maximum((estimates - low).to_numpy(), (high - estimates).to_numpy())
    half = half[np.isfinite(half)]
    room = _TYPICAL * float(np.median(half)) if len(half) else 0.0
    return [
        max(low.quantile(_TAIL, "nearest"), estimates.min() - room),
        min(high.quantile(1 - _TAIL, "nearest"), estimates.max() + room),
    ]


def _curve(
    known: pd.DataFrame,
    axis: Axis,
    pitch: float,
    limits: tuple[float, float],
    names_mm: float,
    style: Style,
) -> tuple[list[Any], list[Legend]]:
    """Intervals and estimates, and their legends."""
    edge = p9.geom_vline(
        p9.aes(xintercept="x"), _EDGE, color=style.ink, size=line_width(style.rule_pt)
    )
    frame = [*reference_line(axis, style, "y", panel=_PANELS[0]), edge]
    if known.empty:
        return frame, []
    reference = math.nan if axis.reference is None else axis.reference
    excludes = (known["low"] > reference) | (known["high"] < reference)
    keys = [f"Interval excludes {no_difference(axis)}", "includes it"]
    shown = known.assign(
        key=np.where(excludes, *keys),
        low=known["low"].clip(*limits),
        high=known["high"].clip(*limits),
    )
    median = float(known["estimate"].median())
    said = f"Median: {printed(median, axis.scale)}"
    middle = legend([said], style, left_mm=names_mm, linetype=[DASHED])
    hair = line_width(style.hair_pt)
    at = pd.DataFrame({"y": [median], "key": said, "panel": _PANELS[0]})
    if pitch < _PIXEL_MM:
        # Thousands of intervals, each narrower than can be printed, look the same when drawn as
        # areas. The line over them needs a white margin.
        override: dict[str, Any] = {"color": style.accent, "size": hair}
        looks = {"fill": [style.accent_light, style.accent_pale]}
        layers = [
            p9.geom_polygon(p9.aes(fill="key", group="run"), _areas(shown, pitch)),
            p9.geom_path(color=style.paper, size=line_width(3 * style.interval_pt)),
        ]
    else:
        width = min(style.interval_pt * 1.5, max(pitch / MM_PER_POINT, 0.05))
        override, looks = {"size": line_width(2.0)}, {"color": [style.accent, style.accent_light]}
        layers = [
            p9.geom_segment(
                p9.aes(y="low", xend="x", yend="high", color="key"), shown, size=line_width(width)
            )
        ]
    dot = min(_WIDEST_MM, pitch * _FILLED)
    if dot > 2 * _BIN_MM:
        layers.append(geom_disc(**disc(dot, style.ink, style.paper, style)))
    else:
        layers.append(p9.geom_path(color=style.ink, size=line_width(1.4 * style.interval_pt)))
    layers += [
        p9.geom_hline(p9.aes(yintercept="y", linetype="key"), at, color=style.ink, size=hair),
        *frame,
    ]
    legends = [legend(keys, style, override, names_mm, **looks), middle]
    lead = known[known["leading"].astype(bool)]
    if len(lead):
        value = printed(float(lead["estimate"].iloc[0]), axis.scale)
        leading = f"Leading specification: {value}"
        legends.append(legend([leading], style, SMALL, names_mm, shape=["D"]))
        mark = disc(style.square_unweighted_mm, style.paper, style.ink, style)
        layers += [
            p9.geom_vline(p9.aes(xintercept="x"), lead[["x"]], color=style.muted, size=hair),
            geom_disc(p9.aes(shape="key"), lead.assign(key=leading), **mark),
        ]
    return layers, legends


def _thinned(known: pd.DataFrame, pitch: float) -> pd.DataFrame:
    """One specification per pixel: the line through them only rises, and more would not show."""
    together = max(1, math.floor(_PIXEL_MM / pitch))
    if together == 1:
        return known
    return known.iloc[np.unique([*range(0, len(known), together), len(known) - 1])]


def _areas(shown: pd.DataFrame, pitch: float) -> pd.DataFrame:
    """Outlines around the intervals of neighbours with one key; the widest interval per pixel."""
    run = (shown["key"] != shown["key"].shift()).cumsum().rename("run")
    start = shown.groupby(run)["x"].transform("first")
    part = ((shown["x"] - start) // max(1, round(_PIXEL_MM / pitch))).rename("part")
    parts = shown.groupby([run, part]).agg(
        key=("key", "first"), low=("low", "min"), high=("high", "max"),
        first=("x", "min"), last=("x", "max"),
    )  # fmt: skip
    parts["x"] = (parts["first"] + parts["last"]) / 2
    # an area begins and ends half a specification beyond its outermost ones
    left, right = (parts.groupby("run").nth(end) for end in (0, -1))
    ends_of = [left.assign(x=left["first"] - 0.5), right.assign(x=right["last"] + 0.5)]
    along = pd.concat([parts, *ends_of]).sort_values(["run", "x"], kind="stable")
    back = along[::-1]
    sides = [along.assign(estimate=along["high"]), back.assign(estimate=back["low"])]
    outline: pd.DataFrame = pd.concat(sides).reset_index().assign(panel=_PANELS[0])
    return outline


def _choices(
    rows: pd.DataFrame, choices: pd.DataFrame, pitch: float, count: int, style: Style
) -> list[Any]:
    """The lower panel: one row per choice, labelled on the left."""
    if rows.empty:
        return []
    rows = rows.assign(panel=_PANELS[1])
    own = rows[rows["indent"] == 1]
    banded = own[own.groupby("factor").cumcount() % 2 == 0]
    marks = pd.concat(
        _marks((choices[factor] == choice).to_numpy(), pitch).assign(y=y)
        for factor, choice, y in zip(own["factor"], own["choice"], own["y"], strict=True)
    ).assign(panel=_PANELS[1])
    chosen: p9.geoms.geom.geom
    if pitch > 2 * _BIN_MM:
        width = min(_WIDEST_MM, pitch * _FILLED) / pitch
        chosen = p9.geom_tile(p9.aes("x", "y"), marks, width=width, height=0.72, fill=style.ink)
    else:
        shares = p9.aes("x", "y - 0.36 + 0.72 * share", group="y")
        chosen = p9.geom_polygon(shares, marks, fill=style.ink, inherit_aes=False)
    return [
        p9.geom_rect(
            p9.aes(ymin="y - 0.5", ymax="y + 0.5"), banded, xmin=0, xmax=count,
            fill=style.band, inherit_aes=False,
        ),
        chosen,
        *(
            geom_beside(
                p9.aes(y="y", label="shown"), rows[rows["indent"] == indent], inherit_aes=False,
                style=style, size=style.footnote_pt, fontweight=weight,
                at_mm=style.margin_mm + indent * style.indent_mm,
            )
            for indent, weight in enumerate(("bold", "normal"))
        ),
    ]  # fmt: skip


def _marks(chosen: npt.NDArray[np.bool_], pitch: float) -> pd.DataFrame:
    """Where specifications made a choice: individually, or as shares of neighbours in steps."""
    if pitch > 2 * _BIN_MM:
        return pd.DataFrame({"x": np.flatnonzero(chosen) + 0.5})
    together = max(1, math.ceil(_BIN_MM / pitch))
    starts = np.arange(0, len(chosen), together)
    stops = np.append(starts[1:], len(chosen))
    shares = np.add.reduceat(chosen.astype(float), starts) / (stops - starts)
    frame = pd.DataFrame(
        {"x": np.column_stack([starts, stops]).ravel(), "share": np.repeat(shares, 2)}, dtype=float
    )
    # drop redundant corners along level stretches
    share = frame["share"]
    frame = frame[(share != share.shift()) | (share != share.shift(-1))]
    ends_of = pd.DataFrame({"x": [len(chosen), 0.0], "share": 0.0})
    return pd.concat([frame, ends_of])
