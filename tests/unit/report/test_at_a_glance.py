"""The page and the summary: the estimates they show, and their wording."""

from dataclasses import replace

import pandas as pd
import pytest
from invented import PCR, RATES, RECEPTOR, SETTING, analysis, configuration
from trial_evidence.pool.columns import ESTIMATE_COLUMNS
from trial_evidence.report.files.at_a_glance import at_a_glance, summary_lines

TIMED = analysis(title="Dual | single")
COUNTED = analysis(**PCR, id="response", title="Response", effect_modifiers=(RECEPTOR,))
APART = analysis(id="apart", title="Apart", pool="within_subgroups")
SINGLE = analysis(id="one_by_one", title="One by one", pool="none")

BASE = {
    "setting": SETTING, "analysis": "comparison", "outcome": "PFS", "measure": "hazard_ratio",
    "experimental": "Almab + bemab", "control": "Almab", "subgroup": "all",
    "model": "random_reml_hk", "k": 3.0, "participants": 600.0, "estimate": 0.625,
    "ci_low": 0.4, "ci_high": 0.875, "ci_level": 95.0, "pi_low": 0.3, "pi_high": 1.2,
    "role": "lead", "trials": "t1;t2;t3", "remark": "",
}  # fmt: skip
FIGURES = pd.DataFrame(
    {"setting": [SETTING], "analysis": ["comparison"], "figure": ["comparison/forest"]}
)
NAMES = {"t1": "TRIAL-1", "t2": "TRIAL-2"}


def estimates(*rows):
    table = pd.DataFrame([BASE | row for row in rows], columns=ESTIMATE_COLUMNS)
    numbers = ["k", "participants", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_value"]
    return table.astype(dict.fromkeys(numbers, float))


def summary(*rows, of=(TIMED,), rates=()):
    text = summary_lines(estimates(*rows), NAMES, configuration(*of, rates=rates))
    return [" ".join(line.split()) for line in text.splitlines()]


def page(*rows, of=(TIMED,), rates=()):
    wanted = configuration(*of, rates=rates)
    return at_a_glance(estimates(*rows), FIGURES, NAMES, wanted).splitlines()


def cells(row):
    return [cell.strip() for cell in row.replace("\\|", "/").strip("|").split("|")]


@pytest.mark.parametrize(("role", "shown"), [("lead", 1), ("co-primary", 1), ("", 0)])
def test_only_leading_and_co_primary_models_are_shown(role, shown):
    assert sum("0.63" in line for line in page({"role": role})) == shown


# -------------------------------------------------------------------------------------- summary


def test_an_analysis_has_one_line():
    assert summary({}) == [
        "Early disease",
        "comparison: k = 3, HR 0.63 (0.40–0.88) results/early/comparison/",
        "",
        "On one page: results/at-a-glance.md. Every number: results/estimates.csv.",
    ]


def test_the_summary_shows_the_first_measure():
    both = {"analysis": "response", "measure": "risk_ratio"}, {
        "analysis": "response", "measure": "odds_ratio", "estimate": 3.0,
    }  # fmt: skip
    assert summary(*both, of=(COUNTED,))[1].startswith("response: k = 3, RR 0.63")


def test_the_co_primary_result_follows_the_leading_one():
    """Where the intervals of the two disagree on no effect, the first alone would mislead."""
    second = {"model": "bayesian", "role": "co-primary", "estimate": 0.7, "ci_high": 1.05}
    assert summary(second, {}, {"role": "", "estimate": 0.5})[1:3] == [
        "comparison: k = 3, HR 0.63 (0.40–0.88) results/early/comparison/",
        "Bayesian, cautious prior (co-primary): HR 0.70 (0.40–1.05) results/early/comparison/",
    ]


def test_subgroups_that_are_not_pooled_have_a_line_each():
    rows = [{"analysis": "apart", "subgroup": f"added_agents={a}"} for a in ("bemab", "cetinib")]
    lines = summary(*rows, of=(APART,))
    assert [line.partition(":")[0] for line in lines[1:3]] == ["apart, bemab", "apart, cetinib"]


def test_trials_that_are_not_pooled_have_a_line_each():
    rows = [
        {"analysis": "one_by_one", "subgroup": f"trial={x}", "model": "single_trial", "k": 1}
        for x in NAMES
    ]
    lines = summary(*rows, of=(SINGLE,))
    assert [line.partition(": k")[0] for line in lines[1:3]] == [
        "one_by_one, TRIAL-1", "one_by_one, TRIAL-2",
    ]  # fmt: skip


def test_harms_are_counted_if_a_trial_reported_them():
    """Eleven kinds of harm in the summary, and seven on the page, would puzzle a reader."""
    harms = [analysis(id=name, harm=True) for name in ("rash", "nausea", "fever")]
    found = [{"analysis": harms[0].id}, {"analysis": harms[1].id, "model": "no_trial", "role": ""}]
    assert summary(*found, of=harms)[1] == "harms: 1 kind results/early/harms/"


def test_an_analysis_without_trials_says_so():
    none = {"model": "no_trial", "role": "", "k": 0.0, "estimate": None}
    assert summary(none)[1] == "comparison: no trial qualifies results/early/comparison/"


def test_rates_are_counted_by_regimen():
    rows = [
        {"analysis": "rates", "measure": "proportion", "experimental": name, "subgroup": subgroup}
        for name in ("Almab", "Bemab")
        for subgroup in ("all", "receptor=negative")
    ]
    assert summary(*rows, of=(), rates=[RATES])[1] == "rates: 2 regimens results/early/rates/"


# ----------------------------------------------------------------------------------------- page


def test_the_rates_of_a_regimen_stand_together():
    pooled = [("Almab", "all"), ("Bemab", "all"), ("Almab", "receptor=negative")]
    rows = [
        {"analysis": "rates", "measure": "proportion", "experimental": name, "subgroup": subgroup}
        for name, subgroup in pooled
    ]
    lines = [cells(line) for line in page(*rows, of=(), rates=[RATES])]
    shown = [row[0] for row in lines if row[0] in ("Almab", "Bemab")]
    assert shown == ["Almab", "Almab", "Bemab"]


def test_a_row_of_the_page():
    (row,) = [line for line in page({}) if "HR" in line or "0.63" in line]
    assert cells(row) == [
        "Dual / single", "all", "3", "600", "Hazard ratio 0.63 (0.40–0.88)", "0.30–1.20",
        "REML, floored Hartung–Knapp", "[forest](early/comparison/forest.svg)",
    ]  # fmt: skip


def test_every_table_of_the_page_has_rows_of_one_length():
    rows = [{}, {"subgroup": "receptor=negative"}, {"model": "bayesian", "role": "co-primary"}]
    test = {
        "model": "subgroup_difference", "subgroup": "added_agents", "role": "", "p_value": 0.0412,
        "remark": "F(1, 1) = 5.00; some method",
    }  # fmt: skip
    tables = [line for line in page(*rows, test) if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in tables}) == 1


