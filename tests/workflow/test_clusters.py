"""The calibration as jobs, and Snakemake's own checks of the workflow."""

import re
import subprocess
import sys

import pytest
from project_copy import ROOT, Project, new_project
from small_project import edited_yaml

pytestmark = pytest.mark.long

CALIBRATED = "results/calibration/"


def calibrated(project: Project, cores: int, **settings: int) -> list[str]:
    """Calibrate on a number of cores; return the steps, sorted by name."""
    with edited_yaml(project.folder / "config/calibration.yaml") as simulation:
        simulation.update(taus=[0.0, 0.3], part=20, **settings)
    run = project.snakemake("calibrate", "--cores", str(cores))
    assert run.code == 0, run.err
    return sorted(step for step in run.steps if "part" in step or "calibration" in step)


def made(project: Project) -> dict[str, str]:
    return {name: sum_ for name, sum_ in project.contents().items() if name.startswith(CALIBRATED)}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, list[str]]:
    """A project where the calibration ran first, and its steps."""
    # A name common among parent folders.
    project = new_project(tmp_path_factory.mktemp("a b é") / "project")
    return project, calibrated(project, 2, simulations=40)


def test_a_calibration_makes_nothing_that_it_does_not_need(first):
    assert not list((first[0].folder / "results").glob("*/*/forest.svg"))


def test_parts_are_jobs_and_one_that_is_missing_is_made_alone(first):
    project, steps = first
    assert steps == ["Simulated part 0", "Simulated part 1", "Summed up the calibration"]
    on_two = made(project)
    for name in ("parts/1.csv", "calibration.csv"):
        (project.folder / CALIBRATED / name).unlink()
    steps = calibrated(project, 1, simulations=40)
    assert steps == ["Simulated part 1", "Summed up the calibration"]
    # the result is independent of the number of jobs
    assert made(project) == on_two


def test_lint_finds_nothing_that_the_page_does_not_answer():
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.findall(r"^    \* (.*?)(?: in line \d+)?:?$", run.stderr, flags=re.MULTILINE)
    page = (ROOT / "docs/clusters.md").read_text(encoding="utf-8")
    assert found
    assert {remark for remark in found if f"**{remark.rstrip('.')}.**" not in page} == set()
