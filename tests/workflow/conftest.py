"""One finished run and one day's work of an analyst, shared by all tests.

A whole run takes half a minute: whoever changes something takes a copy, and what an edit does
to the outputs is looked at in the analyst's project.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from analyst import type_rows
from project_copy import Project, Run, new_project


@dataclass(frozen=True)
class Edited:
    """Output that the analyst saw, and the project before and after."""

    project: Project
    imported: str
    checked: str
    changes: str
    run: Run
    before: dict[str, str]
    after: dict[str, str]
    times_before: dict[str, int]
    times_after: dict[str, int]


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run]:
    """A clean project and the output of its first run. Do not modify it."""
    project = new_project(tmp_path_factory.mktemp("first") / "project")
    project.git("init", "--quiet")
    project.git("add", "data/raw", "config")
    project.git("commit", "--quiet", "--message", "The sheet")
    return project, project.snakemake()


@pytest.fixture(scope="session")
def edited(first_run: tuple[Project, Run], tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """A finished project in which a trial was added through the workbook. Do not modify it.

    And the page numbers of the other setting's reference were corrected: no analysis uses them; the
    list of references does.
    """
    project = first_run[0].copied_to(tmp_path_factory.mktemp("edited") / "project")
    before, times_before = project.contents(), project.times()
    project.command("workbook", "--book", "evidence.xlsx")
    type_rows(project.folder / "evidence.xlsx")
    imported = project.command("import", "--book", "evidence.xlsx")
    checked = project.command("check", "--list-warnings")
    changes = project.command("changes")
    reference = "1,{},10.1000/doe_2020_trial_f,"
    project.replace("data/raw/sources.csv", reference.format("1-10"), reference.format("1-11"))
    run = project.snakemake()
    return Edited(
        project, imported, checked, changes, run,
        before, project.contents(), times_before, project.times(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def taken_back(
    first_run: tuple[Project, Run], edited: Edited, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Run]:
    """The trial removed again, with a cell edited during that run. Do not modify it."""
    project = edited.project.copied_to(tmp_path_factory.mktemp("taken_back") / "project")
    project.give_back(first_run[0])
    table = "data/raw/pcr.csv"
    checked = (project.folder / table).read_bytes()
    state = project.folder / "data/processed/state/raw/pcr.csv"
    used = project.folder / "data/processed/neoadjuvant/used.csv"
    before = used.read_bytes()
    with project.running() as run:
        # Not in the millisecond in which Snakemake compares the times of the sheet and of the mark
        # that it was checked: for an edit in it, Snakemake stops and speaks of clocks.
        while state.read_bytes() != checked or used.read_bytes() == before:
            assert run.poll() is None
            time.sleep(0.02)
        project.replace(table, "all,42,105,40.0", "all,44,105,41.9")
        out, err = run.communicate(timeout=300)
    return project, Run(run.returncode, out, err)


@pytest.fixture
def finished(first_run: tuple[Project, Run], tmp_path: Path) -> Project:
    """A finished project that the test may modify."""
    return first_run[0].copied_to(tmp_path / "project")


@pytest.fixture
def untouched(tmp_path: Path) -> Project:
    """A project without results."""
    return new_project(tmp_path / "project")
