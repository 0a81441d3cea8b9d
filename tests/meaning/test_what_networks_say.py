"""Figures of networks, synergy and surrogacy, read back and compared with their tables."""

from dataclasses import replace
from itertools import combinations, pairwise
from math import hypot, log

import pytest
from meaning.evidence import NO_EFFECT, agents, floats, numbers, one, rows, says
from meaning.reading import Figure, middle
from meaning.test_what_forests_say import diamond, drawn_at, result
from meaning.test_what_sequences_say import near
from printed_numbers import as_printed
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.files import records
from trial_evidence.loaded import DICTIONARY
from trial_evidence.network.analysis import analyse
from trial_evidence.network.evidence.rows import network_evidence
from trial_evidence.network.fit.evidence_split import split_evidence
from trial_evidence.network.pictures.alternatives import alternatives
from trial_evidence.network.pictures.components import components
from trial_evidence.network.pictures.drawings import network_drawings
from trial_evidence.network.pictures.words import BEYOND, ShownNetwork
from trial_evidence.network.tables import network_tables
from trial_evidence.network.within_trials.trial_level import synergy_results
from trial_evidence.sheet import load_sheet, read_dictionary

NETWORKS = {
    "pcr_network": ("neoadjuvant", "odds_ratio"),
    "event_free_network": ("neoadjuvant", "hazard_ratio"),
    "progression_free_network": ("metastatic_first_line", "hazard_ratio"),
}
SYNERGY = ("risk_additive", "bliss", "multiplicative", "log_odds")
EFFECT = ("estimate", "ci_low", "ci_high")


def folder(made_up, network):
    return made_up.results / NETWORKS[network][0] / "network" / network


def figure(made_up, network, stem):
    return Figure(folder(made_up, network) / f"{stem}.svg")


def favoured(drawn, network, good, bad):
    """A benefit is a hazard ratio below 1, or a response ratio above 1."""
    below = NETWORKS[network][1] == "hazard_ratio"
    left, right = drawn.sides()
    wanted = (good, bad) if below else (bad, good)
    assert (left.removeprefix("Favours "), right.removeprefix("Favours ")) == wanted
    none = drawn.across().at(NO_EFFECT[NETWORKS[network][1]])
    words = drawn.side_words()
    assert words[0].box[2] < none < words[1].box[0]
    assert drawn.plumb_at(none)


def test_each_model_has_the_tau2_of_its_own_estimator(made_up):
    place = folder(made_up, "pcr_network")
    summary, models = one(place / "summary.csv"), rows(place / "intervals.csv")
    by_model = {row["model"]: row["tau2"] for row in models}
    assert summary["tau2_reml"] != summary["tau2_dl"]
    assert by_model["random_reml"] == by_model["random_reml_hk"] == summary["tau2_reml"]
    assert by_model["random_dl"] == summary["tau2_dl"]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_regimen_has_its_effect_against_the_reference(made_up, network):
    drawn = figure(made_up, network, "forest")
    axis = drawn.across()
    patients = {
        row["code"]: row["patients"] for row in rows(folder(made_up, network) / "nodes.csv")
    }
    table = rows(folder(made_up, network) / "reference.csv")
    found = [row for row in table if row["role"] == "lead"]
    assert found
    # The model that leads in the largest part has no column of its own.
    (lead,) = rows(folder(made_up, network) / "intervals.csv", role="lead", part="1")
    for row in found:
        word = drawn.named(row["code"])
        cells = drawn.cells(word)
        # On a narrow page the column of patients is dropped first.
        full = any(w.text.strip() == "Patients" for w in drawn.words)
        counts = [patients[row["code"]], row["direct_trials"]]
        assert cells[1 : 2 + full] == counts[not full :]
        assert says(next(c for c in cells if "(" in c), floats(row, *EFFECT)), row["code"]
        scored = any(w.text.strip() == "P-score" for w in drawn.words)
        assert not scored or cells[-1] == as_printed(float(row["p_score"]))
        models = ("random_reml", "bayesian_empirical", "bayesian")
        others = [model for model in models if model != lead["model"]]
        assert len(others) == len(cells) - 3 - full - scored
        for cell, model in zip(cells[3 + full :], others, strict=False):
            (other,) = (r for r in table if (r["code"], r["model"]) == (row["code"], model))
            assert says(cell, floats(other, "ci_low", "ci_high")), (row["code"], model)
        above = [w for w in drawn.all_named("Against") if w.y < word.y]
        assert above[-1].text == f"Against {row['reference']}"
        drawn_at(drawn, axis, word, *floats(row, *EFFECT), mark=False)


