"""Which row of a trial is used, and the reasons given for not using the others."""

import math

import pytest
from invented import DUAL_AND_SINGLE, NAN, PCR, RECEPTOR, SELECTION, analysis, extract, frame, sheet
from trial_evidence.config.configuration import TrialRule
from trial_evidence.extract.selection import choose_among, excluded, inadmissible
from trial_evidence.files import records

EVENT_FREE = analysis(endpoints=("EFS", "iDFS", "DFS", "RFS"))
RESPONSE = analysis(**PCR)
LEVELS = analysis(effect_modifiers=(RECEPTOR,))
RESPONSE_LEVELS = analysis(**PCR, effect_modifiers=(RECEPTOR,))


def choose(rows, *criteria):
    """The choice made among the rows of a table."""
    return choose_among(dict(enumerate(records(rows))), *criteria)


def hazard_ratio(**changes):
    return {
        "trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single",
    } | changes  # fmt: skip


def counts(**changes):
    return [{"trial_id": "t1", "arm_id": arm} | changes for arm in ("dual", "single")]


def from_hazard_ratios(rows, wanted=EVENT_FREE):
    return extract(sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=rows), wanted)


def from_counts(rows, wanted=RESPONSE):
    return extract(sheet({"t1": DUAL_AND_SINGLE}, pcr=rows), wanted)


def rows_used(evidence, subgroup="all"):
    used = evidence.used
    return list(used.loc[used["subgroup"] == subgroup, "rows"])


def reasons(evidence):
    return dict(zip(evidence.set_aside["row"], evidence.set_aside["reason"], strict=True))


# ------------------------------------------------------------------ what an analysis requires


@pytest.mark.parametrize(
    ("rule", "included"),
    [
        (TrialRule(), ["t1", "t2", "t3"]),
        (TrialRule({"phase": ("3",)}), ["t1", "t3"]),
        (TrialRule({"phase": ("2", "3"), "blinded": ("yes",)}), ["t2", "t3"]),
        (TrialRule(years=(2010, 2015)), ["t1", "t2"]),
    ],
)
def test_an_analysis_can_be_of_some_trials(rule, included):
    about = {
        "t1": {"phase": "3", "blinded": "no", "first_report_year": 2010.0},
        "t2": {"phase": "2", "blinded": "yes", "first_report_year": 2015.0},
        "t3": {"phase": "3", "blinded": "yes", "first_report_year": NAN},
    }
    arms = {
        trial: [row | {"arm_id": f"{trial}_{row['arm_id']}"} for row in DUAL_AND_SINGLE]
        for trial in about
    }
    rows = [
        {"trial_id": t, "experimental_arm_id": f"{t}_dual", "control_arm_id": f"{t}_single"}
        for t in about
    ]
    evidence = extract(sheet(arms, trials=about, hazard_ratios=rows), analysis(trials=rule))
    assert list(evidence.used["trial_id"]) == included


def test_an_analysis_can_prefer_other_rows_than_the_others():
    rows = [hazard_ratio(analysis="final"), hazard_ratio(analysis="interim")]
    own = {"analysis": ("interim", "final")}
    assert rows_used(from_hazard_ratios(rows, analysis())) == ["2"]
    assert rows_used(from_hazard_ratios(rows, analysis(selection=own))) == ["3"]


# ---------------------------------------------------------- one rule at a time, in both directions

HAZARD_RATIO_RULES = [
    ("endpoint", "EFS", "iDFS"),
    ("endpoint", "iDFS", "DFS"),
    ("endpoint", "DFS", "RFS"),
    ("assessor", "BICR", "investigator"),
    ("assessor", "investigator", "not applicable"),
    ("assessor", "investigator", "not reported"),
    ("analysis", "final", "updated"),
    ("analysis", "updated", "primary"),
    ("analysis", "primary", "interim"),
    ("derivation", "reported", "digitised_curve"),
    ("verification", "primary", "secondary"),
]


@pytest.mark.parametrize("preferred_first", [True, False], ids=["first", "second"])
@pytest.mark.parametrize(("column", "preferred", "other"), HAZARD_RATIO_RULES)
def test_preferred_hazard_ratio(column, preferred, other, preferred_first):
    base = hazard_ratio(endpoint="EFS")
    rows = [base | {column: preferred}, base | {column: other}]
    evidence = from_hazard_ratios(rows if preferred_first else rows[::-1])
    taken, left = (2, 3) if preferred_first else (3, 2)
    assert rows_used(evidence) == [str(taken)]
    assert reasons(evidence) == {left: f"{column}: {preferred} is preferred to {other}"}


