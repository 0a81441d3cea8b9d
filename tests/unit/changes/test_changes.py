"""Effects of an edit of the sheet, compared with a revision in git."""

import contextlib
import html
import io
import math
import re
import shutil
from dataclasses import replace
from functools import cache

import pytest
import yaml
from invented import (
    DUAL_AND_SINGLE,
    POOLING,
    RECEPTOR,
    SETTING,
    analysis,
    configuration,
    extract,
    sheet,
)
from small_project import append_like, edited_yaml, git, replace_text, small_project
from trial_evidence.changes.compare import EstimateChange, differing, estimate_changes
from trial_evidence.changes.networks import (
    NetworkChanges,
    Side,
    _estimates,
    _same_methods,
    network_changes,
)
from trial_evidence.changes.page import Section
from trial_evidence.changes.revision import SheetDifference
from trial_evidence.changes.risks import risks_in_words
from trial_evidence.changes.stage import _level
from trial_evidence.changes.verdicts import (
    Judged,
    _domains_that_changed,
    answers_in_question,
    changed_judgements,
    first_hand_in_words,
    judgements_in_words,
)
from trial_evidence.cli import main
from trial_evidence.config.methods import LeadRule
from trial_evidence.config.networks import Background, SynergyAnalysis, read_networks
from trial_evidence.config.reports import read_report_configuration
from trial_evidence.loaded import DICTIONARY, load
from trial_evidence.network.examined import examined, synergy_of
from trial_evidence.report.absolute.control_risks import StartingRisk
from trial_evidence.report.tables.certainty import Certainty, Domain
from trial_evidence.report.tables.claims import Verdict
from trial_evidence.sheet import read_dictionary
from trial_evidence.sheet.cells import Row
from trial_evidence.watch import changes_in_words, state_of
from trial_evidence.workbook.difference import TableDifference


@pytest.fixture
def changes(project, capsys):
    """Run the command; return the page, which is also printed on the terminal."""

    def run(*arguments):
        assert main(["changes", *arguments]) == 0, capsys.readouterr().err
        page = (project / "results/changes.md").read_text(encoding="utf-8")
        assert capsys.readouterr().out == page
        return page

    return run


# Edits used by several tests: table, old text, new text.
CORRECTED = ("hazard_ratios", "0.71,0.57,0.88,95,0.002", "0.75,0.60,0.94,95,0.012")
CROSSED = ("hazard_ratios", "0.71,0.57,0.88,95,0.002", "0.85,0.69,1.05,95,0.13")
NOTED = ("pcr", ",first report", ",a first report")


@pytest.fixture(scope="module")
def edited(committed, tmp_path_factory):
    """The repository after an edit, and the page of its comparison. Do not modify it."""

    @cache
    def after(edit):
        folder = shutil.copytree(committed, tmp_path_factory.mktemp("edited") / "project")
        replace_text(folder, *edit)
        said = io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(said):
            assert main(["changes"]) == 0
        return folder, said.getvalue()

    return after


NO_JUDGEMENT = "No verdict and no certainty changed."


def page_of(project):
    return (project / "results/changes.html").read_text(encoding="utf-8")


def table(page):
    """The estimates of a page: (analysis, population, when, k, estimate, tau2, PI, model)."""
    page = page.partition("## Networks")[0]
    lines = [line for line in page.splitlines() if line.startswith("| ")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    for before, after in zip(cells[::2], cells[1::2], strict=True):
        yield tuple(before), tuple(after)


def append_trial(project):
    """Append another trial with the arms of trial K."""
    append_like(project, "sources", "doe_2020_trial_k", "doe_2020_trial_k", "doe_2020_trial_z")
    append_like(project, "trials", "trial_k", "trial_k,TRIAL-K,NCT00000012", "trial_z,TRIAL-Z,")
    append_like(project, "arms", "trial_k,trial_k_dual", "trial_k", "trial_z")
    append_like(project, "arms", "trial_k,trial_k_single", "trial_k", "trial_z")


def test_who_watches_is_told_what_was_and_what_is():
    def state(hr, low, high):
        row = {"trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single",
               "hr": hr, "ci_low": low, "ci_high": high}  # fmt: skip
        content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=[row])
        return state_of(configuration(analysis()), content)

    was, now = state(0.8, 0.64, 0.99), state(0.9, 0.75, 1.08)
    line, *_ = changes_in_words(was, now)
    assert f"{SETTING}/comparison, all: " in line
    assert "0.80 (0.64–0.99), k = 1 -> 0.90 (0.75–1.08), k = 1; " in line
    assert line.endswith("was below no effect and is now compatible with no effect")
    assert list(changes_in_words(now, now)) == [
        "No pooled estimate changes. For networks and verdicts, see make changes."
    ]


def test_an_analysis_that_loses_its_only_trial_is_told():
    row = {"trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single"}
    there, gone = (
        {SETTING: extract(sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=rows), analysis())}
        for rows in ([row], [])
    )
    methods = (configuration(analysis()),) * 2
    for before, after, sides in ((there, gone, (0.8, None)), (gone, there, (None, 0.8))):
        first, *_ = estimate_changes(before, after, methods)
        assert first.subgroup == "all"
        found = [side and side["estimate"] for side in (first.before, first.after)]
        assert found == [side and pytest.approx(side) for side in sides]


def test_a_trial_that_is_left_out_by_a_decision_changes_its_analysis():
    row = {"trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single"}
    free, left = (
        {SETTING: extract(
            sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=[row], exclusions=decisions), analysis()
        )}
        for decisions in ([], [{"trial_id": "t1"}])
    )  # fmt: skip
    (told, *_) = estimate_changes(free, left, (configuration(analysis()),) * 2)
    assert told.before["estimate"] == pytest.approx(0.8)
    assert told.after is None


ESTIMATE = {"k": 3.0, "estimate": 0.8, "ci_low": 0.6, "ci_high": 1.1, "tau2": 0.01, "pi_low": 0.4,
            "pi_high": 1.6, "model": "random_reml_hk"}  # fmt: skip
