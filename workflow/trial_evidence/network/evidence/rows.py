"""The evidence of a network: one report per trial, its arms as nodes, and the rows set aside."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import DisjointSet

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.methods import Orders
from trial_evidence.config.networks import Network, NetworkConfiguration
from trial_evidence.extract.columns import PUBLIC
from trial_evidence.extract.comparisons import NO_STANDARD_ERROR, Records
from trial_evidence.extract.context import Context, aside_record, setting_context, trial_label
from trial_evidence.extract.rates import added_up
from trial_evidence.extract.regimens import spelled_out
from trial_evidence.extract.selection import (
    alike,
    choose_among,
    inadmissible,
    preference_key,
)
from trial_evidence.files import Record, records, records_by
from trial_evidence.network.evidence.columns import SET_ASIDE_COLUMNS, USED_COLUMNS
from trial_evidence.network.evidence.contrasts import (
    NetworkData,
    StudyContrasts,
    from_counts,
    from_pairwise,
    informative,
)
from trial_evidence.network.evidence.nodes import Node, nodes_of, regimen_as_node
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL

Pair = frozenset[str]
"""The two arms of a contrast, in either direction."""

# Rows that agree in these columns belong to one report, by kind of evidence.
TOGETHER = {
    "counts": ("definition",),
    "contrasts": ("endpoint", "assessor", "analysis", "median_followup_months"),
}

EVERY_ANALYSIS = "*"
NOT_RANDOMISED = "not randomised: nothing is compared within the trial"
ONE_REGIMEN = "all arms of the trial have the same regimen: no comparison between nodes"
WIDER = "another report joins"
ONE_REPORTED = "no report of the trial has admitted results for two of its regimens"
SAME_REGIMEN = "both arms have the same regimen"
FOLLOWS = "follows from the other hazard ratios of the trial"
APART = "not joined with the arms of the report taken"
NO_INFORMATION = "there is no event, or only events, in every arm, which says nothing about a ratio"
# Assumes equal variances of the arms: contrasts that share one then have a correlation of one half.
SHARED_ARM = "assumed: contrasts that share an arm have a correlation of one half"
DERIVED = "derived from all pairwise hazard ratios"
COUNTS = "counts of the arms"
TWO_ARMS = "two arms"


@dataclass(frozen=True)
class NetworkEvidence:
    """The evidence of one network.

    Attributes
    ----------
    nodes : dict of Node
        Nodes of the trials used, by regimen, in alphabetical order.
    labels : dict of str
        Short names of the agents.
    spelled : dict of str
        Long names of the agents that have a short one.
    abbreviations : dict of str
        Abbreviations of agents and partners, in the order used in codes.
    used : DataFrame
        Counts: one row per trial and node. Contrasts: one row per trial and contrast; ``yi`` and
        ``vi`` are the log hazard ratio of ``regimen`` against ``against`` and its variance.
        ``readers_differ`` gives the values on which two readers disagree, if unresolved;
        ``exclusion_overridden`` the reason why an arm that is its own node here, or the trial, is
        excluded from analyses of the same outcome.
    set_aside : DataFrame
        One row for every row of the sheet that was considered and not used, with the reason.
    data : NetworkData or None
        The trials as contrasts of their nodes, on the analysis scale; None if there are none.
    trials : DataFrame
        The trials of the sheet that are used, with ``label`` and ``year`` of the report.
    """

    network: Network
    nodes: Mapping[str, Node]
    labels: Mapping[str, str]
    spelled: Mapping[str, str]
    abbreviations: Mapping[str, str]
    used: pd.DataFrame
    set_aside: pd.DataFrame
    data: NetworkData | None
    trials: pd.DataFrame


@dataclass(frozen=True)
class _Trial:
    """A trial: its arms with their regimens, in the order of the sheet, and its candidate rows."""

    id: str
    regimens: Mapping[str, str]
    rows: Mapping[int, Record]


@dataclass(frozen=True)
class _Taken:
    """What a trial contributes to a network, if anything, and why its other rows are not used."""

    reasons: Mapping[int, str]
    study: StudyContrasts | None = None
    used: Sequence[Record] = ()


def network_evidence(
    sheet: Sheet,
    configuration: Configuration,
    networks: NetworkConfiguration,
    network: Network,
    context: Context | None = None,
) -> NetworkEvidence:
    """Build the evidence of a network from the sheet.

    Randomised trials with two or more regimens enter whole: from each trial the report (definition
    of response; or endpoint, assessor, analysis and follow-up) that connects most regimens, with
    ties resolved by the configured orders of preference. Counts of arms with the same regimen are
    added up.

    Parameters
    ----------
    configuration : Configuration
        Admission and orders of preference.
    networks : NetworkConfiguration
        Abbreviations, and arms that are their own nodes.
    context : Context, optional
        That of the setting, if several networks share it.
    """
    context = context or setting_context(sheet, configuration, network.setting)
    # An exclusion from every analysis is about the regimen that such an arm resembles, and does not
    # apply to it as its own node. One that names the network does.
    exclusions = sheet["exclusions"]
    separate = [*networks.own_nodes, *networks.mixed_arms]
    about_others = exclusions["arm_id"].isin(separate) & (exclusions["analysis"] == EVERY_ANALYSIS)
    overridden = {row["arm_id"]: row["reason"] for row in records(exclusions[about_others])}
    of_pairs = _excluded_from_pairs(context, network, exclusions)
    of_setting = context.arms
    regimens = [
        regimen_as_node(regimen, networks.own_nodes.get(arm), networks.mixed_arms.get(arm))
        for arm, regimen in zip(of_setting["arm_id"], of_setting["regimen"], strict=True)
    ]
    context = replace(
        context,
        arms=of_setting.assign(regimen=regimens),
        exclusions=records_by(exclusions[~about_others], "trial_id"),
    )
    nodes = nodes_of(context.arms["regimen"], context.labels, networks.abbreviations)
    used: Records = []
    aside: Records = []
    studies: list[StudyContrasts] = []
    for trial in _trials(context, network):
        taken = _trial_evidence(trial, network, context)
        if taken.study is not None:
            studies.append(taken.study)
        for record in taken.used:
            arms = f"{record['arm_ids']};{record.get('against_arm_ids', '')}".split(";")
            rows = [(network.table, int(number)) for number in record["rows"].split(";")]
            against = record["against"]
            used.append(
                {
                    "setting": network.setting,
                    "network": network.id,
                    "trial_id": trial.id,
                    "trial": context.trials[trial.id]["label"],
                    "year": context.years[trial.id],
                    "code": nodes[record["regimen"]].code,
                    "against_code": nodes[against].code if against else "",
                    "readers_differ": _said(rows, context.differing),
                    "exclusion_overridden": _said(arms, overridden) or of_pairs.get(trial.id, ""),
                    **record,
                }
            )
        aside += [
            aside_record(context, network.id, (ALL,), network.table, trial.rows[label], reason)
            | {"network": network.id}
            for label, reason in sorted(taken.reasons.items())
        ]
    in_use = {record[side] for record in used for side in ("regimen", "against")}
    years = {record["trial_id"]: record["year"] for record in used}
    trials = sheet["trials"][sheet["trials"]["trial_id"].isin(list(years))]
    return NetworkEvidence(
        network=network,
        nodes={name: node for name, node in nodes.items() if name in in_use},
        labels=context.labels,
        spelled=spelled_out(sheet["agents"]),
        abbreviations=networks.abbreviations,
        used=pd.DataFrame(used, columns=USED_COLUMNS),
        set_aside=pd.DataFrame(aside, columns=SET_ASIDE_COLUMNS),
        data=NetworkData(tuple(studies)) if studies else None,
        trials=trials.assign(
            label=trials["name"].map(trial_label), year=trials["trial_id"].map(years)
        ).reset_index(drop=True),
    )


def evidence_of_networks(
    sheet: Sheet,
    configuration: Configuration,
    networks: NetworkConfiguration,
    setting: str,
    context: Context | None = None,
) -> dict[str, NetworkEvidence]:
    """The evidence of every network of a setting, by its id; `context` as in `network_evidence`."""
    asked = networks.of_setting(setting)
    if asked and context is None:
        context = setting_context(sheet, configuration, setting)
    return {n.id: network_evidence(sheet, configuration, networks, n, context) for n in asked}


def _excluded_from_pairs(
    context: Context, network: Network, exclusions: pd.DataFrame
) -> dict[str, str]:
    """Trial -> why it is excluded from a pairwise analysis of the outcomes of the network."""
    alike = [
        analysis.id
        for analysis in context.configuration.of_setting(network.setting)
        if {*analysis.endpoints} & {*network.endpoints}
    ]
    whole = (exclusions["arm_id"] == "") & (exclusions["subgroup"] == EVERY_ANALYSIS)
    found = exclusions[whole & exclusions["analysis"].isin(alike)]
    return dict(zip(found["trial_id"], found["reason"], strict=True))


def _said(keys: Iterable[Any], of: Mapping[Any, str]) -> str:
    return "; ".join(of[key] for key in keys if key in of)


def _trials(context: Context, network: Network) -> Iterator[_Trial]:
    """The trials with candidate rows: results for all patients on an outcome of the network."""
    rows: dict[str, dict[int, Record]] = defaultdict(dict)
    for label, row in context.rows[network.table].items():
        if row["subgroup"] == ALL and row["outcome"] in network.endpoints:
            rows[row["trial_id"]][label] = row
    for name in context.trials:
        if name in rows:
            arms = context.arms[context.arms["trial_id"] == name]
            yield _Trial(name, dict(zip(arms["arm_id"], arms["regimen"], strict=True)), rows[name])


def _trial_evidence(trial: _Trial, network: Network, context: Context) -> _Taken:
    if context.trials[trial.id]["randomised"] != "yes":
        return _Taken(dict.fromkeys(trial.rows, NOT_RANDOMISED))
    if len(set(trial.regimens.values())) < 2:
        return _Taken(dict.fromkeys(trial.rows, ONE_REGIMEN))
    found = {
        label: context.excluded(trial.id, _arms_of(row), network.id, ALL)
        or inadmissible(row, context.selection)
        or _silent(row, trial.regimens)
        for label, row in trial.rows.items()
    }
    unusable = {label: reason for label, reason in found.items() if reason}
    several = {"endpoint": network.endpoints} if network.kind == "contrasts" else {}
    orders: Orders = {**several, **context.selection.orders[network.table]}
    taken, reasons = _best(trial, orders, TOGETHER[network.kind], unusable)
    if not taken:
        return _Taken(reasons)
    if network.kind == "contrasts":
        return _timed(trial, context, taken, reasons)
    return _counted(trial, network, taken, reasons)


def _arms_of(row: Record) -> tuple[str, ...]:
    if "arm_id" in row:
        return (str(row["arm_id"]),)
    return str(row["experimental_arm_id"]), str(row["control_arm_id"])


def _silent(row: Record, regimens: Mapping[str, str]) -> str | None:
    """Why a contrast does not inform a comparison of two nodes, or None."""
    if "arm_id" in row:
        return None
    if len({regimens[arm] for arm in _arms_of(row)}) < 2:
        return SAME_REGIMEN
    return NO_STANDARD_ERROR if np.isnan(row["vi"]) else None


# ----------------------------------------------------------------------------------------- counts


def _counted(
    trial: _Trial, network: Network, taken: Sequence[int], reasons: Mapping[int, str]
) -> _Taken:
    groups: dict[str, Records] = {}
    for label in taken:
        row = trial.rows[label]
        groups.setdefault(trial.regimens[row["arm_id"]], []).append(dict(row))
    used = [
        {
            "regimen": regimen,
            "against": "",
            "endpoint": "; ".join(network.labels),
            "covariance": COUNTS,
            **added_up(rows),
        }
        for regimen, rows in sorted(groups.items())
    ]
    events, n = ([record[column] for record in used] for column in ("events", "n"))
    if not informative(events, n, network.measure):
        return _Taken({**reasons, **dict.fromkeys(taken, NO_INFORMATION)})
    study = from_counts(trial.id, [r["regimen"] for r in used], events, n, network.measure)
    return _Taken(reasons, study, used)


# -------------------------------------------------------------------------------------- contrasts


def _timed(
    trial: _Trial, context: Context, taken: Sequence[int], reasons: Mapping[int, str]
) -> _Taken:
    rows = [trial.rows[label] for label in taken]
    named = {arm for row in rows for arm in _arms_of(row)}
    names = [arm for arm in trial.regimens if arm in named]
    study, covariance = _all_pairwise(trial, rows, names)
    kept: Sequence[Record] = rows
    if study is None:
        # Contrasts that connect all arms without a loop, taken in the order of the sheet.
        joined = DisjointSet(names)
        kept = [row for row in rows if joined.merge(*_arms_of(row))]
        study = _basic(trial, kept, names)
        left = [label for label, row in zip(taken, rows, strict=True) if row not in kept]
        reasons = {**reasons, **dict.fromkeys(left, FOLLOWS)}
        covariance = covariance if len(kept) > 1 else TWO_ARMS
    used = [_contrast_record(trial, row, covariance, context) for row in kept]
    return _Taken(reasons, study, used)


def _contrast_record(trial: _Trial, row: Record, covariance: str, context: Context) -> Record:
    experimental, control = _arms_of(row)
    # Patients are only counted here, not used as weights: the number randomised may replace them.
    n, n_against = (
        context.randomised[arm] if np.isnan(row[column]) else row[column]
        for column, arm in (("n_experimental", experimental), ("n_control", control))
    )
    return {
        **row,
        "regimen": trial.regimens[experimental],
        "against": trial.regimens[control],
        "arm_ids": experimental,
        "against_arm_ids": control,
        "n": n,
        "n_against": n_against,
        "analysis_cut": row["analysis"],
        "covariance": covariance,
        "rows": str(row["row"]),
        "note": row[PUBLIC],
    }


def _all_pairwise(
    trial: _Trial, rows: Sequence[Record], arms: Sequence[str]
) -> tuple[StudyContrasts | None, str]:
    """The trial from the contrasts of every pair of its arms, and how they are correlated."""
    if len(arms) < 3 or len(rows) < len(arms) * (len(arms) - 1) // 2:
        return None, SHARED_ARM
    experimental, control = zip(*(_arms_of(row) for row in rows), strict=True)
    try:
        study = from_pairwise(
            trial.id,
            [trial.regimens[arm] for arm in experimental],
            [trial.regimens[arm] for arm in control],
            [row["yi"] for row in rows],
            [float(np.sqrt(row["vi"])) for row in rows],
        )
    except ValueError:
        return None, f"{SHARED_ARM}; the pairwise hazard ratios contradict one another"
    return study, DERIVED


def _basic(trial: _Trial, rows: Sequence[Record], arms: Sequence[str]) -> StudyContrasts:
    """Contrasts of all arms against the first, from a spanning tree of reported ones.

    If the arms have equal variances, contrasts that share an arm have a correlation of +0.5 or
    -0.5, given by the product of their signed incidence rows; the reported variances are kept.
    """
    incidence = np.zeros((len(rows), len(arms)))
    for place, row in enumerate(rows):
        incidence[place, [arms.index(arm) for arm in _arms_of(row)]] = 1.0, -1.0
    spread = np.sqrt([row["vi"] for row in rows])
    covariance = (incidence @ incidence.T / 2) * np.outer(spread, spread)
    against_first = np.linalg.inv(incidence[:, 1:])
    return StudyContrasts(
        study=trial.id,
        treatments=tuple(trial.regimens[arm] for arm in arms),
        effects=against_first @ np.array([row["yi"] for row in rows]),
        covariance=against_first @ covariance @ against_first.T,
    )


# ------------------------------------------------------------------------------- choice of report


def _joined(pairs: Sequence[Pair], regimens: Mapping[str, str]) -> tuple[Pair, ...]:
    """The pairs within the largest connected group of arms, one arm per regimen."""
    names: dict[str, str] = {}
    for arm in regimens:
        if any(arm in pair for pair in pairs):
            names.setdefault(regimens[arm], arm)
    single = [pair for pair in pairs if all(names[regimens[arm]] == arm for arm in pair)]
    groups = DisjointSet(arm for pair in single for arm in pair)
    for pair in single:
        groups.merge(*pair)
    largest = max(groups.subsets(), key=len, default=set())
    return tuple(pair for pair in single if pair <= largest)


def _best(
    trial: _Trial, orders: Orders, together: Sequence[str], unusable: Mapping[int, str]
) -> tuple[tuple[int, ...], dict[int, str]]:
    """Rows of the report that joins most regimens, with ties by preference, and why not the others.

    A report covers arms, or pairs of arms.
    """
    units = {label: frozenset(_arms_of(row)) for label, row in trial.rows.items()}
    widths: dict[int, int] = {}
    covers: dict[tuple[Pair, ...], int] = {}
    for labels in alike(trial.rows, together):
        cover = tuple(dict.fromkeys(units[label] for label in labels if label not in unusable))
        if any(len(unit) > 1 for unit in cover):
            cover = _joined(cover, trial.regimens)
        width = len({trial.regimens[arm] for unit in cover for arm in unit})
        covers[cover] = width
        widths |= dict.fromkeys(labels, width)
    most = max(covers.values(), default=0)
    found = []
    for cover in (cover for cover, width in covers.items() if width == most > 1):
        wanted = [lambda row, unit=unit: frozenset(_arms_of(row)) == unit for unit in cover]
        choice = choose_among(trial.rows, wanted, orders, together, unusable)
        if choice.taken is not None:
            keys = [preference_key(trial.rows[label], orders) for label in choice.taken]
            found.append((keys, cover, choice))
    if not found:
        return (), {label: unusable.get(label, ONE_REPORTED) for label in trial.rows}
    _, cover, choice = min(found, key=lambda entry: entry[0])

    def why(label: int, reason: str) -> str:
        if widths[label] < most:
            return f"{WIDER} {most} regimens of the trial, this one fewer"
        return reason if units[label] in cover else APART

    reasons = {label: why(label, reason) for label, reason in choice.set_aside.items()}
    return choice.taken or (), reasons | {k: v for k, v in unusable.items() if k in reasons}
