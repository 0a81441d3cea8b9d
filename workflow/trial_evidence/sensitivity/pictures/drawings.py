"""Figures of the sensitivity analyses of one comparison."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.methods import Sensitivity
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import Picture
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts.baujat import baujat
from trial_evidence.figures.charts.bubble import bubble
from trial_evidence.figures.charts.drapery import drapery
from trial_evidence.figures.charts.funnel import funnel
from trial_evidence.figures.charts.gosh import gosh
from trial_evidence.figures.charts.posterior import posterior
from trial_evidence.figures.charts.specification import specification
from trial_evidence.figures.forests.axes import comparison_axis
from trial_evidence.figures.forests.layout import layout as forest_page
from trial_evidence.figures.forests.sequence import Step, cumulative_forest, leave_one_out_forest
from trial_evidence.figures.house.publish import Chart, charted
from trial_evidence.figures.house.theme import Words
from trial_evidence.files import records, where
from trial_evidence.measures import MEASURES
from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.bayes.posterior import posterior as fit_posterior
from trial_evidence.pool.bayes.posterior import posterior_density
from trial_evidence.pool.engine.intervals import PREDICTIONS
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.models.leading import leads_by_trials
from trial_evidence.pool.probes.influence import MOST_TRIALS_FOR_ALL_SUBSETS, all_subsets, influence
from trial_evidence.pool.probes.meta_regression import MetaRegression
from trial_evidence.pool.probes.small_study import egger
from trial_evidence.sensitivity.comparison import MEAN, Comparison
from trial_evidence.sensitivity.deletion import cumulative_table, leave_one_out_table
from trial_evidence.sensitivity.pictures.further_trials import further_trials_figure
from trial_evidence.sensitivity.pictures.in_words import (
    BAYESIAN_LEADS,
    CHOICE_NAMES,
    COVARIATE_NAMES,
    WORDS,
    as_they_came,
    measure_of,
    p_value_functions,
    result_of,
    value_of,
    without_each_trial,
)
from trial_evidence.sensitivity.regression import regressions
from trial_evidence.sensitivity.reporting import filled
from trial_evidence.sensitivity.specifications import CHOICE_COLUMNS, NOBODY
from trial_evidence.sheet import Sheet
from trial_evidence.words.models import EMPIRICAL, SHORT_MODEL_NAMES, is_bayesian, is_random_effects
from trial_evidence.words.numbers import (
    format_interval,
    format_number,
    format_p,
    format_probability,
)
from trial_evidence.words.printed import counted

FIGURES = (
    "leave_one_out", "cumulative", "funnel", "baujat", "drapery", "posterior", "gosh",
    "specification", "bubble", "extended_funnel",
)  # fmt: skip
LEAST_FOR_SPREAD = 3
# p-value functions are drawn up to this many standard errors from the trials.
REACH = 3.3
POINTS = 241


def comparison_figures(
    c: Comparison, sheet: Sheet, choices: Sensitivity, style: Style
) -> Iterator[tuple[str, Picture]]:
    """Names and figures of a comparison, as far as it has enough trials.

    Leave-one-out, cumulative, both funnels and posterior always; Baujat and drapery plot from three
    trials; all subsets from three to fifteen; a bubble plot for every covariate that enough trials
    state.
    """
    title = c.analysis.title
    yield "leave_one_out", _leave_one_out(c, f"{title}: leaving out one trial at a time", style)
    yield "cumulative", _cumulative(c, f"{title}: cumulative meta-analysis", style)
    yield "funnel", _funnel(c, f"{title}: funnel plot", style)
    yield "posterior", _posterior(c, f"{title}: posterior", choices, style)
    name = f"{title}: extended funnel plot"
    yield "extended_funnel", further_trials_figure(c, axis_of(c), name, choices, style)
    if c.k >= LEAST_FOR_SPREAD:
        yield "baujat", _baujat(c, f"{title}: Baujat plot", style)
        yield "drapery", _drapery(c, f"{title}: p-value functions", style)
        if c.k <= MOST_TRIALS_FOR_ALL_SUBSETS:
            yield "gosh", _gosh(c, f"{title}: all subsets of trials", style)
    for covariate, values, found, warning in regressions(c, sheet, choices):
        if not isinstance(found, Refused):
            yield f"bubble_{covariate}", _bubble(c, covariate, values, found, warning, style)


def specification_figure(analysis: Analysis, rows: pd.DataFrame, style: Style) -> Chart:
    """The specification curve of an analysis for its first measure, from the table ``multiverse``.

    Different kinds of ratio are not comparable on one axis: sentences give the results for the
    other measures. Choices that change nothing are left out.
    """
    shown = {name: rows[rows["measure"] == name] for name in analysis.measures}
    (name, rows), *others = ((n, found) for n, found in shown.items() if len(found))
    measure = MEASURES[name]
    with np.errstate(divide="ignore"):
        logs = np.log(rows[[*MEAN]].to_numpy(float))
    results = pd.DataFrame(logs, columns=["estimate", "low", "high"])
    results["leading"] = (rows["leading"] == "yes").to_numpy()
    chosen = {}
    for column in CHOICE_COLUMNS:
        values = rows[column].reset_index(drop=True)
        named = {level: WORDS.get(level, level) for level in dict.fromkeys(values) if level}
        if len(named) > 1:
            if column == "without":
                left_out = dict.fromkeys(named, "one trial left out")
                named = {NOBODY: ""} | left_out | {NOBODY: "all trials"}
            names = list(dict.fromkeys(named.values()))
            chosen[CHOICE_NAMES[column]] = pd.Categorical(values.map(named), names)
    estimates = results["estimate"].to_numpy()
    notes = [
        f"In {_excluding(rows)} specifications the interval excludes 1.",
        *(
            f"{MEASURES[other].title}, not on this axis: median {_median(found)}; in "
            f"{_excluding(found)} specifications the interval excludes 1."
            for other, found in others
        ),
    ]
    lowest, highest = (format_number(math.exp(f(estimates)), 2) for f in (np.nanmin, np.nanmax))
    led = [
        f" The report leads with {format_number(math.exp(estimate), 2)}."
        for estimate in estimates[results["leading"]][:1]
    ]
    words = Words(
        f"{analysis.title}: specification curve",
        tuple(notes),
        (
            "Specifications that pool the same numbers in the same way count once. The share is "
            "not a test, because specifications share their trials.",
        ),
    )
    axis = comparison_axis(name, analysis.arm_labels, analysis.fewer_is_better, measure.title)
    return charted(
        specification, results, pd.DataFrame(chosen), axis, words=words,
        description=f"Specification curve of {analysis.title}: {len(estimates):,} specifications "
        f"of the {measure.title.lower()} with estimates from {lowest} to {highest}, median "
        f"{_median(rows)}.{''.join(led)} {' '.join(notes)}",
        style=style,
    )  # fmt: skip


def _median(rows: pd.DataFrame) -> str:
    """The median ratio, computed on the log scale."""
    return format_number(math.exp(np.log(rows["estimate"]).median()), 2)


def _excluding(rows: pd.DataFrame) -> str:
    """The number of specifications whose interval excludes no effect, out of all."""
    return f"{int((rows['excludes_no_effect'] == 'yes').sum()):,} of {len(rows):,}"


def axis_of(c: Comparison) -> Axis:
    """The axis of a comparison's measure, stating what either side of no effect favours."""
    analysis, title = c.analysis, c.reading.title
    return comparison_axis(c.measure, analysis.arm_labels, analysis.fewer_is_better, title)