@pytest.mark.parametrize("stem", ["forest", "league"])
@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_a_figure_names_the_interval_that_it_prints(made_up, network, stem):
    (lead,) = rows(folder(made_up, network) / "intervals.csv", role="lead")
    named = {"random_reml": "Wald", "random_reml_hk": "Hartung–Knapp type"}
    said = figure(made_up, network, stem).everything
    place = " below the diagonal" if stem == "league" else ""
    assert f"Intervals{place}: {named.get(lead['model'], 'Bayesian')}" in said


@pytest.mark.parametrize("network", NETWORKS)
def test_a_benefit_favours_the_regimen(made_up, network):
    favoured(figure(made_up, network, "forest"), network, "the regimen", "the reference")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_better_regimen_has_the_higher_p_score(made_up, network):
    """The first regimen of a part has the most favourable effect, whatever its name."""
    drawn = figure(made_up, network, "forest")
    for one_, other in pairwise(w for w in drawn.words if w.text.startswith("Against")):
        assert one_.y < other.y
    for part in {row["part"] for row in rows(folder(made_up, network) / "reference.csv")}:
        found = rows(folder(made_up, network) / "reference.csv", role="lead", part=part)
        places = [drawn.named(row["code"]).y for row in found]
        ordered = [row for _, row in sorted(zip(places, found, strict=True), key=lambda p: p[0])]
        effects = [float(row["estimate"]) for row in ordered]
        down = NETWORKS[network][1] != "hazard_ratio"
        assert effects[0] == (max(effects) if down else min(effects))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_dual_regimen_has_its_effect_against_the_alternative(made_up, network):
    """Under its comparator, with the assumptions of the comparison."""
    drawn = figure(made_up, network, "alternatives")
    axis = drawn.across()
    table = rows(folder(made_up, network) / "alternatives.csv")
    league = {
        (row["first"], row["second"]): floats(row, *EFFECT)
        for row in rows(folder(made_up, network) / "league.csv", role="lead")
    }
    found = [row for row in table if row["estimate"]]
    assert found
    for row in found:
        head = drawn.named(f"Against {row['comparator']}")
        word = next(
            w for w in sorted(drawn.words, key=lambda w: w.y)
            if w.text.strip() == row["code"] and w.y > head.y
        )  # fmt: skip
        expected = league[row["code"], row["comparator"]]
        assert floats(row, *EFFECT) == expected
        cells = drawn.cells(word)
        share = f"{100 * float(row['direct_share']):.0f}%"
        direct = share if float(row["direct_trials"]) else "none"
        assert cells[1] == direct, row["code"]
        assert says(next(c for c in cells if "(" in c), expected), row["code"]
        drawn_at(drawn, axis, word, *expected, mark=False)
        # In its column, or under the name if there is no room for a column.
        under = [w.text for w in drawn.words if abs(w.x - word.x) < 1 and 0 < w.y - word.y < 13]
        assert row["weakest_link"] in (cells[-1], *under)
        assert f"{row['weakest_link']} ({row['weakest_trials']})" in drawn.everything
    favoured(drawn, network, "the dual regimen", "the comparator")


def test_an_alternative_that_no_trial_has_is_said_to_be_absent(made_up):
    absent = [
        row["comparator"] for row in rows(folder(made_up, "pcr_network") / "alternatives.csv")
        if "No trial" in row["reason"]
    ]  # fmt: skip
    assert absent == ["A-X"]
    assert "Not in this network: A-X." in figure(made_up, "pcr_network", "alternatives").everything


def test_a_network_without_a_loop_says_that_inconsistency_cannot_be_tested(made_up):
    for network, said in (("progression_free_network", True), ("pcr_network", False)):
        between = rows(
            folder(made_up, network) / "inconsistency.csv", kind="between designs (inconsistency)"
        )
        assert all(float(row["df"]) == 0 for row in between) == said
        for stem in ("forest", "alternatives"):
            text = figure(made_up, network, stem).everything
            assert ("inconsistency cannot be tested" in text) == said, (network, stem)


