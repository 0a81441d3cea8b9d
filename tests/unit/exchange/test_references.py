"""What an export of references fills in or corrects in sources.csv, and what it must leave."""

import csv
import shutil
from pathlib import Path

import pytest
from invented import ROOT
from made_up.project import write_sheet
from trial_evidence.cli import main
from trial_evidence.exchange.references import read_references, write_referenced
from trial_evidence.sheet import read_dictionary
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import SheetError

RAW, DICTIONARY = Path("data/raw"), read_dictionary(ROOT / "workflow/dictionary")
# The first source of the made-up sheet as exported by PubMed; the sheet has volume 1 and no PMID.
NBIB = """
PMID- 90000001
IS  - 0000-0000 (Electronic)
VI  - {volume}
IP  - 4
DP  - 2014 May
TI  - Almab and bemab before surgery: a made-up trial with a title that runs over
      two lines.
PG  - 101-9
LID - 10.1000/MADE-UP.1 [doi]
AU  - Abel JK
AU  - Baker Q
AU  - Clark C
AU  - Dunn D
AU  - Ellis E
AU  - Frost F
AU  - Grant G
TA  - Journal of Made-up Results
PMC - PMC7654321
"""
RIS = """TY  - JOUR
AU  - Baker, Quentin Z.
TI  - BIRCH, a made-up trial
PY  - 2017
T2  - Journal of made-up results
VL  - 2
SP  - 201
EP  - 209
DO  - https://doi.org/10.1000/made-up.2
ER  -

TY  - JOUR
A1  - Nobody, N.
T1  - In no sheet at all
Y1  - 2024/05/01
ER  -
"""


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """A folder with the made-up sheet."""
    folder = tmp_path_factory.mktemp("references")
    write_sheet(folder)
    return folder


@pytest.fixture
def project(sheet, tmp_path, monkeypatch):
    """The made-up sheet as the working directory."""
    shutil.copytree(sheet, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def export(text, name="export.nbib"):
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def read(text, name="export.nbib"):
    return read_references(export(text, name), RAW, DICTIONARY)


def cells(listed):
    return {(cell.row, cell.column): cell.found for cell in listed}


def sources(folder=RAW):
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_empty_cells_are_filled_in_and_the_same_in_other_words_is_no_difference(project):
    """The DOI in capitals, pages 101-9 and the journal are equivalent to those of the sheet."""
    found = read(NBIB.format(volume=1))
    assert found.differ == []
    assert cells(found.filled) == {
        (2, "authors"): "Abel JK; Baker Q; Clark C; Dunn D; Ellis E; Frost F; et al.",
        (2, "title"): "Almab and bemab before surgery: a made-up trial with a title that runs over "
        "two lines",
        (2, "issue"): "4",
        (2, "pmid"): "90000001",
        (2, "pmcid"): "PMC7654321",
    }


def test_ris_is_read_by_doi_and_what_has_no_match_is_said(project):
    found = read(RIS, "export.ris")
    assert cells(found.filled) == {
        (3, "authors"): "Baker QZ", (3, "title"): "BIRCH, a made-up trial",
    }  # fmt: skip
    (said,) = found.said
    assert said.startswith("Not in the sheet: export.ris, line 12, no PMID, no DOI: ")
    assert "In no sheet at all" in said


@pytest.mark.parametrize(
    ("tags", "number"),
    [
        ("DB  - Embase\nAN  - 612345\nC5  - 90000002", "90000002"),
        ("DB  - Embase\nAN  - 612345", ""),
        ("DB  - Scopus\nC2  - 90000002", "90000002"),
        ("DB  - Ovid MEDLINE(R)\nAN  - 90000002", "90000002"),
        ("DB  - PubMed\nAN  - 90000002", "90000002"),
        ("AN  - MEDLINE:90000002", "90000002"),
        ("DB  - CINAHL\nAN  - 90000002\nC5  - 90000003", ""),
        ("AN  - WOS:000123456700001", ""),
        # EndNote, Cochrane, Zotero, links.
        ("DP  - NLM\nAN  - 90000002", "90000002"),
        ("AN  - CN-00123456\nC3  - PUBMED 90000002,EMBASE 612345", "90000002"),
        ("N1  - PMID: 90000002\nPMCID: PMC123", "90000002"),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/90000002/", "90000002"),
        # A note on another paper, or several numbers.
        ("N1  - Comment in: PMID: 90000009", ""),
        ("N1  - PMID: 90000002\nN1  - PMID: 90000003", ""),
    ],
)
def test_the_pubmed_number_is_where_each_database_has_it(project, tags, number):
    """A database's own record number is not a PubMed number."""
    found = read(RIS.replace("VL  - 2", tags), "export.ris")
    assert cells(found.filled).get((3, "pmid"), "") == number


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("Geyer, Charles E., Jr.", "Geyer CE Jr"),
        ("Geyer, C. E. Jr", "Geyer CE Jr"),
        ("Geyer Jr., Charles E.", "Geyer CE Jr"),
        ("Geyer CE Jr", "Geyer CE Jr"),
        ("Geyer, Charles E., III", "Geyer CE 3rd"),
        ("Geyer CE 3rd", "Geyer CE 3rd"),
        ("Geyer, I. I.", "Geyer II"),
        ("Geyer II", "Geyer II"),
        ("Geyer, Charles E.", "Geyer CE"),
        # Web of Science, Embase, EndNote.
        ("Geyer, CE", "Geyer CE"),
        ("Geyer, CE, Jr.", "Geyer CE Jr"),
        ("Geyer C.E.", "Geyer CE"),
        ("Geyer C. E.", "Geyer CE"),
        ("Geyer, C.-E.", "Geyer CE"),
        ("Geyer, Charles-Emil", "Geyer CE"),
        ("Geyer C", "Geyer C"),
    ],
)
def test_a_name_is_written_as_pubmed_prints_it(project, printed, name):
    path = RAW / "sources.csv"
    path.write_text(path.read_text("utf-8").replace(",Baker,", ",Geyer,", 1), "utf-8")
    found = read(RIS.replace("Baker, Quentin Z.", printed), "export.ris")
    assert cells(found.filled)[3, "authors"] == name
    assert found.differ == []
    nbib = NBIB.format(volume=1).replace("10.1000/MADE-UP.1", "10.1000/made-up.2")
    differ = read(nbib.replace("Abel JK", printed)).differ
    assert "first_author" not in {cell.column for cell in differ}


