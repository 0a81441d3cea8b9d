"""Importing a workbook: the plan, what it would change, and carrying it out whole or not at all."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trial_evidence.sheet import find_problems
from trial_evidence.sheet.cells import RawTable, Row, read_cells
from trial_evidence.sheet.check import read_folder
from trial_evidence.sheet.dictionary import Dictionary, Table
from trial_evidence.words.problems import Problem, counted, errors_of, has_errors, new_among

from .difference import TableDifference, in_words, table_difference
from .layout import as_csv, one_kind_of_line_break, row_mark
from .opened import refuse_open
from .read import Imported, read_book

_MOST_LISTED = 5
_NEW_BOOK = "Make a new workbook and edit that one, unless this is what you want."
_SEVERAL = ("columns", "stay as they are")


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do.

    Attributes
    ----------
    problems : tuple of Problem
        Any error forbids the import. Warnings are those about the workbook, and those that the
        sheet does not have yet.
    difference : tuple of str
        In words, as `in_words` gives it, and which tables and columns stay as they are because the
        workbook or folder does not have them; empty where nothing differs.
    questions : tuple of str
        What somebody has to confirm: many rows would go, or something that was done to the sheet
        after the workbook was made would be undone.
    files : mapping of str to bytes
        File name to new content, of the files that change; empty where anything is an error.
    """

    problems: tuple[Problem, ...]
    difference: tuple[str, ...]
    questions: tuple[str, ...]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    Attributes
    ----------
    written : tuple of str
        Names of the files that were changed; empty when nothing was written.
    """

    plan: ImportPlan
    written: tuple[str, ...]


def plan_import(book: Path, raw: Path, dictionary: Dictionary) -> ImportPlan:
    """Read a workbook and say what importing it would change. Writes nothing.

    Parameters
    ----------
    book : Path
        An ``.xlsx`` file or a folder of CSV files.
    raw : Path
        Folder of the sheet.
    """
    imported = read_book(book, dictionary)
    before, found = read_folder(raw, dictionary)
    problems = errors_of(found)
    columns = {name: raw_table.columns for name, raw_table in imported.tables.items()}
    wanted = {name: frozenset(table.columns) for name, table in dictionary.tables.items()}
    if problems or columns != wanted:
        return _refused([*imported.problems, *problems])
    imported, lines = _with_absent_tables(imported, before)
    imported, more = _with_absent_columns(imported, before)
    lines += more
    found = _errors_of_the_check(imported, dictionary)
    if has_errors(imported.problems) or found:
        return _refused([*imported.problems, *found])
    differences = {
        name: _as_it_stood(table_difference(before[name], imported.tables[name]), imported)
        for name in dictionary.tables
    }
    files = {
        table.file: _new_content(_content(raw / table.file, table), differences[name])
        for name, table in dictionary.tables.items()
        if differences[name]
    }
    lines += [line for difference in differences.values() for line in in_words(difference)]
    warnings = imported.problems
    if files:
        after = checked_copy(raw, files, dictionary)
        if has_errors(after):
            # What the sheet has already, such as a blank that an import does not tidy away.
            found = _in_the_book(errors_of(after), files, differences, imported)
            return _refused([*warnings, *found])
        warnings += new_among(after, find_problems(raw, dictionary))
    questions = tuple(_questions(differences, imported))
    return ImportPlan(warnings, tuple(lines), questions, files)


def import_book(
    book: Path,
    raw: Path,
    dictionary: Dictionary,
    *,
    show: Callable[[ImportPlan], None],
    confirmed: bool = False,
) -> ImportResult:
    """Import a workbook into the sheet: all tables, or none.

    Parameters
    ----------
    book, raw, dictionary
        As for `plan_import`.
    show : callable
        Gets the plan before anything is written.
    confirmed : bool
        Somebody has answered the plan's questions with yes.

    Returns
    -------
    ImportResult
        Nothing is written where the plan has errors, or questions and no confirmation.

    Raises
    ------
    RequestError
        When a spreadsheet program has a table open that would be written.
    OSError
        When the folder cannot be written; the sheet is then as it was.
    """
    restore(raw)
    plan = plan_import(book, raw, dictionary)
    show(plan)
    if has_errors(plan.problems) or not plan.files or (plan.questions and not confirmed):
        return ImportResult(plan, ())
    refuse_open(raw / name for name in plan.files)
    replace_files(raw, plan.files)
    return ImportResult(plan, tuple(plan.files))


def replace_files(raw: Path, files: Mapping[str, bytes]) -> None:
    """Replace files of a folder, all of them or none.

    A complete new folder is made beside the old one; then the old one is renamed, and the new one
    takes its name. If the process dies between these two renames there is no folder of that name,
    which no stage takes for a sheet; `restore` brings the old one back.

    Parameters
    ----------
    files : mapping of str to bytes
        File name to content.

    Raises
    ------
    OSError
        When the folders cannot be written or renamed (the sheet is then as it was), or when the
        old folder of an interrupted import still stands beside the sheet.
    """
    folder = raw.resolve()
    new, old = _beside(folder)
    if old.exists():
        raise FileExistsError(
            f"{old} is left from an interrupted import. Compare it with {folder}, then delete it."
        )
    shutil.rmtree(new, ignore_errors=True)
    try:
        _copy_with(folder, new, files)
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise
        # Renamed first: what is half deleted must not look like a sheet to bring back.
        old.rename(new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def checked_copy(
    raw: Path, files: Mapping[str, bytes], dictionary: Dictionary
) -> tuple[Problem, ...]:
    """The findings about a sheet as it would be with new content of some files."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / raw.name
        _copy_with(raw, copy, files)
        return find_problems(copy, dictionary)


