"""Small-study effects and selection against metafor and meta, and when they are refused."""

import math

import numpy as np
import pytest
from reference import load
from scipy.stats import norm
from trial_evidence.pool.mantel_haenszel import Counts
from trial_evidence.pool.refusals import Refused
from trial_evidence.pool.selection_model import step_selection_model
from trial_evidence.pool.small_study import (
    egger,
    egger_mixed,
    funnel_contours,
    harbord,
    pet_peese,
    peters,
    rank_test,
    trim_and_fill,
)

REFERENCE = load("metafor_sensitivity")
BCG = REFERENCE["bcg__RR"]


def effects(name):
    return np.array(REFERENCE[name]["yi"]), np.array(REFERENCE[name]["vi"])


@pytest.mark.parametrize(("key", "function"), [("lm_sei", egger), ("rma_sei", egger_mixed)])
@pytest.mark.parametrize("name", [n for n, data in REFERENCE.items() if data["regtest"]])
def test_egger_agrees_with_metafor(name, key, function):
    theirs = REFERENCE[name]["regtest"][key]
    ours = function(*effects(name), forced=True)
    # The mixed model's reference rests on a REML fit with an absolute stopping rule.
    tolerance = 1e-9 if key == "lm_sei" else 2e-5
    for field, expected in (
        ("statistic", theirs["stat"]), ("p_value", theirs["pval"]), ("limit", theirs["limit_est"]),
        ("limit_low", theirs["limit_lb"]), ("limit_high", theirs["limit_ub"]),
        ("slope", theirs["coef"][1]),
    ):  # fmt: skip
        assert getattr(ours, field) == pytest.approx(expected, rel=tolerance), field
    assert ours.df == theirs["df"]


@pytest.mark.parametrize(("key", "function"), [("Harbord", harbord), ("Peters", peters)])
@pytest.mark.parametrize("name", [n for n, d in REFERENCE.items() if "metabias" in d])
def test_tests_for_odds_ratios_agree_with_meta(name, key, function):
    theirs = REFERENCE[name]["metabias"][key]
    table = REFERENCE[name]["table"]
    counts = Counts(*(table[k] for k in ("ai", "n1i", "ci", "n2i")), "odds_ratio")
    ours = function(counts, forced=True)
    assert (ours.statistic, ours.p_value, ours.slope, ours.slope_se, ours.limit, ours.df) == (
        pytest.approx(
            tuple(theirs[k] for k in ("stat", "pval", "bias", "se_bias", "intercept", "df")),
            rel=1e-8,
        )
    )


@pytest.mark.parametrize("name", REFERENCE)
def test_rank_test_agrees_with_metafor(name):
    theirs = REFERENCE[name]["ranktest"]
    ours = rank_test(*effects(name), forced=True)
    assert (ours.tau, ours.p_value) == pytest.approx((theirs["tau"], theirs["pval"]), rel=1e-9)


TRIMFILL = [(n, key) for n, d in REFERENCE.items() for key in d["trimfill"]]


@pytest.mark.parametrize(("name", "key"), TRIMFILL)
def test_trim_and_fill_agrees_with_metafor(name, key):
    theirs = REFERENCE[name]["trimfill"][key]
    method, estimator, side = key.split("_")
    ours = trim_and_fill(
        *effects(name), estimator=estimator, side=side, method=method, interval="wald", forced=True
    )
    assert (ours.missing, ours.side) == (theirs["k0"], theirs["side"])
    assert (ours.estimate, ours.se) == pytest.approx((theirs["beta"], theirs["se"]), rel=1e-9)
    assert ours.tau2 == pytest.approx(theirs["tau2"], rel=1e-9, abs=1e-12)
    filled = theirs["filled_yi"] if isinstance(theirs["filled_yi"], list) else [theirs["filled_yi"]]
    assert sorted(ours.filled_yi) == pytest.approx(sorted(filled), rel=1e-9)
    if theirs["se_k0"] is None:
        assert math.isnan(ours.missing_se)
    else:
        assert ours.missing_se == pytest.approx(theirs["se_k0"], rel=1e-9)


@pytest.mark.parametrize("name", REFERENCE)
def test_pet_and_peese_agree_with_weighted_least_squares_in_r(name):
    ours, theirs = pet_peese(*effects(name), forced=True), REFERENCE[name]["pet_peese"]
    assert (ours.pet.limit, ours.pet.limit_se) == pytest.approx(
        (theirs["pet_est"], theirs["pet_se"]), rel=1e-9
    )
    assert (ours.peese.limit, ours.peese.limit_se) == pytest.approx(
        (theirs["peese_est"], theirs["peese_se"]), rel=1e-9
    )
    assert ours.chosen == ("peese" if theirs["pet_p"] < 0.1 else "pet")


