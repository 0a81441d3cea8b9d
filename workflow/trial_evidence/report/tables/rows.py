"""The rows behind the results: those used, those set aside, and how far they were verified."""

import math
from dataclasses import asdict
from functools import partial

from trial_evidence.files import Record, records
from trial_evidence.pool.shown import interval_remark, own_result, own_values
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.material.verified import GOAL, verified
from trial_evidence.report.tables.robustness import patients_or_trials
from trial_evidence.report.trail.trace import cells_of
from trial_evidence.report.words import reading
from trial_evidence.words import printed
from trial_evidence.words.printed import lower_first


def rows_used_table(material: Material) -> ReportTable:
    """Every trial's result in every analysis, and every arm's rate, with its place in the source.

    A comparison is listed once, in the analysis's first measure; ``data`` has the analysis's id
    and the effect size (``yi``, ``vi`` on the analysis scale) in full precision.
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
    rows = [
        row | {"cells": str(cells_of(row, material.configuration))}
        for row in (*records(compared), *records(rates))
    ]
    result = partial(_result, level=material.configuration.confidence_level)
    return material.table("rows_used", rows, {"trial_result": result, "pooled": _pooled})


def rows_set_aside_table(material: Material) -> ReportTable:
    """Every row that an analysis considered and set aside, with the reason in words."""
    table = material.evidence.set_aside
    rows = table.assign(cells=table["table"] + ".csv row " + table["row"])
    return material.table("rows_set_aside", records(rows))


def verification_table(material: Material) -> ReportTable:
    """For every pool of trials: the weight verified in primary sources, and by two readers."""
    rows = [{**lead, **asdict(verified(material, trials))} for _, lead, trials in material.pools]
    formats = {"of_whom": partial(patients_or_trials, material)}
    return material.table("verification", rows, formats, goal=printed.percent(GOAL))


def _pooled(row: Record) -> str:
    return "yes" if row["pooled"] == "yes" else f"no: {row['not_pooled_reason']}"


def _result(row: Record, level: float) -> str:
    here, there = (
        f"{printed.count(row[f'events_{arm}'])}/{printed.count(row[f'n_{arm}'])}"
        for arm in ("experimental", "control")
    )
    if row["measure"] == "proportion":
        rate = printed.percent(own_values(row)[0])
        return f"{here} " + (f"({rate})" if rate else "")
    effect = own_result(row)
    measure = reading.measure_of(row["measure"])
    if measure.kind == "contrasts":
        remark = interval_remark(row, level).format(shown=f"{row['estimate_level']:g}")
        said = ", ".join(filter(None, (effect, lower_first(remark))))
        return f"{measure.short} {said}" if effect else "no standard error"
    return f"{here} v {there}; {effect}" if effect else f"{here} v {there}"
