"""The sensitivity tables: they contain metafor's numbers, and refusals give the reason."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from invented import PCR, SENSITIVITY, SETTING, analysis, configuration, sheet
from reference import load
from trial_evidence.config.configuration import EffectModifier
from trial_evidence.extract.context import setting_context
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.sensitivity import deletion, specifications
from trial_evidence.sensitivity.choices import row_choices
from trial_evidence.sensitivity.comparison import comparisons
from trial_evidence.sensitivity.deletion import (
    CUMULATIVE_COLUMNS,
    INFLUENCE_COLUMNS,
    LEAVE_ONE_OUT_COLUMNS,
    SHRINKAGE_COLUMNS,
    cumulative_table,
    influence_table,
    leave_one_out_table,
    shrinkage_table,
)
from trial_evidence.sensitivity.groups import SUBGROUP_COLUMNS, subgroups_table
from trial_evidence.sensitivity.methods import METHOD_COLUMNS, methods_table
from trial_evidence.sensitivity.modifiers import (
    MODIFIER_COLUMNS,
    effect_modifiers_table,
    with_all_modifiers,
)
from trial_evidence.sensitivity.properties import risk_of_bias, shares_at
from trial_evidence.sensitivity.regression import (
    CONTROL_RISK_COLUMNS,
    META_REGRESSION_COLUMNS,
    control_risk_table,
    meta_regression_table,
)
from trial_evidence.sensitivity.reporting import SMALL_STUDY_COLUMNS, small_study_table
from trial_evidence.sensitivity.what_would_change import what_would_change_table

BCG = load("metafor_sensitivity")["bcg__OR"]
ESTIMATORS = load("metafor_estimators")["bcg__RR"]
COUNTS = load("metafor_counts")["bcg__OR"]


def counted_sheet(table, **more):
    """Trials of two arms with these counts."""
    trials = [f"trial_{at:02d}" for at in range(len(table["ai"]))]
    arms = {
        t: [{"arm_id": f"{t}_e", "agents": "almab+bemab"}, {"arm_id": f"{t}_c", "agents": "almab"}]
        for t in trials
    }
    pcr = [
        {"trial_id": t, "arm_id": f"{t}_{arm}", "events": float(table[x][at]),
         "n": float(table[n][at])}
        for at, t in enumerate(trials)
        for arm, x, n in (("e", "ai", "n1i"), ("c", "ci", "n2i"))
    ]  # fmt: skip
    about = {t: {"blinded": "yes" if at % 2 else "no"} for at, t in enumerate(trials)}
    bias = pd.DataFrame(columns=["trial_id", "outcome", "overall"], dtype=str)
    content = sheet(arms, trials=about, **{"pcr": pcr} | more)
    return replace(content, tables={**content.tables, "risk_of_bias": bias})


def found(table, measures=("odds_ratio",), **more):
    content = counted_sheet(table, **more)
    settings = configuration(analysis(**PCR | {"measures": measures}))
    used = extract_setting(content, settings, SETTING).used
    return content, settings, comparisons(settings, SETTING, used)


@pytest.fixture(scope="module")
def bcg():
    return found(BCG["table"])


def test_a_judgement_stays_with_its_trial():
    """Rows of an analysis keep their numbers in the table of all analyses."""
    rows = pd.DataFrame({"trial_id": ["b", "a"], "outcome": "pcr"}, index=[7, 4])
    bias = pd.DataFrame({"trial_id": ["a"], "outcome": ["pcr"], "overall": ["high"]})
    content = sheet({})
    content = replace(content, tables={**content.tables, "risk_of_bias": bias})
    found = risk_of_bias(content, analysis(**PCR), rows)
    assert found.to_dict() == {7: "not stated", 4: "high"}


def test_leave_one_out_is_metafors_where_hartung_knapp_widens(bcg):
    table = leave_one_out_table(bcg[2])
    own = table[table["model"] == "random_reml_hk"]
    theirs = BCG["leave1out"]["REML_knha"]
    assert list(table.columns) == LEAVE_ONE_OUT_COLUMNS
    np.testing.assert_allclose(np.log(own["estimate"]), theirs["estimate"], rtol=1e-6)
    # the conservative interval is metafor's if Hartung and Knapp's factor is above one
    wider = np.log(own["ci_high"]).to_numpy() - np.array(theirs["ci_ub"])
    assert (wider > -1e-6).all()
    assert (table.loc[table["leads"] == "yes", "model"] == "random_reml_hk").all()


def test_without_one_trial_the_model_leads_that_leads_with_it():
    """Random effects lead from five trials: the four that remain are compared with all five."""
    five = {name: values[:5] for name, values in BCG["table"].items()}
    table = leave_one_out_table(found(five)[2])
    assert set(table["k"]) == {4}
    assert list(table.loc[table["leads"] == "yes", "model"]) == ["random_reml_hk"] * 5


def test_the_cumulative_result_is_metafors_and_led_by_the_number_of_trials(bcg):
    table = cumulative_table(bcg[2])
    own = table[~table["model"].str.startswith("bayesian")]
    assert list(table.columns) == CUMULATIVE_COLUMNS
    theirs = BCG["cumul"]["REML_knha"]["estimate"]
    np.testing.assert_allclose(np.log(own["estimate"]), theirs, rtol=1e-6)
    leading = table.loc[table["leads"] == "yes", "model"].tolist()
    assert leading == ["single_trial", *["bayesian_empirical"] * 3, *["random_reml_hk"] * 9]


@pytest.mark.parametrize("of", [leave_one_out_table, cumulative_table])
def test_of_many_trials_a_bayesian_result_is_there_where_it_leads(bcg, of, monkeypatch):
    whole = of(bcg[2])
    monkeypatch.setattr(deletion, "MANY", 6)
    some = of(bcg[2])
    bayesian = whole["model"].str.startswith("bayesian")
    expected = whole[~bayesian | (whole["k"] <= 6)].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected, rtol=1e-9)
    assert (some["leads"] == "yes").sum() == len(BCG["table"]["ai"])


def test_influence_is_metafors(bcg):
    table = influence_table(bcg[2])
    theirs = BCG["influence"]["REML"]
    assert list(table.columns) == INFLUENCE_COLUMNS
    for ours, name in (("hat", "hat"), ("rstudent", "rstudent"), ("dffits", "dffits"),
                       ("cook_distance", "cook_d"), ("covariance_ratio", "cov_r"),
                       ("tau2_deleted", "tau2_del"), ("q_deleted", "QE_del")):  # fmt: skip
        np.testing.assert_allclose(table[ours], theirs[name], rtol=1e-5, err_msg=ours)
    for axis in ("x", "y"):
        np.testing.assert_allclose(table[f"baujat_{axis}"], BCG["baujat"]["REML"][axis], rtol=1e-5)


def test_small_study_effects_are_metafors(bcg):
    table = small_study_table(bcg[2]).set_index("test")
    assert set(table.reset_index().columns) == set(SMALL_STUDY_COLUMNS)
    egger, harbord = BCG["regtest"]["lm_sei"], BCG["metabias"]["Harbord"]
    assert table.loc["egger", "p_value"] == pytest.approx(egger["pval"], rel=1e-8)
    assert table.loc["egger", "ci_high"] == pytest.approx(math.exp(egger["limit_ub"]), rel=1e-8)
    assert table.loc["harbord", "p_value"] == pytest.approx(harbord["pval"], rel=1e-8)
    # for a response, benefit is above one: no trial is significant on that side
    assert "no trial has a one-sided p value" in table.loc["selection_model", "reason"]


def test_trim_and_fill_pools_as_configured(bcg):
    """R 4.2.2, metafor 3.8-1: trimfill(rma(yi, vi, data = d, method = "DL")), no trial missing."""
    content, settings, _ = bcg
    pooling = replace(settings.pooling, tau2_estimator="DL", estimate_interval="wald")
    other = replace(settings, pooling=pooling)
    used = extract_setting(content, other, SETTING).used
    table = small_study_table(comparisons(other, SETTING, used)).set_index("test")
    limits = table.loc["trim_and_fill", ["estimate", "ci_low", "ci_high"]].tolist()
    theirs = [0.473599926914150, 0.324905597109104, 0.690344804056327]
    assert limits == pytest.approx(theirs, rel=1e-8)


def test_fewer_than_ten_trials_are_refused_in_words():
    nine = {name: values[:9] for name, values in BCG["table"].items()}
    table = small_study_table(found(nine)[2])
    assert table["reason"].str.contains("at least 10 trials, and there are 9").all()
    assert table["estimate"].isna().all()


def test_methods_hold_metafors_estimators_and_likelihoods():
    ratios = methods_table(found(BCG["table"], ("risk_ratio",))[2], SENSITIVITY)
    assert list(ratios.columns) == METHOD_COLUMNS
    for method in ("DL", "REML", "ML", "PM", "HE", "SJ"):
        own = ratios[(ratios["tau2_estimator"] == method) & (ratios["interval"] == "wald")]
        theirs = ESTIMATORS["fits"][method]
        assert own["tau2"].item() == pytest.approx(theirs["tau2"], rel=1e-5), method
        _, low, high, _ = theirs["z"]
        assert math.log(own["ci_low"].item()) == pytest.approx(low, rel=1e-6), method
        assert math.log(own["ci_high"].item()) == pytest.approx(high, rel=1e-6), method
    peto = ratios[ratios["model"] == "peto"]
    assert peto["reason"].item() == "Defined for odds ratios only."
    odds = methods_table(found(BCG["table"])[2], SENSITIVITY)
    unconditional = odds[odds["model"] == "logistic_unconditional"]
    beta = COUNTS["glmm"]["UM.FS"][0]
    assert math.log(unconditional["estimate"].item()) == pytest.approx(beta, abs=1e-4)
    bayesian = odds[odds["model"].str.startswith("bayesian")]
    assert bayesian["prior"].tolist() == [
        "inverse-gamma(1.59, 0.48)", "half-normal(0.5)", "half-normal(1)", "half-Cauchy(0.5)",
        "log-normal(-2.56, 1.74²) on τ²",
    ]  # fmt: skip
    # An odds ratio far below 1, with more being better.
    assert (bayesian["ci_high"] < 1).all()
    assert (bayesian["probability_of_benefit"] < 0.025).all()


def test_two_trials_have_no_prediction_on_k_minus_2():
    two = {name: values[:2] for name, values in BCG["table"].items()}
    table = methods_table(found(two)[2], SENSITIVITY)
    lost = table[table["prediction"].isin(["t_k_minus_2"])]
    assert (lost["reason"] == "No degrees of freedom with so few trials.").all()
    assert lost["pi_low"].isna().all()


def test_groups_state_which_tau2_they_rest_on(bcg):
    table = subgroups_table(bcg[2], bcg[0])
    assert list(table.columns) == SUBGROUP_COLUMNS
    blinded = table[table["factor"] == "blinded"]
    assert blinded["tau2_between"].tolist() == ["separate", "separate", "separate", "common"]
    assert blinded["group"].tolist()[:2] == ["no", "yes"]
    assert blinded["k"].tolist() == [7, 6, 13, 13]
    # Every second trial is blinded.
    assert blinded["trials"].tolist()[:2] == [
        ";".join(f"trial_{at:02d}" for at in range(start, 13, 2)) for start in (0, 1)
    ]
    partner = table[table["factor"] == "partner"]
    assert partner["reason"].item() == "All trials belong to one group: chemotherapy."


def test_meta_regression_is_refused_with_the_reason(bcg):
    table = meta_regression_table(bcg[2], bcg[0], SENSITIVITY).set_index("covariate")
    assert set(table.reset_index().columns) == set(META_REGRESSION_COLUMNS)
    assert "same in all trials" in table.loc["year", "reason"]
    assert table.loc["median_followup_months", "reason"] == "No trial states it."
    left = table["without_covariate"]
    assert left["median_followup_months"] == ";".join(f"trial_{at:02d}" for at in range(13))
    assert left["year"] == ""


def receptor_rows(trial, counts):
    return [
        {"trial_id": trial, "arm_id": f"{trial}_{arm}", "subgroup": f"receptor={level}",
         "events": float(events), "n": float(n)}
        for (arm, level), (events, n) in counts.items()
    ]  # fmt: skip


def interactions(settings, content):
    wide = with_all_modifiers(settings, content, SETTING)
    return effect_modifiers_table(settings, wide, setting_context(content, settings, SETTING))


def test_three_levels_of_a_factor_are_compared_pair_by_pair():
    """Each level belongs to two pairs, and each trial counts once in each pair."""
    table = {"ai": [60, 60], "n1i": [150, 150], "ci": [45, 45], "n2i": [150, 150]}
    counts = {("e", "high"): (30, 50), ("c", "high"): (15, 50),
              ("e", "low"): (20, 50), ("c", "low"): (16, 50),
              ("e", "none"): (10, 50), ("c", "none"): (14, 50)}  # fmt: skip
    more = [row for t in ("trial_00", "trial_01") for row in receptor_rows(t, counts)]
    base = counted_sheet(table)["pcr"].to_dict("records")
    found = interactions(configuration(analysis(**PCR)), counted_sheet(table, pcr=[*base, *more]))
    common = found[found["model"] == "common"]
    said = {(a, b): value for a, b, value in zip(
        common["level"], common["reference_level"], common["estimate"], strict=True)}  # fmt: skip
    # Ratios of the levels: 2, 1.25 and 10/14.
    assert said == pytest.approx(
        {("high", "low"): 1.6, ("high", "none"): 2.8, ("low", "none"): 1.75}
    )


def test_an_interaction_is_the_ratio_of_ratios_inside_the_trials():
    table = {"ai": [40, 50], "n1i": [100, 100], "ci": [20, 30], "n2i": [100, 100]}
    whole = counted_sheet(table)
    counts = {("e", "negative"): (30, 50), ("c", "negative"): (15, 50),
              ("e", "positive"): (20, 50), ("c", "positive"): (16, 50)}  # fmt: skip
    more = [row for t in ("trial_00", "trial_01") for row in receptor_rows(t, counts)]
    base = whole["pcr"].to_dict("records")
    content = counted_sheet(table, pcr=[*base, *more])
    settings = configuration(analysis(**PCR))
    result = interactions(settings, content)
    assert list(result.columns) == MODIFIER_COLUMNS
    common = result[result["model"] == "common"]
    # (30/50) / (15/50) = 2 over (20/50) / (16/50) = 1.25, in both trials alike
    assert common["estimate"].item() == pytest.approx(1.6, rel=1e-12)
    assert common["level"].item() == "negative"
    # only one of the two trials has receptor rows: nothing is pooled, and the table says so
    single = counted_sheet(table, pcr=[*base, *receptor_rows("trial_00", counts)])
    lone = interactions(settings, single)
    lone = lone[lone["factor"] == "receptor"]
    assert lone["model"].tolist() == ["single_trial"]
    assert lone["reason"].item() == "Not pooled: 1 trial reports both levels, 2 are needed."
    shares = shares_at(single, "receptor", "positive")
    assert shares == {"trial_00": 50.0}


def test_shares_come_from_arms_that_report_all_levels_and_from_who_was_admitted():
    table = {"ai": [40, 50], "n1i": [200, 100], "ci": [20, 30], "n2i": [100, 100]}
    counts = {("e", "negative"): (1, 30), ("e", "positive"): (1, 70), ("c", "negative"): (1, 90)}
    mine = receptor_rows("trial_00", counts)
    content = counted_sheet(
        table,
        # A report that a later one replaced counts other patients.
        pcr=[*mine, mine[1] | {"n": 190.0, "status": "superseded"}],
        populations=[{"trial_id": "trial_01", "subgroup": "receptor=positive"}],
    )
    # 70 of the 100 in the arm that has both; the other trial admitted positive disease only.
    for level, share, only in (("positive", 70.0, 100.0), ("negative", 30.0, 0.0)):
        assert shares_at(content, "receptor", level) == {"trial_00": share, "trial_01": only}


def test_the_order_of_levels_is_the_configured_one():
    content = counted_sheet({"ai": [40], "n1i": [100], "ci": [20], "n2i": [100]},
                            pcr=receptor_rows("trial_00", {("e", "negative"): (1, 9),
                                                           ("e", "positive"): (1, 9)}))  # fmt: skip
    turned = EffectModifier("receptor", "Receptor", ("positive", "negative"))
    settings = configuration(analysis(**PCR | {"effect_modifiers": (turned,)}))
    table = interactions(settings, content)
    table = table[table["factor"] == "receptor"]
    assert (table["level"].item(), table["k"].item()) == ("positive", 0)


def test_a_factor_that_is_asked_for_and_not_reported_is_spoken_of():
    content = counted_sheet({"ai": [40], "n1i": [100], "ci": [20], "n2i": [100]})
    table = interactions(configuration(analysis(**PCR)), content)
    assert table["factor"].tolist() == ["hormone_receptor", "pik3ca", "nodal", "brain_metastases"]
    assert (table["reason"] == "No trial of the setting reports results by it.").all()


def test_a_factor_that_trials_of_other_settings_report_is_not_reported():
    counts = {(arm, level): (5, 50) for arm in "ec" for level in ("negative", "positive")}
    rows = [
        row | {"subgroup": row["subgroup"].replace("receptor", "hormone_receptor")}
        for row in receptor_rows("trial_01", counts)
    ]
    table = {"ai": [40, 50], "n1i": [100, 100], "ci": [20, 30], "n2i": [100, 100]}
    content = counted_sheet(table, pcr=[*counted_sheet(table)["pcr"].to_dict("records"), *rows])
    trials = content["trials"].assign(setting=[SETTING, "elsewhere"])
    content = replace(content, tables={**content.tables, "trials": trials})
    found = interactions(configuration(analysis(**PCR)), content).set_index("factor")
    said = found.loc["hormone_receptor", "reason"]
    assert said == "No trial of the setting reports results by it."


def test_shrunken_effects_are_those_of_the_exact_posterior():
    reference = load("bayes")["bcg_first4__RR"]
    four = {name: values[:4] for name, values in BCG["table"].items()}
    table = shrinkage_table(found(four, ("risk_ratio",))[2])
    assert list(table.columns) == SHRINKAGE_COLUMNS
    assert table["prior"].unique().tolist() == ["inverse-gamma(1.49, 0.24)", "half-normal(0.5)"]
    table = table[table["prior"] == "half-normal(0.5)"]
    np.testing.assert_allclose(table["yi"], reference["yi"], rtol=1e-12)
    theirs = reference["posteriors"]["0.5"]
    np.testing.assert_allclose(table["shrunken_mean"], theirs["shrinkage_mean"], rtol=1e-9)
    np.testing.assert_allclose(table["shrunken_sd"], theirs["shrinkage_sd"], rtol=1e-9)
    np.testing.assert_allclose(np.log(table["shrunken_estimate"]), table["shrunken_mean"])


def multiverse_of(settings, content):
    (only,) = settings.analyses
    context = setting_context(content, settings, only.setting)
    return specifications.multiverse(settings, only, row_choices(settings, content, only, context))


def test_the_multiverse_counts_every_distinct_specification_once():
    three = {name: values[:3] for name, values in BCG["table"].items()}
    content, settings, _ = found(three)
    curve = multiverse_of(settings, content)
    table = pd.concat(specifications.multiverse_table(curve, 95.0))
    # all three trials and three ways to leave one out, by 1 + 7 estimators x 4 intervals; no other
    # choice changes anything in this sheet
    assert len(table) == 4 * (1 + 7 * 4)
    assert list(table.columns) == specifications.MULTIVERSE_COLUMNS
    # a Bayesian model leads with three trials, and is not a specification
    assert set(table["leading"]) == {"no"}
    excludes = (table["ci_high"] < 1) | (table["ci_low"] > 1)
    summary = specifications.multiverse_summary([curve])
    assert summary["share_excluding_no_effect"].iloc[0] == pytest.approx(excludes.mean())
    assert summary["median_estimate"].iloc[0] == pytest.approx(table["estimate"].median(), rel=1e-2)


def test_of_many_trials_no_specification_leaves_one_out(monkeypatch):
    three = {name: values[:3] for name, values in BCG["table"].items()}
    content, settings, _ = found(three)
    monkeypatch.setattr(specifications, "MANY", 2)
    table = pd.concat(specifications.multiverse_table(multiverse_of(settings, content), 95.0))
    assert len(table) == 1 + 7 * 4
    assert (table["k"] == 3).all()


def test_an_excluded_trial_comes_back_in_the_multiverse():
    three = {name: values[:3] for name, values in BCG["table"].items()}
    content, settings, _ = found(three, exclusions=[{"trial_id": "trial_02"}])
    curve = multiverse_of(settings, content)
    table = pd.concat(specifications.multiverse_table(curve, 95.0))
    assert sorted(set(table.loc[table["exclusions"] == "applied", "k"])) == [2]
    assert sorted(set(table.loc[table["exclusions"] == "ignored", "k"])) == [2, 3]
    # two configured trials: the Bayesian model leads, and is not a specification
    assert set(table["leading"]) == {"no"}


def test_the_effect_at_a_control_risk_is_told_on_three_scales(bcg):
    table = control_risk_table(bcg[2]).set_index("term")
    assert set(table.reset_index().columns) == set(CONTROL_RISK_COLUMNS)
    # metafor's bivariate model of the two logits (tests/unit/pool/test_control_risk.py).
    slope = 0.9466912021 * math.sqrt(1.431370762 / 2.407332714) - 1
    doubled = table.loc["control_odds_doubled"]
    assert doubled["estimate"] == pytest.approx(2**slope, rel=1e-5)
    for name in ("lower_quartile", "median", "upper_quartile"):
        row = table.loc[name]
        odds = row["control_risk"] / (1 - row["control_risk"]) * row["estimate"]
        treated = odds / (1 + odds)
        assert row["difference"] == pytest.approx(treated - row["control_risk"], rel=1e-9)
        assert row["risk_ratio"] == pytest.approx(treated / row["control_risk"], rel=1e-9)
    at = {name: table.loc[name, "control_risk"] for name in table.index[1:]}
    risks = sorted(c / n for c, n in zip(BCG["table"]["ci"], BCG["table"]["n2i"], strict=True))
    # The fourth, seventh and tenth of thirteen risks.
    assert at == pytest.approx(
        {"lower_quartile": risks[3], "median": risks[6], "upper_quartile": risks[9]}
    )


def test_nothing_is_regressed_on_the_control_risk_of_few_trials():
    nine = {name: values[:9] for name, values in BCG["table"].items()}
    (row,) = control_risk_table(found(nine)[2]).to_dict("records")
    assert "at least 10 trials, and there are 9" in row["reason"]


def test_asymmetry_of_risk_ratios_is_told_from_small_study_effects(bcg):
    ratios = small_study_table(found(BCG["table"], ("risk_ratio",))[2]).set_index("test")
    assert "as the control risk rises" in ratios.loc["egger", "reason"]
    assert "as the control risk rises" in ratios.loc["pet", "reason"]
    assert pd.isna(small_study_table(bcg[2]).set_index("test").loc["egger", "reason"])


LEVELLED = {
    "methods": lambda content, found: methods_table(found, SENSITIVITY),
    "leave-one-out": lambda content, found: leave_one_out_table(found),
    "cumulative": lambda content, found: cumulative_table(found),
    "groups": lambda content, found: subgroups_table(found, content),
    "small studies": lambda content, found: small_study_table(found),
    "control risk": lambda content, found: control_risk_table(found),
    "what would change": lambda content, found: what_would_change_table(found, SENSITIVITY),
}


@pytest.mark.parametrize("name", LEVELLED)
def test_every_interval_is_at_the_level_that_its_row_states(bcg, name):
    """If another level is configured, a 95% interval would be labelled as 90%."""
    content, _, usual = bcg
    at_95 = LEVELLED[name](content, usual)
    at_90 = LEVELLED[name](content, tuple(replace(c, level=90.0) for c in usual))
    assert set(at_90["ci_level"]) == {90.0}
    assert list(at_90.columns)[list(at_90.columns).index("ci_high") + 1] == "ci_level"
    for low, high in (("ci_low", "ci_high"), ("pi_low", "pi_high")):
        if low in at_90:
            told = at_95[low].notna()
            assert told.any()
            assert (at_90[low] > at_95[low])[told].all(), low
            assert (at_90[high] < at_95[high])[told].all(), high


def test_the_chance_of_publication_is_that_above_the_step_against_that_below():
    """The other way round trials without significance would be said to be published more often.

    R 4.2.2, metafor 3.8-1::

        d <- escalc("OR", ai = cpos, bi = cneg, ci = tpos, di = tneg, data = dat.bcg)
        selmodel(rma(yi, vi, data = d, method = "ML"), type = "stepfun", steps = 0.025,
                 alternative = "greater", skiphes = TRUE)$delta[2]  # 0.683582389
    """
    counts = (BCG["table"][name] for name in ("ci", "n2i", "ai", "n1i"))
    swapped = dict(zip(("ai", "n1i", "ci", "n2i"), counts, strict=True))
    table = small_study_table(found(swapped)[2]).set_index("test")
    assert table.loc["selection_model", "detail"] == (
        "chance of publication above one-sided p 0.025, relative to below: 0.684"
    )
