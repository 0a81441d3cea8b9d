"""Traffic lights, flow, evidence map, answers and timeline, read back from their files."""

import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from figures.chart_reading import (
    INK,
    PAPER,
    UGLY_TEXTS,
    chart,
    dots,
    drawn,
    middle,
    page_defects,
    y_of,
)
from figures.svg_reading import check_svg
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import save_page
from trial_evidence.figures.canvas.style import PRESETS, Style, styled
from trial_evidence.figures.charts.timeline import timeline
from trial_evidence.figures.overview import evidence_map, flow
from trial_evidence.figures.overview.effect_summary import (
    Behind,
    Effect,
    EffectPanel,
    EffectSummary,
    effect_summary,
)
from trial_evidence.figures.overview.evidence_map import EvidenceMap, MapCell, MapRow
from trial_evidence.figures.overview.flow import Flow, FlowBox
from trial_evidence.figures.overview.risk_of_bias import (
    JudgedTrial,
    TrafficLights,
    judgements_in_words,
    summary_bars,
    traffic_lights,
)

PAGE = PRESETS["page"]
LOW, SOME, HIGH = "low", "some_concerns", "high"
DOMAINS = ("Randomisation process", "Missing outcome data", "Overall")
LIGHTS = TrafficLights(
    "Risk of bias",
    DOMAINS,
    (
        (
            "Response",
            (
                JudgedTrial("Trial A", (LOW, LOW, LOW)),
                JudgedTrial("Trial B", (LOW, SOME, SOME)),
                JudgedTrial("Trial C", (HIGH, LOW, HIGH)),
            ),
        ),
        ("Survival", (JudgedTrial("Trial A", (LOW, LOW, LOW)),)),
    ),
    description="Lights.",
)
FLOW = Flow(
    "Flow",
    (
        (
            "Found",
            (
                FlowBox("Searches", "n = 4", "by hand"),
                FlowBox("Records", "n = 12"),
                FlowBox("Duplicates", "n = 3", side="leaves"),
            ),
        ),
        (
            "Pooled",
            (
                FlowBox("Trials", "n = 9"),
                FlowBox("Of before", "n = 2", "none of them is new", side="joins"),
                FlowBox("In no result", "n = 1", side="leaves"),
            ),
        ),
    ),
    description="A flow.",
)
MAP = EvidenceMap(
    "Map",
    ("Response", "Death"),
    (
        (
            "Early",
            (
                MapRow("A + B", (MapCell(4, 400), MapCell(1, 100))),
                MapRow("A + C", (None, MapCell(1, None))),
            ),
        ),
    ),
    description="A map.",
)
EARLY, LATE = (
    Effect("Early", "Response", 10, 2079, math.log(1.46), math.log(1.25), math.log(1.70),
           (math.log(1.07), math.log(1.98)), "Moderate"),
    Effect("Late", "Death", 3, None, math.log(0.72), math.log(0.50), math.log(1.04)),
)  # fmt: skip
ANSWERS = EffectSummary(
    "Answers",
    (
        EffectPanel("Risk ratio", Axis("log", 0.0, "", "Favours single", "Favours dual"), (EARLY,)),
        EffectPanel(
            "Hazard ratio", Axis("log", 0.0, "", "Favours dual", "Favours single"), (LATE,)
        ),
    ),
    95.0,
    description="The answers.",
)
YEARS = pd.DataFrame(
    [("Early", "First", 2010, 100, True), ("Early", "Second", 2014, 300, True),
     ("Late", "Third", 2012, 50, True)],
    columns=["panel", "label", "year", "patients", "pooled"],
)  # fmt: skip
PAGES = {
    "lights": lambda style: traffic_lights(LIGHTS, style),
    "bars": lambda style: summary_bars(LIGHTS, style),
    "flow": lambda style: flow.layout(FLOW, style),
    "map": lambda style: evidence_map.layout(MAP, style),
    "answers": lambda style: effect_summary(ANSWERS, style),
}


@pytest.mark.parametrize("kind", PAGES)
def test_it_is_sound_at_any_width_and_says_what_it_shows(tmp_path, kind):
    for style in PRESETS.values():
        assert page_defects(PAGES[kind](style)) == []
    save_page(PAGES[kind](PRESETS["column"]), tmp_path / "page", ("svg",))
    assert check_svg(tmp_path / "page.svg") == []


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(text):
    trial = JudgedTrial(text, (LOW, SOME, HIGH))
    odd = (
        traffic_lights(replace(LIGHTS, outcomes=((text, (trial,)),)), PAGE),
        flow.layout(replace(FLOW, stages=((text, (FlowBox(text, text, text),)),)), PAGE),
        evidence_map.layout(
            replace(MAP, columns=(text,), groups=((text, (MapRow(text, (MapCell(1, 9),)),)),)), PAGE
        ),
        effect_summary(
            replace(ANSWERS, panels=(EffectPanel("Ratio", Axis("log", 0.0), (
                replace(EARLY, group=text, label=text),)),)), PAGE
        ),
    )  # fmt: skip
    assert [page_defects(page) for page in odd] == [[]] * 4


