"""Interactions of components: posterior against R's integration, and inestimable cases."""

import numpy as np
import pytest
from component_studies import network, parts, two_arm
from reference import load
from trial_evidence.network.components.additive import interaction_observations
from trial_evidence.network.components.interactions import (
    InteractionPosterior,
    confounded_with,
    estimate_interaction,
)
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.engine.results import Refused

REFERENCE = load("synergy")["interaction"]
CONNECTED = network(load("netcomb")["connected"]["arms"])
PARTS = parts(*CONNECTED.treatments)
PRIOR = HalfNormal(0.5)


def test_posterior_agrees_with_numerical_integration():
    ours = estimate_interaction(CONNECTED, PARTS, ("A", "B"), PRIOR).posterior
    theirs = REFERENCE["flat"]
    central = [float(limit[0]) for limit in ours.mixture.intervals(0.95)[2:]]
    assert central == pytest.approx([theirs["central_low"], theirs["central_high"]], rel=1e-7)
    assert ours.median == pytest.approx(theirs["median"], rel=1e-7)
    assert ours.probability_above_zero == pytest.approx(theirs["above_zero"], rel=1e-7)
    assert median_of_tau(ours) == pytest.approx(theirs["tau_median"], rel=1e-7)


def median_of_tau(found):
    return float(found.tau.quantile(np.array([0.5]))[0])


def test_one_comparison_is_the_posterior_of_a_mean():
    # Trials of A+B against A, with no other information on the effects of A and B: the coefficient
    # of B is a common mean, whose posterior the pairwise model has.
    effects, variances = [0.2, 0.6, 0.1], [0.04, 0.09, 0.05]
    data = NetworkData(
        tuple(
            two_arm(f"s{i}", ("A", "A+B"), y, v)
            for i, (y, v) in enumerate(zip(effects, variances, strict=True))
        )
    )
    found = interaction_observations(
        NetworkData((*data.studies, two_arm("s3", ("C", "B+C"), 0.3, 0.02))),
        parts("A", "A+B", "C", "B+C"),
        ("A", "B"),
    )
    assert not isinstance(found, Refused)
    observations, _ = found
    # Coefficients A, B, C, A x B: B + A x B is the effect of B added to A.
    first_three = np.array([0.0, 1.0, 0.0, 1.0])
    ours = InteractionPosterior(observations, first_three, PRIOR)
    # Only the fourth study informs the other coefficient, so it says nothing about tau.
    theirs = posterior(effects, variances, PRIOR)
    for field in ("median", "ci_low", "ci_high"):
        assert getattr(ours, field) == pytest.approx(getattr(theirs, field), rel=1e-8)
    assert median_of_tau(ours) == pytest.approx(theirs.tau_median, rel=1e-8)


def test_studies_behind_an_interaction_are_counted():
    ours = estimate_interaction(CONNECTED, PARTS, ("A", "B"), PRIOR)
    # s02, s03 and s06 include A+B, each with a single-agent arm.
    assert (ours.studies_with, ours.studies_apart) == (3, 3)
    assert ours.effect.name == "A x B"


def test_an_interaction_the_studies_do_not_determine_is_refused():
    # No arm lacks both A and P.
    ours = estimate_interaction(CONNECTED, PARTS, ("A", "P"), PRIOR)
    assert isinstance(ours, Refused)
    assert ours.reason == "The trials cannot separate the effects of A, P and A x P."


def test_posterior_without_degrees_of_freedom_has_the_prior_of_tau():
    # The posterior of tau equals its prior: the median of a half-normal is 0.67449 scales.
    data = NetworkData(
        (two_arm("one", ("O", "A"), 0.5, 0.04), two_arm("two", ("O", "B"), 0.1, 0.01),
         two_arm("three", ("O", "A+B"), 0.9, 0.09))
    )  # fmt: skip
    table = {"O": (), "A": ("A",), "B": ("B",), "A+B": ("A", "B")}
    ours = estimate_interaction(data, table, ("A", "B"), PRIOR)
    # One study has an arm with both, and also one with neither.
    assert (ours.studies_with, ours.studies_apart) == (1, 0)
    assert median_of_tau(ours.posterior) == pytest.approx(0.5 * 0.6744897501960817, rel=1e-9)
    assert ours.posterior.median == pytest.approx(0.3, rel=1e-9)
    # Three studies, each with variance v + tau2: 0.14 + 3 tau2, on average 0.14 + 3 * 0.25.
    mixture = ours.posterior.mixture
    variance = (ours.posterior.tau.weights * (mixture.sds**2 + (mixture.means - 0.3) ** 2)).sum()
    assert variance == pytest.approx(0.14 + 0.75, rel=1e-9)


def test_interactions_that_one_treatment_alone_shows_are_not_told_apart():
    # Nothing against A, B, C, A+C and A+B+C: the part of the last not explained by A+C is A with B
    # or B with C.
    treatments = ("A", "B", "C", "A+C", "A+B+C")
    data = NetworkData(
        tuple(two_arm(f"s{i}", ("0", t), 0.1 * i, 0.04) for i, t in enumerate(treatments))
    )
    components = parts(*treatments) | {"0": ()}
    assert confounded_with(data, components, ("A", "B")) == ("B x C",)
    assert confounded_with(data, components, ("C", "B")) == ("A x B",)
    assert confounded_with(data, components, ("A", "C")) == ()
    found = estimate_interaction(data, components, ("A", "B"), PRIOR)
    assert found.confounded_with == ("B x C",)
