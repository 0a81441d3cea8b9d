"""The page's structure, read without a browser."""

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_material import material
from small_project import evidence_of, replace_text, small_project
from trial_evidence.report.material.material import report_table
from trial_evidence.report.page.grids import Cell, declared_grid, report_grid
from trial_evidence.report.page.grids import grid as grouped
from trial_evidence.report.page.page import page
from trial_evidence.report.page.pools import json_island
from trial_evidence.report.page.sections import page_settings
from trial_evidence.report.page.sources import Link
from trial_evidence.report.trail.trace import trail_of
from trial_evidence.report.words.formats import FORMATS

# Attributes through which a page loads something when it opens.
LOADING = {"src", "srcset", "data", "poster", "action", "background"}


class Reading(HTMLParser):
    """Collects ids, headings, addresses and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.headings, self.inside, self.outside, self.loaded = [], [], [], [], []
        self.landmarks = Counter()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("header", "nav", "main", "footer"):
            self.landmarks[tag] += 1
        address = found.get("href", "")
        if tag == "a":
            (self.inside if address.startswith("#") else self.outside).append(address)
        elif address:
            self.loaded.append(address)
        self.loaded += [found[name] for name in LOADING & set(found)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = small_project(tmp_path_factory.mktemp("page"))
    replace_text(folder, "trials", "trial_f,TRIAL-F,", 'trial_f,"<b>F</b> & ""co"" 🧬",')
    # The arms of one trial come from two reports.
    single = "trial_a,trial_a_single,ypT0/is ypN0,ITT,local,all,23,105,21.9"
    replace_text(folder, "pcr", f"{single},doe_2020_trial_a", f"{single},doe_2020_trial_b")
    pooled = evidence_of(folder)
    configuration = pooled[1]
    for setting in configuration.settings:
        (folder / "results" / setting / "figures.csv").write_text(
            "setting,analysis,figure,title,description\n", encoding="utf-8"
        )
    return folder, configuration, pooled


def made(project, changed=lambda found: found, **extras):
    folder, _, pooled = project
    found = changed(material(pooled, folder / "results"))
    # The results of the trials link to many further sources.
    cited = tuple(found.sheet["sources"]["source_id"])[:1]
    trail = trail_of(found.evidence, found.configuration)
    settings = page_settings(found, trail)
    return page(found, settings, trail, "The <evidence>", cited=cited, **extras)


@pytest.fixture(scope="module")
def text(project):
    return made(project, provenance={"versions": {"python": "3"}}, methods=("One.", "Two."))


@pytest.fixture(scope="module")
def reading(text):
    return Reading(text)


def test_ids_are_unique_and_every_link_inside_has_its_target(reading):
    assert [id_ for id_, count in Counter(reading.ids).items() if count > 1] == []
    assert set(reading.inside) <= {f"#{id_}" for id_ in reading.ids}
    assert len(reading.inside) > 50


def test_each_of_two_sources_leads_to_itself(text):
    row = re.search(r'<tr id="row-neoadjuvant-[\w-]+-trial-a-all".*?</tr>', text, re.S)[0]
    assert re.findall('href="#source-(.*?)"', row) == ["doe_2020_trial_a", "doe_2020_trial_b"]


def test_nothing_is_loaded_and_links_out_are_safe(reading):
    assert [address for address in reading.loaded if not address.startswith("data:")] == []
    assert {address.partition(":")[0] for address in reading.outside} == {"https"}


def test_headings_come_in_order_and_landmarks_once(reading):
    assert reading.headings[0] == 1
    assert reading.headings.count(1) == 1
    steps = zip(reading.headings, reading.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert reading.landmarks == {"header": 1, "nav": 1, "main": 1, "footer": 1}


def test_markup_of_the_sheet_is_escaped(text):
    assert "<b>F</b>" not in text
    assert "&lt;b&gt;F&lt;/b&gt; &amp; &#34;co&#34; 🧬" in text
    assert "<title>The &lt;evidence&gt;</title>" in text


def test_trials_shown_individually_are_those_that_count(project):
    """One was left out by a decision: it is among the rows, but not among the trials."""
    place = {"setting": "neoadjuvant", "analysis": "pcr_dual_v_trastuzumab"}

    def apart(found):
        analyses = tuple(
            replace(a, pool="none") if (a.setting, a.id) == tuple(place.values()) else a
            for a in found.configuration.analyses
        )
        rows = found.evidence.estimates
        mine = (rows["setting"] == place["setting"]) & (rows["analysis"] == place["analysis"])
        estimates = rows.assign(role=rows["role"].mask(mine, ""))
        return replace(
            found,
            configuration=replace(found.configuration, analyses=analyses),
            evidence=replace(found.evidence, estimates=estimates),
        )

    # TRIAL-A, TRIAL-B and TRIAL-C; not TRIAL-D (exclusions.csv).
    said = '<p class="answer">3 trials, shown individually, not pooled.</p>'
    assert said in made(project, apart)


def test_what_is_remarked_on_the_leading_estimate_is_told_with_it(project):
    def remarked(found):
        rows = found.evidence.estimates
        mine = (rows["role"] == "lead") & (rows["analysis"] == "pcr_dual_v_trastuzumab")
        estimates = rows.assign(remark=rows["remark"].mask(mine, "Tau at its boundary."))
        return replace(found, evidence=replace(found.evidence, estimates=estimates))

    assert '<p class="note">Tau at its boundary.</p>' in made(project, remarked)


def test_every_row_that_is_used_is_in_the_page_once(project, reading):
    folder, configuration, _ = project
    # Harms have a separate table.
    harms = {analysis.id for analysis in configuration.analyses if analysis.harm}
    wanted = set()
    for setting in configuration.settings:
        for table in ("trials", "rates"):
            path = folder / "results" / setting / f"{table}.csv"
            with path.open(encoding="utf-8", newline="") as file:
                wanted |= {
                    (setting, row["analysis"], row["trial_id"], row["subgroup"],
                     row.get("regimen", ""))
                    for row in csv.DictReader(file)
                    if row["analysis"] not in harms
                }  # fmt: skip
    assert len([id_ for id_ in reading.ids if id_.startswith("row-")]) == len(wanted) > 20


def test_the_numbers_of_the_page_are_those_of_the_results(project, text):
    folder, *_ = project
    island = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    data = json.loads(island.group(1))
    analysis = data["analyses"]["adjuvant/event_free_dual_v_single"]
    pool = analysis["pools"][0]
    lines = (folder / "results/adjuvant/estimates.csv").read_text("utf-8").splitlines()
    names = lines[0].split(",")
    row = next(
        line.split(",") for line in lines
        if line.startswith("adjuvant,event_free_dual_v_single,") and ",all,common," in line
    )  # fmt: skip
    assert pool["published"]["common"]["estimate"] == float(row[names.index("estimate")])
    assert [(*member[:1], *member[6:7]) for member in pool["members"]] == [(0, ""), (1, "")]


def test_the_page_pools_by_patient_factor_where_the_results_do(project, text):
    """With at least the number of trials required in config.yaml."""
    folder, configuration, _ = project
    asked = {
        (f"{entry.setting}/{entry.id}", subgroup)
        for entry in configuration.analyses
        for modifier in entry.effect_modifiers
        for subgroup in modifier.subgroups
    }
    written = set()
    for path in (folder / "results").glob("*/estimates.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            written |= {
                (f"{row['setting']}/{row['analysis']}", row["subgroup"])
                for row in csv.DictReader(file)
            }
    island = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    shown = {
        (place, pool["set"][1])
        for place, analysis in json.loads(island.group(1))["analyses"].items()
        for pool in analysis["pools"]
    }
    assert shown & asked == written & asked != set()


def test_an_interval_at_another_level_does_not_stand_below_the_level_of_the_others(project, text):
    """A published 97.5% interval is left out; the page calculates one at its heading's level."""
    trials = project[2][2].trials
    mine = trials[(trials["setting"] == "adjuvant") & (trials["subgroup"] == "all")]
    mine = mine[mine["analysis"] == "event_free_dual_v_single"].set_index("trial")
    (other,) = set(mine.index) - {"TRIAL-G"}
    assert dict(mine["estimate_level"]) == {other: 95.0, "TRIAL-G": 97.5}
    island = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    analysis = json.loads(island.group(1))["analyses"]["adjuvant/event_free_dual_v_single"]
    assert analysis["method"]["level"] == 95.0
    names = [row["trial"] for row in analysis["rows"]]
    ends = {names[place]: found for place, _, _, *found, _, _ in analysis["pools"][0]["members"]}
    assert ends["TRIAL-G"] == [None, None, None]
    assert ends[other] == [*mine.loc[other, ["estimate", "estimate_low", "estimate_high"]]]


