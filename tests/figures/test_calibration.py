"""The calibration figure, read back from its file."""

import math
from itertools import product

import pandas as pd
import pytest
from figures.chart_reading import CHART_TEXT, UGLY_TEXTS, at_widths, chart, drawn, middle
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.calibration import calibration
from trial_evidence.figures.house.theme import Words

TRIALS = (2, 3, 6)
TAUS = (0.0, 0.2)
# by number of trials and tau
COVERAGE = (0.95, 0.70, 0.95, 0.80, 0.94, 0.88)


def values(numbers=COVERAGE, method="Wald"):
    rows = [(method, *at, value) for at, value in zip(product(TRIALS, TAUS), numbers, strict=True)]
    return pd.DataFrame(rows, columns=["method", "trials", "tau", "value"])


def several(count):
    return pd.concat(values([c - n / 40 for c in COVERAGE], f"Kind {n}") for n in range(count))


def coverage(table, **more):
    return chart(calibration, table, 0.95, "", percent=True, **more)


def places(drawing, fill, stroke):
    """Centres of the marks of a line, from left to right, without the one in the legend."""
    foot = drawing.word("Trials").y
    found = [s for s in drawing.shapes if (s.fill, s.stroke) == (fill, stroke)]
    return sorted(middle(s) for s in found if len(s.points) > 2 and s.box[3] < foot)


def percent_scale(drawing):
    """Map a percentage to y, from the ticks next to two labels."""
    labels = [w for w in drawing.words if w.text.endswith("%")]
    ends = (labels[0], labels[-1])
    ticks = [s.points[0][1] for s in drawing.shapes
             if len(s.points) == 2 and 0 <= s.box[0] - ends[0].box[2] < 6
             and s.box[2] - s.box[0] < 6]  # fmt: skip
    low, high = (min(ticks, key=lambda y: abs(y - w.y + w.size / 3)) for w in ends)
    first, last = (float(w.text.removesuffix("%")) for w in ends)
    return lambda value: low + (value - first) / (last - first) * (high - low)


def test_each_value_stands_over_its_number_of_trials(tmp_path):
    drawing = drawn(coverage(values()), tmp_path)
    across = [next(w.x for w in drawing.words if w.text == str(k)) for k in TRIALS]
    y = percent_scale(drawing)
    for tau, (fill, stroke) in enumerate([("#ffffff", "#8db3dc"), ("#8db3dc", "#8db3dc")]):
        found = places(drawing, fill, stroke)
        expected = [(x, y(100 * c)) for x, c in zip(across, COVERAGE[tau::2], strict=True)]
        for place, at in zip(found, expected, strict=True):
            assert place == pytest.approx(at, abs=0.05)


@pytest.mark.parametrize("numbers", [COVERAGE, (0.999, 0.998, 0.999, 0.997, 0.998, 0.996)])
def test_the_target_is_a_dashed_line_though_all_values_are_above_it(tmp_path, numbers):
    drawing = drawn(coverage(values(numbers)), tmp_path)
    (target,) = (s for s in drawing.shapes if s.stroke == "#666666" and s.dashed)
    y = percent_scale(drawing)(95)
    assert (target.box[1], target.box[3]) == pytest.approx((y, y), abs=0.05)


def test_panels_share_their_axis(tmp_path):
    drawing = drawn(coverage(several(3)), tmp_path)
    # labelled only once, left of the first panel: 95% is at the same height in every panel
    targets = [s for s in drawing.shapes if s.stroke == "#666666" and s.dashed]
    assert len(targets) == 3
    assert len({round(s.box[1], 2) for s in targets}) == 1
    assert sum(w.text == "100%" for w in drawing.words) == 1


def test_panels_stand_in_the_order_of_the_table(tmp_path):
    table = pd.concat([values(method="Wald"), values(method="Bayesian")])
    drawing = drawn(coverage(table), tmp_path)
    assert drawing.word("Wald").x < drawing.word("Bayesian").x


def test_unknown_values_are_left_out(tmp_path):
    holes = (*COVERAGE[:2], math.nan, *COVERAGE[3:])
    drawing = drawn(coverage(values(holes)), tmp_path)
    assert len(places(drawing, "#ffffff", "#8db3dc")) == 2


def test_a_number_of_trials_without_values_keeps_its_place(tmp_path):
    drawing = drawn(coverage(values((math.nan, math.nan, *COVERAGE[2:]))), tmp_path)
    assert {"2", "3", "6"} <= {w.text for w in drawing.words}


def test_too_many_lines_are_refused():
    table = pd.DataFrame({"method": "Wald", "trials": 2, "tau": range(7), "value": 0.5})
    with pytest.raises(ValueError, match="7 values of tau; 6 can be distinguished"):
        calibration(table, 0.95, "", Words(), PRESETS["page"])


@pytest.mark.parametrize(("preset", "count"), at_widths([1, 5, 8]))
def test_any_number_of_panels_makes_a_sound_figure(tmp_path, preset, count):
    assert drawn(coverage(several(count), style=PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    table = pd.concat([values(method=text), values()])
    words = Words(f"T {text}", footnotes=(text,))
    assert drawn(chart(calibration, table, 0.95, text, words=words), tmp_path)


def test_two_methods_that_print_alike_keep_a_panel_each(tmp_path):
    table = pd.concat([values(method="Wald"), values(method="Wald ")])
    drawing = drawn(coverage(table), tmp_path)
    assert [word.text for word in drawing.words].count("Wald") == 2


@settings(max_examples=12)
@given(
    st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6),
    st.lists(CHART_TEXT, min_size=1, max_size=4, unique=True),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_figure_leaves_its_page(tmp_path_factory, numbers, names, preset):
    table = pd.concat(values(numbers, name) for name in names)
    drawn(chart(calibration, table, 0.0, "", style=PRESETS[preset]), tmp_path_factory.mktemp("any"))
