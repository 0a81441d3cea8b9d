"""The calibration of the sheet's pools: which are simulated, known coverages, and going on."""

import csv
import io
import math

import numpy as np
import pytest
from invented import SETTING, analysis, configuration
from trial_evidence.calibration.designs import Design, read_designs
from trial_evidence.calibration.pictures import calibration_charts, panel_values
from trial_evidence.calibration.stage import Grid, simulate_design, write_calibration
from trial_evidence.calibration.summary import calibration_page, extreme_by_trials
from trial_evidence.calibration.terminal import progress_bar
from trial_evidence.config.configuration import ContrastRule
from trial_evidence.extract.columns import USED_NUMBERS
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.files import read_table
from trial_evidence.pool.columns import TRIAL_NUMBERS

COLUMNS = ["setting", "analysis", "measure", "k", "tau", "simulations", "quantity", "method",
           "value", "monte_carlo_se"]  # fmt: skip
TEXTS = ["setting", "analysis", "measure", "subgroup", "trial_id", "pooled"]
TINY = Grid(taus=(0.0, 0.3), simulations=60, part=25)
ALIKE = Design(SETTING, "alike", "hazard_ratio", (0.04, 0.04, 0.04, 0.04))


class StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


def trial(analysis_id, vi, **changes):
    return {
        "setting": SETTING, "analysis": analysis_id, "measure": "hazard_ratio", "subgroup": "all",
        "trial_id": "t", "pooled": "yes", "vi": vi,
    } | changes  # fmt: skip


def write_trials(results, rows):
    path = results / SETTING / "trials.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*TEXTS, *USED_NUMBERS, *TRIAL_NUMBERS], restval="")
        writer.writeheader()
        writer.writerows(rows)


def named(analysis_id, **changes):
    return analysis(**{"id": analysis_id} | changes)


@pytest.fixture
def project(tmp_path):
    """Configuration and results of two pools, of two trials and of three."""
    rows = [trial("first", 0.05), trial("first", 0.02)]
    rows += [trial("second", vi) for vi in (0.1, 0.03, 0.2)]
    write_trials(tmp_path / "results", rows)
    return configuration(named("first"), named("second")), tmp_path / "results"


def files(folder):
    """What a person finds in a folder; the record of what was drawn is hidden."""
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*") if path.is_file()}


def quiet(*_):
    """No progress bar."""


# --------------------------------------------------------------------------------------- designs


def test_a_design_has_the_variances_of_the_pooled_rows_for_all_patients(tmp_path):
    rows = [
        trial("first", 0.05),
        trial("first", 0.02),
        trial("first", 0.03, pooled="no"),
        trial("first", 0.04, subgroup="receptor=negative"),
        trial("other", 0.06),
    ]
    write_trials(tmp_path, rows)
    designs = read_designs(configuration(named("first")), tmp_path)
    assert designs == (Design(SETTING, "first", "hazard_ratio", (0.05, 0.02)),)


def test_an_analysis_that_is_not_pooled_over_all_trials_is_left_out(tmp_path):
    rows = [trial(a, vi) for a in ("whole", "apart") for vi in (0.05, 0.02)]
    write_trials(tmp_path, rows)
    apart = named("apart", pool="none", contrast=ContrastRule("sequential"))
    designs = read_designs(configuration(named("whole"), apart), tmp_path)
    assert [design.analysis for design in designs] == ["whole"]


def test_differences_are_left_out(tmp_path):
    counted = named("pcr", endpoints=("pcr",), measures=("risk_ratio", "risk_difference"))
    write_trials(tmp_path, [trial("pcr", vi, measure=m) for m in counted.measures for vi in (1, 2)])
    designs = read_designs(configuration(counted), tmp_path)
    assert [design.measure for design in designs] == ["risk_ratio"]


def test_one_trial_is_nothing_to_simulate(tmp_path):
    write_trials(tmp_path, [trial("first", 0.05)])
    with pytest.raises(LookupError, match="nothing to simulate"):
        read_designs(configuration(named("first")), tmp_path)


def test_without_estimates_it_says_what_to_do(tmp_path):
    with pytest.raises(LookupError, match="Run make first"):
        read_designs(configuration(named("first")), tmp_path)


