"""Material of the report, from the made-up sheet or from handwritten rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from invented import ROOT
from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration, read_report_configuration
from trial_evidence.kept import Parts
from trial_evidence.pool.columns import ESTIMATE_COLUMNS, ESTIMATE_NUMBERS
from trial_evidence.report.material.material import NO_NETWORKS, SENSITIVITY_NUMBERS, Material
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.sheet import Sheet

# Columns that are text in the tables of the sensitivity stage.
_TEXTS = ["setting", "analysis", "measure", "model", "leads", "test", "trial", "added", "factor",
          "level", "reference_level", "role", "trials",
          "further_trial"]  # fmt: skip


def report_configuration(configuration: Configuration) -> ReportConfiguration:
    """The project's own config/report.yaml."""
    return read_report_configuration(ROOT / "config", configuration)


def material(
    pooled: tuple[Sheet, Configuration, Evidence],
    results: Path = Path(),
    networks: NetworkConfiguration = NO_NETWORKS,
) -> Material:
    """The made-up sheet and its pooled results, with empty sensitivity tables."""
    sheet, configuration, evidence = pooled
    tables = {
        name: pd.DataFrame(columns=[*_TEXTS, *numbers])
        for name, numbers in SENSITIVITY_NUMBERS.items()
    }
    report = report_configuration(configuration)
    parts = Parts(results / "parts")
    return Material(configuration, report, sheet, evidence, tables, results, parts, networks)


def estimate(**fields: Any) -> dict[str, Any]:
    """A leading estimate of adjuvant event-free survival, unless `fields` say otherwise."""
    row = dict.fromkeys(ESTIMATE_COLUMNS, "") | dict.fromkeys(ESTIMATE_NUMBERS, float("nan"))
    return row | {
        "setting": "adjuvant", "analysis": "event_free_dual_v_single", "outcome": "iDFS",
        "measure": "hazard_ratio", "subgroup": "all", "model": "random_reml_hk", "role": "lead",
        "k": 5.0, "ci_level": 95.0, "pi_low": 0.5, "pi_high": 1.3, "i2": 0.0,
    } | fields  # fmt: skip


def with_estimates(found: Material, rows: Sequence[Mapping[str, Any]]) -> Material:
    """The material with all estimates replaced by these rows."""
    table = pd.DataFrame([dict(row) for row in rows], columns=ESTIMATE_COLUMNS)
    return replace(found, evidence=replace(found.evidence, estimates=table))


def with_sensitivity(found: Material, name: str, rows: Sequence[Mapping[str, Any]]) -> Material:
    """The material with these rows in a table of the sensitivity stage."""
    table = pd.DataFrame([dict(row) for row in rows], columns=found.sensitivity[name].columns)
    return replace(found, sensitivity={**found.sensitivity, name: table})


def with_table(found: Material, name: str, rows: Sequence[Mapping[str, Any]]) -> Material:
    """The material with these rows in a table of the sheet; what a row leaves out is empty."""
    columns = found.sheet[name].columns
    numbers = found.sheet[name].select_dtypes("number").columns
    empty = {column: float("nan") if column in numbers else "" for column in columns}
    table = pd.DataFrame([{**empty, **row} for row in rows], columns=columns)
    return replace(found, sheet=Sheet({**found.sheet.tables, name: table}, found.sheet.kinds))
