"""Tables of a network: what it rests on, and every result, ratios on the natural scale."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.files import records
from trial_evidence.network.analysis import NetworkAnalysis, PartAnalysis
from trial_evidence.network.components.additive import Effect
from trial_evidence.network.evidence.graph import direct_comparisons
from trial_evidence.network.fit.evidence_split import Estimate
from trial_evidence.network.fit.inconsistency import OfDesign, QTest
from trial_evidence.network.fit.league import NO_PATH, League
from trial_evidence.pool.engine.refusals import Refused

MODELS = ("random_reml", "random_dl", "common")

NODE_COLUMNS = [
    "part", "regimen", "code", "label", "components", "trials", "patients", "events", "reference",
]  # fmt: skip
COMPARISON_COLUMNS = ["part", "first", "second", "trials", "multi_arm", "patients", "trial_names"]
SUMMARY_COLUMNS = [
    "part", "measure", "regimens", "trials", "comparisons", "reference", "tau2_reml", "tau2_dl",
    "i2", "q", "q_df", "q_p", "without_path",
]  # fmt: skip
LEAGUE_COLUMNS = [
    "part", "first", "second", "model", "estimate", "ci_low", "ci_high", "p_value", "pi_low",
    "pi_high", "reason",
]  # fmt: skip
REFERENCE_COLUMNS = [
    "part", "regimen", "code", "reference", "model", "estimate", "ci_low", "ci_high", "p_value",
    "pi_low", "pi_high", "direct_trials", "p_score",
]  # fmt: skip
RANK_COLUMNS = ["part", "regimen", "code", "p_score", "mean_rank", "rank", "probability"]
SPLIT_COLUMNS = [
    "part", "first", "second", "trials", "direct_share", "direct", "direct_low", "direct_high",
    "indirect", "indirect_low", "indirect_high", "combined", "combined_low", "combined_high",
    "difference", "difference_low", "difference_high", "difference_p", "reason",
]  # fmt: skip
INCONSISTENCY_COLUMNS = ["part", "kind", "design", "trials", "q", "df", "p_value", "tau2"]
CONTRIBUTION_COLUMNS = ["part", "first", "second", "direct_first", "direct_second", "share"]
TRANSITIVITY_COLUMNS = [
    "part", "first", "second", "trial", "year", "line", "phase", "blinded", "outcome",
    "population_analysed", "patients_enrolled", "region",
]  # fmt: skip
COMPONENT_COLUMNS = [
    "kind", "component", "model", "estimate", "ci_low", "ci_high", "p_value", "tau2", "reason",
]  # fmt: skip
ADDITIVITY_COLUMNS = [
    "kind", "part", "regimen", "code", "reference", "observed", "observed_low", "observed_high",
    "predicted", "predicted_low", "predicted_high", "ratio", "ratio_low", "ratio_high", "statistic",
    "df", "p_value", "reason",
]  # fmt: skip
INTERACTION_COLUMNS = [
    "first", "second", "trials_with", "trials_within", "estimate", "ci_low", "ci_high", "p_value",
    "tau2", "posterior_median", "posterior_low", "posterior_high", "probability_of_synergy",
    "prior", "confounded_with", "reason",
]  # fmt: skip

ALL_DIRECT = "nothing but direct evidence: no way round"
NOT_COUNTED = math.nan


def network_tables(analysis: NetworkAnalysis, line: str) -> dict[str, pd.DataFrame]:
    """Every table of a network by file name.

    Parameters
    ----------
    analysis : NetworkAnalysis
    line : str
        The setting in words: the line of treatment of all its trials.

    Returns
    -------
    dict
        ``used`` and ``set_aside`` (rows of the sheet), ``nodes``, ``comparisons``, ``summary``,
        ``league`` (every regimen against every other, both ways, by model), ``reference``,
        ``ranks``, ``split``, ``inconsistency``, ``contributions``, ``transitivity``,
        ``components``, ``additivity`` and ``interactions``. Ratios on the natural scale; the
        first regimen against the second.
    """
    table = {
        "nodes": (NODE_COLUMNS, _nodes(analysis)),
        "comparisons": (COMPARISON_COLUMNS, _comparisons(analysis)),
        "summary": (SUMMARY_COLUMNS, _summary(analysis)),
        "league": (LEAGUE_COLUMNS, _league(analysis)),
        "reference": (REFERENCE_COLUMNS, _reference(analysis)),
        "ranks": (RANK_COLUMNS, _ranks(analysis)),
        "split": (SPLIT_COLUMNS, _split(analysis)),
        "inconsistency": (INCONSISTENCY_COLUMNS, _inconsistency(analysis)),
        "contributions": (CONTRIBUTION_COLUMNS, _contributions(analysis)),
        "transitivity": (TRANSITIVITY_COLUMNS, _transitivity(analysis, line)),
        "components": (COMPONENT_COLUMNS, _components(analysis)),
        "additivity": (ADDITIVITY_COLUMNS, _additivity(analysis)),
        "interactions": (INTERACTION_COLUMNS, _interactions(analysis)),
    }
    network = analysis.network
    made = {
        name: pd.DataFrame(
            [{"setting": network.setting, "network": network.id} | row for row in rows],
            columns=["setting", "network", *columns],
        )
        for name, (columns, rows) in table.items()
    }
    return {"used": analysis.evidence.used, "set_aside": analysis.evidence.set_aside, **made}


def patients(analysis: NetworkAnalysis) -> tuple[Counter[str], Counter[str]]:
    """Patients and events of every regimen, each arm once.

    Parameters
    ----------
    analysis : NetworkAnalysis

    Returns
    -------
    patients, events : Counter
        By regimen; events only of counted outcomes, and patients as far as they are stated.
    """
    sizes: dict[tuple[str, str], float] = {}
    events: Counter[str] = Counter()
    for row in records(analysis.evidence.used):
        sides = [("regimen", "n")] + ([("against", "n_against")] if row["against"] else [])
        for name, size in sides:
            key = (row["trial_id"], row[name])
            sizes[key] = max(sizes.get(key, 0.0), np.nan_to_num(row[size]))
        if analysis.network.is_pcr:
            events[row["regimen"]] += int(row["events"])
    total: Counter[str] = Counter()
    for (_, regimen), patients_in_arm in sizes.items():
        total[regimen] += int(patients_in_arm)
    return total, events


def _nodes(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    total, events = patients(analysis)
    for part in analysis.parts:
        for regimen in part.data.treatments:
            node = analysis.nodes[regimen]
            yield {
                "part": part.number,
                "regimen": regimen,
                "code": node.code,
                "label": node.label,
                "components": "; ".join(node.components),
                "trials": sum(regimen in study.treatments for study in part.data.studies),
                "patients": total[regimen],
                "events": events[regimen] if analysis.network.is_pcr else NOT_COUNTED,
                "reference": "yes" if regimen == part.reference else "no",
            }


def _comparisons(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    names = _trial_names(analysis)
    arms = _arm_sizes(analysis)
    for part in analysis.parts:
        for found in direct_comparisons(part.data):
            pair = (found.first, found.second)
            yield {
                "part": part.number,
                **_pair(analysis, *pair),
                "trials": len(found.studies),
                "multi_arm": found.multi_arm,
                "patients": sum(arms.get((s, t), 0) for s in found.studies for t in pair),
                "trial_names": "; ".join(names[s] for s in found.studies),
            }


def _arm_sizes(analysis: NetworkAnalysis) -> dict[tuple[str, str], int]:
    sizes: dict[tuple[str, str], int] = {}
    for row in records(analysis.evidence.used):
        sizes[(row["trial_id"], row["regimen"])] = int(np.nan_to_num(row["n"]))
        if row["against"]:
            sizes[(row["trial_id"], row["against"])] = int(np.nan_to_num(row["n_against"]))
    return sizes


def _summary(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    everything = sum(len(part.data.treatments) for part in analysis.parts)
    for part in analysis.parts:
        size = len(part.data.treatments)
        yield {
            "part": part.number,
            "measure": analysis.network.measure,
            "regimens": size,
            "trials": len(part.data.studies),
            "comparisons": len(direct_comparisons(part.data)),
            "reference": analysis.nodes[part.reference].code,
            "tau2_reml": part.fit.tau2,
            "tau2_dl": part.beside.tau2,
            "i2": part.fit.i2,
            "q": part.fit.q if part.fit.q_df else math.nan,
            "q_df": part.fit.q_df,
            "q_p": part.fit.q_p,
            "without_path": size * (everything - size),
        }


def _models(part: PartAnalysis) -> Mapping[str, tuple[League, Any]]:
    """Effects and prediction intervals by model."""
    return {
        "random_reml": (part.fit.random, (part.fit.pi_low, part.fit.pi_high)),
        "random_dl": (part.beside.random, (part.beside.pi_low, part.beside.pi_high)),
        "common": (part.fit.common, None),
    }


def _effect(
    analysis: NetworkAnalysis, league: League, prediction: Any, first: str, second: str
) -> dict[str, Any]:
    at = league.cell(first, second)
    numbers = {
        "estimate": league.effects[at],
        "ci_low": league.ci_low[at],
        "ci_high": league.ci_high[at],
        "pi_low": prediction[0][at] if prediction else math.nan,
        "pi_high": prediction[1][at] if prediction else math.nan,
    }
    made = {name: analysis.natural(float(value)) for name, value in numbers.items()}
    return made | {"p_value": float(league.p_value[at])}


def _league(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    """Every regimen against every other, both ways; where no path leads, the reason."""
    part_of = {t: part for part in analysis.parts for t in part.data.treatments}
    for first, second in permutations(sorted(part_of), 2):
        part = part_of[first]
        pair = _pair(analysis, first, second)
        if part is not part_of[second]:
            reason = NO_PATH.format(**pair)
            yield {"part": math.nan, **pair, "model": "", "reason": reason}
            continue
        for model, (league, prediction) in _models(part).items():
            yield {
                "part": part.number,
                **pair,
                "model": model,
                **_effect(analysis, league, prediction, first, second),
                "reason": "",
            }


def _reference(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    for part in analysis.parts:
        scores = dict(zip(part.ranking.treatments, part.ranking.p_score, strict=True))
        direct = {
            frozenset((c.first, c.second)): len(c.studies) for c in direct_comparisons(part.data)
        }
        for regimen in part.data.treatments:
            if regimen == part.reference:
                continue
            for model, (league, prediction) in _models(part).items():
                yield {
                    "part": part.number,
                    "regimen": regimen,
                    "code": analysis.nodes[regimen].code,
                    "reference": analysis.nodes[part.reference].code,
                    "model": model,
                    **_effect(analysis, league, prediction, regimen, part.reference),
                    "direct_trials": direct.get(frozenset((regimen, part.reference)), 0),
                    "p_score": float(scores[regimen]),
                }


def _ranks(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    for part in analysis.parts:
        ranking = part.ranking
        for place, regimen in enumerate(ranking.treatments):
            for rank, probability in enumerate(ranking.probability[place], start=1):
                yield {
                    "part": part.number,
                    "regimen": regimen,
                    "code": analysis.nodes[regimen].code,
                    "p_score": float(ranking.p_score[place]),
                    "mean_rank": float(ranking.mean_rank[place]),
                    "rank": rank,
                    "probability": float(probability),
                }


def _split(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    def numbers(name: str, estimate: Estimate | None) -> dict[str, float]:
        if estimate is None:
            return {}
        values = (estimate.effect, estimate.ci_low, estimate.ci_high)
        keys = (name, f"{name}_low", f"{name}_high")
        return {k: analysis.natural(v) for k, v in zip(keys, values, strict=True)}

    for part in analysis.parts:
        for split in part.splits:
            yield {
                "part": part.number,
                **_pair(analysis, split.comparison.first, split.comparison.second),
                "trials": len(split.comparison.studies),
                "direct_share": split.proportion,
                **numbers("direct", split.direct),
                **numbers("indirect", split.indirect),
                **numbers("combined", split.network),
                **numbers("difference", split.difference),
                "difference_p": split.difference.p_value if split.difference else math.nan,
                "reason": "" if split.indirect else ALL_DIRECT,
            }


def _inconsistency(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    names = _trial_names(analysis)

    def test(found: QTest | None) -> dict[str, Any]:
        if found is None or not found.df:
            return {"q": math.nan, "df": 0 if found else math.nan, "p_value": math.nan}
        return {"q": found.q, "df": found.df, "p_value": found.p_value}

    def of_design(kind: str, found: OfDesign) -> dict[str, Any]:
        codes = [analysis.nodes[t].code for t in found.design.treatments]
        return {
            "kind": kind,
            "design": " : ".join(codes),
            "trials": "; ".join(names[s] for s in found.design.studies),
            **test(found.test),
        }

    for part in analysis.parts:
        found = part.inconsistency
        rows = [
            {"kind": "total", **test(found.total)},
            {"kind": "within designs (heterogeneity)", **test(found.within)},
            {"kind": "between designs (inconsistency)", **test(found.between)},
            {
                "kind": "design-by-treatment interaction, random effects",
                **test(found.random_between),
                "tau2": found.tau2_within,
            },
            *(of_design("within the design", one) for one in found.heterogeneity),
            *(of_design("between designs, this one detached", one) for one in found.detached),
        ]
        yield from ({"part": part.number, **row} for row in rows)


def _contributions(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    for part in analysis.parts:
        found = part.contributions
        for (first, second), shares in zip(found.estimates, found.shares, strict=True):
            for (one, other), share in zip(found.comparisons, shares, strict=True):
                yield {
                    "part": part.number,
                    **_pair(analysis, first, second),
                    "direct_first": analysis.nodes[one].code,
                    "direct_second": analysis.nodes[other].code,
                    "share": float(share),
                }


def _transitivity(analysis: NetworkAnalysis, line: str) -> Iterator[dict[str, Any]]:
    """What could make comparisons unlike each other: one row a comparison and trial."""
    trials = {row["trial_id"]: row for row in records(analysis.evidence.trials)}
    used: dict[str, list[dict[str, Any]]] = {}
    for row in records(analysis.evidence.used):
        used.setdefault(row["trial_id"], []).append(row)
    for part in analysis.parts:
        for found in direct_comparisons(part.data):
            for study in found.studies:
                trial, rows = trials[study], used[study]
                mine = [
                    row for row in rows
                    if row["regimen"] in (found.first, found.second)
                ]  # fmt: skip
                outcome = "definition" if analysis.network.is_pcr else "endpoint"
                yield {
                    "part": part.number,
                    **_pair(analysis, found.first, found.second),
                    "trial": trial["label"],
                    "year": trial["year"],
                    "line": line,
                    "phase": trial["phase"],
                    "blinded": trial["blinded"],
                    "outcome": _joined(row[outcome] for row in mine or rows),
                    "population_analysed": _joined(row["population"] for row in mine or rows)
                    if analysis.network.is_pcr
                    else "",
                    "patients_enrolled": trial["population"],
                    "region": trial["region"],
                }


def _components(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    if analysis.components is None:
        return
    for name, model in (
        ("random_reml", analysis.components.model),
        ("common", analysis.components.common),
    ):
        if isinstance(model, Refused):
            yield {"kind": "component", "component": "", "model": name, "reason": model.reason}
            continue
        for effect in model.components:
            yield {
                "kind": "component",
                "component": effect.name,
                "model": name,
                **_of_effect(analysis, effect),
                "tau2": model.tau2,
            }


def _of_effect(analysis: NetworkAnalysis, effect: Effect) -> dict[str, Any]:
    return {
        "estimate": analysis.natural(effect.estimate),
        "ci_low": analysis.natural(effect.ci_low),
        "ci_high": analysis.natural(effect.ci_high),
        "p_value": effect.p_value,
        "reason": effect.reason,
    }


def _additivity(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    """Tests of additivity, then every regimen as observed and as a sum of its components."""
    if analysis.components is None:
        return
    test = analysis.components.test
    if isinstance(test, Refused):
        yield {"kind": "test", "reason": test.reason}
    else:
        tests = (
            ("Q of the additive model", test.q_additive, test.q_additive_df, test.q_additive_p),
            ("Q of the network model", test.q_standard, test.q_standard_df, test.q_standard_p),
            ("difference: test of additivity", test.q_difference, test.df, test.p_value),
            ("difference, random effects", test.wald, test.df, test.wald_p),
        )
        for kind, statistic, df, p_value in tests:
            yield {
                "kind": kind,
                "statistic": statistic if df else math.nan,
                "df": df,
                "p_value": p_value,
                "reason": "" if df else "nothing left to tell it by",
            }
    for row in analysis.components.predictions:
        numbers: dict[str, Any] = {}
        for name, effect in (
            ("observed", row.observed), ("predicted", row.predicted), ("ratio", row.difference),
        ):  # fmt: skip
            numbers |= {
                name: analysis.natural(effect.estimate),
                f"{name}_low": analysis.natural(effect.ci_low),
                f"{name}_high": analysis.natural(effect.ci_high),
            }
        yield {
            "kind": "regimen",
            "part": analysis.part_of(row.treatment).number,
            "regimen": row.treatment,
            "code": analysis.nodes[row.treatment].code,
            "reference": analysis.nodes[row.reference].code,
            **numbers,
            "p_value": row.difference.p_value,
            "reason": row.difference.reason,
        }


def _interactions(analysis: NetworkAnalysis) -> Iterator[dict[str, Any]]:
    if analysis.components is None:
        return
    for (first, second), found in analysis.components.interactions:
        row: dict[str, Any] = {"first": first, "second": second}
        if isinstance(found, Refused):
            yield row | {"reason": found.reason}
            continue
        above = found.posterior.probability_above_zero
        yield {
            **row,
            "trials_with": found.studies_with,
            "trials_within": found.studies_apart,
            **_of_effect(analysis, found.effect),
            "tau2": found.tau2,
            "posterior_median": analysis.natural(found.posterior.median),
            "posterior_low": analysis.natural(found.posterior.ci_low),
            "posterior_high": analysis.natural(found.posterior.ci_high),
            # Together better than the sum: more responses, or fewer events.
            "probability_of_synergy": 1 - above if analysis.network.small_is_good else above,
            "prior": found.posterior.tau_prior,
            "confounded_with": "; ".join(found.confounded_with),
        }


def _pair(analysis: NetworkAnalysis, first: str, second: str) -> dict[str, str]:
    return {"first": analysis.nodes[first].code, "second": analysis.nodes[second].code}


def _trial_names(analysis: NetworkAnalysis) -> dict[str, str]:
    trials = analysis.evidence.trials
    return dict(zip(trials["trial_id"], trials["label"], strict=True))


def _joined(values: Any) -> str:
    return "; ".join(dict.fromkeys(str(value) for value in values if value == value and value))
