"""The settings of method and the list of analyses, read from config/ and checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonschema
import yaml

from trial_evidence.config.methods import (
    Pooling,
    Sensitivity,
    method_faults,
    pooling_of,
    sensitivity_of,
)
from trial_evidence.config.yaml_files import YamlFault, line_of, point_hint, read_yaml_text
from trial_evidence.measures import MEASURES, Kind
from trial_evidence.words.problems import Problem, SheetError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

Pool = Literal["overall", "within_subgroups", "none"]
TrialOrder = Literal["year", "effect", "weight", "name", "precision"]
Measure = Literal["risk_ratio", "odds_ratio", "risk_difference", "hazard_ratio", "proportion"]
NO_AGENT = "none"
LONGEST = "longest"

# Kinds of content, by their names in a schema.
TYPES = {
    "object": "a group of named settings",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


@dataclass(frozen=True)
class Outcome:
    """What trials report, as the section ``outcomes`` of analyses.yaml names it.

    Attributes
    ----------
    name : str
        As the sheet writes it: in the outcome column of its table, or, where the table has none
        or the cell is empty, the name of the table itself.
    table : str
        The table of the sheet that holds it; the dictionary says of which kind it is.
    label : str
        As figures and tables print it.
    better : {"more", "fewer"}
        Whether more of it is the benefit (response) or less (recurrence, death, harm).
    """

    name: str
    table: str
    label: str
    better: Literal["more", "fewer"]


class OfOutcomes:
    """What follows from the outcomes of an analysis or a network, in order of preference."""

    outcomes: tuple[Outcome, ...]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the outcomes, as the sheet writes them."""
        return tuple(outcome.name for outcome in self.outcomes)

    @property
    def labels(self) -> tuple[str, ...]:
        """The outcomes as figures and tables print them."""
        return tuple(outcome.label for outcome in self.outcomes)

    @property
    def table(self) -> str:
        """The table of the sheet that holds them."""
        return self.outcomes[0].table

    @property
    def is_pcr(self) -> bool:
        """To be replaced by ``kind`` and ``table``."""
        return self.table == "pcr"

    @property
    def fewer_is_better(self) -> bool:
        """Whether effects below no effect are the benefit."""
        return self.outcomes[0].better == "fewer"


@dataclass(frozen=True)
class ContrastRule:
    """Which contrasts of two randomised arms an analysis takes; ``None`` admits any."""

    kind: str
    control: tuple[str, ...] | None = None
    same_partner: bool | None = None
    changed_backbone: bool | None = None


@dataclass(frozen=True)
class EffectModifier:
    """A factor inside the trials, with its two levels in order of display."""

    factor: str
    label: str
    levels: tuple[str, str]


@dataclass(frozen=True)
class FigureChoices:
    """What an analysis's own forest plots have otherwise than all others.

    Attributes
    ----------
    title : str
        Heading; empty for the analysis's own.
    order : str
        What the trials of a group are sorted by: year of report, effect (smallest first), weight
        (largest first), name, or precision (most precise first).
    columns : tuple of str or None
        Columns shown beside trial and result; None for all that have something to show.
    axis : pair of float or None
        Ends of the axis as printed on it (ratios, differences, proportions); None for those that
        the data ask for. For the analysis's first measure.
    language : str
        A file of config/labels.
    """

    title: str = ""
    order: TrialOrder = "year"
    columns: tuple[str, ...] | None = None
    axis: tuple[float, float] | None = None
    language: str = "en"


@dataclass(frozen=True)
class Analysis(OfOutcomes):
    """One comparison of two kinds of arm on one outcome in one setting."""

    id: str
    setting: str
    title: str
    outcomes: tuple[Outcome, ...]
    measures: tuple[Measure, ...]
    contrast: ContrastRule
    pool: Pool
    subgroups: str
    effect_modifiers: tuple[EffectModifier, ...]
    arm_labels: tuple[str, str]
    figure: FigureChoices = FigureChoices()

    @property
    def kind(self) -> Kind:
        """The kind of evidence that its measures are made from."""
        return MEASURES[self.measures[0]].kind


