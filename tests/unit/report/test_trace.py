"""Every result leads back to its cells, and its formula is correct."""

import math
import re
from statistics import NormalDist

import pandas as pd
import pytest
from trial_evidence.files import records
from trial_evidence.report.trail.evidence import NetworkTables
from trial_evidence.report.trail.formulas import effect_size_in_words
from trial_evidence.report.trail.trace import TRACE_COLUMNS, network_trail, trail_of


@pytest.fixture(scope="module")
def trace(pooled):
    _, configuration, evidence = pooled
    return records(trail_of(evidence, configuration).table())


def of(trace, analysis, measure, subgroup, plotted, trial_id=None):
    """The rows of the trace with these values."""
    wanted = (analysis, measure, subgroup, plotted)
    return [
        row
        for row in trace
        if (row["analysis"], row["measure"], row["subgroup"], row["plotted"]) == wanted
        and trial_id in (None, row["trial_id"])
    ]


def effect_of(trace, analysis, measure, trial_id, subgroup="all", plotted="trial"):
    (row,) = of(trace, analysis, measure, subgroup, plotted, trial_id)
    return row["effect_size"]


# ------------------------------------------------------------------------------------ the cells

PCR = "pcr_dual_v_trastuzumab"
EFS, PFS = "event_free_dual_v_single", "progression_free_dual_v_single"


def test_the_columns(trace):
    assert list(trace[0]) == TRACE_COLUMNS


@pytest.mark.parametrize(
    ("analysis", "measure", "subgroup", "plotted", "trial_id", "cells"),
    [
        # Rows of tests/sheets/valid as a spreadsheet numbers them, experimental arm first.
        (PCR, "risk_ratio", "all", "trial", "trial_a", "pcr.csv rows 2, 5"),
        (PCR, "odds_ratio", "hormone_receptor=negative", "trial", "trial_a", "pcr.csv rows 4, 7"),
        (PCR, "risk_difference", "all", "trial", "trial_d", "pcr.csv rows 22, 23"),
        (EFS, "hazard_ratio", "all", "trial", "trial_c", "hazard_ratios.csv row 4"),
        (PFS, "hazard_ratio", "all", "trial", "trial_h", "hazard_ratios.csv row 15"),
        ("pcr_rates", "proportion", "hormone_receptor=negative",
         "Lapatinib + trastuzumab alone", "cohort_e", "pcr.csv row 24"),
    ],
)  # fmt: skip
def test_a_trial_leads_to_its_rows(trace, analysis, measure, subgroup, plotted, trial_id, cells):
    (row,) = of(trace, analysis, measure, subgroup, plotted, trial_id)
    assert row["cells"] == cells


@pytest.mark.parametrize(
    ("analysis", "measure", "subgroup", "plotted", "cells"),
    [
        (PCR, "risk_ratio", "all", "random_reml_hk",
         "pcr.csv rows 2, 5; pcr.csv rows 11, 12; pcr.csv rows 13, 16"),
        (PCR, "risk_ratio", "added_agents=pertuzumab", "bayesian",
         "pcr.csv rows 2, 5; pcr.csv rows 11, 12"),
        # One level: only the rows of that level, not those of all patients.
        (PCR, "odds_ratio", "hormone_receptor=positive", "bayesian",
         "pcr.csv rows 3, 6; pcr.csv rows 14, 17"),
        # The difference between the levels depends on both.
        (PCR, "ratio_of_risk_ratios", "hormone_receptor", "bayesian",
         "pcr.csv rows 4, 7; pcr.csv rows 3, 6; pcr.csv rows 15, 18; pcr.csv rows 14, 17"),
        ("pcr_rates", "proportion", "hormone_receptor=negative",
         "Trastuzumab with chemotherapy, bayesian",
         "pcr.csv row 7; pcr.csv row 18"),
        (PFS, "hazard_ratio", "hormone_receptor=negative", "bayesian",
         "hazard_ratios.csv row 21; hazard_ratios.csv row 23"),
        ("overall_survival_dual_v_single", "hazard_ratio", "added_agents=tucatinib",
         "single_trial", "hazard_ratios.csv row 28"),
    ],
)  # fmt: skip
def test_a_pooled_result_leads_to_the_rows_of_its_trials(
    trace, analysis, measure, subgroup, plotted, cells
):
    assert {row["cells"] for row in of(trace, analysis, measure, subgroup, plotted)} == {cells}


