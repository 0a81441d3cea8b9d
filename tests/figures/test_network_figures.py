"""The figures of networks, read back from their files."""

import math
from dataclasses import replace

import pytest
from figures.chart_reading import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    area,
    drawn,
    middle,
    page_defects,
    y_of,
)
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts import observed_predicted, rankogram, surrogate
from trial_evidence.figures.overview import matrix, network_graph
from trial_evidence.figures.overview.network_graph import GraphEdge, GraphNode, NetworkGraph, ring

PAGE = PRESETS["page"]

# ----------------------------------------------------------------------------------------- graph

NODES = [GraphNode("A", 400, "400"), GraphNode("B", 100, "100"), GraphNode("C", 25, "25"),
         GraphNode("D", 225, "225"), GraphNode("E", 225, "225")]  # fmt: skip
EDGES = [GraphEdge("A", "B", 4), GraphEdge("B", "C", 1), GraphEdge("A", "C", 2),
         GraphEdge("D", "E", 1)]  # fmt: skip
GRAPH = NetworkGraph("A network", NODES, EDGES, [["A", "B", "C"], ["D", "E"]], [["A", "B", "C"]],
                     description="A description")  # fmt: skip


def discs(page):
    return [shape for shape in page.polygons if shape.role == "node"]


def centre(shape):
    xs, ys = zip(*shape.points, strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def test_the_area_of_a_disc_follows_its_size(tmp_path):
    drawing = drawn(network_graph.layout(GRAPH, PAGE), tmp_path)
    areas = sorted(
        area(s) for s in drawing.shapes if (s.fill, s.stroke) == (ACCENT, PAPER) and area(s) > 20
    )
    # a disc of fewer corners is a little smaller: 24 corners have 98.9% of the circle, 48 99.7%
    assert areas[-1] / areas[0] == pytest.approx(400 / 25, rel=0.02)


def test_every_line_runs_between_its_discs():
    page = network_graph.layout(GRAPH, PAGE)
    places = {
        node.name: next(
            centre(disc) for disc in discs(page) if math.dist(centre(disc), (text.x, text.y)) < 12
        )
        for node in NODES
        for text in page.texts
        if text.role == "node" and text.text == node.name
    }
    ends = {
        point for line in page.segments if line.role == "edge" for point in (line.start, line.end)
    }
    for edge in EDGES:
        for name in (edge.first, edge.second):
            assert min(math.dist(places[name], end) for end in ends) < 0.01


def test_the_width_of_a_line_follows_its_weight():
    page = network_graph.layout(GRAPH, PAGE)
    widths = sorted({line.width_pt for line in page.segments if line.role == "edge"})
    # weights of 1, 2 and 4
    assert [width / widths[-1] for width in widths] == pytest.approx([0.25, 0.5, 1.0])


def test_only_weights_above_one_are_printed():
    page = network_graph.layout(GRAPH, PAGE)
    assert sorted(text.text for text in page.texts if text.role == "weight") == ["2", "4"]


def test_trials_of_three_arms_are_shaded():
    page = network_graph.layout(GRAPH, PAGE)
    (shaded,) = [shape for shape in page.bands if shape.role == "multi-arm"]
    centres = [centre(disc) for disc in discs(page)]
    for corner in shaded.points:
        assert min(math.dist(corner, c) for c in centres) < 0.01


def test_a_ring_without_crossings_is_found():
    # a square whose names do not follow each other: the edges a-c, c-b, b-d, d-a cross if drawn
    # in alphabetical order
    edges = [GraphEdge("a", "c", 1), GraphEdge("c", "b", 1), GraphEdge("b", "d", 1),
             GraphEdge("d", "a", 1)]  # fmt: skip
    order = ring(["a", "b", "c", "d"], edges)
    place = {name: at for at, name in enumerate(order)}
    assert all(abs(place[e.first] - place[e.second]) in (1, 3) for e in edges)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16])
def test_a_network_of_any_size_stays_on_its_page(preset, count):
    nodes = [GraphNode(f"Node {n}", 10.0 * n + 1, f"{n} patients") for n in range(count)]
    edges = [GraphEdge("Node 0", f"Node {n}", n % 3 + 1) for n in range(1, count)]
    graph = replace(GRAPH, nodes=nodes, edges=edges, parts=[[n.name for n in nodes]], multi_arm=[])
    assert page_defects(network_graph.layout(graph, PRESETS[preset])) == []


