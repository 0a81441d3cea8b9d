"""Synergy within trials: by hand, against R's integration, and pooled against metafor."""

import math

import pytest
from invented import SETTING, configuration, outcomes, sheet
from reference import load
from trial_evidence.config.methods import LeadRule, Pooling, TauPriors
from trial_evidence.config.networks import (
    Background,
    Network,
    NetworkConfiguration,
    SynergyAnalysis,
)
from trial_evidence.network.evidence.rows import network_evidence
from trial_evidence.network.within_trials.factorial import Arm, FactorialTrial
from trial_evidence.network.within_trials.synergy import SCALES, pool_synergy
from trial_evidence.network.within_trials.trial_level import ALL_PAIRS, synergy_results
from trial_evidence.pool.bayes.posterior import bayesian
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.engine.results import Refused

REFERENCE = load("synergy")
POOLING = Pooling(
    "REML", "hartung_knapp_conservative", "conservative_k_minus_1",
    (LeadRule(2, "random_effects", None, ""),),
)  # fmt: skip
TAU_PRIORS = {
    "risk_ratio": TauPriors(0.5), "odds_ratio": TauPriors(0.5), "risk_difference": TauPriors(0.125)
}  # fmt: skip


def factorial(first, second, both, neither=None, trial="one"):
    """A trial from pairs of events and n."""

    def arm(name, agents, counts):
        return Arm(trial, name, agents, "concurrent", "chemotherapy", *counts)

    return FactorialTrial(
        trial,
        arm("a", ("A",), first),
        arm("b", ("B",), second),
        arm("ab", ("A", "B"), both),
        arm("o", (), neither) if neither else None,
    )


def pool(trials, scale, background):
    return pool_synergy(trials, SCALES[scale], background, POOLING, TAU_PRIORS)


def synergy(trial, scale, background):
    found = pool((trial,), scale, background)
    return found if isinstance(found, Refused) else found.trials[0]


# Rates 0.30, 0.20 and 0.60 of 100 patients each.
PLAIN = factorial((30, 100), (20, 100), (60, 100))
TEN_PERCENT = Background(0.1, "invented")
NO_BACKGROUND = Background(0.0, "cautious bound")
# p(1 - p)/n of the three arms.
VA, VB, VAB = 0.0021, 0.0016, 0.0024


@pytest.mark.parametrize(
    ("scale", "background", "expected", "estimate", "variance"),
    [
        ("risk_additive", 0.0, 0.50, 0.10, VA + VB + VAB),
        ("risk_additive", 0.1, 0.40, 0.20, VA + VB + VAB),
        # 1 - 0.7 * 0.8 = 0.44; slopes 0.8, 0.7, 1.
        ("bliss", 0.0, 0.44, 0.16, 0.64 * VA + 0.49 * VB + VAB),
        # 1 - 0.56/0.9; slopes 0.8/0.9, 0.7/0.9, 1.
        ("bliss", 0.1, 0.34 / 0.9, 0.6 - 0.34 / 0.9, (0.64 * VA + 0.49 * VB) / 0.81 + VAB),
        # 0.3 * 0.2/0.1 = 0.6: exactly as observed; (1 - p)/(np).
        ("multiplicative", 0.1, 0.60, 0.0, 0.7 / 30 + 0.8 / 20 + 0.4 / 60),
        # Odds 3/7 * 1/4 / (1/9) = 27/28, against 3/2; 1/(np(1 - p)).
        ("log_odds", 0.1, 27 / 55, math.log(1.5 * 28 / 27), 1 / 21 + 1 / 16 + 1 / 24),
        ("better_single", 0.1, 0.30, 0.30, VA + VAB),
    ],
)
def test_excess_by_hand(scale, background, expected, estimate, variance):
    ours = synergy(PLAIN, scale, Background(background, "invented"))
    assert ours.expected == pytest.approx(expected, rel=1e-12)
    assert ours.excess.estimate == pytest.approx(estimate, rel=1e-12, abs=1e-12)
    assert ours.variance == pytest.approx(variance, rel=1e-12)
    assert ours.excess.ci_high - ours.excess.estimate == pytest.approx(
        1.959963984540054 * variance**0.5
    )