def test_twice_is_the_same(project, text):
    assert made(project, provenance={"versions": {"python": "3"}}, methods=("One.", "Two.")) == text


def test_json_cannot_leave_its_element():
    infinity = float("inf")
    held = {"x": "</script><!-- & -->", "nan": float("nan"), "inf": [infinity, -infinity]}
    text = json_island(held)
    assert not {*"<>&"} & {*text}
    assert json.loads(text) == held | {"nan": None, "inf": ["Infinity", "-Infinity"]}


def test_a_tables_links_stand_in_its_cells_or_beside_them():
    table = report_table(
        "any", "Any",
        [{"trial": "A", "nct": "NCT00000001", "doi": "10.1000/x", "setting": "early",
          "analysis": "first_one"}],
        [("Trial", "text", "trial"), ("Number", "text", "nct")],
        ["nct", "doi", "setting", "analysis"],
    )  # fmt: skip
    grid = report_grid(table, {"early/first_one": "early-first-one"})
    assert grid.headings == ("Trial", "Number", "Links")
    ((trial, number, links),) = grid.rows
    assert trial == Cell("A")
    registry = "https://clinicaltrials.gov/study/NCT00000001"
    assert [link.address for link in number.links] == [registry]
    assert number.is_link
    assert [link.address for link in links.links] == [
        "https://doi.org/10.1000/x", "#early-first-one",
    ]  # fmt: skip
    assert report_grid(table, {}).rows[0][2].links[-1].text == "10.1000/x"


