"""Compare a registry record with the sheet: values that agree, differ, or could be added.

A result counts as differing only if it clearly belongs to one row. If several rows are possible, it
is not mapped; if there is none, it could be added as a row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from trial_evidence.config.registry import RegistryWords
from trial_evidence.exchange.registry.claims import Cells, Claim, Fact, Finding, Trial, Unmapped
from trial_evidence.exchange.registry.groups import clipped, sentences
from trial_evidence.sheet.adjudication import same_value
from trial_evidence.sheet.arithmetic import printed_span
from trial_evidence.sheet.cells import RawTable, Row
from trial_evidence.sheet.dictionary import Dictionary, Table
from trial_evidence.sheet.values import ALL, printed_decimals
from trial_evidence.words.problems import counted, quoted

AGREES, DIFFERS, ADDED = "Agrees", "Differs", "Could be added"
REGISTRY_NAME = "ClinicalTrials.gov"
# Kind of table -> the columns that hold a result; if they agree, it is the same result.
_RESULT = {"counts": ("events", "n"), "contrasts": ("hr",), "times": ("median_months",)}
# Columns that, with arms and outcome, distinguish the rows of a table of results.
_WHICH = ("trial_id", "definition", "endpoint", "population", "analysis", "assessor", "subgroup",
          "source_id")  # fmt: skip
_MEASURE = re.compile(r"outcomeMeasures\[([0-9]+)\]")


@dataclass(frozen=True)
class Line:
    """One cell of the sheet and the corresponding value of the record.

    Attributes
    ----------
    page : {"Agrees", "Differs", "Could be added"}
    row : int
        Row number as in a spreadsheet.
    held, found : str
        The value in the sheet, and in the record.
    path : str
        Path of the value in the record.
    which : str
        Identification of the row, from :func:`which_row`.
    """

    page: str
    trial: str
    table: str
    row: int
    column: str
    held: str
    found: str
    path: str
    note: str
    which: str


@dataclass(frozen=True)
class NewRow:
    """A row missing in the sheet; cells that the record does not fill are left out."""

    table: str
    cells: Cells
    path: str
    note: str


@dataclass(frozen=True)
class Comparison:
    """The comparison of records with the sheet; ``files`` are those that were read."""

    files: tuple[str, ...] = ()

    lines: list[Line] = field(default_factory=list)
    rows: list[NewRow] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)

    def page(self, name: str) -> list[Line]:
        """The lines of one page of the workbook."""
        return [line for line in self.lines if line.page == name]

    @property
    def in_words(self) -> list[str]:
        """The differences with their places, and the numbers of values in each category."""
        lines = [
            f"{line.table}.csv, row {line.row} ({line.trial}), column {line.column}: the sheet has "
            f"{quoted(line.held)}, the record {quoted(line.found)} ({line.path})."
            for line in self.page(DIFFERS)
        ]
        added = [*self.page(ADDED), *self.rows]
        agree, rest = len(self.page(AGREES)), len(self.unmapped)
        return [
            *lines,
            f"{counted(agree, 'value')} of {counted(len(self.files), 'record')} "
            f"{'agrees' if agree == 1 else 'agree'}, "
            f"{len(lines) or 'none'} {'differs' if len(lines) == 1 else 'differ'}, "
            f"{len(added) or 'none'} could be added, "
            f"{rest or 'none'} {'belongs' if rest == 1 else 'belong'} to no cell.",
        ]


@dataclass(frozen=True)
class Held:
    """The sheet as read from its files, with its dictionary and the vocabulary for records."""

    tables: Mapping[str, RawTable]
    dictionary: Dictionary
    words: RegistryWords

    def rows(self, table: str, trial: str) -> list[Row]:
        """The rows of a trial."""
        return [row for row in self.tables[table].rows if row.cells["trial_id"] == trial]


def which_row(table: Table, cells: Cells) -> str:
    """Text that identifies a row even after rows above it were added or removed."""
    ids = [name for name, column in table.columns.items() if column.unique == "yes"]
    which = (table.outcome_column, *_WHICH)
    names = ids or [name for name in table.columns if name.endswith("arm_id") or name in which]
    return "; ".join(f"{name}={cells[name]}" for name in names if cells.get(name))


def compare(trial: Trial, found: Iterable[Finding], held: Held, into: Comparison) -> None:
    """Compare the findings in the record of a trial with the sheet; add the results to `into`."""
    source, new = _source(trial, held)
    additions = []
    for one in found:
        if isinstance(one, Unmapped):
            into.unmapped.append(one)
        elif isinstance(one, Fact):
            into.lines.extend(_fact(one, held))
        else:
            row = _row_of(one, held, trial.record.nct_id)
            if isinstance(row, Unmapped):
                into.unmapped.append(row)
            elif row is not None:
                _put(_cells(one, row, held), trial, held, into)
            else:
                additions.append(one)
    times = Counter(claim.row for claim in additions)
    for claim in additions:
        into.rows.append(_new_row(claim, held, source, times[claim.row]))
    if additions and new is not None:
        into.rows.append(new)


def _put(lines: Iterable[Line], trial: Trial, held: Held, into: Comparison) -> None:
    """Add the lines of a result; empty cells of a row with another result are not filled in."""
    every = list(lines)
    result = _RESULT[held.dictionary.tables[every[0].table].kind] if every else ()
    other = [one.column for one in every if one.page == DIFFERS and one.column in result]
    into.lines.extend(one for one in every if one.page != ADDED or not other)
    for one in every if other else ():
        if one.page == ADDED and one.found:
            why = f"its result is another than that of row {one.row} of {one.table}.csv: "
            why += f"{' and '.join(other)} {'differs' if len(other) == 1 else 'differ'}."
            into.unmapped.append(
                trial.unmapped(f"{one.column}, {one.note}", one.found, one.path, why)
            )


def _fact(fact: Fact, held: Held) -> Iterator[Line]:
    for row in held.rows(fact.table, fact.trial):
        if all(row.cells[name] == value for name, value in fact.key.items()):
            yield _line(fact, row, held, fact.column, fact.value, fact.path, fact.note)


def _line(
    one: Fact | Claim, row: Row, held: Held, column: str, found: str, path: str, note: str
) -> Line:
    cell, which = row.cells.get(column, ""), which_row(held.dictionary.tables[one.table], row.cells)
    page = page_of(cell, found)
    return Line(page, one.trial, one.table, row.number, column, cell, found, path, note, which)


def page_of(held: str, found: str) -> str:
    """The page on which a value of the sheet and one of the record are listed."""
    if not held:
        return ADDED
    return AGREES if same_value(held, found) or _within(held, found) else DIFFERS


def _within(held: str, found: str) -> bool:
    """Whether a p value given only as a bound, such as <0.001, is compatible with the other."""
    bounded = [text.startswith("<") for text in (held, found)]
    if not any(bounded):
        return False
    one, other = float(held.removeprefix("<")), float(found.removeprefix("<"))
    return other <= one if bounded[0] else one < other


def _row_of(claim: Claim, held: Held, nct: str) -> Row | Unmapped | None:
    """The row that a result belongs to; None if there is none, Unmapped if it is not clear."""
    table = held.dictionary.tables[claim.table]
    rows = [row for row in held.rows(claim.table, claim.trial) if _fits(claim, row, held)]
    result = [name for name in _RESULT[table.kind] if name in claim.values]

    def equal(row: Row, names: Iterable[str]) -> tuple[int, int]:
        """How many values are equal, and how many of these are printed in the same way."""
        pairs = [(row.cells.get(name, ""), claim.values[name][0]) for name in names]
        same = [pair for pair in pairs if pair[0] and same_value(*pair)]
        return len(same), sum(1 for cell, found in same if cell == found)

    same = [row for row in rows if equal(row, result)[0] == len(result)]
    if same:
        return max(same, key=lambda row: equal(row, claim.values))
    definition = table.columns.get("definition")
    if definition is not None and not definition.words:
        # A result that another source defines in other words is a different result.
        known = {row.cells["source_id"] for row in held.tables["sources"].rows if _is_of(row, nct)}
        defined = claim.said["definition"].lower()
        rows = [row for row in rows if row.cells["source_id"] in known]
        rows = [row for row in rows if row.cells["definition"].lower() == defined]
    if len(rows) < 2:
        return rows[0] if rows else None
    numbers = ", ".join(str(row.number) for row in rows)
    value = ", ".join(f"{name} {value}" for name, (value, _) in claim.values.items())
    why = f"several rows of {table.file} may be meant, and none has this result: rows {numbers}."
    return Unmapped(claim.trial, claim.title, value, claim.path, why)


def _fits(claim: Claim, row: Row, held: Held) -> bool:
    """Whether a row may hold the result of a claim: nothing in it contradicts the record."""
    table, cells = held.dictionary.tables[claim.table], row.cells
    if cells.get("subgroup", ALL) != ALL or cells.get("status", "current") != "current":
        return False
    if any((cells.get(name) or table.name) != value for name, value in claim.key.items()):
        return False
    return all(
        cells.get(name, "") in {value, "", *held.words.unsaid}
        for name, value in claim.said.items()
        if table.columns[name].words
    )


def _is_of(source: Row, nct: str) -> bool:
    return source.cells.get("nct") == nct and source.cells["type"] == "registry"


def _cells(claim: Claim, row: Row, held: Held) -> Iterator[Line]:
    columns = held.dictionary.tables[claim.table].columns
    asked = [name for name in held.words.columns if name in columns and columns[name].required]
    unsaid = [name for name in asked if name not in claim.said]
    silent = f"The record does not say in known words: {', '.join(unsaid)}" if unsaid else ""
    note = clipped(sentences(claim.title, claim.note, silent))
    values = dict(claim.values)
    if "p_value" in values and not row.cells.get("p_value") and not row.cells.get("p_sided"):
        # The sheet accepts a p value only with p_sided.
        values["p_sided"] = claim.said.get("p_sided", ""), values["p_value"][1]
    for column, (found, path) in values.items():
        line = _line(claim, row, held, column, found, path, note)
        if line.page == DIFFERS and column == "hr" and _reciprocal(line.held, found):
            shown = f"{1 / float(found):.{printed_decimals(line.held)}f}"
            turned = f"1/{found} is {shown}: the record may compare the other way round. {note}"
            line = replace(line, note=turned)
        yield line


def _reciprocal(held: str, found: str) -> bool:
    """Whether a ratio may be the other's reciprocal, as far as both are printed."""
    one, other = (printed_span(float(text), printed_decimals(text)) for text in (held, found))
    opposite = (float(held) - 1) * (float(found) - 1) < 0
    return float(found) > 0 and opposite and one.low * other.low <= 1 <= one.high * other.high


