"""Exports of PubMed or a reference manager, matched with sources.csv by PubMed number and DOI.

Empty cells are filled in. If file and sheet differ, both values are shown, and the sheet's value is
replaced only on request. Case, punctuation and accents are ignored.
"""

import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trial_evidence.exchange.answers import put_cells
from trial_evidence.exchange.taken import Taken
from trial_evidence.sheet.cells import Row
from trial_evidence.sheet.check import read_folder
from trial_evidence.sheet.dictionary import Dictionary, Table
from trial_evidence.sheet.values import read_cell
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import Problem, counted, quoted, refuse
from trial_evidence.workbook.records import (
    NO_TITLE,
    at_line,
    authors_of,
    located_records,
    record_cells,
    record_faults,
    record_name,
    split_name,
)

SOURCES = "sources"
# Number of authors named before "et al.", as in the sheet.
_AUTHORS = 6
_OTHERS = "et al."
_PAGES = re.compile(r"([0-9]+)-([0-9]+)")
# Words omitted in abbreviated names of journals.
_SMALL_WORDS = frozenset({"the", "of", "and", "for", "in", "on"})
# Placeholders for unknown pages; "+" is a last page in Web of Science.
_NO_PAGES = frozenset({"+", "N.PAG", "unpaginated"})
# Not an issue: in this field Ovid gives the journal's number, Covidence the authors' addresses.
_NO_ISSUE = re.compile(r"[0-9]{7}|^\(|.{31}")
_PMCID = re.compile(r"PMC[0-9]+")


@dataclass(frozen=True)
class Cell:
    """A cell of sources.csv for which the file has a value.

    Attributes
    ----------
    row : int
        Row number as in a spreadsheet.
    held, found : str
        The values in the sheet (empty if to be filled in) and in the file.
    place : str
        File and line where the record begins.
    """

    row: int
    source: str
    column: str
    held: str
    found: str
    place: str

    @property
    def in_words(self) -> str:
        """The difference, with its place."""
        place = f"sources.csv, row {self.row} ({self.source}), column {self.column}"
        # Not shortened: long titles often differ in their last words.
        return f'{place}: the sheet has "{self.held}", the file "{self.found}".'


@dataclass(frozen=True)
class References:
    """The comparison of a file of references with the sources.

    Attributes
    ----------
    filled, differ : list of Cell
        Cells that are empty in the sheet, and cells with another value.
    said : list of str
        Messages on records that are missing in the sheet or duplicated in the file.
    matched : int
        Number of sources with a record in the file.
    """

    filled: list[Cell] = field(default_factory=list)
    differ: list[Cell] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    matched: int = 0

    @property
    def in_words(self) -> list[str]:
        """Messages on missing records, differences, and the number of cells to fill in."""
        cells = counted(len(self.filled), "empty cell")
        return [
            *self.said,
            *(cell.in_words for cell in self.differ),
            f"{counted(self.matched, 'source')} of the sheet found: {cells} to fill in, "
            f"{len(self.differ) or 'none'} that differ{'s' if len(self.differ) == 1 else ''}.",
        ]


@dataclass(frozen=True)
class _Record:
    """A record of the file: its first line, its values as cells, its raw tags."""

    line: int
    cells: Mapping[str, str]
    tags: Mapping[str, Any]

    @property
    def name(self) -> str:
        return record_name(self.cells)


