"""Synergy within single trials: arms with A, with B and with both, as randomised.

The question is whether both together do more than expected from the two single arms. The
expectation depends on the scale, and on the response without either agent (the background), which
most trials do not observe: it is then an assumption, and the result is given as a function of it.
On every scale a higher background lowers the expectation, so that a background of zero is the
cautious bound. At the other extreme, where the weaker agent does nothing, every scale expects the
response of the better single arm: a response to the combination above that of each agent alone is
necessary for synergy on any scale.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Literal, NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq
from scipy.special import betainc

from trial_evidence.config.methods import Pooling, TauPriors
from trial_evidence.config.networks import Background
from trial_evidence.measures.effects import CONTINUITY_CORRECTION, check_counts
from trial_evidence.network.fit.effect import wald
from trial_evidence.network.within_trials.factorial import FactorialTrial
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.pool.engine.many import StackedFit, fit_stack
from trial_evidence.pool.engine.results import Floats, Pooled, Refused
from trial_evidence.pool.models.pooling import pool_all
from trial_evidence.words.numbers import round_half_up

HARMFUL = "The background is above the response of a single arm: that agent would be harmful."
TOO_MANY = "More responses to both agents are expected than there are patients."

# Nodes per dimension of the integrals over beta distributions. They are placed where the posterior
# has its mass, so that doubling them does not change any printed digit.
NODES = 24
# Indices of the arms, and the other arms from which the response of each follows for a given
# excess.
SINGLE, BOTH, NEITHER = (0, 1), 2, 3
OTHERS = {0: (2, 3, 1), 1: (2, 3, 0), BOTH: (0, 1, 3), NEITHER: (0, 1, 2)}
# Grid of backgrounds for the pooled result, between which tipping points are then solved for.
BACKGROUNDS = 50


def _odds(p: float | Floats) -> Floats:
    return np.asarray(p / (1 - np.asarray(p)))


def _joint_odds(a: Floats, b: Floats, o: Floats) -> Floats:
    odds = _odds(a) * _odds(b) / _odds(o)
    return np.asarray(odds / (1 + odds))


@dataclass(frozen=True)
class Scale:
    """A definition of the expected response to two agents together.

    Attributes
    ----------
    name, label : str
        Id, and display name.
    meaning : str
        What the excess over the expectation means, in plain words.
    measure : str
        How observed and expected are compared: ``risk_difference`` (0 = as expected), or
        ``risk_ratio`` or ``odds_ratio``, analysed as a logarithm (1 = as expected). The prior of
        tau of this measure applies.
    expected : callable
        Expected response to both, from those of the single arms and of neither. On every scale
        with a background the same function of the single arms and of both gives the tipping
        point: the background at which the response observed with both is exactly as expected.
    slopes : callable
        Absolute derivatives of the excess with respect to the responses of first, second, both and
        neither; from the responses and the background.
    background : bool
        Whether the expectation depends on the background.
    """

    name: str
    label: str
    meaning: str
    measure: Literal["risk_difference", "risk_ratio", "odds_ratio"]
    expected: Callable[[Floats, Floats, Floats], Floats]
    slopes: Callable[[Sequence[float], float], Sequence[float]]
    background: bool = True

    @property
    def ratio(self) -> bool:
        """Whether it is analysed as a logarithm and printed as a ratio."""
        return self.measure != "risk_difference"

    def excess(self, observed: float, expected: float) -> float:
        """Observed beyond expected response, on the analysis scale."""
        if self.measure == "odds_ratio":
            return math.log(float(_odds(observed)) / float(_odds(expected)))
        return math.log(observed / expected) if self.ratio else observed - expected

    def tail(self, shape: tuple[float, float]) -> float:
        """How fast a beta distribution decays on the analysis scale: smaller is a longer tail."""
        return min(shape) if self.measure == "odds_ratio" else shape[0]

    def shifted(self, excess: float, expected: Floats) -> Floats:
        """Response to both at which the excess has a given value."""
        if self.measure == "odds_ratio":
            with np.errstate(divide="ignore", invalid="ignore"):
                return 1 / (1 + math.exp(-excess) * (1 - expected) / expected)
        return expected * math.exp(excess) if self.ratio else expected + excess


SCALES: Mapping[str, Scale] = {
    scale.name: scale
    for scale in (
        Scale(
            "risk_additive",
            "Additive (difference in response rate)",
            "Expected of both: the gains of the two single arms over the background, summed. The "
            "result is the share of patients who respond beyond that sum.",
            "risk_difference",
            lambda a, b, o: a + b - o,
            lambda p, o: (1.0, 1.0, 1.0, 1.0),
        ),
        Scale(
            "bliss",
            "Bliss independence",
            "Expected of both: a patient fails to respond only if both agents fail, independently "
            "of each other. The result is the additional share of patients who respond.",
            "risk_difference",
            lambda a, b, o: 1 - (1 - a) * (1 - b) / (1 - o),
            lambda p, o: (
                (1 - p[1]) / (1 - o),
                (1 - p[0]) / (1 - o),
                1.0,
                (1 - p[0]) * (1 - p[1]) / (1 - o) ** 2,
            ),
        ),
        Scale(
            "multiplicative",
            "Multiplicative (risk ratio)",
            "Expected of both: the background multiplied by the risk ratio of each agent. The "
            "result is the ratio of the observed to the expected response rate.",
            "risk_ratio",
            lambda a, b, o: a * b / o,
            lambda p, o: tuple(1 / rate for rate in p),
        ),
        Scale(
            "log_odds",
            "Multiplicative in the odds (odds ratio)",
            "Expected of both: the odds of the background multiplied by the odds ratio of each "
            "agent, as the additive component model has it. The result is the ratio of the "
            "observed to the expected odds.",
            "odds_ratio",
            _joint_odds,
            lambda p, o: tuple(1 / (rate * (1 - rate)) for rate in p),
        ),
        Scale(
            "better_single",
            "Against the better single arm",
            "Expected of both: the response of the better of the two single arms. The result is "
            "the additional share of patients who respond. It needs no background. A response "
            "above both single arms is necessary for synergy on any scale, but not evidence of it. "
            "Because the better arm is chosen by its result, the difference tends to be "
            "underestimated.",
            "risk_difference",
            lambda a, b, o: np.maximum(a, b),
            lambda p, o: (float(p[0] >= p[1]), float(p[0] < p[1]), 1.0, 0.0),
            background=False,
        ),
    )
}


class TrialSynergy:
    """Excess of the response to both agents over that expected from the single arms of a trial.

    Parameters
    ----------
    trial : FactorialTrial
        Its arms with counts.
    scale : Scale
        One of `SCALES`.
    background : float
        Assumed response without either agent; not used if the trial has that arm or the scale needs
        none.
    level : float
        Level of the intervals in percent.

    Attributes
    ----------
    response_first, response_second, observed, expected : float
        Response rates of the single arms and of both, and expected with both, as probabilities. If
        an arm of the trial is empty or full, 0.5 is added to the cells of all its arms.
    excess : Effect
        On the analysis scale (a logarithm if the scale is a ratio).
    variance : float
        Of the excess, by the delta method.
    tipping_background : float or None
        Background above which the point estimate shows synergy; zero if it always does. None if
        the scale needs no background, or the trial has its own arm with neither agent.
    posterior_median, posterior_low, posterior_high : float
        Of the excess from the counts themselves, without normal approximation, with its central
        interval: independent Jeffreys priors, Beta(1/2, 1/2), integrated over all arms but one.
    probability_of_synergy : float
        Posterior probability that both do more than expected.
    note : str
        Implausible results, such as an expected response rate above one; empty if there are none.

    Raises
    ------
    ValueError
        If counts are impossible, or the level is not a percentage.

    Notes
    -----
    With p of the arms and the background o, the excess is

    - ``risk_additive``: ``ab - (a + b - o)``
    - ``bliss``: ``ab - (1 - (1 - a)(1 - b)/(1 - o))``, with o = 0 ``ab - (a + b - ab)``
    - ``multiplicative``: ``log ab - log a - log b + log o``
    - ``log_odds``: the same with logits
    - ``better_single``: ``ab - max(a, b)``

    Bliss CI. Ann Appl Biol 1939;26:585-615 (independence; attributed). Better single arm: the
    "highest single agent" of the literature on combinations.
    """

    def __init__(
        self, trial: FactorialTrial, scale: Scale, background: float, level: float
    ) -> None:
        self.trial, self.scale = trial.trial, scale
        # First, second, both and, if the scale uses it, neither.
        arms = trial.arms if scale.background else trial.arms[:3]
        counts = [arm.events for arm in arms], [arm.n for arm in arms]
        events, n = check_counts(*counts, trial.trial)
        half = CONTINUITY_CORRECTION * bool(((events == 0) | (events == n)).any())
        self.sizes = n + 2 * half
        self.rates: list[float] = ((events + half) / self.sizes).tolist()
        self.supposes = scale.background and trial.neither is None
        self.response_first, self.response_second, self.observed = self.rates[:3]
        self.expected = self.expected_at(background)
        estimate, self.variance = self.excess_at(background)
        self.excess = wald(estimate, math.sqrt(self.variance), level)
        self.tipping_background: float | None = None
        if self.supposes:
            tipping = scale.expected(*map(np.asarray, self.rates))
            self.tipping_background = max(float(tipping), 0.0)
        shapes = list(zip(events + 0.5, n - events + 0.5, strict=True))
        below, low, high = _posterior(scale, shapes, background)
        tail = (1 - level / 100) / 2
        self.posterior_median, self.posterior_low, self.posterior_high = (
            float(brentq(lambda excess, p=p: below(excess) - p, low, high, xtol=1e-9))
            for p in (0.5, tail, 1 - tail)
        )
        self.probability_of_synergy = 1 - below(0.0)
        self.note = ""
        if scale.background and self.neither_at(background) > min(self.rates[:2]):
            self.note = HARMFUL
        elif scale.background and self.expected > 1:
            self.note = TOO_MANY

    def neither_at(self, background: float) -> float:
        """The response without either agent: the trial's own, or the assumed one."""
        return self.rates[3] if len(self.rates) > 3 else background

    def expected_at(self, background: float) -> float:
        """Expected response to both."""
        a, b, o = (np.asarray(p) for p in (*self.rates[:2], self.neither_at(background)))
        return float(self.scale.expected(a, b, o))

    def excess_at(self, background: float) -> tuple[float, float]:
        """The excess and its variance by the delta method.

        Squared derivatives times p(1 - p)/n; an assumed background has no variance.
        """
        estimate = self.scale.excess(self.rates[2], self.expected_at(background))
        slopes = self.scale.slopes(self.rates, self.neither_at(background))
        terms = zip(slopes, self.rates, self.sizes.tolist(), strict=False)
        return estimate, sum(slope**2 * p * (1 - p) / size for slope, p, size in terms)


