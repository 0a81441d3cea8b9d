"""config/networks.yaml: networks of regimens, and analyses of synergy and surrogacy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from trial_evidence.config import forms
from trial_evidence.config.configuration import (
    Configuration,
    Measure,
    OfOutcomes,
    regimen_faults,
    several_counted,
)
from trial_evidence.config.forms import Fault, Form, Id, Number, Pair, Several, Some, Text
from trial_evidence.config.reading import LineOf, Place, nowhere, problem, read
from trial_evidence.measures import MEASURES, Kind
from trial_evidence.words.problems import Problem, did_you_mean

FILE = "networks.yaml"
# Partners are components of a regimen, like agents; these are the words used in the sheet.
PARTNERS = ("chemotherapy", "endocrine")
# Fields that name a network, and the kind of network that each requires.
_NAMED = {"network": "counts responses", "surrogate": "counts responses", "endpoint": "is timed"}


class Regimen(Form):
    agents: str
    schedule: Literal["concurrent", "sequential"]
    partner: Literal["chemotherapy", "endocrine", "none"]


NamedRegimen = Annotated[
    str, forms.written_as(Regimen, lambda r, _: f"{r.agents}|{r.schedule}|{r.partner}")
]


class Network(OfOutcomes):
    """A network of regimens for one outcome in one setting.

    Attributes
    ----------
    outcomes
        In order of preference.
    reference
        The regimen with which the others are compared: agents, schedule and partner joined by
        ``|``, as named by :func:`trial_evidence.extract.regimens.arm_regimens`.
    interactions
        Components (agents, partners) whose joint effect beyond their sum is estimated.
    alternatives
        Current regimens with which those of two or more agents are compared, written as
        ``reference``.
    transitivity
        What a reader should know about how similar the trials are; may be empty.
    least_indirect_share
        Indirect evidence with a smaller share of a comparison's weight is not interpreted.
    """

    measure: Measure
    reference: NamedRegimen
    interactions: Several[Pair[str]] = ()
    alternatives: Several[NamedRegimen] = ()
    transitivity: str = ""
    least_indirect_share: Annotated[Number, Field(ge=0, lt=1)] = 0.05

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().faults(sections)
        yield from several_counted(self, sections)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its single measure as a tuple, because an analysis has several."""
        return (self.measure,)

    @property
    def kind(self) -> Kind:
        """The kind of evidence from which its measure is computed."""
        return MEASURES[self.measure].kind


class Background(Form):
    """An assumed response rate with the partner alone, as a proportion, and its basis."""

    rate: Annotated[Number, Field(ge=0, lt=1)]
    basis: Text


class SynergyAnalysis(Form):
    """Synergy in trials that give two agents alone and together, within a network of counts."""

    network: Id
    setting: forms.Setting
    title: Text
    background: Annotated[tuple[Background, ...], Field(min_length=1)]


class SurrogacyAnalysis(Form):
    """Effects in one network (a response) versus those in another (a survival endpoint).

    ``correlations`` are the assumed within-trial correlations of the two estimates; the first is
    used for the main analysis.
    """

    id: Id
    setting: forms.Setting
    title: Text
    surrogate: Id
    endpoint: Id
    correlations: Some[Annotated[Number, Field(gt=-1, lt=1)]]


NodeName = Annotated[str, forms.shaped("^[^|]{1,20}$", "at most 20 characters, without |")]


