"""Small-study effects of every comparison, or why they are not looked for."""

from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd

from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.probes.selection_model import step_selection_model
from trial_evidence.pool.probes.small_study import (
    RegressionTest,
    egger,
    harbord,
    pet_peese,
    peters,
    trim_and_fill,
)
from trial_evidence.sensitivity.comparison import Comparison, table

SMALL_STUDY_COLUMNS = [
    "setting", "analysis", "measure", "test", "k", "statistic", "df", "p_value", "slope",
    "slope_se", "estimate", "ci_low", "ci_high", "missing", "detail", "reason",
]  # fmt: skip
ODDS_ONLY = "Defined for odds ratios alone."


def small_study_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Tests and corrections for small-study effects.

    Parameters
    ----------
    comparisons : tuple of Comparison

    Returns
    -------
    DataFrame
        Columns ``SMALL_STUDY_COLUMNS``. ``estimate`` is the effect each method expects without
        small-study effects, on the natural scale. With fewer than ten trials a row says that,
        and nothing is computed.
    """
    records = [c.frame() | {"k": c.k} | record for c in comparisons for record in _tests(c)]
    return table(records, SMALL_STUDY_COLUMNS)


def _tests(c: Comparison) -> Iterator[dict[str, Any]]:
    yield _regression(c, "egger", egger(c.yi, c.vi, c.level))
    counts = c.counts
    for name, test in (("harbord", harbord), ("peters", peters)):
        if counts is None:
            continue
        if c.measure == "odds_ratio":
            yield _regression(c, name, test(counts, c.level))
        else:
            yield {"test": name, "reason": ODDS_ONLY}
    filled = trim_and_fill(c.yi, c.vi, level=c.level)
    if isinstance(filled, Refused):
        yield {"test": "trim_and_fill", "reason": filled.reason}
    else:
        yield _interval(c, filled.estimate, filled.ci_low, filled.ci_high) | {
            "test": "trim_and_fill",
            "missing": filled.missing,
            "detail": f"missing on the {filled.side}",
        }
    corrected = pet_peese(c.yi, c.vi, c.level)
    if isinstance(corrected, Refused):
        yield {"test": "pet_peese", "reason": corrected.reason}
    else:
        yield _regression(c, "pet", corrected.pet)
        yield _regression(c, "peese", corrected.peese)
        yield _interval(c, corrected.estimate, corrected.ci_low, corrected.ci_high) | {
            "test": "pet_peese",
            "detail": f"{corrected.chosen.upper()} was chosen",
        }
    favoured: Literal["less", "greater"] = "less" if c.analysis.fewer_is_better else "greater"
    model = step_selection_model(c.yi, c.vi, favoured=favoured, level=c.level)
    if isinstance(model, Refused):
        yield {"test": "selection_model", "reason": model.reason}
    else:
        yield _interval(c, model.estimate, model.ci_low, model.ci_high) | {
            "test": "selection_model",
            "statistic": model.statistic,
            "df": model.df,
            "p_value": model.p_value,
            "detail": f"chance of publication above one-sided p {model.steps[0]:g}, relative to "
            f"below: {model.selection[1]:.3g}",
        }


def _regression(c: Comparison, name: str, test: RegressionTest | Refused) -> dict[str, Any]:
    if isinstance(test, Refused):
        return {"test": name, "reason": test.reason}
    return _interval(c, test.limit, test.limit_low, test.limit_high) | {
        "test": name,
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
        "slope": test.slope,
        "slope_se": test.slope_se,
    }


def _interval(c: Comparison, estimate: float, low: float, high: float) -> dict[str, float]:
    return {
        "estimate": c.natural(estimate),
        "ci_low": c.natural(low),
        "ci_high": c.natural(high),
    }
