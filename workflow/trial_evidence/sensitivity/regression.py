"""Does the effect follow a property of the trials? Meta-regressions, or why there are none."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from trial_evidence.pool.meta_regression import MetaRegression, meta_regression
from trial_evidence.pool.refusals import Refused
from trial_evidence.sensitivity.choices import SensitivityChoices
from trial_evidence.sensitivity.comparison import Comparison, nan_if_none, table
from trial_evidence.sensitivity.properties import receptor_shares
from trial_evidence.sheet import Sheet

META_REGRESSION_COLUMNS = [
    "setting", "analysis", "measure", "covariate", "k", "term", "coefficient", "se", "ci_low",
    "ci_high", "ci_level", "p_value", "df", "tau2", "r2", "q_residual", "q_residual_p",
    "without_covariate", "reason",
]  # fmt: skip


def meta_regression_table(
    comparisons: tuple[Comparison, ...], sheet: Sheet, choices: SensitivityChoices
) -> pd.DataFrame:
    """One meta-regression a covariate, by REML with the conservative Hartung-Knapp test.

    Parameters
    ----------
    comparisons : tuple of Comparison
    sheet : Sheet
    choices : SensitivityChoices

    Returns
    -------
    DataFrame
        Columns ``META_REGRESSION_COLUMNS``, on the analysis scale, a row a coefficient;
        ``without_covariate`` names the trials that do not state the covariate.
    """
    records = [
        c.frame() | {"ci_level": c.level} | record
        for c in comparisons
        for covariate, values in covariates(c, sheet, choices).items()
        for record in _records(c, covariate, values)
    ]
    return table(records, META_REGRESSION_COLUMNS)


def covariates(c: Comparison, sheet: Sheet, choices: SensitivityChoices) -> Mapping[str, pd.Series]:
    """Covariates of the trials in the order of the rows, NaN where not stated."""
    factor, level = choices.receptor
    shares = receptor_shares(sheet, factor, level)
    return {
        "year": c.rows["year"].astype(float),
        "median_followup_months": c.rows["median_followup_months"].astype(float),
        f"percent_{factor}_{level}": c.rows["trial_id"].map(shares).astype(float),
    }


def regress(c: Comparison, covariate: str, values: pd.Series) -> MetaRegression | Refused:
    """Regress the effects of the trials that state a covariate on it."""
    stated = values.notna().to_numpy()
    if not stated.any():
        return Refused("No trial states it.")
    return meta_regression(c.yi[stated], c.vi[stated], {covariate: values[stated]}, level=c.level)


def _records(c: Comparison, covariate: str, values: pd.Series) -> Iterator[dict[str, Any]]:
    stated = values.notna()
    shared = {
        "covariate": covariate,
        "k": int(stated.sum()),
        "without_covariate": ";".join(c.rows.loc[~stated, "trial_id"]),
    }
    found = regress(c, covariate, values)
    if isinstance(found, Refused):
        yield shared | {"reason": found.reason}
        return
    for at, term in enumerate(found.names):
        yield shared | {
            "term": term,
            "coefficient": float(found.coefficients[at]),
            "se": float(found.se[at]),
            "ci_low": float(found.ci_low[at]),
            "ci_high": float(found.ci_high[at]),
            "p_value": float(found.p_value[at]),
            "df": found.df,
            "tau2": found.tau2,
            "r2": nan_if_none(found.r2),
            "q_residual": found.q_residual,
            "q_residual_p": found.q_residual_p,
        }
