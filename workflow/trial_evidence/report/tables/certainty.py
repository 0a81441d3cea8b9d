"""Certainty of evidence by domain (GRADE): rules propose, a person's judgement wins."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scipy.special import ndtri

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import records
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.reading import (
    RATIOS,
    includes,
    includes_benefit,
    includes_harm,
    model_words,
    null_of,
    p_words,
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
from trial_evidence.words.models import is_random_effects
from trial_evidence.words.numbers import round_half_up

Judgement = Literal["not_serious", "serious", "very_serious", "not_judged"]
DOMAINS = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
_STEPS = {"not_serious": 0, "serious": 1, "very_serious": 2, "not_judged": 0}
LEVELS = ("very low", "low", "moderate", "high")
NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Domain:
    """A domain of certainty and how much it lowers it.

    Attributes
    ----------
    name : str
        One of ``DOMAINS``.
    judgement : {"not_serious", "serious", "very_serious", "not_judged"}
    reason : str
    judged_by : str
        Initials and date of a person; ``""`` for a proposal of the rules.
    """

    name: str
    judgement: Judgement
    reason: str
    judged_by: str


@dataclass(frozen=True)
class Certainty:
    """Certainty of the evidence on one analysis.

    Attributes
    ----------
    setting, analysis : str
    domains : tuple of Domain
        In the order of ``DOMAINS``.
    """

    setting: str
    analysis: str
    domains: tuple[Domain, ...]

    @property
    def level(self) -> str:
        """``high`` less a level for each serious domain and two for each very serious one."""
        lost = sum(_STEPS[domain.judgement] for domain in self.domains)
        return LEVELS[max(0, len(LEVELS) - 1 - lost)]

    @property
    def provisional(self) -> bool:
        """Whether a domain is proposed by a rule, or not judged at all."""
        return any(not domain.judged_by for domain in self.domains)

    @property
    def words(self) -> str:
        """For tables and figures: ``Moderate``, ``Low (provisional)``."""
        return capital(self.level) + (" (provisional)" if self.provisional else "")


def certainties(material: Material) -> tuple[Certainty, ...]:
    """Certainty of every pooled answer that has an estimate.

    Parameters
    ----------
    material : Material

    Returns
    -------
    tuple of Certainty

    Notes
    -----
    Randomised trials begin at high. The domains and the levels are attributed to the GRADE
    working group (Guyatt et al. 2011); from which value on a rule proposes a level stands in
    config/report.yaml. Indirectness is left to a person.
    """
    return tuple(
        Certainty(analysis.setting, analysis.id, _domains(material, analysis, lead))
        for analysis in material.front()
        if (lead := material.lead(analysis)) is not None
    )


def certainty_words(found: Sequence[Certainty]) -> dict[tuple[str, str], str]:
    """(setting, analysis) -> certainty in words, for figures and tables."""
    return {(c.setting, c.analysis): c.words for c in found}


def certainty_table(material: Material, found: Sequence[Certainty]) -> ReportTable:
    """A row a domain of every pooled answer: judgement, reason, and whose it is.

    Parameters
    ----------
    material : Material
    found : sequence of Certainty

    Returns
    -------
    ReportTable
    """
    titles = {(a.setting, a.id): a.title for a in material.configuration.analyses}
    data = [
        {
            "setting": c.setting,
            "analysis": c.analysis,
            "certainty": c.level,
            "domain": domain.name,
            "judgement": domain.judgement,
            "reason": domain.reason,
            "judged_by": domain.judged_by,
        }
        for c in found
        for domain in c.domains
    ]
    shown = [
        {
            "Analysis": titles[row["setting"], row["analysis"]],
            "Certainty": capital(row["certainty"]),
            "Domain": capital(words(row["domain"])),
            "Judgement": capital(words(row["judgement"])),
            "Reason": row["reason"],
            "Judged by": row["judged_by"] or ("nobody yet" if row["judgement"] == "not_judged"
                                              else "rule"),
        }
        for row in data
    ]  # fmt: skip
    return report_table(
        "certainty",
        "Certainty of evidence by domain (GRADE)",
        shown,
        data,
        ["Analysis", "Certainty", "Domain", "Judgement", "Reason", "Judged by"],
        ["setting", "analysis", "certainty", "domain", "judgement", "reason", "judged_by"],
        [
            "Randomised trials begin at high; a serious domain lowers the certainty by one level, "
            "a very serious one by two.",
            "“Rule” marks a proposal by the thresholds of config/report.yaml. A judgement in "
            "data/raw/certainty.csv takes its place. Until a person has judged all five domains, "
            "the certainty is provisional.",
        ],
    )


def _domains(material: Material, analysis: Analysis, lead: Mapping[str, Any]) -> tuple[Domain, ...]:
    proposals = {
        "risk_of_bias": _risk_of_bias(material, analysis),
        "inconsistency": _inconsistency(material, analysis, lead),
        "indirectness": ("not_judged", "No rule can judge whether patients and treatments are "
                         "those of the question."),
        "imprecision": _imprecision(material, analysis, lead),
        "publication_bias": _publication_bias(material, analysis, lead),
    }  # fmt: skip
    table = material.sheet["certainty"]
    mine = table[(table["setting"] == analysis.setting) & (table["analysis"] == analysis.id)]
    judged = {row["domain"]: row for row in records(mine)}
    return tuple(
        Domain(name, row["judgement"], row["reason"], f"{row['initials']}, {row['date']}")
        if (row := judged.get(name))
        else Domain(name, *proposals[name], judged_by="")
        for name in DOMAINS
    )


def judged_risk(material: Material, analysis: Analysis, trial_id: str, outcome: str) -> str:
    """Overall risk of bias of a trial's outcome; of another outcome of its family, else.

    Parameters
    ----------
    material : Material
    analysis : Analysis
        Its endpoints are the family.
    trial_id, outcome : str
        ``outcome`` as in trials.csv of the results.

    Returns
    -------
    str
        ``low``, ``some_concerns``, ``high`` or ``not judged``.
    """
    table = material.sheet["risk_of_bias"]
    mine = table[table["trial_id"] == trial_id]
    judged = dict(zip(mine["outcome"], mine["overall"], strict=True))
    for name in (outcome, *analysis.endpoints):
        if name in judged:
            return str(judged[name])
    return NOT_JUDGED


def risk_shares(material: Material, analysis: Analysis) -> dict[str, float]:
    """Share of the weight of an analysis's trials by overall risk of bias; they add up to 1."""
    trials = material.pooled_trials(analysis)
    weights = trials["weight"].fillna(1.0)
    shares: dict[str, float] = {}
    for row, weight in zip(records(trials), weights / weights.sum(), strict=True):
        risk = judged_risk(material, analysis, row["trial_id"], row["outcome"])
        shares[risk] = shares.get(risk, 0.0) + float(weight)
    return shares