@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_the_league_has_every_pair_the_right_way_round(made_up, network):
    drawn = figure(made_up, network, "league")
    codes = [row["code"] for row in rows(folder(made_up, network) / "nodes.csv")]
    # Names are on the diagonal; long names break between words.
    names = {code: drawn.stacked(code) for code in codes}
    models = {"lead": {}, "common": {}}
    for row in rows(folder(made_up, network) / "league.csv"):
        for key in {row["model"], row["role"]} & {*models}:
            models[key][row["first"], row["second"]] = floats(row, *EFFECT)
    assert all(len(found) for found in models.values())
    for upper, lower in combinations(sorted(codes, key=lambda code: names[code].y), 2):
        for row, column, model in ((lower, upper, "lead"), (upper, lower, "common")):
            expected = models[model].get((upper, lower))
            if expected is None:
                estimate, low, high = models[model][lower, upper]
                expected = [1 / estimate, 1 / high, 1 / low]
            x, y = middle(names[column])[0], middle(names[row])[1]
            inside = [
                w for w in drawn.words
                if abs(middle(w)[0] - x) < 3 and abs(middle(w)[1] - y) < 9 and numbers(w.text)
            ]  # fmt: skip
            text = " ".join(w.text for w in sorted(inside, key=lambda w: w.y))
            assert says(text, expected), (row, column, text, expected)


@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_the_bars_of_ranks_are_those_of_the_regimen(made_up, network):
    """One row per regimen; its highest bar is labelled, and the others follow the axis."""
    drawn = figure(made_up, network, "ranks")
    found = rows(folder(made_up, network) / "ranks.csv")
    axis = drawn.across()
    heads = {
        row["code"]: drawn.named(f"{row['code']}  {as_printed(float(row['p_score']))}")
        for row in found
    }
    order = sorted(heads, key=lambda code: heads[code].y)
    scores = [float(next(r["p_score"] for r in found if r["code"] == code)) for code in order]
    assert scores == sorted(scores, reverse=True)
    height = heads[order[1]].y - heads[order[0]].y
    for code in order:
        own = {int(r["rank"]): float(r["probability"]) for r in found if r["code"] == code}
        likeliest = max(own, key=own.__getitem__)
        foot = heads[code].y
        (said,) = (w for w in drawn.words if w.text.endswith("%") and foot - height < w.y <= foot)
        assert said.text == f"{100 * own[likeliest]:.0f}%", code
        assert abs(middle(said)[0] - axis.at(likeliest)) < 2, code
        # All bars of a row share the baseline of the highest.
        bars = list(_bars(drawn, axis.at(likeliest), foot - height / 2, foot + height / 2))
        highest, base = max(bar for bar in bars if bar[0] < height)
        for rank, probability in own.items():
            tall = [h for h, _ in _bars(drawn, axis.at(rank), base - 0.5, base + 0.5)]
            share = max((h for h in tall if h < height), default=0.0) / highest
            assert share == pytest.approx(probability / own[likeliest], abs=0.03), (code, rank)


def _bars(drawn, x, above, below):
    """Height and base of every bar at a position whose base lies between two heights."""
    for shape in drawn.shapes:
        left, top, right, bottom = shape.box
        if (
            shape.fill not in {"none", "#ffffff"}
            and above < bottom < below
            and abs((left + right) / 2 - x) < 2
            and right - left < 60
        ):
            yield bottom - top, bottom


def discs(drawn, nodes):
    """The disc of every regimen, by its code: the nearest to its name."""
    places = {}
    for code, row in nodes.items():
        word = drawn.named(code)
        below = min(
            (w for w in drawn.words if w.text.endswith("patients") and w.y > word.y),
            key=lambda w: (w.y - word.y) + abs(middle(w)[0] - middle(word)[0]),
        )
        assert below.text == f"{int(row['patients']):,} patients"
        found = [m for m in drawn.marks(80.0) if abs(m.width - m.height) < 0.1 and m.width > 2]
        places[code] = min(found, key=lambda m: _apart(word, m))
    return places


@pytest.mark.parametrize("network", NETWORKS)
def test_the_graph_joins_what_was_compared_and_nothing_else(made_up, network):
    drawn = figure(made_up, network, "graph")
    nodes = {row["code"]: row for row in rows(folder(made_up, network) / "nodes.csv")}
    places = discs(drawn, nodes)
    assert len({(round(m.x), round(m.y)) for m in places.values()}) == len(nodes)
    joined = {
        frozenset(pair) for pair in combinations(places, 2) if _is_joined(drawn, places, *pair)
    }
    compared = {
        frozenset((row["first"], row["second"])): row
        for row in rows(folder(made_up, network) / "comparisons.csv")
    }
    assert joined == set(compared)
    # Regimens with more patients have larger discs.
    by_patients = sorted(nodes, key=lambda code: int(nodes[code]["patients"]))
    widths = [round(places[code].width, 2) for code in by_patients]
    assert widths == sorted(widths)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_trial_of_three_arms_is_shaded_between_its_own_regimens(made_up, network):
    drawn = figure(made_up, network, "graph")
    places = discs(drawn, {r["code"]: r for r in rows(folder(made_up, network) / "nodes.csv")})
    arms = {}
    for row in rows(folder(made_up, network) / "used.csv"):
        codes = {row["code"], row["against_code"]} - {""}
        arms.setdefault(row["trial_id"], set()).update(codes)
    shaded = set()
    for shape in drawn.shapes:
        corners = [
            next((c for c, m in places.items() if hypot(m.x - x, m.y - y) < 0.5), None)
            for x, y in shape.points
        ]
        if shape.fill != "none" and None not in corners and len({*corners}) > 2:
            shaded.add(frozenset(corners))
    assert shaded == {frozenset(codes) for codes in arms.values() if len(codes) > 2}


