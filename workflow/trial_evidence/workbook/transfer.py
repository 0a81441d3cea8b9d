"""Importing a workbook: planning the changes, and applying all of them or none."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trial_evidence.sheet.cells import RawTable, Row
from trial_evidence.sheet.check import check_sheet, read_folder
from trial_evidence.sheet.dictionary import Dictionary, Table
from trial_evidence.words.problems import Problem, counted, errors_of, has_errors, new_among

from .difference import TableDifference, in_words, table_difference
from .layout import as_csv, one_kind_of_line_break, row_mark
from .opened import refuse_open
from .read import Imported, read_book

_MOST_LISTED = 5
_NEW_BOOK = "Make a new workbook and edit that one, unless this is what you want."
# More numbers than this that only lost zeros at the end are no correction of single cells.
_FEW_ZEROS = 3
_SEVERAL = ("columns", "stay as they are")


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do.

    Attributes
    ----------
    problems : tuple of Problem
        Any error prevents the import. Warnings are those about the workbook, and those that the
        import would add to the sheet's.
    difference : tuple of str
        The changes in words (see `in_words`), and the tables and columns that stay as they are
        because the workbook or folder lacks them; empty if nothing differs.
    questions : tuple of str
        What the user must confirm: that many rows would be removed, that numbers would lose printed
        decimals, or that edits made to the sheet after the workbook was written would be undone.
    files : mapping of str to bytes
        File name to new content, for the files that change; empty if there is any error.
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
        Names of the files that were changed; empty if nothing was written.
    """

    plan: ImportPlan
    written: tuple[str, ...]


