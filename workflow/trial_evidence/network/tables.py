"""Tables of a network: what it rests on, and every result, ratios on the natural scale."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.files import records
from trial_evidence.network.analysis import NetworkAnalysis, PartAnalysis
from trial_evidence.network.evidence.graph import direct_comparisons
from trial_evidence.network.fit.effect import Effect, QTest
from trial_evidence.network.fit.inconsistency import OfDesign
from trial_evidence.network.fit.league import NO_PATH
from trial_evidence.pool.engine.refusals import Refused

Row = dict[str, Any]
Rows = Iterator[Any]

INTERACTION_COLUMNS = [
    "first", "second", "trials_with", "trials_within", "estimate", "ci_low", "ci_high", "p_value",
    "tau2", "posterior_median", "posterior_low", "posterior_high", "probability_of_synergy",
    "prior", "confounded_with", "reason",
]  # fmt: skip
ALL_DIRECT = "direct evidence only: no indirect comparison is possible"


def network_tables(analysis: NetworkAnalysis, line: str) -> dict[str, pd.DataFrame]:
    """Every table of a network by file name.

    Parameters
    ----------
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
    network = analysis.network
    made = {
        name: pd.DataFrame(list(rows(analysis)), columns=columns.split())
        for name, (columns, rows) in _OF_NETWORKS.items()
    }
    for name, (columns, of_part) in _OF_PARTS.items():
        rows = [
            {"part": part.number} | row if isinstance(row, dict) else (part.number, *row)
            for part in analysis.parts
            for row in of_part(analysis, part)
        ]
        made[name] = pd.DataFrame(rows, columns=["part", *columns.split()])
    made["transitivity"].insert(5, "line", line)
    for table in made.values():
        table.insert(0, "setting", network.setting)
        table.insert(1, "network", network.id)
    return {"used": analysis.evidence.used, "set_aside": analysis.evidence.set_aside, **made}


def _arm_sizes(analysis: NetworkAnalysis) -> dict[tuple[str, str], int]:
    """Patients by trial and regimen, each arm once: the largest number stated."""
    sizes: dict[tuple[str, str], int] = {}
    for row in records(analysis.evidence.used):
        for side, n in (("regimen", "n"), ("against", "n_against")):
            if row[side]:
                key = (row["trial_id"], row[side])
                sizes[key] = max(sizes.get(key, 0), int(np.nan_to_num(row[n])))
    return sizes


def _counted(analysis: NetworkAnalysis) -> bool:
    return analysis.network.kind == "counts"


def _pair(analysis: NetworkAnalysis, first: str, second: str) -> tuple[str, str]:
    return analysis.nodes[first].code, analysis.nodes[second].code


def _trial_names(analysis: NetworkAnalysis, studies: Iterable[str]) -> str:
    trials = analysis.evidence.trials.set_index("trial_id")["label"]
    return "; ".join(trials[list(studies)])


