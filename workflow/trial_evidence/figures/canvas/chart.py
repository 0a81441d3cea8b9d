"""Building blocks of pages: stacked blocks, a panel with its axis, a legend, small print."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from trial_evidence.config.labels import ENGLISH_LABELS, Labels
from trial_evidence.figures.canvas.axis import MOST_TICKS, Axis, AxisScale, AxisView, to_axis, view
from trial_evidence.figures.canvas.page import (
    LEAST_POINTS,
    Align,
    Page,
    Point,
    Polygon,
    Segment,
    Text,
    as_paragraph,
)
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT, capital_mm, clean, text_width_mm, wrap
from trial_evidence.words.colours import contrast
from trial_evidence.words.numbers import EN_DASH, MINUS, format_number, format_percent

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in mm from the top left of the page."""
Judgement = Literal["low", "some_concerns", "high"]

JUDGEMENT_SIGNS: Mapping[Judgement, str] = {"low": "+", "some_concerns": "?", "high": MINUS}
"""Signs in the discs of risk-of-bias judgements, legible when the page is printed in grey."""

# a position off any page, for infinite values
FAR_MM = 1e4
# differences below this are rounding errors
HAIR_MM = 1e-6
_KEY_MM, _KEY_LINE_PT = 5.0, 2.0


@dataclass(frozen=True)
class Key:
    """A legend entry: a mark as drawn in a panel, and its meaning.

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
    """

    kind: Literal["dot", "line", "area"]
    label: str
    fill: str
    outline: str = ""


@dataclass(frozen=True)
class Panel:
    """A plotting panel: its edges in mm and the axis along its foot."""

    left: float
    top: float
    right: float
    bottom: float
    x: AxisView
    axis: Axis

    def x_mm(self, value: float) -> float:
        """Distance in mm of a value on the analysis scale from the left edge of the page."""
        share = self.x.share(to_axis(float(value), self.axis.scale))
        # an infinite limit has no position; one far off the page will do
        return min(max(self.left + share * (self.right - self.left), -FAR_MM), FAR_MM)

    def spans(self, x: float) -> bool:
        """Whether a distance from the left of the page lies within the panel, edges included."""
        return self.left - HAIR_MM <= x <= self.right + HAIR_MM


def printed(value: float, scale: AxisScale) -> str:
    """Format a value on the analysis scale: as a ratio, a number or a percentage.

    Parameters
    ----------
    value
        Log ratio, plain value or logit; not NaN.
    scale
        Kind of axis.

    Returns
    -------
    str
        The number with two decimals, a percentage with one; rounded half up.
    """
    if scale == "log":
        # the exponential would overflow
        return format_number(math.exp(value) if value < 700 else math.inf)
    if scale == "logit":
        return format_percent(to_axis(value, scale), 1)
    return format_number(value)


def printed_interval(low: float, high: float, scale: AxisScale) -> str:
    """Format limits given on the analysis scale; empty if either is NaN."""
    if math.isnan(low) or math.isnan(high):
        return ""
    ends = [printed(end, scale) for end in (low, high)]
    return (" to " if any(end.startswith(MINUS) for end in ends) else EN_DASH).join(ends)


def printed_result(estimate: float, low: float, high: float, scale: AxisScale) -> str:
    """Format an estimate given on the analysis scale, with its limits if they are known."""
    interval = printed_interval(low, high, scale)
    return f"{printed(estimate, scale)} ({interval})" if interval else printed(estimate, scale)


