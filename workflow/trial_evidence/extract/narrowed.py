"""The part of the sheet that one analysis can use, so that its cache ignores all other edits."""

from collections.abc import Collection
from types import MappingProxyType

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.extract.context import first_report_years
from trial_evidence.extract.contrasts import matches
from trial_evidence.sheet import Sheet

# Tables that every trial refers to.
_WHOLE = ("agents",)
# Tables about results (readings, judgements, notes); they do not contain the results themselves.
_ABOUT = ("adjudication", "second_reading", "certainty", "audit_notes")


def of_trials(sheet: Sheet, trials: Collection[str]) -> Sheet:
    """The sheet with only those rows that concern these trials, or none."""
    tables = {
        name: table[table["trial_id"].isin(trials)] if "trial_id" in table else table
        for name, table in sheet.tables.items()
    }
    return Sheet(MappingProxyType(tables), sheet.kinds)


def narrowed(
    sheet: Sheet, analysis: Analysis, contrasts: pd.DataFrame, factors: Collection[str]
) -> Sheet:
    """The sheet with only those rows that an analysis can use.

    Parameters
    ----------
    contrasts : DataFrame
        Contrasts of the trials in the analysis's setting, as returned by `trial_contrasts`.
    factors : collection of str
        Factors for which the other tables of results show how many patients of a trial had each
        level: their rows by level are kept.
    """
    trials = list(matches(contrasts, analysis))
    years = first_report_years(sheet)

    def rows_of(name: str, table: pd.DataFrame) -> pd.DataFrame:
        if name in _WHOLE:
            return table
        if name in _ABOUT or "trial_id" not in table:
            return table[:0]
        own = table[table["trial_id"].isin(trials)]
        if name in sheet.results and name != analysis.table:
            own = own[own["subgroup"].str.startswith(tuple(f"{factor}=" for factor in factors))]
        elif name == "exclusions":
            own = own[own["analysis"].isin(["*", analysis.id])]
        elif name == "trials":
            # The only information that an analysis uses from the sources.
            own = own.assign(first_report_year=own["trial_id"].map(years))
        return own

    tables = {n: rows_of(n, table).reset_index(drop=True) for n, table in sheet.tables.items()}
    return Sheet(MappingProxyType(tables), sheet.kinds)
