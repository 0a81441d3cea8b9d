"""Files for R, RevMan and CINeMA have the data that were pooled, and the JSON equals the table."""

import copy
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import trial_evidence
from jsonschema import Draft202012Validator
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.exchange.for_cinema import RISK, plain_codes
from trial_evidence.exchange.for_r import KEYS, files_for_r, pooled_effects
from trial_evidence.exchange.stage import write_exchange
from trial_evidence.files import read_table, records
from trial_evidence.loaded import load
from trial_evidence.network.evidence.contrasts import NetworkData, from_counts, from_pairwise
from trial_evidence.network.fit.league import fit_network
from trial_evidence.pool.columns import ESTIMATE_NUMBERS
from trial_evidence.report.material.material import read_evidence


@pytest.fixture(scope="module")
def effects(pooled):
    _, configuration, evidence = pooled
    return pooled_effects(configuration, evidence)


def natural(measure, value):
    if "difference" in measure:
        return value
    return 1 / (1 + math.exp(-value)) if measure == "proportion" else math.exp(value)


def test_every_pool_has_its_effects_and_they_give_its_common_estimate(pooled, effects):
    """Otherwise R would confirm results that are not those of the report."""
    estimates = pooled[2].estimates
    pools = estimates[estimates["model"].isin(["common", "single_trial"])]
    kinds = set()
    for pool in records(pools):
        rows = effects[np.logical_and.reduce([effects[key] == pool[key] for key in KEYS])]
        if pool["model"] == "single_trial" and len(rows) > 1:
            # Trials shown individually are pools of one trial each.
            rows = rows[rows["trial"] == pool["trials"]]
        assert len(rows) == pool["k"], pool
        weights = 1 / rows["vi"]
        mean = float((weights * rows["yi"]).sum() / weights.sum())
        assert natural(pool["measure"], mean) == pytest.approx(pool["estimate"], rel=1e-9)
        kinds.add((pool["measure"] == "proportion", "_of_" in pool["measure"]))
    assert kinds == {(False, False), (True, False), (False, True)}


def test_a_trial_that_keeps_its_printed_limits_is_named(pooled, effects):
    """For the others, R calculates Wald limits; the normal quantile is from a table."""
    estimates = pooled[2].estimates.query("model == 'single_trial' and measure == 'hazard_ratio'")
    seen = set()
    for pool in records(estimates):
        rows = effects[np.logical_and.reduce([effects[key] == pool[key] for key in KEYS])]
        (row,) = records(rows[rows["trial"] == pool["trials"]])
        seen.add(row["published"])
        limits = [math.exp(row["yi"] + z * math.sqrt(row["vi"])) for z in (-1.959964, 1.959964)]
        if row["published"] == "":
            assert [pool["ci_low"], pool["ci_high"]] == pytest.approx(limits, rel=1e-6)
        else:
            # As printed, so with few decimals.
            assert all(round(pool[name], 3) == pool[name] for name in ("ci_low", "ci_high"))
    assert seen == {"", "yes"}


def test_groups_of_trials_are_named_for_the_test_between_them(pooled, effects):
    tests = pooled[2].estimates.query("model == 'subgroup_difference'")
    assert len(tests)
    for test in records(tests):
        rows = effects[np.logical_and.reduce([effects[key] == test[key] for key in KEYS])]
        assert rows["group"].nunique() == test["q_df"] + 1 or math.isnan(test["q_df"])


@pytest.mark.parametrize(
    ("analysis", "trial", "counts"),
    [
        ("pcr_dual_v_almab", "alder", [49, 107, 29, 104]),
        ("pcr_rates", "alder", [49, 107]),
    ],
)
def test_counts_stand_with_their_arms(exchanged, analysis, trial, counts):
    """R pools counts without effect sizes: Mantel-Haenszel, Peto, binomial-normal."""
    rows = table(exchanged, f"r/neoadjuvant/{analysis}.csv")
    row = rows[(rows["trial"] == trial) & (rows["subgroup"] == "all")].iloc[0]
    names = ["events_experimental", "n_experimental", "events_control", "n_control"]
    assert [float(row[name]) for name in names if row[name] != ""] == counts


