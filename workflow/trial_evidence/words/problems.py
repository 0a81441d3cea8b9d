"""Problems in a sheet: what is wrong and where, in words a clinician can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from itertools import takewhile
from typing import Literal

Severity = Literal["error", "warning"]

PROBLEM_COLUMNS = ("severity", "file", "row", "subject", "column", "value", "message")

_LONGEST_QUOTE = 60
# The marks that git writes when two people have changed the same lines.
CONFLICT = re.compile(r"(<{7}|>{7}|={7}|\|{7})( |$)")
IN_CONFLICT = (
    "<<<<<<<, ======= and >>>>>>> enclose two versions of the same lines, and git left it open "
    "which counts. Keep one of them, and delete the marks."
)
_ROW_NUMBER = re.compile(r"row [0-9]+")
# What differs between messages on the same mistake in several cells: quotations and numbers.
_OF_THE_CELL = re.compile(r'"[^"]*"|[0-9][0-9.,]*')
# As many findings alike are told one by one; of more, all but the first three are counted.
_FEW = 4
# Comparing a very long cell with every allowed word would take seconds and help nobody.
_LONGEST_COMPARED = 80


@dataclass(frozen=True)
class Problem:
    """One finding about the sheet.

    Attributes
    ----------
    severity : {"error", "warning"}
        An error stops the run; a warning is listed and the run continues.
    file : str
        Name of the file, for example ``trials.csv``.
    row : int or None
        Row number as the spreadsheet shows it (the header is row 1), or the line of a
        configuration file; None if the finding concerns the whole file.
    subject : str
        The trial (or source, agent, ...) of that row, or ``""``.
    column : str
        Name of the column, or ``""``.
    value : str
        The cell exactly as in the file.
    message : str
        One or two sentences: what is wrong and what to do.
    """

    severity: Severity
    file: str
    row: int | None
    subject: str
    column: str
    value: str
    message: str

    def line(self) -> str:
        """Return the finding as one line: place, then message."""
        # Messages about configuration files name their subject themselves.
        in_sheet = not self.file.endswith(".yaml")
        row, column = ("row", "column ") if in_sheet else ("line", "")
        place = self.file
        if self.row is not None:
            place += f", {row} {self.row}"
            place += f" ({shortened(self.subject)})" if in_sheet and self.subject else ""
        if self.column:
            place += f", {column}{shortened(self.column)}"
        return f"{place}: {self.message}"


class SheetError(Exception):
    """The sheet cannot be used.

    Attributes
    ----------
    problems : tuple of Problem
        All findings, errors first, then warnings.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.line() for problem in self.problems))


def refuse(problems: Iterable[Problem]) -> None:
    """Raise a :class:`SheetError` with these findings if any of them is an error."""
    found = tuple(problems)
    if has_errors(found):
        raise SheetError(found)


@contextmanager
def told_in(problems: list[Problem]) -> Iterator[None]:
    """Collect the problems of a :class:`SheetError` in `problems` instead of raising it."""
    try:
        yield
    except SheetError as error:
        problems += error.problems


def about(file: str, message: str, row: int | None = None, severity: Severity = "error") -> Problem:
    """Return a finding about a whole file, or about one whole row."""
    return Problem(severity, file, row, "", "", "", message)


def shortened(text: str) -> str:
    """Return `text` on one line, truncated to fit a message."""
    # Most texts are printable, which is seen faster of a text than of its letters.
    one_line = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    if len(one_line) > _LONGEST_QUOTE:
        return one_line[: _LONGEST_QUOTE - 1] + "…"
    return one_line


def quoted(text: str) -> str:
    """Return `text` in quotation marks, on one line and truncated to fit a message."""
    return f'"{shortened(text)}"'


def shared_start(one: str, other: str) -> int:
    """Return the number of characters in the common prefix of two texts."""
    letters = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], letters))


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that `word` most likely misspells, or None."""
    if len(word) > _LONGEST_COMPARED:
        return None
    by_lower_case = {candidate.lower(): candidate for candidate in allowed}
    close = difflib.get_close_matches(word.strip().lower(), by_lower_case, n=1, cutoff=0.7)
    return by_lower_case[close[0]] if close else None


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return ``' Did you mean "..."?'``, or ``""`` if no allowed word is similar."""
    candidate = nearest(word, allowed)
    return f' Did you mean "{candidate}"?' if candidate is not None else ""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Return whether any finding stops the run."""
    return bool(errors_of(problems))


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Return the findings that stop the run."""
    return [problem for problem in problems if problem.severity == "error"]


def new_among(after: Sequence[Problem], before: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the findings that are new since `before`."""

    # Ignore row numbers: rows below an inserted one have moved down.
    def key(problem: Problem) -> Problem:
        return replace(problem, row=None, message=_ROW_NUMBER.sub("row", problem.message))

    known = set(map(key, before))
    return tuple(problem for problem in after if key(problem) not in known)


def _kind(problem: Problem) -> tuple[str, str, str]:
    return problem.file, problem.column, _OF_THE_CELL.sub("", problem.message)


def told_briefly(problems: Sequence[Problem], most: int) -> list[str]:
    """Return findings as lines; if more than `most`, one mistake in many cells is told briefly.

    Of findings in one column (or file) whose messages differ only in quotations and numbers, the
    first three and the place of the last are told and the others counted, so that they do not hide
    other mistakes.
    """
    alike: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems if len(problems) > most else ():
        alike.setdefault(_kind(problem), []).append(problem)
    lines = []
    for problem in problems:
        same = alike.get(_kind(problem), [problem])
        if len(same) <= _FEW or problem in same[: _FEW - 1]:
            lines.append(problem.line())
        elif problem is same[_FEW - 1]:
            message = f"the last of {len(same) - _FEW + 1} more of this kind."
            lines.append(replace(same[-1], message=message).line())
    untold = len(lines) - most
    return [*lines[:most], f"... and {counted(untold, 'more line')}"] if untold > 0 else lines


def summary(problems: Sequence[Problem], full_list: str, new: int = 0) -> str:
    """Return the closing line under a list of findings.

    Parameters
    ----------
    full_list : str
        Where to read the complete list.
    new : int
        How many of the warnings are new since the last edit.
    """
    if not problems:
        return "No errors, no warnings."
    errors = len(errors_of(problems))
    warnings = counted(len(problems) - errors, "warning") + (f" ({new} new)" if new else "")
    if not errors:
        return f"No errors, {warnings}. Full list: {full_list}"
    said = f"{counted(errors, 'error')}, {warnings}. Nothing was computed."
    return f"{said} Full list: {full_list}"


def problems_as_rows(problems: Iterable[Problem]) -> list[tuple[str, ...]]:
    """Return the findings as rows of text under `PROBLEM_COLUMNS`, ready for a CSV file."""
    return [
        tuple("" if cell is None else str(cell) for cell in astuple(problem))
        for problem in problems
    ]


def counted(number: int, noun: str) -> str:
    """Return ``no rows``, ``1 row``, ``2 rows``."""
    return f"{number or 'no'} {noun}" + ("" if number == 1 else "s")
