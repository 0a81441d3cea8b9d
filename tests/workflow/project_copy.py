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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from small_project import drawn_once, without_own_nodes
from trial_evidence.cli import main

ROOT = Path(__file__).resolve().parents[2]
MADE = ("data/processed", "results")
# Two settings suffice: one whose output changes and one that must stay unchanged.
SETTINGS = ("neoadjuvant", "adjuvant")
# One analysis for each distinct path through the stages: events, times, two harms, rates.
ANALYSES = (
    ("neoadjuvant", "pcr_dual_v_trastuzumab"), ("adjuvant", "event_free_dual_v_single"),
    ("neoadjuvant", "grade_3_or_higher_any"), ("adjuvant", "grade_3_or_higher_any"),
    ("adjuvant", "serious_adverse_event"), ("neoadjuvant", "pcr_rates"),
)  # fmt: skip
NETWORKS = ("pcr_network", "event_free_network")
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
    narrow_the_sheet(folder / "data/raw")
    narrow_the_configuration(folder / "config")
    return Project(folder)


@contextlib.contextmanager
def edited_yaml(path: Path) -> Iterator[dict[str, Any]]:
    """The content of a file, restored afterwards."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield content
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def narrow_the_sheet(raw: Path) -> None:
    """Keep only the trials of the two settings and their sources."""
    with (raw / "trials.csv").open(encoding="utf-8", newline="") as file:
        others = {r["trial_id"] for r in csv.DictReader(file) if r["setting"] not in SETTINGS}
    gone = others | {f"doe_2020_{trial}" for trial in others}
    for path in raw.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        left = [line for line in lines if line.partition(",")[0] not in gone]
        path.write_text("".join(left), encoding="utf-8")


def narrow_the_configuration(config: Path) -> None:
    """Keep the analyses of `ANALYSES` with one measure and few ways to pool, and the networks."""

    def left(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [x for x in entries if x.get("setting", SETTINGS[0]) in SETTINGS]

    def asked(entry: dict[str, Any]) -> bool:
        analysis = entry.get("analysis", entry.get("id"))
        return analysis is None or (entry["setting"], analysis) in ANALYSES

    with edited_yaml(config / "config.yaml") as methods:
        methods["sensitivity"] |= {"estimators": ["DL", "REML"], "intervals": ["wald", "t"]}
    with edited_yaml(config / "analyses.yaml") as analyses:
        analyses["settings"] = {name: analyses["settings"][name] for name in SETTINGS}
        for part in ("analyses", "rates"):
            analyses[part] = [x for x in analyses[part] if asked(x)]
        for entry in analyses["analyses"]:
            # Harms are listed by both of theirs.
            entry["measures"] = entry["measures"][: 2 if entry.get("harm") else 1]
    with edited_yaml(config / "networks.yaml") as networks:
        networks["networks"] = [x for x in left(networks["networks"]) if x["id"] in NETWORKS]
        networks["synergy"] = left(networks["synergy"])
        networks["surrogacy"] = [x for x in networks["surrogacy"] if x["endpoint"] in NETWORKS]
    with edited_yaml(config / "report.yaml") as report:
        report["control_risks"] = [x for x in report["control_risks"] if asked(x)]
        report["claims"] = [x for x in report["claims"] if asked(x["rule"])]
