"""References: a source in each format, and that no text breaks out of its field."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
import rispy
from report_material import material, with_table
from trial_evidence.report.files.bibliography import bibtex, csl_json, latex, ris, used_sources
from trial_evidence.report.trail.evidence import NetworkTables
from trial_evidence.report.words.citations import reference

ARTICLE = {
    "source_id": "doe_2020_trial_a", "authors": "", "first_author": "van Døe", "year": 2020.0,
    "title": "", "issue": "", "pmcid": "", "nct": "",
    "journal": "Ann Res & Pract", "title_short": "Trial_A: 50% of all", "volume": "17",
    "pages": "791-800", "doi": "10.1016/S1470-2045(16)00163-7", "pmid": "123", "type": "article",
}  # fmt: skip
HOSTILE = '<script>alert("x")</script> 😀 =1+1 } \\write18{rm}\nER  - \nTY  - JOUR @misc{a, %'


def source(**fields):
    return ARTICLE | fields


@pytest.mark.parametrize("table", ["risk_of_bias", "biomarker_effects"])
def test_what_only_a_judgement_or_a_biomarker_rests_on_is_cited(pooled, table):
    found = material(pooled)
    listed = found.sheet["sources"].to_dict("records")
    other = listed[0] | {"source_id": "cited_there_alone"}
    changed = with_table(with_table(found, "sources", [*listed, other]), table,
                         [{"source_id": "cited_there_alone"}])  # fmt: skip
    assert "cited_there_alone" in [source["source_id"] for source in used_sources(changed)]


@pytest.mark.parametrize("kind", ["trials", "rates"])
def test_every_source_of_a_result_is_cited(pooled, kind):
    found = material(pooled)
    for table in ("risk_of_bias", "biomarker_effects"):
        found = with_table(found, table, [])
    other = "rates" if kind == "trials" else "trials"
    none = getattr(found.evidence, other).iloc[:0]
    found = replace(found, evidence=replace(found.evidence, **{other: none}))
    behind = {key for cell in getattr(found.evidence, kind)["source_id"]
              for key in cell.split(" / ")}  # fmt: skip
    assert behind
    assert {source["source_id"] for source in used_sources(found)} == behind - {""}


def test_what_only_a_network_or_a_control_risk_rests_on_is_cited(pooled):
    """Some trials are only in a network, and control risks may come from other sources."""
    found = material(pooled)
    listed = found.sheet["sources"].to_dict("records")
    others = [listed[0] | {"source_id": name} for name in ("of_a_network", "of_a_risk")]
    changed = with_table(found, "sources", [*listed, *others])
    used = pd.DataFrame({"source_id": ["of_a_network / doe_2020_trial_a"]})
    networks = NetworkTables({"adjuvant/net": {"used": used}, "adjuvant/none": {}}, ())
    changed = replace(changed, evidence=replace(changed.evidence, networks=networks))
    cited = {source["source_id"] for source in used_sources(changed, ["of_a_risk", ""])}
    assert {"of_a_network", "of_a_risk"} <= cited


def test_bibtex_escapes_what_latex_would_take_for_commands():
    assert latex("50% of A_B & {C} #1 $2 ~ ^ \\x") == (
        r"50\% of A\_B \& \{C\} \#1 \$2 \textasciitilde{} \textasciicircum{} \textbackslash{}x"
    )


def test_bibtex_of_an_article():
    assert bibtex([ARTICLE]) == (
        "@article{doe_2020_trial_a,\n"
        "  author = {{van Døe} and others},\n"
        "  title = {{Trial\\_A: 50\\% of all}},\n"
        "  journal = {Ann Res \\& Pract},\n"
        "  year = {2020},\n"
        "  volume = {17},\n"
        "  pages = {791--800},\n"
        "  doi = {10.1016/S1470-2045(16)00163-7},\n"
        "  pmid = {123},\n"
        "}\n"
    )


def test_every_field_has_its_name_in_every_format():
    record = source(issue="6", pmcid="PMC45", authors="Røe JACB; Poe R-M", type="article")
    for field in ("volume = {17}", "number = {6}", "pmid = {123}", "pmcid = {PMC45}"):
        assert f"  {field},\n" in bibtex([record])
    (entry,) = rispy.loads(ris([record]))
    assert (entry["volume"], entry["number"]) == ("17", "6")
    assert (entry["accession_number"], entry["custom2"]) == ("123", "PMC45")
    (parsed,) = json.loads(csl_json([record]))
    # Names and forms of CSL 1.0.2.
    assert parsed == {
        "id": "doe_2020_trial_a", "type": "article-journal", "title": "Trial_A: 50% of all",
        "container-title": "Ann Res & Pract", "volume": "17", "issue": "6", "page": "791-800",
        "DOI": "10.1016/S1470-2045(16)00163-7", "PMID": "123", "PMCID": "PMC45",
        "author": [{"family": "Røe", "given": "JACB"}, {"family": "Poe", "given": "R-M"}],
        "issued": {"date-parts": [[2020]]},
    }  # fmt: skip


def test_what_is_no_article_says_where_it_was_published():
    assert "  howpublished = {Ann Res \\& Pract},\n" in bibtex([source(type="label")])
    assert "journal" not in bibtex([source(type="label")])


def test_an_organisation_has_no_further_authors():
    record = source(type="registry", first_author="Agency & Sons")
    assert "author = {{Agency \\& Sons}}," in bibtex([record])
    assert "@misc{" in bibtex([record])
    assert json.loads(csl_json([record]))[0]["author"] == [{"literal": "Agency & Sons"}]


def test_a_record_of_a_registry_is_cited_by_its_number_and_address():
    record = source(type="registry", first_author="Agency", doi="", pmid="", nct="NCT01234567")
    address = "https://clinicaltrials.gov/study/NCT01234567"
    assert f"  note = {{NCT01234567}},\n  url = {{{address}}},\n" in bibtex([record])
    (entry,) = rispy.loads(ris([record]))
    assert (entry["accession_number"], entry["urls"]) == ("NCT01234567", [address])
    (parsed,) = json.loads(csl_json([record]))
    assert (parsed["number"], parsed["URL"]) == ("NCT01234567", address)


def test_a_number_of_another_registry_is_given_without_an_address():
    record = source(type="registry", nct="UMIN000000001")
    assert "note = {UMIN000000001}" in bibtex([record])
    assert "url" not in bibtex([record])


def test_an_article_has_not_the_number_of_its_trial():
    record = source(nct="NCT01234567")
    assert not any("NCT01234567" in write([record]) for write in (bibtex, ris, csl_json))


def test_all_authors_that_the_sheet_names_are_cited():
    record = source(authors="van Døe J; Roe-Poe RM; Agency Ltd; et al.", title="Whole, long title")
    assert "author = {van Døe, J and Roe-Poe, RM and {Agency Ltd} and others}," in bibtex([record])
    (entry,) = rispy.loads(ris([record]))
    assert entry["authors"] == ["van Døe, J", "Roe-Poe, RM", "Agency Ltd"]
    assert entry["title"] == "Whole, long title"
    assert json.loads(csl_json([record]))[0]["author"] == [
        {"family": "van Døe", "given": "J"}, {"family": "Roe-Poe", "given": "RM"},
        {"family": "Agency Ltd"}, {"literal": "et al."},
    ]  # fmt: skip


def test_a_complete_list_of_authors_has_no_others():
    record = source(authors="van Døe J; Roe RM")
    assert "author = {van Døe, J and Roe, RM}," in bibtex([record])
    assert "notes" not in rispy.loads(ris([record]))[0]


def test_a_reference_is_printed_as_journals_print_it():
    record = source(
        authors="van Døe J; Roe RM; et al.", title="Dual blockade in trial A.", issue="6"
    )
    assert reference(record) == (
        "van Døe J, Roe RM, et al. Dual blockade in trial A. Ann Res & Pract 2020;17(6):791-800."
    )


@pytest.mark.parametrize(
    ("journal", "pages"),
    [
        ("SABCS 2020", "P2-13"),
        ("SABCS 2020 abstract P2-13", "P2-13"),
        ("SABCS 2020 (P2-13)", "P2-13"),
    ],
)
def test_a_meeting_named_with_its_year_and_abstract_does_not_repeat_them(journal, pages):
    record = source(journal=journal, pages=pages, volume="", issue="")
    printed = reference(record)
    assert (printed.count("2020"), printed.count("P2-13")) == (1, 1)


def test_a_volume_keeps_its_year_whatever_the_name_of_the_journal():
    record = source(journal="Proceedings 2020", issue="6")
    assert reference(record).endswith(" Proceedings 2020 2020;17(6):791-800.")


def test_a_hostile_text_stays_in_its_field():
    record = source(title_short=HOSTILE, first_author=HOSTILE, doi="10.1000/a}b%c{")
    text = re.sub(r"\\[{}]", "", bibtex([record]))
    assert text.count("{") == text.count("}")
    assert re.findall(r"^@\w+", text, flags=re.MULTILINE) == ["@article"]
    (entry,) = rispy.loads(ris([record]))
    assert entry["title"] == re.sub(r"\s+", " ", HOSTILE)
    (parsed,) = json.loads(csl_json([record]))
    assert parsed["title"] == re.sub(r"\s+", " ", HOSTILE)


def test_ris_is_read_back():
    (entry,) = rispy.loads(ris([ARTICLE]))
    assert entry == {
        "type_of_reference": "JOUR", "id": "doe_2020_trial_a", "authors": ["van Døe"],
        "title": "Trial_A: 50% of all", "secondary_title": "Ann Res & Pract", "year": "2020",
        "volume": "17", "start_page": "791", "end_page": "800",
        "doi": "10.1016/S1470-2045(16)00163-7", "accession_number": "123",
        "notes": ["Further authors are to be added."],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "in_ris", "in_csl"),
    [
        ("article", "JOUR", "article-journal"),
        ("abstract", "ABST", "paper-conference"),
        ("registry", "ELEC", "webpage"),
        ("label", "GOVDOC", "report"),
        ("dataset", "DATA", "dataset"),
    ],
)
def test_every_kind_of_source_has_its_type(kind, in_ris, in_csl):
    record = source(type=kind)
    (entry,) = rispy.loads(ris([record]))
    assert entry["type_of_reference"] == in_ris
    assert json.loads(csl_json([record]))[0]["type"] == in_csl


def test_what_is_missing_is_left_out():
    record = source(year=float("nan"), volume="", pages="", doi="", pmid="", first_author="")
    assert "year" not in bibtex([record])
    (parsed,) = json.loads(csl_json([record]))
    assert set(parsed) == {"id", "type", "title", "container-title"}


def test_only_sources_that_were_used_are_listed(pooled):
    found = material(pooled)
    extra = source(source_id="nobody_2020")
    sources = [*found.sheet["sources"].to_dict("records"), extra]
    listed = {row["source_id"] for row in used_sources(with_table(found, "sources", sources))}
    assert "nobody_2020" not in listed
    assert "doe_2020_trial_a" in listed
