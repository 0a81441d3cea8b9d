"""Choices in "Try it" are pooled as in the pipeline, and their link restores them."""

import csv
import re
from itertools import pairwise
from urllib.parse import urlencode

import numpy as np
import pytest
from opened import Watched

pytestmark = pytest.mark.long

# Compare every n-th specification of an analysis.
EACH = 7
ROWS = ("definition_first", "analysis_first", "assessor_first", "verification")
CHOSEN = """([key, said]) => {
  const pools = Page.data.analyses[key];
  const state = Explore.readFrom(pools, said);
  const found = Explore.resultOf(pools[state.at], state);
  return { k: Explore.rowsOf(pools[state.at], state).filter((row) => row.used).length,
           ...found.models[found.lead] };
}"""


@pytest.fixture(scope="module")
def page(made_up):
    return made_up.folder / "results/report.html"


@pytest.fixture(scope="module")
def arithmetic(browser, page):
    context = browser.new_context()
    yield Watched(context, page)
    context.close()


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def asked(row, choices):
    """Address of a specification: one part for each choice that differs from the configured one."""
    mine = [c for c in choices if c["analysis"] == row["analysis"]]
    columns = [name for name in ROWS if len({choice[name] for choice in mine}) > 1]
    said = {f"rows{at}": row[name] for at, name in enumerate(columns, start=1)}
    said |= {"of": f"{row['measure']}|all", "interval": row["interval"]}
    if row["exclusions"] == "ignored":
        said["excluded"] = "pooled too"
    if row["risk_of_bias"] == "not high":
        said["bias"] = "not high"
    if row["without"] != "none":
        said["without"] = f"trial-{row['without'].replace('_', '-')}"
    if row["estimator"] == "EE":
        return said | {"model": "common"}
    return said | {"model": "random_reml_hk", "estimator": row["estimator"]}


def test_specifications_of_the_pipeline_are_found_in_the_page(arithmetic, made_up):
    compared = []
    shown = set(arithmetic.run("Object.keys(Page.data.analyses)"))
    for path in sorted(made_up.folder.glob("results/*/sensitivity/multiverse.csv")):
        choices = read(path.with_name("choices.csv"))
        for row in read(path)[::EACH]:
            key = f"{row['setting']}/{row['analysis']}"
            if key not in shown:
                continue
            own = arithmetic.run(CHOSEN, [key, urlencode(asked(row, choices))])
            assert own["k"] == int(row["k"]), row
            for name in ("estimate", "ci_low", "ci_high"):
                assert own[name] == pytest.approx(float(row[name]), rel=1e-8, abs=0), (row, name)
            compared.append(row)
    assert len(compared) > 60
    # Every kind of choice was exercised, not only the configured one.
    for name in (
        "definition_first",
        "verification",
        "exclusions",
        "without",
        "estimator",
        "measure",
    ):
        assert len({row[name] for row in compared}) > 1, name


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    # 100 * 0.285 and 1000 * 0.2275 in floating point
    [(28.499999999999996, 0, "29"), (227.49999999999997, 0, "228"), (2.675, 2, "2.68")],
)
def test_a_half_is_rounded_up_as_the_figures_round_it(arithmetic, value, digits, printed):
    assert arithmetic.run("([value, digits]) => Words.rounded(value, digits)", [value, digits]) == (
        printed
    )


ANALYSIS = "neoadjuvant-pcr-dual-v-almab"


# An analysis of few trials, led by another model, where fewer events are better.
FEW = "metastatic-first-line-progression-free-dual-v-single"


def tool_of(view, watched):
    watched.page.goto(f"{watched.address}#{view}")
    return watched.page.locator(f"#{view} .pool")


def ticks_of(tool):
    """The boxes of the trials that are pooled."""
    boxes = tool.locator("tbody input:enabled").all()
    return [box for box in boxes if box.is_checked()]


@pytest.fixture
def tool(visit, page):
    return tool_of(ANALYSIS, visit(page))


@pytest.fixture
def few(visit, page):
    return tool_of(FEW, visit(page))


