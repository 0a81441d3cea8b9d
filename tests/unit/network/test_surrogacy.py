"""Trial-level surrogacy against R's lm, cor.test and metafor, and by hand."""

import math
from functools import cache

import numpy as np
import pytest
from reference import load
from trial_evidence.network.within_trials.surrogacy import errors_in_variables, regress, surrogacy
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.models.bivariate import EffectPair

REFERENCE = load("surrogacy")
REGRESSIONS = [(name, w) for name, data in REFERENCE.items() for w in data["regression"]]
BIVARIATE = [(name, i) for name, data in REFERENCE.items() for i in range(len(data["bivariate"]))]
INTERIOR = [("nine", 0), ("nine", 1)]


def pairs(rows):
    return [EffectPair(r["trial"], r["x"], r["vx"], r["y"], r["vy"], r["n"]) for r in rows]


@cache
def bivariate(name, case):
    data = REFERENCE[name]
    return errors_in_variables(pairs(data["trials"]), data["bivariate"][case]["rho"])


# -------------------------------------------------------------------------------------- regression


@pytest.mark.parametrize(("name", "weighting"), REGRESSIONS)
def test_regression_agrees_with_lm(name, weighting):
    data = REFERENCE[name]
    theirs = data["regression"][weighting]
    ours = regress(pairs(data["trials"]), weighting)
    slope_se = ours.band.covariance[1, 1] ** 0.5
    # At no effect on the surrogate, the line is at the intercept.
    at_zero = ours.line(0.0)
    values = (
        ours.intercept, ours.slope, slope_se, ours.slope_p, ours.slope_low, ours.slope_high,
        at_zero.ci_low[0], at_zero.ci_high[0], ours.r2, ours.residual_sd**2,
    )  # fmt: skip
    expected = [theirs["intercept"], theirs["slope"], theirs["se"], theirs["p"], *theirs["ci"],
                *theirs["ci_intercept"], theirs["r2"], theirs["sigma2"]]  # fmt: skip
    assert values == pytest.approx(expected, rel=1e-9)
    line = ours.line(theirs["at"])
    for field, key in (
        ("final", "fit"), ("ci_low", "lwr"), ("ci_high", "upr"), ("pi_low", "plwr"),
        ("pi_high", "pupr"),
    ):  # fmt: skip
        np.testing.assert_allclose(getattr(line, field), theirs[key], rtol=1e-9)


@pytest.mark.parametrize(("name", "weighting"), REGRESSIONS)
def test_threshold_is_where_lm_s_prediction_excludes_no_effect(name, weighting):
    data = REFERENCE[name]
    theirs = data["regression"][weighting]["ste"]
    ours = regress(pairs(data["trials"]), weighting).threshold
    if theirs is None:
        assert ours.effect is None
        assert "however large" in ours.reason
    else:
        assert ours.effect == pytest.approx(theirs, rel=1e-9)
        assert ours.odds_ratio == pytest.approx(math.exp(theirs), rel=1e-9)


@pytest.mark.parametrize("name", REFERENCE)
def test_interval_of_r2_is_fisher_s(name):
    rows = [row | {"n": 100} for row in REFERENCE[name]["trials"]]
    ours = regress(pairs(rows), "trial size")
    low, high = REFERENCE[name]["fisher"]
    expected = (0.0 if low < 0 < high else high**2, low**2)
    assert (ours.r2_low, ours.r2_high) == pytest.approx(expected, rel=1e-9)


def made_up(*points, variance=0.04):
    return [EffectPair(f"t{i}", x, variance, y, variance, 100) for i, (x, y) in enumerate(points)]


def test_a_perfect_line_has_its_threshold_at_its_zero():
    # y = 0.2 - 0.5 x crosses zero at x = 0.4.
    perfect = made_up(*((x, 0.2 - 0.5 * x) for x in (0.0, 0.5, 1.0, 1.5)))
    ours = regress(perfect, "trial size")
    assert ours.threshold.effect == pytest.approx(0.4, abs=1e-6)
    assert ours.r2 == pytest.approx(1.0)


def test_a_threshold_beyond_the_trials_is_an_extrapolation():
    near = made_up((0.0, 0.31), (0.1, 0.22), (0.2, 0.19), (0.3, 0.11))
    ours = regress(near, "trial size").threshold
    assert ours.effect > 0.3
    assert "extrapolation" in ours.reason