def test_width_of_the_interval_that_knows_tau():
    # Four trials of v + tau**2 = 0.04 + 0.09: the mean has standard error sqrt(0.13 / 4).
    assert ALIKE.ideal_width(0.3, 95) == pytest.approx(2 * 1.959964 * math.sqrt(0.0325), rel=1e-6)


def test_width_of_the_prediction_interval_that_knows_tau():
    # The new trial's effect varies by 0.09, the mean by 0.13 / 4.
    expected = 2 * 1.959964 * math.sqrt(0.09 + 0.0325)
    assert ALIKE.ideal_prediction_width(0.3, 95) == pytest.approx(expected, rel=1e-6)


# ------------------------------------------------------------------------------------ simulation


@pytest.fixture(scope="module")
def alike(tmp_path_factory):
    """Rows of four trials alike, 4,000 simulations a tau."""
    grid = Grid(taus=(0.0, 0.3), simulations=4000, part=4000)
    parts = tmp_path_factory.mktemp("parts")
    rows = simulate_design(ALIKE, configuration(named("alike")), grid, parts, quiet)
    return {(row[4], row[6], row[7]): row[8] for row in rows}


def test_hartung_knapp_holds_its_level_for_trials_alike(alike):
    # It is then the one-sample t interval, which is exact: the count of intervals that hold the
    # truth is binomial, and lies outside four standard errors once in 16,000.
    bound = 4 * math.sqrt(0.95 * 0.05 / 4000)
    assert abs(alike[0.3, "coverage", "REML hartung_knapp"] - 0.95) < bound


def test_the_common_effect_is_as_wide_as_knowing_that_tau_is_zero(alike):
    assert alike[0.0, "relative width", "EE wald"] == pytest.approx(1, rel=1e-9)


def test_relative_bias_is_in_variances_of_a_trial(alike):
    bias = alike[0.3, "tau2 bias", "ML"]
    assert alike[0.3, "relative tau2 bias", "ML"] == pytest.approx(bias / 0.13, rel=1e-9)


def test_every_prior_is_judged(alike):
    found = {name for _, quantity, name in alike if quantity == "coverage" and "Bayes" in name}
    assert found == {
        "Bayesian empirical prior", "Bayesian half-normal(0.5)", "Bayesian half-normal(1)",
    }  # fmt: skip


# ----------------------------------------------------------------------------------------- files


def test_files_and_columns(project, tmp_path):
    write_calibration(*project, tmp_path / "out", grid=TINY, progress=quiet)
    names = ("coverage", "prediction_coverage", "width", "tau2_bias")
    figures = {f"{name}.{kind}" for name in names for kind in project[0].figure_formats}
    assert set(files(tmp_path / "out")) == {"calibration.csv", "calibration.md", *figures}
    table = read_table(tmp_path / "out/calibration.csv", ["k", "tau", "value"])
    assert list(table.columns) == COLUMNS
    # The last of each is drawn from the empirical prior anew for each meta-analysis.
    assert set(zip(table["analysis"], table["k"], table["tau"].fillna(-1), strict=True)) == {
        ("first", 2, 0), ("first", 2, 0.3), ("first", 2, -1),
        ("second", 3, 0), ("second", 3, 0.3), ("second", 3, -1),
    }  # fmt: skip


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(project, tmp_path):
    write_calibration(*project, tmp_path / "whole", grid=TINY, progress=quiet)

    def stop(done, total, label):
        if done == 8:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_calibration(*project, tmp_path / "stopped", grid=TINY, progress=stop)
    assert files(tmp_path / "stopped") == {}
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "stopped/parts").rglob("*.json")}
    assert len(kept) == 8
    write_calibration(*project, tmp_path / "stopped", grid=TINY, progress=quiet)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


def test_parts_of_another_grid_are_not_used(project, tmp_path):
    # The same tau at another place of the grid has other random numbers.
    other = Grid(taus=(0.3,), simulations=60, part=25)
    write_calibration(*project, tmp_path / "out", grid=other, progress=quiet)
    write_calibration(*project, tmp_path / "out", grid=TINY, progress=quiet)
    write_calibration(*project, tmp_path / "clean", grid=TINY, progress=quiet)
    assert files(tmp_path / "out") == files(tmp_path / "clean")
    assert len(list((tmp_path / "out/parts").iterdir())) == 1


