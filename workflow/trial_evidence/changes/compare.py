"""Estimates before and after an edit, for the analyses that the edit touches."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.evidence import SettingEvidence
from trial_evidence.files import records
from trial_evidence.pool.estimates import pool_setting

# What may differ without touching a result: rows move, notes are rewritten.
_IRRELEVANT = ["rows", "note", "locator"]


@dataclass(frozen=True)
class EstimateChange:
    """A leading estimate before and after; None where there was, or is, none.

    ``before`` and ``after`` are rows of the estimates table.
    """

    setting: str
    analysis: str
    measure: str
    subgroup: str
    regimen: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def conclusion(self) -> str:
        """What happened to the conclusion, or nothing: whether the interval excludes no effect."""
        if self.measure == "proportion":
            return ""
        was, now = (_verdict(record, self.measure) for record in (self.before, self.after))
        if was == now or "none" in (was, now):
            return ""
        return f"the interval {_WORDS[was]} before and {_WORDS[now]} now"


_WORDS = {
    "includes": "includes no effect",
    "above": "lies above no effect",
    "below": "lies below no effect",
}


def affected_analyses(before: SettingEvidence, after: SettingEvidence) -> tuple[str, ...]:
    """Analyses whose rows differ in anything that a result can depend on or a figure shows.

    Parameters
    ----------
    before, after : SettingEvidence
        Of one setting.

    Returns
    -------
    tuple of str
        Ids in order of appearance.
    """
    found: dict[str, None] = {}
    for old, new in ((before.used, after.used), (before.rates, after.rates)):
        names = dict.fromkeys([*old["analysis"], *new["analysis"]])
        for name in names:
            mine, yours = (_comparable(table, name) for table in (old, new))
            if not mine.equals(yours):
                found[name] = None
    return tuple(found)


def estimate_changes(
    before: Mapping[str, SettingEvidence],
    after: Mapping[str, SettingEvidence],
    configurations: tuple[Configuration, Configuration],
) -> tuple[EstimateChange, ...]:
    """Leading estimates that differ, of all settings.

    Parameters
    ----------
    before, after : mapping
        Setting -> its evidence.
    configurations : tuple of Configuration
        Before and after.

    Returns
    -------
    tuple of EstimateChange
    """
    changes: list[EstimateChange] = []
    for setting in dict.fromkeys([*before, *after]):
        pooled: list[dict[tuple[str, ...], dict[str, Any]]] = []
        old = before.get(setting, _nothing(after[setting]) if setting in after else None)
        new = after.get(setting, _nothing(before[setting]) if setting in before else None)
        assert old is not None
        assert new is not None
        touched = affected_analyses(old, new)
        if not touched:
            continue
        for evidence, configuration in zip((old, new), configurations, strict=True):
            pooled.append(_leading(evidence, _only(configuration, touched), setting))
        changes += differing(*pooled)
    return tuple(changes)


def differing(
    before: Mapping[tuple[str, ...], dict[str, Any]],
    after: Mapping[tuple[str, ...], dict[str, Any]],
) -> Iterator[EstimateChange]:
    """Estimates that differ.

    Parameters
    ----------
    before, after : mapping
        (setting, analysis, measure, subgroup, regimen) -> a row with ``model``, ``k``,
        ``estimate`` and its limits, ``tau2`` and the prediction interval.

    Yields
    ------
    EstimateChange
    """
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and _same(old, new):
            continue
        setting, analysis, measure, subgroup, regimen = key
        yield EstimateChange(setting, analysis, measure, subgroup, regimen, old, new)


def _leading(
    evidence: SettingEvidence, configuration: Configuration, setting: str
) -> dict[tuple[str, ...], dict[str, Any]]:
    estimates = pool_setting(evidence.used, evidence.rates, configuration, setting).estimates
    return {
        (setting, r["analysis"], r["measure"], r["subgroup"],
         r["experimental"] if r["measure"] == "proportion" else ""): r
        for r in records(estimates[estimates["role"] == "lead"])
    }  # fmt: skip


def _only(configuration: Configuration, analyses: tuple[str, ...]) -> Configuration:
    return replace(
        configuration,
        analyses=tuple(a for a in configuration.analyses if a.id in analyses),
        rates=tuple(r for r in configuration.rates if r.id in analyses),
    )


def _comparable(table: pd.DataFrame, analysis: str) -> pd.DataFrame:
    rows = table[table["analysis"] == analysis].drop(columns=_IRRELEVANT)
    return rows.reset_index(drop=True)


def _nothing(evidence: SettingEvidence) -> SettingEvidence:
    return SettingEvidence(
        *(getattr(evidence, name).iloc[:0] for name in ("used", "set_aside", "contrasts", "rates"))
    )


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    compared = ("k", "estimate", "ci_low", "ci_high", "tau2", "pi_low", "pi_high")
    return old["model"] == new["model"] and all(_equal(old[c], new[c]) for c in compared)


def _equal(old: float | None, new: float | None) -> bool:
    if old is None or new is None or math.isnan(old) or math.isnan(new):
        return _missing(old) and _missing(new)
    # In another order of the trials the same sums differ in their last digits.
    return math.isclose(old, new, rel_tol=1e-9, abs_tol=1e-12)


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _verdict(record: Mapping[str, Any] | None, measure: str) -> str:
    if record is None:
        return "none"
    null = 0.0 if "difference" in measure else 1.0
    if record["ci_low"] > null:
        return "above"
    return "below" if record["ci_high"] < null else "includes"
