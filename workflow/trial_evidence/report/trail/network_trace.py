"""From every number that a network's figures print back to the cells of the sheet it rests on."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.files import read_table, records
from trial_evidence.network.evidence.columns import USED_NUMBERS
from trial_evidence.report.trail.trace import TRACE_COLUMNS, cells_of
from trial_evidence.words.numbers import round_half_up

FOLDER = "network"
_RESULT = ["estimate", "ci_low", "ci_high", "p_value"]
# Table of the network stage -> the columns that are numbers, of those that are read.
NETWORK_NUMBERS: Mapping[str, list[str]] = {
    "used": USED_NUMBERS,
    "set_aside": [],
    "nodes": [],
    "summary": ["trials", "tau2_reml", "tau2_dl", "i2", "q", "q_df", "q_p"],
    "reference": [*_RESULT, "pi_low", "pi_high"],
    "components": [*_RESULT, "tau2"],
    "interactions": [*_RESULT, "tau2"],
    "synergy": ["background", "k", *_RESULT, "pi_low", "pi_high", "tau2"],
    "synergy_set_aside": [],
}
PAIR_NUMBERS = ["odds_ratio", "odds_low", "odds_high", "hazard_ratio", "hazard_low", "hazard_high"]
ALL = "all"


@dataclass(frozen=True)
class NetworkTables:
    """What the network stage has written of all settings.

    Attributes
    ----------
    networks : mapping of str to mapping of str to DataFrame
        ``<setting>/<network>`` -> table (``NETWORK_NUMBERS``) -> its rows, as far as there is one.
    surrogacy : tuple of DataFrame
        The pairs of effects of each surrogacy analysis.
    """

    networks: Mapping[str, Mapping[str, pd.DataFrame]]
    surrogacy: tuple[pd.DataFrame, ...]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of one table, of all networks."""
        return [
            row
            for tables in self.networks.values()
            if table in tables
            for row in records(tables[table])
        ]


def read_network_tables(settings: Iterable[str], results: Path) -> NetworkTables:
    """Read the tables of the network stage; nothing of a setting where it has not run.

    Parameters
    ----------
    settings : iterable of str
    results : Path

    Returns
    -------
    NetworkTables
    """
    networks: dict[str, dict[str, pd.DataFrame]] = {}
    surrogacy = []
    for setting in settings:
        for folder in sorted((results / setting / FOLDER).glob("*/")):
            if (folder / "models.csv").is_file():
                surrogacy.append(read_table(folder / "trials.csv", PAIR_NUMBERS))
                continue
            networks[f"{setting}/{folder.name}"] = {
                name: read_table(folder / f"{name}.csv", numbers)
                for name, numbers in NETWORK_NUMBERS.items()
                if (folder / f"{name}.csv").is_file()
            }
    return NetworkTables(networks, tuple(surrogacy))


def network_cells_of(record: Mapping[str, Any]) -> str:
    """File and rows behind a row used of a network: ``pcr.csv row 6``."""
    measure = "count" if math.isnan(record["hr"]) else "hazard_ratio"
    return cells_of({"measure": measure, "rows": record["rows"]})


def network_effect_in_words(record: Mapping[str, Any]) -> str:
    """What a row used of a network gives: counts of an arm, or a log hazard ratio."""
    if math.isnan(record["hr"]):
        return f"{record['events']:g}/{record['n']:g}"
    return (
        f"log {record['hr']:g} = {round_half_up(record['yi'], 4)}; "
        f"SE from {record['se_source']} = {round_half_up(math.sqrt(record['vi']), 4)}"
    )


def network_trace(tables: NetworkTables) -> pd.DataFrame:
    """One row for every estimate that the figures of the networks print.

    Parameters
    ----------
    tables : NetworkTables

    Returns
    -------
    DataFrame
        Columns ``TRACE_COLUMNS``, ``analysis`` being the network's or surrogacy analysis's id:
        every row used; every regimen against the reference, by model; components and
        interactions; synergy of trials and pools; both effects of a surrogacy plot. ``cells`` of a
        network's estimate are those of every trial of its part, for each of them can move it.
    """
    rows = [row for network in tables.networks.values() for row in _network_rows(network)]
    rows += [
        row for pairs in tables.surrogacy for pair in records(pairs) for row in _pair_rows(pair)
    ]
    return pd.DataFrame(rows, columns=TRACE_COLUMNS)


