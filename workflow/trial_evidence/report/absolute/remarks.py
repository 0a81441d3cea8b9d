"""What a reader of an answer has to know beside it: of what its ratio is an average."""

from trial_evidence.config.configuration import Analysis
from trial_evidence.report.absolute.hazards import not_proportional
from trial_evidence.report.absolute.scale import ratio_varies_between_trials
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.two_trials import in_words, two_trials


def remarks(material: Material, analysis: Analysis) -> tuple[str, ...]:
    """Of two trials what each says; of what a hazard ratio or a risk ratio is an average."""
    pair = two_trials(material, analysis)
    said = (
        in_words(pair) if pair else "",
        not_proportional(material, analysis),
        ratio_varies_between_trials(material, analysis),
    )
    return tuple(filter(None, said))
