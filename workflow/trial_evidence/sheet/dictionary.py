"""The data dictionary: what each column of the sheet may hold, read from ``dictionary/*.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

Unique = Literal["yes", "key", "no"]

NUMBER_TYPES: frozenset[str] = frozenset({"integer", "decimal", "percent", "year", "level"})

_TYPES_IN_WORDS = {
    "id": "id (small letters, digits, `_` and `-`)",
    "id_or_any": "id, or `*` for all",
    "text": "text",
    "word": "one of the allowed words",
    "integer": "whole number",
    "decimal": "number",
    "percent": "percentage, as printed",
    "p_value": "p value: a number, or `<` and a number",
    "year": "year",
    "level": "level in percent",
    "date": "date, year-month-day",
    "agents": "agents joined by `+` in alphabetical order",
    "subgroup": "`all`, or `factor=level` pairs joined by ` & `, factors in alphabetical order",
}
_RANGE = re.compile(r"(?P<low>>=?)?(?P<from>-?[0-9.]+?)(\.\.(?P<to>[0-9.]+))?")


@dataclass(frozen=True)
class Range:
    """The numbers a column may hold.

    Attributes
    ----------
    text : str
        As the dictionary writes it: ``>0``, ``>=0``, ``0..100`` (both ends included) or
        ``>0..1`` (0 itself excluded).
    low, high : float
        Ends of the range; `high` is infinite when the dictionary gives none.
    """

    text: str
    low: float
    high: float
    low_included: bool

    def __contains__(self, number: float) -> bool:
        above = number >= self.low if self.low_included else number > self.low
        return above and number <= self.high

    def in_words(self) -> str:
        """Return the range as a message says it: ``above 0``, ``from 0 to 100``."""
        start = f"{self.low:g}"
        if self.high == float("inf"):
            return f"{start} or more" if self.low_included else f"above {start}"
        if self.low_included:
            return f"from {start} to {self.high:g}"
        return f"above {start} and at most {self.high:g}"


@dataclass(frozen=True)
class Column:
    """One column of a table; the fields are those of the dictionary file.

    Attributes
    ----------
    words : tuple of str
        Allowed words of a column of type ``word``.
    range : Range or None
        Allowed numbers of a number column.
    pattern : str
        Regular expression that a text has to match as a whole, or ``""``.
    one_pair : bool
        A subgroup column in which only a single ``factor=level`` may stand.
    required : bool
        No cell may be empty.
    optional : bool
        The column itself may be left out; its cells are then empty.
    unique : {"yes", "key", "no"}
        ``yes``: no value twice; ``key``: no combination of the key columns twice.
    references : tuple of (str, str), or None
        Table and column that must hold the value.
    """

    name: str
    type: str
    unit: str
    allowed: str
    words: tuple[str, ...]
    range: Range | None
    pattern: str
    one_pair: bool
    required: bool
    optional: bool
    unique: Unique
    references: tuple[str, str] | None
    example: str
    meaning: str

    @property
    def is_number(self) -> bool:
        """Whether the cells hold numbers; a p value may have ``<`` before it."""
        return self.type in NUMBER_TYPES or self.type == "p_value"


@dataclass(frozen=True)
class Table:
    """One table of the sheet.

    Attributes
    ----------
    name : str
        The file is ``<name>.csv``.
    one_row_is : str
        What a row stands for.
    rows_required : bool
        A file with a header and no rows is an error.
    kind : str
        Kind of evidence in a table of results: ``counts``, ``contrasts``, ``rates`` or ``times``;
        ``""`` for all other tables.
    outcome_column : str
        The column that names the outcome. A row without it reports what the table is named after.
    columns : mapping of str to Column
        In the order of the dictionary.
    """

    name: str
    one_row_is: str
    rows_required: bool
    kind: str
    outcome_column: str
    columns: Mapping[str, Column]

    @property
    def file(self) -> str:
        """Name of the table's file."""
        return f"{self.name}.csv"

    @property
    def subject_column(self) -> str | None:
        """The column that names what a row is about: the trial, else the table's own id."""
        if "trial_id" in self.columns:
            return "trial_id"
        for column in self.columns.values():
            if column.type == "id":
                return column.name
        return None


