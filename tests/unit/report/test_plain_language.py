"""Statements on benefits and harms: strength by certainty, direction by the estimate."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from docx import Document
from PIL import Image
from report_material import material, with_estimates, with_table
from trial_evidence.files import write_table
from trial_evidence.report.files.methods_text import (
    methods_document,
    methods_paragraphs,
    references,
)
from trial_evidence.report.files.supplement import TABLES, supplement
from trial_evidence.report.tables.absolute_effects import plain_language_table, statement
from trial_evidence.report.tables.certainty import certainties
from trial_evidence.report.tables.characteristics import excluded_table, included_trials
from trial_evidence.report.tables.every import tables_of
from trial_evidence.report.trail.evidence import NetworkTables


def said(certainty, ends, *, survival=False, fewer=False, k=3, doubted=False, change=(0.0, 0.0)):
    estimate, low, high = ends
    lead = {"k": k, "measure": "risk_ratio", "estimate": estimate, "ci_low": low, "ci_high": high,
            "difference_low": change[0], "difference_high": change[1]}  # fmt: skip
    return statement(
        lead, certainty, "response", "dual blockade",
        survival=survival, fewer_is_better=fewer, worthwhile=1.25, few=0.1, doubted=doubted,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("certainty", "words"),
    [
        ("high", "Dual blockade increases response."),
        ("moderate", "Dual blockade probably increases response."),
        ("low", "Dual blockade may increase response."),
        (
            "very low",
            "The evidence is very uncertain about the effect of dual blockade on response.",
        ),
        ("", "In the trials, dual blockade increased response; certainty was not rated."),
    ],
)
def test_a_sentence_is_as_strong_as_its_certainty(certainty, words):
    assert said(certainty, (1.5, 1.2, 1.9)) == words


@pytest.mark.parametrize(
    ("ends", "more", "words"),
    [
        ((0.6, 0.5, 0.8), {}, "Dual blockade probably reduces response."),
        ((0.6, 0.5, 0.8), {"survival": True, "fewer": True},
         "Dual blockade probably improves response."),
        ((1.6, 1.2, 1.8), {"survival": True, "fewer": True},
         "Dual blockade probably worsens response."),
        # both limits nearer to 1 than 1.25 and 0.8
        ((1.02, 0.9, 1.1), {}, "Dual blockade probably makes little or no difference to response."),
        ((1.3, 0.9, 1.9), {},
         "Dual blockade may increase response, but the interval includes 1 (no difference)."),
        ((1.0, 0.7, 1.1), {},
         "The trials do not show whether dual blockade changes response."),
        ((0.96, 0.7, 1.1), {},
         "Dual blockade may reduce response, but the interval includes 1 (no difference)."),
    ],
)  # fmt: skip
def test_a_sentence_goes_by_estimate_and_interval(ends, more, words):
    assert said("moderate", ends, **more) == words


def test_what_only_one_of_two_models_shows_is_probable_at_most():
    assert said("high", (1.5, 1.2, 1.9), doubted=True) == (
        "Dual blockade probably increases response. The interval of the co-primary model includes "
        "1 (no difference)."
    )
    assert said("very low", (1.5, 1.2, 1.9), doubted=True) == said("very low", (1.5, 1.2, 1.9))


def test_of_one_trial_no_more_is_said_than_that_it_is_one():
    assert said("", (1.5, 1.2, 1.9), k=1) == (
        "In one trial, dual blockade increased response; certainty was not rated."
    )
    assert said("", (1.3, 0.9, 1.9), k=1) == (
        "The trial does not show whether dual blockade changes response."
    )


@pytest.mark.parametrize(("high", "little"), [(0.099, True), (0.131, False)])
def test_a_ratio_near_1_is_no_small_difference_where_many_have_the_outcome(high, little):
    # 75 of 110 and 154 of 218 patients: 1.04 (0.89 to 1.21), but up to 131 more per 1,000.
    told = said("", (1.04, 0.89, 1.21), k=1, change=(-0.081, high))
    assert ("little or no difference" in told) == little
    assert told.startswith("The trial does not show") != little


@pytest.fixture
def harm(found):
    """The leading ratio of a harm, changed to exclude 1."""
    table = found.evidence.estimates
    lead = table[(table["analysis"] == "diarrhoea_any") & (table["measure"] == "risk_ratio")].iloc[
        0
    ]
    assert lead["role"] == "lead"
    return {**lead, "estimate": 1.39, "ci_low": 1.03, "ci_high": 1.88, "k": 3.0}


def sentence(found, rows, low=0.0004):
    """The statement on these estimates of a harm; `low` is the lower limit of its difference."""
    trials = found.evidence.trials.copy()
    mine = trials["analysis"].eq("diarrhoea_any") & trials["measure"].eq("risk_difference")
    trials.loc[mine, "estimate_low"] = low
    changed = replace(found, evidence=replace(found.evidence, trials=trials))
    difference = {**rows[0], "measure": "risk_difference"}
    told = plain_language_table(with_estimates(changed, (*rows, difference)), ()).data
    return told.loc[told["analysis"] == "diarrhoea_any", "sentence"].item()


def test_of_a_harm_the_co_primary_model_is_told_as_well(found, harm):
    """For two or more trials: the interval with the cautious, co-primary prior includes 1."""
    beside = {**harm, "model": "bayesian", "role": "co-primary", "ci_low": 0.96}
    shown = sentence(found, (harm, beside))
    assert shown.startswith("In the trials, adding pertuzumab increased")
    assert shown.endswith(
        "certainty was not rated. The interval of the co-primary model includes 1 (no difference)."
    )
    assert "co-primary" not in sentence(found, (harm, {**beside, "ci_low": 1.01}))


def test_of_a_harm_a_difference_that_may_be_none_is_told_with_a_ratio_that_is_not(found, harm):
    told = " The interval of the risk difference includes 0."
    assert sentence(found, (harm,), low=-0.0004) == sentence(found, (harm,)) + told
    assert told not in sentence(found, ({**harm, "ci_low": 0.98},), low=-0.0004)
    # Nor is a difference that excludes none left unsaid beside a ratio that does not.
    other = " The interval of the risk difference excludes 0."
    assert sentence(found, ({**harm, "ci_low": 0.98},)).endswith(other)
    assert other not in sentence(found, (harm,))


@pytest.fixture(scope="module")
def found(pooled, tmp_path_factory):
    return material(pooled, tmp_path_factory.mktemp("results"))


def test_a_certainty_leads_by_letters_to_what_lowers_it(found):
    rated = certainties(found)
    table = plain_language_table(found, rated)
    lowered = {
        f"{domain.name.replace('_', ' ').capitalize()}: {domain.reason}"
        for certainty in rated
        for domain in certainty.domains
        if domain.judgement in ("serious", "very_serious")
    }
    # Other notes are on risks, harms and abbreviations.
    listed = dict(note.split(". ", 1) for note in table.notes if note[1:3] == ". ")
    assert set(listed.values()) == lowered
    printed = table.frame["Certainty"]
    used = {letter for text in printed for letter in text.rpartition(") ")[2].split(", ")}
    assert set(listed) <= used


def test_the_risk_that_a_difference_starts_from_is_told_with_its_source(found):
    """Readers would take a risk read off one trial's curve for that of all trials."""
    made = {table.name: table for table in tables_of(found)}
    table, starts = made["plain_language"], made["summary_of_findings"].data
    told = " ".join(note for note in table.notes if ". Risk with control: " in note)
    benefits = table.data[(table.data["side"] == "Benefit") & table.data["control_risk"].notna()]
    assert len(benefits)
    for row in benefits.itertuples():
        own = starts[starts["analysis"] == row.analysis]
        same = own.loc[np.isclose(own["control_risk"], row.control_risk), "control_risk_source"]
        assert f"({row.about.partition(' (')[2]}, {same.iloc[0]}" in told


