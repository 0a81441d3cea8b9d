"""The calibration of the sheet's pools: which are simulated, known coverages, and its parts."""

import csv
import math

import numpy as np
import pandas as pd
import pytest
import yaml
from invented import ROOT, SETTING, analysis, configuration
from trial_evidence.calibration.designs import Design, read_designs
from trial_evidence.calibration.pictures import calibration_charts, panel_values
from trial_evidence.calibration.stage import (
    calibration_table,
    part_file,
    write_calibration,
    write_part,
)
from trial_evidence.calibration.summary import calibration_page, extreme_by_trials
from trial_evidence.config.configuration import ContrastRule
from trial_evidence.config.reading import read
from trial_evidence.config.simulation import Simulation
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.files import read_table
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.words.problems import SheetError

COLUMNS = ["setting", "analysis", "measure", "k", "tau", "simulations", "quantity", "method",
           "value", "monte_carlo_se"]  # fmt: skip
TEXTS = ["setting", "analysis", "measure", "subgroup", "trial_id", "pooled"]
TINY = Simulation(taus=(0.0, 0.3), simulations=60, part=25, seed=1)
ALIKE = Design(SETTING, "alike", "hazard_ratio", (0.04, 0.04, 0.04, 0.04))


def trial(analysis_id, vi, **changes):
    return {
        "setting": SETTING, "analysis": analysis_id, "measure": "hazard_ratio", "subgroup": "all",
        "trial_id": "t", "pooled": "yes", "vi": vi,
    } | changes  # fmt: skip


def write_trials(results, rows):
    path = results / SETTING / "trials.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*TEXTS, *TRIAL_NUMBERS], restval="")
        writer.writeheader()
        writer.writerows(rows)


