"""config/registry.yaml: the words by which a registry record is set against the sheet."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from trial_evidence.config import forms
from trial_evidence.config.configuration import Outcome
from trial_evidence.config.forms import Fault, Form, Some, Text, among
from trial_evidence.config.reading import read

FILE = "registry.yaml"
Phrases = Mapping[str, Some[Text]]


class RegistryWords(Form):
    """All of config/registry.yaml: phrases, in which capitals do not matter.

    Attributes
    ----------
    agents
        Further names of the agents of agents.csv, beside their ids and labels.
    partners
        What names a partner of arms.csv in the title of a group.
    not_given
        What says in a group that the agent named with it was not given.
    outcomes
        What names an outcome of analyses.yaml in the title of an outcome measure.
    event_terms
        The terms of adverse events that are an outcome; the whole term.
    serious_events
        The outcome that the patients with any serious adverse event are.
    ratio
        What a hazard ratio is called.
    columns
        Column of a table of results -> its words -> what stands for them in a record.
    unsaid
        Words of such columns that say nothing: a record may say more.
    parts_of_patients
        What says that a result is about a part of the patients.
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

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        """Outcomes, columns and words that configuration and dictionary do not have."""
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
        Those of analyses.yaml.
    tables : mapping, optional
        Tables of results -> column -> words, as the dictionary has them.

    Raises
    ------
    SheetError
        As `trial_evidence.config.reading.read`.
    """
    return read(folder / FILE, RegistryWords, outcomes=outcomes, tables=tables or {})
