"""Warnings where the order of the rows in the sheet decides what an analysis uses."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import ANY_OTHER, FILE, Analysis, Configuration
from trial_evidence.extract.comparisons import trial_evidence
from trial_evidence.extract.context import OF_RATIOS, setting_context
from trial_evidence.extract.contrasts import contrasts_of_setting, matches
from trial_evidence.extract.narrowed import of_trials
from trial_evidence.extract.selection import inadmissible
from trial_evidence.files import Record, records
from trial_evidence.measures.effects import log_hazard_ratio
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL
from trial_evidence.words.problems import Problem

_PAIR = ("experimental_arm_id", "control_arm_id")
# By kind of table: the columns that say what a result is of.
_SUBJECTS = {
    "counts": ["trial_id", "arm_id", "outcome", "subgroup"],
    "contrasts": ["trial_id", *_PAIR, "outcome", "subgroup"],
}


def undecided_contrasts(sheet: Sheet, configuration: Configuration) -> Iterator[Problem]:
    """A warning for each trial in which an analysis could as well use another contrast.

    Of such contrasts the first is used.
    """
    sizes = sheet["arms"]["trial_id"].value_counts()
    # A trial of two arms has a single contrast.
    sheet = of_trials(sheet, sizes.index[sizes > 2])
    for setting in configuration.settings:
        contrasts = contrasts_of_setting(sheet, setting)
        # Most harms of a setting have the same rule.
        ways = {
            analysis.contrast: [matches(way, analysis) for way in (contrasts, contrasts[::-1])]
            for analysis in {a.contrast: a for a in configuration.of_setting(setting)}.values()
        }
        for analysis in configuration.of_setting(setting):
            forwards, backwards = both = ways[analysis.contrast]
            tied = [trial for trial, found in forwards.items() if found != backwards[trial]]
            if not tied:
                continue
            pairs = _pairs_used(of_trials(sheet, tied), configuration, analysis, both)
            for trial, (first, last) in pairs.items():
                if first == last:
                    continue
                message = (
                    f"{setting}/{analysis.id}: two comparisons of {trial} fit equally well, "
                    f"{first} and {last}. {first} is used, because its arms come first in "
                    "arms.csv. Name the agents of control (or experimental) in order of "
                    f'preference; "{ANY_OTHER}" at the end admits all others.'
                )
                yield Problem("warning", FILE, None, "", "analyses.contrast", analysis.id, message)


def _pairs_used(
    sheet: Sheet,
    configuration: Configuration,
    analysis: Analysis,
    ways: Sequence[Mapping[str, list[Record]]],
) -> dict[str, list[str]]:
    """Trial -> the arms that an analysis compares in all patients, by each order of contrasts."""
    context = setting_context(sheet, configuration, analysis.setting)

    def pair(contrasts: list[Record]) -> str:
        rows, _ = trial_evidence(context, analysis, contrasts, (ALL,))
        return "".join(" v ".join(row[side] for side in _PAIR) for row in rows[:1])

    return {trial: [pair(way[trial]) for way in ways] for trial in context.admitted(analysis)}


def undecided_rows(sheet: Sheet, configuration: Configuration) -> Iterator[Problem]:
    """A warning for each row that no preference separates from another with a different result."""
    selection = configuration.selection
    for name, orders in selection.orders.items():
        subject = _SUBJECTS[sheet.kinds[name]]
        alike = [*subject, *(column for column in orders if column not in subject)]
        table = sheet[name]
        table = _with_effects(table[table.duplicated(alike, keep=False)])
        first: dict[tuple[str, ...], Record] = {}
        for row in (row for row in records(table) if not inadmissible(row, selection)):
            earlier = first.setdefault(tuple(str(row[column]) for column in alike), row)
            if (here := _in_words(row)) != (there := _in_words(earlier)):
                message = (
                    f"no preference separates {here} from {there} in row {earlier['row']}, which "
                    "comes first and is used. If one replaces the other, mark the other as "
                    "superseded."
                )
                place = f"{name}.csv", int(row["row"]), str(row["trial_id"])
                yield Problem("warning", *place, "status", "", message)


def _with_effects(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a standard error, if they are ratios; all others."""
    if "hr" not in table:
        return table
    known = np.isfinite(log_hazard_ratio(*(table[column] for column in OF_RATIOS))["vi"])
    rows: pd.DataFrame = table.loc[known.to_numpy()]
    return rows


def _in_words(row: Record) -> str:
    if "hr" not in row:
        return f"{row['events']:g} of {row['n']:g}"
    known = row["ci_low"] == row["ci_low"] and row["ci_high"] == row["ci_high"]
    return f"{row['hr']:g}" + (f" ({row['ci_low']:g} to {row['ci_high']:g})" if known else "")
