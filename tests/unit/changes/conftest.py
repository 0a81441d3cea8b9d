"""Repositories that hold the made-up sheet."""

import shutil

import pytest
from small_project import git, judge_every_trial, small_project


@pytest.fixture(scope="session")
def committed(tmp_path_factory):
    """A repository with the made-up sheet. Do not modify it."""
    folder = small_project(tmp_path_factory.mktemp("committed") / "project")
    judge_every_trial(folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "The sheet")
    return folder


@pytest.fixture
def project(committed, tmp_path, monkeypatch):
    """A copy of the repository, and the working directory."""
    folder = shutil.copytree(committed, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder
