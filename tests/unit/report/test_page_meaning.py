"""The finished page has the right result under each heading: no columns are swapped.

The page is read as text. Expected cells are worked out here from results/*.csv, without the page's
code; the tables of networks and sensitivity are handwritten, with a different number in each cell.
"""

import csv
import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from finished_page import read_page
from invented import outcomes
from report_material import material
from small_project import evidence_of, replace_text, small_project
from trial_evidence.config.networks import Network, NetworkConfiguration, SurrogacyAnalysis
from trial_evidence.report.page.page import page
from trial_evidence.report.page.sections import page_settings
from trial_evidence.report.trail.trace import trail_of

NETWORKS = NetworkConfiguration(
    {}, {},
    (Network("net", "neoadjuvant", "A network", outcomes("pcr"), "odds_ratio", "one|two|none"),),
    (), (SurrogacyAnalysis("both", "neoadjuvant", "One by the other", "net", "net", (0.0,)),),
)  # fmt: skip
NET, NET_ID = "network/net", "network-neoadjuvant-net"
BOTH, BOTH_ID = "network/both", "network-neoadjuvant-both"
PCR, PCR_ID = "sensitivity", "neoadjuvant-pcr-dual-v-trastuzumab"
OF_PCR = "setting,analysis,measure", "neoadjuvant,pcr_dual_v_trastuzumab,risk_ratio"

