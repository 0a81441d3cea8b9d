"""Figures in German: no sentence of the library is left in English, and every page has room."""

import re
from dataclasses import replace

import pytest
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.stage import setting_forests
from trial_evidence.loaded import load

# Words that stand in English sentences, in none of German, and in no name of a trial or agent.
ENGLISH = re.compile(r"\b(the|and|because|where|with|each|pooled|trials|subtotals|not)\b", re.I)


@pytest.fixture(scope="module")
def forests(made_up):
    raw, config = made_up.folder / "data/raw", made_up.folder / "config"
    configuration, sheet, _ = load(raw, config)

    def german(entry):
        return replace(entry, figure=replace(entry.figure, language="de"))

    configuration = replace(
        configuration,
        analyses=tuple(map(german, configuration.analyses)),
        rates=tuple(map(german, configuration.rates)),
    )
    looks = read_figure_configuration(config)
    processed = made_up.folder / "data/processed"
    return {
        (setting, stem): forest
        for setting in configuration.settings
        for stem, forest in setting_forests(
            configuration, looks, sheet, setting, processed, made_up.results
        ).items()
    }


def test_what_a_german_figure_says_below_its_plot_is_german(forests):
    assert len(forests) > 20
    told = {words for forest in forests.values() for words in (*forest.notes, *forest.footnotes)}
    # Reasons are printed as they were typed in the sheet.
    told = {words for words in told if "gezeigt, aber nicht" not in words}
    assert [words for words in told if ENGLISH.search(words)] == []
    headings = {column.header for forest in forests.values() for column in forest.columns}
    assert not headings & {"Added", "Trials", "Weight\n(%)", "Result"}


def test_the_title_of_german_harms_is_german(forests):
    titles = {forest.title for (_, stem), forest in forests.items() if stem.startswith("harms/")}
    assert titles == {
        "Schäden durch einen zweiten Wirkstoff: metastatic, first line",
        "Schäden durch einen zweiten Wirkstoff: metastatic, first line, Risikodifferenz",
    }


def test_numbers_make_way_for_the_names_of_regimens_by_subgroup(forests):
    """What stays beside the plot of a narrow page takes its room from the first column."""
    (overview,) = [
        f for (_, stem), f in forests.items() if stem.endswith("rates/forest_by_hormone_receptor")
    ]
    assert {column.key for column in overview.columns if column.priority > 0} == {"k", "counts"}


@pytest.mark.parametrize("preset", ["page", "column"])
def test_german_words_leave_the_plot_its_room(forests, preset):
    for forest in forests.values():
        assert layout(forest, PRESETS[preset])
