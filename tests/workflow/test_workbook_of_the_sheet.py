"""The real sheet and its workbook."""

from pathlib import Path

import pytest
from project_copy import ROOT, Project
from trial_evidence.cli import main


def test_the_real_sheet_goes_through_a_workbook_unchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    raw = ROOT / "data/raw"
    copy = tmp_path / "data/raw"
    copy.mkdir(parents=True)
    for path in raw.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    book = str(project.folder / "evidence.xlsx")
    assert main(["workbook", f"--raw={copy}", "--book", book]) == 0
    assert main(["import", f"--raw={copy}", "--book", book]) == 0
    assert "nothing to import" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in raw.iterdir()
    }
