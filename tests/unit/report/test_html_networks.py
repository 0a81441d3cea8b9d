"""The networks in the page, from tables written by hand."""

import pytest
from invented import ROOT, outcomes
from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.networks import Network, NetworkConfiguration, SurrogacyAnalysis
from trial_evidence.report.page.networks import arm_words, network_parts

NETWORK = Network(
    "net", "adjuvant", "A network", outcomes("OS"), "hazard_ratio", "one|concurrent|none"
)
BOTH = SurrogacyAnalysis("both", "adjuvant", "One by the other", "net", "net", (0.0,))
TABLES = {
    "summary": """part,regimens,trials,comparisons,tau2_reml
1,3,4,2,0.0184
2,2,1,1,
""",
    "nodes": """part,code,label,trials,patients,reference
1,A,Alpha alone,4,400,yes
1,B,Beta + T-X alone,3,300,no
1,C,C-1 alone,1,100,no
2,D,Delta alone,1,50,yes
2,E,Eps alone,1,50,no
""",
    "reference": """part,code,reference,model,estimate,ci_low,ci_high,pi_low,pi_high,direct_trials,\
p_score
1,B,A,random_reml,0.8,0.6,1.0667,0.5,1.28,3,0.71
1,C,A,random_reml,0.625,0.4,0.9766,,,0,0.8
1,B,A,common,0.9,0.8,1.0125,,,3,0.7
2,E,D,random_reml,0.5,0.25,1,,,1,0.95
""",
    "ranks": """code,p_score,mean_rank
A,0.1,2.75
A,0.1,2.75
B,0.71,1.5
""",
    "league": """part,first,second,model,estimate,ci_low,ci_high
1,A,B,random_reml,1.25,0.9375,1.6667
1,B,A,random_reml,0.8,0.6,1.0667
1,B,A,common,0.9,0.8,1.0125
2,E,D,random_reml,0.5,0.25,1
2,D,E,random_reml,2,1,4
""",
    "inconsistency": """part,kind,design,trials,q,df,p_value,tau2
1,"design-by-treatment interaction, random effects",,,3.3,2,0.19015,0.018
""",
    "additivity": """kind,part,code,reference,observed,predicted,ratio,statistic,df,p_value,reason
"difference, random effects",,,,,,,5.4,3.0,0.0004,
""",
    "set_aside": """trial,arms,what,reason,source_id,table,row
T1,t1_a v t1_b,OS,Too early,nobody_2020,hazard_ratios,7
""",
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    place = folder / "adjuvant/network/net"
    place.mkdir(parents=True)
    for name, text in TABLES.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    networks = NetworkConfiguration({}, {}, (NETWORK,), (), (BOTH,))
    configuration = read_configuration(ROOT / "config")
    arms = {"t1_a": "Arm A", "t1_b": "Arm B"}
    return network_parts(networks, configuration, "adjuvant", folder, {}, arms)


@pytest.fixture(scope="module")
def grids(parts):
    return {grid.title: grid for _, found in parts[0].grids for grid in found}


def texts(rows):
    return [[cell.text for cell in row] for row in rows]


def test_a_network_that_was_not_made_is_not_shown(parts):
    assert [part.key for part in parts] == ["net"]


def test_a_network_is_said_in_sentences(parts):
    assert parts[0].sentences == (
        "The network falls into 2 parts that no trial connects.",
        "Part 1: 3 regimens, 4 trials, 2 direct comparisons. The highest P-score (0.80) among "
        "those compared with the reference, alpha alone, is that of C-1 alone: hazard ratio 0.63 "
        "(95% CI 0.40–0.98), by indirect evidence alone. Heterogeneity: τ² 0.018. Inconsistency "
        "(design-by-treatment interaction): p = 0.19.",
        "Part 2: 2 regimens, 1 trial, 1 direct comparison. The highest P-score (0.95) among those "
        "compared with the reference, delta alone, is that of eps alone: hazard ratio 0.50 "
        "(95% CI 0.25–1.00), by 1 direct trial.",
        "Additivity of the components (random effects): p < 0.001.",
    )


def test_the_league_table_reads_row_against_column(grids):
    first = grids["League table, part 1: row against column, in the order of P-scores"]
    assert first.headings == ("Regimen", "B", "A")
    assert texts(first.rows) == [
        ["B", "–", "0.80 (0.60–1.07)"], ["A", "1.25 (0.94–1.67)", "–"],
    ]  # fmt: skip
    second = grids["League table, part 2: row against column, in the order of P-scores"]
    assert texts(second.rows)[0] == ["D", "–", "2.00 (1.00–4.00)"]


def test_regimens_stand_by_their_score_within_their_part(grids):
    grid = grids["Regimens against the reference, by P-score"]
    assert [group.heading.text for group in grid.groups] == ["Part 1", "Part 2"]
    assert [row[0].text for row in grid.rows] == ["C", "B", "A", "E", "D"]
    assert texts(grid.rows)[2][:4] == ["A", "Alpha alone, reference", "4", "400"]


def test_rows_set_aside_name_arms_and_place(grids):
    assert texts(grids["Rows set aside, and why"].rows) == [
        ["T1", "Arm A v Arm B", "OS", "Too early", "nobody_2020", "hazard_ratios.csv row 7"],
    ]  # fmt: skip


def test_an_arm_without_a_label_keeps_its_id():
    assert arm_words("x v y", {"x": "X"}) == "X v y"