# ------------------------------------------------------------------------------- risk of bias


def test_every_judgement_is_a_disc_with_its_sign_in_the_row_of_its_trial(tmp_path):
    drawing = drawn(traffic_lights(LIGHTS, PAGE), tmp_path)
    row = drawing.word("Trial B").y
    signs = sorted(
        (w.x, w.text) for w in drawing.words if w.text in "+?\N{MINUS SIGN}" and abs(w.y - row) < 3
    )
    assert [text for _, text in signs] == ["+", "?", "?"]
    discs = [s for s in drawing.shapes if s.fill == Style().some_concerns.lower()]
    # two judgements and the key
    assert len(discs) == 3
    at = [x for x, text in signs if text == "?"]
    assert sorted(middle(disc)[0] for disc in discs)[1:] == pytest.approx(at, abs=0.5)


def test_a_number_above_lights_is_that_of_its_domain(tmp_path):
    domains = ("Randomisation", "Deviations", "Missing data", "Measurement", "Overall")
    trial = JudgedTrial("Trial A", (LOW, SOME, SOME, SOME, HIGH))
    lights = replace(LIGHTS, domains=domains, outcomes=(("Response", (trial,)),))
    drawing = drawn(traffic_lights(lights, PRESETS["column"]), tmp_path)
    heads = sorted((w.x, w.text) for w in drawing.words if w.text in ("1", "2", "3", "4", "All"))
    assert [text for _, text in heads] == ["1", "2", "3", "4", "All"]
    said = " ".join(word.text for word in drawing.words)
    assert "1 randomisation, 2 deviations, 3 missing data, 4 measurement; All: overall." in said


def test_no_word_above_the_lights_is_broken_on_a_slide(tmp_path):
    """Larger type needs wider columns: Randomisatio / n process would look like a mistake."""
    drawing = drawn(traffic_lights(LIGHTS, styled({}, 338.67, 1.5)), tmp_path)
    printed = {part for word in drawing.words for part in word.text.split()}
    assert {part for name in DOMAINS for part in name.split()} <= printed


def test_three_lights_differ_in_grey():
    def lightness(colour):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    style = Style()
    levels = [lightness(c) for c in (style.high_risk, style.low_risk, style.some_concerns)]
    assert levels[0] + 60 < levels[1] < levels[2] - 30


def test_bars_are_as_long_as_their_share(tmp_path):
    drawing = drawn(summary_bars(LIGHTS, PAGE), tmp_path)
    zero, whole = drawing.word("0%").x, drawing.word("100%").x
    # on the second domain, three of four judgements are low and one is some concerns
    (word,) = (
        w for w in drawing.words if w.text == "? 1" and abs(w.y - drawing.word(DOMAINS[1]).y) < 1
    )
    assert (word.x - zero) / (whole - zero) == pytest.approx((0.75 + 1) / 2, abs=1e-3)
    lows = [s for s in drawing.shapes if s.fill == Style().low_risk.lower() and len(s.points) < 9]
    widths = sorted((s.box[2] - s.box[0]) / (whole - zero) for s in lows)
    assert widths == pytest.approx([0.5, 0.75, 0.75], abs=1e-3)


def test_judgements_are_counted_in_words():
    assert (
        judgements_in_words(LIGHTS) == "low risk 2 (50%), some concerns 1 (25%), high risk 1 (25%)"
    )


# ------------------------------------------------------------------------------------ others


def test_what_leaves_the_flow_and_what_joins_it_stand_to_the_right(tmp_path):
    page = flow.layout(FLOW, PAGE)
    drawing = drawn(page, tmp_path)
    beside, below = drawing.word("Of before: n = 2"), drawing.word("In no result: n = 1")
    assert beside.x > drawing.width / 2
    assert below.y > beside.y
    assert beside.y == pytest.approx(drawing.word("Trials: n = 9").y)
    # The head of an arrow points away from the flow, or into it.
    heads = [p.points for p in page.polygons if p.role == "arrow"]
    across = [(tip, back) for tip, back, other in heads if back[0] == other[0]]
    assert [tip[0] > back[0] for tip, back in across] == [True, False, True]


