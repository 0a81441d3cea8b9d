"""The trials that one analysis pools as one measure: where sensitivity analyses start."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.config.methods import Pooling
from trial_evidence.files import records
from trial_evidence.measures import MEASURES, Measure
from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.estimates import ALL
from trial_evidence.pool.models.mantel_haenszel import Counts, counts_of

MEAN = ("estimate", "ci_low", "ci_high")
NEW_TRIAL = ("pi_low", "pi_high")
LIMITS = ("ci_low", "ci_high", *NEW_TRIAL)


@dataclass(frozen=True)
class Comparison:
    """Trials pooled by one analysis as one measure.

    Attributes
    ----------
    measure : str
        One of the analysis's measures.
    rows : DataFrame
        Its pooled trials, whole populations only, a row a trial.
    level : float
        Level of the intervals in percent.
    prior_scale : float
        Scale of the half-normal prior on tau, on the analysis scale.
    pooling : Pooling
        The random-effects model that is reported, and which model leads.
    """

    analysis: Analysis
    measure: str
    rows: pd.DataFrame
    level: float
    prior_scale: float
    pooling: Pooling

    @property
    def k(self) -> int:
        """Number of trials."""
        return len(self.rows)

    @property
    def yi(self) -> Floats:
        """Effects on the analysis scale, shape (k,)."""
        return self.rows["yi"].to_numpy(float)

    @property
    def vi(self) -> Floats:
        """Their sampling variances, shape (k,)."""
        return self.rows["vi"].to_numpy(float)

    @property
    def reading(self) -> Measure:
        """How the measure is pooled and which side is benefit."""
        return MEASURES[self.measure]

    @property
    def counts(self) -> Counts | None:
        """Two-by-two tables, where the measure is made of them."""
        return counts_of(self.rows, self.measure)

    def natural(self, value: float | None) -> float:
        """A value of the analysis scale on the natural one; NaN where there is none."""
        return float("nan") if value is None else float(self.reading.scale.to_natural(value))

    def naturals(
        self, result: object, names: Iterable[str] = (*MEAN, *NEW_TRIAL), at: int | None = None
    ) -> dict[str, float]:
        """Fields of a result on the natural scale; of a stack, those of one place."""
        values = {name: getattr(result, name) for name in names}
        return {
            name: self.natural(value if at is None else float(value[at]))
            for name, value in values.items()
        }

    def benefit(self, below_zero: float) -> float:
        """Probability of benefit from the probability of an effect below zero."""
        return below_zero if self.analysis.fewer_is_better else 1 - below_zero

    def frame(self) -> dict[str, Any]:
        """Columns with which every row of a table begins."""
        analysis = self.analysis
        return {"setting": analysis.setting, "analysis": analysis.id, "measure": self.measure}

    def trials(self) -> list[dict[str, Any]]:
        """Id and name of each trial, in the order of the rows."""
        return records(self.rows[["trial_id", "trial"]])

    def by_year(self) -> "Comparison":
        """The same trials in the order in which they were reported."""
        return replace(self, rows=self.rows.sort_values(["year", "trial"], kind="stable"))


def comparisons(
    configuration: Configuration, setting: str, trials: pd.DataFrame
) -> tuple[Comparison, ...]:
    """What can be examined: every measure of an analysis that pools two trials or more.

    Parameters
    ----------
    trials : DataFrame
        Columns ``trial_evidence.extract.columns.USED_COLUMNS``.

    Returns
    -------
    tuple of Comparison
        Of analyses that are pooled over all their trials, in the order of the configuration.
    """
    pooled = trials[(trials["subgroup"] == ALL) & (trials["pooled"] == "yes")]
    found = []
    for analysis in configuration.of_setting(setting):
        if analysis.pool != "overall":
            continue
        for measure in analysis.measures:
            rows = pooled[(pooled["analysis"] == analysis.id) & (pooled["measure"] == measure)]
            if len(rows) >= 2:
                scale = configuration.tau_prior_scale[MEASURES[measure].scale.prior]
                found.append(
                    Comparison(
                        analysis,
                        measure,
                        rows.reset_index(drop=True),
                        configuration.confidence_level,
                        scale,
                        configuration.pooling,
                    )
                )
    return tuple(found)


def table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Records as a table; a record that names an unknown column is a slip of ours.

    Raises
    ------
    KeyError
        If a record has a column that is not among `columns`.
    """
    unknown = {name for record in rows for name in record} - set(columns)
    if unknown:
        raise KeyError(f"not columns of the table: {', '.join(sorted(unknown))}")
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({c: "Int64" for c in ("k", "df", "df_num", "df_den") if c in columns})


def nan_if_none(value: float | None) -> float:
    """NaN in place of None, so that a column of numbers stays one."""
    return float(np.nan) if value is None else float(value)
