"""The networks of a setting as the page shows them: a sentence and tables each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import Network, NetworkConfiguration
from trial_evidence.files import read_table, records
from trial_evidence.report.material.printed import capital, counted
from trial_evidence.report.page.grids import (
    Cell,
    Grid,
    effect_of_text,
    grid,
    in_words,
    interval,
    number_of_text,
    p_of_text,
    plain_grid,
    share_of_text,
)
from trial_evidence.report.page.rows import anchor
from trial_evidence.report.page.sources import Link, Reference, of_row
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES, is_random_effects

FOLDER = "network"
Record = Mapping[str, Any]
# Columns of a table of the network stage, as the page prints them: heading, text of a row.
Columns = Sequence[tuple[str, Callable[[Record], str]]]


@dataclass(frozen=True)
class NetworkPart:
    """One network, or one comparison of two outcomes.

    Attributes
    ----------
    id : str
        Anchor in the page.
    key : str
        Id in networks.yaml.
    title : str
    sentences : tuple of str
        What it holds and finds, from its numbers.
    grids : tuple of (str, tuple of Grid)
        Tables below a heading.
    """

    id: str
    key: str
    title: str
    sentences: tuple[str, ...]
    grids: tuple[tuple[str, tuple[Grid, ...]], ...]


def network_anchor(setting: str, key: str) -> str:
    """Anchor of a network in the page."""
    return anchor("network", setting, key)


def network_parts(
    networks: NetworkConfiguration,
    configuration: Configuration,
    setting: str,
    results: Path,
    known: Mapping[str, Reference],
    arms: Mapping[str, str],
) -> tuple[NetworkPart, ...]:
    """Every network of a setting, then every comparison of a surrogate with an outcome.

    Parameters
    ----------
    networks : NetworkConfiguration
    configuration : Configuration
    setting : str
    results : Path
    known : mapping
        source_id -> reference.
    arms : mapping
        arm_id -> label.

    Returns
    -------
    tuple of NetworkPart
        Those whose tables the network stage has written.
    """
    folder = results / setting / FOLDER
    parts = [
        _network(network, _Tables(folder / network.id), configuration, known, arms)
        for network in networks.of_setting(setting)
        if (folder / network.id).is_dir()
    ]
    parts += [
        NetworkPart(
            network_anchor(setting, entry.id),
            entry.id,
            entry.title,
            (),
            (("Trials and models", tuple(_surrogacy(_Tables(folder / entry.id), entry.id))),),
        )
        for entry in networks.surrogacy
        if entry.setting == setting and (folder / entry.id).is_dir()
    ]
    return tuple(parts)


@dataclass(frozen=True)
class _Tables:
    """Tables of a folder, every cell text; a table that is not there has no row."""

    folder: Path

    def __call__(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / f"{name}.csv"
        return records(read_table(path, [])) if path.is_file() else []

    def main(self, name: str) -> list[dict[str, Any]]:
        """Rows of the first random-effects model, where rows differ by model."""
        rows = self(name)
        first = next((row["model"] for row in rows if is_random_effects(row["model"])), "")
        return [row for row in rows if row["model"] == first]


def _network(
    network: Network,
    tables: _Tables,
    configuration: Configuration,
    known: Mapping[str, Reference],
    arms: Mapping[str, str],
) -> NetworkPart:
    id_ = network_anchor(network.setting, network.id)
    measure = MEASURE_NAMES[network.measure]
    labels = {row["code"]: row["label"] for row in tables("nodes")}
    level = f"{configuration.confidence_level:g}%"
    groups = (
        ("League table and ranks", [*_regimens(id_, tables, measure), *_league(id_, tables)]),
        ("Components and additivity", list(_components(id_, tables, measure))),
        ("Inconsistency", list(_inconsistency(id_, tables, measure))),
        ("Synergy inside trials", list(_synergy(id_, tables, configuration.pooling.model))),
        ("Transitivity: trials of every comparison", list(_transitivity(id_, tables))),
        ("Rows used and set aside", list(_rows(id_, tables, known, arms))),
    )
    shown = tuple((heading, tuple(found)) for heading, found in groups if found)
    sentences = tuple(_sentences(tables, labels, measure.lower(), level))
    return NetworkPart(id_, network.id, network.title, sentences, shown)


def _sentences(
    tables: _Tables, labels: Mapping[str, str], measure: str, level: str
) -> Iterator[str]:
    parts = tables("summary")
    if not parts:
        yield "No trial qualifies."
        return
    if len(parts) > 1:
        yield f"The network falls into {len(parts)} parts that no trial connects."
    reference = tables.main("reference")
    tests = {
        (row["part"], row["kind"]): row["p_value"]
        for row in [*tables("inconsistency"), *tables("additivity")]
    }
    for part in parts:
        rows = [row for row in reference if row["part"] == part["part"]]
        rows.sort(key=lambda row: float(row["p_score"] or 0), reverse=True)
        place = f"Part {part['part']}: " if len(parts) > 1 else ""
        what = ", ".join([
            counted(int(part["regimens"]), "regimen"),
            counted(int(part["trials"]), "trial"),
            counted(int(part["comparisons"]), "direct comparison"),
        ])  # fmt: skip
        text = f"{place}{what}."
        if rows:
            best = rows[0]
            score = f" ({number_of_text(best['p_score'])})" if best["p_score"] else ""
            text += (
                f" The highest P-score{score} among those compared with the reference, "
                f"{_inside(labels[best['reference']])}, is that of "
                f"{_inside(labels[best['code']])}: "
                f"{measure} {number_of_text(best['estimate'])} ({level} CI "
                f"{interval(float(best['ci_low']), float(best['ci_high']))}), "
                f"{_directly(best['direct_trials'])}."
            )
        if part["tau2_reml"]:
            text += f" Heterogeneity: τ² {number_of_text(part['tau2_reml'], 3)}."
        p_value = tests.get((part["part"], "design-by-treatment interaction, random effects"))
        if p_value:
            text += f" Inconsistency (design-by-treatment interaction): p {_relation(p_value)}."
        yield text
    additive = next((p for (_, kind), p in tests.items() if kind == "difference, random effects"),
                    "")  # fmt: skip
    if additive:
        yield f"Additivity of the components (random effects): p {_relation(additive)}."


def _inside(label: str) -> str:
    """A label inside a sentence; abbreviations keep their capitals."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _directly(trials: str) -> str:
    count = int(float(trials or 0))
    return f"by {counted(count, 'direct trial')}" if count else "by indirect evidence alone"


