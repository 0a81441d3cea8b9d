"""Labels and descriptions of the sensitivity figures, for readers who cannot see them."""

import math
from collections.abc import Sequence

import numpy as np

from trial_evidence.figures.forests.sequence import Step
from trial_evidence.measures import MEASURES
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.words.models import INTERVAL_WORDS
from trial_evidence.words.numbers import format_interval, format_number

BAYESIAN_LEADS = (
    "The leading model is Bayesian and has no p values; the pooled curve is that of random effects."
)
CHOICE_NAMES = {
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
WORDS = {
    **{name: measure.title for name, measure in MEASURES.items()},
    **{name: short for name, (_, short, _) in INTERVAL_WORDS.items()},
    "EE": "none (common effect)",
    "BICR": "central review",
}
COVARIATE_NAMES = {
    "year": "Year of first report",
    "median_followup_months": "Median follow-up, months",
}


def measure_of(c: Comparison) -> str:
    """Name of the measure, for use within a sentence."""
    return c.reading.title.lower()


def value_of(c: Comparison, value: float) -> str:
    """Format a value given on the analysis scale."""
    return format_number(c.natural(value), 2)


def result_of(c: Comparison, estimate: float, low: float, high: float) -> str:
    """An estimate with its interval: ``1.46 (95% interval 1.25–1.70)``."""
    limits = format_interval(c.natural(low), c.natural(high), 2)
    return f"{value_of(c, estimate)} ({c.level:g}% interval {limits})"


def excluding(step: Step) -> bool:
    """Whether the interval of a result excludes no effect."""
    return step.low > 0 or step.high < 0


def without_each_trial(c: Comparison, steps: Sequence[Step], overall: Step) -> str:
    """Description of the leave-one-out plot.

    Parameters
    ----------
    steps
        The result without each trial.
    overall
        The result of all trials.
    """
    known = [step for step in steps if math.isfinite(step.estimate)]
    whole = result_of(c, overall.estimate, overall.low, overall.high)
    every = "Both" if overall.k == 2 else f"All {overall.k}"
    parts = [f"Leave-one-out forest plot. {every} trials: {measure_of(c)} {whole}."]
    if known:
        lowest, highest = (f(known, key=lambda step: step.estimate) for f in (min, max))
        count = sum(map(excluding, known))
        verb, whole_verb = (
            "excludes" if held else "includes" for held in (count, excluding(overall))
        )
        share = f"{count} of the {len(known)}"
        if count in (0, len(known)):
            share = "both" if len(known) == 2 else f"all {len(known)}"
        parts.append(
            f"With one trial left out, the estimate lies between {value_of(c, lowest.estimate)} "
            f"(without {lowest.label}) and {value_of(c, highest.estimate)} (without "
            f"{highest.label}). With all trials the interval {whole_verb} {c.null}; with one left "
            f"out it {verb} {c.null} in {share} rows."
        )
    return " ".join(parts)


def as_they_came(c: Comparison, steps: Sequence[Step]) -> str:
    """Description of the cumulative plot.

    Parameters
    ----------
    steps
        Results in the order in which trials were reported; labels name trial and year.
    """
    first, last = steps[0], steps[-1]
    decided = [*map(excluding, steps)]
    since = next((at for at in range(len(steps)) if all(decided[at:])), None)
    end = (
        f"includes {c.null} (no difference) at every step"
        if since is None
        else f"has excluded {c.null} (no difference) since {steps[since].label}"
    )
    return (
        f"Cumulative forest plot of {last.k} trials in the order of their first reports. "
        f"{first.label} alone: {measure_of(c)} "
        f"{result_of(c, first.estimate, first.low, first.high)}; with "
        f"{last.label}, the last: {result_of(c, last.estimate, last.low, last.high)}. The "
        f"interval {end}."
    )


def p_value_functions(
    c: Comparison, pooled: tuple[float, float, float], new: tuple[float, float] | None
) -> str:
    """Description of the p-value functions.

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
