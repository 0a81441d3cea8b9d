"""A flow diagram from the search to the pooled trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trial_evidence.figures.canvas.chart import Chart, Described, rectangle
from trial_evidence.figures.canvas.page import Page, Point
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import ELLIPSIS, wrap

_GAP_MM = 4.2
_PAD_MM = 1.6
_MAIN_SHARE = 0.5
_MOST_LINES = 12


@dataclass(frozen=True)
class FlowBox:
    """A step: its name, its count and further details.

    Boxes with a `side` are placed next to the preceding step: what ``leaves`` the flow there, or
    what ``joins`` it.
    """

    step: str
    count: str
    detail: str = ""
    side: Literal["", "leaves", "joins"] = ""


@dataclass(frozen=True)
class Flow(Described):
    """The description of a flow diagram: name and boxes of every stage, from top to bottom."""

    stages: tuple[tuple[str, tuple[FlowBox, ...]], ...]


def layout(flow: Flow, style: Style) -> Page:
    """Stack the steps in the manner of PRISMA 2020 (Page et al. 2021)."""
    chart = Chart(style)
    chart.title(flow.title)
    width = chart.right - chart.left
    main = (chart.left, chart.left + _MAIN_SHARE * width - _GAP_MM)
    aside = (chart.left + _MAIN_SHARE * width + _GAP_MM, chart.right)
    middle = sum(main) / 2
    last: float | None = None
    for name, boxes in flow.stages:
        chart.heading(name)
        chart.y += _PAD_MM / 2
        for here, *others in _rows(boxes):
            top = lowest = chart.y
            levels = []
            for number, box in enumerate(others):
                start = lowest + _PAD_MM if number else top
                lowest = _box(chart, box, aside, start)
                levels.append((box, (start + lowest) / 2))
            # At least as low as the boxes next to it, so that every arrow has an edge to start or
            # end at.
            bottom = _box(chart, here, main, top, lowest)
            for box, level in levels:
                ends = (main[1], level), (aside[0], level)
                _arrow(chart, *(ends if box.side == "leaves" else ends[::-1]))
            if last is not None:
                _arrow(chart, (middle, last), (middle, top))
            last = bottom
            chart.y = bottom + _GAP_MM
    chart.y -= _GAP_MM / 2
    return chart.page(flow, flow.footnotes)


def _rows(boxes: Sequence[FlowBox]) -> list[list[FlowBox]]:
    """Every main step with the side boxes next to it."""
    rows: list[list[FlowBox]] = []
    for box in boxes:
        if box.side and rows:
            rows[-1].append(box)
        else:
            rows.append([box])
    return rows


def _box(
    chart: Chart, box: FlowBox, sides: tuple[float, float], top: float, least: float = 0.0
) -> float:
    """Draw a step, at least down to ``least``, and return its lower edge."""
    style = chart.style
    left, right = sides
    room = right - left - 2 * _PAD_MM
    y = top + _PAD_MM
    for role, text, size, bold in (
        ("step", f"{box.step}: {box.count}", style.text_pt, True),
        ("detail", box.detail, style.footnote_pt, False),
    ):
        lines = wrap(text, room, size, bold, _MOST_LINES)
        if lines and lines[-1].endswith(ELLIPSIS):
            chart.cut_short(text)
        height = len(lines) * chart.leading(size)
        chart.word(role, lines, left + _PAD_MM, y + height / 2, "left", bold, style.ink, size)
        y += height
    bottom = max(y + _PAD_MM, least)
    corners = rectangle(left, top, right, bottom)
    for start, end in zip(corners, (*corners[1:], corners[0]), strict=True):
        chart.line("box", start, end, style.ink, style.rule_pt)
    return bottom


def _arrow(chart: Chart, start: Point, end: Point) -> None:
    """A vertical or horizontal line with an arrowhead at its end."""
    style = chart.style
    length, half = style.arrow_mm, 0.45 * style.arrow_mm
    chart.line("flow", start, end, style.ink, style.hair_pt)
    x, y = end
    corners = ((x, y), (x - half, y - length), (x + half, y - length))
    if start[1] == end[1]:
        back = x - length if start[0] < x else x + length
        corners = ((x, y), (back, y - half), (back, y + half))
    chart.shape("arrow", corners, style.ink)
