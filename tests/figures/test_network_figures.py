"""The figures of networks, read back from their files."""

import math
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import (
    ACCENT,
    FAINT,
    INK,
    LIGHT,
    MUTED,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    area,
    at_widths,
    chart,
    drawn,
    lines,
    middle,
    page_defects,
    said,
    y_of,
)
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.figures.canvas.style import PRESETS, styled
from trial_evidence.figures.canvas.text import MM_PER_POINT
from trial_evidence.figures.charts.observed_predicted import NUMBERS, observed_predicted
from trial_evidence.figures.charts.rankogram import rankogram
from trial_evidence.figures.charts.surrogate import surrogate
from trial_evidence.figures.overview import matrix, network_graph
from trial_evidence.figures.overview.network_graph import GraphEdge, GraphNode, NetworkGraph, ring

PAGE = PRESETS["page"]
LOOKS = read_figure_configuration(Path(__file__).parents[2] / "config").styles

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
    # a disc of fewer corners is slightly smaller: 24 corners have 98.9% of the circle, 48 99.7%
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
    # The widest is narrower than any disc, which it would hide.
    across = [
        max(x for x, _ in disc.points) - min(x for x, _ in disc.points) for disc in discs(page)
    ]
    assert widths[-1] * MM_PER_POINT < min(across)


def test_lines_of_as_many_trials_are_as_wide_in_every_part():
    nodes = [GraphNode(name, 100.0) for name in "ABCD"]
    edges = [GraphEdge("A", "B", 4), GraphEdge("C", "D", 1)]
    page = network_graph.layout(NetworkGraph("Parts", nodes, edges, ["AB", "CD"]), PAGE)
    widths = {line.width_pt for line in page.segments if line.role == "edge"}
    assert min(widths) / max(widths) == pytest.approx(0.25)


def test_only_weights_above_one_are_printed():
    page = network_graph.layout(GRAPH, PAGE)
    assert sorted(text.text for text in page.texts if text.role == "weight") == ["2", "4"]


def test_a_line_without_room_for_its_number_has_it_below_the_graph():
    """Readers of a narrow figure would take it for a single trial."""
    names = [f"N{n}" for n in range(12)]
    edges = [GraphEdge(a, b, 2) for at, a in enumerate(names) for b in names[at + 1 :]]
    nodes = [GraphNode(name, 100.0, "100") for name in names]
    page = network_graph.layout(NetworkGraph("Full", nodes, edges, [names]), styled({}, 75.0))
    numbers = [text for text in page.texts if text.role == "weight"]
    below = " ".join(text.text for text in page.texts if text.role not in {"weight", "node"})
    assert len(numbers) < len(edges)
    assert "Trials on lines without room for their number:" in below
    assert below.count(": 2") == len(edges) - len(numbers)
    assert "without room" not in " ".join(t.text for t in network_graph.layout(GRAPH, PAGE).texts)


def test_trials_of_three_arms_are_shaded():
    page = network_graph.layout(GRAPH, PAGE)
    (shaded,) = [shape for shape in page.bands if shape.role == "multi-arm"]
    centres = [centre(disc) for disc in discs(page)]
    for corner in shaded.points:
        assert min(math.dist(corner, c) for c in centres) < 0.01


def test_the_outline_of_a_trial_of_four_arms_follows_the_ring():
    """In alphabetical order it would cross itself, and leave half of the trial white."""
    edges = [GraphEdge(*pair, 1) for pair in ("AC", "CB", "BD", "DA")]
    nodes = [GraphNode(name, 100.0) for name in "ABCD"]
    graph = NetworkGraph("Four arms", nodes, edges, ["ABCD"], ["ABCD"])
    page = network_graph.layout(graph, PAGE)
    (shaded,) = [shape for shape in page.bands if shape.role == "multi-arm"]
    largest = max(area(replace(shaded, points=order)) for order in permutations(shaded.points))
    assert area(shaded) == pytest.approx(largest)


