"""Effect modifiers: comparisons of patients within the same trial, for every factor."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, EffectModifier
from trial_evidence.extract.context import Context
from trial_evidence.extract.evidence import evidence_of
from trial_evidence.pool.estimates import differences_within_trials, qualifying_trials
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.models.pooling import pool_all
from trial_evidence.sensitivity.comparison import (
    BEGINNING,
    Comparison,
    by_measure,
    pooled_analyses,
    table,
)
from trial_evidence.sheet import Sheet
from trial_evidence.words.models import CAUTIOUS

MODIFIER_COLUMNS = [
    *BEGINNING, "factor", "level", "reference_level", "model", "role", "k", "estimate", "ci_low",
    "ci_high", "ci_level", "pi_low", "pi_high", "p_value", "tau2", "i2", "trials", "reason",
]  # fmt: skip
LEAST_TRIALS = 2
NOT_REPORTED = "No trial of the setting reports results by it."


def with_all_modifiers(
    configuration: Configuration, sheet: Sheet, setting: str
) -> tuple[Analysis, ...]:
    """The pooled analyses of a setting, each with every pair of levels that its trials report.

    Factors keep their configured label and order of levels; levels of others are in alphabetical
    order.
    """
    trials = sheet["trials"]
    inside = set(trials.loc[trials["setting"] == setting, "trial_id"])
    pairs = [
        (factor, pair)
        for factor, levels in sorted(_levels_reported(sheet, inside).items())
        for pair in combinations(sorted(levels), 2)
    ]
    found = []
    for analysis in pooled_analyses(configuration, setting):
        known = {(m.factor, *sorted(m.levels)): m for m in analysis.effect_modifiers}
        modifiers = tuple(
            known.get((factor, *pair))
            or EffectModifier(factor, factor.replace("_", " ").capitalize(), pair)
            for factor, pair in pairs
        )
        found.append(replace(analysis, effect_modifiers=modifiers))
    return tuple(found)


def _levels_reported(sheet: Sheet, trials: Collection[str]) -> dict[str, set[str]]:
    """Single factor -> the levels by which these trials report any result."""
    levels: dict[str, set[str]] = {}
    for name in sheet.results:
        own = sheet[name]["trial_id"].isin(trials)
        for subgroup in sheet[name].loc[own, "subgroup"].unique():
            factor, _, level = subgroup.partition("=")
            if level and "&" not in subgroup:
                levels.setdefault(factor, set()).add(level)
    return levels


def effect_modifiers_table(
    configuration: Configuration,
    analyses: tuple[Analysis, ...],
    context: Context,
) -> pd.DataFrame:
    """Interactions estimated within each trial and pooled.

    Parameters
    ----------
    analyses : tuple of Analysis
        From :func:`with_all_modifiers`.
    context : Context
        The part of the sheet on the setting.

    Returns
    -------
    DataFrame
        Columns ``MODIFIER_COLUMNS``. ``estimate`` is the effect at ``level`` divided by that at
        ``reference_level`` (a ratio of ratios; for risk differences their difference), pooled over
        trials that report both from one definition or one analysis. If fewer than two do, the
        reason is given, with a single trial's own interaction. Configured factors that no trial
        reports have a row that says so.
    """
    found: dict[tuple[str, str], list[Comparison]] = {}
    for places in _apart(analyses[0].effect_modifiers) if analyses else ():
        some = tuple(
            replace(a, effect_modifiers=tuple(a.effect_modifiers[at] for at in places))
            for a in analyses
        )
        wide = replace(configuration, analyses=some, rates=())
        used = evidence_of(replace(context, configuration=wide)).used
        for c in by_measure(configuration, some, used):
            found.setdefault((c.analysis.id, c.measure), []).append(c)

    def interactions(c: Comparison) -> Iterator[dict[str, Any]]:
        parts = found[c.analysis.id, c.measure]
        pairs = [(pair, part) for part in parts for pair in part.analysis.effect_modifiers]
        for pair, part in sorted(pairs, key=lambda of: (of[0].factor, sorted(of[0].levels))):
            level, reference = pair.levels
            named = {"factor": pair.factor, "level": level, "reference_level": reference}
            yield from (named | record for record in _interaction(part, pair))
        for factor in configuration.sensitivity.effect_modifiers:
            if factor not in {pair.factor for pair, _ in pairs}:
                yield {"factor": factor, "k": 0, "reason": NOT_REPORTED}

    return table([parts[0] for parts in found.values()], MODIFIER_COLUMNS, interactions)


def _apart(modifiers: Sequence[EffectModifier]) -> list[list[int]]:
    """Places of pairs of levels, in groups in which no level is in two pairs.

    Rows are chosen for both levels of a pair together: a trial with three levels may use another
    report for another pair.
    """
    groups: list[tuple[set[str], list[int]]] = [(set(), [])]
    for at, modifier in enumerate(modifiers):
        free = (group for group in groups if group[0].isdisjoint(modifier.subgroups))
        group = next(free, None)
        if group is None:
            group = (set(), [])
            groups.append(group)
        group[0].update(modifier.subgroups)
        group[1].append(at)
    return [places for _, places in groups]


def _interaction(c: Comparison, modifier: EffectModifier) -> Iterator[dict[str, Any]]:
    trials = qualifying_trials(c.rows, modifier)
    reason = ""
    if len(trials) < LEAST_TRIALS:
        report = "1 trial reports" if len(trials) == 1 else f"{len(trials)} trials report"
        reason = f"Not pooled: {report} both levels, {LEAST_TRIALS} are needed."
    if not trials:
        yield {"k": 0, "reason": reason}
        return
    rows = c.rows[c.rows["trial_id"].isin(trials)]
    found = differences_within_trials(rows, modifier).loc[trials]
    # The empirical priors are for effects, not for differences between effects.
    lead = leading_model(len(trials), c.pooling, empirical=False)
    roles = {lead.model: "lead", lead.co_primary: "co-primary"}
    priors = {CAUTIOUS: c.priors[CAUTIOUS]}
    for result in pool_all(
        found["yi"], found["vi"], pooling=c.pooling, level=c.level, priors=priors
    ):
        yield {
            "model": result.model,
            "role": roles.get(result.model, ""),
            **c.naturals(result),
            **{name: getattr(result, name) for name in ("k", "p_value", "tau2", "i2")},
            "trials": ";".join(trials),
            "reason": reason,
        }
