"""Component models against netmeta's netcomb and discomb, metafor, and by hand."""

import math

import numpy as np
import pytest
from component_studies import network, parts, two_arm
from reference import load
from trial_evidence.network.components.additive import (
    additivity_test,
    component_model,
    observed_and_predicted,
)
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.pool.engine.results import Refused

REFERENCE = load("netcomb")
CONNECTED = network(REFERENCE["connected"]["arms"])
DISCONNECTED = network(REFERENCE["disconnected"]["arms"])
# Data, netmeta's results, interactions, and the inactive component, which is omitted from all.
MODELS = [
    (CONNECTED, REFERENCE["connected"]["netcomb"], (), ""),
    (CONNECTED, REFERENCE["connected"]["inactive"], (), "P"),
    (CONNECTED, REFERENCE["connected"]["interaction"], [("A", "B")], ""),
    (CONNECTED, REFERENCE["connected"]["interactions"], [("A", "B"), ("A", "C")], ""),
    (DISCONNECTED, REFERENCE["disconnected"]["discomb"], (), "C"),
]
NAMES = ["netcomb", "inactive", "interaction", "interactions", "discomb"]


def components_of(data, inactive=""):
    return {t: [c for c in held if c != inactive] for t, held in parts(*data.treatments).items()}


@pytest.mark.parametrize(("data", "theirs", "terms", "inactive"), MODELS, ids=NAMES)
@pytest.mark.parametrize(("method", "block"), [("EE", "common"), ("DL", "random")])
def test_effects_agree_with_netmeta(data, theirs, terms, inactive, method, block):
    table = components_of(data, inactive)
    ours = component_model(data, table, method=method, interactions=terms)
    effects = [*ours.components, *ours.interactions]
    assert [e.name.replace(" x ", "x") for e in effects] == theirs["components"]
    for field, key in (
        ("estimate", "estimate"), ("se", "se"), ("ci_low", "lower"), ("ci_high", "upper"),
        ("p_value", "p"),
    ):  # fmt: skip
        values = [getattr(e, field) for e in effects]
        np.testing.assert_allclose(values, theirs[block][key], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("data", "theirs", "terms", "inactive"), MODELS, ids=NAMES)
def test_heterogeneity_agrees_with_netmeta(data, theirs, terms, inactive):
    table = components_of(data, inactive)
    ours = component_model(data, table, method="DL", interactions=terms)
    assert ours.fitted.tau2 == pytest.approx(theirs["tau2"], rel=1e-9)
    q = additivity_test(data, table, interactions=terms).additive
    assert (q.q, q.df, q.p_value) == pytest.approx(
        (theirs["Q.additive"], theirs["df.Q.additive"], theirs["p.Q.additive"]), rel=1e-9
    )


@pytest.mark.parametrize(("data", "theirs", "terms", "inactive"), MODELS[:4], ids=NAMES[:4])
def test_additivity_agrees_with_netmeta(data, theirs, terms, inactive):
    ours = additivity_test(data, components_of(data, inactive), interactions=terms)
    for test, name, digits in (
        (ours.standard, "Q.standard", 1e-9),
        (ours.difference, "Q.diff", 1e-8),
    ):
        assert (test.q, test.df, test.p_value) == pytest.approx(
            (theirs[name], theirs[f"df.{name}"], theirs[f"p.{name}"]), rel=digits
        )


@pytest.mark.parametrize("treatment", ["A+B+P", "A+C", "D+P"])
def test_treatments_agree_with_netmeta(treatment):
    theirs = REFERENCE["connected"]["interaction"]
    model = component_model(
        CONNECTED, components_of(CONNECTED), method="DL", interactions=[("A", "B")]
    )

    def holds(components):
        return np.array([float(set(e.name.split(" x ")) <= set(components)) for e in effects])

    effects = (*model.components, *model.interactions)
    estimate, se = model.fitted.estimate(holds(treatment.split("+")) - holds(["B", "P"]))
    row, column = theirs["treatments"].index(treatment), theirs["treatments"].index("B+P")
    assert estimate == pytest.approx(theirs["TE_random"][row][column], rel=1e-9)
    assert se == pytest.approx(theirs["se_random"][row][column], rel=1e-9)


