"""Forest plots of comparisons and of rates, read back and compared with the tables."""

import math

import pytest
from meaning.evidence import (
    BENEFIT_BELOW,
    NO_EFFECT,
    floats,
    forests,
    named,
    numbers,
    one,
    rows,
    says,
)
from meaning.reading import Figure, middle

FORESTS = forests()
COUNTS = [case for case in FORESTS if case[1] != "hazard_ratio"]
POOLED = [case for case in FORESTS if case[0]["pool"] == "overall"]
BY_MODIFIER = [
    (entry, measure, f"{stem}_by_hormone_receptor")
    for entry, measure, stem in POOLED
    if entry.get("effect_modifiers")
]
RESULT = ("estimate", "estimate_low", "estimate_high")
POOL = ("estimate", "ci_low", "ci_high")


def figure(made_up, case):
    entry, _, stem = case
    return Figure(made_up.results / entry["setting"] / entry["id"] / f"{stem}.svg")


def trials(made_up, case, **where):
    entry, measure, _ = case
    found = rows(
        made_up.results / entry["setting"] / "trials.csv", analysis=entry["id"], measure=measure
    )
    return [row for row in found if all(row[name] == word for name, word in where.items())]


def estimates(made_up, case, subgroup, role="lead"):
    entry, measure, _ = case
    return one(
        made_up.results / "estimates.csv",
        setting=entry["setting"], analysis=entry["id"], measure=measure, subgroup=subgroup,
        role=role,
    )  # fmt: skip


def trial_word(drawn, row, below=None):
    """Position of a trial in a figure, optionally below another word."""
    found = drawn.all_named(row["trial"])
    return next(word for word in found if below is None or word.y > below.y)


def heading(drawn, label):
    """The heading of a column of counts; long headings break between words."""
    return next(
        word
        for word in sorted(drawn.words, key=lambda w: w.y)
        if word.bold and word.text.strip() and label.startswith(word.text.strip())
    )


def result(drawn, word):
    """The effect in a row: numbers with a bracket."""
    return next(text for text in reversed(drawn.cells(word)) if "(" in text and numbers(text))


def drawn_at(drawn, axis, word, estimate, low, high, *, mark):
    """Check the interval (and mark) of a row against the axis; they may run off the axis."""
    _, y = middle(word)
    x = axis.at(estimate)
    ends = [axis.at(low), axis.at(high)]
    first, last = axis.at(axis.low), axis.at(axis.high)
    spans = drawn.spans_at(y)
    assert [
        (left, right)
        for left, right in spans
        if (abs(left - ends[0]) < 1.0 or ends[0] < first)
        and (abs(right - ends[1]) < 1.0 or ends[1] > last)
        and left - 1 <= min(x, last) <= right + 1
    ], (word.text, ends, spans)
    if mark and first < x < last:
        assert [m for m in drawn.marks(30.0) if abs(m.x - x) < 1.0 and abs(m.y - y) < 2.6], word


def diamond(drawn, word):
    """Left end, tip and right end of the diamond in a row."""
    _, y = middle(word)
    for shape in drawn.shapes:
        left, top, right, bottom = shape.box
        if len({*shape.points}) == 4 and abs((top + bottom) / 2 - y) < 2.6 and bottom - top > 1:
            tips = [x for x, at in shape.points if abs(at - top) < 0.1]
            if len(tips) == 1:
                return left, tips[0], right
    raise AssertionError(f"no diamond in the row of {word.text!r}")


# ------------------------------------------------------------------------------ of comparisons


@pytest.mark.parametrize("case", COUNTS, ids=named)
def test_events_stand_under_the_arm_they_were_seen_in(made_up, case):
    drawn, (dual, single) = figure(made_up, case), case[0]["arms"]
    left, right = heading(drawn, dual), heading(drawn, single)
    shown = trials(made_up, case, subgroup="all")
    assert shown
    for row in shown:
        word = trial_word(drawn, row)
        for head, side in ((left, "experimental"), (right, "control")):
            events, n = floats(row, f"events_{side}", f"n_{side}")
            assert drawn.below_heading(head, word) == f"{events:.0f}/{n:.0f}", row["trial"]


@pytest.mark.parametrize("case", [c for c in COUNTS if c in POOLED], ids=named)
def test_totals_are_those_of_their_arm_without_what_is_not_pooled(made_up, case):
    drawn, (dual, single) = figure(made_up, case), case[0]["arms"]
    pooled = trials(made_up, case, subgroup="all", pooled="yes")
    total = drawn.named("All trials")
    sums = {
        side: [sum(float(row[f"{what}_{side}"]) for row in pooled) for what in ("events", "n")]
        for side in ("experimental", "control")
    }
    for label, side in ((dual, "experimental"), (single, "control")):
        events, n = sums[side]
        assert drawn.below_heading(heading(drawn, label), total) == f"{events:.0f}/{n:.0f}"


