"""Verdicts on claims, by the rules in config/report.yaml."""

import math
from dataclasses import replace

import numpy as np
import pytest
from report_material import estimate, material, with_estimates, with_sensitivity, with_table
from scipy.stats import norm
from trial_evidence.config.reports import (
    AssociationRule,
    Claim,
    EffectRule,
    GroupsRule,
    InteractionRule,
    TableRule,
)
from trial_evidence.report.tables.claims import claims_table, verdicts
from trial_evidence.words.errors import RequestError

PLACE = ("adjuvant", "event_free_dual_v_single")
CERTAINTY = {PLACE: "Low (provisional)"}


@pytest.fixture
def found(pooled, tmp_path):
    return material(pooled, tmp_path)


def verdict(found, rule, certainty=CERTAINTY):
    claims = (Claim("claim", "Topic", "Something is so.", rule),)
    (only,) = verdicts(replace(found, report=replace(found.report, claims=claims)), certainty)
    return only


def two_models(low, high, probability, **other):
    """Two trials pooled with the empirical and the cautious prior, and with a common effect."""
    lead = estimate(k=2.0, estimate=0.82, ci_low=low, ci_high=high, model="bayesian_empirical",
                    probability_of_benefit=probability)  # fmt: skip
    cautious = {"model": "bayesian", "role": "co-primary", "ci_low": 0.5, "ci_high": 1.35}
    common = {"model": "common", "role": "", "ci_low": 0.74, "ci_high": 0.92} | other
    return [lead, lead | cautious | {"probability_of_benefit": 0.89}, lead | common]


# --------------------------------------------------------------------------------------- effect


# The smallest relevant ratio is 1.25 (0.80).
@pytest.mark.parametrize(
    ("low", "high", "expected", "why"),
    [
        (0.60, 0.95, "supported", "lies on the side of benefit"),
        (1.05, 1.60, "not supported", "side of harm"),
        (0.90, 1.10, "not supported", "but not with a relevant benefit"),
        (0.70, 1.10, "inconclusive", "and with a clinically relevant benefit"),
        (0.60, 1.00, "inconclusive", "and with a clinically relevant benefit"),
    ],
)
def test_an_effect_is_read_off_its_interval(found, low, high, expected, why):
    row = estimate(estimate=(low * high) ** 0.5, ci_low=low, ci_high=high)
    result = verdict(with_estimates(found, [row]), EffectRule(*PLACE))
    assert result.verdict == expected
    assert why in result.reason


def test_very_low_certainty_leaves_no_verdict(found):
    row = estimate(estimate=0.7, ci_low=0.6, ci_high=0.9)
    certainty = {PLACE: "Very low (provisional)"}
    result = verdict(with_estimates(found, [row]), EffectRule(*PLACE), certainty)
    assert result.verdict == "inconclusive"
    assert result.reason.startswith("The evidence is very uncertain.")


@pytest.mark.parametrize(("times", "expected"), [(1.0, "inconclusive"), (100.0, "not enough data")])
def test_data_that_suffice_are_not_called_too_few(found, times, expected):
    """Two large trials with an inconclusive answer are enough data."""
    trials = found.evidence.trials.assign(vi=found.evidence.trials["vi"] * times)
    row = estimate(estimate=0.9, ci_low=0.7, ci_high=1.1)
    changed = with_estimates(replace(found, evidence=replace(found.evidence, trials=trials)), [row])
    # 631 events are needed (Schoenfeld 1983); 4 events carry the information of 1 / variance.
    mine = changed.pooled_trials(changed.analysis(*PLACE))
    assert ((4 / mine["vi"]).sum() >= 630.5) == (expected == "inconclusive")
    assert verdict(changed, EffectRule(*PLACE)).verdict == expected


