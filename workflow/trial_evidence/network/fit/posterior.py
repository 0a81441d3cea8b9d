"""Bayesian fit of linear models of a network's contrasts: flat priors on effects, one on tau.

Given tau every effect is normal in closed form, so that its posterior is a mixture of normals over
tau, by the quadrature of `trial_evidence.pool.bayes.tau_posterior`: no sampling, and the same
priors on tau as in pairwise analyses.
"""

import numpy as np

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.linear_model import Observations
from trial_evidence.pool.bayes.mixtures import NormalMixtures
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.bayes.tau_posterior import FINE, FLAT, TauPosterior
from trial_evidence.pool.engine.results import Floats, check_level
from trial_evidence.pool.engine.stacks import Ints, Stack


class DesignPosterior(TauPosterior):
    """Posterior of tau, and of linear functions of the coefficients given tau.

    The coefficients replace the single mean; the quadrature over tau is the same.

    Parameters
    ----------
    observations : Observations
        The contrasts as observations of the coefficients.
    prior : TauPrior
        Prior of the between-study standard deviation.
    """

    def __init__(self, observations: Observations, prior: TauPrior) -> None:
        self.observations = observations
        effects, variances = observations.effects[:, None], observations.variances[:, None]
        single = Stack(effects, variances, np.array([len(effects)]))
        super().__init__(single, prior, FLAT, np.zeros(1), FINE)

    def given_tau(
        self, tau: Floats, which: Ints | slice = slice(None)
    ) -> tuple[Floats, Floats, Floats]:
        """As in `TauPosterior`, with the first estimable combination instead of the mean."""
        solution, covariance, log_determinant = self._solved(tau)
        weights = self._weights(tau)
        residuals = self.observations.effects - solution @ self.observations.reduced.T
        misfit = (weights * residuals**2).sum(axis=1)
        log_likelihood = 0.5 * (np.log(weights).sum(axis=1) + log_determinant - misfit)
        return solution[:, :1], np.asarray(1 / covariance[:, :1, 0]), log_likelihood[:, None]

    def _weights(self, tau: Floats) -> Floats:
        return np.asarray(1 / (self.observations.variances + tau**2))

    def _solved(self, tau: Floats) -> tuple[Floats, Floats, Floats]:
        """For each tau: estimates of the combinations, their covariance and its log determinant."""
        design, weights = self.observations.reduced, self._weights(tau)
        size = design.shape[1]
        # Outer products of the rows of the design: a single matrix product then covers every tau.
        outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
        covariance = np.asarray(np.linalg.inv((weights @ outer).reshape(-1, size, size)), float)
        moment = (weights * self.observations.effects) @ design
        solution = (covariance @ moment[:, :, None])[:, :, 0]
        return solution, covariance, np.asarray(np.linalg.slogdet(covariance)[1])

    def of(self, functionals: Floats) -> tuple[NormalMixtures, NormalMixtures]:
        """Posteriors of linear functions of the coefficients, and of the same in a new study.

        Parameters
        ----------
        functionals : numpy.ndarray of float, shape (functions, coefficients)
            Their multipliers.

        Returns
        -------
        mean, new_study : NormalMixtures
            One column per function.

        Raises
        ------
        ValueError
            If the studies do not determine one of them.
        """
        if not all(self.observations.estimable(functional) for functional in functionals):
            raise ValueError("the studies do not determine this function of the coefficients")
        inside = functionals @ self.observations.basis
        solution, covariance, _ = self._solved(self.tau)
        variances = ((inside @ covariance) * inside).sum(axis=2)
        weights = np.broadcast_to(self.weights, variances.shape)
        means = solution @ inside.T
        new = np.sqrt(variances + self.tau**2)
        return (
            NormalMixtures(means, np.sqrt(variances), weights),
            NormalMixtures(means, new, weights),
        )


class NetworkPosterior:
    """Posterior of every treatment against every other, in a connected network.

    Parameters
    ----------
    data : NetworkData
        Connected studies.
    prior : TauPrior
        Prior of the between-study standard deviation, common to all comparisons.
    level : float
        Level of the intervals in percent.

    Attributes
    ----------
    prior : str
        The prior, as printed.
    tau_median : float
        Posterior median of the between-study standard deviation.
    effects, ci_low, ci_high : numpy.ndarray of float, shape (treatments, treatments)
        Posterior median of the row's treatment against the column's, with its shortest interval.
    pi_low, pi_high : numpy.ndarray of float, shape (treatments, treatments)
        Shortest interval of the effect in a new study.
    below_zero : numpy.ndarray of float, shape (treatments, treatments)
        Probability that the effect is below zero; NaN on the diagonal.

    Raises
    ------
    ValueError
        If the level is not a percentage or the network is not connected.
    """

    def __init__(self, data: NetworkData, prior: TauPrior, level: float = 95.0) -> None:
        level = check_level(level)
        size = len(data.treatments)
        units = np.eye(size)
        rows = dict(zip(data.treatments, units, strict=True))
        tau = DesignPosterior(Observations(data, rows), prior)
        first, second = np.triu_indices(size, 1)
        mean, new_study = tau.of(units[first] - units[second])
        self.prior = prior.label
        self.tau_median = float(tau.quantile(np.array([0.5]))[0])
        low, high, *_ = mean.intervals(level / 100)
        new_low, new_high, *_ = new_study.intervals(level / 100)
        below = np.full((size, size), np.nan)
        below[first, second] = mean.cdf(np.zeros(first.size))
        below[second, first] = 1 - below[first, second]

        def square(values: Floats, mirrored: Floats) -> Floats:
            table = np.zeros((size, size))
            table[first, second], table[second, first] = values, -mirrored
            return table

        median = mean.quantile(np.full(first.size, 0.5))
        self.effects = square(median, median)
        self.ci_low, self.ci_high = square(low, high), square(high, low)
        self.pi_low, self.pi_high = square(new_low, new_high), square(new_high, new_low)
        self.below_zero = below
