"""Network estimates and tau2 against netmeta and metafor, and their invariances."""

import numpy as np
import pytest
from example_networks import REFERENCE, at_random, network, of_counts, of_pairwise, two_arm
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import POOLING
from reference import load
from scipy.stats import t as student_t
from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts
from trial_evidence.network.fit.league import fit_network
from trial_evidence.network.fit.least_squares import estimate_tau2, laplacian, rotate
from trial_evidence.network.models import interval_heading, network_models

NETWORKS = sorted(REFERENCE["networks"])
MATRICES = {
    "TE_random": lambda fit: fit.random.effects,
    "se_random": lambda fit: fit.random.se,
    "lower_random": lambda fit: fit.random.ci_low,
    "upper_random": lambda fit: fit.random.ci_high,
    "TE_common": lambda fit: fit.common.effects,
    "se_common": lambda fit: fit.common.se,
    "lower_predict": lambda fit: fit.random.pi_low,
    "upper_predict": lambda fit: fit.random.pi_high,
}


def assert_matrices(fit, theirs, rtol):
    assert fit.random.treatments == tuple(theirs["trts"])
    for name, matrix in MATRICES.items():
        if name in theirs:
            np.testing.assert_allclose(
                matrix(fit), theirs[name], rtol=rtol, atol=rtol, err_msg=name
            )


@pytest.mark.parametrize("name", NETWORKS)
def test_dersimonian_laird_agrees_with_netmeta(name):
    fit, theirs = fit_network(of_pairwise(name), "DL"), REFERENCE["networks"][name]["DL"]
    assert fit.tau2 == pytest.approx(theirs["tau2"], rel=1e-10)
    assert (fit.heterogeneity.q, fit.heterogeneity.p_value) == pytest.approx(
        (theirs["Q"], theirs["p_Q"]), rel=1e-10
    )
    assert (fit.heterogeneity.df, fit.i2) == (theirs["df_Q"], pytest.approx(100 * theirs["I2"]))
    assert_matrices(fit, theirs, 1e-10)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_likelihood_agrees_with_metafor(name, method):
    theirs = REFERENCE["rma_mv"][name][method]
    fit = fit_network(of_pairwise(name), method)
    # metafor's optimiser stops at about 1e-8.
    assert fit.tau2 == pytest.approx(theirs["tau2"], rel=1e-6)
    np.testing.assert_allclose(fit.random.effects[1:, 0], theirs["beta"], atol=1e-6)
    np.testing.assert_allclose(fit.random.se[1:, 0], theirs["se"], atol=1e-6)


def uncorrelated(data, reference):
    """The contrasts in netmeta's likelihood for effects given without counts."""
    turned = [
        s.relative_to(reference if reference in s.treatments else max(s.treatments))
        for s in data.studies
    ]
    return network(
        StudyContrasts(s.study, s.treatments, s.effects, np.diag(np.diag(s.covariance)))
        for s in turned
    )


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_netmeta_without_counts(name, method):
    data, reference = of_pairwise(name), REFERENCE["networks"][name]
    theirs = reference[method]
    tau2 = estimate_tau2([rotate(uncorrelated(data, reference["reference"]))], method)
    assert tau2 == pytest.approx(theirs["tau2"], rel=1e-6)
    assert_matrices(fit_network(data, tau2=tau2), {"trts": data.treatments, **theirs}, 1e-6)


@pytest.mark.parametrize("name", sorted(REFERENCE["counts"]))
@pytest.mark.parametrize("method", ["DL", "REML"])
def test_counts_agree_with_netmeta(name, method):
    fit, theirs = fit_network(of_counts(name), method), REFERENCE["counts"][name][method]
    assert fit.tau2 == pytest.approx(theirs["tau2"], rel=1e-9)
    # Accuracy of the optimiser behind netmeta.
    assert fit.tau2 == pytest.approx(theirs["tau2_by_optimiser"], rel=2e-6, abs=1e-9)
    assert (fit.heterogeneity.q, fit.heterogeneity.df) == (
        pytest.approx(theirs["Q"]),
        theirs["df_Q"],
    )
    if fit.heterogeneity.df < 2:
        theirs = {k: v for k, v in theirs.items() if "predict" not in k}
        assert np.isnan(fit.random.pi_low).all()
    assert_matrices(fit, theirs, 1e-9)


