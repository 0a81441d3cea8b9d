"""The calibration figure, read back from its file."""

from dataclasses import replace

import numpy as np
import pytest
from figures.chart_reading import ANY_TEXT, UGLY_TEXTS, drawn, middle, page_defects, y_of
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.figures.canvas.style import PRESETS
from trial_evidence.figures.charts.calibration import Calibration, Section, Small, layout

PAGE = PRESETS["page"]
TRIALS = (2, 3, 6)
TAUS = (0.0, 0.2)
COVERAGE = np.array([[0.95, 0.70], [0.95, 0.80], [0.94, 0.88]])
PLOT = Calibration(
    "A calibration",
    TRIALS,
    TAUS,
    (Section("Coverage", "", (Small("Wald", COVERAGE),), 0.95, percent=True),),
    description="A description",
)


def several(count):
    panels = tuple(Small(f"Kind {n}", COVERAGE - n / 40) for n in range(count))
    sections = (
        Section("Coverage", "", panels, 0.95, percent=True),
        Section("Width", "Ratio", panels[:4], 1.0),
        Section("Bias", "", panels, 0.0),
    )
    return replace(PLOT, sections=sections)


def values(drawing, fill, stroke):
    """Middles of the marks of a line, from left to right, without the one of the legend."""
    foot = drawing.word("Trials").y
    found = [s for s in drawing.shapes if (s.fill, s.stroke) == (fill, stroke)]
    return sorted(middle(s) for s in found if len(s.points) > 2 and s.box[3] < foot)


def test_each_value_stands_over_its_number_of_trials(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    words = [next(w for w in drawing.words if w.text == str(k) and w.anchor == "middle")
             for k in TRIALS]  # fmt: skip
    # percent signs are not numbers: the two lowest labels give the scale
    y = percent_scale(drawing)
    for column, (fill, stroke) in enumerate([("#ffffff", "#8db3dc"), ("#8db3dc", "#8db3dc")]):
        found = values(drawing, fill, stroke)
        assert len(found) == 3
        for place, word, value in zip(found, words, COVERAGE[:, column], strict=True):
            assert place == pytest.approx((word.x, y(100 * value)), abs=0.02)


def percent_scale(drawing):
    plain = [replace(w, text=w.text.removesuffix("%")) for w in drawing.words]
    labels = [w.text for w, given in zip(plain, drawing.words, strict=True) if w.text != given.text]
    return y_of(replace(drawing, words=tuple(plain)), (labels[0], labels[-1]))


def test_the_target_is_a_dashed_line(tmp_path):
    drawing = drawn(layout(PLOT, PAGE), tmp_path)
    y = percent_scale(drawing)(95)
    dashes = [s for s in drawing.shapes if s.stroke == "#666666" and len(s.points) == 2]
    assert len(dashes) > 10
    assert all(s.box[1] == pytest.approx(y, abs=0.02) for s in dashes)


def test_panels_of_a_section_share_their_axis():
    page = layout(several(3), PAGE)
    ticks = [text.text for text in page.texts if text.role == "tick" and text.text.endswith("%")]
    assert len(ticks) % 3 == 0
    third = len(ticks) // 3
    assert ticks[:third] == ticks[third : 2 * third] == ticks[2 * third :]


def test_unknown_values_are_left_out(tmp_path):
    holes = COVERAGE.copy()
    holes[1, 0] = np.nan
    plot = replace(PLOT, sections=(replace(PLOT.sections[0], panels=(Small("Wald", holes),)),))
    assert len(values(drawn(layout(plot, PAGE), tmp_path), "#ffffff", "#8db3dc")) == 2


def test_too_many_lines_are_refused():
    with pytest.raises(ValueError, match="7 values of tau; 6 can be told apart"):
        layout(replace(PLOT, taus=tuple(n / 10 for n in range(7))), PAGE)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("count", [1, 5, 8])
def test_any_number_of_panels_makes_a_sound_figure(tmp_path, preset, count):
    assert drawn(layout(several(count), PRESETS[preset]), tmp_path)


@pytest.mark.parametrize("text", UGLY_TEXTS)
def test_any_text_makes_a_sound_figure(tmp_path, text):
    section = Section(text, text, (Small(text, COVERAGE), Small("Wald", COVERAGE)), 0.95)
    plot = replace(PLOT, title=f"T {text}", sections=(section,), footnotes=(text,))
    assert drawn(layout(plot, PAGE), tmp_path)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6),
    st.lists(ANY_TEXT, min_size=1, max_size=8),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_figure_leaves_its_page(numbers, names, preset):
    array = np.array(numbers).reshape(3, 2)
    section = Section("Any", "", tuple(Small(name, array) for name in names), 0.0)
    assert page_defects(layout(replace(PLOT, sections=(section,)), PRESETS[preset])) == []