@pytest.mark.parametrize("name", ["REML", "ML", "REML_AxB"])
def test_likelihood_fits_agree_with_metafor(name):
    theirs = REFERENCE["connected"]["metafor"][name]
    ours = component_model(
        CONNECTED, components_of(CONNECTED), method=name.partition("_")[0],
        interactions=[("A", "B")] if name.endswith("AxB") else (),
    )  # fmt: skip
    effects = [*ours.components, *ours.interactions]
    # metafor's search ends where its likelihood is flat to rounding: about 1e-7 of tau2.
    assert ours.fitted.tau2 == pytest.approx(theirs["tau2"], rel=1e-5)
    assert [e.estimate for e in effects] == pytest.approx(theirs["estimate"], rel=1e-6)
    assert [e.se for e in effects] == pytest.approx(theirs["se"], rel=1e-6)


# ------------------------------------------------------------------------------------ by hand

# B v A: 0.5, variance 0.04; A+B v A: 0.9, 0.09; A+B v B: 0.1, 0.01.
SMALL = NetworkData(
    (
        two_arm("one", ("A", "B"), 0.5, 0.04),
        two_arm("two", ("A", "A+B"), 0.9, 0.09),
        two_arm("three", ("B", "A+B"), 0.1, 0.01),
    )
)
SMALL_PARTS = parts("A", "B", "A+B")


def test_common_effect_by_hand():
    # Equations: b - a = 0.5 (weight 25), b = 0.9 (100/9), a = 0.1 (100).
    # Normal equations: (125) a - 25 b = -12.5 + 10 = -2.5; -25 a + (325/9) b = 12.5 + 10 = 22.5.
    # Determinant 125 * 325/9 - 625 = 35000/9;
    # a = (-2.5 * 325/9 + 25 * 22.5) / det = (4250/9) / (35000/9) = 17/140;
    # b = (125 * 22.5 - 25 * 2.5) / det = 2750 * 9 / 35000 = 99/140.
    ours = component_model(SMALL, SMALL_PARTS, method="EE")
    a, b = ours.components
    assert (a.estimate, b.estimate) == pytest.approx((17 / 140, 99 / 140), rel=1e-12)
    assert a.se == pytest.approx(math.sqrt(325 / 35000), rel=1e-12)
    assert b.se == pytest.approx(math.sqrt(125 * 9 / 35000), rel=1e-12)


def test_additivity_cannot_be_tested_with_as_many_components_as_comparisons():
    ours = additivity_test(SMALL, SMALL_PARTS)
    assert (ours.difference.df, ours.difference.p_value, ours.random.p_value) == (0, None, None)
    assert ours.difference.q == 0.0


def test_test_that_allows_for_heterogeneity_is_wald_s_test():
    # One study each of A, B and A+B against O, with tau2 = 0 because there are no degrees of
    # freedom: the test is that of A+B - A - B = 0.9 - 0.5 - 0.1 = 0.3 with variance 0.09 + 0.04 +
    # 0.01 = 0.14.
    data = NetworkData(
        (
            two_arm("one", ("O", "A"), 0.5, 0.04),
            two_arm("two", ("O", "B"), 0.1, 0.01),
            two_arm("three", ("O", "A+B"), 0.9, 0.09),
        )
    )
    table = {"O": (), "A": ("A",), "B": ("B",), "A+B": ("A", "B")}
    ours = additivity_test(data, table)
    assert (ours.random.q, ours.random.df) == pytest.approx((0.3**2 / 0.14, 1), rel=1e-12)
    (interaction,) = component_model(data, table, interactions=[("A", "B")]).interactions
    assert (interaction.estimate, interaction.se) == pytest.approx((0.3, 0.14**0.5), rel=1e-12)
    rows = {r.treatment: r for r in observed_and_predicted(data, table, "O")}
    # Least squares divide the 0.3 among the three arms by variance: A+B gets 0.09/0.14 of it.
    assert rows["A+B"].observed.estimate == pytest.approx(0.9, rel=1e-12)
    assert rows["A+B"].difference.estimate == pytest.approx(0.3 * 0.09 / 0.14, rel=1e-12)
    assert rows["A+B"].difference.se == pytest.approx(0.09 / 0.14**0.5, rel=1e-12)
    assert rows["A"].difference.estimate == pytest.approx(-0.3 * 0.04 / 0.14, rel=1e-12)


