"""Network meta-analysis of the trials in a data frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trial_evidence.api.frames import Frame, one_of, ways_of
from trial_evidence.api.pools import comparing
from trial_evidence.measures import MEASURES, Measure

if TYPE_CHECKING:
    from trial_evidence.network.evidence.contrasts import StudyContrasts
    from trial_evidence.network.fit.league import NetworkFit

ESTIMATORS = ("REML", "DL", "ML", "EE")


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """Every treatment against every other.

    Attributes
    ----------
    measure : str
    level : float
        Confidence level of every interval, in percent.
    treatments : tuple of str
        In alphabetical order.
    league : DataFrame
        One row per ordered pair, ``treatment`` against ``against``: ``estimate``, ``ci_low``,
        ``ci_high``, ``pi_low``, ``pi_high`` on the natural scale (ratios, not their logarithms),
        and ``p_value``; NaN if no chain of trials connects the two.
    ranking : DataFrame or None
        ``treatment`` and ``p_score``, the best first; None if `better` was not given, or if the
        network is not connected.
    tau2 : float
        Variance between trials on the scale of the analysis; NaN if it cannot be estimated.
    i2, q, q_df, q_p : float
        Heterogeneity and inconsistency together: I² in percent, Q with its test.
    left_out : tuple of str
        Trials without information on a ratio: no event, or only events, in every arm.
    """

    measure: str
    level: float
    treatments: tuple[str, ...]
    league: pd.DataFrame
    ranking: pd.DataFrame | None
    tau2: float
    i2: float
    q: float
    q_df: int
    q_p: float
    left_out: tuple[str, ...]

    def against(self, reference: object) -> pd.DataFrame:
        """The rows of the league that compare all other treatments with one.

        Raises
        ------
        ValueError
            If the treatment does not exist.
        """
        # Names are text, as in the league: 1 is "1".
        name = one_of("reference", str(reference).strip(), self.treatments)
        return self.league[self.league["against"] == name].reset_index(drop=True)


def network(
    trials: pd.DataFrame,
    measure: str,
    *,
    estimator: str = "REML",
    level: float = 95.0,
    better: str | None = None,
) -> FittedNetwork:
    """Network meta-analysis of the trials in a data frame.

    Parameters
    ----------
    trials : DataFrame
        Either one row per arm, with ``trial``, ``treatment``, ``events`` and ``n`` (not for hazard
        ratios); or one row per comparison, with ``trial``, ``treatment``, ``against`` and the
        effect of the first against the second, given as for `pool`. Trials with three or more arms
        need a row for every pair of arms.
    measure : str
        ``risk_ratio``, ``odds_ratio``, ``risk_difference`` or ``hazard_ratio``.
    estimator : str
        Estimator of the variance between trials: REML, DL, ML; EE for a common effect.
    level : float
        Confidence level of every interval, in percent.
    better : {"more", "fewer"}, optional
        Whether more or fewer events are better, for the ranking.

    Returns
    -------
    FittedNetwork
        With Wald intervals.

    Raises
    ------
    DataError
        If the data frame cannot be analysed, with every error by row and column.
    ValueError
        If another argument is not allowed.

    Notes
    -----
    The method is that of R's netmeta; formulas and sources are in docs/network.md.
    """
    from trial_evidence.network.evidence.contrasts import NetworkData
    from trial_evidence.network.fit.league import fit_network
    from trial_evidence.network.fit.ranking import p_scores
    from trial_evidence.pool.engine.results import check_level

    reading = MEASURES[one_of("measure", measure, comparing())]
    one_of("estimator", estimator, ESTIMATORS)
    if better is not None:
        one_of("better", better, ("more", "fewer"))
    studies, left_out = _studies(trials, reading)
    fit = fit_network(NetworkData(studies), estimator, level=check_level(level))
    ranking = None
    if better is not None and not fit.data.labels.any():
        scores = p_scores(fit.random, higher_is_better=better == "more")
        ranking = pd.DataFrame({"treatment": fit.data.treatments, "p_score": scores})
        ranking = ranking.sort_values("p_score", ascending=False, ignore_index=True)
    of = fit.heterogeneity
    return FittedNetwork(
        measure,
        fit.level,
        fit.data.treatments,
        pd.DataFrame(_league(fit, reading)),
        ranking,
        tau2=np.nan if fit.tau2 is None else fit.tau2,
        i2=np.nan if fit.i2 is None else fit.i2,
        q=of.q,
        q_df=of.df,
        q_p=np.nan if of.p_value is None else of.p_value,
        left_out=left_out,
    )


def _studies(
    trials: pd.DataFrame, reading: Measure
) -> "tuple[tuple[StudyContrasts, ...], tuple[str, ...]]":
    """The trials of the network, and the names of those without information on the measure."""
    from trial_evidence.network.evidence.contrasts import from_counts, from_pairwise, informative

    frame = Frame.of(trials, "trial", "treatment")
    counted = {"counts": ("events", "n")} if reading.kind == "counts" else {}
    effects = {way: ("against", *columns) for way, columns in ways_of(reading.is_ratio).items()}
    way = frame.one_of({**counted, **effects})
    arms = ["treatment"] if way == "counts" else ["treatment", "against"]
    if way != "counts":
        frame.need(["against"])
        frame.raise_faults()
        frame.filled("against")
    first, second = (
        frame.counts("events", "n") if way == "counts" else frame.effects(way, reading.is_ratio)
    )
    twice = frame.data.duplicated(["trial", *arms]) & frame.named("trial")
    frame.hold(~twice, "treatment", 'the trial has a row of "{}" already.')
    rows = frame.data[["trial", *arms]].astype(str).assign(first=first, second=second)
    faulty = {problem.row for problem in frame.faults}
    found, left_out = [], []
    for name, own in rows.groupby("trial", sort=False):
        if faulty & {*own.index}:
            continue
        trial, values = str(name), (own["first"].to_numpy(), own["second"].to_numpy())
        try:
            if way != "counts":
                pairs = [*own["treatment"]], [*own["against"]]
                found.append(from_pairwise(trial, *pairs, values[0], np.sqrt(values[1])))
            # A trial with a single arm is a mistake, whatever its counts.
            elif informative(*values, reading.name) or len(own) < 2:
                found.append(from_counts(trial, [*own["treatment"]], *values, reading.name))
            else:
                left_out.append(trial)
        except ValueError as error:
            # The message begins with the trial, which the place of a fault already names.
            frame.fault(str(error).removeprefix(f"{trial}: "), int(own.index[0]))
    if left_out and not found:
        frame.fault("in no trial is there an event in one arm and a patient without it.")
    frame.raise_faults()
    return tuple(found), tuple(left_out)


def _league(fit: "NetworkFit", reading: Measure) -> Iterator[dict[str, Any]]:
    league, natural = fit.random, reading.scale.to_natural
    tables = {
        "estimate": league.effects, "ci_low": league.ci_low, "ci_high": league.ci_high,
        "pi_low": league.pi_low, "pi_high": league.pi_high,
    }  # fmt: skip
    for treatment, against in permutations(league.treatments, 2):
        at = league.cell(treatment, against)
        printed = {name: float(natural(table[at])) for name, table in tables.items()}
        names = {"treatment": treatment, "against": against}
        yield {**names, **printed, "p_value": float(league.p_value[at])}
