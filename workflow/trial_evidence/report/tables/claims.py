"""The claims of the review beside the evidence: supported, not supported, not enough data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import (
    AssociationRule,
    Claim,
    EffectRule,
    GroupsRule,
    InteractionRule,
    TableRule,
)
from trial_evidence.files import read_table, records
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.reading import (
    estimate_words,
    includes,
    includes_benefit,
    interval_name,
    measure_name,
    model_words,
    null_of,
    p_words,
    side,
)
from trial_evidence.report.material.table import (
    ReportTable,
    capital,
    counted,
    interval,
    percent,
    report_table,
    words,
)
from trial_evidence.words.errors import RequestError
from trial_evidence.words.numbers import format_number

Outcome = Literal["supported", "not supported", "not enough data"]
ADMITTED = ("primary", "secondary")
# p values of the sheet carry their own relation: "<0.001" is found at 5%.
_FOUND_BELOW = 0.05
# In a claim on a table, the random-effects model that config.yaml chooses, whatever its name.
RANDOM_EFFECTS = "random_effects"


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about a claim.

    Attributes
    ----------
    claim : Claim
    verdict : {"supported", "not supported", "not enough data"}
    numbers : str
        The numbers it rests on, as printed.
    reason : str
        Why, in a sentence.
    k : int
        Trials, or for an association studies, that the verdict rests on.
    estimate, ci_low, ci_high : float
        The result that decides; NaN where several or none do.
    """

    claim: Claim
    verdict: Outcome
    numbers: str
    reason: str
    k: int
    estimate: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan


def verdicts(material: Material, certainty: Mapping[tuple[str, str], str]) -> tuple[Verdict, ...]:
    """Examine every claim of the configuration by its rule.

    Parameters
    ----------
    material : Material
    certainty : mapping
        (setting, analysis) -> certainty of the evidence in words; it stands beside a claim that an
        effect supports.

    Returns
    -------
    tuple of Verdict
        In the order of config/report.yaml, which also says what each rule counts as what.

    Raises
    ------
    RequestError
        If a claim names a column that its table of results does not have.
    """
    return tuple(_examined(material, claim, certainty) for claim in material.report.claims)


def claims_table(material: Material, found: Sequence[Verdict]) -> ReportTable:
    """Every claim beside its verdict, numbers and reason.

    Parameters
    ----------
    material : Material
    found : sequence of Verdict

    Returns
    -------
    ReportTable
        ``data`` names the analysis (``setting``, ``analysis``) where the rule has one.
    """
    data = [
        {
            "claim": v.claim.id,
            "group": v.claim.group,
            "text": v.claim.text,
            "verdict": v.verdict,
            **dict(zip(("setting", "analysis"), _place(v.claim), strict=True)),
            "rule": type(v.claim.rule).__name__.removesuffix("Rule").lower(),
            "k": v.k,
            "estimate": v.estimate,
            "ci_low": v.ci_low,
            "ci_high": v.ci_high,
            "numbers": v.numbers,
            "reason": v.reason,
        }
        for v in found
    ]
    shown = [
        {
            "Topic": str(row["group"]),
            "Claim": str(row["text"]),
            "Verdict": capital(str(row["verdict"])),
            "Analysis": _beside(material, v.claim),
            "Numbers": str(row["numbers"]),
            "Why": str(row["reason"]),
        }
        for v, row in zip(found, data, strict=True)
    ]
    rules = material.report.claim_rules
    ratio = material.report.worthwhile_ratio
    return report_table(
        "claims",
        "The claims and what the evidence says",
        shown,
        data,
        ["Topic", "Claim", "Verdict", "Analysis", "Numbers", "Why"],
        [
            "claim", "group", "text", "verdict", "setting", "analysis", "rule", "k", "estimate",
            "ci_low", "ci_high", "numbers", "reason",
        ],
        [
            f"The rules stand in config/report.yaml. A difference is taken to matter from a factor "
            f"of {ratio:g} on. Fewer than {counted(rules.min_trials, 'trial')} (for an effect or "
            f"an interaction), {rules.min_trials_of_a_test} for each group but one (for a test "
            f"between groups of trials) "
            f"or {counted(rules.min_studies, 'study', 'studies')} (for an association) are not "
            "enough to deny a claim, nor, but for the test, to support it.",
            "Associations count studies whose patients overlap. They are not pooled, and say who "
            "responds, not who gains from a second agent.",
        ],
    )  # fmt: skip


def _place(claim: Claim) -> tuple[str, str]:
    """Setting and analysis that a claim is examined in; rows of the sheet have no setting."""
    match claim.rule:
        case AssociationRule():
            return "", "biomarkers"
        case TableRule(file=file):
            # <setting>/network/<id>/<table>.csv
            setting, _, rest = file.partition("/")
            return setting, rest.rpartition("/")[0].rpartition("/")[2]
        case rule:
            return rule.setting, rule.analysis


