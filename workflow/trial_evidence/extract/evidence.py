"""Tidy evidence of one setting: the rows used by each analysis, and the rows set aside."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import (
    Analysis,
    Configuration,
    EffectModifier,
    RateAnalysis,
    Selection,
)
from trial_evidence.extract.columns import RATE_COLUMNS, SET_ASIDE_COLUMNS, USED_COLUMNS
from trial_evidence.extract.contrasts import matches, trial_contrasts
from trial_evidence.extract.regimens import agent_labels, arm_regimens, join_agents, regimen_label
from trial_evidence.extract.selection import (
    WHOLE,
    Choice,
    Record,
    by_label,
    choose_among,
    excluded,
    inadmissible,
)
from trial_evidence.files import records
from trial_evidence.measures.effects import (
    EffectSizes,
    log_hazard_ratio,
    logit_proportion,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson_interval,
)
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import unadjudicated

COUNT_MEASURES: Mapping[str, Callable[..., EffectSizes]] = {
    "risk_ratio": risk_ratio,
    "odds_ratio": odds_ratio,
    "risk_difference": risk_difference,
}
NO_INFORMATION = "no event, or only events, in both arms: no information on a ratio"
NO_STANDARD_ERROR = "no interval, exact p value or events: the standard error is not known"


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


@dataclass(frozen=True)
class _Context:
    """The sheet, narrowed to one setting and indexed for look-ups."""

    setting: str
    trials: Mapping[str, Record]
    arms: pd.DataFrame
    randomised: Mapping[str, float]
    contrasts: pd.DataFrame
    pcr: pd.DataFrame
    rows: Mapping[str, Mapping[int, Record]]
    of_arm: Mapping[str, Mapping[str, Sequence[int]]]
    years: Mapping[str, float]
    labels: Mapping[str, str]
    exclusions: Mapping[str, pd.DataFrame]
    differing: Mapping[tuple[str, int], str]
    populations: pd.DataFrame
    configuration: Configuration

    @property
    def selection(self) -> Selection:
        return self.configuration.selection

    def rows_of(self, table: str, arms: Sequence[str]) -> dict[int, Record]:
        """Rows about these arms in the order of the sheet; a hazard ratio's is the first named."""
        rows, of_arm = self.rows[table], self.of_arm[table]
        labels = sorted(label for arm in dict.fromkeys(arms) for label in of_arm.get(arm, ()))
        return {label: rows[label] for label in labels}

    def excluded(
        self, trial_id: str, arms: Sequence[str], analysis: str, subgroup: str
    ) -> str | None:
        """Reason for which a trial or arm is shown but not pooled, or None."""
        exclusions = self.exclusions.get(trial_id)
        if exclusions is None:
            return None
        return excluded(exclusions, trial_id, arms, analysis, subgroup)


def extract_setting(sheet: Sheet, configuration: Configuration, setting: str) -> SettingEvidence:
    """Extract the evidence of one setting from the checked sheet.

    Parameters
    ----------
    sheet : Sheet
    configuration : Configuration
    setting : str
        A key of ``configuration.settings``.

    Returns
    -------
    SettingEvidence
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
    sheet : Sheet
    configurations : iterable of Configuration
    setting : str
        A key of their ``settings``.

    Yields
    ------
    SettingEvidence
        One a configuration, in their order.
    """
    context: _Context | None = None
    for configuration in configurations:
        if context is None:
            context = _context(sheet, configuration, setting)
        yield _extract(replace(context, configuration=configuration))


