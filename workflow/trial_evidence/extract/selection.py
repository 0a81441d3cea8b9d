"""Which row of a trial an analysis takes, and in words why not the others.

An analysis takes one result a trial. Admission (status, verification) comes first, then the
orders of preference of ``config/config.yaml`` from top to bottom.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trial_evidence.configuration import LONGEST, Selection

Orders = Mapping[str, tuple[str, ...] | str]

WHOLE = "all"


@dataclass(frozen=True)
class Choice:
    """What was taken for one unit of evidence and what was set aside.

    Attributes
    ----------
    taken : tuple of int or None
        Labels of the rows taken, in the order in which they were asked for; None when no
        complete set of rows is admitted.
    set_aside : dict
        Row label -> reason in words, for every other row looked at.
    """

    taken: tuple[int, ...] | None
    set_aside: dict[int, str]


def inadmissible(row: pd.Series, selection: Selection) -> str | None:
    """Why a row may not be pooled whatever else there is, or None when it may.

    Parameters
    ----------
    row : Series
        A row of the sheet.
    selection : Selection
        Its ``admit`` maps a column to the words admitted.
    """
    for column, allowed in selection.admit.items():
        if row[column] not in allowed:
            return f"{column} is {row[column]} (admitted: {', '.join(allowed)})"
    return None


def preference_key(row: pd.Series, orders: Orders) -> tuple[float, ...]:
    """Sort key of a row: smaller is preferred; a word outside its order comes last."""
    return tuple(_rank(row[column], order) for column, order in orders.items())


def choose(
    rows: pd.DataFrame,
    wanted: Sequence[Callable[[pd.Series], bool]],
    orders: Orders,
    together: Sequence[str],
    unusable: Mapping[int, str],
) -> Choice:
    """Take one row for each thing wanted, all alike in the columns ``together``.

    Candidates that agree in ``together`` form a set (say, both arms by the same definition of
    response). Among the sets that hold an admitted row for everything wanted, the one whose best
    rows come first in the orders is taken.

    Parameters
    ----------
    rows : DataFrame
        Candidates, labelled by unique integers, in the order of the sheet.
    wanted : sequence of callables
        One predicate a row to take (an arm, a level).
    orders : mapping
        Column -> words in order of preference, or ``longest`` for a number.
    together : sequence of str
        Columns in which the rows taken must agree.
    unusable : mapping
        Row label -> why the row cannot be taken at all.

    Returns
    -------
    Choice
    """
    best: tuple[tuple[tuple[float, ...], ...], tuple[int, ...]] | None = None
    for _, group in rows.groupby(list(together), sort=False, dropna=False):
        usable = group[~group.index.isin(list(unusable))]
        picks = [_first(usable[[want(row) for _, row in usable.iterrows()]], orders)
                 for want in wanted]  # fmt: skip
        if any(pick is None for pick in picks):
            continue
        labels = tuple(pick for pick in picks if pick is not None)
        key = tuple(preference_key(rows.loc[label], orders) for label in labels)
        if best is None or key < best[0]:
            best = (key, labels)
    taken = best[1] if best else None
    return Choice(taken, dict(_reasons(rows, taken, wanted, orders, together, unusable)))


def _first(rows: pd.DataFrame, orders: Orders) -> int | None:
    if rows.empty:
        return None
    return int(min(rows.index, key=lambda label: (preference_key(rows.loc[label], orders), label)))


def _rank(value: object, order: tuple[str, ...] | str) -> float:
    if order == LONGEST:
        number = float(str(value)) if value == value else np.nan
        return -number if np.isfinite(number) else np.inf
    return float(order.index(str(value))) if value in order else float(len(order))


def _reasons(
    rows: pd.DataFrame,
    taken: tuple[int, ...] | None,
    wanted: Sequence[Callable[[pd.Series], bool]],
    orders: Orders,
    together: Sequence[str],
    unusable: Mapping[int, str],
) -> Iterator[tuple[int, str]]:
    for label, row in rows.iterrows():
        index = int(str(label))
        if taken is not None and index in taken:
            continue
        if index in unusable:
            yield index, unusable[index]
        elif taken is None:
            alike = ", ".join(str(row[column]) for column in together if row[column] == row[column])
            yield index, f"no complete pair of admitted rows ({alike})"
        else:
            rival = next(
                (rows.loc[t] for t, want in zip(taken, wanted, strict=True) if want(row)),
                rows.loc[taken[0]],
            )
            yield index, _preferred(row, rival, orders)


def _preferred(row: pd.Series, rival: pd.Series, orders: Orders) -> str:
    for column, order in orders.items():
        if _rank(row[column], order) != _rank(rival[column], order):
            name = column.replace("_", " ")
            if order == LONGEST:
                return f"{name}: {_shown(rival[column])} is longer than {_shown(row[column])}"
            return f"{name}: {rival[column]} is preferred to {row[column]}"
    return f"the same result stands in row {rival['row']}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) and np.isfinite(value) else "not stated"


def excluded(
    exclusions: pd.DataFrame, trial_id: str, arm_ids: Sequence[str], analysis: str, subgroup: str
) -> str | None:
    """Reason for which a trial or arm is shown but not pooled, or None.

    Parameters
    ----------
    exclusions : DataFrame
        ``trial_id``, ``arm_id`` (empty: the whole trial), ``analysis`` (``*``: every one),
        ``subgroup`` (a factor; ``*``: everything), ``reason``.
    trial_id, arm_ids, analysis : str
        The evidence in question.
    subgroup : str
        ``all`` or ``factor=level``.
    """
    factor = subgroup.partition("=")[0]
    found = exclusions[
        (exclusions["trial_id"] == trial_id)
        & exclusions["arm_id"].isin(["", *arm_ids])
        & exclusions["analysis"].isin(["*", analysis])
        & exclusions["subgroup"].isin(["*", factor])
    ]
    return None if found.empty else "; ".join(found["reason"])
