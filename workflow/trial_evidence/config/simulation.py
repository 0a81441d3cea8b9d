"""config/calibration.yaml: size of the simulations that check the coverage of the intervals."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from trial_evidence.config.forms import Fault, Form, Number, Some, Whole

FILE = "calibration.yaml"
# The figures have room for this many.
_MOST_TAUS = 6


class Simulation(Form):
    """What is simulated for every meta-analysis, and in batches of what size.

    Attributes
    ----------
    taus
        True between-trial standard deviations of log ratios, six at most. The last represents more
        heterogeneity than the default prior expects.
    simulations
        Simulated meta-analyses for each pool and tau. With 10,000, the standard error of any
        coverage is at most half a percentage point.
    part
        How many simulations form one part: each part is a job with its own random numbers.
    seed
        Seed of the random numbers; pools with the same number of trials share them.
    """

    taus: Some[Annotated[Number, Field(ge=0, le=5)]]
    simulations: Annotated[Whole, Field(ge=1, le=100_000_000)]
    part: Annotated[Whole, Field(ge=1, le=100_000)]
    seed: Annotated[Whole, Field(ge=0)]

    @property
    def parts(self) -> int:
        """Number of parts; the last may be smaller."""
        return -(-self.simulations // self.part)

    def size(self, number: int) -> int:
        """Simulations for each pool and tau in a part; parts are numbered from zero."""
        return min(self.part, self.simulations - number * self.part)

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if len(self.taus) > _MOST_TAUS:
            yield ("taus",), f"has {len(self.taus)} values. The figures have room for {_MOST_TAUS}."
        if not any(self.taus):
            yield ("taus",), "must hold a value above 0, as there is heterogeneity to be simulated."
