"""Figures for all settings: answers, risk of bias, flow, evidence map, timeline; alt texts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.extract.context import first_report_years
from trial_evidence.figures.canvas.page import Page, Picture, side_by_side, stacked
from trial_evidence.figures.canvas.publishing import LISTING, listing_of
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.charts.timeline import timeline
from trial_evidence.figures.forests.axes import comparison_axis
from trial_evidence.figures.house.publish import charted
from trial_evidence.figures.house.theme import Words
from trial_evidence.figures.overview import effect_summary as answers
from trial_evidence.figures.overview import evidence_map as bubbles
from trial_evidence.figures.overview import flow as boxes
from trial_evidence.figures.overview import risk_of_bias as bias
from trial_evidence.figures.stage import judgements
from trial_evidence.files import records, records_there, where, write_table, write_text
from trial_evidence.measures import MEASURES, Scale
from trial_evidence.report.files.balance_figure import balance_pages
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.two_trials import two_trials
from trial_evidence.report.tables.certainty import PROVISIONAL, Certainties
from trial_evidence.report.tables.characteristics import evidence_map
from trial_evidence.report.tables.flow import flow_steps, search_in_words, uncounted
from trial_evidence.report.tables.front import front_table
from trial_evidence.report.words import formats, reading
from trial_evidence.report.words.templates import declared, environment
from trial_evidence.words.printed import counted, lower_first

FOLDER = "overview"
# Subfolder of a setting with a list of figures -> subfolder with the figures on that list.
STAGES = {"": "", "sensitivity": "", "network": "network/"}
ENDS = ("estimate", "ci_low", "ci_high")
# Separator between the agents of a regimen.
JOINED_AGENTS = " + "
# Minimum width for two panels of bars side by side.
TWO_COLUMNS_MM = 150.0
Pages = Mapping[str, tuple[str, Picture]]
"""Name of a figure -> its setting (``""`` for all settings) and its page."""


def list_overview(pages: Pages, settings: Sequence[str], results: Path) -> None:
    """List the figures for all settings, and collect the alt texts of all figures.

    Writes ``overview/figures.csv`` (``setting`` if a figure is on one, ``analysis`` is
    ``overview``). ``alt-texts.csv`` and ``.md`` hold the text of every figure listed by any stage.
    """
    listed = {(setting, FOLDER, name): page for name, (setting, page) in pages.items()}
    write_table(results / FOLDER / LISTING, listing_of(listed))
    texts = figure_texts(settings, results)
    write_table(results / "alt-texts.csv", texts)
    page = environment(keep_trailing_newline=True).get_template("alt-texts.md.j2")
    write_text(results / "alt-texts.md", page.render(figures=records(texts)))


def overview_pages(material: Material, certainty: Certainties, style: Style) -> Pages:
    """Name of every overview figure -> its setting (``""`` for all settings) and its page.

    `certainty` maps (setting, analysis) to words; missing entries are left blank.
    """
    pages: dict[str, tuple[str, Picture]] = {}
    summary = summary_of(material, certainty)
    if summary.panels:
        pages["summary"] = ("", answers.effect_summary(summary, style))
    lights = {setting: lights_of(material, setting) for setting in material.configuration.settings}
    judged = {setting: found for setting, found in lights.items() if found.outcomes}
    for setting, found in judged.items():
        pages[f"risk_of_bias_{setting}"] = (setting, bias.traffic_lights(found, style))
    if judged:
        pages["risk_of_bias_bars"] = ("", _all_bars(list(judged.values()), style))
    pages["flow"] = ("", boxes.layout(flow_of(material), style))
    pages["evidence_map"] = ("", bubbles.layout(map_of(material), style))
    dated, words, description = timeline_of(material)
    if len(dated):
        chart = charted(timeline, dated, words=words, description=description, style=style)
        pages["timeline"] = ("", chart)
    return pages | balance_pages(material, style)


def summary_of(material: Material, certainty: Certainties) -> answers.EffectSummary:
    """Leading estimates of all pooled answers by measure; `certainty` as in `overview_pages`."""
    panels: dict[str, list[tuple[Analysis, answers.Effect]]] = {}
    said = []
    front = front_table(material, certainty).data
    for row in records(where(front, role="lead")):
        analysis = material.analysis(row["setting"], row["analysis"])
        scale = MEASURES[row["measure"]].scale
        shown = [row[c] for c in (*ENDS, "pi_low", "pi_high")]
        estimate, low, high, *prediction = scale.to_analysis(shown).tolist()
        effect = answers.Effect(
            group=material.configuration.settings[row["setting"]],
            label=_short_title(material, analysis),
            k=int(row["k"]),
            participants=None if math.isnan(row["participants"]) else int(row["participants"]),
            estimate=estimate,
            low=low,
            high=high,
            prediction=None if math.isnan(row["pi_low"]) else (prediction[0], prediction[1]),
            certainty=row["certainty"],
            behind=_behind(material, analysis, scale),
        )
        numbers = f"{reading.measure_name(row['measure'])} {formats.effect(row)}"
        said.append(f"{effect.group}, {effect.label}: {numbers}, k = {effect.k}")
        panels.setdefault(row["measure"], []).append((analysis, effect))
    level = material.configuration.confidence_level
    co_primary = [
        f"{_short_title(material, material.analysis(row['setting'], row['analysis']))} "
        f"({material.configuration.settings[row['setting']].lower()}) {formats.effect(row)}"
        for row in records(where(front, role="co-primary"))
    ]
    cautious = f" With the co-primary model: {'; '.join(co_primary)}." if co_primary else ""
    remarks = _remarks([effect for found in panels.values() for _, effect in found])
    return answers.EffectSummary(
        panels=tuple(_panel(measure, found) for measure, found in panels.items()),
        level=level,
        **_around("summary", level=level, said="; ".join(said), remarks=remarks, cautious=cautious),
    )


def _remarks(effects: Sequence[answers.Effect]) -> str:
    """Footnotes that apply only to some summaries."""
    needed = {
        "pairs": any(effect.behind for effect in effects),
        "unstated": any(effect.participants is None for effect in effects),
        "provisional": any(effect.certainty.endswith(PROVISIONAL) for effect in effects),
    }
    sentences = declared("figures")["summary"]
    return "".join(f" {sentences[name]}" for name, is_there in needed.items() if is_there)


def _behind(material: Material, analysis: Analysis, scale: Scale) -> tuple[answers.Behind, ...]:
    """For a pool of two trials, both trials and their common-effect estimate; else nothing."""
    pair = two_trials(material, analysis)
    if pair is None:
        return ()
    common = {**pair.common, "trial": declared("figures")["summary"]["common"]}
    return tuple(
        answers.Behind(one["trial"], one is not common, *map(float, scale.to_analysis(ends)))
        for one in (*pair.trials, common)
        for ends in [[one[c] for c in ENDS]]
    )


def lights_of(material: Material, setting: str) -> bias.TrafficLights:
    """All risk-of-bias judgements on the trials of a setting, by outcome."""
    trials = set(where(material.sheet["trials"], setting=setting)["trial_id"])
    by_outcome: dict[str, list[bias.JudgedTrial]] = {}
    for (trial_id, outcome), judged in judgements(material.sheet).items():
        if trial_id in trials:
            trial = bias.JudgedTrial(material.trial_name(trial_id), judged)
            by_outcome.setdefault(outcome, []).append(trial)
    outcomes = tuple((found, tuple(rows)) for found, rows in by_outcome.items())
    lights = bias.TrafficLights("", tuple(declared("figures")["risk_of_bias"]["domains"]), outcomes)
    facts = {
        "setting": material.configuration.settings[setting],
        "whose": _whose(material, trials),
        "judged": sum(map(len, by_outcome.values())),
        "outcomes": len(by_outcome),
        "names": ", ".join(by_outcome),
        "overall": bias.judgements_in_words(lights),
    }
    return replace(lights, **_around("risk_of_bias", **facts))


def flow_of(material: Material) -> boxes.Flow:
    """The flow diagram; steps that were not counted are named in a footnote and have no box."""
    stages: dict[str, list[boxes.FlowBox]] = {}
    said = []
    for step in flow_steps(material):
        if step.place and step.n is not None:
            detail = step.detail if step.short is None else step.short
            side = step.place if step.place != "main" else ""
            box = boxes.FlowBox(step.step, f"n = {step.n:,}", detail, side)
            stages.setdefault(step.stage, []).append(box)
            said.append(f"{step.step.lower()} {step.n:,}")
    drawn = tuple((name, tuple(held)) for name, held in stages.items())
    facts = {"search": search_in_words(material), "uncounted": uncounted(material)}
    return boxes.Flow(stages=drawn, **_around("flow", said="; ".join(said), **facts))


def map_of(material: Material) -> bubbles.EvidenceMap:
    """Trials and patients by setting, regimen of two or more agents, and endpoint.

    The counts are those of the table with the same name.
    """
    analyses = material.configuration.analyses
    used = {label for found in analyses if not found.harm for label in found.labels}
    labels = (outcome.label for outcome in material.configuration.outcomes.values())
    columns = tuple(label for label in labels if label in used)
    table = evidence_map(material).data
    combined = table["regimen"].str.contains(JOINED_AGENTS, regex=False)
    shown = table[combined & table["endpoint"].isin(used)]
    groups, said = [], []
    for setting, mine in shown.groupby("setting", sort=False):
        cells = {
            (row["regimen"], row["endpoint"]): bubbles.MapCell(
                row["trials"], row["patients"] or None, row["arms_without_n"] > 0
            )
            for row in records(mine)
        }
        rows = tuple(
            bubbles.MapRow(regimen, tuple(cells.get((regimen, column)) for column in columns))
            for regimen in mine["regimen"].unique()
        )
        name = material.settings[str(setting)]
        groups.append((name, rows))
        (regimen, endpoint), most = max(cells.items(), key=lambda entry: entry[1].trials)
        said.append(
            f"{name}: {counted(len(rows), 'regimen')}, most often studied {regimen} "
            f"({endpoint}: {counted(most.trials, 'trial')})"
        )
    around = _around("evidence_map", agent=material.report.agent, said="; ".join(said))
    return bubbles.EvidenceMap(columns=columns, groups=tuple(groups), **around)


def timeline_of(material: Material) -> tuple[pd.DataFrame, Words, str]:
    """The randomised trials of the comparisons by year of first report.

    Returns
    -------
    DataFrame, Words, str
        ``panel``, ``label``, ``year``, ``patients`` and ``pooled``; title and footnotes; alt text.
    """
    settings, evidence = material.configuration.settings, material.evidence
    benefits = [a.id for a in material.configuration.analyses if not a.harm]
    leads = where(evidence.estimates, role="lead")
    leads = leads[leads["analysis"].isin(benefits) & (leads["k"] > 1)]
    pooled = [
        (setting, trial)
        for setting, trials in leads[["setting", "trials"]].itertuples(index=False)
        for trial in trials.split(";")
    ]
    compared = where(evidence.trials, pooled="yes")[["setting", "trial_id"]].drop_duplicates()
    trials = compared.merge(material.sheet["trials"][["trial_id", "n_randomised"]])
    rows = pd.DataFrame({
        "panel": trials["setting"].map(settings),
        "label": trials["trial_id"].map(material.trial_name),
        "year": trials["trial_id"].map(first_report_years(material.sheet)),
        "patients": trials["n_randomised"],
        "pooled": pd.MultiIndex.from_frame(trials[["setting", "trial_id"]]).isin(pooled),
    })  # fmt: skip
    unknown = rows.loc[rows[["year", "patients"]].isna().any(axis=1), "label"]
    dated = rows.dropna(subset=["year", "patients"], ignore_index=True)
    dated = dated.astype({"year": int, "patients": int})
    said = [
        f"{panel}: {counted(len(part), 'trial')} ({part['pooled'].sum()} pooled) with "
        f"{part['patients'].sum():,} patients from {part['year'].min()} to {part['year'].max()}"
        for panel, part in dated.groupby("panel", sort=False)
    ]
    missing = (
        f" Year or number of patients not stated: {', '.join(unknown)}." if len(unknown) else ""
    )
    around = _around("timeline", missing=missing, said="; ".join(said))
    description = around.pop("description")
    return dated, Words(**around), description


def figure_texts(settings: Sequence[str], results: Path) -> pd.DataFrame:
    """Every figure listed by a stage: ``figure``, ``title``, ``text``, ``caption``.

    ``figure`` is the path below results, without extension.
    """
    below = [
        (f"{setting}/{listed}", f"{setting}/{drawn}")
        for setting in settings
        for listed, drawn in STAGES.items()
    ]
    rows = []
    for listed, drawn in (*below, (FOLDER, "")):
        for row in records_there(results / listed / LISTING):
            # A stem with folders is relative to the setting, a bare name to the analysis
            stem = row["figure"] if "/" in row["figure"] else f"{row['analysis']}/{row['figure']}"
            rows.append((f"{drawn}{stem}", row["title"], row["description"], row["caption"]))
    return pd.DataFrame(rows, columns=["figure", "title", "text", "caption"])


def _around(name: str, **facts: Any) -> dict[str, Any]:
    """Title, footnotes and alt text from workflow/report/figures.yaml, with facts filled in."""
    texts = declared("figures")[name]
    return {
        "title": texts["title"].format(**facts),
        "footnotes": tuple(text.format(**facts) for text in texts.get("footnotes", ())),
        "description": texts["description"].format(**facts),
    }


def _panel(measure: str, found: Sequence[tuple[Analysis, answers.Effect]]) -> answers.EffectPanel:
    analysis = found[0][0]
    same = len({other.arm_labels for other, _ in found}) == 1
    labels = analysis.arm_labels if same else (analysis.arm_labels[0], "control")
    axis = comparison_axis(measure, labels, analysis.fewer_is_better)
    return answers.EffectPanel(MEASURES[measure].title, axis, tuple(effect for _, effect in found))


def _short_title(material: Material, analysis: Analysis) -> str:
    """The outcome, with the control arm if the setting has several analyses of the outcome."""
    name = analysis.title.partition(":")[0]
    asked = [(other.setting, other.endpoints) for other in material.front()]
    control = analysis.arm_labels[1]
    more = asked.count((analysis.setting, analysis.endpoints)) > 1
    return f"{name} v {lower_first(control)}" if more else name


def _all_bars(lights: Sequence[bias.TrafficLights], style: Style) -> Page:
    across = 2 if style.width_mm >= TWO_COLUMNS_MM and len(lights) > 1 else 1
    # Panels need their titles: the caption only has the title of the whole figure.
    narrow = replace(style, width_mm=style.width_mm / across, title=True)
    bars = [bias.summary_bars(found, narrow) for found in lights]
    pages = [
        replace(side_by_side(bars[at : at + across]), width_mm=style.width_mm)
        for at in range(0, len(bars), across)
    ]
    said = "; ".join(
        f"{found.title.partition(': ')[2]}: {bias.judgements_in_words(found)}" for found in lights
    )
    around = _around("risk_of_bias_bars", said=said)
    return stacked(pages, around["title"], around["description"])


def _whose(material: Material, trials: set[str]) -> str:
    rows = material.sheet["risk_of_bias"]
    own = rows[rows["trial_id"].isin(trials)]
    published = len(where(own, basis="published"))
    if not published:
        return "Every judgement is our own, made from the design of the trials."
    if published == len(own):
        return "Every judgement was published."
    return f"{published} of {len(own)} judgements were published, the others are our own."
