"""config/registry.yaml: phrases used to compare a registry record with the sheet."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from trial_evidence.config import forms
from trial_evidence.config.configuration import Outcome
from trial_evidence.config.forms import Fault, Form, Several, Some, Text, among
from trial_evidence.config.reading import read

FILE = "registry.yaml"
Phrases = Mapping[str, Some[Text]]


class RegistryWords(Form):
    """All of config/registry.yaml: phrases, matched without regard to case.

    Attributes
    ----------
    agents
        Further names of the agents of agents.csv, in addition to their ids and labels.
    partners
        Phrases that name a partner of arms.csv in the title of a group.
    not_given
        Phrases in a group which mean that the agent named with them was not given.
    outcomes
        Phrases that name an outcome of analyses.yaml in the title of an outcome measure.
    other_outcomes
        Phrases in the title of an outcome measure that is of another outcome, although it names one
        of these.
    event_terms
        Adverse event terms that correspond to an outcome; the whole term must match.
    serious_events
        The outcome that counts patients with any serious adverse event.
    ratio
        Phrases for a hazard ratio.
    columns
        Column of a table of results -> its words -> phrases with the same meaning in a record.
    unsaid
        Words of such columns that mean "not stated": a record may give more detail.
    parts_of_patients
        Phrases which mean that a result concerns only some of the patients.
    """

    agents: Phrases
    partners: Phrases
    not_given: Some[Text]
    outcomes: Phrases
    event_terms: Phrases
    serious_events: Annotated[str, forms.key_of("outcomes", "an outcome of analyses.yaml")]
    ratio: Some[Text]
    columns: Mapping[str, Phrases]
    unsaid: Some[Text]
    parts_of_patients: Some[Text]
    other_outcomes: Several[Text] = ()

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        """Errors: outcomes not in the configuration, columns and words not in the dictionary."""
        outcomes = sections.get("outcomes", {})
        for part in ("outcomes", "event_terms"):
            for name in getattr(self, part) if outcomes else ():
                if name not in outcomes:
                    message = f"is not an outcome of analyses.yaml.{among(outcomes, name)}"
                    yield (part, name), f'"{name}" {message}'
        known: dict[str, list[str]] = {}
        for columns in sections.get("tables", {}).values():
            for column, words in columns.items():
                known.setdefault(column, []).extend(words)
        for column, phrases in self.columns.items() if known else ():
            for word in phrases:
                if word not in known.get(column, ()):
                    message = f"is not a word of the column {column}."
                    allowed = among(dict.fromkeys(known.get(column, ())), word)
                    yield ("columns", column, word), f'"{word}" {message}{allowed}'


def read_registry_words(
    folder: Path, outcomes: Mapping[str, Outcome], tables: Mapping[str, Any] | None = None
) -> RegistryWords:
    """Read ``registry.yaml``.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        The outcomes of analyses.yaml.
    tables : mapping, optional
        Table of results -> column -> words, from the dictionary.

    Raises
    ------
    SheetError
        As `trial_evidence.config.reading.read`.
    """
    return read(folder / FILE, RegistryWords, outcomes=outcomes, tables=tables or {})
