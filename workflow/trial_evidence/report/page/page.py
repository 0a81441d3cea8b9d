"""results/report.html: one file that holds the whole report and needs nothing else."""

import base64
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.extract.columns import RATE_NUMBERS, USED_NUMBERS
from trial_evidence.figures.canvas.text import font_path
from trial_evidence.figures.stage import slug
from trial_evidence.files import read_table, records
from trial_evidence.pool.columns import ESTIMATE_NUMBERS, TRIAL_NUMBERS
from trial_evidence.report.material.material import NO_NETWORKS
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.page.grids import (
    Grid,
    count,
    csv_grid,
    estimates_grid,
    interval,
    number,
    report_grid,
)
from trial_evidence.report.page.networks import (
    NetworkPart,
    arm_words,
    network_anchor,
    network_parts,
)
from trial_evidence.report.page.pools import (
    analysis_pools,
    json_island,
    page_method,
    page_models,
    rate_pools,
)
from trial_evidence.report.page.rows import (
    DOMAINS,
    TrialRow,
    anchor,
    bias_rows,
    patients_in_words,
    row_links,
    trial_rows,
)
from trial_evidence.report.page.sources import Reference, references
from trial_evidence.report.page.svg import RowLink, image_data, inline_svg
from trial_evidence.sheet import Sheet
from trial_evidence.words.models import MEASURE_NAMES

TEMPLATES = Path(__file__).resolve().parents[3] / "report"
SCRIPTS = ("statistics.js", "page.js")
FILE = "report.html"
# Which parts of the page hold which tables, by the table's name; the others come last.
PLACES = {
    "front": ("front",),
    "claims": ("claims",),
    "characteristics": ("characteristics",),
    "bias": ("risk_of_bias",),
    "findings": ("summary_of_findings", "certainty"),
    "robustness": ("heterogeneity", "sensitivity"),
    "map": ("evidence_map", "timeline"),
    "biomarkers": ("biomarkers",),
    "search": ("flow",),
}
# The same for the figures over all settings, by how their names begin.
PICTURES = {
    "summary": "front",
    "risk_of_bias": "bias",
    "evidence_map": "map",
    "timeline": "map",
    "flow": "search",
}
# The page prints these analysis by analysis, or as sentences.
ELSEWHERE = {"rows_used", "rows_set_aside", "answers"}
_INTERVAL = re.compile(r"\(?[−\d][\d.,]*–[−\d][\d.,]*\d[%)]?")
FORMATS = ("svg", "pdf", "png", "eps", "tiff")
# What the page shows of the sensitivity tables of an analysis: file, heading, columns.
SENSITIVITY: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("methods", "Other models and priors",
     {"model": "Model", "tau2_estimator": "τ² by", "interval": "Interval", "prior": "Prior of τ"}),
    ("leave_one_out", "Without each trial", {"trial": "Without", "model": "Model"}),
    ("subgroups", "Subgroups of trials",
     {"factor": "Factor", "group": "Group", "tau2_between": "τ²", "test": "Test"}),
    ("meta_regression", "Meta-regression", {"covariate": "Covariate", "term": "Term"}),
    ("multiverse_summary", "All reasonable choices together", {}),
)  # fmt: skip
SMALL_STUDY = ("small_study", "Small-study effects", {"test": "Test", "detail": "Detail"})


@dataclass(frozen=True)
class Extras:
    """Parts of the report that are made before the page.

    Attributes
    ----------
    title : str
    tables : tuple of ReportTable
    methods : str
        The methods paragraphs, separated by empty lines.
    provenance : mapping
        As ``provenance.json`` holds it.
    cited : tuple of str
        source_id of every source used, in the order of the reference list.
    networks : NetworkConfiguration
    """

    title: str
    tables: tuple[ReportTable, ...] = ()
    methods: str = ""
    provenance: Mapping[str, Any] | None = None
    cited: tuple[str, ...] | None = None
    networks: NetworkConfiguration = NO_NETWORKS


@dataclass(frozen=True)
class Picture:
    """A figure of the page: inlined as an element, or as an image that holds itself."""

    title: str
    description: str
    files: tuple[str, ...]
    element: Markup | None
    address: str


