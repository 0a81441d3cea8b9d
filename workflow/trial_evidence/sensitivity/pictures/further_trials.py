"""The extended funnel plot of one comparison."""

import math

import numpy as np
import pandas as pd

from trial_evidence.config.methods import Sensitivity
from trial_evidence.figures.canvas.axis import MOST_TICKS, Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts.funnel import extended_funnel
from trial_evidence.figures.house.publish import Chart, charted
from trial_evidence.figures.house.scales import covering, from_zero
from trial_evidence.figures.house.theme import Words
from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.probes.further_trial import further_trials
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.sensitivity.pictures.in_words import measure_of, result_of
from trial_evidence.sensitivity.what_would_change import (
    Change,
    further_words,
    removal_words,
    size_words,
)
from trial_evidence.words.models import SHORT_MODEL_NAMES

# Number of further trials in the grid across and down the panel.
ACROSS, DOWN = 61, 25
# Standard error of the most precise further trial, as a share of that of the least precise.
TOP = 1e-3


def further_trials_figure(
    c: Comparison, axis: Axis, title: str, choices: Sensitivity, style: Style
) -> Chart:
    """Where a further trial would leave the pooled interval excluding or including no effect."""
    change = Change(c, choices)
    pooled, low, high = (float(values[0]) for values in change.now[:3])
    errors = np.sqrt(c.vi)
    found, smallest = change.further, None
    deepest = float(errors.max())
    if found is not None and found.size is not None and not found.however_small:
        error = math.sqrt(change.unit_variance / found.size)
        deepest = max(deepest, error)
        smallest = (change.finds, error, f"Smallest that would: {size_words(change, found.size)}")
    # The panel ends at ticks and covers the mirror image of the pooled result beyond no effect.
    deepest = from_zero([deepest])(MOST_TICKS).high
    reach = normal_quantile(c.level) * float(errors.max())
    ends = [pooled - reach, pooled + reach, -pooled, *c.yi]
    across = covering(axis, ends)(MOST_TICKS)
    left, right = (across.place(end) for end in (across.low, across.high))
    further = further_trials(
        c.yi,
        c.vi,
        c.refit,
        np.linspace(left, right, ACROSS),
        np.linspace(TOP * deepest, deepest, DOWN),
    )
    model = SHORT_MODEL_NAMES[c.lead(c.k).model]
    words = Words(
        title,
        (further_words(change), removal_words(change)),
        (f"Pooled, with and without the further trial: {model}. After Langan et al. 2012.",),
    )
    trials = pd.DataFrame({"estimate": c.yi, "standard_error": errors})
    return charted(
        extended_funnel, trials, further, axis, pooled, words=words, style=style,
        description=f"Extended funnel plot of {c.k} trials: where the {measure_of(c)} and the "
        "standard error of one further trial would leave the pooled interval excluding "
        f"{c.null} (no difference; shaded) or including it. Now "
        f"{result_of(c, pooled, low, high)}. {' '.join(words.notes)}",
        smallest=smallest,
    )  # fmt: skip
