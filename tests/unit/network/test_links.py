"""What an estimate depends on, by hand: flows, weakest links, trials that disagree."""

import numpy as np
import pytest
from example_networks import network, two_arm
from trial_evidence.network.fit.league import fit_network
from trial_evidence.network.fit.links import evidence_path


def path(studies, first="a", second="c"):
    return evidence_path(fit_network(network(studies), "EE"), first, second)


def test_a_chain_hangs_on_every_link():
    found = path([two_arm("1", "b", "a", 0.6, 0.03), two_arm("2", "c", "b", 0.5, 0.01)])
    assert found.chain == ("a", "b", "c")
    assert [link.comparison.pair for link in found.links] == [("a", "b"), ("b", "c")]
    # Of a variance of 0.04 the first link contributes 0.03.
    assert [link.uncertainty for link in found.links] == pytest.approx([0.75, 0.25])
    assert [link.flow for link in found.links] == pytest.approx([1, 1])
    assert found.without_weakest is None


def test_trials_that_disagree_make_a_precise_link_the_weakest():
    found = path(
        [two_arm("1", "b", "a", 0.6, 0.04), two_arm("2", "c", "b", 0.5, 0.02),
         two_arm("3", "c", "b", -0.5, 0.02)]
    )  # fmt: skip
    weakest = found.links[0]
    assert weakest.comparison.studies == ("2", "3")
    # Q is 0.5**2 / 0.02 twice, on one degree of freedom; the variance of the two is 0.01.
    assert weakest.scatter.q == pytest.approx(25)
    assert weakest.uncertainty == pytest.approx(0.25 / 0.29)
    assert weakest.disagree
    # The pair is b against c, but the effects were reported for c against b.
    assert weakest.effects == pytest.approx((-0.5, 0.5))
    assert not found.links[1].disagree


AGREED = (
    two_arm("1", "b", "a", 0.6, 0.04), two_arm("2", "c", "b", 0.5, 0.02),
    two_arm("3", "c", "b", 0.4, 0.02),
)  # fmt: skip


def test_trials_that_agree_are_not_said_to_disagree():
    assert not any(link.disagree for link in path(AGREED).links)


def test_trials_more_alike_than_chance_makes_them_are_as_imprecise_as_their_errors():
    # Q is 0.25 on one degree of freedom; the variance of the two is 0.01.
    found = path(AGREED)
    assert [link.uncertainty for link in found.links] == pytest.approx([0.8, 0.2])


def test_in_a_triangle_a_path_is_left_without_the_weakest_link():
    found = path(
        [two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "a", 0.5, 0.01),
         two_arm("3", "c", "b", 0.2, 0.03)], "b", "a",
    )  # fmt: skip
    # Two thirds flow directly: 4/9 of 0.02, against 1/9 of 0.01 and of 0.03.
    assert found.chain == ("b", "a")
    assert [link.comparison.pair for link in found.links] == [("a", "b"), ("b", "c"), ("a", "c")]
    assert [link.uncertainty for link in found.links] == pytest.approx([8 / 12, 3 / 12, 1 / 12])
    # Without the direct trial the variance is 0.04 instead of 1/75.
    assert found.without_weakest == pytest.approx(np.sqrt(3))


def test_what_hardly_carries_evidence_is_no_link():
    found = path(
        [two_arm("1", "c", "a", 0.5, 0.001), two_arm("2", "b", "a", 0.5, 0.1),
         two_arm("3", "c", "b", 0.2, 0.1)]
    )  # fmt: skip
    assert [link.comparison.pair for link in found.links] == [("a", "c")]


def test_an_estimate_that_rests_on_many_small_flows_has_links_nevertheless():
    """Joined by 25 comparators alike, each with 4% of the flow."""
    names = [f"m{n:02d}" for n in range(25)]
    studies = [two_arm(f"{n}{end}", n, end, 0.1, 0.04) for n in names for end in ("a", "c")]
    assert len(path(studies).links) == 50
