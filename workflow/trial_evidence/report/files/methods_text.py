"""The methods in a few paragraphs, from the configuration and the counts of the sheet."""

from collections.abc import Mapping

import pandas as pd

from trial_evidence.config.methods import Pooling
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.printed import counted, listing, percent, words
from trial_evidence.report.tables.flow import SEARCH_WORDS, search_dates
from trial_evidence.words.models import INTERVAL_WORDS, MEASURE_NAMES, PREDICTION_WORDS

HEADING = "Methods"
_MODELS = {"random_effects": "the random-effects model", "bayesian": "the Bayesian model"}
_ORDER_NAMES = {
    "definition": "definition of response",
    "population": "population analysed",
    "assessor": "assessor",
    "analysis": "cut of the data",
    "median_followup_months": "follow-up",
    "derivation": "how the number came about",
    "verification": "how it was seen",
    "status": "status",
}


def methods_paragraphs(material: Material) -> tuple[str, ...]:
    """What was done, a paragraph a topic; every number from the sheet or the configuration.

    Parameters
    ----------
    material : Material

    Returns
    -------
    tuple of str
        Evidence, selection, effect sizes, models, heterogeneity, sensitivity, certainty.
    """
    return (
        _search(material),
        _verification(material),
        _selection(material),
        _effects(material),
        _models(material),
        _heterogeneity(material),
        _sensitivity(material),
        _certainty(material),
    )


def methods_text(material: Material) -> str:
    """The paragraphs as plain text, a blank line between them."""
    return "\n\n".join((HEADING, *methods_paragraphs(material))) + "\n"


def methods_markdown(material: Material) -> str:
    """The paragraphs as a page in Markdown."""
    return "\n\n".join((f"# {HEADING}", *methods_paragraphs(material))) + "\n"


def _search(material: Material) -> str:
    sheet = material.sheet
    log, trials = sheet["search_log"], sheet["trials"]
    queries = int(log["queries"].sum())
    randomised = int((trials["randomised"] == "yes").sum())
    dates = search_dates(material)
    when = f" on {listing(dates)}" if dates else ""
    settings = "; ".join(name.lower() for name in material.configuration.settings.values())
    return (
        f"Trials were found by {SEARCH_WORDS}: {counted(len(log), 'search', 'searches')} with "
        f"{counted(queries, 'recorded query', 'recorded queries')}{when}. Records identified and "
        f"screened were not counted. The sheet holds "
        f"{counted(len(trials), 'trial or cohort', 'trials and cohorts')} "
        f"({randomised} of them randomised) in these settings: {settings}. "
        f"{counted(len(sheet['pcr']), 'result')} on response and "
        f"{counted(len(sheet['hazard_ratios']), 'hazard ratio')} were extracted from "
        f"{counted(len(sheet['sources']), 'source')}."
    )


def _verification(material: Material) -> str:
    trials = material.evidence.trials
    measures = {(a.setting, a.id): a.measures[0] for a in material.configuration.analyses}
    first = [
        row == measures[setting, analysis]
        for row, setting, analysis in zip(
            trials["measure"], trials["setting"], trials["analysis"], strict=True
        )
    ]
    pooled = trials[pd.Series(first, index=trials.index, dtype=bool) & (trials["pooled"] == "yes")]
    primary = int((pooled["verification"] == "primary").sum())
    second = material.sheet["second_reading"]
    agreed = int((second["verdict"] == "agree").sum())
    settled = len(material.sheet["adjudication"])
    differ = len(second) - agreed
    reading = (
        f" A second reader read {counted(len(second), 'row')} again and agreed on {agreed} "
        f"({percent(agreed / len(second))}); of {counted(differ, 'difference')}, "
        f"{settled or 'none'} {'have' if settled > 1 else 'has'} been settled."
        if len(second)
        else " No row was read by a second reader."
    )
    bias = counted(len(material.sheet["risk_of_bias"]), "outcome of a trial", "outcomes of trials")
    return (
        "Every number carries its source and the place in it. Of "
        f"{counted(len(pooled), 'result')} of trials compared, those of subgroups among them, "
        f"{primary} {'was' if primary == 1 else 'were'} seen in the trial’s own paper, abstract, "
        "registry record or label, the others wholly or in part in documents that quote it."
        f"{reading} Risk of bias was judged by the domains of RoB 2 for {bias}."
    )


def _selection(material: Material) -> str:
    chosen = material.configuration.selection
    admitted = "; ".join(
        f"{_ORDER_NAMES.get(column, words(column))}: {listing([words(w) for w in allowed])}"
        for column, allowed in chosen.admit.items()
    )
    return (
        "A trial counted once in a pool, no arm twice, and settings were not pooled together. "
        f"Admitted were rows by {admitted}. Where a trial reported several, one was taken by these "
        f"orders of preference. Response: {_orders(chosen.pcr)}. Time to event: "
        f"{_orders(chosen.hazard_ratio)}."
    )


