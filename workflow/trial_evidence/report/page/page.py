"""results/report.html: the whole report in one self-contained file."""

import base64
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from jinja2.runtime import Macro
from markupsafe import Markup, escape

from trial_evidence.config.configuration import HARMS
from trial_evidence.extract.regimens import agent_labels, with_labels
from trial_evidence.figures.canvas.text import font_path
from trial_evidence.files import Record, records
from trial_evidence.kept import checksum, digest
from trial_evidence.network.components.additive import TIMES
from trial_evidence.network.evidence.nodes import component_labels
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.page.grids import Cell, declared_grid, report_grid
from trial_evidence.report.page.pictures import Picture, harm_pictures, overview
from trial_evidence.report.page.pools import json_island, page_method, page_models
from trial_evidence.report.page.rows import anchor
from trial_evidence.report.page.sections import SettingPart
from trial_evidence.report.page.sources import References, of_row, references
from trial_evidence.report.page.start import cards
from trial_evidence.report.page.trials import linked_sources, trial_parts
from trial_evidence.report.tables.harms import without_estimate
from trial_evidence.report.trail.trace import Trail
from trial_evidence.report.words import templates
from trial_evidence.report.words.formats import FORMATS, Format
from trial_evidence.words.models import INTERVAL_WORDS
from trial_evidence.words.printed import capital, patients_in_words, words

HEAD = "head.js"
SCRIPTS = (
    "words.js", "statistics.js", "pools.js", "plot.js", "explore.js", "paper.js", "saving.js",
    "views.js", "page.js",
)  # fmt: skip
FILE = "report.html"
# Latin, Greek, punctuation, arrows and mathematical operators, geometric shapes and symbols.
LETTERS = (range(0x20, 0x180), range(0x370, 0x400), range(0x2000, 0x2300), range(0x2500, 0x2700))
# Beginning of a figure's name -> the part of the page that holds it; other figures come last.
PICTURES = {
    "summary": "answer", "risk_of_bias": "bias", "evidence_map": "evidence-map",
    "timeline": "evidence-map", "flow": "search", "balance": HARMS,
}  # fmt: skip
_INTERVAL = re.compile(r"\(?[−\d][\d.,]*–[−\d][\d.,]*\d[%)]?")


def page(
    material: Material,
    settings: Sequence[SettingPart],
    trail: Trail,
    title: str,
    *,
    tables: Sequence[ReportTable] = (),
    methods: Sequence[str] = (),
    works: Sequence[str] = (),
    provenance: Mapping[str, Any] | None = None,
    cited: Sequence[str] = (),
    about: str = "",
) -> str:
    """The HTML of the page: one file, readable offline.

    Parameters
    ----------
    material : Material
        Its results hold ``overview/`` with the figures for all settings, if any.
    settings : sequence of SettingPart
        As :func:`trial_evidence.report.page.sections.page_settings` returns them.
    trail : Trail
        The evidence behind every number.
    methods : sequence of str
        Paragraphs.
    works : sequence of str
        References cited in the methods.
    provenance : mapping
        Content of ``provenance.json``.
    cited : sequence of str
        source_id of every source used, in the order of the reference list.
    about : str
        Version, dates and authors of the report, in sentences.
    """
    configuration = material.configuration
    known = references(material.sheet["sources"])
    sections = [section for part in settings for section in part.sections]
    by_name = {table.name: table for table in tables}
    places = {f"{part.name}/{own.key}": own.id for part in settings for own in part.networks}
    places |= {section.key: section.id for section in sections}
    harms = harm_pictures(material.results, configuration.settings, material.parts)
    if harms or HARMS in by_name:
        places |= {f"{a.setting}/{a.id}": HARMS for a in configuration.analyses if a.harm}
    if "biomarkers" in by_name:
        places["/biomarkers"] = "biomarkers"
    trials = trial_parts(material, trail, known, places)
    island = {
        "method": page_method(configuration),
        "models": page_models(configuration, *map(configuration.own, configuration.analyses)),
        "estimators": list(configuration.sensitivity.estimators),
        "intervals": {
            name: INTERVAL_WORDS[name][1] for name in configuration.sensitivity.intervals
        },
        "worthwhile": material.worthwhile_ratio,
        "analyses": {section.key: section.pools for section in sections if section.pools},
    }
    return environment(material).get_template("page.html.j2").render(
        title=title,
        question=material.report.question,
        about=about,
        cards=list(cards(material, by_name)),
        settings=settings,
        trials=trials,
        parts=_parts(tables, places, overview(material.results, material.parts), harms),
        answers=records(by_name["answers"].data) if "answers" in by_name else [],
        balance=records(by_name["balance"].frame) if "balance" in by_name else [],
        without_estimate={part.name: without_estimate(material, part.name) for part in settings},
        methods=methods,
        works=works,
        provenance=provenance,
        references=[known[key] for key in cited if key in known],
        further_sources=[
            known[key] for key in sorted(linked_sources(trials) - set(cited)) if key in known
        ],
        head=_as_it_is(HEAD),
        scripts=[_as_it_is(name) for name in SCRIPTS],
        style=_as_it_is("page.css"),
        data=Markup(json_island(island)),
    )  # fmt: skip


