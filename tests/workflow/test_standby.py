"""A stage forked from the standby process behaves like one started on its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from small_project import replace_text, small_project
from trial_evidence import loaded, standby

CHECK = ("check", "--list-warnings")
WRONG = ("pool", "--setting")
EXTRACT = ("extract", "--raw", "data/raw", "--config", "config")
LIBRARY = str(Path(standby.__file__).parents[1])


@pytest.fixture(scope="module")
def name():
    name, process = standby.start()
    with process:
        yield name
        process.stdin.close()
        # The run it was started for has ended.
        assert process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A sheet with a fault, so that there is a message and a non-zero exit code."""
    folder = small_project(tmp_path_factory.mktemp("standby") / "project")
    table = folder / "data/raw/pcr.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",42,", ',"42,0",', 1))
    return folder


def run(folder, name, arguments):
    return subprocess.run(
        [sys.executable, "-m", "trial_evidence", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": LIBRARY, standby.NAME: name},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def alone(project):
    """The commands without a standby process."""
    return {arguments: run(project, "", arguments) for arguments in (CHECK, WRONG, ())}


@pytest.mark.parametrize(
    "arguments", [CHECK, WRONG, ()], ids=["a faulty sheet", "a wrong command", "no command"]
)
def test_a_copy_says_and_ends_as_the_command_does_by_itself(project, name, alone, arguments):
    by_itself, copy = alone[arguments], run(project, name, arguments)
    assert by_itself.returncode > 0
    assert by_itself.stderr
    assert (copy.returncode, copy.stdout, copy.stderr) == (
        by_itself.returncode, by_itself.stdout, by_itself.stderr,
    )  # fmt: skip


def test_a_terminal_of_few_letters_shows_what_it_can(tmp_path, monkeypatch):
    folder = small_project(tmp_path)
    row = ",42,105,{},doe_2020_trial_a,{},"
    replace_text(folder, "pcr", row.format("40.0", "Table 2"), row.format("41.0", "Tabelle \u2461"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    name, process = standby.start()
    with process:
        for asked in ("", name):
            done = run(folder, asked, CHECK)
            assert "(Tabelle ?)" in done.stdout
            assert done.returncode == 0
        process.stdin.close()


def test_a_command_whose_standby_is_gone_runs_by_itself(project, alone):
    gone, process = standby.start()
    process.kill()
    process.wait(timeout=60)
    process.stdin.close()
    without = run(project, gone, CHECK)
    assert (without.returncode, without.stderr) == (alone[CHECK].returncode, alone[CHECK].stderr)
    assert "pcr.csv, row 2" in without.stderr


def test_a_copy_sees_sheet_and_configuration_as_they_are_now(tmp_path, name):
    """Input cached for all commands is read again after a cell or a setting has changed."""
    folder = small_project(tmp_path / "project")
    before = "all,14,20,70.0"
    for events, percent in ((13, "65.0"), (12, "60.0")):
        replace_text(folder, "pcr", before, now := f"all,{events},20,{percent}")
        assert run(folder, name, EXTRACT).returncode == 0
        used = pd.read_csv(folder / "data/processed/neoadjuvant/used.csv")
        assert events in set(used.loc[used["n_experimental"] == 20, "events_experimental"])
        before = now
    config = folder / "config/config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    refused = run(folder, name, EXTRACT)
    assert refused.returncode == 1
    assert '"colour" is not known here' in refused.stderr


def test_a_sheet_saved_after_it_was_loaded_ahead_is_read_again(tmp_path, monkeypatch):
    """Between the two, somebody may save."""
    monkeypatch.setattr(loaded, "_REMEMBERED", {})
    folder = small_project(tmp_path / "project")
    folders = folder / "data/raw", folder / "config"
    loaded.remember(*folders)
    replace_text(folder, "pcr", "all,14,20,70.0", "all,13,20,65.0")
    pcr = loaded.load(*folders)[1]["pcr"]
    assert pcr.loc[(pcr["n"] == 20) & (pcr["reported_percent"] == 65), "events"].tolist() == [13]


def test_what_a_copy_is_told_is_its_own(project, name, tmp_path):
    """Working directory and environment of one command do not affect the next."""
    elsewhere = small_project(tmp_path / "other")
    assert run(project, name, CHECK).returncode == 1
    assert run(elsewhere, name, CHECK).returncode == 0
    assert run(project, name, CHECK).returncode == 1
    assert (elsewhere / "results/checks/problems.csv").is_file()


def test_a_stage_that_breaks_down_in_a_copy_has_failed(tmp_path, name):
    folder = small_project(tmp_path / "project")
    for table in ("used", "rates"):
        path = folder / "data/processed/adjuvant" / f"{table}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("nonsense\n1\n", encoding="utf-8")
    by_itself, copy = (run(folder, of, ("pool", "--setting", "adjuvant")) for of in ("", name))
    assert "Traceback" in by_itself.stderr
    assert "Traceback" in copy.stderr
    assert copy.returncode == by_itself.returncode == 1


def test_a_copy_that_was_killed_has_failed(monkeypatch):
    """It accepted the command and then fell silent, without making its output."""
    name = f"killed-{os.getpid()}"

    def take():
        line, _ = listening.accept()
        with line:
            length, files, _, _ = socket.recv_fds(line, 8, 3)
            line.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
            line.sendall(b"taken\n")
            for file in files:
                os.close(file)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        taking = Thread(target=take)
        taking.start()
        monkeypatch.setenv(standby.NAME, name)
        assert standby.ask(["check"]) == 1
        taking.join()
