"""The trail: one record per printed number, back to the cells of the sheet.

`explain`, trace.csv, the page and its networks render these records.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.context import tables_of
from trial_evidence.files import Record, records
from trial_evidence.report.trail.evidence import Evidence, NetworkTables
from trial_evidence.report.trail.formulas import effect_size_in_words, network_effect_in_words
from trial_evidence.report.words.reading import measure_of
from trial_evidence.sheet.values import ALL

NETWORK: Final = "network"
# Numbers that figures print next to a pooled estimate.
_POOL_NUMBERS = [
    "k", "pi_low", "pi_high", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p",
]  # fmt: skip
TRACE_COLUMNS = [
    "setting", "analysis", "measure", "subgroup", "plotted", "trial_id", "trial", "estimate", "low",
    "high", "weight", "pooled", "cells", "effect_size", "source_id", "locator", "verification",
    *_POOL_NUMBERS,
]  # fmt: skip
Kind = Literal["result", "pool", "node", "network", "pair"]


@dataclass(frozen=True)
class Cells:
    """Rows of a table of the sheet, numbered as in a spreadsheet."""

    table: str
    rows: tuple[str, ...]

    @property
    def places(self) -> set[tuple[str, int]]:
        """Table and number of every row."""
        return {(self.table, int(row)) for row in self.rows}

    def __str__(self) -> str:
        """``hazard_ratios.csv rows 7, 6``."""
        return f"{self.table}.csv {'row' if len(self.rows) == 1 else 'rows'} {', '.join(self.rows)}"


@dataclass(frozen=True, eq=False)
class Shown:
    """A printed number and the evidence behind it.

    Attributes
    ----------
    kind : str
        ``result`` of a trial; ``pool`` of results; ``node``, a row used in a network;
        ``network``, an estimate of a network; ``pair``, an effect in a surrogacy plot.
    record : mapping
        The row of the results that holds it.
    plotted : str
        Label of its row in the figure.
    values : mapping
        Columns of trace.csv that the record does not hold under the same name.
    rests_on : tuple of Shown
        For a pooled number: the results of the trials behind it.
    """

    kind: Kind
    record: Record
    plotted: str
    values: Mapping[str, Any]
    cells: tuple[Cells, ...]
    rests_on: tuple["Shown", ...] = ()

    @property
    def analysis(self) -> str:
        """Id of the analysis or network."""
        return str(self.record["network" if self.kind in ("node", NETWORK) else "analysis"])

    def has(self, table: str, row: int) -> bool:
        """Whether it rests on a row of the sheet."""
        return any(cells.table == table and str(row) in cells.rows for cells in self.cells)

    def traced(self) -> dict[str, Any]:
        """The number as a row of trace.csv."""
        return {
            **{column: self.record[column] for column in TRACE_COLUMNS if column in self.record},
            "analysis": self.analysis,
            "plotted": self.plotted,
            "cells": "; ".join(map(str, self.cells)),
            **self.values,
        }


@dataclass(frozen=True)
class Trail:
    """Every printed number, and every row of the sheet that was considered and set aside.

    Attributes
    ----------
    set_aside : tuple of mapping
        Rows of ``set_aside.csv``; those of a network have its id as ``analysis`` and ``network``
        as ``subgroup``.
    """

    shown: tuple[Shown, ...]
    set_aside: tuple[Record, ...]

    def table(self) -> pd.DataFrame:
        """``trace.csv``: columns ``TRACE_COLUMNS``, one row per printed number."""
        return pd.DataFrame([shown.traced() for shown in self.shown], columns=TRACE_COLUMNS)

    def resting_on(self, kind: Kind, result: Shown) -> list[Record]:
        """The records of all numbers of one kind that rest on a trial's result."""
        return [s.record for s in self.shown if s.kind == kind and result in s.rests_on]