@dataclass(frozen=True)
class PooledSynergy:
    """Synergy over trials on one scale, at one background.

    Attributes
    ----------
    trials : tuple of TrialSynergy
        The trials pooled.
    models : tuple of Pooled
        As `trial_evidence.pool.models.pooling.pool_all`, on the analysis scale; an excess above
        zero is synergy.
    tipping_background : float or None
        Lowest background at which the pooled estimate (the chosen random-effects model) shows
        synergy; zero if it always does. None if it does not do so up to the lowest response of any
        single arm in trials without their own background, above which an agent would be harmful.
    tipping_interval : float or None
        Lowest background at which the interval of that model lies above zero.
    meaning : str
        Meaning of the scale and of the tipping points.
    """

    trials: tuple[TrialSynergy, ...]
    models: tuple[Pooled, ...]
    tipping_background: float | None
    tipping_interval: float | None
    meaning: str


# Cached because a trial counts both in the pool of all trials and in that of its agents.
_of_trial = cache(TrialSynergy)


# --------------------------------------------------------------------------------- over trials


def pool_synergy(
    trials: Sequence[FactorialTrial],
    scale: Scale,
    background: Background,
    pooling: Pooling,
    tau_priors: Mapping[str, TauPriors],
    level: float = 95.0,
) -> PooledSynergy | Refused:
    """Excess over expectation, pooled over trials.

    Parameters
    ----------
    trials : sequence of FactorialTrial
        Each trial once.
    scale : Scale
        One of `SCALES`.
    background : Background
        Assumed response without either agent in the trials that have no such arm.
    pooling : Pooling
        The chosen random-effects model.
    tau_priors : mapping of str to TauPriors
        Priors of tau by measure, as configured.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    PooledSynergy or Refused
        Refused without any trial, and on the two ratio scales if a trial has no arm with neither
        agent and the background is zero, since any multiple of zero is zero.

    Raises
    ------
    ValueError
        As `TrialSynergy`.
    """
    if not trials:
        return Refused("No trial compares two agents, each alone, with both together.")
    if scale.ratio and background.rate == 0 and any(trial.neither is None for trial in trials):
        return Refused(
            "With a background response of zero a ratio scale expects no response to both agents, "
            "so that nothing can be compared."
        )
    each = [_of_trial(trial, scale, background.rate, level) for trial in trials]
    largest = min((min(one.rates[:2]) for one in each if one.supposes), default=None)
    point = limit = None
    meaning = scale.meaning
    if largest is not None:

        def pooled(rates: Sequence[float]) -> StackedFit:
            found = np.array([[one.excess_at(rate) for rate in rates] for one in each])
            return fit_stack(
                found[:, :, 0],
                found[:, :, 1],
                method=pooling.tau2_estimator,
                interval=pooling.estimate_interval,
                level=level,
            )

        # Ratio scales are undefined at zero; the ratio tends to zero there.
        least = 1e-9 * largest if scale.ratio else 0.0
        rates = np.linspace(least, largest, BACKGROUNDS).tolist()
        there = pooled(rates)
        point = _above(lambda rate: float(pooled([rate]).estimate[0]), rates, there.estimate)
        limit = _above(lambda rate: float(pooled([rate]).ci_low[0]), rates, there.ci_low)
        meaning = f"{meaning} {_in_words(point, limit, largest)}"
    models = pool_all(
        [one.excess.estimate for one in each],
        [one.variance for one in each],
        pooling=pooling,
        level=level,
        # An excess over expectation is not a treatment effect: no empirical prior applies.
        priors=model_priors(tau_priors[scale.measure], empirical=False),
    )
    tipping, tipping_interval = (None if at is None else at.low for at in (point, limit))
    return PooledSynergy(tuple(each), models, tipping, tipping_interval, meaning)