def test_no_threshold_where_the_slope_goes_the_wrong_way():
    ours = regress(made_up((0.0, -0.3), (0.5, -0.1), (1.0, 0.1), (1.5, 0.2)), "trial size")
    assert ours.threshold.effect is None
    assert "is not associated with" in ours.threshold.reason


def test_threshold_of_a_band_that_opens_faster_than_the_line_falls():
    # The slope's interval includes zero, yet all trials show benefit: near their mean the
    # prediction excludes no effect. Left end of that range by bisection of the upper limit.
    rows = made_up((0.0, -0.78), (0.5, -0.84), (1.0, -0.80), (1.5, -0.86))
    ours = regress(rows, "trial size")
    assert ours.slope_low < 0 < ours.slope_high
    low, high = -20.0, 0.75
    for _ in range(100):
        middle = (low + high) / 2
        positive = ours.line(middle).pi_high[0] > 0
        low, high = (middle, high) if positive else (low, middle)
    assert ours.threshold.effect == pytest.approx(low, abs=1e-8)
    assert ours.threshold.effect < 0
    assert "whatever the surrogate shows" in ours.threshold.reason
    assert "includes 1 (no difference) again" in ours.threshold.reason
    assert ours.line(1e3).pi_high[0] > 0


# --------------------------------------------------------------------------------------- bivariate


@pytest.mark.parametrize(("name", "case"), BIVARIATE)
def test_bivariate_model_agrees_with_metafor(name, case):
    theirs = REFERENCE[name]["bivariate"][case]
    ours = bivariate(name, case)
    # Our maximum is never below that of metafor's search or of the direct one.
    assert ours.fit.log_likelihood >= max(theirs["ml"]["ll"], theirs["ll"]) - 1e-9
    assert ours.fit.log_likelihood == pytest.approx(theirs["ll"], abs=1e-8)
    assert ours.fit.mean == pytest.approx(theirs["ml"]["mean"], rel=1e-5)
    assert ours.slope == pytest.approx(theirs["slope"], rel=1e-5)
    assert ours.residual_sd == pytest.approx(theirs["residual_sd"], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("name", "case"), INTERIOR)
def test_variances_between_trials_agree_with_metafor(name, case):
    theirs = REFERENCE[name]["bivariate"][case]["ml"]
    ours = bivariate(name, case)
    # metafor's search stops where its score is still 1e-4; ours is zero to rounding.
    assert [ours.fit.sd_first**2, ours.fit.sd_second**2] == pytest.approx(theirs["tau2"], rel=1e-5)
    assert ours.fit.correlation == pytest.approx(theirs["cor"], rel=1e-5)
    assert ours.r2 == pytest.approx(theirs["cor"] ** 2, rel=1e-5)


@pytest.mark.parametrize(("name", "case"), BIVARIATE)
def test_profile_intervals_agree_with_r(name, case):
    theirs = REFERENCE[name]["bivariate"][case]
    ours = bivariate(name, case)
    slopes = [
        end if limit is None else limit
        for limit, end in ((theirs["slope_low"], -math.inf), (theirs["slope_high"], math.inf))
    ]
    assert (ours.slope_low, ours.slope_high) == pytest.approx(slopes, rel=1e-5)
    low, high = theirs["cor_low"], theirs["cor_high"]
    squares = (0.0 if low <= 0 <= high else high**2, max(low**2, high**2))
    assert (ours.r2_low, ours.r2_high) == pytest.approx(squares, abs=1e-6)


@pytest.mark.parametrize(("name", "case"), INTERIOR)
def test_profile_interval_of_the_correlation_agrees_with_metafor_s(name, case):
    _, low, high = REFERENCE[name]["bivariate"][case]["confint_rho"]
    ours = bivariate(name, case)
    # metafor stops its search of a limit at about 1e-4.
    assert ours.r2_high == pytest.approx(low**2, abs=2e-4)
    assert ours.r2_low == pytest.approx(0.0 if high > 0 else high**2, abs=2e-4)


def test_an_estimate_of_one_is_said_to_mean_little():
    ours = bivariate("eight", 0)
    assert (ours.r2, ours.residual_sd) == (1.0, 0.0)
    assert "No variance is left around the line" in ours.note


