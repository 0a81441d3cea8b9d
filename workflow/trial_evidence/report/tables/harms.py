"""Harms: the counts of every trial, and their effects per 1,000 patients."""

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import DIFFERENCE, Analysis
from trial_evidence.extract.selection import inadmissible
from trial_evidence.files import Record, records, where
from trial_evidence.report.absolute.control_risks import StartingRisk
from trial_evidence.report.absolute.effects import absolute_effect
from trial_evidence.report.material.material import JOINED, Material, ReportTable, of_pool
from trial_evidence.report.trail.trace import cells_of
from trial_evidence.report.words.formats import DIFFERENCES, Format
from trial_evidence.words.printed import capital, listing, lower_first

_OWN = ["estimate", "estimate_low", "estimate_high"]


def harms_table(material: Material) -> ReportTable:
    """Every trial's counts of every harm, with definition and source.

    ``difference`` and its limits are proportions; they are printed per 1,000 patients.
    """
    rows = [row for analysis in harm_analyses(material) for row in _trials(material, analysis)]
    formats: dict[str, Format] = {
        "counts_of": lambda row, arm: f"{row[f'events_{arm}']:.0f}/{row[f'n_{arm}']:.0f}",
        "pooled": lambda row: row["not_pooled_reason"] or "yes",
    }
    return material.table("harms", rows, formats)


def harm_analyses(material: Material) -> tuple[Analysis, ...]:
    """The analyses of harms, in the order of the configuration."""
    return tuple(analysis for analysis in material.configuration.analyses if analysis.harm)


def findings_of_harms(material: Material) -> Iterator[tuple[Analysis, Record, StartingRisk]]:
    """The leading result on each harm by agents added, with its control risk.

    The control risk is that of all patients in the control arms of its trials; its source names
    the trials and reports. The result holds the ratio with its interval, and the columns of
    `absolute_effect` calculated from the risk difference of the same trials: few control patients
    had the harm, and applying the interval of the ratio to their risk would count the uncertainty
    of that risk twice.
    """
    for analysis in harm_analyses(material):
        trials = of_pool(material.evidence.trials, analysis)
        found = material.about(material.evidence.estimates, analysis, role="lead")
        for lead in records(found[found["subgroup"].str.contains("=")]):
            difference = _difference(material, analysis, lead)
            mine = trials[trials["trial_id"].isin(difference["trials"].split(";"))]
            mine = where(mine, measure=difference["measure"])
            risk = mine["events_control"].sum() / mine["n_control"].sum()
            arms = [f"{row['trial']} ({material.cited(row['source_id'])})" for row in records(mine)]
            source = f"control arm{'s' if len(mine) > 1 else ''} of {', '.join(arms)}"
            sources = JOINED.join(dict.fromkeys(mine["source_id"]))
            start = StartingRisk(
                "observed", risk, source, trials=difference["trials"], source_id=sources
            )
            title = f"{analysis.labels[0]}, {mine['added'].iloc[0].lower()} added"
            absolute = absolute_effect(difference, risk)
            more = mine.loc[~mine["trial_id"].isin(lead["trials"].split(";")), "trial"]
            yield analysis, {**lead, "title": title, **absolute, "further": listing([*more])}, start


def without_estimate(material: Material, setting: str) -> str:
    """A sentence on the harms that trials of a setting reported but that have no estimate.

    In a summary of harms, a missing harm would be read as one that does not occur. Empty if none
    is missing.
    """
    missing: dict[str, list[str]] = {}
    compared: set[tuple[str, str]] = set()
    for analysis in harm_analyses(material):
        if analysis.setting != setting:
            continue
        led = set(material.about(material.evidence.estimates, analysis, role="lead")["subgroup"])
        trials = material.about(material.evidence.trials, analysis)
        compared |= {*product(trials["trial_id"], analysis.endpoints)}
        for agents, mine in trials.groupby("added_agents", sort=False):
            if f"{analysis.subgroups}={agents}" not in led:
                harm, added = analysis.labels[0], mine["added"].iloc[0]
                reasons = dict.fromkeys(mine["not_pooled_reason"].str.rstrip("."))
                why = ", or ".join(lower_first(reason) for reason in filter(None, reasons))
                missing.setdefault(why, []).append(f"{lower_first(harm)} ({lower_first(added)})")
    said = [
        f"{capital(why) or 'No reason is recorded'}: {', '.join(names)}."
        for why, names in missing.items()
    ]
    if said:
        said = ["Reported, but not estimated.", *said, "See the harms trial by trial."]
    if others := list(_with_other_harms(material, setting, compared)):
        said.append(
            f"Other harms, or harms of other comparisons, were reported by {listing(others)}. They "
            "are not estimated here; see the page of each trial."
        )
    return " ".join(said)


def _with_other_harms(
    material: Material, setting: str, compared: Collection[tuple[str, str]]
) -> Iterator[str]:
    """Randomised trials of a setting with a harm in two arms or more that is not compared.

    `compared` are trials, each with an outcome.
    """
    selection = material.configuration.selection
    for trial_id, trial in material.trials.items():
        if trial["setting"] != setting or trial["randomised"] != "yes":
            continue
        arms: dict[str, set[str]] = {}
        for table in {analysis.table for analysis in harm_analyses(material)}:
            for row in material.sheet.of_trial(table, trial_id):
                if inadmissible(row, selection) is None:
                    arms.setdefault(row["outcome"], set()).add(row["arm_id"])
        if any(len(found) > 1 and (trial_id, name) not in compared for name, found in arms.items()):
            yield material.trial_name(trial_id)


def in_every_setting(material: Material) -> Iterator[str]:
    """`without_estimate` of every setting that lacks an estimate, preceded by its title."""
    for setting, title in material.configuration.settings.items():
        if said := without_estimate(material, setting):
            yield f"{title}. {said}"


def _difference(material: Material, analysis: Analysis, lead: Record) -> Record:
    """The risk difference pooled like a ratio; if there is none, the ratio itself.

    It may rest on more trials: one without events says nothing about a ratio, but something about a
    difference. That of a single trial is the observed one: the half patients added to a trial with
    an empty arm belong in its interval, and would spare more patients than had the event.
    """
    pools = where(of_pool(material.evidence.estimates, analysis), measure=DIFFERENCE, role="lead")
    pooled = {**next(iter(records(where(pools, subgroup=lead["subgroup"]))), lead)}
    trials = where(of_pool(material.evidence.trials, analysis), measure=DIFFERENCE)
    own = [
        pooled
        | {"ci_low": row["estimate_low"], "ci_high": row["estimate_high"]}
        | {"estimate": _observed(row) if row["corrected"] == "yes" else row["estimate"]}
        for row in records(trials[trials["trial_id"] == pooled["trials"]])
    ]
    return next(iter(own), pooled)


def _observed(row: Record) -> float:
    one, other = (row[f"events_{side}"] / row[f"n_{side}"] for side in ("experimental", "control"))
    return float(one - other)


def _trials(material: Material, analysis: Analysis) -> Iterator[dict[str, Any]]:
    found = of_pool(material.evidence.trials, analysis)
    ratio = where(found, measure=analysis.measures[0])
    renamed = dict(zip(_OWN, DIFFERENCES, strict=True))
    change = where(found, measure=DIFFERENCE)[["trial_id", *_OWN]].rename(columns=renamed)
    for row in records(pd.merge(ratio, change, on="trial_id", how="left")):
        yield row | {"cells": str(cells_of(row, material.configuration))}
