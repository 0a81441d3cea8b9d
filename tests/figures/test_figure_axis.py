"""Axes: their ends."""

import math

import pytest
from trial_evidence.figures.canvas.axis import Axis, Interval, to_axis, view
from trial_evidence.words.printed import lower_first

RATIO = Axis("log", reference=0.0)


def ratio(estimate: float, low: float, high: float, weight: float | None = None) -> Interval:
    return Interval(math.log(estimate), math.log(low), math.log(high), weight)


def test_one_trial_is_shown_whole():
    found = view(RATIO, [ratio(0.66, 0.38, 1.17, 100.0)])
    assert found.low <= math.log(0.38)
    assert found.high >= math.log(1.17)


def test_one_imprecise_trial_does_not_press_the_others_together():
    precise = [ratio(1.5, 1.0, 2.2, 32.0)] * 3
    alone = view(RATIO, precise)
    together = view(RATIO, [*precise, ratio(1.6, 0.02, 150.0, 4.0)])
    assert (together.low, together.high) == (alone.low, alone.high)


def test_every_estimate_is_on_the_axis():
    trials = [ratio(1.5, 1.0, 2.2, 96.0), ratio(25.0, 1.0, 625.0, 4.0)]
    found = view(RATIO, trials)
    assert found.high > math.log(25.0)


@pytest.mark.parametrize("axis", [RATIO, Axis("linear", 0.0)])
def test_no_effect_is_on_the_axis_however_far_the_trials_are_from_it(axis):
    """Without the line of no effect readers cannot see that all trials lie on one side of it."""
    for side in (-1, 1):
        trial = Interval(side * 1.4, side * 1.4 - 0.1, side * 1.4 + 0.1, 100.0)
        found = view(axis, [trial])
        assert found.low <= 0.0 <= found.high
        assert found.low <= side * 1.4 <= found.high


def test_a_wide_pooled_interval_adds_the_range_of_the_trials_at_most():
    # trials reach from 0.5 to 2, log range 1.386: so the axis covers up to
    # exp(0.693 + 1.386) = 8, not 30, and ends at that tick
    trials = [ratio(1.0, 0.5, 2.0, 100.0)]
    found = view(RATIO, trials, [ratio(1.0, 1 / 30, 30.0)])
    assert [tick.label for tick in found.ticks] == [
        "0.125", "0.25", "0.5", "1", "2", "4", "8",
    ]  # fmt: skip


def test_unpooled_intervals_do_not_widen_the_axis():
    trials = [ratio(1.0, 0.5, 2.0, 100.0)]
    alone = view(RATIO, trials)
    beside = view(RATIO, trials, shown=[ratio(1.1, 0.01, 100.0)])
    assert (beside.low, beside.high) == (alone.low, alone.high)


def test_without_pooled_trials_the_others_decide():
    found = view(RATIO, [], shown=[ratio(1.1, 0.3, 4.0)])
    assert found.low <= math.log(0.3)
    assert found.high >= math.log(4.0)


def test_where_only_pooled_results_are_shown_they_are_shown_whole():
    # The estimates are close to each other and to no effect; the intervals extend much farther.
    found = view(RATIO, [], [ratio(0.86, 0.70, 1.06), ratio(0.84, 0.64, 1.11)])
    assert found.low <= math.log(0.64)
    assert found.high >= math.log(1.11)


def test_given_limits_stay():
    found = view(Axis("log", 0.0, limits=(0.3, 7.0)), [ratio(1.5, 0.1, 20.0)])
    assert (math.exp(found.low), math.exp(found.high)) == pytest.approx((0.3, 7.0))
    assert [tick.label for tick in found.ticks] == ["0.5", "1", "2", "4"]


def test_no_automatic_ratio_axis_passes_two_hundred():
    found = view(RATIO, [ratio(5000.0, 100.0, 90000.0, 100.0)])
    assert math.exp(found.high) <= 1000


def test_proportions_stand_on_an_even_axis_from_0_to_100_percent():
    found = view(Axis("logit"), [Interval(0.0, -1.0, 1.0, 100.0)])
    assert (found.low, found.high) == (0.0, 1.0)
    assert [tick.label for tick in found.ticks] == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert [found.share(tick.place) for tick in found.ticks] == pytest.approx(
        [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    )


@pytest.mark.parametrize(
    ("logit", "proportion"),
    [(0.0, 0.5), (math.log(3), 0.75), (-math.inf, 0.0), (math.inf, 1.0), (-1000.0, 0.0)],
)
def test_logits_become_proportions(logit, proportion):
    assert to_axis(logit, "logit") == pytest.approx(proportion)


@pytest.mark.parametrize("axis", [RATIO, Axis("linear"), Axis("linear", 0.0)])
def test_nothing_to_show_still_has_an_axis(axis):
    found = view(axis, [])
    assert found.low < 0 < found.high
    assert all(len(tick.label) <= 7 for tick in found.ticks)


def test_limits_that_do_not_ascend_are_refused():
    with pytest.raises(ValueError, match="not a range"):
        view(Axis("log", limits=(2.0, 1.0)), [])


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("Dual blockade", "dual blockade"),
        ("HER2 level", "HER2 level"),
        ("T-DM1", "T-DM1"),
        ("", ""),
    ],
)
def test_a_text_goes_on_within_a_sentence_with_its_abbreviations(text, within):
    assert lower_first(text) == within
