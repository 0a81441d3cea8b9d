"""The whole pipeline on a small made-up sheet of two settings.

One file, because each process that tests would make the shared runs again.
"""

import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml
from analyst import REASON
from figures.svg_reading import check_svg
from project_copy import ROOT
from small_project import ANALYSES, SETTINGS

CONFIGURED = yaml.safe_load((ROOT / "config/analyses.yaml").read_text(encoding="utf-8"))
ENTRIES = [
    (a["setting"], a["id"])
    for a in [*CONFIGURED["analyses"], *CONFIGURED["rates"]]
    if (a["setting"], a["id"]) in ANALYSES
]
# All harms share one figure and one line.
FIGURED = [
    (setting, analysis)
    for setting, analysis in ENTRIES
    if not any(
        a.get("harm") and (a["setting"], a["id"]) == (setting, analysis)
        for a in CONFIGURED["analyses"]
    )
]
# Columns that other programs rely on, in order; more may follow.
PUBLIC = [
    "setting", "analysis", "outcome", "measure", "experimental", "control", "subgroup", "model",
    "k", "participants", "events", "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high",
    "p_value", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p",
]  # fmt: skip
ANALYSIS = "pcr_dual_v_trastuzumab"
PROBLEMS = "results/checks/problems.csv"
CRATE = "results/ro-crate-metadata.json"
# Marker that the current sheet passed; it is removed when the sheet no longer passes.
MARK = "data/processed/checked"
# Steps that check whether there is anything to do.
ALWAYS = ("Checked the sheet", "Extracted the evidence of all settings", "Everything is up to date")


def setting_of(file):
    """Setting that a file belongs to; empty for files of all settings."""
    folder = Path(file).parts[:-1]
    return next((part for part in folder if part in SETTINGS), "")


def changed(before, after):
    """Files that differ, are new or are missing."""
    return {file for file in {*before, *after} if before.get(file) != after.get(file)}


# ------------------------------------------------------------------------------- a first run


def test_a_run_succeeds(first_run):
    assert first_run[1].code == 0, first_run[1].err


def test_a_run_says_what_is_done_and_how_much_is_left(first_run):
    lines = re.findall(r"^\[ *(\d+)(?: of (\d+))?\] \w", first_run[1].err, flags=re.MULTILINE)
    total = len(lines)
    # check, extract; pool, figures, sensitivity and network of each setting; audit, exchange,
    # report, all. The number of settings is unknown until extract has run.
    assert total == 2 + 4 * len(SETTINGS) + 4
    assert [int(done) for done, _ in lines] == [*range(1, total + 1)]
    assert [of for _, of in lines] == ["", "", *[str(total)] * (total - 2)]


def test_a_run_shows_no_wall_of_log(first_run):
    other = [x for x in first_run[1].err.splitlines() if not re.match(r"\[ *\d+( of \d+)?\] ", x)]
    assert len(other) <= 1
    assert not any("rule" in line for line in other)


def test_a_run_ends_with_a_summary(first_run):
    project, run = first_run
    summary = (project.folder / "results/summary.txt").read_text(encoding="utf-8")
    assert run.out.rstrip().endswith(summary.rstrip())
    for setting, analysis in FIGURED:
        line = rf"^ +{analysis}\b.*results/{setting}/{analysis}/$"
        assert re.search(line, summary, flags=re.MULTILINE), (setting, analysis)


@pytest.mark.parametrize(("setting", "analysis"), FIGURED)
def test_every_analysis_has_its_figure(first_run, setting, analysis):
    assert (first_run[0].folder / "results" / setting / analysis / "forest.svg").is_file()


