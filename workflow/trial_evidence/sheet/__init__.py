"""The extraction sheet: reading it, checking it, and converting it to typed tables.

Cells are read as text, checked against the data dictionary and only then converted. All problems
are reported at once, with file, row and column.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from trial_evidence.words.problems import Problem, SheetError, has_errors

from .check import check_sheet, read_folder
from .dictionary import Dictionary, dictionary_as_markdown, read_dictionary
from .tables import Sheet, typed_sheet

__all__ = [
    "Dictionary",
    "Sheet",
    "dictionary_as_markdown",
    "find_problems",
    "load_sheet",
    "read_dictionary",
]


def find_problems(
    raw: Path, dictionary: Dictionary, new: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[Problem, ...]:
    """Check a sheet without building its tables.

    Parameters
    ----------
    raw : Path
        Folder with one CSV file per table.
    new : mapping of str to bytes
        Table name to content, checked in place of that of the file.

    Returns
    -------
    tuple of Problem
        Errors first, then warnings, each in sheet order.
    """
    return check_sheet(*read_folder(raw, dictionary, new), dictionary)[1]


def load_sheet(raw: Path, dictionary: Dictionary) -> tuple[Sheet, tuple[Problem, ...]]:
    """Read and check a sheet.

    Parameters
    ----------
    raw : Path
        Folder with one CSV file per table.

    Returns
    -------
    Sheet
        Typed tables.
    tuple of Problem
        Warnings.

    Raises
    ------
    SheetError
        If there is any error; it lists all errors and all warnings.
    """
    tables, found = check_sheet(*read_folder(raw, dictionary), dictionary)
    if has_errors(found):
        raise SheetError(found)
    return typed_sheet(tables), found
