"""The GOSH plot, read back from its file."""

import math
from dataclasses import replace

import numpy as np
import pytest
from figures.chart_reading import (
    ACCENT,
    COLUMN,
    INK,
    LIGHT,
    PALE,
    PAPER,
    RATIO,
    UGLY_TEXTS,
    drawn,
    middle,
    page_defects,
    x_of,
    y_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.gosh import Gosh, layout

PAGE = PRESETS["page"]
RATIOS = np.array([0.8, 1.0, 1.3, 1.3, 1.3, 2.0])
I2 = np.array([10.0, 50.0, 30.0, 30.0, 30.0, 90.0])
PLOT = Gosh(
    "All subsets", np.log(RATIOS), I2, RATIO, whole=(math.log(1.25), 40.0), description="In words"
)


def tiles(page):
    return [shape for shape in page.bands if shape.role == "tile"]


def test_every_subset_is_in_the_tile_of_its_estimate_and_i2(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x = x_of(drawing, ("1", "2"), math.log)
    y = y_of(drawing, ("0", "100"))
    found = [s for s in drawing.shapes if s.stroke == "none" and s.fill in (PALE, LIGHT, ACCENT)
             and y(100) <= s.box[1] and s.box[3] <= y(0)]  # fmt: skip
    assert len(found) == 4
    for ratio, i2 in zip(RATIOS, I2, strict=True):
        # white seams of 0.06 mm lie between tiles
        assert any(
            s.box[0] - 0.2 <= x(ratio) <= s.box[2] + 0.2
            and s.box[1] - 0.2 <= y(i2) <= s.box[3] + 0.2
            for s in found
        )


def test_crowded_tiles_are_darker(tmp_path):
    page = layout(PLOT, PAGE)
    assert sorted(tile.fill for tile in tiles(page)) == sorted(
        # log(1 + 1) / log(1 + 3) is a half: the second of three shades; three subsets are the most
        [PAGE.accent_light] * 3 + [PAGE.accent]
    )
    words = [word.text for word in drawn(page, tmp_path).words]
    assert "1 subset a tile" in words
    assert "2–3 subsets a tile" in words


def test_the_histogram_counts_the_subsets():
    bars = [shape for shape in layout(PLOT, PAGE).bands if shape.role == "bar"]
    heights = sorted(max(y for _, y in bar.points) - min(y for _, y in bar.points) for bar in bars)
    assert [height / heights[-1] for height in heights] == pytest.approx([1 / 3] * 3 + [1])


def test_all_trials_together_are_marked(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    x = x_of(drawing, ("1", "2"), math.log)
    y = y_of(drawing, ("0", "100"))
    diamonds = [middle(s) for s in drawing.shapes
                if len(s.points) == 4 and (s.fill, s.stroke) == (PAPER, INK)]  # fmt: skip
    assert min(math.dist(place, (x(1.25), y(40))) for place in diamonds) < 0.03


def test_subsets_with_and_without_a_trial_have_a_panel_each(tmp_path):
    chosen = np.array([True, False, True, True, False, False])
    plot = replace(PLOT, chosen=chosen, chosen_label="Alpha")
    drawing = drawn(layout(plot, PAGE), tmp_path)
    inside, outside = (
        drawing.word("Subsets with Alpha (3)"),
        drawing.word("Subsets without Alpha (3)"),
    )
    assert inside.y == outside.y
    split = outside.x - 1
    middles = [(sum(x for x, _ in t.points) / 4) * 72 / 25.4 for t in tiles(layout(plot, PAGE))]
    # two subsets of the first panel share a tile
    assert sorted(x < split for x in middles) == [False] * 3 + [True] * 2
    narrow = drawn(layout(plot, COLUMN), tmp_path)
    assert narrow.word("Subsets with Alpha (3)").y < narrow.word("Subsets without Alpha (3)").y


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [0, 1, 57, 32_767])
def test_any_number_of_subsets_makes_a_sound_figure(tmp_path, preset, count):
    chance = np.random.default_rng(count)
    plot = replace(
        PLOT,
        estimates=chance.normal(0.3, 0.1, count),
        i2=np.clip(chance.normal(20, 25, count), 0, 100),
        chosen=chance.random(count) < 0.5,
        chosen_label="Alpha",
    )
    drawn(layout(plot, PRESETS[preset]), tmp_path)
    assert (tmp_path / "one.svg").stat().st_size < 1e6


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    chosen = np.arange(6) < 2
    plot = replace(PLOT, title=f"T {text}", chosen=chosen, chosen_label=text, notes=(text,))
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(-6, 6) | st.just(math.nan), st.floats(0, 100), st.booleans()),
        max_size=30,
    ),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(subsets, scale, preset):
    plot = replace(
        PLOT,
        estimates=np.array([s[0] for s in subsets], dtype=float),
        i2=np.array([s[1] for s in subsets], dtype=float),
        chosen=np.array([s[2] for s in subsets], dtype=bool),
        axis=replace(RATIO, scale=scale),
    )
    assert page_defects(layout(plot, PRESETS[preset])) == []
