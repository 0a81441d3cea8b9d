"""The stages of the pipeline as commands: check, extract, pool, figures, report.

Each stage reads what the stage before it wrote. The modules
of a stage are imported when it runs, because the numerical libraries take seconds to import.
"""

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from trial_evidence.configuration import (
    Configuration,
    read_configuration,
    unknown_agents,
    unknown_analyses,
)
from trial_evidence.files import write_text
from trial_evidence.sheet import (
    PROBLEM_COLUMNS,
    Problem,
    Sheet,
    SheetError,
    load_sheet,
    problems_as_rows,
    read_dictionary,
    summary,
)

# Where one slip spoils a whole column, the first lines say it all; the file lists every one.
MOST_PRINTED = 40
DICTIONARY = Path(__file__).resolve().parent.parent / "dictionary"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage; the exit code is 1 where the sheet or the configuration has errors.

    Parameters
    ----------
    arguments : sequence of str, optional
        As on the command line; by default those of the process.

    Returns
    -------
    int
    """
    parser = argparse.ArgumentParser(prog="python -m trial_evidence", description=__doc__)
    parser.add_argument("stage", choices=list(_STAGES))
    parser.add_argument("--setting", help="for pool and figures: which setting")
    parser.add_argument("--list-warnings", action="store_true", help="for check: print them all")
    parser.add_argument("--raw", type=Path, default=Path("data/raw"))
    parser.add_argument("--config", type=Path, default=Path("config"))
    parser.add_argument("--processed", type=Path, default=Path("data/processed"))
    parser.add_argument("--results", type=Path, default=Path("results"))
    options = parser.parse_args(arguments)
    try:
        _STAGES[options.stage](options)
    except SheetError as error:
        _say_problems(error.problems, options.results / "checks" / "problems.csv")
        return 1
    return 0


def _check(options: argparse.Namespace) -> None:
    """Validate sheet and configuration; list every finding."""
    listing = options.results / "checks" / "problems.csv"
    _, _, warnings = _load(options)
    _list_problems(listing, warnings)
    for warning in warnings if options.list_warnings else ():
        print(warning.line())
    print(summary(warnings, str(listing)), flush=True)


def _extract(options: argparse.Namespace) -> None:
    from trial_evidence.extract.stage import write_evidence

    configuration, sheet, _ = _load(options)
    write_evidence(sheet, configuration, options.processed)


def _pool(options: argparse.Namespace) -> None:
    from trial_evidence.pool.stage import write_estimates

    configuration = read_configuration(options.config)
    write_estimates(configuration, options.setting, options.processed, options.results)


def _figures(options: argparse.Namespace) -> None:
    from trial_evidence.figures.stage import write_figures

    configuration = read_configuration(options.config)
    write_figures(configuration, options.setting, options.processed, options.results)


def _report(options: argparse.Namespace) -> None:
    from trial_evidence.report.stage import write_report

    configuration = read_configuration(options.config)
    write_report(configuration, options.results)


_STAGES = {
    "check": _check,
    "extract": _extract,
    "pool": _pool,
    "figures": _figures,
    "report": _report,
}


def _load(options: argparse.Namespace) -> tuple[Configuration, Sheet, tuple[Problem, ...]]:
    """Configuration and sheet, or the problems of both at once."""
    problems: list[Problem] = []
    configuration = sheet = None
    warnings: tuple[Problem, ...] = ()
    try:
        configuration = read_configuration(options.config)
    except SheetError as error:
        problems += error.problems
    try:
        sheet, warnings = load_sheet(options.raw, read_dictionary(DICTIONARY))
    except SheetError as error:
        problems += error.problems
    if configuration is not None and sheet is not None:
        problems += unknown_agents(configuration, list(sheet["agents"]["agent"]))
        problems += unknown_analyses(configuration, sheet["exclusions"])
    if problems or configuration is None or sheet is None:
        raise SheetError(tuple(problems) + warnings)
    return configuration, sheet, warnings


def _say_problems(problems: Sequence[Problem], listing: Path) -> None:
    _list_problems(listing, problems)
    errors = [problem for problem in problems if problem.severity == "error"]
    for problem in errors[:MOST_PRINTED]:
        print(problem.line(), file=sys.stderr)
    if len(errors) > MOST_PRINTED:
        print(f"... and {len(errors) - MOST_PRINTED} more errors", file=sys.stderr)
    print(summary(problems, str(listing)), file=sys.stderr, flush=True)


def _list_problems(listing: Path, problems: Sequence[Problem]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PROBLEM_COLUMNS)
    writer.writerows(problems_as_rows(problems))
    write_text(listing, text.getvalue())
