"""Two readers: how often they agree, and where they do not."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.files import records, write_table, write_text
from trial_evidence.measures.effects import wilson_interval
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import (
    JOINT,
    Reading,
    differing_fields,
    matching_rows,
    readings,
    sheet_holds,
)

ROWS = "row as a whole"
EVERY_TABLE = "both tables"
AGREEMENT_COLUMNS = ["table", "field", "n", "agree", "percent", "low", "high"]
DISAGREEMENT_COLUMNS = [
    "table", "trial_id", "row_key", "rows", "field", "first", "second", "first_source",
    "second_source", "second_verification", "sheet_holds", "adjudicated", "adjudicated_value",
    "chosen", "reason", "used_in",
]  # fmt: skip
UNMATCHED_COLUMNS = ["number", "table", "trial_id", "row_key", "rows", "problem"]


def reading_agreement(sheet: Sheet) -> pd.DataFrame:
    """Return how often the two readers agree, by table and field (the row as a whole first).

    A row agrees by the second reader's verdict. A field agrees where its row does, or where its
    two values are the same after rounding. Values that cannot be told apart by column count for
    the row only. ``low`` to ``high`` is the 95% Wilson interval, in percent as ``percent`` is.
    """
    counts: dict[tuple[str, str], list[bool]] = {}
    for reading in readings(sheet):
        for table in (EVERY_TABLE, reading.table):
            counts.setdefault((table, ROWS), []).append(reading.agree)
        if reading.fields == (reading.field,) and reading.field not in sheet[reading.table]:
            continue
        differ = () if reading.agree else differing_fields(reading)
        for position, field in enumerate(reading.fields):
            counts.setdefault((reading.table, field), []).append(position not in differ)
    lines = []
    for (table, field), agreed in sorted(
        counts.items(), key=lambda item: (item[0][0] != EVERY_TABLE, item[0][0], item[0][1] != ROWS)
    ):
        n, agree = len(agreed), sum(agreed)
        low, high = (100 * float(limit[0]) for limit in wilson_interval([agree], [n]))
        lines.append((table, field, n, agree, 100 * agree / n, low, high))
    return pd.DataFrame(lines, columns=AGREEMENT_COLUMNS)


def disagreements(sheet: Sheet, used: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the readings that differ, with both values, both sources and what became of them.

    Parameters
    ----------
    sheet : Sheet
        Before or after the adjudicated values were put in.
    used : DataFrame, optional
        Rows of ``used.csv`` or ``rates.csv`` of all settings: ``setting``, ``analysis``,
        ``table``, ``rows`` and ``pooled``.

    Returns
    -------
    DataFrame
        One row a reading, columns ``DISAGREEMENT_COLUMNS``. ``rows`` are the spreadsheet rows
        that the key fits, joined by ``;``; ``sheet_holds`` says by field whether they hold the
        value of the first reader, the second, both or neither; ``used_in`` names the pooled
        analyses.
    """
    decisions = records(sheet["adjudication"])
    uses: dict[tuple[str, int], list[str]] = {}
    for place, name in pooled_rows(used) if used is not None else ():
        uses.setdefault(place, []).append(name)
    lines = []
    for reading in readings(sheet):
        if reading.agree:
            continue
        rows = matching_rows(sheet, reading)
        decision: Mapping[str, Any] = next(filter(reading.settled_by, decisions), {})
        analyses = [name for row in rows for name in uses.get((reading.table, row), [])]
        holds = (JOINT.join(sheet_holds(sheet, reading, row)) for row in rows)
        about = (reading.table, reading.trial_id, reading.row_key, ";".join(map(str, rows)))
        values = (reading.field, JOINT.join(reading.first), JOINT.join(reading.second))
        first = _first_source(sheet, reading, rows)
        second = (_place(reading.source, reading.locator), reading.verification)
        settled = (decision.get(key, "") for key in ("adjudicated_value", "chosen", "reason"))
        became = ("yes" if decision else "no", *settled, "; ".join(dict.fromkeys(analyses)))
        lines.append((*about, *values, first, *second, ";".join(holds), *became))
    return pd.DataFrame(lines, columns=DISAGREEMENT_COLUMNS)


