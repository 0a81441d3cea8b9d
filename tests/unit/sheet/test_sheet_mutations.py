"""Any change to a sheet gives messages with a location, or a valid typed sheet."""

from __future__ import annotations

import contextlib
from random import Random

import pytest
from sheet_files import DICTIONARY, REAL, VALID, check, files_of
from sheets.invalid.faults import as_csv, rows_of
from trial_evidence.sheet.dictionary import NUMBER_TYPES
from trial_evidence.sheet.tables import typed_sheet
from trial_evidence.words.problems import has_errors

NASTY_CELLS = (
    "", " ", "\u00a0", "NA", "None", "0", "-1", "1e400", "1e-400", "0e9", "9" * 400, "nan", "inf",
    "0,81", "1.000,5", "٣", "½", "=A1", "#N/A", "9. Dez", "<", "<0", "<<1", "1_000", "0x1F",
    "all", "a=b", "a=b & ", "*", "+", "trastuzumab+", "\r", "\n", '"', "x" * 5000, "\U0001f600",
    "1", "2", "100", "1e-9", "0.0000001", "999999999999", "95", "99.99", "50", "2026-02-30", "\t",
)  # fmt: skip
CHARACTERS = (
    "aZ09 .,;:<>=&+*-_/%'\"#\t\r\n\x00\x07\x7f\x85éß٣½−\u2028\u200b\ufeff\ufffd漢\U0001f600"
)


def _text(draw: Random) -> str:
    return "".join(draw.choices(CHARACTERS, k=draw.randint(0, 8)))


def _replace(draw: Random, content: bytes) -> bytes:
    start = draw.randint(0, len(content))
    length = draw.randint(0, 12)
    new = draw.choice([draw.randbytes(draw.randint(0, 6)), _text(draw).encode()])
    return content[:start] + new + content[start + length :]


def _change_separators(draw: Random, content: bytes) -> bytes:
    mark = draw.choice([b";", b"\t", b"|", b"", b",,", b"\n", b'"'])
    return content.replace(b",", mark, draw.choice([1, 7, -1]))


def _truncate(draw: Random, content: bytes) -> bytes:
    return content[: draw.randint(0, len(content))]


def _encode(draw: Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace") + draw.choice(["", "é", "€"])
    return text.encode(
        draw.choice(["utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig"]),
        errors="replace",
    )


def _change_rows(draw: Random, content: bytes) -> bytes:
    try:
        rows = rows_of(content)
    except ValueError:
        return content
    if not rows or not all(rows):
        return content
    n = draw.randint(0, len(rows) - 1)
    row = rows[n]
    column = draw.randint(0, len(row) - 1)
    other = draw.randint(0, len(rows) - 1)
    match draw.choice(["cell", "drop", "copy", "shift", "lose", "swap", "columns"]):
        case "cell":
            row[column] = draw.choice([draw.choice(NASTY_CELLS), _text(draw)])
        case "drop":
            del rows[n]
        case "copy":
            rows.insert(other, row[:])
        case "shift":
            row.insert(column, draw.choice(["", "1", "all"]))
        case "lose":
            del row[column]
        case "swap":
            rows[n], rows[other] = rows[other], rows[n]
        case "columns":
            last = min(map(len, rows)) - 1
            for each in rows:
                each[min(column, last)], each[last] = each[last], each[min(column, last)]
    return as_csv(rows)


MUTATIONS = (_change_rows, _change_rows, _replace, _change_separators, _truncate, _encode)


def _mutated(draw: Random, files: dict[str, bytes]) -> dict[str, bytes]:
    """Some damage to whole files, or to many cells and rows, which damage to a file would hide."""
    if draw.random() < 0.5:
        mutations, times = MUTATIONS, draw.randint(1, 4)
    else:
        mutations, times = (_change_rows,), 25
    for _ in range(times):
        table = draw.choice(sorted(files))
        with contextlib.suppress(UnicodeEncodeError):
            files = {**files, table: draw.choice(mutations)(draw, files[table])}
    return files


def _messages_or_a_typed_sheet(files: dict[str, bytes]) -> None:
    tables, problems = check(files)
    names = {table.file for table in DICTIONARY.tables.values()}
    for problem in problems:
        assert problem.file in names
        assert problem.row is None or problem.row >= 1
        assert problem.message
        assert problem.line().isprintable()
    if has_errors(problems):
        return
    sheet = typed_sheet(tables)
    for name, table in DICTIONARY.tables.items():
        for column in table.columns.values():
            values = sheet[name][column.name]
            if column.required:
                assert not (values.isna() | (values.astype(str) == "")).any()
            if column.type in NUMBER_TYPES and column.range is not None:
                assert all(number in column.range for number in values.dropna())


@pytest.mark.parametrize("seed", range(90))
def test_a_changed_sheet_is_reported_or_valid(seed: int) -> None:
    _messages_or_a_typed_sheet(_mutated(Random(seed), files_of(VALID)))


@pytest.mark.parametrize("seed", range(15))
def test_the_changed_real_sheet_is_reported_or_valid(seed: int) -> None:
    _messages_or_a_typed_sheet(_mutated(Random(seed), files_of(REAL)))
