"""Leave-one-out and cumulative forest plots, and the charts of one pool, against the tables."""

import itertools
import math
import re
import statistics

import numpy as np
import pytest
from matplotlib.path import Path
from meaning.evidence import BENEFIT_BELOW, NO_EFFECT, floats, named, numbers, one, rows, says
from meaning.reading import ON_THE_SPOT, Figure
from meaning.test_what_forests_say import POOL, POOLED, drawn_at, estimates, result
from scipy.stats import norm
from scipy.stats import t as student

# Sensitivity figures use the first measure of an analysis.
FIRST = [case for case in POOLED if case[2] == "forest"]
RATIO = {measure for measure in NO_EFFECT if measure != "risk_difference"}


def figure(made_up, case, stem):
    return Figure(made_up.results / case[0]["setting"] / case[0]["id"] / f"{stem}.svg")


def table(made_up, case, name, **where):
    entry, measure, _ = case
    folder = made_up.results / entry["setting"] / "sensitivity"
    return rows(folder / f"{name}.csv", analysis=entry["id"], measure=measure, **where)


def pooled_trials(made_up, case):
    entry, measure, _ = case
    return rows(
        made_up.results / entry["setting"] / "trials.csv",
        analysis=entry["id"], measure=measure, subgroup="all", pooled="yes",
    )  # fmt: skip


@pytest.mark.parametrize("case", FIRST, ids=named)
@pytest.mark.parametrize(("name", "sign"), [("leave_one_out", ""), ("cumulative", "+ ")])
def test_every_row_has_the_result_of_its_step(made_up, case, name, sign):
    drawn = figure(made_up, case, name)
    axis = drawn.across()
    steps = [row for row in table(made_up, case, name, leads="yes") if row["trial"]]
    assert len(steps) == len(pooled_trials(made_up, case))
    places = []
    for at, row in enumerate(steps):
        word = drawn.named(row["trial"] if at == 0 else f"{sign}{row['trial']}")
        assert row["k"] in drawn.cells(word)
        assert says(result(drawn, word), floats(row, *POOL)), row["trial"]
        drawn_at(drawn, axis, word, *floats(row, *POOL), mark=False)
        places.append(word.y)
    models = [row["model"] for row in table(made_up, case, name, leads="yes")]
    kinds = sorted({"CrI" if model.startswith("bayesian") else "CI" for model in models})
    assert drawn.named(f"(95% {' or '.join(kinds)})"), "the heading names other intervals"
    if name == "cumulative":
        assert places == sorted(places)
        years = [float(row["year"]) for row in steps]
        assert years == sorted(years)
        # The last step is the full pool.
        assert says(result(drawn, word), floats(estimates(made_up, case, "all"), *POOL))


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_trials_are_left_out_in_the_order_of_the_forest_plot(made_up, case):
    """Who reads both pages side by side looks for a trial where the forest has it."""
    forest, drawn = figure(made_up, case, "forest"), figure(made_up, case, "leave_one_out")
    years = {row["trial"]: f"{float(row['year']):.0f}" for row in pooled_trials(made_up, case)}
    steps = list(dict.fromkeys(row["trial"] for row in table(made_up, case, "leave_one_out")))
    for places in (
        [forest.named(f"{trial} ({years[trial]})").y for trial in steps],
        [drawn.named(trial).y for trial in steps],
    ):
        assert places == sorted(places)


@pytest.mark.parametrize("case", FIRST, ids=named)
@pytest.mark.parametrize("name", ["leave_one_out", "cumulative", "drapery", "funnel", "posterior",
                                  "gosh", "extended_funnel"])  # fmt: skip
def test_a_benefit_lies_on_the_side_of_the_arm_it_favours(made_up, case, name):
    drawn, (experimental, control) = figure(made_up, case, name), case[0]["arms"]
    below = case[1] in BENEFIT_BELOW
    wanted = (experimental, control) if below else (control, experimental)
    within = panel(drawn, name)
    for said, arm in zip(drawn.sides(within), wanted, strict=True):
        assert said.casefold().endswith(arm.casefold()), (said, arm)
    left, right = drawn.side_words(within)
    axis = drawn.across(x=within)
    none = axis.at(NO_EFFECT[case[1]])
    # If no effect is near the edge of a narrow panel, the words move inwards.
    assert left.box[2] < none < right.box[2]
    assert drawn.plumb_at(none), "no line at no effect"


