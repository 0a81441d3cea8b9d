"""What a page needs to pool the trials of an analysis again: effects, variances, results."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.methods import TauPriors
from trial_evidence.files import records
from trial_evidence.measures import MEASURES
from trial_evidence.pool.estimates import qualifying_trials
from trial_evidence.pool.shown import own_result
from trial_evidence.report.material.material import of_pool, where
from trial_evidence.report.page.rows import TrialRow, row_anchor
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.report.trail.trace import ALL, Record
from trial_evidence.report.words.printed import capital, patients_in_words
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL, MODEL_NAMES

# What a page shows of each model.
PUBLISHED = (
    "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_value", "tau2", "tau2_low",
    "tau2_high", "i2", "q", "q_df", "q_p", "i2_from_q", "probability_of_benefit",
)  # fmt: skip
RATES = ["regimen_label", "subgroup"]
Found = tuple[str, tuple[str, str, str], pd.DataFrame, bool]
Set = tuple[str, str, pd.DataFrame, bool]


def pools_of(
    analysis: Analysis | RateAnalysis,
    evidence: Evidence,
    shown: Sequence[TrialRow],
    configuration: Configuration,
) -> list[dict[str, Any]]:
    """Every set of trials of an analysis that is pooled, or shown trial by trial.

    Of rates, a set a regimen and group of patients. `shown` are the trials as the page prints them.

    Returns
    -------
    list of dict
        JSON-ready: ``label``, ``set`` (as estimates.csv names it: measure, subgroup and, of a rate,
        the regimen), ``measure``, ``scale``, ``priors``, ``none`` (no effect), ``below`` (whether
        benefit lies below it), ``pooled``, ``rows`` and ``published``, the pipeline's own results
        by model. Sets without any trial are left out.
    """
    estimates = of_pool(evidence.estimates, analysis)
    if isinstance(analysis, Analysis):
        trials = of_pool(evidence.trials, analysis)
        found: list[Found] = [
            (f"{MEASURES[measure].title}: {label}", (measure, subgroup, ""), rows, pooled)
            for measure in analysis.measures
            for label, subgroup, rows, pooled in _sets(
                analysis, where(trials, measure=measure), configuration
            )
        ]
    else:
        found = []
        for key, rows in of_pool(evidence.rates, analysis).groupby(RATES, sort=False):
            name, group = map(str, key)
            if len(where(rows, pooled="yes")) >= 2:
                label = f"{name}: {patients_in_words(group)}"
                found.append((label, ("proportion", group, name), rows, True))
    by_anchor = {row.anchor: row for row in shown}
    models = page_models(configuration)
    pools = []
    for label, (measure, subgroup, regimen), rows, pooled in found:
        reading = MEASURES[measure]
        own = where(estimates, measure=measure, subgroup=subgroup)
        own = where(own, experimental=regimen) if regimen else own
        pools.append({
            "label": capital(label),
            "set": (measure, subgroup, regimen),
            "measure": reading.title,
            "scale": reading.scale.name,
            "priors": page_priors(configuration.tau_priors[measure]),
            "none": reading.scale.null,
            "below": analysis.fewer_is_better if reading.compares else None,
            "pooled": pooled,
            "rows": [_row(row, by_anchor[row_anchor(row)]) for row in records(rows)],
            "published": {
                row["model"]: {name: row[name] for name in PUBLISHED}
                for row in records(own)
                if pooled and row["model"] in models
            },
        })  # fmt: skip
    return pools


def json_island(content: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element whatever texts it holds; NaN becomes null."""
    text = json.dumps(
        _without_nan(content), ensure_ascii=True, allow_nan=False, separators=(",", ":")
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _sets(analysis: Analysis, rows: pd.DataFrame, configuration: Configuration) -> Iterator[Set]:
    """Label, name in ``estimates.csv``, trials, and whether they are pooled."""
    whole = rows[rows["subgroup"] == ALL]
    together = analysis.pool == "overall"
    if not whole.empty and analysis.pool != "within_subgroups":
        yield "all trials" if together else "individual trials", ALL, whole, together
    if analysis.pool != "none":
        heading = analysis.subgroups.replace("_", " ")
        for value, group in whole.groupby(analysis.subgroups, sort=False):
            if len(group) > 1 or not together:
                yield f"{heading}: {value}", f"{analysis.subgroups}={value}", group, True
    for modifier in analysis.effect_modifiers:
        ids = qualifying_trials(rows, modifier)
        if len(ids) < configuration.effect_modifier_min_trials:
            continue
        for level in modifier.levels:
            subgroup = f"{modifier.factor}={level}"
            group = rows[(rows["subgroup"] == subgroup) & rows["trial_id"].isin(ids)]
            yield f"{modifier.label.lower()} {level}", subgroup, group, together


def _row(record: Record, row: TrialRow) -> dict[str, Any]:
    result = own_result(record)
    return {
        "id": row.anchor,
        "trial": record["trial"],
        "year": row.year,
        "arms": row.arms,
        "result": row.result,
        "y": record["yi"],
        "v": record["vi"],
        "own": result,
        "ends": [record["estimate"], record["estimate_low"], record["estimate_high"]],
        "pooled": record["pooled"] == "yes",
        "reason": record["not_pooled_reason"],
        "primary": row.primary,
        "verification": record["verification"],
        "source": row.source,
        "links": [[link.text, link.address] for ref in row.references for link in ref.links],
        "tip": row.tip(result),
    }


def page_models(configuration: Configuration) -> dict[str, str]:
    """The models a page computes, with their names as it prints them."""
    models = (configuration.pooling.model, EMPIRICAL, CAUTIOUS, "common")
    return {model: MODEL_NAMES[model] for model in models} | {"single_trial": "One trial"}


def page_priors(priors: TauPriors) -> dict[str, Any]:
    """Bayesian model -> its prior of tau for the page's own arithmetic: a name and its numbers."""
    found: dict[str, Any] = {}
    if (empirical := priors.empirical) is not None:
        found[EMPIRICAL] = (
            ["half_normal", empirical.half_normal]
            if empirical.inverse_gamma is None
            else ["inverse_gamma", *empirical.inverse_gamma]
        )
    return {**found, CAUTIOUS: ["half_normal", priors.half_normal]}


def page_method(configuration: Configuration) -> dict[str, Any]:
    """The configured way of pooling, for the page's own arithmetic.

    Returns
    -------
    dict
        ``level`` in percent, ``model``, ``estimator``, ``interval``, ``prediction``,
        ``predictionFrom`` (trials from which on it is shown), and ``leading``: from how many
        trials on which model leads.
    """
    pooling = configuration.pooling
    return {
        "level": configuration.confidence_level,
        "model": pooling.model,
        "estimator": pooling.tau2_estimator,
        "interval": pooling.estimate_interval,
        "prediction": pooling.prediction_interval,
        "predictionFrom": pooling.prediction_from_trials,
        "leading": [
            [rule.from_trials, pooling.model if rule.model == "random_effects" else rule.model]
            for rule in pooling.leading
        ],
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        # An interval may reach infinity; JSON has no such number, and a page prints its sign.
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
