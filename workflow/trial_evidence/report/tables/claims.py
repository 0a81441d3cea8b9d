"""The claims of the review set against the evidence: graded verdicts with their numbers."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import RANDOM_EFFECTS, AssociationRule, Claim, TableRule
from trial_evidence.files import Record, read_table, records, where
from trial_evidence.report.material import degrees
from trial_evidence.report.material.material import Material, ReportTable, by_rank
from trial_evidence.report.tables.certainty import Certainties
from trial_evidence.report.words import reading
from trial_evidence.report.words.templates import declared
from trial_evidence.words import printed
from trial_evidence.words.errors import RequestError
from trial_evidence.words.models import is_bayesian, number_word
from trial_evidence.words.printed import capital, counted, percent, words

Outcome = Literal[
    "supported", "probable", "not supported", "inconclusive", "not enough data", "described"
]
ADMITTED = ("primary", "secondary")
# (setting, analysis) of associations: biomarker rows of the sheet have no setting.
BIOMARKERS = ("", "biomarkers")
# The sheet holds p values with their operator: "<0.001" counts as below 5%.
_FOUND_BELOW = 0.05
# What is missing in a row that shows no direction, worded for its study.
_UNCOUNTED = {
    "undirected": "with a p value below 5% but no ratio that shows a direction",
    "untested": "with neither an interval nor a p value printed",
}


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about a claim.

    Attributes
    ----------
    reason : str
        Why, in a sentence.
    numbers : str
        The numbers behind it, as printed.
    k : int
        Number of trials (for an association, of studies) behind it.
    estimate, ci_low, ci_high : float
        The deciding result; NaN if there are several or none.
    probability_of_benefit, probability_worthwhile, would_change
        As `trial_evidence.report.material.degrees.Degree`.
    """

    verdict: Outcome
    reason: str
    numbers: str = ""
    k: int = 0
    estimate: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    probability_of_benefit: float = math.nan
    probability_worthwhile: float = math.nan
    would_change: str = ""


def verdicts(material: Material, certainty: Certainties) -> tuple[Verdict, ...]:
    """Examine every claim of the configuration by its rule.

    Parameters
    ----------
    certainty : mapping
        (setting, analysis) -> certainty of the evidence in words; mentioned for claims that an
        effect supports.

    Returns
    -------
    tuple of Verdict
        In the order of config/report.yaml, which also defines the rules.

    Raises
    ------
    RequestError
        If a claim names a column that its table of results does not have.
    """
    return tuple(_examined(material, claim, certainty) for claim in material.report.claims)


def claims_table(material: Material, found: Sequence[Verdict]) -> ReportTable:
    """Every claim with its verdict, numbers, reason and analysis."""
    titles = {**material.titles, BIOMARKERS: declared("tables")[BIOMARKERS[1]]["title"]}
    rows = []
    for claim, verdict in zip(material.report.claims, found, strict=True):
        setting, analysis = place = _place(claim)
        rows.append({
            "claim": claim.id, "group": claim.group, "text": claim.text, "rule": claim.rule.kind,
            "setting": setting, "analysis": analysis,
            "beside": titles.get(place, words(analysis)), **vars(verdict),
        })  # fmt: skip
    rules = material.report.claim_rules
    return material.table(
        "claims",
        rows,
        ratio=material.worthwhile_ratio,
        trials=counted(rules.min_trials, "trial"),
        probable=percent(rules.probable),
        specifications=percent(rules.least_share_of_specifications),
        trials_of_a_test=rules.min_trials_of_a_test,
    )


def _place(claim: Claim) -> tuple[str, str]:
    """Setting and analysis in which a claim is examined."""
    rule = claim.rule
    if rule.kind == "association":
        return BIOMARKERS
    if rule.kind == "table":
        # <setting>/network/<id>/<table>.csv
        setting, *_, network, _ = rule.file.split("/")
        return setting, network
    return rule.setting, rule.analysis


def _examined(material: Material, claim: Claim, certainty: Certainties) -> Verdict:
    rule = claim.rule
    if rule.kind == "association":
        return _association(material, rule)
    if rule.kind == "table":
        return _table(material, claim.id, rule)
    analysis = material.analysis(rule.setting, rule.analysis)
    if rule.kind == "effect":
        return _effect(material, analysis, certainty.get((rule.setting, rule.analysis), ""))
    test = _interaction if rule.kind == "interaction" else _groups
    return test(material, analysis, rule.factor)


