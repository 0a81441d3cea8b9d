"""How much of a pool is reported as verified in the primary source, and by two readers."""

from dataclasses import replace

import pytest
from invented import ROOT
from report_material import material
from small_project import replace_text, small_project
from trial_evidence.files import where
from trial_evidence.report.material.verified import verified, verified_in_words
from trial_evidence.report.tables.rows import verification_table
from trial_evidence.sheet import load_sheet, read_dictionary
from trial_evidence.words.problems import has_errors

DICTIONARY = read_dictionary(ROOT / "workflow/dictionary")
SETTING, ANALYSIS = "neoadjuvant", "pcr_dual_v_trastuzumab"
WEIGHTS = {"trial_a": 50.0, "trial_b": 30.0, "trial_c": 20.0}


@pytest.fixture(scope="module")
def weighted(pooled):
    """The material of the made-up sheet with given weights of its three trials."""
    found = material(pooled)
    trials = found.evidence.trials
    mine = where(trials, setting=SETTING, analysis=ANALYSIS, pooled="yes", subgroup="all")
    assert set(mine["trial_id"]) == set(WEIGHTS)
    own = trials["trial_id"].map(WEIGHTS)
    trials = trials.assign(weight=trials["weight"].mask(trials.index.isin(mine.index), own))
    return replace(found, evidence=replace(found.evidence, trials=trials))


@pytest.fixture
def of_sheet(weighted, tmp_path):
    """The material and the analysis after replacements in the sheet."""

    def made(*replacements):
        folder = small_project(tmp_path / "project")
        for table, old, new in replacements:
            replace_text(folder, table, old, new)
        sheet, problems = load_sheet(folder / "data/raw", DICTIONARY)
        assert not has_errors(problems)
        found = replace(weighted, sheet=sheet)
        return found, found.analysis(SETTING, ANALYSIS)

    return made


def of_pool(found, analysis):
    """Verification of the trials that the analysis pools in all patients."""
    return verified(found, found.pooled_trials(analysis))


def second_hand(trial, arm, *columns):
    row = f"{trial},{trial}_{arm},ypT0/is ypN0,ITT,{','.join(columns)},doe_2020_{trial},Table 2,"
    return "pcr", f"{row}primary", f"{row}secondary"


A_DUAL = second_hand("trial_a", "dual", "local", "all", "42", "105", "40.0")
A_SINGLE = second_hand("trial_a", "single", "local", "all", "23", "105", "21.9")
B_DUAL = second_hand("trial_b", "dual", "central", "all", "84", "220", "38.2")
READ_TWICE = (
    "second_reading",
    "pcr,trial_a,arm_id=trial_a_dual;definition=ypT0/is ypN0,events|n,42|105,42|105,agree,"
    "primary,Doe 2020,Table 2\n",
)  # fmt: skip


def test_a_trial_counts_where_every_row_behind_it_was_seen(of_sheet):
    found = of_pool(*of_sheet(B_DUAL))
    assert found.first_hand == pytest.approx(0.7)
    assert (found.k, found.rows) == (3, 6)


def test_the_rows_to_look_up_are_the_fewest_with_the_most_weight(of_sheet):
    # 20% is verified. Trial B adds 30% with one row, trial A 50% with two: 90% requires both.
    assert of_pool(*of_sheet(A_DUAL, A_SINGLE, B_DUAL)).rows_to_goal == 3


def test_a_trial_with_less_weight_and_fewer_rows_is_looked_up_first(of_sheet):
    # 81% is verified. The one row of trial B adds 9%, the two rows of trial A 10%.
    found, analysis = of_sheet(A_DUAL, A_SINGLE, B_DUAL)
    trials = found.evidence.trials
    own = trials["trial_id"].map({"trial_a": 10.0, "trial_b": 9.0, "trial_c": 81.0})
    trials = trials.assign(weight=own)
    found = replace(found, evidence=replace(found.evidence, trials=trials))
    assert of_pool(found, analysis).rows_to_goal == 1


