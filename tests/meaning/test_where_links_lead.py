"""Links, figures and marks of the page: each leads to and shows what its context says."""

import math
import re

import pytest
from lxml import html
from meaning.evidence import ANALYSES, floats, numbers, one, rows

# Targets of navigation links, whose text is not a title.
WAYS = {"Skip to the content": "content", "Start": "start", "All main results": "answer",
        "How certain": "findings", "Trials": "characteristics", "Harms": "harms"}  # fmt: skip
# The table saved with "Data" for each figure.
NUMBERS_OF = {"-league": "League table", "-split": "Direct versus indirect", "-graph": "Rows used",
              "-ranks": "Regimens compared with", "-components": "Additive components",
              "-additivity": "Observed in the network", "-alternatives": "Dual regimens against",
              "-surrogacy": "Trials with both", "-specification": "All combinations",
              "overview-summary": "Main results", "overview-flow": "From the search",
              "-leave-one-out": "Leaving out one trial", "-timeline": "Cumulative evidence",
              "balance-metastatic-first-line": "Benefit and harm side by side"}  # fmt: skip
BENEFITS = {entry["title"] for entry in ANALYSES if entry["pool"] == "overall"}
HARMS = {entry["title"] for entry in ANALYSES if entry.get("harm")}


@pytest.fixture(scope="module")
def page(made_up):
    parser = html.HTMLParser(encoding="utf-8")
    return html.parse(str(made_up.results / "report.html"), parser).getroot()


def words(element):
    return " ".join(element.text_content().split())


@pytest.fixture(scope="module")
def target(page):
    """Finds what a link leads to; no two elements of the page share an id."""
    named = page.xpath("//*[@id]")
    targets = {element.get("id"): element for element in named}
    assert len(targets) == len(named)
    return lambda link: targets[link.get("href")[1:]]


def heading(element):
    return words(element.find("h2"))


def test_a_link_leads_to_what_it_names(page, target):
    seen = set()
    for link in page.xpath("//a[starts-with(@href, '#')][not(@aria-label)]"):
        text, found = words(link), target(link)
        if link.get("class") == "card":
            text = words(link.find_class("what")[0])
        if text in WAYS:
            assert found.get("id") == WAYS[text]
        elif link.get("href").startswith("#source-"):
            author, year = text.rsplit(" ", 1)
            assert words(found).startswith(author), text
            assert year in words(found), text
        elif text == "Overview":
            assert heading(found) == words(next(link.iterancestors("details")).find("summary"))
        elif text == "Analysis":
            beside = {words(cell) for cell in next(link.iterancestors("tbody")).iter("th", "td")}
            # The table of benefits and harms names outcomes, not analyses.
            beside |= BENEFITS if any("benefit" in cell.casefold() for cell in beside) else set()
            assert found.get("id") == "harms" or heading(found) in beside, text
        elif found.get("id") == "harms":
            assert text in HARMS or text.endswith(" added"), text
        elif found.get("id") != "start":
            title = re.sub(r"^Network: | \(\d{4}\)$", "", text)
            # A table in a group is below the heading of the group.
            assert heading(found).split(" (")[0] == title or title.startswith(heading(found)), text
        seen.add(link.get("href"))
    assert len(seen) > 60


def test_a_trial_of_a_figure_leads_to_its_own_row(page, target):
    """The link is on the trial's line, and its text gives the trial's result there."""
    links = page.xpath("//*[name()='a'][@aria-label]")
    assert len(links) > 60
    for link in links:
        trial, result = re.match(r"(.+?): (.*?)\. Source: ", link.get("aria-label")).groups()
        row, box = target(link), link[0]
        assert words(row[0]).startswith(trial)
        top, height = float(box.get("y")), float(box.get("height"))
        drawing = next(link.iterancestors("{*}svg", "svg"))
        line = [t.text_content() for t in drawing.iter("{*}text", "text")
                if top <= float(t.get("y", -1)) <= top + height]  # fmt: skip
        assert any(text.split(" (")[0] == trial for text in line), (trial, line)
        assert numbers(result) in [numbers(text) for text in line], (trial, result, line)
        # Only rates are percentages.
        assert result.endswith("%") == ("-rates-" in link.get("href"))


def test_a_row_of_the_page_leads_to_the_view_of_its_trial(made_up, page):
    names = {row["trial_id"]: row["name"] for row in rows(made_up.folder / "data/raw/trials.csv")}
    shown = page.xpath("//tr[starts-with(@id, 'row-')]")
    assert len(shown) > 40
    for row in shown:
        (link,) = row.xpath("./th/a[starts-with(@href, '#')]")
        trial = link.get("href").removeprefix("#trial-").replace("-", "_")
        assert words(link).startswith(names[trial].split(" (")[0])


def test_a_card_draws_its_interval_with_benefit_to_the_right(made_up, page):
    scales = []
    for card in page.find_class("card"):
        title = words(card.find_class("what")[0])
        row = one(made_up.results / "tables/front.csv", title=title, role="lead")
        (line,) = card.xpath(".//*[name()='line'][contains(@class, 'interval')]")
        (point,) = card.xpath(".//*[name()='rect']")
        drawn = [float(line.get("x1")), float(point.get("x")) + 1, float(line.get("x2"))]
        logs = [math.log(value) for value in floats(row, "ci_low", "estimate", "ci_high")]
        logs = logs if row["measure"] == "risk_ratio" else [-value for value in reversed(logs)]
        verdict = card.find_class("verdict")[0]
        look = {"✓": "good", "≈": "likely", "✕": "bad", "?": "open"}[words(verdict)[0]]
        assert {look} == {part.get("class").split()[-1] for part in (verdict, line, point)}
        scales += [(x - 50) / value for x, value in zip(drawn, logs, strict=True)]
    assert len(scales) == 6
    assert min(scales) > 0
    assert max(scales) == pytest.approx(min(scales), rel=0.05)


def test_a_judgement_has_the_look_of_its_word(page):
    judged = page.xpath("//td[@class='judged']/span")
    assert {words(one) for one in judged} >= {"+ low", "? some concerns"}
    for found in judged:
        assert words(found)[2:].replace(" ", "-") == found.get("class")


def test_a_figure_carries_its_own_caption(made_up, page):
    told = {row["figure"].replace("/", "-").replace("_", "-"): row
            for row in rows(made_up.results / "alt-texts.csv")}  # fmt: skip
    figures = page.xpath("//figure")
    assert len(figures) > 60
    for figure in figures:
        row = told[figure.get("data-name")]
        assert figure.get("data-caption") == row["caption"]
        (shown,) = figure.xpath(".//img/@alt | .//*[name()='svg']/@aria-label")
        assert shown == row["text"]
        for name, table in NUMBERS_OF.items():
            if figure.get("data-name").endswith(name):
                assert figure.get("data-table").startswith(table)
                captions = next(figure.iterancestors("section")).iter("caption")
                assert any(words(found).startswith(table) for found in captions)


def test_no_row_is_announced_by_an_empty_heading(page):
    """A screen reader announces a row's heading before each of its cells."""
    headings = page.xpath("//th[@scope='row']")
    assert len(headings) > 100
    assert [words(heading.getparent()) for heading in headings if not words(heading)] == []
