"""config/styles.yaml: the styles of figures; and, with config/labels, all that only figures use."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from trial_evidence.config import forms
from trial_evidence.config.forms import Fault, Form, Maybe, Number, Some, Text, Truth, Whole
from trial_evidence.config.labels import ENGLISH, ENGLISH_LABELS, LABELS, Labels
from trial_evidence.config.reading import read
from trial_evidence.files import OWN_SETTINGS
from trial_evidence.words.colours import contrast
from trial_evidence.words.problems import Problem, SheetError, told_in

# The narrowest page that is legible in print, in mm.
_NARROWEST = 75
# Colours of shapes drawn on the paper without an outline, and the contrast they need: the WCAG
# contrast ratio is 1 for identical colours and 21 for black on white.
_SEEN = ("ink", "muted", "accent")
_LEAST_CONTRAST = 2.0
_PAPER = "#FFFFFF"
_LENGTHS = (
    "margin row gap_row column_gap panel_gap panel_min text_column_min indent block_gap tick "
    "square_max square_min square_unweighted subtotal overall secondary prediction arrow light"
)
_COLOURS = "ink muted band paper accent accent_light accent_pale low_risk some_concerns high_risk"
_Length = Annotated[Number, Field(gt=0, le=100)]
_TypeSize = Annotated[Number, Field(ge=6, le=40)]
_Line = Annotated[Number, Field(ge=0.25, le=3)]
_Colour = Annotated[
    str, forms.shaped("^#[0-9A-Fa-f]{6}$", 'six digits after a #, in quotation marks: "#1F4E79"')
]
_Name = forms.shaped("^[a-z][a-z0-9_-]*$", "small letters, digits, _ and -, a letter first")
# Fields of the library's Style, and the values each may have.
STYLE_FIELDS: dict[str, Any] = {
    **{f"{name}_mm": _Length for name in _LENGTHS.split()},
    **{f"{name}_pt": _TypeSize for name in ("title", "text", "footnote")},
    **{f"{name}_pt": _Line for name in ("rule", "interval", "outline", "hair")},
    **dict.fromkeys(_COLOURS.split(), _Colour),
    "leading": Annotated[Number, Field(ge=1, le=2)],
    "name_lines": Annotated[Whole, Field(ge=1, le=4)],
    "risk_of_bias": Truth,
    "title": Truth,
    "decimal_mark": Literal[".", "·"],
    "references": Truth,
    "follow_up": Truth,
    "small_print": Truth,
    "details": Truth,
}


class FigureStyle(Form):
    """A style of figures.

    Attributes
    ----------
    widths_mm
        Permitted widths; the first is the default.
    height_mm
        Height of the page; default: the height of the content.
    magnification
        Factor by which everything is enlarged compared with print.
    formats
        File formats to write.
    dpi
        Resolution of bitmap formats, in dots per inch.
    fields
        Fields of the library's Style that are changed, with their new values.
    """

    name: SkipJsonSchema[str]
    description: Text
    widths_mm: Some[Annotated[Number, Field(ge=_NARROWEST, le=400)]]
    formats: Some[Literal["svg", "pdf", "png", "eps", "tiff"]]
    dpi: Annotated[Whole, Field(ge=72, le=1200)]
    height_mm: Maybe[Annotated[Number, Field(ge=50, le=400)]] = None
    magnification: Annotated[Number, Field(ge=1, le=4)] = 1.0
    fields: Annotated[Mapping[str, Any], forms.named(required=False, **STYLE_FIELDS)] = Field(
        default_factory=dict
    )

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        least = _NARROWEST * self.magnification
        for at, width in enumerate(self.widths_mm):
            if width < least:
                message = f"is too narrow for its magnification; the least is {least:g} mm."
                yield ("widths_mm", at), message
        paper = self.fields.get("paper", _PAPER)
        for name in _SEEN:
            colour = self.fields.get(name)
            if colour is not None and contrast(colour, paper) < _LEAST_CONTRAST:
                message = (
                    f"can hardly be seen on the paper, {paper}: its contrast is "
                    f"{contrast(colour, paper):.1f}; the least is {_LEAST_CONTRAST:g}."
                )
                yield ("fields", name), message


class Styles(Form):
    """All of config/styles.yaml."""

    styles: Annotated[Mapping[Annotated[str, _Name], FigureStyle], forms.keyed("name")]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if "default" not in self.styles:
            yield ("styles",), '"default" is missing.'


class FigureConfiguration(Form):
    """All styles by name, and the labels of every language by its code."""

    styles: Mapping[str, FigureStyle]
    languages: Mapping[str, Labels]


def configured_texts(folder: Path) -> Iterator[str]:
    """Every file of config/ as text: the names that figures may print."""
    for path in folder.glob(OWN_SETTINGS):
        # A file that cannot be read is reported where it is checked.
        with suppress(OSError):
            yield path.read_text(encoding="utf-8", errors="replace")


def read_figure_configuration(folder: Path) -> FigureConfiguration:
    """Read ``styles.yaml`` and ``labels/*.yaml``.

    Raises
    ------
    SheetError
        If a file is missing, is not valid YAML, or has a value that is not allowed.
    """
    forms_of = {folder / "styles.yaml": Styles} | dict.fromkeys(
        sorted((folder / LABELS).glob(OWN_SETTINGS)), Labels
    )
    configured = "".join(configured_texts(folder))
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for path, form in forms_of.items():
        with told_in(problems):
            found[path.stem] = read(path, form, configured=configured)
    if problems:
        raise SheetError(problems)
    return FigureConfiguration(found.pop("styles").styles, {ENGLISH: ENGLISH_LABELS} | found)