@pytest.mark.parametrize("longer_first", [True, False], ids=["first", "second"])
@pytest.mark.parametrize(
    ("longer", "shorter", "words"),
    [
        (60.0, 12.0, "median followup months: 60 is longer than 12"),
        (9.5, NAN, "median followup months: 9.5; this row does not state it"),
    ],
)
def test_the_longest_follow_up(longer, shorter, words, longer_first):
    rows = [hazard_ratio(endpoint="EFS", median_followup_months=m) for m in (longer, shorter)]
    evidence = from_hazard_ratios(rows if longer_first else rows[::-1])
    taken, left = (2, 3) if longer_first else (3, 2)
    assert rows_used(evidence) == [str(taken)]
    assert reasons(evidence) == {left: words}


COUNT_RULES = [
    ("definition", "ypT0/is ypN0", "ypT0/is"),
    ("definition", "ypT0/is", "ypT0 ypN0"),
    ("population", "ITT", "mITT"),
    ("population", "mITT", "evaluable"),
    ("derivation", "reported", "from_percent"),
    ("derivation", "from_percent", "reconstructed"),
    ("verification", "primary", "secondary"),
]


@pytest.mark.parametrize("preferred_first", [True, False], ids=["first", "second"])
@pytest.mark.parametrize(("column", "preferred", "other"), COUNT_RULES)
def test_preferred_counts(column, preferred, other, preferred_first):
    rows = [counts(**{column: preferred}), counts(**{column: other})]
    first, second = rows if preferred_first else rows[::-1]
    evidence = from_counts([*first, *second])
    taken, left = ("2;3", (4, 5)) if preferred_first else ("4;5", (2, 3))
    assert rows_used(evidence) == [taken]
    words = f"{column}: {preferred} is preferred to {other}"
    assert reasons(evidence) == dict.fromkeys(left, words)


@pytest.mark.parametrize(
    ("taken", "left", "decides"),
    [
        ({"endpoint": "EFS", "assessor": "investigator"}, {"endpoint": "DFS", "assessor": "BICR"},
         "endpoint"),
        ({"assessor": "BICR", "analysis": "interim"},
         {"assessor": "investigator", "analysis": "final"}, "assessor"),
        ({"analysis": "final", "median_followup_months": 12.0},
         {"analysis": "updated", "median_followup_months": 60.0}, "analysis"),
        ({"median_followup_months": 60.0, "derivation": "digitised_curve"},
         {"median_followup_months": 12.0, "derivation": "reported"}, "median followup months"),
        ({"derivation": "reported", "verification": "secondary"},
         {"derivation": "digitised_curve", "verification": "primary"}, "derivation"),
    ],
)  # fmt: skip
def test_the_rule_that_stands_first_decides(taken, left, decides):
    base = hazard_ratio(endpoint="EFS")
    evidence = from_hazard_ratios([base | left, base | taken])
    assert rows_used(evidence) == ["3"]
    assert reasons(evidence)[2].startswith(f"{decides}: ")


@pytest.mark.parametrize(
    ("taken", "left", "decides"),
    [
        ({"definition": "ypT0/is ypN0", "population": "evaluable"},
         {"definition": "ypT0/is", "population": "ITT"}, "definition"),
        ({"population": "ITT", "derivation": "reconstructed"},
         {"population": "evaluable", "derivation": "reported"}, "population"),
        ({"derivation": "reported", "verification": "secondary"},
         {"derivation": "from_percent", "verification": "primary"}, "derivation"),
    ],
)  # fmt: skip
def test_the_rule_that_stands_first_decides_among_counts(taken, left, decides):
    evidence = from_counts([*counts(**left), *counts(**taken)])
    assert rows_used(evidence) == ["4;5"]
    assert reasons(evidence)[2].startswith(f"{decides}: ")


def test_of_rows_that_no_rule_tells_apart_the_first_is_taken():
    evidence = from_hazard_ratios([hazard_ratio(endpoint="EFS", hr=hr) for hr in (0.80, 0.81)])
    assert rows_used(evidence) == ["2"]
    assert reasons(evidence) == {3: "no preference separates it from row 2, which comes first"}


# ------------------------------------------------------------------------------ what is admitted

BARRED = [
    ("status", "superseded", "status is superseded (admitted: current)"),
    ("verification", "unverified",
     "verification is unverified (admitted: primary, secondary)"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "word", "reason"), BARRED)
