"""What a forest plot says under its rows and at its foot, and what it shows in words."""

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

import pandas as pd

from trial_evidence.config.configuration import Analysis, EffectModifier, RateAnalysis
from trial_evidence.config.methods import Pooling
from trial_evidence.figures.forests.evidence import POOLED, Evidence, Record, with_role
from trial_evidence.figures.forests.scales import lower_first
from trial_evidence.files import records
from trial_evidence.words.models import (
    BOOTSTRAP,
    INTERVAL_WORDS,
    MEASURE_NAMES,
    MODEL_NAMES,
    PREDICTION_WORDS,
    SHORT_MODEL_NAMES,
    is_random_effects,
    number_word,
)
from trial_evidence.words.numbers import format_interval, format_number, format_p, round_half_up

AnyEvidence = Evidence[Analysis] | Evidence[RateAnalysis]

# ----------------------------------------------------------------------------- under the axis


def heterogeneity(evidence: AnyEvidence) -> Iterator[str]:
    """Tau2, I2 and Q of the random-effects model in words."""
    say, overall = evidence.say, evidence.of("all")
    for record in records(overall[overall["model"].map(is_random_effects)])[:1]:
        q = say.numbers(round_half_up(record["q"], 2))
        p = say.numbers(format_p(record["q_p"]))
        if record["k"] == 2:
            yield say(
                "Heterogeneity cannot be estimated from two trials (Q = {q}, df = 1, {p}).",
                q=q,
                p=p,
            )
            return
        yield say(
            "Heterogeneity: τ² = {tau2} ({level}% CI {interval}); I² = {i2}% "
            "(from Q: {i2_from_q}%); Q = {q}, df = {df}, {p}.",
            tau2=say.numbers(round_half_up(record["tau2"], 3)),
            level=evidence.level,
            interval=say.numbers(format_interval(record["tau2_low"], record["tau2_high"], 3)),
            i2=round_half_up(record["i2"], 0),
            i2_from_q=round_half_up(record["i2_from_q"], 0),
            q=q,
            df=f"{record['q_df']:.0f}",
            p=p,
        )


def difference(evidence: Evidence[Analysis], column: str) -> Iterator[str]:
    """The test for differences between subgroups of trials."""
    say, found = evidence.say, evidence.estimates
    tests = found[(found["model"] == "subgroup_difference") & (found["subgroup"] == column)]
    for record in records(tests):
        if math.isnan(record["q"]):
            reason = say(lower_first(record["remark"]))
            yield say("Subgroup differences: {reason}", reason=reason)
        else:
            yield say(
                "Test for subgroup differences: {statistic}, {p}.",
                statistic=say.numbers(record["remark"].partition(";")[0]),
                p=say.numbers(format_p(record["p_value"])),
            )


def interaction(evidence: Evidence[Analysis], modifier: EffectModifier) -> Iterator[str]:
    """The interaction of a factor with the effect, from differences within trials."""
    say, lead = evidence.say, evidence.lead(modifier.factor)
    if lead is None:
        return
    kind = str(lead["measure"]).replace("_", " ").removesuffix("s")
    p_value = lead["p_value"]
    yield say(
        "Interaction within trials ({kind}, {first} v {second}): {estimate} "
        "({level}% CI {interval}{p}; {model}).",
        kind=say(kind),
        first=say(modifier.levels[0]),
        second=say(modifier.levels[1]),
        estimate=say.numbers(format_number(lead["estimate"])),
        level=evidence.level,
        interval=say.numbers(format_interval(lead["ci_low"], lead["ci_high"])),
        p="" if math.isnan(p_value) else f"; {say.numbers(format_p(p_value))}",
        model=say(MODEL_NAMES[str(lead["model"])]),
    )


def other_models(evidence: Evidence[Analysis]) -> Iterator[str]:
    """The same trials by the models that do not lead, so that the choice can be judged."""
    say, overall = evidence.say, evidence.of("all")
    others = [
        f"{say(MODEL_NAMES[record['model']])} " + evidence.printed(itemgetter(*POOLED)(record))
        for record in records(overall)
        if not record["role"] and record["model"] in MODEL_NAMES
    ]
    if others:
        yield say("Other models: {models}.", models="; ".join(others))
    for share in overall.loc[overall["model"] == "bayesian", "probability_of_benefit"].dropna():
        probability = "> 99.9" if 100 * share > 99.9 else round_half_up(100 * share, 1)
        yield say(
            "Posterior probability that the mean effect is a benefit: {probability}%.",
            probability=say.numbers(probability),
        )


# -------------------------------------------------------------------------------- small print


def footnotes(
    evidence: Evidence[Analysis], trials: pd.DataFrame, subgroup: str, set_aside: pd.DataFrame
) -> Iterator[str]:
    """How the trials shown were pooled, selected and left out; the model is a subgroup's."""
    say, lead = evidence.say, evidence.pooled(subgroup)
    if evidence.analysis.pool == "none":
        yield say("Trial by trial: these comparisons are not alike enough to be pooled.")
    elif lead is not None:
        yield _model(evidence, lead, with_role(evidence.of(subgroup), "co-primary") is not None)
    yield _selection(evidence, trials)
    deviations = _deviations(evidence, trials)
    if deviations:
        yield say("Deviating: {deviations}.", deviations="; ".join(deviations))
    yield from exceptions(evidence, trials)
    yield from _left_out(evidence, trials, set_aside)


