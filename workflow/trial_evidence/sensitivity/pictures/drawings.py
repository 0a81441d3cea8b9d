"""Figures of the sensitivity analyses of one comparison, placed on pages."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.methods import Sensitivity
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts import (
    baujat,
    bubble,
    drapery,
    funnel,
    gosh,
    posterior,
    specification,
)
from trial_evidence.figures.forests import forest
from trial_evidence.figures.forests.evidence_forests import comparison_axis
from trial_evidence.figures.forests.sequence import Step, cumulative_forest, leave_one_out_forest
from trial_evidence.files import records
from trial_evidence.measures.scales import IDENTITY
from trial_evidence.pool.bayes.posterior import posterior as fit_posterior
from trial_evidence.pool.bayes.posterior import posterior_density
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.engine.intervals import PREDICTIONS
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.models.leading import leading_model, leads_by_trials
from trial_evidence.pool.probes.influence import (
    MOST_TRIALS_FOR_ALL_SUBSETS,
    all_subsets,
    influence,
)
from trial_evidence.pool.probes.meta_regression import MetaRegression
from trial_evidence.pool.probes.small_study import egger, trim_and_fill
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.sensitivity.deletion import cumulative_table, leave_one_out_table
from trial_evidence.sensitivity.pictures import in_words as words
from trial_evidence.sensitivity.regression import (
    covariates,
    forced_words,
    is_forced,
    regress,
)
from trial_evidence.sensitivity.specifications import CHOICE_COLUMNS, NOBODY
from trial_evidence.sheet import Sheet
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES, is_random_effects
from trial_evidence.words.numbers import format_number, format_p

FIGURES = (
    "leave_one_out", "cumulative", "funnel", "baujat", "drapery", "posterior", "gosh",
    "specification", "bubble",
)  # fmt: skip
LEAST_FOR_SPREAD = 3
# p-value functions are drawn as far as this many standard errors from the trials.
REACH = 3.3
POINTS = 241
CHOICE_NAMES: Mapping[str, str] = {
    "measure": "Measure",
    "definition_first": "Response definition first",
    "analysis_first": "Analysis first",
    "assessor_first": "Assessor first",
    "verification": "Verification",
    "exclusions": "Exclusions",
    "risk_of_bias": "Risk of bias",
    "without": "Without trial",
    "estimator": "τ² estimator",
    "interval": "Interval",
}
WORDS: Mapping[str, str] = {
    **MEASURE_NAMES,
    "EE": "none (common effect)",
    "wald": "Wald",
    "t": "t",
    "hartung_knapp": "Hartung–Knapp",
    "hartung_knapp_conservative": "floored Hartung–Knapp",
    "BICR": "central review",
}
INTERVAL_NAMES: Mapping[str, str] = {
    **{name: WORDS[name] for name in ("wald", "t", "hartung_knapp")},
    "hartung_knapp_conservative": "conservative Hartung–Knapp",
}
COVARIATE_NAMES: Mapping[str, str] = {
    "year": "Year of report",
    "median_followup_months": "Median follow-up, months",
}


@dataclass(frozen=True)
class Drawing:
    """A figure of an analysis: its name without suffix, its page, and what it shows."""

    name: str
    page: Page


def comparison_drawings(c: Comparison, choices: Sensitivity, style: Style) -> Iterator[Drawing]:
    """Every figure that a comparison has trials enough for.

    Parameters
    ----------
    c : Comparison
    choices : Sensitivity
    style : Style

    Yields
    ------
    Drawing
        Leave-one-out, cumulative, funnel and posterior always; Baujat and drapery plot from three
        trials; all subsets from three to fifteen.
    """
    title = c.analysis.title
    yield Drawing("leave_one_out", _leave_one_out(c, f"{title}: without each trial", style))
    yield Drawing("cumulative", _cumulative(c, f"{title}: as reports were added", style))
    yield Drawing("funnel", _funnel(c, f"{title}: funnel plot", style))
    yield Drawing("posterior", _posterior(c, f"{title}: posterior", choices, style))
    if c.k >= LEAST_FOR_SPREAD:
        yield Drawing("baujat", _baujat(c, f"{title}: Baujat plot", style))
        yield Drawing("drapery", _drapery(c, f"{title}: p-value functions", style))
        if c.k <= MOST_TRIALS_FOR_ALL_SUBSETS:
            yield Drawing("gosh", _gosh(c, f"{title}: all subsets of trials", style))


def bubble_drawings(
    c: Comparison, sheet: Sheet, choices: Sensitivity, style: Style
) -> Iterator[Drawing]:
    """A bubble plot for every covariate that trials enough state."""
    for covariate, values in covariates(c, sheet, choices).items():
        forced = is_forced(c, covariate, choices)
        found = regress(c, covariate, values, forced=forced)
        if not isinstance(found, Refused):
            warning = forced_words(found.k) if forced else ""
            page = _bubble(c, covariate, values, found, warning, style)
            yield Drawing(f"bubble_{covariate}", page)


def specification_drawing(analysis: Analysis, rows: pd.DataFrame, style: Style) -> Drawing:
    """The specification curve of an analysis; choices that change nothing are left out of it.

    Parameters
    ----------
    analysis : Analysis
    rows : DataFrame
        Its rows of the table ``multiverse``, one a specification.
    style : Style

    Returns
    -------
    Drawing
    """
    with np.errstate(divide="ignore"):
        estimates, low, high = (
            np.log(rows[column].to_numpy(float)) for column in ("estimate", "ci_low", "ci_high")
        )
    factors = []
    for column in CHOICE_COLUMNS:
        values = rows[column]
        levels = [level for level in dict.fromkeys(values) if level]
        if len(levels) < 2:
            continue
        if column == "without":
            named = ["all trials", "one trial left out"]
            chosen = (values != NOBODY).to_numpy(int)
        else:
            named = [WORDS.get(level, level) for level in levels]
            places = {level: at for at, level in enumerate(levels)}
            chosen = np.array([places.get(value, -1) for value in values])
        factors.append(
            specification.Factor(CHOICE_NAMES[column], named, np.asarray(chosen, dtype=int))
        )
    measures = list(dict.fromkeys(rows["measure"]))
    names = [MEASURE_NAMES[m] for m in measures]
    label = " or ".join([names[0], *(name.lower() for name in names[1:])])
    excluding = int((rows["excludes_no_effect"] == "yes").sum())
    share = f"In {excluding:,} of {len(rows):,} specifications the interval excludes no effect."
    medians = [
        f"{MEASURE_NAMES[m]}: median {format_number(math.exp(middle), 2)}"
        for m in measures
        for middle in [float(np.median(estimates[(rows["measure"] == m).to_numpy()]))]
    ]
    lead = np.flatnonzero(rows["leading"] == "yes")
    leading = int(lead[0]) if lead.size else None
    page = specification.layout(
        specification.Specification(
            title=f"{analysis.title}: specification curve",
            estimates=estimates,
            low=low,
            high=high,
            factors=factors,
            axis=Axis("log", 0.0, label),
            leading=leading,
            share=share,
            notes=(f"{'; '.join(medians)}.",) if len(medians) > 1 else (),
            footnotes=(
                "Specifications that pool the same numbers in the same way count once. The share "
                "is no test: specifications share their trials.",
            ),
            description=words.specifications(
                analysis.title, estimates, leading, [*medians, share.rstrip(".")]
            ),
        ),
        style,
    )
    return Drawing("specification", page)


def axis_of(c: Comparison) -> Axis:
    """The axis of a comparison's measure, with what lies on either side of no effect."""
    return comparison_axis(c.measure, c.analysis.arm_labels, MEASURE_NAMES[c.measure])


