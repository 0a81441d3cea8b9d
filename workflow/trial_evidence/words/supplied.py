"""What the library reads and is no code: dictionary and texts of workflow/."""

from pathlib import Path

_LIBRARY = Path(__file__).resolve().parents[1]


def supplied(folder: str) -> Path:
    """A folder of workflow/: beside the library, or inside it where it is an installed package."""
    inside = _LIBRARY / "workflow" / folder
    return inside if inside.is_dir() else _LIBRARY.parent / folder