KEY = ("early", "comparison", "hazard_ratio", "all", "")


@pytest.mark.parametrize(
    "change",
    [{"k": 4.0}, {"estimate": 0.79}, {"ci_low": 0.61}, {"ci_high": 1.2}, {"tau2": 0.02},
     {"pi_low": 0.3}, {"pi_high": 1.7}, {"model": "bayesian"}],
)  # fmt: skip
def test_whatever_is_shown_of_an_estimate_is_told_where_it_changes(change):
    (told,) = differing({KEY: ESTIMATE}, {KEY: ESTIMATE | change})
    assert (told.before, told.after) == (ESTIMATE, ESTIMATE | change)


def test_an_estimate_that_stays_is_not_told_and_one_that_went_is():
    assert list(differing({KEY: ESTIMATE}, {KEY: dict(ESTIMATE)})) == []
    (gone,), (new,) = differing({KEY: ESTIMATE}, {}), differing({}, {KEY: ESTIMATE})
    assert (gone.before, gone.after) == (ESTIMATE, None)
    assert (new.before, new.after) == (None, ESTIMATE)


@pytest.mark.parametrize(
    ("measure", "ends", "now"),
    [
        ("hazard_ratio", (0.7, 0.99), "below no effect"),
        ("hazard_ratio", (1.01, 1.4), "above no effect"),
        ("hazard_ratio", (0.95, 1.4), ""),
        ("risk_difference", (0.01, 0.4), "above no effect"),
        # Of a network: synergy within trials.
        ("difference_from_expected", (0.01, 0.4), "above no effect"),
        ("ratio_to_expected", (1.01, 1.4), "above no effect"),
        ("risk_difference", (-0.02, 0.4), ""),
    ],
)
def test_a_conclusion_changes_where_an_interval_leaves_no_effect(measure, ends, now):
    open_ = {"ci_low": 0.9, "ci_high": 1.1} if "ratio" in measure else {
        "ci_low": -0.1, "ci_high": 0.1}  # fmt: skip
    after = dict(zip(("ci_low", "ci_high"), ends, strict=True))
    change = EstimateChange("early", "comparison", measure, "all", "", open_, after)
    said = f"the interval was compatible with no effect and is now {now}" if now else ""
    assert change.conclusion == said


def test_a_verdict_is_told_as_it_was_and_as_it_is():
    was, now = (
        Judged({}, {"It helps.": Verdict(verdict, reason)})
        for verdict, reason in (("probable", "Nearly."), ("supported", "Clearly."))
    )
    assert [*judgements_in_words(was, now, {})] == [
        "Verdict on “It helps”: was probable, is now supported. Clearly."
    ]


def test_certainty_is_told_as_it_was_and_as_it_is():
    place = ("early", "comparison")
    was, now = (
        Judged({place: Certainty(*place, (Domain("risk_of_bias", found, "High 50%.", "AB"),))}, {})
        for found in ("serious", "very_serious")
    )
    assert [*judgements_in_words(was, now, {place: "A comparison"})] == [
        "Certainty: A comparison: was moderate, is now low. Risk of bias, very serious: High 50%."
    ]


def test_a_judgement_that_a_person_confirms_is_told():
    by_rule, confirmed = (
        Certainty("early", "comparison", (Domain("risk_of_bias", "serious", "High 50%.", who),))
        for who in ("", "AB, 2026-03-01")
    )
    assert _domains_that_changed(by_rule, confirmed) == "Risk of bias, serious: High 50%."
    assert _domains_that_changed(confirmed, confirmed) == ""


# ------------------------------------------------------------------ a changed configuration


@pytest.fixture(scope="module")
def side(committed):
    """The committed sheet and configuration, with only its smallest network."""
    raw, config = committed / "data/raw", committed / "config"
    configuration, content, _ = load(raw, config)
    networks = read_networks(config, configuration)
    (smallest,) = (
        network for network in networks.networks
        if (network.setting, network.id) == ("metastatic_pretreated", "overall_survival_network")
    )  # fmt: skip
    networks = replace(networks, networks=(smallest,), synergy=(), surrogacy=())
    return Side(content, configuration, networks, read_report_configuration(config, configuration))


def test_a_network_that_is_shown_against_another_regimen_is_compared(side):
    """Its rows are the same, so comparing only rows would report no change."""
    (network,) = side.networks.networks
    dual = "trastuzumab+tucatinib|concurrent|chemotherapy"
    turned = replace(network, reference=dual)
    after = replace(side, networks=replace(side.networks, networks=(turned,)))
    found = {change.regimen: change for change in network_changes(side, after).estimates}
    assert set(found) == {"T+Tuc+CT v T+CT", "T+CT v T+Tuc+CT"}
    assert found["T+Tuc+CT v T+CT"].after is None
    # 1 / 0.71
    assert found["T+CT v T+Tuc+CT"].after["estimate"] == pytest.approx(1 / 0.71)
    assert network_changes(side, side).estimates == ()


@pytest.mark.parametrize(
    "change",
    [{"confidence_level": 90.0}, {"tau_priors": {}},
     {"pooling": replace(POOLING, tau2_estimator="DL")}],
)  # fmt: skip
def test_networks_of_the_same_rows_are_compared_by_other_methods(side, change):
    after = replace(side, configuration=replace(side.configuration, **change))
    assert not _same_methods(side, after)
    assert _same_methods(side, side)


def test_a_component_that_cannot_be_estimated_has_no_estimate_to_compare(side):
    """It would be told as a number that is none."""
    (evidence,) = side.evidence_of_networks["metastatic_pretreated"].values()
    tables = examined(evidence, synergy_of(evidence.network, side.networks), side.configuration)[2]
    components = tables["components"]
    lost = components.loc[components["estimate"].notna(), "component"].iloc[0]
    without = components.assign(
        estimate=components["estimate"].mask(components["component"] == lost)
    )
    told, rest = (
        {key[-1] for key, _ in _estimates(evidence, {**tables, "components": of}, side)}
        for of in (components, without)
    )
    assert told - rest == {f"component {lost}"}


