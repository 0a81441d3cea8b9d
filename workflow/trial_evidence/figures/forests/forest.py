"""The forest plot: a plain description of columns and rows, laid out in millimetres."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from trial_evidence.figures.canvas.axis import Axis, AxisView, Interval, view
from trial_evidence.figures.canvas.chart import (
    FAR_MM,
    HAIR_MM,
    PHRASES,
    Chart,
    Judgement,
    Panel,
    Phrases,
    labels_fit,
    rectangle,
)
from trial_evidence.figures.canvas.page import Align, Format, Page, Point, Polygon, save_page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    ELLIPSIS,
    clean,
    text_width_mm,
    wrap,
)

RowKind = Literal[
    "heading",
    "trial",
    "unpooled",
    "pooled",
    "subtotal",
    "overall",
    "secondary",
    "prediction",
    "text",
    "gap",
]


@dataclass(frozen=True)
class Column:
    """A column of text beside the panel.

    Parameters
    ----------
    key
        Name by which rows give their text for this column.
    header
        Heading; ``\\n`` breaks it into lines.
    align
        Left-aligned columns hold words: on a narrow page they are wrapped to two lines. Others
        hold figures and are never broken or cut.
    side
        Side of the panel.
    priority
        0 stays on any page. When a page is too narrow, the columns of the highest priority go
        first, all that share it together (one arm's events are of no use without the other's);
        columns below 0 go last, when nothing else leaves room for the panel.
    lights
        Headings of discs that stand in the column in place of text, as risk-of-bias judgements
        do; a style decides whether they are drawn.
    note
        Small print that explains the column, printed where the column is.
    """

    key: str
    header: str
    align: Align
    side: Literal["left", "right"]
    priority: int = 0
    lights: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Parameters
    ----------
    kind
        What the row is, which decides how it looks: heading of a subgroup; trial; unpooled (shown,
        but not in any pooled result); pooled (one pooled result among others, set like a trial);
        subtotal; overall; secondary (another model's overall
        result); prediction (interval for a new trial); text; gap (half a row of nothing).
    texts
        Text by column key; a missing key is an empty cell.
    estimate, low, high
        Estimate and limits on the analysis scale (log ratio, difference or logit); None or NaN
        where not known, infinite where a limit does not exist.
    weight
        Weight in percent, which the area of a trial's square follows; None for a hollow square.
    lights
        Judgements for the column that has lights, one for each; empty for none.
    prediction
        Limits of a prediction interval, drawn as a bar behind the row's own mark; None for none.
    """

    kind: RowKind
    texts: Mapping[str, str] = field(default_factory=dict)
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    lights: tuple[Judgement, ...] = ()
    prediction: tuple[float, float] | None = None


