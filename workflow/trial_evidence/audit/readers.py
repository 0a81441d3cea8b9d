"""Two readers: how often they agree, and where they do not."""

from collections.abc import Mapping
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
    """Return how often the two readers agree, by table and field.

    A row agrees by the second reader's verdict. A field agrees where its row does, or where its
    two values are the same after rounding. Values that cannot be told apart by column count for
    the row only.

    Parameters
    ----------
    sheet : Sheet

    Returns
    -------
    DataFrame
        ``table``, ``field`` (``row as a whole`` first), ``n``, ``agree``, ``percent`` and its 95%
        Wilson interval ``low`` to ``high``, in percent.
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
        low, high = wilson_interval([sum(agreed)], [len(agreed)])
        lines.append(
            {
                "table": table,
                "field": field,
                "n": len(agreed),
                "agree": sum(agreed),
                "percent": 100 * sum(agreed) / len(agreed),
                "low": 100 * float(low[0]),
                "high": 100 * float(high[0]),
            }
        )
    return pd.DataFrame(lines, columns=AGREEMENT_COLUMNS)


def disagreements(sheet: Sheet, used: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the readings that differ, with both values, both sources and what became of them.

    Parameters
    ----------
    sheet : Sheet
        Before or after the adjudicated values were put in.
    used : DataFrame, optional
        Rows of ``used.csv`` or ``rates.csv`` of all settings: ``setting``, ``analysis``,
        ``measure``, ``rows`` and ``pooled``.

    Returns
    -------
    DataFrame
        One row a reading, columns ``DISAGREEMENT_COLUMNS``. ``rows`` are the spreadsheet rows
        that the key fits, joined by ``;``; ``sheet_holds`` says by field whether they hold the
        value of the first reader, the second, both or neither; ``used_in`` names the pooled
        analyses.
    """
    decisions = records(sheet["adjudication"])
    uses = _pooled_in(used)
    lines = []
    for reading in readings(sheet):
        if reading.agree:
            continue
        rows = matching_rows(sheet, reading)
        decision: Mapping[str, Any] = next(filter(reading.settled_by, decisions), {})
        analyses = [name for row in rows for name in uses.get((reading.table, row), [])]
        lines.append(
            {
                "table": reading.table,
                "trial_id": reading.trial_id,
                "row_key": reading.row_key,
                "rows": ";".join(map(str, rows)),
                "field": reading.field,
                "first": JOINT.join(reading.first),
                "second": JOINT.join(reading.second),
                "first_source": _first_source(sheet, reading, rows),
                "second_source": _place(reading.source, reading.locator),
                "second_verification": reading.verification,
                "sheet_holds": ";".join(
                    JOINT.join(sheet_holds(sheet, reading, row)) for row in rows
                ),
                "adjudicated": "yes" if decision else "no",
                "adjudicated_value": decision.get("adjudicated_value", ""),
                "chosen": decision.get("chosen", ""),
                "reason": decision.get("reason", ""),
                "used_in": "; ".join(dict.fromkeys(analyses)),
            }
        )
    return pd.DataFrame(lines, columns=DISAGREEMENT_COLUMNS)


def unmatched_readings(sheet: Sheet) -> pd.DataFrame:
    """Return the readings whose key fits no row of the sheet, or several.

    Returns
    -------
    DataFrame
        ``number`` (row of second_reading.csv), ``table``, ``trial_id``, ``row_key``, ``rows``
        and ``problem``: ``no row`` or ``several rows``.
    """
    lines = []
    for reading in readings(sheet):
        rows = matching_rows(sheet, reading)
        if len(rows) != 1:
            lines.append(
                {
                    "number": reading.number,
                    "table": reading.table,
                    "trial_id": reading.trial_id,
                    "row_key": reading.row_key,
                    "rows": ";".join(map(str, rows)),
                    "problem": "several rows" if rows else "no row",
                }
            )
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
        "row key and field into `data/raw/adjudication.csv` and write the value that counts: the "
        "pipeline then uses it.",
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
            f"{row['field']}: first reader {row['first'] or 'nothing'} ({row['first_source']}), "
            f"second reader {row['second'] or 'nothing'} ({row['second_source']}). "
            f"The sheet holds: {row['sheet_holds'] or 'neither'}. {_became(row)} {_used(row)}"
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

    Parameters
    ----------
    sheet : Sheet
    used : DataFrame
        As in :func:`disagreements`.
    results : Path
    """
    differing = disagreements(sheet, used)
    page = readers_page(reading_agreement(sheet), differing, unmatched_readings(sheet))
    write_table(results / "checks" / "readers.csv", differing)
    write_text(results / "checks" / "readers.md", page)


def _pooled_in(used: pd.DataFrame | None) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for row in records(used[used["pooled"] == "yes"]) if used is not None else ():
        table = "hazard_ratios" if row["measure"] == "hazard_ratio" else "pcr"
        for number in str(row["rows"]).split(";"):
            found.setdefault((table, int(number)), []).append(
                f"{row['setting']}, {row['analysis']}"
            )
    return found


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
