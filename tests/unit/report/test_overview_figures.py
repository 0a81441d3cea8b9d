"""Figures for all settings, forest plots with their own options, and alt texts."""

import re
from dataclasses import replace
from shutil import copytree

import pandas as pd
import pytest
from figures.svg_reading import check_svg, read_svg
from invented import ROOT
from report_material import material
from small_project import evidence_of, small_project
from trial_evidence.config.configuration import FigureChoices
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.config.methods import FigureFiles
from trial_evidence.figures.canvas.page import save_page
from trial_evidence.figures.canvas.publishing import LISTING, publish
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.stage import setting_forests
from trial_evidence.files import read_table, records, write_table
from trial_evidence.report.files import overview_figures
from trial_evidence.report.files.overview_figures import (
    flow_of,
    lights_of,
    list_overview,
    map_of,
    overview_pages,
    summary_of,
    timeline_of,
)
from trial_evidence.report.files.styled_figures import choose_style, write_styled_figures
from trial_evidence.report.material.material import read_evidence
from trial_evidence.report.tables.characteristics import evidence_map
from trial_evidence.report.tables.robustness import timeline_table
from trial_evidence.words.errors import RequestError

LOOKS = read_figure_configuration(ROOT / "config")
SETTING, ANALYSIS = "neoadjuvant", "pcr_dual_v_trastuzumab"
CERTAINTY = {(SETTING, ANALYSIS): "Moderate"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The folder of the made-up project, and its material."""
    folder = small_project(tmp_path_factory.mktemp("overview"))
    found = material(evidence_of(folder), folder / "results")
    configuration = replace(found.configuration, figures=FigureFiles(180.0, ("svg",)))
    return folder, replace(found, configuration=configuration)


@pytest.fixture(scope="module")
def found(project):
    return project[1]


@pytest.fixture(scope="module")
def drawn(project):
    """The folder of results with all overview figures."""
    folder, found = project
    results = folder / "results"
    (results / "overview").mkdir()
    (results / "overview/risk_of_bias_of_a_setting_that_was.svg").touch()
    listing = pd.DataFrame(
        [(SETTING, ANALYSIS, f"{ANALYSIS}/forest", "A title", "Words.", "A title.")],
        columns=["setting", "analysis", "figure", "title", "description", "caption"],
    )
    write_table(results / SETTING / "figures.csv", listing)
    write_table(results / SETTING / "sensitivity/figures.csv", listing.assign(figure="funnel"))
    write_table(results / SETTING / "network/figures.csv", listing.assign(figure="graph"))
    pages = overview_pages(found, CERTAINTY, Style())
    drawn = {name: page for name, (_, page) in pages.items()}
    publish(drawn, results / "overview", ("svg",), own=("*",), kept=(LISTING,))
    list_overview(pages, list(found.configuration.settings), results)
    return results


# ------------------------------------------------------------------------------ over all settings


def test_every_figure_is_drawn_listed_and_described(drawn):
    listed = read_table(drawn / "overview/figures.csv", [])
    files = {path.stem: path for path in (drawn / "overview").glob("*.svg")}
    assert sorted(listed["figure"]) == sorted(files)
    assert set(files) >= {
        "summary", "risk_of_bias_neoadjuvant", "risk_of_bias_bars", "flow", "evidence_map",
        "timeline",
    }  # fmt: skip
    for row in records(listed):
        assert check_svg(files[row["figure"]]) == []
        assert read_svg(files[row["figure"]]).description == row["description"]
        # a title alone is not a description
        assert len(row["description"]) > len(row["title"]) + 20


def test_bars_of_several_settings_say_whose_they_are_in_a_look_without_titles(found):
    pages = overview_pages(found, CERTAINTY, Style(title=False))
    settings = {found.trials[row["trial_id"]]["setting"] for row in
                records(found.sheet["risk_of_bias"])}  # fmt: skip
    assert len(settings) > 1
    words = " ".join(word.text for word in pages["risk_of_bias_bars"][1].texts)
    assert all(found.settings[setting] in words for setting in settings)


def test_every_listed_figure_has_its_words_in_one_place(drawn):
    texts = read_table(drawn / "alt-texts.csv", [])
    overview = [
        f"overview/{name}" for name in read_table(drawn / "overview/figures.csv", [])["figure"]
    ]
    assert list(texts["figure"]) == [
        f"{SETTING}/{ANALYSIS}/forest", f"{SETTING}/{ANALYSIS}/funnel",
        f"{SETTING}/network/{ANALYSIS}/graph", *overview,
    ]  # fmt: skip
    assert (texts["text"] != "").all()
    assert all(map(str.startswith, texts["caption"], texts["title"].str.rstrip(".")))
    page = (drawn / "alt-texts.md").read_text(encoding="utf-8")
    assert all(f"## {figure}\n" in page for figure in texts["figure"])


def test_the_answers_are_the_leading_estimates(found):
    summary = summary_of(found, CERTAINTY)
    lead = found.lead(next(a for a in found.front() if a.id == ANALYSIS))
    first = summary.panels[0].effects[0]
    assert (first.group, first.k, first.certainty) == ("Neoadjuvant", int(lead["k"]), "Moderate")
    assert f"{lead['estimate']:.2f} ({lead['ci_low']:.2f}–{lead['ci_high']:.2f})" in (
        summary.description
    )
    # two comparators for the same outcome are distinguished
    labels = [effect.label for effect in summary.panels[0].effects]
    assert labels == [
        "Pathological complete response v trastuzumab",
        "Pathological complete response v lapatinib",
    ]
    # ratios with opposite directions of benefit do not share an axis
    assert [panel.axis.favours_low for panel in summary.panels] == [
        "Favours control", "Favours dual",
    ]  # fmt: skip


@pytest.mark.parametrize("certainty", ["Moderate", "Low (provisional)"])
def test_the_small_print_of_the_answers_explains_what_is_in_them_and_nothing_else(found, certainty):
    summary = summary_of(found, {(SETTING, ANALYSIS): certainty})
    (words,) = summary.footnotes
    effects = [effect for panel in summary.panels for effect in panel.effects]
    assert ("Certainty is provisional" in words) == ("provisional" in certainty)
    assert ("Below a pool of two trials" in words) == any(effect.behind for effect in effects)
    unstated = any(effect.participants is None for effect in effects)
    assert ("Patients are not stated" in words) == unstated


def test_an_outcome_that_another_setting_has_too_needs_no_control_to_tell_it(found):
    def labels(of):
        panels = summary_of(of, CERTAINTY).panels
        return [effect.label for panel in panels for effect in panel.effects]

    alone = [label for label in labels(found) if " v " not in label]
    assert alone
    configuration = found.configuration
    elsewhere = [
        replace(entry, setting="elsewhere", id="other")
        for entry in configuration.analyses
        if any(entry.title.startswith(label) for label in alone)
    ]
    assert elsewhere
    every = replace(configuration, analyses=(*configuration.analyses, *elsewhere))
    assert labels(replace(found, configuration=every)) == labels(found)


def test_one_answer_without_its_patients_is_enough_to_say_so(found):
    estimates = found.evidence.estimates
    of_others = estimates["participants"].mask(estimates["analysis"] == ANALYSIS)
    unstated = replace(found.evidence, estimates=estimates.assign(participants=of_others))
    summary = summary_of(replace(found, evidence=unstated), CERTAINTY)
    stated = [effect.participants for panel in summary.panels for effect in panel.effects]
    assert None in stated
    assert len({*stated}) > 1
    assert "Patients are not stated" in summary.footnotes[0]


def test_judgements_stand_under_their_outcome(found):
    lights = lights_of(found, SETTING)
    assert [heading for heading, _ in lights.outcomes] == ["pCR"]
    low, some = "low", "some_concerns"
    assert [(t.label, t.judgements) for t in lights.outcomes[0][1]] == [
        ("TRIAL-A", (low, low, low, some, low, some)),
        ("TRIAL-B", (low, low, low, low, low, low)),
    ]


def test_of_the_judgements_those_that_were_published_are_counted(found):
    judged = found.sheet["risk_of_bias"]
    own = judged[judged["trial_id"].isin(["trial_a", "trial_b"])].assign(basis="judged")
    assert len(own) == 2
    told = pd.concat([own, own.iloc[:1].assign(outcome="EFS", basis="published")])
    tables = {name: found.sheet[name] for name in found.sheet.tables} | {"risk_of_bias": told}
    other = replace(found, sheet=replace(found.sheet, tables=tables))
    (said,) = lights_of(other, SETTING).footnotes
    assert said == "1 of 3 judgements were published, the others are our own."


def test_below_a_pool_of_two_stand_its_trials_and_then_both(found):
    effects = [e for panel in summary_of(found, {}).panels for e in panel.effects if e.behind]
    assert effects
    for effect in effects:
        *trials, both = effect.behind
        assert [one.is_trial for one in effect.behind] == [True, True, False]
        assert both.label == "Both, if they share one effect"
        low, high = sorted(one.estimate for one in trials)
        assert low <= both.estimate <= high


def test_what_nobody_counted_has_no_box_and_is_said(found):
    flow = flow_of(found)
    boxes = {box.step: box for _, held in flow.stages for box in held}
    # one search with one query, 14 trials in tests/sheets/valid
    assert boxes["Searches"].detail == "1 query, 2025-01-31"
    assert boxes["Trials and cohorts in the sheet"].count == "n = 14"
    assert not [step for step in boxes if step.startswith("Records")]
    (note,) = flow.footnotes
    assert "not a systematic database search" in note
    for step in ("records identified", "records screened", "reports excluded"):
        assert step in note.partition("Not counted: ")[2]


def test_the_map_shows_the_counts_of_its_table(found):
    described = map_of(found)
    settings = {name: setting for setting, name in found.configuration.settings.items()}
    shown = {
        (settings[heading], row.label, column): (cell.trials, cell.patients or 0, cell.or_more)
        for heading, rows in described.groups
        for row in rows
        for column, cell in zip(described.columns, row.cells, strict=True)
        if cell is not None
    }
    table = {
        (row["setting"], row["regimen"], row["endpoint"]): (
            row["trials"], row["patients"], row["arms_without_n"] > 0,
        )
        for row in records(evidence_map(found).data)
        if "+" in row["regimen"] and row["endpoint"] in described.columns
    }  # fmt: skip
    assert shown == table
    # trials A (105), B (220) and, against no chemotherapy, L (100)
    combined = "Pertuzumab + trastuzumab, with chemotherapy"
    assert shown[SETTING, combined, "pCR"][:2] == (3, 425)


def test_one_arm_of_unknown_size_makes_the_patients_of_a_cell_a_minimum(found, monkeypatch):
    table = evidence_map(found)
    some = replace(table, data=table.data.assign(arms_without_n=1))
    monkeypatch.setattr(overview_figures, "evidence_map", lambda _: some)
    cells = [c for _, rows in map_of(found).groups for row in rows for c in row.cells if c]
    assert max(cell.trials for cell in cells) > 1
    assert all(cell.or_more for cell in cells)


def test_the_timeline_fills_the_dots_of_the_trials_that_share_an_estimate(found):
    benefits = {a.id for a in found.configuration.analyses if not a.harm}
    leads = found.evidence.estimates.query("role == 'lead' and k > 1")
    added = timeline_table(found).data
    dated, _, _ = timeline_of(found)
    for panel, trials in dated.groupby("panel"):
        (setting,) = (s for s, name in found.configuration.settings.items() if name == panel)
        filled = set(trials.loc[trials["pooled"], "label"])
        assert set(added.loc[added["setting"] == setting, "trial"]) <= filled
        own = leads[(leads["setting"] == setting) & leads["analysis"].isin(benefits)]
        named = {found.trial_name(trial) for row in own["trials"] for trial in row.split(";")}
        assert filled == named & set(trials["label"])


def test_the_timeline_counts_all_arms_of_the_trials_compared(found):
    # TRIAL-D is shown, but not in a comparison: a decision excludes it.
    dated, _, _ = timeline_of(found)
    early = dated.loc[dated["panel"] == "Neoadjuvant", ["label", "year", "patients"]]
    assert sorted(early.itertuples(index=False, name=None)) == [
        ("TRIAL-A", 2020, 210), ("TRIAL-B", 2020, 330), ("TRIAL-C", 2020, 300),
        ("TRIAL-L", 2020, 200),
    ]  # fmt: skip


def test_the_timeline_names_the_trials_that_it_cannot_place(found):
    tables = {name: found.sheet[name] for name in found.sheet.tables}
    trials, sources = tables["trials"], tables["sources"]
    undated, uncounted = trials["name"] == "TRIAL-A", trials["name"] == "TRIAL-B"
    own = sources["source_id"].str.endswith("trial_a")
    assert [undated.sum(), uncounted.sum()] == [1, 1]
    year = trials["first_report_year"].mask(undated)
    patients = trials["n_randomised"].mask(uncounted)
    tables["trials"] = trials.assign(first_report_year=year, n_randomised=patients)
    tables["sources"] = sources.assign(year=sources["year"].mask(own))
    dated, words, _ = timeline_of(replace(found, sheet=replace(found.sheet, tables=tables)))
    assert not {"TRIAL-A", "TRIAL-B"} & set(dated["label"])
    assert "not stated: TRIAL-A, TRIAL-B." in " ".join(words.footnotes)


def test_without_judgements_there_is_no_figure_of_them(found):
    tables = {name: found.sheet[name] for name in found.sheet.tables}
    tables["risk_of_bias"] = tables["risk_of_bias"].iloc[:0]
    bare = replace(found, sheet=replace(found.sheet, tables=tables))
    assert [name for name in overview_pages(bare, {}, Style()) if "bias" in name] == []


# --------------------------------------------------------------------------------- forest plots


def forests(project, **choices):
    """Forest plots of the analysis in its first measure, with these options of its figure."""
    folder, found = project
    configuration = found.configuration
    chosen = tuple(
        replace(a, figure=FigureChoices(**choices))
        for a in configuration.analyses
        if (a.setting, a.id) == (SETTING, ANALYSIS)
    )
    found = setting_forests(
        replace(configuration, analyses=chosen, rates=()), LOOKS, found.sheet, SETTING,
        folder / "data/processed", folder / "results", {},
    )  # fmt: skip
    return {stem.removeprefix(f"{ANALYSIS}/"): forest for stem, forest in found.items()}


def trials(forest):
    return [row.texts["trial"] for row in forest.rows if row.kind in ("trial", "unpooled")]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # risk ratios in tests/sheets/valid: A 42/105 v 23/105 = 1.83, B 84/220 v 25/110 = 1.68
        ("year", ["TRIAL-A (2020)", "TRIAL-B (2020)"]),
        ("name", ["TRIAL-A (2020)", "TRIAL-B (2020)"]),
        ("effect", ["TRIAL-B (2020)", "TRIAL-A (2020)"]),
        # variances 1/42 - 1/105 + 1/23 - 1/105 = 0.048, 1/84 - 1/220 + 1/25 - 1/110 = 0.038
        ("precision", ["TRIAL-B (2020)", "TRIAL-A (2020)"]),
        ("weight", ["TRIAL-B (2020)", "TRIAL-A (2020)"]),
    ],
)
def test_trials_of_a_group_stand_in_the_order_asked_for(project, order, expected):
    assert trials(forests(project, order=order)["forest"])[:2] == expected


def test_a_forest_plot_has_the_title_columns_and_axis_chosen_for_it(project):
    found = forests(project, title="Ours", columns=("weight",), axis=(0.25, 8.0))
    forest = found["forest"]
    assert forest.title == "Ours"
    assert [column.key for column in forest.columns] == ["trial", "weight", "result"]
    assert forest.axis.limits == (0.25, 8.0)
    # the ends apply to the first measure only
    assert found["forest_risk_difference"].axis.limits is None
    assert found["forest_by_hormone_receptor"].title == "Ours, by hormone receptor"


def test_judgements_stand_beside_the_trials_that_have_them(project, tmp_path):
    forest = forests(project)["forest"]
    lights = {row.texts["trial"]: row.lights for row in forest.rows if row.kind == "trial"}
    assert lights["TRIAL-A (2020)"] == ("low",) * 3 + ("some_concerns", "low", "some_concerns")
    assert lights["TRIAL-C (2020)"] == ()
    save_page(layout(forest, Style()), tmp_path / "forest", ("svg",))
    assert check_svg(tmp_path / "forest.svg") == []
    drawing = read_svg(tmp_path / "forest.svg")
    row = drawing.word("TRIAL-A (2020)").y
    beside = sorted((w.x, w.text) for w in drawing.words if w.text in "+?" and abs(w.y - row) < 3)
    assert "".join(text for _, text in beside) == "+++?+?"
    assert beside[0][0] > drawing.word("Weight").x


def test_no_judgements_no_column(project):
    forest = forests(project)["forest_by_hormone_receptor"]
    whole = {row.texts.get("trial") for row in forest.rows if row.lights}
    assert whole == {"TRIAL-A (2020)"}
    folder, found = project
    places = folder / "data/processed", folder / "results"
    adjuvant = setting_forests(found.configuration, LOOKS, found.sheet, "adjuvant", *places, {})
    columns = adjuvant["overall_survival_dual_v_single/forest"].columns
    assert "risk_of_bias" not in [column.key for column in columns]


def test_a_forest_plot_in_german_has_no_english_label(project):
    forest = forests(project, language="de")["forest"]
    assert [column.header.replace("\n", " ") for column in forest.columns] == [
        "Studie (Jahr des ersten Berichts)", "Dual Ereignisse/n", "Trastuzumab Ereignisse/n",
        "Gewicht (%)", "Relatives Risiko (95-%-KI)", "Verzerrungsrisiko",
    ]  # fmt: skip
    assert (forest.axis.favours_low, forest.axis.favours_high) == (
        "Vorteil: Trastuzumab", "Vorteil: Dual",
    )  # fmt: skip
    cells = [text for row in forest.rows for text in row.texts.values()]
    # 42/105 against 23/105
    assert any(cell.startswith("1,83 (") for cell in cells)
    page = layout(forest, Style())
    assert "0,5" in [text.text for text in page.texts if text.role == "tick"]
    printed = " ".join([*cells, *forest.notes, *forest.footnotes])
    english = ("Subtotal", "Favours", "Random", "Heterogeneity", "Where a", "Only", "Other models",
               "pooled", " interval", "Added", "Exceptions", " square")  # fmt: skip
    assert [word for word in english if word in printed] == []


def test_every_german_text_stands_for_one_that_the_library_prints():
    sources = "".join(
        path.read_text(encoding="utf-8")
        for part in ("figures", "pool", "sheet", "extract")
        for path in (ROOT / "workflow/trial_evidence" / part).rglob("*.py")
    )
    sources += "".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in (
            "workflow/trial_evidence/words/models.py",
            "workflow/trial_evidence/words/printed.py",
            "config/config.yaml",
            "config/analyses.yaml",
        )
    )
    # texts are broken over lines in the source, and some consist of two parts
    joined = "".join(sources.split()).replace('""', "").replace("\\n", "")
    texts = LOOKS.languages["de"].texts
    missing = [text for text in texts if len(text) > 40 and "".join(text.split()) not in joined
               and not text.endswith("leads.") and "co-primary" not in text
               and "(REML, floored" not in text and "2 trials in 2 groups" not in text]  # fmt: skip
    assert missing == []


def test_a_bayesian_model_that_leads_alone_names_its_one_prior(project, tmp_path):
    folder, found = project
    results = tmp_path / "results"
    copytree(folder / "results" / SETTING, results / SETTING)
    path = results / SETTING / "estimates.csv"
    estimates = read_table(path, [])
    write_table(path, estimates[estimates["role"] != "co-primary"])
    forests = setting_forests(
        found.configuration, LOOKS, found.sheet, SETTING, folder / "data/processed", results, {}
    )
    said = layout(forests[f"{ANALYSIS}/forest"], Style()).small_print
    assert (
        "Priors: inverse-gamma(1.49, 0.24) on τ, flat on the mean. Diamonds show the posterior "
        "median and the shortest 95% credible interval. "
    ) in said


# -------------------------------------------------------------------------------------- looks


def test_a_look_or_width_that_there_is_not_is_named():
    with pytest.raises(RequestError, match=r'Did you mean "lancet"'):
        choose_style(LOOKS, "lancett")
    for width in ("100", "abc", "nan", "-85", "85 120"):
        allowed = (
            rf'^"{width}" is not a width of style "default"\. Allowed, in mm: 180, 120, 85, 75\.$'
        )
        with pytest.raises(RequestError, match=allowed):
            choose_style(LOOKS, "default", width)
    assert choose_style(LOOKS, "default", "85 mm").widths_mm == (85,)


def test_results_of_another_configuration_are_named(project):
    folder, found = project
    fewer = replace(found.configuration, analyses=found.configuration.analyses[1:])
    gone = found.configuration.analyses[0]
    with pytest.raises(RequestError, match=rf"{gone.id} \({gone.setting}\).*Run `make` first"):
        read_evidence(fewer, folder / "data/processed", folder / "results")


def test_figures_in_a_look_go_into_a_folder_of_their_own(project):
    folder, found = project
    look = replace(choose_style(LOOKS, "greyscale", "85"), formats=("svg",))
    before = sorted(path for path in (folder / "results").rglob("*"))
    write_styled_figures(found, LOOKS, look, folder / "data/processed", {}, analysis=ANALYSIS)
    place = folder / "results/figures-greyscale/85mm"
    assert sorted(set((folder / "results").rglob("*")) - set(before) - set(place.rglob("*"))) == [
        place.parent, place,
    ]  # fmt: skip
    files = {str(path.relative_to(place).with_suffix("")): path for path in place.rglob("*.svg")}
    assert f"{SETTING}/{ANALYSIS}/forest" in files
    assert {name.split("/")[1] for name in files} == {ANALYSIS}
    assert sorted(read_table(place / "figures.csv", [])["figure"]) == sorted(files)
    assert [check_svg(path) for path in files.values()] == [[]] * len(files)
    with pytest.raises(RequestError, match='no figures of "nothing"'):
        write_styled_figures(found, LOOKS, look, folder / "data/processed", {}, analysis="nothing")


def test_one_figure_for_a_journal_with_its_references_and_decimal_points(project):
    folder, found = project
    look = replace(
        choose_style(LOOKS, "greyscale", "180"), name="raised", formats=("svg",),
        fields={"references": True, "decimal_mark": "·"},
    )  # fmt: skip
    place = write_styled_figures(
        found, LOOKS, look, folder / "data/processed", {}, ANALYSIS, figure="forest"
    )
    (drawn,) = place.rglob("*.svg")
    assert drawn.name == "forest.svg"
    text = "".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn.read_text(encoding="utf-8")))
    assert re.search(r"\d·\d", text)
    assert not re.search(r"\d\.\d", text)
    # A journal prints the caption with the points of the figure; a description is read aloud.
    (words,) = read_table(place / "figures.csv", []).to_dict("records")
    assert re.search(r"τ² = \d·\d", words["caption"])
    assert not re.search(r"\d\.\d", words["caption"])
    assert re.search(r"\d\.\d", words["text"])
    listed = (place / "references.txt").read_text(encoding="utf-8").splitlines()
    numbers = re.findall(r"\[(\d+)\]", text)
    assert numbers
    assert all(listed[int(number) - 1].startswith(f"{number}. ") for number in numbers)
    known = rf'"forrest" for {ANALYSIS}\. Known: forest, .* Did you mean "forest"\?$'
    with pytest.raises(RequestError, match=known):
        write_styled_figures(
            found, LOOKS, look, folder / "data/processed", {}, ANALYSIS, figure="forrest"
        )
