"""Charts saved and read back: positions of their marks on their own axes."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import plotnine as p9
from figures.svg_reading import Drawing, Shape, Word, check_svg, read_svg, word_defects
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from matplotlib.ft2font import FT2Font
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import Page, Picture, save_page
from trial_evidence.figures.canvas.style import PRESETS, Style
from trial_evidence.figures.canvas.text import font_path
from trial_evidence.figures.house.publish import Chart
from trial_evidence.figures.house.theme import Words
from trial_evidence.kept import digest

POINTS_PER_MM = 72 / 25.4
CAP_HEIGHT = 1409 / 2048
# drawing is slower than calculating, so fewer examples
DRAWN = settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
PAGE, COLUMN = PRESETS["page"], PRESETS["column"]
STYLE = Style()
INK, MUTED, PAPER = STYLE.ink.lower(), STYLE.muted.lower(), STYLE.paper.lower()
ACCENT, LIGHT, PALE = (c.lower() for c in (STYLE.accent, STYLE.accent_light, STYLE.accent_pale))
FAINT = STYLE.accent_faint.lower()
TITLED = Words("A title")
RATIO = Axis("log", 0.0, "Risk ratio", "Favours control", "Favours treatment")
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)
# Letters that the font has. For others matplotlib measures the box that it draws instead, while a
# viewer draws a letter of another font: where such a word begins in a chart is unknown.
LETTERS = sorted(set(map(chr, FT2Font(str(font_path(bold=False))).get_charmap())))
CHART_TEXT = st.text(st.sampled_from(LETTERS), max_size=60)
UGLY_TEXTS = [
    "$of_tex^$ \\frac{1}{2} <b>&amp;</b> % \N{CJK UNIFIED IDEOGRAPH-764C} \N{ROCKET} \t \n \x07"
    + " a name of many words" * 9,
    "X" * 300,
    "",
]


def at_widths(cases: Sequence[Any]) -> list[tuple[str, Any]]:
    """Pairs of a preset and a case: every case where room is shortest, and each other width once.

    The wider presets differ from one another in numbers alone.
    """
    every = [("column", case) for case in cases]
    return [*every, ("wide_column", cases[len(cases) // 2]), ("page", cases[-1])]


def chart(
    draw: Callable[..., p9.ggplot],
    *data: Any,
    style: Style = PRESETS["page"],
    words: Words = TITLED,
    **more: Any,
) -> Chart:
    """A chart of given data, ready to be saved."""
    made = partial(draw, *data, words=words, **more)
    return Chart(made, words.title, "A description", style)


def drawn(page: Picture, folder: Path) -> Drawing:
    """The page or chart as read back from its SVG file, after checking its layout.

    Objects with the same checksum have the same bytes, and are drawn and checked once for each
    library: `make mutants` names the fault that a process runs with.
    """
    try:
        key = digest(page, os.environ.get("MUTANT_UNDER_TEST", ""))
    except TypeError:
        # Drawn by a function of the test itself, so it has no checksum.
        return _read(page, folder)
    if key not in _READ:
        _READ[key] = _read(page, folder)
        if len(_READ) > MOST_KEPT:
            del _READ[next(iter(_READ))]
    return _READ[key]


_READ: dict[str, Drawing] = {}
MOST_KEPT = 64


def _read(page: Picture, folder: Path) -> Drawing:
    save_page(page, folder / "one", ("svg",))
    assert check_svg(folder / "one.svg") == []
    return read_svg(folder / "one.svg")


def page_defects(page: Page) -> list[str]:
    """Layout errors of a page before drawing: its texts, and anything outside the page."""
    anchors = {"left": "start", "center": "middle", "right": "end"}
    words = [
        Word(
            text.text,
            text.x * POINTS_PER_MM,
            text.y * POINTS_PER_MM,
            anchors[text.align],
            text.size_pt,
            text.bold,
            text.colour,
        )
        for text in page.texts
    ]
    found = word_defects(words, page.width_mm * POINTS_PER_MM, page.height_mm * POINTS_PER_MM)
    points = [point for shape in (*page.bands, *page.polygons) for point in shape.points]
    points += [point for line in page.segments for point in (line.start, line.end)]
    found += [
        f"{x}, {y} is outside"
        for x, y in points
        if not (0 <= x <= page.width_mm and 0 <= y <= page.height_mm)
    ]
    return found


def x_of(drawing: Drawing, ticks: tuple[str, str], as_drawn: Callable[[float], float] = float):
    """Map a value to x, from the positions of two tick labels."""
    words = [drawing.word(tick) for tick in ticks]
    return _between([as_drawn(float(tick)) for tick in ticks], [w.x for w in words], as_drawn)


def y_of(drawing: Drawing, ticks: tuple[str, str], as_drawn: Callable[[float], float] = float):
    """Map a value to y, from the centres of two tick labels on the left."""
    words = [
        min((w for w in drawing.words if w.text == tick), key=lambda word: word.box[0])
        for tick in ticks
    ]
    middles = [_tick(drawing, word) for word in words]
    return _between([as_drawn(float(tick)) for tick in ticks], middles, as_drawn)


def _tick(drawing: Drawing, word: Word) -> float:
    """The y of the tick to the right of a label, or of the label's centre if there is no tick."""
    height = word.y - CAP_HEIGHT * word.size / 2
    ticks = [
        shape.points[0][1]
        for shape in drawing.shapes
        if len(shape.points) == 2
        and -1 <= shape.box[0] - word.box[2] < 6
        and shape.box[2] - shape.box[0] < 6
        and shape.box[3] - shape.box[1] < 0.01
    ]
    return min(ticks, key=lambda tick: abs(tick - height), default=height)


def said(drawing: Drawing) -> str:
    """All texts of a drawing, concatenated."""
    return " ".join(word.text for word in drawing.words)


def _between(values, places, as_drawn):
    slope = (places[1] - places[0]) / (values[1] - values[0])
    return lambda value: places[0] + slope * (as_drawn(value) - values[0])


def middle(shape: Shape) -> tuple[float, float]:
    left, top, right, bottom = shape.box
    return (left + right) / 2, (top + bottom) / 2


def dots(drawing: Drawing, tick: str, fill: str = INK, stroke: str = PAPER) -> list[Shape]:
    """Discs above the tick labels of the horizontal axis, which excludes the legend."""
    return [
        shape
        for shape in drawing.shapes
        if len(shape.points) >= 24
        and (shape.fill, shape.stroke) == (fill, stroke)
        and shape.box[3] < drawing.word(tick).y
    ]


def lines(drawing: Drawing, stroke: str) -> list[Shape]:
    """Straight lines of a colour; curves as the segments they are drawn with."""
    return [
        replace(shape, points=ends)
        for shape in drawing.shapes
        if shape.stroke == stroke and (shape.fill == "none" or len(shape.points) == 2)
        for ends in pairwise(shape.points)
    ]


def area(shape: Shape) -> float:
    """Area of a shape by the shoelace formula, in square points."""
    closed = [*shape.points, shape.points[0]]
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(closed))) / 2