@pytest.mark.parametrize(
    ("scale", "tipping"),
    [
        ("risk_additive", 0.0),  # 0.3 + 0.2 - 0.6 is below zero: synergy at any background
        ("bliss", 0.0),
        ("multiplicative", 0.1),  # 0.3 * 0.2/0.6
        ("log_odds", 1 / 15),  # odds 3/7 * 1/4 / (3/2) = 1/14
    ],
)
def test_tipping_background_by_hand(scale, tipping):
    ours = synergy(PLAIN, scale, TEN_PERCENT)
    assert ours.tipping_background == pytest.approx(tipping, rel=1e-12)


@pytest.mark.parametrize("scale", ["risk_additive", "bliss", "multiplicative", "log_odds"])
def test_a_background_as_high_as_the_weaker_arm_asks_for_the_better_arm(scale):
    ours = synergy(PLAIN, scale, Background(0.2, "the weaker arm"))
    assert ours.expected == pytest.approx(0.3, rel=1e-12)
    assert ours.note == ""


def test_own_arm_takes_the_place_of_the_supposed_background():
    trial = factorial((30, 100), (20, 100), (60, 100), (10, 50))
    ours = synergy(trial, "risk_additive", NO_BACKGROUND)
    # 10/50 = 0.2; 0.6 - (0.3 + 0.2 - 0.2); 0.2 * 0.8/50 = 0.0032.
    assert ours.excess.estimate == pytest.approx(0.3, rel=1e-12)
    assert ours.variance == pytest.approx(VA + VB + VAB + 0.0032, rel=1e-12)
    assert ours.tipping_background is None
    # Bliss: 0.56/0.8 = 0.7 are expected not to respond; slopes 0.8/0.8, 0.7/0.8, 1 and 0.56/0.64.
    bliss = synergy(trial, "bliss", NO_BACKGROUND)
    assert bliss.expected == pytest.approx(0.3, rel=1e-12)
    assert bliss.variance == pytest.approx(VA + 0.875**2 * VB + VAB + 0.875**2 * 0.0032, rel=1e-12)
    ratio = synergy(trial, "multiplicative", NO_BACKGROUND)
    # 0.6 * 0.2/(0.3 * 0.2) = 2; (1 - p)/(np) of the four arms.
    assert ratio.excess.estimate == pytest.approx(math.log(2), rel=1e-12)
    assert ratio.variance == pytest.approx(0.7 / 30 + 0.8 / 20 + 0.4 / 60 + 0.8 / 10, rel=1e-12)


def test_an_empty_cell_corrects_all_arms_of_the_trial():
    ours = synergy(factorial((0, 20), (5, 20), (9, 20)), "risk_additive", NO_BACKGROUND)
    # 0.5/21, 5.5/21, 9.5/21.
    assert ours.excess.estimate == pytest.approx((9.5 - 0.5 - 5.5) / 21, rel=1e-12)


@pytest.mark.parametrize("scale", ["multiplicative", "log_odds"])
def test_a_ratio_to_nothing_is_refused(scale):
    ours = synergy(PLAIN, scale, NO_BACKGROUND)
    assert isinstance(ours, Refused)
    assert "background response of zero" in ours.reason
    assert isinstance(pool([PLAIN], scale, NO_BACKGROUND), Refused)


@pytest.mark.parametrize(
    ("trial", "background", "words"),
    [
        (PLAIN, 0.25, "be harmful"),
        (factorial((60, 100), (70, 100), (80, 100)), 0.1, "than there are patients"),
    ],
)
def test_odd_expectations_are_noted(trial, background, words):
    assert words in synergy(trial, "risk_additive", Background(background, "invented")).note


# ----------------------------------------------------------------------------- from the counts

SMALL = ((14, 40), (9, 38), (21, 43))


