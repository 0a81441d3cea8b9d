"""Other choices in the configuration of a project: every stage and text follows them."""

import math

import pandas as pd
import pytest
import yaml
from figures.svg_reading import read_svg
from small_project import replace_text, small_project
from trial_evidence.cli import main

SETTING, ANALYSIS = "metastatic_pretreated", "progression_free_dual_v_single"
POOLING = {
    "tau2_estimator": "PM",
    "estimate_interval": "hartung_knapp",
    "prediction_interval": "hartung_knapp_k_minus_1",
    "leading": [{"from_trials": 2, "model": "random_effects"}],
}
# The three hazard ratios of the made-up sheet, and results of R 4.2.2 with metafor 3.8-1:
#   d <- data.frame(yi = YI, vi = VI)
#   f <- rma(yi, vi, data=d, method="PM", test="knha", control=list(tol=1e-14, maxiter=100000))
#   predict(f); confint(f)
YI = [-0.579818495252942, -0.2231435513142097, -0.3011050927839216]
VI = [0.014900128014556544, 0.02181552309279959, 0.015173000957386079]
METAFOR = {
    "estimate": math.exp(-0.3770690304875631),
    "ci_low": math.exp(-0.8441059194935252),
    "ci_high": math.exp(0.0899678585183991),
    "pi_low": math.exp(-1.1235883604691501),
    "pi_high": math.exp(0.3694502994940240),
    "p_value": 0.0738105900512666,
    "tau2": 0.0183206904700939,
    "tau2_low": 0.0,
    "tau2_high": 1.3718744022859635,
    "q": 4.2118928178096278,
    "q_p": 0.1217304129886933,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = small_project(tmp_path_factory.mktemp("other"))
    # different years, so that there is something to regress on
    for trial, year in (("trial_m", 2018), ("trial_n", 2023)):
        source = f"doe_2020_{trial},Doe,"
        replace_text(folder, "sources", f"{source}2020", f"{source}{year}")
    path = folder / "config/config.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["pooling"] = POOLING
    settings["sensitivity"]["forced_meta_regressions"] = [
        {"analysis": ANALYSIS, "covariate": "year"}
    ]
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    places = [f"--{name}={folder / place}" for name, place in (
        ("raw", "data/raw"), ("config", "config"), ("processed", "data/processed"),
        ("results", "results"),
    )]  # fmt: skip
    assert main(["extract", *places]) == 0
    for stage in ("pool", "figures", "sensitivity"):
        assert main([stage, *places, f"--setting={SETTING}"]) == 0
    return folder / "results" / SETTING


def words(path):
    return " ".join(word.text for word in read_svg(path).words)


def test_the_estimates_are_metafors(project):
    trials = pd.read_csv(project / "trials.csv")
    own = trials[(trials["analysis"] == ANALYSIS) & (trials["subgroup"] == "all")]
    assert own["yi"].tolist() == pytest.approx(YI, rel=1e-12)
    assert own["vi"].tolist() == pytest.approx(VI, rel=1e-12)
    table = pd.read_csv(project / "estimates.csv")
    row = table[(table["analysis"] == ANALYSIS) & (table["subgroup"] == "all")].iloc[0]
    assert (row["model"], row["role"]) == ("random_pm_hk_plain", "lead")
    # PM and the limits of tau2 are roots: metafor stops at 1e-14 of tau2, or at its tolerance
    for name, value in METAFOR.items():
        assert row[name] == pytest.approx(value, rel=1e-7, abs=1e-12), name
    assert not (table["model"] == "random_reml_hk").any()


def test_the_forest_plot_names_the_choice(project):
    said = words(project / ANALYSIS / "forest.svg")
    assert "Random-effects model (PM) with Hartung–Knapp interval. The area" in said
    # No prediction interval of so few trials is shown, nor described.
    assert "Prediction interval" not in said
    assert "REML" not in said


def test_the_sensitivity_tables_start_from_the_choice(project):
    table = pd.read_csv(project / "sensitivity/leave_one_out.csv")
    assert set(table.loc[table["leads"] == "yes", "model"]) == {"random_pm_hk_plain"}
    curves = pd.read_csv(project / "sensitivity/multiverse.csv")
    leading = curves[(curves["leading"] == "yes") & (curves["analysis"] == ANALYSIS)]
    assert leading[["estimator", "interval"]].to_numpy().tolist() == [["PM", "hartung_knapp"]]
    assert leading["ci_low"].item() == pytest.approx(METAFOR["ci_low"], rel=1e-7)


def test_the_sensitivity_figures_name_the_choice(project):
    assert (
        "one trial, its own result; two or more, random effects by PM with the Hartung–Knapp "
        "interval."
    ) in words(project / ANALYSIS / "cumulative.svg").replace("  ", " ")
    said = words(project / ANALYSIS / "leave_one_out.svg")
    assert "All trials (PM, Hartung–Knapp)" in said
    for name, text in (
        ("drapery", "Pooled (PM, Hartung–Knapp)"),
        ("baujat", "Random effects by PM"),
        ("funnel", "Pooled: random effects by PM."),
    ):
        assert text in words(project / ANALYSIS / f"{name}.svg"), name


def test_a_forced_meta_regression_is_made_and_says_so(project):
    table = pd.read_csv(project / "sensitivity/meta_regression.csv").set_index("covariate")
    forced = table.loc["year"]
    assert forced["term"].tolist() == ["intercept", "year"]
    assert forced["reason"].str.startswith("Forced by the configuration: 3 trials").all()
    assert "needs at least 10 trials" in table.loc["median_followup_months", "reason"]
    assert "Forced by the configuration" in words(project / ANALYSIS / "bubble_year.svg")