@pytest.mark.parametrize("case", FORESTS, ids=named)
def test_a_trial_has_its_result_and_its_weight(made_up, case):
    drawn = figure(made_up, case)
    for row in trials(made_up, case, subgroup="all"):
        cells = drawn.cells(trial_word(drawn, row))
        assert says(result(drawn, trial_word(drawn, row)), floats(row, *RESULT)), row["trial"]
        if case[0]["pool"] == "overall" and row["pooled"] == "yes":
            assert f"{float(row['weight']):.1f}" in cells, row["trial"]
        elif case[0]["pool"] == "overall":
            assert "–" in cells, row["trial"]


@pytest.mark.parametrize("case", FORESTS, ids=named)
def test_a_trial_is_drawn_where_the_axis_has_its_result(made_up, case):
    drawn = figure(made_up, case)
    axis = drawn.across()
    assert axis.log == (case[1] != "risk_difference")
    for row in trials(made_up, case, subgroup="all"):
        word = trial_word(drawn, row)
        drawn_at(drawn, axis, word, *floats(row, *RESULT), mark=True)


@pytest.mark.parametrize("case", FORESTS, ids=named)
def test_the_square_of_a_trial_follows_its_weight_and_is_hollow_without(made_up, case):
    """Unpooled results must not look pooled, and no trial may look heavier than it is."""
    drawn = figure(made_up, case)
    axis, sizes = drawn.across(), []
    for row in trials(made_up, case, subgroup="all"):
        x, (_, y) = axis.at(float(row["estimate"])), middle(trial_word(drawn, row))
        squares = [m for m in drawn.marks(30.0) if abs(m.x - x) < 1.0 and abs(m.y - y) < 2.6
                   and abs(m.width - m.height) < 0.1]  # fmt: skip
        for square in squares:
            assert (square.fill == "#ffffff") == (row["weight"] == ""), row["trial"]
            if row["weight"]:
                sizes.append((float(row["weight"]), square.width))
    heaviest = max(sizes, default=(1.0, 1.0))
    for weight, width in sizes:
        # the lightest have a minimum size
        share = math.sqrt(weight / heaviest[0])
        assert width / heaviest[1] == pytest.approx(max(share, 1.2 / 3.3), abs=0.02)


@pytest.mark.parametrize("case", POOLED, ids=named)
def test_the_diamond_of_the_second_model_is_its_own(made_up, case):
    """Drawn at the leading estimate, it would suggest that the prior makes no difference."""
    entry, measure, _ = case
    found = rows(
        made_up.results / "estimates.csv", setting=entry["setting"], analysis=entry["id"],
        measure=measure, subgroup="all", role="co-primary",
    )  # fmt: skip
    drawn = figure(made_up, case)
    total = drawn.named("All trials").y
    shown = [w for w in drawn.all_named("Bayesian, cautious prior") if w.y > total]
    assert len(shown) == len(found)
    axis = drawn.across()
    for word, row in zip(shown, found, strict=True):
        low, tip, high = diamond(drawn, word)
        expected = [axis.at(value) for value in floats(row, *POOL)]
        assert (tip, low, high) == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("case", [*FORESTS, *BY_MODIFIER], ids=named)
def test_a_benefit_lies_on_the_side_of_the_arm_it_favours(made_up, case):
    drawn, (experimental, control) = figure(made_up, case), case[0]["arms"]
    below = case[1] in BENEFIT_BELOW
    wanted = (experimental, control) if below else (control, experimental)
    for said, arm in zip(drawn.sides(), wanted, strict=True):
        assert said.casefold().endswith(arm.casefold()), (said, arm)
    none = drawn.across().at(NO_EFFECT[case[1]])
    left, right = drawn.side_words()
    assert left.box[2] < none < right.box[0]
    assert drawn.plumb_at(none), "no line at no effect"


@pytest.mark.parametrize("case", POOLED, ids=named)
def test_the_pooled_result_is_that_of_the_leading_model(made_up, case):
    drawn = figure(made_up, case)
    lead = estimates(made_up, case, "all")
    word = drawn.named("All trials")
    assert says(result(drawn, word), floats(lead, *POOL))
    assert f"k = {lead['k']}" in word.text
    axis = drawn.across()
    left, tip, right = diamond(drawn, word)
    for x, value in zip((left, tip, right), floats(lead, "ci_low", "estimate", "ci_high"),
                        strict=True):  # fmt: skip
        assert abs(x - axis.at(value)) < 1.0
    (dashed,) = [line for line in drawn.segments() if line.dashed and line.to_y - line.y > 3]
    assert abs(dashed.x - axis.at(float(lead["estimate"]))) < 1.0