def test_the_script_has_the_priors_of_the_configuration(pooled):
    _, configuration, evidence = pooled
    script = files_for_r(configuration, evidence)["r/agreement.R"]
    assert "hazard_ratio = half_normal(0.5)" in script
    assert "hazard_ratio = inverse_gamma(2.42, 0.3)" in script
    assert "proportion = half_normal(1)" in script


# ------------------------------------------------------------------------------- what is written


@pytest.fixture(scope="module")
def exchanged(made_up, tmp_path_factory):
    """The folder with the results of the made-up project and the outputs of the stage."""
    raw, config = made_up.folder / "data/raw", made_up.folder / "config"
    configuration, sheet, _ = load(raw, config)
    networks = read_networks(config, configuration)
    evidence = read_evidence(configuration, made_up.folder / "data/processed", made_up.results)
    results = tmp_path_factory.mktemp("exchange") / "results"
    for setting in configuration.settings:
        (results / setting).mkdir(parents=True)
        estimates = (made_up.results / setting / "estimates.csv").read_bytes()
        (results / setting / "estimates.csv").write_bytes(estimates)
    old = results / "exchange/cinema/neoadjuvant/gone_arms.csv"
    old.parent.mkdir(parents=True)
    old.write_text("id\n", encoding="utf-8")
    old.with_name("my notes.txt").write_text("Seen.", encoding="utf-8")
    gone = results / "exchange/cinema/gone/files.csv"
    gone.parent.mkdir()
    gone.write_text("id\n", encoding="utf-8")
    # As an earlier run listed what it had written.
    made = ("cinema/neoadjuvant/gone_arms.csv", "cinema/gone/files.csv")
    (results / "exchange/files.txt").write_text("\n".join(made), encoding="utf-8")
    (results / "exchange/r").mkdir()
    (results / "exchange/r/mine.R").write_text("library(metafor)\n", encoding="utf-8")
    write_exchange(configuration, networks, sheet, evidence, results)
    return results


