"""Results of a database search as rows of screening.csv: every record, and which ones are new.

A record whose PubMed number, DOI or title shows that it duplicates another record, or is already a
source in the sheet, is kept and marked, because the flow diagram counts it.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import rispy

from trial_evidence.sheet.check import read_folder
from trial_evidence.sheet.dictionary import Dictionary
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import Problem, SheetError, about, counted, quoted, refuse

from .layout import as_csv
from .package import NOT_IN_A_FILE

SCREENING = "screening"
SEARCHES = "search_log"
DUPLICATE, KNOWN = "duplicate", "known"
NO_TITLE = "(no title)"
Cells = Mapping[str, str]
# The fields of a record by rispy's names.
Tags = Mapping[str, Any]

_PUBMED, _RIS = re.compile(r"PMID- "), re.compile(r"TY  - ")
# Tags of RIS have two letters.
_PUBMED_TAG = re.compile(r"[A-Z]{3,4} ?- ")
_RIS_TAG = re.compile(r"[A-Z][A-Z0-9]  -")
# Of 2019, 2019 Dec and 20191201; none of 20199.
_YEAR = re.compile(r"(?<![0-9])(19|20)[0-9]{2}(?=(?:[0-9]{4})?(?![0-9]))")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
# Doe J Jr; Doe, Jane, Jr.; Doe Jr., Jane. Numerals count as a suffix only after a given name
# (Doe, Jane, III): in Doe II they are the initials I. I.
_SUFFIX = re.compile(r"[ ,]+(Jr|Sr|2nd|3rd|[4-9]th)\.?(?=,|$)")
_NUMERALS = {"II": "2nd", "III": "3rd", "IV": "4th"}
_NUMBER = re.compile(r"[0-9]{1,8}")
_BESIDE_ITS_OWN = {"embase": "custom5", "scopus": "custom2"}
# Web of Science writes MEDLINE:90000001.
_ACCESSION = re.compile(r"(?:(medline|pubmed|pmid)\W+)?([0-9]{1,8})", re.IGNORECASE)
# Other databases and programs write it in a field of their own, a note or a link.
_WRITTEN = re.compile(
    r"(?:pmid|pubmed|https?://(?:www\.)?(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed))"
    r"[: /]+([0-9]{1,8})/?",
    re.IGNORECASE,
)
# Fields for tags TA and JT of PubMed; JO, JF, JA, J2 and T2 of RIS.
_JOURNALS = (
    "journal_name", "alternate_title3", "alternate_title2", "alternate_title1", "secondary_title",
    "journal",
)  # fmt: skip
# Markup of publishers; not "<" and ">" of a text: "age <65 or >75".
_MARKUP = re.compile(
    r"</?(?:i|b|u|em|strong|su[bp]|scp|span|(?:jats|mml):[a-z-]+)\b[^<>]*>", re.IGNORECASE
)
# A longer word in capitals is a name, not initials: PubMed gives at most four initials, and RIS
# three in one word after a comma.
_MOST_INITIALS, _MOST_IN_A_WORD = 4, 3


@dataclass(frozen=True)
class Records:
    """The records of an export, ready to be added to the sheet.

    Attributes
    ----------
    search : str
        The search that found them.
    rows : tuple of mapping
        Their cells, with the columns of screening.csv.
    file : bytes
        New content of screening.csv with these records added.
    """

    search: str
    rows: tuple[Cells, ...]
    file: bytes

    @property
    def in_words(self) -> str:
        """Number of records: duplicates, already known, and to be screened."""
        times = Counter(row["decision"] for row in self.rows)
        return (
            f"{counted(len(self.rows), 'record')} of {self.search}: {times[DUPLICATE]} the same as "
            f"another record, {times[KNOWN]} in the sheet before, {times['']} to screen."
        )


class _MedlineParser(rispy.RisParser):  # type: ignore[misc]
    """PubMed's .nbib format: tags of up to four letters, a blank line after each record."""

    START_TAG = "PMID"
    DEFAULT_MAPPING: ClassVar[dict[str, str]] = {
        "PMID": "pmid", "TI": "title", "AU": "authors", "CN": "groups",
        "TA": "journal_name", "JT": "journal", "DP": "year",
        "AID": "ids", "LID": "ids", "VI": "volume", "IP": "number", "PG": "start_page",
        "PMC": "custom2",
    }  # fmt: skip
    DEFAULT_LIST_TAGS: ClassVar[list[str]] = ["AU", "CN", "AID", "LID"]
    DEFAULT_DELIMITER_MAPPING: ClassVar[dict[str, str]] = {}

    def parse_line(self, line: str) -> tuple[str | None, str]:
        if not line.strip():
            return self.END_TAG, ""
        return (line[:4].strip(), line[6:].strip()) if line[4:6] == "- " else (None, line.strip())


