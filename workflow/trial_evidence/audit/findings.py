"""Findings of the audit: what was found, where, and whether a person has looked at it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from trial_evidence.files import records

Severity = Literal["high", "medium", "low"]
Record = Mapping[str, Any]

SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
# A finding with any other decision stays among the open ones.
SETTLING = frozenset({"source_prints_this", "corrected_elsewhere", "accepted"})
NOTE_WITHOUT_FINDING = "note without finding"

FINDING_COLUMNS = [
    "id", "severity", "state", "check", "table", "rows", "trial_id", "columns", "figures",
    "look_at", "decision", "reason", "initials", "date",
]  # fmt: skip

# What tells one row of a table from the others, whatever its numbers are.
KEYS = {
    "pcr": ("trial_id", "arm_id", "definition", "population", "assessor", "subgroup", "source_id"),
    "hazard_ratios": (
        "trial_id", "experimental_arm_id", "control_arm_id", "endpoint", "analysis", "assessor",
        "subgroup", "source_id",
    ),
    "audit_notes": ("finding_id",),
}  # fmt: skip
# No digits, so that no spreadsheet makes a number or a date of an id; no vowels, so no words.
_LETTERS = "bcdfghjkmnpqrstvwxyz"
_ID_LENGTH = 8


@dataclass(frozen=True)
class Finding:
    """Something in the sheet that deserves a look in the source.

    Attributes
    ----------
    id : str
        Eight letters made of the check, the key of the rows and the values the finding rests on:
        the same finding keeps its id wherever its rows move, and gets a new one when a value
        changes.
    severity : {"high", "medium", "low"}
    check : str
        What was looked for, in words.
    table : str
        Table of the rows.
    rows : tuple of int
        Row numbers of the spreadsheet.
    trial_id : str
    columns : tuple of str
        The columns the finding rests on.
    figures : str
        What does not fit, with the numbers.
    look_at : str
        Sources and places in them to look at.
    decision, reason, initials, date : str
        From audit_notes; empty while nobody has looked.
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
    def settled(self) -> bool:
        """Whether a person has looked and found nothing more to do."""
        return self.decision in SETTLING


def finding(
    severity: Severity,
    check: str,
    table: str,
    rows: Sequence[Record],
    columns: Sequence[str],
    figures: str,
    *,
    about: str = "",
) -> Finding:
    """Make a finding about rows of one trial.

    Parameters
    ----------
    severity, check, table, figures
        As in :class:`Finding`.
    rows : sequence of mapping
        Rows of the sheet; the first one's trial is the finding's.
    columns : sequence of str
        The columns it rests on.
    about : str
        What else tells it from another finding of the same check about the same rows.
    """
    values = [str(row[key]) for row in rows for key in KEYS[table]]
    values += [canonical(row[column]) for row in rows for column in columns]
    return Finding(
        id=finding_id([check, table, about, *values]),
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
    number = int.from_bytes(digest[:8], "big")
    letters = []
    for _ in range(_ID_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def canonical(value: Any) -> str:
    """Return a cell as text that does not depend on how a number is stored."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return str(value)


def places(rows: Iterable[Record]) -> str:
    """Return where to look: each source with its places, once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        source, locator = row.get("source_id", ""), row.get("locator", "")
        if source:
            locators = found.setdefault(source, [])
            if locator and locator not in locators:
                locators.append(locator)
    return "; ".join(
        f"{source} ({' / '.join(locators)})" if locators else source
        for source, locators in found.items()
    )


def with_notes(findings: Iterable[Finding], notes: pd.DataFrame) -> list[Finding]:
    """Return the findings with what people noted on them, in reading order.

    Parameters
    ----------
    findings : iterable of Finding
    notes : DataFrame
        The table audit_notes of the sheet.

    Returns
    -------
    list of Finding
        Open findings by severity and trial, settled ones after them. A note on a finding that
        does not exist (any more) is a finding itself.
    """
    found = {finding.id: finding for finding in _distinct(findings)}
    for note in records(notes):
        identity = note["finding_id"]
        if identity in found:
            found[identity] = replace(
                found[identity],
                **{key: note[key] for key in ("decision", "reason", "initials", "date")},
            )
            continue
        words = (
            f"the note of {note['initials']} of {note['date']} ({note['decision']}: "
            f"{note['reason']}) is on {identity}, but there is no such finding: the row has "
            "changed since, or the id is mistyped"
        )
        lost = finding(
            "medium", NOTE_WITHOUT_FINDING, "audit_notes", [note], ("finding_id",), words
        )
        found[lost.id] = lost
    return sorted(found.values(), key=_order)


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return the findings as a table, one row a finding, columns ``FINDING_COLUMNS``.

    ``state`` is open, to_do or settled; several rows or columns are joined by ``;``.
    """
    return pd.DataFrame(
        [
            {
                "id": f.id,
                "severity": f.severity,
                "state": state(f),
                "check": f.check,
                "table": f.table,
                "rows": ";".join(map(str, f.rows)),
                "trial_id": f.trial_id,
                "columns": ";".join(f.columns),
                "figures": f.figures,
                "look_at": f.look_at,
                "decision": f.decision,
                "reason": f.reason,
                "initials": f.initials,
                "date": f.date,
            }
            for f in findings
        ],
        columns=FINDING_COLUMNS,
    )


def state(finding: Finding) -> str:
    """Return open, to_do or settled."""
    if finding.settled:
        return "settled"
    return "to_do" if finding.decision else "open"


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Give each of several findings with one id (a row entered twice) an id of its own."""
    seen: dict[str, int] = {}
    distinct = []
    for found in findings:
        times = seen.get(found.id, 0)
        seen[found.id] = times + 1
        identity = finding_id([found.id, str(times)]) if times else found.id
        distinct.append(replace(found, id=identity))
    return distinct


def _order(finding: Finding) -> tuple[bool, int, str, str, str, tuple[int, ...]]:
    return (
        finding.settled,
        SEVERITIES.index(finding.severity),
        finding.trial_id,
        finding.check,
        finding.table,
        finding.rows,
    )
