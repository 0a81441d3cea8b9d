"""The drapery plot, read back from its file."""

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
    MUTED,
    RATIO,
    UGLY_TEXTS,
    at_widths,
    chart,
    drawn,
    lines,
    said,
    x_of,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.drapery import drapery
from trial_evidence.figures.house.theme import Words

NORMAL = NormalDist()


def curve(label: str, estimate: float, error: float, kind: str = "trial") -> pd.DataFrame:
    steps = np.arange(-80, 81) / 20
    p_values = [2 * NORMAL.cdf(-abs(z)) for z in steps]
    effects = estimate + steps * error
    return pd.DataFrame({"kind": kind, "curve": label, "effect": effects, "p_value": p_values})


TRIALS = [curve("Alpha", 0.4, 0.2), curve("Beta", 0.1, 0.3), curve("Gamma", 0.7, 0.25)]
POOLED = curve("Pooled", 0.4, 0.1, "pooled")
NEW = curve("New trial", 0.4, 0.3, "prediction")


def plot(trials=TRIALS, others=(POOLED, NEW), axis=RATIO, **more):
    return chart(drapery, pd.concat([*trials, *others]), axis, **more)


def measures(drawing):
    return x_of(drawing, ("0.5", "2"), math.log), y_of(drawing, ("0", "0.8"))


def passes(pieces, place, within=0.05):
    """Whether a line runs through a point."""
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
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    pieces = lines(drawing, stroke)
    # normal quantiles: 95%, 90% and 50% intervals
    for p, z in ((0.05, 1.959964), (0.1, 1.644854), (0.5, 0.674490), (1.0, 0.0)):
        for side in (-1, 1):
            # curves are given every twentieth standard error and are straight in between
            assert passes(pieces, (x(math.exp(estimate + side * z * error)), y(p)), 0.3)


def test_the_new_trial_is_dashed(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    dashed = [s for s in lines(drawing, ACCENT) if s.dashed]
    assert passes(dashed, (x(math.exp(0.4 + 0.674490 * 0.3)), y(0.5)), 0.3)
    assert not passes(dashed, (x(math.exp(0.4 + 0.674490 * 0.1)), y(0.5)), 0.3)
    without = drawn(plot(others=(POOLED,)), tmp_path)
    assert not [s for s in lines(without, ACCENT) if s.dashed]
    assert "New trial" not in said(without)


def test_levels_are_marked_and_named(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    for p, level in ((0.05, "95%"), (0.1, "90%"), (0.5, "50%")):
        assert passes(lines(drawing, MUTED), (x(0.6), y(p)), 0.1)
        word = drawing.word(level)
        assert word.y == pytest.approx(y(p) + 1409 / 2048 * word.size / 2, abs=0.1)


def test_no_effect_is_marked_over_the_whole_height(tmp_path):
    """Otherwise nobody sees at which level an interval begins to include it."""
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    upright = [piece.points for piece in drawing.shapes if len(piece.points) == 2]
    assert any(
        one[0] == pytest.approx(x(1.0), abs=0.05) and other[0] == pytest.approx(x(1.0), abs=0.05)
        and sorted((one[1], other[1])) == pytest.approx([y(1.0), y(0.0)], abs=0.3)
        for one, other in upright
    )  # fmt: skip


def test_a_line_leads_from_each_name_to_its_peak(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x, y = measures(drawing)
    upright = [s for s in lines(drawing, MUTED) if s.box[2] - s.box[0] < 0.01]
    for name, estimate in (("Alpha", 0.4), ("Beta", 0.1), ("Gamma", 0.7)):
        word = drawing.word(name)
        (line,) = [s for s in upright if abs(s.box[0] - x(math.exp(estimate))) < 0.1]
        assert line.box[3] == pytest.approx(y(1.0), abs=0.1)
        gap = line.box[0] - word.box[2] if estimate < 0.4 else word.box[0] - line.box[0]
        assert 0 < gap < 3
        assert word.box[1] - 1 < line.box[1] < word.y


def test_levels_too_close_to_print_are_not_printed(tmp_path):
    words = [word.text for word in drawn(plot(levels=(0.05, 0.06, 0.5)), tmp_path).words]
    assert "95%" in words
    assert "94%" not in words


@pytest.mark.parametrize(("preset", "count"), at_widths([0, 1, 2, 13, 40]))
def test_any_number_of_trials_makes_a_sound_figure(tmp_path, preset, count):
    trials = [curve(f"Trial {n}", n % 7 / 6, 0.1 + n % 4 / 8) for n in range(count)]
    assert drawn(plot(trials, style=PRESETS[preset]), tmp_path)


def test_names_without_a_place_are_at_the_foot(tmp_path):
    trials = [curve(f"Trial {n}", n % 7 / 6, 0.1) for n in range(40)]
    drawing = drawn(plot(trials, style=COLUMN), tmp_path)
    assert all(f"Trial {n}" in said(drawing) for n in range(40))


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    trials = [*TRIALS, curve(text, 0.5, 0.2)]
    pooled = POOLED.assign(curve=text)
    assert drawn(plot(trials, (pooled, NEW), words=Words(f"T {text}")), tmp_path)


@DRAWN
@given(
    st.lists(st.builds(curve, CHART_TEXT, st.floats(-6, 6), st.floats(0.01, 5)), max_size=12),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(tmp_path, trials, scale, preset):
    axis = replace(RATIO, scale=scale)
    assert drawn(plot(trials, axis=axis, style=PRESETS[preset]), tmp_path)
