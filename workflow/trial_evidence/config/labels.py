"""config/labels: the words that figures print, in other languages than English."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from trial_evidence.config.forms import Form, Text
from trial_evidence.config.reading import Fault

ENGLISH = "en"


class Labels(Form):
    """The words that figures print, in one language.

    Attributes
    ----------
    decimal_mark
        A point or a comma.
    texts
        English text as the library has it -> the same in this language; what is missing is
        printed in English. Braces name what is filled in.
    """

    decimal_mark: Literal[".", ","]
    texts: Mapping[str, Text]

    def __call__(self, text: str, **parts: object) -> str:
        """A text in this language with its parts filled in."""
        found = self.texts.get(text, text)
        for name, part in parts.items():
            found = found.replace(f"{{{name}}}", str(part))
        return found

    def numbers(self, text: str) -> str:
        """A text of figures with the language's decimal mark."""
        return re.sub(r"(?<=\d)\.(?=\d)", self.decimal_mark, text)


ENGLISH_LABELS = Labels(".", {})


def label_faults(labels: Labels) -> Iterator[Fault]:
    """Translations whose names in braces are not those of the English text."""
    for english, text in labels.texts.items():
        wanted, found = (
            sorted(name.lower() for name in re.findall(r"{(\w+)}", words))
            for words in (english, text)
        )
        if set(wanted) != set(found):
            names = ", ".join(f"{{{name}}}" for name in dict.fromkeys(wanted)) or "no braces"
            message = f'"{text}" has to hold {names}, as the English text does.'
            yield Fault(("texts",), message, english)
