"""Text: measured, wrapped, cleaned."""

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.figures.canvas.text import clean, font_path, shorten, text_width_mm, wrap

RESERVED = ("Liberation", "Arimo", "Tinos", "Cousine")


def test_width_is_the_sum_of_the_advances():
    # advances in units of 1/2048 em: H 1479, i 455; 8 points are 2.8222 mm
    assert text_width_mm("Hi", 8) == pytest.approx((1479 + 455) / 2048 * 8 * 25.4 / 72, rel=1e-9)


@pytest.mark.parametrize("bold", [False, True])
def test_width_agrees_with_another_reader_of_the_font(bold):
    text = "0123456789 (0.18–30.62); τ² = 0.01"
    font = TTFont(font_path(bold))
    units = sum(font["hmtx"][font.getBestCmap()[ord(character)]][0] for character in text)
    assert text_width_mm(text, 72, bold) == pytest.approx(25.4 * units / 2048, rel=1e-9)


def test_a_letter_that_the_font_lacks_has_room():
    assert text_width_mm("\N{CJK UNIFIED IDEOGRAPH-764C}", 72) == pytest.approx(25.4)


def test_a_combining_mark_that_the_font_lacks_takes_none():
    assert text_width_mm("\N{VARIATION SELECTOR-16}", 72) == 0


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two\n lines\t", "two lines"),
        (
            "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.03",
            "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.03",
        ),
        ("bell\x07 and\x00 nul", "bell and nul"),
        ("half \ud83d", "half \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_cleaning(text, cleaned):
    assert clean(text) == cleaned


def test_lines_break_at_blanks():
    # at 10 points "aaaa" is 4 * 1139/2048 em = 7.85 mm, a blank 569/2048 em = 0.98 mm
    assert wrap("aaaa aaaa aaaa", 17, 10) == ("aaaa aaaa", "aaaa")


def test_a_relation_stays_together():
    assert wrap("aaaa p = 0.03", 14, 10) == ("aaaa", "p = 0.03")


def test_a_word_that_is_too_long_is_broken_inside():
    assert wrap("aaaaaa", 8, 10) == ("aaaa", "aa")


def test_the_last_line_allowed_ends_with_an_ellipsis():
    lines = wrap("aaaa aaaa aaaa aaaa aaaa", 12, 10, most_lines=2)
    assert len(lines) == 2
    assert lines[1].endswith("…")


def test_no_text_has_no_lines():
    assert wrap(" ", 10, 10) == ()


@given(st.text(max_size=300), st.floats(8, 100), st.booleans())
def test_lines_fit_and_lose_nothing(text, width, bold):
    lines = wrap(text, width, 8, bold)
    assert all(text_width_mm(line, 8, bold) <= width + 1e-9 for line in lines)
    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")


@given(st.text(alphabet="abc äµ癌", max_size=80), st.floats(3, 60))
def test_shortened_text_fits_and_is_a_beginning(text, width):
    short = shorten(text, width, 8)
    assert text_width_mm(short, 8) <= width
    assert text.startswith(short.removesuffix("…").rstrip())


@pytest.mark.parametrize("bold", [False, True])
def test_the_font_has_no_tables_to_be_rid_of_and_no_reserved_name(bold):
    font = TTFont(font_path(bold))
    assert {"GSUB", "GPOS", "GDEF", "fpgm", "prep"} & set(font.keys()) == set()
    # the licence: a modified version must not carry the reserved names of the original
    names = [str(font["name"].getDebugName(number)) for number in (1, 3, 4, 6)]
    assert [name for name in names if any(word in name for word in RESERVED)] == []
    # kerning is still included
    assert font["kern"].kernTables[0][("A", "V")] < 0
