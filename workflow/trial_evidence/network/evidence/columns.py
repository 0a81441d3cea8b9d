"""Columns of the tables that say what a network rests on, and the level of its intervals."""

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
    """Put the level of the intervals, in percent, behind ``ci_high``, else behind the last limit.

    One level holds for every interval of a row; tables without limits stay as they are.
    """
    limits = [name for name in table.columns if name.endswith("_high")]
    if limits:
        behind = "ci_high" if "ci_high" in limits else limits[-1]
        table.insert(table.columns.get_loc(behind) + 1, "ci_level", level)
    return table
