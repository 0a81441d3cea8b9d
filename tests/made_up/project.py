"""The made-up project in a folder, with every stage run once as by the workflow and Makefile."""

import atexit
import contextlib
import fcntl
import io
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from trial_evidence.cli import main

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ANALYSIS = "pcr_dual_v_almab"
DONE = "done"
ARGUMENTS = {
    "check": ("--list-warnings",),
    "styled": ("--style", "greyscale", "--width", "85", "--analysis", ANALYSIS),
    "workbook": ("--book", "evidence.xlsx"),
    "simulate": ("--part", "0"),
}
# A trial that an analyst adds, and a count that the analyst corrects.
TYPED = {
    "sources": 'roe_2026_yew,Roe,2026,Journal of Made-up Results,YEW,,,,,article\n',
    "trials": "yew,YEW,,neoadjuvant,2,yes,no,118,2019,2022,HER2+ early,pCR,,Invented\n",
    "arms": (
        "yew,yew_ab,A+B+taxane,almab+bemab,concurrent,chemotherapy,taxane x4,60,\n"
        "yew,yew_a,A+taxane,almab,concurrent,chemotherapy,taxane x4,58,\n"
    ),
    "pcr": "".join(
        f"yew,{arm},ypT0/is ypN0,ITT,local,all,{events},{n},,roe_2026_yew,Table 2,primary,"
        "reported,current,\n"
        for arm, events, n in (("yew_ab", 33, 60), ("yew_a", 17, 58))
    ),
}  # fmt: skip
CORRECTED = ("hazard_ratios", "fir_ad,fir_a,EFS,final,60,investigator,all,0.57,0.35,0.93",
             "fir_ad,fir_a,EFS,final,60,investigator,all,0.97,0.60,1.58")  # fmt: skip


@dataclass(frozen=True)
class MadeUp:
    """The finished project. Tests must not modify it."""

    folder: Path

    @property
    def results(self) -> Path:
        """The results of all stages."""
        return self.folder / "results"

    @property
    def settings(self) -> list[str]:
        """Settings in the order of the configuration."""
        content = yaml.safe_load((HERE / "config/analyses.yaml").read_text(encoding="utf-8"))
        return list(content["settings"])

    def printed(self, command: str) -> str:
        """Terminal output of a command."""
        return (self.folder / "printed" / f"{command}.txt").read_text(encoding="utf-8")


# Package -> the stages that depend on it, to rerun after a fault is planted in it.
STAGES = {
    "audit": ("audit",), "sensitivity": ("sensitivity",), "network": ("network",),
    "report": ("report", "styled", "explain"), "forests": ("figures",), "overview": ("report",),
    "charts": ("sensitivity", "network"), "canvas": ("figures", "sensitivity", "network", "report"),
    "stage": ("figures",),
}  # fmt: skip
# mutmut's variable that names the active mutant.
FAULT = "MUTANT_UNDER_TEST"


def made_up_project(folder: Path) -> MadeUp:
    """Make the project in a folder, unless it exists; safe for concurrent processes."""
    fault = os.environ.get(FAULT, "")
    if "__mutmut_" in fault:
        return _made_again(folder, fault)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        # One process makes it, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if fault == "stats" or not (folder / DONE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            (folder / DONE).touch()
    return MadeUp(folder)


def _made_again(folder: Path, fault: str) -> MadeUp:
    """A copy of the finished project, with the stages that a fault may affect rerun."""
    again = MadeUp(folder.with_name(f"{folder.name}_{os.getpid()}"))
    shutil.copytree(folder, again.folder)
    atexit.register(shutil.rmtree, again.folder, ignore_errors=True)
    # The cache depends on the code on disk, which a planted fault does not change.
    shutil.rmtree(again.folder / "data/processed/kept", ignore_errors=True)
    for ledger in again.folder.rglob(".drawn*.json"):
        ledger.unlink()
    package, *inside = fault.removeprefix("trial_evidence.").split(".")
    with contextlib.chdir(again.folder):
        for stage in STAGES[inside[0] if package == "figures" else package]:
            _stage(again, stage)
    return again


def write_sheet(folder: Path) -> None:
    """The sheet and the configuration alone."""
    shutil.copytree(HERE / "sheet", folder / "data/raw")
    shutil.copytree(HERE / "config", folder / "config")
    shutil.copytree(ROOT / "config/labels", folder / "config/labels")


def _make(folder: Path) -> None:
    write_sheet(folder)
    (folder / "printed").mkdir()
    _git(folder, "init", "--quiet")
    _git(folder, "add", "data/raw", "config")
    _git(folder, "commit", "--quiet", "--message", "The sheet")
    with contextlib.chdir(folder):
        for stage in ("check", "extract", "pool", "figures", "sensitivity", "network", "audit",
                      "report", "styled", "explain", "workbook", "simulate",
                      "calibrate"):  # fmt: skip
            _stage(MadeUp(folder), stage)
    # In a copy, so that results and sheet here stay consistent.
    edited = folder / "edited"
    for part in ("data", "config", "results", ".git"):
        shutil.copytree(folder / part, edited / part)
    _edit(edited / "data/raw")
    with contextlib.chdir(edited):
        _say("changes", "--since", "HEAD", printed=folder / "printed")


def _stage(made_up: MadeUp, stage: str) -> None:
    """Run a command for every set of arguments."""
    if stage in {"pool", "figures", "sensitivity", "network"}:
        for setting in made_up.settings:
            _say(stage, "--setting", setting)
    elif stage == "explain":
        _say("explain_row", "--row", "pcr:2")
        trial = ("--trial", "sorrel", "--analysis", "progression_free_dual_v_single")
        _say("explain_trial", *trial)
    else:
        _say(stage, *ARGUMENTS.get(stage, ()))


def _edit(raw: Path) -> None:
    for table, rows in TYPED.items():
        with (raw / f"{table}.csv").open("a", encoding="utf-8") as file:
            file.write(rows)
    table, old, new = CORRECTED
    path = raw / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def _say(name: str, *arguments: str, printed: Path = Path("printed")) -> None:
    """Run a command and save its output; ``explain_row`` runs the command ``explain``."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main([name.split("_")[0], *arguments])
    assert code == 0, (name, said.getvalue())
    (printed / f"{name}.txt").write_text(said.getvalue(), encoding="utf-8")


def _git(folder: Path, *arguments: str) -> None:
    day = "2026-01-02T03:04:05+00:00"
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env=os.environ | {"GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day},
    )