@pytest.mark.parametrize(
    ("printed", "family", "listed"),
    [
        ("Chia, SKL", "Chia", "Chia SKL"),
        ("de Azambuja E.", "de Azambuja", "de Azambuja E"),
        ("Di Leo, Angelo", "Di Leo", "Di Leo A"),
        ("Kim S.-B.", "Kim", "Kim SB"),
        ("Ørsted Ø.", "Ørsted", "Ørsted Ø"),
        ("Made-up Study Group,", "Made-up Study Group", "Made-up Study Group"),
        ("Made-up Study Group", "Made-up Study Group", "Made-up Study Group"),
    ],
)
def test_names_of_other_databases_are_no_difference(project, printed, family, listed):
    path = RAW / "sources.csv"
    path.write_text(path.read_text("utf-8").replace(",Baker,", f",{family},", 1), "utf-8")
    found = read(RIS.replace("Baker, Quentin Z.", printed), "export.ris")
    assert (found.differ, cells(found.filled)[3, "authors"]) == ([], listed)


@pytest.mark.parametrize(
    ("held", "exported", "alike"),
    [
        ("J Clin Oncol", "Journal of Clinical Oncology: Official Journal of a Society", True),
        ("N Engl J Med", "The New England journal of medicine", True),
        ("Jpn J Clin Oncol", "JAPANESE JOURNAL OF CLINICAL ONCOLOGY", True),
        ("J Natl Cancer Inst", "Journal of the National Cancer Institute", True),
        ("Lancet Oncol", "The Lancet. Oncology", True),
        ("Eur J Cancer", "European journal of cancer (Oxford, England : 1990)", True),
        ("J Clin Oncol", "J. Clin. Oncol.", True),
        ("Klin Onkol", "Klinicka onkologie = Clinical oncology", True),
        ("Clin Cancer Res", "Cancer Research", False),
        ("Ann Oncol", "Annals of Surgery", False),
        ("Lancet", "Lancet Oncology", False),
        ("Cancer", "Cancers", False),
        ("Med Res", "Biomedical Research", False),
    ],
)
def test_the_short_name_of_a_journal_is_no_difference(project, held, exported, alike):
    path = RAW / "sources.csv"
    texts = path.read_text("utf-8").splitlines(keepends=True)
    texts[2] = texts[2].replace("Journal of Made-up Results", held)
    path.write_text("".join(texts), "utf-8")
    assert held in texts[2]
    differ = read(RIS.replace("Journal of made-up results", exported), "export.ris").differ
    assert [cell.column for cell in differ] == ([] if alike else ["journal"])