def test_the_area_of_a_bubble_follows_the_patients(tmp_path):
    drawing = drawn(evidence_map.layout(MAP, PAGE), tmp_path)
    discs = [s for s in drawing.shapes if s.fill == Style().accent_light.lower()]
    widths = sorted(s.box[2] - s.box[0] for s in discs)
    assert widths[1] / widths[0] == pytest.approx(2.0, rel=1e-3)
    # four trials with 400 patients, and one that does not state its number
    assert drawing.word("4 · 400")
    assert drawing.word("1")
    # and three, some of which do not state it
    groups = (("Early", (MapRow("A + B", (MapCell(3, 200, True), MapCell(1, 100))),)),)
    some = drawn(evidence_map.layout(replace(MAP, groups=groups), PAGE), tmp_path)
    assert some.word("3 · 200+")
    # hollow would mean that none of them does
    assert sum(s.fill == Style().accent_light.lower() for s in some.shapes) == 2


def test_the_small_print_of_a_map_says_what_is_in_it(tmp_path):
    """Seven outcomes on a narrow page: no numbers of patients, and bubbles too small to compare."""
    seven = tuple(f"Outcome {n}" for n in range(7))
    row = MapRow("A + B", (MapCell(4, 123400, True), *[None] * 5, MapCell(1, 100)))
    wide = replace(MAP, columns=seven, groups=(("Early", (row,)),))
    said = {
        preset: evidence_map.layout(wide, PRESETS[preset]).small_print
        for preset in ("page", "column")
    }
    assert "trials · patients in the arms (+: not every" in said["page"]
    assert "area of a bubble" in said["page"]
    assert "+" not in said["column"]
    assert "area of a bubble" not in said["column"]
    # Hollow bubbles are explained only if there are any.
    assert not any("Hollow" in words for words in said.values())
    for preset in ("page", "column"):
        hollow = evidence_map.layout(MAP, PRESETS[preset]).small_print
        assert "Hollow: no trial states its patients." in hollow


def test_answers_stand_in_the_same_columns_with_their_bars(tmp_path):
    drawing = drawn(effect_summary(ANSWERS, PAGE), tmp_path)
    texts = [word.text for word in drawing.words]
    assert "1.46 (1.25–1.70)" in texts
    assert "1.07–1.98" in texts
    assert "Moderate" in texts
    ratio, hazard = drawing.word("1.46 (1.25–1.70)"), drawing.word("0.72 (0.50–1.04)")
    assert ratio.x == pytest.approx(hazard.x)
    (bar,) = (s for s in drawing.shapes if s.fill == Style().accent_light.lower())
    (one,) = (w for w in drawing.words if w.text == "1" and w.y < hazard.y)
    (two,) = (w for w in drawing.words if w.text == "2" and w.y < hazard.y)
    per_log = (two.x - one.x) / math.log(2)
    assert bar.box[0] == pytest.approx(one.x + per_log * math.log(1.07), abs=0.1)
    assert bar.box[2] == pytest.approx(one.x + per_log * math.log(1.98), abs=0.1)


def test_the_column_of_intervals_names_their_level():
    page = effect_summary(replace(ANSWERS, level=90.0), PAGE)
    assert [text.text for text in page.texts if "interval)" in text.text] == ["(90% interval)"] * 2


def test_a_step_rises_by_the_patients_of_its_trial(tmp_path):
    drawing = drawn(chart(timeline, YEARS), tmp_path)
    assert drawing.word("Early: 2 trials, 400 patients")
    late = drawing.word("Late: 1 trial, 50 patients").y
    dots = [s for s in drawing.shapes if len(s.points) >= 24 and s.box[3] < late]
    (low, high) = sorted((middle(dot) for dot in dots), reverse=True, key=lambda at: at[1])
    early = replace(drawing, words=tuple(w for w in drawing.words if w.y < late))
    y = y_of(early, ("0", "200"))
    assert (low[1], high[1]) == pytest.approx((y(100), y(400)), abs=0.05)
    years = [drawing.word(year).x for year in ("2010", "2014")]
    assert (low[0], high[0]) == pytest.approx(years, abs=0.05)
    # The area of a dot is proportional to the patients of its trial, and a dot has an edge.
    small, large = sorted(dot.box[2] - dot.box[0] for dot in dots)
    assert small / large == pytest.approx(math.sqrt(100 / 300), abs=0.1)


