"""Every number in a text or table of the report, against an independent count in the files."""

import csv
import re
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from invented import NAN
from printed_numbers import as_printed
from report_material import material, with_sensitivity, with_table
from small_project import append_like, evidence_of, replace_text, small_project
from trial_evidence.report.files.at_a_glance import at_a_glance, summary_lines
from trial_evidence.report.files.methods_text import methods_paragraphs
from trial_evidence.report.files.overview_figures import flow_of, lights_of, summary_of, timeline_of
from trial_evidence.report.tables.characteristics import characteristics_table
from trial_evidence.report.tables.every import tables_of
from trial_evidence.report.tables.flow import flow_steps
from trial_evidence.report.tables.robustness import sensitivity_table, timeline_table

ROOT = Path(__file__).resolve().parents[3]

SETTINGS = ("neoadjuvant", "adjuvant", "metastatic_first_line", "metastatic_pretreated")
# Analyses are reported in their first measure.
FIRST = ("risk_ratio", "hazard_ratio")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = small_project(tmp_path_factory.mktemp("numbers"))
    append_like(folder, "second_reading", "pcr,", ",agree,", ",differ,")
    append_like(folder, "sources", "doe_2020_trial_a,", "doe_2020_trial_a", "nobody_2019")
    append_like(folder, "search_log", "s1,", "s1,2025-01-31,reader 1,nowhere,1,",
                "s2,2025-02-28,reader 1,nowhere,16,")  # fmt: skip
    place = "220,2000,272,2000,,,yes,doe_2020_trial_f,Figure 2,"
    replace_text(folder, "hazard_ratios", f"{place}primary", f"{place}secondary")
    # A trial without any event in one arm.
    replace_text(folder, "pcr", "all,14,20,70.0", "all,0,20,0.0")
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return material(evidence_of(folder), folder / "results")


@pytest.fixture(scope="module")
def tables(found):
    return {table.name: table for table in tables_of(found)}


@pytest.fixture(scope="module")
def sheet(folder):
    """Table of the sheet -> its rows, as in the file."""
    return {path.stem: rows(path) for path in (folder / "data/raw").glob("*.csv")}


@pytest.fixture(scope="module")
def results(folder):
    """Table of results -> its rows of all settings, as in the files."""
    return {
        name: [row for s in SETTINGS for row in rows(folder / f"results/{s}/{name}.csv")]
        for name in ("trials", "rates", "estimates")
    }


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(text):
    """The whole numbers of a text, in order."""
    return [int(n.replace(",", "")) for n in re.findall(r"(?<![\d.,-])\d[\d,]*(?![\d.-])", text)]


def pooled(results, row):
    """The trials' rows behind a row of estimates.csv on all patients."""
    keys = ("setting", "analysis", "measure", "subgroup")
    return [t for t in results["trials"] if all(t[k] == row[k] for k in keys)
            and t["pooled"] == "yes"]  # fmt: skip


def leads(results):
    """The rows that answer the question: all patients, leading and co-primary model."""
    return [row for row in results["estimates"] if row["subgroup"] == "all"
            and row["measure"] in FIRST and row["role"] in ("lead", "co-primary")]  # fmt: skip


RESULTS = ("pcr", "hazard_ratios", "harms", "milestones", "medians")

# -------------------------------------------------------------------------------------- methods


def test_the_methods_count_searches_trials_and_sources(found, sheet):
    read = {row["source_id"] for name in RESULTS for row in sheet[name]}
    randomised = [trial for trial in sheet["trials"] if trial["randomised"] == "yes"]
    text = re.sub(r"\d{4}-\d\d-\d\d", "", methods_paragraphs(found)[0])
    assert numbers(text) == [
        len(sheet["search_log"]), 1 + 16, len(sheet["trials"]), len(randomised),
        len(sheet["pcr"]) + len(sheet["harms"]), len(sheet["hazard_ratios"]),
        len(sheet["milestones"]), len(sheet["medians"]), len(read), len(sheet["sources"]),
    ]  # fmt: skip
    assert f"{len(randomised)} of them randomised" in text
    assert len(randomised) == len(sheet["trials"]) - 1
    assert len(read) == len(sheet["sources"]) - 1


