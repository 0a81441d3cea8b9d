"""config/networks.yaml: the networks of regimens, their synergy and surrogacy analyses."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from trial_evidence.config import forms
from trial_evidence.config.configuration import Configuration, Measure, OfOutcomes, regimen_faults
from trial_evidence.config.forms import Fault, Form, Id, Number, Pair, Several, Some, Text
from trial_evidence.config.reading import NOWHERE, LineOf, Place, problem, read
from trial_evidence.measures import MEASURES, Kind
from trial_evidence.words.problems import Problem, did_you_mean

FILE = "networks.yaml"
# Partners are components of a regimen as the agents are; the words are those of the sheet.
PARTNERS = ("chemotherapy", "endocrine")
# Where a network is named, and what it has to be.
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
        The regimen that others are shown against: agents, schedule and partner joined by ``|``,
        as :func:`trial_evidence.extract.regimens.arm_regimens` names regimens.
    interactions
        Components (agents, partners) whose joint effect beyond their sum is estimated.
    alternatives
        Regimens of today that those of two agents or more are set against, as ``reference``.
    transitivity
        What a reader should know of how alike the trials are; empty where nobody has written it.
    least_indirect_share
        Indirect evidence with a smaller share of the weight of a comparison is not read.
    """

    measure: Measure
    reference: NamedRegimen
    interactions: Several[Pair[str]] = ()
    alternatives: Several[NamedRegimen] = ()
    transitivity: str = ""
    least_indirect_share: Annotated[Number, Field(ge=0, lt=1)] = 0.05

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its only measure, where an analysis has several."""
        return (self.measure,)

    @property
    def kind(self) -> Kind:
        """The kind of evidence that its measure is made from."""
        return MEASURES[self.measure].kind


class Background(Form):
    """An assumed response rate with the partner alone, as a proportion, and its basis."""

    rate: Annotated[Number, Field(ge=0, lt=1)]
    basis: Text


class SynergyAnalysis(Form):
    """Trials with two agents alone and together, within a network of counts."""

    network: Id
    setting: forms.Setting
    title: Text
    background: Annotated[tuple[Background, ...], Field(min_length=1)]


class SurrogacyAnalysis(Form):
    """The effect in one network (a response) against that in another (a survival endpoint).

    ``correlations`` are the within-trial correlations supposed of the two estimates; the first
    is the main one.
    """

    id: Id
    setting: forms.Setting
    title: Text
    surrogate: Id
    endpoint: Id
    correlations: Some[Annotated[Number, Field(gt=-1, lt=1)]]


class NetworkConfiguration(Form):
    """All of config/networks.yaml.

    ``abbreviations`` stand in the order in which names list them. ``own_nodes`` gives arms that
    are no mere instance of their agents and partner the word that makes them nodes of their own.
    """

    abbreviations: Mapping[str, Annotated[str, Field(min_length=1, max_length=8)]]
    own_nodes: Mapping[
        str, Annotated[str, forms.shaped("^[^|]{1,20}$", "at most 20 characters, without |")]
    ]
    networks: tuple[Network, ...]
    synergy: tuple[SynergyAnalysis, ...]
    surrogacy: tuple[SurrogacyAnalysis, ...]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        short = [*self.abbreviations.values()]
        for at, (agent, text) in enumerate(self.abbreviations.items()):
            if text in short[:at]:
                yield ("abbreviations", agent), "is the abbreviation of two agents."
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
        """Networks of one setting, in the order of the file."""
        return tuple(network for network in self.networks if network.setting == setting)


def read_networks(folder: Path, configuration: Configuration, **known: Any) -> NetworkConfiguration:
    """Read ``networks.yaml``.

    It is held against the settings and outcomes that there are, and ``known`` ``kinds`` of tables.

    Raises
    ------
    SheetError
        When the file is missing, is no YAML, says what it may not, or names a setting or a network
        that there is not; the problems name the place and what is allowed, all at once.
    """
    known |= {"settings": configuration.settings, "outcomes": configuration.outcomes}
    known["priors"] = configuration.tau_priors
    return read(folder / FILE, NetworkConfiguration, **known)


def unknown_network_names(
    configuration: NetworkConfiguration,
    agents: Sequence[str],
    arms: Sequence[str],
    line: LineOf = NOWHERE,
) -> Iterator[Problem]:
    """Problems for names in networks.yaml that the sheet does not know.

    ``agents`` are those of ``agents.csv`` (partners are known too), ``arms`` those of ``arms.csv``:
    a node of its own has to be one. ``line`` says where a name stands.
    """
    known = {*agents, *PARTNERS}
    message = "is neither an agent of agents.csv nor a partner."
    for name in configuration.abbreviations:
        if name not in known:
            yield problem(FILE, "", "abbreviations", name, message, line(("abbreviations", name)))
    for arm in configuration.own_nodes:
        if arm not in arms:
            wrong = f"is not an arm_id of arms.csv.{did_you_mean(arm, arms)}"
            yield problem(FILE, "", "own_nodes", arm, wrong, line(("own_nodes", arm)))
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
