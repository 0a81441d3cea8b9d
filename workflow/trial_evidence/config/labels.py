"""config/labels: the words printed in figures, in languages other than English."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from trial_evidence.config.forms import Fault, Form, Text
from trial_evidence.config.reading import lines_of, nowhere, problem
from trial_evidence.words.problems import Problem

LABELS = "labels"
ENGLISH = "en"
# Texts at least this similar count as the same text, misspelt.
_A_SLIP = 0.9
_LIBRARY = Path(__file__).parents[1]


@cache
def _library_texts() -> frozenset[str]:
    """String literals in the library's words, measures and figures; f-string fields become NUL.

    Extracted from the source code, because the modules of figures are slow to import.
    """
    rooms = ("words", "measures", "figures")
    files = [f for room in rooms for f in sorted((_LIBRARY / room).rglob("*.py"))]
    code = "\n".join(f.read_text("utf-8") for f in files)
    literals = re.findall(r'(f?)"((?:[^"\\\n]|\\.)+)"', re.sub(r'"\s*\n\s*f?"', "", code))
    filled = r"\{\{|\}\}|\{[^{}]*\}"
    return frozenset(
        re.sub(filled, lambda m: {"{{": "{", "}}": "}"}.get(m[0], "\0"), text) if f else text
        for f, text in ((f, text.replace("\\n", "\n")) for f, text in literals)
    )


class Labels(Form):
    """The words printed in figures, in one language.

    Attributes
    ----------
    decimal_mark
        A point or a comma.
    texts
        English text as in the library -> the same in this language; texts that are missing are
        printed in English. Braces are placeholders.
    """

    decimal_mark: Literal[".", ","]
    texts: Mapping[str, Text]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        """Errors: English texts that misspell one of the library's, and missing placeholders.

        A text similar to none of the library's may come from the sheet or config/: `unknown_texts`.
        """
        configured = sections.get("configured", "")
        for english, text in self.texts.items():
            # the name of an arm may resemble a text of the library
            if english not in configured and (meant := _meant(english)):
                message = f'"{english}" is not a text of the library. Did you mean "{meant}"?'
                yield ("texts", english), message
            wanted, found = (
                sorted(name.lower() for name in re.findall(r"{(\w+)}", words))
                for words in (english, text)
            )
            if set(wanted) != set(found):
                names = ", ".join(f"{{{name}}}" for name in dict.fromkeys(wanted)) or "no braces"
                message = f'"{text}" must contain {names}, as the English text does.'
                yield ("texts", english), message

    def __call__(self, text: str, **parts: object) -> str:
        """A text in this language with its placeholders filled in."""
        found = self.texts.get(text, text)
        for name, part in parts.items():
            found = found.replace(f"{{{name}}}", str(part))
        return found

    def numbers(self, text: str) -> str:
        """A text of numbers with the language's marks and its word between two limits."""
        text = re.sub(r"(?<=\d) to (?=[−<>\d])", self(" to "), text)
        text = re.sub(r"(?<=\d)%", self("%"), text)
        return re.sub(r"(?<=\d)\.(?=\d)", self.decimal_mark, text)

    def prior(self, label: str) -> str:
        """A prior distribution: its name in this language, then its parameters."""
        name, bracket, parameters = label.partition("(")
        if self.decimal_mark == ",":
            # a comma between two numbers would be taken for the mark of one
            parameters = parameters.replace(", ", "; ")
        return self(name) + self.numbers(f"{bracket}{parameters}")


ENGLISH_LABELS = Labels(".", {})


@cache
def _meant(english: str) -> str:
    """The library's text that this misspells; ``""`` if it is correct or similar to none."""
    known = _library_texts()
    near = [] if english in known else get_close_matches(english, known, 1, _A_SLIP)
    if not near or re.fullmatch(re.escape(near[0]).replace("\0", ".+"), english):
        return ""
    return near[0].replace("\0", "...")


def unknown_texts(
    languages: Mapping[str, Labels], known: Iterable[str], folder: Path | None = None
) -> Iterator[Problem]:
    """Errors for English texts that no figure can print, because one of their words occurs nowhere.

    Parameters
    ----------
    languages : mapping of str to Labels
        Keyed by file name without suffix.
    known : iterable of str
        Texts of the sheet and of config/; those of the library are always known.
    folder : Path, optional
        Folder of the label files, to find line numbers.
    """
    texts = [(name, english) for name, labels in languages.items() for english in labels.texts]
    plain = {english: _words(re.sub(r"{\w+}", "", english)) for _, english in texts}
    asked = {word for words in plain.values() for word in words} - _library_words()
    # The sheet is long: search it only for words that the library does not have.
    unknown = asked and asked.difference(_words("\n".join(known)))
    for name, english in texts:
        strange = [word for word in plain[english] if word in unknown]
        if strange:
            message = f'is printed nowhere: neither the sheet nor config/ has "{strange[0]}".'
            file = f"{name}.yaml"
            line = nowhere if folder is None else lines_of(folder / file)
            yield problem(file, "", "texts", english, message, line(("texts", english)))


@cache
def _library_words() -> frozenset[str]:
    # Figures also print reasons: from pool/, why a model leads (unless the configuration gives the
    # reason); from extract/, why a trial is not pooled.
    paths = (path for room in ("pool", "extract") for path in (_LIBRARY / room).rglob("*.py"))
    reasons = (path.read_text("utf-8") for path in paths)
    return frozenset(word for text in (*_library_texts(), *reasons) for word in _words(text))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())
