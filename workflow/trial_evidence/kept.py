"""Skip work whose inputs are unchanged: checksums of inputs and of the files made from them.

Caching never changes the content of a file. A file is kept only if it was made from the same inputs
by the same code and has not been altered since; otherwise it is made again.
"""

import hashlib
import json
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel

from trial_evidence.files import OWN_SETTINGS, OWN_TABLES, write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd

# Folder of parts cached between runs, below data/processed.
PARTS = "kept"
T = TypeVar("T")
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
# Type -> function that splits a value of it into parts for the checksum.
_PARTS: dict[type, Callable[[Any], Iterable[Any]]] = {}
_LIBRARY = Path(__file__).parent
# Packages that a number or a figure may depend on.
LIBRARIES = (
    "fonttools", "jinja2", "matplotlib", "mizani", "numpy", "openpyxl", "pandas", "pillow",
    "plotnine", "pymare", "python-docx", "scipy", "statsmodels",
)  # fmt: skip


def digest(*things: Any) -> str:
    """SHA-256 of values nested to any depth, the same in every process.

    Parameters
    ----------
    *things
        Numbers, strings, paths, arrays, tables, module-level functions, and sequences, sets,
        mappings (order counts), dataclasses and configuration models of these.

    Raises
    ------
    TypeError
        If a value has another type: it could change without its checksum changing.
    """
    whole: list[str] = []
    _feed(whole.append, things)
    return hashlib.sha256("".join(whole).encode("utf-8", "surrogatepass")).hexdigest()


def _feed(add: Callable[[str], None], thing: Any) -> None:
    kind = type(thing)
    # The commonest types come first; for any other, the function is looked up once and stored.
    if kind in _PLAIN:
        add(f"{kind.__name__} {thing!r}\0")
        return
    parts = _PARTS.get(kind)
    if parts is None:
        parts = _PARTS[kind] = _parts_of(kind)
    add(f"{kind.__qualname__} (")
    for part in parts(thing):
        _feed(add, part)
    add(")\0")


def _parts_of(kind: type) -> Callable[[Any], Iterable[Any]]:
    """A function that splits values of this type into parts, recursively down to plain values."""
    import pandas as pd

    whole = bool | int | float | str | bytes | date | np.generic | Path | type(pd.NA)
    if issubclass(kind, whole):
        return lambda thing: (repr(thing),)
    if issubclass(kind, np.ndarray):
        return lambda array: (
            array.tolist()
            if array.dtype == object
            # As text, the bytes would take four times the space.
            else (str(array.dtype), array.shape, hashlib.sha256(array.tobytes()).hexdigest())
        )
    if issubclass(kind, pd.DataFrame | pd.Series):
        return _of_table
    if issubclass(kind, Mapping):
        return lambda mapping: mapping.items()
    if issubclass(kind, set | frozenset):
        return lambda some: sorted(digest(part) for part in some)
    if issubclass(kind, Sequence):
        return lambda sequence: sequence
    if issubclass(kind, partial):
        return lambda made: (made.func, made.args, made.keywords)
    if is_dataclass(kind):
        return _of_attributes([field.name for field in fields(kind)])
    if issubclass(kind, BaseModel):
        return _of_attributes(kind.model_fields)
    return _of_function


def _of_attributes(names: Iterable[str]) -> Callable[[Any], Iterable[Any]]:
    named = tuple(names)
    return lambda thing: [getattr(thing, name) for name in named]


def _of_table(table: "pd.DataFrame | pd.Series") -> Iterable[Any]:
    import pandas as pd

    frame = table.to_frame() if isinstance(table, pd.Series) else table
    cells = frame.to_numpy()
    head = (*map(str, frame.columns), *map(str, frame.dtypes), frame.index.tolist())
    if cells.dtype != object:
        return (*head, cells)
    # Not pandas' own hash, which takes many times as long for small tables.
    rows = cells.tolist()
    return (*head, *(repr(row) if _PLAIN.issuperset(map(type, row)) else row for row in rows))


def _of_function(thing: Any) -> Iterable[Any]:
    if not callable(thing) or "<" in getattr(thing, "__qualname__", "<"):
        raise TypeError(f"no checksum of {type(thing).__qualname__}: {thing!r}")
    return (f"{thing.__module__}.{thing.__qualname__}",)


@cache
def code_version() -> str:
    """Checksum of this library, its fonts, and the versions of the packages in `LIBRARIES`."""
    files = (path for path in _LIBRARY.rglob("*") if path.suffix in {".py", ".ttf"})
    sources = [(str(path.relative_to(_LIBRARY)), path.read_bytes()) for path in sorted(files)]
    return digest(sources, [version(name) for name in LIBRARIES])


def checksum(path: Path) -> str:
    """SHA-256 of a file; ``""`` if the file is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _read_record(path: Path) -> dict[str, Any]:
    """Content of a JSON record; empty if it is missing, truncated or not an object."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _read_ledger(path: Path) -> dict[str, dict[str, Any]]:
    """The entries of a `Ledger`, each with ``from`` and ``files``; without malformed ones."""
    return {
        name: entry
        for name, entry in _read_record(path).items()
        if isinstance(entry, dict) and isinstance(entry.get("files"), dict)
    }