def test_every_figure_is_sound(first_run):
    folder = first_run[0].folder / "results"
    figures = sorted(folder.rglob("*.svg"))
    assert len(figures) >= len(ENTRIES)
    found = {str(path.relative_to(folder)): check_svg(path) for path in figures}
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("setting", SETTINGS)
def test_figures_are_listed(first_run, setting):
    project = first_run[0]
    listed = {f"{row['figure']}.svg" for row in project.table(f"{setting}/figures.csv")}
    examined = project.table(f"{setting}/sensitivity/figures.csv")
    listed |= {f"{row['analysis']}/{row['figure']}.svg" for row in examined}
    networks = project.table(f"{setting}/network/figures.csv")
    listed |= {f"network/{row['analysis']}/{row['figure']}.svg" for row in networks}
    folder = project.folder / "results" / setting
    assert listed == {path.relative_to(folder).as_posix() for path in folder.rglob("*.svg")}


def test_estimates_have_the_public_columns(first_run):
    assert list(first_run[0].table("estimates.csv")[0])[: len(PUBLIC)] == PUBLIC


def test_every_analysis_has_estimates(first_run):
    rows = first_run[0].table("estimates.csv")
    assert {(row["setting"], row["analysis"]) for row in rows} == set(ENTRIES)


def test_an_estimate_is_what_its_trials_say(first_run):
    # Two adjuvant trials: 0.80 (0.67-0.95) at 95% and 0.86 (0.71-1.04) at 97.5%. By hand:
    # se 0.089082 and 0.085148 on the log scale, so weights 126.0 and 137.9 and a mean of -0.1854.
    (row,) = [
        row
        for row in first_run[0].table("estimates.csv")
        if (row["setting"], row["analysis"], row["model"], row["subgroup"])
        == ("adjuvant", "event_free_dual_v_single", "common", "all")
    ]
    assert float(row["k"]) == 2
    assert float(row["estimate"]) == pytest.approx(0.8308, abs=0.0001)


def test_the_page_shows_every_analysis_and_its_figure(first_run):
    folder = first_run[0].folder / "results"
    page = (folder / "at-a-glance.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)]+)\)", page))
    assert {f"{setting}/{analysis}/forest.svg" for setting, analysis in FIGURED} <= links
    assert [link for link in links if not (folder / link).is_file()] == []


def test_rows_used_and_set_aside_are_kept(first_run):
    for setting in SETTINGS:
        for table in ("used", "set_aside"):
            assert (first_run[0].folder / f"data/processed/{setting}/{table}.csv").is_file()


def test_nothing_half_written_is_left(first_run):
    assert [file for file in first_run[0].contents() if Path(file).name.startswith(".")] == []


def test_the_research_object_names_every_result(first_run):
    project, _ = first_run
    text = (project.folder / CRATE).read_text(encoding="utf-8")
    named = {
        f"results/{entity['@id']}": entity["sha256"]
        for entity in json.loads(text)["@graph"]
        if entity["@type"] == "File"
    }
    # Findings of the checks are not results.
    made = {
        file: digest
        for file, digest in project.contents().items()
        if file.startswith("results/") and not file.startswith("results/checks/")
    }
    del made[CRATE]
    assert named == made


# ------------------------------------------------------------------------- a day of the analyst


def test_the_import_says_what_is_new(edited):
    assert "  added    row 10, trial_q" in edited.imported
    assert edited.imported.splitlines()[-1].startswith("Imported: sources.csv, trials.csv, arms")
    assert "  risk_of_bias: 1 row added\n" in edited.checked
    assert "new: " not in edited.checked
    assert edited.checked.splitlines()[-1].startswith("No errors")


def test_the_changes_are_told_before_the_run(edited):
    # Three trials before: 42/105 v 23/105, 84/220 v 25/110 and 49/100 v 30/99; four now.
    assert re.search(r"\| all \| before \| 3 \| Risk ratio 1\.70 ", edited.changes)
    assert re.search(r"\|  \| after \| 4 \| Risk ratio 1\.", edited.changes)
    assert "pcr.csv row 27 is used by neoadjuvant/pcr_dual_v_trastuzumab" in edited.changes


