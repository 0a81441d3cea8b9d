"""Explain in readable lines why a row of the sheet is, or is not, in an analysis.

The wording is in workflow/report/explain.txt.j2.
"""

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jinja2

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.judged import NOT_JUDGED, judged_risk
from trial_evidence.files import records
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.report.trail.trace import NETWORK, Trail, trail_of
from trial_evidence.report.words import reading
from trial_evidence.report.words.formats import effect
from trial_evidence.report.words.templates import environment
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL
from trial_evidence.words import printed
from trial_evidence.words.errors import RequestError

# Steps that a row of the sheet can lead to: a result in an analysis, a node in a network.
STEPS = ("result", "node")
COUNTS_AGAINST = ", which counts against the certainty of the pooled result: risk_of_bias.csv"


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
        If the row, trial or analysis does not exist; the message lists those that do.
    """
    _one_question(row, trial, analysis, sheet)
    if trial:
        return explain_trial(trial, analysis, sheet, evidence, configuration)
    return explain_row(*_place(row, sheet), sheet, evidence, configuration)


def trial_of(row: str, trial: str, analysis: str, sheet: Sheet) -> str:
    """The trial that the request is about.

    Raises
    ------
    RequestError
        If the request is empty or names two things, or the row or trial does not exist; the
        message lists those that do.
    """
    _one_question(row, trial, analysis, sheet)
    if trial:
        _known_trial(trial, sheet)
        return trial
    return str(_asked_cell(*_place(row, sheet), sheet)["trial_id"])


def _one_question(row: str, trial: str, analysis: str, sheet: Sheet) -> None:
    """Refuse a row together with a trial (one would be ignored), and an incomplete request."""
    given = {"ROW": row, "TRIAL": trial, "ANALYSIS": analysis}
    asked = " ".join(f"{name}={text}" for name, text in given.items() if text)
    if row and (trial or analysis):
        raise RequestError(f"{asked} asks two things at once. {_either(sheet)}")
    if bool(trial) != bool(analysis):
        raise RequestError(f"{asked} does not say all that is asked. {_either(sheet)}")


def _either(sheet: Sheet) -> str:
    return (
        f"Name a row, as in ROW={sheet.results[0]}:6, or a trial and an analysis, as in "
        "TRIAL=<trial_id> ANALYSIS=<id>."
    )


def _place(row: str, sheet: Sheet) -> tuple[str, int]:
    table, _, number = row.replace(".csv", "").replace(" ", ":").partition(":")
    if not number.isdecimal():
        raise RequestError(_either(sheet))
    return table, int(number)


def _known_trial(trial_id: str, sheet: Sheet) -> None:
    trials = list(sheet["trials"]["trial_id"])
    if trial_id not in trials:
        raise RequestError(f'"{trial_id}" is not a trial. Allowed: {", ".join(trials)}')


def _asked_cell(table: str, row: int, sheet: Sheet) -> dict[str, Any]:
    if table not in sheet.results:
        raise RequestError(
            f'"{table}" is not a table of results. Allowed: {", ".join(sheet.results)}'
        )
    cell = sheet.row(table, row)
    if not cell:
        last = sheet[table]["row"].max()
        raise RequestError(f"{table}.csv has rows 2 to {last}; there is no row {row}")
    return cell


def explain_row(
    table: str, row: int, sheet: Sheet, evidence: Evidence, configuration: Configuration
) -> str:
    """The trail of one row, numbered as in a spreadsheet, through every analysis and network.

    Raises
    ------
    RequestError
        If the table holds no results or has no such row; the message lists what exists.
    """
    cell = _asked_cell(table, row, sheet)
    trail = trail_of(evidence, configuration)
    say = _lines(sheet, trail, evidence, configuration)
    left = [r for r in trail.set_aside if (r["table"], r["row"]) == (table, str(row))]
    parts = []
    for kind in STEPS:
        parts += [say.step(s) for s in trail.shown if s.kind == kind and s.has(table, row)]
        parts += [say.aside(r) for r in left if (r["subgroup"] == NETWORK) == (kind == "node")]
    if not parts:
        analyses = (*configuration.analyses, *configuration.rates)
        asked = {name for a in analyses if a.table == table for name in a.endpoints}
        factors = {m.factor for a in configuration.analyses for m in a.effect_modifiers}
        parts = [say.never(table, cell, asked, factors)]
    return _joined([say.cell_of(table, cell), *parts])


def explain_trial(
    trial_id: str, analysis: str, sheet: Sheet, evidence: Evidence, configuration: Configuration
) -> str:
    """The trail of a trial in one analysis: which rows were used, which set aside, and why.

    Raises
    ------
    RequestError
        If the trial or the analysis does not exist; the message lists those that do.
    """
    _known_trial(trial_id, sheet)
    known = [entry.id for entry in (*configuration.analyses, *configuration.rates)]
    known += [name.partition("/")[2] for name in evidence.networks.networks]
    if analysis not in known:
        allowed = ", ".join(dict.fromkeys(known))
        raise RequestError(f'"{analysis}" is not an analysis. Allowed: {allowed}')
    trail = trail_of(evidence, configuration)
    say = _lines(sheet, trail, evidence, configuration)
    parts = []
    for shown in trail.shown:
        mine = (shown.analysis, shown.record.get("trial_id")) == (analysis, trial_id)
        if mine and shown.kind in STEPS:
            taken = [(c.table, sheet.row(c.table, int(row))) for c in shown.cells for row in c.rows]
            # All measures rest on the same cells, so they are printed once.
            cells = "".join(say.cell_of(*found) for found in taken)
            parts += [*([] if cells in parts else [cells]), say.step(shown)]
    left = [r for r in trail.set_aside if (r["trial_id"], r["analysis"]) == (trial_id, analysis)]
    parts.append(say.asides(left, trial_id, analysis))
    return _joined(filter(None, parts if any(parts) else [say.nothing(trial_id, analysis)]))


def _lines(sheet: Sheet, trail: Trail, evidence: Evidence, configuration: Configuration) -> Any:
    """The macros of the template; each renders one part of a trail."""
    analyses = {(analysis.setting, analysis.id): analysis for analysis in configuration.analyses}

    def bias(record: Mapping[str, Any]) -> str:
        """Overall risk of bias of a result; empty for rates, which compare nothing, and harms."""
        analysis = analyses.get((record["setting"], record["analysis"]))
        if analysis is None or record["subgroup"] != ALL or analysis.harm:
            return ""
        risk = judged_risk(sheet, analysis.endpoints, record["trial_id"], record["outcome"])
        counts = risk == NOT_JUDGED and analysis in configuration.answers
        return f"{printed.words(risk)}{COUNTS_AGAINST if counts else ''}"

    known = {
        "sources": {source["source_id"]: source for source in records(sheet["sources"])},
        "kinds": sheet.kinds,
        "trail": trail,
        "bias": bias,
        "contrasts": records(evidence.contrasts),
        "synergy": evidence.networks.rows("synergy_set_aside"),
    }
    return _template().make_module(known)


@cache
def _template() -> jinja2.Template:
    made = environment()
    made.filters |= {
        "plain": _plain,
        "number": printed.number,
        "model": reading.model_words,
        "estimate": effect,
    }
    return made.get_template("explain.txt.j2")


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _plain(value: Any, unknown: str = "?") -> str:
    if isinstance(value, float):
        return unknown if math.isnan(value) else f"{value:g}"
    return str(value)
