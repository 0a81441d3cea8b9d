"""config/: what is allowed in it, and the messages about errors."""

import copy
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import yaml
from invented import PROJECT, analysis, configuration
from trial_evidence.config.__main__ import FORMS, SCHEMAS
from trial_evidence.config.configuration import (
    doubtful_settings,
    read_configuration,
    settings_left_out,
    unknown_agents,
    unknown_analyses,
)
from trial_evidence.config.forms import schema
from trial_evidence.config.methods import (
    EmpiricalPrior,
    LeadRule,
    PriorComparison,
    PriorOutcome,
    Selection,
    TauPriors,
)
from trial_evidence.pool.bayes.priors import EMPIRICAL_PRIORS, model_priors
from trial_evidence.pool.engine.intervals import INTERVALS, PREDICTIONS
from trial_evidence.pool.engine.tau2 import TAU2_ESTIMATORS
from trial_evidence.words.models import (
    INTERVAL_WORDS,
    MODEL_NAMES,
    PREDICTION_WORDS,
    TAU2_ESTIMATOR_NAMES,
    is_random_effects,
    random_model,
)
from trial_evidence.words.problems import SheetError

CONFIG = Path(__file__).resolve().parents[2] / "config"

SETTINGS = {
    "confidence_level": 95,
    "tau_priors": {
        "risk_ratio": {"half_normal": 0.5, "empirical": {"inverse_gamma": [1.5, 0.25]}},
        "odds_ratio": {"half_normal": 0.6},
        "hazard_ratio": {"half_normal": 0.5, "empirical": {"half_normal": 0.1}},
        "risk_difference": {"half_normal": 0.125},
        "proportion": {"half_normal": 1.0},
    },
    "effect_modifier_min_trials": 2,
    "pooling": {
        "tau2_estimator": "PM",
        "estimate_interval": "t",
        "prediction_interval": "bootstrap",
        "leading": [
            {"from_trials": 2, "model": "bayesian", "reason": "so it is"},
            {"from_trials": 4, "model": "random_effects", "co_primary": "bayesian"},
        ],
    },
    "sensitivity": {
        "wide_prior_factor": 3,
        "empirical_prior": {"outcome": "any", "comparison": "any"},
        "estimators": ["DL", "REML"],
        "intervals": ["wald"],
        "verification": [["primary"], ["primary", "secondary"]],
        "preferred": {"analysis": ["final"]},
        "effect_modifiers": ["receptor"],
        "covariates": ["year", "receptor=positive"],
        "forced_meta_regressions": [{"analysis": "response", "covariate": "year"}],
        "further_trial": {"events": [10, 900], "patients_per_arm": [10, 800]},
        "required_information": {"ratio": 1.3, "difference": 0.2, "alpha": 5, "power": 90},
    },
    "selection": {
        "admit": {"status": ["current"]},
        "pcr": {"definition": ["ypT0/is ypN0", "ypT0/is"]},
        "hazard_ratios": {"analysis": ["final"], "median_followup_months": "longest"},
    },
    "figures": {"width_mm": 180, "formats": ["svg"]},
}
ANALYSES = {
    "settings": {"early": "Early disease", "late": "Late disease"},
    "outcomes": {
        "pcr": {"table": "pcr", "label": "pCR", "better": "more"},
        "PFS": {"table": "hazard_ratios", "better": "fewer"},
        "OS": {"table": "hazard_ratios", "better": "fewer"},
    },
    "effect_modifiers": {"receptor": {"label": "Receptor", "levels": ["negative", "positive"]}},
    "analyses": [
        {
            "id": "response",
            "setting": "early",
            "title": "Response",
            "outcome": "pcr",
            "measures": ["risk_ratio", "odds_ratio"],
            "contrast": {"kind": "dual v single", "control": ["almab", "none"]},
            "pool": "overall",
            "subgroups": "added_agents",
            "effect_modifiers": ["receptor"],
            "arms": ["Dual", "Single"],
        },
        {
            "id": "survival",
            "setting": "late",
            "title": "Survival",
            "outcome": ["PFS", "OS"],
            "measures": ["hazard_ratio"],
            "contrast": {
                "kind": "triple v dual",
                "same_partner": True,
                "changed_backbone": False,
            },
            "pool": "none",
            "subgroups": "control_agents",
            "arms": ["Triple", "Dual"],
        },
    ],
    "rates": [{"id": "rates", "setting": "early", "title": "Rates", "outcome": "pcr"}],
}