def _effect(material: Material, analysis: Analysis, certainty: str) -> Verdict:
    rows = material.leads(analysis)
    if not rows:
        return Verdict("not enough data", "No trial qualifies.")
    lead, one = rows[0], len(rows) == 1
    numbers = "; ".join(f"{reading.estimate_words(row)}, {_behind(row)}" for row in rows)
    k = int(lead["k"])
    found = _verdict_on(numbers, k, lead)
    undecided = _undecided(material, analysis)
    if k < material.report.claim_rules.min_trials:
        return found(undecided, _too_few(material, k))
    degree = degrees.degree_of(material, analysis)
    found = partial(found, **vars(degree))
    below, worthwhile = analysis.fewer_is_better, material.worthwhile_ratio
    sides = {reading.side(row, below=below) for row in rows}
    if "harm" in sides:
        harmful = [row for row in rows if reading.side(row, below=below) == "harm"]
        of = "" if len(harmful) == len(rows) else f" by {reading.model_phrase(harmful[0])}"
        return found("not supported", f"The whole interval{of} lies on the side of harm.")
    shown = reading.side(lead, below=below) == "benefit"
    back = [*degrees.held_back(material, analysis, rows)] if shown else []
    weakened = f"{reading.certainty_sentence(certainty)}{_second_hand(material, analysis)}"
    if sides == {"benefit"}:
        what = "The whole interval lies" if one else "The intervals of both models lie"
        reason = f"{what} on the side of benefit.{_prediction(rows)}"
        reason = " ".join([reason, *back]) + _prior(material, analysis, lead) + weakened
        if certainty.lower().startswith("very low"):
            return found(undecided, f"{degrees.VERY_UNCERTAIN} {reason}")
        return found("probable" if back else "supported", reason)
    reached = any(reading.includes_benefit(row, worthwhile, below=below) for row in rows)
    if not reached and sides == {"no effect"}:
        reason = "The result is compatible with no effect, but not with a relevant benefit."
        return found("not supported", reason)
    null = reading.null_of(analysis.measures[0])
    reason = (
        f"The two models disagree: the interval of only one excludes {null:g}."
        if len(sides) > 1
        else "The result is compatible with no effect and with a clinically relevant benefit."
    )
    reason = " ".join([reason, *back]) + _prior(material, analysis, lead)
    if not degrees.is_probable(material, analysis, degree):
        return found(undecided, reason)
    if certainty.lower().startswith("very low"):
        return found(undecided, f"{degrees.VERY_UNCERTAIN} {reason}{weakened}")
    return found("probable", f"All models point to a benefit. {reason}{weakened}")


def _undecided(material: Material, analysis: Analysis) -> Outcome:
    """The verdict if the rules decide nothing: it depends on whether there are enough data."""
    share = degrees.information_share(material, analysis)
    return "inconclusive" if share >= 1 else "not enough data"


def _interaction(material: Material, analysis: Analysis, factor: str) -> Verdict:
    rows = by_rank(where(material.of("effect_modifiers", analysis), factor=factor))
    if not rows:
        reason = "No pooled trial has a verified result at both levels of the factor."
        return Verdict("not enough data", reason)
    measure = analysis.measures[0]
    compared = "Ratio" if reading.measure_of(measure).is_ratio else "Difference"
    numbers = "; ".join(
        f"{compared} of {reading.measure_name(measure)}s, {words(row['level'])} versus "
        f"{words(row['reference_level'])}: {reading.number_words(row)}, {_behind(row)}"
        for row in rows
    )
    # Each pair of levels has its own trials, and a lead and a co-primary row.
    pairs: dict[tuple[str, str], list[Record]] = {}
    for row in rows:
        pairs.setdefault((row["level"], row["reference_level"]), []).append(row)
    most = max(rows, key=lambda row: row["k"])
    k = int(most["k"])
    found = _verdict_on(numbers, k, most)
    least = material.report.claim_rules.min_trials
    if k < least:
        return found("not enough data", _too_few(material, k))
    enough = [pair for pair in pairs.values() if pair[0]["k"] >= least]
    if any(not any(map(reading.includes_null, pair)) for pair in enough):
        reason = "The comparison within trials excludes equal effects."
        return found("supported", reason)
    equal = "The comparison within trials is compatible with equal effects"
    worthwhile = material.worthwhile_ratio
    judged = [row for pair in enough for row in pair]
    if all(1 / worthwhile < row["ci_low"] and row["ci_high"] < worthwhile for row in judged):
        return found("not supported", f"{equal}, but not with a clinically relevant difference.")
    return found("not enough data", f"{equal} and with a clinically relevant difference.")


