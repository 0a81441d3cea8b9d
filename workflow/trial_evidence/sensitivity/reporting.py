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
from trial_evidence.sensitivity.comparison import MEAN, Comparison, table

SMALL_STUDY_COLUMNS = [
    "setting", "analysis", "measure", "test", "k", "statistic", "df", "p_value", "slope",
    "slope_se", "estimate", "ci_low", "ci_high", "missing", "detail", "reason",
]  # fmt: skip
TEST = ("statistic", "df", "p_value")
ODDS_ONLY = "Defined for odds ratios alone."


def small_study_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Tests and corrections for small-study effects.

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
    if counts is not None:
        for name, test in (("harbord", harbord), ("peters", peters)):
            odds = c.measure == "odds_ratio"
            found = test(counts, c.level) if odds else Refused(ODDS_ONLY)
            yield _regression(c, name, found)
    filled = trim_and_fill(c.yi, c.vi, level=c.level)
    if isinstance(filled, Refused):
        yield {"test": "trim_and_fill", "reason": filled.reason}
    else:
        yield c.naturals(filled, MEAN) | {
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
        yield c.naturals(corrected, MEAN) | {
            "test": "pet_peese",
            "detail": f"{corrected.chosen.upper()} was chosen",
        }
    favoured: Literal["less", "greater"] = "less" if c.analysis.fewer_is_better else "greater"
    model = step_selection_model(c.yi, c.vi, favoured=favoured, level=c.level)
    if isinstance(model, Refused):
        yield {"test": "selection_model", "reason": model.reason}
    else:
        yield c.naturals(model, MEAN) | {
            "test": "selection_model",
            **{name: getattr(model, name) for name in TEST},
            "detail": f"chance of publication above one-sided p {model.steps[0]:g}, relative to "
            f"below: {model.selection[1]:.3g}",
        }


def _regression(c: Comparison, name: str, test: RegressionTest | Refused) -> dict[str, Any]:
    if isinstance(test, Refused):
        return {"test": name, "reason": test.reason}
    return {
        "test": name,
        "estimate": c.natural(test.limit),
        "ci_low": c.natural(test.limit_low),
        "ci_high": c.natural(test.limit_high),
        **{name: getattr(test, name) for name in (*TEST, "slope", "slope_se")},
    }