def _effects(material: Material) -> str:
    used = dict.fromkeys(m for a in material.configuration.analyses for m in a.measures)
    names = listing([f"{MEASURE_NAMES[m].lower()}s" for m in used])
    table = material.evidence.trials
    corrected = int(table.loc[table["corrected"] == "yes", "trial_id"].nunique())
    return (
        f"Effects are {names}, ratios analysed as logarithms. A trial with an empty cell gets 0.5 "
        f"in all its cells ({counted(corrected, 'trial') if corrected else 'none'} here); a trial "
        "without any event, or with nothing but events, carries no information on a ratio and "
        "is shown without being pooled. "
        "Standard errors of log hazard ratios come from the interval at its own level, else from "
        "one limit, a p value or the events."
    )


def _models(material: Material) -> str:
    configuration = material.configuration
    pooling = configuration.pooling
    level = f"{configuration.confidence_level:g}%"
    return (
        f"Trials were pooled by random effects, τ² by {pooling.tau2_estimator}, with the "
        f"{INTERVAL_WORDS[pooling.estimate_interval][2]}, and by a Bayesian normal-normal model "
        "with a flat prior on the mean and a half-normal prior on τ of scale "
        f"{configuration.tau_prior_scale['log_ratio']:g} for log ratios. Intervals are at the "
        f"{level} level; prediction intervals use "
        f"{PREDICTION_WORDS[pooling.prediction_interval]}. {_leading(pooling)} "
        "A single trial is reported as it stands."
    )


def _leading(pooling: Pooling) -> str:
    parts = []
    for position, rule in enumerate(pooling.leading):
        last = position + 1 == len(pooling.leading)
        until = rule.from_trials if last else pooling.leading[position + 1].from_trials - 1
        joint = " or " if until == rule.from_trials + 1 else " to "
        span = f"{rule.from_trials}{joint}{until}" if until > rule.from_trials else f"{until}"
        beside = f", beside {_MODELS[rule.co_primary]} of equal rank" if rule.co_primary else ""
        trials = f"{span} trials or more" if last else f"{span} trials"
        parts.append(f"with {trials} {_MODELS[rule.model]}{beside}")
    return f"What is reported first depends on the number of trials: {'; '.join(parts)}."


def _heterogeneity(material: Material) -> str:
    factors = dict.fromkeys(
        modifier.label.lower()
        for a in material.configuration.analyses
        for modifier in a.effect_modifiers
    )
    least = material.configuration.effect_modifier_min_trials
    inside = (
        f" By {listing(list(factors))}, effects were compared inside each trial and the "
        f"comparisons pooled where {counted(least, 'trial')} or more report all levels."
        if factors
        else ""
    )
    return (
        "Heterogeneity is given as τ² with its Q-profile interval, I² from τ², and Q. Groups of "
        f"trials were compared by a mixed-effects model with one τ².{inside}"
    )


def _sensitivity(material: Material) -> str:
    curves = material.sensitivity["multiverse_summary"]
    total = int(curves.loc[curves["measure"] == "all", "specifications"].sum())
    least = material.report.certainty.small_study_trials
    return (
        "Every pooled result was repeated by other estimators and intervals, without each trial, "
        "trial by trial in the order of the sources read, and over every combination of the "
        f"choices examined ({counted(total, 'specification')} in all). Small-study effects were "
        f"tested where at least {least} trials were pooled."
    )


def _certainty(material: Material) -> str:
    rules, ratio = material.report.certainty, material.report.worthwhile_ratio
    judged = len(material.sheet["certainty"])
    by_hand = (
        f"{counted(judged, 'domain')} {'was' if judged == 1 else 'were'}" if judged else "None was"
    )
    return (
        "Certainty of evidence follows the domains of GRADE. Rules propose a judgement: risk of "
        f"bias is serious from {percent(rules.high_risk_share)} of the weight at high risk, or "
        f"{percent(rules.concerns_share)} not at low risk; inconsistency from an I² of "
        f"{rules.i2:g}% or where only the prediction interval includes no effect; imprecision "
        f"where the interval includes no effect and a ratio of {ratio:g} (or its reciprocal), or "
        f"where there is less information than detecting it with {rules.power:g}% power needs; "
        f"publication bias from p < {rules.small_study_p:g}. Indirectness is left to a person. "
        f"{by_hand} judged by a person."
    )


def _orders(orders: Mapping[str, tuple[str, ...] | str]) -> str:
    return "; ".join(
        f"{_ORDER_NAMES.get(column, words(column))} "
        f"({order if isinstance(order, str) else ', then '.join(words(word) for word in order)})"
        for column, order in orders.items()
    )