# File, its header and one row; section and caption in the page; expected text below each heading.
# Numbers are written in the file as printed in the page.
WRITTEN = [
    (
        NET, "split", "part,first,second,trials,direct_share,direct,direct_low,direct_high,"
        "indirect,indirect_low,indirect_high,difference,difference_low,difference_high,"
        "difference_p,reason",
        "1,A,B,7,0.37,1.11,1.02,1.21,0.71,0.52,0.93,1.56,1.31,1.87,0.23,few trials",
        NET_ID, "Direct versus indirect evidence (odds ratios)",
        {"Comparison": "A v B", "Trials": "7", "Direct share": "37%", "Direct": "1.11 (1.02–1.21)",
         "Indirect": "0.71 (0.52–0.93)", "Ratio": "1.56 (1.31–1.87)", "p": "0.23",
         "Remark": "few trials"},
    ),
    (
        NET, "components", "component,model,trials,estimate,ci_low,ci_high,p_value,tau2,reason",
        "Alpha,random_reml,4,2.34,1.23,4.45,0.03,0.567,one arm",
        NET_ID, "Additive components",
        {"Model": "Random effects", "Component": "Alpha", "Trials with and without it": "4",
         "Odds ratio (interval)": "2.34 (1.23–4.45)", "p": "0.03", "Remark": "One arm"},
    ),
    (
        NET, "interactions", "first,second,trials_with,trials_against_part,trials_alone,"
        "identified_by,estimate,ci_low,ci_high,p_value,tau2,posterior_median,posterior_low,posterior_high,probability_of_synergy,"
        "confounded_with,reason",
        "Alpha,Beta,6,2,1,TRIAL-Z,1.44,0.94,2.21,0.09,0.1,1.33,0.88,2.01,0.87,Gamma,few",
        NET_ID, "Joint effects beyond the sum of the two components",
        {"Pair": "Alpha × Beta", "Trials with the pair": "6",
         "Trials comparing the pair with a part of it": "2",
         "Trials that show it by themselves": "1", "Identified by": "TRIAL-Z",
         "Ratio of odds ratios (interval)": "1.44 (0.94–2.21)", "p": "0.09",
         "Bayesian (interval)": "1.33 (0.88–2.01)", "Probability of synergy": "87%",
         "Indistinguishable from": "Gamma", "Remark": "Few"},
    ),
    (
        NET, "additivity", "part,kind,code,reference,observed,observed_low,observed_high,"
        "predicted,predicted_low,predicted_high,ratio,ratio_low,ratio_high,statistic,df,p_value,"
        "reason",
        "1,regimen,B,A,1.91,1.51,2.41,1.61,1.31,1.99,1.19,0.99,1.41,,,0.13,note",
        NET_ID, "Observed in the network and predicted by the additive model",
        {"Regimen": "B", "Reference": "A", "Observed": "1.91 (1.51–2.41)",
         "Predicted": "1.61 (1.31–1.99)", "Ratio": "1.19 (0.99–1.41)", "p": "0.13",
         "Remark": "note"},
    ),
    (
        NET, "inconsistency", "part,kind,design,trials,q,df,p_value,tau2,reason",
        "1,between designs,A:B:C,9,12.34,5,0.34,0.123,why not",
        NET_ID, "Heterogeneity and inconsistency (decomposition of Q)",
        {"Part": "Part 1", "Source of variation": "between designs", "Design": "A:B:C",
         "Trials": "9", "Q": "12.34", "df": "5", "p": "0.34", "τ²": "0.123",
         "Remark": "why not"},
    ),
    (
        NET, "intervals", "part,model,role,interval,tau2,df,variance_factor,prior,reason",
        "1,bayesian,co-primary,shortest,0.041,3,1.21,half-normal(0.5),few",
        NET_ID, "What the models assume, and which leads",
        {"Model": "Bayesian, cautious prior (co-primary)", "Interval": "shortest", "τ²": "0.041",
         "df": "3", "Factor of variances": "1.21", "Prior of τ": "half-normal(0.5)",
         "Remark": "few"},
    ),
    (
        NET, "alternatives", "comparator,code,part,lead,estimate,ci_low,ci_high,"
        "probability_of_benefit,random_reml,random_reml_low,random_reml_high,random_reml_hk,"
        "random_reml_hk_low,random_reml_hk_high,bayesian_empirical,bayesian_empirical_low,"
        "bayesian_empirical_high,bayesian,bayesian_low,bayesian_high,direct_trials,"
        "direct_share,indirect_share,path,weakest_link,weakest_trials,weakest_share,"
        "without_weakest,disagreement,years,transitivity,reason",
        "C,B,1,bayesian,1.41,0.91,2.21,0.93,1.42,1.12,1.82,1.43,0.83,2.43,1.44,0.96,2.16,"
        "1.41,0.91,2.21,2,0.31,"
        "0.69,B – A – C,A v C,TRIAL-Y,0.62,1.7,A v C: x,2011–2019,phase differs,none",
        NET_ID, "Dual regimens against current alternatives (odds ratios)",
        {"Against": "Against C", "Dual regimen": "B", "Wald": "1.12–1.82",
         "Main model (interval)": "1.41 (0.91–2.21)", "Hartung–Knapp type": "0.83–2.43",
         "Bayesian, empirical prior": "0.96–2.16",
        "Bayesian, cautious prior": "0.91–2.21", "Probability of benefit": "93%", "Direct": "31%",
         "Indirect": "69%",
         "Path": "B – A – C",
         "Weakest link": "A v C", "Its trials": "TRIAL-Y", "Its share of the uncertainty": "62%",
         "Standard error without it (multiple)": "1.7", "Trials that disagree": "A v C: x",
         "Reports": "2011–2019", "Trials on the path differ in": "phase differs", "Remark": "none"},
    ),
    (
        NET, "synergy", "label,background,agents,kind,trial,response_first,response_second,"
        "observed,expected,model,k,estimate,ci_low,ci_high,probability_of_synergy,note,reason",
        "Excess,0.11,Alpha + Beta,trial,TRIAL-Z,0.21,0.31,0.51,0.41,,,1.21,1.01,1.51,0.91,n,r",
        NET_ID, "Synergy, by trial",
        {"Scale": "Excess", "Agents": "Alpha + Beta", "Trial": "TRIAL-Z",
         "Responses in the single arms": "21% and 31%", "Observed": "51%", "Expected": "41%",
         "Response to partner alone": "11%",
         "Effect beyond expectation (interval)": "1.21 (1.01–1.51)",
         "Probability of synergy": "91%", "Remark": "n r"},
    ),
    (
        NET, "transitivity", "first,second,trial,year,phase,blinded,outcome,population_analysed,"
        "patients_enrolled,region",
        "A,B,TRIAL-Z,2019.0,3,yes,pCR,ITT,stage II,Europe",
        NET_ID, "Patients and outcome assessment, by comparison",
        {"Comparison": "A v B", "Trial": "TRIAL-Z", "Year": "2019", "Phase": "3",
         "Blinded": "yes", "Outcome": "pCR", "Population analysed": "ITT", "Patients": "stage II",
         "Region": "Europe"},
    ),
    (
        NET, "used", "trial,code,against_code,events,n,hr,ci_low,ci_high,endpoint,definition,"
        "population,assessor,source_id,locator,verification,note,readers_differ,"
        "exclusion_overridden",
        "TRIAL-Z,B,A,42.0,107.0,,,,pCR,local,ITT,central,nobody_2020,Table 3,primary,a,b,c",
        NET_ID, "Rows used",
        {"Trial": "TRIAL-Z", "Regimen": "B v A", "Result": "42/107", "Outcome and analysis":
         "pCR; local; ITT; central", "Source and location": "nobody_2020, Table 3",
         "Verification": "primary", "Note": "a. b. c"},
    ),
    (
        NET, "reference", "part,code,reference,model,role,estimate,ci_low,ci_high,pi_low,pi_high,"
        "direct_trials,p_score,p_value,probability_of_benefit",
        "1,B,A,random_reml,lead,1.71,1.21,2.42,0.91,3.21,3,0.81,0.01,",
        NET_ID, "Regimens compared with the reference, by P-score",
        {"Code": "B", "Regimen": "Beta alone", "Trials": "5", "Patients": "1,321",
         "Odds ratio v reference (interval)": "1.71 (1.21–2.42)",
         "Prediction interval": "0.91–3.21", "Direct trials": "3", "P-score": "0.81",
         "Mean rank": "1.4"},
    ),
    (
        BOTH, "trials", "trial,regimen,against,patients,odds_ratio,odds_low,odds_high,"
        "hazard_ratio,hazard_low,hazard_high,endpoint,leverage,note",
        "TRIAL-Z,Alpha,Beta,417,2.11,1.41,3.16,0.61,0.41,0.91,EFS,0.37,doubtful arms",
        BOTH_ID, "Trials with both results",
        {"Trial": "TRIAL-Z", "Regimen": "Alpha", "Against": "Beta", "Patients": "417",
         "Odds ratio": "2.11 (1.41–3.16)", "Hazard ratio": "0.61 (0.41–0.91)",
         "Endpoint": "EFS", "Leverage": "0.37", "Note": "doubtful arms"},
    ),
    (
        BOTH, "models", "model,weighting,within_correlation,without,k,slope,slope_low,slope_high,"
        "slope_p,r2,r2_low,r2_high,threshold_odds_ratio,note,reason",
        "line,patients,0.5,TRIAL-Y,8,0.44,0.14,0.74,0.02,0.55,0.15,0.85,3.33,n,r",
        BOTH_ID, "Effect on the outcome as a function of the effect on the surrogate",
        {"Model": "Line", "Weights": "patients", "Correlation within trials": "0.5",
         "Trial left out": "TRIAL-Y", "k": "8", "Slope (interval)": "0.44 (0.14–0.74)", "p": "0.02",
         "R² (interval)": "0.55 (0.15–0.85)", "Threshold odds ratio": "3.33", "Remark": "n r"},
    ),
    (
        PCR, "methods", "model,tau2_estimator,interval,prior,k,estimate,ci_low,ci_high,p_value,"
        "prediction,pi_low,pi_high,reason",
        "random_effects,PM,wald,half normal,5,1.48,1.18,1.86,0.02,t_k_minus_2,0.98,2.22,why",
        PCR_ID, "Other models and priors",
        {"Model": "Random effects", "τ² estimator": "PM", "Interval": "Wald", "Prior on τ":
         "half normal", "k": "5", "Estimate (interval)": "1.48 (1.18–1.86)", "p": "0.02",
         "Prediction interval by": "t with k − 2 degrees of freedom and Wald’s standard error",
         "Prediction interval": "0.98–2.22", "Remark": "why"},
    ),
    (
        PCR, "leave_one_out", "without,trial,k,model,estimate,ci_low,ci_high,p_value",
        "z,TRIAL-Z,3,bayesian,1.58,1.08,2.31,0.04",
        PCR_ID, "Leaving out one trial at a time",
        {"Trial left out": "TRIAL-Z", "Model": "Bayesian, cautious prior", "k": "3",
         "Estimate (interval)": "1.58 (1.08–2.31)", "p": "0.04"},
    ),
    (
        PCR, "subgroups", "factor,group,tau2_between,k,estimate,ci_low,ci_high,test,statistic,"
        "p_value,reason", "line,first,common,2,1.68,0.98,2.88,F,3.21,0.12,why",
        PCR_ID, "Subgroups of trials",
        {"Factor": "line", "Group": "first", "τ²": "common", "Test": "F", "k": "2",
         "Estimate (interval)": "1.68 (0.98–2.88)", "Statistic": "3.21", "p": "0.12",
         "Remark": "why"},
    ),
    (
        PCR, "meta_regression", "covariate,k,term,coefficient,ci_low,ci_high,p_value,reason",
        "year,5,slope,0.78,0.58,0.98,0.21,why",
        PCR_ID, "Meta-regression",
        {"Covariate": "year", "Term": "slope", "k": "5",
         "Coefficient (interval)": "0.78 (0.58–0.98)", "p": "0.21", "Remark": "why"},
    ),
    (
        PCR, "multiverse_summary", "measure,specifications,median_estimate,lowest_estimate,"
        "highest_estimate,share_excluding_no_effect", "risk_ratio,144,1.38,1.28,1.88,0.64",
        PCR_ID, "All combinations of reasonable choices",
        {"Measure": "risk ratio", "Specifications": "144", "Median estimate": "1.38",
         "Lowest": "1.28", "Highest": "1.88", "Intervals excluding no effect": "64%"},
    ),
    (
        PCR, "small_study", "test,k,statistic,p_value,estimate,ci_low,ci_high,detail,reason",
        "Egger,11,2.22,0.33,1.98,1.48,2.65,slope,why",
        PCR_ID, "Small-study effects",
        {"Test": "Egger", "Detail": "slope", "k": "11",
         "Estimate (interval)": "1.98 (1.48–2.65)", "Statistic": "2.22", "p": "0.33",
         "Remark": "why"},
    ),
]  # fmt: skip
# What the others need next to them.
FURTHER = {
    "nodes": "part,regimen,code,label,trials,patients,unstated,reference\n"
    "1,two|two|none,B,Beta alone,5,1321,0,no\n1,one|two|none,A,Alpha alone,6,0,6,yes\n",
    "ranks": "code,p_score,mean_rank\nB,0.81,1.4\n",
    "summary": "part,regimens,trials,comparisons,tau2_reml\n1,6,8,9,0.018\n",
    "nothing": "part\n",
}


