"""How much of a pooled result was verified in the primary sources, and by two readers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import records
from trial_evidence.report.material.material import Material
from trial_evidence.report.trail.trace import cells_of
from trial_evidence.sheet.values import ALL
from trial_evidence.words.printed import capital, counted, patients_in_words, percent

# Share of a pool's weight that should be verified in the primary source.
GOAL = 0.9


@dataclass(frozen=True)
class Verified:
    """Verification of the trials, or arms, behind a pooled estimate.

    Attributes
    ----------
    k, rows : int
        Numbers of trials, and of rows of the sheet behind them.
    first_hand, two_readers : float
        Share of weight of trials with every row verified in the primary source; and of trials with
        every row confirmed by two readers or adjudicated.
    rows_to_goal : int
        Number of rows to look up, those with most weight per row first, to reach ``GOAL``.
    """

    k: int
    rows: int
    first_hand: float
    two_readers: float
    rows_to_goal: int


def verified(material: Material, trials: pd.DataFrame) -> Verified:
    """Verification of a pool, given the rows behind it, with their weights."""
    shares = trials["weight"].to_numpy(float) / trials["weight"].sum()
    behind = [cells_of(row, material.configuration).places for row in records(trials)]
    missing = [places - material.seen_first_hand for places in behind]
    both = np.array([places <= material.seen_by_two for places in behind])
    return Verified(
        k=len(trials),
        rows=len(set().union(*behind)),
        first_hand=float(shares[[not rows for rows in missing]].sum()),
        two_readers=float(shares[both].sum()),
        rows_to_goal=_rows_to_goal(shares, missing),
    )


def verified_in_words(material: Material, analysis: Analysis) -> Iterator[str]:
    """The same in a sentence for each pool of an analysis in all patients."""
    levels = {s for modifier in analysis.effect_modifiers for s in modifier.subgroups}
    for entry, lead, trials in material.pools:
        if entry is analysis and lead["subgroup"] not in levels:
            named = patients_in_words(material.agents_named(lead["subgroup"]))
            group = "" if lead["subgroup"] == ALL else f"{capital(named)}: "
            yield group + _in_words(verified(material, trials))


def _in_words(found: Verified) -> str:
    said = (
        f"{percent(found.first_hand)} of the weight comes from results read in the trials’ own "
        f"reports, and {percent(found.two_readers)} from results confirmed by two readers"
    )
    if not found.rows_to_goal:
        return f"{said}."
    rows = counted(found.rows_to_goal, "row")
    return (
        f"{said}. Reading {rows} of the worklist in these reports would raise the first share to "
        f"{percent(GOAL)} or more."
    )


def _rows_to_goal(shares: np.ndarray, missing: Sequence[set[tuple[str, int]]]) -> int:
    """A row behind two trials is looked up once."""
    left, looked_up = set(range(len(missing))), set[tuple[str, int]]()
    while True:
        left -= {at for at in left if missing[at] <= looked_up}
        if not left or 1 - shares[sorted(left)].sum() >= GOAL:
            return len(looked_up)
        most = max(sorted(left), key=lambda at: shares[at] / len(missing[at] - looked_up))
        looked_up |= missing[most]
