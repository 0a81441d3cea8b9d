"""Descriptions and notes of the sensitivity figures, sentence by sentence."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figures.chart_reading import dots, lines, x_of, y_of
from figures.svg_reading import read_svg
from invented import PCR, SENSITIVITY, analysis, configuration, sheet
from trial_evidence.figures.canvas.page import save_page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.forests.sequence import Step
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.sensitivity.pictures.drawings import comparison_figures, specification_figure
from trial_evidence.sensitivity.pictures.in_words import (
    as_they_came,
    p_value_functions,
    without_each_trial,
)
from trial_evidence.sensitivity.specifications import CHOICE_COLUMNS
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL

ROWS = pd.DataFrame({"trial": ["ONE", "TWO", "THREE"], "yi": np.log([0.5, 0.6, 0.7]), "vi": 0.04})


@pytest.fixture(scope="module")
def comparison():
    settings = configuration(analysis(**PCR))
    return Comparison(
        analysis=settings.analyses[0], measure="risk_ratio", rows=ROWS, level=95.0, priors=0.5,
        pooling=settings.pooling,
    )  # fmt: skip


def step(label, *ratios):
    return Step(label, *map(math.log, ratios), k=3, i2=0.0)


DECIDED, OPEN = (0.6, 0.4, 0.9), (0.7, 0.4, 1.2)


@pytest.mark.parametrize(
    ("left_out", "overall", "said"),
    [
        ((OPEN, OPEN), OPEN, "includes 1; with one left out it includes 1 in both rows."),
        ((DECIDED, OPEN), OPEN, "includes 1; with one left out it excludes 1 in 1 of the 2 rows."),
        (
            (DECIDED, OPEN), DECIDED,
            "excludes 1; with one left out it excludes 1 in 1 of the 2 rows.",
        ),
        ((DECIDED, DECIDED), DECIDED, "excludes 1; with one left out it excludes 1 in both rows."),
    ],
    ids=["none", "one, but not with all", "one, and with all", "all"],
)  # fmt: skip
def test_how_often_the_interval_excludes_no_effect(comparison, left_out, overall, said):
    steps = [step(name, *values) for name, values in zip("AB", left_out, strict=True)]
    words = without_each_trial(comparison, steps, step("All", *overall))
    assert words.endswith(f"With all trials the interval {said}")


def test_the_result_of_all_trials_is_told_before_those_without_one(comparison):
    steps = [step("A", *DECIDED), step("B", *OPEN)]
    words = without_each_trial(comparison, steps, step("All", 0.65, 0.45, 0.94))
    assert words.startswith(
        "Leave-one-out forest plot. All 3 trials: risk ratio 0.65 (95% interval 0.45–0.94). With "
        "one trial left out, the estimate lies between 0.60 (without A) and 0.70 (without B)."
    )


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ((0.5, 0.8), " That of a new trial coincides with it: 95% prediction interval 0.50–0.80."),
        ((0.4, 1.0), " That of a new trial is wider: 95% prediction interval 0.40–1.00."),
        (None, "(95% interval 0.50–0.80)."),
    ],
)
def test_a_new_trials_function_is_wider_or_the_same(comparison, new, said):
    pooled = tuple(np.log([0.63, 0.5, 0.8]))
    words = p_value_functions(comparison, pooled, new and tuple(np.log(new)))
    assert words.endswith(said)


def test_the_specification_curve_keeps_measures_apart():
    """An odds ratio of 4 next to a risk ratio of 2 would look like another result."""
    found = pd.DataFrame(
        [
            dict.fromkeys(CHOICE_COLUMNS, "") | {
                "measure": measure, "estimate": ratio, "ci_low": ratio / 2, "ci_high": ratio * 2,
                "leading": "no", "excludes_no_effect": "no",
            }
            for measure, ratio in (("risk_ratio", 1.5), ("risk_ratio", 2.0), ("odds_ratio", 4.0))
        ]
    )  # fmt: skip
    entry = analysis(**PCR | {"measures": ("risk_ratio", "odds_ratio")})
    chart = specification_figure(entry, found, Style())
    assert "2 specifications of the risk ratio with estimates from 1.50 to 2.00" in (
        chart.description
    )
    assert "Odds ratio, not on this axis: median 4.00; in 0 of 1" in chart.description


def test_what_is_missing_is_filled_in_on_the_side_that_has_no_small_trials(comparison, tmp_path):
    """Small trials are all right of the large ones: their hollow mirror images are on the left."""
    yi = np.array([-0.05, 0.05, -0.1, 0.1, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])
    se = np.array([0.05, 0.05, 0.1, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5])
    names = [f"T{at}" for at in range(10)]
    rows = pd.DataFrame({"trial": names, "trial_id": names, "yi": yi, "vi": se**2, "year": 2020.0})
    compared = replace(comparison, rows=rows, priors={CAUTIOUS: HalfNormal(0.5)})
    figures = comparison_figures(compared, sheet({}), SENSITIVITY, Style())
    chart = next(figure for name, figure in figures if name == "funnel")
    said = re.search(r"Trim-and-fill: (\d) trials missing on the (\w+)\.", chart.description)
    count, side = said.groups()
    assert side == "left"
    save_page(chart, tmp_path / "funnel", ("svg",))
    drawing = read_svg(tmp_path / "funnel.svg")
    one = drawing.word("1")
    discs = [s for s in drawing.shapes if len(s.points) > 8 and s.stroke == Style().ink.lower()]
    left = [s.fill for s in discs if s.box[3] < one.y and s.box[2] < one.x - 20]
    assert left == ["#ffffff"] * int(count)
    # metafor 3.8: trimfill(rma(yi, se^2, method = "REML")) fills in 5 and pools at exp(0.0291)
    assert count == "5"
    assert [w.text for w in drawing.words if "imputed trials" in w.text] == [
        "With imputed trials: 1.03"
    ]
    assert float(re.search(r"Egger’s test: p [=<] ([\d.]+)\.", chart.description)[1]) < 0.05
    # a mirror image has the standard error of its trial
    hollow = {round(s.box[1], 1) for s in discs if s.fill == "#ffffff" and s.box[3] < one.y}
    assert hollow <= {round(s.box[1], 1) for s in dots(drawing, "1")}
    # the regression on the standard error by weighted least squares
    slope, limit = np.polyfit(se, yi, 1, w=1 / se)
    x, y = x_of(drawing, ("1", "2"), math.log), y_of(drawing, ("0", "0.4"))
    ends = [s.points for s in lines(drawing, Style().ink.lower()) if s.dashed]
    found = [point for points in ends for point in points if point[1] < y(0.5) + 1]
    for error in (0.0, 0.4):
        expected = x(math.exp(limit + slope * error)), y(error)
        assert min(math.dist(expected, point) for point in found) < 1.0


def test_the_cautious_interval_has_the_level_of_the_figure(comparison):
    priors = {EMPIRICAL: HalfNormal(0.2), CAUTIOUS: HalfNormal(0.5)}
    names = ["one", "two", "three"]
    rows = ROWS.assign(trial_id=names, year=2020.0)
    compared = replace(comparison, rows=rows, level=90.0, priors=priors)
    figures = comparison_figures(compared, sheet({}), SENSITIVITY, Style())
    chart = next(figure for name, figure in figures if name == "posterior")
    said = re.search(r"With the cautious prior .*?interval ([\d.]+)–([\d.]+)\)", chart.description)
    # On a grid: mu given tau is normal, tau half-normal; the shortest interval.
    tau, mu = np.linspace(0, 4, 4001)[1:], np.linspace(-3, 2, 5001)
    v = 0.04 + tau**2
    weight = (
        np.exp(-(tau**2) / (2 * 0.25))
        * v**-1.0
        * np.exp(-np.var(ROWS["yi"].to_numpy()) * 3 / (2 * v))
    )
    spread = np.sqrt(v / 3)[:, None]
    density = weight[:, None] * np.exp(-0.5 * ((mu - ROWS["yi"].mean()) / spread) ** 2) / spread
    mass = density.sum(axis=0) / density.sum()
    order = np.argsort(-mass)
    inside = mu[order[: np.searchsorted(np.cumsum(mass[order]), 0.90) + 1]]
    assert [float(end) for end in said.groups()] == pytest.approx(
        [math.exp(inside.min()), math.exp(inside.max())], abs=0.006
    )


def test_a_trial_within_the_pseudo_limits_is_not_said_to_lie_outside(comparison):
    """At 1.8 standard errors from the pooled effect a trial is inside 95%, outside 90% limits."""
    names = [f"T{at}" for at in range(10)]
    rows = pd.DataFrame({"trial": names, "trial_id": names, "yi": [0.0] * 9 + [0.2], "vi": 0.01,
                         "year": 2020.0})  # fmt: skip
    for level, said in ((95.0, "none outside"), (90.0, "1 outside (T9)")):
        compared = replace(comparison, rows=rows, level=level, priors={CAUTIOUS: HalfNormal(0.5)})
        figures = comparison_figures(compared, sheet({}), SENSITIVITY, Style())
        chart = next(figure for name, figure in figures if name == "funnel")
        assert said in chart.description


@pytest.mark.parametrize("more", [0.0, 0.04], ids=["larger than the others", "smaller than them"])
def test_the_smallest_trial_that_would_decide_lies_on_the_pooled_result(comparison, tmp_path, more):
    """If the interval includes no effect, a further trial would have to find the pooled effect."""
    names = [f"T{at}" for at in range(6)]
    yi = np.array([0.25, 0.05, 0.3, 0.0, 0.2, 0.1]) + more
    rows = pd.DataFrame({"trial": names, "trial_id": names, "yi": yi, "vi": 0.04, "year": 2020.0})
    compared = replace(
        comparison, measure="hazard_ratio", rows=rows, priors={CAUTIOUS: HalfNormal(0.5)}
    )
    figures = comparison_figures(compared, sheet({}), SENSITIVITY, Style())
    chart = next(figure for name, figure in figures if name == "extended_funnel")
    save_page(chart, tmp_path / "chart", ("svg",))
    drawing = read_svg(tmp_path / "chart.svg")
    foot = drawing.word("1").y
    (pooled,) = {s.box[0] for s in drawing.shapes if s.dashed and s.box[3] < foot}
    (mark,) = (s for s in drawing.shapes if s.fill == "#ffffff" and s.stroke == Style().ink.lower()
               and s.box[3] < foot)  # fmt: skip
    assert (mark.box[0] + mark.box[2]) / 2 == pytest.approx(pooled, abs=0.1)


@pytest.mark.parametrize("measure", ["hazard_ratio", "odds_ratio", "risk_ratio"])
def test_a_worthwhile_hazard_ratio_is_no_matter_of_other_ratios(comparison, measure):
    c = replace(
        comparison,
        measure=measure,
        rows=ROWS.assign(trial_id=list("abc"), year=2020.0),
        priors={CAUTIOUS: HalfNormal(0.5), EMPIRICAL: HalfNormal(0.2)},
    )
    figures = comparison_figures(c, sheet({}), SENSITIVITY, Style())
    chart = next(figure for name, figure in figures if name == "posterior")
    assert ("Probability of a hazard ratio below" in chart.description) == (
        measure == "hazard_ratio"
    )


def figure(c, name):
    rows = c.rows.assign(trial_id=c.rows["trial"], year=2020.0)
    c = replace(c, measure="hazard_ratio", rows=rows, priors={CAUTIOUS: HalfNormal(0.5)})
    return next(made for found, made in comparison_figures(c, sheet({}), SENSITIVITY, Style())
                if found == name)  # fmt: skip


@pytest.mark.parametrize("interval", ["wald", "hartung_knapp"])
@pytest.mark.parametrize("prediction", ["t_k_minus_1", "conservative_k_minus_2"])
def test_p_value_functions_are_at_five_percent_where_their_intervals_end(
    comparison, interval, prediction
):
    settings = replace(
        comparison.pooling, estimate_interval=interval, prediction_interval=prediction,
        prediction_from_trials=3,
    )  # fmt: skip
    rows = pd.DataFrame({"trial": list("abcdefgh"), "yi": np.log([50, 70, 40, 60, 80, 50, 90, 60]),
                         "vi": 0.02})  # fmt: skip
    c = replace(comparison, rows=rows, pooling=settings)
    chart = figure(c, "drapery")
    curves = chart.make.args[0]
    for kind, limits in (
        ("pooled", r"\(95% interval (\d+\.\d+)–(\d+\.\d+)\)"),
        ("prediction", r"95% prediction interval (\d+\.\d+)–(\d+\.\d+)"),
    ):
        curve = curves[curves["kind"] == kind]
        for end in re.search(limits, chart.description).groups():
            p_value = np.interp(math.log(float(end)), curve["effect"], curve["p_value"])
            assert p_value == pytest.approx(0.05, abs=0.003)


def test_where_nothing_is_missing_no_line_includes_imputed_trials(comparison):
    """A second line at the pooled result would look like an adjustment for missing trials."""
    yi = [-0.5, 0.45, -0.4, 0.38, -0.3, 0.33, -0.2, 0.17, -0.1, 0.12, 0.02]
    vi = [0.5, 0.5, 0.4, 0.4, 0.3, 0.3, 0.2, 0.2, 0.1, 0.1, 0.05]
    rows = pd.DataFrame({"trial": list("abcdefghijk"), "yi": yi, "vi": vi})
    chart = figure(replace(comparison, rows=rows), "funnel")
    assert "Trim-and-fill: 0 trials missing" in chart.description
    assert chart.make.keywords["adjusted"] is None


def test_a_trial_far_from_the_pooled_result_is_in_the_extended_funnel(comparison, tmp_path):
    rows = ROWS.assign(yi=np.log([1.0, 1.1, 5.0]), vi=0.0025)
    save_page(figure(replace(comparison, rows=rows), "extended_funnel"), tmp_path / "a", ("svg",))
    assert len(dots(read_svg(tmp_path / "a.svg"), "1")) == 3


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ((DECIDED, OPEN, DECIDED), "has excluded 1 (no difference) since T2."),
        ((OPEN, DECIDED, DECIDED), "has excluded 1 (no difference) since T1."),
        ((OPEN, OPEN, OPEN), "includes 1 (no difference) at every step."),
    ],
)
def test_a_decision_counts_from_where_it_lasts(comparison, results, said):
    steps = [step(f"T{at}", *values) for at, values in enumerate(results)]
    assert as_they_came(comparison, steps).endswith(f"The interval {said}")
