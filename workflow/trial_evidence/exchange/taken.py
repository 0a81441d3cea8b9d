"""What was taken from a workbook or an export, and from where."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from trial_evidence.words.problems import Problem


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
