"""What enters a network: which report of a trial, which arms as nodes, which covariance."""

import math
from dataclasses import replace

import numpy as np
import pytest
from invented import PROJECT, ROOT, SETTING, analysis, configuration, outcomes, sheet
from trial_evidence.config.networks import Network, NetworkConfiguration, read_networks
from trial_evidence.loaded import DICTIONARY
from trial_evidence.network.analysis import analyse
from trial_evidence.network.components.additive import interaction_observations
from trial_evidence.network.evidence.nodes import SEQUENCE, nodes_of
from trial_evidence.network.evidence.rows import (
    APART,
    DERIVED,
    FOLLOWS,
    NO_INFORMATION,
    NOT_RANDOMISED,
    ONE_REGIMEN,
    SAME_REGIMEN,
    SHARED_ARM,
    TWO_ARMS,
    network_evidence,
)
from trial_evidence.network.tables import network_tables
from trial_evidence.pool.engine.results import Refused
from trial_evidence.sheet import load_sheet, read_dictionary

ARM_A = {"arm_id": "a", "agents": "almab"}
ARM_B = {"arm_id": "b", "agents": "bemab"}
ARM_AB = {"arm_id": "ab", "agents": "almab+bemab"}
A, B, AB = (f"{agents}|concurrent|chemotherapy" for agents in ("almab", "bemab", "almab+bemab"))
RESPONSE = Network("net", SETTING, "A network", outcomes("pcr"), "odds_ratio", A)
TIMES = Network("net", SETTING, "A network", outcomes("EFS", "DFS"), "hazard_ratio", A)


def evidence(content, network, own_nodes=None, analyses=(), **more):
    abbreviations = {"almab": "A", "bemab": "B", "chemotherapy": "CT"}
    networks = NetworkConfiguration(abbreviations, own_nodes or {}, (network,), (), (), **more)
    return network_evidence(content, configuration(*analyses), networks, network)


def count(arm, **more):
    return {"trial_id": "one", "arm_id": arm} | more


def hazard(experimental, control, hr, ci_low, ci_high, **more):
    return {
        "trial_id": "one", "experimental_arm_id": experimental, "control_arm_id": control,
        "endpoint": "EFS", "hr": hr, "ci_low": ci_low, "ci_high": ci_high,
    } | more  # fmt: skip


def reasons(found):
    return dict(zip(found.set_aside["row"], found.set_aside["reason"], strict=True))


# ------------------------------------------------------------------------------------- responses


def test_arms_of_one_regimen_are_added_up():
    arms = [ARM_A, ARM_AB, ARM_AB | {"arm_id": "ab_long"}]
    rows = [
        count("a", events=20.0),
        count("ab", events=30.0, n=80.0),
        count("ab_long", events=25.0, n=60.0),
    ]
    used = evidence(sheet({"one": arms}, pcr=rows), RESPONSE).used.set_index("regimen")
    assert (used.loc[AB, "events"], used.loc[AB, "n"]) == (55.0, 140.0)
    assert used.loc[AB, "arm_ids"] == "ab;ab_long"


def test_the_report_that_joins_most_regimens_is_taken():
    rows = [
        count("a"), count("ab"),
        *(count(arm, definition="ypT0/is") for arm in ("a", "b", "ab")),
    ]  # fmt: skip
    found = evidence(sheet({"one": [ARM_A, ARM_B, ARM_AB]}, pcr=rows), RESPONSE)
    assert set(found.used["definition"]) == {"ypT0/is"}
    assert reasons(found) == dict.fromkeys(
        (2, 3), "another report joins 3 regimens of the trial, this one fewer"
    )


def test_among_reports_of_as_many_regimens_the_preferred_one_is_taken():
    rows = [
        *(count(arm, definition="ypT0/is") for arm in ("a", "ab")),
        *(count(arm, definition="ypT0/is ypN0") for arm in ("a", "ab")),
    ]
    found = evidence(sheet({"one": [ARM_A, ARM_AB]}, pcr=rows), RESPONSE)
    assert set(found.used["definition"]) == {"ypT0/is ypN0"}
    assert set(reasons(found)) == {2, 3}