# Too few trials to show a prediction interval (config.yaml).
FEW = (
    "random_effects,PM,,,4,1.48,,,,t_k_minus_2,0.5,3.1,",
    "bayesian,,,half-normal(1),4,1.44,1.02,2.02,,,0.6,2.9,",
)


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rounded(text, digits=2):
    """A number of a table, rounded as by hand; up to two more decimals if it would print as 0."""
    value = Decimal(text)
    more = range(digits, digits + 3) if digits > 1 else [digits]
    found = [value.quantize(Decimal(1).scaleb(-shown), ROUND_HALF_UP) for shown in more]
    first = next(filter(None, found), None)
    if first is None and len(found) > 1 and abs(value) > 1e-12:
        return "< 0.0001" if value > 0 else "> −0.0001"
    return str(abs(found[0]) if first is None else first).replace("-", "−")


def between(low, high, digits=2):
    ends = [rounded(low, digits), rounded(high, digits)] if low and high else []
    return (" to " if any(end[0] in "−<>" for end in ends) else "–").join(ends)


def count(text):
    return f"{int(float(text)):,}" if text else ""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = small_project(tmp_path_factory.mktemp("meaning"))
    # Published in the opposite direction and at another level, so it is not shown as published.
    replace_text(
        folder, "hazard_ratios",
        "trial_k_dual,trial_k_single,PFS,primary,14,BICR,all,0.56,0.44,0.71,95",
        "trial_k_single,trial_k_dual,PFS,primary,14,BICR,all,1.79,1.35,2.36,97.5",
    )  # fmt: skip
    pooled = evidence_of(folder)
    results = folder / "results"
    place = results / "neoadjuvant"
    for name in (NET, BOTH, PCR):
        (place / name).mkdir(parents=True)
    for where, name, header, row, *_ in WRITTEN:
        before = [f"{text}," if where == PCR else "" for text in OF_PCR]
        lines = [f"{first}{rest}\n" for first, rest in zip(before, (header, row), strict=True)]
        (place / where / f"{name}.csv").write_text("".join(lines), encoding="utf-8")
    for name, text in FURTHER.items():
        (place / NET / f"{name}.csv").write_text(text, encoding="utf-8")
    with (place / PCR / "methods.csv").open("a", encoding="utf-8") as file:
        file.write("".join(f"{OF_PCR[1]},{row}\n" for row in FEW))
    found = material(pooled, results, NETWORKS)
    trail = trail_of(found.evidence, found.configuration)
    text = page(found, page_settings(found, trail), trail, "The evidence")
    return found, results, read_page(text)


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: f"{written[0]}/{written[1]}")
def test_every_heading_has_its_own_column(project, written):
    *_, section, caption, cells = written
    row, *_ = project[2].table(caption, section).rows
    assert {name: text for name, text in row.items() if name not in ("group", "id")} == cells


