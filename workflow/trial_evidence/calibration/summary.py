"""Worst cases by number of trials, from the long table of a calibration, and a page of them."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

CALIBRATION_COLUMNS = [
    "setting", "analysis", "measure", "k", "tau", "simulations", "quantity", "method", "value",
    "monte_carlo_se",
]  # fmt: skip

# What is called worst is worst up to here; what lies beyond is told apart.
LARGE_TAU = 0.5

METHOD_NAMES = {
    "EE wald": "Common effect, Wald",
    "DL wald": "DerSimonian–Laird, Wald",
    "REML wald": "REML, Wald",
    "REML t": "REML, t",
    "REML hartung_knapp": "REML, Hartung–Knapp",
    "REML hartung_knapp_conservative": "REML, conservative Hartung–Knapp",
}
PREDICTION_NAMES = {
    "REML t_k_minus_1": "REML, t on k − 1",
    "REML t_k_minus_2": "REML, t on k − 2",
    "REML hartung_knapp_k_minus_1": "REML, Hartung–Knapp on k − 1",
    "REML conservative_k_minus_1": "REML, conservative HK on k − 1",
    "REML hartung_knapp_k_minus_2": "REML, Hartung–Knapp on k − 2",
    "REML conservative_k_minus_2": "REML, conservative HK on k − 2",
    "DL t_k_minus_2": "DerSimonian–Laird, t on k − 2",
}
Extreme = Literal["min", "max"]


def with_bayesian(names: Mapping[str, str], methods: Sequence[str]) -> dict[str, str]:
    """Names for tables, with every Bayesian model among the methods as it calls itself."""
    bayesian = {method: method for method in methods if method.startswith("Bayesian ")}
    return {**names, **dict(sorted(bayesian.items()))}


def extreme_by_trials(table: pd.DataFrame, quantity: str, which: Extreme) -> pd.DataFrame:
    """Smallest or largest value over the pools and the values of tau given.

    Parameters
    ----------
    table : DataFrame
        Columns ``CALIBRATION_COLUMNS``.
    quantity : str
        One of its quantities.
    which : {"min", "max"}

    Returns
    -------
    DataFrame
        A row a method, a column a number of trials; NaN where a method does not exist for so few.
    """
    chosen = table[table["quantity"] == quantity]
    return chosen.pivot_table(index="method", columns="k", values="value", aggfunc=which, sort=True)


def calibration_page(table: pd.DataFrame) -> str:
    """The worst cases as a page in Markdown.

    Parameters
    ----------
    table : DataFrame
        Columns ``CALIBRATION_COLUMNS``.

    Returns
    -------
    str
    """
    methods = list(dict.fromkeys(table["method"]))
    means = with_bayesian(METHOD_NAMES, methods)
    news = with_bayesian(PREDICTION_NAMES, methods)
    usual, beyond = table[table["tau"] <= LARGE_TAU], table[table["tau"] > LARGE_TAU]
    pools = table.drop_duplicates(["setting", "analysis", "measure"])
    coverage = table["quantity"].isin(["coverage", "prediction coverage", "tau2 coverage"])
    error = 100 * table.loc[coverage, "monte_carlo_se"].max()
    taus = ", ".join(f"{tau:g}" for tau in sorted(set(table["tau"])))
    lines = [
        "# Calibration",
        "",
        f"{len(pools)} pools of log ratios with the sampling variances of the sheet; true τ "
        f"{taus}; {table['simulations'].iloc[0]:,} simulated meta-analyses for each pool and τ. "
        f"The largest Monte Carlo standard error of a coverage is {error:.2f} percentage points.",
        "",
        "Pools by number of trials: "
        + "; ".join(f"k = {k}: {n}" for k, n in pools["k"].value_counts().sort_index().items())
        + ".",
    ]

    def add(title: str, body: list[str]) -> None:
        lines.extend(["", f"## {title}", "", *body])

    up_to, above = f"τ up to {LARGE_TAU:g}", f"τ above {LARGE_TAU:g}"
    for part, words in ((usual, up_to), (beyond, above)):
        if part.empty:
            continue
        add(
            f"Lowest coverage of the interval for the mean, percent; {words}",
            _percent(extreme_by_trials(part, "coverage", "min"), means),
        )
        add(
            f"Lowest coverage of the prediction interval, percent; {words}",
            _percent(extreme_by_trials(part, "prediction coverage", "min"), news),
        )
    add(
        f"Largest mean width of the interval, in widths of the interval that knows τ; {up_to}",
        _ratios(extreme_by_trials(usual, "relative width", "max"), means),
    )
    add(
        "Largest mean width of the prediction interval, in widths of the one that knows τ; "
        f"τ from {usual.loc[usual['tau'] > 0, 'tau'].min():g} to {LARGE_TAU:g}",
        _ratios(
            extreme_by_trials(usual[usual["tau"] > 0], "relative prediction width", "max"), news
        ),
    )
    low, high = (extreme_by_trials(usual, "relative tau2 bias", w) for w in ("min", "max"))
    add(
        f"Bias of τ², in percent of the mean variance of a trial's effect, v + τ²; {up_to}",
        _rows(low.columns, {name: [f"{_signed(a)} to {_signed(b)}" for a, b in
                                   zip(low.loc[name], high.loc[name], strict=True)]
                            for name in low.index}),
    )  # fmt: skip
    add(
        f"Lowest coverage of the Q-profile interval for τ², percent; {up_to}",
        _percent(extreme_by_trials(usual, "tau2 coverage", "min"), {"Q-profile": "Q-profile"}),
    )
    return "\n".join(lines) + "\n"


def _signed(share: float) -> str:
    """A share in whole percent with its sign; what rounds to nothing has none."""
    percent = round(100 * share)
    return f"{percent:+d}".replace("-", "−") if percent else "0"


def _percent(values: pd.DataFrame, names: Mapping[str, str]) -> list[str]:
    return _numbers(values * 100, names, 1)


def _ratios(values: pd.DataFrame, names: Mapping[str, str]) -> list[str]:
    return _numbers(values, names, 2)


def _numbers(values: pd.DataFrame, names: Mapping[str, str], digits: int) -> list[str]:
    known = {method: name for method, name in names.items() if method in values.index}
    return _rows(values.columns, {name: [f"{x:.{digits}f}" if x == x else "–" for x in
                                         values.loc[method]]
                                  for method, name in known.items()})  # fmt: skip


def _rows(trials: "pd.Index[str]", cells: Mapping[str, Sequence[str]]) -> list[str]:
    head = ["", *(f"k = {k}" for k in trials)]
    rule = ["---", *("---:" for _ in trials)]
    body = [[name, *texts] for name, texts in cells.items()]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]
