"""The extended funnel plot, read back from its file."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import (
    CHART_TEXT,
    DRAWN,
    INK,
    LIGHT,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    at_widths,
    chart,
    dots,
    drawn,
    middle,
    x_of,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.funnel import extended_funnel
from trial_evidence.figures.house.theme import Words

TRIALS = [(math.log(ratio), error) for ratio, error in ((1.1, 0.1), (1.5, 0.2), (2.0, 0.3))]
POOLED = math.log(1.25)
MARK = (0.0, 0.25, "Smallest that would: 64 events")


def cone(estimate, error):
    """Intervals that exclude no effect beyond one standard error, whatever they were before."""
    return estimate - error, estimate + error


def plot(pools=cone, trials=TRIALS, axis=RATIO, reach=1.0, **more):
    places = product(np.linspace(-reach, reach, 41), np.linspace(0.0004, 0.4, 21))
    further = pd.DataFrame(
        [(x, e, *pools(x, e)) for x, e in places],
        columns=["estimate", "standard_error", "low", "high"],
    )
    points = pd.DataFrame(trials, columns=["estimate", "standard_error"])
    return chart(extended_funnel, points, further, axis, POOLED, **more)


def measures(drawing):
    return x_of(drawing, ("0.5", "2"), math.log), y_of(drawing, ("0", "0.4"))


def regions(drawing, fill=LIGHT):
    """Areas in the panel: larger than the key of a legend."""
    return [s for s in drawing.shapes if s.fill == fill and s.box[3] - s.box[1] > 20]


def test_trials_stand_at_their_estimates_and_errors(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    found = dots(drawing, "0.5")
    for shape, (estimate, error) in zip(found, TRIALS, strict=True):
        assert middle(shape) == pytest.approx((x(math.exp(estimate)), y(error)), abs=0.1)


def test_what_is_shaded_ends_where_the_interval_reaches_no_effect(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    left, right = sorted(regions(drawing), key=lambda shape: shape.box[0])
    for shape, side in ((left, -1), (right, 1)):
        for error in (0.1, 0.2, 0.3):
            edge = x(math.exp(side * error)), y(error)
            assert min(math.dist(edge, point) for point in shape.points) < 1.5
        # and not beyond it
        assert all(side * (px - x(1.0)) >= -0.1 for px, _ in shape.points), (
            "shaded on the wrong side of no effect"
        )


def test_a_hole_in_a_shaded_area_stays_white(tmp_path):
    def ring(estimate, error):
        inside = math.hypot(estimate, (error - 0.2) * 3) < 0.3
        return (-1.0, 1.0) if inside else (0.5, 2.0)

    drawing = drawn(plot(ring), tmp_path)
    x, y = measures(drawing)
    holes = [s for s in regions(drawing, PAPER) if s.box[2] - s.box[0] < x(2.0) - x(0.5)]
    (hole,) = [s for s in holes if s.box[0] < x(1.0) < s.box[2] and s.box[1] < y(0.2) < s.box[3]]
    assert hole.box[0] == pytest.approx(x(math.exp(-0.3)), abs=6)


def test_the_smallest_trial_is_marked_and_named(tmp_path):
    drawing = drawn(plot(smallest=MARK), tmp_path)
    x, y = measures(drawing)
    hollow = [s for s in drawing.shapes if s.fill == PAPER and s.stroke == INK]
    expected = x(1.0), y(0.25)
    assert min(math.dist(middle(shape), expected) for shape in hollow) < 0.2
    assert drawing.word(MARK[2])


def test_both_verdicts_are_in_the_legend_whatever_the_panel_shows(tmp_path):
    for pools in (lambda x, e: (-1.0, 1.0), lambda x, e: (0.1, 1.0), cone):
        drawing = drawn(plot(pools), tmp_path)
        assert drawing.word("One more trial here: interval excludes 1")
        assert drawing.word("One more trial here: interval includes 1")


def test_infinite_limits_are_no_verdict(tmp_path):
    drawing = drawn(plot(lambda x, e: (-math.inf, math.inf)), tmp_path)
    assert regions(drawing) == []


@pytest.mark.parametrize(("preset", "mark"), at_widths([None, MARK]))
def test_every_width_is_sound(tmp_path, preset, mark):
    assert drawn(plot(smallest=mark, style=PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_low=text)
    words = Words(f"T {text}", (text,), (text,))
    assert drawn(plot(axis=axis, words=words), tmp_path)


@DRAWN
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 0.4)), max_size=8),
    st.floats(0.05, 8),
    st.sampled_from(["log", "linear"]),
    CHART_TEXT,
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(tmp_path, trials, reach, scale, text, preset):
    axis = replace(RATIO, scale=scale, label=text)
    more = {"reach": reach, "style": PRESETS[preset], "words": Words("A title", (text,))}
    assert drawn(plot(trials=trials, axis=axis, **more), tmp_path)
