"""The difference in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from trial_evidence.workbook.difference import Row, TableDifference, in_words, table_difference
from trial_evidence.workbook.read import read_book
from workbook_files import DICTIONARY, VALID, copy_of


def _differences(before: Path, after: Path) -> list[str]:
    old, new = (read_book(folder, DICTIONARY).tables for folder in (before, after))
    return [line for name in old for line in in_words(table_difference(old[name], new[name]))]


def _words(tmp_path: Path, table: str, *changes: tuple[str, str]) -> list[str]:
    after = copy_of(VALID, tmp_path)
    file = after / f"{table}.csv"
    text = file.read_text()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text)
    return _differences(VALID, after)


POPULATION = "trial_j,hormone_receptor=positive,HER2+ and hormone receptor-positive metastatic\n"
FIRST = "trial_a,trial_a_dual,ypT0/is ypN0,ITT,local,all,42,105,40.0,doe_2020_trial_a,Table 2,"
FIRST += "primary,reported,current,\n"
NAMED = "trial_a (trial_a_dual, ypT0/is ypN0, ITT, local, all)"


def test_a_number_that_changed(tmp_path: Path) -> None:
    assert _words(tmp_path, "pcr", (FIRST, FIRST.replace("42,105,40.0", "43,105,41.0"))) == [
        "pcr: 1 row changed",
        f"  changed  row 2, {NAMED}: events changed from 42 to 43, reported_percent changed from "
        "40.0 to 41.0",
    ]


def test_cells_filled_in_and_emptied(tmp_path: Path) -> None:
    new = FIRST.replace("Table 2", "").replace("current,\n", "current,see text\n")
    assert _words(tmp_path, "pcr", (FIRST, new)) == [
        "pcr: 1 row changed",
        f'  changed  row 2, {NAMED}: locator emptied (was "Table 2"), note was empty, now '
        '"see text"',
    ]


def test_a_row_that_is_added(tmp_path: Path) -> None:
    assert _words(tmp_path, "populations", (POPULATION, POPULATION + "trial_b,nodal=no,N0\n")) == [
        "populations: 1 row added",
        '  added    row 4, trial_b (nodal=no): basis "N0"',
    ]


def test_a_row_that_is_removed(tmp_path: Path) -> None:
    assert _words(tmp_path, "populations", (POPULATION, "")) == [
        "populations: 1 row removed",
        '  removed  row 3, trial_j (hormone_receptor=positive): basis "HER2+ and hormone '
        'receptor-positive metastatic"',
    ]


def test_a_row_that_moved_is_no_difference(tmp_path: Path) -> None:
    end = (VALID / "pcr.csv").read_text().splitlines(keepends=True)[-1]
    assert _words(tmp_path, "pcr", (FIRST, ""), (end, end + FIRST)) == []


def test_a_changed_id_is_one_changed_row(tmp_path: Path) -> None:
    row = "trial_a_dual,T+P+docetaxel"
    words = _words(tmp_path, "arms", (row, "trial_a_tpd,T+P+docetaxel"))
    assert words == [
        "arms: 1 row changed",
        '  changed  row 2, trial_a (trial_a_dual): arm_id changed from "trial_a_dual" to '
        '"trial_a_tpd"',
    ]


def test_changes_are_told_in_the_order_of_the_sheet(tmp_path: Path) -> None:
    """Row 2, matched by similarity, comes before row 3, matched by its id."""
    changes = (("trial_a_dual,T+P+docetaxel", "trial_a_tpd,T+P+docetaxel"),
               ("trial_a_single,T+docetaxel", "trial_a_single,T+paclitaxel"))  # fmt: skip
    words = _words(tmp_path, "arms", *changes)
    assert words[0] == "arms: 2 rows changed"
    assert [line.split(",")[0] for line in words[1:]] == ["  changed  row 2", "  changed  row 3"]


def test_a_changed_subgroup_is_not_taken_for_another_row(tmp_path: Path) -> None:
    old = "trial_a_dual,ypT0/is ypN0,ITT,local,hormone_receptor=positive"
    words = _words(tmp_path, "pcr", (old, old.replace("hormone_receptor=positive", "nodal=yes")))
    assert words[0] == "pcr: 1 row changed"
    assert words[1].endswith('subgroup changed from "hormone_receptor=positive" to "nodal=yes"')


@pytest.mark.parametrize("shared", [10, 200])
def test_a_long_text_is_cut_to_what_differs(shared: int, tmp_path: Path) -> None:
    start = "word " * (shared // 5)
    old = FIRST.replace("current,\n", f"current,{start}first\n")
    before = copy_of(VALID, tmp_path)
    (before / "pcr.csv").write_text((VALID / "pcr.csv").read_text().replace(FIRST, old))
    later = tmp_path / "later"
    later.mkdir()
    after = copy_of(before, later)
    (after / "pcr.csv").write_text((before / "pcr.csv").read_text().replace("first", "second"))
    said = start if shared == 10 else "…" + start[-20:]
    line = _differences(before, after)[1]
    assert line.endswith(f'note changed from "{said}first" to "{said}second"')


def test_a_changed_row_is_named_by_where_it_stands_now(tmp_path: Path) -> None:
    """The analyst looks it up in the current workbook or file, below the row that was added."""
    above = "trial_b,nodal=no,N0\n"
    said = _words(tmp_path, "populations", (POPULATION, above + POPULATION.replace("HER2+", "H")))
    assert said[1].startswith("  changed  row 4, trial_j (")
    assert said[2].startswith("  added    row 3, trial_b (")


def test_a_row_of_a_trial_that_was_much_rewritten_is_one_changed_row(tmp_path: Path) -> None:
    """Not one removed row and one added row, because nothing was lost."""
    new = FIRST.replace("ITT,local,all,42,105,40.0", "mITT,central,all,43,100,43.0")
    assert _words(tmp_path, "pcr", (FIRST, new))[0] == "pcr: 1 row changed"


@pytest.mark.parametrize(
    ("kept", "removed", "added", "lost"),
    [(10, 3, 0, False), (10, 4, 0, True), (10, 4, 2, False), (0, 1, 0, True), (0, 1, 1, False),
     (10, 30, 28, True), (0, 224, 400, True)],
)  # fmt: skip
def test_rows_are_lost_if_many_are_gone_or_most_have_no_counterpart(kept, removed, added, lost):
    """Pasting another table over one, however long, is no edit of its rows."""
    table, row = DICTIONARY.tables["trials"], Row(2, {})
    found = TableDifference(table, ((row, row),) * kept, (row,) * added, (row,) * removed)
    assert found.loses_many is lost
