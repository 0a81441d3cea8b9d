"""Importing: what it shows, what it asks, and that it writes all tables or none."""

from __future__ import annotations

import csv
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from trial_evidence.sheet import Dictionary
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import SheetError, errors_of
from trial_evidence.workbook.transfer import ImportPlan, import_book, replace_files, restore
from trial_evidence.workbook.write import write_workbook
from workbook_files import (
    DICTIONARY,
    REAL,
    REAL_DICTIONARY,
    VALID,
    WITH_A_FORMULA,
    append,
    cells_of,
    column_of,
    copy_of,
    edit_again,
    edited,
    errors,
    files_of,
    imported,
    some_of_the_real,
)


def _add_trial(workbook: Any) -> None:
    append(
        workbook,
        "sources",
        source_id="roe_2026_trial_y",
        first_author="Roe ",
        year=2026.0,
        title_short="Trial Y",
        doi="10.1000/n",
        pmid=38461323,
        type="article",
    )
    append(
        workbook,
        "trials",
        trial_id="trial_y",
        name="TRIAL-Y",
        setting="neoadjuvant",
        phase=2,
        randomised="yes",
        n_randomised=121,
        population="HER2+\u00a0stage II-III",
        primary_endpoint="pCR",
    )
    for arm, agents, n in (("dual", "pertuzumab+trastuzumab", 60), ("single", "trastuzumab", 61)):
        append(
            workbook,
            "arms",
            trial_id="trial_y",
            arm_id=f"trial_y_{arm}",
            label=arm,
            agents=agents,
            her2_schedule="concurrent",
            partner="chemotherapy",
            n_randomised=n,
        )
    for arm, events, n, percent in (("dual", 30, 60, "50.0"), ("single", "20", 61.0, 32.8)):
        append(
            workbook,
            "pcr",
            trial_id="trial_y",
            arm_id=f"trial_y_{arm}",
            definition="ypT0/is ypN0",
            population="ITT",
            assessor="local",
            subgroup="all",
            events=events,
            n=n,
            reported_percent=percent,
            source_id="roe_2026_trial_y",
            locator="Table 2",
            verification="primary",
            derivation="reported",
            status="current",
        )


# The edit of `_add_trial`, as a person would type it into the files.
ADDED = {
    "sources": ["roe_2026_trial_y,Roe,2026,,Trial Y,,,10.1000/n,38461323,article"],
    "trials": ["trial_y,TRIAL-Y,,neoadjuvant,2,yes,,121,,,HER2+ stage II-III,pCR,,"],
    "arms": [
        "trial_y,trial_y_dual,dual,pertuzumab+trastuzumab,concurrent,chemotherapy,,60,",
        "trial_y,trial_y_single,single,trastuzumab,concurrent,chemotherapy,,61,",
    ],
    "pcr": [
        "trial_y,trial_y_dual,ypT0/is ypN0,ITT,local,all,30,60,50.0,roe_2026_trial_y,Table 2,"
        "primary,reported,current,",
        "trial_y,trial_y_single,ypT0/is ypN0,ITT,local,all,20,61,32.8,roe_2026_trial_y,Table 2,"
        "primary,reported,current,",
    ],
}


@pytest.mark.parametrize(
    ("sheet", "dictionary"),
    [(VALID, DICTIONARY), (REAL, REAL_DICTIONARY)],
    ids=["made-up", "real"],
)
def test_a_trial_of_two_arms_is_added_below_the_others(
    sheet: Path, dictionary: Dictionary, tmp_path: Path
) -> None:
    raw = copy_of(sheet, tmp_path)
    result = imported(edited(raw, _add_trial, dictionary), raw, dictionary)
    assert errors(result) == []
    assert set(result.written) == {f"{table}.csv" for table in ADDED}
    for name, before in files_of(sheet).items():
        header, *_ = csv.reader([before.decode().partition("\n")[0]])
        new = "".join(f"{in_order(line, Path(name).stem, header)}\n"
                      for line in ADDED.get(Path(name).stem, []))  # fmt: skip
        assert (raw / name).read_bytes() == before + new.encode()


