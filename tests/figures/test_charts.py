"""What all charts have in common: layers can be added, and the same chart has the same bytes."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import plotnine as p9
import pytest
from figures.chart_reading import RATIO, TITLED, chart, drawn, said
from figures.svg_reading import check_svg, read_svg
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.page import Pointed, save_page
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.baujat import baujat
from trial_evidence.figures.house.labels import favours, geom_names, vertical_label
from trial_evidence.figures.house.legends import legend
from trial_evidence.figures.house.marks import disc, geom_disc
from trial_evidence.figures.house.publish import Chart, save
from trial_evidence.figures.house.scales import (
    Span,
    between,
    covering,
    fitting,
    from_zero,
    natural,
    scale,
)
from trial_evidence.figures.house.theme import Words, house

DOCS = Path(__file__).parents[2] / "docs" / "figures.md"
PAGE = PRESETS["page"]
TRIALS = pd.DataFrame(
    {"trial": ["Alpha", "Beta"], "contribution": [1.0, 2.0], "influence": [0.2, 0.1]}
)


def test_the_example_of_the_manual_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(DOCS), "exec"), {})
    for kind in ("svg", "pdf", "png"):
        assert (tmp_path / f"effect-by-year.{kind}").stat().st_size > 1000
    assert check_svg(tmp_path / "effect-by-year.svg") == []
    drawing = read_svg(tmp_path / "effect-by-year.svg")
    assert drawing.title == "Effect by year"
    assert drawing.description.startswith("Effects of three trials")
    # 85 mm
    assert drawing.width == pytest.approx(85 * 72 / 25.4)
    # the layer added by the example is present
    assert any(shape.dashed and shape.stroke == PAGE.accent.lower() for shape in drawing.shapes)


def test_a_chart_has_the_same_bytes_twice(tmp_path):
    made = chart(baujat, TRIALS, x_label="Across", y_label="Up")
    for name in ("one", "two"):
        save_page(made, tmp_path / name, ("svg", "pdf", "png"))
    for kind in ("svg", "pdf", "png"):
        one, two = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("one", "two"))
        assert one == two


def test_a_chart_can_have_the_height_of_a_screen(tmp_path):
    made = chart(baujat, TRIALS, x_label="Across", y_label="Up")
    drawing = drawn(made.fitted(100.0), tmp_path)
    assert drawing.height == pytest.approx(100 * 72 / 25.4)


def test_a_style_without_small_print_leaves_it_out(tmp_path):
    words = Words("A title", ("A note.",), ("Small print.",))
    loud = chart(baujat, TRIALS, x_label="X", y_label="Y", words=words)
    quiet = replace(PAGE, small_print=False)
    assert "A note.  Small print." in said(drawn(loud, tmp_path))
    still = chart(baujat, TRIALS, x_label="X", y_label="Y", words=words, style=quiet)
    assert "note" not in said(drawn(still, tmp_path))


def test_a_raised_point_stands_in_every_number_of_a_chart(tmp_path):
    """Ticks and estimates with different decimal marks look like different kinds of number."""
    trials = TRIALS.assign(contribution=[0.1, 0.4])
    words = Words("A title", ("τ² = 0.03.",))
    made = chart(baujat, trials, x_label="Across", y_label="Up", words=words)
    numbers = [w.text for w in drawn(Pointed(made, "·"), tmp_path).words if w.text[-1].isdigit()]
    assert {"0·1", "0·4", "0·05", "0·2"} <= set(numbers)
    assert "τ² = 0·03." in said(drawn(Pointed(made, "·"), tmp_path))
    assert not [text for text in numbers if "." in text]


def crowd(names, style=PAGE, apart=0.0):
    """Names at one point, or on a line."""
    places = [0.4 + apart * at for at in range(len(names))]
    frame = pd.DataFrame({"name": names, "x": places, "y": 0.5})
    span = between(0.0, 1.0)(5)
    return (
        p9.ggplot(frame, p9.aes("x", "y"))
        + house(style, TITLED, 50.0)
        + geom_disc(**disc(2.0, style.ink, style.paper, style))
        + geom_names(p9.aes(label="name"), style=style)
        + [scale("x", span), scale("y", span)]
    )


def test_a_crowded_name_moves_away_and_has_a_line_to_its_mark(tmp_path):
    names = [f"Trial {n}" for n in range(9)]
    drawing = drawn(Chart(lambda style: crowd(names, apart=0.02), "T", "D", PAGE), tmp_path)
    assert all(drawing.word(name) for name in names)
    assert [s for s in drawing.shapes if len(s.points) == 2 and s.stroke == PAGE.muted]


def test_a_name_without_a_place_is_told_at_the_foot(tmp_path):
    names = [f"Trial {n}" for n in range(80)]
    column = PRESETS["column"]
    drawing = drawn(Chart(lambda style: crowd(names, column), "T", "D", column), tmp_path)
    assert "Not labelled for lack of space: " in said(drawing)
    assert all(name in said(drawing) for name in names)


def test_a_plot_is_not_drawn_over_what_was_drawn_before(tmp_path):
    column = PRESETS["column"]
    plot = crowd([f"Trial {n}" for n in range(80)], column)
    for name in ("one", "two"):
        save(plot, tmp_path / name, column, "In words", ("svg",))
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    texts = [word.text for word in read_svg(tmp_path / "one.svg").words]
    # both axes have the same numbers
    assert {texts.count(text) for text in texts} == {1, 2}
    assert not any(text.startswith("Trial") and texts.count(text) > 1 for text in texts)
    foot = said(read_svg(tmp_path / "one.svg")).partition("Not labelled for lack of space: ")[2]
    # no name is both in the panel and among those left out
    assert not {text for text in texts if re.fullmatch(r"Trial \d+", text)} & set(
        re.findall(r"Trial \d+", foot)
    )


def test_legends_share_a_row_where_they_fit(tmp_path):
    looks = {"color": ["#000000"], "shape": ["o"], "fill": ["#000000"]}
    keys = [
        legend([name], PAGE, **{aesthetic: looks[aesthetic]})
        for name, aesthetic in zip(("gate", "Fence", "x" * 95), looks, strict=True)
    ]
    frame = pd.DataFrame({"x": [0.2], "y": [0.2]})
    plot = p9.ggplot(frame, p9.aes("x", "y")) + house(PAGE, TITLED, 40.0, keys)
    for key, aesthetic in zip(keys, looks, strict=True):
        plot += p9.geom_point(p9.aes(**{aesthetic: [key.keys[0]]}))
    drawing = drawn(Chart(lambda style: plot, "T", "D", PAGE), tmp_path)
    one, two, three = (drawing.word(key.keys[0]) for key in keys)
    assert one.y == pytest.approx(two.y, abs=0.01)
    assert three.y > one.y + 5


def test_a_long_name_is_cut_and_told_in_full(tmp_path):
    name = "a name of many words " * 6
    drawing = drawn(Chart(lambda style: crowd([name]), "T", "D", PAGE), tmp_path)
    assert f"In full: {name.strip()}." in said(drawing)


def test_words_on_either_side_of_no_effect_stand_there(tmp_path):
    span = covering(RATIO, [0.2, 0.9])(5)
    plot = (
        p9.ggplot(pd.DataFrame({"x": [1.5], "y": [0.5]}), p9.aes("x", "y"))
        + house(PAGE, TITLED, 50.0, x=RATIO)
        + p9.geom_point()
        + favours(RATIO, PAGE)
        + [scale("x", span), scale("y", between(0.0, 1.0)(5))]
    )
    drawing = drawn(Chart(lambda style: plot, "T", "D", PAGE), tmp_path)
    assert (
        drawing.word("\N{LEFTWARDS ARROW} Favours control").box[2]
        < drawing.word("Favours treatment \N{RIGHTWARDS ARROW}").box[0]
    )


def test_save_takes_any_ggplot(tmp_path):
    plot = p9.ggplot(TRIALS, p9.aes("contribution", "influence")) + p9.geom_point()
    plot += house(PAGE, TITLED, 40.0)
    save(plot, tmp_path / "own", PAGE, "In words", ("svg",))
    assert read_svg(tmp_path / "own.svg").description == "In words"


def test_keys_keep_to_the_page():
    keys = legend(["a key"] * 3, PAGE)
    assert (keys.columns, keys.rows) == (3, 1)
    long = legend(["a key of many words " * 9, "another"], PRESETS["column"])
    assert long.columns == 1
    assert long.rows > 2
    assert all(len(line) < 80 for line in long.labels[0].split("\n"))


def test_an_axis_from_zero_covers_what_is_there():
    # at most seven ticks: steps of 0.5 would need eight
    made = from_zero([0.0, 3.2, float("inf"), float("nan")])(7)
    assert (made.low, made.high) == (0.0, 4.0)
    assert from_zero([])(7).high == 1.0
    assert from_zero([0.45], percent=True)(7).labels[-1] == "50%"


def test_years_have_no_halves():
    assert between(2009.5, 2012.5, whole=True)(7).labels == ("2010", "2011", "2012")


def test_an_axis_of_ratios_covers_its_reference_and_spaces_them_evenly():
    made = covering(RATIO, [0.7, 1.6])(7)
    assert made.low <= 1.0
    assert made.high >= 4.95
    assert Span(1.0, 4.0, (), (), log=True).share(2.0) == pytest.approx(0.5)
    assert Span(1.0, 4.0, (), (), log=True).value(0.5) == pytest.approx(2.0)


def test_an_axis_of_very_large_ratios_covers_its_reference_as_well():
    """Without it no reader sees on which side of no effect they are."""
    assert covering(RATIO, [math.log(300), math.log(900)])(7).low <= 1.0
    assert covering(RATIO, [-math.log(300), -math.log(900)])(7).high >= 1.0


def test_ticks_that_would_touch_are_thinned():
    wide = fitting(between(0.0, 1.0), 100.0, PAGE)
    narrow = fitting(between(0.0, 1.0), 12.0, PAGE)
    assert len(narrow.ticks) < len(wide.ticks)


def test_a_value_is_printed_on_its_natural_scale():
    assert printed(0.9650809, "log") == "2.63"
    assert printed(-0.125, "linear") == "\N{MINUS SIGN}0.13"
    # logit(0.25) = -log 3
    assert printed(-1.0986122886681098, "logit") == "25.0%"
    assert natural(-1.0986122886681098, "logit") == pytest.approx(0.25)


def test_up_and_down_are_said_above_an_upright_axis():
    assert vertical_label(RATIO) == (
        "Risk ratio (\N{UPWARDS ARROW} Favours treatment; \N{DOWNWARDS ARROW} Favours control)"
    )