@dataclass(frozen=True)
class Section:
    """One analysis of the page."""

    id: str
    key: str
    title: str
    answer: str
    remark: str
    main: tuple[Picture, ...]
    further: tuple[Picture, ...]
    rows: tuple[TrialRow, ...]
    set_aside: tuple[Mapping[str, str], ...]
    estimates: Grid
    sensitivity: tuple[Grid, ...]
    sensitivity_figures: tuple[Picture, ...]
    small_study: Grid | None
    bias: tuple[Mapping[str, Any], ...]
    pools: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Answer:
    """A pooled answer in words, and the analysis it is from."""

    title: str
    sentence: str
    target: str


@dataclass(frozen=True)
class SettingPart:
    """One setting of the page: its answers in words, its analyses, and its networks."""

    id: str
    title: str
    answers: tuple[Answer, ...]
    sections: tuple[Section, ...]
    networks: tuple[tuple[NetworkPart, tuple[Picture, ...]], ...]


def page_settings(
    configuration: Configuration,
    sheet: Sheet,
    processed: Path,
    results: Path,
    extras: Extras,
) -> tuple[SettingPart, ...]:
    """The settings as the page shows them, from what the earlier stages have written.

    Parameters
    ----------
    configuration : Configuration
    sheet : Sheet
    processed, results : Path
        Folders of the stages' output.
    extras : Extras

    Returns
    -------
    tuple of SettingPart

    Raises
    ------
    FileNotFoundError
        If a stage has not run, or a listed figure is missing.
    """
    known = references(sheet["sources"])
    return tuple(
        _setting(setting, configuration, sheet, processed, results, known, extras)
        for setting in configuration.settings
    )


def page(
    configuration: Configuration,
    sheet: Sheet,
    settings: Sequence[SettingPart],
    results: Path,
    extras: Extras,
) -> str:
    """The page as text: one file, readable offline.

    Parameters
    ----------
    configuration : Configuration
    sheet : Sheet
    settings : sequence of SettingPart
        As :func:`page_settings` returns them.
    results : Path
        Holds ``overview/``, the figures over all settings, where there are any.
    extras : Extras
        Tables, methods, provenance.

    Returns
    -------
    str
    """
    known = references(sheet["sources"])
    pools = {section.key: section.pools for part in settings for section in part.sections}
    island = {
        "method": page_method(configuration),
        "models": page_models(configuration),
        "analyses": {key: list(found) for key, found in pools.items() if found},
    }
    used = extras.cited
    if used is None:
        used = _cited(settings)
    scripts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("page.html.j2").render(
        title=extras.title,
        settings=settings,
        places=_places(extras.tables, _anchors(settings, extras)),
        overview=_overview(results),
        methods=[part for part in extras.methods.split("\n\n") if part.strip()],
        provenance=list(_flat(extras.provenance or {})),
        references=[known[key] for key in used if key in known],
        domains=list(DOMAINS.values()),
        level=f"{configuration.confidence_level:g}",
        style=Markup(_font_faces() + (TEMPLATES / "page.css").read_text(encoding="utf-8")),
        scripts=[Markup(text) for text in scripts],
        policy=_policy(scripts),
        data=Markup(json_island(island)),
    )


def _font_faces() -> str:
    """The fonts that the figures were laid out with, so that no text outgrows its place."""
    return "".join(
        f'@font-face {{ font-family: "Figure Sans"; font-weight: {weight}; src: '
        f"url(data:font/ttf;base64,{base64.b64encode(font_path(bold).read_bytes()).decode()}) "
        'format("truetype"); }\n'
        for bold, weight in ((False, 400), (True, 700))
    )