def written(folder, settings=None, analyses=None):
    """config/ with these contents; strings are written unchanged."""
    for name, content in (("config", settings or SETTINGS), ("analyses", analyses or ANALYSES)):
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def changed(content, path, value):
    """A copy of the content with a different value at the path."""
    content = copy.deepcopy(content)
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return content


def removed(content, path):
    """A copy of the content without the entry at the path."""
    content = copy.deepcopy(content)
    place = content
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return content


def complaints(folder, **known):
    with pytest.raises(SheetError) as caught:
        read_configuration(folder, **known)
    # Where in the file is tested by itself.
    return [re.sub(r", line \d+", "", p.line()) for p in caught.value.problems]


# ------------------------------------------------------------------------------------ what is read


def test_everything_is_read(tmp_path):
    found = read_configuration(written(tmp_path))
    assert found.confidence_level == 95
    assert found.selection.orders["hazard_ratios"] == {
        "analysis": ("final",), "median_followup_months": "longest",
    }  # fmt: skip
    response, survival = found.analyses
    assert (response.kind, response.table, response.labels) == ("counts", "pcr", ("pCR",))
    assert (survival.kind, survival.table) == ("contrasts", "hazard_ratios")
    assert survival.endpoints == survival.labels == ("PFS", "OS")
    assert (response.fewer_is_better, survival.fewer_is_better) == (False, True)
    assert found.rates[0].table == "pcr"
    assert response.contrast.control == ("almab", "none")
    assert (response.contrast.same_partner, survival.contrast.same_partner) == (None, True)
    assert (response.contrast.changed_backbone, survival.contrast.changed_backbone) == (None, False)
    assert response.effect_modifiers[0].levels == ("negative", "positive")
    assert survival.effect_modifiers == ()


def test_the_methods_are_read(tmp_path):
    found = read_configuration(written(tmp_path))
    pooling, sensitivity = found.pooling, found.sensitivity
    assert pooling.model == "random_pm_t"
    assert pooling.prediction_interval == "bootstrap"
    assert pooling.leading == (
        LeadRule(2, "bayesian", None, "so it is"),
        LeadRule(4, "random_effects", "bayesian", ""),
    )
    assert pooling.lead_ranges == (("bayesian", 2, 3), ("random_effects", 4, None))
    assert found.tau_priors["risk_ratio"] == TauPriors(0.5, EmpiricalPrior((1.5, 0.25)))
    assert found.tau_priors["odds_ratio"] == TauPriors(0.6, None)
    assert sensitivity.empirical_prior == ("any", "any")
    assert sensitivity.verification == (("primary",), ("primary", "secondary"))
    assert sensitivity.preferred == {"analysis": ("final",)}
    assert sensitivity.forced_meta_regressions == (("response", "year"),)


def test_the_models_allow_what_the_statistics_offer():
    assert set(TAU2_ESTIMATORS) == set(TAU2_ESTIMATOR_NAMES)
    assert tuple(INTERVAL_WORDS) == INTERVALS
    assert list(PREDICTION_WORDS) == [*PREDICTIONS, "bootstrap"]
    assert {outcome for outcome, _ in EMPIRICAL_PRIORS} == set(get_args(PriorOutcome))
    assert {comparison for _, comparison in EMPIRICAL_PRIORS} == set(get_args(PriorComparison))


def test_every_random_effects_model_has_a_name_of_its_own():
    models = {random_model(e, i) for e in TAU2_ESTIMATORS for i in INTERVALS}
    assert len(models) == len(TAU2_ESTIMATORS) * len(INTERVALS)
    assert models <= set(MODEL_NAMES)
    assert len({MODEL_NAMES[model] for model in models}) == len(models)
    assert all(is_random_effects(model) for model in models)
    # the name of the default is public
    assert random_model("REML", "hartung_knapp_conservative") == "random_reml_hk"


def test_analyses_are_given_by_setting(tmp_path):
    found = read_configuration(written(tmp_path))
    assert [a.id for a in found.of_setting("late")] == ["survival"]
    assert [r.id for r in found.rates_of_setting("early")] == ["rates"]
    assert found.rates_of_setting("late") == ()


def test_the_same_id_may_stand_in_two_settings(tmp_path):
    analyses = changed(ANALYSES, ["analyses", 1, "id"], "response")
    found = read_configuration(written(tmp_path, analyses=analyses))
    assert [a.setting for a in found.analyses if a.id == "response"] == ["early", "late"]


