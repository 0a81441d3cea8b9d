"""Many pages at once: drawn by several processes, and listed in one table."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from trial_evidence.figures.canvas.page import Format, Picture, save_page

# So many figures take as long to draw as a further process takes to start.
FIGURES_WORTH_A_PROCESS = 6
LISTING_COLUMNS = ["setting", "analysis", "figure", "title", "description"]


def save_pages(
    pages: Mapping[str, Picture], folder: Path, formats: Sequence[Format], processes: int
) -> None:
    """Save pages below a folder.

    Parameters
    ----------
    pages : mapping
        Pages by the path of the figure below the folder, without a suffix.
    folder : Path
    formats : sequence of str
        Suffixes of the files of every page.
    processes : int
        To draw with; fewer are started where they are not worth it.
    """
    useful = min(processes, 1 + len(pages) // FIGURES_WORTH_A_PROCESS)
    stems = [folder / stem for stem in pages]
    if useful > 1:
        with ProcessPoolExecutor(useful, mp_context=get_context("spawn")) as pool:
            list(pool.map(save_page, pages.values(), stems, repeat(formats)))
    else:
        for page, stem in zip(pages.values(), stems, strict=True):
            save_page(page, stem, formats)


def listing_of(setting: str, pages: Mapping[str, Picture]) -> pd.DataFrame:
    """The figures of a setting in words.

    Parameters
    ----------
    setting : str
    pages : mapping
        Pages by ``<analysis>/<figure>``.

    Returns
    -------
    DataFrame
        ``setting``, ``analysis``, ``figure``, ``title``, ``description``.
    """
    rows = [(setting, *s.split("/"), page.title, page.description) for s, page in pages.items()]
    return pd.DataFrame(rows, columns=LISTING_COLUMNS)