def test_counts_enter_with_the_variances_of_their_arms():
    rows = [count("a", events=20.0), count("b", events=40.0), count("ab", events=50.0)]
    (study,) = evidence(sheet({"one": [ARM_A, ARM_B, ARM_AB]}, pcr=rows), RESPONSE).data.studies
    effect, variance = study.pair(AB, A)
    # log(50/50) - log(20/80); 1/50 + 1/50 + 1/20 + 1/80
    assert effect == pytest.approx(math.log(4))
    assert variance == pytest.approx(0.1025)
    # two contrasts against one arm share the variance of its log odds
    against_a = study.relative_to(A).covariance
    assert against_a[0, 1] == pytest.approx(1 / 20 + 1 / 80)


@pytest.mark.parametrize(
    ("arms", "about", "rows", "reason"),
    [
        ([ARM_A, ARM_AB], {"randomised": "no"}, [count("a"), count("ab")], NOT_RANDOMISED),
        ([ARM_A, ARM_A | {"arm_id": "x"}], {}, [count("a"), count("x")], ONE_REGIMEN),
        (
            [ARM_A, ARM_AB],
            {},
            [count("a", events=0.0), count("ab", events=0.0)],
            NO_INFORMATION,
        ),
    ],
)
def test_a_trial_that_compares_nothing_is_set_aside(arms, about, rows, reason):
    found = evidence(sheet({"one": arms}, trials={"one": about}, pcr=rows), RESPONSE)
    assert found.data is None
    assert reasons(found) == {2: reason, 3: reason}


def test_an_excluded_arm_stays_out_unless_it_is_a_node_of_its_own():
    rows = [count("a"), count("b"), count("ab")]
    out = [{"trial_id": "one", "arm_id": "b", "reason": "not what it seems"}]
    content = sheet({"one": [ARM_A, ARM_B, ARM_AB]}, pcr=rows, exclusions=out)
    without = evidence(content, RESPONSE)
    assert set(without.used["regimen"]) == {A, AB}
    assert reasons(without) == {3: "not what it seems"}
    own = evidence(content, RESPONSE, {"b": "adapted"})
    assert set(own.used["regimen"]) == {A, AB, f"{B}|adapted"}
    assert own.nodes[f"{B}|adapted"].code == "B+CT adapted"


def test_sequence_and_partner_make_nodes():
    nodes = nodes_of(
        [AB, "almab+bemab|sequential|chemotherapy", "almab+bemab|concurrent|none",
         "none|concurrent|none"],
        {"almab": "Almab"}, {"almab": "A", "chemotherapy": "CT"},
    )  # fmt: skip
    assert [node.code for node in nodes.values()] == [
        "A+bemab+CT", "A+bemab", "A+bemab+CT seq", "placebo",
    ]  # fmt: skip
    in_sequence = nodes["almab+bemab|sequential|chemotherapy"].components
    assert in_sequence == ("almab", "bemab", "chemotherapy", SEQUENCE)
    assert nodes["none|concurrent|none"].components == ()


# ---------------------------------------------------------------------------------- hazard ratios


def test_contrasts_that_share_an_arm_are_correlated_by_a_half():
    rows = [hazard("b", "a", 0.8, 0.6, 1.0667), hazard("ab", "a", 0.5, 0.25, 1.0)]
    found = evidence(sheet({"one": [ARM_A, ARM_B, ARM_AB]}, hazard_ratios=rows), TIMES)
    assert set(found.used["covariance"]) == {SHARED_ARM}
    (study,) = found.data.studies
    covariance = study.relative_to(A).covariance
    # the standard error from the interval at its own level, 1.959964 on either side
    se = [math.log(high / low) / (2 * 1.959964) for low, high in ((0.6, 1.0667), (0.25, 1.0))]
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), se, rtol=1e-6)
    assert covariance[0, 1] == pytest.approx(0.5 * se[0] * se[1], rel=1e-6)


def test_a_chain_of_contrasts_keeps_its_effects():
    # b against a, then ab against b: ab against a is their product
    rows = [hazard("b", "a", 0.8, 0.6, 1.0667), hazard("ab", "b", 0.5, 0.25, 1.0)]
    (study,) = evidence(
        sheet({"one": [ARM_A, ARM_B, ARM_AB]}, hazard_ratios=rows), TIMES
    ).data.studies
    assert math.exp(study.pair(AB, A)[0]) == pytest.approx(0.4)
    assert math.exp(study.pair(AB, B)[0]) == pytest.approx(0.5)
    one, two = (math.log(h / low) / (2 * 1.959964) for low, h in ((0.6, 1.0667), (0.25, 1.0)))
    # the contrasts have the shared arm on opposite sides: a correlation of minus a half
    assert study.pair(AB, A)[1] == pytest.approx(one**2 + two**2 - one * two, rel=1e-6)


