"""Absolute effects: formulas checked by hand, and control risks."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from report_material import estimate, material, with_estimates, with_sensitivity, with_table
from trial_evidence.config.reports import ControlRisk
from trial_evidence.report.absolute.control_risks import StartingRisk
from trial_evidence.report.absolute.effects import (
    absolute_effect,
    constant_scale,
    ratio_varies_between_trials,
    treated_risk,
)
from trial_evidence.report.tables.absolute_effects import (
    plain_language_table,
    statement,
    summary_of_findings,
)
from trial_evidence.report.tables.balance import balance, starting_risk, typical_risk
from trial_evidence.report.tables.harms import findings_of_harms, without_estimate
from trial_evidence.words.printed import lower_first

PLACE = ("adjuvant", "event_free_dual_v_single")
COUNTED = ("neoadjuvant", "pcr_dual_v_trastuzumab")
RATIO = {"estimate": 0.8, "ci_low": 0.7, "ci_high": 1.1, "participants": 1000.0}


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.01, 0.01, "In the trials, adding B made little or no difference to deaths; "
                      "certainty was not rated."),
        (-0.03, 0.01, "The trials do not show whether adding B changes deaths."),
        (-0.01, 0.03, "The trials do not show whether adding B changes deaths."),
    ],
)  # fmt: skip
def test_a_ratio_near_one_is_no_small_difference_if_it_concerns_many_patients(low, high, said):
    """Where many have the outcome, a ratio of 0.97 may mean 30 patients in 1,000."""
    lead = {"measure": "risk_ratio", "estimate": 1.0, "ci_low": 0.97, "ci_high": 1.03, "k": 3.0}
    differences = {"difference_low": low, "difference_high": high}
    assert said == statement(
        lead | {"estimate": 0.98} | differences, "", "deaths", "adding B",
        survival=False, fewer_is_better=True, worthwhile=1.25, few=0.02,
    )  # fmt: skip


def test_an_estimate_of_no_difference_has_no_direction():
    lead = {"measure": "hazard_ratio", "estimate": 1.002, "ci_low": 0.75, "ci_high": 1.33, "k": 3.0}
    assert (
        statement(
            lead, "low", "survival", "B", survival=True, fewer_is_better=True, worthwhile=1.25
        )
        == "The trials do not show whether B changes survival."
    )


@pytest.mark.parametrize(
    ("risk", "effect", "measure", "expected"),
    [
        (0.20, 1.5, "risk_ratio", 0.30),
        (0.80, 1.5, "risk_ratio", 1.0),  # at most 1
        (0.50, 0.8, "hazard_ratio", 0.425650822501783),  # 1 - 0.5^0.8
        (0.19, 2.0, "hazard_ratio", 0.3439),  # 1 - 0.81^2
        (0.25, 2.0, "odds_ratio", 0.40),  # odds 1/3 -> 2/3
        (0.30, 1.0, "hazard_ratio", 0.30),
        (0.30, 0.15, "risk_difference", 0.45),
        (0.95, 0.15, "risk_difference", 1.0),
        (0.05, -0.15, "risk_difference", 0.0),  # at least 0
        (0.20, math.inf, "odds_ratio", 1.0),  # plogis(qlogis(0.2) + Inf); else it was unknown
        (1.00, 0.0, "odds_ratio", 1.0),  # the limit of a ratio that is zero in print
        (0.00, math.inf, "risk_ratio", 0.0),  # any multiple of no patients is none
        (0.20, math.nan, "risk_ratio", math.nan),  # an unknown limit is not 1000 per 1000
        (0.20, math.nan, "risk_difference", math.nan),  # nor 0 per 1000
    ],
)
def test_risk_with_treatment(risk, effect, measure, expected):
    found = treated_risk(risk, effect, measure)
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_a_rate_is_no_effect():
    with pytest.raises(ValueError, match="proportion"):
        treated_risk(0.2, 0.1, "proportion")


def findings(pooled, rule, trials=(), estimates=(RATIO,), **tables):
    found = with_estimates(material(pooled), [estimate(**fields) for fields in estimates])
    for name, rows in tables.items():
        found = with_table(found, name, rows)
    place = {"setting": rule.setting, "analysis": rule.analysis}
    rows = [
        {
            **place, "measure": "hazard_ratio", "subgroup": "all", "pooled": "yes", "rows": "2",
            "events_control": float("nan"), "n_control": 100.0, "weight": 50.0,
            "trial_id": "trial_f", "trial": "Trial F", "outcome": "iDFS",
            "experimental_arm_id": "trial_f_dual", "control_arm_id": "trial_f_single",
            "source_id": "doe_2020_trial_f",
        } | dict(trial)
        for trial in trials
    ]  # fmt: skip
    columns = [*place, "measure", "subgroup", "pooled", "weight", "events_control", "n_control"]
    found = replace(
        found,
        report=replace(found.report, control_risks=(rule,)),
        evidence=replace(
            found.evidence, trials=pd.DataFrame(rows, columns=None if rows else columns)
        ),
    )
    return summary_of_findings(found, {})


def test_stated_risks_are_taken_as_they_are(pooled):
    table = findings(pooled, ControlRisk(*PLACE, "stated", (0.1, 0.2, 0.4), "assumed"))
    assert list(table.data["control_risk"]) == [0.1, 0.2, 0.4]
    assert set(table.data["control_risk_source"]) == {"assumed"}
    assert any(note.endswith(": assumed.") for note in table.notes)
    # 1 - 0.8^0.8 = 0.1635; 1 - 0.8^0.7 = 0.1446; 1 - 0.8^1.1 = 0.2177
    assert table.frame.loc[1, "Risk with intervention, per 1,000"] == "163 (145 to 218)"
    assert table.frame.loc[1, "Difference per 1,000"] == "37 fewer (55 fewer to 18 more)"


def test_the_co_primary_model_has_its_own_row(pooled):
    second = {"estimate": 0.9, "ci_low": 0.8, "ci_high": 1.0, "role": "co-primary",
              "model": "bayesian"}  # fmt: skip
    rule = ControlRisk(*PLACE, "stated", (0.1, 0.2, 0.4), "assumed")
    table = findings(pooled, rule, estimates=(second, RATIO))
    assert list(table.data["role"]) == ["lead", "co-primary"] * 3
    # 1 - 0.8^0.9 = 0.1819
    assert table.frame.loc[3, "Risk with intervention, per 1,000"].startswith("182 (")


def test_control_arms_give_their_quartiles(pooled):
    trials = [
        {"events_control": events, "trial": f"Trial {at}"}
        for at, events in enumerate((10.0, 20.0, 30.0, 40.0, 50.0, float("nan")))
    ]
    table = findings(pooled, ControlRisk(*PLACE, "control_arms"), trials)
    assert list(table.data["control_risk"]) == pytest.approx([0.2, 0.3, 0.4])
    assert (
        table.data["control_risk_source"][0]
        == "lower quartile of the control arms of 5 of 6 trials"
    )
    assert any("(Trial 0, Trial 1, Trial 2, Trial 3 and Trial 4)" in note for note in table.notes)


def test_without_events_there_is_no_risk_to_start_from(pooled):
    table = findings(pooled, ControlRisk(*PLACE, "control_arms"), [{}])
    assert table.frame.empty
    assert any("no control arm reports its number of events" in note for note in table.notes)


def test_at_the_control_median_one_half_has_had_the_event(pooled):
    rows = [{"row": 2, "median_control_months": 12.4}, {"row": 3, "median_control_months": 6.0}]
    table = findings(pooled, ControlRisk(*PLACE, "control_median"), [{}], hazard_ratios=rows)
    assert list(table.data["control_risk"]) == [0.5]
    # 1 - 0.5^0.8 = 0.4257
    assert table.frame.loc[0, "Difference per 1,000"].startswith("74 fewer")
    assert any("12.4 months in 1 of 1 trial" in note for note in table.notes)


def rate(**fields):
    return {
        "row": 2, "trial_id": "trial_f", "arm_id": "trial_f_single", "endpoint": "iDFS",
        "outcome": "iDFS", "population": "ITT", "subgroup": "all", "months": 60.0, "percent": 80.0,
        "percent_printed": "80.0", "source_id": "doe_2020_trial_f", "verification": "primary",
        "derivation": "reported", "status": "current",
    } | fields  # fmt: skip


def test_a_trials_own_control_arm_says_its_risk_at_a_time(pooled):
    rule = ControlRisk(*PLACE, "milestones", months=(60.0, 96.0))
    table = findings(pooled, rule, [{}], milestones=[rate()])
    (row,) = table.data.to_dict("records")
    assert row["control_risk"] == pytest.approx(0.2)
    assert row["control_risk_level"] == "60 months"
    assert row["control_risk_source"] == "Trial F (iDFS; Doe 2020, Journal of Made-up Results)"
    assert row["source_id"] == "doe_2020_trial_f"
    assert row["control_risk_cells"] == "milestones.csv row 2"
    # 1 - 0.8^0.8 = 0.1635
    assert table.frame.loc[0, "Risk with intervention, per 1,000"] == "163 (145 to 218)"
    assert any("not reported: 96 months" in note for note in table.notes)


@pytest.mark.parametrize(
    "doubt",
    [{"status": "superseded"}, {"verification": "unverified"},
     {"derivation": "reconstructed", "note": "time not printed"}],
)  # fmt: skip
def test_a_rate_that_is_not_admitted_is_no_risk_to_start_from(pooled, doubt):
    rule = ControlRisk(*PLACE, "milestones", months=(60.0,))
    assert findings(pooled, rule, [{}], milestones=[rate(**doubt)]).frame.empty


def test_the_risk_is_that_of_the_outcome_of_the_trial_before_any_other(pooled):
    """The trial's ratio is for that outcome."""
    rates = [rate(), rate(row=3, outcome="DFS", endpoint="DFS", percent=70.0)]
    rule = ControlRisk(*PLACE, "milestones", months=(60.0,))
    table = findings(pooled, rule, [{"outcome": "DFS"}], milestones=rates)
    assert list(table.data["control_risk"]) == pytest.approx([0.3])
    assert table.data["control_risk_source"][0].startswith("Trial F (DFS; ")


