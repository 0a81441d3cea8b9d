"""Studies of the component model from counts: log odds ratios against the first arm."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts


def network(arms: Sequence[Mapping[str, Any]]) -> NetworkData:
    """Network of log odds ratios; an arm's log odds have the variance 1/events + 1/(n - events)."""
    studies = []
    for study, group in groupby(arms, key=lambda arm: arm["study"]):
        rows = list(group)
        odds = [math.log(r["events"] / (r["n"] - r["events"])) for r in rows]
        variances = [1 / r["events"] + 1 / (r["n"] - r["events"]) for r in rows]
        studies.append(
            StudyContrasts(
                study=study,
                treatments=tuple(r["treatment"] for r in rows),
                effects=np.array(odds[1:]) - odds[0],
                covariance=np.diag(variances[1:]) + variances[0],
            )
        )
    return NetworkData(tuple(studies))


def two_arm(study: str, treatments: tuple[str, str], effect: float, variance: float):
    """A study of two arms: effect of the second treatment against the first."""
    return StudyContrasts(study, treatments, np.array([effect]), np.array([[variance]]))


def parts(*treatments: str) -> dict[str, tuple[str, ...]]:
    """Components of treatments named after them: ``A+B`` holds A and B."""
    return {t: tuple(t.split("+")) for t in treatments}
