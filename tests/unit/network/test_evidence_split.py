"""Direct and indirect evidence against netmeta's netsplit."""

import numpy as np
import pytest
from example_networks import REFERENCE, of_counts, of_pairwise, two_arm
from trial_evidence.network.evidence.contrasts import network
from trial_evidence.network.fit.evidence_split import split_designs, split_evidence
from trial_evidence.network.fit.league import fit_network

NETWORKS = sorted(REFERENCE["networks"])
PARTS = {"direct": "direct", "indirect": "indirect", "nma": "network", "compare": "difference"}


def directed(split, comparison):
    """Sign that turns our comparison into theirs."""
    return 1 if comparison.split(":")[0] == split.comparison.first else -1


def by_pair(splits):
    return {frozenset((s.comparison.first, s.comparison.second)): s for s in splits}


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
            assert sign * estimate.effect == pytest.approx(values[part]["TE"], rel=1e-9, abs=1e-12)
            assert estimate.se == pytest.approx(values[part]["seTE"], rel=1e-9)
            if "p" in values[part]:
                assert estimate.p_value == pytest.approx(values[part]["p"], rel=1e-8)
            if "lower" in values[part]:
                limits = sorted([sign * estimate.ci_low, sign * estimate.ci_high])
                expected = [values[part]["lower"], values[part]["upper"]]
                np.testing.assert_allclose(limits, expected, rtol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_heterogeneity_of_direct_evidence_agrees_with_netmeta(name):
    theirs = REFERENCE["networks"][name]["DL"]["netsplit"]
    ours = by_pair(split_evidence(fit_network(of_pairwise(name), "DL")))
    for comparison, values in theirs.items():
        split = ours[frozenset(comparison.split(":"))]
        assert split.q == pytest.approx(values["direct"]["Q"], rel=1e-9, abs=1e-12)
        if values["direct"]["tau2"] is None:
            assert split.tau2 is None
        else:
            assert split.tau2 == pytest.approx(values["direct"]["tau2"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_share_of_direct_evidence_agrees_with_netmeta(name):
    theirs = REFERENCE["networks"][name]["DL"]["prop_direct_random"]
    shares = {frozenset(c.split(":")): value for c, value in theirs.items() if value > 0}
    ours = by_pair(split_evidence(fit_network(of_pairwise(name), "DL")))
    assert set(ours) == set(shares)
    for pair, split in ours.items():
        assert split.proportion == pytest.approx(shares[pair], rel=1e-10)


@pytest.mark.parametrize("name", sorted(REFERENCE["counts"]))
def test_node_splitting_agrees_with_netsplit(name):
    theirs = REFERENCE["counts"][name]["DL"]["sidde"]
    rows = {c: i for i, c in enumerate(theirs["comparison"])}
    ours = by_pair(split_designs(fit_network(of_counts(name), "DL")))
    for comparison, row in rows.items():
        split = ours.get(frozenset(comparison.split(":")))
        if split is None or split.indirect is None:
            assert theirs["TE"][row] is None
            continue
        indirect = directed(split, comparison) * split.indirect.effect
        assert indirect == pytest.approx(theirs["TE"][row], rel=1e-9)
        assert split.indirect.se == pytest.approx(theirs["seTE"][row], rel=1e-9)
        assert split.difference.p_value == pytest.approx(theirs["p"][row], rel=1e-9)


def triangle():
    return network(
        [two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "a", 0.5, 0.01),
         two_arm("3", "c", "b", 0.2, 0.03)]
    )  # fmt: skip


@pytest.mark.parametrize("splits", [split_evidence, split_designs])
def test_a_triangle_by_hand(splits):
    # b against a: 0.6 directly, 0.5 - 0.2 = 0.3 by way of c with variance 0.01 + 0.03.
    split = splits(fit_network(triangle(), "EE"))[0]
    assert split.direct.effect == pytest.approx(-0.6)
    assert split.indirect.effect == pytest.approx(-0.3)
    assert split.indirect.se**2 == pytest.approx(0.04)
    assert split.difference.se**2 == pytest.approx(0.06)
    # Weights 50 and 25.
    assert split.proportion == pytest.approx(2 / 3)


@pytest.mark.parametrize("splits", [split_evidence, split_designs])
def test_without_a_way_round_there_is_nothing_indirect(splits):
    data = network([two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "b", 0.5, 0.01)])
    for split in splits(fit_network(data)):
        assert split.indirect is None
        assert split.difference is None
        assert split.proportion == pytest.approx(1)


def test_the_common_effect_split_has_no_heterogeneity():
    fit = fit_network(of_pairwise("pagliaro1992_OR"), "DL")
    common = split_evidence(fit, common=True)
    nothing = split_evidence(fit_network(fit.data, tau2=0.0))
    assert [s.direct for s in common] == [s.direct for s in nothing]
    assert common[0].direct.se < split_evidence(fit)[0].direct.se


def test_node_splitting_needs_a_method():
    with pytest.raises(ValueError, match="estimates tau2 anew"):
        split_designs(fit_network(triangle(), tau2=0.1))
