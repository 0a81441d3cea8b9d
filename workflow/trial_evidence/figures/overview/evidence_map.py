"""An evidence map: how many trials and patients there are for what."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.chart import Chart
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, text_width_mm, wrap

_NAMES_SHARE = 0.31
_LARGEST_SHARE = 0.2
_LARGEST_MM = 7.0
_LEAST_MM = 1.4
_BETWEEN = " · "


@dataclass(frozen=True)
class MapCell:
    """Trials of one row and column.

    `patients` is None where no trial says how many, and `or_more` where not every one does.
    """

    trials: int
    patients: int | None
    or_more: bool = False


@dataclass(frozen=True)
class MapRow:
    """A row of the map: a cell a column, None where there is no trial."""

    label: str
    cells: tuple[MapCell | None, ...]


@dataclass(frozen=True)
class EvidenceMap:
    """An evidence map, described.

    Parameters
    ----------
    title
        Heading of the figure.
    columns
        Headings of the columns.
    groups
        Heading and rows of every group, from top to bottom.
    notes, footnotes
        Sentences under the map and small print.
    description
        What the figure shows, in words.
    """

    title: str
    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[MapRow, ...]], ...]
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(described: EvidenceMap, style: Style) -> Page:
    """Place a bubble where there are trials: its area follows the patients.

    Beside every bubble stands the number of trials and, where the page is wide enough, of
    patients. Trials that do not say how many patients they had make a hollow bubble of the
    least size.

    Parameters
    ----------
    described
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(described.title)
    rows = [row for _, group in described.groups for row in group]
    widest = max((text_width_mm(clean(row.label), style.footnote_pt) for row in rows), default=0.0)
    room = chart.right - chart.left
    names = min(widest + style.indent_mm, _NAMES_SHARE * room) + style.indent_mm
    pitch = (room - names) / max(1, len(described.columns))
    most = max(
        (cell.patients or 0 for row in rows for cell in row.cells if cell is not None), default=0
    )
    largest = min(_LARGEST_MM, _LARGEST_SHARE * pitch)
    lefts = [chart.left + names + at * pitch for at in range(len(described.columns))]
    _headings(chart, described.columns, lefts, pitch)
    cells = [cell for row in rows for cell in row.cells if cell is not None]
    beside = pitch - largest - 0.65 * style.indent_mm
    texts = [_beside(cell, with_patients=True) for cell in cells]
    patients = all(text_width_mm(text, style.footnote_pt) <= beside for text in texts)
    for heading, group in described.groups:
        chart.y += style.gap_row_mm / 2
        chart.heading(heading)
        for number, row in enumerate(group):
            _row(chart, row, lefts, names, largest, most, patients, banded=number % 2 == 0)
    chart.y += style.block_gap_mm / 2
    chart.rule()
    chart.notes(described.notes)
    legend = f"Beside a bubble: trials{_BETWEEN + 'patients' if patients else ''}."
    return chart.page(described.title, described.description, [legend, *described.footnotes])


def _beside(cell: MapCell, *, with_patients: bool) -> str:
    if not with_patients or cell.patients is None:
        return f"{cell.trials}"
    return f"{cell.trials}{_BETWEEN}{cell.patients:,}{'+' if cell.or_more else ''}"


def _headings(chart: Chart, columns: Sequence[str], lefts: Sequence[float], pitch: float) -> None:
    style = chart.style
    leading = chart.leading(style.text_pt)
    texts = [wrap(name, pitch - style.indent_mm, style.text_pt, True) for name in columns]
    deepest = max(map(len, texts), default=0)
    for left, lines in zip(lefts, texts, strict=True):
        for number, line in enumerate(lines):
            y = chart.y + (deepest - len(lines) + number + 0.5) * leading
            chart.word("column", line, left, y, bold=True)
    chart.y += deepest * leading + style.block_gap_mm / 2
    chart.rule()


def _row(
    chart: Chart,
    row: MapRow,
    lefts: Sequence[float],
    names: float,
    largest: float,
    most: int,
    patients: bool,
    *,
    banded: bool,
) -> None:
    style = chart.style
    size = style.footnote_pt
    leading = chart.leading(size)
    lines = wrap(row.label, names - 2 * style.indent_mm, size)
    sizes = [None if cell is None else _diameter(cell, largest, most) for cell in row.cells]
    highest = max((found for found in sizes if found is not None), default=0.0)
    height = max(highest, len(lines) * leading) + style.indent_mm
    if banded:
        chart.band(height)
    middle = chart.y + height / 2
    for number, line in enumerate(lines):
        down = (number - (len(lines) - 1) / 2) * leading
        chart.word("row", line, chart.left + style.indent_mm, middle + down, size_pt=size)
    for left, cell, diameter in zip(lefts, row.cells, sizes, strict=True):
        if cell is None or diameter is None:
            continue
        centre = (left + largest / 2, middle)
        if cell.patients is None:
            chart.dot("bubble", centre, diameter, style.paper, style.accent)
        else:
            chart.dot("bubble", centre, diameter, style.accent_light, style.accent)
        x = left + largest + style.indent_mm / 2
        chart.word("trials", _beside(cell, with_patients=patients), x, middle, size_pt=size)
    chart.y += height


def _diameter(cell: MapCell, largest: float, most: int) -> float:
    share = (cell.patients or 0) / most if most else 0.0
    return max(_LEAST_MM, largest * math.sqrt(share))
