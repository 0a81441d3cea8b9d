"""Cumulative and leave-one-out forest plots: their content, and that they can be drawn."""

import math
from dataclasses import replace
from functools import partial

import pytest
from figures.chart_reading import RATIO, drawn, page_defects
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.forests import sequence
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.forests.sequence import Step

cumulative_forest = partial(sequence.cumulative_forest, level=95.0)
leave_one_out_forest = partial(sequence.leave_one_out_forest, level=95.0)
PAGE = PRESETS["page"]
WORDS = {"footnotes": ("Small print.",), "description": "In words"}


def step(label, ratio, k, i2=25.4):
    return Step(label, math.log(ratio), math.log(ratio / 2), math.log(ratio * 2), k, i2)


STEPS = (step("Alpha", 1.5, 1, None), step("Beta", 1.25, 2), step("Gamma", 1.2, 3))


def test_a_cumulative_forest_ends_with_all_trials():
    forest = cumulative_forest("Cumulative", STEPS, RATIO)
    assert [row.kind for row in forest.rows] == ["pooled", "pooled", "overall"]
    assert [row.texts["label"] for row in forest.rows] == ["Alpha", "+ Beta", "+ Gamma"]
    assert [row.texts["k"] for row in forest.rows] == ["1", "2", "3"]
    assert forest.overall == math.log(1.2)


def test_results_are_printed_on_the_natural_scale():
    forest = cumulative_forest("Cumulative", STEPS, RATIO)
    # 1.25 / 2 = 0.625
    assert forest.rows[1].texts["result"] == "1.25 (0.63–2.50)"
    assert [row.texts["i2"] for row in forest.rows] == ["", "25", "25"]


def test_the_level_of_the_intervals_is_printed():
    for forest in (
        sequence.cumulative_forest("Any", STEPS, RATIO, level=90.0),
        sequence.leave_one_out_forest("Any", STEPS, STEPS[-1], RATIO, level=90.0),
    ):
        assert forest.columns[-1].header == "Risk ratio\n(90% CI)"


def test_credible_intervals_are_not_headed_as_confidence_intervals():
    bayesian = [replace(one, bayesian=True) for one in STEPS]
    mixed = cumulative_forest("Any", [STEPS[0], *bayesian[1:]], RATIO)
    assert mixed.columns[-1].header == "Risk ratio\n(95% CI or CrI)"
    forest = leave_one_out_forest("Any", bayesian, bayesian[-1], RATIO)
    assert forest.columns[-1].header == "Risk ratio\n(95% CrI)"


def test_a_column_without_heterogeneity_is_left_out():
    none = [replace(one, i2=None) for one in STEPS]
    bare = cumulative_forest("Any", none, RATIO)
    assert [column.key for column in bare.columns] == ["label", "k", "result"]
    full = cumulative_forest("Any", STEPS, RATIO)
    assert [column.key for column in full.columns] == ["label", "k", "i2", "result"]


def test_a_forest_without_each_trial_ends_with_all_trials():
    overall = step("All trials", 1.3, 3)
    forest = leave_one_out_forest("Without", STEPS, overall, RATIO)
    assert [row.kind for row in forest.rows] == ["pooled"] * 3 + ["gap", "overall"]
    assert forest.rows[-1].estimate == forest.overall == math.log(1.3)
    assert forest.rows[0].low == math.log(0.75)


def test_a_single_trial_is_a_sequence_too(tmp_path):
    forest = cumulative_forest("One", STEPS[:1], RATIO, description="One trial")
    assert drawn(layout(forest, PAGE), tmp_path).word("1.50 (0.75–3.00)")


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [1, 2, 6, 40])
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    steps = [step(f"Trial {n} ({1990 + n})", 1 + n % 5 / 9, n + 1) for n in range(count)]
    overall = step("All trials", 1.3, count)
    for forest in (
        cumulative_forest("Cumulative", steps, RATIO, **WORDS),
        leave_one_out_forest("Without", steps, overall, RATIO, **WORDS),
    ):
        assert drawn(layout(forest, PRESETS[preset]), tmp_path)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.text(max_size=30), st.floats(-5, 5) | st.just(math.nan), st.floats(0, 9)),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_sequence_leaves_its_page(results, preset):
    steps = [Step(name, e, e - reach, e + reach, 3) for name, e, reach in results]
    forest = cumulative_forest("Any", steps, RATIO)
    assert page_defects(layout(forest, PRESETS[preset])) == []