class Ledger:
    """A record of which files were made from which inputs, stored in the same folder as the files.

    A ledger that is missing, truncated or malformed counts as empty, so all its files are made
    again.

    Parameters
    ----------
    path : Path
        Path of the ledger; it lists files relative to its own folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = _read_ledger(path)
        self._now: dict[str, dict[str, Any]] = {}

    def holds(self, name: str, key: str) -> bool:
        """Whether an item was made from inputs with this checksum, and its files are unaltered."""
        entry, folder = self._known.get(name), self.path.parent
        if entry is None or entry.get("from") != key:
            return False
        if any(checksum(folder / file) != written for file, written in entry["files"].items()):
            return False
        self._now[name] = entry
        return True

    def note(self, name: str, key: str, files: Iterable[Path]) -> None:
        """Record that these files were made from inputs with this checksum."""
        folder = self.path.parent
        made = {path.relative_to(folder).as_posix(): checksum(path) for path in files}
        self._now[name] = {"from": key, "files": made}

    def no_more(self) -> set[Path]:
        """Files listed when the ledger was opened whose item is no longer made."""
        folder = self.path.parent
        gone = (entry for name, entry in self._known.items() if name not in self._now)
        return {folder / file for entry in gone for file in entry["files"]}

    def write(self) -> None:
        """Write the entries noted or confirmed since the ledger was opened; drop all others."""
        if self._now or self._known:
            text = json.dumps(self._now, indent=1, sort_keys=True)
            write_text(self.path, f"{text}\n", keep_unchanged=True)


class Parts:
    """A cache of slow results, each in a file named by the checksum of its inputs.

    The first line of a file is a checksum of its name and content; a file that does not match it
    is made again.

    Parameters
    ----------
    folder : Path, optional
        Folder of the files, created when first needed. Without a folder nothing is cached.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._used: set[str] = set()

    def value(self, made_from: Sequence[Any], make: Callable[[], T]) -> T:
        """The value made from these inputs by this code; from the cache if it is there.

        It must be one that can be pickled; callers must not modify it.
        """
        if self._folder is None:
            return make()
        name = digest(code_version(), *made_from)
        self._used.add(name)
        path = self._folder / name
        if path.is_file():
            first, _, content = path.read_bytes().partition(b"\n")
            if first == _seal(name, content):
                kept: T = pickle.loads(content)
                return kept
        made = make()
        content = pickle.dumps(made)
        write_whole(path, _seal(name, content) + b"\n" + content)
        return made

    @property
    def used(self) -> frozenset[str]:
        """Names of the parts requested so far."""
        return frozenset(self._used)

    def keep(self, used: Iterable[str]) -> None:
        """Protect parts that another process has used from `forget_others`."""
        self._used.update(used)

    def forget_others(self) -> None:
        """Delete every cached part that was not requested in this run."""
        for path in self._folder.glob("*") if self._folder else ():
            if path.name not in self._used:
                path.unlink()


def _seal(name: str, content: bytes) -> bytes:
    """Checksum of a cached file's name and content, so that two files cannot be interchanged."""
    return hashlib.sha256(name.encode() + content).hexdigest().encode()


def read_state(raw: Path, config: Path) -> dict[str, bytes]:
    """Current content of the sheet's tables and the configuration files.

    Names begin with ``raw/`` or ``config/``. A file that cannot be read is left out; reading the
    sheet reports why.
    """
    tables = {f"raw/{path.name}": path for path in raw.glob(OWN_TABLES)}
    files = {
        f"config/{path.relative_to(config).as_posix()}": path for path in config.rglob(OWN_SETTINGS)
    }
    state = {}
    for name, path in sorted((tables | files).items()):
        with suppress(OSError):
            state[name] = path.read_bytes()
    return state


def write_state(folder: Path, state: Mapping[str, bytes]) -> None:
    """Save a state that all stages of a run work on, even if the sheet is edited meanwhile.

    An unchanged file keeps its time stamp; a file that is no longer part of the state is deleted.
    """
    for name, content in state.items():
        write_whole(folder / name, content, keep_unchanged=True)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in state:
            path.unlink()


def kept_state(folder: Path) -> dict[str, bytes]:
    """The state saved by :func:`write_state`."""
    return read_state(folder / "raw", folder / "config")


def write_inventory(path: Path, files: Iterable[Path]) -> None:
    """Write the checksum of every file that a run produced."""
    made = {file.as_posix(): checksum(file) for file in sorted(files)}
    write_text(path, json.dumps(made, indent=1) + "\n", keep_unchanged=True)


def made_before(path: Path) -> set[Path]:
    """Files in an inventory that still exist and have not been altered since the run."""
    return {Path(file) for file, made in _read_record(path).items() if checksum(Path(file)) == made}


# In a folder of results where users may keep files of their own.
MADE = "files.txt"


def write_listed(path: Path, files: Iterable[Path]) -> None:
    """List files of a folder in a file of that folder, and delete those listed there before."""
    names = sorted(file.relative_to(path.parent).as_posix() for file in files)
    gone = listed_files(path) - {path.parent / name for name in names}
    remove_made(gone)
    write_text(path, "".join(f"{name}\n" for name in names), keep_unchanged=True)


def listed_files(path: Path) -> set[Path]:
    """The files that `write_listed` listed."""
    if not path.is_file():
        return set()
    return {path.parent / name for name in path.read_text(encoding="utf-8").splitlines()}


def drawn_files(path: Path) -> set[Path]:
    """The files in a `Ledger`."""
    return {path.parent / file for entry in _read_ledger(path).values() for file in entry["files"]}


def remove_made(files: Iterable[Path]) -> None:
    """Delete files, and any folders this leaves empty."""
    for file in sorted(files):
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def altered(path: Path) -> list[Path]:
    """Files in an inventory that were edited, truncated or deleted after the run."""
    return [Path(file) for file, made in _read_record(path).items() if checksum(Path(file)) != made]
