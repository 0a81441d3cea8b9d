"""The funnel plot, read back from its file."""

import math
from dataclasses import replace

import pytest
from figures.chart_reading import (
    ACCENT,
    ANY_TEXT,
    INK,
    LIGHT,
    PALE,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    dots,
    drawn,
    lines,
    middle,
    page_defects,
    x_of,
    y_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.funnel import Funnel, FunnelPoint, Regression, layout

TRIALS = [(1.1, 0.1), (1.5, 0.2), (2.0, 0.3), (0.9, 0.25), (1.3, 0.5)]
POINTS = tuple(FunnelPoint(math.log(ratio), error) for ratio, error in TRIALS)
FUNNEL = Funnel("A funnel", POINTS, RATIO, math.log(1.25), description="A description")
PAGE = PRESETS["page"]


def measures(drawing):
    return x_of(drawing, ("1", "2"), math.log), y_of(drawing, ("0", "0.4"))


def test_trials_stand_at_their_estimates_and_errors(tmp_path):
    drawing = drawn(layout(FUNNEL, PAGE), tmp_path)
    x, y = measures(drawing)
    found = dots(drawing, "1")
    assert len(found) == len(TRIALS)
    for shape, (ratio, error) in zip(found, TRIALS, strict=True):
        assert middle(shape) == pytest.approx((x(ratio), y(error)), abs=0.02)


def test_precise_trials_are_at_the_top(tmp_path):
    _, y = measures(drawn(layout(FUNNEL, PAGE), tmp_path))
    assert y(0.1) < y(0.5)


def test_imputed_trials_are_hollow(tmp_path):
    points = (*POINTS, FunnelPoint(math.log(0.8), 0.3, imputed=True))
    drawing = drawn(layout(replace(FUNNEL, points=points), PAGE), tmp_path)
    x, y = measures(drawing)
    (hollow,) = dots(drawing, "1", PAPER, INK)
    assert middle(hollow) == pytest.approx((x(0.8), y(0.3)), abs=0.02)
    assert drawing.word("Imputed by trim-and-fill")


@pytest.mark.parametrize(("fill", "z"), [(LIGHT, 1.959964), (PALE, 2.575829), (PAPER, 1.644854)])
def test_contours_are_the_quantiles_of_p(tmp_path, fill, z):
    drawing = drawn(layout(FUNNEL, PAGE), tmp_path)
    x, y = measures(drawing)
    (region,) = [s for s in drawing.shapes if s.fill == fill and len(s.points) > 50]
    edge = {(round(px, 2), round(py, 2)) for px, py in region.points}
    # at a standard error of 0.3, 3 of 60 steps of 0.6 / 60
    for side in (-1, 1):
        expected = x(math.exp(side * z * 0.3)), y(0.3)
        assert min(math.dist(expected, point) for point in edge) < 0.03


def test_the_pooled_line_and_its_limits(tmp_path):
    drawing = drawn(layout(FUNNEL, PAGE), tmp_path)
    x, y = measures(drawing)
    ends = [end for line in lines(drawing, ACCENT) for end in line.points]
    for expected in ((1.25, 0.0), (1.25, 0.6)):
        assert min(math.dist(end, (x(expected[0]), y(expected[1]))) for end in ends) < 0.03
    dashes = [line for line in lines(drawing, ACCENT) if line.box[2] - line.box[0] > 0.5]
    dashes = [dash for dash in dashes if dash.box[3] <= y(0.6) + 0.1]
    # a unit of the standard error is 1.96 units of the log ratio away, on either side
    width = (x(math.e) - x(1.0)) * 1.959964 / (y(0.5) - y(0.0)) * 0.5
    assert {dash.points[0][0] > x(1.25) for dash in dashes} == {True, False}
    for px, py in (end for dash in dashes for end in dash.points):
        assert abs(px - x(1.25)) == pytest.approx(width * (py - y(0.0)), abs=0.03)


def test_the_regression_line_runs_where_it_should(tmp_path):
    line = Regression(math.log(1.1), 1.0)
    without = drawn(layout(FUNNEL, PAGE), tmp_path)
    drawing = drawn(layout(replace(FUNNEL, regression=line), PAGE), tmp_path)
    x, y = measures(drawing)
    before = {shape.points for shape in lines(without, INK)}
    pieces = [s for s in lines(drawing, INK) if s.points not in before and s.box[3] <= y(0.6) + 1]
    assert len(pieces) > 20
    slope = (x(1.1 * math.e**0.5) - x(1.1)) / (y(0.5) - y(0.0))
    for piece in pieces:
        for px, py in piece.points:
            assert px == pytest.approx(x(1.1) + slope * (py - y(0.0)), abs=0.02)
    assert drawing.word("Regression on the standard error")


@pytest.mark.parametrize(("count", "said"), [(9, True), (10, False)])
def test_fewer_than_ten_trials_are_said_to_be_too_few(count, said):
    # imputed trials do not count
    points = (*(POINTS * 2)[:count], FunnelPoint(0.0, 0.2, imputed=True))
    texts = " ".join(text.text for text in layout(replace(FUNNEL, points=points), PAGE).texts)
    assert ("cannot be judged: k = 9, fewer than 10 trials" in texts) == said


def test_shades_differ_in_grey():
    for style in PRESETS.values():
        fills = [style.accent_light, style.accent_pale, style.paper]
        levels = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) / 3 for colour in fills]
        assert levels[1] - levels[0] > 40
        assert levels[2] - levels[1] > 20


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    points = tuple(FunnelPoint(0.5 - n % 7 / 5, 0.05 + n / 50) for n in range(count))
    plot = replace(FUNNEL, points=points, regression=Regression(0.1, -0.4), adjusted=0.1)
    assert drawn(layout(plot, PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_low=text)
    plot = replace(FUNNEL, title=f"T {text}", axis=axis, notes=(text,), footnotes=(text,))
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.floats(0, 8), st.booleans()), max_size=12),
    st.floats(-8, 8),
    st.sampled_from(["log", "linear", "logit"]),
    ANY_TEXT,
    st.sampled_from(sorted(PRESETS)),
)
def test_no_funnel_leaves_its_page(trials, pooled, scale, text, preset):
    points = tuple(FunnelPoint(*trial) for trial in trials)
    axis = replace(RATIO, scale=scale, label=text)
    plot = Funnel(text, points, axis, pooled, Regression(pooled, -1.0), pooled, (text,))
    assert page_defects(layout(plot, PRESETS[preset])) == []