def plan_import(book: Path, raw: Path, dictionary: Dictionary) -> ImportPlan:
    """Read a workbook and plan its import. Writes nothing.

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
    differences = {
        name: _as_it_stood(table_difference(before[name], imported.tables[name]), imported)
        for name in dictionary.tables
    }
    checked = _check_of(differences, before, dictionary)
    if has_errors(imported.problems) or has_errors(checked):
        said = {(p.file, p.row, p.column) for p in errors_of(imported.problems)}
        located = map(imported.located, errors_of(checked))
        unsaid = [p for p in located if (p.file, p.row, p.column) not in said]
        return _refused([*imported.problems, *unsaid])
    files = {
        table.file: _new_content(_content(raw / table.file, table), differences[name])
        for name, table in dictionary.tables.items()
        if differences[name]
    }
    if imported.made_from is None and any(d.changed or d.removed for d in differences.values()):
        lines.append(
            f"{imported.source} does not say from which state of the sheet it was made, so edits "
            "made to the sheet since then would be undone unasked. Look at every row that follows."
        )
    lines += [line for difference in differences.values() for line in in_words(difference)]
    warnings = imported.problems
    if files:
        known = check_sheet(before, found, dictionary)[1]
        warnings += tuple(map(imported.located, new_among(checked, known)))
    return ImportPlan(warnings, tuple(lines), tuple(_questions(differences, imported)), files)


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
        Called with the plan before anything is written.
    confirmed : bool
        Whether the user has answered the plan's questions with yes.

    Returns
    -------
    ImportResult
        Nothing is written if the plan has errors, or has questions that are not confirmed.

    Raises
    ------
    RequestError
        When a spreadsheet program has a table open that would be written.
    OSError
        If the folder cannot be written; the sheet is then unchanged.
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

    A complete new folder is written next to the old one; then the old one is renamed, and the new
    one takes its name. If the process is killed between the two renames, there is no folder of that
    name, so no stage can mistake one for the sheet; `restore` brings the old one back.

    Parameters
    ----------
    files : mapping of str to bytes
        File name to content.

    Raises
    ------
    OSError
        If the folders cannot be written or renamed (the sheet is then unchanged), or if the old
        folder of an interrupted import still exists next to the sheet.
    """
    folder = raw.resolve()
    new, old = _beside(folder)
    if old.exists():
        raise FileExistsError(
            f"{old} is left from an interrupted import. Compare it with {folder}, then delete it."
        )
    shutil.rmtree(new, ignore_errors=True)
    try:
        shutil.copytree(folder, new, symlinks=True)
        for name, content in files.items():
            (new / name).write_bytes(content)
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise
        # Rename before deleting: `restore` must not bring back a half-deleted folder.
        old.rename(new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def restore(raw: Path) -> bool:
    """Restore a folder that an interrupted `replace_files` left renamed.

    Returns
    -------
    bool
        Whether there was anything to restore.
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
    """Fill tables whose file is missing from the folder from the sheet; also return which ones."""
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
    """Fill columns missing from the workbook from the sheet; also return which ones."""
    tables, said = dict(imported.tables), []
    for name, raw in imported.tables.items():
        sheet = before[name]
        absent = [column for column in raw.table.columns if column in raw.absent]
        held = [column for column in absent if any(row.cells[column] for row in sheet.rows)]
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


def _check_of(
    differences: Mapping[str, TableDifference],
    before: Mapping[str, RawTable],
    dictionary: Dictionary,
) -> tuple[Problem, ...]:
    """Check the sheet as it would be after the import; a sheet that stays as it is has passed.

    Rows have the workbook's numbers, so that messages point there.
    """
    if not any(differences.values()):
        return ()
    after = {name: replace(before[name], rows=one.after) for name, one in differences.items()}
    return check_sheet(after, (), dictionary)[1]


def _as_it_stood(difference: TableDifference, imported: Imported) -> TableDifference:
    """Undo the tidying of cells that were unchanged from the sheet before it."""
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
            gone, before = len(difference.removed), difference.rows_before
            yield f"{gone} of the {before} rows of {name} would be removed."
        if len(lost := _without_zeros(difference)) > _FEW_ZEROS:
            yield (
                f"{len(lost)} numbers of {name} would lose zeros at the end that their sources "
                f"print ({lost[0]}), as when a spreadsheet program opens a CSV file or a format is "
                "cleared. Repeat your edit in a new workbook (make workbook), unless this is what "
                "you want."
            )
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


def _without_zeros(difference: TableDifference) -> list[str]:
    """The numbers that differ only in zeros at the end: ``row 2, hr: 0.70 is now 0.7``."""
    return [
        f"row {new.number}, {name}: {before} is now {after}"
        for old, new in difference.changed
        for name, column in difference.table.columns.items()
        if column.is_number
        and "." in (before := old.cells.get(name, ""))
        and before != (after := new.cells.get(name, ""))
        and after == before.rstrip("0").rstrip(".")
    ]


def _listed(rows: Sequence[int]) -> str:
    """``row 4``, ``rows 4, 5, 6, 7, 8 and 2 more``."""
    numbers = ", ".join(map(str, rows[:_MOST_LISTED]))
    more = f" and {len(rows) - _MOST_LISTED} more" if len(rows) > _MOST_LISTED else ""
    return f"row {numbers}" if len(rows) == 1 else f"rows {numbers}{more}"


def _content(path: Path, table: Table) -> bytes:
    """Content of a file; if the sheet does not have it yet, only a header."""
    return path.read_bytes() if path.exists() else as_csv([list(table.columns)]).encode()


def _new_content(content: bytes, difference: TableDifference) -> bytes:
    """Return a file with the changed rows replaced and every other byte unchanged."""
    mark = b"\xef\xbb\xbf"
    records = list(_records(content.decode("utf-8-sig")))
    line_break = "\r\n" if records[0].endswith("\r\n") else "\n"
    (header,) = csv.reader(records[:1])
    # Optional columns missing from the file that a row now fills; appended at the end.
    more = [
        name
        for name in difference.table.columns
        if name not in header and any(row.cells.get(name) for row in difference.after)
    ]
    header += more
    records = [_longer(line, [""] * len(more) if n else more) for n, line in enumerate(records)]

    def written(row: Row) -> str:
        return as_csv([[row.cells.get(name, "") for name in header]], line_break)

    # Keyed by row of the old file; new rows of the workbook follow the row that they come after.
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
    # The last line of the old file may lack a line break, and may no longer be the last.
    ended = [line if line.endswith(("\n", "\r")) else line + line_break for line in before]
    result = "".join([*ended, end]).encode()
    return mark + result if content.startswith(mark) else result


def _longer(line: str, cells: Iterable[str]) -> str:
    """A record's line with further cells appended."""
    text = line.rstrip("\r\n")
    return "".join([text, *(f",{cell}" for cell in cells), line[len(text) :]])


def _records(text: str) -> Iterator[str]:
    """Yield the original text of each record of a CSV file."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    start = 0
    for _ in reader:
        yield "".join(lines[start : reader.line_num])
        start = reader.line_num
