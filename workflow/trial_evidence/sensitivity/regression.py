"""Does the effect depend on a property of the trials, or on control risk? If unknown, why."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from trial_evidence.config.methods import Sensitivity
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.probes.control_risk import control_risk_regression
from trial_evidence.pool.probes.meta_regression import (
    TRIALS_A_COVARIATE,
    MetaRegression,
    meta_regression,
)
from trial_evidence.sensitivity.comparison import BEGINNING, MEAN, Comparison, table
from trial_evidence.sensitivity.properties import shares_at
from trial_evidence.sheet import Sheet

META_REGRESSION_COLUMNS = [
    *BEGINNING, "covariate", "k", "term", "coefficient", "se", "ci_low", "ci_high", "ci_level",
    "p_value", "df", "tau2", "r2", "q_residual", "q_residual_p", "without_covariate", "reason",
]  # fmt: skip
CONTROL_RISK_COLUMNS = [
    *BEGINNING, "k", "term", "control_risk", "estimate", "ci_low", "ci_high", "ci_level", "p_value",
    "tau2", "risk_ratio", "risk_ratio_low", "risk_ratio_high", "difference", "difference_low",
    "difference_high", "reason",
]  # fmt: skip
DOUBLED = "control_odds_doubled"
QUARTILES = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}
OF_THE_MODEL = ("df", "tau2", "r2", "q_residual", "q_residual_p")
OF_A_TERM = ("se", "ci_low", "ci_high", "p_value")


def meta_regression_table(
    comparisons: tuple[Comparison, ...], sheet: Sheet, choices: Sensitivity
) -> pd.DataFrame:
    """One meta-regression per covariate, by REML with the floored Hartung-Knapp test.

    Returns
    -------
    DataFrame
        Columns ``META_REGRESSION_COLUMNS``, on the analysis scale, one row per coefficient;
        ``without_covariate`` lists the trials that do not state the covariate.
    """
    return table(
        comparisons, META_REGRESSION_COLUMNS, partial(_regressions, sheet=sheet, choices=choices)
    )


def control_risk_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Does the odds ratio change with the control risk, and what follows for the other measures?

    Returns
    -------
    DataFrame
        Columns ``CONTROL_RISK_COLUMNS``. The term ``control_odds_doubled`` is the factor by which
        the odds ratio changes; then the effect at each quartile of the observed control risks, as
        odds ratio, risk ratio and risk difference. ``tau2`` is that around the line. For odds
        ratios only; with fewer than ten trials a row says that.
    """
    return table(comparisons, CONTROL_RISK_COLUMNS, _on_control_risk)


def regressions(
    c: Comparison, sheet: Sheet, choices: Sensitivity
) -> Iterator[tuple[str, pd.Series, MetaRegression | Refused, str]]:
    """Each covariate by its name in tables, its values, the regression on it, and a warning.

    Values are in the order of the rows, NaN if not stated. The warning is for a regression that the
    configuration requests despite few trials, otherwise empty.
    """
    for covariate in choices.covariates:
        factor, share, level = covariate.partition("=")
        name = f"percent_{factor}_{level}" if share else factor
        known = c.rows["trial_id"].map(shares_at(sheet, factor, level)) if share else c.rows[factor]
        values = known.astype(float)
        stated = values.notna().to_numpy()
        forced = (c.analysis.id, covariate) in choices.forced_meta_regressions
        numbers = c.yi[stated], c.vi[stated], {name: values[stated]}
        found = (
            meta_regression(*numbers, level=c.level, forced=forced)
            if stated.any()
            else Refused("No trial states it.")
        )
        warning = ""
        if forced and stated.sum() < TRIALS_A_COVARIATE:
            warning = (
                f"Forced by the configuration: {stated.sum()} trials, although "
                f"{TRIALS_A_COVARIATE} are required. An apparent trend may be due to chance."
            )
        yield name, values, found, warning


def _on_control_risk(c: Comparison) -> Iterator[dict[str, Any]]:
    if c.counts is None or c.measure != "odds_ratio":
        return
    found = control_risk_regression(c.counts, c.level)
    if isinstance(found, Refused):
        yield {"term": DOUBLED, "reason": found.reason}
        return
    limits = (found.slope, found.slope_low, found.slope_high)
    factor = dict(zip(MEAN, (2**slope for slope in limits), strict=True))
    yield {"term": DOUBLED, "p_value": found.p_value, "tau2": found.tau2} | factor
    risks = c.rows["events_control"] / c.rows["n_control"]
    for name, share in QUARTILES.items():
        at = found.at(float(risks.quantile(share)))
        yield {
            "term": name,
            "control_risk": at.control_risk,
            **dict(zip(MEAN, at.odds_ratio, strict=True)),
            **dict(zip(_with_limits("risk_ratio"), at.risk_ratio, strict=True)),
            **dict(zip(_with_limits("difference"), at.risk_difference, strict=True)),
        }


def _with_limits(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _regressions(c: Comparison, sheet: Sheet, choices: Sensitivity) -> Iterator[dict[str, Any]]:
    for covariate, values, found, warning in regressions(c, sheet, choices):
        stated = values.notna()
        shared = {
            "covariate": covariate,
            "k": int(stated.sum()),
            "without_covariate": ";".join(c.rows.loc[~stated, "trial_id"]),
        }
        if isinstance(found, Refused):
            yield shared | {"reason": found.reason}
            continue
        shared |= {name: getattr(found, name) for name in OF_THE_MODEL} | {"reason": warning}
        for at, term in enumerate(found.names):
            of_term = {name: getattr(found, name)[at] for name in OF_A_TERM}
            yield shared | {"term": term, "coefficient": found.coefficients[at]} | of_term
