"""The sources behind the results as BibTeX, RIS and CSL-JSON."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from trial_evidence.report.material.material import Material, source_ids

Source = Mapping[str, Any]
# Who wrote these is an organisation, not a person with further authors.
_ORGANISATIONS = frozenset({"registry", "label", "dataset"})
_BIBTEX_TYPES = {"article": "article", "abstract": "article"}
_RIS_TYPES = {
    "article": "JOUR", "abstract": "ABST", "registry": "ELEC", "label": "GOVDOC", "dataset": "DATA",
}  # fmt: skip
_CSL_TYPES = {
    "article": "article-journal", "abstract": "paper-conference", "registry": "webpage",
    "label": "report", "dataset": "dataset",
}  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


def used_sources(material: Material) -> tuple[Source, ...]:
    """Sources that a result, a judgement or a biomarker row of the report rests on.

    Parameters
    ----------
    material : Material

    Returns
    -------
    tuple of mapping
        Rows of sources.csv, by id.
    """
    cells = [
        material.evidence.trials["source_id"],
        material.evidence.rates["source_id"],
        material.sheet["risk_of_bias"]["source_id"],
        material.sheet["biomarker_effects"]["source_id"],
    ]
    used = {source for column in cells for cell in column for source in source_ids(cell)}
    known = material.sources
    return tuple(known[source] for source in sorted(used))


def bibtex(sources: Sequence[Source]) -> str:
    """The sources in BibTeX, UTF-8, special characters of LaTeX escaped.

    Parameters
    ----------
    sources : sequence of mapping
        Rows of sources.csv.

    Returns
    -------
    str
    """
    head = "% First authors and short titles only: complete an entry before citing it.\n"
    return head + "".join(f"\n{_bibtex_entry(source)}" for source in sources)


def ris(sources: Sequence[Source]) -> str:
    """The sources in RIS.

    Parameters
    ----------
    sources : sequence of mapping
        Rows of sources.csv.

    Returns
    -------
    str
    """
    return "\n".join("\n".join(_ris_lines(source)) + "\n" for source in sources)


def csl_json(sources: Sequence[Source]) -> str:
    """The sources in CSL-JSON.

    Parameters
    ----------
    sources : sequence of mapping
        Rows of sources.csv.

    Returns
    -------
    str
    """
    entries = [_csl_entry(source) for source in sources]
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def latex(text: str) -> str:
    """Text with the special characters of LaTeX escaped and white space made single."""
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def _bibtex_entry(source: Source) -> str:
    kind = str(source["type"])
    name = latex(source["first_author"])
    author = ""
    if name:
        author = f"{{{name}}}" + ("" if kind in _ORGANISATIONS else " and others")
    fields = {
        "author": author,
        "title": f"{{{latex(source['title_short'])}}}",
        "journal" if kind in _BIBTEX_TYPES else "howpublished": latex(source["journal"]),
        "year": _year(source),
        "volume": latex(source["volume"]),
        "pages": re.sub("[-–]+", "--", latex(source["pages"])),
        # Printed as it stands: only what would end the field is changed.
        "doi": quote(_one_line(source["doi"]), safe="!\"#$&'()*+,-./:;<=>?@[]^_`|~"),
        "pmid": source["pmid"],
        "note": "Conference abstract" if kind == "abstract" else "",
    }
    lines = [f"  {field} = {{{value}}}," for field, value in fields.items() if value]
    return "\n".join([f"@{_BIBTEX_TYPES.get(kind, 'misc')}{{{source['source_id']},", *lines, "}\n"])


def _ris_lines(source: Source) -> Iterator[str]:
    first, _, last = _one_line(source["pages"]).replace("–", "-").partition("-")
    tags = [
        ("TY", _RIS_TYPES[str(source["type"])]),
        ("ID", source["source_id"]),
        ("AU", source["first_author"]),
        ("TI", source["title_short"]),
        ("T2", source["journal"]),
        ("PY", _year(source)),
        ("VL", source["volume"]),
        ("SP", first),
        ("EP", last),
        ("DO", source["doi"]),
        ("AN", source["pmid"]),
    ]
    for tag, value in tags:
        if text := _one_line(str(value)):
            yield f"{tag}  - {text}"
    yield "ER  - "


def _csl_entry(source: Source) -> dict[str, Any]:
    kind = str(source["type"])
    name = _one_line(source["first_author"])
    author = (
        [{"literal": name}] if kind in _ORGANISATIONS else [{"family": name}, {"literal": "et al."}]
    )
    year = _year(source)
    fields = {
        "id": source["source_id"],
        "type": _CSL_TYPES[kind],
        "author": author if name else [],
        "title": _one_line(source["title_short"]),
        "container-title": _one_line(source["journal"]),
        "issued": {"date-parts": [[int(year)]]} if year else {},
        "volume": _one_line(source["volume"]),
        "page": _one_line(source["pages"]),
        "DOI": _one_line(source["doi"]),
        "PMID": source["pmid"],
    }
    return {field: value for field, value in fields.items() if value}


def _year(source: Source) -> str:
    return "" if math.isnan(source["year"]) else f"{source['year']:.0f}"


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
