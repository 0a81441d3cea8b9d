"""The multiverse: every defensible combination of choices, and what it gives."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.context import setting_context
from trial_evidence.extract.evidence import evidence_of
from trial_evidence.measures import MEASURES
from trial_evidence.measures.scales import LOG_RATIO
from trial_evidence.pool.estimates import ALL
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.probes.multiverse import specification_curve
from trial_evidence.sensitivity.comparison import MEAN, pooled_analyses
from trial_evidence.sensitivity.properties import JUDGED_HIGH, risk_of_bias
from trial_evidence.sheet import Sheet

COMMON = "EE"
# Two estimators that solve one equation make one specification.
SAME_AS = {"EB": "PM"}
NOBODY = "none"
CHOICE_COLUMNS = [
    "measure", "definition_first", "analysis_first", "assessor_first", "verification",
    "exclusions", "risk_of_bias", "without", "estimator", "interval",
]  # fmt: skip
MULTIVERSE_COLUMNS = [
    "setting", "analysis", *CHOICE_COLUMNS, "k", "estimate", "ci_low", "ci_high", "ci_level",
    "p_value", "tau2", "i2", "excludes_no_effect", "rank", "leading",
]  # fmt: skip
MULTIVERSE_NUMBERS = [
    "k", "estimate", "ci_low", "ci_high", "ci_level", "p_value", "tau2", "i2", "rank",
]  # fmt: skip
SUMMARY_COLUMNS = [
    "setting", "analysis", "measure", "specifications", "median_estimate", "lowest_estimate",
    "highest_estimate", "share_excluding_no_effect", "share_below", "share_above",
]  # fmt: skip


def multiverses(
    configuration: Configuration, sheet: Sheet, setting: str
) -> tuple[pd.DataFrame, ...]:
    """Fit every specification of every analysis that pools ratios of two trials or more.

    Returns
    -------
    tuple of DataFrame
        One an analysis, a row a specification: ``MULTIVERSE_COLUMNS`` without the level, ratios on
        the natural scale. Specifications that pool the same numbers in the same way are one
        specification: it bears the first of their choices, the configured ones coming first. None
        is ``leading`` where the report leads with another model (two trials: the Bayesian one).
    """
    analyses = pooled_analyses(configuration, setting)
    sets: dict[str, list[tuple[dict[str, str], pd.DataFrame]]] = {a.id: [] for a in analyses}
    # What does not depend on the choices is prepared once.
    context = setting_context(sheet, configuration, setting)
    for table in dict.fromkeys(a.table for a in analyses):
        alike = tuple(replace(a, effect_modifiers=()) for a in analyses if a.table == table)
        bare = replace(configuration, analyses=alike, rates=())
        for names, varied in _variants(bare, table, counted=alike[0].kind == "counts"):
            used = evidence_of(replace(context, configuration=varied)).used
            used = used[(used["subgroup"] == ALL) & used["yi"].notna() & used["vi"].notna()]
            judged = risk_of_bias(sheet, used)
            for analysis in alike:
                own = used["analysis"] == analysis.id
                for excluded, biased in product(("applied", "ignored"), ("any", "not high")):
                    kept = own & ((used["pooled"] == "yes") | (excluded == "ignored"))
                    kept &= (judged != JUDGED_HIGH) | (biased == "any")
                    filters = {"exclusions": excluded, "risk_of_bias": biased}
                    sets[analysis.id].append((names | filters, used[kept]))
    found = (_multiverse(analysis, sets[analysis.id], configuration) for analysis in analyses)
    return tuple(multiverse for multiverse in found if multiverse is not None)


def _variants(
    configuration: Configuration, table: str, *, counted: bool
) -> Iterator[tuple[dict[str, str], Configuration]]:
    """Configurations with other orders of preference and other admission, their choices named."""
    selection, choices = configuration.selection, configuration.sensitivity
    orders = selection.of(table)
    words = {column: order for column, order in orders.items() if isinstance(order, tuple)}
    varied = ("definition",) if counted else ("analysis", "assessor")
    firsts = [
        [word for word in words.get(c, ()) if word in choices.preferred.get(c, (word,))]
        for c in varied
    ]
    configured = selection.admit["verification"]
    levels = sorted(choices.verification, key=lambda words: words != configured)
    for first, admitted in product(product(*firsts), levels):
        named = dict(zip(varied, first, strict=True))
        changed = {
            column: (word, *(other for other in words[column] if other != word))
            for column, word in named.items()
        }
        # A level of verification that no order names comes last.
        changed_selection = replace(
            selection,
            admit={**selection.admit, "verification": admitted},
            orders={**selection.orders, table: {**orders, **changed}},
        )
        yield (
            {f"{column}_first": word for column, word in named.items()}
            | {"verification": " + ".join(admitted)},
            replace(configuration, selection=changed_selection),
        )


def _multiverse(
    analysis: Analysis,
    sets: Sequence[tuple[dict[str, str], pd.DataFrame]],
    configuration: Configuration,
) -> pd.DataFrame | None:
    effects: dict[tuple[Any, ...], int] = {}
    pools: dict[frozenset[int], dict[str, str]] = {}
    for measure in (m for m in analysis.measures if MEASURES[m].is_ratio):
        for names, rows in sets:
            of_measure = rows[rows["measure"] == measure]
            numbers = of_measure[["trial_id", "yi", "vi"]].itertuples(index=False, name=None)
            members = {
                effect[0]: effects.setdefault((measure, *effect), len(effects))
                for effect in numbers
            }
            for without in (NOBODY, *members):
                pool = frozenset(at for trial, at in members.items() if trial != without)
                if len(pool) >= 2:
                    pools.setdefault(pool, {"measure": measure, **names, "without": without})
    if not pools:
        return None
    pooling, tries = configuration.pooling, configuration.sensitivity
    # The specification of the report is the first.
    tried = (
        (pooling.tau2_estimator, pooling.estimate_interval),
        (COMMON, "wald"),
        *product(tries.estimators, tries.intervals),
    )
    methods = pd.DataFrame(tried, columns=["estimator", "interval"])
    methods = methods.replace({"estimator": SAME_AS}).drop_duplicates()
    # A choice that does not arise, such as the assessor of a count, is an empty text.
    choices = (
        pd.DataFrame(list(pools.values()))
        .merge(methods, how="cross")
        .reindex(columns=CHOICE_COLUMNS, fill_value="")
        # The same few words many times over.
        .astype("category")
    )
    members_of = np.zeros((len(effects), len(pools)), dtype=bool)
    for at, pool in enumerate(pools):
        members_of[list(pool), at] = True
    _, _, yi, vi = zip(*effects, strict=True)
    models = [(str(estimator), str(interval)) for estimator, interval in methods.to_numpy()]
    curve = specification_curve(yi, vi, members_of, models, configuration.confidence_level)
    configured = sets[0][1]
    k = int((configured["measure"] == choices["measure"].iloc[0]).sum())
    # Fewer than two configured trials make no pool; then no specification is the report's.
    leads = k >= 2 and leading_model(k, pooling).model == pooling.model
    excludes = (curve.ci_low > 0) | (curve.ci_high < 0)
    return choices.assign(
        setting=analysis.setting,
        analysis=analysis.id,
        k=curve.k.astype(int),
        **{name: LOG_RATIO.to_natural(getattr(curve, name)) for name in MEAN},
        **{name: getattr(curve, name) for name in ("p_value", "tau2", "i2")},
        excludes_no_effect=np.where(excludes, "yes", "no"),
        rank=curve.rank + 1,
        leading=np.where(leads & (choices.index == 0), "yes", "no"),
    )


def multiverse_table(found: Sequence[pd.DataFrame], level: float) -> pd.DataFrame:
    """The specifications of all analyses, as :func:`multiverses` returns them, in one table.

    Parameters
    ----------
    level : float
        Level of the intervals in percent.

    Returns
    -------
    DataFrame
        Columns ``MULTIVERSE_COLUMNS``.
    """
    if not found:
        return pd.DataFrame(columns=MULTIVERSE_COLUMNS)
    return pd.concat(found, ignore_index=True).assign(ci_level=level)[MULTIVERSE_COLUMNS]


def multiverse_summary(found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Shares and medians over the specifications of each analysis, all and by measure.

    Returns
    -------
    DataFrame
        Columns ``SUMMARY_COLUMNS``; shares between 0 and 1. Over several measures together there
        is no median: a risk ratio and an odds ratio are not sizes of one thing.
    """
    records = []
    for results in found:
        for measure, rows in (("all", results), *results.groupby("measure", sort=False)):
            mixed = rows["measure"].nunique() > 1
            sizes = [np.nan] * 3 if mixed else rows["estimate"].agg(["median", "min", "max"])
            below, above = (rows["ci_high"] < 1).mean(), (rows["ci_low"] > 1).mean()
            named = (rows["setting"].iloc[0], rows["analysis"].iloc[0], measure)
            records.append((*named, len(rows), *sizes, below + above, below, above))
    return pd.DataFrame(records, columns=SUMMARY_COLUMNS)