def test_a_byte_order_mark_is_accepted(tmp_path):
    written(tmp_path, settings="\ufeff" + yaml.safe_dump(SETTINGS))
    assert read_configuration(tmp_path).confidence_level == 95


def test_the_configuration_of_the_project_is_sound():
    found = read_configuration(CONFIG)
    assert {a.setting for a in found.analyses} == set(found.settings)


def test_the_analyses_that_were_asked_for_are_there():
    found = read_configuration(CONFIG)
    pooled = {
        (a.setting, a.endpoints, a.contrast.kind) for a in found.analyses if a.pool == "overall"
    }
    early = ("EFS", "PFS", "iDFS", "DFS", "RFS")
    assert pooled == {
        ("neoadjuvant", ("pcr",), "dual v single"),
        ("neoadjuvant", early, "dual v single"),
        ("neoadjuvant", ("OS",), "dual v single"),
        ("adjuvant", ("iDFS", "DFS", "EFS", "RFS"), "dual v single"),
        ("adjuvant", ("OS",), "dual v single"),
        ("metastatic_first_line", ("PFS",), "dual v single"),
        ("metastatic_first_line", ("OS",), "dual v single"),
        ("metastatic_pretreated", ("PFS",), "dual v single"),
        ("metastatic_pretreated", ("OS",), "dual v single"),
    }
    beside = {a.contrast.kind for a in found.analyses if a.pool != "overall"}
    assert beside >= {"dual v dual", "triple v dual", "sequential", "chemotherapy-free"}