def test_an_effect_of_a_network_rests_on_the_trials_of_its_part(side):
    """Not on those of parts that no trial connects with it."""
    (evidence,) = side.evidence_of_networks["metastatic_pretreated"].values()
    tables = examined(evidence, synergy_of(evidence.network, side.networks), side.configuration)[2]
    part = tables["summary"].assign(trials=7)
    found = _estimates(evidence, {**tables, "summary": part}, side)
    assert {row["k"] for key, row in found if " v " in key[-1]} == {7}


def test_a_synergy_that_is_asked_otherwise_is_compared(side):
    (network,) = side.networks.networks
    asked = SynergyAnalysis(network.id, network.setting, "Synergy", (Background(0.1, "invented"),))
    after = replace(side, networks=replace(side.networks, synergy=(asked,)))
    assert not _same_methods(side, after)


def test_another_level_changes_the_results_of_the_same_rows():
    """Otherwise no estimate would be reported to differ, but the next run would give others."""
    row = {"trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single",
           "hr": 0.8, "ci_low": 0.64, "ci_high": 1.0}  # fmt: skip
    before = configuration(analysis())
    found = {SETTING: extract(sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=[row]), analysis())}
    assert estimate_changes(found, found, (before, before)) == ()
    after = replace(before, confidence_level=99.0)
    (told, *_) = estimate_changes(found, found, (before, after))
    # 0.8 exp(2.5758 log(1.25) / 1.9600) at 99%
    assert told.before["ci_high"] == pytest.approx(1.0)
    assert told.after["ci_high"] == pytest.approx(1.0727, abs=1e-4)


def test_more_trials_asked_of_a_factor_change_what_is_told_of_it():
    arms = {
        trial: [arm | {"arm_id": f"{trial}_{arm['arm_id']}"} for arm in DUAL_AND_SINGLE]
        for trial in ("t1", "t2")
    }
    rows = [
        {"trial_id": trial, "experimental_arm_id": f"{trial}_dual",
         "control_arm_id": f"{trial}_single", "subgroup": subgroup}
        for trial in arms
        for subgroup in ("all", *RECEPTOR.subgroups)
    ]  # fmt: skip
    asked = analysis(effect_modifiers=(RECEPTOR,))
    found = {SETTING: extract(sheet(arms, hazard_ratios=rows), asked)}
    of_two = configuration(asked)
    of_three = replace(of_two, effect_modifier_min_trials=3)
    told = estimate_changes(found, found, (of_two, of_three))
    gone = {change.subgroup for change in told if change.after is None}
    assert gone == {"receptor", "receptor=negative", "receptor=positive"}


def test_another_interval_of_the_mean_changes_the_results_of_the_same_rows():
    effects = (-0.9, -0.5, -0.1, 0.3)
    rows = [
        {"trial_id": f"t{at}", "experimental_arm_id": f"dual{at}", "control_arm_id": f"single{at}",
         "hr": math.exp(y), "ci_low": math.exp(y - 1.96 * 0.2), "ci_high": math.exp(y + 1.96 * 0.2)}
        for at, y in enumerate(effects)
    ]  # fmt: skip
    arms = {
        row["trial_id"]: [
            arm | {"arm_id": row[f"{side}_arm_id"]}
            for arm, side in zip(DUAL_AND_SINGLE, ("experimental", "control"), strict=True)
        ]
        for row in rows
    }
    leads = replace(POOLING, leading=(LeadRule(from_trials=2, model="random_effects"),))
    wald = replace(leads, estimate_interval="wald", prediction_interval="t_k_minus_1")
    before, after = (replace(configuration(analysis()), pooling=p) for p in (leads, wald))
    found = {SETTING: extract(sheet(arms, hazard_ratios=rows), analysis())}
    (told, *_) = estimate_changes(found, found, (before, after))
    # Equal variances: tau2 + v is the variance of the effects, 0.8 / 3, whatever the estimator.
    half = 1.96 * math.sqrt(0.8 / 3 / 4)
    ends = (told.after["ci_low"], told.after["ci_high"])
    assert ends == pytest.approx((math.exp(-0.3 - half), math.exp(-0.3 + half)), rel=1e-3)
    assert told.before["ci_low"] < told.after["ci_low"]


def test_other_rules_of_a_judgement_put_every_answer_in_question(side):
    nothing = SheetDifference({}, {})
    stricter = replace(side.report, claim_rules=replace(side.report.claim_rules, probable=0.99))
    sought = replace(side.configuration.sensitivity.required_information, ratio=1.5)
    sensitivity = replace(side.configuration.sensitivity, required_information=sought)
    larger = replace(side.configuration, sensitivity=sensitivity)
    answers = {(a.setting, a.id) for a in side.configuration.answers}
    assert answers
    other = {"more": "fewer", "fewer": "more"}
    outcomes = {
        name: replace(outcome, better=other[outcome.better], label="any", words="any")
        for name, outcome in side.configuration.outcomes.items()
    }
    turned = replace(side.configuration, outcomes=outcomes)
    # Requirements of claims; smallest relevant effect; direction of benefit; no change.
    for change, expected in (
        ({"report": stricter}, answers), ({"configuration": larger}, answers),
        ({"configuration": turned}, answers), ({}, set()),
    ):  # fmt: skip
        sides = (side, replace(side, **change))
        assert answers_in_question((), sides, nothing) == expected


@pytest.mark.parametrize("what", ["added", "removed"])
def test_a_judgement_of_certainty_that_came_or_went_puts_its_answer_in_question(side, what):
    table = read_dictionary(DICTIONARY).tables["certainty"]
    row = (Row(2, {"analysis": "event_free_dual_v_single"}),)
    rows = {"pairs": (), "added": (), "removed": ()} | {what: row}
    difference = SheetDifference({"certainty": TableDifference(table, **rows)}, {})
    found = answers_in_question((), (side, side), difference)
    assert {analysis for _, analysis in found} == {"event_free_dual_v_single"}