def test_the_methods_count_what_was_verified_and_read_twice(found, sheet, results):
    compared = [row for row in results["trials"] if row["pooled"] == "yes"
                and row["measure"] in FIRST]  # fmt: skip
    primary = [row for row in compared if row["verification"] == "primary"]
    assert 0 < len(primary) < len(compared)
    text = methods_paragraphs(found)[1].replace("RoB 2 (Sterne et al. 2019)", "")
    assert numbers(text) == [
        len(compared), len(primary), len(sheet["second_reading"]), 1, 50, 1,
        len(sheet["risk_of_bias"]),
    ]  # fmt: skip


def test_the_methods_count_trials_with_an_empty_cell(found, results):
    corrected = {row["trial_id"] for row in results["trials"] if row["corrected"] == "yes"}
    assert f"({len(corrected)} trial here)" in methods_paragraphs(found)[3]


def test_the_methods_name_what_is_included_and_in_which_order(found):
    text = methods_paragraphs(found)[2]
    assert "We included current results verified in a primary or secondary source." in text
    # config/config.yaml
    assert (
        "pCR: definition (ypT0/is ypN0, then ypT0/is, then ypT0 ypN0, then not stated); population"
        in text
    )
    assert "OS: assessor (BICR, then investigator, then not applicable); data cut" in text


# ------------------------------------------------------------------------------- flow and counts


def test_the_flow_counts_the_sheet_and_the_results(found, tables, sheet, results):
    compared = {row["trial_id"] for row in results["trials"] if row["pooled"] == "yes"}
    rated = {row["trial_id"] for row in results["rates"] if row["pooled"] == "yes"}
    trials = {row["trial_id"] for row in sheet["trials"]}
    drawn = {
        "Searches": 2,
        "Trials and cohorts in the sheet": len(trials),
        "Trials and cohorts in no result": len(trials - compared - rated),
        "Trials and cohorts in a comparison, a network or a pooled rate": len(compared | rated),
        "In a network or a pooled rate only": len(rated - compared),
        "Trials in a comparison": len(compared),
    }
    told = {"Queries": 17, "Decisions to leave out": len(sheet["exclusions"])}
    frame = tables["flow"].frame
    said = dict(zip(frame["Step"], frame["Number"], strict=True))
    assert {step: number for step, number in said.items() if number != "not recorded"} == {
        step: str(number) for step, number in (drawn | told).items()
    }
    boxes = [box for _, held in flow_of(found).stages for box in held]
    assert {box.step: box.count for box in boxes} == {
        step: f"n = {number}" for step, number in drawn.items()
    }
    for step, number in drawn.items():
        assert f"{step.lower()} {number}" in flow_of(found).description
    detail = dict(zip(frame["Step"], frame["Detail"], strict=True))
    by_setting = [sum(row["setting"] == s for row in sheet["trials"]) for s in SETTINGS]
    randomised = sum(row["randomised"] == "yes" for row in sheet["trials"])
    assert numbers(detail["Trials and cohorts in the sheet"]) == [
        len(sheet["sources"]), randomised, len(trials) - randomised, *by_setting,
    ]  # fmt: skip


def test_the_flow_runs_downhill(found):
    """Those who leave a step and those who remain add up to the step."""
    steps = [step for step in flow_steps(found) if step.place and step.n is not None]
    assert_adds_up(steps[1:])


