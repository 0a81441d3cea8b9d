"""Which row of a trial an analysis uses, and why not the others, in words.

An analysis uses one result per trial. Admission (status, verification) comes first, then the
orders of preference of ``config/config.yaml`` from top to bottom.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trial_evidence.config.configuration import EffectModifier
from trial_evidence.config.methods import LONGEST, Orders, Selection
from trial_evidence.files import Record
from trial_evidence.sheet.values import ALL


@dataclass(frozen=True)
class Choice:
    """The rows taken for one unit of evidence, and those set aside.

    Attributes
    ----------
    taken : tuple of int or None
        Labels of the rows taken, in the order of ``wanted``; None if no complete set of rows is
        admissible.
    set_aside : dict
        Row label -> reason in words, for every other candidate.
    """

    taken: tuple[int, ...] | None
    set_aside: dict[int, str]


def inadmissible(row: Record, selection: Selection) -> str | None:
    """Why the admission rules exclude a row; None if it is admissible.

    Parameters
    ----------
    row : mapping
        A row of the sheet.
    selection : Selection
        Its ``admit`` maps each column to the words admitted.
    """
    for column, allowed in selection.admit.items():
        if row[column] not in allowed:
            return f"{column} is {row[column]} (admitted: {', '.join(allowed)})"
    return None


def preference_key(row: Record, orders: Orders) -> tuple[float, ...]:
    """Sort key of a row: smaller is preferred; a word not in its order comes last."""
    return tuple(_rank(row[column], order) for column, order in orders.items())


def choose_among(
    candidates: Mapping[int, Record],
    wanted: Sequence[Callable[[Record], bool]],
    orders: Orders,
    together: Sequence[str],
    unusable: Mapping[int, str],
) -> Choice:
    """Take one row for each predicate in ``wanted``, all with the same values in ``together``.

    Candidates that agree in ``together`` form a set (for example, both arms with the same
    definition of response). Of the sets with an admissible row for every predicate, the one whose
    best rows come first in the orders of preference is taken.

    Parameters
    ----------
    candidates : mapping
        Row label -> row, in sheet order.
    wanted : sequence of callables
        One predicate per row to take (an arm, a level).
    orders : mapping
        Column -> words in order of preference, or ``longest`` for a numeric column.
    together : sequence of str
        Columns in which the rows taken must agree.
    unusable : mapping
        Row label -> why the row cannot be used at all.
    """
    ranks = {label: preference_key(row, orders) for label, row in candidates.items()}
    complete: list[tuple[int, ...]] = []
    for group in alike(candidates, together):
        usable = [label for label in group if label not in unusable]
        fitting = [[label for label in usable if want(candidates[label])] for want in wanted]
        if all(fitting):
            complete.append(tuple(min(labels, key=ranks.__getitem__) for labels in fitting))
    # Among equally preferred rows or sets, min() takes the first in the sheet.
    taken = min(complete, key=lambda labels: [ranks[label] for label in labels], default=None)
    set_aside = {}
    for label, row in candidates.items():
        if taken is not None and label in taken:
            continue
        rival = next((t for t, want in zip(taken or (), wanted, strict=False) if want(row)), None)
        if label in unusable:
            set_aside[label] = unusable[label]
        elif rival is None or ranks[label] < ranks[rival]:
            # Nothing was taken, or this row would have been had its set been complete.
            stated = ", ".join(str(row[c]) for c in together if row[c] == row[c])
            set_aside[label] = f"no complete pair of admitted rows ({stated})"
        else:
            set_aside[label] = _preferred(row, candidates[rival], orders)
    return Choice(taken, set_aside)


def alike(candidates: Mapping[int, Record], together: Sequence[str]) -> Iterable[list[int]]:
    """Labels of rows grouped by these columns; missing values count as equal."""
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
                return f"{name}: {rival[column]:g}{_beyond(row[column])}"
            return f"{name}: {rival[column]} is preferred to {row[column]}"
    return f"no preference separates it from row {rival['row']}, which comes first"


def _beyond(value: float) -> str:
    return f" is longer than {value:g}" if np.isfinite(value) else "; this row does not state it"


def excluded(
    exclusions: Iterable[Record], arm_ids: Sequence[str], analysis: str, subgroup: str
) -> str | None:
    """Why a trial or arm is shown but not pooled; None if it is pooled.

    Parameters
    ----------
    exclusions : iterable of mapping
        Exclusions of the trial: ``arm_id`` (empty: the whole trial), ``analysis`` (``*``: all),
        ``subgroup`` (``all`` or a factor; ``*``: everything), ``reason``.
    arm_ids, analysis : str
        Arms and analysis of the evidence in question.
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
    """The whole trial, then the levels of each factor, as named in the column ``subgroup``."""
    yield (ALL,)
    for modifier in modifiers:
        yield modifier.subgroups
