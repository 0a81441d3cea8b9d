"""Networks for the tests: from reference files and at random."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from reference import load
from trial_evidence.network.evidence.contrasts import (
    NetworkData,
    StudyContrasts,
    from_counts,
    from_pairwise,
)

REFERENCE = load("netmeta")


def network(studies: Iterable[StudyContrasts]) -> NetworkData:
    """A network from studies in any order."""
    return NetworkData(tuple(studies))


def of_pairwise(name: str) -> NetworkData:
    """A reference network from every pairwise comparison of its studies."""
    table = REFERENCE["networks"][name]["pairwise"]
    rows: dict[str, list[int]] = {}
    for row, study in enumerate(table["studlab"]):
        rows.setdefault(study, []).append(row)
    return network(
        from_pairwise(
            study, *([table[k][i] for i in of] for k in ("treat1", "treat2", "TE", "seTE"))
        )
        for study, of in rows.items()
    )


def of_counts(name: str) -> NetworkData:
    """A reference network from the counts of its arms."""
    reference = REFERENCE["counts"][name]
    arms: dict[str, list[dict[str, Any]]] = {}
    for arm in reference["arms"]:
        arms.setdefault(str(arm["study"]), []).append(arm)
    measure = {"OR": "odds_ratio", "RR": "risk_ratio"}[reference["sm"]]
    return network(
        from_counts(
            study, [a["treat"] for a in of], [a["event"] for a in of], [a["n"] for a in of], measure
        )
        for study, of in arms.items()
    )


def at_random(
    seed: int, treatments: int = 6, studies: int = 20, heterogeneity: float = 0.3
) -> NetworkData:
    """A random connected network of two- to four-arm studies."""
    random = np.random.default_rng(seed)
    names = [f"t{i:03d}" for i in range(treatments)]
    true = random.normal(0, 0.5, treatments)
    made = []
    for number in range(studies):
        wanted = min(int(random.choice([2, 3, 4], p=[0.7, 0.2, 0.1])), treatments)
        arms = random.permutation(treatments)[:wanted]
        if number < treatments - 1:
            # A chain through all treatments.
            rest = [a for a in arms if a not in (number, number + 1)]
            arms = np.array([number, number + 1, *rest])[:wanted]
        variances = random.uniform(0.01, 0.3, arms.size)
        means = true[arms] + random.normal(0, np.sqrt(variances + heterogeneity**2 / 2))
        made.append(
            StudyContrasts(
                f"s{number:04d}",
                tuple(names[a] for a in arms),
                means[1:] - means[0],
                np.diag(variances[1:]) + variances[0],
            )
        )
    return network(made)


def two_arm(study: str, first: str, base: str, effect: float, variance: float) -> StudyContrasts:
    """A study of two arms: effect of the first treatment against the base."""
    return StudyContrasts(study, (base, first), np.array([effect]), np.array([[variance]]))