def test_every_trial_of_the_sheet_is_included_or_excluded_with_a_reason(found):
    excluded = excluded_table(found).data
    trials = set(found.sheet["trials"]["trial_id"])
    assert set(excluded["trial_id"]) == trials - included_trials(found)
    assert (excluded["why"] != "").all()


def test_a_trial_that_networks_set_aside_is_excluded_for_their_reasons(found):
    own = found.evidence
    trial = own.trials["trial_id"].iloc[0]
    reasons = ["Only an interim report.", "verification is unverified (admitted: primary)"] * 2
    aside = pd.DataFrame({"trial_id": trial, "reason": reasons})
    networks = NetworkTables({"adjuvant/net": {"set_aside": aside}}, ())
    evidence = replace(
        own,
        networks=networks,
        set_aside=own.set_aside.iloc[:0],
        trials=own.trials[own.trials["trial_id"] != trial],
        rates=own.rates[own.rates["trial_id"] != trial],
    )
    table = excluded_table(replace(found, evidence=evidence)).data
    why = dict(zip(table["trial_id"], table["why"], strict=True))
    assert why[trial] == "Only an interim report; no verified result"


def test_a_trial_whose_only_rate_is_not_pooled_is_excluded_for_that_reason(found):
    own = found.evidence
    trial = own.rates["trial_id"].iloc[0]
    mine = own.rates["trial_id"] == trial
    rates = own.rates.assign(
        pooled=own.rates["pooled"].where(~mine, "no"),
        not_pooled_reason=own.rates["not_pooled_reason"].where(~mine, "Two doses in one arm."),
    )
    evidence = replace(
        own,
        networks=NetworkTables({}, ()),
        set_aside=own.set_aside.iloc[:0],
        trials=own.trials[own.trials["trial_id"] != trial],
        rates=rates,
    )
    table = excluded_table(replace(found, evidence=evidence)).data
    why = dict(zip(table["trial_id"], table["why"], strict=True))
    assert why[trial] == "Two doses in one arm"


