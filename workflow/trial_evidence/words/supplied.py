"""Data that the library reads: the dictionary and the text templates of workflow/."""

from pathlib import Path

_LIBRARY = Path(__file__).resolve().parents[1]


def supplied(folder: str) -> Path:
    """A folder of workflow/: next to the library, or inside it in an installed package."""
    inside = _LIBRARY / "workflow" / folder
    return inside if inside.is_dir() else _LIBRARY.parent / folder