@pytest.mark.parametrize("name", ["default", "greyscale", "jama"])
def test_every_trial_of_three_arms_is_shaded_in_any_look(name):
    """White like the page, or grey unlike its key, it would not be read as a three-arm trial."""
    style = styled(LOOKS[name].fields, 180.0)
    more = {"parts": ["ABCDE"], "multi_arm": ["ABC", "ABD"]}
    page = network_graph.layout(replace(GRAPH, **more), style)
    one, two = (shape.fill for shape in page.bands if shape.role == "multi-arm")
    assert len({one, two, style.paper, style.band}) == 3 + (style.band != style.paper)
    # half as strong as the key, in the same hue
    whiter, key = ([255 - int(c[at : at + 2], 16) for at in (1, 3, 5)] for c in (two, one))
    assert whiter == pytest.approx([distance / 2 for distance in key], abs=1)


def test_a_ring_without_crossings_is_found():
    # a square whose names are not in sequence: the edges a-c, c-b, b-d, d-a cross if drawn in
    # alphabetical order
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


def test_names_of_one_part_do_not_run_into_the_next_part_on_a_narrow_page():
    """Patients of one arm would be printed over those of another."""
    names = [("L", "1,571 patients"), ("placebo", "1,576 patients"), ("N seq", "1,420 patients"),
             ("placebo seq", "1,420 patients"), ("T", "patients not stated"),
             ("T-DXd", "818 patients"), ("T-DM1", "817+ patients")]  # fmt: skip
    parts = [[name for name, _ in names[start:end]] for start, end in ((4, 7), (0, 2), (2, 4))]
    graph = replace(
        GRAPH,
        nodes=[GraphNode(name, 1000.0, words) for name, words in names],
        edges=[GraphEdge(part[0], other, 1) for part in parts for other in part[1:]],
        parts=parts,
        multi_arm=[],
    )
    assert page_defects(network_graph.layout(graph, styled({}, 85.0))) == []


def test_names_of_a_crowded_ring_do_not_cover_each_other_on_a_narrow_page():
    names = ["T-DM1", "Physician’s choice", "T-Duo", "N+CT", "DV", "L+CT", "N", "Py+CT", "A+CT",
             "Marg+CT", "T+CT", "T+P+CT", "T+Tuc+CT", "T-DM1+Tuc", "T-DXd"]  # fmt: skip
    graph = replace(
        GRAPH,
        nodes=[GraphNode(name, 1000.0, "1,421+ patients") for name in names],
        edges=[GraphEdge(one, other, 1) for one, other in pairwise(names)],
        parts=[names],
        multi_arm=[],
    )
    assert page_defects(network_graph.layout(graph, styled({}, 75.0))) == []


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
    rows = (matrix.MatrixRow("", (matrix.Cell(("a",)), matrix.Cell(("b",), 0.25))),)
    page = matrix.layout(matrix.Matrix("T", (), rows, description="d"), PAGE)
    (band,) = page.bands
    (text,) = [t for t in page.texts if t.text == "b"]
    xs = [x for x, _ in band.points]
    assert min(xs) < text.x < max(xs)
    # a quarter of the way from white (FF) to the pale accent (DC, E8, F4)
    assert band.fill == "#F6F9FC"


def test_a_table_too_wide_to_be_read_is_not_drawn():
    rows = (matrix.MatrixRow("", tuple(matrix.Cell(("(12.34",)) for _ in range(40))),)
    assert matrix.layout(matrix.Matrix("T", (), rows), PAGE) is None


def test_names_are_broken_after_a_plus():
    assert matrix.broken("AAAA+BBBB", 100.0, 7.0) == ("AAAA+BBBB",)
    assert matrix.broken("AAAA+BBBB seq", 8.0, 7.0) == ("AAAA+", "BBBB", "seq")


# -------------------------------------------------------------------------------------- rankogram


