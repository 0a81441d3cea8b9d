"""Network estimates before and after an edit, for the networks affected by it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from trial_evidence.changes.compare import EstimateChange, Key, differing
from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import Network, NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.extract.context import Context, setting_context
from trial_evidence.extract.evidence import SettingEvidence, evidence_of
from trial_evidence.files import Record, records, where
from trial_evidence.network.evidence.rows import NetworkEvidence, evidence_of_networks
from trial_evidence.network.examined import examined, synergy_of
from trial_evidence.network.models import LEADING
from trial_evidence.network.models import WALD as RANDOM
from trial_evidence.network.within_trials.surrogacy import MAIN
from trial_evidence.network.within_trials.synergy import SCALES
from trial_evidence.network.within_trials.trial_level import (
    ALL_PAIRS,
    surrogacy_results,
    surrogacy_table,
)
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.report.material.afresh import TablesOfNetworks
from trial_evidence.sheet import Sheet
from trial_evidence.words.models import random_model
from trial_evidence.words.printed import lower_first, with_interval

# Columns that may differ without affecting a result: rows move, notes are rewritten, readings
# are compared.
_IRRELEVANT = ["rows", "note", "locator", "readers_differ", "exclusion_overridden"]
# Setting, analysis, model, result before and after.
SurrogacyChange = tuple[str, str, str, str, str]
# Name of the model as in the estimates table.
WALD = random_model("REML", "wald")


@dataclass(frozen=True)
class Side:
    """Sheet and configuration, before or after; ``report`` is None if it does not fit."""

    sheet: Sheet
    configuration: Configuration
    networks: NetworkConfiguration
    report: ReportConfiguration | None = None

    @cached_property
    def contexts(self) -> dict[str, Context]:
        """Setting -> its part of the sheet."""
        return {
            setting: setting_context(self.sheet, self.configuration, setting)
            for setting in self.configuration.settings
        }

    @cached_property
    def evidence(self) -> dict[str, SettingEvidence]:
        """Setting -> the evidence of its analyses."""
        return {setting: evidence_of(context) for setting, context in self.contexts.items()}

    @cached_property
    def evidence_of_networks(self) -> dict[str, dict[str, NetworkEvidence]]:
        """Setting -> the evidence of its networks, by their ids."""
        known = self.sheet, self.configuration, self.networks
        return {
            setting: evidence_of_networks(*known, setting, context)
            for setting, context in self.contexts.items()
        }


@dataclass(frozen=True)
class NetworkChanges:
    """The effects of an edit on the networks.

    Attributes
    ----------
    estimates : tuple of EstimateChange
        Effects against the reference, components, interactions and synergy that differ; `regimen`
        says which it is.
    tables : pair of mapping
        Before and after: (setting, network) -> its tables by name, for networks that were fitted.
    surrogacy : tuple
        Setting, analysis, model, and the result in words before and after, where it differs.
    """

    estimates: tuple[EstimateChange, ...] = ()
    tables: tuple[TablesOfNetworks, TablesOfNetworks] = ({}, {})
    surrogacy: tuple[SurrogacyChange, ...] = ()


def network_changes(
    before: Side,
    after: Side,
    judged: tuple[Collection[str], Collection[str]] = ((), ()),
) -> NetworkChanges:
    """Compare the networks of all settings.

    Effects are those of the leading model. A network is fitted again only if its evidence or its
    configuration differs, or if it, or a trial in it, was `judged` otherwise.
    """
    changes: list[EstimateChange] = []
    tables: tuple[dict[Any, Any], dict[Any, Any]] = ({}, {})
    surrogacy: list[SurrogacyChange] = []
    for setting in dict.fromkeys([*before.configuration.settings, *after.configuration.settings]):
        old, new = (side.evidence_of_networks.get(setting, {}) for side in (before, after))
        for name in dict.fromkeys([*old, *new]):
            one, other = old.get(name), new.get(name)
            if (
                _same_methods(before, after)
                and _same_evidence(one, other)
                and not _judged_otherwise(name, other, judged)
            ):
                continue
            of_sides: list[dict[Key, Record]] = []
            for found, side, held in ((one, before, tables[0]), (other, after, tables[1])):
                of_sides.append({})
                if found is not None:
                    synergy = synergy_of(found.network, side.networks)
                    held[setting, name] = examined(found, synergy, side.configuration)[2]
                    of_sides[-1] = dict(_estimates(found, held[setting, name], side))
            changes += differing(*of_sides)
        surrogacy += _surrogacy_changes((before, after), (old, new), setting)
    return NetworkChanges(tuple(changes), tables, tuple(surrogacy))


def _same_methods(before: Side, after: Side) -> bool:
    """Whether the same evidence gives the same estimates; the selection of rows may differ."""
    return before.networks.synergy == after.networks.synergy and all(
        getattr(before.configuration, name) == getattr(after.configuration, name)
        for name in ("confidence_level", "tau_priors", "pooling")
    )


def _same_evidence(one: NetworkEvidence | None, other: NetworkEvidence | None) -> bool:
    if one is None or other is None:
        return False
    keys = ["trial_id", "regimen", "against"]
    first, second = (
        found.used.drop(columns=_IRRELEVANT).sort_values(keys, ignore_index=True)
        for found in (one, other)
    )
    return first.equals(second) and one.network == other.network


def _judged_otherwise(
    name: str, evidence: NetworkEvidence | None, judged: tuple[Collection[str], Collection[str]]
) -> bool:
    names, trials = judged
    of_trials = set() if evidence is None else set(evidence.used["trial_id"])
    return name in names or not of_trials.isdisjoint(trials)


def _surrogacy_changes(
    sides: tuple[Side, Side],
    evidence: tuple[Mapping[str, NetworkEvidence], Mapping[str, NetworkEvidence]],
    setting: str,
) -> Iterator[SurrogacyChange]:
    """The main results of surrogacy that differ, if the evidence or the question does."""
    asked = [side.networks.surrogacy for side in sides]
    old, new = evidence
    if _same_methods(*sides) and asked[0] == asked[1]:
        names = {name for entry in asked[1] for name in (entry.surrogate, entry.endpoint)}
        if all(_same_evidence(old[name], new[name]) for name in names.intersection(old, new)):
            return
    was, now = (dict(_surrogacy(*of, setting)) for of in zip(sides, evidence, strict=True))
    for key in dict.fromkeys([*was, *now]):
        if was.get(key) != now.get(key):
            yield (*key, was.get(key, "none"), now.get(key, "none"))


def _surrogacy(
    side: Side, evidence: Mapping[str, NetworkEvidence], setting: str
) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Setting, analysis and model of every main result of surrogacy, and the result in words."""
    for entry in side.networks.surrogacy:
        if entry.setting != setting:
            continue
        of = evidence[entry.surrogate], evidence[entry.endpoint]
        found = surrogacy_results(entry, *of, side.configuration.confidence_level)
        for row in records(where(surrogacy_table(found), role=MAIN)):
            slope, share = (
                with_interval(*(row[f"{name}{end}"] for end in ("", "_low", "_high")))
                for name in ("slope", "r2")
            )
            none = lower_first(str(row["reason"]).rstrip("."))
            said = f"slope {slope}, R² {share}" if slope else f"none ({none})"
            if found.found.overturned:
                said = "withheld, because it depends on one trial"
            yield (setting, entry.id, row["model"]), said