def test_additivity_is_judged_at_the_heterogeneity_of_effects_that_need_not_add_up():
    # The tau2 of the additive model would mistake non-additivity for heterogeneity. Two studies of
    # A: Q = 2 * 0.2**2/0.01 = 8 on 1 df, by DL tau2 = 7/(200 - 100) = 0.07. Variances are then 0.04
    # for A, 0.08 for B and for A+B, and A+B - A - B = 0.3 has variance 0.2.
    data = NetworkData(
        (
            two_arm("one", ("O", "A"), 0.3, 0.01),
            two_arm("two", ("O", "A"), 0.7, 0.01),
            two_arm("three", ("O", "B"), 0.1, 0.01),
            two_arm("four", ("O", "A+B"), 0.9, 0.01),
        )
    )
    table = {"O": (), "A": ("A",), "B": ("B",), "A+B": ("A", "B")}
    ours = additivity_test(data, table, method="DL")
    assert (ours.random.q, ours.random.df) == pytest.approx((0.3**2 / 0.2, 1), rel=1e-9)
    rows = observed_and_predicted(data, table, "O", method="DL")
    (both,) = (row for row in rows if row.treatment == "A+B")
    # A+B gets 0.08/0.2 of the 0.3.
    assert both.difference.estimate == pytest.approx(0.3 * 0.08 / 0.2, rel=1e-9)
    assert both.difference.se == pytest.approx(0.08 / 0.2**0.5, rel=1e-9)


# ------------------------------------------------------------------------- what is not determined


def test_a_component_in_every_arm_is_not_estimated():
    data = NetworkData((two_arm("one", ("A+C", "A+B+C"), 0.5, 0.04),))
    a, b, c = component_model(data, components_of(data)).components
    assert "differ in A" in a.reason
    assert "differ in C" in c.reason
    assert math.isnan(a.estimate)
    assert math.isnan(c.se)
    assert (b.reason, b.estimate) == ("", pytest.approx(0.5))


def test_components_that_come_together_are_not_told_apart():
    data = NetworkData((two_arm("one", ("A", "A+B+C"), 0.5, 0.04),))
    model = component_model(data, components_of(data))
    assert [e.reason for e in model.components[1:]] == [
        "The trials cannot separate the effects of B and C."
    ] * 2
    # Together they are estimable: B and C, without A.
    assert model.fitted.estimate(np.array([0.0, 1.0, 1.0]))[0] == pytest.approx(0.5)


def test_an_interaction_that_no_study_shows_is_not_estimated():
    data = NetworkData((two_arm("one", ("A", "A+B"), 0.5, 0.04),))
    model = component_model(data, components_of(data), interactions=[("A", "B")])
    (interaction,) = model.interactions
    assert interaction.reason == "The trials cannot separate the effects of B and A x B."


def test_comparison_across_parts_that_no_component_joins_has_no_estimate():
    rows = observed_and_predicted(DISCONNECTED, components_of(DISCONNECTED), "C")
    by_name = {row.treatment: row for row in rows}
    assert "No chain of comparisons" in by_name["A+P"].observed.reason
    assert "differ in C" in by_name["A+P"].predicted.reason
    assert by_name["A+C"].observed.reason == ""


def test_components_that_never_differ_are_refused():
    data = NetworkData((two_arm("one", ("A-low", "A-high"), 0.5, 0.04),))
    refused = component_model(data, {"A-low": ("A",), "A-high": ("A",)})
    assert isinstance(refused, Refused)
    assert "differ in their components" in refused.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"interactions": [("A",)]}, "two or more components"),
        ({"interactions": [("A", "A")]}, "two or more components"),
        ({"interactions": [("A", "X")]}, "'X'"),
        ({"method": "PM"}, "'PM' is not one of"),
        ({"level": 0.95}, "percent"),
    ],
)
def test_what_cannot_be_fitted_is_said(options, words):
    with pytest.raises(ValueError, match=words):
        component_model(SMALL, SMALL_PARTS, **options)


def test_a_treatment_without_stated_components_is_an_error():
    with pytest.raises(ValueError, match=r"not stated.*B"):
        component_model(SMALL, parts("A", "A+B"))


# -------------------------------------------------------------------------------------- invariance


def test_base_arm_and_order_of_studies_do_not_matter():
    arms = REFERENCE["connected"]["arms"]
    by_study = {}
    for arm in arms:
        by_study.setdefault(arm["study"], []).append(arm)
    turned = [arm for study in reversed(by_study.values()) for arm in reversed(study)]
    before = component_model(CONNECTED, components_of(CONNECTED))
    after = component_model(network(turned), components_of(CONNECTED))
    assert after.fitted.tau2 == pytest.approx(before.fitted.tau2, rel=1e-9)
    for one, other in zip(before.components, after.components, strict=True):
        assert (other.estimate, other.se) == pytest.approx((one.estimate, one.se), rel=1e-9)
