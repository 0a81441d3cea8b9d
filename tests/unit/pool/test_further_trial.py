"""One further trial, or one or two fewer: compared with metafor, closed forms and single fits."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import load
from scipy.special import ndtri
from trial_evidence.measures.effects import risk_ratio
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.models.random_effects import random_effects
from trial_evidence.pool.probes.further_trial import (
    Pools,
    further_trials,
    removals,
    sides,
    smallest_trial,
)

TABLE = load("metafor_sensitivity")["bcg__OR"]["table"]
REFERENCE = load("further_trial")
BCG = risk_ratio(TABLE["ai"], TABLE["n1i"], TABLE["ci"], TABLE["n2i"])
Z = float(ndtri(0.975))


def pooled(yi, vi, **choices):
    fit = fit_stack(yi, vi, **choices)
    return Pools(fit.estimate, fit.ci_low, fit.ci_high, fit.tau2)


common = partial(pooled, method="EE", interval="wald")


def of_trials(numbers):
    at = np.array(numbers) - 1
    return BCG.yi[at], BCG.vi[at]


@pytest.mark.parametrize("case", REFERENCE["removals"], ids=lambda c: f"{len(c['trials'])} trials")
def test_removals_are_those_that_metafor_finds_one_by_one(case):
    found = removals(*of_trials(case["trials"]), pooled)
    assert [at + 1 for at in found.one] == case["one"]
    assert [[a + 1, b + 1] for a, b in found.two] == case["two"]


def test_pairs_are_left_out_of_sixty_trials_and_of_no_more():
    tried = []

    def counted(yi, vi):
        tried.append(yi.shape[1])
        return pooled(yi, vi)

    for k in (60, 61):
        removals(np.linspace(-1, 1, k), np.full(k, 0.1), counted)
    # All trials; each left out; and, for sixty trials, each of 1,770 pairs.
    assert tried == [1, 60 + 1770, 1, 61]


def test_the_smallest_trial_without_effect_is_metafors():
    theirs = REFERENCE["smallest"]
    at = np.array(theirs["trials"]) - 1
    controls = (np.array(TABLE[name], float)[at].sum() for name in ("ci", "n2i"))
    risk = next(controls) / next(controls)
    unit = 2 * (1 - risk) / risk
    y, v = of_trials(theirs["trials"])
    found = smallest_trial(y, v, pooled, effect=0.0, unit_variance=unit, sizes=(20, 5000))
    assert found.size == theirs["patients_per_arm"]
    assert found.estimate == pytest.approx(theirs["estimate"], rel=1e-5)
    assert found.ci_low == pytest.approx(theirs["ci_low"], rel=1e-5)
    assert found.ci_high == pytest.approx(theirs["ci_high"], abs=1e-6)


@given(
    mean=st.floats(0.02, 0.9),
    variances=st.lists(st.floats(0.005, 0.5), min_size=1, max_size=6),
)
def test_of_a_common_effect_the_size_is_that_of_the_closed_form(mean, variances):
    v = np.array(variances)
    y = np.full(v.size, mean)
    information = (1 / v).sum()
    excludes = abs(mean) * math.sqrt(information) > Z
    # The mean M W / (W + n / u) is Z standard errors from zero; or M sqrt(W + n / u) = Z.
    share = mean**2 / Z**2
    needed = (share * information**2 if excludes else 1 / share) - information
    assume(abs(4 * needed - round(4 * needed)) > 1e-6)
    expected = max(math.ceil(4 * needed), 20)
    effect = 0.0 if excludes else mean
    found = smallest_trial(y, v, common, effect=effect, unit_variance=4.0, sizes=(20, 3000))
    assert found.size == (expected if expected <= 3000 else None)
    assert not found.however_large


@pytest.mark.parametrize("settled", [True, False])
def test_one_event_fewer_does_not_change_the_verdict(settled):
    y, v = np.array([-0.4, -0.3, -0.15, -0.35, 0.0]), np.array([0.02, 0.03, 0.015, 0.06, 0.03])
    if not settled:
        y = y + 0.13
    effect = 0.0 if settled else float(fit_stack(y, v).estimate[0])
    found = smallest_trial(y, v, pooled, effect=effect, unit_variance=4.0, sizes=(20, 9000))
    assert found.size > 20
    assert not found.however_small

    def excludes(events):
        fit = random_effects(
            [*y, effect], [*v, 4 / events], tau2_estimator="REML",
            estimate_interval="hartung_knapp_conservative",
            prediction_interval="conservative_k_minus_1",
        )  # fmt: skip
        return fit.ci_low > 0 or fit.ci_high < 0

    assert excludes(found.size) is not settled
    assert excludes(found.size - 1) is settled


def test_heterogeneity_can_prevent_any_trial_from_changing_the_verdict():
    # with a between-trial standard deviation of about 0.5, the mean of four trials stays uncertain
    y, v = np.array([-0.9, 0.2, -0.6]), np.array([0.01, 0.01, 0.01])
    found = smallest_trial(
        y, v, pooled, effect=float(y.mean()), unit_variance=4.0, sizes=(20, 10**6)
    )
    assert found.size is None
    assert found.however_large


def test_a_limit_of_size_is_not_taken_for_heterogeneity():
    y, v = np.array([-0.1, -0.1]), np.array([0.04, 0.04])
    found = smallest_trial(y, v, common, effect=-0.1, unit_variance=4.0, sizes=(20, 500))
    # Z^2 / 0.01 - 50 = 334 units of information, 1,337 events
    assert found.size is None
    assert not found.however_large


def test_a_change_by_the_degree_of_freedom_alone_is_reported():
    # 0.2 with se 0.05: with 1 degree of freedom, 12.7 se include zero; with 2, 4.3 se do not
    y, v = np.array([0.2, 0.2]), np.array([0.0032, 0.0032])
    found = smallest_trial(y, v, pooled, effect=0.2, unit_variance=4.0, sizes=(20, 500))
    assert (found.size, found.however_small) == (20, True)


def test_the_grid_holds_every_further_trial_with_its_pool():
    y, v = of_trials([1, 2, 5, 7, 9])
    grid = further_trials(y, v, pooled, np.array([-1.0, 0.0, 0.5]), np.array([0.1, 0.4]))
    assert len(grid) == 6
    for row in grid.itertuples():
        fit = fit_stack([*y, row.estimate], [*v, row.standard_error**2])
        assert row.low == pytest.approx(fit.ci_low[0], rel=1e-9)
        assert row.high == pytest.approx(fit.ci_high[0], rel=1e-9)


def test_sides_of_no_effect():
    ends = np.array([-2.0, -1.0, 0.5]), np.array([-1.0, 1.0, 2.0])
    assert sides(Pools(ends[0], *ends, ends[0])).tolist() == [-1, 0, 1]
