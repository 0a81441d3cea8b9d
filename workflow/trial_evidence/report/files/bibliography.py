"""The sources behind the results as BibTeX, RIS and CSL-JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd

from trial_evidence.report.material.material import JOINED, Material, source_ids
from trial_evidence.report.words.printed import whole

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
# Column of sources.csv -> its name in each of them.
_FIELDS = (
    ("first_author", "author", "AU", "author"),
    ("title_short", "title", "TI", "title"),
    ("journal", "journal", "T2", "container-title"),
    ("year", "year", "PY", "issued"),
    ("volume", "volume", "VL", "volume"),
    ("pages", "pages", "SP", "page"),
    ("doi", "doi", "DO", "DOI"),
    ("pmid", "pmid", "AN", "PMID"),
)
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


def used_sources(material: Material) -> tuple[Source, ...]:
    """Sources that a result, a judgement or a biomarker row of the report rests on, by id."""
    sheet, evidence = material.sheet, material.evidence
    tables = (evidence.trials, evidence.rates, sheet["risk_of_bias"], sheet["biomarker_effects"])
    cells = pd.concat([table["source_id"] for table in tables])
    return tuple(material.sources[key] for key in sorted(source_ids(JOINED.join(cells))))


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


def _fields(source: Source, form: int) -> dict[str, str]:
    """The cells of a source, each on one line, by their names in a format of ``_FIELDS``."""
    cells = {**source, "year": whole(source["year"])}
    return {names[form]: _one_line(cells[column]) for column, *names in _FIELDS}


def _bibtex_entry(source: Source) -> str:
    kind, plain = _TYPES[source["type"]][0], _fields(source, 0)
    texts = {field: latex(text) for field, text in plain.items()}
    name = texts["author"]
    texts |= {
        "author": name and f"{{{name}}}{' and others' if kind == 'article' else ''}",
        "title": f"{{{texts['title']}}}",
        "pages": re.sub("[-–]+", "--", texts["pages"]),
        # Printed as it stands: only what would end the field is changed.
        "doi": quote(plain["doi"], safe="!\"#$&'()*+,-./:;<=>?@[]^_`|~"),
        "note": "Conference abstract" if source["type"] == "abstract" else "",
    }
    names = {} if kind == "article" else {"journal": "howpublished"}
    lines = [f"  {names.get(field, field)} = {{{text}}}," for field, text in texts.items() if text]
    return "\n".join([f"@{kind}{{{source['source_id']},", *lines, "}\n"])


def _ris_entry(source: Source) -> str:
    texts = {"TY": _TYPES[source["type"]][1], "ID": source["source_id"], **_fields(source, 1)}
    # The last page has a tag of its own.
    texts["SP"] = re.sub("[-–]", "\nEP  - ", texts["SP"], count=1)
    lines = [f"{tag}  - {text}" for tag, text in texts.items() if text]
    return "\n".join([*lines, "ER  - \n"])


def _csl_entry(source: Source) -> dict[str, Any]:
    kind, _, csl = _TYPES[source["type"]]
    texts = _fields(source, 2)
    name, year = texts["author"], texts["issued"]
    # Who wrote anything but an article is an organisation, not a person with further authors.
    persons = [{"family": name}, {"literal": "et al."}]
    entry = {"id": source["source_id"], "type": csl, **texts}
    entry["author"] = name and (persons if kind == "article" else [{"literal": name}])
    entry["issued"] = year and {"date-parts": [[int(year)]]}
    return {field: value for field, value in entry.items() if value}


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