def _policy(scripts: Sequence[str]) -> str:
    """Content security policy: no request to anywhere, no script but the page's own."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _unbroken(text: str) -> Markup:
    """The text with its intervals kept on one line."""
    return Markup(_INTERVAL.sub(r'<span class="n">\g<0></span>', str(escape(text))))


# ---------------------------------------------------------------------------------------- settings


def _setting(
    setting: str,
    configuration: Configuration,
    sheet: Sheet,
    processed: Path,
    results: Path,
    known: Mapping[str, Reference],
    extras: Extras,
) -> SettingPart:
    inputs = _Inputs.read(setting, configuration, sheet, processed, results, known)
    sections = [inputs.comparison(analysis) for analysis in configuration.of_setting(setting)]
    sections += [inputs.rates_of(analysis) for analysis in configuration.rates_of_setting(setting)]
    networks = network_parts(extras.networks, configuration, setting, results, known, inputs.arms)
    return SettingPart(
        id=anchor("setting", setting),
        title=configuration.settings[setting],
        answers=tuple(
            Answer(row["title"], row["sentence"], anchor(setting, row["analysis"]))
            for table in extras.tables
            if table.name == "answers"
            for row in records(table.data)
            if row["setting"] == setting
        ),
        sections=tuple(sections),
        networks=tuple((part, tuple(inputs.pictures("network", part.key))) for part in networks),
    )


def _anchors(settings: Sequence[SettingPart], extras: Extras) -> dict[str, str]:
    """``setting/analysis`` -> its place in the page, for the tables that name it."""
    found = {section.key: section.id for part in settings for section in part.sections}
    for network in extras.networks.networks:
        key = f"{network.setting}/{network.id}"
        found.setdefault(key, network_anchor(network.setting, network.id))
    shown = {found[0].id for part in settings for found in part.networks}
    shown |= {section.id for part in settings for section in part.sections}
    found = {key: target for key, target in found.items() if target in shown}
    if any(table.name == "biomarkers" for table in extras.tables):
        found["/biomarkers"] = "biomarkers"
    return found


@dataclass(frozen=True)
class _Inputs:
    """What the stages wrote for a setting."""

    setting: str
    configuration: Configuration
    sheet: Sheet
    folder: Path
    known: Mapping[str, Reference]
    registered: Mapping[str, str]
    arms: Mapping[str, str]
    estimates: pd.DataFrame
    trials: pd.DataFrame
    rates: pd.DataFrame
    set_aside: pd.DataFrame
    figures: pd.DataFrame
    sensitivity: Mapping[str, pd.DataFrame]

    @classmethod
    def read(
        cls,
        setting: str,
        configuration: Configuration,
        sheet: Sheet,
        processed: Path,
        results: Path,
        known: Mapping[str, Reference],
    ) -> "_Inputs":
        folder = results / setting
        trials = sheet["trials"]
        return cls(
            setting=setting,
            configuration=configuration,
            sheet=sheet,
            folder=folder,
            known=known,
            registered=dict(zip(trials["trial_id"], trials["nct"], strict=True)),
            arms=dict(zip(sheet["arms"]["arm_id"], sheet["arms"]["label"], strict=True)),
            estimates=read_table(folder / "estimates.csv", ESTIMATE_NUMBERS),
            trials=read_table(folder / "trials.csv", [*USED_NUMBERS, *TRIAL_NUMBERS]),
            rates=read_table(folder / "rates.csv", [*RATE_NUMBERS, *TRIAL_NUMBERS]),
            set_aside=read_table(processed / setting / "set_aside.csv", []),
            figures=read_table(folder / "figures.csv", []),
            sensitivity={
                name: read_table(path, [])
                for name, _, _ in (*SENSITIVITY, SMALL_STUDY)
                if (path := folder / "sensitivity" / f"{name}.csv").is_file()
            },
        )

    def comparison(self, analysis: Analysis) -> Section:
        """A comparison of two kinds of arm."""
        rows = self.trials[self.trials["analysis"] == analysis.id]
        estimates = self.estimates[self.estimates["analysis"] == analysis.id]
        shown = trial_rows(rows, self.known, self.registered)
        first = estimates[estimates["measure"].str.endswith(analysis.measures[0])]
        pools = analysis_pools(analysis, rows, estimates, shown, self.configuration)
        outcomes = {str(outcome) for outcome in rows["outcome"]}

        def links(stem: str) -> list[RowLink]:
            return row_links(_figure_rows(stem, rows, analysis.measures), shown)

        return self._section(
            analysis.id, analysis.title, shown, estimates, pools, outcomes, links,
            answer=_answer(analysis, first),
        )  # fmt: skip

    def rates_of(self, analysis: RateAnalysis) -> Section:
        """Rates by regimen."""
        rows = self.rates[self.rates["analysis"] == analysis.id]
        estimates = self.estimates[self.estimates["analysis"] == analysis.id]
        shown = trial_rows(rows, self.known, self.registered)
        pools = rate_pools(analysis, rows, estimates, shown, self.configuration)
        slugs = rows["regimen_label"].map(lambda label: slug(str(label)))

        def links(stem: str) -> list[RowLink]:
            parts = stem.split("/")
            # The overview has a row a regimen, not a row a trial.
            mine = rows[slugs == parts[1]] if len(parts) > 2 else rows.iloc[:0]
            return row_links(_figure_rows(stem, mine, ("proportion",)), shown)

        answer = (
            f"{len(set(rows['regimen_label']))} regimens in {rows['trial_id'].nunique()} trials."
        )
        return self._section(
            analysis.id, analysis.title, shown, estimates, pools, set(), links, answer=(answer, "")
        )

    def _section(
        self,
        analysis_id: str,
        title: str,
        shown: tuple[TrialRow, ...],
        estimates: pd.DataFrame,
        pools: list[dict[str, Any]],
        outcomes: set[str],
        links: Any,
        *,
        answer: tuple[str, str],
    ) -> Section:
        section = anchor(self.setting, analysis_id)
        names = {row.trial_id: row.trial for row in shown}
        drawn = self.figures[self.figures["analysis"] == analysis_id]
        forests = [
            self._picture(self.folder / row["figure"], row, f"{section}-{n}", links(row["figure"]))
            for n, row in enumerate(records(drawn))
        ]
        tables = [
            self._sensitivity(section, analysis_id, *wanted)
            for wanted in (*SENSITIVITY, SMALL_STUDY)
        ]
        return Section(
            id=section,
            key=f"{self.setting}/{analysis_id}",
            title=title,
            answer=answer[0],
            remark=answer[1],
            main=tuple(forests[:1]),
            further=tuple(forests[1:]),
            rows=shown,
            set_aside=tuple(self._aside(analysis_id)),
            estimates=estimates_grid(section, estimates),
            sensitivity=tuple(grid for grid in tables[:-1] if grid),
            sensitivity_figures=tuple(self.pictures("sensitivity", analysis_id)),
            small_study=tables[-1],
            bias=tuple(bias_rows(self.sheet["risk_of_bias"], names, outcomes)),
            pools=tuple(pools),
        )

    def _aside(self, analysis_id: str) -> Iterator[dict[str, str]]:
        for record in records(self.set_aside[self.set_aside["analysis"] == analysis_id]):
            source = self.known.get(record["source_id"])
            yield {
                "trial": record["trial"],
                "patients": patients_in_words(record["subgroup"]),
                "arms": arm_words(record["arms"], self.arms),
                "what": record["what"],
                "cells": f"{record['table']}.csv row {record['row']}" if record["row"] else "",
                "source": source.short if source else record["source_id"],
                "source_id": source.source_id if source else "",
                "verification": record["verification"],
                "reason": record["reason"],
            }

    def pictures(self, stage: str, analysis_id: str | None = None) -> Iterator[Picture]:
        """Figures that a stage lists in its ``figures.csv``, of one analysis or all."""
        listing = self.folder / stage / "figures.csv"
        if not listing.is_file():
            return
        for record in records(read_table(listing, [])):
            if analysis_id in (None, record["analysis"]):
                yield self._picture(_stem(self.folder, stage, record), record)

    def _picture(
        self,
        stem: Path,
        record: Mapping[str, Any],
        prefix: str = "",
        links: Sequence[RowLink] = (),
    ) -> Picture:
        return picture(stem, record, self.folder.parent, prefix, links)

    def _sensitivity(
        self, section: str, analysis_id: str, name: str, title: str, words: Mapping[str, str]
    ) -> Grid | None:
        table = self.sensitivity.get(name)
        if table is None:
            return None
        mine = table[table["analysis"] == analysis_id]
        measures = [m for m in mine["measure"] if m in MEASURE_NAMES]
        if measures:
            mine = mine[mine["measure"] == measures[0]]
        if mine.empty:
            return None
        return csv_grid(f"{section}-{name}", title, mine, words)


def picture(
    stem: Path,
    record: Mapping[str, Any],
    results: Path,
    prefix: str = "",
    links: Sequence[RowLink] = (),
) -> Picture:
    """A figure file for the page.

    Parameters
    ----------
    stem : Path
        Figure file without its ending.
    record : mapping
        ``title`` and ``description`` of its listing.
    results : Path
        Folder that the page stands in.
    prefix : str
        Where given, the drawing becomes an element whose ids begin with it; else an image.
    links : sequence of RowLink
        Rows of the drawing that become links.

    Returns
    -------
    Picture

    Raises
    ------
    FileNotFoundError
        If there is no file that a page can show.
    """
    drawing = stem.with_name(f"{stem.name}.svg")
    element, address = None, ""
    description = str(record["description"])
    if prefix and drawing.is_file():
        text, _ = inline_svg(drawing.read_text(encoding="utf-8"), prefix, description, links)
        element = Markup(text)
    else:
        address = image_data(stem)
    name = stem.relative_to(results.parent).as_posix()
    files = tuple(
        f"{name}.{kind}" for kind in FORMATS if stem.with_name(f"{stem.name}.{kind}").is_file()
    )
    return Picture(str(record["title"]), description, files, element, address)


def _stem(folder: Path, stage: str, record: Mapping[str, Any]) -> Path:
    """Where a listed figure is: beside its analysis, or below the stage's own folder."""
    name, analysis = str(record["figure"]), str(record["analysis"])
    places = [folder / analysis / name, folder / name, folder / stage / name,
              folder / stage / analysis / name]  # fmt: skip
    for stem in places:
        if any(stem.with_name(f"{stem.name}.{kind}").is_file() for kind in ("svg", "png")):
            return stem
    raise FileNotFoundError(f"{folder / stage / 'figures.csv'} lists {name}, which is not drawn")


