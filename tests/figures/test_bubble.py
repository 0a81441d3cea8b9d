"""The bubble plot of a meta-regression, read back from its file."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import (
    ACCENT,
    CHART_TEXT,
    DRAWN,
    FAINT,
    INK,
    MUTED,
    RATIO,
    UGLY_TEXTS,
    area,
    at_widths,
    chart,
    dots,
    drawn,
    lines,
    middle,
    x_of,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.bubble import bubble
from trial_evidence.figures.house.theme import Words

TRIALS = [
    ("Alpha", 2010.0, math.log(1.5), 64.0),
    ("Beta", 2015.0, math.log(2.0), 36.0),
    ("Gamma", 2020.0, math.log(1.1), 16.0),
]
YEARS = np.arange(2010.0, 2021.0)
LINE = pd.DataFrame(
    {"covariate": YEARS}
    | {
        name: at - 0.04 * (YEARS - 2010)
        for name, at in (("fitted", 0.6), ("low", 0.4), ("high", 0.7))
    }
)
TICK = "2010"


def plot(trials=TRIALS, line=LINE, axis=RATIO, covariate="Year", level=95.0, **more):
    frame = pd.DataFrame(trials, columns=["trial", "covariate", "estimate", "weight"])
    return chart(bubble, frame, line, axis, covariate, level, **more)


def measures(drawing):
    return x_of(drawing, ("2010", "2020")), y_of(drawing, ("1", "2"), math.log)


def test_trials_stand_at_covariate_and_estimate(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    for shape, trial in zip(dots(drawing, TICK, MUTED, INK), TRIALS, strict=True):
        expected = x(trial[1]), y(math.exp(trial[2]))
        assert middle(shape) == pytest.approx(expected, abs=0.1)


def test_the_area_of_a_bubble_follows_the_weight(tmp_path):
    sizes = [area(s) for s in dots(drawn(plot(), tmp_path), TICK, MUTED, INK)]
    assert sizes[0] / sizes[1] == pytest.approx(64 / 36, rel=0.02)
    assert sizes[0] / sizes[2] == pytest.approx(64 / 16, rel=0.02)


def test_the_line_runs_through_the_fitted_values(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    pieces = [s for s in lines(drawing, ACCENT) if s.box[3] < drawing.word(TICK).y]
    ends = sorted(end for piece in pieces for end in piece.points)
    assert ends[0] == pytest.approx((x(2010), y(math.exp(0.6))), abs=0.1)
    assert ends[-1] == pytest.approx((x(2020), y(math.exp(0.2))), abs=0.1)
    rise = (y(math.exp(0.2)) - y(math.exp(0.6))) / (x(2020) - x(2010))
    for across, up in ends:
        assert up == pytest.approx(y(math.exp(0.6)) + rise * (across - x(2010)), abs=0.1)


def test_the_band_lies_between_its_limits(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    (band,) = [
        s for s in drawing.shapes
        if s.fill == FAINT and s.box[3] < drawing.word(TICK).y
    ]  # fmt: skip
    for year, limit in ((2010, 0.4), (2010, 0.7), (2020, 0.0), (2020, 0.3)):
        expected = x(year), y(math.exp(limit))
        assert min(math.dist(expected, point) for point in band.points) < 0.1


def test_every_trial_is_named(tmp_path):
    drawing = drawn(plot(), tmp_path)
    assert all(drawing.word(name) for name, *_ in TRIALS)


def test_the_level_of_the_band_is_that_of_the_configuration(tmp_path):
    assert drawn(plot(level=90.0), tmp_path).word("90% confidence band")


def test_years_are_whole(tmp_path):
    trials = [(name, 2010.0 + n, *rest) for n, (name, _, *rest) in enumerate(TRIALS)]
    drawing = drawn(plot(trials, None), tmp_path)
    years = [word.text for word in drawing.words if word.text.startswith("20")]
    assert years == ["2010", "2011", "2012"]


@pytest.mark.parametrize(("preset", "count"), at_widths([0, 1, 2, 13, 40]))
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    trials = [
        (f"Trial {n} ({1990 + n})", 1990.0 + n, n % 5 / 7 - 0.2, 1.0 + n % 9) for n in range(count)
    ]
    assert drawn(plot(trials, None if count < 2 else LINE, style=PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_high=text)
    trials = [*TRIALS, (text, 2012.0, 0.5, 10.0)]
    assert drawn(plot(trials, LINE, axis, text, words=Words(f"T {text}")), tmp_path)


@DRAWN
@given(
    st.lists(
        st.tuples(CHART_TEXT, st.floats(-1e6, 1e6), st.floats(-8, 8), st.floats(0, 1e6)),
        max_size=12,
    ),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(tmp_path, trials, scale, preset):
    axis = replace(RATIO, scale=scale)
    assert drawn(plot(trials, None, axis, style=PRESETS[preset]), tmp_path)