@pytest.mark.parametrize("came", [True, False])
def test_control_risks_of_an_answer_that_came_or_went_are_not_told(came):
    """The answer itself is; its risks have not changed."""
    risk = {("adjuvant", "event_free", "60 months"): StartingRisk("60 months", 0.2, "Trial F")}
    sides = ({}, risk) if came else (risk, {})
    assert list(risks_in_words(*sides, {})) == []


# --------------------------------------------------------------------------------- no change


def test_nothing_changed(project, changes):
    page = changes()
    assert "No row of the sheet differs." in page
    assert "No estimate differs." in page
    assert "No row of the sheet differs." in page_of(project)
    assert "No estimate differs." in page_of(project)
    assert not (project / "results/changes.svg").exists()


def test_a_figure_of_an_earlier_comparison_does_not_stay(project, changes):
    replace_text(project, "hazard_ratios", "0.71,0.57,0.88,95,0.002", "0.75,0.60,0.94,95,")
    changes()
    assert (project / "results/changes.svg").is_file()
    git(project, "commit", "--quiet", "--all", "--message", "Correct")
    changes()
    assert not (project / "results/changes.svg").exists()


def test_rows_that_move_change_nothing(project, changes):
    for table_name in ("pcr", "hazard_ratios", "arms", "trials", "sources"):
        path = project / "data/raw" / f"{table_name}.csv"
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        # Trials in the opposite order, the rows of each as they were.
        by_trial = {}
        for row in rows:
            by_trial.setdefault(row.partition(",")[0], []).append(row)
        moved = [row for trial in reversed(by_trial.values()) for row in trial]
        path.write_text("\n".join([header, *moved]) + "\n", encoding="utf-8")
    page = changes()
    assert "No row of the sheet differs." in page
    assert "No estimate differs." in page


def test_a_note_changes_no_estimate(edited):
    _, page = edited(NOTED)
    assert 'note changed from "first report" to "a first report"' in page
    assert "No estimate differs." in page


def test_a_result_that_was_read_first_hand_is_told_though_no_number_changed(project, changes):
    """The share of weight seen only at second hand stands beside every verdict."""
    path = project / "data/raw/hazard_ratios.csv"
    text = path.read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if "0.71,0.57,0.88,95,0.002" in line)
    second = row.replace(",primary,", ",secondary,")
    assert second != row
    path.write_text(text.replace(row, second), encoding="utf-8")
    told = [line for line in matters(changes()) if line.startswith("Read first-hand: ")]
    assert len(told) == 1
    was, of, now = map(int, re.findall(r"\d+", told[0].rpartition(": ")[2]))
    assert (now, was) == (was - 1, of)


@pytest.mark.parametrize("decisions", [[], [{"trial_id": "t1"}]], ids=["pooled", "left out"])
def test_only_trials_that_are_pooled_count_as_read_first_hand(decisions):
    row = {"trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single"}

    def read(verification):
        rows = [row | {"verification": verification}]
        content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=rows, exclusions=decisions)
        return {SETTING: extract(content, analysis())}

    told = [*first_hand_in_words(read("secondary"), read("primary"), {})]
    said = "Read first-hand: comparison: were 0 of 1 trials, are now 1."
    assert told == ([] if decisions else [said])


# ---------------------------------------------------------------------------- a changed number


def test_a_milestone_is_not_said_to_change_nothing(project, changes):
    """Absolute effects start from the risk of control arms by a time, which no analysis pools."""
    replace_text(project, "milestones", "all,36,92.6,91.4,93.8", "all,36,91.6,90.4,92.8")
    page = changes()
    assert (
        "- milestones.csv row 3 is used by no analysis, but absolute effects may start from it "
        "(make explain ROW=milestones:3)\n"
    ) in page


def _risks(page):
    return [line for line in matters(page) if line.startswith("Control risk: ")]


def test_another_control_risk_is_told_with_its_source(project, changes):
    """By hand: 100 - 92.6 and 100 - 91.6; estimates do not depend on it, absolute effects do."""
    replace_text(project, "milestones", "all,36,92.6,91.4,93.8", "all,36,91.6,90.4,92.8")
    page = changes()
    (told,) = _risks(page)
    assert told.endswith(
        ", 36 months: was 7.4%, is now 8.4%; source: TRIAL-F (iDFS; Doe 2020, Journal of Made-up "
        "Results) (of 2 trials)."
    )
    assert matters(page)[0] == NO_JUDGEMENT
    assert "No estimate differs." in page
    assert html.escape(told) in page_of(project)


def test_a_control_risk_from_another_source_is_told_though_it_is_the_same(project, changes):
    row = "trial_f_single,iDFS,ITT,all,36,92.6,91.4,93.8,95,2000,"
    replace_text(project, "milestones", f"{row}doe_2020_trial_f", f"{row}doe_2020_trial_a")
    replace_text(project, "sources", "doe_2020_trial_a,Doe,2020", "doe_2020_trial_a,Roe,2021")
    (told,) = _risks(changes())
    assert ", 36 months: 7.4% as before, but its source was TRIAL-F (iDFS; Doe 2020, " in told
    assert " (of 2 trials), and is now TRIAL-F (iDFS; Roe 2021, " in told


def test_a_control_risk_that_is_no_longer_reported_is_told(project, changes):
    path = project / "data/raw/milestones.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(x for x in lines if "trial_f_single,iDFS,ITT,all,60," not in x))
    (told,) = _risks(changes())
    assert told.endswith(", 60 months: was 13.6%, is now not reported.")