def test_without_sampling_error_it_is_plain_regression():
    # Variances near zero: slope, R2 and residual variance (divided by k) of ordinary least squares.
    points = [(0.1, -0.1), (0.9, -0.3), (0.5, -0.6), (1.4, -0.7), (-0.3, 0.3), (0.7, 0.1)]
    exact = made_up(*points, variance=1e-9)
    ours = errors_in_variables(exact, 0.0)
    x, y = (np.array(column) for column in zip(*points, strict=True))
    slope = np.cov(x, y, bias=True)[0, 1] / x.var()
    assert ours.slope == pytest.approx(slope, rel=1e-6)
    assert ours.r2 == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-6)
    residuals = y - y.mean() - slope * (x - x.mean())
    assert ours.residual_sd == pytest.approx(residuals.std(), rel=1e-6)
    # Known means and a slope with the variance residual/(k var x): the band of a new trial.
    band = ours.line(1.0)
    s2 = float(residuals.var())
    spread = s2 + s2 / 6 + (1.0 - x.mean()) ** 2 * s2 / (6 * x.var())
    # t with 4 degrees of freedom.
    assert band.pi_high[0] - band.final[0] == pytest.approx(2.7764451051977934 * spread**0.5,
                                                            rel=1e-6)  # fmt: skip


def test_effects_on_the_surrogate_that_do_not_vary_give_no_line():
    flat = made_up((0.5, -0.1), (0.5, -0.6), (0.51, 0.4), (0.49, -0.9), (0.5, 0.2))
    ours = errors_in_variables(flat, 0.0)
    assert math.isnan(ours.slope)
    assert (ours.r2_low, ours.r2_high) == (0.0, 1.0)
    assert ours.line([0.0]) is None
    assert ours.threshold.effect is None
    assert "no line" in ours.note


def test_effects_on_the_final_endpoint_that_do_not_vary_leave_nothing_to_explain():
    level = made_up((-0.9, -0.2), (0.5, -0.2), (1.5, -0.2), (0.1, -0.2), (0.9, -0.2))
    ours = errors_in_variables(level, 0.0)
    assert math.isnan(ours.r2)
    assert (ours.r2_low, ours.r2_high) == (0.0, 1.0)
    assert "nothing for the surrogate to explain" in ours.note


# ------------------------------------------------------------------------------------------- both


def test_too_few_trials_are_refused_with_the_reason():
    few = made_up((0.0, 0.1), (0.5, -0.1), (1.0, -0.3))
    assert "at least 4 trials, and there are 3" in regress(few, "trial size").reason
    assert "there are 0" in regress([], "trial size").reason
    four = [*few, EffectPair("t9", 1.2, 0.04, -0.4, 0.04, 100)]
    assert "at least 5 trials, and there are 4" in errors_in_variables(four, 0.0).reason
    same = made_up(*((0.5, y) for y in (0.1, 0.2, 0.3, 0.4)))
    assert "same effect on the surrogate" in regress(same, "trial size").reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trial": "t2"}, "counts once"),
        ({"x": math.nan}, "not finite"),
        ({"vy": 0.0}, "above zero"),
        ({"n": 0}, "number of patients"),
    ],
)
def test_trials_that_cannot_be_used(change, words):
    first, *rest = REFERENCE["eight"]["trials"]
    with pytest.raises(ValueError, match=words):
        regress(pairs([first | change, *rest]), "trial size")


def test_choices_that_there_are_not():
    rows = pairs(REFERENCE["eight"]["trials"])
    with pytest.raises(ValueError, match="'none' is not one of"):
        regress(rows, "none")
    with pytest.raises(ValueError, match="above -1 and below 1"):
        errors_in_variables(rows, -1.0)


def test_whole_report():
    rows = pairs(REFERENCE["nine"]["trials"])[:5]
    ours = surrogacy(rows, within_correlation=-0.4, sensitivity=(0.0, -0.4))
    said = [(m.role, m.weighting or m.within_correlation) for m in ours.models if not m.without]
    assert said == [
        ("main", "inverse variance"), ("main", -0.4),
        ("sensitivity", "trial size"), ("sensitivity", 0.0),
    ]  # fmt: skip
    without = [m for m in ours.models if m.role == "leave-one-out"]
    assert [m.without for m in without] == [r.trial for r in rows for _ in range(2)]
    # Four remain: enough for a line, too few for the bivariate model.
    assert all(isinstance(m.found, Refused) for m in without if m.model == "bivariate")
    first = regress(rows[1:], "inverse variance")
    assert without[0].found.slope == pytest.approx(first.slope)
    assert ours.cautions[0].startswith("5 trials: ")


