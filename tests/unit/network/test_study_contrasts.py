"""Contrasts of studies: from counts, from every pair of arms; the network they form."""

import math

import numpy as np
import pytest
from example_networks import REFERENCE, network, of_pairwise, two_arm
from trial_evidence.network.evidence.contrasts import (
    StudyContrasts,
    from_counts,
    from_pairwise,
    informative,
)
from trial_evidence.network.evidence.graph import direct_comparisons


def test_log_odds_ratios_share_the_variance_of_the_base_arm():
    # Pagliaro 1992, study 1: 13/41, 2/43 and 9/42 events.
    study = from_counts("1", ["c", "b", "s"], [13, 2, 9], [41, 43, 42], "odds_ratio")
    base = 1 / 13 + 1 / 28
    # -2.2531697, -0.5320278 and 0.7981401, 0.5040352: netmeta's pairwise().
    np.testing.assert_allclose(study.effects, [-2.2531697334307, -0.532027831416594])
    np.testing.assert_allclose(
        study.covariance, [[0.79814009205139**2, base], [base, 0.504035221042641**2]]
    )


def test_log_risk_ratios_by_hand():
    study = from_counts("x", ["c", "e"], [10, 20], [50, 40], "risk_ratio")
    assert study.effects[0] == pytest.approx(math.log(0.5 / 0.2))
    assert study.covariance[0, 0] == pytest.approx(1 / 20 - 1 / 40 + 1 / 10 - 1 / 50)


def test_risk_differences_by_hand():
    study = from_counts("x", ["c", "e"], [10, 20], [50, 40], "risk_difference")
    assert study.effects[0] == pytest.approx(0.3)
    assert study.covariance[0, 0] == pytest.approx(0.5 * 0.5 / 40 + 0.2 * 0.8 / 50)


def test_an_empty_cell_moves_every_arm_of_the_study():
    # Pagliaro 1992, study 10: 4/18 against 0/19 with 0.5 in every cell.
    table = REFERENCE["networks"]["pagliaro1992_OR"]["pairwise"]
    row = table["studlab"].index("10")
    study = from_counts("10", ["c", "s"], [0, 4], [19, 18], "odds_ratio")
    assert study.effects[0] == pytest.approx(table["TE"][row], rel=1e-12)
    assert study.covariance[0, 0] == pytest.approx(table["seTE"][row] ** 2, rel=1e-12)


def test_only_events_in_an_arm_is_an_empty_cell():
    study = from_counts("x", ["c", "e"], [5, 10], [10, 10], "odds_ratio")
    # (10.5/0.5) / (5.5/5.5)
    assert study.effects[0] == pytest.approx(math.log(21))


@pytest.mark.parametrize(("events", "says"), [([0, 0], False), ([9, 9], False), ([0, 9], True)])
def test_what_says_nothing_of_a_ratio(events, says):
    assert informative(events, [9, 9], "odds_ratio") is says
    assert informative(events, [9, 9], "risk_difference")


def test_a_study_that_says_nothing_is_refused():
    with pytest.raises(ValueError, match="x: no event, or only events, in every arm"):
        from_counts("x", ["a", "b"], [0, 0], [10, 10], "risk_ratio")


def test_unknown_measure_and_arms_that_do_not_match():
    with pytest.raises(ValueError, match="'hazard' is not one of odds_ratio"):
        from_counts("x", ["a", "b"], [1, 2], [10, 10], "hazard")
    with pytest.raises(ValueError, match="3 treatments but counts of 2 arms"):
        from_counts("x", ["a", "b", "c"], [1, 2], [10, 10], "odds_ratio")


def test_covariance_from_every_pair():
    # Arms with variances 0.1 (a), 0.2 (b), 0.3 (c): contrasts against a share 0.1.
    study = from_pairwise(
        "x", ["b", "c", "c"], ["a", "b", "a"], [0.5, 0.2, 0.7], np.sqrt([0.3, 0.5, 0.4])
    )
    assert study.treatments == ("a", "b", "c")
    np.testing.assert_allclose(study.effects, [0.5, 0.7])
    np.testing.assert_allclose(study.covariance, [[0.3, 0.1], [0.1, 0.4]])


