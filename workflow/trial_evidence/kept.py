"""What need not be made again: checksums of what a file was made from, and of the file itself.

Nothing here is ever the reason for what a file holds. A file is left alone where it was made from
the same things by the same code and still holds what was written then; else it is made anew.
"""

import hashlib
import json
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel

from trial_evidence.files import OWN_SETTINGS, OWN_TABLES, write_text, write_whole

# Where parts are kept from run to run, below data/processed.
PARTS = "kept"
T = TypeVar("T")
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
# Type -> how a thing of it is taken apart for its checksum.
_PARTS: dict[type, Callable[[Any], Iterable[Any]]] = {}
_LIBRARY = Path(__file__).parent
# What a number or a picture may depend on.
_LIBRARIES = (
    "fonttools", "jinja2", "matplotlib", "mizani", "numpy", "openpyxl", "pandas", "pillow",
    "plotnine", "pymare", "python-docx", "scipy", "statsmodels",
)  # fmt: skip


def digest(*things: Any) -> str:
    """SHA-256 of values of any depth, the same in every process.

    Parameters
    ----------
    *things
        Numbers, texts, paths, arrays, tables, functions of a module, and sequences, sets, mappings
        (in their order), dataclasses and configuration models of these.

    Raises
    ------
    TypeError
        If a value is of another type: it could change without its checksum.
    """
    whole: list[str] = []
    _feed(whole.append, things)
    return hashlib.sha256("".join(whole).encode("utf-8", "surrogatepass")).hexdigest()


