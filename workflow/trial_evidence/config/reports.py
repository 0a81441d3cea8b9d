"""config/report.yaml: how claims, certainty and effects are judged, and what the report shows."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field

from trial_evidence.config import forms
from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.config.forms import Fault, Form, Id, Number, Several, Some, Text, Whole
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reading import not_allowed, read
from trial_evidence.measures import MEASURES
from trial_evidence.words.models import MODEL_NAMES
from trial_evidence.words.problems import Problem, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

FILE = "report.yaml"
# Network tables that a claim may read, and the columns of each that it may name.
CLAIM_TABLES = {
    "interactions": (
        "first", "second", "trials_with", "trials_against_part", "estimate", "ci_low", "ci_high",
        "posterior_median", "posterior_low", "posterior_high",
    ),
    "synergy": (
        "scale", "background", "agents", "kind", "trial", "model", "k", "estimate", "ci_low",
        "ci_high",
    ),
}  # fmt: skip
# The words of their columns that a claim may ask for.
CLAIM_WORDS = {
    "scale": ("risk_additive", "bliss", "multiplicative", "log_odds", "better_single"),
    "kind": ("trial", "pooled"),
}
# In a claim on a table, this stands for the random-effects model chosen in config.yaml.
RANDOM_EFFECTS = "random_effects"
ABSOLUTE_SCALES = ("odds_ratio", "risk_difference", "risk_ratio")
Direction = Literal["above", "below"]
Share = Annotated[Number, Field(gt=0, le=1)]
Percent = Annotated[Number, Field(gt=0, le=100)]


def _rising(risks: tuple[float, ...]) -> tuple[float, ...]:
    if list(risks) != sorted(risks):
        raise forms.custom_error("Risks must be in order from the lowest to the highest.")
    return risks


Risks = Annotated[
    Some[Annotated[Number, Field(gt=0, lt=1)]],
    Field(min_length=3, max_length=3),
    AfterValidator(_rising),
]


# Domains in which certainty is judged: for a pooled result (GRADE), for a network (CINeMA).
DOMAINS = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
NETWORK_DOMAINS = (
    "within_study_bias", "reporting_bias", "indirectness", "imprecision", "heterogeneity",
    "incoherence",
)  # fmt: skip


class CertaintyRules(Form):
    """Thresholds at which a certainty domain is proposed as serious or very serious.

    Attributes
    ----------
    high_risk_share, very_high_risk_share
        Share of the weight carried by trials at high risk of bias.
    concerns_share
        Share of the weight carried by trials with some concerns, at high risk or not judged.
    i2, very_high_i2
        I2 in percent.
    small_study_trials
        With fewer trials, small-study effects are not tested.
    small_study_p
        A p value below this suggests small-study effects.
    """

    high_risk_share: Share
    very_high_risk_share: Share
    concerns_share: Share
    i2: Percent
    very_high_i2: Percent
    small_study_trials: Annotated[Whole, Field(ge=3)]
    small_study_p: Annotated[Number, Field(gt=0, lt=1)]


class OfAnalysis(Form):
    """Base of entries that refer to one analysis."""

    setting: str
    analysis: str

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if "analyses" not in sections:
            return
        name = f"{self.setting}/{self.analysis}"
        if found := sections["analyses"].get(name):
            yield from self.misfits(found)
        else:
            near = did_you_mean(name, sections["analyses"])
            yield ("analysis",), f'"{name}" is not an analysis of analyses.yaml.{near}'

    def misfits(self, analysis: Analysis) -> Iterator[Fault]:
        """Errors: settings that do not suit the analysis."""
        if analysis.pool != "overall":
            message = "is not pooled over all its trials, so it has no overall effect."
            yield ("analysis",), f'"{self.setting}/{self.analysis}" {message}'


class MilestoneRules(Form):
    """Which published event-free proportion of an arm may be used for a given time.

    Attributes
    ----------
    tolerance
        How far its time may differ from the given time, as a fraction of that time.
    inferred_time
        Words in the note of a reconstructed row which mean that its time was inferred; such rows
        are left out.
    population
        Analysis populations, in order of preference.
    """

    tolerance: Annotated[Number, Field(ge=0, lt=0.5)]
    inferred_time: Several[Text]
    population: Some[Text]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        known = sections.get("populations") or self.population
        for at, word in enumerate(self.population):
            if word not in known:
                yield ("population", at), f"is not allowed.{forms.among(known, word)}"


class ControlRisk(OfAnalysis):
    """Source of the control risks (without the second agent) for an analysis's absolute effects.

    Attributes
    ----------
    source
        ``control_arms``: quartiles of the pooled control arms; ``control_median``: one half, at the
        control arms' own median time; ``milestones``: events in the control arms by given times;
        ``stated``: the risks given here.
    risks
        Low, moderate, high; only if the source is ``stated``.
    basis
        Where stated risks come from and the time they refer to, in words for the reader.
    months
        The times; only if the source is ``milestones``, as are the next two.
    subgroups
        Subgroups of patients, as written in the sheet, for which risks are shown as well.
    trials
        Trials whose control arms are used; default: all that are pooled.
    """

    source: Literal["control_arms", "control_median", "milestones", "stated"]
    risks: Annotated[tuple[float, ...], forms.written_as(Risks, lambda risks, _: risks)] = ()
    basis: str = ""
    months: Several[Annotated[Number, Field(gt=0)]] = ()
    subgroups: Several[Annotated[str, forms.shaped("^[a-z0-9_]+=.+$", "factor=level")]] = ()
    trials: Several[Id] = ()

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        for source, needed, allowed in (
            ("stated", ("risks", "basis"), ()),
            ("milestones", ("months",), ("subgroups", "trials")),
        ):
            mine = self.source == source
            missing = [name for name in needed if mine and not getattr(self, name)]
            strange = [n for n in (*needed, *allowed) if not mine and getattr(self, n)]
            for name in (missing + strange)[:1]:
                message = "is missing." if mine else f'is allowed only where source is "{source}".'
                yield (name,), f'"{name}" {message}'
                return
        yield from super().faults(sections)

    def misfits(self, analysis: Analysis) -> Iterator[Fault]:
        yield from super().misfits(analysis)
        fit = ("control_arms",) if analysis.kind == "counts" else ("milestones", "control_median")
        if self.source not in (*fit, "stated"):
            message = f"does not fit the outcome of the analysis. Write {', '.join(fit)} or stated."
            yield ("source",), message


class EffectRule(OfAnalysis):
    """Is there a benefit? Judged by the leading (and co-primary) interval of an analysis."""

    kind: Literal["effect"] = "effect"

    def misfits(self, analysis: Analysis) -> Iterator[Fault]:
        yield from super().misfits(analysis)
        yield from _no_ratio(analysis)


class InteractionRule(OfAnalysis):
    """Does the effect differ between the levels of a factor, compared within the trials?"""

    factor: str
    kind: Literal["interaction"] = "interaction"

    def misfits(self, analysis: Analysis) -> Iterator[Fault]:
        yield from _no_ratio(analysis)


def _no_ratio(analysis: Analysis) -> Iterator[Fault]:
    """Verdicts ask for a relevant ratio, which no difference can reach."""
    first = MEASURES[analysis.measures[0]]
    if not first.is_ratio:
        name = f"{analysis.setting}/{analysis.id}"
        message = f'"{name}" has {first.name} as its first measure; a verdict needs a ratio.'
        yield ("analysis",), message


class GroupsRule(OfAnalysis):
    """Do groups of trials differ? Judged by the test for subgroup differences."""

    factor: str
    kind: Literal["groups"] = "groups"

    def misfits(self, analysis: Analysis) -> Iterator[Fault]:
        if self.factor != analysis.subgroups:
            message = "is not the factor that groups the trials of this analysis; that is "
            yield ("factor",), f"{message}{analysis.subgroups}."


class AssociationRule(Form):
    """How is a biomarker associated with an outcome? Shows rows of biomarker_effects; no verdict.

    Attributes
    ----------
    biomarkers
        Names of the biomarker in the sheet.
    outcomes
        How the outcome begins in the sheet.
    direction
        On which side of 1 the claim expects the ratio.
    contrasts
        How the contrast begins in the sheet; empty: any.
    """

    biomarkers: Some[Text]
    outcomes: Some[Text]
    direction: Direction
    contrasts: Several[Text] = ()
    kind: Literal["association"] = "association"


class TableRule(Form):
    """Does an interval in a table of results lie on one side of a value?

    Attributes
    ----------
    file
        Path below results/.
    where
        Column -> text that its cell must have; the model ``random_effects`` means the one chosen
        in config.yaml.
    measure
        Name of the measure, as printed in the report.
    trials
        Column with the number of trials; ``estimate``, ``low`` and ``high`` are columns too.
    """

    file: Annotated[str, forms.shaped("^[a-z0-9_/]+[.]csv$", "a .csv file below results/")]
    where: Mapping[str, str]
    measure: Text
    estimate: str
    low: str
    high: str
    trials: str
    no_effect: Number
    direction: Direction
    kind: Literal["table"] = "table"

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        files = sections.get("files", [self.file])
        if self.file not in files:
            yield ("file",), f"is not a table of the results.{did_you_mean(self.file, files)}"
        columns = CLAIM_TABLES.get(Path(self.file).stem, ())
        named: dict[tuple[str, ...], str]
        named = {(key,): str(getattr(self, key)) for key in ("estimate", "low", "high", "trials")}
        named |= {("where", name): name for name in self.where}
        for place, name in named.items():
            if columns and name not in columns:
                message = f'"{name}" is not a column of {self.file}.'
                yield place, f"{message}{forms.among(columns, name)}"
        pairs = sections.get("pairs", {}).get(self.file)
        asked = tuple(self.where.get(name, "") for name in ("first", "second"))
        if pairs is not None and all(asked) and asked not in pairs:
            message = f'"{" and ".join(asked)}" is not one of the interactions of this network in '
            message += f"networks.yaml. Allowed: {', '.join(map(' and '.join, pairs)) or 'none'}."
            yield ("where", "first"), message
        rates = sections.get("backgrounds", {}).get(self.file, ())
        if rates and (rate := self.where.get("background", rates[0])) not in rates:
            message = "is not a background of this network's synergy in networks.yaml."
            yield ("where", "background"), f"{message}{forms.among(rates, rate)}"
        model = self.where.get("model", RANDOM_EFFECTS)
        if model not in (models := (RANDOM_EFFECTS, *MODEL_NAMES)):
            yield ("where", "model"), f"is not a model of the results.{did_you_mean(model, models)}"
        for name in CLAIM_WORDS.keys() & self.where.keys() & {*columns}:
            if (word := self.where[name]) not in CLAIM_WORDS[name]:
                yield ("where", name), f"is not allowed.{forms.among(CLAIM_WORDS[name], word)}"


Rule = Annotated[
    EffectRule | InteractionRule | GroupsRule | AssociationRule | TableRule, Discriminator("kind")
]


class Claim(Form):
    """A claim of the review, and the rule by which it is assessed."""

    id: Id
    group: Text
    text: Text
    rule: Rule


class ClaimRules(Form):
    """How much evidence a verdict needs.

    Attributes
    ----------
    min_trials
        Minimum for an effect and for an interaction.
    min_trials_of_a_test
        With fewer trials, groups cannot be shown to be similar.
    probable
        Smallest probability of a benefit at which its direction is called probable.
    least_share_of_specifications
        Smallest share of the multiverse's specifications that must agree for a benefit to be
        supported.
    """

    min_trials: Annotated[Whole, Field(ge=1)]
    min_trials_of_a_test: Annotated[Whole, Field(ge=2)]
    probable: Annotated[Number, Field(gt=0.5, lt=1)]
    least_share_of_specifications: Share


class Biomarker(Form):
    """A biomarker of the review, with all its names in the sheet.

    Attributes
    ----------
    factors
        Names of the subgroup factor by which trials report results.
    markers
        Names in ``biomarker_effects``.
    """

    id: Id
    label: Text
    factors: Several[Text] = ()
    markers: Several[Text] = ()


class ReportConfiguration(Form):
    """All of report.yaml.

    Attributes
    ----------
    absolute_scales
        Measures of counts from which absolute effects may be computed: the one that varies least
        between the trials of an analysis is used, or the first if they vary equally.
    agent
        The word for an agent of an arm in tables and figures.
    question
        The question that the report answers, shown on its start screen.
    abbreviations
        Abbreviation in tables -> its words.
    balance_months
        Setting -> time at which benefits are compared with the harms of an added agent.
    """

    title: Text
    certainty: CertaintyRules
    milestones: MilestoneRules
    absolute_scales: Some[Annotated[str, forms.one_of(ABSOLUTE_SCALES)]]
    control_risks: tuple[ControlRisk, ...]
    claim_rules: ClaimRules
    claims: tuple[Claim, ...]
    agent: Text = "agent"
    question: Text = ""
    abbreviations: Mapping[str, Text] = Field(default_factory=dict)
    balance_months: Mapping[str, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    biomarkers: tuple[Biomarker, ...] = ()

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        risks = [f"{risk.setting}/{risk.analysis}" for risk in self.control_risks]
        claims = [claim.id for claim in self.claims]
        for part, names in {"control_risks": risks, "claims": claims}.items():
            for at, name in enumerate(names):
                if name in names[:at]:
                    yield (part, at), f'"{name}" occurs twice.'


def read_report_configuration(
    folder: Path,
    configuration: Configuration,
    networks: NetworkConfiguration | None = None,
    **known: Any,
) -> ReportConfiguration:
    """Read ``report.yaml`` and check it against the configured analyses and networks.

    ``known`` may give the allowed ``populations`` of event-free rates.

    Raises
    ------
    SheetError
        If the file is missing, has a value that is not allowed, or names an analysis that does not
        exist.
    """
    known["analyses"] = {f"{entry.setting}/{entry.id}": entry for entry in configuration.analyses}
    if networks is not None:
        known["pairs"] = {
            f"{network.setting}/network/{network.id}/interactions.csv": network.interactions
            for network in networks.networks
        }
        # As the table prints them.
        known["backgrounds"] = {
            f"{entry.setting}/network/{entry.network}/synergy.csv": [
                str(float(background.rate)) for background in entry.background
            ]
            for entry in networks.synergy
        }
        known["files"] = [*known["pairs"], *known["backgrounds"]]
    return read(folder / FILE, ReportConfiguration, **known)


def certainty_problems(
    configuration: Configuration, networks: Collection[tuple[str, str]], judgements: "pd.DataFrame"
) -> Iterator[Problem]:
    """Errors for certainty judgements that name an unknown analysis, network or domain.

    Parameters
    ----------
    configuration : Configuration
    networks : collection of (str, str)
        Setting and id of every network.
    judgements : DataFrame
        Columns ``setting``, ``analysis``, ``domain``, ``comparison`` and ``row`` (the spreadsheet's
        row number).
    """
    names = ["row", "setting", "analysis", "domain", "comparison"]
    for row, setting, analysis, domain, comparison in judgements[names].itertuples(index=False):
        place = "certainty.csv", int(row), analysis
        of_network = (setting, analysis) in networks
        domains = NETWORK_DOMAINS if of_network else DOMAINS
        if domain not in domains:
            which = "a network" if of_network else "an analysis"
            wrong = f"is no domain of the certainty of {which}."
            yield not_allowed((*place, "domain"), domain, wrong, domains)
        if of_network:
            continue
        if comparison:
            message = f'"{comparison}" must go: only a network has comparisons to judge.'
            yield Problem("error", *place, "comparison", comparison, message)
        pools = {entry.id: entry.pool for entry in configuration.of_setting(setting)}
        known = [name for name, pool in pools.items() if pool == "overall"]
        wrong = "is not an analysis of this setting in config/analyses.yaml."
        if analysis in pools:
            wrong = "is not pooled over all its trials, so there is no certainty to judge."
        if analysis not in known:
            yield not_allowed((*place, "analysis"), analysis, wrong, known)