def _leading_steps(c: Comparison, table: pd.DataFrame) -> list[Step]:
    def to_analysis(value: float) -> float:
        return value if c.reading.scale is IDENTITY else math.log(value)

    return [
        Step(
            label=str(row["trial"]),
            estimate=to_analysis(row["estimate"]),
            low=to_analysis(row["ci_low"]),
            high=to_analysis(row["ci_high"]),
            k=int(row["k"]),
            i2=float(row["i2"]) if is_random_effects(row["model"]) else None,
        )
        for row in records(table[table["leads"] == "yes"])
    ]


def _lead_by_k(c: Comparison) -> str:
    rules = leads_by_trials(c.pooling)
    return f"Each row by the model that leads for its number of trials: {rules}."


def _leave_one_out(c: Comparison, title: str, style: Style) -> Page:
    steps = _leading_steps(c, leave_one_out_table((c,)))
    last = _leading_steps(c, cumulative_table((c,)))[-1]
    overall = Step(
        f"All trials ({SHORT_MODEL_NAMES[leading_model(c.k, c.pooling).model]})",
        last.estimate, last.low, last.high, last.k, last.i2,
    )  # fmt: skip
    described = leave_one_out_forest(
        title,
        steps,
        overall,
        axis_of(c),
        (_lead_by_k(c),),
        words.without_each_trial(c, steps, overall),
        MEASURE_NAMES[c.measure],
    )
    return forest.layout(described, style)