def test_a_last_page_that_the_database_does_not_know_is_no_difference(project):
    found = read(RIS.replace("EP  - 209", "EP  - +"), "export.ris")
    assert "pages" not in {cell.column for cell in (*found.differ, *found.filled)}


@pytest.mark.parametrize(
    ("tags", "column", "taken"),
    [
        ("SP  - 97\nEP  - 108", "pages", "97-108"),
        ("SP  - 1137\nEP  - 46", "pages", "1137-1146"),
        ("SP  - 97--108", "pages", "97-108"),
        ("SP  - N.PAG\nEP  - N.PAG", "pages", None),
        ("IS  - 4 Suppl. 2", "issue", "4 Suppl. 2"),
        # The journal's number at the National Library of Medicine, and an author's affiliation.
        ("IS  - 9439514, b6e", "issue", None),
        ("IS  - (Baker Q.) Department of Oncology, Made-up University, Aarhus", "issue", None),
    ],
)
def test_pages_and_issues_are_taken_and_nothing_else_for_them(project, tags, column, taken):
    path = RAW / "sources.csv"
    rows = sources()
    del rows[1:]
    rows[0] |= {"doi": "10.1000/made-up.2", "pages": "", "issue": ""}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    lines = [line for line in RIS.splitlines() if line[:2] not in {"SP", "EP"}]
    lines.insert(1, tags)
    found = read("\n".join(lines) + "\n", "export.ris")
    assert cells(found.filled).get((2, column)) == taken


def test_one_list_of_authors_may_stop_before_the_other(project):
    found = read(NBIB.format(volume=1))
    write_referenced(found, RAW, Path("filled"), replace="no")
    shutil.copytree("filled", RAW, dirs_exist_ok=True)
    assert read(NBIB.format(volume=1)).filled == []
    fewer = NBIB.format(volume=1).replace("AU  - Grant G\n", "")
    # Six authors in the file match six and "et al." in the sheet: either list may end early.
    assert "authors" not in {cell.column for cell in read(fewer).differ}
    other = NBIB.format(volume=1).replace("AU  - Clark C", "AU  - Knox K")
    assert [cell.column for cell in read(other).differ] == ["authors"]


def test_a_list_of_authors_that_goes_on_differs_from_one_that_ends_early(project):
    """The sheet names six authors and more; a paper by the first three is another one."""
    write_referenced(read(NBIB.format(volume=1)), RAW, Path("filled"), replace="no")
    shutil.copytree("filled", RAW, dirs_exist_ok=True)
    text, _, rest = NBIB.format(volume=1).partition("AU  - Dunn D\n")
    three = text + rest[rest.index("TA  -") :]
    assert cells(read(three).differ) == {(2, "authors"): "Abel JK; Baker Q; Clark C"}


def test_a_doi_in_capitals_in_the_sheet_is_recognised(project):
    path = RAW / "sources.csv"
    path.write_text(path.read_text("utf-8").replace("10.1000/made-up.1,", "10.1000/MADE-UP.1,"))
    found = read(NBIB.format(volume=1).replace("10.1000/MADE-UP.1", "10.1000/made-up.1"))
    assert (found.matched, found.said) == (1, [])


def test_an_author_more_is_a_difference_where_neither_list_says_that_it_goes_on(project):
    write_referenced(read(RIS, "export.ris"), RAW, Path("filled"), replace="no")
    shutil.copytree("filled", RAW, dirs_exist_ok=True)
    more = RIS.replace("AU  - Baker, Quentin Z.", "AU  - Baker, Quentin Z.\nAU  - Clark, C.")
    assert cells(read(more, "export.ris").differ) == {(3, "authors"): "Baker QZ; Clark C"}