@dataclass(frozen=True)
class RateAnalysis(OfOutcomes):
    """Pooled rates of one outcome over all arms of a setting, by regimen and partner."""

    id: str
    setting: str
    title: str
    outcomes: tuple[Outcome, ...]
    effect_modifiers: tuple[EffectModifier, ...]
    figure: FigureChoices = FigureChoices()


Orders = Mapping[str, tuple[str, ...] | str]
"""Column -> its words in order of preference, or ``longest`` for a number."""


@dataclass(frozen=True)
class Selection:
    """Admission rules, and orders of preference by table; column -> admitted or ordered words."""

    admit: Mapping[str, tuple[str, ...]]
    orders: Mapping[str, Orders]

    @property
    def pcr(self) -> Orders:
        """To be replaced by ``of``."""
        return self.orders["pcr"]

    @property
    def hazard_ratio(self) -> Orders:
        """To be replaced by ``of``."""
        return self.orders["hazard_ratios"]

    def of(self, table: str) -> Orders:
        """Orders of preference among the rows of a table, the first column first."""
        return self.orders[table]


@dataclass(frozen=True)
class Configuration:
    """All of config/: method, figures, settings, analyses."""

    confidence_level: float
    tau_prior_scale: Mapping[str, float]
    effect_modifier_min_trials: int
    pooling: Pooling
    sensitivity: Sensitivity
    selection: Selection
    figure_width_mm: float
    figure_formats: tuple[Literal["svg", "pdf", "png"], ...]
    settings: Mapping[str, str]
    outcomes: Mapping[str, Outcome]
    analyses: tuple[Analysis, ...]
    rates: tuple[RateAnalysis, ...]

    def of_setting(self, setting: str) -> tuple[Analysis, ...]:
        """Analyses of one setting, in the order of the file."""
        return tuple(a for a in self.analyses if a.setting == setting)

    def rates_of_setting(self, setting: str) -> tuple[RateAnalysis, ...]:
        """Rate analyses of one setting, in the order of the file."""
        return tuple(r for r in self.rates if r.setting == setting)


def read_configuration(folder: Path) -> Configuration:
    """Read and check ``config.yaml`` and ``analyses.yaml``.

    Parameters
    ----------
    folder : Path
        The folder with both files.

    Returns
    -------
    Configuration

    Raises
    ------
    SheetError
        When a file is missing, is no YAML, or breaks its schema in workflow/schemas; the
        problems name the file, the place in it and what is allowed, all at once.
    """
    settings, problems = read_yaml(folder / "config.yaml", "config.schema.yaml")
    analyses, more = read_yaml(folder / "analyses.yaml", "analyses.schema.yaml")
    problems += more
    if not problems:
        problems += list(_cross_problems(analyses))
        ids = frozenset(entry["id"] for entry in analyses["analyses"])
        problems += [
            problem("config.yaml", "", place, value, message)
            for place, value, message in method_faults(settings, ids)
        ]
    if problems:
        raise SheetError(tuple(problems))
    modifiers = {
        factor: EffectModifier(factor, entry["label"], tuple(entry["levels"]))
        for factor, entry in analyses["effect_modifiers"].items()
    }
    outcomes = {
        name: Outcome(name, entry["table"], entry.get("label", name), entry["better"])
        for name, entry in analyses["outcomes"].items()
    }
    chosen = settings["selection"]
    return Configuration(
        confidence_level=float(settings["confidence_level"]),
        tau_prior_scale={k: float(v) for k, v in settings["tau_prior_scale"].items()},
        effect_modifier_min_trials=settings["effect_modifier_min_trials"],
        pooling=pooling_of(settings["pooling"]),
        sensitivity=sensitivity_of(settings["sensitivity"]),
        selection=Selection(
            admit={k: tuple(v) for k, v in chosen["admit"].items()},
            orders={table: _orders(chosen[table]) for table in chosen if table != "admit"},
        ),
        figure_width_mm=float(settings["figures"]["width_mm"]),
        figure_formats=tuple(settings["figures"]["formats"]),
        settings=dict(analyses["settings"]),
        outcomes=outcomes,
        analyses=tuple(_analysis(entry, modifiers, outcomes) for entry in analyses["analyses"]),
        rates=tuple(
            RateAnalysis(
                id=entry["id"],
                setting=entry["setting"],
                title=entry["title"],
                outcomes=outcomes_of(entry, outcomes),
                effect_modifiers=tuple(modifiers[f] for f in entry.get("effect_modifiers", ())),
                figure=_figure(entry),
            )
            for entry in analyses["rates"]
        ),
    )


