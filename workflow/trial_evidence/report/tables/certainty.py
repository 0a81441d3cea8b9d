"""Certainty of evidence by domain (GRADE): rules propose, a person's judgement overrides them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.networks import Network
from trial_evidence.config.reports import DOMAINS
from trial_evidence.extract.judged import NOT_JUDGED, judged_risk
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.degrees import information_share
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.words import reading
from trial_evidence.words import printed
from trial_evidence.words.models import is_bayesian, is_random_effects
from trial_evidence.words.numbers import round_half_up
from trial_evidence.words.printed import capital, counted, listing, percent, words

Judgement = Literal["not_serious", "serious", "very_serious", "not_judged"]
_STEPS = {"not_serious": 0, "serious": 1, "very_serious": 2, "not_judged": 0}
Certainties = Mapping[tuple[str, str], str]
"""(setting, analysis) -> certainty in words."""
LEVELS = ("very low", "low", "moderate", "high")
# With fewer trials, heterogeneity is very uncertain.
FEW = 5
# Suffix of a level if a person has not judged every domain.
PROVISIONAL = "(provisional)"


@dataclass(frozen=True)
class Domain:
    """A GRADE domain (one of ``DOMAINS``) and how far it lowers the certainty.

    `judged_by` has the initials of a person and the date; ``""`` for a proposal of the rules.
    """

    name: str
    judgement: Judgement
    reason: str
    judged_by: str


@dataclass(frozen=True)
class Certainty:
    """Certainty of the evidence on one analysis; its domains in the order of ``DOMAINS``."""

    setting: str
    analysis: str
    domains: tuple[Domain, ...]

    @property
    def level(self) -> str:
        """``high``, lowered one level per serious domain and two per very serious one."""
        lost = sum(_STEPS[domain.judgement] for domain in self.domains)
        return LEVELS[max(0, len(LEVELS) - 1 - lost)]

    @property
    def provisional(self) -> bool:
        """Whether any domain is only proposed by a rule, or not judged."""
        return any(not domain.judged_by for domain in self.domains)

    @property
    def words(self) -> str:
        """For tables and figures: ``Moderate``, ``Low (provisional)``."""
        return capital(self.level) + (f" {PROVISIONAL}" if self.provisional else "")


def lowers(domain: Domain) -> bool:
    """Whether a domain lowers the certainty."""
    return bool(_STEPS[domain.judgement])


def certainties(material: Material) -> tuple[Certainty, ...]:
    """Certainty of every pooled answer that has an estimate.

    Notes
    -----
    Randomised trials start at high. Domains and levels follow the GRADE working group (Guyatt et
    al. 2011); the thresholds of the rules are in config/report.yaml. Indirectness is left to a
    person.
    """
    return tuple(
        Certainty(analysis.setting, analysis.id, _domains(material, analysis, leads))
        for analysis in material.front()
        if (leads := material.leads(analysis))
    )


def certainty_words(found: Sequence[Certainty]) -> Certainties:
    """(setting, analysis) -> certainty in words, for figures and tables."""
    return {(c.setting, c.analysis): c.words for c in found}


def certainty_table(material: Material, found: Sequence[Certainty]) -> ReportTable:
    """One row per domain of every pooled answer: judgement, reason, and who judged."""
    rows = [
        {"setting": c.setting, "analysis": c.analysis, "certainty": c.level, "domain": domain.name}
        | vars(domain)
        for c in found
        for domain in c.domains
    ]
    return material.table("certainty", rows, {"judged_by": _judged_by})


def _judged_by(row: Record) -> str:
    nobody = "nobody yet" if row["judgement"] == "not_judged" else "rule"
    return row["judged_by"] or nobody


def _domains(material: Material, analysis: Analysis, leads: Sequence[Record]) -> tuple[Domain, ...]:
    proposals = {
        "risk_of_bias": _risk_of_bias(material, analysis),
        "inconsistency": _inconsistency(material, analysis, leads[0]),
        "indirectness": ("not_judged", "A person has to judge whether patients and treatments "
                         "match the question."),
        "imprecision": _imprecision(material, analysis, leads[0]),
        "publication_bias": _publication_bias(material, analysis, leads[0]),
    }  # fmt: skip
    return domains_of(material, analysis, proposals, DOMAINS)


def domains_of(
    material: Material,
    pool: Analysis | Network,
    proposals: Mapping[str, "Proposal"],
    names: Sequence[str],
    comparison: str = "",
) -> tuple[Domain, ...]:
    """Return these domains as proposed or, if a person has judged, as judged.

    A judgement without a `comparison` applies to the whole network; one on this comparison
    overrides it.
    """
    mine = where(material.sheet["certainty"], setting=pool.setting, analysis=pool.id)
    about = [row for row in records(mine) if row.get("comparison", "") in ("", comparison)]
    about.sort(key=lambda row: bool(row.get("comparison", "")))
    judged = {row["domain"]: row for row in about}
    return tuple(
        Domain(name, row["judgement"], row["reason"], f"{row['initials']}, {row['date']}")
        if (row := judged.get(name))
        else Domain(name, *proposals[name], judged_by="")
        for name in names
    )


Proposal = tuple[Judgement, str]


def _proposed(reason: str, *, serious: bool, very_serious: bool = False) -> Proposal:
    if very_serious:
        return "very_serious", f"{reason}."
    return ("serious" if serious else "not_serious"), f"{reason}."


def _decimals(value: float, *limits: float) -> int:
    """Decimals of a percentage that rounding does not put on the other side of a limit."""

    def contradicts(digits: int) -> bool:
        rounded = float(round_half_up(value, digits))
        return any((rounded >= limit) != (value >= limit) for limit in limits)

    return next((digits for digits in range(3) if not contradicts(digits)), 3)


def _clear(value: float, *limits: float) -> str:
    return f"{round_half_up(value, _decimals(value, *limits))}%"


def _risk_of_bias(material: Material, analysis: Analysis) -> Proposal:
    shares: dict[str, float] = {}
    for row in records(material.pooled_trials(analysis)):
        risk = judged_risk(material.sheet, analysis.endpoints, row["trial_id"], row["outcome"])
        shares[risk] = shares.get(risk, 0.0) + row["share"]
    return bias_of_shares(material, shares)


def bias_of_shares(material: Material, shares: Mapping[str, float]) -> Proposal:
    """Proposal for risk of bias, from the shares of weight by overall risk (sum 1)."""
    if not shares:
        return "not_judged", "How much each trial contributes is not known."
    rules = material.report.certainty
    # Sums of weights differ between machines in their last digit, and so which side of a limit a
    # share is on that equals it.
    shares = {risk: round(share, 9) for risk, share in shares.items()}
    high, doubtful = shares.get("high", 0.0), round(1 - shares.get("low", 0.0), 9)
    limits = {
        "high": (100 * rules.high_risk_share, 100 * rules.very_high_risk_share),
        "low": (100 * (1 - rules.concerns_share),),
    }
    digits = max(_decimals(100 * share, *limits.get(risk, ())) for risk, share in shares.items())
    return _proposed(
        "Weight of the trials by overall risk of bias: "
        + ", ".join(
            f"{words(risk)} {percent(shares[risk], digits)}"
            for risk in ("low", "some_concerns", "high", NOT_JUDGED)
            if risk in shares
        ),
        serious=high >= rules.high_risk_share or doubtful >= rules.concerns_share,
        very_serious=high >= rules.very_high_risk_share,
    )


def _inconsistency(material: Material, analysis: Analysis, lead: Record) -> Proposal:
    if lead["k"] < 2:
        return _proposed("Only one trial, so that consistency cannot be assessed", serious=False)
    rules = material.report.certainty
    table = material.about(material.evidence.estimates, analysis, subgroup="all")
    i2 = float(table.loc[table["model"].map(is_random_effects), "i2"].iloc[0])
    open_new = reading.includes_null(lead, "pi")
    said = f"I² {_clear(i2, rules.i2, rules.very_high_i2)}"
    if lead["k"] < FEW:
        said += f", very uncertain with {counted(int(lead['k']), 'trial')}"
    if not math.isnan(lead["pi_low"]):
        said += f"; prediction interval {reading.limits(lead, 'pi')} "
        said += reading.where_null_is(lead, "pi")
    # A wide prediction interval alone is not inconsistency: it may only reflect few trials.
    return _proposed(
        said, serious=i2 >= rules.i2, very_serious=i2 >= rules.very_high_i2 and open_new
    )


def _imprecision(material: Material, analysis: Analysis, lead: Record) -> Proposal:
    if not reading.measure_of(lead["measure"]).is_ratio:
        return "not_judged", "The rule applies to ratios only."
    worthwhile = material.worthwhile_ratio
    below, judged, supposed = analysis.fewer_is_better, lead, ""
    if is_bayesian(lead["model"]):
        # Imprecision is about chance. With few trials, the Bayesian interval also reflects
        # uncertainty about heterogeneity, so the common-effect interval is judged.
        table = material.about(material.evidence.estimates, analysis, subgroup="all")
        judged = next(iter(records(where(table, model="common"))), lead)
        supposed = (
            f". This assumes one common effect; {reading.model_phrase(lead)}, which allows for "
            f"heterogeneity, gives {reading.limits(lead)}"
        )
    reached = {
        "a clinically relevant benefit": reading.includes_benefit(judged, worthwhile, below=below),
        "no effect": reading.includes_null(judged),
        "a clinically relevant harm": reading.includes_benefit(judged, worthwhile, below=not below),
    }
    benefit, null, harm = reached.values()
    share = information_share(material, analysis)
    what = listing([text for text, is_reached in reached.items() if is_reached])
    return _proposed(
        f"The interval ({reading.limits(judged)}) is compatible with "
        f"{what or 'a small effect only'}; the information is {_clear(100 * share, 100)} of the "
        f"optimal information size by precision"
        f"{supposed}",
        serious=(null and (benefit or harm)) or share < 1,
        very_serious=benefit and harm,
    )


def _publication_bias(material: Material, analysis: Analysis, lead: Record) -> Proposal:
    rules = material.report.certainty
    least = rules.small_study_trials
    if lead["k"] < least:
        reason = (
            f"Not tested, so not lowered: {counted(int(lead['k']), 'trial')}, at least {least} are "
            "required"
        )
        return _proposed(reason, serious=False)
    tests = material.small_study_tests(analysis)
    if not tests:
        return "not_judged", "No test of small-study effects was possible."
    return _proposed(
        "; ".join(
            f"{capital(row['test'])}’s test: {printed.p_value(row['p_value'])}" for row in tests
        )
        + reading.by_control_risk(lead["measure"]),
        serious=any(row["p_value"] < rules.small_study_p for row in tests),
    )
