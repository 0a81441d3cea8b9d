"""Database exports as rows to be screened: each record once, with known records marked."""

import csv

import pytest
from invented import ROOT
from small_project import judge_every_trial, small_project
from trial_evidence.cli import main
from trial_evidence.loaded import DICTIONARY
from trial_evidence.sheet import read_dictionary
from trial_evidence.words.problems import SheetError
from trial_evidence.workbook.records import found_records

EXPORT = ROOT / "tests/unit/workbook/made_up/search.nbib"
LOG = (
    "search_id,date,reader,where,queries,scope,note,strategy\n"
    "s1,2025-01-31,reader 1,nowhere,1,invented trials,Invented,\n"
    's2,2026-03-01,reader 1,PubMed,1,all settings,,"almab[tiab], bemab[tiab]"\n'
)
RIS = """TY  - JOUR
AU  - Abel, Jane
AU  - Other, O.
TI  - Almab added to chemotherapy: a randomised phase 2 trial, number 1
PY  - 2020
T2  - Journal of Made-up Results
DO  - https://doi.org/10.1000/MADE.UP.2020.01
ER  -

TY  - JOUR
A1  - Baker, Quentin
T1  - A report that one database alone has
Y1  - 2024/05/01
JO  - J Made-up
ER  -
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working directory with the made-up sheet and a documented search."""
    monkeypatch.chdir(small_project(tmp_path))
    (tmp_path / "data/raw/search_log.csv").write_text(LOG, encoding="utf-8")
    judge_every_trial(tmp_path)
    return tmp_path


def rows_of(project):
    with (project / "data/raw/screening.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def found(project, text, search=""):
    """The rows from an export with this text."""
    path = project / "export.txt"
    path.write_text(text, encoding="utf-8")
    dictionary = read_dictionary(DICTIONARY)
    return found_records(path, search, project / "data/raw", dictionary).rows


def record(number=1, title="A title.", doi="", author="Doe J", year=2020):
    identifier = f"AID - {doi} [doi]\n" if doi else ""
    return (
        f"PMID- {number}\nTI  - {title}\nAU  - {author}\nDP  - {year} Mar\n{identifier}"
        "TA  - J Made-up Results\n"
    )


# --------------------------------------------------------------------------------- the export


def test_an_export_of_forty_records(project, capsys):
    assert main(["records", "--file", str(EXPORT)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "40 records of s2: 4 the same as another record, 3 in the sheet before, 33 to screen."
    )
    rows = rows_of(project)
    assert [row["record_id"] for row in rows] == [f"s2_{n:02d}" for n in range(1, 41)]
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "No errors, no warnings.\n"


def test_a_record_is_read_as_the_database_prints_it(project):
    main(["records", "--file", str(EXPORT)])
    first = rows_of(project)[0]
    assert {name: text for name, text in first.items() if text} == {
        "record_id": "s2_01", "search_id": "s2",
        "title": "Almab added to chemotherapy: a randomised phase 2 trial, number 1.",
        "first_author": "Abel", "year": "2020", "journal": "J Made-up Results",
        "pmid": "90000001", "doi": "10.1000/made.up.2020.01",
    }  # fmt: skip


def test_duplicates_and_known_reports_are_kept_and_say_what_they_are(project):
    main(["records", "--file", str(EXPORT)])
    rows = {row["record_id"]: row for row in rows_of(project)}
    same = {row["record_id"]: row["duplicate_of"] for row in rows.values() if row["duplicate_of"]}
    # By PubMed number; by DOI; by title, author and year, twice.
    assert same == {"s2_12": "s2_06", "s2_21": "s2_11", "s2_29": "s2_18", "s2_40": "s2_26"}
    assert {rows[name]["decision"] for name in same} == {"duplicate"}
    known = {row["source_id"] for row in rows.values() if row["decision"] == "known"}
    assert known == {"doe_2020_trial_a", "doe_2020_trial_b", "doe_2020_trial_h"}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (record(1), record(1, "Another title."), True),
        (record(1, "A.", "10.1000/x.1"), record(2, "B.", "10.1000/X.1"), True),
        (record(1, "A.", "10.1000/x.1"), record(2, "B.", "10.1000/x.1."), True),
        (record(1, "A trial: of two."), record(2, "A TRIAL of two"), True),
        (record(1), record(2, year=2021), False),
        (record(1), record(2, author="Roe J"), False),
        (record(1, "A.", "10.1000/x.1"), record(2, "B.", "10.1000/x.11"), False),
    ],
)
def test_two_records_of_one_report(project, first, second, same):
    decisions = [row["decision"] for row in found(project, f"{first}\n{second}")]
    assert decisions == ["", "duplicate" if same else ""]


