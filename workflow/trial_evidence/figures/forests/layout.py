"""The forest plot on its page: columns of text beside a panel, in millimetres."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trial_evidence.figures.canvas.axis import Axis, AxisView, Interval, view
from trial_evidence.figures.canvas.chart import (
    HAIR_MM,
    Chart,
    Panel,
    labels_fit,
    rectangle,
)
from trial_evidence.figures.canvas.page import Page, Point, Polygon
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import ELLIPSIS, clean, text_width_mm, wrap
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.figures.forests.widths import Table, closer, fit_columns, pitch_mm


@dataclass(frozen=True)
class _Placed:
    """A column with its place: left edge and width in mm."""

    column: Column
    x: float
    width: float

    def anchor(self, indent: float = 0.0) -> float:
        """Where its texts are anchored, by its alignment."""
        share = {"left": 0.0, "center": 0.5, "right": 1.0}[self.column.align]
        return self.x + indent + share * self.width

    def lights(self, style: Style) -> list[float]:
        """The centres of its lights, from left to right."""
        pitch, count = pitch_mm(style), len(self.column.lights)
        first = self.x + (self.width - (count - 1) * pitch) / 2
        return [first + number * pitch for number in range(count)]


def layout(forest: Forest, style: Style, aligned: Sequence[Row] = ()) -> Page:
    """Place everything on the page.

    Rows have one height, and those with a name wrapped to two lines one line more; the page is as
    high as its rows ask. Columns are as wide as their texts, the panel takes the rest. On a narrow
    page words are wrapped first, then columns with a priority are left out (and said to be), then
    panel and words shrink to three fifths of the style's least widths. Names too long for two
    lines end with an ellipsis and stand in full at the foot.

    Parameters
    ----------
    forest
        The description.
    style
        Sizes and colours.
    aligned
        Rows of another table with the same columns, whose columns are to have the same widths.

    Raises
    ------
    ValueError
        If the columns that must stay leave no room for the panel: figures are never cut.
    """
    rows = tuple(row.tidy() for row in forest.rows)
    wanted = [column for column in forest.columns if style.risk_of_bias or not column.lights]
    measured = [*rows, *(row.tidy() for row in aligned)]
    columns, dropped = fit_columns(wanted, measured, style)
    if any(column.lights for column in dropped):
        # lights need little room, and their place beside the plot is worth closer columns
        tight = closer(style)
        found = fit_columns(wanted, measured, tight)
        if len(found[1]) < len(dropped):
            (columns, dropped), style = found, tight
    placed, panel = _place(columns, rows, forest.axis, style)
    drawing = _Drawing(style, forest.phrases)
    drawing.headline(forest.title)
    drawing.header(placed)
    top = drawing.y
    centres = drawing.rows(rows, placed, panel)
    panel = replace(panel, top=top, bottom=drawing.y + style.row_mm / 4)
    drawing.x_axis(panel, forest.axis)
    if forest.overall is not None and math.isfinite(forest.overall):
        ends = [y for row, y in zip(rows, centres, strict=True) if row.kind == "overall"]
        drawing.guide(panel, forest.overall, ends[0] if ends else panel.bottom)
    notes = [place.column.note for place in placed if place.column.note]
    if dropped:
        names = "; ".join(clean(column.header) for column in dropped)
        notes.append(forest.phrases.left_out.replace("{names}", names))
    drawing.notes(forest.notes)
    return drawing.page(forest.title, forest.description, [*forest.footnotes, *notes])


def _place(
    columns: Sequence[tuple[Column, float]], rows: Sequence[Row], axis: Axis, style: Style
) -> tuple[list[_Placed], Panel]:
    """Columns from the page's edges inward; the panel between them."""
    left, right = style.margin_mm, style.width_mm - style.margin_mm
    # the labels of the outermost ticks hang over the edges of the panel
    half = max(text_width_mm(t.label, style.text_pt) for t in _view(axis, rows).ticks) / 2
    first, last = left + half, right - half
    placed = {}
    for column, width in columns:
        if column.side == "left":
            placed[column.key] = _Placed(column, left, width)
            left += width + style.column_gap_mm
            first = max(first, left + style.panel_gap_mm - style.column_gap_mm)
    for column, width in reversed(columns):
        if column.side == "right":
            placed[column.key] = _Placed(column, right - width, width)
            right -= width + style.column_gap_mm
            last = min(last, right - (style.panel_gap_mm - style.column_gap_mm))
    panel = _panel(first, last, axis, rows, style)
    return [placed[column.key] for column, _ in columns], panel


