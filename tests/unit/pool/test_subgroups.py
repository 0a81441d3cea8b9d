"""Between-subgroup test compared with metafor, and within-trial differences by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load
from trial_evidence.pool.probes.subgroups import (
    interaction_within_trials,
    separate_subgroups,
    subgroup_test,
)

SUBGROUPS = load("metafor_more")["subgroups"]


@pytest.mark.parametrize("name", SUBGROUPS)
def test_agrees_with_metafor(name):
    data = SUBGROUPS[name]
    ours = subgroup_test(data["yi"], data["vi"], data["group"])
    assert (ours.statistic, ours.p_value) == pytest.approx(
        (data["statistic"], data["p_value"]), rel=1e-11
    )
    assert (ours.df_num, ours.df_den) == (data["df_num"], data["df_den"])
    assert ours.tau2 == pytest.approx(data["tau2"], rel=1e-11, abs=1e-14)
    assert ours.reason == ""


def test_factor_is_floored_at_one():
    # With homogeneous groups, unfloored Hartung-Knapp shrinks the covariance and gives F = 30.6;
    # with the floor it is 1.55.
    data = SUBGROUPS["homogeneous"]
    ours = subgroup_test(data["yi"], data["vi"], data["group"]).statistic
    assert ours == pytest.approx(data["statistic"], rel=1e-9)
    assert ours < data["knha"] / 10


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (["a", "a", "a"], "one group"),
        (["a", "b", "c"], "3 trials in 3 groups"),
    ],
)
def test_no_test_says_why(groups, words):
    ours = subgroup_test([0.1, 0.2, 0.4], [0.01, 0.02, 0.01], groups)
    assert words in ours.reason
    assert (ours.statistic, ours.df_num, ours.df_den, ours.p_value, ours.tau2) == (None,) * 5


def test_one_trial_is_one_group():
    assert "one group" in subgroup_test([0.1], [0.01], ["a"]).reason


def test_one_group_a_trial_is_required():
    with pytest.raises(ValueError, match="2 trials but 1 groups"):
        subgroup_test([0.1, 0.2], [0.01, 0.02], ["a"])


@given(order=st.permutations(range(5)))
def test_order_of_trials_does_not_matter(order):
    data = SUBGROUPS["one_single"]
    y, v, g = ([data[key][i] for i in order] for key in ("yi", "vi", "group"))
    assert subgroup_test(y, v, g).statistic == pytest.approx(data["statistic"], rel=1e-8)


def test_separate_groups_may_be_single_trials():
    # 0.5 -/+ and 0.1 with variances 0.04 and 0.12: Q = 0.4**2 / 0.16 = 1.
    ours = separate_subgroups([0.5, 0.1], [0.04, 0.12], ["a", "b"])
    assert ours.statistic == pytest.approx(1.0)
    assert ours.fit.estimate.tolist() == [0.5, 0.1]


def test_separate_groups_say_why_there_is_no_test():
    assert "one group" in separate_subgroups([0.1, 0.2], [0.1, 0.1], ["a", "a"]).reason
    same = separate_subgroups(
        [0.1, 0.1, 0.3], [0.1, 0.1, 0.1], ["a", "a", "b"], interval="hartung_knapp"
    )
    assert "all the same" in same.reason
    with pytest.raises(ValueError, match="2 trials but 1 groups"):
        separate_subgroups([0.1, 0.2], [0.1, 0.1], ["a"])


def test_within_trial_difference_by_hand():
    y, v = interaction_within_trials([0.5, 0.2], [0.04, 0.02], [0.1, 0.3], [0.01, 0.05])
    assert y.tolist() == pytest.approx([0.4, -0.1])
    assert v.tolist() == pytest.approx([0.05, 0.07])


def test_within_trial_difference_needs_both_subgroups_of_every_trial():
    with pytest.raises(ValueError, match="2 trials in the first subgroup but 1"):
        interaction_within_trials([0.5, 0.2], [0.04, 0.02], [0.1], [0.01])


def test_a_trial_without_a_group_is_no_group_of_its_own():
    with pytest.raises(ValueError, match="every trial needs a group"):
        subgroup_test([0.1, 0.2, 0.3, 0.9], [0.04] * 4, ["a", "a", None, "b"])
