"""Regimens: an arm's agents, schedule and partner, and the same in words."""

import pytest
from invented import AGENTS, frame
from trial_evidence.extract.regimens import (
    agent_labels,
    arm_regimens,
    join_agents,
    regimen_label,
    spelled_out,
    with_labels,
)

LABELS = {"almab": "Almab", "bemab": "Bemab", "almab-x": "A-X", "x": "X"}


def regimens(*arms):
    return arm_regimens(frame("arms", [{"arm_id": str(i)} | arm for i, arm in enumerate(arms)]))


def test_ids_in_a_text_are_replaced_by_labels_as_whole_words():
    text = "almab x almab-x; not almabs, xalmab or x-almab"
    assert with_labels(text, LABELS) == "Almab X A-X; not almabs, xalmab or x-almab"
    assert with_labels("no labels at all", {}) == "no labels at all"


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        ("", ()),
        ("almab", ("almab",)),
        ("bemab+almab", ("almab", "bemab")),
        ("cetinib+almab+bemab", ("almab", "bemab", "cetinib")),
    ],
)
def test_agents_are_taken_apart_in_alphabetical_order(agents, expected):
    (arm,) = regimens({"agents": agents}).to_dict("records")
    assert (arm["agent_set"], arm["n_agents"]) == (expected, len(expected))


def test_order_of_agents_makes_no_other_regimen():
    first, second = regimens({"agents": "almab+bemab"}, {"agents": "bemab+almab"})["regimen"]
    assert first == second


@pytest.mark.parametrize(
    "change",
    [{"agents": "almab"}, {"her2_schedule": "sequential"}, {"partner": "endocrine"}],
    ids=["agents", "schedule", "partner"],
)
def test_agents_schedule_and_partner_make_the_regimen(change):
    arm = {"agents": "almab+bemab"}
    first, second = regimens(arm, arm | change)["regimen"]
    assert first != second


def test_duration_and_dose_make_no_other_regimen():
    arm = {"agents": "almab", "partner_detail": "weekly x12"}
    first, second = regimens(arm, arm | {"partner_detail": "every three weeks x4"})["regimen"]
    assert first == second


def test_a_table_without_arms_stays_one():
    empty = regimens()
    assert empty.empty
    assert {"agent_set", "n_agents", "regimen"} <= set(empty.columns)


def test_the_short_form_of_a_label_stands_in_brackets():
    labels = agent_labels(frame("agents", AGENTS))
    assert labels == {
        "almab": "Almab", "bemab": "Bemab", "cetinib": "Cetinib", "almab-x": "A-X",
    }  # fmt: skip


def test_a_bracket_without_its_other_half_is_part_of_the_name():
    agents = frame("agents", [{"agent": "almab", "label": "Almab AB1)"}])
    assert agent_labels(agents) == {"almab": "Almab AB1)"}
    assert spelled_out(agents) == {}


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        ([], "none"),
        (["almab"], "Almab"),
        (["almab", "bemab"], "Almab + bemab"),
        (["almab", "almab-x"], "Almab + A-X"),
        (["almab", "x"], "Almab + x"),
        (["unlabelled", "almab"], "unlabelled + almab"),
    ],
)
def test_agents_in_one_phrase(agents, expected):
    assert join_agents(agents, LABELS) == expected


@pytest.mark.parametrize(
    ("agents", "schedule", "partner", "expected"),
    [
        (["almab", "bemab"], "concurrent", "chemotherapy", "Almab + bemab with chemotherapy"),
        (["almab"], "concurrent", "endocrine", "Almab with endocrine therapy"),
        (["almab"], "concurrent", "none", "Almab alone"),
        (["almab", "bemab"], "sequential", "none", "Almab + bemab in sequence"),
        ([], "concurrent", "chemotherapy", "Chemotherapy alone"),
        ([], "concurrent", "none", "No HER2 agent"),
        # A placebo after another agent.
        ([], "sequential", "none", "No further HER2 agent"),
    ],
)
def test_regimens_in_words(agents, schedule, partner, expected):
    assert regimen_label(agents, schedule, partner, LABELS) == expected
