"""config/report.yaml: what it may hold, and what a reader is told where it is wrong."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from small_project import small_project
from trial_evidence.cli import main
from trial_evidence.configuration import read_configuration
from trial_evidence.report_configuration import certainty_problems, read_report_configuration
from trial_evidence.sheet import SheetError

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture(scope="module")
def configuration():
    return read_configuration(CONFIG)


def content():
    return yaml.safe_load((CONFIG / "report.yaml").read_text(encoding="utf-8"))


def problems(changed, configuration, tmp_path):
    (tmp_path / "report.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    with pytest.raises(SheetError) as error:
        read_report_configuration(tmp_path, configuration)
    return [problem.line() for problem in error.value.problems]


def test_the_projects_own_file_is_sound(configuration):
    report = read_report_configuration(CONFIG, configuration)
    assert report.worthwhile_ratio > 1
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
        "report.yaml, column analysis: pcr_added_to_trastuzumab: "
        '"neoadjuvant/pcr_dual" is not an analysis of analyses.yaml.'
    )


def test_a_claim_that_stands_twice(configuration, tmp_path):
    changed = content()
    changed["claims"].append(changed["claims"][0])
    (line,) = problems(changed, configuration, tmp_path)
    assert line.endswith('"pcr_added_to_trastuzumab" stands twice.')


def test_risks_stand_in_order(configuration, tmp_path):
    changed = content()
    stated = next(entry for entry in changed["control_risks"] if "risks" in entry)
    stated["risks"] = [0.3, 0.2, 0.1]
    (line,) = problems(changed, configuration, tmp_path)
    assert line.endswith("Risks stand from the lowest to the highest.")


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
    assert line.startswith(f"report.yaml, column {place}")


def test_a_judgement_about_an_analysis_that_there_is_not(configuration):
    rows = pd.DataFrame(
        [
            {"setting": "adjuvant", "analysis": "event_free_dual_v_single", "row": 2},
            {"setting": "adjuvant", "analysis": "event_free_dual_v_singel", "row": 3},
        ]
    )
    (problem,) = certainty_problems(configuration, rows)
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
    path.write_text(text.replace("worthwhile_ratio: 1.25", "worthwhile_ratio: 0.8"), "utf-8")
    places = [f"--raw={folder}/data/raw", f"--config={folder}/config", f"--results={folder}/r"]
    assert main(["check", *places]) == 1
    said = capsys.readouterr().err
    assert "certainty.csv, row 2 (nothing), column analysis: " in said
    assert "report.yaml, column worthwhile_ratio: " in said
