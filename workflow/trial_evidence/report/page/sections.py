"""The content of the page: settings and their analyses, ready for the template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, RateAnalysis
from trial_evidence.config.methods import Pooling
from trial_evidence.extract.columns import USED_NUMBERS
from trial_evidence.figures.stage import slug
from trial_evidence.files import Record, read_table, records, where
from trial_evidence.measures import MEASURES
from trial_evidence.report.absolute.remarks import remarks
from trial_evidence.report.material.material import Material, of_pool
from trial_evidence.report.material.verified import verified_in_words
from trial_evidence.report.page.networks import NetworkPart, Rows, Tables, network_parts
from trial_evidence.report.page.pictures import Picture, listed, picture, pictures
from trial_evidence.report.page.pools import ASKED, pools_of
from trial_evidence.report.page.rows import TrialRow, anchor, row_links, trial_row, trial_rows
from trial_evidence.report.page.sources import References, references
from trial_evidence.report.trail.trace import Shown, Trail
from trial_evidence.sheet.values import ALL

Pool = Analysis | RateAnalysis
SENSITIVITY = (
    "methods", "leave_one_out", "subgroups", "control_risk", "meta_regression",
    "multiverse_summary", "small_study", "what_would_change",
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """One analysis of the page.

    Attributes
    ----------
    id, key, title : str
        Anchor, ``setting/analysis``, heading.
    pool : str
        How its trials are pooled; ``rates`` for rates by regimen.
    remarks : tuple of str
        Caveats for readers of the answer, one or more sentences each.
    lead : mapping or None
        The leading estimate in all patients and trials, in the first measure.
    set_aside, estimates, bias : tuple of mapping
        Rows of the tables of these names.
    sensitivity : mapping of str to list
        Table of the sensitivity stage -> its rows in one measure.
    pictures : tuple of Picture
        Figures of the sensitivity stage.
    pools : mapping
        Data that the page's scripts pool again.
    """

    id: str
    key: str
    title: str
    pool: str
    remarks: tuple[str, ...]
    lead: Record | None
    forests: tuple[Picture, ...]
    rows: tuple[TrialRow, ...]
    set_aside: tuple[Record, ...]
    estimates: tuple[Record, ...]
    sensitivity: Mapping[str, Rows]
    pictures: tuple[Picture, ...]
    bias: tuple[Record, ...]
    pools: Record


@dataclass(frozen=True)
class SettingPart:
    """One setting of the page: its analyses and its networks."""

    name: str
    title: str
    sections: tuple[Section, ...]
    networks: tuple[NetworkPart, ...]


def page_settings(material: Material, trail: Trail) -> tuple[SettingPart, ...]:
    """The settings of the page, from the outputs of the earlier stages.

    Raises
    ------
    FileNotFoundError
        If a listed figure is missing.
    """
    known = references(material.sheet["sources"])
    configuration = material.configuration
    # Harms are shown together in a separate part.
    analyses: list[Pool] = [a for a in configuration.analyses if not a.harm]
    analyses += configuration.rates
    return tuple(
        SettingPart(
            setting,
            title,
            tuple(_section(found, material, trail, known) for found in analyses
                  if found.setting == setting),
            network_parts(material.networks, setting, material.results, material.parts),
        )
        for setting, title in configuration.settings.items()
    )  # fmt: skip


def _section(analysis: Pool, material: Material, trail: Trail, known: References) -> Section:
    sheet, evidence, folder = material.sheet, material.evidence, material.results / analysis.setting
    measures = analysis.measures if isinstance(analysis, Analysis) else ("proportion",)
    place = analysis.setting, analysis.id
    said: tuple[str, ...] = ()
    if isinstance(analysis, Analysis):
        said = (*remarks(material, analysis), *verified_in_words(material, analysis))

    def mine(row: Record) -> bool:
        return (row["setting"], row["analysis"]) == place

    results = [s for s in trail.shown if s.kind == "result" and mine(s.record)]
    registered = {trial_id: trial["nct"] for trial_id, trial in material.trials.items()}
    shown = trial_rows(results, known, registered)
    estimates = of_pool(evidence.estimates, analysis)
    names = {row.record["trial_id"]: row.record["trial"] for row in shown}
    outcomes = {row.record.get("outcome") for row in shown}
    section = anchor(*place)
    tables = Tables(folder / "sensitivity")
    examined = {name: _one_measure(list(filter(mine, tables(name)))) for name in SENSITIVITY}
    examined["methods"] = [*_methods_as_shown(examined["methods"], material.configuration.pooling)]
    leads = where(estimates, role="lead", subgroup=ALL, measure=measures[0])
    return Section(
        id=section,
        key="/".join(place),
        title=analysis.title,
        pool=analysis.pool if isinstance(analysis, Analysis) else "rates",
        remarks=said,
        lead=next(iter(records(leads)), None),
        forests=tuple(
            picture(folder / row["figure"], row, folder.parent, material.parts, f"{section}-{n}",
                    row_links(_drawn(row["figure"], results, measures), shown))
            for n, row in enumerate(filter(mine, listed(folder)))
        ),
        rows=shown,
        set_aside=tuple(filter(mine, trail.set_aside)),
        estimates=tuple(records(estimates)),
        sensitivity=examined,
        pictures=tuple(pictures(folder, "sensitivity", analysis.id, material.parts)),
        bias=tuple(
            row | {"trial": names[row["trial_id"]]}
            for row in records(sheet["risk_of_bias"])
            if row["trial_id"] in names and row["outcome"] in outcomes
        ),
        pools=pools_of(
            analysis, evidence, shown, material.configuration,
            *_choices(material, analysis, known, registered),
        ),
    )  # fmt: skip


def _choices(
    material: Material, analysis: Pool, known: References, registered: Mapping[str, str]
) -> tuple[pd.DataFrame, list[TrialRow]]:
    """The choices of rows that a reader can make for an analysis, and the rows that they use."""
    folder = material.results / analysis.setting / "sensitivity"
    if isinstance(analysis, RateAnalysis) or not (folder / "choices.csv").is_file():
        return pd.DataFrame(columns=list(ASKED)), []
    choices = of_pool(read_table(folder / "choices.csv", []), analysis)
    rows = of_pool(read_table(folder / "choice_rows.csv", USED_NUMBERS), analysis)
    shown = (Shown("result", row, "", {}, ()) for row in records(rows))
    return choices, [trial_row(one, known, registered) for one in shown]


def _one_measure(rows: Rows) -> Rows:
    """The rows of the first measure, if there are several."""
    first = next((row["measure"] for row in rows if row["measure"] in MEASURES), None)
    return [row for row in rows if first in (None, row["measure"])]


def _methods_as_shown(rows: Rows, pooling: Pooling) -> Iterator[dict[str, Any]]:
    """Rows of all methods, without prediction intervals if there are too few trials."""
    for row in rows:
        if int(row["k"]) >= pooling.prediction_from_trials:
            yield row
        elif not row["prediction"]:
            yield row | {"pi_low": "", "pi_high": ""}


def _drawn(stem: str, results: Sequence[Shown], measures: Sequence[str]) -> Iterator[Record]:
    """The results that a forest plot shows, derived from its name."""
    *folders, name = stem.split("/")
    name = name.removeprefix("forest")
    measure = next((m for m in measures if name.startswith(f"_{m}")), measures[0])
    factor = name.removeprefix(f"_{measure}").removeprefix("_by_")
    for record in (result.record for result in results):
        # The overview of rates has one row per regimen, not per trial.
        regimen = record.get("regimen_label")
        here = regimen is None or folders[1:] == [slug(regimen)]
        whose = record["subgroup"]
        inside = whose.startswith(f"{factor}=") if factor else whose == ALL
        if here and inside and record["measure"] == measure:
            yield record
