"""Checksums of inputs, and what is cached by them."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.kept import (
    Ledger,
    Parts,
    altered,
    code_version,
    digest,
    kept_state,
    made_before,
    read_state,
    remove_made,
    write_inventory,
    write_listed,
    write_state,
)


@dataclass(frozen=True)
class Point:
    x: float
    y: float


# Possible inputs of a figure or a page; no two of them are the same.
DIFFERENT = [
    None, True, 1, 1.0, "1", b"1", (1,), [1], ((1,),), (1, 2), (12,), {"a": 1}, {"a": 2}, {"b": 1},
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, frozenset({1, 2}), Point(1.0, 2.0), Point(2.0, 1.0),
    Point(1.0, 3.0),
    np.array([1.0, 2.0]), np.array([[1.0, 2.0]]), np.array([1, 2]), np.float64(1.0), Path("a"), "a",
    pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"b": [1.0, 2.0]}), 
    pd.DataFrame({"a": [2.0, 1.0]}),
    pd.DataFrame({"a": ["1.0", "2.0"]}), pd.DataFrame({"a": [1.0, 2.0]}, index=[5, 6]),
    pd.Series([1.0, 2.0], name="a", index=[7, 8]), digest,
    pd.DataFrame({"a": [1, None]}, dtype="Int64"), pd.DataFrame({"a": [1, 0]}, dtype="Int64"),
    pd.DataFrame({"a": pd.to_datetime(["2020-01-02", None])}),
    partial(digest, 1), partial(digest, 2),
]  # fmt: skip


def test_different_things_have_different_checksums():
    found = [digest(thing) for thing in DIFFERENT]
    assert len(set(found)) == len(DIFFERENT)


def test_boundaries_between_values_change_the_checksum():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(["a"], "b") != digest(["a", "b"])


@given(st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.tuples(x, x)))
def test_the_same_thing_made_twice_has_the_same_checksum(thing):
    assert digest(thing) == digest(eval(repr(thing), {"nan": float("nan"), "inf": float("inf")}))


@pytest.mark.parametrize(
    "thing", [object(), lambda: 1, iter([1])], ids=["object", "function without a name", "iterator"]
)
def test_a_value_that_could_change_unnoticed_has_no_checksum(thing):
    with pytest.raises(TypeError, match="no checksum of"):
        digest(thing)


def counting(calls, text):
    calls.append(text)
    return text


def test_a_part_is_made_once(tmp_path):
    calls = []
    for _ in range(2):
        parts = Parts(tmp_path)
        assert parts.value(("a", 1), lambda: counting(calls, "one\ntwo")) == "one\ntwo"
    assert parts.value(("a", 2), lambda: counting(calls, "other")) == "other"
    assert calls == ["one\ntwo", "other"]


def test_the_name_of_a_cached_part_depends_on_the_code(tmp_path):
    """Otherwise results from before a bug fix would still be shown."""
    Parts(tmp_path).value(("a", 1), lambda: "one")
    assert [path.name for path in tmp_path.iterdir()] == [digest(code_version(), "a", 1)]


@pytest.mark.parametrize("damage", [b"", b"no checksum", b"0" * 64 + b"\nanother text", b"\xff\n"])
def test_a_part_that_is_not_as_it_was_written_is_made_again(tmp_path, damage):
    Parts(tmp_path).value(("a",), lambda: "right")
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert Parts(tmp_path).value(("a",), lambda: "right") == "right"
    assert path.read_bytes() != damage


def test_two_interchanged_parts_are_made_again(tmp_path):
    Parts(tmp_path).value(("a",), lambda: "of a")
    Parts(tmp_path).value(("b",), lambda: "of b")
    one, other = tmp_path.iterdir()
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    assert Parts(tmp_path).value(("a",), lambda: "of a") == "of a"
    assert Parts(tmp_path).value(("b",), lambda: "of b") == "of b"


def test_a_value_is_made_once_and_is_the_same_when_it_is_read(tmp_path):
    calls = []
    table = pd.DataFrame({"a": [0.1, np.nan], "b": pd.Categorical(["x", "y"], ["y", "x"])})
    for _ in range(2):
        found = Parts(tmp_path).value(("a",), lambda: counting(calls, (table, Point(0.1, 2.0))))
        pd.testing.assert_frame_equal(found[0], table)
        assert found[1] == Point(0.1, 2.0)
        assert digest(found) == digest((table, Point(0.1, 2.0)))
    assert len(calls) == 1


def test_without_a_folder_nothing_is_kept():
    calls = []
    parts = Parts()
    for _ in range(2):
        assert parts.value(("a",), lambda: counting(calls, 1)) == 1
    parts.forget_others()
    assert len(calls) == 2


def test_unused_parts_are_deleted(tmp_path):
    Parts(tmp_path).value(("old",), lambda: "old")
    parts = Parts(tmp_path)
    parts.value(("new",), lambda: "new")
    parts.forget_others()
    assert [path.name for path in tmp_path.iterdir()] == [digest(code_version(), "new")]


def test_a_state_is_kept_as_it_was(tmp_path):
    raw, config, state = (tmp_path / name for name in ("raw", "config", "state"))
    for path, text in ((raw / "pcr.csv", "a,b\r\n"), (config / "labels/de.yaml", "x: 1")):
        path.parent.mkdir(parents=True)
        path.write_text(text, newline="")
    write_state(state, read_state(raw, config))
    before = (state / "raw/pcr.csv").stat().st_mtime_ns
    (config / "labels/de.yaml").unlink()
    assert kept_state(state) != read_state(raw, config)
    write_state(state, read_state(raw, config))
    assert kept_state(state) == {"raw/pcr.csv": b"a,b\r\n"}
    assert (state / "raw/pcr.csv").stat().st_mtime_ns == before


def test_a_state_holds_neither_locks_of_an_editor_nor_what_cannot_be_read(tmp_path):
    raw, config = tmp_path / "raw", tmp_path / "config"
    (raw / "pcr.csv").mkdir(parents=True)
    config.mkdir()
    (raw / "arms.csv").write_text("a\n")
    (raw / ".#arms.csv").symlink_to("nobody@nowhere.1")
    (raw / "~arms.csv").write_text("b\n")
    (config / ".#config.yaml").symlink_to("nobody@nowhere.1")
    assert read_state(raw, config) == {"raw/arms.csv": b"a\n"}


def test_an_inventory_finds_what_was_edited_or_lost(tmp_path):
    files = [tmp_path / name for name in ("same", "edited", "lost")]
    for path in files:
        path.write_text(path.name)
    write_inventory(tmp_path / "inventory.json", files)
    assert altered(tmp_path / "inventory.json") == []
    files[1].write_text("EDITED")
    files[2].unlink()
    assert altered(tmp_path / "inventory.json") == sorted(files[1:])
    for nothing in ("{", "[1]"):
        (tmp_path / "inventory.json").write_text(nothing)
        assert altered(tmp_path / "inventory.json") == []


def test_files_of_the_last_run_are_removed_but_not_those_that_a_person_changed_or_added(tmp_path):
    folder = tmp_path / "results/late"
    (folder / "answer").mkdir(parents=True)
    files = [folder / name for name in ("answer/forest.svg", "trials.csv", "edited.csv", "lost")]
    for path in files:
        path.write_text(path.name)
    write_inventory(tmp_path / "inventory.json", files)
    (folder / "edited.csv").write_text("EDITED")
    (folder / "lost").unlink()
    remove_made(made_before(tmp_path / "inventory.json"))
    assert list(folder.iterdir()) == [folder / "edited.csv"]
    remove_made([folder / "edited.csv"])
    # Folders are removed together with their last file.
    assert list(tmp_path.iterdir()) == [tmp_path / "inventory.json"]


def test_a_file_that_is_made_again_stays_and_one_that_is_no_longer_made_goes(tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    for path in (first, second):
        path.write_text("id", encoding="utf-8")
    write_listed(tmp_path / "files.txt", [first, second])
    write_listed(tmp_path / "files.txt", [second])
    assert {path.name for path in tmp_path.glob("*.csv")} == {"second.csv"}


def test_a_figure_is_made_again_if_one_of_its_files_was_altered(tmp_path):
    """Otherwise the printed figure would differ from the one on the page."""
    made = [tmp_path / "forest.svg", tmp_path / "forest.png"]
    for path in made:
        path.write_text("as drawn", encoding="utf-8")
    ledger = Ledger(tmp_path / "made.json")
    ledger.note("forest", "of these numbers", made)
    ledger.write()
    made[1].write_text("edited", encoding="utf-8")
    assert not Ledger(tmp_path / "made.json").holds("forest", "of these numbers")


def test_a_figure_is_as_made_while_what_it_shows_and_its_files_stay_the_same(tmp_path):
    made = tmp_path / "forest.svg"
    made.write_text("drawn", encoding="utf-8")
    ledger = Ledger(tmp_path / "made.json")
    ledger.note("forest", "of these numbers", [made])
    ledger.write()

    def holds(key="of these numbers"):
        return Ledger(tmp_path / "made.json").holds("forest", key)

    assert holds()
    assert not holds("of other numbers")
    made.write_text("edited", encoding="utf-8")
    assert not holds()
    made.unlink()
    assert not holds()