def test_all_pairwise_contrasts_derive_the_covariance():
    # equal standard errors s make the covariance against one arm s**2 / 2
    rows = [
        hazard("b", "a", 0.8, 0.6, 1.0667),
        hazard("ab", "a", 0.4, 0.3, 0.53333),
        hazard("ab", "b", 0.5, 0.375, 0.66667),
    ]
    found = evidence(sheet({"one": [ARM_A, ARM_B, ARM_AB]}, hazard_ratios=rows), TIMES)
    assert set(found.used["covariance"]) == {DERIVED}
    covariance = found.data.studies[0].relative_to(A).covariance
    assert covariance[0, 1] / covariance[0, 0] == pytest.approx(0.5, abs=1e-3)


def test_pairwise_contrasts_that_contradict_one_another_fall_back_on_the_basic_ones():
    rows = [
        hazard("b", "a", 0.8, 0.6, 1.0667),
        hazard("ab", "a", 0.4, 0.3, 0.53333),
        hazard("ab", "b", 2.0, 1.5, 2.6667),
    ]
    found = evidence(sheet({"one": [ARM_A, ARM_B, ARM_AB]}, hazard_ratios=rows), TIMES)
    assert set(found.used["covariance"]) == {
        f"{SHARED_ARM}; the pairwise hazard ratios contradict one another"
    }
    assert reasons(found) == {4: FOLLOWS}


def test_two_arms_need_no_covariance():
    rows = [hazard("ab", "a", 0.5, 0.25, 1.0), hazard("ab", "a", 0.6, 0.3, 1.2, endpoint="DFS")]
    found = evidence(sheet({"one": [ARM_A, ARM_AB]}, hazard_ratios=rows), TIMES)
    assert found.used["covariance"].tolist() == [TWO_ARMS]
    assert found.used["endpoint"].tolist() == ["EFS"]
    assert reasons(found) == {3: "endpoint: EFS is preferred to DFS"}


def test_patients_of_a_hazard_ratio_stand_with_their_arm():
    arms = [ARM_A | {"n_randomised": 101.0}, ARM_AB | {"n_randomised": 202.0}]
    for printed, expected in (
        ({"n_experimental": 200.0, "n_control": 99.0}, (200, 99)),
        ({"n_experimental": 200.0}, (200, 101)),
        ({}, (202, 101)),
    ):
        rows = [hazard("ab", "a", 0.5, 0.25, 1.0, **printed)]
        (used,) = evidence(sheet({"one": arms}, hazard_ratios=rows), TIMES).used.to_dict("records")
        assert (used["n"], used["n_against"]) == expected


def test_a_contrast_of_one_regimen_is_set_aside():
    arms = [ARM_A, ARM_AB, ARM_AB | {"arm_id": "ab_long"}]
    rows = [hazard("ab", "a", 0.5, 0.25, 1.0), hazard("ab_long", "ab", 0.9, 0.5, 1.62)]
    found = evidence(sheet({"one": arms}, hazard_ratios=rows), TIMES)
    assert reasons(found) == {3: SAME_REGIMEN}


def test_arms_that_no_hazard_ratio_joins_stay_apart():
    arms = [
        ARM_A, ARM_B, ARM_AB,
        {"arm_id": "c", "agents": "cetinib"}, {"arm_id": "ac", "agents": "almab+cetinib"},
    ]  # fmt: skip
    rows = [
        hazard("b", "a", 0.8, 0.6, 1.0667), hazard("ab", "a", 0.5, 0.25, 1.0),
        hazard("ac", "c", 0.5, 0.25, 1.0),
    ]  # fmt: skip
    found = evidence(sheet({"one": arms}, hazard_ratios=rows), TIMES)
    assert reasons(found) == {4: APART}


# ------------------------------------------------------------------- a node of its own, readers

OWN = {"ab": "adapted"}
EXCLUSION = {"trial_id": "one", "arm_id": "ab", "subgroup": "*", "reason": "not what it says"}


