"""A measure of effect as one object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trial_evidence.measures.scales import IDENTITY, LOG_RATIO, LOGIT, Scale

if TYPE_CHECKING:
    from trial_evidence.measures.effects import EffectSizes

Kind = Literal["counts", "contrasts", "rates", "times"]
"""What a table of the sheet holds: events and n of an arm; a ratio of two arms with its interval;
per cent of an arm without the event at a time; median times of an arm."""

# Of two arms, in the order in which effect sizes take them.
COUNT_COLUMNS = ("events_experimental", "n_experimental", "events_control", "n_control")


@dataclass(frozen=True)
class Measure:
    """A measure of effect, or of a rate.

    Attributes
    ----------
    name : str
        As in the column ``measure`` of every table.
    title, short : str
        As figures and tables print it: ``Risk ratio``, ``RR``.
    kind : str
        The kind of evidence that it is made from.
    scale : Scale
        What it is analysed on.
    digits : int
        Decimals printed.
    benefit_below : bool or None
        Whether values below no effect are the benefit where the event is the usual one of its
        kind: response of counts, recurrence or death of contrasts. None for a rate.
    """

    name: str
    title: str
    short: str
    kind: Kind
    scale: Scale
    digits: int
    benefit_below: bool | None

    @property
    def compares(self) -> bool:
        """Whether it sets two arms against each other."""
        return self.scale.null is not None

    @property
    def factor(self) -> float:
        """What values are printed times: a rate in percent."""
        return 1.0 if self.compares else 100.0

    @property
    def is_ratio(self) -> bool:
        """Whether it is a ratio of two arms."""
        return self.scale is LOG_RATIO

    def effects(self, *counts: Any) -> "EffectSizes":
        """Effect sizes from counts: events and n of the experimental and of the control arm."""
        # Slow to import, and configuration and words need no effect sizes.
        from trial_evidence.measures.effects import FROM_COUNTS

        return FROM_COUNTS[self.name](*counts)


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("risk_ratio", "Risk ratio", "RR", "counts", LOG_RATIO, 2, False),
        Measure("odds_ratio", "Odds ratio", "OR", "counts", LOG_RATIO, 2, False),
        Measure("risk_difference", "Risk difference", "RD", "counts", IDENTITY, 2, False),
        Measure("hazard_ratio", "Hazard ratio", "HR", "contrasts", LOG_RATIO, 2, True),
        Measure("proportion", "Rate", "rate", "counts", LOGIT, 0, None),
    )
}


def measure_words(name: str) -> str:
    """A measure in words; also one that is made of another, such as ``ratio_of_odds_ratios``."""
    known = MEASURES.get(name)
    return known.title if known else name.replace("_", " ").capitalize()
