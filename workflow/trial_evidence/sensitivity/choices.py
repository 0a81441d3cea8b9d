"""Rows that an analysis uses under other preferences for definitions, or other admission rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.columns import USED_COLUMNS
from trial_evidence.extract.comparisons import trial_evidence
from trial_evidence.extract.context import Context
from trial_evidence.extract.evidence import contrasts_of_trials, used_table
from trial_evidence.files import records
from trial_evidence.sensitivity.properties import risk_of_bias
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL, PRIMARY, SECONDARY, UNSEEN

# Admitted if the configuration does not ask for the verification of a row.
EVERY_ROW = (PRIMARY, SECONDARY, UNSEEN)
VARIED = ["definition_first", "analysis_first", "assessor_first", "verification"]
ROW_CHOICE_COLUMNS = ["setting", "analysis", "choice", *VARIED]
CHOSEN_COLUMNS = [*USED_COLUMNS, "risk_of_bias", "choices"]


@dataclass(frozen=True)
class RowChoice:
    """The rows that one set of choices selects, whether they are pooled or not.

    Attributes
    ----------
    names : mapping
        The choices, by the columns of ``CHOICE_COLUMNS`` that they concern.
    used : DataFrame
        As ``used.csv``, for all patients, rows with an effect only; with ``risk_of_bias`` added.
    """

    names: Mapping[str, str]
    used: pd.DataFrame


def row_choices(
    configuration: Configuration,
    sheet: Sheet,
    analysis: Analysis,
    context: Context,
) -> tuple[RowChoice, ...]:
    """The rows of an analysis for every order of preference and admission, the configured first.

    Parameters
    ----------
    sheet : Sheet
        Must contain at least the trials of the analysis.
    context : Context
        The part of the sheet on the setting.
    """
    configuration = configuration.own(analysis)
    # Its own orders are now those of the configuration, and are varied like these.
    bare = replace(analysis, effect_modifiers=(), selection={})
    # What does not depend on the choices is prepared once.
    of_trials = contrasts_of_trials(context, bare)
    alone = replace(configuration, analyses=(bare,), rates=())
    tables: dict[tuple[str, ...], pd.DataFrame] = {}
    found = []
    for names, varied in _variants(alone, bare.table, counted=bare.kind == "counts"):
        chosen = replace(context, configuration=varied)
        taken = [trial_evidence(chosen, bare, contrasts, (ALL,))[0] for contrasts in of_trials]
        used = [row for rows in taken for row in rows]
        # Many choices select the same rows, and these make the same table.
        rows = tuple(row["rows"] for row in used)
        if rows not in tables:
            table = used_table(chosen, used)
            table = table[table["yi"].notna() & table["vi"].notna()]
            tables[rows] = table.assign(risk_of_bias=risk_of_bias(sheet, bare, table))
        found.append(RowChoice(names, tables[rows]))
    return tuple(found)


def choice_tables(choices: Sequence[RowChoice]) -> dict[str, pd.DataFrame]:
    """The choices, and every row that any of them selects, so that readers can choose.

    Returns
    -------
    dict
        ``choices``: columns ``ROW_CHOICE_COLUMNS``, numbered from 1 within an analysis.
        ``choice_rows``: columns ``CHOSEN_COLUMNS``; its column ``choices`` has the numbers of those
        that select the row, joined by ``;``.
    """
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for number, choice in enumerate(choices, start=1):
        for row in records(choice.used):
            key = tuple(row[name] for name in ("measure", "trial_id", "rows", "pooled"))
            taken = rows.setdefault(key, {**row, "choices": []})
            taken["choices"].append(str(number))
    found = [row | {"choices": ";".join(row["choices"])} for row in rows.values()]
    # A choice may leave no row; it has a number all the same.
    named = [
        {name: row[name] for name in ("setting", "analysis")} | {"choice": number, **choice.names}
        for row in found[:1]
        for number, choice in enumerate(choices, start=1)
    ]
    return {
        "choices": pd.DataFrame(named).reindex(columns=ROW_CHOICE_COLUMNS, fill_value=""),
        "choice_rows": pd.DataFrame(found, columns=CHOSEN_COLUMNS),
    }


def _variants(
    configuration: Configuration, table: str, *, counted: bool
) -> Iterator[tuple[dict[str, str], Configuration]]:
    """Configurations with other preferences and admission rules, with the names of the choices.

    The configured one comes first, also if it is not among those to try.
    """
    selection, choices = configuration.selection, configuration.sensitivity
    orders = selection.orders[table]
    words = {column: order for column, order in orders.items() if isinstance(order, tuple)}
    varied = ("definition",) if counted else ("analysis", "assessor")
    firsts = [
        [
            word
            for word in words.get(c, ())
            if word in choices.preferred.get(c, (word,)) or word == words[c][0]
        ]
        for c in varied
    ]
    configured = selection.admit.get("verification", EVERY_ROW)
    others = (level for level in choices.verification if {*level} != {*configured})
    levels = [configured, *others]
    for first, admitted in product(product(*firsts), levels):
        named = dict(zip(varied, first, strict=True))
        changed = {
            column: (word, *(other for other in words[column] if other != word))
            for column, word in named.items()
        }
        # Levels of verification that no order names come last.
        changed_selection = replace(
            selection,
            admit={**selection.admit, "verification": admitted},
            orders={**selection.orders, table: {**orders, **changed}},
        )
        yield (
            {f"{column}_first": word for column, word in named.items()}
            | {"verification": " + ".join(admitted)},
            replace(configuration, selection=changed_selection),
        )