# -------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["confidence_level"], "95%",
         'config.yaml, confidence_level: "95%" is not a number.'),
        (["confidence_level"], 100, "config.yaml, confidence_level: 100 is greater than"),
        (["tau_priors", "proportion", "half_normal"], 0,
         "config.yaml, tau_priors.proportion.half_normal: 0 is less"),
        # A million is no spread of log ratios; the numbers computed with it would not be finite.
        (["tau_priors", "risk_ratio", "half_normal"], 1e6,
         "config.yaml, tau_priors.risk_ratio.half_normal: 1000000.0 is greater than the maximum"),
        (["sensitivity", "further_trial", "events"], [20, 10**30],
         "config.yaml, sensitivity.further_trial.events: 1000000000000000000000000000000 is"),
        (["tau_priors", "hazard_ratio", "empirical", "inverse_gamma"], [2.42, 0.3],
         "config.yaml, tau_priors.hazard_ratio.empirical: \"{'half_normal': 0.1, "
         "'inverse_gamma': [2.42, 0.3]}\" needs one of inverse_gamma and half_normal."),
        (["figures", "formats"], ["gif"],
         'config.yaml, figures.formats: "gif" is not allowed. Allowed: svg, pdf, png.'),
        (["figures", "formats"], ["pdf", "png"],
         'config.yaml, figures.formats: "[pdf, png]" must include svg: the page of the report '
         "shows these drawings."),
        (["figures", "formats"], "pdf",
         'config.yaml, figures.formats: "pdf" is not a list. Write it in square brackets: [pdf]'),
        (["figures", "width_mm"], 20, "config.yaml, figures.width_mm: 20 is less than"),
        (["selection", "pcr", "definition"], "shortest",
         'config.yaml, selection.pcr.definition: "shortest" is not allowed. Allowed: a'),
        (["selection", "admit"], {}, "config.yaml, selection.admit: {} must not be empty"),
        (["confidence_levle"], 95, 'config.yaml: "confidence_levle" is not known here. Known: '),
        (["figures", "colour"], "red",
         'config.yaml, figures: "colour" is not known here. Known: formats, width_mm.'),
        (["pooling", "tau2_estimator"], "RELM",
         'config.yaml, pooling.tau2_estimator: "RELM" is not allowed. Allowed: DL, REML, '
         'ML, PM, HE, SJ, EB, HS. Did you mean "REML"?'),
        (["pooling", "estimate_interval"], "hartung-knapp",
         'config.yaml, pooling.estimate_interval: "hartung-knapp" is not allowed. Allowed: '
         'wald, t, hartung_knapp, hartung_knapp_conservative. Did you mean "hartung_knapp"?'),
        (["pooling", "leading"], [],
         "config.yaml, pooling.leading: [] must not be empty"),
        (["pooling", "leading", 0, "from_trials"], 3,
         'config.yaml, pooling.leading.from_trials: "3" is where the first rule begins. It must '
         "begin with 2 trials"),
        (["pooling", "leading", 1, "from_trials"], 2,
         'config.yaml, pooling.leading: "2, 2" are the values of from_trials. They '
         "must increase"),
        (["pooling", "leading", 1, "co_primary"], "random_effects",
         'config.yaml, pooling.leading.co_primary: "random_effects" is both model and '
         "co_primary."),
        (["sensitivity", "empirical_prior", "outcome"], "adverse events",
         'config.yaml, sensitivity.empirical_prior: "adverse events, any" is not a prior'),
        (["sensitivity", "covariates"], ["age", "year"],
         'config.yaml, sensitivity.covariates: "age" is not allowed. Allowed: year, '
         "median_followup_months, or factor=level"),
        (["sensitivity", "covariates"], [],
         "config.yaml, sensitivity.forced_meta_regressions.covariate: "
         '"year" is not allowed. Allowed: none.'),
        (["sensitivity", "forced_meta_regressions", 0, "analysis"], "survivall",
         "config.yaml, sensitivity.forced_meta_regressions.analysis: "
         '"survivall" is not allowed. Allowed: response, survival'),
        (["sensitivity", "wide_prior_factor"], 1,
         "config.yaml, sensitivity.wide_prior_factor: 1 is less than or equal"),
        (["effect_modifier_min_trials"], 0,
         "config.yaml, effect_modifier_min_trials: 0 is less than the minimum of 1."),
        (["sensitivity", "further_trial", "events"], [50, 50],
         "config.yaml, sensitivity.further_trial.events: "),
    ],
)  # fmt: skip
def test_settings_that_are_refused(tmp_path, path, value, message):
    (line,) = complaints(written(tmp_path, settings=changed(SETTINGS, path, value)))
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["analyses", 0, "pool"], "all",
         "analyses.yaml, analyses.pool: response: "
         '"all" is not allowed. Allowed: overall, within_subgroups, none.'),
        (["analyses", 1, "contrast", "kind"], "dual v singel",
         "analyses.yaml, analyses.contrast.kind: survival: "
         '"dual v singel" is not allowed. Allowed: dual v single, '),
        (["analyses", 1, "contrast", "partner"], "same",
         "analyses.yaml, analyses.contrast: survival: "
         '"partner" is not known here. Known: changed_backbone, control, experimental, kind, '),
        (["analyses", 0, "measures", 0], "relative_risk",
         "analyses.yaml, analyses.measures: response: "
         '"relative_risk" is not allowed. Allowed: risk_ratio, '),
        (["analyses", 0, "arms"], ["Dual"], "analyses.yaml, analyses.arms: response: "),
        (["analyses", 0, "id"], "My response", "analyses.yaml, analyses.id: My response: "),
        # Not possible as the name of a folder of results.
        (["analyses", 0, "id"], "a" * 101, f"analyses.yaml, analyses.id: {'a' * 59}…: "),
        (["rates", 0, "outcome"], "pCR",
         'analyses.yaml, rates.outcome: rates: "pCR" is not an outcome of '
         'analyses.yaml. Allowed: pcr, PFS, OS. Did you mean "pcr"?'),
        (["analyses", 1, "outcome"], ["PFS", "pcr"],
         'analyses.yaml, analyses.outcome: survival: "pcr" is in pcr.csv, the first outcome in '),
        (["outcomes", "OS", "better"], "less",
         'analyses.yaml, outcomes.OS.better: "less" is not allowed. Allowed: more, fewer.'),
        (["outcomes", "OS", "part_of"], ["pfs"],
         'analyses.yaml, outcomes.OS.part_of: "pfs" is not another outcome of hazard_ratios.'),
        (["analyses", 0], "response",
         'analyses.yaml, analyses: "response" is not a group of named settings.'),
        (["settings"], {}, "analyses.yaml, settings: {} must not be empty"),
        (["analyses", 0, "setting"], "erly",
         'analyses.yaml, analyses.setting: response: "erly" is not a setting of analyses.yaml. '
         'Allowed: early, late. Did you mean "early"?'),
        (["analyses", 0, "effect_modifiers"], ["age"],
         'analyses.yaml, analyses.effect_modifiers: response: "age" is not a factor described'),
        (["analyses", 0, "measures", 1], "hazard_ratio",
         'analyses.yaml, analyses.measures: response: "hazard_ratio" does not fit the first '),
        (["rates", 0, "id"], "response",
         'analyses.yaml, rates.id: response: "response" occurs twice.'),
        (["analyses", 0, "trials"], {"years": [2020, 2010]},
         'analyses.yaml, analyses.trials.years: response: "[2020, 2010]" are not a range'),
        (["analyses", 0, "pooling"], {"tau2_estimator": "RELM"},
         'analyses.yaml, analyses.pooling.tau2_estimator: response: "RELM" is not allowed.'),
        (["analyses", 0, "figure"], {"axis": [0, 2]},
         "analyses.yaml, analyses.figure.axis: response: "),
        (["analyses", 0, "figure"], {"axis": [1.2, 8]},
         'analyses.yaml, analyses.figure.axis: response: "[1.2, 8]" does not hold 1: '),
        (["analyses", 1], ANALYSES["analyses"][0],
         'analyses.yaml, analyses.id: response: "response" occurs twice.'),
    ],
)  # fmt: skip
def test_analyses_that_are_refused(tmp_path, path, value, message):
    (line,) = complaints(written(tmp_path, analyses=changed(ANALYSES, path, value)))
    assert line.startswith(message)


