"""Direct and indirect evidence against netmeta's netsplit."""

import numpy as np
import pytest
from example_networks import REFERENCE, network, of_pairwise, two_arm
from trial_evidence.network.evidence.contrasts import StudyContrasts
from trial_evidence.network.fit.evidence_split import readable, split_evidence
from trial_evidence.network.fit.league import fit_network

NETWORKS = sorted(REFERENCE["networks"])
PARTS = {"direct": "direct", "indirect": "indirect", "nma": "network", "compare": "difference"}


def directed(split, comparison):
    """Sign that converts the direction of our comparison to theirs."""
    return 1 if comparison.split(":")[0] == split.comparison.pair[0] else -1


def by_pair(splits):
    return {frozenset(s.comparison.pair): s for s in splits}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", ["DL", "REML"])
def test_back_calculation_agrees_with_netsplit(name, method):
    theirs = REFERENCE["networks"][name][method]
    ours = by_pair(split_evidence(fit_network(of_pairwise(name), tau2=theirs["tau2"])))
    assert set(ours) == {frozenset(c.split(":")) for c in theirs["netsplit"]}
    for comparison, values in theirs["netsplit"].items():
        split = ours[frozenset(comparison.split(":"))]
        sign = directed(split, comparison)
        for part, attribute in PARTS.items():
            estimate = getattr(split, attribute)
            if values[part]["TE"] is None:
                assert estimate is None
                continue
            assert sign * estimate.estimate == pytest.approx(
                values[part]["TE"], rel=1e-9, abs=1e-12
            )
            assert estimate.se == pytest.approx(values[part]["seTE"], rel=1e-9)
            if "p" in values[part]:
                assert estimate.p_value == pytest.approx(values[part]["p"], rel=1e-8)
            if "lower" in values[part]:
                limits = sorted([sign * estimate.ci_low, sign * estimate.ci_high])
                expected = [values[part]["lower"], values[part]["upper"]]
                np.testing.assert_allclose(limits, expected, rtol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_share_of_direct_evidence_agrees_with_netmeta(name):
    theirs = REFERENCE["networks"][name]["DL"]["prop_direct_random"]
    shares = {frozenset(c.split(":")): value for c, value in theirs.items() if value > 0}
    ours = by_pair(split_evidence(fit_network(of_pairwise(name), "DL")))
    assert set(ours) == set(shares)
    for pair, split in ours.items():
        assert split.proportion == pytest.approx(shares[pair], rel=1e-10)


def triangle():
    return network(
        [two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "a", 0.5, 0.01),
         two_arm("3", "c", "b", 0.2, 0.03)]
    )  # fmt: skip


def test_a_triangle_by_hand():
    # b against a: 0.6 directly, 0.5 - 0.2 = 0.3 via c with variance 0.01 + 0.03.
    split = split_evidence(fit_network(triangle(), "EE"))[0]
    assert split.direct.estimate == pytest.approx(-0.6)
    assert split.indirect.estimate == pytest.approx(-0.3)
    assert split.indirect.se**2 == pytest.approx(0.04)
    assert split.difference.se**2 == pytest.approx(0.06)
    # Weights 50 and 25.
    assert split.proportion == pytest.approx(2 / 3)


def test_without_a_way_round_there_is_nothing_indirect():
    data = network([two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "b", 0.5, 0.01)])
    for split in split_evidence(fit_network(data)):
        assert split.indirect is None
        assert split.difference is None
        assert split.proportion == pytest.approx(1)


def read(data, least):
    fit = fit_network(data, "EE")
    splits = split_evidence(fit)
    return by_pair(splits), by_pair(readable(split, data, least) for split in splits)


def test_arms_of_the_same_trial_are_no_indirect_evidence():
    """Only one trial has c; another of a and b shifts a v c through back-calculation alone."""
    three = StudyContrasts(
        "1", ("a", "b", "c"), np.array([0.2, 0.5]), np.array([[0.04, 0.02], [0.02, 0.05]])
    )
    calculated, shown = read(network([three, two_arm("2", "b", "a", 0.9, 0.03)]), 0.0)
    pair = frozenset("ac")
    assert calculated[pair].indirect is not None
    assert shown[pair].indirect is None
    assert shown[pair].difference is None
    assert shown[pair].reason.startswith("indirect evidence cannot be separated")
    # The network estimate is unchanged.
    assert shown[pair].network == calculated[pair].network


def test_next_to_no_indirect_evidence_is_left_empty():
    """With a share of 1%, a difference of 0.01 between trials becomes a ratio of 3."""
    data = network(
        [two_arm("1", "b", "a", 0.50, 0.01), two_arm("2", "c", "a", 0.5, 0.5),
         two_arm("3", "c", "b", 0.2, 0.5)]
    )  # fmt: skip
    pair = frozenset("ab")
    _, shown = read(data, 0.05)
    # 1 / (1 + 1.0 / 0.01) of the weight.
    assert shown[pair].proportion == pytest.approx(100 / 101)
    assert shown[pair].indirect is None
    assert shown[pair].reason == (
        "indirect evidence carries 0.99% of the weight, less than 5%: too little to read"
    )
    assert read(data, 0.005)[1][pair].indirect is not None


def test_evidence_that_there_is_stays():
    calculated, shown = read(triangle(), 0.05)
    assert shown == calculated
