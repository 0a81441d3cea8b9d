"""Reference values from outside this project; every file says where its numbers come from."""

import csv
import json
from pathlib import Path
from typing import Any

from trial_evidence.pool.models.random_effects import random_effects

HERE = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    """Data sets of a JSON file of reference values."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["datasets"]


def published_counts(name: str) -> dict[str, list[float]]:
    """Two-by-two tables behind a published result; the expected values are in the first line."""
    lines = (HERE / f"published_{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines[1:]))
    columns = {"events_e": "events_exp", "n_e": "n_exp", "events_c": "events_ctl", "n_c": "n_ctl"}
    return {ours: [float(row[theirs]) for row in rows] for ours, theirs in columns.items()}


def reml_hartung_knapp(yi, vi, level=95.0):
    """The random-effects model that config/config.yaml chooses."""
    return random_effects(
        yi,
        vi,
        level,
        tau2_estimator="REML",
        estimate_interval="hartung_knapp_conservative",
        prediction_interval="conservative_k_minus_1",
    )