def test_a_decision_says_of_what_a_trial_is_left_out(found):
    """A trial excluded from one analysis stays in the others; each reason is given once."""
    pcr = {"trial_id": "trial_a", "analysis": "pcr_dual_v_trastuzumab"}
    decisions = [
        {**pcr, "subgroup": "hormone_receptor", "reason": "Inferred from percentages."},
        {**pcr, "subgroup": "*", "reason": "A misprint."},
        {**pcr, "subgroup": "*", "analysis": "pcr_rates", "reason": "A misprint."},
        {"trial_id": "trial_b", "arm_id": "trial_b_single", "analysis": "*", "subgroup": "*",
         "reason": "An interim report."},
    ]  # fmt: skip
    steps = flow_steps(with_table(found, "exclusions", decisions))
    (told,) = (step for step in steps if step.step == "Decisions to leave out")
    title = "“Pathological complete response: dual HER2 blockade versus trastuzumab”"
    rates = "“Pathological complete response rate by HER2 regimen and partner”"
    assert told.n == 4
    assert told.detail == (
        f"TRIAL-A (left out of {title} by hormone receptor): Inferred from percentages; "
        f"TRIAL-A (left out of {title} and {rates}): A misprint; "
        "TRIAL-B, arm placebo+T+docetaxel (left out of every result): An interim report"
    )


def assert_adds_up(steps):
    main = [step for step in steps if step.place == "main"]
    for step, following in pairwise(main):
        between = steps[steps.index(step) + 1 : steps.index(following)]
        left = sum(other.n for other in between if other.place == "leaves")
        assert step.n - left == following.n, (step.step, following.step)


def arms_by_outcome(sheet):
    """Outcome -> arms with a verified result."""
    outcomes = yaml.safe_load((ROOT / "config/analyses.yaml").read_text("utf-8"))["outcomes"]
    found = defaultdict(set)
    for result in (row for name in RESULTS for row in sheet[name]):
        if (
            result.get("status", "current") == "current"
            and result["verification"] in ("primary", "secondary")
        ):  # fmt: skip
            named = result.get("outcome", "pcr")
            outcome = result.get("endpoint") or outcomes[named].get("label", named)
            columns = ("arm_id", "experimental_arm_id", "control_arm_id")
            found[outcome] |= {result[column] for column in columns if column in result}
    return found


def test_the_evidence_map_counts_arms_and_their_patients(tables, sheet):
    trial_of = {arm["arm_id"]: arm["trial_id"] for arm in sheet["arms"]}
    reported = arms_by_outcome(sheet)
    for row in tables["evidence_map"].data.itertuples():
        trials = row.trial_ids.split("; ")
        assert row.arms <= sum(trial_of[arm] in trials for arm in reported[row.endpoint])
        assert row.trials == len(trials)
    data = tables["evidence_map"].data
    assert list(tables["evidence_map"].frame["Arms"]) == [str(n) for n in data["arms"]]
    assert list(tables["evidence_map"].frame["Trials"]) == [str(n) for n in data["trials"]]


def test_judgements_of_bias_are_counted(found, sheet):
    settings = {trial["trial_id"]: trial["setting"] for trial in sheet["trials"]}
    for setting in SETTINGS:
        mine = [r for r in sheet["risk_of_bias"] if settings[r["trial_id"]] == setting]
        words = lights_of(found, setting).description
        outcomes = {row["outcome"] for row in mine}
        assert f"of {len(mine)} judgements on {len(outcomes)} outcomes" in words
        low = sum(row["overall"] == "low" for row in mine)
        assert not mine or f"low risk {low} (" in words


def test_the_timeline_counts_trials_and_patients(found, sheet, results):
    dated, _, described = timeline_of(found)
    for panel, setting in zip(dated["panel"].unique(), SETTINGS, strict=True):
        compared = {
            r["trial_id"]
            for r in results["trials"]
            if r["setting"] == setting and r["pooled"] == "yes"
        }
        about = [trial for trial in sheet["trials"] if trial["trial_id"] in compared]
        patients = sum(int(trial["n_randomised"]) for trial in about)
        assert f"{panel}: {len(about)} trials (" in described
        assert f"with {patients:,} patients" in described


# ---------------------------------------------------------------------------------- rows, results


