"""config/analyses.yaml: what is compared and pooled with what; with the methods, all of both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from trial_evidence.config import forms
from trial_evidence.config.forms import Fault, Form, Id, Maybe, Number, Several, Some, Text, Whole
from trial_evidence.config.methods import Methods, Order, OwnPooling, unknown_columns
from trial_evidence.config.reading import NOWHERE, LineOf, not_allowed, problem, read
from trial_evidence.measures import MEASURES, Kind
from trial_evidence.words.problems import (
    Problem,
    SheetError,
    counted,
    did_you_mean,
    shortened,
    told_in,
)

if TYPE_CHECKING:
    import pandas as pd

FILE = "analyses.yaml"
NO_AGENT = "none"
Measure = Annotated[str, forms.one_of(m.name for m in MEASURES.values() if m.compares)]
ContrastKind = Literal[
    "dual v single", "dual v dual", "triple v dual", "sequential", "chemotherapy-free"
]
# Folder of the figures of all harms of a setting.
HARMS = "harms"
# The measure in which harms are told.
DIFFERENCE = "risk_difference"
Column = Literal["control", "counts", "source", "definition", "follow_up", "weight", "risk_of_bias"]


class Outcome(Form):
    """What trials report.

    Attributes
    ----------
    name
        As the sheet writes it: in the outcome column of its table, or, where the table has none
        or the cell is empty, the name of the table itself.
    table
        The table of the sheet that holds it; the dictionary says of which kind it is.
    better
        Whether more events (response) or fewer (recurrence, death, harm) are a benefit.
    label
        Label in figures and tables; if left out, the name in the sheet.
    survival
        Every death is an event, and nothing else.
    words
        In a sentence: event-free survival; if left out, the label.
    """

    name: SkipJsonSchema[str]
    table: Annotated[str, forms.key_of("tables", "a table of results")]
    better: Literal["more", "fewer"]
    label: Text = ""
    survival: forms.Truth = False
    words: Text = ""

    @property
    def in_words(self) -> str:
        """The outcome in a sentence."""
        return self.words or self.label


_Names = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
Outcomes = Annotated[
    Some[Annotated[Outcome, forms.entry_of("outcomes", "an outcome of analyses.yaml")]],
    Field(alias="outcome"),
    BeforeValidator(lambda named: (named,) if isinstance(named, str) else named),
    WithJsonSchema(
        {
            "description": "an outcome, or a list of outcomes such as [first, second]",
            "anyOf": [{"type": "string"}, _Names],
        }
    ),
]


class OfOutcomes(Form):
    """An analysis or a network of outcomes in a setting; the outcomes in order of preference."""

    id: Id
    setting: forms.Setting
    title: Text
    outcomes: Outcomes

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the outcomes, as the sheet writes them."""
        return tuple(outcome.name for outcome in self.outcomes)

    @property
    def labels(self) -> tuple[str, ...]:
        """The outcomes as figures and tables print them."""
        return tuple(outcome.label for outcome in self.outcomes)

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        """Outcomes of several tables, and measures that are not made of what the table holds."""
        for at, outcome in enumerate(self.outcomes):
            if outcome.table != self.table:
                message = f"is in {outcome.table}.csv, the first outcome in {self.table}.csv."
                yield ("outcome", at), message
        kind = sections.get("kinds", {}).get(self.table)
        fit = [m.name for m in MEASURES.values() if m.kind == kind and m.compares]
        for at, name in enumerate(getattr(self, "measures", ())):
            if kind and name not in fit:
                message = f"does not fit the outcome: {self.table}.csv holds {kind}."
                place = ("measure",) if hasattr(self, "measure") else ("measures", at)
                yield place, f"{message} Allowed: {', '.join(fit)}."

    @property
    def table(self) -> str:
        """The table of the sheet that holds them."""
        return self.outcomes[0].table

    @property
    def fewer_is_better(self) -> bool:
        """Whether effects below no effect are the benefit."""
        return self.outcomes[0].better == "fewer"


