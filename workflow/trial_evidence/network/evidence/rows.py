"""What a network rests on: one report a trial, its arms as nodes, and the rows set aside."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.methods import Orders, Selection
from trial_evidence.config.networks import Network, NetworkConfiguration
from trial_evidence.extract.comparisons import NO_STANDARD_ERROR
from trial_evidence.extract.context import readers_differ, trial_label
from trial_evidence.extract.regimens import agent_labels, arm_regimens
from trial_evidence.extract.selection import (
    WHOLE,
    Choice,
    Record,
    by_label,
    choose,
    excluded,
    inadmissible,
    preference_key,
)
from trial_evidence.files import records
from trial_evidence.measures.effects import log_hazard_ratio
from trial_evidence.network.evidence.columns import SET_ASIDE_COLUMNS, USED_COLUMNS
from trial_evidence.network.evidence.contrasts import (
    CountMeasure,
    NetworkData,
    StudyContrasts,
    from_counts,
    from_pairwise,
    informative,
)
from trial_evidence.network.evidence.nodes import Node, nodes_of
from trial_evidence.sheet import Sheet

Pair = frozenset[str]
"""The two arms of a hazard ratio, whichever way it was printed."""

RESPONSE_TOGETHER = ("definition",)
HAZARD_TOGETHER = ("endpoint", "assessor", "analysis", "median_followup_months")

EVERY_ANALYSIS = "*"
NOT_RANDOMISED = "not randomised: nothing is compared within the trial"
ONE_REGIMEN = "all its arms have one regimen: no comparison between nodes"
ONE_REPORTED = "no two regimens of the trial have an admitted row of one report"
SAME_REGIMEN = "both arms have the same regimen"
FOLLOWS = "follows from the other hazard ratios of the trial"
APART = "not joined with the arms of the report taken"
NO_INFORMATION = "no event, or only events, in every arm: no information on a ratio"
# Arms of one variance: contrasts that share one are correlated by a half.
SHARED_ARM = "supposed: contrasts that share an arm are correlated by a half"
DERIVED = "derived from all pairwise hazard ratios"
COUNTS = "counts of the arms"
TWO_ARMS = "two arms"


@dataclass(frozen=True)
class NetworkEvidence:
    """The evidence of one network.

    Attributes
    ----------
    network : Network
    nodes : dict of Node
        By regimen, in alphabetical order; those of the trials used.
    labels : dict of str
        Short names of the agents.
    abbreviations : dict of str
        What codes call agents and partners, in their order.
    used : DataFrame
        Counts: one row a trial and node. Hazard ratios: one row a trial and contrast; ``yi`` and
        ``vi`` are the log hazard ratio of ``regimen`` against ``against`` and its variance.
        ``readers_differ`` says what two readers found where nobody has settled it, and
        ``exclusion_overridden`` why an arm that is a node of its own here is excluded elsewhere.
    set_aside : DataFrame
        One row for every row of the sheet that was looked at and not taken, with the reason.
    data : NetworkData or None
        The trials as contrasts of their nodes, on the analysis scale; None where there is none.
    trials : DataFrame
        The sheet's trials that are used, with ``label`` and ``year`` of the report.
    """

    network: Network
    nodes: Mapping[str, Node]
    labels: Mapping[str, str]
    abbreviations: Mapping[str, str]
    used: pd.DataFrame
    set_aside: pd.DataFrame
    data: NetworkData | None
    trials: pd.DataFrame


@dataclass(frozen=True)
class _Trial:
    """A trial: its row, its arms with their regimens, and its candidates among the rows."""

    row: Record
    arms: pd.DataFrame
    rows: pd.DataFrame

    @property
    def id(self) -> str:
        return str(self.row["trial_id"])

    @property
    def regimens(self) -> dict[str, str]:
        """Arm -> regimen."""
        return dict(zip(self.arms["arm_id"], self.arms["regimen"], strict=True))


@dataclass(frozen=True)
class _Taken:
    """What a trial gives to a network, or nothing, and why its other rows are left."""

    study: StudyContrasts | None
    used: tuple[dict[str, Any], ...]
    reasons: Mapping[int, str]


@dataclass(frozen=True)
class _Remarks:
    """What is said of a row used beside its numbers."""

    table: str
    nodes: Mapping[str, Node]
    differing: Mapping[tuple[str, int], str]
    overridden: Mapping[str, str]

    def on(self, record: Record) -> dict[str, str]:
        """Codes of its regimens, the readers' differences, an exclusion that does not hold."""
        rows = [(self.table, int(number)) for number in record["rows"].split(";")]
        arms = f"{record['arm_ids']};{record.get('against_arm_ids', '')}".split(";")
        against = record["against"]
        return {
            "code": self.nodes[record["regimen"]].code,
            "against_code": self.nodes[against].code if against else "",
            "readers_differ": "; ".join(self.differing[r] for r in rows if r in self.differing),
            "exclusion_overridden": "; ".join(
                self.overridden[arm] for arm in arms if arm in self.overridden
            ),
        }


