"""Report, workbook, Word file and page of the made-up project, compared with its sheet by arm."""

import json
import re
from shutil import copytree

import pytest
import rispy
from docx import Document
from lxml import html
from meaning.evidence import floats, numbers, one, rows, says
from openpyxl import load_workbook
from trial_evidence.cli import main


def sheet(made_up, table):
    """Rows of a table of the sheet by spreadsheet row number, with settled values."""
    found = dict(enumerate(rows(made_up.folder / "data/raw" / f"{table}.csv"), start=2))
    if table == "pcr":
        # Disagreements between readers were settled; the sheet keeps the first reader's number.
        for row in rows(made_up.folder / "data/raw/adjudication.csv"):
            arm = dict(part.split("=") for part in row["row_key"].split(";"))
            for own in found.values():
                if all(own[name] == word for name, word in arm.items()):
                    own.update(zip(row["field"].split("|"), row["adjudicated_value"].split("|"),
                                   strict=True))  # fmt: skip
    return found


def arms(made_up):
    return {row["arm_id"]: row for row in rows(made_up.folder / "data/raw/arms.csv")}


def regimen(made_up, agents):
    labels = {a["agent"]: a["label"] for a in rows(made_up.folder / "data/raw/agents.csv")}
    short = {"Almab exotoxin (A-X)": "A-X"}
    names = [short.get(labels[agent], labels[agent]) for agent in agents.split("+")]
    return names


def cell_rows(cells):
    """Numbers of the rows in "pcr.csv rows 2, 5"."""
    return [int(number) for number in re.findall(r"\d+", cells.split(".csv")[1])]


def page_tables(made_up, caption):
    """Rows of the page's tables whose caption starts with a text, by heading."""
    root = html.parse(str(made_up.results / "report.html")).getroot()
    for table in root.iter("table"):
        head = table.find("caption")
        if head is not None and head.text_content().strip().startswith(caption):
            headings = [_words(cell) for cell in table.find("thead").iter("th")]
            for row in table.iter("tr"):
                cells = [_words(cell) for cell in row if cell.tag in {"td", "th"}]
                if len(cells) == len(headings) and cells != headings:
                    yield dict(zip(headings, cells, strict=True))


def _words(cell):
    """Text of a cell, its parts separated by spaces."""
    return " ".join(" ".join(cell.itertext()).split())


def test_rows_used_name_the_arm_with_its_events(made_up):
    """The arm of the numerator first, from the sheet, then the other."""
    cells, used = sheet(made_up, "pcr"), rows(made_up.results / "tables/rows_used.csv")
    checked = 0
    for row in used:
        if not row["events_control"] or row["outcome"] != "pCR":
            continue
        first, second = (cells[number] for number in cell_rows(row["cells"]))
        for own, side in ((first, "experimental"), (second, "control")):
            assert [float(own["events"]), float(own["n"])] == floats(
                row, f"events_{side}", f"n_{side}"
            ), row["trial_id"]
            agents = arms(made_up)[own["arm_id"]]["agents"]
            for name in regimen(made_up, agents):
                assert name.lower() in row[side].lower(), (row["trial_id"], side)
        checked += 1
    assert checked > 10


def test_the_page_gives_each_arm_its_own_events(made_up):
    cells = sheet(made_up, "pcr")
    checked = 0
    for row in page_tables(made_up, "Rows used"):
        if "/" not in row.get("Result", "") or "v" not in row["Result"]:
            continue
        first, second = row["Result"].split(" v ")
        own = [cells[number] for number in cell_rows(row["Row of the sheet"])]
        assert [first, second] == [f"{r['events']}/{r['n']}" for r in own], row
        sides = row["Arms"].split(" v ")
        for side, record in zip(sides, own, strict=True):
            agents = regimen(made_up, arms(made_up)[record["arm_id"]]["agents"])
            assert all(name.lower() in side.lower() for name in agents), row
        checked += 1
    assert checked > 10