def test_what_differs_is_said_and_the_link_reproduces_it(tool, visit, page):
    tool.get_by_label("Estimator").select_option("DL")
    tool.locator("tbody input:enabled").first.uncheck()
    trial = tool.locator("tbody tr.out th a").first.inner_text()
    said = tool.locator(".differs").inner_text()
    assert "Estimator of τ² (random effects): DL, not REML" in said
    # From the random-effects model, whichever model leads.
    assert re.search(r"τ² \d\.\d{3} \(DL, 95% interval ", tool.inner_text())
    assert f"Without {trial}" in said
    numbers = tool.locator(".result").first.inner_text()
    address = tool.page.url
    again = visit(page)
    again.page.goto(address)
    same = again.page.locator(f"#{ANALYSIS} .pool")
    assert same.locator(".result").first.inner_text() == numbers
    assert same.locator(".differs").inner_text() == said


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("without=trial-alder+trial-gone", "without gone"),
        ("of=risk_ratio|lost_group&estimator=DL", "risk ratio, lost group"),
        ("model=no_more", "model no more"),
    ],
)
def test_a_link_that_asks_for_what_is_no_more_says_so(asked, told, visit, page):
    """The sender of the link saw a different result from the one it opens."""
    tool = visit(page).page
    tool.goto(f"{tool.url}#{ANALYSIS}?{asked}")
    note = tool.get_by_text("The link asks for what this report does not have")
    assert f": {told}. " in note.inner_text()
    tool.locator(".view.open").get_by_role("button", name="Back to the report").click()
    assert note.count() == 0


def test_back_to_the_report_takes_every_choice_back(tool):
    whole = tool.locator(".result").first.inner_text()
    assert "This is the result of the analysis." in whole
    tool.locator("tbody input:enabled").first.uncheck()
    tool.get_by_label("Interval").select_option("wald")
    tool.get_by_label("Model and prior").select_option("common")
    assert "Recomputed in this page." in tool.locator(".result").first.inner_text()
    assert tool.locator("tfoot tr.lead th").inner_text().startswith("Common effect")
    tool.get_by_role("button", name="Back to the report").click()
    assert tool.locator(".result").first.inner_text() == whole
    assert tool.locator(".differs").is_hidden()
    assert tool.page.url.endswith(f"#{ANALYSIS}")


def test_who_looks_up_a_row_keeps_the_choice_and_its_link(tool):
    """The result below the row, and the link copied there, still leave the trial out."""
    tool.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tool.locator("tbody input:enabled").first.uncheck()
    chosen, address = tool.locator(".result").first.inner_text(), tool.page.url
    tool.locator("tbody svg a").nth(1).click()
    tool.page.wait_for_function("document.activeElement.tagName === 'TR'")
    assert tool.locator(".result").first.inner_text() == chosen
    tool.get_by_role("button", name="Copy link to this choice").click()
    tool.get_by_role("button", name="Copied").wait_for()
    assert tool.page.evaluate("navigator.clipboard.readText()") == address


def test_on_the_way_back_the_filter_is_the_one_in_its_field(tool):
    lines = tool.locator("tbody tr")
    whole = lines.count()
    tool.get_by_label("Filter trials by text").fill(lines.first.locator("th a").inner_text())
    assert lines.count() < whole
    lines.first.locator("th a").click()
    tool.page.go_back()
    tool.page.wait_for_function(f"location.hash === '#{ANALYSIS}'")
    assert (tool.get_by_label("Filter trials by text").input_value(), lines.count()) == ("", whole)


def test_a_menu_keeps_the_keys_that_chose_in_it(tool):
    """With the keyboard alone, the second key press continues from the first."""
    menu = tool.get_by_label("Model and prior")
    menu.focus()
    values = menu.locator("option").evaluate_all("all => all.map((one) => one.value)")
    for value in values[1:3]:
        tool.page.keyboard.press("ArrowDown")
        assert menu.input_value() == value


def test_the_verdict_has_a_word_and_changes_with_the_interval(tool):
    chips = tool.locator(".verdict")
    before = chips.first.inner_text()
    inputs = tool.locator("tbody input:enabled")
    for at in range(inputs.count() - 1):
        inputs.nth(at).uncheck()
        numbers = [
            float(x) for x in re.findall(r"\d+\.\d+", tool.locator(".result").first.inner_text())
        ]
        low, high = numbers[1:3]
        word = "Left open" if low <= 1 <= high else "Benefit" if low > 1 else "Worse"
        assert word in chips.first.inner_text()
        same = "the report has the same verdict" in tool.locator(".told").inner_text()
        assert same == (word in before)
    assert before


def test_fewer_responses_are_worse_and_no_harm(arithmetic):
    """A regimen that spares a treatment may give fewer responses; harms are another matter."""
    script = "([below]) => Pools.side({ none: 1, below }, { ci_low: 0.2, ci_high: 0.6 }).word"
    assert [arithmetic.run(script, [below]) for below in (False, True)] == ["Worse", "Benefit"]


@pytest.mark.parametrize("ends", [(1, 1.6), (0.4, 1)])
def test_an_interval_that_ends_at_no_difference_includes_it(arithmetic, ends):
    """As in every text of the report."""
    script = "([low, high]) => Pools.side({ none: 1, below: true }, { ci_low: low, ci_high: high })"
    side = arithmetic.run(script, list(ends))
    assert (side["word"], side["said"]) == ("Left open", "the interval includes 1")