@pytest.mark.parametrize("network", NETWORKS)
def test_the_graph_names_every_comparison_that_most_trials_made(made_up, network):
    found = rows(folder(made_up, network) / "comparisons.csv")
    most = max(int(row["trials"]) for row in found)
    often = {f"{row['first']} with {row['second']}" for row in found if int(row["trials"]) == most}
    listed = folder(made_up, network).parent / "figures.csv"
    text = one(listed, analysis=network, figure="graph")["description"]
    if most == 1:
        assert "No two regimens were compared by more than one trial." in text
    else:
        named, _, trials = text.partition("Compared most often: ")[2].partition(" (")
        assert set(named.split("; ")) == often
        assert trials == f"{most} trials{' each' if len(often) > 1 else ''})."


def _is_joined(drawn, places, a, b):
    """Whether a line connects two discs, apart from the gap for its number."""
    one_, other = places[a], places[b]
    length = hypot(other.x - one_.x, other.y - one_.y)
    step_x, step_y = (other.x - one_.x) / length, (other.y - one_.y) / length
    gap = 0
    for far in range(int(one_.width / 2) + 2, int(length - other.width / 2) - 1):
        x, y = one_.x + far * step_x, one_.y + far * step_y
        if any(hypot(m.x - x, m.y - y) < m.width / 2 for c, m in places.items() if c not in (a, b)):
            return False
        gap = 0 if drawn.passes(x, y) else gap + 1
        if gap == 18:
            return False
    return True


def _apart(word, mark):
    left, top, right, bottom = word.box
    across = max(left - mark.x, 0, mark.x - right)
    down = max(top - mark.y, 0, mark.y - bottom)
    return hypot(across, down) - mark.width / 2


def under(drawn, head, label):
    """The next word below a heading."""
    below = [w for w in sorted(drawn.words, key=lambda w: w.y) if w.y > head.y + 1]
    return next(w for w in below if w.text.strip() == label)


def pcr_network(made_up):
    """The network of response, analysed in this process."""
    configuration = read_configuration(made_up.folder / "config")
    networks = read_networks(made_up.folder / "config", configuration)
    sheet, _ = load_sheet(made_up.folder / "data/raw", read_dictionary(DICTIONARY))
    (network,) = (n for n in networks.of_setting("neoadjuvant") if n.id == "pcr_network")
    return analyse(network_evidence(sheet, configuration, networks, network), configuration)


def test_direct_and_indirect_evidence_are_not_exchanged(made_up, tmp_path):
    """Back-calculation unchanged, because the made-up trials have no indirect path."""
    found = pcr_network(made_up)
    parts = tuple(replace(part, splits=split_evidence(part.fit)) for part in found.parts)
    found = replace(found, parts=parts)
    drawings = network_drawings(found, style_for(180))
    publish({"split": drawings["split"]}, tmp_path, ("svg",))
    drawn = Figure(tmp_path / "split.svg")
    axis = drawn.across()
    rows_ = [row for row in records(network_tables(found, "")["split"]) if not row["reason"]]
    assert rows_
    for row in rows_:
        head = drawn.named(f"{row['first']} v {row['second']}")
        for label, column in (("Direct", "direct"), ("Indirect", "indirect"),
                              ("Network", "combined")):  # fmt: skip
            word = under(drawn, head, label)
            expected = [row[f"{column}{limit}"] for limit in ("", "_low", "_high")]
            if expected[2] <= BEYOND:
                assert says(result(drawn, word), expected), (head.text, label)
            drawn_at(drawn, axis, word, *expected, mark=False)
            if label == "Direct":
                share = f"{100 * row['direct_share']:.0f}%"
                assert [str(row["trials"]), share] == drawn.cells(word)[1:3]
    favoured(drawn, "pcr_network", "the first", "the second")