def _beside(material: Material, claim: Claim) -> str:
    """Title of the analysis that a claim stands beside."""
    if isinstance(claim.rule, AssociationRule):
        return "Biomarkers: ratios as printed"
    place = _place(claim)
    return material.titles().get(place, words(place[1]))


def _examined(
    material: Material, claim: Claim, certainty: Mapping[tuple[str, str], str]
) -> Verdict:
    match claim.rule:
        case EffectRule() as rule:
            level = certainty.get((rule.setting, rule.analysis), "")
            return _effect(material, claim, rule, level)
        case InteractionRule():
            return _interaction(material, claim, claim.rule)
        case GroupsRule():
            return _groups(material, claim, claim.rule)
        case AssociationRule():
            return _association(material, claim, claim.rule)
        case TableRule():
            return _table(material, claim, claim.rule)


def _effect(material: Material, claim: Claim, rule: EffectRule, certainty: str) -> Verdict:
    analysis = _analysis(material, rule.setting, rule.analysis)
    measure = analysis.measures[0]
    rows = material.leads(rule.setting, rule.analysis, measure)
    if not rows:
        return Verdict(claim, "not enough data", "", "No trial qualifies.", 0)
    lead = rows[0]
    k = int(lead["k"])
    numbers = "; ".join(f"{estimate_words(row)}, {_behind(row)}" for row in rows)
    result = (k, lead["estimate"], lead["ci_low"], lead["ci_high"])
    if k < material.report.claim_rules.min_trials:
        return Verdict(claim, "not enough data", numbers, _too_few(material, k), *result)
    worthwhile = material.report.worthwhile_ratio
    sides = {side(row["ci_low"], row["ci_high"], measure) for row in rows}
    reach = any(
        includes_benefit(row["ci_low"], row["ci_high"], measure, worthwhile) for row in rows
    )
    what = "The interval" if len(rows) == 1 else "The intervals of both models"
    if sides == {"benefit"}:
        verb = "excludes" if len(rows) == 1 else "exclude"
        reason = (
            f"{what} {verb} no effect.{_prediction(rows)}"
            f"{_leaving_out(material, analysis)}{_certainty(certainty)}"
            f"{_second_hand(material, analysis)}"
        )
        return Verdict(claim, "supported", numbers, reason, *result)
    if "harm" in sides:
        reason = "The interval lies on the side of harm."
        return Verdict(claim, "not supported", numbers, reason, *result)
    if not reach:
        reason = "The interval includes no effect, and no benefit worth having."
        return Verdict(claim, "not supported", numbers, reason, *result)
    reason = (
        "The two models differ on whether the interval includes no effect."
        if len(sides) > 1
        else "The interval includes no effect and a benefit worth having as well."
    )
    reason += _prior(material, lead)
    return Verdict(claim, "not enough data", numbers, reason, *result)


def _interaction(material: Material, claim: Claim, rule: InteractionRule) -> Verdict:
    analysis = _analysis(material, rule.setting, rule.analysis)
    measure = analysis.measures[0]
    table = material.of("effect_modifiers", analysis)
    mine = table[table["factor"] == rule.factor]
    rows = records(mine[mine["role"].isin(["lead", "co-primary"])])
    rows.sort(key=lambda row: str(row["role"]), reverse=True)
    if not rows:
        reason = "No trial reports the effect at both levels."
        return Verdict(claim, "not enough data", "", reason, 0)
    lead = rows[0]
    k = int(lead["k"])
    compared = "difference" if "difference" in measure else "ratio"
    numbers = "; ".join(
        f"{capital(compared)} of {measure_name(measure)}s, {words(row['level'])} v "
        f"{words(row['reference_level'])}: {format_number(row['estimate'])} "
        f"({interval_name(row)} {interval(row['ci_low'], row['ci_high'])}), {_behind(row)}"
        for row in rows
    )
    result = (k, lead["estimate"], lead["ci_low"], lead["ci_high"])
    if k < material.report.claim_rules.min_trials:
        return Verdict(claim, "not enough data", numbers, _too_few(material, k), *result)
    null = null_of(measure)
    if not any(includes(row["ci_low"], row["ci_high"], null) for row in rows):
        reason = "The interval of the comparison inside the trials excludes equality."
        return Verdict(claim, "supported", numbers, reason, *result)
    worthwhile = material.report.worthwhile_ratio
    if all(1 / worthwhile < row["ci_low"] and row["ci_high"] < worthwhile for row in rows):
        reason = "The interval includes equality, and no difference that matters."
        return Verdict(claim, "not supported", numbers, reason, *result)
    reason = "The interval includes equality and differences that matter as well."
    return Verdict(claim, "not enough data", numbers, reason, *result)


