"""What a reader with access to the papers should look up first, and how much depends on it.

Listed are rows behind pooled results that nobody has verified in the primary source, or on which
two readers differ. A row's importance is how far the result moves if its number is slightly wrong
(by one event, by one unit in the last printed digit, or by the other reader's value), or without
the trial.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.comparisons import SIDES
from trial_evidence.extract.context import OF_RATIOS
from trial_evidence.extract.regimens import agent_labels, with_labels
from trial_evidence.files import Record, records
from trial_evidence.measures import MEASURES
from trial_evidence.measures.effects import log_hazard_ratio
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.report.page.sources import References, of_row, references, registry_links
from trial_evidence.report.trail.evidence import Evidence, pools_of_trials
from trial_evidence.report.trail.trace import cells_of
from trial_evidence.sensitivity.comparison import Pooled
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import matching_rows, readings, unadjudicated
from trial_evidence.sheet.values import ALL, PRIMARY, printed_decimals
from trial_evidence.words.numbers import format_number
from trial_evidence.words.printed import patients_in_words

# Kind of table -> the fields to look up.
FIELDS = {"counts": ("events", "n"), "contrasts": ("hr", "ci_low", "ci_high")}
# The fields that a row has -> how a paper prints them.
WORDS = {
    ("events", "n"): "{} of {}", ("hr",): "{}", ("hr", "ci_low", "ci_high"): "{} ({} to {})",
    ("hr", "ci_low"): "{} (from {})", ("hr", "ci_high"): "{} (up to {})",
}  # fmt: skip
COLUMNS = ["table", "row", "trial", "result", "value", "link", "place", "why", "moves"]


@dataclass(frozen=True)
class Movement:
    """A movement of a result: size in half-widths of its interval, new result in words.

    ``crosses`` says whether the interval then includes no effect, or no longer does.
    """

    share: float
    what: str
    crosses: bool


def _size(movement: Movement) -> tuple[bool, float]:
    return movement.crosses, movement.share


@dataclass(frozen=True)
class Hangs:
    """The influence of a row in one analysis: the largest movement, and those to be printed."""

    title: str
    most: Movement
    movements: tuple[Movement, ...]

    @property
    def words(self) -> str:
        """The movements in a sentence."""
        return f"{self.title}: {'; '.join(dict.fromkeys(m.what for m in self.movements))}"


def worklist(configuration: Configuration, sheet: Sheet, evidence: Evidence) -> pd.DataFrame:
    """The rows to look up, the most important first.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``, one row per row of the sheet: ``value`` is the current value, ``why``
        the reason in words, ``moves`` the largest movement in half-widths of the interval.
        Movements that change whether the interval includes no effect come first.
    """
    differ = {(row["table"], row["row"]) for row in records(unadjudicated(sheet))}
    listed: dict[tuple[str, int], list[Hangs]] = {}
    for title, c, at, arm, table, number in _pooled_rows(configuration, sheet, evidence):
        row, place = sheet.row(table, number), (table, number)
        if row["verification"] == PRIMARY and place not in differ:
            continue
        *small, without = _movements(c, sheet, table, row, at, arm)
        most = max(small, key=_size, default=without)
        found = Hangs(title, max(most, without, key=_size), (most, without))
        listed.setdefault(place, []).append(found)
    known = references(sheet["sources"])
    rows = [_listed(sheet, known, *place, found) for place, found in listed.items()]
    rows.sort(key=lambda row: (not row.pop("crosses"), -row["moves"], row["table"], row["row"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _pooled_rows(
    configuration: Configuration, sheet: Sheet, evidence: Evidence
) -> Iterator[tuple[str, Pooled, int, int, str, int]]:
    """Every row behind a pooled result: its title, the result, indices of trial and arm, place."""
    labels = agent_labels(sheet["agents"])
    for entry, lead, rows in pools_of_trials(configuration, evidence):
        own = configuration.own(entry) if isinstance(entry, Analysis) else configuration
        measure, group = lead["measure"], lead["subgroup"]
        named = "" if group == ALL else patients_in_words(with_labels(group, labels))
        regimen = "" if MEASURES[measure].compares else lead["experimental"]
        parts = (configuration.settings[entry.setting], entry.title, regimen, named)
        pooled = Pooled(
            measure=measure,
            rows=rows.reset_index(drop=True),
            level=configuration.confidence_level,
            priors=model_priors(configuration.tau_priors[measure]),
            pooling=own.pooling,
        )
        for at, trial in enumerate(records(rows)):
            cells = cells_of(trial, configuration)
            for arm, number in enumerate(cells.rows):
                yield ", ".join(filter(None, parts)), pooled, at, arm, cells.table, int(number)


def fields_of(sheet: Sheet, table: str, row: Record) -> tuple[str, ...]:
    """The fields to look up that a row has; some hazard ratios are printed without an interval."""
    return tuple(name for name in FIELDS[sheet.kinds[table]] if row[name] == row[name])


def value_of(sheet: Sheet, table: str, row: Record) -> str:
    """The value to look up, as a paper prints it: ``67 of 118``, ``0.68 (0.58 to 0.80)``."""
    fields = fields_of(sheet, table, row)
    return WORDS[fields].format(*(printed(row, field) for field in fields))


def key_of(sheet: Sheet, table: str, row: Record) -> str:
    """The row_key of second_reading.csv that identifies a row."""
    alike = sheet[table][sheet[table]["trial_id"] == row["trial_id"]]
    # The sheet may lack the column of a value that all rows have; an endpoint is the outcome.
    optional = ("subgroup",) if "endpoint" in alike else ("outcome", "subgroup")
    own = ["definition", "endpoint", *(c for c in optional if sheet[table][c].nunique() > 1)]
    names = [name for name in alike.columns if name.endswith("arm_id") or name in own]
    for more in ("population", "analysis", "assessor", "source_id", "locator"):
        same = alike[(alike[names] == [row[name] for name in names]).all(axis=1)]
        if len(same[same["status"] == "current"]) == 1:
            break
        names += [more] if more in alike.columns else []
    return ";".join(f"{name}={row[name]}" for name in names)


def printed(row: Record, field: str) -> str:
    """A number of a row as printed in its source."""
    return str(row.get(f"{field}_printed") or f"{row[field]:g}")


def _listed(
    sheet: Sheet, known: References, table: str, number: int, found: list[Hangs]
) -> dict[str, Any]:
    row = sheet.row(table, number)
    ranked = sorted(found, key=lambda hangs: _size(hangs.most), reverse=True)
    most = ranked[0].most
    trial = sheet["trials"].set_index("trial_id").loc[row["trial_id"]]
    return {
        "table": table, "row": number, "trial": trial["name"],
        "result": result_of(sheet, table, row),
        "value": value_of(sheet, table, row), "link": _link(sheet, known, row, trial["nct"]),
        "place": row["locator"],
        # A line for each result, first the one that puts the row in its place.
        "why": "\n".join(hangs.words for hangs in ranked),
        "moves": most.share, "crosses": most.crosses,
    }  # fmt: skip


def result_of(sheet: Sheet, table: str, row: Record) -> str:
    """Description of a result, for finding it in the paper."""
    labels = sheet["arms"].set_index("arm_id")["label"]
    if sheet.kinds[table] == "counts":
        what = [labels[row["arm_id"]], row["definition"], row["population"]]
    else:
        pair = (labels[row[f"{side}_arm_id"]] for side in SIDES)
        what = [" v ".join(pair), row["endpoint"], f"{row['analysis']} analysis", row["assessor"]]
    if row["subgroup"] != "all":
        what.append(row["subgroup"].replace("=", " ").replace("_", " "))
    return ", ".join(map(str, what))


def _link(sheet: Sheet, known: References, row: Record, registered: str) -> str:
    """Links to the result: the source itself, then the registry."""
    links = [link for source in of_row(known, row["source_id"]) for link in source.links]
    addresses = [link.address for link in (*links, *registry_links(registered))]
    found = sheet["sources"].loc[sheet["sources"]["source_id"] == row["source_id"], "pmcid"]
    return " ".join(dict.fromkeys(filter(None, (*addresses, *found))))


def _movements(
    c: Pooled, sheet: Sheet, table: str, row: Record, at: int, arm: int
) -> Iterator[Movement]:
    """The movement by every plausible error of a row; the last is without the trial."""
    changed = [*_errors(c, sheet, table, row, at, arm)]
    yi, vi = (np.tile(values[:, None], len(changed) + 1) for values in (c.yi, c.vi))
    for n, (_, effect, variance) in enumerate(changed, start=1):
        yi[at, n], vi[at, n] = effect, variance
    found = c.refit(yi, vi)
    rest = np.arange(c.k) != at
    without = c.refit(c.yi[rest, None], c.vi[rest, None])
    now, *each = np.hstack([found[:3], without[:3]]).T.tolist()
    names = [*(what for what, _, _ in changed), "without this trial"]
    for what, ends in zip(names, each, strict=True):
        share = abs(ends[0] - now[0]) / ((now[2] - now[1]) / 2)
        # A rate has no line of no difference.
        crosses = c.reading.compares and (now[1] <= 0 <= now[2]) != (ends[1] <= 0 <= ends[2])
        before, after = (_shown(c, value[0]) for value in (now, ends))
        side = ", and the interval crosses the line of no difference" if crosses else ""
        moved = f"moves {c.reading.short} {before} to {after}"
        if before == after:
            moved = f"leaves {c.reading.short} at {before}"
        yield Movement(share, f"{what} {moved}{side}", crosses)


def _shown(c: Pooled, value: float) -> str:
    """A pooled result as printed; of a rate a decimal more, in which small movements show."""
    natural = c.reading.factor * c.natural(value)
    if c.reading.compares:
        return format_number(natural, c.reading.digits)
    return f"{format_number(natural, c.reading.digits + 1)}%"


def _errors(
    c: Pooled, sheet: Sheet, table: str, row: Record, at: int, arm: int
) -> Iterator[tuple[str, float, float]]:
    """Every plausible error: its name, and the resulting effect and variance of the trial."""
    if sheet.kinds[table] == "counts":
        wrong = [("one event more", {"events": row["events"] + 1.0}),
                 ("one event fewer", {"events": row["events"] - 1.0})]  # fmt: skip
        worked_out = partial(_of_counts, c, at, arm, row)
    else:
        wrong = [
            (f"{field} one unit {word}", {field: row[field] + sign * unit})
            for field in fields_of(sheet, table, row)
            for unit in [10.0 ** -printed_decimals(printed(row, field))]
            for sign, word in ((1, "higher"), (-1, "lower"))
        ]
        worked_out = partial(_of_ratio, c, at)
    for what, cells in [*wrong, *_other_reader(sheet, table, row)]:
        if found := worked_out({**row, **cells}):
            yield what, *found


def _other_reader(sheet: Sheet, table: str, row: Record) -> Iterator[tuple[str, dict[str, float]]]:
    for reading in readings(sheet):
        if reading.agree or reading.table != table or reading.trial_id != row["trial_id"]:
            continue
        if row["row"] not in matching_rows(sheet, reading):
            continue
        cells = {
            field: pd.to_numeric(text, errors="coerce")
            for field, text in zip(reading.fields, reading.second, strict=True)
            if field in FIELDS[sheet.kinds[table]]
        }
        if cells and not any(map(math.isnan, cells.values())):
            yield "the second reader's value", cells


def _of_counts(
    c: Pooled, at: int, arm: int, row: Record, changed: Record
) -> tuple[float, float] | None:
    """Effect and variance of a trial in which one row changes; a rate may rest on several arms."""
    trial = c.rows.iloc[at]
    ends = [f"_{side}" for side in SIDES] if c.reading.compares else [""]
    sizes = [[float(trial[f"{field}{end}"]) for field in FIELDS["counts"]] for end in ends]
    mine = sizes[arm] if c.reading.compares else sizes[0]
    mine[:] = [
        held + float(changed[field] - row[field])
        for field, held in zip(FIELDS["counts"], mine, strict=True)
    ]
    if not all(0 <= events <= n and n > 0 for events, n in sizes):
        return None
    found = c.reading.effects(*([number] for arm_sizes in sizes for number in arm_sizes))
    return float(found.yi[0]), float(found.vi[0])


def _of_ratio(c: Pooled, at: int, row: Record) -> tuple[float, float] | None:
    found = log_hazard_ratio(*([row[name]] for name in OF_RATIOS))
    effect, variance = float(found["yi"].iloc[0]), float(found["vi"].iloc[0])
    if not (math.isfinite(effect) and math.isfinite(variance)):
        return None
    return -effect if c.rows.iloc[at]["inverted"] == "yes" else effect, variance
