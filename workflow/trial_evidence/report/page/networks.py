"""The networks of a setting for the page; their tables are declared in the template."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trial_evidence.config.networks import Network, NetworkConfiguration, SurrogacyAnalysis
from trial_evidence.files import records_there
from trial_evidence.kept import Parts, checksum, digest
from trial_evidence.measures import MEASURES
from trial_evidence.network.models import DESIGN_INTERACTION, LEADING
from trial_evidence.network.tables import patients_of
from trial_evidence.report.page.grids import Cell, Grid, grid
from trial_evidence.report.page.pictures import Picture, pictures
from trial_evidence.report.page.rows import anchor
from trial_evidence.report.words import reading
from trial_evidence.report.words.formats import effect
from trial_evidence.words.models import is_bayesian

FOLDER = "network"
# Columns of a regimen from its comparison with the reference and from the ranks, if any.
OF_A_REGIMEN = (
    "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "direct_trials", "p_score", "mean_rank",
)  # fmt: skip
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Tables:
    """Tables of a folder, every cell as text; a missing table has no rows.

    Attributes
    ----------
    made : str
        Checksum of all tables: cached parts of the page are made again if one changes.
    """

    folder: Path
    made: str = ""

    @classmethod
    def of(cls, folder: Path) -> "Tables":
        """The tables with the checksum of their current content."""
        return cls(folder, digest([(p.name, checksum(p)) for p in sorted(folder.glob("*.csv"))]))

    def __call__(self, name: str) -> Rows:
        """Rows of a table."""
        return records_there(self.folder / f"{name}.csv")

    def main(self, name: str) -> Rows:
        """Rows of the leading model; pairs without a path have none."""
        return [row for row in self(name) if row["role"] == LEADING]


@dataclass(frozen=True)
class NetworkPart:
    """One network, or one comparison of a surrogate with an outcome.

    Attributes
    ----------
    id, key, title : str
        Anchor in the page, id in networks.yaml, heading.
    measure : str
        In words; ``""`` for a surrogate.
    stand_in : bool
        Whether no trial has the reference that networks.yaml names, so that another stands in.
    parts : list of dict
        Connected parts: ``summary.csv`` with ``best``, the regimen with the highest P-score among
        those compared with the reference; ``interaction``, the p value of inconsistency;
        ``untested``, why there is none; and ``interval``, the kind of the leading interval.
    regimens : list of dict
        Regimens of all parts by P-score, with effect and rank.
    leagues : tuple of Grid
        Row against column, every pair in both directions; one table per connected part.
    """

    id: str
    key: str
    title: str
    measure: str
    stand_in: bool
    tables: Tables
    parts: Rows
    regimens: Rows
    leagues: tuple[Grid, ...]
    pictures: tuple[Picture, ...]


def network_parts(
    networks: NetworkConfiguration, setting: str, results: Path, parts: Parts
) -> tuple[NetworkPart, ...]:
    """Networks, then surrogates, of a setting whose tables exist."""
    entries: list[Network | SurrogacyAnalysis] = [*networks.networks, *networks.surrogacy]
    found = []
    for entry in entries:
        tables = Tables.of(results / setting / FOLDER / entry.id)
        if entry.setting != setting or not tables.folder.is_dir():
            continue
        id_ = anchor(FOLDER, setting, entry.id)
        measure, null, stand_in = "", 1.0, False
        if isinstance(entry, Network):
            measure, null = MEASURES[entry.measure].title, reading.null_of(entry.measure)
            held = {row["regimen"] for row in tables("nodes")}
            stand_in = bool(held) and entry.reference not in held
        found.append(
            NetworkPart(
                id_, entry.id, entry.title, measure, stand_in, tables, _parts(tables, null),
                _regimens(tables), tuple(_leagues(tables)),
                tuple(pictures(results / setting, FOLDER, entry.id, parts)),
            )
        )  # fmt: skip
    return tuple(found)


def _score(row: Mapping[str, Any]) -> float:
    return float(row["p_score"] or 0)


def _includes(row: Mapping[str, Any], null: float) -> bool:
    low, high = row["ci_low"], row["ci_high"]
    return bool(low and high) and reading.includes(float(low), float(high), null)


def _parts(tables: Tables, null: float) -> Rows:
    labels = {row["code"]: row["label"] for row in tables("nodes")}
    tests = {
        row["part"]: {"interaction": row["p_value"], "untested": row["reason"]}
        for row in tables("inconsistency")
        if row["kind"] == DESIGN_INTERACTION
    }
    by_score = sorted(tables.main("reference"), key=_score, reverse=True)
    # In reverse, later entries overwrite earlier ones: the highest score stays (first if tied).
    of_all = {row["code"]: _score(row) for row in tables("ranks")}
    best = {
        row["part"]: row
        | {
            "label": labels[row["code"]],
            "against": labels[row["reference"]],
            "interval_name": "CrI" if is_bayesian(row["model"]) else "CI",
            "behind_reference": of_all.get(row["reference"], 0) > _score(row),
            "no_difference": f"{null:g}" if _includes(row, null) else None,
        }
        for row in reversed(by_score)
    }
    intervals = {row["part"]: row["interval"] for row in tables.main("intervals")}
    return [
        row
        | {"best": best.get(row["part"]), "interval": intervals.get(row["part"], "")}
        | tests.get(row["part"], {"interaction": "", "untested": ""})
        for row in tables("summary")
    ]


def _regimens(tables: Tables) -> Rows:
    effects = {row["code"]: row for row in tables.main("reference")}
    ranks = {row["code"]: row for row in tables("ranks")}
    rows = [
        # nodes.csv comes last: its `reference` is yes or no, that of reference.csv is a code.
        dict.fromkeys(OF_A_REGIMEN, "")
        | ranks.get(node["code"], {})
        | effects.get(node["code"], {})
        | node
        | {
            "name": node["label"] + (", reference" if node["reference"] == "yes" else ""),
            "patients": patients_of(node),
        }
        for node in tables("nodes")
    ]
    return sorted(rows, key=lambda row: (int(row["part"]), -_score(row)))


def _leagues(tables: Tables) -> Iterator[Grid]:
    scores = {row["code"]: _score(row) for row in tables("ranks")}
    parts: dict[str, dict[tuple[str, str], str]] = {}
    for row in tables.main("league"):
        parts.setdefault(row["part"], {})[row["first"], row["second"]] = effect(row)
    for part, effects in parts.items():
        place = f", part {float(part):.0f}" if len(parts) > 1 else ""
        named = {code for pair in effects for code in pair}
        codes = sorted(named, key=lambda code: (-scores.get(code, 0.0), code))
        lines = [
            [code, *("–" if code == other else effects.get((code, other), "") for other in codes)]
            for code in codes
        ]
        title = f"League table{place}: row against column, in the order of P-scores"
        yield grid(title, ["Regimen", *codes], [[Cell(text) for text in line] for line in lines])
