"""All estimates of one setting: every analysis, subgroup and model in one table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trial_evidence.config.configuration import (
    Analysis,
    Configuration,
    EffectModifier,
    RateAnalysis,
)
from trial_evidence.files import records, where
from trial_evidence.kept import Parts
from trial_evidence.measures import MEASURES, Measure
from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.pool.columns import ESTIMATE_COLUMNS, ESTIMATE_COUNTS
from trial_evidence.pool.engine.results import Pooled
from trial_evidence.pool.models.counts import Counts, counts_of
from trial_evidence.pool.models.leading import Lead, leading_model, without_correction
from trial_evidence.pool.models.pooling import pool_all
from trial_evidence.pool.probes.subgroups import interaction_within_trials, subgroup_test
from trial_evidence.sheet.values import ALL
from trial_evidence.words.models import EMPIRICAL

HETEROGENEITY = ("tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p")


@dataclass(frozen=True)
class SettingEstimates:
    """Estimates of a setting, and its trials with their own results and weights.

    Attributes
    ----------
    estimates : DataFrame
        Columns ``ESTIMATE_COLUMNS``; ratios on the natural scale. ``role`` is ``lead`` or
        ``co-primary``, depending on the number of trials, or empty. ``subgroup`` is ``all``,
        ``column=value``, ``trial=id`` if nothing is pooled, or the factor tested if the model is
        ``subgroup_difference`` or the measure compares two subgroups (a ratio of ratios).
    trials, rates : DataFrame
        The evidence with ``estimate``, ``estimate_low``, ``estimate_high`` on the natural scale,
        ``estimate_level`` (level of that interval in percent) and ``weight`` (percent, in the
        leading model of its pool; NaN if not pooled).
    """

    estimates: pd.DataFrame
    trials: pd.DataFrame
    rates: pd.DataFrame


def pool_setting(
    used: pd.DataFrame,
    rates: pd.DataFrame,
    configuration: Configuration,
    setting: str,
    parts: Parts | None = None,
) -> SettingEstimates:
    """Pool every analysis of a setting.

    Parameters
    ----------
    used, rates : DataFrame
        As returned by :func:`trial_evidence.extract.evidence.extract_setting`.
    parts : Parts, optional
        Cached results of earlier runs; by default everything is computed.
    """
    parts = parts or Parts()
    used, rates = (with_own_results(t, configuration.confidence_level) for t in (used, rates))
    bare = replace(configuration, analyses=(), rates=())

    def pooled(
        pool: "Callable[..., _Pool]", rows: pd.DataFrame, entry: Analysis | RateAnalysis, *of: Any
    ) -> "_Pool":
        # The cache must not depend on row positions, which change with other analyses' rows.
        own = rows.reset_index(drop=True)
        methods = bare.own(entry) if isinstance(entry, Analysis) else bare
        kept = parts.value((pool, own, methods, entry, *of), lambda: pool(own, methods, entry, *of))
        return replace(kept, weights={rows.index[at]: w for at, w in kept.weights.items()})

    pools = [
        pooled(_analysis_estimates, rows, analysis, measure)
        for analysis in configuration.of_setting(setting)
        for measure in analysis.measures
        for rows in [where(used, analysis=analysis.id, measure=measure)]
    ]
    rate_pools = [
        pooled(_rate_estimates, where(rates, analysis=analysis.id), analysis)
        for analysis in configuration.rates_of_setting(setting)
    ]
    found = [record for pool in (*pools, *rate_pools) for record in pool.records]
    return SettingEstimates(
        estimates=pd.DataFrame(found, columns=ESTIMATE_COLUMNS).astype(
            dict.fromkeys(ESTIMATE_COUNTS, "Int64")
        ),
        trials=_weighted(used, pools),
        rates=_weighted(rates, rate_pools),
    )


def qualifying_trials(rows: pd.DataFrame, modifier: EffectModifier) -> list[str]:
    """Ids of trials in which both levels of a factor are pooled, in row order."""
    inside = rows[rows["subgroup"].isin(modifier.subgroups) & (rows["pooled"] == "yes")]
    complete = inside.groupby("trial_id", sort=False)["subgroup"].nunique() == 2
    return [str(trial) for trial in complete.index[complete]]


def differences_within_trials(rows: pd.DataFrame, modifier: EffectModifier) -> pd.DataFrame:
    """Effect at a factor's first level minus that at the second: ``yi`` and ``vi`` by trial."""
    first, second = (
        where(rows, subgroup=name).set_index("trial_id") for name in modifier.subgroups
    )
    second = second.loc[first.index]
    yi, vi = interaction_within_trials(first["yi"], first["vi"], second["yi"], second["vi"])
    return pd.DataFrame({"yi": yi, "vi": vi}, first.index)


