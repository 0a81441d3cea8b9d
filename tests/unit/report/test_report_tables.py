"""Every table and text of the report on the made-up sheet, including hostile text."""

import io
import json
import re
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
import rispy
from docx import Document
from invented import ROOT
from report_material import estimate, material, with_estimates, with_table
from small_project import evidence_of, replace_text, small_project
from trial_evidence.config.methods import OwnPooling, Selection
from trial_evidence.files import read_table, where, write_table
from trial_evidence.report.files.bibliography import bibtex, csl_json, ris, used_sources
from trial_evidence.report.files.docx import tables_as_document
from trial_evidence.report.files.methods_text import (
    methods_markdown,
    methods_paragraphs,
    methods_text,
)
from trial_evidence.report.files.overview_figures import map_of
from trial_evidence.report.files.xlsx import tables_as_workbook
from trial_evidence.report.stage import _write_tables
from trial_evidence.report.tables.characteristics import (
    characteristics_table,
    evidence_map,
    risk_of_bias_table,
)
from trial_evidence.report.tables.every import tables_of
from trial_evidence.report.tables.flow import flow_table
from trial_evidence.report.tables.front import answers_table, front_table, result_sentence
from trial_evidence.report.tables.robustness import heterogeneity_table
from trial_evidence.report.trail.trace import trail_of
from trial_evidence.report.words.templates import admitted
from trial_evidence.words.printed import of_whom, patients_in_words

