"""The sources behind the results as BibTeX, RIS and CSL-JSON."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from trial_evidence.report.material.material import JOINED, Material, source_ids
from trial_evidence.report.words.citations import (
    AND_OTHERS,
    Author,
    Source,
    authors_of,
    is_article,
    one_line,
    registry_address,
)
from trial_evidence.words.printed import whole

# Type of source -> its type in BibTeX, RIS and CSL.
_TYPES = {
    "article": ("article", "JOUR", "article-journal"),
    "abstract": ("article", "ABST", "paper-conference"),
    "registry": ("misc", "ELEC", "webpage"),
    "label": ("misc", "GOVDOC", "report"),
    "dataset": ("misc", "DATA", "dataset"),
}
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
# Column of sources.csv -> its field in BibTeX, RIS and CSL.
_FIELDS = (
    ("authors", "author", "AU", "author"),
    ("title", "title", "TI", "title"),
    ("journal", "journal", "T2", "container-title"),
    ("year", "year", "PY", "issued"),
    ("volume", "volume", "VL", "volume"),
    ("issue", "number", "IS", "issue"),
    ("pages", "pages", "SP", "page"),
    ("doi", "doi", "DO", "DOI"),
    ("pmid", "pmid", "AN", "PMID"),
    ("pmcid", "pmcid", "C2", "PMCID"),
)


def used_sources(material: Material, risks: Iterable[str] = ()) -> tuple[Source, ...]:
    """Sources of the results, judgements and biomarker rows of the report, sorted by id.

    Results are those of comparisons, rates and networks; `risks` are the sources of the control
    risks.
    """
    sheet, evidence = material.sheet, material.evidence
    tables = (evidence.trials, evidence.rates, sheet["risk_of_bias"], sheet["biomarker_effects"])
    cells = [cell for table in tables for cell in table["source_id"]]
    cells += [row["source_id"] for row in evidence.networks.rows("used")]
    return tuple(material.sources[key] for key in sorted(source_ids(JOINED.join([*cells, *risks]))))


def bibtex(sources: Sequence[Source]) -> str:
    """The sources in BibTeX (UTF-8), with special characters of LaTeX escaped."""
    return "\n".join(_bibtex_entry(source) for source in sources)


def ris(sources: Sequence[Source]) -> str:
    """The sources in RIS."""
    return "\n".join(_ris_entry(source) for source in sources)


def csl_json(sources: Sequence[Source]) -> str:
    """The sources in CSL-JSON."""
    entries = [_csl_entry(source) for source in sources]
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def latex(text: str) -> str:
    """Text with special characters of LaTeX escaped and white space collapsed."""
    return "".join(_LATEX.get(letter, letter) for letter in one_line(text))


def _fields(source: Source, form: int) -> dict[str, str]:
    """The cells of a source, each on one line, by field name in the given format of ``_FIELDS``."""
    title = source["title"] or source["title_short"]
    cells = {**source, "year": whole(source["year"]), "title": title}
    return {names[form]: one_line(cells[column]) for column, *names in _FIELDS}


def _bibtex_entry(source: Source) -> str:
    kind, plain = _TYPES[source["type"]][0], _fields(source, 0)
    texts = {field: latex(text) for field, text in plain.items()}
    people, others = authors_of(source)
    # Braces keep BibTeX from splitting the name of an organisation, or a name without initials.
    names = [latex(a.inverted) if a.given else f"{{{latex(a.family)}}}" for a in people]
    texts |= {
        "author": " and ".join([*names, *(["others"] if others else [])]),
        "title": f"{{{texts['title']}}}",
        "pages": re.sub("[-–]+", "--", texts["pages"]),
        # Styles print a DOI verbatim: only characters that would end the field are encoded.
        "doi": quote(plain["doi"], safe="!\"#$&'()*+,-./:;<=>?@[]^_`|~"),
        "note": "Conference abstract" if source["type"] == "abstract" else _registered(source),
        "url": registry_address(_registered(source)),
    }
    other = {} if kind == "article" else {"journal": "howpublished"}
    lines = [f"  {other.get(field, field)} = {{{text}}}," for field, text in texts.items() if text]
    return "\n".join([f"@{kind}{{{source['source_id']},", *lines, "}\n"])


def _ris_entry(source: Source) -> str:
    texts = {"TY": _TYPES[source["type"]][1], "ID": source["source_id"], **_fields(source, 1)}
    people, others = authors_of(source)
    # Each author and the last page have separate tags.
    texts["AU"] = "\nAU  - ".join(author.inverted for author in people)
    texts["SP"] = re.sub("[-–]", "\nEP  - ", texts["SP"], count=1)
    # RIS cannot express further authors; "et al." as an author would be taken for a name.
    texts["N1"] = "Further authors are to be added." if others else ""
    texts |= {"AN": texts["AN"] or _registered(source), "UR": registry_address(_registered(source))}
    lines = [f"{tag}  - {text}" for tag, text in texts.items() if text]
    return "\n".join([*lines, "ER  - \n"])


def _csl_entry(source: Source) -> dict[str, Any]:
    texts = _fields(source, 2)
    people, others = authors_of(source)
    year = texts["issued"]
    entry = {"id": source["source_id"], "type": _TYPES[source["type"]][2], **texts}
    entry["author"] = [_csl_name(source, author) for author in people]
    entry["author"] += [{"literal": AND_OTHERS}] if others else []
    entry["issued"] = year and {"date-parts": [[int(year)]]}
    entry |= {"number": _registered(source), "URL": registry_address(_registered(source))}
    return {field: value for field, value in entry.items() if value}


def _registered(source: Source) -> str:
    """Registry number of a registry record; other sources only carry that of their trial."""
    return one_line(source["nct"]) if source["type"] == "registry" else ""


def _csl_name(source: Source, author: Author) -> dict[str, str]:
    if author.given:
        return {"family": author.family, "given": author.given}
    # Without initials, the author of anything but an article is an organisation.
    return {"family" if is_article(source) else "literal": author.family}
