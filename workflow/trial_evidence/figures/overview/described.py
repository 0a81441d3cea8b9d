"""What all pictures of a field have in common: what they say of themselves, and stacked lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trial_evidence.figures.canvas.chart import Chart
from trial_evidence.figures.canvas.page import Align, Page


@dataclass(frozen=True)
class Described:
    """A picture: its heading, what it shows for who does not see it, and sentences under it."""

    title: str
    description: str = field(default="", kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    footnotes: tuple[str, ...] = field(default=(), kw_only=True)


def finished(chart: Chart, said: Described, *footnotes: str) -> Page:
    """The page with all that a picture says of itself, after footnotes that its drawing needs."""
    chart.notes(said.notes)
    return chart.page(said.title, said.description, [*footnotes, *said.footnotes])


def stack(
    chart: Chart,
    role: str,
    lines: Sequence[str],
    x: float,
    middle: float,
    size_pt: float,
    align: Align = "left",
    bold: bool = False,
    colour: str | None = None,
) -> None:
    """Lines of text one below another, centred at a height."""
    for number, line in enumerate(lines):
        y = middle + (number - (len(lines) - 1) / 2) * chart.leading(size_pt)
        chart.word(role, line, x, y, align, bold, colour, size_pt)


def headings(
    chart: Chart,
    role: str,
    columns: Sequence[Sequence[str]],
    places: Sequence[float],
    size_pt: float,
    align: Align = "left",
) -> None:
    """Bold lines over columns, their feet at one height; the page is filled to below them."""
    leading = chart.leading(size_pt)
    foot = chart.y + max(map(len, columns), default=0) * leading
    for x, lines in zip(places, columns, strict=True):
        stack(chart, role, lines, x, foot - len(lines) * leading / 2, size_pt, align, True)
    chart.y = foot
