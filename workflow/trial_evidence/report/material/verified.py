"""How much of a pooled result was verified in the primary sources, and by two readers."""

from dataclasses import dataclass

import numpy as np

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import records
from trial_evidence.report.material.material import Material
from trial_evidence.report.trail.trace import places_of
from trial_evidence.words.printed import counted, percent

# Share of a pool's weight that should be verified in the primary source.
GOAL = 0.9


@dataclass(frozen=True)
class Verified:
    """Verification of the trials behind the leading estimate of an analysis.

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


def verified(material: Material, analysis: Analysis) -> Verified | None:
    """Verification of a pooled analysis; None if it pools fewer than two trials."""
    lead = material.lead(analysis)
    if lead is None or lead["k"] < 2:
        return None
    trials = material.pooled_trials(analysis)
    shares = trials["share"].to_numpy(float)
    behind = [set(places_of(row, material.configuration)) for row in records(trials)]
    missing = np.array([len(places - material.seen_first_hand) for places in behind])
    both = np.array([places <= material.seen_by_two for places in behind])
    return Verified(
        k=len(trials),
        rows=len(set().union(*behind)),
        first_hand=float(shares[missing == 0].sum()),
        two_readers=float(shares[both].sum()),
        rows_to_goal=_rows_to_goal(shares, missing),
    )


def verified_in_words(material: Material, analysis: Analysis) -> str:
    """The same in a sentence; empty if fewer than two trials are pooled."""
    found = verified(material, analysis)
    if found is None:
        return ""
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


def _rows_to_goal(shares: np.ndarray, missing: np.ndarray) -> int:
    seen, looked_up = shares[missing == 0].sum(), 0
    for at in sorted(np.flatnonzero(missing), key=lambda at: -shares[at] / missing[at]):
        if seen >= GOAL:
            break
        seen, looked_up = seen + shares[at], looked_up + int(missing[at])
    return looked_up
