"""The views of the page: one at a time, each with its address; saved files; phone layout."""

import csv
import io
import re
import zlib
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.long

SMALL = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def page(made_up):
    return made_up.folder / "results/report.html"


def shown(watched):
    return watched.run("[...document.querySelectorAll('main > .view')]"
                       ".filter((v) => v.offsetHeight > 0).map((v) => v.id)")  # fmt: skip


def test_one_view_is_open_and_the_way_back_leads_back(visit, page):
    watched = visit(page)
    assert shown(watched) == ["start"]
    watched.page.locator("a.card").first.click()
    # A view opens asynchronously after the click.
    watched.page.locator(".view.analysis.open").wait_for()
    (analysis,) = shown(watched)
    assert watched.page.url.endswith(f"#{analysis}")
    watched.page.locator(f"#{analysis} table.rows th a").first.click()
    watched.page.locator(".view.trial.open").wait_for()
    (trial,) = shown(watched)
    assert trial.startswith("trial-")
    # The table of contents marks the current view.
    assert watched.page.locator("nav a[aria-current]").get_attribute("href") == f"#{trial}"
    watched.page.go_back()
    watched.page.wait_for_function(f"location.hash === '#{analysis}'")
    assert shown(watched) == [analysis]
    watched.page.go_back()
    watched.page.wait_for_function("location.hash === ''")
    assert shown(watched) == ["start"]


def test_next_and_previous_go_through_every_view(visit, page):
    watched = visit(page)
    every = watched.run("[...document.querySelectorAll('main > .view')].map((v) => v.id)")
    passed = [*shown(watched)]
    while watched.page.locator(".steps .next").count():
        watched.page.locator(".steps .next").click()
        watched.page.wait_for_function(
            "before => !document.getElementById(before).offsetHeight", arg=passed[-1]
        )
        passed += shown(watched)
    assert passed == every
    assert watched.complaints == []


def test_a_view_and_the_ways_out_of_it_have_their_own_names(visit, page):
    """In the title, which a bookmark keeps, and below, where a reader goes on."""
    watched = visit(page)
    report = watched.page.title()
    watched.page.goto(f"{watched.address}#trial-birch")
    names = watched.run("[...document.querySelectorAll('nav .tree a')].map((a) => a.textContent)")
    at = names.index("BIRCH")
    watched.page.wait_for_function("(start) => document.title !== start", arg=report)
    assert watched.page.title() == f"BIRCH – {report}"
    before, after = watched.page.locator(".steps a").all_inner_texts()
    assert (before, after) == (f"← {names[at - 1]}", f"{names[at + 1]} →")


def test_a_link_into_another_view_opens_it_at_the_row(visit, page):
    watched = visit(page)
    target = watched.run("""() => {
      const text = [...document.querySelectorAll("noscript")].map((n) => n.textContent).join("");
      return /id="(row-[^"]+)"/.exec(text)[1];
    }""")
    watched.page.goto(f"{watched.address}#{target}")
    watched.page.wait_for_function("document.activeElement.tagName === 'TR'")
    assert watched.run("document.activeElement.id") == target
    assert watched.page.locator(f"#{target}").is_visible()


def test_trials_and_analyses_are_found_by_their_words(visit, page):
    watched = visit(page)
    field = watched.page.get_by_label("Search trials and analyses")
    for words in ("ALDER", "response"):
        field.fill(words.lower())
        found = watched.page.locator("nav .found a").all_inner_texts()
        assert found
        assert any(words.lower() in text.lower() for text in found)
    # Matches beyond the listed ones are counted.
    field.fill("a")
    told = watched.page.locator("nav .find [role=status]").inner_text()
    listed = watched.page.locator("nav .found a").count()
    assert int(told.split()[0]) > listed
    assert told.endswith(f"the first {listed}:")
    field.fill("there is no such thing")
    assert watched.page.locator("nav .found a").count() == 0


