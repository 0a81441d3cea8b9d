"""Results from single trials: synergy of two agents given alone and together, surrogacy."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import Background, SurrogacyAnalysis, SynergyAnalysis
from trial_evidence.extract.regimens import join_agents
from trial_evidence.files import records
from trial_evidence.network.evidence.contrasts import from_counts, informative
from trial_evidence.network.evidence.nodes import parts_of
from trial_evidence.network.evidence.rows import NetworkEvidence
from trial_evidence.network.fit.effect import wald
from trial_evidence.network.within_trials.background import implied_background
from trial_evidence.network.within_trials.factorial import Arm, factorial_trials
from trial_evidence.network.within_trials.surrogacy import (
    MAIN,
    R2_METHODS,
    Association,
    Model,
    Surrogacy,
    surrogacy,
)
from trial_evidence.network.within_trials.synergy import SCALES, PooledSynergy, pool_synergy
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.models.bivariate import EffectPair
from trial_evidence.words.numbers import format_interval, format_number

ALL_PAIRS = "all"
ODDS_RATIO = "odds_ratio"
NOT_FACTORIAL = "no arms of two agents, each alone and both together, with one partner"

SYNERGY_COLUMNS = [
    "setting", "network", "scale", "label", "background", "background_source", "agents", "kind",
    "trial_ids", "arm_ids", "trial", "first", "second", "response_first", "response_second",
    "observed", "expected", "model", "k", "estimate", "ci_low", "ci_high", "p_value", "pi_low",
    "pi_high", "tau2", "posterior_median", "posterior_low", "posterior_high",
    "probability_of_synergy", "tipping_background", "tipping_interval", "meaning", "note", "reason",
]  # fmt: skip
PAIR_COLUMNS = [
    "setting", "analysis", "trial_id", "trial", "regimen", "against", "patients", "odds_ratio",
    "odds_low", "odds_high", "hazard_ratio", "hazard_low", "hazard_high", "endpoint", "leverage",
    "note",
]  # fmt: skip
NOT_FACTORIAL_COLUMNS = ["setting", "network", "trial_id", "trial", "reason"]
CAUTION_COLUMNS = ["setting", "analysis", "caution"]
SURROGACY_COLUMNS = [
    "setting", "analysis", "role", "model", "weighting", "within_correlation", "without", "k",
    "intercept", "slope", "slope_low", "slope_high", "slope_p", "r2", "r2_low", "r2_high",
    "r2_method", "residual_sd", "threshold_odds_ratio", "note", "reason",
]  # fmt: skip


WITHHELD = (
    "The answer depends on one trial: no slope is taken as the result, and no threshold is given."
)
_ESTIMATES = (
    "intercept", "slope", "slope_low", "slope_high", "slope_p", "r2", "r2_low", "r2_high",
    "residual_sd",
)  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class SynergyPool:
    """Synergy on one scale at one background; `agents` names two agents, or is ``all``."""

    scale: str
    background: Background
    agents: str
    found: PooledSynergy | Refused


@dataclass(frozen=True)
class SynergyResults:
    """Synergy in the trials of a network with two agents alone and together.

    Attributes
    ----------
    trials : dict of dict
        Trial id -> columns of the table on the trial itself: its name, its two agents, its single
        arms, and the arms of the sheet behind its counts, joined by ``;``.
    pools : tuple of SynergyPool
        By scale, background and agents.
    set_aside : tuple of (str, str, str)
        Trial id, name and reason, for every trial of the network that does not count, and for
        unused sets of arms of those that do.
    lead : Background
        The one that figures lead with: that implied by the component model, else the middle one of
        those assumed.
    """

    analysis: SynergyAnalysis
    trials: dict[str, Row]
    pools: tuple[SynergyPool, ...]
    set_aside: tuple[tuple[str, str, str], ...]
    lead: Background


@dataclass(frozen=True)
class SurrogacyResults:
    """Surrogacy of one endpoint; `table` has one contrast per trial."""

    analysis: SurrogacyAnalysis
    table: pd.DataFrame
    found: Surrogacy


def synergy_results(
    analysis: SynergyAnalysis,
    evidence: NetworkEvidence,
    configuration: Configuration,
    added: Mapping[str, float],
) -> SynergyResults:
    """Estimate synergy on every scale and background, over all trials and by pair of agents.

    The evidence is that of a network of counts. ``added`` is the effect of each component in the
    component model of that network; the background it implies comes first. Trials are identified by
    the agents in their arms, never by name.
    """
    factorial, other_arms = factorial_trials(_arms(evidence))
    implied = implied_background(factorial, added, evidence.network.measure)
    backgrounds = analysis.background
    if implied is not None:
        rest = (one for one in backgrounds if one.rate != implied.rate)
        backgrounds = (implied, *rest)
    names = dict(zip(evidence.trials["trial_id"], evidence.trials["label"], strict=True))
    sheet_arms = {(row["trial_id"], row["code"]): row["arm_ids"] for row in records(evidence.used)}
    trials = {
        one.trial: {
            "agents": join_agents((*one.first.agents, *one.second.agents), evidence.labels),
            "trial_ids": one.trial,
            "arm_ids": ";".join(sheet_arms[one.trial, arm.arm] for arm in one.arms),
            "trial": names[one.trial],
            "first": one.first.arm,
            "second": one.second.arm,
        }
        for one in factorial
    }
    groups = {ALL_PAIRS: factorial}
    for agents in dict.fromkeys(about["agents"] for about in trials.values()):
        alike = tuple(one for one in factorial if trials[one.trial]["agents"] == agents)
        if 1 < len(alike) < len(trials):
            groups[agents] = alike
    methods = configuration.pooling, configuration.tau_priors, configuration.confidence_level
    pools = tuple(
        SynergyPool(scale.name, supposed, agents, pool_synergy(alike, scale, supposed, *methods))
        for scale in SCALES.values()
        for supposed in backgrounds[: None if scale.background else 1]
        for agents, alike in groups.items()
    )
    left = [(trial, NOT_FACTORIAL) for trial in names if trial not in trials]
    set_aside = tuple((trial, names[trial], why) for trial, why in (*other_arms, *left))
    lead = implied or analysis.background[len(analysis.background) // 2]
    return SynergyResults(analysis, trials, pools, set_aside, lead)


def _arms(evidence: NetworkEvidence) -> Iterator[Arm]:
    for row in records(evidence.used):
        agents, schedule, partner, own = parts_of(row["regimen"])
        # An arm that is its own node does not act like other arms with the same agents and partner.
        if not own:
            counts = float(row["events"]), float(row["n"])
            yield Arm(row["trial_id"], row["code"], agents, schedule, partner, *counts)


def synergy_table(results: SynergyResults) -> pd.DataFrame:
    """Every trial and pooled result, ratios on the natural scale, in ``SYNERGY_COLUMNS``.

    ``kind`` is trial or pooled; trials are listed once for every scale and background. The
    posterior of a trial is for the excess on that scale, with Jeffreys priors.
    """
    return pd.DataFrame(list(_synergy_rows(results)), columns=SYNERGY_COLUMNS)


def not_factorial_table(results: SynergyResults) -> pd.DataFrame:
    """Trials of the network, and arms of trials, that do not inform synergy, with the reason."""
    about = results.analysis
    rows = [(about.setting, about.network, *aside) for aside in results.set_aside]
    return pd.DataFrame(rows, columns=NOT_FACTORIAL_COLUMNS)


def _taken(one: object, *names: str) -> Row:
    return {name: getattr(one, name) for name in names}


def _synergy_rows(results: SynergyResults) -> Iterator[Row]:
    for pool in results.pools:
        scale, found = SCALES[pool.scale], pool.found
        shared = {
            "setting": results.analysis.setting,
            "network": results.analysis.network,
            "scale": scale.name,
            "label": scale.label,
            "background": pool.background.rate if scale.background else math.nan,
            "background_source": pool.background.basis if scale.background else "",
            "agents": pool.agents,
            "kind": "pooled",
        }
        if isinstance(found, Refused):
            yield shared | {"reason": found.reason}
            continue

        def natural(one: object, *names: str, ratio: bool = scale.ratio) -> Row:
            """Values as printed: exponentials of logarithms, differences unchanged."""
            values = {name: math.nan if v is None else v for name, v in _taken(one, *names).items()}
            return {name: math.exp(v) for name, v in values.items()} if ratio else values

        for one in found.trials if pool.agents == ALL_PAIRS else ():
            yield {
                **shared,
                **results.trials[one.trial],
                "kind": "trial",
                "k": 1,
                **natural(one.excess, "estimate", "ci_low", "ci_high"),
                "p_value": one.excess.p_value,
                **natural(one, "posterior_median", "posterior_low", "posterior_high"),
                "probability_of_synergy": one.probability_of_synergy,
                **_taken(one, "response_first", "response_second", "observed", "expected"),
                **_taken(one, "tipping_background", "note"),
            }
        pooled = [results.trials[one.trial] for one in found.trials]
        for model in found.models:
            below = model.probability_below_zero
            yield {
                **shared,
                **{name: ";".join(of[name] for of in pooled) for name in ("trial_ids", "arm_ids")},
                **natural(model, "estimate", "ci_low", "ci_high", "pi_low", "pi_high"),
                "probability_of_synergy": math.nan if below is None else 1 - below,
                **_taken(model, "model", "k", "p_value", "tau2"),
                **_taken(found, "tipping_background", "tipping_interval", "meaning"),
            }


# -------------------------------------------------------------------------------------- surrogacy


def surrogacy_results(
    analysis: SurrogacyAnalysis, surrogate: NetworkEvidence, endpoint: NetworkEvidence, level: float
) -> SurrogacyResults:
    """Relate the effect on a response to the effect on survival, with one contrast per trial.

    Parameters
    ----------
    surrogate : NetworkEvidence
        Of counts.
    endpoint : NetworkEvidence
        Of hazard ratios.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    SurrogacyResults
        If several contrasts of a trial have both effects, the one whose regimen has most agents
        more than its control is used, then the first of the sheet.
    """
    counts = {(row["trial_id"], row["regimen"]): row for row in records(surrogate.used)}
    chosen: dict[str, Row] = {}
    for row in records(endpoint.used):
        trial = row["trial_id"]
        both = _has_odds_ratio(counts, row)
        if both and (trial not in chosen or _more_agents(row) > _more_agents(chosen[trial])):
            chosen[trial] = row
    labels = Counter(row["trial"] for row in chosen.values())
    # Columns for the rows of the sheet behind the two effects.
    columns = [f"{of.network.table}_rows" for of in (surrogate, endpoint)]
    pairs, rows = [], []
    for trial, row in chosen.items():
        # Two trials may have the same name.
        name = row["trial"] if labels[row["trial"]] == 1 else f"{row['trial']} ({trial})"
        control, experimental = (counts[trial, row[side]] for side in ("against", "regimen"))
        odds = from_counts(
            trial,
            [row["against"], row["regimen"]],
            [control["events"], experimental["events"]],
            [control["n"], experimental["n"]],
            ODDS_RATIO,
        )
        effects = float(odds.effects[0]), float(odds.covariance[0, 0]), row["yi"], row["vi"]
        patients = control["n"] + experimental["n"]
        pairs.append(EffectPair(name, *effects, float(patients)))
        about = analysis.setting, analysis.id, trial, name, row["code"], row["against_code"]
        ratios = *_ratio(*effects[:2], level), *_ratio(*effects[2:], level)
        behind = row["note"], f"{experimental['rows']};{control['rows']}", row["rows"]
        rows.append((*about, int(patients), *ratios, row["endpoint"], math.nan, *behind))
    first, *others = analysis.correlations
    found = surrogacy(pairs, within_correlation=first, sensitivity=others, level=level)
    table = pd.DataFrame(rows, columns=[*PAIR_COLUMNS, *columns])
    table["leverage"] = table["trial"].map(found.leverage).astype(float)
    return SurrogacyResults(analysis, table, found)


def _has_odds_ratio(counts: Mapping[tuple[str, str], Row], row: Row) -> bool:
    """Whether both regimens of a contrast have counts, and not all patients, or none, responded."""
    arms = [counts.get((row["trial_id"], row[side])) for side in ("against", "regimen")]
    known = [arm for arm in arms if arm is not None]
    events, n = ([arm[column] for arm in known] for column in ("events", "n"))
    return len(known) == len(arms) and informative(events, n, ODDS_RATIO)


def _more_agents(row: Row) -> int:
    """How many agents a regimen has beyond those of its control."""
    return len(parts_of(row["regimen"]).agents) - len(parts_of(row["against"]).agents)


def _ratio(effect: float, variance: float, level: float) -> list[float]:
    """A ratio and its limits."""
    found = wald(effect, math.sqrt(variance), level)
    ends: list[float] = np.exp([found.estimate, found.ci_low, found.ci_high]).tolist()
    return ends


def surrogacy_table(results: SurrogacyResults) -> pd.DataFrame:
    """Every model of a surrogacy analysis: regressions, bivariate models, leave-one-out.

    Intercept and slope are on the logarithmic scale; ``without`` is empty for all trials. The
    regression by inverse variance and the bivariate model at the first correlation are both main
    results and come first, since each has its weaknesses. If leaving out one trial overturns
    either, the main results and every threshold are withheld: empty, with the reason.
    """
    about: Row = {"setting": results.analysis.setting, "analysis": results.analysis.id}
    rows = [about | _model_row(model) for model in results.found.models]
    if results.found.overturned:
        reason = " ".join(withheld(results.found))
        for row in rows:
            row["threshold_odds_ratio"] = math.nan
            if row["role"] == MAIN:
                row |= dict.fromkeys(_ESTIMATES, math.nan) | {"note": "", "reason": reason}
    return pd.DataFrame(rows, columns=SURROGACY_COLUMNS)


def withheld(found: Surrogacy) -> tuple[str, ...]:
    """Why there is no main result: the deletions that overturn it, in sentences."""
    said = [
        f"Without {one.without} (leverage {format_number(found.leverage[one.without], 2)}) the "
        f"slope ({one.model}) is {_slope(one.after)} instead of {_slope(one.before)}."
        for one in found.overturned
    ]
    return (*said, WITHHELD) if said else ()


def _slope(found: Association) -> str:
    ends = found.slope_low, found.slope_high
    limits = f" ({format_interval(*ends)})" if all(map(math.isfinite, ends)) else ""
    return f"{format_number(found.slope)}{limits}"


def _model_row(model: Model) -> Row:
    one = model.found
    about = _taken(model, "role", "model", "without", "weighting", "within_correlation")
    if isinstance(one, Refused):
        return about | {"reason": one.reason}
    return {
        **about,
        **_taken(one, "k", *_ESTIMATES),
        "r2_method": R2_METHODS[model.model],
        "threshold_odds_ratio": one.threshold.odds_ratio,
        "note": " ".join(filter(None, [one.note, one.threshold.reason])),
    }


def cautions_table(results: SurrogacyResults) -> pd.DataFrame:
    """What the numbers of a surrogacy analysis cannot show."""
    about = results.analysis
    rows = [(about.setting, about.id, caution) for caution in results.found.cautions]
    return pd.DataFrame(rows, columns=CAUTION_COLUMNS)