def _network_rows(tables: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    parts = dict(zip(tables["nodes"]["regimen"], tables["nodes"]["part"], strict=True))
    used = records(tables["used"])
    summary = {row["part"]: row for row in records(tables["summary"])}
    yield from (_used_row(row) for row in used)
    for row in records(tables["reference"]):
        about = summary[row["part"]]
        tau2 = {"random_reml": about["tau2_reml"], "random_dl": about["tau2_dl"], "common": 0.0}
        yield {
            **_estimate(row, f"{row['code']} v {row['reference']}, {row['model']}"),
            **_behind(one for one in used if parts[one["regimen"]] == row["part"]),
            **{name: row[name] for name in ("pi_low", "pi_high")},
            **{name: about[name] for name in ("measure", "i2", "q", "q_df", "q_p")},
            "tau2": tau2[row["model"]],
            "k": about["trials"],
        }
    measure = next((row["measure"] for row in summary.values()), "")
    named = [(row, f"{row['component']}, {row['model']}") for row in records(tables["components"])]
    named += [
        (row, f"{row['first']} x {row['second']}, random_reml")
        for row in records(tables["interactions"])
    ]
    for row, plotted in named:
        if not math.isnan(row["estimate"]):
            yield (
                _estimate(row, plotted) | _behind(used) | {"measure": measure, "tau2": row["tau2"]}
            )
    for row in records(tables["synergy"]) if "synergy" in tables else ():
        if not math.isnan(row["estimate"]):
            yield _synergy_row(row, used)


def _used_row(row: Mapping[str, Any]) -> dict[str, Any]:
    timed = not math.isnan(row["hr"])
    return {
        **{column: row[column] for column in
           ("setting", "trial_id", "trial", "source_id", "locator", "verification")},
        "analysis": row["network"],
        "subgroup": ALL,
        "plotted": f"{row['code']} v {row['against_code']}" if timed else row["code"],
        "measure": "hazard_ratio" if timed else "proportion",
        "estimate": row["hr"] if timed else row["events"] / row["n"],
        "low": row["ci_low"],
        "high": row["ci_high"],
        "pooled": "yes",
        "cells": network_cells_of(row),
        "effect_size": network_effect_in_words(row),
    }  # fmt: skip


def _estimate(row: Mapping[str, Any], plotted: str) -> dict[str, Any]:
    return {
        "setting": row["setting"],
        "analysis": row["network"],
        "subgroup": ALL,
        "plotted": plotted,
        "estimate": row["estimate"],
        "low": row["ci_low"],
        "high": row["ci_high"],
        "pooled": "yes",
    }


def _behind(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    held = list(rows)
    return {
        "trial_id": ";".join(dict.fromkeys(row["trial_id"] for row in held)),
        "cells": "; ".join(dict.fromkeys(network_cells_of(row) for row in held)),
    }


def _synergy_row(row: Mapping[str, Any], used: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    trials, arms = row["trial_ids"].split(";"), row["arm_ids"].split(";")
    mine = (
        one
        for one in used
        if one["trial_id"] in trials and set(one["arm_ids"].split(";")) <= set(arms)
    )
    background = "" if math.isnan(row["background"]) else f", background {row['background']:g}"
    what = row["trial"] or f"{row['agents']}, {row['model']}"
    return {
        **_estimate(row, f"{what}{background}"),
        **_behind(mine),
        "measure": f"synergy, {row['scale']}",
        "trial": row["trial"],
        "effect_size": row["note"],
        **{name: row[name] for name in ("k", "pi_low", "pi_high", "tau2")},
    }


def _pair_rows(pair: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for measure, short, table in (
        ("odds_ratio", "odds", "pcr"), ("hazard_ratio", "hazard", "hazard_ratios"),
    ):  # fmt: skip
        rows = str(pair[f"{table}_rows"]).split(";")
        yield {
            **{column: pair[column] for column in ("setting", "analysis", "trial_id", "trial")},
            "measure": measure,
            "subgroup": ALL,
            "plotted": f"{pair['regimen']} v {pair['against']}",
            "estimate": pair[measure],
            "low": pair[f"{short}_low"],
            "high": pair[f"{short}_high"],
            "pooled": "yes",
            "cells": f"{table}.csv {'row' if len(rows) == 1 else 'rows'} {', '.join(rows)}",
        }