def _groups(material: Material, claim: Claim, rule: GroupsRule) -> Verdict:
    analysis = _analysis(material, rule.setting, rule.analysis)
    table = material.evidence.estimates
    found = table[
        (table["setting"] == rule.setting)
        & (table["analysis"] == rule.analysis)
        & (table["measure"] == analysis.measures[0])
        & (table["subgroup"] == rule.factor)
        & (table["model"] == "subgroup_difference")
    ]
    if found.empty:
        return Verdict(claim, "not enough data", "", "There is no test between groups.", 0)
    row = records(found)[0]
    k, p_value = int(row["k"]), row["p_value"]
    if math.isnan(p_value):
        return Verdict(claim, "not enough data", "", str(row["remark"]), k)
    # As a meta-regression does, a test asks for so many trials for every difference it looks at.
    least = material.report.claim_rules.min_trials_of_a_test * int(row["q_df"])
    test = str(row["remark"]).partition(";")[0]
    numbers = f"{test}, {p_words(p_value)}, {counted(k, 'trial')}"
    if p_value < 1 - material.configuration.confidence_level / 100:
        reason = "The groups differ by more than chance. The trials were not randomised to them."
        return Verdict(claim, "supported", numbers, reason, k)
    if k < least:
        reason = (
            f"No difference was found, but {k} trials cannot show that the groups are alike; "
            f"{least} are asked for."
        )
        return Verdict(claim, "not enough data", numbers, reason, k)
    reason = "The test finds no difference between the groups."
    return Verdict(claim, "not supported", numbers, reason, k)


def _association(material: Material, claim: Claim, rule: AssociationRule) -> Verdict:
    table = material.sheet["biomarker_effects"]
    mine = table[
        table["biomarker"].isin(rule.biomarkers)
        & table["outcome"].str.startswith(rule.outcomes)
        & table["verification"].isin(ADMITTED)
    ]
    if rule.contrasts:
        mine = mine[mine["contrast"].str.startswith(rule.contrasts)]
    sides = [_association_side(row) for row in records(mine)]
    opposite = "below" if rule.direction == "above" else "above"
    studies = {name: sorted(set(mine.loc[[s == name for s in sides], "study_id"]))
               for name in (rule.direction, opposite, "open")}  # fmt: skip
    looked = mine["study_id"].nunique()
    studies_said: dict[str, list[str]] = {}
    for row in records(mine):
        study = material.study_name(row["study_id"], row["source_id"])
        studies_said.setdefault(study, []).append(_association_words(row))
    numbers = ". ".join(f"{study}: {'; '.join(said)}" for study, said in studies_said.items())
    least = material.report.claim_rules.min_studies
    here, against = studies[rule.direction], studies[opposite]
    found = (
        f"{counted(len(here), 'study', 'studies')} of {looked} found it at 5%, "
        f"{len(against)} the other way"
    )
    if looked == 0:
        return Verdict(claim, "not enough data", "", "No verified row of the sheet is about it.", 0)
    if len(here) >= least and not against:
        reason = f"{found}. The same patients may be in several."
        return Verdict(claim, "supported", numbers, reason, looked)
    if not here and len(against) >= least:
        return Verdict(claim, "not supported", numbers, f"{found}.", looked)
    return Verdict(claim, "not enough data", numbers, f"{found}; {least} are asked for.", looked)


def _association_side(row: Mapping[str, Any]) -> str:
    """On which side of 1 a row lies at 5%: by its interval, else by its p value."""
    low, high, estimate = row["ci_low"], row["ci_high"], row["estimate"]
    if not (math.isnan(low) or math.isnan(high)):
        found = not includes(low, high, 1.0)
    else:
        found = row["p_value"] < _FOUND_BELOW and estimate == estimate
    if not found:
        return "open"
    return "above" if estimate > 1 else "below"


def _association_words(row: Mapping[str, Any]) -> str:
    estimate = row["estimate"]
    number = "no ratio printed" if math.isnan(estimate) else f"{row['measure']} {estimate:g}"
    limits = interval(row["ci_low"], row["ci_high"])
    relation = row["p_value_operator"]
    p_value = f"p {relation} {row['p_value']:g}" if relation else ""
    details = ", ".join(filter(None, [f"{limits}" if limits else "", p_value]))
    return f"{row['contrast']}, {row['outcome']}, {number}" + (f" ({details})" if details else "")