def network_evidence(
    sheet: Sheet,
    configuration: Configuration,
    networks: NetworkConfiguration,
    network: Network,
) -> NetworkEvidence:
    """Make a network's evidence from the sheet.

    Randomised trials with two regimens or more enter whole: of each the report (definition of
    response; endpoint, assessor, analysis and follow-up) that joins most regimens, and among
    equals the one that the orders of preference of the configuration put first. Arms with the
    same regimen are added up where they are counted.

    Parameters
    ----------
    sheet : Sheet
    configuration : Configuration
        Admission and orders of preference.
    networks : NetworkConfiguration
        Abbreviations.
    network : Network

    Returns
    -------
    NetworkEvidence
    """
    trials = sheet["trials"]
    trials = trials[trials["setting"] == network.setting]
    arms = _with_own_nodes(arm_regimens(sheet["arms"]), networks.own_nodes)
    exclusions = sheet["exclusions"]
    # What such an arm is not, it need not be: an exclusion from everything is about the regimen it
    # resembles. One that names the network means the network.
    about_others = exclusions["arm_id"].isin(list(networks.own_nodes)) & (
        exclusions["analysis"] == EVERY_ANALYSIS
    )
    overridden = {row["arm_id"]: row["reason"] for row in records(exclusions[about_others])}
    exclusions = exclusions[~about_others]
    table = "pcr" if network.is_pcr else "hazard_ratios"
    rows = _candidates(sheet, network, set(trials["trial_id"]))
    labels = agent_labels(sheet["agents"])
    nodes = nodes_of(arms["regimen"], labels, networks.abbreviations)
    remarks = _Remarks(table, nodes, readers_differ(sheet), overridden)
    years = dict(zip(sheet["sources"]["source_id"], sheet["sources"]["year"], strict=True))
    used: list[dict[str, Any]] = []
    aside: list[dict[str, Any]] = []
    studies: list[StudyContrasts] = []
    for row in records(trials.assign(label=trials["name"].map(trial_label))):
        trial = _Trial(
            row,
            arms[arms["trial_id"] == row["trial_id"]],
            rows[rows["trial_id"] == row["trial_id"]],
        )
        if trial.rows.empty:
            continue
        taken = _trial_evidence(trial, network, configuration.selection, exclusions)
        shared = {
            "setting": network.setting,
            "network": network.id,
            "trial_id": trial.id,
            "trial": row["label"],
        }
        if taken.study is not None:
            studies.append(taken.study)
            year = years.get(str(taken.used[0]["source_id"]).partition("; ")[0], np.nan)
            used += [shared | {"year": year} | remarks.on(record) | record for record in taken.used]
        held = by_label(trial.rows)
        aside += [
            shared | _aside(table, held[label], reason)
            for label, reason in sorted(taken.reasons.items())
        ]
    frame = pd.DataFrame(used, columns=USED_COLUMNS)
    regimens = {str(r) for column in ("regimen", "against") for r in frame[column] if r}
    kept = trials[trials["trial_id"].isin(frame["trial_id"])]
    by_trial = frame.drop_duplicates("trial_id").set_index("trial_id")
    return NetworkEvidence(
        network=network,
        nodes={name: node for name, node in nodes.items() if name in regimens},
        labels=labels,
        abbreviations=networks.abbreviations,
        used=frame,
        set_aside=pd.DataFrame(aside, columns=SET_ASIDE_COLUMNS),
        data=NetworkData(tuple(studies)) if studies else None,
        trials=kept.assign(
            label=kept["name"].map(trial_label), year=kept["trial_id"].map(by_trial["year"])
        ).reset_index(drop=True),
    )


