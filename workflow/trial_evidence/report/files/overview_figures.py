"""Figures over all settings: the answers, the bias, the search, the map, the years; alt texts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.figures.canvas.page import (
    Format,
    Page,
    Picture,
    beside,
    save_page,
    stacked,
)
from trial_evidence.figures.canvas.pages import LISTING_COLUMNS
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts.timeline import timeline
from trial_evidence.figures.forests.evidence_forests import comparison_axis, to_analysis_scale
from trial_evidence.figures.house.publish import Chart
from trial_evidence.figures.house.theme import Words
from trial_evidence.figures.overview.effect_summary import (
    Effect,
    EffectPanel,
    EffectSummary,
    effect_summary,
)
from trial_evidence.figures.overview.evidence_map import EvidenceMap, MapCell, MapRow
from trial_evidence.figures.overview.evidence_map import layout as map_page
from trial_evidence.figures.overview.flow import Flow, FlowBox, FlowStage
from trial_evidence.figures.overview.flow import layout as flow_page
from trial_evidence.figures.overview.risk_of_bias import (
    JudgedOutcome,
    JudgedTrial,
    TrafficLights,
    judgements_in_words,
    summary_bars,
    traffic_lights,
)
from trial_evidence.figures.stage import judgements
from trial_evidence.files import read_table, records, write_table, write_text
from trial_evidence.report.material.material import Material
from trial_evidence.report.tables.characteristics import evidence_map
from trial_evidence.report.tables.flow import NOT_RECORDED, SEARCH_WORDS, flow_table
from trial_evidence.report.tables.robustness import timeline_table
from trial_evidence.words.models import MEASURE_NAMES
from trial_evidence.words.numbers import format_interval, format_number

FOLDER = "overview"
LISTING = "figures.csv"
DOMAIN_NAMES = (
    "Randomisation process",
    "Deviations from intended interventions",
    "Missing outcome data",
    "Measurement of the outcome",
    "Selection of the reported result",
    "Overall",
)
# Steps that lead out of the flow -> the step they leave, beside which they stand.
LEAVING = {
    "Duplicates removed": "Records identified",
    "Records excluded": "Records screened",
    "Reports sought and not retrieved": "Records screened",
    "Trials and cohorts in no result": "Trials and cohorts in a comparison or a pooled rate",
    "Decisions to leave out": "Trials and cohorts in a comparison or a pooled rate",
}
# Between the agents of a regimen in words.
JOINED_AGENTS = " + "
# From this width on, two panels of bars stand side by side.
TWO_COLUMNS_MM = 150.0
Certainties = Mapping[tuple[str, str], str]


def draw_overview(pages: Mapping[str, Picture], results: Path, formats: Sequence[Format]) -> None:
    """Draw the figures over all settings; one of an earlier run that is no more is removed.

    Parameters
    ----------
    pages : mapping of str to Page
        Name of the figure -> its page.
    results : Path
        The files go to ``overview/<name>.<format>``.
    formats : sequence of {"svg", "pdf", "png"}
    """
    folder = results / FOLDER
    for name, page in pages.items():
        save_page(page, folder / name, formats)
    kept = {f"{name}.{kind}" for name in pages for kind in formats} | {LISTING}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()


def list_overview(
    pages: Mapping[str, tuple[str, Picture]], settings: Sequence[str], results: Path
) -> None:
    """List the figures over all settings, and collect what every figure shows in words.

    Parameters
    ----------
    pages : mapping
        As `overview_pages` returns them.
    settings : sequence of str
    results : Path

    Notes
    -----
    Writes ``overview/figures.csv`` (``setting`` where a figure is about one, ``analysis`` is
    ``overview``). ``alt-texts.csv`` and ``.md`` hold the text of every figure that any stage has
    listed.
    """
    listing = [
        (setting, FOLDER, name, page.title, page.description)
        for name, (setting, page) in pages.items()
    ]
    write_table(results / FOLDER / LISTING, pd.DataFrame(listing, columns=LISTING_COLUMNS))
    texts = figure_texts(settings, results)
    write_table(results / "alt-texts.csv", texts)
    write_text(results / "alt-texts.md", _as_markdown(texts))


def overview_pages(
    material: Material, certainty: Certainties, style: Style
) -> dict[str, tuple[str, Picture]]:
    """Every figure over all settings.

    Parameters
    ----------
    material : Material
    certainty : mapping
        (setting, analysis) -> certainty in words; what is missing is left blank.
    style : Style

    Returns
    -------
    dict
        Name of the figure -> the setting it is about (``""`` for all), and its page.
    """
    pages: dict[str, tuple[str, Picture]] = {}
    summary = summary_of(material, certainty)
    if summary.panels:
        pages["summary"] = ("", effect_summary(summary, style))
    lights = {setting: lights_of(material, setting) for setting in material.configuration.settings}
    judged = {setting: found for setting, found in lights.items() if found.outcomes}
    for setting, found in judged.items():
        pages[f"risk_of_bias_{setting}"] = (setting, traffic_lights(found, style))
    if judged:
        pages["risk_of_bias_bars"] = ("", _all_bars(list(judged.values()), style))
    pages["flow"] = ("", flow_page(flow_of(material), style))
    pages["evidence_map"] = ("", map_page(map_of(material), style))
    dated, words, description = timeline_of(material)
    if len(dated):
        chart = partial(timeline, dated, words, style)
        pages["timeline"] = ("", Chart(chart, words.title, description, style))
    return pages


def summary_of(material: Material, certainty: Certainties) -> EffectSummary:
    """The leading estimate of every pooled answer, by measure.

    Parameters
    ----------
    material : Material
    certainty : mapping
        As for `overview_pages`.
    """
    panels: dict[str, list[tuple[Analysis, Effect, str]]] = {}
    for analysis in material.front():
        lead = material.lead(analysis)
        if lead is None:
            continue
        measure = analysis.measures[0]
        estimate, low, high, pi_low, pi_high = (
            to_analysis_scale(measure, lead[column])
            for column in ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
        )
        participants = lead["participants"]
        name = _short_title(material, analysis)
        effect = Effect(
            group=material.configuration.settings[analysis.setting],
            label=name,
            k=int(lead["k"]),
            participants=None if math.isnan(participants) else int(participants),
            estimate=estimate,
            low=low,
            high=high,
            prediction=None if math.isnan(pi_low) else (pi_low, pi_high),
            certainty=certainty.get((analysis.setting, analysis.id), ""),
        )
        shown = (
            f"{effect.group}, {name}: {MEASURE_NAMES[measure].lower()} "
            f"{format_number(lead['estimate'])} "
            f"({format_interval(lead['ci_low'], lead['ci_high'])}), k = {effect.k}"
        )
        panels.setdefault(measure, []).append((analysis, effect, shown))
    said = [words for found in panels.values() for _, _, words in found]
    level = material.configuration.confidence_level
    return EffectSummary(
        title="Dual against single blockade: the pooled answers",
        panels=tuple(_panel(measure, found) for measure, found in panels.items()),
        level=level,
        footnotes=(
            f"Diamond: leading estimate with its {level:g}% interval; bar: {level:g}% prediction "
            "interval. Which model leads depends on the number of trials; single results are not "
            "pooled. Patients are not stated where a trial does not say how many were analysed.",
        ),
        description=f"Pooled effects of dual against single blockade. {'; '.join(said)}.",
    )


def lights_of(material: Material, setting: str) -> TrafficLights:
    """Every risk-of-bias judgement on a setting's trials, by outcome."""
    trials = {
        row["trial_id"]: _short_name(row["name"])
        for row in material.trials().values()
        if row["setting"] == setting
    }
    by_outcome: dict[str, list[JudgedTrial]] = {}
    for (trial_id, outcome), judged in judgements(material.sheet).items():
        if trial_id in trials:
            trial = JudgedTrial(trials[trial_id], judged)
            by_outcome.setdefault(outcome, []).append(trial)
    name = material.configuration.settings[setting]
    outcomes = tuple(JudgedOutcome(found, tuple(rows)) for found, rows in by_outcome.items())
    described = TrafficLights(f"Risk of bias (RoB 2): {name}", DOMAIN_NAMES, outcomes)
    count = sum(len(outcome.trials) for outcome in outcomes)
    return TrafficLights(
        described.title,
        DOMAIN_NAMES,
        outcomes,
        footnotes=(_whose(material, set(trials)),),
        description=(
            f"Traffic lights of {count} judgements on {len(by_outcome)} outcomes "
            f"({', '.join(by_outcome)}), {name}. Overall: {judgements_in_words(described)}."
        ),
    )


