"""The whole pipeline on a small made-up sheet of all four settings."""

import re
from pathlib import Path

import pytest
import yaml
from figures.svg_reading import check_svg
from project_copy import ROOT

ANALYSES = yaml.safe_load((ROOT / "config/analyses.yaml").read_text(encoding="utf-8"))
SETTINGS = list(ANALYSES["settings"])
ENTRIES = [(a["setting"], a["id"]) for a in [*ANALYSES["analyses"], *ANALYSES["rates"]]]
# The columns that others rely on, in their order; further ones may follow.
PUBLIC = [
    "setting", "analysis", "outcome", "measure", "experimental", "control", "subgroup", "model",
    "k", "participants", "events", "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high",
    "p_value", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p",
]  # fmt: skip
PROBLEMS = "results/checks/problems.csv"
# The mark that the sheet as it stands has passed: it goes where the sheet no longer passes.
MARK = "data/processed/checked"


def setting_of(file):
    """Setting whose outputs a file belongs to; empty for files of all settings."""
    folder = Path(file).parts[:-1]
    return next((part for part in folder if part in SETTINGS), "")


def changed(before, after):
    """Files that differ, are new, or are gone."""
    return {file for file in {*before, *after} if before.get(file) != after.get(file)}


# ------------------------------------------------------------------------------- a first run


def test_a_run_succeeds(first_run):
    assert first_run[1].code == 0, first_run[1].err


def test_a_run_says_what_is_done_and_how_much_is_left(first_run):
    lines = re.findall(r"^\[ *(\d+) of (\d+)\] \w", first_run[1].err, flags=re.MULTILINE)
    numbers = [(int(done), int(total)) for done, total in lines]
    total = len(numbers)
    # check, extract; pool, figures and sensitivity of each setting; audit, report, all
    assert total == 2 + 3 * len(SETTINGS) + 3
    assert numbers == [(done, total) for done in range(1, total + 1)]


def test_a_run_shows_no_wall_of_log(first_run):
    other = [x for x in first_run[1].err.splitlines() if not re.match(r"\[ *\d+ of \d+\] ", x)]
    assert len(other) <= 1
    assert not any("rule" in line for line in other)


def test_a_run_ends_with_a_summary(first_run):
    project, run = first_run
    summary = (project.folder / "results/summary.txt").read_text(encoding="utf-8")
    assert run.out.rstrip().endswith(summary.rstrip())
    for setting, analysis in ENTRIES:
        line = rf"^ +{analysis}\b.*results/{setting}/{analysis}/$"
        assert re.search(line, summary, flags=re.MULTILINE), (setting, analysis)


@pytest.mark.parametrize(("setting", "analysis"), ENTRIES)
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
    assert {f"{setting}/{analysis}/forest.svg" for setting, analysis in ENTRIES} <= links
    assert [link for link in links if not (folder / link).is_file()] == []


def test_rows_used_and_set_aside_are_kept(first_run):
    for setting in SETTINGS:
        for table in ("used", "set_aside"):
            assert (first_run[0].folder / f"data/processed/{setting}/{table}.csv").is_file()


def test_nothing_half_written_is_left(first_run):
    assert [file for file in first_run[0].contents() if Path(file).name.startswith(".")] == []


# -------------------------------------------------------------------------------- later runs


def test_a_second_clean_run_gives_the_same_bytes(first_run, untouched):
    assert untouched.snakemake().code == 0
    assert changed(first_run[0].contents(), untouched.contents()) == set()


def test_a_second_run_does_nothing(finished):
    before = finished.times()
    run = finished.snakemake()
    assert (run.code, run.steps) == (0, [])
    assert finished.times() == before


@pytest.fixture
def corrected(finished):
    """Contents and time stamps before and after one neoadjuvant number was corrected."""
    before = finished.contents(), finished.times()
    finished.replace("data/raw/pcr.csv", "all,42,105,40.0", "all,44,105,41.9")
    run = finished.snakemake()
    assert run.code == 0, run.err
    return before, (finished.contents(), finished.times())


