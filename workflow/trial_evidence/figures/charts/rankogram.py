"""Rankograms: how likely each treatment takes each rank, as small panels side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import AxisView, Tick
from trial_evidence.figures.canvas.chart import Chart, Panel, between, rectangle
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import text_width_mm, wrap

_PANEL_MM = 16.0
_LEAST_WIDTH_MM = 26.0
_MOST_A_ROW = 5


@dataclass(frozen=True)
class Ranks:
    """A treatment: what stands over its panel, and the probability of every rank, best first."""

    name: str
    words: str
    probability: Sequence[float]


@dataclass(frozen=True)
class Rankogram:
    """Rankograms, described.

    Parameters
    ----------
    title
        Heading of the figure.
    treatments
        Panels, in this order.
    notes, footnotes
        Sentences under the panels and small print.
    description
        What the figure shows, in words.
    """

    title: str
    treatments: Sequence[Ranks]
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(rankogram: Rankogram, style: Style) -> Page:
    """Place rankograms on a page; all panels have the same axes.

    Parameters
    ----------
    rankogram
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(rankogram.title)
    width = chart.right - chart.left
    a_row = max(1, min(_MOST_A_ROW, int(width // _LEAST_WIDTH_MM)))
    highest = max((p for t in rankogram.treatments for p in t.probability), default=1.0)
    pitch = width / a_row
    for start in range(0, len(rankogram.treatments), a_row):
        row = rankogram.treatments[start : start + a_row]
        headings = [
            (
                *wrap(t.name, pitch - style.panel_gap_mm, style.footnote_pt, True),
                *wrap(t.words, pitch - style.panel_gap_mm, style.footnote_pt),
            )
            for t in row
        ]
        names = [
            len(wrap(t.name, pitch - style.panel_gap_mm, style.footnote_pt, True)) for t in row
        ]
        leading = chart.leading(style.footnote_pt)
        deepest = max(len(lines) for lines in headings)
        top, bottom = chart.y, chart.y
        for number, (treatment, lines, bold) in enumerate(zip(row, headings, names, strict=True)):
            left = chart.left + number * pitch
            for at, line in enumerate(lines):
                y = top + (deepest - len(lines) + at + 0.5) * leading
                chart.word("name", line, left, y, bold=at < bold, size_pt=style.footnote_pt)
            chart.y = top + (deepest + 0.8) * leading
            panel = _panel(chart, treatment, (left, left + pitch - style.panel_gap_mm), highest)
            _bars(chart, panel, treatment.probability)
            _axes(chart, panel, len(treatment.probability))
            bottom = max(bottom, chart.y)
        chart.y = bottom + style.block_gap_mm
    chart.notes(rankogram.notes)
    return chart.page(rankogram.title, rankogram.description, rankogram.footnotes)


def _panel(chart: Chart, treatment: Ranks, edges: tuple[float, float], highest: float) -> Panel:
    ranks = len(treatment.probability)
    return chart.panel(
        lambda _: AxisView(0.5, ranks + 0.5, ()),
        between(0.0, max(highest, 0.01), percent=True),
        _PANEL_MM,
        edges=edges,
    )


def _bars(chart: Chart, panel: Panel, probability: Sequence[float]) -> None:
    for number, share in enumerate(probability, start=1):
        if share <= 0:
            continue
        left, right = panel.x_mm(number - 0.4), panel.x_mm(number + 0.4)
        corners = rectangle(left, panel.y_mm(share), right, panel.bottom)
        chart.shape("rank", corners, chart.style.accent)


def _axes(chart: Chart, panel: Panel, ranks: int) -> None:
    """The axes, with as many ranks named as have room: always the first and the last."""
    style = chart.style
    ends = (panel.y.ticks[0], panel.y.ticks[-1])
    size = style.footnote_pt
    corner = (panel.left, panel.bottom)
    for end in ((panel.right, panel.bottom), (panel.left, panel.top)):
        chart.line("axis", corner, end, style.ink, style.hair_pt)
    for tick in ends:
        y = panel.bottom - panel.y.share(tick.place) * (panel.bottom - panel.top)
        chart.line(
            "tick", (panel.left, y), (panel.left - style.tick_mm, y), style.ink, style.hair_pt
        )
        chart.word("tick", tick.label, panel.left - 1.7 * style.tick_mm, y, "right", size_pt=size)
    chart.y = panel.bottom + style.tick_mm
    widest = text_width_mm(str(ranks), size)
    every = max(1, -(-ranks // max(1, int((panel.right - panel.left) // (2.2 * widest)))))
    shown = [rank for rank in range(1, ranks + 1, every) if rank <= ranks - every or rank == 1]
    for rank in dict.fromkeys([*shown, ranks]):
        at = Tick(float(rank), str(rank))
        x = panel.x_mm(at.place)
        chart.word("tick", at.label, x, chart.y + chart.leading(size) / 2, "center", size_pt=size)
    chart.y += chart.leading(size)
