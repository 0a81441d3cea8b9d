"""The settings of method and the list of analyses, read from config/ and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonschema
import yaml

from trial_evidence.method_configuration import (
    Pooling,
    Sensitivity,
    method_faults,
    pooling_of,
    sensitivity_of,
)
from trial_evidence.sheet import Problem, SheetError, did_you_mean

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

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


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
    """Problems for control arms in analyses.yaml that name an agent the sheet does not know."""
    return tuple(
        problem("analyses.yaml", analysis.id, "control", part, "is not an agent of agents.csv.")
        for analysis in configuration.analyses
        for regimen in analysis.contrast.control or ()
        if regimen != NO_AGENT
        for part in regimen.split("+")
        if part not in agents
    )


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
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return {}, [problem(path.name, "", "", "", f"The file cannot be read: {error}")]
    rules = yaml.safe_load((SCHEMAS / schema).read_text(encoding="utf-8"))
    faults = sorted(
        jsonschema.Draft202012Validator(rules).iter_errors(content), key=lambda e: list(e.path)
    )
    return content, [_schema_problem(path.name, content, fault) for fault in faults]


def _schema_problem(file: str, content: Any, fault: jsonschema.ValidationError) -> Problem:
    path = list(fault.absolute_path)
    subject = ""
    if len(path) >= 2 and isinstance(path[1], int):
        entry = content[path[0]][path[1]]
        subject = str(entry.get("id", f"entry {path[1] + 1}")) if isinstance(entry, dict) else ""
    place = ".".join(str(p) for p in path if not isinstance(p, int))
    return problem(file, subject, place, "", _in_words(fault))


def _in_words(fault: jsonschema.ValidationError) -> str:
    """What breaks a schema, for somebody who has never seen one."""
    found, rule, schema = fault.instance, fault.validator_value, fault.schema
    if fault.validator == "additionalProperties":
        known = sorted(schema.get("properties", {}))
        unknown = next(key for key in found if key not in known)
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
        return f'"{found}" is not {TYPES.get(rule, rule)}.' if found is not None else (
            f"Here stands nothing; it has to be {TYPES.get(rule, rule)}."
        )  # fmt: skip
    if fault.validator in ("anyOf", "oneOf", "pattern") and "description" in schema:
        return f'"{found}" is not allowed. Allowed: {schema["description"]}.'
    message = str(fault.message)
    return message[0].upper() + message[1:]


def _cross_problems(analyses: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for entry in [*analyses["analyses"], *analyses["rates"]]:
        if entry["setting"] not in analyses["settings"]:
            allowed = ", ".join(analyses["settings"])
            yield problem(
                "analyses.yaml", entry["id"], "setting", entry["setting"],
                f"is not allowed. Allowed: {allowed}",
            )  # fmt: skip
        if (entry["setting"], entry["id"]) in seen:
            yield problem("analyses.yaml", entry["id"], "id", entry["id"], "stands twice.")
        seen.add((entry["setting"], entry["id"]))
        for factor in entry.get("effect_modifiers", ()):
            if factor not in analyses["effect_modifiers"]:
                yield problem(
                    "analyses.yaml", entry["id"], "effect_modifiers", factor,
                    "is not described under effect_modifiers.",
                )  # fmt: skip
        low, high = entry.get("figure", {}).get("axis", (0, 1))
        if low >= high:
            yield problem(
                "analyses.yaml", entry["id"], "axis", f"{low:g}, {high:g}",
                "is no range: the lower end comes first.",
            )  # fmt: skip
        measures = entry.get("measures", ["proportion"])
        if low <= 0 and "axis" in entry.get("figure", {}) and measures[0].endswith("ratio"):
            yield problem(
                "analyses.yaml", entry["id"], "axis", f"{low:g}, {high:g}",
                "does not fit the measure: a ratio is above 0.",
            )  # fmt: skip
        counted = entry["outcome"] == "pcr"
        for measure in entry.get("measures", ()):
            if counted == (measure == "hazard_ratio"):
                yield problem(
                    "analyses.yaml", entry["id"], "measures", measure,
                    "does not fit the outcome: counts make risk ratios, odds ratios and risk "
                    "differences, times make hazard ratios.",
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


def problem(file: str, subject: str, column: str, value: str, message: str) -> Problem:
    """An error in a configuration file: the entry it is about, what stands there, what is wrong."""
    quoted = f'"{value}" ' if value else ""
    entry = f"{subject}: " if subject else ""
    return Problem("error", file, None, subject, column, value, f"{entry}{quoted}{message}")