def _feed(add: Callable[[str], None], thing: Any) -> None:
    kind = type(thing)
    # What most things are comes first: a class of its own is looked at once.
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
    """How things of a type are taken apart until nothing is left but texts and numbers."""
    if issubclass(kind, bool | int | float | str | bytes | np.generic | Path):
        return lambda thing: (repr(thing),)
    if issubclass(kind, np.ndarray):
        return lambda array: (
            array.tolist()
            if array.dtype == object
            else (str(array.dtype), array.shape, _of_bytes(np.ascontiguousarray(array).tobytes()))
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


def _of_table(table: pd.DataFrame | pd.Series) -> Iterable[Any]:
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    hashed = _of_bytes(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    return (*map(str, frame.columns), *map(str, frame.dtypes), hashed)


def _of_bytes(content: bytes) -> str:
    # Written out as text they would take four times the room.
    return hashlib.sha256(content).hexdigest()


def _of_function(thing: Any) -> Iterable[Any]:
    if not callable(thing) or "<" in getattr(thing, "__qualname__", "<"):
        raise TypeError(f"no checksum of {type(thing).__qualname__}: {thing!r}")
    return (f"{thing.__module__}.{thing.__qualname__}",)


@cache
def code_version() -> str:
    """Checksum of this library with its fonts, and of the versions of what computes and draws."""
    files = (path for path in _LIBRARY.rglob("*") if path.suffix in {".py", ".ttf"})
    sources = [(str(path.relative_to(_LIBRARY)), path.read_bytes()) for path in sorted(files)]
    return digest(sources, [version(name) for name in _LIBRARIES])


def checksum(path: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _told(path: Path) -> dict[str, Any]:
    """What a record says; nothing where it is missing, cut short or of another form."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


class Ledger:
    """What was made from what: a file beside the files that it tells of.

    A ledger that is missing, cut short or not of this form knows nothing, and everything it told of
    is made anew.

    Parameters
    ----------
    path : Path
        Of the ledger; the files it tells of are named from its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = _told(path)
        self._now: dict[str, Any] = {}

    def holds(self, name: str, key: str) -> bool:
        """Whether something was made from what has this checksum, and its files are as made."""
        entry = self._known.get(name)
        if not isinstance(entry, dict) or entry.get("from") != key:
            return False
        files = entry.get("files")
        if not isinstance(files, dict):
            return False
        folder = self.path.parent
        if any(checksum(folder / file) != written for file, written in files.items()):
            return False
        self._now[name] = entry
        return True

    def note(self, name: str, key: str, files: Iterable[Path]) -> None:
        """Note that files were made from what has this checksum."""
        folder = self.path.parent
        made = {path.relative_to(folder).as_posix(): checksum(path) for path in files}
        self._now[name] = {"from": key, "files": made}

    def no_more(self) -> set[Path]:
        """Files that the ledger told of when it was opened, of things not made any more."""
        folder = self.path.parent
        gone = (entry for name, entry in self._known.items() if name not in self._now)
        told = (entry.get("files") for entry in gone if isinstance(entry, dict))
        return {folder / file for files in told if isinstance(files, dict) for file in files}

    def write(self) -> None:
        """Write down what was noted or found to hold; the rest is forgotten."""
        if self._now or self._known:
            told = json.dumps(self._now, indent=1, sort_keys=True)
            write_text(self.path, f"{told}\n", keep_unchanged=True)


class Parts:
    """What takes long to make, each part in a file named by the checksum of what it is made from.

    A file that is not as it was written, or not of this name, by the checksum in its first line, is
    made anew.

    Parameters
    ----------
    folder : Path, optional
        Of the files; made when first needed. Without one nothing is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._used: set[str] = set()

    def text(self, made_from: Sequence[Any], make: Callable[[], str]) -> str:
        """What was made from these things by this code; made now where it has not been kept."""
        return self._kept(made_from, make, lambda text: text.encode("utf-8"), bytes.decode)

    def value(self, made_from: Sequence[Any], make: Callable[[], T]) -> T:
        """The same for a value of any type that can be pickled; nobody may change it."""
        found: T = self._kept(made_from, make, pickle.dumps, pickle.loads)
        return found

    def _kept(
        self,
        made_from: Sequence[Any],
        make: Callable[[], T],
        write: Callable[[T], bytes],
        read: Callable[[bytes], T],
    ) -> T:
        if self._folder is None:
            return make()
        name = digest(code_version(), *made_from)
        self._used.add(name)
        path = self._folder / name
        if path.is_file():
            first, _, content = path.read_bytes().partition(b"\n")
            if first == _seal(name, content):
                return read(content)
        made = make()
        content = write(made)
        write_whole(path, _seal(name, content) + b"\n" + content)
        return made

    @property
    def used(self) -> frozenset[str]:
        """Names of the parts that have been asked for."""
        return frozenset(self._used)

    def keep(self, used: Iterable[str]) -> None:
        """Parts that another process has asked for are not to be forgotten."""
        self._used.update(used)

    def forget_others(self) -> None:
        """Remove every part that has not been asked for."""
        for path in self._folder.glob("*") if self._folder else ():
            if path.name not in self._used:
                path.unlink()


def _seal(name: str, content: bytes) -> bytes:
    """Of what a kept file holds and what it was made from: two files cannot change places."""
    return hashlib.sha256(name.encode() + content).hexdigest().encode()


def read_state(raw: Path, config: Path) -> dict[str, bytes]:
    """Tables of a sheet and files of a configuration as they are now, named as they are kept.

    A file that cannot be read is left out: whoever reads the sheet says why.
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
    """Keep a state, for every stage of a run to work on while the sheet may be edited again.

    A file that is the same keeps its time stamp; one that is no more is removed.
    """
    for name, content in state.items():
        write_whole(folder / name, content, keep_unchanged=True)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in state:
            path.unlink()


def kept_state(folder: Path) -> dict[str, bytes]:
    """The state that :func:`write_state` kept."""
    return read_state(folder / "raw", folder / "config")


def write_inventory(path: Path, files: Iterable[Path]) -> None:
    """Write down the checksum of every file that a run leaves behind."""
    made = {file.as_posix(): checksum(file) for file in sorted(files)}
    write_text(path, json.dumps(made, indent=1) + "\n", keep_unchanged=True)


def made_before(path: Path) -> set[Path]:
    """Files that an inventory names and that are still there, as the run left them."""
    return {Path(file) for file, made in _told(path).items() if checksum(Path(file)) == made}


def remove_made(files: Iterable[Path]) -> None:
    """Remove files, and folders that are empty then."""
    for file in sorted(files):
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def altered(path: Path) -> list[Path]:
    """Files that are not as the run left them that wrote this inventory: edited, cut or gone."""
    return [Path(file) for file, made in _told(path).items() if checksum(Path(file)) != made]