@pytest.mark.parametrize(
    ("probability", "common", "expected"),
    [
        (0.95, 0.82, "probable"),
        (0.90, 0.82, "probable"),
        (0.89, 0.82, "inconclusive"),
        (0.95, 1.01, "inconclusive"),  # one model has its estimate on the other side
    ],
)
def test_a_probable_benefit_has_every_model_on_its_side(found, probability, common, expected):
    rows = two_models(0.63, 1.07, probability, estimate=common)
    result = verdict(with_estimates(found, rows), EffectRule(*PLACE))
    assert result.verdict == expected
    assert result.probability_of_benefit == probability


def test_a_harm_by_one_model_is_said_of_that_model(found):
    rows = two_models(0.98, 1.40, 0.05)
    rows[1] |= {"estimate": 1.2, "ci_low": 1.01, "ci_high": 1.42}
    result = verdict(with_estimates(found, rows), EffectRule(*PLACE))
    assert result.verdict == "not supported"
    assert result.reason.startswith("The whole interval by the ")
    rows[0] |= {"ci_low": 1.02}
    both = verdict(with_estimates(found, rows), EffectRule(*PLACE))
    assert both.reason.startswith("The whole interval lies on the side of harm.")


def test_a_small_benefit_by_one_model_is_not_compatible_with_no_effect(found):
    rows = two_models(0.88, 0.99, 0.95)
    rows[1] |= {"estimate": 0.94, "ci_low": 0.86, "ci_high": 1.01}
    result = verdict(with_estimates(found, rows), EffectRule(*PLACE))
    assert "The two models disagree: the interval of only one excludes 1." in result.reason
    assert result.verdict == "probable"


@pytest.mark.parametrize(
    ("lead", "second"), [((0.78, 1.05), (0.85, 1.10)), ((0.85, 1.10), (0.78, 1.05))]
)
def test_a_relevant_benefit_that_one_of_two_models_allows_is_not_ruled_out(found, lead, second):
    rows = two_models(*lead, 0.5)
    rows[1] |= dict(zip(("ci_low", "ci_high"), second, strict=True))
    result = verdict(with_estimates(found, rows), EffectRule(*PLACE))
    assert result.verdict == "inconclusive"
    assert "compatible with no effect and with a clinically relevant benefit" in result.reason


def test_the_probability_of_a_relevant_benefit_is_that_of_the_trials(found):
    # For the two pooled trials with the empirical prior, by integration over a fine grid of tau.
    trials = found.pooled_trials(found.analysis(*PLACE))
    y, v = trials["yi"].to_numpy(float), trials["vi"].to_numpy(float)
    log_tau = np.linspace(-6, 12, 200_001)
    w = 1 / (v[:, None] + np.exp(2 * log_tau))
    mean, total = (w * y[:, None]).sum(axis=0) / w.sum(axis=0), w.sum(axis=0)
    density = np.sqrt(w.prod(axis=0) / total) * np.exp(
        -0.5 * (w * (y[:, None] - mean) ** 2).sum(axis=0) - 2.42 * log_tau - 0.30 / np.exp(log_tau)
    )
    expected = (density * norm.cdf((math.log(0.8) - mean) * np.sqrt(total))).sum() / density.sum()
    result = verdict(with_estimates(found, two_models(0.63, 1.07, 0.95)), EffectRule(*PLACE))
    assert result.probability_worthwhile == pytest.approx(expected, abs=1e-7)


def test_what_would_change_a_verdict_is_what_the_sensitivity_analyses_found(found):
    row = two_models(0.63, 1.07, 0.95)
    place = dict(zip(("setting", "analysis"), PLACE, strict=True)) | {"measure": "hazard_ratio"}
    said = "A further trial with 155 events that finds the pooled effect would settle it."
    changed = with_sensitivity(
        with_estimates(found, row), "what_would_change", [place | {"further_trial": said}]
    )
    assert verdict(changed, EffectRule(*PLACE)).would_change == said
    assert verdict(with_estimates(found, row), EffectRule(*PLACE)).would_change == ""


