"""What was taken from a workbook or an export, and from where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trial_evidence.words.problems import Problem, quoted
from trial_evidence.workbook.read import merged_in


@dataclass(frozen=True)
class Taken:
    """The entries taken from a workbook or an export.

    Attributes
    ----------
    said : list of str
        Messages for the user.
    places : mapping of (str, int) to str
        Table and row written in the sheet -> where the values come from: ``worklist.xlsx, row 4``.
    """

    said: list[str]
    places: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def located(self, problem: Problem) -> Problem:
        """Return a problem of the written sheet, with the place from which its row was taken."""
        file = Path(problem.file).name
        place = self.places.get((file.removesuffix(".csv"), problem.row or 0))
        more = f" The row was taken from {place}." if place else ""
        return replace(problem, file=file, message=f"{problem.message}{more}")


def rebuilt(sheet: Any, known: Iterable[str]) -> list[str]:
    """Return messages about edits of a worksheet's columns by which an entry would be lost.

    These are known names of columns that occur more than once in row 1, merged cells, and cells
    below an empty cell of row 1.
    """
    header, *rows = [*sheet.iter_rows()] or [()]
    names = [str(cell.value or "").strip() for cell in header]
    twice = [
        f"{names.count(name)} columns have the name {name}. Delete one, or rename it."
        for name in known
        if names.count(name) > 1
    ]
    unnamed = [
        f"cell {cell.coordinate} holds {quoted(str(cell.value))}, but its column has no "
        "name in row 1, so it would be lost. Move it, give the column a name, or delete it."
        for cells in rows
        for name, cell in zip(names, cells, strict=True)
        if not name and cell.value is not None and str(cell.value).strip()
    ]
    return [*twice, *merged_in(sheet), *unnamed]
