"""Comparison of registry records with the sheet, and the effects of a reader's confirmations.

The records are of made-up trials, in the format of the ClinicalTrials.gov API, version 2.
"""

import copy
import csv
import datetime
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from invented import ROOT
from made_up.project import write_sheet
from openpyxl import Workbook, load_workbook
from small_project import cut_short
from trial_evidence.cli import main
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.registry import read_registry_words
from trial_evidence.exchange.registry.against import page_of
from trial_evidence.exchange.registry.book import write_registry_book
from trial_evidence.exchange.registry.confirmed import write_confirmed
from trial_evidence.exchange.registry.groups import named_in
from trial_evidence.exchange.registry.record import read_records
from trial_evidence.exchange.registry.stage import compare_records, held_sheet
from trial_evidence.loaded import load
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import SheetError

RECORDS = Path(__file__).parent / "made_up"
MEASURES = "resultsSection.outcomeMeasuresModule.outcomeMeasures"
NEW = "Could be added, hazard_ratios"
RAW, CONFIG, BOOK = Path("data/raw"), Path("config"), Path("registry.xlsx")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A folder with the made-up sheet, and its content, read once for all tests."""
    folder = tmp_path_factory.mktemp("registry")
    write_sheet(folder)
    shutil.copy(RECORDS / "registry.yaml", folder / CONFIG)
    config, raw = folder / CONFIG, folder / RAW
    configuration, sheet, _ = load(raw, config)
    return folder, configuration, sheet, held_sheet(raw, config, configuration)


@pytest.fixture
def project(known, tmp_path, monkeypatch):
    """The made-up sheet as the working directory."""
    shutil.copytree(known[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def compared(known):
    """The comparison of records with the sheet."""
    return lambda source: compare_records(source, known[3], known[1])


@pytest.fixture
def record():
    """The record of ALDER."""
    return json.loads((RECORDS / "alder.json").read_text(encoding="utf-8"))


def written(project, content, name="record.json"):
    path = project / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def measures(record):
    return record["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]


def places(lines):
    return {(line.table, line.row, line.column): (line.held, line.found) for line in lines}


def sheet_files():
    return {path.name: path.read_bytes() for path in RAW.iterdir()}


# --------------------------------------------------------------------- what the record says


def test_agreements_differences_and_proposals_have_their_path(project, compared):
    found = compared(RECORDS / "alder.json")
    agree, differ = places(found.page("Agrees")), places(found.page("Differs"))
    assert agree["pcr", 2, "events"] == ("49", "49")
    assert agree["hazard_ratios", 2, "ci_high"] == ("1.06", "1.06")
    assert agree["trials", 2, "enrolment_start_year"] == ("2008", "2008")
    assert differ == {
        ("pcr", 8, "events"): ("22", "23"),
        ("pcr", 8, "reported_percent"): ("22.4", "23.5"),
    }
    assert {line.path for line in found.page("Differs")} == {
        f"{MEASURES}[0].classes[0].categories[0].measurements[2].value"
    }
    added = places(found.page("Could be added"))
    assert added["hazard_ratios", 2, "p_value"] == ("", "0.08")


def test_a_superseded_row_is_not_what_a_record_is_held_against(project):
    path = RAW / "pcr.csv"
    text = path.read_text(encoding="utf-8")
    current = text.splitlines()[7]
    # The value of the record is in a row that is no longer used.
    old = (
        current.replace(",22,", ",23,").replace(",22.4,", ",23.5,").replace("current", "superseded")
    )
    path.write_text(f"{text}{old}\n", encoding="utf-8")
    configuration, _, _ = load(RAW, CONFIG)
    held = held_sheet(RAW, CONFIG, configuration)
    found = compare_records(RECORDS / "alder.json", held, configuration)
    assert places(found.page("Differs"))["pcr", 8, "events"] == ("22", "23")


def test_events_that_were_computed_from_a_percentage_are_called_so(project):
    path = RAW / "pcr.csv"
    header, _, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *rest]), encoding="utf-8")
    configuration, _, _ = load(RAW, CONFIG)
    held = held_sheet(RAW, CONFIG, configuration)
    found = compare_records(RECORDS / "alder.json", held, configuration)
    (row,) = [row for row in found.rows if row.table == "pcr"]
    cells = [row.cells[name] for name in ("arm_id", "events", "n", "derivation", "locator")]
    assert cells == ["alder_ab", "49", "107", "from_percent", "Results, outcome measure 1"]


def test_a_result_that_the_sheet_lacks_could_be_added_as_a_row(project, compared):
    (row,) = [row for row in compared(RECORDS / "alder.json").rows if row.table == "hazard_ratios"]
    assert row.path == f"{MEASURES}[2].analyses[1]"
    cells = ("experimental_arm_id", "control_arm_id", "hr", "ci_low", "ci_high", "ci_level",
             "n_experimental", "analysis", "assessor", "stratified", "source_id")  # fmt: skip
    assert [row.cells[name] for name in cells] == [
        "alder_b", "alder_a", "0.87", "0.52", "1.45", "95", "98", "final", "investigator", "yes",
        "nct00000001",
    ]  # fmt: skip
    title = "Event-free Survival (EFS), Final Analysis, Hazard Ratio (HR)"
    assert row.cells["note"].startswith(f"Registry: {title}. Groups: Almab + Taxane against")


@pytest.mark.parametrize(
    ("nct", "source", "added"), [("NCT00000001", "known", 0), ("NCT00000002", "nct00000001", 1)]
)
def test_a_record_is_the_source_that_has_its_number_and_not_that_of_another_trial(
    project, nct, source, added
):
    path = RAW / "sources.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    lines = [f"{header},nct", *(f"{row}," for row in rows)]
    lines.append(f"known,Made-up Sponsor,2019,ClinicalTrials.gov,A record,,,,,registry,{nct}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    configuration, _, _ = load(RAW, CONFIG)
    held = held_sheet(RAW, CONFIG, configuration)
    found = compare_records(RECORDS / "alder.json", held, configuration).rows
    (row,) = [row for row in found if row.table == "hazard_ratios"]
    assert row.cells["source_id"] == source
    assert len([row for row in found if row.table == "sources"]) == added


def test_harms_of_another_definition_are_no_difference_but_a_row(project, compared):
    """The sheet's 150 of 404 come from the paper; the registry may count differently."""
    found = compared(RECORDS / "poplar.json")
    assert not [line for line in found.page("Differs") if line.table == "harms"]
    (row,) = [row for row in found.rows if row.table == "harms"]
    assert (row.cells["arm_id"], row.cells["events"], row.cells["n"]) == ("poplar_ab", "160", "404")
    assert "row 2" in row.note


def test_harms_of_a_paper_in_the_words_of_the_registry_are_no_difference_either(project):
    definition = "patients with at least one serious adverse event, as registered"

    def in_these_words(text):
        return text.replace(",as registered,", f',"{definition}",')

    found = with_sheet("harms", in_these_words, RECORDS / "poplar.json")
    assert not [line for line in found.page("Differs") if line.table == "harms"]
    assert [row.cells["events"] for row in found.rows if row.table == "harms"] == ["160"]


def test_what_is_ambiguous_is_not_guessed(project, compared):
    unmapped = {one.path: one.why for one in compared(RECORDS).unmapped}
    assert "rows 14, 15" in unmapped[f"{MEASURES}[1].analyses[0]"]
    values = f"{MEASURES}[0].classes[0].categories[0].measurements"
    assert "ivy_ab (A+B), ivy_adapted" in unmapped[f"{values}[0].value"]
    assert "part of the patients" in unmapped[f"{MEASURES}[3]"]


def test_an_arm_is_told_from_one_with_the_same_agents_by_its_registered_drugs(project, compared):
    agree = places(compared(RECORDS / "ivy.json").page("Agrees"))
    assert agree["pcr", 34, "events"] == ("37", "37")


@pytest.mark.parametrize(
    "title",
    [
        "Placebo (for bemab) + Almab + Taxane",
        "Almab and Taxane without Bemab",
        "ALMACEPT, taxane",
    ],
)
def test_an_agent_that_was_not_given_is_not_of_the_arm(project, record, title, compared):
    measures(record)[0]["groups"][1]["title"] = title
    agree = places(compared(written(project, record)).page("Agrees"))
    assert agree["pcr", 5, "events"] == ("29", "29")


def test_letters_that_may_stand_for_an_agent_are_not_passed_over(project, record, compared):
    """Almab + B + taxane is not the arm of almab alone."""
    measures(record)[0]["groups"][1]["title"] = "Almab + B + Taxane"
    found = compared(written(project, record))
    assert ("pcr", 5, "events") not in places([*found.page("Agrees"), *found.page("Differs")])
    assert any('"B" may abbreviate another agent.' in one.why for one in found.unmapped)


@pytest.mark.parametrize(
    "title",
    ["Almab or Bemab + Taxane", "Almab v. placebo for Bemab + Taxane", "Bemab without Almab"],
)
def test_one_of_two_agents_is_not_their_combination(project, record, compared, title):
    """Nor is the arm known if a part of the title names an agent given and one not given."""
    record["protocolSection"]["armsInterventionsModule"]["armGroups"] = []
    measures(record)[0]["groups"][0]["title"] = title
    found = compared(written(project, record))
    why = [one.why for one in found.unmapped if one.path == VALUE_OF_PCR]
    assert len(why) == 1
    assert "does not say which of the agents was given." in why[0]


def test_a_conjugate_is_not_its_antibody(project, record, compared):
    measures(record)[0]["groups"][1]["title"] = "Almab exotoxin + Taxane"
    found = compared(written(project, record))
    assert ("pcr", 5, "events") not in places([*found.page("Agrees"), *found.page("Differs")])
    assert any("no arm has exactly these agents: almab-x" in one.why for one in found.unmapped)