def unknown_agents(configuration: Configuration, agents: Sequence[str]) -> tuple[Problem, ...]:
    """Problems for control arms in analyses.yaml that no arm of the sheet can have."""
    return tuple(
        problem("analyses.yaml", analysis.id, "control", value, message)
        for analysis in configuration.analyses
        for regimen in analysis.contrast.control or ()
        for value, message in regimen_faults(regimen, agents)
    )


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


def unfit_measures(
    file: str, entries: Iterable[Any], kinds: Mapping[str, str]
) -> Iterator[Problem]:
    """Problems for measures that the kind of evidence in the table of the outcome does not make.

    Parameters
    ----------
    file : str
        Configuration file of the entries.
    entries : iterable of Analysis or Network
    kinds : mapping of str to str
        Table of the sheet -> kind of evidence in it.
    """
    for entry in entries:
        kind = kinds.get(entry.table, "")
        for name in entry.measures:
            if kind and MEASURES[name].kind != kind:
                fit = [m.name for m in MEASURES.values() if m.kind == kind and m.compares]
                yield problem(
                    file, entry.id, "measures", name,
                    f"does not fit the outcome: {entry.table}.csv holds {kind}. Allowed: "
                    f"{', '.join(fit)}.",
                )  # fmt: skip


def unknown_tables_of_outcomes(
    configuration: Configuration, kinds: Mapping[str, str]
) -> Iterator[Problem]:
    """Problems for outcomes whose table is none of the sheet's tables of results."""
    tables = [table for table, kind in kinds.items() if kind]
    for outcome in configuration.outcomes.values():
        if outcome.table not in tables:
            yield problem(
                "analyses.yaml", outcome.name, "table", outcome.table,
                f"is not a table of results. Allowed: {', '.join(tables)}."
                f"{did_you_mean(outcome.table, tables)}",
            )  # fmt: skip


def unknown_analyses(
    configuration: Configuration, exclusions: "pd.DataFrame", networks: Sequence[str] = ()
) -> tuple[Problem, ...]:
    """Problems for exclusions that name an analysis which the configuration does not hold.

    Parameters
    ----------
    configuration : Configuration
    exclusions : DataFrame
        ``trial_id``, ``analysis`` (an id or ``*``) and ``row`` (as the spreadsheet numbers it).
    networks : sequence of str
        Ids of the networks, which may be named as analyses may.
    """
    pooled = {a.id for a in configuration.analyses} | {r.id for r in configuration.rates}
    known = sorted(pooled | {*networks})
    problems = []
    for trial_id, analysis, row in zip(
        exclusions["trial_id"], exclusions["analysis"], exclusions["row"], strict=True
    ):
        if analysis in ("*", *known):
            continue
        message = (
            f'"{analysis}" is not an analysis of config/analyses.yaml. '
            f"Allowed: *, {', '.join(known)}.{did_you_mean(analysis, known)}"
        )
        problems.append(
            Problem("error", "exclusions.csv", int(row), trial_id, "analysis", analysis, message)
        )
    return tuple(problems)


def read_yaml(path: Path, schema: str) -> tuple[dict[str, Any], list[Problem]]:
    """Read a configuration file and hold it against its schema.

    Parameters
    ----------
    path : Path
        The file, in YAML.
    schema : str
        Name of a JSON schema in workflow/schemas, itself written as YAML.

    Returns
    -------
    dict
        What the file holds; only to be relied on where there is no problem.
    list of Problem
        What is wrong, each with its place in the file and what is allowed.
    """
    if not path.is_file():
        return {}, [problem(path.name, "", "", "", "The file is missing.")]
    try:
        content = read_yaml_text(path.read_bytes())
    except YamlFault as fault:
        return {}, [problem(path.name, "", "", "", fault.message, fault.line)]
    rules = yaml.safe_load((SCHEMAS / schema).read_text(encoding="utf-8"))
    faults = sorted(
        jsonschema.Draft202012Validator(rules).iter_errors(content),
        key=lambda fault: [str(step) for step in fault.path],
    )
    return content, [_schema_problem(path.name, content, fault) for fault in faults]