def trail_of(evidence: Evidence, configuration: Configuration) -> Trail:
    """Every number printed from the evidence.

    The result of each trial; the pooled result of every model (tests and models that do not lead
    are printed below the plots); and the networks (:func:`network_trail`).
    """
    tables = tables_of(configuration)
    results = [
        Shown(
            "result", row, row.get("regimen_label") or "trial",
            {"low": row["estimate_low"], "high": row["estimate_high"],
             "effect_size": effect_size_in_words(row)},
            (Cells(tables[row["setting"], row["analysis"]], _rows(row["rows"])),),
        )
        for table in (evidence.trials, evidence.rates)
        for row in records(table)
    ]  # fmt: skip
    by_analysis: dict[tuple[str, ...], list[Shown]] = {}
    for result in results:
        place = tuple(result.record[key] for key in ("setting", "analysis", "measure"))
        by_analysis.setdefault(place, []).append(result)
    networks = network_trail(evidence.networks, configuration)
    pools = [
        _pool(row, by_analysis)
        for row in records(evidence.estimates)
        if not math.isnan(row["estimate"]) or row["model"] == "subgroup_difference"
    ]
    aside = records(evidence.set_aside)
    return Trail((*results, *pools, *networks.shown), (*aside, *networks.set_aside))


def network_trail(tables: NetworkTables, configuration: Configuration) -> Trail:
    """Every number in the figures of the networks.

    Every row used; every regimen against the reference, by model; components and interactions;
    synergy of trials and pools; both effects of a surrogacy plot. An estimate of a network rests
    on every trial of its connected part, because each of them can move it.
    """
    outcomes = {
        word: outcome.table
        for outcome in configuration.outcomes.values()
        for word in (outcome.label, outcome.name)
    }
    held = filter(None, tables.networks.values())
    shown = [s for network in held for s in _network(network, outcomes)]
    shown += [found for pairs in tables.surrogacy for row in records(pairs) for found in _pair(row)]
    aside = (
        row | {"analysis": row["network"], "subgroup": NETWORK} for row in tables.rows("set_aside")
    )
    return Trail(tuple(shown), tuple(aside))


def cells_of(record: Record, configuration: Configuration) -> Cells:
    """The rows of the sheet behind a trial's result."""
    table = tables_of(configuration)[record["setting"], record["analysis"]]
    return Cells(table, _rows(record["rows"]))


def _rows(text: object) -> tuple[str, ...]:
    return tuple(str(text).split(";"))


def _together(
    kind: Kind, row: Record, plotted: str, values: Record, behind: Iterable[Shown]
) -> Shown:
    """A number that rests on results of trials."""
    held = tuple(behind)
    cells = dict.fromkeys(cells for shown in held for cells in shown.cells)
    own = {
        "trial_id": ";".join(dict.fromkeys(shown.record["trial_id"] for shown in held)),
        "low": row["ci_low"],
        "high": row["ci_high"],
        "pooled": "yes",
    }
    return Shown(kind, row, plotted, own | dict(values), tuple(cells), held)


def _pool(row: Record, results: Mapping[tuple[str, ...], Sequence[Shown]]) -> Shown:
    # A ratio of risk ratios rests on risk ratios.
    measure = measure_of(row["measure"])
    name = "" if measure.compares else row["experimental"]
    trials = str(row["trials"]).split(";")
    mine = [
        shown
        for shown in results[row["setting"], row["analysis"], measure.name]
        if shown.record["trial_id"] in trials and shown.record.get("regimen_label", "") == name
    ]
    groups = _behind({shown.record["subgroup"] for shown in mine}, str(row["subgroup"]))
    return _together(
        "pool", row, ", ".join(filter(None, (name, row["model"]))), {"effect_size": row["remark"]},
        (shown for shown in mine if shown.record["subgroup"] in groups),
    )  # fmt: skip