def test_figures_without_heterogeneity_do_not_name_random_effects(made_up, tmp_path):
    """Their intervals are those of the common effect, and too narrow if trials differ."""
    found = pcr_network(made_up)
    without = tuple(replace(part, fit=replace(part.fit, tau2=None)) for part in found.parts)
    for parts, model, replaced in ((found.parts, "random", 0), (without, "common", 1)):
        drawings = network_drawings(replace(found, parts=parts), style_for(180))
        publish({name: drawings[name] for name in ("ranks", "league")}, tmp_path, ("svg",))
        said = {name: Figure(tmp_path / f"{name}.svg").everything for name in ("ranks", "league")}
        assert f"1 being the best, by the {model}-effect" in said["ranks"]
        assert said["league"].count("the common-effect model replaces random effects") == replaced


def test_indirect_evidence_that_does_not_exist_is_empty_and_says_why(made_up):
    """The second and third arms of a trial are not independent evidence on its other contrasts."""
    drawn = figure(made_up, "pcr_network", "split")
    found = [
        row for row in rows(folder(made_up, "pcr_network") / "split.csv")
        if float(row["direct_share"]) < 0.9995
    ]  # fmt: skip
    assert found
    for row in found:
        assert (row["indirect"], row["difference"]) == ("", "")
        pair = f"{row['first']} v {row['second']}"
        word = under(drawn, drawn.named(pair), "Indirect")
        assert drawn.cells(word)[1:] == ["not shown"]
        assert not [
            s for s in drawn.level_at(word.y - 1) if s.to_x - s.x < 100 and s.to_x - s.x > 3
        ]
        assert pair in drawn.everything.partition("Indirect evidence cannot be separated")[2]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_component_has_its_effect(made_up, network):
    drawn = figure(made_up, network, "components")
    axis, names = drawn.across(), agents(made_up)
    shown = rows(folder(made_up, network) / "components.csv", kind="component", model="random_reml")
    for row in shown:
        if not row["estimate"]:
            continue
        label = names.get(row["component"], row["component"].capitalize())
        label = {"Almab exotoxin (A-X)": "A-X"}.get(label, label)
        if float(row["trials"]) < 2:
            # A difference between arms within one trial is not the effect of adding the component.
            assert not [w for w in drawn.words if w.text.strip() == label], label
            assert label in drawn.everything.partition("In the table only")[2]
            continue
        word = drawn.named(label)
        assert says(result(drawn, word), floats(row, *EFFECT)), label
        drawn_at(drawn, axis, word, *floats(row, *EFFECT), mark=False)
    favoured(drawn, network, "adding it", "leaving it out")


def test_components_that_two_trials_carry_are_not_said_to_be_left_out(made_up):
    net = ShownNetwork(pcr_network(made_up), style_for(180))
    carried = net.tables["components"].assign(trials=2)
    words = " ".join(text.text for text in components(with_table(net, "components", carried)).texts)
    assert "In the table only" not in words
    assert "In the table only" in " ".join(text.text for text in components(net).texts)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ([1.5, 1.5], "Without its weakest link, a path is left for each of the"),
        ([1.5, float("nan")], "Without its weakest link, no path is left for 1 of the"),
    ],
    ids=["every", "all but one"],
)
def test_comparisons_that_keep_a_path_are_not_said_to_lose_it(made_up, without, said):
    net = ShownNetwork(pcr_network(made_up), style_for(180))
    found = net.tables["alternatives"]
    links = found.assign(without_weakest=[without[-1]] + without[:1] * (len(found) - 1))
    words = " ".join(
        text.text for text in alternatives(with_table(net, "alternatives", links)).texts
    )
    assert said in words


def test_a_plus_is_explained_where_a_number_of_patients_has_one(made_up):
    """A regimen of which no trial states its patients has a dash, and no plus."""
    net = ShownNetwork(pcr_network(made_up), style_for(180))
    nodes = net.tables["nodes"]
    for patients, unstated, notes in ((0, 1, 0), (50, 1, 1), (50, 0, 0)):
        table = nodes.assign(patients=patients, unstated=unstated)
        shown = with_table(net, "nodes", table)
        assert len(shown.partly_stated(list(nodes["code"]))) == notes


def test_of_comparisons_with_one_weakest_link_the_most_is_told(made_up):
    net = ShownNetwork(pcr_network(made_up), style_for(180))
    found = net.tables["alternatives"]
    wider = [1.5, 2.5] + [2.0] * (len(found) - 2)
    links = found.assign(weakest_link="A v B", without_weakest=wider)
    words = " ".join(
        text.text for text in alternatives(with_table(net, "alternatives", links)).texts
    )
    assert "without A v B, intervals 2.5 times as wide at most." in words


