"""What the charts share: geometry of lines and areas, axes, labels beside marks."""

import math

import pytest
from figures.chart_reading import ANY_TEXT, COLUMN, PAGE, PALE, drawn, page_defects
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import (
    Chart,
    Key,
    Label,
    backwards,
    between,
    clipped,
    covering,
    cut_to,
    dashes,
    from_zero,
    printed,
    simplified,
    vertical_label,
)
from trial_evidence.figures.canvas.style import PRESETS

BOX = (0.0, 0.0, 10.0, 10.0)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ((1, 1), (9, 9), ((1, 1), (9, 9))),
        ((-5, 5), (15, 5), ((0, 5), (10, 5))),
        ((5, -5), (5, 5), ((5, 0), (5, 5))),
        ((-1, 12), (4, 12), None),
        ((-3, 2), (2, -3), None),
        # y = x + 5 leaves the box at (5, 10)
        ((0, 5), (10, 15), ((0, 5), (5, 10))),
    ],
)
def test_a_line_is_cut_at_the_edges(start, end, kept):
    assert clipped(start, end, BOX) == kept


def test_a_shape_is_cut_at_the_edges():
    assert set(cut_to(((5, 5), (15, 5), (15, 15), (5, 15)), BOX)) == {
        (5, 5),
        (10, 5),
        (10, 10),
        (5, 10),
    }
    assert cut_to(((20, 20), (30, 20), (30, 30)), BOX) == ()


def test_points_on_a_straight_line_are_left_out():
    assert simplified([(0, 0), (1, 1), (2, 2), (3, 0)]) == [(0, 0), (2, 2), (3, 0)]


def test_a_simplified_curve_is_as_good_as_the_curve():
    curve = [(x / 10, 30 * math.exp(-((x / 10 - 40) ** 2) / 50)) for x in range(801)]
    kept = simplified(curve)
    assert len(kept) < 120
    for x, y in curve:
        before = max(p for p in kept if p[0] <= x)
        after = min(p for p in kept if p[0] >= x)
        share = 0 if after == before else (x - before[0]) / (after[0] - before[0])
        # 0.015 mm beside a curve whose slope is 30 / 5 x exp(-1/2) = 3.64 at most, so in height
        # 0.015 x sqrt(1 + 3.64^2) = 0.057
        assert y == pytest.approx(before[1] + share * (after[1] - before[1]), abs=0.057)


def test_dashes_run_on_around_a_bend():
    # 3 on, 2 off along 10: 0-3, 5-8; the bend is at 6
    strokes = dashes([(0, 0), (6, 0), (6, 4)], (3, 2))
    assert strokes == [((0, 0), (3, 0)), ((5, 0), (6, 0), (6, 2))]


def test_a_value_is_printed_on_its_natural_scale():
    assert printed(math.log(2.625), "log") == "2.63"
    assert printed(-0.125, "linear") == "\N{MINUS SIGN}0.13"
    # logit(0.25) = -log 3
    assert printed(-math.log(3), "logit") == "25.0%"
    assert printed(1e6, "log") == "\N{INFINITY}"


def test_an_axis_from_zero_covers_what_is_there():
    made = from_zero([0.0, 3.2, math.inf, math.nan])(7)
    # seven ticks at most: steps of 0.5 would need eight
    assert (made.low, made.high) == (0.0, 4.0)
    assert from_zero([])(7).high == 1.0
    turned = backwards(from_zero([3.2]))(7)
    assert turned.share(4.0) == 0.0


def test_years_have_no_halves():
    assert [tick.label for tick in between(2009.5, 2012.5, whole=True)(7).ticks] == [
        "2010",
        "2011",
        "2012",
    ]


def test_an_axis_covers_its_reference():
    made = covering(Axis("log", 0.0), [math.log(2), math.log(5)])(7)
    assert made.low <= 0.0
    assert made.high >= math.log(5)


def test_up_and_down_are_said_above_an_upright_axis():
    axis = Axis("log", 0.0, "Ratio", "control", "treatment")
    assert (
        vertical_label(axis) == "Ratio (\N{UPWARDS ARROW} treatment; \N{DOWNWARDS ARROW} control)"
    )
    assert vertical_label(Axis("log", 0.0, "Ratio")) == "Ratio"


def labelled(places, style, names):
    """A chart with a dot and a label at each place, given in shares of the panel."""
    chart = Chart(style)
    panel = chart.panel(between(0.0, 1.0), between(0.0, 1.0), 50.0)
    labels = []
    for name, (x, y) in zip(names, places, strict=False):
        place = panel.point(x, y)
        chart.dot("dot", place, 2.0, style.ink, style.paper)
        labels.append(Label(name, *place, 1.0))
    chart.y_axis(panel)
    chart.labels(labels, panel.box)
    chart.x_axis(panel)
    return chart.page("A title", "A description")


def test_a_crowded_label_moves_away_and_has_a_line_to_its_mark(tmp_path):
    places = [(0.4 + n / 50, 0.5) for n in range(9)]
    page = labelled(places, PAGE, [f"Trial {n}" for n in range(9)])
    assert any(line.role == "leader" for line in page.segments)
    words = [word.text for word in drawn(page, tmp_path).words]
    assert all(f"Trial {n}" in words for n in range(9))


def test_a_label_without_a_place_is_named_at_the_foot():
    names = [f"Trial {n}" for n in range(80)]
    page = labelled([(0.5, 0.5)] * 80, COLUMN, names)
    beside = [text.text for text in page.texts if text.role == "label"]
    foot = " ".join(text.text for text in page.texts if text.role == "footnote")
    assert beside
    assert "Not labelled for want of room: " in foot
    missing = [name for name in names if name not in beside]
    assert missing
    assert all(name in foot for name in missing)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=15),
    st.lists(ANY_TEXT, min_size=15, max_size=15),
    st.sampled_from(sorted(PRESETS)),
)
def test_labels_never_overlap(places, names, preset):
    assert page_defects(labelled(places, PRESETS[preset], names)) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(ANY_TEXT, max_size=8), st.sampled_from(sorted(PRESETS)))
def test_a_legend_stays_on_the_page(names, preset):
    chart = Chart(PRESETS[preset])
    chart.title("A title")
    chart.legend([Key("line", name, "#000000", dash=(1.0, 1.0)) for name in names])
    chart.legend([Key(kind, "a key", "#000000") for kind in ("dot", "square", "diamond", "area")])
    assert page_defects(chart.page("A title", "A description")) == []


def test_an_area_is_behind_words(tmp_path):
    chart = Chart(PAGE)
    panel = chart.panel(between(0.0, 1.0), between(0.0, 1.0), 50.0)
    corners = [panel.point(x, y) for x, y in ((-1, 0), (2, 0), (2, 0.5), (-1, 0.5))]
    chart.area("band", corners, PAGE.accent_pale, panel)
    chart.word("word", "a word", *panel.point(0.8, 0.2))
    chart.x_axis(panel)
    drawing = drawn(chart.page("A title", "A description"), tmp_path)
    (shape,) = [s for s in drawing.shapes if s.fill == PALE]
    word = drawing.word("a word")
    assert shape.box[0] < word.box[0] < word.box[2] < shape.box[2]
