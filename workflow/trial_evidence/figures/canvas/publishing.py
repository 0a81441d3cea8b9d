"""Publishing: draw any number of figures in several processes, list them, remove outdated ones."""

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
# In the same folder as the list: what each figure was drawn from.
RECORD = ".drawn.json"
LISTING_COLUMNS = ["setting", "analysis", "figure", "title", "description", "caption"]
Place = TypeVar("Place", bound=tuple[str, ...])
# Drawing this many figures takes as long as a new process takes to import its libraries.
_WORTH_A_PROCESS = 6


@contextmanager
def helpers(number: int, *known: Any) -> Iterator[ProcessPoolExecutor | None]:
    """Worker processes; they are waited for at the end.

    Parameters
    ----------
    number
        Number of processes; None is yielded instead of a pool if there are none.
    *known
        Functions that `of_helper` calls in a worker. Forked workers inherit them; where processes
        cannot be forked and functions are given, there are no workers.
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
    """End this worker with its parent: it would wait for ever for work from a killed one."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def of_helper(place: int) -> Any:
    """Call a function given to the worker at its start, and return the result."""
    return _KNOWN[place]()


class Drawing:
    """Figures of a folder, drawn in the background; see `publishing`."""

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
        # Files of an earlier run's figures that no longer exist.
        self.no_more: set[Path] = set()

    def add(self, pages: Mapping[str, Picture]) -> list[str]:
        """Draw those figures, by path below the folder without suffix, that are out of date.

        Returns
        -------
        list of str
            Those that are drawn: what they show has changed, or one of their files has.
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
        """Wait for the figures, record what they were drawn from, and return their files."""
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
    """Draw figures in the background; they are complete when the context ends.

    Parameters
    ----------
    folder, formats, dpi
        Where the files go, their suffixes, and the resolution of bitmaps.
    pool
        Processes that draw; without a pool a figure is drawn when it is added.
    own
        Patterns of paths below the folder. Any match that is not a figure of this run is removed,
        with folders that become empty; so is every other outdated figure in the record. Without
        patterns nothing is removed.
    kept
        Paths below the folder that are not figures and stay.
    record
        Name of the file in the folder that records what each figure was drawn from.
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
    """Save figures and remove outdated ones of an earlier run; see `publishing`.

    Starts no more processes than are worthwhile, up to the number allowed. Returns the names of the
    figures that had to be drawn.
    """
    enough = 1 if _start() == "fork" else _WORTH_A_PROCESS
    useful = min(processes, 1 + len(pages) // enough)
    with (
        helpers(useful if useful > 1 else 0) as pool,
        publishing(folder, formats, pool, **more) as drawing,
    ):
        return drawing.add(pages)


def listing_of(pages: Mapping[Place, Picture]) -> pd.DataFrame:
    """A table of figures in words, by setting, analysis and name; see `LISTING_COLUMNS`."""
    rows = [(*place, page.title, page.description, caption(page)) for place, page in pages.items()]
    return pd.DataFrame(rows, columns=LISTING_COLUMNS)


def caption(page: Picture) -> str:
    """Caption of a figure: its title, then its small print."""
    return as_paragraph([page.title, page.small_print])


def _start() -> Literal["fork", "spawn"]:
    """How to start a process: a forked one has everything imported already, a spawned one has not.

    Only a process without threads can be forked safely, and on macOS not one that has drawn.
    """
    alone = sys.platform == "linux" and threading.active_count() == 1
    return "fork" if alone else "spawn"
