"""Column widths of a table, and which columns a page has room for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trial_evidence.figures.canvas.chart import HAIR_MM
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, text_width_mm, wrap
from trial_evidence.figures.forests.forest import BOLD, INDENTED, RESULT, Column, Row
from trial_evidence.words.numbers import EN_DASH

NO_BREAK = "\N{NO-BREAK SPACE}"
# Share of the minimum widths of panel and words that is kept as a last resort.
_LAST_RESORT = 0.6
# Indentation of a row that is part of the one above it, relative to other rows.
_INSET = 3.0


@dataclass(frozen=True)
class Fitting:
    """The columns that a page has room for.

    Parameters
    ----------
    columns
        Columns that stay, with their widths in mm.
    stacked
        Columns whose texts move below those of the first one.
    dropped
        Columns that are left out, because they hold lights and no text.
    """

    columns: Sequence[tuple[Column, float]]
    stacked: Sequence[Column] = ()
    dropped: Sequence[Column] = ()


def fit_columns(columns: Sequence[Column], rows: Sequence[Row], style: Style) -> Fitting:
    """Decide which columns stay, which move below the first one, and which are left out.

    Raises
    ------
    ValueError
        If the columns that must stay leave no room for the panel: numbers are never cut.
    """
    priorities = sorted({c.priority for c in columns if c.priority > 0}, reverse=True)
    # range of priorities that stay, and the share of the minimum widths that is required
    ways = [(-math.inf, last, 1.0) for last in (math.inf, *priorities)]
    ways += [(0, 1, 1.0), (-math.inf, 1, _LAST_RESORT), (0, 1, _LAST_RESORT)]
    for first, last, share in ways:
        kept = [column for column in columns if first <= column.priority < last]
        gone = [column for column in columns if column not in kept]
        under = [column for column in gone if not column.lights]
        own, texts = stacked(kept, rows, under)
        found = Table(own, texts, style).widths(share)
        if found is not None:
            dropped = [column for column in gone if column.lights]
            return Fitting(list(zip(own, found, strict=True)), under, dropped)
    names = ", ".join(f'"{clean(column.header)}"' for column in kept)
    raise ValueError(
        f"the columns {names} leave no room for the plot on a page of {style.width_mm:g} mm: "
        "give some a priority above 0, so that they can go below the first, or use a wider page"
    )


def stacked(
    columns: Sequence[Column], rows: Sequence[Row], under: Sequence[Column]
) -> tuple[list[Column], list[Row]]:
    """Columns and rows with the headings and texts of `under` moved below those of the first."""
    if not under or not columns:
        return list(columns), list(rows)
    first, *others = columns
    headings = "; ".join(clean(column.header) for column in under)

    def below(row: Row) -> tuple[str, ...]:
        texts = [row.text(column) for column in under]
        while texts and not texts[-1]:
            texts.pop()
        # only their order tells which heading a text belongs to
        found = [(text or EN_DASH, column.unit) for text, column in zip(texts, under, strict=False)]
        return tuple(text + unit * text[-1].isdigit() for text, unit in found)

    with_texts = [replace(row, below=below(row)) for row in rows]
    return [replace(first, header=f"{first.header}\n{headings}"), *others], with_texts


def closer(style: Style) -> Style:
    """The style with columns closer together, for a table with many columns.

    A panel that takes up at least a third of a narrow page keeps its width.
    """
    narrow = 3 * style.panel_min_mm >= style.width_mm
    return replace(
        style,
        column_gap_mm=0.65 * style.column_gap_mm,
        panel_gap_mm=0.75 * style.panel_gap_mm,
        panel_min_mm=(1.0 if narrow else 0.8) * style.panel_min_mm,
        text_column_min_mm=0.8 * style.text_column_min_mm,
    )


def pitch_mm(style: Style) -> float:
    """Distance between the centres of two lights in a row."""
    return 1.16 * style.light_mm


@dataclass(frozen=True)
class Table:
    """Columns and rows set in a style; lengths in mm."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    style: Style

    def indent(self, row: Row, column: Column) -> float:
        """Indentation of the text of a cell."""
        if column is not self.columns[0] or row.kind not in INDENTED:
            return 0.0
        return (_INSET if row.inset else 1.0) * self.style.indent_mm

    def cell(self, row: Row, column: Column, room: float) -> tuple[str, ...]:
        """The lines of a cell; numbers are never broken."""
        text = row.text(column)
        if column.align != "left":
            return (text,) if text else ()
        # a column is exactly as wide as its longest line, and rounding must not break that line
        style = self.style
        return wrap(text, room + HAIR_MM, style.text_pt, row.kind in BOLD, style.name_lines)

    def below(self, row: Row, column: Column, room: float) -> tuple[str, ...]:
        """The lines under the first text of a row, broken between texts and never within one."""
        if column is not self.columns[0]:
            return ()
        text = "; ".join(part.replace(" ", NO_BREAK) for part in row.below)
        lines = wrap(text, room + HAIR_MM, self.style.text_pt)
        return tuple(line.replace(NO_BREAK, " ") for line in lines)

    def marks_mm(self, column: Column) -> float:
        """Width reserved for footnote marks after the texts of a column."""
        if column.key != RESULT:
            return 0.0
        return max((text_width_mm(row.mark, self.style.text_pt) for row in self.rows), default=0.0)

    def widths(self, share: float = 1.0) -> list[float] | None:
        """Widths that leave panel and words a share of their minimum widths; None if impossible."""
        style = self.style
        demands = {column.key: self._width(column) for column in self.columns}
        words = [demands[column.key] for column in self.columns if column.align == "left"]
        room = style.width_mm - 2 * style.margin_mm - share * style.panel_min_mm
        for side in ("left", "right"):
            count = sum(column.side == side for column in self.columns)
            # the gap applies even without columns on that side: half a tick label extends beyond
            # the panel
            room -= style.panel_gap_mm + max(0, count - 1) * style.column_gap_mm
        room -= sum(demands[c.key] for c in self.columns if c.align != "left")
        level = _water_level(words, room)
        least = share * style.text_column_min_mm
        if share == 1.0 and self.columns:
            # moving another column under the first one is better than breaking a text there
            parts = [part.replace(" ", NO_BREAK) for row in self.rows for part in row.below]
            longest = max((text_width_mm(part, style.text_pt) for part in parts), default=0.0)
            least = max(least, longest + style.indent_mm if parts else 0.0)
        if level is None or level < least:
            return None
        return [
            self._width(column, level)
            if column.align == "left" and demands[column.key] > level
            else demands[column.key]
            for column in self.columns
        ]

    def _width(self, column: Column, room: float = math.inf) -> float:
        """Width of the longest line once the column's texts are wrapped to a width."""
        size = self.style.text_pt
        widths = [text_width_mm(line, size, True) for line in column.heading(room, size)]
        widths.append(len(column.lights) * pitch_mm(self.style))
        for row in self.rows:
            indent = self.indent(row, column)
            for line in self.below(row, column, room - indent):
                widths.append(indent + text_width_mm(line, size))
            if column is self.columns[0] and self._runs_on(row):
                continue
            for line in self.cell(row, column, room - indent):
                widths.append(indent + text_width_mm(line, size, row.kind in BOLD))
        return max(widths) + self.marks_mm(column)

    def _runs_on(self, row: Row) -> bool:
        """Whether the first text of a row may run beyond its column: the next cell is empty.

        Without another column on the left, the panel with its marks is next.
        """
        second = [column for column in self.columns[1:2] if column.side == "left"]
        return row.kind not in INDENTED and bool(second) and not any(map(row.text, second))


def _water_level(demands: Sequence[float], room: float) -> float | None:
    """The largest width such that columns capped at it fit the room; None if there is none."""
    if room < 0:
        return None
    left = room
    for number, demand in enumerate(sorted(demands)):
        level = left / (len(demands) - number)
        if demand > level:
            return level
        left -= demand
    return math.inf
