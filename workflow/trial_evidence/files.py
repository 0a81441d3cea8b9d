"""Writing files whole or not at all, and only where their content changes."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd


def write_whole(path: Path, content: bytes, *, keep_unchanged: bool = False) -> None:
    """Write a file beside its place and rename it, so that no reader ever sees a part of it.

    Parameters
    ----------
    path : Path
        Its folder is made when missing.
    keep_unchanged : bool
        Leave a file alone that already holds this content: its time stamp tells later stages
        that nothing has changed.
    """
    if keep_unchanged and path.is_file() and path.read_bytes() == content:
        return
    with _whole(path) as beside:
        beside.write_bytes(content)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A place to write to; what is written there takes the name of the file once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, keep_unchanged: bool = False) -> None:
    """Write text as UTF-8 with :func:`write_whole`."""
    write_whole(path, text.encode("utf-8"), keep_unchanged=keep_unchanged)


def write_table(path: Path, table: pd.DataFrame, *, keep_unchanged: bool = False) -> None:
    """Write a table as CSV in full double precision, lines ending in a line feed."""
    text = table.to_csv(index=False, lineterminator="\n")
    write_text(path, text, keep_unchanged=keep_unchanged)


def write_long_table(path: Path, parts: Iterable[pd.DataFrame]) -> None:
    """Write parts of one table, at least one, as :func:`write_table` would write it whole."""
    with _whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        for at, part in enumerate(parts):
            part.to_csv(file, index=False, header=at == 0, lineterminator="\n")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries, column name -> value."""
    names = [str(name) for name in table.columns]
    # Column by column: five times as fast as row by row.
    columns = [column.tolist() for _, column in table.items()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def read_table(path: Path, numbers: Iterable[str]) -> pd.DataFrame:
    """Read a table that :func:`write_table` wrote.

    Parameters
    ----------
    numbers : iterable of str
        Columns of numbers, NaN where the cell is empty; every other column is text.
    """
    # Texts as objects: pandas keeps them together, and takes rows of all columns at once.
    table = pd.read_csv(path, dtype=object, keep_default_na=False)
    for column in numbers:
        # float() reads back to the last bit what to_csv wrote; pandas' own parser may not.
        table[column] = [float(cell) if cell else float("nan") for cell in table[column]]
    return table.copy()
