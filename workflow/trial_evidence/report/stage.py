"""The report stage: every table, text and page over all settings, and what they rested on."""

from dataclasses import dataclass
from pathlib import Path

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.figures.canvas.publishing import LISTING, publishing
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.files import write_table, write_text, write_whole
from trial_evidence.pool.columns import ESTIMATE_COUNTS
from trial_evidence.report.files.bibliography import bibtex, csl_json, ris, used_sources
from trial_evidence.report.files.docx import tables_as_document
from trial_evidence.report.files.methods_text import (
    methods_markdown,
    methods_paragraphs,
    methods_text,
)
from trial_evidence.report.files.overview_figures import (
    FOLDER,
    list_overview,
    overview_pages,
)
from trial_evidence.report.files.provenance import as_json, provenance, ro_crate
from trial_evidence.report.files.xlsx import tables_as_workbook
from trial_evidence.report.material.material import Material, all_settings, read_material
from trial_evidence.report.page.page import FILE, Extras, page
from trial_evidence.report.page.sections import page_settings
from trial_evidence.report.tables.at_a_glance import at_a_glance, summary_lines
from trial_evidence.report.tables.certainty import certainties, certainty_words
from trial_evidence.report.tables.every import ReportTable, tables_of
from trial_evidence.report.trail.trace import Trail, trail_of
from trial_evidence.sheet import Sheet

TABLES = "tables"
CRATE = "ro-crate-metadata.json"
PAGES = (
    "estimates.csv", "trace.csv", "at-a-glance.md", "summary.txt", "provenance.json", "report.html",
    "alt-texts.csv", "alt-texts.md",
)  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Folders of the project.

    Attributes
    ----------
    raw, config, processed, results : Path
        The sheet, the configuration, and what the stages make of them.
    project : Path
        The project's own folder, whose revision is recorded.
    """

    raw: Path
    config: Path
    processed: Path
    results: Path
    project: Path


def write_report(
    configuration: Configuration,
    report: ReportConfiguration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    places: Places,
    processes: int = 1,
) -> None:
    """Write everything that is made of all settings together.

    Parameters
    ----------
    configuration : Configuration
    report : ReportConfiguration
    networks : NetworkConfiguration
    sheet : Sheet
    places : Places
        Into ``results``: ``estimates.csv``, ``trace.csv``, ``at-a-glance.md``, ``summary.txt``,
        ``overview/`` (figures over all settings) and ``alt-texts``, ``report.html``,
        ``provenance.json``, ``ro-crate-metadata.json``, and ``tables/`` with a CSV
        a table, ``tables.xlsx``, ``tables.docx``, ``methods.md``, ``methods.txt`` and
        ``references.bib``, ``.ris`` and ``.json``. A table of an earlier run that there is no more
        is removed.
    processes : int
        With two, a second one draws the figures while this one writes.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    results = places.results
    material = read_material(configuration, report, sheet, places.processed, results, networks)
    certainty = certainty_words(certainties(material))
    figures = overview_pages(material, certainty, style_for(configuration.figure_width_mm))
    with publishing(
        {name: drawn for name, (_, drawn) in figures.items()},
        results / FOLDER, configuration.figure_formats, processes - 1, own=("*",), kept=(LISTING,),
    ):  # fmt: skip
        trail = trail_of(material.evidence, configuration)
        _write_summaries(material, trail)
        tables = tables_of(material)
        _write_tables(tables, material)
        extras = _extras(material, tables, places)
        settings = page_settings(material, trail)
    list_overview(figures, list(configuration.settings), results)
    write_text(results / FILE, page(material, settings, extras))
    facts = extras.provenance or {}
    write_text(results / CRATE, ro_crate(facts, _crate_files(material), results, report.title))


def _extras(material: Material, tables: tuple[ReportTable, ...], places: Places) -> Extras:
    """Write references and provenance, and gather what the page shows beside the settings."""
    results = places.results
    cited = used_sources(material)
    write_text(results / TABLES / "references.bib", bibtex(cited))
    write_text(results / TABLES / "references.ris", ris(cited))
    write_text(results / TABLES / "references.json", csl_json(cited))
    sheet = material.sheet
    dates = sorted(set(sheet["search_log"]["date"]))
    facts = provenance(places.raw, places.config, places.project, dates, list(sheet.tables))
    write_text(results / "provenance.json", as_json(facts))
    return Extras(
        title=material.report.title,
        tables=tables,
        methods=tuple(methods_paragraphs(material)),
        provenance=facts,
        cited=tuple(source["source_id"] for source in cited),
    )


def _write_summaries(material: Material, trail: Trail) -> None:
    configuration, evidence, results = material.configuration, material.evidence, material.results
    figures = all_settings(configuration, results, "figures", [])
    names = dict(zip(evidence.trials["trial_id"], evidence.trials["trial"], strict=True))
    estimates = evidence.estimates
    counts = dict.fromkeys(ESTIMATE_COUNTS, "Int64")
    write_table(results / "estimates.csv", estimates.astype(counts))
    write_table(results / "trace.csv", trail.table())
    write_text(results / "at-a-glance.md", at_a_glance(estimates, figures, names, configuration))
    write_text(results / "summary.txt", summary_lines(estimates, configuration))


def _write_tables(tables: tuple[ReportTable, ...], material: Material) -> None:
    folder = material.results / TABLES
    for table in tables:
        write_table(folder / f"{table.name}.csv", table.data)
    known = {f"{table.name}.csv" for table in tables}
    for path in folder.glob("*.csv"):
        if path.name not in known:
            path.unlink()
    write_whole(folder / "tables.xlsx", tables_as_workbook(tables))
    write_whole(folder / "tables.docx", tables_as_document(tables, material.report.title))
    write_text(folder / "methods.md", methods_markdown(material))
    write_text(folder / "methods.txt", methods_text(material))


def _crate_files(material: Material) -> list[Path]:
    """What belongs to the results: all that this stage and those before it have written."""
    results = material.results
    folders = [TABLES, FOLDER, *material.configuration.settings]
    return [results / name for name in PAGES] + [
        path
        for folder in folders
        for path in (results / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]
