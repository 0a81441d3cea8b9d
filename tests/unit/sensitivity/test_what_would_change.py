"""What would change the answer: the table's numbers and its sentences."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from invented import PCR, POOLING, PROJECT, SENSITIVITY, analysis
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import InverseGamma, model_priors
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.sensitivity.deletion import leave_one_out_table
from trial_evidence.sensitivity.what_would_change import CHANGE_COLUMNS, what_would_change_table

NO_CHANGES: dict[str, object] = {}
NAMES = ("ASH", "ELM", "FIR", "OAK", "YEW", "BAY", "BOX")


def compared(yi, vi, counts=None, about=NO_CHANGES):
    """Trials with these log ratios, and tables: events and n, experimental and control arm."""
    rows = pd.DataFrame({"yi": yi, "vi": vi, "trial": NAMES[: len(yi)]})
    rows["trial_id"] = rows["trial"].str.lower()
    if counts is not None:
        names = ["events_experimental", "n_experimental", "events_control", "n_control"]
        rows[names] = counts
    of = analysis(**about)
    priors = model_priors(PROJECT.tau_priors[of.measures[0]])
    return Comparison(
        analysis=of, measure=of.measures[0], rows=rows, level=95.0, priors=priors, pooling=POOLING
    )


def row(c):
    table = what_would_change_table((c,), SENSITIVITY)
    assert list(table.columns) == CHANGE_COLUMNS
    (record,) = table.to_dict("records")
    return record


APART = [-0.9, -0.1, -0.6, -0.3, -0.6]
FIVE = [-0.4, -0.3, -0.15, -0.35, 0.0], [0.02, 0.03, 0.015, 0.06, 0.03]


def test_the_size_in_the_sentence_is_that_of_the_table():
    found = row(compared(*FIVE))
    assert found["unit"] == "events"
    assert found["trial_finds"] == 1.0
    assert found["further_trial"] == (
        f"A further trial with {found['smallest_trial']:.0f} events that finds no effect would "
        "make the interval include 1."
    )
    assert found["ci_high_with_trial"] >= 1.0 > found["ci_high"]


def test_a_result_that_is_open_is_settled_by_the_pooled_effect():
    found = row(compared([y + 0.13 for y in FIVE[0]], FIVE[1]))
    assert found["excludes_no_effect"] == "no"
    assert found["trial_finds"] == pytest.approx(found["estimate"])
    assert (
        f"that finds the pooled effect (HR {found['estimate']:.2f}) would make the interval "
        in (found["further_trial"])
    )
    assert found["ci_high_with_trial"] < 1.0 <= found["ci_high"]


def test_no_share_of_the_weight_is_told_of_a_trial_however_large():
    """A trial without error weighs 1/tau2, more than any other: its share is above one of k + 1.

    R 4.2.2, metafor 3.8-1, with ``y`` and ``v`` as below::

        r <- rma(c(y, 0), c(v, 1e-6 * min(v)), method = "REML", test = "adhoc",
                 control = list(threshold = 1e-12, maxiter = 1000))
        c(exp(r$ci.ub), r$tau2, tail(weights(r), 1) / 100)  # 0.8053413 0.0948824 0.1901113

    The upper limit stays below 1; the share of the weight is 19%, and one of seven 14%.
    """
    y, v = [-0.9, -0.5, -0.75, -0.45, -0.7, -0.8], [0.04, 0.03, 0.05, 0.02, 0.06, 0.04]
    found = row(compared(y, v))
    assert found["however_large"] == "yes"
    assert found["further_trial"] == (
        "No further trial that finds no effect would make the interval include 1, however large: "
        "since results differ between trials, the weight of any single trial is limited."
    )


def test_patients_are_told_for_both_arms_at_the_risk_of_all_controls():
    # 75 of 250 controls respond in total
    tables = [[45, 100, 30, 100], [23, 50, 15, 50], *[[11, 25, 8, 25], [11, 25, 7, 25]] * 2]
    ratios = [math.log(a / n1 / (c / n0)) for a, n1, c, n0 in tables]
    variances = [1 / a - 1 / n1 + 1 / c - 1 / n0 for a, n1, c, n0 in tables]
    found = row(compared(ratios, variances, tables, PCR))
    assert found["control_risk"] == pytest.approx(75 / 250)
    size = found["smallest_trial"]
    # a trial with n per arm and 30% in both: variance 2 (1 - 0.3) / (0.3 n)
    again = compared([*ratios, 0.0], [*variances, 1.4 / 0.3 / size])
    fit = again.refit(again.yi[:, None], again.vi[:, None])
    assert np.exp(fit.ci_low[0]) == pytest.approx(found["ci_low_with_trial"])
    assert f"{2 * size:,.0f} patients ({size:,.0f} per arm)" in found["further_trial"]
    assert found["present"] == 500
    assert "at a control risk of 30% with 80% power" in found["information"]


def test_the_model_that_leads_now_judges_one_trial_more_and_fewer():
    c = compared([-0.25, -0.2], [0.004, 0.008])
    prior = InverseGamma(*PROJECT.tau_priors["hazard_ratio"].empirical.inverse_gamma)
    found = row(c)
    assert found["model"] == "bayesian_empirical"
    own = posterior(c.yi, c.vi, prior)
    assert math.log(found["ci_high"]) == pytest.approx(own.ci_high, abs=1e-6)
    more = posterior([*c.yi, own.median], [*c.vi, 4 / found["smallest_trial"]], prior)
    assert math.log(found["ci_high_with_trial"]) == pytest.approx(more.ci_high, abs=1e-6)
    assert found["removal"] == ("The interval of ELM alone and that of ASH alone would exclude 1.")


def test_sentences_on_trials_left_out():
    # one large trial dominates the result
    led = row(compared([-0.5, 0.0, -0.5, -0.5, -0.5], [0.02, 0.2, 0.3, 0.3, 0.3]))
    assert led["removal"] == (
        "The interval would include 1 if ASH were left out. It would also include 1 if both ELM "
        "and FIR, or both ELM and OAK, or both ELM and YEW, or any of 3 other pairs of trials were "
        "left out."
    )
    assert led["removals_of_one"] == "ash"
    many = row(compared(*FIVE))
    assert many["removals_of_one"] == "ash;elm;fir;oak"
    assert many["removal"].startswith(
        "The interval would include 1 if any one of ASH, ELM, FIR and OAK were left out."
    )
    # neither of the two does so alone
    pair = row(compared([-0.5] * 6, [0.02, 0.02, *[0.3] * 4]))
    assert pair["removal"] == (
        "No single trial is decisive; the interval would include 1 if both ASH and ELM were left "
        "out."
    )
    assert pair["removals_of_two"] == "ash+elm"
    none = row(compared([-0.5] * 5, [0.02] * 5))
    assert none["removal"] == (
        "No trial and no pair of trials is decisive: whichever is left out, the interval excludes "
        "1 (no difference)."
    )
    assert row(compared([0.01, 0.0], [0.01, 0.02]))["removal"] == (
        "The interval of either trial alone includes 1 as well."
    )


def test_the_share_of_the_required_information():
    # without heterogeneity: 4 (1.96 + 0.84)^2 / log(0.8)^2 = 631 events; 4 x 5 / 0.02 = 1,000 there
    found = row(compared([-0.5] * 5, [0.02] * 5))
    assert found["information"] == (
        "To detect a hazard ratio of 0.80 with 80% power, 631 events are required. The trials hold "
        "as much information as 1,000 events: 159% of what is required."
    )
    apart = row(compared(APART, [0.02] * 5))
    assert apart["required_adjusted"] > apart["required"]
    # With equal variances v, REML is the variance of the effects minus v: D2 = 1 - v / variance
    assert apart["diversity"] == pytest.approx(1 - 0.02 / np.var(APART, ddof=1), rel=1e-6)
    assert apart["share_reached"] == pytest.approx(
        1000 / 630.9 * 0.02 / np.var(APART, ddof=1), rel=1e-3
    )


def test_an_effect_that_no_trial_can_have_is_told():
    # 96% of the controls respond: a risk ratio of 1.25 is beyond 100%
    tables = [[98, 100, 96, 100]] * 2
    found = row(compared([math.log(98 / 96)] * 2, [1 / 98 - 0.01 + 1 / 96 - 0.01] * 2, tables, PCR))
    assert found["information"].startswith("Not computed")
    assert math.isnan(found["required"])


def test_a_harm_is_sought_in_the_direction_of_more_harm():
    c = compared(*FIVE)
    of = replace(c.analysis, harm=True)
    assert row(replace(c, analysis=of))["effect_sought"] == pytest.approx(1.25)
    assert row(c)["effect_sought"] == pytest.approx(0.8)


def test_the_trial_that_is_left_has_the_limits_that_were_printed():
    # 0.86 (0.74 to 1.00): recomputed from the rounded limits the upper one is 0.9997.
    limits = {"ci_low": [0.68, 0.74], "ci_high": [0.92, 1.00]}
    se = [np.log(0.92 / 0.68) / 3.919928, np.log(1.00 / 0.74) / 3.919928]
    c = compared(np.log([0.79, 0.86]), np.square(se))
    printed = ["0.79 (0.68–0.92)", "0.86 (0.74–1.00)"]
    rows = c.rows.assign(**limits, ci_level=95.0, published=printed)
    change = row(replace(c, rows=rows))
    assert change["removals_of_one"] == "elm"
    without = leave_one_out_table((replace(c, rows=rows),)).set_index("trial")
    assert without.loc["ASH", ["ci_low", "ci_high"]].tolist() == [0.74, 1.00]
    assert change["removal"] == "The interval of ASH alone would exclude 1."
