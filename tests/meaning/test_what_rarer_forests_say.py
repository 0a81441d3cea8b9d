"""Forest plots for cases that the made-up project does not have, made from its results."""

import csv
import re
import shutil
from dataclasses import replace
from functools import cache

import pytest
from invented import POOLING
from meaning.evidence import rows
from trial_evidence.config.configuration import EffectModifier
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.config.methods import LeadRule
from trial_evidence.figures.forests.sentences import brief, rates_model
from trial_evidence.figures.stage import setting_forests
from trial_evidence.loaded import load

SETTING, ANALYSIS = "neoadjuvant", "pcr_dual_v_almab"


@cache
def read(folder):
    """Configuration, sheet and looks, which no test changes."""
    configuration, sheet, _ = load(folder / "data/raw", folder / "config")
    return configuration, sheet, read_figure_configuration(folder / "config")


def forest(
    made_up, changed=lambda entry: entry, results=None, processed=None, of=ANALYSIS, unlike=None,
    name="forest",
):  # fmt: skip
    """The forest plot of response for a changed analysis or changed results."""
    configuration, sheet, looks = read(made_up.folder)
    wanted = {of.partition("/")[0]}
    analyses = tuple(changed(entry) for entry in configuration.analyses if entry.id in wanted)
    rates = tuple(changed(entry) for entry in configuration.rates if entry.id in wanted)
    return setting_forests(
        replace(configuration, analyses=analyses, rates=rates), looks, sheet,
        SETTING, processed or made_up.folder / "data/processed", results or made_up.results,
        unlike or {},
    )[f"{of}/{name}"]  # fmt: skip


def test_trials_stand_in_the_order_that_is_asked_for(made_up):
    """By weight, heaviest first; by effect, smallest first."""
    for order, sign in (("weight", -1), ("effect", 1)):
        found = forest(
            made_up, lambda entry, order=order: replace(
                entry, figure=replace(entry.figure, order=order))
        )  # fmt: skip
        groups, several = [[]], 0
        for row in found.rows:
            if row.kind == "heading":
                groups.append([])
            elif row.kind == "trial":
                groups[-1].append(sign * (row.weight if order == "weight" else row.estimate))
        for group in groups:
            assert group == sorted(group)
            several += len(group) > 1
        assert several > 1


def edited(made_up, folder, change, table="trials", setting=SETTING):
    """Results of a setting with `change` applied to every row of a table."""
    shutil.copytree(made_up.results / setting, folder / setting, ignore=lambda place, names: [
        name for name in names if not name.endswith(".csv")])  # fmt: skip
    path = folder / setting / f"{table}.csv"
    changed = [found for row in rows(path) if (found := change(row)) is not None]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows(made_up.results / setting / f"{table}.csv")[0]))
        writer.writeheader()
        writer.writerows(changed)
    return folder


@pytest.mark.parametrize("of", ["pcr_rates", "pcr_rates/almab_bemab_with_chemotherapy"])
def test_an_arm_treated_otherwise_than_its_regimen_says_is_named_under_rates(made_up, of):
    """Readers would take its patients for patients who had the regimen and nothing else."""
    named = {"ivy_abct": "with a third drug", "ivy_adapted": "adapted"}
    (said,) = [
        text for text in forest(made_up, of=of, unlike=named).footnotes if "third drug" in text
    ]
    # Of the two, the adapted arm has no rate: it is left out of every analysis.
    assert said == (
        "Included, although treated differently from other arms with the regimen: "
        "IVY (with a third drug)."
    )
    assert not [text for text in forest(made_up, of=of).footnotes if "treated differently" in text]


@pytest.mark.parametrize("of", ["pcr_rates", "pcr_rates/almab_bemab_with_chemotherapy"])
def test_rates_by_the_second_of_two_factors_are_not_headed_by_the_first(made_up, of):
    nodes = EffectModifier("nodal_status", "Nodal status", ("negative", "positive"))

    def changed(entry):
        return replace(entry, effect_modifiers=(nodes, *entry.effect_modifiers))

    found = forest(made_up, changed, of=of, name="forest_by_hormone_receptor")
    assert found.title.endswith(", by hormone receptor")
    shown = [column.header for column in found.columns] + [
        row.texts.get("trial", "") for row in found.rows
    ]
    assert "Nodal" not in " ".join([found.title, found.description, *shown])


