"""How wide the columns of a table are, and which of them a page has room for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from trial_evidence.figures.canvas.chart import HAIR_MM
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, text_width_mm, wrap
from trial_evidence.figures.forests.forest import BOLD, INDENTED, Column, Row

# Share of the least widths of panel and words that is left when nothing else helps.
_LAST_RESORT = 0.6


def fit_columns(
    columns: Sequence[Column], rows: Sequence[Row], style: Style
) -> tuple[list[tuple[Column, float]], list[Column]]:
    """Columns that stay, with their widths in mm, and those that had to go.

    Raises
    ------
    ValueError
        If the columns that must stay leave no room for the panel: figures are never cut.
    """
    priorities = sorted({c.priority for c in columns if c.priority > 0}, reverse=True)
    # what stays, from the first priority to below the last, and how wide the rest is to be
    ways = [(-math.inf, last, 1.0) for last in (math.inf, *priorities)]
    ways += [(-math.inf, 1, _LAST_RESORT), (0, 1, _LAST_RESORT)]
    for first, last, share in ways:
        kept = [column for column in columns if first <= column.priority < last]
        found = Table(kept, rows, style).widths(share)
        if found is not None:
            dropped = [column for column in columns if column not in kept]
            dropped.sort(key=attrgetter("priority"), reverse=True)
            return list(zip(kept, found, strict=True)), dropped
    names = ", ".join(f'"{clean(column.header)}"' for column in kept)
    raise ValueError(
        f"the columns {names} leave no room for the plot on a page of {style.width_mm:g} mm: "
        "give some a priority above 0, so that they may be left out, or use a wider page"
    )


def closer(style: Style) -> Style:
    """The style with columns nearer to each other, for a table that has many."""
    return replace(
        style,
        column_gap_mm=0.65 * style.column_gap_mm,
        panel_gap_mm=0.75 * style.panel_gap_mm,
        panel_min_mm=0.8 * style.panel_min_mm,
        text_column_min_mm=0.8 * style.text_column_min_mm,
    )


def pitch_mm(style: Style) -> float:
    """Distance between the centres of two lights in a row."""
    return 1.16 * style.light_mm


@dataclass(frozen=True)
class Table:
    """Columns and rows as a style sets them; lengths in mm."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    style: Style

    def indent(self, row: Row, column: Column) -> float:
        """How far the text of a cell stands from the left edge of its column."""
        first = column is self.columns[0]
        return self.style.indent_mm if first and row.kind in INDENTED else 0.0

    def cell(self, row: Row, column: Column, room: float) -> tuple[str, ...]:
        """The lines of a cell; figures are never broken."""
        text = row.text(column)
        if column.align != "left":
            return (text,) if text else ()
        # a column is exactly as wide as its longest line, and rounding must not break that line
        style = self.style
        return wrap(text, room + HAIR_MM, style.text_pt, row.kind in BOLD, style.name_lines)

    def widths(self, share: float = 1.0) -> list[float] | None:
        """Widths that leave panel and words a share of their least widths; None if none do."""
        style = self.style
        demands = {column.key: self._width(column) for column in self.columns}
        words = [demands[column.key] for column in self.columns if column.align == "left"]
        room = style.width_mm - 2 * style.margin_mm - share * style.panel_min_mm
        for side in ("left", "right"):
            count = sum(column.side == side for column in self.columns)
            # a panel without neighbours keeps the gap too: half a tick label hangs over its edge
            room -= style.panel_gap_mm + max(0, count - 1) * style.column_gap_mm
        room -= sum(demands[c.key] for c in self.columns if c.align != "left")
        level = _water_level(words, room)
        if level is None or level < share * style.text_column_min_mm:
            return None
        return [
            self._width(column, level)
            if column.align == "left" and demands[column.key] > level
            else demands[column.key]
            for column in self.columns
        ]

    def _width(self, column: Column, room: float = math.inf) -> float:
        """Width that the longest line takes once the column's texts are wrapped to a width."""
        size = self.style.text_pt
        widths = [text_width_mm(line, size, True) for line in column.heading(room, size)]
        widths.append(len(column.lights) * pitch_mm(self.style))
        for row in self.rows:
            if column is self.columns[0] and self._runs_on(row):
                continue
            indent = self.indent(row, column)
            for line in self.cell(row, column, room - indent):
                widths.append(indent + text_width_mm(line, size, row.kind in BOLD))
        return max(widths)

    def _runs_on(self, row: Row) -> bool:
        """Whether the first text of a row may run beyond its column: the next cell is empty."""
        beside = [column for column in self.columns[1:2] if column.side == "left"]
        return row.kind not in INDENTED and not any(map(row.text, beside))


def _water_level(demands: Sequence[float], room: float) -> float | None:
    """The largest width such that columns cut to it share the room; None if there is none."""
    if room < 0:
        return None
    left = room
    for number, demand in enumerate(sorted(demands)):
        level = left / (len(demands) - number)
        if demand > level:
            return level
        left -= demand
    return math.inf
