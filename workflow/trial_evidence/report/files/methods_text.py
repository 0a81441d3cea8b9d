"""The methods in a few paragraphs, from the configuration and the counts of the sheet."""

from collections.abc import Mapping

from trial_evidence.config.methods import Pooling
from trial_evidence.measures import MEASURES
from trial_evidence.report.material.material import Material, source_ids, where
from trial_evidence.report.material.printed import admitted, counted, listing, percent, words
from trial_evidence.report.tables.flow import SEARCH_WORDS, search_dates
from trial_evidence.words.models import INTERVAL_WORDS, PREDICTION_WORDS

HEADING = "Methods"
_MODELS = {"random_effects": "the random-effects model", "bayesian": "the Bayesian model"}
_ORDER_NAMES = {
    "population": "population analysed",
    "analysis": "data cut",
    "median_followup_months": "median follow-up",
    "derivation": "how the number was obtained",
}
# A row of a table of results, by the kind of evidence in it.
_ROWS = {"counts": "result counted in an arm", "contrasts": "ratio comparing two arms"}
_ROWS_MANY = {"counts": "results counted in an arm", "contrasts": "ratios comparing two arms"}


def methods_paragraphs(material: Material) -> tuple[str, ...]:
    """What was done, a paragraph a topic; every number from the sheet or the configuration."""
    topics = (_search, _verification, _selection, _effects, _models, _heterogeneity, _sensitivity,
              _certainty)  # fmt: skip
    return tuple(topic(material) for topic in topics)


def methods_text(material: Material) -> str:
    """The paragraphs as plain text, a blank line between them."""
    return "\n\n".join((HEADING, *methods_paragraphs(material))) + "\n"


def methods_markdown(material: Material) -> str:
    """The paragraphs as a page in Markdown."""
    return f"# {methods_text(material)}"


def _search(material: Material) -> str:
    sheet = material.sheet
    log, trials = sheet["search_log"], sheet["trials"]
    queries = counted(int(log["queries"].sum()), "recorded query", "recorded queries")
    dates = search_dates(material)
    when = f" on {listing(dates)}" if dates else ""
    settings = "; ".join(name.lower() for name in material.configuration.settings.values())
    rows = [
        counted(len(sheet[table]), _ROWS[kind], _ROWS_MANY[kind])
        for table, kind in sheet.kinds.items()
    ]
    cells = {cell for table in sheet.results for cell in sheet[table]["source_id"]}
    read = {source for cell in cells for source in source_ids(cell)}
    return (
        f"Trials were identified by {SEARCH_WORDS}: {counted(len(log), 'search', 'searches')} with "
        f"{queries}{when}. Records identified and screened were not counted. The sheet holds "
        f"{counted(len(trials), 'trial or cohort', 'trials and cohorts')}, of which "
        f"{len(where(trials, randomised='yes'))} were randomised, in these settings: {settings}. "
        f"It has {listing(rows)}, extracted from {len(read)} of the "
        f"{counted(len(sheet['sources']), 'source')} listed."
    )


def _verification(material: Material) -> str:
    pooled = where(material.as_first_measure(material.evidence.trials), pooled="yes")
    primary = len(where(pooled, verification="primary"))
    bias = counted(len(material.sheet["risk_of_bias"]), "outcome of a trial", "outcomes of trials")
    allowed = material.configuration.selection.admit.get("verification", ("unverified",))
    never = (
        "" if "unverified" in allowed
        else " Results that nobody has verified in a source are never pooled."
    )  # fmt: skip
    return (
        "Every number is recorded with its source and its place in the source. Of the "
        f"{counted(len(pooled), 'result')} in the comparisons, those of subgroups included, "
        f"{primary} {'was' if primary == 1 else 'were'} verified in the trial’s own paper, "
        "abstract, registry record or label, the others wholly or partly in documents that quote "
        f"it.{never}{_second_reading(material)} Risk of bias was judged in the domains of RoB 2 "
        f"for {bias}."
    )


def _second_reading(material: Material) -> str:
    second = material.sheet["second_reading"]
    if second.empty:
        return " No row was read by a second reader."
    agreed = len(where(second, verdict="agree"))
    settled = len(material.sheet["adjudication"])
    differ = counted(len(second) - agreed, "disagreement")
    return (
        f" Of {counted(len(second), 'reading')} by a second reader, {agreed} "
        f"({percent(agreed / len(second))}) agreed; of {differ}, "
        f"{settled or 'none'} {'have' if settled > 1 else 'has'} been resolved."
    )


def _selection(material: Material) -> str:
    configuration = material.configuration
    orders = [
        f"{listing([o.label for o in configuration.outcomes.values() if o.table == table])}: "
        f"{_order(configuration.selection.of(table))}."
        for table in dict.fromkeys(outcome.table for outcome in configuration.outcomes.values())
    ]
    return (
        "Each trial was counted once in a pool and no arm twice, and settings were not pooled "
        f"together. We included {admitted(configuration.selection)}. Where a trial reported "
        "several results, one was chosen by these criteria, in this order. "
        f"{' '.join(orders)}"
    )


