"""What the charts share: panels with axes, curves, labels beside marks, a legend, notes."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from trial_evidence.figures.canvas.axis import (
    WIDEST_RATIO,
    Axis,
    AxisScale,
    AxisView,
    Interval,
    Tick,
    to_axis,
    view,
)
from trial_evidence.figures.canvas.page import (
    LEAST_POINTS,
    Align,
    Page,
    Point,
    Polygon,
    Segment,
    Text,
)
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    CAP_HEIGHT_EM,
    ELLIPSIS,
    MM_PER_POINT,
    clean,
    shorten,
    text_width_mm,
    wrap,
)
from trial_evidence.words.numbers import format_number, format_tick, linear_ticks

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in mm from the top left of the page."""
Stretch = tuple[Point, Point]
"""Two ends of a straight line."""
Dash = tuple[float, float]
"""Lengths of ink and gap along a line, in mm."""
ViewOf = Callable[[int], AxisView]
"""Makes an axis with a number of ticks at most."""
KeyKind = Literal["dot", "square", "diamond", "line", "area"]
Judgement = Literal["low", "some_concerns", "high"]

JUDGEMENT_SIGNS: Mapping[Judgement, str] = {
    "low": "+",
    "some_concerns": "?",
    "high": "\N{MINUS SIGN}",
}
"""Signs in the discs of risk-of-bias judgements, which say in grey what colours say."""

DASHED: Dash = (1.6, 1.0)
DOTTED: Dash = (0.4, 0.7)
MOST_TICKS = 7

# a place that is off any page, for what has no end
FAR_MM = 1e4
# differences that are rounding errors
HAIR_MM = 1e-6
# a range of rounding errors, of which an axis would be noise
_LEAST_RANGE = 1e-9
# room beyond the outermost logarithm on an axis of very large ratios
_RIM = 0.1
# ratios beyond this logarithm are no longer drawn to scale
_FARTHEST = math.log(1e5)
# how far a simplified curve may lie beside the true one: a tenth of the thinnest line
_SIMPLER_MM = 0.015
# pieces of curves are short, so that the box around one tells where the curve runs
_LONGEST_PIECE_MM = 3.0
_KEY_MM = 5.0
_ASCENT_EM, _DESCENT_EM = 0.75, 0.23
_LABEL_GAP_MM = 0.5
_LEADER_FROM_MM = 1.2
_LABEL_STEPS_MM = (0.0, 0.8, 1.6, 2.6, 4.0, 6.0, 8.5, 12.0, 16.0, 21.0, 27.0)
LABEL_WAYS = (
    *((1, 0), (1, -0.6), (1, 0.6), (-1, 0), (-1, -0.6), (-1, 0.6), (0, -1), (0, 1)),
    *((0.5, -1), (-0.5, -1), (0.5, 1), (-0.5, 1)),
)


@dataclass(frozen=True)
class Key:
    """An entry of a legend: a mark as it is drawn in a panel, and what it means.

    Parameters
    ----------
    kind
        Shape of the mark; an area is a rectangle.
    label
        Its meaning.
    fill
        Colour of the mark, or of the line.
    outline
        Colour of the mark's edge; empty for none.
    width_pt
        Width of a line.
    dash
        Dashes of a line; None for a solid one.
    marker
        Shape and fill of the marks along a line; None for a bare one.
    """

    kind: KeyKind
    label: str
    fill: str
    outline: str = ""
    width_pt: float = 0.8
    dash: Dash | None = None
    marker: tuple[KeyKind, str] | None = None


@dataclass(frozen=True)
class Label:
    """A text that belongs to a mark: the mark's centre and half its size, in mm."""

    text: str
    x: float
    y: float
    reach: float


@dataclass(frozen=True)
class Panel:
    """A plotting panel: its edges in mm and the two axes along them.

    The low end of `x` is at the left, that of `y` at the bottom; an axis whose low end is the
    larger number runs backwards.
    """

    left: float
    top: float
    right: float
    bottom: float
    x: AxisView
    y: AxisView
    x_scale: AxisScale = "linear"
    y_scale: AxisScale = "linear"

    @property
    def box(self) -> Box:
        """The edges."""
        return self.left, self.top, self.right, self.bottom

    def x_mm(self, value: float) -> float:
        """Distance from the left of the page of a value on the analysis scale."""
        share = self.x.share(to_axis(float(value), self.x_scale))
        return _near(self.left + share * (self.right - self.left))

    def y_mm(self, value: float) -> float:
        """Distance from the top of the page of a value on the analysis scale."""
        share = self.y.share(to_axis(float(value), self.y_scale))
        return _near(self.bottom - share * (self.bottom - self.top))

    def point(self, x: float, y: float) -> Point:
        """Place of a pair of values, in mm; far off the page for infinities."""
        return self.x_mm(x), self.y_mm(y)

    def holds(self, point: Point) -> bool:
        """Whether a place in mm is in the panel; its edges are."""
        x, y = point
        return self.spans(x) and self.top - HAIR_MM <= y <= self.bottom + HAIR_MM

    def spans(self, x: float) -> bool:
        """Whether a distance from the left is between the sides of the panel; its edges are."""
        return self.left - HAIR_MM <= x <= self.right + HAIR_MM


