"""Compare registry records with the sheet, and take over confirmed values."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.registry import FILE, read_registry_words
from trial_evidence.exchange.registry.against import Comparison, Held, compare
from trial_evidence.exchange.registry.book import write_registry_book
from trial_evidence.exchange.registry.claims import Trial
from trial_evidence.exchange.registry.confirmed import write_confirmed
from trial_evidence.exchange.registry.findings import findings
from trial_evidence.exchange.registry.groups import ArmFinder, agent_names
from trial_evidence.exchange.registry.record import Record, read_records
from trial_evidence.exchange.taken import Taken
from trial_evidence.loaded import load, words_of
from trial_evidence.sheet.check import read_folder
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import Problem, SheetError, about, did_you_mean, quoted

NUMBER = "protocolSection.identificationModule.nctId"


def held_sheet(raw: Path, config: Path, configuration: Configuration) -> Held:
    """The cells of a sheet without errors as read from its files, with the words for records."""
    dictionary = words_of(config)
    tables, _ = read_folder(raw, dictionary)
    known = {name: dictionary.tables[name].words for name in dictionary.kinds}
    words = read_registry_words(config, configuration.outcomes, known)
    agents = {row.cells["agent"] for row in tables["agents"].rows}
    if unknown := [name for name in words.agents if name not in agents]:
        raise SheetError([about(FILE, f"agents: {', '.join(unknown)} is not in agents.csv.")])
    return Held(tables, dictionary, words)


def compare_records(source: Path, held: Held, configuration: Configuration) -> Comparison:
    """Compare the records of a file or folder with the sheet.

    Raises
    ------
    RequestError, SheetError
        As `trial_evidence.exchange.registry.record.read_records`; also for a record whose trial is
        missing in the sheet, or occurs twice.
    """
    records = read_records(source)
    trials: dict[str, list[str]] = {}
    for row in held.tables["trials"].rows:
        trials.setdefault(row.cells["nct"], []).append(row.cells["trial_id"])
    if problems := list(_strangers(records, trials)):
        raise SheetError(problems)
    found = Comparison(tuple(records))
    agents = agent_names([row.cells for row in held.tables["agents"].rows], held.words)
    for record in records.values():
        name = trials[record.nct_id][0]
        arms = [row.cells for row in held.rows("arms", name)]
        registered = record.protocol_section.arms_interventions_module.arm_groups
        pairs = frozenset(
            (row.cells["experimental_arm_id"], row.cells["control_arm_id"])
            for table in held.dictionary.of_kind("contrasts")
            for row in held.rows(table, name)
        )
        finder = ArmFinder(arms, agents, registered, held.words)
        known = configuration.outcomes, held.dictionary
        trial = Trial(name, record, finder, pairs, held.words, *known)
        compare(trial, findings(trial), held, found)
    return found


def _strangers(records: Mapping[str, Record], trials: Mapping[str, list[str]]) -> Iterator[Problem]:
    """Problems with records that match no trial of the sheet, or several."""
    for name, record in records.items():
        places = trials.get(record.nct_id, [])
        where = f"{name}, {NUMBER}"
        if not places:
            message = (
                f"{quoted(record.nct_id)} is there; expected the nct of a trial in trials.csv."
            )
            yield about(where, message + did_you_mean(record.nct_id, filter(None, trials)))
        elif len(places) > 1:
            message = f"{record.nct_id} is the nct of several trials: {', '.join(places)}."
            yield about(where, f"{message} It is not clear which of them the results are of.")


def write_compared(source: Path, book: Path, raw: Path, config: Path) -> list[str]:
    """Compare the records of a file or folder with the sheet; write a workbook to confirm.

    Returns
    -------
    list of str
        Messages on the differences, and the numbers of values.

    Raises
    ------
    RequestError, SheetError
        As `compare_records` and `write_registry_book`; nothing is written then.
    """
    if source == Path():
        # Without FILE, make passes an empty name, which becomes the current folder.
        raise RequestError("Say which file or folder: FILE=...")
    configuration, _, _ = load(raw, config)
    held = held_sheet(raw, config, configuration)
    found = compare_records(source, held, configuration)
    write_registry_book(found, held, book)
    return found.in_words


def take_confirmed(book: Path, raw: Path, config: Path, folder: Path) -> Taken:
    """`write_confirmed` for the sheet and configuration in these folders."""
    configuration, sheet, _ = load(raw, config)
    return write_confirmed(book, raw, sheet, held_sheet(raw, config, configuration), folder)
