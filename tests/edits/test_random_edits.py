"""Any slip in the real sheet is reported, or explains every number that changes.

An edit gives located messages or a valid sheet. Where the sheet is valid, a trial's evidence may
differ from what it was only where it rests on a row in which the analyst is told of a change.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from invented import ROOT
from sheets.invalid.faults import as_csv, rows_of
from sheets.sheet_edits import Edit, edits
from trial_evidence.config.configuration import read_configuration, unknown_agents, unknown_analyses
from trial_evidence.config.networks import read_networks
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.files import records
from trial_evidence.sheet import Sheet, check, read_dictionary
from trial_evidence.sheet.adjudication import adjudication_problems, apply_adjudications
from trial_evidence.sheet.cells import RawTable, read_cells
from trial_evidence.sheet.tables import typed_sheet
from trial_evidence.words.problems import Problem, has_errors
from trial_evidence.workbook.difference import TableDifference, table_difference

# All 2,000 edits take several minutes: `make test-edits`.
EXAMPLES = int(os.environ.get("SHEET_EDITS", "20"))
# One in this many valid sheets is extracted in full, to confirm that no other trial changes.
WHOLE = 50
DICTIONARY = read_dictionary(ROOT / "workflow/dictionary")
CONFIGURATION = read_configuration(ROOT / "config")
NETWORKS = [n.id for n in read_networks(ROOT / "config", CONFIGURATION).networks]
CONTENTS = {
    name: (ROOT / "data/raw" / table.file).read_bytes() for name, table in DICTIONARY.tables.items()
}
CELLS = {name: rows_of(content) for name, content in CONTENTS.items()}
FILES = {table.file for table in DICTIONARY.tables.values()}
# Tables that results depend on; an edit of any other table changes nothing.
BEHIND_RESULTS = {
    "agents", "trials", "arms", "pcr", "hazard_ratios", "harms", "milestones", "medians", "sources",
    "exclusions", "populations", "second_reading",
}  # fmt: skip
# (setting, analysis) -> the table it uses; and the analyses of harms, where other trials decide
# which definition is pooled.
TABLE_OF = {(a.setting, a.id): a.table for a in (*CONFIGURATION.analyses, *CONFIGURATION.rates)}
HARMS = {(a.setting, a.id) for a in CONFIGURATION.analyses if a.harm}
OF_OTHERS = ("pooled", "not_pooled_reason")
# Arms of a trial with the same regimen are summed and named in sheet order.
JOINED = {
    "arm_ids", "definition", "population", "assessor", "verification", "derivation", "source_id",
    "locator", "note",
}  # fmt: skip
ENDINGS = ("refused", "no number differs", "told")

# (setting, analysis, measure, factor, trial, regimen): rows of a unit are selected together.
Unit = tuple[str, ...]


def test_random_edits_of_the_real_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    # Reading a cell depends only on its text, so thousands of sheets share the results.
    monkeypatch.setattr(check, "read_cell", _remembered(check.read_cell))
    before, problems = _loaded(CONTENTS)
    assert before is not None, [problem.line() for problem in problems]
    original = _units(before, CONFIGURATION.settings)
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(edits(CELLS))
    def run(edit: Edit) -> None:
        valid = seen.total() - seen["refused"]
        seen[_judge(edit, before, original, whole=valid % WHOLE == 0)] += 1

    run()
    # Edits without any consequence would prove nothing.
    assert min(seen[ending] for ending in ENDINGS) >= EXAMPLES / 20, seen


def _judge(
    edit: Edit, before: Sheet, original: Mapping[Unit, list[dict[str, Any]]], *, whole: bool
) -> str:
    """Return the outcome of an edit; fail if it changed a number without a message."""
    contents = {**CONTENTS, edit.table: as_csv(edit.rows)}
    after, problems = _loaded(contents)
    for problem in problems:
        assert problem.file in FILES | {"analyses.yaml"}
        assert problem.row is None or problem.row >= 1
        assert problem.message
        assert problem.line().isprintable()
    if after is None:
        # Only rows were edited, so every message can name a row.
        assert all(problem.row for problem in problems if problem.severity == "error"), problems
        return "refused"
    trials = _at_stake(edit.table, before, edit.before) | _at_stake(edit.table, after, edit.after)
    if whole:
        trials = {*before["trials"]["trial_id"], *after["trials"]["trial_id"]}
    narrowed = _narrowed(after, trials)
    found = _units(narrowed, dict.fromkeys(narrowed["trials"]["setting"]))
    was = {unit: rows for unit, rows in original.items() if unit[4] in trials}
    differing = [
        unit
        for unit in {**was, **found}
        if _plain(was.get(unit, [])) != _plain(found.get(unit, []))
    ]
    if not differing:
        return "no number differs"
    told = _difference(edit, contents)
    assert told, f"nobody is told of a change in {edit.table}, but these differ: {differing}"
    assert edit.table in BEHIND_RESULTS, differing
    rows_before = {old.number for old, _ in told.changed} | {row.number for row in told.removed}
    rows_after = {new.number for _, new in told.changed} | {row.number for row in told.added}
    told_trials = _at_stake(edit.table, before, rows_before)
    told_trials |= _at_stake(edit.table, after, rows_after)
    for unit in differing:
        assert unit[4] in told_trials, unit
        parts = [table.get(unit, []) for table in (was, found)]
        if _plain(parts[0], "year") == _plain(parts[1], "year"):
            # The earliest source of the trial in any table.
            continue
        if edit.table in TABLE_OF.values():
            assert edit.table == TABLE_OF[unit[:2]], unit
            used_before, used_after = (_rows(table.get(unit, [])) for table in (was, found))
            assert used_before & rows_before or used_after & rows_after, (unit, told)
    return "told"


def _remembered(read: Any) -> Any:
    """The same function of a column and a text, cached for each pair."""
    cells: dict[tuple[int, str], Any] = {}

    def remembered(column: Any, text: str) -> Any:
        key = (id(column), text)
        if key not in cells:
            cells[key] = read(column, text)
        return cells[key]

    return remembered


def _loaded(contents: Mapping[str, bytes]) -> tuple[Sheet | None, list[Problem]]:
    """The sheet as every command sees it, or None if it has any error."""
    read = check.read_tables(contents, DICTIONARY)
    tables, found = check.check_sheet(*read, DICTIONARY)
    problems = list(found)
    if has_errors(problems):
        return None, problems
    sheet = typed_sheet(tables)
    problems += unknown_agents(CONFIGURATION, list(sheet["agents"]["agent"]))
    problems += unknown_analyses(CONFIGURATION, sheet["exclusions"], NETWORKS)
    problems += adjudication_problems(sheet, DICTIONARY)
    if has_errors(problems):
        return None, problems
    return apply_adjudications(sheet, DICTIONARY), problems


def _at_stake(table: str, sheet: Sheet, rows: Iterable[int]) -> set[str]:
    """Trials of the rows of a table."""
    frame = sheet[table][sheet[table]["row"].isin(list(rows))]
    if "trial_id" in frame.columns:
        return set(frame["trial_id"])
    if table == "sources":
        cited = [sheet[name] for name in sheet.results]
        ids = frame["source_id"]
        return {t for rows in cited for t in rows.loc[rows["source_id"].isin(ids), "trial_id"]}
    if table == "agents":
        names = set(frame["agent"])
        agents = sheet["agents"]
        names |= set(agents.loc[agents["parent_antibody"].isin(names), "agent"])
        arms = sheet["arms"]
        given_agents = arms["agents"].map(lambda text: bool(names & set(text.split("+"))))
        return set(arms.loc[given_agents, "trial_id"])
    return set()


def _narrowed(sheet: Sheet, trials: set[str]) -> Sheet:
    """The sheet reduced to some trials: no trial's evidence depends on another's."""
    return Sheet(
        MappingProxyType(
            {
                name: frame[frame["trial_id"].isin(trials)].reset_index(drop=True)
                if "trial_id" in frame.columns
                else frame
                for name, frame in sheet.tables.items()
            }
        ),
        sheet.kinds,
    )


def _units(sheet: Sheet, named: Iterable[str]) -> dict[Unit, list[dict[str, Any]]]:
    """Evidence by unit; rows of several levels that are selected together form one unit."""
    units: dict[Unit, list[dict[str, Any]]] = defaultdict(list)
    for setting in named:
        evidence = extract_setting(sheet, CONFIGURATION, setting)
        for record in (*records(evidence.used), *records(evidence.rates)):
            rate = record["measure"] == "proportion"
            level = record["subgroup"] if rate else record["subgroup"].partition("=")[0]
            unit = (setting, record["analysis"], record["measure"], level, record["trial_id"],
                    record.get("regimen_label", ""))  # fmt: skip
            units[unit].append(record)
    return units


def _plain(found: list[dict[str, Any]], *but: str) -> list[dict[str, Any]]:
    """The content that results or figures can show; rows, and so the order of arms, may move."""
    return [
        {
            name: sorted(part.strip() for part in value.split(";"))
            if record["measure"] == "proportion" and name in JOINED
            else repr(value)
            for name, value in record.items()
            if name not in ("rows", *but)
            and not (name in OF_OTHERS and (record["setting"], record["analysis"]) in HARMS)
        }
        for record in found
    ]


def _difference(edit: Edit, contents: Mapping[str, bytes]) -> TableDifference:
    old, new = (_raw(edit.table, files[edit.table]) for files in (CONTENTS, contents))
    return table_difference(old, new)


@lru_cache(maxsize=2 * len(CONTENTS))
def _raw(table: str, content: bytes) -> RawTable:
    raw, problems = read_cells(DICTIONARY.tables[table], content)
    assert raw is not None, problems
    return raw


def _rows(found: list[dict[str, Any]]) -> set[int]:
    return {int(row) for record in found for row in str(record["rows"]).split(";")}
