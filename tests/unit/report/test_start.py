"""The start screen: the answer of each setting, its verdict, and facts about the report."""

import pytest
from invented import outcomes
from report_material import estimate, material, with_estimates
from trial_evidence.config.networks import Network, NetworkConfiguration, SurrogacyAnalysis
from trial_evidence.report.material.material import report_table
from trial_evidence.report.page.start import about, cards
from trial_evidence.report.tables.front import answers_table
from trial_evidence.words.errors import RequestError

RESPONSE = {"setting": "neoadjuvant", "analysis": "pcr_dual_v_trastuzumab", "outcome": "pCR",
            "measure": "risk_ratio", "participants": 1200.0}  # fmt: skip


def cards_of(pooled, rows, **tables):
    found = with_estimates(material(pooled), [estimate(**row) for row in rows])
    return {card.setting: card for card in cards(found, tables)}


def claimed(*verdicts, rules=("effect",)):
    place = {"setting": "neoadjuvant", "analysis": "pcr_dual_v_trastuzumab"}
    rows = [{"rule": rule, **place, "verdict": verdict}
            for rule, verdict in zip(rules, verdicts, strict=True)]  # fmt: skip
    return report_table("claims", "Claims", rows, [], list(rows[0]))


def test_benefit_lies_to_the_right_whatever_is_counted(pooled):
    half = {"estimate": 0.5, "ci_low": 0.4, "ci_high": 0.8}
    double = {"estimate": 2.0, "ci_low": 1.25, "ci_high": 2.5}
    found = cards_of(pooled, [half, {**RESPONSE, **double}])
    # More responses are as good as fewer events, and the intervals are equally wide.
    assert found["Neoadjuvant"].bar == found["Adjuvant"].bar
    low, middle, high = found["Adjuvant"].bar
    assert 50 < low < middle < high <= 100


def test_an_interval_across_no_effect_crosses_the_middle(pooled):
    found = cards_of(pooled, [{"estimate": 1.1, "ci_low": 0.5, "ci_high": 9.0}])
    low, middle, high = found["Adjuvant"].bar
    assert low == 0.0
    assert middle < 50 < high


def test_the_verdict_is_that_of_the_claim_and_has_a_sign(pooled):
    row = {**RESPONSE, "estimate": 2.0, "ci_low": 1.25, "ci_high": 2.5}
    probable = cards_of(pooled, [row], claims=claimed("probable"))["Neoadjuvant"]
    assert (probable.verdict, probable.sign) == ("Probable", "≈")
    unknown = cards_of(pooled, [row], claims=claimed("a word to come"))["Neoadjuvant"]
    assert (unknown.verdict, unknown.sign) == ("A word to come", "?")


def test_a_claim_on_another_question_gives_the_card_no_verdict(pooled):
    """Of the same analysis, such as on patients who benefit more, and before it in the table."""
    row = {**RESPONSE, "estimate": 2.0, "ci_low": 1.25, "ci_high": 2.5}
    claims = claimed("not supported", "probable", rules=("interaction", "effect"))
    assert cards_of(pooled, [row], claims=claims)["Neoadjuvant"].verdict == "Probable"


@pytest.mark.parametrize(
    ("verdict", "look"),
    [("supported", "good"), ("not supported", "bad"), ("not enough data", "open")],
)
def test_a_verdict_against_a_benefit_has_not_the_colour_of_one(pooled, verdict, look):
    row = {**RESPONSE, "estimate": 2.0, "ci_low": 1.25, "ci_high": 2.5}
    assert cards_of(pooled, [row], claims=claimed(verdict))["Neoadjuvant"].look == look


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [((0.4, 0.8), "Benefit"), ((0.8, 1.2), "No effect"), ((1.1, 1.5), "Harm")],
)
def test_without_a_claim_the_interval_speaks(pooled, limits, verdict):
    low, high = limits
    row = {"estimate": (low * high) ** 0.5, "ci_low": low, "ci_high": high}
    assert cards_of(pooled, [row])["Adjuvant"].verdict == verdict


def test_a_setting_without_a_result_has_no_card(pooled):
    assert list(
        cards_of(pooled, [RESPONSE | {"estimate": 2.0, "ci_low": 1.0, "ci_high": 4.0}])
    ) == ["Neoadjuvant"]


def test_what_the_report_says_of_itself(tmp_path):
    (tmp_path / "CITATION.cff").write_text(
        "version: 1.2.0\nauthors:\n  - {name: The group}\n"
        "  - {given-names: Jane, family-names: Doe}\n",
        encoding="utf-8",
    )
    facts = {"revision": {"date": "2026-02-03"}, "searched": ["2025-12-01", "2026-01-31"]}
    assert about(tmp_path, facts) == (
        "The group and Jane Doe. Version 1.2.0 of 2026-02-03. Searched until 2026-01-31. "
        "Not peer reviewed."
    )


@pytest.mark.parametrize("content", ["", "authors:\n", "authors:\n  - {given-names: Jane}\n"])
def test_a_citation_file_may_be_incomplete(tmp_path, content):
    (tmp_path / "CITATION.cff").write_text(content, encoding="utf-8")
    said = about(tmp_path, {"revision": {}, "searched": []})
    assert said == ("Jane. Not peer reviewed." if "Jane" in content else "Not peer reviewed.")


@pytest.mark.parametrize("content", ["authors: [Jane]\n", "version: [1\n"])
def test_a_citation_file_that_is_none_is_told(tmp_path, content):
    (tmp_path / "CITATION.cff").write_text(content, encoding="utf-8")
    with pytest.raises(RequestError, match=r"CITATION\.cff cannot be read as a citation file"):
        about(tmp_path, {"revision": {}, "searched": []})


def test_a_report_that_nobody_has_signed_is_still_not_peer_reviewed(tmp_path):
    facts = {"revision": {}, "searched": []}
    assert about(tmp_path, facts) == "Not peer reviewed."


def test_a_response_that_stands_for_survival_is_called_a_surrogate(pooled):
    """Otherwise readers would take a better response for longer survival."""
    networks = NetworkConfiguration(
        {}, {},
        (
            Network("net", "neoadjuvant", "A", outcomes("pcr"), "odds_ratio", "one|two|none"),
            Network("late", "neoadjuvant", "B", outcomes("OS"), "hazard_ratio", "one|two|none"),
            # Examined in one setting only, so that nothing is said of it in another.
            Network("early", "neoadjuvant", "D", outcomes("iDFS"), "hazard_ratio", "one|two|none"),
        ),
        (),
        (
            SurrogacyAnalysis("both", "neoadjuvant", "C", "net", "late", (0.0,)),
            SurrogacyAnalysis("more", "neoadjuvant", "E", "early", "late", (0.0,)),
        ),
    )  # fmt: skip
    rows = [
        estimate(**RESPONSE, estimate=2.0, ci_low=1.25, ci_high=2.5),
        estimate(estimate=0.8, ci_low=0.7, ci_high=0.9),
    ]
    found = with_estimates(material(pooled, networks=networks), rows)
    said = {card.setting: card.sentence for card in cards(found, {})}
    assert said["Neoadjuvant"].endswith("; surrogate outcome")
    assert "surrogate" not in said["Adjuvant"]
    answers = answers_table(found, {}).data.set_index("analysis")["sentence"]
    assert answers["pcr_dual_v_trastuzumab"].endswith(
        "complete response does not by itself show better overall survival."
    )
    assert "surrogate" not in answers["event_free_dual_v_single"]
