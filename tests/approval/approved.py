"""Texts approved by a person, and the comparison of new output with them."""

import difflib
import os
from pathlib import Path

FOLDER = Path(__file__).parent
APPROVE = "APPROVE"


def check(name: str, text: str) -> None:
    """Compare with ``<name>.txt``; with APPROVE=yes in the environment, write it instead."""
    path = FOLDER / f"{name}.txt"
    new = f"{text.rstrip()}\n"
    if os.environ.get(APPROVE) == "yes":
        path.write_text(new, encoding="utf-8")
        return
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    if new != old:
        raise AssertionError(difference(name, old, new))


def difference(name: str, old: str, new: str) -> str:
    """A line-by-line difference from the approved text, with the headings above each change."""
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"approved {name}.txt", "as it is now", n=2, lineterm=""
    )
    return "\n".join(
        [f"{name}: what is said has changed. Read it; where it is right: make approve", *lines]
    )
