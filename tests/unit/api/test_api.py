"""The API: agreement with other programs, errors, and the examples of its manual."""

import contextlib
import io
import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figures.svg_reading import check_svg, read_svg
from reference import load
from trial_evidence import api
from trial_evidence.figures.forests.plain import plain_forest
from trial_evidence.words.supplied import supplied

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs/api.md"
MEASURES = {"RR": "risk_ratio", "OR": "odds_ratio", "RD": "risk_difference"}
COUNTS = ("events_experimental", "n_experimental", "events_control", "n_control")


def bcg(measure="RR"):
    """The BCG trials and the results of metafor for them."""
    found = load("metafor")[f"bcg__{measure}"]
    counts = {name: found["table"][key] for name, key in zip(COUNTS, ("ai", "n1i", "ci", "n2i"),
                                                             strict=True)}  # fmt: skip
    names = [f"Trial {number}" for number in range(1, 14)]
    return pd.DataFrame({"trial": names, **counts}), found


def trials(**columns):
    """Three made-up trials of two arms."""
    made = {"trial": ["Ash", "Beech", "Elm"], "events_experimental": [20, 31, 12],
            "n_experimental": [60, 100, 40], "events_control": [12, 22, 9],
            "n_control": [61, 98, 41]}  # fmt: skip
    return pd.DataFrame(made | columns)


# ----------------------------------------------------------------------- as other programs find it


@pytest.mark.parametrize("measure", ["RR", "OR"])
def test_counts_are_pooled_as_by_metafor(measure):
    data, theirs = bcg(measure)
    found = api.pool(data, MEASURES[measure])
    fit, lead = theirs["fits"]["REML"]["adhoc"], found.lead
    for ours, other in {
        "estimate": fit["beta"], "ci_low": fit["ci_lb"], "ci_high": fit["ci_ub"],
        "pi_low": fit["predict_t"]["pi_lb"], "pi_high": fit["predict_t"]["pi_ub"],
    }.items():  # fmt: skip
        assert math.log(lead[ours]) == pytest.approx(other, abs=1e-7), ours
    assert lead["tau2"] == pytest.approx(fit["tau2"], rel=1e-6)
    assert lead["i2"] == pytest.approx(fit["I2"], rel=1e-6)
    assert lead["q"] == pytest.approx(fit["QE"], rel=1e-9)
    assert lead["p_value"] == pytest.approx(fit["pval"], rel=1e-6)
    assert list(found.trials["weight"]) == pytest.approx(fit["weights_pct"], rel=1e-6)
    by_counts = found.models.set_index("model").loc["mantel_haenszel"]
    assert math.log(by_counts["estimate"]) == pytest.approx(theirs["mh"]["beta"], rel=1e-9)


@pytest.mark.parametrize("spread", ["sei", "vi"])
def test_effects_are_pooled_as_the_counts_they_were_made_of(spread):
    data, theirs = bcg()
    vi = np.array(theirs["vi"])
    effects = {"yi": theirs["yi"], spread: vi if spread == "vi" else np.sqrt(vi)}
    found = api.pool(pd.DataFrame({"trial": data["trial"], **effects}), "hazard_ratio")
    fit = theirs["fits"]["REML"]["adhoc"]
    assert math.log(found.lead["estimate"]) == pytest.approx(fit["beta"], abs=1e-7)


def test_a_network_is_as_by_netmeta():
    theirs = load("netmeta")["networks"]["pagliaro1992_OR"]
    arms = theirs["arm_data"]
    data = pd.DataFrame({"trial": arms["study"], "treatment": arms["trt"], "events": arms["xi"],
                         "n": arms["ni"]})  # fmt: skip
    found = api.network(data, "odds_ratio", estimator="DL", better="fewer")
    other = theirs["DL"]
    assert found.tau2 == pytest.approx(other["tau2"], rel=1e-6)
    assert found.q == pytest.approx(other["Q"], rel=1e-6)
    assert list(found.treatments) == other["trts"]
    for row in found.league.itertuples():
        at = other["trts"].index(row.treatment), other["trts"].index(row.against)
        assert math.log(row.estimate) == pytest.approx(other["TE_random"][at[0]][at[1]], abs=1e-6)


