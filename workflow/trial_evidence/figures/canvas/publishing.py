"""Publishing: any number of figures drawn by several processes, listed, and no old one left."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from trial_evidence.figures.canvas.page import DPI, Format, Picture, save_page

LISTING = "figures.csv"
LISTING_COLUMNS = ["setting", "analysis", "figure", "title", "description"]
Place = TypeVar("Place", bound=tuple[str, ...])
# So many figures take as long to draw as a further process takes to start.
_WORTH_A_PROCESS = 6


@contextmanager
def publishing(
    pages: Mapping[str, Picture],
    folder: Path,
    formats: Sequence[Format],
    helpers: int = 0,
    *,
    dpi: int = DPI,
    own: Sequence[str] = (),
    kept: Collection[str] = (),
) -> Iterator[None]:
    """Draw figures while something else is done; at the end of it they are all there.

    Parameters
    ----------
    pages
        Figures by their path below the folder, without a suffix.
    folder, formats, dpi
        Where the files go, their suffixes, and how fine those of dots are.
    helpers
        Processes to draw with; without any, everything is drawn before anything else is done.
    own
        Patterns of paths below the folder. What they match is a figure, or was one in an earlier
        run and is removed, with a folder that is empty then.
    kept
        Paths below the folder that are no figures and stay.
    """
    stems = [folder / stem for stem in pages]
    draw = partial(save_page, formats=formats, dpi=dpi)
    if helpers > 0:
        with ProcessPoolExecutor(helpers, mp_context=get_context("spawn")) as pool:
            drawn = pool.map(draw, pages.values(), stems)
            yield
            list(drawn)
    else:
        list(map(draw, pages.values(), stems))
        yield
    there = {folder / f"{stem}.{kind}" for stem in pages for kind in formats}
    there |= {folder / name for name in kept}
    old = {path for pattern in own for path in folder.glob(pattern) if path.is_file()} - there
    for path in sorted(old):
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()


def publish(
    pages: Mapping[str, Picture],
    folder: Path,
    formats: Sequence[Format],
    processes: int = 1,
    **more: Any,
) -> None:
    """Save figures and remove those of an earlier run that are no more; see `publishing`.

    Of the processes allowed, no more are started than are worth it.
    """
    useful = min(processes, 1 + len(pages) // _WORTH_A_PROCESS)
    with publishing(pages, folder, formats, useful if useful > 1 else 0, **more):
        pass


def listing_of(pages: Mapping[Place, Picture]) -> pd.DataFrame:
    """Figures in words, by setting, analysis and name, in the columns ``LISTING_COLUMNS``."""
    rows = [(*place, page.title, page.description) for place, page in pages.items()]
    return pd.DataFrame(rows, columns=LISTING_COLUMNS)
