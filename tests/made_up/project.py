"""The made-up project in a folder, every stage run once, as the workflow and the Makefile do."""

import contextlib
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from trial_evidence.calibration.stage import Grid, write_calibration
from trial_evidence.cli import main
from trial_evidence.config.configuration import read_configuration

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ANALYSIS = "pcr_dual_v_almab"
# Enough to fill every cell of the page of calibration; its numbers mean nothing.
TINY = Grid(taus=(0.0, 0.3), simulations=40, part=40)
DONE = "done"
# A trial that an analyst types, and a count that he corrects.
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
    """The finished project: nothing in it may be changed by a test."""

    folder: Path

    @property
    def results(self) -> Path:
        """What the stages made."""
        return self.folder / "results"

    @property
    def settings(self) -> list[str]:
        """Settings in the order of the configuration."""
        content = yaml.safe_load((HERE / "config/analyses.yaml").read_text(encoding="utf-8"))
        return list(content["settings"])

    def printed(self, command: str) -> str:
        """What a command said on the terminal."""
        return (self.folder / "printed" / f"{command}.txt").read_text(encoding="utf-8")


def made_up_project(folder: Path) -> MadeUp:
    """Make the project in a folder, unless it is there; several processes may ask at once."""
    # One makes it, the others wait.
    import fcntl

    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / DONE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            (folder / DONE).touch()
    return MadeUp(folder)


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
    with _inside(folder):
        _say("check", "--list-warnings")
        _say("extract")
        for setting in MadeUp(folder).settings:
            for stage in ("pool", "figures", "sensitivity", "network"):
                _say(stage, "--setting", setting)
        _say("audit")
        _say("report")
        _say("styled", "--style", "greyscale", "--width", "85", "--analysis", ANALYSIS)
        _say("explain_row", "--row", "pcr:2")
        _say("explain_trial", "--trial", "sorrel", "--analysis", "progression_free_dual_v_single")
        _say("workbook", "--book", "evidence.xlsx")
        _calibrate()
    # In a copy, so that the results here are those of the sheet here.
    edited = folder / "edited"
    for part in ("data", "config", "results", ".git"):
        shutil.copytree(folder / part, edited / part)
    _edit(edited / "data/raw")
    with _inside(edited):
        _say("changes", "--since", "HEAD", printed=folder / "printed")


def _edit(raw: Path) -> None:
    for table, rows in TYPED.items():
        with (raw / f"{table}.csv").open("a", encoding="utf-8") as file:
            file.write(rows)
    table, old, new = CORRECTED
    path = raw / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def _calibrate() -> None:
    configuration = read_configuration(Path("config"))
    results = Path("results")
    write_calibration(
        configuration, results, results / "calibration", grid=TINY, progress=lambda *_: None
    )


def _say(name: str, *arguments: str, printed: Path = Path("printed")) -> None:
    """Run a command and keep what it prints; ``explain_row`` is the command ``explain``."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main([name.split("_")[0], *arguments])
    assert code == 0, (name, said.getvalue())
    (printed / f"{name}.txt").write_text(said.getvalue(), encoding="utf-8")


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    with contextlib.chdir(folder):
        yield


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
