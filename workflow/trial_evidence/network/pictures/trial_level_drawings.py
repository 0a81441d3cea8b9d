"""Figures of synergy within trials, and of surrogacy, placed on pages."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trial_evidence.config.configuration import Configuration
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts import surrogate
from trial_evidence.figures.forests import forest
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.network.within_trials.surrogacy import BivariateSurrogacy, SurrogacyRegression
from trial_evidence.network.within_trials.synergy import SCALES, PooledSynergy, Scale
from trial_evidence.network.within_trials.trial_level import (
    ALL_PAIRS,
    SurrogacyResults,
    SynergyPool,
    SynergyResults,
)
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.engine.results import Pooled
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.words.models import SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, format_p


@dataclass(frozen=True)
class Drawing:
    name: str
    page: Page


SYNERGY = "synergy"
SURROGACY = "surrogacy"
_POINTS = 61


def synergy_drawings(
    results: SynergyResults, configuration: Configuration, style: Style
) -> Iterator[Drawing]:
    """A forest plot of synergy for every scale that the trials can be read on.

    Parameters
    ----------
    results : SynergyResults
    configuration : Configuration
    style : Style

    Yields
    ------
    Drawing
        ``synergy_<scale>``: the trials and their pools at the first background that the scale
        allows, and the pool of all trials at the others. Scales that need no background define
        no synergy and stand in the table alone.
    """
    for scale in SCALES.values():
        if not scale.background:
            continue
        pools = [
            pool
            for pool in results.pools
            if pool.scale == scale.name and isinstance(pool.found, PooledSynergy)
        ]
        if pools:
            page = _synergy(results, scale, pools, configuration, style)
            yield Drawing(f"{SYNERGY}_{scale.name}", page)


def _synergy(
    results: SynergyResults,
    scale: Scale,
    pools: list[SynergyPool],
    configuration: Configuration,
    style: Style,
) -> Page:
    main = pools[0].background
    at_main = {pool.agents: pool.found for pool in pools if pool.background == main}
    whole = at_main[ALL_PAIRS]
    if isinstance(whole, Refused):
        raise ValueError(whole.reason)
    lead = leading_model(len(whole.trials), configuration.pooling).model
    weights = dict(zip((one.trial for one in whole.trials), _led(whole, lead).weights, strict=True))
    rows: list[Row] = []
    for agents in dict.fromkeys(results.agents[one.trial] for one in whole.trials):
        rows.append(Row("heading", {"trial": agents}))
        for one in whole.trials:
            if results.agents[one.trial] != agents:
                continue
            texts = {
                "trial": results.labels[one.trial],
                "first": _percent(one.response_first),
                "second": _percent(one.response_second),
                "both": _percent(one.observed),
                "expected": _percent(one.expected),
                "result": _result(scale, one.estimate, one.ci_low, one.ci_high),
            }
            ends = _drawn(scale, one.estimate, one.ci_low, one.ci_high)
            rows.append(Row("trial", texts, *ends, weight=weights[one.trial]))
        subtotal = at_main.get(agents)
        if isinstance(subtotal, PooledSynergy):
            name = leading_model(len(subtotal.trials), configuration.pooling).model
            rows.append(_pooled_row("subtotal", scale, "Pooled", _led(subtotal, name)))
    rows.append(Row("gap"))
    words = SHORT_MODEL_NAMES.get(lead, lead)
    rows.append(_pooled_row("overall", scale, f"All trials ({words})", _led(whole, lead)))
    for pool in pools:
        if pool.agents != ALL_PAIRS or pool.background == main or isinstance(pool.found, Refused):
            continue
        label = f"All, background {_percent(pool.background.rate)}"
        rows.append(_pooled_row("secondary", scale, label, _led(pool.found, lead)))
    columns = (
        Column("trial", "Trial", "left", "left"),
        Column("first", "First\nalone", "right", "left", priority=2),
        Column("second", "Second\nalone", "right", "left", priority=2),
        Column("both", "Both", "right", "left", priority=1),
        Column("expected", "Expected\nof both", "right", "left", priority=1),
        Column(
            "result",
            f"{'Observed / expected' if scale.ratio else 'Observed − expected'}\n"
            f"({configuration.confidence_level:g}% CI)",
            "right",
            "right",
        ),
    )
    title = f"{results.analysis.title}: {scale.label}"
    overall = _led(whole, lead)
    background = (
        f"Background (response to the partner alone, supposed): {_percent(main.rate)}; "
        f"{main.source}."
        if scale.background
        else ""
    )
    return forest.layout(
        Forest(
            title,
            columns,
            tuple(rows),
            Axis(
                "log" if scale.ratio else "linear",
                0.0,
                "Ratio to what is expected"
                if scale.ratio
                else "Difference from what is expected, percentage points",
                "Less than expected",
                "More than expected: synergy",
            ),
            overall=_drawn(scale, overall.estimate, overall.ci_low, overall.ci_high)[0],
            notes=tuple(filter(None, [whole.meaning, background])),
            footnotes=(
                "Trials with arms of each agent alone and of both, with the same partner; "
                "intervals of single trials by the delta method.",
            ),
            description=f"Forest plot. {title}: {len(whole.trials)} trials, pooled "
            f"{_result(scale, overall.estimate, overall.ci_low, overall.ci_high)}.",
        ),
        style,
    )


def _led(found: PooledSynergy, model: str) -> Pooled:
    return next((m for m in found.models if m.model == model), found.models[0])


def _pooled_row(kind: forest.RowKind, scale: Scale, label: str, pooled: Pooled) -> Row:
    ends = (pooled.estimate, pooled.ci_low, pooled.ci_high)
    texts = {"trial": label, "result": _result(scale, *ends)}
    return Row(kind, texts, *_drawn(scale, *ends))


def _drawn(scale: Scale, *values: float) -> tuple[float, float, float]:
    """An estimate and its limits as the axis has them: log ratios, or percentage points."""
    estimate, low, high = values if scale.ratio else (100 * value for value in values)
    return estimate, low, high


def _percent(rate: float) -> str:
    return f"{format_number(100 * rate, 0)}%"


def _result(scale: Scale, estimate: float, low: float, high: float) -> str:
    if scale.ratio:
        ends = math.exp(low), math.exp(high)
        return f"{printed(estimate, 'log')} ({format_interval(*ends)})"
    shown = format_interval(100 * low, 100 * high, 0)
    return f"{format_number(100 * estimate, 0)} ({shown}) points"


# -------------------------------------------------------------------------------------- surrogacy


def surrogacy_drawing(results: SurrogacyResults, style: Style) -> Drawing | None:
    """The surrogacy plot, with the errors-in-variables line where there is one.

    Parameters
    ----------
    results : SurrogacyResults
    style : Style

    Returns
    -------
    Drawing or None
        None where no trial has both effects.
    """
    found, title = results.found, results.analysis.title
    if not found.pairs:
        return None
    bivariate = found.bivariate[0]
    weighted = found.regressions[-1]
    model: BivariateSurrogacy | SurrogacyRegression | None = None
    if isinstance(bivariate, BivariateSurrogacy) and bivariate.band is not None:
        model = bivariate
    elif isinstance(weighted, SurrogacyRegression):
        model = weighted
    line = None
    if model is not None:
        effects = [pair.surrogate for pair in found.pairs]
        grid = np.linspace(min(effects) - 3.0, max(effects) + 3.0, _POINTS)
        fitted = model.line(grid)
        if fitted is not None:
            line = surrogate.SurrogateLine(
                *(
                    values.tolist()
                    for values in (fitted.surrogate, fitted.final, fitted.ci_low, fitted.ci_high,
                                   fitted.pi_low, fitted.pi_high)
                )
            )  # fmt: skip
    notes = [sentence for sentence in _sentences(results, weighted, bivariate) if sentence]
    described = surrogate.SurrogatePlot(
        title=title,
        trials=[
            surrogate.SurrogateTrial(pair.trial, pair.surrogate, pair.final, pair.patients)
            for pair in found.pairs
        ],
        line=line,
        threshold=None if model is None else model.threshold.effect,
        x=Axis("log", 0.0, "Odds ratio of response"),
        y=Axis("log", 0.0, "Hazard ratio", "longer survival", "shorter survival"),
        notes=tuple(notes),
        footnotes=found.cautions,
        description=f"{title}: {len(found.pairs)} trials. {' '.join(notes)}",
    )
    return Drawing(SURROGACY, surrogate.layout(described, style))


def _sentences(
    results: SurrogacyResults,
    weighted: SurrogacyRegression | Refused,
    bivariate: BivariateSurrogacy | Refused,
) -> Iterator[str]:
    count = len(results.found.pairs)
    yield f"{count} {'trial' if count == 1 else 'trials'} with both effects of one contrast."
    if isinstance(weighted, Refused):
        yield weighted.reason
    else:
        yield (
            f"Weighted regression (inverse variance): slope {format_number(weighted.slope, 2)} "
            f"({format_interval(weighted.slope_low, weighted.slope_high)}), "
            f"{format_p(weighted.slope_p)}; {_r2(weighted)}; {_threshold(weighted)}"
        )
    if isinstance(bivariate, Refused):
        yield bivariate.reason
        return
    slope = ""
    if math.isfinite(bivariate.slope):
        limits = format_interval(bivariate.slope_low, bivariate.slope_high)
        slope = f"slope {format_number(bivariate.slope, 2)} ({limits}); "
    yield (
        "Errors in both effects (within-trial correlation "
        f"{format_number(bivariate.within_correlation, 1)}): {slope}{_r2(bivariate)}; "
        f"{_threshold(bivariate)} {bivariate.note}".rstrip()
    )


def _r2(model: SurrogacyRegression | BivariateSurrogacy) -> str:
    if not math.isfinite(model.r2):
        return "R² not determined"
    if not (math.isfinite(model.r2_low) and math.isfinite(model.r2_high)):
        return f"R² {format_number(model.r2, 2)}"
    limits = format_interval(model.r2_low, model.r2_high)
    return f"R² {format_number(model.r2, 2)} ({limits})"


def _threshold(model: SurrogacyRegression | BivariateSurrogacy) -> str:
    threshold = model.threshold
    if threshold.odds_ratio is None:
        return f"no surrogate threshold effect. {threshold.reason}"
    beyond = f" {threshold.reason}" if threshold.reason else ""
    shown = format_number(threshold.odds_ratio, 2)
    return f"surrogate threshold effect: odds ratio {shown}.{beyond}"
