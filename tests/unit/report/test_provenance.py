"""Provenance of a run: comparable between two people, and correct about git."""

import json
import mimetypes
import os
import subprocess
import sys
import tomllib

import numpy
import pandas
import pytest
from invented import ROOT
from trial_evidence.report.files import provenance as files_provenance
from trial_evidence.report.files.provenance import PACKAGES, provenance, revision, ro_crate


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@b"]
    when = {**os.environ, "GIT_COMMITTER_DATE": "2025-02-03T12:00:00"}
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, env=when)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


@pytest.fixture(scope="module")
def facts():
    return provenance(
        ROOT / "tests/sheets/valid", ROOT / "config", ROOT, ["2025-01-31"], ["pcr", "arms"]
    )


@pytest.fixture
def crate(facts, tmp_path):
    (tmp_path / "tables").mkdir()
    for name in ("estimates.csv", "tables/tables.docx"):
        (tmp_path / name).write_bytes(b"abc")
    files = [tmp_path / "tables/tables.docx", tmp_path / "estimates.csv"]
    return ro_crate(facts, files, tmp_path, "A title")


def test_a_clean_commit(repository):
    found = revision(repository)
    assert len(found["commit"]) == 40
    assert found["date"] == "2025-02-03"
    assert found["state"] == "clean"


def test_changes_that_are_not_committed_are_said(repository):
    (repository / "file").write_text("2\n")
    assert revision(repository)["state"] == "with uncommitted changes"


def test_a_folder_inside_another_repository_is_not_under_git(repository):
    inside = repository / "inside"
    inside.mkdir()
    assert revision(inside) == {"commit": "", "date": "", "state": "not under git"}


def test_a_repository_without_a_commit_is_not_under_git(tmp_path):
    git(tmp_path, "init", "--quiet")
    assert revision(tmp_path)["commit"] == ""


def test_a_machine_without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    assert revision(repository) == {"commit": "", "date": "", "state": "not under git"}


def test_every_dependency_is_recorded():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {text.partition(">")[0].partition("=")[0] for text in project["dependencies"]}
    assert set(PACKAGES) == names


def test_checksums_are_those_of_the_files(facts):
    # sha256sum tests/sheets/valid/pcr.csv
    known = subprocess.run(
        ["sha256sum", ROOT / "tests/sheets/valid/pcr.csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert facts["sheet"]["pcr.csv"] == known.stdout.split()[0]
    assert list(facts["sheet"]) == ["arms.csv", "pcr.csv"]
    assert "report.yaml" in facts["configuration"]


def test_another_line_of_code_has_another_checksum(monkeypatch, tmp_path):
    raw, config = ROOT / "tests/sheets/valid", ROOT / "config"
    monkeypatch.setattr(files_provenance, "supplied", lambda _: tmp_path)
    found = []
    for line in ("one = 1\n", "one = 2\n"):
        (tmp_path / "module.py").write_text(line)
        found.append(provenance(raw, config, ROOT, [], [])["code"]["sha256"])
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "name",
    [
        "Snakefile", "workflow/rules/report.smk", "workflow/report/page.html.j2",
        "workflow/dictionary/a.csv",
    ],
)  # fmt: skip
def test_another_rule_text_or_dictionary_has_another_checksum(monkeypatch, tmp_path, name):
    """Everything that affects the results counts, not only the library; file names as well."""
    raw, config = ROOT / "tests/sheets/valid", ROOT / "config"
    monkeypatch.setattr(files_provenance, "supplied", lambda folder: tmp_path / "workflow" / folder)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    found = set()
    for content in ("one", "two"):
        path.write_text(content)
        found.add(provenance(raw, config, ROOT, [], [])["code"]["sha256"])
    path.rename(path.with_stem("other"))
    found.add(provenance(raw, config, ROOT, [], [])["code"]["sha256"])
    assert len(found) == 3


def test_each_package_has_its_own_version(facts):
    assert facts["packages"]["numpy"] == numpy.__version__
    assert facts["packages"]["pandas"] == pandas.__version__
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))


def test_nothing_tells_when_it_ran(facts, crate):
    assert set(facts) == {
        "python", "packages", "revision", "code", "configuration", "sheet", "searched",
    }  # fmt: skip
    assert "Time" not in crate


def test_the_crate_describes_itself_and_its_root(crate):
    graph = {entity["@id"]: entity for entity in json.loads(crate)["@graph"]}
    about = graph["ro-crate-metadata.json"]
    assert about["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = graph[about["about"]["@id"]]
    assert root["@type"] == "Dataset"
    # RO-Crate 1.1, root data entity: these four must or should be there.
    assert {"name", "description", "datePublished", "license"} <= set(root)
    assert root["datePublished"] == "2025-01-31"


def test_every_reference_of_the_crate_leads_somewhere(crate):
    graph = json.loads(crate)["@graph"]
    ids = [entity["@id"] for entity in graph]
    assert len(ids) == len(set(ids))

    def references(value):
        if isinstance(value, dict):
            yield value["@id"]
        elif isinstance(value, list):
            for item in value:
                yield from references(item)

    found = {
        target
        for entity in graph
        for key, value in entity.items()
        if key not in ("@id", "conformsTo") and not isinstance(value, str)
        for target in references(value)
    }
    assert found <= set(ids)


def test_files_of_the_crate_have_size_and_checksum(crate):
    graph = {entity["@id"]: entity for entity in json.loads(crate)["@graph"]}
    assert graph["./"]["hasPart"] == [{"@id": "estimates.csv"}, {"@id": "tables/tables.docx"}]
    entity = graph["tables/tables.docx"]
    assert entity["contentSize"] == "3"
    # FIPS 180-2, appendix B.1: SHA-256 of "abc".
    assert entity["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "name", ["a.csv", "a.html", "a.json", "a.md", "a.pdf", "a.png", "a.svg", "a.txt"]
)
def test_a_file_of_the_crate_has_the_type_of_its_ending(facts, tmp_path, name):
    (tmp_path / name).touch()
    graph = json.loads(ro_crate(facts, [tmp_path / name], tmp_path, "A title"))["@graph"]
    (entity,) = [entity for entity in graph if entity["@id"] == name]
    # The list of the standard library, which lacks Markdown on some systems.
    expected = mimetypes.guess_type(name)[0] or "text/markdown"
    assert entity["encodingFormat"] == expected


def test_what_a_person_has_saved_beside_the_results_is_no_part_of_the_crate(facts, tmp_path):
    """Such a file once made the run fail."""
    names = ("estimates.csv", "tables.odt", "Thumbs.db", "notes")
    for name in names:
        (tmp_path / name).write_bytes(b"abc")
    made = ro_crate(facts, [tmp_path / name for name in names], tmp_path, "A title")
    graph = {entity["@id"]: entity for entity in json.loads(made)["@graph"]}
    assert graph["./"]["hasPart"] == [{"@id": "estimates.csv"}]