def panel(drawn, name):
    """The left panel if there are two side by side."""
    if name == "posterior":
        return 0, drawn.named("Heterogeneity").box[0] - 3
    if name == "gosh":
        return 0, next(w for w in drawn.words if w.text.startswith("Subsets without")).box[0] - 3
    return None


# ------------------------------------------------------------------------------------- charts


def random_effects(made_up, case):
    """The random-effects result that a figure shows, whichever model leads."""
    entry, measure, _ = case
    return one(
        made_up.results / "estimates.csv",
        setting=entry["setting"], analysis=entry["id"], measure=measure, subgroup="all",
        model="random_reml_hk",
    )  # fmt: skip


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_the_funnel_has_every_trial_at_its_estimate_and_standard_error(made_up, case):
    drawn = figure(made_up, case, "funnel")
    x, y = drawn.across(), drawn.upright()
    for row in pooled_trials(made_up, case):
        estimate, error = float(row["estimate"]), math.sqrt(float(row["vi"]))
        assert drawn.marks_at(x.at(estimate), y.at(error)), row["trial"]
    # Large trials, with small standard errors, are at the top.
    assert y.slope > 0
    pooled = float(random_effects(made_up, case)["estimate"])
    assert drawn.plumb_at(x.at(pooled)), "no line at the pooled estimate"
    limits = [pooled * math.exp(side * 1.959964 * y.high) for side in (-1, 1)]
    for at, limit in zip((x.low, x.high), limits, strict=True):
        if x.low < limit < x.high:
            assert drawn.passes(x.at(limit), y.at(y.high), within=1.5), at
    assert f"Pooled: {pooled:.2f}" in drawn.everything


def shaded(drawn):
    """Areas where, after one more trial, the interval would exclude no effect."""
    (key,) = (word for word in drawn.words if word.text.endswith("excludes 1"))
    near = [s for s in drawn.shapes if s.box[2] < key.box[0] and abs(s.box[3] - key.y) < 3]
    fill = max(near, key=lambda shape: shape.box[2]).fill
    return [Path(s.points) for s in drawn.shapes if s.fill == fill and s.box[3] < key.y - 9]


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_one_more_trial_is_shaded_as_the_table_has_it(made_up, case):
    drawn = figure(made_up, case, "extended_funnel")
    x, y = drawn.across(), drawn.upright()
    (row,) = table(made_up, case, "what_would_change")
    for trial in pooled_trials(made_up, case):
        at = x.at(float(trial["estimate"])), y.at(math.sqrt(float(trial["vi"])))
        assert drawn.marks_at(*at), trial["trial"]
    pooled = estimates(made_up, case, "all")
    assert row["model"] == pooled["model"]
    assert floats(row, *POOL) == pytest.approx(floats(pooled, *POOL), rel=1e-6)
    assert drawn.plumb_at(x.at(float(pooled["estimate"]))), "no line at the pooled estimate"
    for sentence in ("further_trial", "removal"):
        assert row[sentence] in drawn.everything
    areas, excludes = shaded(drawn), row["excludes_no_effect"] == "yes"
    # The most precise trial with the effect in question, at the top of the panel.
    across = x.at(float(row["trial_finds"]))
    above = any(area.contains_point((across, y.at(0.0) + 1.5)) for area in areas)
    assert above == (excludes == (row["however_large"] == "yes"))
    if not row["smallest_trial"] or row["however_small"] == "yes":
        return
    # The smallest trial that changes the verdict lies at the edge of the shading.
    up = y.at(standard_error(row))
    assert drawn.marks_at(across, up)
    apart = [(dx, dy) for dx in (-4, 0, 4) for dy in (-4, 0, 4)]
    inside = [any(a.contains_point((across + p, up + q)) for a in areas) for p, q in apart]
    assert any(inside)
    assert not all(inside)