def test_few_specifications_hold_a_benefit_back(found):
    row = estimate(estimate=0.7, ci_low=0.6, ci_high=0.9)
    curve = {"setting": PLACE[0], "analysis": PLACE[1], "measure": "hazard_ratio"}
    for share, expected in ((0.79, "probable"), (0.80, "supported")):
        changed = with_sensitivity(
            with_estimates(found, [row]), "multiverse_summary", [curve | {"share_below": share}]
        )
        result = verdict(changed, EffectRule(*PLACE))
        assert result.verdict == expected
        assert ("defensible ways" in result.reason) == (expected == "probable")


def test_of_a_response_more_is_a_benefit(found):
    row = estimate(
        setting="neoadjuvant", analysis="pcr_dual_v_trastuzumab", outcome="pCR",
        measure="risk_ratio", estimate=1.5, ci_low=1.2, ci_high=1.9,
    )  # fmt: skip
    rule = EffectRule("neoadjuvant", "pcr_dual_v_trastuzumab")
    assert verdict(with_estimates(found, [row]), rule).verdict == "supported"


def test_models_of_equal_rank_must_agree(found):
    rows = [
        estimate(k=3.0, estimate=0.7, ci_low=0.5, ci_high=0.98),
        estimate(k=3.0, estimate=0.7, ci_low=0.5, ci_high=1.02, model="bayesian",
                 role="co-primary"),
    ]  # fmt: skip
    result = verdict(with_estimates(found, rows), EffectRule(*PLACE))
    assert result.verdict == "inconclusive"
    assert "disagree" in result.reason
    assert result.numbers == (
        "HR 0.70 (95% CI 0.50–0.98), 3 trials, REML, floored Hartung–Knapp; "
        "HR 0.70 (95% CrI 0.50–1.02), 3 trials, Bayesian, cautious prior"
    )


def test_one_trial_is_not_enough(found):
    row = estimate(k=1.0, estimate=0.6, ci_low=0.5, ci_high=0.7, model="single_trial")
    result = verdict(with_estimates(found, [row]), EffectRule(*PLACE))
    assert (result.verdict, result.k) == ("inconclusive", 1)


def test_no_trial_is_not_enough(found):
    assert verdict(with_estimates(found, []), EffectRule(*PLACE)).numbers == ""


def test_a_prediction_interval_that_includes_no_effect_is_said(found):
    row = estimate(estimate=0.7, ci_low=0.6, ci_high=0.9, pi_low=0.4, pi_high=1.2)
    reason = verdict(with_estimates(found, [row]), EffectRule(*PLACE)).reason
    assert "The 95% prediction interval (0.40–1.20) includes 1. In a new trial" in reason


def test_models_of_equal_rank_may_differ_on_a_new_trial(found):
    rows = [
        estimate(k=3.0, estimate=0.7, ci_low=0.5, ci_high=0.97, pi_low=0.5, pi_high=0.97),
        estimate(k=3.0, estimate=0.7, ci_low=0.51, ci_high=0.96, pi_low=0.39, pi_high=1.26,
                 model="bayesian", role="co-primary"),
    ]  # fmt: skip
    reason = verdict(with_estimates(found, rows), EffectRule(*PLACE)).reason
    assert (
        "The 95% prediction interval of the random-effects model (0.50–0.97) excludes 1; that of "
        "the Bayesian model with the cautious prior (0.39–1.26) includes 1. In a new trial "
        "there may be no effect." in reason
    )


def test_a_result_that_hangs_on_single_trials_says_so(found):
    row = estimate(estimate=0.7, ci_low=0.6, ci_high=0.9)
    one = {"setting": PLACE[0], "analysis": PLACE[1], "measure": "hazard_ratio", "ci_low": 0.5}
    left = [
        one | {"ci_high": 1.1, "leads": "yes", "trial": "FIRST"},
        one | {"ci_high": 0.9, "leads": "yes", "trial": "SECOND"},
        one | {"ci_high": 1.2, "leads": "no", "trial": "FIRST"},
    ]  # fmt: skip
    changed = with_sensitivity(with_estimates(found, [row]), "leave_one_out", left)
    result = verdict(changed, EffectRule(*PLACE))
    assert "The interval includes 1 when FIRST is left out." in result.reason
    assert result.verdict == "probable"
    changed = with_sensitivity(with_estimates(found, [row]), "leave_one_out", left[1:])
    result = verdict(changed, EffectRule(*PLACE))
    assert "left out" not in result.reason
    assert result.verdict == "supported"


