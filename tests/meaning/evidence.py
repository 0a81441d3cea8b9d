"""Result tables of the made-up project, to compare its figures with."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from made_up.project import HERE, MadeUp

Row = dict[str, str]
ANALYSES = yaml.safe_load((HERE / "config/analyses.yaml").read_text(encoding="utf-8"))["analyses"]
# The side of no effect on which a benefit lies, and the value of no effect.
BENEFIT_BELOW = {"hazard_ratio"}
NO_EFFECT = {"risk_ratio": 1.0, "odds_ratio": 1.0, "risk_difference": 0.0, "hazard_ratio": 1.0}


def rows(path: Path, **where: str) -> list[Row]:
    """Rows of a CSV file with these words in these columns."""
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return [row for row in found if all(row[name] == word for name, word in where.items())]


def one(path: Path, **where: str) -> Row:
    """The only such row."""
    (found,) = rows(path, **where)
    return found


def floats(row: Row, *names: str) -> list[float]:
    """Numbers of a row."""
    return [float(row[name]) for name in names]


def numbers(text: str) -> list[float]:
    """The numbers in a text; a dash between two numbers is not a minus sign."""
    plain = text.replace("–", " ").replace("−", "-")
    # A comma before three digits separates thousands; any other is a decimal mark.
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain).replace(",", ".")
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", plain)]


def says(text: str, expected: Sequence[float], digits: int = 2) -> bool:
    """Whether a text shows these numbers, rounded; numbers beyond the printed range are ignored."""
    if ">" in text or "<" in text:
        return True
    found = numbers(text)
    return len(found) == len(expected) and all(
        abs(one - other) <= 0.501 * 10**-digits for one, other in zip(found, expected, strict=True)
    )


def agents(made_up: MadeUp) -> dict[str, str]:
    """Name of every agent by its id."""
    return {row["agent"]: row["label"] for row in rows(made_up.folder / "data/raw/agents.csv")}


def forests() -> list[Any]:
    """Every analysis and measure with its forest plot; all harms share one plot."""
    return [
        (entry, measure, "forest" if at == 0 else f"forest_{measure}")
        for entry in ANALYSES
        if not entry.get("harm")
        for at, measure in enumerate(entry["measures"])
    ]


def named(case: Any) -> str:
    """Name of a case of `forests`."""
    return f"{case[0]['setting']}-{case[0]['id']}-{case[1]}" if isinstance(case, tuple) else ""
