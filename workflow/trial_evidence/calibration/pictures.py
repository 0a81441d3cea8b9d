"""The figures of a calibration: intervals, and estimators of tau2."""

from collections.abc import Mapping

import pandas as pd

from trial_evidence.calibration.summary import METHOD_NAMES, PREDICTION_NAMES, with_bayesian
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts.calibration import calibration
from trial_evidence.figures.house.publish import Chart, charted
from trial_evidence.figures.house.theme import Words

# The coverage of the common-effect model is so low that the others would be indistinguishable on
# the same axis; the tables have every method.
_SHOWN_MEANS = ("DL wald", "REML wald", "REML hartung_knapp", "REML hartung_knapp_conservative")
_SHOWN_PREDICTIONS = ("REML conservative_k_minus_1", "REML t_k_minus_2")
_SHOWN_WIDTHS = ("DL wald", "REML hartung_knapp_conservative")
_LOWEST = "Lowest among the pools with this number of trials"
_POOLS = (
    "Sampling variances are those of the pools of ratios in the sheet; effects are drawn from a "
    "normal distribution with standard deviation τ between trials, on the log scale."
)


def calibration_charts(table: pd.DataFrame, level: float, style: Style) -> dict[str, Chart]:
    """Coverage and width of the intervals at a level in percent, and bias of tau2, by file name."""
    # Rows with tau drawn anew for each simulation have no position on the axis.
    table = table.dropna(subset="tau")
    names_of = METHOD_NAMES | PREDICTION_NAMES
    means, news, widths = (
        with_bayesian({method: names_of[method] for method in shown}, table)
        for shown in (_SHOWN_MEANS, _SHOWN_PREDICTIONS, _SHOWN_WIDTHS)
    )
    estimators = table.loc[table["quantity"] == "tau2 bias", "method"].unique()
    biased = dict(zip(estimators, estimators, strict=True))
    nominal = level / 100
    wide = "Width relative to the interval for known τ; widest of the pools"
    share = "Share of the mean variance of a trial's effect, v + τ²; mean of the pools"
    mean, new = f"{level:g}% interval for the mean", f"{level:g}% prediction interval"
    figures = {
        "coverage": (f"Coverage of the {mean}", _LOWEST, means, "coverage", "min", nominal),
        "prediction_coverage":
            (f"Coverage of the {new}", _LOWEST, news, "prediction coverage", "min", nominal),
        "width": (f"Mean width of the {mean}", wide, widths, "relative width", "max", 1.0),
        "tau2_bias":
            ("Bias of the estimators of τ²", share, biased, "relative tau2 bias", "mean", 0.0),
    }  # fmt: skip
    trials, taus = sorted(set(table["k"])), sorted(set(table["tau"]))
    drawn = f"{int(table['simulations'].iloc[0]):,} simulated meta-analyses for each pool and τ."
    charts = {}
    for name, (title, y, names, quantity, over_pools, target) in figures.items():
        values = panel_values(table, quantity, names, over_pools)
        words = Words(f"{title} in simulated meta-analyses", footnotes=(f"{_POOLS} {drawn}",))
        percent = quantity.endswith("coverage")
        description = (
            f"{words.title}: small panels of {', '.join(names.values())}, by number of trials from "
            f"{trials[0]} to {trials[-1]} and by τ from {taus[0]:g} to {taus[-1]:g}."
        )
        charts[name] = charted(
            calibration, values, target, y,
            words=words, description=description, style=style, percent=percent,
        )  # fmt: skip
    return charts


def panel_values(
    table: pd.DataFrame, quantity: str, names: Mapping[str, str], over_pools: str
) -> pd.DataFrame:
    """Minimum, maximum or mean of a quantity over the pools, by method, k and tau, or NaN."""
    chosen = table[table["quantity"] == quantity]
    found = chosen.groupby(["method", "k", "tau"])["value"].agg(over_pools)
    every = [list(names), sorted(set(table["k"])), sorted(set(table["tau"]))]
    grid = found.reindex(pd.MultiIndex.from_product(every, names=found.index.names)).reset_index()
    return grid.assign(method=grid["method"].map(names)).rename(columns={"k": "trials"})