@dataclass(frozen=True)
class Dictionary:
    """All tables of the sheet, in reading order."""

    tables: Mapping[str, Table]

    @property
    def kinds(self) -> dict[str, str]:
        """Table -> kind of evidence in it, for the tables of results."""
        return {table.name: table.kind for table in self.tables.values() if table.kind}

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the tables of results of these kinds."""
        return [name for name, kind in self.kinds.items() if kind in kinds]

    def with_words(self, column: str, words: Iterable[str], table: str = "") -> Dictionary:
        """The dictionary with further words in a word column, of every table or of one."""
        tables = dict(self.tables)
        for name in [table] if table else tables:
            known = tables[name].columns.get(column) if name in tables else None
            if known is not None and known.type == "word":
                both = tuple(dict.fromkeys([*known.words, *words]))
                wider = replace(known, words=both, allowed="|".join(both))
                columns = MappingProxyType({**tables[name].columns, column: wider})
                tables[name] = replace(tables[name], columns=columns)
        return Dictionary(MappingProxyType(tables))


class DictionaryError(Exception):
    """The dictionary itself is not as it should be: a fault of the project, not of the sheet."""


def read_dictionary(folder: Path) -> Dictionary:
    """Read the data dictionary.

    Parameters
    ----------
    folder : Path
        Holds ``tables.csv`` (columns table, rows_required, kind, outcome_column, one_row_is) and
        one ``<table>.csv`` a table (columns column, type, unit, allowed, required, unique,
        references, example, meaning).

    Raises
    ------
    DictionaryError
        When a file is missing or says something this module does not know.
    """
    tables = {}
    for entry in _read(folder / "tables.csv"):
        name = entry["table"]
        columns = [_column(name, row) for row in _read(folder / f"{name}.csv")]
        tables[name] = Table(
            name=name,
            one_row_is=entry["one_row_is"],
            rows_required=_yes_or_no(name, "rows_required", entry["rows_required"]),
            kind=entry["kind"],
            outcome_column=entry["outcome_column"],
            columns=MappingProxyType({column.name: column for column in columns}),
        )
    for table in tables.values():
        for column in table.columns.values():
            if column.references is not None:
                other, key = column.references
                if other not in tables or key not in tables[other].columns:
                    raise DictionaryError(
                        f"{table.file}, {column.name}: there is no column {other}.{key}"
                    )
    return Dictionary(MappingProxyType(tables))


def dictionary_as_markdown(dictionary: Dictionary) -> str:
    """Return the dictionary as the page that analysts read (``docs/data-dictionary.md``)."""
    lines = [
        "# Data dictionary",
        "",
        "What each column of `data/raw` holds. Generated from `workflow/dictionary`: change it "
        "there.",
        "",
        "An empty cell means that the source does not say. Numbers have a point as decimal mark "
        "and no thousands separator. A column marked *key* makes, with the other key columns of "
        "the table, a combination that occurs only once.",
    ]
    for table in dictionary.tables.values():
        lines += [
            "",
            f"## {table.file}",
            "",
            f"One row: {table.one_row_is}",
            "",
            "| column | meaning | type | allowed | empty? | example |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for column in table.columns.values():
            mark = {"yes": " (unique)", "key": " (key)", "no": ""}[column.unique]
            unit = f", {column.unit}" if column.unit else ""
            cells = (
                f"`{column.name}`{mark}",
                column.meaning,
                f"{_TYPES_IN_WORDS[column.type]}{unit}",
                _allowed_in_markdown(column),
                _may_be_empty(column),
                f"`{column.example}`" if column.example else "",
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _may_be_empty(column: Column) -> str:
    if column.optional:
        return "may be; the column may be left out"
    return "no" if column.required else "may be"


def _allowed_in_markdown(column: Column) -> str:
    if column.words:
        return ", ".join(f"`{word}`" for word in column.words)
    if column.range is not None:
        return column.range.in_words()
    if column.one_pair:
        return "one `factor=level`"
    if column.pattern:
        return "in the form of the example"
    if column.references is not None:
        table, key = column.references
        return f"listed in {table}.csv, column `{key}`"
    return ""


def _column(table: str, row: Mapping[str, str]) -> Column:
    name, kind, allowed = row["column"], row["type"], row["allowed"]
    where = f"{table}.csv, {name}"
    if kind not in _TYPES_IN_WORDS:
        raise DictionaryError(f"{where}: type {kind!r} is not known")
    if row["unique"] not in get_args(Unique):
        raise DictionaryError(f"{where}: unique is {row['unique']!r}")
    if kind == "word" and not allowed:
        raise DictionaryError(f"{where}: a word column needs its allowed words")
    if row["references"] and "." not in row["references"]:
        raise DictionaryError(f"{where}: references has the form table.column")
    other, _, key = row["references"].partition(".")
    return Column(
        name=name,
        type=kind,
        allowed=allowed,
        words=tuple(allowed.split("|")) if kind == "word" else (),
        range=_range(where, allowed) if kind in NUMBER_TYPES and allowed else None,
        pattern=allowed if kind in {"text", "id"} else "",
        one_pair=kind == "subgroup" and allowed == "factor=level",
        required=row["required"] != "optional" and _yes_or_no(table, name, row["required"]),
        optional=row["required"] == "optional",
        unique=cast(Unique, row["unique"]),
        references=(other, key) if other else None,
        **{field: row[field] for field in ("unit", "example", "meaning")},
    )


def _range(where: str, text: str) -> Range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise DictionaryError(f"{where}: {text!r} is not a range such as >0 or 0..100")
    return Range(
        text=text,
        low=float(match["from"]),
        high=float(match["to"]) if match["to"] else float("inf"),
        low_included=match["low"] != ">",
    )


def _yes_or_no(table: str, name: str, text: str) -> bool:
    if text not in {"yes", "no"}:
        raise DictionaryError(f"{table}.csv, {name}: {text!r} is neither yes nor no")
    return text == "yes"


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise DictionaryError(f"the dictionary has no file {path.name}") from error