def test_every_copy_is_the_same_as_the_first(project):
    rows = found(project, "\n".join(record(1, title) for title in ("A.", "B.", "C.")))
    assert [row.get("duplicate_of", "") for row in rows] == ["", "s2_1", "s2_1"]


def test_a_known_report_that_is_found_twice_is_known_once(project):
    """The flow diagram would count it as two reports."""
    same = record(1, doi="10.1000/doe_2020_trial_a")
    rows = found(project, f"{same}\n{same}")
    assert [row["decision"] for row in rows] == ["known", "duplicate"]


def test_a_record_that_is_there_twice_is_the_same_as_the_first_of_them(project):
    (project / "export.nbib").write_text(f"{record(1)}\n{record(1)}", encoding="utf-8")
    assert main(["records", "--file", "export.nbib"]) == 0
    log = project / "data/raw/search_log.csv"
    log.write_text(LOG + "s3,2026-03-02,reader 1,Embase,1,all settings,,almab\n", encoding="utf-8")
    (row,) = found(project, record(1), "s3")
    assert row["duplicate_of"] == "s2_1"


def test_records_of_another_search_are_known_again(project, capsys):
    main(["records", "--file", str(EXPORT)])
    log = project / "data/raw/search_log.csv"
    log.write_text(LOG + "s3,2026-03-02,reader 1,Embase,1,all settings,,almab\n", encoding="utf-8")
    (project / "export.ris").write_text(RIS, encoding="utf-8")
    assert main(["records", "--file", "export.ris", "--search", "s3"]) == 0
    assert "2 records of s3: 1 the same as another record" in capsys.readouterr().out
    *_, known, new = rows_of(project)
    assert (known["decision"], known["duplicate_of"]) == ("duplicate", "s2_01")
    assert {name: text for name, text in new.items() if text} == {
        "record_id": "s3_2", "search_id": "s3", "first_author": "Baker", "year": "2024",
        "title": "A report that one database alone has", "journal": "J Made-up",
    }  # fmt: skip
    assert len(rows_of(project)) == 42


@pytest.mark.parametrize(
    ("printed", "family"),
    [
        ("Baker, QZ", "Baker"),
        ("Baker Q.Z.", "Baker"),
        ("Baker Q. Z.", "Baker"),
        ("Van den Baker Q.", "Van den Baker"),
        ("Made-up Study Group,", "Made-up Study Group"),
    ],
)
def test_the_first_author_is_named_without_initials(project, printed, family):
    _, row = found(project, RIS.replace("Baker, Quentin", printed))
    assert row["first_author"] == family


def test_the_year_is_that_of_the_publication(project):
    """Not the year in which the database added it, or in which it appeared online."""
    dated = RIS.replace("PY  - 2020", "DA  - 2019/12/01\nPY  - 2020", 1)
    assert found(project, dated)[0]["year"] == "2020"


@pytest.mark.parametrize("printed", ["2019 Dec", "2019/12/01", "20191201"])
def test_a_date_has_its_year(project, printed):
    assert found(project, RIS.replace("PY  - 2020", f"PY  - {printed}", 1))[0]["year"] == "2019"


def test_a_mistyped_year_is_not_cut_to_another(project):
    with pytest.raises(SheetError, match='"20199" is there; expected a year'):
        found(project, RIS.replace("PY  - 2020", "PY  - 20199", 1))


def test_a_group_is_the_author_where_no_person_is(project):
    alone = record(1).replace("AU  - Doe J\n", "CN  - Made-up Study Group\n")
    beside = record(2, "Another.").replace("AU  -", "CN  - Made-up Study Group\nAU  -")
    rows = found(project, f"{alone}\n{beside}")
    assert [row["first_author"] for row in rows] == ["Made-up Study Group", "Doe"]


def test_of_several_names_of_a_journal_the_short_one_is_taken(project):
    names = "JF  - Journal of Made-up Oncology\nJA  - J. Made-up Oncol.\n"
    _, row = found(project, RIS.replace("JO  - J Made-up\n", names))
    assert row["journal"] == "J Made-up Oncol"