def test_a_rate_of_another_time_or_population_says_so(pooled):
    rule = ControlRisk(*PLACE, "milestones", months=(60.0,))
    table = findings(pooled, rule, [{}], milestones=[rate(months=57.0, population="mITT")])
    source = "Trial F (iDFS, 57 months, mITT; Doe 2020, Journal of Made-up Results)"
    assert list(table.data["control_risk_source"]) == [source]


def test_several_arms_give_their_median_and_each_is_named(pooled):
    trials = [{}] + [
        {"trial_id": f"trial_{name}", "trial": f"Trial {name.upper()}",
         "control_arm_id": f"trial_{name}_single"}
        for name in "ghi"
    ]  # fmt: skip
    rates = [
        rate(percent=65.0),
        rate(row=3, arm_id="trial_g_single", percent=70.0, outcome="DFS"),
        rate(row=4, arm_id="trial_h_single", percent=90.0, derivation="digitised_curve"),
    ]
    rule = ControlRisk(*PLACE, "milestones", months=(60.0,))
    table = findings(pooled, rule, trials, milestones=rates)
    (row,) = table.data.to_dict("records")
    assert row["control_risk"] == pytest.approx(0.3)
    assert row["control_risk_source"] == (
        "median of 3: Trial F (35.0%, iDFS; Doe 2020, Journal of Made-up Results); Trial G (30.0%, "
        "DFS; Doe 2020, Journal of Made-up Results); Trial H (10.0%, iDFS, read off the curve; Doe "
        "2020, Journal of Made-up Results) (of 4 trials)"
    )
    chosen = findings(pooled, replace(rule, trials=("trial_g",)), trials, milestones=rates)
    assert list(chosen.data["control_risk"]) == pytest.approx([0.3])