def test_a_title_that_contradicts_the_registered_arm_decides_nothing(project, record, compared):
    record["protocolSection"]["armsInterventionsModule"]["armGroups"][1]["interventionNames"] = [
        "Drug: Bemab", "Drug: Taxane",
    ]  # fmt: skip
    found = compared(written(project, record))
    assert ("pcr", 5, "events") not in places(found.page("Agrees"))
    assert any("name different arms" in one.why for one in found.unmapped)


def test_two_groups_of_one_arm_are_not_its_result(project, record, compared):
    measures(record)[1]["groups"][2]["title"] = "Almab + Taxane, second part"
    record["protocolSection"]["armsInterventionsModule"]["armGroups"] = []
    found = compared(written(project, record))
    assert ("pcr", 13, "events") not in places([*found.page("Agrees"), *found.page("Differs")])
    assert sum("fit the same row" in one.why for one in found.unmapped) == 2


def test_patients_of_two_groups_of_one_arm_are_not_those_of_the_arm(project, record, compared):
    flow = record["resultsSection"]["participantFlowModule"]
    flow["groups"][2]["title"] = "Almab + Taxane, second part"
    record["protocolSection"]["armsInterventionsModule"]["armGroups"] = []
    found = compared(written(project, record))
    told = places([*found.page("Agrees"), *found.page("Differs")])
    assert [row for table, row, _ in told if table == "arms"] == [2]
    assert sum("2 groups fit the arm alder_a" in one.why for one in found.unmapped) == 2


def test_what_was_only_planned_is_no_fact(project, record, compared):
    protocol = record["protocolSection"]
    protocol["designModule"]["enrollmentInfo"] = {"count": 400, "type": "ESTIMATED"}
    protocol["statusModule"]["startDateStruct"] = {"date": "2009-01", "type": "ESTIMATED"}
    found = compared(written(project, record))
    told = places([*found.page("Agrees"), *found.page("Differs"), *found.page("Could be added")])
    assert {("trials", 2, "n_randomised"), ("trials", 2, "enrolment_start_year")}.isdisjoint(told)


@pytest.mark.parametrize(
    ("held", "found", "page"),
    [
        ("<0.05", "0.03", "Agrees"), ("<0.05", "0.2", "Differs"),
        ("<0.05", "<0.001", "Agrees"), ("<0.001", "<0.05", "Differs"),
        ("0.0004", "<0.001", "Agrees"), ("0.004", "<0.001", "Differs"),
        ("", "<0.001", "Could be added"),
    ],
)  # fmt: skip
def test_a_bound_agrees_with_what_lies_within_it(held, found, page):
    assert page_of(held, found) == page


def test_a_percentage_that_fits_several_counts_is_not_a_count(project, record, compared):
    """45% of 2,000 is any count from 890 to 909."""
    measure = measures(record)[0]
    measure["denoms"][0]["counts"][0]["value"] = "2000"
    measure["classes"][0]["categories"][0]["measurements"][0]["value"] = "45"
    found = compared(written(project, record))
    assert any(
        "no single whole number of 2000 patients is 45%" in one.why for one in found.unmapped
    )


def test_a_percentage_of_no_patients_is_not_a_count(project, record, compared):
    measure = measures(record)[0]
    measure["denoms"][0]["counts"][0]["value"] = "0"
    measure["classes"][0]["categories"][0]["measurements"][0]["value"] = "0"
    found = compared(written(project, record))
    assert any(one.why == "no patients were analysed (denoms is 0)." for one in found.unmapped)


@pytest.mark.parametrize(
    ("with_it", "without_it"),
    [("Total pCR", "No total pCR"), ("pCR", "Non-pCR"), ("No. with pCR", "Residual disease"),
     ("pCR", "Residual disease in the breast"),
     ("In the breast and axilla", "Invasive disease")],
)  # fmt: skip
@pytest.mark.parametrize("level", ["classes", "categories"])
def test_patients_without_the_outcome_are_not_those_with_it(
    project, record, compared, level, with_it, without_it
):
    """The registry lists both, as separate rows or as categories of one row."""
    measure = measures(record)[0]
    measure |= {"paramType": "COUNT_OF_PARTICIPANTS", "unitOfMeasure": "Participants"}
    counts = {with_it: ("49", "29", "22"), without_it: ("58", "75", "76")}
    listed = [
        {"title": title, "measurements": [
            {"groupId": f"OG00{n}", "value": value} for n, value in enumerate(values)
        ]}
        for title, values in counts.items()
    ]  # fmt: skip
    rows = [{"title": one["title"], "categories": [one | {"title": ""}]} for one in listed]
    measure["classes"] = rows if level == "classes" else [{"categories": listed}]
    found = compared(written(project, record))
    agree = places(found.page("Agrees"))
    assert [agree["pcr", row, "events"][1] for row in (2, 5, 8)] == ["49", "29", "22"]
    assert not [line for line in found.page("Differs") if line.table == "pcr"]
    why = [one.why for one in found.unmapped if one.path.startswith(f"{MEASURES}[0].classes")]
    assert why == [f'these are other patients than those of "{with_it}".'] * 3


def test_one_is_said_of_one(project, record, compared):
    found = compared(written(project, record))
    alone = replace(found, lines=found.page("Differs")[:1], unmapped=found.unmapped[:1])
    assert "no values of 1 record agree, 1 differs, " in alone.in_words[-1]
    assert alone.in_words[-1].endswith("1 belongs to no cell.")


def test_a_ratio_the_other_way_round_is_said(project, record, compared):
    analysis = measures(record)[2]["analyses"][0]
    analysis |= {"paramValue": "1.67", "ciLowerLimit": "0.94", "ciUpperLimit": "2.94"}
    lines = compared(written(project, record)).page("Differs")
    (line,) = [line for line in lines if (line.table, line.column) == ("hazard_ratios", "hr")]
    assert line.note.startswith("1/1.67 is 0.60: the record may compare the other way round")


@pytest.mark.parametrize(
    ("found", "said"), [("1.68", True), ("1.65", True), ("1.60", False), ("0.59", False)]
)
def test_a_ratio_may_be_turned_round_as_far_as_both_are_printed(
    project, record, compared, found, said
):
    """1.65 may be 1.6545, of which the reciprocal is 0.604, in the sheet 0.60."""
    measures(record)[2]["analyses"][0] |= {
        "paramValue": found, "ciLowerLimit": "NA", "ciUpperLimit": "NA",
    }  # fmt: skip
    lines = compared(written(project, record)).page("Differs")
    (line,) = [line for line in lines if (line.table, line.column) == ("hazard_ratios", "hr")]
    assert ("the record may compare the other way round" in line.note) is said


@pytest.mark.parametrize(
    ("found", "held"),
    [("1.00", ("1.01", "0.60", "1.70")), ("0", ("2.10", "0.91", "4.82"))],
    ids=["no direction", "no reciprocal"],
)
def test_a_ratio_of_one_or_zero_is_not_the_other_way_round(project, record, found, held):
    """Zero, without events in an arm, ended in a division by zero."""
    measures(record)[2]["analyses"][0] |= {
        "paramValue": found, "ciLowerLimit": "NA", "ciUpperLimit": "NA",
    }  # fmt: skip
    path = written(project, record)
    comparison = with_sheet(
        "hazard_ratios", lambda text: text.replace("0.60,0.34,1.06", ",".join(held)), path
    )
    (line,) = [one for one in comparison.page("Differs") if one.column == "hr"]
    assert (line.held, line.found) == (held[0], found)
    assert "the other way round" not in line.note


def test_a_control_arm_that_is_named_first_is_said(project, record, compared):
    """A row that could be added has no ratio of the sheet that would show the direction."""
    analysis = measures(record)[2]["analyses"][0]
    analysis["groupIds"] = analysis["groupIds"][::-1]
    found = compared(written(project, record))
    path = f"{MEASURES}[2].analyses[0].paramValue"
    (note,) = [line.note for line in found.lines if line.path == path]
    assert "Almab + Taxane against Bemab + Almab + Taxane. The record names the control" in note


def test_a_ratio_under_one_of_two_groups_is_against_the_other(project, compared):
    """Many records name only the group under which the ratio is posted."""
    record = json.loads((RECORDS / "poplar.json").read_text(encoding="utf-8"))
    whole = places(compared(written(project, record)).page("Agrees"))
    analysis = measures(record)[0]["analyses"][0]
    analysis["groupIds"] = analysis["groupIds"][1:]
    found = compared(written(project, record))
    assert places(found.page("Agrees")) == whole
    path = f"{MEASURES}[0].analyses[0].paramValue"
    (note,) = {line.note for line in found.lines if line.path == path}
    assert "Groups: Bemab + Almab + Taxane, the only one that the record names" in note


def test_patients_per_patient_years_are_no_count(project, record, compared):
    measures(record)[1]["paramType"] = "NUMBER"
    measures(record)[1]["unitOfMeasure"] = "Patients with events/ 100 patient-years"
    found = compared(written(project, record))
    why = [one.why for one in found.unmapped if one.path.startswith(f"{MEASURES}[1].classes")]
    assert why
    assert all("is neither patients nor a percentage" in one for one in why)


def test_a_one_sided_limit_is_one_of_a_narrower_two_sided_interval(project, record, compared):
    analysis = measures(record)[2]["analyses"][0]
    analysis["ciNumSides"] = "ONE_SIDED"
    del analysis["ciLowerLimit"]
    differ = places(compared(written(project, record)).page("Differs"))
    assert differ["hazard_ratios", 2, "ci_level"] == ("95", "90")


def test_a_one_sided_interval_of_two_limits_has_no_clear_level(project, record, compared):
    """Of 95%, it may be the usual interval beside a one-sided test; 90% would shift its weight."""
    measures(record)[2]["analyses"][0]["ciNumSides"] = "ONE_SIDED"
    found = compared(written(project, record))
    assert ("hazard_ratios", 2, "ci_level") not in places(found.lines)
    assert any("two limits, so its level (95%) is not taken" in line.note for line in found.lines)


