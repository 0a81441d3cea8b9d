"""A pool of two trials shows the result of each, and says why its interval is wider."""

from dataclasses import replace

import pandas as pd
import pytest
from invented import NAN
from report_material import estimate, material, with_estimates
from trial_evidence.report.files.overview_figures import summary_of
from trial_evidence.report.material.two_trials import in_words, two_trials

PLACE = {"setting": "adjuvant", "analysis": "event_free_dual_v_single"}


@pytest.fixture
def pair(pooled, tmp_path):
    """Two large trials: each excludes 1, as does their common effect; the pool does not."""
    lead = estimate(k=2.0, estimate=0.82, ci_low=0.63, ci_high=1.07, pi_low=NAN, pi_high=NAN,
                    model="bayesian_empirical")  # fmt: skip
    common = lead | {"model": "common", "role": "", "ci_low": 0.74, "ci_high": 0.92}
    trial = {**PLACE, "measure": "hazard_ratio", "subgroup": "all", "pooled": "yes", "vi": 0.006,
             "yi": -0.2, "weight": 50.0, "outcome": "iDFS"}  # fmt: skip
    trials = pd.DataFrame(
        [
            trial | {"trial_id": "t0", "trial": "ASH", "estimate": 0.79, "estimate_low": 0.68,
                     "estimate_high": 0.92, "estimate_level": 95.0},
            trial | {"trial_id": "t1", "trial": "ELM", "estimate": 0.86, "estimate_low": 0.74,
                     "estimate_high": 0.995, "estimate_level": 97.5},
        ]
    )  # fmt: skip
    found = with_estimates(material(pooled, tmp_path), [lead, common])
    return replace(found, evidence=replace(found.evidence, trials=trials))


def test_the_answer_holds_both_trials_the_common_effect_and_the_reason(pair):
    found = two_trials(pair, pair.analysis(*PLACE.values()))
    assert in_words(found) == (
        "The trials themselves: ASH 0.79 (95% CI 0.68–0.92) and ELM 0.86 (97.5% CI 0.74–1.00). "
        "Assuming that both share one effect, HR 0.82 (95% CI 0.74–0.92). The leading "
        "interval is wider because two trials cannot show how far results differ between trials, "
        "and its model allows for that."
    )


def test_the_picture_of_all_answers_shows_them_below_their_pool(pair):
    ((effect,),) = (panel.effects for panel in summary_of(pair, {}).panels)
    assert [(one.label, one.is_trial) for one in effect.behind] == [
        ("ASH", True), ("ELM", True), ("Both, if they share one effect", False),
    ]  # fmt: skip
    # On the axis, a log ratio: log(0.79) = -0.2357, log(0.74) = -0.3011
    assert effect.behind[0].estimate == pytest.approx(-0.2357, abs=1e-4)
    assert effect.behind[2].low == pytest.approx(-0.3011, abs=1e-4)


def test_more_trials_or_another_model_need_no_such_words(pair):
    analysis = pair.analysis(*PLACE.values())
    for changes in ({"k": 3.0}, {"model": "random_reml_hk"}):
        rows = pair.evidence.estimates.assign(**changes)
        assert two_trials(with_estimates(pair, rows.to_dict("records")), analysis) is None
