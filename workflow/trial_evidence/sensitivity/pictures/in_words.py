"""What the sensitivity figures show, in words: for readers who do not see them."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trial_evidence.figures.charts.funnel import quantile
from trial_evidence.figures.forests.sequence import Step
from trial_evidence.pool.engine.results import Floats
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.words.numbers import format_interval, format_number


def measure_of(c: Comparison) -> str:
    """Name of the measure, as it stands within a sentence."""
    return c.reading.title.lower()


def value_of(c: Comparison, value: float) -> str:
    """A value of the analysis scale as it is printed."""
    return format_number(c.natural(value), 2)


def result_of(c: Comparison, estimate: float, low: float, high: float) -> str:
    """An estimate with its interval: ``1.46 (95% interval 1.25–1.70)``."""
    limits = format_interval(c.natural(low), c.natural(high), 2)
    return f"{value_of(c, estimate)} ({c.level:g}% interval {limits})"


def excluding(low: float, high: float) -> bool:
    """Whether an interval on the analysis scale excludes no effect."""
    return low > 0 or high < 0


def without_each_trial(c: Comparison, steps: Sequence[Step], overall: Step) -> str:
    """Words for the leave-one-out plot.

    Parameters
    ----------
    steps
        The result without each trial.
    overall
        That of all.
    """
    known = [step for step in steps if math.isfinite(step.estimate)]
    whole = result_of(c, overall.estimate, overall.low, overall.high)
    parts = [f"Leave-one-out forest plot. All {overall.k} trials: {measure_of(c)} {whole}."]
    if known:
        lowest, highest = (f(known, key=lambda step: step.estimate) for f in (min, max))
        count = sum(excluding(step.low, step.high) for step in known)
        verb, whole_verb = (
            "excludes" if held else "includes"
            for held in (count, excluding(overall.low, overall.high))
        )
        rows = f"{'all' if count in (0, len(known)) else f'{count} of the'} {len(known)} rows"
        parts.append(
            f"With one trial left out it lies between {value_of(c, lowest.estimate)} (without "
            f"{lowest.label}) and {value_of(c, highest.estimate)} (without {highest.label}). With "
            f"all trials the interval {whole_verb} no effect; with one left out it {verb} no "
            f"effect in {rows}."
        )
    return " ".join(parts)


def as_they_came(c: Comparison, steps: Sequence[Step]) -> str:
    """Words for the cumulative plot.

    Parameters
    ----------
    steps
        Results in the order in which trials were reported; labels name trial and year.
    """
    first, last = steps[0], steps[-1]
    decided = [excluding(step.low, step.high) for step in steps]
    since = next((at for at in range(len(steps)) if all(decided[at:])), None)
    end = (
        "includes no effect with all of them"
        if since is None
        else f"has excluded no effect from {steps[since].label} on"
    )
    return (
        f"Cumulative forest plot of {last.k} trials in the order of the reports used. "
        f"{first.label} alone: {measure_of(c)} "
        f"{result_of(c, first.estimate, first.low, first.high)}; with "
        f"{last.label}, the last: {result_of(c, last.estimate, last.low, last.high)}. The "
        f"interval {end}."
    )


def funnel(c: Comparison, pooled: float, estimator: str, notes: Sequence[str]) -> str:
    """Words for the funnel plot.

    Parameters
    ----------
    pooled
        Its middle, on the analysis scale.
    notes
        What the tests found; empty where they were refused.
    """
    se = np.sqrt(c.vi)
    outside = [
        str(name)
        for name, y, s in zip(c.rows["trial"], c.yi, se, strict=True)
        if abs(y - pooled) > quantile(c.level) * s
    ]
    beyond = f"{len(outside)} outside ({', '.join(outside)})" if outside else "none outside"
    tests = " ".join(notes) or "Too few trials to test for small-study effects."
    return (
        f"Funnel plot of {c.k} trials: {measure_of(c)} against standard error, which runs from "
        f"{format_number(float(se.min()), 2)} to {format_number(float(se.max()), 2)}. Pooled "
        f"{measure_of(c)} {value_of(c, pooled)} (random effects by {estimator}); "
        f"{c.k - len(outside)} trials lie inside the pseudo {c.level:g}% limits, {beyond}. {tests}"
    )


def baujat(c: Comparison, across: Floats, up: Floats) -> str:
    """Words for the Baujat plot: who stands apart.

    Parameters
    ----------
    across, up
        Squared residual over its variance, and influence on the pooled result, of every trial.
    """
    names = [str(name) for name in c.rows["trial"]]
    order = np.argsort(-np.nan_to_num(up))
    first, second = (
        f"{names[at]} ({format_number(float(across[at]), 2)}; {format_number(float(up[at]), 2)})"
        for at in order[:2]
    )
    most = names[int(np.argmax(np.nan_to_num(across)))]
    return (
        f"Baujat plot of {c.k} trials (squared residual; influence on the pooled "
        f"{measure_of(c)}). Most influential: {first}, then {second}. Farthest from the pooled "
        f"result for its precision: {most}."
    )


def p_value_functions(
    c: Comparison, pooled: tuple[float, float, float], new: tuple[float, float] | None
) -> str:
    """Words for the p-value functions.

    Parameters
    ----------
    pooled
        Estimate and limits of the mean, on the analysis scale.
    new
        Limits for a new trial.
    """
    names = list(map(str, c.rows["trial"]))
    low, high = int(np.argmin(c.yi)), int(np.argmax(c.yi))
    beyond = ""
    if new is not None:
        limits = format_interval(c.natural(new[0]), c.natural(new[1]), 2)
        same = limits == format_interval(c.natural(pooled[1]), c.natural(pooled[2]), 2)
        how = "coincides with it" if same else "is wider"
        beyond = f" That of a new trial {how}: {c.level:g}% prediction interval {limits}."
    return (
        f"P-value functions of {c.k} trials, with peaks from {value_of(c, float(c.yi[low]))} "
        f"({names[low]}) to {value_of(c, float(c.yi[high]))} ({names[high]}), and of their mean: "
        f"{measure_of(c)} {result_of(c, *pooled)}.{beyond}"
    )


def posterior(
    c: Comparison,
    estimate: tuple[float, float, float],
    statements: Sequence[str],
    prior: str,
    tau: tuple[float, float, float],
) -> str:
    """Words for the posterior.

    Parameters
    ----------
    estimate
        Median and limits of the mean, on the analysis scale.
    statements
        Probabilities.
    prior
        Of tau, in words.
    tau
        Median and limits.
    """
    limits = format_interval(tau[1], tau[2], 2)
    return (
        f"Posterior of the mean {measure_of(c)} of {c.k} trials: median "
        f"{result_of(c, *estimate)}. {' '.join(statements)} Heterogeneity τ: median "
        f"{format_number(tau[0], 2)} ({limits}), prior {prior}."
    )


def all_subsets(
    c: Comparison,
    estimates: Floats,
    i2: Floats,
    held: npt.NDArray[np.bool_],
    name: str,
    whole: float,
) -> str:
    """Words for the plot of all subsets.

    Parameters
    ----------
    estimates, i2
        Of every subset, on the analysis scale and in percent.
    held
        Whether the trial set apart is in it.
    name
        That trial.
    whole
        Estimate of all trials.
    """
    middles = [
        f"{words} {name} {value_of(c, float(np.median(estimates[chosen])))}"
        for words, chosen in (("with", held), ("without", ~held))
        if chosen.any()
    ]
    return (
        f"Results of all {len(estimates)} subsets of {c.k} trials: {measure_of(c)} from "
        f"{value_of(c, float(estimates.min()))} to {value_of(c, float(estimates.max()))}, I² from "
        f"{format_number(float(np.nanmin(i2)), 0)}% to {format_number(float(np.nanmax(i2)), 0)}%; "
        f"all trials {value_of(c, whole)}. Median of the subsets {', '.join(middles)}."
    )


def bubbles(c: Comparison, covariate: str, ends: Sequence[tuple[float, float]], note: str) -> str:
    """Words for a bubble plot.

    Parameters
    ----------
    covariate
        In words.
    ends
        Covariate and fitted effect at either end of the line.
    note
        The test of the slope.
    """
    fitted = " to ".join(
        f"{value_of(c, effect)} at {format_number(x, 0 if float(x).is_integer() else 1)}"
        for x, effect in ends
    )
    return (
        f"Bubble plot: {measure_of(c)} of trials by {covariate.lower()}. The fitted line runs from "
        f"{fitted}. {note}"
    )


def specifications(
    title: str, estimates: Floats, leading: int | None, findings: Sequence[str]
) -> str:
    """Words for the specification curve.

    Parameters
    ----------
    title
        Of the analysis.
    estimates
        Logarithms of ratios.
    leading
        Place of the specification that the report leads with.
    findings
        Medians, and how many intervals exclude no effect.
    """
    lowest, highest = (format_number(math.exp(f(estimates)), 2) for f in (np.nanmin, np.nanmax))
    led = ""
    if leading is not None:
        led = f" The report leads with {format_number(math.exp(estimates[leading]), 2)}."
    return (
        f"Specification curve of {title}: {len(estimates):,} specifications with estimates from "
        f"{lowest} to {highest}.{led} {'. '.join(findings)}."
    )
