"""The sources behind the results as BibTeX, RIS and CSL-JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd

from trial_evidence.report.material.material import Material, source_ids
from trial_evidence.report.material.printed import whole

Source = Mapping[str, Any]
# Kind of source -> its type in BibTeX, RIS and CSL.
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
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


def used_sources(material: Material) -> tuple[Source, ...]:
    """Sources that a result, a judgement or a biomarker row of the report rests on, by id."""
    sheet, evidence = material.sheet, material.evidence
    tables = (evidence.trials, evidence.rates, sheet["risk_of_bias"], sheet["biomarker_effects"])
    cells = pd.concat([table["source_id"] for table in tables]).unique()
    used = {source for cell in cells for source in source_ids(cell)}
    return tuple(material.sources[source] for source in sorted(used))


def bibtex(sources: Sequence[Source]) -> str:
    """The sources in BibTeX, UTF-8, special characters of LaTeX escaped."""
    head = "% First authors and short titles only: complete an entry before citing it.\n"
    return head + "".join(f"\n{_bibtex_entry(source)}" for source in sources)


def ris(sources: Sequence[Source]) -> str:
    """The sources in RIS."""
    return "\n".join(_ris_entry(source) for source in sources)


def csl_json(sources: Sequence[Source]) -> str:
    """The sources in CSL-JSON."""
    entries = [_csl_entry(source) for source in sources]
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def latex(text: str) -> str:
    """Text with the special characters of LaTeX escaped and white space made single."""
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def _bibtex_entry(source: Source) -> str:
    kind = _TYPES[source["type"]][0]
    name = f"{{{latex(source['first_author'])}}}" if source["first_author"] else ""
    fields = {
        "author": name and name + (" and others" if kind == "article" else ""),
        "title": f"{{{latex(source['title_short'])}}}",
        "journal" if kind == "article" else "howpublished": latex(source["journal"]),
        "year": whole(source["year"]),
        "volume": latex(source["volume"]),
        "pages": re.sub("[-–]+", "--", latex(source["pages"])),
        # Printed as it stands: only what would end the field is changed.
        "doi": quote(_one_line(source["doi"]), safe="!\"#$&'()*+,-./:;<=>?@[]^_`|~"),
        "pmid": source["pmid"],
        "note": "Conference abstract" if source["type"] == "abstract" else "",
    }
    lines = [f"  {field} = {{{value}}}," for field, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{source['source_id']},", *lines, "}\n"])


def _ris_entry(source: Source) -> str:
    first, _, last = source["pages"].replace("–", "-").partition("-")
    tags = {
        "TY": _TYPES[source["type"]][1],
        "ID": source["source_id"],
        "AU": source["first_author"],
        "TI": source["title_short"],
        "T2": source["journal"],
        "PY": whole(source["year"]),
        "VL": source["volume"],
        "SP": first,
        "EP": last,
        "DO": source["doi"],
        "AN": source["pmid"],
    }
    lines = [f"{tag}  - {text}" for tag, value in tags.items() if (text := _one_line(value))]
    return "\n".join([*lines, "ER  - \n"])


def _csl_entry(source: Source) -> dict[str, Any]:
    # Who wrote anything but an article is an organisation, not a person with further authors.
    kind, _, csl = _TYPES[source["type"]]
    name, year = _one_line(source["first_author"]), whole(source["year"])
    persons = [{"family": name}, {"literal": "et al."}]
    fields = {
        "id": source["source_id"],
        "type": csl,
        "author": name and (persons if kind == "article" else [{"literal": name}]),
        "title": _one_line(source["title_short"]),
        "container-title": _one_line(source["journal"]),
        "issued": {"date-parts": [[int(year)]]} if year else {},
        "volume": _one_line(source["volume"]),
        "page": _one_line(source["pages"]),
        "DOI": _one_line(source["doi"]),
        "PMID": source["pmid"],
    }
    return {field: value for field, value in fields.items() if value}


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
