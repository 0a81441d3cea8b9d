"""A pool of two trials: the result of each trial, and their common-effect estimate."""

from dataclasses import dataclass
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import records, where
from trial_evidence.report.material.material import Material
from trial_evidence.report.words import reading
from trial_evidence.words.models import is_bayesian
from trial_evidence.words.printed import listing


@dataclass(frozen=True)
class TwoTrials:
    """The results behind a pool of two trials, on the natural scale.

    Attributes
    ----------
    trials : tuple of dict
        ``trial``, ``measure``, ``estimate``, ``ci_low``, ``ci_high``, ``ci_level``.
    common : dict
        The common-effect estimate, as in ``results/estimates.csv``.
    """

    trials: tuple[dict[str, Any], ...]
    common: dict[str, Any]


def two_trials(material: Material, analysis: Analysis) -> TwoTrials | None:
    """Both trials and their common effect, for a pool of two that a Bayesian model leads."""
    lead = material.lead(analysis)
    if lead is None or lead["k"] != 2 or not is_bayesian(lead["model"]):
        return None
    estimates = material.about(material.evidence.estimates, analysis, subgroup="all")
    (common,) = records(where(estimates, model="common"))
    trials = tuple(
        {
            "trial": row["trial"], "measure": lead["measure"], "model": "",
            "estimate": row["estimate"], "ci_low": row["estimate_low"],
            "ci_high": row["estimate_high"], "ci_level": row["estimate_level"],
        }
        for row in records(material.pooled_trials(analysis))
    )  # fmt: skip
    return TwoTrials(trials, common)


def in_words(found: TwoTrials) -> str:
    """Sentences on both trials, their common effect, and why the leading interval is wider."""
    each = listing([f"{row['trial']} {reading.number_words(row)}" for row in found.trials])
    return (
        f"The trials themselves: {each}. Assuming that both share one effect, "
        f"{reading.estimate_words(found.common)}. The leading interval is wider because two "
        "trials cannot show how far results differ between trials, and its model allows for that."
    )
