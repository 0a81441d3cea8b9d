"""Configuration files: line numbers, and mistakes explained in words."""

import re

import pytest
from trial_evidence.config.yaml_files import YamlFault, line_of, point_hint, read_yaml_text

TEXT = """\
# a comment
level: 95
groups:
  - id: a
    risks: [0.1, 0.2]
  - {id: b,
     more: {deep: 1}}
base: &base {x: 1}
other: {<<: *base, y: 2}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ([], 1 + 1),
        (["level"], 2),
        (["groups"], 3),
        (["groups", 1], 6),
        (["groups", 0, "risks", 1], 5),
        (["groups", 1, "more", "deep"], 7),
        (["other", "x"], 8),
        (["other", "y"], 9),
        # For a setting that is missing: the line of the group that lacks it.
        (["groups", 0, "missing"], 4),
        (["groups", 9], 3),
    ],
)
def test_everything_has_its_line(path, line):
    assert line_of(read_yaml_text(TEXT.encode()), path) == line


def test_values_are_those_of_the_file():
    found = read_yaml_text(b"\xef\xbb\xbf" + TEXT.encode())
    assert found == {
        "level": 95,
        "groups": [{"id": "a", "risks": [0.1, 0.2]}, {"id": "b", "more": {"deep": 1}}],
        "base": {"x": 1},
        "other": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, '"a" occurs twice'),
        ("a:\n\tb: 1\n", 2, "begins with a tab"),
        ("b: 1\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", 2, "enclose two versions"),
        ("a:\n  b: 1\n   c: 2\n", 3, "There is a colon where none is allowed"),
        ("- a: 1\n   b: 2\n", 2, "There is a colon where none is allowed"),
        ("a:\n    b: 1\n  c: 2\n", 3, "not indented like the lines it belongs to"),
        ("a:1\n# and\nb: 2\n", 3, "line before, comments aside, is not a name followed by a colon"),
        ("a:\n  b:1\n  c: 2\n", 3, "or the line before lacks its colon or the space after it"),
        ("a: one: two\n", 1, "a text with a colon in it needs quotation marks"),
        ("a: *b\n", 1, "The name after \\* is not defined above"),
        ('a: "b\nc: d\n', 3, "A quotation mark is never closed"),
        ("a: [1, 2\nb: 3\n", 2, "not valid YAML"),
        ("yes: 1\n", 1, '"yes" is not the name of a setting. Put it in quotation marks'),
        ("a: 1\n[1]: 2\n", 2, "not the name of a setting"),
        ("a: 1\n? [a, b]\n: 2\n", 2, "A list is not the name of a setting. A name is a text"),
        ("a: 1\n? {a: b}\n: 2\n", 2, "A group is not the name of a setting. A name is a text"),
        ("a: 1\nb: 2026-13-45\n", 2, '"2026-13-45" is written as a number or a date and is none'),
        ("a: 1\nb: !!bool x\n", 2, '"x" is written as a number or a date and is none'),
        (f"a: {'9' * 5000}\n", 1, '"9+…" is written as a number or a date and is none'),
        ("a:\n  - 0x_\n", 2, '"0x_" is written as a number or a date and is none'),
        ("a: {rate: 0,05}\n", 1, '"05" is not the name of a setting. A decimal mark is a point'),
    ],
)
def test_a_slip_is_told_with_its_line(text, line, words):
    with pytest.raises(YamlFault, match=words) as caught:
        read_yaml_text(text.encode())
    assert caught.value.line == line
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 100_000,
        "[" * 900 + "]" * 900,
        "- " * 100_000,
        "".join(f"{' ' * deep}a:\n" for deep in range(900)),
        "".join(f"{' ' * deep}a:\n" for deep in range(3000)),
    ],
    ids=["brackets", "brackets that are closed", "dashes", "groups", "very long lines"],
)
def test_a_file_nested_too_deeply_is_told_in_one_sentence(text):
    with pytest.raises(YamlFault, match="Groups and lists are nested too deeply"):
        read_yaml_text(text.encode())


def test_another_encoding_is_told_with_its_line():
    with pytest.raises(YamlFault, match="not saved as UTF-8") as caught:
        read_yaml_text("a: 1\nb: Früh\n".encode("cp1252"))
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "hint"),
    [("1,25", "1.25"), ("-0,5", "-0.5"), ("1,25 mm", None), ("a,b", None), (1, None)],
)
def test_a_decimal_comma_is_recognised(text, hint):
    assert re.findall(r"-?[0-9]+[.][0-9]+", point_hint(text)) == ([hint] if hint else [])
