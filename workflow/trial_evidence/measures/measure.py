"""A measure of effect as one object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trial_evidence.measures.scales import IDENTITY, LOG_RATIO, LOGIT, Scale

if TYPE_CHECKING:
    from trial_evidence.measures.effects import EffectSizes

Kind = Literal["counts", "contrasts", "rates", "times"]
"""What a table of the sheet contains. Counts: events and n of an arm; contrasts: a ratio of two
arms with its interval; rates: percentage of an arm without the event at a given time; times: median
times of an arm."""

# Counts of two arms, in the order in which the effect-size functions take them.
COUNT_COLUMNS = ("events_experimental", "n_experimental", "events_control", "n_control")


@dataclass(frozen=True)
class Measure:
    """A measure of effect, or of a rate.

    Attributes
    ----------
    name : str
        As in the column ``measure`` of every table.
    title, short : str
        Full name and abbreviation, as printed: ``Risk ratio``, ``RR``.
    kind : str
        The kind of evidence it is computed from.
    scale : Scale
        The scale it is analysed on.
    digits : int
        Decimals printed.
    """

    name: str
    title: str
    short: str
    kind: Kind
    scale: Scale
    digits: int

    @property
    def compares(self) -> bool:
        """Whether it compares two arms."""
        return self.scale.null is not None

    @property
    def factor(self) -> float:
        """Factor applied to printed values: 100 for a rate, which is shown in percent."""
        return 1.0 if self.compares else 100.0

    @property
    def is_ratio(self) -> bool:
        """Whether it is a ratio between two arms."""
        return self.scale is LOG_RATIO

    def effects(self, *counts: Any) -> "EffectSizes":
        """Effect sizes from counts: events and n of the experimental, then of the control arm."""
        # Imported here because it is slow, and configuration and words need no effect sizes.
        from trial_evidence.measures.effects import FROM_COUNTS

        return FROM_COUNTS[self.name](*counts)


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("risk_ratio", "Risk ratio", "RR", "counts", LOG_RATIO, 2),
        Measure("odds_ratio", "Odds ratio", "OR", "counts", LOG_RATIO, 2),
        Measure("risk_difference", "Risk difference", "RD", "counts", IDENTITY, 2),
        Measure("hazard_ratio", "Hazard ratio", "HR", "contrasts", LOG_RATIO, 2),
        Measure("proportion", "Rate", "rate", "counts", LOGIT, 0),
    )
}


def measure_words(name: str) -> str:
    """Printed name of a measure, or of a derived one such as ``ratio_of_odds_ratios``."""
    known = MEASURES.get(name)
    return known.title if known else name.replace("_", " ").capitalize()