def _with_own_nodes(arms: pd.DataFrame, own_nodes: Mapping[str, str]) -> pd.DataFrame:
    return arms.assign(
        regimen=[
            f"{regimen}|{own_nodes[arm]}" if arm in own_nodes else regimen
            for arm, regimen in zip(arms["arm_id"], arms["regimen"], strict=True)
        ]
    )


def _candidates(sheet: Sheet, network: Network, trial_ids: set[str]) -> pd.DataFrame:
    rows = sheet["pcr" if network.is_pcr else "hazard_ratios"]
    rows = rows[rows["trial_id"].isin(trial_ids) & (rows["subgroup"] == WHOLE)]
    if network.is_pcr:
        return rows.reset_index(drop=True)
    rows = rows[rows["endpoint"].isin(network.endpoints)].reset_index(drop=True)
    effects = log_hazard_ratio(
        *(
            rows[column]
            for column in ("hr", "ci_low", "ci_high", "ci_level", "p_value", "p_value_operator",
                           "p_sided", "events_experimental", "events_control")
        )
    )  # fmt: skip
    return rows.assign(yi=effects["yi"], vi=effects["vi"], se_source=effects["se_source"])


def _trial_evidence(
    trial: _Trial, network: Network, selection: Selection, exclusions: pd.DataFrame
) -> _Taken:
    if trial.row["randomised"] != "yes":
        return _Taken(None, (), dict.fromkeys(by_label(trial.rows), NOT_RANDOMISED))
    if trial.arms["regimen"].nunique() < 2:
        return _Taken(None, (), dict.fromkeys(by_label(trial.rows), ONE_REGIMEN))
    unusable: dict[int, str] = {}
    for label, row in by_label(trial.rows).items():
        arms = _arms_of(row)
        reason = (
            excluded(exclusions, trial.id, arms, network.id, WHOLE)
            or inadmissible(row, selection)
            or _silent(row, trial.regimens)
        )
        if reason:
            unusable[label] = reason
    if network.measure == "hazard_ratio":
        return _timed(trial, network, selection, unusable)
    return _counted(trial, network.measure, selection, unusable)


def _arms_of(row: Record) -> tuple[str, ...]:
    if "arm_id" in row:
        return (str(row["arm_id"]),)
    return str(row["experimental_arm_id"]), str(row["control_arm_id"])


def _silent(row: Record, regimens: Mapping[str, str]) -> str | None:
    """Why a hazard ratio says nothing of two nodes, or None."""
    if "arm_id" in row:
        return None
    if len({regimens[arm] for arm in _arms_of(row)}) < 2:
        return SAME_REGIMEN
    return NO_STANDARD_ERROR if np.isnan(row["vi"]) else None


# ------------------------------------------------------------------------------------- responses


def _counted(
    trial: _Trial, measure: CountMeasure, selection: Selection, unusable: Mapping[int, str]
) -> _Taken:
    regimens = trial.regimens
    taken, reasons = _best(trial, selection.pcr, RESPONSE_TOGETHER, unusable)
    if not taken:
        return _Taken(None, (), reasons)
    rows = trial.rows.loc[list(taken)]
    rows = rows.assign(regimen=rows["arm_id"].map(regimens))
    used: list[dict[str, Any]] = []
    for regimen, group in rows.groupby("regimen", sort=True):
        used.append(
            {
                "regimen": regimen,
                "against": "",
                "arm_ids": ";".join(group["arm_id"]),
                "events": group["events"].sum(),
                "n": group["n"].sum(),
                "endpoint": "pCR",
                "covariance": COUNTS,
                "rows": ";".join(group["row"].astype(str)),
                **{c: "; ".join(dict.fromkeys(group[c]))
                   for c in ("definition", "population", "assessor", "verification",
                             "derivation", "source_id", "locator", "note")},
            }
        )  # fmt: skip
    events = [record["events"] for record in used]
    n = [record["n"] for record in used]
    if not informative(events, n, measure):
        return _Taken(None, (), reasons | dict.fromkeys(taken, NO_INFORMATION))
    study = from_counts(trial.id, [r["regimen"] for r in used], events, n, measure)
    return _Taken(study, tuple(used), reasons)


