"""An evidence map: the number of trials and patients for each question."""

import math
from dataclasses import dataclass

from trial_evidence.figures.canvas.chart import Chart, Described
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
    """The trials of one row and column.

    `patients` is None if no trial states the number; `or_more` is true if only some do.
    """

    trials: int
    patients: int | None
    or_more: bool = False


@dataclass(frozen=True)
class MapRow:
    """A row of the map: one cell per column, None if there is no trial."""

    label: str
    cells: tuple[MapCell | None, ...]


@dataclass(frozen=True)
class EvidenceMap(Described):
    """The description of an evidence map: column headings; heading and rows of every group."""

    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[MapRow, ...]], ...]


def layout(described: EvidenceMap, style: Style) -> Page:
    """Place a bubble wherever there are trials, its area proportional to the number of patients.

    Next to every bubble are the number of trials and, if the page is wide enough, of patients.
    Trials that do not state the number of patients get a hollow bubble of minimum size.
    """
    chart = Chart(style)
    chart.title(described.title)
    size = style.footnote_pt
    rows = [row for _, group in described.groups for row in group]
    widest = max((text_width_mm(clean(row.label), size) for row in rows), default=0.0)
    room = chart.right - chart.left
    names = min(widest + style.indent_mm, _NAMES_SHARE * room) + style.indent_mm
    pitch = (room - names) / max(1, len(described.columns))
    lefts = [chart.left + names + at * pitch for at in range(len(described.columns))]
    columns = [wrap(c, pitch - style.indent_mm, style.text_pt, True) for c in described.columns]
    chart.headings("column", [(x, lines, "left") for x, lines in zip(lefts, columns, strict=True)])
    chart.y += style.block_gap_mm / 2
    chart.rule()
    cells = [cell for row in rows for cell in row.cells if cell is not None]
    most = max((cell.patients or 0 for cell in cells), default=0) or 1
    largest = min(_LARGEST_MM, _LARGEST_SHARE * pitch)
    free = pitch - largest - 0.65 * style.indent_mm
    patients = all(text_width_mm(_label(cell, True), size) <= free for cell in cells)
    for heading, group in described.groups:
        chart.y += style.gap_row_mm / 2
        chart.heading(heading)
        for number, row in enumerate(group):
            bubbles = [
                (left, cell, max(_LEAST_MM, largest * math.sqrt((cell.patients or 0) / most)))
                for left, cell in zip(lefts, row.cells, strict=True)
                if cell is not None
            ]
            lines = wrap(row.label, names - 2 * style.indent_mm, size)
            highest = max([len(lines) * chart.leading(size), *(bubble[2] for bubble in bubbles)])
            height = highest + style.indent_mm
            middle = chart.y + height / 2
            if number % 2 == 0:
                chart.band(height)
            chart.word("row", lines, chart.left + style.indent_mm, middle, size_pt=size)
            for left, cell, diameter in bubbles:
                fill = style.paper if cell.patients is None else style.accent_light
                chart.dot("bubble", (left + largest / 2, middle), diameter, fill, style.accent)
                x = left + largest + style.indent_mm / 2
                chart.word("trials", _label(cell, patients), x, middle, size_pt=size)
            chart.y += height
    chart.y += style.block_gap_mm / 2
    chart.rule()
    stated = f"{_BETWEEN}patients in the arms (+: not every trial states them)"
    legend = f"Next to each bubble: trials{stated if patients else ''}."
    if any(cell.patients is None for cell in cells):
        legend += " Hollow: no trial states its patients."
    # On a narrow page all bubbles are close to the minimum size.
    if largest > 2 * _LEAST_MM:
        legend += " The area of a bubble is proportional to the patients, above a minimum size."
    return chart.page(described, [legend, *described.footnotes])


def _label(cell: MapCell, with_patients: bool) -> str:
    if not with_patients or cell.patients is None:
        return f"{cell.trials}"
    return f"{cell.trials}{_BETWEEN}{cell.patients:,}{'+' if cell.or_more else ''}"
