"""Figures read back: the visible content of an SVG file, and its layout errors."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations, pairwise
from math import ceil, hypot
from pathlib import Path
from xml.etree import ElementTree

from fontTools.ttLib import TTFont

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
FONTS = Path(__file__).parents[2] / "workflow/trial_evidence/figures/canvas/fonts"
LEAST_POINTS = 6.0
LONGEST_PIECE = 3.0
# corners of a circle as drawn, the width of the largest bubble, and how much of one may be cut
DISC, LARGEST_DISC, CUT = 24, 20.0, 0.1
# capitals and descenders of the font, in em; overlaps of up to a tenth of a point are ignored
ASCENT, DESCENT, TOUCHING = 0.73, 0.21, 0.1


@dataclass(frozen=True)
class Word:
    """A text as drawn: anchor point, size in points, box in points from the top left."""

    text: str
    x: float
    y: float
    anchor: str
    size: float
    bold: bool
    fill: str

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        width = _length(self.text, self.bold) * self.size
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * width
        return left, self.y - ASCENT * self.size, left + width, self.y + DESCENT * self.size


@dataclass(frozen=True)
class Shape:
    """A path as drawn: its corners in points, its colours ("none" if absent)."""

    points: tuple[tuple[float, float], ...]
    fill: str
    stroke: str
    dashed: bool
    width: float
    clip: tuple[float, float, float, float] | None = None

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """The visible part, clipped to its panel."""
        xs, ys = zip(*self.points, strict=True)
        left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
        if self.clip is None:
            return left, top, right, bottom
        return (
            min(max(left, self.clip[0]), self.clip[2]),
            min(max(top, self.clip[1]), self.clip[3]),
            max(min(right, self.clip[2]), self.clip[0]),
            max(min(bottom, self.clip[3]), self.clip[1]),
        )


@dataclass(frozen=True)
class Drawing:
    """Everything in an SVG file, in points."""

    width: float
    height: float
    title: str
    description: str
    words: tuple[Word, ...]
    shapes: tuple[Shape, ...]
    problems: tuple[str, ...]

    def word(self, text: str) -> Word:
        """The only word with this text."""
        (found,) = (word for word in self.words if word.text == text)
        return found


@cache
def _advances(bold: bool) -> dict[int, float]:
    font = TTFont(FONTS / ("FigureSans-Bold.ttf" if bold else "FigureSans-Regular.ttf"))
    units = font["head"].unitsPerEm
    return {code: font["hmtx"][glyph][0] / units for code, glyph in font.getBestCmap().items()}


@cache
def _length(text: str, bold: bool) -> float:
    return sum(_advances(bold).get(ord(char), _foreign_advance(char)) for char in text)


def _foreign_advance(character: str) -> float:
    # a character missing from the font comes from another, about one em wide; marks add nothing
    return 0.0 if unicodedata.category(character) in {"Mn", "Me", "Cf"} else 1.0


def _style(element: ElementTree.Element) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    return {key.strip(): value.strip() for key, value in pairs}


def read_svg(path: Path) -> Drawing:
    """Read an SVG file."""
    root = ElementTree.parse(path).getroot()
    _, _, width, height = (float(part) for part in root.get("viewBox", "").split())
    words, shapes, problems = [], [], []
    defined = {
        child: child.get("id", "")
        for tag in ("clipPath", "defs")
        for block in root.iter(f"{SVG}{tag}")
        for child in block.iter(f"{SVG}path")
    }
    by_id = {name: element for element, name in defined.items()}
    clips = {block.get("id", ""): _rectangle(block) for block in root.iter(f"{SVG}clipPath")}
    parents = {child: parent for parent in root.iter() for child in parent}

    def clip(element: ElementTree.Element) -> tuple[float, float, float, float] | None:
        found = None
        at: ElementTree.Element | None = element
        while at is not None and found is None:
            found = clips.get(at.get("clip-path", "").removeprefix("url(#").removesuffix(")"))
            at = parents.get(at)
        return found

    for element in root.iter():
        style = _style(element)
        if element.tag == f"{SVG}text":
            size = re.match(r"[\d.]+", style.get("font-size", ""))
            words.append(
                Word(
                    text=element.text or "",
                    x=float(element.get("x", "nan")),
                    y=float(element.get("y", "nan")),
                    anchor=style.get("text-anchor", "start"),
                    size=float(size.group()) if size else 0.0,
                    bold=style.get("font-weight") in {"700", "bold"},
                    fill=style.get("fill", "#000000"),
                )
            )
            if "sans-serif" not in style.get("font-family", ""):
                problems.append(f'"{element.text}" has no generic font to fall back on')
        elif element.tag == f"{SVG}use":
            source = by_id[element.get(f"{XLINK}href", "").removeprefix("#")]
            offset = float(element.get("x", "0")), float(element.get("y", "0"))
            shapes.append(_shape(source, _style(source) | style, offset, clip(element)))
        elif element.tag == f"{SVG}path" and element not in defined:
            shapes.append(_shape(element, style, (0.0, 0.0), clip(element)))
    shapes = [shape for shape in shapes if shape.points]
    return Drawing(
        width,
        height,
        root.findtext(f"{SVG}title", ""),
        root.findtext(f"{SVG}desc", ""),
        tuple(words),
        tuple(shapes),
        tuple(problems),
    )


def _rectangle(clip_path: ElementTree.Element) -> tuple[float, float, float, float]:
    (rectangle,) = clip_path
    if rectangle.tag == f"{SVG}path":
        return _shape(rectangle, {}, (0.0, 0.0), None).box
    x, y, width, height = (
        float(rectangle.get(name, "nan")) for name in ("x", "y", "width", "height")
    )
    return x, y, x + width, y + height


def _shape(
    element: ElementTree.Element,
    style: dict[str, str],
    offset: tuple[float, float],
    clip: tuple[float, float, float, float] | None,
) -> Shape:
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", element.get("d", ""))]
    points = zip(numbers[::2], numbers[1::2], strict=True)
    return Shape(
        tuple((x + offset[0], y + offset[1]) for x, y in points),
        style.get("fill", "#000000"),
        style.get("stroke", "none"),
        "stroke-dasharray" in style,
        float(style.get("stroke-width", "1")) if style.get("stroke", "none") != "none" else 0.0,
        clip,
    )


def check_svg(path: Path) -> list[str]:
    """All layout errors of a figure, in words; empty if there are none.

    Looks for texts or shapes outside the page, texts that overlap, texts under 6 points, texts
    that a mark runs through, discs that are cut off, and a missing title or description.
    """
    drawing = read_svg(path)
    found = list(drawing.problems)
    found += [] if drawing.title else ["no title"]
    found += [] if drawing.description else ["no description"]
    found += [] if drawing.words else ["no text"]
    found += word_defects(drawing.words, drawing.width, drawing.height)
    for shape in drawing.shapes:
        if _outside(shape.box, drawing.width, drawing.height):
            found.append(f"a shape at {shape.box} leaves the page")
    found += [f"a disc at {shape.box} is cut off" for shape in drawing.shapes if _cut_off(shape)]
    for mark in marks(drawing.shapes):
        for word in drawing.words:
            if _overlap(mark.box, word.box) and not _written_on(mark, word):
                found.append(f'a mark at {mark.box} runs through "{word.text}"')
    return found


def word_defects(words: Sequence[Word], width: float, height: float) -> list[str]:
    """Texts that are too small, outside the page, or on top of each other."""
    found = []
    for word in words:
        if word.size < LEAST_POINTS:
            found.append(f'"{word.text}" has {word.size} points')
        if _outside(word.box, width, height):
            found.append(f'"{word.text}" leaves the page')
    for one, other in combinations(words, 2):
        if _overlap(one.box, other.box):
            found.append(f'"{one.text}" and "{other.text}" overlap')
    return found


def marks(shapes: Sequence[Shape]) -> Iterator[Shape]:
    """Line segments and filled shapes, without the page and the bands behind rows."""
    for shape in shapes:
        if shape.fill == "none" and shape.stroke != "none":
            yield from _pieces(shape)
        elif shape.stroke != "none" or _lightness(shape.fill) < 0.9:
            yield shape


def _pieces(line: Shape) -> Iterator[Shape]:
    """A line cut into segments so short that their bounding boxes follow it."""
    for (x1, y1), (x2, y2) in pairwise(line.points):
        level = abs(x1 - x2) < TOUCHING or abs(y1 - y2) < TOUCHING
        count = 1 if level else max(1, ceil(hypot(x2 - x1, y2 - y1) / LONGEST_PIECE))
        stops = [
            (x1 + step / count * (x2 - x1), y1 + step / count * (y2 - y1))
            for step in range(count + 1)
        ]
        for ends in pairwise(stops):
            yield replace(line, points=ends)


def _written_on(mark: Shape, word: Word) -> bool:
    """Whether a text lies on a filled shape with enough contrast by WCAG 2.1 (4.5 to 1)."""
    left, top, right, bottom = word.box
    inside = (
        mark.box[0] <= left
        and mark.box[1] <= top
        and right <= mark.box[2]
        and bottom <= mark.box[3]
    )
    if not inside or not mark.fill.startswith("#") or len(mark.points) < 3:
        return False
    darker, lighter = sorted(map(_luminance, (mark.fill, word.fill)))
    return (lighter + 0.05) / (darker + 0.05) >= 4.5


def _cut_off(shape: Shape) -> bool:
    """Whether a disc with its outline exceeds the box it is drawn in, such as its legend key."""
    xs, ys = zip(*shape.points, strict=True)
    if shape.clip is None or shape.fill == "none" or len(xs) < DISC:
        return False
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    if max(right - left, bottom - top) > LARGEST_DISC:
        return False
    edge = shape.width / 2 - CUT
    return (
        left - edge < shape.clip[0]
        or top - edge < shape.clip[1]
        or right + edge > shape.clip[2]
        or bottom + edge > shape.clip[3]
    )


def _luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lightness(colour: str) -> float:
    if not colour.startswith("#"):
        return 1.0
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _outside(box: tuple[float, float, float, float], width: float, height: float) -> bool:
    left, top, right, bottom = box
    return (
        left < -TOUCHING
        or top < -TOUCHING
        or right > width + TOUCHING
        or bottom > height + TOUCHING
    )


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return (
        one[0] + TOUCHING < other[2]
        and other[0] + TOUCHING < one[2]
        and one[1] + TOUCHING < other[3]
        and other[1] + TOUCHING < one[3]
    )
