"""The figures of a calibration: intervals, and estimators of tau2."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from trial_evidence.calibration.summary import METHOD_NAMES, PREDICTION_NAMES, with_bayesian
from trial_evidence.figures.charts.calibration import Calibration, Section, Small

# The coverage of the common effect falls so low that nothing else could be told apart beside it;
# the page of tables has every method.
_SHOWN_MEANS = [method for method in METHOD_NAMES if method not in ("EE wald", "REML t")]
_SHOWN_PREDICTIONS = ("REML conservative_k_minus_1", "REML t_k_minus_2")
_SHOWN_WIDTHS = ("DL wald", "REML hartung_knapp_conservative")
_POOLS = (
    "Sampling variances are those of the pools of ratios in the sheet; effects are drawn from a "
    "normal distribution with standard deviation τ between trials, on the log scale."
)


def intervals_figure(table: pd.DataFrame, level: float) -> Calibration:
    """Coverage and width of the intervals.

    Parameters
    ----------
    table : DataFrame
        Columns ``CALIBRATION_COLUMNS``.
    level : float
        Nominal level in percent.

    Returns
    -------
    Calibration
    """
    methods = list(dict.fromkeys(table["method"]))
    means = with_bayesian({m: METHOD_NAMES[m] for m in _SHOWN_MEANS}, methods)
    news = with_bayesian({m: PREDICTION_NAMES[m] for m in _SHOWN_PREDICTIONS}, methods)
    widths = with_bayesian({m: METHOD_NAMES[m] for m in _SHOWN_WIDTHS}, methods)
    return _figure(
        "Intervals in simulated meta-analyses",
        table,
        (
            Section(
                f"Coverage of the {level:g}% interval for the mean",
                "Lowest of the pools with so many trials",
                _panels(table, "coverage", means, "min"),
                level / 100,
                percent=True,
            ),
            Section(
                f"Coverage of the {level:g}% prediction interval",
                "Lowest of the pools with so many trials",
                _panels(table, "prediction coverage", news, "min"),
                level / 100,
                percent=True,
            ),
            Section(
                "Mean width of the interval for the mean",
                "Widths of the interval that knows τ; widest of the pools",
                _panels(table, "relative width", widths, "max"),
                1.0,
            ),
        ),
    )


def estimators_figure(table: pd.DataFrame) -> Calibration:
    """Bias of every estimator of tau2.

    Parameters
    ----------
    table : DataFrame
        Columns ``CALIBRATION_COLUMNS``.

    Returns
    -------
    Calibration
    """
    names = list(dict.fromkeys(table.loc[table["quantity"] == "tau2 bias", "method"]))
    panels = _panels(table, "relative tau2 bias", {name: name for name in names}, "mean")
    section = Section(
        "Bias of the estimators of τ²",
        "Share of the mean variance of a trial's effect, v + τ²; mean of the pools",
        panels,
        0.0,
    )
    return _figure("Estimators of τ² in simulated meta-analyses", table, (section,))


def _figure(title: str, table: pd.DataFrame, sections: Sequence[Section]) -> Calibration:
    trials, taus = sorted(set(table["k"])), sorted(set(table["tau"]))
    count = int(table["simulations"].iloc[0])
    return Calibration(
        title,
        [int(k) for k in trials],
        taus,
        sections,
        footnotes=(f"{_POOLS} {count:,} simulated meta-analyses for each pool and τ.",),
        description=f"{title}: small panels of "
        + "; ".join(section.title for section in sections)
        + f", by number of trials from {trials[0]} to {trials[-1]} and by τ.",
    )


def _panels(
    table: pd.DataFrame, quantity: str, names: Mapping[str, str], over_pools: str
) -> tuple[Small, ...]:
    chosen = table[table["quantity"] == quantity]
    trials, taus = sorted(set(table["k"])), sorted(set(table["tau"]))
    grid = chosen.groupby(["method", "k", "tau"])["value"].agg(over_pools)
    return tuple(
        Small(name, np.array([[grid.get((m, k, tau), np.nan) for tau in taus] for k in trials]))
        for m, name in names.items()
    )
