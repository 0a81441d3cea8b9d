"""What pages share: blocks from top to bottom, a panel with its axis, a legend, small print."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from trial_evidence.figures.canvas.axis import (
    Axis,
    AxisScale,
    AxisView,
    Tick,
    to_axis,
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
    MM_PER_POINT,
    clean,
    text_width_mm,
    wrap,
)
from trial_evidence.words.numbers import format_number, format_tick, linear_ticks

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in mm from the top left of the page."""
KeyKind = Literal["dot", "line", "area"]
Judgement = Literal["low", "some_concerns", "high"]

JUDGEMENT_SIGNS: Mapping[Judgement, str] = {
    "low": "+",
    "some_concerns": "?",
    "high": "\N{MINUS SIGN}",
}
"""Signs in the discs of risk-of-bias judgements, which say in grey what colours say."""

MOST_TICKS = 7

# a place that is off any page, for what has no end
FAR_MM = 1e4
# differences that are rounding errors
HAIR_MM = 1e-6
_KEY_MM = 5.0


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
    """

    kind: KeyKind
    label: str
    fill: str
    outline: str = ""
    width_pt: float = 0.8


@dataclass(frozen=True)
class Panel:
    """A plotting panel: its edges in mm and the axis along its foot."""

    left: float
    top: float
    right: float
    bottom: float
    x: AxisView
    x_scale: AxisScale = "linear"

    def x_mm(self, value: float) -> float:
        """Distance from the left of the page of a value on the analysis scale."""
        share = self.x.share(to_axis(float(value), self.x_scale))
        # an endless limit has no place; far off the page is as good
        return min(max(self.left + share * (self.right - self.left), -FAR_MM), FAR_MM)

    def spans(self, x: float) -> bool:
        """Whether a distance from the left is between the sides of the panel; its edges are."""
        return self.left - HAIR_MM <= x <= self.right + HAIR_MM


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

    def heading(self, text: str) -> None:
        """A bold line over a group of rows."""
        style = self.style
        lines = wrap(text, self.right - self.left, style.text_pt, True)
        self._lines("heading", lines, style.text_pt, style.ink, bold=True)

    def percent_panel(self, left_mm: float, height_mm: float) -> Panel:
        """A panel from 0 to 100%, so far from the edge of the page, whose top is at `y`."""
        size = self.style.text_pt
        left, right = self.left + left_mm, self.right - text_width_mm("100%", size) / 2

        def made(most: int) -> AxisView:
            places = linear_ticks(0.0, 100.0, most)
            ticks = tuple(Tick(place / 100, f"{format_tick(place)}%") for place in places)
            return AxisView(0.0, 1.0, ticks)

        views = (made(most) for most in range(MOST_TICKS, 2, -1))
        fitting = next(one for one in views if labels_fit(one, right - left, size))
        return Panel(left, self.y, right, self.y + height_mm, fitting)

    def x_axis(self, panel: Panel, axis: Axis | None = None) -> None:
        """Draw the axis under a panel with its ticks and words; the page is filled to below it."""
        style, leading = self.style, self.leading(self.style.text_pt)
        self.y = panel.bottom
        ends = ((panel.left, panel.bottom), (panel.right, panel.bottom))
        self.line("axis", *ends, style.ink, style.rule_pt)
        if axis is not None and axis.reference is not None:
            x = panel.x_mm(axis.reference)
            if panel.spans(x):
                ends = ((x, panel.top), (x, panel.bottom))
                self.line("reference", *ends, style.ink, style.rule_pt)
        for tick in panel.x.ticks:
            x = panel.left + panel.x.share(tick.place) * (panel.right - panel.left)
            end = (x, self.y + style.tick_mm)
            self.line("tick", (x, self.y), end, style.ink, style.rule_pt)
            self.word("tick", tick.label, x, self.y + style.tick_mm + leading / 2, "center")
        self.y += style.tick_mm + (leading if panel.x.ticks else 0.0)
        if axis is None:
            return
        self._favours(panel, axis)
        for line in wrap(axis.label, self.right - self.left, style.text_pt):
            half = text_width_mm(line, style.text_pt) / 2
            x = min(max((panel.left + panel.right) / 2, self.left + half), self.right - half)
            self.word("axis label", line, x, self.y + leading / 2, "center")
            self.y += leading

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

    def cut_short(self, label: str) -> None:
        """Have a footnote give in full what a panel shows the beginning of."""
        self._shortened.append(clean(label))

    def leading(self, size_pt: float) -> float:
        """Height of a line of text in mm."""
        return size_pt * MM_PER_POINT * self.style.leading

    def _favours(self, panel: Panel, axis: Axis) -> None:
        """What either side favours, on both sides of the reference."""
        style, outer_left, outer_right = self.style, self.left, self.right
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
            self.line("key", (x, y), (x + _KEY_MM, y), key.fill, key.width_pt)
        elif key.kind == "area":
            height = 0.36 * style.text_pt * MM_PER_POINT
            corners = rectangle(x, y - height, x + _KEY_MM, y + height)
            self.shape("key", corners, key.fill, key.outline)
        else:
            self.dot("key", middle, style.square_unweighted_mm, key.fill, key.outline)

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
    ) -> None:
        leading = self.leading(size_pt)
        for line in lines:
            self.word(role, line, self.left, self.y + leading / 2, "left", bold, colour, size_pt)
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


# ----------------------------------------------------------------------------------------- labels


def labels_fit(made: AxisView, width_mm: float, size_pt: float) -> bool:
    """Whether the labels of a horizontal axis keep a letter’s distance."""
    gap = text_width_mm("0", size_pt)
    ends = [
        (made.share(tick.place) * width_mm, text_width_mm(tick.label, size_pt) / 2)
        for tick in made.ticks
    ]
    return all(a + half + gap <= b - other for (a, half), (b, other) in pairwise(sorted(ends)))