def in_order(line: str, table: str, header: Sequence[str]) -> str:
    """A row of the made-up sheet with the columns of another sheet, which may have more."""
    own, *_ = csv.reader([files_of(VALID)[f"{table}.csv"].decode().partition("\n")[0]])
    cells = dict(zip(own, next(csv.reader([line])), strict=True))
    return ",".join(cells.get(column, "") for column in header)


def test_the_plan_is_shown_before_anything_is_written(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    seen: list[tuple[str, ...]] = []

    def show(plan: ImportPlan) -> None:
        assert files_of(raw) == files_of(VALID)
        seen.append(plan.difference)

    import_book(edited(raw, _add_trial), raw, DICTIONARY, show=show)
    [lines] = seen
    assert lines[-2:] == (
        "  added    row 27, trial_y (trial_y_dual, ypT0/is ypN0, ITT, local, all): events 30, "
        'n 60, reported_percent 50.0, source_id "roe_2026_trial_y", locator "Table 2", '
        'verification "primary", derivation "reported", status "current"',
        "  added    row 28, trial_y (trial_y_single, ypT0/is ypN0, ITT, local, all): events 20, "
        'n 61, reported_percent 32.8, source_id "roe_2026_trial_y", locator "Table 2", '
        'verification "primary", derivation "reported", status "current"',
    )


def test_one_error_anywhere_writes_nothing(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def edit(workbook: Any) -> None:
        _add_trial(workbook)
        workbook["search_log"]["B2"] = "yesterday"

    result = imported(edited(raw, edit), raw, confirmed=True)
    assert len(errors(result)) == 1
    assert files_of(raw) == files_of(VALID)


def test_a_new_row_stands_where_the_workbook_has_it(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def edit(workbook: Any) -> None:
        sheet = workbook["populations"]
        sheet.insert_rows(3)
        for position, text in enumerate(("trial_b", "nodal=negative", "N0"), start=1):
            sheet.cell(3, position).value = text

    imported(edited(raw, edit), raw)
    assert [row[0] for row in cells_of(raw, "populations")] == [
        "trial_id",
        "cohort_e",
        "trial_b",
        "trial_j",
    ]


def test_each_of_several_new_rows_stands_where_the_workbook_has_it(tmp_path: Path) -> None:
    """From the second on the rows of the workbook are no longer numbered as those of the file."""
    raw = copy_of(VALID, tmp_path)
    order: list[str] = []

    def edit(workbook: Any) -> None:
        sheet = workbook["arms"]
        for number, arm in ((3, "first_new"), (7, "second_new")):
            above = [cell.value for cell in sheet[number - 1]]
            sheet.insert_rows(number)
            for position, value in enumerate(above, start=1):
                sheet.cell(number, position).value = value
            sheet.cell(number, column_of("arms", "arm_id")).value = arm
        at = column_of("arms", "arm_id") - 1
        order.extend(row[at] for row in sheet.iter_rows(values_only=True) if row[at])

    result = imported(edited(raw, edit), raw)
    assert (errors(result), result.written) == ([], ("arms.csv",))
    at = column_of("arms", "arm_id") - 1
    assert [row[at] for row in cells_of(raw, "arms")] == order


def test_a_new_warning_is_told_and_the_known_ones_are_not(tmp_path: Path) -> None:
    raw = some_of_the_real(tmp_path)

    def edit(workbook: Any) -> None:
        workbook["pcr"].insert_rows(4)
        for cell in workbook["pcr"][5]:
            workbook["pcr"].cell(4, cell.column).value = cell.value
        workbook["pcr"]["F4"] = "nodal=negative"
        workbook["pcr"]["G3"] = 48

    result = imported(edited(raw, edit, REAL_DICTIONARY), raw, REAL_DICTIONARY)
    found = [(p.file, p.row, p.column) for p in result.plan.problems if p.row == 3]
    assert found == [("book.xlsx, sheet pcr", 3, "reported_percent (I3)")]
    assert {p.subject for p in result.plan.problems} == {"neosphere"}


def test_a_formula_with_a_value_is_taken_and_told(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = tmp_path / "book.xlsx"
    # Made like SAVED_BY_LIBREOFFICE, from a workbook with the formula in this cell.
    book.write_bytes(WITH_A_FORMULA.read_bytes())
    result = imported(book, raw)
    assert [p.line() for p in result.plan.problems if p.column == "events (G2)"] == [
        "book.xlsx, sheet pcr, row 2 (trial_a), column events (G2): the formula "
        '"=20+21" was replaced by its value, 41.'
    ]
    assert cells_of(raw, "pcr")[1][6] == "41"


def test_a_formula_that_gives_no_printed_number_is_refused(tmp_path: Path) -> None:
    """A quotient of two cells is not a number that anybody has read in a source."""
    raw, book = copy_of(VALID, tmp_path), tmp_path / "book.xlsx"
    with zipfile.ZipFile(WITH_A_FORMULA) as saved, zipfile.ZipFile(book, "w") as changed:
        for name in saved.namelist():
            part = saved.read(name).replace(b"21</f><v>41</v>", b"21</f><v>41.0952380952</v>")
            changed.writestr(name, part)
    told, *_ = errors(imported(book, raw))
    assert told.startswith(
        'book.xlsx, sheet pcr, row 2 (trial_a), column events (G2): the formula "=20+21" gives no '
        "usable value: 41.0952380952 has more digits than a source prints."
    )
    assert files_of(raw) == files_of(VALID)


def _without_rows(table: str, first: int, number: int) -> Any:
    return lambda workbook: workbook[table].delete_rows(first, number)


def test_what_only_the_sheet_has_wrong_is_located_in_the_workbook(tmp_path: Path) -> None:
    """A space that the import would remove, in a cell that is unchanged from the sheet."""
    raw = copy_of(VALID, tmp_path)
    file = raw / "pcr.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1:4] = [lines[2], lines[3], lines[1].replace(",42,105,", ",42\u00a0,105,")]
    file.write_text("".join(lines), encoding="utf-8")
    wrong = files_of(raw)

    def edit(workbook: Any) -> None:
        sheet = workbook["pcr"]
        # Sorted in the spreadsheet, and another cell edited.
        third, second = ([cell.value for cell in sheet[row]] for row in (4, 2))
        for row, cells in ((2, third), (4, second)):
            for column, value in enumerate(cells, start=1):
                sheet.cell(row, column).value = value
        sheet.cell(3, column_of("pcr", "note")).value = "seen again"

    result = imported(edited(raw, edit), raw)
    (told,) = errors(result)
    assert told.startswith("book.xlsx, sheet pcr, row 2 (trial_a), column events (G2): ")
    assert (result.written, files_of(raw)) == ((), wrong)
    assert [problem for problem in result.plan.problems if problem.severity == "warning"] == []


def test_few_removed_rows_are_listed_and_removed(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    result = imported(edited(raw, _without_rows("hazard_ratios", 2, 2)), raw)
    assert [line[:14] for line in result.plan.difference[1:]] == ["  removed  row"] * 2
    assert len(cells_of(raw, "hazard_ratios")) == len(cells_of(VALID, "hazard_ratios")) - 2


@pytest.mark.parametrize(("table", "rows"), [("hazard_ratios", 4), ("exclusions", 1)])
def test_many_or_all_rows_go_only_when_confirmed(table: str, rows: int, tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _without_rows(table, 2, rows))
    asked = imported(book, raw)
    total = len(cells_of(VALID, table)) - 1
    assert asked.plan.questions == (f"{rows} of the {total} rows of {table} would be removed.",)
    assert (asked.written, files_of(raw)) == ((), files_of(VALID))
    assert imported(book, raw, confirmed=True).written == (f"{table}.csv",)
    assert len(cells_of(raw, table)) == total - rows + 1


def _general_format(workbook: Any) -> None:
    for row in workbook["pcr"].iter_rows(min_row=2):
        for cell in row:
            cell.number_format = "General"


def _opened_as_csv(folder: Path) -> Path:
    """The sheet as a spreadsheet saves CSV files that it opened: 40.0 has become 40."""
    saved = shutil.copytree(VALID, folder / "saved")
    text = (saved / "pcr.csv").read_text(encoding="utf-8")
    (saved / "pcr.csv").write_text(re.sub(r",(\d+)\.0,", r",\1,", text), encoding="utf-8")
    return saved


@pytest.mark.parametrize("kind", ["workbook", "folder"])
def test_printed_decimals_are_not_lost_unasked(tmp_path: Path, kind: str) -> None:
    """40.0 says that the source prints a tenth of a percent, 40 that it does not."""
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _general_format) if kind == "workbook" else _opened_as_csv(tmp_path)
    result = imported(book, raw)
    (question,) = result.plan.questions
    assert question.startswith(
        "9 numbers of pcr would lose zeros at the end that their sources print "
        "(row 2, reported_percent: 40.0 is now 40), as when"
    )
    assert files_of(raw) == files_of(VALID)
    assert imported(book, raw, confirmed=True).written == ("pcr.csv",)


def test_single_decimals_may_be_corrected(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def correct(workbook: Any) -> None:
        for row, name, text in ((4, "hr", "0.8"), (4, "ci_low", "0.5"), (7, "hr", "0.7")):
            workbook["hazard_ratios"].cell(row, column_of("hazard_ratios", name), text)

    assert imported(edited(raw, correct), raw).written == ("hazard_ratios.csv",)


@pytest.mark.parametrize(("row", "said"), [(4, True), (None, False)], ids=["changed", "added"])
def test_a_workbook_that_lost_its_origin_says_so(
    tmp_path: Path, row: int | None, said: bool
) -> None:
    """Without its hidden sheet nobody knows which of the differences are the analyst's."""
    raw = copy_of(VALID, tmp_path)

    def edit(workbook: Any) -> None:
        del workbook["made from"]
        page = workbook["pcr"]
        if row:
            page.cell(row, column_of("pcr", "note"), "seen again")
            return
        down = page.max_row + 1
        for cell in page[2]:
            page.cell(down, cell.column, cell.value).number_format = cell.number_format
        page.cell(down, column_of("pcr", "subgroup"), "age=up to 50")

    result = imported(edited(raw, edit), raw)
    assert result.written == ("pcr.csv",)
    assert any("from which state of the sheet" in line for line in result.plan.difference) is said


def test_an_old_workbook_does_not_undo_a_newer_edit_unasked(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: workbook["pcr"].__setitem__("G4", 28))
    file = raw / "pcr.csv"
    file.write_text(file.read_text().replace("all,42,105,40.0", "all,41,105,39.0"))
    newer = files_of(raw)
    asked = imported(book, raw)
    assert [question.partition(":")[0] for question in asked.plan.questions] == ["pcr.csv, row 2"]
    assert files_of(raw) == newer


def test_an_old_workbook_does_not_remove_a_newer_row_unasked(tmp_path: Path) -> None:
    """It never had the row, which an import would take for a row that somebody has deleted."""
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: workbook["pcr"].__setitem__("G4", 28))
    file = raw / "pcr.csv"
    lines = file.read_text().splitlines(keepends=True)
    newer = ADDED["pcr"][0].replace("trial_y", "trial_a").replace("roe_2026", "doe_2020")
    file.write_text("".join([*lines, newer.replace("ypT0/is ypN0", "ypT0 ypN0"), "\n"]))
    before = files_of(raw)
    asked = imported(book, raw)
    said = [q.partition(":")[0] for q in asked.plan.questions]
    assert said == [f"pcr.csv, row {len(lines) + 1}"]
    assert (asked.written, files_of(raw)) == ((), before)


def test_of_many_rows_that_would_be_undone_the_rest_is_counted(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: None)
    path = raw / "pcr.csv"
    header, *lines = path.read_text().splitlines(keepends=True)
    newer = [line.replace(",current,", ",current,read again") for line in lines[:7]]
    path.write_text("".join([header, *newer, *lines[7:]]))
    (question,) = imported(book, raw).plan.questions
    assert question.startswith("pcr.csv, rows 2, 3, 4, 5, 6 and 2 more: written to the sheet after")


def test_an_old_workbook_does_not_bring_back_a_removed_row_unasked(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: None)
    file = raw / "pcr.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:9], *lines[11:]]))
    newer = files_of(raw)
    asked = imported(book, raw)
    assert asked.plan.questions == (
        "book.xlsx, sheet pcr, rows 10, 11: removed from the sheet after the workbook was made, "
        "which would bring them back. Make a new workbook and edit that one, unless this is what "
        "you want.",
    )
    assert (asked.written, files_of(raw)) == ((), newer)
    assert imported(book, raw, confirmed=True).written == ("pcr.csv",)


def test_a_cell_that_cannot_be_read_hides_no_error_below_it(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def spoil(workbook: Any) -> None:
        workbook["pcr"]["G2"] = "=A1"
        workbook["pcr"]["G4"] = "many"

    plan = imported(edited(raw, spoil), raw).plan
    assert [(p.row, p.column) for p in errors_of(plan.problems)] == [
        (2, "events (G2)"), (4, "events (G4)"),
    ]  # fmt: skip


def test_a_copy_of_a_row_is_not_called_a_row_that_was_removed(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def copy_a_row(workbook: Any) -> None:
        page = workbook["pcr"]
        down = page.max_row + 1
        for cell in page[2]:
            page.cell(down, cell.column, cell.value).number_format = cell.number_format

    asked = imported(edited(raw, copy_a_row), raw)
    assert (asked.plan.questions, asked.written) == ((), ("pcr.csv",))


def test_an_edit_of_another_row_does_not_make_a_workbook_old(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: workbook["pcr"].__setitem__("G4", 28))
    imported(book, raw)
    edit_again(book, lambda workbook: workbook["pcr"].__setitem__("G2", 41))
    again = imported(book, raw)
    assert (again.plan.questions, again.written) == ((), ("pcr.csv",))


def test_edits_that_were_not_imported_are_not_overwritten(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _add_trial)
    before = book.read_bytes()
    with pytest.raises(RequestError, match="holds edits that have not been imported"):
        write_workbook(raw, DICTIONARY, book)
    assert book.read_bytes() == before
    imported(book, raw)
    write_workbook(raw, DICTIONARY, book)
    assert imported(book, raw).plan.difference == ()


@pytest.mark.parametrize("kind", ["a text", "another workbook", "a folder"])
def test_what_is_no_workbook_of_the_sheet_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    raw, book = copy_of(VALID, tmp_path), tmp_path / "budget.xlsx"
    if kind == "a text":
        book.write_text("a,b\n")
    elif kind == "another workbook":
        Workbook().save(book)
    else:
        book.mkdir()
    with pytest.raises(RequestError, match="is no workbook that was made of the sheet"):
        write_workbook(raw, DICTIONARY, book)


def test_what_cannot_be_imported_is_not_overwritten_either(tmp_path: Path) -> None:
    """A worksheet of notes whose name has no underscore; all other rows match the sheet."""
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: workbook.create_sheet("notes").append(["ask the author"]))
    before = book.read_bytes()
    with pytest.raises(RequestError, match="holds edits that have not been imported"):
        write_workbook(raw, DICTIONARY, book)
    assert book.read_bytes() == before


def test_a_removal_that_was_not_imported_is_not_overwritten(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _without_rows("hazard_ratios", 2, 1))
    with pytest.raises(RequestError, match="holds edits that have not been imported"):
        write_workbook(raw, DICTIONARY, book)


def _private(workbook: Any) -> None:
    """The analyst's own worksheet and two columns, one among the others, one with a formula."""
    workbook.create_sheet("_to do")["A1"] = "look up trial B"
    sheet = workbook["pcr"]
    sheet.insert_cols(3)
    sheet["C1"], sheet["C2"] = "_doubt", "ask the authors"
    last = sheet.max_column + 1
    sheet.cell(1, last).value, sheet.cell(2, last).value = "_share", "=H2/I2"
    # A row that is filled in only there.
    sheet.cell(sheet.max_row + 2, 3).value = "one more row to come"


def test_what_is_private_is_not_imported(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    result = imported(edited(raw, _private), raw)
    assert (result.plan.problems, result.plan.difference, result.written) == ((), (), ())
    assert files_of(raw) == files_of(VALID)


def test_private_columns_do_not_shift_the_others(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def edit(workbook: Any) -> None:
        _private(workbook)
        # The events are one column further to the right.
        workbook["pcr"]["H2"] = 41
        workbook["pcr"]["H3"] = "x"

    (told,) = errors(imported(edited(raw, edit), raw))
    assert told.startswith('book.xlsx, sheet pcr, row 3 (trial_a), column events (H3): "x" is not')

    book = edited(raw, lambda workbook: (_private(workbook), workbook["pcr"].cell(2, 8, 41)))
    assert imported(book, raw).written == ("pcr.csv",)
    assert cells_of(raw, "pcr")[1][column_of("pcr", "events") - 1] == "41"


def test_what_is_private_is_not_overwritten_by_a_new_workbook(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _private)
    before = book.read_bytes()
    with pytest.raises(RequestError, match=r"yours alone \(_to do, pcr\._doubt, pcr\._share\)"):
        write_workbook(raw, DICTIONARY, book)
    assert book.read_bytes() == before


def test_a_note_on_a_cell_is_not_lost_with_a_new_workbook(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    doubt = Comment("Table 2 has 43: ask the authors", "AB")
    book = edited(raw, lambda workbook: setattr(workbook["pcr"]["G3"], "comment", doubt))
    before = book.read_bytes()
    with pytest.raises(RequestError, match=r"yours alone \(the note on pcr\.G3\)"):
        write_workbook(raw, DICTIONARY, book)
    assert book.read_bytes() == before


def test_an_untouched_workbook_is_made_again_from_a_newer_sheet(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = tmp_path / "book.xlsx"
    write_workbook(raw, DICTIONARY, book)
    file = raw / "pcr.csv"
    file.write_text(file.read_text().replace("all,42,105,40.0", "all,41,105,39.0"))
    write_workbook(raw, DICTIONARY, book)
    assert imported(book, raw).plan.difference == ()


def test_a_sheet_that_cannot_be_read_is_neither_written_nor_imported(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _add_trial)
    (raw / "pcr.csv").unlink()
    assert "pcr.csv: the file is missing." in errors(imported(book, raw))
    with pytest.raises(SheetError, match=r"pcr\.csv: the file is missing\."):
        write_workbook(raw, DICTIONARY, tmp_path / "other.xlsx")


class _Killed(BaseException):
    """The process dies here."""


NEW = {"agents.csv": b"new agents\n", "pcr.csv": b"new pcr\n"}


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_crash_never_leaves_a_mix(
    renames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = copy_of(VALID, tmp_path)
    old, new = files_of(raw), {**files_of(raw), **NEW}
    rename, done = Path.rename, []

    def dying(self: Path, target: Path) -> Path:
        if len(done) == renames:
            raise _Killed
        done.append(target)
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        # A killed process cleans nothing up.
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(_Killed):
            replace_files(raw, NEW)
    assert [raw.exists(), restore(raw)] == [[True, False], [False, True], [True, False]][renames]
    assert files_of(raw) == [old, old, new][renames]


def test_a_folder_that_cannot_be_renamed_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = copy_of(VALID, tmp_path)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".importing"):
            raise PermissionError("in use")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing)
        with pytest.raises(PermissionError):
            replace_files(raw, NEW)
    assert files_of(raw) == files_of(VALID)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_what_an_interrupted_import_left_is_not_lost(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    left = tmp_path / ".raw.before-import"
    shutil.copytree(VALID, left)
    with pytest.raises(FileExistsError, match="interrupted import"):
        replace_files(raw, NEW)
    assert files_of(left) == files_of(VALID)


def test_an_import_first_brings_back_what_an_interrupted_one_left(tmp_path: Path) -> None:
    """Otherwise there is no sheet, and creating a new one would lose the old."""
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, lambda workbook: workbook["pcr"].__setitem__("G2", 41))
    raw.rename(tmp_path / ".raw.before-import")
    assert imported(book, raw).written == ("pcr.csv",)
    assert cells_of(raw, "pcr")[1][6] == "41"


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    (raw / "README.md").write_text("kept\n")
    imported(edited(raw, _add_trial), raw)
    assert (raw / "README.md").read_text() == "kept\n"
