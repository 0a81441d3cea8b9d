"""Every kind of invalid cell: the exact message to the reader."""

from __future__ import annotations

import pytest
from sheet_files import ROOT, VALID, check, files_of
from sheets.invalid.faults import FAULTS, Fault


def _messages() -> dict[str, list[str]]:
    text = (ROOT / "tests" / "sheets" / "messages.txt").read_text(encoding="utf-8")
    blocks = (block.strip("\n").split("\n") for block in text.split("\n\n"))
    return {name.removeprefix("# "): messages for name, *messages in blocks}


MESSAGES = _messages()


def test_the_valid_sheet_has_nothing_to_report() -> None:
    assert check(files_of(VALID))[1] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_reported_once_and_in_these_words(fault: Fault) -> None:
    problems = check(fault.apply(files_of(VALID)))[1]
    assert [f"{p.severity}: {p.line()}" for p in problems] == MESSAGES[fault.name]


def test_every_message_has_its_fault() -> None:
    assert set(MESSAGES) == {fault.name for fault in FAULTS}


def test_all_faults_of_a_sheet_are_reported_at_once() -> None:
    files = files_of(VALID)
    names = ("decimal comma", "word with a slip", "unknown source", "cells separated by tabs")
    chosen = [fault for fault in FAULTS if fault.name in names]
    for fault in chosen:
        files = fault.apply(files)
    reported = {f"{p.severity}: {p.line()}" for p in check(files)[1]}
    assert {MESSAGES[fault.name][0] for fault in chosen} <= reported