def test_comparisons_of_every_two_arms_make_the_network_of_the_arms():
    theirs = load("netmeta")["networks"]["pagliaro1992_OR"]
    pairs = theirs["pairwise"]
    data = pd.DataFrame(
        {
            "trial": pairs["studlab"],
            "treatment": pairs["treat1"],
            "against": pairs["treat2"],
            "yi": pairs["TE"],
            "sei": pairs["seTE"],
        }
    )
    found = api.network(data, "odds_ratio", estimator="DL")
    assert found.tau2 == pytest.approx(theirs["DL"]["tau2"], rel=1e-6)
    assert found.ranking is None


def test_treatments_that_no_trial_connects_are_not_ranked():
    """Nobody knows which of two unconnected parts is better."""
    data = pd.DataFrame({
        "trial": ["Ash", "Ash", "Elm", "Elm"], "treatment": ["A", "B", "C", "D"],
        "events": [20, 12, 31, 22], "n": [60, 61, 100, 98],
    })  # fmt: skip
    found = api.network(data, "risk_ratio", better="more")
    assert found.ranking is None
    assert math.isnan(found.against("C").set_index("treatment").loc["A", "estimate"])


# --------------------------------------------------------------------------------- what is given


def test_limits_are_those_of_the_paper_at_its_level_only():
    """Otherwise limits recomputed from a rounded interval would contradict the paper."""
    given = {"estimate": [0.7, 0.8], "ci_low": [0.5, 0.5], "ci_high": [0.9, 1.2],
             "ci_level": [95, 90]}  # fmt: skip
    found = api.pool(pd.DataFrame({"trial": ["A", "B"], **given}), "hazard_ratio").trials
    assert tuple(found.loc[0, ["ci_low", "ci_high"]]) == (0.5, 0.9)
    # wider than at 90%
    assert found.loc[1, "ci_low"] < 0.5
    assert found.loc[1, "ci_high"] > 1.2


def test_a_ratio_far_from_the_middle_of_its_interval_is_warned_of():
    """As when the lower limit was typed twice; the wrong effect would be pooled without a word."""
    given = {"estimate": [0.7, 0.84], "ci_low": [0.7, 0.7], "ci_high": [1.0, 1.0]}
    centre = r"^data frame, row 0 \(Ash\), .* is centred on 0\.837 on the log scale, not on 0\.7, "
    with pytest.warns(UserWarning, match=centre) as told:
        api.pool(pd.DataFrame({"trial": ["Ash", "Beech"], **given}), "hazard_ratio")
    assert len(told) == 1


def test_a_trial_made_of_counts_has_its_limits_at_the_level_asked_for():
    found = api.pool(trials(), "odds_ratio", level=90.0).trials
    # Ash: 20 of 60 and 12 of 61
    middle, se = math.log((20 / 40) / (12 / 49)), math.sqrt(1 / 20 + 1 / 40 + 1 / 12 + 1 / 49)
    expected = [math.exp(middle + z * se) for z in (-1.644854, 1.644854)]
    assert list(found.loc[0, ["ci_low", "ci_high"]]) == pytest.approx(expected, rel=1e-6)


def test_a_new_trial_of_a_network_may_lie_further_away_than_the_mean():
    theirs = load("netmeta")["networks"]["pagliaro1992_OR"]
    arms = theirs["arm_data"]
    data = pd.DataFrame({"trial": arms["study"], "treatment": arms["trt"], "events": arms["xi"],
                         "n": arms["ni"]})  # fmt: skip
    found = api.network(data, "odds_ratio", estimator="DL", better="fewer")
    assert found.tau2 > 0
    assert (found.league["pi_low"] < found.league["ci_low"]).all()
    assert (found.league["pi_high"] > found.league["ci_high"]).all()
    # Fewer events are better, so the first in the ranking has the fewest.
    best = found.against(found.ranking["treatment"][0])
    assert (best["estimate"] > 1).all()


def test_what_was_given_is_not_changed():
    data = trials()
    before = data.copy()
    api.pool(data.set_index(pd.Index([7, 8, 9])), "risk_ratio")
    api.pool(data, "risk_ratio")
    pd.testing.assert_frame_equal(data, before)


def test_one_trial_is_its_own_result():
    found = api.pool(trials().head(1), "odds_ratio")
    assert list(found.models["model"]) == ["single_trial"]
    assert found.lead["estimate"] == pytest.approx((20 / 40) / (12 / 49))