def _near(place: float) -> float:
    return min(max(place, -FAR_MM), FAR_MM)


def covering(axis: Axis, values: Iterable[float]) -> ViewOf:
    """An axis that reaches over all finite values and the reference; see `axis.view`."""
    marks = [Interval(float(value), None, None, None) for value in values if math.isfinite(value)]
    reach = [mark.estimate for mark in marks if mark.estimate is not None]
    if axis.scale == "log" and max(map(abs, reach), default=0.0) > math.log(WIDEST_RATIO):
        # A forest plot leaves such ratios to arrows; a chart has to hold all it draws.
        ends = (
            max(min(0.0, *reach), -_FARTHEST) - _RIM,
            min(max(0.0, *reach), _FARTHEST) + _RIM,
        )
        axis = replace(axis, limits=(math.exp(ends[0]), math.exp(ends[1])))
    return lambda most: view(axis, marks, most=most)


def from_zero(values: Iterable[float], percent: bool = False) -> ViewOf:
    """An even axis from 0 over the largest finite value.

    Parameters
    ----------
    values
        Numbers of 0 or more.
    percent
        Print the ticks as percentages of 1.

    Returns
    -------
    ViewOf
        Makes the axis; from 0 to 1 where no value is above 0.
    """
    highest = max((value for value in values if math.isfinite(value)), default=0.0)
    return between(0.0, highest if highest > _LEAST_RANGE else 1.0, percent)


def between(low: float, high: float, percent: bool = False, whole: bool = False) -> ViewOf:
    """An even axis that covers a range and ends at ticks; see `from_zero`.

    With `whole` only whole numbers are ticks, as for years.
    """
    factor = 100.0 if percent else 1.0
    # ticks closer together than that cannot be told apart in ten digits
    least = max(_LEAST_RANGE, 1e-7 * max(abs(low), abs(high)))
    if high - low < least:
        low, high = low - least, high + least

    def made(most: int) -> AxisView:
        places = linear_ticks(factor * low, factor * high, most)
        sign = "%" if percent else ""
        ticks = tuple(Tick(place / factor, format_tick(place) + sign) for place in places)
        shown = ticks
        if whole:
            shown = tuple(tick for tick in ticks if tick.place.is_integer())
        return AxisView(ticks[0].place, ticks[-1].place, shown)

    return made


def backwards(made: ViewOf) -> ViewOf:
    """The same axis with its high end where the low one was."""

    def turned(most: int) -> AxisView:
        axis = made(most)
        return AxisView(axis.high, axis.low, axis.ticks)

    return turned


def printed(value: float, scale: AxisScale, digits: int = 2) -> str:
    """A value on the analysis scale as it is printed: a ratio, a number or a percentage.

    Parameters
    ----------
    value
        Log ratio, plain value or logit; not NaN.
    scale
        Kind of axis.
    digits
        Decimals; one for a percentage.

    Returns
    -------
    str
        The number, rounded half up.
    """
    if scale == "log":
        # the exponential would overflow
        return format_number(math.exp(value) if value < 700 else math.inf, digits)
    if scale == "logit":
        return f"{format_number(100 * to_axis(value, scale), 1)}%"
    return format_number(value, digits)


def vertical_label(axis: Axis) -> str:
    """What stands above a vertical axis: its label, and what lies up and down."""
    up, down = clean(axis.favours_high), clean(axis.favours_low)
    ways = [f"\N{UPWARDS ARROW} {up}" if up else "", f"\N{DOWNWARDS ARROW} {down}" if down else ""]
    favours = "; ".join(way for way in ways if way)
    return f"{clean(axis.label)} ({favours})" if favours else clean(axis.label)


def panel_height_mm(style: Style) -> float:
    """Height of a panel that has the page for itself."""
    return min(88.0, 26.0 + 0.36 * style.width_mm)


@dataclass(frozen=True)
class Phrases:
    """What a page says of itself, with ``{names}`` for what it is about."""

    in_full: str = "In full: {names}."
    not_labelled: str = "Not labelled for want of room: {names}."
    left_out: str = "Left out at this width: {names}."


PHRASES = Phrases()