def test_every_named_row_is_of_that_trial(trace, pooled):
    sheet = pooled[0]
    for row in trace:
        trials = set()
        for table, numbers in re.findall(r"(\w+)\.csv rows? ([\d, ]+)", row["cells"]):
            frame = sheet[table].set_index("row")
            trials |= {frame.loc[int(number), "trial_id"] for number in numbers.split(", ")}
        assert trials == set(row["trial_id"].split(";")), row


def test_every_result_is_traced(trace, pooled):
    evidence = pooled[2]
    shown = [
        (row["estimate"], row["low"], row["high"])
        for row in trace
        if row["plotted"] != "subgroup_difference"
    ]
    results = [
        (record["estimate"], record[low], record[high])
        for table, low, high in (
            (evidence.trials, "estimate_low", "estimate_high"),
            (evidence.rates, "estimate_low", "estimate_high"),
            (evidence.estimates[evidence.estimates["estimate"].notna()], "ci_low", "ci_high"),
        )
        for record in records(table)
    ]
    assert len(results) > 150
    assert list(map(repr, shown)) == list(map(repr, results))


def test_what_figures_print_beside_an_estimate_is_traced(trace, pooled):
    columns = ["pi_low", "pi_high", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p"]
    estimates = pooled[2].estimates
    tests = estimates["model"] == "subgroup_difference"
    printed = records(estimates[estimates["estimate"].notna() | tests])
    found = [row for row in trace if not math.isnan(row["k"])]
    assert [[repr(row[c]) for c in columns] for row in found] == [
        [repr(row[c]) for c in columns] for row in printed
    ]
    assert all(row["cells"] for row in found)


def arm(trial, code, events, rows, **more):
    return {
        "setting": "early", "network": "net", "trial_id": trial, "regimen": code, "code": code,
        "against_code": "", "arm_ids": f"{trial}_{code}", "hr": math.nan, "events": events,
        "n": 100.0, "ci_low": math.nan, "ci_high": math.nan, "yi": math.nan, "vi": math.nan,
        "rows": rows, "endpoint": "pcr",
    } | more  # fmt: skip


def test_a_network_leads_to_the_rows_of_its_own_part_and_synergy_to_its_own_arms(pooled):
    used = [
        arm("one", "A", 20.0, "2"), arm("one", "B", 30.0, "3"), arm("one", "A+B", 40.0, "4"),
        arm("one", "C", 10.0, "5"), arm("two", "D", 20.0, "6"), arm("two", "E", 30.0, "7"),
    ]  # fmt: skip
    parts = {"A": "1", "B": "1", "A+B": "1", "C": "1", "D": "2", "E": "2"}
    about = {"setting": "early", "network": "net", "analysis": "net"}
    ends = {"estimate": 1.5, "ci_low": 1.2, "ci_high": 1.9}
    tables = {
        "used": used,
        "nodes": [{"regimen": regimen, "part": part} for regimen, part in parts.items()],
        "summary": [
            {"part": part, "measure": "odds_ratio", "trials": 1.0, "i2": 0.0, "q": 0.0,
             "q_df": 0.0, "q_p": 1.0} for part in ("1", "2")
        ],
        "intervals": [{"part": part, "model": "common", "tau2": 0.0} for part in ("1", "2")],
        "reference": [
            about | ends | {"part": part, "code": code, "reference": other, "model": "common"}
            for part, code, other in (("1", "B", "A"), ("2", "E", "D"))
        ],
        "components": [], "interactions": [],
        "synergy": [
            about | ends | {"trial_ids": "one", "arm_ids": "one_A;one_B;one_A+B", "trial": "ONE",
                            "background": math.nan, "scale": "bliss", "note": ""}
        ],
    }  # fmt: skip
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    trail = network_trail(NetworkTables({"early/net": frames}, ()), pooled[1])
    cells = {shown.plotted: "; ".join(map(str, shown.cells)) for shown in trail.shown}
    assert cells["A+B"] == "pcr.csv row 4"
    assert cells["B v A, common"] == "; ".join(f"pcr.csv row {row}" for row in (2, 3, 4, 5))
    assert cells["E v D, common"] == "pcr.csv row 6; pcr.csv row 7"
    assert cells["ONE"] == "; ".join(f"pcr.csv row {row}" for row in (2, 3, 4))


def test_each_effect_of_a_pair_leads_to_the_rows_of_its_own_table(pooled):
    pair = {
        "setting": "early", "analysis": "surrogacy", "trial_id": "one", "regimen": "A+B",
        "against": "A", "odds_ratio": 2.0, "odds_low": 1.2, "odds_high": 3.3, "hazard_ratio": 0.7,
        "hazard_low": 0.5, "hazard_high": 0.98, "pcr_rows": "4;2", "hazard_ratios_rows": "9",
    }  # fmt: skip
    trail = network_trail(NetworkTables({}, (pd.DataFrame([pair]),)), pooled[1])
    traced = [shown.traced() for shown in trail.shown]
    told = [(row["measure"], row["estimate"], row["low"], row["cells"]) for row in traced]
    assert told == [
        ("odds_ratio", 2.0, 1.2, "pcr.csv rows 4, 2"),
        ("hazard_ratio", 0.7, 0.5, "hazard_ratios.csv row 9"),
    ]


def test_a_trial_that_is_not_pooled_says_so(trace):
    (row,) = of(trace, PCR, "risk_ratio", "all", "trial", "trial_d")
    assert row["pooled"] == "no"
    assert math.isnan(row["weight"])


# ----------------------------------------------------------------------- the formulas, by hand


def about(text):
    return pytest.approx(float(text), abs=0.00005000001)


def test_a_risk_ratio(trace):
    # Trial A: 42 of 105 versus 23 of 105.
    assert effect_of(trace, PCR, "risk_ratio", "trial_a") == (
        "log((42/105) / (23/105)) = 0.6022; v = 1/42 - 1/105 + 1/23 - 1/105 = 0.0482"
    )
    assert math.log(42 / 23) == about("0.6022")
    assert about("0.0482") == 1 / 42 - 1 / 105 + 1 / 23 - 1 / 105


def test_an_odds_ratio(trace):
    # 105 - 42 = 63 and 105 - 23 = 82 without response.
    assert effect_of(trace, PCR, "odds_ratio", "trial_a") == (
        "log((42 x 82) / (63 x 23)) = 0.8658; v = 1/42 + 1/63 + 1/23 + 1/82 = 0.0954"
    )
    assert math.log(42 * 82 / (63 * 23)) == about("0.8658")
    assert about("0.0954") == 1 / 42 + 1 / 63 + 1 / 23 + 1 / 82


def test_a_risk_difference(trace):
    assert effect_of(trace, PCR, "risk_difference", "trial_a") == (
        "42/105 - 23/105 = 0.1810; v = 42 x 63 / 105^3 + 23 x 82 / 105^3 = 0.0039"
    )
    assert about("0.1810") == 42 / 105 - 23 / 105
    assert about("0.0039") == 42 * 63 / 105**3 + 23 * 82 / 105**3


def test_an_empty_cell(trace):
    # Trial D: 0 of 20 versus 8 of 25, with 0.5 added to the four cells 0, 20, 8 and 17.
    assert effect_of(trace, PCR, "risk_ratio", "trial_d") == (
        "log((0.5/21) / (8.5/26)) = -2.6196; v = 1/0.5 - 1/21 + 1/8.5 - 1/26 = 2.0316; "
        "0.5 added to each cell"
    )
    assert math.log((0.5 / 21) / (8.5 / 26)) == about("-2.6196")
    assert about("2.0316") == 1 / 0.5 - 1 / 21 + 1 / 8.5 - 1 / 26


def test_a_proportion(trace):
    text = effect_of(
        trace, "pcr_rates", "proportion", "cohort_e", plotted="Lapatinib + trastuzumab alone"
    )
    assert text == "log(17/47) = -1.0169; v = 1/17 + 1/47 = 0.0801"
    assert math.log(17 / 47) == about("-1.0169")
    assert about("0.0801") == 1 / 17 + 1 / 47


def test_a_proportion_without_an_event(trace):
    text = effect_of(
        trace, "pcr_rates", "proportion", "trial_d",
        plotted="Pyrotinib + trastuzumab with chemotherapy",
    )  # fmt: skip
    assert text == "log(0.5/20.5) = -3.7136; v = 1/0.5 + 1/20.5 = 2.0488; 0.5 added to each cell"
    assert math.log(0.5 / 20.5) == about("-3.7136")
    assert about("2.0488") == 1 / 0.5 + 1 / 20.5


def test_a_hazard_ratio_by_its_interval(trace):
    assert effect_of(trace, EFS, "hazard_ratio", "trial_f") == (
        "log 0.8 = -0.2231; SE = (log 0.95 - log 0.67) / (2 x 1.960) = 0.0891"
    )
    assert math.log(0.8) == about("-0.2231")
    assert math.log(0.95 / 0.67) / (2 * 1.959964) == about("0.0891")


def test_an_interval_at_its_own_level(trace):
    # 97.5%: the normal quantile of 0.9875 is 2.2414.
    assert effect_of(trace, EFS, "hazard_ratio", "trial_g") == (
        "log 0.86 = -0.1508; SE = (log 1.04 - log 0.71) / (2 x 2.241) = 0.0852"
    )
    assert math.log(1.04 / 0.71) / (2 * 2.241403) == about("0.0852")


def test_a_lower_limit_alone():
    record = {"measure": "hazard_ratio", "hr": 0.8, "ci_low": 0.6, "ci_level": 90.0,
              "se_source": "lower limit", "inverted": "", "yi": math.log(0.8),
              "vi": (math.log(0.8 / 0.6) / 1.644854) ** 2}  # fmt: skip
    assert effect_size_in_words(record) == (
        "log 0.8 = -0.2231; SE = (log 0.8 - log 0.6) / 1.645 = 0.1749"
    )
    assert math.log(0.8 / 0.6) / 1.644854 == about("0.1749")


def test_a_trial_without_an_effect_says_why():
    assert effect_size_in_words({"yi": math.nan, "not_pooled_reason": "Too odd."}) == "Too odd."


def test_an_upper_limit_alone(trace):
    assert effect_of(trace, PFS, "hazard_ratio", "trial_m") == (
        "log 0.8 = -0.2231; SE = (log 1.02 - log 0.8) / 1.645 = 0.1477"
    )
    assert math.log(1.02 / 0.8) / 1.644854 == about("0.1477")


def test_a_p_value(trace):
    # Two-sided: the normal quantile of 1 - 0.00005 is 3.8906.
    assert effect_of(trace, PFS, "hazard_ratio", "trial_j") == (
        "log 0.5 = -0.6931; SE = |log 0.5| / z(p = 0.0001) = 0.1782"
    )
    assert -math.log(0.5) / NormalDist().inv_cdf(1 - 0.00005) == about("0.1782")


def test_events(trace):
    assert effect_of(trace, PFS, "hazard_ratio", "trial_n") == (
        "log 0.74 = -0.3011; SE = sqrt(1/60 + 1/80) = 0.1708"
    )
    assert math.sqrt(1 / 60 + 1 / 80) == about("0.1708")


def test_a_ratio_printed_the_other_way_round(trace):
    assert effect_of(trace, PFS, "hazard_ratio", "trial_k") == (
        "-log 1.79 = -0.5822; SE = (log 2.27 - log 1.41) / (2 x 1.960) = 0.1215"
    )
    assert -math.log(1.79) == about("-0.5822")
    assert math.log(2.27 / 1.41) / (2 * 1.959964) == about("0.1215")


def test_every_formula_is_true(trace):
    checked = [_worked_out(row["effect_size"]) for row in trace if " = " in row["effect_size"]]
    checked = [pair for pairs in checked for pair in pairs]
    assert len(checked) > 150
    for formula, value, printed in checked:
        # Quantiles are printed to three decimals.
        slack = 0.0005 * abs(value) if " x 1.9" in formula or " x 2.2" in formula else 1e-9
        assert abs(value - float(printed)) <= 0.00005 + slack, formula


def _worked_out(text):
    """Each equation: formula, its value calculated by Python, printed value."""
    for part in text.split("; "):
        part = re.sub(r"^(v|SE) = ", "", part)
        if part.startswith("|log"):
            # The formula does not say whether p is one- or two-sided; it is tested above.
            continue
        formula, equals, printed = part.partition(" = ")
        if not equals or "(p" in part or "F(" in part:
            continue
        code = re.sub(r"log ([\d.]+)", r"math.log(\1)", formula)
        code = code.replace("log(", "math.log(").replace("math.math.", "math.")
        code = code.replace("sqrt", "math.sqrt").replace("^", "**").replace(" x ", " * ")
        yield formula, eval(code, {"math": math}), printed