def dense(data, tau2):
    """The textbook formula, study by study: levels against the first treatment, covariance, Q."""
    left, right, q = 0.0, 0.0, 0.0
    for study in data.studies:
        size = study.effects.size
        weight = np.linalg.inv(study.covariance + tau2 * (np.eye(size) + 1) / 2)
        design = np.zeros((size, len(data.treatments)))
        for row, treatment in enumerate(study.treatments[1:]):
            design[row, data.position[treatment]] = 1
        design[:, data.position[study.treatments[0]]] -= 1
        design = design[:, 1:]
        left = left + design.T @ weight @ design
        right = right + design.T @ weight @ study.effects
        q += study.effects @ weight @ study.effects
    covariance = np.linalg.inv(left)
    return covariance @ right, covariance, q - right @ covariance @ right


@pytest.mark.parametrize("tau2", [0.0, 0.2])
def test_multi_arm_studies_by_the_textbook_formula(tau2):
    data = at_random(1)
    assert max(len(study.treatments) for study in data.studies) == 4
    fit = fit_network(data, tau2=tau2)
    levels, covariance, _ = dense(data, tau2)
    np.testing.assert_allclose(fit.random.effects[1:, 0], levels, rtol=1e-10)
    np.testing.assert_allclose(fit.random.covariance[1:, 1:], covariance, rtol=1e-10, atol=1e-14)
    assert fit.heterogeneity.q == pytest.approx(dense(data, 0.0)[2])


def highest(data, restricted):
    """The maximum of the log likelihood on a grid of tau2, and the function itself."""

    def log_likelihood(tau2):
        _, covariance, q = dense(data, tau2)
        value = -q
        for study in data.studies:
            size = study.effects.size
            value -= np.linalg.slogdet(study.covariance + tau2 * (np.eye(size) + 1) / 2)[1]
        return value + (np.linalg.slogdet(covariance)[1] if restricted else 0.0)

    grid = np.concatenate([[0.0], np.geomspace(1e-6, 10, 300)])
    return max(log_likelihood(point) for point in grid), log_likelihood


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_no_tau2_is_more_likely(seed, restricted):
    data = at_random(seed, heterogeneity=0.4)
    best, log_likelihood = highest(data, restricted)
    tau2 = estimate_tau2([rotate(data)], "REML" if restricted else "ML")
    assert log_likelihood(tau2) >= best - 1e-9


@pytest.mark.parametrize(
    ("effects", "variances", "inside"),
    [
        ([0.3, 1.8, -1.4, 0.0, 0.1], [0.0415, 0.4893, 1.0301, 44.4054, 0.0867], True),
        ([-1.0, 0.1, -0.3, -1.8, -0.3], [0.5151, 0.0706, 0.0076, 0.3502, 0.0481], False),
    ],
)
def test_of_two_peaks_the_higher(effects, variances, inside):
    # Both likelihoods have one peak at zero and one inside.
    data = network(
        two_arm(str(i), "b", "a", y, v)
        for i, (y, v) in enumerate(zip(effects, variances, strict=True))
    )
    best, log_likelihood = highest(data, restricted=True)
    tau2 = estimate_tau2([rotate(data)], "REML")
    assert (tau2 > 0) is inside
    assert log_likelihood(tau2) >= best - 1e-9


def test_two_treatments_are_a_pairwise_meta_analysis():
    # BCG vaccine trials, log risk ratios: metafor's rma().
    trials = load("metafor")["bcg__RR"]
    data = network(
        two_arm(str(i), "vaccine", "none", y, v)
        for i, (y, v) in enumerate(zip(trials["yi"], trials["vi"], strict=True))
    )
    theirs = trials["fits"]["REML"]
    fit = fit_network(data, "REML")
    assert fit.tau2 == pytest.approx(theirs["adhoc"]["tau2"], rel=1e-6)
    assert fit.random.effects[1, 0] == pytest.approx(theirs["adhoc"]["beta"], rel=1e-6)
    assert fit.random.se[1, 0] == pytest.approx(theirs["z"]["se"], rel=1e-6)