def test_what_is_seen_enough_asks_for_no_row(of_sheet):
    assert of_pool(*of_sheet()).rows_to_goal == 0


def test_one_arm_read_twice_is_not_a_trial_read_twice(of_sheet):
    assert of_pool(*of_sheet()).two_readers == 0.0


def test_two_readers_count_where_they_agree_on_every_row(of_sheet):
    table, line = READ_TWICE
    other = line.replace("_dual", "_single").replace("42|105", "23|105")
    assert of_pool(*of_sheet((table, line, line + other))).two_readers == pytest.approx(0.5)


def test_readers_who_differ_do_not_count_as_two(of_sheet):
    table, line = READ_TWICE
    other = line.replace("_dual", "_single").replace("42|105,42|105,agree", "23|105,24|105,differ")
    assert of_pool(*of_sheet((table, line, line + other))).two_readers == 0.0


def test_a_row_on_which_one_of_three_readers_differs_does_not_count(of_sheet):
    table, line = READ_TWICE
    other = line.replace("_dual", "_single").replace("42|105", "23|105")
    third = other.replace("23|105,agree", "24|105,differ")
    assert of_pool(*of_sheet((table, line, line + other + third))).two_readers == 0.0


def test_a_row_behind_two_trials_is_one_row_to_look_up(of_sheet):
    """Who is told of two would look for a row that there is not."""
    found, analysis = of_sheet(A_SINGLE)
    trials = found.evidence.trials
    mine = where(trials, setting=SETTING, analysis=ANALYSIS, pooled="yes", subgroup="all")
    of = mine.drop_duplicates("trial_id").set_index("trial_id")["rows"].str.split(";")
    shared = trials["rows"].mask(
        trials.index.isin(where(mine, trial_id="trial_b").index),
        ";".join([of["trial_b"][0], of["trial_a"][1]]),
    )
    found = replace(found, evidence=replace(found.evidence, trials=trials.assign(rows=shared)))
    told = of_pool(found, analysis)
    # 20% was seen, and that one row is all that is missing of the others.
    assert (told.rows, told.first_hand) == (5, pytest.approx(0.2))
    assert told.rows_to_goal == 1


def test_it_is_said_in_a_sentence(of_sheet):
    (said,) = verified_in_words(*of_sheet(B_DUAL))
    assert said == (
        "70% of the weight comes from results read in the trials’ own reports, and 0% from results "
        "confirmed by two readers. Reading 1 row of the worklist in these reports would raise the "
        "first share to 90% or more."
    )


def test_every_pool_is_listed_with_the_trials_it_rests_on(pooled):
    """Harms and patient subgroups left out would seem to need no reading."""
    found = material(pooled)
    listed = verification_table(found).data
    names = ["analysis", "subgroup", "experimental"]
    assert not listed.duplicated(["setting", *names]).any()
    estimates = found.as_first_measure(where(found.evidence.estimates, role="lead"))
    several = estimates[estimates["k"] >= 2].set_index(["setting", *names])["k"]
    held = listed.set_index(["setting", *names])["k"]
    assert set(held.index) <= set(several.index)
    assert (held == several[held.index]).all()
    left_out = several.index.difference(held.index)
    overall = {(a.setting, a.id): a.subgroups for a in found.configuration.analyses
               if a.pool == "overall"}  # fmt: skip
    assert len(left_out)
    assert all(group.startswith(f"{overall[s, a]}=") for s, a, group, _ in left_out)
    assert {"pcr_rates", ANALYSIS, "event_free_dual_v_single"} <= set(listed["analysis"])


def test_a_group_that_is_pooled_apart_has_a_sentence_of_its_own(pooled):
    found = material(pooled)
    apart = replace(found.analysis(SETTING, ANALYSIS), pool="within_subgroups")
    (_, lead, rows), *_ = found.pools
    lead = lead | {"subgroup": f"{apart.subgroups}=pertuzumab"}
    changed = replace(found)
    changed.__dict__["pools"] = ((apart, lead, rows),)
    (said,) = verified_in_words(changed, apart)
    assert said.startswith("Pertuzumab added: 100% of the weight")
