"""Ids of findings, reviewers' notes on them, and the page."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from audit_sheets import DICTIONARY, FROZEN, REAL, ROOT, Row, row_of, sheet_with
from trial_evidence.audit import counts, effects, hazards, sources
from trial_evidence.audit.findings import (
    FINDING_COLUMNS,
    NOTE_WITHOUT_FINDING,
    Finding,
    finding_id,
    findings_table,
)
from trial_evidence.audit.page import audit_page
from trial_evidence.audit.stage import audit_findings, write_audit
from trial_evidence.config.configuration import read_configuration
from trial_evidence.extract.columns import RATE_COLUMNS, USED_COLUMNS
from trial_evidence.files import write_table
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.sheet import load_sheet

FAULT = ("pcr", 2, {"events": "48"})


def _fault(**cells: str) -> Finding:
    (found,) = counts.stricter_definitions(sheet_with([("pcr", 2, {"events": "48", **cells})]))
    return found


def test_ids_stay_when_the_sheet_is_sorted(tmp_path: Path) -> None:
    for path in FROZEN.glob("*.csv"):
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        # No cell of the frozen sheet has a line break.
        (tmp_path / path.name).write_text("\n".join([head, *rows[::-1], ""]), encoding="utf-8")
    before, after = ({found.id for found in _findings(sheet)} for sheet in (FROZEN, tmp_path))
    assert before
    assert after == before


@functools.cache
def _findings(sheet: Path) -> list[Finding]:
    families = [analysis.endpoints for analysis in read_configuration(ROOT / "config").analyses]
    return audit_findings(load_sheet(sheet, DICTIONARY)[0], families=families)


def _note(identity: str, decision: str) -> tuple[str, Row]:
    cells = {
        "finding_id": identity,
        "decision": decision,
        "reason": "Table 2 prints it.",
        "initials": "AB",
        "date": "2026-11-22",
    }
    return "audit_notes", cells


def test_an_id_is_eight_letters_that_no_spreadsheet_reads_as_something_else() -> None:
    assert re.fullmatch("[bcdfghjkmnpqrstvwxyz]{8}", _fault().id)


def test_an_id_stays_when_rows_move() -> None:
    moved = sheet_with([("pcr", 2, {"status": "superseded"})], [row_of("pcr", 2, events="48")])
    (found,) = counts.stricter_definitions(moved)
    assert found.rows != _fault().rows
    assert found.id == _fault().id


@pytest.mark.parametrize("cells", [{"events": "49"}, {"source_id": "doe_2020_trial_b"}])
def test_an_id_changes_with_a_value_or_a_key(cells: dict[str, str]) -> None:
    assert _fault(**cells).id != _fault().id


def test_an_id_does_not_change_with_a_note() -> None:
    assert _fault(note="looked at again").id == _fault().id


def test_parts_of_an_id_are_kept_apart() -> None:
    assert finding_id(["ab", "c"]) != finding_id(["a", "bc"])


def test_a_settled_finding_stands_last() -> None:
    noted = audit_findings(sheet_with([FAULT], [_note(_fault().id, "source_prints_this")]))
    assert noted[-1].id == _fault().id
    assert noted[-1].settled
    assert noted[-1].reason == "Table 2 prints it."


def test_a_finding_to_do_stays_open() -> None:
    noted = audit_findings(sheet_with([FAULT], [_note(_fault().id, "to_do")]))
    found = next(f for f in noted if f.id == _fault().id)
    assert (found.settled, found.decision) == (False, "to_do")


def test_a_settled_finding_comes_back_when_its_row_changes() -> None:
    changed = ("pcr", 2, {"events": "49"})
    noted = audit_findings(sheet_with([changed], [_note(_fault().id, "accepted")]))
    again = next(f for f in noted if f.check == counts.DEFINITIONS)
    assert not again.settled
    lost = next(f for f in noted if f.check == NOTE_WITHOUT_FINDING)
    assert _fault().id in lost.figures


def test_a_row_entered_twice_makes_two_findings() -> None:
    findings = audit_findings(sheet_with([FAULT], [row_of("pcr", 2, events="48")]))
    ids = [f.id for f in findings]
    assert len([f for f in findings if f.check == counts.DEFINITIONS]) == 2
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("sheet", [REAL, FROZEN], ids=["real", "frozen"])
def test_findings_stand_by_severity_then_trial(sheet: Path) -> None:
    findings = _findings(sheet)
    order = [("high", "medium", "low").index(f.severity) for f in findings]
    assert order == sorted(order)
    high = [f.trial_id for f in findings if f.severity == "high"]
    assert high == sorted(high)


def test_the_table_has_its_columns_and_one_row_a_finding() -> None:
    findings = audit_findings(sheet_with([FAULT]))
    table = findings_table(findings)
    assert list(table.columns) == FINDING_COLUMNS
    assert list(table["id"]) == [f.id for f in findings]


def test_the_page_shows_open_findings_first_and_says_who_settled_the_others() -> None:
    fault = ("pcr", 2, {"events": "48", "reported_percent": "45.7"})
    edits = [fault, ("pcr", 8, {"reported_percent": "45.7"})]
    page = audit_page(audit_findings(sheet_with(edits, [_note(_fault().id, "accepted")])))
    # The levels add up to 42, not 48; 45.7% is not 47 of 105; one row is unverified.
    assert "Open: 3 (1 high, 1 medium, 1 low). Settled: 1." in page
    assert page.index("45.7% is printed") < page.index("## Settled") < page.index(_fault().id)
    assert "*accepted: Table 2 prints it. (AB, 2026-11-22)*" in page


def test_what_remains_to_be_done_is_told_with_the_open_finding() -> None:
    page = audit_page(audit_findings(sheet_with([FAULT], [_note(_fault().id, "to_do")])))
    assert "Settled: 0." in page
    assert "*to do: Table 2 prints it. (AB, 2026-11-22)*" in page


def test_cells_do_not_become_markup() -> None:
    page = audit_page([_fault(source_id="doe_2020_trial_b")])
    assert "doe\\_2020\\_trial\\_b" in page


def test_findings_and_readers_are_written(tmp_path: Path) -> None:
    processed, results = tmp_path / "processed", tmp_path / "results"
    write_table(processed / "adjuvant" / "used.csv", pd.DataFrame(columns=USED_COLUMNS))
    write_table(processed / "adjuvant" / "rates.csv", pd.DataFrame(columns=RATE_COLUMNS))
    trials = pd.DataFrame(columns=list(dict.fromkeys([*USED_COLUMNS, *TRIAL_NUMBERS])))
    write_table(results / "adjuvant" / "trials.csv", trials)
    configuration = replace(read_configuration(ROOT / "config"), settings={"adjuvant": "Adjuvant"})
    sheet = sheet_with([FAULT])
    write_audit(sheet, sheet, configuration, processed, results)
    assert _fault().id in (results / "checks" / "audit.csv").read_text(encoding="utf-8")
    assert _fault().id in (results / "checks" / "audit.md").read_text(encoding="utf-8")
    assert (results / "checks" / "readers.md").is_file()


def test_a_sheet_without_doubts_has_a_page_that_says_so() -> None:
    assert "Open: 0 (0 high, 0 medium, 0 low). Settled: 0." in audit_page([])


@pytest.mark.parametrize(
    ("check", "trial", "words"),
    [
        ("p value against interval", "phila", "as one-sided"),
        ("levels against the whole", "cherlob", "19 events in 44 patients"),
        ("far from its own other result", "precious", "1.03 (90% ? to 1.36)"),
        ("far from its own other result", "kristine", "2.61 (95% 1.36 to 4.98)"),
        ("p value against interval", "nsabp_b41", "p = 0.37 (two-sided)"),
        ("two sources disagree", "marianne", "0.902 (95% 0.751 to 1.084)"),
        ("hazard ratio jumps", "alternative", "0.71 (95% 0.51 to 0.98)"),
        ("percent against counts", "neoaltto", "46.8% is printed, but 68 of 145"),
        ("not verified", "marianne", "5 hazard ratios"),
        ("first-hand source not read", "calgb40601", "3 counts"),
    ],
)
def test_known_doubts_of_the_frozen_sheet_are_found(check: str, trial: str, words: str) -> None:
    findings = _findings(FROZEN)
    found = [f.figures for f in findings if (f.check, f.trial_id) == (check, trial)]
    assert any(words in figures for figures in found)


def test_every_kind_of_finding_is_explained() -> None:
    explained = (ROOT / "docs" / "reading-the-messages.md").read_text(encoding="utf-8")
    kinds = [
        counts.LEVELS_V_WHOLE, counts.LEVELS_INCOMPLETE, counts.PERCENT, counts.DEFINITIONS,
        counts.ALL_RANDOMISED, hazards.EVENTS_FALL, hazards.FOLLOW_UP, hazards.JUMP,
        hazards.WIDER, hazards.EVENTS_V_INTERVAL, hazards.MEDIANS, hazards.P_VALUE,
        sources.CONFLICT, sources.TOO_EARLY, sources.UNVERIFIED, sources.SECOND_HAND,
        sources.NO_LOCATOR, effects.OWN_RESULTS, effects.POOL, NOTE_WITHOUT_FINDING,
    ]  # fmt: skip
    assert [kind for kind in kinds if f"**{kind}**" not in explained] == []
