"""From every plotted number back to the cells of the sheet it rests on."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from scipy.special import ndtri

from trial_evidence.files import records
from trial_evidence.words.numbers import round_half_up

# What figures print of a pool beside its estimate.
_POOL_NUMBERS = [
    "k", "pi_low", "pi_high", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p",
]  # fmt: skip
TRACE_COLUMNS = [
    "setting", "analysis", "measure", "subgroup", "plotted", "trial_id", "trial", "estimate", "low",
    "high", "weight", "pooled", "cells", "effect_size", "source_id", "locator", "verification",
    *_POOL_NUMBERS,
]  # fmt: skip


def trace_table(trials: pd.DataFrame, rates: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """One row a result: each trial's square, and each pooled one by every model.

    Parameters
    ----------
    trials, rates, estimates : DataFrame
        ``trials.csv``, ``rates.csv`` and ``estimates.csv``, of one setting or several.

    Returns
    -------
    DataFrame
        Columns ``TRACE_COLUMNS``. ``cells`` names file and rows as a spreadsheet numbers them;
        ``effect_size`` is the formula with its numbers. A pooled result has the cells of all its
        trials, and the prediction interval and heterogeneity that figures print beside it.
    """
    single = [_trial_trace(record) for table in (trials, rates) for record in records(table)]
    cells: dict[tuple[Any, ...], str] = {
        (row["setting"], row["analysis"], row["measure"], row["subgroup"], row["trial_id"],
         row.get("regimen_label", "")): cells_of(row)
        for table in (trials, rates)
        for row in records(table)
    }  # fmt: skip
    # Models that do not lead, and tests, are printed below the plots and rest on the same cells.
    printed = estimates["estimate"].notna() | (estimates["model"] == "subgroup_difference")
    pooled = [_pooled_trace(record, cells) for record in records(estimates[printed])]
    return pd.DataFrame([*single, *pooled], columns=TRACE_COLUMNS)


def cells_of(record: Mapping[str, Any]) -> str:
    """File and rows behind a trial's result: ``pcr.csv rows 7, 6``."""
    table = "hazard_ratios.csv" if record["measure"] == "hazard_ratio" else "pcr.csv"
    rows = str(record["rows"]).split(";")
    return f"{table} {'row' if len(rows) == 1 else 'rows'} {', '.join(rows)}"


def effect_size_in_words(record: Mapping[str, Any]) -> str:
    """The effect size of a trial as a formula with its numbers filled in.

    Parameters
    ----------
    record : mapping
        A row of ``trials.csv`` or ``rates.csv``.

    Returns
    -------
    str
        Effect and variance or standard error; the formulas are those of docs/methods.md.
    """
    if math.isnan(record["yi"]):
        return str(record["not_pooled_reason"])
    add = 0.5 if record["corrected"] == "yes" else 0.0
    note = "; 0.5 added to each cell" if add else ""
    if record["measure"] == "proportion":
        x, rest = record["events"] + add, record["n"] - record["events"] + add
        return (
            f"log({x:g}/{rest:g}) = {_number(record['yi'])}; "
            f"v = 1/{x:g} + 1/{rest:g} = {_number(record['vi'])}{note}"
        )
    if record["measure"] == "hazard_ratio":
        return _hazard_ratio_in_words(record)
    a, c = record["events_experimental"] + add, record["events_control"] + add
    b = record["n_experimental"] - record["events_experimental"] + add
    d = record["n_control"] - record["events_control"] + add
    m, n = a + b, c + d
    effect, variance = {
        "risk_ratio": (
            f"log(({a:g}/{m:g}) / ({c:g}/{n:g}))",
            f"1/{a:g} - 1/{m:g} + 1/{c:g} - 1/{n:g}",
        ),
        "odds_ratio": (
            f"log(({a:g} x {d:g}) / ({b:g} x {c:g}))",
            f"1/{a:g} + 1/{b:g} + 1/{c:g} + 1/{d:g}",
        ),
        "risk_difference": (
            f"{a:g}/{m:g} - {c:g}/{n:g}",
            f"{a:g} x {b:g} / {m:g}^3 + {c:g} x {d:g} / {n:g}^3",
        ),
    }[record["measure"]]
    return f"{effect} = {_number(record['yi'])}; v = {variance} = {_number(record['vi'])}{note}"


def _hazard_ratio_in_words(record: Mapping[str, Any]) -> str:
    hr, level = record["hr"], record["ci_level"]
    z = float(ndtri(0.5 + level / 200)) if not math.isnan(level) else math.nan
    ways = {
        "interval": f"(log {record['ci_high']:g} - log {record['ci_low']:g}) / (2 x {z:.3f})",
        "upper limit": f"(log {record['ci_high']:g} - log {hr:g}) / {z:.3f}",
        "lower limit": f"(log {hr:g} - log {record['ci_low']:g}) / {z:.3f}",
        "p value": f"|log {hr:g}| / z(p = {record['p_value']:g})",
        "events": (f"sqrt(1/{record['events_experimental']:g} + 1/{record['events_control']:g})"),
    }
    sign = "-" if record["inverted"] == "yes" else ""
    return (
        f"{sign}log {hr:g} = {_number(record['yi'])}; "
        f"SE = {ways[record['se_source']]} = {_number(math.sqrt(record['vi']))}"
    )


def _trial_trace(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{column: record[column] for column in
           ("setting", "analysis", "measure", "subgroup", "trial_id", "trial", "estimate",
            "weight", "pooled", "source_id", "locator", "verification")},
        "plotted": record.get("regimen_label") or "trial",
        "low": record["estimate_low"],
        "high": record["estimate_high"],
        "cells": cells_of(record),
        "effect_size": effect_size_in_words(record),
    }  # fmt: skip


def _pooled_trace(
    record: Mapping[str, Any], cells: Mapping[tuple[Any, ...], str]
) -> dict[str, Any]:
    rate = record["measure"] == "proportion"
    measure = str(record["measure"]).rpartition("_of_")[2].removesuffix("s")
    name = record["experimental"] if rate else ""
    trials = str(record["trials"]).split(";")
    mine = [
        (subgroup, text)
        for (setting, analysis, kind, subgroup, trial, regimen), text in cells.items()
        if (setting, analysis, kind) == (record["setting"], record["analysis"], measure)
        and trial in trials
        and regimen == name
    ]
    behind = _behind({subgroup for subgroup, _ in mine}, str(record["subgroup"]))
    found = dict.fromkeys(text for subgroup, text in mine if subgroup in behind)
    return {
        **{column: record[column] for column in
           ("setting", "analysis", "measure", "subgroup", "estimate", *_POOL_NUMBERS)},
        "plotted": ", ".join(filter(None, (name, record["model"]))),
        "trial_id": record["trials"],
        "trial": "",
        "low": record["ci_low"],
        "high": record["ci_high"],
        "weight": math.nan,
        "pooled": "yes",
        "cells": "; ".join(found),
        "effect_size": record["remark"],
        "source_id": "",
        "locator": "",
        "verification": "",
    }  # fmt: skip


def _behind(subgroups: set[str], pooled: str) -> set[str]:
    """Of whom the trials' results are that stand behind a pooled one.

    Some patients of each trial (``factor=level``), both levels that are compared (``factor``),
    or all patients of some trials (``all``, ``column=value``, ``trial=id``).
    """
    patients = pooled.partition(" & ")[0]
    if patients in subgroups:
        return {patients}
    return {s for s in subgroups if s.startswith(f"{patients}=")} or {"all"}


def _number(value: float) -> str:
    return round_half_up(value, 4)