def named(analysis_id, **changes):
    return analysis(**{"id": analysis_id} | changes)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Configuration and results with two pools, of two trials and of three. Not to be changed."""
    folder = tmp_path_factory.mktemp("two")
    rows = [trial("first", 0.05), trial("first", 0.02)]
    rows += [trial("second", vi) for vi in (0.1, 0.03, 0.2)]
    write_trials(folder / "results", rows)
    return configuration(named("first"), named("second")), folder / "results"


def files(folder):
    """Visible files in a folder; the record of what was drawn is hidden."""
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*") if path.is_file()}


def write_parts(project, simulation, folder, order=lambda numbers: numbers):
    """The parts of a calibration, made in a given order."""
    for number in order(range(simulation.parts)):
        write_part(project[0], simulation, project[1], folder, number)
    return folder


def table_of(project, simulation, folder, **order):
    """The table of a calibration, without its page and figures."""
    write_parts(project, simulation, folder, **order)
    return calibration_table(project[0], simulation, project[1], folder)


@pytest.fixture(scope="module")
def tiny(project, tmp_path_factory):
    """A calibration with few simulations. Not to be changed."""
    folder = write_parts(project, TINY, tmp_path_factory.mktemp("tiny"))
    write_calibration(project[0], TINY, project[1], folder)
    return folder


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
    """Values for four identical trials, 2,000 simulations per tau."""
    folder = tmp_path_factory.mktemp("alike")
    write_trials(folder / "results", [trial("alike", vi) for vi in ALIKE.vi])
    simulation = Simulation(taus=(0.0, 0.3), simulations=2000, part=2000, seed=1)
    asked = configuration(named("alike")), folder / "results"
    table = table_of(asked, simulation, folder / "out")
    keys = table[["tau", "quantity", "method"]].itertuples(index=False, name=None)
    return dict(zip(keys, table["value"], strict=True))


def test_hartung_knapp_holds_its_level_for_trials_alike(alike):
    # It is then the one-sample t interval, which is exact: the number of intervals that contain the
    # truth is binomial, and is outside four standard errors once in 16,000.
    bound = 4 * math.sqrt(0.95 * 0.05 / 2000)
    assert abs(alike[0.3, "coverage", "REML hartung_knapp"] - 0.95) < bound


def test_another_seed_draws_other_trials(tmp_path):
    write_trials(tmp_path / "results", [trial("alike", vi) for vi in ALIKE.vi])
    asked = configuration(named("alike")), tmp_path / "results"
    found = []
    for seed in (1, 2):
        simulation = Simulation(taus=(0.3,), simulations=4, part=4, seed=seed)
        found.append(table_of(asked, simulation, tmp_path / f"{seed}"))
    assert not found[0].equals(found[1])


def test_the_common_effect_is_as_wide_as_knowing_that_tau_is_zero(alike):
    assert alike[0.0, "relative width", "EE wald"] == pytest.approx(1, rel=1e-9)


def test_a_prediction_interval_is_relative_to_that_which_knows_tau(alike):
    width = alike[0.3, "prediction width", "REML t_k_minus_1"]
    known = 2 * 1.959964 * math.sqrt(0.09 + 0.13 / 4)
    relative = alike[0.3, "relative prediction width", "REML t_k_minus_1"]
    assert relative == pytest.approx(width / known, rel=1e-6)


def test_relative_bias_is_in_variances_of_a_trial(alike):
    bias = alike[0.3, "tau2 bias", "ML"]
    assert alike[0.3, "relative tau2 bias", "ML"] == pytest.approx(bias / 0.13, rel=1e-9)


def test_the_error_of_a_relative_number_is_relative_too(tiny):
    """Otherwise a bias of 10% would have an error in units of tau2."""
    table = read_table(tiny / "calibration.csv", ["tau", "value", "monte_carlo_se"])
    place = ["analysis", "tau", "method", "quantity"]
    found = table[table["tau"] == 0.3].set_index(place)[["value", "monte_carlo_se"]]
    for quantity in ("width", "prediction width", "tau2 bias"):
        of, relative = (found.xs(q, level="quantity") for q in (quantity, f"relative {quantity}"))
        units = of["value"] / relative["value"]
        expected = of["monte_carlo_se"] / units
        np.testing.assert_allclose(relative["monte_carlo_se"], expected, rtol=5e-3, atol=1e-9)


def test_every_prior_is_judged(alike):
    found = {name for _, quantity, name in alike if quantity == "coverage" and "Bayes" in name}
    assert found == {
        "Bayesian empirical prior", "Bayesian half-normal(0.5)", "Bayesian half-normal(1)",
    }  # fmt: skip


# ----------------------------------------------------------------------------------------- files


def test_files_and_columns(project, tiny):
    names = ("coverage", "prediction_coverage", "width", "tau2_bias")
    figures = {f"{name}.{kind}" for name in names for kind in project[0].figures.formats}
    assert set(files(tiny)) == {"calibration.csv", "calibration.md", *figures}
    table = read_table(tiny / "calibration.csv", ["k", "tau", "value"])
    assert list(table.columns) == COLUMNS
    # The last of each is drawn from the empirical prior anew for each meta-analysis.
    assert set(zip(table["analysis"], table["k"], table["tau"].fillna(-1), strict=True)) == {
        ("first", 2, 0), ("first", 2, 0.3), ("first", 2, -1),
        ("second", 3, 0), ("second", 3, 0.3), ("second", 3, -1),
    }  # fmt: skip


def test_the_order_in_which_parts_are_made_changes_no_byte(project, tiny, tmp_path):
    backwards = table_of(project, TINY, tmp_path, order=reversed)
    assert files(tiny / "parts") == files(tmp_path / "parts")
    pd.testing.assert_frame_equal(
        backwards, calibration_table(project[0], TINY, project[1], tiny), check_exact=True
    )


def test_more_simulations_add_parts_to_those_that_are_full(project, tmp_path):
    # Three parts of 25, 25 and 10, then four full ones: the first two can be reused.
    less, more = (
        write_parts(
            project, Simulation((0.0, 0.3), simulations, 25, 1), tmp_path / str(simulations)
        )
        for simulations in (60, 100)
    )
    same = [part_file(less, n).read_bytes() == part_file(more, n).read_bytes() for n in range(3)]
    assert same == [True, True, False]


def test_every_simulated_meta_analysis_is_counted(tiny):
    # A coverage is a share of all 60, not of one part.
    table = read_table(tiny / "calibration.csv", ["value"])
    covered = 60 * table.loc[table["quantity"] == "coverage", "value"]
    np.testing.assert_allclose(covered, covered.round(), atol=1e-9)
    assert ((covered.round() * 25 / 60) % 1 > 0.01).any()


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("simulations", 0, "0 is less than the minimum of 1."),
        ("part", 2.5, '"2.5" is not a whole number.'),
        ("taus", [0.0], "must hold a value above 0"),
        ("taus", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 1], "has 7 values"),
    ],
)
def test_a_wrong_setting_is_told(tmp_path, setting, value, said):
    path = tmp_path / "calibration.yaml"
    content = {"taus": [0.0, 0.3], "simulations": 60, "part": 25, "seed": 1} | {setting: value}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(SheetError) as caught:
        read(path, Simulation)
    (problem,) = caught.value.problems
    assert problem.line().startswith("calibration.yaml")
    assert setting in problem.line()
    assert said in problem.line()


# --------------------------------------------------------------------------------------- summary


def rows_of(values, quantity="coverage", method="REML wald"):
    """A table of one quantity and method: (analysis, k, tau) -> value."""
    text = [",".join(COLUMNS)]
    text += [
        f"s,{name},hazard_ratio,{k},{tau},100,{quantity},{method},{value},0.02"
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


def test_the_page_says_the_worst_of_several_pools(tiny):
    numbers = ["tau", "simulations", "value", "monte_carlo_se"]
    table = read_table(tiny / "calibration.csv", numbers)
    covers = table["quantity"].str.endswith("coverage")
    # Another pool with as many trials, with lower coverage and wider intervals.
    worse = table.assign(analysis="worse", value=table["value"].where(~covers, 0.5))
    worse["value"] += worse["quantity"].isin(["width", "relative width"]).astype(float)
    # Beyond the largest usual tau it is even worse, which counts only in the rows by tau.
    beyond = worse[worse["tau"] == 0.3].assign(tau=0.8)
    beyond["value"] = beyond["value"].where(beyond["value"] != 0.5, 0.1)
    page = calibration_page(pd.concat([table, worse, beyond]))
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")}

    def row(title, method):
        lines = sections[title].splitlines()
        (line,) = [line for line in lines if line.startswith(f"| {method} |")]
        return [cell.strip() for cell in line.strip("|").split("|")][1:]

    method = "REML, Wald"
    assert row("Lowest coverage of the interval for the mean, percent; τ up to 0.4", method) == [
        "50.0", "50.0",
    ]  # fmt: skip
    by_tau = "Lowest coverage of the interval for the mean with 2 trials, percent, by the true τ"
    assert set(row(by_tau, method)) == {"50.0", "10.0"}
    mine = table[(table["method"] == "REML wald") & (table["k"] == "2")]
    for title, quantity, value in (
        ("interval, relative to the interval for known τ; τ up to 0.4", "relative width",
         lambda widest: widest + 1),
        ("interval with 2 trials, upper limit over lower limit of a ratio, by the true τ", "width",
         lambda widest: math.exp(widest + 1)),
    ):  # fmt: skip
        widest = mine.loc[mine["quantity"] == quantity, "value"].max()
        told = row(f"Largest mean width of the {title}", method)
        assert f"{value(widest):.2f}" in told


def test_what_is_said_up_to_a_tau_holds_at_that_tau(tiny):
    numbers = ["tau", "simulations", "value", "monte_carlo_se"]
    table = read_table(tiny / "calibration.csv", numbers)
    coverage = table["quantity"] == "coverage"
    last = table[(table["tau"] == 0.3) & coverage].assign(tau=0.4, value=0.123)
    page = calibration_page(pd.concat([table, last]))
    title = "## Lowest coverage of the interval for the mean, percent; τ up to 0.4"
    section = page.partition(title)[2].partition("##")[0]
    assert "12.3" in section


def test_the_page_says_the_largest_monte_carlo_error(tiny):
    numbers = ["k", "tau", "simulations", "value", "monte_carlo_se"]
    table = read_table(tiny / "calibration.csv", numbers)
    coverage = table[table["quantity"].str.endswith("coverage")]
    largest = 100 * coverage["monte_carlo_se"].max()
    assert f"error of a coverage is {largest:.2f} percentage points" in calibration_page(table)


def test_the_configured_simulation_is_precise_enough():
    # The standard error of a share is largest at one half.
    configured = read(ROOT / "config/calibration.yaml", Simulation)
    assert math.sqrt(0.25 / configured.simulations) <= 0.005


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


@pytest.mark.parametrize(
    ("figure", "quantity", "values", "worst"),
    [
        ("coverage", "coverage", (0.95, 0.7), 0.7),
        ("prediction_coverage", "prediction coverage", (0.95, 0.7), 0.7),
        ("width", "relative width", (1.1, 1.6), 1.6),
    ],
)
def test_each_figure_shows_the_worst_of_the_pools(tmp_path, figure, quantity, values, worst):
    """The lowest coverage or the widest interval, as its axis says."""
    new = "REML conservative_k_minus_1"
    method = new if figure == "prediction_coverage" else "REML hartung_knapp_conservative"
    path = tmp_path / "table.csv"
    one, other = values
    path.write_text(rows_of({("a", 2, 0.0): one, ("b", 2, 0.0): other}, quantity, method))
    table = read_table(path, ["k", "tau", "simulations", "value", "monte_carlo_se"])
    drawn = calibration_charts(table, 95.0, PRESETS["page"])[figure].make.args[0]
    assert drawn["value"].dropna().tolist() == pytest.approx([worst])


def test_the_figures_name_the_level_of_the_intervals(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(rows_of({("a", 2, 0.0): 0.9}))
    numbers = ["k", "tau", "simulations", "value", "monte_carlo_se"]
    charts = calibration_charts(read_table(path, numbers), 90.0, PRESETS["page"])
    assert charts["coverage"].title.startswith("Coverage of the 90% interval for the mean")
    assert not any("95%" in chart.title + chart.description for chart in charts.values())
