"""The networks of regimens, their synergy and surrogacy analyses, read from config/ and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trial_evidence.config.configuration import (
    Configuration,
    OfOutcomes,
    Outcome,
    outcome_faults,
    outcomes_of,
    problem,
    read_yaml,
    regimen_faults,
)
from trial_evidence.config.yaml_files import line_of
from trial_evidence.measures import MEASURES, Kind
from trial_evidence.words.problems import Problem, SheetError, did_you_mean

NetworkMeasure = Literal["odds_ratio", "risk_ratio", "risk_difference", "hazard_ratio"]
FILE = "networks.yaml"
# Partners are components of a regimen as the agents are; the words are those of the sheet.
PARTNERS = ("chemotherapy", "endocrine")


@dataclass(frozen=True)
class Network(OfOutcomes):
    """A network of regimens for one outcome in one setting.

    Attributes
    ----------
    id, setting, title : str
    outcomes : tuple of Outcome
        In order of preference.
    measure : str
        Effect measure.
    reference : str
        The regimen that others are shown against: agents, schedule and partner joined by ``|``,
        as :func:`trial_evidence.extract.regimens.arm_regimens` names regimens.
    interactions : tuple of pairs of str
        Components (agents, partners) whose joint effect beyond their sum is estimated.
    """

    id: str
    setting: str
    title: str
    outcomes: tuple[Outcome, ...]
    measure: NetworkMeasure
    reference: str
    interactions: tuple[tuple[str, str], ...] = ()

    @property
    def small_is_good(self) -> bool:
        """To be replaced by ``fewer_is_better``."""
        return self.fewer_is_better

    @property
    def measures(self) -> tuple[NetworkMeasure, ...]:
        """Its only measure, where an analysis has several."""
        return (self.measure,)

    @property
    def kind(self) -> Kind:
        """The kind of evidence that its measure is made from."""
        return MEASURES[self.measure].kind


@dataclass(frozen=True)
class Background:
    """A response rate supposed of the partner alone, as a proportion, and on what basis."""

    rate: float
    basis: str


@dataclass(frozen=True)
class SynergyAnalysis:
    """Trials with two agents alone and together, within a network of counts."""

    network: str
    setting: str
    title: str
    background: tuple[Background, ...]


@dataclass(frozen=True)
class SurrogacyAnalysis:
    """The effect in one network (a response) against that in another (a survival endpoint).

    ``correlations`` are the within-trial correlations supposed of the two estimates; the first
    is the main one.
    """

    id: str
    setting: str
    title: str
    surrogate: str
    endpoint: str
    correlations: tuple[float, ...]


@dataclass(frozen=True)
class NetworkConfiguration:
    """All of config/networks.yaml.

    ``abbreviations`` stand in the order in which names list them. ``own_nodes`` gives arms that
    are no mere instance of their agents and partner the word that makes them nodes of their own.
    """

    abbreviations: Mapping[str, str]
    own_nodes: Mapping[str, str]
    networks: tuple[Network, ...]
    synergy: tuple[SynergyAnalysis, ...]
    surrogacy: tuple[SurrogacyAnalysis, ...]

    def of_setting(self, setting: str) -> tuple[Network, ...]:
        """Networks of one setting, in the order of the file."""
        return tuple(network for network in self.networks if network.setting == setting)


def read_networks(folder: Path, configuration: Configuration) -> NetworkConfiguration:
    """Read and check ``networks.yaml``.

    Parameters
    ----------
    folder : Path
        The folder with the file.
    configuration : Configuration
        Names the settings and outcomes that there are.

    Returns
    -------
    NetworkConfiguration

    Raises
    ------
    SheetError
        When the file is missing, is no YAML, breaks its schema, or names a setting or a network
        that there is not; the problems name the place and what is allowed, all at once.
    """
    content, problems = read_yaml(folder / FILE, "networks.schema.yaml")
    if not problems:
        problems = list(_cross_problems(content, configuration))
    if problems:
        raise SheetError(tuple(problems))
    return NetworkConfiguration(
        abbreviations=dict(content["abbreviations"]),
        own_nodes=dict(content["own_nodes"]),
        networks=tuple(
            Network(
                id=entry["id"],
                setting=entry["setting"],
                title=entry["title"],
                outcomes=outcomes_of(entry, configuration.outcomes),
                measure=entry["measure"],
                reference="|".join(
                    entry["reference"][k] for k in ("agents", "schedule", "partner")
                ),
                interactions=tuple((a, b) for a, b in entry.get("interactions", ())),
            )
            for entry in content["networks"]
        ),
        synergy=tuple(
            SynergyAnalysis(
                network=entry["network"],
                setting=entry["setting"],
                title=entry["title"],
                background=tuple(
                    Background(float(b["rate"]), b["basis"]) for b in entry["background"]
                ),
            )
            for entry in content["synergy"]
        ),
        surrogacy=tuple(
            SurrogacyAnalysis(
                id=entry["id"],
                setting=entry["setting"],
                title=entry["title"],
                surrogate=entry["surrogate"],
                endpoint=entry["endpoint"],
                correlations=tuple(float(value) for value in entry["correlations"]),
            )
            for entry in content["surrogacy"]
        ),
    )


def unknown_network_names(
    configuration: NetworkConfiguration, agents: Sequence[str], arms: Sequence[str]
) -> tuple[Problem, ...]:
    """Problems for names in networks.yaml that the sheet does not know.

    Parameters
    ----------
    configuration : NetworkConfiguration
    agents : sequence of str
        Agents of ``agents.csv``; partners are known besides.
    arms : sequence of str
        Arms of ``arms.csv``: a node of its own has to be one.
    """
    known = {*agents, *PARTNERS}
    message = "is neither an agent of agents.csv nor a partner."
    found = [
        problem(FILE, "", "abbreviations", name, message)
        for name in configuration.abbreviations
        if name not in known
    ]
    found += [
        problem(
            FILE, "", "own_nodes", arm,
            f"is not an arm_id of arms.csv.{did_you_mean(arm, arms)}",
        )
        for arm in configuration.own_nodes
        if arm not in arms
    ]  # fmt: skip
    for network in configuration.networks:
        regimen = network.reference.partition("|")[0]
        found += [
            problem(FILE, network.id, "reference", value, fault)
            for value, fault in regimen_faults(regimen, agents)
        ]
        found += [
            problem(FILE, network.id, "interactions", component, message)
            for pair in network.interactions
            for component in pair
            if component not in known
        ]
    return tuple(found)


def _cross_problems(content: Mapping[str, Any], configuration: Configuration) -> Iterator[Problem]:
    settings = tuple(configuration.settings)
    tables = {outcome.name: outcome.table for outcome in configuration.outcomes.values()}
    short: set[str] = set()
    for agent, text in content["abbreviations"].items():
        if text in short:
            line = line_of(content, ["abbreviations", agent])
            yield problem(FILE, agent, "abbreviations", text, "stands for two agents.", line)
        short.add(text)
    entries = {"networks": "id", "synergy": "network", "surrogacy": "id"}
    for section, name in entries.items():
        seen: set[tuple[str, str]] = set()
        for entry in content[section]:
            key = (entry["setting"], entry[name])
            if entry["setting"] not in settings:
                yield problem(
                    FILE, entry[name], "setting", entry["setting"],
                    f"is not allowed. Allowed: {', '.join(settings)}."
                    f"{did_you_mean(entry['setting'], settings)}", line_of(entry, ["setting"]),
                )  # fmt: skip
            if key in seen:
                line = line_of(entry, [name])
                yield problem(FILE, entry[name], name, entry[name], "stands twice.", line)
            seen.add(key)
    measures = {(e["setting"], e["id"]): e["measure"] for e in content["networks"]}
    for entry in content["networks"]:
        for place, value, message in outcome_faults(entry, tables):
            yield problem(FILE, entry["id"], place, value, message, line_of(entry, [place]))
    wanted = [(e["network"], e, "network", True) for e in content["synergy"]]
    for entry in content["surrogacy"]:
        wanted += [(entry["surrogate"], entry, "surrogate", True)]
        wanted += [(entry["endpoint"], entry, "endpoint", False)]
    for name, entry, column, counted in wanted:
        subject = entry.get("id", entry.get("network", ""))
        measure = measures.get((entry["setting"], name))
        if measure is None:
            known = [network for setting, network in measures if setting == entry["setting"]]
            message = f"is not a network of this file and setting.{did_you_mean(name, known)}"
            yield problem(FILE, subject, column, name, message, line_of(entry, [column]))
        elif counted == (MEASURES[measure].kind != "counts"):
            kind = "counts responses" if counted else "is timed"
            message = f"has to be a network that {kind}."
            yield problem(FILE, subject, column, name, message, line_of(entry, [column]))
