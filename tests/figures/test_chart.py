"""Building blocks of pages: geometry of lines and areas, the axis, the legend."""

import math

import pytest
from figures.chart_reading import ANY_TEXT, INK, PAGE, PALE, drawn, page_defects
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.chart import Chart, Described, Key, clipped, printed, rectangle
from trial_evidence.figures.canvas.style import PRESETS

BOX = (0.0, 0.0, 10.0, 10.0)
SAID = Described("A title", description="A description")


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


def test_a_value_is_printed_on_its_natural_scale():
    assert printed(math.log(2.625), "log") == "2.63"
    assert printed(-0.125, "linear") == "\N{MINUS SIGN}0.13"
    # logit(0.25) = -log 3
    assert printed(-math.log(3), "logit") == "25.0%"
    assert printed(1e6, "log") == "\N{INFINITY}"


@settings(max_examples=30)
@given(st.lists(ANY_TEXT, max_size=8), st.sampled_from(sorted(PRESETS)))
def test_a_legend_stays_on_the_page(names, preset):
    chart = Chart(PRESETS[preset])
    chart.title("A title")
    chart.legend([Key("line", name, "#000000") for name in names])
    chart.legend([Key(kind, "a key", "#000000") for kind in ("dot", "area")])
    assert page_defects(chart.page(SAID, ())) == []


def test_the_key_of_an_area_can_be_seen(tmp_path):
    chart = Chart(PAGE)
    chart.title("A title")
    chart.legend([Key("area", "an area", INK)])
    (key,) = [s for s in drawn(chart.page(SAID, ()), tmp_path).shapes if s.fill == INK]
    left, top, right, bottom = key.box
    assert min(right - left, bottom - top) > 3


def test_a_panel_of_percentages_runs_from_0_to_100(tmp_path):
    chart = Chart(PAGE)
    chart.title("A title")
    panel = chart.percent_panel(40.0, 20.0)
    chart.shape("bar", rectangle(panel.x_mm(0.0), panel.top, panel.x_mm(0.5), panel.bottom), INK)
    chart.x_axis(panel)
    drawing = drawn(chart.page(SAID, ()), tmp_path)
    (bar,) = [s for s in drawing.shapes if s.fill == INK and len(s.points) > 2]
    low, high = drawing.word("0%").x, drawing.word("100%").x
    assert bar.box[2] == pytest.approx((low + high) / 2, abs=0.02)


def test_a_fill_is_behind_words(tmp_path):
    chart = Chart(PAGE)
    chart.fill("band", rectangle(10, 10, 60, 30), PAGE.accent_pale)
    chart.word("word", "a word", 30, 20)
    chart.y = 40
    drawing = drawn(chart.page(SAID, ()), tmp_path)
    (shape,) = [s for s in drawing.shapes if s.fill == PALE]
    word = drawing.word("a word")
    assert shape.box[0] < word.box[0] < word.box[2] < shape.box[2]
