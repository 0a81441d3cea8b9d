"""The graph of a network: treatments as discs, direct comparisons as lines between them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np

from trial_evidence.figures.canvas.chart import HAIR_MM, Box, Chart, Described, Key, clipped
from trial_evidence.figures.canvas.page import ANCHORS, Align, Page, Point
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT, capital_mm, clean, text_width_mm

_LARGEST_MM, _SMALLEST_MM = 9.0, 1.8
_WIDEST_PT, _THINNEST_PT = 3.6, 0.7
# Lines are drawn in pieces so short that the box around a piece shows where the line runs.
_PIECE_MM = 0.8
# Positions along a line for its number, in order of preference.
_PLACES = (0.5, 0.42, 0.58, 0.35, 0.65, 0.3, 0.7)
_LABEL_GAP_MM = 1.0
_LABEL_STEPS_MM = tuple(0.75 * step for step in range(24))
_LABEL_TURNS = (0.0, 0.4, -0.4, 0.8, -0.8, 1.2, -1.2)
_SMALL_PART = 4
_SMALL_PARTS_A_ROW = 3


@dataclass(frozen=True)
class GraphNode:
    """A treatment: its short name, and its size (patients), shown as the area of the disc."""

    name: str
    size: float
    words: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """A direct comparison: two names, and its weight (trials), shown as the width of the line."""

    first: str
    second: str
    weight: float


@dataclass(frozen=True)
class NetworkGraph(Described):
    """The description of a network graph.

    Parameters
    ----------
    nodes
        Treatments.
    edges
        Direct comparisons.
    parts
        Names of the treatments of each connected part.
    multi_arm
        Names of the treatments of each trial with three or more arms; shaded.
    """

    nodes: Sequence[GraphNode]
    edges: Sequence[GraphEdge]
    parts: Sequence[Sequence[str]]
    multi_arm: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class _Disc:
    """A treatment as drawn: radius of its disc, lines of its label and their width, in mm."""

    radius: float
    lines: tuple[tuple[str, bool], ...]
    width: float


_Line = tuple[Point, Point]
_Label = tuple[float, Align, Box]
"""A candidate position for the label of a disc: its anchor, alignment and box."""


def layout(graph: NetworkGraph, style: Style) -> Page:
    """Place a network graph on a page.

    Every connected part is a ring of its own, larger ones first; on a ring, treatments are ordered
    so that few lines cross. The area of a disc is proportional to its size and the width of a line
    to its weight; a weight above 1 is also printed on the line, or below the graph if the line has
    no room.
    """
    drawing = _Drawing(style)
    drawing.title(graph.title)
    largest = max((node.size for node in graph.nodes), default=0.0)
    drawing.graph, drawing.unnumbered = graph, []
    drawing.discs = {node.name: _disc(node, largest, style) for node in graph.nodes}
    ordered = sorted((ring(part, graph.edges) for part in graph.parts), key=lambda part: -len(part))
    # large parts alone, small ones side by side
    large = [[part] for part in ordered if len(part) > _SMALL_PART]
    small = [part for part in ordered if len(part) <= _SMALL_PART]
    a_row = drawing.parts_a_row(small)
    starts = range(0, len(small), a_row)
    for row in [*large, *(small[start : start + a_row] for start in starts)]:
        drawing.row(row)
    keys = [
        Key("dot", "Patients (area)", style.accent, style.paper),
        Key("line", "Trials (width)", style.accent_light),
    ]
    if graph.multi_arm:
        words = "Trial of three or more arms"
        keys.append(Key("area", words, style.accent_pale, style.accent_light))
    drawing.legend(keys)
    return drawing.page(graph, (*drawing.without_number(), *graph.footnotes))


def ring(names: Sequence[str], edges: Sequence[GraphEdge]) -> tuple[str, ...]:
    """Order the treatments of one part around a ring so that few lines between them cross.

    Two treatments are swapped as long as this reduces crossings, or line length without more
    crossings; the start is alphabetical, so that a network always gets the same order.
    """
    order = sorted(names)
    ends = [(e.first, e.second) for e in edges if e.first in order and e.second in order]
    if len(order) < 4 or not ends:
        return tuple(order)
    best = _cost(order, ends)
    improved = True
    while improved:
        improved = False
        for one, other in combinations(range(len(order)), 2):
            changed = list(order)
            changed[one], changed[other] = order[other], order[one]
            cost = _cost(changed, ends)
            if cost < best:
                order, best, improved = changed, cost, True
    return tuple(order)


def _cost(order: Sequence[str], ends: Sequence[tuple[str, str]]) -> tuple[int, int]:
    place = {name: at for at, name in enumerate(order)}
    low, high = np.sort([[place[a], place[b]] for a, b in ends], axis=1).T
    # two chords cross if exactly one end of one lies between the ends of the other
    inside = (low[:, None] < low) & (low < high[:, None]) & (high > high[:, None])
    span = high - low
    return int(inside.sum()), int(np.minimum(span, len(order) - span).sum())


def _disc(node: GraphNode, largest: float, style: Style) -> _Disc:
    share = max(node.size, 0.0) / largest if largest > 0 and math.isfinite(node.size) else 0.0
    diameter = max(_SMALLEST_MM, _LARGEST_MM * math.sqrt(share))
    words = ((clean(node.name), True), (clean(node.words), False))
    lines = tuple((text, bold) for text, bold in words if text)
    width = max((text_width_mm(text, style.footnote_pt, bold) for text, bold in lines), default=0.0)
    return _Disc(style.square_max_mm / 3.3 * diameter / 2, lines, width)


class _Drawing(Chart):
    """A chart of treatments as discs and the lines between them."""

    graph: NetworkGraph
    discs: Mapping[str, _Disc]
    unnumbered: list[GraphEdge]

    def without_number(self) -> Iterator[str]:
        """The weights of the lines that have no room for a number."""
        if self.unnumbered:
            named = (f"{e.first} v {e.second}: {e.weight:g}" for e in self.unnumbered)
            yield f"Trials on lines without room for their number: {'; '.join(named)}."

    def parts_a_row(self, parts: Sequence[Sequence[str]]) -> int:
        """How many small parts stand side by side without labels that run into the next part."""
        fitting = (int((self.right - self.left) / self._needed(part)) for part in parts)
        return max(1, min((_SMALL_PARTS_A_ROW, *fitting)))

    def _needed(self, part: Sequence[str]) -> float:
        """Width of a small part with its two longest labels next to each other."""
        discs = [self.discs[name] for name in part]
        # from three treatments on, labels are next to the discs, not above them
        apart = 2 * max(disc.radius for disc in discs) if len(part) > 2 else 0.0
        return sum(sorted(disc.width for disc in discs)[-2:]) + 2 * apart + 3 * _LABEL_GAP_MM

    def row(self, parts: Sequence[Sequence[str]]) -> None:
        """Connected parts side by side; `y` moves to below them."""
        width = (self.right - self.left) / len(parts)
        most = max(map(len, parts))
        half_height = min(0.3 * self.style.width_mm, 4.0 * most) if most > 2 else 0.0
        largest = max(self.discs[name].radius for part in parts for name in part)
        label = 2 * self.leading(self.style.footnote_pt)
        room = largest + _LABEL_GAP_MM + label
        rings = [(part, self._reach(part, width)) for part in parts]
        # where the discs at the top are too close for their labels, one label goes above another
        above = room + (label if any(self._crowded(*ring) for ring in rings) else 0.0)
        middle = self.y + above + half_height
        for number, (part, across) in enumerate(rings):
            centre = (self.left + (number + 0.5) * width, middle)
            self._part(_on_ring(part, centre, (across, half_height)))
        self.y = middle + half_height + room + self.style.block_gap_mm

    def _reach(self, part: Sequence[str], width: float) -> float:
        """Half the width of a part's ring, between the labels at its sides."""
        widest = max(self.discs[name].width for name in part)
        radius = max(self.discs[name].radius for name in part)
        # with two treatments or fewer the labels are above the discs
        margin = max(widest / 2, radius) if len(part) <= 2 else widest + radius
        return min(max(width / 2 - margin - _LABEL_GAP_MM, 0.12 * width), 62.0)

    def _crowded(self, part: Sequence[str], across: float) -> bool:
        """Whether discs next to each other at the top of a large ring are closer than a label."""
        widest = max(self.discs[name].width for name in part)
        apart = 2 * across * math.sin(math.pi / len(part))
        return len(part) > _SMALL_PART and apart < widest

    def _part(self, places: Mapping[str, Point]) -> None:
        """Shaded multi-arm trials, lines with their numbers, discs, labels."""
        style, graph, part = self.style, self.graph, list(places)
        for number, names in enumerate(dict.fromkeys(map(tuple, graph.multi_arm))):
            if names and all(name in places for name in names):
                corners = [places[name] for name in sorted(names, key=part.index)]
                fill = style.accent_faint if number % 2 else style.accent_pale
                self.fill("multi-arm", corners, fill)
        edges = [edge for edge in graph.edges if edge.first in places and edge.second in places]
        lines = [(places[edge.first], places[edge.second]) for edge in edges]
        heaviest = max((edge.weight for edge in graph.edges), default=1.0)
        radii = {name: self.discs[name].radius for name in places}
        taken = [_box(place, radii[name], radii[name]) for name, place in places.items()]
        for at, (edge, line) in enumerate(zip(edges, lines, strict=True)):
            text = f"{edge.weight:g}" if edge.weight > 1 else ""
            gap = self._number_box(text, line, [*lines[:at], *lines[at + 1 :]], taken)
            self._edge(line, max(_THINNEST_PT, _WIDEST_PT * edge.weight / heaviest), gap)
            if gap is None:
                self.unnumbered += [edge] if text else []
            else:
                taken.append(gap)
                x, y = (gap[0] + gap[2]) / 2, (gap[1] + gap[3]) / 2
                self.word("weight", text, x, y, "center", size_pt=style.footnote_pt)
        for name, place in places.items():
            self.dot("node", place, 2 * radii[name], style.accent, style.paper)
        self._labels(places, taken)

    def _edge(self, line: _Line, width_pt: float, gap: Box | None) -> None:
        """A line in short pieces, with a gap for its number."""
        start, end = line
        stretches = [line]
        if gap is not None and (inside := clipped(start, end, gap)) is not None:
            stretches = [(start, inside[0]), (inside[1], end)]
        for one, other in stretches:
            # horizontal and vertical lines fill their own boxes
            slanted = abs(one[0] - other[0]) > HAIR_MM and abs(one[1] - other[1]) > HAIR_MM
            count = max(1, math.ceil(math.dist(one, other) / _PIECE_MM)) if slanted else 1
            stops = [_between(one, other, step / count) for step in range(count + 1)]
            for here, there in pairwise(stops):
                self.line("edge", here, there, self.style.accent_light, width_pt)

    def _number_box(
        self, text: str, line: _Line, others: Sequence[_Line], taken: Sequence[Box]
    ) -> Box | None:
        """Free position for the number of a line; None without a number or a free position."""
        size = self.style.footnote_pt
        across = text_width_mm(text, size) / 2 + 0.5
        down = capital_mm(size) / 2 + 0.7
        # a line of the greatest width must not reach the number either
        pad = _WIDEST_PT * MM_PER_POINT / 2
        for place in (_between(*line, share) for share in _PLACES if text):
            box, wide = _box(place, across, down), _box(place, across + pad, down + pad)
            crossed = any(clipped(*other, wide) for other in others)
            if not crossed and not any(_meet(box, other) for other in taken):
                return box
        return None

    def _labels(self, places: Mapping[str, Point], taken: Sequence[Box]) -> None:
        """Labels outside the ring, each as close to its disc as the others allow."""
        size, leading = self.style.footnote_pt, self.leading(self.style.footnote_pt)
        occupied = list(taken)
        centre = np.mean(list(places.values()), axis=0)

        def free(box: Box) -> bool:
            inside = self.left <= box[0] and box[2] <= self.right and box[1] >= self.y
            return inside and not any(_meet(box, other) for other in occupied)

        for name, (x, y) in places.items():
            disc = self.discs[name]
            outward = math.atan2(y - centre[1], x - centre[0]) if len(places) > 2 else -math.pi / 2
            tried = [
                _label(disc, (x, y), outward + turn, away, leading)
                for away, turn in product(_LABEL_STEPS_MM, _LABEL_TURNS)
            ]
            anchor, align, box = next((label for label in tried if free(label[2])), tried[0])
            occupied.append(box)
            for at, (line, bold) in enumerate(disc.lines):
                self.word(
                    "node", line, anchor, box[1] + (at + 0.5) * leading, align, bold, size_pt=size
                )


