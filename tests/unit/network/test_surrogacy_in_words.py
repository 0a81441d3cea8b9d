"""What the figure of a surrogate says below its plot, model by model."""

import pytest
from trial_evidence.network.pictures.trial_level_drawings import sentence

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
