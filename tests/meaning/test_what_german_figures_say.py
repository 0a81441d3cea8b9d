"""Figures in German: no text of the library is left in English, and everything fits."""

import re
from dataclasses import replace

import pytest
import yaml
from made_up.project import ROOT
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.figures.canvas.axis import view
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.stage import setting_forests
from trial_evidence.loaded import load

# Words of English sentences that occur in no German text and in no trial or agent name.
ENGLISH = re.compile(r"\b(the|and|because|where|with|each|pooled|trials|subtotals|not)\b", re.I)
# Pairs of terms, in both languages, whose exchange would reverse or change the meaning.
ALIKE = (
    ("negative", "negativ"), ("positive", "positiv"), ("lower limit", "unteren Grenze"),
    ("upper limit", "oberen Grenze"), ("central", "zentral"),
    (r"inv\.|investigator", "Prüf[aä]rzt"),
    (r"\+ low", r"\+ niedrig"), ("− high", "− hoch"), ("^primary", "^primär"),
    ("secondary", "sekundär"), ("empirical", "empirisch"), ("cautious", "vorsichtig"),
    ("common effect", "gemeinsamer Effekt"), ("random.effects", "zufälligen? Effekte"),
    (r"prediction\sinterval", "Prädiktions"), ("CrI|credible", "KrI|Kredibilität"),
    (r"\bCI", r"\bKI"), ("risk ratio", "relative[sn]? Risik"), ("odds ratio", "Odds Ratio"),
    ("risk difference", "Risikodifferenz"), ("hazard ratio|^published ratio", "Hazard Ratio"),
    (r"\btwo (?!reader)", r"\bzwei (?!Leser)"), (r"\bthree", r"\bdrei"), (r"\bfour", r"\bvier"),
    (r"\b5 ", r"\b5 "),
)  # fmt: skip
DENIED = re.compile(r"\b(no|non|not|neither|never|unfloored)\b", re.I)
VERNEINT = re.compile(r"\b(kein\w*|nicht|nichts|weder|ohne|nie|ungeklärt)\b", re.I)


@pytest.fixture(scope="module")
def forests(made_up):
    return german_forests(made_up)


def german_forests(made_up, **texts):
    """Every forest plot in German, with these translations besides."""
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
    labels = looks.languages["de"]
    labels = replace(labels, texts={**labels.texts, **texts})
    looks = replace(looks, languages={**looks.languages, "de": labels})
    processed = made_up.folder / "data/processed"
    return {
        (setting, stem): forest
        for setting in configuration.settings
        for stem, forest in setting_forests(
            configuration, looks, sheet, setting, processed, made_up.results, {}
        ).items()
    }


def test_what_a_german_figure_says_below_its_plot_is_german(forests):
    assert len(forests) > 20
    told = {words for forest in forests.values() for words in (*forest.notes, *forest.footnotes)}
    # Reasons are printed as typed in the sheet.
    told = {words for words in told if "nicht zusammengefasst: " not in words}
    assert [words for words in told if ENGLISH.search(words)] == []
    headings = {column.header for forest in forests.values() for column in forest.columns}
    assert not headings & {"Added", "Trials", "Weight\n(%)", "Result"}


def test_limits_below_zero_are_joined_by_a_german_word(forests):
    cells = {
        text for forest in forests.values() for row in forest.rows for text in row.texts.values()
    }
    below = [text for text in cells if re.search(r"\(−\d[^)]*\d\)", text)]
    assert len(below) > 5
    assert [text for text in below if " bis " not in text] == []


def test_a_definition_has_its_german_words_wherever_it_is_named(made_up):
    """One that a trial did not state is no name: in the order, as an exception, beside a rate."""
    forests = german_forests(made_up, **{"ypT0/is": "nicht angegeben"}).values()
    said = [words for forest in forests for words in (*forest.notes, *forest.footnotes)]
    order = [words for words in said if "mehrere Definitionen von" in words]
    assert order
    assert all("von ypT0/is ypN0, nicht angegeben, ypT0 ypN0" in words for words in order)
    assert any("Andere Definition (nicht angegeben): " in words for words in said)
    beside = {row.texts.get("definition") for forest in forests for row in forest.rows}
    assert "nicht angegeben" in beside
    assert "ypT0/is" not in beside