def _schema_problem(file: str, content: Any, fault: jsonschema.ValidationError) -> Problem:
    path = list(fault.absolute_path)
    subject = ""
    if len(path) >= 2 and isinstance(path[1], int):
        entry = content[path[0]][path[1]]
        subject = str(entry.get("id", f"entry {path[1] + 1}")) if isinstance(entry, dict) else ""
    place = ".".join(str(p) for p in path if not isinstance(p, int))
    line = line_of(content, [*path, *_unknown(fault)[:1]])
    return problem(file, subject, place, "", _in_words(fault), line)


def _unknown(fault: jsonschema.ValidationError) -> list[Any]:
    """Names in a group that its schema does not know."""
    if fault.validator != "additionalProperties":
        return []
    return [name for name in fault.instance if name not in fault.schema.get("properties", {})]


def _in_words(fault: jsonschema.ValidationError) -> str:
    """What breaks a schema, for somebody who has never seen one."""
    found, rule, schema = fault.instance, fault.validator_value, fault.schema
    if fault.validator is None:
        return f'"{found}" has no place beside what else stands in this entry.'
    if fault.validator == "additionalProperties":
        known = sorted(schema.get("properties", {}))
        unknown = _unknown(fault)[0]
        return f'"{unknown}" is not known here. Known: {", ".join(known)}.' + did_you_mean(
            str(unknown), known
        )
    if fault.validator == "required":
        missing = next(key for key in rule if key not in found)
        return f'"{missing}" is missing.'
    if fault.validator == "enum":
        allowed = [str(word) for word in rule]
        return f'"{found}" is not allowed. Allowed: {", ".join(allowed)}.' + did_you_mean(
            str(found), allowed
        )
    if fault.validator == "type":
        if found is None:
            return f"Here stands nothing; it has to be {TYPES.get(rule, rule)}."
        if isinstance(found, bool):
            return "yes, no, true and false are no text here. Put the word in quotation marks."
        return f'"{found}" is not {TYPES.get(rule, rule)}.{point_hint(found)}'
    if fault.validator in ("anyOf", "oneOf", "pattern") and "description" in schema:
        return f'"{found}" is not allowed. Allowed: {schema["description"]}.'
    if fault.validator in ("minItems", "maxItems") and isinstance(found, list) and found:
        allowed_number = "at least" if fault.validator == "minItems" else "at most"
        return (
            f"{_listed(found)} are {len(found)} entries; there have to be {allowed_number} {rule}. "
            "A decimal mark is a point; a comma begins the next entry."
        )
    if fault.validator == "uniqueItems":
        return f"{_listed(found)} holds an entry twice."
    message = str(fault.message)
    return message[0].upper() + message[1:]


def _listed(entries: Sequence[object]) -> str:
    return f"[{', '.join(str(entry) for entry in entries)}]"