def _as_it_is(name: str) -> Markup:
    return Markup((templates.FOLDER / name).read_text(encoding="utf-8"))


def _parts(
    tables: Sequence[ReportTable],
    places: Mapping[str, str],
    pictures: Sequence[Picture],
    harms: Sequence[Picture],
) -> dict[str, dict[str, list[Any]]]:
    """Part of the page -> its figures and tables."""
    found: list[tuple[str, str, Any]] = []
    for picture in pictures:
        part = next((PICTURES[s] for s in PICTURES if picture.name.startswith(s)), "further")
        found.append((part, "pictures", picture))
    # The figure of benefits and harms side by side comes before the plots of single harms.
    found += [(HARMS, "pictures", picture) for picture in harms]
    declarations = templates.declared("tables")
    for table in tables:
        part = declarations[table.name].get("part", "further")
        if part != "elsewhere":
            found.append((part, "tables", report_grid(table, places)))
    parts: dict[str, dict[str, list[Any]]] = {"answer": {"pictures": [], "tables": []}}
    for part, kind, one in found:
        parts.setdefault(part, {"pictures": [], "tables": []})[kind].append(one)
    return parts


def environment(material: Material) -> jinja2.Environment:
    """Environment of the page's templates, with their filters and formats; all text is escaped."""
    known = references(material.sheet["sources"])
    labels = material.arm_labels
    components = component_labels(agent_labels(material.sheet["agents"]))
    formats: dict[str, Format] = {
        **FORMATS,
        "arms": lambda row: arm_words(row["arms"], labels),
        "source": partial(_source, known),
        "agents": lambda row, key: words(material.agents_named(row[key])),
        "components": lambda row, *keys: _components(components, TIMES.join(row[k] for k in keys)),
        "population": lambda row: FORMATS["population"](
            {**row, "subgroup": material.agents_named(row["subgroup"])}
        ),
    }
    made = templates.environment(autoescape=True)
    made.globals |= {
        "table": partial(declared_grid, formats),
        "formats": formats,
        "model": material.configuration.pooling.model,
        "level": f"{material.configuration.confidence_level:g}%",
        "font": lambda bold: _font(material, font_path(bold)),
        "anchor": anchor,
        "kept": partial(_kept, material, digest(known, labels, components, templates.content())),
    }
    made.filters |= {
        "unbroken": _unbroken,
        "patients": patients_in_words,
        "arms": partial(arm_words, labels=labels),
        "references": partial(of_row, known),
        "sha256": lambda text: _base64(hashlib.sha256(text.encode()).digest()),
    }
    return made


def _kept(material: Material, words: str, macro: Macro, part: Any) -> Markup:
    """Output of a macro for an analysis or a network, cached; see `Parts`.

    Parameters
    ----------
    words : str
        Checksum of the other inputs of macros: templates, references, labels.
    """
    settings = material.configuration.confidence_level, material.configuration.pooling
    made_from = (macro.name, words, *settings, material.sheet["agents"], part)
    return Markup(material.parts.value(made_from, lambda: str(macro(part))))


def arm_words(text: str, labels: Mapping[str, str]) -> str:
    """Replace arm ids in ``one v other`` by the labels of the arms."""
    return " v ".join(labels.get(arm, arm) for arm in text.split(" v "))


def _components(labels: Mapping[str, str], text: str) -> str:
    """A component, a pair, or a sentence about them, with components by their labels."""
    return capital(with_labels(text, labels).replace(TIMES, " × "))


def _source(known: References, row: Record, place: str = "") -> Cell:
    found = of_row(known, row["source_id"])
    where = row[place] if place else ""
    text = ", ".join(filter(None, ["; ".join(source.short for source in found), where]))
    return Cell(text, tuple(link for source in found for link in source.links))


def _font(material: Material, path: Path) -> str:
    """A font of the figures, reduced to ``LETTERS``, as WOFF in base64."""

    def packed() -> str:
        content = io.BytesIO()
        with TTFont(path, recalcTimestamp=False) as font:
            subsetter = Subsetter(Options(hinting=False))
            subsetter.populate(unicodes=[sign for letters in LETTERS for sign in letters])
            subsetter.subset(font)
            font.flavor = "woff"
            font.save(content)
        return _base64(content.getvalue())

    return material.parts.value(("font", checksum(path)), packed)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unbroken(text: str) -> Markup:
    """The text with its intervals kept on one line."""
    return Markup(_INTERVAL.sub(r'<span class="n">\g<0></span>', str(escape(text))))
