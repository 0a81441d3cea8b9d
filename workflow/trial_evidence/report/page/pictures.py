"""Figures of the page: inline SVG elements, or images as data addresses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from trial_evidence.config.configuration import HARMS
from trial_evidence.files import records_there
from trial_evidence.kept import Parts, checksum
from trial_evidence.report.page.rows import anchor
from trial_evidence.report.page.svg import RowLink, image_data, inline_svg


@dataclass(frozen=True)
class Picture:
    """A figure of the page: an inline SVG element, or an image as a data address.

    `file` is the name, without extension, under which a reader saves it; `caption` has its title
    and footnotes.
    """

    name: str
    title: str
    description: str
    caption: str
    file: str
    element: Markup | None
    address: str


def picture(
    stem: Path,
    record: Mapping[str, Any],
    results: Path,
    parts: Parts,
    prefix: str = "",
    links: Sequence[RowLink] = (),
) -> Picture:
    """A figure file for the page.

    Parameters
    ----------
    stem : Path
        Figure file without its extension.
    record : mapping
        ``title``, ``description`` and ``caption`` of its listing.
    results : Path
        The folder of the page.
    parts : Parts
        Cache of earlier conversions of the same files.
    prefix : str
        If given, the drawing becomes an element whose ids begin with it; else an image.
    links : sequence of RowLink
        Rows of the drawing that become links.

    Raises
    ------
    FileNotFoundError
        If there is neither an SVG nor a PNG file.
    """
    drawing = stem.with_name(f"{stem.name}.svg")
    element, address = None, ""
    description = str(record["description"])
    if prefix and drawing.is_file():
        asked = drawing.read_text(encoding="utf-8"), prefix, description, links
        element = Markup(parts.value(("element", *asked), lambda: inline_svg(*asked)))
    else:
        content = [checksum(stem.with_name(f"{stem.name}.{kind}")) for kind in ("svg", "png")]
        address = Markup(parts.value(("image", *content), lambda: image_data(stem)))
    file = anchor(*stem.relative_to(results).parts)
    words = str(record["title"]), description, str(record["caption"])
    return Picture(stem.name, *words, file, element, address)


def pictures(folder: Path, stage: str, analysis: str, parts: Parts) -> Iterator[Picture]:
    """Figures of an analysis, as listed in the ``figures.csv`` of a stage in a setting."""
    for record in listed(folder / stage):
        if record["analysis"] == analysis:
            yield picture(_stem(folder, stage, record), record, folder.parent, parts)


def overview(results: Path, parts: Parts) -> list[Picture]:
    """The figures for all settings."""
    folder = results / "overview"
    return [
        picture(folder / row["figure"], row, results, parts, f"overview-{row['figure']}")
        for row in listed(folder)
    ]


def harm_pictures(results: Path, settings: Iterable[str], parts: Parts) -> list[Picture]:
    """The forest plots of the harms of every setting."""
    return [
        picture(results / setting / row["figure"], row, results, parts, f"{HARMS}-{setting}-{at}")
        for setting in settings
        for at, row in enumerate(listed(results / setting))
        if row["analysis"] == HARMS
    ]


def listed(folder: Path) -> list[dict[str, Any]]:
    """Rows of the ``figures.csv`` of a folder; none if the file is missing."""
    return records_there(folder / "figures.csv")


def _stem(folder: Path, stage: str, record: Mapping[str, Any]) -> Path:
    """Path of a listed figure: in the analysis's folder of the setting, or of the stage."""
    name, analysis = str(record["figure"]), str(record["analysis"])
    for place in (folder / analysis, folder / stage / analysis):
        if any((place / f"{name}.{kind}").is_file() for kind in ("svg", "png")):
            return place / name
    raise FileNotFoundError(f"{folder / stage / 'figures.csv'} lists {name}, which is not drawn")