def _as_in_the_sheet(word: Any) -> Any:
    """A word that YAML takes for something else: ``yes``, and the phase ``3``."""
    if isinstance(word, bool):
        return "yes" if word else "no"
    return str(word) if isinstance(word, int) else word


class ContrastRule(Form):
    """Which contrasts of randomised arms an analysis includes; what is left out may be anything.

    Attributes
    ----------
    experimental
        Agents of the experimental arm that are admitted, in order of preference likewise.
    control
        Agents of the control arm that are admitted, in order of preference when a trial offers
        several.
    same_partner
        Whether both arms have the same partner.
    changed_backbone
        Whether an antibody of the control arm is replaced by its conjugate.
    """

    kind: ContrastKind
    experimental: Maybe[Some[str]] = None
    control: Maybe[Some[str]] = None
    same_partner: Maybe[forms.Truth] = None
    changed_backbone: Maybe[forms.Truth] = None


class TrialRule(Form):
    """Which trials an analysis includes; what is left out may be anything.

    Attributes
    ----------
    where
        Columns of trials.csv, such as phase and blinded, and the words admitted in them.
    years
        First and last year of the first report.
    """

    where: Mapping[str, Some[Annotated[str, BeforeValidator(_as_in_the_sheet)]]] = Field(
        default_factory=dict
    )
    years: Maybe[tuple[Whole, Whole]] = None

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        known = {name: words for name, words in sections.get("trials", {}).items() if words}
        if known:
            where = "trials.csv with words of its own"
            yield from unknown_columns(self.where, known, where, "where")
        if self.years and self.years[0] > self.years[1]:
            yield ("years",), "are not a range: the first year comes first."


class EffectModifier(Form):
    """A patient factor, with its two levels in order of display."""

    factor: SkipJsonSchema[str]
    label: str
    levels: forms.Pair[str]

    @property
    def subgroups(self) -> tuple[str, ...]:
        """The levels as the evidence names subgroups of patients."""
        return tuple(f"{self.factor}={level}" for level in self.levels)


_Factor = forms.entry_of("effect_modifiers", "a factor described in analyses.yaml")
Modifiers = Several[Annotated[EffectModifier, _Factor]]


class FigureChoices(Form):
    """How the forest plots of an analysis differ from the others.

    Attributes
    ----------
    title
        Heading; if left out, the title of the analysis.
    order
        What the trials of a group are sorted by: year of report, effect (smallest first), weight
        (largest first), name, or precision (most precise first).
    columns
        Columns shown beside trial and result; left out: all that have something to show.
    axis
        Ends of the axis as printed on it (ratios, differences, proportions); left out: those that
        the data ask for. For the analysis's first measure.
    language
        A file of config/labels.
    """

    title: str = ""
    order: Literal["year", "effect", "weight", "name", "precision"] = "year"
    columns: Maybe[Several[Column]] = None
    axis: Maybe[tuple[Number, Number]] = None
    language: Annotated[str, forms.key_of("languages", "a language of config/labels")] = "en"

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if self.axis and self.axis[0] >= self.axis[1]:
            yield ("axis",), "is not a range: the lower end comes first."


