"""The response to the partner alone that the component model implies, by hand."""

import math

import pytest
from trial_evidence.network.within_trials.background import implied_background
from trial_evidence.network.within_trials.factorial import Arm, FactorialTrial


def arm(agents, events, n):
    return Arm("t", "+".join(agents) or "none", agents, "concurrent", "partner", events, n)


def trial(first, second, neither=None):
    both = arm(("A", "B"), 30, 50)
    return FactorialTrial("t", arm(("A",), *first), arm(("B",), *second), both, neither)


def test_odds_less_what_the_agents_multiply_them_by():
    # 50% is odds of 1: a quarter of that is 20%, two thirds 40%. Arms of equal size: 30%.
    found = implied_background(
        [trial((100, 200), (100, 200))], {"A": math.log(4), "B": math.log(1.5)}, "odds_ratio"
    )
    assert found.rate == pytest.approx(0.30)
    assert found.basis == "implied by the additive component model of the network"


def test_larger_arms_count_for_more():
    # 20% of 600 and 40% of 150 patients, not of their 300 and 120 responses
    found = implied_background(
        [trial((300, 600), (120, 150))], {"A": math.log(4), "B": math.log(6)}, "odds_ratio"
    )
    assert found.rate == pytest.approx(0.24)


def test_an_agent_whose_effect_is_not_known_says_nothing():
    found = implied_background([trial((100, 200), (60, 200))], {"A": math.log(4)}, "odds_ratio")
    assert found.rate == pytest.approx(0.20)
    assert implied_background([trial((100, 200), (60, 200))], {}, "odds_ratio") is None


def test_no_agent_is_supposed_to_do_harm():
    # 50% at an odds ratio of 4 is 20%, more than the 35 of 200 that responded to B alone.
    found = implied_background([trial((100, 200), (35, 200))], {"A": math.log(4)}, "odds_ratio")
    assert found.rate == pytest.approx(0.17)
    assert found.basis.endswith("but at most the lowest response to a single agent")


def test_a_trial_with_an_arm_of_neither_needs_no_supposition():
    found = trial((100, 200), (100, 200), arm((), 20, 100))
    assert implied_background([found], {"A": 0.5, "B": 0.5}, "odds_ratio") is None


def test_a_risk_ratio_divides_and_a_difference_is_taken_off():
    of = [trial((100, 200), (100, 200))]
    ratio = implied_background(of, {"A": math.log(2), "B": math.log(2)}, "risk_ratio")
    assert ratio.rate == pytest.approx(0.25)
    difference = implied_background(of, {"A": 0.1, "B": 0.3}, "risk_difference")
    assert difference.rate == pytest.approx(0.30)