def _weighted(rows: pd.DataFrame, pools: "list[_Pool]") -> pd.DataFrame:
    weights = {row: weight for pool in pools for row, weight in pool.weights.items()}
    return rows.assign(weight=pd.Series(weights, index=rows.index, dtype=float))


def _analysis_estimates(
    rows: pd.DataFrame, configuration: Configuration, analysis: Analysis, measure: str
) -> "_Pool":
    pool = _Pool(analysis, measure, configuration)
    pooled = where(rows, subgroup=ALL, pooled="yes")
    overall = analysis.pool == "overall"
    if overall:
        pool.add(pooled, ALL)
    if analysis.pool in ("overall", "within_subgroups"):
        for value, group in pooled.groupby(analysis.subgroups, sort=False):
            pool.add(group, f"{analysis.subgroups}={value}", weigh=not overall)
    if overall:
        pool.add_subgroup_difference(pooled, analysis.subgroups)
    if analysis.pool == "none":
        for trial_id, trial in pooled.groupby("trial_id", sort=False):
            pool.add(trial, f"trial={trial_id}", weigh=False)
    if pooled.empty:
        pool.add_nothing()
    for modifier in analysis.effect_modifiers:
        trials = qualifying_trials(rows, modifier)
        if len(trials) < configuration.effect_modifier_min_trials:
            continue
        inside = rows[rows["trial_id"].isin(trials)]
        for name in modifier.subgroups:
            of_level = where(inside, subgroup=name)
            if overall:
                pool.add(of_level, name)
                continue
            for trial_id in trials:
                own = where(of_level, trial_id=trial_id)
                pool.add(own, f"{name} & trial={trial_id}", weigh=False)
        if overall:
            pool.add_interaction(inside, modifier)
    return pool


def _rate_estimates(
    rows: pd.DataFrame, configuration: Configuration, analysis: RateAnalysis
) -> "_Pool":
    pool = _Pool(analysis, "proportion", configuration)
    pooled = where(rows, pooled="yes")
    for (_, subgroup), group in pooled.groupby(["regimen", "subgroup"], sort=False):
        pool.add(group, str(subgroup))
    return pool


def published_limits(trial: Mapping[str, Any], level: float) -> dict[str, float]:
    """Published confidence limits of one trial, ``ci_low`` and ``ci_high``.

    Empty if none were published at this level (in percent).
    """
    if not trial.get("published") or trial["ci_level"] != level:
        return {}
    return {name: float(trial[name]) for name in ("ci_low", "ci_high")}