def table(exchanged: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(exchanged / "exchange" / name, keep_default_na=False)


def test_an_old_file_is_not_left_to_be_read_and_one_of_the_readers_own_stays(exchanged):
    folder = exchanged / "exchange/cinema/neoadjuvant"
    assert not (folder / "gone_arms.csv").exists()
    assert (folder / "my notes.txt").exists()
    assert (exchanged / "exchange/r/mine.R").exists()
    # The folder of a setting that no longer exists is removed as well.
    assert not (exchanged / "exchange/cinema/gone").exists()


# ---------------------------------------------------------------------------------------- CINeMA


def listed(exchanged: Path, format: str) -> list[dict]:
    files = table(exchanged, "cinema/files.csv")
    return records(files[files["format"] == format])


@pytest.mark.parametrize(
    ("format", "columns"),
    [
        ("binary, long", ["id", "t", "r", "n", "rob", "indirectness"]),
        ("inverse variance", ["id", "t1", "t2", "effect", "se", "rob", "indirectness"]),
    ],
)
def test_cinema_refuses_nothing(exchanged, format, columns):
    """The checks that CINeMA applies to a file before accepting it (its lib/fileChecks.js)."""
    files = listed(exchanged, format)
    assert files
    for file in files:
        rows = pd.read_csv(
            exchanged / "exchange/cinema" / file["file"], dtype=str, keep_default_na=False
        )
        assert {*columns} <= {*rows.columns}
        assert not (rows == "").any(axis=None), "no cell is empty"
        assert rows["id"].str.fullmatch(r"\d+").all()
        assert {*rows["rob"]} <= {"1", "2", "3"}
        assert {*rows["indirectness"]} <= {"1", "2", "3"}
        assert (rows.groupby("id")[["rob", "indirectness"]].nunique() == 1).all(axis=None)
        pair = [column for column in columns if column.startswith("t")]
        for column in pair:
            assert rows[column].str.fullmatch("[A-Za-z0-9_]+").all()
        assert not rows.duplicated(["id", *pair]).any()
        if "r" in columns:
            assert (rows["r"].astype(int) <= rows["n"].astype(int)).all()


def test_cinema_finds_our_network(exchanged, made_up):
    """Fitted from its file, a network has the common effects of its league table."""
    compared = 0
    for file in (*listed(exchanged, "binary, long"), *listed(exchanged, "inverse variance")):
        rows = table(exchanged, f"cinema/{file['file']}")
        studies = (
            from_counts(str(key), [*of["t"]], of["r"], of["n"], file["measure"])
            if "t" in of
            else from_pairwise(str(key), [*of["t1"]], [*of["t2"]], of["effect"], of["se"])
            for key, of in rows.groupby("id")
        )
        fit = fit_network(NetworkData(tuple(studies)), "EE")
        folder = made_up.results / file["setting"] / "network" / file["network"]
        league = pd.read_csv(folder / "league.csv")
        codes = plain_codes(pd.read_csv(folder / "nodes.csv")["code"])
        for row in records(league[league["model"] == "common"]):
            pair = codes[row["first"]], codes[row["second"]]
            if {*pair} <= {*fit.data.treatments}:
                effect = math.exp(fit.common.effects[fit.common.cell(*pair)])
                assert effect == pytest.approx(row["estimate"], rel=1e-9)
                compared += 1
    assert compared > 20


def test_risk_of_bias_is_that_of_the_outcome_and_none_is_unclear(exchanged):
    (file,) = [f for f in listed(exchanged, "binary, long") if f["part"] == 1]
    rows = table(exchanged, f"cinema/{file['file']}").drop_duplicates("id").set_index("study")
    told = {name: (row["rob"], row["risk_of_bias"]) for name, row in rows.iterrows()}
    assert told["ALDER"] == (2, "some concerns")
    assert told["BIRCH"] == (1, "low")
    assert told["ELDER"] == (3, "high")
    unjudged = [name for name, (_, words) in told.items() if words == "not judged"]
    assert unjudged
    assert {told[name][0] for name in unjudged} == {2} == {RISK["not judged"]}
    assert file["not_judged"] == len(unjudged)


def test_cinema_is_told_the_name_of_each_code_and_how_much_there_is(exchanged):
    """As in the sheet for the arms of ALDER and WALNUT; readers see names next to codes."""
    files = {
        (file["file"], file["part"], file["studies"], file["treatments"])
        for file in records(table(exchanged, "cinema/files.csv"))
    }
    part = "metastatic_first_line/progression_free_network_part_2_contrasts.csv"
    # Nine trials with all their arms, among ten regimens.
    assert files >= {(part, 2, 1, 2), ("neoadjuvant/pcr_network_arms.csv", 1, 9, 10)}
    (row,) = records(table(exchanged, f"cinema/{part}"))
    names = ("study", "t1", "regimen1", "t2", "regimen2")
    assert [row[name] for name in names] == [
        "WALNUT", "A_B_D", "Almab + bemab + dotinib alone", "A_B", "Almab + bemab alone",
    ]  # fmt: skip
    assert row["effect"] == pytest.approx(math.log(0.64))
    arms = table(exchanged, "cinema/neoadjuvant/pcr_network_arms.csv").query("study == 'ALDER'")
    assert [*zip(arms["t"], arms["regimen"], arms["r"], arms["n"], strict=True)] == [
        ("A_B_CT", "Almab + bemab with chemotherapy", 49, 107),
        ("A_CT", "Almab with chemotherapy", 29, 104),
        ("B_CT", "Bemab with chemotherapy", 22, 98),
    ]


def test_it_is_told_of_each_file_what_is_better(exchanged):
    told = {
        (file["network"], file["measure"], file["better"])
        for file in records(table(exchanged, "cinema/files.csv"))
    }
    assert told == {
        ("pcr_network", "odds_ratio", "more"),
        ("event_free_network", "hazard_ratio", "fewer"),
        ("progression_free_network", "hazard_ratio", "fewer"),
    }


def test_codes_that_only_signs_tell_apart_stay_apart():
    assert plain_codes(["T-X+P", "T+X+P", "P, twice"]) == {
        "T-X+P": "T_X_P", "T+X+P": "T_X_P_2", "P, twice": "P_twice",
    }  # fmt: skip


# ---------------------------------------------------------------------------------------- RevMan


def test_revman_pools_the_trials_that_we_pooled(exchanged, made_up):
    """Pooling an outcome from the file with a common effect gives our common effect."""
    configuration = read_configuration(made_up.folder / "config")
    kinds = set()
    for analysis in configuration.analyses:
        folder = f"revman/{analysis.setting}"
        rows = table(exchanged, f"{folder}/study-results.csv")
        rows = rows[rows["Outcome"] == analysis.title]
        effects = []
        for study, arms in rows.groupby("Study", sort=False):
            if (arms["Effect measure"] != "").any():
                (row,) = records(arms)
                effects.append((float(row["Mean"]), float(row["SE"]) ** 2))
            else:
                # As in RevMan: experimental first, identified by the intervention of the arm
                cases, sizes = (arms[column].astype(float) for column in ("Cases", "Sample size"))
                assert len(arms) == 2, study
                tables = zip(cases, sizes, strict=True)
                (a, n1), (c, n0) = tables
                made = from_counts("s", ["c", "e"], [c, a], [n0, n1], analysis.measures[0])
                effects.append((float(made.effects[0]), float(made.covariance[0, 0])))
        estimates = pd.read_csv(made_up.results / analysis.setting / "estimates.csv")
        mine = estimates[(estimates["analysis"] == analysis.id) & (estimates["subgroup"] == "all")
                         & (estimates["measure"] == analysis.measures[0])
                         & estimates["model"].isin(["common", "single_trial"])]  # fmt: skip
        for pool in records(mine):
            y, v = np.array(effects).T
            mean = float((y / v).sum() / (1 / v).sum())
            assert len(effects) == pool["k"]
            assert natural(pool["measure"], mean) == pytest.approx(pool["estimate"], rel=1e-9)
            kinds.add(analysis.kind)
    assert kinds == {"counts", "contrasts"}


def test_revman_knows_every_arm_and_intervention_that_results_and_criteria_name(exchanged):
    """RevMan leaves arms without an intervention out of analyses."""
    every = table(exchanged, "revman/review-criteria.csv")
    for setting in dict.fromkeys(every["setting"]):
        criteria = every[every["setting"] == setting]
        information, arms, results = (
            table(exchanged, f"revman/{setting}/{name}.csv")
            for name in ("study-information", "study-arms", "study-results")
        )
        assert not arms.duplicated(["Study", "Arm"]).any()
        known = {*zip(arms["Study"], arms["Arm"], strict=True)}
        named = {*zip(results["Study"], results["Arm"], strict=True)}
        named |= {
            (row["Study"], row["Reference arm"])
            for row in records(results) if row["Reference arm"]
        }  # fmt: skip
        assert named == known
        assert {*information["Study"]} == {*results["Study"]}
        interventions = {
            name
            for column in ("Experimental interventions", "Control interventions")
            for cell in criteria[column] for name in cell.split("; ")
        }  # fmt: skip
        assert interventions == {*arms["Intervention"]}
        assert [*dict.fromkeys(results["Outcome"])] == [*criteria["Outcome"]]


def test_numbers_and_interventions_stand_with_the_arm_that_has_them(exchanged):
    """The values for ALDER in tests/made_up/sheet."""
    arms, results = (
        table(exchanged, f"revman/neoadjuvant/{name}.csv").query("Study == 'ALDER 2014'")
        for name in ("study-arms", "study-results")
    )
    assert dict(zip(arms["Arm"], arms["Intervention"], strict=True)) == {
        "A+B+taxane": "Almab + bemab", "A+taxane": "Almab",
    }  # fmt: skip
    counts = results[results["Cases"] != ""]
    response = counts[counts["Outcome"].str.startswith("Complete response")]
    columns = ("Arm", "Cases", "Sample size")
    assert [*zip(*(response[column].astype(str) for column in columns), strict=True)] == [
        ("A+B+taxane", "49", "107"), ("A+taxane", "29", "104"),
    ]  # fmt: skip
    (ratio,) = records(results[results["Outcome"].str.startswith("Event-free")])
    assert ratio["Effect measure"] == "LOG_HR"
    assert (ratio["Arm"], ratio["Reference arm"]) == ("A+B+taxane", "A+taxane")
    assert int(ratio["Sample size"]) == 107
    assert float(ratio["Mean"]) == pytest.approx(math.log(0.60))


def test_the_review_criteria_say_which_side_is_which(exchanged):
    criteria = table(exchanged, "revman/review-criteria.csv").set_index("analysis")
    columns = ["Data", "Effect measure", "Experimental interventions", "Control interventions",
               "Studies"]  # fmt: skip
    assert criteria.loc["pcr_dual_v_almab", columns].to_list() == [
        "arm level", "risk ratio", "Almab + bemab; Almab + cetinib; Almab + dotinib", "Almab", 6,
    ]  # fmt: skip
    assert criteria.loc["progression_free_triple_v_dual", columns].to_list() == [
        "contrast level", "hazard ratio", "Almab + bemab + dotinib", "Almab + bemab", 1,
    ]  # fmt: skip


def test_the_review_criteria_say_which_outcomes_must_not_be_pooled(exchanged):
    """Two agents, or comparisons that differ too much to combine, would get one diamond."""
    criteria = table(exchanged, "revman/review-criteria.csv").set_index("analysis")
    said = criteria[["Totals", "Subgroups"]].apply(tuple, axis=1)
    assert said["pcr_dual_v_almab"] == ("Totals and subtotals", "added agents")
    assert set(said[["progression_free_triple_v_dual"]]) == {("No totals", "")}
    harms = said[[name for name in said.index if name.startswith("diarrhoea")]]
    assert len(harms)
    assert set(harms) == {("Subtotals only", "added agents")}


def test_a_study_is_described_and_each_result_says_of_what_it_is(exchanged):
    """The entries for TEAK in tests/made_up/sheet: patients, treatments, source."""
    information, arms, results = (
        table(exchanged, f"revman/metastatic_first_line/{name}.csv").query("Study == 'TEAK 2018'")
        for name in ("study-information", "study-arms", "study-results")
    )
    (about,) = records(information)
    assert about == {
        "Study": "TEAK 2018",
        "Char: Participants": "HER2+ and hormone receptor-positive metastatic",
        "Char: Outcomes": "Primary endpoint: PFS", "Char: Notes": "NCT00000016",
    }  # fmt: skip
    assert {*arms["Description"]} == {"endocrine"}
    survival = results[results["Outcome"].str.startswith("Progression-free")]
    assert [*survival["Footnotes"]] == [
        "PFS, final analysis, investigator. "
        "Source: Price 2018, Journal of Made-up Results: Figure 2"
    ]


# ------------------------------------------------------------------------------------------ JSON


@pytest.fixture(scope="module")
def written(exchanged):
    """The estimates as JSON, and their schema."""
    names = ("estimates.json", "estimates.schema.json")
    return [json.loads((exchanged / name).read_text(encoding="utf-8")) for name in names]


def test_the_json_is_what_its_schema_says(written):
    content, schema = written
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator(schema).validate(content)
    assert content["software_version"] == trial_evidence.__version__


def test_the_json_has_every_number_of_the_table_to_the_last_bit(written, exchanged, made_up):
    found = written[0]["estimates"]
    settings = made_up.settings
    rows = [
        row
        for setting in settings
        for row in records(read_table(exchanged / setting / "estimates.csv", ESTIMATE_NUMBERS))
    ]
    assert len(found) == len(rows)
    for entry, row in zip(found, rows, strict=True):
        for name, cell in row.items():
            if name == "trials":
                assert ";".join(entry[name]) == cell
            elif name in ESTIMATE_NUMBERS:
                assert entry[name] == (None if math.isnan(cell) else cell), name
            else:
                assert entry[name] == (cell or None), name


def test_every_field_of_the_schema_says_what_it_is(written):
    schema = written[1]
    fields = {**schema["properties"], **schema["$defs"]["Estimate"]["properties"]}
    assert [name for name, field in fields.items() if not field.get("description")] == []
    assert {*schema["$defs"]["Estimate"]["required"]} == {*written[0]["estimates"][0]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("estimate", "1.42"), ("k", 2.5), ("k", None), ("trials", "a;b"), ("p_value", 1.2),
     ("role", "leading"), ("unheard", 1)],
)  # fmt: skip
def test_the_schema_refuses_what_no_estimate_can_be(written, field, value):
    content, schema = written
    wrong = copy.deepcopy(content)
    wrong["estimates"][0][field] = value
    assert not Draft202012Validator(schema).is_valid(wrong)
