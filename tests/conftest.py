"""What tests of several folders share."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from made_up.project import MadeUp, made_up_project

# A folder to keep the made-up project in, for whoever works on the tests and not on the library.
KEEP = "MADE_UP_PROJECT"
# Files that take longest, first: two processes then end at about the same time.
LONGEST = (
    "tests/workflow/test_pipeline.py", "tests/approval/", "tests/edits/",
    "tests/unit/workbook/", "tests/workflow/", "tests/browser/", "tests/recipes/",
    "tests/unit/report/", "tests/unit/sensitivity/", "tests/unit/network/", "tests/figures/",
    "tests/unit/test_cli.py", "tests/unit/pool/", "tests/unit/changes/",
)  # fmt: skip


def pytest_sessionstart() -> None:
    """Say at once what is missing, rather than in hundreds of failures."""
    if shutil.which("git") is None:
        pytest.exit(
            "git is not installed. The tests compare revisions of made-up sheets and cannot do "
            "without it; make and make check can.",
            returncode=1,
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first, the others as they were."""
    items.sort(
        key=lambda item: next(
            (at for at, place in enumerate(LONGEST) if item.nodeid.startswith(place)), len(LONGEST)
        )
    )


def pytest_collection_finish() -> None:
    """What the tests themselves are made of is no garbage: it is not looked through again."""
    gc.freeze()
    gc.set_threshold(70_000, 10, 10)


def common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this session that all its worker processes see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """The made-up project with everything that is made of it. Not to be changed."""
    kept = os.environ.get(KEEP)
    return made_up_project(Path(kept) if kept else common_folder(tmp_path_factory) / "made_up")


# Where a change is judged the same examples are tried each time; elsewhere new ones are looked for.
# How long one takes is no fault of it: the first of them imports what it needs.
settings.register_profile("looked for", deadline=None)
settings.register_profile("judged", deadline=None, derandomize=True)
settings.load_profile("judged" if os.environ.get("CI") else "looked for")
