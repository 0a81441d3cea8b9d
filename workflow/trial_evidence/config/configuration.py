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
class Analysis:
    """One comparison of two kinds of arm on one outcome in one setting."""

    id: str
    setting: str
    title: str
    endpoints: tuple[str, ...]
    measures: tuple[Measure, ...]
    contrast: ContrastRule
    pool: Pool
    subgroups: str
    effect_modifiers: tuple[EffectModifier, ...]
    arm_labels: tuple[str, str]
    figure: FigureChoices = FigureChoices()

    @property
    def is_pcr(self) -> bool:
        """Whether the outcome is counted (pCR) and not timed."""
        return self.endpoints == ("pcr",)


@dataclass(frozen=True)
class RateAnalysis:
    """Pooled rates of one outcome over all arms of a setting, by regimen and partner."""

    id: str
    setting: str
    title: str
    effect_modifiers: tuple[EffectModifier, ...]
    figure: FigureChoices = FigureChoices()


@dataclass(frozen=True)
class Selection:
    """Admission rules and orders of preference; column name -> admitted or ordered words."""

    admit: Mapping[str, tuple[str, ...]]
    pcr: Mapping[str, tuple[str, ...] | str]
    hazard_ratio: Mapping[str, tuple[str, ...] | str]


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
    chosen = settings["selection"]
    return Configuration(
        confidence_level=float(settings["confidence_level"]),
        tau_prior_scale={k: float(v) for k, v in settings["tau_prior_scale"].items()},
        effect_modifier_min_trials=settings["effect_modifier_min_trials"],
        pooling=pooling_of(settings["pooling"]),
        sensitivity=sensitivity_of(settings["sensitivity"]),
        selection=Selection(
            admit={k: tuple(v) for k, v in chosen["admit"].items()},
            pcr=_orders(chosen["pcr"]),
            hazard_ratio=_orders(chosen["hazard_ratio"]),
        ),
        figure_width_mm=float(settings["figures"]["width_mm"]),
        figure_formats=tuple(settings["figures"]["formats"]),
        settings=dict(analyses["settings"]),
        analyses=tuple(_analysis(entry, modifiers) for entry in analyses["analyses"]),
        rates=tuple(
            RateAnalysis(
                id=entry["id"],
                setting=entry["setting"],
                title=entry["title"],
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


def unknown_endpoints(
    file: str, entries: Iterable[tuple[str, Sequence[str]]], endpoints: Sequence[str]
) -> tuple[Problem, ...]:
    """Problems for outcomes that the sheet has no word for.

    Parameters
    ----------
    file : str
        Configuration file that names them.
    entries : iterable of (str, sequence of str)
        Id of an analysis or network, and its endpoints in order of preference.
    endpoints : sequence of str
        Words that the sheet allows.
    """
    allowed = ", ".join(endpoints)
    return tuple(
        problem(
            file, subject, "outcome", name,
            f"is not an endpoint of hazard_ratios.csv. Allowed: {allowed}."
            f"{did_you_mean(name, endpoints)}",
        )
        for subject, named in entries
        for name in named
        if name not in ("pcr", *endpoints)
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
        counted = entry["outcome"] == "pcr"
        for measure in entry.get("measures", ()):
            if counted == (measure == "hazard_ratio"):
                yield problem(
                    "analyses.yaml", entry["id"], "measures", measure,
                    "does not fit the outcome: counts make risk ratios, odds ratios and risk "
                    "differences, times make hazard ratios.", line_of(entry, ["measures"]),
                )  # fmt: skip


def _analysis(entry: Mapping[str, Any], modifiers: Mapping[str, EffectModifier]) -> Analysis:
    rule = entry["contrast"]
    outcome = entry["outcome"]
    return Analysis(
        id=entry["id"],
        setting=entry["setting"],
        title=entry["title"],
        endpoints=("pcr",) if outcome == "pcr" else tuple(outcome),
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