def _leading_steps(c: Comparison, table: pd.DataFrame) -> list[Step]:
    steps = []
    for row in records(where(table, leads="yes")):
        estimate, low, high = c.reading.scale.to_analysis([row[name] for name in MEAN]).tolist()
        i2 = float(row["i2"]) if is_random_effects(row["model"]) else None
        bayesian, k = is_bayesian(row["model"]), int(row["k"])
        steps.append(Step(str(row["trial"]), estimate, low, high, k, i2, bayesian))
    return steps


def _leave_one_out(c: Comparison, title: str, style: Style) -> Picture:
    steps = _leading_steps(c, leave_one_out_table((c,)))
    model = SHORT_MODEL_NAMES[c.lead(c.k).model]
    last = _leading_steps(c, cumulative_table((c,)))[-1]
    overall = replace(last, label=f"All trials ({model})")
    described = leave_one_out_forest(
        title,
        steps,
        overall,
        axis_of(c),
        level=c.level,
        footnotes=(
            "Each row is the one trial that is left."
            if c.k == 2
            else f"Each row uses the model that leads with all trials: {model}.",
        ),
        description=without_each_trial(c, steps, overall),
    )
    return forest_page(described, style)


def _cumulative(c: Comparison, title: str, style: Style) -> Picture:
    rows = c.rows.assign(
        trial=[
            f"{trial} ({year:.0f})" if math.isfinite(year) else trial
            for trial, year in zip(c.rows["trial"], c.rows["year"], strict=True)
        ]
    )
    steps = _leading_steps(c, cumulative_table((replace(c, rows=rows),)))
    rules = leads_by_trials(c.pooling, empirical=EMPIRICAL in c.priors)
    described = cumulative_forest(
        title,
        steps,
        axis_of(c),
        level=c.level,
        footnotes=(
            f"Each row uses the leading model for its number of trials: {rules}.",
            "Ordered by the year in which a trial first reported a result.",
        ),
        description=as_they_came(c, steps),
    )
    return forest_page(described, style)