def _extract(context: _Context) -> SettingEvidence:
    configuration, setting, contrasts = context.configuration, context.setting, context.contrasts
    used: list[dict[str, Any]] = []
    aside: list[dict[str, Any]] = []
    for analysis in configuration.of_setting(setting):
        found = matches(contrasts, analysis)
        for levels in _level_sets(analysis.effect_modifiers):
            for _, group in found.groupby("trial_id", sort=False):
                taken, left = _trial_evidence(context, analysis, group, levels)
                used += taken
                aside += left
    rates: list[dict[str, Any]] = []
    for rate_analysis in configuration.rates_of_setting(setting):
        taken, left = _rate_evidence(context, rate_analysis)
        rates += taken
        aside += left
    differing = context.differing
    for record in (*used, *rates):
        table = "hazard_ratios" if record["measure"] == "hazard_ratio" else "pcr"
        rows = [(table, int(row)) for row in record["rows"].split(";")]
        record["readers_differ"] = "; ".join(differing[row] for row in rows if row in differing)
    return SettingEvidence(
        used=_with_effect_sizes(pd.DataFrame(used, columns=USED_COLUMNS)),
        set_aside=pd.DataFrame(aside, columns=SET_ASIDE_COLUMNS),
        contrasts=contrasts,
        rates=_with_logits(
            pd.DataFrame(rates, columns=RATE_COLUMNS), configuration.confidence_level
        ),
    )


def readers_differ(sheet: Sheet) -> dict[tuple[str, int], str]:
    """Rows in which two readers found different values and nobody has settled it.

    Parameters
    ----------
    sheet : Sheet

    Returns
    -------
    dict
        (table, row as a spreadsheet numbers it) -> what differs, in words.
    """
    words: dict[tuple[str, int], list[str]] = {}
    for record in records(unadjudicated(sheet)):
        field = str(record["field"]).replace("_", " ")
        found = f"{field} {record['first']} or {record['second']}"
        words.setdefault((record["table"], int(record["row"])), []).append(found)
    return {row: ", ".join(found) for row, found in words.items()}


def trial_label(name: str) -> str:
    """Short name of a trial: what stands before the first bracket of its full name."""
    return name.partition(" (")[0]


def _context(sheet: Sheet, configuration: Configuration, setting: str) -> _Context:
    trials = sheet["trials"]
    trials = trials[trials["setting"] == setting]
    names = dict(zip(trials["trial_id"], trials["name"].map(trial_label), strict=True))
    trials = trials.assign(label=trials["trial_id"].map(names))

    def of_setting(table: str) -> pd.DataFrame:
        rows = sheet[table]
        return rows[rows["trial_id"].isin(names)].reset_index(drop=True)

    pcr, hazard_ratios = of_setting("pcr"), of_setting("hazard_ratios")
    effects = log_hazard_ratio(
        *(
            hazard_ratios[column]
            for column in ("hr", "ci_low", "ci_high", "ci_level", "p_value", "p_value_operator",
                           "p_sided", "events_experimental", "events_control")
        )
    )  # fmt: skip
    hazard_ratios = hazard_ratios.assign(
        yi=effects["yi"], vi=effects["vi"], se_source=effects["se_source"]
    )
    sources, arms = sheet["sources"], arm_regimens(of_setting("arms"))
    return _Context(
        setting=setting,
        trials={row["trial_id"]: row for row in records(trials)},
        arms=arms,
        randomised=dict(zip(arms["arm_id"], arms["n_randomised"], strict=True)),
        contrasts=trial_contrasts(arms, trials, sheet["agents"]),
        pcr=pcr,
        rows={"pcr": by_label(pcr), "hazard_ratios": by_label(hazard_ratios)},
        of_arm={
            "pcr": _places(pcr["arm_id"]),
            "hazard_ratios": _places(hazard_ratios["experimental_arm_id"]),
        },
        years=dict(zip(sources["source_id"], sources["year"], strict=True)),
        labels=agent_labels(sheet["agents"]),
        exclusions={str(trial): rows for trial, rows in sheet["exclusions"].groupby("trial_id")},
        differing=readers_differ(sheet),
        populations=sheet["populations"],
        configuration=configuration,
    )


def _places(names: pd.Series) -> dict[str, list[int]]:
    """Where each name stands, by position."""
    places: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        places.setdefault(str(name), []).append(position)
    return places


def _level_sets(modifiers: Sequence[EffectModifier]) -> Iterator[tuple[str, ...]]:
    yield (WHOLE,)
    for modifier in modifiers:
        yield tuple(f"{modifier.factor}={level}" for level in modifier.levels)