@pytest.mark.parametrize(
    "title",
    ["Percentage of Participants Without Pathological Complete Response (ypT0/is ypN0)",
     "Failure to Achieve tpCR", "Distant pCR and disease"],
)  # fmt: skip
def test_a_measure_of_something_else_that_names_the_outcome_is_not_mapped(
    project, record, compared, title
):
    """Patients with residual disease would be pooled as responders."""
    before = compared(written(project, record))
    assert [line for line in before.lines if line.table == "pcr"]
    for measure in measures(record)[:2]:
        measure["title"] = title
    found = compared(written(project, record))
    assert not [line for line in found.lines if line.table == "pcr"]
    assert [one for one in found.unmapped if one.what == title]


@pytest.mark.parametrize("category", ["Residual disease", "No tpCR", "No", "Missing/not evaluable"])
def test_a_lone_category_that_is_not_the_outcome_is_not_mapped(project, record, compared, category):
    for measure in measures(record)[:2]:
        for held in measure["classes"]:
            held["categories"][0]["title"] = category
    found = compared(written(project, record))
    assert not [line for line in found.lines if line.table == "pcr"]


@pytest.mark.parametrize(
    ("printed", "taken"),
    [("<0.001", "<0.001"), ("≤ .05", "<0.05"), ("P = 0.03", "0.03"), ("p<0.01", "<0.01"),
     ("0.0004", "0.0004"), (".04", "0.04"), ("n.s.", None)],
)  # fmt: skip
def test_a_bound_of_a_p_value_stays_a_bound(project, record, compared, printed, taken):
    measures(record)[2]["analyses"][0]["pValue"] = printed
    added = places(compared(written(project, record)).page("Could be added"))
    assert added.get(("hazard_ratios", 2, "p_value")) == (taken and ("", taken))


def test_more_patients_with_a_response_than_were_analysed_are_no_count(project, record, compared):
    measurement = measures(record)[1]["classes"][0]["categories"][0]["measurements"][1]
    measurement["value"] = "999"
    found = compared(written(project, record))
    (why,) = [one.why for one in found.unmapped if one.value == "999"]
    assert why == "it is not a number of the 104 patients analysed."


def test_who_was_analysed_may_be_a_part_of_the_patients(project, record, compared):
    measures(record)[0]["populationDescription"] = "The subgroup that had surgery."
    found = compared(written(project, record))
    assert not any(line.path.startswith(f"{MEASURES}[0]") for line in found.lines)
    (why,) = [one.why for one in found.unmapped if one.path == f"{MEASURES}[0]"]
    assert why == 'it is about a part of the patients ("subgroup").'


def test_who_was_analysed_in_unknown_words_stands_beside_the_difference(project, record, compared):
    """Patients who had surgery may not be the patients of the sheet's row."""
    measures(record)[0]["populationDescription"] = "All participants who had surgery."
    lines = compared(written(project, record)).page("Differs")
    (line,) = [one for one in lines if (one.table, one.row, one.column) == ("pcr", 8, "events")]
    assert "Analysed: All participants who had surgery." in line.note
    assert line.note.endswith("The record does not say in known words: population")


@pytest.mark.parametrize(
    ("called", "instead"),
    [
        ("Hazard Ratio, log", "logarithm"), ("Log Hazard Ratio", "logarithm"),
        ("Hazard Ratio (log-rank)", ""), ("Inverse Hazard Ratio", "inverse"),
        ("Hazard Ratio (reciprocal)", "inverse"), ("Hazard Ratio, inverse-variance weighted", ""),
    ],
)  # fmt: skip
def test_what_is_made_of_a_ratio_is_not_the_ratio(project, record, compared, called, instead):
    measures(record)[2]["analyses"][0]["paramType"] = called
    found = compared(written(project, record))
    path = f"{MEASURES}[2].analyses[0]"
    assert any(line.path.startswith(path) for line in found.lines) is not bool(instead)
    why = [one.why for one in found.unmapped if one.path == path]
    assert why == ([f"it is the {instead} of a ratio."] if instead else [])


# ---------------------------------------------------- what each field of a record is taken for

ALL_MEASURES = ("resultsSection", "outcomeMeasuresModule", "outcomeMeasures")
RATIO = (*ALL_MEASURES, 2, "analyses", 0)
TIMES = (*ALL_MEASURES, 2, "classes", 0, "categories", 0, "measurements")
BOTH_MEDIANS = [{"groupId": "OG000", "value": "40.1"}, {"groupId": "OG001", "value": "33.2"}]
DESIGN = ("protocolSection", "designModule")
VALUE_OF_PCR = f"{MEASURES}[0].classes[0].categories[0].measurements[0].value"
REGISTERED = ("protocolSection", "armsInterventionsModule", "armGroups")
EVENTS = ("resultsSection", "adverseEventsModule")


def more(*parts):
    """A list with further elements at its end."""
    return lambda old: [*old, *parts]


def changed(record, changes):
    for path, value in changes.items():
        *steps, last = path
        part = record
        for step in steps:
            part = part[step]
        part[last] = value(part.get(last)) if callable(value) else value
    return record


