"""The data dictionary: allowed values of every column of the sheet, from ``dictionary/*.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from trial_evidence.words.pages import filled

Unique = Literal["yes", "key", "no"]

NUMBER_TYPES: frozenset[str] = frozenset({"integer", "decimal", "percent", "year", "level"})

_TYPES = NUMBER_TYPES | {"id", "id_or_any", "text", "word", "p_value", "date", "agents", "subgroup"}
OPTIONAL = "optional"
_REQUIRED = ("yes", "no", OPTIONAL)
_RANGE = re.compile(r"(?P<low>>=?)?(?P<from>-?[0-9.]+?)(\.\.(?P<to>[0-9.]+))?")


@dataclass(frozen=True)
class Range:
    """The numbers allowed in a column.

    Attributes
    ----------
    low, high : float
        Limits; `high` is infinite if the dictionary gives none.
    """

    low: float
    high: float
    low_included: bool

    def __contains__(self, number: float) -> bool:
        above = number >= self.low if self.low_included else number > self.low
        return above and number <= self.high

    def in_words(self) -> str:
        """Return the range in words, for messages: ``above 0``, ``from 0 to 100``."""
        start = f"{self.low:g}"
        if self.high == float("inf"):
            return f"{start} or more" if self.low_included else f"above {start}"
        if self.low_included:
            return f"from {start} to {self.high:g}"
        return f"above {start} and at most {self.high:g}"


@dataclass(frozen=True)
class Column:
    """A column of a table; the fields are those of the dictionary file.

    Attributes
    ----------
    words : tuple of str
        Allowed words in a column of type ``word``.
    range : Range or None
        Allowed numbers in a numeric column; allowed years in a column of dates.
    pattern : str
        Regular expression that the whole text must match, or ``""``.
    one_pair : bool
        A subgroup column that allows only a single ``factor=level``.
    required : bool
        No cell may be empty.
    optional : bool
        The column itself may be left out; its cells then count as empty.
    unique : {"yes", "key", "no"}
        ``yes``: no value twice; ``key``: no combination of the key columns twice.
    references : tuple of (str, str), or None
        Table and column in which the value must occur.
    only_where : tuple of (str, str), or None
        Another column of the table and a word: the cell must be filled in if that column has the
        word, and empty if it has any other.
    of_rows_where : tuple of (str, str), or None
        A column of the referenced table, and the word that the referenced row must have there.
    """

    name: str
    type: str
    unit: str
    words: tuple[str, ...]
    range: Range | None
    pattern: str
    one_pair: bool
    required: bool
    optional: bool
    unique: Unique
    references: tuple[str, str] | None
    only_where: tuple[str, str] | None
    of_rows_where: tuple[str, str] | None
    example: str
    meaning: str

    @property
    def is_number(self) -> bool:
        """Whether the cells are numbers; a p value may be preceded by ``<``."""
        return self.type in NUMBER_TYPES or self.type == "p_value"


@dataclass(frozen=True)
class Table:
    """A table of the sheet.

    Attributes
    ----------
    name : str
        The file is ``<name>.csv``.
    one_row_is : str
        What a row represents.
    rows_required : bool
        A file with a header but no rows is an error.
    optional : bool
        The file itself may be missing; the table then has no rows.
    kind : str
        Kind of evidence in a table of results: ``counts``, ``contrasts``, ``rates`` or ``times``;
        ``""`` for all other tables.
    outcome_column : str
        The column that names the outcome. If it is missing or empty, the outcome has the name of
        the table.
    columns : mapping of str to Column
        In dictionary order.
    """

    name: str
    one_row_is: str
    rows_required: bool
    optional: bool
    kind: str
    outcome_column: str
    columns: Mapping[str, Column]

    @property
    def file(self) -> str:
        """Name of the table's file."""
        return f"{self.name}.csv"

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """Column -> allowed words; empty for columns that are not of type ``word``."""
        return {column.name: column.words for column in self.columns.values()}

    @property
    def subject_column(self) -> str | None:
        """The column that names what a row concerns: the trial, or else the table's own id."""
        if "trial_id" in self.columns:
            return "trial_id"
        return next((column.name for column in self.columns.values() if column.type == "id"), None)

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """Columns or combinations of columns that must be unique across rows."""
        single = [(column.name,) for column in self.columns.values() if column.unique == "yes"]
        composite = tuple(column.name for column in self.columns.values() if column.unique == "key")
        return [*single, composite] if composite else [*single]


