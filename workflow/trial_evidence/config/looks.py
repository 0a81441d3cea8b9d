"""Looks and languages of figures, read from config/styles.yaml and config/labels and checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trial_evidence.config.configuration import (
    Analysis,
    Configuration,
    RateAnalysis,
    problem,
    read_yaml,
)
from trial_evidence.config.yaml_files import line_of
from trial_evidence.words.problems import Problem, SheetError, did_you_mean

FORMATS = Literal["svg", "pdf", "png", "eps", "tiff"]
ENGLISH = "en"


@dataclass(frozen=True)
class FigureStyle:
    """A look of figures.

    Attributes
    ----------
    name, description : str
    widths_mm : tuple of float
        Widths it may be drawn at; the first is taken where none is asked for.
    height_mm : float or None
        Height of the page; None for as high as the content asks.
    magnification : float
        By how much everything is larger than in print.
    formats : tuple of str
        Suffixes of the files to write.
    dpi : int
        Dots per inch of the formats that have dots.
    fields : mapping
        Fields of the library's Style and the values that differ from its own.
    """

    name: str
    description: str
    widths_mm: tuple[float, ...]
    height_mm: float | None
    magnification: float
    formats: tuple[FORMATS, ...]
    dpi: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Labels:
    """The words that figures print, in one language.

    Attributes
    ----------
    decimal_mark : str
        A point or a comma.
    texts : mapping
        English text as the library has it -> the same in this language; what is missing is
        printed in English. Braces name what is filled in.
    """

    decimal_mark: str
    texts: Mapping[str, str]

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


@dataclass(frozen=True)
class FigureConfiguration:
    """All looks by name, and the words of every language by its code."""

    styles: Mapping[str, FigureStyle]
    languages: Mapping[str, Labels]


def read_figure_configuration(folder: Path) -> FigureConfiguration:
    """Read and check ``styles.yaml`` and ``labels/*.yaml``.

    Parameters
    ----------
    folder : Path
        The configuration folder.

    Returns
    -------
    FigureConfiguration

    Raises
    ------
    SheetError
        When a file is missing, is no YAML, or breaks its schema in workflow/schemas.
    """
    styles, problems = read_yaml(folder / "styles.yaml", "styles.schema.yaml")
    labels = {}
    for path in sorted((folder / "labels").glob("*.yaml")):
        labels[path.stem], more = read_yaml(path, "labels.schema.yaml")
        problems += more or _changed_names(path.name, labels[path.stem]["texts"])
    if not problems:
        problems += list(_narrow_widths(styles["styles"]))
    if problems:
        raise SheetError(tuple(problems))
    return FigureConfiguration(
        styles={
            name: FigureStyle(
                name=name,
                description=entry["description"],
                widths_mm=tuple(float(width) for width in entry["widths_mm"]),
                height_mm=entry.get("height_mm"),
                magnification=float(entry.get("magnification", 1.0)),
                formats=tuple(entry["formats"]),
                dpi=entry["dpi"],
                fields=dict(entry.get("fields", {})),
            )
            for name, entry in styles["styles"].items()
        },
        languages={ENGLISH: ENGLISH_LABELS}
        | {
            language: Labels(entry["decimal_mark"], entry["texts"])
            for language, entry in labels.items()
        },
    )


def unknown_languages(
    configuration: Configuration, figures: FigureConfiguration
) -> tuple[Problem, ...]:
    """Problems for analyses whose figures ask for a language that config/labels does not hold."""
    known = sorted(figures.languages)
    drawn: list[Analysis | RateAnalysis] = [*configuration.analyses, *configuration.rates]
    return tuple(
        problem(
            "analyses.yaml", entry.id, "language", entry.figure.language,
            f"is not a language of config/labels. Allowed: {', '.join(known)}."
            f"{did_you_mean(entry.figure.language, known)}",
        )
        for entry in drawn
        if entry.figure.language not in known
    )  # fmt: skip


def _changed_names(file: str, texts: Mapping[str, str]) -> Iterator[Problem]:
    """Translations whose names in braces are not those of the English text."""
    for english, text in texts.items():
        wanted, found = (
            sorted(name.lower() for name in re.findall(r"{(\w+)}", words))
            for words in (english, text)
        )
        if set(wanted) != set(found):
            names = ", ".join(f"{{{name}}}" for name in dict.fromkeys(wanted)) or "no braces"
            yield problem(
                file, "", "texts", text, f"has to hold {names}, as the English text does.",
                line_of(texts, [english]),
            )  # fmt: skip


def _narrow_widths(styles: Mapping[str, Any]) -> Iterator[Problem]:
    """Widths on which a magnified page would be narrower than any that can be read."""
    for name, entry in styles.items():
        least = 85 * entry.get("magnification", 1.0)
        for width in entry["widths_mm"]:
            if width < least:
                yield problem(
                    "styles.yaml", name, "widths_mm", f"{width:g}",
                    f"is too narrow for its magnification; the least is {least:g} mm.",
                )  # fmt: skip
