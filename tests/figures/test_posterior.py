"""Posterior densities, read back from their file."""

import math
from dataclasses import replace
from statistics import NormalDist

import pytest
from figures.chart_reading import (
    ACCENT,
    ANY_TEXT,
    COLUMN,
    PALE,
    RATIO,
    UGLY_TEXTS,
    area,
    drawn,
    lines,
    page_defects,
    x_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.posterior import Density, Posterior, layout

PAGE = PRESETS["page"]


def normal(label: str, mean: float, sd: float) -> Density:
    law = NormalDist(mean, sd)
    values = tuple(mean + sd * n / 25 for n in range(-125, 126))
    return Density(label, values, tuple(law.pdf(value) for value in values))


def half_normal(label: str, sd: float) -> Density:
    values = tuple(n / 100 for n in range(201))
    return Density(label, values, tuple(2 * NormalDist(0, sd).pdf(value) for value in values))


PLOT = Posterior(
    "Posterior densities",
    normal("Mean effect", 0.3, 0.1),
    (0.3 - 1.959964 * 0.1, 0.3 + 1.959964 * 0.1),
    0.3,
    RATIO,
    half_normal("Prior", 0.5),
    half_normal("Posterior of tau", 0.2),
    normal("New trial", 0.3, 0.2),
    statements=("P(benefit) = 99.9%.",),
    description="A description",
)


def x_scale(drawing):
    left = [word for word in drawing.words if word.x < drawing.word("Heterogeneity").x - 5]
    return x_of(replace(drawing, words=tuple(left)), ("1", "2"), math.log)


def test_the_shaded_area_ends_at_the_limits(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x = x_scale(drawing)
    (shade,) = [s for s in drawing.shapes if s.fill == PALE and s.stroke == "none"]
    ends = [x(math.exp(0.3 + side * 0.1959964)) for side in (-1, 1)]
    assert (shade.box[0], shade.box[2]) == pytest.approx(ends, abs=0.02)


def test_the_shaded_area_is_95_percent_of_the_whole(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x = x_scale(drawing)
    (shade,) = [s for s in drawing.shapes if s.fill == PALE and s.stroke == "none"]
    # the height of the normal density is 1 / (sd sqrt(2 pi)); its area under the peak is known
    unit = x(math.e) - x(1.0)
    peak = shade.box[3] - shade.box[1]
    whole = peak * 0.1 * math.sqrt(2 * math.pi) * unit
    assert area(shade) / whole == pytest.approx(0.95, abs=0.002)


def test_the_median_stands_where_it_is(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x = x_scale(drawing)
    (shade,) = [s for s in drawing.shapes if s.fill == PALE and s.stroke == "none"]
    (line,) = [s for s in lines(drawing, ACCENT)
               if s.box[2] - s.box[0] < 0.01 and s.box[3] - s.box[1] > 20]  # fmt: skip
    assert line.box[0] == pytest.approx(x(math.exp(0.3)), abs=0.02)
    assert line.box[1] == pytest.approx(shade.box[1], abs=0.3)


def test_numbers_and_statements_are_printed(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    # exp(0.3), exp(0.3 - 0.196), exp(0.3 + 0.196)
    assert drawing.word("Median: 1.35")
    assert drawing.word("Shortest 95% interval: 1.11 to 1.64")
    assert drawing.word("P(benefit) = 99.9%.")


def test_panels_are_side_by_side_or_one_below_the_other(tmp_path):
    wide = drawn(layout(PLOT, PAGE), tmp_path)
    assert wide.word("Effect").y == pytest.approx(wide.word("Heterogeneity").y)
    narrow = drawn(layout(PLOT, COLUMN), tmp_path)
    assert narrow.word("Effect").y < narrow.word("Heterogeneity").y - 50


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("sd", [0.01, 0.4, 3.0])
def test_any_width_makes_a_sound_figure(tmp_path, preset, sd):
    plot = replace(PLOT, mean=normal("Mean", 0.0, sd), interval=(-2 * sd, 2 * sd), predictive=None)
    assert drawn(layout(plot, PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    axis = replace(RATIO, label=text, favours_low=text, favours_high=text)
    tau = replace(PLOT.tau_prior, label=text)
    plot = replace(PLOT, title=f"T {text}", axis=axis, tau_prior=tau, statements=(text,))
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=40)
@given(
    st.floats(-5, 5),
    st.floats(0.01, 3),
    st.sampled_from(["log", "linear", "logit"]),
    ANY_TEXT,
    st.sampled_from(sorted(PRESETS)),
)
def test_no_figure_leaves_its_page(mean, sd, scale, text, preset):
    plot = replace(
        PLOT,
        mean=normal(text, mean, sd),
        interval=(mean - 2 * sd, mean + 2 * sd),
        median=mean,
        axis=replace(RATIO, scale=scale, favours_low=text),
    )
    assert page_defects(layout(plot, PRESETS[preset])) == []