def _overview(results: Path) -> dict[str, list[Picture]]:
    """Pictures over all settings by the part of the page they belong to."""
    listing = results / "overview" / "figures.csv"
    parts: dict[str, list[Picture]] = {name: [] for name in (*PLACES, "further")}
    if not listing.is_file():
        return parts
    for record in records(read_table(listing, [])):
        name = str(record["figure"])
        stem = results / "overview" / name
        where = next((part for word, part in PICTURES.items() if name.startswith(word)), "further")
        parts[where].append(picture(stem, record, results, f"overview-{stem.name}"))
    return parts


# ------------------------------------------------------------------------------------------ tables


def _places(tables: Sequence[ReportTable], anchors: Mapping[str, str]) -> dict[str, list[Grid]]:
    """Tables by the part of the page they belong to, linked to the analyses of the page."""
    parts: dict[str, list[Grid]] = {name: [] for name in (*PLACES, "further")}
    for table in tables:
        if table.name in ELSEWHERE:
            continue
        where = next((part for part, names in PLACES.items() if table.name in names), "further")
        parts[where].append(report_grid(table, anchors))
    return parts


def _answer(analysis: Analysis, estimates: pd.DataFrame) -> tuple[str, str]:
    """The leading result in a sentence, and why that model leads."""
    lead = estimates[
        (estimates["role"] == "lead")
        & (estimates["subgroup"] == "all")
        & (estimates["measure"] == analysis.measures[0])
    ]
    if lead.empty:
        if analysis.pool != "none" or (estimates["model"] == "no_trial").any():
            found = (estimates["k"] > 0).any()
            return ("Pooled within subgroups only." if found else "No trial qualifies.", "")
        trials = estimates.loc[estimates["subgroup"].str.startswith("trial="), "subgroup"].nunique()
        noun = "trial" if trials == 1 else "trials"
        return (f"{trials} {noun}, shown one by one and not pooled.", "")
    (record,) = records(lead)
    prediction = interval(record["pi_low"], record["pi_high"])
    level = f"{record['ci_level']:g}%"
    parts = [
        f"{MEASURE_NAMES[analysis.measures[0]]} {number(record['estimate'])} "
        f"({level} interval {interval(record['ci_low'], record['ci_high'])}"
        + (f"; {level} prediction interval {prediction})" if prediction else ")"),
        f"{record['k']:.0f} {'trial' if record['k'] == 1 else 'trials'}"
        + (f", {count(record['participants'])} participants"
           if not math.isnan(record["participants"]) else ""),
    ]  # fmt: skip
    return ("; ".join(parts) + ".", str(record["remark"]))


def _figure_rows(stem: str, rows: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """The trials that a forest plot shows, by the plot's name."""
    name = stem.rpartition("/")[2].removeprefix("forest")
    measure = next((m for m in measures if name.startswith(f"_{m}")), measures[0])
    factor = name.removeprefix(f"_{measure}").removeprefix("_by_")
    own = rows[rows["measure"] == measure]
    if factor:
        return own[own["subgroup"].str.startswith(f"{factor}=")]
    return own[own["subgroup"] == "all"]


# ------------------------------------------------------------------------------------- provenance


def _cited(settings: Sequence[SettingPart]) -> tuple[str, ...]:
    """Every source behind a row that is used, in alphabetical order."""
    return tuple(
        sorted(
            {
                reference.source_id
                for part in settings
                for section in part.sections
                for row in section.rows
                for reference in row.references
            }
        )
    )


def _flat(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """A nested mapping as pairs of a dotted name and a text."""
    for key, value in content.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(str(item) for item in value)
        else:
            yield name, "" if value is None else str(value)
