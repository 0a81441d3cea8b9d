"""config/calibration.yaml: how much is simulated to see whether the intervals hold."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from trial_evidence.config.forms import Fault, Form, Number, Some, Whole

FILE = "calibration.yaml"
# For so many the figures have room.
_MOST_TAUS = 6


class Simulation(Form):
    """What is simulated for every pool, and in parts of which size.

    Attributes
    ----------
    taus
        True between-trial standard deviations of log ratios, six at most. The last stands for
        heterogeneity beyond what the default prior expects.
    simulations
        Meta-analyses for each pool and tau. With 10,000 no coverage whatever has a standard error
        above half a percentage point.
    part
        How many of them are one part: a part is one job, and has random numbers of its own.
    seed
        Seed of the random numbers; pools with as many trials share them.
    """

    taus: Some[Annotated[Number, Field(ge=0, le=5)]]
    simulations: Annotated[Whole, Field(ge=1, le=100_000_000)]
    part: Annotated[Whole, Field(ge=1, le=100_000)]
    seed: Annotated[Whole, Field(ge=0)]

    @property
    def parts(self) -> int:
        """Parts, the last of which may be smaller."""
        return -(-self.simulations // self.part)

    def size(self, number: int) -> int:
        """Meta-analyses for each pool and tau in the part of a number, from zero on."""
        return min(self.part, self.simulations - number * self.part)

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if len(self.taus) > _MOST_TAUS:
            yield ("taus",), f"has {len(self.taus)} values. The figures have room for {_MOST_TAUS}."
        if not any(self.taus):
            message = "must hold a value above 0, as there is heterogeneity to be simulated."
            yield ("taus",), message
