"""The tables as workbook and Word document: text stays text, same tables give the same bytes."""

import io
import zipfile

import openpyxl
import pandas as pd
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from trial_evidence.kept import Parts
from trial_evidence.report.files.docx import column_widths, table_as_document, tables_as_document
from trial_evidence.report.files.xlsx import HEADER_ROW, tables_as_workbook
from trial_evidence.report.material.material import ReportTable

HOSTILE = [
    "=1+1", "+1", "-1+2", "@SUM(A1)", "#N/A", "<script>alert('x')</script>", 'a "quote"', "😀",
    "x" * 300, "_x0041_", "&amp;", "2,079", "010", "a\nb",
]  # fmt: skip


def table(name="front", columns=("Text", "Again"), texts=HOSTILE):
    frame = pd.DataFrame(dict.fromkeys(columns, texts))
    return ReportTable(name, "A title & <more>", frame, ("=A note.",), frame)


@pytest.fixture(scope="module")
def book():
    return openpyxl.load_workbook(io.BytesIO(tables_as_workbook([table()])))


@pytest.fixture(scope="module")
def document():
    wide = table("wide", [f"Column {n}" for n in range(9)], ["a", "b"])
    return Document(io.BytesIO(tables_as_document([table(), wide], "All tables")))


def test_a_workbook_holds_text_as_text(book):
    sheet = book["front"]
    cells = [sheet.cell(HEADER_ROW + 1 + at, 1) for at in range(len(HOSTILE))]
    assert [cell.data_type for cell in cells] == ["n" if t == "2,079" else "s" for t in HOSTILE]
    # openpyxl shows the escape itself; a spreadsheet program shows _x0041_.
    expected = [2079 if t == "2,079" else t.replace("_x0041_", "_x005F_x0041_") for t in HOSTILE]
    assert [cell.value for cell in cells] == expected


@pytest.mark.parametrize(
    ("printed", "value", "shape"),
    [
        ("2,079", 2079, "#,##0"), ("417", 417, "0"), ("2012", 2012, "0"), ("43.0", 43, "0.0"),
        ("0.008", 0.008, "0.000"), ("31%", 0.31, "0%"), ("7.10%", 0.071, "0.00%"),
        ("1,024.5", 1024.5, "#,##0.0"),
    ],
)  # fmt: skip
def test_a_cell_with_a_number_alone_is_a_number_and_looks_as_printed(printed, value, shape):
    """Otherwise spreadsheets mark years, p values and percentages as numbers stored as text."""
    book = openpyxl.load_workbook(io.BytesIO(tables_as_workbook([table(texts=[printed])])))
    cell = book["front"].cell(HEADER_ROW + 1, 1)
    assert (cell.data_type, cell.value, cell.number_format) == ("n", value, shape)


@pytest.mark.parametrize(
    "printed", ["010", "+1", "-1", "−0.13", "1e3", "> 99%", "1.04–1.94", "2,07", "12 (3)", "1" * 13]
)
def test_what_is_no_plain_number_stays_as_it_is_printed(printed):
    book = openpyxl.load_workbook(io.BytesIO(tables_as_workbook([table(texts=[printed])])))
    cell = book["front"].cell(HEADER_ROW + 1, 1)
    assert (cell.data_type, cell.value) == ("s", printed)


def test_a_note_of_a_workbook_is_read_whole_below_its_table():
    """On one line, a long note is cut off on screen and makes the printed table tiny."""
    long = "word " * 100
    frame = pd.DataFrame({"A": ["x" * 28], "B": ["x" * 18]})
    made = tables_as_workbook([ReportTable("t", "Title", frame, (long,), frame)])
    sheet = openpyxl.load_workbook(io.BytesIO(made))["t"]
    row = HEADER_ROW + 3
    assert [str(cells) for cells in sheet.merged_cells.ranges] == [f"A{row}:B{row}"]
    assert sheet.cell(row, 1).alignment.wrap_text
    # Words of five letters, ten per line of 50.
    assert sheet.row_dimensions[row].height == 10 * sheet.row_dimensions[HEADER_ROW + 1].height


def test_a_workbook_has_title_headings_and_notes(book):
    sheet = book["front"]
    assert sheet["A1"].value == "A title & <more>"
    assert [cell.value for cell in sheet[HEADER_ROW]] == ["Text", "Again"]
    note = sheet.cell(HEADER_ROW + len(HOSTILE) + 2, 1)
    assert (note.value, note.data_type) == ("=A note.", "s")


def test_a_filter_of_a_workbook_takes_in_every_row_and_no_note(book):
    """Sorting without the last row would corrupt the table."""
    assert book["front"].auto_filter.ref == f"A{HEADER_ROW}:B{HEADER_ROW + len(HOSTILE)}"


def test_every_printed_page_of_a_workbook_has_the_headings(book):
    assert book["front"].print_title_rows == f"${HEADER_ROW}:${HEADER_ROW}"


def test_a_row_of_a_workbook_is_as_high_as_its_text():
    sheet = openpyxl.load_workbook(
        io.BytesIO(tables_as_workbook([table(texts=["short", "word " * 40])]))
    )["front"]
    first, second = (sheet.row_dimensions[HEADER_ROW + n].height for n in (1, 2))
    # 200 letters in a column 52 wide: four lines.
    assert second == 4 * first


