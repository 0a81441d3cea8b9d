"""The drapery plot: p-value functions over all effect sizes, for each trial and pooled."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT, clean, shorten, text_width_mm
from trial_evidence.figures.house.labels import favours, geom_beside, label_footnotes
from trial_evidence.figures.house.legends import Stroke, line_legend
from trial_evidence.figures.house.marks import DASHED, line_width
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
from trial_evidence.figures.house.theme import Words, house, panel_height_mm
from trial_evidence.words.numbers import format_tick

# parts of a curve below this p do not extend the axis
_FOOT = 0.005
_FLAG_ROWS = 8
_FLAG_GAP_MM = 0.6
_TRIAL = "Trial"
_Y_LABEL = "p value (left) and confidence level (right)"
_FRONT = ("trial", "prediction", "pooled")


def drapery(
    curves: pd.DataFrame,
    axis: Axis,
    words: Words,
    style: Style,
    levels: Sequence[float] = (0.05, 0.1, 0.5),
) -> p9.ggplot:
    """Draw a drapery plot (Rücker and Schwarzer 2021).

    Parameters
    ----------
    curves
        p-value functions, one row per point: ``effect`` ascending on the analysis scale, two-sided
        ``p_value``, ``curve`` and its ``kind``: "trial" (thin, named above the panel), "pooled"
        (thick) or "prediction" (dashed).
    axis
        The axis of the effect.
    words, style
        Title, notes and small print; sizes and colours.
    levels
        p values marked by horizontal lines.

    Returns
    -------
    plotnine.ggplot
        x in the units printed on the axis, y the p value; names are above 1.
    """
    known = curves[finite(curves, "effect", "p_value")].reset_index(drop=True)
    named = known.groupby("kind", sort=False)["curve"].first().to_dict() | {"trial": _TRIAL}
    looks: dict[str, Stroke] = {
        "trial": (style.muted, style.hair_pt, "solid"),
        "pooled": (style.accent, 2.4 * style.interval_pt, "solid"),
        "prediction": (style.accent, 1.3 * style.interval_pt, DASHED),
    }
    keys = line_legend(looks, named, style)

    height = panel_height_mm(style)
    right = widest_mm(map(_percent, (*levels, 0.0)), style.text_pt) + 2 * style.tick_mm
    y = fitting(between(0.0, 1.0), height, style, upright=True)
    room = across_mm(style, y) - right
    x = fitting(covering(axis, _reach(known)), room, style)
    flags, footnotes = _flags(known[known["kind"] == "trial"], axis, x, room, style)
    row = style.leading_mm(style.footnote_pt) / height
    top = 1 + row * (flags["row"].max() + 1 if len(flags) else 0)
    flags = flags.assign(y=1 + (flags["row"] + 0.25) * row, top=1 + (flags["row"] + 0.75) * row)
    points = known.assign(x=natural(known["effect"], axis.scale))
    # drawn behind the pooled mean, the main message of the plot
    points = points.sort_values("kind", key=lambda k: k.map(_FRONT.index), kind="stable")
    points["line"] = pd.factorize(points["kind"] + points["curve"])[0]
    sides = pd.DataFrame({"x": [x.low, x.high], "y": 0.0, "yend": 1.0})
    # the line of no effect ends where the names begin
    no_effect = [] if axis.reference is None else [float(natural(axis.reference, axis.scale))]
    reference = pd.DataFrame({"x": no_effect, "y": 0.0, "yend": 1.0})
    right_axis = pd.DataFrame({"y": _apart(levels, height, style)})
    hair, rule = line_width(style.hair_pt), line_width(style.rule_pt)
    plot = p9.ggplot(points, p9.aes("x", "p_value"))
    plot += [
        *house(style, words.with_footnotes(*footnotes), height * top, [keys], x=axis, y=_Y_LABEL),
        p9.theme(
            axis_line_y=p9.element_blank(),
            plot_margin_right=(style.margin_mm + right) / style.width_mm,
        ),
        p9.geom_hline(yintercept=list(levels), color=style.muted, size=hair / 2),
        _segments(sides, style.ink, rule),
        _segments(reference, style.ink, rule),
        p9.geom_path(p9.aes(color="kind", size="kind", linetype="kind", group="line")),
        _segments(flags.assign(y=1.0, yend=flags["top"]), style.muted, hair),
        *(
            p9.geom_text(
                p9.aes("word", "y", label="label"), some, ha=side, va="baseline",
                size=style.footnote_pt, color=style.ink, inherit_aes=False,
            )
            for side, some in flags.groupby("align")
        ),
        geom_beside(
            p9.aes(y="y", label="label"), right_axis.assign(label=right_axis["y"].map(_percent)),
            style=style, size=style.text_pt, inherit_aes=False,
        ),
        *favours(axis, style),
        scale("x", x),
        scale("y", replace(y, high=top)),
    ]  # fmt: skip
    return plot


def _segments(frame: pd.DataFrame, colour: str, width: float) -> p9.geom_segment:
    mapping = p9.aes("x", "y", xend="x", yend="yend")
    return p9.geom_segment(mapping, frame, color=colour, size=width, inherit_aes=False)


def _percent(p_value: float) -> str:
    return f"{format_tick(round(100 * (1 - p_value), 6))}%"


def _apart(levels: Sequence[float], height_mm: float, style: Style) -> list[float]:
    """Levels whose labels do not overlap an earlier one."""
    shown: list[float] = []
    for level in levels:
        if all(abs(level - other) * height_mm >= style.text_pt * MM_PER_POINT for other in shown):
            shown.append(level)
    return shown


def _reach(curves: pd.DataFrame) -> list[float]:
    """Effects the axis must cover, where p is not near zero; imprecise trials may run off it."""
    own = curves[(curves["p_value"] >= _FOOT) & (curves["kind"] != "prediction")]
    ends = own.groupby(["kind", "curve"], sort=False)["effect"].agg(["min", "max"]).reset_index()
    trials, pooled = ends[ends["kind"] == "trial"], ends[ends["kind"] == "pooled"]
    # the tenth and ninetieth percentile of the ends of trials; the pooled curve in full
    skip = len(trials) // 10
    return [
        *_peaks(curves[curves["kind"] != "prediction"])["effect"],
        *pooled["min"],
        *pooled["max"],
        *trials["min"].sort_values().iloc[skip : skip + 1],
        *trials["max"].sort_values(ascending=False).iloc[skip : skip + 1],
    ]


def _peaks(curves: pd.DataFrame) -> pd.DataFrame:
    """The first maximum of every curve."""
    return curves.loc[curves.groupby("curve", sort=False)["p_value"].idxmax()]


def _flags(
    trials: pd.DataFrame, axis: Axis, x: Span, room_mm: float, style: Style
) -> tuple[pd.DataFrame, list[str]]:
    """Names in rows above the panel, and footnotes on those cut or left out.

    Names in the left half are left of their lines and rise toward the middle, those in the right
    half are right of them: this way no line ever runs through a name.
    """
    peaks = _peaks(trials).assign(x=lambda peak: natural(peak["effect"], axis.scale))
    peaks = peaks.assign(mm=[x.share(value) * room_mm for value in peaks["x"]])
    peaks = peaks[peaks["mm"].between(0.0, room_mm) & (peaks["curve"].str.strip() != "")]
    peaks = peaks.sort_values(["mm", "curve"])
    middle = len(peaks) // 2
    flags: list[dict[str, Any]] = []
    shortened, left_out = [], []
    for side, half in ((-1, peaks[:middle]), (1, peaks[middle:][::-1])):
        placed: list[tuple[float, int]] = []
        for place, at, name in zip(half["mm"], half["x"], map(clean, half["curve"]), strict=True):
            text = shorten(name, style.text_column_min_mm * 1.5, style.footnote_pt)
            reach = text_width_mm(text, style.footnote_pt) + 2 * _FLAG_GAP_MM
            row = max((row for mm, row in placed if abs(mm - place) < reach), default=-1) + 1
            if row >= _FLAG_ROWS or not 0 <= place + side * reach <= room_mm:
                left_out.append(name)
                continue
            placed.append((place, row))
            shortened += [name] if text != name else []
            word = x.value((place + side * _FLAG_GAP_MM) / room_mm)
            align = "left" if side > 0 else "right"
            flags.append({"x": at, "row": row, "label": text, "align": align, "word": word})
    frame = pd.DataFrame(flags, columns=["x", "row", "label", "align", "word"])
    return frame, label_footnotes(shortened, left_out)
