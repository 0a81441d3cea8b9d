"""Tidy evidence of one setting: the rows used by each analysis, and the rows set aside."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.columns import RATE_COLUMNS, SET_ASIDE_COLUMNS, USED_COLUMNS
from trial_evidence.extract.comparisons import Records, trial_evidence
from trial_evidence.extract.context import Context, setting_context
from trial_evidence.extract.contrasts import matches
from trial_evidence.extract.rates import rate_evidence
from trial_evidence.extract.selection import level_sets
from trial_evidence.measures import MEASURES
from trial_evidence.measures.effects import wilson_interval
from trial_evidence.sheet import Sheet

NO_INFORMATION = "no event, or only events, in both arms: no information on a ratio"


@dataclass(frozen=True)
class SettingEvidence:
    """Everything the later stages need of one setting.

    Attributes
    ----------
    used : DataFrame
        One row a trial, analysis, measure and subgroup, with ``yi`` and ``vi`` on the analysis
        scale (log for ratios); ``pooled`` is yes or no.
    set_aside : DataFrame
        One row for every sheet row that an analysis looked at and did not take, with the reason.
    contrasts : DataFrame
        All contrasts of the setting's randomised trials.
    rates : DataFrame
        One row a trial, regimen and subgroup: counts, rate, Wilson interval, logit and variance.
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
    (evidence,) = extract_variants(sheet, [configuration], setting)
    return evidence


def extract_variants(
    sheet: Sheet, configurations: Iterable[Configuration], setting: str
) -> Iterator[SettingEvidence]:
    """Extract the evidence of one setting by one configuration after the other.

    What does not depend on the configuration is prepared once.

    Parameters
    ----------
    setting : str
        A key of their ``settings``.

    Yields
    ------
    SettingEvidence
        One a configuration, in their order.
    """
    context: Context | None = None
    for configuration in configurations:
        if context is None:
            context = setting_context(sheet, configuration, setting)
        yield _extract(replace(context, configuration=configuration))


def _extract(context: Context) -> SettingEvidence:
    configuration, setting, contrasts = context.configuration, context.setting, context.contrasts
    used: Records = []
    aside: Records = []
    for analysis in configuration.of_setting(setting):
        found = matches(contrasts, analysis)
        for levels in level_sets(analysis.effect_modifiers):
            for _, group in found.groupby("trial_id", sort=False):
                taken, left = trial_evidence(context, analysis, group, levels)
                used += taken
                aside += left
    rates: Records = []
    for rate_analysis in configuration.rates_of_setting(setting):
        taken, left = rate_evidence(context, rate_analysis)
        rates += taken
        aside += left
    differing = context.differing
    tables = {analysis.id: analysis.table for analysis in configuration.of_setting(setting)}
    tables |= {rate.id: rate.table for rate in configuration.rates_of_setting(setting)}
    for record in (*used, *rates):
        rows = [(tables[record["analysis"]], int(row)) for row in record["rows"].split(";")]
        record["readers_differ"] = "; ".join(differing[row] for row in rows if row in differing)
    return SettingEvidence(
        used=_with_effect_sizes(pd.DataFrame(used, columns=USED_COLUMNS)),
        set_aside=pd.DataFrame(aside, columns=SET_ASIDE_COLUMNS),
        contrasts=contrasts,
        rates=_with_logits(
            pd.DataFrame(rates, columns=RATE_COLUMNS), configuration.confidence_level
        ),
    )


def _with_effect_sizes(used: pd.DataFrame) -> pd.DataFrame:
    """Fill in yi and vi of the counted outcomes, all trials of a measure at once."""
    used = used.astype({"yi": float, "vi": float, "se_source": object, "corrected": object})
    counts = ["events_experimental", "n_experimental", "events_control", "n_control"]
    for name in used["measure"].unique():
        mask = used["measure"] == name
        if MEASURES[name].kind != "counts":
            used.loc[mask, "corrected"] = "no"
            continue
        numbers = (used.loc[mask, column].to_numpy(float) for column in counts)
        effects = MEASURES[name].effects(*numbers)
        used.loc[mask, "yi"] = np.where(effects.informative, effects.yi, np.nan)
        used.loc[mask, "vi"] = np.where(effects.informative, effects.vi, np.nan)
        used.loc[mask, "corrected"] = np.where(effects.corrected, "yes", "no")
        used.loc[mask, "se_source"] = "counts"
        silent = used.index[mask][~effects.informative]
        used.loc[silent, "pooled"] = "no"
        used.loc[silent, "not_pooled_reason"] = NO_INFORMATION
    return used


def _with_logits(rates: pd.DataFrame, level: float) -> pd.DataFrame:
    if rates.empty:
        return rates
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
