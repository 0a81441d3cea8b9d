"""The text of an SVG figure: every label with its position, in reading order.

Nothing here knows how the file was drawn; it reads texts and the transformations above them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
# A 180 mm page is about 170 characters wide; baselines this close belong to one line.
POINTS_A_COLUMN, SAME_LINE = 3.0, 1.6
# Mean character width of the figures' font, in em.
ADVANCE = 0.52
ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Text:
    """A text as drawn: start of its baseline, in points from the top left, and its rotation."""

    text: str
    left: float
    y: float
    size: float
    degrees: int

    @property
    def right(self) -> float:
        """Approximate end of the text."""
        return self.left + len(self.text) * ADVANCE * self.size


def texts_of(path: Path) -> list[Text]:
    """Every visible text of an SVG file."""
    return list(_below(ElementTree.parse(path).getroot(), IDENTITY))


def figure_as_text(path: Path) -> str:
    """Title, description and every text, line by line, in the columns of the figure."""
    root = ElementTree.parse(path).getroot()
    texts = texts_of(path)
    upright = [text for text in texts if text.degrees == 0]
    turned = sorted(text.text for text in texts if text.degrees != 0)
    lines = [_line(row) for row in _rows(upright)]
    lines += [f"(turned) {text}" for text in turned]
    described = root.findtext(f"{SVG}desc", "")
    return "\n".join(
        [f"title: {root.findtext(f'{SVG}title', '')}", f"described: {described}", "", *lines]
    )


def _rows(texts: list[Text]) -> Iterator[list[Text]]:
    row: list[Text] = []
    for text in sorted(texts, key=lambda one: (one.y, one.left)):
        if row and text.y - row[0].y > SAME_LINE:
            yield row
            row = []
        row.append(text)
    if row:
        yield row


def _line(row: list[Text]) -> str:
    line = ""
    for text in sorted(row, key=lambda one: one.left):
        column = round(text.left / POINTS_A_COLUMN)
        line = line.ljust(max(column, len(line) + 2 if line else 0)) + text.text
    return line.rstrip()


def _below(element: ElementTree.Element, above: Matrix) -> Iterator[Text]:
    matrix = _times(above, _matrix(element.get("transform", "")))
    if element.tag in {f"{SVG}defs", f"{SVG}metadata"}:
        return
    if element.tag == f"{SVG}text":
        words = "".join(element.itertext()).strip()
        if words:
            yield _text(element, words, matrix)
        return
    for child in element:
        yield from _below(child, matrix)


def _text(element: ElementTree.Element, words: str, matrix: Matrix) -> Text:
    style = dict(
        (part.strip() for part in pair.split(":", 1))
        for pair in element.get("style", "").split(";")
        if ":" in pair
    )
    size = re.search(r"([\d.]+)(?:px|pt)", style.get("font-size", style.get("font", "")))
    points = float(size[1]) if size else 8.0
    a, b, c, d, e, f = matrix
    x, y = float(element.get("x", "0")), float(element.get("y", "0"))
    degrees = round(math.degrees(math.atan2(b, a)))
    share = ANCHORS[style.get("text-anchor", element.get("text-anchor", "start"))]
    length = len(words) * ADVANCE * points
    across = a * x + c * y + e - share * length * math.cos(math.radians(degrees))
    return Text(words, across, b * x + d * y + f, points, degrees)


def _matrix(transform: str) -> Matrix:
    matrix = IDENTITY
    for name, content in re.findall(r"(\w+)\s*\(([^)]*)\)", transform):
        numbers = [float(number) for number in re.split(r"[\s,]+", content.strip())]
        matrix = _times(matrix, _one(name, numbers))
    return matrix


def _one(name: str, numbers: list[float]) -> Matrix:
    if name == "matrix":
        a, b, c, d, e, f = numbers
        return a, b, c, d, e, f
    if name == "translate":
        return 1.0, 0.0, 0.0, 1.0, numbers[0], numbers[1] if len(numbers) > 1 else 0.0
    if name == "scale":
        return numbers[0], 0.0, 0.0, numbers[-1], 0.0, 0.0
    if name == "rotate":
        turn = math.radians(numbers[0])
        cos, sin = math.cos(turn), math.sin(turn)
        x, y = numbers[1:] if len(numbers) == 3 else (0.0, 0.0)
        return cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y
    raise ValueError(f"unknown transformation {name}")


def _times(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (
        a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e,
        b * k + d * m + f,
    )  # fmt: skip