def ranks(probability):
    """A table of ranks: treatment -> probability of every rank."""
    rows = [(name, rank, p) for name, of in probability.items() for rank, p in enumerate(of, 1)]
    return pd.DataFrame(rows, columns=["treatment", "rank", "probability"])


def test_bars_are_as_high_as_their_probability_over_their_rank_in_the_row_of_their_name(tmp_path):
    found = {"A": [0.75, 0.25, 0.0], "B": [0.2, 0.5, 0.3], "C": [0.05, 0.25, 0.7]}
    drawing = drawn(chart(rankogram, ranks(found), "Treatment"), tmp_path)
    bars = [s for s in drawing.shapes if s.fill == ACCENT and s.box[3] - s.box[1] > 0.01]
    at = {w.text: w.x for w in drawing.words if w.text in "123"}
    feet = {}
    for name in found:
        line = drawing.word(name).y
        feet[name] = min((s.box[3] for s in bars), key=lambda foot: abs(foot - line))
    # bars of different rows have different baselines, the first row above the last
    assert feet["A"] < feet["B"] < feet["C"]
    heights = {
        name: [
            max((s.box[3] - s.box[1] for s in bars
                 if abs(s.box[3] - feet[name]) < 0.1 and s.box[0] < at[str(rank)] < s.box[2]),
                default=0.0)
            for rank in (1, 2, 3)
        ]
        for name in found
    }  # fmt: skip
    unit = heights["A"][0] / 0.75
    for name, probability in found.items():
        assert [height / unit for height in heights[name]] == pytest.approx(probability, abs=2e-3)


def test_the_likeliest_rank_has_its_probability_on_it(tmp_path):
    drawing = drawn(chart(rankogram, ranks({"A": [0.7, 0.3], "B": [0.2, 0.8]}), ""), tmp_path)
    assert drawing.word("70%").x == pytest.approx(drawing.word("1").x, abs=0.5)
    assert drawing.word("80%").x == pytest.approx(drawing.word("2").x, abs=0.5)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [1, 5, 17])
def test_any_number_of_treatments_has_its_row(tmp_path, preset, count):
    table = ranks({f"Node {n}": [1 / count] * count for n in range(count)})
    drawing = drawn(chart(rankogram, table, "", style=PRESETS[preset]), tmp_path)
    assert len([w for w in drawing.words if w.text.startswith("Node")]) == count
    # the best and the worst rank are always named
    assert {"1", str(count)} <= {w.text for w in drawing.words}


# --------------------------------------------------------------------------- observed, predicted

POINTS = pd.DataFrame(
    [("A", 0.0, -0.5, 0.5, math.log(2), 0.1, 1.2),
     ("B", math.log(3), 0.5, 1.6, math.log(1.5), -0.1, 0.9)],
    columns=["label", *NUMBERS],
)  # fmt: skip


def agreement(points=POINTS, level=95.0, **more):
    return chart(observed_predicted, points, RATIO, "Predicted", level, **more)


def test_regimens_stand_at_predicted_and_observed(tmp_path):
    drawing = drawn(agreement(), tmp_path)
    level = {w.text: w for w in drawing.words if w.text in {"0.5", "2"}}
    x = {text: max((w for w in drawing.words if w.text == text), key=lambda w: w.y).x
         for text in level}  # fmt: skip
    per_unit = (x["2"] - x["0.5"]) / math.log(4)
    y = y_of(drawing, ("0.5", "2"), math.log)
    lowest = max(w.y for w in drawing.words if w.text == "2")
    places = [
        middle(s)
        for s in drawing.shapes
        if len(s.points) >= 24 and s.fill == ACCENT and s.box[3] < lowest
    ]
    for point, place in zip(POINTS.itertuples(), places, strict=True):
        across = x["2"] + per_unit * (point.predicted - math.log(2))
        assert place == pytest.approx((across, y(math.exp(point.observed))), abs=0.05)
    # the interval of the prediction is horizontal
    flat = [s.box for s in lines(drawing, LIGHT) if abs(s.box[1] - s.box[3]) < 0.01]
    level = next(box for box in flat if abs(box[1] - places[0][1]) < 0.05)
    predicted = [x["2"] + per_unit * (end - math.log(2)) for end in (-0.5, 0.5)]
    assert (level[0], level[2]) == pytest.approx(predicted, abs=0.05)
    # the interval of the observation is vertical, through the estimate
    ends = [s.box for s in lines(drawing, LIGHT) if abs(s.box[0] - s.box[2]) < 0.01]
    upright = next(box for box in ends if abs(box[0] - places[0][0]) < 0.05)
    assert (upright[3], upright[1]) == pytest.approx((y(math.exp(0.1)), y(math.exp(1.2))), abs=0.05)