@pytest.mark.parametrize(
    ("printed", "title"),
    [
        ("Almab <i>in vivo</i> &amp; bemab", "Almab in vivo & bemab"),
        ("Almab &lt;sub&gt;2&lt;/sub&gt; &#x2013; a trial", "Almab 2 \u2013 a trial"),
        ("Age <65 or >75 years", "Age <65 or >75 years"),
    ],
)
def test_markup_of_a_publisher_is_not_in_the_title(project, printed, title):
    """Nor is a record another one because one database has the markup and the other has not."""
    records = f"{record(1, printed)}\n{record(2, title)}"
    assert [row["title"] for row in found(project, records)] == [title] * 2
    assert found(project, records)[1]["duplicate_of"] == "s2_1"


def test_markup_in_a_doi_is_not_of_the_doi(project):
    (row,) = found(project, record(1, doi="10.1000/(SICI)85:5&lt;1150::AID-1&gt;3.0"))
    assert row["doi"] == "10.1000/(SICI)85:5<1150::AID-1>3.0"


# -------------------------------------------------------------------------------- bad requests


def refused(project, capsys, *arguments):
    before = {path: path.read_bytes() for path in (project / "data/raw").iterdir()}
    assert main(["records", *arguments]) == 1
    assert {path: path.read_bytes() for path in (project / "data/raw").iterdir()} == before
    return capsys.readouterr().err


def test_the_same_search_is_not_brought_in_twice(project, capsys):
    main(["records", "--file", str(EXPORT)])
    said = refused(project, capsys, "--file", str(EXPORT), "--search", "s2")
    assert "screening.csv holds records of s2 already." in said
    said = refused(project, capsys, "--file", str(EXPORT))
    assert "Every search of search_log.csv has its records" in said


def test_records_are_not_added_below_what_is_open_in_a_spreadsheet(project, capsys):
    path = project / "data/raw/screening.csv"
    (project / "data/raw/.~lock.screening.csv#").touch()
    said = refused(project, capsys, "--file", str(EXPORT))
    assert said.startswith("data/raw/screening.csv is open in a spreadsheet program, ")
    assert not path.exists()


def test_records_that_would_break_the_sheet_are_not_written(project, capsys):
    """An id that another row already has: the flow diagram would count two records as one."""
    cells = dict.fromkeys(read_dictionary(DICTIONARY).tables["screening"].columns, "")
    row = cells | {"record_id": "s2_1", "search_id": "s1", "title": "Another", "pmid": "99"}
    path = project / "data/raw/screening.csv"
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n", encoding="utf-8")
    (project / "export.txt").write_text(record(1), encoding="utf-8")
    said = refused(project, capsys, "--file", "export.txt")
    assert "s2_1" in said
    assert said.endswith("Nothing was added; the sheet is unchanged.\n")


@pytest.mark.parametrize(
    ("log", "asked", "answer"),
    [
        (LOG.replace('"almab[tiab], bemab[tiab]"', ""), [], "First add the search to search_log"),
        (LOG + "s3,2026-03-02,reader 1,Embase,1,all settings,,almab\n", [], "SEARCH=s2 or s3"),
        (LOG, ["--search", "s9"], '"s9" is not a search_id of search_log.csv. Allowed: s1, s2'),
    ],
)
def test_it_has_to_be_clear_which_search_it_was(project, capsys, log, asked, answer):
    (project / "data/raw/search_log.csv").write_text(log, encoding="utf-8")
    assert answer in refused(project, capsys, "--file", str(EXPORT), *asked)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (None, "There is no file export.nbib."),
        (b"", "export.nbib holds no record. Export the search from PubMed as PubMed (.nbib)"),
        (b"title,year\nA title,2020\n", "export.nbib holds no record."),
        (b" A title\nPMID- 1\n", "export.nbib, line 1: the line is in no record; a record begins"),
        # Told once, in the words of its own format.
        (
            b"OWN - NLM\nTI  - A title\nDP  - 2020\n",
            'export.nbib, line 1: the line is in no record; a record begins with "PMID- ".',
        ),
        (
            b"PMID- 1\nTI  - M\xfcller\n",
            "export.nbib is not UTF-8 text: line 2 cannot be read. Export the records again as "
            "UTF-8, or open the file in a text editor and save it with the encoding UTF-8.",
        ),
    ],
)
def test_a_file_that_is_no_export(project, capsys, content, answer):
    if content is not None:
        (project / "export.nbib").write_bytes(content)
    assert answer in refused(project, capsys, "--file", "export.nbib")


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (
            record(1) + record(2) + "\n" + record(3) + record(4),
            [
                "line 6: a record begins before that of line 1 has ended with an empty line.",
                "line 17: a record begins before that of line 12 has ended with an empty line.",
            ],
        ),
        (
            RIS.replace("ER  -\n\n", ""),
            ['line 8: a record begins before that of line 1 has ended with "ER  - ".'],
        ),
        (
            RIS.removesuffix("ER  -\n"),
            ['line 10: the record does not end with "ER  - ": the file may be cut short.'],
        ),
        (
            record("11x") + "\n" + record(2, year=1850) + "\n" + record(12345678901),
            [
                'line 1: no PMID, no DOI: "11x" is there; expected a PubMed number.',
                'line 7: PMID 2: "1850 Mar" is there; expected a year.',
                'line 13: no PMID, no DOI: "12345678901" is there; expected a PubMed number.',
            ],
        ),
        (
            RIS.replace("PY  - 2020", "PY  - in press"),
            ['line 1: DOI 10.1000/MADE.UP.2020.01: "in press" is there; expected a year.'],
        ),
    ],
    ids=["PubMed, joined", "RIS, joined", "RIS, cut", "numbers", "RIS, year"],
)
def test_a_cut_or_joined_export_is_refused_with_all_its_lines(project, capsys, text, answers):
    (project / "export.txt").write_text(text, encoding="utf-8")
    said = refused(project, capsys, "--file", "export.txt").splitlines()
    assert said == [*(f"export.txt, {answer}" for answer in answers), "Nothing was written."]


