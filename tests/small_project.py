"""The made-up sheet as a project in a folder, run without the workflow."""

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from invented import ROOT
from trial_evidence.cli import main
from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.stage import write_evidence
from trial_evidence.files import write_whole
from trial_evidence.loaded import load
from trial_evidence.report.material.material import read_evidence
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.sheet import Sheet

# Two settings of a narrow project: one whose output changes and one that must stay unchanged.
SETTINGS = ("neoadjuvant", "adjuvant")
# One analysis for each distinct path through the stages: events, times, two harms, rates.
ANALYSES = (
    ("neoadjuvant", "pcr_dual_v_trastuzumab"), ("adjuvant", "event_free_dual_v_single"),
    ("neoadjuvant", "grade_3_or_higher_any"), ("adjuvant", "grade_3_or_higher_any"),
    ("adjuvant", "serious_adverse_event"), ("neoadjuvant", "pcr_rates"),
)  # fmt: skip
NETWORKS = ("pcr_network", "event_free_network")


def small_project(folder: Path) -> Path:
    """A folder with the made-up sheet and the parts of the project's configuration that fit it."""
    shutil.copytree(ROOT / "tests/sheets/valid", folder / "data/raw")
    # The configuration names control arms whose agents the made-up trials do not have.
    shutil.copy(ROOT / "data/raw/agents.csv", folder / "data/raw")
    shutil.copytree(ROOT / "config", folder / "config")
    without_own_nodes(folder / "config")
    drawn_once(folder / "config")
    return folder


def judge_every_trial(folder: Path) -> None:
    """Add a risk-of-bias judgement for every trial and outcome without one."""
    raw = folder / "data/raw"
    path = raw / "risk_of_bias.csv"
    text = path.read_text(encoding="utf-8")
    trials = (raw / "trials.csv").read_text(encoding="utf-8").splitlines()[1:]
    pairs = (
        f"{line.partition(',')[0]},{outcome},"
        for line in trials
        for outcome in ("pCR", "EFS", "iDFS", "DFS", "RFS", "PFS", "OS")
    )
    rows = [f"{pair}{'low,' * 6}judged,,\n" for pair in pairs if pair not in text]
    path.write_text(text + "".join(rows), encoding="utf-8")


def without_own_nodes(config: Path) -> None:
    """Remove arms that the made-up sheet does not have from networks.yaml."""
    path = config / "networks.yaml"
    text = path.read_text(encoding="utf-8")
    lists = r"^(own_nodes|mixed_arms):\n(?:  .*\n)+"
    text, times = re.subn(lists, r"\1: {}\n", text, flags=re.M)
    assert times == 2
    path.write_text(text, encoding="utf-8")


def drawn_once(config: Path) -> None:
    """Draw figures in one format, in a third of the time; their own tests cover all formats."""
    path = config / "config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "formats: [svg, pdf, png]" in text
    path.write_text(text.replace("formats: [svg, pdf, png]", "formats: [svg]"), encoding="utf-8")


@contextlib.contextmanager
def edited_yaml(path: Path) -> Iterator[dict[str, Any]]:
    """The content of a file, restored afterwards."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield content
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def narrow(folder: Path) -> None:
    """Keep two settings of the made-up sheet, and few analyses."""
    narrow_the_sheet(folder / "data/raw")
    narrow_the_configuration(folder / "config")


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


def commands(folder: Path, *several: list[str]) -> str:
    """Run commands with a copy's own library in one process; return their output."""
    program = (
        "import json, sys; from trial_evidence.cli import main; "
        "sys.exit(any(main(each) for each in json.loads(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(several)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": "workflow", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def git(folder, *arguments):
    """Run a git command in a folder."""
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0",
         *arguments],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def cut_short(book: Path, sheet: str) -> None:
    """Damage a workbook by truncating one of its sheets (sheet1, sheet2, ...)."""
    with zipfile.ZipFile(book) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(book, "w") as damaged:
        for name, part in parts.items():
            damaged.writestr(name, part[:-20] if sheet in name else part)


def replace_text(folder: Path, table: str, old: str, new: str) -> None:
    """Replace a text that occurs once in a table of the sheet."""
    path = folder / "data/raw" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (table, old, text.count(old))
    path.write_text(text.replace(old, new), encoding="utf-8")


def append_like(folder: Path, table: str, start: str, old: str, new: str) -> None:
    """Append an edited copy of the first row of a table that starts with a text."""
    path = folder / "data/raw" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(start))
    assert old in row
    path.write_text(f"{text}{row.replace(old, new)}\n", encoding="utf-8")


# Configuration, setting and its evidence -> results of the pool stage, by name of the file.
_POOLED: dict[tuple[object, ...], dict[str, bytes]] = {}


def evidence_of(folder: Path) -> tuple[Sheet, Configuration, Evidence]:
    """Extract and pool the sheet of a project; return the sheet and the tables written."""
    processed, results = folder / "data/processed", folder / "results"
    configuration, sheet, _ = load(folder / "data/raw", folder / "config")
    write_evidence(sheet, configuration, processed)
    for setting in configuration.settings:
        _pool(folder, setting)
    return sheet, configuration, read_evidence(configuration, processed, results)


def _pool(folder: Path, setting: str) -> None:
    """Pool a setting, unless an earlier test pooled the same evidence in the same way."""
    evidence = folder / "data/processed" / setting
    read = [
        *sorted((folder / "config").glob("*.yaml")),
        evidence / "used.csv",
        evidence / "rates.csv",
    ]
    made_from = (setting, *(path.read_bytes() for path in read))
    results = folder / "results" / setting
    if made_from not in _POOLED:
        places = [f"--{name}={folder / place}" for name, place in (
            ("config", "config"), ("processed", "data/processed"), ("results", "results"),
        )]  # fmt: skip
        assert main(["pool", *places, f"--setting={setting}"]) == 0
        _POOLED[made_from] = {path.name: path.read_bytes() for path in results.glob("*.csv")}
    for name, content in _POOLED[made_from].items():
        write_whole(results / name, content)