def test_an_exclusion_from_everything_does_not_hold_for_a_node_of_its_own_and_is_said():
    content = sheet({"one": [ARM_A, ARM_AB]}, pcr=[count("a"), count("ab")],
                    exclusions=[EXCLUSION | {"analysis": "*"}])  # fmt: skip
    assert evidence(content, RESPONSE).data is None
    used = evidence(content, RESPONSE, OWN).used.set_index("arm_ids")
    assert used["exclusion_overridden"].to_dict() == {"a": "", "ab": "not what it says"}


@pytest.mark.parametrize(
    ("excluded_from", "subgroup", "said"),
    [("event_free", "*", "doubtful"), ("event_free", "nodal", ""), ("elsewhere", "*", "")],
)
def test_a_trial_excluded_from_a_pairwise_analysis_of_the_outcome_is_said_to_be_used(
    excluded_from, subgroup, said
):
    """Its result, too doubtful for the pool, would otherwise drive the network unseen."""
    content = sheet({"one": [ARM_A, ARM_AB]},
                    hazard_ratios=[hazard("ab", "a", 0.5, 0.25, 1.0)],
                    exclusions=[{"trial_id": "one", "arm_id": "", "analysis": excluded_from,
                                 "subgroup": subgroup, "reason": "doubtful"}])  # fmt: skip
    pairs = analysis(id="event_free", endpoints=("EFS",)), analysis(id="elsewhere")
    found = evidence(content, TIMES, analyses=pairs)
    assert list(found.used["exclusion_overridden"]) == [said]


def test_a_node_of_its_own_is_said_on_either_side_of_a_hazard_ratio():
    for experimental, control in (("ab", "a"), ("a", "ab")):
        content = sheet({"one": [ARM_A, ARM_AB]},
                        hazard_ratios=[hazard(experimental, control, 0.5, 0.25, 1.0)],
                        exclusions=[EXCLUSION | {"analysis": "*"}])  # fmt: skip
        assert list(evidence(content, TIMES, OWN).used["exclusion_overridden"]) == [
            "not what it says"
        ]


def test_a_mixed_arm_is_called_by_its_name_and_not_by_the_agents_written_for_it():
    """The sheet needs some agent for an arm in which patients had what their physician chose."""
    content = sheet({"one": [ARM_A, ARM_AB]}, pcr=[count("a"), count("ab")])
    nodes = evidence(content, RESPONSE, mixed_arms={"a": "free choice"}).nodes.values()
    (mixed,) = (node for node in nodes if "choice" in node.label)
    assert (mixed.code, mixed.label) == ("Free choice", "Free choice")
    assert mixed.components == ("free choice",)


def test_mixed_arms_of_one_name_are_one_node_whatever_is_written_for_them():
    """Agents that follow each other in one of them would make it a second node."""
    after = ARM_A | {"arm_id": "other", "schedule": "sequential"}
    rows = [count("a"), count("ab"), count("other", trial_id="two"), count("both", trial_id="two")]
    content = sheet({"one": [ARM_A, ARM_AB], "two": [after, ARM_AB | {"arm_id": "both"}]}, pcr=rows)
    mixed = {"a": "free choice", "other": "free choice"}
    nodes = evidence(content, RESPONSE, mixed_arms=mixed).nodes.values()
    assert len([node for node in nodes if "choice" in node.label]) == 1


def test_an_exclusion_that_names_the_network_holds_for_a_node_of_its_own():
    content = sheet({"one": [ARM_A, ARM_AB]}, pcr=[count("a"), count("ab")],
                    exclusions=[EXCLUSION | {"analysis": "net"}])  # fmt: skip
    found = evidence(content, RESPONSE, OWN)
    assert found.data is None
    assert reasons(found)[3] == "not what it says"


# ------------------------------------------------------------------------------------ real sheet


@pytest.fixture(scope="module")
def real():
    return networks_of(ROOT / "data/raw")


@pytest.fixture(scope="module")
def frozen():
    """Thirteen trials of the sheet at an earlier time."""
    return networks_of(ROOT / "tests/reference/frozen_sheet")


def networks_of(raw):
    networks = read_networks(ROOT / "config", PROJECT)
    content, _ = load_sheet(raw, read_dictionary(DICTIONARY))
    return {
        (network.setting, network.id): network_evidence(content, PROJECT, networks, network)
        for network in networks.networks
    }