def _nodes(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    """Regimens, their patients as far as stated, and events where they are counted."""
    sizes, used = _arm_sizes(analysis), analysis.evidence.used
    for regimen in part.data.treatments:
        node = analysis.nodes[regimen]
        trials = sum(regimen in study.treatments for study in part.data.studies)
        total = sum(size for (_, of), size in sizes.items() if of == regimen)
        events = used.loc[used["regimen"] == regimen, "events"].sum()
        counted = int(events) if _counted(analysis) else math.nan
        names = (regimen, node.code, node.label, "; ".join(node.components))
        yield *names, trials, total, counted, "yes" if regimen == part.reference else "no"


def _comparisons(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    sizes = _arm_sizes(analysis)
    for found in direct_comparisons(part.data):
        size = sum(sizes.get((s, t), 0) for s in found.studies for t in found.pair)
        of = (len(found.studies), found.multi_arm, size, _trial_names(analysis, found.studies))
        yield *_pair(analysis, *found.pair), *of


def _summary(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    fit, size = part.fit, len(part.data.treatments)
    elsewhere = sum(len(other.data.treatments) for other in analysis.parts) - size
    sizes = (size, len(part.data.studies), len(direct_comparisons(part.data)))
    taus = (fit.tau2, part.beside.tau2, fit.i2)
    q = (fit.q if fit.q_df else math.nan, fit.q_df, fit.q_p)
    reference = analysis.nodes[part.reference].code
    yield analysis.network.measure, *sizes, reference, *taus, *q, size * elsewhere


def _effects(
    analysis: NetworkAnalysis, part: PartAnalysis, first: str, second: str
) -> Iterator[Row]:
    """One regimen against another by every model."""
    for model, league, predicting in (
        ("random_reml", part.fit.random, part.fit),
        ("random_dl", part.beside.random, part.beside),
        ("common", part.fit.common, None),
    ):
        at = league.cell(first, second)
        numbers = {
            "estimate": league.effects[at],
            "ci_low": league.ci_low[at],
            "ci_high": league.ci_high[at],
        }
        if predicting:
            numbers |= {"pi_low": predicting.pi_low[at], "pi_high": predicting.pi_high[at]}
        made = {name: analysis.natural(float(value)) for name, value in numbers.items()}
        yield {"model": model, **made, "p_value": float(league.p_value[at])}


def _league(analysis: NetworkAnalysis) -> Rows:
    """Every regimen against every other, both ways; where no path leads, the reason."""
    part_of = {t: part for part in analysis.parts for t in part.data.treatments}
    for first, second in permutations(sorted(part_of), 2):
        part = part_of[first]
        pair = dict(zip(("first", "second"), _pair(analysis, first, second), strict=True))
        if part is part_of[second]:
            for effect in _effects(analysis, part, first, second):
                yield {"part": part.number, **pair, **effect, "reason": ""}
        else:
            yield {**pair, "model": "", "reason": NO_PATH.format(**pair)}


def _reference(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    scores = dict(zip(part.ranking.treatments, part.ranking.p_score, strict=True))
    direct = {frozenset(c.pair): len(c.studies) for c in direct_comparisons(part.data)}
    for regimen in part.data.treatments:
        if regimen == part.reference:
            continue
        code, reference = _pair(analysis, regimen, part.reference)
        for effect in _effects(analysis, part, regimen, part.reference):
            yield {
                "regimen": regimen,
                "code": code,
                "reference": reference,
                "direct_trials": direct.get(frozenset((regimen, part.reference)), 0),
                "p_score": float(scores[regimen]),
                **effect,
            }


def _ranks(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    ranking = part.ranking
    for place, regimen in enumerate(ranking.treatments):
        scores = (float(ranking.p_score[place]), float(ranking.mean_rank[place]))
        for rank, probability in enumerate(ranking.probability[place], start=1):
            yield regimen, analysis.nodes[regimen].code, *scores, rank, float(probability)


def _ends(
    analysis: NetworkAnalysis, effect: Effect | None, estimate: str, low: str = "", high: str = ""
) -> Row:
    """An effect and its interval as they are printed, in columns called so."""
    if effect is None:
        return {}
    names = (estimate, low or f"{estimate}_low", high or f"{estimate}_high")
    values = (effect.estimate, effect.ci_low, effect.ci_high)
    return {k: analysis.natural(v) for k, v in zip(names, values, strict=True)}


def _split(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    for split in part.splits:
        first, second = _pair(analysis, *split.comparison.pair)
        yield {
            "first": first,
            "second": second,
            "trials": len(split.comparison.studies),
            "direct_share": split.proportion,
            **_ends(analysis, split.direct, "direct"),
            **_ends(analysis, split.indirect, "indirect"),
            **_ends(analysis, split.network, "combined"),
            **_ends(analysis, split.difference, "difference"),
            "difference_p": split.difference.p_value if split.difference else math.nan,
            "reason": "" if split.indirect else ALL_DIRECT,
        }


def _inconsistency(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    def test(kind: str, found: QTest | None) -> Row:
        if found is not None and found.df:
            return {"kind": kind, "q": found.q, "df": found.df, "p_value": found.p_value}
        return {"kind": kind, "df": 0 if found else math.nan}

    def of_design(kind: str, found: OfDesign) -> Row:
        codes = " : ".join(analysis.nodes[t].code for t in found.design.treatments)
        trials = _trial_names(analysis, found.design.studies)
        return {"design": codes, "trials": trials, **test(kind, found.test)}

    found = part.inconsistency
    yield test("total", found.total)
    yield test("within designs (heterogeneity)", found.within)
    yield test("between designs (inconsistency)", found.between)
    interaction = "design-by-treatment interaction, random effects"
    yield {**test(interaction, found.random_between), "tau2": found.tau2_within}
    yield from (of_design("within the design", one) for one in found.heterogeneity)
    yield from (of_design("between designs, this one detached", one) for one in found.detached)


def _contributions(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    found = part.contributions
    for estimate, shares in zip(found.estimates, found.shares, strict=True):
        for direct, share in zip(found.comparisons, shares, strict=True):
            yield *_pair(analysis, *estimate), *_pair(analysis, *direct), float(share)


def _transitivity(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    """What could make comparisons unlike each other: one row a comparison and trial."""
    trials = {row["trial_id"]: row for row in records(analysis.evidence.trials)}
    used, counted = records(analysis.evidence.used), _counted(analysis)
    for found in direct_comparisons(part.data):
        for study in found.studies:
            trial = trials[study]
            rows = [row for row in used if row["trial_id"] == study]
            rows = [row for row in rows if row["regimen"] in found.pair] or rows
            yield (
                *_pair(analysis, *found.pair),
                *(trial[column] for column in ("label", "year", "phase", "blinded")),
                _joined(rows, "definition" if counted else "endpoint"),
                _joined(rows, "population") if counted else "",
                *(trial[column] for column in ("population", "region")),
            )


def _joined(rows: Iterable[Row], column: str) -> str:
    values = (row[column] for row in rows)
    return "; ".join(dict.fromkeys(str(value) for value in values if value == value and value))


def _of_effect(analysis: NetworkAnalysis, effect: Effect) -> Row:
    ends = _ends(analysis, effect, "estimate", "ci_low", "ci_high")
    return ends | {"p_value": effect.p_value, "reason": effect.reason}


def _components(analysis: NetworkAnalysis) -> Rows:
    found = analysis.components
    models = {"random_reml": found.model, "common": found.common} if found else {}
    for name, model in models.items():
        shared = {"kind": "component", "component": "", "model": name}
        if isinstance(model, Refused):
            yield shared | {"reason": model.reason}
            continue
        for effect in model.components:
            tau2 = {"tau2": model.tau2}
            yield shared | {"component": effect.name} | _of_effect(analysis, effect) | tau2


def _additivity(analysis: NetworkAnalysis) -> Rows:
    """Tests of additivity, then every regimen as observed and as a sum of its components."""
    if analysis.components is None:
        return
    test = analysis.components.test
    if isinstance(test, Refused):
        yield {"kind": "test", "reason": test.reason}
    else:
        for kind, found in (
            ("Q of the additive model", test.additive),
            ("Q of the network model", test.standard),
            ("difference: test of additivity", test.difference),
            ("difference, random effects", test.random),
        ):
            yield {
                "kind": kind,
                "statistic": found.q if found.df else math.nan,
                "df": found.df,
                "p_value": found.p_value,
                "reason": "" if found.df else "no degrees of freedom are left",
            }
    for row in analysis.components.predictions:
        code, reference = _pair(analysis, row.treatment, row.reference)
        yield {
            "kind": "regimen",
            "part": analysis.part_of(row.treatment).number,
            "regimen": row.treatment,
            "code": code,
            "reference": reference,
            **_ends(analysis, row.observed, "observed"),
            **_ends(analysis, row.predicted, "predicted"),
            **_ends(analysis, row.difference, "ratio"),
            "p_value": row.difference.p_value,
            "reason": row.difference.reason,
        }


def _interactions(analysis: NetworkAnalysis) -> Rows:
    for (first, second), found in analysis.components.interactions if analysis.components else ():
        row: Row = {"first": first, "second": second}
        if isinstance(found, Refused):
            yield row | {"reason": found.reason}
            continue
        posterior = found.posterior
        above = posterior.probability_above_zero
        yield {
            **row,
            "trials_with": found.studies_with,
            "trials_within": found.studies_apart,
            **_of_effect(analysis, found.effect),
            "tau2": found.tau2,
            "posterior_median": analysis.natural(posterior.median),
            "posterior_low": analysis.natural(posterior.ci_low),
            "posterior_high": analysis.natural(posterior.ci_high),
            # Together better than the sum: more responses, or fewer events.
            "probability_of_synergy": 1 - above if analysis.network.fewer_is_better else above,
            "prior": posterior.tau.prior.label,
            "confounded_with": "; ".join(found.confounded_with),
        }


# The columns of a table after setting and network (and part), and its rows: in this order, or by
# name.
_OF_PARTS: Mapping[str, tuple[str, Callable[[NetworkAnalysis, PartAnalysis], Rows]]] = {
    "nodes": ("regimen code label components trials patients events reference", _nodes),
    "comparisons": ("first second trials multi_arm patients trial_names", _comparisons),
    "summary": (
        "measure regimens trials comparisons reference tau2_reml tau2_dl i2 q q_df q_p "
        "without_path",
        _summary,
    ),
    "reference": (
        "regimen code reference model estimate ci_low ci_high p_value pi_low pi_high "
        "direct_trials p_score",
        _reference,
    ),
    "ranks": ("regimen code p_score mean_rank rank probability", _ranks),
    "split": (
        "first second trials direct_share direct direct_low direct_high indirect indirect_low "
        "indirect_high combined combined_low combined_high difference difference_low "
        "difference_high difference_p reason",
        _split,
    ),
    "inconsistency": ("kind design trials q df p_value tau2", _inconsistency),
    "contributions": ("first second direct_first direct_second share", _contributions),
    "transitivity": (
        "first second trial year phase blinded outcome population_analysed patients_enrolled "
        "region",
        _transitivity,
    ),
}
_OF_NETWORKS: Mapping[str, tuple[str, Callable[[NetworkAnalysis], Rows]]] = {
    "league": (
        "part first second model estimate ci_low ci_high p_value pi_low pi_high reason",
        _league,
    ),
    "components": ("kind component model estimate ci_low ci_high p_value tau2 reason", _components),
    "additivity": (
        "kind part regimen code reference observed observed_low observed_high predicted "
        "predicted_low predicted_high ratio ratio_low ratio_high statistic df p_value reason",
        _additivity,
    ),
    "interactions": (" ".join(INTERACTION_COLUMNS), _interactions),
}
