"""What tests of several folders share."""

from pathlib import Path

import pytest
from made_up.project import MadeUp, made_up_project


def common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this session that all its worker processes see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in __import__("os").environ else base


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """The made-up project with everything that is made of it. Not to be changed."""
    return made_up_project(common_folder(tmp_path_factory) / "made_up")
