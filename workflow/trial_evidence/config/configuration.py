"""config/analyses.yaml: comparisons and what is pooled; with config.yaml, the `Configuration`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from trial_evidence.config import forms
from trial_evidence.config.forms import Fault, Form, Id, Maybe, Number, Several, Some, Text, Whole
from trial_evidence.config.methods import FILE as METHODS
from trial_evidence.config.methods import Methods, Order, OwnPooling, unknown_columns
from trial_evidence.config.reading import LineOf, not_allowed, nowhere, problem, read
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
# In an order of preference: all arms that it does not name.
ANY_OTHER = "any"
Measure = Annotated[str, forms.one_of(m.name for m in MEASURES.values() if m.compares)]
ContrastKind = Literal[
    "dual v single", "dual v dual", "triple v dual", "sequential", "chemotherapy-free"
]
# Folder that holds the figures of all harms in a setting.
HARMS = "harms"
# The measure in which harms are reported.
DIFFERENCE = "risk_difference"
Column = Literal["control", "counts", "source", "definition", "follow_up", "weight", "risk_of_bias"]


class Outcome(Form):
    """An outcome that trials report.

    Attributes
    ----------
    name
        As written in the sheet's outcome column; if the table has no such column or the cell is
        empty, the name of the table.
    table
        The table of the sheet that holds it; the dictionary gives its kind.
    better
        Whether more events (response) or fewer (recurrence, death, harm) are a benefit.
    label
        Label in figures and tables; default: the name in the sheet.
    survival
        Deaths from any cause are the events, and nothing else is.
    words
        Name in a sentence: event-free survival; default: the label.
    part_of
        The outcome that counts all patients with this one as well: diarrhoea of any grade.
    """

    name: SkipJsonSchema[str]
    table: Annotated[str, forms.key_of("tables", "a table of results")]
    better: Literal["more", "fewer"]
    label: Text = ""
    survival: forms.Truth = False
    words: Text = ""
    part_of: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The outcome as named in a sentence."""
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
    """An analysis or a network in one setting; its outcomes are in order of preference."""

    id: Id
    setting: forms.Setting
    title: Text
    outcomes: Outcomes

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the outcomes, as in the sheet."""
        return tuple(outcome.name for outcome in self.outcomes)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the outcomes, as printed in figures and tables."""
        return tuple(outcome.label for outcome in self.outcomes)

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        """Errors: outcomes from different tables, and measures unsuited to the table's kind."""
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
        """The table of the sheet that holds all its outcomes."""
        return self.outcomes[0].table

    @property
    def fewer_is_better(self) -> bool:
        """Whether fewer events, and so effects below the null, are a benefit."""
        return self.outcomes[0].better == "fewer"


def several_counted(of: OfOutcomes, sections: Mapping[str, Any]) -> Iterator[Fault]:
    """Arms are chosen one by one: with several counted outcomes, arms would be mixed."""
    if sections.get("kinds", {}).get(of.table) == "counts" and len(of.outcomes) > 1:
        yield (
            ("outcome",),
            "names several counted outcomes, whose arms would be mixed: name one.",
        )


def _as_in_the_sheet(word: Any) -> Any:
    """A word of the sheet that YAML reads as another type: ``yes``, or the phase ``3``."""
    if isinstance(word, bool):
        return "yes" if word else "no"
    return str(word) if isinstance(word, int) else word


class ContrastRule(Form):
    """Which contrasts of randomised arms an analysis includes; an omitted setting allows any.

    Attributes
    ----------
    experimental
        Agents admitted in the experimental arm, in order of preference if a trial has several
        such arms; ``any`` admits all that are not named.
    control
        The same for the control arm.
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
    """Which trials an analysis includes; an omitted setting allows any.

    Attributes
    ----------
    where
        Columns of trials.csv, such as phase and blinded, and the values admitted in each.
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
    """A patient factor with its two levels, in display order."""

    factor: SkipJsonSchema[str]
    label: forms.Text
    levels: forms.Pair[forms.Text]

    @property
    def subgroups(self) -> tuple[str, ...]:
        """The levels as named in the column ``subgroup``: ``factor=level``."""
        return tuple(f"{self.factor}={level}" for level in self.levels)


_Factor = forms.entry_of("effect_modifiers", "a factor described in analyses.yaml")
Modifiers = Several[Annotated[EffectModifier, _Factor]]


