"""The specification curve, read back from its file."""

import math
from dataclasses import replace

import numpy as np
import pytest
from figures.chart_reading import (
    ACCENT,
    ANY_TEXT,
    INK,
    LIGHT,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    drawn,
    lines,
    middle,
    page_defects,
    y_of,
)
from figures.svg_reading import check_svg
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.page import save_page
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.specification import Factor, Specification, layout

PAGE = PRESETS["page"]
# not in order; the second and fourth intervals hold 1
RATIOS = np.array([(2.0, 1.5, 3.0), (1.1, 0.8, 1.6), (1.5, 1.2, 1.9), (0.9, 0.6, 1.3)])
ORDER = [3, 1, 2, 0]
FACTORS = (
    Factor("Estimator", ("one", "two"), np.array([0, 1, 0, 1])),
    Factor("Filter", ("strict", "loose", "none"), np.array([2, 2, 0, -1])),
)
PLOT = Specification(
    "A specification curve",
    *np.log(RATIOS).T,
    FACTORS,
    RATIO,
    leading=2,
    share="Half of all intervals exclude no effect.",
    description="A description",
)


def many(count):
    chance = np.random.default_rng(1)
    estimates = chance.normal(0.3, 0.1, count)
    reach = chance.uniform(0.1, 0.4, count)
    factors = tuple(
        Factor(f"Factor {n}", [f"choice {n}.{c}" for c in range(n + 2)],
               chance.integers(0, n + 2, count))
        for n in range(6)
    )  # fmt: skip
    return replace(
        PLOT,
        estimates=estimates,
        low=estimates - reach,
        high=estimates + reach,
        factors=factors,
        leading=count - 1 if count else None,
    )


