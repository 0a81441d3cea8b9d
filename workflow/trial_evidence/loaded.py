"""Sheet and configuration, read and checked against each other.

Every command begins here: it gets both without errors, or one error listing all problems in both.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from trial_evidence.config.configuration import FILE as ANALYSES
from trial_evidence.config.configuration import (
    Configuration,
    doubtful_settings,
    read_configuration,
    settings_left_out,
    unknown_agents,
    unknown_analyses,
)
from trial_evidence.config.labels import LABELS, unknown_texts
from trial_evidence.config.looks import (
    FigureConfiguration,
    configured_texts,
    read_figure_configuration,
)
from trial_evidence.config.methods import FILE as METHODS
from trial_evidence.config.methods import LONGEST
from trial_evidence.config.networks import FILE as NETWORKS
from trial_evidence.config.networks import (
    NetworkConfiguration,
    read_networks,
    unknown_network_names,
)
from trial_evidence.config.reading import Place, lines_of, problem, read
from trial_evidence.config.registry import FILE as REGISTRY_FILE
from trial_evidence.config.registry import read_registry_words
from trial_evidence.config.reports import FILE as REPORT
from trial_evidence.config.reports import (
    AssociationRule,
    InteractionRule,
    ReportConfiguration,
    certainty_problems,
    read_report_configuration,
)
from trial_evidence.config.simulation import FILE as CALIBRATION
from trial_evidence.config.simulation import Simulation
from trial_evidence.kept import digest, read_state
from trial_evidence.sheet import Dictionary, Sheet, load_sheet, read_dictionary
from trial_evidence.sheet.check import in_order
from trial_evidence.words.problems import Problem, SheetError, errors_of, told_in
from trial_evidence.words.supplied import supplied

DICTIONARY = supplied("dictionary")
# Names at least this similar count as the same name, misspelt. Set high: names of two different
# biological factors may share half their letters.
_A_SLIP = 0.8
# Files of config/ that name factors, levels, biomarkers and definitions.
_NAMING = (METHODS, ANALYSES, REPORT)


Loaded = tuple[Configuration, Sheet, tuple[Problem, ...]]
# Configuration, sheet and warnings before settled values are applied; the dictionary used.
_Unsettled = tuple[Configuration, Sheet, tuple[Problem, ...], Dictionary]
# Checksum of the files -> their content as `remember` loaded it.
_REMEMBERED: dict[str, _Unsettled] = {}


def load(raw: Path, config: Path, *, settled: bool = True) -> Loaded:
    """Return the configuration, the sheet, and the warnings about them.

    Where two readers disagreed and the disagreement was settled, the sheet has the settled values;
    with ``settled=False`` it has those of the first reader.

    Raises
    ------
    SheetError
        If there is any error; it lists all problems in both.
    """
    from trial_evidence.sheet.adjudication import apply_adjudications

    known = _REMEMBERED.get(_checksum(raw, config)) if _REMEMBERED else None
    configuration, sheet, warnings, dictionary = known or _load(raw, config)
    if settled:
        sheet = apply_adjudications(sheet, dictionary)
    return configuration, sheet, warnings


def remember(raw: Path, config: Path) -> None:
    """Load these files into memory for forked processes, replacing any loaded before.

    Each fork has its own copy and may modify it.

    Raises
    ------
    SheetError
        As for `load`.
    """
    name = _checksum(raw, config)
    if name not in _REMEMBERED:
        _REMEMBERED.clear()
        _REMEMBERED[name] = _load(raw, config)


def _checksum(raw: Path, config: Path) -> str:
    """Checksum of all files that `load` reads."""
    return digest(read_state(raw, config), [p.read_bytes() for p in sorted(DICTIONARY.glob("*"))])


def _load(raw: Path, config: Path) -> _Unsettled:
    dictionary = read_dictionary(DICTIONARY)
    configured, problems = _configured(config, dictionary)
    if configured.analyses is not None:
        dictionary = with_words(dictionary, configured.analyses)
    sheet = None
    with told_in(problems):
        sheet, warnings = load_sheet(raw, dictionary)
        problems += warnings
    if sheet is not None:
        problems += _against_the_sheet(configured, sheet, dictionary, config)
        if configured.looks is not None:
            looks = configured.looks.languages
            problems += unknown_texts(looks, _texts(sheet, config), config / LABELS)
    errors = errors_of(problems)
    warnings = tuple(problem for problem in problems if problem.severity == "warning")
    if errors or configured.analyses is None or sheet is None:
        raise SheetError((*errors, *warnings))
    return configured.analyses, sheet, warnings, dictionary


def with_unjudged(loaded: Loaded, among: Collection[str] | None = None) -> tuple[Problem, ...]:
    """Warnings about a sheet without errors, those on its use in the analyses included.

    These are on pooled trials without a judgement, on analyses that no trial fits, and where only
    the order of the rows decides what an analysis uses.

    Parameters
    ----------
    among : collection of str, optional
        Trials to check for a missing judgement; all by default.
    """
    from trial_evidence.extract.evidence import unmet_rules
    from trial_evidence.extract.judged import unjudged_problems
    from trial_evidence.extract.undecided import undecided_contrasts, undecided_rows

    configuration, sheet, warnings = loaded
    unjudged = unjudged_problems(sheet, configuration, among)
    unused = unmet_rules(sheet, configuration)
    undecided = (
        *undecided_contrasts(sheet, configuration),
        *undecided_rows(sheet, configuration),
    )
    return in_order([*warnings, *unjudged, *unused, *undecided], read_dictionary(DICTIONARY))


def problems_of(raw: Path, config: Path, among: Collection[str]) -> tuple[Problem, ...]:
    """The warnings of `with_unjudged`, or all problems if the sheet or configuration has errors."""
    try:
        return with_unjudged(load(raw, config), among)
    except SheetError as error:
        return error.problems


def with_words(dictionary: Dictionary, configuration: Configuration) -> Dictionary:
    """The dictionary extended by the settings and outcomes that the configuration names."""
    wider = dictionary.with_words("setting", configuration.settings)
    for outcome in configuration.outcomes.values():
        table = dictionary.tables.get(outcome.table)
        if table is not None and table.kind:
            wider = wider.with_words(table.outcome_column, [outcome.name], table.name)
    return wider


def words_of(folder: Path) -> Dictionary:
    """The dictionary the sheet is checked against; not extended if the analyses have errors."""
    dictionary = read_dictionary(DICTIONARY)
    configured, _ = _configured(folder, dictionary)
    sound = configured.analyses
    return dictionary if sound is None else with_words(dictionary, sound)


@dataclass(frozen=True)
class _Configured:
    """The configuration files that could be read without errors; None for the others."""

    analyses: Configuration | None = None
    networks: NetworkConfiguration | None = None
    report: ReportConfiguration | None = None
    looks: FigureConfiguration | None = None


def _configured(folder: Path, dictionary: Dictionary) -> tuple[_Configured, list[Problem]]:
    """All of config/ and its problems, within each file and between files."""
    problems: list[Problem] = []

    def sound(reading: Callable[[], Any]) -> Any:
        with told_in(problems):
            return reading()
        return None

    tables, results = dictionary.tables, dictionary.of_kind("counts", "contrasts")
    known: dict[str, Any] = {"kinds": dictionary.kinds, "trials": tables["trials"].words}
    words = {name: tables[name].words for name in results}
    known["tables"] = {
        name: {column: (LONGEST,) if tables[name].columns[column].is_number else allowed
               for column, allowed in words[name].items()}
        for name in results
    }  # fmt: skip
    looks = sound(lambda: read_figure_configuration(folder))
    if looks is not None:
        known["languages"] = looks.languages
    sound(lambda: read(folder / CALIBRATION, Simulation))
    analyses = sound(lambda: read_configuration(folder, **known))
    if analyses is None:
        # Without valid analyses, the other files can only be checked for their form.
        sound(lambda: read(folder / REPORT, ReportConfiguration))
        sound(lambda: read(folder / NETWORKS, NetworkConfiguration))
        return _Configured(looks=looks), problems
    networks = sound(lambda: read_networks(folder, analyses, kinds=dictionary.kinds))
    of_rates = [tables[name].words for name in dictionary.of_kind("rates")]
    populations = [word for known in of_rates for word in known.get("population", ())]
    report = sound(
        lambda: read_report_configuration(folder, analyses, networks, populations=populations)
    )
    # Only `make registry` needs it.
    if (folder / REGISTRY_FILE).exists():
        sound(lambda: read_registry_words(folder, analyses.outcomes, words))
    return _Configured(analyses, networks, report, looks), problems


def _texts(sheet: Sheet, config: Path) -> Iterator[str]:
    """All text of the sheet and of config/ that a figure might print."""
    yield from configured_texts(config)
    for table in sheet.tables.values():
        for column in table.columns:
            yield from map(str, table[column].unique())


def _reported(sheet: Sheet) -> dict[str, set[str]]:
    """The outcomes that the sheet has of each trial."""
    reported: dict[str, set[str]] = {}
    for table in sheet.results:
        for trial, outcome in sheet[table][["trial_id", "outcome"]].itertuples(index=False):
            reported.setdefault(trial, set()).add(outcome)
    return reported


def _against_the_sheet(
    configured: _Configured, sheet: Sheet, dictionary: Dictionary, config: Path
) -> Iterator[Problem]:
    """Problems for names in the configuration that the sheet lacks, and the reverse."""
    from trial_evidence.sheet.adjudication import adjudication_problems

    analyses, networks = configured.analyses, configured.networks
    # Without analyses there are no networks either.
    if analyses is not None:
        agents, arms = list(sheet["agents"]["agent"]), list(sheet["arms"]["arm_id"])
        places = [] if networks is None else [(n.setting, n.id) for n in networks.networks]
        yield from unknown_agents(analyses, agents, lines_of(config / ANALYSES))
        yield from settings_left_out(analyses, sheet["trials"])
        yield from doubtful_settings(analyses, sheet["trials"], _reported(sheet))
        if networks is not None:
            yield from unknown_analyses(analyses, sheet["exclusions"], [name for _, name in places])
        yield from certainty_problems(analyses, places, sheet["certainty"])
        if networks is not None:
            yield from unknown_network_names(networks, agents, arms, lines_of(config / NETWORKS))
        yield from misspelt_names(analyses, configured.report, sheet, dictionary, config)
    yield from adjudication_problems(sheet, dictionary)


def misspelt_names(
    configuration: Configuration,
    report: ReportConfiguration | None,
    sheet: Sheet,
    dictionary: Dictionary,
    config: Path,
) -> Iterator[Problem]:
    """Warnings for names of factors, levels, biomarkers and definitions that look misspelt.

    They would silently find no data. A name similar to none in the sheet is not a misspelling: it
    may not have been reported yet.
    """
    levels, lines = _levels(sheet), {name: lines_of(config / name) for name in _NAMING}
    named = [*_names_of_methods(configuration, sheet, dictionary, levels)]
    named += [] if report is None else _names_of_report(report, sheet, levels)
    for file, place, entry, names, known in named:
        spelt = {name.casefold(): name for name in sorted(known)}
        for at, name in enumerate(names):
            near = get_close_matches(name.casefold(), spelt, 1, _A_SLIP)
            if near and name not in known:
                message = (
                    f"is in no row of the sheet, so it finds no data. Did you mean "
                    f'"{spelt[near[0]]}"?'
                )
                column = next(str(step) for step in reversed(place) if isinstance(step, str))
                found = problem(file, entry, column, name, message, lines[file]((*place, at)))
                yield replace(found, severity="warning")


_Levels = Mapping[str, Collection[str]]
# File, place and entry of names in the configuration, the names, and those of their kind in the
# sheet.
_Names = tuple[str, Place, str, Sequence[str], Collection[str]]


def _levels(sheet: Sheet) -> dict[str, set[str]]:
    """Factor -> the levels by which trials report results, or to which they are confined."""
    from trial_evidence.sheet.values import subgroup_pairs

    levels: dict[str, set[str]] = {}
    for table in (*sheet.results, "populations"):
        for text in sheet[table]["subgroup"].unique():
            for factor, level in subgroup_pairs(text) or ():
                levels.setdefault(factor, set()).add(level)
    return levels


def _levels_named(file: str, place: Place, entry: str, text: str, known: _Levels) -> list[_Names]:
    """The factor and the level of ``factor=level``."""
    factor, _, level = text.partition("=")
    return [
        (file, place, entry, [factor], known.keys()),
        (file, place, entry, [level], known.get(factor, ())),
    ]


def _names_of_methods(
    configuration: Configuration, sheet: Sheet, dictionary: Dictionary, levels: _Levels
) -> Iterator[_Names]:
    """Names in config.yaml and analyses.yaml."""
    for modifier in configuration.effect_modifiers.values():
        place: Place = ("effect_modifiers", modifier.factor, "levels")
        yield ANALYSES, place, "", modifier.levels, levels.get(modifier.factor, ())
    tried = configuration.sensitivity
    place = "sensitivity", "effect_modifiers"
    yield METHODS, place, "", tried.effect_modifiers, levels
    for at, covariate in enumerate(tried.covariates):
        if "=" in covariate:
            place = ("sensitivity", "covariates", at)
            yield from _levels_named(METHODS, place, "", covariate, levels)
    for table, orders in configuration.selection.orders.items():
        words = dictionary.tables[table].words
        for column, order in orders.items():
            if not words[column] and not isinstance(order, str):
                place = ("selection", table, column)
                yield METHODS, place, "", order, set(sheet[table][column])


def _names_of_report(
    report: ReportConfiguration, sheet: Sheet, levels: _Levels
) -> Iterator[_Names]:
    """Names in report.yaml."""
    reports = sheet["biomarker_effects"]
    biomarkers = set(reports["biomarker"])
    for at, risk in enumerate(report.control_risks):
        for n, subgroup in enumerate(risk.subgroups):
            place: Place = ("control_risks", at, "subgroups", n)
            yield from _levels_named(REPORT, place, risk.analysis, subgroup, levels)
    for at, claim in enumerate(report.claims):
        place = ("claims", at, "rule")
        if isinstance(claim.rule, InteractionRule):
            yield REPORT, (*place, "factor"), claim.id, [claim.rule.factor], levels
        elif isinstance(claim.rule, AssociationRule):
            yield REPORT, (*place, "biomarkers"), claim.id, claim.rule.biomarkers, biomarkers
            # These two give the beginning of a cell.
            for key, column in (("outcomes", "outcome"), ("contrasts", "contrast")):
                for begins in getattr(claim.rule, key):
                    known = {text[: len(begins)] for text in reports[column]}
                    yield REPORT, (*place, key), claim.id, [begins], known
    for at, biomarker in enumerate(report.biomarkers):
        place = ("biomarkers", at)
        yield REPORT, (*place, "factors"), biomarker.id, biomarker.factors, levels
        yield REPORT, (*place, "markers"), biomarker.id, biomarker.markers, biomarkers
