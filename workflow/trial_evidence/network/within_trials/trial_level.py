"""What single trials say: synergy where two agents were given alone and together, surrogacy."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from trial_evidence.config.configuration import NO_AGENT, Configuration
from trial_evidence.config.networks import SurrogacyAnalysis, SynergyAnalysis
from trial_evidence.extract.regimens import join_agents
from trial_evidence.files import records
from trial_evidence.network.evidence.contrasts import from_counts
from trial_evidence.network.evidence.rows import NetworkEvidence
from trial_evidence.network.within_trials.factorial import Arm, FactorialTrial, factorial_trials
from trial_evidence.network.within_trials.surrogacy import (
    WEIGHTINGS,
    BivariateSurrogacy,
    EffectPair,
    Surrogacy,
    SurrogacyRegression,
    Weighting,
    surrogacy,
)
from trial_evidence.network.within_trials.synergy import (
    SCALES,
    Background,
    PooledSynergy,
    pool_synergy,
)
from trial_evidence.pool.engine.refusals import Refused

ALL_PAIRS = "all"
NOT_FACTORIAL = "no arms of two agents, each alone and both together, with one partner"
MAIN, SENSITIVITY, LEFT_OUT = "main", "sensitivity", "leave-one-out"

SYNERGY_COLUMNS = [
    "setting", "network", "scale", "label", "background", "background_source", "agents", "kind",
    "trial_ids", "arm_ids", "trial", "first", "second", "response_first", "response_second",
    "observed", "expected", "model", "k", "estimate", "ci_low", "ci_high", "p_value", "pi_low",
    "pi_high", "tau2", "posterior_median", "posterior_low", "posterior_high",
    "probability_of_synergy", "tipping_background", "tipping_interval", "meaning", "note", "reason",
]  # fmt: skip
PAIR_COLUMNS = [
    "setting", "analysis", "trial_id", "trial", "regimen", "against", "patients", "odds_ratio",
    "odds_low", "odds_high", "hazard_ratio", "hazard_low", "hazard_high", "endpoint", "pcr_rows",
    "hazard_ratios_rows",
]  # fmt: skip
NOT_FACTORIAL_COLUMNS = ["setting", "network", "trial_id", "trial", "reason"]
CAUTION_COLUMNS = ["setting", "analysis", "caution"]
SURROGACY_COLUMNS = [
    "setting", "analysis", "role", "model", "weighting", "within_correlation", "without", "k",
    "intercept", "slope", "slope_low", "slope_high", "slope_p", "r2", "r2_low", "r2_high",
    "r2_method", "residual_sd", "threshold_odds_ratio", "note", "reason",
]  # fmt: skip


@dataclass(frozen=True)
class SynergyPool:
    """Synergy on one scale at one background, of all pairs of agents or of one.

    Attributes
    ----------
    scale : str
    background : Background
    agents : str
        ``all``, or the two agents in words.
    found : PooledSynergy or Refused
    """

    scale: str
    background: Background
    agents: str
    found: PooledSynergy | Refused


@dataclass(frozen=True)
class SynergyResults:
    """Synergy in the trials of a network with two agents alone and together.

    Attributes
    ----------
    analysis : SynergyAnalysis
    trials : tuple of FactorialTrial
        By trial id.
    labels : dict of str
        Trial id -> name.
    agents : dict of str
        Trial id -> the two agents in words.
    arm_ids : dict of str
        Trial id -> the arms of the sheet behind its counts, joined by ``;``.
    pools : tuple of SynergyPool
        By scale, background and agents.
    set_aside : tuple of (str, str)
        Trial id and reason, for every trial of the network that does not count, and for arms of
        one that does which do not.
    """

    analysis: SynergyAnalysis
    trials: tuple[FactorialTrial, ...]
    labels: dict[str, str]
    agents: dict[str, str]
    arm_ids: dict[str, str]
    pools: tuple[SynergyPool, ...]
    set_aside: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SurrogacyResults:
    """Surrogacy of one endpoint.

    Attributes
    ----------
    analysis : SurrogacyAnalysis
    table : DataFrame
        The contrasts, one a trial.
    found : Surrogacy
    """

    analysis: SurrogacyAnalysis
    table: pd.DataFrame
    found: Surrogacy


def synergy_results(
    analysis: SynergyAnalysis, evidence: NetworkEvidence, configuration: Configuration
) -> SynergyResults:
    """Estimate synergy on every scale and background, over all trials and by pair of agents.

    Parameters
    ----------
    analysis : SynergyAnalysis
    evidence : NetworkEvidence
        Of a network of counts.
    configuration : Configuration

    Returns
    -------
    SynergyResults
        Trials are found by what their arms hold, never by name.
    """
    found = factorial_trials(_arms(evidence))
    trials = found.trials
    agents = {
        t.trial: join_agents((*t.first.agents, *t.second.agents), evidence.labels) for t in trials
    }
    by_pair: dict[str, list[FactorialTrial]] = {}
    for trial in trials:
        by_pair.setdefault(agents[trial.trial], []).append(trial)
    groups: list[tuple[str, Sequence[FactorialTrial]]] = [(ALL_PAIRS, trials)]
    groups += [(name, of) for name, of in by_pair.items() if 1 < len(of) < len(trials)]
    backgrounds = [Background(b.rate, b.basis) for b in analysis.background]
    pools = [
        SynergyPool(
            scale.name,
            background,
            name,
            pool_synergy(
                of,
                scale.name,
                background,
                configuration.pooling,
                configuration.tau_prior_scale,
                configuration.confidence_level,
            ),
        )
        for scale in SCALES.values()
        for background in (backgrounds if scale.background else backgrounds[:1])
        for name, of in groups
    ]
    names = dict(zip(evidence.trials["trial_id"], evidence.trials["label"], strict=True))
    sheet_arms = {(row["trial_id"], row["code"]): row["arm_ids"] for row in records(evidence.used)}
    arm_ids = {t.trial: ";".join(sheet_arms[t.trial, arm.arm] for arm in t.arms) for t in trials}
    left = [(trial, NOT_FACTORIAL) for trial in names if trial not in agents]
    return SynergyResults(
        analysis, trials, names, agents, arm_ids, tuple(pools), (*found.set_aside, *left)
    )


def _arms(evidence: NetworkEvidence) -> Iterator[Arm]:
    for row in records(evidence.used):
        agents, schedule, partner, *own = row["regimen"].split("|")
        if own:
            # A node of its own is not what its agents and partner say.
            continue
        yield Arm(
            trial=row["trial_id"],
            arm=row["code"],
            agents=() if agents == NO_AGENT else tuple(agents.split("+")),
            schedule=schedule,
            partner=partner,
            events=float(row["events"]),
            n=float(row["n"]),
        )


def synergy_table(results: SynergyResults) -> pd.DataFrame:
    """Every trial and pooled result, ratios on the natural scale.

    Parameters
    ----------
    results : SynergyResults

    Returns
    -------
    DataFrame
        ``kind`` is trial or pooled; trials stand once for every scale and background. The posterior
        of a trial is Jeffreys's, of the excess as it is on the scale.
    """
    return pd.DataFrame(list(_synergy_rows(results)), columns=SYNERGY_COLUMNS)


def not_factorial_table(results: SynergyResults) -> pd.DataFrame:
    """Trials of the network, and arms of trials, that say nothing of synergy, and why.

    Parameters
    ----------
    results : SynergyResults

    Returns
    -------
    DataFrame
        Columns ``NOT_FACTORIAL_COLUMNS``.
    """
    about = results.analysis
    rows = [
        (about.setting, about.network, trial, results.labels[trial], reason)
        for trial, reason in results.set_aside
    ]
    return pd.DataFrame(rows, columns=NOT_FACTORIAL_COLUMNS)


def _synergy_rows(results: SynergyResults) -> Iterator[dict[str, Any]]:
    sides = {t.trial: (t.first.arm, t.second.arm) for t in results.trials}
    for pool in results.pools:
        scale = SCALES[pool.scale]
        shared = {
            "setting": results.analysis.setting,
            "network": results.analysis.network,
            "scale": scale.name,
            "label": scale.label,
            "background": pool.background.rate if scale.background else math.nan,
            "background_source": pool.background.source if scale.background else "",
            "agents": pool.agents,
        }
        if isinstance(pool.found, Refused):
            yield shared | {"kind": "pooled", "reason": pool.found.reason}
            continue

        def natural(value: float | None, ratio: bool = scale.ratio) -> float:
            if value is None:
                return math.nan
            return math.exp(value) if ratio else value

        for one in pool.found.trials if pool.agents == ALL_PAIRS else ():
            yield {
                **shared,
                "agents": results.agents[one.trial],
                "kind": "trial",
                "trial_ids": one.trial,
                "arm_ids": results.arm_ids[one.trial],
                "trial": results.labels[one.trial],
                "first": sides[one.trial][0],
                "second": sides[one.trial][1],
                "response_first": one.response_first,
                "response_second": one.response_second,
                "observed": one.observed,
                "expected": one.expected,
                "k": 1,
                "estimate": natural(one.estimate),
                "ci_low": natural(one.ci_low),
                "ci_high": natural(one.ci_high),
                "p_value": one.p_value,
                "posterior_median": natural(one.jeffreys.median),
                "posterior_low": natural(one.jeffreys.low),
                "posterior_high": natural(one.jeffreys.high),
                "probability_of_synergy": one.jeffreys.probability_above_zero,
                "tipping_background": one.tipping_background,
                "note": one.note,
            }
        pooled = [one.trial for one in pool.found.trials]
        for model in pool.found.models:
            below = model.probability_below_zero
            yield {
                **shared,
                "kind": "pooled",
                "trial_ids": ";".join(pooled),
                "arm_ids": ";".join(results.arm_ids[trial] for trial in pooled),
                "model": model.model,
                "k": model.k,
                "estimate": natural(model.estimate),
                "ci_low": natural(model.ci_low),
                "ci_high": natural(model.ci_high),
                "p_value": model.p_value,
                "pi_low": natural(model.pi_low),
                "pi_high": natural(model.pi_high),
                "tau2": model.tau2,
                "probability_of_synergy": math.nan if below is None else 1 - below,
                "tipping_background": pool.found.tipping_background,
                "tipping_interval": pool.found.tipping_interval,
                "meaning": pool.found.meaning,
            }


# -------------------------------------------------------------------------------------- surrogacy


def surrogacy_results(
    analysis: SurrogacyAnalysis,
    surrogate: NetworkEvidence,
    endpoint: NetworkEvidence,
    level: float,
) -> SurrogacyResults:
    """Set the effect on a response against the effect on survival, one contrast a trial.

    Parameters
    ----------
    analysis : SurrogacyAnalysis
    surrogate : NetworkEvidence
        Of counts.
    endpoint : NetworkEvidence
        Of hazard ratios.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    SurrogacyResults
        Of a trial with several contrasts that have both effects the one with the most HER2 agents
        more than its control counts, among equals the first of the sheet.
    """
    counts = {
        (row["trial_id"], row["regimen"]): row for row in records(surrogate.used)
    }  # fmt: skip
    chosen: dict[str, dict[str, Any]] = {}
    for row in records(endpoint.used):
        trial, sides = row["trial_id"], (row["regimen"], row["against"])
        if not all((trial, side) in counts for side in sides):
            continue
        before = chosen.get(trial)
        if before is None or _more_agents(row) > _more_agents(before):
            chosen[trial] = row
    pairs, rows = [], []
    for trial, row in chosen.items():
        arms = [counts[(trial, side)] for side in (row["against"], row["regimen"])]
        odds = from_counts(
            trial,
            [row["against"], row["regimen"]],
            [arm["events"] for arm in arms],
            [arm["n"] for arm in arms],
            "odds_ratio",
        )
        effect, variance = float(odds.effects[0]), float(odds.covariance[0, 0])
        patients = sum(arm["n"] for arm in arms)
        pairs.append(
            EffectPair(row["trial"], effect, variance, row["yi"], row["vi"], float(patients))
        )
        rows.append(
            {
                "setting": analysis.setting,
                "analysis": analysis.id,
                "trial_id": trial,
                "trial": row["trial"],
                "regimen": row["code"],
                "against": row["against_code"],
                "patients": int(patients),
                **_limits(("odds_ratio", "odds_low", "odds_high"), effect, variance, level),
                **_limits(
                    ("hazard_ratio", "hazard_low", "hazard_high"), row["yi"], row["vi"], level
                ),
                "endpoint": row["endpoint"],
                "pcr_rows": ";".join(arm["rows"] for arm in reversed(arms)),
                "hazard_ratios_rows": row["rows"],
            }
        )
    first, *others = analysis.correlations
    return SurrogacyResults(
        analysis,
        pd.DataFrame(rows, columns=PAIR_COLUMNS),
        surrogacy(pairs, within_correlation=first, sensitivity=others, level=level),
    )


def _more_agents(row: dict[str, Any]) -> int:
    """How many HER2 agents more a regimen has than what it was compared with."""
    sizes = []
    for side in ("regimen", "against"):
        agents = row[side].partition("|")[0]
        sizes.append(0 if agents == NO_AGENT else len(agents.split("+")))
    return sizes[0] - sizes[1]


def _limits(
    names: tuple[str, str, str], effect: float, variance: float, level: float
) -> dict[str, float]:
    half = float(ndtri(0.5 + level / 200)) * math.sqrt(variance)
    return dict(zip(names, np.exp([effect, effect - half, effect + half]).tolist(), strict=True))


def surrogacy_table(results: SurrogacyResults) -> pd.DataFrame:
    """Every model of a surrogacy analysis: regressions, bivariate models, leave-one-out.

    Parameters
    ----------
    results : SurrogacyResults

    Returns
    -------
    DataFrame
        Intercept and slope on the logarithmic scale, ``without`` empty for all trials. ``role``:
        the regression by inverse variance and the bivariate model at the first correlation are
        the main results, side by side and first; neither is without fault.
    """
    found, correlations = results.found, results.analysis.correlations
    regressions: dict[Weighting, SurrogacyRegression | Refused] = dict(
        zip(WEIGHTINGS, found.regressions, strict=True)
    )
    main: Weighting = "inverse variance"
    rows = [
        {"role": MAIN, **_regression_row(regressions.pop(main), main, "")},
        {"role": MAIN, **_bivariate_row(found.bivariate[0], correlations[0], "")},
    ]
    rows += [
        {"role": SENSITIVITY, **_regression_row(one, weighting, "")}
        for weighting, one in regressions.items()
    ]
    rows += [
        {"role": SENSITIVITY, **_bivariate_row(one, rho, "")}
        for rho, one in list(zip(correlations, found.bivariate, strict=True))[1:]
    ]
    for left in found.without:
        rows += [
            {"role": LEFT_OUT, **_regression_row(left.regression, main, left.trial)},
            {"role": LEFT_OUT, **_bivariate_row(left.bivariate, correlations[0], left.trial)},
        ]
    about = {"setting": results.analysis.setting, "analysis": results.analysis.id}
    return pd.DataFrame([about | row for row in rows], columns=SURROGACY_COLUMNS)


def cautions_table(results: SurrogacyResults) -> pd.DataFrame:
    """What the numbers of a surrogacy analysis cannot show.

    Parameters
    ----------
    results : SurrogacyResults

    Returns
    -------
    DataFrame
        Columns ``CAUTION_COLUMNS``.
    """
    about = results.analysis
    rows = [(about.setting, about.id, caution) for caution in results.found.cautions]
    return pd.DataFrame(rows, columns=CAUTION_COLUMNS)


def _regression_row(
    one: SurrogacyRegression | Refused, weighting: Weighting, without: str
) -> dict[str, Any]:
    shared = {"model": "weighted regression", "weighting": weighting, "without": without}
    if isinstance(one, Refused):
        return shared | {"reason": one.reason}
    return {
        **shared,
        **{
            name: getattr(one, name)
            for name in ("k", "intercept", "slope", "slope_low", "slope_high", "slope_p", "r2",
                         "r2_low", "r2_high", "r2_method")
        },
        "residual_sd": math.sqrt(one.residual_variance),
        "threshold_odds_ratio": one.threshold.odds_ratio,
        "note": one.threshold.reason,
    }  # fmt: skip


def _bivariate_row(
    one: BivariateSurrogacy | Refused, correlation: float, without: str
) -> dict[str, Any]:
    shared = {"model": "bivariate", "within_correlation": correlation, "without": without}
    if isinstance(one, Refused):
        return shared | {"reason": one.reason}
    return shared | {
        **{
            name: getattr(one, name)
            for name in ("k", "intercept", "slope", "slope_low", "slope_high", "r2", "r2_low",
                         "r2_high", "r2_method", "residual_sd")
        },
        "threshold_odds_ratio": one.threshold.odds_ratio,
        "note": " ".join(filter(None, [one.note, one.threshold.reason])),
    }  # fmt: skip
