"""One finished run, shared by all tests; whoever changes something takes a copy."""

from pathlib import Path

import pytest
from project_copy import Project, Run, new_project


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run]:
    """A clean project, and what its first run said. Not to be changed."""
    project = new_project(tmp_path_factory.mktemp("first") / "project")
    return project, project.snakemake()


@pytest.fixture
def finished(first_run: tuple[Project, Run], tmp_path: Path) -> Project:
    """A finished project that the test may change."""
    return first_run[0].copied_to(tmp_path / "project")


@pytest.fixture
def untouched(tmp_path: Path) -> Project:
    """A project in which nothing has been made yet."""
    return new_project(tmp_path / "project")