def test_many_parts_stand_beside_one_another(tmp_path):
    names = [f"N{n}" for n in range(10)]
    parts = [names[at : at + 2] for at in range(0, 10, 2)]
    graph = replace(
        GRAPH,
        nodes=[GraphNode(name, 10.0) for name in names],
        edges=[GraphEdge(*part, 1) for part in parts],
        parts=parts,
        multi_arm=[],
    )
    drawing = drawn(network_graph.layout(graph, PAGE), tmp_path)
    assert len({round(drawing.word(part[0]).y) for part in parts}) == 2


# ---------------------------------------------------------------------------------------- matrix


def test_cells_stand_in_their_columns(tmp_path):
    rows = (
        matrix.MatrixRow("First", (matrix.Cell(("1.1",)), matrix.Cell(("1.2",), 1.0))),
        matrix.MatrixRow("Second", (matrix.Cell(("2.1",)), matrix.Cell(("2.2",)))),
    )
    table = matrix.Matrix("A table", ("X", "Y"), rows, description="A description")
    drawing = drawn(matrix.layout(table, PAGE), tmp_path)
    for column, cells in (("X", ("1.1", "2.1")), ("Y", ("1.2", "2.2"))):
        for cell in cells:
            assert drawing.word(cell).x == pytest.approx(drawing.word(column).x, abs=0.01)
    for row, cells in (("First", ("1.1", "1.2")), ("Second", ("2.1", "2.2"))):
        for cell in cells:
            assert drawing.word(cell).y == pytest.approx(drawing.word(row).y, abs=0.01)


def test_shading_lies_behind_its_cell():
    rows = (matrix.MatrixRow("", (matrix.Cell(("a",)), matrix.Cell(("b",), 0.5))),)
    page = matrix.layout(matrix.Matrix("T", (), rows, description="d"), PAGE)
    (band,) = page.bands
    (text,) = [t for t in page.texts if t.text == "b"]
    xs = [x for x, _ in band.points]
    assert min(xs) < text.x < max(xs)
    # half the way from white (FF) to the pale accent (DC, E8, F4)
    assert band.fill == "#EEF4FA"


def test_a_table_too_wide_to_be_read_is_not_drawn():
    rows = (matrix.MatrixRow("", tuple(matrix.Cell(("(12.34",)) for _ in range(40))),)
    assert matrix.layout(matrix.Matrix("T", (), rows), PAGE) is None


def test_names_are_broken_after_a_plus():
    assert matrix.broken("AAAA+BBBB", 100.0, 7.0) == ("AAAA+BBBB",)
    assert matrix.broken("AAAA+BBBB seq", 8.0, 7.0) == ("AAAA+", "BBBB", "seq")


# -------------------------------------------------------------------------------------- rankogram


def test_bars_are_as_high_as_their_probability(tmp_path):
    ranks = [
        rankogram.Ranks("A", "P 0.9", [0.75, 0.25]),
        rankogram.Ranks("B", "P 0.1", [0.25, 0.75]),
    ]
    page = rankogram.layout(rankogram.Rankogram("T", ranks, description="d"), PAGE)
    drawn(page, tmp_path)
    heights = [
        max(y for _, y in bar.points) - min(y for _, y in bar.points)
        for bar in page.polygons
        if bar.role == "rank"
    ]
    assert heights[0] / heights[1] == pytest.approx(3.0)
    assert heights == pytest.approx(heights[::-1])


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [1, 5, 17])
def test_any_number_of_treatments_has_its_panels(preset, count):
    ranks = [rankogram.Ranks(f"Node {n}", "P 0.5", [1 / count] * count) for n in range(count)]
    page = rankogram.layout(rankogram.Rankogram("T", ranks, description="d"), PRESETS[preset])
    assert page_defects(page) == []
    assert len([t for t in page.texts if t.text.startswith("Node")]) == count


# --------------------------------------------------------------------------- observed, predicted