def test_a_sheet_with_errors_is_left_alone(project, capsys):
    path = project / "data/raw/pcr.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("42,105,", "142,105,", 1), "utf-8")
    assert "The sheet has errors" in refused(project, capsys, "--file", str(EXPORT))


def test_a_record_without_a_title_or_a_number_is_kept(project):
    (row,) = found(project, "PMID- \nAU  - Doe J\n")
    assert (row["title"], row["pmid"], row["year"]) == ("(no title)", "", "")


# ------------------------------------------------------------------------------ the screening


def _check(project, rows, capsys):
    """What the check says of a sheet with errors in these rows of screening.csv."""
    with (project / "data/raw/screening.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    capsys.readouterr()
    assert main(["check"]) == 1
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("same_as", "wrong"),
    [
        ({0: 0}, [2]),
        ({0: 1, 1: 0}, [2, 3]),
        ({0: 1, 1: 2, 2: 1}, [3, 4]),
    ],
    ids=["itself", "each other", "two that a third is the same as"],
)
def test_duplicates_of_each_other_are_refused(project, capsys, same_as, wrong):
    """All of them would be removed, and the report would not be screened."""
    main(["records", "--file", str(EXPORT)])
    rows = [{**row, "decision": "", "duplicate_of": ""} for row in rows_of(project)]
    for at, other in same_as.items():
        rows[at] |= {"decision": "duplicate", "duplicate_of": rows[other]["record_id"]}
    *said, _ = _check(project, rows, capsys)
    assert [line.partition(" (")[0] for line in said] == [
        f"screening.csv, row {row}" for row in wrong
    ]
    assert all("column duplicate_of" in line and "leads back" in line for line in said)


@pytest.mark.parametrize(
    ("decision", "column"),
    [
        ("duplicate", "duplicate_of"),
        ("known", "source_id"),
        ("excluded", "reason"),
        ("not_eligible", "reason"),
        ("included", "source_id"),
    ],
)
def test_a_decision_comes_with_what_the_flow_counts(project, capsys, decision, column):
    main(["records", "--file", str(EXPORT)])
    rows = rows_of(project)
    rows[0]["decision"] = decision
    said = _check(project, rows, capsys)
    assert said[0].startswith(f"screening.csv, row 2 (s2_01), column {column}: the cell is empty")
    assert said[1].startswith("1 error")


@pytest.mark.parametrize(
    ("author", "year", "differs"),
    [("Roe R", 2017, True), ("Doe J", 2017, False), ("Roe R", 2021, False)],
)
def test_the_number_of_a_source_on_another_paper_is_told(project, author, year, differs):
    """Taken as known, the paper would be screened by nobody."""
    text = record(1, "Another.", "10.1000/doe_2020_trial_a", author, year)
    if not differs:
        assert [row["decision"] for row in found(project, text)] == ["known"]
        return
    with pytest.raises(SheetError, match=r"doe_2020_trial_a in sources.csv is Doe 2020"):
        found(project, text)