@dataclass(frozen=True)
class Forest:
    """A forest plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    columns
        From left to right on either side; the first is the one that headings may run beyond.
    rows
        From top to bottom.
    axis
        The panel's axis.
    overall
        Value on the analysis scale that a dashed line marks down to the first overall row.
    notes
        Sentences under the axis, in the size of the table.
    footnotes
        Small print at the foot.
    description
        What the figure shows, in words, for readers who do not see it.
    phrases
        What the page says of itself.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    axis: Axis
    overall: float | None = None
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""
    phrases: Phrases = PHRASES


@dataclass(frozen=True)
class _Look:
    """How the text of a kind of row is set."""

    bold: bool = False
    muted: bool = False
    indented: bool = False
    banded: bool = False
    runs_on: bool = False


_LOOKS: Mapping[RowKind, _Look] = {
    "heading": _Look(bold=True, runs_on=True),
    "trial": _Look(indented=True, banded=True),
    "unpooled": _Look(indented=True, banded=True, muted=True),
    "pooled": _Look(indented=True, banded=True),
    "subtotal": _Look(bold=True, runs_on=True),
    "overall": _Look(bold=True, runs_on=True),
    "secondary": _Look(runs_on=True),
    "prediction": _Look(muted=True, runs_on=True),
    "text": _Look(runs_on=True),
    "gap": _Look(),
}


# Share of the least widths of panel and words that is left when nothing else helps.
_LAST_RESORT = 0.6


@dataclass(frozen=True)
class _Placed:
    """A column with its place: left edge and width in mm."""

    column: Column
    x: float
    width: float

    @property
    def anchor(self) -> float:
        """Where its texts are anchored, by its alignment."""
        return (
            self.x + {"left": 0.0, "center": self.width / 2, "right": self.width}[self.column.align]
        )


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

    Returns
    -------
    Page
        Every shape and text in mm.

    Raises
    ------
    ValueError
        If the columns that must stay leave no room for the panel: figures are never cut.
    """
    rows = tuple(_tidy(row) for row in forest.rows)
    wanted = [column for column in forest.columns if style.risk_of_bias or not column.lights]
    measured = [*rows, *map(_tidy, aligned)]
    columns, dropped = _fit_columns(wanted, measured, style)
    if any(column.lights for column in dropped):
        # lights need little room, and their place beside the plot is worth closer columns
        tight = closer(style)
        found = _fit_columns(wanted, measured, tight)
        if len(found[1]) < len(dropped):
            (columns, dropped), style = found, tight
    placed, panel = _place(columns, rows, forest.axis, style)
    table = _Table(style, forest.phrases)
    table.headline(forest.title)
    table.header(placed)
    top = table.y
    centres = table.rows(rows, placed, panel)
    panel = replace(panel, top=top, bottom=table.y + style.row_mm / 4)
    table.axis_line(panel)
    table.reference(panel, forest.axis)
    table.ticks(panel)
    if forest.overall is not None and math.isfinite(forest.overall):
        ends = [y for row, y in zip(rows, centres, strict=True) if row.kind == "overall"]
        table.guide(panel, forest.overall, ends[0] if ends else panel.bottom)
    table.favours(panel, forest.axis)
    table.under_panel(panel, forest.axis.label)
    footnotes = [
        *forest.footnotes,
        *(placed.column.note for placed in placed if placed.column.note),
    ]
    if dropped:
        names = "; ".join(clean(column.header) for column in dropped)
        footnotes.append(forest.phrases.left_out.replace("{names}", names))
    table.notes(forest.notes)
    return table.page(forest.title, forest.description, footnotes)


def save(
    forest: Forest, stem: Path, style: Style, formats: Sequence[Format] = ("svg", "pdf", "png")
) -> None:
    """Lay out, draw and save a forest plot; see `layout` and `page.save_page`.

    Parameters
    ----------
    forest
        The description.
    stem
        Path without suffix.
    style
        Sizes and colours.
    formats
        Suffixes of the files to write: all are written, or none.
    """
    save_page(layout(forest, style), stem, formats)


def _tidy(row: Row) -> Row:
    """The row with its texts on one line and NaN turned into None."""

    def known(value: float | None) -> float | None:
        return None if value is None or math.isnan(value) else float(value)

    return replace(
        row,
        texts={key: clean(text) for key, text in row.texts.items()},
        estimate=known(row.estimate),
        low=known(row.low),
        high=known(row.high),
        weight=known(row.weight),
    )


def _indent(row: Row, column: Column, columns: Sequence[Column], style: Style) -> float:
    return style.indent_mm if column is columns[0] and _LOOKS[row.kind].indented else 0.0


def _runs_on(row: Row, columns: Sequence[Column]) -> bool:
    """Whether the first text of a row may run beyond its column: the next cell is empty."""
    beside = columns[1:2]
    return _LOOKS[row.kind].runs_on and not any(
        column.side == "left" and row.texts.get(column.key) for column in beside
    )


def _demand(column: Column, columns: Sequence[Column], rows: Sequence[Row], style: Style) -> float:
    """Width in mm at which nothing in the column has to be broken."""
    widths = [text_width_mm(clean(line), style.text_pt, True) for line in _lines(column.header)]
    widths.append(len(column.lights) * _pitch_mm(style))
    for row in rows:
        look = _LOOKS[row.kind]
        if column is columns[0] and _runs_on(row, columns):
            continue
        width = text_width_mm(row.texts.get(column.key, ""), style.text_pt, look.bold)
        widths.append(width + _indent(row, column, columns, style))
    return max(widths, default=0.0)


def _pitch_mm(style: Style) -> float:
    """Distance between the centres of two lights in a row."""
    return 1.16 * style.light_mm


def _lines(header: str) -> list[str]:
    return [clean(line) for line in header.split("\n")]


