"""Refuse to write files that a spreadsheet program has open, according to their lock files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from trial_evidence.words.errors import RequestError
from trial_evidence.words.printed import listing

# Fields of LibreOffice's lock file: user name, login, computer, time of opening. A comma within a
# field is escaped by a backslash.
_FIELD = re.compile(r"((?:[^,;\\]|\\.)*)[,;]")
_ESCAPED = re.compile(r"\\(.)")


def refuse_open(paths: Iterable[Path]) -> None:
    """Raise a RequestError if a file to be written is open in a spreadsheet program.

    The program's next save would silently overwrite what was written.
    """
    opened = [(path, lock, who) for path in paths for lock, who in _locks(path)]
    if not opened:
        return
    files = listing([str(path) for path, _, _ in opened])
    locks = listing([str(lock) for _, lock, _ in opened])
    people = listing([*dict.fromkeys(who for _, _, who in opened if who)])
    are, it = ("is", "it") if len(opened) == 1 else ("are", "them")
    raise RequestError(
        f"{files} {are} open in a spreadsheet program{people and f' ({people})'}, whose next save "
        f"would undo what is written now, so nothing was written. Close {it} there and run the "
        f"command again; if nobody has {it} open, delete {locks}."
    )


def _locks(path: Path) -> list[tuple[Path, str]]:
    """The lock file of a file, with its owner in words; empty if nobody has the file open."""
    for name, reads in ((f".~lock.{path.name}#", _of_libreoffice), (f"~${path.name}", _of_excel)):
        lock = path.with_name(name)
        try:
            return [(lock, reads(lock.read_bytes()))]
        except PermissionError:
            # Excel denies access to its own lock file.
            return [(lock, "")]
        except OSError:
            continue
    return []


def _of_libreoffice(content: bytes) -> str:
    text = content.decode("utf-8", errors="replace")
    fields = [_ESCAPED.sub(r"\1", field).strip() for field in _FIELD.findall(text)]
    name, login, computer, since, *_ = [*fields, "", "", "", ""]
    parts = (name or login, computer and f"on {computer}", since and f"since {since}")
    return _shown(", ".join(filter(None, parts)))


def _of_excel(content: bytes) -> str:
    """The user name; the first byte is its length."""
    length = content[0] if content else 0
    return _shown(content[1 : 1 + length].decode("cp1252", errors="replace").strip())


def _shown(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
