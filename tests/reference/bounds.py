"""Quantities compared with each reference, the tolerance, and the difference observed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from reference import comparisons, sheet_comparisons
from reference.comparisons import Pair

FAMILIES: dict[str, tuple[Callable[[str], Iterator[Pair]], tuple[str, ...]]] = {
    **comparisons.FAMILIES,
    "sheet": (sheet_comparisons.tables, tuple(sheet_comparisons.SHEET)),
}
# Default tolerance.
USUAL_BOUND = 1e-9
BOUNDS = {
    # metafor's refits stop at an absolute change in tau2.
    "leave-one-out, cumulative: REML": 1e-8,
    "influence, Baujat: REML": 1e-8,
    # meta's REML stops early by the same amount.
    "mean, tau², se, limits, p: REML": 1e-8,
    # metafor solves the normal equations with the year of publication uncentred: on bcg__RD its
    # residual Q is 2e-9 from the value in 50-digit arithmetic, where ours is 1e-16 from it.
    "meta-regression: DL": 1e-8,
    "meta-regression: REML": 1e-8,
    "meta-regression: ML": 1e-8,
    "meta-regression: EE": 1e-8,
    # metafor's general-purpose optimisers end where the likelihood is flat to rounding, which is
    # the root of that away in the parameters; the test statistic is as good as the likelihood.
    "selection model: mean, tau², selection": 5e-6,
    "selection model: se": 5e-6,
    "selection model: test": 1e-8,
    "sensitivity tables of the sheet: selection model": 5e-6,
    # numDeriv's derivatives.
    "logistic regression: UM.FS": 1e-7,
    "logistic regression: CM.AL": 1e-7,
    "logistic regression: CM.EL": 1e-7,
    "sensitivity tables of the sheet: logistic regression": 1e-7,
    # Fewer nodes than for a single posterior.
    "posterior, stacked": 1e-8,
    "median of tau": 1e-8,
    # bayesmeta's default grid; in widths of the interval.
    "shortest interval: mean": 5e-3,
    "shortest interval: new trial": 5e-3,
    "shortest interval: tau": 1e-3,
}


def bound(quantity: str) -> float:
    """Largest difference allowed."""
    return BOUNDS.get(quantity, USUAL_BOUND)


@cache
def pairs(family: str, name: str) -> tuple[Pair, ...]:
    """All comparisons of a family of methods on a data set."""
    return tuple(FAMILIES[family][0](name))


@dataclass(frozen=True)
class Row:
    """A row of the table of largest differences.

    Attributes
    ----------
    quantity, reference : str
    datasets : int
        Data sets on which it was compared.
    numbers : int
        Numbers compared.
    difference : float
        Largest difference, as `Pair.difference`.
    where : str
        Where it was found.
    bound : float
        Largest difference allowed.
    """

    quantity: str
    reference: str
    datasets: int
    numbers: int
    difference: float
    where: str
    bound: float


@cache
def table() -> tuple[Row, ...]:
    """Every quantity and reference, in the order of the families."""
    found: dict[tuple[str, str], list[Pair]] = {}
    for family, (_, names) in FAMILIES.items():
        for name in names:
            for one in pairs(family, name):
                found.setdefault((one.quantity, one.reference), []).append(one)
    return tuple(
        Row(
            quantity=quantity,
            reference=reference,
            datasets=len({one.where.split(" ")[0] for one in some}),
            numbers=sum(one.known for one in some),
            difference=max(some, key=lambda one: one.difference).difference,
            where=max(some, key=lambda one: one.difference).where,
            bound=bound(quantity),
        )
        for (quantity, reference), some in found.items()
    )
