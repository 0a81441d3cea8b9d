"""The forest plot on its page: columns of text on both sides of a panel, in millimetres."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from trial_evidence.figures.canvas.axis import Axis, AxisView, Interval, view
from trial_evidence.figures.canvas.chart import HAIR_MM, Chart, Panel, fitting_view, rectangle
from trial_evidence.figures.canvas.page import ANCHORS, Page, Point
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import ELLIPSIS, MM_PER_POINT, clean, text_width_mm
from trial_evidence.figures.forests.forest import BOLD, INDENTED, MUTED, RESULT, Column, Forest, Row
from trial_evidence.figures.forests.widths import Table, closer, fit_columns, pitch_mm, stacked


@dataclass(frozen=True)
class _Placed:
    """A column with its position: left edge and width in mm."""

    column: Column
    x: float
    width: float

    def anchor(self, indent: float = 0.0) -> float:
        """Where its texts are anchored, according to its alignment."""
        return self.x + indent + ANCHORS[self.column.align] * self.width

    def lights(self, style: Style) -> list[float]:
        """The centres of its lights, from left to right."""
        pitch, count = pitch_mm(style), len(self.column.lights)
        first = self.x + (self.width - (count - 1) * pitch) / 2
        return [first + number * pitch for number in range(count)]


def layout(forest: Forest, style: Style, aligned: Sequence[Row] = ()) -> Page:
    """Place everything on the page.

    Rows have the same height, except that each further line of text adds its own height; the page
    is as high as its rows require. Columns are as wide as their texts, and the panel takes the
    rest. On a narrow page words are wrapped first, then the texts of columns with a priority move
    below those of the first column, then panel and words shrink to three fifths of the style's
    minimum widths. Lights are left out, and a footnote says so. Names too long for two lines end
    with an ellipsis and are given in full at the foot.

    Parameters
    ----------
    forest
        The description.
    style
        Sizes and colours.
    aligned
        Rows of another table with the same columns, whose columns should have the same widths.

    Raises
    ------
    ValueError
        If the columns that must stay leave no room for the panel: numbers are never cut.
    """
    forest = forest.numbered() if style.references else forest
    forest = forest.marked() if style.small_print else forest
    rows = tuple(row.tidy() for row in forest.rows)
    wanted = [column for column in forest.columns if column.shown(style)]
    measured = [*rows, *(row.tidy() for row in aligned)]
    fitting = fit_columns(wanted, measured, style)
    if fitting.stacked or fitting.dropped:
        # tighter spacing is worth it if it keeps a column in place
        tight = closer(style)
        found = fit_columns(wanted, measured, tight)
        if len(found.columns) > len(fitting.columns):
            fitting, style = found, tight
    columns, dropped = fitting.columns, [*fitting.dropped]
    if style.width_mm < Style.width_mm:
        dropped += [column for column in forest.columns if column.lights and column not in wanted]
    rows = tuple(stacked(wanted, rows, fitting.stacked)[1])
    placed, panel = _place(columns, rows, forest.axis, style)
    drawing = _Drawing(style, forest.say)
    drawing.columns, drawing.panel = placed, panel
    drawing.table = Table([column for column, _ in columns], rows, style)
    drawing.headline(forest.title)
    drawing.header()
    top = drawing.y
    centres = drawing.rows(rows)
    panel = replace(panel, top=top, bottom=drawing.y + style.row_mm / 4)
    drawing.x_axis(panel)
    if forest.overall is not None and math.isfinite(forest.overall):
        ends = [y for row, y in zip(rows, centres, strict=True) if row.kind == "overall"]
        bottom = ends[0] if ends else panel.bottom
        look = {"colour": style.accent, "width_pt": style.hair_pt, "dashed": True}
        drawing.upright("overall", panel, forest.overall, bottom, **look)
    small = [*forest.footnotes, *(place.column.note for place in placed if place.column.note)]
    if dropped:
        names = "; ".join(clean(column.header) for column in dropped)
        small.append(forest.say("Left out at this width: {names}.", names=names))
    return drawing.page(forest, small)


def _place(
    columns: Sequence[tuple[Column, float]], rows: Sequence[Row], axis: Axis, style: Style
) -> tuple[list[_Placed], Panel]:
    """Place columns from the page's edges inward, and the panel between them."""
    left, right = style.margin_mm, style.width_mm - style.margin_mm
    # the labels of the outermost ticks extend beyond the panel
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
    seen = fitting_view(partial(_view, axis, rows), last - first, style.text_pt)
    # its top and bottom are known once the rows are placed
    return [placed[column.key] for column, _ in columns], Panel(first, 0.0, last, 0.0, seen, axis)