def test_order_of_the_trials_does_not_matter():
    rows = pairs(REFERENCE["nine"]["trials"])
    before, after = bivariate("nine", 1), errors_in_variables(rows[::-1], -0.4)
    assert after.slope == pytest.approx(before.slope, rel=1e-9)
    assert after.r2 == pytest.approx(before.r2, rel=1e-9)


# ---------------------------------------------------------------------------- one trial decides


def constructed(*extra):
    """Six trials without any association, plus others."""
    points = [(0.5, -0.40), (0.7, -0.30), (0.9, -0.42), (0.6, -0.33), (0.8, -0.36), (1.0, -0.34)]
    return [
        EffectPair(f"t{i}", x, 0.05, y, 0.04, 300) for i, (x, y) in enumerate([*points, *extra])
    ]


@cache
def found(*extra):
    return surrogacy(constructed(*extra), within_correlation=-0.2, sensitivity=())


def test_a_result_that_one_trial_overturns_says_which():
    """Without the trial far from all others, no slope remains."""
    ours = found((-0.5, 1.0))
    assert {of.without for of in ours.overturned} == {"t6"}
    (regression,) = (of for of in ours.overturned if of.model == "weighted regression")
    assert regression.before.slope_high < 0
    assert regression.after.slope_low < 0 < regression.after.slope_high


def test_a_direction_that_hangs_on_one_trial_is_overturned_though_it_was_not_established():
    # Weighted equally, numpy.polyfit: 0.136 with the trial, -0.009 without it.
    ours = found((0.0, -0.5))
    (regression,) = (
        of for of in ours.overturned if (of.model, of.without) == ("weighted regression", "t6")
    )
    assert not regression.before.established
    assert (regression.before.slope, regression.after.slope) == pytest.approx(
        (0.136, -0.009), abs=5e-4
    )


def test_an_association_that_every_trial_shows_is_overturned_by_none():
    along = [(x, -0.1 - 0.5 * x) for x in (-0.5, 1.5, 2.0, -1.0)]
    ours = surrogacy(
        [EffectPair(f"t{i}", x, 0.01, y, 0.01, 300) for i, (x, y) in enumerate(
            [*along, (0.0, -0.12), (0.5, -0.33), (1.0, -0.62), (-0.25, 0.04)]
        )],
        within_correlation=-0.2, sensitivity=(),
    )  # fmt: skip
    assert ours.overturned == ()


def test_a_trial_that_hides_an_association_overturns_nothing():
    """Without it the slope is established; no result is withheld for this."""
    along = [(-0.5, 0.15), (0, -0.13), (0.5, -0.33), (1, -0.62), (1.5, -0.87), (-0.25, 0.04)]
    points = [*along, (2.0, -1.08), (-0.8, -0.9)]
    ours = surrogacy(
        [EffectPair(f"t{i}", x, 0.01, y, 0.02, 300) for i, (x, y) in enumerate(points)],
        within_correlation=-0.2,
        sensitivity=(),
    )
    with_it, without = (
        next(m.found for m in ours.models if (m.model, m.without) == ("weighted regression", left))
        for left in ("", "t7")
    )
    assert (with_it.established, without.established) == (False, True)
    assert ours.overturned == ()


def test_leverage_is_how_far_a_fitted_value_follows_its_trial():
    """The derivative of the fitted with respect to the observed effect, by moving the trial."""
    trials = constructed((-0.5, 1.0))
    step = 1e-3

    def fitted(y):
        moved = [*trials[:-1], EffectPair("t6", -0.5, 0.05, y, 0.04, 300)]
        return regress(moved, "inverse variance").line(-0.5).final[0]

    slope = (fitted(1.0 + step) - fitted(1.0 - step)) / (2 * step)
    assert found((-0.5, 1.0)).leverage["t6"] == pytest.approx(slope, rel=1e-6)