# Changes of the record of ALDER, the cell with which it is then compared, and both values.
TAKEN = {
    "blinded twice": (
        {(*DESIGN, "designInfo", "maskingInfo", "masking"): "DOUBLE"},
        ("Differs", ("trials", 2, "blinded"), ("no", "yes")),
    ),
    "not randomised": (
        {(*DESIGN, "designInfo", "allocation"): "NON_RANDOMIZED"},
        ("Differs", ("trials", 2, "randomised"), ("yes", "no")),
    ),
    "a later period does not say who was randomised": (
        {("resultsSection", "participantFlowModule", "periods"): more({"milestones": [
            {"type": "STARTED", "achievements": [{"groupId": "FG000", "numSubjects": "90"}]},
        ]})},
        ("Agrees", ("arms", 2, "n_randomised"), ("107", "107")),
    ),
    "who was treated is not who was randomised": (
        {("resultsSection", "participantFlowModule", "periods", 0, "milestones"): more(
            {"type": "Received treatment", "achievements": [
                {"groupId": "FG000", "numSubjects": "106"},
            ]},
        )},
        ("Agrees", ("arms", 2, "n_randomised"), ("107", "107")),
    ),
    "who was analysed is said before the description": (
        {(*ALL_MEASURES, 0, "populationDescription"): "Intention-to-treat population.",
         (*ALL_MEASURES, 0, "description"): "Evaluable patients are listed elsewhere."},
        ("Agrees", ("pcr", 2, "events"), ("49", "49")),
    ),
    "patients analysed in a class count before those of the measure": (
        {(*ALL_MEASURES, 1, "classes", 0, "denoms"): [
            {"units": "Participants", "counts": [{"groupId": "OG000", "value": "105"}]},
        ]},
        ("Differs", ("pcr", 12, "n"), ("107", "105")),
    ),
    "lesions are not patients": (
        {(*ALL_MEASURES, 1, "denoms"): more(
            {"units": "Lesions", "counts": [{"groupId": "OG000", "value": "200"}]},
        )},
        ("Agrees", ("pcr", 12, "n"), ("107", "107")),
    ),
    "the title says the definition before the description": (
        {(*ALL_MEASURES, 0, "description"): "No invasive cells in the breast, by local pathology."},
        ("Agrees", ("pcr", 2, "events"), ("49", "49")),
    ),
    "of two assessors none is said": (
        {(*ALL_MEASURES, 2, "description"): "By independent review and by the investigator."},
        ("Agrees", ("hazard_ratios", 2, "hr"), ("0.60", "0.60")),
    ),
    "of two registered arms of one title none is meant": (
        {REGISTERED: lambda old: [
            {"label": "Almab + Taxane", "interventionNames": ["Drug: Bemab", "Drug: Taxane"]}, *old,
        ]},
        ("Agrees", ("pcr", 5, "events"), ("29", "29")),
    ),
    "the median of the experimental arm": (
        {TIMES: BOTH_MEDIANS},
        ("Could be added", ("hazard_ratios", 2, "median_experimental_months"), ("", "40.1")),
    ),
    "the median of the control arm": (
        {TIMES: BOTH_MEDIANS},
        ("Could be added", ("hazard_ratios", 2, "median_control_months"), ("", "33.2")),
    ),
    "a median in weeks": (
        {TIMES: BOTH_MEDIANS, (*ALL_MEASURES, 2, "unitOfMeasure"): "Weeks"},
        ("Could be added", ("hazard_ratios", 2, "median_control_months"), None),
    ),
    "a mean is no median": (
        {TIMES: BOTH_MEDIANS, (*ALL_MEASURES, 2, "paramType"): "MEAN"},
        ("Could be added", ("hazard_ratios", 2, "median_control_months"), None),
    ),
    "a median of a part of the patients": (
        {TIMES: BOTH_MEDIANS, (*ALL_MEASURES, 2, "classes", 0, "title"): "Stage III"},
        ("Could be added", ("hazard_ratios", 2, "median_control_months"), None),
    ),
    "a p value is two-sided where its comment says so": (
        {(*RATIO, "pValueComment"): "Two-sided."},
        ("Could be added", ("hazard_ratios", 2, "p_sided"), ("", "two")),
    ),
    "a two-sided interval says nothing of the p value": (
        {(*RATIO, "estimateComment"): "Two-sided interval."},
        ("Could be added", ("hazard_ratios", 2, "p_sided"), ("", "")),
    ),
    "nor does one of the description": (
        {(*ALL_MEASURES, 2, "description"): "By the investigator, two-sided interval."},
        ("Could be added", ("hazard_ratios", 2, "p_sided"), ("", "")),
    ),
    "a one-sided limit of 97.5%": (
        {(*RATIO, "ciNumSides"): "ONE_SIDED", (*RATIO, "ciPctValue"): "97.5"},
        ("Agrees", ("hazard_ratios", 2, "ci_level"), ("95", "95")),
    ),
    "a one-sided limit of 98.75%": (
        {(*RATIO, "ciNumSides"): "ONE_SIDED", (*RATIO, "ciPctValue"): "98.75"},
        ("Differs", ("hazard_ratios", 2, "ci_level"), ("95", "97.5")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_a_field_is_taken_for_what_it_says(project, record, compared, case):
    changes, (page, place, values) = TAKEN[case]
    found = compared(written(project, changed(record, changes)))
    assert places(found.page(page)).get(place) == values


# Changes of the record of ALDER, the path that is then not mapped, and the reason.
NOT_TAKEN = {
    "a ratio of some patients, in the description of its groups": (
        {(*RATIO, "groupDescription"): "Receptor-positive patients"},
        f"{MEASURES}[2].analyses[0]", 'it is about a part of the patients ("receptor-positive").',
    ),
    "a ratio of some patients, in its comment": (
        {(*RATIO, "estimateComment"): "In the subgroup with stage III."},
        f"{MEASURES}[2].analyses[0]", 'it is about a part of the patients ("subgroup").',
    ),
    "three groups": (
        {(*RATIO, "groupIds"): ["OG000", "OG001", "OG002"]},
        f"{MEASURES}[2].analyses[0]", "it compares 3 groups, not two.",
    ),
    "an odds ratio": (
        {(*RATIO, "paramType"): "Odds Ratio (OR)"},
        f"{MEASURES}[2].analyses[0]", "it is no hazard ratio.",
    ),
    "a ratio that is not available": (
        {(*RATIO, "paramValue"): "NA"},
        f"{MEASURES}[2].analyses[0]", "the value is not available (NA).",
    ),
    "a median that is not available": (
        {TIMES: [{"groupId": "OG000", "value": "NA"}, BOTH_MEDIANS[1]]},
        f"{MEASURES}[2].classes[0].categories[0].measurements[0].value",
        "the value is not available (NA).",
    ),
    "two outcomes": (
        {(*ALL_MEASURES, 2, "title"): "Event-free Survival (EFS) and Overall Survival (OS)"},
        f"{MEASURES}[2]", "its title names several outcomes: EFS, OS.",
    ),
    "an arm registered as experimental and as comparator": (
        {REGISTERED: more({"label": "Bemab + Taxane", "type": "ACTIVE_COMPARATOR"})},
        f"{MEASURES}[2].analyses[1]",
        "neither the sheet nor the record says which arm is the experimental one: alder_a, "
        "alder_b.",
    ),
    "two arms registered as experimental": (
        {REGISTERED: lambda old: [one | {"type": "EXPERIMENTAL"} for one in old]},
        f"{MEASURES}[2].analyses[1]",
        "neither the sheet nor the record says which arm is the experimental one: alder_a, "
        "alder_b.",
    ),
    "a comparator that is not registered": (
        {REGISTERED: lambda old: [old[0], old[2]]},
        f"{MEASURES}[2].analyses[1]",
        "neither the sheet nor the record says which arm is the experimental one: alder_a, "
        "alder_b.",
    ),
    "two phases": (
        {(*DESIGN, "phases"): ["PHASE3", "PHASE4"]},
        "protocolSection.designModule.phases", "the sheet has one phase a trial.",
    ),
    "no phase": (
        {(*DESIGN, "phases"): ["NA"]},
        "protocolSection.designModule.phases", "it is no phase that the sheet knows.",
    ),
    "a proportion of 1": (
        {(*ALL_MEASURES, 1, "paramType"): "NUMBER",
         (*ALL_MEASURES, 1, "unitOfMeasure"): "proportion of participants",
         (*ALL_MEASURES, 1, "classes", 0, "categories", 0, "measurements", 1, "value"): "1"},
        f"{MEASURES}[1].classes[0].categories[0].measurements[1].value",
        'the unit "proportion of participants" is neither patients nor a percentage.',
    ),
    "a mean of percentages": (
        {(*ALL_MEASURES, 0, "paramType"): "MEAN"}, VALUE_OF_PCR,
        "its values are means, not numbers of patients.",
    ),
    "a percentage of something else": (
        {(*ALL_MEASURES, 0, "unitOfMeasure"): "percentage of ejection fraction"}, VALUE_OF_PCR,
        'the unit "percentage of ejection fraction" is no percentage of patients.',
    ),
    "a percentage where others than patients were analysed": (
        {(*ALL_MEASURES, 0, "unitOfMeasure"): "percentage",
         (*ALL_MEASURES, 0, "denoms"): more({"units": "Breasts", "counts": []})}, VALUE_OF_PCR,
        "the percentages may be of Breasts, not of patients.",
    ),
    "a percentage by its title, patients by its unit": (
        {(*ALL_MEASURES, 0, "unitOfMeasure"): "participants",
         (*ALL_MEASURES, 0, "classes", 0, "categories", 0, "measurements", 0, "value"): "46"},
        VALUE_OF_PCR, "its title says percentage, its unit patients.",
    ),
    "a count by its type, a percentage by its unit": (
        {(*ALL_MEASURES, 0, "paramType"): "COUNT_OF_PARTICIPANTS"}, VALUE_OF_PCR,
        "its values are called both a count and a percentage.",
    ),
    "a ratio of some patients, in the title of a group": (
        {(*ALL_MEASURES, 2, "groups", 0, "title"): "Bemab + Almab + Taxane, receptor-positive"},
        f"{MEASURES}[2].analyses[0]", 'it is about a part of the patients ("receptor-positive").',
    ),
    "some of the patients who started": (
        {("resultsSection", "participantFlowModule", "groups", 0, "title"):
         "Bemab + Almab + Taxane, receptor-positive"},
        "resultsSection.participantFlowModule.periods[0].milestones[0].achievements[0].numSubjects",
        'it is about a part of the patients ("receptor-positive").',
    ),
    "one blinded": (
        {(*DESIGN, "designInfo", "maskingInfo", "masking"): "SINGLE"},
        "protocolSection.designModule.designInfo.maskingInfo.masking",
        "it does not say whether patients and physicians were blinded.",
    ),
    "events of some patients": (
        {(*EVENTS, "eventGroups", 1, "title"): "Almab + Taxane, receptor-positive"},
        "resultsSection.adverseEventsModule.eventGroups[1]",
        'it is about a part of the patients ("receptor-positive").',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_what_a_field_does_not_say_is_not_taken(project, record, compared, case):
    changes, path, why = NOT_TAKEN[case]
    found = compared(written(project, changed(record, changes)))
    assert [one.why for one in found.unmapped if one.path == path] == [why]
    assert not [line for line in found.lines if re.match(rf"{re.escape(path)}(\W|$)", line.path)]
    assert not [row for row in found.rows if row.path == path]


def harms_of(found, arm):
    """Definition, events and n of heart failure in an arm, in rows that could be added."""
    return [
        tuple(row.cells[name] for name in ("definition", "events", "n"))
        for row in found.rows
        if row.cells.get("arm_id") == arm and row.cells.get("outcome") == "heart_failure"
    ]


def test_serious_and_other_events_are_told_apart(project, record, compared):
    record[EVENTS[0]][EVENTS[1]]["otherEvents"].append({
        "term": "Cardiac failure",
        "stats": [{"groupId": "EG000", "numAffected": 9, "numAtRisk": 106}],
    })  # fmt: skip
    found = compared(written(project, record))
    assert harms_of(found, "alder_ab") == [
        ("Cardiac failure: serious adverse events only, as registered", "2", "106"),
        ("Cardiac failure: without serious adverse events, as registered, above 5%", "9", "106"),
    ]
    assert [events for _, events, _ in harms_of(found, "alder_b")] == ["0"]


def test_every_patient_may_have_had_a_serious_event(project, record, compared):
    group = record[EVENTS[0]][EVENTS[1]]["eventGroups"][0]
    group["seriousNumAffected"] = group["seriousNumAtRisk"]
    found = compared(written(project, record)).rows
    events = [
        row.cells["events"]
        for row in found
        if (row.cells.get("arm_id"), row.cells.get("outcome"))
        == ("alder_ab", "serious_adverse_event")
    ]
    assert events == [str(group["seriousNumAtRisk"])]


def test_a_threshold_of_zero_leaves_no_event_out(project, record, compared):
    events = record[EVENTS[0]][EVENTS[1]]
    events["frequencyThreshold"] = "0"
    events["otherEvents"].append({
        "term": "Cardiac failure",
        "stats": [{"groupId": "EG000", "numAffected": 9, "numAtRisk": 106}],
    })  # fmt: skip
    definitions = [definition for definition, *_ in harms_of(
        compared(written(project, record)), "alder_ab"
    )]  # fmt: skip
    assert definitions[1] == "Cardiac failure: without serious adverse events, as registered"


def test_a_term_is_an_outcome_only_as_a_whole(project, record, compared):
    record[EVENTS[0]][EVENTS[1]]["seriousEvents"][0]["term"] = "Cardiac failure chronic"
    found = compared(written(project, record))
    assert harms_of(found, "alder_ab") == []
    assert "2 other terms" in {one.what for one in found.unmapped}


def test_what_is_said_of_the_analysis_counts_before_the_title(project, record, compared):
    """The title says final, but this ratio is from the primary analysis, which the sheet lacks."""
    changes = {(*RATIO, "groupDescription"): "Primary analysis"}
    found = compared(written(project, changed(record, changes)))
    added = {row.cells["hr"]: row.cells["analysis"] for row in found.rows if "hr" in row.cells}
    assert added == {"0.60": "primary", "0.87": "final"}


def test_a_one_sided_interval_is_said_beside_each_value(project, record, compared):
    found = compared(written(project, changed(record, {(*RATIO, "ciNumSides"): "ONE_SIDED"})))
    notes = {
        line.note for line in found.lines if line.path.startswith(f"{MEASURES}[2].analyses[0]")
    }
    assert all("The record's interval is one-sided" in note for note in notes)


def test_a_p_value_that_the_sheet_cannot_hold_is_said(project, record, compared):
    found = compared(written(project, changed(record, {(*RATIO, "pValue"): "> 0.99"})))
    assert ("hazard_ratios", 2, "p_value") not in places(found.lines)
    notes = {
        line.note for line in found.lines if line.path.startswith(f"{MEASURES}[2].analyses[0]")
    }
    assert notes
    assert all('The record\'s p value is "> 0.99"' in note for note in notes)


def test_a_title_that_is_silent_on_the_partner_may_be_of_any(compared):
    unmapped = {one.path: one.why for one in compared(RECORDS / "ivy.json").unmapped}
    why = unmapped[f"{MEASURES}[0].classes[0].categories[0].measurements[2].value"]
    assert why.startswith("several arms have these agents.")
    assert "ivy_abct" in why


def test_medians_have_their_arm_limits_and_level(compared):
    rows = [row for row in compared(RECORDS / "poplar.json").rows if row.table == "medians"]
    names = ("arm_id", "endpoint", "median_months", "ci_low", "ci_high", "ci_level")
    assert [tuple(row.cells.get(name) for name in names) for row in rows[-2:]] == [
        ("poplar_a", "OS", "40.8", "35.8", "48.3", "95"),
        ("poplar_ab", "OS", "56.5", "49.3", None, "95"),
    ]
    # With two measures of PFS, the reader has to choose one.
    several = "2 results of the record are this row: confirm one"
    assert [several in row.note for row in rows] == [True] * 4 + [False] * 2


@pytest.mark.parametrize("spread", ["Full Range", "Inter-Quartile Range", ""])
def test_a_range_is_no_confidence_interval(project, compared, spread):
    record = json.loads((RECORDS / "poplar.json").read_text(encoding="utf-8"))
    for measure in measures(record):
        measure["dispersionType"] = spread
    rows = [r for r in compared(written(project, record)).rows if r.table == "medians"]
    assert [row.cells["median_months"] for row in rows[-2:]] == ["40.8", "56.5"]
    assert not [row for row in rows if {"ci_low", "ci_high", "ci_level"} & row.cells.keys()]


def test_medians_of_a_ratio_stand_with_their_arms(compared):
    agree = places(compared(RECORDS / "poplar.json").page("Agrees"))
    assert agree["hazard_ratios", 14, "median_experimental_months"] == ("18.5", "18.5")
    assert agree["hazard_ratios", 14, "median_control_months"] == ("12.4", "12.4")


def with_sheet(table, edit, source=RECORDS / "alder.json"):
    """The comparison of a record, that of ALDER, with the sheet after an edit of one table."""
    path = RAW / f"{table}.csv"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    configuration, _, _ = load(RAW, CONFIG)
    held = held_sheet(RAW, CONFIG, configuration)
    return compare_records(source, held, configuration)


def test_an_article_with_the_number_of_the_trial_is_not_the_record(project):
    def with_number(text):
        header, first, *rest = text.splitlines()
        return "\n".join([f"{header},nct", f"{first},NCT00000001", *(f"{r}," for r in rest)]) + "\n"

    found = with_sheet("sources", with_number)
    assert {row.cells["source_id"] for row in found.rows} == {"nct00000001"}
    assert "sources" in {row.table for row in found.rows}


def test_empty_cells_are_not_filled_in_from_another_result(project, compared):
    """The sheet has 0.68 without a p value, the record 0.69 with one: that of another analysis."""
    found = compared(RECORDS / "poplar.json")
    assert places(found.page("Differs"))["hazard_ratios", 18, "hr"] == ("0.68", "0.69")
    assert ("hazard_ratios", 18, "p_value") not in places(found.page("Could be added"))
    (why,) = [one.why for one in found.unmapped if one.path == f"{MEASURES}[2].analyses[0].pValue"]
    assert why == "its result is another than that of row 18 of hazard_ratios.csv: hr differs."


def test_of_two_rows_of_one_ratio_the_one_with_its_limits_is_meant(project):
    def with_other_limits(text):
        header, first, *rest = text.splitlines()
        other = first.replace("0.34,1.06", "0.32,1.12").replace("Figure 2", "Abstract")
        return "\n".join([header, other, first, *rest]) + "\n"

    agree = places(with_sheet("hazard_ratios", with_other_limits).page("Agrees"))
    assert agree["hazard_ratios", 3, "ci_low"] == ("0.34", "0.34")


# Titles of measures and groups in the registry that concern only some of the patients randomised.
PARTS = (
    "PFS as Determined by BICR in Participants With Brain Metastases at Baseline",
    "Percentage of Participants With pCR in the PD-L1-Positive Population",
    "Progression-Free Survival in Participants With PIK3CA Mutation",
    "PFS in Participants With Wild-type PIK3CA",
    "Placebo + Trastuzumab: Crossover to Pertuzumab",
    "pCR by Hormone Receptor Status",
    "Overall Survival in Participants with Visceral Disease",
    "Per-Protocol Population: All Participants Without Major Deviations",
    "Per protocol set",
)


@pytest.mark.parametrize("title", PARTS)
def test_the_words_of_the_project_know_a_part_of_the_patients(title):
    config = ROOT / "config"
    words = read_registry_words(config, read_configuration(config).outcomes)
    assert named_in(title, {"": words.parts_of_patients})
    assert not named_in("Pathological Complete Response (pCR)", {"": words.parts_of_patients})


# What records say of a response, an analysis or its patients, and the word of the sheet.
SAID = (
    ("definition", "pCR (ypT0/is, ypN0)", ["ypT0/is ypN0"]),
    ("definition", "No invasive cancer in the breast and axillary lymph nodes", ["ypT0/is ypN0"]),
    ("definition", "No invasive cancer in the breast", ["ypT0/is"]),
    ("definition", "ypT0, ypN0", ["ypT0 ypN0"]),
    ("definition", "In the breast and all sampled ipsilateral nodes", ["ypT0/is", "ypT0/is ypN0"]),
    ("definition", "In the breast, regardless of the axilla", ["ypT0/is", "ypT0/is ypN0"]),
    ("population", "Patients not evaluable were counted as non-responders", ["ITT", "evaluable"]),
    ("population", "All evaluable patients", ["evaluable"]),
    ("stratified", "Non stratified Cox model", ["no"]),
    ("stratified", "Un-stratified log-rank", ["no"]),
)


@pytest.mark.parametrize(("column", "text", "words"), SAID)
def test_the_words_of_the_project_are_read_as_meant_or_left_open(column, text, words):
    """Nodes do not say whether they count; with two words the cell stays open."""
    config = ROOT / "config"
    known = read_registry_words(config, read_configuration(config).outcomes)
    assert sorted(named_in(text, known.columns[column])) == words


@pytest.mark.parametrize(
    "title",
    ["Number of Participants With pCR or RCB-I", "iDFS Including Second Primary Non-Breast Cancer"],
)
def test_the_words_of_the_project_know_a_wider_outcome(title):
    config = ROOT / "config"
    known = read_registry_words(config, read_configuration(config).outcomes)
    assert named_in(title, {"": known.other_outcomes})


def test_other_forms_of_a_download_hold_records_too(project, record, compared):
    other = json.loads((RECORDS / "ivy.json").read_text(encoding="utf-8"))
    for content in ({"studies": [record, other]}, [record, other]):
        assert len(compared(written(project, content)).files) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  heart_failure: [cardiac", "  heart_failur: [cardiac", 'Did you mean "heart_failure"?'),
        ("    local: [local", "    locl: [local", '"locl" is not a word of the column assessor.'),
        ("serious_events: serious_adverse_event", "serious_events: any", '"any" is not an outcome'),
        ("ratio: [hazard ratio]", "ratios: [hazard ratio]", '"ratios" is not known here.'),
    ],
)
def test_a_word_of_the_configuration_that_fits_nothing_is_said_by_the_check(
    project, capsys, old, new, message
):
    path = CONFIG / "registry.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert re.search(r"^registry\.yaml, line \d+", said, re.MULTILINE)
    assert message in said


def test_a_workbook_that_is_open_is_not_written_anew(project, capsys):
    Path(f".~lock.{BOOK}#").touch()
    assert main(["registry", "--file", str(RECORDS), "--book", str(BOOK)]) == 1
    assert capsys.readouterr().err.startswith(f"{BOOK} is open in a spreadsheet program, ")
    assert not BOOK.exists()


def test_an_agent_that_the_sheet_does_not_have_is_said(project, capsys):
    path = CONFIG / "registry.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("almab-x:", "almab-y:"), "utf-8")
    assert main(["registry", "--file", str(RECORDS), "--book", str(BOOK)]) == 1
    assert "registry.yaml: agents: almab-y is not in agents.csv." in capsys.readouterr().err


# ----------------------------------------------------------------------- what cannot be read


@pytest.fixture
def refused(compared):
    """The messages on a file that is refused."""

    def told(path):
        with pytest.raises(SheetError) as error:
            compared(path)
        return str(error.value)

    return told


def spoilt(record, path, value):
    """The record with another value at a path; None removes the name."""
    *steps, last = path
    part = record
    for step in steps:
        part = part[step]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return record


FIRST = ("resultsSection", "outcomeMeasuresModule", "outcomeMeasures", 0)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("protocolSection", "identificationModule", "nctId"), None,
         "protocolSection.identificationModule.nctId: nothing is there; expected NCT and eight"),
        (("protocolSection", "identificationModule", "nctId"), "NCT00000099",
         '"NCT00000099" is there; expected the nct of a trial in trials.csv'),
        ((*FIRST, "groups", 0, "id"), 5,
         f"{MEASURES}[0].groups[0].id: 5 is there; expected a text"),
        ((*FIRST, "groups"), {"OG000": "A"},
         f'{MEASURES}[0].groups: an object with "OG000" is there; expected a list'),
        ((*FIRST, "denoms", 0, "counts", 0, "value"), "-3",
         'counts[0].value: "-3" is there; expected a whole number'),
        ((*FIRST, "classes", 0, "categories", 0, "measurements", 1, "value"), "NaN",
         'measurements[1].value: "NaN" is there; expected a number'),
        ((*FIRST, "classes", 0, "categories", 0, "measurements", 1, "value"), True,
         "measurements[1].value: true is there; expected a number"),
        ((*FIRST, "classes", 0, "categories", 0, "measurements", 1, "value"), float("nan"),
         "measurements[1].value: NaN is there; expected a number"),
        *(((*FIRST, "classes", 0, "categories", 0, "measurements", 1, "value"), odd,
           f'measurements[1].value: "{odd}" is there; expected a number up to 1e12')
          for odd in ("1e308", "1e999")),
        ((*FIRST, "classes", 0, "categories", 0, "measurements", 1, "groupId"), "OG009",
         'measurements[1].groupId: "OG009" is there; expected one of groups: OG000'),
        ((*FIRST, "title"), "x" * 40_000,
         f"{MEASURES}[0].title: a text of 40,000 characters is there"),
        ((*FIRST, "title"), "a\u0000b", f"{MEASURES}[0].title: "),
        (("resultsSection", "adverseEventsModule", "eventGroups", 0, "seriousNumAffected"), 900,
         "eventGroups[0].seriousNumAffected: 900 is there; expected at most seriousNumAtRisk"),
        (("resultsSection", "outcomeMeasuresModule", "outcomeMeasures", 2, "analyses", 0,
          "ciLowerLimit"), "1.60", 'analyses[0].ciLowerLimit: "1.60" is there; expected a limit'),
        (("protocolSection", "statusModule"), [],
         "statusModule: a list of 0 is there; expected an object"),
        (("protocolSection", "statusModule", "startDateStruct", "date"), "March 2008",
         'startDateStruct.date: "March 2008" is there; expected a date'),
    ],
)  # fmt: skip
def test_an_odd_field_is_located(project, record, refused, path, value, message):
    said = refused(written(project, spoilt(record, path, value)))
    assert said.startswith("record.json, ")
    assert message in said


def test_a_record_that_cannot_be_taken_leaves_everything_as_it_was(project, record, capsys):
    before = sheet_files()
    path = written(project, spoilt(record, (*FIRST, "groups", 0, "id"), 5))
    assert main(["registry", "--file", str(path), "--book", str(BOOK)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"record.json, {MEASURES}[0].groups[0].id: 5 is there; expected a text.",
        "Nothing was written.",
    ]
    assert not BOOK.exists()
    assert sheet_files() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "record.json: this is not JSON"),
        ("<html>", "record.json: this is not JSON"),
        ('{"FullStudiesResponse": {}}', 'an object with "FullStudiesResponse" is no record'),
        ("[]", "record.json: the file holds no record."),
        ("17", "record.json: 17 is no record"),
        ("[" * 200_000, "nested more than 40 deep"),
        ('{"protocolSection": ' + '{"a":' * 60 + "1" + "}" * 61, "nested more than 40 deep"),
        ('{"protocolSection": {}, "protocolSection": {}}', "this name occurs twice"),
        ("1" * 5000, "too many digits"),
    ],
)
def test_a_file_that_is_no_record_is_said(project, refused, content, message):
    assert message in refused(written(project, content))


