"""A finished figure read as a person would: words, rows, columns, axes and marks.

Nothing here calls the drawing code or knows its names. The scale of an axis is taken from its tick
labels; positions are in points from the top left.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from figures.svg_reading import Shape, Word, read_svg

# Tolerances: of a word from its expected position, and of a tick from its label.
# A label on a vertical axis lies up to one point below its tick: digits have no descender.
SAME_ROW, ON_THE_SPOT = 2.0, 1.4
NUMBER = re.compile(r"[−-]?\d+(?:[.,]\d+)?%?")


@dataclass(frozen=True)
class Axis:
    """The scale of an axis, as its tick labels define it."""

    intercept: float
    slope: float
    log: bool
    low: float
    high: float

    def at(self, value: float) -> float:
        """Position of a value."""
        return self.intercept + self.slope * (math.log(value) if self.log else value)

    def value(self, position: float) -> float:
        """The value at a position."""
        raw = (position - self.intercept) / self.slope
        return math.exp(raw) if self.log else raw


@dataclass(frozen=True)
class Mark:
    """A small shape: its centre, size and colour."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True)
class Segment:
    """A straight line between two points, left to right or top to bottom."""

    x: float
    y: float
    to_x: float
    to_y: float
    stroke: str
    dashed: bool


def number(text: str) -> float | None:
    """A tick label or a cell as a number; None where it is none."""
    if not NUMBER.fullmatch(text):
        return None
    text = text.replace("−", "-").removesuffix("%")
    if re.fullmatch(r"\d{1,3},\d{3}", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


def middle(word: Word) -> tuple[float, float]:
    """Centre of a word as drawn, from the height of its capitals."""
    left, _, right, _ = word.box
    return (left + right) / 2, word.y - 0.36 * word.size


class Figure:
    """Everything in an SVG file."""

    def __init__(self, path: Path) -> None:
        drawing = read_svg(path)
        self.title, self.description = drawing.title, drawing.description
        self.words: Sequence[Word] = [word for word in drawing.words if word.text.strip()]
        self.shapes: Sequence[Shape] = drawing.shapes
        self.width, self.height = drawing.width, drawing.height

    # ------------------------------------------------------------------------------- words

    def named(self, text: str, *, within: Iterable[Word] | None = None) -> Word:
        """The topmost word that is this text, or starts with it and a space."""
        pool = self.words if within is None else within
        found = [w for w in pool if w.text.strip() == text]
        found += [w for w in pool if w.text.strip().startswith(f"{text} ")]
        assert found, f"{text!r} is not in the figure"
        return found[0]

    def all_named(self, text: str) -> list[Word]:
        """All words that are this text or start with it and a space, from top to bottom."""
        found = [w for w in self.words if w.text.strip() == text or w.text.startswith(f"{text} ")]
        return sorted(found, key=lambda word: word.y)

    def row(self, of: Word) -> list[Word]:
        """The words on the line of a word, from left to right."""
        line = [word for word in self.words if abs(word.y - of.y) < SAME_ROW]
        return sorted(line, key=lambda word: word.box[0])

    def cells(self, of: Word) -> list[str]:
        """The texts on the line of a word, from left to right."""
        return [word.text.strip() for word in self.row(of)]

    def below_heading(self, heading: Word, row: Word) -> str:
        """The text in the row of a word under a heading; they share an edge or the centre."""
        for word in self.row(row):
            left, _, right, _ = word.box
            head_left, _, head_right, _ = heading.box
            apart = (
                abs(left - head_left), abs(right - head_right),
                abs(left + right - head_left - head_right) / 2,
            )  # fmt: skip
            if min(apart) < ON_THE_SPOT:
                return word.text.strip()
        raise AssertionError(f"nothing stands under {heading.text!r} in the row of {row.text!r}")

    def stacked(self, text: str) -> Word:
        """The first line of a text that may be broken into lines, centred or flush, as a whole."""
        for word in sorted(self.words, key=lambda w: (w.y, w.x)):
            rest, line = text, word
            while rest.startswith(line.text.strip()):
                rest = rest.removeprefix(line.text.strip()).strip()
                below = self._below(line)
                if not rest and (below is None or below.bold != line.bold):
                    return word
                if not rest or below is None:
                    break
                line = below
        raise AssertionError(f"{text!r} is not in the figure, in one line or more")

    def _below(self, word: Word) -> Word | None:
        """The next line of a broken text."""
        for other in self.words:
            if 0.7 < (other.y - word.y) / word.size < 1.6 and _aligned(word, other):
                return other
        return None

    @cached_property
    def everything(self) -> str:
        """All words joined, for texts that may be anywhere."""
        return " ".join(word.text for word in sorted(self.words, key=lambda w: (w.y, w.x)))

    # -------------------------------------------------------------------------------- axes

    def across(
        self, *, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None
    ) -> Axis:
        """The lowest horizontal axis within a part of the figure."""
        ticks = self._ticks(x, y)
        rows = _groups(ticks, key=lambda tick: tick[2])
        axes = [found for row in reversed(rows) if (found := _fit([(v, at) for v, at, _ in row]))]
        assert axes, "there is no horizontal axis"
        return axes[0]

    def upright(
        self, *, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None
    ) -> Axis:
        """The leftmost vertical axis within a part of the figure."""
        numbers = [
            (value, middle(word)[1], word.box[2])
            for word in self.words
            if (value := number(word.text.strip())) is not None and _inside(word, x, y)
        ]
        columns = _groups(numbers, key=lambda tick: tick[2])
        axes = [found for column in columns if (found := _fit([(v, at) for v, at, _ in column]))]
        assert axes, "there is no vertical axis"
        return axes[0]

    def _ticks(
        self, x: tuple[float, float] | None, y: tuple[float, float] | None
    ) -> list[tuple[float, float, float]]:
        return [
            (value, middle(word)[0], word.y)
            for word in self.words
            if (value := number(word.text.strip())) is not None and _inside(word, x, y)
        ]

    def sides(self, x: tuple[float, float] | None = None) -> tuple[str, str]:
        """What is favoured left and right of no effect, according to the arrows."""
        left, right = self.side_words(x)
        assert left.box[2] < right.box[0]
        assert abs(left.y - right.y) < SAME_ROW
        return left.text.removeprefix("←").strip(), right.text.removesuffix("→").strip()

    def side_words(self, x: tuple[float, float] | None = None) -> tuple[Word, Word]:
        """The words at the two arrows."""
        left = next(w for w in self.words if w.text.startswith("←") and _inside(w, x, None))
        return left, next(w for w in self.words if w.text.endswith("→") and _inside(w, x, None))

    # ------------------------------------------------------------------------------- marks

    def marks(self, largest: float = 24.0) -> Iterator[Mark]:
        """Small shapes that are filled or outlined: squares, discs, diamonds, bubbles."""
        for shape in self.shapes:
            left, top, right, bottom = shape.box
            width, height = right - left, bottom - top
            if 0.6 < width <= largest and 0.6 < height <= largest and len(shape.points) > 3:
                yield Mark((left + right) / 2, (top + bottom) / 2, width, height, shape.fill)

    def marks_at(self, x: float, y: float, within: float = ON_THE_SPOT) -> list[Mark]:
        """Marks centred on a point."""
        return [m for m in self.marks(60.0) if abs(m.x - x) < within and abs(m.y - y) < within]

    def segments(self) -> Iterator[Segment]:
        """Every segment of every line."""
        for shape in self.shapes:
            if shape.stroke == "none":
                continue
            for (x, y), (to_x, to_y) in pairwise(shape.points):
                (x, y), (to_x, to_y) = sorted([(x, y), (to_x, to_y)])
                yield Segment(x, y, to_x, to_y, shape.stroke, shape.dashed)

    def level_at(self, y: float, within: float = 2.6) -> list[Segment]:
        """Horizontal lines at a height, longest first."""
        found = [
            s for s in self.segments()
            if abs(s.y - s.to_y) < 0.1 and s.to_x - s.x > 0.5 and abs(s.y - y) < within
        ]  # fmt: skip
        return sorted(found, key=lambda s: s.x - s.to_x)

    def spans_at(self, y: float, within: float = 2.6) -> list[tuple[float, float]]:
        """Left and right end of every line or bar at a height, longest first."""
        found = [(s.x, s.to_x) for s in self.level_at(y, within)]
        found += [
            (left, right)
            for left, top, right, bottom in (shape.box for shape in self.shapes)
            if bottom - top < 12 and right - left > 0.5 and abs((top + bottom) / 2 - y) < within
        ]
        return sorted(found, key=lambda span: span[0] - span[1])

    def plumb_at(self, x: float, within: float = ON_THE_SPOT) -> list[Segment]:
        """Vertical lines at a position, longest first."""
        found = [
            s for s in self.segments()
            if abs(s.x - s.to_x) < 0.1 and abs(s.to_y - s.y) > 3 and abs(s.x - x) < within
        ]  # fmt: skip
        return sorted(found, key=lambda s: -abs(s.y - s.to_y))

    def passes(self, x: float, y: float, within: float = 1.0) -> bool:
        """Whether any line runs through a point."""
        start, along = self._pieces
        from_start = np.array([x, y]) - start
        length = np.maximum((along**2).sum(axis=1), 1e-12)
        share = np.clip((from_start * along).sum(axis=1) / length, 0, 1)
        return bool((np.hypot(*(from_start - share[:, None] * along).T) < within).any())

    @cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        ends = np.array([(s.x, s.y, s.to_x, s.to_y) for s in self.segments()])
        return ends[:, :2], ends[:, 2:] - ends[:, :2]


def _aligned(one: Word, other: Word) -> bool:
    left, _, right, _ = one.box
    other_left, _, other_right, _ = other.box
    apart = abs(left - other_left), abs(right - other_right), abs(middle(one)[0] - middle(other)[0])
    return min(apart) < ON_THE_SPOT


def _inside(word: Word, x: tuple[float, float] | None, y: tuple[float, float] | None) -> bool:
    across, down = middle(word)
    return (x is None or x[0] <= across <= x[1]) and (y is None or y[0] <= down <= y[1])


def _groups(ticks: list, key) -> list[list]:
    groups: list[list] = []
    for tick in sorted(ticks, key=key):
        if groups and abs(key(tick) - key(groups[-1][-1])) < ON_THE_SPOT:
            groups[-1].append(tick)
        else:
            groups.append([tick])
    return groups


def _fit(ticks: list[tuple[float, float]]) -> Axis | None:
    """The linear or logarithmic scale that fits three or more tick labels, if any does."""
    if len({value for value, _ in ticks}) < 3:
        return None
    values, places = map(np.array, zip(*ticks, strict=True))
    for log in (False, True):
        if log and values.min() <= 0:
            continue
        raw = np.log(values) if log else values
        slope, intercept = np.polyfit(raw, places, 1)
        if np.abs(intercept + slope * raw - places).max() < 1.2:
            return Axis(intercept, slope, log, float(values.min()), float(values.max()))
    return None
