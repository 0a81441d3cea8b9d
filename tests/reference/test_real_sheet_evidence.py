"""Properties of the evidence from the real sheet that hold whatever an analyst corrects."""

import csv
import math
from pathlib import Path

import pytest
from trial_evidence.config.configuration import read_configuration
from trial_evidence.extract.context import setting_context
from trial_evidence.extract.contrasts import matches
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.figures.forests.evidence import Evidence
from trial_evidence.measures import MEASURES
from trial_evidence.pool.estimates import with_own_results
from trial_evidence.pool.shown import own_result
from trial_evidence.sheet import load_sheet, read_dictionary

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = read_configuration(ROOT / "config")


def cells(table):
    """Rows as typed in the file, by spreadsheet row number."""
    with (ROOT / "data/raw" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return dict(enumerate(csv.DictReader(file), start=2))


PRINTED = {table: cells(table) for table in ("pcr", "hazard_ratios", "harms")}
TABLE_OF = {(a.setting, a.id): a.table for a in (*CONFIGURATION.analyses, *CONFIGURATION.rates)}
SETTING_OF = {row["trial_id"]: row["setting"] for row in cells("trials").values()}


SHEET, _ = load_sheet(ROOT / "data/raw", read_dictionary(ROOT / "workflow/dictionary"))


@pytest.fixture(scope="module")
def evidence():
    return {name: extract_setting(SHEET, CONFIGURATION, name) for name in CONFIGURATION.settings}


def used_rows(evidence):
    """(row of evidence, the row of the sheet it comes from), for comparisons and rates."""
    for found in evidence.values():
        for table in (found.used, found.rates):
            for record in table.to_dict("records"):
                source = PRINTED[TABLE_OF[record["setting"], record["analysis"]]]
                for number in record["rows"].split(";"):
                    yield record, source[int(number)]


def test_there_is_evidence_in_every_setting(evidence):
    assert {name for name, found in evidence.items() if (found.used["pooled"] == "yes").any()} == {
        "neoadjuvant", "adjuvant", "metastatic_first_line", "metastatic_pretreated",
    }  # fmt: skip


def test_nothing_unverified_or_superseded_is_used(evidence):
    states = {(row["verification"], row["status"]) for _, row in used_rows(evidence)}
    assert states <= {("primary", "current"), ("secondary", "current")}


def test_evidence_is_of_its_trial_and_subgroup(evidence):
    for record, row in used_rows(evidence):
        assert record["trial_id"] == row["trial_id"]
        if record["measure"] != "proportion":
            assert record["subgroup"] == row.get("subgroup", "all")


def test_settings_are_not_mixed(evidence):
    for name, found in evidence.items():
        trials = {*found.used["trial_id"], *found.rates["trial_id"], *found.contrasts["trial_id"]}
        assert {SETTING_OF[trial] for trial in trials} <= {name}


def test_a_trial_counts_once_in_a_pool(evidence):
    for found in evidence.values():
        pool = ["analysis", "measure", "subgroup", "trial_id"]
        assert not found.used.duplicated(pool).any()
        assert not found.rates.duplicated([*pool, "regimen"]).any()


def test_no_arm_is_used_twice_in_a_pool(evidence):
    for found in evidence.values():
        for pool, group in found.used.groupby(["analysis", "measure", "subgroup"]):
            arms = [*group["experimental_arm_id"], *group["control_arm_id"]]
            assert len(arms) == len(set(arms)), pool
        for pool, group in found.rates.groupby(["analysis", "subgroup"]):
            arms = ";".join(group["arm_ids"]).split(";")
            assert len(arms) == len(set(arms)), pool


def test_counts_are_those_of_the_sheet(evidence):
    checked = 0
    for found in evidence.values():
        for record in found.used[found.used["outcome"] == "pCR"].to_dict("records"):
            dual, single = (PRINTED["pcr"][int(number)] for number in record["rows"].split(";"))
            for row, side in ((dual, "experimental"), (single, "control")):
                assert row["arm_id"] == record[f"{side}_arm_id"]
                assert float(row["events"]) == record[f"events_{side}"]
                assert float(row["n"]) == record[f"n_{side}"]
                checked += 1
    assert checked > 100


def test_both_arms_are_counted_by_one_definition(evidence):
    for found in evidence.values():
        assert not found.used["definition"].astype(str).str.contains(" / ").any()


def test_hazard_ratios_are_those_of_the_sheet(evidence):
    checked = 0
    for found in evidence.values():
        for record in found.used[found.used["measure"] == "hazard_ratio"].to_dict("records"):
            row = PRINTED["hazard_ratios"][int(record["rows"])]
            assert float(row["hr"]) == record["hr"]
            pair = row["experimental_arm_id"], row["control_arm_id"]
            ours = record["experimental_arm_id"], record["control_arm_id"]
            assert ours == (pair if record["inverted"] == "no" else pair[::-1])
            checked += 1
    assert checked > 30


# With arms alike in either order, as analyses see them.
CONTRASTS = {
    name: setting_context(SHEET, CONFIGURATION, name).contrasts for name in CONFIGURATION.settings
}


def about(row, pairs, analysis):
    """Whether a row of the sheet is a result that the analysis must consider."""
    levels = {f"{m.factor}={level}" for m in analysis.effect_modifiers for level in m.levels}
    if row.get("subgroup", "all") not in {"all", *levels}:
        return False
    if row.get("outcome", "pcr") not in analysis.endpoints and analysis.kind == "counts":
        return False
    if analysis.kind == "counts":
        return any(row["arm_id"] in pair for pair in pairs)
    pair = frozenset((row["experimental_arm_id"], row["control_arm_id"]))
    return row["endpoint"] in analysis.endpoints and pair in pairs


@pytest.mark.parametrize(
    "analysis", CONFIGURATION.analyses, ids=[f"{a.setting}-{a.id}" for a in CONFIGURATION.analyses]
)
def test_every_result_of_a_contrast_is_either_used_or_set_aside(evidence, analysis):
    found = evidence[analysis.setting]
    admitted = matches(CONTRASTS[analysis.setting], analysis)
    pairs = {
        frozenset((row["experimental_arm_id"], row["control_arm_id"]))
        for rows in admitted.values()
        for row in rows
    }
    table = PRINTED[analysis.table]
    wanted = {number for number, row in table.items() if about(row, pairs, analysis)}
    own = found.used[found.used["analysis"] == analysis.id]
    used = {int(number) for rows in own["rows"] for number in rows.split(";")}
    aside = set(found.set_aside.loc[found.set_aside["analysis"] == analysis.id, "row"])
    assert used | aside == wanted
    assert used & aside == set()


def test_every_row_set_aside_has_a_reason(evidence):
    for found in evidence.values():
        assert (found.set_aside["reason"].str.len() > 10).all()


def test_what_is_shown_but_not_pooled_has_a_reason(evidence):
    for found in evidence.values():
        for table in (found.used, found.rates):
            silent = (table["pooled"] == "no") != (table["not_pooled_reason"] != "")
            assert not silent.any()


def test_a_trial_s_result_is_printed_and_drawn_as_it_was_published(evidence):
    """A recomputed limit differs from the paper's in its last decimal or its level."""
    shown = 0
    for setting, found in evidence.items():
        own = with_own_results(found.used, CONFIGURATION.confidence_level)
        for entry in CONFIGURATION.of_setting(setting):
            of = own[(own["analysis"] == entry.id) & (own["measure"] == "hazard_ratio")]
            plot = Evidence(
                entry, MEASURES["hazard_ratio"], of, of, of, CONFIGURATION
            )  # the estimates and the rows set aside are not asked for
            for at, record in enumerate(of.to_dict("records")):
                row = PRINTED["hazard_ratios"][int(record["rows"])]
                limits = row["ci_low"], row["ci_high"], row["ci_level"]
                if not all(limits) or record["inverted"] == "yes":
                    continue
                if row["derivation"] != "reported":
                    continue
                group = of.iloc[[at]].assign(weight=math.nan)
                (drawn,) = plot.trial_rows(group, [plot.result_cells("")])
                printed = f"{row['hr']} ({row['ci_low']}–{row['ci_high']})"
                assert drawn.texts["result"] == own_result(record) == printed
                ends = [math.log(float(row[end])) for end in ("ci_low", "ci_high")]
                assert [drawn.low, drawn.high] == pytest.approx(ends, abs=1e-12)
                level = float(row["ci_level"])
                assert drawn.remark == ("" if level == 95 else f"{level:g}% CI as published")
                shown += 1
    assert shown
