"""Lines of code by room, for docs/architecture.md.

    PYTHONPATH=workflow python benchmarks/rooms.py

writes the table between the two marks on that page. Blank lines, comments and docstrings are not
counted.
"""

import ast
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow/trial_evidence"
PAGE = ROOT / "docs/architecture.md"
START, END = "<!-- rooms: made by benchmarks/rooms.py -->", "<!-- end of rooms -->"
sys.path.insert(0, str(ROOT / "tests"))


def purpose(folder: Path) -> str:
    """First paragraph of the docstring of a folder or module."""
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.split("\n\n")[0].replace("\n", " ")


def table() -> str:
    """Markdown table of the rooms, in the order of imports."""
    from unit.test_project import ROOMS, STREAM, lines_of_code, parts, room

    counts: Counter[str] = Counter()
    for path in sorted(LIBRARY.rglob("*.py")):
        own = room(parts(path)) if parts(path) else None
        if own:
            counts[own] += lines_of_code(path)
    rows = ["| room | lines | what for |", "| --- | --- | --- |"]
    for name in (name for level in STREAM for name in sorted(level)):
        place = LIBRARY / name.replace(".", "/")
        if counts[name]:
            rows.append(f"| `{name.replace('.', '/')}` | {counts[name]:,} | {purpose(place)} |")
    assert counts.keys() <= ROOMS
    return "\n".join([*rows, f"| **all** | **{sum(counts.values()):,}** | |"])


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{START}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
