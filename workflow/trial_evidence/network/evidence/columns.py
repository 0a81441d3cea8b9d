"""Columns of the tables that list the evidence of a network, and the level of its intervals."""

import pandas as pd

USED_COLUMNS = [
    "setting", "network", "trial_id", "trial", "year", "regimen", "code", "against",
    "against_code", "arm_ids", "against_arm_ids", "events", "n", "n_against", "hr", "ci_low",
    "ci_high", "ci_level", "p_value", "yi", "vi", "se_source", "definition", "population",
    "endpoint", "analysis_cut", "median_followup_months", "assessor", "covariance",
    "verification", "derivation", "source_id", "locator", "rows", "readers_differ",
    "exclusion_overridden", "note",
]  # fmt: skip
USED_NUMBERS = [
    "year", "events", "n", "n_against", "hr", "ci_low", "ci_high", "ci_level", "p_value", "yi",
    "vi", "median_followup_months",
]  # fmt: skip
SET_ASIDE_COLUMNS = [
    "setting", "network", "trial_id", "trial", "table", "row", "arms", "what", "verification",
    "source_id", "reason",
]  # fmt: skip


def with_level(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Insert the level of the intervals, in percent, after ``ci_high``, else after the last limit.

    All intervals of a row have the same level; tables without limits are returned unchanged.
    """
    names = list(table.columns)
    limits = [name for name in names if name.endswith("_high")]
    if limits:
        last = "ci_high" if "ci_high" in limits else limits[-1]
        table.insert(names.index(last) + 1, "ci_level", level)
    return table
