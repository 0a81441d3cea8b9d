"""Figures of synergy within trials, and of surrogacy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.figures.canvas.axis import Axis, AxisScale
from trial_evidence.figures.canvas.page import Page, Picture
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts.surrogate import surrogate
from trial_evidence.figures.forests.evidence import POOLED
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.house.publish import Chart, charted
from trial_evidence.figures.house.theme import Words
from trial_evidence.files import records, where
from trial_evidence.network.within_trials.synergy import SCALES, PooledSynergy, Scale
from trial_evidence.network.within_trials.trial_level import (
    ALL_PAIRS,
    SurrogacyResults,
    SynergyResults,
    surrogacy_table,
    synergy_table,
    withheld,
)
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.words.models import SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_number, format_p, format_percent
from trial_evidence.words.printed import counted, with_interval

# Columns of response rates.
RATES = ("response_first", "response_second", "observed", "expected")
_POINTS = 301


def synergy_drawings(
    results: SynergyResults, configuration: Configuration, style: Style
) -> dict[str, Picture]:
    """A forest plot of synergy for every scale that needs a background, by its name.

    Returns
    -------
    dict of str to Picture
        ``synergy_<scale>``: the trials and their pooled results at the leading background, and the
        pooled result of all trials at the others. Scales without a background do not define synergy
        and are in the table only.
    """
    table = synergy_table(results).dropna(subset="estimate")
    return {
        f"synergy_{scale.name}": _synergy(results, scale, rows, configuration, style)
        for scale in SCALES.values()
        if scale.background and len(rows := table[table["scale"] == scale.name])
    }


def _synergy(
    results: SynergyResults,
    scale: Scale,
    table: pd.DataFrame,
    configuration: Configuration,
    style: Style,
) -> Page:
    pooled = table[table["kind"] == "pooled"]
    main = results.lead.rate

    def lead(agents: str, background: float) -> dict[str, Any] | None:
        """The leading pooled result of some trials, or the first model's if that is unavailable."""
        found = records(where(pooled, agents=agents, background=background))
        if not found:
            return None
        name = leading_model(int(found[0]["k"]), configuration.pooling, empirical=False).model
        return next((row for row in found if row["model"] == name), found[0])

    overall = lead(ALL_PAIRS, main)
    if overall is None:
        raise ValueError(f"no pool of all trials at a background of {main}")
    weights = _weights(results, scale, main, overall["model"])
    rows: list[Row] = []
    trials = table[(table["kind"] == "trial") & (table["background"] == main)]
    for agents, block in trials.groupby("agents", sort=False):
        rows.append(Row("heading", {"trial": str(agents)}))
        for one in records(block):
            texts = {name: format_percent(one[name]) for name in RATES}
            weight = weights[one["trial_ids"]]
            rows.append(_row("trial", scale, one["trial"], one, weight, **texts))
        if subtotal := lead(str(agents), main):
            rows.append(_row("subtotal", scale, "Pooled", subtotal))
    last = _row("overall", scale, f"All trials ({SHORT_MODEL_NAMES[overall['model']]})", overall)
    rows += [Row("gap"), last]
    for rate in pooled["background"].unique():
        if rate != main and (other := lead(ALL_PAIRS, rate)):
            name = f"All, background {format_percent(rate)}"
            rows.append(_row("secondary", scale, name, other))
    compared, label = "Observed − expected", "Difference from the expected rate, percentage points"
    if scale.ratio:
        compared, label = "Observed / expected", "Ratio to the expected"
    columns = (
        Column("trial", "Trial", "left", "left"),
        Column("response_first", "First\nalone", "right", "left", 2),
        Column("response_second", "Second\nalone", "right", "left", 2),
        Column("observed", "Both", "right", "left", 1),
        Column("expected", "Expected\nwith both", "right", "left", 1),
        Column("result", f"{compared}\n({configuration.confidence_level:g}% CI)", "right", "right"),
    )
    kind: AxisScale = "log" if scale.ratio else "linear"
    axis = Axis(kind, 0.0, label, "Less than expected", "More than expected: synergy")
    background = (
        f"Background (assumed response rate with the partner alone): {format_percent(main)}; "
        f"{overall['background_source']}."
    )
    title = f"{results.analysis.title}: {scale.label}"
    forest = Forest(
        title,
        columns,
        tuple(rows),
        axis,
        overall=last.estimate,
        notes=(overall["meaning"], background, *_beyond_all_patients(trials)),
        footnotes=(
            "Trials with arms of each agent alone and of both, with the same partner; "
            "intervals of single trials by the delta method. Only a trial that also has an arm "
            "with neither agent can show synergy by itself: in the others, what is expected "
            "depends on the background assumed.",
        ),
        description=f"Forest plot. {title}: {len(trials)} trials, pooled {last.texts['result']}.",
    )
    return layout(forest, style)


