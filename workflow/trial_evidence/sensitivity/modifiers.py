"""Effect modifiers: patients compared with patients of the same trial, for every factor."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, EffectModifier
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.measures import MEASURES
from trial_evidence.pool.estimates import qualifying_trials
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.models.pooling import pool_all
from trial_evidence.pool.probes.subgroups import interaction_within_trials
from trial_evidence.sensitivity.comparison import Comparison, nan_if_none, table
from trial_evidence.sheet import Sheet

MODIFIER_COLUMNS = [
    "setting", "analysis", "measure", "factor", "level", "reference_level", "model", "role", "k",
    "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high", "p_value", "tau2", "i2",
    "trials", "reason",
]  # fmt: skip
LEAST_TRIALS = 2
NOT_REPORTED = "No trial of the setting reports results by it."


def found_modifiers(
    sheet: Sheet, trials: pd.Series, configured: tuple[EffectModifier, ...]
) -> tuple[EffectModifier, ...]:
    """Every pair of levels of every single factor in the sheet.

    Parameters
    ----------
    trials : Series of str
        Ids of the trials to look at.
    configured : tuple of EffectModifier
        Factors whose label and order of levels are set; other levels come in alphabetical order.
    """
    levels: dict[str, set[str]] = {}
    for name in sheet.results:
        rows = sheet[name]
        for subgroup in rows.loc[rows["trial_id"].isin(trials), "subgroup"].unique():
            factor, _, level = subgroup.partition("=")
            if level and "&" not in subgroup:
                levels.setdefault(factor, set()).add(level)
    known = {modifier.factor: modifier for modifier in configured}
    return tuple(
        known[factor]
        if factor in known and set(pair) == set(known[factor].levels)
        else EffectModifier(factor, factor.replace("_", " ").capitalize(), pair)
        for factor in sorted(levels)
        for pair in combinations(sorted(levels[factor]), 2)
    )


def effect_modifiers_table(
    configuration: Configuration, sheet: Sheet, setting: str
) -> pd.DataFrame:
    """Interactions estimated within each trial and pooled.

    Returns
    -------
    DataFrame
        Columns ``MODIFIER_COLUMNS``. ``estimate`` is the effect at ``level`` over that at
        ``reference_level`` (a ratio of ratios; for risk differences their difference), pooled
        over trials that report both from one definition or one analysis. Where fewer than two
        do, the reason, and a single trial's own interaction. Factors that the configuration asks
        for and no trial reports by have a row that says so.
    """
    inside = sheet["trials"]["setting"] == setting
    trials = sheet["trials"].loc[inside, "trial_id"]
    analyses = tuple(a for a in configuration.of_setting(setting) if a.pool == "overall")
    wide = tuple(
        replace(a, effect_modifiers=found_modifiers(sheet, trials, a.effect_modifiers))
        for a in analyses
    )
    used = extract_setting(sheet, replace(configuration, analyses=wide, rates=()), setting).used
    records = []
    for analysis in wide:
        for measure in analysis.measures:
            rows = used[(used["analysis"] == analysis.id) & (used["measure"] == measure)]
            frame = {
                "setting": setting,
                "analysis": analysis.id,
                "measure": measure,
                "ci_level": configuration.confidence_level,
            }
            for modifier in analysis.effect_modifiers:
                level, reference = modifier.levels
                named = {"factor": modifier.factor, "level": level, "reference_level": reference}
                found = _interaction(rows, analysis, measure, modifier, configuration)
                records += [frame | named | record for record in found]
            reported = {modifier.factor for modifier in analysis.effect_modifiers}
            records += [
                frame | {"factor": factor, "k": 0, "reason": NOT_REPORTED}
                for factor in configuration.sensitivity.effect_modifiers
                if factor not in reported
            ]
    return table(records, MODIFIER_COLUMNS)


def _interaction(
    rows: pd.DataFrame,
    analysis: Analysis,
    measure: str,
    modifier: EffectModifier,
    configuration: Configuration,
) -> Iterator[dict[str, Any]]:
    trials = qualifying_trials(rows, modifier)
    reason = ""
    if len(trials) < LEAST_TRIALS:
        report = "1 trial reports" if len(trials) == 1 else f"{len(trials)} trials report"
        reason = f"Not pooled: {report} both levels, {LEAST_TRIALS} are needed."
    if not trials:
        yield {"k": 0, "reason": reason}
        return
    first, second = (
        rows[rows["subgroup"] == f"{modifier.factor}={level}"].set_index("trial_id").loc[trials]
        for level in modifier.levels
    )
    yi, vi = interaction_within_trials(first["yi"], first["vi"], second["yi"], second["vi"])
    reading = MEASURES[measure]
    lead = leading_model(len(trials), configuration.pooling)
    c = Comparison(
        analysis, measure, first, configuration.confidence_level, 1.0, configuration.pooling
    )
    for result in pool_all(
        yi,
        vi,
        pooling=configuration.pooling,
        level=configuration.confidence_level,
        tau_prior_scale=configuration.tau_prior_scale[reading.scale.prior],
    ):
        roles = {lead.model: "lead", lead.co_primary: "co-primary"}
        yield {
            "model": result.model,
            "role": roles.get(result.model, ""),
            "k": result.k,
            **c.naturals(result),
            **{name: nan_if_none(getattr(result, name)) for name in ("p_value", "tau2", "i2")},
            "trials": ";".join(trials),
            "reason": reason,
        }
