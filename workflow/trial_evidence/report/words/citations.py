"""Citations of sources: their authors, and the line in a list of references."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trial_evidence.words.printed import whole

Source = Mapping[str, Any]
# Types of source with personal authors; the author of any other type is an organisation.
_BY_PERSONS = ("article", "abstract")
_BETWEEN = ";"
AND_OTHERS = "et al."
_INITIALS = re.compile(r"(?P<family>.+) (?P<given>[^\W\d_a-z]{1,4}(-[^\W\d_a-z]{1,2})?)")
# A ClinicalTrials.gov number in a text; other registries have no stable address.
REGISTERED = re.compile(r"(?<![A-Za-z0-9])(NCT\d{8})(?!\d)")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Author:
    """A person, or an organisation (which has no given name); ``given`` holds initials."""

    family: str
    given: str = ""

    @property
    def inverted(self) -> str:
        """Family name, comma, initials."""
        return ", ".join(filter(None, (self.family, self.given)))


def authors_of(source: Source) -> tuple[tuple[Author, ...], bool]:
    """The authors of a source that the sheet names, and whether there are others.

    If the sheet lacks the full list, the first author only; an article then has others.
    """
    written = [one_line(name) for name in source["authors"].split(_BETWEEN)]
    names = [name for name in written if name and name != AND_OTHERS]
    if not names:
        first = one_line(source["first_author"])
        return tuple(map(Author, filter(None, [first]))), bool(first) and is_article(source)
    found = ((name, _INITIALS.fullmatch(name)) for name in names)
    people = (Author(m["family"], m["given"]) if m else Author(name) for name, m in found)
    return tuple(people), AND_OTHERS in written


def reference(source: Source) -> str:
    """A source as printed in a list of references: authors, title, journal, year, volume, pages."""
    people, others = authors_of(source)
    names = [" ".join(filter(None, (a.family, a.given))) for a in people]
    issue = f"({source['issue']})" if source["issue"] else ""
    issue = "" if issue in source["volume"] else issue
    # The journal of an abstract may be a meeting, with its year or the number of the abstract.
    named = re.split(r"[^\w-]+", source["journal"])
    pages, year = source["pages"], whole(source["year"])
    pages = "" if pages in named else pages
    year = "" if year in named and not source["volume"] else year
    place = ":".join(filter(None, (f"{source['volume']}{issue}", pages)))
    dated = ";".join(filter(None, (year, place)))
    where = " ".join(filter(None, (source["journal"], dated)))
    who = ", ".join([*names, *([AND_OTHERS] if others else [])])
    parts = (who, source["title"] or source["title_short"], where)
    return " ".join(f"{part.rstrip('.')}." for part in map(one_line, parts) if part)


def registry_address(number: str) -> str:
    """Address of a trial's registry record; ``""`` for a number not matched by `REGISTERED`."""
    return f"https://clinicaltrials.gov/study/{number}" if REGISTERED.fullmatch(number) else ""


def is_article(source: Source) -> bool:
    """Whether a source has personal authors, possibly more than the sheet names."""
    return source["type"] in _BY_PERSONS


def one_line(text: str) -> str:
    """The text without line breaks and with single spaces."""
    return _SPACES.sub(" ", text).strip()
