"""A matrix of short texts in shaded cells: league tables and heat maps."""

import re
from dataclasses import dataclass

import numpy as np

from trial_evidence.figures.canvas.chart import Chart, Described, rectangle
from trial_evidence.figures.canvas.page import LEAST_POINTS, Page
from trial_evidence.figures.canvas.style import Style, mixed
from trial_evidence.figures.canvas.text import clean, text_width_mm, wrap

_PAD_MM = 0.6
_WIDEST_MM = 24.0
# Maximum share of the page for the words of rows.
_MOST_FOR_WORDS = 0.36
# Type is reduced in these steps until it fits.
_FINER_PT = 0.25


@dataclass(frozen=True)
class Cell:
    """A cell: lines of text, depth of shading (0 none, 1 full), and whether it is bold."""

    lines: tuple[str, ...] = ()
    shade: float = 0.0
    bold: bool = False


@dataclass(frozen=True)
class MatrixRow:
    """A row: its label on the left (may be empty), and one cell per column."""

    words: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix(Described):
    """The description of a matrix.

    Parameters
    ----------
    columns
        Column headings, broken at ``+`` and blanks if necessary; empty for none.
    rows
        Rows from top to bottom.
    above
        Heading above the row labels.
    """

    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    above: str = ""


def layout(matrix: Matrix, style: Style) -> Page | None:
    """Place a matrix on a page; None if a text does not fit its cell at any legible size.

    All columns have the same width. Shading goes from white to the style's pale accent, light
    enough for the text on it.
    """
    chart = Chart(style)
    count = max((len(row.cells) for row in matrix.rows), default=0)
    if not count:
        return None
    words_mm = max(text_width_mm(clean(r.words), style.footnote_pt) for r in matrix.rows)
    words_mm = min(words_mm + 2 * _PAD_MM if words_mm else 0.0, _MOST_FOR_WORDS * style.width_mm)
    pitch = min((chart.right - chart.left - words_mm) / count, _WIDEST_MM)
    size = _fitting(matrix, pitch, style)
    if size is None:
        return None
    chart.title(matrix.title)
    left = chart.left + words_mm
    room = pitch - 2 * _PAD_MM
    columns = [broken(clean(text), room, size) for text in matrix.columns]
    places = [left + (number + 0.5) * pitch for number in range(len(columns))]
    centred = zip(places, columns, strict=True)
    chart.headings("heading", [(x, lines, "center") for x, lines in centred], size)
    if matrix.above and words_mm:
        y = chart.y - chart.leading(size) / 2
        chart.word("heading", clean(matrix.above), chart.left, y, bold=True, size_pt=size)
    chart.y += _PAD_MM if columns else 0.0
    for row in matrix.rows:
        _row(chart, row, left, pitch, words_mm, size)
    chart.y += style.block_gap_mm
    return chart.page(matrix, matrix.footnotes)


def broken(text: str, width_mm: float, size_pt: float) -> tuple[str, ...]:
    """Break a short bold name such as ``A+B seq`` into lines.

    Lines break after ``+`` and at blanks, and after hyphens if necessary; a part wider than the
    room gets its own line regardless.
    """
    parts: list[str] = []
    for part in filter(None, re.split(r"(?<=\+)|(?<= )", text)):
        fits = text_width_mm(part.rstrip(), size_pt, True) <= width_mm
        parts += [part] if fits else filter(None, re.split(r"(?<=-)", part))
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}{part}" if lines else part
        if lines and text_width_mm(joined.rstrip(), size_pt, True) <= width_mm:
            lines[-1] = joined
        else:
            lines.append(part)
    return tuple(line.rstrip() for line in lines)


def _fitting(matrix: Matrix, pitch: float, style: Style) -> float | None:
    """The largest type size, from that of the footnotes down, at which every text fits its cell."""
    room = pitch - 2 * _PAD_MM
    cells = [(line, cell.bold) for row in matrix.rows for cell in row.cells for line in cell.lines]
    for size in np.arange(style.footnote_pt, LEAST_POINTS - _FINER_PT / 2, -_FINER_PT).tolist():
        names = [
            (line, True) for name in matrix.columns for line in broken(clean(name), room, size)
        ]
        if all(text_width_mm(clean(text), size, bold) <= room for text, bold in names + cells):
            return float(size)
    return None


def _row(
    chart: Chart, row: MatrixRow, left: float, pitch: float, words_mm: float, size: float
) -> None:
    style = chart.style
    words = wrap(row.words, words_mm - 2 * _PAD_MM, size) if words_mm else ()
    deepest = max([len(words), *(len(cell.lines) for cell in row.cells), 1])
    height = deepest * chart.leading(size) + 2 * _PAD_MM
    middle = chart.y + height / 2
    chart.word("words", words, chart.left, middle, size_pt=size)
    for number, cell in enumerate(row.cells):
        edge = left + number * pitch
        if cell.shade > 0:
            corners = rectangle(edge, chart.y, edge + pitch, chart.y + height)
            fill = mixed(style.paper, style.accent_pale, cell.shade)
            chart.fill("cell", corners, fill)
        lines = tuple(map(clean, cell.lines))
        chart.word("cell", lines, edge + pitch / 2, middle, "center", cell.bold, size_pt=size)
    chart.y += height
