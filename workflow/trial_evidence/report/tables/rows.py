"""The rows behind the results: those used, and those set aside with the reason."""

import math
from collections.abc import Mapping
from typing import Any

from trial_evidence.files import records
from trial_evidence.report.material.material import Material, links
from trial_evidence.report.material.table import (
    ReportTable,
    count,
    number,
    of_whom,
    percent,
    report_table,
    with_interval,
    words,
)
from trial_evidence.report.trail.trace import cells_of

_LINKS = ["source_id", "source", "locator", "doi", "pmid", "nct"]


def rows_used_table(material: Material) -> ReportTable:
    """Every trial's result in every analysis, and every arm's rate, with its place in the source.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
        A comparison stands once, as the analysis's first measure; ``data`` has the analysis's id
        and the effect size (``yi``, ``vi`` on the analysis scale) at full precision.
    """
    titles = material.titles()
    measures = {(a.setting, a.id): a.measures[0] for a in material.configuration.analyses}
    sources, trials = material.sources(), material.trials()
    compared = [
        row
        for row in records(material.evidence.trials)
        if row["measure"] == measures[row["setting"], row["analysis"]]
    ]
    rates = [
        row
        | {
            "experimental": row["regimen_label"],
            "control": "",
            "events_experimental": row["events"],
            "n_experimental": row["n"],
            "events_control": math.nan,
            "n_control": math.nan,
            "outcome": "pCR",
        }
        for row in records(material.evidence.rates)
    ]
    columns = [
        "setting", "analysis", "outcome", "measure", "subgroup", "trial_id", "trial",
        "experimental", "control", "events_experimental", "n_experimental", "events_control",
        "n_control", "estimate", "estimate_low", "estimate_high", "yi", "vi", "weight", "pooled",
        "not_pooled_reason", "verification", "derivation", "rows", "note",
    ]  # fmt: skip
    data = [
        {column: row[column] for column in columns}
        | {
            "source_id": row["source_id"],
            "locator": row["locator"],
            "cells": cells_of(row, material.configuration),
        }
        | {"nct": trials[row["trial_id"]]["nct"]}
        | links(row["source_id"], sources)
        for row in (*compared, *rates)
    ]
    shown = [
        {
            "Analysis": titles[row["setting"], row["analysis"]],
            "Trial": row["trial"],
            "Of whom": of_whom(row["subgroup"]),
            "Outcome": row["outcome"],
            "Result": _result(row),
            "Pooled": "yes" if row["pooled"] == "yes" else f"no: {row['not_pooled_reason']}",
            "Weight": "" if math.isnan(row["weight"]) else f"{number(row['weight'], 1)}%",
            "Verification": row["verification"],
            "Derivation": words(row["derivation"]),
            "Source": row["source"],
            "Place in it": row["locator"],
            "Rows of the sheet": row["cells"],
        }
        for row in data
    ]
    return report_table(
        "rows_used",
        "Rows used, with their sources",
        shown,
        data,
        ["Analysis", "Trial", "Of whom", "Outcome", "Result", "Pooled", "Weight", "Verification",
         "Derivation", "Source", "Place in it", "Rows of the sheet"],
        [*columns, "cells", *_LINKS],
        ["Verification: primary, seen in the trial’s own paper, abstract, registry record or "
         "label; secondary, seen in a document that quotes it."],
    )  # fmt: skip


def rows_set_aside_table(material: Material) -> ReportTable:
    """Every row that an analysis looked at and did not take, with the reason in words.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
    """
    titles = material.titles()
    sources, trials = material.sources(), material.trials()
    data = [
        row
        | {"cells": f"{row['table']}.csv row {row['row']}", "nct": trials[row["trial_id"]]["nct"]}
        | links(row["source_id"], sources)
        for row in records(material.evidence.set_aside)
    ]
    shown = [
        {
            "Analysis": titles[row["setting"], row["analysis"]],
            "Trial": row["trial"],
            "Of whom": of_whom(row["subgroup"]),
            "What": row["what"],
            "Why": row["reason"],
            "Verification": row["verification"],
            "Source": row["source"],
            "Row of the sheet": row["cells"],
        }
        for row in data
    ]
    return report_table(
        "rows_set_aside",
        "Rows set aside, and why",
        shown,
        data,
        ["Analysis", "Trial", "Of whom", "What", "Why", "Verification", "Source",
         "Row of the sheet"],
        ["setting", "analysis", "subgroup", "trial_id", "trial", "table", "row", "arms", "what",
         "verification", "reason", "cells", "source_id", "source", "doi", "pmid", "nct"],
    )  # fmt: skip


def _result(row: Mapping[str, Any]) -> str:
    if row["measure"] == "proportion":
        return f"{row['events_experimental']:.0f}/{row['n_experimental']:.0f} " + (
            "" if math.isnan(row["estimate"]) else f"({percent(row['estimate'])})"
        )
    effect = with_interval(row["estimate"], row["estimate_low"], row["estimate_high"])
    if row["measure"] == "hazard_ratio":
        return f"HR {effect}" if effect else "no standard error"
    counts = " v ".join(
        f"{count(row[f'events_{arm}'])}/{count(row[f'n_{arm}'])}"
        for arm in ("experimental", "control")
    )
    return f"{counts}; {effect}" if effect else counts
