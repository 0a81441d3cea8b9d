"""Checks of effects: against other results of the same trial, and against the pooled effect."""

import math
from collections.abc import Collection, Iterator
from itertools import combinations, product

import numpy as np
import pandas as pd

from trial_evidence.audit import words
from trial_evidence.audit.findings import Finding, finding
from trial_evidence.audit.rows import (
    COUNT,
    FOLLOWUP,
    PAIR,
    RATIO,
    current_rows,
    grouped,
    known,
    printed_ratio,
    rows_of,
)
from trial_evidence.files import Record, records
from trial_evidence.measures import MEASURES, measure_words
from trial_evidence.measures.effects import odds_ratio
from trial_evidence.pool.probes.influence import influence, leave_one_out
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL, CURVE

OWN_RESULTS = "far from its own other result"
POOL = "far from its pool"

# Assumed correlation of two results of the same patients, deliberately low.
TWO_ASSESSORS, CLOSE, LOOSE = 0.8, 0.7, 0.5
OWN_Z = 1.96
POOL_Z = 2.5
POOL_MIN_TRIALS = 4
# Endpoints that an analysis treats as equivalent.
Families = Collection[tuple[str, ...]]


def own_other_results(sheet: Sheet, families: Families = ()) -> Iterator[Finding]:
    """Results that disagree with another result of the same patients.

    Compared are hazard ratios of the same pair of arms, subgroup and time of analysis for two
    endpoints or two assessors, and odds ratios of the same pair of arms for two definitions of a
    counted outcome. The variance of the difference is ``v1 + v2 - 2 * rho * sqrt(v1 * v2)``, with
    rho 0.8 for two assessors of one endpoint, 0.7 for two definitions or two endpoints of one
    family, 0.5 for two families: working assumptions, since no source prints it. A finding is a
    difference of more than 1.96 standard deviations; endpoints of two families (which may
    legitimately differ in size) must also lie on opposite sides of 1.
    """
    rows = [row for row in current_rows(sheet, "contrasts") if row["derivation"] != CURVE]
    for group in grouped(rows, *PAIR, "subgroup").values():
        errors = [(row, printed_ratio(row)[1]) for row in group]
        results = [(row, se.middle) for row, se in errors if se is not None]
        for (one, se_one), (other, se_other) in combinations(results, 2):
            rho = _rho(one, other, families)
            one_side = rho == LOOSE and (one["hr"] - 1) * (other["hr"] - 1) >= 0
            if rho is None or one_side or not _same_time(one, other):
                continue
            z = _distance(math.log(one["hr"]), se_one, math.log(other["hr"]), se_other, rho)
            if z > OWN_Z:
                first, second = (
                    f"{words.ratio(row)} ({words.result(row)}; row {row['row']})"
                    for row in (one, other)
                )
                what = f"{words.pair(one)}: {first}, but {second}; "
                what += f"{z:.1f} standard deviations apart."
                yield finding("medium", OWN_RESULTS, [one, other], RATIO, what)
    yield from _definitions(sheet)


def _rho(one: Record, other: Record, families: Families) -> float | None:
    """Assumed correlation of two results; None if they have the same endpoint and assessor."""
    endpoints = {one["outcome"], other["outcome"]}
    if len(endpoints) == 1:
        return None if one["assessor"] == other["assessor"] else TWO_ASSESSORS
    return CLOSE if any(endpoints <= set(family) for family in families) else LOOSE


def _same_time(one: Record, other: Record) -> bool:
    followups = (one[FOLLOWUP], other[FOLLOWUP])
    if all(map(known, followups)):
        return bool(followups[0] == followups[1])
    return bool(one["analysis"] == other["analysis"])


def _definitions(sheet: Sheet) -> Iterator[Finding]:
    whole = [row for row in current_rows(sheet, "counts") if row["subgroup"] == ALL]
    for rows in grouped(whole, "trial_id", "outcome").values():
        by_arm = {(row["arm_id"], row["definition"]): row for row in rows}
        arms, definitions = ([*dict.fromkeys(keys)] for keys in zip(*by_arm, strict=True))
        for pair, kinds in product(combinations(arms, 2), combinations(definitions, 2)):
            keys = [(arm, kind) for kind in kinds for arm in pair]
            if not all(key in by_arm for key in keys):
                continue
            four = [by_arm[key] for key in keys]
            sides = (four[::2], four[1::2])
            effects = odds_ratio(*([row[c] for row in rows] for rows in sides for c in COUNT))
            (one, other), (se_one, se_other) = effects.yi, np.sqrt(effects.vi)
            z = _distance(one, se_one, other, se_other, CLOSE)
            if z > OWN_Z:
                found = " but ".join(
                    f"{words.count(first)} against {words.count(second)} by {kind} (odds ratio "
                    f"{math.exp(effect):.2f})"
                    for first, second, kind, effect in zip(*sides, kinds, effects.yi, strict=True)
                )
                text = f"{pair[0]} v {pair[1]}: {found}; {z:.1f} standard deviations apart."
                yield finding("medium", OWN_RESULTS, four, COUNT, text)


def _distance(one: float, se_one: float, other: float, se_other: float, rho: float) -> float:
    variance = se_one**2 + se_other**2 - 2 * rho * se_one * se_other
    return abs(one - other) / math.sqrt(variance)


def far_from_pool(sheet: Sheet, trials: pd.DataFrame) -> Iterator[Finding]:
    """Trials whose effect is far from that of the others in their pool.

    Parameters
    ----------
    trials : DataFrame
        ``results/<setting>/trials.csv`` of all settings: ``setting``, ``analysis``, ``measure``,
        ``subgroup``, ``pooled``, ``yi``, ``vi``, ``rows``; and ``table``, to which the rows belong.

    Notes
    -----
    Pools of all patients with four or more trials, one measure per analysis; a finding is a
    studentised deleted residual beyond 2.5.
    """
    pooled = trials[(trials["pooled"] == "yes") & (trials["subgroup"] == ALL)]
    for (setting, analysis), group in pooled.groupby(["setting", "analysis"], sort=False):
        pool = group[group["measure"] == group["measure"].iloc[0]]
        if len(pool) < POOL_MIN_TRIALS:
            continue
        residuals = influence(pool["yi"], pool["vi"]).rstudent.tolist()
        others = leave_one_out(pool["yi"], pool["vi"]).estimate.tolist()
        for row, mean, residual in zip(records(pool), others, residuals, strict=True):
            if abs(residual) > POOL_Z:
                yield _outlier(sheet, row, mean, residual, len(pool), f"{setting}, {analysis}")


def _outlier(
    sheet: Sheet, trial: Record, others: float, residual: float, k: int, analysis: str
) -> Finding:
    numbers = {int(number) for number in str(trial["rows"]).split(";")}
    rows = [r for r in rows_of(sheet) if r["table"] == trial["table"] and r["row"] in numbers]
    measure = MEASURES[trial["measure"]]
    own, mean = (float(measure.scale.to_natural(value)) for value in (trial["yi"], others))
    what = (
        f"{analysis}: {measure_words(measure.name).lower()} {own:.2f}; the other {k - 1} trials "
        f"pooled give {mean:.2f}; studentised deleted residual {residual:.1f}."
    )
    columns = COUNT if measure.kind == "counts" else RATIO
    return finding("medium", POOL, rows, columns, what, about=analysis)
