"""Decomposition of Q and the design-by-treatment test against netmeta's decomp.design."""

import pytest
from example_networks import REFERENCE, at_random, network, of_counts, of_pairwise, two_arm
from trial_evidence.network.evidence.graph import designs, direct_comparisons
from trial_evidence.network.fit.inconsistency import inconsistency

NETWORKS = sorted(REFERENCE["networks"])


@pytest.mark.parametrize("name", NETWORKS)
def test_decomposition_agrees_with_netmeta(name):
    theirs = REFERENCE["networks"][name]["DL"]["design_by_treatment"]["Q_decomp"]
    ours = inconsistency(of_pairwise(name))
    for row, test in enumerate((ours.total, ours.within, ours.between)):
        assert test.q == pytest.approx(theirs["Q"][row], rel=1e-10)
        assert test.df == theirs["df"][row]
        assert test.p_value == pytest.approx(theirs["pval"][row], rel=1e-8)


@pytest.mark.parametrize("name", NETWORKS)
def test_interaction_of_design_and_treatment_agrees_with_netmeta(name):
    theirs = REFERENCE["networks"][name]["DL"]["design_by_treatment"]["Q_inc_random"]
    ours = inconsistency(of_pairwise(name))
    assert ours.tau2_within == pytest.approx(theirs["tau.within"][0] ** 2, rel=1e-10)
    assert ours.random_between.q == pytest.approx(theirs["Q"][0], rel=1e-10)
    assert ours.random_between.p_value == pytest.approx(theirs["pval"][0], rel=1e-10)


@pytest.mark.parametrize("name", NETWORKS)
def test_detaching_designs_agrees_with_netmeta(name):
    theirs = REFERENCE["networks"][name]["DL"]["design_by_treatment"]["Q_inc_detach"]
    rows = {
        tuple(sorted(design.split(":"))): (q, df)
        for design, q, df in zip(theirs["design"], theirs["Q"], theirs["df"], strict=True)
    }
    ours = {design.treatments: of for design, of in inconsistency(of_pairwise(name)).detached}
    assert set(ours) == set(rows)
    for treatments, (q, df) in rows.items():
        assert ours[treatments].q == pytest.approx(q, rel=1e-9, abs=1e-12)
        assert ours[treatments].df == df


def test_interaction_with_counts_agrees_with_netmeta():
    theirs = REFERENCE["counts"]["smoking_OR"]["DL"]["Q_inc_random"][0]
    ours = inconsistency(of_counts("smoking_OR"))
    assert ours.random_between.q == pytest.approx(theirs["Q"], rel=1e-9)
    assert ours.random_between.df == theirs["df"]


@pytest.mark.parametrize("seed", range(3))
def test_designs_add_up_to_what_is_within(seed):
    ours = inconsistency(at_random(seed, treatments=4, studies=30))
    assert sum(of.q for _, of in ours.heterogeneity) == pytest.approx(ours.within.q)
    assert sum(of.df for _, of in ours.heterogeneity) == ours.within.df
    assert ours.total.df == ours.within.df + ours.between.df


def test_an_inconsistent_triangle_by_hand():
    # Around the triangle 0.6 + 0.2 - 0.5 = 0.3 with variance 0.06: Q = 0.09/0.06.
    data = network(
        [two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "a", 0.5, 0.01),
         two_arm("3", "c", "b", 0.2, 0.03)]
    )  # fmt: skip
    ours = inconsistency(data)
    assert ours.between.q == pytest.approx(1.5)
    assert ours.between.df == 1
    # One study per design: no information on heterogeneity.
    assert (ours.within.q, ours.within.df, ours.within.p_value) == (0, 0, None)
    assert (ours.tau2_within, ours.random_between) == (None, None)
    # Detaching any design leaves no loop.
    assert [of.df for _, of in ours.detached] == [0, 0, 0]


def test_a_star_cannot_be_inconsistent():
    data = network(two_arm(f"{t}{n}", t, "a", 0.1 * n, 0.1) for t in "bc" for n in range(3))
    ours = inconsistency(data)
    assert (ours.between.q, ours.between.df, ours.between.p_value) == (0, 0, None)
    assert ours.random_between is None
    assert ours.detached == ()


def test_reml_within_designs():
    # The designs share one tau2: by hand it is REML for two groups, 0 and 1, and 0 and 2, with
    # variances 0.1: mean square (0.5 + 2)/2 minus 0.1.
    data = network(
        two_arm(f"{t}{n}", t, "a", y, 0.1)
        for t, effects in (("b", (0.0, 1.0)), ("c", (0.0, 2.0)))
        for n, y in enumerate(effects)
    )
    assert inconsistency(data, "REML").tau2_within == pytest.approx(1.15)


def test_designs_and_comparisons_of_a_network():
    data = of_counts("smoking_OR")
    # 22 studies of two arms and two of three: A-C-D and B-C-D.
    assert [d.treatments for d in designs(data)][-2:] == [("A", "C", "D"), ("B", "C", "D")]
    assert sum(len(d.studies) for d in designs(data)) == 24
    found = {c.pair: c for c in direct_comparisons(data)}
    assert len(found) == 6
    assert found["C", "D"].multi_arm == 2
    assert {"1", "2"} <= set(found["C", "D"].studies)


def test_a_design_of_one_study_detached_whichever_its_base_arm():
    # The two designs of three arms have one study each.
    data = of_counts("smoking_OR")
    turned = network(study.relative_to(max(study.treatments)) for study in data.studies)
    ours, other = inconsistency(data), inconsistency(turned)
    assert len(ours.detached) == len(other.detached) == 8
    for (_, one), (_, two) in zip(ours.detached, other.detached, strict=True):
        assert one.q == pytest.approx(two.q, rel=1e-9)