def _funnel(c: Comparison, title: str, style: Style) -> Chart:
    estimator = c.pooling.tau2_estimator
    pooled = float(fit_stack(c.yi, c.vi, method=estimator).estimate[0])
    se = np.sqrt(c.vi)
    trials = pd.DataFrame({"estimate": c.yi, "standard_error": se, "imputed": False})
    line = egger(c.yi, c.vi, c.level)
    imputed = filled(c)
    notes = []
    regression, adjusted = None, None
    if not isinstance(line, Refused):
        regression = line.limit, line.slope
        notes.append(f"Egger’s test: {format_p(line.p_value)}.")
    if not isinstance(imputed, Refused):
        adjusted = imputed.estimate if imputed.missing else None
        errors = np.sqrt(imputed.filled_vi)
        added = {"estimate": imputed.filled_yi, "standard_error": errors, "imputed": True}
        trials = pd.concat([trials, pd.DataFrame(added)], ignore_index=True)
        missing = counted(imputed.missing, "trial")
        notes.append(f"Trim-and-fill: {missing} missing on the {imputed.side}.")
    outside = c.rows.loc[np.abs(c.yi - pooled) > normal_quantile(c.level) * se, "trial"].astype(str)
    beyond = f"{len(outside)} outside ({', '.join(outside)})" if len(outside) else "none outside"
    tests = " ".join(notes) or "Too few trials to test for small-study effects."
    return charted(
        funnel, trials, axis_of(c), pooled, c.level, regression=regression, adjusted=adjusted,
        words=Words(title, tuple(notes), (f"Pooled: random effects by {estimator}.",)),
        description=f"Funnel plot of {c.k} trials: {measure_of(c)} against standard error, which "
        f"runs from {format_number(float(se.min()), 2)} to {format_number(float(se.max()), 2)}. "
        f"Pooled {measure_of(c)} {value_of(c, pooled)} (random effects by {estimator}); "
        f"{c.k - len(outside)} trials lie inside the pseudo {c.level:g}% limits, {beyond}. {tests}",
        style=style,
    )  # fmt: skip


def _baujat(c: Comparison, title: str, style: Style) -> Chart:
    estimator = c.pooling.tau2_estimator
    found = influence(c.yi, c.vi, method=estimator)
    across, up = found.baujat_x, found.baujat_y
    names = c.rows["trial"].astype(str).tolist()
    trials = pd.DataFrame({"trial": names, "contribution": across, "influence": up})
    farthest = names[int(np.argmax(np.nan_to_num(across)))]
    first, second = (
        f"{names[at]} ({format_number(float(across[at]), 2)}; {format_number(float(up[at]), 2)})"
        for at in np.argsort(-np.nan_to_num(up))[:2]
    )
    return charted(
        baujat, trials,
        x_label="Squared residual over its variance (contribution to heterogeneity)",
        y_label="Influence on the pooled result (squared change over its variance)",
        words=Words(title, (), (f"Random effects by {estimator}, with Wald’s variance.",)),
        description=f"Baujat plot of {c.k} trials (squared residual; influence on the pooled "
        f"{measure_of(c)}). Most influential: {first}, then {second}. Farthest from the pooled "
        f"result for its precision: {farthest}.",
        style=style,
    )  # fmt: skip