@dataclass(frozen=True)
class _Pool:
    """Converts sets of trials of one analysis and measure into rows of the estimates table.

    Attributes
    ----------
    weights : dict of int to float
        Row of the evidence -> its weight in the leading model of its pool.
    """

    analysis: Analysis | RateAnalysis
    measure: str
    configuration: Configuration
    records: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[int, float] = field(default_factory=dict)

    @property
    def reading(self) -> Measure:
        return MEASURES[self.measure]

    def add(self, rows: pd.DataFrame, subgroup: str, *, weigh: bool = True) -> None:
        """Add every model for one set of trials, and the trials' weights in the leading model."""
        if rows.empty:
            return
        counts = counts_of(rows, self.measure)
        lead, results = self._pooled(rows["yi"], rows["vi"], counts=counts)
        frame = self._frame(rows, subgroup)
        for result, role in results:
            remark = lead.reason if role == "lead" else ""
            own = frame | self._numbers(result)
            if result.model == "single_trial":
                own |= published_limits(records(rows)[0], self.configuration.confidence_level)
            self.records.append(own | {"role": role, "remark": remark})
            if weigh and role == "lead":
                self.weights.update(zip(rows.index, result.weights, strict=True))

    def add_subgroup_difference(self, rows: pd.DataFrame, column: str) -> None:
        """Add the test for subgroup differences; nothing is added for a single subgroup."""
        if rows[column].nunique() < 2:
            return
        test = subgroup_test(rows["yi"], rows["vi"], list(rows[column]))
        if test.statistic is None:
            remark = f"Not tested: {test.reason}"
        else:
            remark = f"F({test.df_num}, {test.df_den}) = {test.statistic:.2f}; {test.method}"
        self.records.append(
            self._frame(rows, column)
            | {
                "model": "subgroup_difference",
                "q": test.statistic,
                "q_df": test.df_num,
                "q_p": test.p_value,
                "p_value": test.p_value,
                "tau2": test.tau2,
                "remark": remark,
            }
        )

    def add_interaction(self, rows: pd.DataFrame, modifier: EffectModifier) -> None:
        """Add the pooled within-trial difference between a factor's first and second levels."""
        both = rows[rows["subgroup"].isin(modifier.subgroups)]
        found = differences_within_trials(rows, modifier)
        frame = self._frame(both, modifier.factor)
        ratio = "ratio" if self.reading.is_ratio else "difference"
        name = f"{modifier.levels[0]} v {modifier.levels[1]}"
        self.records.extend(
            frame
            | self._numbers(result)
            | {
                "measure": f"{ratio}_of_{self.measure}s",
                "role": role,
                "trials": ";".join(found.index),
                "probability_of_benefit": None,
                "remark": f"{modifier.label}: {name}, within trials",
            }
            for result, role in self._pooled(found["yi"], found["vi"], empirical=False)[1]
        )

    def add_nothing(self) -> None:
        """Add a row stating that no trial qualifies for the analysis."""
        self.records.append(
            self._described(ALL) | {"model": "no_trial", "k": 0, "remark": "No trial qualifies"}
        )

    def _pooled(
        self,
        yi: npt.ArrayLike,
        vi: npt.ArrayLike,
        *,
        counts: Counts | None = None,
        empirical: bool = True,
    ) -> tuple[Lead, list[tuple[Pooled, str]]]:
        """The leading model, and the results of all models with their roles."""
        configured = self.configuration
        priors = model_priors(configured.tau_priors[self.measure], empirical=empirical)
        results = pool_all(
            yi,
            vi,
            pooling=configured.pooling,
            level=configured.confidence_level,
            priors=priors,
            counts=counts,
        )
        lead = leading_model(np.size(yi), configured.pooling, empirical=EMPIRICAL in priors)
        made = {result.model for result in results}
        of_harm = isinstance(self.analysis, Analysis) and self.analysis.harm
        rare = of_harm and self.reading.is_ratio and counts and counts.has_empty_arm
        if rare and "mantel_haenszel" in made:
            lead = without_correction(lead)
        roles = {lead.model: "lead", lead.co_primary: "co-primary"}
        return lead, [(result, roles.get(result.model, "")) for result in results]

    def _described(self, subgroup: str) -> dict[str, Any]:
        """The columns that depend neither on the trials nor on the model."""
        return {
            "setting": self.analysis.setting,
            "analysis": self.analysis.id,
            "measure": self.measure,
            "subgroup": subgroup,
            "ci_level": self.configuration.confidence_level,
        }

    def _frame(self, rows: pd.DataFrame, subgroup: str) -> dict[str, Any]:
        """The columns that describe a set of trials, regardless of the model."""
        if self.reading.compares:
            shown = {c: _joined(rows[c]) for c in ("outcome", "experimental", "control")}
            arms = ["_experimental", "_control"]
        else:
            outcome, regimen = _joined(self.analysis.labels), rows["regimen_label"].iloc[0]
            shown, arms = {"outcome": outcome, "experimental": regimen, "control": ""}, [""]
        return self._described(subgroup) | {
            **shown,
            "k": rows["trial_id"].nunique(),
            "participants": _total(rows, [f"n{arm}" for arm in arms]),
            "events": _total(rows, [f"events{arm}" for arm in arms]),
            "trials": ";".join(dict.fromkeys(rows["trial_id"])),
        }

    def _numbers(self, result: Pooled) -> dict[str, Any]:
        """The columns that a model fills."""
        natural = self.reading.scale.to_natural
        below = result.probability_below_zero
        fewer = self.analysis.fewer_is_better
        return {
            "model": result.model,
            "k": result.k,
            **{
                name: None if (value := getattr(result, name)) is None else float(natural(value))
                for name in ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
            },
            **{name: getattr(result, name) for name in HETEROGENEITY},
            "i2_from_q": result.i2_q,
            # A proportion has no null value, so there is nothing to test.
            "p_value": None if not self.reading.compares else result.p_value,
            "probability_of_benefit": None if below is None or not self.reading.compares
            else (below if fewer else 1 - below),
        }  # fmt: skip


def with_own_results(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Add each trial's own estimate and interval, on the natural scale.

    The interval is the published one, at its own level, or a Wald interval if none was published.
    """
    half = normal_quantile(level) * np.sqrt(rows["vi"].to_numpy(float))
    yi, measures = rows["yi"].to_numpy(float), rows["measure"].to_numpy()
    own = {"estimate": yi.copy(), "estimate_low": yi - half, "estimate_high": yi + half}
    for measure, reading in MEASURES.items():
        mask = measures == measure
        for values in own.values() if mask.any() else ():
            values[mask] = reading.scale.to_natural(values[mask])
    table = rows.assign(**own)
    table["estimate_level"] = level
    if "published" in table:
        for name in ("low", "high", "level"):
            column, printed = f"estimate_{name}", f"ci_{name}"
            table[column] = table[column].mask(table["published"] != "", table[printed])
    return table


def _joined(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))


def _total(rows: pd.DataFrame, columns: list[str]) -> float:
    """Sum over trials; NaN if any number is missing."""
    return sum(float(rows[column].to_numpy(float).sum()) for column in columns)