def _beyond_all_patients(trials: pd.DataFrame) -> Iterator[str]:
    """Trials in which a scale expects more responses than there are patients."""
    names = trials.loc[trials["expected"] > 1, "trial"]
    if len(names):
        yield (
            f"More than 100% is expected in {', '.join(names)}: no result there could exceed what "
            "is expected, so this scale does not fit."
        )


def _weights(
    results: SynergyResults, scale: Scale, background: float, model: str
) -> dict[str, float]:
    """Weights of the trials in the pooled result of all trials."""
    (found,) = (
        pool.found
        for pool in results.pools
        if (pool.scale, pool.agents, pool.background.rate) == (scale.name, ALL_PAIRS, background)
        and isinstance(pool.found, PooledSynergy)
    )
    (weights,) = (one.weights for one in found.models if one.model == model)
    return dict(zip((one.trial for one in found.trials), weights, strict=True))


def _row(
    kind: RowKind,
    scale: Scale,
    label: str,
    row: dict[str, Any],
    weight: float | None = None,
    **texts: str,
) -> Row:
    """A row from an estimate and its limits, drawn as log ratios or as percentage points."""
    if scale.ratio:
        estimate, low, high = np.log(POOLED(row)).tolist()
        result = with_interval(*POOLED(row))
    else:
        estimate, low, high = (100 * end for end in POOLED(row))
        result = f"{with_interval(estimate, low, high, digits=0)} points"
    return Row(kind, {"trial": label, "result": result, **texts}, estimate, low, high, weight)


# -------------------------------------------------------------------------------------- surrogacy


def surrogacy_drawing(results: SurrogacyResults, level: float, style: Style) -> Chart | None:
    """The surrogacy plot, with the errors-in-variables line if there is one.

    If leaving out a single trial overturns the main results, the notes say so first and no line is
    drawn. None if no trial has both effects. `level` is that of the bands, in percent.
    """
    found, title = results.found, results.analysis.title
    if not found.pairs:
        return None
    trials = pd.DataFrame(
        [(pair.trial, pair.surrogate, pair.final, pair.patients) for pair in found.pairs],
        columns=["label", "surrogate", "endpoint", "patients"],
    )
    grid = np.linspace(trials["surrogate"].min() - 3, trials["surrogate"].max() + 3, _POINTS)
    line, threshold = None, None
    for model in () if found.overturned else (found.models[1].found, found.models[0].found):
        if line is None and not isinstance(model, Refused) and (drawn := model.line(grid)):
            threshold = model.threshold.effect
            line = pd.DataFrame(vars(drawn)).rename(columns={"final": "fitted"})
    axes = (
        Axis("log", 0.0, "Odds ratio of response"),
        Axis("log", 0.0, "Hazard ratio", "longer survival", "shorter survival"),
    )
    count = counted(len(trials), "trial")
    main = surrogacy_table(results)
    main = main[main["role"] == "main"]
    said = ["reason", "weighting", "note"]
    main = main.assign(**{name: main[name].astype(object).fillna("") for name in said})
    notes = [*withheld(found)] or [*map(sentence, records(main))]
    notes.append(f"{count} with both effects for the same comparison.")
    words = Words(title, tuple(notes), found.cautions)
    description = f"{title}: {' '.join(notes)}"
    shown = trials, line, threshold, axes, level
    return charted(surrogate, *shown, words=words, description=description, style=style)


def sentence(row: dict[str, Any]) -> str:
    """The result of one of the main models."""
    if row["reason"]:
        return str(row["reason"])
    how = f"Weighted regression ({row['weighting']})"
    if not row["weighting"]:
        correlation = format_number(row["within_correlation"], 1)
        how = f"Errors in both effects (within-trial correlation {correlation})"
    parts = []
    if np.isfinite(row["slope"]):
        p = f", {format_p(row['slope_p'])}" if pd.notna(row["slope_p"]) else ""
        parts.append(f"{_estimated('slope', row, 'slope')}{p}")
    parts.append(_estimated("R²", row, "r2") if np.isfinite(row["r2"]) else "R² not determined")
    threshold = "no surrogate threshold effect."
    if pd.notna(row["threshold_odds_ratio"]):
        ratio = format_number(row["threshold_odds_ratio"], 2)
        threshold = f"surrogate threshold effect: odds ratio {ratio}."
    return f"{how}: {'; '.join([*parts, threshold])} {row['note']}".rstrip()


def _estimated(name: str, row: dict[str, Any], column: str) -> str:
    return f"{name} {with_interval(row[column], row[f'{column}_low'], row[f'{column}_high'])}"