def _relation(p_value: str) -> str:
    text = p_of_text(p_value)
    return text if text[:1] in "<>" else f"= {text}"


def _table(
    id_: str, title: str, rows: Sequence[Record], columns: Columns, notes: Sequence[str] = ()
) -> Iterator[Grid]:
    """A table of these columns, where it has a row."""
    if rows:
        lines = [[read(row) for _, read in columns] for row in rows]
        yield plain_grid(id_, title, [heading for heading, _ in columns], lines, notes)


def _cell(column: str) -> Callable[[Record], str]:
    return lambda row: in_words(row[column])


def _number(column: str, digits: int = 2) -> Callable[[Record], str]:
    return lambda row: number_of_text(row[column], digits)


def _p(column: str = "p_value") -> Callable[[Record], str]:
    return lambda row: p_of_text(row[column])


def _effect(value: str = "estimate", before: str = "ci") -> Callable[[Record], str]:
    return lambda row: effect_of_text(row, (value, f"{before}_low", f"{before}_high"))


def _whole(column: str) -> Callable[[Record], str]:
    return lambda row: row[column].removesuffix(".0")


def _prediction(row: Record) -> str:
    return interval(float(row["pi_low"]), float(row["pi_high"])) if row["pi_low"] else ""


def _pair(row: Record) -> str:
    return f"{row['first']} v {row['second']}"


def _regimen(row: Record) -> str:
    return f"{row['label']}, reference" if row["reference"] == "yes" else str(row["label"])


def _regimens(id_: str, tables: _Tables, measure: str) -> Iterator[Grid]:
    effects = {row["code"]: row for row in tables.main("reference")}
    ranks = {row["code"]: row for row in tables("ranks")}
    nothing = dict.fromkeys(
        ("estimate", "ci_low", "ci_high", "pi_low", "pi_high", "direct_trials", "p_score",
         "mean_rank"), "")  # fmt: skip
    rows = [
        # `reference` is a code in reference.csv; the mark of nodes.csv comes last.
        nothing | ranks.get(node["code"], {}) | effects.get(node["code"], {}) | node
        for node in tables("nodes")
    ]
    rows.sort(key=lambda row: (int(row["part"]), -float(row["p_score"] or 0)))
    several = len({row["part"] for row in rows}) > 1
    columns: Columns = [
        ("Part", lambda row: f"Part {row['part']}" if several else ""),
        ("Code", lambda row: row["code"]),
        ("Regimen", _regimen),
        ("Trials", _cell("trials")),
        ("Patients", _cell("patients")),
        (f"{measure} v reference (interval)", _effect()),
        ("Prediction interval", _prediction),
        ("Direct trials", _whole("direct_trials")),
        ("P-score", _number("p_score")),
        ("Mean rank", _number("mean_rank", 1)),
    ]
    title = "Regimens against the reference, by P-score"
    note = "A P-score orders regimens by estimate and precision. It says nothing of certainty."
    yield from _table(f"{id_}-regimens", title, rows, columns, [note])