def test_a_value_that_differs_is_shown_and_replaced_only_when_asked(project, capsys):
    file = str(export(NBIB.format(volume=7)))
    before = (RAW / "sources.csv").read_bytes()
    assert main(["references", "--file", file]) == 1
    said = capsys.readouterr()
    row = "sources.csv, row 2 (abel_2014_alder), column volume"
    assert f'{row}: the sheet has "1", the file "7".' in said.out
    assert "1 source of the sheet found: 5 empty cells to fill in, 1 that differs." in said.out
    assert "REPLACE=yes takes the values of the file" in said.err
    assert (RAW / "sources.csv").read_bytes() == before
    assert main(["references", "--file", file, "--replace", "no"]) == 0
    assert (sources()[0]["volume"], sources()[0]["pmid"]) == ("1", "90000001")
    assert main(["references", "--file", file, "--replace", "yes"]) == 0
    assert sources()[0]["volume"] == "7"
    assert "volume changed from 1 to 7" in capsys.readouterr().out
    assert main(["references", "--file", file]) == 0
    assert "nothing to import" in capsys.readouterr().out


def test_no_other_cell_changes(project):
    write_referenced(read(NBIB.format(volume=7)), RAW, Path("filled"), replace="yes")
    before, after = sources(), sources(Path("filled"))
    assert [{name: row[name] for name in before[0]} for row in after[1:]] == before[1:]
    changed = {name for name, text in before[0].items() if after[0][name] != text}
    assert changed == {"pmid", "volume"}


def test_a_record_twice_is_said_and_two_that_differ_are_refused(project):
    (said,) = read(NBIB.format(volume=1) * 2).said
    assert said == "export.nbib, line 21: the same as in line 2."
    with pytest.raises(SheetError, match="another record of the same source is in line 2"):
        read(NBIB.format(volume=1) + NBIB.format(volume=7))


def test_a_record_that_fits_two_sources_is_refused(project):
    path = RAW / "sources.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("10.1000/made-up.5,,", "10.1000/made-up.5,90000001,"), "utf-8")
    with pytest.raises(SheetError) as refused:
        read(NBIB.format(volume=1))
    (problem,) = refused.value.problems
    assert problem.line().startswith("export.nbib, line 2: PMID 90000001")
    assert "row 2 (abel_2014_alder), row 6 (ellis_2022_fir)" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (NBIB.format(volume=1).replace("90000001", "9000 0001"), 2, "expected a PubMed number"),
        (NBIB.format(volume=1).replace("2014 May", "in spring"), 2, "expected a year"),
        (NBIB.format(volume=1).replace("2014 May", "1914"), 2, "is outside the allowed"),
        (NBIB.format(volume=1).strip() + NBIB.format(volume=1), 19, "a record begins before"),
        (NBIB.format(volume=1).replace("VI  -", "\nVI  -"), 5, "the line is in no record"),
        (NBIB.format(volume="1\x07"), 4, "a character that cannot be printed"),
        (RIS.replace("ER  -\n\n", ""), 10, "a record begins before that of line 1 has ended"),
        (RIS.removesuffix("ER  -\n"), 12, "the file may be cut short"),
        (RIS.replace("A1  - Nobody", "LID - Nobody"), 13, "begins with a line that has no tag"),
        (RIS.replace("https://doi.org/10.1000/made-up.2", "none"), 1, "expected a DOI"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_located(project, text, line, message):
    with pytest.raises(SheetError) as refused:
        read(text)
    said = [problem.line() for problem in refused.value.problems]
    assert any(one.startswith(f"export.nbib, line {line}: ") and message in one for one in said)


def test_an_odd_year_of_another_paper_is_no_matter(project):
    """The export may be a whole library, with papers older than any source of the sheet."""
    other = NBIB.format(volume=1).replace("90000001", "90000099").replace("2014 May", "1914")
    other = other.replace("10.1000/", "10.1000/other-")
    found = read(NBIB.format(volume=1) + other)
    assert found.matched == 1
    (said,) = found.said
    assert said.startswith("Not in the sheet: export.nbib, line 21, PMID 90000099")


def test_all_faults_are_told_at_once_and_nothing_is_written(project, capsys):
    text = NBIB.format(volume=1).replace("2014 May", "in spring").replace("90000001", "x1")
    before = (RAW / "sources.csv").read_bytes()
    assert main(["references", "--file", str(export(text))]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert said[-1] == "Nothing was written."
    assert (RAW / "sources.csv").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\x00", b"PMID 5"])
def test_what_is_no_export_is_said(project, content):
    Path("export.nbib").write_bytes(content)
    with pytest.raises(
        RequestError, match=r"export\.nbib (holds no record|cannot be read|is not UTF-8)"
    ):
        read_references(Path("export.nbib"), RAW, DICTIONARY)