def unmatched_readings(sheet: Sheet) -> pd.DataFrame:
    """Return the readings whose key fits no row of the sheet, or several.

    ``number`` is the row of second_reading.csv, ``problem`` is ``no row`` or ``several rows``.
    """
    lines = []
    for reading in readings(sheet):
        rows = matching_rows(sheet, reading)
        if len(rows) != 1:
            about = (reading.number, reading.table, reading.trial_id, reading.row_key)
            problem = "several rows" if rows else "no row"
            lines.append((*about, ";".join(map(str, rows)), problem))
    return pd.DataFrame(lines, columns=UNMATCHED_COLUMNS)


def readers_page(agreement: pd.DataFrame, differing: pd.DataFrame, lost: pd.DataFrame) -> str:
    """Return the readers' agreement and disagreements as a Markdown page.

    Parameters
    ----------
    agreement, differing, lost : DataFrame
        As `reading_agreement`, `disagreements` and `unmatched_readings` return them.
    """
    lines = [
        "# Two readers",
        "",
        "A second reader read part of the rows again. To settle a disagreement, copy table, trial, "
        "row key and field into `data/raw/adjudication.csv` and add the value that counts; the "
        "pipeline then uses that value.",
        "",
        "## Agreement",
        "",
        "| table | what | read twice | agree | percent (95% interval) |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['table']} | {row['field']} | {row['n']} | {row['agree']} | "
        f"{row['percent']:.0f}% ({row['low']:.0f} to {row['high']:.0f}) |"
        for row in records(agreement)
    ]
    open_ones = int((differing["adjudicated"] == "no").sum())
    lines += ["", f"## Disagreements: {len(differing)}, not settled: {open_ones}", ""]
    for row in records(differing):
        place = f"row {row['rows'].replace(';', ', ')}" if row["rows"] else "no row of the sheet"
        lines.append(
            f"- **{row['trial_id']}** ({row['table']}.csv, {place}; {row['row_key']}): "
            f"{row['field']}: first reader {row['first'] or 'no value'} ({row['first_source']}), "
            f"second reader {row['second'] or 'no value'} ({row['second_source']}). "
            f"In the sheet now: {row['sheet_holds'] or 'neither'}. {_became(row)} {_used(row)}"
        )
    if len(lost):
        lines += ["", f"## Readings that fit no row, or several: {len(lost)}", ""]
        lines += [
            f"- second_reading.csv, row {row['number']} ({row['trial_id']}), {row['row_key']}: "
            f"{row['problem']}{' (' + row['rows'].replace(';', ', ') + ')' if row['rows'] else ''}"
            for row in records(lost)
        ]
    return "\n".join(lines) + "\n"


def write_readings(sheet: Sheet, used: pd.DataFrame, results: Path) -> None:
    """Write ``checks/readers.csv`` (the disagreements) and ``checks/readers.md`` into results/.

    The rows used are those of :func:`disagreements`.
    """
    differing = disagreements(sheet, used)
    page = readers_page(reading_agreement(sheet), differing, unmatched_readings(sheet))
    write_table(results / "checks" / "readers.csv", differing)
    write_text(results / "checks" / "readers.md", page)


def pooled_rows(used: pd.DataFrame) -> Iterator[tuple[tuple[str, int], str]]:
    """Table and row of the sheet of everything that is pooled, and in which analysis."""
    for row in records(used[used["pooled"] == "yes"]):
        for number in str(row["rows"]).split(";"):
            yield (row["table"], int(number)), f"{row['setting']}, {row['analysis']}"


def _first_source(sheet: Sheet, reading: Reading, rows: tuple[int, ...]) -> str:
    found = [row for row in records(sheet[reading.table]) if row["row"] in rows]
    return "; ".join(dict.fromkeys(_place(row["source_id"], row["locator"]) for row in found))


def _place(source: str, locator: str) -> str:
    return f"{source}, {locator}" if locator else source


def _became(row: Mapping[str, Any]) -> str:
    if row["adjudicated"] == "no":
        return "Not settled."
    return f"Settled: {row['adjudicated_value']} ({row['chosen']}; {row['reason']})."


def _used(row: Mapping[str, Any]) -> str:
    return f"Pooled in {row['used_in']}." if row["used_in"] else "Not pooled."