class _Shown(NamedTuple):
    """The range of backgrounds at which the pooled estimate or lower limit is above zero.

    `high` is None if it extends to the largest background. It need not: if some trials have an arm
    with neither agent and others an assumed background, the two kinds may agree only at a
    background in between, and their disagreement elsewhere widens the interval.
    """

    low: float
    high: float | None

    @property
    def condition(self) -> str:
        """Such as ``if the background is above 2.0%``."""
        if self.high is None:
            return f"if the background is above {_percent(self.low)}"
        if self.low == 0:
            return f"if the background is below {_percent(self.high)}"
        return f"if the background is between {_percent(self.low)} and {_percent(self.high)}"


def _above(
    function: Callable[[float], float], rates: Sequence[float], there: Floats
) -> _Shown | None:
    """The first range where a pooled result is above zero, from its values on a grid of rates."""
    above = np.flatnonzero(there > 0)
    if not above.size:
        return None
    first = int(above[0])
    beyond = first + np.flatnonzero(there[first:] <= 0)

    def crossing(after: int) -> float:
        return float(brentq(function, rates[after - 1], rates[after], xtol=1e-12))

    return _Shown(
        crossing(first) if first else 0.0, crossing(int(beyond[0])) if beyond.size else None
    )


def _percent(rate: float) -> str:
    return f"{round_half_up(100 * rate, 1)}%"


