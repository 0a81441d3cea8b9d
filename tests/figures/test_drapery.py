"""The drapery plot, read back from its file."""

import math
from dataclasses import replace
from statistics import NormalDist

import pytest
from figures.chart_reading import (
    ACCENT,
    ANY_TEXT,
    COLUMN,
    MUTED,
    RATIO,
    UGLY_TEXTS,
    drawn,
    lines,
    page_defects,
    x_of,
    y_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.drapery import Drapery, PCurve, layout

PAGE = PRESETS["page"]
NORMAL = NormalDist()


def curve(label: str, estimate: float, error: float) -> PCurve:
    steps = [n / 20 for n in range(-80, 81)]
    p_values = tuple(2 * NORMAL.cdf(-abs(z)) for z in steps)
    return PCurve(label, tuple(estimate + z * error for z in steps), p_values)


TRIALS = (curve("Alpha", 0.4, 0.2), curve("Beta", 0.1, 0.3), curve("Gamma", 0.7, 0.25))
PLOT = Drapery(
    "A drapery plot",
    TRIALS,
    curve("Pooled", 0.4, 0.1),
    curve("New trial", 0.4, 0.3),
    RATIO,
    description="A description",
)


def measures(drawing):
    return x_of(drawing, ("0.5", "2"), math.log), y_of(drawing, ("0", "0.8"))


def passes(pieces, place, within=0.05):
    """Whether a line runs through a place."""
    for (x1, y1), (x2, y2) in (piece.points for piece in pieces):
        length = math.dist((x1, y1), (x2, y2))
        along = ((place[0] - x1) * (x2 - x1) + (place[1] - y1) * (y2 - y1)) / (length or 1) ** 2
        share = min(max(along, 0.0), 1.0)
        if math.dist(place, (x1 + share * (x2 - x1), y1 + share * (y2 - y1))) < within:
            return True
    return False


@pytest.mark.parametrize(
    ("stroke", "estimate", "error"),
    [(ACCENT, 0.4, 0.1), (MUTED, 0.4, 0.2), (MUTED, 0.1, 0.3), (MUTED, 0.7, 0.25)],
)
def test_a_curve_gives_the_interval_of_each_level(tmp_path, stroke, estimate, error):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = measures(drawing)
    pieces = lines(drawing, stroke)
    # normal quantiles: 95%, 90% and 50% intervals
    for p, z in ((0.05, 1.959964), (0.1, 1.644854), (0.5, 0.674490), (1.0, 0.0)):
        for side in (-1, 1):
            # curves are given every twentieth standard error and are straight in between
            assert passes(pieces, (x(math.exp(estimate + side * z * error)), y(p)), 0.3)


def test_the_new_trial_is_dashed(tmp_path):
    without = drawn(layout(replace(PLOT, prediction=None), PAGE), tmp_path)
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    before = {shape.points for shape in lines(without, ACCENT)}
    inked = [s for s in lines(drawing, ACCENT) if s.points not in before]
    x, y = measures(drawing)
    left = [s for s in inked if s.box[2] < x(math.exp(0.35)) and s.box[3] < y(0.02)]
    length = sum(math.dist(*piece.points) for piece in left)
    # from p = 0.02 to 0.87 on one side; 1.6 mm of every 2.6 are inked
    whole = math.dist((x(math.exp(0.4 - 2.3263 * 0.3)), y(0.02)), (x(math.exp(0.35)), y(0.868)))
    assert 0.5 * whole < length < 0.75 * whole


def test_levels_are_marked_and_named(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = measures(drawing)
    for p, level in ((0.05, "95%"), (0.1, "90%"), (0.5, "50%")):
        assert passes(lines(drawing, MUTED), (x(0.6), y(p)))
        word = drawing.word(level)
        assert word.y == pytest.approx(y(p) + 1409 / 2048 * word.size / 2, abs=0.02)


def test_a_line_leads_from_each_name_to_its_peak(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x, y = measures(drawing)
    upright = [s for s in lines(drawing, MUTED) if s.box[2] - s.box[0] < 0.01]
    for name, estimate in (("Alpha", 0.4), ("Beta", 0.1), ("Gamma", 0.7)):
        word = drawing.word(name)
        (line,) = [s for s in upright if abs(s.box[0] - x(math.exp(estimate))) < 0.05]
        assert line.box[3] == pytest.approx(y(1.0), abs=0.02)
        gap = line.box[0] - word.box[2] if estimate < 0.4 else word.box[0] - line.box[0]
        assert 0 < gap < 3
        assert word.box[1] - 1 < line.box[1] < word.y


def test_levels_too_close_to_print_are_not_printed(tmp_path):
    plot = replace(PLOT, levels=(0.05, 0.06, 0.5))
    words = [word.text for word in drawn(layout(plot, PAGE), tmp_path).words]
    assert "95%" in words
    assert "94%" not in words


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [0, 1, 2, 13, 40])
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    trials = tuple(curve(f"Trial {n}", n % 7 / 6, 0.1 + n % 4 / 8) for n in range(count))
    assert drawn(layout(replace(PLOT, trials=trials), PRESETS[preset]), tmp_path)


def test_names_without_a_place_are_at_the_foot():
    trials = tuple(curve(f"Trial {n}", n % 7 / 6, 0.1) for n in range(40))
    page = layout(replace(PLOT, trials=trials), COLUMN)
    named = " ".join(text.text for text in page.texts if text.role in ("label", "footnote"))
    assert all(trial.label in named for trial in trials)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    trials = (*TRIALS, replace(TRIALS[0], label=text))
    pooled = replace(PLOT.pooled, label=text)
    plot = replace(PLOT, title=f"T {text}", trials=trials, pooled=pooled)
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.builds(curve, ANY_TEXT, st.floats(-6, 6), st.floats(0.01, 5)), max_size=12),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(trials, scale, preset):
    plot = replace(PLOT, trials=trials, axis=replace(RATIO, scale=scale))
    assert page_defects(layout(plot, PRESETS[preset])) == []
