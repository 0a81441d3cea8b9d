"""The estimates of a setting: which trials are pooled together, and the content of the rows."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from invented import PCR, RATES, RECEPTOR, SETTING, analysis, configuration, extract, sheet
from trial_evidence.config.methods import OwnPooling
from trial_evidence.pool.columns import ESTIMATE_COLUMNS
from trial_evidence.pool.estimates import pool_setting, published_limits, qualifying_trials

# The public interface: the columns on which other programs rely, in order.
PUBLIC = [
    "setting", "analysis", "outcome", "measure", "experimental", "control", "subgroup", "model",
    "k", "participants", "events", "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high",
    "p_value", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p",
]  # fmt: skip
# trial -> hazard ratio, and the factor between it and its 95% limits
TRIALS = {"t1": (0.60, 1.4), "t2": (0.75, 1.3), "t3": (0.95, 1.5)}
Z = 1.9599639845400545


def arms(trial, added="bemab"):
    return [
        {"arm_id": f"{trial}_dual", "agents": f"almab+{added}"},
        {"arm_id": f"{trial}_single", "agents": "almab"},
    ]


def result(trial, hr, factor, **changes):
    return {
        "trial_id": trial, "experimental_arm_id": f"{trial}_dual",
        "control_arm_id": f"{trial}_single", "hr": hr, "ci_low": hr / factor,
        "ci_high": hr * factor,
    } | changes  # fmt: skip


def counts(trial, dual, single, **changes):
    return [
        {"trial_id": trial, "arm_id": f"{trial}_{arm}", "events": float(e), "n": float(n)} | changes
        for arm, (e, n) in (("dual", dual), ("single", single))
    ]


def pool(content, *analyses, rates=()):
    evidence = extract(content, *analyses, rates=rates)
    return pool_setting(
        evidence.used, evidence.rates, configuration(*analyses, rates=rates), SETTING
    )


def hazard_ratios(trials=TRIALS, wanted=None, added=None, **tables):
    content = sheet(
        {trial: arms(trial, (added or {}).get(trial, "bemab")) for trial in trials},
        hazard_ratios=[result(trial, *numbers) for trial, numbers in trials.items()],
        **tables,
    )
    return pool(content, wanted or analysis())


def models(estimates, subgroup="all", measure="hazard_ratio"):
    rows = estimates[(estimates["subgroup"] == subgroup) & (estimates["measure"] == measure)]
    return rows.set_index("model")


def test_an_analysis_can_be_pooled_in_its_own_way():
    own = analysis(id="own", pooling=OwnPooling(tau2_estimator="DL", estimate_interval="wald"))
    content = sheet(
        {trial: arms(trial) for trial in TRIALS},
        hazard_ratios=[result(trial, *numbers) for trial, numbers in TRIALS.items()],
    )
    found = pool(content, analysis(), own).estimates
    reported = {
        name: {m for m in rows["model"] if m.startswith("random_")}
        for name, rows in found.groupby("analysis")
    }
    assert reported == {"comparison": {"random_reml_hk"}, "own": {"random_dl_wald"}}


# -------------------------------------------------------------------------------- rows and columns


def test_columns_that_others_rely_on_come_first_and_in_order():
    assert ESTIMATE_COLUMNS[: len(PUBLIC)] == PUBLIC
    assert list(hazard_ratios().estimates.columns) == ESTIMATE_COLUMNS


def test_the_common_effect_is_the_weighted_mean_on_the_natural_scale():
    # by hand: weights are 1/se^2 with se = log(factor)/z
    weights = {t: (Z / math.log(factor)) ** 2 for t, (_, factor) in TRIALS.items()}
    total = sum(weights.values())
    mean = sum(weights[t] * math.log(hr) for t, (hr, _) in TRIALS.items()) / total
    common = models(hazard_ratios().estimates).loc["common"]
    assert common["estimate"] == pytest.approx(math.exp(mean), rel=1e-12)
    assert common["ci_low"] == pytest.approx(math.exp(mean - Z / math.sqrt(total)), rel=1e-12)
    assert common["ci_high"] == pytest.approx(math.exp(mean + Z / math.sqrt(total)), rel=1e-12)


def test_a_difference_stays_on_its_scale():
    content = sheet({"t1": arms("t1")}, pcr=counts("t1", (40, 100), (25, 100)))
    wanted = analysis(endpoints=("pcr",), measures=("risk_difference",))
    row = models(pool(content, wanted).estimates, measure="risk_difference").loc["single_trial"]
    assert row["estimate"] == pytest.approx(0.15)


def test_participants_and_events_are_added_up():
    content = sheet(
        {"t1": arms("t1"), "t2": arms("t2")},
        pcr=[*counts("t1", (40, 100), (25, 101)), *counts("t2", (30, 60), (20, 62))],
    )
    row = models(pool(content, analysis(**PCR)).estimates, measure="risk_ratio").loc["common"]
    assert (row["participants"], row["events"]) == (323, 115)


def test_a_sum_with_an_unknown_part_is_not_given():
    # one hundred patients in each randomised arm, but no numbers of events in the sheet
    row = models(hazard_ratios().estimates).loc["common"]
    assert row["participants"] == 600
    assert pd.isna(row["events"])


@pytest.mark.parametrize("of", ["estimates", "trials", "rates"])
def test_every_interval_is_at_the_configured_level(of):
    """Otherwise, with another level configured, a 95% interval would be labelled as 90%."""
    content = sheet(
        {t: arms(t) for t in ("t1", "t2", "t3")},
        pcr=[
            *counts("t1", (40, 100), (25, 101)),
            *counts("t2", (30, 60), (20, 62)),
            *counts("t3", (22, 80), (20, 81)),
        ],
    )
    wanted = analysis(**PCR)
    evidence = extract(content, wanted, rates=[RATES])
    # Counts have no published ratio: the cell is empty in the file that the stage reads.
    used = evidence.used.assign(published="")
    usual = configuration(wanted, rates=[RATES])
    at_95, at_90 = (
        getattr(pool_setting(used, evidence.rates, settings, SETTING), of)
        for settings in (usual, replace(usual, confidence_level=90.0))
    )
    table = of == "estimates"
    assert set(at_90["ci_level" if table else "estimate_level"]) == {90.0}
    ends = [("ci_low", "ci_high"), ("pi_low", "pi_high")]
    for low, high in ends if table else [("estimate_low", "estimate_high")]:
        told = at_95[low].notna()
        assert told.any()
        assert (at_90[low] > at_95[low])[told].all(), low
        assert (at_90[high] < at_95[high])[told].all(), high


def test_trials_pooled_are_named():
    row = models(hazard_ratios().estimates).loc["random_reml_hk"]
    assert row["trials"] == "t1;t2;t3"
    assert row["k"] == 3


@pytest.mark.parametrize(
    ("numbers", "least", "most"), [([0.5, 0.6], 0.9, 1.0), ([1.8, 1.7], 0.0, 0.1)]
)
def test_a_hazard_ratio_below_one_is_a_benefit(numbers, least, most):
    trials = {f"t{i}": (hr, 1.3) for i, hr in enumerate(numbers)}
    row = models(hazard_ratios(trials).estimates).loc["bayesian"]
    assert least < row["probability_of_benefit"] < most


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio", "risk_difference"])
def test_more_responses_are_a_benefit(measure):
    content = sheet(
        {"t1": arms("t1"), "t2": arms("t2")},
        pcr=[*counts("t1", (60, 100), (20, 100)), *counts("t2", (55, 100), (25, 100))],
    )
    wanted = analysis(endpoints=("pcr",), measures=(measure,))
    row = models(pool(content, wanted).estimates, measure=measure).loc["bayesian"]
    assert row["probability_of_benefit"] > 0.9


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio", "risk_difference"])
def test_more_of_a_harm_is_no_benefit(measure):
    content = sheet(
        {"t1": arms("t1"), "t2": arms("t2")},
        pcr=[*counts("t1", (60, 100), (20, 100)), *counts("t2", (55, 100), (25, 100))],
    )
    wanted = analysis(endpoints=("pcr",), measures=(measure,))
    harm = replace(wanted, outcomes=tuple(replace(o, better="fewer") for o in wanted.outcomes))
    row = models(pool(content, harm).estimates, measure=measure).loc["bayesian"]
    assert row["probability_of_benefit"] < 0.1


# --------------------------------------------------------------------- leading model and its reason


@pytest.mark.parametrize(
    ("k", "lead", "co_primary"),
    [
        (1, "single_trial", None),
        (2, "bayesian_empirical", "bayesian"),
        (3, "bayesian_empirical", "bayesian"),
        (4, "bayesian_empirical", "bayesian"),
        (5, "random_reml_hk", None),
    ],
)
def test_the_number_of_trials_says_what_leads(k, lead, co_primary):
    trials = {f"t{i}": (0.6 + 0.05 * i, 1.3) for i in range(k)}
    rows = models(hazard_ratios(trials).estimates)
    roles = {model: role for model, role in rows["role"].items() if role}
    assert roles == {lead: "lead"} | ({co_primary: "co-primary"} if co_primary else {})
    assert len(rows.loc[lead, "remark"]) > 20


def test_excluded_trials_are_not_pooled():
    pooled = hazard_ratios(exclusions=[{"trial_id": "t2"}])
    assert models(pooled.estimates).loc["common", "trials"] == "t1;t3"
    weights = pooled.trials.set_index("trial_id")["weight"]
    assert math.isnan(weights["t2"])
    assert weights[["t1", "t3"]].sum() == pytest.approx(100)


def test_every_trial_has_its_own_result():
    own = hazard_ratios().trials.set_index("trial_id")
    for trial, (hr, factor) in TRIALS.items():
        found = own.loc[trial, ["estimate", "estimate_low", "estimate_high"]]
        assert list(found) == pytest.approx([hr, hr / factor, hr * factor], rel=1e-9)


def test_no_trial_is_said():
    (row,) = pool(sheet({"t1": arms("t1")}), analysis()).estimates.to_dict("records")
    assert (row["model"], row["k"], row["remark"]) == ("no_trial", 0, "No trial qualifies")


def test_an_analysis_of_excluded_trials_only_is_said():
    (row,) = hazard_ratios({"t1": (0.6, 1.3)}, exclusions=[{"trial_id": "t1"}]).estimates["model"]
    assert row == "no_trial"


# -------------------------------------------------------------------------------------- subgroups

ADDED = {"t1": "bemab", "t2": "cetinib", "t3": "bemab"}


def test_subgroups_are_pooled_and_tested():
    estimates = hazard_ratios(added=ADDED).estimates
    bemab = models(estimates, "added_agents=bemab")
    assert bemab.loc["common", "trials"] == "t1;t3"
    assert list(models(estimates, "added_agents=cetinib").index) == ["single_trial"]
    test = models(estimates, "added_agents").loc["subgroup_difference"]
    # two groups of three trials: F on 1 and 1 degrees of freedom
    assert (test["k"], test["q_df"]) == (3, 1)
    assert test["remark"].startswith("F(1, 1) = ")


def test_one_subgroup_is_not_tested():
    assert "subgroup_difference" not in set(hazard_ratios().estimates["model"])


def test_a_test_that_cannot_be_made_says_why():
    estimates = hazard_ratios(dict(list(TRIALS.items())[:2]), added=ADDED).estimates
    test = models(estimates, "added_agents").loc["subgroup_difference"]
    assert math.isnan(test["p_value"])
    assert test["remark"].startswith("Not tested: ")


def test_within_subgroups_nothing_is_pooled_across_them():
    estimates = hazard_ratios(wanted=analysis(pool="within_subgroups"), added=ADDED).estimates
    assert set(estimates["subgroup"]) == {"added_agents=bemab", "added_agents=cetinib"}


def test_trial_by_trial_nothing_is_pooled():
    pooled = hazard_ratios(wanted=analysis(pool="none"))
    assert list(pooled.estimates["model"]) == ["single_trial"] * 3
    assert list(pooled.estimates["subgroup"]) == ["trial=t1", "trial=t2", "trial=t3"]
    assert pooled.trials["weight"].isna().all()


# ------------------------------------------------------------------------------- effect modifiers

BY_LEVEL = {
    "t1": {"negative": (0.5, 1.5), "positive": (0.7, 1.6)},
    "t2": {"negative": (0.6, 1.4), "positive": (0.9, 1.5)},
}


def by_level(trials=BY_LEVEL, pooling="overall", order=None, **tables):
    content = sheet(
        {trial: arms(trial) for trial in trials},
        hazard_ratios=[
            result(trial, *numbers, subgroup=f"receptor={level}")
            for trial, levels in trials.items()
            for level, numbers in levels.items()
        ],
        **tables,
    )
    wanted = analysis(effect_modifiers=(RECEPTOR,), pool=pooling)
    evidence = extract(content, wanted)
    used = evidence.used if order is None else evidence.used.iloc[order]
    return pool_setting(used, evidence.rates, configuration(wanted), SETTING)


def test_levels_are_pooled_where_enough_trials_report_both():
    estimates = by_level().estimates
    for level in ("negative", "positive"):
        assert models(estimates, f"receptor={level}").loc["common", "trials"] == "t1;t2"


def test_the_difference_between_levels_is_pooled_within_trials():
    ratios = models(by_level().estimates, "receptor", "ratio_of_hazard_ratios")
    # by hand: log ratio of the two hazard ratios of a trial, variances added
    logs, weights = [], []
    for levels in BY_LEVEL.values():
        (hr_n, f_n), (hr_p, f_p) = levels["negative"], levels["positive"]
        logs.append(math.log(hr_n / hr_p))
        weights.append(Z**2 / (math.log(f_n) ** 2 + math.log(f_p) ** 2))
    mean = sum(w * y for w, y in zip(weights, logs, strict=True)) / sum(weights)
    assert ratios.loc["common", "estimate"] == pytest.approx(math.exp(mean), rel=1e-12)
    assert ratios.loc["common", "remark"] == "Receptor: negative v positive, within trials"
    assert ratios["probability_of_benefit"].isna().all()


def test_levels_are_compared_within_their_own_trial_in_any_order_of_the_rows():
    straight, crossed = (
        models(by_level(order=order).estimates, "receptor", "ratio_of_hazard_ratios")
        for order in ([0, 1, 2, 3], [0, 3, 2, 1])
    )
    assert crossed.loc["common", "q"] == pytest.approx(straight.loc["common", "q"], rel=1e-12)


def test_one_trial_with_both_levels_is_too_few():
    estimates = by_level({"t1": BY_LEVEL["t1"], "t2": {"negative": (0.6, 1.4)}}).estimates
    assert set(estimates["model"]) == {"no_trial"}


def test_levels_that_are_excluded_do_not_count():
    pooled = by_level(exclusions=[{"trial_id": "t2", "subgroup": "receptor"}])
    assert set(pooled.estimates["model"]) == {"no_trial"}
    assert qualifying_trials(pooled.trials, RECEPTOR) == ["t1"]


def test_trial_by_trial_levels_are_not_pooled_either():
    estimates = by_level(pooling="none").estimates
    assert set(estimates["model"]) == {"single_trial", "no_trial"}
    assert "receptor=negative & trial=t1" in set(estimates["subgroup"])


# ------------------------------------------------------------------------------------------ rates


def rates(pcr, **tables):
    content = sheet({"t1": arms("t1"), "t2": arms("t2")}, pcr=pcr, **tables)
    return pool(content, rates=[RATES])


def test_rates_are_pooled_by_regimen_on_the_logit_scale():
    found = rates([*counts("t1", (40, 100), (25, 100)), *counts("t2", (30, 60), (20, 60))])
    rows = found.estimates[found.estimates["model"] == "common"].set_index("experimental")
    dual = rows.loc["Almab + bemab with chemotherapy"]
    # by hand: logits weighted by events * (n - events) / n
    weights = 40 * 60 / 100, 30 * 30 / 60
    logit = (weights[0] * math.log(40 / 60) + weights[1] * 0) / sum(weights)
    assert dual["estimate"] == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-12)
    assert (dual["participants"], dual["events"], dual["k"]) == (160, 70, 2)
    assert "Almab with chemotherapy" in rows.index


def test_a_rate_is_not_tested_against_anything():
    found = rates([*counts("t1", (40, 100), (25, 100)), *counts("t2", (30, 60), (20, 60))])
    assert found.estimates["p_value"].isna().all()
    assert found.estimates["probability_of_benefit"].isna().all()


def test_rates_of_levels_are_pools_of_their_own():
    found = rates(
        [
            *counts("t1", (40, 100), (25, 100)),
            *counts("t1", (30, 50), (20, 50), subgroup="receptor=negative"),
            *counts("t2", (30, 60), (20, 60)),
        ]
    )
    k = found.estimates.groupby("subgroup")["k"].max()
    assert k.to_dict() == {"all": 2, "receptor=negative": 1}


def test_weights_of_a_pool_of_rates_add_up():
    found = rates([*counts("t1", (40, 100), (25, 100)), *counts("t2", (30, 60), (20, 60))])
    assert list(found.rates.groupby("regimen")["weight"].sum()) == pytest.approx([100, 100])


def test_nothing_at_all_makes_an_empty_table():
    found = pool(sheet({"t1": arms("t1")}), rates=[RATES])
    assert isinstance(found.estimates, pd.DataFrame)
    assert list(found.estimates.columns) == ESTIMATE_COLUMNS
    assert found.estimates.empty


# -------------------------------------------------------------------------------------- rare harms


def test_an_arm_without_an_event_of_a_harm_is_pooled_without_a_correction():
    """With 0.5 added, three events versus none would look like a smaller difference."""
    content = sheet(
        {trial: arms(trial) for trial in ("t1", "t2")},
        pcr=[*counts("t1", (0, 100), (3, 100)), *counts("t2", (2, 100), (4, 100))],
    )
    wanted = {**PCR, "measures": ("risk_ratio", "risk_difference")}
    harm = pool(content, analysis(harm=True, **wanted)).estimates
    ratio = models(harm, measure="risk_ratio")
    assert ratio.loc["mantel_haenszel", "role"] == "lead"
    assert ratio.loc["bayesian_empirical", "role"] == "co-primary"
    # By hand: (0 x 100/200 + 2 x 100/200) / (3 x 100/200 + 4 x 100/200)
    assert ratio.loc["mantel_haenszel", "estimate"] == pytest.approx(2 / 7)
    assert "without a continuity correction" in ratio.loc["mantel_haenszel", "remark"]
    # A difference needs no correction, and an analysis of benefit keeps its usual leading model.
    difference = models(harm, measure="risk_difference")
    assert difference.loc["mantel_haenszel", "role"] == ""
    benefit = models(pool(content, analysis(**wanted)).estimates, measure="risk_ratio")
    assert benefit.loc["mantel_haenszel", "role"] == ""


def test_printed_limits_are_limits_at_their_own_level_only():
    trial = {"published": "0.86 (0.71–1.04)", "ci_level": 97.5, "ci_low": 0.71, "ci_high": 1.04}
    assert published_limits(trial, 97.5) == {"ci_low": 0.71, "ci_high": 1.04}
    assert published_limits(trial, 95.0) == {}
    assert published_limits(trial | {"published": ""}, 97.5) == {}


def test_a_trial_qualifies_by_both_levels_that_are_pooled():
    rows = [
        ("both", "receptor=negative", "yes"), ("both", "receptor=positive", "yes"),
        ("one", "receptor=negative", "yes"),
        ("excluded", "receptor=negative", "yes"), ("excluded", "receptor=positive", "no"),
        ("whole", "all", "yes"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["trial_id", "subgroup", "pooled"])
    assert qualifying_trials(table, RECEPTOR) == ["both"]