def _in_words(point: _Shown | None, limit: _Shown | None, largest: float) -> str:
    always = _Shown(0.0, None)
    if point is None:
        return (
            f"At no background up to {_percent(largest)}, the lowest response of a single arm, "
            "does the pooled estimate favour synergy."
        )
    shown = "whatever the background" if point == always else point.condition
    interval = f"At no background up to {_percent(largest)} does its whole interval show synergy."
    if limit is not None:
        interval = (
            "So does its whole interval."
            if limit == always
            else f"Its whole interval shows synergy {limit.condition}."
        )
    return f"The pooled estimate favours synergy {shown}. {interval}"


# --------------------------------------------------------------------------------- from the counts


def _beta_rule(first: float, second: float, size: int = NODES) -> tuple[Floats, Floats]:
    """Gauss quadrature for a beta distribution: nodes, and weights that sum to 1.

    By the eigenvalues of the recurrence of Jacobi polynomials (Golub & Welsch 1969); stable for
    arms with thousands of patients, where the polynomials themselves overflow.
    """
    k = np.arange(size, dtype=float)
    total = first + second
    # Jacobi's exponents are second - 1 at one and first - 1 at zero; s is 2k + alpha + beta + 2.
    s = 2 * k + total
    centre = np.empty(size)
    centre[0] = (first - second) / total
    centre[1:] = ((first - 1) ** 2 - (second - 1) ** 2) / ((s[1:] - 2) * s[1:])
    j, sj = k[1:], s[1:] - 2
    above = 4 * j * (j + second - 1) * (j + first - 1) * (j + total - 2)
    off_diagonal = above / (sj**2 * (sj + 1) * np.where(j == 1, 1.0, sj - 1))
    # For j = 1 the factor (j + alpha + beta) cancels (2j + alpha + beta - 1).
    off_diagonal[0] = 4 * first * second / (total**2 * (total + 1))
    nodes, vectors = eigh_tridiagonal(centre, np.sqrt(off_diagonal))
    return (1 + nodes) / 2, vectors[0] ** 2