# ---------------------------------------------------------------------------------- hazard ratios


def _timed(
    trial: _Trial, network: Network, selection: Selection, unusable: Mapping[int, str]
) -> _Taken:
    orders = {"endpoint": network.endpoints, **selection.hazard_ratio}
    taken, reasons = _best(trial, orders, HAZARD_TOGETHER, unusable)
    if not taken:
        return _Taken(None, (), reasons)
    rows = [by_label(trial.rows)[label] for label in taken]
    names = sorted({arm for row in rows for arm in _arms_of(row)}, key=_order(trial.arms))
    study, covariance = _all_pairwise(trial, rows, names)
    kept: Sequence[Record] = rows
    if study is None:
        kept = _tree(rows, names)
        study = _basic(trial, kept, names)
        left = [label for label, row in zip(taken, rows, strict=True) if row not in kept]
        reasons = reasons | dict.fromkeys(left, FOLLOWS)
        covariance = covariance if len(kept) > 1 else TWO_ARMS
    sizes = dict(zip(trial.arms["arm_id"], trial.arms["n_randomised"], strict=True))
    return _Taken(
        study,
        tuple(_hazard_record(trial, row, sizes) | {"covariance": covariance} for row in kept),
        reasons,
    )


def _hazard_record(trial: _Trial, row: Record, sizes: Mapping[str, float]) -> dict[str, Any]:
    experimental, control = _arms_of(row)
    counted = {
        key: row[column] if not np.isnan(row[column]) else sizes[arm]
        for key, column, arm in (
            ("n", "n_experimental", experimental),
            ("n_against", "n_control", control),
        )
    }
    return {
        "regimen": trial.regimens[experimental],
        "against": trial.regimens[control],
        "arm_ids": experimental,
        "against_arm_ids": control,
        **counted,
        "analysis_cut": row["analysis"],
        "rows": str(row["row"]),
        **{c: row[c] for c in ("hr", "ci_low", "ci_high", "ci_level", "p_value", "yi", "vi",
                               "se_source", "endpoint", "median_followup_months", "assessor",
                               "verification", "derivation", "source_id", "locator", "note")},
    }  # fmt: skip


def _order(arms: pd.DataFrame) -> Callable[[str], int]:
    places = {arm: place for place, arm in enumerate(arms["arm_id"])}
    return lambda arm: places[arm]


def _all_pairwise(
    trial: _Trial, rows: Sequence[Record], arms: Sequence[str]
) -> tuple[StudyContrasts | None, str]:
    """The trial from the hazard ratios of every two of its arms, and how they are correlated."""
    if len(arms) < 3 or len(rows) < len(arms) * (len(arms) - 1) // 2:
        return None, SHARED_ARM
    regimens = trial.regimens
    pairs = [_arms_of(row) for row in rows]
    try:
        study = from_pairwise(
            trial.id,
            [regimens[experimental] for experimental, _ in pairs],
            [regimens[control] for _, control in pairs],
            [row["yi"] for row in rows],
            [float(np.sqrt(row["vi"])) for row in rows],
        )
    except ValueError:
        return None, f"{SHARED_ARM}; the pairwise hazard ratios contradict one another"
    return study, DERIVED


def _tree(rows: Sequence[Record], arms: Sequence[str]) -> Sequence[Record]:
    """Hazard ratios that join all arms without a loop, the first ones of the sheet."""
    group = {arm: arm for arm in arms}
    kept: list[Record] = []
    for row in rows:
        one, other = (group[arm] for arm in _arms_of(row))
        if one != other:
            kept.append(row)
            group = {arm: one if g == other else g for arm, g in group.items()}
    return kept


