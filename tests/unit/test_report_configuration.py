"""config/report.yaml: what is allowed in it, and the messages about errors."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from small_project import small_project
from trial_evidence.cli import main
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.config.reports import (
    CLAIM_TABLES,
    CLAIM_WORDS,
    TableRule,
    certainty_problems,
    read_report_configuration,
)
from trial_evidence.network.tables import INTERACTION_COLUMNS
from trial_evidence.network.within_trials.synergy import SCALES
from trial_evidence.network.within_trials.trial_level import SYNERGY_COLUMNS
from trial_evidence.words.problems import SheetError

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture(scope="module")
def configuration():
    return read_configuration(CONFIG)


def content():
    return yaml.safe_load((CONFIG / "report.yaml").read_text(encoding="utf-8"))


def problems(changed, configuration, tmp_path, networks=None):
    (tmp_path / "report.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    with pytest.raises(SheetError) as error:
        read_report_configuration(tmp_path, configuration, networks)
    # Where in the file is tested by itself.
    return [re.sub(r", line \d+", "", problem.line()) for problem in error.value.problems]


def test_the_projects_own_file_is_sound(configuration):
    report = read_report_configuration(CONFIG, configuration)
    assert [claim.id for claim in report.claims] == [claim["id"] for claim in content()["claims"]]


def test_a_missing_file_is_said(configuration, tmp_path):
    with pytest.raises(SheetError) as error:
        read_report_configuration(tmp_path, configuration)
    assert error.value.problems[0].line() == "report.yaml: The file is missing."


def test_an_analysis_that_there_is_not(configuration, tmp_path):
    changed = content()
    changed["claims"][0]["rule"]["analysis"] = "pcr_dual"
    (line,) = problems(changed, configuration, tmp_path)
    assert line == (
        "report.yaml, claims.rule.analysis: pcr_added_to_trastuzumab: "
        '"neoadjuvant/pcr_dual" is not an analysis of analyses.yaml. '
        'Did you mean "neoadjuvant/pcr_dual_v_dual"?'
    )


def test_a_claim_that_stands_twice(configuration, tmp_path):
    changed = content()
    changed["claims"].append(changed["claims"][0])
    (line,) = problems(changed, configuration, tmp_path)
    assert line.endswith('"pcr_added_to_trastuzumab" occurs twice.')


def test_risks_stand_in_order(configuration, tmp_path):
    changed = content()
    timed = next(e for e in changed["control_risks"] if e["source"] == "milestones")
    place = {name: timed[name] for name in ("setting", "analysis")}
    stated = place | {"source": "stated", "risks": [0.3, 0.2, 0.1], "basis": "assumed"}
    changed["control_risks"] = [stated]
    (line,) = problems(changed, configuration, tmp_path)
    assert line.endswith("Risks must be in order from the lowest to the highest.")


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        ("claims", {"id": "x", "group": "g", "text": "t", "rule": {"kind": "guess"}}),
        (
            "claims",
            {"id": "x", "group": "g", "text": "t", "rule": {"kind": "effect", "setting": "a"}},
        ),
        (
            "control_risks",
            {"setting": "a", "analysis": "a", "source": "stated", "risks": [0.1, 0.2, 0.3]},
        ),
        (
            "control_risks",
            {"setting": "a", "analysis": "a", "source": "control_arms", "basis": "none"},
        ),
    ],
)
def test_the_schema_refuses(configuration, tmp_path, place, entry):
    changed = content()
    changed[place] = [entry]
    (line,) = problems(changed, configuration, tmp_path)
    assert line.startswith(f"report.yaml, {place}")


@pytest.mark.parametrize(
    ("claim", "rule", "words"),
    [
        (0, {"analysis": "pcr_dual_v_dual"}, "is not pooled over all its trials"),
        ("groups", {"factor": "added_agent"}, "that is added_agents"),
    ],
)
def test_a_claim_that_could_find_nothing(configuration, tmp_path, claim, rule, words):
    changed = content()
    rules = [entry["rule"] for entry in changed["claims"]]
    wanted = rules[0] if claim == 0 else next(r for r in rules if r["kind"] == claim)
    wanted.update(rule)
    (line,) = problems(changed, configuration, tmp_path)
    assert words in line


def test_a_verdict_on_a_difference_is_refused(configuration, tmp_path):
    """It would ask whether a difference reaches 1.25, and none can."""
    first = content()["claims"][0]["rule"]["analysis"]
    analyses = tuple(
        replace(a, measures=("risk_difference", *a.measures[:1])) if a.id == first else a
        for a in configuration.analyses
    )
    found = problems(content(), replace(configuration, analyses=analyses), tmp_path)
    assert any(
        line.endswith("has risk_difference as its first measure; a verdict needs a ratio.")
        for line in found
    )


@pytest.mark.parametrize(
    ("present", "changes", "words"),
    [
        ("control_arms", {"source": "control_median"}, "Write control_arms or stated."),
        (
            "milestones",
            {"source": "control_arms", "months": [], "subgroups": []},
            "Write milestones, control_median or stated.",
        ),
        ("milestones", {"months": []}, '"months" is missing.'),
        (
            "control_arms",
            {"months": [36]},
            '"months" is allowed only where source is "milestones".',
        ),
        (
            "control_arms",
            {"trials": ["aphinity"]},
            '"trials" is allowed only where source is "milestones".',
        ),
        ("milestones", {"basis": "x"}, '"basis" is allowed only where source is "stated".'),
    ],
)
def test_risks_come_from_where_the_outcome_has_them(
    configuration, tmp_path, present, changes, words
):
    changed = content()
    entry = next(e for e in changed["control_risks"] if e["source"] == present)
    entry.update(changes)
    (line,) = problems(changed, configuration, tmp_path)
    assert line.endswith(words)


def test_tables_that_no_network_makes(configuration, tmp_path):
    networks = read_networks(CONFIG, configuration)
    report = read_report_configuration(CONFIG, configuration, networks)
    claims = [claim for claim in report.claims if isinstance(claim.rule, TableRule)]
    slips = replace(
        networks,
        networks=[replace(network, id="pcr_netwrk") for network in networks.networks],
        synergy=[replace(entry, network="pcr_netwrk") for entry in networks.synergy],
    )
    with pytest.raises(SheetError) as error:
        read_report_configuration(CONFIG, configuration, slips)
    assert [problem.subject for problem in error.value.problems] == [claim.id for claim in claims]
    assert "Did you mean" in error.value.problems[0].message


def test_synergy_that_no_network_examines(configuration):
    networks = read_networks(CONFIG, configuration)
    with pytest.raises(SheetError, match=r"synergy.csv.* is not a table of the results"):
        read_report_configuration(CONFIG, configuration, replace(networks, synergy=()))


def test_an_interaction_that_no_network_estimates(configuration):
    networks = read_networks(CONFIG, configuration)
    without = [replace(network, interactions=()) for network in networks.networks]
    with pytest.raises(SheetError, match="Allowed: none"):
        read_report_configuration(CONFIG, configuration, replace(networks, networks=without))


@pytest.mark.parametrize("background", ["0", "0,05", "0.050"])
def test_a_background_that_synergy_does_not_assume(configuration, tmp_path, background):
    changed = content()
    tables = (c["rule"] for c in changed["claims"] if c["rule"]["kind"] == "table")
    rule = next(rule for rule in tables if "scale" in rule["where"])
    rule["where"]["background"] = background
    networks = read_networks(CONFIG, configuration)
    (line,) = problems(changed, configuration, tmp_path, networks)
    assert "is not a background of this network's synergy in networks.yaml. Allowed: 0.0" in line


def test_columns_that_a_table_does_not_have(configuration, tmp_path):
    changed = content()
    rule = next(claim["rule"] for claim in changed["claims"] if claim["rule"]["kind"] == "table")
    rule["low"] = "ci_lo"
    rule["where"] = {"thirst": "lapatinib"}
    low, where = problems(changed, configuration, tmp_path)
    assert 'rule.low: synergy_lapatinib_trastuzumab: "ci_lo" is not a column of neoadj' in low
    assert 'rule.where: synergy_lapatinib_trastuzumab: "thirst" is not a column of neoadj' in where


def test_the_columns_that_claims_may_name_are_made():
    made = {"interactions": INTERACTION_COLUMNS, "synergy": SYNERGY_COLUMNS}
    for table, columns in CLAIM_TABLES.items():
        assert set(columns) <= set(made[table])


def test_the_scales_that_claims_may_name_are_those_of_synergy():
    assert CLAIM_WORDS["scale"] == tuple(SCALES)


def test_a_scale_and_a_model_that_there_are_not(configuration, tmp_path):
    changed = content()
    tables = (c["rule"] for c in changed["claims"] if c["rule"]["kind"] == "table")
    rule = next(rule for rule in tables if "scale" in rule["where"])
    rule["where"] |= {"scale": "blis", "model": "random_effect"}
    model, line = problems(changed, configuration, tmp_path)
    assert '"random_effect" is not a model of the results. Did you mean "random_effects"?' in model
    assert '"blis" is not allowed. Allowed: risk_additive, bliss, ' in line
    assert line.endswith('Did you mean "bliss"?')


def test_a_judgement_about_what_is_not_pooled(configuration):
    rows = pd.DataFrame([{"setting": "neoadjuvant", "analysis": "pcr_dual_v_dual", "row": 2}])
    (problem,) = certainty_problems(
        configuration, [], rows.assign(domain="imprecision", comparison="")
    )
    assert "is not pooled over all its trials, so there is no certainty to judge" in problem.message


def test_a_judgement_about_an_analysis_that_there_is_not(configuration):
    rows = pd.DataFrame(
        [
            {"setting": "adjuvant", "analysis": "event_free_dual_v_single", "row": 2},
            {"setting": "adjuvant", "analysis": "event_free_dual_v_singel", "row": 3},
        ]
    )
    (problem,) = certainty_problems(
        configuration, [], rows.assign(domain="imprecision", comparison="")
    )
    assert problem.line().startswith(
        "certainty.csv, row 3 (event_free_dual_v_singel), column analysis: "
        '"event_free_dual_v_singel" is not an analysis of this setting'
    )
    assert 'Did you mean "event_free_dual_v_single"?' in problem.message


def test_the_check_stops_at_both(tmp_path, capsys):
    folder = small_project(tmp_path)
    with (folder / "data/raw/certainty.csv").open("a", encoding="utf-8") as file:
        file.write("adjuvant,nothing,indirectness,serious,Because.,AB,2026-11-22\n")
    path = folder / "config/report.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("small_study_p: 0.10", "small_study_p: 10"), "utf-8")
    places = [f"--raw={folder}/data/raw", f"--config={folder}/config", f"--results={folder}/r"]
    assert main(["check", *places]) == 1
    said = capsys.readouterr().err
    assert "certainty.csv, row 2 (nothing), column analysis: " in said
    assert re.search(r"report.yaml, line \d+, certainty.small_study_p: ", said)


def test_the_check_knows_the_columns_that_rows_are_selected_by(tmp_path, capsys):
    folder = small_project(tmp_path)
    path = folder / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("    derivation: [reported, from", "    DERIVATION: [reported, from")
    )
    places = [f"--raw={folder}/data/raw", f"--config={folder}/config", f"--results={folder}/r"]
    assert main(["check", *places]) == 1
    assert re.search(
        r'config.yaml, line \d+, selection.pcr: "DERIVATION" is not a column of pcr.csv. '
        r'Did you mean "derivation"\?',
        capsys.readouterr().err,
    )


def test_a_domain_of_a_network_is_none_of_an_analysis_and_the_reverse(configuration):
    """Such a judgement would be accepted and have no effect."""
    rows = pd.DataFrame(
        [
            {"setting": "adjuvant", "analysis": "event_free_dual_v_single", "row": 2,
             "domain": "incoherence"},
            {"setting": "adjuvant", "analysis": "event_free_network", "row": 3,
             "domain": "inconsistency"},
            {"setting": "adjuvant", "analysis": "event_free_network", "row": 4,
             "domain": "incoherence"},
        ]
    )  # fmt: skip
    networks = [("adjuvant", "event_free_network")]
    found = list(certainty_problems(configuration, networks, rows.assign(comparison="")))
    assert [(problem.row, problem.column) for problem in found] == [(2, "domain"), (3, "domain")]
    assert "is no domain of the certainty of an analysis" in found[0].message
    assert "is no domain of the certainty of a network" in found[1].message


def test_a_comparison_is_judged_of_a_network_only(configuration):
    """A judgement of an analysis that named one would be accepted and have no effect."""
    row = {"setting": "adjuvant", "row": 2, "comparison": "A v B"}
    rows = pd.DataFrame(
        [
            {**row, "analysis": "event_free_dual_v_single", "domain": "imprecision"},
            {**row, "analysis": "event_free_network", "domain": "incoherence"},
        ]
    )
    networks = [("adjuvant", "event_free_network")]
    (problem,) = certainty_problems(configuration, networks, rows)
    assert problem.line() == (
        "certainty.csv, row 2 (event_free_dual_v_single), column comparison: "
        '"A v B" must go: only a network has comparisons to judge.'
    )
