"""Certainty of network estimates: proposals by domain, and judgements that override them."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from invented import NAN
from report_material import material, with_table
from trial_evidence.report.tables.network_certainty import network_certainty_table
from trial_evidence.report.trail.evidence import NetworkTables
from trial_evidence.words.errors import RequestError

PLACE = {"setting": "adjuvant", "analysis": "event_free_network"}
OUTCOME = "iDFS"
TESTS_OF_DESIGNS = (
    "between designs (inconsistency)", "design-by-treatment interaction, random effects",
)  # fmt: skip


@pytest.fixture
def found(pooled, tmp_path):
    return material(pooled, tmp_path)


def rated(
    found, ends=(0.6, 0.5, 0.7), predicted=(0.45, 0.8), split_p=NAN, between_p=NAN, random_p=NAN,
    direct=0.0, risks=("low", "low"), judged=(), measure="hazard_ratio", trials="t0",
    lead="random_reml",
):  # fmt: skip
    """The row of one comparison, A + B v C via D, in a network of two trials."""
    estimate, low, high = ends
    effect = {"part": 1.0, "estimate": estimate, "ci_low": low, "ci_high": high}
    pair = {"first": "A+B", "second": "C"}
    link, other = {"first": "A+B", "second": "D"}, {"first": "C", "second": "D"}
    shares = [{**pair, "direct_first": f["first"], "direct_second": f["second"], "share": share}
              for f, share in ((link, 0.75), (other, 0.25))]  # fmt: skip
    # Rows of other estimates, which share one of the two regimens.
    shares += [{**f, "direct_first": f["first"], "direct_second": f["second"], "share": 1.0}
               for f in (link, other)]  # fmt: skip
    tables = {
        "alternatives": [{"code": "A+B", "comparator": "C", "reason": "", "lead": lead,
                          "direct_share": direct, "indirect_share": 1 - direct, **effect},
                         {"code": "A+B", "comparator": "D", "reason": "No path."}],
        "used": [{"trial": "ASH", "trial_id": "t0", "endpoint": OUTCOME},
                 {"trial": "ELM", "trial_id": "t1", "endpoint": OUTCOME}],
        "comparisons": [{**link, "trial_ids": trials}, {**other, "trial_ids": "t1"}],
        "contributions": shares,
        "league": [{**pair, "model": "random_reml", **effect, "pi_low": predicted[0],
                    "pi_high": predicted[1],
                    **({} if lead == "random_reml" else {"ci_low": 0.4, "ci_high": 1.2})}],
        "split": [{**pair, "difference_p": split_p}],
        "inconsistency": [
            {"part": part, "kind": kind, "p_value": p}
            for part, ps in ((1.0, (between_p, random_p)), (2.0, (0.001, 0.001)))
            for kind, p in zip(TESTS_OF_DESIGNS, ps, strict=True)
        ],
    }  # fmt: skip
    network = SimpleNamespace(
        setting=PLACE["setting"], id=PLACE["analysis"], title="Event-free survival",
        endpoints=(OUTCOME,), measure=measure,
    )  # fmt: skip
    # "almab" is the agent of the invented sheet.
    networks = SimpleNamespace(networks=(network,), abbreviations={"almab": "A", "none": "Z"})
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    key = f"{PLACE['setting']}/{PLACE['analysis']}"
    changed = replace(
        found, networks=networks,
        evidence=replace(found.evidence, networks=NetworkTables({key: frames}, ())),
    )  # fmt: skip
    changed = with_table(
        changed, "risk_of_bias",
        [{"trial_id": f"t{at}", "outcome": OUTCOME, "overall": risk}
         for at, risk in enumerate(risks) if risk],
    )  # fmt: skip
    if judged:
        changed = with_table(changed, "certainty", judged)
    table = network_certainty_table(changed)
    assert "A: " in table.notes[-1], "the codes are not explained"
    return table.data.iloc[0]


def test_a_difference_is_not_judged_by_what_a_ratio_reaches(found):
    row = rated(found, measure="risk_difference")
    assert (row["imprecision"], row["heterogeneity"]) == ("not_judged", "not_judged")
    assert row["imprecision_reason"] == "The rule applies to ratios only."


def test_heterogeneity_is_what_prediction_adds_to_the_interval_that_is_printed(found):
    """The leading model has no prediction interval, and the other model a wider interval."""
    row = rated(found, predicted=(0.2, 1.3), lead="common")
    assert row["heterogeneity"] == "very_serious"
    said = "The prediction interval by the random-effects model (0.20–1.30) reaches"
    assert row["heterogeneity_reason"].startswith(said)
    own = rated(found, predicted=(0.2, 1.3))["heterogeneity_reason"]
    assert own.startswith("The prediction interval (0.20–1.30) reaches")


def test_heterogeneity_without_a_prediction_interval_is_not_judged(found):
    row = rated(found, predicted=(NAN, NAN))
    assert (row["heterogeneity"], row["heterogeneity_reason"]) == (
        "not_judged", "No prediction interval can be given."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.6, 0.5, 0.99), "not_serious"),
        ((0.8, 0.6, 1.0), "serious"),  # a limit of 1 includes no difference
        ((0.9, 0.6, 1.24), "serious"),
        ((0.9, 0.6, 1.25), "very_serious"),  # reaches a relevant harm
        ((1.5, 0.8, 2.5), "very_serious"),  # the same in the other direction: 0.8 is 1/1.25
    ],
)
def test_imprecision_is_what_the_interval_reaches(found, ends, expected):
    assert rated(found, ends, predicted=ends[1:])["imprecision"] == expected


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [((0.4, 0.9), "not_serious"), ((0.3, 1.1), "serious"), ((0.2, 1.3), "very_serious")],
)
def test_heterogeneity_is_what_prediction_adds_to_the_interval(found, predicted, expected):
    assert rated(found, predicted=predicted)["heterogeneity"] == expected


def test_what_the_interval_itself_reaches_is_not_held_against_heterogeneity(found):
    row = rated(found, ends=(0.9, 0.6, 1.4), predicted=(0.5, 1.6))
    assert (row["imprecision"], row["heterogeneity"]) == ("very_serious", "not_serious")


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"split_p": 0.2, "between_p": 0.01}, "not_serious"),  # its split takes precedence
        ({"split_p": 0.07}, "serious"),
        ({"split_p": 0.01}, "very_serious"),
        ({"between_p": 0.07}, "serious"),
        ({"between_p": 0.5}, "not_serious"),
        ({"between_p": 0.01, "random_p": 0.07}, "serious"),  # heterogeneity is not incoherence
        ({"between_p": 0.07, "random_p": 0.14}, "not_serious"),
        ({"direct": 1.0}, "not_serious"),
        ({}, "serious"),  # indirect, and cannot be tested
    ],
)
def test_incoherence_goes_by_the_split_then_by_the_designs(found, evidence, expected):
    assert rated(found, **evidence)["incoherence"] == expected


def test_how_much_of_an_estimate_is_indirect_is_said_where_nothing_can_contradict_it(found):
    assert rated(found, direct=0.3)["incoherence_reason"].endswith("; 70% of it is indirect.")


def test_bias_is_weighted_by_what_each_trial_contributes(found):
    # ASH contributes 75%, ELM 25%.
    row = rated(found, risks=("high", "low"))
    assert row["within_study_bias"] == "very_serious"
    assert row["within_study_bias_reason"].endswith("low 25%, high 75%.")
    assert rated(found, risks=("low", "some_concerns"))["within_study_bias"] == "not_serious"
    # Two trials of one comparison share its contribution equally: 37.5% each.
    row = rated(found, risks=("high", "low"), trials="t0; t1")
    assert row["within_study_bias_reason"].endswith("low 63%, high 38%.")


def test_levels_add_up_and_say_what_lowered_them(found):
    row = rated(found, split_p=0.2)
    assert row["certainty"] == "High (provisional)"
    row = rated(found, ends=(0.9, 0.6, 1.1), split_p=0.07)
    assert row["certainty"] == "Low (provisional)"
    assert "Imprecision, serious: The interval (0.60–1.10) includes 1" in row["lowered_by"]
    assert "Incoherence, serious: Direct and indirect evidence differ" in row["lowered_by"]


def test_a_judgement_on_the_comparison_goes_before_one_on_the_network(found):
    judgement = {**PLACE, "domain": "indirectness", "initials": "QQ", "date": "2026-02-03"}
    on_all = {**judgement, "comparison": "", "judgement": "serious", "reason": "Unlike."}
    on_one = {**judgement, "comparison": "A+B v C", "judgement": "not_serious", "reason": "Alike."}
    other = {**judgement, "comparison": "A+B v D", "judgement": "very_serious", "reason": "No."}
    assert rated(found, judged=[on_all])["indirectness"] == "serious"
    assert rated(found, judged=[on_one, on_all, other])["indirectness"] == "not_serious"


def test_a_judgement_on_a_comparison_that_the_network_does_not_have_is_refused(found):
    """It would change nothing, while who wrote it believes that it does."""
    judgement = {**PLACE, "domain": "indirectness", "judgement": "serious", "reason": "Unlike."}
    with pytest.raises(RequestError) as refused:
        rated(found, judged=[{**judgement, "comparison": "C v A+B", "row": 7.0}])
    assert str(refused.value) == (
        "certainty.csv, row 7 (event_free_network), column comparison: "
        '"C v A+B" is not a comparison of this network. Allowed: A+B v C, A+B v D.\n'
        "The report was not written."
    )
