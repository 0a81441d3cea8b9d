"""The response to the partner alone that the additive component model implies."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from trial_evidence.config.networks import Background
from trial_evidence.measures.scales import IDENTITY, LOG_RATIO, LOGIT, Scale
from trial_evidence.network.within_trials.factorial import FactorialTrial
from trial_evidence.words.numbers import round_half_up

IMPLIED = "implied by the additive component model of the network"
AT_MOST = "but at most the lowest response to a single agent"
# The scale on which a measure is additive; response rates are transformed to it and back.
_ADDS_ON: Mapping[str, Scale] = {
    "odds_ratio": LOGIT, "risk_ratio": LOG_RATIO, "risk_difference": IDENTITY,
}  # fmt: skip


def implied_background(
    trials: Sequence[FactorialTrial], effects: Mapping[str, float], measure: str
) -> Background | None:
    """Response without either agent, from the single arms minus the effects of their agents.

    Parameters
    ----------
    trials : sequence of FactorialTrial
        Those with an arm with neither agent are ignored here: they need no assumption.
    effects : mapping of str to float
        Effect of each estimable component, on the analysis scale of the measure.
    measure : str
        Measure of the network of responses.

    Returns
    -------
    Background or None
        The mean over single arms whose agents' effects are known, weighted by their patients, in
        whole percent, and no higher than the lowest response of a single arm: a higher one would
        imply a harmful agent. None if there is no arm whose agents' effects are known.
    """
    scale = _ADDS_ON[measure]
    arms = [arm for one in trials if one.neither is None for arm in (one.first, one.second)]
    known = [arm for arm in arms if all(agent in effects for agent in arm.agents)]
    if not known:
        return None
    # Adding half a patient avoids rates of 0 and 1, where the scale is infinite.
    rates = np.array([(arm.events + 0.5) / (arm.n + 1) for arm in known])
    added = np.array([sum(effects[agent] for agent in arm.agents) for arm in known])
    alone = np.clip(scale.to_natural(scale.to_analysis(rates) - added), 0.0, 1.0)
    mean = float(round_half_up(float(np.average(alone, weights=[arm.n for arm in known])), 2))
    lowest = min(arm.events / arm.n for arm in arms)
    if mean > lowest:
        return Background(math.floor(100 * lowest) / 100, f"{IMPLIED}, {AT_MOST}")
    return Background(mean, IMPLIED)
