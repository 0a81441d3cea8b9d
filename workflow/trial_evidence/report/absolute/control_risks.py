"""Control risks (without the second agent) to which effects are applied, with their sources."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from statistics import median
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.methods import Selection
from trial_evidence.config.reports import ControlRisk, MilestoneRules
from trial_evidence.extract.selection import inadmissible
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import JOINED, Material, citation, source_ids
from trial_evidence.report.trail.trace import Cells
from trial_evidence.sheet.values import ALL, CURVE, printed_decimals
from trial_evidence.words.numbers import round_half_up
from trial_evidence.words.printed import counted, listing, patients_in_words, percent

LEVELS = ("low", "moderate", "high")
QUARTILES = ("lower quartile", "median", "upper quartile")
INFERRED = "reconstructed"


@dataclass(frozen=True)
class StartingRisk:
    """A control risk: the risk without the second agent.

    Attributes
    ----------
    level : str
        ``low``, ``36 months``, ``60 months, nodal positive``.
    risk : float
        Between 0 and 1.
    source : str
        Its source in words: trials, outcome, report.
    months : float
        The time by which events are counted; NaN if the risk has no time.
    subgroup : str
        The patients it applies to, as the sheet writes them.
    source_id, trials, cells : str
        Reports joined as in the evidence, trials joined by ``;``, rows of the sheet; empty if the
        risks are stated in the configuration.
    """

    level: str
    risk: float
    source: str
    months: float = math.nan
    subgroup: str = ALL
    source_id: str = ""
    trials: str = ""
    cells: str = ""


Found = tuple[tuple[StartingRisk, ...], str]


def control_risks(material: Material, analysis: Analysis, rule: ControlRisk) -> Found:
    """The control risks of an analysis, and a sentence on their source.

    No risks are returned if no control arm reports what the rule asks for.
    """
    if rule.source == "stated":
        stated = zip(LEVELS, rule.risks, strict=True)
        return tuple(StartingRisk(level, risk, rule.basis) for level, risk in stated), rule.basis
    trials = material.pooled_trials(analysis)
    if rule.trials:
        trials = trials[trials["trial_id"].isin(rule.trials)]
    if rule.source == "control_median":
        return _at_the_median(material, analysis, trials)
    if rule.source == "milestones":
        return _at_milestones(material, analysis, rule, records(trials))
    return _of_the_arms(analysis, trials)


def _of_the_arms(analysis: Analysis, trials: pd.DataFrame) -> Found:
    """Quartiles of the control arms that report their events."""
    counts = records(trials.dropna(subset=["events_control"]))
    if not counts:
        return (), "no control arm reports its number of events, so there is no control risk"
    quartiles = (trials["events_control"] / trials["n_control"]).quantile([0.25, 0.5, 0.75])
    arms = f"the control arms of {len(counts)} of {counted(len(trials), 'trial')}"
    only = f"the control arm of {counts[0]['trial']}" if len(trials) == 1 else ""
    # A quartile depends on all arms; their reports are listed in the table of the rows used.
    places = _places(analysis.table, counts) | {"source_id": ""}
    found = tuple(
        StartingRisk(level, risk, only or f"{name} of {arms}", **places)
        for level, name, risk in zip(LEVELS, QUARTILES, quartiles, strict=True)
    )
    names = listing([row["trial"] for row in counts])
    return found, only or f"lower quartile, median and upper quartile of {arms} ({names})"


def _at_the_median(material: Material, analysis: Analysis, trials: pd.DataFrame) -> Found:
    """50%, at the time by which half of the control patients had the event."""
    sheet = material.sheet[analysis.table].set_index("row")["median_control_months"]
    known = [
        (row, time)
        for row in records(trials)
        for time in [sheet.get(int(row["rows"]), math.nan)]
        if time == time
    ]
    if not known:
        return (), "no pooled trial reports by when half of its control patients had the event"
    times = [time for _, time in known]
    low, high = (round_half_up(time, 1) for time in (min(times), max(times)))
    span = f"{low} months" if low == high else f"{low} to {high} months"
    text = (
        "50% by definition, at the time by which half of the control patients had the event "
        f"({span} in {len(known)} of {counted(len(trials), 'trial')})"
    )
    places = _places(analysis.table, [row for row, _ in known])
    return (StartingRisk("moderate", 0.5, text, **places),), text


def _at_milestones(
    material: Material, analysis: Analysis, rule: ControlRisk, trials: Sequence[Record]
) -> Found:
    """Risk of the control arms at each time: that of the only arm, or the median of several."""
    found: list[StartingRisk] = []
    missing: dict[str, list[str]] = {}
    for subgroup in (ALL, *rule.subgroups):
        for months in rule.months:
            rates = [
                (trial, rate)
                for trial in trials
                if (rate := _rate_of(material, analysis, trial, subgroup, months)) is not None
            ]
            if rates:
                found.append(_risk_at(material, months, subgroup, rates, len(trials)))
            else:
                missing.setdefault(subgroup, []).append(f"{months:g}")
    notes = [
        "share of control patients with an event by then, the median where several trials report it"
        if found
        else "no control arm reports how many patients are event-free at the times asked for",
        _not_reported(missing) if found and missing else "",
        "different trials report at different times, so the risk at a later time may be lower"
        if _falls(found)
        else "",
    ]
    return tuple(found), "; ".join(filter(None, notes))


def _rate_of(
    material: Material, analysis: Analysis, trial: Record, subgroup: str, months: float
) -> Record | None:
    """The control arm's share at a time; if missing, that of another outcome of the analysis."""
    rules, selection = material.report.milestones, material.configuration.selection
    usable = [
        row | {"table": name}
        for name in material.sheet.of_kind("rates")
        for row in records(
            where(material.sheet[name], arm_id=trial["control_arm_id"], subgroup=subgroup)
        )
        if is_usable(row, selection, rules)
    ]
    for outcome in dict.fromkeys((trial["outcome"], *analysis.endpoints)):
        rows = [row for row in usable if row["outcome"] == outcome]
        if (rate := chosen_rate(rows, months, rules)) is not None:
            return rate
    return None