def _table(material: Material, claim: Claim, rule: TableRule) -> Verdict:
    path = material.results / rule.file
    if not path.is_file():
        return Verdict(claim, "not enough data", "", "This analysis has not been made.", 0)
    numbers = [rule.estimate, rule.low, rule.high, rule.trials]
    columns = set(read_table(path, []).columns)
    if missing := [name for name in (*numbers, *rule.where) if name not in columns]:
        raise RequestError(
            f"config/report.yaml, claims: {claim.id}: {rule.file} has no column "
            f"{', '.join(missing)}. It has: {', '.join(sorted(columns))}."
        )
    table = read_table(path, numbers)
    keep = pd.Series(True, index=table.index)
    for column, text in rule.where.items():
        configured = column == "model" and text == RANDOM_EFFECTS
        keep &= table[column] == (material.configuration.pooling.model if configured else text)
    found = records(table[keep & table[rule.low].notna() & table[rule.high].notna()])
    if not found:
        return Verdict(claim, "not enough data", "", "No row of the analysis has an estimate.", 0)
    row = found[0]
    estimate, low, high, k = (row[column] for column in numbers)
    trials = 0 if math.isnan(k) else int(k)
    shown = (
        f"{capital(rule.measure)} {format_number(estimate)} "
        f"({material.configuration.confidence_level:g}% CI {interval(low, high)}), "
        f"{counted(trials, 'trial')}"
    )
    result = (trials, estimate, low, high)
    if includes(low, high, rule.no_effect):
        reason = f"The interval includes {rule.no_effect:g}."
        return Verdict(claim, "not enough data", shown, reason, *result)
    if (low > rule.no_effect) == (rule.direction == "above"):
        if trials < material.report.claim_rules.min_trials:
            return Verdict(claim, "not enough data", shown, _too_few(material, trials), *result)
        reason = f"The interval excludes {rule.no_effect:g}."
        return Verdict(claim, "supported", shown, reason, *result)
    reason = f"The interval lies on the other side of {rule.no_effect:g}."
    return Verdict(claim, "not supported", shown, reason, *result)


def _behind(row: Mapping[str, Any]) -> str:
    model = "" if row["model"] == "single_trial" else f", {model_words(row)}"
    return f"{counted(int(row['k']), 'trial')}{model}"


def _prediction(rows: Sequence[Mapping[str, Any]]) -> str:
    """Whether a new trial may find no effect; two models of equal rank may disagree on it."""
    known = [row for row in rows if not math.isnan(row["pi_low"])]
    if not known:
        return ""
    open_new = [includes(row["pi_low"], row["pi_high"], null_of(row["measure"])) for row in known]
    said = "; that ".join(
        ("" if len(known) == 1 else f"of {model_words(row)} ")
        + f"({interval(row['pi_low'], row['pi_high'])}) {'includes' if new else 'excludes'} it"
        for row, new in zip(known, open_new, strict=True)
    )
    return (
        f" The prediction interval {said}"
        f"{', so a new trial may find none' if any(open_new) else ''}."
    )


def _prior(material: Material, lead: Mapping[str, Any]) -> str:
    """What the prior does to a Bayesian answer that leads: the same trials with one effect."""
    if lead["model"] != "bayesian":
        return ""
    table = material.evidence.estimates
    keys = ("setting", "analysis", "measure", "subgroup")
    same = table[(table[list(keys)] == [lead[key] for key in keys]).all(axis=1)]
    common = records(same[same["model"] == "common"])
    if not common:
        return ""
    return (
        f" {capital(counted(int(lead['k']), 'trial'))} say little of heterogeneity, so the width "
        f"owes much to the prior: if one effect is supposed in all, {estimate_words(common[0])}."
    )


def _leaving_out(material: Material, analysis: Analysis) -> str:
    """How many single trials the result cannot do without."""
    table = material.of("leave_one_out", analysis)
    lead = table[table["leads"] == "yes"]
    null = null_of(analysis.measures[0])
    needed = sum(includes(row["ci_low"], row["ci_high"], null) for row in records(lead))
    if not needed:
        return ""
    return (
        f" With one trial left out the interval includes it for {needed} of the "
        f"{counted(len(lead), 'trial')}."
    )


def _certainty(level: str) -> str:
    return f" Certainty: {level[:1].lower()}{level[1:]}." if level else ""


def _second_hand(material: Material, analysis: Analysis) -> str:
    """How much of the weight rests on results not seen in the trials' own reports."""
    trials = material.pooled_trials(analysis)
    weights = trials["weight"].fillna(1.0)
    share = float(weights[trials["verification"] != ADMITTED[0]].sum() / weights.sum())
    if share == 0:
        return ""
    return (
        f" {percent(share)} of the weight was seen, wholly or in part, in secondary sources only."
    )


def _too_few(material: Material, k: int) -> str:
    least = material.report.claim_rules.min_trials
    return f"{counted(k, 'trial')}; the rule asks for {least}."


def _analysis(material: Material, setting: str, name: str) -> Analysis:
    return next(a for a in material.configuration.of_setting(setting) if a.id == name)
