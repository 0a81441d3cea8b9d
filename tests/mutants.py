"""Mutation testing: a fixed random sample of small faults, and how many the tests notice.

    python tests/mutants.py [HOW_MANY [SEED]]

mutmut makes the faults, forks a process for each and runs the tests that reach the function at
fault. What is added here, and why, is in docs/testing.md: the library is staged in ``src``, where
mutmut looks for one; the sample; and which tests are run for a fault.
"""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STAGE = ROOT / ".mutants"
# Modules whose output a reader sees: these are sampled, purely numerical modules are not.
ROOMS = (
    "audit/*", "figures/*", "network/tables.py", "network/pictures/*", "report/*", "sensitivity/*",
)  # fmt: skip
TESTS = (
    "tests/approval", "tests/meaning", "tests/figures", "tests/unit/api", "tests/unit/audit",
    "tests/unit/network", "tests/unit/report", "tests/unit/sensitivity",
    "tests/unit/test_figure_configuration.py",
)  # fmt: skip
# Of the other tests, the fastest ones, up to this many seconds.
SECONDS = 15.0
WHOLE = ("tests/approval/", "tests/meaning/")
# About the machine or the repository, not about output.
NOT_RUN = ("test_no_approval_is_left_of_what_is_no_longer_made",)


def main(how_many: int = 300, seed: int = 9) -> int:
    """Plant the faults, run the tests, and report the survivors."""
    _stage()
    with contextlib.chdir(STAGE):
        os.environ["MADE_UP_PROJECT"] = str(STAGE / "made_up")
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        sys.path[:0] = [str(STAGE / "src"), str(STAGE / "tests")]
        return _run(how_many, seed)


def _stage() -> None:
    """A copy of the tracked files with the library in ``src``, configured for mutmut."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    shutil.rmtree(STAGE, ignore_errors=True)
    for name in listed:
        for place in {name, re.sub("^workflow/", "src/", name)} if (ROOT / name).is_file() else ():
            (STAGE / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, STAGE / place)
    settings: dict[str, Any] = {
        "source_paths": ["src/trial_evidence"],
        "only_mutate": [f"src/trial_evidence/{room}" for room in ROOMS],
        "also_copy": [f"src/{part}" for part in ("dictionary", "schemas", "report")]
        + ["config", "data", "docs", "workflow", "Snakefile", "README.md", "CITATION.cff"],
        "pytest_add_cli_args_test_selection": [
            *TESTS, *(part for name in NOT_RUN for part in ("--deselect", name)),
        ],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "track_dependencies": False,
        "use_git_change_detection": False,
        # Rebuilding the made-up project must not count as test time for mutmut.
        "timeout_constant": 5.0,
    }  # fmt: skip
    text = (STAGE / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace('pythonpath = ["workflow", "tests"]', 'pythonpath = ["src", "tests"]')
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    text += "\n[tool.mutmut]\n" + "\n".join(lines) + "\n"
    (STAGE / "pyproject.toml").write_text(text, encoding="utf-8")


def _run(how_many: int, seed: int) -> int:
    from mutmut import __main__ as mutmut
    from mutmut.mutation.trampoline import set_mutant_under_test
    from mutmut.state import state
    from mutmut.stats import status_by_exit_code

    set_mutant_under_test("mutant_generation")
    Path("mutants").mkdir(exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.create_mutants(2)
    mutmut.collect_or_load_stats(mutmut.get_mutant_runner(2))
    reached = state().tests_by_mangled_function_name
    _choose_tests(reached, state().duration_by_test)
    # The tests are chosen here: mutmut must neither select them again nor run all of them first.
    mutmut.collect_or_load_stats = lambda *_, **__: None
    mutmut.tests_for_mutant_names = lambda _: sorted(set().union(*reached.values()))[:1]
    every, _ = mutmut.collect_source_file_mutation_data(mutant_names=())
    names = sorted(name for _, name, _ in every)
    sample = random.Random(seed).sample(names, min(how_many, len(names)))
    print(f"{len(sample)} of {len(names)} mutants.", flush=True)
    mutmut._run(sample, 2)
    found, _ = mutmut.collect_source_file_mutation_data(mutant_names=sample)
    return _report({name: status_by_exit_code[code] for _, name, code in found})


def _choose_tests(reached: dict[str, Any], seconds: dict[str, float]) -> None:
    """For each function, fast tests first, then all that read the made-up project's outputs.

    The outputs are made once a session, so that only the first of these tests seems to reach it.
    """
    whole = [test for test in seconds if test.startswith(WHOLE)]
    for function, tests in list(reached.items()):
        chosen, spent = {}, 0.0
        for test in sorted(set(tests).difference(whole), key=lambda test: seconds[test]):
            spent += seconds[test]
            if spent > SECONDS:
                break
            chosen[test] = None
        reads = whole if any(test in whole for test in tests) else ()
        reached[function] = _Ordered([*chosen, *reads])


class _Ordered(list[str]):
    """A set of tests that iterates in running order, because mutmut expects a set."""

    def __or__(self, other: Iterable[str]) -> "_Ordered":
        return _Ordered([*self, *(test for test in other if test not in self)])


def _report(found: dict[str, str]) -> int:
    """Print the score and every surviving fault."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    noticed = ("killed", "timeout", "segfault", "suspicious")
    left = sorted(name for name, status in found.items() if status not in noticed)
    for name in left:
        print(f"\n{'=' * 10} {name} ({found[name]})\n{get_diff_for_mutant(name)}")
    share = 100 * (len(found) - len(left)) / len(found)
    print(f"\n{len(found) - len(left)} of {len(found)} noticed: {share:.0f}%.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
