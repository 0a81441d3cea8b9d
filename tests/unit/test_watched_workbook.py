"""Which saves of a workbook `make watch` takes, without the workflow behind it."""

from contextlib import nullcontext

import pytest
from trial_evidence import watch as watching


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """What is taken of a workbook while somebody does something to it, a step at each tick."""

    def watched(book, *steps):
        def ticks(*_, **__):
            for step in steps:
                step()
                yield set()

        found = []
        monkeypatch.setattr(watching, "watch", ticks)
        monkeypatch.setattr(watching, "_runs", lambda _: nullcontext(lambda: None))
        folders = tmp_path / "raw", tmp_path / "config"
        for folder in folders:
            folder.mkdir()
        log = tmp_path / "watch.log"
        watching.watch_sheet(
            *folders, log, lambda: None, book, lambda: found.append(book.read_text())
        )
        return found

    return watched


def test_a_workbook_that_is_taken_away_while_it_is_saved_is_read_once_it_is_back(tmp_path, taken):
    book, new = tmp_path / "book.xlsx", tmp_path / "new"
    book.write_text("old")
    new.write_text("new")
    steps = (lambda: book.rename(tmp_path / "old"), lambda: new.rename(book), lambda: None)
    assert taken(book, *steps) == ["new"]


def test_a_workbook_that_is_not_there_is_named_and_read_once_it_is(tmp_path, taken, capsys):
    book = tmp_path / "book.xlsx"
    assert taken(book, lambda: None, lambda: book.write_text("made")) == ["made"]
    assert f"There is no {book} so far; " in capsys.readouterr().out