def test_the_rows_used_show_the_counts_of_their_own_arms(tables, sheet):
    counted_rows = (*sheet["pcr"], *sheet["harms"])
    counts = {(r["arm_id"], r["events"], r["n"]) for r in counted_rows}
    arms = {arm["arm_id"]: arm for arm in sheet["arms"]}
    table = tables["rows_used"]
    seen = 0
    for shown, row in zip(table.frame.itertuples(), table.data.itertuples(), strict=True):
        if row.measure != "risk_ratio":
            continue
        first, second = re.findall(r"([\d,]+)/([\d,]+)", shown.Result)
        for counted, agents in ((first, row.experimental), (second, row.control)):
            mine = {arm for arm, events, n in counts if (events, n) == counted}
            of_arm = [arms[arm] for arm in mine if arms[arm]["trial_id"] == row.trial_id]
            joined = {" + ".join(sorted(a["agents"].split("+"))).capitalize() for a in of_arm}
            assert agents in joined
            seen += 1
    assert seen > 6


def test_results_and_weights_of_the_rows_used_are_those_of_the_trials(tables, results):
    table = tables["rows_used"]
    own = {
        (r["setting"], r["analysis"], r["measure"], r["subgroup"], r["trial_id"]): r
        for r in results["trials"]
    }
    for shown, row in zip(table.frame.to_dict("records"), table.data.itertuples(), strict=True):
        if row.measure == "proportion":
            continue
        result = own[row.setting, row.analysis, row.measure, row.subgroup, row.trial_id]
        if result["estimate"]:
            middle, low, high = (
                as_printed(float(result[f"estimate{end}"])) for end in ("", "_low", "_high")
            )
            ends = f"{middle} ({low}–{high})"
            said, *remarks = shown["Result"].split(", ")
            assert said.endswith(ends)
            level = "" if result["measure"] != "hazard_ratio" else result["estimate_level"]
            assert (", 97.5% CI as published" in shown["Result"]) == (level == "97.5")
            assert all(" CI " in remark or "inverted" in remark for remark in remarks)
        weight = f"{float(result['weight']):.1f}%" if result["weight"] else ""
        assert shown["Weight"] == weight
        assert shown["Pooled"].startswith(result["pooled"])


def test_the_main_results_are_the_leading_estimates(tables, results):
    printed = {
        (row["setting"], row["analysis"], row["role"]): row
        for row in leads(results)
    }  # fmt: skip
    table = tables["front"]
    for shown, row in zip(table.frame.to_dict("records"), table.data.itertuples(), strict=True):
        if not row.role:
            continue
        result = printed[row.setting, row.analysis, row.role]
        assert shown["Trials"] == str(len(pooled(results, result)))
        patients = result["participants"]
        assert shown["Patients"] == (f"{float(patients):,.0f}" if patients else "")
        low, high = float(result["ci_low"]), float(result["ci_high"])
        ends = f"{float(result['estimate']):.2f} (95% "
        assert ends in shown["Effect (interval)"]
        assert f"I {low:.2f}–{high:.2f})" in shown["Effect (interval)"]


def test_the_main_results_name_the_side_that_is_better(tables):
    # config/analyses.yaml: more responses and fewer events are better.
    note = tables["front"].notes[0]
    assert note.startswith("Risk ratios above 1 and hazard ratios below 1 favour the dual arm.")


def test_sentences_hold_the_numbers_of_the_leading_estimates(tables, results):
    said = {
        (row.setting, row.analysis): row.sentence for row in tables["answers"].data.itertuples()
    }
    for row in leads(results):
        sentence = said.get((row["setting"], row["analysis"]))
        if sentence is None:
            continue
        ends = f"{float(row['ci_low']):.2f}–{float(row['ci_high']):.2f}"
        assert f"{float(row['estimate']):.2f} (95% " in sentence
        assert ends in sentence
        if row["role"] == "lead":
            k = len(pooled(results, row))
            assert sentence.startswith(f"{k} trial{'' if k == 1 else 's'}")
        if int(row["k"]) < 5:
            assert "prediction interval" not in sentence
        elif row["pi_low"] and float(row["pi_low"]) != pytest.approx(float(row["ci_low"])):
            low, high = float(row["pi_low"]), float(row["pi_high"])
            verb = "includes" if low <= 1 <= high else "excludes"
            assert f"({low:.2f}–{high:.2f}) {verb} 1" in sentence


