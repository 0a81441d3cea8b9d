"""results/report.html: one file that holds the whole report and needs nothing else."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from trial_evidence.figures.canvas.text import font_path
from trial_evidence.files import records
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.printed import counted
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.page.grids import (
    FORMATS,
    Cell,
    Format,
    Record,
    declared_grid,
    report_grid,
)
from trial_evidence.report.page.pictures import Picture, overview
from trial_evidence.report.page.pools import json_island, page_method, page_models
from trial_evidence.report.page.rows import anchor, patients_in_words
from trial_evidence.report.page.sections import SettingPart
from trial_evidence.report.page.sources import Reference, of_row, references

TEMPLATES = Path(__file__).resolve().parents[3] / "report"
SCRIPTS = ("statistics.js", "page.js")
FILE = "report.html"
# Which part of the page holds a table, and a figure by how its name begins; the others come last.
TABLES = {
    "front": "answer", "claims": "claims", "characteristics": "characteristics",
    "risk_of_bias": "bias", "summary_of_findings": "findings", "certainty": "findings",
    "heterogeneity": "robustness", "sensitivity": "robustness", "evidence_map": "evidence-map",
    "timeline": "evidence-map", "biomarkers": "biomarkers", "flow": "search",
}  # fmt: skip
PICTURES = {
    "summary": "answer", "risk_of_bias": "bias", "evidence_map": "evidence-map",
    "timeline": "evidence-map", "flow": "search",
}  # fmt: skip
# The page prints these analysis by analysis, or as sentences.
ELSEWHERE = {"rows_used", "rows_set_aside", "answers"}
_INTERVAL = re.compile(r"\(?[−\d][\d.,]*–[−\d][\d.,]*\d[%)]?")


@dataclass(frozen=True)
class Extras:
    """Parts of the report that are made before the page.

    Attributes
    ----------
    title : str
    tables : tuple of ReportTable
    methods : tuple of str
        Paragraphs.
    provenance : mapping
        As ``provenance.json`` holds it.
    cited : tuple of str
        source_id of every source used, in the order of the reference list.
    """

    title: str
    tables: tuple[ReportTable, ...] = ()
    methods: tuple[str, ...] = ()
    provenance: Mapping[str, Any] | None = None
    cited: tuple[str, ...] = ()


def page(material: Material, settings: Sequence[SettingPart], extras: Extras) -> str:
    """The page as text: one file, readable offline.

    Parameters
    ----------
    material : Material
        Its results hold ``overview/``, the figures over all settings, where there are any.
    settings : sequence of SettingPart
        As :func:`trial_evidence.report.page.sections.page_settings` returns them.
    extras : Extras
        Tables, methods, provenance.
    """
    configuration = material.configuration
    known = references(material.sheet["sources"])
    sections = [section for part in settings for section in part.sections]
    networks = {
        f"{part.name}/{found.key}": found.id for part in settings for found in part.networks
    }
    places = networks | {section.key: section.id for section in sections}
    tables = {table.name: table for table in extras.tables}
    if "biomarkers" in tables:
        places["/biomarkers"] = "biomarkers"
    island = {
        "method": page_method(configuration),
        "models": page_models(configuration),
        "analyses": {section.key: section.pools for section in sections if section.pools},
    }
    return environment(material).get_template("page.html.j2").render(
        title=extras.title,
        settings=settings,
        parts=_parts(extras.tables, places, overview(material.results)),
        answers=records(tables["answers"].data) if "answers" in tables else [],
        methods=extras.methods,
        provenance=extras.provenance,
        references=[known[key] for key in extras.cited if key in known],
        scripts=[Markup((TEMPLATES / name).read_text(encoding="utf-8")) for name in SCRIPTS],
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        data=Markup(json_island(island)),
    )  # fmt: skip


def _parts(
    tables: Sequence[ReportTable], places: Mapping[str, str], pictures: Sequence[Picture]
) -> dict[str, dict[str, list[Any]]]:
    """Figures and tables by the part of the page that holds them."""
    parts: dict[str, dict[str, list[Any]]] = {"answer": {"pictures": [], "tables": []}}
    for picture in pictures:
        part = next((PICTURES[s] for s in PICTURES if picture.name.startswith(s)), "further")
        parts.setdefault(part, {"pictures": [], "tables": []})["pictures"].append(picture)
    for table in tables:
        if table.name not in ELSEWHERE:
            part = TABLES.get(table.name, "further")
            found = parts.setdefault(part, {"pictures": [], "tables": []})
            found["tables"].append(report_grid(table, places))
    return parts


def environment(material: Material) -> jinja2.Environment:
    """Templates of the page with the words and tables they ask for; every text is escaped."""
    known = references(material.sheet["sources"])
    labels = {row["arm_id"]: row["label"] for row in records(material.sheet["arms"])}
    formats: dict[str, Format] = {
        **FORMATS,
        "arms": lambda row: arm_words(row["arms"], labels),
        "source": partial(_source, known),
    }
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "table": partial(declared_grid, formats),
        "formats": formats,
        "model": material.configuration.pooling.model,
        "level": f"{material.configuration.confidence_level:g}%",
        "font": lambda bold: _base64(font_path(bold).read_bytes()),
        "anchor": anchor,
    }
    made.filters |= {
        "unbroken": _unbroken,
        "patients": patients_in_words,
        "counted": counted,
        "arms": partial(arm_words, labels=labels),
        "references": partial(of_row, known),
        "sha256": lambda text: _base64(hashlib.sha256(text.encode()).digest()),
    }
    return made


def arm_words(text: str, labels: Mapping[str, str]) -> str:
    """Arms of a row by their labels: ``one v other`` of arm ids."""
    return " v ".join(labels.get(arm, arm) for arm in text.split(" v "))


def _source(known: Mapping[str, Reference], row: Record, place: str = "") -> Cell:
    found = of_row(known, row["source_id"])
    where = row[place] if place else ""
    text = ", ".join(filter(None, ["; ".join(source.short for source in found), where]))
    return Cell(text, tuple(link for source in found for link in source.links))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unbroken(text: str) -> Markup:
    """The text with its intervals kept on one line."""
    return Markup(_INTERVAL.sub(r'<span class="n">\g<0></span>', str(escape(text))))