def test_a_benefit_in_one_of_two_models_says_on_which_trials_it_hangs(found):
    """High certainty stands beside it, and readers would not ask."""
    rows = two_models(0.6, 0.97, 0.99)
    place = {"setting": PLACE[0], "analysis": PLACE[1], "measure": "hazard_ratio", "leads": "yes"}
    left = [{**place, "ci_low": 0.5, "ci_high": 1.1, "trial": "FIRST"}]
    changed = with_sensitivity(with_estimates(found, rows), "leave_one_out", left)
    assert (
        "The interval includes 1 when FIRST is left out."
        in verdict(changed, EffectRule(*PLACE)).reason
    )


def test_the_common_effect_is_told_where_two_priors_show_a_benefit(found):
    lead, cautious, common = two_models(0.6, 0.97, 0.99)
    reason = verdict(
        with_estimates(found, [lead, cautious | {"ci_high": 0.98}, common]), EffectRule(*PLACE)
    ).reason
    assert "The intervals of both models lie on the side of benefit." in reason
    assert "assuming one common effect, HR 0.82 (95% CI 0.74–0.92)." in reason


def test_what_the_prior_does_to_two_trials_is_said(found):
    rows = [
        estimate(k=2.0, estimate=0.82, ci_low=0.5, ci_high=1.35, model="bayesian"),
        estimate(k=2.0, estimate=0.82, ci_low=0.74, ci_high=0.92, model="common", role=""),
    ]
    assert verdict(with_estimates(found, rows), EffectRule(*PLACE)).reason == (
        "The result is compatible with no effect and with a clinically relevant benefit. With two "
        "trials, heterogeneity cannot be estimated and the interval depends largely on the prior; "
        "assuming one common effect, HR 0.82 (95% CI 0.74–0.92)."
    )
    three = [row | {"k": 3.0} for row in rows]
    assert "With three trials, heterogeneity can hardly be estimated" in (
        verdict(with_estimates(found, three), EffectRule(*PLACE)).reason
    )


def test_what_a_supported_claim_rests_on_is_said(found):
    row = estimate(estimate=0.7, ci_low=0.6, ci_high=0.9)
    trials = found.evidence.trials.copy()
    mine = (
        (trials["setting"] == PLACE[0]) & (trials["analysis"] == PLACE[1])
        & (trials["subgroup"] == "all") & (trials["pooled"] == "yes")
    )  # fmt: skip
    trials.loc[mine, "weight"] = 50.0
    trials.loc[mine, "verification"] = "primary"
    trials.loc[trials.index[mine][0], "verification"] = "secondary / primary"
    assert mine.sum() == 2
    changed = replace(found, evidence=replace(found.evidence, trials=trials))
    assert verdict(with_estimates(changed, [row]), EffectRule(*PLACE)).reason.endswith(
        "Certainty of evidence: low (provisional). 50% of the weight comes from results "
        "verified, wholly or partly, only in secondary sources."
    )
    trials["verification"] = "primary"
    reason = verdict(with_estimates(changed, [row]), EffectRule(*PLACE)).reason
    assert "secondary" not in reason


# ---------------------------------------------------------------------------------- interaction


@pytest.mark.parametrize(
    ("k", "low", "high", "expected"),
    [
        (3, 1.1, 2.0, "supported"),
        (3, 0.9, 1.1, "not supported"),
        (3, 0.7, 1.5, "not enough data"),
        (1, 1.1, 2.0, "not enough data"),
    ],
)
def test_an_interaction_is_read_off_the_comparison_inside_the_trials(found, k, low, high, expected):
    changed = with_sensitivity(found, "effect_modifiers", [interaction(k, low, high)])
    result = verdict(changed, InteractionRule(*PLACE, "receptor"))
    assert result.verdict == expected


