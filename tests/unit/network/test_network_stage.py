"""The stage on the made-up sheet: its files, its figures read back, and what it removes."""

import shutil

import pandas as pd
import pytest
from figures.svg_reading import check_svg
from invented import ROOT
from trial_evidence.cli import main

EVERY_TABLE = {
    "used", "set_aside", "nodes", "comparisons", "summary", "league", "reference", "ranks", "split",
    "inconsistency", "contributions", "transitivity", "components", "additivity", "interactions",
}  # fmt: skip


def copy_project(folder):
    shutil.copytree(ROOT / "tests/sheets/valid", folder / "data/raw")
    # The configuration names agents that the made-up trials do not have.
    shutil.copy(ROOT / "data/raw/agents.csv", folder / "data/raw")
    shutil.copytree(ROOT / "config", folder / "config")
    text = (folder / "config/config.yaml").read_text(encoding="utf-8")
    (folder / "config/config.yaml").write_text(
        text.replace("formats: [svg, pdf, png]", "formats: [svg]"), encoding="utf-8"
    )


def run(folder, setting):
    places = [f"--{name}={folder / place}" for name, place in (
        ("raw", "data/raw"), ("config", "config"), ("results", "results"),
    )]  # fmt: skip
    assert main(["network", *places, f"--setting={setting}"]) == 0
    return folder / "results" / setting / "network"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    copy_project(folder)
    return folder


@pytest.fixture(scope="module")
def early(project):
    stale = project / "results/neoadjuvant/network/gone/graph.svg"
    stale.parent.mkdir(parents=True)
    stale.touch()
    return run(project, "neoadjuvant")


@pytest.fixture(scope="module")
def late(project):
    return run(project, "metastatic_pretreated")


def test_every_table_of_a_network_is_written(early):
    tables = {path.stem for path in (early / "event_free_network").glob("*.csv")}
    assert tables == EVERY_TABLE
    assert {path.stem for path in (early / "pcr_network").glob("*.csv")} == EVERY_TABLE | {
        "synergy"
    }


def test_the_listing_names_the_figures_that_there_are(early):
    listed = pd.read_csv(early / "figures.csv")
    drawn = {f"{path.parent.name}/{path.stem}" for path in early.glob("*/*.svg")}
    assert {f"{a}/{f}" for a, f in zip(listed["analysis"], listed["figure"], strict=True)} == drawn
    assert listed["description"].str.len().min() > 20


def test_what_an_earlier_run_left_is_removed(early):
    assert not (early / "gone").exists()


def test_every_figure_reads_back_without_a_defect(early):
    assert {path.stem: check_svg(path) for path in early.glob("*/*.svg") if check_svg(path)} == {}


def test_a_network_counts_what_the_sheet_holds(early):
    # TRIAL-A and TRIAL-B compare the same two regimens, TRIAL-C three, TRIAL-L without
    # chemotherapy; TRIAL-D is excluded, COHORT-E is not randomised
    (summary,) = pd.read_csv(early / "pcr_network/summary.csv").to_dict("records")
    assert (summary["regimens"], summary["trials"], summary["comparisons"]) == (5, 4, 5)
    nodes = pd.read_csv(early / "pcr_network/nodes.csv").set_index("code")
    # 105 + 110 + 99 patients had trastuzumab with chemotherapy alone
    assert nodes.loc["T+CT", "patients"] == 314
    assert nodes.loc["T+CT", "events"] == 23 + 25 + 30


def test_a_direct_effect_without_any_way_round_is_the_trial_s_own(early):
    league = pd.read_csv(early / "pcr_network/league.csv")
    one = league[
        (league["first"] == "T+P") & (league["second"] == "T+P+CT") & (league["model"] == "common")
    ]
    # TRIAL-L: 25 of 100 against 55 of 100
    assert one["estimate"].item() == pytest.approx((25 / 75) / (55 / 45))


def test_a_comparison_without_a_path_says_so(late):
    league = pd.read_csv(late / "progression_free_network/league.csv")
    empty = league[(league["first"] == "T+L") & (league["second"] == "T+CT")]
    assert empty["estimate"].isna().all()
    assert empty["reason"].str.contains("separate parts").all()


def test_synergy_is_found_where_agents_are_alone_and_together(early):
    synergy = pd.read_csv(early / "pcr_network/synergy.csv")
    trials = synergy[(synergy["scale"] == "bliss") & (synergy["kind"] == "trial")]
    assert set(trials["trial"]) == {"TRIAL-C"}
    # 1 - (1 - 30/99)(1 - 24/101) with no background
    at_zero = trials[trials["background"] == 0.0]
    assert at_zero["expected"].item() == pytest.approx(1 - (69 / 99) * (77 / 101))
    assert at_zero["estimate"].item() == pytest.approx(0.49 - (1 - (69 / 99) * (77 / 101)))


def test_surrogacy_pairs_the_effects_of_one_contrast(early):
    trials = pd.read_csv(early / "pcr_and_event_free/trials.csv").set_index("trial")
    assert set(trials.index) == {"TRIAL-A", "TRIAL-B", "TRIAL-C"}
    # TRIAL-C: both agents against one, 49 of 100 against 30 of 99, and a hazard ratio of 0.80
    assert trials.loc["TRIAL-C", "odds_ratio"] == pytest.approx((49 / 51) / (30 / 69))
    assert trials.loc["TRIAL-C", "hazard_ratio"] == pytest.approx(0.80)
    models = pd.read_csv(early / "pcr_and_event_free/models.csv")
    assert models["reason"].str.contains("at least").all()


def test_two_runs_write_the_same_bytes(project, late):
    before = {path: path.read_bytes() for path in late.rglob("*") if path.is_file()}
    run(project, "metastatic_pretreated")
    assert {path: path.read_bytes() for path in late.rglob("*") if path.is_file()} == before