@pytest.mark.parametrize("case", POOLED, ids=named)
def test_heterogeneity_names_its_estimator_whatever_model_leads(made_up, case):
    entry, measure, _ = case
    random = one(
        made_up.results / "estimates.csv", setting=entry["setting"], analysis=entry["id"],
        measure=measure, subgroup="all", model="random_reml_hk",
    )  # fmt: skip
    if int(random["k"]) < 3:
        return
    said = figure(made_up, case).named("Heterogeneity:").text
    tau2, _, rest = said.removeprefix("Heterogeneity: τ² = ").partition(" ")
    assert float(tau2) == pytest.approx(float(random["tau2"]), abs=0.000501)
    assert rest.startswith("(REML); Q = ")


@pytest.mark.parametrize("case", POOLED, ids=named)
def test_a_prediction_interval_is_shown_of_five_trials_where_it_says_more(made_up, case):
    drawn, lead = figure(made_up, case), estimates(made_up, case, "all")
    ends, mean = floats(lead, "pi_low", "pi_high"), floats(lead, "ci_low", "ci_high")
    if int(lead["k"]) < 5 or ends == pytest.approx(mean, rel=1e-9):
        assert "prediction interval" not in " ".join(word.text for word in drawn.words[:-20])
        return
    prediction = drawn.named("95% prediction interval")
    assert says(result(drawn, prediction), ends)
    drawn_at(drawn, drawn.across(), prediction, float(lead["estimate"]), *ends, mark=False)


@pytest.mark.parametrize("case", POOLED, ids=named)
def test_a_group_holds_its_trials_and_its_subtotal(made_up, case):
    drawn = figure(made_up, case)
    shown = trials(made_up, case, subgroup="all")
    heads = {row["added"]: drawn.named(f"Added: {row['added']}") for row in shown}
    for row in shown:
        word = trial_word(drawn, row)
        above = [name for name, head in heads.items() if head.y < word.y]
        assert max(above, key=lambda name: heads[name].y) == row["added"], row["trial"]
    for name, head in heads.items():
        own = [row for row in shown if row["added"] == name and row["pooled"] == "yes"]
        if len(own) < 2:
            continue
        word = next(w for w in drawn.all_named("Subtotal") if w.y > head.y)
        lead = estimates(made_up, case, f"added_agents={own[0]['added_agents']}")
        assert says(result(drawn, word), floats(lead, *POOL))
        low, tip, high = diamond(drawn, word)
        places = [drawn.across().at(end) for end in floats(lead, *POOL)]
        assert (tip, low, high) == pytest.approx(places, abs=1.0)
        if case[1] != "hazard_ratio":
            for label, side in zip(case[0]["arms"], ("experimental", "control"), strict=True):
                events, n = (sum(float(row[f"{x}_{side}"]) for row in own) for x in ("events", "n"))
                assert drawn.below_heading(heading(drawn, label), word) == f"{events:.0f}/{n:.0f}"


@pytest.mark.parametrize("case", BY_MODIFIER, ids=named)
def test_results_by_a_factor_stand_under_their_level(made_up, case):
    drawn = figure(made_up, case)
    axis = drawn.across()
    for level in ("negative", "positive"):
        head = drawn.named(f"Hormone receptor {level}")
        shown = trials(made_up, case, subgroup=f"hormone_receptor={level}")
        assert len(shown) == 2
        for row in shown:
            word = trial_word(drawn, row, below=head)
            assert says(result(drawn, word), floats(row, *RESULT)), (level, row["trial"])
            drawn_at(drawn, axis, word, *floats(row, *RESULT), mark=True)
            if case[1] != "hazard_ratio":
                for label, side in zip(case[0]["arms"], ("experimental", "control"), strict=True):
                    cell = "/".join(f"{float(row[f'{x}_{side}']):.0f}" for x in ("events", "n"))
                    assert drawn.below_heading(heading(drawn, label), word) == cell
        word = next(w for w in drawn.all_named("Subtotal") if w.y > head.y)
        lead = estimates(made_up, case, f"hormone_receptor={level}")
        assert says(result(drawn, word), floats(lead, *POOL))


@pytest.mark.parametrize("case", BY_MODIFIER, ids=named)
def test_the_interaction_compares_the_levels_that_it_names(made_up, case):
    entry, measure, _ = case
    found = one(
        made_up.results / "estimates.csv",
        setting=entry["setting"], analysis=entry["id"], subgroup="hormone_receptor", role="lead",
        measure=f"ratio_of_{measure}s" if measure != "risk_difference" else
        "difference_of_risk_differences",
    )  # fmt: skip
    drawn = figure(made_up, case)
    line = next(word.text for word in drawn.words if word.text.startswith("Interaction"))
    assert "negative v positive" in line
    assert numbers(line)[0] == pytest.approx(float(found["estimate"]), abs=0.00501)
    # Two trials: the pooled ratio lies between the smallest and the largest.
    levels = [estimates(made_up, case, f"hormone_receptor={x}") for x in ("negative", "positive")]
    negative, positive = (float(level["estimate"]) for level in levels)
    higher = float(found["estimate"]) > NO_EFFECT[measure]
    assert higher == (negative > positive)


