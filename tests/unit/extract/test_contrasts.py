"""Contrasts between two arms of a randomised trial: the experimental arm, and the kind."""

from itertools import permutations

import pytest
from invented import AGENTS, analysis, frame
from trial_evidence.config.configuration import ContrastRule
from trial_evidence.extract.contrasts import matches, trial_contrasts
from trial_evidence.extract.regimens import arm_regimens


def arm(name, agents, partner="chemotherapy", schedule="concurrent", trial="t1"):
    return {
        "trial_id": trial, "arm_id": name, "agents": agents, "partner": partner,
        "her2_schedule": schedule,
    }  # fmt: skip


def every(*arms, randomised="yes"):
    ids = dict.fromkeys(row["trial_id"] for row in arms)
    trials = frame("trials", [{"trial_id": t, "randomised": randomised} for t in ids])
    return trial_contrasts(arm_regimens(frame("arms", arms)), trials, frame("agents", AGENTS))


def contrasts(*arms, randomised="yes"):
    """Each pair once."""
    found = every(*arms, randomised=randomised)
    return found[~found["turned"].astype(bool)]


def only(*arms):
    (found,) = contrasts(*arms).to_dict("records")
    return found


@pytest.mark.parametrize(
    ("experimental", "control", "kind"),
    [
        (arm("e", "almab+bemab"), arm("c", "almab"), "dual v single"),
        (arm("e", "almab+cetinib"), arm("c", "almab+bemab"), "dual v dual"),
        (arm("e", "almab+bemab+cetinib"), arm("c", "almab+bemab"), "triple v dual"),
        (arm("e", "almab+bemab+cetinib"), arm("c", "almab"), "triple v single"),
        (arm("e", "bemab"), arm("c", "almab"), "single v single"),
        (arm("e", "almab"), arm("c", ""), "single v 0 agents"),
        (arm("e", "almab+bemab", schedule="sequential"), arm("c", "almab"), "sequential"),
        (arm("e", "almab+bemab"), arm("c", "almab", schedule="sequential"), "sequential"),
        (arm("e", "almab+bemab", "none"), arm("c", "almab+bemab"), "chemotherapy-free"),
        (arm("e", "almab+bemab", "endocrine"), arm("c", "almab+bemab"), "chemotherapy-free"),
        (
            arm("e", "almab+bemab", "endocrine"),
            arm("c", "almab+bemab", "none"),
            "same HER2 regimen",
        ),
        (arm("e", "almab+bemab"), arm("c", "almab+bemab"), "same HER2 regimen"),
        (arm("e", "almab+bemab", "none"), arm("c", "almab"), "dual v single"),
    ],
)
def test_the_arms_give_the_kind(experimental, control, kind):
    assert only(experimental, control)["kind"] == kind


@pytest.mark.parametrize(
    ("experimental", "control"),
    [
        (arm("e", "almab+bemab"), arm("c", "almab")),
        (arm("e", "almab+bemab"), arm("c", "cetinib", "none")),
        (arm("e", "almab-x+bemab"), arm("c", "almab+bemab")),
        (arm("e", "almab-x+bemab"), arm("c", "almab+bemab", "none")),
        (arm("e", "almab+bemab", "none"), arm("c", "almab+bemab")),
    ],
    ids=["more agents", "more agents, with chemotherapy", "conjugate",
         "conjugate, with chemotherapy", "without chemotherapy"],
)  # fmt: skip
def test_the_experimental_arm_does_not_depend_on_the_order_of_the_sheet(experimental, control):
    for arms in permutations([experimental, control]):
        found = only(*arms)
        assert (found["experimental_arm_id"], found["control_arm_id"]) == ("e", "c")


def test_of_arms_alike_the_later_one_is_experimental():
    found = only(arm("first", "almab"), arm("second", "bemab"))
    assert (found["experimental_arm_id"], found["control_arm_id"]) == ("second", "first")


@pytest.mark.parametrize(
    ("experimental", "control", "added"),
    [
        ("almab+bemab", "almab", "bemab"),
        ("bemab+cetinib", "almab", "bemab+cetinib"),
        ("almab-x+bemab", "almab+bemab", "almab-x"),
        ("almab", "", "almab"),
    ],
)
def test_added_agents_are_those_the_control_arm_lacks(experimental, control, added):
    assert only(arm("e", experimental), arm("c", control))["added_agents"] == added


def test_what_replaces_another_agent_is_added():
    assert only(arm("c", "almab+bemab"), arm("e", "almab+cetinib"))["added_agents"] == "cetinib"


def test_nothing_is_added_where_the_agents_are_the_same():
    assert only(arm("e", "almab", "none"), arm("c", "almab"))["added_agents"] == "none"


@pytest.mark.parametrize(
    ("experimental", "control", "changed"),
    [
        ("almab-x+bemab", "almab+bemab", True),
        ("almab-x+bemab", "almab", True),
        ("almab-x", "almab", True),
        ("almab+almab-x", "almab", False),  # added to the antibody, not replacing it
        ("almab-x+bemab", "almab-x", False),
        ("almab-x+bemab", "bemab", False),
        ("almab+bemab", "almab", False),
    ],
)
def test_a_conjugate_in_place_of_its_antibody_changes_the_backbone(experimental, control, changed):
    assert only(arm("e", experimental), arm("c", control))["changed_backbone"] is changed


def test_partners_are_compared():
    assert only(arm("e", "almab+bemab"), arm("c", "almab"))["same_partner"] is True
    assert only(arm("e", "almab+bemab", "none"), arm("c", "almab"))["same_partner"] is False


