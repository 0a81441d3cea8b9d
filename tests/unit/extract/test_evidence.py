"""Tidy evidence: the content of its rows, and rates of regimens."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from invented import (
    DUAL_AND_SINGLE,
    KINDS,
    NAN,
    PCR,
    RATES,
    RECEPTOR,
    SETTING,
    analysis,
    configuration,
    extract,
    frame,
    sheet,
)
from trial_evidence.config.configuration import Outcome
from trial_evidence.extract.context import setting_context, trial_label
from trial_evidence.extract.evidence import (
    NO_INFORMATION,
    OWN_DEFINITIONS,
    RATE_COLUMNS,
    SET_ASIDE_COLUMNS,
    USED_COLUMNS,
    _pool_alike,
    extract_setting,
)
from trial_evidence.extract.narrowed import narrowed
from trial_evidence.extract.stage import EVIDENCE_TABLES, setting_checksum
from trial_evidence.sheet import Sheet

MEASURES = ("risk_ratio", "odds_ratio", "risk_difference")
RESPONSE = analysis(endpoints=("pcr",), measures=MEASURES)


def counts(dual, single, trial="t1", **changes):
    return [
        {"trial_id": trial, "arm_id": arm, "events": float(events), "n": float(n)} | changes
        for arm, (events, n) in (("dual", dual), ("single", single))
    ]


def response(*rows):
    used = extract(sheet({"t1": DUAL_AND_SINGLE}, pcr=rows), RESPONSE).used
    return used.set_index("measure")


def hazard_ratio(**changes):
    return {
        "trial_id": "t1", "experimental_arm_id": "dual", "control_arm_id": "single",
    } | changes  # fmt: skip


def one_hazard_ratio(**changes):
    content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=[hazard_ratio(**changes)])
    (record,) = extract(content, analysis()).used.to_dict("records")
    return record


# ------------------------------------------------------------------------------ comparisons


def test_counts_give_all_measures_asked_for():
    used = response(*counts((40, 100), (20, 100)))
    # by hand: 0.4/0.2; (40*80)/(60*20); 0.4 - 0.2, and the usual variances
    assert used["yi"].to_dict() == pytest.approx(
        {"risk_ratio": math.log(2), "odds_ratio": math.log(8 / 3), "risk_difference": 0.2}
    )
    assert used["vi"].to_dict() == pytest.approx(
        {
            "risk_ratio": 1 / 40 - 1 / 100 + 1 / 20 - 1 / 100,
            "odds_ratio": 1 / 40 + 1 / 60 + 1 / 20 + 1 / 80,
            "risk_difference": 0.4 * 0.6 / 100 + 0.2 * 0.8 / 100,
        }
    )


def test_a_setting_without_hazard_ratios_has_evidence():
    assert list(response(*counts((40, 100), (20, 100)))["se_source"]) == ["counts"] * 3


def test_a_zero_cell_is_corrected_and_said():
    used = response(*counts((5, 10), (0, 10)))
    assert used["corrected"].to_dict() == {
        "risk_ratio": "yes", "odds_ratio": "yes", "risk_difference": "yes",
    }  # fmt: skip
    assert used["yi"]["odds_ratio"] == pytest.approx(math.log(5.5 * 10.5 / (5.5 * 0.5)))
    assert set(used["pooled"]) == {"yes"}


@pytest.mark.parametrize("events", [(0, 0), (10, 12)], ids=["no event", "only events"])
def test_a_trial_without_information_on_a_ratio_keeps_its_difference(events):
    used = response(*counts((events[0], 10), (events[1], 12)))
    assert used["pooled"].to_dict() == {
        "risk_ratio": "no", "odds_ratio": "no", "risk_difference": "yes",
    }  # fmt: skip
    assert used["not_pooled_reason"]["risk_ratio"] == (
        "there is no event, or only events, in both arms, which says nothing about a ratio"
    )
    assert math.isnan(used["yi"]["odds_ratio"])
    # 0.5 in every cell, as in the formula of the ratios
    by_hand = (events[0] + 0.5) / 11 - (events[1] + 0.5) / 13
    assert used["yi"]["risk_difference"] == pytest.approx(by_hand)


def test_what_differs_between_the_arms_is_named_for_both():
    dual, single = counts((40, 100), (20, 100))
    single |= {"population": "evaluable", "source_id": "second_report"}
    used = response(dual, single).loc["risk_ratio"]
    assert used["population"] == "ITT / evaluable"
    assert used["source_id"] == "first_report / second_report"
    assert used["definition"] == "ypT0/is ypN0"


def test_a_note_on_one_arm_stands_alone():
    dual, single = counts((40, 100), (20, 100))
    for own, other in ((dual, single), (single, dual)):
        used = response(own | {"public_note": "read off a plot"}, other | {"public_note": ""})
        assert set(used["note"]) == {"read off a plot"}
    used = response(dual | {"public_note": "one"}, single | {"public_note": "another"})
    assert set(used["note"]) == {"one / another"}


def test_a_row_says_where_it_comes_from():
    used = response(*counts((40, 100), (20, 100))).loc["risk_ratio"]
    assert (used["rows"], used["locator"], used["year"]) == ("2;3", "Table 2", 2020)
    assert (used["experimental"], used["control"], used["added"]) == (
        "Almab + bemab", "Almab", "Bemab",
    )  # fmt: skip


@pytest.mark.parametrize(("arm_id", "first"), [("dual", "40"), ("single", "20")])
def test_where_two_readers_differ_on_either_arm_is_said(arm_id, first):
    reading = {
        "table": "pcr", "trial_id": "t1", "row_key": f"arm_id={arm_id}", "field": "events",
        "first_value": first, "second_value": "31", "verdict": "differ",
    }  # fmt: skip
    rows = counts((40, 100), (20, 100))
    content = sheet({"t1": DUAL_AND_SINGLE}, pcr=rows, second_reading=[reading])
    told = set(extract(content, RESPONSE).used["readers_differ"])
    assert len(told) == 1
    assert "31" in told.pop()


def test_where_two_readers_differ_is_said_of_the_row_of_that_table():
    reading = {
        "table": "hazard_ratios", "trial_id": "t1", "row_key": "endpoint=PFS", "field": "hr",
        "first_value": "0.8", "second_value": "0.9", "verdict": "differ",
    }  # fmt: skip
    content = sheet(
        {"t1": DUAL_AND_SINGLE}, pcr=counts((40, 100), (20, 100)),
        hazard_ratios=[hazard_ratio()], second_reading=[reading],
    )  # fmt: skip
    response_ = analysis(id="response", endpoints=("pcr",), measures=("risk_ratio",))
    used = extract(content, analysis(), response_).used.set_index("analysis")
    # Row 2 in both tables.
    assert used["readers_differ"].to_dict() == {"comparison": "hr 0.8 or 0.9", "response": ""}


def test_a_hazard_ratio_is_analysed_on_the_log_scale():
    used = one_hazard_ratio(hr=0.8, ci_low=0.64, ci_high=1.0)
    assert used["yi"] == pytest.approx(math.log(0.8))
    assert used["vi"] == pytest.approx((math.log(1.25) / 1.9599639845400545) ** 2)
    assert (used["measure"], used["outcome"], used["corrected"]) == ("hazard_ratio", "PFS", "no")


def test_the_level_of_an_interval_counts():
    # z of a 90% interval is 1.6448536...
    used = one_hazard_ratio(hr=0.8, ci_low=0.64, ci_high=1.0, ci_level=90.0)
    assert used["vi"] == pytest.approx((math.log(1.25) / 1.6448536269514722) ** 2)


def test_randomised_numbers_stand_in_for_the_whole_trial_only():
    rows = [hazard_ratio(subgroup=s) for s in ("all", "receptor=negative", "receptor=positive")]
    content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=rows)
    used = extract(content, analysis(effect_modifiers=(RECEPTOR,))).used.set_index("subgroup")
    assert used["n_experimental"]["all"] == 100
    assert used.loc[["receptor=negative", "receptor=positive"], "n_control"].isna().all()


def test_printed_numbers_of_patients_come_before_the_randomised():
    used = one_hazard_ratio(n_experimental=90.0, n_control=NAN)
    assert (used["n_experimental"], used["n_control"]) == (90, 100)


def test_the_label_of_a_trial_ends_before_the_bracket():
    assert trial_label("TRIAL-D (interim)") == "TRIAL-D"
    assert trial_label("TRIAL-D") == "TRIAL-D"


def test_a_trial_of_another_setting_stays_out():
    other = [{"arm_id": "d2", "agents": "almab+bemab"}, {"arm_id": "s2", "agents": "almab"}]
    content = sheet(
        {"t1": DUAL_AND_SINGLE, "t2": other},
        trials={"t2": {"setting": "late"}},
        hazard_ratios=[
            hazard_ratio(),
            {"trial_id": "t2", "experimental_arm_id": "d2", "control_arm_id": "s2"},
        ],
    )
    evidence = extract(content, analysis())
    assert list(evidence.used["trial_id"]) == ["t1"]
    assert list(evidence.contrasts["trial_id"]) == ["t1"]


def test_a_trial_that_is_not_randomised_is_not_compared():
    content = sheet(
        {"t1": DUAL_AND_SINGLE},
        trials={"t1": {"randomised": "no"}},
        pcr=counts((40, 100), (20, 100)),
    )
    assert extract(content, RESPONSE).used.empty


def test_a_setting_without_trials_has_empty_tables():
    content = Sheet(
        sheet({}).tables
        | {"trials": frame("trials", []).assign(trial_id="", name=""), "pcr": frame("pcr", [])},
        KINDS,
    )
    evidence = extract(content, analysis(), analysis(**PCR, id="second"), rates=[RATES])
    assert list(evidence.used.columns) == USED_COLUMNS
    assert list(evidence.set_aside.columns) == SET_ASIDE_COLUMNS
    assert list(evidence.rates.columns) == RATE_COLUMNS
    assert [len(t) for t in (evidence.used, evidence.set_aside, evidence.rates)] == [0, 0, 0]


def test_rows_set_aside_say_what_they_are():
    row = hazard_ratio(verification="unverified", subgroup="all")
    content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=[row])
    (aside,) = extract(content, analysis()).set_aside.to_dict("records")
    assert aside["table"] == "hazard_ratios"
    assert aside["row"] == 2
    assert aside["arms"] == "dual v single"
    assert aside["what"] == "PFS, final, investigator"


# ------------------------------------------------------------------------------------- rates


def rates(arms, pcr, **tables):
    return extract(sheet(arms, pcr=pcr, **tables), rates=[RATES])


def arm(name, agents="almab+bemab", **changes):
    return {"arm_id": name, "agents": agents} | changes


def row(name, events, n, trial="t1", **changes):
    return {"trial_id": trial, "arm_id": name, "events": float(events), "n": float(n)} | changes


def test_arms_of_one_regimen_in_one_trial_are_added_up():
    evidence = rates({"t1": [arm("a"), arm("b")]}, [row("a", 10, 40), row("b", 20, 60)])
    (rate,) = evidence.rates.to_dict("records")
    assert (rate["events"], rate["n"], rate["rate"]) == (30, 100, 0.3)
    assert (rate["arm_ids"], rate["rows"]) == ("a;b", "2;3")
    # logit(0.3) and 1/30 + 1/70
    assert rate["yi"] == pytest.approx(math.log(3 / 7))
    assert rate["vi"] == pytest.approx(1 / 30 + 1 / 70)


def test_an_arm_without_a_result_keeps_no_other_arm_from_its_rate():
    evidence = rates({"t1": [arm("a"), arm("b")]}, [row("a", 10, 40)])
    (rate,) = evidence.rates.to_dict("records")
    assert (rate["events"], rate["n"], rate["arm_ids"]) == (10, 40, "a")


def test_the_interval_of_a_rate_is_wilsons():
    evidence = rates({"t1": [arm("a")]}, [row("a", 30, 100)])
    (rate,) = evidence.rates.to_dict("records")
    z = 1.9599639845400545
    middle, half = 0.3 + z**2 / 200, z * math.sqrt(0.3 * 0.7 / 100 + z**2 / 40000)
    expected = [(middle - half) / (1 + z**2 / 100), (middle + half) / (1 + z**2 / 100)]
    assert [rate["rate_low"], rate["rate_high"]] == pytest.approx(expected, rel=1e-12)


def test_the_interval_of_a_rate_is_of_the_configured_level():
    settings = replace(configuration(rates=[RATES]), confidence_level=90.0)
    content = sheet({"t1": [arm("a")]}, pcr=[row("a", 30, 100)])
    rates_of = extract_setting(content, settings, SETTING).rates
    # By hand with z = 1.644854:
    # (0.3 + 0.0135277 -+ z sqrt(0.0021 + 0.0000676)) / 1.0270554
    limits = rates_of[["rate_low", "rate_high"]].iloc[0].tolist()
    assert limits == pytest.approx([0.2307, 0.3798], abs=1e-4)


def test_arms_of_one_regimen_are_added_up_by_one_definition_only():
    pcr = [
        row("a", 10, 40),
        row("a", 12, 40, definition="ypT0/is"),
        row("b", 20, 60, definition="ypT0/is"),
    ]
    evidence = rates({"t1": [arm("a"), arm("b")]}, pcr)
    (rate,) = evidence.rates.to_dict("records")
    assert (rate["events"], rate["definition"]) == (32, "ypT0/is")
    assert list(evidence.set_aside["row"]) == [2]


@pytest.mark.parametrize(
    "change",
    [{"partner": "none"}, {"her2_schedule": "sequential"}, {"agents": "almab+cetinib"}],
)
def test_other_regimens_are_kept_apart(change):
    evidence = rates({"t1": [arm("a"), arm("b") | change]}, [row("a", 10, 40), row("b", 20, 60)])
    assert list(evidence.rates["events"]) == [10, 20]
    assert evidence.rates["regimen"].nunique() == 2


def test_the_same_regimen_in_two_trials_has_a_row_a_trial():
    arms = {"t1": [arm("a")], "t2": [arm("b")]}
    evidence = rates(arms, [row("a", 10, 40), row("b", 20, 60, "t2")])
    assert list(evidence.rates["trial_id"]) == ["t1", "t2"]
    assert evidence.rates["regimen"].nunique() == 1


def test_cohorts_that_were_not_randomised_have_rates():
    evidence = rates({"t1": [arm("a")]}, [row("a", 10, 40)], trials={"t1": {"randomised": "no"}})
    assert list(evidence.rates["randomised"]) == ["no"]


def test_rates_by_level():
    pcr = [row("a", 30, 100), row("a", 20, 50, subgroup="receptor=negative")]
    evidence = rates({"t1": [arm("a")]}, pcr)
    found = dict(zip(evidence.rates["subgroup"], evidence.rates["events"], strict=True))
    assert found == {"all": 30, "receptor=negative": 20}


def test_a_trial_of_one_level_only_lends_its_whole_result_to_that_level():
    population = [{"trial_id": "t1", "subgroup": "receptor=negative"}]
    evidence = rates({"t1": [arm("a")]}, [row("a", 30, 100)], populations=population)
    found = dict(zip(evidence.rates["subgroup"], evidence.rates["events"], strict=True))
    assert found == {"all": 30, "receptor=negative": 30}


def test_a_trial_of_another_level_does_not():
    population = [{"trial_id": "t1", "subgroup": "age=young"}]
    evidence = rates({"t1": [arm("a")]}, [row("a", 30, 100)], populations=population)
    assert list(evidence.rates["subgroup"]) == ["all"]


def test_a_trial_of_one_level_is_no_evidence_of_a_difference_between_levels():
    # populations.csv applies only to rates: within the trial there is nothing to compare.
    content = sheet(
        {"t1": DUAL_AND_SINGLE},
        pcr=counts((40, 100), (20, 100)),
        populations=[{"trial_id": "t1", "subgroup": "receptor=negative"}],
    )
    used = extract(content, analysis(**PCR, effect_modifiers=(RECEPTOR,))).used
    assert set(used["subgroup"]) == {"all"}


@pytest.mark.parametrize(
    ("decision", "pooled"),
    [
        ({}, ["no", "no"]),
        ({"arm_id": "a"}, ["no", "no"]),
        ({"arm_id": "b"}, ["yes", "yes"]),
        ({"analysis": "rates"}, ["no", "no"]),
        ({"analysis": "comparison"}, ["yes", "yes"]),
        ({"subgroup": "receptor"}, ["yes", "no"]),
    ],
)
def test_excluded_rates_are_shown_but_not_pooled(decision, pooled):
    pcr = [row("a", 30, 100), row("a", 20, 50, subgroup="receptor=negative")]
    evidence = rates(
        {"t1": [arm("a"), arm("b", "almab")]}, pcr, exclusions=[{"trial_id": "t1"} | decision]
    )
    assert list(evidence.rates["pooled"]) == pooled
    reasons = ["too odd" if word == "no" else "" for word in pooled]
    assert list(evidence.rates["not_pooled_reason"]) == reasons


@pytest.mark.parametrize("order", [("high", "usual"), ("usual", "high")])
def test_a_decision_on_one_arm_leaves_the_trial_to_its_other_arm(order):
    """Whichever of two arms with the same agents is listed first."""
    arms = {"t1": [*(arm(name) for name in order), arm("single", "almab")]}
    pcr = [row("high", 60, 100), row("usual", 30, 100), row("single", 20, 100)]
    decision = [{"trial_id": "t1", "arm_id": "high"}]
    content = sheet(arms, pcr=pcr, exclusions=decision)
    used = extract(content, analysis(**PCR)).used
    assert set(used["experimental_arm_id"]) == {"usual"}
    assert set(used["pooled"]) == {"yes"}
    found = rates(arms, pcr, exclusions=decision)
    dual = found.rates[found.rates["agents"] != "almab"]
    assert dual[["events", "n", "pooled"]].to_numpy().tolist() == [[30.0, 100.0, "yes"]]
    left = found.set_aside[found.set_aside["row"] == 2]
    assert list(left["reason"]) == ["too odd"]


@pytest.mark.parametrize("change", [{"status": "superseded"}, {"verification": "unverified"}])
def test_rows_that_are_not_admitted_make_no_rate(change):
    evidence = rates({"t1": [arm("a")]}, [row("a", 30, 100, **change)])
    assert evidence.rates.empty
    assert list(evidence.set_aside["row"]) == [2]


def test_a_ratio_and_a_difference_of_a_harm_rest_on_one_definition():
    # A trial without events has no information about a ratio, but its definition is known.
    silent = {"pooled": "no", "not_pooled_reason": NO_INFORMATION}
    trials = [
        {"trial_id": "a", "definition": "Grade 3", "pooled": "yes"},
        {"trial_id": "b", "definition": "as reported", "pooled": "yes"},
    ]
    rows = [
        {"analysis": "harm", "measure": measure, "added_agents": "bemab", "n_experimental": 50.0,
         "n_control": 50.0, "not_pooled_reason": ""} | trial | more
        for measure, last in (("risk_ratio", silent), ("risk_difference", {}))
        for trial, more in zip(trials, ({}, last), strict=True)
    ]  # fmt: skip
    _pool_alike(rows, {"harm"})
    assert {row["pooled"] for row in rows} == {"no"}
    reasons = {(row["measure"], row["trial_id"]): row["not_pooled_reason"] for row in rows}
    assert reasons["risk_ratio", "a"] == reasons["risk_difference", "a"] == OWN_DEFINITIONS
    assert reasons["risk_ratio", "b"] == NO_INFORMATION


def test_a_harm_is_held_against_the_trials_that_added_the_same_agent():
    """Trials that added other agents are never pooled with it, so their definition is no reason."""
    agents = {"a": "bemab", "b": "bemab", "c": "cetinib", "d": "cetinib"}
    rows = [
        {"analysis": "harm", "measure": "risk_ratio", "added_agents": added, "trial_id": trial,
         "definition": "Grade 3" if added == "bemab" else "as reported", "pooled": "yes",
         "n_experimental": 50.0, "n_control": 50.0, "not_pooled_reason": ""}
        for trial, added in agents.items()
    ]  # fmt: skip
    _pool_alike(rows, {"harm"})
    assert {row["pooled"] for row in rows} == {"yes"}


def test_what_an_analysis_sees_of_the_sheet_holds_every_decision_about_it():
    """If an exclusion were not seen, the sensitivity analyses alone would pool that trial."""
    decisions = [
        {"trial_id": "t1", "analysis": name, "reason": name}
        for name in ("*", "comparison", "another")
    ]
    about = {"t1": {"first_report_year": NAN}}
    content = sheet(
        {"t1": DUAL_AND_SINGLE}, trials=about, hazard_ratios=[hazard_ratio()],
        exclusions=decisions, sources=[{"year": 2015.0}],
    )  # fmt: skip
    wanted = analysis()
    contrasts = setting_context(content, configuration(wanted), SETTING).contrasts
    seen = narrowed(content, wanted, contrasts, ())
    assert list(seen["exclusions"]["reason"]) == ["*", "comparison"]
    # No source is left, but the year by which trials are sorted is.
    assert list(seen["trials"]["first_report_year"]) == [2015.0]
    assert seen["sources"].empty


@pytest.mark.parametrize(
    ("definitions", "patients", "pooled"),
    [
        (("Grade 3", "grade 3", "as reported"), (50, 50, 1000), ["a", "b"]),
        (("Grade 3", "grade 3", "any", "Any"), (50, 60, 50, 50), ["a", "b"]),
        (("any", "Any", "Grade 3", "grade 3"), (50, 50, 50, 60), ["c", "d"]),
        (("Grade 3", "grade 3", "any", "Any"), (50, 50, 50, 60), ["c", "d"]),
    ],
    ids=["trials come before patients", "first of two", "last of two", "whatever its name"],
)
def test_the_definition_of_most_trials_is_pooled_then_that_of_most_patients(
    definitions, patients, pooled
):
    rows = [
        {"analysis": "harm", "measure": "risk_ratio", "added_agents": "bemab", "trial_id": trial,
         "definition": definition, "n_experimental": float(n), "n_control": float(n),
         "pooled": "yes", "not_pooled_reason": ""}
        for trial, definition, n in zip("abcd", definitions, patients, strict=False)
    ]  # fmt: skip
    _pool_alike(rows, {"harm"})
    assert [row["trial_id"] for row in rows if row["pooled"] == "yes"] == pooled


@pytest.mark.parametrize(
    ("cells", "published"),
    [
        ({}, "0.8 (0.64–1)"),
        ({"derivation": "digitised_curve"}, ""),
        # Without its lower limit, the interval shown is computed.
        ({"ci_low": NAN}, ""),
    ],
)
def test_only_what_a_source_prints_is_shown_as_published(cells, published):
    used = one_hazard_ratio(**{"hr": 0.8, "ci_low": 0.64, "ci_high": 1.0} | cells)
    assert used["published"] == published


def test_the_year_of_a_source_is_part_of_the_checksum_of_its_setting():
    """Networks and sensitivity analyses, which show the year, run again if this changes."""
    sources = [{"year": 2020.0}, {"source_id": "of_another_setting", "year": 2020.0}]

    def checksum(*years):
        listed = [source | {"year": year} for source, year in zip(sources, years, strict=True)]
        more = {"risk_of_bias": frame("populations", [])}
        content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=[hazard_ratio()], sources=listed)
        return setting_checksum(Sheet({**content.tables, **more}, KINDS), "early")

    assert checksum(2020.0, 2020.0) == checksum(2020.0, 2021.0)
    assert checksum(2020.0, 2020.0) != checksum(2021.0, 2020.0)


# Tables about a trial other than its results, each with a cell that may be edited.
EDITS = {
    "agents": ("label", "Almabix"),
    "trials": ("name", "ANOTHER NAME"),
    "arms": ("n_randomised", 101.0),
    "pcr": ("events", 41.0),
    "hazard_ratios": ("hr", 0.81),
    "exclusions": ("reason", "a better reason"),
    "populations": ("subgroup", "receptor=negative"),
    "risk_of_bias": ("overall", "high"),
    "second_reading": ("second_value", "41"),
    "adjudication": ("adjudicated_value", "41"),
}


OF_TRIALS = ("exclusions", "populations", "second_reading", "adjudication")


def with_everything():
    """A sheet with a row for the trial in each of these tables."""
    mine = {"trial_id": "t1"}
    content = sheet(
        {"t1": DUAL_AND_SINGLE}, pcr=counts((40, 100), (30, 100)), hazard_ratios=[hazard_ratio()],
        **{name: [mine] for name in OF_TRIALS},
    )  # fmt: skip
    judged = {"risk_of_bias": pd.DataFrame([mine | {"row": 2, "outcome": "pcr", "overall": "low"}])}
    return {**content.tables, **judged}


@pytest.mark.parametrize("table", EDITS)
def test_whatever_is_edited_of_a_trial_is_in_the_checksum_of_its_setting(table):
    """The stages that read the sheet run again if this changes, and not otherwise."""
    tables = with_everything()
    column, value = EDITS[table]
    edited = tables[table].copy()
    edited[column] = edited[column].astype(object)
    edited.loc[0, column] = value
    before, after = (
        setting_checksum(Sheet({**tables, **changed}, KINDS), "early")
        for changed in ({}, {table: edited})
    )
    assert before != after


@pytest.mark.parametrize("table", ["pcr", "hazard_ratios"])
def test_a_result_that_moved_to_another_row_changes_the_checksum(table):
    """The evidence names its rows: kept as it was, it would point to the cells of another trial."""
    tables = with_everything()
    moved = {table: tables[table].assign(row=tables[table]["row"] + 1)}
    before, after = (
        setting_checksum(Sheet({**tables, **changed}, KINDS), "early") for changed in ({}, moved)
    )
    assert before != after


def test_every_table_that_results_rest_on_is_edited():
    assert set(EDITS) == {*EVIDENCE_TABLES, *KINDS}


def test_a_trial_is_of_the_year_of_its_first_report():
    rows = [
        hazard_ratio(source_id="update"),
        hazard_ratio(source_id="first_report", analysis="interim"),
    ]
    sources = [{"source_id": "update", "year": 2023.0}, {"source_id": "first_report"}]
    content = sheet({"t1": DUAL_AND_SINGLE}, hazard_ratios=rows, sources=sources)
    assert list(extract(content, analysis()).used["year"]) == [2020]


def test_both_arms_of_a_harm_are_of_one_source():
    # The longer report of the dual arm would be preferred, but has no control arm.
    rows = [
        {"trial_id": "t1", "arm_id": arm, "source_id": source, "population": population}
        for arm, source, population in [
            ("dual", "update", "ITT"),
            ("dual", "first_report", "evaluable"),
            ("single", "first_report", "evaluable"),
        ]
    ]
    content = sheet({"t1": DUAL_AND_SINGLE}, pcr=rows)
    for harm, taken in ((False, "2;4"), (True, "3;4")):
        used = extract(content, replace(analysis(**PCR), harm=harm)).used
        assert list(used["rows"]) == [taken]


def test_the_outcome_asked_for_first_comes_before_better_rows_of_another():
    first, second = (Outcome(name, "pcr", "more", name) for name in ("breast", "pcr"))
    wanted = replace(analysis(**PCR), outcomes=(first, second))
    rows = [
        {"trial_id": "t1", "arm_id": arm, "endpoint": name, "population": population}
        for name, population in (("pcr", "ITT"), ("breast", "evaluable"))
        for arm in ("dual", "single")
    ]
    settings = replace(configuration(wanted), outcomes={"breast": first, "pcr": second})
    for reported, taken in ((rows, "breast"), (rows[:2], "pcr")):
        content = sheet({"t1": DUAL_AND_SINGLE}, pcr=reported)
        assert list(extract_setting(content, settings, SETTING).used["outcome"]) == [taken]


def test_a_ratio_that_was_turned_round_is_not_shown_as_published():
    turned = {"experimental_arm_id": "single", "control_arm_id": "dual"}
    assert one_hazard_ratio()["published"] != ""
    assert one_hazard_ratio(**turned)["published"] == ""
