"""What make says and does before the pipeline starts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(folder, *arguments, **environment):
    """Run make there, by itself even where these tests were started by another."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env=outside | {"LC_ALL": "C"} | environment,
    )  # fmt: skip


def test_help_lists_every_command_in_one_line_each():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    lines = make(ROOT, "help").stdout.splitlines()
    shown = [re.match(r"make(?: ([a-z-]+))?(?: [A-Z\[].*?)?  +\S", line) for line in lines]
    assert [line for line, match in zip(lines, shown, strict=True) if match is None] == []
    named = {match[1] or "all" for match in shown if match}
    assert named == set(phony[1].split())


@pytest.mark.parametrize(
    ("python", "found"), [("echo Python 3.9.2", "Python 3.9.2"), ("exit 127", "none")]
)
def test_an_old_python_is_named_with_what_is_needed(tmp_path, python, found):
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    # Every name that make looks for is this one, which can do nothing but tell its version.
    names = re.search(r"^PYTHONS := (.*)$", MAKEFILE, flags=re.MULTILINE)[1].split()
    (tmp_path / "bin").mkdir()
    for name in names:
        path = tmp_path / "bin" / name
        path.write_text(f'#!/bin/sh\n[ "$1" = --version ] || exit 1\n{python}\n', encoding="utf-8")
        path.chmod(0o755)
    run = make(tmp_path, "check", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert run.returncode != 0
    assert f"Python 3.11 or newer is needed; found: {found}." in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_library_that_cannot_be_installed_is_followed_by_what_to_do(tmp_path):
    # A Python that makes an environment of a pip that cannot install.
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    python = tmp_path / "anew"
    python.write_text(
        '#!/bin/sh\n[ "$1" = -c ] && exit 0\n[ "$2" = pip ] && exit 1\n'
        'mkdir -p .venv/bin && cp "$0" .venv/bin/python\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    run = make(tmp_path, "check", PYTHON=str(python))
    assert run.returncode != 0
    assert "could not be installed" in run.stderr
    assert "make PYTHON=python3.13" in run.stderr
    assert not (tmp_path / ".venv/installed").exists()


def test_make_finds_every_python_that_is_supported():
    # The versions that are tested, in the workflow of the public repository.
    tested = re.findall(r'"(3\.\d+)"', (ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    names = re.search(r"^PYTHONS := (.*)$", MAKEFILE, flags=re.MULTILINE)[1].split()
    assert tested
    assert {f"python{version}" for version in tested} <= set(names)


@pytest.mark.parametrize(
    ("asked", "confirmed"), [("YES=yes", True), ("YES=no", False), ("YES=", False), ("", False)]
)
def test_only_yes_confirms_an_import(asked, confirmed):
    told = make(ROOT, "-n", "import", *filter(None, [asked])).stdout
    assert "trial_evidence import" in told
    assert ("--yes" in told) is confirmed


@pytest.mark.parametrize(
    ("command", "book"),
    [
        ("workbook", "evidence.xlsx"),
        ("import", "evidence.xlsx"),
        ("worklist", "worklist.xlsx"),
        ("registry", "registry.xlsx"),
        ("watch", None),
    ],
)
def test_a_book_without_a_name_is_the_usual_one(command, book):
    # An empty name would be the folder itself.
    told = make(ROOT, "-n", command, "BOOK=").stdout
    assert f"trial_evidence {command}" in told
    assert (f'--book "{book}"' in told) if book else ("--book" not in told)


def test_no_command_depends_on_the_name_of_the_folder():
    # A path from the root would be cut at a space.
    assert not re.search(r"\$\((CURDIR|PWD|abspath|realpath)", MAKEFILE)