def test_every_fault_of_every_file_is_told_at_once(project, record, refused):
    folder = project / "records"
    folder.mkdir()
    first = spoilt(copy.deepcopy(record), (*FIRST, "groups", 0, "id"), 5)
    first = spoilt(first, (*FIRST, "denoms"), "none")
    written(folder, first, "a.json")
    written(folder, "{", "b.json")
    said = refused(folder)
    assert said.count("a.json, ") == 2
    assert "b.json: this is not JSON" in said


def test_the_lock_file_of_an_editor_is_no_record(project, record):
    folder = project / "locked"
    folder.mkdir()
    written(folder, record, "a.json")
    written(folder, "owner", "~$a.json")
    assert list(read_records(folder)) == ["a.json"]


def test_one_record_twice_is_refused(project, record, refused):
    said = refused(written(project, [record, record]))
    assert "record.json, [1]: NCT00000001 is already in record.json, [0]." in said


# ------------------------------------------------------------------------------ the workbook


@pytest.fixture(scope="module")
def written_once(known, tmp_path_factory):
    """The workbook of all records. Do not modify it."""
    book = tmp_path_factory.mktemp("book") / BOOK
    write_registry_book(compare_records(RECORDS, known[3], known[1]), known[3], book)
    return book


@pytest.fixture
def made(known, compared, project, written_once):
    """The workbook of records."""

    def write(source=None):
        if source or BOOK.exists():
            write_registry_book(compared(source or RECORDS), known[3], BOOK)
        else:
            shutil.copyfile(written_once, BOOK)
        return load_workbook(BOOK)

    return write


