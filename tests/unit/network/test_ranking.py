"""P-scores against netmeta, rankograms against exact probabilities."""

import numpy as np
import pytest
from example_networks import REFERENCE, network, of_counts, of_pairwise, two_arm
from scipy.stats import multivariate_normal, norm
from trial_evidence.network.fit.league import fit_network
from trial_evidence.network.fit.ranking import rank_treatments

NETWORKS = sorted(REFERENCE["networks"])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", ["DL", "REML", "ML"])
def test_p_scores_agree_with_netmeta(name, method):
    theirs = REFERENCE["networks"][name][method]
    fit = fit_network(of_pairwise(name), tau2=theirs["tau2"])
    ranking = rank_treatments(fit, higher_is_better=False)
    np.testing.assert_allclose(ranking.p_score, theirs["pscore_random"], rtol=1e-9)


@pytest.mark.parametrize("method", ["DL", "REML"])
def test_p_scores_where_more_is_better(method):
    ranking = rank_treatments(fit_network(of_counts("smoking_OR"), method), higher_is_better=True)
    theirs = REFERENCE["counts"]["smoking_OR"][method]["pscore"]
    np.testing.assert_allclose(ranking.p_score, theirs, rtol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_rankograms_give_netmetas_sucra(name):
    ranking = rank_treatments(fit_network(of_pairwise(name), "DL"), higher_is_better=False)
    cumulative = ranking.probability.cumsum(axis=1)[:, :-1].mean(axis=1)
    # Their SUCRA are from 1000 samples.
    theirs = REFERENCE["networks"][name]["DL"]["sucra_random_sim"]
    np.testing.assert_allclose(cumulative, theirs, atol=0.02)
    # For normal estimates the SUCRA is the P-score.
    np.testing.assert_allclose(cumulative, ranking.p_score, atol=1e-3)


def test_rankogram_of_three_treatments_is_exact():
    fit = fit_network(of_pairwise("pagliaro1992_OR"), "DL")
    ranking = rank_treatments(fit, higher_is_better=False)
    effects, covariance = fit.random.effects[:, 0], fit.random.covariance
    for one in range(3):
        others = [i for i in range(3) if i != one]
        turn = np.zeros((2, 3))
        turn[[0, 1], one] = 1
        turn[[0, 1], others] = -1
        below = multivariate_normal(turn @ effects, turn @ covariance @ turn.T)
        above = multivariate_normal(-turn @ effects, turn @ covariance @ turn.T)
        best, worst = below.cdf([0, 0]), above.cdf([0, 0])
        np.testing.assert_allclose(
            ranking.probability[one], [best, 1 - best - worst, worst], atol=1e-3
        )


def test_ranks_of_two_treatments_by_hand():
    fit = fit_network(network([two_arm("1", "b", "a", 0.5, 0.25)]))
    # P(b > a) = Phi(0.5/0.5).
    better = norm.cdf(1.0)
    ranking = rank_treatments(fit, higher_is_better=True)
    np.testing.assert_allclose(ranking.p_score, [1 - better, better])
    np.testing.assert_allclose(ranking.mean_rank, [1 + better, 2 - better])
    np.testing.assert_allclose(
        ranking.probability, [[1 - better, better], [better, 1 - better]], atol=1e-3
    )
    turned = rank_treatments(fit, higher_is_better=False)
    np.testing.assert_allclose(turned.p_score, [better, 1 - better])
    np.testing.assert_array_equal(turned.probability.sum(axis=0), [1, 1])


def test_rankograms_are_the_same_on_every_run():
    fit = fit_network(of_pairwise("senn2013_MD"), "DL")
    one = rank_treatments(fit, higher_is_better=True)
    other = rank_treatments(fit, higher_is_better=True)
    np.testing.assert_array_equal(one.probability, other.probability)
    np.testing.assert_allclose(one.probability.sum(axis=1), 1)


def test_no_common_ranking_without_a_path():
    data = network([two_arm("1", "b", "a", 0.5, 0.04), two_arm("2", "d", "c", 0.3, 0.01)])
    with pytest.raises(ValueError, match="no common ranking"):
        rank_treatments(fit_network(data), higher_is_better=True)