def test_a_trial_without_an_event_is_not_pooled_as_infinitely_precise(arithmetic):
    """Its risk difference has a variance of zero: weighed, it would be the whole result."""
    script = """([key]) => {
      const pools = Page.data.analyses[key];
      const rows = pools[0].rows.map((row) => (row.pooled ? row : { ...row, y: 0, v: 0 }));
      const state = Explore.fresh(pools);
      state.chosen.excluded = "pooled too";
      return Explore.rowsOf({ ...pools[0], rows }, state).filter((row) => row.used !== row.pooled);
    }"""
    assert arithmetic.run(script, ["neoadjuvant/pcr_dual_v_almab"]) == []


def table(made_up, name, **wanted):
    """Rows of a table of response: risk ratios in all patients."""
    wanted |= {"analysis": "pcr_dual_v_almab", "measure": "risk_ratio", "subgroup": "all"}
    rows = read(made_up.folder / f"results/neoadjuvant/{name}.csv")
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_untouched_it_has_the_numbers_of_the_tables_and_marks_in_their_places(tool, made_up):
    """Weights by trial, heterogeneity and prediction; every mark on one axis."""
    (lead,) = table(made_up, "estimates", role="lead")
    trials = {row["trial"]: row for row in table(made_up, "trials")}
    (random,) = table(made_up, "estimates", model="random_reml_hk")
    said = tool.inner_text()
    total = sum(row["pooled"] == "yes" for row in trials.values())
    assert f"{total} of {total} trials: risk ratio" in said
    i2, from_q = (f"{float(random[name]):.0f}" for name in ("i2", "i2_from_q"))
    assert f"I² {i2}% (from Q {from_q}%)" in said
    ends = "–".join(f"{float(lead[name]):.2f}" for name in ("pi_low", "pi_high"))
    assert f"prediction interval {ends}" in tool.locator(".result").first.inner_text()
    drawn, cut = [], 0
    for line in tool.locator("tbody tr").all():
        row = trials[line.locator("th a").inner_text()]
        weight = line.locator("td.number").inner_text()
        # The axis ends at 24; a limit beyond it is drawn as an arrow.
        beyond = sum(not 1 / 24 < float(row[f"estimate_{end}"]) < 24 for end in ("low", "high"))
        assert line.locator("svg path.filled").count() == beyond
        cut += beyond
        arms = f"{row['experimental']} v {row['control']}"
        assert line.locator("th .note:not(.why)").inner_text().startswith(arms)
        if row["pooled"] == "no":
            assert weight == "–"
            continue
        assert float(weight) == pytest.approx(float(row["weight"]), abs=0.051)
        square = line.locator("svg rect")
        middle = float(square.get_attribute("x")) + float(square.get_attribute("width")) / 2
        drawn.append((float(row["estimate"]), middle))
    path = tool.locator("tfoot tr.lead svg path").last.get_attribute("d")
    places = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", path)][:3]
    drawn += zip((float(lead[c]) for c in ("ci_low", "estimate", "ci_high")), places, strict=True)
    assert cut == 1
    ratios, places = (np.array(numbers) for numbers in zip(*drawn, strict=True))
    line = np.polyfit(np.log(ratios), places, 1)
    assert line[0] > 0
    assert np.polyval(line, np.log(ratios)) == pytest.approx(places, abs=0.5), drawn


SCALES = {"Risk ratio: all trials": (np.log, 1), "Risk difference: all trials": (np.array, 0)}


@pytest.mark.parametrize("measure", SCALES)
def test_lines_and_the_scale_lie_where_the_numbers_beside_them_say(measure, tool):
    """Trial intervals, prediction intervals, the line of no effect and the axis numbers."""
    tool.get_by_label("Measure and patients").select_option(label=measure)
    position, none = SCALES[measure]
    found, sides = [], []
    for line in tool.locator("tbody tr").all():
        if line.locator("svg path.filled").count():
            continue
        ends = numbers(line.locator("td").nth(3).inner_text())[1:]
        drawn = line.locator("svg line.interval")
        found += zip(ends, (float(drawn.get_attribute(x)) for x in ("x1", "x2")), strict=True)
        found.append((none, float(line.locator("svg line.none").get_attribute("x1"))))
        if line.locator("input:checked").count():
            weight = float(line.locator("td.number").inner_text())
            sides.append((weight, float(line.locator("svg rect").get_attribute("width"))))
    assert [side for _, side in sorted(sides)] == sorted(side for _, side in sides)
    for line in tool.locator("tfoot tr:has(line.prediction)").all():
        drawn = line.locator("line.prediction")
        ends = numbers(line.locator("td").last.inner_text())
        found += zip(ends, (float(drawn.get_attribute(x)) for x in ("x1", "x2")), strict=True)
    for tick in tool.locator("tfoot svg text").all():
        found.append((float(tick.text_content()), float(tick.get_attribute("x"))))
    values, places = (np.array(all_) for all_ in zip(*found, strict=True))
    line = np.polyfit(position(values), places, 1)
    assert len(found) > 20
    assert np.polyval(line, position(values)) == pytest.approx(places, abs=2), found


