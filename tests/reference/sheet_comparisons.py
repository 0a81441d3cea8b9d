"""The sensitivity tables of the real sheet's trials against R.

The trials are those of real_sheet_methods.json, not of the sheet: an analyst may correct any
number of it without the reference values becoming wrong.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.methods import RequiredInformation
from trial_evidence.measures import MEASURES
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.models.counts import COUNT_COLUMNS
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.sensitivity.deletion import influence_table
from trial_evidence.sensitivity.methods import methods_table
from trial_evidence.sensitivity.reporting import small_study_table

from reference import load
from reference.comparisons import DIRECT, METAFOR, TESTS, Pair, pair

ROOT = Path(__file__).resolve().parents[2]
SHEET = load("real_sheet_methods")
TABLES = "sensitivity tables of the sheet"


@cache
def _configuration() -> Any:
    """The project's configuration with the settings used for the reference values."""
    configuration = read_configuration(ROOT / "config")
    return SimpleNamespace(
        pooling=replace(configuration.pooling, tau2_estimator="REML"),
        sensitivity=replace(
            configuration.sensitivity,
            wide_prior_factor=2.0,
            empirical_prior=("any", "any"),
            required_information=RequiredInformation(1.25, 0.1, 5, 80),
        ),
    )


def comparison(name: str) -> Comparison:
    """The stored trials of an analysis and measure."""
    given = SHEET[name]
    rows = pd.DataFrame(
        {"trial_id": given["trials"], "trial": given["trials"], "yi": given["yi"],
         "vi": given["vi"]}
    )  # fmt: skip
    for ours, theirs in zip(COUNT_COLUMNS, ("ai", "n1i", "ci", "n2i"), strict=True):
        rows[ours] = given.get("table", {}).get(theirs, np.nan)
    return Comparison(
        analysis=SimpleNamespace(
            setting=given["setting"],
            id=given["analysis"],
            fewer_is_better=given["measure"] == "hazard_ratio",
        ),
        measure=given["measure"],
        rows=rows,
        level=95.0,
        priors={"bayesian": HalfNormal(given["prior_scale"])},
        pooling=_configuration().pooling,
    )


def _row(records: list[dict[str, Any]], **where: str) -> dict[str, Any]:
    (found,) = (r for r in records if all(r[column] == value for column, value in where.items()))
    return found


LIMITS = ("estimate", "ci_low", "ci_high")
PRIORS = {
    "halfnormal": "half-normal({:g})",
    "halfnormal_wide": "half-normal({:g})",
    "halfcauchy": "half-Cauchy({:g})",
    "lognormal": "log-normal(-2.56, 1.74²) on τ²",
}


def unchanged(name: str, c: Comparison) -> bool:
    """Whether an analysis of the sheet still has the trials and numbers stored for it."""
    given = SHEET.get(name)
    if given is None or list(c.rows["trial_id"]) != given["trials"]:
        return False
    same = np.allclose([c.yi, c.vi], [given["yi"], given["vi"]], rtol=1e-12, atol=0)
    return same and c.cautious_scale == given["prior_scale"] and c.level == 95


def tables(name: str, of_the_sheet: Comparison | None = None) -> Iterator[Pair]:
    """Every computed row of methods.csv, small_study.csv and influence.csv except one.

    The bootstrap prediction interval has reference values, and an error of its own, elsewhere.
    With `of_the_sheet` the tables are those of that comparison, not of the committed one.
    """
    given = SHEET[name]["R"]
    c = replace(of_the_sheet or comparison(name), pooling=_configuration().pooling)
    natural = np.vectorize(MEASURES[c.measure].scale.to_natural, otypes=[float])
    methods = methods_table((c,), _configuration().sensitivity).to_dict("records")
    for method, fit in given["fits"].items():
        for test, (interval, prediction) in TESTS.items():
            mean, low, high, *predictions = (np.nan if x is None else x for x in fit[test])
            where = f"{name} {method} {test}"
            row = _row(methods, tau2_estimator=method, interval=interval)
            yield pair(f"{TABLES}: random effects", METAFOR, where, [
                *(row[x] for x in LIMITS), row["p_value"], row["tau2"]], [
                *natural([mean, low, high]), fit["p"][test], fit["tau2"]])  # fmt: skip
            for lost, expected in ((1, predictions[:2]), (2, predictions[2:])):
                row = _row(methods, tau2_estimator=method, prediction=prediction.format(lost))
                yield pair(f"{TABLES}: random effects", METAFOR, f"{where} k-{lost}", [
                    row["pi_low"], row["pi_high"]], natural(expected))  # fmt: skip
    for model in ("common", "mantel_haenszel", "peto", "logistic_unconditional",
                  "logistic_conditional", "logistic_conditional_common"):  # fmt: skip
        if model not in given:
            continue
        mean, low, high, p, *tau2 = given[model]
        row = _row(methods, model=model)
        logistic = model.startswith("logistic")
        yield pair(
            f"{TABLES}: logistic regression" if logistic else f"{TABLES}: common effect, counts",
            DIRECT if logistic else METAFOR, f"{name} {model}",
            [*(row[x] for x in LIMITS), row["p_value"], *([row["tau2"]] if tau2 else [])],
            [*natural([mean, low, high]), p, *tau2],
        )  # fmt: skip
    for prior, theirs in given["bayes"].items():
        scale = c.cautious_scale * (2 if prior == "halfnormal_wide" else 1)
        row = _row(methods, prior=PRIORS[prior].format(scale))
        below = theirs["below_zero"]
        benefit = below if MEASURES[c.measure].kind == "contrasts" else 1 - below
        worthwhile = theirs["below_worthwhile"] if c.measure == "hazard_ratio" else None
        yield pair(f"{TABLES}: Bayesian", DIRECT, f"{name} {prior}", [
            *(row[x] for x in LIMITS), row["pi_low"], row["pi_high"], row["tau2"],
            row["probability_of_benefit"], row["probability_worthwhile"]], [
            *natural([theirs["median"], *theirs["ci"], *theirs["pi"]]), theirs["tau2"], benefit,
            worthwhile])  # fmt: skip
    if "influence" in given:
        found = influence_table((c,))
        for field, theirs in given["influence"].items():
            yield pair(
                f"{TABLES}: influence", METAFOR, f"{name} {field}", list(found[field]), theirs
            )
    yield from _small(
        name, small_study_table((c,)).to_dict("records"), given.get("small_study", {}), natural
    )


def _small(
    name: str, found: list[dict[str, Any]], given: dict[str, Any], natural: Any
) -> Iterator[Pair]:
    for test, theirs in given.items():
        if test == "side":
            continue
        row = _row(found, test=test)
        where = f"{name} {test}"
        if test == "trim_and_fill":
            *limits, missing = theirs
            yield pair(f"{TABLES}: trim-and-fill", METAFOR, where, [
                *(row[x] for x in LIMITS), row["missing"]], [*natural(limits), missing],
            )  # fmt: skip
        elif test == "selection_model":
            *limits, statistic, p, _, _ = theirs
            yield pair(f"{TABLES}: selection model", METAFOR, where, [
                *(row[x] for x in LIMITS), row["statistic"], row["p_value"]], [
                *natural(limits), statistic, p])  # fmt: skip
        else:
            statistic, p, slope, se, *limits = theirs
            yield pair(f"{TABLES}: Egger, Harbord, Peters, PET, PEESE", METAFOR, where, [
                row["statistic"], row["p_value"], row["slope"], row["slope_se"],
                *(row[x] for x in LIMITS)], [statistic, p, slope, se, *natural(limits)],
            )  # fmt: skip