def test_one_trial_with_all_four_arms_is_enough_to_show_an_interaction_by_itself(made_up):
    net = ShownNetwork(pcr_network(made_up), style_for(180))
    found = net.tables["interactions"]
    assert (found["reason"] == "").sum() > 1
    for alone, said in (([0] * len(found), True), ([1] + [0] * (len(found) - 1), False)):
        shown = components(with_table(net, "interactions", found.assign(trials_alone=alone)))
        words = " ".join(text.text for text in shown.texts)
        assert ("none shows an interaction by itself" in words) == said


def test_a_cautious_model_that_leads_gives_the_probability_of_benefit_too(made_up):
    """Next to its interval, that of another prior would contradict it."""
    found = pcr_network(made_up)
    parts = tuple(
        replace(part, models=tuple(
            replace(model, role="lead" if model.name == "bayesian" else "") for model in part.models
        )) for part in found.parts
    )  # fmt: skip
    tables = network_tables(replace(found, parts=parts), "")
    chances = {
        (row["first"], row["second"]): row["probability_of_benefit"]
        for row in records(tables["league"]) if row["model"] == "bayesian"
    }  # fmt: skip
    told = [row for row in records(tables["alternatives"]) if not row["reason"]]
    assert told
    for row in told:
        assert row["probability_of_benefit"] == chances[row["code"], row["comparator"]]


def test_figures_of_each_of_several_parts_say_which(made_up):
    """Ranks of the largest part alone would be taken for those of every regimen."""
    found = pcr_network(made_up)
    (part,) = found.parts
    drawings = network_drawings(
        replace(found, parts=(part, replace(part, number=2))), style_for(180)
    )
    for name, number in (("ranks", 1), ("ranks_2", 2), ("contributions", 1)):
        assert drawings[name].title.endswith(f" of part {number}")


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (
            "bemab|concurrent|none",
            "A+B adapted is a separate node here; other analyses exclude it: ",
        ),
        (
            "bemab|concurrent|none|own",
            "A+B adapted and B own are separate nodes here; other analyses exclude them: ",
        ),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_separate_node_is_named_on_either_side_of_a_hazard_ratio(made_up, against, said, turned):
    net = ShownNetwork(pcr_network(made_up), style_for(180))
    first, second = ("almab+bemab|concurrent|none|adapted", "A+B adapted"), (against, "B own")
    if turned and "own" not in against:
        first, second = second, first
    row = net.analysis.evidence.used.iloc[[0]].assign(
        regimen=first[0], code=first[1], against=second[0], against_code=second[1],
        exclusion_overridden="Adapted.",
    )  # fmt: skip
    evidence = replace(net.analysis.evidence, used=row)
    shown = replace(net, analysis=replace(net.analysis, evidence=evidence))
    assert list(shown.overridden()) == [f"{said}Adapted."]


def with_table(net, name, table):
    """The same network with one table replaced."""
    other = replace(net)
    other.__dict__["tables"] = {**net.tables, name: table}
    return other


@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_synergy_is_probable_where_the_interaction_lies_on_the_side_of_benefit(made_up, network):
    drawn, names = figure(made_up, network, "components"), agents(made_up)
    below = NETWORKS[network][1] == "hazard_ratio"
    found = rows(folder(made_up, network) / "interactions.csv")
    shown = [row for row in found if row["estimate"]]
    assert shown
    for row in shown:
        word = drawn.named(f"{names[row['first']]} × {names[row['second']]}")
        cells = drawn.cells(word)
        assert says(next(c for c in cells if "(" in c), floats(row, *EFFECT))
        assert (row["probability_of_synergy"] == "") == (row["confounded_with"] != "")
        if row["confounded_with"]:
            # The trials cannot attribute it to one pair.
            assert cells[-1] == "–"
            continue
        probability = float(row["probability_of_synergy"])
        assert cells[-1] == f"{100 * probability:.0f}%"
        beneficial = (float(row["posterior_median"]) < 1) == below
        assert (probability > 0.5) == beneficial, row


@pytest.mark.parametrize("network", ["pcr_network", "progression_free_network"])
def test_observed_and_predicted_are_not_exchanged(made_up, network):
    drawn = figure(made_up, network, "additivity")
    x, y = drawn.across(), drawn.upright()
    found = [
        row for row in rows(folder(made_up, network) / "additivity.csv", kind="regimen")
        if row["observed"] and row["predicted"]
    ]  # fmt: skip
    placed = 0
    for row in found:
        at = x.at(float(row["predicted"])), y.at(float(row["observed"]))
        marks = drawn.marks_at(*at)
        if any(w.text.strip() == row["code"] for w in drawn.words):
            assert marks, row["code"]
            assert near(drawn, row["code"], at), row["code"]
            placed += 1
    assert placed > 1
    title = " ".join(w.text for w in drawn.words)
    assert "Observed" in title
    assert "as the sum of the components" in title