def test_panels_of_a_timeline_are_in_the_order_of_the_table(tmp_path):
    """The field of the oldest trial need not be the first question."""
    drawing = drawn(chart(timeline, YEARS.assign(year=[2010, 2014, 2002])), tmp_path)
    early, late = "Early: 2 trials, 400 patients", "Late: 1 trial, 50 patients"
    assert drawing.word(early).y < drawing.word(late).y


def test_thousands_of_patients_are_printed_alike(tmp_path):
    drawing = drawn(chart(timeline, YEARS.assign(patients=[9000, 8872, 3000])), tmp_path)
    assert drawing.word("Early: 2 trials, 17,872 patients")
    assert {"20,000", "3,000"} <= {word.text for word in drawing.words}
    assert not [word.text for word in drawing.words if re.fullmatch(r"\d{4,}", word.text)
                and not word.text.startswith("20")]  # fmt: skip


def test_dots_say_whether_a_trial_is_pooled(tmp_path):
    drawing = drawn(chart(timeline, YEARS.assign(pooled=[True, False, True])), tmp_path)
    assert drawing.word("Early: 2 trials (1 pooled), 400 patients")
    none = drawn(chart(timeline, YEARS.assign(pooled=[False, False, True])), tmp_path)
    assert none.word("Early: 2 trials (0 pooled), 400 patients")
    key = drawing.word("Compared, not pooled").y - 10
    (hollow,) = dots(replace(drawing, shapes=tuple(s for s in drawing.shapes if s.box[3] < key)),
                     "Compared, not pooled", PAPER, INK)  # fmt: skip
    assert middle(hollow)[0] == pytest.approx(drawing.word("2014").x, abs=0.05)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_timeline_is_sound_at_any_width(tmp_path, preset):
    many = pd.concat(YEARS.assign(label=YEARS["label"] + str(n), year=2000 + 3 * n)
                     for n in range(6))  # fmt: skip
    drawn(chart(timeline, pd.concat([YEARS, many]), style=PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_timeline(tmp_path, text):
    drawn(chart(timeline, YEARS.assign(panel=[text, text, "Late"], label=text)), tmp_path)


def test_a_page_for_a_screen_has_its_height(tmp_path):
    page = evidence_map.layout(MAP, PAGE)
    for height in (1.3 * page.height_mm, 0.9 * page.height_mm):
        found = page.fitted(height)
        save_page(found, tmp_path / "page", ("svg",))
        assert found.height_mm == pytest.approx(height)
        assert check_svg(tmp_path / "page.svg") == []
    # type of 7 points may shrink to 6, and the page keeps the resulting height
    assert page.fitted(10.0).height_mm == pytest.approx(page.height_mm * 6 / 7)


def test_below_a_pool_of_two_its_trials_are_squares_and_their_common_effect_a_diamond(tmp_path):
    behind = tuple(
        Behind(label, is_trial, at, at - 0.2, at + 0.2)
        for label, is_trial, at in (("Ash", True, 0.1), ("Elm", True, 0.5), ("Both", False, 0.3))
    )
    panel = EffectPanel("Risk ratio", Axis("log", 0.0), (replace(EARLY, behind=behind),))
    drawing = drawn(effect_summary(replace(ANSWERS, panels=(panel,)), PAGE), tmp_path)
    for label, is_trial in (("Ash", True), ("Elm", True), ("Both", False), ("Response", False)):
        y = drawing.word(label).y
        (mark,) = (s for s in drawing.shapes if len(s.points) == 4 and s.box[3] - s.box[1] > 4
                   and s.box[1] < y - 2 < s.box[3] and s.box[2] - s.box[0] < 150)  # fmt: skip
        # All sides of a square are horizontal or vertical.
        upright = {x for x, _ in mark.points} == {mark.box[0], mark.box[2]}
        assert upright == is_trial, label
    # Each lies at its own result.
    one, two = (drawing.word(tick).x for tick in ("1", "2"))
    for row in behind:
        y = drawing.word(row.label).y
        (mark,) = (s for s in drawing.shapes if len(s.points) == 4 and s.box[3] - s.box[1] > 4
                   and s.box[1] < y - 2 < s.box[3] and s.box[2] - s.box[0] < 150)  # fmt: skip
        across = one + (two - one) / math.log(2) * row.estimate
        assert (mark.box[0] + mark.box[2]) / 2 == pytest.approx(across, abs=0.2), row.label
    # They are set in under the pool, so that the next pool is not read as one of them.
    pool, *parts = (drawing.word(label).box[0] for label in ("Response", "Ash", "Elm", "Both"))
    assert min(parts) > pool + 4
