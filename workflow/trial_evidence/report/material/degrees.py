"""How well a benefit is established: its probability, its weak points, what would change it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record, records, where
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.pool.probes.information import VARIANCE_OF_ONE_EVENT, events_required
from trial_evidence.report.material.material import Material
from trial_evidence.report.words import reading
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL
from trial_evidence.words.printed import percent

VERY_UNCERTAIN = "The evidence is very uncertain."


@dataclass(frozen=True)
class Degree:
    """How probable a benefit is, and how easily the answer would change.

    Attributes
    ----------
    probability_of_benefit, probability_worthwhile : float
        Posterior probability of a benefit, and of a clinically relevant one, under the empirical
        prior if the measure has one; NaN if unknown.
    would_change : str
        The smallest further trial that would change the answer, in a sentence.
    """

    probability_of_benefit: float = math.nan
    probability_worthwhile: float = math.nan
    would_change: str = ""


def degree_of(material: Material, analysis: Analysis) -> Degree:
    """How well the benefit that an analysis looks for is established."""
    change = next(iter(records(material.of("what_would_change", analysis))), {})
    by_model = {row["model"]: row["probability_of_benefit"] for row in _models(material, analysis)}
    benefit = by_model.get(EMPIRICAL, by_model.get(CAUTIOUS, math.nan))
    return Degree(benefit, _worthwhile(material, analysis), change.get("further_trial", ""))


def information_share(material: Material, analysis: Analysis) -> float:
    """Information in the pooled trials over the optimal information size; NaN unless a ratio."""
    if not reading.measure_of(analysis.measures[0]).is_ratio:
        return math.nan
    sought = material.configuration.sensitivity.required_information
    information = float((1 / material.pooled_trials(analysis)["vi"]).sum())
    events = events_required(math.log(sought.ratio), sought.alpha, sought.power)
    return VARIANCE_OF_ONE_EVENT * information / events


def is_probable(material: Material, analysis: Analysis, degree: Degree) -> bool:
    """Whether a benefit is probable and no model puts its estimate on the other side."""
    null, below = reading.null_of(analysis.measures[0]), analysis.fewer_is_better
    estimates = [row["estimate"] for row in _models(material, analysis)]
    agree = all((estimate < null) == below for estimate in estimates)
    return agree and degree.probability_of_benefit >= material.report.claim_rules.probable


def held_back(material: Material, analysis: Analysis, rows: Sequence[Record]) -> Iterator[str]:
    """Why a benefit shown by the intervals is rated only as probable."""
    null = reading.null_of(analysis.measures[0])
    if rows[0]["k"] > 1:
        left = records(where(material.of("leave_one_out", analysis), leads="yes"))
        needed = [str(row["trial"]) for row in left if reading.includes_null(row)]
        if needed:
            any_of = " or ".join(filter(None, [", ".join(needed[:-1]), needed[-1]]))
            yield f"The interval includes {null:g} when {any_of} is left out."
    curve = next(iter(records(material.of("multiverse_summary", analysis))), None)
    if curve is not None:
        share = curve["share_below" if analysis.fewer_is_better else "share_above"]
        if share < material.report.claim_rules.least_share_of_specifications:
            yield (
                f"The interval shows a benefit in only {percent(share)} of the defensible ways to "
                "pool the trials."
            )


def _models(material: Material, analysis: Analysis) -> Sequence[Record]:
    table = material.about(material.evidence.estimates, analysis, subgroup="all")
    return records(table.dropna(subset=["estimate"]))


def _worthwhile(material: Material, analysis: Analysis) -> float:
    trials, measure = material.pooled_trials(analysis), analysis.measures[0]
    if len(trials) < 2 or not reading.measure_of(measure).is_ratio:
        return math.nan
    prior = next(iter(model_priors(material.configuration.tau_priors[measure]).values()))
    below = analysis.fewer_is_better
    threshold = math.log(material.worthwhile_ratio) * (-1 if below else 1)
    found = posterior(trials["yi"], trials["vi"], prior, thresholds=[threshold])
    return found.probabilities_below[0] if below else 1 - found.probabilities_below[0]