def test_the_title_stands_once():
    lines = page({}, {"subgroup": "added_agents=bemab"})
    assert sum("Dual \\| single" in line for line in lines) == 1
    assert any("bemab added" in line for line in lines)


def test_a_trial_goes_by_its_name():
    (row,) = [x for x in page({"subgroup": "trial=t1"}) if "0.63" in x]
    assert cells(row)[1] == "TRIAL-1"


def test_some_patients_of_one_trial_are_told_from_all_of_them():
    (row,) = [x for x in page({"subgroup": "receptor=negative & trial=t1"}) if "0.63" in x]
    assert cells(row)[1] == "TRIAL-1, receptor: negative"


def test_a_figure_of_another_setting_is_not_linked():
    other = pd.DataFrame(
        {"setting": ["late"], "analysis": ["comparison"], "figure": ["comparison/funnel"]}
    )
    text = at_a_glance(estimates({}), pd.concat([FIGURES, other]), NAMES, configuration(TIMED))
    assert "forest.svg" in text
    assert "funnel" not in text


def test_the_page_tells_the_level_of_its_intervals():
    wanted = replace(configuration(TIMED), confidence_level=90.0)
    text = at_a_glance(estimates({}), FIGURES, NAMES, wanted)
    assert "with its 90% interval" in text
    assert "PI: 90% prediction interval" in text


def test_a_test_between_subgroups_is_shown_with_its_p_value():
    test = {
        "model": "subgroup_difference", "subgroup": "added_agents", "role": "", "p_value": 0.0415,
        "remark": "F(1, 1) = 5.00; some method",
    }  # fmt: skip
    assert any(
        "test: added agents" in x and "F(1, 1) = 5.00, p = 0.04" in x for x in page({}, test)
    )


def test_a_test_that_was_not_made_has_no_p_value():
    test = {
        "model": "subgroup_difference", "subgroup": "added_agents", "role": "", "p_value": None,
        "remark": "Not tested: too few trials",
    }  # fmt: skip
    (line,) = [x for x in page({}, test) if "test: added agents" in x]
    assert "Not tested: too few trials" in line
    assert "p =" not in line


def test_a_pool_without_prediction_interval_shows_none():
    (row,) = [x for x in page({"pi_low": None, "pi_high": None}) if "0.63" in x]
    assert cells(row)[5] == ""


def test_an_unknown_number_of_patients_is_left_empty():
    (row,) = [x for x in page({"participants": None}) if "0.63" in x]
    assert cells(row)[3] == ""


def test_rates_are_shown_in_percent():
    row = {
        "analysis": "rates", "measure": "proportion", "estimate": 0.465, "ci_low": 0.401,
        "ci_high": 0.529, "pi_low": 0.2, "pi_high": 0.7,
    }  # fmt: skip
    assert "| Almab + bemab | all | 3 | 600 | 47 (40–53) | 20–70 |" in page(
        row, of=(), rates=[RATES]
    )


def test_an_analysis_without_trials_stands_on_the_page():
    none = {"model": "no_trial", "role": "", "k": 0.0, "estimate": None}
    assert any("no trial qualifies" in line for line in page(none))