def test_an_axis_may_begin_at_no_effect(tmp_path):
    asked = changed(ANALYSES, ["analyses", 0, "figure"], {"axis": [1, 8]})
    found = read_configuration(written(tmp_path, analyses=asked))
    assert found.analyses[0].figure.axis == (1, 8)


def doubts(reported):
    """The warning on a trial of early disease; harms are asked for in late disease alone."""
    harms = [name for name, outcome in PROJECT.outcomes.items() if outcome.table == "harms"][:3]
    asked = [
        analysis(endpoints=("EFS",)),
        *(analysis(setting="late", endpoints=(name,)) for name in ("EFS", "PFS", "OS")),
        *(analysis(setting="late", endpoints=(name,), harm=True) for name in harms),
    ]
    both = replace(configuration(*asked), settings={"early": "Early", "late": "Late"})
    trials = pd.DataFrame([{"row": 2, "trial_id": "t1", "setting": "early"}])
    return [p.message for p in doubtful_settings(both, trials, {"t1": {*reported, *harms}})]


def test_only_outcomes_that_its_setting_does_not_ask_for_make_it_doubtful():
    (said,) = doubts(["EFS", "PFS", "OS"])
    assert said.startswith("no analysis of early looks at OS, PFS of this trial; those of late do.")


def test_harms_say_nothing_of_the_setting_of_a_trial():
    assert doubts(["EFS"]) == []


def test_a_rate_is_of_one_outcome(tmp_path):
    """Arms are chosen one by one: some would be of one outcome, some of the other."""
    asked = changed(ANALYSES, ["outcomes", "toxicity"], {"table": "pcr", "better": "fewer"})
    asked = changed(asked, ["rates", 0, "outcome"], ["pcr", "toxicity"])
    assert complaints(written(tmp_path, analyses=asked), kinds={"pcr": "counts"}) == [
        'analyses.yaml, rates.outcome: rates: "[pcr, toxicity]" names several counted outcomes, '
        "whose arms would be mixed: name one."
    ]


def test_a_harm_is_pooled_by_the_agent_that_was_added(tmp_path):
    """Its sentences and differences are about adding that agent."""
    asked = changed(ANALYSES, ["analyses", 0, "harm"], True)
    asked = changed(asked, ["analyses", 0, "subgroups"], "control_agents")
    assert complaints(written(tmp_path, analyses=asked)) == [
        'analyses.yaml, analyses.measures: response: "[risk_ratio, odds_ratio]" need '
        "risk_difference: harms are reported per 1,000 patients.",
        'analyses.yaml, analyses.pool: response: "overall" must be within_subgroups for a harm: '
        "each agent adds its own.",
        'analyses.yaml, analyses.subgroups: response: "control_agents" must be added_agents for a '
        "harm: each agent adds its own.",
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("trials", {"where": {"blinded": ["maybe"]}},
         'analyses.yaml, analyses.trials.where.blinded: response: "maybe" is not allowed. Allowed: '
         "yes, no."),
        ("trials", {"where": {"colour": ["red"]}},
         'analyses.yaml, analyses.trials.where: response: "colour" is not a column of '),
        ("selection", {"definition": ["ypT9"]},
         'analyses.yaml, analyses.selection.definition: response: "ypT9" is not allowed. '),
    ],
)  # fmt: skip
def test_an_analysis_asks_for_words_of_the_dictionary(tmp_path, key, value, message):
    known = {
        "trials": {"blinded": ("yes", "no"), "phase": ("2", "3"), "name": ()},
        "tables": {
            "pcr": {"status": ("current",), "definition": ("ypT0/is ypN0", "ypT0/is")},
            "hazard_ratios": {"status": ("current",), "analysis": ("final",),
                              "median_followup_months": ("longest",)},
        },
    }  # fmt: skip
    asked = changed(ANALYSES, ["analyses", 0, key], value)
    (line,) = complaints(written(tmp_path, analyses=asked), **known)
    assert line.startswith(message)