@pytest.mark.parametrize(
    "theirs", REFERENCE["jeffreys"], ids=lambda r: f"{r['scale']}-{r['background']}"
)
def test_posterior_from_counts_agrees_with_numerical_integration(theirs):
    ours = synergy(factorial(*SMALL), theirs["scale"], Background(theirs["background"], "invented"))
    assert ours.probability_of_synergy == pytest.approx(theirs["above_zero"], abs=1e-6)
    values = (ours.posterior_median, ours.posterior_low, ours.posterior_high)
    assert values == pytest.approx([theirs[k] for k in ("median", "low", "high")], abs=2e-6)


@pytest.mark.parametrize("theirs", REFERENCE["jeffreys_with_neither"], ids=lambda r: r["scale"])
def test_posterior_with_an_arm_with_neither_agrees_with_numerical_integration(theirs):
    ours = synergy(factorial(*SMALL, (4, 39)), theirs["scale"], NO_BACKGROUND)
    assert ours.probability_of_synergy == pytest.approx(theirs["above_zero"], abs=1e-7)


def test_posterior_of_beating_both_arms_that_are_alike():
    # With the same counts in all three arms each is equally likely to be the best.
    ours = synergy(factorial((12, 40), (12, 40), (12, 40)), "better_single", NO_BACKGROUND)
    assert ours.probability_of_synergy == pytest.approx(1 / 3, abs=1e-10)


def test_posterior_of_beating_a_single_arm_in_which_all_patients_responded():
    """Two arms of 40 in which all responded: neither is better, and the distribution symmetric.

    R 4.2.2, the chance that one beta(40.5, 0.5) exceeds another by less than x::

        below <- function(x) integrate(function(p) dbeta(p, 40.5, .5) *
                                       pbeta(p + x, 40.5, .5), 0, 1, rel.tol = 1e-12)$value
        uniroot(function(x) below(x) - .975, c(0, .5), tol = 1e-10)$root
    """
    ours = synergy(factorial((40, 40), (2, 40), (40, 40)), "better_single", NO_BACKGROUND)
    assert ours.probability_of_synergy == pytest.approx(0.5, abs=1e-3)
    assert ours.posterior_high == pytest.approx(-ours.posterior_low, abs=1e-4)
    assert ours.posterior_high == pytest.approx(0.0524668261728, abs=1e-4)


def test_posterior_of_large_arms_is_normal():
    # 20,000 patients per arm: the posterior's interval is Wald's up to the fourth digit.
    ours = synergy(factorial((6000, 20000), (4000, 20000), (12000, 20000)), "bliss", TEN_PERCENT)
    assert ours.posterior_low == pytest.approx(ours.excess.ci_low, abs=1e-4)
    assert ours.posterior_high == pytest.approx(ours.excess.ci_high, abs=1e-4)


def test_interval_of_a_ratio_with_an_empty_arm():
    """A limit that says how large a ratio may be where a single arm, or that of neither, is empty.

    R 4.2.2, arms of 40 with 9 and 15 responses to one agent and to both, the background 10%, and
    with 8, 9 and 15::

        d <- function(p, x) dbeta(p, x + .5, 40 - x + .5)
        over <- function(f, x) integrate(Vectorize(function(p) f(p) * d(p, x)), 0, 1,
                                         rel.tol = 1e-9, subdivisions = 500)$value
        up <- function(x) over(function(b) over(function(ab) 1 - pbeta(
                plogis(qlogis(ab) + qlogis(.1) - qlogis(b) - x), .5, 40.5), 15), 9)
        uniroot(function(x) up(x) - .975, c(8, 11), tol = 1e-8)$root  # 9.90525156
        uniroot(function(x) up(x) - .5, c(2, 5), tol = 1e-8)$root  # 3.732474347
        down <- function(x) over(function(a) over(function(b) over(function(ab)
                pbeta(exp(x) * a * b / ab, .5, 40.5), 15), 9), 8)
        uniroot(function(x) down(x) - .025, c(-9.4, -9), tol = 1e-6)$root  # -9.238528091
    """
    single = synergy(factorial((0, 40), (9, 40), (15, 40)), "log_odds", TEN_PERCENT)
    assert single.posterior_high == pytest.approx(9.90525156, abs=1e-5)
    assert single.posterior_median == pytest.approx(3.732474347, abs=1e-5)
    neither = factorial((8, 40), (9, 40), (15, 40), (0, 40))
    ours = synergy(neither, "multiplicative", NO_BACKGROUND)
    assert ours.posterior_low == pytest.approx(-9.238528091, abs=1e-5)