def found_records(file: Path, search: str, raw: Path, dictionary: Dictionary) -> Records:
    """Read a database export and mark the records that are already known.

    Parameters
    ----------
    file : Path
        PubMed's own format (.nbib, .txt) or RIS.
    search : str
        Id of the search in search_log.csv; if empty, the only one there that has a strategy and no
        records yet.
    raw : Path
        Folder of a sheet without errors.

    Raises
    ------
    RequestError
        If the file is not such an export, or it is unclear which search produced it.
    SheetError
        Lists every record without an end, and every invalid id and year.
    """
    tables, _ = read_folder(raw, dictionary)
    searches, screened, sources = (
        [row.cells for row in tables[name].rows] for name in (SEARCHES, SCREENING, "sources")
    )
    found = located_records(file)
    search = _search(search, searches, screened)
    faults = [fault for line, tags in found for fault in record_faults(file, line, tags)]
    faults += _other_papers(file, found, sources)
    refuse(faults)
    rows = tuple(_marked([tags for _, tags in found], search, screened, sources))
    columns = list(dictionary.tables[SCREENING].columns)
    cells = [[row.get(column, "") for column in columns] for row in (*screened, *rows)]
    return Records(search, rows, as_csv([columns, *cells]).encode())


def _search(asked: str, searches: Sequence[Cells], screened: Sequence[Cells]) -> str:
    """Id of the search that produced the records."""
    done = {row["search_id"] for row in screened}
    known = [row["search_id"] for row in searches]
    open_ = [r["search_id"] for r in searches if r["strategy"] and r["search_id"] not in done]
    if asked in done:
        raise RequestError(
            f"{SCREENING}.csv holds records of {asked} already. A search that is run again is a "
            f"search of its own: give it a row in {SEARCHES}.csv."
        )
    if asked and asked not in known:
        raise RequestError(
            f'"{asked}" is not a search_id of {SEARCHES}.csv. Allowed: {", ".join(known)}'
        )
    if asked or len(open_) == 1:
        return asked or open_[0]
    if open_:
        raise RequestError(f"Say which search found them: SEARCH={' or '.join(open_)}")
    if any(row["strategy"] for row in searches):
        raise RequestError(
            f"Every search of {SEARCHES}.csv has its records in {SCREENING}.csv already. A search "
            "that is run again is a search of its own: give it a row."
        )
    raise RequestError(
        f"First add the search to {SEARCHES}.csv: search_id, day, where, and its strategy, the "
        "query as it was run."
    )


def export_text(file: Path) -> str:
    """The text of an export, with line feeds as line ends.

    Raises
    ------
    RequestError
        If the file does not exist or is not text.
    """
    if file == Path():
        raise RequestError("Say which file: FILE=...")
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RequestError(f"There is no file {file}.") from None
    except IsADirectoryError:
        raise RequestError(f"{file} is a folder: name a file, FILE=...") from None
    except UnicodeDecodeError as error:
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        raise RequestError(
            f"{file.name} is not UTF-8 text: line {line} cannot be read. Export the records again "
            "as UTF-8, or open the file in a text editor and save it with the encoding UTF-8."
        ) from None
    except OSError as error:
        raise RequestError(f"{file.name} cannot be read: {error.strerror}.") from None