def test_words_that_yaml_takes_for_something_else_are_taken_as_the_sheet_writes_them(tmp_path):
    asked = {"where": {"phase": [3], "blinded": [True]}}
    folder = written(tmp_path, analyses=changed(ANALYSES, ["analyses", 0, "trials"], asked))
    assert read_configuration(folder).analyses[0].trials.where == {
        "phase": ("3",), "blinded": ("yes",),
    }  # fmt: skip


@pytest.mark.parametrize("key", list(SETTINGS))
def test_every_setting_is_required(tmp_path, key):
    (line,) = complaints(written(tmp_path, settings=removed(SETTINGS, [key])))
    assert line == f'config.yaml: "{key}" is missing.'


@pytest.mark.parametrize(
    "key",
    ["id", "setting", "title", "outcome", "measures", "contrast", "pool", "subgroups", "arms"],
)
def test_an_analysis_without_a_part_is_refused(tmp_path, key):
    (line,) = complaints(written(tmp_path, analyses=removed(ANALYSES, ["analyses", 0, key])))
    subject = "entry 1" if key == "id" else "response"
    assert line == f'analyses.yaml, analyses: {subject}: "{key}" is missing.'


def test_all_faults_of_both_files_are_told_at_once(tmp_path):
    settings = changed(removed(SETTINGS, ["figures"]), ["confidence_level"], "much")
    analyses = changed(ANALYSES, ["analyses", 0, "pool"], "all")
    files = [line.partition(",")[0].partition(":")[0] for line in
             complaints(written(tmp_path, settings, analyses))]  # fmt: skip
    assert files == ["config.yaml", "config.yaml", "analyses.yaml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("confidence_level: [95", "Something here is not valid YAML (expected"),
        ("confidence_level: 95\n\tfigures: 1\n", "The line begins with a tab. Indent it with "),
        ("", "Nothing is given here; it must be a group of named settings."),
        ("- 95\n", '"[95]" is not a group of named settings.'),
        ("just words", '"just words" is not a group of named settings.'),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path, text, words):
    written(tmp_path)
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    (line,) = complaints(tmp_path)
    assert line.startswith(f"config.yaml: {words}")


def test_a_file_in_another_encoding(tmp_path):
    written(tmp_path)
    (tmp_path / "analyses.yaml").write_bytes("settings: {early: Früh}\n".encode("cp1252"))
    (line,) = complaints(tmp_path)
    assert line == "analyses.yaml: The file is not saved as UTF-8; save it as UTF-8."


@pytest.mark.parametrize("name", ["config.yaml", "analyses.yaml"])
def test_a_missing_file(tmp_path, name):
    written(tmp_path)
    (tmp_path / name).unlink()
    assert complaints(tmp_path) == [f"{name}: The file is missing."]


# -------------------------------------------------------------------------- against the sheet


def test_an_unknown_agent_in_a_control_arm(tmp_path):
    control = ["almab", "almab+bemob", "none"]
    analyses = changed(ANALYSES, ["analyses", 0, "contrast", "control"], control)
    found = read_configuration(written(tmp_path, analyses=analyses))
    assert [p.line() for p in unknown_agents(found, ["almab", "bemab"])] == [
        'analyses.yaml, control: response: "bemob" is not an agent of agents.csv. '
        'Did you mean "bemab"?'
    ]


def test_agents_of_a_control_arm_stand_in_order(tmp_path):
    analyses = changed(ANALYSES, ["analyses", 0, "contrast", "control"], ["bemab+almab"])
    found = read_configuration(written(tmp_path, analyses=analyses))
    assert [p.line() for p in unknown_agents(found, ["almab", "bemab"])] == [
        'analyses.yaml, control: response: "bemab+almab" is not in alphabetical order: almab+bemab.'
    ]


KNOWN = {
    "kinds": {"pcr": "counts", "hazard_ratios": "contrasts"},
    "tables": {
        "pcr": {"definition": ("ypT0/is ypN0", "ypT0/is"), "note": (),
                "status": ("current", "old")},
        "hazard_ratios": {
            "analysis": ("final",), "median_followup_months": ("longest",),
            "status": ("current", "old"),
        },
    },
}  # fmt: skip


def said(folder):
    with pytest.raises(SheetError) as caught:
        read_configuration(folder, **KNOWN)
    return [re.sub(r", line \d+", "", p.line()) for p in caught.value.problems]


def test_what_fits_the_tables_of_the_sheet_is_no_problem(tmp_path):
    assert read_configuration(written(tmp_path), **KNOWN).confidence_level == 95


def test_an_outcome_in_a_table_that_holds_no_results(tmp_path):
    analyses = changed(ANALYSES, ["outcomes", "pcr", "table"], "pcrs")
    assert said(written(tmp_path, analyses=analyses)) == [
        'analyses.yaml, outcomes.pcr.table: "pcrs" is not a table of results. Allowed: pcr, '
        'hazard_ratios. Did you mean "pcr"?'
    ]


@pytest.mark.parametrize(
    ("analysis", "measure", "words"),
    [
        (0, "hazard_ratio", "pcr.csv holds counts. Allowed: risk_ratio, odds_ratio, risk_diff"),
        (1, "odds_ratio", "hazard_ratios.csv holds contrasts. Allowed: hazard_ratio."),
    ],
)
def test_a_measure_that_the_table_of_the_outcome_does_not_make(tmp_path, analysis, measure, words):
    analyses = changed(ANALYSES, ["analyses", analysis, "measures"], [measure])
    (line,) = said(written(tmp_path, analyses=analyses))
    assert f'"{measure}" does not fit the outcome: {words}' in line


def test_a_fault_has_its_line(tmp_path):
    analyses = changed(ANALYSES, ["analyses", 1, "setting"], "earlly")
    text = yaml.safe_dump(analyses, sort_keys=False)
    with pytest.raises(SheetError) as caught:
        read_configuration(written(tmp_path, analyses=text))
    (found,) = caught.value.problems
    assert text.splitlines()[found.row - 1] == "  setting: earlly"


def test_agents_that_are_known_are_no_problem(tmp_path):
    assert not list(unknown_agents(read_configuration(written(tmp_path)), ["almab"]))


def test_an_unknown_analysis_in_an_exclusion(tmp_path):
    exclusions = pd.DataFrame(
        {
            "trial_id": ["t1", "t2", "t3", "t4"],
            "analysis": ["*", "response", "rates", "respons"],
            "row": [2, 3, 4, 5],
        }
    )
    found = read_configuration(written(tmp_path))
    assert [p.line() for p in unknown_analyses(found, exclusions)] == [
        'exclusions.csv, row 5 (t4), column analysis: "respons" is not an analysis of '
        "config/analyses.yaml. Allowed: *, rates, response, survival. "
        'Did you mean "response"?'
    ]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["pcr", "DEFINITION"], ["ypT0/is"],
         'selection.pcr: "DEFINITION" is not a column of pcr.csv. Did you mean "definition"?'),
        (["admit", "analysis"], ["final"],
         'selection.admit: "analysis" is not a column of every table of results.'),
        (["pcr", "definition"], ["ypT0is"],
         'selection.pcr.definition: "ypT0is" is not allowed. Allowed: ypT0/is ypN0, ypT0/is. '
         'Did you mean "ypT0/is"?'),
        # A number has no words, and a word is not longer than another.
        (["pcr", "definition"], "longest",
         'selection.pcr.definition: "longest" is not allowed. Allowed: ypT0/is ypN0, ypT0/is.'),
        (["pcr", "note"], "longest",
         'selection.pcr.note: "longest" is not allowed. Only columns of numbers have a longest.'),
        (["hazard_ratios", "median_followup_months"], ["final"],
         'selection.hazard_ratios.median_followup_months: "final" is not allowed. Allowed: '
         'longest.'),
        (["hazard_ratio"], {"analysis": ["final"]},
         'selection: "hazard_ratio" is not a table of results. Allowed: pcr, hazard_ratios. '
         'Did you mean "hazard_ratios"?'),
    ],
)  # fmt: skip
def test_a_selection_by_what_the_sheet_does_not_hold(tmp_path, path, value, message):
    folder = written(tmp_path, settings=changed(SETTINGS, ["selection", *path], value))
    with pytest.raises(SheetError) as caught:
        read_configuration(folder, **KNOWN)
    (found,) = caught.value.problems
    text = (folder / "config.yaml").read_text(encoding="utf-8").splitlines()
    assert found.line() == f"config.yaml, line {found.row}, {message}"
    assert text[found.row - 1].strip().startswith(f"{path[-1]}:")


