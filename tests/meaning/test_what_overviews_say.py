"""Figures over all settings, read back and compared with the tables and the sheet."""

from collections import defaultdict

import pytest
from meaning.evidence import ANALYSES, floats, rows, says
from meaning.reading import Figure, middle

SIGNS = {"low": "+", "some_concerns": "?", "high": "−"}
DOMAINS = ("d1_randomisation", "d2_deviations", "d3_missing", "d4_measurement", "d5_selection",
           "overall")  # fmt: skip
OUTCOMES = {"pCR": "neoadjuvant", "EFS": "neoadjuvant", "PFS": "metastatic_first_line",
            "OS": "metastatic_first_line"}  # fmt: skip


def figure(made_up, name):
    return Figure(made_up.results / "overview" / f"{name}.svg")


def sheet(made_up, table, **where):
    return rows(made_up.folder / "data/raw" / f"{table}.csv", **where)


def test_an_answer_has_its_numbers_and_stands_in_its_setting(made_up):
    drawn = figure(made_up, "summary")
    found = rows(made_up.results / "tables/front.csv", role="lead")
    assert len(found) == 4
    for row in found:
        label = row["title"].split(":")[0]
        word = next(w for w in drawn.words if w.text.strip() == label)
        cells = drawn.cells(word)
        assert cells[1] == f"{float(row['k']):.0f}", label
        assert cells[2] == f"{float(row['participants']):,.0f}"
        assert says(cells[3], floats(row, "estimate", "ci_low", "ci_high")), label
        if row["pi_low"]:
            assert says(cells[4], floats(row, "pi_low", "pi_high")), label
        assert cells[-1] == row["certainty"]
        heads = [w for w in drawn.words if w.text in {"Neoadjuvant", "Metastatic, first line"}]
        above = max((w for w in heads if w.y < word.y), key=lambda w: w.y)
        assert above.text.startswith("Neo") == (row["setting"] == "neoadjuvant"), label


def test_a_benefit_lies_on_the_side_of_the_arm_it_favours(made_up):
    drawn = figure(made_up, "summary")
    lefts = sorted((w for w in drawn.words if w.text.startswith("←")), key=lambda w: w.y)
    rights = sorted((w for w in drawn.words if w.text.endswith("→")), key=lambda w: w.y)
    said = [(one.text.strip("← →"), other.text.strip("← →")) for one, other in
            zip(lefts, rights, strict=True)]  # fmt: skip
    # The panel of response ratios comes first, then that of hazard ratios.
    assert said == [("Favours almab", "Favours dual"), ("Favours dual", "Favours single")]
    for one, other in zip(lefts, rights, strict=True):
        assert one.box[2] < other.box[0]


def test_the_diamonds_lie_where_the_axes_have_the_answers(made_up):
    drawn = figure(made_up, "summary")
    panels = {"risk_ratio": (0, 0), "hazard_ratio": (0, 0)}
    heads = sorted(
        (w for w in drawn.words if w.text.strip() in {"Risk ratio", "Hazard ratio"}),
        key=lambda w: w.y,
    )
    edges = [*(w.y for w in heads), drawn.height]
    for head, end in zip(heads, edges[1:], strict=True):
        panels[head.text.strip().lower().replace(" ", "_")] = (head.y, end)
    for row in rows(made_up.results / "tables/front.csv", role="lead"):
        axis = drawn.across(y=panels[row["measure"]])
        word = next(w for w in drawn.words if w.text.strip() == row["title"].split(":")[0])
        wanted = [axis.at(x) for x in floats(row, "ci_low", "ci_high")]
        spans = drawn.spans_at(middle(word)[1])
        assert any(
            abs(left - wanted[0]) < 1 and abs(right - wanted[1]) < 1 for left, right in spans
        ), row["title"]


def test_a_bubble_of_the_map_is_that_of_its_regimen_and_outcome(made_up):
    drawn = figure(made_up, "evidence_map")
    found = rows(made_up.results / "tables/evidence_map.csv")
    heads = {name: drawn.named(name) for name in ("pCR", "EFS", "iDFS", "PFS", "OS")}
    assert len({round(middle(word)[0]) for word in heads.values()}) == 5
    end = drawn.named("Metastatic, first line").y
    checked, sizes = 0, []
    for row in found:
        if " + " not in row["regimen"] or row["endpoint"] not in heads:
            continue
        late = row["setting"] == "metastatic_first_line"
        first = [w for w in drawn.words if (w.y > end) == late
                 and row["regimen"].startswith(w.text.strip()) and w.box[0] < 120
                 and len(w.text.strip()) > 5]  # fmt: skip
        word = max(first, key=lambda w: len(w.text))
        x, y = middle(heads[row["endpoint"]])[0], middle(word)[1]
        mark = min(
            (m for m in drawn.marks(60.0) if abs(m.width - m.height) < 0.2),
            key=lambda m: abs(m.x - x) + abs(m.y - y),
        )
        assert abs(mark.x - x) < 2, row
        assert abs(mark.y - y) < 9, row
        beside = min(
            (w for w in drawn.words if "·" in w.text and w.box[0] > mark.x),
            key=lambda w: (w.box[0] - mark.x) + 3 * abs(middle(w)[1] - mark.y),
        )
        assert beside.text == f"{row['trials']} · {float(row['patients']):,.0f}", row
        sizes.append((float(row["patients"]), mark.width))
        checked += 1
    assert checked > 10
    assert [round(w, 1) for _, w in sorted(sizes)] == sorted(round(w, 1) for _, w in sizes)