def located_records(file: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """The records of an export: the line where each begins, and its fields by rispy's names.

    Raises
    ------
    RequestError
        If the file is not such an export.
    SheetError
        Lists every record that does not end or cannot be read.
    """
    text = export_text(file)
    lines = text.split("\n")
    # In PubMed's own format even if no record has its first line.
    pubmed = any(map(_PUBMED.match, lines)) or (
        any(map(_PUBMED_TAG.match, lines)) and not any(map(_RIS.match, lines))
    )
    refuse(_broken(file, lines, pubmed=pubmed))
    parsed = _parsed(file, text, pubmed=pubmed)
    start = _PUBMED if pubmed else _RIS
    begins = [n for n, line in enumerate(lines, start=1) if start.match(line)]
    if len(begins) != len(parsed):
        found = f"{len(begins)} records begin and {len(parsed)} can be read"
        raise SheetError([about(file.name, f"{found}: export the references again.")])
    return list(zip(begins, parsed, strict=True))


def _broken(file: Path, lines: Sequence[str], *, pubmed: bool) -> Iterator[Problem]:
    """Lines outside any record, and records without an end; the parser would merge or lose them."""
    begun, outside = 0, -1
    for n, line in enumerate(lines, start=1):
        if NOT_IN_A_FILE.search(line):
            yield at_line(file, n, "the line holds a character that cannot be printed.")
        if (_PUBMED if pubmed else _RIS).match(line):
            if begun:
                end = "an empty line" if pubmed else '"ER  - "'
                message = f"a record begins before that of line {begun} has ended with {end}."
                yield at_line(file, n, message)
            begun = n
        elif (not line.strip()) if pubmed else line.startswith("ER  -"):
            begun = 0
        elif not begun and (pubmed or _RIS_TAG.match(line)):
            first = "PMID- " if pubmed else "TY  - "
            # The lines that follow are in no record either.
            if outside != n - 1:
                message = f'the line is in no record; a record begins with "{first}".'
                yield at_line(file, n, message)
            outside = n
        elif 0 < begun == n - 1 and not pubmed and line.strip() and not _RIS_TAG.match(line):
            yield at_line(file, n, "the record begins with a line that has no tag.")
    if begun and not pubmed:
        message = 'the record does not end with "ER  - ": the file may be cut short.'
        yield at_line(file, begun, message)


def at_line(file: Path, line: int, message: str) -> Problem:
    """A problem in an export, with its line."""
    return about(f"{file.name}, line {line}", message)


def _parsed(file: Path, text: str, *, pubmed: bool) -> list[Mapping[str, Any]]:
    if not pubmed:
        # Empty lines mean nothing in RIS, but rispy would read them as continuing a field.
        text = re.sub(r"\n(?:[ \t]*\n)+", "\n", text)
    parser = _MedlineParser if pubmed else rispy.RisParser
    try:
        found = parser(skip_unknown_tags=True).parse(f"{text}\n\n")
    except KeyError:
        message = "a record begins with a line that has no tag. Export the references again."
        raise RequestError(f"{file.name}: {message}") from None
    if not found:
        raise RequestError(
            f"{file.name} holds no record. Export the search from PubMed as PubMed (.nbib), from "
            "another database as RIS (.ris)."
        )
    return list(found)


def record_name(cells: Mapping[str, str]) -> str:
    """How messages refer to a record: by its PubMed number and DOI."""
    ids = {"PMID": cells.get("pmid"), "DOI": cells.get("doi")}
    return ", ".join(f"{name} {text}" for name, text in ids.items() if text) or "no PMID, no DOI"


def record_faults(file: Path, line: int, tags: Mapping[str, Any]) -> Iterator[Problem]:
    """Invalid PubMed number, DOI or year in a record."""
    cells = record_cells(tags)
    for column, given, wanted in (
        ("pmid", tags.get("pmid"), "a PubMed number"),
        ("doi", tags.get("doi"), "a DOI such as 10.1000/1"),
        ("year", tags.get("year") or tags.get("publication_year"), "a year"),
    ):
        text = str(given or "")
        if text.strip() and not cells[column]:
            message = f"{quoted(text)} is there; expected {wanted}."
            yield at_line(file, line, f"{record_name(cells)}: {message}")


def _marked(
    found: Sequence[Tags], search: str, screened: Sequence[Cells], sources: Sequence[Cells]
) -> Iterator[Cells]:
    """The records as rows; those already known name the record or source that they repeat."""
    first = {key: row["record_id"] for row in reversed(screened) for key in _keys(row)}
    known = {key: row["source_id"] for row in reversed(sources) for key in _keys(row)}
    digits = len(str(len(found)))
    for number, record in enumerate(found, start=1):
        own = {"record_id": f"{search}_{number:0{digits}}", "search_id": search}
        row = record_cells(record) | own
        keys = _keys(row)
        same = next((first[key] for key in keys if key in first), "")
        source = next((known[key] for key in keys if key in known), "")
        for key in keys:
            first.setdefault(key, row["record_id"])
        if same:
            yield row | {"decision": DUPLICATE, "duplicate_of": same}
        elif source:
            yield row | {"decision": KNOWN, "source_id": source}
        else:
            yield row | {"decision": ""}


def _other_papers(
    file: Path, found: Sequence[tuple[int, Tags]], sources: Sequence[Cells]
) -> Iterator[Problem]:
    """Records with the number of a source, but by another author and of another year."""
    known = {key: row for row in reversed(sources) for key in _keys(row)}
    for line, tags in found:
        row = record_cells(tags)
        for key in _keys(row):
            cited = known.get(key, row)
            authors = {one.get("first_author", "").lower() for one in (cited, row)} - {""}
            years = [int(one["year"]) for one in (cited, row) if one.get("year")]
            # A paper may appear online in one year and in print in the next.
            if len(authors) > 1 and max(years, default=0) - min(years, default=0) > 1:
                message = (
                    f"{record_name(row)} is {row['first_author']} {row['year']} here, but "
                    f"{cited['source_id']} in sources.csv is {cited['first_author']} "
                    f"{cited['year']}. Correct the one that is wrong."
                )
                yield at_line(file, line, message)
                break


def _keys(row: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keys by which two records of the same report are recognised: PubMed number, DOI, title.

    Different reports may share a title ("Reply"), so author and year must agree as well.
    """
    title = re.sub(r"\W+", " ", row.get("title", "").lower()).strip()
    about = (title, row.get("first_author", "").lower(), row.get("year", ""))
    found = {
        "pmid": row.get("pmid", ""),
        "doi": row.get("doi", "").lower(),
        "title": "" if row.get("title") in {None, NO_TITLE} else "|".join(about),
    }
    return [(name, text) for name, text in found.items() if text]


def record_cells(record: Mapping[str, Any]) -> dict[str, str]:
    """A database record as cells of screening.csv."""
    authors = authors_of(record) or [""]
    dates = " ".join(str(record.get(name, "")) for name in ("year", "publication_year", "date"))
    journals = [_line(str(record[name])) for name in _JOURNALS if record.get(name)]
    identifiers = [record.get("doi", ""), *record.get("ids", [])]
    year, doi = _YEAR.search(dates), _DOI.search(html.unescape(" ".join(identifiers)))
    number = record.get("pmid") or _number_elsewhere(record)
    return {
        "title": _line(record.get("title") or record.get("primary_title") or NO_TITLE),
        "first_author": split_name(str(authors[0]))[0],
        "year": year[0] if year else "",
        # The shortest name, without full stops (J. Clin. Oncol.), as in the sheet.
        "journal": min(journals, key=len, default="").replace(".", ""),
        "pmid": number if _NUMBER.fullmatch(number) else "",
        "doi": doi[0].rstrip(".,;") if doi else "",
    }


def _number_elsewhere(record: Mapping[str, Any]) -> str:
    """PubMed number in another database's record, for those that give it as well as their own."""
    database = str(record.get("name_of_database", "")).lower()
    for name, place in _BESIDE_ITS_OWN.items():
        if name in database:
            return str(record.get(place, ""))
    found = _ACCESSION.fullmatch(str(record.get("accession_number", "")))
    # EndNote names only the library of medicine that provides the database.
    its_own = record.get("database_provider") == "NLM"
    if found and (found[1] or "pubmed" in database or "medline" in database or its_own):
        return found[2]
    texts = [*record.get("notes", ()), *record.get("urls", ()), *_in_commas(record.get("custom3"))]
    written = {match[1] for text in texts if (match := _WRITTEN.fullmatch(text.strip()))}
    return written.pop() if len(written) == 1 else ""


def _in_commas(text: str | None) -> list[str]:
    return (text or "").split(",")


def authors_of(record: Mapping[str, Any]) -> list[str]:
    """The names of the authors; a group only if no person is named."""
    lists = (record.get(name) for name in ("authors", "first_authors", "groups"))
    return [str(name) for name in next(filter(None, lists), ())]


def split_name(name: str) -> tuple[str, str, str]:
    """Family name, initials and suffix of an author.

    Understands ``Doe JR Jr``, ``Doe J.R.``, ``Doe, Jane R.`` and ``Doe, JR``. The name of a group
    has neither initials nor suffix.
    """
    bare, suffix = split_suffix(_line(name))
    family, comma, given = bare.partition(",")
    if comma:
        parts = re.split(r"[ .-]+", given)
        short = (p if len(p) <= _MOST_IN_A_WORD and p.isupper() else p[:1].upper() for p in parts)
        return family.strip(), "".join(short), suffix
    words = bare.split()
    at = len(words) - (len(words) > 1 and 0 < len(_capitals(words[-1])) <= _MOST_INITIALS)
    while 1 < at < len(words) and len(_capitals(words[at - 1])) == 1:
        at -= 1
    return " ".join(words[:at]), "".join(map(_capitals, words[at:])), suffix


def _capitals(word: str) -> str:
    """The letters of a word such as ``J.-P.`` if all are capitals; otherwise ``""``."""
    letters = re.sub(r"[.-]", "", word)
    return letters if letters.isalpha() and letters.isupper() else ""


def split_suffix(name: str) -> tuple[str, str]:
    """An author's name without a suffix such as ``Jr``, and the suffix as PubMed prints it."""
    name = name.strip()
    comma, _, third = name.rpartition(",")
    if "," in comma and third.strip(" .") in _NUMERALS:
        return comma, _NUMERALS[third.strip(" .")]
    found = _SUFFIX.search(name)
    return (_SUFFIX.sub("", name), found[1]) if found else (name, "")


def _line(text: str) -> str:
    """A text on one line, without markup, with plain single spaces."""
    # Some databases escape the markup as well: &lt;i&gt;.
    plain = _MARKUP.sub("", html.unescape(text))
    return " ".join(re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", plain).split())