@pytest.fixture
def taken(known):
    """The sheet with the confirmed lines of the workbook, before it is checked and imported."""

    def take():
        write_confirmed(BOOK, RAW, known[2], known[3], Path("confirmed"))
        return Path("confirmed")

    return take


def confirm(book, sheet, *rows, by="QQ", **cells):
    page = book[sheet]
    header = [cell.value for cell in page[1]]
    for row in rows or range(2, page.max_row + 1):
        for name, text in {"Confirmed by": by, **cells}.items():
            page.cell(row, header.index(name) + 1).value = text
    book.save(BOOK)


def rows_of(folder, table):
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_that_could_be_added_stands_with_its_path(made, compared):
    page = made()[NEW]
    header = [cell.value for cell in page[1]]
    line = dict(zip(header, [cell.value for cell in page[2]], strict=True))
    assert line["Where in the record"] == f"{MEASURES}[2].analyses[1]"
    assert line["Remark"].startswith("Groups: Almab + Taxane against Bemab + Taxane")


@pytest.mark.parametrize("p_value", ["0.6", ""])
def test_the_sides_of_a_p_value_are_asked_for(made, project, record, p_value):
    """The sheet takes no p value without them."""
    measures(record)[2]["analyses"][1]["pValue"] = p_value
    page = made(written(project, record))[NEW]
    at = [cell.value for cell in page[1]].index("p_sided") + 1
    assert (page.cell(2, at).fill.fill_type == "solid") is bool(p_value)


def test_nothing_in_the_workbook_is_a_formula(made):
    texts = [cell for page in made() for row in page.iter_rows() for cell in row if cell.value]
    assert [cell for cell in texts if "=HYPERLINK(" in str(cell.value)]
    assert {cell.data_type for cell in texts} == {"s"}
    assert [cell.coordinate for cell in texts if cell.hyperlink] == []


def test_a_hostile_title_is_text_even_where_it_begins_the_cell(made, project, record):
    record["protocolSection"]["identificationModule"]["briefTitle"] = "=1+1"
    record["protocolSection"]["sponsorCollaboratorsModule"]["leadSponsor"]["name"] = "@SUM(1)"
    page = made(written(project, record))["Could be added, sources"]
    cells = {cell.value: cell.data_type for cell in page[2]}
    assert (cells["=1+1"], cells["@SUM(1)"]) == ("s", "s")


def test_nothing_enters_the_sheet_unconfirmed(project, capsys):
    before = sheet_files()
    assert main(["registry", "--file", str(RECORDS), "--book", str(BOOK)]) == 0
    said = capsys.readouterr().out
    place = f"{MEASURES}[2].analyses[0].paramValue"
    row = "hazard_ratios.csv, row 18 (poplar), column hr"
    assert f'{row}: the sheet has "0.68", the record "0.69" ({place}).' in said
    assert main(["import", "--book", str(BOOK)]) == 0
    assert sheet_files() == before


def test_what_is_confirmed_is_imported_as_any_workbook_is(made, project, capsys):
    confirm(made(), "Could be added, hazard_ratios")
    assert main(["import", "--book", str(BOOK)]) == 0
    row, source = rows_of(RAW, "hazard_ratios")[-1], rows_of(RAW, "sources")[-1]
    assert (row["hr"], row["source_id"], row["verification"]) == ("0.87", "nct00000001", "primary")
    assert (source["source_id"], source["nct"], source["type"]) == (
        "nct00000001", "NCT00000001", "registry",
    )  # fmt: skip
    assert len(rows_of(RAW, "sources")) == 18
    assert "Imported: sources.csv, hazard_ratios.csv." in capsys.readouterr().out


def test_what_the_check_of_the_sheet_refuses_is_located_in_the_workbook(made, project, capsys):
    before = sheet_files()
    book = made()
    page = book["Could be added"]
    p_value = next(line[0].row for line in page.iter_rows() if line[3].value == "p_value")
    confirm(book, "Could be added", p_value)
    confirm(book, "Could be added, harms", 3, events="9", n="8")
    assert main(["import", "--book", str(BOOK)]) == 1
    said = capsys.readouterr().err.splitlines()
    (events,) = [line for line in said if "9 events in 8 patients are impossible" in line]
    assert events.startswith("harms.csv, row ")
    assert events.endswith(
        " The row was taken from registry.xlsx, sheet Could be added, harms, row 3."
    )
    (sided,) = [line for line in said if "the row has a p value: enter one or two" in line]
    assert sided.startswith("hazard_ratios.csv, row 2 (alder), column p_sided: ")
    assert sided.endswith(f" from registry.xlsx, sheet Could be added, row {p_value}.")
    assert sheet_files() == before


def test_a_confirmed_difference_is_a_second_reading_and_changes_no_number(made, taken):
    confirm(made(), "Differs", 2, 3)
    folder = taken()
    reading = rows_of(folder, "second_reading")[-1]
    assert reading["row_key"] == "arm_id=alder_b;definition=ypT0/is ypN0;subgroup=all"
    assert (reading["field"], reading["verdict"]) == ("events|reported_percent", "differ")
    assert (reading["first_value"], reading["second_value"]) == ("22|22.4", "23|23.5")
    assert reading["second_source"] == "registry record NCT00000001"
    assert reading["locator"].endswith("measurements[2].value (QQ)")
    assert rows_of(folder, "pcr") == rows_of(RAW, "pcr")