@dataclass(frozen=True)
class Described:
    """The title, description and notes of a page.

    Parameters
    ----------
    title
        Heading of the figure.
    description
        What the figure shows, in words, for readers who cannot see it.
    notes
        Sentences under the picture, in its text size.
    details
        Printed instead of the notes if the style asks for details.
    footnotes
        Small print at the foot.
    """

    title: str
    description: str = field(default="", kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    details: tuple[str, ...] = field(default=(), kw_only=True)
    footnotes: tuple[str, ...] = field(default=(), kw_only=True)


class Chart:
    """A page filled from top to bottom; `y` is the bottom of what is filled so far, in mm."""

    def __init__(self, style: Style, say: Labels = ENGLISH_LABELS) -> None:
        self.style = style
        self.say = say
        self.left = style.margin_mm
        self.right = style.width_mm - style.margin_mm
        self.y = style.margin_mm
        self.bands: list[Polygon] = []
        self.segments: list[Segment] = []
        self.polygons: list[Polygon] = []
        self.texts: list[Text] = []
        self._shortened: list[str] = []

    # ------------------------------------------------------------------ blocks, one below another

    def title(self, title: str) -> None:
        """The heading of the figure and the rule under it."""
        self.headline(title)
        self.y += self.style.block_gap_mm

    def headline(self, title: str) -> None:
        """The heading of the figure and the rule under it, without the gap below."""
        style = self.style
        shown = title if style.title else ""
        self._paragraphs("title", [shown], style.title_pt, bold=True)
        self.y += style.block_gap_mm if clean(shown) else 0.0
        self.rule()

    def rule(self) -> None:
        """A line across the page."""
        self.line("rule", (self.left, self.y), (self.right, self.y))

    def heading(self, text: str) -> None:
        """A bold line above a group of rows."""
        self._paragraphs("heading", [text], self.style.text_pt, bold=True)

    def headings(
        self,
        role: str,
        columns: Sequence[tuple[float, Sequence[str], Align]],
        size_pt: float | None = None,
    ) -> None:
        """Bold column headings aligned at the bottom; `y` moves to just below them.

        A column is given as its anchor, its lines, and their alignment.
        """
        leading = self.leading(size_pt)
        foot = self.y + max((len(lines) for _, lines, _ in columns), default=0) * leading
        for x, lines, align in columns:
            middle = foot - len(lines) * leading / 2
            self.word(role, lines, x, middle, align, True, size_pt=size_pt)
        self.y = foot

    def percent_panel(self, left_mm: float, height_mm: float) -> Panel:
        """A panel from 0 to 100% with its top at `y`, `left_mm` in from the left margin."""
        size = self.style.text_pt
        left, right = self.left + left_mm, self.right - text_width_mm("100%", size) / 2
        fitting = fitting_view(lambda most: view(Axis("logit"), [], most=most), right - left, size)
        return Panel(left, self.y, right, self.y + height_mm, fitting, Axis("linear"))

    def x_axis(self, panel: Panel) -> None:
        """Draw the axis under a panel with its ticks and labels; `y` moves to just below them."""
        style, axis, leading = self.style, panel.axis, self.leading()
        self.y = panel.bottom
        self.line("axis", (panel.left, panel.bottom), (panel.right, panel.bottom))
        if axis.reference is not None:
            self.upright("reference", panel, axis.reference, panel.bottom)
        for tick in panel.x.ticks:
            x = panel.left + panel.x.share(tick.place) * (panel.right - panel.left)
            self.line("tick", (x, self.y), (x, self.y + style.tick_mm))
            self.word("tick", tick.label, x, self.y + style.tick_mm + leading / 2, "center")
        self.y += style.tick_mm + (leading if panel.x.ticks else 0.0)
        self._favours(panel)
        for line in wrap(axis.label, self.right - self.left, style.text_pt):
            half = text_width_mm(line, style.text_pt) / 2
            x = min(max((panel.left + panel.right) / 2, self.left + half), self.right - half)
            self.word("axis label", line, x, self.y + leading / 2, "center")
            self.y += leading

    def legend(self, keys: Sequence[Key]) -> None:
        """Keys side by side, wrapped onto as many lines as they need."""
        style = self.style
        leading = max(self.leading(), style.square_max_mm)
        indent = _KEY_MM + style.indent_mm
        x = self.left
        self.y += style.block_gap_mm if keys else 0.0
        for at, key in enumerate(keys):
            lines = wrap(key.label, self.right - self.left - indent, style.text_pt)
            width = max((text_width_mm(line, style.text_pt) for line in lines), default=0.0)
            if at and (x + indent + width > self.right or len(lines) > 1):
                x = self.left
                self.y += leading
            self._key(key, x, self.y + leading / 2)
            for number, line in enumerate(lines):
                self.y += leading if number else 0.0
                self.word("key", line, x + indent, self.y + leading / 2)
            x += indent + width + style.column_gap_mm
        self.y += leading if keys else 0.0

    def page(self, said: Described, footnotes: Sequence[str]) -> Page:
        """The finished page, with notes and small print at the foot.

        Labels that were cut are given in full in the footnotes; notes and footnotes are left out if
        the style has no small print.
        """
        style, small = self.style, list(footnotes)
        notes = said.details if style.details and said.details else said.notes
        if self._shortened:
            names = "; ".join(dict.fromkeys(self._shortened))
            small.append(self.say("In full: {names}.", names=names))
        if style.small_print:
            for role, texts, size_pt, colour in (
                ("note", notes, style.text_pt, style.ink),
                ("footnote", small, style.footnote_pt, style.muted),
            ):
                self.y += style.block_gap_mm if any(map(clean, texts)) else 0.0
                self._paragraphs(role, texts, size_pt, colour=colour)
        return Page(
            width_mm=style.width_mm,
            height_mm=self.y + style.margin_mm,
            title=clean(said.title),
            description=clean(said.description),
            bands=tuple(self.bands),
            segments=tuple(self.segments),
            polygons=tuple(self.polygons),
            texts=tuple(self.texts),
            small_print=as_paragraph([*notes, *small]),
        )

    # ------------------------------------------------------------------------------------- marks

    def line(
        self,
        role: str,
        start: Point,
        end: Point,
        colour: str | None = None,
        width_pt: float | None = None,
        dashed: bool = False,
    ) -> None:
        """A straight line; by default with the width and colour of a rule."""
        width = self.style.rule_pt if width_pt is None else width_pt
        self.segments.append(Segment(role, start, end, colour or self.style.ink, width, dashed))

    def upright(self, role: str, panel: Panel, value: float, bottom: float, **look: Any) -> None:
        """A vertical line at a value, if on the axis, from the top of a panel down; see `line`."""
        x = panel.x_mm(value)
        if panel.spans(x):
            self.line(role, (x, panel.top), (x, bottom), **look)

    def dot(
        self, role: str, centre: Point, diameter_mm: float, fill: str, outline: str = ""
    ) -> None:
        """A disc; its edge is drawn only if it has a colour of its own."""
        steps = 24 if diameter_mm < 4 else 48
        turns = [2 * math.pi * step / steps for step in range(steps)]
        radius = diameter_mm / 2
        corners = tuple(
            (centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn))
            for turn in turns
        )
        self.shape(role, corners, fill, outline)

    def shape(
        self,
        role: str,
        corners: Sequence[Point],
        fill: str,
        outline: str = "",
        width_pt: float | None = None,
    ) -> None:
        """A filled shape in front of all lines, with a hairline outline unless a width is given."""
        width = (self.style.hair_pt if width_pt is None else width_pt) if outline else 0.0
        self.polygons.append(Polygon(role, tuple(corners), fill, outline or fill, width))

    def word(
        self,
        role: str,
        text: str | Sequence[str],
        x: float,
        y: float,
        align: Align = "left",
        bold: bool = False,
        colour: str | None = None,
        size_pt: float | None = None,
    ) -> None:
        """A line of text with its capitals centred at a height, or several lines centred around it.

        Empty text is not drawn.
        """
        size = self.style.text_pt if size_pt is None else size_pt
        lines = [text] if isinstance(text, str) else text
        for number, line in enumerate(lines):
            middle = y + (number - (len(lines) - 1) / 2) * self.leading(size)
            baseline = middle + capital_mm(size) / 2
            if line:
                ink = colour or self.style.ink
                self.texts.append(Text(role, line, x, baseline, size, ink, align, bold))

    def cut_short(self, label: str) -> None:
        """Record a label that a panel shows abbreviated, so that a footnote gives it in full."""
        self._shortened.append(clean(label))

    def leading(self, size_pt: float | None = None) -> float:
        """Height of a line of text in mm."""
        return self.style.leading_mm(self.style.text_pt if size_pt is None else size_pt)

    def legible(self, fill: str) -> str:
        """Dark or light ink, whichever has more contrast with a colour."""
        return max((self.style.ink, self.style.paper), key=lambda ink: contrast(ink, fill))

    def _favours(self, panel: Panel) -> None:
        """The labels on both sides of the reference; none if the reference is outside the panel."""
        style, axis = self.style, panel.axis
        if axis.reference is not None and not panel.spans(panel.x_mm(axis.reference)):
            return
        gap = style.panel_gap_mm / 2
        low, high = axis.sides
        half = (self.right - self.left) / 2 - gap
        need = [min(half, text_width_mm(words, style.text_pt)) for words in (low, high)]
        split = (panel.left + panel.right) / 2
        if axis.reference is not None:
            split = panel.x_mm(axis.reference)
        # a reference near the edge of the page would leave no room for the label on that side
        split = min(max(split, self.left + need[0] + gap), self.right - need[1] - gap)
        sides: tuple[tuple[str, float, float, Align], ...] = (
            (low, split - gap, split - gap - self.left, "right"),
            (high, split + gap, self.right - split - gap, "left"),
        )
        deepest = 0
        for words, x, room, align in sides:
            lines = wrap(words, room + HAIR_MM, style.text_pt)
            deepest = max(deepest, len(lines))
            self.word("favours", lines, x, self.y + len(lines) * self.leading() / 2, align)
        self.y += deepest * self.leading()

    def light(self, role: str, judgement: Judgement, centre: Point) -> None:
        """A risk-of-bias judgement as a disc with its sign."""
        style = self.style
        fill = style.judgements[judgement]
        size = max(LEAST_POINTS, 0.72 * style.light_mm / MM_PER_POINT)
        self.dot(role, centre, style.light_mm, fill, style.ink)
        sign = JUDGEMENT_SIGNS[judgement]
        self.word("sign", sign, *centre, "center", True, self.legible(fill), size)

    def band(self, height_mm: float) -> None:
        """A pale strip across the page from `y` down, behind everything."""
        corners = rectangle(self.left, self.y, self.right, self.y + height_mm)
        self.fill("band", corners, self.style.band)

    def fill(self, role: str, corners: Sequence[Point], colour: str) -> None:
        """A filled shape behind all lines."""
        self.bands.append(Polygon(role, tuple(corners), colour, colour, 0.0))

    def _key(self, key: Key, x: float, y: float) -> None:
        style = self.style
        if key.kind == "line":
            self.line("key", (x, y), (x + _KEY_MM, y), key.fill, _KEY_LINE_PT)
        elif key.kind == "area":
            height = 0.36 * style.text_pt * MM_PER_POINT
            corners = rectangle(x, y - height, x + _KEY_MM, y + height)
            self.shape("key", corners, key.fill, key.outline)
        else:
            middle = (x + _KEY_MM / 2, y)
            self.dot("key", middle, style.square_unweighted_mm, key.fill, key.outline)

    def _paragraphs(
        self,
        role: str,
        paragraphs: Sequence[str],
        size_pt: float,
        bold: bool = False,
        colour: str | None = None,
    ) -> None:
        """Text wrapped to the width of the page; `y` moves to just below it."""
        room = self.right - self.left
        lines = [line for text in paragraphs for line in wrap(text, room, size_pt, bold)]
        leading = self.leading(size_pt)
        for line in lines:
            self.word(role, line, self.left, self.y + leading / 2, "left", bold, colour, size_pt)
            self.y += leading


# --------------------------------------------------------------------------------------- geometry


def rectangle(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    """Corners of a rectangle."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def clipped(start: Point, end: Point, box: Box) -> tuple[Point, Point] | None:
    """The part of a line inside a box; None if there is none (Liang and Barsky 1984)."""
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


# ----------------------------------------------------------------------------------------- labels


def fitting_view(made: Callable[[int], AxisView], width_mm: float, size_pt: float) -> AxisView:
    """The axis with as many ticks as its labels have room for, at most seven and at least three.

    `made` makes the axis with at most the given number of ticks.
    """
    gap = text_width_mm("0", size_pt)
    for most in range(MOST_TICKS, 3, -1):
        seen = made(most)
        ends = sorted(
            (seen.share(tick.place) * width_mm, text_width_mm(tick.label, size_pt) / 2)
            for tick in seen.ticks
        )
        # labels at least one character apart
        if all(a + half + gap <= b - other for (a, half), (b, other) in pairwise(ends)):
            return seen
    return made(3)
