"""The audit as a readable page."""

from collections.abc import Sequence
from itertools import groupby

from trial_evidence.audit.findings import SEVERITIES, Finding
from trial_evidence.words.pages import filled

HEADINGS = {
    "high": "Impossible, or would change how a result is read",
    "medium": "Inconsistent: check the source",
    "low": "Worth knowing",
}


def audit_page(findings: Sequence[Finding]) -> str:
    """Return the findings as a Markdown page: open ones by severity and trial, settled ones last.

    Parameters
    ----------
    findings : sequence of Finding
        In the order of :func:`trial_evidence.audit.findings.with_notes`.
    """
    settled = [finding for finding in findings if finding.settled]
    found = {s: [f for f in findings if f.severity == s and not f.settled] for s in SEVERITIES}
    groups = {f"{s.capitalize()}: {HEADINGS[s]}": of for s, of in found.items()}
    groups["Settled"] = settled
    return filled(
        "audit.md.j2",
        _plain,
        counts={severity: len(of) for severity, of in found.items()},
        settled=len(settled),
        groups=[
            (title, len(of), [(t, list(one)) for t, one in groupby(of, lambda f: f.trial_id)])
            for title, of in groups.items()
            if of
        ],
    )


def _plain(text: str) -> str:
    """Escape Markdown characters in cells of the sheet."""
    for mark in "\\`*_<>[]":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
