"""config/styles.yaml and config/labels: what is allowed in them, and the messages about errors."""

import shutil
from pathlib import Path

import pytest
import yaml
from trial_evidence.config.configuration import FigureChoices, read_configuration
from trial_evidence.config.labels import ENGLISH_LABELS, Labels
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.words.colours import contrast
from trial_evidence.words.problems import SheetError

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def change(path, *keys, to):
    """Set one value of a YAML file."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def faults(read, *arguments):
    with pytest.raises(SheetError) as caught:
        read(*arguments)
    return [problem.line() for problem in caught.value.problems]


def test_the_project_s_looks_can_be_read():
    looks = read_figure_configuration(CONFIG)
    assert {"default", "greyscale", "slide"} < set(looks.styles)
    assert looks.styles["slide"].widths_mm[0] / looks.styles["slide"].height_mm == pytest.approx(
        16 / 9, rel=1e-3
    )
    assert set(looks.languages) >= {"en", "de"}


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("default", "fields"), {"text_pt": 5.9}, "5.9 is less than the minimum of 6"),
        (("default", "fields"), {"colour": "#000000"}, '"colour" is not known here'),
        (("default", "fields"), {"ink": "black"}, '"black" is not allowed. Allowed: six digits'),
        (("default", "widths_mm"), [60], "60 is less than the minimum of 75"),
        (("default", "formats"), ["gif"], '"gif" is not allowed'),
        (("slide", "widths_mm"), [110], "is too narrow for its magnification"),
        (
            ("default", "fields"),
            {"accent": "#FFFFFF"},
            "on the paper, #FFFFFF: its contrast is 1.0",
        ),
        (("default", "fields"), {"muted": "#DDDDDD"}, '"#DDDDDD" can hardly be seen on the paper'),
        (
            ("default", "fields"),
            {"ink": "#101010", "paper": "#202020"},
            "on the paper, #202020: its",
        ),
    ],
)
def test_a_look_that_cannot_be_drawn_is_refused(folder, keys, value, words):
    change(folder / "styles.yaml", "styles", *keys, to=value)
    (line,) = faults(read_figure_configuration, folder)
    assert line.startswith("styles.yaml")
    assert words in line


def test_what_is_light_on_dark_paper_can_be_seen(folder):
    fields = {"paper": "#202020", "ink": "#FFFFFF", "accent": "#FFFFFF", "muted": "#BBBBBB"}
    change(folder / "styles.yaml", "styles", "default", "fields", to=fields)
    assert read_figure_configuration(folder).styles["default"].fields == fields


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # Published contrasts: black and white; #767676, the lightest grey at 4.5; green and blue.
    [("#000000", "#FFFFFF", 21), ("#767676", "#FFFFFF", 4.54), ("#FFFFFF", "#00FF00", 1.37),
     ("#0000FF", "#FFFFFF", 8.59)],
)  # fmt: skip
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


def test_a_language_needs_its_decimal_mark(folder):
    change(folder / "labels/de.yaml", "decimal_mark", to=";")
    (line,) = faults(read_figure_configuration, folder)
    assert line.startswith("de.yaml, line 1, decimal_mark: ")


@pytest.mark.parametrize(
    ("english", "text"),
    [("Rate, % ({level}% CI)", "Rate, %"), ("Favours {arm}", "Vorteil {Gruppe}")],
)
def test_a_translation_keeps_what_is_filled_in(folder, english, text):
    change(folder / "labels/de.yaml", "texts", english, to=text)
    (line,) = faults(read_figure_configuration, folder)
    assert f', texts.{english}: "{text}" must contain {{' in line


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("Trial (year first reportd)", "Trial (year first reported)"),
        ("Favors {arm}", "Favours {arm}"),
        (
            "Random-effects model ({estimate}) with {interval}. The area of each square reflects "
            "the weight.",
            "Random-effects model ({estimator}) with {interval}. The area of each square reflects "
            "the weight.",
        ),
        (
            "Small-study effects cannot be judged: k = 3, fewer then 10 trials.",
            "Small-study effects cannot be judged: k = ..., fewer than ... trials.",
        ),
    ],
)
def test_an_english_text_that_the_library_does_not_have_is_noticed(folder, slip, meant):
    change(folder / "labels/de.yaml", "texts", slip, to=slip)
    (line,) = faults(read_figure_configuration, folder)
    assert line.endswith(f'texts: "{slip}" is not a text of the library. Did you mean "{meant}"?')


def test_a_text_of_the_sheet_or_of_configuration_may_be_translated(folder):
    change(folder / "labels/de.yaml", "texts", "Hormone receptor negative", to="Negativ")
    change(folder / "labels/de.yaml", "texts", "a word of the sheet alone", to="ein Wort")
    read_figure_configuration(folder)


def test_the_name_of_an_arm_is_no_misspelt_text_of_the_library(folder):
    change(
        folder / "labels/de.yaml",
        "texts",
        "Without endocrine therapy",
        to="Ohne endokrine Therapie",
    )
    (line,) = faults(read_figure_configuration, folder)
    assert 'Did you mean "With endocrine therapy"?' in line
    change(folder / "analyses.yaml", "analyses", 0, "arms", 0, to="Without endocrine therapy")
    read_figure_configuration(folder)


def test_parts_are_filled_in_and_what_is_missing_stays_english():
    say = Labels(",", {"Favours {arm}": "Vorteil {Arm}", "Added: {agents}": "Dazu: {agents}"})
    assert say("Added: {agents}", agents="{x}") == "Dazu: {x}"
    assert say("Not there: {n}", n=3) == "Not there: 3"
    assert say.numbers("1.46 (1.25–1.70); F(3, 6) = 2.3.") == "1,46 (1,25–1,70); F(3, 6) = 2,3."
    assert ENGLISH_LABELS.numbers("1.46") == "1.46"


def test_a_prior_has_the_name_and_the_marks_of_the_language():
    """With commas alone, two parameters would be read as three."""
    say = Labels(",", {"inverse-gamma": "inverse Gammaverteilung"})
    assert say.prior("inverse-gamma(2.42, 0.3)") == "inverse Gammaverteilung(2,42; 0,3)"
    assert say.prior("half-normal(0.5)") == "half-normal(0,5)"
    assert ENGLISH_LABELS.prior("inverse-gamma(2.42, 0.3)") == "inverse-gamma(2.42, 0.3)"


def test_percentages_and_limits_are_written_as_in_the_language():
    say = Labels(",", {"%": " %", " to ": " bis "})
    assert say.numbers("I² = 60.5%") == "I² = 60,5 %"
    assert say.numbers("0.3 to > 10000") == "0,3 bis > 10000"
    assert ENGLISH_LABELS.numbers("I² = 60.5%") == "I² = 60.5%"


def test_a_language_that_there_is_not_is_named(folder):
    change(folder / "analyses.yaml", "analyses", 0, "figure", to={"language": "dd"})
    change(folder / "analyses.yaml", "rates", 0, "figure", to={"language": "de"})
    languages = read_figure_configuration(folder).languages
    with pytest.raises(SheetError) as caught:
        read_configuration(folder, languages=languages)
    (problem,) = caught.value.problems
    assert problem.line().endswith(
        'analyses.figure.language: pcr_dual_v_trastuzumab: "dd" is not a language of '
        "config/labels. Allowed: en, de."
    )


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ({"axis": [4, 0.5]}, "is not a range"),
        ({"axis": [0, 4]}, "a ratio is greater than 0"),
        ({"order": "size"}, '"size" is not allowed'),
        ({"columns": ["result"]}, '"result" is not allowed'),
        ({"colour": "red"}, '"colour" is not known here'),
    ],
)
def test_a_choice_for_one_figure_is_checked(folder, figure, words):
    change(folder / "analyses.yaml", "analyses", 0, "figure", to=figure)
    (line,) = faults(read_configuration, folder)
    assert line.startswith("analyses.yaml")
    assert words in line


def test_choices_are_read_from_the_analysis(folder):
    chosen = {"title": "Ours", "order": "weight", "columns": ["weight"], "axis": [0.5, 4],
              "language": "de"}  # fmt: skip
    change(folder / "analyses.yaml", "analyses", 0, "figure", to=chosen)
    found = read_configuration(folder).analyses
    assert found[0].figure == FigureChoices("Ours", "weight", ("weight",), (0.5, 4), "de")
    assert found[1].figure == FigureChoices()
