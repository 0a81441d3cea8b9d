"""The part of the sheet that one analysis can see, so that nothing else can matter to it."""

from collections.abc import Collection
from types import MappingProxyType

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.extract.context import first_report_years
from trial_evidence.extract.contrasts import matches
from trial_evidence.sheet import Sheet

# Every trial refers to these.
_WHOLE = ("agents",)
# What somebody found or judged of a result, never what the result is.
_ABOUT = ("adjudication", "second_reading", "certainty", "audit_notes")


def narrowed(
    sheet: Sheet, analysis: Analysis, contrasts: pd.DataFrame, factors: Collection[str]
) -> Sheet:
    """The sheet with the rows that an analysis can use, and no row of other tables.

    Parameters
    ----------
    contrasts : DataFrame
        Of the trials of the analysis's setting, as `trial_contrasts` returns them.
    factors : collection of str
        Those by which the other tables of results tell how many patients of a trial were at a
        level: of these tables the rows by level stay.
    """
    trials = matches(contrasts, analysis)["trial_id"].unique()
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
            # Of its sources an analysis knows this much.
            own = own.assign(first_report_year=own["trial_id"].map(years))
        return own

    tables = {n: rows_of(n, table).reset_index(drop=True) for n, table in sheet.tables.items()}
    return Sheet(MappingProxyType(tables), sheet.kinds)