def test_an_outcome_needs_orders_of_preference_for_its_table(tmp_path):
    assert said(written(tmp_path, settings=removed(SETTINGS, ["selection", "pcr"]))) == [
        'config.yaml, selection: "pcr" is missing: the orders of preference among its rows.'
    ]


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 200 + "]" * 200])
def test_a_deeply_nested_file_has_one_problem_a_place(tmp_path, text):
    written(tmp_path, settings=f"confidence_level: {text}\n")
    lines = complaints(tmp_path)
    assert len(lines) == len(set(lines))
    assert all(len(line) < 200 for line in lines)


# -------------------------------------------------------------------------------- for editors


@pytest.mark.parametrize("name", FORMS)
def test_the_schemas_for_editors_are_those_of_the_models(name):
    made = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    assert made == schema(FORMS[name]), "make workflow/schemas/config.schema.json"


def test_an_editor_shows_what_a_setting_means_and_not_how_it_is_written():
    report = json.loads(schema(FORMS["report"]))["properties"]["question"]
    assert report["description"].startswith("The question that the report answers")
    styles = json.loads(schema(FORMS["styles"]))["$defs"]
    fields = next(form["properties"] for form in styles.values() if "description" in form.get(
        "properties", {}))  # fmt: skip
    assert fields["description"]["type"] == "string"


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_file_names_its_schema(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    name = "labels" if path.parent.name == "labels" else path.stem
    place = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
    assert place == SCHEMAS / f"{name}.schema.json"


def test_the_trials_of_one_year_can_be_asked_for(tmp_path):
    rule = changed(ANALYSES, ["analyses", 0, "trials"], {"years": [2015, 2015]})
    assert read_configuration(written(tmp_path, analyses=rule)).analyses[0].trials.years == (
        2015,
        2015,
    )


def test_a_setting_left_out_is_told_at_its_first_trial():
    trials = pd.DataFrame(
        {
            "trial_id": ["t1", "t2", "t3"],
            "setting": ["elsewhere", "elsewhere", "nowhere"],
            "row": [4, 9, 11],
        }
    )
    told, _ = settings_left_out(read_configuration(CONFIG), trials)
    assert (told.severity, told.row, told.subject) == ("warning", 4, "t1")
    assert told.message.endswith("no analysis looks at its 2 trials: t1, t2.")


def test_the_cautious_prior_is_not_named_after_the_empirical_one():
    priors = model_priors(TauPriors(0.5, EmpiricalPrior(inverse_gamma=(1.5, 0.25))))
    assert priors["bayesian"].label == "half-normal(0.5)"
    assert priors["bayesian_empirical"].label == "inverse-gamma(1.5, 0.25)"


def test_the_smallest_hazard_ratio_that_matters_is_a_benefit(tmp_path):
    settings = changed(SETTINGS, ["sensitivity", "required_information", "ratio"], 1.25)
    sensitivity = read_configuration(written(tmp_path, settings=settings)).sensitivity
    assert sensitivity.worthwhile_hazard_ratio == pytest.approx(0.8)


def test_rates_need_a_prior_of_their_own(tmp_path):
    priors = {name: prior for name, prior in SETTINGS["tau_priors"].items() if name != "proportion"}
    (line,) = complaints(written(tmp_path, settings=changed(SETTINGS, ["tau_priors"], priors)))
    assert line.endswith('"proportion" is missing.')


def test_the_orders_of_an_analysis_come_before_those_of_all():
    selection = Selection({}, {"pcr": {"assessor": ("a", "b"), "population": ("c", "d")}})
    orders = selection.ordered("pcr", {"population": ("d", "c")})
    assert list(orders.items()) == [("population", ("d", "c")), ("assessor", ("a", "b"))]