def test_a_trial_that_says_nothing_of_a_ratio_is_shown_and_not_pooled(tmp_path):
    silent = trials(events_experimental=[20, 31, 0], events_control=[12, 22, 0])
    found = api.pool(silent, "risk_ratio")
    assert list(found.trials["pooled"]) == [True, True, False]
    assert not found.trials["corrected"].any()
    assert found.lead["k"] == 2
    words = drawn(found, tmp_path)
    assert "not estimable" in words
    assert "No event, or only events, in both arms, so not pooled: Elm." in words
    # The totals are those of the pooled trials.
    total = words.index(next(word for word in words if word.startswith("All trials (k = 2")))
    assert words[total + 1 : total + 3] == ["51/160", "34/159"]


def test_the_plot_names_the_trials_whose_empty_cells_were_filled(tmp_path):
    found = api.pool(trials(events_experimental=[0, 31, 12]), "risk_ratio")
    assert list(found.trials["corrected"]) == [True, False, False]
    words = drawn(found, tmp_path)
    said = [word for word in words if word.startswith("0.5 added")]
    assert said == ["0.5 added to each cell because one is empty: Ash."]


def drawn(found, tmp_path, **more):
    path = api.forest_plot(found, tmp_path / "forest.svg", **more)
    assert check_svg(path) == []
    return [word.text for word in read_svg(path).words]


def test_the_plot_prints_trials_arms_and_result(tmp_path):
    data, _ = bcg()
    found = api.pool(data, "risk_ratio")
    words = drawn(found, tmp_path, title="BCG", arms=("Vaccine", "None"), better="fewer")
    assert {"BCG", "Trial 13", "4/123", "11/139", "0.49 (0.33–0.73)", "(0.14–1.76)"} <= {*words}
    (low,) = [word for word in words if "Favours vaccine" in word]
    assert low.startswith("←")
    assert words.index("Vaccine") < words.index("None")
    assert words.index("4/123") < words.index("11/139")


def test_the_plot_says_the_level_that_was_asked_for(tmp_path):
    words = drawn(api.pool(bcg()[0], "risk_ratio", level=90.0), tmp_path)
    assert "90% prediction interval" in words
    assert not any("95%" in word for word in words)


def test_the_bar_of_the_prediction_interval_has_its_ends():
    found = api.pool(bcg()[0], "risk_ratio")
    looks = {"title": "BCG", "arms": ("Vaccine", "None"), "fewer_is_better": True}
    forest = plain_forest(found.trials, dict(found.lead), "risk_ratio", 95.0, **looks)
    (bar,) = [row for row in forest.rows if row.kind == "prediction"]
    # metafor's predict(): 0.1441 to 1.7616
    assert np.exp([bar.low, bar.high]) == pytest.approx([0.1441, 1.7616], abs=0.01)


def test_one_trial_alone_has_the_limits_that_it_published():
    """The upper one, worked out from the variance, is below 1."""
    data = pd.DataFrame({"trial": ["A"], "estimate": [0.86], "ci_low": [0.74], "ci_high": [1.0]})
    lead = api.pool(data, "hazard_ratio").lead
    assert (lead["ci_low"], lead["ci_high"]) == (0.74, 1.0)


@pytest.mark.parametrize("more", [{}, {"yi": 0.1, "vi": 0.2}])
def test_a_mistyped_column_is_named_and_nothing_else_is_pooled(more):
    data = trials().rename(columns={"n_control": "n_contol"}).assign(**more)
    with pytest.raises(api.DataError, match=r'no column "n_control". Did you mean "n_contol"'):
        api.pool(data, "risk_ratio")


def test_a_prediction_interval_that_repeats_the_mean_is_not_drawn(tmp_path):
    found = api.pool(trials(), "risk_ratio")
    assert found.lead["tau2"] == 0
    assert "95% prediction interval" not in drawn(found, tmp_path)


