"""Sources of the sheet as a page prints them: a citation, and links that are safe to follow."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from trial_evidence.files import records

# Two arms of a trial may have been read in two sources.
JOINED = " / "
_REGISTERED = re.compile(r"(?<![A-Za-z0-9])(NCT\d{8})(?!\d)")
_DOI = re.compile(r"^10\.\d{4,9}/\S+$")


@dataclass(frozen=True)
class Link:
    """A text and the address it leads to."""

    text: str
    address: str


@dataclass(frozen=True)
class Reference:
    """A source as a reader finds it.

    Attributes
    ----------
    source_id : str
        Key in sources.csv.
    citation : str
        Author, year, title, journal, volume and pages, as far as the sheet has them.
    short : str
        Author and year.
    links : tuple of Link
        DOI and PubMed, where the sheet has them.
    """

    source_id: str
    citation: str
    short: str
    links: tuple[Link, ...]


def references(sources: pd.DataFrame) -> dict[str, Reference]:
    """Every source of the sheet by its key.

    Parameters
    ----------
    sources : DataFrame
        The table sources of the sheet.

    Returns
    -------
    dict of str to Reference
    """
    return {str(row["source_id"]): _reference(row) for row in records(sources)}


def of_row(known: Mapping[str, Reference], source_id: str) -> tuple[Reference, ...]:
    """The references behind a row's ``source_id``, which may join two.

    Parameters
    ----------
    known : mapping
        As :func:`references` returns it.
    source_id : str
        One key, or two joined by ``" / "``.

    Returns
    -------
    tuple of Reference
        A key that sources.csv does not hold stands as it is, without links.
    """
    keys = [key for key in source_id.split(JOINED) if key]
    return tuple(known.get(key, Reference(key, key, key, ())) for key in keys)


def registry_links(text: str) -> tuple[Link, ...]:
    """Links to the trial registrations a text names.

    Parameters
    ----------
    text : str
        For example the cell ``nct`` of a trial.

    Returns
    -------
    tuple of Link
        Only numbers of ClinicalTrials.gov; other registries have no stable address.
    """
    return tuple(
        Link(number, f"https://clinicaltrials.gov/study/{number}")
        for number in dict.fromkeys(_REGISTERED.findall(text))
    )


def linked_cell(text: str) -> tuple[Link, ...]:
    """Where a cell that is nothing but a registration number, a DOI or a PMID leads.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of Link
        Empty for any other text.
    """
    cell = text.strip()
    if _REGISTERED.fullmatch(cell):
        return registry_links(cell)
    if _DOI.match(cell):
        return (_doi(cell),)
    found = re.fullmatch(r"PMID:? ?(\d{1,9})", cell)
    return (_pubmed(found.group(1), cell),) if found else ()


def _doi(doi: str) -> Link:
    return Link(doi, f"https://doi.org/{quote(doi, safe='/:;()._-')}")


def _pubmed(pmid: str, text: str) -> Link:
    return Link(text, f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/")


def _reference(row: Mapping[str, Any]) -> Reference:
    year = _whole(row["year"])
    journal = " ".join(part for part in (str(row["journal"]), _place(row)) if part)
    parts = [str(row["first_author"]), year, str(row["title_short"]), journal]
    links = []
    if _DOI.match(str(row["doi"])):
        links.append(_doi(str(row["doi"])))
    pmid = _whole(row["pmid"])
    if re.fullmatch(r"\d{1,9}", pmid):
        links.append(_pubmed(pmid, f"PMID {pmid}"))
    links += registry_links(str(row["title_short"]))
    name = str(row["first_author"]) or str(row["journal"]) or str(row["title_short"])
    short = " ".join(part for part in (name, year) if part)
    return Reference(
        source_id=str(row["source_id"]),
        citation=". ".join(part for part in parts if part) + ".",
        short=short,
        links=tuple(links),
    )


def _place(row: Mapping[str, Any]) -> str:
    volume, pages = str(row["volume"]), str(row["pages"])
    return f"{volume}:{pages}" if volume and pages else volume or pages


def _whole(value: Any) -> str:
    """A year or a PMID, which the sheet may hold as a number, without decimals."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.0f}"
    return str(value)