def test_every_regimen_is_in_one_part_of_its_network(real):
    for found in real.values():
        parts = [set(part.treatments) for part in found.data.parts]
        assert set().union(*parts) == set(found.nodes)
        assert sum(map(len, parts)) == len(found.nodes)


def test_every_node_has_a_code_of_its_own(real):
    for found in real.values():
        codes = [node.code for node in found.nodes.values()]
        assert len(set(codes)) == len(codes)


def test_no_row_is_both_used_and_set_aside(real):
    for found in real.values():
        used = {int(row) for rows in found.used["rows"] for row in rows.split(";")}
        assert used.isdisjoint(found.set_aside["row"])


def test_only_admitted_rows_are_used(real):
    for found in real.values():
        words = {word for cell in found.used["verification"] for word in cell.split("; ")}
        assert words <= {"primary", "secondary"}


def test_where_two_readers_differ_is_said(frozen):
    # second_reading.csv: 35.4% and 38% of the 285 patients of this arm
    used = frozen["neoadjuvant", "pcr_network"].used.set_index("arm_ids")
    assert used.loc["phergain_b", "readers_differ"] == "reported percent 35.4 or 38"
    assert used.loc["phergain_a", "readers_differ"] == ""


def test_no_network_tells_the_interaction_of_chemotherapy_and_trastuzumab(frozen):
    # docs/network.md says so, and why
    for found in frozen.values():
        components = {regimen: node.components for regimen, node in found.nodes.items()}
        pair = ("chemotherapy", "trastuzumab")
        assert isinstance(interaction_observations(found.data, components, pair), Refused)


# ----------------------------------------------------------------------- tables of what it rests on


ABOUT = {"phase": "3", "blinded": "no", "population": "", "region": ""}


def tables(content, network):
    return network_tables(analyse(evidence(content, network), configuration()), "early")


def test_a_comparison_is_told_the_populations_of_its_own_arms():
    content = sheet(
        {"one": [ARM_A, ARM_B, ARM_AB]},
        trials={"one": ABOUT},
        pcr=[count("a"), count("b", population="evaluable"), count("ab", events=55.0)],
    )
    found = tables(content, RESPONSE)["transitivity"]
    columns = ["first", "second", "population_analysed"]
    assert found[columns].values.tolist() == [
        ["A+B+CT", "A+CT", "ITT"],
        ["A+B+CT", "B+CT", "ITT; evaluable"],
        ["A+CT", "B+CT", "ITT; evaluable"],
    ]


def test_dual_regimens_stand_in_the_order_of_their_rank_and_those_without_a_path_last():
    arms = {"dual": "almab+bemab", "other": "almab+cetinib", "single": "almab"}
    apart = {"both": "bemab+cetinib", "alone": "cetinib"}
    content = sheet(
        {
            "one": [{"arm_id": name, "agents": agents} for name, agents in arms.items()],
            "two": [{"arm_id": name, "agents": agents} for name, agents in apart.items()],
        },
        trials={"one": ABOUT, "two": ABOUT},
        pcr=[
            count("single", events=20.0), count("dual", events=30.0), count("other", events=60.0),
            count("both", trial_id="two", events=90.0), count("alone", trial_id="two", events=5.0),
        ],
    )  # fmt: skip
    found = tables(content, replace(RESPONSE, alternatives=(A,)))["alternatives"]
    assert list(found["code"]) == ["A+cetinib+CT", "A+B+CT", "B+cetinib+CT"]
    assert list(found["estimate"].isna()) == [False, False, True]


def test_a_dual_regimen_may_itself_be_the_alternative_of_another():
    arms = {"dual": "almab+bemab", "other": "almab+cetinib", "single": "almab"}
    content = sheet(
        {"one": [{"arm_id": name, "agents": agents} for name, agents in arms.items()]},
        trials={"one": ABOUT},
        pcr=[count("single", events=20.0), count("dual", events=30.0), count("other", events=60.0)],
    )
    found = tables(content, replace(RESPONSE, alternatives=(AB,)))["alternatives"]
    assert found[["code", "comparator"]].values.tolist() == [["A+cetinib+CT", "A+B+CT"]]
    # 60 of 100 against 30 of 100
    assert found["estimate"].item() == pytest.approx((60 / 40) / (30 / 70))