# -------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (trials(n_control=[61, 20, 41]), "row 1 (Beech), column events_control: 22 is more than"),
        (trials(events_control=["x", 22, 9]), 'row 0 (Ash), column events_control: "x" is not a'),
        (trials(events_control=[None, 22, 9]), "row 0 (Ash), column events_control: the cell is"),
        (trials(events_control=[12, 22, -9]), "row 2 (Elm), column events_control: -9 is below"),
        (trials(events_control=[12, 22.5, 9]), "column events_control: 22.5 is no whole number"),
        (trials(n_control=[0, 98, 41]), "column n_control: 0 patients were analysed"),
        (trials(trial=["Ash", "Elm", "Elm"]), 'row 2 (Elm), column trial: "Elm" is there twice'),
        (trials(trial=[7, "7", "Elm"]), 'row 1 (7), column trial: "7" is there twice'),
        (trials(n_control=[10**400, 98, 41]), "column n_control: inf is not a finite number"),
        (trials(trial=["Ash", "", "Elm"]), "row 1, column trial: the cell is empty"),
        (trials().rename(columns={"trial": "trail"}), 'no column "trial". Did you mean "trail"?'),
        (trials().drop(columns="n_control"), "needs the columns events_experimental"),
        (trials(events_control=[True, 22, 9]), 'row 0 (Ash), column events_control: "True" is not'),
        # Python reads 1_0 as 10.
        (trials(events_control=["1_0", 22, 9]), 'column events_control: "1_0" is not a number'),
        (trials(events_control=[[12], 22, 9]), 'column events_control: "[12]" is not a number'),
        (pd.concat([trials(), trials()[["n_control"]]], axis=1), 'are called "n_control". Keep'),
        (pd.concat([trials(), trials()[["trial"]]], axis=1), 'are called "trial". Keep one.'),
        (trials().head(0), "has no rows"),
        (trials(events_experimental=0, events_control=0), "in no trial"),
    ],
)
def test_a_fault_is_told_by_row_and_column(data, said):
    with pytest.raises(api.DataError, match=re.escape(said)):
        api.pool(data, "risk_ratio")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"estimate": [0.7, -1], "ci_low": [0.5, 0.5], "ci_high": [0.9, 1.2]}, "-1 is not above 0"),
        ({"estimate": [0.7, 0.8], "ci_low": [0.9, 0.5], "ci_high": [0.5, 1.2]}, "0.9 is not below"),
        ({"estimate": [0.7, 0.4], "ci_low": [0.5, 0.5], "ci_high": [0.9, 1.2]}, "is not between"),
        ({"estimate": [0.7, 0.8], "ci_low": [0.5, 0.5], "ci_high": [0.9, 1.2],
          "ci_level": [0.95, 95]}, "0.95 is no level in percent"),
        ({"estimate": [0.7, 0], "ci_low": [0.5, 0], "ci_high": [0.9, 0]},
         "row 1 (B), column ci_low: 0 is not above 0"),
        ({"estimate": [0.7, 1e10], "ci_low": [0.5, 1e10],
          "ci_high": [0.9, np.nextafter(1e10, 2e10)]}, "row 1 (B), column ci_low: 1e+10 is too"),
        ({"yi": [0.1, 0.2], "sei": [0.1, 0]}, "row 1 (B), column sei: 0 is not above 0"),
        ({"yi": [0.1, 0.2], "sei": [0.1, 1e-160]}, "row 1 (B), column sei: 1e-160 is less than"),
        ({"yi": [0.1, 1e160], "sei": [0.1, 0.1]}, "row 1 (B), column yi: 1e+160 is beyond"),
        ({"yi": [0.1, np.inf], "sei": [0.1, 0.1]}, "inf is not a finite number"),
    ],
)  # fmt: skip
def test_an_effect_that_cannot_be_is_told(columns, said):
    with pytest.raises(api.DataError, match=re.escape(said)):
        api.pool(pd.DataFrame({"trial": ["A", "B"], **columns}), "hazard_ratio")