@pytest.mark.parametrize("case", FORESTS, ids=named)
def test_risk_of_bias_is_that_of_the_trial_and_the_outcome(made_up, case):
    drawn = figure(made_up, case)
    judged = rows(made_up.folder / "data/raw/risk_of_bias.csv")
    domains = ("d1_randomisation", "d2_deviations", "d3_missing", "d4_measurement", "d5_selection",
               "overall")  # fmt: skip
    signs = {"low": "+", "some_concerns": "?", "high": "−"}
    for row in trials(made_up, case, subgroup="all"):
        outcome = row["endpoint"] or row["outcome"]
        own = [r for r in judged if (r["trial_id"], r["outcome"]) == (row["trial_id"], outcome)]
        shown = [c for c in drawn.cells(trial_word(drawn, row)) if c in signs.values()]
        assert shown == [signs[r[domain]] for r in own for domain in domains], row["trial"]


# ----------------------------------------------------------------------------------- of rates


def rate_figures(made_up):
    return sorted((made_up.results / "neoadjuvant/pcr_rates").glob("*/forest.svg"))


def test_a_rate_of_nothing_is_printed_as_observed_and_a_note_says_so(made_up):
    (larch,) = rows(made_up.results / "neoadjuvant/rates.csv", subgroup="all", corrected="yes")
    assert (larch["trial"], larch["events"]) == ("LARCH", "0.0")
    drawn = Figure(made_up.results / "neoadjuvant/pcr_rates/almab_with_chemotherapy/forest.svg")
    assert says(
        result(drawn, drawn.named("LARCH")),
        [0.0, *(100 * end for end in floats(larch, "estimate_low", "estimate_high"))],
        digits=0,
    )
    assert "LARCH: rate as observed; 0.5 was added" in drawn.everything


def test_rates_stand_in_the_row_of_their_trial(made_up):
    assert rate_figures(made_up)
    for path in rate_figures(made_up):
        drawn = Figure(path)
        axis, head = drawn.across(), drawn.named("Events/n")
        regimen = path.parent.name
        shown = [
            row
            for row in rows(made_up.results / "neoadjuvant/rates.csv", subgroup="all")
            if _slug(row["regimen_label"]) == regimen
        ]
        assert shown
        for row in shown:
            word = drawn.named(row["trial"])
            events, n = floats(row, "events", "n")
            assert drawn.below_heading(head, word) == f"{events:.0f}/{n:.0f}"
            rate = [100 * value for value in floats(row, "estimate", "estimate_low",
                                                    "estimate_high")]  # fmt: skip
            printed = rate if row["corrected"] == "no" else [100 * float(row["rate"]), *rate[1:]]
            assert says(result(drawn, word), printed, digits=0), (regimen, row["trial"])
            drawn_at(drawn, axis, word, *rate, mark=True)


def test_the_rate_of_a_regimen_stands_in_its_row(made_up):
    drawn = Figure(made_up.results / "neoadjuvant/pcr_rates/forest.svg")
    axis = drawn.across()
    shown = rows(
        made_up.results / "estimates.csv", measure="proportion", subgroup="all", role="lead"
    )
    assert len(shown) == 10
    heads = {"with": drawn.named("With chemotherapy"), "alone": drawn.named("No chemotherapy")}
    for row in shown:
        with_it = row["experimental"].endswith("with chemotherapy")
        label = row["experimental"].removesuffix(" with chemotherapy").removesuffix(" alone")
        start, end = heads["with"].y, heads["alone"].y
        word = next(
            w for w in drawn.words
            if w.text.strip() == label and (start < w.y < end if with_it else w.y > end)
        )  # fmt: skip
        cells = drawn.cells(word)
        assert row["k"] in cells
        assert f"{row['events']}/{row['participants']}" in cells
        rate = [100 * value for value in floats(row, *POOL)]
        assert says(next(c for c in cells if "(" in c), rate, digits=0), label
        # Single trials are squares, as the footnote says, and pooled results are diamonds.
        near = [m for m in drawn.marks(12.0) if abs(m.y - middle(word)[1]) < 2.6]
        squares = [m for m in near if abs(m.width - m.height) < 0.1]
        assert len(squares) == (row["model"] == "single_trial"), label
        if squares:
            drawn_at(drawn, axis, word, *rate, mark=True)
        else:
            low, tip, high = diamond(drawn, word)
            assert (tip, low, high) == pytest.approx([axis.at(end) for end in rate], abs=1.0), label


def _slug(label):
    return "_".join(label.lower().replace("+", " ").split()).replace("-", "_")