def information_needed(worthwhile: float, alpha: float, power: float) -> float:
    """Optimal information size of a log ratio, as the information (1 / variance) of the effect.

    Parameters
    ----------
    worthwhile : float
        The ratio to be detected, above 1.
    alpha, power : float
        In percent, alpha two-sided.

    Returns
    -------
    float
        ((z(1 - alpha/2) + z(power)) / log ratio)^2; a quarter of the events that Schoenfeld's
        formula asks of a trial with equal arms.
    """
    z = float(ndtri(1 - alpha / 200) + ndtri(power / 100))
    return (z / math.log(worthwhile)) ** 2


def _risk_of_bias(material: Material, analysis: Analysis) -> tuple[Judgement, str]:
    rules = material.report.certainty
    shares = risk_shares(material, analysis)
    high = shares.get("high", 0.0)
    doubtful = 1 - shares.get("low", 0.0)
    reason = "Weight of the trials by overall risk: " + ", ".join(
        f"{words(risk)} {percent(shares[risk])}"
        for risk in ("low", "some_concerns", "high", NOT_JUDGED)
        if risk in shares
    )
    if high >= rules.very_high_risk_share:
        return "very_serious", f"{reason}."
    serious = high >= rules.high_risk_share or doubtful >= rules.concerns_share
    return ("serious" if serious else "not_serious"), f"{reason}."


