"""The stage on the made-up sheet: its files, its figures read back, and what it removes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figures.svg_reading import check_svg
from invented import PROJECT
from small_project import replace_text, small_project
from trial_evidence.cli import main
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.kept import Parts
from trial_evidence.loaded import DICTIONARY
from trial_evidence.network.alternatives import is_dual
from trial_evidence.network.analysis import analyse, reference_of
from trial_evidence.network.components.interactions import estimate_interaction
from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts, from_counts
from trial_evidence.network.evidence.nodes import nodes_of
from trial_evidence.network.evidence.rows import network_evidence
from trial_evidence.network.pictures.drawings import network_drawings
from trial_evidence.network.stage import examined_networks
from trial_evidence.network.tables import network_tables
from trial_evidence.network.within_trials.trial_level import NOT_FACTORIAL, surrogacy_results
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.report.trail.evidence import Evidence, read_network_tables
from trial_evidence.report.trail.explain import explain_row, explain_trial
from trial_evidence.report.trail.trace import network_trail
from trial_evidence.sheet import load_sheet, read_dictionary

EVERY_TABLE = {
    "used", "set_aside", "nodes", "comparisons", "contrasts", "summary", "intervals", "league",
    "reference", "ranks", "split", "inconsistency", "contributions", "transitivity", "components",
    "additivity", "interactions", "alternatives",
}  # fmt: skip


def run(folder, setting):
    places = [f"--{name}={folder / place}" for name, place in (
        ("raw", "data/raw"), ("config", "config"), ("results", "results"),
    )]  # fmt: skip
    assert main(["network", *places, f"--setting={setting}"]) == 0
    return folder / "results" / setting / "network"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    small_project(folder)
    return folder


@pytest.fixture(scope="module")
def early(project):
    stale = project / "results/neoadjuvant/network/gone/graph.svg"
    stale.parent.mkdir(parents=True)
    stale.touch()
    return run(project, "neoadjuvant")


def late_tables(project, config):
    """Tables of a network in parts, without the figures of its setting."""
    return tables_of(project, config, "metastatic_pretreated", "progression_free_network")


def tables_of(*of, **changes):
    return network_tables(analysis_of(*of, **changes), "pretreated")


def analysis_of(project, config, setting, network_id, **changes):
    content, _ = load_sheet(project / "data/raw", read_dictionary(DICTIONARY))
    configuration = replace(read_configuration(config), **changes)
    networks = read_networks(config, configuration)
    (network,) = (n for n in networks.of_setting(setting) if n.id == network_id)
    evidence = network_evidence(content, configuration, networks, network)
    return analyse(evidence, configuration)


@pytest.fixture(scope="module")
def late(project):
    return late_tables(project, project / "config")


def test_every_table_of_intervals_says_their_level_behind_the_limits(early):
    """In another program, a 90% interval would be taken for the usual 95% one."""
    behind = {}
    for file in early.rglob("*.csv"):
        table = pd.read_csv(file)
        names = list(table.columns)
        if any(name.endswith("_high") for name in names) and file.stem not in {"used", "figures"}:
            assert set(table["ci_level"]) <= {95}, file
            behind[file.stem] = names[names.index("ci_level") - 1]
    usual = ("alternatives", "components", "interactions", "league", "reference", "synergy")
    assert behind == dict.fromkeys(usual, "ci_high") | {
        "additivity": "ratio_high", "models": "r2_high", "split": "difference_high",
        "trials": "hazard_high",
    }  # fmt: skip


@pytest.fixture(scope="module")
def written(early):
    return read_network_tables(["neoadjuvant"], early.parents[1])


def test_every_table_of_a_network_is_written(early):
    tables = {path.stem for path in (early / "event_free_network").glob("*.csv")}
    assert tables == EVERY_TABLE
    assert {path.stem for path in (early / "pcr_network").glob("*.csv")} == EVERY_TABLE | {
        "synergy", "synergy_set_aside",
    }  # fmt: skip


def test_every_row_names_its_network_and_no_column_stands_twice(early):
    for path in (early / "pcr_network").glob("*.csv"):
        header = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
        assert len(set(header)) == len(header), path.name
        if "network" in header:
            rows = pd.read_csv(path, dtype=str)["network"]
            assert set(rows) <= {"pcr_network"}, path.name


def test_the_listing_names_the_figures_that_there_are(early):
    listed = pd.read_csv(early / "figures.csv")
    drawn = {f"{path.parent.name}/{path.stem}" for path in early.glob("*/*.svg")}
    assert {f"{a}/{f}" for a, f in zip(listed["analysis"], listed["figure"], strict=True)} == drawn
    assert not (listed["title"] == listed["description"]).any()
    assert listed["description"].str.contains(r"\d").all()


def test_what_is_not_known_is_not_drawn_as_nought(early):
    for path in early.glob("*/graph.svg"):
        assert ">0 patients<" not in path.read_text(encoding="utf-8"), path


def test_what_an_earlier_run_left_is_removed(early):
    assert not (early / "gone").exists()


def test_every_figure_reads_back_without_a_defect(early):
    assert {path.stem: check_svg(path) for path in early.glob("*/*.svg") if check_svg(path)} == {}


def test_a_network_counts_what_the_sheet_holds(early):
    # TRIAL-A and TRIAL-B compare the same two regimens, TRIAL-C three, TRIAL-L without
    # chemotherapy; TRIAL-D is excluded, COHORT-E is not randomised
    (summary,) = pd.read_csv(early / "pcr_network/summary.csv").to_dict("records")
    assert (summary["regimens"], summary["trials"], summary["comparisons"]) == (5, 4, 5)
    nodes = pd.read_csv(early / "pcr_network/nodes.csv").set_index("code")
    # 105 + 110 + 99 patients had trastuzumab with chemotherapy alone
    assert nodes.loc["T+CT", "patients"] == 314
    assert nodes.loc["T+CT", "events"] == 23 + 25 + 30
    compared = pd.read_csv(early / "pcr_network/comparisons.csv")
    (both,) = compared[compared["trials"] == 2].to_dict("records")
    assert {both["first"], both["second"]} == {"T+P+CT", "T+CT"}
    assert both["patients"] == 105 + 105 + 220 + 110
    reference = pd.read_csv(early / "pcr_network/reference.csv")
    direct = reference.drop_duplicates("code").set_index("code")["direct_trials"]
    assert direct.to_dict() == {"L+CT": 1, "T+L+CT": 1, "T+P": 0, "T+P+CT": 2}


def test_a_direct_effect_without_any_way_round_is_the_trial_s_own(early):
    league = pd.read_csv(early / "pcr_network/league.csv")
    one = league[
        (league["first"] == "T+P") & (league["second"] == "T+P+CT") & (league["model"] == "common")
    ]
    # TRIAL-L: 25 of 100 against 55 of 100
    assert one["estimate"].item() == pytest.approx((25 / 75) / (55 / 45))


def test_a_measure_without_an_empirical_prior_leaves_its_columns_empty(project, late, tmp_path):
    """The page reads the columns of every model, whatever the priors."""
    shutil.copytree(project / "config", tmp_path / "config")
    empirical = ", empirical: {inverse_gamma: [2.42, 0.30]}"
    methods = tmp_path / "config/config.yaml"
    methods.write_text(methods.read_text("utf-8").replace(empirical, ""), "utf-8")
    without = late_tables(project, tmp_path / "config")
    for name, table in late.items():
        assert list(without[name].columns) == list(table.columns), name
    assert without["alternatives"]["bayesian_empirical_low"].isna().all()


@pytest.mark.parametrize(
    ("place", "least", "most"),
    [
        (("neoadjuvant", "pcr_network"), 0.9, 1.0),
        (("metastatic_pretreated", "progression_free_network"), 0.0, 0.1),
    ],
    ids=["more is better", "fewer is better"],
)
def test_together_beyond_the_sum_is_synergy_of_responses_and_not_of_progressions(
    project, place, least, most
):
    # One trial with neither, each and both: log ratios 0, 0.1 and 1.1 against neither.
    trial = StudyContrasts(
        "one", ("O", "A", "B", "A+B"), np.array([0.0, 0.1, 1.1]), 0.01 * (np.eye(3) + 1)
    )
    parts = {"O": (), "A": ("A",), "B": ("B",), "A+B": ("A", "B")}
    found = estimate_interaction(NetworkData((trial,)), parts, ("A", "B"), HalfNormal(0.1))
    analysed = analysis_of(project, project / "config", *place)
    shown = replace(analysed.components, interactions=((("A", "B"), found),))
    tables = network_tables(replace(analysed, components=shown), "any")
    (chance,) = tables["interactions"]["probability_of_synergy"]
    assert least < chance < most


def test_every_interval_of_a_network_is_at_the_configured_level(project):
    """If another level is configured, a 95% interval would be labelled as 90%."""
    of_pcr = project, project / "config", "neoadjuvant", "pcr_network"
    at_95, at_90 = (tables_of(*of_pcr, confidence_level=level) for level in (95.0, 90.0))
    limits = [
        (name, column.removesuffix("_low"))
        for name, table in at_95.items()
        for column in table.columns
        if column.endswith("_low") and name != "used"  # as the trials printed them
    ]
    seen = set()
    for name, of in limits:
        usual, other = at_95[name], at_90[name]
        # Left out: what the trials do not determine, and differences that cannot arise.
        told = (usual[f"{of}_high"] > usual[f"{of}_low"]).to_numpy()
        assert (other[f"{of}_low"] > usual[f"{of}_low"])[told].all(), (name, of)
        assert (other[f"{of}_high"] < usual[f"{of}_high"])[told].all(), (name, of)
        levels = [set(table["ci_level"]) for table in (usual, other) if len(table)]
        assert levels in ([{95.0}, {90.0}], []), name
        seen |= {f"{name} {of}"} if told.any() else set()
    assert seen >= {
        "additivity observed", "additivity predicted", "components ci", "league ci", "league pi",
        "reference ci", "split combined", "split direct",
    }  # fmt: skip


def test_a_comparison_without_a_path_says_so(late):
    league = late["league"]
    empty = league[(league["first"] == "T+L") & (league["second"] == "T+CT")]
    assert empty["estimate"].isna().all()
    assert empty["reason"].str.contains("separate parts").all()


def test_a_part_counts_the_pairs_without_a_path_and_refers_to_its_most_frequent_regimen(late):
    nodes = late["nodes"]
    sizes = nodes.groupby("part").size()
    assert len(sizes) > 1
    found = late["summary"].set_index("part")["without_path"]
    assert found.to_dict() == {part: n * (len(nodes) - n) for part, n in sizes.items()}
    for _, part in nodes.groupby("part"):
        assert part.loc[part["reference"] == "yes", "trials"].item() == part["trials"].max()


@pytest.mark.parametrize(
    ("network", "more"), [("pcr_network", True), ("event_free_network", False)]
)
def test_a_benefit_is_more_responses_or_fewer_events(early, network, more):
    probable = [("reference", "estimate", "probability_of_benefit"),
                ("alternatives", "estimate", "probability_of_benefit"),
                ("interactions", "posterior_median", "probability_of_synergy")]  # fmt: skip
    seen = 0
    for table, middle, probability in probable:
        rows = pd.read_csv(early / network / f"{table}.csv").dropna(subset=[probability])
        seen += len(rows)
        assert ((rows[middle] > 1) == more).eq(rows[probability] > 0.5).all(), table
    assert seen > 2


def test_a_reference_that_no_trial_has_is_said_under_the_plot_against_the_reference(project):
    content, _ = load_sheet(project / "data/raw", read_dictionary(DICTIONARY))
    configuration = read_configuration(project / "config")
    networks = read_networks(project / "config", configuration)
    (network,) = (
        n
        for n in networks.of_setting("metastatic_pretreated")
        if n.id == "overall_survival_network"
    )

    def notes(reference):
        asked = replace(network, reference=reference)
        analysis = analyse(network_evidence(content, configuration, networks, asked), configuration)
        forest = network_drawings(analysis, style_for(180.0))["forest"]
        return " ".join(text.text for text in forest.texts)

    assert (
        "No trial of this network has L+CT, the reference asked for; the regimen with most trials "
        "takes its place."
    ) in notes("lapatinib|concurrent|chemotherapy")
    assert "takes its place" not in notes(network.reference)


def test_patients_that_a_trial_does_not_state_are_marked_as_missing(project):
    """A sum of the trials that do would be read as all patients."""
    analysis = analysis_of(project, project / "config", "neoadjuvant", "pcr_network")
    of = network_tables(analysis, "")["nodes"].set_index("regimen")
    assert not of["unstated"].any()
    regimen = of["trials"].idxmax()
    used = analysis.evidence.used
    first = used["trial_id"] == used.loc[used["regimen"] == regimen, "trial_id"].iloc[0]
    used = used.assign(n=used["n"].mask(first & (used["regimen"] == regimen)))
    lacking = replace(analysis, evidence=replace(analysis.evidence, used=used))
    found = network_tables(lacking, "")["nodes"].set_index("regimen").loc[regimen]
    assert (found["unstated"], found["patients"] < of.loc[regimen, "patients"]) == (1, True)
    for name, said in (("graph", f"{found['patients']:,}+ patients"),
                       ("forest", f"{found['patients']:,}+")):  # fmt: skip
        words = [w.text for w in network_drawings(lacking, style_for(180.0))[name].texts]
        full = [w.text for w in network_drawings(analysis, style_for(180.0))[name].texts]
        assert said in words
        assert said not in full
        assert "+: not every trial states its number of patients." in words
        assert not [text for text in full if text.startswith("+:")]


def test_a_trial_whose_report_differs_from_that_of_a_pool_is_named_under_the_plot(project):
    """Its hazard ratio there is another, and later, than in the pairwise forest plot."""
    analysis = analysis_of(project, project / "config", "neoadjuvant", "event_free_network")
    evidence = analysis.evidence
    reason = "another report joins 4 regimens of the trial, this one fewer"
    rows = pd.DataFrame(
        {"trial": ["B", "A", "C", "A"], "reason": [reason, reason, "other", reason]}
    )

    def notes(aside):
        found = replace(analysis, evidence=replace(evidence, set_aside=aside))
        page = network_drawings(found, style_for(180.0))["forest"]
        return " ".join(text.text for text in page.texts)

    assert "A and B: the report that compares most regimens; a pairwise analysis" in notes(rows)
    assert "compares most regimens" not in notes(rows[rows["reason"] == "other"])


def test_a_part_without_the_reference_asked_for_refers_to_what_most_trials_have():
    regimens = {name: f"{name}|concurrent|none" for name in ("a", "a+b", "c", "d", "e")}
    compared = [("a+b", "a"), ("c", "a"), ("d", "c"), ("a+b", "d"), ("e", "a")]
    studies = (
        from_counts(f"t{n}", [regimens[name] for name in pair], [20, 30], [99, 99], "odds_ratio")
        for n, pair in enumerate(compared)
    )
    data = NetworkData(tuple(studies))
    nodes = nodes_of(data.treatments, {}, {})
    assert reference_of(data, "not there", nodes) == regimens["a"]
    assert reference_of(data, regimens["d"], nodes) == regimens["d"]


@pytest.mark.parametrize(
    ("regimen", "dual"),
    [
        ("a+b|concurrent|chemotherapy", True),
        ("a+b|sequential|chemotherapy", False),
        ("a+b|concurrent|chemotherapy|adapted", False),
        ("a|concurrent|chemotherapy", False),
        ("none|concurrent|chemotherapy", False),
    ],
)
def test_two_agents_at_a_time_are_dual(regimen, dual):
    assert is_dual(regimen) == dual


def test_ranks_begin_with_more_responses_or_fewer_events_and_new_trials_vary_more(early):
    # 49 of 100 against 24 of 101 responses in TRIAL-C; hazard ratios of 0.62 and 0.68.
    for network, better, worse in (
        ("pcr_network", "T+L+CT", "L+CT"), ("event_free_network", "T+P+CT", "T+CT"),
    ):  # fmt: skip
        ranks = pd.read_csv(early / network / "ranks.csv").drop_duplicates("code").set_index("code")
        assert ranks.loc[better, "p_score"] > ranks.loc[worse, "p_score"]
        assert ranks.loc[better, "mean_rank"] < ranks.loc[worse, "mean_rank"]
        league = pd.read_csv(early / network / "league.csv").dropna(subset=["pi_low"])
        assert set(league["model"]) > {"bayesian"}
        assert (league["pi_low"] <= league["ci_low"] * (1 + 1e-9)).all()
        assert (league["pi_high"] >= league["ci_high"] * (1 - 1e-9)).all()


def test_synergy_is_found_where_agents_are_alone_and_together(early):
    synergy = pd.read_csv(early / "pcr_network/synergy.csv")
    trials = synergy[(synergy["scale"] == "bliss") & (synergy["kind"] == "trial")]
    assert set(trials["trial"]) == {"TRIAL-C"}
    # 1 - (1 - 30/99)(1 - 24/101) with no background
    assert (trials["estimate"] > 0).eq(trials["probability_of_synergy"] > 0.5).all()
    at_zero = trials[trials["background"] == 0.0]
    assert at_zero["expected"].item() == pytest.approx(1 - (69 / 99) * (77 / 101))
    assert at_zero["estimate"].item() == pytest.approx(0.49 - (1 - (69 / 99) * (77 / 101)))


def test_an_expected_rate_above_all_patients_is_said_to_be_none(tmp_path):
    small_project(tmp_path)
    # Single arms of 80 and 50%: multiplying their risk ratios gives more patients than there are.
    for old, new in (("30,99,30.3", "79,99,79.8"), ("24,101,23.8", "50,101,49.5"),
                     ("49,100,49.0", "88,100,88.0")):  # fmt: skip
        replace_text(tmp_path, "pcr", f"all,{old},doe_2020", f"all,{new},doe_2020")
    content, _ = load_sheet(tmp_path / "data/raw", read_dictionary(DICTIONARY))
    configuration = read_configuration(tmp_path / "config")
    networks = read_networks(tmp_path / "config", configuration)
    asked = configuration, networks, content, "neoadjuvant", style_for(180.0), Parts()
    pages = examined_networks(*asked).pages

    def said(scale):
        return " ".join(text.text for text in pages[f"pcr_network/synergy_{scale}"].texts)

    assert (
        "More than 100% is expected in TRIAL-C: no result there could exceed what is expected, so "
        "this scale does not fit."
    ) in said("multiplicative")
    # The number of patients who respond to neither agent cannot be negative.
    assert "More than 100%" not in said("bliss")


def test_surrogacy_pairs_the_effects_of_one_contrast(early):
    trials = pd.read_csv(early / "pcr_and_event_free/trials.csv").set_index("trial")
    assert set(trials.index) == {"TRIAL-A", "TRIAL-B", "TRIAL-C"}
    # TRIAL-C: both agents against one, 49 of 100 against 30 of 99, and a hazard ratio of 0.80
    assert trials.loc["TRIAL-C", "odds_ratio"] == pytest.approx((49 / 51) / (30 / 69))
    assert trials.loc["TRIAL-C", "hazard_ratio"] == pytest.approx(0.80)
    # Rows 13 and 16 of pcr.csv, row 4 of hazard_ratios.csv
    assert trials.loc["TRIAL-C", "pcr_rows"] == "13;16"
    assert str(trials.loc["TRIAL-C", "hazard_ratios_rows"]) == "4"
    models = pd.read_csv(early / "pcr_and_event_free/models.csv")
    assert models["reason"].str.contains("at least").all()
    # regression and bivariate model side by side, whatever their results
    main = models[models["role"] == "main"]
    assert main["model"].tolist() == ["weighted regression", "bivariate"]
    cautions = pd.read_csv(early / "pcr_and_event_free/cautions.csv")["caution"]
    assert cautions.iloc[0].startswith("3 trials")


def test_no_comparison_is_called_the_most_frequent_where_each_was_made_by_one_trial(early):
    shown = pd.read_csv(early / "figures.csv").set_index(["analysis", "figure"])
    said = shown.loc[("overall_survival_network", "graph"), "description"]
    trials = pd.read_csv(early / "overall_survival_network/comparisons.csv")["trials"]
    assert set(trials) == {1}
    assert said.endswith(" No two regimens were compared by more than one trial.")


def effects_of(folder):
    """The first analysis of surrogacy and the two networks that supply its effects."""
    sheet, _ = load_sheet(folder / "data/raw", read_dictionary(DICTIONARY))
    configuration = read_configuration(folder / "config")
    networks = read_networks(folder / "config", configuration)
    (entry, *_) = networks.surrogacy
    surrogate, endpoint = (
        network_evidence(sheet, configuration, networks, network)
        for name in (entry.surrogate, entry.endpoint)
        for network in networks.of_setting(entry.setting)
        if network.id == name
    )
    return entry, surrogate, endpoint


def test_what_the_sheet_says_of_a_hazard_ratio_is_told_where_surrogacy_uses_it(tmp_path):
    entry, surrogate, endpoint = effects_of(small_project(tmp_path))
    doubted = replace(endpoint, used=endpoint.used.assign(note="It is uncertain which arms."))
    found = surrogacy_results(entry, surrogate, doubted, 95)
    assert set(found.table["note"]) == {"It is uncertain which arms."}


def test_trials_that_are_called_alike_are_told_apart(tmp_path):
    """Short names end before a bracket; surrogacy leaves out one trial at a time by name."""
    small_project(tmp_path)
    place = tmp_path / "data/raw/trials.csv"
    text = place.read_text(encoding="utf-8")
    text = text.replace("TRIAL-A", "TRIAL (first)").replace("TRIAL-B", "TRIAL (second)")
    place.write_text(text, encoding="utf-8")
    found = surrogacy_results(*effects_of(tmp_path), 95)
    assert {"TRIAL (trial_a)", "TRIAL (trial_b)"} <= set(found.table["trial"])


def test_a_trial_without_an_odds_ratio_is_no_pair_of_surrogacy(tmp_path):
    """No response in two of three arms: the trial is in the network, but this contrast is not."""
    entry, surrogate, endpoint = effects_of(small_project(tmp_path))
    trial = surrogacy_results(entry, surrogate, endpoint, 95).table["trial_id"].iloc[0]
    used = surrogate.used
    without = replace(
        surrogate, used=used.assign(events=used["events"].mask(used["trial_id"] == trial, 0))
    )
    assert trial not in set(surrogacy_results(entry, without, endpoint, 95).table["trial_id"])


def test_trials_that_say_nothing_of_synergy_are_named(early):
    left = pd.read_csv(early / "pcr_network/synergy_set_aside.csv").set_index("trial")
    assert set(left.index) == {"TRIAL-A", "TRIAL-B", "TRIAL-L"}
    assert set(left["reason"]) == {NOT_FACTORIAL}


# --------------------------------------------------------------------- from results to cells


def test_the_effects_of_a_network_lead_to_the_rows_of_its_part(written):
    trace = network_trail(written, PROJECT).table().set_index(["analysis", "plotted"])
    effect = trace.loc[("pcr_network", "T+P+CT v T+CT, random_reml")]
    # TRIAL-A rows 2 and 5 of tests/sheets/valid/pcr.csv, B 11 and 12, C 13, 16 and 19
    for row in (2, 5, 11, 12, 13, 16, 19):
        assert f"pcr.csv row {row}" in effect["cells"].split("; ")
    assert (effect["measure"], effect["k"]) == ("odds_ratio", 4)
    counts = trace.loc[("pcr_network", "T+L+CT")]
    assert (counts["trial_id"], counts["effect_size"], counts["cells"]) == (
        "trial_c", "49/100", "pcr.csv row 13",
    )  # fmt: skip


def test_every_row_of_the_trace_of_a_network_names_rows_of_its_trials(written, early):
    content, _ = load_sheet(early.parents[2] / "data/raw", read_dictionary(DICTIONARY))
    found = network_trail(written, PROJECT).table()
    assert {"synergy, bliss", "hazard_ratio", "odds_ratio"} <= set(found["measure"])
    for row in found.to_dict("records"):
        trials = set()
        for table, numbers in re.findall(r"(\w+)\.csv rows? ([\d, ]+)", row["cells"]):
            frame = content[table].set_index("row")
            trials |= {frame.loc[int(number), "trial_id"] for number in numbers.split(", ")}
        assert trials == set(row["trial_id"].split(";")), row


def test_a_row_is_explained_in_its_networks(written, early):
    content, _ = load_sheet(early.parents[2] / "data/raw", read_dictionary(DICTIONARY))
    empty = pd.DataFrame(columns=["trial_id", "analysis", "measure", "rows", "table", "row"])
    found = Evidence(empty, empty, empty, empty, empty, written)
    # TRIAL-A by ypT0/is ypN0, 42 of 105
    used = explain_row("pcr", 2, content, found, PROJECT).splitlines()
    assert "pcr_network (neoadjuvant), network" in used
    assert "  node       T+P+CT" in used
    assert "  effect     42/105; counts of the arms" in used
    # TRIAL-D is excluded from everything
    left = explain_row("pcr", 22, content, found, PROJECT)
    assert re.search(r"pcr_network \(neoadjuvant\), network\n  set aside  \S", left)
    assert "No analysis uses this row." not in left
    trial = explain_trial("trial_a", "pcr_network", content, found, PROJECT)
    assert "  node       T+P+CT" in trial
    assert f"  synergy within trials: {NOT_FACTORIAL}" in trial
