"""Forest plots of harms, read back and compared with the counts in the sheet."""

import csv
import math

import pytest
from docx import Document
from made_up.project import HERE
from meaning.evidence import ANALYSES, NO_EFFECT, floats, numbers, rows, says
from meaning.reading import Figure
from meaning.test_what_forests_say import diamond

HARMS = [entry for entry in ANALYSES if entry.get("harm")]
SETTING = "metastatic_first_line"
LABELS = {
    "serious_adverse_event": "Serious adverse event",
    "heart_failure": "Heart failure",
    "diarrhoea_grade_3_or_higher": "Diarrhoea, grade 3 or higher",
}
MEASURES = ("risk_ratio", "risk_difference")


@pytest.fixture(params=MEASURES)
def measure(request):
    return request.param


@pytest.fixture
def drawn(made_up, measure):
    name = "forest" if measure == MEASURES[0] else f"forest_{measure}"
    return Figure(made_up.results / SETTING / "harms" / f"{name}.svg")


def counted(arm, outcome):
    """Events and patients of an arm, as typed in the sheet."""
    with (HERE / "sheet/harms.csv").open(encoding="utf-8", newline="") as file:
        (row,) = [r for r in csv.DictReader(file) if r["arm_id"] == arm and r["outcome"] == outcome]
    return f"{row['events']}/{row['n']}"


def trials(made_up, measure, analysis):
    return rows(made_up.results / SETTING / "trials.csv", analysis=analysis, measure=measure)


def row_of(block, row):
    return next(w for w in block if w.text.strip().startswith(f"{row['trial']} "))


@pytest.mark.parametrize("harm", HARMS, ids=lambda entry: entry["id"])
def test_events_of_a_harm_stand_under_their_arm(made_up, drawn, measure, harm):
    block = _block(drawn, harm["id"])
    for row in trials(made_up, measure, harm["id"]):
        word = row_of(block, row)
        cells = [cell for cell in drawn.cells(word) if "/" in cell]
        assert cells == [
            counted(row[f"{side}_arm_id"], harm["outcome"]) for side in ("experimental", "control")
        ]


@pytest.mark.parametrize("harm", HARMS, ids=lambda entry: entry["id"])
def test_a_harm_has_the_result_of_its_trial_and_the_agent_added(made_up, drawn, measure, harm):
    block = _block(drawn, harm["id"])
    for row in trials(made_up, measure, harm["id"]):
        cells = drawn.cells(row_of(block, row))
        result = next(text for text in reversed(cells) if "(" in text and numbers(text))
        assert says(result, floats(row, "estimate", "estimate_low", "estimate_high"))
        assert row["added"] in cells


def test_fewer_harms_lie_on_the_side_of_the_arm_that_has_them(drawn, measure):
    left, right = drawn.sides()
    assert left.casefold().endswith("dual")
    assert right.casefold().endswith("single")
    none = drawn.across().at(NO_EFFECT[measure])
    assert drawn.plumb_at(none), "no line at no effect"


def test_trials_that_define_a_harm_otherwise_are_shown_but_not_pooled(made_up, measure):
    # POPLAR and ROWAN count serious events as registered, but define heart failure differently.
    pooled = {
        (row["analysis"], row["trial"]): row["pooled"]
        for harm in HARMS
        for row in trials(made_up, measure, harm["id"])
    }
    assert pooled["serious_adverse_event", "POPLAR"] == "yes"
    assert pooled["serious_adverse_event", "ROWAN"] == "yes"
    assert pooled["heart_failure", "POPLAR"] == "no"
    assert pooled["heart_failure", "ROWAN"] == "no"


def test_harms_stand_beside_benefits_with_the_risk_of_their_own_control_arms(made_up):
    (row,) = rows(
        made_up.results / "tables/summary_of_findings.csv", analysis="diarrhoea_grade_3_or_higher"
    )
    control, treated = 10 / 292, 131 / 296
    found = floats(row, "control_risk", "risk", "difference")
    assert found == pytest.approx((control, treated, treated - control))
    assert "SORREL" in row["control_risk_basis"]
    # The difference between two proportions of patients, not the ratio.
    width = 1.959964 * math.sqrt(treated * (1 - treated) / 296 + control * (1 - control) / 292)
    limits = floats(row, "difference_low", "difference_high")
    assert limits == pytest.approx((found[2] - width, found[2] + width), abs=1e-6)


def test_benefits_and_harms_of_an_agent_lie_where_their_differences_are(made_up):
    drawn = Figure(made_up.results / f"overview/balance_{SETTING}.svg")
    found = rows(made_up.results / "tables/balance.csv", setting=SETTING)
    assert {row["side"] for row in found} == {"Benefit", "Harm"}
    axis, end = drawn.across(), drawn.side_words()[0].y
    heads = {row["added"]: drawn.named(f"Added: {row['added']}").y for row in found}
    for row in found:
        start = heads[row["added"]]
        stop = min((y for y in heads.values() if y > start), default=end)
        word = next(w for w in drawn.all_named(row["about"]) if start < w.y < stop)
        change = [1000 * n for n in floats(row, "difference", "difference_low", "difference_high")]
        assert row["side"] in drawn.cells(word)
        assert says(drawn.cells(word)[-1], change, digits=0), row
        left, tip, right = diamond(drawn, word)
        assert (left, tip, right) == pytest.approx([axis.at(n) for n in sorted(change)], abs=1.0)


def test_harms_without_an_estimate_are_named_where_harms_are_summed_up(made_up):
    """Readers would take harms missing from the table of benefits for harms that do not occur."""
    missing = "heart failure (bemab)"  # two trials define it, each in its own way
    (figure,) = rows(made_up.results / "overview/figures.csv", figure=f"balance_{SETTING}")
    assert missing in figure["caption"]
    drawn = Figure(made_up.results / f"overview/balance_{SETTING}.svg")
    assert not drawn.all_named(LABELS["heart_failure"])
    for table in ("balance", "plain_language"):
        said = _notes(made_up.results / f"tables/{table}.docx")
        assert any(note.startswith("Metastatic") and missing in note for note in said), table
        assert not any("serious adverse event (" in note for note in said), table


def _notes(path):
    return [p.text for p in Document(path).paragraphs if p.style.name == "Notes"]


def test_fewer_events_of_the_benefit_lie_on_the_left(made_up):
    drawn = Figure(made_up.results / f"overview/balance_{SETTING}.svg")
    left, right = drawn.sides()
    assert left.casefold().endswith("fewer patients")
    assert right.casefold().endswith("more patients")


def _block(drawn, analysis):
    start = drawn.named(LABELS[analysis])
    later = [drawn.named(label).y for label in LABELS.values()]
    end = min((y for y in later if y > start.y + 1), default=drawn.side_words()[0].y)
    return [w for w in drawn.words if start.y < w.y < end]