def test_patients_of_a_subgroup_start_from_their_own_risk(pooled):
    rates = [rate(), rate(row=3, subgroup="nodal=positive", percent=60.0)]
    rule = ControlRisk(*PLACE, "milestones", months=(60.0,), subgroups=("nodal=positive",))
    table = findings(pooled, rule, [{}], milestones=rates)
    assert list(table.data["control_risk"]) == pytest.approx([0.2, 0.4])
    assert table.data["control_risk_level"][1] == "60 months, nodal positive"


def test_a_risk_that_falls_over_time_is_explained(pooled):
    rates = [rate(months=36.0, percent=75.0), rate(row=3)]
    rule = ControlRisk(*PLACE, "milestones", months=(36.0, 60.0))
    table = findings(pooled, rule, [{}], milestones=rates)
    assert any("at a later time may be lower" in note for note in table.notes)


def test_a_lower_risk_of_other_patients_is_not_explained_by_time(pooled):
    rates = [rate(months=36.0, percent=60.0, subgroup="nodal=positive"), rate(row=3)]
    rule = ControlRisk(*PLACE, "milestones", months=(36.0, 60.0), subgroups=("nodal=positive",))
    table = findings(pooled, rule, [{}], milestones=rates)
    assert sorted(table.data["control_risk"]) == pytest.approx([0.2, 0.4])
    assert not any("at a later time may be lower" in note for note in table.notes)