def _trial_evidence(
    context: _Context, analysis: Analysis, contrasts: pd.DataFrame, levels: tuple[str, ...]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows used and set aside of one trial: its first contrast with a complete set of rows."""
    used: list[dict[str, Any]] = []
    reasons: dict[int, str] = {}
    table = "pcr" if analysis.is_pcr else "hazard_ratios"
    rows = context.rows[table]
    for contrast in records(contrasts):
        if analysis.is_pcr:
            candidates, choice = _choose_pcr(context, contrast, levels)
        else:
            candidates, choice = _choose_hazard_ratio(context, analysis, contrast, levels)
        if used:
            pair = f"{used[0]['experimental_arm_id']} v {used[0]['control_arm_id']}"
            unusable = _unusable(candidates, context.selection)
            reasons |= {
                label: unusable.get(label, f"the trial counts once, with {pair}")
                for label in candidates
                if label not in reasons
            }
            continue
        reasons |= choice.set_aside
        if choice.taken is not None:
            taken = [rows[label] for label in choice.taken]
            reasons = {k: v for k, v in reasons.items() if k not in choice.taken}
            make = _pcr_records if analysis.is_pcr else _hazard_ratio_records
            used = list(make(context, analysis, contrast, levels, taken))
    taken_rows = {row for record in used for row in record["rows"].split(";")}
    aside = [
        _aside_record(context, analysis.id, levels, table, rows[label], reason)
        for label, reason in sorted(reasons.items())
        if str(rows[label]["row"]) not in taken_rows
    ]
    return used, aside


def _choose_pcr(
    context: _Context, contrast: Mapping[str, Any], levels: tuple[str, ...]
) -> tuple[dict[int, Record], Choice]:
    arms = (contrast["experimental_arm_id"], contrast["control_arm_id"])
    candidates = {
        label: row
        for label, row in context.rows_of("pcr", arms).items()
        if row["subgroup"] in levels
    }
    wanted = [
        _where({"arm_id": arm, "subgroup": level}) for level in levels for arm in arms
    ]  # fmt: skip
    return candidates, choose_among(
        candidates,
        wanted,
        context.selection.pcr,
        ["definition"],
        _unusable(candidates, context.selection),
    )


def _choose_hazard_ratio(
    context: _Context, analysis: Analysis, contrast: Mapping[str, Any], levels: tuple[str, ...]
) -> tuple[dict[int, Record], Choice]:
    pair = (contrast["experimental_arm_id"], contrast["control_arm_id"])
    candidates = {
        label: row
        for label, row in context.rows_of("hazard_ratios", pair).items()
        if row["control_arm_id"] in pair
        and row["endpoint"] in analysis.endpoints
        and row["subgroup"] in levels
    }
    unusable = _unusable(candidates, context.selection)
    no_error = [label for label, row in candidates.items() if np.isnan(row["vi"])]
    orders = {"endpoint": analysis.endpoints, **context.selection.hazard_ratio}
    return candidates, choose_among(
        candidates,
        [_where({"subgroup": level}) for level in levels],
        orders,
        ["endpoint", "assessor", "analysis", "median_followup_months"],
        dict.fromkeys(no_error, NO_STANDARD_ERROR) | unusable,
    )


def _unusable(rows: Mapping[int, Record], selection: Selection) -> dict[int, str]:
    reasons = {label: inadmissible(row, selection) for label, row in rows.items()}
    return {label: reason for label, reason in reasons.items() if reason is not None}


def _where(values: Mapping[str, str]) -> Callable[[Record], bool]:
    return lambda row: all(row[column] == value for column, value in values.items())


def _shared(
    context: _Context, analysis: Analysis, contrast: Mapping[str, Any], level: str
) -> dict[str, Any]:
    """The columns that do not depend on the kind of outcome."""
    trial_id = contrast["trial_id"]
    arms = (contrast["experimental_arm_id"], contrast["control_arm_id"])
    reason = context.excluded(trial_id, arms, analysis.id, level)
    names = {
        key: join_agents(_split(contrast[f"{key}_agents"]), context.labels)
        for key in ("experimental", "control", "added")
    }
    return {
        **{k: contrast[k] for k in contrast if k in USED_COLUMNS},
        **names,
        "setting": context.setting,
        "analysis": analysis.id,
        "subgroup": level,
        "trial": context.trials[trial_id]["label"],
        "pooled": "no" if reason else "yes",
        "not_pooled_reason": reason or "",
    }


def _pcr_records(
    context: _Context,
    analysis: Analysis,
    contrast: Mapping[str, Any],
    levels: tuple[str, ...],
    taken: Sequence[Record],
) -> Iterator[dict[str, Any]]:
    for position, level in enumerate(levels):
        experimental, control = taken[2 * position], taken[2 * position + 1]
        for measure in analysis.measures:
            yield {
                **_shared(context, analysis, contrast, level),
                "outcome": "pCR",
                "measure": measure,
                "year": context.years.get(experimental["source_id"], np.nan),
                "events_experimental": experimental["events"],
                "n_experimental": experimental["n"],
                "events_control": control["events"],
                "n_control": control["n"],
                **{c: _both(experimental[c], control[c])
                   for c in ("definition", "population", "assessor", "verification",
                             "derivation", "source_id", "locator", "note")},
                "rows": _both(str(experimental["row"]), str(control["row"]), ";"),
                "inverted": "no",
            }  # fmt: skip


def _hazard_ratio_records(
    context: _Context,
    analysis: Analysis,
    contrast: Mapping[str, Any],
    levels: tuple[str, ...],
    taken: Sequence[Record],
) -> Iterator[dict[str, Any]]:
    for level, row in zip(levels, taken, strict=True):
        inverted = row["experimental_arm_id"] == contrast["control_arm_id"]
        arm_n = {
            side: context.randomised[contrast[f"{side}_arm_id"]] if level == WHOLE else np.nan
            for side in ("experimental", "control")
        }
        printed = {"experimental": "control", "control": "experimental"} if inverted else {
            "experimental": "experimental", "control": "control"}  # fmt: skip
        counts = {
            f"{what}_{side}": row[f"{what}_{printed[side]}"]
            for what in ("events", "n")
            for side in printed
        }
        # Patients are only counted here, never weighted by: the randomised number may stand in.
        for side, randomised in arm_n.items():
            if np.isnan(counts[f"n_{side}"]):
                counts[f"n_{side}"] = randomised
        yield {
            **_shared(context, analysis, contrast, level),
            "outcome": row["endpoint"],
            "measure": "hazard_ratio",
            "year": context.years.get(row["source_id"], np.nan),
            **counts,
            **{c: row[c] for c in ("hr", "ci_low", "ci_high", "ci_level", "p_value", "vi",
                                   "se_source", "endpoint", "median_followup_months", "assessor",
                                   "verification", "derivation", "source_id", "locator", "note")},
            "yi": -row["yi"] if inverted else row["yi"],
            "analysis_cut": row["analysis"],
            "rows": str(row["row"]),
            "inverted": "yes" if inverted else "no",
        }  # fmt: skip


def _rate_evidence(
    context: _Context, analysis: RateAnalysis
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    used: list[dict[str, Any]] = []
    aside: list[dict[str, Any]] = []
    levels = [level for group in _level_sets(analysis.effect_modifiers) for level in group]
    for _, arms in context.arms.groupby(["trial_id", "regimen"], sort=False):
        for level in levels:
            record, left = _arm_rate(context, analysis, arms, level)
            used += [record] if record else []
            aside += left
    return used, aside


def _arm_rate(
    context: _Context, analysis: RateAnalysis, arms: pd.DataFrame, level: str
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Rate of one regimen in one trial; arms with the same regimen are added up."""
    first = arms.iloc[0]
    rows = context.rows_of("pcr", list(arms["arm_id"]))
    levels = [level]
    restricted = context.populations
    whole_population = level in set(
        restricted.loc[restricted["trial_id"] == first["trial_id"], "subgroup"]
    )
    if whole_population:
        levels.append(WHOLE)
    candidates = {label: row for label, row in rows.items() if row["subgroup"] in levels}
    unusable = _unusable(candidates, context.selection)
    usable = {row["arm_id"] for label, row in candidates.items() if label not in unusable}
    # An arm without an admitted row is no reason to leave out the others that got the regimen.
    reported = [arm for arm in arms["arm_id"] if arm in usable]
    choice = choose_among(
        candidates,
        [_where({"arm_id": arm}) for arm in reported],
        context.selection.pcr,
        ["definition"],
        unusable,
    )
    aside = [
        _aside_record(context, analysis.id, (level,), "pcr", rows[label], reason)
        for label, reason in choice.set_aside.items()
    ]
    if not choice.taken:
        return None, aside
    taken = context.pcr.loc[list(choice.taken)]
    reason = context.excluded(first["trial_id"], reported, analysis.id, level)
    trial = context.trials[first["trial_id"]]
    record = {
        "setting": context.setting,
        "analysis": analysis.id,
        "measure": "proportion",
        "subgroup": level,
        "trial_id": first["trial_id"],
        "trial": trial["label"],
        "year": context.years.get(taken["source_id"].iloc[0], np.nan),
        "regimen": first["regimen"],
        "regimen_label": regimen_label(
            first["agent_set"], first["her2_schedule"], first["partner"], context.labels
        ),
        "agents": "+".join(first["agent_set"]),
        "schedule": first["her2_schedule"],
        "partner": first["partner"],
        "arm_ids": ";".join(taken["arm_id"]),
        "events": taken["events"].sum(),
        "n": taken["n"].sum(),
        "pooled": "no" if reason else "yes",
        "not_pooled_reason": reason or "",
        "randomised": trial["randomised"],
        "rows": ";".join(taken["row"].astype(str)),
        **{c: "; ".join(dict.fromkeys(taken[c]))
           for c in ("definition", "population", "assessor", "verification", "derivation",
                     "source_id", "locator", "note")},
    }  # fmt: skip
    return record, aside


def _aside_record(
    context: _Context,
    analysis: str,
    levels: tuple[str, ...],
    table: str,
    row: Record,
    reason: str,
) -> dict[str, Any]:
    if table == "pcr":
        arms, what = row["arm_id"], f"{row['definition']}, {row['population']}"
    else:
        arms = f"{row['experimental_arm_id']} v {row['control_arm_id']}"
        what = f"{row['endpoint']}, {row['analysis']}, {row['assessor']}"
    return {
        "setting": context.setting,
        "analysis": analysis,
        "subgroup": levels[0].partition("=")[0] if len(levels) > 1 else levels[0],
        "trial_id": row["trial_id"],
        "trial": context.trials[row["trial_id"]]["label"],
        "table": table,
        "row": row["row"],
        "arms": arms,
        "what": what if row["subgroup"] == WHOLE else f"{what}, {row['subgroup']}",
        "verification": row["verification"],
        "source_id": row["source_id"],
        "reason": reason,
    }


def _with_effect_sizes(used: pd.DataFrame) -> pd.DataFrame:
    """Fill in yi and vi of the counted outcomes, all trials of a measure at once."""
    used = used.astype({"yi": float, "vi": float, "se_source": object, "corrected": object})
    counts = ["events_experimental", "n_experimental", "events_control", "n_control"]
    used.loc[used["measure"] == "hazard_ratio", "corrected"] = "no"
    for measure, function in COUNT_MEASURES.items():
        mask = used["measure"] == measure
        if not mask.any():
            continue
        effects = function(*(used.loc[mask, column].to_numpy(float) for column in counts))
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
    logits = logit_proportion(events, n)
    low, high = wilson_interval(events, n, level)
    return rates.assign(
        rate=events / n,
        rate_low=low,
        rate_high=high,
        yi=logits.yi,
        vi=logits.vi,
        corrected=np.where(logits.corrected, "yes", "no"),
    )


def _both(first: Any, second: Any, joint: str = " / ") -> Any:
    """One value where both arms agree, else both, experimental arm first."""
    return first if first == second else f"{first}{joint}{second}"


def _split(agents: str) -> list[str]:
    return [] if agents == "none" else agents.split("+")
