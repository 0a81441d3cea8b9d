"""A matrix of short texts on shaded cells: league tables and heat maps."""

import re
from dataclasses import dataclass
from functools import lru_cache

from trial_evidence.figures.canvas.chart import Chart, rectangle
from trial_evidence.figures.canvas.page import LEAST_POINTS, Page, Polygon
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, text_width_mm, wrap

_PAD_MM = 0.6
# Words of a row may take so much of the page.
_MOST_FOR_WORDS = 0.36


@dataclass(frozen=True)
class Cell:
    """A cell: lines of text, how strongly it is shaded (0 none, 1 full), and whether it is bold."""

    lines: tuple[str, ...] = ()
    shade: float = 0.0
    bold: bool = False


@dataclass(frozen=True)
class MatrixRow:
    """A row: its words at the left, empty for none, and a cell a column."""

    words: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """A matrix, described.

    Parameters
    ----------
    title
        Heading of the figure.
    columns
        Headings of the columns, broken at ``+`` and blanks where they must be; empty for none.
    rows
        Rows from top to bottom.
    above
        What stands above the words of the rows.
    notes, footnotes
        Sentences under the matrix and small print.
    description
        What the figure shows, in words.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    above: str = ""
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(matrix: Matrix, style: Style) -> Page | None:
    """Place a matrix on a page.

    All columns have one width. Shading goes from the paper to the style's light accent, light
    enough for the text on it.

    Parameters
    ----------
    matrix
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page or None
        Every shape and text in mm; None where a cell's text does not fit at the smallest size
        that can be read.
    """
    chart = Chart(style)
    count = max((len(row.cells) for row in matrix.rows), default=0)
    if not count:
        return None
    words_mm = max(text_width_mm(clean(r.words), style.footnote_pt) for r in matrix.rows)
    words_mm = min(words_mm + 2 * _PAD_MM if words_mm else 0.0, _MOST_FOR_WORDS * style.width_mm)
    pitch = (chart.right - chart.left - words_mm) / count
    pitch = min(pitch, 24.0)
    size = _fitting(matrix, pitch, style)
    if size is None:
        return None
    chart.title(matrix.title)
    left = chart.left + words_mm
    headings = [broken(clean(text), pitch - 2 * _PAD_MM, size) for text in matrix.columns]
    deepest = max((len(lines) for lines in headings), default=0)
    leading = chart.leading(size)
    if matrix.above and words_mm:
        y = chart.y + (deepest - 0.5) * leading
        chart.word("heading", clean(matrix.above), chart.left, y, bold=True, size_pt=size)
    for number, lines in enumerate(headings):
        for at, line in enumerate(lines):
            y = chart.y + (deepest - len(lines) + at + 0.5) * leading
            x = left + (number + 0.5) * pitch
            chart.word("heading", line, x, y, "center", True, size_pt=size)
    chart.y += deepest * leading + (_PAD_MM if deepest else 0.0)
    for row in matrix.rows:
        _row(chart, row, left, pitch, words_mm, size)
    chart.y += style.block_gap_mm
    chart.notes(matrix.notes)
    return chart.page(matrix.title, matrix.description, matrix.footnotes)


def broken(text: str, width_mm: float, size_pt: float) -> tuple[str, ...]:
    """Break a name into lines after ``+`` and at blanks, after hyphens where it must be.

    Parameters
    ----------
    text
        A short name such as ``A+B seq``.
    width_mm
        Room in millimetres.
    size_pt
        Font size in points, in the bold cut.

    Returns
    -------
    tuple of str
        The lines; a part longer than the room is a line of its own all the same.
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
    """The largest size, from that of the footnotes down, in which every text fits its cell."""
    room = pitch - 2 * _PAD_MM
    size = style.footnote_pt
    while size >= LEAST_POINTS:
        headings = [line for text in matrix.columns for line in broken(clean(text), room, size)]
        cells = [
            (line, cell.bold) for row in matrix.rows for cell in row.cells for line in cell.lines
        ]
        longest = max(
            (
                text_width_mm(clean(line), size, bold)
                for line, bold in [*((line, True) for line in headings), *cells]
            ),
            default=0.0,
        )
        if longest <= room:
            return size
        size -= 0.25
    return None


def _row(
    chart: Chart, row: MatrixRow, left: float, pitch: float, words_mm: float, size: float
) -> None:
    style = chart.style
    leading = chart.leading(size)
    words = wrap(row.words, words_mm - 2 * _PAD_MM, size) if words_mm else ()
    deepest = max([len(words), *(len(cell.lines) for cell in row.cells), 1])
    height = deepest * leading + 2 * _PAD_MM
    for at, line in enumerate(words):
        y = chart.y + height / 2 + (at + 0.5 - len(words) / 2) * leading
        chart.word("words", line, chart.left, y, size_pt=size)
    for number, cell in enumerate(row.cells):
        edge = left + number * pitch
        if cell.shade > 0:
            corners = rectangle(edge, chart.y, edge + pitch, chart.y + height)
            fill = mixed(style.paper, style.accent_pale, cell.shade)
            chart.bands.append(Polygon("cell", corners, fill, fill, 0.0))
        for at, line in enumerate(cell.lines):
            y = chart.y + height / 2 + (at + 0.5 - len(cell.lines) / 2) * leading
            chart.word("cell", clean(line), edge + pitch / 2, y, "center", cell.bold, size_pt=size)
    chart.y += height


@lru_cache(maxsize=512)
def mixed(one: str, other: str, share: float) -> str:
    """A colour between two, as hex: the first at share 0, the other at 1."""
    share = min(max(share, 0.0), 1.0)
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in pairs)