def test_the_line_of_agreement_runs_where_both_are_the_same(tmp_path):
    drawing = drawn(agreement(), tmp_path)
    (dashed,) = [s for s in drawing.shapes if s.dashed and s.box[3] - s.box[1] > 20]
    y = y_of(drawing, ("0.5", "2"), math.log)
    low, high = (min(w.x for w in drawing.words if w.text == text and w.anchor == "middle")
                 for text in ("0.5", "2"))  # fmt: skip
    (x1, y1), (x2, y2) = dashed.points[0], dashed.points[-1]
    slope = (y2 - y1) / (x2 - x1)
    for x, ratio in ((low, 0.5), (high, 2.0)):
        assert y1 + slope * (x - x1) == pytest.approx(y(ratio), abs=0.1)


def test_the_key_names_the_level_of_the_intervals(tmp_path):
    drawing = drawn(agreement(level=90.0), tmp_path)
    assert drawing.word("90% confidence intervals")
    assert "95%" not in said(drawing)


def test_an_interval_cut_at_the_frame_is_said_to_go_on(tmp_path):
    """It would be read as ending there."""
    wide = POINTS.assign(predicted_high=[9.0, 1.6])
    cut = said(drawn(agreement(wide), tmp_path))
    assert "Intervals that end at the frame go on beyond it." in cut
    assert "go on beyond it" not in said(drawn(agreement(), tmp_path))


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_label_of_a_regimen_stays_on_the_page(tmp_path, text):
    drawn(agreement(POINTS.assign(label=[text, "B"])), tmp_path)


def test_a_regimen_without_numbers_is_left_out(tmp_path):
    gap = POINTS.iloc[:1].assign(label="C", observed=math.nan)
    drawing = drawn(agreement(pd.concat([POINTS, gap])), tmp_path)
    assert not [word for word in drawing.words if word.text == "C"]


# -------------------------------------------------------------------------------------- surrogacy

TRIALS = pd.DataFrame(
    [("Alpha", math.log(1.5), math.log(2), 400.0), ("Beta", math.log(3), math.log(0.5), 100.0)],
    columns=["label", "surrogate", "endpoint", "patients"],
)
GRID = np.linspace(-2.0, 4.0, 61)
LINE = pd.DataFrame(
    {"surrogate": GRID}
    | {
        name: 0.1 - 0.5 * GRID + shift
        for name, shift in zip(
            ("fitted", "ci_low", "ci_high", "pi_low", "pi_high"), (0, -0.2, 0.2, -0.4, 0.4),
            strict=True,
        )
    }
)  # fmt: skip


def surrogacy(trials=TRIALS, line=LINE, threshold=1.0, level=95.0, **more):
    return chart(surrogate, trials, line, threshold, (RATIO, RATIO), level, **more)


def across(drawing):
    """Map a ratio to x, from the tick labels under the panel."""
    at = {text: max((w for w in drawing.words if w.text == text), key=lambda w: w.y)
          for text in ("1", "2")}  # fmt: skip
    per_unit = (at["2"].x - at["1"].x) / math.log(2)
    return lambda ratio: at["1"].x + per_unit * math.log(ratio)