@pytest.mark.parametrize("method", ["EE", "REML"])
@pytest.mark.parametrize("name", ["bcg__RR", "hine1989__OR"])
def test_hartung_knapp_of_two_treatments_is_metafors_floored_one(name, method):
    """Without heterogeneity the residuals inflate the variance (12.7-fold in bcg__RR)."""
    trials = load("metafor_estimators")[name]
    data = network(
        two_arm(f"{i:02d}", "treated", "none", y, v)
        for i, (y, v) in enumerate(zip(trials["yi"], trials["vi"], strict=True))
    )
    league = fit_network(data, method).hartung_knapp
    found = (league.se, league.ci_low, league.ci_high, league.p_value)
    theirs = trials["fits"][method]["adhoc"]
    assert [matrix[1, 0] for matrix in found] == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("tau2", [0.0, 0.2])
def test_hartung_knapp_with_multi_arm_studies_by_the_textbook_formula(tau2):
    data = at_random(1)
    league = fit_network(data, tau2=tau2).hartung_knapp
    levels, covariance, q = dense(data, tau2)
    df = sum(study.effects.size for study in data.studies) - len(levels)
    factor = max(1.0, q / df)
    assert (factor > 1) == (tau2 == 0)
    half = student_t(df).ppf(0.975) * np.sqrt(factor * np.diag(covariance))
    np.testing.assert_allclose(league.ci_low[1:, 0], levels - half, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(league.ci_high[1:, 0], levels + half, rtol=1e-9, atol=1e-12)


def test_without_degrees_of_freedom_there_is_no_hartung_knapp_interval():
    data = network([two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "b", 0.5, 0.01)])
    fit = fit_network(data)
    assert (fit.heterogeneity.df, fit.hartung_knapp) == (0, None)


# --------------------------------------------------------------------------- what changes nothing


def everything(fit):
    return (fit.random.effects, fit.random.se, fit.random.pi_low, fit.heterogeneity.q, fit.tau2)


def assert_same(one, other):
    for a, b in zip(everything(one), everything(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), method=st.sampled_from(["DL", "REML"]))
def test_neither_base_arm_nor_order_matters(seed, method):
    data = at_random(seed % 50)
    random = np.random.default_rng(seed)
    turned = [s.relative_to(str(random.choice(s.treatments))) for s in data.studies]
    shuffled = NetworkData(tuple(turned[i] for i in random.permutation(len(turned))))
    assert_same(fit_network(data, method), fit_network(shuffled, method))


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), method=st.sampled_from(["DL", "REML"]))
def test_names_do_not_matter(seed, method):
    data = at_random(seed % 50)
    size = len(data.treatments)
    order = np.random.default_rng(seed).permutation(size)
    new = {t: f"n{order[i]:02d}" for i, t in enumerate(data.treatments)}
    renamed = network(
        StudyContrasts(f"z{s.study}", tuple(new[t] for t in s.treatments), s.effects, s.covariance)
        for s in data.studies
    )
    fit, other = fit_network(data, method), fit_network(renamed, method)
    place = np.ix_(order, order)
    np.testing.assert_allclose(fit.random.effects, other.random.effects[place], atol=1e-8)
    np.testing.assert_allclose(fit.random.se, other.random.se[place], atol=1e-8)
    assert fit.tau2 == pytest.approx(other.tau2, rel=1e-7, abs=1e-12)


# -------------------------------------------------------------------------------------- degenerate


def test_one_study_is_its_own_result():
    fit = fit_network(network([two_arm("1", "b", "a", 0.5, 0.04)]), "REML")
    assert fit.random.effects[1, 0] == pytest.approx(0.5)
    assert fit.random.se[1, 0] == pytest.approx(0.2)
    assert (fit.tau2, fit.heterogeneity.df, fit.heterogeneity.p_value, fit.i2) == (
        None,
        0,
        None,
        None,
    )
    assert np.isnan(fit.random.pi_low).all()


def test_a_prediction_interval_is_no_narrower_than_the_interval_of_its_model():
    """R 4.2.2, metafor 3.8-1: with yi = c(.44, -.38, .19, .16) and sei = c(.17, .24, .07, .05)::

    predict(rma(yi, sei = sei, method = "REML", test = "adhoc"))
    """
    effects = zip((0.44, -0.38, 0.19, 0.16), (0.17, 0.24, 0.07, 0.05), strict=True)
    data = network(two_arm(str(n), "b", "a", y, se**2) for n, (y, se) in enumerate(effects))
    fit = fit_network(data, "REML")
    models = {m.name: m for m in network_models(fit, fit_network(data, "DL"), {}, POOLING)}
    cell = fit.random.cell("b", "a")
    found = models["random_reml_hk"]
    ends = (found.pi_low[cell], found.pi_high[cell])
    assert ends == pytest.approx((-0.0317628418675092, 0.3713835449028969), abs=1e-9)


