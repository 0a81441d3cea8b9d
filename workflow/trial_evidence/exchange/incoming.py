"""Workbooks other than the sheet: entries of a reader as edits of the sheet."""

from collections.abc import Sequence
from pathlib import Path

from trial_evidence.exchange.taken import Taken
from trial_evidence.sheet import read_dictionary
from trial_evidence.words.printed import listing
from trial_evidence.words.problems import SheetError, about, quoted
from trial_evidence.words.supplied import supplied
from trial_evidence.workbook.layout import REGISTRY, WORKLIST
from trial_evidence.workbook.read import sheet_names


def take_answers(book: Path, raw: Path, config: Path, folder: Path) -> Taken | None:
    """Write a copy of the sheet that includes the answers in a workbook.

    Returns
    -------
    Taken or None
        The answers taken; None if the workbook is the sheet itself, or is not a workbook.

    Raises
    ------
    SheetError
        With every answer that cannot be taken; or if no sheet of the workbook has a known name, or
        sheets of several kinds of workbook are in it.
    """
    sheets = sheet_names(book)
    if sheets and (unclear := _unclear(sheets)):
        raise SheetError([about(book.name, unclear)])
    # Imported here because these modules are slow to import, and most workbooks are the sheet.
    if REGISTRY in sheets:
        from trial_evidence.exchange.registry.stage import take_confirmed

        return take_confirmed(book, raw, config, folder)
    if WORKLIST not in sheets:
        return None
    from trial_evidence.exchange.answers import write_answered
    from trial_evidence.loaded import load, words_of

    return write_answered(book, raw, load(raw, config)[1], words_of(config), folder)


def _unclear(sheets: Sequence[str]) -> str:
    """Why it is unclear what kind of workbook has these sheets; ``""`` if it is clear."""
    tables = read_dictionary(supplied("dictionary")).tables
    kinds = [name for name in (WORKLIST, REGISTRY) if name in sheets]
    kinds += [name for name in sheets if name.strip().lower() in tables][:1]
    if len(kinds) == 1:
        return ""
    if kinds:
        # One would be taken, and edits in the other would be lost.
        return (
            f"the sheets {listing(kinds)} belong to different workbooks. Import each from a "
            "workbook of its own, or let the names of those that are yours alone begin with _."
        )
    return (
        f"no sheet is called {WORKLIST} (of make worklist), {REGISTRY} (of make registry) or as a "
        f"table of the sheet. It has: {', '.join(map(quoted, sheets))}. Give the sheet its name "
        "again."
    )
