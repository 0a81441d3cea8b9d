"""Required information: compared with RTSA, published numbers of events, and metafor."""

import math

import numpy as np
import pytest
from reference import load
from trial_evidence.measures import MEASURES
from trial_evidence.measures.effects import risk_ratio
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.probes.information import (
    diversity,
    events_required,
    patients_required,
    risk_with,
    variance_of_one_patient,
)

REFERENCE = load("further_trial")


@pytest.mark.parametrize("case", REFERENCE["patients"], ids=lambda c: f"{c['ratio']}")
def test_patients_are_those_of_trial_sequential_analysis(case):
    measure, control = MEASURES[case["measure"]], case["control_risk"]
    risk = risk_with(measure, control, math.log(case["ratio"]))
    assert math.ceil(patients_required(control, risk, 5, 80)) == case["required"]


@pytest.mark.parametrize(
    ("ratio", "power", "events"),
    # numbers by Schoenfeld's formula as printed in textbooks and protocols
    [(0.75, 90, 508), (0.7, 90, 331), (0.8, 80, 631)],
)
def test_events_are_those_of_schoenfelds_formula(ratio, power, events):
    assert math.ceil(events_required(math.log(ratio), 5, power)) == events


def test_diversity_is_that_of_metafors_standard_errors():
    table = load("metafor_sensitivity")["bcg__OR"]["table"]
    found = risk_ratio(table["ai"], table["n1i"], table["ci"], table["n2i"])
    tau2 = float(fit_stack(found.yi, found.vi).tau2[0])
    assert diversity(found.vi, tau2) == pytest.approx(REFERENCE["bcg__RR"]["d2"], rel=1e-6)
    assert diversity(found.vi, 0.0) == 0.0


@pytest.mark.parametrize(
    ("measure", "effect", "risk", "variance"),
    [
        ("risk_ratio", math.log(1.5), 0.45, 1 / 0.45 - 1 + 1 / 0.3 - 1),
        ("odds_ratio", math.log(3.5), 0.6, 1 / 0.24 + 1 / 0.21),
        ("risk_difference", 0.2, 0.5, 0.25 + 0.21),
    ],
)
def test_a_trial_of_one_patient_an_arm(measure, effect, risk, variance):
    assert risk_with(MEASURES[measure], 0.3, effect) == pytest.approx(risk, rel=1e-9)
    assert variance_of_one_patient(MEASURES[measure], 0.3, effect) == pytest.approx(variance)


@pytest.mark.parametrize("control", [0.0, 0.8, 1.0])
def test_no_risk_is_above_one(control):
    # a risk ratio of 1.5 at a control risk of 80% would be a risk of 120%
    assert math.isnan(risk_with(MEASURES["risk_ratio"], control, math.log(1.5)))
    assert np.isnan(variance_of_one_patient(MEASURES["risk_ratio"], control, math.log(1.5)))
