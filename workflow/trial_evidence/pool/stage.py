"""The pool stage: estimates of one setting from its tidy evidence."""

from pathlib import Path

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.columns import RATE_NUMBERS, USED_NUMBERS
from trial_evidence.files import read_table, write_table
from trial_evidence.kept import Parts
from trial_evidence.pool.estimates import pool_setting


def write_estimates(
    configuration: Configuration, setting: str, processed: Path, results: Path, parts: Parts
) -> None:
    """Write ``estimates.csv``, ``trials.csv`` and ``rates.csv`` of one setting.

    Parameters
    ----------
    parts : Parts
        Cached estimates from earlier runs.
    """
    used = read_table(processed / setting / "used.csv", USED_NUMBERS)
    rates = read_table(processed / setting / "rates.csv", RATE_NUMBERS)
    pooled = pool_setting(used, rates, configuration, setting, parts)
    parts.forget_others()
    for name in ("estimates", "trials", "rates"):
        write_table(results / setting / f"{name}.csv", getattr(pooled, name))