def test_a_control_median_alone_changes_what_absolute_effects_start_from(project, changes):
    """The risk is 50% by definition; what changes is the time, which is given in its source."""
    path = project / "config/report.yaml"
    text = path.read_text(encoding="utf-8")
    first_line = (
        "{setting: metastatic_first_line, analysis: progression_free_dual_v_single, source: "
    )
    other = text.replace(
        f"{first_line}milestones, months: [12, 24]}}", f"{first_line}control_median}}"
    )
    assert other != text
    path.write_text(other, encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--message", "At the median")
    row = "trial_h_single,PFS,primary,20,BICR,all,0.62,0.51,0.75,95,<0.001,two,,400,,400,18.5,"
    replace_text(project, "hazard_ratios", f"{row}12.4", f"{row}99.9")
    (told,) = _risks(changes())
    before, after = told.split(", and is now ")
    assert "moderate: 50.0% as before, but its source was 50% by definition" in before
    assert "12.4" in before
    assert "99.9 months" in after


def test_a_changed_number(edited):
    # Overall survival, pretreated: the estimate is that of the only trial, and its interval is at
    # the trial's own level: 0.75 exp(+-(log 0.94 - log 0.60) / 2) is 0.60 to 0.94.
    _, page = edited(CORRECTED)
    assert "  changed  row 28, trial_k" in page
    assert "hr changed from 0.71 to 0.75" in page
    assert (
        "- hazard_ratios.csv row 28 is used by "
        "metastatic_pretreated/overall_survival_dual_v_single, "
        "metastatic_pretreated/overall_survival_network"
    ) in page
    (all_of_them, subgroup) = table(page)
    assert [line[2:5] for line in all_of_them] == [
        ("before", "1", "Hazard ratio 0.71 (0.57–0.88)"),
        ("after", "1", "Hazard ratio 0.75 (0.60–0.94)"),
    ]
    assert subgroup[0][1] == "tucatinib added"
    assert "No conclusion changed: every interval includes or excludes no difference" in page
    # The only trial of that network: its own result before and after. Its components but tucatinib
    # are in both arms.
    network = page.partition("## Networks")[2]
    found = [tuple(cell.strip() for cell in line.split(" | ")[1:5])
             for line in network.splitlines() if line.startswith("| Overall survival")]  # fmt: skip
    assert found == [
        ("T+Tuc+CT v T+CT, all", "before", "1", "Hazard ratio 0.71 (0.57–0.88)"),
        ("component tucatinib, all", "before", "1", "Hazard ratio 0.71 (0.57–0.88)"),
    ]
    assert network.count("| after | 1 | Hazard ratio 0.75 (0.60–0.94) |") == 2


def test_a_revision_whose_configuration_is_not_sound_is_taken_with_todays(project, changes):
    git(project, "rm", "--quiet", "--cached", "config/networks.yaml")
    git(project, "commit", "--quiet", "--message", "Before the networks")
    replace_text(project, "hazard_ratios", "0.71,0.57,0.88,95,0.002", "0.75,0.60,0.94,95,0.012")
    page = changes()
    note = re.search(r"^The configuration of .*networks\.yaml: The file is missing.*", page, re.M)
    assert note
    assert "compared under today's configuration" in note[0]
    assert html.escape(note[0]) in page_of(project)
    assert next(table(page))[1][4] == "Hazard ratio 0.75 (0.60–0.94)"


def test_an_analysis_that_was_taken_out_is_told_by_its_title_before_the_details(project, changes):
    """Listed only under "other measures", by an id used in two settings, it would be unclear."""
    gone = {"setting": "metastatic_pretreated", "analysis": "progression_free_dual_v_single"}
    analyses, report = (project / f"config/{name}.yaml" for name in ("analyses", "report"))
    asked, judged = (
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in (analyses, report)
    )
    place = (gone["setting"], gone["analysis"])
    (entry,) = (a for a in asked["analyses"] if (a["setting"], a["id"]) == place)
    asked["analyses"].remove(entry)
    for name in ("claims", "control_risks"):
        judged[name] = [
            e for e in judged[name] if not gone.items() <= {**e, **e.get("rule", {})}.items()
        ]
    for path, content in ((analyses, asked), (report, judged)):
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    page = changes()
    title = "Progression-free survival: dual versus single HER2 blockade, pretreated"
    assert re.search(rf"^- {title}: hazard ratio 0\.\d\d .* → none\.$", page, re.M)
    assert f"| {title} | all | before |" in page
    line = f"analyses.yaml, analyses, {'/'.join(place)}: removed ({title})"
    assert f"- {line}\n" in page.partition("## Configuration")[2].partition("## Rows")[0]
    assert f"<li>{html.escape(line)}</li>" in page_of(project)


def test_an_analysis_that_was_renamed_is_told_by_its_title_of_today(project, changes):
    with edited_yaml(project / "config/analyses.yaml") as asked:
        for entry in asked["analyses"]:
            entry["title"] += " (renamed)"
    replace_text(project, *CORRECTED)
    (moved,) = [line for line in matters(changes()) if " → " in line]
    assert " (renamed): hazard ratio 0.71 (0.57–0.88), k = 1 → 0.75" in moved


def test_intervals_of_another_level_are_not_headed_as_those_of_today():
    before = configuration(analysis())
    after = replace(before, confidence_level=90.0)
    for now, heading in ((before, "95%"), (after, "95%, now 90%")):
        section = Section("Estimates", "Analysis", (), {}, _level(before, now), "")
        assert f"Estimate ({heading} interval)" in section.header


def test_analyses_that_are_not_affected_are_not_named(edited):
    project, page = edited(CORRECTED)
    titles = {before[0] for before, _ in table(page)}
    assert titles == {"Overall survival: dual versus single HER2 blockade, pretreated"}
    assert "Progression-free" not in page_of(project)
    assert "neoadjuvant regimens" not in page_of(project)


def test_one_number_of_two_trials_changes_their_mean(project, changes):
    # Events of trial C, dual arm: 49 becomes 39 of 100. The trial alone, versus 30 of 99: risk
    # ratio (39/100) / (30/99) = 1.287 instead of (49/100) / (30/99) = 1.617.
    replace_text(project, "pcr", "ITT,local,all,49,100,49.0", "ITT,local,all,39,100,39.0")
    found = {(b[0], b[1], b[4].partition(" (")[0], a[4].partition(" (")[0])
             for b, a in table(changes())}  # fmt: skip
    title = "Pathological complete response: dual HER2 blockade versus trastuzumab"
    assert (title, "lapatinib added", "Risk ratio 1.62", "Risk ratio 1.29") in found
    # Risk difference: 0.49 - 30/99 = 0.187 becomes 0.39 - 30/99 = 0.087.
    assert (title, "lapatinib added", "Risk difference 0.19", "Risk difference 0.09") in (found)
    # That arm is one of two with the regimen; its rate changes from 49.0% to 39.0%.
    rates = {row for row in found if row[2].startswith("Rate")}
    assert {row[2:] for row in rates} == {("Rate 0.49", "Rate 0.39")}


def test_a_conclusion_that_crosses_no_effect(edited):
    project, page = edited(CROSSED)
    sentence = (
        "Overall survival: dual versus single HER2 blockade, pretreated (all, hazard ratio): "
        "the interval was below no effect and is now compatible with no effect."
    )
    assert f"**{sentence}**" in page
    assert html.escape(sentence) in page_of(project)
    assert "No conclusion changed" not in page + page_of(project)


# ---------------------------------------------------------------------------- what matters first


def matters(page):
    """The lines between the title and the rows."""
    lines = page.partition("## Rows")[0].splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def test_nothing_that_matters_is_said_to_have_changed(edited):
    _, page = edited(NOTED)
    assert matters(page) == ["No verdict, no certainty, no estimate and no model changed."]


def test_an_estimate_that_moved_is_told_before_the_details(edited):
    _, page = edited(CORRECTED)
    no_judgement, moved, others = matters(page)
    assert no_judgement == NO_JUDGEMENT
    assert moved == (
        "Overall survival: dual versus single HER2 blockade, pretreated: hazard ratio "
        "0.71 (0.57–0.88), k = 1 → 0.75 (0.60–0.94), k = 1."
    )
    # The subgroup by added agent, and two effects of the network.
    assert others == "3 more estimates moved (subgroups, other measures, networks)."


def test_a_model_that_changed_with_the_number_of_trials(project, changes):
    append_trial(project)
    append_like(project, "hazard_ratios", "trial_k,trial_k_dual,trial_k_single,OS", "trial_k",
                "trial_z")  # fmt: skip
    (line,) = [line for line in matters(changes()) if line.startswith("Overall survival")]
    assert "k = 1 → 0.71 (" in line
    assert "The model is now Bayesian, empirical prior, with 2 trials; it was one trial" in line


def test_a_judgement_alone_changes_certainty_and_no_estimate(project, changes):
    """All weight at high risk of bias is very serious, which lowers certainty by two levels."""
    path = project / "data/raw/risk_of_bias.csv"
    text = path.read_text(encoding="utf-8")
    judged = "low,low,low,low,low,low,judged"
    pairs = [f"{trial},PFS,{judged}" for trial in ("trial_h", "trial_i", "trial_j")]
    assert all(pair in text for pair in pairs)
    for pair in pairs:
        text = text.replace(pair, pair.replace("low,judged", "high,judged"))
    path.write_text(text, encoding="utf-8")
    page = changes()
    certainty = [line for line in matters(page) if line.startswith("Certainty: ")]
    assert len(certainty) == 1
    assert "Progression-free survival" in certainty[0]
    assert (
        "Risk of bias, very serious: Weight of the trials by overall risk of bias: high 100%"
        in (certainty[0])
    )
    assert "No estimate differs." in page
    assert html.escape(certainty[0]) in page_of(project)


def test_a_judgement_changes_the_certainty_of_network_estimates(project, changes):
    """No estimate moves, but an answer that rests on trials at high risk is less certain."""
    with edited_yaml(project / "config/networks.yaml") as content:
        for network in content["networks"]:
            network["alternatives"] = [network["reference"]]
    git(project, "commit", "--quiet", "--all", "--message", "Compare with the reference")
    path = project / "data/raw/risk_of_bias.csv"
    text = path.read_text(encoding="utf-8")
    low, high = "low,low,low,low,low,low", "low,low,high,low,low,high"
    for trial in ("trial_h", "trial_i", "trial_j"):
        assert f"{trial},PFS,{low}" in text
        text = text.replace(f"{trial},PFS,{low}", f"{trial},PFS,{high}")
    path.write_text(text, encoding="utf-8")
    page = changes()
    told = [line for line in matters(page) if line.startswith("Certainty: ") and " v " in line]
    assert told
    for line in told:
        assert line.startswith("Certainty: Progression-free survival: network of first-line")
        assert "Within study bias, very serious" in line
    assert "No estimate differs." in page


def test_a_persons_judgement_of_a_network_is_told_though_its_rows_are_the_same(project, changes):
    with edited_yaml(project / "config/networks.yaml") as content:
        for network in content["networks"]:
            network["alternatives"] = [network["reference"]]
    git(project, "commit", "--quiet", "--all", "--message", "Compare with the reference")
    network = "metastatic_first_line,progression_free_network"
    line = f"{network},incoherence,very_serious,Others.,AB,2026-03-01\n"
    path = project / "data/raw/certainty.csv"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    told = [line for line in matters(changes()) if line.startswith("Certainty: ")]
    assert told
    assert all("Incoherence, very serious: Others." in line for line in told)


def test_surrogacy_of_other_trials_is_compared(project, changes):
    """Without the hazard ratios of trial C, two of three trials are left: before, then after."""
    path = project / "data/raw/hazard_ratios.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not re.match("trial_c,.*,EFS,", line)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept), encoding="utf-8")
    told = [line for line in matters(changes()) if line.startswith("Surrogacy: ")]
    # Overall survival, and with it the second analysis, is as it was.
    assert [re.findall(r"there are (\d)", line) for line in told] == [["3", "2"], ["3", "2"]]
    assert all("event-free survival" in line for line in told)


def test_surrogacy_that_changed_is_told_before_and_after(side):
    """Of one model: the slope and its interval; withheld if it depends on one trial."""
    surrogacy = [("early", "response", "bivariate", "withheld, because it depends on one trial")]
    changes = NetworkChanges(surrogacy=((*surrogacy[0], "slope −0.40 (−0.70 to −0.10)"),))
    titles = {("early", "response"): "Response as a surrogate"}
    difference = SheetDifference({}, {})
    said = changed_judgements((side, side), difference, (), changes, titles)
    assert [*said] == [
        "Surrogacy: Response as a surrogate, bivariate: was withheld, because it depends on one "
        "trial; is now slope −0.40 (−0.70 to −0.10)."
    ]


def test_a_persons_judgement_of_certainty_is_told(project, changes):
    path = project / "data/raw/certainty.csv"
    line = "adjuvant,event_free_dual_v_single,indirectness,very_serious,Others.,AB,2026-03-01\n"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    (told,) = [line for line in matters(changes()) if line.startswith("Certainty: ")]
    assert "Indirectness, very serious: Others." in told


def test_a_verdict_that_changed_comes_first(project, changes):
    # Both answers on overall survival in pretreated disease depend on the only trial reporting it.
    path = project / "data/raw/hazard_ratios.csv"
    text = path.read_text(encoding="utf-8")
    worse = text.replace("0.62,0.51,0.75,95", "1.62,1.33,1.97,95", 1)
    assert worse != text
    path.write_text(worse, encoding="utf-8")
    first = matters(changes())[0]
    assert first.startswith("Verdict on “First-line dual blockade delays progression”: was ")
    assert "is now" in first


def test_a_sheet_that_did_not_pass_is_said_first(project, changes):
    replace_text(project, "pcr", "ITT,local,all,49,100,49.0", "ITT,local,all,149,100,49.0")
    git(project, "commit", "--quiet", "--all", "--message", "A slip")
    replace_text(project, "pcr", "ITT,local,all,149,100,49.0", "ITT,local,all,49,100,49.0")
    assert matters(changes())[0].startswith("Estimates are not compared: the sheet of ")


# -------------------------------------------------------------------- added and removed rows


def test_a_removed_row(project, changes):
    path = project / "data/raw/hazard_ratios.csv"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    gone = [row for row in rows if row.startswith("trial_k,") and ",OS," in row]
    path.write_text("".join(row for row in rows if row not in gone), encoding="utf-8")
    page = changes()
    assert "hazard_ratios: 1 row removed" in page
    assert "  removed  row 28, trial_k" in page
    before, after = next(table(page))
    assert before[3:5] == ("1", "Hazard ratio 0.71 (0.57–0.88)")
    assert after[2:5] == ("after", "0", "none")


def test_a_changed_row_is_named_by_where_it_is_now(project, changes):
    """The first row is now the last: the others have moved up by one."""
    replace_text(project, *CORRECTED)
    path = project / "data/raw/hazard_ratios.csv"
    header, first, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *rows, first]), encoding="utf-8")
    (at,) = (n for n, row in enumerate(rows, start=2) if CORRECTED[2] in row)
    used = re.findall(r"^- hazard_ratios\.csv row (\d+) is used by", changes(), re.M)
    assert used == [str(at)]


