"""The dictionary and the page made from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from invented import PROJECT
from sheet_files import DICTIONARY, REAL, ROOT
from trial_evidence.config.configuration import Outcome
from trial_evidence.loaded import with_words
from trial_evidence.sheet import dictionary_as_markdown, read_dictionary
from trial_evidence.sheet.dictionary import Column, DictionaryError
from trial_evidence.sheet.values import read_cell

COLUMNS = [
    pytest.param(column, id=f"{table.name}.{column.name}")
    for table in DICTIONARY.tables.values()
    for column in table.columns.values()
]


def test_the_page_is_up_to_date() -> None:
    # To update it, write dictionary_as_markdown(read_dictionary(...)) to this file.
    page = ROOT / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == dictionary_as_markdown(DICTIONARY)


def test_it_describes_every_column_of_the_sheet_in_its_order() -> None:
    for name, table in DICTIONARY.tables.items():
        header = (REAL / f"{name}.csv").read_text(encoding="utf-8").split("\n")[0]
        found = header.split(",")
        assert found == [n for n, c in table.columns.items() if n in found or not c.optional]


def test_it_describes_every_file_of_the_sheet() -> None:
    assert {path.stem for path in REAL.glob("*.csv")} == set(DICTIONARY.tables)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_is_explained_in_a_sentence(column: Column) -> None:
    assert column.meaning.endswith(".")


@pytest.mark.parametrize("column", COLUMNS)
def test_an_example_is_a_value_that_is_allowed(column: Column) -> None:
    reading = read_cell(column, column.example)
    assert (reading.error, reading.warning) == ("", "") or not column.example


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("n,whole,,,yes,no,,1,N.", "type 'whole' is not known"),
        ("n,integer,,0-100,yes,no,,1,N.", "'0-100' is not a range"),
        ("n,word,,,yes,no,,1,N.", "needs its allowed words"),
        ("n,id,,,yes,no,trials,1,N.", "table.column"),
        ("n,id,,,yes,no,trials.trial_id,1,N.", "no column trials.trial_id"),
        ("n,id,,,maybe,no,,1,N.", "none of yes, no, optional and column=word"),
        ("n,id,,,yes,twice,,1,N.", "unique is 'twice'"),
    ],
)
def test_a_fault_of_the_dictionary_is_named(tmp_path: Path, changed: str, words: str) -> None:
    (tmp_path / "tables.csv").write_text(
        "table,rows_required,kind,outcome_column,one_row_is\nt,yes,,,a row.\n"
    )
    header = "column,type,unit,allowed,required,unique,references,example,meaning\n"
    (tmp_path / "t.csv").write_text(header + changed + "\n")
    with pytest.raises(DictionaryError, match=words):
        read_dictionary(tmp_path)


def test_a_missing_file_of_the_dictionary_is_named(tmp_path: Path) -> None:
    with pytest.raises(DictionaryError, match=r"tables\.csv"):
        read_dictionary(tmp_path)


def column(table: str, name: str) -> Column:
    return DICTIONARY.tables[table].columns[name]


@pytest.mark.parametrize("written", ["NR", "n/a", "NA", "not reported", "Not reached", "NE", "-"])
@pytest.mark.parametrize(
    "where", [("hazard_ratios", "ci_low"), ("hazard_ratios", "p_value"), ("pcr", "events")]
)
def test_what_stands_for_no_number_is_answered_with_what_to_do(
    written: str, where: tuple[str, str]
) -> None:
    known = column(*where)
    what_to_do = ", but a value is required here." if known.required else ". Leave the cell empty."
    assert read_cell(known, written).error == f'"{written}" denotes a missing value{what_to_do}'


def test_an_outcome_is_a_word_of_its_own_table_alone() -> None:
    """A harm among the responses would otherwise pass the check, and no analysis would find it."""
    asked = replace(PROJECT, outcomes={"rash": Outcome("rash", "harms", "fewer")})
    tables = with_words(DICTIONARY, asked).tables
    known = {name for name in ("pcr", "harms") if "rash" in tables[name].columns["outcome"].words}
    assert known == {"harms"}


@pytest.mark.parametrize("written", ["1", "1.00"])
def test_a_p_value_may_be_one(written: str) -> None:
    reading = read_cell(column("hazard_ratios", "p_value"), written)
    assert (reading.number, reading.error) == (1.0, "")


def test_words_that_a_column_allows_stay_words() -> None:
    known = column("hazard_ratios", "assessor")
    assert "not reported" in known.words
    assert read_cell(known, "not reported").error == ""
    # A note may contain it.
    told = read_cell(column("pcr", "note"), "not reported")
    assert (told.text, told.error, told.warning) == ("not reported", "", "")