def test_absolute_effects_start_from_the_control_arms(tables, results):
    data = tables["summary_of_findings"].data
    mine = data[(data["analysis"] == "pcr_dual_v_trastuzumab") & (data["role"] == "lead")]
    (lead,) = [r for r in leads(results) if r["analysis"] == "pcr_dual_v_trastuzumab"
               and r["role"] == "lead"]  # fmt: skip
    risks = sorted(float(t["events_control"]) / float(t["n_control"])
                   for t in pooled(results, lead))  # fmt: skip
    middle = len(risks) // 2
    median = risks[middle] if len(risks) % 2 else (risks[middle - 1] + risks[middle]) / 2
    assert mine["control_risk"].iloc[1] == pytest.approx(median)
    # By the odds ratio or the risk difference, whichever varies less, never by the risk ratio.
    (turned_by,) = set(mine["measure"])
    assert turned_by in ("odds_ratio", "risk_difference")
    (effect,) = [float(r["estimate"]) for r in results["estimates"]
                 if r["analysis"] == "pcr_dual_v_trastuzumab" and r["measure"] == turned_by
                 and r["subgroup"] == "all" and r["role"] == "lead"]  # fmt: skip
    odds = median / (1 - median) * effect
    shown = tables["summary_of_findings"].frame.loc[mine.index[1]]
    ending = f"median of the control arms of {len(risks)} of {len(risks)} trials"
    assert shown["Where the control risk comes from"] == ending
    assert shown["Risk with control, per 1,000"] == f"{1000 * median:.0f}"
    with_it = 1000 * (odds / (1 + odds) if turned_by == "odds_ratio" else median + effect)
    assert shown["Risk with intervention, per 1,000"].startswith(f"{with_it:.0f} (")
    # A higher response rate is "more"
    assert shown["Difference per 1,000"].startswith(f"{with_it - 1000 * median:.0f} more")


def test_heterogeneity_is_that_of_the_random_effects_model(tables, results):
    table = tables["heterogeneity"]
    known = {
        (r["setting"], r["analysis"], r["measure"], r["experimental"], r["subgroup"]): r
        for r in results["estimates"]
        if r["model"].startswith("random_")
    }
    for shown, row in zip(table.frame.to_dict("records"), table.data.itertuples(), strict=True):
        key = (row.setting, row.analysis, row.measure, row.experimental, row.subgroup)
        result = known[key]
        assert shown["Trials"] == result["k"]
        assert shown["Q (df), p"].startswith(f"{as_printed(float(result['q']))} ({result['q_df']}")
        assert shown["I² from τ²"] == f"{float(result['i2']):.0f}%"
        # The Q-profile set may be empty: then no interval is shown.
        interval = " (" if result["tau2_high"] else ""
        tau2 = as_printed(float(result["tau2"]), 3)
        assert shown["τ² (interval)"].startswith(f"{tau2}{interval}")


def test_shares_of_risk_of_bias_are_those_of_the_weights(tables, sheet, results):
    data = tables["certainty"].data
    mine = data[(data["setting"] == "neoadjuvant") & (data["domain"] == "risk_of_bias")]
    reason = mine.loc[mine["analysis"] == "pcr_dual_v_trastuzumab", "reason"].item()
    judged = {r["trial_id"]: r["overall"] for r in sheet["risk_of_bias"] if r["outcome"] == "pCR"}
    (lead,) = [r for r in leads(results) if r["analysis"] == "pcr_dual_v_trastuzumab"
               and r["role"] == "lead"]  # fmt: skip
    shares = {}
    for trial in pooled(results, lead):
        risk = judged.get(trial["trial_id"], "not judged").replace("_", " ")
        shares[risk] = shares.get(risk, 0) + float(trial["weight"])
    for risk, share in shares.items():
        assert f"{risk} {share:.0f}%" in reason


