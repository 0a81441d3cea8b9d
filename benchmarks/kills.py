"""Kill runs at random moments, and test whether the next run gives the same results.

    python benchmarks/kills.py [KILLS] [SEED]

Uses the made-up sheet of the tests in two settings. After one undisturbed run, each of the KILLS
runs starts from nothing and is killed with all its processes, at a random moment within an equal
share of the duration. Then `make`, which must say how to unlock the folder, the unlocking, and
`make` again. Prints one row per kill.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests"), str(ROOT / "tests/workflow")]

from project_copy import Project, new_project  # noqa: E402

KILLS = 12
MADE = ("data/processed", "results", ".snakemake")


def killed(project: Project, after: float) -> tuple[int, bool]:
    """Number of files when a run was killed, and whether the next run says how to continue."""
    for part in MADE:
        shutil.rmtree(project.folder / part, ignore_errors=True)
    with subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--logger", "progress"], cwd=project.folder,
        env=os.environ | {"PYTHONPATH": "workflow"}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        time.sleep(after)
        os.killpg(process.pid, signal.SIGKILL)
    made = len(project.contents())
    locked = project.snakemake()
    # A run killed before it had locked the folder leaves nothing to unlock.
    if locked.code == 0:
        return made, True
    told = "--unlock" in locked.err
    return made, told and project.snakemake("--unlock").code == 0


def main(kills: int = KILLS, seed: int = 0) -> None:
    moments = random.Random(seed)
    good = 0
    with tempfile.TemporaryDirectory() as place:
        project = new_project(Path(place) / "project")
        began = time.monotonic()
        assert project.snakemake().code == 0
        whole = time.monotonic() - began
        undisturbed = project.contents()
        print(f"An undisturbed run: {whole:.0f} s, {len(undisturbed)} files.\n")
        print("| killed after | files then | says how to unlock | same bytes |")
        print("| --- | --- | --- | --- |")
        for kill in range(kills):
            after = whole * (kill + moments.random()) / kills
            made, told = killed(project, after)
            same = project.snakemake().code == 0 and project.contents() == undisturbed
            good += told and same
            words = ("yes" if yes else "NO" for yes in (told, same))
            print(f"| {after:.1f} s | {made} | {' | '.join(words)} |", flush=True)
    print(f"\n{good} of {kills}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