class FigureChoices(Form):
    """Options for the forest plots of one analysis.

    Attributes
    ----------
    title
        Heading; default: the title of the analysis.
    order
        How the trials within a group are sorted: year of report, effect (smallest first), weight
        (largest first), name, or precision (most precise first).
    columns
        Columns shown in addition to trial and result; default: all that have content.
    axis
        Ends of the axis as printed (ratios, differences, proportions), for the analysis's first
        measure; default: chosen from the data.
    language
        Name of a file in config/labels.
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
    """A comparison of two types of arm on one outcome in one setting.

    Attributes
    ----------
    harm
        The outcome is a harm: both arms of a trial must come from one source, only trials with the
        same definition are pooled, and all harms of a setting are shown together.
    in_words
        The two treatments in a sentence: dual blockade, single blockade; default: the arms.
    trials
        Which trials are included.
    pooling
        Pooling settings that differ from those of the other analyses.
    selection
        Its own orders of preference among the rows of a trial; they come before the general ones.
    """

    measures: Some[Measure]
    contrast: ContrastRule
    pool: Literal["overall", "within_subgroups", "none"]
    subgroups: Literal["added_agents", "experimental_partner", "control_agents"]
    arm_labels: Annotated[tuple[forms.Text, forms.Text], Field(alias="arms")]
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
        if self.harm and self.pool != "within_subgroups":
            yield ("pool",), "must be within_subgroups for a harm: each agent adds its own."
        if self.harm and self.subgroups != "added_agents":
            yield ("subgroups",), "must be added_agents for a harm: each agent adds its own."
        if known := sections.get("tables", {}).get(self.table):
            yield from unknown_columns(self.selection, known, f"{self.table}.csv", "selection")
        if self.figure.axis and self.figure.axis[0] <= 0 and first.is_ratio:
            yield ("figure", "axis"), "does not fit the measure: a ratio is greater than 0."
        none = first.scale.null
        if self.figure.axis and none is not None:
            low, high = self.figure.axis
            if not low <= none <= high:
                unseen = "nobody would see on which side of it a result is."
                yield ("figure", "axis"), f"does not hold {none:g}: {unseen}"

    @property
    def treatments(self) -> tuple[str, str]:
        """Experimental and control treatment in a sentence."""
        return self.in_words or self.arm_labels

    @property
    def folder(self) -> str:
        """Folder of its figures within its setting's; all harms share one."""
        return HARMS if self.harm else self.id

    @property
    def kind(self) -> Kind:
        """The kind of evidence from which its measures are computed."""
        return MEASURES[self.measures[0]].kind


class RateAnalysis(OfOutcomes):
    """Pooled rates of one outcome over all arms of a setting, by regimen and partner."""

    effect_modifiers: Modifiers = ()
    figure: FigureChoices = FigureChoices()

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().faults(sections)
        yield from several_counted(self, sections)

    @property
    def folder(self) -> str:
        """Folder of its figures within its setting's."""
        return self.id


class Analyses(Form, kw_only=True):
    """All of config/analyses.yaml."""

    settings: Annotated[Mapping[str, forms.Text], Field(min_length=1), forms.section("settings")]
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
        for name, outcome in self.outcomes.items():
            alike = [n for n, o in self.outcomes.items() if o.table == outcome.table and n != name]
            for at, whole in enumerate(outcome.part_of):
                if whole not in alike:
                    message = f"is not another outcome of {outcome.table}."
                    message += did_you_mean(whole, alike)
                    yield ("outcomes", name, "part_of", at), message
        seen: set[tuple[str, str]] = set()
        for part in ("analyses", "rates"):
            for at, entry in enumerate(getattr(self, part)):
                if (key := (entry.setting, entry.id)) in seen:
                    yield (part, at, "id"), "occurs twice."
                seen.add(key)


class Configuration(Methods, Analyses, kw_only=True):
    """The content of config.yaml and analyses.yaml together."""

    @property
    def outcome_labels(self) -> dict[str, str]:
        """Name of an outcome in the sheet -> its label."""
        return {name: outcome.label for name, outcome in self.outcomes.items()}

    def own(self, analysis: Analysis) -> Self:
        """The configuration with an analysis's own pooling and selection settings applied."""
        return replace(
            self,
            pooling=analysis.pooling.over(self.pooling),
            selection=self.selection.preferring(analysis.table, analysis.selection),
        )

    @property
    def answers(self) -> tuple[Analysis, ...]:
        """The analyses that answer the review question: those that pool all their trials."""
        return tuple(a for a in self.analyses if a.pool == "overall")

    def of_setting(self, setting: str) -> tuple[Analysis, ...]:
        """Analyses of one setting, in file order."""
        return tuple(a for a in self.analyses if a.setting == setting)

    def rates_of_setting(self, setting: str) -> tuple[RateAnalysis, ...]:
        """Rate analyses of one setting, in file order."""
        return tuple(r for r in self.rates if r.setting == setting)


