"""Time and memory of the stages at 1, 5, 20 and 100 times the sheet.

    python benchmarks/growth.py [TIMES ...]

The larger sheets contain every trial that many times, each copy under a separate name, so that no
number is invented. Prints the table in docs/performance.md.
"""

import csv
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from trial_evidence.sheet import Dictionary, read_dictionary  # noqa: E402

SIZES = (1, 5, 20, 100)
SETTING = "neoadjuvant"
STAGES = (
    ("check",), ("extract",), ("pool", "--setting", SETTING), ("audit",),
    ("sensitivity", "--setting", SETTING, "--processes", "2"),
    ("network", "--setting", SETTING, "--processes", "2"),
)  # fmt: skip
# Stage that the audit needs in the other settings.
BEFORE = {"audit": "pool"}
LONGEST_S = 900


def larger_sheet(raw: Path, into: Path, times: int, dictionary: Dictionary) -> None:
    """Write a sheet with several copies of every trial, the first under its own name."""
    into.mkdir(parents=True)
    for table in dictionary.tables.values():
        with (raw / table.file).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        own = [
            column.name
            for column in table.columns.values()
            if column.name in ("trial_id", "arm_id")
            or (column.references or ("",))[0] in ("trials", "arms")
        ]
        own += [name for name in ("name", "nct") if table.name == "trials"]
        copies = times if own else 1
        with (into / table.file).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table.columns), extrasaction="ignore")
            writer.writeheader()
            for copy in range(copies):
                writer.writerows(_renamed(row, own, copy) for row in rows)


def _renamed(row: dict[str, str], names: list[str], copy: int) -> dict[str, str]:
    if copy == 0:
        return row
    changed = {}
    for name in names:
        value = row.get(name, "")
        if re.fullmatch(r"NCT\d{8}", value):
            changed[name] = f"NCT{(int(value[3:]) + 100_000 * copy) % 10**8:08d}"
        elif value not in ("", "*"):
            # Text in brackets is not part of a trial's short name.
            numbered = re.sub(r"(?= \()|$", f" {copy}", value, count=1)
            changed[name] = numbered if name == "name" else f"{value}_c{copy}"
    return row | changed


def run(folder: Path, *arguments: str) -> tuple[float, float, float, int]:
    """Elapsed seconds, CPU seconds, peak memory in MB and exit code of a stage."""
    command = [
        sys.executable, "-m", "trial_evidence", arguments[0], "--raw", str(folder / "raw"),
        "--config", str(ROOT / "config"), "--processed", str(folder / "processed"),
        "--results", str(folder / "results"), *arguments[1:],
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OPENBLAS_NUM_THREADS": "1"}
    start = time.monotonic()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    seconds, busy = time.monotonic() - start, usage.ru_utime + usage.ru_stime
    return seconds, busy, usage.ru_maxrss / 1024, process.returncode


def main(sizes: tuple[int, ...]) -> None:
    dictionary = read_dictionary(ROOT / "workflow/dictionary")
    found: dict[str, list[tuple[int, float, float, float]]] = {stage[0]: [] for stage in STAGES}
    settings = [SETTING, "adjuvant", "metastatic_first_line", "metastatic_pretreated"]
    for times in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            larger_sheet(ROOT / "data/raw", folder / "raw", times, dictionary)
            for stage in STAGES:
                if stage[0] == "audit":
                    for setting in settings[1:]:
                        run(folder, "pool", "--setting", setting)
                seconds, busy, memory, code = run(folder, *stage)
                if code:
                    sys.exit(f"{stage[0]} at {times} times the sheet ends with exit code {code}")
                figures = f"{seconds:6.1f} s {busy:6.1f} s of processor {memory:6.0f} MB"
                print(f"{times:>4} {stage[0]:<12} {figures}", flush=True)
                found[stage[0]].append((times, seconds, busy, memory))
    heads = "".join(f" {times} times |" for times in sizes)
    print(f"\n| stage |{heads} exponent |\n| --- |{' --- |' * (len(sizes) + 1)}")
    for stage, rows in found.items():
        cells = "".join(
            f" {seconds:.1f} s ({busy:.1f}), {memory:.0f} MB |" for _, seconds, busy, memory in rows
        )
        # Based on CPU time, which other work on the machine affects less.
        (small, _, first, _), (large, _, last, _) = rows[-2:] if len(rows) > 1 else rows * 2
        exponent = math.log(last / first) / math.log(large / small) if large > small else math.nan
        print(f"| {stage} |{cells} {exponent:.2f} |")


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