def exceptions(evidence: AnyEvidence, trials: pd.DataFrame, readers: bool = True) -> Iterator[str]:
    """Trials shown but not pooled, and numbers on which two readers differ, not settled yet."""
    say = evidence.say
    for record in records(trials[trials["pooled"] == "no"].drop_duplicates("trial_id")):
        reason = record["not_pooled_reason"].rstrip(".")
        yield say("Not pooled: {trial}: {reason}.", trial=record["trial"], reason=reason)
    differ = trials[(trials["pooled"] == "yes") & (trials["readers_differ"] != "")]
    named = [
        f"{record['trial']} ({record['readers_differ']})"
        for record in records(differ.drop_duplicates(["trial_id", "readers_differ"]))
    ]
    if named and readers:
        yield say("Two readers differ, not settled: {trials}.", trials="; ".join(named))


def _model(evidence: Evidence[Analysis], lead: Record, co_primary: bool) -> str:
    say, pooling, reason = evidence.say, evidence.configuration.pooling, lead["remark"]
    if lead["model"] == "bayesian":
        return say(
            "{reason} Half-normal prior on τ, flat prior on the mean; diamond: posterior median "
            "and shortest {level}% interval.",
            reason=say(reason),
            level=evidence.level,
        )
    prediction = say(PREDICTION_WORDS[pooling.prediction_interval])
    if co_primary:
        return say(
            "{reason} Squares: area follows weight. Prediction interval: {prediction}.",
            reason=say(reason),
            prediction=prediction,
        )
    how = "by" if pooling.prediction_interval == BOOTSTRAP else "on"
    return say(
        f"Random effects, {{estimator}}; {{interval}}; prediction interval {how} {{prediction}}. "
        "Squares: area follows weight.",
        estimator=pooling.tau2_estimator,
        interval=say(INTERVAL_WORDS[pooling.estimate_interval][2]),
        prediction=prediction,
    )


def _selection(evidence: Evidence[Analysis], trials: pd.DataFrame) -> str:
    say, analysis, selection = evidence.say, evidence.analysis, evidence.configuration.selection
    orders = selection.pcr if analysis.is_pcr else selection.hazard_ratio
    assessed = not analysis.is_pcr and (trials["assessor"] != "not applicable").any()
    first = ["definition"] if analysis.is_pcr else ["analysis"]
    before = say(" before ")
    parts = [
        before.join(say(w) for w in orders[column] if w != "not applicable")
        for column in (["assessor", *first] if assessed else first)
    ]
    if len(analysis.endpoints) > 1:
        parts.insert(0, before.join(analysis.endpoints))
    admitted = say(" or ").join(say(w) for w in selection.admit["verification"])
    return say(
        "One result a trial: {orders}; {verification} verification only.",
        orders="; ".join(parts),
        verification=admitted,
    )


def _deviations(evidence: Evidence[Analysis], trials: pd.DataFrame) -> list[str]:
    """What single trials have that the preferred kind of result has not, trials named."""
    found: dict[str, dict[str, None]] = {}
    counted = evidence.analysis.is_pcr
    for record in records(trials):
        for what in (_of_counts if counted else _of_contrasts)(evidence, record):
            found.setdefault(what, {})[str(record["trial"])] = None
    return [f"{what}: {', '.join(names)}" for what, names in found.items()]


def _of_counts(evidence: Evidence[Analysis], record: Record) -> Iterator[str]:
    say, preferred = evidence.say, evidence.configuration.selection.pcr["definition"][0]
    if record["definition"] != preferred:
        yield say("response by {definition}", definition=record["definition"])
    if " / " in record["population"]:
        yield say("analysis populations differ between the arms")
    if record["corrected"] == "yes":
        yield say("0.5 added to each cell because one is empty")


def _of_contrasts(evidence: Evidence[Analysis], record: Record) -> Iterator[str]:
    say, first = evidence.say, evidence.analysis.endpoints[0]
    if record["endpoint"] != first:
        words = "{endpoint} in place of {preferred}"
        yield say(words, endpoint=record["endpoint"], preferred=first)
    if record["assessor"] == "investigator" and record["endpoint"] == "PFS":
        yield say("assessed by investigators")
    level = record["ci_level"]
    if not math.isnan(level) and level != evidence.configuration.confidence_level:
        yield say("{level}% interval reported, converted", level=say.numbers(f"{level:g}"))
    if record["se_source"] not in ("interval", ""):
        yield say("standard error from the {source}", source=say(record["se_source"]))
    if record["analysis_cut"] == "interim":
        yield say("interim analysis")
    if record["derivation"] == "digitised_curve":
        yield say("read off the published curve")
    if record["inverted"] == "yes":
        yield say("hazard ratio inverted")


