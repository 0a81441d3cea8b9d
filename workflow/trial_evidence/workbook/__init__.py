"""The sheet as a workbook: written for analysts, read back, and imported whole or not at all."""

from __future__ import annotations

from .difference import TableDifference, difference_in_words, table_difference
from .read import Imported, read_book
from .transfer import (
    Check,
    ImportPlan,
    ImportResult,
    import_book,
    plan_import,
    replace_files,
    restore,
)
from .write import write_workbook

__all__ = [
    "Check",
    "ImportPlan",
    "ImportResult",
    "Imported",
    "TableDifference",
    "difference_in_words",
    "import_book",
    "plan_import",
    "read_book",
    "replace_files",
    "restore",
    "table_difference",
    "write_workbook",
]