def test_an_added_trial(project, changes):
    append_trial(project)
    append_like(project, "hazard_ratios", "trial_k,trial_k_dual,trial_k_single,OS", "trial_k",
                "trial_z")  # fmt: skip
    page = changes()
    for name in ("sources", "trials", "hazard_ratios"):
        assert f"{name}: 1 row added" in page
    assert "arms: 2 rows added" in page
    assert "- hazard_ratios.csv row 32 is used by" in page
    before, after = next(table(page))
    assert before[3:5] == ("1", "Hazard ratio 0.71 (0.57–0.88)")
    # The same trial twice: the mean stays where it was.
    assert after[3] == "2"
    assert after[4].startswith("Hazard ratio 0.71 (")
    # Of one trial and of two: nothing was read again.
    assert not [line for line in matters(page) if line.startswith("Read first-hand: ")]


def test_a_result_where_there_was_none(project, changes):
    # Previously no arm had lapatinib with endocrine therapy: 10 of 50, a rate of 0.20.
    append_like(project, "trials", "cohort_e", "cohort_e,COHORT-E,NCT00000005", "trial_z,TRIAL-Z,")
    append_like(project, "arms", "cohort_e", "cohort_e", "trial_z")
    append_like(project, "pcr", "cohort_e", "cohort_e,cohort_e_dual", "trial_z,trial_z_dual")
    old = "trial_z_dual,L+T 12 weeks,lapatinib+trastuzumab,concurrent,none,"
    replace_text(project, "arms", old, "trial_z_dual,L,lapatinib,concurrent,endocrine,")
    counts = "trial_z_dual,ypT0/is,ITT,local,all,"
    replace_text(project, "pcr", f"{counts}17,64,26.6", f"{counts}10,50,20.0")
    page = changes()
    ((before, after),) = table(page)
    assert before[1:5] == ("Lapatinib with endocrine therapy, all", "before", "0", "none")
    assert after[2:4] == ("after", "1")
    assert after[4].startswith("Rate 0.20 (")
    assert re.search(r"pcr\.csv row \d+ is used by neoadjuvant/pcr_rates", page)
    # Without an earlier result, no conclusion has changed.
    assert "No conclusion changed" in page