class Chart:
    """A page being filled from top to bottom; `y` is how far it is filled, in mm."""

    def __init__(self, style: Style, phrases: Phrases = PHRASES) -> None:
        self.style = style
        self.phrases = phrases
        self.left = style.margin_mm
        self.right = style.width_mm - style.margin_mm
        self.y = style.margin_mm
        self.bands: list[Polygon] = []
        self.segments: list[Segment] = []
        self.polygons: list[Polygon] = []
        self.texts: list[Text] = []
        self._shortened: list[str] = []
        self._unlabelled: list[str] = []

    # ------------------------------------------------------------------ blocks, one below another

    def title(self, title: str) -> None:
        """The heading of the figure and the rule under it."""
        self.headline(title)
        self.y += self.style.block_gap_mm

    def headline(self, title: str) -> None:
        """The heading of the figure; the page is filled to the rule under it."""
        style = self.style
        lines = wrap(title, self.right - self.left, style.title_pt, True)
        self._lines("title", lines, style.title_pt, style.ink, bold=True)
        self.y += style.block_gap_mm if lines else 0.0
        self.rule()

    def rule(self) -> None:
        """A line across the page."""
        style = self.style
        self.line("rule", (self.left, self.y), (self.right, self.y), style.ink, style.rule_pt)

    def heading(self, text: str, edges: tuple[float, float] | None = None) -> None:
        """A bold line over a panel or a group of them."""
        style = self.style
        left, right = edges or (self.left, self.right)
        lines = wrap(text, right - left, style.text_pt, True)
        self._lines("heading", lines, style.text_pt, style.ink, bold=True, left=left)

    def above_panel(self, text: str, edges: tuple[float, float] | None = None) -> None:
        """The label of a vertical axis, which stands level above it, and room for a tick label."""
        style = self.style
        left, right = edges or (self.left, self.right)
        lines = wrap(text, right - left, style.text_pt)
        self._lines("axis label", lines, style.text_pt, style.ink, left=left)
        self.y += self.leading(style.text_pt) / 2

    def panel(
        self,
        x: ViewOf,
        y: ViewOf,
        height_mm: float,
        scales: tuple[AxisScale, AxisScale] = ("linear", "linear"),
        edges: tuple[float, float] | None = None,
        beside_mm: tuple[float, float] | None = None,
    ) -> Panel:
        """A panel whose top is at `y`; nothing is drawn, and the page is not filled yet.

        Parameters
        ----------
        x, y
            Makers of the axes; each gets as many ticks as there is room for.
        height_mm
            Height of the panel.
        scales
            Kinds of the axes, horizontal and vertical.
        edges
            Left and right end of the room for panel and tick labels; None for the page.
        beside_mm
            Room left and right of the panel for what stands beside it; 0 on the left where the
            vertical axis is not drawn, None for as much as its labels need.

        Returns
        -------
        Panel
            Its place and axes.
        """
        size = self.style.text_pt
        outer_left, outer_right = edges or (self.left, self.right)
        y_view = self._fitting(
            y, lambda made: _gaps_down(made, height_mm, 1.3 * size * MM_PER_POINT)
        )
        widest = max((text_width_mm(t.label, size) for t in y_view.ticks), default=0.0)
        need = widest + 2 * self.style.tick_mm
        if beside_mm is None:
            beside_mm = (need, 0.0)
        elif beside_mm[0] > 0:
            beside_mm = (max(beside_mm[0], need), beside_mm[1])
        half = max((text_width_mm(t.label, size) for t in x(MOST_TICKS).ticks), default=0.0) / 2
        left = outer_left + max(beside_mm[0], half)
        right = outer_right - max(beside_mm[1], half)
        x_view = self._fitting(x, lambda made: labels_fit(made, right - left, size))
        top = self.y
        return Panel(left, top, right, top + height_mm, x_view, y_view, *scales)

    def _fitting(self, made: ViewOf, fits: Callable[[AxisView], bool]) -> AxisView:
        for most in range(MOST_TICKS, 3, -1):
            if fits(made(most)):
                return made(most)
        return made(3)

    def x_axis(
        self, panel: Panel, axis: Axis | None = None, edges: tuple[float, float] | None = None
    ) -> None:
        """Draw the axis under a panel with its ticks and words; the page is filled to below it.

        The words keep to the room between `edges`; None for the page.
        """
        self.axis_line(panel)
        self.ticks(panel)
        if axis is not None:
            self.favours(panel, axis, edges)
            self.under_panel(panel, axis.label, edges)

    def axis_line(self, panel: Panel) -> None:
        """The line of the horizontal axis at the foot of a panel."""
        style = self.style
        self.y = panel.bottom
        ends = ((panel.left, panel.bottom), (panel.right, panel.bottom))
        self.line("axis", *ends, style.ink, style.rule_pt)

    def ticks(self, panel: Panel) -> None:
        """The ticks of the horizontal axis and their labels, from `y` down."""
        style = self.style
        leading = self.leading(style.text_pt)
        for tick in panel.x.ticks:
            x = panel.left + panel.x.share(tick.place) * (panel.right - panel.left)
            end = (x, self.y + style.tick_mm)
            self.line("tick", (x, self.y), end, style.ink, style.rule_pt)
            self.word("tick", tick.label, x, self.y + style.tick_mm + leading / 2, "center")
        self.y += style.tick_mm + (leading if panel.x.ticks else 0.0)

    def under_panel(
        self, panel: Panel, text: str, edges: tuple[float, float] | None = None
    ) -> None:
        """Centred lines under a panel: the label of its horizontal axis."""
        style = self.style
        left, right = edges or (self.left, self.right)
        leading = self.leading(style.text_pt)
        for line in wrap(text, right - left, style.text_pt):
            half = text_width_mm(line, style.text_pt) / 2
            x = min(max((panel.left + panel.right) / 2, left + half), right - half)
            self.word("axis label", line, x, self.y + leading / 2, "center")
            self.y += leading

    def y_axis(self, panel: Panel, ticks: Sequence[Tick] | None = None, side: int = -1) -> None:
        """Draw the axis left (side -1) or right (1) of a panel, with its own or other ticks."""
        style = self.style
        x = panel.left if side < 0 else panel.right
        self.line("axis", (x, panel.top), (x, panel.bottom), style.ink, style.rule_pt)
        align: Align = "right" if side < 0 else "left"
        for tick in panel.y.ticks if ticks is None else ticks:
            y = panel.bottom - panel.y.share(tick.place) * (panel.bottom - panel.top)
            end = x + side * style.tick_mm
            self.line("tick", (x, y), (end, y), style.ink, style.rule_pt)
            self.word("tick", tick.label, end + side * 0.7 * style.tick_mm, y, align)

    def reference(self, panel: Panel, axis: Axis, upright: bool = True) -> None:
        """The line of no effect across a panel, where the axis has one."""
        if axis.reference is None:
            return
        value = axis.reference
        if upright:
            x = panel.x_mm(value)
            ends = ((x, panel.top), (x, panel.bottom))
        else:
            y = panel.y_mm(value)
            ends = ((panel.left, y), (panel.right, y))
        if panel.holds(ends[0]):
            self.line("reference", *ends, self.style.ink, self.style.rule_pt)

    def legend(self, keys: Sequence[Key]) -> None:
        """Keys side by side, on as many lines as they need."""
        style = self.style
        leading = max(self.leading(style.text_pt), style.square_max_mm)
        room = self.right - self.left - _KEY_MM - style.indent_mm
        x = self.left
        self.y += style.block_gap_mm if keys else 0.0
        started = False
        for key in keys:
            lines = wrap(key.label, room, style.text_pt)
            width = max((text_width_mm(line, style.text_pt) for line in lines), default=0.0)
            if started and (x + _KEY_MM + style.indent_mm + width > self.right or len(lines) > 1):
                x = self.left
                self.y += leading
            self._key(key, x, self.y + leading / 2)
            for number, line in enumerate(lines):
                self.y += leading if number else 0.0
                self.word("key", line, x + _KEY_MM + style.indent_mm, self.y + leading / 2)
            x += _KEY_MM + style.indent_mm + width + style.column_gap_mm
            started = True
        self.y += leading if started else 0.0

    def notes(self, notes: Sequence[str]) -> None:
        """Sentences in the size of the table, where the style has room for such."""
        if self.style.small_print:
            self._paragraphs("note", notes, self.style.text_pt, self.style.ink)

    def page(self, title: str, description: str, footnotes: Sequence[str] = ()) -> Page:
        """The finished page, with its small print at the foot.

        Parameters
        ----------
        title
            Heading, for the file's own title.
        description
            What the figure shows, in words, for readers who do not see it.
        footnotes
            Small print; labels that were cut or left out are added to it.

        Returns
        -------
        Page
            Everything drawn so far.
        """
        small = list(footnotes)
        if self._shortened:
            names = "; ".join(dict.fromkeys(self._shortened))
            small.append(self.phrases.in_full.replace("{names}", names))
        if self._unlabelled:
            names = "; ".join(self._unlabelled)
            small.append(self.phrases.not_labelled.replace("{names}", names))
        if self.style.small_print:
            self._paragraphs("footnote", small, self.style.footnote_pt, self.style.muted)
        return Page(
            width_mm=self.style.width_mm,
            height_mm=self.y + self.style.margin_mm,
            title=clean(title),
            description=clean(description),
            bands=tuple(self.bands),
            segments=tuple(self.segments),
            polygons=tuple(self.polygons),
            texts=tuple(self.texts),
        )

    # ------------------------------------------------------------------------------------- marks

    def line(
        self,
        role: str,
        start: Point,
        end: Point,
        colour: str,
        width_pt: float,
        dashed: bool = False,
    ) -> None:
        """A straight line."""
        self.segments.append(Segment(role, start, end, colour, width_pt, dashed))

    def curve(
        self,
        role: str,
        points: Sequence[Point],
        colour: str,
        width_pt: float,
        panel: Panel,
        dash: Dash | None = None,
    ) -> None:
        """A line through points in mm, cut off at the edges of a panel.

        Points that the eye would not miss are left out; dashes run on around bends.
        """
        through = simplified(points)
        strokes = [tuple(through)] if dash is None else dashes(through, dash)
        for stroke in strokes:
            for start, end in pairwise(stroke):
                kept = clipped(start, end, panel.box)
                if kept is not None:
                    for piece in _pieces(*kept):
                        self.segments.append(Segment(role, *piece, colour, width_pt))

    def area(self, role: str, points: Sequence[Point], fill: str, panel: Panel) -> None:
        """A filled area behind all lines, cut off at the edges of a panel."""
        corners = cut_to(points, panel.box)
        if corners:
            self.bands.append(Polygon(role, corners, fill, fill, 0.0))

    def dot(
        self, role: str, centre: Point, diameter_mm: float, fill: str, outline: str = ""
    ) -> None:
        """A disc; its edge is drawn where it has a colour of its own."""
        steps = 24 if diameter_mm < 4 else 48
        turns = [2 * math.pi * step / steps for step in range(steps)]
        radius = diameter_mm / 2
        corners = tuple(
            (centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn))
            for turn in turns
        )
        self.shape(role, corners, fill, outline)

    def shape(self, role: str, corners: Sequence[Point], fill: str, outline: str = "") -> None:
        """A filled shape in front of all lines."""
        width = self.style.hair_pt if outline else 0.0
        self.polygons.append(Polygon(role, tuple(corners), fill, outline or fill, width))

    def word(
        self,
        role: str,
        text: str,
        x: float,
        y: float,
        align: Align = "left",
        bold: bool = False,
        colour: str | None = None,
        size_pt: float | None = None,
    ) -> None:
        """A line of text whose capitals are centred at a height; empty text is no text."""
        size = self.style.text_pt if size_pt is None else size_pt
        baseline = y + CAP_HEIGHT_EM * size * MM_PER_POINT / 2
        if text:
            ink = colour or self.style.ink
            self.texts.append(Text(role, text, x, baseline, size, ink, align, bold))

    def labels(
        self,
        labels: Sequence[Label],
        box: Box,
        ways: Sequence[tuple[float, float]] = LABEL_WAYS,
        steps_mm: Sequence[float] = _LABEL_STEPS_MM,
    ) -> None:
        """Texts beside their marks, the first ones in the best places.

        A text stands where it hides nothing that has been drawn: beside its mark, or a little
        farther off with a line to it. For texts without such a place the footnote has room, and
        for the whole of texts longer than a third of the page.

        Parameters
        ----------
        labels
            Texts and marks, the most important first.
        box
            Where texts may stand.
        ways
            Directions to try, right and down being positive.
        steps_mm
            Distances to try, each in all directions.
        """
        style = self.style
        size = style.footnote_pt
        lines = _Obstacles(_around(line.start, line.end) for line in self.segments)
        marks = _Obstacles(
            (*(_bounds(shape.points) for shape in self.polygons), *map(_text_box, self.texts))
        )
        for label in labels:
            whole = clean(label.text)
            text = shorten(whole, style.width_mm / 3, size)
            if not text:
                continue
            place = next(
                (
                    place
                    for place in _places(label, text, size, ways, steps_mm)
                    if _inside(place.box, box)
                    and not lines.meet(place.box)
                    and not marks.meet(place.box)
                    and not any(
                        marks.meet(_around(*piece), _square(label)) for piece in place.leader
                    )
                ),
                None,
            )
            if place is None:
                self._unlabelled.append(whole)
                continue
            if text != whole and text.endswith(ELLIPSIS):
                self._shortened.append(whole)
            left, top, right, bottom = place.box
            marks.add((left - _LABEL_GAP_MM, top, right + _LABEL_GAP_MM, bottom))
            for start, end in place.leader:
                lines.add(_around(start, end))
                self.line("leader", start, end, style.muted, style.hair_pt)
            baseline = top + _ASCENT_EM * size * MM_PER_POINT
            self.texts.append(Text("label", text, left, baseline, size, style.ink))

    def left_out(self, label: str) -> None:
        """Have a footnote name what found no place in a panel."""
        self._unlabelled.append(clean(label))

    def cut_short(self, label: str) -> None:
        """Have a footnote give in full what a panel shows the beginning of."""
        self._shortened.append(clean(label))

    def leading(self, size_pt: float) -> float:
        """Height of a line of text in mm."""
        return size_pt * MM_PER_POINT * self.style.leading

    def favours(self, panel: Panel, axis: Axis, edges: tuple[float, float] | None = None) -> None:
        """What either side favours, on both sides of the reference.

        The words keep to the room between `edges`; None for the page.
        """
        style = self.style
        outer_left, outer_right = edges or (self.left, self.right)
        gap = style.panel_gap_mm / 2
        low, high = clean(axis.favours_low), clean(axis.favours_high)
        low = f"\N{LEFTWARDS ARROW} {low}" if low else ""
        high = f"{high} \N{RIGHTWARDS ARROW}" if high else ""
        half = (outer_right - outer_left) / 2 - gap
        need = [min(half, text_width_mm(words, style.text_pt)) for words in (low, high)]
        split = (panel.left + panel.right) / 2
        if axis.reference is not None and panel.spans(panel.x_mm(axis.reference)):
            split = panel.x_mm(axis.reference)
        # a reference near the edge of the page would leave no room for the words on that side
        split = min(max(split, outer_left + need[0] + gap), outer_right - need[1] - gap)
        sides: tuple[tuple[str, float, float, Align], ...] = (
            (low, split - gap, split - gap - outer_left, "right"),
            (high, split + gap, outer_right - split - gap, "left"),
        )
        leading = self.leading(style.text_pt)
        deepest = 0
        for words, x, room, align in sides:
            lines = wrap(words, room + HAIR_MM, style.text_pt)
            deepest = max(deepest, len(lines))
            for number, line in enumerate(lines):
                self.word("favours", line, x, self.y + (number + 0.5) * leading, align)
        self.y += deepest * leading

    def mark(
        self, role: str, kind: KeyKind, centre: Point, size_mm: float, fill: str, outline: str = ""
    ) -> None:
        """A dot, a square or a diamond of about the same area."""
        x, y = centre
        half = size_mm / 2
        if kind == "dot":
            self.dot(role, centre, size_mm, fill, outline)
        elif kind == "diamond":
            self.shape(role, diamond(centre, 1.3 * half), fill, outline)
        else:
            self.shape(role, rectangle(x - half, y - half, x + half, y + half), fill, outline)

    def light(self, role: str, judgement: Judgement, centre: Point) -> None:
        """A risk-of-bias judgement as a disc with its sign."""
        style = self.style
        fill = {
            "low": style.low_risk,
            "some_concerns": style.some_concerns,
            "high": style.high_risk,
        }[judgement]
        colour = max((style.ink, style.paper), key=lambda ink: contrast(ink, fill))
        size = max(LEAST_POINTS, 0.72 * style.light_mm / MM_PER_POINT)
        self.dot(role, centre, style.light_mm, fill, style.ink)
        sign = JUDGEMENT_SIGNS[judgement]
        self.word("sign", sign, *centre, "center", True, colour, size)

    def band(self, height_mm: float) -> None:
        """A pale strip across the page from `y` down, behind everything."""
        corners = rectangle(self.left, self.y, self.right, self.y + height_mm)
        self.fill("band", corners, self.style.band)

    def fill(self, role: str, corners: Sequence[Point], colour: str) -> None:
        """A filled shape behind all lines, anywhere on the page."""
        self.bands.append(Polygon(role, tuple(corners), colour, colour, 0.0))

    def inscribed(
        self, role: str, text: str, sides: tuple[float, float], y: float, fill: str
    ) -> bool:
        """A text in the middle of a filled shape, where the shape is wide enough for it.

        Parameters
        ----------
        role
            What the text stands for.
        text
            One line.
        sides
            Left and right end of the shape at that height.
        y
            Height in mm.
        fill
            The shape's colour; the text is dark or light, whichever can be read on it.

        Returns
        -------
        bool
            Whether the text is there.
        """
        style = self.style
        left, right = sides
        if text_width_mm(text, style.text_pt) + 2 * style.indent_mm > right - left:
            return False
        colour = max((style.ink, style.paper), key=lambda ink: contrast(ink, fill))
        self.word(role, text, (left + right) / 2, y, "center", colour=colour)
        return True

    def _key(self, key: Key, x: float, y: float) -> None:
        style = self.style
        middle = (x + _KEY_MM / 2, y)
        if key.kind == "line":
            ends = ((x, y), (x + _KEY_MM, y))
            for start, end in dashes(ends, key.dash) if key.dash else [ends]:
                self.line("key", start, end, key.fill, key.width_pt)
            if key.marker is not None:
                kind, fill = key.marker
                self.mark("key", kind, middle, style.square_min_mm, fill, key.fill)
        elif key.kind == "area":
            height = 0.36 * style.text_pt * MM_PER_POINT
            corners = rectangle(x, y - height, x + _KEY_MM, y + height)
            self.shape("key", corners, key.fill, key.outline)
        else:
            size = style.square_unweighted_mm
            self.mark("key", key.kind, middle, size, key.fill, key.outline)

    def _paragraphs(
        self, role: str, paragraphs: Sequence[str], size_pt: float, colour: str
    ) -> None:
        lines = [
            line
            for paragraph in paragraphs
            for line in wrap(paragraph, self.right - self.left, size_pt)
        ]
        self.y += self.style.block_gap_mm if lines else 0.0
        self._lines(role, lines, size_pt, colour)

    def _lines(
        self,
        role: str,
        lines: Sequence[str],
        size_pt: float,
        colour: str,
        bold: bool = False,
        left: float | None = None,
    ) -> None:
        leading = self.leading(size_pt)
        x = self.left if left is None else left
        for line in lines:
            self.word(role, line, x, self.y + leading / 2, "left", bold, colour, size_pt)
            self.y += leading


