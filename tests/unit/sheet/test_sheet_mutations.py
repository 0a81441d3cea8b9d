"""Any change to a sheet gives messages with a location, or a valid typed sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sheet_files import DICTIONARY, REAL, VALID, check, files_of
from sheets.invalid.faults import as_csv, rows_of
from trial_evidence.sheet.dictionary import NUMBER_TYPES
from trial_evidence.sheet.tables import typed_sheet
from trial_evidence.words.problems import has_errors

NASTY_CELLS = (
    *(
        "",
        " ",
        "\u00a0",
        "NA",
        "None",
        "0",
        "-1",
        "1e400",
        "1e-400",
        "0e9",
        "9" * 400,
        "nan",
        "inf",
    ),
    *("0,81", "1.000,5", "٣", "½", "=A1", "#N/A", "9. Dez", "<", "<0", "<<1", "1_000", "0x1F"),
    *("all", "a=b", "a=b & ", "*", "+", "trastuzumab+", "\r", "\n", '"', "x" * 5000, "\U0001f600"),
    *("1", "2", "100", "1e-9", "0.0000001", "999999999999", "95", "99.99", "50"),
)


def _replace(data: st.DataObject, content: bytes) -> bytes:
    start = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 12))
    new = data.draw(st.binary(max_size=6) | st.text(max_size=6).map(lambda t: t.encode()))
    return content[:start] + new + content[start + length :]


def _change_separators(data: st.DataObject, content: bytes) -> bytes:
    mark = data.draw(st.sampled_from([b";", b"\t", b"|", b"", b",,", b"\n", b'"']))
    return content.replace(b",", mark, data.draw(st.sampled_from([1, 7, -1])))


def _truncate(data: st.DataObject, content: bytes) -> bytes:
    return content[: data.draw(st.integers(0, len(content)))]


def _encode(data: st.DataObject, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace") + data.draw(st.sampled_from(["", "é", "€"]))
    return text.encode(
        data.draw(st.sampled_from(["utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig"])),
        errors="replace",
    )


def _change_rows(data: st.DataObject, content: bytes) -> bytes:
    try:
        rows = rows_of(content)
    except ValueError:
        return content
    if not rows or not all(rows):
        return content
    n = data.draw(st.integers(0, len(rows) - 1))
    row = rows[n]
    column = data.draw(st.integers(0, len(row) - 1))
    other = data.draw(st.integers(0, len(rows) - 1))
    match data.draw(st.sampled_from(["cell", "drop", "copy", "shift", "lose", "swap", "columns"])):
        case "cell":
            row[column] = data.draw(st.sampled_from(NASTY_CELLS) | st.text(max_size=8))
        case "drop":
            del rows[n]
        case "copy":
            rows.insert(other, row[:])
        case "shift":
            row.insert(column, data.draw(st.sampled_from(["", "1", "all"])))
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


def _mutated(data: st.DataObject, files: dict[str, bytes]) -> dict[str, bytes]:
    for _ in range(data.draw(st.integers(1, 4))):
        table = data.draw(st.sampled_from(sorted(files)))
        content = files[table]
        mutation = data.draw(st.sampled_from(MUTATIONS))
        try:
            files = {**files, table: mutation(data, content)}
        except UnicodeEncodeError:
            continue
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


SHEETS = {"made-up": (VALID, 250), "real": (REAL, 40)}


@pytest.mark.parametrize("which", SHEETS)
def test_a_changed_sheet_is_reported_or_valid(which: str) -> None:
    folder, examples = SHEETS[which]
    files = files_of(Path(folder))

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        _messages_or_a_typed_sheet(_mutated(data, files))

    run()