def _left_out(
    evidence: Evidence[Analysis], trials: pd.DataFrame, set_aside: pd.DataFrame
) -> Iterator[str]:
    """Trials of which every row was set aside."""
    if trials.empty or (trials["subgroup"] == "all").any():
        set_aside = set_aside[set_aside["subgroup"] == "all"]
    missing = set_aside[~set_aside["trial_id"].isin(trials["trial_id"])]
    parts = []
    for trial, group in missing.groupby("trial", sort=False):
        reasons = dict.fromkeys(evidence.say(_brief(reason)) for reason in group["reason"])
        parts.append(f"{trial} ({'; '.join(reasons)})")
    if parts:
        yield evidence.say("No result admitted: {trials}.", trials=", ".join(parts))


def _brief(reason: str) -> str:
    for column in ("verification", "status"):
        if reason.startswith(f"{column} is "):
            return reason.removeprefix(f"{column} is ").partition(" (")[0]
    return "one level or arm missing" if reason.startswith("no complete pair") else reason


# -------------------------------------------------------------------------------------- rates


def rates_model(pooling: Pooling) -> str:
    """The models of the rates, on the scale on which they are pooled."""
    interval = INTERVAL_WORDS[pooling.estimate_interval][2].replace(" interval", "")
    bayesian = [
        f"{_span(first, last)} trials: Bayesian"
        for model, first, last in pooling.lead_ranges
        if model == "bayesian"
    ]
    random = f"Random effects on the logit scale ({pooling.tau2_estimator}, {interval})"
    return "; ".join([random, *bayesian])


def pooled_rates(pooling: Pooling) -> str:
    """Which model pools how many rates."""
    names = {
        "random_effects": f"random effects ({SHORT_MODEL_NAMES[pooling.model]})",
        "bayesian": "Bayesian",
    }
    return "; ".join(
        f"{names[model]} from {number_word(first)} trials"
        if last is None
        else f"{names[model]} for {_span(first, last)}"
        for model, first, last in reversed(pooling.lead_ranges)
    )


def _span(first: int, last: int | None) -> str:
    if last is None:
        return f"{number_word(first)} or more"
    return number_word(first) if last == first else f"{number_word(first)} to {number_word(last)}"


# ----------------------------------------------------------------------- the figure in words


def group_in_words(
    evidence: Evidence[Analysis], trials: pd.DataFrame, pooled: Record | None, level: str = ""
) -> Iterator[str]:
    """What the trials found, for readers who do not see their squares, and their pooled result."""
    reading, name = evidence.reading, MEASURE_NAMES[evidence.measure]
    found = [
        f"{record['trial']} {reading.number(record['estimate'])}"
        + ("" if record["pooled"] == "yes" else " (not pooled)")
        for record in records(trials.dropna(subset="estimate"))
    ]
    said = f"{name} by trial: {'; '.join(found)}." if found else "No trial has a result."
    yield f"{level[:1].upper()}{level[1:]}: {lower_first(said)}" if level else said
    if pooled is None:
        return
    percent = f"{evidence.configuration.confidence_level:g}%"
    said = (
        f"Pooled {name.lower()} of {pooled['k']:.0f} trials {reading.number(pooled['estimate'])} "
        f"({percent} interval {reading.interval(pooled['ci_low'], pooled['ci_high'])}"
    )
    if not math.isnan(pooled["pi_low"]):
        interval = reading.interval(pooled["pi_low"], pooled["pi_high"])
        said += f"; {percent} prediction interval {interval}"
    yield f"{said})."


def rates_in_words(
    evidence: Evidence[RateAnalysis], title: str, subgroups: Mapping[str, str]
) -> str:
    """The range of the rates of a regimen, and what they give pooled."""
    leads = {name: evidence.lead(subgroup) for subgroup, name in subgroups.items()}
    parts = [
        f"{name} {_percent(evidence, lead)}, k = {lead['k']:.0f}"
        for name, lead in leads.items()
        if lead is not None
    ]
    whole = evidence.trials[evidence.trials["subgroup"].isin(subgroups)]
    low, high = (round_half_up(100 * end, 0) for end in (whole["rate"].min(), whole["rate"].max()))
    return (
        f"Forest plot of rates. {title}. {whole['trial_id'].nunique()} trials, rates from {low} "
        f"to {high} %. Pooled: {'; '.join(parts)}."
    )


def overview_in_words(
    evidence: Evidence[RateAnalysis],
    title: str,
    leads: Sequence[Record],
    subgroups: Mapping[str, str],
) -> str:
    """The pooled rate of every regimen."""
    found = []
    for lead in leads:
        level = f", {subgroups[lead['subgroup']]}" if len(subgroups) > 1 else ""
        found.append(f"{lead['experimental']}{level} {_percent(evidence, lead)}")
    return f"Forest plot of rates, a row a regimen. {title}. {'; '.join(found)}."


def _percent(evidence: AnyEvidence, lead: Record) -> str:
    return f"{evidence.reading.result(*itemgetter(*POOLED)(lead))} %"
