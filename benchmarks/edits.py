"""Cost of an edit relative to a clean run on the same machine; and runs that are killed.

    python benchmarks/edits.py [REVISION] [KILLS]

In copies of the project: a clean run (also of an earlier REVISION, if given), one cell changed, a
note changed, a run with nothing to do, and KILLS runs killed at a random moment. Prints the table
in docs/performance.md.
"""

import csv
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
FOREST = "results/neoadjuvant/pcr_dual_v_trastuzumab/forest.svg"
# Not compared, because they differ between runs: caches, logs and Snakemake's own files.
NOT_COMPARED = re.compile(r"data/processed/(inventory\.json|watch\.log|kept/.*)|\.snakemake/.*")


def project(folder: Path, revision: str = "") -> Path:
    """A copy of the current project, or of a revision, without any outputs."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    if revision:
        subprocess.run(["git", "checkout", "--quiet", revision], cwd=folder, check=True)
    else:
        for name in ("workflow", "config", "data/raw", "profiles"):
            shutil.rmtree(folder / name)
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "Snakefile", folder)
    return folder


def start(folder: Path, *more: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONPATH": "workflow", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--logger", "progress", *more],
        cwd=folder, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def run(folder: Path, *more: str) -> float:
    """Duration in seconds of a run, which must succeed."""
    began = time.monotonic()
    if start(folder, *more).wait():
        sys.exit(f"the run in {folder} failed")
    return time.monotonic() - began


def change(folder: Path, table: str, of: Callable[[dict[str, str]], bool], **cells: str) -> None:
    """Change cells of the first row for which `of` is true."""
    path = folder / "data/raw" / table
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    next(row for row in rows if of(row)).update(cells)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def used_row(folder: Path) -> Callable[[dict[str, str]], bool]:
    """A function that finds the row of the first pooled experimental arm."""
    with (folder / "data/processed/neoadjuvant/used.csv").open(encoding="utf-8") as file:
        used = next(csv.DictReader(file))
    arm, events = used["experimental_arm_id"], used["events_experimental"].removesuffix(".0")

    def fits(row: dict[str, str]) -> bool:
        same = (row["arm_id"], row["events"], row["subgroup"]) == (arm, events, "all")
        return same and row["definition"] == used["definition"] and row["status"] == "current"

    return fits


def cells(folder: Path) -> list[tuple[str, int]]:
    """Tables and rows to edit: the last pooled row of every analysis in all settings.

    Harms are left out: editing them affects few figures and would make the result look better.
    """
    last: dict[tuple[str, str], tuple[str, int]] = {}
    for path in sorted((folder / "data/processed").glob("*/used.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for used in csv.DictReader(file):
                table = "hazard_ratios.csv" if used["hr"] else "pcr.csv"
                efficacy = used["hr"] or used["outcome"] == "pCR"
                if efficacy and (used["subgroup"], used["pooled"]) == ("all", "yes"):
                    row = int(used["rows"].split(";")[0])
                    last[used["setting"], used["analysis"]] = table, row
    return list(dict.fromkeys(last.values()))


def corrected(folder: Path, table: str, number: int) -> float:
    """Duration in seconds of a run after a row's result was changed by the smallest step."""
    path = folder / "data/raw" / table
    with path.open(encoding="utf-8", newline="") as file:
        row = list(csv.DictReader(file))[number - 2]
    if table == "hazard_ratios.csv":
        new = {"hr": f"{float(row['hr']) + 0.01:.2f}"}
    else:
        new = {"events": str(int(row["events"]) + 1)}
    change(folder, table, lambda other: other == row, **new)
    return run(folder)


def contents(folder: Path) -> dict[str, str]:
    """Path -> checksum of every output."""
    made = [path for part in ("data/processed", "results") for path in (folder / part).rglob("*")]
    names = {path.relative_to(folder).as_posix(): path for path in made if path.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not NOT_COMPARED.fullmatch(name)
    }


def figures(folder: Path) -> dict[Path, int]:
    """Path -> inode of every figure: a figure that is drawn again replaces the old file.

    Time stamps cannot be used: Snakemake renews those of declared outputs, written or not.
    """
    kinds = {".svg", ".pdf", ".png"}
    paths = (path for path in (folder / "results").rglob("*") if path.suffix in kinds)
    return {path: path.stat().st_ino for path in paths}


def edited(folder: Path) -> tuple[float, float]:
    """Seconds until the forest plot of the changed analysis exists, and until the run ends."""
    before, began = (folder / FOREST).stat().st_ino, time.monotonic()
    process, drawn = start(folder), 0.0
    while process.poll() is None:
        if not drawn and (folder / FOREST).is_file():
            new = (folder / FOREST).stat().st_ino != before
            drawn = time.monotonic() - began if new else 0.0
        time.sleep(0.02)
    assert process.returncode == 0
    return drawn, time.monotonic() - began


def killed(folder: Path, undisturbed: dict[str, str], seconds: float, seed: int) -> bool:
    """Whether a run killed at a random moment, then repeated, gives the same bytes."""
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / "data/processed")
    process = start(folder)
    time.sleep(random.Random(seed).uniform(0.5, seconds))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run(folder, "--unlock")
    run(folder)
    return contents(folder) == undisturbed


def main(revision: str = "", kills: int = 0) -> None:
    with tempfile.TemporaryDirectory() as place:
        now = project(Path(place) / "now")
        rows: list[tuple[str, str]] = []
        before = run(project(Path(place) / "before", revision)) if revision else 0.0
        clean = run(now)
        undisturbed = contents(now)
        if revision:
            rows.append((f"clean run, {revision}", f"{before:.0f} s"))
        rows.append(
            ("clean run", f"{clean:.0f} s" + (f" ({clean / before:.2f})" if before else ""))
        )
        rows.append(("nothing to do", f"{run(now):.1f} s"))
        row, written = used_row(now), figures(now)
        change(now, "pcr.csv", row, note="A comment.")
        seconds = run(now)
        drawn = sum(file != written.get(path) for path, file in figures(now).items())
        rows.append(("a comment in a note", f"{seconds:.1f} s, {drawn} figure files written"))
        with (now / "data/raw/pcr.csv").open(encoding="utf-8") as file:
            events = int(next(filter(row, csv.DictReader(file)))["events"])
        change(now, "pcr.csv", row, events=str(events + 1), derivation="from_percent")
        first, whole = edited(now)
        rows.append(("one cell that three analyses use: its forest plot", f"{first:.1f} s"))
        share = f"{whole:.1f} s ({whole / clean:.2f} of a clean run)"
        rows.append(("one cell that three analyses use: everything", share))
        shares = sorted(corrected(now, *cell) / clean for cell in cells(now))
        within = sum(share <= 0.25 for share in shares)
        rows.append(
            (
                f"one cell of each of {len(shares)} analyses in turn: everything",
                f"{median(shares):.2f} of a clean run ({shares[0]:.2f} to {shares[-1]:.2f}), "
                f"{within} at most a quarter",
            )
        )
        shutil.copytree(ROOT / "data/raw", now / "data/raw", dirs_exist_ok=True)
        run(now)
        rows.append(
            ("the cell put back: same bytes", "yes" if contents(now) == undisturbed else "NO")
        )
        seconds = run(now, "--forceall")
        same = "yes" if contents(now) == undisturbed else "NO"
        rows.append(("--forceall: same bytes", f"{same}, {seconds:.0f} s"))
        if kills:
            good = sum(killed(now, undisturbed, 0.9 * clean, seed) for seed in range(kills))
            rows.append((f"killed at {kills} random moments: same bytes", f"{good} of {kills}"))
    print("| what | measured |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
