"""Certainty of evidence: proposals of the rules, and a person's judgement that overrides them."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from invented import NAN
from report_material import estimate, material, with_estimates, with_sensitivity, with_table
from trial_evidence.pool.probes.information import events_required
from trial_evidence.report.tables.certainty import (
    Certainty,
    Domain,
    bias_of_shares,
    certainties,
    certainty_table,
    certainty_words,
)

PLACE = {"setting": "adjuvant", "analysis": "event_free_dual_v_single"}
CLEAR = {"estimate": 0.7, "ci_low": 0.6, "ci_high": 0.78, "pi_low": 0.5, "pi_high": 0.95}
# Variance with which two trials reach the optimal information size for a ratio of 1.25.
PRECISE = 0.012


@pytest.fixture
def found(pooled, tmp_path):
    return material(pooled, tmp_path)


def examined(found, risks=(("low", 50.0), ("low", 50.0)), vi=PRECISE, **fields):
    """The material with these risks of bias and weights of the trials of one analysis."""
    row = estimate(**{**CLEAR, **fields})
    common = row | {"model": "common", "role": ""}
    random = row | {"model": "random_reml_hk"}
    rows = (
        [row, common] if row["model"] == "random_reml_hk" else [row, common, random | {"role": ""}]
    )
    changed = with_table(
        with_estimates(found, rows),
        "risk_of_bias",
        [
            {"trial_id": f"t{at}", "outcome": "DFS", "overall": risk}
            for at, (risk, _) in enumerate(risks)
            if risk
        ],
    )
    trials = pd.DataFrame(
        [
            {**PLACE, "measure": "hazard_ratio", "subgroup": "all", "pooled": "yes",
             "trial_id": f"t{at}", "outcome": "iDFS", "weight": weight, "vi": vi}
            for at, (_, weight) in enumerate(risks)
        ]
    )  # fmt: skip
    changed = replace(changed, evidence=replace(changed.evidence, trials=trials))
    return changed


def domain(found, name):
    (only,) = certainties(found)
    return next(d for d in only.domains if d.name == name)


# --------------------------------------------------------------------------------- risk of bias


@pytest.mark.parametrize(
    ("risks", "expected"),
    [
        ((("low", 60.0), ("some_concerns", 40.0)), "not_serious"),
        ((("low", 50.0), ("some_concerns", 50.0)), "serious"),
        ((("low", 80.0), ("high", 20.0)), "serious"),
        ((("low", 50.0), ("high", 50.0)), "very_serious"),
        ((("low", 40.0), ("", 60.0)), "serious"),  # the second trial is not judged
    ],
)
def test_risk_of_bias_goes_by_weight(found, risks, expected):
    assert domain(examined(found, risks), "risk_of_bias").judgement == expected


def test_risk_of_bias_falls_back_on_an_outcome_of_the_family(found):
    # Both trials are judged for DFS and report iDFS; the analysis accepts either.
    assert domain(examined(found), "risk_of_bias").reason.endswith("low 100%.")


# -------------------------------------------------------------------------------- inconsistency


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"i2": 49.0}, "not_serious"),
        ({"i2": 50.0}, "serious"),
        # a prediction interval alone is not inconsistency: it reflects the number of trials
        ({"i2": 0.0, "pi_high": 1.1}, "not_serious"),
        ({"i2": 80.0, "pi_high": 1.1}, "very_serious"),
        ({"i2": 80.0}, "serious"),
        ({"k": 1.0, "model": "single_trial", "i2": float("nan")}, "not_serious"),
    ],
)
def test_inconsistency_goes_by_i2_and_prediction(found, fields, expected):
    assert domain(examined(found, **fields), "inconsistency").judgement == expected


def test_few_trials_are_said_to_show_little_of_heterogeneity(found):
    two = domain(examined(found, k=2.0, i2=0.0, pi_low=NAN, pi_high=NAN), "inconsistency")
    assert two.reason == "I² 0%, very uncertain with 2 trials."
    three = domain(examined(found, k=3.0, i2=0.0, pi_low=NAN, pi_high=NAN), "inconsistency")
    assert three.reason == "I² 0%, very uncertain with 3 trials."
    # Few trials can show inconsistency too: the reason must not contradict the judgement.
    four = domain(examined(found, k=4.0, i2=80.0, pi_low=NAN, pi_high=NAN), "inconsistency")
    assert (four.judgement, four.reason) == ("serious", "I² 80%, very uncertain with 4 trials.")


# ---------------------------------------------------------------------------------- imprecision


def test_the_optimal_information_size_is_schoenfelds():
    # Schoenfeld 1983: 4 (1.959964 + 0.841621)^2 / log(0.8)^2 = 630.5 events, equal arms.
    assert events_required(math.log(1.25), 5, 80) == pytest.approx(630.5, abs=0.05)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "not_serious"),
        ({"vi": 0.02}, "serious"),  # information 100 of the required 158
        ({"ci_low": 0.7, "ci_high": 1.1}, "serious"),
        ({"ci_low": 0.9, "ci_high": 1.3}, "serious"),
        ({"ci_low": 0.7, "ci_high": 1.3}, "very_serious"),
        ({"ci_low": 0.9, "ci_high": 1.1}, "not_serious"),  # precisely no effect
    ],
)
def test_imprecision_goes_by_limits_and_information(found, fields, expected):
    assert domain(examined(found, **fields), "imprecision").judgement == expected


def test_unknown_shares_of_the_trials_are_not_judged(found):
    assert bias_of_shares(found, {}) == (
        "not_judged", "How much each trial contributes is not known."
    )  # fmt: skip


def test_almost_all_information_is_not_called_all_of_it(found):
    # 157.6 are required, a quarter of 630.5 events: 157 are 99.6%
    enough = domain(examined(found, vi=2 / 157), "imprecision")
    assert enough.judgement == "serious"
    assert "the information is 99.6% of the optimal" in enough.reason


def test_rounding_does_not_contradict_a_judgement(found):
    """Readers who know the rule would take 50% for serious, and 20% at high risk as well."""
    below = domain(examined(found, i2=49.7), "inconsistency")
    assert (below.judgement, below.reason[:8]) == ("not_serious", "I² 49.7%")
    assert domain(examined(found, i2=62.4), "inconsistency").reason.startswith("I² 62%")
    judgement, reason = bias_of_shares(found, {"low": 0.804, "high": 0.196})
    assert judgement == "not_serious"
    assert reason.endswith(": low 80.4%, high 19.6%.")


def test_a_share_at_a_limit_is_judged_alike_on_every_machine(found):
    """Half of the weight each, as two processors add it up."""
    for half in (0.5, 0.49999999999999994):
        judgement, reason = bias_of_shares(found, {"some_concerns": 1 - half, "high": half})
        assert judgement == "very_serious"
        assert reason.endswith(": some concerns 50%, high 50%.")


def test_two_trials_are_as_imprecise_as_their_common_effect(found):
    # The leading interval is wide because of the prior on heterogeneity, not because of chance.
    changed = examined(found, k=2.0, model="bayesian_empirical", ci_low=0.5, ci_high=1.3)
    lead = changed.evidence.estimates.to_dict("records")[0]
    common = lead | {"model": "common", "role": "", "ci_low": 0.72, "ci_high": 0.92}
    random = lead | {"model": "random_reml_hk", "role": ""}
    judged = domain(with_estimates(changed, [lead, common, random]), "imprecision")
    assert judged.judgement == "not_serious"
    assert "The interval (0.72–0.92)" in judged.reason
    assert "empirical prior, which allows for heterogeneity, gives 0.50–1.30" in judged.reason


# ----------------------------------------------------------------------------- publication bias


@pytest.mark.parametrize(
    ("k", "p_value", "expected"),
    [(10, 0.09, "serious"), (10, 0.10, "not_serious"), (9, 0.01, "not_serious"),
     (10, float("nan"), "not_judged")],
)  # fmt: skip
def test_publication_bias_is_tested_with_ten_trials(found, k, p_value, expected):
    test = {**PLACE, "measure": "hazard_ratio", "test": "egger", "k": k, "p_value": p_value}
    changed = with_sensitivity(examined(found, k=float(k)), "small_study", [test])
    assert domain(changed, "publication_bias").judgement == expected


def test_one_of_two_tests_suffices_for_suspicion(found):
    both = [
        {**PLACE, "measure": "hazard_ratio", "test": name, "k": 10, "p_value": p}
        for name, p in (("harbord", 0.04), ("peters", 0.40))
    ]
    changed = with_sensitivity(examined(found, k=10.0), "small_study", both)
    assert domain(changed, "publication_bias").judgement == "serious"


# ------------------------------------------------------------------------------------ judgement


def test_indirectness_is_never_judged_by_a_rule(found):
    changed = examined(found)
    assert domain(changed, "indirectness").judgement == "not_judged"
    (only,) = certainties(changed)
    assert (only.level, only.words) == ("high", "High (provisional)")


def test_a_persons_judgement_wins(found):
    judged = [
        {**PLACE, "domain": "risk_of_bias", "judgement": "not_serious", "reason": "Looked.",
         "initials": "AB", "date": "2026-11-22"}
    ]  # fmt: skip
    changed = with_table(examined(found, (("high", 100.0),)), "certainty", judged)
    assert domain(changed, "risk_of_bias") == Domain(
        "risk_of_bias", "not_serious", "Looked.", "AB, 2026-11-22"
    )


def test_a_judgement_of_another_setting_is_of_another_analysis(found):
    """Analyses in different settings may have the same id."""
    judged = [
        {**PLACE, "setting": "metastatic_first_line", "domain": "risk_of_bias", "reason": "Looked.",
         "judgement": "not_serious", "initials": "AB", "date": "2026-11-22"}
    ]  # fmt: skip
    changed = with_table(examined(found, (("high", 100.0),)), "certainty", judged)
    assert domain(changed, "risk_of_bias").judgement == "very_serious"


@pytest.mark.parametrize(
    ("judgements", "level"),
    [
        (["not_serious"] * 5, "high"),
        (["serious", *["not_serious"] * 4], "moderate"),
        (["very_serious", *["not_serious"] * 4], "low"),
        (["very_serious", "very_serious", *["not_serious"] * 3], "very low"),
        (["serious", "not_judged", *["not_serious"] * 3], "moderate"),
    ],
)
def test_levels_are_counted_down_from_high(judgements, level):
    domains = tuple(Domain(f"d{n}", j, "", "AB, 2026-11-22") for n, j in enumerate(judgements))
    certainty = Certainty("s", "a", domains)
    assert (certainty.level, certainty.provisional) == (level, False)
    assert certainty_words([certainty]) == {("s", "a"): level.capitalize()}


def test_the_table_says_whose_judgement_it_is(found):
    changed = examined(found)
    table = certainty_table(changed, certainties(changed))
    assert list(table.frame["Judged by"]) == ["rule", "rule", "nobody yet", "rule", "rule"]
