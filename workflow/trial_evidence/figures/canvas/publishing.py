"""Publishing: any number of figures drawn by several processes, listed, and no old one left."""

import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd

from trial_evidence.figures.canvas.page import DPI, Format, Picture, as_paragraph, save_page
from trial_evidence.kept import Ledger, code_version, digest, remove_made

LISTING = "figures.csv"
# Beside the list: what each figure was drawn from.
RECORD = ".drawn.json"
LISTING_COLUMNS = ["setting", "analysis", "figure", "title", "description", "caption"]
Place = TypeVar("Place", bound=tuple[str, ...])
# So many figures take as long to draw as a new process takes to import what it draws with.
_WORTH_A_PROCESS = 6


@contextmanager
def helpers(number: int, *known: Any) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that help this one; they are waited for at the end.

    Parameters
    ----------
    number
        Of processes; without any, nobody helps.
    *known
        What `of_helper` calls there: a process that is a copy of this one needs no word of it.
        Where processes begin anew, nobody helps who would have to know something.
    """
    if number > 0 and (_start() == "fork" or not known):
        with ProcessPoolExecutor(
            number, get_context(_start()), initializer=_begin, initargs=(known,)
        ) as pool:
            yield pool
    else:
        yield None


_KNOWN: list[Callable[[], Any]] = []


def _begin(known: Sequence[Callable[[], Any]]) -> None:
    _KNOWN.extend(known)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this helper when its parent does: it would wait for ever for a killed one's work."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def of_helper(place: int) -> Any:
    """Do what a helper was told of when it began, and return what comes of it."""
    return _KNOWN[place]()


class Drawing:
    """Figures of a folder that are drawn while something else is done; see `publishing`."""

    def __init__(
        self,
        ledger: Ledger,
        formats: Sequence[Format],
        dpi: int = DPI,
        pool: ProcessPoolExecutor | None = None,
    ) -> None:
        self._ledger, self._pool = ledger, pool
        self._drawn_from = formats, dpi, code_version()
        self._draw = partial(save_page, formats=formats, dpi=dpi)
        self._files: dict[str, list[Path]] = {}
        self._begun: dict[str, tuple[str, Future[None] | None]] = {}
        # Files of figures of an earlier run that are no figures any more.
        self.no_more: set[Path] = set()

    def add(self, pages: Mapping[str, Picture]) -> list[str]:
        """Have figures drawn, by their path below the folder without a suffix.

        Returns
        -------
        list of str
            Those that have to be: what is to be drawn, or a file of it, is not as it was.
        """
        formats, *_ = self._drawn_from
        stale = []
        for stem, page in pages.items():
            path = self._ledger.path.parent / stem
            self._files[stem] = [path.with_name(f"{path.name}.{kind}") for kind in formats]
            key = digest(page, *self._drawn_from)
            if self._ledger.holds(stem, key):
                continue
            stale.append(stem)
            begun = self._pool.submit(self._draw, page, path) if self._pool else None
            if begun is None:
                self._draw(page, path)
            self._begun[stem] = key, begun
        return stale

    def finish(self) -> set[Path]:
        """Wait for the figures, write down what they were drawn from, and return their files."""
        for stem, (key, begun) in self._begun.items():
            if begun is not None:
                begun.result()
            self._ledger.note(stem, key, self._files[stem])
        self.no_more = self._ledger.no_more()
        self._ledger.write()
        return {self._ledger.path, *(path for files in self._files.values() for path in files)}


@contextmanager
def publishing(
    folder: Path,
    formats: Sequence[Format],
    pool: ProcessPoolExecutor | None = None,
    *,
    dpi: int = DPI,
    own: Sequence[str] = (),
    kept: Collection[str] = (),
    record: str = RECORD,
) -> Iterator[Drawing]:
    """Draw figures while something else is done; at the end of it they are all there.

    Parameters
    ----------
    folder, formats, dpi
        Where the files go, their suffixes, and how fine those of dots are.
    pool
        Processes to draw with; without any, a figure is drawn where it is added.
    own
        Patterns of paths below the folder. What they match is a figure, or was one in an earlier
        run and is removed, with a folder that is empty then; so is every other figure that the
        record tells of. Without patterns nothing is removed.
    kept
        Paths below the folder that are no figures and stay.
    record
        Name of the file in the folder that tells of every figure what it was drawn from.
    """
    drawing = Drawing(Ledger(folder / record), formats, dpi, pool)
    yield drawing
    there = drawing.finish() | {folder / name for name in kept}
    old = {path for pattern in own for path in folder.glob(pattern) if path.is_file()}
    remove_made((old | (drawing.no_more if own else set())) - there)


def publish(
    pages: Mapping[str, Picture],
    folder: Path,
    formats: Sequence[Format],
    processes: int = 1,
    **more: Any,
) -> list[str]:
    """Save figures and remove those of an earlier run that are no more; see `publishing`.

    Of the processes allowed, no more are started than are worth it. The names of the figures that
    had to be drawn are returned.
    """
    enough = 1 if _start() == "fork" else _WORTH_A_PROCESS
    useful = min(processes, 1 + len(pages) // enough)
    with (
        helpers(useful if useful > 1 else 0) as pool,
        publishing(folder, formats, pool, **more) as drawing,
    ):
        return drawing.add(pages)


def listing_of(pages: Mapping[Place, Picture]) -> pd.DataFrame:
    """Figures in words, by setting, analysis and name, in the columns ``LISTING_COLUMNS``."""
    rows = [(*place, page.title, page.description, caption(page)) for place, page in pages.items()]
    return pd.DataFrame(rows, columns=LISTING_COLUMNS)


def caption(page: Picture) -> str:
    """What is printed under a figure: its title, then all that its small print says."""
    return as_paragraph([page.title, page.small_print])


def _start() -> Literal["fork", "spawn"]:
    """How a process begins: a copy of this one has imported everything, a new one has not.

    Only a process without threads can be copied, and on macOS not one that has drawn.
    """
    alone = sys.platform == "linux" and threading.active_count() == 1
    return "fork" if alone else "spawn"