def test_a_confirmed_difference_is_told_by_its_columns(made, known):
    confirm(made(), "Differs", 2, 3)
    said = write_confirmed(BOOK, RAW, known[2], known[3], Path("confirmed")).said
    assert said[0] == (
        "pcr.csv, row 8 (alder), events, reported_percent: the record differs, and waits for "
        "adjudication."
    )


def test_a_second_reading_is_told_with_the_line_it_was_taken_from(made, known):
    """By its row: that of an earlier reading would be told with a line nobody took it from."""
    confirm(made(), "Differs", 2)
    places = write_confirmed(BOOK, RAW, known[2], known[3], Path("confirmed")).places
    last = len(rows_of(Path("confirmed"), "second_reading")) + 1
    assert places["second_reading", last] == "registry.xlsx, sheet Differs, row 2"


def test_what_is_filled_in_is_noted_beside_the_notes_of_its_own_row(made, taken):
    path = RAW / "hazard_ratios.csv"
    header, first, *rest = path.read_text(encoding="utf-8").splitlines()
    own, other = (line.removesuffix(",,") for line in (first, rest[0]))
    lines = [header, f"{own},Read off a plot.,", f"{other},Of another row.,", *rest[1:]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    book = made()
    rows = [
        cells[0].row
        for cells in book["Could be added"].iter_rows(min_row=2)
        if (cells[1].value, cells[2].value) == ("hazard_ratios", "2")
    ]
    for row in rows:
        if book["Could be added"].cell(row, 4).value == "p_sided":
            book["Could be added"].cell(row, 6).value = "two"
    confirm(book, "Could be added", *rows)
    noted = [row["note"] for row in rows_of(taken(), "hazard_ratios")]
    assert noted[0].startswith("Read off a plot; ")
    assert noted[0].endswith(" from the registry record (QQ)")
    assert noted[1] == "Of another row."


def test_a_confirmed_difference_of_a_trial_replaces_the_cell(made, taken, project, record):
    record["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = 311
    book = made(written(project, record))
    assert [cell.value for cell in book["Differs"][2]][:6] == [
        "alder", "trials", "2", "n_randomised", "309", "311",
    ]  # fmt: skip
    confirm(book, "Differs", 2)
    row = rows_of(taken(), "trials")[0]
    assert row["n_randomised"] == "311"
    assert row["note"] == "n_randomised (was 309) from the registry record (QQ)"


@pytest.mark.parametrize("columns", [("events",), ("n",), ("events", "n")])
def test_agreement_that_is_confirmed_is_first_hand(made, taken, columns):
    path = RAW / "pcr.csv"
    line = "alder,alder_a,ypT0/is,ITT,local,all,33,104,31.7,abel_2014_alder,Table 2,"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"{line}primary", f"{line}secondary"), encoding="utf-8")
    book = made()
    rows = [
        cells[0].row
        for cells in book["Agrees"].iter_rows(min_row=2)
        if (cells[1].value, cells[2].value) == ("pcr", "13") and cells[3].value in columns
    ]
    assert len(rows) == len(columns)
    confirm(book, "Agrees", *rows)
    folder = taken()
    # If one of its numbers was not confirmed, the row is not verified.
    read = "primary" if len(columns) == 2 else "secondary"
    assert rows_of(folder, "pcr")[11]["verification"] == read
    assert rows_of(folder, "second_reading")[-1]["verdict"] == "agree"


@pytest.mark.parametrize(
    ("sheet", "row", "cells", "message"),
    [
        ("Differs", 2, {"by": "yes"}, 'Confirmed by: "yes" is not the initials of a reader'),
        ("Differs", 2, {"by": "x"}, '"x" is not the initials of a reader'),
        ("Differs", 2, {"Which row": "trial_id=ivy"}, "pcr.csv, row 8 is now another row, trial_"),
        ("Differs", 2, {"In the sheet": "21"}, 'column events no longer holds "21". Make a new'),
        ("Differs", 2, {"In the record": "many"}, '"many" is not a whole number'),
        ("Differs", 2, {"In the record": True}, "turned what was typed into a logical value"),
        ("Agrees", 3, {"In the record": "2009"}, 'it does not agree with "2008" of the sheet.'),
        ("Could be added", 3, {}, "p_sided: the cell is empty."),
        ("Could be added, hazard_ratios", 2, {"assessor": None}, "column assessor: "),
        ("Could be added, hazard_ratios", 2, {"hr": "low"}, 'column hr: "low" is not a number'),
    ],
)
def test_what_cannot_be_taken_is_located(made, taken, sheet, row, cells, message):
    confirm(made(), sheet, row, **cells)
    with pytest.raises(SheetError) as refused:
        taken()
    (said,) = (problem.line() for problem in refused.value.problems)
    assert said.startswith(f"registry.xlsx, sheet {sheet}, row {row}")
    assert message in said
    assert not Path("confirmed").exists()


# In a row that could be added: a number format, a value, and the text that a reader sees.
SHOWN = [
    ("hr", 0.9, "0.00", "0.90"),
    ("hr", 0.87, "General", "0.87"),
    ("n_control", 104, "#,##0", "104"),
    ("locator", "Table\u00a02", "@", "Table 2"),
]
CHANGED = [
    ("p_value", 0.05, "0%", '"5%" is not a p value.'),
    ("events_control", True, "General", "into a logical value (TRUE)."),
    ("locator", datetime.datetime(2026, 9, 12), "d-mmm", "into a date: 12 September 2026"),
    ("n_control", 45912, "0", "45912 is probably the date 12 September 2025"),
    ("hr", "=0.9", "General", 'a formula without a value: "=0.9".'),
]


@pytest.mark.parametrize(("column", "value", "number_format", "seen"), SHOWN)
def test_a_cell_is_taken_as_it_is_shown(made, taken, column, value, number_format, seen):
    fill(made(), column, value, number_format)
    assert rows_of(taken(), "hazard_ratios")[-1][column] == seen


@pytest.mark.parametrize(("column", "value", "number_format", "message"), CHANGED)
def test_a_cell_that_the_spreadsheet_changed_is_located(
    made, taken, column, value, number_format, message
):
    fill(made(), column, value, number_format)
    with pytest.raises(SheetError) as refused:
        taken()
    (said,) = (problem.line() for problem in refused.value.problems)
    place = f"registry.xlsx, sheet {NEW}, row 2 (alder), column {column}: "
    assert said.startswith(place)
    assert message in said


def fill(book, column, value, number_format):
    """Fill in a cell of the first row that could be added, and confirm the row."""
    page = book[NEW]
    cell = page.cell(2, [cell.value for cell in page[1]].index(column) + 1)
    cell.value, cell.number_format = value, number_format
    confirm(book, NEW, 2)


def again(page, **cells):
    """Repeat the first line below the last one."""
    header = [cell.value for cell in page[1]]
    line = dict(zip(header, [cell.value for cell in page[2]], strict=True)) | cells
    page.append([*line.values()])


def merge_confirmed(page):
    page.merge_cells(start_row=2, end_row=3, start_column=10, end_column=10)


def beside(page):
    page.cell(2, page.max_column + 1).value = "MB"


def column_again(page):
    page.cell(1, page.max_column + 1).value = "Confirmed by"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (column_again, "2 columns have the name Confirmed by."),
        (beside, 'cell K2 holds "MB", but its column has no name in row 1'),
        (merge_confirmed, "the cells J2:J3 are merged into one."),
        (lambda page: again(page, **{"In the record": "25"}), 'sheet Differs, row 2 says "23" of'),
    ],
)
def test_no_confirmation_is_passed_over(made, taken, edit, message):
    """Each of these was once lost without a message."""
    book = made()
    book["Differs"].cell(2, 10).value = "QQ"
    edit(book["Differs"])
    book.save(BOOK)
    with pytest.raises(SheetError, match=message):
        taken()
    with pytest.raises(RequestError, match="holds confirmations that would be lost"):
        made()


def second_hand(table, line):
    """Make a row of the sheet second-hand, given by its beginning."""
    path = RAW / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    (row,) = (one for one in text.splitlines() if one.startswith(line))
    path.write_text(text.replace(row, row.replace("primary", "secondary")), encoding="utf-8")


def agreeing(book, table, row, *columns):
    return [
        cells[0].row
        for cells in book["Agrees"].iter_rows(min_row=2)
        if (cells[1].value, cells[2].value) == (table, row) and cells[3].value in columns
    ]


def test_a_result_is_not_put_together_from_two_measures(made, taken):
    """Events of one measure and patients of another are a result that nobody reported."""
    book = made()
    events, n = agreeing(book, "pcr", "13", "events", "n")
    path = book["Agrees"].cell(n, 7)
    path.value = re.sub(r"outcomeMeasures\[\d+\]", "outcomeMeasures[9]", path.value)
    confirm(book, "Agrees", events, n)
    with pytest.raises(SheetError, match="are of different outcome measures"):
        taken()


def test_a_result_is_not_put_together_from_two_analyses(made, taken):
    """A stratified ratio with the interval of the unstratified one is a result of nobody."""
    book = made()
    ratio, low, high = agreeing(book, "hazard_ratios", "2", "hr", "ci_low", "ci_high")
    for row in (low, high):
        path = book["Agrees"].cell(row, 7)
        path.value = path.value.replace("analyses[0]", "analyses[9]")
    confirm(book, "Agrees", ratio, low, high)
    with pytest.raises(SheetError, match="are of different analyses, so no analysis has this"):
        taken()


def test_patients_analysed_belong_to_each_analysis_of_the_measure(made, taken):
    book = made()
    lines = agreeing(book, "hazard_ratios", "2", "hr", "ci_low", "ci_high", "n_control")
    confirm(book, "Agrees", *lines)
    assert rows_of(taken(), "second_reading")[-1]["verdict"] == "agree"