def numbers(text):
    return [float(found.replace("−", "-")) for found in re.findall(r"−?\d+\.\d+", text)]


def result_of(row, limits="ci"):
    low, high = (f"{float(row[f'{limits}_{end}']):.2f}" for end in ("low", "high"))
    return f"{float(row['estimate']):.2f}", f"{low}–{high}"


def of_few(made_up):
    rows = read(made_up.folder / "results/metastatic_first_line/estimates.csv")
    mine = [row for row in rows if row["analysis"] == "progression_free_dual_v_single"]
    return {row["model"]: row for row in mine if row["subgroup"] == "all"}


def test_every_model_has_its_own_numbers_and_one_leads(few, made_up):
    labels, rows = few.page.evaluate("Pools.data.models"), of_few(made_up)
    wanted = {labels[m]: "{} ({})".format(*result_of(rows[m])) for m in labels if m in rows}
    found = {
        line.locator("th").inner_text(): line.locator("td").nth(3).inner_text()
        for line in few.locator("tfoot tr:has(svg.pooled)").all()
    }
    assert {name.rpartition(" (")[0] or name: said for name, said in found.items()
            if name.endswith(("model)", "primary)"))}.items() <= wanted.items()  # fmt: skip
    assert set(found.values()) == set(wanted.values())
    for role, shown in (("lead", "main model"), ("co-primary", "co-primary")):
        (named,) = (labels[model] for model in rows if rows[model]["role"] == role)
        assert [name for name in found if f"({shown})" in name] == [f"{named} ({shown})"]
    # Hazard ratios below 1; four trials are too few for a prediction interval.
    assert few.locator(".told .verdict").inner_text().endswith("Benefit")
    assert "prediction" not in few.inner_text()


def test_the_leading_model_stays_as_trials_are_left_out(tool):
    """As in the results without each trial; with four trials the report would lead with another."""
    lead = tool.locator("tfoot tr.lead th")
    model = lead.inner_text()
    for ticked in ticks_of(tool)[2:]:
        ticked.uncheck()
        assert lead.inner_text() == model


def test_a_number_of_trials_that_the_report_pools_otherwise_has_that_result_as_well(tool):
    """Two trials have no usable heterogeneity: the report would not lead with this interval."""
    said, reader = tool.locator(".result").first, "the report would use"
    assert reader not in said.inner_text()
    for ticked in ticks_of(tool)[2:]:
        ticked.uncheck()
    line = tool.locator("tfoot tr:has-text('Bayesian, empirical prior')").locator("td").nth(3)
    estimate, low, high = re.findall(r"\d+\.\d+", line.inner_text())
    told = (
        f"For 2 trials, {reader} Bayesian, empirical prior: {estimate} (95% interval {low}–{high})."
    )
    assert told in said.inner_text()
    tool.get_by_label("Model and prior").select_option("common")
    assert reader not in said.inner_text()


def test_the_model_of_the_report_chosen_by_name_is_no_difference(tool):
    menu, differs = tool.get_by_label("Model and prior"), tool.locator(".differs")
    menu.select_option("random_reml_hk")
    assert differs.inner_text() == ""
    menu.select_option("common")
    wanted = "Common effect, not Random effects (REML, floored Hartung–Knapp)"
    assert differs.inner_text() == f"Model and prior: {wanted}"


def test_the_leading_interval_is_not_cut(tool):
    """Cut at the last trial's limit, an interval that includes no difference seems to end at it."""
    for ticked in ticks_of(tool)[2:]:
        ticked.uncheck()
    lead = tool.locator("tfoot tr.lead")
    low, high = map(float, re.findall(r"\d+\.\d+", lead.inner_text())[1:3])
    ends = tool.locator("tbody tr td:nth-child(5)").all_inner_texts()
    limits = [float(x) for text in ends for x in re.findall(r"\d+\.\d+", text)[1:]]
    assert low < min(limits) or high > max(limits)
    assert lead.locator("path.filled").count() == 0