def _cumulative(c: Comparison, title: str, style: Style) -> Page:
    rows = c.rows.assign(
        trial=[
            f"{trial} ({year:.0f})" if math.isfinite(year) else trial
            for trial, year in zip(c.rows["trial"], c.rows["year"], strict=True)
        ]
    )
    steps = _leading_steps(c, cumulative_table((replace(c, rows=rows),)))
    described = cumulative_forest(
        title,
        steps,
        axis_of(c),
        (_lead_by_k(c), "By the year of the report that the result is taken from."),
        words.as_they_came(c, steps),
        MEASURE_NAMES[c.measure],
    )
    return forest.layout(described, style)


def _funnel(c: Comparison, title: str, style: Style) -> Page:
    estimator = c.pooling.tau2_estimator
    pooled = float(fit_stack(c.yi, c.vi, method=estimator).estimate[0])
    points = [
        funnel.FunnelPoint(float(y), math.sqrt(float(v))) for y, v in zip(c.yi, c.vi, strict=True)
    ]
    line = egger(c.yi, c.vi, c.level)
    filled = trim_and_fill(c.yi, c.vi, level=c.level)
    notes = []
    if not isinstance(line, Refused):
        notes.append(f"Egger’s test: {format_p(line.p_value)}.")
    if not isinstance(filled, Refused):
        points += [
            funnel.FunnelPoint(y, math.sqrt(v), imputed=True)
            for y, v in zip(filled.filled_yi, filled.filled_vi, strict=True)
        ]
        plural = "trial" if filled.missing == 1 else "trials"
        notes.append(f"Trim-and-fill: {filled.missing} {plural} missing on the {filled.side}.")
    described = funnel.Funnel(
        title=title,
        points=points,
        axis=axis_of(c),
        pooled=pooled,
        regression=None if isinstance(line, Refused) else funnel.Regression(line.limit, line.slope),
        adjusted=None if isinstance(filled, Refused) or not filled.missing else filled.estimate,
        notes=tuple(notes),
        footnotes=(f"Pooled: random effects by {estimator}.",),
        description=words.funnel(c, pooled, estimator, notes),
    )
    return funnel.layout(described, style)


