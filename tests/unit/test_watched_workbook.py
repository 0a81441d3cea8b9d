"""What `make watch` takes of a workbook, and how it ends, without the workflow behind it."""

import os
import signal
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


@pytest.mark.parametrize("closed", [signal.SIGHUP, signal.SIGTERM])
def test_it_ends_with_its_terminal_as_by_the_key(tmp_path, taken, closed):
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(closed, lambda *_: pytest.fail("it is not heard"))
    try:
        steps = (lambda: os.kill(os.getpid(), closed), lambda: pytest.fail("it goes on"))
        assert taken(tmp_path / "book.xlsx", *steps) == []
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
