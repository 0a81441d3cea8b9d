"""Factorial trials are identified by the agents in their arms."""

import pytest
from trial_evidence.network.within_trials.factorial import Arm, factorial_trials


def arm(name, agents, *, trial="one", partner="chemotherapy", schedule="concurrent", n=50):
    return Arm(trial, name, tuple(agents.split("+")) if agents else (), schedule, partner, 10, n)


SET = [arm("a", "almab"), arm("b", "bemab"), arm("ab", "almab+bemab")]


def names(trial):
    return [one.arm for one in trial.arms]


def test_two_single_arms_and_both_are_a_factorial_trial():
    (found,), _ = factorial_trials(reversed(SET))
    assert names(found) == ["a", "b", "ab"]
    assert found.neither is None


def test_an_arm_without_agents_is_the_arm_with_neither():
    (found,), _ = factorial_trials([*SET, arm("o", "")])
    assert names(found) == ["a", "b", "ab", "o"]


def test_a_pair_may_be_added_to_a_third():
    arms = [arm("ab", "almab+bemab"), arm("c", "cetinib"), arm("abc", "almab+bemab+cetinib")]
    (found,), _ = factorial_trials(arms)
    assert names(found) == ["ab", "c", "abc"]


@pytest.mark.parametrize(
    "arms",
    [
        SET[:2],
        [*SET[:2], arm("ab", "almab+bemab", partner="none")],
        [SET[0], arm("b", "bemab", partner="endocrine"), SET[2]],
        [*SET[:2], arm("ab", "almab+bemab", schedule="sequential")],
        [arm("a", "almab", schedule="sequential"), *SET[1:]],
        [arm("ac", "almab+cetinib"), arm("bc", "bemab+cetinib"), arm("abc", "almab+bemab+cetinib")],
        [*SET[:2], arm("ab", "almab+bemab", trial="two")],
        [arm("o", ""), SET[0], arm("a2", "almab")],
    ],
    ids=[
        "no dual",
        "dual alone",
        "other partner",
        "in sequence",
        "single in sequence",
        "shared agent",
        "two trials",
        "O",
    ],
)
def test_anything_else_is_none(arms):
    assert factorial_trials(arms)[0] == ()


def test_a_neither_arm_has_the_same_partner():
    (found,), _ = factorial_trials([*SET, arm("o", "", partner="none")])
    assert found.neither is None


def test_a_trial_counts_once_and_the_rest_is_set_aside():
    trials, set_aside = factorial_trials([*SET, arm("ab2", "almab+bemab", n=80)])
    assert [names(trial) for trial in trials] == [["a", "b", "ab2"]]
    ((trial, reason),) = set_aside
    assert trial == "one"
    assert reason == "arms a, b, ab: the trial counts once, with a, b, ab2"


def test_an_arm_with_neither_comes_before_larger_arms():
    larger = [
        arm(f"{name}_alone", agents, partner="none", n=200)
        for name, agents in (("a", "almab"), ("b", "bemab"), ("ab", "almab+bemab"))
    ]
    (found,), _ = factorial_trials([*larger, *SET, arm("o", "")])
    assert names(found) == ["a", "b", "ab", "o"]
