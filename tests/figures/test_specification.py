"""The specification curve, read back from its file."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import (
    ACCENT,
    CHART_TEXT,
    COLUMN,
    DRAWN,
    INK,
    LIGHT,
    PALE,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    at_widths,
    chart,
    drawn,
    lines,
    middle,
    said,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.specification import specification
from trial_evidence.figures.house.theme import Words

# not in order; the second and fourth intervals include 1
RATIOS = np.array([(2.0, 1.5, 3.0), (1.1, 0.8, 1.6), (1.5, 1.2, 1.9), (0.9, 0.6, 1.3)])
ORDER = [3, 1, 2, 0]
FACTORS = {
    "Estimator": (("one", "two"), [0, 1, 0, 1]),
    "Filter": (("strict", "loose", "none"), [2, 2, 0, -1]),
}


def results(estimates, low, high, leading=None):
    frame = pd.DataFrame({"estimate": estimates, "low": low, "high": high})
    return frame.assign(leading=frame.index == leading)


def table(factors):
    return pd.DataFrame(
        {
            factor: pd.Categorical.from_codes(np.asarray(chosen, dtype=int), list(choices))
            for factor, (choices, chosen) in factors.items()
        }
    )


FOUND = results(*np.log(RATIOS).T, leading=2)


def plot(found=FOUND, factors=FACTORS, axis=RATIO, **more):
    choices = table(factors) if factors else pd.DataFrame(index=found.index)
    return chart(specification, found, choices, axis, **more)


def many(count):
    chance = np.random.default_rng(1)
    estimates = chance.normal(0.3, 0.1, count)
    reach = chance.uniform(0.1, 0.4, count)
    factors = {
        f"Factor {n}": (
            [f"choice {n}.{c}" for c in range(n + 2)], chance.integers(0, n + 2, count),
        )
        for n in range(6)
    }  # fmt: skip
    return results(estimates, estimates - reach, estimates + reach, count - 1), factors


def test_specifications_stand_in_order_with_their_intervals(tmp_path):
    drawing = drawn(plot(), tmp_path)
    y = y_of(drawing, ("1", "2"), math.log)
    intervals = sorted(
        (line for line in lines(drawing, ACCENT) + lines(drawing, LIGHT)
         if line.box[2] - line.box[0] < 0.01 and line.box[3] < drawing.word("Estimator").y),
        key=lambda line: line.box[0],
    )  # fmt: skip
    assert len(intervals) == 4
    for line, index in zip(intervals, ORDER, strict=True):
        _, low, high = RATIOS[index]
        assert (line.box[3], line.box[1]) == pytest.approx((y(low), y(high)), abs=0.1)
    # dark if no effect is excluded
    assert [line.stroke for line in intervals] == [LIGHT, LIGHT, ACCENT, ACCENT]


def test_estimates_are_marked(tmp_path):
    drawing = drawn(plot(), tmp_path)
    y = y_of(drawing, ("1", "2"), math.log)
    marked = sorted(middle(s) for s in drawing.shapes if len(s.points) >= 24 and s.fill == INK)
    heights = [y(RATIOS[index][0]) for index in ORDER]
    assert [place[1] for place in marked] == pytest.approx(heights, abs=0.1)


def columns(drawing):
    """Centre of each specification, by its position in the order."""
    marked = sorted(middle(s) for s in drawing.shapes if len(s.points) >= 24 and s.fill == INK)
    return [x for x, _ in marked]


def test_every_choice_has_a_mark_in_its_row_and_column(tmp_path):
    drawing = drawn(plot(), tmp_path)
    xs = columns(drawing)
    bars = [s for s in drawing.shapes if 2 < len(s.points) < 10 and s.fill == INK]
    expected = []
    for choices, chosen in FACTORS.values():
        for number, choice in enumerate(choices):
            word = drawing.word(choice)
            y = word.y - 1409 / 2048 * word.size / 2
            for place, index in enumerate(ORDER):
                if chosen[index] == number:
                    expected.append((xs[place], y))
    found = [middle(bar) for bar in bars]
    assert len(found) == len(expected) == 7
    for place in expected:
        assert min(math.dist(place, bar) for bar in found) < 0.2


def test_the_leading_specification_is_marked(tmp_path):
    drawing = drawn(plot(), tmp_path)
    y = y_of(drawing, ("1", "2"), math.log)
    diamonds = [s for s in drawing.shapes
                if len(s.points) < 10 and (s.fill, s.stroke) == (PAPER, INK)]  # fmt: skip
    place = min((middle(s) for s in diamonds), key=lambda place: place[1])
    assert place == pytest.approx((columns(drawing)[ORDER.index(2)], y(1.5)), abs=0.15)
    assert drawing.word("Leading specification: 1.50")


def test_the_median_is_said(tmp_path):
    # the geometric mean of 1.1 and 1.5 is 1.2845
    assert drawn(plot(), tmp_path).word("Median: 1.28")


def test_specifications_without_a_result_are_counted(tmp_path):
    found = FOUND.assign(estimate=FOUND["estimate"].where(FOUND.index != 1))
    drawing = drawn(plot(found), tmp_path)
    assert drawing.word("Specifications without a result: 1.")
    assert len(columns(drawing)) == 3


def test_intervals_that_leave_the_panel_are_counted(tmp_path):
    found = FOUND.assign(high=FOUND["high"].where(FOUND.index != 0, 5.0))
    assert drawn(plot(found), tmp_path).word("Intervals that run beyond the panel: 1.")
    assert "beyond" not in said(drawn(plot(), tmp_path))


def test_a_mark_for_many_is_as_high_as_their_share(tmp_path):
    count = 4000
    # everyone in the first half of the order, every fourth one in the second
    ranks = np.arange(count)
    chosen = np.where((ranks < count // 2) | (ranks % 4 == 0), 0, 1)
    estimates = np.linspace(0.1, 0.6, count)
    found = results(estimates, estimates - 0.1, estimates + 0.1)
    drawing = drawn(plot(found, {"Estimator": (("one", "two"), chosen)}), tmp_path)
    marks = [s for s in drawing.shapes if s.fill == INK and len(s.points) > 4]
    first = min(marks, key=lambda shape: shape.box[1])
    left, top, right, floor = first.box
    split = (left + right) / 2
    heights = {x: floor - y for x, y in first.points if y < floor - 0.001}
    # a bar represents at most twelve neighbours; in the second half a quarter made the choice
    assert max(heights.values()) == pytest.approx(floor - top)
    assert all(h == pytest.approx(floor - top) for x, h in heights.items() if x < split - 3)
    quarter = [h for x, h in heights.items() if split + 3 < x < right - 3]
    assert sum(quarter) / len(quarter) / (floor - top) == pytest.approx(0.25, abs=0.08)


def test_thousands_make_a_small_file(tmp_path):
    count = 11_000
    found, factors = many(count)
    # sorted by estimate, so that dark and light intervals come in runs, as they do in practice
    estimates = np.sort(found["estimate"])
    reach = 0.2 + 0.1 * np.random.default_rng(2).random(count)
    found = results(estimates, estimates - reach, estimates + reach, count - 1)
    few = dict(list(factors.items())[:3])
    assert drawn(plot(found, few), tmp_path)
    assert (tmp_path / "one.svg").stat().st_size < 1e6


def test_thousands_of_intervals_are_areas_between_their_limits(tmp_path):
    count = 3000
    estimates = np.linspace(-0.2, 0.4, count)
    # limits at a constant distance: no effect is excluded if the estimate is beyond 0.1
    drawing = drawn(plot(results(estimates, estimates - 0.1, estimates + 0.1), {}), tmp_path)
    areas = sorted(
        (s for s in drawing.shapes if s.fill in (LIGHT, PALE) and len(s.points) > 5),
        key=lambda shape: shape.box[0],
    )
    # an area looks darker than lines with white between them, so both are one step lighter
    assert [shape.fill for shape in areas] == [LIGHT, PALE, LIGHT]
    left, right = areas[0].box[0], areas[-1].box[2]
    # estimates cross -0.1 and 0.1 a sixth and a half of the way from -0.2 to 0.4
    ends = [shape.box[2] for shape in areas]
    assert ends == pytest.approx([left + (right - left) * f for f in (1 / 6, 1 / 2, 1)], abs=0.3)
    # the height of each area at its first specification equals the width of an interval
    y = y_of(drawing, ("1", "1.5"), math.log)
    unit = (y(1) - y(1.5)) / math.log(1.5)
    for shape in areas:
        ys = [y for x, y in shape.points if x < shape.box[0] + 0.01]
        assert max(ys) - min(ys) == pytest.approx(0.2 * unit, rel=0.01)


@pytest.mark.parametrize(("preset", "count"), at_widths([0, 1, 6, 60, 1500]))
def test_any_number_makes_a_sound_figure(tmp_path, preset, count):
    found, factors = many(count)
    assert drawn(plot(found, factors, style=PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    factors = {**FACTORS, text: ((text, "other"), [0, 1, 1, 0])}
    assert drawn(plot(factors=factors, words=Words(f"T {text}", (text,))), tmp_path)


def test_a_choice_too_long_for_its_column_stands_in_full_at_the_foot(tmp_path):
    name = "a choice of many words " * 6
    factors = {"Estimator": ((name, "other"), [0, 1, 1, 0])}
    drawing = drawn(plot(factors=factors, style=COLUMN), tmp_path)
    assert f"In full: {name.strip()}." in said(drawing)


@DRAWN
@given(
    st.lists(
        st.tuples(st.floats(-8, 8), st.floats(0, 3), st.floats(0, 1e3) | st.just(math.inf)),
        max_size=12,
    ),
    st.lists(CHART_TEXT, min_size=1, max_size=4, unique=True),
    st.sampled_from(["log", "linear"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_curve_leaves_its_page(tmp_path, found, names, scale, preset):
    estimates, below, above = np.array(found, dtype=float).reshape(-1, 3).T
    factors = {"Any": (names, np.zeros(len(found), dtype=int))}
    shown = results(estimates, estimates - below, estimates + above, 0)
    axis = replace(RATIO, scale=scale)
    assert drawn(plot(shown, factors, axis, style=PRESETS[preset]), tmp_path)