def interaction(k, low, high, role="lead"):
    return {
        "setting": PLACE[0], "analysis": PLACE[1], "measure": "hazard_ratio", "factor": "receptor",
        "level": "negative", "reference_level": "positive", "model": "random_reml_hk",
        "role": role, "k": k, "estimate": (low * high) ** 0.5, "ci_low": low, "ci_high": high,
        "ci_level": 95.0,
    }  # fmt: skip


@pytest.mark.parametrize("lead", [(1.1, 2.0), (0.9, 1.1)])
def test_two_models_of_equal_rank_have_to_agree_on_an_interaction(found, lead):
    """One model that excludes equal effects, or a relevant difference, is not enough."""
    both = [interaction(3, *lead), interaction(3, 0.7, 2.4, "co-primary")]
    result = verdict(
        with_sensitivity(found, "effect_modifiers", both), InteractionRule(*PLACE, "receptor")
    )
    assert result.verdict == "not enough data"


def test_an_interaction_that_nobody_reports_is_not_enough(found):
    result = verdict(found, InteractionRule(*PLACE, "receptor"))
    assert result.reason == "No pooled trial has a verified result at both levels of the factor."


@pytest.mark.parametrize(
    ("low", "high", "expected", "k"),
    [
        (0.2, 1.1, "not enough data", 3),
        (0.2, 0.9, "supported", 3),
        (1.2, 1.1, "not enough data", 3),
    ],
)
def test_each_pair_of_levels_is_judged_on_its_own_trials(found, low, high, expected, k):
    """One trial that reports other levels does not hide the trials that report these.

    Nor does it, alone, show an interaction.
    """
    lone = interaction(1, low, 5.0) | {"level": "above 60", "reference_level": "up to 60"}
    rows = [lone, interaction(3, 0.5, high)]
    changed = with_sensitivity(found, "effect_modifiers", rows)
    result = verdict(changed, InteractionRule(*PLACE, "receptor"))
    assert (result.verdict, result.k) == (expected, k)


# --------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    ("k", "groups", "p_value", "expected"),
    [(10, 2, 0.04, "supported"), (10, 2, 0.30, "not supported"), (9, 2, 0.30, "not enough data"),
     (4, 2, 0.04, "supported"), (10, 4, 0.30, "not enough data"), (30, 4, 0.30, "not supported"),
     (10, 2, 0.05, "not supported")],
)  # fmt: skip
def test_few_trials_cannot_show_that_groups_are_alike(found, k, groups, p_value, expected):
    row = estimate(
        subgroup="added_agents", model="subgroup_difference", role="", k=float(k),
        p_value=p_value, q_df=groups - 1.0, remark="F(2, 3) = 2.07; mixed-effects model",
    )  # fmt: skip
    result = verdict(with_estimates(found, [row]), GroupsRule(*PLACE, "added_agents"))
    assert result.verdict == expected
    if expected == "supported":
        assert result.reason == (
            "The subgroups differ by more than chance; trials were not randomised to them."
        )


def test_groups_that_nobody_compared_are_not_enough_data(found):
    result = verdict(with_estimates(found, [estimate()]), GroupsRule(*PLACE, "added_agents"))
    assert (result.verdict, result.reason) == (
        "not enough data", "No test for differences between subgroups was made."
    )  # fmt: skip


# ---------------------------------------------------------------------------------- association

UP = {"biomarker": "marker", "outcome": "pCR", "measure": "OR", "estimate": 2.0,
      "verification": "primary", "p_value_operator": "="}  # fmt: skip
CLEAR = {"ci_low": 1.2, "ci_high": 3.3}
OPEN = {"ci_low": 0.9, "ci_high": 4.4}
DOWN = {"estimate": 0.5, "ci_low": 0.3, "ci_high": 0.8}