def test_links_stand_where_a_column_names_what_they_lead_to():
    table = report_table(
        "any", "Any",
        [{"title": "One", "source": "Doe 2020; Roe 2021", "doi": "10.1000/x; 10.1000/y",
          "setting": "early", "analysis": "first_one"}],
        [("Analysis", "text", "title"), ("Source", "text", "source")],
        ["doi", "setting", "analysis"],
    )  # fmt: skip
    grid = report_grid(table, {"early/first_one": "early-first-one"})
    ((analysis, source),) = grid.rows
    assert analysis.is_link
    assert analysis.links[0].address == "#early-first-one"
    assert [link.text for link in source.links] == ["10.1000/x", "10.1000/y"]
    assert not source.is_link


def declared(rows, columns):
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return declared_grid(FORMATS, "Any", found, [(name, "text", name) for name in columns])


def test_rows_that_share_their_first_cell_stand_below_it():
    rows = [["a", "1", ""], ["a", "2", ""], ["b", "3", ""], ["b", "4", ""]]
    grid = declared(rows, ["Group", "Number", "Never filled"])
    # With only two columns with text, neither becomes group headings.
    assert grid.headings == ("Group", "Number")
    grid = declared([[*row[:2], "x"] for row in rows], ["Group", "Number", "Letter"])
    assert grid.headings == ("Number", "Letter")
    assert [group.heading for group in grid.groups] == [Cell("a"), Cell("b")]
    assert [row[0].text for row in grid.rows] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("other", "kept"), [("#here", ("#here",)), ("#there", ())])
def test_a_heading_of_a_group_leads_only_where_all_of_its_rows_do(other, kept):
    """Else it is a link to the analysis of the first row alone."""
    lines = [[Cell("Harm", (Link("Harm", address),)), Cell(text), Cell("x")]
             for address, text in (("#here", "1"), (other, "2"))]  # fmt: skip
    (group,) = grouped("Title", ["Harm", "Number", "Letter"], lines).groups
    assert tuple(link.address for link in group.heading.links) == kept


@pytest.mark.parametrize(
    ("rows", "characters", "long"), [(3, 40, False), (9, 40, True), (3, 500, True)]
)
def test_rows_are_kept_on_one_printed_page_only_if_they_fill_little_of_it(rows, characters, long):
    """Else the first page has nothing below the headings, and all rows are on the next."""
    lines = [[Cell("Early disease"), Cell(f"{n}"), Cell("x" * characters)] for n in range(rows)]
    (group,) = grouped("Title", ["Setting", "Claim", "Why"], lines).groups
    assert group.is_long is long


@pytest.mark.parametrize(
    ("column", "printed"),
    [
        (("effect",), "1.46 (1.25–1.70)"),
        (("effect", "slope", "slope"), "−0.10 (−0.30 to 0.10)"),
        (("effect", "alone", "none"), "2.00"),
        (("effect", "nothing", "none"), ""),
        (("interval", "none"), ""),
        (("number", "alone", 1), "2.0"),
        (("whole", "many"), "2,079"),
        (("share", "part"), "13%"),
        (("p", "small"), "< 0.001"),
        (("p", "nothing"), ""),
        (("words", "name"), "one two"),
        (("method", "model"), "REML, floored Hartung–Knapp"),
        (("method", "another"), "Logistic, conditional"),
        (("interval_name", "limits"), "floored Hartung–Knapp"),
        (("interval_name", "nothing"), ""),
        (("joined", "; ", "name", "nothing", "alone"), "one_two; 2.0"),
    ],
)
def test_a_column_prints_what_it_reads(column, printed):
    # 1.455 and 12.5% are rounded half up, as by hand.
    row = {
        "estimate": "1.455", "ci_low": 1.25, "ci_high": "1.7", "slope": "-0.1", "slope_low": "-0.3",
        "slope_high": "0.1", "alone": "2.0", "none_low": "", "none_high": float("nan"),
        "nothing": "", "many": "2079.0", "part": "0.125", "small": "0.0003", "name": "one_two",
        "model": "random_reml_hk", "another": "logistic_conditional",
        "limits": "hartung_knapp_conservative",
    }  # fmt: skip
    name, *read = column
    assert FORMATS[name](row, *read) == printed