def test_without_a_rate_at_the_times_there_is_no_risk(pooled):
    rule = ControlRisk(*PLACE, "milestones", months=(36.0,))
    table = findings(pooled, rule, [{}], milestones=[rate()])
    assert table.frame.empty
    assert any("at the times asked for" in note for note in table.notes)


def counted(measure, i2, q_p, **fields):
    return {"setting": COUNTED[0], "analysis": COUNTED[1], "outcome": "pcr", "measure": measure,
            "k": 3.0, "ci_low": 0.1, "ci_high": 3.0, "i2": i2, "q_p": q_p} | fields  # fmt: skip


@pytest.mark.parametrize(
    ("odds", "difference", "taken"),
    [
        ((10.0, 0.5), (20.0, 0.9), "odds_ratio"),
        ((20.0, 0.9), (10.0, 0.5), "risk_difference"),
        # If tied in I2, the larger p value of Q decides, then the order in the configuration.
        ((0.0, 0.5), (0.0, 0.6), "risk_difference"),
        ((0.0, 0.5), (0.0, 0.5), "odds_ratio"),
        ((float("nan"), float("nan")), (float("nan"), float("nan")), "odds_ratio"),
    ],
)
def test_counted_outcomes_use_the_scale_that_varies_least(pooled, odds, difference, taken):
    rows = [
        counted("risk_ratio", 0.0, 1.0, estimate=1.5),
        counted("odds_ratio", *odds, estimate=2.0),
        counted("risk_difference", *difference, estimate=0.15),
    ]
    found = with_estimates(material(pooled), [estimate(**row) for row in rows])
    scale = constant_scale(found, found.analysis(*COUNTED))
    assert scale.measure == taken
    stated = ControlRisk(*COUNTED, "stated", (0.25, 0.3, 0.4), "assumed")
    table = findings(pooled, stated, estimates=rows)
    assert set(table.data["measure"]) == {taken}
    expected = {"odds_ratio": 0.4, "risk_difference": 0.4}[taken]  # odds 1/3 -> 2/3; 0.25 + 0.15
    assert table.data["risk"][0] == pytest.approx(expected)


def with_spread(pooled, ratio, difference, regression=()):
    rows = [
        counted("risk_ratio", ratio, 0.1, estimate=1.5),
        counted("odds_ratio", difference, 0.5, estimate=2.0),
        counted("risk_difference", difference, 0.6, estimate=0.15),
    ]
    found = with_estimates(material(pooled), [estimate(**row) for row in rows])
    place = {"setting": COUNTED[0], "analysis": COUNTED[1], "measure": "odds_ratio"}
    found = with_sensitivity(found, "control_risk", [place | row for row in regression])
    return found, found.analysis(*COUNTED)


def at_risk(control_risk, *difference):
    names = ("difference", "difference_low", "difference_high")
    return {"control_risk": control_risk} | dict(zip(names, difference, strict=True))


def test_one_scale_is_not_said_to_vary_least(pooled):
    found, analysis = with_spread(pooled, 18.0, 27.0)
    only = replace(analysis, measures=("risk_ratio", "odds_ratio"))
    assert constant_scale(found, only).words == (
        "absolute effects come from the odds ratio (I² 27%, p = 0.50)"
    )


def test_a_risk_ratio_in_which_trials_differ_more_is_told(pooled):
    regression = [
        {"p_value": 0.03},
        at_risk(0.24, 0.18, 0.126, 0.234),
        at_risk(0.48, 0.10, 0.046, 0.153),
    ]
    assert ratio_varies_between_trials(*with_spread(pooled, 32.0, 0.0, regression)) == (
        "The trials differ more in the risk ratio (I² 32%) than in the risk difference (0%): the "
        "risk ratio is an average over these trials, not a constant to apply to other control "
        "risks. In a regression on the true control risk (odds ratio; slope: p = 0.03) the risk "
        "difference is 18 (13–23) and 10 (5–15) percentage points at control risks of 24% and 48%."
    )


