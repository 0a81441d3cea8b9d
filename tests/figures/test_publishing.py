"""Publishing: figures drawn by one process or several, and leftovers of an earlier run."""

import os
import subprocess
import sys

import pytest
from PIL import Image, ImageDraw
from trial_evidence.figures.canvas.page import Page, Text
from trial_evidence.figures.canvas.pixels import few_colours
from trial_evidence.figures.canvas.publishing import (
    LISTING_COLUMNS,
    helpers,
    listing_of,
    of_helper,
    publish,
    publishing,
)

NAMES = ("one/forest", "one/by/forest", "two/forest")


def page(name):
    text = Text("title", name, 5.0, 10.0, 8.0, "#1A1A1A")
    return Page(60.0, 20.0, name, f"{name} in words", (), (), (), (text,))


PAGES = {name: page(name) for name in NAMES}


def files(folder):
    """Visible files in a folder; the record of what was drawn is hidden."""
    paths = (path for path in folder.rglob("[!.]*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}


@pytest.mark.parametrize("number", [0, 1])
def test_figures_are_there_once_the_rest_is_done(tmp_path, number):
    with helpers(number) as pool, publishing(tmp_path, ("svg", "pdf"), pool) as drawing:
        assert drawing.add({NAMES[0]: PAGES[NAMES[0]]}) == [NAMES[0]]
        drawing.add({name: PAGES[name] for name in NAMES[1:]})
        meanwhile = "something else"
    assert meanwhile
    assert sorted(files(tmp_path)) == sorted(f"{n}.{k}" for n in NAMES for k in ("svg", "pdf"))
    publish(PAGES, tmp_path / "again", ("svg", "pdf"))
    again = files(tmp_path / "again")
    assert all((tmp_path / name).read_bytes() == path.read_bytes() for name, path in again.items())


def test_a_helper_does_what_it_was_told_of_when_it_began(tmp_path):
    def note():
        (tmp_path / "note").write_text("done", encoding="utf-8")
        raise ValueError("and failed")

    # If no process can be forked there is no worker, and it is done here.
    with helpers(1, note) as pool, pytest.raises(ValueError, match="and failed"):
        pool.submit(of_helper, 0).result() if pool else note()
    assert (tmp_path / "note").read_text(encoding="utf-8") == "done"


# Two workers have started and wait for more.
WAITING = """
import time
from trial_evidence.figures.canvas.publishing import helpers
with helpers(2) as pool:
    list(pool.map(time.sleep, [0.1, 0.1]))
    print("begun", flush=True)
    time.sleep(60)
"""


def test_helpers_of_a_process_that_was_killed_end():
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "begun\n"
        process.kill()
        # The workers hold the pipe as well: it ends with the last of them.
        process.communicate(timeout=10)


def test_an_old_figure_goes_and_what_is_none_stays(tmp_path):
    publish({**PAGES, "three/forest": page("three")}, tmp_path, ("svg", "png"))
    for other in ("one/table.csv", "one/funnel.svg", "two/kept.csv"):
        (tmp_path / other).write_text("", encoding="utf-8")
    publish(PAGES, tmp_path, ("svg",), own=("*/**/forest*", "two/*"), kept=("two/kept.csv",))
    assert sorted(files(tmp_path)) == [
        "one/by/forest.svg", "one/forest.svg", "one/funnel.svg", "one/table.csv", "two/forest.svg",
        "two/kept.csv",
    ]  # fmt: skip
    # a folder is removed with its last figure
    assert not (tmp_path / "three").exists()


def test_a_figure_of_what_is_no_more_goes_with_its_folder(tmp_path):
    """An analysis removed from config/ would seem to have a current result."""
    went = {"three/by/level/forest": page("three"), "three/forest": page("all of three")}
    publish({**PAGES, **went}, tmp_path, ("svg", "png"), own=("*/**/forest*",))
    (tmp_path / "two/forest_of_mine.txt").write_text("", encoding="utf-8")
    publish({"one/forest": PAGES["one/forest"]}, tmp_path, ("svg",), own=("one/**/forest*",))
    assert sorted(files(tmp_path)) == ["one/forest.svg", "two/forest_of_mine.txt"]
    assert not (tmp_path / "three").exists()


def test_what_is_not_asked_for_is_not_touched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    publish({}, tmp_path, ("svg",))
    assert list(files(tmp_path)) == ["notes.txt"]


def drawn_again(folder, pages, **more):
    """Files that publishing rewrote."""
    before = {name: path.stat().st_mtime_ns for name, path in files(folder).items()}
    publish(pages, folder, ("svg", "png"), **more)
    after = files(folder)
    return {name for name, path in after.items() if before.get(name) != path.stat().st_mtime_ns}


def test_a_figure_of_the_same_content_is_not_drawn_again(tmp_path):
    publish(PAGES, tmp_path, ("svg", "png"))
    assert drawn_again(tmp_path, PAGES) == set()
    changed = {**PAGES, "two/forest": page("another title")}
    assert drawn_again(tmp_path, changed) == {"two/forest.svg", "two/forest.png"}


def test_a_figure_is_drawn_again_where_it_is_finer(tmp_path):
    publish(PAGES, tmp_path, ("svg", "png"))
    assert "one/forest.png" in drawn_again(tmp_path, PAGES, dpi=150)


def exchange(one, other):
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


DAMAGE = {
    "removed": lambda one, other: one.unlink(),
    "cut short": lambda one, other: one.write_bytes(one.read_bytes()[:100]),
    "edited": lambda one, other: one.write_bytes(one.read_bytes().replace(b"one", b"two")),
    "exchanged": exchange,
    "not what is written in the record": lambda one, other: [
        path.write_text('{"one/forest": {"from": ', encoding="utf-8")
        for path in one.parent.parent.glob(".drawn*")
    ],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_damaged_is_drawn_as_it_was(tmp_path, damage):
    publish(PAGES, tmp_path, ("svg", "png"))
    before = {name: path.read_bytes() for name, path in files(tmp_path).items()}
    DAMAGE[damage](tmp_path / "one/forest.svg", tmp_path / "two/forest.svg")
    publish(PAGES, tmp_path, ("svg", "png"))
    assert {name: path.read_bytes() for name, path in files(tmp_path).items()} == before


def test_a_listing_says_where_a_figure_belongs_and_what_it_shows():
    table = listing_of({("early", *name.split("/", 1)): page for name, page in PAGES.items()})
    assert list(table.columns) == LISTING_COLUMNS
    assert table.iloc[1].tolist() == [
        "early", "one", "by/forest", "one/by/forest", "one/by/forest in words", "one/by/forest."
    ]  # fmt: skip


def test_a_picture_in_few_colours_stands_on_the_ground_of_the_figure(tmp_path):
    """The supplement and the page show it on white: it must not have a grey box around it."""
    image = Image.new("RGB", (90, 60), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 20, 90, 40), fill="#F3F4F6")
    draw.rectangle((10, 45, 20, 55), fill="#C4302B")
    image.save(tmp_path / "figure.png")
    shown = few_colours(tmp_path / "figure.png", 90).convert("RGB")
    assert shown.getpixel((0, 0)) == (255, 255, 255)
    red, green, blue = shown.getpixel((15, 50))
    assert red > 180
    assert max(green, blue) < 60