def standard_error(row):
    """For a trial of the size in the table with equal arms: 4/events, or two binomial arms."""
    size, finds = floats(row, "smallest_trial", "trial_finds")
    if row["unit"] == "events":
        return math.sqrt(4 / size)
    assert row["measure"] == "risk_ratio"
    control = float(row["control_risk"])
    return math.sqrt(sum((1 - risk) / risk for risk in (control, control * finds)) / size)


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_the_baujat_plot_has_every_trial_with_its_name(made_up, case):
    drawn = figure(made_up, case, "baujat")
    x, y = drawn.across(), drawn.upright()
    found = table(made_up, case, "influence")
    assert len(found) == len(pooled_trials(made_up, case))
    for row in found:
        at = x.at(float(row["baujat_x"])), y.at(float(row["baujat_y"]))
        assert drawn.marks_at(*at), row["trial"]
        assert near(drawn, row["trial"], at), row["trial"]


def near(drawn, label, at, within=40.0):
    """Whether a label is near a point."""
    left, top, right, bottom = drawn.named(label).box
    across = max(left - at[0], 0, at[0] - right)
    down = max(top - at[1], 0, at[1] - bottom)
    return math.hypot(across, down) < within


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_p_value_functions_peak_at_the_estimates_and_cross_at_the_limits(made_up, case):
    drawn = figure(made_up, case, "drapery")
    x, y = drawn.across(), drawn.upright()
    # Centre, half-width of the 95% interval, and the distribution.
    curves = [
        (math.log(float(row["estimate"])), norm.ppf(0.975) * math.sqrt(float(row["vi"])), norm)
        for row in pooled_trials(made_up, case)
    ]
    lead = random_effects(made_up, case)
    # Fewer than five trials cannot estimate heterogeneity, so no prediction is drawn.
    predicted = int(lead["k"]) >= 5
    assert any(word.text == "New trial" for word in drawn.words) == predicted
    for low, high in (("ci_low", "ci_high"), ("pi_low", "pi_high"))[: 1 + predicted]:
        ends = [math.log(end) for end in floats(lead, low, high)]
        half = (ends[1] - ends[0]) / 2
        curves.append((ends[0] + half, half, student(float(lead["k"]) - 1)))
    for middle, half, of in curves:
        # No grid line runs along these levels, unlike 5%.
        for p in (1.0, 0.3, 0.07, 0.03):
            for side in (-1, 1):
                value = math.exp(middle + side * half * of.ppf(1 - p / 2) / of.ppf(0.975))
                # Curves end slightly before the panel does.
                if 1.2 * x.low < value < x.high / 1.2:
                    assert drawn.passes(x.at(value), y.at(p), within=1.3), (value, p)


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_the_posterior_gives_the_numbers_of_the_bayesian_model(made_up, case):
    drawn = figure(made_up, case, "posterior")
    entry, measure, _ = case
    bayes = one(
        made_up.results / "estimates.csv",
        setting=entry["setting"], analysis=entry["id"], measure=measure, subgroup="all",
        model="bayesian_empirical",
    )  # fmt: skip
    x = drawn.across(x=panel(drawn, "posterior"))
    estimate, low, high = floats(bayes, *POOL)
    said = [word.text for word in drawn.words]
    assert f"Median: {estimate:.2f}" in said
    assert any(t.endswith(f"{low:.2f} to {high:.2f}") for t in said if t.startswith("Shortest"))
    assert drawn.plumb_at(x.at(estimate)), "no line at the median"
    corners = {round(px, 1) for shape in drawn.shapes for px, _ in shape.points}
    for limit in (low, high):
        assert any(abs(px - x.at(limit)) < 1.0 for px in corners)
    line = next(text for text in said if text.startswith("Probability of benefit"))
    shown = numbers(line.split(";")[0])[0]
    benefit = 100 * float(bayes["probability_of_benefit"])
    said_so = benefit > shown if ">" in line else benefit == pytest.approx(shown, abs=0.0501)
    assert said_so, (line, benefit)
    # 95% of the curve for a new trial lies in the prediction interval.
    new = next(s for s in drawn.shapes if s.dashed and len(s.points) > 50 and s.box[0] < x.at(low))
    across, up = np.array(new.points).T
    heights = up.max() - up
    inside = (x.at(float(bayes["pi_low"])) < across) & (across < x.at(float(bayes["pi_high"])))
    share = np.trapezoid(heights[inside], across[inside]) / np.trapezoid(heights, across)
    assert share == pytest.approx(0.95, abs=0.02)
    # The likelihood of τ from the trials is not its prior.
    edge = panel(drawn, "posterior")[1]
    curves = [s for s in drawn.shapes if len(s.points) > 50 and s.box[0] > edge]
    assert [curve.dashed for curve in curves].count(True) == 1
    prior, known = sorted(curves, key=lambda curve: not curve.dashed)
    heights = [np.interp(np.linspace(edge + 20, drawn.width - 30, 50), *zip(*c.points, strict=True))
               for c in (prior, known)]  # fmt: skip
    assert np.abs(heights[0] - heights[1]).max() > 5


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_all_subsets_are_counted_and_the_pool_is_marked(made_up, case):
    drawn = figure(made_up, case, "gosh")
    k = len(pooled_trials(made_up, case))
    heads = [word for word in drawn.words if word.text.startswith("Subsets with")]
    heads = [word for word in heads if word.text.endswith(")")]
    apart = [int(numbers(word.text)[-1]) for word in heads]
    # With one trial: any non-empty subset of the others; without it: two or more of the others.
    assert apart == [2 ** (k - 1) - 1, 2 ** (k - 1) - k]
    cooks = max(table(made_up, case, "influence"), key=lambda row: float(row["cook_distance"]))
    assert all(cooks["trial"] in word.text for word in heads)
    pooled = float(random_effects(made_up, case)["estimate"])
    half, i2 = heads[1].box[0] - 3, drawn.upright()
    for panel_x in ((0, half), (half, drawn.width)):
        x = drawn.across(x=panel_x)
        at = x.at(pooled), i2.at(float(random_effects(made_up, case)["i2"]))
        pool = [mark for mark in drawn.marks_at(*at, within=1.8) if mark.fill == "#ffffff"]
        assert pool, "all trials together are not marked at their estimate and I²"


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_every_two_trials_lie_at_their_own_estimate_and_their_own_i2(made_up, case):
    """Of two trials REML is solved by hand: what their difference has beyond their variances."""
    drawn = figure(made_up, case, "gosh")
    heads = sorted((w for w in drawn.words if w.text.startswith("Subsets with")), key=lambda w: w.x)
    half, i2 = heads[1].box[0] - 3, drawn.upright()
    chosen = re.match(r"Subsets with(?:out)? (.*?)(?: \(|$)", heads[0].text)[1]
    tiles = [s.box for s in drawn.shapes if s.fill not in {"none", "#ffffff"} and len(s.points) < 6]
    for one_, other in itertools.combinations(pooled_trials(made_up, case), 2):
        (y1, v1), (y2, v2) = (floats(row, "yi", "vi") for row in (one_, other))
        tau2 = max(0.0, ((y1 - y2) ** 2 - v1 - v2) / 2)
        share = 100 * tau2 / (tau2 + (v1 + v2) / 2)
        w1, w2 = 1 / (v1 + tau2), 1 / (v2 + tau2)
        estimate = math.exp((w1 * y1 + w2 * y2) / (w1 + w2))
        with_it = chosen in {one_["trial"], other["trial"]}
        x = drawn.across(x=(0, half) if with_it else (half, drawn.width))
        at = x.at(estimate), i2.at(share)
        held = [
            box for box in tiles
            if all(low - ON_THE_SPOT < here < high + ON_THE_SPOT
                   for here, low, high in zip(at, box[:2], box[2:], strict=True))
        ]  # fmt: skip
        assert held, (one_["trial"], other["trial"])


