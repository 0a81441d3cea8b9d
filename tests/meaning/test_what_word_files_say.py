"""The other Word files agree with the files of the same results."""

import re

import pytest
from docx import Document
from docx.oxml.ns import qn
from meaning.evidence import rows
from openpyxl import load_workbook

NOT_ONE_TABLE = {"tables", "supplement", "methods"}


@pytest.fixture(scope="module")
def supplement(made_up):
    return Document(str(made_up.results / "tables/supplement.docx"))


def test_a_file_of_one_table_holds_that_table(made_up):
    """The file of that name has the title, headings, rows and notes of the workbook."""
    folder = made_up.results / "tables"
    book = load_workbook(folder / "tables.xlsx")
    names = {path.stem for path in folder.glob("*.docx")} - NOT_ONE_TABLE
    assert names == {path.stem for path in folder.glob("*.csv")} == set(book.sheetnames)
    for name in names:
        document, sheet = Document(str(folder / f"{name}.docx")), book[name]
        (table,) = document.tables
        heads, *body = list(table._tbl.tr_lst)
        said = [paragraph.text for paragraph in document.paragraphs]
        count = len(rows(folder / f"{name}.csv"))
        assert said[0] == document.core_properties.title == sheet["A1"].value, name
        assert said[1:] == [sheet.cell(row, 1).value
                            for row in range(count + 4, sheet.max_row + 1)], name  # fmt: skip
        assert [cell.text for cell in table.rows[0].cells] == [c.value for c in sheet[2]], name
        assert len(body) == count, name
        assert heads.trPr is not None


def test_the_methods_say_the_same_in_word_and_as_text(made_up):
    folder = made_up.results / "tables"
    document = Document(str(folder / "methods.docx"))
    text = (folder / "methods.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line]
    assert [paragraph.text for paragraph in document.paragraphs] == lines
    assert document.core_properties.title == "Methods"


def test_the_supplement_says_what_it_is(supplement):
    title = supplement.paragraphs[0].text
    assert supplement.core_properties.title == title
    assert title.endswith(": supplement")


def test_a_caption_stands_above_its_table_and_stays_with_it(supplement):
    captions = [p for p in supplement.paragraphs if p.style.name == "Caption"]
    captions = [caption for caption in captions if caption.text.startswith("Table ")]
    assert len(captions) == len(supplement.tables)
    assert all(caption._p.getnext().tag == qn("w:tbl") for caption in captions)
    assert supplement.styles["Caption"].paragraph_format.keep_with_next


@pytest.mark.parametrize(
    ("item", "about"),
    [
        ("16a", ["From the search to the synthesis"]), ("16b", ["that appear in no comparison"]),
        ("17", ["Characteristics of the trials"]), ("18", ["Risk of bias"]),
        ("20b", ["benefits and harms", "Heterogeneity"]),
        ("22", ["Certainty of evidence", "harms"]),
    ],
)  # fmt: skip
def test_the_checklist_sends_readers_to_the_table_with_the_item(supplement, item, about):
    captions = dict(
        p.text.split(". ", 1) for p in supplement.paragraphs if p.text.startswith("Table S")
    )
    rows = [[cell.text for cell in row.cells] for row in supplement.tables[0].rows]
    (where,) = (row[-1] for row in rows if item in row)
    named = re.findall(r"Table S\d+", where)
    for name, words in zip(named, about, strict=True):
        assert words in captions[name]
