"""The graph of a network: treatments as discs, direct comparisons as lines between them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from trial_evidence.figures.canvas.chart import HAIR_MM, Chart, Key, clipped
from trial_evidence.figures.canvas.page import Align, Page, Point, Polygon
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import CAP_HEIGHT_EM, MM_PER_POINT, clean, text_width_mm

Box = tuple[float, float, float, float]

_LARGEST_MM, _SMALLEST_MM = 9.0, 1.8
_WIDEST_PT, _THINNEST_PT = 3.6, 0.7
# Lines are cut short, so that the box around a piece tells where the line runs.
_PIECE_MM = 0.8
# Where along a line its number may stand, the first free place wins.
_PLACES = (0.5, 0.42, 0.58, 0.35, 0.65, 0.3, 0.7)
_LABEL_GAP_MM = 1.0
_LABEL_STEPS_MM = tuple(0.75 * step for step in range(24))
_LABEL_TURNS = (0.0, 0.4, -0.4, 0.8, -0.8, 1.2, -1.2)
_SMALL_PART = 4
_SMALL_PARTS_A_ROW = 3


@dataclass(frozen=True)
class GraphNode:
    """A treatment: short name, and what the area of its disc follows (patients)."""

    name: str
    size: float
    words: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """A direct comparison: two names, and what the width of the line follows (trials)."""

    first: str
    second: str
    weight: float


@dataclass(frozen=True)
class NetworkGraph:
    """A network graph, described.

    Parameters
    ----------
    title
        Heading of the figure.
    nodes
        Treatments.
    edges
        Direct comparisons.
    parts
        Names of the treatments of each connected part.
    multi_arm
        Names of the treatments of each trial with three arms or more; shaded.
    size_label, weight_label
        What the area of a disc and the width of a line stand for.
    notes, footnotes
        Sentences under the graph and small print.
    description
        What the figure shows, in words.
    """

    title: str
    nodes: Sequence[GraphNode]
    edges: Sequence[GraphEdge]
    parts: Sequence[Sequence[str]]
    multi_arm: Sequence[Sequence[str]] = ()
    size_label: str = "Patients"
    weight_label: str = "Trials"
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class _Words:
    """The label of a node where it stands: its lines, edge, alignment and box."""

    lines: tuple[tuple[str, bool], ...]
    x: float
    top: float
    align: Align
    box: Box


def layout(graph: NetworkGraph, style: Style) -> Page:
    """Place a network graph on a page.

    Every part is a ring of its own, the larger ones first; on a ring treatments are ordered so
    that few lines cross. The area of a disc follows its size and the width of a line its weight;
    a weight above 1 is also printed on the line where there is room.

    Parameters
    ----------
    graph
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(graph.title)
    nodes = {node.name: node for node in graph.nodes}
    largest = max((node.size for node in graph.nodes), default=0.0)
    radii = {name: _radius(node.size, largest, style) for name, node in nodes.items()}
    ordered = sorted((ring(part, graph.edges) for part in graph.parts), key=lambda part: -len(part))
    for row in _rows(ordered):
        _draw_row(chart, graph, nodes, radii, row)
    chart.legend(_keys(graph, style))
    chart.notes(graph.notes)
    return chart.page(graph.title, graph.description, graph.footnotes)