def _copy_with(folder: Path, copy: Path, files: Mapping[str, bytes]) -> None:
    """Copy a folder, some of its files with new content."""
    shutil.copytree(folder, copy, symlinks=True)
    for name, content in files.items():
        (copy / name).write_bytes(content)


def restore(raw: Path) -> bool:
    """Bring a folder back that an interrupted `replace_files` has left renamed.

    Returns
    -------
    bool
        Whether there was anything to bring back.
    """
    folder = raw.resolve()
    _, old = _beside(folder)
    if folder.exists() or not old.is_dir():
        return False
    old.rename(folder)
    return True


def _beside(folder: Path) -> tuple[Path, Path]:
    new, old = f".{folder.name}.importing", f".{folder.name}.before-import"
    return folder.with_name(new), folder.with_name(old)


def _refused(problems: Iterable[Problem]) -> ImportPlan:
    found = tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.severity))
    return ImportPlan(found, (), (), {})


def _with_absent_tables(
    imported: Imported, before: Mapping[str, RawTable]
) -> tuple[Imported, list[str]]:
    """Fill the tables that a folder has no file of as the sheet has them, and say which."""
    kept = {
        name: before[name]
        for name, raw in imported.tables.items()
        if raw.has_no_file and before[name].rows
    }
    typed = {(name, row.number): row.cells for name, raw in kept.items() for row in raw.rows}
    said = [
        f"{name}: there is no {raw.table.file} in {imported.source}; the table stays as it is in "
        f"the sheet ({counted(len(raw.rows), 'row')})."
        for name, raw in kept.items()
    ]
    with_them = replace(
        imported,
        tables={**imported.tables, **kept},
        as_typed={**imported.as_typed, **typed},
        kept=frozenset(kept),
    )
    return with_them, said


def _with_absent_columns(
    imported: Imported, before: Mapping[str, RawTable]
) -> tuple[Imported, list[str]]:
    """Fill the columns that the workbook leaves out as the sheet has them, and say which."""
    tables, said = dict(imported.tables), []
    for name, raw in imported.tables.items():
        sheet = before[name]
        held = [
            column
            for column in raw.table.columns
            if column in raw.absent and any(row.cells[column] for row in sheet.rows)
        ]
        if not held:
            continue
        empty = dict.fromkeys(held, "")
        alike = replace(sheet, rows=tuple(Row(r.number, {**r.cells, **empty}) for r in sheet.rows))
        by_number = {row.number: row.cells for row in sheet.rows}
        kept = {
            new.number: {column: by_number[old.number][column] for column in held}
            for old, new in table_difference(alike, raw).pairs
        }
        rows = (Row(row.number, {**row.cells, **kept.get(row.number, {})}) for row in raw.rows)
        tables[name] = replace(raw, rows=tuple(rows))
        columns, stays = ("column", "stays as it is") if len(held) == 1 else _SEVERAL
        said.append(f"{name}: without the {columns} {', '.join(held)}, which {stays} in the sheet.")
    return replace(imported, tables=tables), said


def _errors_of_the_check(imported: Imported, dictionary: Dictionary) -> list[Problem]:
    """Check what was read as it stands in the workbook, so that rows keep their numbers."""
    said = {(p.file, p.row, p.column) for p in errors_of(imported.problems)}
    with tempfile.TemporaryDirectory() as folder:
        for raw in imported.tables.values():
            records = [list(raw.table.columns)]
            for row in raw.rows:
                records += [[]] * (row.number - 1 - len(records))
                records.append([row.cells.get(name, "") for name in records[0]])
            (Path(folder) / raw.table.file).write_bytes(as_csv(records).encode())
        found = errors_of(find_problems(Path(folder), dictionary))
    located = map(imported.located, found)
    return [p for p in located if (p.file, p.row, p.column) not in said]


def _in_the_book(
    problems: Sequence[Problem],
    files: Mapping[str, bytes],
    differences: Mapping[str, TableDifference],
    imported: Imported,
) -> list[Problem]:
    """Findings about the sheet as it would be, located in the workbook where it has the row."""
    numbers: dict[tuple[str, int], int] = {}
    for name, difference in differences.items():
        table, pairs = difference.table, difference.pairs
        written = read_cells(table, files[table.file])[0] if table.file in files else None
        if written is not None:
            pairs = table_difference(written, imported.tables[name]).pairs
        numbers |= {(table.file, old.number): new.number for old, new in pairs}
    rows = [numbers.get((problem.file, problem.row or 0)) for problem in problems]
    return [
        problem if row is None else imported.located(replace(problem, row=row))
        for problem, row in zip(problems, rows, strict=True)
    ]


