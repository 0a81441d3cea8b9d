"""Tidy evidence of one setting: the rows used by each analysis, and the rows set aside."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import FILE, Analysis, Configuration, TrialRule
from trial_evidence.extract.columns import RATE_COLUMNS, SET_ASIDE_COLUMNS, USED_COLUMNS
from trial_evidence.extract.comparisons import Records, trial_evidence
from trial_evidence.extract.context import Context, setting_context, tables_of
from trial_evidence.extract.contrasts import CONTRAST_COLUMNS, matches
from trial_evidence.extract.rates import rate_evidence
from trial_evidence.extract.selection import level_sets
from trial_evidence.files import Record
from trial_evidence.measures import COUNT_COLUMNS, MEASURES
from trial_evidence.measures.effects import wilson_interval
from trial_evidence.sheet import Sheet
from trial_evidence.words.problems import Problem

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
    configuration, setting = context.configuration, context.setting
    used: Records = []
    aside: Records = []
    for analysis in configuration.of_setting(setting):
        of_trials = contrasts_of_trials(context, analysis)
        for levels in level_sets(analysis.effect_modifiers):
            for contrasts in of_trials:
                taken, left = trial_evidence(context, analysis, contrasts, levels)
                used += taken
                aside += left
    rates: Records = []
    for rate_analysis in configuration.rates_of_setting(setting):
        taken, left = rate_evidence(context, rate_analysis)
        rates += taken
        aside += left
    _tell_readers(context, rates)
    return SettingEvidence(
        used=used_table(context, used),
        set_aside=pd.DataFrame(aside, columns=SET_ASIDE_COLUMNS),
        contrasts=context.contrasts.loc[~context.contrasts["turned"], CONTRAST_COLUMNS],
        rates=_with_logits(pd.DataFrame(rates, columns=RATE_COLUMNS), context),
    )


def contrasts_of_trials(context: Context, analysis: Analysis) -> list[list[Record]]:
    """The contrasts that an analysis may use, in order of preference, one list per trial."""
    admitted = set(context.admitted(analysis))
    found = matches(context.contrasts, analysis)
    return [contrasts for trial, contrasts in found.items() if trial in admitted]


def unmet_rules(sheet: Sheet, configuration: Configuration) -> Iterator[Problem]:
    """A warning for each analysis whose rule on trials leaves none of those with its contrast."""
    ruled = [analysis for analysis in configuration.analyses if analysis.trials != TrialRule()]
    for setting in dict.fromkeys(analysis.setting for analysis in ruled):
        context = setting_context(sheet, configuration, setting)
        for analysis in (one for one in ruled if one.setting == setting):
            compared = matches(context.contrasts, analysis)
            if compared and not contrasts_of_trials(context, analysis):
                message = (
                    f"{setting}/{analysis.id}: none of the {len(compared)} trials that compare "
                    "these treatments fits this rule, so the analysis has no result. Check the "
                    "words and years."
                )
                yield Problem("warning", FILE, None, "", "analyses.trials", analysis.id, message)


def used_table(context: Context, used: Records) -> pd.DataFrame:
    """The table ``used`` from the rows of :func:`trial_evidence`, which are completed in place."""
    _tell_readers(context, used)
    _add_effect_sizes(used)
    _pool_alike(used, {a.id for a in context.configuration.of_setting(context.setting) if a.harm})
    columns: dict[str, Any] = {
        name: [record.get(name, np.nan) for record in used] for name in USED_COLUMNS
    }
    effects = {name: np.array(columns[name], float) for name in ("yi", "vi")}
    source = pd.Series(columns["se_source"], dtype=object)
    return pd.DataFrame(columns | effects | {"se_source": source})


def _tell_readers(context: Context, rows: Records) -> None:
    """Fill in ``readers_differ``: the values on which the readers of a row do not agree."""
    differing, tables = context.differing, tables_of(context.configuration)
    for record in rows:
        table = tables[context.setting, record["analysis"]]
        numbers = [(table, int(row)) for row in record["rows"].split(";")]
        record["readers_differ"] = "; ".join(differing[row] for row in numbers if row in differing)


def _add_effect_sizes(used: Records) -> None:
    """Fill in yi and vi for outcomes that are counts, all trials of a measure at once."""
    of_measures: dict[str, Records] = {}
    for record in used:
        record["corrected"] = "no"
        of_measures.setdefault(record["measure"], []).append(record)
    for measure, rows in of_measures.items():
        reading = MEASURES[measure]
        if reading.kind != "counts":
            continue
        counts = (np.array([row[column] for row in rows], float) for column in COUNT_COLUMNS)
        effects = vars(reading.effects(*counts)).values()
        found = zip(*(values.tolist() for values in effects), strict=True)
        for record, (yi, vi, corrected, informative) in zip(rows, found, strict=True):
            record |= {"yi": yi, "vi": vi, "corrected": "yes" if corrected else "no"}
            record["se_source"] = "counts"
            if not informative:
                record |= {"yi": np.nan, "vi": np.nan, "pooled": "no"}
                record["not_pooled_reason"] = NO_INFORMATION


def _pool_alike(used: Records, harms: Collection[str]) -> None:
    """For each harm and set of added agents, pool only trials with the most common definition.

    A tie is broken by the number of patients. A trial without events carries no information about
    a ratio, but its definition still counts, so that a ratio and a difference use the same
    definition.
    """
    groups: dict[tuple[str, ...], Records] = {}
    for record in used:
        with_result = record["pooled"] == "yes" or record["not_pooled_reason"] == NO_INFORMATION
        if record["analysis"] in harms and with_result:
            place = tuple(record[name] for name in ("analysis", "measure", "added_agents"))
            groups.setdefault(place, []).append(record)
    for trials in groups.values():
        defined: dict[str, list[float]] = {}
        for record in trials:
            n = record["n_experimental"] + record["n_control"]
            defined.setdefault(record["definition"].lower(), []).append(n)
        if len(defined) < 2:
            continue
        patients = {word: sum(n for n in ns if n == n) for word, ns in defined.items()}
        common = max(defined, key=lambda word: (len(defined[word]), patients[word], word))
        shared = len(defined[common]) > 1
        for record in trials:
            other = not shared or record["definition"].lower() != common
            if other and record["pooled"] == "yes":
                record["pooled"] = "no"
                record["not_pooled_reason"] = OTHER_DEFINITION if shared else OWN_DEFINITIONS


def _with_logits(rates: pd.DataFrame, context: Context) -> pd.DataFrame:
    events, n = rates["events"].to_numpy(float), rates["n"].to_numpy(float)
    logits = MEASURES["proportion"].effects(events, n)
    low, high = wilson_interval(events, n, context.configuration.confidence_level)
    return rates.assign(
        rate=events / n,
        rate_low=low,
        rate_high=high,
        yi=logits.yi,
        vi=logits.vi,
        corrected=np.where(logits.corrected, "yes", "no"),
    )
