"""Which trials identify an interaction, and their assumptions, in constructed networks."""

from types import SimpleNamespace

import pytest
from component_studies import network, parts, two_arm
from trial_evidence.network.components.interactions import Identification, identification
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.tables import _identified

TABLE = parts("A", "B", "A+B", "C", "A+C") | {"0": ()}
# A and B together against each of them: what B adds to A, and A to B.
PAIR = (
    two_arm("p1", ("A", "A+B"), 0.3, 0.04),
    two_arm("p2", ("B", "A+B"), 0.5, 0.04),
)


def of(*studies):
    return identification(NetworkData((*PAIR, *studies)), TABLE, ("A", "B"))


def test_a_trial_of_one_agent_against_nothing_completes_the_pair():
    found = of(two_arm("q", ("0", "A"), 0.2, 0.04))
    assert (found.alone, found.with_pair) == ((), False)
    assert found.resting_on == (("q", ()),)
    assert found.needed


def test_a_trial_on_top_of_another_agent_supposes_that_pair_additive():
    """A added to C is the effect of A only if A and C do not interact."""
    found = of(two_arm("q", ("C", "A+C"), 0.2, 0.04))
    assert found.resting_on == (("q", (("A", "C"),)),)
    assert found.needed


def test_of_two_trials_either_suffices():
    found = of(two_arm("q", ("0", "A"), 0.2, 0.04), two_arm("r", ("C", "A+C"), 0.2, 0.04))
    assert [name for name, _ in found.resting_on] == ["q", "r"]
    assert dict(found.resting_on)["r"] == (("A", "C"),)


@pytest.mark.parametrize(
    ("resting_on", "needed", "said"),
    [
        ([("q", ())], True, "q; without these it cannot be estimated"),
        ([("q", ()), ("r", ())], False, "Q or R"),
        ([("q", ()), ("r", (("A", "C"),))], False, "Q; or R (if A x C is additive)"),
        ([("q", (("A", "C"), ("A", "D")))], False, "Q (if A x C and A x D are additive)"),
    ],
)
def test_which_trials_an_interaction_rests_on_is_said(resting_on, needed, said):
    analysis = SimpleNamespace(trial_names=lambda studies: " ".join(studies).upper())
    found = Identification((), False, tuple(resting_on), needed)
    assert _identified(analysis, found).lower() == (
        f"the trials that include both, with {said}".lower()
    )


def test_a_trial_with_all_four_arms_shows_it_by_itself():
    counts = network(
        [
            {"study": "four", "treatment": treatment, "events": events, "n": 40}
            for treatment, events in (("0", 8), ("A", 14), ("B", 12), ("A+B", 24))
        ]
    )
    found = identification(NetworkData((*PAIR, *counts.studies)), TABLE, ("A", "B"))
    assert found.alone == ("four",)
    assert found.with_pair
    assert not found.needed