def test_a_risk_ratio_as_constant_as_the_others_is_not(pooled):
    assert ratio_varies_between_trials(*with_spread(pooled, 0.0, 0.0)) == ""


def test_a_benefit_starts_from_the_risk_of_all_patients_nearest_in_time():
    risks = [
        *(StartingRisk(f"{months} months", 0.001 * months, "", float(months))
          for months in (12, 36, 60)),
        StartingRisk("40 months, node-negative", 0.02, "", 40.0, "nodal=negative"),
    ]  # fmt: skip
    assert [typical_risk(tuple(risks), months).months for months in (10, 40, 99)] == [12, 36, 60]
    low, moderate, high = (StartingRisk(str(risk), risk, "stated") for risk in (0.1, 0.2, 0.3))
    assert typical_risk((low, moderate, high), 40.0) is moderate
    assert typical_risk((), 40.0) is None


def test_agents_without_a_count_of_harm_are_not_weighed(pooled):
    """A benefit shown alone would be read as a benefit without harm."""
    found = material(pooled)
    rows = balance(found)
    kinds = {(row["setting"], row["added"], row["side"]) for row in rows}
    # In the made-up sheet, one trial in each of these settings counts harms, both with pertuzumab.
    assert kinds == {
        (setting, "Pertuzumab", side)
        for setting in ("neoadjuvant", "metastatic_first_line")
        for side in ("Benefit", "Harm")
    }
    # Other agents have results on benefit only.
    lapatinib = found.evidence.estimates["subgroup"] == "added_agents=lapatinib"
    assert lapatinib.any()


def test_a_benefit_names_the_event_that_the_trials_reported(pooled):
    """Not every endpoint that the analysis would take."""
    found = material(pooled)
    first = found.analysis("metastatic_first_line", "progression_free_dual_v_single")
    wider = replace(first, outcomes=(*first.outcomes, found.configuration.outcomes["EFS"]))
    analyses = (wider if a is first else a for a in found.configuration.analyses)
    configuration = replace(found.configuration, analyses=tuple(analyses))
    rows = balance(replace(found, configuration=configuration))
    said = [row["about"] for row in rows if row["analysis"] == first.id]
    assert said == ["PFS event by 12 months"]


def test_a_harm_starts_from_the_patients_of_its_control_arms_together(pooled):
    """Not the mean of their risks; the difference is the trials' own, not that from the ratio."""
    found = material(pooled)
    analysis = found.analysis("metastatic_first_line", "heart_failure")
    place = {"setting": analysis.setting, "analysis": analysis.id}
    group = {"subgroup": "added_agents=pertuzumab", "k": 2.0, "trials": "trial_h;trial_i"}
    ratio = {"measure": "risk_ratio", "estimate": 2.0, "ci_low": 1.0, "ci_high": 4.0}
    difference = {"measure": "risk_difference", "estimate": 0.01, "ci_low": 0.0, "ci_high": 0.02}
    found = with_estimates(found, [estimate(**place, **group, **m) for m in (ratio, difference)])
    trials = [
        place | {
            "measure": measure, "subgroup": "all", "pooled": "yes", "trial_id": trial,
            "trial": trial, "added": "Pertuzumab", "events_control": 10.0, "n_control": n,
            "source_id": "doe_2020_trial_h",
        }
        for trial, n in (("trial_h", 100.0), ("trial_i", 1000.0))
        for measure in ("risk_ratio", "risk_difference")
    ]  # fmt: skip
    found = replace(found, evidence=replace(found.evidence, trials=pd.DataFrame(trials)))
    ((_, row, start),) = findings_of_harms(found)
    assert start.risk == pytest.approx(20 / 1100)
    assert row["difference"] == pytest.approx(0.01)
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((0.0, 0.02))


