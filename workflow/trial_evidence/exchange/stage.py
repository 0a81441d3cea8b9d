"""The exchange stage: results, and the rows behind them, in the formats of other programs."""

from pathlib import Path

import pandas as pd

import trial_evidence
from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.exchange.as_json import estimates_as_json, schema_of_estimates
from trial_evidence.exchange.for_cinema import files_for_cinema
from trial_evidence.exchange.for_r import files_for_r
from trial_evidence.exchange.for_revman import files_for_revman
from trial_evidence.files import write_table, write_text
from trial_evidence.kept import MADE, write_listed
from trial_evidence.pool.columns import ESTIMATE_NUMBERS
from trial_evidence.report.material.material import all_settings
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.sheet import Sheet

FOLDER = "exchange"
ESTIMATES, SCHEMA = "estimates.json", "estimates.schema.json"


def write_exchange(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    evidence: Evidence,
    results: Path,
) -> None:
    """Write ``exchange/`` for R, RevMan and CINeMA, and the estimates as JSON with their schema.

    Files of an earlier run that no longer exist are removed.
    """
    made: dict[str, pd.DataFrame | str] = {
        **files_for_r(configuration, evidence),
        **files_for_revman(configuration, sheet, evidence.trials),
        **files_for_cinema(networks, sheet, evidence.networks.networks),
    }
    folder = results / FOLDER
    for name, content in made.items():
        if isinstance(content, str):
            write_text(folder / name, content)
        else:
            write_table(folder / name, content, keep_unchanged=True)
    write_listed(folder / MADE, (folder / name for name in made))
    every = all_settings(configuration, results, "estimates", ESTIMATE_NUMBERS)
    write_text(results / ESTIMATES, estimates_as_json(every, trial_evidence.__version__))
    write_text(results / SCHEMA, schema_of_estimates())
