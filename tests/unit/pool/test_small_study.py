"""Small-study effects and selection: which method is chosen, and when they are refused."""

import numpy as np
import pytest
from reference import load
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.models.counts import Counts
from trial_evidence.pool.probes.selection_model import step_selection_model
from trial_evidence.pool.probes.small_study import (
    egger,
    harbord,
    pet_peese,
    peters,
    trim_and_fill,
)

REFERENCE = load("all_inputs")
BCG = REFERENCE["bcg__RR"]


def effects(name):
    return np.array(REFERENCE[name]["yi"]), np.array(REFERENCE[name]["vi"])


PET = {name: data["pet_peese"] for name, data in load("all_metafor").items() if "pet_peese" in data}


@pytest.mark.parametrize("name", PET)
def test_peese_is_chosen_where_pet_finds_an_effect(name):
    # PET's two-sided p value by lm() in R; one-sided 5% is two-sided 10%.
    expected = "peese" if PET[name]["pet_p"] < 0.1 else "pet"
    assert pet_peese(*effects(name), forced=True).chosen == expected


def test_peters_corrects_a_full_arm_as_well_as_an_empty_one():
    """Trials in which every patient of an arm has the event.

    R 4.2.2::

        a <- c(12, 30, 8, 25, 40); n1 <- c(40, 30, 50, 60, 90)
        c <- c(9, 22, 5, 60, 31); n0 <- c(41, 29, 48, 60, 88)
        h <- 0.5 * (a == n1 | c == n0); n <- n1 + n0; e <- a + c
        y <- log((a + h) * (n0 - c + h) / ((n1 - a + h) * (c + h)))
        summary(lm(y ~ I(1 / n), weights = e * (n - e) / n))  # 159.34 (445.11), p 0.744
    """
    table = [12, 30, 8, 25, 40], [40, 30, 50, 60, 90], [9, 22, 5, 60, 31], [41, 29, 48, 60, 88]
    ours = peters(Counts(*table, "odds_ratio"), forced=True)
    found = (ours.limit, ours.limit_se, ours.slope, ours.slope_se, ours.p_value)
    expected = (-2.15624201013, 4.06647046255, 159.33547988629, 445.10585629922, 0.744069521840)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("standard_errors", "chosen"), [(1.7, "pet"), (1.9, "peese"), (-1.7, "pet"), (-1.9, "peese")]
)
def test_peese_is_chosen_at_one_sided_5_percent(standard_errors, chosen):
    # Shifted so that PET's intercept is this many standard errors from no effect; the one-sided 5%
    # quantile of t on 11 degrees of freedom is 1.796, the two-sided 2.201.
    y, v = np.array(BCG["yi"]), np.array(BCG["vi"])
    line = pet_peese(y, v).pet
    assert line.df == 11
    moved = y + standard_errors * line.limit_se - line.limit
    assert pet_peese(moved, v).chosen == chosen


REFUSING = [
    lambda y, v, forced: egger(y, v, forced=forced),
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


@pytest.mark.parametrize("function", REFUSING[:3])
@pytest.mark.parametrize("k", [1, 2])
def test_two_trials_are_refused_even_if_forced(function, k):
    assert "it takes 3" in function([0.1, 0.3][:k], [0.1, 0.2][:k], True).reason


@pytest.mark.parametrize("function", REFUSING[:3])
def test_trials_of_one_size_are_refused(function):
    assert "of one size" in function([0.1, 0.3, 0.2, 0.5], [0.1] * 4, True).reason


def test_selection_needs_trials_on_both_sides_of_a_step():
    ours = step_selection_model([0.1] * 10, [0.1] * 10, favoured="greater", steps=[0.025])
    assert "no trial has a one-sided p value between 0 and 0.025" in ours.reason


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
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(("favoured", "sign"), [("greater", 1), ("less", -1)])
def test_a_selection_model_that_turns_the_effect_round_says_so(favoured, sign):
    # Eleven trials just significant in one direction: selection explains them all, and the
    # likelihood is highest at an effect in the other direction, which no trial shows.
    se = np.linspace(0.1, 0.3, 12)
    z = sign * np.array([2.0] * 11 + [0.5])
    turned = step_selection_model(z * se, se**2, favoured=favoured)
    assert sign * turned.estimate < 0
    assert turned.turned
    plain = step_selection_model(3 * z * se, se**2, favoured=favoured)
    assert (sign * plain.estimate > 0, plain.turned) == (True, False)
