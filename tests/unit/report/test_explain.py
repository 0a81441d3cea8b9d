"""Why a row is, or is not, in an analysis: the trails, and requests that are refused."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from invented import ROOT
from made_up.project import write_sheet
from trial_evidence.files import records
from trial_evidence.loaded import load
from trial_evidence.report.trail import explain as explaining
from trial_evidence.report.trail.evidence import NetworkTables
from trial_evidence.report.trail.explain import explain, explain_row, explain_trial
from trial_evidence.report.trail.trace import Cells, Shown, Trail

EXPLAINED = ROOT / "tests/sheets/explained.txt"
# Requests as on the command line: a row, or a trial and an analysis.
ASKED = (
    "pcr:2",
    "pcr:10",
    "pcr:22",
    "hazard_ratios:5",
    "hazard_ratios:15",
    "hazard_ratios:26",
    "hazard_ratios:27",
    "hazard_ratios:30",
    "hazard_ratios:32",
    "hazard_ratios:33",
    "trial_c event_free_dual_v_single",
    "trial_f pcr_dual_v_trastuzumab",
    "cohort_e pcr_dual_v_trastuzumab",
)


@pytest.fixture
def row(pooled):
    sheet, configuration, evidence = pooled
    return lambda table, number: explain_row(table, number, sheet, evidence, configuration)


@pytest.fixture
def trial(pooled):
    sheet, configuration, evidence = pooled
    return lambda name, analysis: explain_trial(name, analysis, sheet, evidence, configuration)


@pytest.fixture
def asked(pooled):
    """The trail as printed by `make explain`."""
    sheet, configuration, evidence = pooled

    def trail(what):
        name, _, analysis = what.partition(" ")
        how = (what, "", "") if not analysis else ("", name, analysis)
        return explain(*how, sheet, configuration, evidence)

    return trail


def paragraph(trail, start):
    """The part of a trail that begins with a line."""
    return next(part for part in trail.split("\n\n") if part.startswith(start))


# ---------------------------------------------------------------------------------- golden text


def test_the_trails_read_as_they_did(asked):
    parts = [f"{'-' * 20} {what}\n{asked(what)}" for what in ASKED]
    assert "\n".join(parts) == EXPLAINED.read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------- used rows


def test_a_used_row_is_followed_from_its_cell_to_the_pool(row):
    trail = row("pcr", 2)
    assert trail.startswith("pcr.csv, row 2 (trial_a)\n  cell       42 of 105; trial_a_dual")
    part = paragraph(trail, "pcr_dual_v_trastuzumab (neoadjuvant), all, risk ratio")
    steps = [line.split()[0] for line in part.splitlines()[1:]]
    assert steps == ["contrast", "used", "effect", "weight", "result", "bias", "pooled"]
    # 42/105 v 23/105 is 1.83; log 1.83 +- 1.96 sqrt(0.0482) gives 1.19 to 2.81.
    assert "  result     1.83 (1.19–2.81)" in part


def test_the_judgement_of_a_result_is_told_and_its_lack_with_what_it_does(row):
    assert "  bias       some concerns\n" in row("pcr", 2)
    # The risk of bias of trial C's response is not judged.
    lacking = "  bias       not judged, which counts against the certainty of the pooled result"
    assert lacking in row("pcr", 13)
    # A pooled rate compares nothing.
    assert "bias" not in paragraph(row("pcr", 13), "pcr_rates")


def test_a_lacking_judgement_counts_against_nothing_where_nothing_is_pooled_as_one(pooled):
    sheet, configuration, evidence = pooled
    apart = tuple(
        replace(a, pool="none") if a.id == "pcr_dual_v_trastuzumab" else a
        for a in configuration.analyses
    )
    trail = explain_row("pcr", 13, sheet, evidence, replace(configuration, analyses=apart))
    part = paragraph(trail, "pcr_dual_v_trastuzumab (neoadjuvant), all, risk ratio")
    assert "  bias       not judged\n" in part


def test_a_harm_has_no_judgement_of_a_response(row):
    assert "bias" not in paragraph(row("harms", 2), "diarrhoea_any (neoadjuvant), all, risk ratio")


def test_the_judgement_of_all_patients_is_not_that_of_a_subgroup(row):
    start = "pcr_dual_v_trastuzumab (neoadjuvant), hormone_receptor=positive, risk ratio"
    assert "result" in paragraph(row("pcr", 3), start)
    assert "bias" not in paragraph(row("pcr", 3), start)


def test_a_row_is_followed_through_every_analysis(row):
    headings = re.findall(r"^(\w+) \(neoadjuvant\), all, (.*)$", row("pcr", 2), flags=re.MULTILINE)
    measures = ("risk ratio", "odds ratio", "risk difference")
    assert headings == [
        *(("pcr_dual_v_trastuzumab", measure) for measure in measures),
        ("pcr_rates", "proportion"),
    ]


@pytest.mark.parametrize(
    ("number", "cell"),
    [
        (4, "HR 0.80 (95% 0.50 to 1.28); "),
        (29, "HR 0.80 (90% ? to 1.02); "),
        (24, "HR 0.50 (no interval); "),
    ],
)
def test_a_hazard_ratio_stands_as_it_was_typed(row, number, cell):
    assert row("hazard_ratios", number).splitlines()[1].startswith(f"  cell       {cell}")


def test_a_number_of_another_row_is_not_taken_for_this_one(row):
    # Rows 2 and 22 are used by different trials.
    assert "trial_d" not in row("pcr", 2)
    assert "trial_a" not in row("pcr", 22)


def test_a_row_is_not_told_what_became_of_the_same_number_of_another_table(row):
    # Row 8 of pcr.csv is set aside; row 8 of hazard_ratios.csv belongs to another trial.
    assert "set aside" in row("pcr", 8)
    assert "ypT0/is" not in row("hazard_ratios", 8)
    assert "set aside" not in row("hazard_ratios", 8)


def test_an_excluded_trial_is_shown_with_the_reason(row):
    trail = row("pcr", 22)
    assert trail.count("  pooled     no: Interim report of operated patients only.") == 4
    assert "weight" not in trail


# ------------------------------------------------------------------------------ rows set aside


@pytest.mark.parametrize(
    ("table", "number", "reason"),
    [
        ("pcr", 10, "status is superseded (admitted: current)"),
        ("pcr", 8, "definition: ypT0/is ypN0 is preferred to ypT0/is"),
        ("hazard_ratios", 5, "analysis: final is preferred to primary"),
        ("hazard_ratios", 19, "assessor: BICR is preferred to investigator"),
        ("hazard_ratios", 31, "verification is unverified (admitted: primary, secondary)"),
    ],
)
def test_a_row_set_aside_says_why(row, table, number, reason):
    trail = row(table, number)
    assert f"  set aside  {reason}" in trail.splitlines()
    assert "  weight" not in trail


# ------------------------------------------------------------------- rows nobody looks at


def test_an_endpoint_of_no_analysis(row):
    trail = row("hazard_ratios", 32)
    assert "No analysis uses this row." in trail
    assert "  endpoint   RFI is in no analysis (DFS, EFS, OS, PFS, RFS, iDFS)" in trail


def test_a_factor_of_no_analysis(row):
    trail = row("hazard_ratios", 33)
    assert "  subgroup   node=positive: only hormone_receptor is analysed" in trail


def test_a_trial_with_one_arm(trial):
    assert trial("cohort_e", "pcr_dual_v_trastuzumab") == (
        "cohort_e has no row that pcr_dual_v_trastuzumab uses.\n"
        "  contrast   none: the trial is not randomised or has one arm\n"
    )


def test_a_trial_in_an_analysis_of_another_outcome(trial):
    first, second = trial("trial_f", "pcr_dual_v_trastuzumab").splitlines()
    assert first == "trial_f has no row that pcr_dual_v_trastuzumab uses."
    assert second.startswith("  contrast   dual v single: trial_f_dual v trial_f_single")


# -------------------------------------------------------------------------------- a trial


def test_a_trial_shows_what_was_taken_and_what_was_not(trial):
    trail = trial("trial_c", "event_free_dual_v_single")
    assert "  used       hazard_ratios.csv row 4" in trail
    assert paragraph(trail, "Set aside").splitlines()[1:] == [
        "  hazard_ratios.csv row 5 (EFS, primary, investigator): "
        "analysis: final is preferred to primary",
    ]


def test_a_trial_in_one_analysis_is_not_told_what_another_left_out(trial):
    # The analyses of response set aside three of its rows of pcr.csv.
    assert "pcr.csv row 8" in trial("trial_a", "pcr_dual_v_trastuzumab")
    assert "pcr.csv" not in trial("trial_a", "event_free_dual_v_single")


# -------------------------------------------------------------------- what cannot be explained


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("trials:2", '"trials" is not a table of results. Allowed: pcr, hazard_ratios'),
        ("pcr:1", "pcr.csv has rows 2 to 26; there is no row 1"),
        ("pcr:27", "pcr.csv has rows 2 to 26; there is no row 27"),
        ("trial_x pcr_rates", '"trial_x" is not a trial. Allowed: trial_a, trial_b, '),
        ("trial_a pcr", '"pcr" is not an analysis. Allowed: pcr_dual_v_trastuzumab, '),
        ("pcr", "Name a row, as in ROW=pcr:6, or a trial and an analysis, "),
        ("pcr:two", "Name a row, as in ROW=pcr:6, or a trial and an analysis, "),
        ("", "Name a row, as in ROW=pcr:6, or a trial and an analysis, "),
    ],
)
def test_what_there_is_not(asked, what, message):
    with pytest.raises(LookupError) as caught:
        asked(what)
    assert caught.value.args[0].startswith(message)


def test_a_table_may_be_named_by_its_file(asked):
    assert asked("pcr.csv:2") == asked("pcr:2")


def test_every_row_of_the_sheet_can_be_explained(pooled, row):
    sheet = pooled[0]
    assert {"pcr", "hazard_ratios", "harms", "milestones", "medians"} == {*sheet.results}
    for table in sheet.results:
        for number in sheet[table]["row"]:
            assert row(table, int(number)).startswith(f"{table}.csv, row {number} (")


@pytest.mark.parametrize(
    ("table", "cell"),
    [
        ("milestones", "94.1% at 36 months (95% 93 to 95.2); trial_f_dual, iDFS, ITT, all"),
        ("medians", "median 18.5 months (95% 15 to 23); trial_h_dual, PFS"),
    ],
)
def test_a_row_of_a_table_without_an_analysis_is_told_as_it_stands(row, table, cell):
    trail = row(table, 2)
    assert f"  cell       {cell}\n" in trail
    assert "  verified   primary; " in trail
    assert "; ;" not in trail
    assert f"  table      no analysis takes its results from {table}.csv" in trail
    # Milestones may supply the risks of control arms.
    assert ("absolute effects start may rest on it" in trail) == (table == "milestones")


@pytest.mark.parametrize("which", ["real", "made up"])
def test_every_row_of_any_sheet_can_be_told(pooled, tmp_path, which):
    folder = ROOT
    if which == "made up":
        write_sheet(folder := tmp_path)
    configuration, sheet, _ = load(folder / "data/raw", folder / "config")
    evidence = pooled[2]
    say = explaining._lines(sheet, Trail((), ()), evidence, configuration)
    for table in sheet.results:
        for cell in records(sheet[table]):
            told = say.cell_of(table, cell)
            assert told.startswith(f"{table}.csv, row {cell['row']} ({cell['trial_id']})\n  cell ")
            assert "nan" not in told.splitlines()[1]


def test_a_row_of_a_network_leads_to_its_regimen_and_not_to_a_pair(row, monkeypatch):
    used = {
        "setting": "neoadjuvant", "network": "net", "trial_id": "trial_a", "code": "A",
        "against_code": "", "covariance": "", "readers_differ": "",
        "exclusion_overridden": "an odd dose",
    }  # fmt: skip
    node = Shown("node", used, "A", {"effect_size": "1/2"}, (Cells("pcr", ("2",)),))
    regimen = {"network": "net", "code": "A", "reference": "B", "role": "lead",
               "estimate": 2.0, "ci_low": 1.0, "ci_high": 4.0}  # fmt: skip
    # Interactions of components are estimated by one model only, which is not named.
    pair = {"network": "net", "first": "a", "second": "b", "estimate": 3.0}
    # Another regimen rests on the same row, because the trials are connected.
    other = regimen | {"code": "C", "estimate": 5.0}
    rest = [Shown("network", record, "", {}, (), (node,)) for record in (regimen, pair, other)]
    monkeypatch.setattr(explaining, "trail_of", lambda *_: Trail((node, *rest), ()))
    trail = paragraph(row("pcr", 2), "net (neoadjuvant), network")
    assert trail.splitlines()[-2:] == [
        "  excluded   elsewhere, not in this network: an odd dose",
        "  network    2.00 (1.00–4.00) against B",
    ]


def test_a_contrast_between_two_backbones_says_so(pooled):
    """The difference in the partner is part of the effect."""
    sheet, configuration, evidence = pooled
    found = {
        changed: explain_row(
            "pcr", 2, sheet,
            replace(evidence, trials=evidence.trials.assign(changed_backbone=changed)),
            configuration,
        )
        for changed in ("True", "False")
    }  # fmt: skip
    added = "  contrast   dual v single: trial_a_dual v trial_a_single; added: Pertuzumab"
    assert f"{added}, changed backbone\n" in found["True"]
    assert f"{added}\n" in found["False"]


def test_patients_by_two_factors_are_in_no_analysis_though_each_factor_may_be(pooled):
    sheet, configuration, evidence = pooled
    rows = sheet["pcr"].to_dict("records")
    both = rows[-1] | {
        "row": 99, "trial_id": "trial_a", "subgroup": "hormone_receptor=negative & nodal=positive",
    }  # fmt: skip
    table = pd.DataFrame([*rows, both], columns=sheet["pcr"].columns)
    changed = replace(sheet, tables={**sheet.tables, "pcr": table})
    told = explain_row("pcr", 99, changed, evidence, configuration)
    assert "  subgroup   hormone_receptor=negative & nodal=positive: only " in told


def test_a_trial_in_one_network_is_not_told_what_another_says_of_its_synergy(pooled):
    sheet, configuration, evidence = pooled
    aside = pd.DataFrame(
        {"trial_id": "trial_a", "network": name, "reason": f"Reason in {name}."}
        for name in ("early", "late")
    )
    networks = {"neoadjuvant/early": {"synergy_set_aside": aside}, "neoadjuvant/late": {}}
    trail = Trail((), ({"trial_id": "trial_a", "analysis": "early", "table": "pcr", "row": "2",
                        "what": "pcr", "reason": "Another."},))  # fmt: skip
    changed = replace(evidence, networks=NetworkTables(networks, ()))
    told = explaining._lines(sheet, trail, changed, configuration).asides(
        trail.set_aside, "trial_a", "early"
    )
    assert "synergy within trials: Reason in early." in told
    assert "Reason in late." not in told
