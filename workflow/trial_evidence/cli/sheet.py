"""Commands for analysts: check, explain and compare the sheet, export and import it."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from trial_evidence.config.networks import read_networks
from trial_evidence.files import write_text, write_whole
from trial_evidence.kept import read_state, write_state
from trial_evidence.loaded import DICTIONARY, load, problems_of, with_unjudged, words_of
from trial_evidence.sheet import find_problems, read_dictionary
from trial_evidence.words.errors import RequestError, not_written
from trial_evidence.words.problems import (
    PROBLEM_COLUMNS,
    Problem,
    SheetError,
    counted,
    errors_of,
    has_errors,
    new_among,
    problems_as_rows,
    summary,
    told_briefly,
)
from trial_evidence.workbook.layout import as_csv

if TYPE_CHECKING:
    from trial_evidence.exchange.taken import Taken
    from trial_evidence.workbook.transfer import ImportPlan

_UNCHANGED = "Nothing was imported; the sheet is unchanged."
_NOTHING = "The sheet holds all of this already; nothing to import."
_NOTHING_NEW = (
    "There is nothing to import: no line is answered or confirmed, or the sheet holds it already."
)
# More would bury the reader; the file lists all.
MOST_PRINTED = 40


def check(options: argparse.Namespace) -> None:
    """Check the sheet and the configuration."""
    from trial_evidence.changes.revision import last_commit, since_commit

    listing, dictionary = listing_of(options), read_dictionary(DICTIONARY)
    folders = options.raw, options.config
    state = read_state(*folders)
    with last_commit(*folders) as commit:
        said = since_commit(commit, *folders, dictionary, briefly=not options.list_warnings)
        try:
            warnings = with_unjudged(load(*folders))
        except SheetError:
            print("\n".join(said), end="\n" if said else "", file=sys.stderr)
            raise
        new: tuple[Problem, ...] = ()
        if commit and options.list_warnings and read_state(commit.raw, commit.config) != state:
            before = problems_of(commit.raw, commit.config, {p.subject for p in warnings})
            new = new_among(warnings, before)
    list_problems(listing, warnings)
    if options.state is not None:
        if read_state(*folders) != state:
            raise RequestError("The sheet was saved while it was being checked. Run make again.")
        write_state(options.state, state)
    listed = warnings if options.list_warnings else ()
    known = [warning.line() for warning in listed if warning not in new]
    for line in (*known, *said, *(f"new: {warning.line()}" for warning in new)):
        print(line)
    print(summary(warnings, str(listing), len(new)), flush=True)


def explain(options: argparse.Namespace) -> None:
    """Say why a row is, or is not, in an analysis."""
    from trial_evidence.report.material.afresh import evidence_on
    from trial_evidence.report.trail.explain import explain, trial_of

    configuration, sheet, _ = load(options.raw, options.config)
    networks = read_networks(options.config, configuration)
    asked = (options.row, options.trial, options.analysis)
    trial = trial_of(*asked, sheet)
    # An analysis is never asked for without its trial.
    evidence = evidence_on(trial, options.analysis, sheet, configuration, networks)
    print(explain(*asked, sheet, configuration, evidence), end="")


def changes(options: argparse.Namespace) -> None:
    """Say what an edit of the sheet or the configuration changes."""
    from trial_evidence.changes.stage import write_changes

    configuration, sheet, _ = load(options.raw, options.config)
    dictionary = words_of(options.config)
    folders = options.raw, options.config, options.results
    print(write_changes(options.since, sheet, configuration, dictionary, *folders), end="")


def watch(options: argparse.Namespace) -> None:
    """Answer every save: is the sheet sound, and what does it change?"""
    from trial_evidence.changes.revision import last_commit, since_commit
    from trial_evidence.watch import LOG, State, state_of, watch_sheet

    folders = options.raw, options.config

    known: tuple[Problem, ...] | None = None

    def answer() -> State | None:
        nonlocal known
        with last_commit(*folders) as commit:
            lost = since_commit(commit, *folders, read_dictionary(DICTIONARY), briefly=True)
        print("".join(f"{line}\n" for line in lost), end="", flush=True)
        try:
            loaded = load(*folders)
        except SheetError as error:
            say_faults(options, error)
            return None
        warnings = with_unjudged(loaded)
        new = () if known is None else new_among(warnings, known)
        known = warnings
        print("".join(f"new: {warning.line()}\n" for warning in new), end="")
        print(summary(warnings, str(listing_of(options)), len(new)), flush=True)
        return state_of(*loaded[:2])

    def take() -> None:
        # The file may be incomplete, for example; the next save is tried again.
        told(import_, options)

    watch_sheet(options.raw, options.config, options.processed / LOG, answer, options.book, take)


def workbook(options: argparse.Namespace) -> None:
    """Write the sheet as one workbook."""
    from trial_evidence.workbook.write import write_workbook

    write_workbook(options.raw, words_of(options.config), options.book)
    print(f"The sheet is in {options.book}. Edit it, then: {_import_of(options.book)}")


def worklist(options: argparse.Namespace) -> None:
    """List what to look up in the papers first, as a workbook."""
    from trial_evidence.exchange.answers import write_answers_book
    from trial_evidence.exchange.worklist import worklist
    from trial_evidence.report.material.material import read_evidence

    if options.most < 1:
        raise RequestError(
            f"A worklist of {options.most} rows cannot be made: N, the number of rows (--most), is "
            "1 or more."
        )
    configuration, sheet, _ = load(options.raw, options.config)
    evidence = read_evidence(configuration, options.processed, options.results)
    rows = worklist(configuration, sheet, evidence).head(options.most)
    if rows.empty:
        print("There are no rows to look up: every pooled result was seen first-hand.")
        return
    write_answers_book(rows, options.book)
    are = "is" if len(rows) == 1 else "are"
    print(f"{counted(len(rows), 'row')} to look up {are} in {options.book}.", end=" ")
    print(f"Fill in what you see, then: {_import_of(options.book)}")


def _import_of(book: Path) -> str:
    """The command that imports a workbook, as it can be pasted into a terminal."""
    return f"make import BOOK={quote(str(book))}"


def import_(options: argparse.Namespace) -> int:
    """Take a workbook, or a folder of CSV files, into the sheet."""
    from trial_evidence.exchange.incoming import take_answers

    with TemporaryDirectory() as place:
        folder = Path(place) / options.raw.name
        try:
            taken = take_answers(options.book, options.raw, options.config, folder)
        except SheetError as error:
            say_errors(error.problems)
            print(_UNCHANGED, file=sys.stderr)
            return 1
        for line in taken.said if taken else ():
            print(line)
        return _import_book(options, folder if taken else options.book, taken)


def _import_book(options: argparse.Namespace, book: Path, taken: "Taken | None") -> int:
    from trial_evidence.workbook.transfer import ImportPlan, import_book

    def show(plan: ImportPlan) -> None:
        problems = plan.problems if taken is None else tuple(map(taken.located, plan.problems))
        show_plan(replace(plan, problems=problems))

    dictionary = words_of(options.config)
    result = import_book(book, options.raw, dictionary, show=show, confirmed=options.yes)
    if has_errors(result.plan.problems):
        print(_UNCHANGED, file=sys.stderr)
        return 1
    if result.written:
        print(f"Imported: {', '.join(result.written)}. What it changes: make changes")
    elif result.plan.questions:
        print("Nothing was imported. To confirm, add YES=yes.", file=sys.stderr)
        return 1
    else:
        print(_NOTHING if taken is None else _NOTHING_NEW)
    return 0


def registry(options: argparse.Namespace) -> None:
    """Compare records of ClinicalTrials.gov with the sheet."""
    from trial_evidence.exchange.registry.stage import write_compared

    for line in write_compared(options.file, options.book, options.raw, options.config):
        print(line)
    print(f"They are in {options.book}. Confirm what holds, then: {_import_of(options.book)}")


def references(options: argparse.Namespace) -> int:
    """Fill in and correct sources.csv from an export of references."""
    from trial_evidence.exchange.references import read_references, write_referenced

    load(options.raw, options.config)
    found = read_references(options.file, options.raw, words_of(options.config))
    print("\n".join(found.in_words), flush=True)
    with TemporaryDirectory() as place:
        folder = Path(place) / options.raw.name
        taken = write_referenced(found, options.raw, folder, options.replace)
        return _import_book(options, folder, taken)


def records(options: argparse.Namespace) -> None:
    """Take what a search found into screening.csv."""
    from trial_evidence.workbook.opened import refuse_open
    from trial_evidence.workbook.records import SCREENING, found_records

    dictionary = words_of(options.config)
    if errors_of(find_problems(options.raw, dictionary)):
        raise RequestError("The sheet has errors, so nothing is added to it: make check")
    found = found_records(options.file, options.search, options.raw, dictionary)
    table = options.raw / f"{SCREENING}.csv"
    if wrong := errors_of(find_problems(options.raw, dictionary, {SCREENING: found.file})):
        say_errors(wrong)
        raise RequestError("Nothing was added; the sheet is unchanged.")
    refuse_open([table])
    write_whole(table, found.file)
    print(found.in_words)
    print("Screen them in the workbook, sheet screening (decision and reason): make workbook")


def show_plan(plan: "ImportPlan") -> None:
    """Print the findings and the differences before anything is written."""
    say_errors(plan.problems)
    for problem in plan.problems:
        if problem.severity == "warning":
            print(problem.line())
    for line in (*plan.difference, *plan.questions):
        print(line)
    sys.stdout.flush()


def told(command: Callable[[argparse.Namespace], int | None], options: argparse.Namespace) -> int:
    """Run a command, tell its errors on the terminal, and return its exit code."""
    try:
        return int(command(options) or 0)
    except SheetError as error:
        say_faults(options, error)
    except RequestError as error:
        print(error.args[0], file=sys.stderr)
    except OSError as error:
        print(not_written(error), file=sys.stderr)
        return 2
    return 1


def listing_of(options: argparse.Namespace) -> Path:
    """Path of the list of findings of the check."""
    return Path(options.results) / "checks" / "problems.csv"


def say_faults(options: argparse.Namespace, error: SheetError) -> None:
    """Report the errors of a sheet: the first ones on the terminal, all in the list."""
    listing = listing_of(options)
    if options.of_sheet:
        list_problems(listing, error.problems)
    say_errors(error.problems)
    end = summary(error.problems, str(listing)) if options.of_sheet else "Nothing was written."
    print(end, file=sys.stderr, flush=True)


def say_errors(problems: Sequence[Problem]) -> None:
    """Print the errors among the findings, in at most `MOST_PRINTED` lines."""
    lines = told_briefly(errors_of(problems), MOST_PRINTED)
    print("".join(f"{line}\n" for line in lines), end="", file=sys.stderr)


def list_problems(listing: Path, problems: Sequence[Problem]) -> None:
    """Write the list of findings."""
    write_text(listing, as_csv([PROBLEM_COLUMNS, *problems_as_rows(problems)]))