def test_what_is_not_admitted_is_not_taken_for_want_of_better(column, word, reason):
    evidence = from_hazard_ratios([hazard_ratio(endpoint="EFS", **{column: word})])
    assert evidence.used.empty
    assert reasons(evidence) == {2: reason}


@pytest.mark.parametrize(("column", "word", "reason"), BARRED)
def test_what_is_not_admitted_is_not_taken_however_preferred(column, word, reason):
    best = hazard_ratio(endpoint="EFS", assessor="BICR", **{column: word})
    worst = hazard_ratio(endpoint="RFS", analysis="interim", verification="secondary")
    evidence = from_hazard_ratios([best, worst])
    assert rows_used(evidence) == ["3"]
    assert reasons(evidence) == {2: reason}


@pytest.mark.parametrize(("column", "word", "reason"), BARRED)
def test_if_counts_of_one_arm_are_not_admitted_the_other_arm_is_not_used(column, word, reason):
    dual, single = counts()
    evidence = from_counts([dual | {column: word}, single])
    assert evidence.used.empty
    assert reasons(evidence) == {
        2: reason,
        3: "no complete pair of admitted rows (ypT0/is ypN0)",
    }


def test_an_admitted_row_gives_no_reason():
    row = {"status": "current", "verification": "secondary"}
    assert inadmissible(row, SELECTION) is None


def test_a_hazard_ratio_without_standard_error_gives_way():
    bare = {"ci_low": NAN, "ci_high": NAN, "ci_level": NAN}
    rows = [hazard_ratio(endpoint="EFS", **bare), hazard_ratio(endpoint="RFS")]
    evidence = from_hazard_ratios(rows)
    assert rows_used(evidence) == ["3"]
    assert reasons(evidence) == {
        2: "no interval, exact p value or events from which to compute the standard error"
    }


def test_another_endpoint_is_not_looked_at():
    evidence = from_hazard_ratios([hazard_ratio(endpoint="RFI"), hazard_ratio(endpoint="OS")])
    assert evidence.used.empty
    assert evidence.set_aside.empty


# ---------------------------------------------------------------------------- what goes together


def test_both_arms_by_the_same_definition():
    dual, single = counts(definition="ypT0/is")
    lone = dual | {"definition": "ypT0/is ypN0"}
    evidence = from_counts([lone, dual, single])
    assert rows_used(evidence) == ["3;4"]
    assert reasons(evidence) == {2: "no complete pair of admitted rows (ypT0/is ypN0)"}


def test_arms_with_no_definition_in_common_are_not_compared():
    dual, single = counts()
    evidence = from_counts([dual, single | {"definition": "ypT0/is"}])
    assert evidence.used.empty
    assert set(reasons(evidence).values()) == {
        "no complete pair of admitted rows (ypT0/is ypN0)",
        "no complete pair of admitted rows (ypT0/is)",
    }


@pytest.mark.parametrize("level", ["negative", "positive"])
def test_one_level_of_a_factor_alone_is_not_taken(level):
    rows = [hazard_ratio(), hazard_ratio(subgroup=f"receptor={level}")]
    evidence = from_hazard_ratios(rows, LEVELS)
    assert list(evidence.used["subgroup"]) == ["all"]
    assert reasons(evidence) == {
        3: "no complete pair of admitted rows (PFS, investigator, final, 60.0)"
    }


@pytest.mark.parametrize(
    ("column", "preferred", "other"),
    [
        ("assessor", "BICR", "investigator"),
        ("analysis", "final", "interim"),
        ("median_followup_months", 60.0, 12.0),
    ],
)
def test_both_levels_of_a_factor_come_from_one_analysis(column, preferred, other):
    negative, positive = (
        hazard_ratio(subgroup=f"receptor={level}") for level in ("negative", "positive")
    )
    rows = [positive | {column: preferred}, negative | {column: other}, positive | {column: other}]
    evidence = from_hazard_ratios(rows, LEVELS)
    assert rows_used(evidence, "receptor=negative") == ["3"]
    assert rows_used(evidence, "receptor=positive") == ["4"]
    assert reasons(evidence)[2].startswith("no complete pair of admitted rows (")


def test_levels_of_counts_need_both_arms_and_both_levels_by_one_definition():
    negative, positive = (counts(subgroup=f"receptor={x}") for x in ("negative", "positive"))
    other = [row | {"definition": "ypT0/is"} for row in [*negative, *positive]]
    evidence = from_counts([*negative, positive[0], *other], RESPONSE_LEVELS)
    assert rows_used(evidence, "receptor=negative") == ["5;6"]
    assert rows_used(evidence, "receptor=positive") == ["7;8"]
    assert set(evidence.used["definition"]) == {"ypT0/is"}


