"""Coverage of the intervals: a simulation with the numbers of trials and variances of the sheet.

Effects are drawn around a true mean with a known tau and the trials' sampling variances. Every
available interval is computed, and counted if it contains the true value. The simulation runs in
independent parts: the results do not depend on where or in which order they run.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from trial_evidence.pool.bayes.posterior import posterior_stack
from trial_evidence.pool.bayes.priors import InverseGamma, TauPrior
from trial_evidence.pool.engine.heterogeneity import q_profile
from trial_evidence.pool.engine.intervals import (
    INTERVALS,
    PREDICTIONS,
    confidence_interval,
    prediction_interval,
    weighted_mean,
)
from trial_evidence.pool.engine.results import Floats, check_effects, check_level
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.pool.engine.tau2 import TAU2_ESTIMATORS, estimate_tau2

Moments = dict[tuple[int, str, str], Floats]
"""Position of tau, quantity, name -> number of simulations, sum, and sum of squares."""


@dataclass(frozen=True)
class Plan:
    """The design of a simulation.

    Attributes
    ----------
    vi : tuple of float
        Sampling variances of the trials; k is their number.
    taus : tuple of float
        True between-trial standard deviations.
    simulations : int
        Simulated meta-analyses for each tau.
    seed : int
        Seed of the random numbers.
    level : float
        Level of the intervals in percent.
    part : int
        Number of simulations in one part; every part has its own random numbers.
    drawn_from : InverseGamma, optional
        If given, a further setting in which tau is drawn from this for each meta-analysis.
    """

    vi: tuple[float, ...]
    taus: tuple[float, ...]
    simulations: int
    seed: int = 1
    level: float = 95.0
    part: int = 1000
    drawn_from: InverseGamma | None = None

    @property
    def places(self) -> tuple[float, ...]:
        """The values of tau; a final NaN stands for a tau drawn for each meta-analysis."""
        return self.taus if self.drawn_from is None else (*self.taus, math.nan)

    def __post_init__(self) -> None:
        check_effects(np.zeros(len(self.vi)), self.vi, at_least=2)
        check_level(self.level)
        if self.simulations < 1 or self.part < 1:
            raise ValueError("simulations and part must be at least 1")
        if not self.taus or any(not (np.isfinite(t) and t >= 0) for t in self.taus):
            raise ValueError(f"taus must be finite and not below zero, not {self.taus}")


@dataclass(frozen=True)
class Calibration:
    """One result of the simulation.

    Attributes
    ----------
    k : int
        Number of trials.
    tau : float
        True between-trial standard deviation; NaN if it was drawn.
    quantity : str
        ``coverage`` or ``width`` of an interval for the mean, ``prediction coverage`` or
        ``prediction width``, ``tau2 coverage`` of the Q-profile, or ``tau2 bias``.
    name : str
        Estimator and interval, or prior, in words.
    value : float
        Share of intervals that contain the true value, mean width, or mean error.
    monte_carlo_se : float
        Its Monte Carlo standard error.
    """

    k: int
    tau: float
    quantity: str
    name: str
    value: float
    monte_carlo_se: float


def simulate(plan: Plan, priors: Mapping[str, TauPrior], number: int) -> Moments:
    """Results of one part (numbered from zero) at every value of tau."""
    size = min(plan.part, plan.simulations - number * plan.part)
    return {
        (place, *measured): moments
        for place in range(len(plan.places))
        for measured, moments in _simulate(plan, priors, place, number, size).items()
    }


def summarised(plan: Plan, parts: Iterable[Moments]) -> tuple[Calibration, ...]:
    """Combined results of the parts of a plan, summed in the order given."""
    sums: Moments = {}
    for part in parts:
        for key, moments in part.items():
            sums[key] = sums.get(key, np.zeros(3)) + moments
    found = []
    for (place, quantity, name), moments in sums.items():
        n, total, squares = moments.tolist()
        mean = total / n
        error = math.sqrt(max(squares / n - mean**2, 0.0) / n)
        found.append(Calibration(len(plan.vi), plan.places[place], quantity, name, mean, error))
    return tuple(found)


def _simulate(
    plan: Plan, priors: Mapping[str, TauPrior], tau_index: int, number: int, size: int
) -> dict[tuple[str, str], Floats]:
    """Count, sum and sum of squares of every quantity in one part; the true mean is zero."""
    random = np.random.default_rng([plan.seed, len(plan.vi), tau_index, number])
    tau = np.full(size, plan.places[tau_index])
    if plan.drawn_from is not None and tau_index == len(plan.taus):
        tau = plan.drawn_from.draw(random, size)
    v = np.repeat(np.array(plan.vi)[:, None], size, axis=1)
    y = random.standard_normal(v.shape) * np.sqrt(v + tau**2)
    found: dict[tuple[str, str], Floats] = {}

    def note(quantity: str, name: str, values: npt.ArrayLike) -> None:
        numbers = np.asarray(values, dtype=float)
        found[quantity, name] = np.array([numbers.size, numbers.sum(), (numbers**2).sum()])

    def interval(name: str, low: Floats, high: Floats) -> None:
        note("coverage", name, (low <= 0) & (high >= 0))
        note("width", name, high - low)

    def prediction(name: str, low: Floats, high: Floats) -> None:
        # The probability of covering a new trial's effect is known exactly; no trial is drawn.
        if (tau > 0).all():
            note("prediction coverage", name, ndtr(high / tau) - ndtr(low / tau))
        else:
            note("prediction coverage", name, (low <= 0) & (high >= 0))
        note("prediction width", name, high - low)

    analyses = stack(y, v)
    for method in ("EE", *TAU2_ESTIMATORS):
        tau2 = estimate_tau2(analyses, method)
        if method != "EE":
            note("tau2 bias", method, tau2 - tau**2)
        mean = weighted_mean(analyses, tau2)
        for kind in INTERVALS if method != "EE" else ("wald",):
            limits = confidence_interval(mean, kind, plan.level)
            interval(f"{method} {kind}", limits["ci_low"], limits["ci_high"])
        if method in ("REML", "DL"):
            for kind, (_, lost) in PREDICTIONS.items():
                if len(plan.vi) > lost:
                    prediction(f"{method} {kind}", *prediction_interval(mean, kind, plan.level))
    low, high = q_profile(analyses, plan.level)
    note("tau2 coverage", "Q-profile", (low <= tau**2 * (1 + 1e-12)) & (high >= tau**2))
    note("tau2 width", "Q-profile", high - low)
    for name, prior in priors.items():
        posterior = posterior_stack(y, v, prior, plan.level)
        interval(f"Bayesian {name}", posterior.ci_low, posterior.ci_high)
        prediction(f"Bayesian {name}", posterior.pi_low, posterior.pi_high)
    return found