def _drapery(c: Comparison, title: str, style: Style) -> Chart:
    se = np.sqrt(c.vi)
    inner = np.sort(se)[: max(1, (c.k + 1) // 2)].max()
    reach = REACH * max(float(inner), float(np.ptp(c.yi)) / 2)
    effects = np.linspace(float(c.yi.min()) - reach, float(c.yi.max()) + reach, POINTS)

    def curve(
        kind: str, label: str, centre: float, spread: float, df: int | None = None
    ) -> pd.DataFrame:
        # The peak itself must be on the grid, or the curve would end below p = 1.
        grid = np.sort(np.append(effects, centre))
        z = np.abs(grid - centre) / spread
        tails = 2 * np.asarray(ndtr(-z) if df is None else stdtr(float(df), -z))
        return pd.DataFrame({"kind": kind, "curve": label, "effect": grid, "p_value": tails})

    estimator, interval = c.pooling.tau2_estimator, c.pooling.estimate_interval
    new = _new_trial(c)
    # without a distribution there is no curve, and no need for its limits
    of_new = {} if new is None else {"prediction": c.pooling.prediction_interval}
    fit = fit_stack(c.yi, c.vi, method=estimator, interval=interval, level=c.level, **of_new)
    mean, error = float(fit.estimate[0]), float(fit.se[0])
    named = f"Pooled ({estimator}, {WORDS[interval]})"
    curves = [
        *(
            curve("trial", str(name), *at)
            for name, *at in zip(c.rows["trial"], c.yi, se, strict=True)
        ),
        curve("pooled", named, mean, error, None if interval == "wald" else c.k - 1),
        *([] if new is None else [curve("prediction", "New trial", mean, *new)]),
    ]
    limits = float(fit.ci_low[0]), float(fit.ci_high[0])
    beyond = None if new is None else (float(fit.pi_low[0]), float(fit.pi_high[0]))
    led = (BAYESIAN_LEADS,) if is_bayesian(c.lead(c.k).model) else ()
    words, description = Words(title, (), led), p_value_functions(c, (mean, *limits), beyond)
    return charted(
        drapery, pd.concat(curves), axis_of(c), words=words, description=description, style=style
    )


def _new_trial(c: Comparison) -> tuple[float, int] | None:
    """Standard error and degrees of freedom of the configured interval for a new trial.

    None with fewer trials than prediction intervals are shown for, and for the bootstrap, which has
    no distribution in closed form.
    """
    few = c.k < c.pooling.prediction_from_trials
    if few or c.pooling.prediction_interval not in PREDICTIONS:
        return None
    interval, lost = PREDICTIONS[c.pooling.prediction_interval]
    fit = fit_stack(c.yi, c.vi, method=c.pooling.tau2_estimator, interval=interval)
    return math.sqrt(float(fit.tau2[0]) + float(fit.se[0]) ** 2), c.k - lost


def _posterior(c: Comparison, title: str, choices: Sensitivity, style: Style) -> Chart:
    prior, *others = c.priors.values()
    worthwhile = choices.worthwhile_hazard_ratio
    found = fit_posterior(c.yi, c.vi, prior, c.level, thresholds=(math.log(worthwhile),))
    density = posterior_density(c.yi, c.vi, prior)
    benefit, new = map(c.benefit, (found.probability_below_zero, found.new_trial_below_zero))
    statements = [
        f"Probability of benefit: {format_probability(benefit, 1)}%; in a new trial: "
        f"{format_probability(new, 1)}%."
    ]
    if c.measure == "hazard_ratio":
        statements.append(
            f"Probability of a hazard ratio below {worthwhile:g}: "
            f"{format_probability(found.probabilities_below[0], 1)}%."
        )
    for other in others:
        refit = fit_posterior(c.yi, c.vi, other, c.level)
        statements.append(
            f"With the cautious prior {other.label}: "
            f"{result_of(c, refit.median, refit.ci_low, refit.ci_high)}, "
            "probability of benefit "
            f"{format_probability(c.benefit(refit.probability_below_zero), 1)}%."
        )
    curves = [
        pd.DataFrame({"kind": kind, "curve": label, "value": values, "density": heights})
        for kind, label, values, heights in (
            ("mean", "Mean effect", density.effect, density.mean_density),
            ("new", "New trial", density.effect, density.new_trial_density),
            ("prior", f"Prior: {prior.label}", density.tau, density.tau_prior_density),
            ("posterior", "Posterior", density.tau, density.tau_density),
        )
    ]
    foot = "Flat prior on the mean. Shaded: the shortest interval."
    return charted(
        posterior, pd.concat(curves, ignore_index=True), found.median,
        (found.ci_low, found.ci_high), axis_of(c), c.level,
        words=Words(title, tuple(statements), (foot,)),
        description=f"Posterior of the mean {measure_of(c)} of {c.k} trials: median "
        f"{result_of(c, found.median, found.ci_low, found.ci_high)}. {' '.join(statements)} "
        f"Heterogeneity τ: median {format_number(found.tau_median, 2)} "
        f"({format_interval(found.tau_low, found.tau_high, 2)}), prior {prior.label}.",
        style=style,
    )  # fmt: skip


def _gosh(c: Comparison, title: str, style: Style) -> Chart:
    estimator = c.pooling.tau2_estimator
    found, members = all_subsets(c.yi, c.vi, method=estimator)
    several = members.sum(axis=0) > 1
    most = int(np.argmax(influence(c.yi, c.vi, method=estimator).cook_distance))
    whole = fit_stack(c.yi, c.vi, method=estimator)
    estimates, i2, held = found.estimate[several], found.i2[several], members[most, several]
    name, all_trials = str(c.rows["trial"].iloc[most]), float(whole.estimate[0])
    middles = [
        f"{with_it} {name} {value_of(c, float(np.median(estimates[chosen])))}"
        for with_it, chosen in (("with", held), ("without", ~held))
        if chosen.any()
    ]
    foot = (
        f"Subsets of two trials or more, random effects by {estimator}. Shown separately: "
        "subsets with the trial that has the largest Cook’s distance."
    )
    subsets = pd.DataFrame({"estimate": estimates, "i2": i2, "chosen": held})
    return charted(
        gosh, subsets, axis_of(c), chosen=name, whole=(all_trials, float(whole.i2[0])),
        words=Words(title, (), (foot,)),
        description=f"Results of all {len(estimates)} subsets of {c.k} trials: {measure_of(c)} "
        f"from {value_of(c, float(estimates.min()))} to {value_of(c, float(estimates.max()))}, "
        f"I² from {format_number(float(np.nanmin(i2)), 0)}% to "
        f"{format_number(float(np.nanmax(i2)), 0)}%; all trials "
        f"{value_of(c, all_trials)}. Median of the subsets {', '.join(middles)}.",
        style=style,
    )  # fmt: skip


def _bubble(
    c: Comparison,
    covariate: str,
    values: pd.Series,
    found: MetaRegression,
    warning: str,
    style: Style,
) -> Chart:
    trials = pd.DataFrame(
        {
            "trial": c.rows["trial"].astype(str),
            "covariate": values.astype(float),
            "estimate": c.yi,
            "weight": 1 / (c.vi + found.tau2),
        }
    ).dropna(subset="covariate")
    grid = np.linspace(trials["covariate"].min(), trials["covariate"].max(), 41)
    fitted, low, high = found.predict(**{covariate: grid})
    line = pd.DataFrame({"covariate": grid, "fitted": fitted, "low": low, "high": high})
    name = COVARIATE_NAMES.get(covariate, covariate.replace("_", " ").capitalize())
    note = f"Slope: {format_p(float(found.p_value[1]))}; k = {found.k}."
    runs = " to ".join(
        f"{value_of(c, effect)} at {format_number(x, 0 if x.is_integer() else 1)}"
        for x, effect in zip(grid[[0, -1]].tolist(), fitted[[0, -1]].tolist(), strict=True)
    )
    foot = (
        "Meta-regression by REML with the floored Hartung–Knapp test. An association "
        "between trials is not an association between patients."
    )
    words = Words(f"{c.analysis.title}: by {name[:1].lower()}{name[1:]}", (note,), (foot,))
    return charted(
        bubble, trials, line, axis_of(c), name, c.level, words=words.with_footnotes(warning),
        description=f"Bubble plot: {measure_of(c)} of trials by {name.lower()}. The fitted line "
        f"runs from {runs}. {note}",
        style=style,
    )  # fmt: skip
