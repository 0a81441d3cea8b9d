"""Sheet and configuration, read and held against each other.

Every command begins here: it gets both, sound, or is told every fault of both at once.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trial_evidence.config.configuration import FILE as ANALYSES
from trial_evidence.config.configuration import (
    Configuration,
    read_configuration,
    settings_left_out,
    unknown_agents,
    unknown_analyses,
)
from trial_evidence.config.labels import LABELS, unknown_texts
from trial_evidence.config.looks import FigureConfiguration, read_figure_configuration
from trial_evidence.config.networks import FILE as NETWORKS
from trial_evidence.config.networks import (
    NetworkConfiguration,
    read_networks,
    unknown_network_names,
)
from trial_evidence.config.reading import lines_of, read
from trial_evidence.config.registry import FILE as REGISTRY_FILE
from trial_evidence.config.registry import read_registry_words
from trial_evidence.config.reports import FILE as REPORT
from trial_evidence.config.reports import (
    ReportConfiguration,
    certainty_problems,
    read_report_configuration,
    unknown_evidence,
)
from trial_evidence.config.simulation import FILE as CALIBRATION
from trial_evidence.config.simulation import Simulation
from trial_evidence.files import OWN_SETTINGS
from trial_evidence.kept import digest, read_state
from trial_evidence.sheet import Dictionary, Sheet, load_sheet, read_dictionary
from trial_evidence.sheet.check import in_order
from trial_evidence.words.problems import Problem, SheetError, errors_of, told_in
from trial_evidence.words.supplied import supplied

DICTIONARY = supplied("dictionary")


Loaded = tuple[Configuration, Sheet, tuple[Problem, ...]]
# What the files say before anything is settled, and the words that they were held against.
_Unsettled = tuple[Configuration, Sheet, tuple[Problem, ...], Dictionary]
# Checksum of files -> what `remember` found in them.
_REMEMBERED: dict[str, _Unsettled] = {}


def load(raw: Path, config: Path, *, settled: bool = True) -> Loaded:
    """Configuration and sheet, and the warnings about them.

    Where two readers differ and somebody has settled it, the sheet holds the settled values;
    with ``settled=False`` it holds those of the first reader.

    Raises
    ------
    SheetError
        Where anything is an error; it carries the problems of both at once.
    """
    from trial_evidence.sheet.adjudication import apply_adjudications

    known = _REMEMBERED.get(_checksum(raw, config)) if _REMEMBERED else None
    configuration, sheet, warnings, dictionary = known or _load(raw, config)
    if settled:
        sheet = apply_adjudications(sheet, dictionary)
    return configuration, sheet, warnings


def remember(raw: Path, config: Path) -> None:
    """Keep what is in these files for copies of this process, until others are asked for.

    Each copy has it for itself, and may change it.

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
    """Of everything that `load` reads."""
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
    """The warnings about a sound sheet, those about pooled trials that nobody has judged included.

    Parameters
    ----------
    among : collection of str, optional
        The trials that are looked at for a judgement; all by default.
    """
    from trial_evidence.extract.judged import unjudged_problems

    configuration, sheet, warnings = loaded
    unjudged = unjudged_problems(sheet, configuration, among)
    return in_order([*warnings, *unjudged], read_dictionary(DICTIONARY))


def problems_of(raw: Path, config: Path, among: Collection[str]) -> tuple[Problem, ...]:
    """The same warnings; of a sheet that is not sound, whatever is wrong with it."""
    try:
        return with_unjudged(load(raw, config), among)
    except SheetError as error:
        return error.problems


def with_words(dictionary: Dictionary, configuration: Configuration) -> Dictionary:
    """The dictionary with the settings and outcomes that the configuration names."""
    wider = dictionary.with_words("setting", configuration.settings)
    for outcome in configuration.outcomes.values():
        table = dictionary.tables.get(outcome.table)
        if table is not None and table.kind:
            wider = wider.with_words(table.outcome_column, [outcome.name], table.name)
    return wider