@pytest.mark.parametrize("case", FIRST, ids=named)
def test_the_specification_curve_runs_through_every_result(made_up, case):
    drawn = figure(made_up, case, "specification")
    y = drawn.upright()
    entry = case[0]
    folder = made_up.results / entry["setting"] / "sensitivity"
    # Ratios of two kinds cannot share an axis.
    found = rows(folder / "multiverse.csv", analysis=entry["id"], measure=entry["measures"][0])
    excluding = sum(row["excludes_no_effect"] == "yes" for row in found)
    assert f"In {excluding} of {len(found)} specifications" in drawn.everything
    ends = [min(found, key=lambda r: float(r["rank"])), max(found, key=lambda r: float(r["rank"]))]
    assert float(ends[0]["estimate"]) <= float(ends[1]["estimate"])
    top = y.at(y.high)
    levels = sorted(
        {round((b + d) / 2, 1) for a, b, c, d in (s.box for s in drawn.shapes) if top - 9 < b}
    )
    for row in ends:
        assert any(abs(level - y.at(float(row["estimate"]))) < 1.8 for level in levels)
    median = math.exp(statistics.median(math.log(float(row["estimate"])) for row in found))
    assert f"Median: {median:.2f}" in drawn.everything
    assert any(line.dashed for line in drawn.level_at(y.at(median), within=1.0))
    # The Bayesian model that leads with few trials is not one of the specifications.
    leading = [f"{float(row['estimate']):.2f}" for row in found if row["leading"] == "yes"]
    assert re.findall(r"Leading specification: (\d+\.\d+)", drawn.everything) == leading
    assert y.slope < 0
    _favours(drawn, entry)


