"""The stage on a small setting: its files, and every kind of figure read back."""

from dataclasses import replace

import pandas as pd
import pytest
from figures.svg_reading import check_svg
from invented import PCR, SETTING, analysis, configuration
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.files import write_table
from trial_evidence.kept import Parts
from trial_evidence.pool.estimates import pool_setting
from trial_evidence.sensitivity.pictures.drawings import FIGURES
from trial_evidence.sensitivity.stage import write_sensitivity
from unit.sensitivity.test_tables import BCG, counted_sheet

TABLES = {
    "methods", "leave_one_out", "cumulative", "influence", "shrinkage", "small_study", "subgroups",
    "effect_modifiers", "control_risk", "meta_regression", "multiverse", "multiverse_summary",
    "what_would_change", "choices", "choice_rows", "figures",
}  # fmt: skip


def run(folder, trials, measures=("odds_ratio",)):
    table = {name: values[:trials] for name, values in BCG["table"].items()}
    content = counted_sheet(table)
    # different years, so that there is something to regress on
    names = [f"report_{at}" for at in range(trials)]
    sources = pd.DataFrame({"source_id": names, "year": [2000.0 + at for at in range(trials)]})
    of = dict(zip(content["trials"]["trial_id"], names, strict=True))
    pcr = content["pcr"].assign(source_id=content["pcr"]["trial_id"].map(of))
    content = replace(content, tables={**content.tables, "sources": sources, "pcr": pcr})
    settings = configuration(analysis(**PCR | {"measures": measures}))
    evidence = extract_setting(content, settings, SETTING)
    pooled = pool_setting(evidence.used, evidence.rates, settings, SETTING)
    write_table(folder / SETTING / "trials.csv", pooled.trials)
    write_sensitivity(settings, content, SETTING, folder, Parts(folder / "parts"))
    return folder / SETTING


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    return run(tmp_path_factory.mktemp("results"), 10)


def test_every_table_is_written(ten):
    assert {path.stem for path in (ten / "sensitivity").iterdir()} == TABLES


def test_ten_trials_have_every_kind_of_figure(ten):
    drawn = {path.stem for path in (ten / "comparison").iterdir()}
    assert {name.partition("_year")[0] for name in drawn} == set(FIGURES)
    listed = pd.read_csv(ten / "sensitivity" / "figures.csv")["figure"]
    assert set(listed) == drawn


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_reads_back_without_a_defect(ten, kind):
    (path,) = (ten / "comparison").glob(f"{kind}*.svg")
    assert not check_svg(path)


def test_every_figure_is_put_into_words_with_its_main_numbers(ten):
    tables = ten / "sensitivity"
    said = pd.read_csv(tables / "figures.csv").set_index("figure")
    assert not (said["title"] == said["description"]).any()
    assert said["description"].str.contains(r"\d\.\d").all()
    # odds ratio and interval of all ten trials, as in the table
    last = pd.read_csv(tables / "cumulative.csv").query("leads == 'yes'").iloc[-1]
    whole = f"{last['estimate']:.2f} (95% interval {last['ci_low']:.2f}–{last['ci_high']:.2f})"
    for figure in ("leave_one_out", "cumulative", "drapery"):
        assert whole in said.loc[figure, "description"], figure
    table = pd.read_csv(tables / "multiverse.csv")
    excluding = (table["excludes_no_effect"] == "yes").sum()
    sentence = f"In {excluding:,} of {len(table):,} specifications"
    assert sentence in said.loc["specification", "description"]


def test_two_trials_have_no_figure_of_spread_and_old_ones_go(tmp_path):
    stale = tmp_path / SETTING / "comparison" / "gosh.svg"
    stale.parent.mkdir(parents=True)
    stale.touch()
    folder = run(tmp_path, 2)
    assert {path.stem for path in (folder / "comparison").iterdir()} == {
        "leave_one_out", "cumulative", "funnel", "posterior", "specification", "extended_funnel",
    }  # fmt: skip


def test_one_trial_is_no_comparison(tmp_path):
    folder = run(tmp_path, 1)
    assert pd.read_csv(folder / "sensitivity" / "methods.csv").empty
    assert pd.read_csv(folder / "sensitivity" / "multiverse.csv").empty
    assert not (folder / "comparison").exists()
