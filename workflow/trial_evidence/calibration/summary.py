"""Worst cases by number of trials, from the long table of a calibration, and a page of them."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from trial_evidence.words.models import INTERVAL_WORDS

CALIBRATION_COLUMNS = [
    "setting", "analysis", "measure", "k", "tau", "simulations", "quantity", "method", "value",
    "monte_carlo_se",
]  # fmt: skip

# Common name of the Bayesian model with the empirical prior, which differs by measure.
EMPIRICAL_NAME = "empirical prior"
# With so few trials a Bayesian model leads; coverage is then shown by tau.
FEW_TRIALS = 4
# Worst cases are over tau up to this; larger tau are reported separately.
LARGE_TAU = 0.4

METHOD_NAMES = {
    "EE wald": "Common effect, Wald",
    "DL wald": "DerSimonian–Laird, Wald",
    **{f"REML {name}": f"REML, {short}" for name, (_, short, _) in INTERVAL_WORDS.items()},
}
PREDICTION_NAMES = {
    "REML t_k_minus_1": "REML, t on k − 1",
    "REML t_k_minus_2": "REML, t on k − 2",
    "REML hartung_knapp_k_minus_1": "REML, Hartung–Knapp on k − 1",
    "REML conservative_k_minus_1": "REML, floored HK on k − 1",
    "REML hartung_knapp_k_minus_2": "REML, Hartung–Knapp on k − 2",
    "REML conservative_k_minus_2": "REML, floored HK on k − 2",
    "DL t_k_minus_2": "DerSimonian–Laird, t on k − 2",
}
Extreme = Literal["min", "max"]
DRAWN = "τ from the empirical prior"


def with_bayesian(names: Mapping[str, str], table: pd.DataFrame) -> dict[str, str]:
    """Names of methods, with every Bayesian model of a table under its own name."""
    bayesian = {name: name for name in sorted(set(table["method"])) if name.startswith("Bayesian ")}
    return {**names, **bayesian}


def extreme_by_trials(table: pd.DataFrame, quantity: str, which: Extreme) -> pd.DataFrame:
    """Smallest or largest value over the given pools and values of tau.

    One row per method, one column per number of trials; NaN if a method does not exist for so few.
    """
    chosen = table[table["quantity"] == quantity]
    return chosen.pivot_table(index="method", columns="k", values="value", aggfunc=which, sort=True)


def calibration_page(table: pd.DataFrame) -> str:
    """The worst cases of a table with ``CALIBRATION_COLUMNS``, as a Markdown page."""
    means, news = (with_bayesian(names, table) for names in (METHOD_NAMES, PREDICTION_NAMES))
    usual, beyond = table[table["tau"] <= LARGE_TAU], table[table["tau"] > LARGE_TAU]
    some = usual[usual["tau"] > 0]
    pools = table.drop_duplicates(["setting", "analysis", "measure"])
    coverage = table["quantity"].isin(["coverage", "prediction coverage", "tau2 coverage"])
    error = 100 * table.loc[coverage, "monte_carlo_se"].max()
    taus = ", ".join(f"{tau:g}" for tau in sorted(set(table["tau"].dropna())))
    by_trials = pools["k"].value_counts().sort_index()
    up_to, above = f"τ up to {LARGE_TAU:g}", f"τ above {LARGE_TAU:g}"
    lowest, widest = "Lowest coverage of the", "Largest mean width of the"
    sections = {}

    for part, words in ((usual, up_to), (beyond, above)):
        if not part.empty:
            title = f"{lowest} interval for the mean, percent; {words}"
            sections[title] = _worst(part, "coverage", means)
            title = f"{lowest} prediction interval, percent; {words}"
            sections[title] = _worst(part, "prediction coverage", news)
    title = f"{widest} interval, relative to the interval for known τ; {up_to}"
    sections[title] = _worst(usual, "relative width", means)
    title = f"{widest} prediction interval, relative to the one for known τ; τ from "
    title += f"{some['tau'].min():g} to {LARGE_TAU:g}"
    sections[title] = _worst(some, "relative prediction width", news)
    title = f"Bias of τ², in percent of the mean variance of a trial's effect, v + τ²; {up_to}"
    low, high = (extreme_by_trials(usual, "relative tau2 bias", w) for w in ("min", "max"))
    sections[title] = low.map(_signed) + " to " + high.map(_signed)
    title = f"{lowest} Q-profile interval for τ², percent; {up_to}"
    sections[title] = _worst(usual, "tau2 coverage", {"Q-profile": "Q-profile"})
    few = table[table["k"].astype(int) <= FEW_TRIALS]
    for k, part in few.groupby("k"):
        title = f"interval for the mean with {k} trials, percent, by the true τ"
        sections[f"{lowest} {title}"] = _by_tau(part, "coverage", means)
        title = f"prediction interval with {k} trials, percent, by the true τ"
        sections[f"{lowest} {title}"] = _by_tau(part, "prediction coverage", news)
        title = f"interval with {k} trials, upper limit over lower limit of a ratio, by the true τ"
        sections[f"{widest} {title}"] = _by_tau(part, "width", means)
    head = (
        "# Calibration",
        f"{len(pools)} pools of log ratios with the sampling variances of the sheet; true τ "
        f"{taus}; {table['simulations'].iloc[0]:,} simulated meta-analyses for each pool and τ. "
        f"The largest Monte Carlo standard error of a coverage is {error:.2f} percentage points.",
        f"Pools by number of trials: {'; '.join(f'k = {k}: {n}' for k, n in by_trials.items())}.",
    )
    body = (part for title, cells in sections.items() for part in (f"## {title}", _rows(cells)))
    return "\n\n".join([*head, *body]) + "\n"


def _signed(share: float) -> str:
    """A share in whole percent with its sign; zero has none."""
    percent = round(100 * share)
    return f"{percent:+d}".replace("-", "−") if percent else "0"


def _numbers(values: pd.DataFrame, names: Mapping[str, str], digits: int) -> pd.DataFrame:
    known = values.loc[[method for method in names if method in values.index]]
    return known.map(lambda x: f"{x:.{digits}f}" if x == x else "–").rename(names)


def _worst(part: pd.DataFrame, quantity: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Lowest coverage in percent, or largest width; rows are methods, columns numbers of trials."""
    covers = quantity.endswith("coverage")
    found = extreme_by_trials(part, quantity, "min" if covers else "max")
    return _numbers(100 * found, names, 1) if covers else _numbers(found, names, 2)


def _by_tau(part: pd.DataFrame, quantity: str, names: Mapping[str, str]) -> pd.DataFrame:
    """The lowest coverage in percent, or the greatest width as a ratio, of each method.

    One column per true tau; the last is tau drawn from the empirical prior.
    """
    chosen = part[part["quantity"] == quantity]
    named = chosen["tau"].map(lambda tau: f"τ = {tau:g}" if tau == tau else DRAWN)
    value = chosen["value"] if quantity.endswith("coverage") else np.exp(chosen["value"])
    return _worst(chosen.assign(k=named, value=value), quantity, names)[named.unique()]


def _rows(cells: pd.DataFrame) -> str:
    head = ["", *(k if isinstance(k, str) and "τ" in k else f"k = {k}" for k in cells.columns)]
    rule = ["---", *("---:" for _ in cells.columns)]
    body = [[str(name), *texts] for name, *texts in cells.itertuples()]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))
