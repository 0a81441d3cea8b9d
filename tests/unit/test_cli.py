"""The commands that the rules call: exit codes, messages, and what a failure leaves alone."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from made_up.project import write_sheet
from openpyxl import Workbook, load_workbook
from small_project import edited_yaml, evidence_of, judge_every_trial, small_project
from trial_evidence.cli import main
from trial_evidence.cli.sheet import MOST_PRINTED
from trial_evidence.loaded import with_unjudged
from trial_evidence.report.trail.explain import explain

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the made-up sheet and the project's configuration; nothing to warn of."""
    monkeypatch.chdir(small_project(tmp_path))
    judge_every_trial(tmp_path)
    return tmp_path


def break_cell(project, table, old, new):
    path = project / "data/raw" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def listed(project):
    with (project / "results/checks/problems.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_sound_sheet_passes(project, capsys):
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("No errors, no warnings.\n", "")
    assert listed(project) == []


def test_a_sheet_that_is_saved_during_its_check_is_not_passed_on(project, capsys, monkeypatch):
    """The stages would compute from numbers that nobody has checked."""

    def slowly(*checked):
        break_cell(project, "pcr", "ITT,local,all,42,105", "ITT,local,all,142,105")
        return with_unjudged(*checked)

    monkeypatch.setattr("trial_evidence.cli.sheet.with_unjudged", slowly)
    assert main(["check", "--state", "state"]) == 1
    said = "The sheet was saved while it was being checked. Run make again.\n"
    assert capsys.readouterr().err == said
    assert not (project / "state").exists()


def test_an_error_is_told_and_listed(project, capsys):
    break_cell(project, "pcr", "ITT,local,all,42,105", "ITT,local,all,142,105")
    assert main(["check"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "pcr.csv, row 2 (trial_a), column events: " in said.err
    assert said.err.splitlines()[-1].endswith(
        "Nothing was computed. Full list: results/checks/problems.csv"
    )
    assert [(row["row"], row["column"]) for row in listed(project)] == [("2", "events")]


def test_a_table_that_cannot_be_read_is_told_once(project, capsys):
    (project / "data/raw/pcr.csv").unlink()
    (project / "data/raw/pcr.csv").mkdir()
    # The lock of an editor.
    (project / "data/raw/.#arms.csv").symlink_to("nobody@nowhere.1")
    (project / "config/.#config.yaml").symlink_to("nobody@nowhere.1")
    assert main(["check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "pcr.csv: the file cannot be read: Is a directory."
    assert said[1].startswith("1 error, no warnings.")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
@pytest.mark.parametrize("name", ["config", "report", "labels/de"])
def test_settings_in_another_encoding_are_told_with_their_line(project, capsys, name, encoding):
    path = project / f"config/{name}.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_bytes(f"# für\n{text}".encode(encoding, errors="ignore"))
    assert main(["check"]) == 1
    said = capsys.readouterr().err.splitlines()
    file = path.name
    assert f"{file}, line 1: The file is not saved as UTF-8; save it as UTF-8." in said


def test_settings_that_cannot_be_opened_are_told(project, capsys):
    (project / "config/report.yaml").unlink()
    (project / "config/report.yaml").mkdir()
    assert main(["check"]) == 1
    assert "report.yaml: The file cannot be read: Is a directory." in capsys.readouterr().err


def test_warnings_are_counted_and_printed_on_request(project, capsys):
    break_cell(project, "pcr", "42,105,40.0", "42,105,41.0")
    assert main(["check"]) == 0
    assert "1 warning" in capsys.readouterr().out
    assert main(["check", "--list-warnings"]) == 0
    assert capsys.readouterr().out.startswith("pcr.csv, row 2 (trial_a), column reported_percent")
    assert [row["severity"] for row in listed(project)] == ["warning"]


def test_a_trial_whose_outcomes_are_those_of_another_setting_is_doubted(project, capsys):
    """One cell takes it out of its analyses and into others; all its numbers are sound."""
    break_cell(project, "trials", "NCT00000001,neoadjuvant", "NCT00000001,adjuvant")
    assert main(["check", "--list-warnings"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "column setting" in line]
    assert told == [
        "trials.csv, row 2 (trial_a), column setting: no analysis of adjuvant looks at pcr of this "
        "trial; those of neoadjuvant do. Is the setting right?"
    ]


def test_faults_of_sheet_and_configuration_are_told_together(project, capsys):
    break_cell(project, "pcr", "ITT,local,all,42,105", "ITT,local,all,x,105")
    config = project / "config/config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert re.search(r'config.yaml, line \d+: "colour" is not known here.', said)
    assert "pcr.csv, row 2" in said


@pytest.mark.parametrize("stage", ["check", "extract"])
def test_an_exclusion_from_an_unknown_analysis_stops_the_run(project, capsys, stage):
    break_cell(project, "exclusions", "trial_d,,*,*", "trial_d,,pcr_dual_v_trastuzumb,*")
    assert main([stage]) == 1
    assert 'Did you mean "pcr_dual_v_trastuzumab"?' in capsys.readouterr().err
    assert not (project / "data/processed").exists()


def test_an_agent_that_the_sheet_does_not_know_stops_the_run(project, capsys):
    agents = project / "data/raw/agents.csv"
    lines = agents.read_text(encoding="utf-8").splitlines(keepends=True)
    agents.write_text("".join(x for x in lines if not x.startswith("neratinib")), encoding="utf-8")
    assert main(["check"]) == 1
    assert '"neratinib" is not an agent of agents.csv.' in capsys.readouterr().err


# File of config/, what stands in it, what is typed in its place, and the word that is wrong.
SLIPS = (
    ("networks.yaml", "own_nodes: {}", "own_nodes:\n  no_such_arm: odd", "no_such_arm"),
    ("networks.yaml", "agents: t-dxd,", "agents: t-dxt,", "t-dxt"),
    ("networks.yaml", "agents: trastuzumab,", "agents: trastuzumeb,", "trastuzumeb"),
    ("analyses.yaml", "control: [lapatinib]", "control: [lapatinob]", "lapatinob"),
    ("analyses.yaml", "kind: dual v single, control: [trastuzumab]",
     "kind: dual v single, experimental: [afatinob], control: [trastuzumab]", "afatinob"),
    ("labels/de.yaml", "texts:\n", "texts:\n  qwertz nowhere: nirgends\n", "qwertz nowhere"),
)  # fmt: skip


def test_a_name_that_the_sheet_does_not_know_is_told_with_its_line(project, capsys):
    """The line is all that tells where to look in a file of hundreds."""
    for file, old, new, _ in SLIPS:
        path = project / "config" / file
        text = path.read_text(encoding="utf-8")
        # The last of several: an entry further up is not the one that is told.
        path.write_text(new.join(text.rsplit(old, 1)), encoding="utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    for file, _, _, word in SLIPS:
        lines = (project / "config" / file).read_text(encoding="utf-8").splitlines()
        (number,) = (n for n, line in enumerate(lines, start=1) if word in line)
        # Several analyses may share what is wrong.
        told = [line for line in said.splitlines() if word in line]
        place = f"{Path(file).name}, line {number}, "
        assert {line.startswith(place) for line in told} == {True}, told


def test_a_measure_of_a_network_that_its_outcome_cannot_have_stops_the_run(project, capsys):
    with edited_yaml(project / "config/networks.yaml") as content:
        content["networks"][0]["measure"] = "hazard_ratio"
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert '"hazard_ratio" does not fit the outcome: pcr.csv holds counts.' in said


def test_trials_of_a_setting_that_is_not_analysed_are_warned_of(tmp_path, monkeypatch, capsys):
    """They would be left out of every result without a word."""
    write_sheet(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--list-warnings"]) == 0
    assert "is not a setting" not in capsys.readouterr().out
    for trial in ("oak,OAK,NCT00000011", "palm,PALM,NCT00000012"):
        break_cell(tmp_path, "trials", f"{trial},neoadjuvant", f"{trial},adjuvant")
    assert main(["check", "--list-warnings"]) == 0
    assert (
        'trials.csv, row 12 (oak), column setting: "adjuvant" is not a setting of '
        "config/analyses.yaml, so no analysis looks at its 2 trials: oak, palm.\n"
    ) in capsys.readouterr().out


def test_a_thousand_faults_do_not_bury_the_reader(project, capsys):
    pcr = project / "data/raw/pcr.csv"
    header, *rows = pcr.read_text(encoding="utf-8").splitlines()
    many = [row.replace(",ITT,", ",IT,") for row in rows] * 40
    pcr.write_text("\n".join([header, *many]) + "\n", encoding="utf-8")
    assert main(["check"]) == 1
    said = capsys.readouterr().err.splitlines()
    kind = [line for line in said if line.startswith("pcr.csv, ") and "column population" in line]
    assert len(kind) == 4
    of_kind = [row for row in listed(project) if row["column"] == "population"]
    assert kind[3].startswith(f"pcr.csv, row {of_kind[-1]['row']} (")
    assert kind[3].endswith(f": the last of {len(of_kind) - 3} more of this kind.")
    assert len(said) <= MOST_PRINTED + 2
    assert len(of_kind) > 10 * MOST_PRINTED


def test_a_mistake_in_a_whole_column_does_not_hide_another(project, capsys):
    """As when a spreadsheet writes all its numbers with decimal commas."""
    pcr = project / "data/raw/pcr.csv"
    header, first, *rows = pcr.read_text(encoding="utf-8").splitlines()
    many = [first.replace(",ITT,", ",IT,")] * 60
    pcr.write_text("\n".join([header, first, *many, *rows]) + "\n", encoding="utf-8")
    break_cell(project, "sources", ",article", ",articel")
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert re.search(r"^sources\.csv, row \d+ .*articel", said, flags=re.MULTILINE)


def test_a_few_faults_alike_are_told_one_by_one(project, capsys):
    pcr = project / "data/raw/pcr.csv"
    header, *rows = pcr.read_text(encoding="utf-8").splitlines()
    rows[:6] = [row.replace(",ITT,", ",IT,") for row in rows[:6]]
    pcr.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    assert main(["check"]) == 1
    told = re.findall(r"^pcr\.csv, row (\d+) .*column population", capsys.readouterr().err, re.M)
    assert told == ["2", "3", "4", "5", "6", "7"]


def test_evidence_of_every_setting_is_written(project):
    assert main(["extract"]) == 0
    found = {path.relative_to(project / "data/processed").as_posix()
             for path in (project / "data/processed").rglob("*.csv")}  # fmt: skip
    assert found == {
        f"{setting}/{table}.csv"
        for setting in
        ("neoadjuvant", "adjuvant", "metastatic_first_line", "metastatic_pretreated")
        for table in ("used", "set_aside", "contrasts", "rates")
    }  # fmt: skip


def test_extracting_again_leaves_unchanged_files_alone(project):
    assert main(["extract"]) == 0
    before = {p: p.stat().st_mtime_ns for p in (project / "data/processed").rglob("*.csv")}
    break_cell(project, "pcr", "42,105,40.0", "43,105,41.0")
    assert main(["extract"]) == 0
    touched = {p.parent.name for p, t in before.items() if p.stat().st_mtime_ns != t}
    assert touched == {"neoadjuvant"}


# ------------------------------------------------------------------ the workbook of the analyst


@pytest.fixture
def book(project, capsys):
    """A workbook of the sheet as it stands."""
    path = project / "evidence.xlsx"
    assert main(["workbook", "--book", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"The sheet is in {path}. Edit it, then: make import BOOK={path}\n"
    )
    return path


def test_the_next_command_can_be_pasted_whatever_the_name(project, capsys):
    assert main(["workbook", "--book", "my sheet (1).xlsx"]) == 0
    assert capsys.readouterr().out.endswith("make import BOOK='my sheet (1).xlsx'\n")


def edit(book, table, cell, value):
    workbook = load_workbook(book)
    workbook[table][cell] = value
    workbook.save(book)


def sheet_of(project):
    return {path.name: path.read_bytes() for path in (project / "data/raw").iterdir()}


def test_an_untouched_workbook_changes_nothing(project, book, capsys):
    before = sheet_of(project)
    assert main(["import", "--book", str(book)]) == 0
    assert capsys.readouterr() == (
        "The sheet holds all of this already; nothing to import.\n", "",
    )  # fmt: skip
    assert sheet_of(project) == before


def test_a_file_that_is_no_workbook_is_told_and_not_a_traceback(project, tmp_path, capsys):
    broken = tmp_path / "broken.xlsx"
    broken.write_text("no workbook", encoding="utf-8")
    assert main(["import", f"--book={broken}"]) == 1
    assert "this is not a workbook" in capsys.readouterr().err


def test_an_import_is_shown_before_it_is_written(project, book, capsys):
    edit(book, "pcr", "G2", 43)
    edit(book, "pcr", "I2", 41.0)
    assert main(["import", "--book", str(book)]) == 0
    said = capsys.readouterr().out.splitlines()
    # The levels of the receptor no longer add up to the whole arm: a warning comes first.
    place = "evidence.xlsx, sheet pcr, row 4 (trial_a), column events (G4)"
    assert said[0].startswith(f"{place}: the levels of")
    assert said[1] == "pcr: 1 row changed"
    assert said[2].startswith("  changed  row 2, trial_a")
    assert said[-1] == "Imported: pcr.csv. What it changes: make changes"
    assert b"all,43,105,41" in (project / "data/raw/pcr.csv").read_bytes()


def test_an_import_into_a_table_that_is_open_ends_with_an_exit_code_that_says_so(
    project, book, capsys
):
    before = sheet_of(project)
    edit(book, "pcr", "G2", 43)
    lock = project / "data/raw/.~lock.pcr.csv#"
    lock.write_text(",jroe,ward7,01.12.2026 21:43,file:///profile/4;")
    assert main(["import", "--book", str(book)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("data/raw/pcr.csv is open in a spreadsheet program (jroe, on ward7, ")
    lock.unlink()
    assert sheet_of(project) == before


def test_a_faulty_workbook_is_not_imported(project, book, capsys):
    before = sheet_of(project)
    edit(book, "pcr", "G2", 143)
    assert main(["import", "--book", str(book)]) == 1
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "Nothing was imported; the sheet is unchanged."
    assert "row 2 (trial_a), column events" in said.err
    assert sheet_of(project) == before


def test_an_import_that_removes_much_has_to_be_confirmed(project, book, capsys):
    before = sheet_of(project)
    workbook = load_workbook(book)
    workbook["risk_of_bias"].delete_rows(2, 5)
    workbook.save(book)
    assert main(["import", "--book", str(book)]) == 1
    said = capsys.readouterr()
    assert said.err == "Nothing was imported. To confirm, add YES=yes.\n"
    assert "rows of risk_of_bias would be removed." in said.out.splitlines()[-1]
    assert sheet_of(project) == before
    assert main(["import", "--book", str(book), "--yes"]) == 0
    assert b"trial_a,pCR" not in sheet_of(project)["risk_of_bias.csv"]


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(project, capsys):
    (project / "README.md").write_text("Read me.\n")
    assert main(["workbook", "--book", "README.md/x.xlsx"]) == 2
    said = "README.md cannot be read or written: it is a file, not a folder.\n"
    assert capsys.readouterr() == ("", said)
    assert (project / "README.md").read_text() == "Read me.\n"


def test_a_file_where_the_results_belong_is_the_one_that_is_named(project, capsys):
    (project / "results").write_text("mine")
    assert main(["check"]) == 2
    said = "results cannot be read or written: it is a file, not a folder.\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(13, "Permission denied", "there/book.xlsx"),
            "there/book.xlsx cannot be read or written: Permission denied (it may be open in "
            "another program, or you may not write there).",
        ),
        (OSError(28, "No space left on device"), "No space left on device."),
        (FileExistsError("raw is left from an interrupted import."), "an interrupted import."),
    ],
)
def test_what_the_system_refuses_is_told_in_one_sentence(project, capsys, monkeypatch, error, said):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("trial_evidence.workbook.write.write_workbook", refuse)
    assert main(["workbook", "--book", "there/book.xlsx"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.parametrize("part", ["-1", "99999"])
def test_a_part_that_the_simulation_does_not_have(project, capsys, part):
    assert main(["simulate", "--part", part]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"The simulation has no part {part}. Allowed: 0 to ")


def test_a_workbook_that_is_not_there(project, capsys):
    assert main(["import", "--book", "nowhere.xlsx"]) == 1
    said = capsys.readouterr().err
    assert "nowhere.xlsx" in said
    assert said.endswith("Nothing was imported; the sheet is unchanged.\n")


# ---------------------------------------------------------------------------- two readers


def settle(project, value, chosen="second"):
    """The readers differ on the events of trial A, dual arm; somebody has settled it."""
    break_cell(project, "second_reading", "42|105,42|105,agree", "42|105,44|105,differ")
    path = project / "data/raw/adjudication.csv"
    row = (
        "pcr,trial_a,arm_id=trial_a_dual;definition=ypT0/is ypN0,events|n|reported_percent,"
        f"{value},{chosen},The full paper corrects it.,AB,2026-11-22\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")


def test_a_settled_value_is_extracted(project):
    settle(project, "44|105|41.9")
    assert main(["extract"]) == 0
    used = project / "data/processed/neoadjuvant/used.csv"
    with used.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["rows"] == "2;5"]
    assert {row["events_experimental"] for row in rows} == {"44.0"}


@pytest.mark.parametrize("stage", ["check", "extract"])
def test_a_wrong_adjudication_stops_the_run(project, capsys, stage):
    settle(project, "45|105|42.9")
    assert main([stage]) == 1
    assert "adjudication.csv, row 2 (trial_a), column adjudicated_value: " in (
        capsys.readouterr().err
    )
    assert not (project / "data/processed").exists()


# ------------------------------------------------------------------- explanations, comparison


def test_an_explanation_needs_no_results_and_leaves_none(project, capsys):
    assert main(["explain", "--row", "pcr:2"]) == 0
    by_row = capsys.readouterr().out
    assert by_row.startswith("pcr.csv, row 2 (trial_a)\n")
    # Its analysis, its pool of rates and its network.
    for place in ("pcr_dual_v_trastuzumab", "pcr_rates", "pcr_network"):
        assert f"\n{place} (neoadjuvant), " in by_row
    asked = ["--trial", "trial_a", "--analysis", "pcr_rates"]
    assert main(["explain", *asked]) == 0
    assert "pcr_rates (neoadjuvant), all, proportion" in capsys.readouterr().out
    # Of a network every regimen of the trial, with its row.
    assert main(["explain", "--trial", "trial_a", "--analysis", "pcr_network"]) == 0
    in_network = capsys.readouterr().out
    assert "\npcr_network (neoadjuvant), " in in_network
    assert re.findall(r"^  used +pcr.csv row (\d+)$", in_network, re.M) == ["2", "5"]
    assert not (project / "results").exists()
    assert not (project / "data/processed").exists()


def test_an_explanation_is_that_of_the_results(project, capsys):
    """What a stage wrote, and what is made for one trail, say the same."""
    assert main(["explain", "--trial", "trial_c", "--analysis", "pcr_dual_v_trastuzumab"]) == 0
    said = capsys.readouterr().out
    asked = ("", "trial_c", "pcr_dual_v_trastuzumab")
    assert said == explain(*asked, *evidence_of(project))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (["--row", "pcr:200"], "pcr.csv has rows 2 to 26; there is no row 200\n"),
        ([], "Name a row, as in ROW=pcr:6, "),
        (
            ["--row", "pcr:2", "--trial", "trial_a", "--analysis", "pcr_rates"],
            "ROW=pcr:2 TRIAL=trial_a ANALYSIS=pcr_rates asks two things at once. Name a row, ",
        ),
        (["--row", "pcr:2", "--trial", "trial_q"], "ROW=pcr:2 TRIAL=trial_q asks two things "),
        (["--row", "pcr:2", "--analysis", "pcr_rates"], "ROW=pcr:2 ANALYSIS=pcr_rates asks two "),
        (["--trial", "trial_a"], "TRIAL=trial_a does not say all that is asked. Name a row, "),
        (["--analysis", "pcr_rates"], "ANALYSIS=pcr_rates does not say all that is asked. "),
        (["--trial", "trial_q", "--analysis", "pcr_rates"], '"trial_q" is not a trial. '),
        (["--trial", "trial_a", "--analysis", "pcr"], '"pcr" is not an analysis. '),
    ],
)
def test_what_cannot_be_explained_is_said_at_once(project, capsys, asked, answer):
    assert main(["explain", *asked]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(answer)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (
            ["worklist", "--book", "w.xlsx", "--most", "abc"],
            'trial-evidence worklist: argument --most: "abc" is not a whole number. For help: '
            "trial-evidence worklist --help\n",
        ),
        (
            ["styled", "--style", "lancet", "--processes", "abc"],
            'trial-evidence styled: argument --processes: "abc" is not a whole number. For help: '
            "trial-evidence styled --help\n",
        ),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(project, capsys, arguments, answer):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", answer)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["registry", "--book", "r.xlsx", "--file", ""], "Say which file or folder: FILE=...\n"),
        (["references", "--file", ""], "Say which file: FILE=...\n"),
        (["records", "--file", ""], "Say which file: FILE=...\n"),
        (["references", "--file", "data"], "data is a folder: name a file, FILE=...\n"),
        (["records", "--file", "data"], "data is a folder: name a file, FILE=...\n"),
    ],
)
def test_no_file_and_a_folder_instead_of_one_are_said(project, capsys, command, answer):
    assert main(command) == 1
    assert capsys.readouterr() == ("", answer)


@pytest.mark.parametrize("name", ["evidence.csv", "evidence.xls", "evidence", "data"])
def test_a_workbook_is_written_only_under_a_name_that_opens_it(project, capsys, name):
    assert main(["workbook", "--book", name]) == 1
    said = f'"{name}" is no name for a workbook, which ends in .xlsx. Name another: BOOK=...\n'
    assert capsys.readouterr() == ("", said)
    assert not (project / "results").exists()
    assert name == "data" or not (project / name).exists()


def test_a_network_that_does_not_look_at_the_trial_is_known_all_the_same(project, capsys):
    assert main(["explain", "--trial", "trial_a", "--analysis", "progression_free_network"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("trial_a has no row that progression_free_network uses.")


@pytest.mark.parametrize("command", ["changes", "explain", "audit"])
def test_a_broken_sheet_is_told_by_every_command(project, capsys, command):
    break_cell(project, "pcr", "ITT,local,all,42,105", "ITT,local,all,x,105")
    assert main([command]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("pcr.csv, row 2 (trial_a), column events: ")


def test_an_unknown_stage_is_refused(project, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["publish"])
    assert caught.value.code == 2
    assert "invalid choice: 'publish'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["check"], ["pool", "--setting", "adjuvant"], ["watch"]])
def test_a_folder_without_a_project_is_told_and_left_as_it_is(
    tmp_path, monkeypatch, capsys, command
):
    """Whoever has just installed the package runs it in whatever folder they are in."""
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"There is no project in {tmp_path}: ")
    assert "data/raw" in said
    assert [*tmp_path.iterdir()] == []


def test_a_workbook_of_which_nothing_can_be_taken_is_no_success(project, capsys):
    """Else what a reader had looked up would be taken for imported."""
    book = Workbook()
    book.active.title = "Table 1"
    book.save(project / "answers.xlsx")
    assert main(["import", "--book", "answers.xlsx"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert '"Table 1"' in said.err
    assert said.err.endswith("Nothing was imported; the sheet is unchanged.\n")


def test_the_module_is_a_command(project):
    done = subprocess.run(
        [sys.executable, "-m", "trial_evidence", "check"],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "No errors, no warnings.\n", "")


# Modules in an order in which each may import more than those before, and what none of them needs.
TABLES, MODELS, DRAWING = {"pandas"}, {"pymare"}, {"plotnine", "matplotlib"}
ALL = {"scipy", "statsmodels", *TABLES, *MODELS, *DRAWING}
NOT_NEEDED = {
    "trial_evidence.sheet": ALL,
    "trial_evidence.workbook.write": ALL,
    "trial_evidence.workbook.transfer": ALL,
    "trial_evidence.cli": ALL,
    "trial_evidence.extract.stage": MODELS | DRAWING,
    "trial_evidence.pool.stage": {"statsmodels"} | MODELS | DRAWING,
    "trial_evidence.audit.stage": MODELS | DRAWING,
    "trial_evidence.report.trail.explain": MODELS | DRAWING,
    "trial_evidence.report.material.afresh": MODELS | DRAWING,
    "trial_evidence.figures.stage": MODELS,
}


def test_a_stage_imports_only_what_it_needs():
    """All in one process: what a module imports, those after it have as well."""
    code = "import sys, importlib\n" + "".join(
        f"importlib.import_module({name!r}); print({name!r}, *{heavy!r} & set(sys.modules))\n"
        for name, heavy in NOT_NEEDED.items()
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split("\n") == [*NOT_NEEDED, ""]


def test_a_command_that_a_person_stops_says_nothing(project, capsys, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("trial_evidence.loaded.load_sheet", stopped)
    assert main(["check"]) == 130
    assert capsys.readouterr() == ("", "")