def _view(axis: Axis, rows: Sequence[Row], most: int = 7) -> AxisView:
    found = [(row.kind, Interval(row.estimate, row.low, row.high, row.weight)) for row in rows]
    trials, shown = ([of for kind, of in found if kind == own] for own in ("trial", "unpooled"))
    pooled = [of for kind, of in found if kind not in ("trial", "unpooled")]
    pooled += [Interval(None, *row.prediction, None) for row in rows if row.prediction is not None]
    return view(axis, trials, pooled, shown, most)


class _Drawing(Chart):
    """A chart whose panel is between the columns of a table."""

    columns: Sequence[_Placed]
    panel: Panel
    table: Table

    def header(self) -> None:
        """Column headings aligned at the bottom, those of lights below their column's."""
        style, headings = self.style, []
        for placed in self.columns:
            column, lights = placed.column, placed.column.lights
            lines = column.heading(placed.width + HAIR_MM, style.text_pt) + [""] * bool(lights)
            anchor = placed.anchor() - self.table.marks_mm(column)
            headings.append((anchor, lines, column.align))
            headings += [
                (x, [light], "center")
                for x, light in zip(placed.lights(style), lights, strict=True)
            ]
        self.y += self.leading() / 3
        self.headings("header", headings)
        self.y += self.leading() / 3
        self.rule()

    def rows(self, rows: Sequence[Row]) -> list[float]:
        """Draw the rows and return the y of their centres."""
        heaviest = max((row.weight or 0.0 for row in rows if row.kind == "trial"), default=0.0)
        centres = []
        banded = False
        for row in rows:
            banded = row.kind in INDENTED and not banded
            if row.kind == "gap":
                centres.append(self.y)
                self.y += self.style.gap_row_mm
                continue
            centres.append(self.y + self.style.row_mm / 2)
            self._marks(row, centres[-1], heaviest)
            self._row(row, banded)
        return centres

    def _row(self, row: Row, banded: bool) -> None:
        style, table, leading = self.style, self.table, self.leading()
        middle = self.y + style.row_mm / 2
        colour = style.muted if row.kind in MUTED else style.ink
        deepest = 1
        for placed in self.columns:
            column = placed.column
            for x, judgement in zip(placed.lights(style), row.lights, strict=False):
                self.light("light", judgement, (x, middle))
            indent = table.indent(row, column)
            room = placed.width - indent
            if row.kind not in INDENTED and placed is self.columns[0]:
                room = max(room, self._room_to_run(row))
            lines = table.cell(row, column, room)
            if lines and lines[-1].endswith(ELLIPSIS) and not row.text(column).endswith(lines[-1]):
                self.cut_short(row.text(column))
            below = table.below(row, column, placed.width - indent)
            deepest = max(deepest, len(lines) + len(below))
            # the first line is level with the marks, further lines are below it
            y = middle + (len(lines) - 1) / 2 * leading
            x = placed.anchor(indent) - table.marks_mm(column)
            if column.key == RESULT:
                self.word("mark", row.mark, x, middle, "left", False, colour)
            self.word("cell", lines, x, y, column.align, row.kind in BOLD, colour)
            y += (len(lines) + len(below)) / 2 * leading
            self.word("cell", below, x, y, column.align, False, style.muted)
        height = style.row_mm + (deepest - 1) * leading
        if banded:
            self.band(height)
        self.y += height

    def _room_to_run(self, row: Row) -> float:
        """Width from the first column to the next text in its row, or to the panel."""
        first, *others = self.columns
        if first.column.side == "right":
            return first.width
        occupied = [
            placed.x - self.style.column_gap_mm
            for placed in others
            if placed.column.side == "left" and row.text(placed.column)
        ]
        return min([self.panel.left - self.style.panel_gap_mm / 2, *occupied]) - first.x

    def _marks(self, row: Row, y: float, heaviest: float) -> None:
        style = self.style
        diamonds = {
            "pooled": (style.subtotal_mm, style.paper),
            "subtotal": (style.subtotal_mm, style.paper),
            "overall": (style.overall_mm, style.accent),
            "secondary": (style.secondary_mm, style.accent_pale),
        }
        if row.prediction is not None:
            self._bar(*row.prediction, y)
        if row.kind == "prediction" and row.low is not None and row.high is not None:
            self._bar(row.low, row.high, y)
        elif row.kind in diamonds:
            self._diamond(row, y, *diamonds[row.kind])
        elif row.kind in ("trial", "unpooled"):
            self._trial(row, y, heaviest)

    def _trial(self, row: Row, y: float, heaviest: float) -> None:
        """The interval as a line and the estimate as a square, hollow if it has no weight."""
        style, panel = self.style, self.panel
        colour = style.ink if row.kind == "trial" else style.muted
        ends = [panel.x_mm(end) for end in (row.low, row.estimate, row.high) if end is not None]
        if ends:
            first, last = self._arrows(min(ends), max(ends), y, colour)
            if first < last:
                self.line("interval", (first, y), (last, y), colour, style.interval_pt)
        if row.estimate is None or not panel.spans(panel.x_mm(row.estimate)):
            return
        side, fill, outline = style.square_unweighted_mm, style.paper, colour
        if row.kind == "trial" and row.weight is not None:
            share = row.weight / heaviest if heaviest > 0 else 1.0
            side = max(style.square_min_mm, style.square_max_mm * math.sqrt(max(share, 0.0)))
            fill, outline = colour, ""
        x, half = panel.x_mm(row.estimate), side / 2
        corners = rectangle(x - half, y - half, x + half, y + half)
        self.shape("square", corners, fill, outline, style.outline_pt)
        if fill == colour and x - half <= first < last <= x + half:
            # an interval that its square would hide, drawn in white on top
            thin = style.interval_pt * MM_PER_POINT / 2
            self.shape("interval", rectangle(first, y - thin, last, y + thin), style.paper)

    def _diamond(self, row: Row, y: float, height: float, fill: str) -> None:
        """A diamond, clipped with an arrowhead where it extends beyond the axis."""
        if row.estimate is None:
            return
        ends = (row.estimate if end is None else end for end in (row.low, row.high))
        start, middle, end = map(self.panel.x_mm, sorted((row.estimate, *ends)))
        style, half = self.style, height / 2
        first, last = self._arrows(start, end, y, style.accent)
        kept = _cut([(start, y), (middle, y - half), (end, y), (middle, y + half)], first, last)
        if len(kept) > 2:
            self.shape("diamond", kept, fill, style.accent, style.outline_pt)

    def _bar(self, low: float, high: float, y: float) -> None:
        colour, half = self.style.accent_light, self.style.prediction_mm / 2
        first, last = self._arrows(self.panel.x_mm(low), self.panel.x_mm(high), y, colour)
        if first < last:
            self.shape("bar", rectangle(first, y - half, last, y + half), colour)

    def _arrows(self, start: float, end: float, y: float, colour: str) -> tuple[float, float]:
        """Draw arrowheads where an interval runs off the axis; return its visible ends."""
        length, half = self.style.arrow_mm, self.style.arrow_mm * 0.45
        left, right = self.panel.left, self.panel.right
        first = left + length if start < left - HAIR_MM else start
        last = right - length if end > right + HAIR_MM else end
        for edge, foot, stretch in ((left, first, start), (right, last, end)):
            if foot != stretch:
                self.shape("arrow", ((edge, y), (foot, y - half), (foot, y + half)), colour)
        return first, last


def _cut(corners: Sequence[Point], left: float, right: float) -> list[Point]:
    """The part of a shape between two vertical lines (Sutherland and Hodgman 1974)."""
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
