"""Choice of the reported rate of an arm that is used for a requested time."""

from collections.abc import Iterable

from trial_evidence.config.methods import Selection
from trial_evidence.config.reports import MilestoneRules
from trial_evidence.extract.selection import inadmissible
from trial_evidence.files import Record
from trial_evidence.sheet.values import printed_decimals

CURVE = "digitised_curve"
INFERRED = "reconstructed"


def is_usable(row: Record, selection: Selection, rules: MilestoneRules) -> bool:
    """Whether a row is admitted to the evidence and its time was printed rather than inferred."""
    inferred = row["derivation"] == INFERRED and any(
        words in row["note"] for words in rules.inferred_time
    )
    return inadmissible(row, selection) is None and not inferred


def chosen_rate(rows: Iterable[Record], months: float, rules: MilestoneRules) -> Record | None:
    """The row of ``milestones`` to use at a time, among those of one arm, outcome and subgroup.

    Parameters
    ----------
    rows : iterable of mapping
        Usable rows; ``percent_printed`` is the text in the file.
    months : float
        The requested time.

    Returns
    -------
    mapping or None
        Among the rows within the tolerance, in this order: not read off a curve, nearest in time,
        preferred population, with an interval, more decimals, verified in the trial's own report,
        first in the sheet.
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