def _fit_columns(
    columns: Sequence[Column], rows: Sequence[Row], style: Style
) -> tuple[list[tuple[Column, float]], list[Column]]:
    """Columns that stay, with their widths, and those that had to go."""
    kept, dropped = list(columns), list[Column]()
    while (widths := _widths(kept, rows, style)) is None:
        candidates = [column for column in kept if column.priority > 0]
        if not candidates:
            break
        last = max(column.priority for column in candidates)
        dropped += [column for column in kept if column.priority == last]
        kept = [column for column in kept if column.priority != last]
    if widths is None:
        widths = _widths(kept, rows, style, _LAST_RESORT)
    if widths is None:
        dropped += [column for column in kept if column.priority < 0]
        kept = [column for column in kept if column.priority >= 0]
        widths = _widths(kept, rows, style, _LAST_RESORT)
    if widths is None:
        names = ", ".join(f'"{clean(column.header)}"' for column in kept)
        raise ValueError(
            f"the columns {names} leave no room for the plot on a page of {style.width_mm:g} mm: "
            "give some a priority above 0, so that they may be left out, or use a wider page"
        )
    return list(zip(kept, widths, strict=True)), dropped


def closer(style: Style) -> Style:
    """The style with columns nearer to each other, for a table that has many."""
    return replace(
        style,
        column_gap_mm=0.65 * style.column_gap_mm,
        panel_gap_mm=0.75 * style.panel_gap_mm,
        panel_min_mm=0.8 * style.panel_min_mm,
        text_column_min_mm=0.8 * style.text_column_min_mm,
    )


def _widths(
    columns: Sequence[Column], rows: Sequence[Row], style: Style, share: float = 1.0
) -> list[float] | None:
    """Widths that leave panel and words a share of their least widths; None if there are none."""
    demands = [_demand(column, columns, rows, style) for column in columns]
    words = [column.align == "left" for column in columns]
    room = style.width_mm - 2 * style.margin_mm - share * style.panel_min_mm
    for side in ("left", "right"):
        count = sum(column.side == side for column in columns)
        # a panel without neighbours keeps the gap too: half a tick label hangs over its edge
        room -= style.panel_gap_mm + max(0, count - 1) * style.column_gap_mm
    room -= sum(demand for demand, word in zip(demands, words, strict=True) if not word)
    level = _water_level([d for d, word in zip(demands, words, strict=True) if word], room)
    if level is None or level < share * style.text_column_min_mm:
        return None
    widths = []
    for column, demand, word in zip(columns, demands, words, strict=True):
        wrapped = word and demand > level
        widths.append(_wrapped_width(column, columns, rows, style, level) if wrapped else demand)
    return widths


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


def _wrapped_width(
    column: Column, columns: Sequence[Column], rows: Sequence[Row], style: Style, room: float
) -> float:
    """Width that the longest line takes once the column's texts are wrapped to a width."""
    widths = [
        text_width_mm(line, style.text_pt, True)
        for header in _lines(column.header)
        for line in wrap(header, room, style.text_pt, True)
    ]
    for row in rows:
        look = _LOOKS[row.kind]
        if column is columns[0] and _runs_on(row, columns):
            continue
        indent = _indent(row, column, columns, style)
        lines = _cell(row, column, room - indent, style)
        widths += [indent + text_width_mm(line, style.text_pt, look.bold) for line in lines]
    return max(widths, default=0.0)


def _cell(row: Row, column: Column, room: float, style: Style) -> tuple[str, ...]:
    text = row.texts.get(column.key, "")
    bold = _LOOKS[row.kind].bold
    if column.align != "left":
        return (text,) if text else ()
    # a column is exactly as wide as its longest line; a hair keeps rounding from breaking that line
    return wrap(text, room + HAIR_MM, style.text_pt, bold, style.name_lines)


def _place(
    columns: Sequence[tuple[Column, float]], rows: Sequence[Row], axis: Axis, style: Style
) -> tuple[list[_Placed], Panel]:
    """Columns from the page's edges inward; the panel between them."""
    widest = max(text_width_mm(tick.label, style.text_pt) for tick in _view(axis, rows).ticks)
    placed = []
    left = style.margin_mm
    for column, width in columns:
        if column.side == "left":
            placed.append(_Placed(column, left, width))
            left += width + style.column_gap_mm
    left += style.panel_gap_mm - style.column_gap_mm if placed else 0.0
    right = style.width_mm - style.margin_mm
    on_right = [(column, width) for column, width in columns if column.side == "right"]
    for column, width in reversed(on_right):
        placed.append(_Placed(column, right - width, width))
        right -= width + style.column_gap_mm
    right -= style.panel_gap_mm - style.column_gap_mm if on_right else 0.0
    left = max(left, style.margin_mm + widest / 2)
    right = min(right, style.width_mm - style.margin_mm - widest / 2)
    order = [column for column, _ in columns]
    placed.sort(key=lambda place: order.index(place.column))
    return placed, _panel(left, right, axis, rows, style)


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
    for most in (7, 6, 5, 4):
        seen = _view(axis, rows, most)
        if labels_fit(seen, right - left, style.text_pt):
            break
    else:
        seen = _view(axis, rows, 3)
    # how far it reaches down is known once the rows are placed
    return Panel(left, 0.0, right, 0.0, seen, AxisView(0.0, 1.0, ()), axis.scale)


