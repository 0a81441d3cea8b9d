"""Dual regimens against current alternatives: effects, and the evidence each depends on."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from trial_evidence.files import records
from trial_evidence.measures import MEASURES
from trial_evidence.network.analysis import NetworkAnalysis, PartAnalysis
from trial_evidence.network.evidence.nodes import parts_of
from trial_evidence.network.fit.evidence_split import ALL_DIRECT
from trial_evidence.network.fit.league import NO_PATH
from trial_evidence.network.fit.links import Link, evidence_path
from trial_evidence.network.models import HARTUNG_KNAPP, WALD
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL
from trial_evidence.words.numbers import format_number, format_p

ABSENT = "No trial of the network has this regimen."
LIMITS = ("", "_low", "_high")
# Their intervals are shown side by side: one estimator of tau2, and posteriors. The table always
# has columns for all of them, even if a measure has no empirical prior or the network has no
# trials.
INTERVAL_MODELS = (WALD, HARTUNG_KNAPP, EMPIRICAL, CAUTIOUS)
COLUMNS = (
    "comparator", "code", "part", "lead", "estimate", "ci_low", "ci_high",
    "probability_of_benefit",
)  # fmt: skip
BEHIND = (
    "direct_trials", "direct_share", "indirect_share", "path", "weakest_link", "weakest_trials",
    "weakest_share", "without_weakest", "disagreement", "years", "transitivity", "reason",
)  # fmt: skip


def is_dual(regimen: str) -> bool:
    """Whether a regimen is two or more agents given concurrently.

    An arm configured as its own node does not count: it differs from other arms with the same
    agents.
    """
    parts = parts_of(regimen)
    return len(parts.agents) > 1 and parts.schedule == "concurrent" and not parts.own


def alternatives_table(analysis: NetworkAnalysis) -> pd.DataFrame:
    """Dual regimens against the alternatives that the configuration names.

    Returns
    -------
    DataFrame
        One row per pair, connected pairs first, higher P-scores first; one row for a comparator
        that no trial has. ``estimate`` and its limits are from the model ``lead``; those of every
        model follow. ``probability_of_benefit`` is from the leading model if Bayesian, else from
        the first Bayesian one. From ``evidence_path``: ``path``, ``weakest_link`` with its trials,
        its share of the uncertainty, and the factor by which the standard error grows without it
        (empty if no path is left). ``disagreement`` names trials of a link that differ.
    """
    intervals = [f"{model}{limit}" for model in INTERVAL_MODELS for limit in LIMITS]
    columns = [*COLUMNS, *intervals, *BEHIND]
    return pd.DataFrame(list(_rows(analysis)), columns=columns)


def _rows(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    part_of = analysis.part_of
    scores = {regimen: part.ranking.scores[regimen] for regimen, part in part_of.items()}
    for comparator in analysis.network.alternatives:
        if comparator not in part_of:
            yield {"comparator": analysis.codes(comparator)[0], "code": "", "reason": ABSENT}
            continue
        part = part_of[comparator]
        duals = [regimen for regimen in part_of if is_dual(regimen) and regimen != comparator]
        duals.sort(key=lambda regimen: (part_of[regimen] is not part, -scores[regimen], regimen))
        for regimen in duals:
            code, other = analysis.codes(regimen, comparator)
            row: dict[str, Any] = {"comparator": other, "code": code, "reason": ""}
            if part_of[regimen] is part:
                yield row | _compared(analysis, part, regimen, comparator)
            else:
                yield row | {"reason": NO_PATH.format(first=code, second=other)}


def _compared(
    analysis: NetworkAnalysis, part: PartAnalysis, regimen: str, comparator: str
) -> dict[str, Any]:
    """Every estimate, and what it depends on: its own trials, or the links of a path."""
    at = part.fit.random.cell(regimen, comparator)
    ends = {model.name: analysis.interval(model, at) for model in part.models}
    found: dict[str, Any] = {"part": part.number, "lead": part.leading.name}
    found |= dict(zip(("estimate", "ci_low", "ci_high"), ends[part.leading.name], strict=True))
    for name, values in ends.items():
        found |= dict(zip((f"{name}{limit}" for limit in LIMITS), values, strict=True))
    benefits = [analysis.benefit(model, at) for model in (part.leading, *part.models)]
    pair = {regimen, comparator}
    split = next((split for split in part.splits if {*split.comparison.pair} == pair), None)
    share = 0.0 if split is None else split.proportion
    share = 1.0 if share >= 1 - ALL_DIRECT else share
    path = evidence_path(part.fit, regimen, comparator)
    weakest = path.links[0]
    return found | {
        "probability_of_benefit": next((p for p in benefits if not math.isnan(p)), math.nan),
        "direct_trials": 0 if split is None else len(split.comparison.studies),
        "direct_share": share,
        "indirect_share": 1 - share,
        "path": " – ".join(analysis.codes(*path.chain)),
        "weakest_link": _named(analysis, weakest),
        "weakest_trials": analysis.trial_names(weakest.comparison.studies),
        "weakest_share": weakest.uncertainty,
        "without_weakest": math.nan if path.without_weakest is None else path.without_weakest,
        "disagreement": "; ".join(_differing(analysis, o) for o in path.links if o.disagree),
        **_unlike(analysis, path.links),
    }


def _named(analysis: NetworkAnalysis, link: Link) -> str:
    return " v ".join(analysis.codes(*link.comparison.pair))


def _differing(analysis: NetworkAnalysis, link: Link) -> str:
    """The result of each trial of a link."""
    digits = MEASURES[analysis.network.measure].digits
    effects = (format_number(analysis.natural(effect), digits) for effect in link.effects)
    names = (analysis.trial_names([study]) for study in link.comparison.studies)
    found = ", ".join(f"{name} {effect}" for name, effect in zip(names, effects, strict=True))
    return f"{_named(analysis, link)}: {found} ({format_p(link.scatter.p_value or 0.0)})"


def _unlike(analysis: NetworkAnalysis, links: Iterable[Link]) -> dict[str, str]:
    """Years of the reports on a path, and the ways in which its trials differ."""
    studies = {study for link in links for study in link.comparison.studies}
    trials = [row for row in records(analysis.evidence.trials) if row["trial_id"] in studies]
    years = sorted({int(row["year"]) for row in trials if not math.isnan(row["year"])})
    said = []
    for column, name in (("blinded", "blinding"), ("phase", "phase"), ("region", "region")):
        values = sorted({str(row[column]) for row in trials if row[column]})
        if len(values) > 1:
            said.append(f"{name} differs ({', '.join(values)})")
    patients = dict.fromkeys(row["population"] for row in trials if row["population"])
    if len(patients) > 1:
        said.append(f"patients: {'; '.join(patients)}")
    span = "–".join(str(year) for year in dict.fromkeys([*years[:1], *years[-1:]]))
    return {"years": span, "transitivity": "; ".join(said)}
