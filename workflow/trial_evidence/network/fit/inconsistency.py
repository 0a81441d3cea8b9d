"""Do designs agree? Q split into heterogeneity within and inconsistency between designs.

In the model in which every design has its own effects, the designs are separate networks that share
no treatment and only the heterogeneity.
"""

from dataclasses import dataclass

import numpy as np

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.evidence.graph import Design, designs
from trial_evidence.network.fit.effect import QTest, q_test
from trial_evidence.network.fit.least_squares import (
    Solution,
    estimate_tau2,
    rotate,
    solve,
)


@dataclass(frozen=True)
class Inconsistency:
    """Decomposition of Q, and the test of design-by-treatment interaction.

    Attributes
    ----------
    total, within, between : QTest
        Common-effect Q of the network, within designs (heterogeneity) and between designs
        (inconsistency).
    heterogeneity : tuple of (Design, QTest)
        Q within each design.
    detached : tuple of (Design, QTest)
        Remaining Q between designs if a design is given its own effects, for designs without which
        the network still connects all treatments. A small remainder locates the inconsistency in
        the detached design.
    random_between : QTest or None
        Q between designs with the heterogeneity within designs in the weights: the test of
        design-by-treatment interaction. None if no design has two studies to estimate it from, or
        if designs cannot disagree.
    tau2_within : float or None
        That heterogeneity.
    """

    total: QTest
    within: QTest
    between: QTest
    heterogeneity: tuple[tuple[Design, QTest], ...]
    detached: tuple[tuple[Design, QTest], ...]
    random_between: QTest | None
    tau2_within: float | None


def inconsistency(data: NetworkData, method: str = "DL") -> Inconsistency:
    """Split Q by designs and test the interaction of design and treatment.

    Parameters
    ----------
    data : NetworkData
        The network.
    method : str
        Estimator of the heterogeneity within designs; netmeta uses ``DL``.

    Raises
    ------
    ValueError
        If the method is unknown.

    Notes
    -----
    Attributed to Higgins JPT et al. Res Synth Methods 2012;3:98-110 (design-by-treatment
    interaction) and Krahn U, Binder H, König J. BMC Med Res Methodol 2013;13:35 (decomposition
    and detachment of designs). As netmeta's ``decomp.design``.
    """
    found = designs(data)
    consistent = rotate(data)
    whole, own = solve(consistent, 0.0), [_own(data, design) for design in found]
    heterogeneity = tuple(
        (design, q_test(of.q, (len(design.studies) - 1) * (len(design.treatments) - 1)))
        for design, of in zip(found, own, strict=True)
    )
    within = sum(of.q for of in own)
    df_within = sum(test.df for _, test in heterogeneity)
    between = q_test(whole.q - within, consistent.df - df_within)
    several = [rotate(_alone(data, design)) for design in found if len(design.studies) > 1]
    tau2 = estimate_tau2(several, method)
    random_between = None
    if tau2 is not None and between.df > 0:
        within_designs = sum(solve(one, tau2).q for one in several)
        random_between = q_test(solve(consistent, tau2).q - within_designs, between.df)
    return Inconsistency(
        total=q_test(whole.q, consistent.df),
        within=q_test(within, df_within),
        between=between,
        heterogeneity=heterogeneity,
        detached=tuple(
            (design, _detached(data, design, of, whole, between))
            for design, of in zip(found, own, strict=True)
            if _spanned_without(data, design, found)
        ),
        random_between=random_between,
        tau2_within=tau2,
    )


def _alone(data: NetworkData, design: Design) -> NetworkData:
    return NetworkData(tuple(data.named[name] for name in design.studies))


def _own(data: NetworkData, design: Design) -> Solution:
    """Results of the studies of a design alone."""
    if len(design.studies) > 1:
        return solve(rotate(_alone(data, design)), 0.0)
    study = data.named[design.studies[0]].relative_to(*design.treatments)
    return Solution(*study.arms(), q=0.0)


def _spanned_without(data: NetworkData, left_out: Design, found: tuple[Design, ...]) -> bool:
    """Whether the other designs connect all treatments that the network connects."""
    others = data.linked(design.treatments for design in found if design is not left_out)
    return bool(others.max() == data.labels.max())


def _detached(
    data: NetworkData, design: Design, own: Solution, whole: Solution, between: QTest
) -> QTest:
    """Q between designs, less the disagreement of one design with the rest of the network.

    The network estimate of the design's contrasts includes the design's own evidence. The
    covariance of their difference is therefore the difference of their covariances, as in
    back-calculation.
    """
    places = [data.position[treatment] for treatment in design.treatments]
    turn = np.hstack([-np.ones((len(places) - 1, 1)), np.eye(len(places) - 1)])
    apart = own.levels[1:] - turn @ whole.levels[places]
    spread = own.covariance[1:, 1:] - turn @ whole.covariance[np.ix_(places, places)] @ turn.T
    disagreement = float(apart @ np.linalg.solve(spread, apart))
    return q_test(between.q - disagreement, between.df - apart.size)