def test_the_start_screen_fits_a_phone(visit, page):
    watched = visit(page, **SMALL)
    bottom = watched.run("document.getElementById('start').getBoundingClientRect().bottom")
    assert bottom <= 844
    assert watched.run("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    said = watched.page.locator("#start").inner_text()
    assert "Not peer reviewed" in said
    assert "Searched until" in said


@pytest.mark.parametrize("width", [390])
def test_no_view_scrolls_sideways(width, visit, page):
    watched = visit(page, width=width, height=844)
    watched.run("Page.buildAll()")
    watched.run("document.documentElement.classList.add('whole')")
    watched.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert watched.run("document.documentElement.scrollWidth") == width


def test_a_cell_has_on_a_phone_the_heading_that_it_has_on_a_desk(visit, page):
    """A row becomes a list there, and nothing else says which number is which."""
    watched = visit(page)
    watched.run("Page.buildAll()")
    watched.run("document.documentElement.classList.add('whole')")
    watched.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found = watched.run("""() => {
      const cells = [];
      for (const table of document.querySelectorAll("table.stacked")) {
        const heads = [...table.tHead.rows[0].cells]
          .map((head) => [head.getBoundingClientRect(), head]);
        for (const cell of table.querySelectorAll("tbody tr:not(.group) td:not([colspan])")) {
          const box = cell.getBoundingClientRect();
          const middle = box.left + box.width / 2;
          const above = heads.find(([head]) => head.left < middle && middle < head.right);
          if (box.width) cells.push([cell.dataset.heading, above[1].textContent.trim()]);
        }
      }
      return cells;
    }""")
    assert len(found) > 1000
    assert [pair for pair in found if pair[0] != pair[1]] == []


def test_without_scripts_everything_is_there(visit, page):
    watched = visit(page, java_script_enabled=False)
    views = watched.page.locator("main > .view")
    assert views.count() > 20
    assert views.last.is_visible()
    assert watched.page.locator("#references li").first.is_visible()
    assert watched.page.locator("figure svg").first.is_visible()


@pytest.mark.parametrize("address", ["#content", "#%E0%A4%A"])
def test_no_address_leaves_the_page_empty(address, visit, page):
    """The skip link's address reopened, and an address cut in the middle of a character."""
    watched = visit(page)
    watched.page.goto("about:blank")
    watched.page.goto(watched.address + address)
    assert shown(watched) == ["start"]


def test_a_link_to_what_is_no_more_says_so_until_the_reader_goes_on(visit, page):
    """A reader who asked for one analysis would take the start screen for the answer."""
    watched = visit(page)
    told = watched.page.get_by_text("something that this report no longer has")
    assert not told.is_visible()
    watched.page.goto(f"{watched.address}#trial-gone?model=common")
    told.wait_for()
    assert shown(watched) == ["start"]
    watched.page.goto(f"{watched.address}#trial-alder")
    watched.page.locator("#trial-alder.open").wait_for()
    watched.page.locator("h1 a").click()
    watched.page.locator("#start.open").wait_for()
    assert not told.is_visible()


def test_paper_has_this_view_or_all_of_them(visit, page):
    watched = visit(page)
    watched.page.goto(f"{watched.address}#references")
    watched.page.emulate_media(media="print")
    assert shown(watched) == ["references"]
    watched.page.emulate_media(media="screen")
    watched.run("window.print = () => {}")
    watched.page.get_by_role("button", name="Print everything").click()
    watched.page.emulate_media(media="print")
    every = watched.run("[...document.querySelectorAll('main > .view')].map((v) => v.id)")
    assert shown(watched) == every
    assert watched.page.locator("noscript").count() == 0


OF_WHAT = """(view) => [...document.querySelectorAll(`#${view} table.grid tbody`)]
  .filter((group) => group.querySelector(".group")).map((group) => [
    group.rows[0].textContent.trim(), getComputedStyle(group).breakInside,
    [...group.rows].slice(1).map((row) => getComputedStyle(row.cells[0], "::before").content),
  ])"""


def test_a_printed_row_is_on_the_page_of_its_heading_or_repeats_it(visit, page):
    """A group heading is printed once, so rows on the next page would lack their measure."""
    watched = visit(page)
    watched.page.goto(f"{watched.address}#neoadjuvant-pcr-dual-v-almab")
    watched.page.emulate_media(media="print")
    kinds = set()
    for heading, broken, before in watched.run(OF_WHAT, "neoadjuvant-pcr-dual-v-almab"):
        long = len(before) > 8
        repeated = f'"{heading}: "' if long else "none"
        assert (broken == "avoid", set(before)) == (not long, {repeated})
        kinds.add(long)
    assert kinds == {True, False}
    watched.page.emulate_media(media="screen")
    assert "none" in watched.run(OF_WHAT, "neoadjuvant-pcr-dual-v-almab")[0][2]


@pytest.mark.parametrize(
    ("view", "colours"),
    [("start", "dark"), ("neoadjuvant-pcr-dual-v-almab", "light"), ("trial-alder", "light")],
)
def test_axe_finds_nothing_in_a_view(view, colours, visit, page):
    watched = visit(page, width=390, color_scheme=colours)
    watched.page.goto(f"{watched.address}#{view}")
    watched.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found = Axe().run(watched.page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response
    told = [(f["id"], f["nodes"][0]["html"], f["nodes"][0]["any"][:1]) for f in found["violations"]]
    assert told == []


def test_a_figure_on_a_dark_page_has_no_dark_edge(visit, page):
    """It is white, and a shadow at its edge would say that there is more to the side."""
    watched = visit(page, color_scheme="dark")
    watched.page.goto(f"{watched.address}#neoadjuvant-pcr-dual-v-almab")
    painted = watched.run(
        "getComputedStyle(document.querySelector('.view.open figure .scroll')).backgroundImage"
    )
    covers = re.findall(r"rgb\([^)]*\)", painted)
    assert covers == ["rgb(255, 255, 255)"] * 2


def test_no_path_of_a_file_is_printed(visit, page):
    watched = visit(page)
    watched.run("Page.buildAll()")
    text = watched.run("document.getElementById('content').textContent")
    assert re.findall(r"\b(?:results|data/raw|config|workflow)/[\w./<>-]+", text) == []


# ----------------------------------------------------------------------------------------- saving


@pytest.fixture
def analysis(visit, page):
    watched = visit(page, accept_downloads=True)
    watched.page.goto(f"{watched.address}#neoadjuvant-pcr-dual-v-almab")
    return watched


def saved(watched, place, name):
    with watched.page.expect_download() as waiting:
        place.get_by_role("button", name=name, exact=True).click()
    path = waiting.value.path()
    return waiting.value.suggested_filename, path.read_bytes()


def test_a_figure_is_saved_as_drawing_pixels_and_page(analysis):
    figure = analysis.page.locator(".view.open figure").first
    name, drawing = saved(analysis, figure, "SVG")
    assert name.endswith("forest.svg")
    width, height = map(float, re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing).groups())
    assert b"<a " not in drawing
    _, pixels = saved(analysis, figure, "PNG")
    assert pixels.startswith(b"\x89PNG")
    across = int.from_bytes(pixels[16:20], "big")
    assert across > 3 * width
    _, paper = saved(analysis, figure, "PDF")
    check_pdf(paper, width, height)


FAMILY = """(text) => {
  const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  document.body.append(drawing);
  return getComputedStyle(drawing.querySelector("text")).fontFamily;
}"""


@pytest.mark.parametrize("shown_as", ["svg", "img[src^='data:image/svg']"])
def test_a_saved_drawing_names_the_font_that_it_is_shown_in(shown_as, analysis):
    """Otherwise another program substitutes a wider or narrower font."""
    analysis.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    figure = analysis.page.locator(".view.open figure", has=analysis.page.locator(shown_as)).first
    _, drawing = saved(analysis, figure, "SVG")
    family = analysis.run(FAMILY, drawing.decode())
    assert family.split(",")[0].strip('"') == "Liberation Sans"


def check_pdf(paper, width, height):
    """A one-page PDF of a given size in points, with a valid cross-reference table."""
    assert paper.startswith(b"%PDF-1.4")
    box = re.search(rb"MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", paper).groups()
    assert list(map(float, box)) == pytest.approx([width, height], abs=0.02)
    offsets = [int(at) for at in re.findall(rb"(\d{10}) 00000 n", paper)]
    starts = [b"%d 0 o" % n for n in range(1, len(offsets) + 1)]
    assert [
        paper[at : at + len(start)] for at, start in zip(offsets, starts, strict=True)
    ] == starts


def stream(paper, mark):
    """The compressed stream after a marker."""
    packed = re.search(mark + rb"[^>]*/Length (\d+)>>stream\n", paper)
    return zlib.decompress(paper[packed.end() : packed.end() + int(packed[1])])


def words_of(paper):
    """The words of a PDF page with their positions, decoded by the character maps of its fonts."""
    fonts = {}
    for name, number in re.findall(rb"/(F\d) (\d+) 0 R", paper):
        letters = paper.partition(b"\n%d 0 obj" % (int(number) + 4))[2].partition(b"endobj")[0]
        pairs = re.findall(rb"^<(\w{4})> <(\w{4})>$", letters, flags=re.MULTILINE)
        fonts[name] = {glyph: chr(int(code, 16)) for glyph, code in pairs}
    for block in re.findall(rb"BT(.*?)ET", stream(paper, rb"<</Filter/FlateDecode"), re.DOTALL):
        name = re.search(rb"/(F\d) ", block)[1]
        letters = re.findall(rb"1 0 0 -1 (\S+) (\S+) Tm <(\w{4})>", block)
        yield "".join(fonts[name][glyph] for *_, glyph in letters), *map(float, letters[0][:2])


def test_the_page_of_a_figure_says_what_the_drawing_says_where_it_says_it(analysis):
    figure = analysis.page.locator(".view.open figure").first
    _, drawing = saved(analysis, figure, "SVG")
    _, paper = saved(analysis, figure, "PDF")
    assert b"/Image" not in paper
    said = list(words_of(paper))
    shown = [
        (" ".join("".join(text.itertext()).split()), text)
        for text in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    ]
    shown = [(words, text) for words, text in shown if words]
    assert [words for words, *_ in said] == [words for words, _ in shown]
    looks = dict(re.findall(r"\.(\w+){([^}]*)}", drawing.decode()))
    placed = [
        (x, y, float(text.get("x")), float(text.get("y")))
        for (_, x, y), (_, text) in zip(said, shown, strict=True)
        if "text-anchor:start" in looks.get(text.get("class"), "") and text.get("x")
    ]
    assert len(placed) > 10
    for x, y, left, base in placed:
        assert (x, y) == pytest.approx((left, base), abs=0.02)


COLOURS = """() => {
  const shown = document.querySelector(".view.open figure svg");
  const looks = [...shown.querySelectorAll("path, rect, use, text")]
    .filter((shape) => !shape.closest("defs, clipPath, a")).map((shape) => getComputedStyle(shape));
  return looks.flatMap(({ fill, fillOpacity }) => (fillOpacity === "0" ? [] : [fill]));
}"""


def test_the_page_of_a_figure_has_its_colours_the_right_way_up(analysis):
    figure = analysis.page.locator(".view.open figure").first
    _, paper = saved(analysis, figure, "PDF")
    content = stream(paper, rb"<</Filter/FlateDecode")
    a, b, c, d, e, f = (float(x) for x in re.match(rb"(.*) cm", content)[1].split())
    width, height = map(float, re.search(rb"MediaBox\[0 0 (\S+) ([\d.]+)\]", paper).groups())
    # PDF coordinates start at the bottom, SVG coordinates at the top.
    assert (e, f) == pytest.approx((0, height), abs=0.02)
    corner = a * width + c * height + e, b * width + d * height + f
    assert corner == pytest.approx((width, 0), abs=0.02)
    shown = {tuple(map(int, re.findall(r"\d+", look)[:3]))
             for look in analysis.run(COLOURS) if look != "none"}  # fmt: skip
    said = re.findall(rb"(?<![\d.])([\d.]+) ([\d.]+) ([\d.]+) rg", content)
    assert {tuple(round(255 * float(part)) for part in one) for one in said} == shown
    assert len(shown) > 3
    # Subtotal diamonds are white with an outline.
    assert re.search(rb"^B$", content, flags=re.MULTILINE)


def test_what_the_page_shows_as_pixels_is_saved_as_pixels(analysis):
    paper = analysis.run("""(async () => {
      const pixels = await Saving.pixelsOf(document.querySelector(".view.open figure"));
      const file = await Paper.ofPixels(pixels, "A figure");
      return [...new Uint8Array(await file.arrayBuffer())];
    })()""")  # fmt: skip
    paper = bytes(paper)
    across, down = [int(x) for x in re.search(rb"/Width (\d+)/Height (\d+)", paper).groups()]
    width, height = map(float, re.search(rb"MediaBox\[0 0 (\S+) ([\d.]+)\]", paper).groups())
    check_pdf(paper, width, height)
    assert across / down == pytest.approx(width / height, rel=0.01)
    colours = stream(paper, rb"/Subtype/Image")
    assert len(colours) == across * down * 3
    assert min(colours) < 60 < 250 < max(colours)


def test_the_numbers_of_a_figure_are_those_of_its_trials_and_models(analysis, made_up):
    figure = analysis.page.locator(".view.open figure").first
    name, content = saved(analysis, figure, "Data (CSV)")
    assert name.endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    mine = [row for row in rows if row["measure and patients"] == "Risk ratio: all trials"]
    columns, models = ("estimate", "low", "high"), analysis.run("Pools.data.models")
    for table, names, key in (
        ("trials", ("estimate", "estimate_low", "estimate_high"), lambda row: row["trial"]),
        ("estimates", ("estimate", "ci_low", "ci_high"), lambda row: models[row["model"]]),
    ):
        with (made_up.folder / f"results/neoadjuvant/{table}.csv").open(encoding="utf-8") as file:
            wanted = {
                key(row): [float(row[name]) for name in names]
                for row in csv.DictReader(file)
                if (row["analysis"], row["measure"], row["subgroup"])
                == ("pcr_dual_v_almab", "risk_ratio", "all")
                and row["estimate"] and row.get("model", "common") in models
            }  # fmt: skip
        found = {
            row["trial"]: [float(row[column]) for column in columns]
            for row in mine if (row["variance"] != "") == (table == "trials")
        }  # fmt: skip
        assert found.keys() == wanted.keys()
        assert len(found) > 3
        for one, ends in found.items():
            assert ends == pytest.approx(wanted[one], rel=1e-9)
    assert [row["trial"] for row in mine if row["pooled"] == "no"] == ["LARCH"]


def test_the_numbers_of_a_figure_with_a_table_of_its_own_are_that_table(visit, page):
    found = visit(page).run("""() => {
      Page.buildAll();
      return [...document.querySelectorAll("figure[data-table]")].map((figure) => {
        const section = figure.closest(".view");
        const tables = [...section.querySelectorAll("table")].filter((table) => table.tHead);
        return [figure.dataset.table, Saving.numbersOf(figure, section),
                tables.map((table) => [table.caption.textContent.trim(), Saving.rowsOf(table)])];
      });
    }""")
    assert len({name for name, *_ in found}) > 5
    for name, numbers, tables in found:
        own = [rows for caption, rows in tables if caption.startswith(name)]
        assert own[:1] == [numbers] or not own, name
    assert sum(len(tables) > 1 for *_, tables in found) > 5


def test_a_table_is_saved_as_it_stands(analysis):
    """The group heading precedes each of its rows, and cells are below their own headings."""
    fold = analysis.page.locator(
        ".view.open details", has_text="Heterogeneity and all models"
    ).first
    fold.locator("summary").click()
    table = fold.locator("table").first
    wanted, group = [], ""
    for look, cells in table.evaluate(
        "(table) => [...table.rows].map((r) => [r.className, [...r.cells].map((c) => c.innerText)])"
    ):
        if look == "group":
            (group,) = cells
        else:
            wanted.append([group, *cells])
    _, content = saved(analysis, fold, "CSV")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows == wanted
    assert len({row[0] for row in rows}) > 2
    # Values that an unquoted comma would break.
    assert any("," in cell for row in rows for cell in row)


def test_caption_and_description_are_copied(analysis, made_up):
    analysis.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = analysis.page.locator(".view.open figure").first
    figure.get_by_role("button", name="Copy alt text").click()
    figure.get_by_role("button", name="Copied").wait_for()
    assert analysis.run("navigator.clipboard.readText()").startswith("Forest plot.")
    figure.get_by_role("button", name="Copy caption").click()
    figure.get_by_role("button", name="Copied").nth(1).wait_for()
    with (made_up.folder / "results/alt-texts.csv").open(encoding="utf-8") as file:
        captions = {row["figure"]: row["caption"] for row in csv.DictReader(file)}
    copied = analysis.run("navigator.clipboard.readText()")
    assert copied == captions["neoadjuvant/pcr_dual_v_almab/forest"]
