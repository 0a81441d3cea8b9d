"""Sources as citations with links that are safe to follow."""

import pandas as pd
import pytest
from trial_evidence.report.page.sources import linked_cell, of_row, references, registry_links

ROW = {
    "source_id": "doe_2020", "authors": "", "title": "", "issue": "", "nct": "",
    "first_author": "Doe", "year": 2020.0, "journal": "Journal",
    "title_short": "Main report NCT00000001", "volume": "17", "pages": "1-9",
    "doi": "10.1000/a(1)<x>", "pmid": "12345", "type": "article",
}  # fmt: skip


def known(**changes):
    return references(pd.DataFrame([ROW | changes]))


def test_a_citation_has_what_the_sheet_has():
    assert known()["doe_2020"].citation == (
        "Doe, et al. Main report NCT00000001. Journal 2020;17:1-9."
    )
    bare = known(year=float("nan"), journal="", volume="", pages="")["doe_2020"]
    assert bare.citation == "Doe, et al. Main report NCT00000001."
    assert bare.short == "Doe"
    assert known(first_author="")["doe_2020"].short == "Journal 2020"


def test_links_are_made_of_doi_pmid_and_registration():
    addresses = [link.address for link in known()["doe_2020"].links]
    assert addresses == [
        "https://doi.org/10.1000/a(1)%3Cx%3E",
        "https://pubmed.ncbi.nlm.nih.gov/12345/",
        "https://clinicaltrials.gov/study/NCT00000001",
    ]


@pytest.mark.parametrize("doi", ["", "javascript:alert(1)", "https://example.org/10.1000/x"])
def test_what_is_no_doi_is_no_link(doi):
    assert all("doi.org" not in link.address for link in known(doi=doi)["doe_2020"].links)


def test_two_sources_of_a_row():
    found = of_row(known(), "doe_2020 / unknown")
    assert [(ref.source_id, bool(ref.links)) for ref in found] == [
        ("doe_2020", True), ("unknown", False),
    ]  # fmt: skip
    assert of_row(known(), "") == ()


@pytest.mark.parametrize(
    ("text", "count"), [("NCT00000001, NCT00000002", 2), ("XNCT00000001", 0), ("NCT000000012", 0)]
)
def test_registrations_in_a_text(text, count):
    assert len(registry_links(text)) == count


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("NCT00000001", "https://clinicaltrials.gov/study/NCT00000001"),
        ("10.1000/x", "https://doi.org/10.1000/x"),
        ("PMID 77", "https://pubmed.ncbi.nlm.nih.gov/77/"),
    ],
)
def test_a_cell_that_is_nothing_but_a_number_is_a_link(cell, address):
    assert [link.address for link in linked_cell(cell)] == [address]


def test_a_sentence_is_not_a_link():
    assert linked_cell("as in NCT00000001 and 10.1000/x") == ()
