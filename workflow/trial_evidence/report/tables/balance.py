"""Benefits and harms of an added agent side by side: differences per 1,000 patients."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from math import nan
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import ControlRisk
from trial_evidence.files import Record, records, where
from trial_evidence.report.absolute.control_risks import StartingRisk, control_risks
from trial_evidence.report.absolute.effects import absolute_effect, constant_scale
from trial_evidence.report.material.material import Material, ReportTable, of_pool
from trial_evidence.report.tables.harms import findings_of_harms, in_every_setting

BENEFIT, HARM = "Benefit", "Harm"
NO_OWN_RISK = "none of these trials added the agent"
Balance = dict[str, Any]


def balance_table(material: Material) -> ReportTable:
    """Differences per 1,000 patients when an agent is added: benefits, then harms.

    One row per setting, agents added and outcome; risks and differences in ``data`` are
    proportions.
    """
    return material.table("balance", balance(material), notes=in_every_setting(material))


def balance(material: Material) -> list[Balance]:
    """The rows of `balance_table`, by setting and by agents in the order of the analyses.

    Only for agents with results on both benefit and harm.
    """
    found = [*_benefits(material), *_harms(material)]
    sides: dict[tuple[str, str], set[str]] = {}
    for row in found:
        sides.setdefault((row["setting"], row["added"]), set()).add(row["side"])
    settings = list(material.configuration.settings)
    both = [place for place, present in sides.items() if len(present) == 2]
    both.sort(key=lambda place: settings.index(place[0]))
    return [row for place in both for row in found if (row["setting"], row["added"]) == place]


def _benefits(material: Material) -> Iterator[Balance]:
    for analysis in material.front():
        if analysis.setting not in material.report.balance_months:
            continue
        measure = constant_scale(material, analysis).measure
        estimates = of_pool(material.evidence.estimates, analysis)
        for lead in records(where(estimates, measure=measure, role="lead")):
            added = lead["subgroup"].partition("=")[0] == analysis.subgroups == "added_agents"
            start = starting_risk(material, analysis, lead["trials"].split(";")) if added else None
            if start is not None:
                trials = material.about(material.evidence.trials, analysis, subgroup="all")
                mine = trials[trials["trial_id"].isin(lead["trials"].split(";"))]
                about = _counted(analysis, start.months, set(mine["outcome"]))
                found = lead | absolute_effect(lead, start.risk)
                yield _row(material, analysis, found, BENEFIT, about, start)


def _harms(material: Material) -> Iterator[Balance]:
    for analysis, lead, start in findings_of_harms(material):
        yield _row(material, analysis, lead, HARM, analysis.labels[0], start)


def _counted(analysis: Analysis, months: float, reported: Collection[str]) -> str:
    """The event that is counted: a response, a death, or an event of an endpoint by some time.

    The endpoint is the one that the trials reported, which may not be the first of the analysis.
    """
    first = analysis.outcomes[0]
    if analysis.kind == "counts":
        return first.label
    by = f" by {months:g} months" if months == months else ""
    labels = [outcome.label for outcome in analysis.outcomes if outcome.name in reported]
    return f"{'Death' if first.survival else ' or '.join(labels) + ' event'}{by}"


def starting_risk(
    material: Material, analysis: Analysis, trials: Collection[str] = ()
) -> StartingRisk | None:
    """The control risk with which benefits and harms are compared; None if there is none.

    The control arms of `trials` come first, because an effect is best applied to the patients it
    was found in; if they report none, those of all trials of the analysis are used, which the
    source of the risk then says.
    """
    rule = material.control_risk_rules.get((analysis.setting, analysis.id))
    if rule is None:
        return None
    months = material.report.balance_months.get(analysis.setting, nan)

    def typical(rule: ControlRisk) -> StartingRisk | None:
        return typical_risk(control_risks(material, analysis, rule)[0], months)

    if rule.source == "stated" or not trials:
        return typical(rule)
    own = tuple(trial for trial in trials if not rule.trials or trial in rule.trials)
    if found := typical(replace(rule, trials=own)) if own else None:
        return found
    whole = typical(rule)
    return whole and replace(whole, source=f"{whole.source}; {NO_OWN_RISK}")


def typical_risk(risks: tuple[StartingRisk, ...], months: float) -> StartingRisk | None:
    """The control risk of all patients nearest the requested time; of untimed ones, the middle."""
    whole = [risk for risk in risks if risk.subgroup == "all"]
    timed = [risk for risk in whole if risk.months == risk.months]
    if timed:
        return min(timed, key=lambda risk: abs(risk.months - months))
    return whole[len(whole) // 2] if whole else None


def _row(
    material: Material, analysis: Analysis, lead: Record, side: str, about: str, start: StartingRisk
) -> Balance:
    agents = lead["subgroup"].partition("=")[2]
    return {
        **lead,
        "side": side,
        "added": material.agents_named(agents.replace("+", " + ")),
        "about": about,
        "better": "fewer" if analysis.fewer_is_better else "more",
        "control_risk_source": start.source,
    }