def test_the_trial_stands_in_the_figure(edited):
    assert edited.run.code == 0, edited.run.err
    figure = edited.project.folder / f"results/neoadjuvant/{ANALYSIS}/forest.svg"
    drawn = figure.read_text(encoding="utf-8")
    # By hand: (60/120) / (40/120) = 1.50; 1.96 sqrt(1/60 + 1/40 - 2/120) = 0.3099 on the log scale.
    for text in ("TRIAL-Q (2026)", "60/120", "40/120", "1.50 (1.10–2.04)"):
        assert text in drawn, text
    trace = [row for row in edited.project.table("trace.csv") if row["trial_id"] == "trial_q"]
    cells = {row["cells"] for row in trace if row["analysis"] == ANALYSIS}
    assert cells == {"pcr.csv rows 27, 28"}


def test_the_judgement_stands_in_the_report(edited):
    (judged,) = [
        row
        for row in edited.project.table("tables/certainty.csv")
        if (row["setting"], row["analysis"], row["domain"])
        == ("neoadjuvant", ANALYSIS, "indirectness")
    ]
    assert (judged["judgement"], judged["reason"]) == ("very_serious", REASON)
    assert judged["judged_by"].startswith("QQ")
    page = (edited.project.folder / "results/report.html").read_text(encoding="utf-8")
    assert REASON in page


# -------------------------------------------------------------------------------- later runs


def test_a_second_run_does_nothing(finished):
    """Nor does it take what is said while the sheet is watched for something that a run made."""
    log = finished.folder / "data/processed/watch.log"
    log.write_text("A line.\n", encoding="utf-8")
    before = finished.times()
    run = finished.snakemake()
    assert (run.code, run.steps) == (0, [])
    assert "is not as it was made" not in run.err
    assert finished.times() == before
    assert log.read_text(encoding="utf-8") == "A line.\n"


def test_an_edit_changes_its_setting_alone(edited):
    results = {f for f in changed(edited.before, edited.after) if f != MARK}
    assert {setting_of(file) for file in results} == {"neoadjuvant", ""}
    for file in (
        "estimates.csv", "pcr_dual_v_trastuzumab/forest.svg", "sensitivity/leave_one_out.csv",
        "network/pcr_network/league.csv",
    ):  # fmt: skip
        assert f"results/neoadjuvant/{file}" in results
    # Snakemake itself renews the time stamps of intermediate files.
    written = {
        f for f in changed(edited.times_before, edited.times_after) if f.startswith("results/")
    }
    assert {setting_of(file) for file in written} == {"neoadjuvant", ""}
    references = edited.project.folder / "results/tables/references.ris"
    assert "11" in re.findall(r"^EP  - (.*)$", references.read_text(encoding="utf-8"), re.M)


def test_an_edit_taken_back_gives_the_same_bytes(edited, taken_back):
    """All outputs of a setting and of all settings, made twice from the same sheet."""
    project, run = taken_back
    assert run.code == 0, run.err
    assert "Analysed the networks: neoadjuvant" in run.steps
    # Output of an earlier `make changes` is not a result of the sheet.
    made = {f: x for f, x in project.contents().items() if not f.startswith("results/changes.")}
    assert made == edited.before


def test_a_run_rests_on_the_sheet_as_it_was_checked(first_run, taken_back):
    project, run = taken_back
    assert "was edited during this run; the results are those of the state before." in (
        run.out + run.err
    )
    facts = json.loads((project.folder / "results/provenance.json").read_text(encoding="utf-8"))
    checked = (first_run[0].folder / "data/raw/pcr.csv").read_bytes()
    assert facts["sheet"]["pcr.csv"] == hashlib.sha256(checked).hexdigest()
    used = project.table("tables/rows_used.csv")
    cells = [r["events_experimental"] for r in used if r["trial_id"] == "trial_a"]
    events = {float(cell) for cell in cells if cell}
    assert 42 in events
    assert 44 not in events