def test_levels_do_not_need_a_result_for_the_whole_trial():
    rows = [hazard_ratio(subgroup=f"receptor={x}") for x in ("negative", "positive")]
    evidence = from_hazard_ratios(rows, LEVELS)
    assert list(evidence.used["subgroup"]) == ["receptor=negative", "receptor=positive"]


def test_choose_takes_one_row_for_each_thing_wanted():
    rows = frame("pcr", [{"arm_id": "b"}, {"arm_id": "a"}])
    wanted = [lambda row: row["arm_id"] == "a", lambda row: row["arm_id"] == "b"]
    choice = choose(rows, wanted, SELECTION.orders["pcr"], ["definition"], {})
    assert choice.taken == (1, 0)
    assert choice.set_aside == {}


def test_of_sets_that_no_rule_tells_apart_the_first_is_taken():
    # two words missing from the order of preference, so neither is preferred
    rows = frame("pcr", [{"definition": "an old one"}, {"definition": "a new one"}])
    choice = choose(rows, [lambda _: True], SELECTION.orders["pcr"], ["definition"], {})
    assert choice.taken == (0,)
    assert choice.set_aside == {1: "no preference separates it from row 2, which comes first"}


# ----------------------------------------------------------------------- a trial counts only once

THREE_ARMS = [*DUAL_AND_SINGLE, {"arm_id": "other_single", "agents": "bemab"}]


def test_a_trial_with_two_control_arms_counts_once():
    rows = [hazard_ratio(control_arm_id="other_single"), hazard_ratio()]
    evidence = extract(sheet({"t1": THREE_ARMS}, hazard_ratios=rows), analysis())
    assert rows_used(evidence) == ["3"]
    assert reasons(evidence) == {2: "the trial counts once, with dual v single"}


def test_a_trial_with_two_experimental_arms_counts_once():
    arms = [*DUAL_AND_SINGLE, {"arm_id": "other_dual", "agents": "almab+cetinib"}]
    rows = [*counts(), {"trial_id": "t1", "arm_id": "other_dual"}]
    evidence = extract(sheet({"t1": arms}, pcr=rows), RESPONSE)
    assert rows_used(evidence) == ["2;3"]
    assert reasons(evidence) == {4: "the trial counts once, with dual v single"}


def test_a_row_set_aside_says_of_which_patients_it_is():
    rows = [hazard_ratio(subgroup="receptor=negative"), hazard_ratio(subgroup="receptor=positive"),
            hazard_ratio(subgroup="receptor=negative", analysis="interim")]  # fmt: skip
    evidence = from_hazard_ratios(rows, LEVELS)
    (aside,) = evidence.set_aside.to_dict("records")
    assert (aside["row"], aside["what"]) == (4, "PFS, interim, investigator, receptor=negative")
    # Both levels were searched for together.
    assert aside["subgroup"] == "receptor"


def test_not_being_admitted_is_given_as_the_reason_before_missing_data():
    """Otherwise somebody might look up its interval for nothing."""
    none = {"ci_low": NAN, "ci_high": NAN}
    rows = [hazard_ratio(), hazard_ratio(**none), hazard_ratio(status="superseded", **none)]
    found = reasons(from_hazard_ratios(rows, analysis()))
    assert found[3].startswith("no interval, exact p value or events")
    assert found[4] == "status is superseded (admitted: current)"


def test_a_row_of_a_second_contrast_that_could_not_be_used_says_that():
    """Not that the trial counts once, which would suggest that the row could be used instead."""
    rows = [
        hazard_ratio(),
        hazard_ratio(control_arm_id="other_single", status="superseded"),
        hazard_ratio(control_arm_id="other_single"),
    ]
    evidence = extract(sheet({"t1": THREE_ARMS}, hazard_ratios=rows), analysis())
    assert reasons(evidence) == {
        3: "status is superseded (admitted: current)",
        4: "the trial counts once, with dual v single",
    }


def test_the_next_contrast_is_taken_where_the_first_has_no_result():
    rows = [hazard_ratio(verification="unverified"), hazard_ratio(control_arm_id="other_single")]
    evidence = extract(sheet({"t1": THREE_ARMS}, hazard_ratios=rows), analysis())
    assert rows_used(evidence) == ["3"]
    assert list(evidence.used["control_arm_id"]) == ["other_single"]


