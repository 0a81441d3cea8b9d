"""The supplement as one Word document: PRISMA checklist, tables, and every forest plot."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from docx.enum.section import WD_SECTION
from docx.shared import Mm
from PIL import Image

from trial_evidence.figures.canvas.pixels import few_colours
from trial_evidence.files import records
from trial_evidence.kept import Parts, checksum
from trial_evidence.report.files.docx import add_table, new_document, page, saved
from trial_evidence.report.material.material import Material, ReportTable, all_settings
from trial_evidence.report.tables.characteristics import included_trials
from trial_evidence.report.words.templates import declared

PRISMA = "prisma"
# Tables of the report in the supplement, in order, between checklist and forest plots.
TABLES = (
    "flow", "characteristics", "excluded", "risk_of_bias", "plain_language", "certainty",
    "heterogeneity", "in_whom", "sensitivity",
)  # fmt: skip
_DOTS = 1400
# Largest figure on a portrait page that leaves room for its caption.
_WIDEST_MM, _HIGHEST_MM = 174.0, 235.0


def supplement(material: Material, tables: Sequence[ReportTable]) -> bytes:
    """A ``.docx`` file with tables S1, S2 ... and figures S1, S2 ...

    Parameters
    ----------
    tables
        All tables of the report; the table of characteristics is limited to included trials.
    """
    by_name = {table.name: table for table in tables}
    shown = [_included(material, by_name[name]) for name in TABLES if name in by_name]
    numbers = {table.name: f"Table S{at}" for at, table in enumerate(shown, start=2)}
    document = new_document(f"{material.report.title}: supplement")
    for at, table in enumerate([_checklist(material, numbers), *shown], start=1):
        add_table(document, table, f"Table S{at}. ", material.parts, first=at == 1)
    for at, plot in enumerate(forest_plots(material), start=1):
        _add_figure(document, f"Figure S{at}. ", *plot, material)
    return saved(document)


def _checklist(material: Material, numbers: Mapping[str, str]) -> ReportTable:
    """The PRISMA 2020 checklist with the location of each item."""
    known = {**dict.fromkeys(TABLES, "not made"), **numbers}
    items: list[dict[str, str]] = declared(PRISMA)["items"]
    rows = [{**row, "where": row["where"].format(**known)} for row in items]
    return material.table(PRISMA, rows)


def _included(material: Material, table: ReportTable) -> ReportTable:
    """The table, limited to included trials if it is the table of characteristics."""
    if table.name != "characteristics":
        return table
    kept = table.data["trial_id"].isin(included_trials(material)).to_numpy()
    return replace(table, frame=table.frame[kept], data=table.data[kept])


def forest_plots(material: Material) -> Iterator[tuple[str, str, Path]]:
    """Heading, alt text and file of every forest plot, setting by setting."""
    for row in records(all_settings(material.configuration, material.results, "figures", [])):
        name = row["figure"].rpartition("/")[2]
        path = material.results / row["setting"] / f"{row['figure']}.png"
        if name.startswith("forest"):
            setting = material.configuration.settings[row["setting"]]
            yield f"{setting}: {row['title']}", row["description"], path


def _add_figure(
    document: Any, label: str, title: str, description: str, path: Path, material: Material
) -> None:
    """Add a figure below its caption on a new page; in words if there is no PNG file of it."""
    page(document.add_section(WD_SECTION.NEW_PAGE), across=False)
    caption = document.add_paragraph(style="Caption")
    caption.add_run(label).bold = True
    caption.add_run(title)
    if path.is_file():
        _add_picture(document, description, path, material.parts)
        return
    drawn = path.with_suffix(".svg").relative_to(material.results)
    document.add_paragraph(
        f"Not shown, because the figures were made without PNG files; drawn in {drawn.as_posix()}. "
        f"{description}"
    )


def _add_picture(document: Any, description: str, path: Path, parts: Parts) -> None:
    """Add a picture as large as the page allows."""
    content = base64.b64decode(parts.value(("pixels", checksum(path)), lambda: _pixels(path)))
    with Image.open(io.BytesIO(content)) as image:
        share = image.height / image.width
    width = min(_WIDEST_MM, _HIGHEST_MM / share)
    picture = document.add_picture(io.BytesIO(content), width=Mm(width))
    # The alt text for screen readers; python-docx has no public way to set it.
    picture._inline.docPr.set("descr", description)


def _pixels(path: Path) -> str:
    written = io.BytesIO()
    few_colours(path, _DOTS).save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode("ascii")
