"""Captions, which authors print under figures, agree with the figures."""

from collections import Counter

import yaml
from made_up.project import HERE
from meaning.evidence import ANALYSES, rows
from meaning.reading import Figure


def test_a_caption_has_the_title_and_nothing_that_the_figure_does_not_say(made_up):
    told = rows(made_up.results / "alt-texts.csv")
    assert told
    for row in told:
        drawn = Figure(made_up.results / f"{row['figure']}.svg")
        words = {part.strip(".") for word in drawn.words for part in word.text.split()}
        title = row["title"].rstrip(".")
        assert row["caption"].startswith(title)
        small_print = row["caption"].removeprefix(title).removeprefix(".").split()
        assert {part.strip(".") for part in small_print} <= words, row["figure"]


def test_no_two_figures_of_a_setting_have_the_same_caption(made_up):
    """An odds ratio must not be mistaken for a risk ratio, or a subgroup for all patients."""
    listings = sorted(made_up.results.glob("*/figures.csv"))
    assert len(listings) > 2
    for listing in listings:
        titles = Counter(row["title"] for row in rows(listing))
        assert [title for title, count in titles.items() if count > 1] == []
    listed = rows(made_up.results / "alt-texts.csv")
    further = {row["figure"]: row["title"] for row in listed if "forest_" in row["figure"]}
    for figure, title in further.items():
        for measure in ("odds ratio", "risk difference"):
            assert (measure in title) == (measure.replace(" ", "_") in figure)


def test_trials_are_called_too_different_where_there_are_several(made_up):
    said = "Not pooled: these comparisons are too different to combine."
    single, several = [], []
    for entry in ANALYSES:
        if entry["pool"] != "none":
            continue
        place = made_up.results / entry["setting"]
        found = rows(place / "trials.csv", analysis=entry["id"], subgroup="all")
        captions = rows(place / "figures.csv", figure=f"{entry['id']}/forest")
        ids = {row["trial_id"] for row in found}
        for row in captions:
            (several if len(ids) > 1 else single).append(said in row["caption"])
    assert several == [True] * len(several)
    assert single == [False] * len(single)
    assert single


def test_the_model_of_a_subtotal_is_told_where_the_whole_has_another(made_up):
    """Some subgroups have few trials and a Bayesian model, whose priors are in the footnote."""
    priors = yaml.safe_load((HERE / "config/config.yaml").read_text(encoding="utf-8"))["tau_priors"]
    estimates = [row for row in rows(made_up.results / "estimates.csv") if row["role"] == "lead"]
    told = 0
    for entry in ANALYSES:
        measure = entry["measures"][0]
        mine = [
            row
            for row in estimates
            if (row["setting"], row["analysis"], row["measure"])
            == (entry["setting"], entry["id"], measure)
        ]
        column = entry.get("subgroups", "")
        groups = [row for row in mine if row["subgroup"].startswith(f"{column}=")]
        if entry["pool"] == "none" or not any("bayesian" in row["model"] for row in groups):
            continue
        stem = "harms" if entry.get("harm") else entry["id"]
        (figure,) = rows(
            made_up.results / entry["setting"] / "figures.csv", figure=f"{stem}/forest"
        )
        scale = priors[measure]["half_normal"]
        assert f"half-normal({scale:g})" in figure["caption"], entry["id"]
        assert "credible interval" in figure["caption"], entry["id"]
        told += "Subtotals: " in figure["caption"]
    assert told