# --------------------------------------------------------------------------------------- geometry


def contrast(one: str, other: str) -> float:
    """Contrast of two colours given as hex, from 1 to 21 (WCAG 2.1, relative luminance)."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def rectangle(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    """Corners of a rectangle."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def diamond(centre: Point, reach: float) -> tuple[Point, ...]:
    """Corners of a square that stands on its tip."""
    x, y = centre
    return ((x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach))


def clipped(start: Point, end: Point, box: Box) -> tuple[Point, Point] | None:
    """The part of a line within a box; None if there is none (Liang and Barsky 1984)."""
    run, rise = end[0] - start[0], end[1] - start[1]
    enter, leave = 0.0, 1.0
    for step, room in (
        (-run, start[0] - box[0]),
        (run, box[2] - start[0]),
        (-rise, start[1] - box[1]),
        (rise, box[3] - start[1]),
    ):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            enter = max(enter, room / step)
        else:
            leave = min(leave, room / step)
    if enter > leave:
        return None
    first = start if enter == 0 else (start[0] + enter * run, start[1] + enter * rise)
    last = end if leave == 1 else (start[0] + leave * run, start[1] + leave * rise)
    return first, last


def cut_to(corners: Sequence[Point], box: Box) -> tuple[Point, ...]:
    """The part of a shape within a box (Sutherland and Hodgman 1974); empty if there is none."""
    kept = list(corners)
    for axis, edge, side in ((0, box[0], 1), (0, box[2], -1), (1, box[1], 1), (1, box[3], -1)):
        before, kept = kept, []
        for here, there in zip(before, [*before[1:], *before[:1]], strict=True):
            inside = side * (here[axis] - edge) >= 0
            if inside:
                kept.append(here)
            if inside != (side * (there[axis] - edge) >= 0):
                share = (edge - here[axis]) / (there[axis] - here[axis])
                other = here[1 - axis] + share * (there[1 - axis] - here[1 - axis])
                kept.append((edge, other) if axis == 0 else (other, edge))
    return tuple(kept) if len(kept) > 2 else ()


