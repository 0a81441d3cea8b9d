"""Which row of a trial an analysis takes, and in words why not the others.

An analysis takes one result a trial. Admission (status, verification) comes first, then the
orders of preference of ``config/config.yaml`` from top to bottom.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trial_evidence.config.configuration import EffectModifier
from trial_evidence.config.methods import LONGEST, Orders, Selection
from trial_evidence.files import Record

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


def inadmissible(row: Record, selection: Selection) -> str | None:
    """Why a row may not be pooled whatever else there is, or None when it may.

    Parameters
    ----------
    row : mapping
        A row of the sheet.
    selection : Selection
        Its ``admit`` maps a column to the words admitted.
    """
    for column, allowed in selection.admit.items():
        if row[column] not in allowed:
            return f"{column} is {row[column]} (admitted: {', '.join(allowed)})"
    return None


def preference_key(row: Record, orders: Orders) -> tuple[float, ...]:
    """Sort key of a row: smaller is preferred; a word outside its order comes last."""
    return tuple(_rank(row[column], order) for column, order in orders.items())


def choose_among(
    candidates: Mapping[int, Record],
    wanted: Sequence[Callable[[Record], bool]],
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
    candidates : mapping
        Row label -> row, in the order of the sheet.
    wanted : sequence of callables
        One predicate a row to take (an arm, a level).
    orders : mapping
        Column -> words in order of preference, or ``longest`` for a number.
    together : sequence of str
        Columns in which the rows taken must agree.
    unusable : mapping
        Row label -> why the row cannot be taken at all.
    """
    ranks = {label: preference_key(row, orders) for label, row in candidates.items()}
    complete: list[tuple[int, ...]] = []
    for group in alike(candidates, together):
        usable = [label for label in group if label not in unusable]
        fitting = [[label for label in usable if want(candidates[label])] for want in wanted]
        if all(fitting):
            complete.append(tuple(min(labels, key=ranks.__getitem__) for labels in fitting))
    # Of rows and sets that no preference tells apart, min takes the first of the sheet.
    taken = min(complete, key=lambda labels: [ranks[label] for label in labels], default=None)
    set_aside = {}
    for label, row in candidates.items():
        if taken is not None and label in taken:
            continue
        rival = next((t for t, want in zip(taken or (), wanted, strict=False) if want(row)), None)
        if label in unusable:
            set_aside[label] = unusable[label]
        elif rival is None or ranks[label] < ranks[rival]:
            # Nothing was taken, or this row would have been, had the others of its set been there.
            stated = ", ".join(str(row[c]) for c in together if row[c] == row[c])
            set_aside[label] = f"no complete pair of admitted rows ({stated})"
        else:
            set_aside[label] = _preferred(row, candidates[rival], orders)
    return Choice(taken, set_aside)


def alike(candidates: Mapping[int, Record], together: Sequence[str]) -> Iterable[list[int]]:
    """Labels of the rows that agree in these columns; what is not stated agrees with itself."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for label, row in candidates.items():
        values = (row[column] for column in together)
        key = tuple(value if value == value else None for value in values)
        groups.setdefault(key, []).append(label)
    return groups.values()


def _rank(value: object, order: tuple[str, ...] | str) -> float:
    if order == LONGEST:
        number = float(str(value)) if value == value else np.nan
        return -number if np.isfinite(number) else np.inf
    return float(order.index(str(value))) if value in order else float(len(order))


def _preferred(row: Record, rival: Record, orders: Orders) -> str:
    for column, order in orders.items():
        if _rank(row[column], order) != _rank(rival[column], order):
            name = column.replace("_", " ")
            if order == LONGEST:
                return f"{name}: {_shown(rival[column])} is longer than {_shown(row[column])}"
            return f"{name}: {rival[column]} is preferred to {row[column]}"
    return f"no preference separates it from row {rival['row']}, which comes first"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) and np.isfinite(value) else "not stated"


def excluded(
    exclusions: Iterable[Record], arm_ids: Sequence[str], analysis: str, subgroup: str
) -> str | None:
    """Reason for which a trial or arm is shown but not pooled, or None.

    Parameters
    ----------
    exclusions : iterable of mapping
        Of the trial: ``arm_id`` (empty: the whole trial), ``analysis`` (``*``: every one),
        ``subgroup`` (a factor; ``*``: everything), ``reason``.
    arm_ids, analysis : str
        The evidence in question.
    subgroup : str
        ``all`` or ``factor=level``.
    """
    factor = subgroup.partition("=")[0]
    found = [
        row["reason"]
        for row in exclusions
        if row["arm_id"] in ("", *arm_ids)
        and row["analysis"] in ("*", analysis)
        and row["subgroup"] in ("*", factor)
    ]
    return "; ".join(found) if found else None


def level_sets(modifiers: Sequence[EffectModifier]) -> Iterator[tuple[str, ...]]:
    """The whole trial, then the levels of each factor, as subgroups of the sheet."""
    yield (WHOLE,)
    for modifier in modifiers:
        yield modifier.subgroups