def test_the_flow_counts_what_the_sheet_holds(made_up):
    drawn = figure(made_up, "flow")
    told = {row["step"]: row["n"] for row in rows(made_up.results / "tables/flow.csv")}
    for step in ("Trials and cohorts in no result", "In a network or a pooled rate only",
                 "Trials and cohorts in a comparison, a network or a pooled rate",
                 "Trials in a comparison"):  # fmt: skip
        # The end of its name: long names continue on a second line.
        end = step.split()[-1]
        assert f"{end}: n = {float(told[step]):,.0f}" in drawn.everything, step
    trials = sheet(made_up, "trials")
    randomised = sum(row["randomised"] == "yes" for row in trials)
    assert 0 < randomised < len(trials)
    assert f"Trials and cohorts in the sheet: n = {len(trials)}" in drawn.everything
    words = " ".join(drawn.everything.split())
    assert f"{randomised} randomised trials; {len(trials) - randomised} cohorts" in words
    assert f"{len(sheet(made_up, 'sources'))} reports; " in words
    searches = sheet(made_up, "search_log")
    assert f"Searches: n = {len(searches)}" in drawn.everything
    assert f"{sum(int(row['queries']) for row in searches)} queries, " in words


@pytest.mark.parametrize("setting", ["neoadjuvant", "metastatic_first_line"])
def test_a_light_is_that_of_its_trial_outcome_and_domain(made_up, setting):
    drawn = figure(made_up, f"risk_of_bias_{setting}")
    names = {row["trial_id"]: row for row in sheet(made_up, "trials", setting=setting)}
    judged = [row for row in sheet(made_up, "risk_of_bias") if row["trial_id"] in names]
    assert judged
    colours = defaultdict(set)
    for row in judged:
        head = next(w for w in drawn.words if w.text.strip() == row["outcome"])
        word = next(w for w in drawn.all_named(names[row["trial_id"]]["name"]) if w.y > head.y)
        line = [w for w in drawn.row(word) if w.text.strip() in SIGNS.values()]
        assert [w.text.strip() for w in line] == [SIGNS[row[d]] for d in DOMAINS], row
        for light, domain in zip(line, DOMAINS, strict=True):
            x, y = middle(light)
            (under, *_) = [
                m.fill for m in drawn.marks(40.0)
                if abs(m.x - x) < 3 and abs(m.y - y) < 3 and m.fill != "none"
                and abs(m.width - m.height) < 0.2 and m.width > 3
            ]  # fmt: skip
            colours[row[domain]].add(under)
    # The columns are in the order of the domains.
    heads = ["Randomisation", "Deviations", "Missing", "Measurement", "Selection", "Overall"]
    places = [next(middle(w)[0] for w in drawn.words if w.text.startswith(head)) for head in heads]
    assert places == sorted(places)
    assert all(len(found) == 1 for found in colours.values())
    assert len(set().union(*colours.values())) == len(colours)


def test_the_bars_count_the_judgements_of_a_domain(made_up):
    drawn = figure(made_up, "risk_of_bias_bars")
    half = drawn.width / 2
    for setting, side in (("neoadjuvant", (0, half)), ("metastatic_first_line", (half, 999))):
        names = {row["trial_id"] for row in sheet(made_up, "trials", setting=setting)}
        judged = [row for row in sheet(made_up, "risk_of_bias") if row["trial_id"] in names]
        for head, domain in (("Randomisation", DOMAINS[0]), ("Overall", DOMAINS[-1]),
                             ("Missing", DOMAINS[2])):  # fmt: skip
            word = next(
                w for w in drawn.words if w.text.startswith(head) and side[0] < w.x < side[1]
            )
            shown = [
                w.text for w in drawn.row(word)
                if w.text[:1] in SIGNS.values() and side[0] < w.x < side[1]
            ]  # fmt: skip
            counts = {s: sum(r[domain] == name for r in judged) for name, s in SIGNS.items()}
            assert shown, (setting, head)
            for text in shown:
                sign, count = text.split()
                assert int(count) == counts[sign], (setting, head)


def test_the_timeline_adds_up_the_patients_of_the_trials_compared(made_up):
    drawn = figure(made_up, "timeline")
    compared = defaultdict(dict)
    for setting in ("neoadjuvant", "metastatic_first_line"):
        for row in rows(made_up.results / setting / "trials.csv", pooled="yes"):
            compared[setting][row["trial_id"]] = row["trial"].split(" (")[0]
    years = {}
    for row in sheet(made_up, "sources"):
        years[row["source_id"].split("_", 2)[2]] = int(row["year"])
    sizes = {row["trial_id"]: int(row["n_randomised"]) for row in sheet(made_up, "trials")}
    heads = sorted((w for w in drawn.words if "pooled)," in w.text), key=lambda w: w.y)
    ends = [heads[1].y, drawn.height]
    for setting, head, end in zip(compared, heads, ends, strict=True):
        trials = compared[setting]
        total = sum(sizes[trial] for trial in trials)
        pooled = {
            row["trial_id"] for row in rows(made_up.results / setting / "trials.csv", pooled="yes")
            if next(a for a in ANALYSES if (a["setting"], a["id"]) == (setting, row["analysis"]))[
                "pool"] == "overall"
        }  # fmt: skip
        said = f": {len(trials)} trials ({len(pooled)} pooled), {total:,} patients"
        assert head.text.endswith(said)
        x = drawn.across()
        # Both panels share the ticks of the last; count ticks are left of each panel.
        y = drawn.upright(y=(head.y, end))
        sums = 0
        order = sorted(trials, key=lambda trial: years[trial])
        found = []
        for trial in order:
            sums += sizes[trial]
            found.append((trial, sums))
        by_year = defaultdict(list)
        for trial, after in found:
            by_year[years[trial]].append(after)
        for year, after in by_year.items():
            # Among trials of one year, the last one reaches the cumulative total.
            assert drawn.marks_at(x.at(year), y.at(after[-1]), within=1.5), (setting, year)
