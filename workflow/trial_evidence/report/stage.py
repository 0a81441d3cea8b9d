"""The report stage: every table, text and page over all settings, and what they rested on."""

from dataclasses import dataclass
from pathlib import Path

from trial_evidence.configuration import Configuration
from trial_evidence.files import write_table, write_text, write_whole
from trial_evidence.pool.columns import ESTIMATE_COUNTS
from trial_evidence.report.at_a_glance import at_a_glance, summary_lines
from trial_evidence.report.bibliography import bibtex, csl_json, ris, used_sources
from trial_evidence.report.certainty import certainties, certainty_words
from trial_evidence.report.docx import tables_as_document
from trial_evidence.report.html import Extras, write_page
from trial_evidence.report.material import Material, all_settings, read_material
from trial_evidence.report.methods_text import methods_markdown, methods_paragraphs, methods_text
from trial_evidence.report.overview_figures import FOLDER, write_overview_figures
from trial_evidence.report.provenance import as_json, provenance, ro_crate
from trial_evidence.report.tables import ReportTable, tables_of
from trial_evidence.report.trace import trace_table
from trial_evidence.report.xlsx import tables_as_workbook
from trial_evidence.report_configuration import ReportConfiguration
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
    configuration: Configuration, report: ReportConfiguration, sheet: Sheet, places: Places
) -> None:
    """Write everything that is made of all settings together.

    Parameters
    ----------
    configuration : Configuration
    report : ReportConfiguration
    sheet : Sheet
    places : Places
        Into ``results``: ``estimates.csv``, ``trace.csv``, ``at-a-glance.md``, ``summary.txt``,
        ``overview/`` (figures over all settings) and ``alt-texts``, ``report.html``,
        ``provenance.json``, ``ro-crate-metadata.json``, and ``tables/`` with a CSV
        a table, ``tables.xlsx``, ``tables.docx``, ``methods.md``, ``methods.txt`` and
        ``references.bib``, ``.ris`` and ``.json``. A table of an earlier run that there is no more
        is removed.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    results = places.results
    material = read_material(configuration, report, sheet, places.processed, results)
    _write_summaries(material)
    write_overview_figures(material, certainty_words(certainties(material)))
    tables = tables_of(material)
    _write_tables(tables, material)
    cited = used_sources(material)
    write_text(results / TABLES / "references.bib", bibtex(cited))
    write_text(results / TABLES / "references.ris", ris(cited))
    write_text(results / TABLES / "references.json", csl_json(cited))
    dates = sorted(set(sheet["search_log"]["date"]))
    facts = provenance(places.raw, places.config, places.project, dates, list(sheet.tables))
    write_text(results / "provenance.json", as_json(facts))
    extras = Extras(
        title=report.title,
        tables=tables,
        methods="\n\n".join(methods_paragraphs(material)),
        provenance=facts,
        cited=tuple(source["source_id"] for source in cited),
    )
    write_page(configuration, sheet, places.processed, results, extras)
    write_text(results / CRATE, ro_crate(facts, _crate_files(material), results, report.title))


def _write_summaries(material: Material) -> None:
    configuration, evidence, results = material.configuration, material.evidence, material.results
    figures = all_settings(configuration, results, "figures", [])
    names = dict(zip(evidence.trials["trial_id"], evidence.trials["trial"], strict=True))
    estimates = evidence.estimates
    counts = dict.fromkeys(ESTIMATE_COUNTS, "Int64")
    write_table(results / "estimates.csv", estimates.astype(counts))
    write_table(results / "trace.csv", trace_table(evidence.trials, evidence.rates, estimates))
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
