"""Checks of effects: against the trial's own other results, and against the pool."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from trial_evidence.audit.findings import Finding, Record, finding
from trial_evidence.audit.rows import (
    WHOLE,
    count_words,
    current_rows,
    known,
    pair_words,
    printed_ratio,
    ratio_words,
    result_words,
)
from trial_evidence.files import records
from trial_evidence.measures.effects import odds_ratio
from trial_evidence.pool.engine.likelihood import reml_tau2
from trial_evidence.pool.engine.results import Floats
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import Span

OWN_RESULTS = "far from its own other result"
POOL = "far from its pool"

OVERALL_SURVIVAL = "OS"
# How closely two results of the same patients go together; a working assumption, on the low side.
TWO_ASSESSORS, CLOSE, LOOSE = 0.8, 0.7, 0.5
OWN_Z = 1.96
POOL_Z = 2.5
POOL_MIN_TRIALS = 4
RATIOS = ("risk_ratio", "odds_ratio", "hazard_ratio")


def own_other_results(sheet: Sheet) -> Iterator[Finding]:
    """Results that disagree with another result of the same patients.

    Hazard ratios of one pair of arms, subgroup and time of analysis by two endpoints or two
    assessors, and odds ratios of pCR of one pair of arms by two definitions. The variance of the
    difference is ``v1 + v2 - 2 * rho * sqrt(v1 * v2)``, with rho 0.8 for two assessors of one
    endpoint, 0.7 for two definitions or two event-free endpoints, 0.5 where overall survival is one
    of the two: a working assumption, for no source prints it. A finding is a difference of more
    than 1.96 standard deviations; overall survival, which is expected to gain less, has to lie on
    the other side of 1 as well.
    """
    yield from _hazard_ratios(sheet)
    yield from _definitions(sheet)


def _hazard_ratios(sheet: Sheet) -> Iterator[Finding]:
    groups = defaultdict(list)
    for row in current_rows(sheet, "hazard_ratios"):
        se = printed_ratio(row).se
        if se is not None and row["derivation"] != "digitised_curve":
            key = (row["experimental_arm_id"], row["control_arm_id"], row["subgroup"])
            groups[key].append((row, se))
    for rows in groups.values():
        for (one, se_one), (other, se_other) in combinations(rows, 2):
            what = (one["endpoint"], one["assessor"]), (other["endpoint"], other["assessor"])
            if what[0] == what[1] or not _same_time(one, other):
                continue
            survival = OVERALL_SURVIVAL in (one["endpoint"], other["endpoint"])
            if survival and (one["hr"] - 1) * (other["hr"] - 1) >= 0:
                continue
            rho = LOOSE if survival else CLOSE
            if one["endpoint"] == other["endpoint"]:
                rho = TWO_ASSESSORS
            z = _distance(
                math.log(one["hr"]), _middle(se_one), math.log(other["hr"]), _middle(se_other),
                rho,
            )  # fmt: skip
            if z > OWN_Z:
                words = (
                    f"{pair_words(one)}: {ratio_words(one)} ({result_words(one)}; row "
                    f"{one['row']}), but {ratio_words(other)} ({result_words(other)}; row "
                    f"{other['row']}); {z:.1f} standard deviations apart."
                )
                columns = ("hr", "ci_low", "ci_high", "ci_level")
                yield finding("medium", OWN_RESULTS, "hazard_ratios", [one, other], columns, words)


def _same_time(one: Record, other: Record) -> bool:
    followups = (one["median_followup_months"], other["median_followup_months"])
    if all(map(known, followups)):
        return bool(followups[0] == followups[1])
    return bool(one["analysis"] == other["analysis"])


def _definitions(sheet: Sheet) -> Iterator[Finding]:
    trials = defaultdict(list)
    for row in current_rows(sheet, "pcr"):
        if row["subgroup"] == WHOLE:
            trials[row["trial_id"]].append(row)
    for rows in trials.values():
        by_arm = {(row["arm_id"], row["definition"]): row for row in rows}
        arms = list(dict.fromkeys(row["arm_id"] for row in rows))
        definitions = list(dict.fromkeys(row["definition"] for row in rows))
        for pair, kinds in (
            (pair, kinds)
            for pair in combinations(arms, 2)
            for kinds in combinations(definitions, 2)
            if all((arm, kind) in by_arm for arm in pair for kind in kinds)
        ):
            tables = [[by_arm[arm, kind] for arm in pair] for kind in kinds]
            effects = [_log_odds_ratio(*table) for table in tables]
            z = _distance(*effects[0], *effects[1], CLOSE)
            if z > OWN_Z:
                words = " but ".join(
                    f"{count_words(first)} against {count_words(second)} by {kind} (odds ratio "
                    f"{math.exp(effect[0]):.2f})"
                    for (first, second), kind, effect in zip(tables, kinds, effects, strict=True)
                )
                text = f"{pair[0]} v {pair[1]}: {words}; {z:.1f} standard deviations apart."
                four = [row for table in tables for row in table]
                yield finding("medium", OWN_RESULTS, "pcr", four, ("events", "n"), text)


def _log_odds_ratio(first: Record, second: Record) -> tuple[float, float]:
    effect = odds_ratio([first["events"]], [first["n"]], [second["events"]], [second["n"]])
    return float(effect.yi[0]), math.sqrt(float(effect.vi[0]))


def _distance(one: float, se_one: float, other: float, se_other: float, rho: float) -> float:
    variance = se_one**2 + se_other**2 - 2 * rho * se_one * se_other
    return abs(one - other) / math.sqrt(variance)


def _middle(span: Span) -> float:
    return (span.low + span.high) / 2


def far_from_pool(sheet: Sheet, trials: pd.DataFrame) -> Iterator[Finding]:
    """Trials whose effect lies far from that of the others in their pool.

    Parameters
    ----------
    sheet : Sheet
    trials : DataFrame
        ``results/<setting>/trials.csv`` of all settings: ``setting``, ``analysis``, ``measure``,
        ``subgroup``, ``trial_id``, ``pooled``, ``yi``, ``vi``, ``estimate``, ``rows``.

    Notes
    -----
    Pools of all patients with four trials or more, one measure an analysis; a finding is a
    studentised deleted residual beyond 2.5.
    """
    pooled = trials[(trials["pooled"] == "yes") & (trials["subgroup"] == WHOLE)]
    for (setting, analysis), group in pooled.groupby(["setting", "analysis"], sort=False):
        rows = records(group[group["measure"] == group["measure"].iloc[0]])
        if len(rows) < POOL_MIN_TRIALS:
            continue
        yi, vi = (np.array([row[column] for row in rows], dtype=float) for column in ("yi", "vi"))
        residuals = deleted_residuals(yi, vi)
        for row, (others, residual) in zip(rows, residuals, strict=True):
            if abs(residual) > POOL_Z:
                yield _outlier(sheet, row, others, residual, len(rows), f"{setting}, {analysis}")


def deleted_residuals(yi: Floats, vi: Floats) -> list[tuple[float, float]]:
    """Return, for each trial, the mean of the others and its studentised deleted residual.

    The residual is ``(yi - m) / sqrt(vi + tau2 + var(m))``, m and tau2 (REML) by the other trials.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        Effects and sampling variances; k at least 3.

    Raises
    ------
    ValueError
        If there are fewer than three trials.

    Notes
    -----
    The same as metafor's ``rstudent(rma(yi, vi, method="REML"))``.
    """
    found = []
    for position in range(yi.size):
        y, v = np.delete(yi, position), np.delete(vi, position)
        tau2 = reml_tau2(y, v)
        weights = 1 / (v + tau2)
        mean = float(weights @ y / weights.sum())
        spread = math.sqrt(float(vi[position]) + tau2 + 1 / float(weights.sum()))
        found.append((mean, (float(yi[position]) - mean) / spread))
    return found


def _outlier(
    sheet: Sheet, trial: Record, others: float, residual: float, k: int, analysis: str
) -> Finding:
    table = "hazard_ratios" if trial["measure"] == "hazard_ratio" else "pcr"
    numbers = {int(number) for number in str(trial["rows"]).split(";")}
    rows: Sequence[Record] = [row for row in records(sheet[table]) if row["row"] in numbers]
    ratio = trial["measure"] in RATIOS
    own, mean = (math.exp(value) if ratio else value for value in (trial["yi"], others))
    what = (
        f"{analysis}: {trial['measure'].replace('_', ' ')} {own:.2f}, the other {k - 1} trials "
        f"together have {mean:.2f}; studentised deleted residual {residual:.1f}."
    )
    columns = ("events", "n") if table == "pcr" else ("hr", "ci_low", "ci_high", "ci_level")
    return finding("medium", POOL, table, rows, columns, what, about=analysis)