def flow_of(material: Material) -> Flow:
    """From the search to the pools, with the counts that were recorded."""
    stages: dict[str, list[FlowBox]] = {}
    said = []
    rows = records(flow_table(material).data)
    places = {row["step"]: at for at, row in enumerate(rows)}
    # sorting is stable: those that leave come after what they leave, in their own order
    rows.sort(key=lambda row: places.get(LEAVING.get(row["step"], row["step"]), 0))
    for row in rows:
        known = row["n"] is not None and not pd.isna(row["n"])
        count = f"n = {int(row['n']):,}" if known else NOT_RECORDED
        step = str(row["step"])
        # the identifiers of many trials belong into the table, not into a box
        detail = (
            ""
            if step == "Trials and cohorts in no result"
            else str(row["detail"]).replace(".;", ";")
        )
        box = FlowBox(step, count, detail, step in LEAVING, known)
        stages.setdefault(str(row["stage"]), []).append(box)
        said.append(f"{step.lower()} {count.removeprefix('n = ')}")
    return Flow(
        title="From the search to the pools",
        stages=tuple(FlowStage(name, tuple(boxes)) for name, boxes in stages.items()),
        footnotes=(
            f"After PRISMA 2020. This was {SEARCH_WORDS}: what nobody counted is not recorded, "
            "and stands in a box with a broken outline.",
        ),
        description=f"Flow diagram of {SEARCH_WORDS}: {'; '.join(said)}.",
    )