@pytest.mark.parametrize(
    ("rows", "said", "k"),
    [
        ([("a", CLEAR), ("b", CLEAR)], "1 of 1 study", 1),  # two reviews may share their trials
        ([("trial", CLEAR), ("a", CLEAR), ("b", OPEN)], "2 of 2 studies", 2),
        ([("trial", CLEAR), ("trial", CLEAR)], "1 of 1 study", 1),
        ([("trial", OPEN), ("a", DOWN)], "0 of 2 studies found this at the 5% level, one", 2),
        ([("trial", CLEAR), ("a", CLEAR | {"verification": "unverified"})], "1 of 1 study", 1),
        ([("trial", {"p_value": 0.01})], "1 of 1 study", 1),
        # If interval and p value contradict each other, the interval decides.
        ([("trial", OPEN | {"p_value": 0.01})], "0 of 1 study", 1),
        ([("trial", {"p_value": 0.01, "estimate": float("nan")})], "0 of 1 study", 1),
        # Printed as below 5%, without the number.
        ([("trial", {"p_value": 0.05, "p_value_operator": "<"})], "1 of 1 study", 1),
        # p = 0.05 is not below 5%: the 95% interval then touches 1.
        ([("trial", {"p_value": 0.05})], "0 of 1 study", 1),
    ],
)
def test_an_association_is_described_and_not_judged(found, rows, said, k):
    trial = next(iter(found.trials))
    table = [UP | {"study_id": trial if study == "trial" else study} | row for study, row in rows]
    rule = AssociationRule(("marker",), ("pCR",), "above")
    result = verdict(with_table(found, "biomarker_effects", table), rule)
    assert (result.verdict, result.k) == ("described", k)
    assert result.reason.startswith(said)
    # A review may include the patients of the trial.
    assert ("count once" in result.reason) == (k == 2)


def test_an_association_that_no_verified_row_reports_is_not_enough_data(found):
    table = [UP | CLEAR | {"study_id": "a", "verification": "unverified"}]
    result = verdict(
        with_table(found, "biomarker_effects", table),
        AssociationRule(("marker",), ("pCR",), "above"),
    )
    assert (result.verdict, result.reason) == (
        "not enough data", "The sheet holds no verified result on this."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "row", "said"),
    [
        ("below", DOWN, "1 of 1 study found this at the 5% level, none found the opposite."),
        ("below", CLEAR, "0 of 1 study found this at the 5% level, one found the opposite."),
        ("above", DOWN, "0 of 1 study found this at the 5% level, one found the opposite."),
    ],
)
def test_an_association_may_be_claimed_in_either_direction(found, direction, row, said):
    table = [UP | {"study_id": next(iter(found.trials))} | row]
    rule = AssociationRule(("marker",), ("pCR",), direction)
    assert verdict(with_table(found, "biomarker_effects", table), rule).reason.startswith(said)


UNTOLD = {"estimate": float("nan"), "p_value": 0.01}
PRINTED_AS_1 = {"estimate": 1.0, "p_value": 0.01}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        # Below 5%, but the direction is not printed: counted neither for nor against.
        ([("trial", UNTOLD), ("a", CLEAR)], "1 study with a p value below 5% but no ratio"),
        ([("trial", PRINTED_AS_1)], "1 study with a p value below 5% but no ratio"),
        ([("trial", {}), ("a", CLEAR)], "1 study with neither an interval nor a p value"),
        ([("trial", {}), ("a", UNTOLD)], "1 study with a p value below 5% but no ratio that shows "
         "a direction and 1 study with neither an interval nor a p value printed"),
        # Another row of the study, or another review, is conclusive.
        ([("trial", UNTOLD), ("trial", CLEAR)], ""),
        ([("trial", {}), ("trial", OPEN)], ""),
        ([("a", UNTOLD), ("b", CLEAR)], ""),
        ([("trial", UNTOLD | {"p_value": 0.2})], ""),
    ],
)  # fmt: skip
def test_a_study_that_shows_no_side_is_not_said_to_have_found_nothing(found, rows, said):
    trial = next(iter(found.trials))
    table = [UP | {"study_id": trial if study == "trial" else study} | row for study, row in rows]
    rule = AssociationRule(("marker",), ("pCR",), "above")
    result = verdict(with_table(found, "biomarker_effects", table), rule)
    assert ("Counted on neither side" in result.reason) == bool(said)
    assert said in result.reason


