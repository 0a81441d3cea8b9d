"""Meta-regression on two covariates, its predictions, and when it is refused."""

import numpy as np
import pytest
from reference import load
from trial_evidence.pool.probes.meta_regression import meta_regression

REFERENCE = load("all_inputs")
BCG = REFERENCE["bcg__RR"]
LATITUDE, YEAR = (load("all_metafor")["bcg__RR"]["mods"][name] for name in ("ablat", "year"))
TWO_COVARIATES = {
    "beta": [-3.54535301989915608, -0.02801132944422215, 0.00190748044747981],
    "se": [32.2563394834789392, 0.0113456775206561, 0.0162788048736405],
    "tau2": 0.110784696947206,
    "test": (4.9649475558944749, 0.0318035012857408),
}
LINE = [
    0.251468210007369, -1.058109415516867, -0.373447126086625, -1.422278316810603,
    0.876383546101363, -0.693940514223131,
]  # fmt: skip


def test_two_covariates_agree_with_metafor():
    # rma(yi, vi, mods = ~ ablat + year, method = "REML", test = "knha", control = list(threshold =
    # 1e-14, tol = 1e-14)) with metafor 3.8-1 on the 13 trials.
    ours = meta_regression(
        BCG["yi"], BCG["vi"], {"ablat": LATITUDE, "year": YEAR},
        interval="hartung_knapp", forced=True,
    )  # fmt: skip
    assert ours.coefficients == pytest.approx(TWO_COVARIATES["beta"], rel=1e-6)
    assert ours.se == pytest.approx(TWO_COVARIATES["se"], rel=1e-6)
    assert ours.tau2 == pytest.approx(TWO_COVARIATES["tau2"], rel=1e-6)
    assert (ours.statistic, ours.statistic_p) == pytest.approx(TWO_COVARIATES["test"], rel=1e-6)
    assert ours.df == 10


def test_line_of_the_bubble_plot_agrees_with_metafor():
    # predict(rma(yi, vi, mods = ~ ablat, test = "knha"), newmods = c(0, 45)).
    ours = meta_regression(BCG["yi"], BCG["vi"], {"ablat": LATITUDE}, interval="hartung_knapp")
    estimate, low, high = ours.predict(ablat=[0, 45])
    assert [*estimate, *low, *high] == pytest.approx(LINE, rel=1e-6)


def test_conservative_factor_is_never_below_one():
    hr = REFERENCE["synthetic_pcr6__RR"]
    x = load("all_metafor")["synthetic_pcr6__RR"]["mods"]["hrpos"]
    wald = meta_regression(hr["yi"], hr["vi"], {"x": x}, interval="wald", forced=True)
    ours = meta_regression(hr["yi"], hr["vi"], {"x": x}, forced=True)
    np.testing.assert_allclose(ours.se, wald.se, rtol=1e-12)


def test_fewer_than_ten_trials_a_covariate_are_refused_with_the_reason():
    ours = meta_regression(BCG["yi"], BCG["vi"], {"ablat": LATITUDE, "year": YEAR})
    assert "at least 20 trials, and there are 13" in ours.reason


def test_as_many_coefficients_as_trials_are_refused_even_if_forced():
    ours = meta_regression([0.1, 0.2], [0.1, 0.2], {"x": [1, 2]}, forced=True)
    assert "2 trials cannot carry 2 coefficients" in ours.reason


@pytest.mark.parametrize("extra", [[5.0] * 13, [2 * x + 1 for x in LATITUDE]])
def test_a_covariate_without_information_is_refused(extra):
    ours = meta_regression(BCG["yi"], BCG["vi"], {"ablat": LATITUDE, "x": extra}, forced=True)
    assert "the same in all trials or follows from the others" in ours.reason


def test_units_and_origin_of_a_covariate_do_not_matter():
    before = meta_regression(BCG["yi"], BCG["vi"], {"x": LATITUDE})
    after = meta_regression(BCG["yi"], BCG["vi"], {"x": [1000 * x + 1e6 for x in LATITUDE]})
    assert after.coefficients[1] * 1000 == pytest.approx(before.coefficients[1], rel=1e-7)
    assert after.p_value[1] == pytest.approx(before.p_value[1], rel=1e-7)


@pytest.mark.parametrize(
    ("covariates", "kwargs", "words"),
    [
        ({"x": [1, 2]}, {}, "one finite number a trial"),
        ({"x": [float("nan")] * 13}, {}, "one finite number a trial"),
        ({}, {}, "needs a covariate"),
        ({"x": LATITUDE}, {"method": "XX"}, "'XX' is not one of"),
        ({"x": LATITUDE}, {"interval": "XX"}, "'XX' is not one of"),
    ],
)
def test_what_cannot_be_regressed_is_refused(covariates, kwargs, words):
    with pytest.raises(ValueError, match=words):
        meta_regression(BCG["yi"], BCG["vi"], covariates, **kwargs)


def test_prediction_needs_the_models_covariates():
    ours = meta_regression(BCG["yi"], BCG["vi"], {"ablat": LATITUDE})
    with pytest.raises(ValueError, match="covariates are ablat"):
        ours.predict(year=[1])
