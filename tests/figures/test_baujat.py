"""The Baujat plot, read back from its file."""

import math

import pandas as pd
import pytest
from figures.chart_reading import (
    CHART_TEXT,
    DRAWN,
    UGLY_TEXTS,
    at_widths,
    chart,
    dots,
    drawn,
    middle,
    said,
    x_of,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.baujat import baujat
from trial_evidence.figures.house.theme import Words

TRIALS = [("Alpha", 4.0, 0.1), ("Beta", 1.0, 0.4), ("Gamma", 0.5, 0.0)]


def plot(trials=TRIALS, **more):
    frame = pd.DataFrame(trials, columns=["trial", "contribution", "influence"])
    return chart(baujat, frame, **({"x_label": "Across", "y_label": "Up"} | more))


def test_trials_stand_at_their_numbers(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = x_of(drawing, ("1", "4")), y_of(drawing, ("0", "0.4"))
    found = dots(drawing, "1")
    for shape, (_, contribution, influence) in zip(found, TRIALS, strict=True):
        assert middle(shape) == pytest.approx((x(contribution), y(influence)), abs=0.1)


def test_a_name_stands_beside_its_own_trial(tmp_path):
    drawing = drawn(plot(), tmp_path)
    found = dots(drawing, "1")
    for shape, (name, *_) in zip(found, TRIALS, strict=True):
        left, top, right, bottom = drawing.word(name).box
        centre = (left + right) / 2, (top + bottom) / 2
        nearest = min(found, key=lambda dot: math.dist(middle(dot), centre))
        assert nearest is shape


@pytest.mark.parametrize("numbers", [(math.nan, 0.2), (2.0, math.nan)])
def test_a_trial_without_one_of_its_numbers_is_named_at_the_foot(tmp_path, numbers):
    drawing = drawn(plot([*TRIALS, ("Delta", *numbers)]), tmp_path)
    assert drawing.word("Not shown: Delta.")
    assert len(dots(drawing, "1")) == 3


@pytest.mark.parametrize(("preset", "count"), at_widths([0, 1, 2, 13, 40]))
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    trials = [(f"Trial {n} ({1990 + n})", n % 6 / 2, n % 5 / 70) for n in range(count)]
    drawing = drawn(plot(trials, style=PRESETS[preset]), tmp_path)
    # every trial is named, next to its dot or at the foot
    assert all(name in said(drawing) for name, *_ in trials)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    trials = [*TRIALS, (text, 2.0, 0.2)]
    words = Words(f"T {text}", (text,), (text,))
    assert drawn(plot(trials, words=words, x_label=text, y_label=text), tmp_path)


@DRAWN
@given(
    st.lists(st.tuples(CHART_TEXT, st.floats(0, 1e6), st.floats(0, 9)), max_size=12),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(tmp_path, trials, preset):
    assert drawn(plot(trials, style=PRESETS[preset]), tmp_path)