def test_one_trial_alone_has_the_limits_that_it_published(few):
    """Limits worked out from rounded ones may lie on the other side of no effect."""
    for ticked in ticks_of(few)[1:]:
        ticked.uncheck()
    own = few.locator("tbody tr:has(input:checked) td").nth(3).inner_text()
    low, high = re.findall(r"\d+\.\d+", own)[1:]
    assert f"{low}–{high}" in few.locator(".result").first.inner_text()


def test_a_co_primary_model_that_says_something_else_is_told(few):
    """The verdict of the leading model alone would hide that the two disagree."""
    told = few.locator(".told").inner_text()
    lines = {line.locator("th").inner_text(): line.locator("td").nth(3).inner_text()
             for line in few.locator("tfoot tr:has(svg.pooled)").all()}  # fmt: skip
    ends = [
        [float(x) for x in re.findall(r"\d+\.\d+", said)][1:]
        for name, said in lines.items()
        if name.endswith(("(main model)", "(co-primary)"))
    ]
    includes = [low <= 1 <= high for low, high in ends]
    assert ("co-primary" in told) == (includes[0] != includes[1])


def test_a_trial_published_at_another_level_stands_below_the_level_of_the_others(few, made_up):
    """TEAK printed a 97.5% interval; worked out from its variance at 95%."""
    rows = read(made_up.folder / "results/metastatic_first_line/trials.csv")
    (row,) = (row for row in rows if row["estimate_level"] == "97.5")
    half = 1.959964 * float(row["vi"]) ** 0.5
    low, high = (f"{np.exp(float(row['yi']) + side * half):.2f}" for side in (-1, 1))
    line = few.locator("tbody tr", has_text=row["trial"])
    assert line.locator("td").nth(3).inner_text() == f"{float(row['estimate']):.2f} ({low}–{high})"


def test_a_trial_that_is_not_pooled_does_not_count_for_the_model_that_leads(few):
    """Four trials are pooled; with five or more, another model would lead."""
    lead = """(more) => {
      const pool = Pools.data.analyses["metastatic_first_line/progression_free_dual_v_single"][0];
      const rows = [...pool.rows, ...more.map((pooled) => ({ ...pool.rows[0], pooled }))];
      return Pools.published({ ...pool, rows }).lead;
    }"""
    found = [few.page.evaluate(lead, more) for more in ([], [False], [True])]
    assert found == ["bayesian_empirical", "bayesian_empirical", "random_reml_hk"]


@pytest.mark.parametrize("shown", ["tool", "few"])
def test_heterogeneity_is_that_of_the_table(shown, request, made_up):
    place = request.getfixturevalue(shown)
    if shown == "few":
        row = of_few(made_up)["random_reml_hk"]
    else:
        (row,) = table(made_up, "estimates", model="random_reml_hk")
    tau2, low, high = (f"{float(row[name]):.3f}" for name in ("tau2", "tau2_low", "tau2_high"))
    i2, from_q = (f"{float(row[name]):.0f}%" for name in ("i2", "i2_from_q"))
    said = place.locator("> p.note").last.inner_text()
    assert said.startswith(
        f"τ² {tau2} (REML, 95% interval {low}–{high}); I² {i2} (from Q {from_q})"
    )
    assert f"Q = {float(row['q']):.2f}, df = {int(row['k']) - 1}, p" in said


def test_another_measure_is_named_linked_and_without_the_same_trials(tool, visit, page, made_up):
    tool.locator("tbody input:enabled").first.uncheck()
    trial = tool.locator("tbody tr.out th a").first.inner_text()
    menu = tool.get_by_label("Measure and patients")
    menu.select_option(label="Risk difference: all trials")
    said = tool.locator(".result").first.inner_text()
    assert re.match(r"5 of 6 trials: risk difference 0\.", said)
    assert "Risk difference (95%)" in tool.locator("thead").inner_text()
    differs = tool.locator(".differs").inner_text()
    assert differs.startswith("Risk difference: all trials, not Risk ratio: all trials")
    assert f"Without {trial}" in differs
    (lead,) = table(made_up, "estimates", role="lead")
    estimate, interval = result_of(lead)
    report = f"(risk ratio {estimate} (95% interval {interval}))."
    assert tool.locator(".told").inner_text().endswith(report)
    again = visit(page).page
    again.goto(tool.page.url)
    assert again.locator(f"#{ANALYSIS} .result").first.inner_text() == said


@pytest.mark.parametrize("menu", ["Estimator", "Interval"])
def test_a_model_that_is_changed_in_part_has_another_name(menu, tool):
    select = tool.get_by_label(menu)
    select.select_option(index=1)
    chosen = select.locator("option").nth(1).inner_text()
    for name in (tool.locator("tfoot tr.lead th"), tool.locator(".result").first):
        assert re.search(rf"Random effects, .*{re.escape(chosen)}", name.inner_text())