def _view(axis: Axis, rows: Sequence[Row], most: int = 7) -> AxisView:
    def intervals(*kinds: RowKind) -> list[Interval]:
        return [
            Interval(row.estimate, row.low, row.high, row.weight)
            for row in rows
            if row.kind in kinds
        ]

    pooled = intervals("pooled", "subtotal", "overall", "secondary", "prediction")
    pooled += [Interval(None, *row.prediction, None) for row in rows if row.prediction is not None]
    return view(axis, intervals("trial"), pooled, intervals("unpooled"), most)


def _panel(left: float, right: float, axis: Axis, rows: Sequence[Row], style: Style) -> Panel:
    """The panel with as many ticks, seven at most, as its labels have room for."""
    views = (_view(axis, rows, most) for most in (7, 6, 5, 4))
    fitting = (seen for seen in views if labels_fit(seen, right - left, style.text_pt))
    seen = next(fitting, None) or _view(axis, rows, 3)
    # how far it reaches down is known once the rows are placed
    return Panel(left, 0.0, right, 0.0, seen, axis.scale)


class _Drawing(Chart):
    """A chart whose panel stands between the columns of a table."""

    def header(self, columns: Sequence[_Placed]) -> None:
        """Headings on one foot line, those of lights one by one under their column's."""
        style, leading = self.style, self.leading(self.style.text_pt)
        headers = [
            [
                line
                for part in placed.column.header_lines
                for line in wrap(part, placed.width + HAIR_MM, style.text_pt, True)
            ]
            + [""] * bool(placed.column.lights)
            for placed in columns
        ]
        self.y += leading / 3
        bottom = self.y + leading * max(map(len, headers), default=0)
        for placed, lines in zip(columns, headers, strict=True):
            for number, line in enumerate(lines):
                middle = bottom - leading * (len(lines) - number - 0.5)
                self.word("header", line, placed.anchor(), middle, placed.column.align, True)
            for x, light in zip(placed.lights(style), placed.column.lights, strict=True):
                self.word("header", light, x, bottom - leading / 2, "center", True)
        self.y = bottom + leading / 3
        self.rule()

    def rows(self, rows: Sequence[Row], columns: Sequence[_Placed], panel: Panel) -> list[float]:
        """Draw the rows; the y of their centres comes back."""
        heaviest = max((row.weight or 0.0 for row in rows if row.kind == "trial"), default=0.0)
        table = Table([placed.column for placed in columns], rows, self.style)
        centres = []
        banded = False
        for row in rows:
            banded = row.look.banded and not banded
            if row.kind == "gap":
                centres.append(self.y)
                self.y += self.style.gap_row_mm
                continue
            centres.append(self.y + self.style.row_mm / 2)
            self._marks(row, panel, centres[-1], heaviest)
            self._row(row, table, columns, panel, banded)
        return centres

    def guide(self, panel: Panel, value: float, bottom: float) -> None:
        """The dashed line at the overall result."""
        x = panel.x_mm(value)
        if panel.spans(x):
            ends = ((x, panel.top), (x, bottom))
            self.line("overall", *ends, self.style.accent, self.style.hair_pt, dashed=True)

    def _row(
        self, row: Row, table: Table, columns: Sequence[_Placed], panel: Panel, banded: bool
    ) -> None:
        style, look = self.style, row.look
        leading = self.leading(style.text_pt)
        middle = self.y + style.row_mm / 2
        colour = style.muted if look.muted else style.ink
        deepest = 1
        for placed in columns:
            column = placed.column
            for x, judgement in zip(placed.lights(style), row.lights, strict=False):
                self.light("light", judgement, (x, middle))
            indent = table.indent(row, column)
            room = placed.width - indent
            if look.runs_on and placed is columns[0]:
                room = max(room, self._room_to_run(row, columns, panel))
            lines = table.cell(row, column, room)
            if lines and lines[-1].endswith(ELLIPSIS) and not row.text(column).endswith(lines[-1]):
                self.cut_short(row.text(column))
            deepest = max(deepest, len(lines))
            x = placed.anchor(indent)
            for number, line in enumerate(lines):
                y = middle + number * leading
                self.word("cell", line, x, y, column.align, look.bold, colour)
        height = style.row_mm + (deepest - 1) * leading
        if banded:
            self.band(height)
        self.y += height

    def _room_to_run(self, row: Row, columns: Sequence[_Placed], panel: Panel) -> float:
        """Width from the first column to the next text in its row, or to the panel."""
        first, *others = columns
        if first.column.side == "right":
            return first.width
        occupied = [
            placed.x - self.style.column_gap_mm
            for placed in others
            if placed.column.side == "left" and row.text(placed.column)
        ]
        return min([panel.left - self.style.panel_gap_mm / 2, *occupied]) - first.x

    def _marks(self, row: Row, panel: Panel, y: float, heaviest: float) -> None:
        style = self.style
        diamonds = {
            "pooled": (style.subtotal_mm, style.paper),
            "subtotal": (style.subtotal_mm, style.paper),
            "overall": (style.overall_mm, style.accent),
            "secondary": (style.secondary_mm, style.accent_pale),
        }
        if row.prediction is not None:
            self._bar(*row.prediction, panel, y)
        if row.kind == "prediction" and row.low is not None and row.high is not None:
            self._bar(row.low, row.high, panel, y)
        elif row.kind in diamonds:
            self._diamond(row, panel, y, *diamonds[row.kind])
        elif row.kind in ("trial", "unpooled"):
            colour = style.ink if row.kind == "trial" else style.muted
            self._whiskers(row, panel, y, colour)
            if row.kind == "unpooled" or row.weight is None:
                self._square(row, panel, y, style.square_unweighted_mm, style.paper, colour)
            else:
                share = row.weight / heaviest if heaviest > 0 else 1.0
                side = max(style.square_min_mm, style.square_max_mm * math.sqrt(max(share, 0.0)))
                self._square(row, panel, y, side, colour, colour)

    def _whiskers(self, row: Row, panel: Panel, y: float, colour: str) -> None:
        """The interval as a line, with a head at each end of the axis that it runs past."""
        ends = [end for end in (row.low, row.estimate, row.high) if end is not None]
        if ends:
            start, end = panel.x_mm(min(ends)), panel.x_mm(max(ends))
            first, last = self._arrows(start, end, panel, y, colour)
            if first < last:
                self.line("interval", (first, y), (last, y), colour, self.style.interval_pt)

    def _square(
        self, row: Row, panel: Panel, y: float, side: float, fill: str, outline: str
    ) -> None:
        if row.estimate is None or not panel.spans(panel.x_mm(row.estimate)):
            return
        x, half = panel.x_mm(row.estimate), side / 2
        corners = rectangle(x - half, y - half, x + half, y + half)
        width = self.style.outline_pt if fill != outline else 0.0
        self.polygons.append(Polygon("square", corners, fill, outline, width))

    def _diamond(self, row: Row, panel: Panel, y: float, height: float, fill: str) -> None:
        """Cut off where it leaves the axis; a head says that it runs on."""
        if row.estimate is None:
            return
        ends = (row.estimate if end is None else end for end in (row.low, row.high))
        start, middle, end = map(panel.x_mm, sorted((row.estimate, *ends)))
        style, half = self.style, height / 2
        first, last = self._arrows(start, end, panel, y, style.accent)
        kept = _cut([(start, y), (middle, y - half), (end, y), (middle, y + half)], first, last)
        if len(kept) > 2:
            diamond = Polygon("diamond", tuple(kept), fill, style.accent, style.outline_pt)
            self.polygons.append(diamond)

    def _bar(self, low: float, high: float, panel: Panel, y: float) -> None:
        colour, half = self.style.accent_light, self.style.prediction_mm / 2
        first, last = self._arrows(panel.x_mm(low), panel.x_mm(high), panel, y, colour)
        if first < last:
            self.shape("bar", rectangle(first, y - half, last, y + half), colour)

    def _arrows(
        self, start: float, end: float, panel: Panel, y: float, colour: str
    ) -> tuple[float, float]:
        """Heads at the ends of the axis that a stretch runs past; what is left of it comes back."""
        length, half = self.style.arrow_mm, self.style.arrow_mm * 0.45
        first, last = start, end
        if start < panel.left - HAIR_MM:
            first = panel.left + length
            corners = ((panel.left, y), (first, y - half), (first, y + half))
            self.shape("arrow", corners, colour)
        if end > panel.right + HAIR_MM:
            last = panel.right - length
            corners = ((panel.right, y), (last, y - half), (last, y + half))
            self.shape("arrow", corners, colour)
        return first, last


def _cut(corners: Sequence[Point], left: float, right: float) -> list[Point]:
    """The part of a shape between two uprights (Sutherland and Hodgman 1974)."""
    kept = list(corners)
    for edge, side in ((left, 1), (right, -1)):
        before, kept = kept, []
        for here, there in zip(before, [*before[1:], *before[:1]], strict=True):
            inside = side * (here[0] - edge) >= 0
            if inside:
                kept.append(here)
            if inside != (side * (there[0] - edge) >= 0):
                share = (edge - here[0]) / (there[0] - here[0])
                kept.append((edge, here[1] + share * (there[1] - here[1])))
    return kept