POINTS = [
    observed_predicted.Agreement("A", (0.0, -0.5, 0.5), (math.log(2), 0.1, 1.2)),
    observed_predicted.Agreement("B", (math.log(3), 0.5, 1.6), (math.log(1.5), -0.1, 0.9)),
]
AGREEMENT = observed_predicted.ObservedPredicted("T", POINTS, RATIO, "Predicted", description="d")


def test_regimens_stand_at_predicted_and_observed(tmp_path):
    drawing = drawn(observed_predicted.layout(AGREEMENT, PAGE), tmp_path)
    level = [w for w in drawing.words if w.text in {"0.5", "2"} and w.anchor == "middle"]
    x = {w.text: w.x for w in level}
    per_unit = (x["2"] - x["0.5"]) / math.log(4)
    y = y_of(drawing, ("0.5", "2"), math.log)
    lowest = min(w.y for w in level)
    places = [
        middle(s)
        for s in drawing.shapes
        if len(s.points) >= 24 and s.fill == ACCENT and s.box[3] < lowest
    ]
    for point, place in zip(POINTS, places, strict=True):
        assert place[0] == pytest.approx(
            x["2"] + per_unit * (point.predicted[0] - math.log(2)), abs=0.02
        )
        assert place[1] == pytest.approx(y(math.exp(point.observed[0])), abs=0.02)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_label_of_a_regimen_stays_on_the_page(text):
    plot = replace(AGREEMENT, points=[replace(POINTS[0], label=text), POINTS[1]])
    assert page_defects(observed_predicted.layout(plot, PAGE)) == []


def test_a_regimen_without_numbers_is_left_out():
    gap = replace(POINTS[0], label="C", observed=(math.nan, math.nan, math.nan))
    page = observed_predicted.layout(replace(AGREEMENT, points=[*POINTS, gap]), PAGE)
    assert not [text for text in page.texts if text.text == "C"]


# -------------------------------------------------------------------------------------- surrogacy

TRIALS = [surrogate.SurrogateTrial("Alpha", math.log(1.5), math.log(2), 400.0),
          surrogate.SurrogateTrial("Beta", math.log(3), math.log(0.5), 100.0)]  # fmt: skip
GRID = [-2.0 + 0.1 * n for n in range(61)]
LINE = surrogate.SurrogateLine(
    GRID, *([0.1 - 0.5 * g + shift for g in GRID] for shift in (0, -0.2, 0.2, -0.4, 0.4))
)
PLOT = surrogate.SurrogatePlot(
    "T", TRIALS, LINE, 1.0, RATIO, RATIO, description="d",
)  # fmt: skip


def test_trials_stand_at_both_effects(tmp_path):
    drawing = drawn(surrogate.layout(PLOT, PAGE), tmp_path)
    across = {w.text: w.x for w in drawing.words if w.anchor == "middle" and w.text in {"1", "2"}}
    per_unit = (across["2"] - across["1"]) / math.log(2)
    y = y_of(drawing, ("0.5", "2"), math.log)
    floor = max(w.y for w in drawing.words if w.anchor == "middle" and w.text == "1")
    found = [
        s
        for s in drawing.shapes
        if len(s.points) >= 24 and (s.fill, s.stroke) == (MUTED, INK) and s.box[3] < floor
    ]
    for shape, trial in zip(found, TRIALS, strict=True):
        expected = across["1"] + per_unit * trial.surrogate, y(math.exp(trial.endpoint))
        assert middle(shape) == pytest.approx(expected, abs=0.02)
    assert area(found[0]) / area(found[1]) == pytest.approx(4.0, rel=0.02)


def test_the_threshold_is_marked():
    page = surrogate.layout(PLOT, PAGE)
    marked = {line.start[0] for line in page.segments if line.role == "threshold"}
    assert len(marked) == 1
    assert not [
        line
        for line in surrogate.layout(replace(PLOT, threshold=None), PAGE).segments
        if line.role == "threshold"
    ]


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [1, 3, 20])
def test_any_number_of_trials_stays_on_the_page(preset, count):
    trials = [
        surrogate.SurrogateTrial(f"Trial {n}", n % 7 / 5, -(n % 5) / 4, 10.0 + n)
        for n in range(count)
    ]
    assert page_defects(surrogate.layout(replace(PLOT, trials=trials), PRESETS[preset])) == []