def _groups(material: Material, analysis: Analysis, factor: str) -> Verdict:
    estimates = material.about(material.evidence.estimates, analysis, subgroup=factor)
    tests = records(where(estimates, model="subgroup_difference"))
    if not tests:
        return Verdict("not enough data", "No test for differences between subgroups was made.")
    row = tests[0]
    k, p_value = int(row["k"]), row["p_value"]
    test, _, _ = str(row["remark"]).partition(";")
    if math.isnan(p_value):
        return Verdict("not enough data", str(row["remark"]), k=k)
    found = _verdict_on(f"{test}, {printed.p_value(p_value)}, {counted(k, 'trial')}", k)
    if p_value < (100 - material.configuration.confidence_level) / 100:
        reason = "The subgroups differ by more than chance; trials were not randomised to them."
        return found("supported", reason)
    # As in meta-regression, the required number of trials is per degree of freedom of the test.
    least = material.report.claim_rules.min_trials_of_a_test * int(row["q_df"])
    if k < least:
        return found(
            "not enough data",
            f"With {counted(k, 'trial')} the test shows neither that the subgroups differ nor that "
            f"they are alike; at least {least} are required.",
        )
    return found("not supported", "The test does not show that the subgroups differ.")


def _association(material: Material, rule: AssociationRule) -> Verdict:
    table = material.sheet["biomarker_effects"]
    mine = table[
        table["biomarker"].isin(rule.biomarkers)
        & table["outcome"].str.startswith(rule.outcomes)
        & table["verification"].isin(ADMITTED)
        # Every text starts with the empty string.
        & table["contrast"].str.startswith(rule.contrasts or "")
    ]
    sides: dict[str, set[str]] = defaultdict(set)
    said: dict[str, list[str]] = {}
    for row in records(mine):
        sides[_association_side(row)].add(row["study_id"])
        name = material.study_name(row["study_id"], row["source_id"])
        said.setdefault(name, []).append(_association_words(row))
    numbers = ". ".join(f"{study}: {'; '.join(texts)}" for study, texts in said.items())
    # Reviews and pooled analyses may include the trials' patients: together they count once.
    studies = set(mine["study_id"])
    trials, others = studies & material.trials.keys(), studies - material.trials.keys()
    k = len(trials) + bool(others)
    found = _verdict_on(numbers, k)
    if k == 0:
        return found("not enough data", "The sheet holds no verified result on this.")
    opposite = "below" if rule.direction == "above" else "above"

    def counted_once(studies: set[str]) -> int:
        return len(studies & trials) + bool(studies & others)

    agree, differ = sides[rule.direction], sides[opposite]
    # A study with another, conclusive row is counted by that row.
    answered = agree | differ | sides["open"]
    answered |= others if answered & others else set()
    uncounted = [
        f"{counted(number, 'study', 'studies')} {what}"
        for side, what in _UNCOUNTED.items()
        if (number := counted_once(sides[side] - answered))
    ]
    aside = f" Counted on neither side: {' and '.join(uncounted)}." if uncounted else ""
    reason = (
        f"{counted_once(agree)} of {counted(k, 'study', 'studies')} found this at the 5% "
        f"level, {number_word(counted_once(differ))} found the opposite.{aside} Described, not "
        "judged: a count of studies gives no verdict."
    )
    if others and trials:
        reason += " Reviews and pooled analyses, which may hold the trials’ patients, count once."
    return found("described", reason)


def _association_side(row: Record) -> str:
    """The side of 1 on which a row lies at the 5% level: by its interval, else by its p value."""
    low, high, estimate, p_value = (row[n] for n in ("ci_low", "ci_high", "estimate", "p_value"))
    if not (math.isnan(low) or math.isnan(high)):
        found = not reading.includes(low, high, 1.0)
    elif math.isnan(p_value):
        return "untested"
    else:
        # "< 0.05" says that p is below 0.05.
        below = row["p_value_operator"] == "<" and p_value == _FOUND_BELOW
        found = p_value < _FOUND_BELOW or below
    if not found:
        return "open"
    # A ratio printed as 1 may have been rounded from either side.
    if math.isnan(estimate) or estimate == 1:
        return "undirected"
    return "above" if estimate > 1 else "below"


