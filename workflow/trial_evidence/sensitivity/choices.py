"""Choices of the sensitivity analyses that the configuration does not make."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trial_evidence.pool.intervals import INTERVALS
from trial_evidence.pool.priors import EMPIRICAL_PRIORS, LogNormal
from trial_evidence.pool.tau2 import TAU2_ESTIMATORS


@dataclass(frozen=True)
class SensitivityChoices:
    """Which variants are tried.

    Attributes
    ----------
    wide_prior_factor : float
        How many times wider than the configured half-normal prior the second one is.
    empirical_prior : LogNormal
        Prior of tau2 from other meta-analyses, made for log odds ratios and used for them alone.
    worthwhile_hazard_ratio : float
        Hazard ratio whose posterior probability of being undercut is given.
    estimators, intervals : tuple of str
        Of the specification curve. ``EB`` is not among the estimators: it solves the equation of
        ``PM``, and the same result should not count twice.
    verification : tuple of tuple of str
        Levels of verification admitted, from the strictest to the laxest.
    preferred : mapping of str to tuple of str
        Words that may stand first in an order of preference, by column; of a column that is not
        named, every word may. An interim analysis is never preferred to a later one.
    receptor : tuple of str
        Factor and level whose share of the patients is a covariate.
    """

    wide_prior_factor: float = 2.0
    empirical_prior: LogNormal = EMPIRICAL_PRIORS["any", "any"]
    worthwhile_hazard_ratio: float = 0.8
    estimators: tuple[str, ...] = tuple(name for name in TAU2_ESTIMATORS if name != "EB")
    intervals: tuple[str, ...] = INTERVALS
    verification: tuple[tuple[str, ...], ...] = (
        ("primary",),
        ("primary", "secondary"),
        ("primary", "secondary", "unverified"),
    )
    preferred: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "analysis": ("final", "primary"),
            "assessor": ("BICR", "investigator"),
        }
    )
    receptor: tuple[str, str] = ("hormone_receptor", "positive")


CHOICES = SensitivityChoices()
