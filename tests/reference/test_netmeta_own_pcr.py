"""The sheet's network of responses against R's netmeta, on the counts stored with the reference."""

import math
from collections import defaultdict

import numpy as np
import pytest
from trial_evidence.network.components.additive import additivity_test, component_model
from trial_evidence.network.evidence.contrasts import NetworkData, from_counts
from trial_evidence.network.fit.evidence_split import split_evidence
from trial_evidence.network.fit.inconsistency import inconsistency
from trial_evidence.network.fit.league import fit_network
from trial_evidence.network.fit.ranking import p_scores

from reference import load

OWN = load("netmeta_own_pcr")["pcr"]
INPUT, REML, DL, COMPONENTS = OWN["input"], OWN["REML"], OWN["DL"], OWN["netcomb"]


def network():
    arms = defaultdict(list)
    columns = (INPUT[name] for name in ("study", "treat", "event", "n"))
    for study, *arm in zip(*columns, strict=True):
        arms[study].append(arm)
    return NetworkData(
        tuple(from_counts(s, *zip(*rows, strict=True), "odds_ratio") for s, rows in arms.items())
    )


@pytest.fixture(scope="module")
def data():
    return network()


@pytest.fixture(scope="module")
def fit(data):
    return fit_network(data, "REML")


def ordered(matrix, expected):
    """A matrix with treatments in the order of the reference."""
    places = [OURS.index(t) for t in expected["treatments"]]
    return np.asarray(matrix)[np.ix_(places, places)]


OURS = network().treatments


@pytest.mark.parametrize(
    ("name", "field"),
    [("TE_common", "effects"), ("se_common", "se"), ("TE_random", "effects"), ("se_random", "se")],
)
def test_every_effect_and_its_standard_error(fit, name, field):
    league = fit.common if name.endswith("common") else fit.random
    found = ordered(getattr(league, field), REML)
    np.testing.assert_allclose(found, REML[name], rtol=0, atol=1e-6)


def test_prediction_intervals(fit):
    for found, name in (
        (fit.random.pi_low, "lower_predict"),
        (fit.random.pi_high, "upper_predict"),
    ):
        wanted = np.array(REML[name], dtype=float)
        apart = ~np.eye(len(wanted), dtype=bool)
        np.testing.assert_allclose(ordered(found, REML)[apart], wanted[apart], rtol=0, atol=1e-6)


def test_heterogeneity(data, fit):
    assert math.sqrt(fit.tau2) == pytest.approx(REML["tau"], abs=1e-6)
    assert (fit.heterogeneity.q, fit.heterogeneity.df) == (
        pytest.approx(REML["Q"], abs=1e-6),
        REML["df_Q"],
    )
    other = fit_network(data, "DL")
    assert math.sqrt(other.tau2) == pytest.approx(DL["tau"], abs=1e-6)
    np.testing.assert_allclose(ordered(other.random.effects, DL), DL["TE_random"], atol=1e-6)


def test_p_scores(fit):
    scores = p_scores(fit.random, higher_is_better=True)
    found = dict(zip(fit.random.treatments, scores, strict=True))
    assert found == pytest.approx(REML["pscore"], abs=1e-6)


def test_decomposition_of_q(data):
    found = inconsistency(data, "DL")
    assert found.within.q == pytest.approx(REML["Q_het"], abs=1e-6)
    assert found.between.q == pytest.approx(REML["Q_inc"], abs=1e-6)
    assert (found.within.df, found.between.df) == (REML["df_het"], REML["df_inc"])
    assert found.random_between.q == pytest.approx(DL["dbt"]["Q"], abs=1e-6)
    assert found.random_between.p_value == pytest.approx(DL["dbt"]["pval"], abs=1e-6)


def test_direct_and_indirect_evidence(fit):
    wanted = REML["split"]
    places = {name: at for at, name in enumerate(wanted["comparison"])}
    splits = split_evidence(fit)
    for split in splits:
        pair = split.comparison.pair
        # The reference names each comparison in one of two orders.
        sign, at = next(
            (s, places[":".join(names)])
            for s, names in ((1, pair), (-1, pair[::-1]))
            if ":".join(names) in places
        )
        assert sign * split.direct.estimate == pytest.approx(wanted["direct"][at], abs=1e-6)
        assert split.proportion == pytest.approx(wanted["prop"][at], abs=1e-6)
        if split.indirect is not None:
            assert sign * split.indirect.estimate == pytest.approx(wanted["indirect"][at], abs=1e-6)
            assert split.difference.p_value == pytest.approx(wanted["p"][at], abs=1e-6)
    assert len(splits) == 22
    assert sum(split.indirect is not None for split in splits) == 9


@pytest.mark.parametrize(("method", "which"), [("EE", "common"), ("DL", "random")])
def test_components(data, method, which):
    model = component_model(data, INPUT["components"], method=method)
    names = [
        name.replace("-", "_").replace(" ", "_") for name in (e.name for e in model.components)
    ]
    found = {n: (e.estimate, e.se) for n, e in zip(names, model.components, strict=True)}
    for at, name in enumerate(COMPONENTS["components"]):
        wanted = (COMPONENTS[f"TE_{which}"][at], COMPONENTS[f"se_{which}"][at])
        assert found[name] == pytest.approx(wanted, abs=1e-6), name


def test_additivity(data):
    test = additivity_test(data, INPUT["components"], method="DL")
    assert test.additive.q == pytest.approx(COMPONENTS["Q_additive"], abs=1e-6)
    assert test.difference.q == pytest.approx(COMPONENTS["Q_diff"], abs=1e-6)
    assert (test.difference.df, test.difference.p_value) == (
        COMPONENTS["df_diff"],
        pytest.approx(COMPONENTS["pval_diff"], abs=1e-6),
    )
