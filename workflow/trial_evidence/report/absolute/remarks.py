"""Remarks that accompany an answer: surrogate outcomes, two trials, ratios that are averages."""

from trial_evidence.config.configuration import Analysis
from trial_evidence.report.absolute.effects import ratio_varies_between_trials
from trial_evidence.report.absolute.hazards import not_proportional
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.two_trials import in_words, two_trials


def remarks(material: Material, analysis: Analysis) -> tuple[str, ...]:
    """Remarks on surrogacy, on pools of two trials, on non-proportional and on varying ratios."""
    pair = two_trials(material, analysis)
    said = (
        _surrogate(material, analysis),
        in_words(pair) if pair else "",
        not_proportional(material, analysis),
        ratio_varies_between_trials(material, analysis),
    )
    return tuple(filter(None, said))


def _surrogate(material: Material, analysis: Analysis) -> str:
    endpoints = material.surrogate_for(analysis)
    if not endpoints:
        return ""
    return (
        f"A surrogate outcome: a gain in {analysis.outcomes[0].in_words} does not by itself show "
        f"better {' or '.join(endpoints)}."
    )