def test_a_triangle_left_open_by_rounding_is_closed_evenly():
    # 0.5 + 0.2 is 0.03 less than 0.73: each side takes a third of it.
    study = from_pairwise("x", ["b", "c", "c"], ["a", "b", "a"], [0.5, 0.2, 0.73], [0.5] * 3)
    np.testing.assert_allclose(study.effects, [0.51, 0.72])


def test_a_triangle_open_by_more_is_refused():
    with pytest.raises(ValueError, match=r"contradict one another by 0\.200"):
        from_pairwise("x", ["b", "c", "c"], ["a", "b", "a"], [0.5, 0.2, 0.9], [0.5] * 3)


def test_standard_errors_that_contradict_one_another():
    with pytest.raises(ValueError, match="not positive definite"):
        from_pairwise("x", ["b", "c", "c"], ["a", "b", "a"], [0.5, 0.2, 0.7], [0.1, 0.9, 0.1])


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (["b", "c"], ["a", "b"], "3 arms have 3 comparisons, not 2"),
        (["b", "a"], ["a", "b"], "occurs twice"),
        (["a"], ["a"], "is one treatment"),
    ],
)
def test_pairs_that_make_no_study(first, second, message):
    with pytest.raises(ValueError, match=message):
        from_pairwise("x", first, second, [0.1] * len(first), [0.2] * len(first))


def test_another_base_by_hand():
    study = StudyContrasts(
        "x", ("a", "b", "c"), np.array([0.5, 0.7]), np.array([[0.3, 0.1], [0.1, 0.4]])
    )
    turned = study.relative_to("c")
    assert turned.treatments == ("c", "a", "b")
    # a-c = -0.7 and b-c = 0.5 - 0.7; var(b-c) = 0.3 + 0.4 - 2*0.1, cov(a-c, b-c) = 0.4 - 0.1.
    np.testing.assert_allclose(turned.effects, [-0.7, -0.2])
    np.testing.assert_allclose(turned.covariance, [[0.4, 0.3], [0.3, 0.5]])
    assert study.pair("b", "c") == pytest.approx((-0.2, 0.5))
    with pytest.raises(ValueError, match="x has no arm d"):
        study.relative_to("d")


@pytest.mark.parametrize(
    ("treatments", "effects", "covariance", "message"),
    [
        (("a", "a"), [1.0], [[1.0]], "different treatments"),
        (("a",), [], [[]], "different treatments"),
        (("a", "b"), [1.0, 2.0], [[1.0]], "2 arms need 1 effects"),
        (("a", "b"), [math.nan], [[1.0]], "finite"),
        (("a", "b"), [1.0], [[0.0]], "positive definite"),
        (("a", "b", "c"), [1.0, 2.0], [[1.0, 0.5], [0.2, 1.0]], "symmetric"),
    ],
)
def test_contrasts_that_cannot_be(treatments, effects, covariance, message):
    with pytest.raises(ValueError, match=message):
        StudyContrasts("x", treatments, np.array(effects), np.array(covariance))


def test_a_network_counts_its_studies():
    # Senn 2013: 26 studies, 25 of two arms and one of three; 10 treatments.
    data = of_pairwise("senn2013_MD")
    assert (len(data.studies), len(data.treatments)) == (26, 10)
    assert sum(len(study.effects) for study in data.studies) == 27
    assert sum(len(c.studies) for c in direct_comparisons(data)) == 28
    assert [s.study for s in data.studies] == sorted(s.study for s in data.studies)
    assert data.parts == (data,)


def test_parts_of_a_network():
    data = network(
        [two_arm("2", "d", "c", 0.1, 0.1), two_arm("1", "b", "a", 0.1, 0.1),
         two_arm("3", "e", "d", 0.1, 0.1)]
    )  # fmt: skip
    assert [part.treatments for part in data.parts] == [("a", "b"), ("c", "d", "e")]
    assert [[s.study for s in part.studies] for part in data.parts] == [["1"], ["2", "3"]]


def test_a_network_needs_studies_with_names_of_their_own():
    with pytest.raises(ValueError, match="at least one study"):
        network([])
    with pytest.raises(ValueError, match="named more than once: 1"):
        network([two_arm("1", "b", "a", 0.1, 0.1), two_arm("1", "c", "a", 0.1, 0.1)])