def _behind(subgroups: set[str], pooled: str) -> set[str]:
    """The subgroups of the trials' results behind a pooled one.

    Some patients of each trial (``factor=level``), both levels that are compared (``factor``),
    or all patients of some trials (``all``, ``column=value``, ``trial=id``).
    """
    patients = pooled.partition(" & ")[0]
    if patients in subgroups:
        return {patients}
    return {s for s in subgroups if s.startswith(f"{patients}=")} or {ALL}


def _network(tables: Mapping[str, pd.DataFrame], outcomes: Mapping[str, str]) -> Iterator[Shown]:
    parts = dict(zip(tables["nodes"]["regimen"], tables["nodes"]["part"], strict=True))
    used = [_node(row, outcomes[row["endpoint"]]) for row in records(tables["used"])]
    summary = {row["part"]: row for row in records(tables["summary"])}
    tau2 = {(row["part"], row["model"]): row["tau2"] for row in records(tables["intervals"])}
    yield from used
    for row in records(tables["reference"]):
        about = summary[row["part"]]
        yield _together(
            NETWORK, row, f"{row['code']} v {row['reference']}, {row['model']}",
            {"subgroup": ALL, "tau2": tau2[row["part"], row["model"]], "k": about["trials"],
             **{name: about[name] for name in ("measure", "i2", "q", "q_df", "q_p")}},
            (node for node in used if parts[node.record["regimen"]] == row["part"]),
        )  # fmt: skip
    measure = next((row["measure"] for row in summary.values()), "")
    named = [(row, f"{row['component']}, {row['model']}") for row in records(tables["components"])]
    named += [
        (row, f"{row['first']} x {row['second']}, random_reml")
        for row in records(tables["interactions"])
    ]
    for row, plotted in named:
        if not math.isnan(row["estimate"]):
            yield _together(NETWORK, row, plotted, {"subgroup": ALL, "measure": measure}, used)
    for row in records(tables["synergy"]) if "synergy" in tables else ():
        if not math.isnan(row["estimate"]):
            yield _synergy(row, used)


def _node(row: Record, table: str) -> Shown:
    timed = not math.isnan(row["hr"])
    values = {
        "subgroup": ALL,
        "measure": "hazard_ratio" if timed else "proportion",
        "estimate": row["hr"] if timed else row["events"] / row["n"],
        "low": row["ci_low"],
        "high": row["ci_high"],
        "pooled": "yes",
        "effect_size": network_effect_in_words(row),
    }
    plotted = f"{row['code']} v {row['against_code']}" if timed else row["code"]
    return Shown("node", row, plotted, values, (Cells(table, _rows(row["rows"])),))


def _synergy(row: Record, used: Iterable[Shown]) -> Shown:
    trials, arms = row["trial_ids"].split(";"), set(row["arm_ids"].split(";"))
    what = row["trial"] or f"{row['agents']}, {row['model']}"
    background = "" if math.isnan(row["background"]) else f", background {row['background']:g}"
    return _together(
        NETWORK, row, f"{what}{background}",
        {"subgroup": ALL, "measure": f"synergy, {row['scale']}", "effect_size": row["note"]},
        (node for node in used
         if node.record["trial_id"] in trials and set(node.record["arm_ids"].split(";")) <= arms),
    )  # fmt: skip


def _pair(pair: Record) -> Iterator[Shown]:
    """Both effects of a trial; columns ``<table>_rows`` are in the same order as the effects."""
    columns = [column for column in pair if column.endswith("_rows")]
    for measure, column in zip(("odds_ratio", "hazard_ratio"), columns, strict=True):
        values = {"measure": measure, "subgroup": ALL, "estimate": pair[measure], "pooled": "yes"}
        values |= {end: pair[f"{measure.removesuffix('_ratio')}_{end}"] for end in ("low", "high")}
        cells = Cells(column.removesuffix("_rows"), _rows(pair[column]))
        yield Shown("pair", pair, f"{pair['regimen']} v {pair['against']}", values, (cells,))
