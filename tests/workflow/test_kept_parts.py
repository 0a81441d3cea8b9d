"""The cache of analyses and networks: an edit recomputes its own, damage changes nothing."""

import contextlib
import csv
import hashlib
import shutil
from pathlib import Path

import pytest
from made_up.project import CORRECTED
from trial_evidence.cli import main

STAGES = ("pool", "sensitivity", "network")
TABLE, OLD, NEW = CORRECTED


def run(folder, *stages):
    with contextlib.chdir(folder):
        for stage in stages:
            setting = () if stage == "extract" else ("--setting", "neoadjuvant")
            assert main([stage, *setting]) == 0


def kept(folder, stage):
    """Cache files of a stage for the setting."""
    return sorted((folder / "data/processed/kept" / stage / "neoadjuvant").iterdir())


def contents(folder):
    made = folder / "results/neoadjuvant"
    return {
        path.relative_to(made): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.rglob("*")
        if path.is_file()
    }


def rows_by(table, *columns):
    """Rows of a table, keyed by these columns."""
    found = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(tuple(row[column] for column in columns), []).append(row)
    return found


def differing(before, after, table, *columns):
    old, new = (rows_by(folder / table, *columns) for folder in (before, after))
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


@pytest.fixture(scope="module")
def project(made_up, tmp_path_factory):
    """A finished project in which stages may rerun."""
    folder = tmp_path_factory.mktemp("kept")
    for part in ("data", "config", "results"):
        shutil.copytree(made_up.folder / part, folder / part)
    return folder


@pytest.fixture(scope="module")
def edited(project, tmp_path_factory):
    """The same with one hazard ratio corrected."""
    folder = Path(shutil.copytree(project, tmp_path_factory.mktemp("edited") / "project"))
    table = folder / f"data/raw/{TABLE}.csv"
    text = table.read_text(encoding="utf-8")
    assert OLD in text
    table.write_text(text.replace(OLD, NEW), encoding="utf-8")
    run(folder, "extract", *STAGES)
    return folder


def made_again(project, edited, stage):
    """Numbers of parts that a stage made and took from the cache."""
    before, after = ({path.name for path in kept(at, stage)} for at in (project, edited))
    return len(after - before), len(after & before)


def test_an_edited_cell_pools_its_analyses_again_and_no_other(project, edited):
    used = "data/processed/neoadjuvant/used.csv"
    concerned = differing(project, edited, used, "analysis", "measure")
    made, left = made_again(project, edited, "pool")
    assert concerned
    assert made == len(concerned)
    assert left > 0


def test_an_edited_cell_has_its_analyses_examined_again_and_no_other(project, edited):
    results = "results/neoadjuvant/sensitivity/methods.csv"
    concerned = differing(project, edited, results, "analysis")
    made, left = made_again(project, edited, "sensitivity")
    assert concerned
    assert made == len(concerned)
    assert left > 0


def test_an_edited_cell_has_its_networks_analysed_again_and_no_other(project, edited):
    folders = [path.name for path in (project / "results/neoadjuvant/network").iterdir()]
    concerned = {
        name
        for name in folders
        for table in (f"results/neoadjuvant/network/{name}/used.csv",)
        if (project / table).is_file() and differing(project, edited, table, "trial_id")
    }
    made, left = made_again(project, edited, "network")
    assert concerned
    # the network itself and its comparison with another
    assert len(concerned) <= made
    assert left > 0
    assert "pcr_network" not in concerned


def damage(paths):
    """Two files swapped; others truncated, altered, removed or touched."""
    first, last = paths[0].read_bytes(), paths[-1].read_bytes()
    paths[0].write_bytes(last)
    paths[-1].write_bytes(first)
    for at, path in enumerate(paths[1:-1]):
        content = path.read_bytes()
        if at % 4 == 0:
            path.write_bytes(content[: len(content) // 2])
        elif at % 4 == 1:
            path.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
        elif at % 4 == 2:
            path.unlink()
        else:
            path.touch()


def test_damage_to_what_is_kept_changes_no_byte_of_the_results(project):
    before = contents(project)
    for stage in STAGES:
        damage(kept(project, stage))
    run(project, *STAGES)
    assert contents(project) == before
