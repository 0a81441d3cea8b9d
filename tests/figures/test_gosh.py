"""The GOSH plot, read back from its file."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import (
    ACCENT,
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
    middle,
    said,
    x_of,
    y_of,
)
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.gosh import gosh
from trial_evidence.figures.house.theme import Words

RATIOS = np.array([0.8, 1.0, 1.3, 1.3, 1.3, 2.0])
I2 = np.array([10.0, 50.0, 30.0, 30.0, 30.0, 90.0])
SUBSETS = pd.DataFrame({"estimate": np.log(RATIOS), "i2": I2, "chosen": False})
WHOLE = (math.log(1.25), 40.0)


def plot(subsets=SUBSETS, axis=RATIO, **more):
    return chart(gosh, subsets, axis, **({"whole": WHOLE} | more))


def counted(drawing):
    """Tiles, and the bars above them, without the keys of the legend below."""
    foot = next(w for w in drawing.words if w.text == "1").y
    shapes = [s for s in drawing.shapes if s.fill in (PALE, LIGHT, ACCENT) and s.box[3] < foot]
    ceiling = y_of(drawing, ("0", "100"))(100)
    tiles = [s for s in shapes if s.box[1] >= ceiling - 0.1]
    return tiles, [s for s in shapes if s.box[1] < ceiling - 0.1]


def test_every_subset_is_in_the_tile_of_its_estimate_and_i2(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x = x_of(drawing, ("1", "2"), math.log)
    y = y_of(drawing, ("0", "100"))
    tiles, _ = counted(drawing)
    assert len(tiles) == 4
    for ratio, i2 in zip(RATIOS, I2, strict=True):
        # white seams of 0.06 mm lie between tiles
        assert any(
            s.box[0] - 0.3 <= x(ratio) <= s.box[2] + 0.3
            and s.box[1] - 0.3 <= y(i2) <= s.box[3] + 0.3
            for s in tiles
        )


def test_crowded_tiles_are_darker(tmp_path):
    drawing = drawn(plot(), tmp_path)
    tiles, _ = counted(drawing)
    # log(1 + 1) / log(1 + 3) is a half: the second of three shades; the largest count is three
    assert sorted(tile.fill for tile in tiles) == sorted([LIGHT] * 3 + [ACCENT])
    assert drawing.word("1 subset per tile")
    assert drawing.word("2–3 subsets per tile")


def test_the_bars_count_the_subsets(tmp_path):
    _, bars = counted(drawn(plot(), tmp_path))
    heights = sorted(bar.box[3] - bar.box[1] for bar in bars)
    assert [height / heights[-1] for height in heights] == pytest.approx([1 / 3] * 3 + [1], 1e-3)


def test_all_trials_together_are_marked(tmp_path):
    drawing = drawn(plot(), tmp_path)
    x = x_of(drawing, ("1", "2"), math.log)
    y = y_of(drawing, ("0", "100"))
    diamonds = [middle(s) for s in drawing.shapes
                if len(s.points) < 24 and (s.fill, s.stroke) == (PAPER, INK)]  # fmt: skip
    assert min(math.dist(place, (x(1.25), y(40))) for place in diamonds) < 0.1


def test_no_key_explains_a_mark_beyond_the_axis(tmp_path):
    assert "All trials" in said(drawn(plot(), tmp_path))
    assert "All trials" not in said(drawn(plot(whole=(math.log(50), 40.0)), tmp_path))


def test_subsets_with_and_without_a_trial_have_a_panel_each(tmp_path):
    chosen = SUBSETS.assign(chosen=[True, False, True, True, False, False])
    drawing = drawn(plot(chosen, chosen="Alpha"), tmp_path)
    inside = drawing.word("Subsets with Alpha (3)")
    outside = drawing.word("Subsets without Alpha (3)")
    assert inside.y == pytest.approx(outside.y)
    tiles, _ = counted(drawing)
    # two subsets of the first panel share a tile
    split = sorted(middle(tile)[0] < outside.x - 1 for tile in tiles)
    assert split == [False] * 3 + [True] * 2
    narrow = drawn(plot(chosen, chosen="Alpha", style=COLUMN), tmp_path)
    assert narrow.word("Subsets with Alpha (3)").y < narrow.word("Subsets without Alpha (3)").y


def test_bars_of_both_panels_have_one_scale(tmp_path):
    """Ten subsets without the trial must not look like as many as a hundred with it."""
    chosen = SUBSETS.assign(chosen=[False, False, True, True, True, False])
    _, bars = counted(drawn(plot(chosen, chosen="Alpha"), tmp_path))
    heights = sorted(bar.box[3] - bar.box[1] for bar in bars)
    assert [height / heights[-1] for height in heights] == pytest.approx([1 / 3] * 3 + [1], 1e-3)


@pytest.mark.parametrize("ratios", [(0.5, 0.6, 0.7, 0.9), (1.1, 1.3, 1.5, 2.2)])
def test_the_words_begin_at_no_effect_though_all_subsets_lie_on_one_side(tmp_path, ratios):
    subsets = pd.DataFrame({"estimate": np.log(ratios), "i2": 10.0, "chosen": [True, False] * 2})
    drawing = drawn(plot(subsets, chosen="Alpha", whole=None), tmp_path)
    nulls = sorted(word.x for word in drawing.words if word.text == "1")[:2]
    for arrow, side in (("←", -1), ("→", 1)):
        words = sorted((w for w in drawing.words if arrow in w.text), key=lambda w: w.x)
        assert len(words) == 2
        for null, word in zip(nulls, words, strict=True):
            near = word.box[2] if side < 0 else word.box[0]
            assert 0 < side * (near - null) < 6


@pytest.mark.parametrize(("preset", "count"), at_widths([0, 1, 57, 32_767]))
def test_any_number_of_subsets_makes_a_sound_figure(tmp_path, preset, count):
    chance = np.random.default_rng(count)
    subsets = pd.DataFrame(
        {
            "estimate": chance.normal(0.3, 0.1, count),
            "i2": np.clip(chance.normal(20, 25, count), 0, 100),
            "chosen": chance.random(count) < 0.5,
        }
    )
    drawn(plot(subsets, chosen="Alpha", style=PRESETS[preset]), tmp_path)
    assert (tmp_path / "one.svg").stat().st_size < 1e6


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    chosen = SUBSETS.assign(chosen=np.arange(6) < 2)
    words = Words(f"T {text}", (text,))
    assert drawn(plot(chosen, chosen=text, words=words), tmp_path)


@pytest.mark.parametrize("scale", ["log", "linear", "logit"])
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_single_subset_near_no_effect_has_an_axis_that_can_be_read(tmp_path, scale, preset):
    subset = pd.DataFrame([(-0.005859375, 0.0, False)], columns=["estimate", "i2", "chosen"])
    axis = replace(RATIO, scale=scale)
    assert drawn(plot(subset, axis, chosen="Alpha", style=PRESETS[preset]), tmp_path)


@DRAWN
@given(
    st.lists(
        st.tuples(st.floats(-6, 6) | st.just(math.nan), st.floats(0, 100), st.booleans()),
        min_size=1,
        max_size=30,
    ).filter(lambda subsets: any(math.isfinite(estimate) for estimate, _, _ in subsets)),
    st.sampled_from(["log", "linear", "logit"]),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_plot_leaves_its_page(tmp_path, subsets, scale, preset):
    frame = pd.DataFrame(subsets, columns=["estimate", "i2", "chosen"])
    axis = replace(RATIO, scale=scale)
    assert drawn(plot(frame, axis, chosen="Alpha", style=PRESETS[preset]), tmp_path)