# --------------------------------------------------------------------------------------- pooled

POOL = REFERENCE["pooled"]
TRIALS = [
    factorial((t["a"], t["na"]), (t["b"], t["nb"]), (t["ab"], t["nab"]), trial=f"trial {i}")
    for i, t in enumerate(POOL["trials"])
]


def test_pooled_excess_agrees_with_metafor():
    ours = pool(TRIALS, "risk_additive", Background(POOL["background"], "invented"))
    lead = ours.models[0]
    assert lead.model == "random_reml_hk"
    assert lead.estimate == pytest.approx(POOL["estimate"], rel=1e-9)
    assert (lead.ci_low, lead.ci_high) == pytest.approx((POOL["ci_low"], POOL["ci_high"]), rel=1e-9)
    assert [one.variance for one in ours.trials] == pytest.approx(POOL["vi"], rel=1e-12)


@pytest.mark.parametrize(("scale", "prior"), [("risk_additive", 0.125), ("multiplicative", 0.5)])
def test_heterogeneity_of_a_difference_is_not_supposed_to_be_that_of_a_ratio(scale, prior):
    ours = pool(TRIALS, scale, TEN_PERCENT)
    effects = [one.excess.estimate for one in ours.trials], [one.variance for one in ours.trials]
    expected = bayesian(*effects, HalfNormal(prior), "bayesian")
    assert ours.models[-1] == expected


def test_pooled_tipping_points_follow_from_the_additive_scale():
    # On this scale the pooled excess rises by as much as the background: it is zero at 0.1 minus
    # the estimate at 0.1.
    ours = pool(TRIALS, "risk_additive", TEN_PERCENT)
    assert ours.tipping_background == pytest.approx(0.1 - POOL["estimate"], rel=1e-8)
    # The lower limit is zero at 0.1 + 0.133, above the 17/96 of the lowest single arm.
    assert 0.1 - POOL["ci_low"] > 17 / 96
    assert ours.tipping_interval is None
    assert ours.meaning.endswith(
        "The pooled estimate favours synergy if the background is above 2.0%. At no background "
        "up to 17.7% does its whole interval show synergy."
    )


def test_synergy_at_every_background_is_said():
    strong = [factorial((30, 100), (20, 100), (90, 100), trial=t) for t in "ab"]
    ours = pool(strong, "bliss", NO_BACKGROUND)
    assert ours.tipping_background == 0.0
    # Where the lower limit is zero, the excess 0.9 - 1 + 0.56/(1 - o) is t(1 df) standard errors.
    kept = 1 - ours.tipping_interval
    variance = ((0.64 * VA + 0.49 * VB) / kept**2 + 0.0009) / 2
    assert -0.1 + 0.56 / kept == pytest.approx(12.706204736432095 * variance**0.5, rel=1e-9)
    single = pool(strong[:1], "bliss", NO_BACKGROUND)
    assert (single.models[0].model, single.tipping_interval) == ("single_trial", 0.0)
    assert single.meaning.endswith("whatever the background. So does its whole interval.")