def test_an_association_takes_the_rows_that_it_is_about(found):
    table = [
        UP | CLEAR | {"study_id": "a", "contrast": "mutated v wild type"},
        UP | CLEAR | {"study_id": "b", "contrast": "per 10%"},
        UP | CLEAR | {"study_id": "c", "outcome": "OS", "contrast": "mutated v wild type"},
        UP | CLEAR | {"study_id": "d", "biomarker": "other", "contrast": "mutated v wild type"},
    ]
    rule = AssociationRule(("marker",), ("pCR",), "above", ("mutated",))
    assert verdict(with_table(found, "biomarker_effects", table), rule).k == 1


# ---------------------------------------------------------------------------------------- table

TABLE = TableRule(
    "early/network/x.csv",
    {"term": "a*b"},
    "ratio of odds ratios",
    "estimate",
    "low",
    "high",
    "k",
    1.0,
    "above",
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a*b,1.4,1.1,1.8,4", "supported"),
        ("a*b,0.7,0.5,0.9,4", "not supported"),
        ("a*b,1.4,0.9,2.2,4", "not enough data"),
        ("a*b,1.4,1.1,1.8,1", "not enough data"),
        ("a*b,,,,", "not enough data"),
        ("a*c,1.4,1.1,1.8,4", "not enough data"),
    ],
)
def test_a_table_is_read_by_its_row(found, tmp_path, row, expected):
    path = tmp_path / TABLE.file
    path.parent.mkdir(parents=True)
    path.write_text(f"term,estimate,low,high,k\n{row}\n", encoding="utf-8")
    assert verdict(found, TABLE).verdict == expected


@pytest.mark.parametrize(
    ("ends", "expected"), [("0.1,0.3", "supported"), ("-0.3,-0.1", "not supported")]
)
def test_a_difference_is_held_against_nought(found, tmp_path, ends, expected):
    path = tmp_path / TABLE.file
    path.parent.mkdir(parents=True)
    middle = sum(map(float, ends.split(","))) / 2
    path.write_text(f"term,estimate,low,high,k\na*b,{middle},{ends},4\n", encoding="utf-8")
    assert verdict(found, replace(TABLE, no_effect=0.0)).verdict == expected


def test_a_table_may_ask_for_the_model_that_is_configured(found, tmp_path):
    rule = replace(TABLE, where={"model": "random_effects"})
    path = tmp_path / TABLE.file
    path.parent.mkdir(parents=True)
    model = found.configuration.pooling.model
    rows = f"term,model,estimate,low,high,k\na,common,1.1,0.9,1.3,4\na,{model},1.4,1.1,1.8,4\n"
    path.write_text(rows, encoding="utf-8")
    result = verdict(found, rule)
    assert (result.verdict, result.numbers) == (
        "supported", "Ratio of odds ratios 1.40 (95% CI 1.10–1.80), 4 trials",
    )  # fmt: skip


def test_a_table_that_was_not_made_is_not_enough(found):
    assert verdict(found, TABLE).reason == "This analysis has not been made."


def test_a_column_that_the_table_does_not_have_is_said(found, tmp_path):
    path = tmp_path / TABLE.file
    path.parent.mkdir(parents=True)
    path.write_text("term,estimate,low,high\na*b,1,1,1\n", encoding="utf-8")
    with pytest.raises(RequestError, match=r"has no column k\. It has: estimate, high, low, term"):
        verdict(found, TABLE)


def test_the_table_of_claims_has_a_row_a_claim(found):
    table = claims_table(found, verdicts(found, {}))
    assert list(table.data["claim"]) == [claim.id for claim in found.report.claims]
    assert set(table.data["rule"]) == {"effect", "interaction", "groups", "association", "table"}
