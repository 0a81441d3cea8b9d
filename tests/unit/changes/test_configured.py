"""Messages on an edit of config/, one setting at a time."""

import pytest
from trial_evidence.changes.configured import configuration_difference

BEFORE = """\
# Which analyses there are.
settings: {early: Early, late: Late}
analyses:
  - id: response
    setting: early
    title: "Response: two versus one"
    outcome: [EFS, DFS]
    where: {blinded: yes}
  - id: survival
    setting: early
    title: "Survival: two versus one"
  - {id: survival, setting: late, title: "Late survival"}
rates:
  - {rate: 0.05, basis: assumed}
  - {rate: 0.10, basis: "stated: there"}
"""


@pytest.fixture
def told(tmp_path):
    """The messages on an edit of a file, from its old and new text."""

    def say(old="", new="", file="analyses.yaml"):
        for folder, text in (("before", BEFORE), ("after", BEFORE.replace(old, new))):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / file).write_text(text, encoding="utf-8")
        assert old in BEFORE
        return configuration_difference(tmp_path / "before", tmp_path / "after")

    return say


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("early: Early,", "early: First,", 'settings, early: changed from "Early" to "First"'),
        ("[EFS, DFS]", "[DFS, EFS]",
         "analyses, early/response, outcome: changed from [EFS, DFS] to [DFS, EFS]"),
        ("blinded: yes", "blinded: no",
         "analyses, early/response, where, blinded: changed from true to false"),
        ("    outcome: [EFS, DFS]\n", "", "analyses, early/response, outcome: removed: [EFS, DFS]"),
        ("    outcome: [EFS, DFS]\n", "    outcome: [EFS, DFS]\n    pool: none\n",
         'analyses, early/response, pool: added: "none"'),
        ('  - {id: survival, setting: late, title: "Late survival"}\n', "",
         "analyses, late/survival: removed (Late survival)"),
        ("rates:\n", '  - {id: harms, setting: late, title: "Late harms"}\nrates:\n',
         "analyses, late/harms: added (Late harms)"),
        ("id: response", "id: remission",
         "analyses, early/response: is now called early/remission"),
        ("{early: Early, late: Late}", "{late: Late, early: Early}",
         "settings: the same in another order"),
        ("  - {rate: 0.05, basis: assumed}\n", "",
         "rates: removed {rate: 0.05, basis: assumed}"),
        ("rate: 0.10, ", "rate: 0.2, ", "rates: added {rate: 0.2, basis: stated: there}"),
    ],
)  # fmt: skip
def test_each_setting_that_was_edited_is_told_as_it_was_and_as_it_is(told, old, new, expected):
    assert f"analyses.yaml, {expected}" in told(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Which analyses there are.", "# Another comment."),
        ("[EFS, DFS]", "\n      - EFS\n      - DFS"),
        # Keys of one entry.
        ("  - id: response\n    setting: early\n", "  - setting: early\n    id: response\n"),
    ],
)
def test_of_an_edit_that_changes_nothing_nothing_is_told(told, old, new):
    assert told(old, new) == []


def test_entries_in_another_order_are_neither_gone_nor_new(told):
    late = '  - {id: survival, setting: late, title: "Late survival"}\n'
    first = "  - id: response\n"
    moved = BEFORE[BEFORE.index(first) : BEFORE.index("rates:")]
    assert told(moved, late + moved.replace(late, "")) == [
        "analyses.yaml, analyses: the same in another order"
    ]


def test_sections_in_another_order_are_the_same(told):
    rates = BEFORE[BEFORE.index("rates:") :]
    assert told(BEFORE, rates + BEFORE.removesuffix(rates)) == []


@pytest.mark.parametrize(
    ("file", "reader"),
    [("styles.yaml", "figures"), ("calibration.yaml", "calibrate"), ("registry.yaml", "registry")],
)
def test_an_edit_that_no_result_depends_on_is_told_as_such(told, file, reader):
    assert told("Early", "First", file) == [
        f'{file} (only make {reader} reads it), settings, early: changed from "Early" to "First"'
    ]


def test_a_file_that_came_or_went_is_told(tmp_path):
    for folder, file in (("before", "labels/en.yaml"), ("after", "labels/de.yaml")):
        (tmp_path / folder / "labels").mkdir(parents=True)
        (tmp_path / folder / file).write_text("texts: {}\n", encoding="utf-8")
    assert configuration_difference(tmp_path / "before", tmp_path / "after") == [
        "labels/de.yaml: the file was added",
        "labels/en.yaml: the file was removed",
    ]
