"""Synergy inside single trials: arms with A, with B and with both, compared within randomisation.

The question is whether both together do more than the two single arms lead one to expect. What to
expect depends on the scale, and on the response without either agent (the background), which most
trials do not observe: it is then a supposition, and the result is shown as a function of it. On
every scale a larger background makes for a smaller expectation, so that none at all (zero) is the
cautious bound. At the other end, where the weaker agent does nothing, every scale expects of both
what the better single arm shows: both arms beating it is necessary for synergy on any scale.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq
from scipy.special import betainc, ndtr, ndtri

from trial_evidence.config.methods import Pooling
from trial_evidence.measures.effects import CONTINUITY_CORRECTION
from trial_evidence.network.within_trials.factorial import FactorialTrial
from trial_evidence.pool.engine.many import StackedFit, fit_stack
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.engine.results import Floats, Pooled, check_counts, check_level
from trial_evidence.pool.models.pooling import pool_all
from trial_evidence.words.numbers import round_half_up

ScaleName = Literal["risk_additive", "bliss", "multiplicative", "log_odds", "better_single"]

OWN_ARM = "the trial's own arm without either"

# Nodes a dimension of the integrals over beta distributions. They sit where the posterior has its
# mass, so that doubling them changes no digit that is printed.
NODES = 24


@dataclass(frozen=True)
class Scale:
    """A definition of what to expect of two agents together.

    Attributes
    ----------
    name, label : str
        For data, and for people.
    meaning : str
        What the excess over the expectation says, in plain words.
    ratio : bool
        Analysed as a logarithm, read as a ratio (1 = as expected); otherwise a difference of
        probabilities (0 = as expected).
    prior : str
        Which of the configured scales of the prior on tau applies: ``log_ratio`` or ``difference``.
    background : bool
        Whether the expectation depends on the background.
    """

    name: ScaleName
    label: str
    meaning: str
    ratio: bool
    prior: str
    background: bool


SCALES: Mapping[str, Scale] = {
    scale.name: scale
    for scale in (
        Scale(
            "risk_additive",
            "Additive (difference in response rate)",
            "Expected of both: the gains of the two single arms over the background, added. The "
            "result is the share of patients who respond beyond that sum.",
            False,
            "difference",
            True,
        ),
        Scale(
            "bliss",
            "Bliss independence",
            "Expected of both: a patient escapes response only if both agents miss, each by its "
            "own chance and independently of the other. The result is the share of patients who "
            "respond beyond that.",
            False,
            "difference",
            True,
        ),
        Scale(
            "multiplicative",
            "Multiplicative (risk ratio)",
            "Expected of both: the background multiplied by the risk ratio of each agent. The "
            "result is the ratio of the observed to the expected response rate.",
            True,
            "log_ratio",
            True,
        ),
        Scale(
            "log_odds",
            "Multiplicative in the odds (odds ratio)",
            "Expected of both: the odds of the background multiplied by the odds ratio of each "
            "agent, as the additive component model has it. The result is the ratio of the "
            "observed to the expected odds.",
            True,
            "log_ratio",
            True,
        ),
        Scale(
            "better_single",
            "Against the better single arm",
            "Expected of both: what the better of the two single arms shows. The result is the "
            "share of patients who respond beyond that. It needs no background; it is the least "
            "that synergy on any scale asks for and no evidence of it. Which arm is the better one "
            "is itself seen in the data, which makes the difference too small rather than too "
            "large.",
            False,
            "difference",
            False,
        ),
    )
}


@dataclass(frozen=True)
class Background:
    """Response without either agent, supposed for trials that do not observe it.

    Attributes
    ----------
    rate : float
        Probability, from 0 to below 1. Taken as known: its own uncertainty is shown by varying it.
    source : str
        Where it comes from, or why it is supposed.
    """

    rate: float
    source: str

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"a background response lies from 0 to below 1, not {self.rate!r}")


NO_BACKGROUND = Background(0.0, "cautious bound: no response without the agents")


@dataclass(frozen=True)
class JeffreysCheck:
    """Posterior of the excess from the counts themselves, without normal approximation.

    Attributes
    ----------
    median, low, high : float
        On the analysis scale; central interval.
    probability_above_zero : float
        Probability that both do more than expected.
    """

    median: float
    low: float
    high: float
    probability_above_zero: float


@dataclass(frozen=True)
class TrialSynergy:
    """Synergy in one trial on one scale.

    Attributes
    ----------
    trial : str
        Name.
    scale : str
        Name of the scale.
    background : float or None
        Background rate used; None where the scale has none.
    background_source : str
        Where it comes from; the trial's own arm where there is one.
    response_first, response_second, observed : float
        Response rates of the single arms and of both, as probabilities.
    expected : float
        Response rate expected of both.
    estimate, variance : float
        Excess on the analysis scale (a logarithm where the scale is a ratio) and its variance by
        the delta method.
    ci_low, ci_high, p_value : float
        Wald interval and two-sided test of no excess, on the analysis scale.
    corrected : bool
        0.5 was added to the cells of all arms of the trial because one was empty.
    tipping_background : float or None
        Background above which the point estimate shows synergy; zero where it always does. None
        where the scale, or the trial's own arm, leaves nothing to suppose.
    jeffreys : JeffreysCheck
        Posterior from the counts with Jeffreys' prior in every arm.
    note : str
        What is odd; empty where nothing is.
    """

    trial: str
    scale: ScaleName
    background: float | None
    background_source: str
    response_first: float
    response_second: float
    observed: float
    expected: float
    estimate: float
    variance: float
    ci_low: float
    ci_high: float
    p_value: float
    corrected: bool
    tipping_background: float | None
    jeffreys: JeffreysCheck
    note: str


@dataclass(frozen=True)
class PooledSynergy:
    """Synergy over trials on one scale, at one background.

    Attributes
    ----------
    scale : str
        Name of the scale.
    background : float or None
        Background supposed for the trials without an arm of their own.
    background_source : str
        Where it comes from.
    trials : tuple of TrialSynergy
        The trials pooled.
    models : tuple of Pooled
        As `trial_evidence.pool.models.pooling.pool_all`, on the analysis scale, excess above
        zero being synergy.
    tipping_background : float or None
        Least background at which the pooled estimate (the random-effects model of choice) shows
        synergy; zero where it always does, None where it does not up to `largest_background`.
    tipping_interval : float or None
        Least background at which the interval of that model lies above none.
    largest_background : float or None
        The largest background looked at: the lowest response of any single arm without an own
        background. Above it an agent would do harm. None where there is nothing to suppose.
    meaning : str
        What the scale means, and what the tipping points say.
    """

    scale: ScaleName
    background: float | None
    background_source: str
    trials: tuple[TrialSynergy, ...]
    models: tuple[Pooled, ...]
    tipping_background: float | None
    tipping_interval: float | None
    largest_background: float | None
    meaning: str


# --------------------------------------------------------------------------------- expectations

# Expected response of both from those of the single arms and of neither, for probabilities.
EXPECTED: Mapping[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "risk_additive": lambda a, b, o: a + b - o,
    "bliss": lambda a, b, o: 1 - (1 - a) * (1 - b) / (1 - o),
    "multiplicative": lambda a, b, o: a * b / o,
    "log_odds": lambda a, b, o: _from_odds(_odds(a) * _odds(b) / _odds(o)),
    "better_single": lambda a, b, o: np.maximum(a, b),
}

# The background at which exactly the observed response of both is expected.
TIPPING: Mapping[str, Callable[[float, float, float], float]] = {
    "risk_additive": lambda a, b, ab: a + b - ab,
    "bliss": lambda a, b, ab: 1 - (1 - a) * (1 - b) / (1 - ab),
    "multiplicative": lambda a, b, ab: a * b / ab,
    "log_odds": lambda a, b, ab: float(_from_odds(_odds(a) * _odds(b) / _odds(ab))),
}


def _odds(p: float | Floats) -> Floats:
    return np.asarray(p / (1 - np.asarray(p)))


def _from_odds(odds: Floats) -> Floats:
    return np.asarray(odds / (1 + odds))


def _shifted(scale: Scale, excess: float, expected: Floats) -> Floats:
    """Response of both at which the excess is as stated."""
    if scale.name == "log_odds":
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 / (1 + math.exp(-excess) * (1 - expected) / expected)
    return expected * math.exp(excess) if scale.ratio else expected + excess


def _excess(scale: Scale, observed: float, expected: float) -> float:
    if scale.name == "log_odds":
        return math.log(float(_odds(observed)) / float(_odds(expected)))
    return math.log(observed / expected) if scale.ratio else observed - expected


def _variance(scale: Scale, rates: Sequence[float], n: Sequence[float], background: float) -> float:
    """Delta method: squared derivatives times p(1 - p)/n of first, second, both, neither.

    The trial's own background has a variance, a supposed one has none.
    """
    a, b = rates[:2]
    o = rates[3] if len(rates) > 3 else background
    slopes: tuple[float, ...]
    if scale.name == "risk_additive":
        slopes = (1.0, 1.0, 1.0, 1.0)
    elif scale.name == "bliss":
        slopes = (
            (1 - b) / (1 - o),
            (1 - a) / (1 - o),
            1.0,
            (1 - a) * (1 - b) / (1 - o) ** 2,
        )
    elif scale.name == "better_single":
        slopes = (float(a >= b), float(a < b), 1.0, 0.0)
    elif scale.name == "multiplicative":
        slopes = tuple(1 / p for p in rates)
    else:
        slopes = tuple(1 / (p * (1 - p)) for p in rates)
    return sum(
        slope**2 * p * (1 - p) / size for slope, p, size in zip(slopes, rates, n, strict=False)
    )


# --------------------------------------------------------------------------------- one trial


# A trial stands in the pool of all trials and in that of its agents.
@cache
def trial_synergy(
    trial: FactorialTrial, scale: ScaleName, background: Background, level: float = 95.0
) -> TrialSynergy | Refused:
    """Excess of both over what the single arms lead to expect.

    Parameters
    ----------
    trial : FactorialTrial
        Its arms with counts.
    scale : str
        One of `SCALES`.
    background : Background
        Supposed response without either agent; not used where the trial has the arm or the scale
        needs none.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    TrialSynergy or Refused
        With p of the arms and the background o, the excess is

        - ``risk_additive``: ``ab - (a + b - o)``
        - ``bliss``: ``ab - (1 - (1 - a)(1 - b)/(1 - o))``, with o = 0 ``ab - (a + b - ab)``
        - ``multiplicative``: ``log ab - log a - log b + log o``
        - ``log_odds``: the same with logits
        - ``better_single``: ``ab - max(a, b)``

        Refused on the two ratio scales with a background of zero: nothing multiplied is nothing.
        A response rate expected above one is kept and noted.

    Raises
    ------
    ValueError
        If counts cannot be, the scale is unknown, or the level is no percentage.

    Notes
    -----
    Bliss CI. Ann Appl Biol 1939;26:585-615 (independence; attributed). Better single arm: the
    "highest single agent" of the literature on combinations.
    """
    level = check_level(level)
    about = _scale(scale)
    counted = _count(trial, about)
    if about.ratio and not counted.own and background.rate == 0:
        return Refused(
            "With a background response of zero a ratio scale expects no response of both: "
            "nothing can be compared."
        )
    a, b, ab = counted.rates[:3]
    rate = counted.rates[3] if counted.own else background.rate
    expected = float(EXPECTED[scale](np.asarray(a), np.asarray(b), np.asarray(rate)))
    estimate, variance = _excess_and_variance(about, counted, rate)
    se = math.sqrt(variance)
    reach = float(ndtri(0.5 + level / 200)) * se
    supposed = about.background and not counted.own
    return TrialSynergy(
        trial=trial.trial,
        scale=scale,
        background=rate if about.background else None,
        background_source=(background.source if supposed else OWN_ARM) if about.background else "",
        response_first=a,
        response_second=b,
        observed=ab,
        expected=expected,
        estimate=estimate,
        variance=variance,
        ci_low=estimate - reach,
        ci_high=estimate + reach,
        p_value=float(2 * ndtr(-abs(estimate) / se)),
        corrected=counted.corrected,
        tipping_background=max(TIPPING[scale](a, b, ab), 0.0) if supposed else None,
        jeffreys=_jeffreys(about, counted, background.rate, level),
        note=_note(a, b, rate, expected) if about.background else "",
    )


def pool_synergy(
    trials: Sequence[FactorialTrial],
    scale: ScaleName,
    background: Background,
    pooling: Pooling,
    tau_prior_scales: Mapping[str, float],
    level: float = 95.0,
) -> PooledSynergy | Refused:
    """Excess over expectation, over trials.

    Parameters
    ----------
    trials : sequence of FactorialTrial
        Each trial once.
    scale : str
        One of `SCALES`.
    background : Background
        Supposed response without either agent in the trials that have no such arm.
    pooling : Pooling
        The random-effects model of choice.
    tau_prior_scales : mapping of str to float
        Scale of the half-normal prior on tau by kind of analysis scale, as configured.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    PooledSynergy or Refused
        Refused without a trial, or where `trial_synergy` refuses one.

    Raises
    ------
    ValueError
        If a trial occurs twice, or as `trial_synergy`.
    """
    level = check_level(level)
    about = _scale(scale)
    names = [trial.trial for trial in trials]
    if len(set(names)) < len(names):
        raise ValueError("a trial counts once in one pool")
    if not trials:
        return Refused("No trial compares two agents, each alone, with both together.")
    each = []
    for trial in trials:
        one = trial_synergy(trial, scale, background, level)
        if isinstance(one, Refused):
            return one
        each.append(one)
    models = pool_all(
        [one.estimate for one in each],
        [one.variance for one in each],
        pooling=pooling,
        level=level,
        tau_prior_scale=tau_prior_scales[about.prior],
    )
    counted = [_count(trial, about) for trial in trials]
    largest = min(
        (min(c.rates[:2]) for c in counted if about.background and not c.own), default=None
    )
    point = limit = None
    if largest is not None:

        def pooled(rate: float) -> StackedFit:
            pairs = [_excess_and_variance(about, c, rate) for c in counted]
            effects, variances = zip(*pairs, strict=True)
            return fit_stack(
                effects,
                variances,
                method=pooling.tau2_estimator,
                interval=pooling.estimate_interval,
                level=level,
            )

        # Nothing can be multiplied with zero; a ratio falls without bound towards it.
        least = 1e-9 * largest if about.ratio else 0.0
        point = _tipping(lambda rate: float(pooled(rate).estimate[0]), least, largest)
        limit = _tipping(lambda rate: float(pooled(rate).ci_low[0]), least, largest)
    return PooledSynergy(
        scale=scale,
        background=background.rate if largest is not None else None,
        background_source=background.source if largest is not None else "",
        trials=tuple(each),
        models=models,
        tipping_background=point,
        tipping_interval=limit,
        largest_background=largest,
        meaning=about.meaning if largest is None else _in_words(about, point, limit, largest),
    )


def _scale(name: str) -> Scale:
    if name not in SCALES:
        raise ValueError(f"scale {name!r} is not one of {', '.join(SCALES)}")
    return SCALES[name]


@dataclass(frozen=True)
class _Counted:
    """Counts of first, second, both and, where the scale uses it, neither."""

    events: tuple[float, ...]
    n: tuple[float, ...]
    rates: tuple[float, ...]
    sizes: tuple[float, ...]
    corrected: bool

    @property
    def own(self) -> bool:
        """Whether the trial has an arm with neither, and the scale uses it."""
        return len(self.rates) > 3


def _count(trial: FactorialTrial, scale: Scale) -> _Counted:
    arms = trial.arms if scale.background else trial.arms[:3]
    events, n = check_counts([a.events for a in arms], [a.n for a in arms], trial.trial)
    corrected = bool(((events == 0) | (events == n)).any())
    half = CONTINUITY_CORRECTION * corrected
    sizes = n + 2 * half
    return _Counted(
        events=tuple(events.tolist()),
        n=tuple(n.tolist()),
        rates=tuple(((events + half) / sizes).tolist()),
        sizes=tuple(sizes.tolist()),
        corrected=corrected,
    )


def _excess_and_variance(scale: Scale, counted: _Counted, background: float) -> tuple[float, float]:
    a, b, ab = counted.rates[:3]
    o = counted.rates[3] if counted.own else background
    expected = float(EXPECTED[scale.name](np.asarray(a), np.asarray(b), np.asarray(o)))
    return _excess(scale, ab, expected), _variance(scale, counted.rates, counted.sizes, o)


def _note(a: float, b: float, background: float, expected: float) -> str:
    if background > min(a, b):
        return "The background is above a single arm's response: that agent would do harm."
    if expected > 1:
        return "More responses are expected of both than there are patients."
    return ""


# --------------------------------------------------------------------------------- tipping point


def _tipping(rising: Callable[[float], float], least: float, largest: float) -> float | None:
    """Least background at which a part of the pooled result is above zero."""
    if rising(largest) <= 0:
        return None
    if rising(least) > 0:
        return 0.0
    return float(brentq(rising, least, largest, xtol=1e-12))


def _in_words(scale: Scale, point: float | None, limit: float | None, largest: float) -> str:
    def percent(rate: float) -> str:
        return f"{round_half_up(100 * rate, 1)}%"

    if point is None:
        tipping = (
            f"At no background up to {percent(largest)}, the lowest response of a single arm, "
            "does the pooled estimate show synergy."
        )
    elif point == 0:
        tipping = "The pooled estimate shows synergy whatever the background."
    else:
        tipping = f"The pooled estimate shows synergy if the background is above {percent(point)}."
    if point is not None:
        if limit is None:
            tipping += f" Its interval does at no background up to {percent(largest)}."
        elif limit == 0:
            tipping += " So does its interval."
        else:
            tipping += f" Its interval does above {percent(limit)}."
    return f"{scale.meaning} {tipping}"


# --------------------------------------------------------------------------------- from the counts


def _beta_rule(first: float, second: float) -> tuple[Floats, Floats]:
    """Gauss quadrature for a beta distribution: nodes, and weights that sum to 1.

    The eigenvalues of the recurrence of Jacobi's polynomials (Golub & Welsch 1969); stable for the
    shapes of thousands of patients, where the polynomials themselves overflow.
    """
    k = np.arange(NODES, dtype=float)
    total = first + second
    # Jacobi's exponents are second - 1 at one and first - 1 at zero; 2k + alpha + beta + 2 below.
    s = 2 * k + total
    centre = np.empty(NODES)
    centre[0] = (first - second) / total
    centre[1:] = ((first - 1) ** 2 - (second - 1) ** 2) / ((s[1:] - 2) * s[1:])
    j, sj = k[1:], s[1:] - 2
    beside = (
        4
        * j
        * (j + second - 1)
        * (j + first - 1)
        * (j + total - 2)
        / (sj**2 * (sj + 1) * np.where(j == 1, 1.0, sj - 1))
    )
    # For j = 1 the factor (j + alpha + beta) cancels (2j + alpha + beta - 1).
    beside[0] = 4 * first * second / (total**2 * (total + 1))
    nodes, vectors = eigh_tridiagonal(centre, np.sqrt(beside))
    return (1 + nodes) / 2, vectors[0] ** 2


def _jeffreys(scale: Scale, counted: _Counted, background: float, level: float) -> JeffreysCheck:
    """Posterior with independent Beta(1/2, 1/2) priors, integrated over all arms but one."""
    shapes = [(x + 0.5, m - x + 0.5) for x, m in zip(counted.events, counted.n, strict=True)]
    if scale.background:
        below, low, high = _below(scale, shapes, background)
    else:
        below, low, high = _below_better(shapes)
    tail = (1 - level / 100) / 2

    def quantile(p: float) -> float:
        return float(brentq(lambda excess: below(excess) - p, low, high, xtol=1e-9))

    return JeffreysCheck(
        median=quantile(0.5),
        low=quantile(tail),
        high=quantile(1 - tail),
        probability_above_zero=1 - below(0.0),
    )


Below = Callable[[float], float]
Shapes = Sequence[tuple[float, float]]


def _below(scale: Scale, shapes: Shapes, background: float) -> tuple[Below, float, float]:
    """Probability of a smaller excess, and limits between which the excess must lie."""
    rules = [_beta_rule(*shape) for shape in (shapes[0], shapes[1], *shapes[3:])]
    grids = np.meshgrid(*(nodes for nodes, _ in rules), indexing="ij")
    weights = np.ones(grids[0].shape)
    for axis in np.meshgrid(*(w for _, w in rules), indexing="ij"):
        weights = weights * axis
    neither = grids[2] if len(grids) > 2 else np.full(grids[0].shape, background)
    expected = EXPECTED[scale.name](grids[0], grids[1], neither)

    def below(excess: float) -> float:
        reached = np.clip(_shifted(scale, excess, expected), 0.0, 1.0)
        return float((weights * betainc(*shapes[2], reached)).sum())

    if scale.ratio:
        # exp(-100) of any response is none.
        return below, -100.0, 100.0
    return below, -float(expected.max()) - 1e-9, 1 - float(expected.min()) + 1e-9


def _below_better(shapes: Shapes) -> tuple[Below, float, float]:
    """The same against the better single arm: it is below x if both arms are."""
    nodes, weights = _beta_rule(*shapes[2])

    def below(excess: float) -> float:
        limit = np.clip(nodes - excess, 0.0, 1.0)
        both = betainc(*shapes[0], limit) * betainc(*shapes[1], limit)
        return 1 - float((weights * both).sum())

    return below, -1.0, 1.0