def test_prediction_intervals_of_few_trials_are_no_rows_without_a_result(project):
    rows = project[2].table("Other models and priors", PCR_ID).rows
    told = [(row["k"], row["Estimate (interval)"], row["Prediction interval"]) for row in rows]
    assert told == [("5", "1.48 (1.18–1.86)", "0.98–2.22"), ("4", "1.44 (1.02–2.02)", "")]


def test_patients_that_nobody_states_are_not_none(project):
    regimens = project[2].table("Regimens compared with the reference, by P-score", NET_ID).rows
    assert {row["Code"]: row["Patients"] for row in regimens} == {"B": "1,321", "A": "not stated"}


def test_a_network_says_its_own_numbers(project):
    said = next(iter(project[2].said(NET_ID)))
    assert said.startswith("6 regimens, 8 trials, 9 direct comparisons.")


# ------------------------------------------------------------------------------ each analysis


def analyses(project):
    """Setting, id, title and section of everything pooled, except harms."""
    configuration = project[0].configuration
    benefits = [entry for entry in configuration.analyses if not entry.harm]
    for entry in (*benefits, *configuration.rates):
        section = f"{entry.setting}-{entry.id}".replace("_", "-")
        yield entry.setting, entry.id, entry.title, section


def of(results, setting, table, analysis):
    return [r for r in read(results / setting / f"{table}.csv") if r["analysis"] == analysis]


