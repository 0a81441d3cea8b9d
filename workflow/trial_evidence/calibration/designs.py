"""The sets of trials that the simulation imitates: every overall pool of log ratios."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.files import read_table, where
from trial_evidence.measures import MEASURES
from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.sheet.values import ALL
from trial_evidence.words.errors import RequestError


@dataclass(frozen=True)
class Design:
    """An overall pool, represented by its sampling variances.

    Attributes
    ----------
    setting, analysis, measure : str
        Identify the pool.
    vi : tuple of float
        Sampling variances of the trials on the log scale.
    """

    setting: str
    analysis: str
    measure: str
    vi: tuple[float, ...]

    @property
    def k(self) -> int:
        """Number of trials."""
        return len(self.vi)

    def variance_if_known(self, tau: float) -> float:
        """Variance of the optimal mean if tau is known: 1 / sum of 1/(v + tau**2)."""
        return float(1 / (1 / (np.array(self.vi) + tau**2)).sum())

    def trial_variance(self, tau: float) -> float:
        """Mean over the trials of v + tau**2."""
        return float(np.mean(self.vi) + tau**2)

    def ideal_width(self, tau: float, level: float) -> float:
        """Width of the interval for the mean if tau is known, at a level in percent."""
        return float(2 * normal_quantile(level) * np.sqrt(self.variance_if_known(tau)))

    def ideal_prediction_width(self, tau: float, level: float) -> float:
        """Width of the prediction interval if tau is known, at a level in percent."""
        variance = self.variance_if_known(tau) + tau**2
        return float(2 * normal_quantile(level) * np.sqrt(variance))


def read_designs(configuration: Configuration, results: Path) -> tuple[Design, ...]:
    """Overall pools of two or more trials, in the order of the configuration.

    Ratios only: the same grid of tau does not suit both log ratios and differences.

    Parameters
    ----------
    configuration : Configuration
    results : Path
        Contains ``<setting>/trials.csv`` from the pool stage.

    Returns
    -------
    tuple of Design

    Raises
    ------
    RequestError
        If a setting has not been pooled yet, or no pool has two trials.
    """
    tables = {name: _trials(results / name / "trials.csv") for name in configuration.settings}
    designs = []
    for analysis in configuration.analyses:
        if analysis.pool != "overall":
            continue
        trials = tables[analysis.setting]
        for measure in analysis.measures:
            about = {"analysis": analysis.id, "measure": measure, "subgroup": ALL}
            chosen = where(trials, **about, pooled="yes")
            if len(chosen) >= 2 and MEASURES[measure].is_ratio:
                vi = tuple(chosen["vi"].tolist())
                designs.append(Design(analysis.setting, analysis.id, measure, vi))
    if not designs:
        raise RequestError("No analysis pools two trials or more: there is nothing to simulate.")
    return tuple(designs)


def _trials(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise RequestError(f"{path} is missing. Run make first.")
    return read_table(path, TRIAL_NUMBERS)