def test_priors_and_percentages_of_german_figures_are_german(forests):
    said = [words for f in forests.values() for words in (*f.notes, *f.footnotes)]
    priors = [words for words in said if "A-priori-Verteilung" in words and "τ" in words]
    assert priors
    assert not [words for words in priors if re.search(r"half-normal|inverse-gamma", words)]
    assert any("inverse Gammaverteilung(1,49; 0,24)" in words for words in priors)
    names = [row.texts.get("trial", "") for f in forests.values() for row in f.rows]
    pooled = [name for name in names if "I² = " in name]
    assert pooled
    assert all(re.search(r"I² = \d+\u00A0%\)$", name) for name in pooled)


def test_ticks_of_german_rates_have_the_space_before_the_sign(forests):
    axes = [forest.axis for forest in forests.values() if forest.axis.scale == "logit"]
    assert axes
    labels = [tick.label for axis in axes for tick in view(axis, []).ticks]
    assert labels
    assert all(re.fullmatch(r"\d+\u00A0%", label) for label in labels)


def test_both_arms_are_translated_or_neither(made_up):
    """An axis with one end in each language is read as two different kinds of arm."""
    place = ("neoadjuvant", "pcr_dual_v_dual/forest")
    one = german_forests(made_up, **{"Almab + bemab": "Almab und Bemab"})[place].axis
    assert {one.favours_low, one.favours_high} == {
        "Vorteil: Almab + bemab", "Vorteil: Conjugate + bemab",
    }  # fmt: skip
    both = {"Almab + bemab": "Almab und Bemab", "Conjugate + bemab": "Konjugat und Bemab"}
    two = german_forests(made_up, **both)[place].axis
    assert {two.favours_low, two.favours_high} == {
        "Vorteil: Almab und Bemab", "Vorteil: Konjugat und Bemab",
    }  # fmt: skip


def told(text, language):
    """The key terms of a text in order, and whether it contains a negation."""
    words = re.sub(r"{\w+}", "", text)
    found = [(m.start(), n) for n, pair in enumerate(ALIKE)
             for m in re.finditer(pair[language], words, re.I)]  # fmt: skip
    return [ALIKE[n][0] for _, n in sorted(found)], bool((DENIED, VERNEINT)[language].search(words))


def test_a_german_text_says_what_the_english_one_says():
    """Same parts, same order; no opposite term and no other measure, model or number."""
    labels = yaml.safe_load((ROOT / "config/labels/de.yaml").read_text(encoding="utf-8"))["texts"]
    parts = re.compile(r"{\w+}")
    for english, german in labels.items():
        assert told(german, 1) == told(english, 0), english
        filled = [[part.lower() for part in parts.findall(text)] for text in (english, german)]
        assert filled[0] == filled[1], english


def test_the_title_of_german_harms_is_german(forests):
    titles = {forest.title for (_, stem), forest in forests.items() if stem.startswith("harms/")}
    assert titles == {
        "Schäden durch einen zweiten Wirkstoff: metastatic, first line",
        "Schäden durch einen zweiten Wirkstoff: metastatic, first line, Risikodifferenz",
    }


def test_numbers_make_way_for_the_names_of_regimens_by_subgroup(forests):
    """On a narrow page, columns next to the plot take their space from the first column."""
    (overview,) = [
        f for (_, stem), f in forests.items() if stem.endswith("rates/forest_by_hormone_receptor")
    ]
    assert {column.key for column in overview.columns if column.priority > 0} == {"k", "counts"}


@pytest.mark.parametrize("preset", ["page", "column"])
def test_german_words_leave_the_plot_its_room(forests, preset):
    for forest in forests.values():
        assert layout(forest, PRESETS[preset])
