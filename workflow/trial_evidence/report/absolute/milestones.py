"""Which printed share of an arm stands for its share at a time that is asked for."""

from collections.abc import Iterable

from trial_evidence.config.methods import Selection
from trial_evidence.config.reports import MilestoneRules
from trial_evidence.extract.selection import inadmissible
from trial_evidence.files import Record
from trial_evidence.sheet.values import printed_decimals

CURVE = "digitised_curve"
INFERRED = "reconstructed"


def is_usable(row: Record, selection: Selection, rules: MilestoneRules) -> bool:
    """Whether a row is admitted to the evidence and its time was printed, not inferred."""
    inferred = row["derivation"] == INFERRED and any(
        words in row["note"] for words in rules.inferred_time
    )
    return inadmissible(row, selection) is None and not inferred


def chosen_rate(rows: Iterable[Record], months: float, rules: MilestoneRules) -> Record | None:
    """The row of ``milestones`` to be read at a time, of those of one arm, outcome and subgroup.

    Parameters
    ----------
    rows : iterable of mapping
        Usable rows; ``percent_printed`` is the text in the file.
    months : float
        The time that is asked for.

    Returns
    -------
    mapping or None
        Of the rows within the tolerance: what was read off a curve comes last; then the nearest in
        time, the preferred population, the one with an interval, with more decimals, and the one
        seen in the trial's own report; then the first of the sheet.
    """

    def rank(row: Record) -> tuple[float, ...]:
        known = row["population"] in rules.population
        return (
            row["derivation"] == CURVE,
            abs(row["months"] - months),
            rules.population.index(row["population"]) if known else len(rules.population),
            row["ci_low"] != row["ci_low"],
            -printed_decimals(row["percent_printed"]),
            row["verification"] != "primary",
            row["row"],
        )

    near = [row for row in rows if abs(row["months"] - months) <= rules.tolerance * months]
    return min(near, key=rank, default=None)