def test_the_bubbles_lie_at_year_and_effect_and_the_line_is_that_of_the_regression(made_up):
    (case,) = (c for c in FIRST if c[0]["id"] == "pcr_dual_v_almab")
    drawn = figure(made_up, case, "bubble_year")
    x, y = drawn.across(), drawn.upright()
    sizes = []
    for row in pooled_trials(made_up, case):
        at = x.at(float(row["year"])), y.at(float(row["estimate"]))
        (mark, *_) = drawn.marks_at(*at)
        sizes.append((float(row["weight"]), mark.width))
        assert near(drawn, row["trial"], at), row["trial"]
    assert [width for _, width in sorted(sizes)] == sorted(width for _, width in sizes)
    terms = {
        row["term"]: float(row["coefficient"])
        for row in table(made_up, case, "meta_regression", covariate="year")
        if row["coefficient"]
    }
    slope = next(value for name, value in terms.items() if name != "intercept")
    years = [float(row["year"]) for row in pooled_trials(made_up, case)]
    for year in (min(years), max(years)):
        fitted = math.exp(terms["intercept"] + slope * year)
        assert drawn.passes(x.at(year), y.at(fitted)), year
    # The band: what its ends are wide, in all, is no less than what the slope leaves open.
    (slope_row,) = (
        row for row in table(made_up, case, "meta_regression", covariate="year")
        if row["coefficient"] and row["term"] != "intercept"
    )  # fmt: skip
    low, high = floats(slope_row, "ci_low", "ci_high")
    (band,) = (s for s in drawn.shapes if s.fill not in {"none", "#ffffff"} and len(s.points) > 60)
    wide = 0.0
    for year in (min(years), max(years)):
        edge = [y.value(py) for px, py in band.points if abs(px - x.at(year)) < 0.5]
        wide += math.log(max(edge) / min(edge))
    assert wide >= 0.98 * (high - low) * (max(years) - min(years))
    _favours(drawn, case[0])


def _favours(drawn, entry):
    """A higher response ratio favours the first arm, a higher hazard ratio the second."""
    head = next(word.text for word in drawn.words if "↑" in word.text)
    sides = head.split("↑")[1].split("↓")
    better, other = sides[::-1] if entry["measures"][0] in BENEFIT_BELOW else sides
    first, second = (arm.lower() for arm in entry["arms"])
    assert first in better.lower()
    assert second in other.lower()