SELECTION = [(n, key) for n, d in REFERENCE.items() for key in d.get("selmodel", {})]


@pytest.mark.parametrize(("name", "key"), SELECTION)
def test_selection_model_agrees_with_metafor(name, key):
    theirs = REFERENCE[name]["selmodel"][key]
    *steps, favoured = key.split("_")[1:]
    ours = step_selection_model(
        *effects(name), favoured=favoured, steps=[float(p) for p in steps], forced=True
    )
    # metafor's optimiser, started elsewhere, ends within these of the maximum.
    assert ours.statistic >= theirs["LRT"] - 1e-6
    assert ours.estimate == pytest.approx(theirs["beta"], rel=2e-4, abs=2e-4)
    assert ours.tau2 == pytest.approx(theirs["tau2"], rel=1e-3, abs=2e-5)
    assert ours.selection == pytest.approx(theirs["delta"], rel=2e-3)
    assert ours.statistic == pytest.approx(theirs["LRT"], rel=1e-3, abs=2e-4)
    assert ours.p_value == pytest.approx(theirs["LRTp"], rel=1e-3)
    # With tau2 at zero ours holds it there; metafor's curvature is that of a boundary.
    if theirs["tau2"] > 1e-4:
        assert ours.se == pytest.approx(theirs["se"], rel=0.01)


REFUSING = [
    lambda y, v, forced: egger(y, v, forced=forced),
    lambda y, v, forced: egger_mixed(y, v, forced=forced),
    lambda y, v, forced: rank_test(y, v, forced=forced),
    lambda y, v, forced: trim_and_fill(y, v, forced=forced),
    lambda y, v, forced: pet_peese(y, v, forced=forced),
    lambda y, v, forced: step_selection_model(y, v, favoured="less", steps=[0.5], forced=forced),
]


@pytest.mark.parametrize("function", REFUSING)
def test_fewer_than_ten_trials_are_refused_with_the_reason_unless_forced(function):
    y, v = BCG["yi"][:9], BCG["vi"][:9]
    assert "at least 10 trials, and there are 9" in function(y, v, False).reason
    y = [*BCG["yi"][:8], 0.2]
    assert not isinstance(function(y, v, True), Refused)
    assert not isinstance(function([*y, 0.3], [*v, 0.02], False), Refused)


@pytest.mark.parametrize("function", REFUSING[:5])
@pytest.mark.parametrize("k", [1, 2])
def test_two_trials_are_refused_even_if_forced(function, k):
    assert "it takes 3" in function([0.1, 0.3][:k], [0.1, 0.2][:k], True).reason


@pytest.mark.parametrize("function", REFUSING[:5])
def test_trials_of_one_size_are_refused(function):
    assert "of one size" in function([0.1, 0.3, 0.2, 0.5], [0.1] * 4, True).reason


def test_selection_needs_trials_on_both_sides_of_a_step():
    ours = step_selection_model([0.1] * 10, [0.1] * 10, favoured="greater", steps=[0.025])
    assert "no trial has a one-sided p value between 0 and 0.025" in ours.reason


def test_contours_are_where_an_estimate_has_the_p_value():
    contours = funnel_contours(0.5, (0.05,), points=3)
    assert contours.half_width[0].tolist() == pytest.approx([0, 0.25 * 1.959964, 0.5 * 1.959964])
    p = 2 * norm.sf(contours.half_width[0, 2] / contours.se[2])
    assert p == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: trim_and_fill(*effects("bcg__RR"), estimator="Q0"), "not one of L0, R0"),
        (lambda: trim_and_fill(*effects("bcg__RR"), side="up"), "not one of auto"),
        (lambda: step_selection_model(*effects("bcg__RR"), favoured="up"), "'less' or 'greater'"),
        (
            lambda: step_selection_model(*effects("bcg__RR"), favoured="less", steps=[0.5, 0.1]),
            "ascend",
        ),
        (lambda: harbord(Counts([1], [2], [1], [2], "risk_ratio")), "odds ratios"),
        (lambda: funnel_contours(0), "above zero"),
        (lambda: funnel_contours(1, (0.0,)), "between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