def words_of(folder: Path) -> Dictionary:
    """The dictionary that the sheet is held against, as far as the configuration is sound."""
    dictionary = read_dictionary(DICTIONARY)
    configured, _ = _configured(folder, dictionary)
    sound = configured.analyses
    return dictionary if sound is None else with_words(dictionary, sound)


@dataclass(frozen=True)
class _Configured:
    """What of config/ is sound."""

    analyses: Configuration | None = None
    networks: NetworkConfiguration | None = None
    report: ReportConfiguration | None = None
    looks: FigureConfiguration | None = None


def _configured(folder: Path, dictionary: Dictionary) -> tuple[_Configured, list[Problem]]:
    """All of config/, and what is wrong in it, each file by itself and against the others."""
    problems: list[Problem] = []

    def sound(reading: Callable[[], Any]) -> Any:
        with told_in(problems):
            return reading()
        return None

    tables, results = dictionary.tables, dictionary.of_kind("counts", "contrasts")
    known: dict[str, Any] = {"kinds": dictionary.kinds, "trials": tables["trials"].words}
    known["tables"] = {name: tables[name].words for name in results}
    looks = sound(lambda: read_figure_configuration(folder))
    if looks is not None:
        known["languages"] = looks.languages
    sound(lambda: read(folder / CALIBRATION, Simulation))
    analyses = sound(lambda: read_configuration(folder, **known))
    if analyses is None:
        # Without its analyses the rest can be held against its form alone.
        sound(lambda: read(folder / REPORT, ReportConfiguration))
        sound(lambda: read(folder / NETWORKS, NetworkConfiguration))
        return _Configured(looks=looks), problems
    networks = sound(lambda: read_networks(folder, analyses, kinds=dictionary.kinds))
    made = None if networks is None else networks.networks
    report = sound(lambda: read_report_configuration(folder, analyses, made))
    # Only `make registry` needs it.
    if (folder / REGISTRY_FILE).exists():
        sound(lambda: read_registry_words(folder, analyses.outcomes, known["tables"]))
    return _Configured(analyses, networks, report, looks), problems


def _texts(sheet: Sheet, config: Path) -> Iterator[str]:
    """What a figure may print of the sheet and of config/."""
    for path in config.glob(OWN_SETTINGS):
        # One that is not saved as UTF-8 has been reported.
        with suppress(OSError):
            yield path.read_text(encoding="utf-8", errors="replace")
    for table in sheet.tables.values():
        for column in table.columns:
            yield from map(str, table[column].unique())


def _against_the_sheet(
    configured: _Configured, sheet: Sheet, dictionary: Dictionary, config: Path
) -> Iterator[Problem]:
    """What the configuration and the sheet name and the other does not hold."""
    from trial_evidence.sheet.adjudication import adjudication_problems
    from trial_evidence.sheet.values import subgroup_pairs

    agents, arms = list(sheet["agents"]["agent"]), list(sheet["arms"]["arm_id"])
    networks = configured.networks
    if configured.analyses is not None:
        yield from unknown_agents(configured.analyses, agents, lines_of(config / ANALYSES))
        yield from settings_left_out(configured.analyses, sheet["trials"])
        if networks is not None:
            ids = [network.id for network in networks.networks]
            yield from unknown_analyses(configured.analyses, sheet["exclusions"], ids)
        places = [(n.setting, n.id) for n in networks.networks] if networks is not None else []
        yield from certainty_problems(configured.analyses, places, sheet["certainty"])
    if networks is not None:
        yield from unknown_network_names(networks, agents, arms, lines_of(config / NETWORKS))
    if configured.report is not None:
        reported = {text for table in sheet.results for text in sheet[table]["subgroup"]}
        factors = {factor for text in reported for factor, _ in subgroup_pairs(text) or ()}
        biomarkers = list(sheet["biomarker_effects"]["biomarker"].unique())
        lines = lines_of(config / REPORT)
        yield from unknown_evidence(configured.report, sorted(factors), biomarkers, lines)
    yield from adjudication_problems(sheet, dictionary)
