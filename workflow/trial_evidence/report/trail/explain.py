"""Why a row of the sheet is, or is not, in an analysis: one readable trail."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.files import records
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.report.trail.trace import NETWORK, Record, Shown, Trail, trail_of
from trial_evidence.sheet import Sheet
from trial_evidence.words.errors import RequestError
from trial_evidence.words.models import SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, round_half_up

# What a row of the sheet leads to: a result of an analysis, a node of a network.
STEPS = ("result", "node")


def explain(
    row: str,
    trial: str,
    analysis: str,
    sheet: Sheet,
    configuration: Configuration,
    evidence: Evidence,
) -> str:
    """The trail of a row (``hazard_ratios:6``) or of a trial in an analysis.

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
            f"Name a row, as in ROW={sheet.results[0]}:6, or a trial and an analysis, as in "
            "TRIAL=<trial_id> ANALYSIS=<id>."
        )
    return explain_row(table, int(number), sheet, evidence, configuration)


def explain_row(
    table: str, row: int, sheet: Sheet, evidence: Evidence, configuration: Configuration
) -> str:
    """The trail of one row, as the spreadsheet numbers it, through every analysis and network.

    Raises
    ------
    RequestError
        If the table has no rows to explain or no such row; the message says what there is.
    """
    if table not in sheet.results:
        raise RequestError(
            f'"{table}" is not a table of results. Allowed: {", ".join(sheet.results)}'
        )
    found = records(sheet[table][sheet[table]["row"] == row])
    if not found:
        last = sheet[table]["row"].max()
        raise RequestError(f"{table}.csv has rows 2 to {last}; there is no row {row}")
    trail = trail_of(evidence, configuration)
    aside = [r for r in trail.set_aside if (r["table"], r["row"]) == (table, str(row))]
    parts = [_cell_lines(table, found[0], sheet)]
    for kind in STEPS:
        parts += [
            _step_lines(shown, trail)
            for shown in trail.shown
            if shown.kind == kind and shown.has(table, row)
        ]
        parts += [
            iter([_heading(r), f"  set aside  {r['reason']}"])
            for r in aside
            if (r["subgroup"] == NETWORK) == (kind == "node")
        ]
    if len(parts) == 1:
        parts.append(_never_looked_at(table, found[0], evidence, configuration))
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def explain_trial(
    trial_id: str, analysis: str, sheet: Sheet, evidence: Evidence, configuration: Configuration
) -> str:
    """The trail of a trial in one analysis: what was taken, what was set aside, and why.

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
    trail = trail_of(evidence, configuration)
    lines: list[str] = []
    for shown in trail.shown:
        if (shown.analysis, shown.record.get("trial_id")) != (analysis, trial_id):
            continue
        if shown.kind not in STEPS:
            continue
        for cells in shown.cells:
            for row in cells.rows:
                frame = sheet[cells.table]
                (cell,) = records(frame[frame["row"] == int(row)])
                lines += _cell_lines(cells.table, cell, sheet)
        lines += ["", *_step_lines(shown, trail), ""]
    left = [r for r in trail.set_aside if (r["trial_id"], r["analysis"]) == (trial_id, analysis)]
    if left:
        lines.append("Set aside")
        lines += [f"  {r['table']}.csv row {r['row']} ({r['what']}): {r['reason']}" for r in left]
    lines += [
        f"  synergy within trials: {r['reason']}"
        for r in evidence.networks.rows("synergy_set_aside")
        if (r["trial_id"], r["network"]) == (trial_id, analysis)
    ]
    if not lines:
        lines = [
            f"{trial_id} has no row that {analysis} uses.",
            *_contrast_lines(evidence.contrasts, trial_id),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _cell_lines(table: str, cell: Record, sheet: Sheet) -> Iterator[str]:
    yield f"{table}.csv, row {cell['row']} ({cell['trial_id']})"
    if sheet.kinds[table] == "counts":
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


def _heading(record: Record) -> str:
    measure = f", {record['measure'].replace('_', ' ')}" if "measure" in record else ""
    return f"{record['analysis']} ({record['setting']}), {record['subgroup']}{measure}"


def _step_lines(shown: Shown, trail: Trail) -> Iterator[str]:
    """What an analysis or a network makes of the row, and what it leads to."""
    record, network = shown.record, shown.kind == "node"
    if network:
        yield f"{shown.analysis} ({record['setting']}), {NETWORK}"
        against = f" v {record['against_code']}" if record["against_code"] else ""
        yield f"  node       {record['code']}{against}"
    else:
        yield _heading(record)
        yield from _compared(record)
    yield f"  used       {', '.join(map(str, shown.cells))}"
    note = f"; {record['covariance']}" if network else ""
    yield f"  effect     {shown.values['effect_size']}{note}"
    yield from _network_lines(shown, trail) if network else _pool_lines(shown, trail)


def _compared(record: Record) -> Iterator[str]:
    if "regimen_label" in record:
        yield f"  regimen    {record['regimen_label']}; arms {record['arm_ids']}"
        return
    backbone = ", changed backbone" if record["changed_backbone"] == "True" else ""
    yield (
        f"  contrast   {record['kind']}: {record['experimental_arm_id']} v "
        f"{record['control_arm_id']}; added: {record['added']}{backbone}"
    )


def _pool_lines(shown: Shown, trail: Trail) -> Iterator[str]:
    record = shown.record
    if record["pooled"] == "no":
        yield f"  pooled     no: {record['not_pooled_reason']}"
        return
    if not math.isnan(record["weight"]):
        yield f"  weight     {round_half_up(record['weight'], 1)}%"
    yield f"  result     {_interval(record, 'estimate')}"
    for result in trail.resting_on("pool", shown):
        same = all(result[name] == record[name] for name in ("subgroup", "measure"))
        if same and result["role"] == "lead":
            model = SHORT_MODEL_NAMES.get(result["model"], result["model"])
            yield f"  pooled     {_interval(result)}, k = {result['k']:.0f} ({model})"


def _network_lines(shown: Shown, trail: Trail) -> Iterator[str]:
    record = shown.record
    if record["readers_differ"]:
        yield f"  readers    {record['readers_differ']}"
    if record["exclusion_overridden"]:
        yield f"  excluded   elsewhere, not in networks: {record['exclusion_overridden']}"
    for result in trail.resting_on(NETWORK, shown):
        if (result.get("code"), result.get("model")) == (record["code"], "random_reml"):
            yield f"  network    {_interval(result)} against {result['reference']}"


def _never_looked_at(
    table: str, cell: Record, evidence: Evidence, configuration: Configuration
) -> Iterator[str]:
    yield "No analysis uses this row."
    analyses = (*configuration.analyses, *configuration.rates)
    asked = {e for a in analyses if a.table == table for e in a.endpoints}
    if cell["outcome"] not in asked:
        yield f"  endpoint   {cell['outcome']} is in no analysis ({', '.join(sorted(asked))})"
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


def _interval(record: Record, limits: str = "ci") -> str:
    interval = format_interval(record[f"{limits}_low"], record[f"{limits}_high"])
    return f"{format_number(record['estimate'])} ({interval})"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "?" if math.isnan(value) else f"{value:g}"
    return str(value)
