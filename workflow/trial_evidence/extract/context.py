"""The sheet of one setting, indexed for look-ups, and helpers shared by all kinds of evidence."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.methods import Selection
from trial_evidence.extract.contrasts import trial_contrasts
from trial_evidence.extract.regimens import agent_labels, arm_regimens
from trial_evidence.extract.selection import excluded, inadmissible
from trial_evidence.files import Record, records, records_by
from trial_evidence.measures.effects import log_hazard_ratio
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import unadjudicated
from trial_evidence.sheet.values import ALL

# Columns from which a log ratio and its standard error are computed.
OF_RATIOS = ("hr", "ci_low", "ci_high", "ci_level", "p_value", "p_value_operator", "p_sided",
             "events_experimental", "events_control")  # fmt: skip


@dataclass(frozen=True)
class Context:
    """The sheet, restricted to one setting; `rows` and `of_arm` are keyed by table of results."""

    setting: str
    trials: Mapping[str, Record]
    arms: pd.DataFrame
    randomised: Mapping[str, float]
    contrasts: pd.DataFrame
    rows: Mapping[str, Mapping[int, Record]]
    of_arm: Mapping[str, Mapping[Any, Iterable[int]]]
    years: Mapping[str, float]
    labels: Mapping[str, str]
    exclusions: Mapping[str, Sequence[Record]]
    differing: Mapping[tuple[str, int], str]
    populations: pd.DataFrame
    configuration: Configuration

    @property
    def selection(self) -> Selection:
        """Admission rules and orders of preference."""
        return self.configuration.selection

    def candidates(
        self, analysis: Analysis | RateAnalysis, arms: Sequence[str], levels: Sequence[str]
    ) -> dict[int, Record]:
        """Rows that suit an analysis, for these arms and levels, in sheet order.

        A row of contrasts is found by its experimental arm only.
        """
        rows, of_arm = self.rows[analysis.table], self.of_arm[analysis.table]
        labels = sorted(label for arm in dict.fromkeys(arms) for label in of_arm.get(arm, ()))
        return {
            label: rows[label]
            for label in labels
            if rows[label]["outcome"] in analysis.endpoints and rows[label]["subgroup"] in levels
        }

    def admitted(self, analysis: Analysis) -> list[str]:
        """Ids of the trials that an analysis may include."""
        rule = analysis.trials
        first, last = rule.years or (-np.inf, np.inf)
        return [
            trial_id
            for trial_id, trial in self.trials.items()
            if all(trial[column] in words for column, words in rule.where.items())
            and (rule.years is None or first <= self.years.get(trial_id, np.nan) <= last)
        ]

    def excluded(
        self, trial_id: str, arms: Sequence[str], analysis: str, subgroup: str
    ) -> str | None:
        """Why a trial or arm is shown but not pooled; None if it is pooled."""
        return excluded(self.exclusions.get(trial_id, ()), arms, analysis, subgroup)

    def about(
        self, analysis: str, trial_id: str, arms: Sequence[str], level: str
    ) -> dict[str, Any]:
        """Columns of the evidence that do not depend on its kind."""
        reason = self.excluded(trial_id, arms, analysis, level)
        return {
            "setting": self.setting,
            "analysis": analysis,
            "subgroup": level,
            "trial_id": trial_id,
            "trial": self.trials[trial_id]["label"],
            "year": self.years.get(trial_id, np.nan),
            "pooled": "no" if reason else "yes",
            "not_pooled_reason": reason or "",
        }


def setting_context(sheet: Sheet, configuration: Configuration, setting: str) -> Context:
    """Restrict the sheet to one setting and index it."""
    trials = sheet["trials"]
    trials = trials[trials["setting"] == setting]
    trials = trials.assign(label=trials["name"].map(trial_label))

    def of_setting(table: str) -> pd.DataFrame:
        rows = sheet[table]
        return rows[rows["trial_id"].isin(trials["trial_id"])].reset_index(drop=True)

    results = {table: of_setting(table) for table in sheet.of_kind("counts")}
    for table in sheet.of_kind("contrasts"):
        rows = of_setting(table)
        effects = log_hazard_ratio(*(rows[column] for column in OF_RATIOS))
        results[table] = rows.join(effects[["yi", "vi", "se_source"]])
    arms = arm_regimens(of_setting("arms"))
    return Context(
        setting=setting,
        trials={row["trial_id"]: row for row in records(trials)},
        arms=arms,
        randomised=dict(zip(arms["arm_id"], arms["n_randomised"], strict=True)),
        contrasts=trial_contrasts(arms, trials, sheet["agents"]),
        rows={table: dict(enumerate(records(rows))) for table, rows in results.items()},
        of_arm={
            table: rows.groupby("arm_id" if "arm_id" in rows else "experimental_arm_id").groups
            for table, rows in results.items()
        },
        years=first_report_years(sheet),
        labels=agent_labels(sheet["agents"]),
        exclusions=records_by(sheet["exclusions"], "trial_id"),
        differing=readers_differ(sheet, set(trials["trial_id"])),
        populations=sheet["populations"],
        configuration=configuration,
    )


def first_report_years(sheet: Sheet) -> dict[str, float]:
    """Year in which each trial was first reported; NaN if unknown.

    Taken from trials.csv or, if the cell is empty, the earliest year of the sources of its results.
    """
    sources, trials = sheet["sources"], sheet["trials"]
    years = dict(zip(sources["source_id"], sources["year"], strict=True))
    cited = pd.concat(sheet[name][["trial_id", "source_id"]] for name in sheet.results)
    cited = cited.assign(year=cited["source_id"].map(years).astype(float))
    earliest = cited.groupby("trial_id")["year"].min()
    first = trials["first_report_year"].fillna(trials["trial_id"].map(earliest)).astype(float)
    return dict(zip(trials["trial_id"], first, strict=True))


def readers_differ(sheet: Sheet, trials: Collection[str]) -> dict[tuple[str, int], str]:
    """Rows of these trials with unsettled disagreements between two readers.

    Returns
    -------
    dict
        (table, row number of the spreadsheet) -> the differing values, in words.
    """
    words: dict[tuple[str, int], list[str]] = {}
    for record in records(unadjudicated(sheet, trials)):
        found = f"{record['field'].replace('_', ' ')} {record['first']} or {record['second']}"
        words.setdefault((record["table"], int(record["row"])), []).append(found)
    return {row: ", ".join(found) for row, found in words.items()}


def tables_of(configuration: Configuration) -> dict[tuple[str, str], str]:
    """(setting, analysis) -> the table of the sheet from which its rows come."""
    analyses = (*configuration.analyses, *configuration.rates)
    return {(analysis.setting, analysis.id): analysis.table for analysis in analyses}


def trial_label(name: str) -> str:
    """Short name of a trial: its full name up to the first bracket."""
    return name.partition(" (")[0]


def unusable(rows: Mapping[int, Record], selection: Selection) -> dict[int, str]:
    """Rows that the admission rules exclude, each with the reason."""
    reasons = {label: inadmissible(row, selection) for label, row in rows.items()}
    return {label: reason for label, reason in reasons.items() if reason is not None}


def where(values: Mapping[str, str]) -> Callable[[Record], bool]:
    """A predicate for rows in which these columns have these values."""
    return lambda row: all(row[column] == value for column, value in values.items())


def aside_record(
    context: Context, analysis: str, levels: tuple[str, ...], table: str, row: Record, reason: str
) -> dict[str, Any]:
    """A record for a row of the sheet that an analysis considered but did not use."""
    if "arm_id" in row:
        arms, what = row["arm_id"], f"{row['definition']}, {row['population']}"
    else:
        arms = f"{row['experimental_arm_id']} v {row['control_arm_id']}"
        what = f"{row['outcome']}, {row['analysis']}, {row['assessor']}"
    return {
        **{column: row[column] for column in ("trial_id", "row", "verification", "source_id")},
        "setting": context.setting,
        "analysis": analysis,
        "subgroup": levels[0].partition("=")[0] if len(levels) > 1 else levels[0],
        "trial": context.trials[row["trial_id"]]["label"],
        "table": table,
        "arms": arms,
        "what": what if row["subgroup"] == ALL else f"{what}, {row['subgroup']}",
        "reason": reason,
    }