def test_every_model_stands_below_its_headings(project):
    _, results, finished = project
    compared = 0
    for setting, analysis, _, section in analyses(project):
        wanted = [
            {
                "k": count(row["k"]),
                "Patients": count(row["participants"]),
                "Estimate": rounded(row["estimate"]) if row["estimate"] else "",
                "95% interval": between(row["ci_low"], row["ci_high"]),
                # Not with fewer than five trials, nor if it equals the interval of the mean.
                "Prediction interval": between(row["pi_low"], row["pi_high"])
                if float(row["k"] or 0) >= 5
                and row["pi_low"]
                and float(row["pi_low"]) != pytest.approx(float(row["ci_low"]), rel=1e-9)
                else "",
                "I²": f"{rounded(row['i2'], 0)}%" if row["i2"] else "",
            }
            for row in of(results, setting, "estimates", analysis)
        ]
        if not wanted:
            continue
        rows = finished.table("Pooled results from all models", section).rows
        # Empty columns are left out.
        assert [{name: row.get(name, "") for name in wanted[0]} for row in rows] == wanted
        compared += len(rows)
    assert compared > 100


def test_the_answer_is_the_leading_result(project):
    _, results, finished = project
    answered = 0
    for setting, analysis, _, section in analyses(project):
        lead = [
            row
            for row in of(results, setting, "estimates", analysis)
            if (row["role"], row["subgroup"]) == ("lead", "all") and row["measure"] != "proportion"
        ]
        if lead:
            said = next(iter(finished.said(section)))
            interval = between(lead[0]["ci_low"], lead[0]["ci_high"])
            assert f" {rounded(lead[0]['estimate'])} (95% interval {interval}" in said
            assert f"; {count(lead[0]['k'])} trial" in said
            answered += 1
    assert answered > 4


