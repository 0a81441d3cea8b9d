"""What a spreadsheet program has open is not written: its next save would undo it unseen."""

import resource
import tempfile
from pathlib import Path
from typing import Any

import pytest
from trial_evidence.words.errors import RequestError, not_written
from trial_evidence.workbook.opened import refuse_open
from trial_evidence.workbook.transfer import replace_files
from trial_evidence.workbook.write import write_workbook
from workbook_files import DICTIONARY, VALID, cells_of, check, copy_of, edited, files_of, imported

# As LibreOffice writes it; then with a comma in the name, and without a name.
LOCK = ",jroe,ward7,01.12.2026 21:43,file:///profile/4;"
NAMED = "Roe\\, Jane,jroe,ward7,01.12.2026 21:43,file:///profile/4;"


def _events(workbook: Any) -> None:
    workbook["pcr"]["G2"] = 41


def test_a_table_that_is_open_is_not_imported_into(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _events)
    lock = raw / ".~lock.pcr.csv#"
    lock.write_text(NAMED)
    before = files_of(raw)
    with pytest.raises(RequestError) as refused:
        imported(book, raw)
    assert refused.value.args[0] == (
        f"{raw / 'pcr.csv'} is open in a spreadsheet program (Roe, Jane, on ward7, since "
        "01.12.2026 21:43), whose next save would undo what is written now, so nothing was "
        "written. Close it there and run the command again; if nobody has it open, delete "
        f"{lock}."
    )
    assert files_of(raw) == before
    lock.unlink()
    assert imported(book, raw).written == ("pcr.csv",)


def test_another_table_that_is_open_hinders_neither_the_import_nor_the_check(
    tmp_path: Path,
) -> None:
    raw = copy_of(VALID, tmp_path)
    (raw / ".~lock.arms.csv#").write_text(LOCK)
    assert imported(edited(raw, _events), raw).written == ("pcr.csv",)
    assert cells_of(raw, "pcr")[1][6] == "41"
    (raw / ".~lock.pcr.csv#").write_text(LOCK)
    assert [problem.file for problem in check(raw) if "lock" in problem.file] == []


@pytest.mark.parametrize(
    ("name", "content", "who"),
    [
        (".~lock.book.xlsx#", LOCK.encode(), " (jroe, on ward7, since 01.12.2026 21:43)"),
        (".~lock.book.xlsx#", b"", ""),
        ("~$book.xlsx", b"\x08Jane Roe".ljust(55) + b"\x08\0J\0a\0n\0e\0", " (Jane Roe)"),
        ("~$book.xlsx", b"", ""),
    ],
    ids=["LibreOffice", "without a name", "Excel", "empty"],
)
def test_a_workbook_that_is_open_is_not_written(
    name: str, content: bytes, who: str, tmp_path: Path
) -> None:
    book = tmp_path / "book.xlsx"
    write_workbook(VALID, DICTIONARY, book)
    before = book.read_bytes()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError) as refused:
        write_workbook(VALID, DICTIONARY, book)
    said = refused.value.args[0]
    assert said.startswith(f"{book} is open in a spreadsheet program{who}, whose next save ")
    assert said.endswith(f"delete {tmp_path / name}.")
    assert book.read_bytes() == before


def test_of_several_open_tables_each_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / f".~lock.{name}#").write_text(LOCK)
    with pytest.raises(RequestError) as refused:
        refuse_open([tmp_path / name for name in ("a.csv", "b.csv", "c.csv")])
    said = refused.value.args[0]
    assert said.startswith(f"{tmp_path / 'a.csv'} and {tmp_path / 'b.csv'} are open in")
    assert said.count("jroe") == 1


def test_a_full_disk_loses_nothing_and_is_told_in_words(tmp_path: Path) -> None:
    """No file of this process may grow beyond a kilobyte, which the tables do."""
    raw = copy_of(VALID, tmp_path)
    before = files_of(raw)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(OSError, match="File too large") as of_tables:
            replace_files(raw, {"pcr.csv": b"x" * 2000})
        with pytest.raises(OSError, match="File too large") as of_book:
            write_workbook(VALID, DICTIONARY, tmp_path / "book.xlsx")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = not_written(of_tables.value)
    assert said.startswith(str(raw))
    assert said.endswith(".csv cannot be copied: File too large.")
    # Where the sheets of a workbook are put together.
    said = not_written(of_book.value)
    assert said == f"{tempfile.gettempdir()} cannot be read or written: File too large."
    assert files_of(raw) == before
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
