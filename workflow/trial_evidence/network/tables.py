"""Tables of a network: its evidence and every result, ratios on the natural scale."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, combinations, permutations
from typing import Any

import pandas as pd

from trial_evidence.files import records
from trial_evidence.network.alternatives import alternatives_table
from trial_evidence.network.analysis import NetworkAnalysis, PartAnalysis
from trial_evidence.network.components.interactions import Identification
from trial_evidence.network.evidence.columns import with_level
from trial_evidence.network.evidence.graph import Design, direct_comparisons
from trial_evidence.network.fit.effect import Effect, QTest
from trial_evidence.network.fit.league import NO_PATH
from trial_evidence.network.models import (
    BETWEEN_DESIGNS,
    DESIGN_INTERACTION,
    HARTUNG_KNAPP,
    NO_FREEDOM,
)
from trial_evidence.pool.engine.results import Refused

Row = tuple[Any, ...]
Rows = Iterator[Row]

INTERACTION_COLUMNS = [
    "first", "second", "trials_with", "trials_against_part", "trials_alone", "identified_by",
    "estimate", "ci_low", "ci_high", "p_value", "tau2", "posterior_median", "posterior_low",
    "posterior_high", "probability_of_synergy", "prior", "confounded_with", "reason",
]  # fmt: skip
NONE = math.nan
# One regimen against another by one model.
EFFECT = "model role estimate ci_low ci_high p_value pi_low pi_high probability_of_benefit"
NO_LOOP = "cannot be tested: no loop of comparisons lets designs disagree"


def network_tables(analysis: NetworkAnalysis, line: str) -> dict[str, pd.DataFrame]:
    """Every table of a network by file name.

    Parameters
    ----------
    line : str
        Name of the setting: the line of treatment of all its trials.

    Returns
    -------
    dict
        ``used`` and ``set_aside`` (rows of the sheet), ``nodes``, ``comparisons``, ``contrasts``
        (every pair of arms of every trial, on the analysis scale), ``summary``, ``intervals``
        (assumptions of each model, and which leads), ``league`` (every regimen against every other,
        in both directions, by model), ``reference``, ``ranks``, ``split``, ``inconsistency``,
        ``contributions``, ``transitivity``, ``components``, ``additivity``, ``interactions`` and
        ``alternatives``. Ratios on the natural scale; the first regimen against the second.
    """
    network = analysis.network
    made = {
        name: pd.DataFrame(list(rows(analysis)), columns=columns.split())
        for name, (columns, rows) in _OF_NETWORKS.items()
    }
    for name, (columns, of_part) in _OF_PARTS.items():
        rows = [(p.number, *row) for p in analysis.parts for row in of_part(analysis, p)]
        made[name] = pd.DataFrame(rows, columns=["part", *columns.split()])
    made["transitivity"].insert(5, "line", line)
    made["alternatives"] = alternatives_table(analysis)
    for table in made.values():
        with_level(table, analysis.level)
        table.insert(0, "setting", network.setting)
        table.insert(1, "network", network.id)
    return {"used": analysis.evidence.used, "set_aside": analysis.evidence.set_aside, **made}


def patients_of(node: Mapping[str, Any]) -> str:
    """Patients given a regimen: ``1,688``, with ``+`` if a trial does not state them, or ``""``."""
    total, unstated = int(node["patients"]), int(node["unstated"])
    return f"{total:,}{'+' if unstated else ''}" if total else ""


def _arm_sizes(analysis: NetworkAnalysis) -> pd.Series:
    """Patients by trial and regimen, each arm once: the largest number stated."""
    columns = ["trial_id", "regimen", "n"]
    first = analysis.evidence.used[columns]
    second = analysis.evidence.used[["trial_id", "against", "n_against"]].set_axis(columns, axis=1)
    sizes = pd.concat([first, second]).groupby(["trial_id", "regimen"])["n"].max()
    return sizes.fillna(0).astype(int)


def _counted(analysis: NetworkAnalysis) -> bool:
    return analysis.network.kind == "counts"


def _nodes(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    """Regimens with their patients, how many trials do not state them, and events (if counted)."""
    sizes, used = _arm_sizes(analysis), analysis.evidence.used
    for regimen in part.data.treatments:
        node = analysis.nodes[regimen]
        trials = sum(regimen in study.treatments for study in part.data.studies)
        arms = sizes.xs(regimen, level="regimen")
        total, unstated = arms.sum(), int((arms == 0).sum())
        events = used.loc[used["regimen"] == regimen, "events"].sum()
        counted = int(events) if _counted(analysis) else math.nan
        names = (regimen, node.code, node.label, "; ".join(node.components))
        yield *names, trials, total, unstated, counted, "yes" if regimen == part.reference else "no"


def _comparisons(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    sizes = _arm_sizes(analysis)
    for found in direct_comparisons(part.data):
        size = sum(sizes.get((s, t), 0) for s in found.studies for t in found.pair)
        named = analysis.trial_names(found.studies), "; ".join(found.studies)
        yield *analysis.codes(*found.pair), len(found.studies), found.multi_arm, size, *named


def _contrasts(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    """Every pair of arms of every trial, the input format of other programs."""
    for study in part.data.studies:
        for first, second in combinations(study.treatments, 2):
            effect, variance = study.pair(first, second)
            codes = analysis.codes(first, second)
            yield study.study, analysis.network.measure, *codes, effect, math.sqrt(variance)


def _summary(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    fit, size = part.fit, len(part.data.treatments)
    elsewhere = sum(len(other.data.treatments) for other in analysis.parts) - size
    sizes = (size, len(part.data.studies), len(direct_comparisons(part.data)))
    taus = (fit.tau2, part.second_fit.tau2, fit.i2)
    q = fit.heterogeneity.q if fit.heterogeneity.df else NONE
    tested = q, fit.heterogeneity.df, fit.heterogeneity.p_value
    reference = analysis.nodes[part.reference].code
    yield analysis.network.measure, *sizes, reference, *taus, *tested, size * elsewhere


def _effects(analysis: NetworkAnalysis, part: PartAnalysis, first: str, second: str) -> Rows:
    """One regimen against another by every model: effect, its test, and prediction interval."""
    at = part.fit.random.cell(first, second)
    for model in part.models:
        ends, p = analysis.interval(model, at), float(model.p_value[at])
        predicted = (analysis.natural(limit[at]) for limit in (model.pi_low, model.pi_high))
        yield model.name, model.role, *ends, p, *predicted, analysis.benefit(model, at)


def _intervals(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    """What each model assumes about heterogeneity, and the interval it gives."""
    for model in part.models:
        numbers = model.tau2, part.fit.heterogeneity.df, model.factor
        yield model.name, model.role, model.interval, *numbers, model.prior, ""
    if part.fit.hartung_knapp is None:
        yield HARTUNG_KNAPP, "", "", NONE, 0, NONE, "", NO_FREEDOM


def _league(analysis: NetworkAnalysis) -> Rows:
    """Every regimen against every other, both ways; the reason if no path connects them."""
    part_of = analysis.part_of
    for first, second in permutations(sorted(part_of), 2):
        part, pair = part_of[first], analysis.codes(first, second)
        if part is part_of[second]:
            for effect in _effects(analysis, part, first, second):
                yield part.number, *pair, *effect, ""
        else:
            reason = NO_PATH.format(first=pair[0], second=pair[1])
            yield NONE, *pair, "", "", *[NONE] * 7, reason


def _reference(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    scores = part.ranking.scores
    direct = {frozenset(c.pair): len(c.studies) for c in direct_comparisons(part.data)}
    for regimen in part.data.treatments:
        if regimen != part.reference:
            trials = direct.get(frozenset((regimen, part.reference)), 0)
            pair = analysis.codes(regimen, part.reference)
            for effect in _effects(analysis, part, regimen, part.reference):
                yield regimen, *pair, *effect, trials, scores[regimen]


def _ranks(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    ranking = part.ranking
    for place, regimen in enumerate(ranking.treatments):
        scores = (float(ranking.p_score[place]), float(ranking.mean_rank[place]))
        for rank, probability in enumerate(ranking.probability[place], start=1):
            yield regimen, analysis.nodes[regimen].code, *scores, rank, float(probability)


def _ends(analysis: NetworkAnalysis, *effects: Effect | None) -> Row:
    """Effects and their intervals as printed."""
    absent = NONE, NONE, NONE
    ends = ((of.estimate, of.ci_low, of.ci_high) if of else absent for of in effects)
    return tuple(map(analysis.natural, chain.from_iterable(ends)))


def _split(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    for split in part.splits:
        yield (
            *analysis.codes(*split.comparison.pair),
            len(split.comparison.studies),
            split.proportion,
            *_ends(analysis, split.direct, split.indirect, split.network, split.difference),
            split.difference.p_value if split.difference else NONE,
            split.reason,
        )


def _inconsistency(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    def test(kind: str, found: QTest | None, of: Row = (NONE, NONE), tau2: Any = NONE) -> Row:
        why = "" if part.has_loop or not kind.startswith(("between", "design")) else NO_LOOP
        if found is None or not found.df:
            return kind, *of, NONE, 0 if found else NONE, NONE, tau2, why
        return kind, *of, found.q, found.df, found.p_value, tau2, why

    def named(design: Design) -> Row:
        codes = " : ".join(analysis.nodes[t].code for t in design.treatments)
        return codes, analysis.trial_names(design.studies)

    found = part.inconsistency
    yield test("total", found.total)
    yield test("within designs (heterogeneity)", found.within)
    yield test(BETWEEN_DESIGNS, found.between)
    yield test(DESIGN_INTERACTION, found.random_between, tau2=found.tau2_within)
    for design, of in found.heterogeneity:
        yield test("within the design", of, named(design))
    for design, of in found.detached:
        yield test("between designs, this one detached", of, named(design))


def _contributions(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    found = part.contributions
    for estimate, shares in zip(found.estimates, found.shares, strict=True):
        for direct, share in zip(found.comparisons, shares, strict=True):
            yield *analysis.codes(*estimate), *analysis.codes(*direct), float(share)


def _transitivity(analysis: NetworkAnalysis, part: PartAnalysis) -> Rows:
    """Possible sources of intransitivity: one row per comparison and trial."""
    trials = {row["trial_id"]: row for row in records(analysis.evidence.trials)}
    used, counted = records(analysis.evidence.used), _counted(analysis)
    for found in direct_comparisons(part.data):
        for study in found.studies:
            trial = trials[study]
            rows = [row for row in used if row["trial_id"] == study]
            rows = [row for row in rows if row["regimen"] in found.pair] or rows
            yield (
                *analysis.codes(*found.pair),
                *(trial[column] for column in ("label", "year", "phase", "blinded")),
                _joined(rows, "definition" if counted else "endpoint"),
                _joined(rows, "population") if counted else "",
                *(trial[column] for column in ("population", "region")),
            )


def _joined(rows: Iterable[Mapping[str, Any]], column: str) -> str:
    values = (row[column] for row in rows)
    return "; ".join(dict.fromkeys(str(value) for value in values if value == value and value))


def _components(analysis: NetworkAnalysis) -> Rows:
    found = analysis.components
    models = {"random_reml": found.model, "common": found.common} if found else {}
    for name, model in models.items():
        if isinstance(model, Refused):
            yield "component", "", name, *[NONE] * 6, model.reason
            continue
        for effect in model.components:
            numbers = *_ends(analysis, effect), effect.p_value, model.fitted.tau2
            trials = _varying(analysis, effect.name)
            yield "component", effect.name, name, trials, *numbers, effect.reason


def _varying(analysis: NetworkAnalysis, component: str) -> int:
    """Number of trials in which some arms contain a component and others do not."""
    data = analysis.evidence.data
    held = [
        {component in analysis.nodes[treatment].components for treatment in study.treatments}
        for study in (data.studies if data else ())
    ]
    return sum(len(of) > 1 for of in held)


def _additivity(analysis: NetworkAnalysis) -> Rows:
    """Tests of additivity, then every regimen as observed and as a sum of its components."""
    if analysis.components is None:
        return
    test, no_regimen = analysis.components.test, [NONE] * 13
    if isinstance(test, Refused):
        yield "test", *no_regimen, NONE, NONE, NONE, test.reason
    else:
        for kind, found in (
            ("Q of the additive model", test.additive),
            ("Q of the network model", test.standard),
            ("difference: test of additivity", test.difference),
            ("difference, random effects", test.random),
        ):
            statistic, reason = found.q, ""
            if not found.df:
                statistic, reason = NONE, "no degrees of freedom are left"
            yield kind, *no_regimen, statistic, found.df, found.p_value, reason
    for row in analysis.components.predictions:
        part = analysis.part_of[row.treatment].number
        named = part, row.treatment, *analysis.codes(row.treatment, row.reference)
        ends = _ends(analysis, row.observed, row.predicted, row.difference)
        yield "regimen", *named, *ends, NONE, NONE, row.difference.p_value, row.difference.reason


def _interactions(analysis: NetworkAnalysis) -> Rows:
    for pair, found in analysis.components.interactions if analysis.components else ():
        if isinstance(found, Refused):
            yield *pair, *[NONE] * 15, found.reason
            continue
        posterior = found.posterior
        above = posterior.probability_above_zero
        # Synergy: more responses, or fewer events, together than the sum of both. No probability is
        # given if the interaction of another pair explains the same trials.
        better = 1 - above if analysis.network.fewer_is_better else above
        yield (
            *pair,
            found.studies_with,
            found.studies_apart,
            len(found.identified.alone),
            _identified(analysis, found.identified),
            *_ends(analysis, found.effect),
            found.effect.p_value,
            found.tau2,
            *map(analysis.natural, (posterior.median, posterior.ci_low, posterior.ci_high)),
            NONE if found.confounded_with else better,
            posterior.tau.prior.label,
            "; ".join(found.confounded_with),
            found.effect.reason,
        )


def _identified(analysis: NetworkAnalysis, found: Identification) -> str:
    """Which trials an interaction rests on, and the assumptions needed."""
    if found.with_pair:
        return "the trials that include both"
    alike: dict[str, list[str]] = {}
    for study, supposed in found.resting_on:
        pairs = " and ".join(" x ".join(pair) for pair in supposed)
        why = f"if {pairs} {'is' if len(supposed) == 1 else 'are'} additive" if pairs else ""
        alike.setdefault(why, []).append(analysis.trial_names([study]))
    if not alike:
        return "several trials together, none of which suffices"
    said = (" or ".join(names) + (f" ({why})" if why else "") for why, names in alike.items())
    without = "; without these it cannot be estimated" if found.needed else ""
    return f"the trials that include both, with {'; or '.join(said)}{without}"


# Columns of a table (after setting, network and part) and its rows.
_OF_PARTS: Mapping[str, tuple[str, Callable[[NetworkAnalysis, PartAnalysis], Rows]]] = {
    "nodes": ("regimen code label components trials patients unstated events reference", _nodes),
    "comparisons": ("first second trials multi_arm patients trial_names trial_ids", _comparisons),
    "contrasts": ("trial_id measure first second yi se", _contrasts),
    "summary": (
        "measure regimens trials comparisons reference tau2_reml tau2_dl i2 q q_df q_p "
        "without_path",
        _summary,
    ),
    "intervals": ("model role interval tau2 df variance_factor prior reason", _intervals),
    "reference": (f"regimen code reference {EFFECT} direct_trials p_score", _reference),
    "ranks": ("regimen code p_score mean_rank rank probability", _ranks),
    "split": (
        "first second trials direct_share direct direct_low direct_high indirect indirect_low "
        "indirect_high combined combined_low combined_high difference difference_low "
        "difference_high difference_p reason",
        _split,
    ),
    "inconsistency": ("kind design trials q df p_value tau2 reason", _inconsistency),
    "contributions": ("first second direct_first direct_second share", _contributions),
    "transitivity": (
        "first second trial year phase blinded outcome population_analysed patients_enrolled "
        "region",
        _transitivity,
    ),
}
_OF_NETWORKS: Mapping[str, tuple[str, Callable[[NetworkAnalysis], Rows]]] = {
    "league": (f"part first second {EFFECT} reason", _league),
    "components": (
        "kind component model trials estimate ci_low ci_high p_value tau2 reason",
        _components,
    ),
    "additivity": (
        "kind part regimen code reference observed observed_low observed_high predicted "
        "predicted_low predicted_high ratio ratio_low ratio_high statistic df p_value reason",
        _additivity,
    ),
    "interactions": (" ".join(INTERACTION_COLUMNS), _interactions),
}