def is_usable(row: Record, selection: Selection, rules: MilestoneRules) -> bool:
    """Whether a row is admitted to the evidence and its time was printed rather than inferred."""
    inferred = row["derivation"] == INFERRED and any(
        words in row["note"] for words in rules.inferred_time
    )
    return inadmissible(row, selection) is None and not inferred


def chosen_rate(rows: Iterable[Record], months: float, rules: MilestoneRules) -> Record | None:
    """The row of ``milestones`` to use at a time, among those of one arm, outcome and subgroup.

    Parameters
    ----------
    rows : iterable of mapping
        Usable rows; ``percent_printed`` is the text in the file.
    months : float
        The requested time.

    Returns
    -------
    mapping or None
        Among the rows within the tolerance, in this order: not read off a curve, nearest in time,
        preferred population, with an interval, more decimals, verified in the trial's own report,
        first in the sheet.
    """

    def rank(row: Record) -> tuple[float, ...]:
        known = row["population"] in rules.population
        return (
            row["derivation"] == CURVE,
            abs(row["months"] - months),
            rules.population.index(row["population"]) if known else len(rules.population),
            row["ci_low"] != row["ci_low"],
            -printed_decimals(row["percent_printed"]),
            row["verification"] != "primary",
            row["row"],
        )

    near = [row for row in rows if abs(row["months"] - months) <= rules.tolerance * months]
    return min(near, key=rank, default=None)


def _risk_at(
    material: Material,
    months: float,
    subgroup: str,
    rates: Sequence[tuple[Record, Record]],
    looked_at: int,
) -> StartingRisk:
    risks = [1 - rate["percent"] / 100 for _, rate in rates]
    told = [f"{percent(risk, 1)}, " for risk in risks] if len(rates) > 1 else [""]
    source = f"median of {len(rates)}: " if len(rates) > 1 else ""
    source += "; ".join(
        _source_of(material, trial, rate, risk, months)
        for (trial, rate), risk in zip(rates, told, strict=True)
    )
    source += f" (of {looked_at} trials)" if looked_at > len(rates) else ""
    who = "" if subgroup == ALL else f", {patients_in_words(subgroup)}"
    return StartingRisk(
        f"{months:g} months{who}", median(risks), source, months, subgroup,
        **_places(rates[0][1]["table"], [rate for _, rate in rates]),
    )  # fmt: skip


def _source_of(material: Material, trial: Record, rate: Record, risk: str, months: float) -> str:
    """Trial, outcome and report of a rate: ``ALPHA (6.8%, outcome; Doe 2020, Journal)``."""
    facts = [rate["outcome"]]
    if rate["months"] != months:
        facts.append(f"{rate['months']:g} months")
    if rate["population"] != material.report.milestones.population[0]:
        facts.append(rate["population"])
    if rate["derivation"] == CURVE:
        facts.append("read off the curve")
    cited = [citation(material.sources[key]) for key in source_ids(rate["source_id"])]
    return f"{trial['trial']} ({risk}{', '.join(facts)}; {'; '.join(cited)})"


def _not_reported(missing: Mapping[str, Sequence[str]]) -> str:
    """``not reported: 96 months; nodal positive: 36 and 60 months``."""
    return "not reported: " + "; ".join(
        ("" if subgroup == ALL else f"{patients_in_words(subgroup)}: ") + f"{listing(times)} months"
        for subgroup, times in missing.items()
    )


def _falls(found: Sequence[StartingRisk]) -> bool:
    """Whether a later risk is lower than an earlier one in the same patients."""
    return any(
        later.months > earlier.months and later.risk < earlier.risk
        for earlier, later in permutations(found, 2)
        if later.subgroup == earlier.subgroup
    )


def _places(table: str, rows: Sequence[Record]) -> dict[str, Any]:
    """Trials, reports and cells behind rows of the sheet or the evidence."""
    reports = dict.fromkeys(key for row in rows for key in source_ids(row["source_id"]))
    numbers = [n for row in rows for n in str(row.get("rows", row.get("row"))).split(";")]
    return {
        "cells": str(Cells(table, tuple(numbers))),
        "source_id": JOINED.join(reports),
        "trials": ";".join(dict.fromkeys(row["trial_id"] for row in rows)),
    }