def simplified(points: Sequence[Point]) -> list[Point]:
    """Fewer points that draw the same curve to the eye (Douglas and Peucker 1973)."""
    if len(points) < 3:
        return list(points)
    places = np.asarray(points, dtype=float)
    keep = np.zeros(len(places), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(places) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        start, chord = places[first], places[last] - places[first]
        offset = places[first + 1 : last] - start
        length = math.hypot(*chord)
        if length == 0:
            beside = np.hypot(offset[:, 0], offset[:, 1])
        else:
            beside = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / length
        farthest = int(np.argmax(beside))
        if beside[farthest] > _SIMPLER_MM:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return [(float(x), float(y)) for x, y in places[keep]]


def dashes(points: Sequence[Point], dash: Dash) -> list[tuple[Point, ...]]:
    """The inked stretches of a dashed line; the pattern runs on from point to point."""
    strokes: list[tuple[Point, ...]] = []
    inked, left = True, dash[0]
    stroke = [points[0]] if points else []
    for start, end in pairwise(points):
        length, done = math.dist(start, end), 0.0
        while length - done > left:
            done += left
            share = done / length
            here = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
            if inked:
                strokes.append((*stroke, here))
            inked = not inked
            stroke, left = [here], dash[0] if inked else dash[1]
        left -= length - done
        stroke.append(end)
    if inked and len(stroke) > 1:
        strokes.append(tuple(stroke))
    return strokes


def _pieces(start: Point, end: Point, longest: float = _LONGEST_PIECE_MM) -> list[Stretch]:
    # level and upright lines are their own boxes
    upright = abs(start[0] - end[0]) < HAIR_MM or abs(start[1] - end[1]) < HAIR_MM
    count = 1 if upright else max(1, math.ceil(math.dist(start, end) / longest))
    stops = [
        (
            start[0] + step / count * (end[0] - start[0]),
            start[1] + step / count * (end[1] - start[1]),
        )
        for step in range(count)
    ]
    return list(pairwise([*stops, end]))


# ----------------------------------------------------------------------------------------- labels


@dataclass(frozen=True)
class _Place:
    """A place that a label could take: its box, and the line to its mark in pieces."""

    box: Box
    leader: tuple[Stretch, ...]


class _Obstacles:
    """Boxes that texts must not touch."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        self._boxes = np.asarray(list(boxes), dtype=float).reshape(-1, 4)

    def add(self, box: Box) -> None:
        self._boxes = np.vstack([self._boxes, box])

    def meet(self, box: Box, but_at: Box | None = None) -> bool:
        """Whether a box touches any but those that cover part of a mark."""
        meeting = self._touching(box)
        if but_at is not None:
            meeting &= ~self._touching(but_at)
        return bool(meeting.any())

    def _touching(self, box: Box) -> npt.NDArray[np.bool_]:
        left, top, right, bottom = self._boxes.T
        found = (left < box[2]) & (box[0] < right) & (top < box[3]) & (box[1] < bottom)
        return np.asarray(found, dtype=bool)


def _places(
    label: Label,
    text: str,
    size_pt: float,
    ways: Sequence[tuple[float, float]],
    steps_mm: Sequence[float],
) -> Iterable[_Place]:
    width = text_width_mm(text, size_pt)
    ascent, descent = (em * size_pt * MM_PER_POINT for em in (_ASCENT_EM, _DESCENT_EM))
    height = ascent + descent
    for step in steps_mm:
        away = label.reach + _LABEL_GAP_MM + step
        for across, down in ways:
            x = label.x + across * away
            y = label.y + down * away
            # the edge that faces the mark is what lies at that distance
            left = x - width * (1 - across) / 2
            top = y - height * (1 - down) / 2
            box = (left, top, left + width, top + height)
            leader: tuple[Stretch, ...] = ()
            if step >= _LEADER_FROM_MM:
                near = (min(max(label.x, left), left + width), min(max(label.y, top), top + height))
                distance = math.dist((label.x, label.y), near)
                begin, stop = (label.reach + 0.2) / distance, 1 - 0.2 / distance
                ends = [
                    (
                        label.x + share * (near[0] - label.x),
                        label.y + share * (near[1] - label.y),
                    )
                    for share in (begin, stop)
                ]
                leader = tuple(_pieces(ends[0], ends[1], 1.0))
            yield _Place(box, leader)


def _square(label: Label) -> Box:
    """The mark of a label, smaller than drawn: who only touches it does not cover it."""
    half = 0.6 * label.reach
    return label.x - half, label.y - half, label.x + half, label.y + half


def _text_box(text: Text) -> Box:
    width = text_width_mm(text.text, text.size_pt, text.bold)
    left = text.x - {"left": 0.0, "center": 0.5, "right": 1.0}[text.align] * width
    em = text.size_pt * MM_PER_POINT
    return left, text.y - _ASCENT_EM * em, left + width, text.y + _DESCENT_EM * em


def _bounds(points: Sequence[Point]) -> Box:
    xs, ys = zip(*points, strict=True)
    return _padded((min(xs), min(ys), max(xs), max(ys)))


def _around(start: Point, end: Point) -> Box:
    return _bounds((start, end))


def _padded(box: Box) -> Box:
    # half of a line's width, and a hair of air
    pad = 0.2
    return box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad


def _inside(inner: Box, outer: Box) -> bool:
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def labels_fit(made: AxisView, width_mm: float, size_pt: float) -> bool:
    """Whether the labels of a horizontal axis keep a letter’s distance."""
    gap = text_width_mm("0", size_pt)
    ends = [
        (made.share(tick.place) * width_mm, text_width_mm(tick.label, size_pt) / 2)
        for tick in made.ticks
    ]
    return all(a + half + gap <= b - other for (a, half), (b, other) in pairwise(sorted(ends)))


def _gaps_down(made: AxisView, height_mm: float, least_mm: float) -> bool:
    """Whether the labels of a vertical axis keep their distance."""
    places = sorted(made.share(tick.place) * height_mm for tick in made.ticks)
    return all(high - low >= least_mm for low, high in pairwise(places))
