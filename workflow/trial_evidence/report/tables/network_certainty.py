"""Certainty of network estimates in the six domains of CINeMA: rules propose, a person decides."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.config.networks import Network
from trial_evidence.config.reading import not_allowed
from trial_evidence.config.reports import NETWORK_DOMAINS
from trial_evidence.extract.judged import judged_risk
from trial_evidence.extract.regimens import agent_labels, spelled_out
from trial_evidence.files import Record, records, where
from trial_evidence.network.evidence.nodes import component_labels, explained
from trial_evidence.network.models import BETWEEN_DESIGNS, DESIGN_INTERACTION
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.tables.certainty import (
    Certainty,
    Judgement,
    Proposal,
    bias_of_shares,
    domains_of,
    lowers,
)
from trial_evidence.report.words import reading
from trial_evidence.words.errors import RequestError
from trial_evidence.words.printed import capital, interval, p_value, percent, words
from trial_evidence.words.problems import Problem

Tables = Mapping[str, pd.DataFrame]
# The tests of designs, in order of preference: the common-effect one also counts heterogeneity
# within a design as disagreement between designs.
OF_DESIGNS = (DESIGN_INTERACTION, BETWEEN_DESIGNS)
# Incoherence lowers the certainty by one level, or by two, if its p value is below these.
SUSPECT_P, INCOHERENT_P = 0.10, 0.05
NO_LOOP = "No loop of comparisons lets direct and indirect evidence disagree: incoherence cannot "
NO_LOOP += "be tested"


@dataclass(frozen=True)
class _Estimate:
    """One regimen against another: the network with its tables, and the row of ``alternatives``."""

    material: Material
    network: Network
    tables: Tables
    row: Record

    @property
    def pair(self) -> tuple[str, str]:
        return self.row["code"], self.row["comparator"]

    @property
    def comparison(self) -> str:
        """The comparison as named in ``data/raw/certainty.csv``."""
        return " v ".join(self.pair)

    @property
    def why_none(self) -> str:
        """Why the network has no estimate of it, if it has none."""
        return str(self.row["reason"])

    def of_pair(self, table: str) -> pd.DataFrame:
        """Rows of a table on the two regimens, in either order."""
        found = self.tables[table]
        # No table compares a regimen with itself
        return found[found["first"].isin(self.pair) & found["second"].isin(self.pair)]


def network_certainty_table(material: Material) -> ReportTable:
    """One row per dual regimen and comparator connected to it by a path.

    Notes
    -----
    The domains and the idea of the rules are from Nikolakopoulou et al. 2020 (CINeMA). The
    contribution of a direct comparison is split equally between its trials.

    Raises
    ------
    RequestError
        If a judgement is about a comparison that its network does not have.
    """
    estimates = list(_estimates(material))
    if faults := [problem.line() for problem in _about_nothing(material, estimates)]:
        raise RequestError("\n".join([*faults, "The report was not written."]))
    rated = [estimate for estimate in estimates if not estimate.why_none]
    rows, codes = (_row(found, _certainty(found)) for found in rated), _codes(material, rated)
    return material.table("network_certainty", rows, notes=[codes] if codes else [])


def network_certainties(material: Material) -> dict[tuple[str, str, str], Certainty]:
    """(setting, network, comparison) -> certainty, of every comparison that has an estimate."""
    return {
        (found.network.setting, found.network.id, found.comparison): _certainty(found)
        for found in _estimates(material)
        if not found.why_none
    }


def _codes(material: Material, estimates: Sequence[_Estimate]) -> str:
    """The abbreviations in the codes of regimens, other than those explained in every table."""
    held = {part for found in estimates for code in found.pair for part in re.split("[+ ]", code)}
    named = component_labels(agent_labels(material.sheet["agents"]))
    spelled = spelled_out(material.sheet["agents"])
    names = [
        explained(short, named.get(name, name), spelled.get(name, ""))
        for name, short in material.networks.abbreviations.items()
        if short in held - {*material.abbreviated}
    ]
    names += ["seq: agents in sequence"] if "seq" in held else []
    return f"{'; '.join(names)}." if names else ""


def _about_nothing(material: Material, estimates: Sequence[_Estimate]) -> Iterator[Problem]:
    for network in material.networks.networks:
        known = [found.comparison for found in estimates if found.network is network]
        place = {"setting": network.setting, "analysis": network.id}
        for row in records(where(material.sheet["certainty"], **place)):
            name = row.get("comparison", "")
            if name and name not in known:
                cell = "certainty.csv", int(row["row"]), network.id, "comparison"
                yield not_allowed(cell, name, "is not a comparison of this network.", known)


def _certainty(found: _Estimate) -> Certainty:
    network = found.network
    domains = domains_of(
        found.material, network, _proposals(found), NETWORK_DOMAINS, found.comparison
    )
    return Certainty(network.setting, network.id, domains)


def _row(found: _Estimate, certainty: Certainty) -> dict[str, Any]:
    network, domains = found.network, certainty.domains
    lowered = (f"{capital(words(domain.name))}, {words(domain.judgement)}: {domain.reason}"
               for domain in domains if lowers(domain))  # fmt: skip
    judged = dict.fromkeys(domain.judged_by for domain in domains if domain.judged_by)
    return {
        "setting": network.setting, "analysis": network.id, "comparison": found.comparison,
        "certainty": certainty.words, "lowered_by": " ".join(lowered),
        "judged_by": "; ".join(judged),
        **{domain.name: domain.judgement for domain in domains},
        **{f"{domain.name}_reason": domain.reason for domain in domains},
    }  # fmt: skip


def _estimates(material: Material) -> Iterator[_Estimate]:
    for network in material.networks.networks:
        tables = material.evidence.networks.networks.get(f"{network.setting}/{network.id}", {})
        for row in records(tables["alternatives"]) if "alternatives" in tables else ():
            yield _Estimate(material, network, tables, row)


def _proposals(found: _Estimate) -> dict[str, Proposal]:
    return {
        "within_study_bias": bias_of_shares(found.material, _shares_by_risk(found)),
        "reporting_bias": ("not_serious", "Not tested, so not lowered: few trials compare any two "
                           "regimens."),
        "indirectness": ("not_judged", "A person has to judge whether the trials on the path are "
                         "alike enough to be chained."),
        "imprecision": _imprecision(found),
        "heterogeneity": _heterogeneity(found),
        "incoherence": _incoherence(found),
    }  # fmt: skip


def _shares_by_risk(found: _Estimate) -> dict[str, float]:
    """Overall risk of bias -> contribution of the trials with that risk."""
    used = found.tables["used"]
    endpoints = {row["trial_id"]: row["endpoint"] for row in records(used)}
    compared = records(found.tables["comparisons"])
    trials = {frozenset((row["first"], row["second"])): row["trial_ids"] for row in compared}
    shares: dict[str, float] = {}
    for row in records(found.of_pair("contributions")):
        ids = trials[frozenset((row["direct_first"], row["direct_second"]))].split("; ")
        for trial_id in ids:
            outcome = endpoints[trial_id] or found.network.endpoints[0]
            risk = judged_risk(found.material.sheet, found.network.endpoints, trial_id, outcome)
            shares[risk] = shares.get(risk, 0.0) + row["share"] / len(ids)
    return {risk: share for risk, share in shares.items() if share > 0}


def _against(low: float, high: float, estimate: float, worthwhile: float) -> Judgement:
    """Judge whether an interval reaches no effect, or a relevant effect in the other direction."""
    opposite = high >= worthwhile if estimate < 1 else low <= 1 / worthwhile
    if opposite:
        return "very_serious"
    return "serious" if reading.includes(low, high, 1.0) else "not_serious"


_REACHES: Mapping[Judgement, str] = {
    "not_serious": "excludes 1 (no difference)",
    "serious": "includes 1 (no difference)",
    "very_serious": "reaches a relevant effect in the opposite direction",
}


def _imprecision(found: _Estimate) -> Proposal:
    if not reading.measure_of(found.network.measure).is_ratio:
        return "not_judged", "The rule applies to ratios only."
    low, high = found.row["ci_low"], found.row["ci_high"]
    judgement = _against(low, high, found.row["estimate"], found.material.worthwhile_ratio)
    return judgement, f"The interval ({interval(low, high)}) {_REACHES[judgement]}."


def _heterogeneity(found: _Estimate) -> Proposal:
    """Judge whether the prediction interval leads to a weaker conclusion than the interval."""
    league = found.of_pair("league")
    first, _ = found.pair
    known = records(league[league["first"] == first].dropna(subset=["pi_low"]))
    if not known or not reading.measure_of(found.network.measure).is_ratio:
        return "not_judged", "No prediction interval can be given."
    row = next((r for r in known if r["model"] == found.row["lead"]), known[0])
    worthwhile = found.material.worthwhile_ratio
    order = list(_REACHES)
    # Where the leading model has none, the prediction interval is that of another model.
    steps = [
        order.index(_against(of[f"{end}_low"], of[f"{end}_high"], of["estimate"], worthwhile))
        for of, end in ((found.row, "ci"), (row, "pi"))
    ]
    judgement = order[max(0, steps[1] - steps[0])]
    whose = "" if row["model"] == found.row["lead"] else f" by {reading.model_phrase(row)}"
    reached = _REACHES[order[steps[1]]]
    text = f"The prediction interval{whose} ({reading.limits(row, 'pi')}) {reached}"
    same = ", as the interval does" if judgement == "not_serious" else ""
    return judgement, f"{text}{same}."


def _incoherence(found: _Estimate) -> Proposal:
    split = records(found.of_pair("split").dropna(subset=["difference_p"]))
    if split:
        return _by_p(split[0]["difference_p"], "direct and indirect evidence")
    if found.row["direct_share"] == 1:
        return "not_serious", "All evidence is direct."
    table = found.tables["inconsistency"]
    own = table[table["part"].astype(float) == found.row["part"]].dropna(subset=["p_value"])
    known = [row["p_value"] for kind in OF_DESIGNS for row in records(where(own, kind=kind))]
    if not known:
        return "serious", f"{NO_LOOP}; {percent(found.row['indirect_share'])} of it is indirect."
    return _by_p(known[0], "the designs of the network")


def _by_p(value: float, who: str) -> Proposal:
    if value >= SUSPECT_P:
        return "not_serious", f"No difference between {who} was shown ({p_value(value)})."
    serious: Judgement = "very_serious" if value < INCOHERENT_P else "serious"
    return serious, f"{capital(who)} differ ({p_value(value)})."