def _baujat(c: Comparison, title: str, style: Style) -> Page:
    estimator = c.pooling.tau2_estimator
    found = influence(c.yi, c.vi, method=estimator)
    described = baujat.Baujat(
        title=title,
        trials=[
            baujat.BaujatTrial(str(name), float(x), float(y))
            for name, x, y in zip(c.rows["trial"], found.baujat_x, found.baujat_y, strict=True)
        ],
        x_label="Squared residual over its variance (share in the heterogeneity)",
        y_label="Influence on the pooled result (squared change over its variance)",
        footnotes=(f"Random effects by {estimator}, with Wald’s variance.",),
        description=words.baujat(c, found.baujat_x, found.baujat_y),
    )
    return baujat.layout(described, style)


def _drapery(c: Comparison, title: str, style: Style) -> Page:
    se = np.sqrt(c.vi)
    inner = np.sort(se)[: max(1, (c.k + 1) // 2)].max()
    reach = REACH * max(float(inner), float(np.ptp(c.yi)) / 2)
    effects = np.linspace(float(c.yi.min()) - reach, float(c.yi.max()) + reach, POINTS)

    def curve(label: str, centre: float, spread: float, df: int | None) -> drapery.PCurve:
        # The peak itself stands on the grid, or the curve would end below p = 1.
        grid = np.sort(np.append(effects, centre))
        z = np.abs(grid - centre) / spread
        tails = 2 * np.asarray(ndtr(-z) if df is None else stdtr(float(df), -z))
        return drapery.PCurve(label, grid.tolist(), tails.tolist())

    estimator, interval = c.pooling.tau2_estimator, c.pooling.estimate_interval
    new = _new_trial(c)
    # without a distribution there is no curve, and its limits are not asked for
    of_new = {} if new is None else {"prediction": c.pooling.prediction_interval}
    fit = fit_stack(c.yi, c.vi, method=estimator, interval=interval, level=c.level, **of_new)
    mean, error = float(fit.estimate[0]), float(fit.se[0])
    df = None if interval == "wald" else c.k - 1
    prediction = None if new is None else curve("New trial", mean, *new)
    limits = float(fit.ci_low[0]), float(fit.ci_high[0])
    beyond = None if new is None else (float(fit.pi_low[0]), float(fit.pi_high[0]))
    described = drapery.Drapery(
        title=title,
        trials=[
            curve(str(name), float(y), float(s), None)
            for name, y, s in zip(c.rows["trial"], c.yi, se, strict=True)
        ],
        pooled=curve(f"Pooled ({estimator}, {INTERVAL_NAMES[interval]})", mean, error, df),
        prediction=prediction,
        axis=axis_of(c),
        description=words.p_value_functions(c, (mean, *limits), beyond),
    )
    return drapery.layout(described, style)


def _new_trial(c: Comparison) -> tuple[float, int] | None:
    """Standard error and degrees of freedom of the configured interval for a new trial.

    None for the bootstrap, which has no distribution in closed form.
    """
    if c.pooling.prediction_interval not in PREDICTIONS:
        return None
    interval, lost = PREDICTIONS[c.pooling.prediction_interval]
    fit = fit_stack(c.yi, c.vi, method=c.pooling.tau2_estimator, interval=interval)
    return math.sqrt(float(fit.tau2[0]) + float(fit.se[0]) ** 2), c.k - lost


def _posterior(c: Comparison, title: str, choices: Sensitivity, style: Style) -> Page:
    prior = HalfNormal(c.prior_scale)
    worthwhile = choices.worthwhile_hazard_ratio
    found = fit_posterior(c.yi, c.vi, prior, c.level, thresholds=(math.log(worthwhile),))
    density = posterior_density(c.yi, c.vi, prior)
    benefit = c.benefit(found.probability_below_zero)
    new = c.benefit(found.new_trial_below_zero)
    statements = [
        f"Probability of benefit: {_percent(benefit)}; in a new trial: {_percent(new)}.",
    ]
    if c.measure == "hazard_ratio":
        statements.append(
            f"Probability of a hazard ratio below {worthwhile:g}: "
            f"{_percent(found.probabilities_below[0])}."
        )
    described = posterior.Posterior(
        title=title,
        mean=posterior.Density(
            "Mean effect", density.effect.tolist(), density.mean_density.tolist()
        ),
        interval=(found.ci_low, found.ci_high),
        median=found.median,
        axis=axis_of(c),
        tau_prior=posterior.Density(
            f"Prior: {prior.label}", density.tau.tolist(), density.tau_prior_density.tolist()
        ),
        tau_posterior=posterior.Density(
            "Posterior", density.tau.tolist(), density.tau_density.tolist()
        ),
        predictive=posterior.Density(
            "New trial", density.effect.tolist(), density.new_trial_density.tolist()
        ),
        statements=tuple(statements),
        footnotes=("Flat prior on the mean. Shaded: the shortest interval.",),
        description=words.posterior(
            c,
            (found.median, found.ci_low, found.ci_high),
            statements,
            prior.label,
            (found.tau_median, found.tau_low, found.tau_high),
        ),
    )
    return posterior.layout(described, style)


def _percent(probability: float) -> str:
    """A probability in percent; never 0 or 100, which no posterior is."""
    if probability > 0.999:
        return "above 99.9%"
    if probability < 0.001:
        return "below 0.1%"
    return f"{format_number(100 * probability, 1)}%"


def _gosh(c: Comparison, title: str, style: Style) -> Page:
    estimator = c.pooling.tau2_estimator
    found = all_subsets(c.yi, c.vi, method=estimator)
    several = found.members.sum(axis=0) > 1
    most = int(np.argmax(influence(c.yi, c.vi, method=estimator).cook_distance))
    whole = fit_stack(c.yi, c.vi, method=estimator)
    estimates, i2, held = found.estimate[several], found.i2[several], found.members[most, several]
    name, all_trials = str(c.rows["trial"].iloc[most]), float(whole.estimate[0])
    described = gosh.Gosh(
        title=title,
        estimates=estimates,
        i2=i2,
        axis=axis_of(c),
        chosen=held,
        chosen_label=name,
        whole=(all_trials, float(whole.i2[0])),
        footnotes=(
            f"Subsets of two trials or more, random effects by {estimator}. Apart: the trial with "
            "the largest Cook’s distance.",
        ),
        description=words.all_subsets(c, estimates, i2, held, name, all_trials),
    )
    return gosh.layout(described, style)


def _bubble(
    c: Comparison,
    covariate: str,
    values: pd.Series,
    found: MetaRegression,
    warning: str,
    style: Style,
) -> Page:
    stated = values.notna().to_numpy()
    x = values.to_numpy(float)
    grid = np.linspace(x[stated].min(), x[stated].max(), 41)
    fitted, low, high = found.predict(**{covariate: grid})
    name = COVARIATE_NAMES.get(covariate, covariate.replace("_", " ").capitalize())
    note = f"Slope: {format_p(float(found.p_value[1]))}; k = {found.k}."
    described = bubble.Bubble(
        title=f"{c.analysis.title}: by {name[:1].lower()}{name[1:]}",
        trials=[
            bubble.BubbleTrial(str(trial), float(at), float(y), float(1 / (v + found.tau2)))
            for trial, at, y, v in zip(
                c.rows.loc[stated, "trial"], x[stated], c.yi[stated], c.vi[stated], strict=True
            )
        ],
        line=bubble.Line(grid.tolist(), fitted.tolist(), low.tolist(), high.tolist()),
        axis=axis_of(c),
        covariate_label=name,
        notes=(note,),
        footnotes=(
            "Meta-regression by REML with the conservative Hartung–Knapp test. A relation between "
            "trials is not one between patients.",
            *([warning] if warning else []),
        ),
        description=words.bubbles(
            c, name, [(float(grid[at]), float(fitted[at])) for at in (0, -1)], note
        ),
    )
    return bubble.layout(described, style)
