"""config/networks.yaml: what is allowed in it, and the messages about errors."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from invented import PROJECT
from trial_evidence.config.networks import read_networks, unknown_network_names
from trial_evidence.words.problems import SheetError

CONFIG = Path(__file__).resolve().parents[2] / "config"
EARLY = replace(PROJECT, settings={"early": "Early"})
REFERENCE = {"agents": "almab", "schedule": "concurrent", "partner": "chemotherapy"}
CONTENT = {
    "abbreviations": {"almab": "A", "chemotherapy": "CT"},
    "own_nodes": {"arm_x": "adapted"},
    "networks": [
        {"id": "response", "setting": "early", "title": "Response", "outcome": "pcr",
         "measure": "odds_ratio", "reference": REFERENCE, "interactions": [["almab", "bemab"]]},
        {"id": "survival", "setting": "early", "title": "Survival", "outcome": ["EFS", "DFS"],
         "measure": "hazard_ratio", "reference": REFERENCE},
    ],
    "synergy": [
        {"network": "response", "setting": "early", "title": "Synergy",
         "background": [{"rate": 0.0, "basis": "the bound"}]},
    ],
    "surrogacy": [
        {"id": "surrogate", "setting": "early", "title": "Surrogacy", "surrogate": "response",
         "endpoint": "survival", "correlations": [0.0, -0.4]},
    ],
}  # fmt: skip


def written(folder, content):
    text = yaml.safe_dump(content, sort_keys=False)
    (folder / "networks.yaml").write_text(text, encoding="utf-8")
    return folder


def changed(path, value):
    content = copy.deepcopy(CONTENT)
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return content


def test_the_configuration_of_the_project_is_sound():
    networks = read_networks(CONFIG, PROJECT)
    assert {network.setting for network in networks.networks} == set(PROJECT.settings)


def test_everything_is_read(tmp_path):
    networks = read_networks(written(tmp_path, CONTENT), EARLY)
    response, survival = networks.of_setting("early")
    assert (response.table, response.kind) == ("pcr", "counts")
    assert not response.fewer_is_better
    assert response.reference == "almab|concurrent|chemotherapy"
    assert response.interactions == (("almab", "bemab"),)
    assert survival.endpoints == ("EFS", "DFS")
    assert survival.fewer_is_better
    assert networks.synergy[0].background[0].rate == 0.0
    assert networks.surrogacy[0].correlations == (0.0, -0.4)


@pytest.mark.parametrize(
    ("path", "value", "column", "said"),
    [
        (
            ("networks", 0, "setting"),
            "late",
            "networks.setting",
            'response: "late" is not a setting of',
        ),
        (("networks", 1, "id"), "response", "networks.id", 'response: "response" occurs twice.'),
        (("networks", 0, "outcome"), "pCR", "networks.outcome", 'Did you mean "pcr"?'),
        (
            ("networks", 1, "outcome"),
            ["EFS", "pcr"],
            "networks.outcome",
            "the first outcome in hazard",
        ),
        (("synergy", 0, "network"), "other", "synergy.network", "is not a network of this file"),
        (
            ("synergy", 0, "network"),
            "survival",
            "synergy.network",
            "must be a network that counts",
        ),
        (
            ("surrogacy", 0, "endpoint"),
            "response",
            "surrogacy.endpoint",
            "must be a network that is timed",
        ),
    ],
)
def test_what_does_not_fit_together_is_said(tmp_path, path, value, column, said):
    with pytest.raises(SheetError) as caught:
        read_networks(written(tmp_path, changed(path, value)), EARLY)
    found = [p for p in caught.value.problems if p.column == column and said in p.message]
    assert found
    assert {p.file for p in caught.value.problems} == {"networks.yaml"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("networks", 0, "colour"), "red"),
        (("networks", 0, "reference"), {"agents": "almab"}),
        (("networks", 0, "interactions"), [["almab"]]),
        (("synergy", 0, "background"), []),
        (("synergy", 0, "background", 0, "rate"), 1.0),
        (("surrogacy", 0, "correlations"), [1.0]),
        (("own_nodes",), {"arm_x": "a|b"}),
        # Two agents with the same abbreviation are indistinguishable in a figure.
        (("abbreviations",), {"almab": "A", "bemab": "A"}),
    ],
)
def test_what_breaks_the_schema_is_refused(tmp_path, path, value):
    with pytest.raises(SheetError):
        read_networks(written(tmp_path, changed(path, value)), EARLY)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SheetError) as caught:
        read_networks(tmp_path, EARLY)
    assert [p.message for p in caught.value.problems] == ["The file is missing."]


def test_agents_that_the_sheet_does_not_know_are_named(tmp_path):
    networks = read_networks(written(tmp_path, CONTENT), EARLY)
    assert not list(unknown_network_names(networks, ["almab", "bemab"], ["arm_x"]))
    problems = unknown_network_names(networks, ["cetinib"], ["arm_x"])
    found = {(p.subject, p.column, p.value) for p in problems}
    assert found == {
        ("", "abbreviations", "almab"),
        ("response", "reference", "almab"), ("survival", "reference", "almab"),
        ("response", "interactions", "almab"), ("response", "interactions", "bemab"),
    }  # fmt: skip


def test_a_node_of_its_own_has_to_be_an_arm_of_the_sheet(tmp_path):
    networks = read_networks(written(tmp_path, CONTENT), EARLY)
    (problem,) = unknown_network_names(networks, ["almab", "bemab"], ["arm_a", "trial_arm_x"])
    assert problem.line() == (
        'networks.yaml, own_nodes: "arm_x" is not an arm_id of arms.csv. Did you mean "arm_a"?'
    )


def test_a_measure_has_to_fit_the_table_of_the_outcome(tmp_path):
    folder = written(tmp_path, CONTENT)
    read_networks(folder, EARLY, kinds={"pcr": "counts", "hazard_ratios": "contrasts"})
    with pytest.raises(SheetError) as caught:
        read_networks(folder, EARLY, kinds={"pcr": "contrasts", "hazard_ratios": "counts"})
    assert [problem.message for problem in caught.value.problems] == [
        'response: "odds_ratio" does not fit the outcome: pcr.csv holds contrasts. Allowed: '
        "hazard_ratio.",
        'survival: "hazard_ratio" does not fit the outcome: hazard_ratios.csv holds counts. '
        "Allowed: risk_ratio, odds_ratio, risk_difference.",
        'survival: "[EFS, DFS]" names several counted outcomes, whose arms would be mixed: name '
        "one.",
    ]