Below = Callable[[float], float]
Shapes = Sequence[tuple[float, float]]


def _posterior(scale: Scale, shapes: Shapes, background: float) -> tuple[Below, float, float]:
    """Distribution function of the excess, and limits between which the excess must lie.

    One arm is integrated in closed form, the others by quadrature. The closed form is for the arm
    with both agents or, on ratio scales, for the arm whose logarithm has the longest tail, which so
    few nodes would not cover.
    """
    if not scale.background:
        return _below_better(shapes)
    own = dict(enumerate(shapes))
    exact = min(own, key=lambda arm: scale.tail(own[arm])) if scale.ratio else BOTH
    exact_shape = own.pop(exact)
    rules = [_beta_rule(*shape) for shape in own.values()]
    grids = np.meshgrid(*(nodes for nodes, _ in rules), indexing="ij")
    weights = reduce(np.multiply.outer, (weights for _, weights in rules))
    of = dict(zip(own, grids, strict=True))
    if len(shapes) == BOTH + 1:
        of[NEITHER] = np.full(grids[0].shape, background)
    # On ratio scales a given excess determines each response from the other three, by the function
    # that gives the expectation of both; a higher response of a single arm means a smaller excess.
    others = [of[arm] for arm in OTHERS[exact]]
    expected, side = scale.expected(*others), -1.0 if exact in SINGLE else 1.0

    def below(excess: float) -> float:
        reached = np.clip(scale.shifted(side * excess, expected), 0.0, 1.0)
        chance = float((weights * betainc(*exact_shape, reached)).sum())
        return chance if side > 0 else 1 - chance

    if scale.ratio:
        # exp(-100) times any response is practically zero.
        return below, -100.0, 100.0
    return below, -float(expected.max()) - 1e-9, 1 - float(expected.min()) + 1e-9


def _below_better(shapes: Shapes) -> tuple[Below, float, float]:
    """The same against the better single arm: the excess is the smaller of two differences."""
    # A single arm is integrated, so that many nodes cost little. They follow the steep edge of the
    # others where all patients, or none, responded.
    nodes, weights = _beta_rule(*shapes[2], size=16 * NODES)

    def below(excess: float) -> float:
        limit = np.clip(nodes - excess, 0.0, 1.0)
        both = betainc(*shapes[0], limit) * betainc(*shapes[1], limit)
        return 1 - float((weights * both).sum())

    return below, -1.0, 1.0
