"""The project's networks of progression-free survival against R's netmeta, on frozen rows."""

import math
from collections import defaultdict

import numpy as np
import pytest
from trial_evidence.network.evidence.contrasts import NetworkData, from_pairwise
from trial_evidence.network.fit.league import fit_network
from trial_evidence.network.fit.ranking import p_scores

from reference import load

OWN = load("netmeta_own_pfs")
SETTINGS = ("metastatic_first_line", "metastatic_pretreated")


def fitted(setting):
    """The network of a setting; a three-arm trial includes the contrast implied by the others."""
    rows = OWN[setting]["input"]
    studies = defaultdict(list)
    columns = ("study", "code", "against", "yi", "vi")
    for study, *contrast in zip(*(rows[name] for name in columns), strict=True):
        studies[study].append(contrast)
    return fit_network(NetworkData(tuple(map(_study, studies, studies.values()))), "REML")


def _study(name, contrasts):
    if len(contrasts) == 2:
        (_, one, y1, v1), (_, other, y2, v2) = contrasts
        # Contrasts that share an arm have correlation one half.
        contrasts = [*contrasts, [one, other, y2 - y1, v1 + v2 - math.sqrt(v1 * v2)]]
    experimental, control, yi, vi = zip(*contrasts, strict=True)
    return from_pairwise(name, experimental, control, yi, np.sqrt(vi))


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_comparison_of_two_regimens(setting):
    """The report ranks conjugates and dual blockade by these contrasts."""
    fit, expected = fitted(setting), OWN[setting]["REML"]
    places = [fit.random.treatments.index(t) for t in expected["treatments"]]
    for league, name in ((fit.common, "common"), (fit.random, "random")):
        for field, matrix in (("TE", league.effects), ("se", league.se)):
            found = matrix[np.ix_(places, places)]
            np.testing.assert_allclose(found, expected[f"{field}_{name}"], rtol=0, atol=1e-6)
    assert fit.tau2 == pytest.approx(expected["tau2"], abs=1e-6)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_order_of_the_regimens(setting):
    fit, expected = fitted(setting), OWN[setting]["REML"]
    scores = p_scores(fit.random, higher_is_better=False)
    wanted = dict(zip(expected["treatments"], expected["p_scores"], strict=True))
    found = dict(zip(fit.random.treatments, scores, strict=True))
    assert found == pytest.approx(wanted, abs=1e-6)
