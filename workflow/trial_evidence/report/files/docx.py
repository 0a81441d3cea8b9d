"""The tables as a Word document: real tables with captions, headings repeated on every page."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.oxml import serialize_part_xml
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from trial_evidence.kept import Parts
from trial_evidence.report.files.xlsx import plain
from trial_evidence.report.material.material import ReportTable
from trial_evidence.workbook.package import DAY, timeless

_SHORT, _LONG, _MARGIN = 210, 297, 18
_FONT, _LANGUAGE = "Arial", "en-GB"
_SOFT = RGBColor(0x70, 0x70, 0x70)
# Tables with more columns, or more letters in a row, do not fit on a portrait page.
_MOST_COLUMNS, _MOST_LETTERS = 5, 170
_POINTS = 7.5
# A column is at least as wide as its longest word, if the page allows.
_MM_A_LETTER, _BOLD_MM_A_LETTER = 1.4, 1.7
_LONGEST_WORD = 12
_PADDING_MM = 2.6
# Steps after which widths no longer change by what a reader sees.
_STEPS = 12


def tables_as_document(
    tables: Sequence[ReportTable], title: str, parts: Parts | None = None
) -> bytes:
    """A ``.docx`` file of the tables; the same tables give the same bytes.

    Parameters
    ----------
    parts : Parts, optional
        Cache of tables from earlier runs: 90% of the time is spent on their cells.

    Returns
    -------
    bytes
        Each table begins on a new page (landscape if wide), with a numbered caption above and
        notes below; its heading row is repeated on every page and no row is split. In its first
        columns, text that repeats the row above is grey. Cells are not merged: the text of a merged
        cell would be printed only once, and be missing on the next page.
    """
    document = new_document(title)
    for position, table in enumerate(tables):
        add_table(document, table, f"Table {position + 1}. ", parts or Parts(), first=position == 0)
    return saved(document)


def table_as_document(table: ReportTable, parts: Parts | None = None) -> bytes:
    """A ``.docx`` file of one table, with its title as the caption."""
    document = new_document("", table.title)
    add_table(document, table, "", parts or Parts(), first=True)
    return saved(document)


def new_document(heading: str, title: str = "") -> Any:
    """A document in the common styles, with a heading, and a title in its properties."""
    document = Document()
    _styles(document)
    properties = document.core_properties
    # The format limits the title to 255 characters.
    properties.author, properties.title = "trial evidence", plain(title or heading)[:255]
    properties.comments, properties.last_modified_by = "", "trial evidence"
    properties.created = properties.modified = DAY
    properties.revision = 1
    page(document.sections[0], across=False)
    _number_pages(document.sections[0])
    if heading:
        document.add_heading(plain(heading), level=0)
    return document


def add_table(
    document: Any, table: ReportTable, label: str, parts: Parts, *, first: bool = False
) -> None:
    """Add a table with its caption and notes, on a new page unless it is the first."""
    section = document.sections[0] if first else document.add_section(WD_SECTION.NEW_PAGE)
    width = page(section, across=_is_wide(table))
    caption = document.add_paragraph(style="Caption")
    if label:
        caption.add_run(label).bold = True
    caption.add_run(plain(table.title))
    caption._p.addnext(_table(table, width, parts))
    for note in table.notes:
        document.add_paragraph(plain(note), style="Notes")


def saved(document: Any) -> bytes:
    """The document as a file; the same content gives the same bytes."""
    written = io.BytesIO()
    document.save(written)
    return timeless(written.getvalue())


def _number_pages(section: Any) -> None:
    """Add page numbers in the footer; the following sections inherit it."""
    below = section.footer.paragraphs[0]
    below.alignment = WD_ALIGN_PARAGRAPH.CENTER
    below._p.append(_element("fldSimple", instr="PAGE"))


def _styles(document: Any) -> None:
    # Otherwise Word marks every British spelling as an error.
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), _LANGUAGE)
    for name, points in (("Normal", _POINTS), ("Caption", 9.5), ("Heading 1", 12), ("Title", 16)):
        style = document.styles[name]
        style.font.name, style.font.size = _FONT, Pt(points)
        style.font.color.rgb = None
        # Word uses the theme's font for other scripts unless all four are named.
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in list(fonts.attrib):
            if attribute.endswith("Theme"):
                del fonts.attrib[attribute]
        for script in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{script}"), _FONT)
    normal = document.styles["Normal"].paragraph_format
    normal.space_before = normal.space_after = Pt(0)
    caption = document.styles["Caption"]
    caption.font.bold = False
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(0), Pt(4)
    caption.paragraph_format.keep_with_next = True
    # The outline level makes captions appear in the navigation pane and table of contents.
    caption.element.get_or_add_pPr().append(_element("outlineLvl", val=0))
    text = document.styles.add_style("Text", 1)
    text.base_style = document.styles["Normal"]
    text.font.size, text.paragraph_format.space_after = Pt(10), Pt(6)
    notes = document.styles.add_style("Notes", 1)
    notes.base_style = document.styles["Normal"]
    notes.paragraph_format.space_before = Pt(3)


def _is_wide(table: ReportTable) -> bool:
    letters = sum(max(map(len, texts)) for texts in _columns(table))
    return len(table.frame.columns) > _MOST_COLUMNS or letters > _MOST_LETTERS


def _columns(table: ReportTable) -> list[list[str]]:
    """Heading and cells, column by column."""
    return [[heading, *table.frame[heading]] for heading in table.frame.columns]


def page(section: Any, *, across: bool) -> float:
    """Set the page of a section and return its text width in millimetres."""
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    width, height = (_LONG, _SHORT) if across else (_SHORT, _LONG)
    section.page_width, section.page_height = Mm(width), Mm(height)
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Mm(_MARGIN))
    return float(width - 2 * _MARGIN)


def column_widths(table: ReportTable, width: float) -> list[float]:
    """Column widths in millimetres that make the table about as low as possible.

    They add up to the given width. A row is as high as its highest cell, so each step widens the
    columns that make rows high; what is left over is shared in proportion to the square root of
    their text, which makes the sum of the heights least.
    """
    columns = _columns(table)
    least = np.array([_narrowest(texts) for texts in columns])
    room = width - _PADDING_MM * len(columns)
    if least.sum() >= room:
        every = least + _PADDING_MM
        return [float(column) for column in every * width / every.sum()]
    # Length of each cell's text on one line, for rows and columns.
    text = _MM_A_LETTER * np.array([list(map(len, texts)) for texts in columns]).T
    share = least + (room - least.sum()) / len(columns)
    for _ in range(_STEPS):
        lines = text / share
        # A cell lower than its row does not make the row higher, nor does one of a single line.
        matters = np.square(np.square(lines / np.maximum(lines.max(axis=1, keepdims=True), 1)))
        wanted = np.sqrt((matters * text).sum(axis=0))
        more = np.maximum(wanted * room / wanted.sum() - least, 0)
        aim = least + more * (room - least.sum()) / more.sum()
        share = np.sqrt(share * aim)
        share = least + (share - least) * (room - least.sum()) / (share - least).sum()
    return [float(column) for column in share + _PADDING_MM]


def _narrowest(texts: Sequence[str]) -> float:
    """Least width of a column's text: headings keep their words whole, ids in cells may break."""
    word = max((len(word) for text in texts for word in text.split()), default=1)
    head = max(map(len, texts[0].split()))
    return max(head * _BOLD_MM_A_LETTER, min(word, _LONGEST_WORD) * _MM_A_LETTER)


