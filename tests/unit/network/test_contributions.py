"""Contributions of direct comparisons against netmeta's netcontrib."""

import numpy as np
import pytest
from example_networks import REFERENCE, at_random, network, of_counts, two_arm
from trial_evidence.network.evidence.contrasts import StudyContrasts
from trial_evidence.network.fit.contributions import contributions
from trial_evidence.network.fit.league import fit_network


@pytest.mark.parametrize("name", sorted(REFERENCE["counts"]))
@pytest.mark.parametrize("method", ["DL", "REML"])
def test_random_walk_agrees_with_netmeta(name, method):
    theirs = REFERENCE["counts"][name][method]["contribution"]
    ours = contributions(fit_network(of_counts(name), method))
    assert ours.estimates == tuple(tuple(row.split(":")) for row in theirs["rows"])
    columns = [ours.comparisons.index(tuple(c.split(":"))) for c in theirs["columns"]]
    np.testing.assert_allclose(ours.shares[:, columns], theirs["shares"], rtol=1e-8, atol=1e-10)


def test_a_chain_shares_in_equal_parts():
    data = network([two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "b", 0.5, 0.01)])
    ours = contributions(fit_network(data))
    assert ours.estimates == (("a", "b"), ("a", "c"), ("b", "c"))
    assert ours.comparisons == (("a", "b"), ("b", "c"))
    np.testing.assert_allclose(ours.shares, [[1, 0], [0.5, 0.5], [0, 1]], atol=1e-12)


def test_a_triangle_by_hand():
    data = network(
        [two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "a", 0.5, 0.01),
         two_arm("3", "c", "b", 0.2, 0.03)]
    )  # fmt: skip
    ours = contributions(fit_network(data, "EE"))
    # a-b: two thirds directly (weights 50 and 25), one third divided equally between a-c and b-c.
    assert ours.comparisons == (("a", "b"), ("a", "c"), ("b", "c"))
    np.testing.assert_allclose(ours.shares[0], [2 / 3, 1 / 6, 1 / 6])


@pytest.mark.parametrize("seed", range(3))
def test_shares_sum_to_one(seed):
    ours = contributions(fit_network(at_random(seed, treatments=8, studies=25)))
    np.testing.assert_allclose(ours.shares.sum(axis=1), 1, rtol=1e-9)
    assert (ours.shares >= 0).all()


def test_comparisons_without_a_path_have_no_row():
    data = network([two_arm("1", "b", "a", 0.5, 0.04), two_arm("2", "d", "c", 0.3, 0.01)])
    ours = contributions(fit_network(data))
    assert ours.estimates == (("a", "b"), ("c", "d"))
    np.testing.assert_allclose(ours.shares, np.eye(2))


def test_a_flow_in_circles_has_no_contributions():
    # Correlations beyond those from a shared arm give comparisons of b to e negative weights.
    covariance = np.array(
        [[2.04, 1.40, 1.05, 1.27], [1.40, 5.46, 2.89, 1.24], [1.05, 2.89, 1.65, 0.84],
         [1.27, 1.24, 0.84, 0.88]]
    )  # fmt: skip
    study = StudyContrasts("1", ("a", "b", "c", "d", "e"), np.zeros(4), covariance)
    ours = contributions(fit_network(network([study])))
    assert np.isnan(ours.shares).any(axis=1).all()
