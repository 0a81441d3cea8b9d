"""What was taken from a workbook or an export, and from where."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trial_evidence.words.problems import Problem, quoted


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


def unnamed_in(sheet: Any) -> list[str]:
    """Return messages about cells below an empty cell of row 1, which would be lost."""
    header, *rows = [*sheet.iter_rows()] or [()]
    empty = [at for at, cell in enumerate(header) if not str(cell.value or "").strip()]
    return [
        f"cell {row[at].coordinate} holds {quoted(str(row[at].value))}, but its column has no "
        "name in row 1, so it would be lost. Move it, give the column a name, or delete it."
        for row in rows
        for at in empty
        if row[at].value is not None and str(row[at].value).strip()
    ]