def _table(table: ReportTable, width: float, parts: Parts) -> Any:
    def make() -> str:
        return bytes(serialize_part_xml(_new_table(table, width))).decode()

    return parse_xml(parts.value(("word", table.frame, table.grouped, width), make).encode())


def _new_table(table: ReportTable, width: float) -> Any:
    headings = list(table.frame.columns)
    grid = Document().add_table(rows=1, cols=len(headings))
    grid.autofit = False
    _rule_and_pad(grid)
    widths = [Mm(column) for column in column_widths(table, width)]
    for column, size in zip(grid.columns, widths, strict=True):
        column.width = size
    _write(grid.rows[0], headings, widths, heads=True)
    before: tuple[str, ...] = ()
    for texts in table.frame.itertuples(index=False, name=None):
        row = grid.add_row()
        _write(row, texts, widths)
        for at in range(table.grouped):
            if texts[: at + 1] == before[: at + 1]:
                row.cells[at].paragraphs[0].runs[0].font.color.rgb = _SOFT
        before = texts
    return grid._tbl


def _rule_and_pad(grid: Any) -> None:
    """Add horizontal rules (no vertical ones) and cell padding."""
    borders, padding = OxmlElement("w:tblBorders"), OxmlElement("w:tblCellMar")
    for place, eighths, colour in (
        ("top", 8, "404A50"), ("bottom", 8, "404A50"), ("insideH", 4, "B9C3C8"),
    ):  # fmt: skip
        borders.append(_element(place, val="single", sz=eighths, space=0, color=colour))
    for place, twips in (("top", 34), ("left", 68), ("bottom", 34), ("right", 68)):
        padding.append(_element(place, w=twips, type="dxa"))
    properties = grid._tbl.tblPr
    # The schema requires this order, with tblLook last.
    look = properties.find(qn("w:tblLook"))
    for element in (borders, properties.find(qn("w:tblLayout")), padding):
        look.addprevious(element)


def _write(row: Any, texts: Sequence[str], widths: Sequence[Any], *, heads: bool = False) -> None:
    for mark in ("tblHeader", "cantSplit") if heads else ("cantSplit",):
        row._tr.get_or_add_trPr().append(_element(mark))
    for cell, text, size in zip(row.cells, texts, widths, strict=True):
        cell.width = size
        run = cell.paragraphs[0].add_run(plain(text))
        if heads:
            run.bold = True
            cell._tc.get_or_add_tcPr().append(_element("shd", val="clear", fill="E4E9EC"))


def _element(name: str, **values: str | int) -> Any:
    """An XML element of WordprocessingML with its attributes."""
    element = OxmlElement(f"w:{name}")
    for key, value in values.items():
        element.set(qn(f"w:{key}"), str(value))
    return element