def _as_it_stood(difference: TableDifference, imported: Imported) -> TableDifference:
    """Take back the tidying of cells that came back as the sheet has them."""
    pairs = []
    for old, new in difference.pairs:
        typed = imported.as_typed[difference.table.name, new.number]
        as_before = {
            column: text
            for column, text in old.cells.items()
            if one_kind_of_line_break(text) == one_kind_of_line_break(typed.get(column, ""))
        }
        pairs.append((old, Row(new.number, {**new.cells, **as_before})))
    return replace(difference, pairs=tuple(pairs))


def _questions(differences: Mapping[str, TableDifference], imported: Imported) -> Iterator[str]:
    for name, difference in differences.items():
        if difference.loses_many:
            gone = len(difference.removed)
            yield f"{gone} of the {difference.rows_before} rows of {name} would be removed."
        table, known = difference.table, imported.made_from
        touched = [old for old, _ in difference.changed] + list(difference.removed)
        newer = [row.number for row in touched if row_mark(table, row.cells) not in (known or ())]
        if known is not None and newer:
            yield (
                f"{table.file}, {_listed(newer)}: written to the sheet after the workbook was "
                f"made, and the workbook would undo it. {_NEW_BOOK}"
            )
        held = {row_mark(table, old.cells) for old, _ in difference.pairs}
        back = [
            row.number
            for row in difference.added
            if {row_mark(table, c) for c in (row.cells, imported.as_typed[name, row.number])}
            & ((known or frozenset()) - held)
        ]
        if back:
            them = "it" if len(back) == 1 else "them"
            yield (
                f"{imported.source}, sheet {name}, {_listed(back)}: removed from the sheet after "
                f"the workbook was made, which would bring {them} back. {_NEW_BOOK}"
            )


def _listed(rows: Sequence[int]) -> str:
    """``row 4``, ``rows 4, 5, 6, 7, 8 and 2 more``."""
    numbers = ", ".join(map(str, rows[:_MOST_LISTED]))
    more = f" and {len(rows) - _MOST_LISTED} more" if len(rows) > _MOST_LISTED else ""
    return f"row {numbers}" if len(rows) == 1 else f"rows {numbers}{more}"


def _content(path: Path, table: Table) -> bytes:
    """What a file holds; of a table that the sheet does not have yet, the names of its columns."""
    return path.read_bytes() if path.exists() else as_csv([list(table.columns)]).encode()


def _new_content(content: bytes, difference: TableDifference) -> bytes:
    """Return a file with the changed rows changed, and every other byte as it stood."""
    mark = b"\xef\xbb\xbf"
    records = list(_records(content.decode("utf-8-sig")))
    line_break = "\r\n" if records[0].endswith("\r\n") else "\n"
    (header,) = csv.reader(records[:1])
    # The optional columns at the end that the file lacks and a row now fills.
    rows = [*difference.added, *(new for _, new in difference.pairs)]
    more = [
        name
        for name in difference.table.columns
        if name not in header and any(row.cells.get(name) for row in rows)
    ]
    header += more
    records = [_longer(line, [""] * len(more) if n else more) for n, line in enumerate(records)]

    def written(row: Row) -> str:
        return as_csv([[row.cells.get(name, "") for name in header]], line_break)

    # By the row of the old file, and behind it the rows of the workbook that are new.
    lines = {(number, 0): line for number, line in enumerate(records, start=1)}
    for row in difference.removed:
        del lines[row.number, 0]
    for old, new in difference.changed:
        lines[old.number, 0] = written(new)
    old_numbers = {new.number: old.number for old, new in difference.pairs}
    added = {row.number: row for row in difference.added}
    last = 1
    for number in sorted([*old_numbers, *added]):
        if number in added:
            lines[last, number] = written(added[number])
        else:
            last = old_numbers[number]
    *before, end = (line for _, line in sorted(lines.items()))
    # Only the last line of a file may lack its end, and it may no longer be the last.
    ended = [line if line.endswith(("\n", "\r")) else line + line_break for line in before]
    result = "".join([*ended, end]).encode()
    return mark + result if content.startswith(mark) else result


def _longer(line: str, cells: Iterable[str]) -> str:
    """The line of a record with more cells at its end."""
    text = line.rstrip("\r\n")
    return "".join([text, *(f",{cell}" for cell in cells), line[len(text) :]])


def _records(text: str) -> Iterator[str]:
    """Yield each record of a CSV file as it is written."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    start = 0
    for _ in reader:
        yield "".join(lines[start : reader.line_num])
        start = reader.line_num