def test_every_fault_is_told_at_once():
    wrong = trials(
        trial=["", "Beech", " "], n_control=[61, 20, 5], events_experimental=[20, "?", 12]
    )
    with pytest.raises(api.DataError) as caught:
        api.pool(wrong, "risk_ratio")
    assert [(p.row, p.column) for p in caught.value.problems] == [
        (0, "trial"), (2, "trial"), (1, "events_experimental"), (1, "events_control"),
        (2, "events_control"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"measure": "risk ratio"}, 'Did you mean "risk_ratio"?'),
        ({"estimator": "REM"}, 'Did you mean "REML"?'),
        ({"interval": "knapp"}, "Allowed: wald, t, hartung_knapp"),
        ({"level": 0.95}, "level is in percent"),
        ({"level": "95"}, "level is in percent"),
        ({"level": None}, "level is in percent"),
        ({"tau_prior": 0}, "tau_prior is 0"),
        ({"tau_prior": "0.5"}, "tau_prior is '0.5'"),
        ({"tau_prior": [0.5]}, "tau_prior is [0.5]"),
        ({"tau_prior": 1e-12}, "too many powers of ten apart"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_those_that_are(wrong, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        api.pool(trials(), **({"measure": "risk_ratio"} | wrong))


@pytest.mark.parametrize("arms", [("Dual",), ("A", "B", "C"), "AB"])
def test_arms_are_two_names(tmp_path, arms):
    pooled = api.pool(trials(), "risk_ratio")
    with pytest.raises(ValueError, match="It is two names, the experimental arm first"):
        api.forest_plot(pooled, tmp_path / "forest.svg", arms=arms)
    with pytest.raises(ValueError, match="It is two names, the experimental arm first"):
        api.funnel_plot(pooled, arms=arms)
    assert not [*tmp_path.iterdir()]


def test_a_list_is_no_data_frame():
    with pytest.raises(TypeError, match="DataFrame is needed, not list"):
        api.pool([1, 2], "risk_ratio")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("Oak", "A", 1, 9), ("Oak", "A", 2, 9)], 'the trial has a row of "A" already'),
        ([("Oak", "A", 1, 9)], "row 0 (Oak): contrasts need two or more different treatments"),
        ([("Oak", "A", 0, 9)], "row 0 (Oak): no event, or only events, in every arm"),
        ([("Oak", "A", 0, 9), ("Oak", "B", 0, 9)], "in no trial is there an event in one arm"),
        ([("Oak", "A", 10, 9), ("Oak", "B", 1, 9)], "row 0 (Oak), column events: 10 is more than"),
    ],
)
def test_arms_that_make_no_network_are_told(rows, said):
    data = pd.DataFrame(rows, columns=["trial", "treatment", "events", "n"])
    with pytest.raises(api.DataError, match=re.escape(said)):
        api.network(data, "odds_ratio")


def test_every_fault_of_a_network_is_told_at_once():
    rows = [("Oak", "A", 10, 9), ("Oak", "B", 1, 9), ("Elm", "A", 3, 9), ("Fir", "B", "?", 9)]
    data = pd.DataFrame(rows, columns=["trial", "treatment", "events", "n"])
    with pytest.raises(api.DataError) as caught:
        api.network(data, "odds_ratio")
    assert [(p.row, p.subject, p.column) for p in caught.value.problems] == [
        (3, "Fir", "events"), (0, "Oak", "events"), (2, "Elm", ""),
    ]  # fmt: skip


def test_a_trial_that_says_nothing_of_a_ratio_is_left_out_of_a_network_by_name():
    """As in `pool`; a difference of risks uses it."""
    rows = [("Oak", "A", 3, 9), ("Oak", "B", 1, 9), ("Elm", "A", 0, 9), ("Elm", "B", 0, 9)]
    data = pd.DataFrame(rows, columns=["trial", "treatment", "events", "n"])
    alone = api.network(data[:2], "odds_ratio")
    found = api.network(data, "odds_ratio")
    assert found.left_out == ("Elm",)
    pd.testing.assert_frame_equal(found.league, alone.league)
    assert api.network(data, "risk_difference").left_out == ()


@pytest.mark.parametrize(
    ("measure", "columns", "said"),
    [
        ("risk_difference", {"yi": [0.1, 20], "sei": [0.1, 5]},
         "row 1 (B), column yi: 20 is no difference between two risks"),
        ("odds_ratio", {"yi": [0.1, 0.2], "sei": [0.2, 0.4], "vi": [0.04, 0.4]},
         "row 1 (B), column vi: 0.4 is not the square of sei, 0.4"),
        ("odds_ratio", {"estimate": [0.7, 0.8], "ci_low": [0.5, 0.5], "ci_high": [0.9, 1.2],
         "ci_levl": [95, 90]}, 'no column "ci_level". Did you mean "ci_levl"?'),
    ],
)  # fmt: skip
def test_effects_that_would_be_pooled_as_something_else_are_told(measure, columns, said):
    with pytest.raises(api.DataError, match=re.escape(said)):
        api.pool(pd.DataFrame({"trial": ["A", "B"], **columns}), measure)


