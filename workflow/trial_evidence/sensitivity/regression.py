"""Does the effect follow a property of the trials? Meta-regressions, or why there are none."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from trial_evidence.config.methods import Sensitivity
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.probes.meta_regression import (
    TRIALS_A_COVARIATE,
    MetaRegression,
    meta_regression,
)
from trial_evidence.sensitivity.comparison import BEGINNING, Comparison, table
from trial_evidence.sensitivity.properties import shares_at
from trial_evidence.sheet import Sheet

META_REGRESSION_COLUMNS = [
    *BEGINNING, "covariate", "k", "term", "coefficient", "se", "ci_low", "ci_high", "ci_level",
    "p_value", "df", "tau2", "r2", "q_residual", "q_residual_p", "without_covariate", "reason",
]  # fmt: skip
OF_THE_MODEL = ("df", "tau2", "r2", "q_residual", "q_residual_p")
OF_A_TERM = ("se", "ci_low", "ci_high", "p_value")


def meta_regression_table(
    comparisons: tuple[Comparison, ...], sheet: Sheet, choices: Sensitivity
) -> pd.DataFrame:
    """One meta-regression a covariate, by REML with the floored Hartung-Knapp test.

    Returns
    -------
    DataFrame
        Columns ``META_REGRESSION_COLUMNS``, on the analysis scale, a row a coefficient;
        ``without_covariate`` names the trials that do not state the covariate.
    """
    return table(
        comparisons, META_REGRESSION_COLUMNS, partial(_regressions, sheet=sheet, choices=choices)
    )


def covariates(c: Comparison, sheet: Sheet, choices: Sensitivity) -> Mapping[str, pd.Series]:
    """Covariates of the trials by name, in the order of the rows, NaN where not stated."""
    found = {}
    for covariate in choices.covariates:
        factor, share, level = covariate.partition("=")
        values = (
            c.rows["trial_id"].map(shares_at(sheet, factor, level)) if share else c.rows[factor]
        )
        found[covariate_name(covariate)] = values.astype(float)
    return found


def covariate_name(covariate: str) -> str:
    """Name of a configured covariate in tables: ``factor=level`` is a share in percent."""
    factor, share, level = covariate.partition("=")
    return f"percent_{factor}_{level}" if share else factor


def is_forced(c: Comparison, covariate: str, choices: Sensitivity) -> bool:
    """Whether the configuration asks for a meta-regression with fewer than ten trials."""
    forced = choices.forced_meta_regressions
    return (c.analysis.id, covariate) in [(of, covariate_name(name)) for of, name in forced]


def forced_words(k: int) -> str:
    """That a meta-regression was made in spite of few trials; empty where they are not few."""
    if k >= TRIALS_A_COVARIATE:
        return ""
    return (
        f"Forced by the configuration: {k} trials, although {TRIALS_A_COVARIATE} are "
        "required. An apparent trend may be due to chance."
    )


def regress(
    c: Comparison, covariate: str, values: pd.Series, *, forced: bool
) -> MetaRegression | Refused:
    """Regress the effects of the trials that state a covariate on it."""
    stated = values.notna().to_numpy()
    if not stated.any():
        return Refused("No trial states it.")
    return meta_regression(
        c.yi[stated], c.vi[stated], {covariate: values[stated]}, level=c.level, forced=forced
    )


def _regressions(c: Comparison, sheet: Sheet, choices: Sensitivity) -> Iterator[dict[str, Any]]:
    for covariate, values in covariates(c, sheet, choices).items():
        stated = values.notna()
        shared = {
            "covariate": covariate,
            "k": int(stated.sum()),
            "without_covariate": ";".join(c.rows.loc[~stated, "trial_id"]),
        }
        forced = is_forced(c, covariate, choices)
        found = regress(c, covariate, values, forced=forced)
        if isinstance(found, Refused):
            yield shared | {"reason": found.reason}
            continue
        shared |= {name: getattr(found, name) for name in OF_THE_MODEL}
        shared["reason"] = forced_words(found.k) if forced else ""
        for at, term in enumerate(found.names):
            of_term = {name: getattr(found, name)[at] for name in OF_A_TERM}
            yield shared | {"term": term, "coefficient": found.coefficients[at]} | of_term