def test_the_summary_and_the_page_at_a_glance_hold_the_leading_estimates(found, results):
    estimates = found.evidence.estimates
    figures = estimates[["setting", "analysis"]].iloc[:0].assign(figure="")
    page = at_a_glance(estimates, figures, {}, found.configuration)
    lines = summary_lines(estimates, {}, found.configuration)
    for row in leads(results):
        ends = f"{float(row['ci_low']):.2f}–{float(row['ci_high']):.2f}"
        text = f"{float(row['estimate']):.2f} ({ends})"
        assert text in page
        if row["role"] == "lead":
            assert f"{row['analysis']}: k = {row['k']}, " in lines
            assert text in lines


def test_the_picture_of_the_answers_says_what_estimates_say(found, results):
    words = summary_of(found, {}).description
    for row in leads(results):
        front = any((a.setting, a.id) == (row["setting"], row["analysis"]) for a in found.front())
        if row["role"] == "lead" and front:
            ends = f"{float(row['ci_low']):.2f}–{float(row['ci_high']):.2f}"
            assert f"{float(row['estimate']):.2f} ({ends}), k = {row['k']}" in words


# ------------------------------------------------------------------------------------------ level


def test_another_level_is_printed_everywhere(tmp_path):
    folder = small_project(tmp_path)
    path = folder / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("confidence_level: 95", "confidence_level: 90"), encoding="utf-8")
    found = material(evidence_of(folder), folder / "results")
    assert found.configuration.confidence_level == 90
    printed = [
        text
        for table in tables_of(found)
        for text in (table.title, *table.notes, *table.frame.columns, *table.frame.stack())
    ]
    estimates = found.evidence.estimates
    figures = estimates[["setting", "analysis"]].iloc[:0].assign(figure="")
    printed += [
        *methods_paragraphs(found),
        at_a_glance(estimates, figures, {}, found.configuration),
        *summary_of(found, {}).footnotes,
    ]
    # Published intervals are given at their own level.
    ours = [text.partition("The trials themselves")[0] for text in printed]
    assert [text for text in ours if "95%" in text and "as published" not in text] == []
    assert any("90% CI" in text for text in printed)


def test_a_table_rule_prints_the_configured_level(found):
    other = replace(found, configuration=replace(found.configuration, confidence_level=90.0))
    assert "90% level" in methods_paragraphs(other)[4]


# -------------------------------------------------------------- tables of the sheet and of choices


def test_ranges_are_those_of_the_sensitivity_tables(found):
    place = {"setting": "adjuvant", "analysis": "event_free_dual_v_single",
             "measure": "hazard_ratio"}  # fmt: skip
    changed = with_sensitivity(found, "methods", [
        place | {"estimate": value} for value in (0.7, 0.6, 0.9)
    ])  # fmt: skip
    changed = with_sensitivity(changed, "leave_one_out", [
        place | {"estimate": 0.75, "leads": "yes"}, place | {"estimate": 0.85, "leads": "yes"},
        place | {"estimate": 0.1, "leads": "no"},
    ])  # fmt: skip
    changed = with_sensitivity(changed, "influence", [
        place | {"trial": name, "cook_distance": distance}
        for name, distance in (("TRIAL-F", 0.5), ("TRIAL-G", 1.5))
    ])  # fmt: skip
    changed = with_sensitivity(changed, "multiverse_summary", [
        place | {"specifications": 1200.0, "lowest_estimate": 0.4, "highest_estimate": 1.3,
                 "share_excluding_no_effect": 0.25},
    ])  # fmt: skip
    changed = with_sensitivity(changed, "small_study", [
        place | {"test": test, "p_value": p} for test, p in (("egger", 0.049), ("rank", 0.001))
    ])  # fmt: skip
    table = sensitivity_table(changed)
    mine = (table.data["setting"] == "adjuvant") & (table.data["analysis"] == place["analysis"])
    (shown,) = table.frame[mine].to_dict("records")
    assert shown["Range over methods"] == "0.60–0.90"
    assert shown["Range when one trial is left out"] == "0.75–0.85"
    assert shown["Most influential trial"] == "TRIAL-G"
    assert shown["Specifications"] == "1,200"
    # The test for excess significance is reported elsewhere.
    assert shown["Small-study effects"] == "Egger p = 0.049"
    assert shown["Range over specifications"] == "0.40–1.30"
    assert shown["Intervals excluding 1"] == "25%"


