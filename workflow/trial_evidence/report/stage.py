"""The report stage: every table, text and page for all settings, and their provenance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.figures.canvas.publishing import LISTING, helpers, of_helper, publishing
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.files import write_table, write_text, write_whole
from trial_evidence.kept import MADE, listed_files
from trial_evidence.pool.columns import ESTIMATE_COUNTS, ESTIMATE_NUMBERS
from trial_evidence.report.files import bibliography, docx, methods_text, supplement, xlsx
from trial_evidence.report.files.at_a_glance import at_a_glance, summary_lines
from trial_evidence.report.files.overview_figures import FOLDER, list_overview, overview_pages
from trial_evidence.report.files.provenance import as_json, provenance, ro_crate
from trial_evidence.report.material.material import (
    Material,
    ReportTable,
    all_settings,
    read_material,
)
from trial_evidence.report.page.page import FILE, page
from trial_evidence.report.page.sections import SettingPart, page_settings
from trial_evidence.report.page.start import about
from trial_evidence.report.tables.certainty import certainties, certainty_words
from trial_evidence.report.tables.every import tables_of
from trial_evidence.report.tables.flow import search_dates
from trial_evidence.report.trail.trace import Trail, trail_of
from trial_evidence.report.words.citations import Source
from trial_evidence.sheet import Sheet

TABLES = "tables"
# All tables and forest plots; writing it takes as long as writing the tables.
SUPPLEMENT = "supplement"
# The table that lists the control risks.
FINDINGS = "summary_of_findings"
CRATE = "ro-crate-metadata.json"
PAGES = (
    "estimates.csv", "trace.csv", "at-a-glance.md", "summary.txt", "provenance.json", "report.html",
    "alt-texts.csv", "alt-texts.md",
)  # fmt: skip
EXCHANGED = ("estimates.json", "estimates.schema.json")


@dataclass(frozen=True)
class Places:
    """Folders of the project.

    Attributes
    ----------
    raw, config, processed, results : Path
        The sheet, the configuration, and the outputs of the stages.
    project : Path
        The root folder of the project; its git revision is recorded.
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
    """Write every output that covers all settings.

    Parameters
    ----------
    places : Places
        Written to ``results``: ``estimates.csv``, ``trace.csv``, ``at-a-glance.md``,
        ``summary.txt``, ``overview/`` (figures for all settings) and ``alt-texts``,
        ``report.html``, ``provenance.json``, ``ro-crate-metadata.json``, and ``tables/`` with one
        CSV and one Word file per table, ``tables.xlsx``, ``tables.docx``, ``supplement.docx``,
        ``methods.docx``, ``.md`` and ``.txt``, ``references.bib``, ``.ris`` and ``.json``. Tables
        of an earlier run that no longer exist are removed.
    processes : int
        With two, the second process makes the sections of the page while this one makes the
        tables, then draws and writes the tables while this one makes the page.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    results = places.results
    material = read_material(configuration, report, sheet, places.processed, results, networks)
    trail = trail_of(material.evidence, configuration)
    make_settings = partial(_settings_of_page, material, trail)
    with helpers(processes - 1, make_settings) as pool:
        begun = pool.submit(of_helper, 0) if pool else None
        certainty = certainty_words(certainties(material))
        figures = overview_pages(material, certainty, style_for(configuration.figures.width_mm))
        dates = search_dates(material)
        facts = provenance(places.raw, places.config, places.project, dates, list(sheet.tables))
        tables = tables_of(material)
        risks = next(table for table in tables if table.name == FINDINGS).data["source_id"]
        cited = bibliography.used_sources(material, risks)
        methods = methods_text.methods_paragraphs(material)
        settings, used = begun.result() if begun else make_settings()
    material.parts.keep(used)
    write_tables = partial(_write_tables, tables, methods, material, trail)
    with helpers(processes - 1, write_tables) as pool:
        with publishing(
            results / FOLDER, configuration.figures.formats, pool, own=("*",), kept=(LISTING,)
        ) as drawing:
            drawing.add({name: drawn for name, (_, drawn) in figures.items()})
            written = pool.submit(of_helper, 0) if pool else None
            for name, text in _texts(material, methods, cited).items():
                write_text(results / name, text)
            write_text(results / "provenance.json", as_json(facts))
            # The supplement shows none of the figures being drawn; the page shows all of them.
            document = supplement.supplement(material, tables)
            write_whole(results / TABLES / f"{SUPPLEMENT}.docx", document)
        list_overview(figures, list(configuration.settings), results)
        keys = tuple(source["source_id"] for source in cited)
        text = page(
            material, settings, trail, report.title, tables=tables, methods=methods,
            works=methods_text.references(methods), provenance=facts, cited=keys,
            about=about(places.project, facts),
        )  # fmt: skip
        write_text(results / FILE, text)
        material.parts.keep(written.result() if written else write_tables())
    material.parts.forget_others()
    write_text(results / CRATE, ro_crate(facts, _crate_files(material), results, report.title))


def _settings_of_page(
    material: Material, trail: Trail
) -> tuple[tuple[SettingPart, ...], frozenset[str]]:
    """The sections of the page, and the cached parts that they used."""
    return page_settings(material, trail), material.parts.used


def _texts(material: Material, methods: Sequence[str], cited: Sequence[Source]) -> dict[str, str]:
    """Path of a text file below results -> its content."""
    configuration, evidence = material.configuration, material.evidence
    figures = all_settings(configuration, material.results, "figures", [])
    names = {trial_id: material.trial_name(trial_id) for trial_id in material.trials}
    cited = (*cited, *methods_text.works(methods))
    return {
        "at-a-glance.md": at_a_glance(evidence.estimates, figures, names, configuration),
        "summary.txt": summary_lines(evidence.estimates, names, configuration),
        f"{TABLES}/methods.md": methods_text.methods_markdown(methods),
        f"{TABLES}/methods.txt": methods_text.methods_text(methods),
        f"{TABLES}/references.bib": bibliography.bibtex(cited),
        f"{TABLES}/references.ris": bibliography.ris(cited),
        f"{TABLES}/references.json": bibliography.csl_json(cited),
    }


def _write_tables(
    tables: Sequence[ReportTable], methods: Sequence[str], material: Material, trail: Trail
) -> frozenset[str]:
    """Write the tables in each format; return the cached parts that they used."""
    results, folder = material.results, material.results / TABLES
    counts = dict.fromkeys(ESTIMATE_COUNTS, "Int64")
    # All estimates, including those that no figure or table shows.
    every = all_settings(material.configuration, results, "estimates", ESTIMATE_NUMBERS)
    write_table(results / "estimates.csv", every.astype(counts))
    write_table(results / "trace.csv", trail.table())
    written = {folder / f"{table.name}.csv": table.data for table in tables}
    for path, data in written.items():
        write_table(path, data)
    for path in set(folder.glob("*.csv")) - set(written):
        path.unlink()
    write_whole(folder / "tables.xlsx", xlsx.tables_as_workbook(tables))
    documents = {
        table.name: material.parts.value(
            ("document", table), partial(docx.table_as_document, table, material.parts)
        )
        for table in tables
    }
    documents |= {
        "tables": docx.tables_as_document(tables, material.report.title, material.parts),
        "methods": methods_text.methods_document(methods),
    }
    for name, document in documents.items():
        write_whole(folder / f"{name}.docx", document)
    for path in set(folder.glob("*.docx")):
        if path.stem not in {*documents, SUPPLEMENT}:
            path.unlink()
    return material.parts.used


def _crate_files(material: Material) -> list[Path]:
    """The files that belong to the results: everything written by this and earlier stages."""
    results = material.results
    folders = (TABLES, FOLDER, *material.configuration.settings)
    # Users may keep files of their own in these folders.
    kinds = {".csv", *(f".{suffix}" for suffix in material.configuration.figures.formats)}
    found = [
        path
        for folder in folders
        for path in (results / folder).rglob("[!.]*")
        if folder == TABLES or path.suffix in kinds
    ]
    listing = results / "exchange" / MADE
    found += [listing, *listed_files(listing), *(results / name for name in EXCHANGED)]
    return [results / name for name in PAGES] + [path for path in found if path.is_file()]
