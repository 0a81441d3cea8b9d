"""The rows behind the results: those used, and those set aside with the reason."""

import math

from trial_evidence.files import records
from trial_evidence.report.material import printed, reading
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.table import ANALYSIS, SOURCE, Column, ReportTable, Row
from trial_evidence.report.trail.trace import cells_of

TRIAL = Column("Trial", "trial")
POPULATION = Column("Population", "subgroup", printed.of_whom)
VERIFICATION = Column("Verification", "verification")


def rows_used_table(material: Material) -> ReportTable:
    """Every trial's result in every analysis, and every arm's rate, with its place in the source.

    A comparison is listed once, as the analysis's first measure; ``data`` has the analysis's id
    and the effect size (``yi``, ``vi`` on the analysis scale) at full precision.
    """
    compared = material.as_first_measure(material.evidence.trials)
    named = {"regimen_label": "experimental", "events": "events_experimental",
             "n": "n_experimental"}  # fmt: skip
    rates = material.evidence.rates
    labels = {(r.setting, r.id): "; ".join(r.labels) for r in material.configuration.rates}
    rates = rates.rename(columns=named).assign(
        control="", events_control=math.nan, n_control=math.nan,
        outcome=[labels[s, a] for s, a in zip(rates["setting"], rates["analysis"], strict=True)],
    )  # fmt: skip
    columns = (
        ANALYSIS,
        TRIAL,
        POPULATION,
        Column("Outcome", "outcome"),
        Column("Result", text=_result),
        Column("Pooled", text=_pooled),
        Column("Weight", "weight", lambda w: "" if math.isnan(w) else f"{printed.number(w, 1)}%"),
        VERIFICATION,
        Column("Derivation", "derivation", printed.words),
        SOURCE,
        Column("Place in the source", "locator"),
        Column("Rows of the sheet", "cells"),
    )
    return material.table(
        "rows_used",
        "Rows used, with their sources",
        [
            row | {"cells": cells_of(row, material.configuration)}
            for row in (*records(compared), *records(rates))
        ],
        columns,
        ("setting", "analysis", "outcome", "measure", "subgroup", "trial_id", "trial",
         "experimental", "control", "events_experimental", "n_experimental", "events_control",
         "n_control", "estimate", "estimate_low", "estimate_high", "yi", "vi", "weight", "pooled",
         "not_pooled_reason", "verification", "derivation", "rows", "note", "cells", "source_id",
         "source", "locator", "doi", "pmid", "nct"),
        ["Verification: primary, in the trial’s own paper, abstract, registry record or "
         "label; secondary, in a document that quotes it."],
    )  # fmt: skip


def rows_set_aside_table(material: Material) -> ReportTable:
    """Every row that an analysis looked at and did not take, with the reason in words."""
    table = material.evidence.set_aside
    columns = (
        ANALYSIS,
        TRIAL,
        POPULATION,
        Column("What", "what"),
        Column("Why", "reason"),
        VERIFICATION,
        SOURCE,
        Column("Row of the sheet", "cells"),
    )
    return material.table(
        "rows_set_aside",
        "Rows set aside, with the reasons",
        records(table.assign(cells=table["table"] + ".csv row " + table["row"])),
        columns,
        ("setting", "analysis", "subgroup", "trial_id", "trial", "table", "row", "arms", "what",
         "verification", "reason", "cells", "source_id", "source", "doi", "pmid", "nct"),
    )  # fmt: skip


def _pooled(row: Row) -> str:
    return "yes" if row["pooled"] == "yes" else f"no: {row['not_pooled_reason']}"


def _result(row: Row) -> str:
    here, there = (
        f"{printed.count(row[f'events_{arm}'])}/{printed.count(row[f'n_{arm}'])}"
        for arm in ("experimental", "control")
    )
    if row["measure"] == "proportion":
        rate = printed.percent(row["estimate"])
        return f"{here} " + (f"({rate})" if rate else "")
    effect = printed.with_interval(row["estimate"], row["estimate_low"], row["estimate_high"])
    measure = reading.measure_of(row["measure"])
    if measure.kind == "contrasts":
        return f"{measure.short} {effect}" if effect else "no standard error"
    return f"{here} v {there}; {effect}" if effect else f"{here} v {there}"