def test_excel_and_word_give_each_arm_its_own_events(made_up):
    expected = []
    for row in rows(made_up.results / "tables/rows_used.csv"):
        if row["n_control"] and row["measure"] == "risk_ratio" and row["subgroup"] == "all":
            pair = [f"{float(row[f'events_{s}']):.0f}/{float(row[f'n_{s}']):.0f}"
                    for s in ("experimental", "control")]  # fmt: skip
            expected.append((row["trial"], " v ".join(pair)))
    book = load_workbook(made_up.results / "tables/tables.xlsx")["rows_used"]
    excel = [" | ".join(str(cell) for cell in row) for row in book.iter_rows(values_only=True)]
    tables = Document(str(made_up.results / "tables/tables.docx")).tables
    word = [" | ".join(cell.text for cell in row.cells) for table in tables for row in table.rows]
    assert expected
    for trial, events in expected:
        for text in (excel, word):
            assert any(trial in line and events in line for line in text), (trial, events)


def test_the_page_does_not_exchange_direct_and_indirect(made_up):
    checked = 0
    for setting, network in (
        ("neoadjuvant", "pcr_network"), ("neoadjuvant", "event_free_network"),
    ):  # fmt: skip
        found = rows(made_up.results / setting / "network" / network / "split.csv")
        shown = list(page_tables(made_up, "Direct versus indirect"))
        for row in found:
            name = f"{row['first']} v {row['second']}"
            # These networks have no indirect evidence; the tests of the page's columns cover
            # networks that do.
            assert not row["indirect"]
            direct = floats(row, "direct", "direct_low", "direct_high")
            assert any(
                own["Comparison"] == name
                and says(own["Direct"], direct)
                and not own.get("Indirect")
                and own["Direct share"] == f"{100 * float(row['direct_share']):.0f}%"
                for own in shown
            ), name
            checked += 1
    assert checked > 3


def test_direct_evidence_is_that_of_the_trials_that_compare_the_two(made_up):
    """By hand: a single trial compares them, so the direct odds ratio follows from its counts."""
    row = one(
        made_up.results / "neoadjuvant/network/pcr_network/split.csv",
        first="A+CT", second="B+CT",
    )  # fmt: skip
    # ALDER: 29 of 104 with almab, 22 of 98 with bemab.
    assert float(row["direct"]) == pytest.approx((29 * 76) / (75 * 22), rel=1e-6)


def test_the_trace_gives_each_arm_of_a_network_its_own_rate(made_up):
    used = rows(made_up.results / "neoadjuvant/network/pcr_network/used.csv")
    traced = rows(made_up.results / "trace.csv", analysis="pcr_network", measure="proportion")
    shown = {(row["trial_id"], row["plotted"]): float(row["estimate"]) for row in traced}
    assert shown == {
        (row["trial_id"], row["code"]): pytest.approx(float(row["events"]) / float(row["n"]))
        for row in used
    }


def test_of_the_trials_those_that_are_randomised_are_counted(made_up):
    trials = rows(made_up.folder / "data/raw/trials.csv")
    randomised = sum(row["randomised"] == "yes" for row in trials)
    assert randomised < len(trials)
    said = f"{len(trials)} trials and cohorts, {randomised} of them randomised"
    for place in ("tables/methods.md", "tables/methods.txt", "report.html"):
        assert said in (made_up.results / place).read_text(encoding="utf-8"), place