def test_a_difference_of_a_harm_counts_trials_that_show_no_ratio(pooled):
    """A trial without events in either arm is part of the risk, and of the difference."""
    found = material(pooled)
    analysis = found.analysis("metastatic_first_line", "heart_failure")
    place = {"setting": analysis.setting, "analysis": analysis.id}
    group = {"subgroup": "added_agents=pertuzumab"}
    ratio = {"measure": "risk_ratio", "estimate": 0.9, "ci_low": 0.3, "ci_high": 2.7, "k": 1.0,
             "trials": "trial_h"}  # fmt: skip
    difference = {"measure": "risk_difference", "estimate": 0.0, "ci_low": -0.04, "ci_high": 0.05,
                  "k": 2.0, "trials": "trial_h;trial_i"}  # fmt: skip
    found = with_estimates(found, [estimate(**place, **group, **m) for m in (ratio, difference)])
    trials = [
        place | {
            "measure": measure, "subgroup": "all", "trial_id": trial, "trial": trial.upper(),
            "pooled": "yes" if events or measure != "risk_ratio" else "no", "corrected": "",
            "added": "Pertuzumab", "added_agents": "pertuzumab",
            "events_control": events, "n_control": 100.0,
            "source_id": "doe_2020_trial_h", "not_pooled_reason": "",
        }
        for trial, events in (("trial_h", 10.0), ("trial_i", 0.0))
        for measure in ("risk_ratio", "risk_difference")
    ]  # fmt: skip
    found = replace(found, evidence=replace(found.evidence, trials=pd.DataFrame(trials)))
    ((_, row, start),) = findings_of_harms(found)
    assert start.risk == pytest.approx(10 / 200)
    told = [row[name] for name in ("difference", "difference_low", "difference_high")]
    assert told == pytest.approx([0.0, -0.04, 0.05])
    assert row["further"] == "TRIAL_I"
    (harm,) = plain_language_table(found, ()).data["sentence"]
    assert harm.endswith(" The difference also counts TRIAL_I, which cannot show a ratio.")


def test_a_harm_without_an_estimate_says_why(pooled):
    """A decision is not a difference in definitions."""
    found = material(pooled)
    analysis = found.analysis("metastatic_first_line", "heart_failure")
    place = {"setting": analysis.setting, "analysis": analysis.id}
    reasons = {"trial_h": "Collected after unblinding only.", "trial_i": "Own words."}
    trials = [
        place | {
            "measure": measure, "subgroup": "all", "pooled": "no", "trial_id": trial,
            "trial": trial, "added": agent.capitalize(), "added_agents": agent,
            "not_pooled_reason": reasons[trial],
        }
        for trial, agent in (("trial_h", "pertuzumab"), ("trial_i", "lapatinib"))
        for measure in ("risk_ratio", "risk_difference")
    ]  # fmt: skip
    found = with_estimates(found, [])
    found = replace(found, evidence=replace(found.evidence, trials=pd.DataFrame(trials)))
    said = without_estimate(found, analysis.setting)
    harm = lower_first(analysis.labels[0])
    assert said.startswith(
        f"Reported, but not estimated. Collected after unblinding only: {harm} (pertuzumab). Own "
        f"words: {harm} (lapatinib). See the harms trial by trial."
    )


def test_other_harms_are_those_of_two_arms_of_a_randomised_trial(pooled):
    found = material(pooled)
    reported = [
        {"trial_id": trial, "arm_id": arm, "outcome": "nausea_any", "definition": "nausea",
         "verification": "primary", "status": "current", "events": 9.0, "n": 90.0}
        for trial, arm in (
            ("trial_c", "trial_c_dual"), ("trial_c", "trial_c_t"), ("trial_b", "trial_b_dual"),
            ("cohort_e", "cohort_e_dual"), ("cohort_e", "cohort_e_single"),
        )
    ]  # fmt: skip
    said = without_estimate(with_table(found, "harms", reported), "neoadjuvant")
    assert "were reported by TRIAL-C. They are not estimated here" in said


