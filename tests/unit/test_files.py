"""Files appear complete or not at all, and keep their time stamp if nothing changes."""

import math
import os
import resource
import struct
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.files import (
    read_table,
    records,
    remove_unfinished,
    write_long_table,
    write_table,
    write_text,
    write_whole,
)

LONG_AGO = 1_000_000_000


def dated(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def test_a_missing_folder_is_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "Röver\n")
    assert (tmp_path / "a/b/c.txt").read_bytes() == "Röver\n".encode()


def test_the_old_content_is_replaced_and_no_temporary_file_is_left(tmp_path):
    path = dated(tmp_path / "a.txt", b"old and longer")
    write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"new"


def test_files_of_killed_processes_are_removed_and_files_being_written_are_not(tmp_path):
    # No process has the first number; the second is this process's own.
    left, now = tmp_path / "a/.b.csv.999999999.part", tmp_path / f".c.csv.{os.getpid()}.part"
    others = [tmp_path / name for name in ("d.part", ".e.notes.part", "f.csv")]
    left.parent.mkdir()
    for path in (left, now, *others):
        path.touch()
    remove_unfinished(tmp_path)
    assert not left.exists()
    assert all(path.exists() for path in (now, *others))


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = dated(tmp_path / "a.txt", b"old")

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises(OSError, match="disk is full"):
        write_whole(path, b"new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"old"


def test_an_error_names_the_file_and_not_its_temporary_copy(tmp_path, monkeypatch):
    def refuse(path, _):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(PermissionError) as refused:
        write_whole(tmp_path / "file.csv", b"new")
    assert refused.value.filename == str(tmp_path / "file.csv")


def test_of_a_full_disk_the_file_is_named(tmp_path):
    """The system itself names none: a reader would not know which disk is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        with pytest.raises(OSError, match="File too large") as refused:
            write_whole(tmp_path / "file.csv", b"a whole table")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.filename == str(tmp_path / "file.csv")
    assert [*tmp_path.iterdir()] == []


def test_unchanged_content_keeps_its_time_stamp(tmp_path):
    path = dated(tmp_path / "a.txt", b"same")
    write_whole(path, b"same", keep_unchanged=True)
    assert path.stat().st_mtime == LONG_AGO


def test_changed_content_has_a_new_time_stamp(tmp_path):
    path = dated(tmp_path / "a.txt", b"same")
    write_whole(path, b"other", keep_unchanged=True)
    assert path.stat().st_mtime > LONG_AGO


def test_by_default_unchanged_content_is_written_again(tmp_path):
    # Snakemake treats an output older than its inputs as missing.
    path = dated(tmp_path / "a.txt", b"same")
    write_whole(path, b"same")
    assert path.stat().st_mtime > LONG_AGO


@given(st.lists(st.floats(), min_size=1))
def test_numbers_come_back_to_the_last_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("numbers") / "a.csv"
    write_table(path, pd.DataFrame({"x": pd.Series(numbers, dtype=float)}))
    back = list(read_table(path, ["x"])["x"])
    for before, after in zip(numbers, back, strict=True):
        if math.isnan(before):
            assert math.isnan(after)
        else:
            assert struct.pack("d", before) == struct.pack("d", after)


@pytest.mark.parametrize("text", ["NA", "null", "None", "", "1.0", "a,b", 'a "b"', "Röver", " x"])
def test_text_comes_back_as_it_was(tmp_path, text):
    write_table(tmp_path / "a.csv", pd.DataFrame({"word": [text], "x": [1.0]}))
    assert list(read_table(tmp_path / "a.csv", ["x"])["word"]) == [text]


def test_lines_end_the_same_way_everywhere(tmp_path):
    write_table(tmp_path / "a.csv", pd.DataFrame({"x": [1.0, math.nan], "y": ["a", "b"]}))
    assert (tmp_path / "a.csv").read_bytes() == b"x,y\n1.0,a\n,b\n"


def test_an_empty_table_comes_back_empty(tmp_path):
    write_table(tmp_path / "a.csv", pd.DataFrame(columns=["x", "y"]))
    back = read_table(tmp_path / "a.csv", ["x"])
    assert list(back.columns) == ["x", "y"]
    assert back.empty


def test_records_are_rows_by_column():
    table = pd.DataFrame({"x": [1.0, 2.0], "class": ["a", "b"]})
    assert records(table) == [{"x": 1.0, "class": "a"}, {"x": 2.0, "class": "b"}]


def test_a_table_in_parts_is_as_the_same_table_at_once(tmp_path):
    """Without a second header between two parts, which would be counted as a row."""
    whole = pd.DataFrame({"k": [3, 4, 5], "estimate": [0.1, math.pi, 1 / 3]})
    write_table(tmp_path / "whole.csv", whole)
    write_long_table(tmp_path / "parts.csv", (whole[:0], whole[:2], whole[2:]))
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
