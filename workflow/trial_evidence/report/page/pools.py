"""Data with which the page pools the trials of an analysis again: effects, variances, results."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
Found = tuple[str, tuple[str, str, str], pd.DataFrame, bool]
Set = tuple[str, str, pd.DataFrame, bool]


@dataclass(frozen=True)
class Choices:
    """Which rows are used under other orders of preference and other rules of admission.

    Attributes
    ----------
    asked : list of (str, list of str)
        Label of each option and its possible values, the configured one first.
    taken : list of list of str
        One row per combination of choices: one value for each option.
    rows : list of (TrialRow, list of int)
        A row, and the numbers (from 1) of the combinations that use it.
    """

    asked: Sequence[tuple[str, Sequence[str]]] = ()
    taken: Sequence[Sequence[str]] = ()
    rows: Sequence[tuple[TrialRow, Sequence[int]]] = ()


NO_CHOICES = Choices()


def choices_of(choices: pd.DataFrame, rows: Iterable[tuple[TrialRow, Sequence[int]]]) -> Choices:
    """The choices of an analysis, without options that have only one value."""
    columns = [column for column in ASKED if choices[column].nunique() > 1]
    taken = [list(map(str, row)) for row in choices[columns].itertuples(index=False)]
    asked = [(ASKED[column], list(dict.fromkeys(choices[column]))) for column in columns]
    return Choices(asked, taken, list(rows))


def pools_of(
    analysis: Analysis | RateAnalysis,
    evidence: Evidence,
    shown: Sequence[TrialRow],
    configuration: Configuration,
    choices: Choices = NO_CHOICES,
) -> dict[str, Any]:
    """Every set of trials of an analysis that is pooled, or shown trial by trial.

    For rates, one set per regimen and group of patients. `shown` are the trials as the page prints
    them.

    Returns
    -------
    dict
        JSON-ready; empty if no set has a trial. ``rows``: every result once, as printed.
        ``pools``: ``label``, ``set`` (as in estimates.csv: measure, subgroup and, for a rate, the
        regimen), ``measure``, ``scale``, ``priors``, ``none`` (value of no effect), ``below``
        (whether benefit lies below it), ``pooled``, ``members`` (index in ``rows``, effect,
        variance, estimate, its limits at the level of ``method``, why it is not pooled, risk of
        bias) and ``published``, the pipeline's own results by model. ``choices``: see
        :class:`Choices`. ``method``: see :func:`page_method`.
    """
    estimates = of_pool(evidence.estimates, analysis)
    if isinstance(analysis, Analysis):
        trials = of_pool(evidence.trials, analysis)
        found: list[Found] = [
            (f"{MEASURES[measure].title}: {label}", (measure, subgroup, ""), rows, pooled)
            for measure in analysis.measures
            for of_measure in [where(trials, measure=measure)]
            for label, subgroup, rows, pooled in _sets(analysis, of_measure, configuration)
        ]
    else:
        found = []
        for key, rows in of_pool(evidence.rates, analysis).groupby(RATES, sort=False):
            name, group = map(str, key)
            if len(where(rows, pooled="yes")) >= 2:
                label = f"{name}: {patients_in_words(group)}"
                found.append((label, ("proportion", group, name), rows, True))
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
    further, chosen = _chosen(choices, shown, level)
    return {
        "rows": [*map(_row, shown), *further], "pools": pools, "choices": chosen,
        "method": page_method(own_way),
    }  # fmt: skip


def _chosen(
    choices: Choices, shown: Sequence[TrialRow], level: float
) -> tuple[list[Any], dict[str, Any]]:
    """Rows used only under other choices, and the members of the pool under each choice."""
    if len(choices.taken) < 2:
        return [], {}
    places = {
        _of_cells(row.record): at for at, row in enumerate(shown) if row.record["subgroup"] == ALL
    }
    further: list[Any] = []
    taken: list[dict[str, list[Any]]] = [{} for _ in choices.taken]
    for row, numbers in choices.rows:
        key = _of_cells(row.record)
        if key not in places:
            places[key] = len(shown) + len(further)
            further.append({**_row(row), "id": ""})
        for number in numbers:
            members = taken[number - 1].setdefault(row.record["measure"], [])
            members.append(_member(places[key], row.record, level))
    return further, {"asked": choices.asked, "taken": choices.taken, "sets": taken}


def _of_cells(record: Record) -> tuple[str, str]:
    return record["trial_id"], record["rows"]


def json_island(content: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element, whatever its texts; NaN becomes null."""
    text = json.dumps(_without_nan(content), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _sets(analysis: Analysis, rows: pd.DataFrame, configuration: Configuration) -> Iterator[Set]:
    """Label, subgroup in ``estimates.csv``, trials, and whether they are pooled."""
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