def read_references(file: Path, raw: Path, dictionary: Dictionary) -> References:
    """Compare the references in a file with the sources of a sheet without errors.

    Parameters
    ----------
    file : Path
        PubMed's own format (.nbib, .txt) or RIS.

    Raises
    ------
    RequestError
        If the file is not such an export.
    SheetError
        With every problem in it: unfinished records, invalid ids and years, records that match
        several sources, different records of the same source.
    """
    table = dictionary.tables[SOURCES]
    rows = read_folder(raw, dictionary)[0][SOURCES].rows
    records = [_Record(n, _as_cells(tags), tags) for n, tags in located_records(file)]
    problems: list[Problem] = []
    found = References()
    taken: dict[int, _Record] = {}
    for one in records:
        fit = _fitting(one, rows)
        problems += _faults(one, file, table, of_sheet=bool(fit))
        if len(fit) > 1:
            places = ", ".join(f"row {r.number} ({r.cells['source_id']})" for r in fit)
            message = f"the record fits several sources: {places}. Correct pmid or doi there."
            problems.append(at_line(file, one.line, f"{one.name}: {message}"))
        elif not fit:
            place, title = f"{file.name}, line {one.line}", quoted(one.cells.get("title", ""))
            found.said.append(f"Not in the sheet: {place}, {one.name}: {title}")
        elif fit[0].number in taken:
            first = taken[fit[0].number]
            if first.cells == one.cells:
                same = f"the same as in line {first.line}."
                found.said.append(f"{file.name}, line {one.line}: {same}")
            else:
                message = f"{one.name}: another record of the same source is in line {first.line}."
                problems.append(at_line(file, one.line, f"{message} Keep one of the two."))
        else:
            taken[fit[0].number] = one
    refuse(problems)
    by_number = {row.number: row for row in rows}
    for number, one in sorted(taken.items()):
        for cell in _cells(by_number[number], one, table, f"{file.name}, line {one.line}"):
            (found.differ if cell.held else found.filled).append(cell)
    return References(found.filled, found.differ, found.said, len(taken))


def write_referenced(found: References, raw: Path, folder: Path, replace: str | None) -> Taken:
    """Write a copy of the sheet in which empty cells of the sources are filled in.

    Parameters
    ----------
    replace : {"yes", "no"}, optional
        Whether to replace values that differ; required if any do.

    Raises
    ------
    RequestError
        If values differ and `replace` is None.
    """
    if found.differ and replace is None:
        raise RequestError(
            "Nothing was written. REPLACE=yes takes the values of the file, REPLACE=no keeps those "
            "of the sheet; empty cells are filled in either way."
        )
    shutil.copytree(raw, folder, dirs_exist_ok=True)
    rows: dict[int, dict[str, str]] = {}
    for cell in [*found.filled, *(found.differ if replace == "yes" else ())]:
        rows.setdefault(cell.row, {})[cell.column] = cell.found
    put_cells(folder / f"{SOURCES}.csv", rows)
    return Taken([], {(SOURCES, cell.row): cell.place for cell in found.filled + found.differ})


def _as_cells(tags: Mapping[str, Any]) -> dict[str, str]:
    """The values of a record as cells of sources.csv, without empty ones."""
    cells = record_cells(tags)
    first, last = str(tags.get("start_page", "")).strip(), str(tags.get("end_page", "")).strip()
    if {first, last} & _NO_PAGES:
        first = last = ""
    issue = str(tags.get("number", "")).strip()
    more = {
        "title": "" if cells["title"] == NO_TITLE else cells["title"].rstrip("."),
        "authors": _authors(authors_of(tags)),
        "volume": str(tags.get("volume", "")).strip(),
        "issue": "" if _NO_ISSUE.search(issue) else issue,
        "pages": _full_pages("-".join(filter(None, (first, last if last != first else "")))),
        "pmcid": pmc[0] if (pmc := _PMCID.search(str(tags.get("custom2", "")))) else "",
    }
    return {name: text for name, text in (cells | more).items() if text}


def _authors(names: Sequence[str]) -> str:
    """``Doe J; Roe RM Jr; et al.``, from names such as ``Doe J`` or ``Doe, Jane``."""
    short = [" ".join(filter(None, split_name(name))) for name in names]
    return "; ".join(short if len(short) <= _AUTHORS else [*short[:_AUTHORS], _OTHERS])


