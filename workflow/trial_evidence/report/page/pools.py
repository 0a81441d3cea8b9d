"""What a page needs to pool the trials of an analysis again: effects, variances, results."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.files import records
from trial_evidence.measures import MEASURES
from trial_evidence.pool.estimates import qualifying_trials
from trial_evidence.report.material.printed import capital
from trial_evidence.report.page.rows import TrialRow, own_result, patients_in_words, row_anchor
from trial_evidence.report.trail.trace import ALL, Record
from trial_evidence.words.models import MODEL_NAMES

# What a page shows of each model.
PUBLISHED = (
    "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_value", "tau2", "tau2_low",
    "tau2_high", "i2", "q", "q_df", "q_p", "i2_from_q", "probability_of_benefit",
)  # fmt: skip
Set = tuple[str, str, pd.DataFrame, bool]


def analysis_pools(
    analysis: Analysis,
    trials: pd.DataFrame,
    estimates: pd.DataFrame,
    shown: Sequence[TrialRow],
    configuration: Configuration,
) -> list[dict[str, Any]]:
    """Every set of trials of an analysis that is pooled, or shown trial by trial.

    Parameters
    ----------
    analysis : Analysis
    trials, estimates : DataFrame
        ``trials.csv`` and ``estimates.csv`` of the analysis.
    shown : sequence of TrialRow
        The trials as the page prints them.
    configuration : Configuration

    Returns
    -------
    list of dict
        JSON-ready: ``label``, ``set``, ``measure``, ``scale``, ``prior``, ``none`` (no effect),
        ``below`` (whether benefit lies below it), ``pooled``, ``rows`` and ``published``, the
        pipeline's own results by model. Sets without any trial are left out.
    """
    return [
        _pool(
            f"{MEASURES[measure].title}: {label}", (measure, subgroup, ""), rows,
            estimates[(estimates["measure"] == measure) & (estimates["subgroup"] == subgroup)]
            if pooled else estimates.iloc[:0],
            shown, configuration, pooled=pooled,
        )
        for measure in analysis.measures
        for label, subgroup, rows, pooled in _sets(
            analysis, trials[trials["measure"] == measure], configuration
        )
    ]  # fmt: skip


def rate_pools(
    rates: pd.DataFrame,
    estimates: pd.DataFrame,
    shown: Sequence[TrialRow],
    configuration: Configuration,
) -> list[dict[str, Any]]:
    """The same for the rates of an outcome, a set a regimen and group of patients."""
    return [
        _pool(
            f"{regimen}: {patients_in_words(str(subgroup))}",
            ("proportion", str(subgroup), str(regimen)), rows,
            estimates[(estimates["experimental"] == regimen) & (estimates["subgroup"] == subgroup)],
            shown, configuration,
        )
        for (regimen, subgroup), rows in rates.groupby(["regimen_label", "subgroup"], sort=False)
        if (rows["pooled"] == "yes").sum() >= 2
    ]  # fmt: skip


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


def _pool(
    label: str,
    which: tuple[str, str, str],
    rows: pd.DataFrame,
    estimates: pd.DataFrame,
    shown: Sequence[TrialRow],
    configuration: Configuration,
    *,
    pooled: bool = True,
) -> dict[str, Any]:
    reading = MEASURES[which[0]]
    by_anchor = {row.anchor: row for row in shown}
    models = page_models(configuration)
    return {
        "label": capital(label),
        # As estimates.csv names the set: measure, subgroup and, of a rate, the regimen.
        "set": which,
        "measure": reading.title,
        "scale": reading.scale.name,
        "prior": configuration.tau_prior_scale[reading.scale.prior],
        "none": reading.scale.null,
        "below": reading.benefit_below,
        "pooled": pooled,
        "rows": [_row(record, by_anchor[row_anchor(record)]) for record in records(rows)],
        "published": {
            record["model"]: {name: record[name] for name in PUBLISHED}
            for record in records(estimates)
            if record["model"] in models
        },
    }


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
    models = (configuration.pooling.model, "bayesian", "common")
    return {model: MODEL_NAMES[model] for model in models} | {"single_trial": "One trial"}


def page_method(configuration: Configuration) -> dict[str, Any]:
    """The configured way of pooling, for the page's own arithmetic.

    Returns
    -------
    dict
        ``level`` in percent, ``model``, ``estimator``, ``interval``, ``prediction``, and
        ``leading``: from how many trials on which model leads.
    """
    pooling = configuration.pooling
    return {
        "level": configuration.confidence_level,
        "model": pooling.model,
        "estimator": pooling.tau2_estimator,
        "interval": pooling.estimate_interval,
        "prediction": pooling.prediction_interval,
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