def test_two_trials_are_shown_with_the_result_without_heterogeneity(made_up, tmp_path):
    """Without it, nobody would see how much of the interval comes from the prior."""

    def change(row):
        own = (row["analysis"], row["measure"], row["subgroup"]) == (ANALYSIS, "risk_ratio", "all")
        return row | {"k": "2"} if own else row

    found = forest(made_up, results=edited(made_up, tmp_path, change, "estimates"))
    common = next(
        row for row in rows(made_up.results / SETTING / "estimates.csv")
        if (row["analysis"], row["measure"], row["subgroup"], row["model"])
        == (ANALYSIS, "risk_ratio", "all", "common")
    )  # fmt: skip
    said, low, high = (f"{float(common[name]):.2f}" for name in ("estimate", "ci_low", "ci_high"))
    assert any(
        text.startswith("Other models: Common effect ") and f"{said} ({low}–{high})" in text
        for text in (*found.notes, *found.footnotes)
    )


def test_without_an_empirical_prior_one_probability_is_given(made_up, tmp_path):
    def change(row):
        if row["analysis"] != ANALYSIS or row["measure"] != "risk_ratio":
            return row
        if row["model"] == "bayesian_empirical":
            return None
        leads = row["model"] == "bayesian" and row["subgroup"] == "all"
        return row | {"role": "lead"} if leads else row | {"role": ""}

    results = edited(made_up, tmp_path, change, "estimates")
    (row,) = [
        row for row in rows(results / SETTING / "estimates.csv")
        if row["analysis"] == ANALYSIS and row["role"] == "lead" and row["measure"] == "risk_ratio"
    ]  # fmt: skip
    (said,) = [text for text in forest(made_up, results=results).notes if "probability" in text]
    words = r"Posterior probability that the mean effect is beneficial: (.*)%\."
    shown = re.fullmatch(words, said)[1]
    assert float(shown) == pytest.approx(100 * float(row["probability_of_benefit"]), abs=0.0501)


def test_rates_name_each_model_that_leads():
    rules = (("bayesian", 2), ("bayesian_empirical", 4), ("random_effects", 5))
    leading = tuple(LeadRule(model=model, from_trials=first) for model, first in rules)
    assert rates_model(replace(POOLING, leading=leading)).endswith(
        "for 5 or more trials; Bayesian model for four trials; "
        "Bayesian model for two to three trials"
    )


def test_a_cohort_that_has_no_row_is_not_said_to_be_shown(made_up, tmp_path):
    """The figure of all regimens has one row per regimen; that of one regimen has its trials."""

    def change(row):
        out = {"pooled": "no", "not_pooled_reason": "Odd."} if row["trial"] == "LARCH" else {}
        return row | out

    results = edited(made_up, tmp_path, change, "rates")
    for name, said in (("pcr_rates", "is"), ("pcr_rates/almab_with_chemotherapy", "is shown but")):
        (found,) = (text for text in forest(made_up, results=results, of=name).footnotes
                    if "LARCH" in text and "pooled" in text)  # fmt: skip
        assert found == f"LARCH {said} not pooled: odd."


def test_several_trials_that_are_not_pooled_have_no_diamond_and_the_reason(made_up):
    found = forest(made_up, lambda entry: replace(entry, pool="none"))
    assert "Not pooled: these comparisons are too different to combine." in found.footnotes
    assert {row.kind for row in found.rows} <= {"heading", "trial", "unpooled", "gap"}
    assert found.overall is None


def test_a_restriction_to_some_trials_is_told(made_up):
    def restricted(entry):
        rule = replace(entry.trials, where={"blinded": ("yes", "no")}, years=(2012, 2019))
        return replace(entry, trials=rule)

    said = "Restricted to trials with blinded: yes or no; first reported 2012 to 2019."
    assert said in forest(made_up, restricted).footnotes
    assert not any("Restricted" in text for text in forest(made_up).footnotes)


def test_a_control_without_any_agent_is_told_from_the_others(made_up, tmp_path):
    def change(row):
        return row | ({"control_agents": "none"} if row["trial"] == "BIRCH" else {})

    found = forest(made_up, results=edited(made_up, tmp_path, change))
    controls = {row.texts["trial"].split(" (")[0]: row.texts["control"] for row in found.rows
                if row.kind == "trial"}  # fmt: skip
    assert controls.pop("BIRCH").startswith("No ")
    results = rows(made_up.results / SETTING / "trials.csv")
    given = {row["trial"]: row["control"] for row in results if row["analysis"] == ANALYSIS}
    assert controls
    assert [trial for trial, text in controls.items() if not text.startswith(given[trial])] == []


def test_the_axis_asked_for_is_that_of_the_first_measure_only(made_up):
    """Ends of a ratio's axis would leave no difference outside that of a difference."""

    def changed(entry):
        return replace(entry, figure=replace(entry.figure, axis=(0.2, 5.0)))

    assert forest(made_up, changed).axis.limits == (0.2, 5.0)
    assert forest(made_up, changed, name="forest_risk_difference").axis.limits is None