def test_another_definition_names_the_trials_with_another_result(tool, made_up):
    tool.get_by_label("Definition preferred").select_option("ypT0/is")
    rows = read(made_up.folder / "results/neoadjuvant/sensitivity/choice_rows.csv")
    mine = [r for r in rows if (r["analysis"], r["measure"]) == ("pcr_dual_v_almab", "risk_ratio")]
    here, there = ({r["trial"]: r["rows"] for r in mine if n in r["choices"].split(";")}
                   for n in ("3", "1"))  # fmt: skip
    other = sorted(name for name in here if name in there and here[name] != there[name])
    (line,) = re.findall(
        r"Another result of the same trial: (.*)", tool.locator(".differs").inner_text()
    )
    assert sorted(line.split(", ")) == other


def test_a_filter_finds_words_anywhere_and_counts_the_pooled_that_it_hides(tool):
    field = tool.get_by_label("Filter trials by text")
    field.fill("edar")
    assert tool.locator("tbody th a").all_inner_texts() == ["CEDAR"]
    # LARCH is hidden as well, and not pooled.
    said = tool.locator(".result").first
    assert "5 of the pooled trials are hidden by the filter." in said.inner_text()
    field.fill("bemab")
    assert tool.locator("tbody th a").count() > 1


def test_trials_are_sorted_by_weight(tool):
    tool.get_by_role("button", name=re.compile("Weight")).click()
    first, *weights = tool.locator("tbody td.number").all_inner_texts()
    assert first == "–"
    assert [float(text) for text in weights] == sorted(float(text) for text in weights)


def test_of_five_trials_there_is_a_prediction_interval(tool):
    tool.locator("tbody input:enabled").first.uncheck()
    assert ", prediction interval " in tool.locator(".result").first.inner_text()


def test_a_pooled_interval_wider_than_the_axis_has_arrows(tool):
    """An interval of two trials that was cut at the edge would seem to end there."""
    inputs = tool.locator("tbody input:enabled")
    for at in range(2, inputs.count()):
        inputs.nth(at).uncheck()
    tool.get_by_label("Model and prior").select_option("common")
    printed = re.compile(r"\((\d[\d.]*)–(\d[\d.]*)\)")
    ends = [
        float(end) for pair in printed.findall(tool.locator("tbody").inner_text()) for end in pair
    ]
    lead = tool.locator("tfoot tr.lead").inner_text()
    ends += map(float, printed.search(lead).groups())
    # The axis holds the trials and the leading result, as far as 24.
    first, last = max(min(ends), 1 / 24), min(max(ends), 24)
    arrows = []
    for line in tool.locator("tfoot tr:has(svg.pooled)").all():
        low, high = map(float, printed.search(line.inner_text()).groups())
        assert line.locator("path.filled").count() == (low < first) + (high > last)
        arrows.append(line.locator("path.filled").count())
    assert {0, 1} <= set(arrows)


def test_the_axis_of_ratios_near_one_has_a_scale(arithmetic):
    pool = {"scale": "log_ratio", "none": 1}
    script = "([pool, rows]) => Plot.axisOf(pool, rows).ticks"
    assert arithmetic.run(script, [pool, [{"ends": [1.2, 1.06, 1.35]}]]) == [1, 1.1, 1.2, 1.3]
    assert arithmetic.run(script, [pool, [{"ends": [1.2, 0.4, 2.5]}]]) == [0.5, 1, 2]


def test_trials_without_an_estimate_come_last_in_either_order(tool):
    """Comparisons with NaN are false, so the trials around them would be in no order."""
    tool.page.evaluate("""() => {
      const { rows } = Pools.data.analyses["neoadjuvant/pcr_dual_v_almab"][0];
      [rows[1].ends, rows[1].own] = [[NaN, NaN, NaN], ""];
    }""")
    for upwards in (True, False):
        tool.get_by_role("button", name=re.compile("Risk ratio")).click()
        *own, last = tool.locator("tbody tr td:nth-child(5)").all_inner_texts()
        assert last == ""
        numbers = [float(text.split()[0]) for text in own]
        assert numbers == sorted(numbers, reverse=not upwards)


def test_a_filter_that_no_trial_meets_says_so(tool):
    tool.get_by_label("Filter trials by text").fill("nonsense")
    assert tool.locator("tbody").inner_text().strip() == "No trial has this text."


def test_trials_that_nobody_pools_are_not_ticked(visit, page):
    watched = visit(page)
    watched.page.goto(f"{watched.address}#neoadjuvant-pcr-dual-v-dual")
    ticks = watched.page.locator(".view.open .pool tbody input")
    assert [tick.is_checked() for tick in ticks.all()] == [False] * ticks.count() != []


