"""Summary of findings: absolute effects per 1,000 patients, and plain-language statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from math import inf, isnan, nan
from string import ascii_lowercase
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import ControlRisk
from trial_evidence.files import Record
from trial_evidence.report.absolute.control_risks import StartingRisk, control_risks
from trial_evidence.report.absolute.effects import absolute_effect, effects_to_apply
from trial_evidence.report.absolute.remarks import remarks
from trial_evidence.report.material.material import Material, ReportTable, by_rank
from trial_evidence.report.tables.balance import BENEFIT, HARM, starting_risk
from trial_evidence.report.tables.certainty import LEVELS, Certainties, Certainty, lowers
from trial_evidence.report.tables.harms import findings_of_harms, in_every_setting
from trial_evidence.report.words import reading
from trial_evidence.report.words.formats import DIFFERENCES, Format, per_thousand
from trial_evidence.words.numbers import footnote_mark, format_number
from trial_evidence.words.printed import capital, count, counted, lower_first, words

# GRADE wording by certainty (Santesso 2020); without a rating, a statement on the trials only.
_SAID = {
    "high": "{treatment} {does} {outcome}.",
    "moderate": "{treatment} probably {does} {outcome}.",
    "low": "{treatment} may {do} {outcome}.",
    "very low": "The evidence is very uncertain about the effect of {treatment} on {outcome}.",
    "": "In {trials}, {treatment} {did} {outcome}; certainty was not rated.",
}
_NO_DIFFERENCE = {
    "do": "make little or no difference to",
    "does": "makes little or no difference to",
    "did": "made little or no difference to",
}


def summary_of_findings(material: Material, certainty: Certainties) -> ReportTable:
    """Absolute effects of every pooled answer that has control risks in the configuration.

    Risks and differences in ``data`` are proportions, not per thousand.
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for analysis in material.configuration.analyses:
        place = analysis.setting, analysis.id
        rule = material.control_risk_rules.get(place)
        if rule is None or material.lead(analysis) is None:
            continue
        found, finding = findings(material, analysis, rule, certainty.get(place, ""))
        rows += found
        where = f"{material.configuration.settings[analysis.setting]}, {analysis.title}"
        notes.append(" ".join(filter(None, [
            f"{where}: {finding}.", *remarks(material, analysis)
        ])))  # fmt: skip
    for _, lead, start in findings_of_harms(material):
        # A harm uses the risk of its own control arms, not an external one
        rows.append({**lead, **_starting(start, start.source), "certainty": ""})
        setting = material.configuration.settings[lead["setting"]]
        notes.append(f"{setting}, {lead['title']}: {start.source}.")
    formats: dict[str, Format] = {"trials": _trials, "with_limits": _with_limits}
    return material.table("summary_of_findings", rows, formats, dict.fromkeys(notes))


def findings(
    material: Material, analysis: Analysis, rule: ControlRisk, certainty: str
) -> tuple[list[dict[str, Any]], str]:
    """The rows of one analysis, and a note on their derivation.

    One row per control risk and model: the leading one, then the co-primary one.
    """
    risks, basis = control_risks(material, analysis, rule)
    effects, scale = effects_to_apply(material, analysis)
    rows = [
        effect
        | _starting(start, basis)
        | {"certainty": "" if effect["role"] == "co-primary" else certainty}
        | absolute_effect(effect, start.risk)
        for start in risks
        for effect in effects
    ]
    return rows, "; ".join(filter(None, (basis, scale)))


def _starting(start: StartingRisk, basis: str) -> dict[str, Any]:
    """The columns of a control risk, with its basis and sources."""
    found = {f"control_risk_{name}": value for name, value in asdict(start).items()}
    return found | {"control_risk_basis": basis, "source_id": start.source_id}


def _trials(row: Record) -> str:
    patients = count(row["participants"])
    return count(row["k"]) + (f" ({patients})" if patients else "")