def test_a_harm_of_a_single_trial_with_an_empty_arm_has_the_observed_difference(pooled):
    """36 of 1,000 cannot be spared where 32 have the harm; the added half patients widen only."""
    found = material(pooled)
    analysis = found.analysis("metastatic_first_line", "heart_failure")
    place = {"setting": analysis.setting, "analysis": analysis.id}
    group = {"subgroup": "added_agents=pertuzumab", "k": 1.0, "trials": "trial_h"}
    ratio = {"measure": "risk_ratio", "estimate": 0.23, "ci_low": 0.01, "ci_high": 5.5}
    difference = {"measure": "risk_difference", "estimate": -0.036}
    found = with_estimates(found, [estimate(**place, **group, **m) for m in (ratio, difference)])
    row = place | {
        "subgroup": "all", "pooled": "yes", "trial_id": "trial_h", "trial": "H", "corrected": "yes",
        "added": "Pertuzumab", "events_experimental": 0.0, "n_experimental": 45.0,
        "events_control": 1.0, "n_control": 31.0, "source_id": "doe_2020_trial_h",
        "estimate": -0.036, "estimate_low": -0.115, "estimate_high": 0.043,
    }  # fmt: skip
    trials = [row | {"measure": measure} for measure in ("risk_ratio", "risk_difference")]
    found = replace(found, evidence=replace(found.evidence, trials=pd.DataFrame(trials)))
    ((_, told, start),) = findings_of_harms(found)
    assert told["difference"] == pytest.approx(-1 / 31) == pytest.approx(-start.risk)
    assert (told["difference_low"], told["difference_high"]) == (-0.115, 0.043)


def test_no_median_of_the_control_arms_is_no_control_risk(pooled):
    rows = [{"row": 2, "median_control_months": float("nan")}]
    table = findings(pooled, ControlRisk(*PLACE, "control_median"), [{}], hazard_ratios=rows)
    assert table.data.empty


def test_a_difference_is_that_of_the_trials_where_the_control_risk_leaves_no_room_for_it():
    """An interval that ends at the estimate would hide how uncertain it is."""
    effect = {"measure": "risk_difference", "estimate": -0.04, "ci_low": -0.11, "ci_high": 0.04}
    found = absolute_effect(effect, 0.03)
    assert (found["risk"], found["risk_low"]) == (0.0, 0.0)
    ends = [found[name] for name in ("difference", "difference_low", "difference_high")]
    assert ends == [-0.04, -0.11, 0.04]


def with_both(found, rule):
    """The material with two pooled trials in the adjuvant analysis, and a rule on their risk."""
    both = [
        {"setting": PLACE[0], "analysis": PLACE[1], "measure": "hazard_ratio", "subgroup": "all",
         "pooled": "yes", "trial_id": trial, "trial": f"Trial {trial[-1].upper()}",
         "outcome": "iDFS", "weight": 50.0, "control_arm_id": f"{trial}_single"}
        for trial in ("trial_f", "trial_g")
    ]  # fmt: skip
    return replace(
        found,
        evidence=replace(found.evidence, trials=pd.DataFrame(both)),
        report=replace(found.report, control_risks=(rule,), balance_months={PLACE[0]: 60.0}),
    )


@pytest.mark.parametrize(
    ("own", "months", "risk", "said"),
    [
        ("trial_f", 60.0, 0.2, "Trial F (iDFS; Doe 2020, Journal of Made-up Results)"),
        # Only at another time: better than the risk of patients of other trials.
        ("trial_f", 96.0, 0.3, "Trial F (iDFS; Doe 2020, Journal of Made-up Results)"),
        ("trial_g", 60.0, 0.2, "Trial F (iDFS; Doe 2020, Journal of Made-up Results) (of 2 trials)"
         "; none of these trials added the agent"),
    ],
)  # fmt: skip
def test_a_benefit_starts_from_the_risk_in_the_trials_that_added_the_agent(
    pooled, own, months, risk, said
):
    found = with_table(
        material(pooled), "milestones", [rate(months=months, percent=100 - 100 * risk)]
    )
    rule = ControlRisk(*PLACE, "milestones", months=(60.0, 96.0))
    found = with_both(found, rule)
    start = starting_risk(found, found.analysis(*PLACE), [own])
    assert start.risk == pytest.approx(risk)
    assert start.source == said


def test_a_benefit_starts_only_from_the_trials_that_the_configuration_names(pooled):
    """Also where another trial added the agent: somebody decided that its patients differ."""
    rates = [rate(), rate(row=3, trial_id="trial_g", arm_id="trial_g_single", percent=60.0)]
    found = with_table(material(pooled), "milestones", rates)
    rule = ControlRisk(*PLACE, "milestones", months=(60.0,), trials=("trial_g",))
    found = with_both(found, rule)
    start = starting_risk(found, found.analysis(*PLACE), ["trial_f", "trial_g"])
    assert start.risk == pytest.approx(0.4)