def _order(orders: Mapping[str, tuple[str, ...] | str]) -> str:
    return "; ".join(
        f"{_ORDER_NAMES.get(column, words(column))} "
        f"({words(order if isinstance(order, str) else ', then '.join(order))})"
        for column, order in orders.items()
    )


def _effects(material: Material) -> str:
    used = dict.fromkeys(m for a in material.configuration.analyses for m in a.measures)
    names = listing([f"{MEASURES[m].title.lower()}s" for m in used])
    corrected = where(material.evidence.trials, corrected="yes")["trial_id"].nunique()
    return (
        f"Effects are {names}; ratios were analysed on the log scale. Where a trial had an empty "
        f"cell, 0.5 was added to all its cells "
        f"({counted(corrected, 'trial') if corrected else 'no trial'} here). A trial in which no "
        "patient, or every patient, had the event carries no information on a ratio and is shown "
        "but not pooled. Standard errors of log hazard ratios were derived from the confidence "
        "interval at its own level, or else from one limit, a p value or the numbers of events."
    )


def _models(material: Material) -> str:
    configuration = material.configuration
    pooling = configuration.pooling
    return (
        f"Trials were pooled with a random-effects model, τ² by {pooling.tau2_estimator}, with the "
        f"{INTERVAL_WORDS[pooling.estimate_interval][2]}, and with a Bayesian normal-normal model "
        "with a flat prior on the mean and a half-normal prior on τ of scale "
        f"{configuration.tau_prior_scale['log_ratio']:g} for log ratios. Intervals are at the "
        f"{configuration.confidence_level:g}% level; prediction intervals use "
        f"{PREDICTION_WORDS[pooling.prediction_interval]}. {_leading(pooling)} "
        "A single trial is reported with its own interval."
    )


def _leading(pooling: Pooling) -> str:
    """Which model leads from how many trials on; a rule holds until the next one begins."""
    parts = []
    ends = [rule.from_trials - 1 for rule in pooling.leading[1:]]
    for rule, until in zip(pooling.leading, [*ends, None], strict=True):
        first = rule.from_trials
        joint = "or" if until == first + 1 else "to"
        span = f"{first} or more" if until is None else f"{first} {joint} {until}"
        co_primary = f", with {_MODELS[rule.co_primary]} as co-primary" if rule.co_primary else ""
        trials = counted(first, "trial") if until == first else f"{span} trials"
        parts.append(f"with {trials}, {_MODELS[rule.model]}{co_primary}")
    return f"The leading model depends on the number of trials: {'; '.join(parts)}."


def _heterogeneity(material: Material) -> str:
    analyses = material.configuration.analyses
    factors = dict.fromkeys(m.label.lower() for a in analyses for m in a.effect_modifiers)
    least = counted(material.configuration.effect_modifier_min_trials, "trial")
    inside = (
        f" Effects by {listing(list(factors))} were compared within each trial, and the "
        f"comparisons pooled where {least} or more reported all levels."
    )
    return (
        "Heterogeneity is given as τ² with its Q-profile interval, I² from τ², and Q. Subgroups of "
        "trials were compared with a mixed-effects model with one τ²." + (inside if factors else "")
    )


def _sensitivity(material: Material) -> str:
    curves = where(material.sensitivity["multiverse_summary"], measure="all")
    total = counted(int(curves["specifications"].sum()), "specification")
    least = material.report.certainty.small_study_trials
    return (
        "Every pooled result was repeated with other estimators and intervals, leaving out each "
        "trial in turn, cumulatively by year of the source, and over all combinations of the "
        f"analytic choices examined ({total} in all). Small-study effects were tested where at "
        f"least {least} trials were pooled."
    )


def _certainty(material: Material) -> str:
    rules, ratio = material.report.certainty, material.report.worthwhile_ratio
    judged = len(material.sheet["certainty"])
    by_hand = "No domain was" if not judged else (
        f"{counted(judged, 'domain')} {'was' if judged == 1 else 'were'}"
    )  # fmt: skip
    return (
        "Certainty of evidence follows the domains of GRADE. Rules propose a judgement: risk of "
        f"bias is serious from {percent(rules.high_risk_share)} of the weight at high risk, or "
        f"{percent(rules.concerns_share)} not at low risk; inconsistency from an I² of "
        f"{rules.i2:g}%, or where only the prediction interval includes no effect; imprecision "
        f"where the interval includes both no effect and a ratio of {ratio:g} (or its reciprocal), "
        f"or where the information is less than {rules.power:g}% power to detect that ratio "
        f"requires; publication bias where p < {rules.small_study_p:g}. Indirectness is left to a "
        f"person. {by_hand} judged by a person."
    )
