"""Notes and footnotes of forest plots, and their description in words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan

import pandas as pd

from trial_evidence.config.configuration import Analysis, EffectModifier, RateAnalysis
from trial_evidence.config.labels import Labels
from trial_evidence.config.methods import Pooling
from trial_evidence.figures.forests.evidence import POOLED, Evidence
from trial_evidence.files import Record, records
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.words.models import (
    CAUTIOUS,
    EMPIRICAL,
    INTERVAL_WORDS,
    MODEL_NAMES,
    PREDICTION_WORDS,
    is_bayesian,
    is_random_effects,
    number_range,
)
from trial_evidence.words.numbers import (
    format_interval,
    format_number,
    format_p,
    format_probability,
    round_half_up,
)
from trial_evidence.words.printed import capital, lower_first

NO_ASSESSOR = "not applicable"
AnyEvidence = Evidence[Analysis] | Evidence[RateAnalysis]

# ----------------------------------------------------------------------------- under the axis


def heterogeneity(evidence: AnyEvidence, *, full: bool = False) -> Iterator[str]:
    """Tau2 and Q of the random-effects model; in full with intervals, and I2 both ways.

    The estimator is named because the leading model may be another one, with a prior on tau. The
    row of the pooled result already shows I2. In full, I2 is given from tau2 and from Q.
    """
    overall = evidence.of("all")
    for record in records(overall[overall["model"].map(is_random_effects)])[:1]:
        parts = {
            "q": format_number(record["q"]),
            "df": f"{record['q_df']:.0f}",
            "p": format_p(record["q_p"]),
        }
        words = "Heterogeneity: τ² = {tau2} ({estimator}); Q = {q}, df = {df}, {p}."
        if record["k"] == 2:
            words = "Heterogeneity: Q = {q}, df = {df}, {p}; two trials are too few to estimate τ²."
        else:
            parts["tau2"] = format_number(record["tau2"], 3)
            parts["estimator"] = evidence.configuration.pooling.tau2_estimator
        if full and record["k"] != 2:
            words = (
                "Heterogeneity: τ² = {tau2} ({estimator}, {level}% CI {interval}); I² = {i2}% "
                "(from Q: {i2_from_q}%); Q = {q}, df = {df}, {p}."
            )
            parts |= {name: round_half_up(record[name], 0) for name in ("i2", "i2_from_q")}
            parts["interval"] = evidence.say("no value of τ² fits")
            if not isnan(record["tau2_low"]):
                parts["interval"] = format_interval(record["tau2_low"], record["tau2_high"], 3)
        yield evidence.tell(words, **parts)


def difference(evidence: Evidence[Analysis], column: str) -> Iterator[str]:
    """The test for differences between subgroups of trials."""
    say, found = evidence.say, evidence.estimates
    tests = found[(found["model"] == "subgroup_difference") & (found["subgroup"] == column)]
    for record in records(tests):
        if isnan(record["q"]):
            yield say("Subgroup differences {reason}", reason=say(lower_first(record["remark"])))
            continue
        statistic, p = record["remark"].partition(";")[0], format_p(record["p_value"])
        words = "Test for subgroup differences: {statistic}, {p}."
        yield evidence.tell(words, statistic=statistic, p=p)


def interaction(evidence: Evidence[Analysis], modifier: EffectModifier) -> Iterator[str]:
    """The interaction of a factor with the treatment effect, from differences within trials."""
    say, lead = evidence.say, evidence.estimate(modifier.factor)
    if lead is not None:
        words = (
            "Interaction within trials ({kind}, {first} v {second}): {estimate} "
            "({level}% CI {interval}{p}; {model})."
        )
        if is_bayesian(lead["model"]):
            words = (
                "Interaction within trials ({kind}, {first} v {second}): {estimate} "
                "({level}% CrI {interval}{p}; {model})."
            )
        yield evidence.tell(
            words,
            kind=say(str(lead["measure"]).replace("_", " ")),
            first=say(modifier.levels[0]),
            second=say(modifier.levels[1]),
            estimate=format_number(lead["estimate"]),
            interval=format_interval(lead["ci_low"], lead["ci_high"]),
            p="" if isnan(lead["p_value"]) else f"; {format_p(lead['p_value'])}",
            model=say(MODEL_NAMES[str(lead["model"])]),
        )


def other_models(evidence: Evidence[Analysis], *, full: bool = False) -> Iterator[str]:
    """Results of non-leading models: in full all, else the common effect of two trials.

    With two trials, the result without heterogeneity is printed next to the leading one.
    """
    pooled, named = evidence.pooled("all"), [*MODEL_NAMES]
    if not full:
        named = ["common"] if pooled is not None and pooled["k"] == 2 else []
    others = [
        f"{evidence.say(MODEL_NAMES[record['model']])} {evidence.printed(POOLED(record))}"
        for record in records(evidence.of("all"))
        if not record["role"] and record["model"] in named
    ]
    if others:
        yield evidence.say("Other models: {models}.", models="; ".join(others))
    if full or (pooled is not None and is_bayesian(pooled["model"])):
        yield from _probability(evidence)


def _probability(evidence: Evidence[Analysis]) -> Iterator[str]:
    """The posterior probability of benefit."""
    overall = evidence.of("all")
    known = overall[overall["model"].isin([EMPIRICAL, CAUTIOUS])].dropna(
        subset="probability_of_benefit"
    )
    shares = {
        row["model"]: format_probability(row["probability_of_benefit"], 1) for row in records(known)
    }
    if shares:
        words = "Posterior probability that the mean effect is beneficial: {probability}%."
        if len(shares) > 1:
            words = (
                "Posterior probability that the mean effect is beneficial: {probability}% "
                "(cautious prior: {cautious}%)."
            )
        first = shares.get(EMPIRICAL, shares.get(CAUTIOUS, ""))
        yield evidence.tell(words, probability=first, cautious=shares.get(CAUTIOUS, ""))


# -------------------------------------------------------------------------------- small print


def footnotes(
    evidence: Evidence[Analysis],
    trials: pd.DataFrame,
    subgroup: str,
    set_aside: pd.DataFrame,
    subtotals: Iterable[Record | None] = (),
) -> Iterator[str]:
    """How the trials shown were pooled and selected, and which were left out.

    The model described is that for `subgroup`; `subtotals` are the results of the subgroups, None
    for those without one.
    """
    say, lead = evidence.say, evidence.pooled(subgroup)
    if evidence.analysis.pool != "none":
        if lead is not None:
            yield _model(evidence, lead, subgroup)
        yield from of_subtotals(evidence, subtotals, lead)
    elif trials["trial_id"].nunique() > 1:
        yield say("Not pooled: these comparisons are too different to combine.")
    yield from _included(evidence)
    yield from _selection(evidence, trials)
    found: dict[str, dict[str, None]] = {}
    for record in records(trials):
        for what in _exceptions(evidence, record, trials):
            found.setdefault(what, {})[str(record["trial"])] = None
    yield from (f"{what}: {', '.join(names)}." for what, names in found.items())
    yield from not_pooled(evidence, trials)
    yield from readers_differ(evidence, trials)
    yield from _left_out(evidence, trials, set_aside)


def of_subtotals(
    evidence: Evidence[Analysis], subtotals: Iterable[Record | None], whole: Record | None = None
) -> Iterator[str]:
    """Models of the subgroups, unless all are of the same kind as the model for all trials.

    A subgroup may have too few trials for the overall model.
    """
    say, leads = evidence.say, [lead for lead in subtotals if lead is not None]
    if whole is not None:
        bayesian = is_bayesian(whole["model"])
        leads = leads if any(is_bayesian(lead["model"]) != bayesian for lead in leads) else []
    if leads:
        models = say(rates_model(evidence.configuration.pooling))
        yield say("Subtotals: {models}.", models=models)
    priors = model_priors(evidence.configuration.tau_priors[evidence.measure.name])
    for model in [lead["model"] for lead in leads if is_bayesian(lead["model"])][:1]:
        words = (
            "Prior on τ of the Bayesian model: {prior}; flat on the mean. Its diamonds show the "
            "posterior median and the shortest {level}% credible interval."
        )
        if model == EMPIRICAL:
            words = (
                "Priors on τ of the Bayesian model: {prior} (empirical), {cautious} (cautious); "
                "flat on the mean. Its diamonds show the posterior median and the shortest "
                "{level}% credible interval."
            )
        yield say(
            words,
            prior=say.prior(priors[model].label),
            cautious=say.prior(priors[CAUTIOUS].label),
            level=evidence.level,
        )


def of_harms(
    evidence: Evidence[Analysis], trials: pd.DataFrame, subtotals: Iterable[Record | None]
) -> Iterator[str]:
    """Footnotes of a forest plot of several harms; `trials` are those of all harms."""
    say = evidence.say
    yield say(
        "Trials are pooled where they add the same agents and define the harm in the same way. "
        "Both arms of a trial come from one source; the table of harms has every definition and "
        "source."
    )
    yield from of_subtotals(evidence, subtotals)
    named: dict[str, dict[str, None]] = {}
    for record in records(trials[trials["pooled"] == "no"]):
        outcome = str(record["outcome"])
        # a translation keeps its capitals: nouns may have them within a sentence
        found = f"{record['trial']} ({say.texts.get(outcome, lower_first(outcome))})"
        named.setdefault(str(record["not_pooled_reason"]).rstrip("."), {})[found] = None
    for reason, those in named.items():
        words = "Shown but not pooled, because {reason}: {trials}."
        yield say(words, reason=say(reason), trials=", ".join(those))
    filled = (trials["corrected"] == "yes") & trials["estimate"].notna()
    corrected = trials.loc[filled, "trial"].drop_duplicates()
    if len(corrected):
        words = "{trials}: 0.5 added to each cell because one is empty."
        yield say(words, trials=", ".join(corrected))


def not_pooled(evidence: AnyEvidence, trials: pd.DataFrame, shown: bool = True) -> Iterator[str]:
    """Trials that are not pooled, with the reason; `shown` if each trial has a row."""
    for record in records(trials[trials["pooled"] == "no"].drop_duplicates("trial_id")):
        reason = lower_first(record["not_pooled_reason"].rstrip("."))
        words = "{trial} is shown but not pooled: {reason}."
        if not shown:
            words = "{trial} is not pooled: {reason}."
        yield evidence.say(words, trial=record["trial"], reason=reason)


def corrected_rates(evidence: AnyEvidence, trials: pd.DataFrame) -> Iterator[str]:
    """Trials whose printed rate is 0 or 100%, with square and interval drawn elsewhere."""
    named = trials.loc[trials["corrected"] == "yes", "trial"].drop_duplicates()
    if len(named):
        words = (
            "{trials}: rate as observed; 0.5 was added to events and non-events, one of which is "
            "0, for the square and the interval."
        )
        yield evidence.say(words, trials=", ".join(named))


def readers_differ(evidence: AnyEvidence, trials: pd.DataFrame) -> Iterator[str]:
    """Pooled numbers on which two readers disagree, not yet resolved."""
    differ = trials[(trials["pooled"] == "yes") & (trials["readers_differ"] != "")]
    say = evidence.say
    named = [
        f"{record['trial']} ({_either(say, record['readers_differ'])})"
        for record in records(differ.drop_duplicates(["trial_id", "readers_differ"]))
    ]
    if named:
        words = "Two readers extracted different values, not yet resolved: {trials}."
        yield evidence.say(words, trials="; ".join(named))


def _either(say: Labels, values: str) -> str:
    """The values of two readers, such as ``reported percent 57 or 51``."""

    def told(found: re.Match[str]) -> str:
        return f"{say(found[1])} {found[2]}{say(' or ')}{found[3]}"

    return say.numbers(re.sub(r"([a-z][a-z ]*) (\S+) or ([^\s,;]+)", told, values))


def unlike_others(evidence: Evidence[RateAnalysis], rates: pd.DataFrame) -> Iterator[str]:
    """Arms whose treatment differs from what the name of their regimen suggests."""
    named = [
        f"{record['trial']} ({evidence.unlike[arm]})"
        for record in records(rates.drop_duplicates("arm_ids"))
        for arm in record["arm_ids"].split(";")
        if record["pooled"] == "yes" and arm in evidence.unlike
    ]
    if named:
        words = "Included, although treated differently from other arms with the regimen: {trials}."
        yield evidence.say(words, trials=", ".join(named))


def _model(evidence: Evidence[Analysis], lead: Record, subgroup: str) -> str:
    say, pooling = evidence.say, evidence.configuration.pooling
    priors = model_priors(evidence.configuration.tau_priors[evidence.measure.name])
    words = (
        "Random-effects model ({estimator}) with {interval}. The area of each square reflects the "
        "weight."
    )
    if is_bayesian(lead["model"]):
        words = (
            "{reason} Priors: {prior} on τ, flat on the mean. Diamonds show the posterior "
            "median and the shortest {level}% credible interval."
        )
        if evidence.estimate(subgroup, "co-primary") is not None:
            words = (
                "{reason} Priors on τ: {prior} (empirical), {cautious} (cautious); flat on the "
                "mean. Diamonds show the posterior median and the shortest {level}% credible "
                "interval."
            )
    elif evidence.estimate(subgroup, "co-primary") is not None:
        words = "{reason} The area of each square reflects the weight."
    said = say(
        words,
        reason=say(lead["remark"]),
        prior=say.prior(priors.get(lead["model"], priors[CAUTIOUS]).label),
        cautious=say.prior(priors[CAUTIOUS].label),
        level=evidence.level,
        estimator=pooling.tau2_estimator,
        interval=say(INTERVAL_WORDS[pooling.estimate_interval][2]),
    )
    if not isnan(lead["pi_low"]):
        prediction = say(PREDICTION_WORDS[pooling.prediction_interval])
        said += " " + say("Prediction interval: {prediction}.", prediction=prediction)
    return said


def _included(evidence: Evidence[Analysis]) -> Iterator[str]:
    """Which trials the analysis is restricted to."""
    say, rule = evidence.say, evidence.analysis.trials
    parts = [
        f"{say(column.replace('_', ' '))}: {say(' or ').join(map(say, words))}"
        for column, words in rule.where.items()
    ]
    if rule.years:
        first, last = rule.years
        parts.append(say("first reported {first} to {last}", first=first, last=last))
    if parts:
        yield say("Restricted to trials with {parts}.", parts="; ".join(parts))


def _selection(evidence: Evidence[Analysis], trials: pd.DataFrame) -> Iterator[str]:
    say, analysis, selection = evidence.say, evidence.analysis, evidence.configuration.selection
    if evidence.measure.kind == "counts":
        yield definitions(evidence)
    else:
        orders = selection.orders[analysis.table]
        listed = [", ".join(analysis.labels)] if len(analysis.labels) > 1 else []
        if (trials["assessor"] != NO_ASSESSOR).any():
            listed.append(", ".join(say(w) for w in orders["assessor"] if w != NO_ASSESSOR))
        listed.append(say("{order} analysis", order=", ".join(map(say, orders["analysis"]))))
        yield say(
            "Where a trial reported several results, the first available was used, in this order: "
            "{orders}.",
            orders="; ".join(listed),
        )
    sources = say(" or ").join(map(say, selection.admit["verification"]))
    yield say("Only results verified in a {sources} source are included.", sources=sources)


def definitions(evidence: AnyEvidence) -> str:
    """Which definition of the outcome was used if a trial reported several."""
    analysis, selection = evidence.analysis, evidence.configuration.selection
    return evidence.say(
        "Where a trial reported several definitions of {outcome}, the first available of "
        "{definitions} was used.",
        outcome=analysis.labels[0],
        definitions=", ".join(map(evidence.say, selection.orders[analysis.table]["definition"])),
    )


def _exceptions(
    evidence: Evidence[Analysis], record: Record, trials: pd.DataFrame
) -> Iterator[str]:
    """How the result of a trial departs from the preferred kind of result."""
    say, analysis, selection = evidence.say, evidence.analysis, evidence.configuration.selection
    definitions = selection.orders[analysis.table].get("definition", ("",))
    preferred = analysis.endpoints[0]
    centrally = trials["assessor"].nunique() > 1
    of_counts = {
        "Other definition ({definition})": record["definition"] != definitions[0],
        "Analysis populations differ between the arms": " / " in record["population"],
        "0.5 added to each cell because one is empty": record["corrected"] == "yes",
    }
    of_contrasts = {
        "{endpoint} instead of {preferred}": record["endpoint"] != preferred,
        "Assessed by investigators": record["assessor"] == "investigator" and centrally,
        "Interim analysis": record["analysis_cut"] == "interim",
    }
    holds = of_counts if evidence.measure.kind == "counts" else of_contrasts
    parts = {**record, "preferred": preferred, "definition": say(str(record.get("definition", "")))}
    return (say(words, **parts) for words, said in holds.items() if said)


def _left_out(
    evidence: Evidence[Analysis], trials: pd.DataFrame, set_aside: pd.DataFrame
) -> Iterator[str]:
    """Trials whose rows were all set aside, by reason."""
    if trials.empty or (trials["subgroup"] == "all").any():
        set_aside = set_aside[set_aside["subgroup"] == "all"]
    missing = set_aside[~set_aside["trial_id"].isin(trials["trial_id"])]
    say = evidence.say
    named: dict[str, list[str]] = {}
    for trial, group in missing.groupby("trial", sort=False):
        reasons = dict.fromkeys(say(brief(reason)) for reason in group["reason"])
        named.setdefault("; ".join(reasons), []).append(str(trial))
    for reason, those in named.items():
        yield say("Eligible, but {reason}: {trials}.", reason=reason, trials=", ".join(those))


def brief(reason: str) -> str:
    """Why a row was set aside, phrased as the end of a sentence about its trial."""
    if reason.startswith("verification is "):
        return "no verified result"
    if reason.startswith("no complete pair"):
        return "one subgroup or arm not reported"
    if reason.startswith("status is "):
        return f"{reason.removeprefix('status is ').partition(' (')[0]} report"
    return reason


def rates_model(pooling: Pooling) -> str:
    """The leading models by number of trials."""
    interval = INTERVAL_WORDS[pooling.estimate_interval][2].replace(" interval", "")
    words = {
        "random_effects": f"random-effects model ({pooling.tau2_estimator}, {interval})",
        "bayesian": "Bayesian model",
        "bayesian_empirical": "Bayesian model",
    }
    return "; ".join(
        f"{words[model]} for {number_range(first, last)} trials"
        for model, first, last in reversed(pooling.lead_ranges)
    )


# ----------------------------------------------------------------------- the figure in words


def group_in_words(
    evidence: Evidence[Analysis], trials: pd.DataFrame, pooled: Record | None, level: str = ""
) -> Iterator[str]:
    """Results of the trials and their pooled result, for readers who cannot see the plot."""
    name = evidence.measure.title
    found = [
        f"{record['trial']} not estimable"
        if isnan(record["estimate"])
        else f"{record['trial']} {evidence.number(record['estimate'])}"
        + ("" if record["pooled"] == "yes" else " (not pooled)")
        for record in records(trials)
    ]
    said = f"{name} by trial: {'; '.join(found)}." if found else "No trial has a result."
    yield f"{capital(level)}: {lower_first(said)}" if level else said
    if pooled is not None:
        percent = f"{evidence.configuration.confidence_level:g}%"
        interval = f"{percent} interval {evidence.interval(pooled['ci_low'], pooled['ci_high'])}"
        if not isnan(pooled["pi_low"]):
            prediction = evidence.interval(pooled["pi_low"], pooled["pi_high"])
            interval += f"; {percent} prediction interval {prediction}"
        estimate = evidence.number(pooled["estimate"])
        yield f"Pooled {name.lower()} of {pooled['k']:.0f} trials {estimate} ({interval})."


def rates_in_words(
    evidence: Evidence[RateAnalysis], title: str, subgroups: Mapping[str, str]
) -> str:
    """The range of the rates of a regimen, and the pooled rates."""
    parts = [
        f"{name} {_percent(evidence, lead)}, k = {lead['k']:.0f}"
        for subgroup, name in subgroups.items()
        if (lead := evidence.estimate(subgroup)) is not None
    ]
    whole = evidence.trials[evidence.trials["subgroup"].isin(subgroups)]
    low, high = map(evidence.number, (whole["rate"].min(), whole["rate"].max()))
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
    return f"Forest plot of rates, one row per regimen. {title}. {'; '.join(found)}."


def _percent(evidence: AnyEvidence, lead: Record) -> str:
    return f"{evidence.number(lead['estimate'])} ({evidence.interval(*POOLED(lead)[1:])}) %"