def _with_limits(row: Record, key: str, form: str) -> str:
    text = per_thousand if form == "per" else _more_or_fewer
    return f"{text(row[key])} ({text(row[f'{key}_low'])} to {text(row[f'{key}_high'])})"


def _more_or_fewer(difference: float) -> str:
    number = per_thousand(abs(difference))
    if number == "0":
        return "0"
    return f"{number} {'more' if difference > 0 else 'fewer'}"


def plain_language_table(material: Material, found: Sequence[Certainty]) -> ReportTable:
    """One row per pooled answer and harm: participants, effects, certainty, and a sentence.

    Letters refer to notes with the reasons why a certainty was lowered.
    """
    rated = {(c.setting, c.analysis): c for c in found}
    letters: dict[str, str] = {}
    said = [*_benefits_in_words(material, rated), *_harms_in_words(material)]
    said.sort(key=lambda row: [*material.configuration.settings].index(row["setting"]))
    rows = [row | {"certainty": _lettered(row["rated"], letters)} for row in said]
    reasons = [f"{letter}. {reason}" for reason, letter in letters.items()]
    notes = [*reasons, *_risks(material, rows), *in_every_setting(material)]
    return material.table("plain_language", rows, {"participants": _participants}, notes)


def _risks(material: Material, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Where the risks with control of benefits come from; those of harms are of the same trials."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.get("start"):
            words = f"{lower_first(row['about'])}, {row['start'].source}"
            found.setdefault(row["setting"], []).append(words)
    for setting, sources in found.items():
        name = material.configuration.settings[setting]
        yield f"{name}. Risk with control: {'; '.join(sources)}."


def statement(
    lead: Record,
    certainty: str,
    outcome: str,
    treatment: str,
    *,
    survival: bool,
    fewer_is_better: bool,
    worthwhile: float,
    few: float = inf,
    doubted: bool = False,
) -> str:
    """A sentence on an effect, worded as strongly as its certainty allows.

    Parameters
    ----------
    lead
        The ratio with its interval; also the limits of the difference, if known.
    certainty
        ``high`` to ``very low``; empty if not rated.
    outcome, treatment
        Worded for a sentence: ``event-free survival``, ``dual blockade``.
    survival
        The outcome is a time to event: it improves or worsens, rather than being more or less
        frequent.
    fewer_is_better, worthwhile
        Direction of benefit, and the smallest clinically relevant ratio.
    few
        The smallest relevant difference: for common outcomes, a ratio near 1 concerns many
        patients.
    doubted
        The interval of the co-primary model includes no difference but that of the leading one
        does not: the statement says at most "probably".
    """
    better = (lead["estimate"] < 1) == fewer_is_better
    verb = ("improve" if better else "worsen") if survival else (
        "increase" if lead["estimate"] > 1 else "reduce"
    )  # fmt: skip
    forms = {"do": verb, "does": f"{verb}s", "did": f"{verb.removesuffix('e')}ed"}
    if reading.includes_null(lead):
        forms = _NO_DIFFERENCE
        neither = format_number(lead["estimate"]) == format_number(reading.null_of(lead["measure"]))
        within = lead["ci_low"] > 1 / worthwhile and lead["ci_high"] < worthwhile
        within &= all(abs(lead.get(f"difference_{end}") or 0) < few for end in ("low", "high"))
        if not within and (neither or not certainty):
            show = "trial does" if lead["k"] == 1 else "trials do"
            return f"The {show} not show whether {treatment} changes {outcome}."
        if not within and certainty != LEVELS[0]:
            but = "but the interval includes 1 (no difference)."
            return capital(f"{treatment} may {verb} {outcome}, {but}")
    trials = "one trial" if lead["k"] == 1 else "the trials"
    strength = LEVELS[-2] if doubted and certainty == LEVELS[-1] else certainty
    said = _SAID[strength].format(treatment=treatment, outcome=outcome, trials=trials, **forms)
    if doubted and certainty != LEVELS[0]:
        said += " The interval of the co-primary model includes 1 (no difference)."
    return capital(said)


def _benefits_in_words(
    material: Material, rated: Mapping[tuple[str, str], Certainty]
) -> Iterator[dict[str, Any]]:
    for analysis in material.front():
        lead, certainty = material.lead(analysis), rated.get((analysis.setting, analysis.id))
        if lead is None:
            continue
        start = starting_risk(material, analysis)
        effects = effects_to_apply(material, analysis)[0]
        absolute = absolute_effect(effects[0], start.risk) if start and effects else _UNKNOWN
        treatment, control = map(lower_first, analysis.treatments)
        leads = [lead | absolute, *material.leads(analysis)[1:]]
        said = _said(material, analysis, leads, certainty, treatment)
        yield {
            **lead,
            **absolute,
            "side": BENEFIT,
            "about": _about(analysis, start, control),
            "rated": certainty,
            "start": start,
            "sentence": f"Compared with {control}, {lower_first(said)}" if said else "",
        }


def _harms_in_words(material: Material) -> Iterator[dict[str, Any]]:
    for analysis, lead, _ in findings_of_harms(material):
        added = material.agents_named(lead["subgroup"].partition("=")[2].replace("+", " + "))
        found = material.about(material.evidence.estimates, analysis, subgroup=lead["subgroup"])
        leads = [lead, *by_rank(found)[1:]]
        said = _said(material, analysis, leads, None, f"adding {lower_first(added)}")
        none = bool(lead["difference_low"] <= 0 <= lead["difference_high"])
        if none != bool(reading.includes_null(lead)):
            said += f" The interval of the risk difference {'includes' if none else 'excludes'} 0."
        if lead["further"]:
            said += f" The difference also counts {lead['further']}, which cannot show a ratio."
        yield {**lead, "side": HARM, "about": lead["title"], "rated": None, "sentence": said}


_UNKNOWN = dict.fromkeys(("control_risk", "risk", "risk_low", "risk_high", *DIFFERENCES))


def _said(
    material: Material,
    analysis: Analysis,
    leads: Sequence[Record],
    rated: Certainty | None,
    treatment: str,
) -> str:
    """The statement on the leading estimate, given the co-primary one."""
    lead, *others = leads
    if not reading.measure_of(lead["measure"]).is_ratio:
        return ""
    return statement(
        lead,
        rated.level if rated else "",
        lower_first(analysis.outcomes[0].in_words),
        treatment,
        survival=analysis.kind == "contrasts",
        fewer_is_better=analysis.fewer_is_better,
        worthwhile=material.worthwhile_ratio,
        few=material.configuration.sensitivity.required_information.difference,
        doubted=not reading.includes_null(lead) and any(map(reading.includes_null, others)),
    )


def _about(analysis: Analysis, start: StartingRisk | None, control: str) -> str:
    """The outcome, the time by which events are counted, and the comparator."""
    months = start.months if start else nan
    by = "" if isnan(months) else f", {months:g} months"
    return f"{capital(analysis.outcomes[0].in_words)}{by} (v {control})"


def _participants(row: Record) -> str:
    """Numbers of patients (if every trial reports it) and trials."""
    patients, trials = row["participants"], counted(int(row["k"]), "trial")
    return trials if isnan(patients) else f"{counted(int(patients), 'patient')}, {trials}"


def _lettered(rated: Certainty | None, letters: dict[str, str]) -> str:
    """The certainty with letters for the reasons that lower it; new reasons get new letters."""
    if rated is None:
        return "Not rated"
    reasons = [
        f"{words(domain.name).capitalize()}: {domain.reason}"
        for domain in rated.domains
        if lowers(domain)
    ]
    for reason in reasons:
        letters.setdefault(reason, footnote_mark(len(letters), ascii_lowercase))
    return " ".join([rated.words, ", ".join(letters[reason] for reason in reasons)]).strip()
