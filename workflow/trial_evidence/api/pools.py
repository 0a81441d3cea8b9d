"""Meta-analysis of the trials in a data frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trial_evidence.api.frames import LARGEST, Frame, one_of, ways_of
from trial_evidence.measures import COUNT_COLUMNS, MEASURES, Measure
from trial_evidence.words.models import CAUTIOUS, INTERVAL_WORDS, MODEL_NAMES, TAU2_ESTIMATOR_NAMES
from trial_evidence.words.numbers import format_interval, format_number, round_half_up

if TYPE_CHECKING:
    from trial_evidence.measures.effects import EffectSizes
    from trial_evidence.pool.engine.results import Pooled

# Interval of the mean -> the prediction interval with the same standard error.
PREDICTIONS = {
    "wald": "t_k_minus_1", "t": "t_k_minus_1", "hartung_knapp": "hartung_knapp_k_minus_1",
    "hartung_knapp_conservative": "conservative_k_minus_1",
}  # fmt: skip
# Limits of a trial's own result: name in the pipeline -> name here.
LIMITS = {"estimate_low": "ci_low", "estimate_high": "ci_high"}
TOO_FAR_APART = (
    "Nothing can be computed: effects, their standard errors and tau_prior lie too many powers of "
    "ten apart. Are they on one scale?"
)
OF_TRIALS = ("pooled", "corrected", "yi", "vi")
NATURAL = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
OF_MODELS = (
    "model", "k", *NATURAL, "p_value", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p",
)  # fmt: skip


def comparing() -> list[str]:
    """The measures that compare two arms."""
    return [measure.name for measure in MEASURES.values() if measure.compares]


@dataclass(frozen=True, eq=False)
class PooledTrials:
    """Trials and their pooled results.

    Attributes
    ----------
    measure : str
        ``risk_ratio``, ``odds_ratio``, ``risk_difference`` or ``hazard_ratio``.
    level : float
        Confidence level of every interval, in percent.
    trials : DataFrame
        One row per trial: ``trial``; ``estimate``, ``ci_low``, ``ci_high`` on the natural scale
        (ratios, not their logarithms); ``weight`` in percent, in the first model; ``pooled``, false
        for a trial without information on a ratio; ``corrected``, true if 0.5 was added to its
        cells; ``yi``, ``vi`` on the scale of the analysis; the counts, if given.
    models : DataFrame
        One row per model, the requested one first: ``model``, ``k``, estimate and intervals on the
        natural scale, ``p_value``, ``tau2`` with its interval on the scale of the analysis, ``i2``
        in percent, ``q`` with ``q_df`` and ``q_p``; NaN if a model has no such number.
    """

    measure: str
    level: float
    trials: pd.DataFrame
    models: pd.DataFrame

    @property
    def lead(self) -> "pd.Series[Any]":
        """The result of the requested model."""
        return self.models.iloc[0]

    def __str__(self) -> str:
        lead, reading = self.lead, MEASURES[self.measure]
        said = (
            f"{reading.title} {format_number(lead['estimate'], reading.digits)} "
            f"({self.level:g}% CI {format_interval(lead['ci_low'], lead['ci_high'])}; "
            f"{MODEL_NAMES.get(lead['model'], 'one trial')}; k = {lead['k']}"
        )
        if not pd.isna(lead["tau2"]):
            said += f"; τ² = {format_number(lead['tau2'], 3)}; I² = {round_half_up(lead['i2'], 0)}%"
        return f"{said})"


def pool(
    trials: pd.DataFrame,
    measure: str,
    *,
    estimator: str = "REML",
    interval: str = "hartung_knapp_conservative",
    level: float = 95.0,
    tau_prior: float | None = None,
) -> PooledTrials:
    """Pool the trials in a data frame.

    Parameters
    ----------
    trials : DataFrame
        One row per trial. ``trial`` is its name; its result is given in one of these ways:

        - counts of the two arms: ``events_experimental``, ``n_experimental``, ``events_control``,
          ``n_control`` (not for hazard ratios);
        - a ratio with its interval: ``estimate``, ``ci_low``, ``ci_high``, at 95% or at the row's
          ``ci_level``, in percent;
        - an effect on the scale of the analysis with its standard error, ``yi`` and ``sei``, or
          with its variance, ``yi`` and ``vi``: ratios as natural logarithms.
    measure : str
        ``risk_ratio``, ``odds_ratio``, ``risk_difference`` or ``hazard_ratio``, experimental arm
        versus control.
    estimator : str
        Estimator of the variance between trials: DL, REML, ML, PM, HE, SJ, EB or HS.
    interval : str
        Interval of the mean: ``wald``, ``t``, ``hartung_knapp``, or ``hartung_knapp_conservative``,
        which is never narrower than Wald's. The prediction interval uses t with k - 1 degrees of
        freedom and the same standard error.
    level : float
        Confidence level of every interval, in percent.
    tau_prior : float, optional
        Scale of a half-normal prior on tau, the standard deviation between trials on the scale of
        the analysis; if given, a Bayesian model is added.

    Returns
    -------
    PooledTrials
        Results of the requested random-effects model and of ``common`` and ``dersimonian_laird``;
        with counts also ``mantel_haenszel``, with a prior also ``bayesian``. A single trial gives
        its own result.

    Raises
    ------
    DataError
        If the data frame cannot be pooled, with every error by row and column.
    ValueError
        If another argument is not allowed.

    Notes
    -----
    The models are those of the pipeline; formulas and sources are in docs/methods.md.
    """
    from trial_evidence.config.methods import LeadRule, Pooling
    from trial_evidence.pool.bayes.priors import HalfNormal
    from trial_evidence.pool.engine.results import check_level
    from trial_evidence.pool.estimates import with_own_results
    from trial_evidence.pool.models.counts import counts_of
    from trial_evidence.pool.models.pooling import pool_all

    reading = MEASURES[one_of("measure", measure, comparing())]
    pooling = Pooling(
        tau2_estimator=one_of("estimator", estimator, TAU2_ESTIMATOR_NAMES),
        estimate_interval=one_of("interval", interval, INTERVAL_WORDS),
        prediction_interval=PREDICTIONS[interval],
        leading=(LeadRule(from_trials=2, model="random_effects"),),
    )
    level = check_level(level)
    if tau_prior is not None and not (
        isinstance(tau_prior, Real) and 1 / LARGEST <= tau_prior <= LARGEST
    ):
        raise ValueError(f"tau_prior is {tau_prior!r}. It is a scale, a number above 0.")
    rows = _checked(trials, reading, level)
    rows = with_own_results(rows.assign(measure=measure), level)
    used = rows[rows["pooled"]]
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            models = pool_all(
                used["yi"],
                used["vi"],
                pooling=pooling,
                level=level,
                priors={} if tau_prior is None else {CAUTIOUS: HalfNormal(float(tau_prior))},
                counts=counts_of(used, measure) if {*COUNT_COLUMNS} <= {*used.columns} else None,
            )
    except ArithmeticError:
        raise ValueError(TOO_FAR_APART) from None
    weights = pd.Series(models[0].weights, index=used.index, dtype=float)
    kept = {name: name for name in ("trial", "estimate", *LIMITS, "weight", *OF_TRIALS)} | LIMITS
    given = [column for column in COUNT_COLUMNS if column in rows]
    results = pd.DataFrame([_model(found, reading) for found in models], columns=OF_MODELS)
    # One trial alone has the limits that it published, not those of its rounded variance.
    alone = results["model"] == "single_trial"
    if alone.any():
        results.loc[alone, list(LIMITS.values())] = used[list(LIMITS)].to_numpy(dtype=float)
    return PooledTrials(
        measure,
        level,
        rows.assign(weight=weights)[[*kept, *given]].rename(columns=kept),
        results,
    )


def _checked(trials: pd.DataFrame, reading: Measure, level: float) -> pd.DataFrame:
    """Effects of the trials, with their counts, or their intervals if given at the level."""
    frame = Frame.of(trials, "trial")
    twice = frame.data["trial"].duplicated() & frame.named("trial")
    frame.hold(~twice, "trial", '"{}" is there twice. Give each trial a name of its own.')
    counted = {"counts": COUNT_COLUMNS} if reading.kind == "counts" else {}
    way = frame.one_of({**counted, **ways_of(reading.is_ratio)})
    rows = pd.DataFrame({"trial": frame.data["trial"].astype(str)})
    if way != "counts":
        yi, vi = frame.effects(way, reading.is_ratio)
        frame.raise_faults()
        if way == "interval":
            levels = frame.levels()
            rows = rows.assign(
                **{limit: frame.numbers(limit) for limit in LIMITS.values()},
                ci_level=levels,
                published=np.where(levels == level, "as given", ""),
            )
        return rows.assign(yi=yi, vi=vi, corrected=False, pooled=True)
    arms = [frame.counts(*COUNT_COLUMNS[at : at + 2]) for at in (0, 2)]
    frame.raise_faults()
    counts = [column for arm in arms for column in arm]
    found: EffectSizes = reading.effects(*counts)
    if not found.informative.any():
        frame.fault("in no trial is there an event in one arm and a patient without it.")
        frame.raise_faults()
    return rows.assign(
        yi=np.where(found.informative, found.yi, np.nan),
        vi=np.where(found.informative, found.vi, np.nan),
        corrected=found.corrected & found.informative,
        pooled=found.informative,
        **dict(zip(COUNT_COLUMNS, counts, strict=True)),
    )


def _model(found: "Pooled", reading: Measure) -> Mapping[str, Any]:
    values = {name: getattr(found, name) for name in OF_MODELS}
    natural = {
        name: np.nan if values[name] is None else float(reading.scale.to_natural(values[name]))
        for name in NATURAL
    }
    # With None, the columns would have dtype object.
    return {name: np.nan if value is None else value for name, value in (values | natural).items()}