@dataclass(frozen=True)
class Dictionary:
    """All tables of the sheet, in reading order."""

    tables: Mapping[str, Table]

    @property
    def kinds(self) -> dict[str, str]:
        """Table -> kind of evidence, for the tables of results."""
        return {table.name: table.kind for table in self.tables.values() if table.kind}

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the tables of results of these kinds."""
        return [name for name, kind in self.kinds.items() if kind in kinds]

    def with_words(self, column: str, words: Iterable[str], table: str = "") -> Dictionary:
        """A copy with further allowed words in a word column, in every table or only in one."""
        tables = dict(self.tables)
        for name, held in self.tables.items():
            known = held.columns.get(column)
            if known is not None and known.type == "word" and table in {"", name}:
                wider = replace(known, words=tuple(dict.fromkeys([*known.words, *words])))
                columns = MappingProxyType({**held.columns, column: wider})
                tables[name] = replace(held, columns=columns)
        return Dictionary(MappingProxyType(tables))


class DictionaryError(Exception):
    """The dictionary itself is invalid: an error in the project, not in the sheet."""


def read_dictionary(folder: Path) -> Dictionary:
    """Read the data dictionary.

    Parameters
    ----------
    folder : Path
        Contains ``tables.csv`` (columns table, rows_required, kind, outcome_column, one_row_is) and
        one ``<table>.csv`` per table (columns column, type, unit, allowed, required, unique,
        references, example, meaning). ``required`` may be ``column=word``: required if another
        column has that word, and otherwise empty. ``references`` may be ``table.column where
        other=word``: only rows with that word may be referred to.

    Raises
    ------
    DictionaryError
        If a file is missing or has an entry that this module does not know.
    """
    tables = {}
    for entry in _read(folder / "tables.csv"):
        name, required = entry["table"], entry["rows_required"]
        if required not in _REQUIRED:
            raise DictionaryError(
                f"{name}.csv, rows_required: {required!r} is none of yes, no and {OPTIONAL}"
            )
        columns = [_column(name, row) for row in _read(folder / f"{name}.csv")]
        tables[name] = Table(
            name=name,
            one_row_is=entry["one_row_is"],
            rows_required=required == "yes",
            optional=required == OPTIONAL,
            kind=entry["kind"],
            outcome_column=entry["outcome_column"],
            columns=MappingProxyType({column.name: column for column in columns}),
        )
    for table in tables.values():
        for column in table.columns.values():
            if column.references is None:
                continue
            other, key = column.references
            if other not in tables or key not in tables[other].columns:
                where = f"{table.file}, {column.name}"
                raise DictionaryError(f"{where}: there is no column {other}.{key}")
    return Dictionary(MappingProxyType(tables))


def dictionary_as_markdown(dictionary: Dictionary) -> str:
    """Return the dictionary as a page for analysts (``docs/data-dictionary.md``)."""
    tables = dictionary.tables.values()
    return filled("dictionary.md.j2", lambda text: text.replace("|", "\\|"), tables=tables)


def _column(table: str, row: Mapping[str, str]) -> Column:
    name, kind, allowed = row["column"], row["type"], row["allowed"]
    where = f"{table}.csv, {name}"
    if kind not in _TYPES:
        raise DictionaryError(f"{where}: type {kind!r} is not known")
    if row["unique"] not in get_args(Unique):
        raise DictionaryError(f"{where}: unique is {row['unique']!r}")
    if kind == "word" and not allowed:
        raise DictionaryError(f"{where}: a word column needs its allowed words")
    if row["references"] and "." not in row["references"]:
        raise DictionaryError(f"{where}: references has the form table.column")
    referred, _, condition = row["references"].partition(" where ")
    other, _, key = referred.partition(".")
    only = "" if row["required"] in _REQUIRED else row["required"]
    return Column(
        name=name,
        type=kind,
        words=tuple(allowed.split("|")) if kind == "word" else (),
        range=_range(where, allowed) if kind in {*NUMBER_TYPES, "date"} and allowed else None,
        pattern=allowed if kind == "text" else "",
        one_pair=kind == "subgroup" and allowed == "factor=level",
        required=row["required"] == "yes",
        optional=row["required"] == OPTIONAL,
        unique=cast(Unique, row["unique"]),
        references=(other, key) if other else None,
        only_where=_condition(where, only),
        of_rows_where=_condition(where, condition),
        **{field: row[field] for field in ("unit", "example", "meaning")},
    )


def _range(where: str, text: str) -> Range:
    """``>0``, ``>=0``, ``0..100`` (both ends included) or ``>0..1`` (0 itself excluded)."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise DictionaryError(f"{where}: {text!r} is not a range such as >0 or 0..100")
    return Range(float(match["from"]), float(match["to"] or "inf"), match["low"] != ">")


def _condition(where: str, text: str) -> tuple[str, str] | None:
    """``column=word`` as a pair; None for an empty text."""
    column, sign, word = text.partition("=")
    if text and not (column and sign and word):
        raise DictionaryError(f"{where}: {text!r} is none of yes, no, {OPTIONAL} and column=word")
    return (column, word) if text else None


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise DictionaryError(f"the dictionary has no file {path.name}") from error