class Analysis(OfOutcomes):
    """One comparison of two kinds of arm on one outcome in one setting.

    Attributes
    ----------
    harm
        The outcome is a harm: the arms of a trial come from one source, trials are pooled where
        they define it alike, and all harms of a setting are shown together.
    in_words
        The two treatments in a sentence: dual blockade, single blockade; if left out, the arms.
    trials
        Which trials are included.
    pooling
        How it is pooled, where that differs from the other analyses.
    selection
        Its own orders of preference among the rows of a trial, which come before the others.
    """

    measures: Some[Measure]
    contrast: ContrastRule
    pool: Literal["overall", "within_subgroups", "none"]
    subgroups: Literal["added_agents", "experimental_partner", "control_agents"]
    arm_labels: Annotated[tuple[str, str], Field(alias="arms")]
    effect_modifiers: Modifiers = ()
    harm: forms.Truth = False
    in_words: Maybe[tuple[Text, Text]] = None
    trials: TrialRule = TrialRule()
    pooling: OwnPooling = OwnPooling()
    selection: Mapping[str, Order] = Field(default_factory=dict)
    figure: FigureChoices = FigureChoices()

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().faults(sections)
        first, *others = (MEASURES[name] for name in self.measures)
        for at, measure in enumerate(others, start=1):
            if measure.kind != first.kind:
                kinds = f"it is computed from {measure.kind}, {first.name} from {first.kind}"
                yield ("measures", at), f"does not fit the first measure: {kinds}."
        if self.harm and DIFFERENCE not in self.measures:
            yield ("measures",), f"need {DIFFERENCE}: harms are reported per 1,000 patients."
        if known := sections.get("tables", {}).get(self.table):
            yield from unknown_columns(self.selection, known, f"{self.table}.csv", "selection")
        if self.figure.axis and self.figure.axis[0] <= 0 and first.is_ratio:
            yield ("figure", "axis"), "does not fit the measure: a ratio is greater than 0."
        none = first.scale.null
        if self.figure.axis and none is not None:
            low, high = self.figure.axis
            if not low <= none <= high:
                message = (
                    f"does not hold {none:g}: nobody would see on which side of it a result is."
                )
                yield ("figure", "axis"), message

    @property
    def treatments(self) -> tuple[str, str]:
        """Experimental and control treatment in a sentence."""
        return self.in_words or self.arm_labels

    @property
    def folder(self) -> str:
        """Where its figures are, below those of its setting; all harms have one."""
        return HARMS if self.harm else self.id

    @property
    def kind(self) -> Kind:
        """The kind of evidence that its measures are made from."""
        return MEASURES[self.measures[0]].kind


class RateAnalysis(OfOutcomes):
    """Pooled rates of one outcome over all arms of a setting, by regimen and partner."""

    effect_modifiers: Modifiers = ()
    figure: FigureChoices = FigureChoices()

    @property
    def folder(self) -> str:
        """Where its figures are, below those of its setting."""
        return self.id


class Analyses(Form, kw_only=True):
    """All of config/analyses.yaml."""

    settings: Annotated[Mapping[str, str], Field(min_length=1), forms.section("settings")]
    outcomes: Annotated[
        Mapping[str, Outcome],
        Field(min_length=1),
        forms.keyed("name", "label"),
        forms.section("outcomes"),
    ]
    effect_modifiers: Annotated[
        Mapping[str, EffectModifier], forms.keyed("factor"), forms.section("effect_modifiers")
    ] = Field(default_factory=dict)
    analyses: tuple[Analysis, ...]
    rates: tuple[RateAnalysis, ...]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        seen: set[tuple[str, str]] = set()
        for part in ("analyses", "rates"):
            for at, entry in enumerate(getattr(self, part)):
                if (key := (entry.setting, entry.id)) in seen:
                    yield (part, at, "id"), "occurs twice."
                seen.add(key)


class Configuration(Methods, Analyses, kw_only=True):
    """What config.yaml and analyses.yaml say."""

    def own(self, analysis: Analysis) -> Self:
        """The configuration with what an analysis does in its own way."""
        return replace(
            self,
            pooling=analysis.pooling.over(self.pooling),
            selection=self.selection.preferring(analysis.table, analysis.selection),
        )

    @property
    def figure_width_mm(self) -> float:
        """Width of the figures."""
        return self.figures.width_mm

    @property
    def figure_formats(self) -> tuple[Literal["svg", "pdf", "png"], ...]:
        """Suffixes of the files of a figure."""
        return self.figures.formats

    @property
    def answers(self) -> tuple[Analysis, ...]:
        """The analyses that answer the question: those whose trials are pooled as one."""
        return tuple(a for a in self.analyses if a.pool == "overall")

    def of_setting(self, setting: str) -> tuple[Analysis, ...]:
        """Analyses of one setting, in the order of the file."""
        return tuple(a for a in self.analyses if a.setting == setting)

    def rates_of_setting(self, setting: str) -> tuple[RateAnalysis, ...]:
        """Rate analyses of one setting, in the order of the file."""
        return tuple(r for r in self.rates if r.setting == setting)