def map_of(material: Material) -> EvidenceMap:
    """Trials and patients by setting, regimen of two agents or more, and endpoint.

    The counts are those of the table of the same name.
    """
    configuration = material.configuration
    used = dict.fromkeys(
        endpoint
        for analysis in configuration.analyses
        for endpoint in (("pCR",) if analysis.is_pcr else analysis.endpoints)
    )
    columns = sorted(used, key=lambda endpoint: endpoint == "OS")
    found: dict[str, dict[str, dict[str, MapCell]]] = {}
    for row in records(evidence_map(material).data):
        if JOINED_AGENTS in row["regimen"] and row["endpoint"] in used:
            cell = MapCell(
                int(row["trials"]), int(row["patients"]) or None, int(row["arms_without_n"]) > 0
            )
            regimens = found.setdefault(str(row["setting"]), {})
            regimens.setdefault(str(row["regimen"]), {})[str(row["endpoint"])] = cell
    groups = []
    said = []
    for setting, regimens in found.items():
        name = configuration.settings[setting]
        rows = [
            MapRow(regimen, tuple(cells.get(column) for column in columns))
            for regimen, cells in regimens.items()
        ]
        groups.append((name, tuple(rows)))
        regimen, endpoint, most = max(
            ((r, e, cell) for r, cells in regimens.items() for e, cell in cells.items()),
            key=lambda entry: entry[2].trials,
        )
        said.append(
            f"{name}: {len(rows)} {'regimen' if len(rows) == 1 else 'regimens'}, most often "
            f"studied {regimen} ({endpoint}: {most.trials} "
            f"{'trial' if most.trials == 1 else 'trials'})"
        )
    return EvidenceMap(
        title="Evidence map: trials and patients by regimen and outcome",
        columns=tuple(columns),
        groups=tuple(groups),
        footnotes=(
            "Arms of two HER2 agents or more with a verified result, single-arm cohorts included. "
            "The area of a bubble follows the number of patients in these arms; +: not every trial "
            "states it. Single agents and endpoints that no analysis uses are in the table.",
        ),
        description=f"Evidence map of regimens of two HER2 agents or more, a bubble for every "
        f"outcome that was studied. {'; '.join(said)}.",
    )


def timeline_of(material: Material) -> tuple[pd.DataFrame, Words, str]:
    """The randomised trials of the comparisons by the year of their first report.

    Returns
    -------
    DataFrame, Words, str
        ``panel``, ``label``, ``year``, ``patients`` and ``pooled``; what stands around the figure;
        what it shows in words.
    """
    trials = material.evidence.trials
    first = _first_reports(material)
    about = material.trials()
    added = timeline_table(material).data
    pooled = set(zip(added["setting"], added["added"], strict=True))
    rows: list[tuple[str, str, int, int, bool]] = []
    unknown = []
    for setting, name in material.configuration.settings.items():
        for trial_id in dict.fromkeys(trials.loc[trials["setting"] == setting, "trial_id"]):
            label = _short_name(about[trial_id]["name"])
            patients, year = about[trial_id]["n_randomised"], first.get(trial_id)
            if year is None or math.isnan(patients):
                unknown.append(label)
            else:
                rows.append((name, label, year, int(patients), (setting, trial_id) in pooled))
    dated = pd.DataFrame(rows, columns=["panel", "label", "year", "patients", "pooled"])
    said = [
        f"{panel}: {len(part)} trials ({part['pooled'].sum()} pooled) with "
        f"{part['patients'].sum():,} patients from {part['year'].min()} to {part['year'].max()}"
        for panel, part in dated.groupby("panel", sort=False)
    ]
    missing = f" Without year or number: {', '.join(unknown)}." if unknown else ""
    words = Words(
        "Patients randomised in the trials compared, as they were reported",
        footnotes=(
            "By the year of the first report in the sheet; all arms of a trial count. Area of a "
            f"dot: patients of the trial.{missing}",
        ),
    )
    return dated, words, f"Cumulative number of patients by year. {'; '.join(said)}."


