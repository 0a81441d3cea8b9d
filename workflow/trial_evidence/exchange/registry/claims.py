"""Pieces of information in a registry record: on a row, on a cell, or on nothing in the sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trial_evidence.config.configuration import Outcome
from trial_evidence.config.registry import RegistryWords
from trial_evidence.exchange.registry.groups import ArmFinder, clipped, named_in
from trial_evidence.exchange.registry.record import Measure, Record
from trial_evidence.sheet.dictionary import Dictionary

Cells = Mapping[str, str]
# Column -> value, and its path in the record.
Values = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Claim:
    """A result in a record, as a row of a table of results.

    Attributes
    ----------
    key : mapping of str to str
        The columns that identify the result: arms, outcome.
    said : mapping of str to str
        Further columns stated in the record, such as definition and assessor.
    values : mapping of str to (str, str)
        Column -> value and path.
    path : str
        Path of the whole result.
    title, note : str
        Its title in the record; how a value was obtained.
    """

    trial: str
    table: str
    key: Cells
    said: Cells
    values: Mapping[str, tuple[str, str]]
    path: str
    title: str
    note: str = ""

    @property
    def row(self) -> tuple[object, ...]:
        """Identification of the row; equal for two results that would be the same row."""
        return self.table, *sorted(self.key.items()), *sorted(self.said.items())


@dataclass(frozen=True)
class Fact:
    """The value in a record for a cell of trials.csv or arms.csv."""

    trial: str
    table: str
    key: Cells
    column: str
    value: str
    path: str
    note: str


@dataclass(frozen=True)
class Unmapped:
    """A value in a record for which no cell could be found, with the reason."""

    trial: str
    what: str
    value: str
    path: str
    why: str


Finding = Claim | Fact | Unmapped


@dataclass(frozen=True)
class Trial:
    """A trial of the sheet, with everything needed to read its record.

    Attributes
    ----------
    pairs : frozenset of (str, str)
        Experimental and control arms of its hazard ratios in the sheet.
    """

    id: str
    record: Record
    arms: ArmFinder
    pairs: frozenset[tuple[str, str]]
    words: RegistryWords
    outcomes: Mapping[str, Outcome]
    dictionary: Dictionary

    def unmapped(self, what: str, value: str, path: str, why: str) -> Unmapped:
        """A value of the record that belongs to no cell."""
        return Unmapped(self.id, clipped(what), clipped(value), path, clipped(why))

    def part_of_patients(self, *texts: str) -> str:
        """The reason if a text says that a result concerns only some patients; else empty."""
        phrases = {phrase: (phrase,) for phrase in self.words.parts_of_patients}
        found = [phrase for text in texts for phrase in named_in(text, phrases)]
        return f'it is about a part of the patients ("{found[0]}").' if found else ""


def told_apart(trial: Trial, found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings of a measure; results that would share a row become unmapped."""
    every = list(found)
    times = Counter(one.row for one in every if isinstance(one, Claim))
    for one in every:
        if isinstance(one, Claim) and times[one.row] > 1:
            value = ", ".join(f"{name} {value}" for name, (value, _) in one.values.items())
            words = ", ".join([*one.key.values(), *one.said.values()])
            why = f"{times[one.row]} results of this measure fit the same row ({words})."
            yield trial.unmapped(one.title, value, one.path, why)
        else:
            yield one


def said_of(trial: Trial, table: str, measure: Measure, *more: str) -> dict[str, str]:
    """Words of the sheet stated by a measure: in its title, else in its descriptions."""
    columns = trial.dictionary.tables[table].columns
    # If the table has no fixed words for a definition, that of the record is used.
    worded = "definition" in columns and not columns["definition"].words
    said = {"definition": clipped(measure.title)} if worded else {}
    for column, phrases in trial.words.columns.items():
        if column not in columns or not columns[column].words:
            continue
        # The texts closest to the result come first.
        allowed = {word: texts for word, texts in phrases.items() if word in columns[column].words}
        explained = (measure.population_description, measure.description)
        for text in (" ".join(more), measure.title, *explained):
            if found := named_in(text, allowed):
                said |= {column: found[0]} if len(found) == 1 else {}
                break
    return said


def key_of_outcome(trial: Trial, outcome: Outcome, **arms: str) -> dict[str, str]:
    """The columns that identify a result."""
    table = trial.dictionary.tables[outcome.table]
    return arms | ({table.outcome_column: outcome.name} if table.outcome_column else {})
