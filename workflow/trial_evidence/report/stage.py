"""The report stage: all settings in one table, one page and one short summary."""

from pathlib import Path

import pandas as pd

from trial_evidence.configuration import Configuration
from trial_evidence.files import read_table, write_table, write_text
from trial_evidence.pool.columns import ESTIMATE_NUMBERS
from trial_evidence.report.at_a_glance import at_a_glance, summary_lines


def write_report(configuration: Configuration, results: Path) -> None:
    """Write ``estimates.csv``, ``at-a-glance.md`` and ``summary.txt`` into results/."""
    estimates = pd.concat(
        [read_table(results / s / "estimates.csv", ESTIMATE_NUMBERS) for s in
         configuration.settings], ignore_index=True)  # fmt: skip
    figures = pd.concat(
        [read_table(results / s / "figures.csv", []) for s in configuration.settings],
        ignore_index=True,
    )
    write_table(results / "estimates.csv", estimates)
    write_text(results / "at-a-glance.md", at_a_glance(estimates, figures, configuration))
    write_text(results / "summary.txt", summary_lines(estimates, configuration))