def _inconsistency(
    material: Material, analysis: Analysis, lead: Mapping[str, Any]
) -> tuple[Judgement, str]:
    if lead["k"] < 2:
        return "not_serious", "One trial: there is nothing to compare."
    rules = material.report.certainty
    table = material.evidence.estimates
    mine = table[
        (table["setting"] == analysis.setting)
        & (table["analysis"] == analysis.id)
        & (table["measure"] == analysis.measures[0])
        & (table["subgroup"] == "all")
        & table["model"].map(is_random_effects)
    ]
    i2 = float(mine["i2"].iloc[0])
    null = null_of(lead["measure"])
    open_mean = includes(lead["ci_low"], lead["ci_high"], null)
    rows = material.leads(analysis.setting, analysis.id, analysis.measures[0])
    # Where two models are of equal rank, the one that leaves more open counts.
    widest = max(
        rows, key=lambda row: (includes(row["pi_low"], row["pi_high"], null), row["role"] == "lead")
    )
    open_new = includes(widest["pi_low"], widest["pi_high"], null)
    reason = (
        f"I² {round_half_up(i2, 0)}%; prediction interval "
        f"{interval(widest['pi_low'], widest['pi_high'])} ({model_words(widest)}) "
        f"{'includes' if open_new else 'excludes'} no effect"
    )
    if lead["k"] == 2:
        reason += "; two trials say little about it"
    if i2 >= rules.very_high_i2 and open_new:
        return "very_serious", f"{reason}."
    serious = i2 >= rules.i2 or (open_new and not open_mean)
    return ("serious" if serious else "not_serious"), f"{reason}."


def _imprecision(
    material: Material, analysis: Analysis, lead: Mapping[str, Any]
) -> tuple[Judgement, str]:
    if lead["measure"] not in RATIOS:
        return "not_judged", "The rule is for ratios."
    worthwhile = material.report.worthwhile_ratio
    rules = material.report.certainty
    low, high, measure = lead["ci_low"], lead["ci_high"], lead["measure"]
    benefit = includes_benefit(low, high, measure, worthwhile)
    harm = includes_harm(low, high, measure, worthwhile)
    open_mean = includes(low, high, 1.0)
    trials = material.pooled_trials(analysis)
    share = float((1 / trials["vi"]).sum()) / information_needed(
        worthwhile, rules.alpha, rules.power
    )
    what = [
        text
        for text, reached in (
            ("a benefit worth having", benefit), ("no effect", open_mean),
            ("a harm as large", harm),
        )
        if reached
    ]  # fmt: skip
    reason = (
        f"Interval {interval(low, high)} includes {', '.join(what) or 'none of these limits'}; "
        f"information {percent(share)} of the optimal size"
    )
    if benefit and harm:
        return "very_serious", f"{reason}."
    serious = (open_mean and (benefit or harm)) or share < 1
    return ("serious" if serious else "not_serious"), f"{reason}."


def _publication_bias(
    material: Material, analysis: Analysis, lead: Mapping[str, Any]
) -> tuple[Judgement, str]:
    rules = material.report.certainty
    if lead["k"] < rules.small_study_trials:
        return "not_serious", (
            f"Not tested: {counted(int(lead['k']), 'trial')}, "
            f"{rules.small_study_trials} are needed."
        )
    table = material.of("small_study", analysis)
    tests = table[table["test"].isin(["egger", "harbord", "peters"]) & table["p_value"].notna()]
    if tests.empty:
        return "not_judged", "No test of small-study effects was possible."
    reason = "; ".join(
        f"{capital(row['test'])}’s test {p_words(row['p_value'])}" for row in records(tests)
    )
    sign = bool((tests["p_value"] < rules.small_study_p).any())
    return ("serious" if sign else "not_serious"), f"{reason}."