def _league(id_: str, tables: _Tables) -> Iterator[Grid]:
    """Row against column, every pair both ways; a table a connected part."""
    rows = tables.main("league")
    scores = {row["code"]: float(row["p_score"] or 0) for row in tables("ranks")}
    parts = list(dict.fromkeys(row["part"] for row in rows))
    for part in parts:
        found = {
            (row["first"], row["second"]): effect_of_text(row)
            for row in rows
            if row["part"] == part
        }
        codes = sorted(
            dict.fromkeys(code for pair in found for code in pair),
            key=lambda code: (-scores.get(code, 0.0), code),
        )
        lines = [
            [code, *("–" if code == other else found.get((code, other), "") for other in codes)]
            for code in codes
        ]
        place = f", part {part}" if len(parts) > 1 else ""
        title = f"League table{place}: row against column, in the order of P-scores"
        cells = [[Cell(text) for text in line] for line in lines]
        yield grid(f"{id_}-league-{part}", title, ["Regimen", *codes], cells)


def _components(id_: str, tables: _Tables, measure: str) -> Iterator[Grid]:
    yield from _table(
        f"{id_}-components", "Additive components", tables("components"),
        [("Model", lambda row: "Common effect" if row["model"] == "common" else "Random effects"),
         ("Component", _cell("component")), (f"{measure} (interval)", _effect()), ("p", _p()),
         ("Remark", _cell("reason"))],
    )  # fmt: skip
    yield from _table(
        f"{id_}-interactions", "Joint effects beyond the sum of both", tables("interactions"),
        [("Pair", lambda row: f"{row['first']} × {row['second']}"),
         ("Trials with the pair", _whole("trials_with")),
         ("Trials with both alone", _whole("trials_within")),
         (f"Ratio of {measure.lower()}s (interval)", _effect()), ("p", _p()),
         ("Bayesian (interval)", _effect("posterior_median", "posterior")),
         ("Probability of synergy", lambda row: share_of_text(row["probability_of_synergy"])),
         ("Not told apart from", lambda row: row.get("confounded_with", "")),
         ("Remark", _cell("reason"))],
    )  # fmt: skip
    rows = tables("additivity")
    yield from _table(
        f"{id_}-additivity", "Tests of additivity",
        [row for row in rows if row["kind"] != "regimen"],
        [("Test", _cell("kind")), ("Statistic", _number("statistic")), ("df", _whole("df")),
         ("p", _p()), ("Remark", _cell("reason"))],
    )  # fmt: skip
    yield from _table(
        f"{id_}-predicted", "Observed by the network, and predicted by the components",
        [row for row in rows if row["kind"] == "regimen"],
        [("Regimen", _cell("code")), ("Reference", _cell("reference")),
         ("Observed", _effect("observed", "observed")),
         ("Predicted", _effect("predicted", "predicted")), ("Ratio", _effect("ratio", "ratio")),
         ("p", _p()), ("Remark", _cell("reason"))],
    )  # fmt: skip


def _inconsistency(id_: str, tables: _Tables, measure: str) -> Iterator[Grid]:
    yield from _table(
        f"{id_}-q", "Heterogeneity and inconsistency (decomposition of Q)",
        tables("inconsistency"),
        [("Part", lambda row: f"Part {row['part']}"), ("What", _cell("kind")),
         ("Design", _cell("design")), ("Trials", _cell("trials")), ("Q", _number("q")),
         ("df", _whole("df")), ("p", _p()), ("τ²", _number("tau2", 3))],
    )  # fmt: skip
    yield from _table(
        f"{id_}-split", f"Direct against indirect evidence ({measure.lower()}s)", tables("split"),
        [("Comparison", _pair), ("Trials", _whole("trials")),
         ("Direct share", lambda row: share_of_text(row["direct_share"])),
         ("Direct", _effect("direct", "direct")), ("Indirect", _effect("indirect", "indirect")),
         ("Ratio", _effect("difference", "difference")), ("p", _p("difference_p")),
         ("Remark", _cell("reason"))],
    )  # fmt: skip


def _synergy(id_: str, tables: _Tables, model: str) -> Iterator[Grid]:
    rows = tables("synergy")
    own = (("Scale", lambda row: row["label"]), ("Agents", lambda row: row["agents"]))
    found: Columns = (
        ("Partner alone", lambda row: share_of_text(row["background"])),
        ("Beyond expectation (interval)", _effect()),
        ("Probability of synergy", lambda row: share_of_text(row["probability_of_synergy"])),
        ("Remark", lambda row: " ".join(filter(None, (row["note"], row["reason"])))),
    )
    yield from _table(
        f"{id_}-synergy", "Synergy, pooled over trials",
        [row for row in rows if row["kind"] == "pooled" and row["model"] in (model, "bayesian")],
        [*own, ("Model", lambda row: SHORT_MODEL_NAMES[row["model"]]), ("k", _whole("k")), *found],
    )  # fmt: skip
    first = rows[0]["background"] if rows else ""
    yield from _table(
        f"{id_}-synergy-trials", "Synergy, trial by trial",
        [row for row in rows if row["kind"] == "trial" and row["background"] == first],
        [*own, ("Trial", lambda row: row["trial"]),
         ("Responses: both single arms", lambda row: " and ".join(
             share_of_text(row[f"response_{arm}"]) for arm in ("first", "second"))),
         ("Observed", lambda row: share_of_text(row["observed"])),
         ("Expected", lambda row: share_of_text(row["expected"])), *found],
    )  # fmt: skip


