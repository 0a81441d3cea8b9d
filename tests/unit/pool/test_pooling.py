"""Which models are fitted together, which one leads, and the scales on which they are shown."""

import math

import numpy as np
import pytest
from invented import POOLING, PROJECT
from reference import load
from trial_evidence.measures.scales import IDENTITY, LOG_RATIO, LOGIT
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma, model_priors
from trial_evidence.pool.models.counts import Counts
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.models.pooling import pool_all

BCG = load("metafor")["bcg_first4__RR"]
TABLE = Counts(*(BCG["table"][key] for key in ("ai", "n1i", "ci", "n2i")), "risk_ratio")
PRIORS = {"bayesian_empirical": InverseGamma(1.49, 0.24), "bayesian": HalfNormal(0.5)}


def models(pooled):
    return [result.model for result in pooled]


def test_all_models_in_fixed_order():
    ours = pool_all(BCG["yi"], BCG["vi"], pooling=POOLING, level=95, priors=PRIORS, counts=TABLE)
    assert models(ours) == [
        "random_reml_hk",
        "common",
        "dersimonian_laird",
        "mantel_haenszel",
        "bayesian_empirical",
        "bayesian",
    ]


def test_no_mantel_haenszel_without_counts():
    ours = pool_all(BCG["yi"], BCG["vi"], pooling=POOLING, level=95, priors=PRIORS)
    assert "mantel_haenszel" not in models(ours)


def test_no_mantel_haenszel_where_it_has_no_estimate():
    nothing = Counts([0, 0], [20, 30], [2, 3], [20, 30], "risk_ratio")
    ours = pool_all(
        [-1.6, -1.9], [2.3, 2.2], pooling=POOLING, level=95, priors=PRIORS, counts=nothing
    )
    assert "mantel_haenszel" not in models(ours)


def test_one_trial_is_not_pooled():
    ours = pool_all([0.1], [0.02], pooling=POOLING, level=95, priors=PRIORS)
    assert models(ours) == ["single_trial"]


def test_level_reaches_every_model():
    ours = pool_all(BCG["yi"], BCG["vi"], pooling=POOLING, level=80, priors=PRIORS, counts=TABLE)
    wide = pool_all(BCG["yi"], BCG["vi"], pooling=POOLING, level=95, priors=PRIORS, counts=TABLE)
    for narrow, broad in zip(ours, wide, strict=True):
        assert broad.ci_low < narrow.ci_low < narrow.ci_high < broad.ci_high


def test_prior_reaches_the_bayesian_model():
    expected = load("bayes")["bcg_first4__RR"]["posteriors"]["0.25"]["mu_median"]
    priors = {"bayesian": HalfNormal(0.25)}
    ours = pool_all(BCG["yi"], BCG["vi"], pooling=POOLING, level=95, priors=priors)[-1]
    assert ours.estimate == pytest.approx(expected, rel=1e-9)


def test_tables_must_be_as_many_as_effects():
    with pytest.raises(ValueError, match="3 effects but 4 two-by-two tables"):
        pool_all(
            BCG["yi"][:3],
            BCG["vi"][:3],
            pooling=POOLING,
            level=95,
            priors=PRIORS,
            counts=TABLE,
        )


@pytest.mark.parametrize(
    ("k", "model", "co_primary"),
    [
        (1, "single_trial", None),
        (2, "bayesian_empirical", "bayesian"),
        (3, "bayesian_empirical", "bayesian"),
        (4, "bayesian_empirical", "bayesian"),
        (5, "random_reml_hk", None),
        (40, "random_reml_hk", None),
    ],
)
def test_leading_model_by_number_of_trials(k, model, co_primary):
    lead = leading_model(k, POOLING)
    assert (lead.model, lead.co_primary) == (model, co_primary)


@pytest.mark.parametrize(("k", "model"), [(1, "single_trial"), (2, "bayesian"), (4, "bayesian"),
                                          (5, "random_reml_hk")])  # fmt: skip
def test_the_cautious_prior_leads_alone_where_there_is_no_empirical_one(k, model):
    lead = leading_model(k, POOLING, empirical=False)
    assert (lead.model, lead.co_primary) == (model, None)
    assert ("cautious prior leads" in lead.reason) == (model == "bayesian")


def test_every_measure_has_the_priors_that_the_methods_state():
    # Bartos et al. 2023, as cited in config.yaml; not used for differences between effects.
    stated = {
        "hazard_ratio": InverseGamma(2.42, 0.30),
        "risk_ratio": InverseGamma(1.49, 0.24),
        "odds_ratio": InverseGamma(1.59, 0.48),
        "risk_difference": HalfNormal(0.118),
    }
    found = {name: model_priors(priors) for name, priors in PROJECT.tau_priors.items()}
    assert {name: p.get("bayesian_empirical") for name, p in found.items() if len(p) > 1} == stated
    assert list(found["proportion"]) == ["bayesian"]
    assert list(model_priors(PROJECT.tau_priors["risk_ratio"], empirical=False)) == ["bayesian"]


@pytest.mark.parametrize(
    ("k", "words"),
    [(1, "One trial"), (2, "Two trials"), (3, "Three trials"), (4, "Four trials"), (7, "7 trials")],
)
def test_reason_is_one_sentence_that_names_the_number_of_trials(k, words):
    reason = leading_model(k, POOLING).reason
    assert reason.startswith(words)
    assert reason.count(".") == 1


def test_nothing_leads_without_trials():
    with pytest.raises(ValueError, match="no trial"):
        leading_model(0, POOLING)


def test_log_ratio_goes_back_by_the_exponential():
    np.testing.assert_allclose(LOG_RATIO.to_natural([0.0, math.log(1.5)]), [1.0, 1.5])


def test_logit_goes_back_to_a_proportion():
    # logit(0.8) = log 4
    np.testing.assert_allclose(LOGIT.to_natural([0.0, math.log(4)]), [0.5, 0.8])


@pytest.mark.parametrize("scale", [LOG_RATIO, LOGIT, IDENTITY])
def test_extreme_limits_and_missing_ones_pass_through(scale):
    low, high, missing = scale.to_natural([-5000.0, 5000.0, math.nan])
    assert low < high
    assert math.isnan(missing)


def test_no_effect_is_one_for_ratios_and_zero_for_differences():
    assert (LOG_RATIO.null, IDENTITY.null, LOGIT.null) == (1.0, 0.0, None)
