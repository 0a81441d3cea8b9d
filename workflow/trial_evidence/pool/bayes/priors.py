"""Prior distributions for the between-trial standard deviation tau."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln, lambertw

from trial_evidence.config.methods import EmpiricalPrior, TauPriors
from trial_evidence.pool.engine.results import Floats
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL


class TauPrior(ABC):
    """A prior for tau.

    Attributes
    ----------
    words : str
        The prior in words, with placeholders for its parameters.
    above_zero : mapping of str to str
        Parameters that must be above zero, and their names in messages.
    on_log_scale : bool
        Whether the density is smooth in log tau and not at zero.
    fast_nodes : int
        Number of nodes in the fast quadrature.
    """

    words: ClassVar[str]
    above_zero: ClassVar[Mapping[str, str]] = {"scale": "the scale"}
    on_log_scale: ClassVar[bool] = False
    fast_nodes: ClassVar[int] = 48

    def __post_init__(self) -> None:
        for name, what in self.above_zero.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(
                    f"{what} of the prior must be a finite number above zero, not {value}"
                )

    @property
    def tail(self) -> float:
        """The power of tau with which its upper tail probability falls; infinite if faster."""
        return math.inf

    @property
    def label(self) -> str:
        """The prior in words, with its parameters."""
        return self.words.format(**vars(self))

    @abstractmethod
    def log_density(self, tau: Floats) -> Floats:
        """Logarithm of the density at tau; minus infinity outside the prior's range."""

    @abstractmethod
    def reach(self, tau: Floats, drop: float) -> tuple[Floats, Floats]:
        """Range of tau outside which the density is below exp(-drop) times that at `tau`."""


@dataclass(frozen=True)
class HalfNormal(TauPrior):
    """Half-normal prior.

    Attributes
    ----------
    scale : float
        Standard deviation of the normal distribution before folding, in units of the effect.

    Notes
    -----
    Röver C et al. Res Synth Methods 2021;12:448-474 propose 0.5 for log ratios.
    """

    scale: float
    words: ClassVar[str] = "half-normal({scale:g})"

    def log_density(self, tau: Floats) -> Floats:
        constant = 0.5 * math.log(2 / math.pi) - math.log(self.scale)
        return np.asarray(constant - 0.5 * (tau / self.scale) ** 2)

    def reach(self, tau: Floats, drop: float) -> tuple[Floats, Floats]:
        return np.zeros_like(tau), np.sqrt(tau**2 + 2 * drop * self.scale**2)


@dataclass(frozen=True)
class HalfCauchy(TauPrior):
    """Half-Cauchy prior, which allows for large heterogeneity.

    Attributes
    ----------
    scale : float
        Its median, in units of the effect.
    """

    scale: float
    words: ClassVar[str] = "half-Cauchy({scale:g})"
    fast_nodes: ClassVar[int] = 80

    @property
    def tail(self) -> float:
        return 1.0

    def log_density(self, tau: Floats) -> Floats:
        constant = math.log(2 / math.pi) - math.log(self.scale)
        # Computed with hypot, because the square of a very large tau overflows.
        return np.asarray(constant - 2 * np.log(np.hypot(1.0, tau / self.scale)))

    def reach(self, tau: Floats, drop: float) -> tuple[Floats, Floats]:
        return np.zeros_like(tau), np.hypot(tau, self.scale) * math.exp(drop / 2)


@dataclass(frozen=True)
class Uniform(TauPrior):
    """Uniform prior from zero to an upper limit.

    Attributes
    ----------
    upper : float
        The upper limit of tau, in units of the effect.
    """

    upper: float
    words: ClassVar[str] = "uniform(0, {upper:g})"
    above_zero: ClassVar[Mapping[str, str]] = {"upper": "the upper end"}

    def log_density(self, tau: Floats) -> Floats:
        return np.where(tau <= self.upper * (1 + 1e-12), -math.log(self.upper), -np.inf)

    def reach(self, tau: Floats, drop: float) -> tuple[Floats, Floats]:
        return np.zeros_like(tau), np.full_like(tau, self.upper)


