"""What a reader of an answer has to know beside it: of what its ratio is an average."""

from trial_evidence.config.configuration import Analysis
from trial_evidence.report.absolute.hazards import not_proportional
from trial_evidence.report.absolute.scale import varies_with_control_risk
from trial_evidence.report.material.material import Material


def remarks(material: Material, analysis: Analysis) -> tuple[str, ...]:
    """Of hazard ratios that they are averages over time, of risk ratios over control risks."""
    said = (not_proportional(material, analysis), varies_with_control_risk(material, analysis))
    return tuple(filter(None, said))