def _association_words(row: Record) -> str:
    estimate, relation = row["estimate"], row["p_value_operator"]
    number = "no ratio printed" if math.isnan(estimate) else f"{row['measure']} {estimate:g}"
    p_value = f"p {relation} {row['p_value']:g}" if relation else ""
    details = ", ".join(filter(None, [reading.limits(row), p_value]))
    return f"{row['contrast']}, {row['outcome']}, {number}" + (f" ({details})" if details else "")


def _table(material: Material, claim: str, rule: TableRule) -> Verdict:
    path = material.results / rule.file
    if not path.is_file():
        return Verdict("not enough data", "This analysis has not been made.")
    columns = {"estimate": rule.estimate, "ci_low": rule.low, "ci_high": rule.high,
               "k": rule.trials}  # fmt: skip
    known = set(read_table(path, []).columns)
    if missing := [name for name in (*columns.values(), *rule.where) if name not in known]:
        raise RequestError(
            f"config/report.yaml, claims: {claim}: {rule.file} has no column "
            f"{', '.join(missing)}. It has: {', '.join(sorted(known))}."
        )
    wanted = dict(rule.where)
    if wanted.get("model") == RANDOM_EFFECTS:
        wanted["model"] = material.configuration.pooling.model
    table = where(read_table(path, columns.values()), **wanted)
    rows = records(table.dropna(subset=[rule.low, rule.high]))
    if not rows:
        return Verdict("not enough data", "The analysis gives no estimate.")
    row = {key: rows[0][column] for key, column in columns.items()}
    k = 0 if math.isnan(row["k"]) else int(row["k"])
    row |= {"ci_level": material.configuration.confidence_level, "model": ""}
    numbers = f"{capital(rule.measure)} {reading.number_words(row)}, {counted(k, 'trial')}"
    found = _verdict_on(numbers, k, row)
    null = rule.no_effect
    if reading.includes(row["ci_low"], row["ci_high"], null):
        return found("not enough data", f"The interval includes {null:g}.")
    if (row["ci_low"] > null) != (rule.direction == "above"):
        return found("not supported", f"The interval lies on the opposite side of {null:g}.")
    if k < material.report.claim_rules.min_trials:
        return found("not enough data", _too_few(material, k))
    return found("supported", f"The interval excludes {null:g}.")


def _verdict_on(numbers: str, k: int, row: Record | None = None) -> partial[Verdict]:
    """A verdict with these numbers, still to be given its outcome and reason."""
    ends = {key: row[key] for key in ("estimate", "ci_low", "ci_high")} if row else {}
    return partial(Verdict, numbers=numbers, k=k, **ends)


def _behind(row: Record) -> str:
    model = "" if row["model"] == "single_trial" else f", {reading.model_words(row)}"
    return f"{counted(int(row['k']), 'trial')}{model}"


def _prediction(rows: Sequence[Record]) -> str:
    """What the prediction intervals include; models of equal rank may disagree."""
    new = any(reading.includes_null(row, "pi") for row in rows)
    return reading.prediction_sentence(rows) + (
        " In a new trial there may be no effect." if new else ""
    )


def _prior(material: Material, analysis: Analysis, lead: Record) -> str:
    """How far the prior matters if a Bayesian model leads: the common effect for comparison."""
    estimates = material.about(material.evidence.estimates, analysis, subgroup="all")
    common = records(where(estimates, model="common"))
    if not is_bayesian(lead["model"]) or not common:
        return ""
    estimated = "cannot" if lead["k"] == 2 else "can hardly"
    trials = f"{number_word(int(lead['k']))} trials"
    return (
        f" With {trials}, heterogeneity {estimated} be estimated and the "
        "interval depends largely on the prior; assuming one common effect, "
        f"{reading.estimate_words(common[0])}."
    )


def _second_hand(material: Material, analysis: Analysis) -> str:
    """A sentence on the share of weight not verified in the trials' own reports."""
    trials = material.pooled_trials(analysis)
    share = float(trials.loc[trials["verification"] != ADMITTED[0], "share"].sum())
    seen = "results verified, wholly or partly, only in secondary sources"
    return f" {percent(share)} of the weight comes from {seen}." if share else ""


def _too_few(material: Material, k: int) -> str:
    least = material.report.claim_rules.min_trials
    return f"Only {counted(k, 'trial')}; at least {least} are required."
