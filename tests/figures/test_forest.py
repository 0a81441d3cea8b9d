"""The forest plot, read back from the file it is saved in."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from figures.chart_reading import at_widths
from figures.svg_reading import Drawing, Shape, Word, check_svg, read_svg, word_defects
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import Page, save_page
from trial_evidence.figures.canvas.style import PRESETS, Style, style_for
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.forests.sentences import group_in_words

POINTS_PER_MM = 72 / 25.4
INK, MUTED, ACCENT = Style().ink.lower(), Style().muted, Style().accent.lower()
LIGHT = Style().accent_light.lower()
COLUMNS = (
    Column("trial", "Trial", "left", "left"),
    Column("treated", "Treated\nevents/n", "right", "left", priority=1),
    Column("control", "Control\nevents/n", "right", "left", priority=1),
    Column("weight", "Weight\n(%)", "right", "right", priority=2),
    Column("result", "Risk ratio\n(95% CI)", "right", "right"),
)
RATIO = Axis("log", 0.0, "Risk ratio", "Favours control", "Favours treatment", (0.25, 8.0))


def row(
    kind: str, name: str, estimate: float, low: float, high: float, weight: float | None = None
) -> Row:
    """A row from numbers on the natural scale; its texts do not matter."""
    texts = {
        "trial": name,
        "treated": "42/107",
        "control": "23/107",
        "weight": "" if weight is None else f"{weight:.1f}",
        "result": f"{estimate:.2f} ({low:.2f}–{high:.2f})",
    }
    return Row(kind, texts, math.log(estimate), math.log(low), math.log(high), weight)


def forest(*rows: Row, axis: Axis = RATIO, **more) -> Forest:
    filled = {"title": "A title", "description": "A description", "notes": ("A note.",)}
    return Forest(columns=COLUMNS, rows=rows, axis=axis, **(filled | more))


def many(count: int) -> Forest:
    trials = [
        row(
            "trial",
            f"Trial {n} ({1980 + n})",
            0.6 + n / 30,
            0.4 + n / 40,
            1.1 + n / 10,
            100 / count,
        )
        for n in range(count)
    ]
    return forest(
        *trials,
        Row("gap"),
        row("overall", f"All trials (k = {count}; I² = 0%)", 1.0, 0.9, 1.1),
        axis=replace(RATIO, limits=None),
        overall=0.0,
    )


def drawn(plot: Forest, tmp_path: Path, style: Style = PRESETS["page"]) -> Drawing:
    save_page(layout(plot, style), tmp_path / "forest", ("svg",))
    return read_svg(tmp_path / "forest.svg")


def x_of(drawing: Drawing, ratio: float) -> float:
    """The x of a ratio, from the positions of the labels 1 and 4 of the axis."""
    one, four = drawing.word("1").x, drawing.word("4").x
    return one + math.log(ratio) / math.log(4) * (four - one)


def filled(drawing: Drawing, fill: str, corners: int) -> list[Shape]:
    # matplotlib closes a path without repeating its first corner
    return [s for s in drawing.shapes if s.fill == fill and len(s.points) == corners]


def arrows(drawing: Drawing) -> list[Shape]:
    return [s for s in drawing.shapes if s.fill != "none" and len(s.points) == 3]


def middle(shape: Shape) -> tuple[float, float]:
    left, top, right, bottom = shape.box
    return (left + right) / 2, (top + bottom) / 2


def intervals(drawing: Drawing, colour: str = INK) -> list[Shape]:
    """Horizontal lines inside the panel."""
    left, right = x_of(drawing, 0.25), x_of(drawing, 8.0)
    lines = [s for s in drawing.shapes if s.fill == "none" and s.stroke == colour]
    flat = [s for s in lines if s.box[1] == s.box[3]]
    return [
        s
        for s in flat
        if s.box[0] >= left - 1 and s.box[2] <= right + 1 and s.box[2] - s.box[0] < right - left - 1
    ]


def test_texts_of_a_row_share_a_baseline_and_say_what_was_given(tmp_path):
    rows = [
        row("trial", "One (2012)", 2.36, 1.29, 4.31, 60.0),
        row("trial", "Two (2020)", 2.32, 1.37, 3.93, 40.0),
        row("unpooled", "Three (2021)", 1.2, 0.7, 2.1),
        row("overall", "All trials (k = 2)", 2.34, 1.57, 3.47),
    ]
    drawing = drawn(forest(*rows), tmp_path)
    for given_row in rows:
        y = drawing.word(given_row.texts["trial"]).y
        across = [word for word in drawing.words if word.y == pytest.approx(y, abs=1e-3)]
        texts = [word.text for word in sorted(across, key=lambda word: word.x)]
        assert texts == [text for text in given_row.texts.values() if text]


def test_columns_are_aligned(tmp_path):
    drawing = drawn(many(12), tmp_path)
    results = [word for word in drawing.words if "–" in word.text]
    assert len(results) == 13
    assert {(word.anchor, round(word.x, 2)) for word in results} == {("end", 504.57)}


def test_rows_have_one_height(tmp_path):
    drawing = drawn(many(12), tmp_path)
    ys = sorted(word.y for word in drawing.words if word.text.startswith("Trial "))
    steps = [later - earlier for earlier, later in pairwise(ys)]
    assert steps == pytest.approx([4.6 * POINTS_PER_MM] * 11, abs=1e-3)


def test_squares_and_limits_stand_where_the_axis_says(tmp_path):
    values = [(2.36, 1.29, 4.31), (0.5, 0.3, 0.9), (1.0, 0.26, 7.9)]
    rows = [row("trial", f"Trial {n}", *value, 30.0) for n, value in enumerate(values)]
    drawing = drawn(forest(*rows), tmp_path)
    squares, lines = filled(drawing, INK, 4), intervals(drawing)
    assert len(squares) == len(lines) == 3
    for (estimate, low, high), square, line in zip(values, squares, lines, strict=True):
        assert middle(square)[0] == pytest.approx(x_of(drawing, estimate), abs=0.01)
        assert line.box[0] == pytest.approx(x_of(drawing, low), abs=0.01)
        assert line.box[2] == pytest.approx(x_of(drawing, high), abs=0.01)
        assert middle(square)[1] == pytest.approx(line.box[1], abs=0.01)


def test_a_diamond_has_its_corners_at_estimate_and_limits(tmp_path):
    drawing = drawn(forest(row("overall", "All", 2.0, 1.5, 3.0)), tmp_path)
    (diamond,) = filled(drawing, ACCENT, 4)
    xs = sorted(x for x, _ in diamond.points)
    expected = [x_of(drawing, ratio) for ratio in (1.5, 2.0, 2.0, 3.0)]
    assert xs == pytest.approx(expected, abs=0.01)


def test_a_proportion_stands_at_its_percentage(tmp_path):
    # logit(0.75) = log 3, logit(0.5) = 0, logit(0.9) = log 9
    rate = Row("trial", {"trial": "One"}, math.log(3), 0.0, math.log(9), 100.0)
    drawing = drawn(forest(rate, axis=Axis("logit")), tmp_path)
    nought, whole = drawing.word("0%").x, drawing.word("100%").x
    (square,) = filled(drawing, INK, 4)
    assert middle(square)[0] == pytest.approx(nought + 0.75 * (whole - nought), abs=0.01)


def test_a_difference_stands_on_an_even_axis(tmp_path):
    difference = Row("trial", {"trial": "One"}, 0.25, 0.1, 0.4, 100.0)
    axis = Axis("linear", 0.0, limits=(-0.5, 0.5))
    drawing = drawn(forest(difference, axis=axis), tmp_path)
    (square,) = filled(drawing, INK, 4)
    nought, end = drawing.word("0").x, drawing.word("0.4").x
    assert middle(square)[0] == pytest.approx(nought + 0.625 * (end - nought), abs=0.01)


def test_the_area_of_a_square_follows_the_weight(tmp_path):
    rows = [row("trial", f"Trial {w}", 1.0, 0.5, 2.0, w) for w in (64.0, 36.0)]
    large, small = filled(drawn(forest(*rows), tmp_path), INK, 4)
    sides = [shape.box[2] - shape.box[0] for shape in (large, small)]
    assert sides[0] ** 2 / sides[1] ** 2 == pytest.approx(64 / 36, rel=1e-3)


@pytest.mark.parametrize(
    "kind", ["trial", "unpooled", "subtotal", "overall", "secondary", "prediction"]
)
@pytest.mark.parametrize(
    ("low", "high", "sides"),
    [(0.5, 4.0, ""), (0.1, 4.0, "l"), (0.5, 40.0, "r"), (0.1, 40.0, "lr"), (0.25, 8.0, "")],
)
def test_an_arrowhead_stands_where_an_interval_leaves_the_axis(tmp_path, kind, low, high, sides):
    drawing = drawn(forest(row(kind, "One", 1.5, low, high)), tmp_path)
    tips = {"l": x_of(drawing, 0.25), "r": x_of(drawing, 8.0)}
    found = sorted(arrows(drawing), key=middle)
    assert len(found) == len(sides)
    for arrow, side in zip(found, sides, strict=True):
        tip = arrow.box[0] if side == "l" else arrow.box[2]
        assert tip == pytest.approx(tips[side], abs=0.01)
        assert arrow.box[2] - arrow.box[0] > 3
    assert check_svg(tmp_path / "forest.svg") == []


def test_the_bar_of_a_prediction_interval_is_as_long_as_it_and_can_be_seen(tmp_path):
    drawing = drawn(forest(row("prediction", "One", 1.5, 0.5, 4.0)), tmp_path)
    (bar,) = filled(drawing, LIGHT, 4)
    assert (bar.box[0], bar.box[2]) == pytest.approx([x_of(drawing, n) for n in (0.5, 4.0)])
    assert bar.box[3] - bar.box[1] > 2


@pytest.mark.parametrize("kind", ["trial", "unpooled", "overall"])
def test_an_interval_wholly_off_the_axis_is_an_arrow_only(tmp_path, kind):
    drawing = drawn(forest(row(kind, "One", 20.0, 10.0, 40.0)), tmp_path)
    assert len(arrows(drawing)) == 1
    assert not filled(drawing, INK, 4)
    assert not filled(drawing, ACCENT, 4)
    assert not intervals(drawing)


def test_an_interval_narrower_than_its_square_is_seen_on_it(tmp_path):
    """A square alone does not show how certain its trial is."""
    narrow, wide = row("trial", "A", 1.5, 1.45, 1.56, 60.0), row("trial", "B", 1.5, 1.0, 2.25, 40.0)
    drawing = drawn(forest(narrow, wide), tmp_path)
    square = max(filled(drawing, INK, 4), key=lambda shape: shape.box[2] - shape.box[0])
    (line,) = [s for s in filled(drawing, Style().paper.lower(), 4) if s.box[3] - s.box[1] < 2]
    assert drawing.shapes.index(line) > drawing.shapes.index(square)
    assert (line.box[0], line.box[2]) == pytest.approx([x_of(drawing, n) for n in (1.45, 1.56)])
    assert sum(line.box[1::2]) == pytest.approx(sum(square.box[1::2]))


def test_an_endless_interval_ends_in_arrows(tmp_path):
    endless = Row("overall", {"trial": "One"}, 0.0, -math.inf, math.inf)
    assert len(arrows(drawn(forest(endless), tmp_path))) == 2


def test_a_missing_estimate_draws_nothing(tmp_path):
    empty = Row("unpooled", {"trial": "One"}, math.nan, None, None)
    drawing = drawn(forest(empty), tmp_path)
    assert not intervals(drawing, MUTED)
    assert not arrows(drawing)


def test_a_trial_outside_the_pool_is_hollow_and_grey(tmp_path):
    drawing = drawn(forest(row("unpooled", "One", 1.0, 0.5, 2.0)), tmp_path)
    (line,) = intervals(drawing, MUTED)
    (square,) = [s for s in drawing.shapes if s.stroke == MUTED and s.fill == "#ffffff"]
    assert middle(square)[1] == pytest.approx(line.box[1], abs=0.01)
    assert drawing.word("One").fill == MUTED


def test_a_pooled_trial_without_weight_has_a_hollow_square(tmp_path):
    drawing = drawn(forest(row("trial", "One", 1.0, 0.5, 2.0)), tmp_path)
    assert [s.fill for s in drawing.shapes if s.stroke == INK and len(s.points) == 4] == ["#ffffff"]


def test_the_dashed_line_ends_in_the_overall_diamond(tmp_path):
    plot = forest(row("trial", "One", 1.0, 0.5, 2.0), row("overall", "All", 2.0, 1.5, 3.0))
    drawing = drawn(replace(plot, overall=math.log(2.0)), tmp_path)
    (dashed,) = [shape for shape in drawing.shapes if shape.dashed]
    (diamond,) = filled(drawing, ACCENT, 4)
    assert middle(dashed)[0] == pytest.approx(x_of(drawing, 2.0), abs=0.01)
    assert dashed.box[3] == pytest.approx(middle(diamond)[1], abs=0.01)


def test_the_diamond_of_another_model_is_not_taken_for_the_one_that_leads(tmp_path):
    kinds = ("overall", "secondary", "subtotal")
    drawing = drawn(forest(*(row(kind, kind, 1.0, 0.5, 2.0) for kind in kinds)), tmp_path)
    diamonds = [s for s in drawing.shapes if len(s.points) == 4 and s.stroke == ACCENT]
    assert len({shape.fill for shape in diamonds}) == 3


def test_what_is_favoured_stands_on_its_side_of_the_reference(tmp_path):
    drawing = drawn(many(3), tmp_path)
    low, high = drawing.word("← Favours control"), drawing.word("Favours treatment →")
    assert low.box[2] < drawing.word("1").x < high.box[0]
    assert low.y == high.y


def test_nothing_is_favoured_on_an_axis_without_no_effect(tmp_path):
    """On an axis from 1.2 to 8 the labels would put a ratio of 2 on the side of the control."""
    plot = forest(row("trial", "A", 2.0, 1.5, 3.0, 60.0), axis=replace(RATIO, limits=(1.2, 8.0)))
    texts = " ".join(word.text for word in drawn(plot, tmp_path).words)
    assert "Favours" not in texts
    assert "Risk ratio" in texts


def test_words_beside_a_reference_at_the_edge_of_the_page_stay_on_one_line(tmp_path):
    axis = replace(RATIO, limits=(0.125, 1.0))
    drawn(replace(many(3), axis=axis, columns=COLUMNS[:1]), tmp_path)
    assert read_svg(tmp_path / "forest.svg").word("Favours treatment →")
    assert check_svg(tmp_path / "forest.svg") == []


@pytest.mark.parametrize(("preset", "count"), at_widths([1, 13, 40, 60]))
def test_any_number_of_rows_makes_a_sound_figure(tmp_path, count, preset):
    save_page(layout(many(count), PRESETS[preset]), tmp_path / "forest", ("svg",))
    assert check_svg(tmp_path / "forest.svg") == []


@pytest.mark.parametrize("preset", ["page", "wide_column", "column"])
@pytest.mark.parametrize(
    "name",
    [
        "A trial with a name of many words " * 9,
        "X" * 300,
        "$names_with^signs$ \\frac{1}{2} <b>&amp;</b> %",
        "\N{CJK UNIFIED IDEOGRAPH-764C}\N{CJK UNIFIED IDEOGRAPH-75C7} \N{ROCKET} trial",
        "tabs\tand\nbreaks\x07",
        "",
    ],
)
def test_any_name_makes_a_sound_figure(tmp_path, name, preset):
    plot = forest(
        Row("heading", {"trial": name}),
        row("trial", name, 1.0, 0.5, 2.0, 100.0),
        Row("text", {"trial": name}),
        title=f"Title {name}",
        axis=replace(RATIO, favours_low=name, favours_high=name, label=name),
        footnotes=(name,),
    )
    # Another width moves the letters and lines of a PDF or a bitmap, but brings no others.
    formats = ("svg", "pdf", "png") if preset == "page" else ("svg",)
    save_page(layout(plot, PRESETS[preset]), tmp_path / "forest", formats)
    assert check_svg(tmp_path / "forest.svg") == []


def test_signs_of_formulas_are_letters(tmp_path):
    name = "$a_1^2$ \\alpha"
    assert drawn(forest(row("trial", name, 1.0, 0.5, 2.0, 9.0)), tmp_path).word(name)


def test_a_name_that_is_cut_stands_in_full_at_the_foot(tmp_path):
    name = " ".join(f"word{n}" for n in range(60))
    drawing = drawn(forest(row("trial", name, 1.0, 0.5, 2.0, 9.0)), tmp_path)
    foot = " ".join(word.text for word in drawing.words if word.size == 7.0)
    assert foot == f"In full: {name}."
    assert sum(word.size == 8.0 and word.text.startswith("word") for word in drawing.words) == 2


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_label_of_the_pool_is_whole_beside_short_names(tmp_path, preset):
    """Very short names once left no room for the number of pooled trials and their I²."""
    label = "All trials (k = 2; I² = 99%)"
    rows = row("trial", "A", 1.5, 1.0, 2.25, 60.0), row("overall", label, 1.4, 1.1, 1.8)
    plot = replace(forest(*rows), columns=(COLUMNS[0], *COLUMNS[3:]))
    texts = " ".join(word.text for word in drawn(plot, tmp_path, PRESETS[preset]).words)
    assert label in texts
    assert "In full" not in texts


def test_a_column_without_room_stands_under_the_name(tmp_path):
    drawing = drawn(many(5), tmp_path, PRESETS["column"])
    names = [word for word in drawing.words if word.text.startswith("Trial ") and "(" in word.text]
    under = [word for word in drawing.words if word.text.startswith("20.0")]
    assert len(under) == 5
    assert all(abs(word.x - names[0].x) < 0.1 for word in under)
    assert "Weight (%)" in " ".join(word.text for word in drawing.words if word.bold)


def test_a_text_under_the_name_has_its_place_where_another_is_missing(tmp_path):
    """A p value alone, below the headings of counts and p, would be read as a count."""
    counted, tested = row("trial", "A", 1.5, 1.0, 2.0), row("trial", "B", 1.5, 1.0, 2.0)
    counted = replace(counted, texts=counted.texts | {"weight": ""})
    tested = replace(tested, texts={"trial": "B", "result": "1.5", "weight": "0.54"})
    nothing = replace(tested, texts={"trial": "C", "result": "1.5"})
    plot = forest(counted, tested, nothing)
    drawing = drawn(replace(plot, title=""), tmp_path, style_for(75.0))
    assert drawing.word("42/107; 23/107")
    assert drawing.word("–; –; 0.54")
    assert not [word for word in drawing.words if word.text.endswith("–")]


@pytest.mark.parametrize("width", [75.0, 85.0])
def test_the_plot_keeps_a_third_of_a_narrow_page(width):
    page = layout(many(12), style_for(width))
    (axis,) = [line for line in page.segments if line.role == "axis"]
    assert axis.end[0] - axis.start[0] >= width / 3 - 0.1


def test_columns_of_one_priority_go_together(tmp_path):
    columns = tuple(replace(c, priority=min(c.priority, 1)) for c in COLUMNS)
    drawing = drawn(replace(many(5), columns=columns), tmp_path, PRESETS["column"])
    texts = [word.text for word in drawing.words]
    assert texts.count("42/107; 23/107; 20.0") == 5
    assert "0.60 (0.40–1.10)" in texts


def test_lights_left_out_are_named(tmp_path):
    columns = (*COLUMNS, Column("bias", "Bias", "center", "right", 4, ("1", "2", "All")))
    drawing = drawn(replace(many(5), columns=columns), tmp_path, PRESETS["column"])
    assert "Left out at this width: Bias." in [word.text for word in drawing.words]


def test_a_result_with_a_remark_has_a_mark_that_a_footnote_explains(tmp_path):
    rows = [
        replace(row("trial", name, 1.0, 0.5, 2.0, 9.0), remark=remark)
        for name, remark in (("A", ""), ("B", "90% CI"), ("C", "Inverted"), ("D", "90% CI"))
    ]
    drawing = drawn(forest(*rows), tmp_path)
    marks = {
        name: [w.text for w in drawing.words if w.text in "*†" and abs(w.y - word.y) < 1]
        for name in "ABCD"
        for word in [drawing.word(name)]
    }
    assert marks == {"A": [], "B": ["*"], "C": ["†"], "D": ["*"]}
    texts = [word.text for word in drawing.words]
    assert texts.index("* 90% CI.") < texts.index("† Inverted.")


def test_references_stand_beside_the_trials_they_belong_to(tmp_path):
    rows = [
        replace(row("trial", name, 1.0, 0.5, 2.0, 9.0), sources=sources)
        for name, sources in (("A", ("late", "early")), ("B", ("unknown",)))
    ]
    plot, asked = replace(forest(*rows), numbers={"early": 3, "late": 12}), PRESETS["page"]
    texts = [w.text for w in drawn(plot, tmp_path, replace(asked, references=True)).words]
    assert "A [3,12]" in texts
    assert "B" in texts
    assert "A" in [w.text for w in drawn(plot, tmp_path).words]


def test_a_column_with_a_switch_is_shown_where_the_style_asks_for_it(tmp_path):
    columns = tuple(replace(c, switch="follow_up" * (c.key == "weight")) for c in COLUMNS)
    plot, asked = replace(many(3), columns=columns), replace(PRESETS["page"], follow_up=True)
    assert "33.3" not in [w.text for w in drawn(plot, tmp_path).words]
    assert "33.3" in [w.text for w in drawn(plot, tmp_path, asked).words]


def test_a_picture_without_title_still_has_it_in_its_file(tmp_path):
    drawing = drawn(forest(title="Told"), tmp_path, replace(PRESETS["page"], title=False))
    assert "Told" not in [word.text for word in drawing.words]
    assert drawing.title == "Told"


def test_figures_are_never_cut():
    wide = tuple(Column(f"c{n}", "1234567890 1234567890", "right", "left") for n in range(6))
    with pytest.raises(ValueError, match="leave no room for the plot on a page of 85 mm"):
        layout(replace(many(1), columns=(*COLUMNS, *wide)), PRESETS["column"])


def test_kinds_of_results_differ_in_grey():
    """Lightness of fills, from 0 to 255, as a copier sees them."""

    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    for style in PRESETS.values():
        fills = [style.accent, style.accent_light, style.accent_pale]
        levels = sorted(map(lightness, fills))
        assert all(later - earlier > 40 for earlier, later in pairwise(levels))


def test_title_and_description_are_in_the_file(tmp_path):
    drawing = drawn(forest(title="R & D <1>", description='Says "so" & more'), tmp_path)
    assert (drawing.title, drawing.description) == ("R & D <1>", 'Says "so" & more')


@pytest.mark.parametrize(("width", "preset"), [(180, "page"), (130, "wide_column"), (85, "column")])
def test_a_width_has_the_style_made_for_it(width, preset):
    assert style_for(width) == replace(PRESETS[preset], width_mm=width)


def test_no_style_is_made_for_a_stamp():
    with pytest.raises(ValueError, match="narrowest has 75 mm"):
        style_for(60)


def words_of(page: Page) -> list[Word]:
    anchors = {"left": "start", "center": "middle", "right": "end"}
    return [
        Word(
            text.text,
            text.x * POINTS_PER_MM,
            text.y * POINTS_PER_MM,
            anchors[text.align],
            text.size_pt,
            text.bold,
            text.colour,
        )
        for text in page.texts
    ]


values = st.floats(-8, 8)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=120)


@st.composite
def any_row(draw):
    kind = draw(
        st.sampled_from(
            [
                "heading",
                "trial",
                "unpooled",
                "subtotal",
                "overall",
                "secondary",
                "prediction",
                "text",
                "gap",
            ]
        )
    )
    low, estimate, high = sorted([draw(values), draw(values), draw(values)])
    texts = {"trial": draw(names), "treated": "579/1187", "result": "5.00 (0.72–34.73)"}
    if kind in {"heading", "text", "gap"}:
        return Row(kind, {"trial": draw(names)})
    return Row(kind, texts, estimate, low, high, draw(st.none() | st.floats(0, 100)))


@st.composite
def any_forest(draw):
    return forest(
        *draw(st.lists(any_row(), max_size=20)),
        title=draw(names),
        axis=Axis(
            draw(st.sampled_from(["log", "linear", "logit"])),
            draw(st.none() | values),
            draw(names),
            draw(names),
            draw(names),
        ),
        overall=draw(st.none() | values),
        notes=(draw(names),),
        footnotes=(draw(names),),
    )


@settings(max_examples=30)
@given(any_forest(), st.sampled_from(sorted(PRESETS)))
def test_no_forest_has_overlapping_texts_or_leaves_its_page(plot, preset):
    page = layout(plot, PRESETS[preset])
    assert (
        word_defects(words_of(page), page.width_mm * POINTS_PER_MM, page.height_mm * POINTS_PER_MM)
        == []
    )
    points = [point for shape in (*page.bands, *page.polygons) for point in shape.points]
    points += [point for line in page.segments for point in (line.start, line.end)]
    assert all(0 <= x <= page.width_mm and 0 <= y <= page.height_mm for x, y in points)


@settings(max_examples=4)
@given(any_forest())
def test_any_forest_can_be_saved(tmp_path_factory, plot):
    folder = tmp_path_factory.mktemp("figure")
    save_page(layout(replace(plot, title="A title"), PRESETS["page"]), folder / "forest")
    assert check_svg(folder / "forest.svg") == []


def test_a_trial_without_an_estimate_is_told_to_those_who_cannot_see_it():
    """ "No trial has a result" would contradict the row of a trial in which nobody had the harm."""
    evidence = SimpleNamespace(
        measure=SimpleNamespace(title="Risk ratio"), number=lambda value: f"{value:.2f}"
    )
    trials = pd.DataFrame(
        [("Ash", math.nan, "no"), ("Elm", 1.5, "yes"), ("Fir", 2.0, "no")],
        columns=["trial", "estimate", "pooled"],
    )
    (told,) = group_in_words(evidence, trials, None)
    assert told == "Risk ratio by trial: Ash not estimable; Elm 1.50; Fir 2.00 (not pooled)."