def test_a_document_holds_text_as_text(document):
    grid = document.tables[0]
    assert [row.cells[0].text for row in grid.rows] == ["Text", *HOSTILE]


def test_the_heading_row_is_repeated_and_no_row_is_split(document):
    rows = document.tables[0].rows
    marks = [{child.tag.partition("}")[2] for child in row._tr.trPr} for row in rows]
    assert marks[0] == {"tblHeader", "cantSplit"}
    assert all(mark == {"cantSplit"} for mark in marks[1:])


def test_a_wide_table_lies_across(document):
    wide = document.sections[1]
    assert wide.orientation == WD_ORIENT.LANDSCAPE
    assert wide.page_width > wide.page_height


def test_captions_are_numbered(document):
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    assert captions == ["Table 1. A title & <more>", "Table 2. A title & <more>"]


def test_every_page_of_a_document_has_its_number(document):
    assert len(document.sections) == 2
    for section in document.sections:
        (field,) = section.footer._element.iter(qn("w:fldSimple"))
        assert field.get(qn("w:instr")) == "PAGE"


def test_a_document_is_walked_by_its_captions(document):
    """The navigation pane of a document of 100 pages is not empty."""
    (level,) = document.styles["Caption"].element.iter(qn("w:outlineLvl"))
    assert level.get(qn("w:val")) == "0"


def test_a_document_is_in_the_english_that_it_is_written_in(document):
    """Otherwise Word marks "randomised" and "tumour" as misspelt."""
    languages = document.styles.element.iter(qn("w:lang"))
    assert {language.get(qn("w:val")) for language in languages} == {"en-GB"}


def test_columns_fill_the_page_and_long_words_fit():
    frame = pd.DataFrame({"A": ["1"], "B": ["a long text " * 30]})
    widths = column_widths(ReportTable("t", "", frame, (), frame), 200)
    assert sum(widths) == pytest.approx(200)
    assert widths[1] > widths[0] > 3


def test_columns_are_as_wide_as_makes_the_table_lowest():
    """Otherwise a table is printed on pages of narrow, high cells.

    One row is high because of A, the other because of B, with a quarter of the text. The height
    4/a + 1/b is least where a is twice b.
    """
    frame = pd.DataFrame({"A": ["four " * 400, "a"], "B": ["a", "four " * 100]})
    a, b = column_widths(ReportTable("t", "", frame, (), frame), 200)
    padding = 2.6
    assert a - padding == pytest.approx(2 * (b - padding), rel=0.01)


@pytest.mark.parametrize("write", [tables_as_workbook, lambda t: tables_as_document(t, "All")])
def test_no_file_tells_when_it_was_made(write):
    content = write([table()])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert "2000-01-01T00:00:00Z" in core
    assert "dcterms:modified" in core
    assert content == write([table()])


def test_a_character_that_no_office_file_takes_is_left_out():
    odd = table(texts=["a\x07b"])
    grid = Document(io.BytesIO(tables_as_document([odd], "All"))).tables[0]
    assert grid.rows[1].cells[0].text == "ab"
    book = openpyxl.load_workbook(io.BytesIO(tables_as_workbook([odd])))
    assert book["front"].cell(HEADER_ROW + 1, 1).value == "ab"


def test_a_text_longer_than_a_cell_is_cut_and_says_so():
    """Excel calls a workbook with a longer text damaged."""
    long = table(texts=["x" * 40_000])
    book = openpyxl.load_workbook(io.BytesIO(tables_as_workbook([long])))
    assert book["front"].cell(HEADER_ROW + 1, 1).value == "x" * 32_766 + "…"


def test_a_table_that_was_kept_is_the_same_in_the_document(tmp_path):
    made = [tables_as_document([table()], "All tables", Parts(tmp_path)) for _ in range(2)]
    assert made[0] == made[1] == tables_as_document([table()], "All tables")


def test_every_row_says_what_it_is_about_and_what_repeats_is_grey():
    """A cell spanning several rows is printed once, so the next page would not name its rows."""
    rows = [("early", "pCR", "a"), ("early", "pCR", "b"), ("early", "OS", "c"), ("late", "OS", "d")]
    frame = pd.DataFrame(rows, columns=["Setting", "Outcome", "Risk"])
    made = table_as_document(ReportTable("t", "Title", frame, (), frame, grouped=2))
    (grid,) = Document(io.BytesIO(made)).tables
    lines = [list(row.iterchildren(qn("w:tc"))) for row in grid._tbl.tr_lst[1:]]
    said = [["".join(text.text for text in cell.iter(qn("w:t"))) for cell in row] for row in lines]
    assert said == [list(row) for row in rows]
    grey = [[any(True for _ in cell.iter(qn("w:color"))) for cell in row] for row in lines]
    again = [[False, False], [True, True], [True, False], [False, False]]
    assert grey == [[*row, False] for row in again]


def test_a_table_of_its_own_has_its_title_and_no_number():
    paragraphs = Document(io.BytesIO(table_as_document(table()))).paragraphs
    assert paragraphs[0].text == "A title & <more>"
    assert paragraphs[-1].text == "=A note."