def test_the_works_that_the_methods_cite_are_in_the_files_for_a_reference_manager(made_up):
    """Who imports the references of the methods does not miss those that the text names."""
    folder = made_up.results / "tables"
    text = (folder / "methods.txt").read_text(encoding="utf-8")
    listed = text.partition("\n\nReferences\n\n")[2].splitlines()
    bib = (folder / "references.bib").read_text(encoding="utf-8")
    ris = rispy.loads((folder / "references.ris").read_text(encoding="utf-8"))
    csl = json.loads((folder / "references.json").read_text(encoding="utf-8"))
    assert len(listed) > 10
    for work in listed:
        # Authors, title, then journal and year; a title may have points within.
        title = work.partition(". ")[2].rpartition(". ")[0]
        assert f"title = {{{{{title}}}}}," in bib
        assert [entry["year"] in work for entry in ris if entry["title"] == title] == [True]
        (entry,) = [entry for entry in csl if entry["title"] == title]
        assert work.startswith(f"{entry['author'][0]['family']} {entry['author'][0]['given']}")
    keys = re.findall(r"^@\w+\{(.+),$", bib, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(ris) == len(csl)


@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_the_page_gives_the_probability_of_synergy_of_its_direction(made_up, network):
    found = rows(made_up.results / "neoadjuvant/network" / network / "interactions.csv")
    below = network != "pcr_network"
    shown = [row for row in page_tables(made_up, "") if "Pair" in row]
    for row in (row for row in found if row["estimate"]):
        pair = f"{row['first']} × {row['second']}"
        # The page shows labels of agents, the table their ids.
        mine = [own for own in shown if own["Pair"].lower() == pair]
        assert mine, pair
        if not row["probability_of_synergy"]:
            # The trials cannot attribute it to one pair.
            assert row["confounded_with"]
            assert not any("%" in text for own in mine for text in own.values())
            continue
        probability = float(row["probability_of_synergy"])
        # A benefit: more responses, or fewer events.
        assert (probability > 0.5) == ((float(row["posterior_median"]) < 1) == below)
        assert any(f"{100 * probability:.0f}%" in own.values() for own in mine), (pair, shown)


def test_absolute_effects_start_from_the_risk_without_the_second_agent(made_up):
    found = rows(made_up.results / "tables/summary_of_findings.csv")
    assert all(row["control_risk_source"] for row in found)
    counted = [row for row in found if row["measure"] == "odds_ratio"]
    assert counted
    for row in counted:
        control, effect, risk = floats(row, "control_risk", "estimate", "risk")
        odds = control / (1 - control) * effect
        assert risk == pytest.approx(odds / (1 + odds), rel=1e-9)
        assert float(row["difference"]) == pytest.approx(risk - control, rel=1e-9)
    # Hazard ratios: fewer events give a negative difference.
    timed = [row for row in found if row["measure"] == "hazard_ratio"]
    assert timed
    for row in timed:
        control, effect, risk = floats(row, "control_risk", "estimate", "risk")
        assert risk == pytest.approx(1 - (1 - control) ** effect, rel=1e-9)
        assert (float(row["difference"]) < 0) == (effect < 1)


def test_time_gained_is_between_arms_of_one_trial_up_to_one_time(made_up):
    areas = {(row["arm_id"], row["endpoint"], row["tau"]): row
             for row in rows(made_up.folder / "data/raw/curves_rmst.csv")}  # fmt: skip
    found = rows(made_up.results / "tables/over_time.csv")
    assert found
    for row in found:
        with_it, without, gained = floats(row, "rmst_experimental", "rmst_control", "gained")
        own = {key: float(area["rmst"]) for key, area in areas.items() if key[1] == row["outcome"]}
        assert gained == pytest.approx(with_it - without, abs=1e-9)
        # Both areas are in the sheet, and more time without the event means fewer events.
        assert {with_it, without} <= set(own.values())
        assert (gained > 0) == (float(row["curve_hr"]) < 1)


def test_a_verdict_follows_its_rule(made_up):
    """Every rule of the made-up claims, worked out again by hand from its numbers."""
    verdicts = {row["claim"]: row for row in rows(made_up.results / "tables/claims.csv")}
    for claim, above in (("response", True), ("event_free", False), ("progression", False),
                         ("survival", False)):  # fmt: skip
        row = verdicts[claim]
        # Both co-primary models must agree.
        found = [
            floats(own, "ci_low", "ci_high")
            for own in rows(
                made_up.results / "estimates.csv", setting=row["setting"],
                analysis=row["analysis"], subgroup="all",
            )
            if own["role"] and own["measure"] in ("risk_ratio", "hazard_ratio")
        ]  # fmt: skip
        good = all(low > 1 if above else high < 1 for low, high in found)
        left = rows(
            made_up.results / row["setting"] / "sensitivity/leave_one_out.csv",
            analysis=row["analysis"], leads="yes",
        )  # fmt: skip
        (curve,) = rows(
            made_up.results / row["setting"] / "sensitivity/multiverse_summary.csv",
            analysis=row["analysis"], measure="risk_ratio" if above else "hazard_ratio",
        )  # fmt: skip
        without = [floats(own, "ci_low", "ci_high") for own in left
                   if own["measure"] in ("risk_ratio", "hazard_ratio")]  # fmt: skip
        firm = not any(low <= 1 <= high for low, high in without)
        firm = firm and float(curve["share_above" if above else "share_below"]) >= 0.8
        (certainty,) = {
            own["certainty"] for own in rows(
                made_up.results / "tables/certainty.csv", setting=row["setting"],
                analysis=row["analysis"],
            )
        }  # fmt: skip
        probable = float(row["probability_of_benefit"]) >= 0.9
        expected = "supported" if good and firm else "probable" if probable else "not enough data"
        expected = "not enough data" if certainty == "very low" else expected
        assert row["verdict"] == expected, claim
    for claim in ("pik3ca_response", "pik3ca_response_reversed"):
        assert verdicts[claim]["verdict"] == "described"


def test_the_characteristics_list_the_arms_with_their_patients(made_up):
    for row in rows(made_up.results / "tables/characteristics.csv"):
        own = [arm for arm in arms(made_up).values() if arm["trial_id"] == row["trial_id"]]
        listed = "; ".join(f"{arm['label']} ({arm['n_randomised']})" for arm in own)
        assert row["arms"] == listed
        assert numbers(row["n_randomised"]) == [sum(int(arm["n_randomised"]) for arm in own)]


def test_a_reviewers_question_has_one_answer_in_the_table_and_by_configuration(made_up, tmp_path):
    """Odds ratio, other definition, DerSimonian-Laird, without one trial: one number."""
    for part in ("data/raw", "config"):
        copytree(made_up.folder / part, tmp_path / part)
    replaced(
        tmp_path / "config/config.yaml",
        {
            "tau2_estimator: REML": "tau2_estimator: DL",
            "estimate_interval: hartung_knapp_conservative": "estimate_interval: wald",
            "definition: [ypT0/is ypN0, ypT0/is,": "definition: [ypT0/is, ypT0/is ypN0,",
        },
    )
    with (tmp_path / "data/raw/exclusions.csv").open("a", encoding="utf-8") as file:
        file.write("birch,,*,*,And without that trial?\n")
    folders = {"raw": "data/raw", "config": "config", "processed": "made", "results": "results"}
    places = [f"--{name}={tmp_path / folder}" for name, folder in folders.items()]
    assert main(["extract", *places]) == 0
    assert main(["pool", *places, "--setting=neoadjuvant"]) == 0
    asked = {"analysis": "pcr_dual_v_almab", "measure": "odds_ratio"}
    configured = one(
        tmp_path / "results/neoadjuvant/estimates.csv", subgroup="all", role="lead", **asked
    )
    told = one(
        made_up.results / "neoadjuvant/sensitivity/multiverse.csv", definition_first="ypT0/is",
        verification="primary + secondary", exclusions="applied", risk_of_bias="any",
        without="birch", estimator="DL", interval="wald", **asked,
    )  # fmt: skip
    for name in ("k", "estimate", "ci_low", "ci_high"):
        assert float(configured[name]) == pytest.approx(float(told[name]), rel=1e-10), name


def replaced(path, texts):
    """Replace texts that occur once in a file."""
    content = path.read_text(encoding="utf-8")
    for old, new in texts.items():
        assert content.count(old) == 1, old
        content = content.replace(old, new)
    path.write_text(content, encoding="utf-8")