def test_rows_used_are_told_arm_by_arm(project):
    _, results, finished = project
    told = 0
    for setting, analysis, title, section in analyses(project):
        shown = {row["id"]: row for row in finished.table(f"Rows used: {title}", section).rows}
        for table in ("trials", "rates"):
            for row in of(results, setting, table, analysis):
                names = [row[c] for c in ("setting", "analysis", "trial_id", "subgroup")]
                regimen = row.get("regimen", "")
                key = "-".join(["row", *names, *([regimen] if regimen else [])])
                key = "".join(c if c.isalnum() else "-" for c in key)
                while "--" in key:
                    key = key.replace("--", "-")
                assert_told(shown[key], row)
                told += 1
    assert told > 60


def assert_told(shown, row):
    """Assert that the experimental arm comes first, both in names and in numbers."""
    assert shown["Trial"].startswith(f"{row['trial']} ({count(row['year']).replace(',', '')})")
    if row["measure"] == "proportion":
        assert shown["Arms"] == row["regimen_label"]
        assert shown["Result"] == f"{float(row['events']):g}/{float(row['n']):g}"
    else:
        assert shown["Arms"] == f"{row['experimental']} v {row['control']}"
    if row["measure"] == "hazard_ratio":
        assert shown["Result"].startswith(f"HR {float(row['hr']):g}")
        if row["ci_low"]:
            level, low, high = (f"{float(row[c]):g}" for c in ("ci_level", "ci_low", "ci_high"))
            published = re.fullmatch(r"(.+) \((.+)–(.+)\)", row["published"])
            interval = f"{low} to {high}" if published is None else "–".join(published.groups()[1:])
            assert shown["Result"].endswith(f" ({level}% CI {interval})")
    elif row["measure"] != "proportion":
        first, second = (
            f"{float(row[f'events_{arm}']):g}/{float(row[f'n_{arm}']):g}"
            for arm in ("experimental", "control")
        )
        assert shown["Result"] == f"{first} v {second}"
    assert shown["Row of the sheet"].split()[-1] == row["rows"].split(";")[-1]
    assert shown["Remarks"].startswith("Not pooled.") == (row["pooled"] == "no")


def test_rows_set_aside_have_their_own_reasons(project):
    found, _, finished = project
    told = 0
    aside = found.evidence.set_aside
    for setting, analysis, title, section in analyses(project):
        mine = aside[(aside["setting"] == setting) & (aside["analysis"] == analysis)]
        if not mine.empty:
            rows = finished.table(f"Rows set aside: {title}", section).rows
            assert [
                (r["Trial"], r["Outcome and analysis"], r["Verification"], r["Reason"])
                for r in rows
            ] == list(
                mine[["trial", "what", "verification", "reason"]].itertuples(index=False, name=None)
            )
            told += len(rows)
    assert told == 10
