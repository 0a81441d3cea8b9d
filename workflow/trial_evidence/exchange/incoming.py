"""Workbooks that are not the sheet: what a reader wrote into one of them, as edits of the sheet."""

from pathlib import Path

from trial_evidence.workbook.layout import REGISTRY, WORKLIST
from trial_evidence.workbook.read import sheet_names


def take_answers(book: Path, raw: Path, config: Path, folder: Path) -> list[str] | None:
    """Write the sheet into a folder as it is with the answers of a workbook.

    Returns
    -------
    list of str or None
        What was answered, in words; None where the workbook is the sheet itself, or none at all.

    Raises
    ------
    SheetError
        With every answer that cannot be taken.
    """
    sheets = sheet_names(book)
    # What they need is slow to import, and most workbooks are the sheet.
    if REGISTRY in sheets:
        from trial_evidence.exchange.registry.stage import take_confirmed

        return take_confirmed(book, raw, config, folder)
    if WORKLIST not in sheets:
        return None
    from trial_evidence.exchange.answers import write_answered
    from trial_evidence.loaded import load, words_of

    return write_answered(book, raw, load(raw, config)[1], words_of(config), folder)
