"""Posterior densities, read back from their file."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import (
    ACCENT,
    CHART_TEXT,
    COLUMN,
    DRAWN,
    INK,
    PALE,
    RATIO,
    UGLY_TEXTS,
    area,
    chart,
    drawn,
    lines,
    x_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.posterior import posterior
from trial_evidence.figures.house.theme import Words


def normal(kind: str, label: str, mean: float, sd: float) -> pd.DataFrame:
    values = mean + sd * np.arange(-125, 126) / 25
    heights = [NormalDist(mean, sd).pdf(value) for value in values]
    return pd.DataFrame({"kind": kind, "curve": label, "value": values, "density": heights})


def half_normal(kind: str, label: str, sd: float) -> pd.DataFrame:
    values = np.arange(201) / 100
    heights = [2 * NormalDist(0, sd).pdf(value) for value in values]
    return pd.DataFrame({"kind": kind, "curve": label, "value": values, "density": heights})


MEAN = normal("mean", "Mean effect", 0.3, 0.1)
NEW = normal("new", "New trial", 0.3, 0.2)
TAU = [half_normal("prior", "Prior", 0.5), half_normal("posterior", "Posterior of tau", 0.2)]
LIMITS = (0.3 - 1.959964 * 0.1, 0.3 + 1.959964 * 0.1)
WORDS = Words("Posterior densities", ("P(benefit) = 99.9%.",))


def plot(curves=(MEAN, NEW, *TAU), median=0.3, interval=LIMITS, axis=RATIO, level=95.0, **more):
    frame = pd.concat(curves)
    return chart(posterior, frame, median, interval, axis, level, **({"words": WORDS} | more))


def x_scale(drawing):
    left = [word for word in drawing.words if word.x < drawing.word("Heterogeneity").x - 5]
    return x_of(replace(drawing, words=tuple(left)), ("1", "2"), math.log)


def shaded(drawing):
    """The area under the density; its legend key is a rectangle lower down."""
    return min((s for s in drawing.shapes if s.fill == PALE), key=lambda s: s.box[1])


def test_the_shaded_area_ends_at_the_limits(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, shade = x_scale(drawing), shaded(drawing)
    ends = [x(math.exp(0.3 + side * 0.1959964)) for side in (-1, 1)]
    assert (shade.box[0], shade.box[2]) == pytest.approx(ends, abs=0.1)


def test_the_shaded_area_is_95_percent_of_the_whole(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, shade = x_scale(drawing), shaded(drawing)
    # the peak of the normal density is 1 / (sd sqrt(2 pi)); its area under the peak is known
    unit = x(math.e) - x(1.0)
    peak = shade.box[3] - shade.box[1]
    whole = peak * 0.1 * math.sqrt(2 * math.pi) * unit
    assert area(shade) / whole == pytest.approx(0.95, abs=0.003)


def test_the_median_stands_where_it_is(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, shade = x_scale(drawing), shaded(drawing)
    (line,) = [s for s in lines(drawing, ACCENT)
               if s.box[2] - s.box[0] < 0.01 and s.box[3] - s.box[1] > 20]  # fmt: skip
    assert line.box[0] == pytest.approx(x(math.exp(0.3)), abs=0.1)
    assert line.box[1] == pytest.approx(shade.box[1], abs=0.3)


def test_numbers_and_statements_are_printed(tmp_path):
    drawing = drawn(plot(), tmp_path)
    # exp(0.3), exp(0.3 - 0.196), exp(0.3 + 0.196)
    assert drawing.word("Median: 1.35")
    assert drawing.word("Shortest 95% interval: 1.11 to 1.64")
    assert drawing.word("P(benefit) = 99.9%.")
    assert drawn(plot(level=90.0), tmp_path).word("Shortest 90% interval: 1.11 to 1.64")


def test_each_panel_has_its_own_words_under_its_axis(tmp_path):
    drawing = drawn(plot(), tmp_path)
    split = drawing.word("Heterogeneity").x
    assert drawing.word("Risk ratio").box[2] < split
    assert drawing.word("Standard deviation between trials, τ").box[0] > split - 1


def test_the_prior_of_the_heterogeneity_is_in_its_panel(tmp_path):
    """In the panel of effects it would be read as a prior of the effect."""
    drawing = drawn(plot(), tmp_path)
    foot, split = drawing.word("Risk ratio").y, drawing.word("Heterogeneity").box[0] - 1
    dashed = [s for s in drawing.shapes if s.dashed and s.box[3] < foot]
    prior = [s for s in dashed if s.stroke == INK and s.box[2] - s.box[0] > 1]
    assert prior
    assert all(s.box[0] > split for s in prior)
    assert any(s.box[2] < split for s in dashed if s.stroke != INK)


def test_panels_are_side_by_side_or_one_below_the_other(tmp_path):
    wide = drawn(plot(), tmp_path)
    assert wide.word("Effect").y == pytest.approx(wide.word("Heterogeneity").y, abs=2)
    narrow = drawn(plot(style=COLUMN), tmp_path)
    assert narrow.word("Effect").y < narrow.word("Heterogeneity").y - 50


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("sd", [0.01, 0.4, 3.0])
def test_any_width_makes_a_sound_figure(tmp_path, preset, sd):
    curves = [normal("mean", "Mean", 0.0, sd), *TAU]
    assert drawn(plot(curves, 0.0, (-2 * sd, 2 * sd), style=PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_low=text, favours_high=text)
    curves = [MEAN, NEW, TAU[0].assign(curve=text), TAU[1]]
    assert drawn(plot(curves, axis=axis, words=Words(f"T {text}", (text,))), tmp_path)


@DRAWN
@given(
    st.floats(-5, 5),
    st.floats(0.01, 3),
    st.sampled_from(["log", "linear"]),
    CHART_TEXT,
    st.sampled_from(sorted(PRESETS)),
)
def test_no_figure_leaves_its_page(tmp_path, mean, sd, scale, text, preset):
    curves = [normal("mean", text, mean, sd), NEW, *TAU]
    axis = replace(RATIO, scale=scale, favours_low=text)
    limits = (mean - 2 * sd, mean + 2 * sd)
    assert drawn(plot(curves, mean, limits, axis, style=PRESETS[preset]), tmp_path)