def read_configuration(folder: Path, **known: Any) -> Configuration:
    """Read ``config.yaml`` and ``analyses.yaml``.

    They are checked against ``known``: ``tables`` of results (name -> column -> words), their
    ``kinds``, ``languages``, and the columns of ``trials``.

    Raises
    ------
    SheetError
        If a file is missing, is not valid YAML, or has a value that is not allowed. It lists all
        problems, each with the file, the place in it and what is allowed.
    """
    of_methods: list[Problem] = []
    of_analyses: list[Problem] = []
    with told_in(of_analyses):
        analyses = read(folder / FILE, Analyses, **known)
        # The same analysis may occur in several settings.
        known["analyses"] = list(dict.fromkeys(analysis.id for analysis in analyses.analyses))
        named = [measure for analysis in analyses.analyses for measure in analysis.measures]
        known["measures"] = dict.fromkeys([*named, *(["proportion"] if analyses.rates else [])])
        known["used"] = {entry.table for entry in (*analyses.analyses, *analyses.rates)}
    with told_in(of_methods):
        methods = read(folder / METHODS, Methods, **known)
    if problems := of_methods + of_analyses:
        raise SheetError(problems)
    return Configuration(**vars(methods), **vars(analyses))


def unknown_agents(
    configuration: Configuration, agents: Sequence[str], line: LineOf = nowhere
) -> Iterator[Problem]:
    """Errors for agents in analyses.yaml that are unknown or not in alphabetical order."""
    for at, analysis in enumerate(configuration.analyses):
        for side in ("experimental", "control"):
            for n, regimen in enumerate(getattr(analysis.contrast, side) or ()):
                if regimen == ANY_OTHER:
                    continue
                place = ("analyses", at, "contrast", side, n)
                for value, message in regimen_faults(regimen, agents):
                    yield problem(FILE, analysis.id, side, value, message, line(place))


def regimen_faults(regimen: str, agents: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Errors in agents joined by ``+``, each as the offending text and the message.

    Parameters
    ----------
    regimen : str
        Agents of an arm as written in the sheet, or ``none``.
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
    """A warning for each setting of a trial that is not, or no longer, in analyses.yaml.

    ``trials`` has columns ``trial_id``, ``setting`` and ``row`` (the spreadsheet's row number).
    """
    others = trials[~trials["setting"].isin([*configuration.settings])]
    for setting, rows in others.groupby("setting", sort=False):
        left = f"{counted(len(rows), 'trial')}: {shortened(', '.join(rows['trial_id']))}."
        other = f'"{setting}" is not a setting of config/analyses.yaml'
        message = f"{other}, so no analysis looks at its {left}"
        place = ("trials.csv", int(rows["row"].iloc[0]), str(rows["trial_id"].iloc[0]))
        yield Problem("warning", *place, "setting", str(setting), message)


def doubtful_settings(
    configuration: Configuration, trials: "pd.DataFrame", reported: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Warnings for trials whose outcomes fit another setting better than their own.

    A wrong setting removes the trial from all analyses it belongs to and may add it to others.

    Parameters
    ----------
    trials : DataFrame
        As in :func:`settings_left_out`.
    reported : mapping of str to collection of str
        Trial -> outcomes of its results.
    """
    asked: dict[str, set[str]] = {name: set() for name in configuration.settings}
    for analysis in configuration.analyses:
        if not analysis.harm:
            asked[analysis.setting] |= {outcome.name for outcome in analysis.outcomes}
    for row, trial, setting in trials[["row", "trial_id", "setting"]].itertuples(index=False):
        fit = {name: {*reported.get(trial, ())} & names for name, names in asked.items()}
        most = max(fit, key=lambda name: len(fit[name]))
        if setting in fit and len(fit[most]) > len(fit[setting]):
            others = ", ".join(sorted(fit[most] - fit[setting]))
            message = (
                f"no analysis of {setting} looks at {others} of this trial; those of {most} do. "
                "Is the setting right?"
            )
            yield Problem("warning", "trials.csv", row, trial, "setting", setting, message)


def unknown_analyses(
    configuration: Configuration, exclusions: "pd.DataFrame", networks: Sequence[str] = ()
) -> Iterator[Problem]:
    """Errors for exclusions that name an analysis not in the configuration.

    Parameters
    ----------
    configuration : Configuration
    exclusions : DataFrame
        Columns ``trial_id``, ``analysis`` (an id or ``*``) and ``row`` (the spreadsheet's row
        number).
    networks : sequence of str
        Ids of the networks, which exclusions may also name.
    """
    pooled = {entry.id for entry in (*configuration.analyses, *configuration.rates)}
    known = ["*", *sorted(pooled | {*networks})]
    wrong = "is not an analysis of config/analyses.yaml."
    cells = exclusions[["row", "trial_id", "analysis"]].itertuples(index=False)
    for row, trial_id, analysis in cells:
        if analysis not in known:
            place = "exclusions.csv", int(row), trial_id, "analysis"
            yield not_allowed(place, analysis, wrong, known)