def test_a_trial_that_the_report_does_not_pool_is_told_and_comes_in(tool, made_up):
    (silent,) = [row["trial"] for row in table(made_up, "trials", pooled="no")]
    said = {line.locator("th a").inner_text(): line.locator("th").inner_text()
            for line in tool.locator("tbody tr").all()}  # fmt: skip
    assert [name for name, text in said.items() if "Not pooled: " in text] == [silent]
    tool.get_by_label("Trials not pooled").select_option("pooled too")
    assert f"Comes in: {silent}" in tool.locator(".differs").inner_text()


def test_a_phone_says_why_a_trial_cannot_be_ticked_and_has_a_legible_scale(visit, page):
    tool = tool_of(ANALYSIS, visit(page, width=390))
    barred = tool.locator("tbody tr:has(input:disabled)")
    assert barred.count() > 0
    assert all(line.locator(".why").is_visible() for line in barred.all())
    labels = [label.bounding_box() for label in tool.locator("tfoot text").all()]
    assert min(box["height"] for box in labels) >= 10
    pairs = list(pairwise(labels))
    assert pairs
    assert all(left["x"] + left["width"] < right["x"] for left, right in pairs)


def test_each_line_has_the_counts_and_the_source_of_its_own_trial(tool, made_up):
    """Its source leads to its row among the rows used, its other link to the paper itself."""
    trials = {row["trial"]: row for row in table(made_up, "trials")}
    sources = {row["source_id"]: row for row in read(made_up.folder / "data/raw/sources.csv")}
    lines = tool.locator("tbody tr").all()
    assert len(lines) == len(trials)
    for line in lines:
        row = trials[line.locator("th a").inner_text()]
        counts = " v ".join(f"{float(row[f'events_{arm}']):.0f}/{float(row[f'n_{arm}']):.0f}"
                            for arm in ("experimental", "control"))  # fmt: skip
        assert counts in line.inner_text()
        source = sources[row["source_id"]]
        inside, outside = line.locator("td").last.locator("a").all()
        assert inside.inner_text() == f"{source['first_author']} {source['year']}"
        target = tool.page.locator(f"[id='{inside.get_attribute('href')[1:]}']")
        assert target.evaluate("(one) => one.tagName") == "TR"
        assert target.locator("th a").first.inner_text().startswith(row["trial"])
        assert outside.inner_text() == "DOI"
        assert outside.get_attribute("href") == f"https://doi.org/{source['doi']}"


def test_the_report_keeps_its_own_verdict_beside_another_measure(tool):
    """No difference is 1 of the report's risk ratio, and 0 of the reader's risk difference."""
    tool.page.evaluate("""() => {
      const [report] = Pools.data.analyses["neoadjuvant/pcr_dual_v_almab"];
      Object.assign(report.published.random_reml_hk, { ci_low: 0.9, ci_high: 2.5 });
    }""")
    tool.get_by_label("Measure and patients").select_option(label="Risk difference: all trials")
    tool.get_by_label("Pool ALDER").uncheck()
    here, there = tool.locator(".told .verdict").all_inner_texts()
    assert (here.split(maxsplit=1)[1], there.split(maxsplit=1)[1]) == ("Benefit", "Left open")


def test_what_becomes_of_each_trial_is_told_by_its_name(tool):
    """Unticked, gone by another choice, and ticked again."""
    for name in ("BIRCH", "FIR"):
        tool.get_by_label(f"Pool {name}").uncheck()
    assert "Without BIRCH, FIR" in tool.locator(".differs").all_inner_texts()[0].splitlines()
    tool.get_by_label(f"Pool {'FIR'}").check()
    assert "Without BIRCH" in tool.locator(".differs").inner_text().splitlines()
    tool.get_by_role("button", name="Back to the report").click()
    high = tool.page.evaluate("""() => Pools.data.analyses["neoadjuvant/pcr_dual_v_almab"][0].rows
      .filter((row) => row.pooled && row.bias === "high").map((row) => row.trial)""")
    tool.get_by_label("Risk of bias").select_option("not high")
    assert f"Drops out: {', '.join(high)}" in tool.locator(".differs").inner_text().splitlines()