def test_the_methods_list_every_work_that_they_name_and_what_computed_them(found):
    told = " ".join(methods_paragraphs(found))
    document = Document(io.BytesIO(methods_document(methods_paragraphs(found))))
    listed = " ".join(p.text for p in document.paragraphs[-20:])
    for name, author in (("Sterne et al. 2019", "Sterne JAC"), ("Guyatt et al. 2011", "Guyatt G")):
        assert name in told
        assert author in listed
    # The text cites authors and years, so readers look them up alphabetically.
    works = [p.text for p in document.paragraphs][-len(references(methods_paragraphs(found))) :]
    assert works[0].startswith("Bartoš F")
    assert works == sorted(works, key=str.casefold)
    assert "scipy 1." in told
    # There are many harms, and their labels contain commas: a list would be unreadable.
    assert " Harms: " in told
    assert "Any adverse event" not in told


def test_a_work_that_the_methods_do_not_name_is_not_listed():
    (work,) = references(["Bias was judged in the domains of RoB 2 (Sterne et al. 2019)."])
    assert work.startswith("Sterne JAC")


def test_a_second_reading_of_no_row_counts_no_more_in_the_methods_than_in_the_agreement(found):
    (reading,) = found.sheet["second_reading"].to_dict("records")
    lost = {**reading, "row_key": "arm_id=gone;definition=ypT0/is ypN0"}
    told = " ".join(methods_paragraphs(with_table(found, "second_reading", [reading, lost])))
    assert "Of 1 reading by a second reader, 1 (100%) agreed" in told


def test_the_supplement_says_where_each_item_of_prisma_is_found(found):
    # A trial without any result shown is listed among the excluded.
    trials = found.sheet["trials"]
    more = trials.iloc[-1:].assign(trial_id="aside", name="ASIDE", row=99)
    found = replace(found, sheet=replace(found.sheet, tables={
        **found.sheet.tables, "trials": pd.concat([trials, more]),
    }))  # fmt: skip
    tables = tables_of(found)
    names = [table.name for table in tables]
    for setting in found.configuration.settings:
        shown = {"setting": setting, "analysis": "a", "figure": "a/forest", "title": "A plot",
                 "description": f"What is seen of {setting}."}  # fmt: skip
        rows = [shown, shown | {"figure": "a/funnel"}]
        write_table(found.results / setting / "figures.csv", pd.DataFrame(rows))
        (found.results / setting / "a").mkdir()
        for name in ("forest", "funnel"):
            Image.new("RGB", (300, 200)).save(found.results / setting / f"a/{name}.png")
    document = Document(io.BytesIO(supplement(found, tables)))
    checklist = document.tables[0]
    shown = document.tables[1 + [name for name in TABLES if name in names].index("characteristics")]
    assert "ASIDE" not in {cell.text for row in shown.rows for cell in row.cells}
    places = {row.cells[1].text: row.cells[3].text for row in checklist.rows[1:]}
    # PRISMA 2020 has 27 items; counted with their parts they are 42
    assert len(places) == 42
    assert all(places.values())
    # Screen readers read the description of a picture.
    described = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert described == [f"What is seen of {name}." for name in found.configuration.settings]
    captions = [p.text for p in document.paragraphs if p.text.startswith("Table S")]
    for item, title in (("17", "Characteristics"), ("18", "Risk of bias"), ("16b", "Trials and")):
        number = places[item].split(".")[0]
        assert any(c.startswith(f"{number}. {title}") for c in captions), item