@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_contributions_stand_under_their_regimen(made_up, network):
    drawn = figure(made_up, network, "contributions")
    nodes = {row["code"]: row for row in rows(folder(made_up, network) / "nodes.csv")}
    (reference,) = (code for code, row in nodes.items() if row["reference"] == "yes")
    heads = {code: drawn.stacked(code) for code in nodes if code != reference}
    checked, shades = 0, []
    for row in rows(folder(made_up, network) / "contributions.csv"):
        pair = {row["first"], row["second"]} - {reference}
        if len(pair) != 1 or float(row["share"]) < 0.005:
            continue
        word = drawn.named(f"{row['direct_first']} v {row['direct_second']}")
        head = heads[pair.pop()]
        cell = drawn.below_heading(head, word)
        assert abs(float(cell) - 100 * float(row["share"])) <= 0.501, row
        x, y = middle(head)[0], middle(word)[1]
        (fill,) = (s.fill for s in drawn.shapes if s.fill != "none" and s.box[3] - s.box[1] < 40
                   and s.box[0] < x < s.box[2] and s.box[1] < y < s.box[3])  # fmt: skip
        shades.append((float(row["share"]), -int(fill[1:3], 16)))
        checked += 1
    assert checked > 5
    # Larger values are darker.
    assert [shade for _, shade in sorted(shades)] == sorted(shade for _, shade in shades)


# ------------------------------------------------------------------------ synergy and surrogacy


@pytest.mark.parametrize("scale", SYNERGY)
def test_the_arms_of_synergy_stand_in_their_columns(made_up, scale):
    drawn = figure(made_up, "pcr_network", f"synergy_{scale}")
    axis = drawn.across()
    ratio = scale in {"multiplicative", "log_odds"}
    every = rows(folder(made_up, "pcr_network") / "synergy.csv", scale=scale, kind="trial")
    found = [row for row in every if row["background_source"].startswith("implied")]
    background = f"{100 * float(found[0]['background']):.0f}%"
    assert f"partner alone): {background}; implied by the additive" in drawn.everything
    arms = {}
    for row in rows(folder(made_up, "pcr_network") / "used.csv"):
        arms[row["trial_id"], row["code"]] = float(row["events"]) / float(row["n"])
    assert len(found) == 3
    for row in found:
        word = drawn.named(row["trial"])
        cells = drawn.cells(word)
        alone = [arms[row["trial_ids"], row[which]] for which in ("first", "second")]
        assert [*alone] == pytest.approx(floats(row, "response_first", "response_second"))
        shares = [*alone, float(row["observed"]), float(row["expected"])]
        assert cells[1:5] == [f"{100 * share:.0f}%" for share in shares], row["trial"]
        scaled = floats(row, *EFFECT) if ratio else [100 * x for x in floats(row, *EFFECT)]
        assert says(next(c for c in cells if "(" in c), scaled, digits=2 if ratio else 0)
        drawn_at(drawn, axis, word, *scaled, mark=True)
        # More responses than expected lie to the right of no difference.
        assert (shares[2] > shares[3]) == (scaled[0] > (1 if ratio else 0))
    pools = rows(folder(made_up, "pcr_network") / "synergy.csv", scale=scale, kind="pooled")
    pools = [floats(row, *EFFECT) for row in pools if row["estimate"]]
    pools = [[x if ratio else 100 * x for x in ends] for ends in pools]
    subtotals = drawn.all_named("Pooled")
    assert subtotals
    whole = next(w for w in drawn.words if w.text.startswith("All trials ("))
    for word in (*subtotals, whole):
        shown = next(ends for ends in pools if says(result(drawn, word), ends, 2 if ratio else 0))
        low, tip, high = diamond(drawn, word)
        assert (tip, low, high) == pytest.approx([axis.at(end) for end in shown], abs=1.0)
    # The dashed line extends down to the pool of all trials.
    (dashed,) = (line for line in drawn.segments() if line.dashed)
    assert dashed.x == pytest.approx(tip, abs=0.3)
    left, right = drawn.sides()
    assert left.startswith("Less")
    assert right.startswith("More")
    assert [w for w in drawn.words if w.text.strip() == "First"]


