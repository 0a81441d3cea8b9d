"""The audit as a page that a person reads."""

from collections.abc import Iterable, Sequence

from trial_evidence.audit.findings import SEVERITIES, Finding

HEADINGS = {
    "high": "Impossible, or would change how a result is read",
    "medium": "Inconsistent: check the source",
    "low": "Worth knowing",
}
_INTRODUCTION = (
    "Results that deserve a second look in the source. Nothing here stops a run: a finding "
    "may be what the source prints. To settle one, copy its eight letters into "
    "`data/raw/audit_notes.csv` with a decision, the reason, your initials and the date. It then "
    "moves to the end of this page, and comes back if the row changes. "
    "`docs/reading-the-messages.md` explains each kind of finding."
)


def audit_page(findings: Sequence[Finding]) -> str:
    """Return the findings as a Markdown page: open ones by severity and trial, settled ones last.

    Parameters
    ----------
    findings : sequence of Finding
        In the order of :func:`trial_evidence.audit.findings.with_notes`.
    """
    open_ones = [finding for finding in findings if not finding.settled]
    settled = [finding for finding in findings if finding.settled]
    counts = ", ".join(
        f"{sum(f.severity == severity for f in open_ones)} {severity}" for severity in SEVERITIES
    )
    lines = ["# Audit of the sheet", "", _INTRODUCTION, ""]
    lines += [f"Open: {len(open_ones)} ({counts}). Settled: {len(settled)}."]
    for severity in SEVERITIES:
        group = [finding for finding in open_ones if finding.severity == severity]
        if group:
            lines += ["", f"## {severity.capitalize()}: {HEADINGS[severity]} ({len(group)})"]
            lines += _by_trial(group)
    if settled:
        lines += ["", f"## Settled ({len(settled)})"]
        lines += _by_trial(settled)
    return "\n".join(lines) + "\n"


def _by_trial(findings: Iterable[Finding]) -> list[str]:
    lines: list[str] = []
    trial = None
    for finding in findings:
        if finding.trial_id != trial:
            trial = finding.trial_id
            lines += ["", f"### {_plain(trial) or 'The sheet'}", ""]
        lines.append(_entry(finding))
    return lines


def _entry(finding: Finding) -> str:
    rows = ", ".join(map(str, finding.rows))
    place = f"{finding.table}.csv, row{'s' if len(finding.rows) > 1 else ''} {rows}"
    text = f"- `{finding.id}` **{finding.check}** ({place}): {_plain(finding.figures)}"
    if finding.look_at:
        text += f" Check: {_plain(finding.look_at)}."
    if finding.decision:
        text += (
            f" *{finding.decision.replace('_', ' ')}: {_plain(finding.reason)} "
            f"({_plain(finding.initials)}, {finding.date})*"
        )
    return text


def _plain(text: str) -> str:
    """Keep Markdown from reading marks in the cells of the sheet."""
    for mark in "\\`*_<>[]":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
