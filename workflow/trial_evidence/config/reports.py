"""config/report.yaml: the claims that are examined, and the rules of certainty and effects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trial_evidence.config.configuration import Configuration, problem, read_yaml
from trial_evidence.config.yaml_files import line_of
from trial_evidence.words.problems import Problem, SheetError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

FILE = "report.yaml"
Direction = Literal["above", "below"]
# Names so much alike are taken for the same; two factors of biology may share half their letters.
_A_SLIP = 0.8
# Tables of a network that a claim may read, and the columns of each that it may name.
CLAIM_TABLES = {
    "interactions": (
        "first", "second", "trials_with", "trials_within", "estimate", "ci_low", "ci_high",
        "posterior_median", "posterior_low", "posterior_high",
    ),
    "synergy": (
        "scale", "background", "agents", "kind", "trial", "model", "k", "estimate", "ci_low",
        "ci_high",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class CertaintyRules:
    """From which value on a domain of certainty is proposed as serious or very serious.

    Attributes
    ----------
    high_risk_share, very_high_risk_share : float
        Share of the weight of trials at high risk of bias.
    concerns_share : float
        Share of the weight of trials with some concerns, at high risk or not judged.
    i2, very_high_i2 : float
        I2 in percent.
    power, alpha : float
        Of the optimal information size, in percent; alpha two-sided.
    small_study_trials : int
        Fewer trials are not tested for small-study effects.
    small_study_p : float
        A p value below it is a sign of small-study effects.
    """

    high_risk_share: float
    very_high_risk_share: float
    concerns_share: float
    i2: float
    very_high_i2: float
    power: float
    alpha: float
    small_study_trials: int
    small_study_p: float


@dataclass(frozen=True)
class ControlRisk:
    """Where the risks without the second agent come from, for absolute effects of an analysis.

    Attributes
    ----------
    setting, analysis : str
    source : {"control_arms", "control_median", "stated"}
        Quartiles of the control arms pooled; one half, at the control arms' own median time; or
        the risks stated.
    risks : tuple of float
        Low, moderate, high; only where they are stated.
    basis : str
        Where stated risks come from, and of what time, in words for the reader.
    """

    setting: str
    analysis: str
    source: Literal["control_arms", "control_median", "stated"]
    risks: tuple[float, ...]
    basis: str


@dataclass(frozen=True)
class EffectRule:
    """Is there a benefit? By the leading (and co-primary) interval of an analysis."""

    setting: str
    analysis: str


@dataclass(frozen=True)
class InteractionRule:
    """Does the effect differ between the levels of a factor, compared inside the trials?"""

    setting: str
    analysis: str
    factor: str


@dataclass(frozen=True)
class GroupsRule:
    """Do groups of trials differ? By the test for subgroup differences."""

    setting: str
    analysis: str
    factor: str


@dataclass(frozen=True)
class AssociationRule:
    """Is a biomarker associated with an outcome? By the rows of biomarker_effects, not pooled.

    Attributes
    ----------
    biomarkers : tuple of str
        Names of the biomarker in the sheet.
    outcomes : tuple of str
        How the outcome begins in the sheet.
    contrasts : tuple of str
        How the contrast begins; empty: any.
    direction : {"above", "below"}
        On which side of 1 the claim expects the ratio.
    """

    biomarkers: tuple[str, ...]
    outcomes: tuple[str, ...]
    contrasts: tuple[str, ...]
    direction: Direction


@dataclass(frozen=True)
class TableRule:
    """Does an interval in a table of results lie on one side of a value?

    Attributes
    ----------
    file : str
        Below results/.
    where : mapping of str to str
        Column -> text that its cell must hold; the model ``random_effects`` stands for the one
        that config.yaml chooses.
    measure : str
        What the estimate is, as the report prints it.
    estimate, low, high, trials : str
        Columns; ``trials`` with the number of trials.
    no_effect : float
    direction : {"above", "below"}
    """

    file: str
    where: Mapping[str, str]
    measure: str
    estimate: str
    low: str
    high: str
    trials: str
    no_effect: float
    direction: Direction


Rule = EffectRule | InteractionRule | GroupsRule | AssociationRule | TableRule


@dataclass(frozen=True)
class Claim:
    """A sentence that the evidence may or may not support, and how it is examined."""

    id: str
    group: str
    text: str
    rule: Rule


@dataclass(frozen=True)
class ClaimRules:
    """What counts as enough data for a verdict.

    Attributes
    ----------
    min_trials : int
        For an effect and for an interaction.
    min_trials_of_a_test : int
        Fewer trials do not show that groups are alike.
    min_studies : int
        For an association.
    """

    min_trials: int
    min_trials_of_a_test: int
    min_studies: int


@dataclass(frozen=True)
class ReportConfiguration:
    """All of report.yaml.

    Attributes
    ----------
    title : str
        Of the report.
    worthwhile_ratio : float
        Above 1: the smallest ratio that matters. Its reciprocal is the smallest that matters in
        the other direction. Differences are not examined by it.
    """

    title: str
    worthwhile_ratio: float
    certainty: CertaintyRules
    control_risks: tuple[ControlRisk, ...]
    claim_rules: ClaimRules
    claims: tuple[Claim, ...]


_RULES: Mapping[str, Any] = {
    "effect": EffectRule,
    "interaction": InteractionRule,
    "groups": GroupsRule,
    "association": AssociationRule,
    "table": TableRule,
}


def read_report_configuration(folder: Path, configuration: Configuration) -> ReportConfiguration:
    """Read and check ``report.yaml``.

    Parameters
    ----------
    folder : Path
    configuration : Configuration
        Holds the analyses that the file may name.

    Returns
    -------
    ReportConfiguration

    Raises
    ------
    SheetError
        When the file is missing, breaks its schema, or names an analysis that there is not.
    """
    content, problems = read_yaml(folder / FILE, "report.schema.yaml")
    if not problems:
        problems = list(_cross_problems(content, configuration))
    if problems:
        raise SheetError(tuple(problems))
    return ReportConfiguration(
        title=content["title"],
        worthwhile_ratio=float(content["worthwhile_ratio"]),
        certainty=CertaintyRules(**content["certainty"]),
        control_risks=tuple(
            ControlRisk(
                entry["setting"],
                entry["analysis"],
                entry["source"],
                tuple(float(risk) for risk in entry.get("risks", ())),
                entry.get("basis", ""),
            )
            for entry in content["control_risks"]
        ),
        claim_rules=ClaimRules(**content["claim_rules"]),
        claims=tuple(
            Claim(entry["id"], entry["group"], entry["text"], _rule(entry["rule"]))
            for entry in content["claims"]
        ),
    )


def certainty_problems(
    configuration: Configuration, judgements: "pd.DataFrame"
) -> tuple[Problem, ...]:
    """Problems for judgements of certainty about an analysis that analyses.yaml does not hold.

    Parameters
    ----------
    configuration : Configuration
    judgements : DataFrame
        ``setting``, ``analysis`` and ``row`` (as the spreadsheet numbers it).
    """
    problems = []
    for setting, analysis, row in zip(
        judgements["setting"], judgements["analysis"], judgements["row"], strict=True
    ):
        known = [a.id for a in configuration.of_setting(setting) if a.pool == "overall"]
        if analysis not in known:
            held = analysis in (a.id for a in configuration.of_setting(setting))
            message = (
                f'"{analysis}" is not pooled as one, so that there is no certainty to judge. '
                f"Allowed: {', '.join(known)}."
                if held
                else f'"{analysis}" is not an analysis of this setting in config/analyses.yaml. '
                f"Allowed: {', '.join(known)}.{did_you_mean(analysis, known)}"
            )
            problems.append(
                Problem("error", "certainty.csv", int(row), analysis, "analysis", analysis, message)
            )
    return tuple(problems)


def _rule(entry: Mapping[str, Any]) -> Rule:
    kind = _RULES[entry["kind"]]
    fields = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in entry.items()
        if name != "kind"
    }
    if kind is AssociationRule:
        fields.setdefault("contrasts", ())
    found: Rule = kind(**fields)
    return found


def unknown_evidence(
    report: ReportConfiguration, factors: Sequence[str], biomarkers: Sequence[str]
) -> tuple[Problem, ...]:
    """Warnings for claims whose factor or biomarker is a slip of one that the sheet holds.

    One that resembles nothing in the sheet is no slip: nobody has reported by it yet.

    Parameters
    ----------
    report : ReportConfiguration
    factors : sequence of str
        By which trials report, and by which their own effects are compared.
    biomarkers : sequence of str
        Of ``biomarker_effects``.
    """
    found: list[Problem] = []
    for claim in report.claims:
        named: tuple[str, ...]
        if isinstance(claim.rule, InteractionRule):
            column, named, known = "factor", (claim.rule.factor,), factors
        elif isinstance(claim.rule, AssociationRule):
            column, named, known = "biomarkers", claim.rule.biomarkers, biomarkers
        else:
            continue
        for name in named:
            if name not in known and (meant := get_close_matches(name, known, 1, _A_SLIP)):
                message = (
                    "stands in no row of the sheet, so the claim finds no data. "
                    f'Did you mean "{meant[0]}"?'
                )
                slip = problem(FILE, claim.id, column, name, message)
                found.append(replace(slip, severity="warning"))
    return tuple(found)


def unknown_tables(
    report: ReportConfiguration, networks: Sequence[tuple[str, str]]
) -> tuple[Problem, ...]:
    """Problems for claims about a table or column that no network makes.

    Parameters
    ----------
    report : ReportConfiguration
    networks : sequence of (str, str)
        Setting and id of the networks.
    """
    files = [
        f"{setting}/network/{name}/{table}.csv"
        for setting, name in networks
        for table in CLAIM_TABLES
    ]
    found = []
    for claim in report.claims:
        if not isinstance(rule := claim.rule, TableRule):
            continue
        if rule.file not in files:
            message = f"is not a table that is made.{did_you_mean(rule.file, files)}"
            found.append(problem(FILE, claim.id, "file", rule.file, message))
            continue
        known = CLAIM_TABLES[Path(rule.file).stem]
        named = [(key, getattr(rule, key)) for key in ("estimate", "low", "high", "trials")]
        named += [("where", name) for name in rule.where]
        found += [
            problem(
                FILE, claim.id, key, name,
                f"is not a column of {rule.file}. Columns: {', '.join(known)}."
                f"{did_you_mean(name, known)}",
            )
            for key, name in named
            if name not in known
        ]  # fmt: skip
    return tuple(found)


def _cross_problems(content: Mapping[str, Any], configuration: Configuration) -> Iterator[Problem]:
    known = {(a.setting, a.id): a for a in configuration.analyses}
    named = [(entry["analysis"], entry) for entry in content["control_risks"]]
    named += [(entry["id"], entry["rule"]) for entry in content["claims"]]
    for subject, entry in named:
        if "analysis" not in entry:
            continue
        place = f"{entry['setting']}/{entry['analysis']}"
        line = line_of(entry, ["analysis"])
        analysis = known.get((entry["setting"], entry["analysis"]))
        if analysis is None:
            near = did_you_mean(place, [f"{setting}/{name}" for setting, name in known])
            message = f"is not an analysis of analyses.yaml.{near}"
            yield problem(FILE, subject, "analysis", place, message, line)
        elif analysis.pool != "overall" and entry.get("kind", "effect") == "effect":
            message = "is not pooled as one, so that there is no effect to speak of."
            yield problem(FILE, subject, "analysis", place, message, line)
        elif (analysis.kind == "counts") != (entry.get("source") == "control_arms") and (
            entry.get("source") in ("control_arms", "control_median")
        ):
            wanted = "control_arms" if analysis.kind == "counts" else "control_median"
            yield problem(
                FILE, subject, "source", entry["source"],
                f"does not fit the outcome of the analysis. Write {wanted} or stated.",
                line_of(entry, ["source"]),
            )  # fmt: skip
        elif entry.get("kind") == "groups" and entry["factor"] != analysis.subgroups:
            yield problem(
                FILE, subject, "factor", entry["factor"],
                f"is not what groups the trials of this analysis; that is {analysis.subgroups}.",
                line_of(entry, ["factor"]),
            )  # fmt: skip
    yield from _twice("claims", [(entry["id"], entry) for entry in content["claims"]])
    yield from _twice(
        "control_risks",
        [(f"{entry['setting']}/{entry['analysis']}", entry) for entry in content["control_risks"]],
    )
    for entry in content["control_risks"]:
        if list(entry.get("risks", ())) != sorted(entry.get("risks", ())):
            yield problem(
                FILE, entry["analysis"], "risks", "", "Risks stand from the lowest to the highest.",
                line_of(entry, ["risks"]),
            )  # fmt: skip


def _twice(column: str, named: Sequence[tuple[str, Any]]) -> Iterator[Problem]:
    names = [name for name, _ in named]
    for position, (name, entry) in enumerate(named):
        if name in names[:position]:
            yield problem(FILE, name, column, name, "stands twice.", line_of(entry, []))