def test_specifications_stand_in_order_with_their_intervals(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    y = y_of(drawing, ("1", "2"), math.log)
    intervals = sorted(
        (line for line in lines(drawing, ACCENT) + lines(drawing, LIGHT)
         if line.box[2] - line.box[0] < 0.01 and line.box[3] < drawing.word("Estimator").y),
        key=lambda line: line.box[0],
    )  # fmt: skip
    assert len(intervals) == 4
    for line, index in zip(intervals, ORDER, strict=True):
        _, low, high = RATIOS[index]
        assert (line.box[3], line.box[1]) == pytest.approx((y(low), y(high)), abs=0.02)
    # dark where no effect is excluded
    assert [line.stroke for line in intervals] == [LIGHT, LIGHT, ACCENT, ACCENT]


def test_estimates_are_marked(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    y = y_of(drawing, ("1", "2"), math.log)
    marked = sorted(middle(s) for s in drawing.shapes if len(s.points) >= 24 and s.fill == INK)
    heights = [y(RATIOS[index][0]) for index in ORDER]
    assert [place[1] for place in marked] == pytest.approx(heights, abs=0.02)


def columns(drawing):
    """Middle of each specification, by its place in the order."""
    marked = sorted(middle(s) for s in drawing.shapes if len(s.points) >= 24 and s.fill == INK)
    return [x for x, _ in marked]


def test_every_choice_has_a_mark_in_its_row_and_column(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    xs = columns(drawing)
    bars = [s for s in drawing.shapes if len(s.points) == 4 and s.fill == INK]
    expected = []
    for factor in FACTORS:
        for number, choice in enumerate(factor.choices):
            word = drawing.word(choice)
            y = word.y - 1409 / 2048 * word.size / 2
            for place, index in enumerate(ORDER):
                if factor.chosen[index] == number:
                    expected.append((xs[place], y))
    found = [middle(bar) for bar in bars]
    assert len(found) == len(expected) == 7
    for place in expected:
        assert min(math.dist(place, bar) for bar in found) < 0.05


def test_the_leading_specification_is_marked(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    y = y_of(drawing, ("1", "2"), math.log)
    diamonds = [s for s in drawing.shapes
                if len(s.points) == 4 and (s.fill, s.stroke) == (PAPER, INK)]  # fmt: skip
    place = min((middle(s) for s in diamonds), key=lambda place: place[1])
    assert place == pytest.approx((columns(drawing)[ORDER.index(2)], y(1.5)), abs=0.05)
    assert drawing.word("Leading specification: 1.50")


def test_the_median_is_said(tmp_path):
    # the geometric mean of 1.1 and 1.5 is 1.2845
    assert drawn(layout(PLOT, PAGE), tmp_path).word("Median: 1.28")


def test_specifications_without_a_result_are_counted(tmp_path):
    estimates = PLOT.estimates.copy()
    estimates[1] = math.nan
    drawing = drawn(layout(replace(PLOT, estimates=estimates), PAGE), tmp_path)
    assert drawing.word("Specifications without a result: 1.")
    assert len(columns(drawing)) == 3


def test_intervals_that_leave_the_panel_are_counted(tmp_path):
    high = PLOT.high.copy()
    high[0] = 5.0
    drawing = drawn(layout(replace(PLOT, high=high), PAGE), tmp_path)
    assert drawing.word("Intervals that run beyond the panel: 1.")
    assert "beyond" not in " ".join(text.text for text in layout(PLOT, PAGE).texts)


def test_a_mark_for_many_is_as_high_as_their_share(tmp_path):
    count = 4000
    # of the first half of the order everyone, of the second every fourth one
    ranks = np.arange(count)
    chosen = np.where((ranks < count // 2) | (ranks % 4 == 0), 0, 1)
    estimates = np.linspace(0.1, 0.6, count)
    plot = replace(
        PLOT,
        estimates=estimates,
        low=estimates - 0.1,
        high=estimates + 0.1,
        factors=(Factor("Estimator", ("one", "two"), chosen),),
        leading=None,
    )
    page = layout(plot, PAGE)
    first = next(shape for shape in page.polygons if shape.role == "choice")
    floor = max(y for _, y in first.points)
    xs = [x for x, _ in first.points]
    split = (min(xs) + max(xs)) / 2
    left = {round(floor - y, 3) for x, y in first.points if x < split - 1 and y < floor}
    # a bar stands for twelve or fewer neighbours, of whom a quarter is three
    right = {floor - y for x, y in first.points if split + 1 < x < max(xs) - 1 and y < floor}
    assert len(left) <= 1
    whole = max(floor - y for _, y in first.points)
    assert sum(right) / len(right) / whole == pytest.approx(0.25, abs=0.08)
    assert drawn(page, tmp_path)


def test_thousands_make_a_small_file(tmp_path):
    count = 11_000
    plot = many(count)
    # sorted by estimate, so that dark and light intervals come in runs, as they do in practice
    estimates = np.sort(plot.estimates)
    reach = 0.2 + 0.1 * np.random.default_rng(2).random(count)
    plot = replace(
        plot, estimates=estimates, low=estimates - reach, high=estimates + reach,
        factors=plot.factors[:3],
    )  # fmt: skip
    save_page(layout(plot, PAGE), tmp_path / "many", ("svg",))
    assert (tmp_path / "many.svg").stat().st_size < 1e6
    assert check_svg(tmp_path / "many.svg") == []


def test_thousands_of_intervals_are_areas_between_their_limits():
    count = 3000
    estimates = np.linspace(-0.2, 0.4, count)
    # limits a constant distance away: no effect is excluded where the estimate is beyond 0.1
    plot = replace(
        PLOT, estimates=estimates, low=estimates - 0.1, high=estimates + 0.1, factors=(),
        leading=None,
    )  # fmt: skip
    page = layout(plot, PAGE)
    areas = sorted(
        (shape for shape in page.bands if shape.role == "interval"),
        key=lambda shape: min(x for x, _ in shape.points),
    )
    # an area looks darker than lines with paper between them, so both are a step lighter
    pale = PAGE.accent_pale.lower()
    assert [area.fill.lower() for area in areas] == [LIGHT, pale, LIGHT]
    left, right = (f(x for area in areas for x, _ in area.points) for f in (min, max))
    # estimates cross -0.1 and 0.1 after a sixth and a half of the way from -0.2 to 0.4
    ends = [max(x for x, _ in area.points) for area in areas]
    assert ends == pytest.approx([left + (right - left) * f for f in (1 / 6, 1 / 2, 1)], abs=0.1)
    # each area is as high at its first specification as an interval is wide; the panel is straight
    for area in areas:
        start = min(x for x, _ in area.points)
        ys = [y for x, y in area.points if x == start]
        reach = max(ys) - min(ys)
        assert reach == pytest.approx(_per_unit(page) * 0.2, rel=0.01)


def _per_unit(page):
    """Millimetres of height a unit of the logarithm, from the labels of the axis."""
    at = {text.text: text.y for text in page.texts}
    return (at["1"] - at["1.5"]) / math.log(1.5)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [0, 1, 6, 60, 1500])
def test_any_number_makes_a_sound_figure(tmp_path, preset, count):
    assert drawn(layout(many(count), PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    factors = (*FACTORS, Factor(text, (text, "other"), np.array([0, 1, 1, 0])))
    plot = replace(PLOT, title=f"T {text}", factors=factors, share=text)
    assert drawn(layout(plot, PAGE), tmp_path)


def test_a_choice_too_long_for_its_column_stands_in_full_at_the_foot():
    name = "a choice of many words " * 6
    factors = (Factor("Estimator", (name, "other"), np.array([0, 1, 1, 0])),)
    page = layout(replace(PLOT, factors=factors), PRESETS["column"])
    foot = " ".join(text.text for text in page.texts if text.role == "footnote")
    assert f"In full: {name.strip()}." in foot


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-8, 8), st.floats(0, 3), st.floats(0, 1e3) | st.just(math.inf)),
        max_size=12,
    ),
    st.lists(ANY_TEXT, max_size=4),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_curve_leaves_its_page(results, names, scale, preset):
    estimates, below, above = np.array(results, dtype=float).reshape(-1, 3).T
    factor = Factor("Any", names, np.zeros(len(results), dtype=int))
    plot = replace(
        PLOT,
        estimates=estimates,
        low=estimates - below,
        high=estimates + above,
        factors=(factor,),
        leading=0,
        axis=replace(RATIO, scale=scale),
    )
    assert page_defects(layout(plot, PRESETS[preset])) == []
