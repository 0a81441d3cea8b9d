"""Why a row of the sheet is, or is not, in an analysis: one readable trail."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.files import records
from trial_evidence.report.trail.network_trace import (
    NetworkTables,
    network_cells_of,
    network_effect_in_words,
)
from trial_evidence.report.trail.trace import cells_of, effect_size_in_words
from trial_evidence.sheet import Sheet
from trial_evidence.words.errors import RequestError
from trial_evidence.words.models import SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, round_half_up

EXPLAINED = ("pcr", "hazard_ratios")


@dataclass(frozen=True)
class Evidence:
    """What the stages have written, all settings together."""

    contrasts: pd.DataFrame
    set_aside: pd.DataFrame
    trials: pd.DataFrame
    rates: pd.DataFrame
    estimates: pd.DataFrame
    networks: NetworkTables


def explain(
    row: str,
    trial: str,
    analysis: str,
    sheet: Sheet,
    configuration: Configuration,
    evidence: Evidence,
) -> str:
    """The trail of a row (``pcr:6``) or of a trial in an analysis.

    Raises
    ------
    RequestError
        If what is asked for does not exist; the message says what does.
    """
    if trial and analysis:
        return explain_trial(trial, analysis, sheet, evidence, configuration)
    table, _, number = row.replace(".csv", "").replace(" ", ":").partition(":")
    if not number.isdecimal():
        raise RequestError(
            "Say which row, as in ROW=pcr:6, or which trial and analysis, as in "
            "TRIAL=<trial_id> ANALYSIS=<id>."
        )
    return explain_row(table, int(number), sheet, evidence, configuration)


def explain_row(
    table: str, row: int, sheet: Sheet, evidence: Evidence, configuration: Configuration
) -> str:
    """The trail of one row of ``pcr.csv`` or ``hazard_ratios.csv`` through every analysis.

    Parameters
    ----------
    table : str
        ``pcr`` or ``hazard_ratios``.
    row : int
        As the spreadsheet numbers it.
    sheet : Sheet
    evidence : Evidence
    configuration : Configuration

    Returns
    -------
    str

    Raises
    ------
    RequestError
        If the table has no rows to explain or no such row; the message says what there is.
    """
    if table not in EXPLAINED:
        raise RequestError(f'"{table}" is not explained. Allowed: {", ".join(EXPLAINED)}')
    found = records(sheet[table][sheet[table]["row"] == row])
    if not found:
        last = sheet[table]["row"].max()
        raise RequestError(f"{table}.csv has rows 2 to {last}; there is no row {row}")
    cell = found[0]
    lines = [*_cell_lines(table, cell, sheet), ""]
    used = [*_used_with(evidence.trials, table, row), *_used_with(evidence.rates, table, row)]
    aside = records(
        evidence.set_aside[
            (evidence.set_aside["table"] == table) & (evidence.set_aside["row"] == str(row))
        ]
    )
    for record in used:
        lines += [*_used_lines(record, evidence), ""]
    for record in aside:
        lines += [_heading(record), f"  set aside  {record['reason']}", ""]
    networks = _networks_with(evidence.networks, table, row)
    for record in networks:
        lines += [*_network_lines(record, evidence.networks), ""]
    if not used and not aside and not networks:
        lines += [*_never_looked_at(table, cell, evidence, configuration), ""]
    return "\n".join(lines).rstrip() + "\n"


def explain_trial(
    trial_id: str, analysis: str, sheet: Sheet, evidence: Evidence, configuration: Configuration
) -> str:
    """The trail of a trial in one analysis: what was taken, what was set aside, and why.

    Parameters
    ----------
    trial_id, analysis : str
    sheet : Sheet
    evidence : Evidence
    configuration : Configuration

    Returns
    -------
    str

    Raises
    ------
    RequestError
        If the trial or the analysis does not exist; the message says what there is.
    """
    trials = list(sheet["trials"]["trial_id"])
    known = [a.id for a in configuration.analyses] + [r.id for r in configuration.rates]
    known += [name.partition("/")[2] for name in evidence.networks.networks]
    if trial_id not in trials:
        raise RequestError(f'"{trial_id}" is not a trial. Allowed: {", ".join(trials)}')
    if analysis not in known:
        allowed = ", ".join(dict.fromkeys(known))
        raise RequestError(f'"{analysis}" is not an analysis. Allowed: {allowed}')
    lines: list[str] = []
    for table in (evidence.trials, evidence.rates):
        mine = table[(table["trial_id"] == trial_id) & (table["analysis"] == analysis)]
        for record in records(mine):
            source = "hazard_ratios" if record["measure"] == "hazard_ratio" else "pcr"
            for row in str(record["rows"]).split(";"):
                cell = records(sheet[source][sheet[source]["row"] == int(row)])[0]
                lines += _cell_lines(source, cell, sheet)
            lines += ["", *_used_lines(record, evidence), ""]
    of_network = _of_trial(evidence.networks, "used", trial_id, analysis)
    for record in of_network:
        source = _table_of(record)
        for row in str(record["rows"]).split(";"):
            cell = records(sheet[source][sheet[source]["row"] == int(row)])[0]
            lines += _cell_lines(source, cell, sheet)
        lines += ["", *_network_lines(record, evidence.networks), ""]
    aside = evidence.set_aside
    left = records(aside[(aside["trial_id"] == trial_id) & (aside["analysis"] == analysis)])
    left += _of_trial(evidence.networks, "set_aside", trial_id, analysis)
    if left:
        lines.append("Set aside")
        lines += [f"  {r['table']}.csv row {r['row']} ({r['what']}): {r['reason']}" for r in left]
    for r in _of_trial(evidence.networks, "synergy_set_aside", trial_id, analysis):
        lines.append(f"  synergy within trials: {r['reason']}")
    if not lines:
        lines = [
            f"{trial_id} has no row that {analysis} looks at.",
            *_contrast_lines(evidence.contrasts, trial_id),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _of_trial(
    networks: NetworkTables, table: str, trial_id: str, network: str
) -> list[dict[str, Any]]:
    """Rows of a table of a network that are about a trial."""
    return [
        row
        for row in networks.rows(table)
        if row["trial_id"] == trial_id and row["network"] == network
    ]


def _table_of(record: Mapping[str, Any]) -> str:
    """The table of the sheet that a row used of a network is from."""
    return "pcr" if math.isnan(record["hr"]) else "hazard_ratios"


def _networks_with(networks: NetworkTables, table: str, row: int) -> list[dict[str, Any]]:
    """Rows used, and set aside, of the networks that look at a row of the sheet."""
    used = [
        record
        for record in networks.rows("used")
        if _table_of(record) == table and str(row) in record["rows"].split(";")
    ]
    aside = networks.rows("set_aside")
    return used + [r for r in aside if (r["table"], r["row"]) == (table, str(row))]


def _network_lines(record: Mapping[str, Any], networks: NetworkTables) -> Iterator[str]:
    """What a network makes of a row: the node it stands for, or why it is set aside."""
    yield f"{record['network']} ({record['setting']}), network"
    if "reason" in record:
        yield f"  set aside  {record['reason']}"
        return
    against = f" v {record['against_code']}" if record["against_code"] else ""
    yield f"  node       {record['code']}{against}"
    yield f"  taken      {network_cells_of(record)}"
    yield f"  effect     {network_effect_in_words(record)}; {record['covariance']}"
    for name, key in (("readers", "readers_differ"), ("excluded", "exclusion_overridden")):
        if record[key]:
            elsewhere = "elsewhere, not in networks: " if key == "exclusion_overridden" else ""
            yield f"  {name:<9}  {elsewhere}{record[key]}"
    reference = networks.networks[f"{record['setting']}/{record['network']}"]["reference"]
    for result in records(reference):
        if result["model"] == "random_reml" and result["code"] == record["code"]:
            interval = _interval(result, "ci_low", "ci_high")
            yield f"  network    {interval} against {result['reference']}"


def _cell_lines(table: str, cell: Mapping[str, Any], sheet: Sheet) -> Iterator[str]:
    yield f"{table}.csv, row {cell['row']} ({cell['trial_id']})"
    if table == "pcr":
        yield (
            f"  cell       {cell['events']:g} of {cell['n']:g}; {cell['arm_id']}, "
            f"{cell['definition']}, {cell['population']}, {cell['subgroup']}"
        )
    else:
        low, high = (cell[f"{limit}_printed"] or "?" for limit in ("ci_low", "ci_high"))
        interval = f"{_shown(cell['ci_level'])}% {low} to {high}"
        if low == high == "?":
            interval = "no interval"
        yield (
            f"  cell       HR {cell['hr_printed']} ({interval}); "
            f"{cell['experimental_arm_id']} v {cell['control_arm_id']}, {cell['endpoint']}, "
            f"{cell['analysis']}, {cell['assessor']}, {cell['subgroup']}"
        )
    sources = sheet["sources"]
    source = records(sources[sources["source_id"] == cell["source_id"]])[0]
    parts = [source["first_author"], source["journal"], _shown(source["year"])]
    doi = f", doi {source['doi']}" if source["doi"] else ""
    yield f"  source     {cell['source_id']}: {', '.join(p for p in parts if p and p != '?')}{doi}"
    yield f"  locator    {cell['locator'] or 'not given'}"
    yield f"  verified   {cell['verification']}; {cell['derivation']}; {cell['status']}"
    if cell["note"]:
        yield f"  note       {cell['note']}"


def _used_lines(record: Mapping[str, Any], evidence: Evidence) -> Iterator[str]:
    yield _heading(record)
    if record["measure"] == "proportion":
        yield f"  regimen    {record['regimen_label']}; arms {record['arm_ids']}"
    else:
        backbone = ", changed backbone" if record["changed_backbone"] == "True" else ""
        yield (
            f"  contrast   {record['kind']}: {record['experimental_arm_id']} v "
            f"{record['control_arm_id']}; added: {record['added']}{backbone}"
        )
    yield f"  taken      {cells_of(record)}"
    yield f"  effect     {effect_size_in_words(record)}"
    if record["pooled"] == "no":
        yield f"  pooled     no: {record['not_pooled_reason']}"
        return
    weight = record["weight"]
    if not math.isnan(weight):
        yield f"  weight     {round_half_up(weight, 1)}%"
    yield f"  result     {_interval(record, 'estimate_low', 'estimate_high')}"
    pool = evidence.estimates
    lead = records(
        pool[
            (pool["setting"] == record["setting"])
            & (pool["analysis"] == record["analysis"])
            & (pool["measure"] == record["measure"])
            & (pool["subgroup"] == record["subgroup"])
            & (pool["role"] == "lead")
            & (
                (pool["experimental"] == record.get("regimen_label", ""))
                | (pool["measure"] != "proportion")
            )
        ]
    )
    for result in lead:
        yield (
            f"  pool       {_interval(result, 'ci_low', 'ci_high')}, k = {result['k']:.0f} "
            f"({SHORT_MODEL_NAMES.get(result['model'], result['model'])})"
        )


def _heading(record: Mapping[str, Any]) -> str:
    measure = f", {record['measure'].replace('_', ' ')}" if "measure" in record else ""
    return f"{record['analysis']} ({record['setting']}), {record['subgroup']}{measure}"


def _never_looked_at(
    table: str, cell: Mapping[str, Any], evidence: Evidence, configuration: Configuration
) -> Iterator[str]:
    yield "No analysis looks at this row."
    if table == "hazard_ratios":
        asked = {e for a in configuration.analyses if not a.is_pcr for e in a.endpoints}
        if cell["endpoint"] not in asked:
            yield f"  endpoint   {cell['endpoint']} is in no analysis ({', '.join(sorted(asked))})"
    factors = {m.factor for a in configuration.analyses for m in a.effect_modifiers}
    factor = str(cell["subgroup"]).partition("=")[0]
    if cell["subgroup"] != "all" and (factor not in factors or " & " in cell["subgroup"]):
        yield (
            f"  subgroup   {cell['subgroup']}: only {', '.join(sorted(factors))} is analysed "
            "(config/analyses.yaml, effect_modifiers)"
        )
    yield from _contrast_lines(evidence.contrasts, cell["trial_id"])


def _contrast_lines(contrasts: pd.DataFrame, trial_id: str) -> Iterator[str]:
    mine = records(contrasts[contrasts["trial_id"] == trial_id])
    if not mine:
        yield "  contrast   none: the trial is not randomised or has one arm"
    for contrast in mine:
        yield (
            f"  contrast   {contrast['kind']}: {contrast['experimental_arm_id']} v "
            f"{contrast['control_arm_id']} (control {contrast['control_agents']}, partner "
            f"{contrast['experimental_partner']} v {contrast['control_partner']})"
        )


def _used_with(table: pd.DataFrame, source: str, row: int) -> list[dict[str, Any]]:
    hazard = table["measure"] == "hazard_ratio"
    own = table[hazard if source == "hazard_ratios" else ~hazard]
    return [r for r in records(own) if str(row) in str(r["rows"]).split(";")]


def _interval(record: Mapping[str, Any], low: str, high: str) -> str:
    return f"{format_number(record['estimate'])} ({format_interval(record[low], record[high])})"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "?" if math.isnan(value) else f"{value:g}"
    return str(value)