def test_a_prediction_interval_of_few_trials_is_not_drawn(tmp_path):
    """As in the pipeline: of four trials, it says more of the t distribution than of them."""
    data, _ = bcg()
    four, five = (drawn(api.pool(data.head(n), "risk_ratio"), tmp_path) for n in (4, 5))
    assert "95% prediction interval" in five
    assert "95% prediction interval" not in four


def test_trials_that_say_next_to_nothing_are_drawn(tmp_path):
    data = pd.DataFrame({"trial": ["Ash", "Elm"], "yi": [0.1, 60.0], "sei": [1.0, 80.0]})
    words = drawn(api.pool(data, "odds_ratio"), tmp_path)
    assert "1.12 (< 0.0001 to > 10000)" in words


def test_a_name_with_a_blank_behind_it_is_no_other_treatment():
    """Else "A " would stand in the league beside "A", each with some of the trials."""
    rows = [("Oak", "A", 20, 90), ("Oak", "B", 9, 91), ("Fir", "A ", 25, 80), ("Fir ", "B", 12, 82)]
    found = api.network(
        pd.DataFrame(rows, columns=["trial", "treatment", "events", "n"]), "odds_ratio"
    )
    assert (found.treatments, found.q_df) == (("A", "B"), 1)


def test_a_reference_that_the_network_does_not_have_is_told_with_those_that_it_has():
    """An empty table would be read as if no treatment were compared with it."""
    rows = [("Oak", "A", 3, 9), ("Oak", "B", 1, 9), ("Elm", "A", 2, 9), ("Elm", "C", 5, 9)]
    data = pd.DataFrame(rows, columns=["trial", "treatment", "events", "n"])
    found = api.network(data, "odds_ratio")
    assert list(found.against("A")["treatment"]) == ["B", "C"]
    assert list(found.against("A ")["treatment"]) == ["B", "C"]
    with pytest.raises(ValueError, match="Allowed: A, B, C"):
        found.against("D")


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Allowed: svg, pdf, png, eps, tiff"):
        api.forest_plot(api.pool(trials(), "risk_ratio"), tmp_path / "forest.docx")
    assert not [*tmp_path.iterdir()]


def test_a_funnel_plot_has_the_pooled_result_and_each_arm_on_its_side(tmp_path):
    pooled = api.pool(trials(), "risk_ratio")
    chart = api.funnel_plot(pooled, arms=("Dual", "Single"), better="fewer")
    words = read_svg(api.save_chart(chart, tmp_path / "funnel.svg")).words
    side = {word.text.strip("← →"): word.x for word in words if "Favours" in word.text}
    assert side["Favours dual"] < side["Favours single"]
    assert f"Pooled: {pooled.lead['estimate']:.2f}" in {word.text for word in words}


# ------------------------------------------------------------------------- manual and installation


def test_the_examples_of_the_manual_run_and_print_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text(encoding="utf-8")
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            exec(compile(example, str(DOCS), "exec"), names)
    shown = re.findall(r"^    (Risk ratio .*|data frame.*)$", text, re.MULTILINE)
    assert len(shown) == 2
    assert [line for line in shown if line not in printed.getvalue().splitlines()] == []
    assert check_svg(tmp_path / "funnel.svg") == []
    assert read_svg(tmp_path / "funnel.svg").title == "Small and large trials"
    assert (tmp_path / "forest.png").stat().st_size > 10_000


def test_the_api_imports_nothing_slow_before_it_is_used():
    slow = {"scipy", "pydantic", "pymare", "statsmodels", "matplotlib", "plotnine", "snakemake"}
    for module, heavy in {"trial_evidence": slow | {"pandas"}, "trial_evidence.api": slow}.items():
        code = f"import sys, {module}; print(sorted(set(sys.modules) & {heavy!r}))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == "[]", module


def test_the_package_carries_every_folder_that_the_library_reads():
    """Otherwise a command would work in the repository but fail when installed."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    carried = wheel["build"]["targets"]["wheel"]["force-include"]
    read = {
        name
        for path in (ROOT / "workflow/trial_evidence").rglob("*.py")
        for name in re.findall(r'supplied\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert read == {"dictionary", "report"}
    assert carried == {f"workflow/{name}": f"trial_evidence/workflow/{name}" for name in read}
    assert [name for name in read if not supplied(name).is_dir()] == []