def test_synergy_between_two_backgrounds_alone_is_said():
    """Two trials with an arm of neither agent and one without: in between they agree.

    R 4.2.2, metafor 3.8-1, of the background ``s`` supposed in the second trial::

        a <- c(27, 93, 21); na <- c(89, 178, 111); b <- c(27, 35, 18); nb <- c(128, 84, 34)
        ab <- c(96, 56, 104); nab <- c(162, 61, 163); o <- c(11/72, s, 16/88); no <- c(72, NA, 88)
        y <- ab/nab - (a/na + b/nb - o); w <- function(p, n) p * (1 - p) / n
        v <- w(a/na, na) + w(b/nb, nb) + w(ab/nab, nab) + c(w(o[1], 72), 0, w(o[3], 88))
        low <- function(s) rma(y, v, method = "REML", test = "adhoc",
                               control = list(threshold = 1e-12, maxiter = 1000))$ci.lb
        uniroot(low, c(0.25, 0.31))$root; uniroot(low, c(0.31, 0.41))$root  # 0.2714191 0.3256501

    The pooled estimate is 0.10 at 0 and 0.26 at 35/84, the lowest single arm that has no own
    background.
    """
    mixed = [
        factorial((27, 89), (27, 128), (96, 162), (11, 72), trial="first"),
        factorial((93, 178), (35, 84), (56, 61), trial="second"),
        factorial((21, 111), (18, 34), (104, 163), (16, 88), trial="third"),
    ]
    ours = pool(mixed, "risk_additive", TEN_PERCENT)
    assert ours.tipping_background == 0.0
    assert ours.tipping_interval == pytest.approx(0.2714191438, abs=1e-8)
    assert ours.meaning.endswith(
        "The pooled estimate favours synergy whatever the background. Its whole interval shows "
        "synergy if the background is between 27.1% and 32.6%."
    )


def test_a_dual_arm_below_the_better_single_arm_is_synergy_nowhere():
    ours = pool([factorial((50, 100), (20, 100), (45, 100))], "log_odds", TEN_PERCENT)
    assert ours.tipping_background is None
    assert "At no background up to 20.0%" in ours.meaning


def test_a_scale_without_background_has_nothing_to_suppose():
    ours = pool(TRIALS, "better_single", TEN_PERCENT)
    assert (ours.tipping_background, ours.tipping_interval) == (None, None)
    assert ours.meaning == SCALES["better_single"].meaning


def test_what_cannot_be_pooled():
    assert "No trial" in pool([], "bliss", NO_BACKGROUND).reason
    with pytest.raises(ValueError, match="less than 1"):
        Background(1.0, "invented")


def results_of(**trials):
    """Synergy in trials (id -> second agent) of almab, another agent, and both."""
    arms = {
        name: [{"arm_id": f"{name}_{at}", "agents": agents}
               for at, agents in enumerate(("almab", other, f"almab+{other}"))]
        for name, other in trials.items()
    }  # fmt: skip
    pcr = [{"trial_id": name, "arm_id": arm["arm_id"], "events": 20.0 + 10 * at}
           for name, of in arms.items() for at, arm in enumerate(of)]  # fmt: skip
    reference = "almab|concurrent|chemotherapy"
    network = Network("net", SETTING, "A network", outcomes("pcr"), "odds_ratio", reference)
    asked = NetworkConfiguration({}, {}, (network,), (), ())
    evidence = network_evidence(sheet(arms, pcr=pcr), configuration(), asked, network)
    supposed = tuple(Background(rate, "invented") for rate in (0.0, 0.1, 0.2))
    analysis = SynergyAnalysis("net", SETTING, "Synergy", supposed)
    return synergy_results(analysis, evidence, configuration(), {})


@pytest.mark.parametrize(
    ("others", "groups"),
    [
        ({"one": "bemab", "two": "bemab"}, {ALL_PAIRS}),
        ({"one": "bemab", "two": "cetinib"}, {ALL_PAIRS}),
        ({"one": "bemab", "two": "bemab", "three": "cetinib"}, {ALL_PAIRS, "Almab + bemab"}),
    ],
)
def test_agents_of_all_trials_or_of_one_have_no_second_pool(others, groups):
    """It would be that of all trials, or that of the trial, once more."""
    assert {pool.agents for pool in results_of(**others).pools} == groups


def test_figures_lead_with_the_middle_background_if_the_network_implies_none():
    """Zero, the first, is the cautious bound."""
    assert results_of(one="bemab").lead.rate == 0.1
