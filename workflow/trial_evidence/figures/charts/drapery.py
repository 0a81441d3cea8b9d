"""The drapery plot: p values of every effect that could be, for each trial and for all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trial_evidence.figures.canvas.axis import Axis, Tick
from trial_evidence.figures.canvas.chart import (
    DASHED,
    Chart,
    Key,
    Panel,
    between,
    covering,
    panel_height_mm,
)
from trial_evidence.figures.canvas.page import Align, Page, Point
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    CAP_HEIGHT_EM,
    MM_PER_POINT,
    clean,
    shorten,
    text_width_mm,
)
from trial_evidence.words.numbers import format_tick

# below this p the axis need not show a curve
_FOOT = 0.005
_FLAG_ROWS = 8
_FLAG_GAP_MM = 0.6


@dataclass(frozen=True)
class PCurve:
    """A p-value function: two-sided p at ascending values of the effect (analysis scale)."""

    label: str
    effects: Sequence[float]
    p_values: Sequence[float]


@dataclass(frozen=True)
class Drapery:
    """A drapery plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    trials
        Curves of the trials, thin.
    pooled
        Curve of the pooled effect, thick.
    prediction
        Curve of the effect in a new trial, dashed; None for none.
    axis
        The axis of the effect.
    levels
        p values that level lines mark.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    trials: Sequence[PCurve]
    pooled: PCurve
    prediction: PCurve | None
    axis: Axis
    levels: tuple[float, ...] = (0.05, 0.1, 0.5)
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(drapery: Drapery, style: Style) -> Page:
    """Place a drapery plot (Rücker and Schwarzer 2021) on a page.

    Parameters
    ----------
    drapery
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(drapery.title)
    chart.above_panel("p value (left) and confidence level (right)")
    beside = [
        max(text_width_mm(label, style.text_pt) for label in labels) + 2 * style.tick_mm
        for labels in (["0.05", "0.8"], ["100%", *map(_level, drapery.levels)])
    ]
    curves = [*drapery.trials, drapery.pooled]
    panel = chart.panel(
        covering(drapery.axis, _reach(curves)),
        between(0.0, 1.0),
        panel_height_mm(style),
        (drapery.axis.scale, "linear"),
        beside_mm=(beside[0], beside[1]),
    )
    flags = _flags(chart, panel, drapery.trials)
    rise = _flag_mm(chart) * max((flag.row + 1 for flag in flags), default=0)
    panel = replace(panel, top=panel.top + rise, bottom=panel.bottom + rise)
    for level in drapery.levels:
        y = panel.y_mm(level)
        chart.line("level", (panel.left, y), (panel.right, y), style.muted, style.hair_pt / 2)
    chart.reference(panel, drapery.axis)
    for curve in drapery.trials:
        chart.curve("trial", _points(curve, panel), style.muted, style.hair_pt, panel)
    keys = [Key("line", "Trial", style.muted, width_pt=style.hair_pt)]
    thick = 2.4 * style.interval_pt
    if drapery.prediction is not None:
        points = _points(drapery.prediction, panel)
        chart.curve("prediction", points, style.accent, 1.3 * style.interval_pt, panel, DASHED)
    chart.curve("pooled", _points(drapery.pooled, panel), style.accent, thick, panel)
    keys.append(Key("line", drapery.pooled.label, style.accent, width_pt=thick))
    if drapery.prediction is not None:
        label = drapery.prediction.label
        keys.append(Key("line", label, style.accent, "", 1.3 * style.interval_pt, DASHED))
    chart.y_axis(panel)
    chart.y_axis(panel, _level_ticks(panel, drapery.levels, style), side=1)
    _raise(chart, panel, flags)
    chart.x_axis(panel, drapery.axis)
    chart.legend(keys)
    chart.notes(drapery.notes)
    return chart.page(drapery.title, drapery.description, drapery.footnotes)


def _level(p_value: float) -> str:
    return f"{format_tick(round(100 * (1 - p_value), 6))}%"


def _level_ticks(panel: Panel, p_values: Sequence[float], style: Style) -> list[Tick]:
    """Ticks of the levels, without those that would print over an earlier one."""
    ticks: list[Tick] = []
    for p_value in p_values:
        apart = (abs(panel.y_mm(p_value) - panel.y_mm(tick.place)) for tick in ticks)
        if min(apart, default=math.inf) >= style.text_pt * MM_PER_POINT:
            ticks.append(Tick(p_value, _level(p_value)))
    return ticks


def _reach(curves: Sequence[PCurve]) -> list[float]:
    """Where the curves are off the floor; an imprecise trial may leave the axis on either side."""
    ends = []
    for curve in curves:
        shown = [
            effect
            for effect, p in zip(curve.effects, curve.p_values, strict=True)
            if math.isfinite(p) and p >= _FOOT
        ]
        ends.append((min(shown, default=math.nan), max(shown, default=math.nan)))
    peaks = [peak[0] for curve in curves if (peak := _peak(curve)) is not None]
    # trials at the tenth and ninetieth percentile of the ends; the pooled curve whole
    inner = ends[:-1]
    skip = len(inner) // 10
    lows = sorted(low for low, _ in inner if math.isfinite(low))[skip : skip + 1]
    highs = sorted((high for _, high in inner if math.isfinite(high)), reverse=True)
    return [*peaks, *ends[-1], *lows, *highs[skip : skip + 1]]


def _peak(curve: PCurve) -> tuple[float, float] | None:
    known = [
        (p, -index)
        for index, (effect, p) in enumerate(zip(curve.effects, curve.p_values, strict=True))
        if math.isfinite(effect) and math.isfinite(p)
    ]
    if not known:
        return None
    p, index = max(known)
    return curve.effects[-index], p


def _points(curve: PCurve, panel: Panel) -> list[Point]:
    return [
        panel.point(effect, p)
        for effect, p in zip(curve.effects, curve.p_values, strict=True)
        if math.isfinite(effect) and math.isfinite(p)
    ]


@dataclass(frozen=True)
class _Flag:
    """A name over the panel: where its line stands, on which side of it the name, in which row."""

    text: str
    x: float
    side: int
    row: int


def _flags(chart: Chart, panel: Panel, trials: Sequence[PCurve]) -> list[_Flag]:
    """Names in rows over the panel.

    Names of the left half lie left of their lines and rise toward the middle, those of the right
    half lie right of them: so no line runs through a name, whatever the names are.
    """
    peaks = []
    for curve in trials:
        peak = _peak(curve)
        if peak is not None and curve.label.strip() and panel.holds(place := panel.point(*peak)):
            peaks.append((place[0], curve.label))
    peaks.sort()
    middle = len(peaks) // 2
    left = _half(chart, panel, peaks[:middle], -1)
    return left + _half(chart, panel, list(reversed(peaks[middle:])), 1)


def _half(chart: Chart, panel: Panel, peaks: Sequence[tuple[float, str]], side: int) -> list[_Flag]:
    style = chart.style
    flags: list[_Flag] = []
    for x, label in peaks:
        text = shorten(clean(label), style.text_column_min_mm * 1.5, style.footnote_pt)
        reach = text_width_mm(text, style.footnote_pt) + 2 * _FLAG_GAP_MM
        passed = [flag.row for flag in flags if abs(flag.x - x) < reach]
        row = max(passed, default=-1) + 1
        if row < _FLAG_ROWS and panel.left <= x + side * reach <= panel.right:
            flags.append(_Flag(text, x, side, row))
            if text != clean(label):
                chart.cut_short(label)
        else:
            chart.left_out(label)
    return flags


def _raise(chart: Chart, panel: Panel, flags: Sequence[_Flag]) -> None:
    style = chart.style
    for flag in flags:
        y = panel.top - (flag.row + 0.5) * _flag_mm(chart)
        top = y - CAP_HEIGHT_EM * style.footnote_pt * MM_PER_POINT / 2
        chart.line("leader", (flag.x, panel.top), (flag.x, top), style.muted, style.hair_pt)
        align: Align = "left" if flag.side > 0 else "right"
        x = flag.x + flag.side * _FLAG_GAP_MM
        chart.word("label", flag.text, x, y, align, size_pt=style.footnote_pt)


def _flag_mm(chart: Chart) -> float:
    return chart.leading(chart.style.footnote_pt)