# ------------------------------------------------------ published as control versus experimental


def test_a_hazard_ratio_printed_the_other_way_round_is_inverted():
    row = {
        "trial_id": "t1", "experimental_arm_id": "single", "control_arm_id": "dual",
        "hr": 1.25, "ci_low": 1.0, "ci_high": 1.5625, "events_experimental": 50.0,
        "events_control": 40.0, "n_experimental": 99.0, "n_control": 101.0,
    }  # fmt: skip
    (used,) = from_hazard_ratios([row], analysis()).used.to_dict("records")
    assert (used["inverted"], used["experimental_arm_id"]) == ("yes", "dual")
    assert used["yi"] == pytest.approx(math.log(0.8), rel=1e-12)
    # the 95% interval is log(1.25) wide on either side: se = log(1.25) / 1.959964
    assert used["vi"] == pytest.approx((math.log(1.25) / 1.9599639845400545) ** 2, rel=1e-12)
    assert [used[c] for c in ("events_experimental", "events_control")] == [40, 50]
    assert [used[c] for c in ("n_experimental", "n_control")] == [101, 99]


def test_a_hazard_ratio_printed_our_way_round_is_left_alone():
    row = hazard_ratio(hr=0.8, ci_low=0.64, ci_high=1.0)
    (used,) = from_hazard_ratios([row], analysis()).used.to_dict("records")
    assert used["inverted"] == "no"
    assert used["yi"] == pytest.approx(math.log(0.8), rel=1e-12)


# ------------------------------------------------------------------------------------ exclusions

EXCLUSIONS = frame(
    "exclusions",
    [
        {"trial_id": "whole", "reason": "interim report"},
        {"trial_id": "arm", "arm_id": "dual", "reason": "arm adapted"},
        {"trial_id": "one", "analysis": "comparison", "reason": "asks another question"},
        {"trial_id": "factor", "subgroup": "receptor", "reason": "counts inferred"},
        {"trial_id": "two", "reason": "first reason"},
        {"trial_id": "two", "analysis": "comparison", "reason": "second reason"},
    ],
)


@pytest.mark.parametrize(
    ("trial", "arms", "analysis_id", "subgroup", "expected"),
    [
        ("whole", ["dual", "single"], "comparison", "all", "interim report"),
        ("whole", ["dual", "single"], "comparison", "receptor=negative", "interim report"),
        ("another", ["dual", "single"], "comparison", "all", None),
        ("arm", ["dual", "single"], "comparison", "all", "arm adapted"),
        ("arm", ["other_dual", "single"], "comparison", "all", None),
        ("one", ["dual", "single"], "comparison", "all", "asks another question"),
        ("one", ["dual", "single"], "another", "all", None),
        ("factor", ["dual", "single"], "comparison", "receptor=positive", "counts inferred"),
        ("factor", ["dual", "single"], "comparison", "all", None),
        ("factor", ["dual", "single"], "comparison", "age=young", None),
        ("two", ["dual", "single"], "comparison", "all", "first reason; second reason"),
    ],
)
def test_exclusions(trial, arms, analysis_id, subgroup, expected):
    of_trial = records(EXCLUSIONS[EXCLUSIONS["trial_id"] == trial])
    assert excluded(of_trial, arms, analysis_id, subgroup) == expected


@pytest.mark.parametrize(
    ("decision", "pooled"),
    [
        ({}, {"all": "no", "receptor=negative": "no", "receptor=positive": "no"}),
        ({"arm_id": "single"}, {"all": "no", "receptor=negative": "no", "receptor=positive": "no"}),
        ({"analysis": "another"},
         {"all": "yes", "receptor=negative": "yes", "receptor=positive": "yes"}),
        ({"subgroup": "receptor"},
         {"all": "yes", "receptor=negative": "no", "receptor=positive": "no"}),
    ],
    ids=["trial", "arm", "another analysis", "factor"],
)  # fmt: skip
def test_excluded_results_are_shown_but_not_pooled(decision, pooled):
    rows = [hazard_ratio(subgroup=s) for s in pooled]
    content = sheet(
        {"t1": DUAL_AND_SINGLE}, hazard_ratios=rows, exclusions=[{"trial_id": "t1"} | decision]
    )
    used = extract(content, LEVELS).used
    assert dict(zip(used["subgroup"], used["pooled"], strict=True)) == pooled
    expected = ["too odd" if word == "no" else "" for word in pooled.values()]
    assert list(used["not_pooled_reason"]) == expected
