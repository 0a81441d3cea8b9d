"""Estimates before and after an edit, for the analyses affected by it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.evidence import SettingEvidence
from trial_evidence.files import Record, records
from trial_evidence.measures import MEASURES
from trial_evidence.pool.estimates import pool_setting
from trial_evidence.pool.shown import shown_estimates
from trial_evidence.report.words.formats import effect
from trial_evidence.words.printed import of_whom

# Setting, analysis, measure, subgroup, and the regimen or the quantity of a network.
Key = tuple[str, str, str, str, str]
# Key -> row with model, k, estimate and its limits, tau2 and prediction interval.
Estimates = Mapping[Key, Record]

# Parts of a configuration that affect results, besides the analyses themselves.
METHODS = ("confidence_level", "tau_priors", "pooling", "effect_modifier_min_trials")
# Columns that may differ without affecting a result: rows move, notes are rewritten.
_IRRELEVANT = ["rows", "note", "locator"]
_COMPARED = ("k", "estimate", "ci_low", "ci_high", "tau2", "pi_low", "pi_high")


@dataclass(frozen=True)
class EstimateChange:
    """A leading estimate before and after an edit.

    ``before`` and ``after`` are rows of the estimates table, or None if missing.
    """

    setting: str
    analysis: str
    measure: str
    subgroup: str
    regimen: str
    before: Record | None
    after: Record | None

    @property
    def whom(self) -> str:
        """The regimen, or the quantity of a network, and the subgroup."""
        return ", ".join(filter(None, (self.regimen, of_whom(self.subgroup))))

    @property
    def conclusion(self) -> str:
        """How the interval's relation to no effect changed, in words; empty if it did not."""
        null = _null(self.measure)
        if null is None or self.before is None or self.after is None:
            return ""
        was, now = (_verdict(record, null) for record in (self.before, self.after))
        return "" if was == now else f"the interval was {was} and is now {now}"


def side(record: Record | None) -> str:
    """An estimate with its number of trials: ``1.46 (1.25–1.70), k = 10``; ``none`` if missing."""
    return "none" if record is None else f"{effect(record)}, k = {record['k']:.0f}"


def affected_analyses(before: SettingEvidence | None, after: SettingEvidence | None) -> set[str]:
    """Analyses of a setting whose rows differ in anything that affects a result or a figure.

    If the setting exists only before or only after, all its analyses differ.
    """
    old, new = _by_analysis(before), _by_analysis(after)
    same = {name for name in old if name in new and old[name].equals(new[name])}
    return (old.keys() | new.keys()) - same


def _by_analysis(evidence: SettingEvidence | None) -> dict[str, pd.DataFrame]:
    return {
        str(name): rows.reset_index(drop=True)
        for table in ((evidence.used, evidence.rates) if evidence else ())
        for name, rows in table.drop(columns=_IRRELEVANT).groupby("analysis")
    }


def estimate_changes(
    before: Mapping[str, SettingEvidence],
    after: Mapping[str, SettingEvidence],
    configurations: tuple[Configuration, Configuration],
) -> tuple[EstimateChange, ...]:
    """Leading estimates that differ, from the evidence by setting before and after.

    Only analyses whose evidence or configuration differs are pooled again.
    """
    changes: list[EstimateChange] = []
    for setting in dict.fromkeys([*before, *after]):
        sides = (before.get(setting), after.get(setting))
        touched = affected_analyses(*sides) | _asked_otherwise(configurations, setting)
        found = (
            _leading(evidence, configuration, setting, touched)
            for evidence, configuration in zip(sides, configurations, strict=True)
        )
        changes += differing(*found)
    return tuple(changes)


def _asked_otherwise(configurations: Iterable[Configuration], setting: str) -> set[str]:
    """Analyses configured or pooled differently, so that the same evidence may give new results."""
    before, after = (
        {entry.id: (entry, *(getattr(asked, name) for name in METHODS)) for entry in entries}
        for asked in configurations
        for entries in [(*asked.of_setting(setting), *asked.rates_of_setting(setting))]
    )
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def differing(before: Estimates, after: Estimates) -> Iterator[EstimateChange]:
    """Estimates that differ."""
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old is None or new is None or not _same(old, new):
            yield EstimateChange(*key, old, new)


def _leading(
    evidence: SettingEvidence | None,
    configuration: Configuration,
    setting: str,
    touched: set[str],
) -> dict[Key, Record]:
    if evidence is None:
        return {}
    only = replace(
        configuration,
        analyses=tuple(a for a in configuration.analyses if a.id in touched),
        rates=tuple(r for r in configuration.rates if r.id in touched),
    )
    pooled = pool_setting(evidence.used, evidence.rates, only, setting)
    estimates = shown_estimates(pooled.estimates, configuration.pooling)
    return {
        (setting, r["analysis"], r["measure"], r["subgroup"],
         r["experimental"] if _null(r["measure"]) is None else ""): r
        for r in records(estimates[estimates["role"] == "lead"])
    }  # fmt: skip


def _same(old: Record, new: Record) -> bool:
    was, now = (np.array([row[name] for name in _COMPARED], dtype=float) for row in (old, new))
    # With the trials in another order, the same sums differ in their last digits.
    same = np.allclose(was, now, rtol=1e-9, atol=1e-12, equal_nan=True)
    return same and old["model"] == new["model"]


def _null(measure: str) -> float | None:
    """No effect on the natural scale; None for rates. Networks have measures of their own."""
    of_network = 0.0 if "difference" in measure else 1.0
    return MEASURES[measure].scale.null if measure in MEASURES else of_network


def _verdict(record: Record, null: float) -> str:
    if record["ci_low"] > null:
        return "above no effect"
    return "below no effect" if record["ci_high"] < null else "compatible with no effect"