def test_a_corrected_number_changes_its_setting_alone(corrected):
    (contents, times), (contents_after, times_after) = corrected
    results = {f for f in changed(contents, contents_after) if not f.endswith("/checked")}
    assert {setting_of(file) for file in results} == {"neoadjuvant", ""}
    assert "results/neoadjuvant/pcr_dual_v_trastuzumab/forest.svg" in results
    assert "results/neoadjuvant/estimates.csv" in results
    # Of what stands between the stages Snakemake itself renews the time stamps.
    written = {f for f in changed(times, times_after) if f.startswith("results/")}
    assert {setting_of(file) for file in written} == {"neoadjuvant", ""}


def test_a_correction_that_no_analysis_uses_recomputes_nothing(finished):
    before = finished.contents()
    finished.replace("data/raw/sources.csv", "1-10", "1-11")
    run = finished.snakemake()
    assert run.code == 0
    assert not any(step.startswith(("Pooled", "Drew", "Examined")) for step in run.steps)
    assert finished.contents() == before


def test_a_figure_that_was_lost_is_made_again(finished):
    before = finished.contents()
    lost = finished.folder / "results/adjuvant/event_free_dual_v_single/forest.svg"
    lost.unlink()
    assert finished.snakemake().code == 0
    assert changed(before, finished.contents()) == set()


# ---------------------------------------------------------------------------------- faults

FAULTS = {
    "a broken cell": (
        lambda p: p.replace("data/raw/pcr.csv", "all,42,105,40.0", 'all,"42,0",105,40.0'),
        "pcr.csv, row 2 (trial_a), column events: ",
    ),
    "a missing table": (
        lambda p: (p.folder / "data/raw/hazard_ratios.csv").unlink(),
        "hazard_ratios.csv: ",
    ),
    "an encoding of Windows": (
        lambda p: (p.folder / "data/raw/trials.csv").write_bytes(
            (p.folder / "data/raw/trials.csv")
            .read_text(encoding="utf-8")
            .replace("nowhere", "Zürich", 1)
            .encode("cp1252")
        ),
        "trials.csv",
    ),
    "a semicolon file": (
        lambda p: (p.folder / "data/raw/arms.csv").write_text(
            (p.folder / "data/raw/arms.csv").read_text(encoding="utf-8").replace(",", ";"),
            encoding="utf-8",
        ),
        "arms.csv",
    ),
    "an unknown analysis": (
        lambda p: p.replace("data/raw/exclusions.csv", "trial_d,,*,*", "trial_d,,pcr_rate,*"),
        "exclusions.csv, row 2 (trial_d), column analysis: ",
    ),
    "an unknown setting of method": (
        lambda p: p.replace("config/config.yaml", "confidence_level:", "confidence_levle:"),
        "config.yaml: ",
    ),
    "a configuration that is no YAML": (
        lambda p: p.replace("config/analyses.yaml", "analyses:", "analyses: ["),
        "analyses.yaml: The file cannot be read",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_and_leaves_everything_as_it_was(finished, fault):
    break_it, message = FAULTS[fault]
    before = finished.contents()
    break_it(finished)
    run = finished.snakemake()
    assert run.code != 0
    assert any(line.startswith(message) for line in run.err.splitlines()), run.err
    assert "Nothing was computed." in run.err
    assert "Traceback" not in run.err + run.out
    assert changed(before, finished.contents()) == {PROBLEMS, MARK}


def test_a_fault_that_was_repaired_recomputes_nothing(finished):
    before = finished.contents()
    finished.replace("data/raw/pcr.csv", "all,42,105,40.0", "all,x,105,40.0")
    assert finished.snakemake().code != 0
    finished.replace("data/raw/pcr.csv", "all,x,105,40.0", "all,42,105,40.0")
    run = finished.snakemake()
    assert run.code == 0
    assert not any(step.startswith(("Pooled", "Drew")) for step in run.steps)
    assert finished.contents() == before


def test_check_does_nothing_else(untouched):
    run = untouched.snakemake("check")
    assert run.code == 0
    assert run.steps == ["Checked the sheet"]
    assert set(untouched.contents()) == {MARK, PROBLEMS}


def test_check_finds_a_fault(untouched):
    FAULTS["a broken cell"][0](untouched)
    run = untouched.snakemake("check")
    assert run.code != 0
    assert set(untouched.contents()) == {PROBLEMS}
