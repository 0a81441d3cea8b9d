"""What the terminal says of faults and of plans."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trial_evidence.files import write_text
from trial_evidence.words.problems import (
    PROBLEM_COLUMNS,
    Problem,
    SheetError,
    errors_of,
    problems_as_rows,
    summary,
)
from trial_evidence.workbook.layout import as_csv

if TYPE_CHECKING:
    from trial_evidence.workbook.transfer import ImportPlan


# Where one slip spoils a whole column, the first lines say it all; the file lists every one.
MOST_PRINTED = 40


def show_plan(plan: "ImportPlan") -> None:
    """The findings and the difference in words, before anything is written."""
    say_errors(plan.problems)
    for problem in plan.problems:
        if problem.severity == "warning":
            print(problem.line())
    for line in (*plan.difference, *plan.questions):
        print(line)
    sys.stdout.flush()


def listing_of(options: argparse.Namespace) -> Path:
    """Where the findings of the check are listed."""
    return Path(options.results) / "checks" / "problems.csv"


def say_faults(options: argparse.Namespace, error: SheetError) -> None:
    """Every fault of a sheet: the first on the terminal, all in the list."""
    listing = listing_of(options)
    if not options.of_sheet:
        say_errors(error.problems)
        print("Nothing was written.", file=sys.stderr)
        return
    list_problems(listing, error.problems)
    say_errors(error.problems)
    print(summary(error.problems, str(listing)), file=sys.stderr, flush=True)


def say_errors(problems: Sequence[Problem]) -> None:
    """The errors among findings, as many as a person reads."""
    errors = errors_of(problems)
    for problem in errors[:MOST_PRINTED]:
        print(problem.line(), file=sys.stderr)
    if len(errors) > MOST_PRINTED:
        print(f"... and {len(errors) - MOST_PRINTED} more errors", file=sys.stderr)


def list_problems(listing: Path, problems: Sequence[Problem]) -> None:
    """Write the list of findings."""
    write_text(listing, as_csv([PROBLEM_COLUMNS, *problems_as_rows(problems)]))