@pytest.mark.parametrize(("level", "verification"), [("90", "secondary"), ("95", "primary")])
def test_a_result_whose_level_differs_is_not_verified(
    made, taken, project, record, level, verification
):
    """With limits of 90% taken for 95%, the trial has another weight."""
    second_hand("hazard_ratios", "alder,alder_ab,alder_a,EFS")
    book = made(written(project, changed(record, {(*RATIO, "ciPctValue"): level})))
    confirm(book, "Agrees", *agreeing(book, "hazard_ratios", "2", "hr", "ci_low", "ci_high"))
    assert rows_of(taken(), "hazard_ratios")[0]["verification"] == verification


def test_a_difference_of_another_measure_is_none_of_the_result_that_was_read(
    made, taken, project, record
):
    """The record has the ratio of the sheet, and another one of a later measure."""
    second_hand("hazard_ratios", "alder,alder_ab,alder_a,EFS")
    later = copy.deepcopy(measures(record)[2])
    later["analyses"] = [later["analyses"][0] | {"paramValue": "0.75", "ciUpperLimit": "1.10"}]
    measures(record).append(later)
    book = made(written(project, record))
    differ = {tuple(cell.value for cell in cells[1:4]) for cells in book["Differs"].iter_rows()}
    assert ("hazard_ratios", "2", "hr") in differ
    confirm(book, "Agrees", *agreeing(book, "hazard_ratios", "2", "hr", "ci_low", "ci_high"))
    assert rows_of(taken(), "hazard_ratios")[0]["verification"] == "primary"


def test_a_value_that_is_not_the_records_is_not_taken_for_it(made, taken):
    """A cell filled down by mistake would be cited as the registry's."""
    book = made()
    found = [cell.value for cell in book["Differs"][1]].index("In the record") + 1
    line = next(
        cells[0].row for cells in book["Differs"].iter_rows(min_row=2) if cells[3].value == "events"
    )
    book["Differs"].cell(line, found).value = "24"
    confirm(book, "Differs", line)
    with pytest.raises(SheetError, match="the record has another value or place"):
        taken()


@pytest.mark.parametrize(("by", "readers"), [("QQ", "QQ"), ("RR", "QQ, RR")])
def test_a_line_that_stands_twice_is_one_reading(made, taken, by, readers):
    book = made()
    confirm(book, "Differs", 2)
    again(book["Differs"], **{"Confirmed by": by})
    book.save(BOOK)
    reading = rows_of(taken(), "second_reading")[-1]
    assert [reading[name] for name in ("field", "first_value", "second_value")] == [
        "events", "22", "23",
    ]  # fmt: skip
    assert reading["locator"].endswith(f"measurements[2].value ({readers})")


def test_the_note_names_who_confirmed_what_was_filled_in(made, taken, project, record):
    """Not those who confirmed a difference in the same row."""
    measures(record)[2]["denoms"][0]["counts"][1]["value"] = "103"
    book = made(written(project, record))
    differs, added = book["Differs"].max_row, book["Could be added"].max_row
    confirm(book, "Differs", differs)
    confirm(book, "Could be added", added - 1, by="RR")
    confirm(book, "Could be added", added, by="SS", **{"In the record": "two"})
    folder = taken()
    row = rows_of(folder, "hazard_ratios")[0]
    assert (row["hr"], row["n_control"], row["p_value"], row["p_sided"]) == (
        "0.60", "104", "0.08", "two",
    )  # fmt: skip
    assert row["note"].endswith("p_value, p_sided from the registry record (RR, SS)")
    reading = rows_of(folder, "second_reading")[-1]
    assert (reading["first_value"], reading["second_value"]) == ("104", "103")
    assert reading["locator"].endswith("denoms[0].counts[1].value (QQ)")


def test_a_reading_that_differs_in_one_number_differs_as_a_whole(made, taken):
    """Events and patients agree, but not the percentage: the row is not verified."""
    path = RAW / "pcr.csv"
    text = path.read_text(encoding="utf-8")
    line = "ITT,local,all,49,107,45.8,abel_2014_alder,Table 2,"
    assert f"{line}primary" in text
    other = line.replace("45.8", "45.5")
    path.write_text(text.replace(f"{line}primary", f"{other}secondary"), encoding="utf-8")
    configuration, sheet, _ = load(RAW, CONFIG)
    held = held_sheet(RAW, CONFIG, configuration)
    write_registry_book(compare_records(RECORDS / "alder.json", held, configuration), held, BOOK)
    book = load_workbook(BOOK)
    for page, columns, by in (
        ("Agrees", {"events", "n"}, "QQ"),
        ("Differs", {"reported_percent"}, "RR"),
    ):
        lines = [
            cells[0].row
            for cells in book[page].iter_rows(min_row=2)
            if (cells[1].value, cells[2].value) == ("pcr", "2") and cells[3].value in columns
        ]
        assert len(lines) == len(columns)
        confirm(book, page, *lines, by=by)
    write_confirmed(BOOK, RAW, sheet, held, Path("confirmed"))
    reading = rows_of(Path("confirmed"), "second_reading")[-1]
    assert reading["verdict"] == "differ"
    assert {*reading["field"].split("|")} == {"events", "n", "reported_percent"}
    assert reading["locator"].endswith("(RR, QQ)")
    assert rows_of(Path("confirmed"), "pcr")[0]["verification"] == "secondary"


def test_initials_with_an_umlaut_are_taken(made, taken):
    confirm(made(), "Differs", 2, 3, by="\u00c4B")
    assert rows_of(taken(), "second_reading")[-1]["locator"].endswith("(\u00c4B)")


def test_what_was_confirmed_goes_to_no_other_row(made, project, capsys):
    """Another row of the same trial and value now has the number of the confirmed one."""
    book = made()
    page = book["Agrees"]
    lines = [line for line in page.iter_rows(min_row=2) if line[1].value == "pcr"]
    confirm(book, "Agrees", *(line[0].row for line in lines if line[3].value == "n"))
    path = RAW / "pcr.csv"
    header, _, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *rest]), encoding="utf-8")
    before = sheet_files()
    assert main(["import", "--book", str(BOOK)]) == 1
    *said, last = capsys.readouterr().err.splitlines()
    assert all("column Which row: pcr.csv, row " in line for line in said)
    assert all("is now another row" in line for line in said)
    assert last == "Nothing was imported; the sheet is unchanged."
    assert sheet_files() == before


def test_the_same_workbook_again_adds_nothing(made, project, capsys):
    book = made()
    confirm(book, "Could be added, hazard_ratios")
    confirm(book, "Could be added", 2)
    confirm(book, "Could be added", 3, **{"In the record": "two"})
    confirm(book, "Differs", 2)
    assert main(["import", "--book", str(BOOK)]) == 0
    before = sheet_files()
    capsys.readouterr()
    assert main(["import", "--book", str(BOOK)]) == 0
    said = capsys.readouterr().out
    assert sheet_files() == before
    assert said.count("is there already.") == 3
    assert "(this reading is there already)" in said


def test_a_sheet_with_another_name_is_not_passed_over(made, taken):
    book = made()
    confirm(book, "Differs", 2)
    book["Differs"].title = "Differ"
    book.save(BOOK)
    with pytest.raises(SheetError, match=r"no sheet to confirm has this name.*Did you mean"):
        taken()
    book["Differ"].title = "_mine"
    book.save(BOOK)
    taken()


def test_a_workbook_whose_sheets_were_renamed_is_told_their_names(made, capsys):
    """The message must not be that every table of the sheet is missing."""
    book = made()
    confirm(book, "Differs", 2)
    for title in book.sheetnames[1:]:
        del book[title]
    book["registry"].title = "Tabelle1"
    book.save(BOOK)
    before = sheet_files()
    assert main(["import", "--book", str(BOOK)]) == 1
    said, last = capsys.readouterr().err.splitlines()
    assert said.startswith(
        "registry.xlsx: no sheet is called worklist (of make worklist), registry (of make registry)"
    )
    assert 'It has: "Tabelle1". Give the sheet its name again.' in said
    assert last == "Nothing was imported; the sheet is unchanged."
    assert sheet_files() == before


def test_a_hidden_confirmation_is_not_imported_unseen(made, taken):
    book = made()
    book["Differs"].row_dimensions[2].hidden = True
    confirm(book, "Differs", 2)
    with pytest.raises(SheetError, match="sheet Differs: row 2 is hidden or filtered out"):
        taken()


def test_a_damaged_workbook_is_said_and_kept(made, taken):
    made()
    cut_short(BOOK, "sheet2")
    kept = BOOK.read_bytes()
    for again in (taken, made):
        with pytest.raises(SheetError, match=r"registry\.xlsx: the file is damaged"):
            again()
    assert BOOK.read_bytes() == kept


def test_confirmations_and_foreign_workbooks_are_not_overwritten(made):
    confirm(made(), "Differs", 2)
    kept = BOOK.read_bytes()
    with pytest.raises(RequestError, match="holds confirmations that would be lost"):
        made()
    assert BOOK.read_bytes() == kept
    other = Workbook()
    other.save(BOOK)
    with pytest.raises(RequestError, match="holds something else"):
        made()


def test_the_same_records_give_the_same_workbook(made):
    made(RECORDS)
    first = BOOK.read_bytes()
    BOOK.unlink()
    made(RECORDS)
    assert BOOK.read_bytes() == first


@pytest.mark.parametrize("typed", ["<0,001", "<", ""])
def test_an_agreement_that_was_overwritten_is_told_with_its_cell(made, known, typed):
    book = made()
    page = book["Agrees"]
    header = [cell.value for cell in page[1]]
    row = next(n for n in range(2, page.max_row + 1)
               if page.cell(n, header.index("Column") + 1).value == "events")  # fmt: skip
    confirm(book, "Agrees", row, **{"In the record": typed})
    with pytest.raises(SheetError) as caught:
        write_confirmed(BOOK, RAW, known[2], known[3], Path("confirmed"))
    (problem,) = caught.value.problems
    assert (problem.row, problem.column) == (row, "In the record")