def _estimates(
    evidence: NetworkEvidence, tables: Mapping[str, pd.DataFrame], side: Side
) -> Iterator[tuple[Key, Record]]:
    """Key and row, in the form of the estimates table, of every estimate of a network."""
    network = evidence.network
    parts = {row["part"]: row for row in records(tables["summary"])}
    tau2 = {(row["part"], row["model"]): row["tau2"] for row in records(tables["intervals"])}
    for row in records(tables["reference"]):
        if row["role"] == LEADING:
            part = parts[row["part"]]
            model = WALD if row["model"] == RANDOM else row["model"]
            of = {"k": part["trials"], "tau2": tau2[row["part"], row["model"]], "model": model}
            yield _key(network, network.measure, f"{row['code']} v {row['reference']}"), row | of
    trials = 0 if evidence.data is None else len(evidence.data.studies)
    shared = {"k": trials, "model": WALD, "pi_low": None, "pi_high": None}
    components = tables["components"][tables["components"]["model"] == RANDOM]
    pairs = records(tables["interactions"])
    named = [(f"component {row['component']}", row) for row in records(components)]
    named += [(f"{row['first']} × {row['second']}, beyond the sum", row) for row in pairs]
    for what, row in named:
        if row["estimate"] == row["estimate"]:
            yield _key(network, network.measure, what), row | shared
    if "synergy" in tables:
        yield from _synergy(network, tables["synergy"], side)


def _synergy(network: Network, table: pd.DataFrame, side: Side) -> Iterator[tuple[Key, Record]]:
    """The leading pool of all trials on every scale, at the first background with a result."""
    # A row without a result has a reason.
    shown = (table["kind"] == "pooled") & (table["agents"] == ALL_PAIRS) & table["reason"].isna()
    pools = table[shown]
    pooling = side.configuration.pooling
    leading = [leading_model(int(k), pooling, empirical=False).model for k in pools["k"]]
    for row in records(pools[pools["model"] == leading].drop_duplicates("scale")):
        scale = SCALES[row["scale"]]
        measure = "ratio_to_expected" if scale.ratio else "difference_from_expected"
        yield _key(network, measure, f"synergy within trials, {scale.label}"), row


def _key(network: Network, measure: str, what: str) -> Key:
    return (network.setting, network.id, measure, "all", what)