def _new_row(claim: Claim, held: Held, source: str, alike: int) -> NewRow:
    table = held.dictionary.tables[claim.table]
    values = {column: value for column, (value, _) in claim.values.items()}
    fixed = {
        "trial_id": claim.trial, "subgroup": ALL, "source_id": source,
        "locator": _locator(claim.path), "verification": "primary", "status": "current",
        "derivation": "from_percent" if "reported_percent" in values else "reported",
        "note": clipped(sentences(f"Registry: {claim.title}", claim.note)),
    }  # fmt: skip
    # In a table named after its only outcome, the outcome cell is empty.
    key = {name: value for name, value in claim.key.items() if value != table.name}
    cells = fixed | key | dict(claim.said) | values
    kept = {name: cells[name] for name in table.columns if name in cells}
    others = [row.number for row in held.rows(claim.table, claim.trial) if _fits(claim, row, held)]
    there = f"The sheet has it otherwise, from another source: row {others[0]}" if others else ""
    several = f"{alike} results of the record are this row: confirm one" if alike > 1 else ""
    return NewRow(claim.table, kept, claim.path, clipped(sentences(claim.note, there, several)))


def _locator(path: str) -> str:
    measure = _MEASURE.search(path)
    part = f"outcome measure {int(measure[1]) + 1}" if measure else "adverse events"
    return f"Results, {part}"


def _source(trial: Trial, held: Held) -> tuple[str, NewRow | None]:
    """The id of the record as a source, and its row if the sheet lacks it."""
    nct, protocol = trial.record.nct_id, trial.record.protocol_section
    sponsor = protocol.sponsor_collaborators_module.lead_sponsor.name
    for row in held.tables["sources"].rows:
        if _is_of(row, nct):
            return row.cells["source_id"], None
    updated = protocol.status_module.last_update_post_date_struct
    cells = {
        "source_id": nct.lower(), "authors": sponsor, "first_author": sponsor,
        "year": updated.date[:4] if updated else "",
        "title": clipped(protocol.identification_module.brief_title),
        "title_short": f"{nct} registry record", "journal": REGISTRY_NAME, "nct": nct,
        "type": "registry",
    }  # fmt: skip
    filled = {name: value for name, value in cells.items() if value}
    note = "The record as a source; it is added with the first row that names it."
    return nct.lower(), NewRow("sources", filled, "protocolSection", note)