@dataclass(frozen=True)
class LogNormal(TauPrior):
    """Log-normal prior on tau2, as derived from many meta-analyses.

    Attributes
    ----------
    mean, sd : float
        Mean and standard deviation of log tau2.
    """

    mean: float
    sd: float
    words: ClassVar[str] = "log-normal({mean:g}, {sd:g}\u00b2) on τ\u00b2"
    above_zero: ClassVar[Mapping[str, str]] = {"sd": "the standard deviation"}
    on_log_scale: ClassVar[bool] = True
    fast_nodes: ClassVar[int] = 80

    def log_density(self, tau: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            log_tau = np.log(tau)
        z = (2 * log_tau - self.mean) / self.sd
        constant = math.log(2 / self.sd) - 0.5 * math.log(2 * math.pi)
        # At tau = 0 the density is zero: the squared term dominates the logarithm.
        return np.where(tau > 0, constant - np.where(tau > 0, log_tau, 0.0) - 0.5 * z**2, -np.inf)

    def reach(self, tau: Floats, drop: float) -> tuple[Floats, Floats]:
        z = (2 * np.log(tau) - self.mean) / self.sd
        half = 0.5 * self.sd * np.sqrt(z**2 + 2 * drop)
        return np.exp(self.mean / 2 - half), np.exp(self.mean / 2 + half)


@dataclass(frozen=True)
class InverseGamma(TauPrior):
    """Inverse-gamma prior on tau (not on tau2), as fitted to the tau of many meta-analyses.

    Attributes
    ----------
    shape : float
        The density falls as tau**(-shape - 1).
    scale : float
        In units of the effect; the mode is scale / (shape + 1).

    Notes
    -----
    Density scale**shape / Gamma(shape) * tau**(-shape - 1) * exp(-scale / tau).
    Bartoš F et al. 2023, from the meta-analyses of Cochrane reviews.
    """

    shape: float
    scale: float
    words: ClassVar[str] = "inverse-gamma({shape:g}, {scale:g})"
    above_zero: ClassVar[Mapping[str, str]] = {"scale": "the scale", "shape": "the shape"}
    on_log_scale: ClassVar[bool] = True
    fast_nodes: ClassVar[int] = 112

    @property
    def tail(self) -> float:
        return self.shape

    def log_density(self, tau: Floats) -> Floats:
        constant = self.shape * math.log(self.scale) - float(gammaln(self.shape))
        with np.errstate(divide="ignore"):
            return np.where(
                tau > 0,
                constant
                - (self.shape + 1) * np.log(np.where(tau > 0, tau, 1.0))
                - self.scale / np.where(tau > 0, tau, np.inf),
                -np.inf,
            )

    def draw(self, random: np.random.Generator, size: int) -> Floats:
        """Random values of tau from the prior."""
        return np.asarray(self.scale / random.gamma(self.shape, size=size))

    def reach(self, tau: Floats, drop: float) -> tuple[Floats, Floats]:
        # With x = scale / tau and p = shape + 1, the log density is p log x - x up to a constant;
        # it equals c at x = -p W(-exp(c / p) / p), for both branches of Lambert's W function.
        p = self.shape + 1
        x = self.scale / tau
        fallen = np.log(x) - (x + drop) / p - math.log(p)
        # Bounded below, because a tau with a density near zero would give an unbounded range.
        ends = (
            self.scale / (-p * lambertw(-np.exp(np.maximum(fallen, least)), branch).real)
            for branch, least in ((-1, -690.0), (0, -140.0))
        )
        low, high = ends
        return np.asarray(low), np.asarray(high)


Priors = Mapping[str, TauPrior]
"""Bayesian model -> its prior for tau."""


def model_priors(priors: TauPriors, *, empirical: bool = True) -> Priors:
    """Bayesian model -> its prior for tau, the leading one first.

    Parameters
    ----------
    priors : TauPriors
        Configured priors for the measure that is pooled.
    empirical : bool
        Whether to include the empirical prior, which does not apply to differences between effects.
    """
    found: dict[str, TauPrior] = {}
    if empirical and priors.empirical is not None:
        found[EMPIRICAL] = _empirical(priors.empirical)
    return {**found, CAUTIOUS: HalfNormal(priors.half_normal)}


def _empirical(prior: EmpiricalPrior) -> TauPrior:
    if prior.inverse_gamma is not None:
        return InverseGamma(*prior.inverse_gamma)
    assert prior.half_normal is not None, "one of the two is stated"
    return HalfNormal(prior.half_normal)


DRUG_V_CONTROL = "drug v placebo or control"
DRUG_V_DRUG = "drug v drug"

# Mean and standard deviation of log tau2 for log odds ratios, by kind of outcome and comparison:
# Turner RM, Jackson D, Wei Y, Thompson SG, Higgins JPT. Stat Med 2015;34:984-998, table IV.
EMPIRICAL_PRIORS = {
    ("any", "any"): LogNormal(-2.56, 1.74),
    ("all-cause mortality", DRUG_V_CONTROL): LogNormal(-3.95, 1.34),
    ("all-cause mortality", DRUG_V_DRUG): LogNormal(-4.18, 1.41),
    ("cause-specific mortality or major morbidity", DRUG_V_CONTROL): LogNormal(-3.71, 1.74),
    ("cause-specific mortality or major morbidity", DRUG_V_DRUG): LogNormal(-3.95, 1.79),
    ("internal or structural outcome", DRUG_V_CONTROL): LogNormal(-2.71, 1.74),
    ("internal or structural outcome", DRUG_V_DRUG): LogNormal(-2.94, 1.79),
    ("adverse events", DRUG_V_CONTROL): LogNormal(-1.87, 1.52),
    ("adverse events", DRUG_V_DRUG): LogNormal(-2.10, 1.58),
    ("continuation or end of condition", DRUG_V_CONTROL): LogNormal(-2.06, 1.51),
    ("continuation or end of condition", DRUG_V_DRUG): LogNormal(-2.29, 1.58),
    ("biological marker", DRUG_V_CONTROL): LogNormal(-1.77, 1.52),
    ("biological marker", DRUG_V_DRUG): LogNormal(-2.00, 1.58),
}