# ------------------------------------------------------------------------- the page in HTML


def test_both_pages_say_the_same(edited):
    project, page = edited(CROSSED)
    written = page_of(project)
    for before_and_after in table(page):
        for line in before_and_after:
            row = "".join(f"<td>{html.escape(cell)}</td>" for cell in line)
            assert f"<tr>{row}</tr>" in written
    for line in page.splitlines():
        said = re.sub(r"^(#+ |- |\*\*|\| )|(\*\*| \|)$", "", line)
        if said and "|" not in said and said != "```":
            assert html.escape(said) in written, said


def test_markup_in_a_cell_stays_text(project, changes):
    replace_text(project, "pcr", ",first report", ",<b>first</b> & last | ``` report")
    changes()
    written = page_of(project)
    assert "&lt;b&gt;first&lt;/b&gt; &amp; last" in written
    assert "<b>" not in written


def test_the_page_asks_for_nothing_outside_itself(edited):
    project, _ = edited(CORRECTED)
    written = page_of(project)
    assert "<svg" in written
    assert re.findall(r"<(?:script|link|img|iframe|object|embed|base|meta http)", written) == []
    assert re.findall(r"(?:src|href)\s*=\s*[\"'](?!#)", written) == []
    assert re.findall(r"url\(\s*[\"']?(?!#)|@import", written) == []