class NetworkConfiguration(Form):
    """All of config/networks.yaml.

    The order of ``abbreviations`` is the order in which regimen names list them. ``own_nodes`` maps
    arms that differ from others with the same agents and partner to the word that makes them a
    separate node; ``mixed_arms`` maps arms without one regimen to the name of their node.
    """

    abbreviations: Mapping[str, Annotated[str, Field(min_length=1, max_length=8)]]
    own_nodes: Mapping[str, NodeName]
    networks: tuple[Network, ...]
    synergy: tuple[SynergyAnalysis, ...]
    surrogacy: tuple[SurrogacyAnalysis, ...]
    mixed_arms: Mapping[str, NodeName] = field(default_factory=dict)

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        short = [*self.abbreviations.values()]
        for at, (agent, text) in enumerate(self.abbreviations.items()):
            if text in short[:at]:
                yield ("abbreviations", agent), "is the abbreviation of two agents."
        for arm in self.mixed_arms:
            if arm in self.own_nodes:
                yield ("mixed_arms", arm), "is in own_nodes as well."
        for at, network in enumerate(self.networks):
            if network.measure not in sections.get("priors", [network.measure]):
                message = f'"{network.measure}" has no prior of tau in config.yaml (tau_priors).'
                yield ("networks", at, "measure"), message
        kinds = {(network.setting, network.id): network.kind for network in self.networks}
        for part, name in {"networks": "id", "synergy": "network", "surrogacy": "id"}.items():
            entries = getattr(self, part)
            keys = [(entry.setting, getattr(entry, name)) for entry in entries]
            for at, entry in enumerate(entries):
                if keys[at] in keys[:at]:
                    yield (part, at, name), "occurs twice."
                for column, wanted in _NAMED.items():
                    key = (entry.setting, getattr(entry, column, None))
                    if key[1] is not None and key not in kinds:
                        near = did_you_mean(key[1], [i for s, i in kinds if s == entry.setting])
                        message = f"is not a network of this file and setting.{near}"
                        yield (part, at, column), message
                    elif key in kinds and (kinds[key] == "counts") != (column != "endpoint"):
                        yield (part, at, column), f"must be a network that {wanted}."

    def of_setting(self, setting: str) -> tuple[Network, ...]:
        """Networks of one setting, in file order."""
        return tuple(network for network in self.networks if network.setting == setting)


def read_networks(folder: Path, configuration: Configuration, **known: Any) -> NetworkConfiguration:
    """Read ``networks.yaml``.

    It is checked against the configured settings, outcomes and priors, and against ``kinds`` of
    tables if these are in ``known``.

    Raises
    ------
    SheetError
        If the file is missing, is not valid YAML, has a value that is not allowed, or names a
        setting or network that does not exist. It lists all problems, each with the place and
        what is allowed.
    """
    known |= {"settings": configuration.settings, "outcomes": configuration.outcomes}
    known["priors"] = configuration.tau_priors
    return read(folder / FILE, NetworkConfiguration, **known)


def unknown_network_names(
    configuration: NetworkConfiguration,
    agents: Sequence[str],
    arms: Sequence[str],
    line: LineOf = nowhere,
) -> Iterator[Problem]:
    """Errors for names in networks.yaml that are not in the sheet.

    ``agents`` are those of ``agents.csv`` (partners are always known) and ``arms`` those of
    ``arms.csv``, which ``own_nodes`` and ``mixed_arms`` may name. ``line`` finds the line of a
    name.
    """
    known = {*agents, *PARTNERS}
    message = "is neither an agent of agents.csv nor a partner."
    for name in configuration.abbreviations:
        if name not in known:
            yield problem(FILE, "", "abbreviations", name, message, line(("abbreviations", name)))
    for key in ("own_nodes", "mixed_arms"):
        for arm in getattr(configuration, key):
            if arm not in arms:
                wrong = f"is not an arm_id of arms.csv.{did_you_mean(arm, arms)}"
                yield problem(FILE, "", key, arm, wrong, line((key, arm)))
    for at, network in enumerate(configuration.networks):
        own: Place = ("networks", at)
        named: list[tuple[Place, str]] = [((*own, "reference", "agents"), network.reference)]
        named += [
            ((*own, "alternatives", n, "agents"), of) for n, of in enumerate(network.alternatives)
        ]
        for place, regimen in named:
            for value, wrong in regimen_faults(regimen.partition("|")[0], agents):
                yield problem(FILE, network.id, str(place[2]), value, wrong, line(place))
        for n, pair in enumerate(network.interactions):
            for component in pair:
                if component not in known:
                    place = (*own, "interactions", n)
                    yield problem(FILE, network.id, "interactions", component, message, line(place))