def figure_texts(settings: Sequence[str], results: Path) -> pd.DataFrame:
    """What every figure that a stage has listed shows, in words.

    Parameters
    ----------
    settings : sequence of str
    results : Path
        Holds ``<setting>/figures.csv``, those of the sensitivity and network stages where there
        are such, and ``overview/figures.csv``.

    Returns
    -------
    DataFrame
        ``figure`` (path below results without suffix), ``title``, ``text``.
    """
    rows: list[dict[str, str]] = []
    for setting in settings:
        for listing in ("", "sensitivity", "network"):
            path = results / setting / listing / "figures.csv"
            if path.is_file():
                rows += _texts_of(path, setting)
    rows += _texts_of(results / FOLDER / "figures.csv", "")
    return pd.DataFrame(rows, columns=["figure", "title", "text"])


def _texts_of(listing: Path, setting: str) -> Iterator[dict[str, str]]:
    for row in records(read_table(listing, [])):
        # a stem with folders is one below the setting, a bare name one of the analysis
        stem = row["figure"] if "/" in row["figure"] else f"{row['analysis']}/{row['figure']}"
        yield {
            "figure": "/".join(filter(None, [setting, stem])),
            "title": row["title"],
            "text": row["description"],
        }


def _as_markdown(texts: pd.DataFrame) -> str:
    parts = ["# Figures in words", "", "What every figure shows, for readers who do not see it."]
    for row in records(texts):
        parts += ["", f"## {row['figure']}", "", f"**{row['title']}**", "", row["text"]]
    return "\n".join(parts) + "\n"


def _panel(measure: str, found: Sequence[tuple[Analysis, Effect, str]]) -> EffectPanel:
    arms = {analysis.arm_labels for analysis, _, _ in found}
    first = found[0][0].arm_labels[0]
    labels = next(iter(arms)) if len(arms) == 1 else (first, "control")
    name = MEASURE_NAMES[measure]
    return EffectPanel(
        name, comparison_axis(measure, labels), tuple(effect for _, effect, _ in found)
    )


def _short_title(material: Material, analysis: Analysis) -> str:
    """The outcome; with the control arm where the setting has the outcome more than once."""
    name = analysis.title.partition(":")[0]
    same = [
        other
        for other in material.front()
        if (other.setting, other.endpoints) == (analysis.setting, analysis.endpoints)
    ]
    control = analysis.arm_labels[1]
    return f"{name} v {control[:1].lower()}{control[1:]}" if len(same) > 1 else name


def _all_bars(lights: Sequence[TrafficLights], style: Style) -> Page:
    title = "Risk of bias (RoB 2): share of judgements"
    across = 2 if style.width_mm >= TWO_COLUMNS_MM and len(lights) > 1 else 1
    narrow = replace(style, width_mm=style.width_mm / across)
    bars = [summary_bars(found, narrow) for found in lights]
    pages = [
        replace(beside(row), width_mm=style.width_mm)
        for row in (bars[at : at + across] for at in range(0, len(bars), across))
    ]
    said = [f"{found.title.partition(': ')[2]}: {judgements_in_words(found)}" for found in lights]
    description = (
        f"Bars of the share of judgements a domain. Overall judgements: {'; '.join(said)}."
    )
    return stacked(pages, title, description)


def _whose(material: Material, trials: set[str]) -> str:
    rows = material.sheet["risk_of_bias"]
    own = rows[rows["trial_id"].isin(trials)]
    published = int((own["basis"] == "published").sum())
    if not published:
        return "Every judgement is our own, from facts on the design."
    return f"{published} of {len(own)} judgements are published ones, the others our own."


def _short_name(name: str) -> str:
    return name.partition(" (")[0]


def _first_reports(material: Material) -> dict[str, int]:
    """Trial id -> year of the earliest source of any of its results."""
    years = {key: row["year"] for key, row in material.sources().items()}
    found: dict[str, int] = {}
    for table in ("pcr", "hazard_ratios"):
        for row in records(material.sheet[table]):
            year = years.get(row["source_id"], math.nan)
            if not math.isnan(year):
                trial = row["trial_id"]
                found[trial] = min(int(year), found.get(trial, int(year)))
    return found