def test_a_trial_that_another_choice_has_no_result_of_drops_out(tool, made_up):
    """Nobody unticked it."""
    tool.get_by_label("Results admitted").select_option("primary")
    rows = read(made_up.folder / "results/neoadjuvant/sensitivity/choices.csv")
    mine = [row for row in rows if row["analysis"] == "pcr_dual_v_almab"]
    same = [name for name in ROWS if name != "verification"]
    (number,) = (row["choice"] for row in mine if row["verification"] == "primary"
                 and all(row[name] == mine[0][name] for name in same))  # fmt: skip
    rows = read(made_up.folder / "results/neoadjuvant/sensitivity/choice_rows.csv")
    rows = [r for r in rows if (r["analysis"], r["measure"]) == ("pcr_dual_v_almab", "risk_ratio")]
    left = {row["trial"] for row in rows if number in row["choices"].split(";")}
    gone = [row["trial"] for row in table(made_up, "trials", pooled="yes")
            if row["trial"] not in left]  # fmt: skip
    assert gone
    said = tool.locator(".differs").inner_text().splitlines()
    assert f"Drops out: {', '.join(gone)}" in said
    assert not any(line.startswith("Without") for line in said)


def test_a_trial_that_only_another_choice_has_a_result_of_is_not_one_of_the_report(tool):
    """Six of the report's five trials would be nonsense."""
    tool.page.evaluate("""() => {
      const { rows } = Pools.data.analyses["neoadjuvant/pcr_dual_v_almab"][0];
      rows.splice(rows.findIndex((row) => row.trial === "BIRCH"), 1);
    }""")
    tool.get_by_label("Definition preferred").select_option("ypT0/is")
    assert "Comes in: BIRCH" in tool.locator(".differs").inner_text().splitlines()
    said = tool.locator(".result").first.inner_text()
    assert said.startswith("5 of 5 trials and 1 other: risk ratio ")


def test_the_verdict_on_a_group_of_patients_is_compared_with_the_report_on_them(tool, made_up):
    tool.get_by_label("Measure and patients").select_option(
        label="Risk ratio: hormone receptor positive"
    )
    ticks_of(tool)[0].uncheck()
    rows = read(made_up.folder / "results/neoadjuvant/estimates.csv")
    (lead,) = (row for row in rows if row["analysis"] == "pcr_dual_v_almab"
               and (row["measure"], row["role"]) == ("risk_ratio", "lead")
               and row["subgroup"] == "hormone_receptor=positive")  # fmt: skip
    estimate, interval = result_of(lead)
    report = f"(risk ratio {estimate} (95% interval {interval}))."
    assert tool.locator(".told").inner_text().endswith(report)


def test_the_trials_shown_are_those_that_are_pooled_when_asked(tool):
    tool.get_by_label("Filter trials by text").fill("2014")
    assert tool.locator("tbody th a").all_inner_texts() == ["ALDER"]
    # Its source is Abel's; a reader types as he likes.
    tool.get_by_label("Filter trials by text").fill("ABEL")
    assert tool.locator("tbody th a").all_inner_texts() == ["ALDER"]
    tool.get_by_role("button", name="Pool only the trials shown").click()
    assert tool.locator(".result").first.inner_text().startswith("1 of 6 trials: ")
    tool.get_by_label("Filter trials by text").fill("")
    assert tool.locator("tbody tr:has(input:checked) th a").all_inner_texts() == ["ALDER"]


@pytest.mark.parametrize("way", ["reset", "measure"])
def test_no_filter_stays_in_its_field_that_filters_no_more(way, tool):
    field = tool.get_by_label("Filter trials by text")
    field.fill("alder")
    if way == "reset":
        tool.get_by_label("Pool ALDER").uncheck()
        tool.get_by_role("button", name="Back to the report").click()
    else:
        menu = tool.get_by_label("Measure and patients")
        menu.select_option(label="Risk difference: all trials")
    assert (field.input_value(), tool.locator("tbody tr").count()) == ("", 7)


def test_on_the_way_back_the_menus_say_what_is_pooled(tool):
    for chosen in ("DL", "REML"):
        asked = f"estimator={chosen}&interval=wald"
        tool.page.goto(f"{tool.page.url.partition('#')[0]}#{ANALYSIS}?{asked}")
        tool.get_by_text(f"({chosen}, 95% interval").wait_for()
        assert tool.get_by_label("Estimator").input_value() == chosen


def test_the_sign_of_the_order_points_upwards_from_the_smallest(tool):
    for sign, backwards in (("▲", False), ("▼", True)):
        tool.get_by_role("button", name=re.compile("Risk ratio")).click()
        own = [numbers(text)[0] for text in tool.locator("tbody td:nth-child(5)").all_inner_texts()]
        assert own == sorted(own, reverse=backwards)
        assert tool.locator("thead button", has_text=sign).count() == 1


def test_the_arrow_of_a_cut_interval_points_away_from_the_others(tool):
    (cut,) = tool.locator("tbody svg path.filled").all()
    x, away = re.match(r"M(-?[\d.]+) \S+l(-?[\d.]+) ", cut.get_attribute("d")).groups()
    # From its tip, right of the end of the axis, back to the interval.
    assert float(x) > 200 > 0 > float(away)
