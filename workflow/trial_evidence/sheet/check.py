"""Checks of a sheet against the dictionary: cells, keys, references, then rules across cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan
from pathlib import Path
from types import MappingProxyType

from trial_evidence.words.problems import (
    Problem,
    Severity,
    about,
    did_you_mean,
    nearest,
    quoted,
)

from .arithmetic import arithmetic_problems
from .cells import RawTable, read_cells
from .checked import CheckedRow, CheckedTable
from .dictionary import Dictionary
from .rules import rule_problems
from .values import EMPTY, read_cell

# More empty cells of a row than this are reported in one line.
_FEW_EMPTY = 3


def read_folder(
    raw: Path, dictionary: Dictionary, new: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[dict[str, RawTable], list[Problem]]:
    """Read the tables of the sheet in a folder as text, with the problems in files and rows.

    Parameters
    ----------
    new : mapping of str to bytes
        Table name to content, read in place of that of the file.
    """
    contents, about_files = _read_files(raw, dictionary)
    tables, problems = read_tables({**contents, **new}, dictionary)
    return tables, [*about_files, *problems]


def _read_files(raw: Path, dictionary: Dictionary) -> tuple[dict[str, bytes | None], list[Problem]]:
    """Read the files of a sheet.

    Parameters
    ----------
    raw : Path
        Folder of the sheet.

    Returns
    -------
    dict of str to bytes or None
        Table name to file content; None if the file cannot be opened, left out if it is missing.
    list of Problem
        Files that cannot be opened, and files that belong to no table.
    """
    contents: dict[str, bytes | None] = {}
    problems = []
    for name, table in dictionary.tables.items():
        path = raw / table.file
        try:
            contents[name] = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = error.strerror or "unknown reason"
            problems.append(about(table.file, f"the file cannot be read: {reason}."))
            contents[name] = None
    known = {table.file for table in dictionary.tables.values()}
    missing = known - {f"{name}.csv" for name in contents}
    for path in sorted(raw.iterdir()) if raw.is_dir() else ():
        if path.name in known or path.name.startswith((".", "~")) or path.name == "README.md":
            continue
        message = "no table of the sheet has this name: the file was not read."
        meant = did_you_mean(path.name, missing)
        # Where only errors are shown, the missing file must not be told without this one.
        severity: Severity = "error" if meant else "warning"
        problems.append(about(path.name, message + meant, severity=severity))
    return contents, problems


def read_tables(
    contents: Mapping[str, bytes | None], dictionary: Dictionary
) -> tuple[dict[str, RawTable], list[Problem]]:
    """Read the tables of a sheet as text, with the problems in whole files and rows.

    Parameters
    ----------
    contents : mapping of str to bytes
        Table name to file content; an omitted table is reported as missing, None means that the
        problem has already been reported.
    """
    problems: list[Problem] = []
    tables = {}
    for name, table in dictionary.tables.items():
        # A file that cannot be opened has already been reported.
        if contents.get(name, b"") is None:
            continue
        cells, found = read_cells(table, contents.get(name))
        problems += found
        if cells is not None:
            tables[name] = cells
    return tables, problems


def check_sheet(
    raw_tables: Mapping[str, RawTable], problems: Iterable[Problem], dictionary: Dictionary
) -> tuple[dict[str, CheckedTable], tuple[Problem, ...]]:
    """Check a whole sheet.

    Parameters
    ----------
    raw_tables, problems
        As returned by :func:`read_folder` or :func:`read_tables`.

    Returns
    -------
    dict of str to CheckedTable
        Every table that could be read; complete if no problem is an error.
    tuple of Problem
        Errors first, then warnings, each in sheet order.
    """
    tables, problems = {}, [*problems]
    for name, cells in raw_tables.items():
        tables[name], found = _checked(cells)
        problems += found
    for checked in tables.values():
        problems += [*_repeated_keys(checked), *_references(checked, tables)]
    rows = {name: checked.rows for name, checked in tables.items()}
    problems += [*rule_problems(rows, dictionary), *arithmetic_problems(rows, dictionary)]
    return tables, in_order(problems, dictionary)


def in_order(problems: Iterable[Problem], dictionary: Dictionary) -> tuple[Problem, ...]:
    """Return the findings: errors first, then warnings, each by file, row and column."""
    files = {table.file: n for n, table in enumerate(dictionary.tables.values())}
    columns = {
        (table.file, column): n
        for table in dictionary.tables.values()
        for n, column in enumerate(table.columns)
    }

    def place(problem: Problem) -> tuple[bool, int, int, int]:
        return (
            problem.severity == "warning",
            files.get(problem.file, len(files)),
            problem.row or 0,
            columns.get((problem.file, problem.column), -1),
        )

    return tuple(sorted(dict.fromkeys(problems), key=place))


def _checked(raw: RawTable) -> tuple[CheckedTable, list[Problem]]:
    table, problems = raw.table, []
    doubtful = set(raw.unread)
    subjects = [row.cells.get(table.subject_column or "", "").strip() for row in raw.rows]
    texts: dict[str, list[str]] = {}
    numbers: dict[str, list[float]] = {}
    unsound: dict[int, list[str]] = defaultdict(list)
    for name in raw.columns:
        cells = [row.cells[name] for row in raw.rows]
        # Most cells of a column are identical, so read each distinct text once.
        read = {cell: read_cell(table.columns[name], cell) for cell in set(cells)}
        texts[name] = [read[cell].text for cell in cells]
        if not all(isnan(reading.number) for reading in read.values()):
            numbers[name] = [read[cell].number for cell in cells]
        if not any(reading.error or reading.warning for reading in read.values()):
            continue
        for row, subject, cell in zip(raw.rows, subjects, cells, strict=True):
            problems += [
                Problem(severity, table.file, row.number, subject, name, cell, message)
                for severity, message in read[cell].findings
            ]
            if read[cell].error:
                unsound[row.number].append(name)
                doubtful.add(cell.strip())
    problems = [*_many_empty(problems, list(table.columns))]
    rows = []
    columns = zip(raw.rows, subjects, *texts.values(), strict=True)
    for at, (row, subject, *cells) in enumerate(columns):
        own = dict(zip(texts, cells, strict=True))
        for name in unsound.get(row.number, ()):
            del own[name]
        filled = {n: column[at] for n, column in numbers.items() if not isnan(column[at])}
        rows.append(CheckedRow(table.file, row.number, subject, own, filled))
    return CheckedTable(table, tuple(rows), frozenset(doubtful), raw.columns), problems


def _many_empty(problems: Sequence[Problem], order: Sequence[str]) -> Iterator[Problem]:
    """Report the empty cells of a row together if they are many: the row was hardly begun."""
    empty: dict[int | None, list[str]] = defaultdict(list)
    for problem in problems:
        if problem.message == EMPTY:
            empty[problem.row].append(problem.column)
    for problem in problems:
        columns = sorted(empty[problem.row], key=order.index)
        if problem.message != EMPTY or len(columns) <= _FEW_EMPTY:
            yield problem
        elif problem.column == columns[0]:
            message = (
                f"{len(columns)} cells are empty, but a value is required in each: "
                f"{', '.join(columns)}. Fill them in, or delete the row."
            )
            yield replace(problem, column="", message=message)


def _repeated_keys(checked: CheckedTable) -> Iterator[Problem]:
    for names in checked.table.keys:
        first: dict[tuple[str, ...], int] = {}
        for row in checked.rows:
            if any(name not in row.texts for name in names) or not any(map(row.text, names)):
                continue
            key = tuple(map(row.text, names))
            if first.setdefault(key, row.number) == row.number:
                continue
            column, which = (names[0], "") if len(names) == 1 else ("", f" ({', '.join(names)})")
            message = f"{quoted(', '.join(filter(None, key)))} is already in row {first[key]}"
            yield row.problem("error", column, f"{message}{which}.")


def _references(checked: CheckedTable, tables: Mapping[str, CheckedTable]) -> Iterator[Problem]:
    for column in checked.table.columns.values():
        table, key = column.references or ("", "")
        # A table that could not be read, or has lost all its rows, has been reported already.
        if table not in tables or key not in tables[table].columns:
            continue
        target = tables[table]
        if target.table.rows_required and not target.rows:
            continue
        known = {row.text(key) for row in target.rows} - {""}
        for row in checked.rows:
            text = row.text(column.name)
            for part in text.split("+") if column.type == "agents" else [text]:
                # The id may be in a cell or row that has already been reported.
                if part and part not in known and nearest(part, target.doubtful) is None:
                    message = f"{quoted(part)} is not in {target.table.file}, column {key}."
                    # An arm of another trial is never meant.
                    trial = row.text("trial_id") if key == "arm_id" else ""
                    meant = (r for r in target.rows if not trial or r.text("trial_id") == trial)
                    likely = did_you_mean(part, (r.text(key) for r in meant))
                    yield row.problem("error", column.name, message + likely)