def test_the_figure_shows_before_and_after(edited):
    project, _ = edited(CORRECTED)
    drawn = (project / "results/changes.svg").read_text(encoding="utf-8")
    for text in ("before", "after", "0.71 (0.57–0.88)", "0.75 (0.60–0.94)"):
        assert text in drawn


# ------------------------------------------------------------------------------- revisions


def test_an_earlier_revision(project, changes):
    replace_text(project, "hazard_ratios", "0.71,0.57,0.88,95,0.002", "0.75,0.60,0.94,95,0.012")
    git(project, "commit", "--quiet", "--all", "--message", "Correct")
    assert "No row of the sheet differs." in changes()
    assert "hr changed from 0.71 to 0.75" in changes("--since", "HEAD~1")


def test_a_table_that_the_revision_did_not_have(project, changes):
    git(project, "rm", "--quiet", "--cached", "data/raw/audit_notes.csv")
    git(project, "commit", "--quiet", "--message", "Before the audit")
    page = changes()
    assert "audit_notes: the table was added" in page
    assert "No estimate differs." in page


def test_a_revision_that_does_not_pass_the_check(project, changes):
    replace_text(project, "pcr", "ITT,local,all,49,100,49.0", "ITT,local,all,149,100,49.0")
    git(project, "commit", "--quiet", "--all", "--message", "A slip")
    replace_text(project, "pcr", "ITT,local,all,149,100,49.0", "ITT,local,all,49,100,49.0")
    page = changes()
    assert "events changed from 149 to 49" in page
    assert re.search(
        r"Estimates are not compared: the sheet of \w+ of [\d-]+ does not pass today's check "
        r"\(pcr\.csv, row 13 \(trial_c\), column events: ",
        page,
    )
    assert "Estimates are not compared" in page_of(project)
    # Which results rest on a row is known without the earlier sheet.
    (used,) = re.findall(r"pcr.csv row 13 is used by (.*)", page)
    assert "neoadjuvant/pcr_network" in used.split(", ")


def test_an_adjudication_that_both_have_is_no_change(project, changes):
    # Two readers differ on the events of trial A, and the difference was adjudicated.
    replace_text(project, "second_reading", "events|n,42|105,42|105,agree",
                 "events|n,42|105,44|105,differ")  # fmt: skip
    path = project / "data/raw/adjudication.csv"
    decision = (
        "pcr,trial_a,arm_id=trial_a_dual;definition=ypT0/is ypN0,events|n|reported_percent,"
        "44|105|41.9,second,The full paper corrects it.,AB,2026-11-22\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + decision, encoding="utf-8")
    assert "Risk ratio" in changes()
    git(project, "commit", "--quiet", "--all", "--message", "Settle")
    page = changes()
    assert "No row of the sheet differs." in page
    assert "No estimate differs." in page


def test_folders_may_be_named_from_the_root(project, changes):
    replace_text(project, "hazard_ratios", "0.71,0.57,0.88,95,0.002", "0.75,0.60,0.94,95,0.012")
    page = changes("--raw", str(project / "data/raw"), "--config", str(project / "config"))
    assert "hr changed from 0.71 to 0.75" in page


@pytest.mark.parametrize("revision", ["nowhere", "HEAD~99", "--output=x", "", "HEAD:data"])
def test_an_unknown_revision(project, capsys, revision):
    assert main(["changes", f"--since={revision}"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f'git does not know the revision "{revision}".\n'
    assert not (project / "results").exists()


def test_no_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(small_project(tmp_path / "project"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert main(["changes"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("This folder is not a git repository, so there is no earlier sheet")
    assert "git init" in said
    assert not (tmp_path / "project/results").exists()


def test_no_git(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(small_project(tmp_path / "project"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["changes"]) == 1
    assert capsys.readouterr().err.startswith("git is not installed")
    # Commands that need no earlier sheet still work.
    assert main(["check", "--list-warnings"]) == 0
    assert "Since the last commit" not in capsys.readouterr().out


def test_months_gained_that_changed_are_told(project, changes):
    """By hand: 67.9 - 66.8 and 67.9 - 61.8 months; no estimate depends on them."""
    replace_text(project, "curves_rmst", "iDFS,72,66.8", "iDFS,72,61.8")
    (told,) = (line for line in matters(changes()) if line.startswith("Months gained: "))
    assert "TRIAL-F: was 1.1 (" in told
    assert ", is now 6.1 (" in told


def test_a_hazard_ratio_of_the_curves_that_changed_is_told(project, changes):
    """No estimate rests on it, but the table of effects over time and its remark do."""
    path = project / "data/raw/curves_cox.csv"
    header, first, *rest = path.read_text(encoding="utf-8").splitlines()
    at = header.split(",").index("ph_p")
    cells = first.split(",")
    cells[at] = "0.0001"
    path.write_text("\n".join([header, ",".join(cells), *rest, ""]), encoding="utf-8")
    (told,) = (line for line in matters(changes()) if line.startswith("Hazards proportional: "))
    assert ", is now no (p < 0.001)." in told
