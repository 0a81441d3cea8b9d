"""Two readers: how often they agree, and where they do not."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.files import Record, records, write_table, write_text
from trial_evidence.measures.effects import wilson_interval
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import (
    JOINT,
    differing_fields,
    matching_rows,
    readings,
    sheet_holds,
)
from trial_evidence.words import printed
from trial_evidence.words.pages import filled

ROWS = "row as a whole"
EVERY_TABLE = "all tables"
DISAGREEMENT_COLUMNS = [
    "table", "trial_id", "row_key", "rows", "field", "first", "second", "first_source",
    "second_source", "second_verification", "sheet_holds", "adjudicated", "adjudicated_value",
    "chosen", "reason", "used_in",
]  # fmt: skip
# Columns taken from second_reading.csv.
_OF_READINGS = ("table", "trial_id", "row_key", "field", "second_verification")
UNMATCHED_COLUMNS = ["number", "table", "trial_id", "row_key", "rows", "problem"]


def reading_agreement(sheet: Sheet) -> pd.DataFrame:
    """Return how often the two readers agree, by table and field (the row as a whole first).

    A row agrees according to the second reader's verdict. A field agrees if its row does, or if its
    two values are equal after rounding. Values that cannot be separated by column count for the row
    only. A reading that matches no row of the sheet is not counted; `unmatched_readings` lists it.
    ``low`` to ``high`` is the 95% Wilson interval, in percent like ``percent``.
    """
    agreed = []
    for reading in readings(sheet):
        if not matching_rows(sheet, reading):
            continue
        agreed += [(table, ROWS, reading.agree) for table in (EVERY_TABLE, reading.table)]
        field = reading.row["field"]
        if reading.fields == (field,) and field not in sheet[reading.table]:
            continue
        differ = () if reading.agree else differing_fields(reading)
        agreed += [(reading.table, f, n not in differ) for n, f in enumerate(reading.fields)]
    found = pd.DataFrame(agreed, columns=["table", "field", "agree"])
    by_field = found.groupby(["table", "field"], sort=False)["agree"]
    counts = by_field.agg(n="size", agree="sum").reset_index()
    # Within a table the row as a whole comes first, as counted.
    by_table = counts["table"].where(counts["table"] != EVERY_TABLE, "")
    counts = counts.loc[by_table.sort_values(kind="stable").index]
    limits = wilson_interval(counts["agree"], counts["n"])
    counts["percent"] = 100 * counts["agree"] / counts["n"]
    counts["low"], counts["high"] = (100 * limit for limit in limits)
    return counts


def disagreements(sheet: Sheet, used: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the readings that differ, with both values, both sources and the decision.

    Parameters
    ----------
    sheet : Sheet
        With or without the adjudicated values.
    used : DataFrame, optional
        Rows of ``used.csv`` or ``rates.csv`` of all settings: ``setting``, ``analysis``,
        ``table``, ``rows`` and ``pooled``.

    Returns
    -------
    DataFrame
        One row per reading, columns ``DISAGREEMENT_COLUMNS``. ``rows`` are the spreadsheet rows
        that match the key, joined by ``;``; ``sheet_holds`` says for each field whether they have
        the value of the first reader, the second, both or neither; ``used_in`` lists the pooled
        analyses.
    """
    decisions = records(sheet["adjudication"])
    uses: dict[tuple[str, int], list[str]] = {}
    for place, name in pooled_rows(used) if used is not None else ():
        uses.setdefault(place, []).append(name)
    lines = []
    for reading in (reading for reading in readings(sheet) if not reading.agree):
        rows = matching_rows(sheet, reading)
        decision: Mapping[str, Any] = next(filter(reading.settled_by, decisions), {})
        analyses = [name for row in rows for name in uses.get((reading.table, row), [])]
        found = [sheet.row(reading.table, row) for row in rows]
        holds = (JOINT.join(sheet_holds(sheet, reading, row)) for row in rows)
        first = dict.fromkeys(_place(row["source_id"], row["locator"]) for row in found)
        lines.append(
            {
                **{column: reading.row[column] for column in _OF_READINGS},
                "rows": ";".join(map(str, rows)),
                "first": JOINT.join(reading.first),
                "second": JOINT.join(reading.second),
                "first_source": "; ".join(first),
                "second_source": _place(reading.row["second_source"], reading.row["locator"]),
                "sheet_holds": ";".join(holds),
                "adjudicated": "yes" if decision else "no",
                **{c: decision.get(c, "") for c in ("adjudicated_value", "chosen", "reason")},
                "used_in": "; ".join(dict.fromkeys(analyses)),
            }
        )
    return pd.DataFrame(lines, columns=DISAGREEMENT_COLUMNS)


def unmatched_readings(sheet: Sheet) -> pd.DataFrame:
    """Return the readings whose key matches no row of the sheet, or several.

    ``number`` is the row of second_reading.csv, ``problem`` is ``no row`` or ``several rows``.
    """
    lines = [
        (
            *(reading.row[column] for column in ("row", "table", "trial_id", "row_key")),
            ";".join(map(str, rows)),
            "several rows" if rows else "no row",
        )
        for reading in readings(sheet)
        if len(rows := matching_rows(sheet, reading)) != 1
    ]
    return pd.DataFrame(lines, columns=UNMATCHED_COLUMNS)


def write_readings(sheet: Sheet, used: pd.DataFrame, results: Path) -> None:
    """Write ``checks/readers.csv`` (the disagreements) and ``checks/readers.md`` into results/.

    ``used`` is as for :func:`disagreements`.
    """
    differing = disagreements(sheet, used)
    page = filled(
        "readers.md.j2",
        str,
        agreement=[row | {"share": _in_percent(row)} for row in records(reading_agreement(sheet))],
        differing=records(differing),
        lost=records(unmatched_readings(sheet)),
    )
    write_table(results / "checks" / "readers.csv", differing)
    write_text(results / "checks" / "readers.md", page)


def pooled_rows(used: pd.DataFrame) -> Iterator[tuple[tuple[str, int], str]]:
    """Table and row of the sheet of everything that is pooled, with the analysis."""
    for row in records(used[used["pooled"] == "yes"]):
        for number in str(row["rows"]).split(";"):
            yield (row["table"], int(number)), f"{row['setting']}, {row['analysis']}"


def _in_percent(row: Record) -> str:
    """The share of readings that agree, with its interval, rounded as everywhere else."""
    share, low, high = (printed.number(row[column], 0) for column in ("percent", "low", "high"))
    return f"{share}% ({low} to {high})"


def _place(source: str, locator: str) -> str:
    return f"{source}, {locator}" if locator else source