def _basic(trial: _Trial, rows: Sequence[Record], arms: Sequence[str]) -> StudyContrasts:
    """Contrasts of all arms against the first from a tree of reported ones.

    With arms of one variance, contrasts that share an arm are correlated by +0.5 or -0.5, as the
    product of their signed incidence rows says; the variances stay those reported.
    """
    incidence = np.zeros((len(rows), len(arms)))
    for place, row in enumerate(rows):
        experimental, control = _arms_of(row)
        incidence[place, arms.index(experimental)] = 1.0
        incidence[place, arms.index(control)] = -1.0
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


@dataclass(frozen=True)
class _Report:
    """Rows of a trial that belong together: what they cover, and how many regimens they join."""

    labels: frozenset[int]
    cover: tuple[Pair, ...]
    width: int


def _reports(
    trial: _Trial, together: Sequence[str], unusable: Mapping[int, str]
) -> Iterator[_Report]:
    """The reports of a trial; a unit is an arm, or the two arms of a hazard ratio."""
    for _, group in trial.rows.groupby(list(together), sort=False, dropna=False):
        usable = group[~group.index.isin(list(unusable))]
        units = list(dict.fromkeys(frozenset(_arms_of(row)) for row in records(usable)))
        cover = tuple(_joined(units, trial.regimens) if "control_arm_id" in usable else units)
        width = len({trial.regimens[arm] for unit in cover for arm in unit})
        yield _Report(frozenset(int(label) for label in group.index), cover, width)


def _joined(pairs: Sequence[Pair], regimens: Mapping[str, str]) -> Iterator[Pair]:
    """The pairs of the largest group of arms that hang together, one arm a regimen."""
    names: dict[str, str] = {}
    for arm in regimens:
        if any(arm in pair for pair in pairs):
            names.setdefault(regimens[arm], arm)
    single = [pair for pair in pairs if all(names[regimens[arm]] == arm for arm in pair)]
    groups: list[set[str]] = []
    for pair in single:
        touching = [group for group in groups if group & pair]
        groups = [g for g in groups if g not in touching] + [set(pair).union(*touching)]
    largest = max(groups, key=len, default=set())
    yield from (pair for pair in single if pair <= largest)


def _best(
    trial: _Trial, orders: Orders, together: Sequence[str], unusable: Mapping[int, str]
) -> tuple[tuple[int, ...], dict[int, str]]:
    """Rows of the report that joins most regimens, preferred ones among equals; why not others."""
    held = by_label(trial.rows)
    reports = list(_reports(trial, together, unusable))
    most = max((report.width for report in reports), default=0)
    found: list[tuple[list[tuple[float, ...]], tuple[Pair, ...], Choice]] = []
    for cover in dict.fromkeys(r.cover for r in reports if r.width == most > 1):
        choice = choose(trial.rows, [_holds(u) for u in cover], orders, together, unusable)
        if choice.taken is not None:
            keys = [preference_key(held[label], orders) for label in choice.taken]
            found.append((keys, cover, choice))
    if not found:
        return (), {label: unusable.get(label, ONE_REPORTED) for label in held}
    _, cover, choice = min(found, key=lambda entry: entry[0])
    widths = {label: report.width for report in reports for label in report.labels}
    reasons = {}
    for label, reason in choice.set_aside.items():
        if label in unusable:
            reasons[label] = unusable[label]
        elif widths[label] < most:
            reasons[label] = f"another report joins {most} regimens of the trial, this one fewer"
        elif frozenset(_arms_of(held[label])) not in cover:
            reasons[label] = APART
        else:
            reasons[label] = reason
    return choice.taken or (), reasons


def _holds(unit: Pair) -> Callable[[Record], bool]:
    return lambda row: frozenset(_arms_of(row)) == unit


def _aside(table: str, row: Record, reason: str) -> dict[str, Any]:
    if table == "pcr":
        arms, what = row["arm_id"], f"{row['definition']}, {row['population']}"
    else:
        arms = f"{row['experimental_arm_id']} v {row['control_arm_id']}"
        what = f"{row['endpoint']}, {row['analysis']}, {row['assessor']}"
    return {
        "table": table,
        "row": row["row"],
        "arms": arms,
        "what": what,
        "verification": row["verification"],
        "source_id": row["source_id"],
        "reason": reason,
    }
