"""The commands that the rules call: exit codes, messages, and what a failure leaves alone."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from trial_evidence.cli import MOST_PRINTED, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the made-up sheet and the project's configuration."""
    shutil.copytree(ROOT / "tests/sheets/valid", tmp_path / "data/raw")
    # The configuration names control arms with agents that the made-up trials do not have.
    shutil.copy(ROOT / "data/raw/agents.csv", tmp_path / "data/raw")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def break_cell(project, table, old, new):
    path = project / "data/raw" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def listed(project):
    with (project / "results/checks/problems.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_sound_sheet_passes(project, capsys):
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("No errors, no warnings.\n", "")
    assert listed(project) == []


def test_an_error_is_told_and_listed(project, capsys):
    break_cell(project, "pcr", "ITT,local,all,42,105", "ITT,local,all,142,105")
    assert main(["check"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "pcr.csv, row 2 (trial_a), column events: " in said.err
    assert said.err.splitlines()[-1].endswith(
        "Nothing was computed. Full list: results/checks/problems.csv"
    )
    assert [(row["row"], row["column"]) for row in listed(project)] == [("2", "events")]


def test_warnings_are_counted_and_printed_on_request(project, capsys):
    break_cell(project, "pcr", "42,105,40.0", "42,105,41.0")
    assert main(["check"]) == 0
    assert "1 warning" in capsys.readouterr().out
    assert main(["check", "--list-warnings"]) == 0
    assert capsys.readouterr().out.startswith("pcr.csv, row 2 (trial_a), column reported_percent")
    assert [row["severity"] for row in listed(project)] == ["warning"]


def test_faults_of_sheet_and_configuration_are_told_together(project, capsys):
    break_cell(project, "pcr", "ITT,local,all,42,105", "ITT,local,all,x,105")
    config = project / "config/config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert "config.yaml: Additional properties" in said
    assert "pcr.csv, row 2" in said


@pytest.mark.parametrize("stage", ["check", "extract"])
def test_an_exclusion_from_an_unknown_analysis_stops_the_run(project, capsys, stage):
    break_cell(project, "exclusions", "trial_d,,*,*", "trial_d,,pcr_dual_v_trastuzumb,*")
    assert main([stage]) == 1
    assert 'Did you mean "pcr_dual_v_trastuzumab"?' in capsys.readouterr().err
    assert not (project / "data/processed").exists()


def test_an_agent_that_the_sheet_does_not_know_stops_the_run(project, capsys):
    agents = project / "data/raw/agents.csv"
    lines = agents.read_text(encoding="utf-8").splitlines(keepends=True)
    agents.write_text("".join(x for x in lines if not x.startswith("neratinib")), encoding="utf-8")
    assert main(["check"]) == 1
    assert '"neratinib" is not an agent of agents.csv.' in capsys.readouterr().err


def test_a_thousand_faults_do_not_bury_the_reader(project, capsys):
    pcr = project / "data/raw/pcr.csv"
    header, *rows = pcr.read_text(encoding="utf-8").splitlines()
    many = [row.replace(",ITT,", ",IT,") for row in rows] * 40
    pcr.write_text("\n".join([header, *many]) + "\n", encoding="utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == MOST_PRINTED + 2
    assert said[-2].endswith("more errors")
    assert len(listed(project)) > 1000 - MOST_PRINTED


def test_evidence_of_every_setting_is_written(project):
    assert main(["extract"]) == 0
    found = {path.relative_to(project / "data/processed").as_posix()
             for path in (project / "data/processed").rglob("*.csv")}  # fmt: skip
    assert found == {
        f"{setting}/{table}.csv"
        for setting in
        ("neoadjuvant", "adjuvant", "metastatic_first_line", "metastatic_pretreated")
        for table in ("used", "set_aside", "contrasts", "rates")
    }  # fmt: skip


def test_extracting_again_leaves_unchanged_files_alone(project):
    assert main(["extract"]) == 0
    before = {p: p.stat().st_mtime_ns for p in (project / "data/processed").rglob("*.csv")}
    break_cell(project, "pcr", "42,105,40.0", "43,105,41.0")
    assert main(["extract"]) == 0
    touched = {p.parent.name for p, t in before.items() if p.stat().st_mtime_ns != t}
    assert touched == {"neoadjuvant"}


def test_an_unknown_stage_is_refused(project, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["publish"])
    assert caught.value.code == 2
    assert "invalid choice: 'publish'" in capsys.readouterr().err


def test_the_module_is_a_command(project):
    done = subprocess.run(
        [sys.executable, "-m", "trial_evidence", "check"],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "No errors, no warnings.\n", "")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("trial_evidence.sheet", {"pandas", "scipy", "pymare", "statsmodels", "plotnine"}),
        ("trial_evidence.cli", {"scipy", "pymare", "statsmodels", "plotnine"}),
        ("trial_evidence.extract.stage", {"pymare", "plotnine", "matplotlib"}),
        ("trial_evidence.pool.stage", {"plotnine", "matplotlib"}),
        ("trial_evidence.figures.stage", {"pymare"}),
        ("trial_evidence.report.stage", {"pymare"}),
    ],
)
def test_a_stage_imports_only_what_it_needs(module, heavy):
    code = f"import sys, {module}; print(sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