def test_one_effect_in_all_studies_has_no_prediction_interval():
    studies = [two_arm(str(n), "b", "a", 0.1 * n, 0.04) for n in range(4)]
    assert np.isnan(fit_network(network(studies), "EE").random.pi_low).all()


def test_a_star_of_single_studies_keeps_their_results():
    data = network(two_arm(t, t, "a", 0.1 * n, 0.01 * n) for n, t in enumerate("bcd", start=1))
    fit = fit_network(data)
    assert fit.tau2 is None
    # b against c: 0.1 - 0.2, variance 0.01 + 0.02.
    assert fit.random.effects[1, 2] == pytest.approx(-0.1)
    assert fit.random.se[1, 2] ** 2 == pytest.approx(0.03)


def test_studies_that_agree_exactly_have_no_heterogeneity():
    data = network(two_arm(str(n), "b", "a", 0.3, 0.1) for n in range(4))
    for method in ("DL", "REML", "ML"):
        fit = fit_network(data, method)
        assert fit.tau2 == 0
        assert fit.i2 == pytest.approx(0)


def test_less_spread_than_chance_is_no_negative_heterogeneity():
    # Q = 0.1**2/0.2 on one degree of freedom.
    data = network([two_arm("1", "b", "a", 0.0, 0.1), two_arm("2", "b", "a", 0.1, 0.1)])
    fit = fit_network(data, "DL")
    assert fit.heterogeneity.q == pytest.approx(0.05)
    assert (fit.tau2, fit.i2) == (0, 0)


def test_one_degree_of_freedom_has_heterogeneity_but_no_prediction():
    data = network([two_arm("1", "b", "a", 0.0, 0.1), two_arm("2", "b", "a", 1.0, 0.1)])
    fit = fit_network(data, "DL")
    # Q = 1/0.2 = 5, and tau2 = (5 - 1)/(20 - 200/20).
    assert fit.tau2 == pytest.approx(0.4)
    assert np.isnan(fit.random.pi_low).all()


def test_parts_without_a_path_are_empty():
    data = network(
        [two_arm("1", "b", "a", 0.5, 0.04), two_arm("2", "d", "c", 0.3, 0.01),
         two_arm("3", "d", "c", 0.1, 0.01)]
    )  # fmt: skip
    fit = fit_network(data, "DL")
    assert np.isnan(fit.random.effects[0, 2:]).all()
    assert np.isnan(fit.random.se[0, 2:]).all()
    assert fit.common.effects[3, 2] == pytest.approx(0.2)
    assert fit.heterogeneity.df == 1


def test_what_cannot_be_asked():
    data = of_pairwise("pagliaro1992_OR")
    with pytest.raises(ValueError, match="'PM' is not one of EE, DL, ML, REML"):
        fit_network(data, "PM")
    with pytest.raises(ValueError, match="percent"):
        fit_network(data, level=0.95)


def test_common_effect_has_no_heterogeneity():
    data = of_pairwise("pagliaro1992_OR")
    fit = fit_network(data, "EE")
    np.testing.assert_array_equal(fit.random.effects, fit.common.effects)
    assert fit.tau2 == 0


def test_conductances_of_a_two_arm_network():
    data = network([two_arm("1", "b", "a", 0.5, 0.04), two_arm("2", "c", "b", 0.3, 0.1)])
    first, second = 1 / 0.05, 1 / 0.11
    np.testing.assert_allclose(
        laplacian(rotate(data), 0.01),
        [[first, -first, 0], [-first, first + second, -second], [0, -second, second]],
    )


def test_every_model_of_a_network_has_a_heading_that_names_its_interval():
    fits = [fit_network(of_pairwise(NETWORKS[0]), estimator) for estimator in ("REML", "DL")]
    headings = {m.name: interval_heading(m) for m in network_models(*fits, {}, POOLING)}
    assert headings.pop("random_reml_hk") == "Hartung–\nKnapp type"
    assert headings == dict.fromkeys(["random_reml", "random_dl", "common"], "Wald\ninterval")
