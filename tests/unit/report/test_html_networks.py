"""The networks in the page, from handwritten tables."""

from dataclasses import replace

import pytest
from finished_page import read_page
from invented import outcomes
from report_material import material
from trial_evidence.config.networks import Network, NetworkConfiguration, SurrogacyAnalysis
from trial_evidence.kept import Parts
from trial_evidence.report.page.networks import network_parts
from trial_evidence.report.page.page import environment

NETWORK = Network(
    "net", "adjuvant", "A network", outcomes("OS"), "hazard_ratio", "one|concurrent|none"
)
BOTH = SurrogacyAnalysis("both", "adjuvant", "One by the other", "net", "net", (0.0,))
TABLES = {
    "summary": """part,regimens,trials,comparisons,tau2_reml
1,3,4,2,0.0184
2,2,1,1,
""",
    "nodes": """part,regimen,code,label,trials,patients,unstated,reference
1,one|concurrent|none,A,Alpha alone,4,400,1,yes
1,two|concurrent|none,B,Beta + T-X alone,3,300,0,no
1,three|concurrent|none,C,C-1 alone,1,0,1,no
2,four|concurrent|none,D,Delta alone,1,50,0,yes
2,five|concurrent|none,E,Eps alone,1,50,0,no
""",
    "intervals": """part,model,role,interval,tau2,df,variance_factor,prior,reason
1,random_reml,,Wald,0.0184,2,1,,
1,random_reml_hk,lead,"Hartung-Knapp type, floored, t with 2 degrees of freedom",0.0184,2,1.3,,
1,bayesian,co-primary,"Bayesian, shortest",0.03,2,,half-normal(0.5),
2,random_reml,lead,Wald,,0,1,,
""",
    "reference": """part,code,reference,model,role,estimate,ci_low,ci_high,pi_low,pi_high,\
direct_trials,p_score,p_value,probability_of_benefit
1,B,A,random_reml_hk,lead,0.8,0.6,1.0667,0.5,1.28,3,0.71,0.06,
1,C,A,random_reml_hk,lead,0.625,0.4,0.9766,,,0,0.8,0.04,
1,B,A,common,,0.9,0.8,1.0125,,,3,0.7,0.07,
1,B,A,bayesian,co-primary,0.82,0.59,1.12,0.48,1.33,3,0.71,,0.91
2,E,D,random_reml,lead,0.5,0.25,1,,,1,0.95,0.05,
""",
    "ranks": """code,p_score,mean_rank
A,0.1,2.75
A,0.1,2.75
B,0.71,1.5
""",
    "league": """part,first,second,model,role,estimate,ci_low,ci_high
1,A,B,random_reml_hk,lead,1.25,0.9375,1.6667
1,B,A,random_reml_hk,lead,0.8,0.6,1.0667
1,B,A,common,,0.9,0.8,1.0125
2,E,D,random_reml,lead,0.5,0.25,1
2,D,E,random_reml,lead,2,1,4
""",
    "inconsistency": """part,kind,design,trials,q,df,p_value,tau2,reason
1,"design-by-treatment interaction, random effects",,,3.3,2,0.19015,0.018,
2,"design-by-treatment interaction, random effects",,,,0,,,cannot be tested: no loop
""",
    "additivity": """kind,part,code,reference,observed,predicted,ratio,statistic,df,p_value,reason
"difference, random effects",,,,,,,5.4,3.0,0.0004,
""",
    "components": """component,model,trials,estimate,ci_low,ci_high,p_value,reason
lapatinib,random_reml,3,2,1,4,0.05,
t-dm1,random_reml,1,,,,,"The trials cannot separate the effects of t-dm1 and chemotherapy."
""",
    "interactions": """first,second,trials_with,trials_against_part,trials_alone,identified_by,\
estimate,ci_low,ci_high,p_value,posterior_median,posterior_low,posterior_high,\
probability_of_synergy,confounded_with,reason
lapatinib,t-dm1,2,1,0,TRIAL-X,1,0.5,2,1,1,0.5,2,0.5,chemotherapy x pertuzumab; pertuzumab x t-dm1,
""",
    "set_aside": """trial,arms,what,reason,source_id,table,row
T1,trial_a_dual v elsewhere,OS,Too early,nobody_2020,hazard_ratios,7
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    place = folder / "adjuvant/network/net"
    place.mkdir(parents=True)
    for name, text in TABLES.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def parts_of(folder, network):
    networks = NetworkConfiguration({}, {}, (network,), (), (BOTH,))
    return network_parts(networks, "adjuvant", folder, Parts(folder / "parts"))


@pytest.fixture(scope="module")
def parts(folder):
    return parts_of(folder, NETWORK)


@pytest.fixture(scope="module")
def printed(pooled):
    """A network as printed in the page."""
    template = environment(material(pooled)).get_template("networks.html.j2")
    return lambda part: read_page(template.module.network(part))


@pytest.fixture(scope="module")
def section(parts, printed):
    return printed(parts[0])


def test_a_reference_that_no_trial_has_is_said_to_be_replaced(folder, section, printed):
    """Otherwise effects would be read as relative to the configured regimen."""
    told = "No trial of this network has the regimen that config/networks.yaml names"
    (other,) = parts_of(folder, replace(NETWORK, reference="six|concurrent|none"))
    said = printed(other).said("network-adjuvant-net")
    assert [text for text in said if told in text] == [
        f"{told} as its reference; the regimen with most trials in each part takes its place."
    ]
    assert not any(told in text for text in section.said("network-adjuvant-net"))


def test_what_is_kept_of_a_network_is_made_again_where_any_of_its_tables_changes(pooled, tmp_path):
    """A corrected locator changes no estimate, and the page once kept the old one."""
    place = tmp_path / "adjuvant/network/net"
    place.mkdir(parents=True)
    for name, text in TABLES.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    template = environment(material(pooled, tmp_path)).get_template("networks.html.j2")
    kept = template.globals["kept"]

    def printed():
        return kept(template.module.network, parts_of(tmp_path, NETWORK)[0])

    assert "Too early" in printed()
    assert printed() == printed()
    aside = TABLES["set_aside"].replace("Too early", "Too late")
    (place / "set_aside.csv").write_text(aside, encoding="utf-8")
    assert "Too late" in printed()


def test_a_network_that_was_not_made_is_not_shown(parts):
    assert [part.key for part in parts] == ["net"]


def texts(rows):
    """The texts of the cells of all rows, without groups and anchors."""
    return [[text for name, text in row.items() if name not in ("group", "id")] for row in rows]


def test_a_network_is_said_in_sentences(section):
    assert [text for text in section.said("network-adjuvant-net") if "P-score orders" not in text][
        :4
    ] == [
        "The network consists of 2 parts that no trial connects.",
        "Part 1: 3 regimens, 4 trials, 2 direct comparisons. The highest P-score (0.80) is "
        "that of C-1 alone; against the reference, alpha alone, its "
        "hazard ratio is 0.63 (95% CI 0.40–0.98), from indirect evidence only. Interval: "
        "Hartung-Knapp type, floored, t with 2 degrees of freedom. Heterogeneity: "
        "τ² 0.018 (REML). Inconsistency (design-by-treatment interaction): p = 0.19.",
        "Part 2: 2 regimens, 1 trial, 1 direct comparison. The highest P-score (0.95) is that "
        "of eps alone; against the reference, delta alone, its hazard ratio is 0.50 (95% CI "
        "0.25–1.00, which includes 1: no difference), with 1 direct trial. Interval: Wald. "
        "Inconsistency cannot be tested: no loop.",
        "Additivity of the components (random effects): p < 0.001.",
    ]


def test_no_other_regimen_is_called_first_where_the_reference_is(printed, tmp_path):
    """The table against the reference does not hold the reference itself."""
    place = tmp_path / "adjuvant/network/net"
    place.mkdir(parents=True)
    for name, text in TABLES.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    (place / "ranks.csv").write_text("code,p_score,mean_rank\nA,0.9,1.1\n", encoding="utf-8")
    (part,) = parts_of(tmp_path, NETWORK)
    said = " ".join(printed(part).said("network-adjuvant-net"))
    assert "The regimen with the highest P-score is the reference, alpha alone." in said
    assert "that of C-1 alone" not in said


def test_the_level_of_intervals_is_the_configured_one(parts, pooled):
    found = material(pooled)
    found = replace(found, configuration=replace(found.configuration, confidence_level=90.0))
    text = environment(found).get_template("networks.html.j2").module.network(parts[0])
    assert "(90% CI 0.40–0.98)" in text.replace('<span class="n">', "").replace("</span>", "")
    assert "95%" not in text


def test_components_are_called_by_their_labels(section):
    rows = texts(section.table("Additive components").rows)
    assert [row[0] for row in rows] == ["Lapatinib", "T-DM1"]
    assert rows[1][-1] == "The trials cannot separate the effects of T-DM1 and chemotherapy."
    (joint,) = texts(section.table("Joint effects beyond the sum of the two components").rows)
    assert joint[0] == "Lapatinib × T-DM1"
    assert joint[-1] == "Chemotherapy × Pertuzumab; Pertuzumab × T-DM1"


def test_the_league_table_reads_row_against_column(section):
    first = section.table("League table, part 1: row against column, in the order of P-scores")
    assert first.headings == ["Regimen", "B", "A"]
    assert texts(first.rows) == [
        ["B", "–", "0.80 (0.60–1.07)"], ["A", "1.25 (0.94–1.67)", "–"],
    ]  # fmt: skip
    second = section.table("League table, part 2: row against column, in the order of P-scores")
    assert texts(second.rows)[0] == ["D", "–", "2.00 (1.00–4.00)"]


def test_regimens_stand_by_their_score_within_their_part(section):
    rows = section.table("Regimens compared with the reference, by P-score").rows
    assert [row["group"] for row in rows] == [*["Part 1"] * 3, *["Part 2"] * 2]
    assert [row["Code"] for row in rows] == ["C", "B", "A", "E", "D"]
    assert texts(rows)[2][:4] == ["A", "Alpha alone, reference", "4", "400+"]


# An arm without a label keeps its id.
def test_rows_set_aside_name_arms_place_and_reason(section):
    (row,) = section.table("Rows set aside, and why").rows
    assert texts([row]) == [
        ["T1", "T+P+docetaxel v elsewhere", "OS", "Too early", "nobody_2020",
         "hazard_ratios.csv row 7"],
    ]  # fmt: skip