def test_another_word_of_the_dictionary_concerns_all_that_reads_the_sheet_by_it(finished):
    """Otherwise results and their recorded checksum would refer to an outdated dictionary."""
    every = {"results/report.html", "results/checks/audit.csv", "results/neoadjuvant/trials.csv"}
    finished.replace("workflow/dictionary/pcr.csv", "What counts as pCR", "What is counted as pCR")
    # That none is stale before, a second run shows: it would make them again.
    assert every <= set(finished.snakemake("--list-changes", "params").out.split())


def test_a_run_beside_another_takes_none_of_its_files_away(finished):
    """As next to make watch: files just made by the other run are not in the inventory yet."""
    made = finished.folder / "results/adjuvant/estimates.csv"
    made.write_text("just made by the other", encoding="utf-8")
    lock = finished.folder / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(f"{made.relative_to(finished.folder)}\n", encoding="utf-8")
    run = finished.snakemake()
    assert run.code != 0
    assert made.read_text(encoding="utf-8") == "just made by the other"
    assert "is made again" not in run.err


def exchange(one, other):
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


OF_USERS = (
    "neoadjuvant/notes.md", "adjuvant/.DS_Store", "overview/.~lock.flow.svg#", "exchange/r/mine.R",
)  # fmt: skip


@pytest.fixture(scope="module")
def made_again(first_run, tmp_path_factory):
    """A run after results were lost, edited or damaged, or their setting removed; what was before.

    Of the one setting, a forest plot is lost; all else concerns the other, or all settings.
    """
    project = first_run[0].copied_to(tmp_path_factory.mktemp("made_again") / "project")
    before = project.contents()
    results = project.folder / "results"
    (results / "neoadjuvant" / ANALYSIS / "forest.svg").unlink()
    edited = results / "adjuvant/estimates.csv"
    edited.write_text(edited.read_text(encoding="utf-8").replace("0.8", "0.5"), encoding="utf-8")
    cut = results / "adjuvant/event_free_dual_v_single/leave_one_out.svg"
    cut.write_bytes(cut.read_bytes()[:1000])
    (results / "adjuvant/trials.csv").touch()
    (results / "adjuvant/network/event_free_network/league.csv").unlink()
    (results / "tables/answers.docx").write_bytes(b"not Word")
    exchange(results / "overview/flow.svg", results / "overview/evidence_map.svg")
    exchange(results / "report.html", results / "trace.csv")
    # What users and programs leave there is not the run's to make again, or to take away.
    for name in OF_USERS:
        (results / name).write_text("mine", encoding="utf-8")
    # A temporary file of a killed run; no process has such an id.
    (results / "adjuvant/sensitivity/.multiverse.csv.999999999.part").write_text("setting,an")
    # As of a setting that config/ no longer has.
    inventory = project.folder / "data/processed/inventory.json"
    made = json.loads(inventory.read_text(encoding="utf-8"))
    for file in ("results/palliative/estimates.csv", "data/processed/palliative/used.csv"):
        path = project.folder / file
        path.parent.mkdir()
        path.write_text("analysis\n", encoding="utf-8")
        made[file] = hashlib.sha256(b"analysis\n").hexdigest()
    inventory.write_text(json.dumps(made), encoding="utf-8")
    run = project.snakemake()
    assert run.code == 0, run.err
    for name in OF_USERS:
        (results / name).write_text("edited", encoding="utf-8")
    assert project.snakemake().steps == []
    assert {(results / name).read_text(encoding="utf-8") for name in OF_USERS} == {"edited"}
    for name in OF_USERS:
        (results / name).unlink()
    return before, project, run


def test_results_of_a_setting_that_was_taken_out_go(made_again):
    """Among current results they would pass for results of the current sheet."""
    _, project, _ = made_again
    assert not (project.folder / "results/palliative").exists()
    assert not (project.folder / "data/processed/palliative").exists()


