"""Mantel-Haenszel with zero cells, by hand, and compared with published pooled results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load, published_counts
from trial_evidence.measures.effects import risk_difference
from trial_evidence.measures.scales import LOG_RATIO
from trial_evidence.pool.models.counts import Counts, mantel_haenszel
from trial_evidence.pool.models.random_effects import common_effect, dersimonian_laird_wald

MORE = load("metafor_more")
MEASURES = {"RR": "risk_ratio", "OR": "odds_ratio", "RD": "risk_difference"}


def counts_of(table, measure, keep=slice(None)):
    columns = (table[key][keep] for key in ("ai", "n1i", "ci", "n2i"))
    return Counts(*columns, MEASURES[measure])


@pytest.mark.parametrize("measure", MEASURES)
def test_empty_cells_agree_with_metafor(measure):
    table, expected = MORE["zero_cells"]["table"], MORE["mh_zero_cells"][measure]
    # The first and fourth trials have no information about a ratio and are left out, as in a pool.
    kept = [0, 1, 2, 3, 4, 5] if measure == "RD" else [1, 2, 4, 5]
    rows = {key: [values[i] for i in kept] for key, values in table.items()}
    ours = mantel_haenszel(counts_of(rows, measure))
    assert (ours.estimate, ours.se, ours.q) == pytest.approx(
        (expected["beta"], expected["se"], expected["QE"]), rel=1e-11
    )


def test_a_trial_without_information_adds_nothing_to_the_test_of_heterogeneity():
    informative = {"ai": [5, 9, 4], "n1i": [50, 60, 40], "ci": [9, 6, 8], "n2i": [50, 60, 40]}
    more = {"ai": [0], "n1i": [30], "ci": [0], "n2i": [30]}
    both = {key: [*values, *more[key]] for key, values in informative.items()}
    alone, with_it = (mantel_haenszel(counts_of(rows, "RR")) for rows in (informative, both))
    assert (with_it.k, with_it.q_df) == (3, 2)
    assert (with_it.q, with_it.q_p) == pytest.approx((alone.q, alone.q_p), rel=1e-12)


def test_weights_by_hand():
    # Risk ratio, c n1 / N: 10 * 100 / 200 = 5 and 30 * 50 / 100 = 15.
    ours = mantel_haenszel(Counts([20, 30], [100, 50], [10, 30], [100, 50], "risk_ratio"))
    assert ours.weights == pytest.approx((25.0, 75.0))


@pytest.mark.parametrize(
    ("events_e", "events_c", "measure"),
    [
        ([0, 0], [3, 2], "risk_ratio"),
        ([3, 2], [0, 0], "risk_ratio"),
        ([3, 2], [0, 0], "odds_ratio"),
        ([10, 10], [3, 2], "odds_ratio"),
    ],
)
def test_a_ratio_without_estimate_gives_none(events_e, events_c, measure):
    assert mantel_haenszel(Counts(events_e, [10, 10], events_c, [10, 10], measure)) is None


def test_one_table_is_not_pooled():
    with pytest.raises(ValueError, match="at least 2 trials"):
        mantel_haenszel(Counts([1], [10], [2], [10], "risk_ratio"))


def test_published_risk_ratio_of_four_trials():
    # Published: fixed-effect Mantel-Haenszel RR 1.39 (1.20-1.63).
    ours = mantel_haenszel(Counts(**published_counts("cao_2015"), measure="risk_ratio"))
    natural = LOG_RATIO.to_natural([ours.estimate, ours.ci_low, ours.ci_high])
    assert [round(x, 2) for x in natural.tolist()] == [1.39, 1.20, 1.63]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("clavarezza_2016", [0.13, 0.08, 0.19]), ("clavarezza_2016esmo_taxane", [0.16, 0.10, 0.23])],
)
@pytest.mark.parametrize("function", [common_effect, dersimonian_laird_wald])
def test_published_risk_differences(name, expected, function):
    # The review does not state which of the two models it used; Q is below its degrees of freedom,
    # so they coincide.
    trials = risk_difference(**published_counts(name))
    ours = function(trials.yi, trials.vi)
    assert [round(x, 2) for x in (ours.estimate, ours.ci_low, ours.ci_high)] == expected


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 19), st.integers(20, 60), st.integers(1, 19), st.integers(20, 60)),
        min_size=2,
        max_size=6,
    ),
    measure=st.sampled_from(["risk_ratio", "odds_ratio", "risk_difference"]),
)
def test_exchanging_the_arms_turns_the_effect_round(rows, measure):
    a, n1, c, n0 = zip(*rows, strict=True)
    there = mantel_haenszel(Counts(a, n1, c, n0, measure))
    back = mantel_haenszel(Counts(c, n0, a, n1, measure))
    assert there.estimate == pytest.approx(-back.estimate, rel=1e-9, abs=1e-12)
    assert there.se == pytest.approx(back.se, rel=1e-9)


def test_one_trial_that_says_something_has_no_heterogeneity():
    """Two of three trials have events in all patients; Q used to come from corrected cells.

    R 4.2.2, metafor 3.8-1::

        rma.mh(ai = c(6, 5, 30), n1i = c(6, 5, 30), ci = c(43, 18, 43), n2i = c(43, 20, 43),
               measure = "RR", drop00 = TRUE)  # 0.10536, se 0.07454; Q(df = 0) = 0.00, p = 1
    """
    ours = mantel_haenszel(Counts([6, 5, 30], [6, 5, 30], [43, 18, 43], [43, 20, 43], "risk_ratio"))
    assert (ours.estimate, ours.se) == pytest.approx((0.105360515657826, 0.0745355992499932))
    assert (ours.k, ours.q, ours.q_df, ours.q_p, ours.i2_q) == (1, 0.0, 0, 1.0, 0.0)
