"""The bubble plot, read back from its file."""

import math
from dataclasses import replace

import pytest
from figures.chart_reading import (
    ACCENT,
    ANY_TEXT,
    INK,
    MUTED,
    RATIO,
    UGLY_TEXTS,
    area,
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
from trial_evidence.figures.charts.bubble import Bubble, BubbleTrial, Line, layout

TRIALS = (
    BubbleTrial("Alpha", 2010.0, math.log(1.5), 64.0),
    BubbleTrial("Beta", 2015.0, math.log(2.0), 36.0),
    BubbleTrial("Gamma", 2020.0, math.log(1.1), 16.0),
)
YEARS = tuple(2010.0 + n for n in range(11))
LINE = Line(
    YEARS,
    tuple(0.6 - 0.04 * (year - 2010) for year in YEARS),
    tuple(0.4 - 0.04 * (year - 2010) for year in YEARS),
    tuple(0.7 - 0.04 * (year - 2010) for year in YEARS),
)
PLOT = Bubble("A bubble plot", TRIALS, LINE, RATIO, "Year", description="A description")
PAGE = PRESETS["page"]
TICK = "2010"


def measures(drawing):
    return x_of(drawing, ("2010", "2020")), y_of(drawing, ("1", "2"), math.log)


def test_trials_stand_at_covariate_and_estimate(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = measures(drawing)
    for shape, trial in zip(dots(drawing, TICK, MUTED, INK), TRIALS, strict=True):
        expected = x(trial.covariate), y(math.exp(trial.estimate))
        assert middle(shape) == pytest.approx(expected, abs=0.02)


def test_the_area_of_a_bubble_follows_the_weight(tmp_path):
    sizes = [area(s) for s in dots(drawn(layout(PLOT, PAGE), tmp_path), TICK, MUTED, INK)]
    # a disc of fewer corners is a little smaller: 24 corners have 98.9% of the circle, 48 99.7%
    assert sizes[0] / sizes[1] == pytest.approx(64 / 36, rel=0.02)
    assert sizes[0] / sizes[2] == pytest.approx(64 / 16, rel=0.02)


def test_the_line_runs_through_the_fitted_values(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = measures(drawing)
    pieces = [s for s in lines(drawing, ACCENT) if s.box[3] < drawing.word(TICK).y]
    ends = sorted(end for piece in pieces for end in piece.points)
    assert ends[0] == pytest.approx((x(2010), y(math.exp(0.6))), abs=0.02)
    assert ends[-1] == pytest.approx((x(2020), y(math.exp(0.2))), abs=0.02)
    half = min(ends, key=lambda end: abs(end[0] - x(2015)))
    rise = (y(math.exp(0.2)) - y(math.exp(0.6))) / (x(2020) - x(2010))
    assert half[1] == pytest.approx(y(math.exp(0.4)) + rise * (half[0] - x(2015)), abs=0.02)


def test_the_band_lies_between_its_limits(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = measures(drawing)
    (band,) = [s for s in drawing.shapes if s.fill == "#f3f4f6" and s.stroke == "none"]
    for year, limit in ((2010, 0.4), (2010, 0.7), (2020, 0.0), (2020, 0.3)):
        expected = x(year), y(math.exp(limit))
        assert min(math.dist(expected, point) for point in band.points) < 0.02


def test_every_trial_is_named(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    assert all(drawing.word(trial.label) for trial in TRIALS)


def test_years_are_whole(tmp_path):
    trials = tuple(replace(t, covariate=2010.0 + n) for n, t in enumerate(TRIALS))
    drawing = drawn(layout(replace(PLOT, trials=trials, line=None), PAGE), tmp_path)
    years = [word.text for word in drawing.words if word.text.startswith("20")]
    assert years == ["2010", "2011", "2012"]


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [0, 1, 2, 13, 40])
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    trials = tuple(
        BubbleTrial(f"Trial {n} ({1990 + n})", 1990.0 + n, n % 5 / 7 - 0.2, 1.0 + n % 9)
        for n in range(count)
    )
    line = None if count < 2 else LINE
    plot = replace(PLOT, trials=trials, line=line)
    assert drawn(layout(plot, PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_high=text)
    trials = (*TRIALS, BubbleTrial(text, 2012.0, 0.5, 10.0))
    plot = replace(PLOT, title=f"T {text}", trials=trials, axis=axis, covariate_label=text)
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.builds(BubbleTrial, ANY_TEXT, st.floats(-1e6, 1e6), st.floats(-8, 8), st.floats(0, 1e6)),
        max_size=12,
    ),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(trials, scale, preset):
    plot = replace(PLOT, trials=trials, line=None, axis=replace(RATIO, scale=scale))
    assert page_defects(layout(plot, PRESETS[preset])) == []
