"""The notes below the plot of a surrogate, model by model."""

import numpy as np
import pandas as pd
import pytest
from trial_evidence.config.networks import SurrogacyAnalysis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.network.pictures.trial_level_drawings import sentence, surrogacy_drawing
from trial_evidence.network.within_trials.surrogacy import surrogacy
from trial_evidence.network.within_trials.trial_level import SurrogacyResults
from trial_evidence.pool.models.bivariate import EffectPair

BIVARIATE = {
    "reason": "", "weighting": "", "within_correlation": -0.2, "slope": -0.951, "slope_low": -1.84,
    "slope_high": -0.29, "slope_p": 0.012, "r2": 0.61, "r2_low": 0.2, "r2_high": 0.9,
    "threshold_odds_ratio": 2.345, "note": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Errors in both effects (within-trial correlation −0.2): slope −0.95 "
             "(−1.84 to −0.29), p = 0.01; R² 0.61 (0.20–0.90); surrogate threshold effect: odds "
             "ratio 2.35."),
        ({"weighting": "inverse variance", "slope_p": float("nan")},
         "Weighted regression (inverse variance): slope −0.95 (−1.84 to −0.29); R² 0.61 "
         "(0.20–0.90); surrogate threshold effect: odds ratio 2.35."),
        ({"r2": float("nan"), "threshold_odds_ratio": float("nan"), "note": "At a bound."},
         "Errors in both effects (within-trial correlation −0.2): slope −0.95 "
         "(−1.84 to −0.29), p = 0.01; R² not determined; no surrogate threshold effect. "
         "At a bound."),
        ({"reason": "Fewer than three trials."}, "Fewer than three trials."),
    ],
    ids=["bivariate", "weighted, no p value", "nothing determined", "refused"],
)  # fmt: skip
def test_a_model_is_told_with_its_numbers(changes, said):
    assert sentence(BIVARIATE | changes) == said


def test_the_line_that_is_drawn_allows_for_errors_in_both_effects():
    """Not the line of the weighted regression, which is reported as well and is flatter."""
    effects = [(0.2 * at, -0.12 * at + 0.1 * (-1) ** at) for at in range(1, 11)]
    pairs = [EffectPair(f"T{at}", x, 0.1, y, 0.02, 200) for at, (x, y) in enumerate(effects)]
    found = surrogacy(pairs, within_correlation=0.0, sensitivity=())
    assert not found.overturned
    about = SurrogacyAnalysis("both", "early", "One by the other", "one", "other", (0.0,))
    drawn = surrogacy_drawing(SurrogacyResults(about, pd.DataFrame(), found), 95.0, Style())
    _, line, threshold, *_ = drawn.make.args
    regression, bivariate = (model.found for model in found.models[:2])
    slope = np.ptp(line["fitted"]) / np.ptp(line["surrogate"])
    assert slope == pytest.approx(abs(bivariate.slope), rel=1e-6)
    assert slope > 1.05 * abs(regression.slope)
    assert threshold == bivariate.threshold.effect