def test_trials_of_one_pair_of_agents_are_pooled_once(made_up):
    """A subtotal of all trials would be read as a second result."""
    configuration = read_configuration(made_up.folder / "config")
    networks = read_networks(made_up.folder / "config", configuration)
    (entry,) = (one for one in networks.synergy if one.network == "pcr_network")
    found = pcr_network(made_up)

    def synergy(evidence):
        return synergy_results(entry, evidence, configuration, found.added)

    every = synergy(found.evidence)
    (pair,) = {pool.agents for pool in every.pools} - {"all"}
    trials = [trial for trial, about in every.trials.items() if about["agents"] == pair]
    assert 1 < len(trials) < len(every.trials)
    used = found.evidence.used
    alike = replace(found.evidence, used=used[used["trial_id"].isin(trials)])
    assert {pool.agents for pool in synergy(alike).pools} == {"all"}


@pytest.mark.parametrize("scale", SYNERGY)
def test_the_more_a_trial_of_synergy_knows_the_larger_is_its_square(made_up, scale):
    """Squares of equal size would suggest that all trials count the same."""
    drawn = figure(made_up, "pcr_network", f"synergy_{scale}")
    sizes = []
    every = rows(folder(made_up, "pcr_network") / "synergy.csv", scale=scale, kind="trial")
    for row in (row for row in every if row["background_source"].startswith("implied")):
        low, high = floats(row, *EFFECT[1:])
        width = log(high / low) if scale in {"multiplicative", "log_odds"} else high - low
        y = middle(drawn.named(row["trial"]))[1]
        (square,) = (m for m in drawn.marks(12.0) if abs(m.y - y) < 2.6)
        sizes.append((width, square.width))
    widths = [width for _, width in sorted(sizes)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1] + 0.5


def test_the_trials_of_surrogacy_lie_at_both_their_effects(made_up):
    place = made_up.results / "neoadjuvant/network/pcr_and_event_free"
    drawn = Figure(place / "surrogacy.svg")
    x, y = drawn.across(), drawn.upright()
    sizes = []
    for row in rows(place / "trials.csv"):
        at = x.at(float(row["odds_ratio"])), y.at(float(row["hazard_ratio"]))
        (mark, *_) = drawn.marks_at(*at)
        assert near(drawn, row["trial"], at), row["trial"]
        sizes.append((float(row["patients"]), round(mark.width, 2)))
    # The area of a disc is proportional to the number of patients.
    assert [width for _, width in sorted(sizes)] == sorted(width for _, width in sizes)
    assert len({width for _, width in sizes}) > 2
    assert "Hazard ratio (↑ shorter survival; ↓ longer survival)" in drawn.everything
    assert "Odds ratio of response" in drawn.everything


def test_surrogacy_that_one_trial_decides_has_neither_line_nor_threshold(made_up):
    """The effect of leaving it out comes first in the figure and its description."""
    place = made_up.results / "neoadjuvant/network/pcr_and_event_free"
    drawn, said = Figure(place / "surrogacy.svg"), rows(place / "models.csv")
    main = one(place / "models.csv", role="main", model="bivariate")
    left = one(place / "models.csv", role="leave-one-out", model="bivariate", without="JUNIPER")
    assert (main["slope"], main["r2"]) == ("", "")
    assert {row["threshold_odds_ratio"] for row in said} == {""}
    (leverage,) = (
        float(row["leverage"]) for row in rows(place / "trials.csv") if row["trial"] == "JUNIPER"
    )
    first = f"Without JUNIPER (leverage {leverage:.2f}) the slope (bivariate) is "
    first += f"{float(left['slope']):.2f} instead of"
    assert first in main["reason"]
    assert first in drawn.everything
    listed = rows(
        made_up.results / "neoadjuvant/network/figures.csv", analysis="pcr_and_event_free"
    )
    title = listed[0]["title"]
    assert listed[0]["description"].startswith(f"{title}: {first}")
    for word in ("Fitted line", "Threshold effect"):
        assert word not in drawn.everything


@pytest.mark.parametrize("network", ["pcr_network", "event_free_network"])
def test_the_share_of_direct_evidence_is_that_of_the_split(made_up, network):
    """Indirect evidence that cannot be separated is evidence none the less."""
    place = folder(made_up, network)
    split = {
        frozenset((row["first"], row["second"])): float(row["direct_share"])
        for row in rows(place / "split.csv")
    }
    told = [row for row in rows(place / "alternatives.csv") if row["direct_share"]]
    assert told
    for row in told:
        share = split.get(frozenset((row["code"], row["comparator"])), 0.0)
        assert float(row["direct_share"]) == pytest.approx(share, abs=5e-4)