def _cross_problems(analyses: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    tables = {name: entry["table"] for name, entry in analyses["outcomes"].items()}
    for entry in [*analyses["analyses"], *analyses["rates"]]:
        if entry["setting"] not in analyses["settings"]:
            allowed = ", ".join(analyses["settings"])
            yield problem(
                "analyses.yaml", entry["id"], "setting", entry["setting"],
                f"is not allowed. Allowed: {allowed}", line_of(entry, ["setting"]),
            )  # fmt: skip
        if (entry["setting"], entry["id"]) in seen:
            yield problem(
                "analyses.yaml", entry["id"], "id", entry["id"], "stands twice.",
                line_of(entry, ["id"]),
            )  # fmt: skip
        seen.add((entry["setting"], entry["id"]))
        for factor in entry.get("effect_modifiers", ()):
            if factor not in analyses["effect_modifiers"]:
                yield problem(
                    "analyses.yaml", entry["id"], "effect_modifiers", factor,
                    "is not described under effect_modifiers.",
                    line_of(entry, ["effect_modifiers"]),
                )  # fmt: skip
        low, high = entry.get("figure", {}).get("axis", (0, 1))
        if low >= high:
            yield problem(
                "analyses.yaml", entry["id"], "axis", f"{low:g}, {high:g}",
                "is no range: the lower end comes first.", line_of(entry, ["figure", "axis"]),
            )  # fmt: skip
        measures = entry.get("measures", ["proportion"])
        if low <= 0 and "axis" in entry.get("figure", {}) and measures[0].endswith("ratio"):
            yield problem(
                "analyses.yaml", entry["id"], "axis", f"{low:g}, {high:g}",
                "does not fit the measure: a ratio is above 0.",
                line_of(entry, ["figure", "axis"]),
            )  # fmt: skip
        for place, value, message in outcome_faults(entry, tables):
            yield problem(
                "analyses.yaml", entry["id"], place, value, message, line_of(entry, [place])
            )


def outcome_names(entry: Mapping[str, Any]) -> list[str]:
    """Outcomes that an entry names: one, or a list in order of preference."""
    named = entry["outcome"]
    return [named] if isinstance(named, str) else list(named)


def outcomes_of(entry: Mapping[str, Any], outcomes: Mapping[str, Outcome]) -> tuple[Outcome, ...]:
    """The outcomes that an entry names."""
    return tuple(outcomes[name] for name in outcome_names(entry))


def outcome_faults(
    entry: Mapping[str, Any], tables: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the outcome and the measures of an entry.

    Parameters
    ----------
    entry : mapping
        ``outcome``, and ``measures`` or ``measure``.
    tables : mapping of str to str
        Outcome -> table of the sheet.

    Yields
    ------
    tuple of str
        Place in the entry, what stands there, and the message.
    """
    names = outcome_names(entry)
    for name in names:
        if name not in tables:
            yield (
                "outcome", name,
                f"is not described under outcomes of analyses.yaml. Described: "
                f"{', '.join(tables)}.{did_you_mean(name, tables)}",
            )  # fmt: skip
    known = [tables[name] for name in names if name in tables]
    for name, table in zip(names[1:], known[1:], strict=False):
        if table != known[0]:
            yield "outcome", name, f"is in {table}.csv, the first outcome in {known[0]}.csv."
    first, *others = entry.get("measures", ["proportion"])
    for name in others:
        if MEASURES[name].kind != MEASURES[first].kind:
            kinds = f"it is made of {MEASURES[name].kind}, {first} of {MEASURES[first].kind}"
            yield "measures", name, f"does not go with the first measure: {kinds}."


def _analysis(
    entry: Mapping[str, Any],
    modifiers: Mapping[str, EffectModifier],
    outcomes: Mapping[str, Outcome],
) -> Analysis:
    rule = entry["contrast"]
    return Analysis(
        id=entry["id"],
        setting=entry["setting"],
        title=entry["title"],
        outcomes=outcomes_of(entry, outcomes),
        measures=tuple(entry["measures"]),
        contrast=ContrastRule(
            kind=rule["kind"],
            control=tuple(rule["control"]) if "control" in rule else None,
            same_partner=rule.get("same_partner"),
            changed_backbone=rule.get("changed_backbone"),
        ),
        pool=entry["pool"],
        subgroups=entry["subgroups"],
        effect_modifiers=tuple(modifiers[f] for f in entry.get("effect_modifiers", ())),
        arm_labels=(entry["arms"][0], entry["arms"][1]),
        figure=_figure(entry),
    )


def _figure(entry: Mapping[str, Any]) -> FigureChoices:
    chosen = dict(entry.get("figure", {}))
    for name in ("columns", "axis"):
        if name in chosen:
            chosen[name] = tuple(chosen[name])
    return FigureChoices(**chosen)


def _orders(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...] | str]:
    return {k: v if v == LONGEST else tuple(v) for k, v in entry.items()}


def problem(
    file: str, subject: str, column: str, value: str, message: str, line: int | None = None
) -> Problem:
    """An error in a configuration file.

    Parameters
    ----------
    file : str
    subject : str
        The entry it is about, or ``""``.
    column : str
        The setting, or ``""``.
    value : str
        What stands there, where the message begins with it.
    message : str
    line : int, optional
        Where it stands in the file.
    """
    quoted = f'"{value}" ' if value else ""
    entry = f"{subject}: " if subject else ""
    return Problem("error", file, line, subject, column, value, f"{entry}{quoted}{message}")
