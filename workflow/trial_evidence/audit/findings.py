"""Findings of the audit: what was found, where, and whether a person has reviewed it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

import pandas as pd

from trial_evidence.audit.rows import PAIR
from trial_evidence.files import Record, records

Severity = Literal["high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
# A finding with any other decision is not settled.
SETTLING = frozenset({"source_prints_this", "corrected_elsewhere", "accepted"})
NOTE_WITHOUT_FINDING = "note without finding"

FINDING_COLUMNS = [
    "id", "severity", "state", "check", "table", "rows", "trial_id", "columns", "figures",
    "look_at", "decision", "reason", "initials", "date",
]  # fmt: skip
# Columns that identify a row among those of its kind, whatever its numbers.
_RESULT = ("assessor", "subgroup", "source_id")
KEYS = {
    "counts": ("trial_id", "arm_id", "definition", "population", *_RESULT),
    "contrasts": ("trial_id", *PAIR, "outcome", "analysis", *_RESULT),
    "rates": ("trial_id", "arm_id", "outcome", "months", "population", *_RESULT),
    "times": ("trial_id", "arm_id", "outcome", *_RESULT),
    "notes": ("finding_id",),
}
# No digits, so that spreadsheets do not turn an id into a number or date; no vowels, so no words.
_LETTERS = "bcdfghjkmnpqrstvwxyz"
_ID_LENGTH = 8


@dataclass(frozen=True)
class Finding:
    """Something in the sheet to check in the source.

    Attributes
    ----------
    id : str
        Eight letters derived from the check, the key of the rows and the values the finding is
        based on: a finding keeps its id if its rows move, and gets a new one if a value changes.
    check : str
        Name of the check.
    table : str
        Table of the rows.
    rows : tuple of int
        Row numbers of the spreadsheet.
    columns : tuple of str
        The columns the finding is based on.
    figures : str
        What does not fit, with the numbers.
    look_at : str
        Sources to consult, with the place in each.
    decision, reason, initials, date : str
        From audit_notes; empty until somebody has reviewed it.
    """

    id: str
    severity: Severity
    check: str
    table: str
    rows: tuple[int, ...]
    trial_id: str
    columns: tuple[str, ...]
    figures: str
    look_at: str
    decision: str = ""
    reason: str = ""
    initials: str = ""
    date: str = ""

    @property
    def state(self) -> str:
        """Its state: open, to_do or settled."""
        return "settled" if self.settled else "to_do" if self.decision else "open"

    @property
    def settled(self) -> bool:
        """Whether somebody has reviewed it and nothing remains to be done."""
        return self.decision in SETTLING


def finding(
    severity: Severity,
    check: str,
    rows: Sequence[Record],
    columns: Sequence[str],
    figures: str,
    *,
    about: str = "",
) -> Finding:
    """Make a finding about rows of one table, for the trial of the first row.

    `about` distinguishes findings of the same check about the same rows.
    """
    table = rows[0]["table"]
    # A note must still fit its finding after the sheet has been sorted.
    values = sorted(
        (
            *(str(row.get(key, "")) for key in KEYS[row["kind"]]),
            *(canonical(row[column]) for column in columns),
        )
        for row in rows
    )
    return Finding(
        id=finding_id([check, table, about, *chain.from_iterable(values)]),
        severity=severity,
        check=check,
        table=table,
        rows=tuple(sorted({int(row["row"]) for row in rows})),
        trial_id=str(rows[0].get("trial_id", "")),
        columns=tuple(columns),
        figures=figures,
        look_at=places(rows),
    )


def finding_id(parts: Iterable[str]) -> str:
    """Return eight letters that depend on every part and on their order."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8")).digest()
    number, size = int.from_bytes(digest[:8], "big"), len(_LETTERS)
    return "".join(_LETTERS[number // size**place % size] for place in range(_ID_LENGTH))


def canonical(value: Any) -> str:
    """Return a cell as text, independent of how a number is stored."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return str(value)


def places(rows: Iterable[Record]) -> str:
    """Return where to look: each source once, with the places in it."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if source := row.get("source_id", ""):
            found.setdefault(source, {})[row.get("locator", "")] = None
    said = {source: " / ".join(filter(None, locators)) for source, locators in found.items()}
    return "; ".join(f"{source} ({of})" if of else source for source, of in said.items())


def with_notes(findings: Iterable[Finding], notes: pd.DataFrame) -> list[Finding]:
    """Return the findings with reviewers' notes, in reading order.

    Open findings come first, by severity and trial, then settled ones. A note (in the table
    audit_notes) on a finding that does not exist, or no longer does, is a finding itself.
    """
    found = {finding.id: finding for finding in _distinct(findings)}
    for note in records(notes):
        identity = note["finding_id"]
        if identity in found:
            noted = {key: note[key] for key in ("decision", "reason", "initials", "date")}
            found[identity] = replace(found[identity], **noted)
            continue
        words = (
            f"the note by {note['initials']} of {note['date']} ({note['decision']}: "
            f"{note['reason']}) is about {identity}, but there is no such finding: the row has "
            "changed since, or the letters are mistyped"
        )
        row = {**note, "table": "audit_notes", "kind": "notes"}
        lost = finding("medium", NOTE_WITHOUT_FINDING, [row], ("finding_id",), words)
        found[lost.id] = lost

    def order(one: Finding) -> tuple[Any, ...]:
        severity = SEVERITIES.index(one.severity)
        return one.settled, severity, one.trial_id, one.check, one.table, one.rows

    return sorted(found.values(), key=order)


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return the findings as a table, one row per finding, columns ``FINDING_COLUMNS``.

    ``state`` is open, to_do or settled; several rows or columns are joined by ``;``.
    """
    rows = [[getattr(found, column) for column in FINDING_COLUMNS] for found in findings]
    cells = [[";".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in r] for r in rows]
    return pd.DataFrame(cells, columns=FINDING_COLUMNS)


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Give findings that share an id (from a row entered twice) separate ids."""
    seen: Counter[str] = Counter()
    distinct = []
    for found in findings:
        times = seen[found.id]
        seen[found.id] += 1
        distinct.append(replace(found, id=finding_id([found.id, str(times)])) if times else found)
    return distinct
