"""Fixtures and settings shared by all tests."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from made_up.project import MadeUp, made_up_project

# Folder that keeps the made-up project between runs, for work on the tests alone.
KEEP = "MADE_UP_PROJECT"
# The slowest files run first, so that two processes finish at about the same time.
LONGEST = (
    "tests/workflow/test_pipeline.py", "tests/approval/", "tests/edits/",
    "tests/unit/workbook/", "tests/workflow/", "tests/browser/", "tests/recipes/",
    "tests/unit/report/", "tests/unit/sensitivity/", "tests/unit/network/", "tests/figures/",
    "tests/unit/test_cli.py", "tests/unit/pool/", "tests/unit/changes/",
)  # fmt: skip


def pytest_sessionstart() -> None:
    """Stop with one message if git is missing, instead of hundreds of failures."""
    if shutil.which("git") is None:
        pytest.exit(
            "git is not installed. The tests compare revisions of made-up sheets and cannot do "
            "without it; make and make check can.",
            returncode=1,
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the slowest files first; leave the others in order."""
    items.sort(
        key=lambda item: next(
            (at for at, place in enumerate(LONGEST) if item.nodeid.startswith(place)), len(LONGEST)
        )
    )


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, which would scan them every time."""
    gc.freeze()
    gc.set_threshold(70_000, 10, 10)


def common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run that all its worker processes share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """The made-up project with all its results. Do not modify it."""
    kept = os.environ.get(KEEP)
    return made_up_project(Path(kept) if kept else common_folder(tmp_path_factory) / "made_up")


# CI tries the same examples every time; other runs look for new ones. No deadline, because the
# first example of a test also imports what it needs.
settings.register_profile("looked for", deadline=None)
settings.register_profile("judged", deadline=None, derandomize=True)
settings.load_profile("judged" if os.environ.get("CI") else "looked for")