def ring(names: Sequence[str], edges: Sequence[GraphEdge]) -> tuple[str, ...]:
    """Treatments in the order around a ring in which few lines between them cross.

    Two treatments change places as long as that saves crossings, or length at no cost in
    crossings; the start is alphabetical, so that one network has one order.

    Parameters
    ----------
    names
        Treatments of one part.
    edges
        Direct comparisons; those with other treatments are ignored.

    Returns
    -------
    tuple of str
        The names.
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
            order[one], order[other] = order[other], order[one]
            cost = _cost(order, ends)
            if cost < best:
                best, improved = cost, True
            else:
                order[one], order[other] = order[other], order[one]
    return tuple(order)


def _cost(order: Sequence[str], ends: Sequence[tuple[str, str]]) -> tuple[int, int]:
    place = {name: at for at, name in enumerate(order)}
    pairs = np.sort([[place[a], place[b]] for a, b in ends], axis=1)
    low, high = pairs[:, 0], pairs[:, 1]
    # two chords cross where exactly one end of the one lies between the ends of the other
    inside = (low[:, None] < low) & (low < high[:, None]) & (high > high[:, None])
    span = high - low
    return int(inside.sum()), int(np.minimum(span, len(order) - span).sum())


def _radius(size: float, largest: float, style: Style) -> float:
    share = max(size, 0.0) / largest if largest > 0 and math.isfinite(size) else 0.0
    scale = style.square_max_mm / 3.3
    return scale * max(_SMALLEST_MM, _LARGEST_MM * math.sqrt(share)) / 2


def _width(weight: float, edges: Sequence[GraphEdge]) -> float:
    heaviest = max(edge.weight for edge in edges)
    share = weight / heaviest if heaviest > 0 else 0.0
    return max(_THINNEST_PT, _WIDEST_PT * share)


def _rows(parts: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """Large parts alone, small ones side by side."""
    small = [part for part in parts if len(part) <= _SMALL_PART]
    yield from ([part] for part in parts if len(part) > _SMALL_PART)
    for start in range(0, len(small), _SMALL_PARTS_A_ROW):
        yield small[start : start + _SMALL_PARTS_A_ROW]


def _draw_row(
    chart: Chart,
    graph: NetworkGraph,
    nodes: Mapping[str, GraphNode],
    radii: Mapping[str, float],
    row: Sequence[Sequence[str]],
) -> None:
    style = chart.style
    width = (chart.right - chart.left) / len(row)
    most = max(len(part) for part in row)
    half_height = min(0.3 * style.width_mm, 4.0 * most) if most > 2 else 0.0
    lines_mm = 2 * chart.leading(style.footnote_pt)
    room = max(radii[name] for part in row for name in part) + _LABEL_GAP_MM + lines_mm
    top = chart.y
    middle = top + room + half_height
    for number, part in enumerate(row):
        left = chart.left + number * width
        widest = max(_label_mm(nodes[name], style) for name in part)
        beside = widest + _LABEL_GAP_MM + max(radii[name] for name in part)
        if len(part) <= 2:
            # the labels of two stand above them
            beside = max(widest / 2, *(radii[name] for name in part)) + _LABEL_GAP_MM
        across = max(width / 2 - beside, 0.12 * width)
        places = _places(part, (left + width / 2, middle), (min(across, 62.0), half_height))
        _draw_part(chart, graph, nodes, radii, part, places)
    chart.y = middle + half_height + room + style.block_gap_mm


def _places(names: Sequence[str], centre: Point, reach: tuple[float, float]) -> dict[str, Point]:
    if len(names) == 1:
        return {names[0]: centre}
    # nobody at the very top, where labels have the least room
    start = math.pi if len(names) == 2 else -math.pi / 2 + math.pi / len(names)
    return {
        name: (
            centre[0] + reach[0] * math.cos(start + 2 * math.pi * at / len(names)),
            centre[1] + reach[1] * math.sin(start + 2 * math.pi * at / len(names)),
        )
        for at, name in enumerate(names)
    }


def _draw_part(
    chart: Chart,
    graph: NetworkGraph,
    nodes: Mapping[str, GraphNode],
    radii: Mapping[str, float],
    part: Sequence[str],
    places: Mapping[str, Point],
) -> None:
    style = chart.style
    for number, names in enumerate(dict.fromkeys(map(tuple, graph.multi_arm))):
        if names and all(name in places for name in names):
            corners = tuple(places[name] for name in sorted(names, key=part.index))
            fill = style.accent_pale if number % 2 == 0 else style.band
            chart.bands.append(Polygon("multi-arm", corners, fill, fill, 0.0))
    edges = [edge for edge in graph.edges if edge.first in places and edge.second in places]
    discs = [_around(places[name], radii[name]) for name in part]
    numbers: list[Box] = []
    for edge in edges:
        ends = places[edge.first], places[edge.second]
        text = f"{edge.weight:g}" if edge.weight > 1 else ""
        others = [(places[o.first], places[o.second]) for o in edges if o is not edge]
        gap = _number_place(text, ends, others, [*discs, *numbers], style)
        _draw_edge(chart, ends, _width(edge.weight, graph.edges), gap)
        if gap is not None:
            numbers.append(gap)
            x, y = (gap[0] + gap[2]) / 2, (gap[1] + gap[3]) / 2
            chart.word("weight", text, x, y, "center", size_pt=style.footnote_pt)
    for name in part:
        chart.dot("node", places[name], 2 * radii[name], style.accent, style.paper)
    taken = [*discs, *numbers]
    page = (chart.left, chart.y, chart.right, math.inf)
    for words in _labels(part, nodes, radii, places, taken, page, style):
        for at, (line, bold) in enumerate(words.lines):
            y = words.top + (at + 0.5) * chart.leading(style.footnote_pt)
            chart.word("node", line, words.x, y, words.align, bold, size_pt=style.footnote_pt)


def _draw_edge(chart: Chart, ends: tuple[Point, Point], width_pt: float, gap: Box | None) -> None:
    """A line in short pieces, those left out that its number stands on."""
    start, end = ends
    stretches = [ends]
    if gap is not None and (inside := clipped(start, end, gap)) is not None:
        stretches = [(start, inside[0]), (inside[1], end)]
    for one, other in stretches:
        # level and upright lines are their own boxes
        slanted = abs(one[0] - other[0]) > HAIR_MM and abs(one[1] - other[1]) > HAIR_MM
        count = max(1, math.ceil(math.dist(one, other) / _PIECE_MM)) if slanted else 1
        stops = [_between(one, other, step / count) for step in range(count + 1)]
        for here, there in pairwise(stops):
            chart.line("edge", here, there, chart.style.accent_light, width_pt)


def _number_place(
    text: str,
    ends: tuple[Point, Point],
    others: Sequence[tuple[Point, Point]],
    taken: Sequence[Box],
    style: Style,
) -> Box | None:
    if not text:
        return None
    half_width = text_width_mm(text, style.footnote_pt) / 2 + 0.5
    half_height = CAP_HEIGHT_EM * style.footnote_pt * MM_PER_POINT / 2 + 0.7
    for share in _PLACES:
        x, y = _between(*ends, share)
        box = (x - half_width, y - half_height, x + half_width, y + half_height)
        if any(_meet(box, other) for other in taken):
            continue
        if not any(_crosses(*other, box) for other in others):
            return box
    return None


def _label_mm(node: GraphNode, style: Style) -> float:
    name = text_width_mm(clean(node.name), style.footnote_pt, True)
    return max(name, text_width_mm(clean(node.words), style.footnote_pt))


def _labels(
    part: Sequence[str],
    nodes: Mapping[str, GraphNode],
    radii: Mapping[str, float],
    places: Mapping[str, Point],
    taken: Sequence[Box],
    page: Box,
    style: Style,
) -> Iterator[_Words]:
    """Labels outside the ring, each as near to its disc as the others leave room."""
    occupied = list(taken)
    centre = (
        sum(x for x, _ in places.values()) / len(places),
        sum(y for _, y in places.values()) / len(places),
    )
    for name in part:
        x, y = places[name]
        outward = math.atan2(y - centre[1], x - centre[0]) if len(part) > 2 else -math.pi / 2
        tried = [
            _words(
                nodes[name],
                (x, y),
                (outward + turn, radii[name] + _LABEL_GAP_MM + away),
                style,
            )
            for away in _LABEL_STEPS_MM
            for turn in _LABEL_TURNS
        ]
        free = (
            words
            for words in tried
            if _inside(words.box, page) and not any(_meet(words.box, box) for box in occupied)
        )
        words = next(free, tried[0])
        occupied.append(words.box)
        yield words


def _words(node: GraphNode, at: Point, towards: tuple[float, float], style: Style) -> _Words:
    """The label of a node in a direction (an angle) at a distance from its centre."""
    across, down = math.cos(towards[0]), math.sin(towards[0])
    x, y = at[0] + towards[1] * across, at[1] + towards[1] * down
    lines = [(clean(node.name), True), (clean(node.words), False)]
    shown = tuple((text, bold) for text, bold in lines if text)
    width = _label_mm(node, style)
    height = len(shown) * style.footnote_pt * MM_PER_POINT * style.leading
    align: Align = "center"
    if abs(across) > 0.3:
        align = "left" if across > 0 else "right"
    left = x - {"left": 0.0, "center": 0.5, "right": 1.0}[align] * width
    top = y - height * (1 - down) / 2
    return _Words(shown, x, top, align, (left, top, left + width, top + height))


def _keys(graph: NetworkGraph, style: Style) -> list[Key]:
    keys = [
        Key("dot", f"{graph.size_label} (area)", style.accent, style.paper),
        Key("line", f"{graph.weight_label} (width)", style.accent_light, width_pt=2.0),
    ]
    if graph.multi_arm:
        keys.append(
            Key("area", "Trial of three or more arms", style.accent_pale, style.accent_light)
        )
    return keys


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _around(centre: Point, radius: float) -> Box:
    return centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius


def _span(one: Point, other: Point, pad: float) -> Box:
    return (
        min(one[0], other[0]) - pad,
        min(one[1], other[1]) - pad,
        max(one[0], other[0]) + pad,
        max(one[1], other[1]) + pad,
    )


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _inside(inner: Box, outer: Box) -> bool:
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def _crosses(start: Point, end: Point, box: Box) -> bool:
    # a line of the greatest width still leaves the number free
    pad = _WIDEST_PT * MM_PER_POINT / 2
    wide = (box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad)
    return clipped(start, end, wide) is not None
