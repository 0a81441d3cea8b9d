"""The stage: what it passes from the configuration to the checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from audit_sheets import row_of, sheet_with
from invented import PROJECT
from trial_evidence.audit.stage import write_audit
from trial_evidence.audit.times import BELOW
from trial_evidence.extract.stage import write_evidence
from trial_evidence.files import read_table, records
from trial_evidence.kept import Parts
from trial_evidence.pool.stage import write_estimates


@pytest.mark.parametrize(("outcome", "found"), [("OS", True), ("DFS", False)])
def test_survival_is_what_the_configuration_calls_survival(
    tmp_path: Path, outcome: str, found: bool
) -> None:
    """Deaths also count in every other outcome, so no fewer can be alive than event-free."""
    # In the arm of row 2, 94.1% are event-free at 36 months.
    other = row_of("milestones", 2, endpoint=outcome, percent="90.0", ci_low="", ci_high="")
    sheet = sheet_with([], [other])
    setting = "adjuvant"
    only = replace(PROJECT, settings={setting: PROJECT.settings[setting]}, analyses=(), rates=())
    write_evidence(sheet, only, tmp_path)
    write_estimates(only, setting, tmp_path, tmp_path, Parts())
    write_audit(sheet, sheet, only, tmp_path, tmp_path)
    told = [
        row["figures"] for row in records(read_table(tmp_path / "checks/audit.csv", []))
        if row["check"] == BELOW
    ]  # fmt: skip
    assert [text.startswith("trial_f_dual: OS 90% at 36 months") for text in told] == [True] * found
