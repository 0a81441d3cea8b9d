"""Do groups of trials differ? With one tau2 for all groups, and with one for each."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from trial_evidence.pool.probes.subgroups import (
    SeparateSubgroups,
    SubgroupTest,
    separate_subgroups,
    subgroup_test,
)
from trial_evidence.sensitivity.comparison import MEAN, Comparison, nan_if_none, table
from trial_evidence.sensitivity.properties import blinding, risk_of_bias
from trial_evidence.sheet import Sheet

SUBGROUP_COLUMNS = [
    "setting", "analysis", "measure", "factor", "group", "tau2_between", "k", "estimate", "ci_low",
    "ci_high", "ci_level", "tau2", "test", "statistic", "df_num", "df_den", "p_value", "trials",
    "reason",
]  # fmt: skip
ONE_GROUP = "All trials belong to one group"


def subgroups_table(comparisons: tuple[Comparison, ...], sheet: Sheet) -> pd.DataFrame:
    """Groups of trials by what was given and how it was studied.

    Returns
    -------
    DataFrame
        Columns ``SUBGROUP_COLUMNS``. For each factor a row a group, pooled with a tau2 of its
        own; a test row with ``tau2_between`` ``separate``; and a test row with ``common``, which
        rests on one tau2 for all groups. A factor that does not vary has a row that says so.
    """
    records = [
        c.frame() | {"ci_level": c.level, "factor": factor} | record
        for c in comparisons
        for factor, groups in factors(c, sheet).items()
        for record in _factor(c, groups)
    ]
    return table(records, SUBGROUP_COLUMNS)


def factors(c: Comparison, sheet: Sheet) -> Mapping[str, pd.Series]:
    """Group of each trial by factor, in the order of the comparison's rows."""
    rows = c.rows
    shared = {
        "added_agents": rows["added_agents"],
        "partner": rows["experimental_partner"],
        "control": rows["control_agents"],
        "changed_backbone": rows["changed_backbone"]
        .astype(str)
        .map({"True": "yes", "False": "no"}),
        "blinded": blinding(sheet, c),
        "risk_of_bias": risk_of_bias(sheet, rows),
        "verification": rows["verification"],
    }
    if c.analysis.kind == "counts":
        return shared | {"definition": rows["definition"]}
    return shared | {"endpoint": rows["endpoint"], "assessor": rows["assessor"]}


def _factor(c: Comparison, groups: pd.Series) -> Iterator[dict[str, Any]]:
    labels = [str(group) for group in groups]
    if len(set(labels)) == 1:
        yield {"k": c.k, "reason": f"{ONE_GROUP}: {labels[0]}."}
        return
    separate = separate_subgroups(
        c.yi,
        c.vi,
        labels,
        method=c.pooling.tau2_estimator,
        interval=c.pooling.estimate_interval,
        level=c.level,
    )
    for at, level in enumerate(separate.levels):
        members = c.rows.loc[[label == level for label in labels], "trial_id"]
        yield {
            "group": level,
            "tau2_between": "separate",
            "k": int(separate.fit.k[at]),
            **c.naturals(separate.fit, MEAN, at),
            "tau2": float(separate.fit.tau2[at]) if len(members) > 1 else float("nan"),
            "trials": ";".join(members),
        }
    yield _test(c, "separate", separate) | {"df_num": separate.df}
    common = subgroup_test(c.yi, c.vi, labels)
    yield _test(c, "common", common) | {
        "tau2": nan_if_none(common.tau2),
        "df_num": common.df_num,
        "df_den": common.df_den,
    }


def _test(c: Comparison, between: str, test: SubgroupTest | SeparateSubgroups) -> dict[str, Any]:
    return {
        "tau2_between": between,
        "k": c.k,
        "test": test.method,
        "statistic": nan_if_none(test.statistic),
        "p_value": nan_if_none(test.p_value),
        "reason": test.reason,
    }