def _full_pages(text: str) -> str:
    """Complete the last page: ``1137-1146`` for ``1137-46``; ``791-800`` stays."""
    plain = re.sub(r"[-\u2010-\u2015]+", "-", text).replace(" ", "")
    if (match := _PAGES.fullmatch(plain)) is None:
        return plain
    first, last = match.groups()
    return f"{first}-{first[: max(0, len(first) - len(last))]}{last}"


def _faults(record: _Record, file: Path, table: Table, *, of_sheet: bool) -> Iterator[Problem]:
    """Invalid values of a record that is, or may be, a source of the sheet."""
    if of_sheet or not {"pmid", "doi"} & record.cells.keys():
        yield from record_faults(file, record.line, record.tags)
    for column, text in record.cells.items() if of_sheet else ():
        if column in table.columns and (wrong := read_cell(table.columns[column], text).error):
            yield at_line(file, record.line, f"{record.name}: {column}: {wrong}")


def _fitting(record: _Record, rows: Sequence[Row]) -> list[Row]:
    """The sources with the record's PubMed number or DOI."""
    ids = {name: record.cells.get(name, "").lower() for name in ("pmid", "doi")}
    return [
        row
        for row in rows
        if any(text and row.cells.get(name, "").lower() == text for name, text in ids.items())
    ]


def _cells(row: Row, record: _Record, table: Table, place: str) -> Iterator[Cell]:
    for column in table.columns:
        found, held = record.cells.get(column, ""), row.cells.get(column, "")
        alike: Callable[[str, str], bool] = _ALIKE.get(column, _same_words)
        if found and not (held and alike(held, found)):
            yield Cell(row.number, row.cells["source_id"], column, held, found, place)


def _same_words(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    """Only letters and digits, in lower case and without accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold())))


def _same_authors(one: str, other: str) -> bool:
    """Whether two lists may name the same authors; either may end early with ``et al.``."""
    lists = [[part.strip() for part in text.rstrip(" ;").split(";")] for text in (one, other)]
    open_ = [authors[-1].lower() == _OTHERS for authors in lists]
    first, second = (
        [_family_and_initial(name) for name in (authors[:-1] if ends else authors)]
        for authors, ends in zip(lists, open_, strict=True)
    )
    shared = min(len(first), len(second))
    short_enough = (len(first) == shared or open_[1]) and (len(second) == shared or open_[0])
    return first[:shared] == second[:shared] and short_enough


def _family_and_initial(name: str) -> str:
    # "Geyer CE Jr" and "Geyer CE" are the same author.
    match = re.fullmatch(r"(.*?) ([A-Z]+)( (?:Jr|Sr|[0-9a-z]+))?", name)
    return _plain(f"{match[1]} {match[2][0]}") if match else _plain(name)


def _same_pages(one: str, other: str) -> bool:
    return _full_pages(one).lower() == _full_pages(other).lower()


def _same_journal(one: str, other: str) -> bool:
    """Whether one name may abbreviate the other: J Clin Oncol, Journal of Clinical Oncology."""
    names = _words_of_a_journal(one), _words_of_a_journal(other)
    short, long = sorted(names, key=lambda words: len("".join(words)))
    return len(short) == len(long) and all(map(_may_be_short_for, short, long))


def _words_of_a_journal(name: str) -> list[str]:
    """The words of a journal's title, without a subtitle, place or congress after it."""
    words = re.split(r"[:(=]", name)[0].replace("-", " ").split()
    return [text for word in words if (text := _plain(word)) and text not in _SMALL_WORDS]


def _may_be_short_for(short: str, long: str) -> bool:
    """Whether a word has the other's first letter and omits some later ones, but not only one."""
    letters = iter(long)
    cut = len(long) - len(short) != 1
    return cut and short[0] == long[0] and all(letter in letters for letter in short)


_ALIKE = {"authors": _same_authors, "pages": _same_pages, "journal": _same_journal}
