"""Summary of findings: what an effect means in patients of a thousand."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import ControlRisk
from trial_evidence.report.absolute.control_risks import StartingRisk, control_risks
from trial_evidence.report.absolute.effects import absolute_effect, effects_to_apply
from trial_evidence.report.absolute.remarks import remarks
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.tables.harms import PER, findings_of_harms
from trial_evidence.report.words.formats import Format, Row
from trial_evidence.report.words.printed import count
from trial_evidence.words.numbers import round_half_up


def summary_of_findings(
    material: Material, certainty: Mapping[tuple[str, str], str]
) -> ReportTable:
    """Absolute effects of every pooled answer with control risks in the configuration.

    Risks and differences in ``data`` are proportions, not per thousand.
    """
    wanted = {(c.setting, c.analysis): c for c in material.report.control_risks}
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for analysis in material.configuration.analyses:
        place = analysis.setting, analysis.id
        if place not in wanted or material.lead(analysis) is None:
            continue
        found, told = findings(material, analysis, wanted[place], certainty.get(place, ""))
        rows += found
        where = f"{material.configuration.settings[analysis.setting]}, {analysis.title}"
        notes.append(" ".join(filter(None, [
            f"{where}: {told}.", *remarks(material, analysis)
        ])))  # fmt: skip
    for _, lead, start in findings_of_harms(material):
        rows.append(_harm(lead, start))
        setting = material.configuration.settings[lead["setting"]]
        notes.append(f"{setting}, {lead['title']}: {start.source}.")
    formats: dict[str, Format] = {
        "trials": _trials,
        "per": lambda row, key: _per(row[key]),
        "with_limits": _with_limits,
    }
    return material.table("summary_of_findings", rows, formats, dict.fromkeys(notes))


def findings(
    material: Material, analysis: Analysis, rule: ControlRisk, certainty: str
) -> tuple[list[dict[str, Any]], str]:
    """The rows of one analysis, and the note on where they come from.

    A row a control risk and model: the leading one, then the co-primary one.
    """
    risks, basis = control_risks(material, analysis, rule)
    effects, scale = effects_to_apply(material, analysis)
    rows = [
        effect
        | {f"control_risk_{name}": value for name, value in asdict(start).items()}
        | {"control_risk_basis": basis, "source_id": start.source_id}
        | {"certainty": "" if effect["role"] == "co-primary" else certainty}
        | absolute_effect(effect, start.risk)
        for start in risks
        for effect in effects
    ]
    return rows, "; ".join(filter(None, (basis, scale)))


def _harm(lead: Row, start: StartingRisk) -> dict[str, Any]:
    """A row of a harm, by its own control arms' risk: that is no other risk to carry a ratio to."""
    return {
        **lead,
        **{f"control_risk_{name}": value for name, value in asdict(start).items()},
        "control_risk_basis": start.source,
        "source_id": start.source_id,
        "certainty": "",
        **absolute_effect(lead, start.risk),
    }


def _trials(row: Row) -> str:
    patients = count(row["participants"])
    return count(row["k"]) + (f" ({patients})" if patients else "")


def _with_limits(row: Row, key: str, form: str) -> str:
    text = _per if form == "per" else _more_or_fewer
    return f"{text(row[key])} ({text(row[f'{key}_low'])} to {text(row[f'{key}_high'])})"


def _per(risk: float) -> str:
    return round_half_up(PER * risk, 0)


def _more_or_fewer(difference: float) -> str:
    number = _per(abs(difference))
    if number == "0":
        return "0"
    return f"{number} {'more' if difference > 0 else 'fewer'}"