# The check refuses cells that begin with a formula; test_office.py tests one all the same.
HOSTILE = f"<script>alert('x')</script> =1+1 \"quoted\" 😀 {'x' * 300}"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A sheet with a hostile trial name and a hostile title of a source."""
    folder = small_project(tmp_path_factory.mktemp("hostile"))
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    replace_text(folder, "trials", "trial_a,TRIAL-A,", f"trial_a,{quoted},")
    replace_text(
        folder,
        "sources",
        "doe_2020_trial_a,Doe,2020,Journal of Made-up Results,Invented for the tests",
        f"doe_2020_trial_a,{quoted},2020,Journal of Made-up Results,{quoted}",
    )
    return material(evidence_of(folder), folder / "results")


@pytest.fixture(scope="module")
def tables(found):
    return {table.name: table for table in tables_of(found)}


# --------------------------------------------------------------------------------------- tables


def test_the_last_note_of_a_table_explains_its_abbreviations(tables):
    """A table is printed on its own, and its outcomes come from the configuration."""
    assert {"pCR", "PFS"} <= set(tables["rows_used"].frame["Outcome"])
    told = tables["rows_used"].notes[-1]
    assert "pCR: pathological complete response" in told
    assert "PFS: progression-free survival" in told
    assert "RR: " not in told
    assert "CI: confidence interval" in tables["front"].notes[-1]


def test_abbreviations_of_the_configuration_are_explained_where_they_occur(found, tables):
    assert "EFS" in set(tables["rows_used"].frame["Outcome"])
    report = replace(found.report, abbreviations={"EFS": "survival without event", "ZZ": "never"})
    asked = {table.name: table for table in tables_of(replace(found, report=report))}
    told = asked["rows_used"].notes[-1]
    assert "EFS: survival without event" in told
    assert "ZZ" not in told


def test_the_rule_declares_the_tables_that_are_made(tables):
    rule = (ROOT / "workflow/rules/report.smk").read_text(encoding="utf-8")
    listed = re.search(r"REPORT_TABLES = \[(.*?)\]", rule, flags=re.DOTALL)
    assert re.findall(r'"(\w+)"', listed.group(1)) == list(tables)


@pytest.mark.parametrize(
    "name",
    ["characteristics", "risk_of_bias", "biomarkers", "rows_used", "evidence_map", "front",
     "claims", "heterogeneity", "flow", "certainty", "summary_of_findings", "over_time"],
)  # fmt: skip
def test_what_is_printed_is_text_in_every_row(tables, name):
    frame = tables[name].frame
    assert len(frame) > 0
    assert frame.columns.is_unique
    assert frame.map(lambda cell: isinstance(cell, str)).all(axis=None)
    assert not frame.map(lambda cell: cell in ("nan", "None")).any(axis=None)


def test_rows_link_to_their_sources(tables):
    data = tables["rows_used"].data
    row = data[data["trial_id"] == "trial_a"].iloc[0]
    assert row["doi"] == "10.1000/doe_2020_trial_a"
    assert row["nct"] == "NCT00000001"
    assert row["cells"].startswith("pcr.csv rows ")


def test_trials_of_a_setting_that_the_configuration_does_not_name_come_last(found):
    trials = found.sheet["trials"]
    mine = trials["trial_id"] == "trial_a"
    own = trials.assign(setting=trials["setting"].mask(mine, "never_pooled"))
    among = with_table(found, "trials", own.to_dict("records"))
    for table in (characteristics_table(among), risk_of_bias_table(among), evidence_map(among)):
        settings = list(table.frame["Setting"])
        assert settings[-1] == "Never pooled"
        assert settings.index("Never pooled") == len(settings) - settings.count("Never pooled")
    assert len(characteristics_table(among).frame) == len(trials)
    assert map_of(among).groups[-1][0] == "Never pooled"
    (counted,) = where(flow_table(among).frame, Step="Trials and cohorts in the sheet")["Detail"]
    assert counted.endswith("; Never pooled 1")


def test_no_prediction_interval_of_fewer_than_five_trials_is_shown(tables):
    data = tables["heterogeneity"].data
    assert (data["k"] < 5).any()
    assert data.loc[data["k"] < 5, "pi_low"].isna().all()


@pytest.mark.parametrize(
    ("subgroup", "label", "sentence"),
    [
        ("added_agents=Pertuzumab", "Pertuzumab added", "Pertuzumab added"),
        ("control_agents=Lapatinib", "versus Lapatinib", "versus Lapatinib"),
        ("experimental_partner=none", *2 * ["neither chemotherapy nor endocrine therapy"]),
        ("node_status=positive", "node status: positive", "node status positive"),
        ("added_agents", "added agents", "added agents"),
    ],
)
def test_a_group_of_trials_is_named_by_what_its_patients_were_given(subgroup, label, sentence):
    """Not "experimental partner: none", which no clinician would say."""
    assert (of_whom(subgroup), patients_in_words(subgroup)) == (label, sentence)


def test_the_agents_of_a_rate_are_named(tables):
    table = tables["heterogeneity"]
    whom = set(table.frame["Population"])
    assert "Pertuzumab added" in whom
    assert "pertuzumab added" not in whom


def test_a_rate_expected_in_a_new_trial_is_in_percent(found):
    """0.31 would be read as 0.31%."""
    rate = {"setting": "neoadjuvant", "analysis": "pcr_rates", "measure": "proportion",
            "estimate": 0.46, "ci_low": 0.4, "ci_high": 0.52, "pi_low": 0.31, "pi_high": 0.62,
            "experimental": "Dual"}  # fmt: skip
    table = heterogeneity_table(with_estimates(found, [estimate(**rate), estimate()])).frame
    assert table["Prediction interval"].tolist() == ["31–62%", "0.50–1.30"]


def test_a_comparison_stands_once_with_its_first_measure(tables, found):
    data = tables["rows_used"].data
    keys = ["setting", "analysis", "subgroup", "trial_id", "experimental"]
    assert not data.duplicated(keys).any()
    assert set(data["measure"]) == {"risk_ratio", "hazard_ratio", "proportion"}


def test_the_evidence_map_counts_an_arm_once(tables, found):
    data = tables["evidence_map"].data
    pcr, arms = found.sheet["pcr"], found.sheet["arms"]
    reported = set(pcr.loc[pcr["status"] == "current", "arm_id"])
    assert data.loc[data["endpoint"] == "pCR", "arms"].sum() == len(reported)
    patients = arms.loc[arms["arm_id"].isin(reported), "n_randomised"].sum()
    assert data.loc[data["endpoint"] == "pCR", "patients"].sum() == patients


def test_patients_are_so_many_or_more_if_one_of_several_arms_does_not_state_them(tables, found):
    arms = found.sheet["arms"].to_dict("records")
    unstated = [row | {"n_randomised": float("nan")} if row["arm_id"] == "trial_a_dual" else row
                for row in arms]  # fmt: skip
    was, now = tables["evidence_map"], evidence_map(with_table(found, "arms", unstated))
    mine = (now.data["endpoint"] == "pCR") & (now.data["patients"] < was.data["patients"])
    (at,) = now.data.index[mine]
    assert now.data.loc[at, "arms"] > 1
    assert now.frame.loc[at, "Patients"] == f"{now.data.loc[at, 'patients']:,} or more"
    assert not was.frame["Patients"].str.endswith("or more").any()


@pytest.mark.parametrize(
    ("admit", "said"),
    [
        ({"status": ("current",), "verification": ("primary", "secondary")},
         "current results verified in a primary or secondary source"),
        ({"status": ("current", "superseded"), "verification": ("primary", "unverified")},
         "current or superseded results verified in a primary source or not verified"),
        ({"status": ("current",)}, "current results"),
        ({"verification": ("primary",), "derivation": ("reported", "from_percent")},
         "results verified in a primary source (derivation: reported or from percent)"),
    ],
)  # fmt: skip
def test_results_are_called_verified_only_if_they_have_to_be(admit, said):
    assert admitted(Selection(admit, {})) == said


def test_steps_that_nobody_counted_are_not_recorded(found):
    table = flow_table(found)
    numbers = dict(zip(table.frame["Step"], table.frame["Number"], strict=True))
    for step in ("Records identified", "Records screened", "Reports excluded"):
        assert numbers[step] == "not recorded"
    assert numbers["Searches"] == "1"
    assert "not a systematic database search" in table.notes[0]


def test_queries_that_were_not_counted_are_not_guessed(found):
    logs = [{"search_id": "s1", "queries": 3.0}, {"search_id": "s2"}]
    table = flow_table(with_table(found, "search_log", logs))
    row = table.frame[table.frame["Step"] == "Queries"].iloc[0]
    assert (row["Number"], row["Detail"]) == ("3", "in 1 of 2 searches")


# ---------------------------------------------------------------------------------------- front


def test_a_sentence_says_what_the_numbers_say(found):
    analysis = next(a for a in found.front() if a.measures[0] == "hazard_ratio")
    rows = [
        estimate(k=4.0, participants=1905.0, estimate=0.7542, ci_low=0.5738, ci_high=0.9913,
                 pi_low=0.4423, pi_high=1.286),
        estimate(k=4.0, estimate=0.75, ci_low=0.6, ci_high=1.0, pi_low=0.5, pi_high=0.98,
                 model="bayesian"),
    ]  # fmt: skip
    assert result_sentence(analysis, rows, "Moderate (provisional)") == (
        "4 trials (1,905 patients): hazard ratio 0.75 (95% CI 0.57–0.99; REML, floored "
        "Hartung–Knapp), in favour of the dual arm. The Bayesian model with the cautious prior "
        "gives 0.75 (95% CrI 0.60–1.00). The 95% prediction interval of the random-effects model "
        "(0.44–1.29) includes 1; that of the Bayesian model with the cautious prior (0.50–0.98) "
        "excludes 1. Certainty of evidence: moderate (provisional)."
    )


@pytest.mark.parametrize(
    ("low", "value", "high", "meaning"),
    [
        (0.6, 0.8, 1.1, "in favour of the dual arm, but compatible with no effect"),
        (0.9, 1.2, 1.6, "in favour of the single arm, but compatible with no effect"),
        (1.1, 1.3, 1.6, "in favour of the single arm"),
    ],
)
def test_a_sentence_names_the_arm_that_is_favoured(found, low, value, high, meaning):
    analysis = next(a for a in found.front() if a.arm_labels == ("Dual", "Single"))
    row = estimate(estimate=value, ci_low=low, ci_high=high, pi_low=float("nan"))
    assert f", {meaning}." in result_sentence(analysis, [row], "")


def test_more_responses_favour_the_arm_that_has_them(found):
    analysis = found.analysis("neoadjuvant", "pcr_dual_v_trastuzumab")
    for ends, arm in (((1.1, 1.6), "dual"), ((0.6, 0.9), "single")):
        row = estimate(measure="risk_ratio", estimate=sum(ends) / 2, ci_low=ends[0],
                       ci_high=ends[1], pi_low=float("nan"))  # fmt: skip
        labels = dict(zip(("dual", "single"), analysis.arm_labels, strict=True))
        said = result_sentence(analysis, [row], "")
        assert f", in favour of the {labels[arm].lower()} arm." in said.lower()


def test_an_estimate_of_no_difference_favours_neither_arm(found):
    analysis = found.analysis("neoadjuvant", "pcr_dual_v_trastuzumab")
    row = estimate(measure="risk_ratio", estimate=1.002, ci_low=0.75, ci_high=1.33)
    assert ", in favour of neither arm." in result_sentence(analysis, [row], "")


def test_an_answer_that_nobody_rated_has_no_certainty(found):
    assert set(front_table(found, {}).frame["Certainty"]) == {""}


def test_an_answer_without_a_trial_says_so(found):
    empty = with_estimates(found, [])
    table = front_table(empty, {})
    assert set(table.frame["Effect (interval)"]) == {""}
    words = answers_table(empty, {})
    assert set(words.frame["In words"]) == {"No trial qualifies."}
    assert len(table.frame) == len(words.frame) == len(found.front())


@pytest.mark.parametrize(
    ("fields", "interval", "told"),
    [
        ({}, "conservative_k_minus_1", True),
        # None shown, or a model that was not simulated or whose interval was not too short.
        ({"pi_low": float("nan"), "pi_high": float("nan")}, "conservative_k_minus_1", False),
        ({"model": "bayesian"}, "conservative_k_minus_1", False),
        ({}, "bootstrap", False),
    ],
)
def test_prediction_intervals_that_are_too_short_are_said_to_be(fields, interval, told, found):
    """Who reads 95% plans the next trial on a range that holds it less often."""
    shown = with_estimates(found, [estimate(estimate=0.8, ci_low=0.7, ci_high=0.9, **fields)])
    pooling = replace(shown.configuration.pooling, prediction_interval=interval)
    shown = replace(shown, configuration=replace(shown.configuration, pooling=pooling))
    assert ("intervals of the random-effects model are too short" in " ".join(
        front_table(shown, {}).notes
    )) == told  # fmt: skip
    told = methods_text(methods_paragraphs(shown))
    assert ("than their nominal level" in told) == (interval != "bootstrap")


# -------------------------------------------------------------------------------------- methods


def test_the_methods_are_paragraphs_without_gaps(found):
    paragraphs = methods_paragraphs(found)
    text = methods_text(paragraphs)
    assert "a curated search, not a systematic database search" in text
    assert "1 search with 1 recorded query on 2025-01-31" in text
    assert "{" not in text
    assert methods_markdown(paragraphs).startswith("# Methods\n\nTrials were identified")


def methods_by(found, **changes):
    """The methods of a project with other settings."""
    changed = replace(found, configuration=replace(found.configuration, **changes))
    return " ".join(methods_text(methods_paragraphs(changed)).split())


@pytest.mark.parametrize(
    ("estimator", "interval", "said"),
    [
        ("REML", "hartung_knapp",
         "τ² by REML (Viechtbauer 2005), with the Hartung–Knapp interval (Hartung and Knapp 2001; "
         "Röver et al. 2015), and with a Bayesian"),
        ("DL", "wald", "τ² by DL, with the Wald interval, and with a Bayesian"),
    ],
)  # fmt: skip
def test_the_methods_cite_what_was_done_and_nothing_else(found, estimator, interval, said):
    own = replace(found.configuration.pooling, tau2_estimator=estimator, estimate_interval=interval)
    assert said in methods_by(found, pooling=own)


@pytest.mark.parametrize("more", [(), ("unverified",)])
def test_results_that_nobody_verified_are_said_to_be_left_out_only_if_they_are(found, more):
    admit = {"status": ("current",), "verification": ("primary", "secondary", *more)}
    told = methods_by(found, selection=replace(found.configuration.selection, admit=admit))
    assert ("verified in a source are never pooled" in told) == (not more)


def test_an_analysis_that_is_pooled_in_another_way_is_named_in_the_methods(found):
    assert "Pooled in another way" not in methods_by(found)
    first, *others = found.configuration.analyses
    own = OwnPooling(tau2_estimator="PM", estimate_interval="wald", prediction_interval="bootstrap")
    told = methods_by(found, analyses=(replace(first, pooling=own), *others))
    # In the words of figures, not those of the configuration.
    assert (
        f"Pooled in another way: {first.title} (τ² by PM; Wald interval; prediction interval: "
        "bootstrap of the confidence distribution of τ²)."
    ) in told


def test_one_domain_judged_by_a_person_is_counted_in_the_methods(found):
    judged = with_table(found, "certainty", [{"domain": "indirectness"}])
    assert "1 domain was judged by a person." in methods_by(judged)
    assert "No domain was judged by a person." in methods_by(with_table(found, "certainty", []))


# ----------------------------------------------------------------------------- hostile text


def test_hostile_text_is_text_in_csv(tables, tmp_path):
    write_table(tmp_path / "t.csv", tables["characteristics"].data)
    assert HOSTILE in set(read_table(tmp_path / "t.csv", [])["name"])


def test_hostile_text_is_text_in_a_workbook(tables):
    book = openpyxl.load_workbook(io.BytesIO(tables_as_workbook(list(tables.values()))))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert any(cell.value == HOSTILE for cell in cells)


def test_hostile_text_is_text_in_a_document(tables):
    chosen = [tables["characteristics"]]
    grid = Document(io.BytesIO(tables_as_document(chosen, HOSTILE))).tables[0]
    assert HOSTILE in {row.cells[1].text for row in grid.rows}


def test_hostile_text_is_text_in_references(found):
    sources = [s for s in used_sources(found) if s["source_id"] == "doe_2020_trial_a"]
    assert rispy.loads(ris(sources))[0]["title"] == HOSTILE
    assert json.loads(csl_json(sources))[0]["title"] == HOSTILE
    assert f"title = {{{{{HOSTILE}}}}}," in bibtex(sources)


def test_equal_sheets_give_equal_tables(found, tables):
    for table in tables_of(found):
        pd.testing.assert_frame_equal(table.data, tables[table.name].data)
        assert table.notes == tables[table.name].notes


def test_a_row_of_two_sources_has_the_links_of_both(found):
    sources = [
        {"source_id": name, "first_author": name, "year": year, "doi": f"10.1/{name}",
         "pmid": f"9{year}"}
        for name, year in (("one", 2001), ("two", 2002))
    ]  # fmt: skip
    row = with_table(found, "sources", sources).named({"source_id": "one / two"})
    assert (row["doi"], row["pmid"]) == ("10.1/one; 10.1/two", "92001; 92002")
    assert row["source"] == "one 2001; two 2002"


def test_a_table_that_there_is_no_more_leaves_no_file(found, tables):
    """It would be taken for a table of these results."""
    folder, trail = found.results / "tables", trail_of(found.evidence, found.configuration)
    (folder / "supplement.docx").parent.mkdir(parents=True, exist_ok=True)
    (folder / "supplement.docx").touch()
    for made in ((tables["front"], tables["flow"]), (tables["front"],)):
        _write_tables(made, methods_paragraphs(found), found, trail)
    kept = {"front.csv", "front.docx", "tables.docx", "methods.docx", "supplement.docx"}
    assert {path.name for path in folder.iterdir()} == {*kept, "tables.xlsx"}