def _on_ring(names: Sequence[str], centre: Point, reach: Point) -> dict[str, Point]:
    if len(names) == 1:
        return {names[0]: centre}
    # no treatment at the very top, where labels have the least room
    start = math.pi if len(names) == 2 else -math.pi / 2 + math.pi / len(names)
    turns = [start + 2 * math.pi * at / len(names) for at in range(len(names))]
    return {
        name: (centre[0] + reach[0] * math.cos(turn), centre[1] + reach[1] * math.sin(turn))
        for name, turn in zip(names, turns, strict=True)
    }


def _label(disc: _Disc, at: Point, angle: float, away: float, leading: float) -> _Label:
    """The label of a disc in a given direction and at a distance from its edge."""
    across, down = math.cos(angle), math.sin(angle)
    reach = disc.radius + _LABEL_GAP_MM + away
    x, y = at[0] + reach * across, at[1] + reach * down
    height = len(disc.lines) * leading
    align: Align = "center"
    if abs(across) > 0.3:
        align = "left" if across > 0 else "right"
    left = x - ANCHORS[align] * disc.width
    top = y - height * (1 - down) / 2
    return x, align, (left, top, left + disc.width, top + height)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _box(centre: Point, across: float, down: float) -> Box:
    """The box that extends by the given half-width and half-height around its centre."""
    return centre[0] - across, centre[1] - down, centre[0] + across, centre[1] + down


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