class _Table(Chart):
    """A chart whose panel stands between the columns of a table."""

    def header(self, columns: Sequence[_Placed]) -> None:
        style = self.style
        headers = {
            placed.column.key: [
                line
                for part in _lines(placed.column.header)
                for line in wrap(part, placed.width + HAIR_MM, style.text_pt, True)
            ]
            for placed in columns
        }
        for placed in columns:
            if placed.column.lights:
                headers[placed.column.key].append("")
        leading = self.leading(style.text_pt)
        self.y += leading / 3
        bottom = self.y + leading * max((len(lines) for lines in headers.values()), default=0)
        for placed in columns:
            lines = headers[placed.column.key]
            for number, line in enumerate(lines):
                middle = bottom - leading * (len(lines) - number - 0.5)
                self._text("header", line, placed, middle, True)
            for x, light in zip(self._lights(placed), placed.column.lights, strict=False):
                self.word("header", light, x, bottom - leading / 2, "center", True)
        self.y = bottom + leading / 3
        self.rule()

    def rows(self, rows: Sequence[Row], columns: Sequence[_Placed], panel: Panel) -> list[float]:
        """Draw the rows; the y of their centres comes back."""
        heaviest = max((row.weight or 0.0 for row in rows if row.kind == "trial"), default=0.0)
        centres = []
        banded = False
        for row in rows:
            banded = _LOOKS[row.kind].banded and not banded
            if row.kind == "gap":
                centres.append(self.y)
                self.y += self.style.gap_row_mm
                continue
            centres.append(self.y + self.style.row_mm / 2)
            self._marks(row, panel, centres[-1], heaviest)
            self._row(row, columns, panel, banded)
        return centres

    def _lights(self, placed: _Placed) -> list[float]:
        """The centres of a column's lights, from left to right."""
        pitch = _pitch_mm(self.style)
        first = placed.x + (placed.width - (len(placed.column.lights) - 1) * pitch) / 2
        return [first + number * pitch for number in range(len(placed.column.lights))]

    def guide(self, panel: Panel, value: float, bottom: float) -> None:
        """The dashed line at the overall result."""
        x = panel.x_mm(value)
        if panel.spans(x):
            style = self.style
            ends = ((x, panel.top), (x, bottom))
            self.line("overall", *ends, style.accent, style.hair_pt, dashed=True)

    def _row(self, row: Row, columns: Sequence[_Placed], panel: Panel, banded: bool) -> None:
        style = self.style
        look = _LOOKS[row.kind]
        leading = self.leading(style.text_pt)
        middle = self.y + style.row_mm / 2
        deepest = 1
        order = [placed.column for placed in columns]
        for placed in columns:
            for x, judgement in zip(self._lights(placed), row.lights, strict=False):
                self.light("light", judgement, (x, middle))
            text = row.texts.get(placed.column.key, "")
            indent = _indent(row, placed.column, order, style)
            room = placed.width - indent
            if look.runs_on and placed is columns[0]:
                room = max(room, self._room_to_run(row, columns, panel))
            lines = _cell(row, placed.column, room, style)
            if lines and lines[-1].endswith(ELLIPSIS) and not text.endswith(lines[-1]):
                self.cut_short(text)
            deepest = max(deepest, len(lines))
            for number, line in enumerate(lines):
                shifted = replace(placed, x=placed.x + indent)
                colour = style.muted if look.muted else style.ink
                self._text("cell", line, shifted, middle + number * leading, look.bold, colour)
        height = style.row_mm + (deepest - 1) * leading
        if banded:
            corners = rectangle(self.left, self.y, self.right, self.y + height)
            self.bands.append(Polygon("band", corners, style.band, style.band, 0.0))
        self.y += height

    def _room_to_run(self, row: Row, columns: Sequence[_Placed], panel: Panel) -> float:
        """Width from the first column to the next text in its row, or to the panel."""
        first = columns[0]
        if first.column.side == "right":
            return first.width
        occupied = [
            placed.x - self.style.column_gap_mm
            for placed in columns[1:]
            if placed.column.side == "left" and row.texts.get(placed.column.key)
        ]
        return min([panel.left - self.style.panel_gap_mm / 2, *occupied]) - first.x

    def _marks(self, row: Row, panel: Panel, y: float, heaviest: float) -> None:
        style = self.style
        if row.prediction is not None:
            low, high = row.prediction
            self._bar(low, high, panel, y)
        if row.kind == "trial":
            self._whiskers(row, panel, y, style.ink)
            if row.weight is None:
                side = style.square_unweighted_mm
                self._square(row, panel, y, side, style.paper, style.ink)
            else:
                share = row.weight / heaviest if heaviest > 0 else 1.0
                side = max(style.square_min_mm, style.square_max_mm * math.sqrt(max(share, 0.0)))
                self._square(row, panel, y, side, style.ink, style.ink)
        elif row.kind == "unpooled":
            self._whiskers(row, panel, y, style.muted)
            self._square(row, panel, y, style.square_unweighted_mm, style.paper, style.muted)
        elif row.kind in ("pooled", "subtotal"):
            self._diamond(row, panel, y, style.subtotal_mm, style.paper)
        elif row.kind == "overall":
            self._diamond(row, panel, y, style.overall_mm, style.accent)
        elif row.kind == "secondary":
            self._diamond(row, panel, y, style.secondary_mm, style.accent_pale)
        elif row.kind == "prediction" and row.low is not None and row.high is not None:
            self._bar(row.low, row.high, panel, y)

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
        # an endless limit has no place; far off the page is as good
        start, middle, end = (
            min(max(panel.x_mm(value), -FAR_MM), FAR_MM) for value in sorted((row.estimate, *ends))
        )
        style = self.style
        first, last = self._arrows(start, end, panel, y, style.accent)
        corners: Sequence[Point] = (
            (start, y),
            (middle, y - height / 2),
            (end, y),
            (middle, y + height / 2),
        )
        corners = _cut(_cut(corners, first, 1), last, -1)
        if corners:
            shape = Polygon("diamond", tuple(corners), fill, style.accent, style.outline_pt)
            self.polygons.append(shape)

    def _bar(self, low: float, high: float, panel: Panel, y: float) -> None:
        colour, half = self.style.accent_light, self.style.prediction_mm / 2
        first, last = self._arrows(panel.x_mm(low), panel.x_mm(high), panel, y, colour)
        if first < last:
            corners = rectangle(first, y - half, last, y + half)
            self.polygons.append(Polygon("bar", corners, colour, colour, 0.0))

    def _arrows(
        self, start: float, end: float, panel: Panel, y: float, colour: str
    ) -> tuple[float, float]:
        """Heads at the ends of the axis that a stretch runs past; what is left of it comes back."""
        length, half = self.style.arrow_mm, self.style.arrow_mm * 0.45
        first, last = start, end
        if start < panel.left - HAIR_MM:
            first = panel.left + length
            corners = ((panel.left, y), (first, y - half), (first, y + half))
            self.polygons.append(Polygon("arrow", corners, colour, colour, 0.0))
        if end > panel.right + HAIR_MM:
            last = panel.right - length
            corners = ((panel.right, y), (last, y - half), (last, y + half))
            self.polygons.append(Polygon("arrow", corners, colour, colour, 0.0))
        return first, last

    def _text(
        self,
        role: str,
        text: str,
        placed: _Placed,
        middle: float,
        bold: bool,
        colour: str | None = None,
    ) -> None:
        self.word(role, text, placed.anchor, middle, placed.column.align, bold, colour)


def _cut(corners: Sequence[Point], edge: float, side: int) -> tuple[Point, ...]:
    """The part of a convex shape right (side 1) or left (side -1) of a vertical edge."""
    kept: list[Point] = []
    for here, there in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        if side * (here[0] - edge) >= 0:
            kept.append(here)
        if (here[0] - edge) * (there[0] - edge) < 0:
            share = (edge - here[0]) / (there[0] - here[0])
            kept.append((edge, here[1] + share * (there[1] - here[1])))
    return tuple(kept)
