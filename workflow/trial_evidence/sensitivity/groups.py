"""Do groups of trials differ? Tests with one tau2 for all groups, and with one per group."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from trial_evidence.pool.probes.subgroups import separate_subgroups, subgroup_test
from trial_evidence.sensitivity.comparison import BEGINNING, MEAN, Comparison, table
from trial_evidence.sensitivity.properties import blinding, risk_of_bias
from trial_evidence.sheet import Sheet

SUBGROUP_COLUMNS = [
    *BEGINNING, "factor", "group", "tau2_between", "k", "estimate", "ci_low", "ci_high", "ci_level",
    "tau2", "test", "statistic", "df_num", "df_den", "p_value", "trials", "reason",
]  # fmt: skip
ONE_GROUP = "All trials belong to one group"


def subgroups_table(comparisons: tuple[Comparison, ...], sheet: Sheet) -> pd.DataFrame:
    """Groups of trials by treatment given and by study design.

    Returns
    -------
    DataFrame
        Columns ``SUBGROUP_COLUMNS``. Each factor has one row per group, pooled with its own tau2; a
        test row with ``tau2_between`` ``separate``; and a test row with ``common``, based on one
        tau2 for all groups. A factor that does not vary has a row that says so.
    """
    return table(comparisons, SUBGROUP_COLUMNS, partial(_by_factor, sheet=sheet))


def factors(c: Comparison, sheet: Sheet) -> Mapping[str, pd.Series]:
    """Group of each trial by factor, in the order of the comparison's rows."""
    rows, changed = c.rows, c.rows["changed_backbone"].astype(str)
    shared = {
        "added_agents": rows["added_agents"],
        "partner": rows["experimental_partner"],
        "control": rows["control_agents"],
        "changed_backbone": changed.map({"True": "yes", "False": "no"}),
        "blinded": blinding(sheet, c),
        "risk_of_bias": risk_of_bias(sheet, c.analysis, rows),
        "verification": rows["verification"],
    }
    if c.analysis.kind == "counts":
        return shared | {"definition": rows["definition"]}
    return shared | {"endpoint": rows["endpoint"], "assessor": rows["assessor"]}


def _by_factor(c: Comparison, sheet: Sheet) -> Iterator[dict[str, Any]]:
    for factor, groups in factors(c, sheet).items():
        for record in _of_groups(c, [str(group) for group in groups]):
            yield {"factor": factor} | record


def _of_groups(c: Comparison, labels: list[str]) -> Iterator[dict[str, Any]]:
    if len(set(labels)) == 1:
        yield {"reason": f"{ONE_GROUP}: {labels[0]}."}
        return
    separate = separate_subgroups(c.yi, c.vi, labels, **c.choices)
    for at, level in enumerate(separate.levels):
        members = c.rows.loc[[label == level for label in labels], "trial_id"]
        yield {
            "group": level,
            "tau2_between": "separate",
            "k": len(members),
            **c.naturals(separate.fit, MEAN, at),
            "tau2": separate.fit.tau2[at] if len(members) > 1 else None,
            "trials": ";".join(members),
        }
    tested = ("statistic", "p_value", "reason")
    of_separate = {name: getattr(separate, name) for name in tested}
    yield {"tau2_between": "separate", "test": separate.method, "df_num": separate.df} | of_separate
    common = subgroup_test(c.yi, c.vi, labels)
    of_common = {name: getattr(common, name) for name in (*tested, "tau2", "df_num", "df_den")}
    yield {"tau2_between": "common", "test": common.method} | of_common
