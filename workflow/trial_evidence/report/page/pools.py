"""Data with which the page pools the trials of an analysis again: effects, variances, results."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.methods import TauPriors
from trial_evidence.files import Record, records, where
from trial_evidence.measures import MEASURES
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma, model_priors
from trial_evidence.pool.estimates import qualifying_trials
from trial_evidence.report.material.material import of_pool
from trial_evidence.report.page.rows import TrialRow, anchor, row_anchor
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.sheet.values import ALL
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL, MODEL_NAMES
from trial_evidence.words.printed import capital, patients_in_words

# Results that the page shows for each model.
PUBLISHED = (
    "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_value", "tau2", "tau2_low",
    "tau2_high", "i2", "q", "q_df", "q_p", "i2_from_q", "probability_of_benefit",
)  # fmt: skip
RATES = ["regimen_label", "subgroup"]
# Choices that a reader can make about rows: column of the sensitivity stage's choices.csv -> label.
ASKED = {
    "definition_first": "Definition preferred", "analysis_first": "Analysis preferred",
    "assessor_first": "Assessor preferred", "verification": "Results admitted, by verification",
}  # fmt: skip
# Label, set (as in estimates.csv: measure, subgroup, regimen), trials, and whether they are pooled.
Set = tuple[str, tuple[str, str, str], pd.DataFrame, bool]


def pools_of(
    analysis: Analysis | RateAnalysis,
    evidence: Evidence,
    shown: Sequence[TrialRow],
    configuration: Configuration,
    choices: pd.DataFrame,
    rows_of_choices: Sequence[TrialRow],
) -> dict[str, Any]:
    """Every set of trials of an analysis that is pooled, or shown trial by trial.

    For rates, one set per regimen and group of patients.

    Parameters
    ----------
    shown : sequence of TrialRow
        The trials as the page prints them.
    choices : DataFrame
        Rows of the sensitivity stage's ``choices.csv`` on the analysis: one per combination of
        other orders of preference and other rules of admission, the configured one first.
    rows_of_choices : sequence of TrialRow
        Rows of ``choice_rows.csv``; ``choices`` has the numbers (from 1) of the combinations that
        use a row, joined by ``;``.

    Returns
    -------
    dict
        JSON-ready; empty if no set has a trial. ``rows``: every result once, as printed.
        ``pools``: ``label``, ``set`` (as in estimates.csv: measure, subgroup and, for a rate, the
        regimen), ``measure``, ``scale``, ``priors``, ``none`` (value of no effect), ``below``
        (whether benefit lies below it), ``pooled``, ``members`` (index in ``rows``, effect,
        variance, estimate, its limits at the level of ``method``, why it is not pooled, risk of
        bias) and ``published``, the pipeline's own results by model. ``choices``: ``asked``
        (label and values of each option that has several), ``taken`` (its value in each
        combination), ``sets`` (members by measure in each combination). ``method``: see
        :func:`page_method`.
    """
    estimates = of_pool(evidence.estimates, analysis)
    if isinstance(analysis, Analysis):
        found = list(_compared(analysis, of_pool(evidence.trials, analysis), configuration))
    else:
        found = list(_rates(of_pool(evidence.rates, analysis)))
    if not found:
        return {}
    places = {row.anchor: at for at, row in enumerate(shown)}
    own_way = configuration.own(analysis) if isinstance(analysis, Analysis) else configuration
    models, level = page_models(own_way), own_way.confidence_level
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
            "members": [_member(places[row_anchor(row)], row, level) for row in records(rows)],
            "published": {
                row["model"]: {name: row[name] for name in PUBLISHED}
                for row in records(own)
                if pooled and row["model"] in models
            },
        })  # fmt: skip
    further, chosen = _chosen(choices, rows_of_choices, shown, level)
    return {
        "rows": [*map(_row, shown), *further], "pools": pools, "choices": chosen,
        "method": page_method(own_way),
    }  # fmt: skip


def _chosen(
    choices: pd.DataFrame, rows: Sequence[TrialRow], shown: Sequence[TrialRow], level: float
) -> tuple[list[Any], dict[str, Any]]:
    """Rows used only under other choices, and the members of the pool under each choice."""
    options = [column for column in ASKED if choices[column].nunique() > 1]
    if not options:
        return [], {}
    places = {
        _of_cells(row.record): at for at, row in enumerate(shown) if row.record["subgroup"] == ALL
    }
    further: list[Any] = []
    sets: list[dict[str, list[Any]]] = [{} for _ in range(len(choices))]
    for row in rows:
        key = _of_cells(row.record)
        if key not in places:
            places[key] = len(shown) + len(further)
            further.append({**_row(row), "id": ""})
        for number in row.record["choices"].split(";"):
            members = sets[int(number) - 1].setdefault(row.record["measure"], [])
            members.append(_member(places[key], row.record, level))
    asked = [(ASKED[option], list(dict.fromkeys(choices[option]))) for option in options]
    return further, {"asked": asked, "taken": choices[options].to_numpy().tolist(), "sets": sets}


def _of_cells(record: Record) -> tuple[str, str]:
    return record["trial_id"], record["rows"]


def json_island(content: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element, whatever its texts; NaN becomes null."""
    text = json.dumps(_without_nan(content), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _rates(rates: pd.DataFrame) -> Iterator[Set]:
    for key, rows in rates.groupby(RATES, sort=False):
        regimen, group = map(str, key)
        if len(where(rows, pooled="yes")) >= 2:
            label = f"{regimen}: {patients_in_words(group)}"
            yield label, ("proportion", group, regimen), rows, True


def _compared(
    analysis: Analysis, trials: pd.DataFrame, configuration: Configuration
) -> Iterator[Set]:
    for measure in analysis.measures:
        rows = where(trials, measure=measure)
        for label, subgroup, found, pooled in _groups(analysis, rows, configuration):
            yield f"{MEASURES[measure].title}: {label}", (measure, subgroup, ""), found, pooled


def _groups(
    analysis: Analysis, rows: pd.DataFrame, configuration: Configuration
) -> Iterator[tuple[str, str, pd.DataFrame, bool]]:
    """Label, subgroup in ``estimates.csv``, trials in one measure, and whether they are pooled."""
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
        for subgroup, level in zip(modifier.subgroups, modifier.levels, strict=True):
            group = rows[(rows["subgroup"] == subgroup) & rows["trial_id"].isin(ids)]
            yield f"{modifier.label.lower()} {level}", subgroup, group, together


def _member(place: int, record: Record, level: float) -> list[Any]:
    """A trial in a set.

    The page prints its limits under a heading with the confidence level. Limits published at
    another level are left out, and the page calculates them from the variance.
    """
    own = record.get("estimate_level", level) == level
    names = ("estimate", "estimate_low", "estimate_high")
    ends = (record.get(name) if own else None for name in names)
    reason = "" if record["pooled"] == "yes" else record["not_pooled_reason"] or "not pooled"
    return [place, record["yi"], record["vi"], *ends, reason, record.get("risk_of_bias", "")]


def _row(row: TrialRow) -> dict[str, Any]:
    return {
        "id": row.anchor,
        "trial": row.record["trial"],
        "view": anchor("trial", row.record["trial_id"]),
        "year": row.year,
        "arms": row.arms,
        "about": row.about,
        "result": row.result,
        "verification": row.record["verification"],
        "source": row.source,
        "place": row.place,
        "links": [[link.text, link.address] for ref in row.references for link in ref.links],
    }


def page_models(*ways: Configuration) -> dict[str, str]:
    """The models that the page computes -> their printed names."""
    models = (*(way.pooling.model for way in ways), EMPIRICAL, CAUTIOUS, "common")
    return {model: MODEL_NAMES[model] for model in models} | {"single_trial": "One trial"}


def page_priors(priors: TauPriors) -> dict[str, Any]:
    """Bayesian model -> its prior of tau for the page's scripts: family and parameters."""
    families = {HalfNormal: "half_normal", InverseGamma: "inverse_gamma"}
    found = model_priors(priors).items()
    return {model: [families[type(prior)], *vars(prior).values()] for model, prior in found}


def page_method(configuration: Configuration) -> dict[str, Any]:
    """The configured methods of pooling, for the page's scripts.

    Returns
    -------
    dict
        ``level`` in percent, ``model``, ``estimator``, ``interval``, ``prediction``,
        ``predictionFrom`` (least number of trials to show it), and ``leading``: the least number
        of trials, the model that then leads, and the one that is co-primary with it, if any.
    """
    pooling = configuration.pooling

    def named(model: str) -> str:
        return pooling.model if model == "random_effects" else model

    return {
        "level": configuration.confidence_level,
        "model": pooling.model,
        "estimator": pooling.tau2_estimator,
        "interval": pooling.estimate_interval,
        "prediction": pooling.prediction_interval,
        "predictionFrom": pooling.prediction_from_trials,
        "leading": [
            [rule.from_trials, named(rule.model), named(rule.co_primary or "")]
            for rule in pooling.leading
        ],
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        # An interval may reach infinity, which JSON cannot express and the page prints as a sign.
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