def _transitivity(id_: str, tables: _Tables) -> Iterator[Grid]:
    yield from _table(
        f"{id_}-transitivity", "Who was treated, and how it was measured, by comparison",
        tables("transitivity"),
        [("Comparison", _pair), ("Trial", lambda row: row["trial"]), ("Year", _whole("year")),
         ("Phase", _cell("phase")), ("Blinded", _cell("blinded")), ("Outcome", _cell("outcome")),
         ("Analysed", _cell("population_analysed")), ("Patients", _cell("patients_enrolled")),
         ("Region", _cell("region"))],
    )  # fmt: skip


def _rows(
    id_: str, tables: _Tables, known: Mapping[str, Reference], arms: Mapping[str, str]
) -> Iterator[Grid]:
    used = [
        (
            Cell(row["trial"]),
            Cell(f"{row['code']} v {row['against_code']}" if row["against_code"] else row["code"]),
            Cell(_result(row)),
            Cell("; ".join(filter(None, (
                row["endpoint"], row["definition"], row["population"], row["assessor"])))),
            _source(row, known, row["locator"]),
            Cell(row["verification"]),
            Cell(". ".join(filter(None, (
                row["note"], row.get("readers_differ"), row.get("exclusion_overridden"))))),
        )
        for row in tables("used")
    ]  # fmt: skip
    headings = ["Trial", "Regimen", "Result", "What", "Source and place", "Verification", "Note"]
    if used:
        yield grid(f"{id_}-used", "Rows used", headings, used)
    aside = [
        (
            Cell(row["trial"]),
            Cell(arm_words(row["arms"], arms)),
            Cell(row["what"]),
            Cell(row["reason"]),
            _source(row, known),
            Cell(f"{row['table']}.csv row {row['row']}" if row["row"] else ""),
        )
        for row in tables("set_aside")
    ]
    headings = ["Trial", "Arms", "What", "Why", "Source", "Row of the sheet"]
    if aside:
        yield grid(f"{id_}-aside", "Rows set aside, and why", headings, aside)


def arm_words(text: str, arms: Mapping[str, str]) -> str:
    """Arms of a row by their labels: ``one v other`` of arm ids.

    Parameters
    ----------
    text : str
    arms : mapping
        arm_id -> label.

    Returns
    -------
    str
    """
    return " v ".join(arms.get(arm, arm) for arm in text.split(" v "))


def _result(row: Record) -> str:
    if row["hr"]:
        return f"HR {effect_of_text(row, ('hr', 'ci_low', 'ci_high'))}"
    return "/".join(number.removesuffix(".0") for number in (row["events"], row["n"]))


def _source(row: Record, known: Mapping[str, Reference], place: str = "") -> Cell:
    found = of_row(known, row["source_id"])
    text = ", ".join(filter(None, ["; ".join(source.short for source in found), place]))
    links: list[Link] = [link for source in found for link in source.links]
    return Cell(text, tuple(links))


def _surrogacy(tables: _Tables, id_: str) -> Iterator[Grid]:
    yield from _table(
        f"{id_}-trials", "Trials with both results", tables("trials"),
        [("Trial", lambda row: row["trial"]), ("Regimen", _cell("regimen")),
         ("Against", _cell("against")), ("Patients", _whole("patients")),
         ("Odds ratio", _effect("odds_ratio", "odds")),
         ("Hazard ratio", _effect("hazard_ratio", "hazard")), ("Endpoint", _cell("endpoint"))],
    )  # fmt: skip
    yield from _table(
        f"{id_}-models", "The effect on the outcome by the effect on the surrogate",
        tables("models"),
        [("Model", lambda row: capital(row["model"])), ("Weights", _cell("weighting")),
         ("Correlation inside trials", _number("within_correlation", 1)),
         ("Without", _cell("without")), ("k", _whole("k")),
         ("Slope (interval)", _effect("slope", "slope")),
         ("p", _p("slope_p")), ("R² (interval)", _effect("r2", "r2")),
         ("Threshold odds ratio", _number("threshold_odds_ratio")),
         ("Remark", lambda row: " ".join(filter(None, (row["note"], row["reason"]))))],
    )  # fmt: skip
