"""Tidy evidence of one setting: the rows used by each analysis, and the rows set aside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.columns import RATE_COLUMNS, SET_ASIDE_COLUMNS, USED_COLUMNS
from trial_evidence.extract.comparisons import Records, trial_evidence
from trial_evidence.extract.context import Context, setting_context, tables_of
from trial_evidence.extract.contrasts import matches
from trial_evidence.extract.rates import rate_evidence
from trial_evidence.extract.selection import level_sets
from trial_evidence.files import records_by
from trial_evidence.measures import COUNT_COLUMNS, MEASURES
from trial_evidence.measures.effects import wilson_interval
from trial_evidence.sheet import Sheet

OTHER_DEFINITION = "the trial defines the outcome otherwise than those that are pooled"
OWN_DEFINITIONS = "each trial defines the outcome in its own way"
NO_INFORMATION = "there is no event, or only events, in both arms, which says nothing about a ratio"


@dataclass(frozen=True)
class SettingEvidence:
    """The evidence of one setting that later stages need.

    Attributes
    ----------
    used : DataFrame
        One row per trial, analysis, measure and subgroup, with ``yi`` and ``vi`` on the analysis
        scale (log for ratios); ``pooled`` is yes or no.
    set_aside : DataFrame
        One row for every sheet row that an analysis considered but did not use, with the reason.
    contrasts : DataFrame
        All contrasts in the setting's randomised trials.
    rates : DataFrame
        One row per trial, regimen and subgroup: counts, rate, Wilson interval, logit and variance.
    """

    used: pd.DataFrame
    set_aside: pd.DataFrame
    contrasts: pd.DataFrame
    rates: pd.DataFrame


def extract_setting(sheet: Sheet, configuration: Configuration, setting: str) -> SettingEvidence:
    """Extract the evidence of one setting from the checked sheet.

    Parameters
    ----------
    setting : str
        A key of ``configuration.settings``.
    """
    return evidence_of(setting_context(sheet, configuration, setting))


def evidence_of(context: Context) -> SettingEvidence:
    """Extract the evidence of a context's setting according to its configuration."""
    configuration, setting, contrasts = context.configuration, context.setting, context.contrasts
    used: Records = []
    aside: Records = []
    for analysis in configuration.of_setting(setting):
        found = matches(contrasts, analysis)
        found = found[found["trial_id"].isin(context.admitted(analysis))]
        of_trial = records_by(found, "trial_id")
        for levels in level_sets(analysis.effect_modifiers):
            for group in of_trial.values():
                taken, left = trial_evidence(context, analysis, group, levels)
                used += taken
                aside += left
    rates: Records = []
    for rate_analysis in configuration.rates_of_setting(setting):
        taken, left = rate_evidence(context, rate_analysis)
        rates += taken
        aside += left
    differing = context.differing
    tables = tables_of(configuration)
    for record in (*used, *rates):
        table = tables[setting, record["analysis"]]
        rows = [(table, int(row)) for row in record["rows"].split(";")]
        record["readers_differ"] = "; ".join(differing[row] for row in rows if row in differing)
    return SettingEvidence(
        used=_alike(
            _with_effect_sizes(pd.DataFrame(used, columns=USED_COLUMNS)),
            [a.id for a in configuration.of_setting(setting) if a.harm],
        ),
        set_aside=pd.DataFrame(aside, columns=SET_ASIDE_COLUMNS),
        contrasts=contrasts,
        rates=_with_logits(
            pd.DataFrame(rates, columns=RATE_COLUMNS), configuration.confidence_level
        ),
    )


def _with_effect_sizes(used: pd.DataFrame) -> pd.DataFrame:
    """Fill in yi and vi for outcomes that are counts, all trials of a measure at once."""
    used = used.astype({"yi": float, "vi": float, "se_source": object}).assign(corrected="no")
    for measure, rows in used.groupby("measure"):
        reading = MEASURES[str(measure)]
        if reading.kind != "counts":
            continue
        effects = reading.effects(*(rows[column].to_numpy(float) for column in COUNT_COLUMNS))
        silent = rows.index[~effects.informative]
        used.loc[rows.index, "yi"] = effects.yi
        used.loc[rows.index, "vi"] = effects.vi
        used.loc[rows.index, "corrected"] = np.where(effects.corrected, "yes", "no")
        used.loc[rows.index, "se_source"] = "counts"
        used.loc[silent, ["yi", "vi"]] = np.nan
        used.loc[silent, "pooled"] = "no"
        used.loc[silent, "not_pooled_reason"] = NO_INFORMATION
    return used


def _alike(used: pd.DataFrame, harms: Sequence[str]) -> pd.DataFrame:
    """For each harm and set of added agents, pool only trials with the most common definition.

    A tie is broken by the number of patients. A trial without events carries no information about
    a ratio, but its definition still counts, so that a ratio and a difference use the same
    definition.
    """
    used = used.copy()
    pooled = used["pooled"] == "yes"
    with_result = pooled | (used["not_pooled_reason"] == NO_INFORMATION)
    considered = used[used["analysis"].isin(harms) & with_result]
    for _, trials in considered.groupby(["analysis", "measure", "added_agents"], sort=False):
        words = trials["definition"].str.lower()
        if words.nunique() < 2:
            continue
        patients = trials["n_experimental"] + trials["n_control"]
        common = patients.groupby(words).agg(["size", "sum"]).sort_values(["size", "sum"])
        shared = common["size"].iloc[-1] > 1
        other = (words != common.index[-1]) | (not shared)
        left = trials.index[other & pooled[trials.index]]
        used.loc[left, "pooled"] = "no"
        used.loc[left, "not_pooled_reason"] = OTHER_DEFINITION if shared else OWN_DEFINITIONS
    return used


def _with_logits(rates: pd.DataFrame, level: float) -> pd.DataFrame:
    events, n = rates["events"].to_numpy(float), rates["n"].to_numpy(float)
    logits = MEASURES["proportion"].effects(events, n)
    low, high = wilson_interval(events, n, level)
    return rates.assign(
        rate=events / n,
        rate_low=low,
        rate_high=high,
        yi=logits.yi,
        vi=logits.vi,
        corrected=np.where(logits.corrected, "yes", "no"),
    )