def test_progress_counts_every_part_of_every_pool(project, tmp_path):
    seen = []
    write_calibration(*project, tmp_path / "out", grid=TINY, progress=lambda *x: seen.append(x[:2]))
    # two pools, two values of tau and one drawn, and parts of 25, 25 and 10
    assert seen == [(done, 18) for done in range(1, 19)]


# --------------------------------------------------------------------------------------- summary


def rows_of(values):
    """A table of one method: (analysis, k, tau) -> coverage."""
    text = [",".join(COLUMNS)]
    text += [
        f"s,{name},hazard_ratio,{k},{tau},100,coverage,REML wald,{value},0.02"
        for (name, k, tau), value in values.items()
    ]
    return "\n".join(text) + "\n"


def test_worst_is_over_pools_and_tau(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        rows_of({("a", 2, 0.0): 0.95, ("a", 2, 0.2): 0.75, ("b", 2, 0.0): 0.7, ("c", 3, 0.0): 0.9})
    )
    table = read_table(path, ["tau", "value"])
    found = extreme_by_trials(table, "coverage", "min").loc["REML wald"]
    assert found.to_dict() == {"2": 0.7, "3": 0.9}


def test_the_page_says_the_largest_monte_carlo_error(project, tmp_path):
    write_calibration(*project, tmp_path / "out", grid=TINY, progress=quiet)
    table = read_table(
        tmp_path / "out/calibration.csv", ["k", "tau", "simulations", "value", "monte_carlo_se"]
    )
    coverage = table[table["quantity"].str.endswith("coverage")]
    largest = 100 * coverage["monte_carlo_se"].max()
    assert f"error of a coverage is {largest:.2f} percentage points" in calibration_page(table)


def test_the_default_grid_is_precise_enough():
    # The standard error of a share is largest at one half.
    assert math.sqrt(0.25 / Grid().simulations) <= 0.005


def test_the_figure_shows_the_lowest_of_the_pools_and_leaves_gaps(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        rows_of({("a", 2, 0.0): 0.95, ("b", 2, 0.0): 0.7, ("a", 2, 0.2): 0.8, ("c", 3, 0.0): 0.9})
    )
    numbers = ["k", "tau", "simulations", "value", "monte_carlo_se"]
    table = read_table(path, numbers)
    shown = panel_values(table, "coverage", {"REML wald": "REML, Wald"}, "min")
    assert set(shown["method"]) == {"REML, Wald"}
    grid = shown.pivot(index="trials", columns="tau", values="value")
    assert (list(grid.index), list(grid.columns)) == ([2, 3], [0.0, 0.2])
    np.testing.assert_array_equal(grid, [[0.7, 0.8], [0.9, np.nan]])


def test_the_figures_name_the_level_of_the_intervals(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(rows_of({("a", 2, 0.0): 0.9}))
    numbers = ["k", "tau", "simulations", "value", "monte_carlo_se"]
    charts = calibration_charts(read_table(path, numbers), 90.0, PRESETS["page"])
    assert charts["coverage"].title.startswith("Coverage of the 90% interval for the mean")
    assert not any("95%" in chart.title + chart.description for chart in charts.values())


# -------------------------------------------------------------------------------------- terminal


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_fills_one_line():
    stream = Terminal()
    show = progress_bar(stream)
    show(1, 2, "first")
    show(2, 2, "second")
    half, full = "#" * 15 + "." * 15, "#" * 30
    assert stream.getvalue() == (f"\r\033[K[{half}]  50%  first\r\033[K[{full}] 100%  second\n")


def test_a_log_gets_a_line_for_each_pool_only():
    stream = io.StringIO()
    show = progress_bar(stream)
    for done, label in ((1, "first"), (2, "first"), (3, "second")):
        show(done, 4, label)
    assert stream.getvalue() == " 25%  first\n 75%  second\n"
