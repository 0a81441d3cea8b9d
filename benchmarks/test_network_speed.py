"""Speed and memory use of a network meta-analysis.

    python -m pytest benchmarks -q

Not part of the test suite, because machines differ and other work slows them. The limits in seconds
are for one core of an ordinary machine, where a fit takes 0.1 s and the whole analysis 2 s.
"""

import time
import tracemalloc

import numpy as np
import pytest
from scipy.linalg import block_diag
from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts
from trial_evidence.network.fit.evidence_split import split_evidence
from trial_evidence.network.fit.inconsistency import inconsistency
from trial_evidence.network.fit.league import fit_network
from trial_evidence.network.fit.least_squares import rotate, solve
from trial_evidence.network.fit.ranking import rank_treatments

TREATMENTS, TRIALS = 200, 2000


def trials(treatments=TREATMENTS, studies=TRIALS, seed=1) -> NetworkData:
    """A connected network; 15% of its trials have three or four arms."""
    random = np.random.default_rng(seed)
    names = [f"treatment {n:03d}" for n in range(treatments)]
    true = random.normal(0, 0.4, treatments)
    made = []
    for number in range(studies):
        if number < treatments - 1:
            arms = np.array([number, number + 1])
        else:
            arms = random.permutation(treatments)[: random.choice([2, 3, 4], p=[0.85, 0.12, 0.03])]
        variances = random.uniform(0.01, 0.2, arms.size)
        means = true[arms] + random.normal(0, np.sqrt(variances + 0.02))
        made.append(
            StudyContrasts(
                f"trial {number:04d}",
                tuple(names[a] for a in arms),
                means[1:] - means[0],
                np.diag(variances[1:]) + variances[0],
            )
        )
    return NetworkData(tuple(made))


def seconds(function, repeats=3):
    """The shortest of several times, because other work on the machine can only add time."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.benchmark(group="network, 200 treatments and 2,000 trials")
@pytest.mark.parametrize("method", ["DL", "REML"])
def test_league_table(benchmark, method):
    data = trials()
    fit = benchmark(fit_network, data, method)
    assert fit.random.effects.shape == (TREATMENTS, TREATMENTS)
    assert np.isfinite(fit.random.effects).all()
    assert seconds(lambda: fit_network(data, method)) < 10


@pytest.mark.benchmark(group="network, 200 treatments and 2,000 trials")
def test_everything_but_contributions(benchmark):
    def analyse():
        # The data are created anew because a network caches its results.
        fit = fit_network(trials(), "REML")
        return (
            rank_treatments(fit, higher_is_better=True),
            split_evidence(fit),
            inconsistency(fit.data),
        )

    benchmark.pedantic(analyse, rounds=2)
    assert seconds(analyse, 1) < 10


def test_memory():
    data = trials()
    tracemalloc.start()
    fit = fit_network(data, "REML")
    rank_treatments(fit, higher_is_better=True)
    split_evidence(fit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e9


def dense_levels(data, tau2):
    """Generalised least squares with the dense covariance matrix of all contrasts."""
    blocks, rows, effects = [], [], []
    for study in data.studies:
        size = study.effects.size
        blocks.append(study.covariance + tau2 * (np.eye(size) + 1) / 2)
        effects.append(study.effects)
        for treatment in study.treatments[1:]:
            row = np.zeros(len(data.treatments))
            row[data.position[treatment]] = 1
            row[data.position[study.treatments[0]]] -= 1
            rows.append(row)
    weight = np.linalg.inv(block_diag(*blocks))
    design = np.array(rows)[:, 1:]
    return np.linalg.solve(design.T @ weight @ design, design.T @ weight @ np.concatenate(effects))


def test_sparse_against_dense():
    data = trials()
    np.testing.assert_allclose(solve(rotate(data), 0.03).levels[1:], dense_levels(data, 0.03))
    ratio = seconds(lambda: dense_levels(data, 0.03)) / seconds(lambda: solve(rotate(data), 0.03))
    assert ratio >= 5


def test_cost_grows_no_faster_than_trials():
    few, many = trials(100, 1000), trials(100, 10_000)
    assert seconds(lambda: fit_network(many)) / seconds(lambda: fit_network(few)) < 15