def test_trials_stand_at_both_effects(tmp_path):
    drawing = drawn(surrogacy(), tmp_path)
    x, y = across(drawing), y_of(drawing, ("0.5", "2"), math.log)
    floor = max(w.y for w in drawing.words if w.text == "1")
    found = [
        s
        for s in drawing.shapes
        if len(s.points) >= 24 and (s.fill, s.stroke) == (MUTED, INK) and s.box[3] < floor
    ]
    for shape, trial in zip(found, TRIALS.itertuples(), strict=True):
        expected = x(math.exp(trial.surrogate)), y(math.exp(trial.endpoint))
        assert middle(shape) == pytest.approx(expected, abs=0.05)
    # the edge of a disc, half of which lies outside it, does not scale with it
    assert area(found[0]) / area(found[1]) == pytest.approx(4.0, rel=0.1)


def test_the_line_and_its_bands_run_where_the_table_says(tmp_path):
    drawing = drawn(surrogacy(), tmp_path)
    x, y = across(drawing), y_of(drawing, ("0.5", "2"), math.log)
    thick = [s for s in drawing.shapes if s.stroke == ACCENT and not s.dashed and s.fill == "none"]
    fitted = max(thick, key=lambda s: len(s.points))
    for at, height in fitted.points[:: max(1, len(fitted.points) // 7)]:
        # 0.1 - 0.5 x, both as logarithms
        ratio = math.exp((at - x(1)) / (x(math.e) - x(1)))
        assert height == pytest.approx(y(math.exp(0.1) / math.sqrt(ratio)), abs=0.1)

    def beside(at, height):
        """Distance above the line on the logarithmic scale."""
        here = 0.1 - 0.5 * (at - x(1)) / (x(math.e) - x(1))
        return (height - y(1)) / (y(math.e) - y(1)) - here

    inside = [s for s in drawing.shapes if s.fill == FAINT and s.box[2] - s.box[0] > 50]
    foot = drawing.word("Fitted line").y - 10
    (band,) = (s for s in inside if s.box[3] < foot)
    # clipped at the edge of the panel
    free = [beside(*at) for at in band.points if band.box[1] + 1 < at[1] < band.box[3] - 1]
    assert (min(free), max(free)) == pytest.approx((-0.2, 0.2), abs=0.01)
    dashed = [s for s in lines(drawing, ACCENT) if s.dashed and s.box[3] < foot
              and s.box[0] < s.box[2] - 0.01]  # fmt: skip
    assert {round(beside(*at), 1) for s in dashed for at in s.points} == {-0.4, 0.4}


@pytest.mark.parametrize("threshold", [1.0, 1.7, None], ids=["among trials", "near", "none"])
def test_the_threshold_is_marked_where_there_is_one(tmp_path, threshold):
    drawing = drawn(surrogacy(line=None, threshold=threshold), tmp_path)
    upright = {round(s.box[0], 2) for s in lines(drawing, ACCENT)
               if s.box[3] - s.box[1] > 50 and s.box[2] - s.box[0] < 0.01}  # fmt: skip
    expected = [] if threshold is None else [across(drawing)(math.exp(threshold))]
    assert sorted(upright) == pytest.approx(expected, abs=0.05)


def test_the_bands_are_named_by_their_level(tmp_path):
    drawing = drawn(surrogacy(level=90.0), tmp_path)
    assert {"90% confidence band", "90% prediction band"} <= {w.text for w in drawing.words}
    assert "95%" not in said(drawing)


@pytest.mark.parametrize(("preset", "count"), at_widths([1, 3, 20]))
def test_any_number_of_trials_stays_on_the_page(tmp_path, preset, count):
    trials = pd.DataFrame(
        [(f"Trial {n}", n % 7 / 5, -(n % 5) / 4, 10.0 + n) for n in range(count)],
        columns=TRIALS.columns,
    )
    drawn(surrogacy(trials, style=PRESETS[preset]), tmp_path)