def test_what_was_lost_edited_or_damaged_is_made_as_it_was(made_again):
    before, project, run = made_again
    assert "results/adjuvant/estimates.csv is not as it was made, and is made again." in run.err
    assert project.contents() == before


def test_what_was_lost_is_made_again_and_no_more(made_again):
    steps = made_again[2].steps
    assert [step for step in steps if "neoadjuvant" in step] == ["Drew the figures: neoadjuvant"]
    assert not {"Checked the sheet", "Extracted the evidence of all settings"} & set(steps)


# ---------------------------------------------------------------------------------- faults


def break_a_cell(project):
    project.replace("data/raw/pcr.csv", "all,42,105,40.0", 'all,"42,0",105,40.0')


def remove_the_networks(project):
    (project.folder / "config/networks.yaml").unlink()


def take_an_id_away(project):
    project.replace("config/analyses.yaml", "- id: event_free_dual_v_single", "- id:")


BROKEN_CELL = "pcr.csv, row 2 (trial_a), column events: "
NO_NETWORKS = "networks.yaml: The file is missing."


@pytest.fixture(scope="module")
def faulty(first_run, tmp_path_factory):
    """A finished project after a run with a broken cell and without a configuration."""
    project = first_run[0].copied_to(tmp_path_factory.mktemp("faulty") / "project")
    break_a_cell(project)
    remove_the_networks(project)
    return project, project.snakemake()


def assert_told(run, *messages):
    assert run.code != 0
    for message in messages:
        assert any(line.startswith(message) for line in run.err.splitlines()), run.err
    assert "Nothing was computed." in run.err
    assert "Traceback" not in run.err + run.out


def test_faults_are_told_and_leave_everything_as_it_was(first_run, faulty):
    project, run = faulty
    assert_told(run, BROKEN_CELL, NO_NETWORKS)
    assert changed(first_run[0].contents(), project.contents()) <= {PROBLEMS, MARK}
    assert not (project.folder / MARK).exists()


def test_an_analysis_without_an_id_is_told_and_leaves_everything_as_it_was(finished):
    """The workflow itself reads the ids."""
    before = finished.contents()
    take_an_id_away(finished)
    assert_told(finished.snakemake(), "analyses.yaml, line ")
    assert changed(before, finished.contents()) <= {PROBLEMS, MARK}
    assert not (finished.folder / MARK).exists()


def test_faults_that_were_repaired_recompute_nothing(first_run, faulty, tmp_path):
    project = faulty[0].copied_to(tmp_path / "project")
    project.give_back(first_run[0])
    run = project.snakemake()
    assert run.code == 0
    assert [step for step in run.steps if step not in ALWAYS] == []
    assert project.contents() == first_run[0].contents()


def test_check_does_nothing_else(untouched):
    run = untouched.snakemake("check")
    assert run.code == 0
    assert run.steps == ["Checked the sheet"]
    assert set(untouched.contents()) == {MARK, PROBLEMS}


def test_a_table_that_is_taken_away_when_a_run_begins_is_said_to_be_just_being_saved(untouched):
    """Snakemake would list thirty of its files and call it an exception in a rule."""
    table = untouched.folder / "data/raw/pcr.csv"
    table.unlink()
    # Listed in the folder but missing.
    table.symlink_to("nowhere")
    run = untouched.snakemake("check")
    assert run.code != 0
    assert run.err.splitlines()[-1] == (
        "data/raw/pcr.csv: not there any more since the run began; probably it is just being "
        "saved. Nothing was computed. Run make again."
    )
    assert "Exception" not in run.err + run.out
    assert untouched.contents() == {}


def test_check_finds_a_fault(untouched):
    remove_the_networks(untouched)
    assert_told(untouched.snakemake("check"), NO_NETWORKS)
    assert set(untouched.contents()) == {PROBLEMS}
