"""Small-study effects of every comparison, or why they are not assessed."""

from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd

from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.probes.selection_model import SelectionModel, step_selection_model
from trial_evidence.pool.probes.small_study import (
    PetPeese,
    RegressionTest,
    TrimAndFill,
    egger,
    harbord,
    pet_peese,
    peters,
    trim_and_fill,
)
from trial_evidence.sensitivity.comparison import BEGINNING, MEAN, NOT_ODDS, Comparison, table

SMALL_STUDY_COLUMNS = [
    *BEGINNING, "test", "k", "statistic", "df", "p_value", "slope", "slope_se", "estimate",
    "ci_low", "ci_high", "ci_level", "missing", "detail", "reason",
]  # fmt: skip
TEST = ("statistic", "df", "p_value")
# These assess the slope of the effect on its standard error. Log risk ratios have such a slope by
# construction: both fall as the control risk rises.
OF_ASYMMETRY = ("egger", "trim_and_fill", "pet", "peese", "pet_peese")
OF_RISK_RATIOS = (
    "A risk ratio and its standard error both fall as the control risk rises, so this may "
    "show nothing else: use the result for the odds ratio."
)

TURNED = (
    "The maximum of the likelihood and the trials lie on opposite sides of no effect: selection "
    "and effect cannot be separated, and this is not a corrected effect."
)


def small_study_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Tests and corrections for small-study effects.

    Returns
    -------
    DataFrame
        Columns ``SMALL_STUDY_COLUMNS``. ``estimate`` is the effect that each method expects without
        small-study effects, on the natural scale. With fewer than ten trials a row says so, and
        nothing is computed.
    """
    return table(comparisons, SMALL_STUDY_COLUMNS, _tests)


def _tests(c: Comparison) -> Iterator[dict[str, Any]]:
    yield _record(c, "egger", egger(c.yi, c.vi, c.level))
    counts, odds = c.counts, c.measure == "odds_ratio"
    if counts is not None:
        yield _record(c, "harbord", harbord(counts, c.level) if odds else NOT_ODDS)
        yield _record(c, "peters", peters(counts, c.level) if odds else NOT_ODDS)
    yield _record(c, "trim_and_fill", filled(c))
    corrected = pet_peese(c.yi, c.vi, c.level)
    if isinstance(corrected, PetPeese):
        yield _record(c, "pet", corrected.pet)
        yield _record(c, "peese", corrected.peese)
    yield _record(c, "pet_peese", corrected)
    favoured: Literal["less", "greater"] = "less" if c.analysis.fewer_is_better else "greater"
    model = step_selection_model(c.yi, c.vi, favoured=favoured, level=c.level)
    yield _record(c, "selection_model", model)


def filled(c: Comparison) -> TrimAndFill | Refused:
    """Trim-and-fill with the random-effects model of the configuration."""
    pooling = c.pooling
    return trim_and_fill(
        c.yi,
        c.vi,
        method=pooling.tau2_estimator,
        interval=pooling.estimate_interval,
        level=c.level,
    )


def _record(
    c: Comparison,
    name: str,
    found: RegressionTest | TrimAndFill | PetPeese | SelectionModel | Refused,
) -> dict[str, Any]:
    own: dict[str, Any] = {"test": name}
    if c.measure == "risk_ratio" and name in OF_ASYMMETRY:
        own["reason"] = OF_RISK_RATIOS
    match found:
        case Refused():
            return own | {"reason": found.reason}
        case RegressionTest():
            limits = (found.limit, found.limit_low, found.limit_high)
            own |= dict(zip(MEAN, map(c.natural, limits), strict=True))
            return own | {n: getattr(found, n) for n in (*TEST, "slope", "slope_se")}
        case TrimAndFill():
            own |= {"missing": found.missing, "detail": f"missing on the {found.side}"}
        case PetPeese():
            own |= {"detail": f"{found.chosen.upper()} was chosen"}
        case SelectionModel():
            own |= {n: getattr(found, n) for n in TEST}
            own["detail"] = (
                f"chance of publication above one-sided p {found.steps[0]:g}, relative to below: "
                f"{found.selection[1]:.3g}"
            )
            own["reason"] = TURNED if found.turned else ""
    return own | c.naturals(found, MEAN)
