"""Sources of the sheet for the page: citations, and links that are safe to follow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from trial_evidence.files import records
from trial_evidence.report.material.material import source_ids
from trial_evidence.report.words.citations import REGISTERED, reference, registry_address
from trial_evidence.words.printed import whole

_DOI = re.compile(r"^10\.\d{4,9}/\S+$")


@dataclass(frozen=True)
class Link:
    """A text and the address that it links to."""

    text: str
    address: str


@dataclass(frozen=True)
class Reference:
    """A source as printed in the page.

    Attributes
    ----------
    source_id : str
        Key in sources.csv.
    citation : str
        Authors, title, journal, year, volume and pages, as far as the sheet has them.
    short : str
        Author and year.
    links : tuple of Link
        DOI, PubMed and registry, if the sheet has them.
    """

    source_id: str
    citation: str
    short: str
    links: tuple[Link, ...]


References = Mapping[str, Reference]
"""source_id -> reference."""


def references(sources: pd.DataFrame) -> References:
    """source_id -> reference, for every row of sources.csv."""
    return {str(row["source_id"]): _reference(row) for row in records(sources)}


def of_row(known: References, cell: str) -> tuple[Reference, ...]:
    """The references of a row's ``source_id``, which may join two.

    A key missing in sources.csv is shown as it is, without links.
    """
    return tuple(known.get(key, Reference(key, key, key, ())) for key in source_ids(cell))


def registry_links(text: str) -> tuple[Link, ...]:
    """Links to the trial registrations named in a text."""
    numbers = dict.fromkeys(REGISTERED.findall(text))
    return tuple(Link(number, registry_address(number)) for number in numbers)


def linked_cell(text: str) -> tuple[Link, ...]:
    """The link of a cell that holds only a registration number, a DOI or a PMID."""
    cell = text.strip()
    if REGISTERED.fullmatch(cell):
        return registry_links(cell)
    if _DOI.match(cell):
        return (Link(cell, f"https://doi.org/{quote(cell, safe='/:;()._-')}"),)
    found = re.fullmatch(r"PMID:? ?(\d{1,9})", cell)
    return (Link(cell, f"https://pubmed.ncbi.nlm.nih.gov/{found[1]}/"),) if found else ()


def _reference(row: Mapping[str, Any]) -> Reference:
    who = row["first_author"] or row["journal"] or row["title_short"]
    links = (
        *linked_cell(row["doi"]),
        *linked_cell(f"PMID {row['pmid']}"),
        *registry_links(row["nct"]),
        *registry_links(row["title_short"]),
    )
    return Reference(
        source_id=row["source_id"],
        citation=reference(row),
        short=" ".join(filter(None, (who, whole(row["year"])))),
        links=tuple(dict.fromkeys(links)),
    )