def test_every_pair_of_arms_makes_one_contrast():
    found = contrasts(arm("a", "almab+bemab"), arm("b", "almab"), arm("c", "bemab"))
    pairs = {frozenset(p) for p in zip(found["experimental_arm_id"], found["control_arm_id"],
                                       strict=True)}  # fmt: skip
    assert len(found) == 3
    assert pairs == {frozenset("ab"), frozenset("ac"), frozenset("bc")}


def test_arms_of_two_trials_make_none():
    found = contrasts(arm("a", "almab+bemab"), arm("b", "almab", trial="t2"))
    assert found.empty
    assert "kind" in found.columns


def test_trials_that_are_not_randomised_make_none():
    assert contrasts(arm("a", "almab+bemab"), arm("b", "almab"), randomised="no").empty


# ------------------------------------------------------------ which contrasts an analysis admits

FOUR_ARMS = [
    arm("dual", "almab+bemab"),
    arm("a", "almab"),
    arm("b", "bemab"),
    arm("dual_alone", "almab+bemab", "none"),
]


def taken(rule, *arms):
    found = matches(every(*arms), analysis(contrast=rule))
    return [
        (row["experimental_arm_id"], row["control_arm_id"])
        for rows in found.values()
        for row in rows
    ]


def test_only_the_kind_asked_for_is_taken():
    assert taken(ContrastRule("chemotherapy-free"), *FOUR_ARMS) == [("dual_alone", "dual")]


def test_same_partner_leaves_out_contrasts_that_change_two_things():
    any_partner = taken(ContrastRule("dual v single"), *FOUR_ARMS)
    same = taken(ContrastRule("dual v single", same_partner=True), *FOUR_ARMS)
    assert same == [("dual", "a"), ("dual", "b")]
    assert set(any_partner) - set(same) == {("dual_alone", "a"), ("dual_alone", "b")}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [(True, [("x", "ab")]), (False, [("bc", "ab")]), (None, [("x", "ab"), ("bc", "ab")])],
)
def test_the_backbone_can_be_asked_for(changed, expected):
    arms = [arm("ab", "almab+bemab"), arm("bc", "bemab+cetinib"), arm("x", "almab-x+bemab")]
    rule = ContrastRule("dual v dual", control=("almab+bemab",), changed_backbone=changed)
    assert sorted(taken(rule, *arms)) == sorted(expected)


@pytest.mark.parametrize("order", [1, -1])
def test_arms_alike_are_compared_as_the_rule_says_whatever_their_order(order):
    arms = [arm("ab", "almab+bemab"), arm("bc", "bemab+cetinib")][::order]
    for control, expected in (("almab+bemab", ("bc", "ab")), ("bemab+cetinib", ("ab", "bc"))):
        assert taken(ContrastRule("dual v dual", control=(control,)), *arms) == [expected]
    # A rule that names neither takes the pair once.
    assert taken(ContrastRule("dual v dual"), *arms) == [("bc", "ab")[::order]]


def test_arms_turned_add_what_the_other_lacks():
    found = every(arm("ab", "almab+bemab"), arm("bc", "bemab+cetinib"))
    added = dict(zip(found["experimental_arm_id"], found["added_agents"], strict=True))
    assert added == {"bc": "cetinib", "ab": "almab"}


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (("almab", "bemab"), [("dual", "a"), ("dual", "b")]),
        (("bemab", "almab"), [("dual", "b"), ("dual", "a")]),
        (("bemab",), [("dual", "b")]),
        (("cetinib",), []),
        # "any" admits every other arm, after those that are named.
        (("bemab", "any"), [("dual", "b"), ("dual", "a")]),
        (("almab", "any"), [("dual", "a"), ("dual", "b")]),
        (("cetinib", "any"), [("dual", "a"), ("dual", "b")]),
    ],
)
def test_control_arms_come_in_the_order_of_preference(control, expected):
    rule = ContrastRule("dual v single", control=control, same_partner=True)
    assert taken(rule, *FOUR_ARMS) == expected


@pytest.mark.parametrize(
    ("experimental", "expected"),
    [
        (("almab+bemab",), [("dual", "a")]),
        (("bemab+cetinib", "almab+bemab"), [("other", "a"), ("dual", "a")]),
    ],
)
def test_the_experimental_regimen_can_be_asked_for(experimental, expected):
    arms = [arm("dual", "almab+bemab"), arm("other", "bemab+cetinib"), arm("a", "almab")]
    rule = ContrastRule("dual v single", experimental=experimental, control=("almab",))
    assert taken(rule, *arms) == expected


def test_the_preferred_control_arm_counts_before_the_preferred_experimental_arm():
    arms = [arm("dual", "almab+bemab"), arm("other", "bemab+cetinib"), arm("a", "almab"),
            arm("b", "bemab")]  # fmt: skip
    rule = ContrastRule(
        "dual v single",
        experimental=("bemab+cetinib", "almab+bemab"),
        control=("almab", "bemab"),
    )
    assert taken(rule, *arms) == [("other", "a"), ("dual", "a"), ("other", "b"), ("dual", "b")]


def test_preference_does_not_shuffle_the_trials():
    second = [row | {"trial_id": "t2", "arm_id": row["arm_id"] + "2"} for row in FOUR_ARMS]
    rule = ContrastRule("dual v single", control=("bemab", "almab"), same_partner=True)
    assert taken(rule, *FOUR_ARMS, *second) == [
        ("dual", "b"), ("dual", "a"), ("dual2", "b2"), ("dual2", "a2"),
    ]  # fmt: skip


def test_an_arm_without_agents_can_be_a_control_arm():
    arms = [arm("seq", "almab", schedule="sequential"), arm("nothing", "")]
    assert taken(ContrastRule("sequential", control=("none",)), *arms) == [("seq", "nothing")]