def read_configuration(folder: Path, **known: Any) -> Configuration:
    """Read ``config.yaml`` and ``analyses.yaml``.

    They are held against what is ``known``: ``tables`` of results (name -> column -> words),
    their ``kinds``, and ``languages``.

    Raises
    ------
    SheetError
        When a file is missing, is no YAML, or says what it may not; the problems name the file, the
        place in it and what is allowed, all at once.
    """
    of_methods: list[Problem] = []
    of_analyses: list[Problem] = []
    with told_in(of_analyses):
        analyses = read(folder / FILE, Analyses, **known)
        # An analysis may be asked in several settings.
        known["analyses"] = list(dict.fromkeys(analysis.id for analysis in analyses.analyses))
        named = [measure for analysis in analyses.analyses for measure in analysis.measures]
        known["measures"] = dict.fromkeys([*named, *(["proportion"] if analyses.rates else [])])
        known["used"] = {entry.table for entry in (*analyses.analyses, *analyses.rates)}
    with told_in(of_methods):
        methods = read(folder / "config.yaml", Methods, **known)
    if problems := of_methods + of_analyses:
        raise SheetError(problems)
    return Configuration(**vars(methods), **vars(analyses))


def unknown_agents(
    configuration: Configuration, agents: Sequence[str], line: LineOf = NOWHERE
) -> Iterator[Problem]:
    """Problems for arms in analyses.yaml that no arm of the sheet can have."""
    for at, analysis in enumerate(configuration.analyses):
        for side in ("experimental", "control"):
            for n, regimen in enumerate(getattr(analysis.contrast, side) or ()):
                place = ("analyses", at, "contrast", side, n)
                for value, message in regimen_faults(regimen, agents):
                    yield problem(FILE, analysis.id, side, value, message, line(place))


def regimen_faults(regimen: str, agents: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with agents joined by ``+``: what stands there, and the message.

    Parameters
    ----------
    regimen : str
        As the sheet writes the agents of an arm, or ``none``.
    agents : sequence of str
        Agents of ``agents.csv``.
    """
    parts = [] if regimen == NO_AGENT else regimen.split("+")
    for part in parts:
        if part not in agents:
            yield part, f"is not an agent of agents.csv.{did_you_mean(part, agents)}"
    if parts != sorted(parts):
        yield regimen, f"is not in alphabetical order: {'+'.join(sorted(parts))}."


def settings_left_out(configuration: Configuration, trials: "pd.DataFrame") -> Iterator[Problem]:
    """A warning for each setting that trials have and analyses.yaml does not, or no longer.

    ``trials`` has ``trial_id``, ``setting`` and ``row`` (as the spreadsheet numbers it).
    """
    others = trials[~trials["setting"].isin([*configuration.settings])]
    for setting, rows in others.groupby("setting", sort=False):
        left = counted(len(rows), "trial")
        message = (
            f'"{setting}" is not a setting of config/analyses.yaml, so no analysis looks at its '
            f"{left}: {shortened(', '.join(rows['trial_id']))}."
        )
        place = ("trials.csv", int(rows["row"].iloc[0]), str(rows["trial_id"].iloc[0]))
        yield Problem("warning", *place, "setting", str(setting), message)


def unknown_analyses(
    configuration: Configuration, exclusions: "pd.DataFrame", networks: Sequence[str] = ()
) -> Iterator[Problem]:
    """Problems for exclusions that name an analysis which the configuration does not hold.

    Parameters
    ----------
    configuration : Configuration
    exclusions : DataFrame
        ``trial_id``, ``analysis`` (an id or ``*``) and ``row`` (as the spreadsheet numbers it).
    networks : sequence of str
        Ids of the networks, which may be named as analyses may.
    """
    pooled = {entry.id for entry in (*configuration.analyses, *configuration.rates)}
    known = ["*", *sorted(pooled | {*networks})]
    wrong = "is not an analysis of config/analyses.yaml."
    cells = exclusions[["row", "trial_id", "analysis"]].itertuples(index=False)
    for row, trial_id, analysis in cells:
        if analysis not in known:
            place = "exclusions.csv", int(row), trial_id, "analysis"
            yield not_allowed(place, analysis, wrong, known)
