"""The Baujat plot, read back from its file."""

import math
from dataclasses import replace

import pytest
from figures.chart_reading import (
    ANY_TEXT,
    UGLY_TEXTS,
    dots,
    drawn,
    middle,
    page_defects,
    x_of,
    y_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.baujat import Baujat, BaujatTrial, layout

TRIALS = (
    BaujatTrial("Alpha", 4.0, 0.1),
    BaujatTrial("Beta", 1.0, 0.4),
    BaujatTrial("Gamma", 0.5, 0.0),
)
PLOT = Baujat("A Baujat plot", TRIALS, description="A description")
PAGE = PRESETS["page"]


def test_trials_stand_at_their_numbers(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = x_of(drawing, ("1", "4")), y_of(drawing, ("0", "0.4"))
    found = dots(drawing, "1")
    for shape, trial in zip(found, TRIALS, strict=True):
        assert middle(shape) == pytest.approx((x(trial.contribution), y(trial.influence)), abs=0.02)


def test_a_name_stands_beside_its_own_trial(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    found = dots(drawing, "1")
    for shape, trial in zip(found, TRIALS, strict=True):
        word = drawing.word(trial.label)
        left, top, right, bottom = word.box
        centre = (left + right) / 2, (top + bottom) / 2
        nearest = min(found, key=lambda dot: math.dist(middle(dot), centre))
        assert nearest is shape


def test_a_trial_without_numbers_is_named_at_the_foot(tmp_path):
    plot = replace(PLOT, trials=(*TRIALS, BaujatTrial("Delta", math.nan, 0.2)))
    drawing = drawn(layout(plot, PAGE), tmp_path)
    assert drawing.word("Not shown: Delta.")
    assert len(dots(drawing, "1")) == 3


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [0, 1, 2, 13, 40])
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    trials = tuple(
        BaujatTrial(f"Trial {n} ({1990 + n})", n % 6 / 2, n % 5 / 70) for n in range(count)
    )
    assert drawn(layout(replace(PLOT, trials=trials), PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    trials = (*TRIALS, BaujatTrial(text, 2.0, 0.2))
    plot = replace(PLOT, title=f"T {text}", trials=trials, x_label=text, y_label=text)
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.builds(BaujatTrial, ANY_TEXT, st.floats(0, 1e6), st.floats(0, 9)),
        max_size=12,
    ),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(trials, preset):
    assert page_defects(layout(replace(PLOT, trials=trials), PRESETS[preset])) == []
