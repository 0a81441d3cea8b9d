"""Copies of the project with two settings of the made-up sheet, run from the command line."""

import contextlib
import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from small_project import drawn_once, narrow, without_own_nodes
from trial_evidence.cli import main

ROOT = Path(__file__).resolve().parents[2]
MADE = ("data/processed", "results")
# The cache between runs, which no user reads.
KEPT = re.compile(r"data/processed/(state/|kept/|inventory\.json)|.*/\.drawn\w*\.json")


@dataclass(frozen=True)
class Run:
    """Output of a run of the workflow."""

    code: int
    out: str
    err: str

    @property
    def steps(self) -> list[str]:
        """The steps it reported as done, in order."""
        return re.findall(r"^\[ *\d+(?: of \d+)?\] (.*)$", self.err, flags=re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """A copy of the project in its own folder."""

    folder: Path

    def snakemake(self, *targets: str) -> Run:
        """Run the workflow as `make` does."""
        with self.running(*targets) as process:
            out, err = process.communicate(timeout=300)
        return Run(process.returncode, out, err)

    def running(self, *targets: str) -> subprocess.Popen[str]:
        """The workflow running in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *targets, "--logger", "progress"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": "workflow"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def contents(self) -> dict[str, str]:
        """All generated files: path below the project -> digest of the content."""
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self._made()}

    def times(self) -> dict[str, int]:
        """All generated files: path below the project -> modification time."""
        return {name: path.stat().st_mtime_ns for name, path in self._made()}

    def _made(self) -> list[tuple[str, Path]]:
        return [
            (path.relative_to(self.folder).as_posix(), path)
            for made in MADE
            for path in sorted((self.folder / made).rglob("*"))
            if path.is_file() and not KEPT.match(path.relative_to(self.folder).as_posix())
        ]

    def table(self, name: str) -> list[dict[str, str]]:
        """Rows of a table below results/."""
        with (self.folder / "results" / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def command(self, *arguments: str) -> str:
        """Run a command in the project folder; return its output."""
        said = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(said):
            assert main(arguments) == 0, arguments
        return said.getvalue()

    def git(self, *arguments: str) -> None:
        """Run git with a test author."""
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def give_back(self, other: "Project") -> None:
        """Copy sheet and configuration from another project."""
        for part in ("data/raw", "config"):
            shutil.rmtree(self.folder / part)
            shutil.copytree(other.folder / part, self.folder / part)

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace the first occurrence of a text in a file."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def copied_to(self, folder: Path) -> "Project":
        """The same project in another folder, with all its time stamps."""
        shutil.copytree(self.folder, folder)
        return Project(folder)


def new_project(folder: Path) -> Project:
    """A clone of the project without results, with two settings of the made-up sheet."""
    # With its compiled bytecode, so that Python need not compile it again.
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copytree(ROOT / "tests/sheets/valid", folder / "data/raw")
    # The analyses name control arms whose agents the made-up trials do not have.
    shutil.copy(ROOT / "data/raw/agents.csv", folder / "data/raw")
    without_own_nodes(folder / "config")
    drawn_once(folder / "config")
    narrow(folder)
    return Project(folder)