def test_agents_without_any_partner_are_said_to_be_given_alone(made_up, tmp_path):
    partners = dict.fromkeys(("experimental_partner", "control_partner"), "none")

    def change(row):
        return row | (partners if row["trial"] == "BIRCH" else {})

    found = forest(made_up, results=edited(made_up, tmp_path, change))
    alone = {row.texts["trial"].split(" (")[0] for row in found.rows
             if "alone" in row.texts.get("control", "")}  # fmt: skip
    assert alone == {"BIRCH"}


def test_a_trial_that_is_shown_is_not_said_to_be_left_out(made_up, tmp_path):
    """LARCH is shown but not pooled, and another of its rows was set aside; YEW is not shown.

    Of OAK, only rows by a patient factor were set aside: they are no matter of this figure.
    """
    path = made_up.folder / "data/processed" / SETTING / "set_aside.csv"
    first = next(row for row in rows(path) if row["analysis"] == ANALYSIS)
    more = [first | {"trial_id": name.lower(), "trial": name, "subgroup": "all",
                     "reason": "status is superseded (admitted: current)"}
            for name in ("LARCH", "YEW")]  # fmt: skip
    more.append(more[1] | {"trial_id": "oak", "trial": "OAK", "subgroup": "hormone_receptor"})
    place = tmp_path / SETTING / "set_aside.csv"
    place.parent.mkdir()
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows([*rows(path), *more])

    def change(row):
        return row | (
            {"pooled": "no", "not_pooled_reason": "odd"} if row["trial"] == "LARCH" else {}
        )

    results = edited(made_up, tmp_path / "results", change)
    found = forest(made_up, results=results, processed=tmp_path)
    (said,) = (text for text in found.footnotes if "superseded report" in text)
    assert "YEW" in said
    assert "LARCH" not in said
    assert not any("OAK" in text for text in found.footnotes)
    assert "LARCH is shown but not pooled: odd." in found.footnotes
    factor = forest(made_up, results=results, processed=tmp_path, name="forest_by_hormone_receptor")
    (said,) = (text for text in factor.footnotes if "superseded report" in text)
    assert "OAK" in said
    assert "YEW" not in said


def test_the_model_of_one_subtotal_that_differs_from_the_whole_is_told(made_up, tmp_path):
    estimates = rows(made_up.results / SETTING / "estimates.csv")
    mine = [row for row in estimates if (row["analysis"], row["role"]) == (ANALYSIS, "lead")]
    (whole,) = {row["model"] for row in mine if row["subgroup"] == "all"}
    groups = {row["subgroup"] for row in mine if row["subgroup"].startswith("added_agents=")
              and row["model"].startswith("bayesian")}  # fmt: skip
    assert whole.startswith("random")
    kept, *others = sorted(groups)

    def change(row):
        mine = (row["analysis"], row["role"]) == (ANALYSIS, "lead") and row["subgroup"] in others
        return row | ({"model": whole, "i2": "0"} if mine else {})

    assert kept
    assert others
    found = forest(made_up, results=edited(made_up, tmp_path, change, "estimates"))
    assert any(text.startswith("Subtotals: ") for text in found.footnotes)


def test_a_harm_that_shows_no_ratio_is_not_said_to_be_corrected(made_up, tmp_path):
    configuration, sheet, looks = read(made_up.folder)
    setting = "metastatic_first_line"
    harms = tuple(entry for entry in configuration.analyses if entry.harm)

    def change(row):
        if row["analysis"] != "serious_adverse_event" or row["trial"] == "ROWAN":
            return row
        ends = dict.fromkeys(("estimate", "estimate_low", "estimate_high"), "")
        return row | {"corrected": "yes"} | (ends if row["trial"] == "SORREL" else {})

    found = setting_forests(
        replace(configuration, analyses=harms, rates=()), looks, sheet, setting,
        made_up.folder / "data/processed", edited(made_up, tmp_path, change, setting=setting), {},
    )["harms/forest"]  # fmt: skip
    (said,) = (text for text in found.footnotes if "0.5 added" in text)
    # One cell of ROWAN is empty for another harm.
    assert said == "POPLAR, ROWAN: 0.5 added to each cell because one is empty."


def test_without_a_trial_the_figure_says_so(made_up, tmp_path):
    def change(row):
        return row if row["analysis"] != ANALYSIS else None

    found = forest(made_up, results=edited(made_up, tmp_path, change))
    assert [row.texts["trial"] for row in found.rows if row.kind == "text"] == [
        "No trial qualifies."
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("verification is unverified (admitted: primary, secondary)", "no verified result"),
        ("no complete pair of admitted rows (BIRCH: one arm)", "one subgroup or arm not reported"),
        ("status is superseded (admitted: current)", "superseded report"),
        ("the trial has no control arm", "the trial has no control arm"),
    ],
)
def test_why_a_trial_is_left_out_is_told_in_short(reason, said):
    assert brief(reason) == said
