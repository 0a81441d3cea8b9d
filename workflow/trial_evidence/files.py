"""Reading and writing files: each written completely or not at all, and only if it changed."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# A row of a table, column name -> value.
Record = Mapping[str, Any]
# Tables and settings in their folders, without an editor's lock and backup files: .#trials.csv.
OWN_TABLES, OWN_SETTINGS = "[!.~]*.csv", "[!.~]*.yaml"


def write_whole(path: Path, content: bytes, *, keep_unchanged: bool = False) -> None:
    """Write a temporary file and rename it, so that no reader ever sees an incomplete file.

    Parameters
    ----------
    path : Path
        Its folder is created if missing.
    keep_unchanged : bool
        Leave alone a file that already has this content: its time stamp tells later stages
        that nothing has changed.
    """
    if keep_unchanged and path.is_file() and path.read_bytes() == content:
        return
    with whole(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path to write to, renamed to ``path`` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        # Readers of the message know the final name; an error of a full disk has none.
        if error.filename == str(temporary) or (error.errno and error.filename is None):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove temporary files of processes that were killed while writing and no longer run."""
    for path in folder.rglob(".*.part"):
        *_, number, _ = path.name.split(".")
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except (OverflowError, PermissionError, ValueError):
            # Another user's process, or not one of our files.
            continue


def write_text(path: Path, text: str, *, keep_unchanged: bool = False) -> None:
    """Write text as UTF-8 with :func:`write_whole`."""
    write_whole(path, text.encode("utf-8"), keep_unchanged=keep_unchanged)


def write_table(path: Path, table: "pd.DataFrame", *, keep_unchanged: bool = False) -> None:
    """Write a table as CSV in full double precision, lines ending in a line feed."""
    text = table.to_csv(index=False, lineterminator="\n")
    write_text(path, text, keep_unchanged=keep_unchanged)


def write_long_table(path: Path, parts: "Iterable[pd.DataFrame]") -> None:
    """Write a table given in parts (at least one), as :func:`write_table` would write it whole."""
    with whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for at, part in enumerate(parts):
            part.to_csv(file, index=False, header=at == 0, lineterminator="\n")


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows of a table as dictionaries, column name -> value."""
    names = [str(name) for name in table.columns]
    # All cells at once: for a few rows, ten times as fast as column by column.
    return [dict(zip(names, row, strict=True)) for row in table.to_numpy(dtype=object).tolist()]


def records_by(table: "pd.DataFrame", column: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of a table as dictionaries, grouped by a column; groups and rows keep their order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in records(table):
        found.setdefault(row[column], []).append(row)
    return found


def where(table: "pd.DataFrame", **values: Any) -> "pd.DataFrame":
    """Rows of a table whose columns hold these values."""
    kept = np.ones(len(table), dtype=bool)
    for column, value in values.items():
        kept &= (table[column].to_numpy() == value).astype(bool)
    # take() costs more than all the comparisons; consecutive rows can be sliced instead.
    places = np.flatnonzero(kept)
    if places.size and places[-1] - places[0] + 1 == places.size:
        return table.iloc[places[0] : places[-1] + 1]
    return table.take(places)


def read_table(path: Path, numbers: Iterable[str]) -> "pd.DataFrame":
    """Read a table that :func:`write_table` wrote.

    Parameters
    ----------
    numbers : iterable of str
        Numeric columns, with NaN for empty cells; every other column is text.
    """
    import pandas as pd

    # We read many tables of a few rows, and pandas' reader takes eight times as long to start.
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    columns: Iterable[Sequence[str]] = zip(*rows, strict=True) if rows else repeat(())
    cells = dict(zip(names, columns, strict=False))
    # float() restores what to_csv wrote to the last bit; pandas' parser may not.
    floats = {name: [float(cell or "nan") for cell in cells[name]] for name in numbers}
    texts = {name: cells[name] for name in names if name not in floats}
    # Text columns in one object array, so that rows are taken from all of them at once.
    together = [_block(texts, object, len(rows)), _block(floats, float, len(rows))]
    return pd.concat(together, axis=1)[names] if floats else together[0]


def records_there(path: Path) -> list[dict[str, Any]]:
    """Rows of a table, all cells as text; an empty list if no stage has written the file."""
    return records(read_table(path, [])) if path.is_file() else []


def _block(columns: Mapping[str, Sequence[Any]], kind: type, rows: int) -> "pd.DataFrame":
    """Columns of one type as a data frame backed by a single array."""
    import pandas as pd

    cells: np.ndarray[Any, Any] = np.empty((len(columns), rows), dtype=kind)
    for place, column in enumerate(columns.values()):
        cells[place] = column
    return pd.DataFrame(cells.T, columns=list(columns), dtype=kind, copy=False)
