"""The funnel plot, read back from its file."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from figures.chart_reading import (
    ACCENT,
    CHART_TEXT,
    DRAWN,
    INK,
    LIGHT,
    PALE,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    at_widths,
    chart,
    dots,
    drawn,
    lines,
    middle,
    said,
    x_of,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.figures.canvas.style import PRESETS, styled
from trial_evidence.figures.charts.funnel import funnel
from trial_evidence.figures.house.theme import Words

LOOKS = read_figure_configuration(Path(__file__).parents[2] / "config").styles
TRIALS = [(1.1, 0.1), (1.5, 0.2), (2.0, 0.3), (0.9, 0.25), (1.3, 0.5)]
POOLED = math.log(1.25)
POINTS = [(math.log(ratio), error, False) for ratio, error in TRIALS]


def plot(points=POINTS, axis=RATIO, pooled=POOLED, level=95.0, **more):
    frame = pd.DataFrame(points, columns=["estimate", "standard_error", "imputed"])
    return chart(funnel, frame, axis, pooled, level, **more)


def measures(drawing):
    return x_of(drawing, ("1", "2"), math.log), y_of(drawing, ("0", "0.4"))


def test_trials_stand_at_their_estimates_and_errors(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    found = dots(drawing, "1")
    assert len(found) == len(TRIALS)
    for shape, (ratio, error) in zip(found, TRIALS, strict=True):
        assert middle(shape) == pytest.approx((x(ratio), y(error)), abs=0.1)


def test_precise_trials_are_at_the_top(tmp_path):
    _, y = measures(drawn(plot(), tmp_path))
    assert y(0.1) < y(0.5)


def test_imputed_trials_are_hollow(tmp_path):
    drawing = drawn(plot([*POINTS, (math.log(0.8), 0.3, True)]), tmp_path)
    x, y = measures(drawing)
    (hollow,) = dots(drawing, "1", PAPER, INK)
    assert middle(hollow) == pytest.approx((x(0.8), y(0.3)), abs=0.1)
    assert drawing.word("Imputed by trim-and-fill")


def test_the_axis_reaches_an_imputed_trial_far_from_the_others(tmp_path):
    """Beyond the end of the axis it would not be drawn, and trim-and-fill counts it."""
    drawing = drawn(plot([*POINTS, (math.log(0.05), 0.3, True)]), tmp_path)
    assert len(dots(drawing, "1", PAPER, INK)) == 1


@pytest.mark.parametrize(("fill", "z"), [(LIGHT, 1.959964), (PALE, 2.575829), (PAPER, 1.644854)])
def test_contours_are_the_quantiles_of_p(tmp_path, fill, z):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    (region,) = [s for s in drawing.shapes if s.fill == fill and len(s.points) > 50]
    # at a standard error of 0.3, 3 of 60 steps of 0.6 / 60
    for side in (-1, 1):
        expected = x(math.exp(side * z * 0.3)), y(0.3)
        assert min(math.dist(expected, point) for point in region.points) < 0.1


def test_the_pooled_line_and_its_limits(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    own = [line for line in lines(drawing, ACCENT) if line.box[3] <= y(0.6) + 0.1]
    ends = [end for line in own if not line.dashed for end in line.points]
    for expected in ((1.25, 0.0), (1.25, 0.6)):
        assert min(math.dist(end, (x(expected[0]), y(expected[1]))) for end in ends) < 0.1
    dashed = [line for line in own if line.dashed]
    # one unit of the standard error is 1.96 units of the log ratio, on either side
    width = (x(math.e) - x(1.0)) * 1.959964 / (y(0.5) - y(0.0)) * 0.5
    sides = {end[0] > x(1.25) for line in dashed for end in line.points if end[1] > y(0.1)}
    assert sides == {True, False}
    for px, py in (end for line in dashed for end in line.points):
        assert abs(px - x(1.25)) == pytest.approx(width * (py - y(0.0)), abs=0.15)


def test_the_line_with_imputed_trials_stands_at_its_own_estimate(tmp_path):
    """At the pooled estimate it would suggest that the missing trials change nothing."""
    imputed = [*POINTS, (math.log(0.8), 0.3, True)]
    drawing = drawn(plot(imputed, adjusted=math.log(1.1)), tmp_path)
    assert drawing.word("With imputed trials: 1.10")
    x, y = measures(drawing)
    upright = [s for s in drawing.shapes if s.dashed and s.stroke == ACCENT and len(s.points) > 2
               and s.box[2] - s.box[0] < 0.1 and s.box[3] <= y(0.6) + 1]  # fmt: skip
    assert [shape.box[0] for shape in upright] == pytest.approx([x(1.1)], abs=0.1)


def test_the_limits_are_at_the_level_of_the_configuration(tmp_path):
    drawing = drawn(plot(level=90.0), tmp_path)
    assert drawing.word("Pseudo 90% limits")
    x, y = measures(drawing)
    ends = [e for line in lines(drawing, ACCENT) if line.dashed for e in line.points]
    expected = x(1.25 * math.exp(1.644854 * 0.6)), y(0.6)
    assert min(math.dist(end, expected) for end in ends) < 0.15


def test_the_regression_line_runs_where_it_should(tmp_path):
    drawing = drawn(plot(regression=(math.log(1.1), 1.0)), tmp_path)
    x, y = measures(drawing)
    foot = y(0.6) + 1
    (line,) = [s for s in drawing.shapes if s.dashed and s.stroke == INK and s.box[3] <= foot]
    slope = (x(1.1 * math.e**0.5) - x(1.1)) / (y(0.5) - y(0.0))
    for px, py in line.points:
        assert px == pytest.approx(x(1.1) + slope * (py - y(0.0)), abs=0.1)
    assert drawing.word("Regression on the standard error")


@pytest.mark.parametrize(("count", "few"), [(9, True), (10, False)])
def test_fewer_than_ten_trials_are_said_to_be_too_few(tmp_path, count, few):
    # imputed trials do not count
    drawing = drawn(plot([*(POINTS * 2)[:count], (0.0, 0.2, True)]), tmp_path)
    assert ("cannot be judged" in said(drawing)) == few
    assert ("k = 9, fewer than 10 trials" in said(drawing)) == few


def test_shades_differ_in_grey():
    for style in PRESETS.values():
        fills = [style.accent_light, style.accent_pale, style.paper]
        levels = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) / 3 for colour in fills]
        assert levels[1] - levels[0] > 40
        assert levels[2] - levels[1] > 20


@pytest.mark.parametrize("name", ["default", "greyscale", "jama"])
def test_no_two_regions_look_alike_in_any_look(tmp_path, name):
    """A trial at p < 0.01 would be taken for one at p > 0.10."""
    drawing = drawn(plot(style=styled(LOOKS[name].fields, 180.0)), tmp_path)
    keys = [drawing.word(text) for text in ("p > 0.10", "p < 0.01")]
    areas = [s for s in drawing.shapes if len(s.points) == 4 and s.box[1] > keys[0].box[1] - 2]
    fills = [s.fill for s in areas if any(0 < key.box[0] - s.box[2] < 6 for key in keys)]
    assert len(set(fills)) == len(fills) == 2
    assert len({shape.fill for shape in areas}) == 4


@pytest.mark.parametrize(("preset", "count"), at_widths([0, 1, 2, 40]))
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    points = [(0.5 - n % 7 / 5, 0.05 + n / 50, False) for n in range(count)]
    more = {"regression": (0.1, -0.4), "adjusted": 0.1, "style": PRESETS[preset]}
    assert drawn(plot(points, **more), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_low=text)
    assert drawn(plot(axis=axis, words=Words(f"T {text}", (text,), (text,))), tmp_path)


@DRAWN
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.floats(0.01, 8), st.booleans()), max_size=12),
    st.floats(-8, 8),
    st.sampled_from(["log", "linear", "logit"]),
    CHART_TEXT,
    st.sampled_from(sorted(PRESETS)),
)
def test_no_funnel_leaves_its_page(tmp_path, trials, pooled, scale, text, preset):
    axis = replace(RATIO, scale=scale, label=text)
    more = {"regression": (pooled, -1.0), "adjusted": pooled, "style": PRESETS[preset]}
    assert drawn(plot(trials, axis, pooled, words=Words("A title", (text,)), **more), tmp_path)