def test_cumulative_results_are_those_of_the_leading_model(found):
    row = {"setting": "adjuvant", "analysis": "event_free_dual_v_single", "leads": "yes",
           "measure": "hazard_ratio", "trial": "TRIAL-G", "added": "trial_g", "year": 2021.0,
           "k": 2.0, "model": "bayesian", "estimate": 0.8, "ci_low": 0.6, "ci_high": 1.1,
           "ci_level": 95.0}  # fmt: skip
    changed = with_sensitivity(found, "cumulative", [row, row | {"leads": "no"}])
    (shown,) = timeline_table(changed).frame.to_dict("records")
    assert shown["Year"] == "2021"
    assert shown["Trials"] == "2"
    assert shown["Trial added"] == "TRIAL-G"
    assert shown["Result so far"] == "HR 0.80 (95% CrI 0.60–1.10)"


def test_characteristics_are_those_of_the_sheet(tables, sheet):
    blinded = {"yes": "blinded", "no": "open label"}
    randomised = {"yes": "randomised", "no": "not randomised"}
    shown = {row["Registration"]: row for row in tables["characteristics"].frame.to_dict("records")}
    assert len(shown) == len(sheet["trials"])
    for trial in sheet["trials"]:
        row = shown[trial["nct"]]
        assert row["Patients"] == f"{int(trial['n_randomised']):,}"
        assert row["Enrolment"] == f"{trial['enrolment_start_year']}–{trial['enrolment_end_year']}"
        assert row["Design"].split(", ") == [
            f"phase {trial['phase']}", randomised[trial["randomised"]], blinded[trial["blinded"]],
        ]  # fmt: skip
        arms = [arm for arm in sheet["arms"] if arm["trial_id"] == trial["trial_id"]]
        assert row["Arms (patients)"].count(";") == len(arms) - 1


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(2013.0, NAN, "from 2013"), (NAN, 2016.0, "until 2016"), (NAN, NAN, "not stated")],
)
def test_a_year_of_enrolment_that_nobody_knows_is_left_out(found, first, last, said):
    trials = found.sheet["trials"].assign(enrolment_start_year=first, enrolment_end_year=last)
    changed = with_table(found, "trials", trials.to_dict("records"))
    assert set(characteristics_table(changed).frame["Enrolment"]) == {said}


def test_judgements_and_biomarkers_stand_as_the_sheet_has_them(tables, sheet):
    shown = tables["risk_of_bias"].frame.to_dict("records")
    judged = {(row["Trial"].partition(" (")[0], row["Outcome"]): row for row in shown}
    names = {trial["trial_id"]: trial["name"] for trial in sheet["trials"]}
    for row in sheet["risk_of_bias"]:
        mine = judged[names[row["trial_id"]].partition(" (")[0], row["outcome"]]
        for column, key in (("D1", "d1_randomisation"), ("D4", "d4_measurement"),
                            ("Overall", "overall")):  # fmt: skip
            assert mine[column] == row[key].replace("_", " ")
    for said, row in zip(
        tables["biomarkers"].frame.to_dict("records"), sheet["biomarker_effects"], strict=True
    ):
        assert (said["Comparison"], said["Outcome"]) == (row["contrast"], row["outcome"])
        assert said["Ratio (interval)"].startswith(f"{row['measure']} {float(row['estimate']):g}")
