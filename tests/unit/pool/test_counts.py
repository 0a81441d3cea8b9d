"""Peto, random-effects logistic regression and proportions: by hand, and degenerate cases."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import load
from trial_evidence.pool.engine.results import Pooled, Refused
from trial_evidence.pool.models import binomial_normal
from trial_evidence.pool.models.binomial_normal import conditional_logistic, unconditional_logistic
from trial_evidence.pool.models.counts import Counts, peto

REFERENCE = load("all_inputs")


def counts(name, measure="odds_ratio"):
    table = REFERENCE[name]["table"]
    return Counts(*(table[key] for key in ("ai", "n1i", "ci", "n2i")), measure)


def test_peto_by_hand():
    # 1 of 10 against 3 of 10: O - E = 1 - 2, V = 10*10*4*16 / (400*19) = 0.842105.
    ours = peto(Counts([1], [10], [3], [10], "odds_ratio"))
    assert ours.estimate == pytest.approx(-1 / (6400 / 7600), rel=1e-12)


FUNCTIONS = {
    "UM.FS": unconditional_logistic,
    "CM.EL": conditional_logistic,
    "CM.AL": lambda *a, **kw: conditional_logistic(*a, **kw, approximate=True),
}


@pytest.mark.parametrize("model", FUNCTIONS)
def test_more_nodes_change_nothing(model, monkeypatch):
    name = "pagliaro1992_betablocker__OR"
    before = FUNCTIONS[model](counts(name))
    monkeypatch.setattr(binomial_normal, "NODES", 201)
    after = FUNCTIONS[model](counts(name))
    assert (before.estimate, before.tau2, before.se) == pytest.approx(
        (after.estimate, after.tau2, after.se), rel=1e-7
    )


@pytest.mark.parametrize("model", FUNCTIONS)
def test_the_next_trial_of_a_logistic_model_is_on_t_with_one_degree_less_than_trials(model):
    # Nine trials: the 97.5% quantile of t on 8 degrees of freedom.
    ours = FUNCTIONS[model](counts("pagliaro1992_betablocker__OR"))
    assert ours.tau2 > 0.1
    reach = 2.306004135204166 * math.sqrt(ours.tau2 + ours.se**2)
    assert (ours.pi_low, ours.pi_high) == pytest.approx(
        (ours.estimate - reach, ours.estimate + reach), rel=1e-12
    )


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), peto])
def test_trials_without_events_change_nothing(function):
    table = REFERENCE["hine1989__OR"]["table"]
    padded = Counts(
        [*table["ai"], 0], [*table["n1i"], 50], [*table["ci"], 0], [*table["n2i"], 60], "odds_ratio"
    )
    before, after = function(counts("hine1989__OR")), function(padded)
    assert (before.estimate, before.se, before.k) == pytest.approx(
        (after.estimate, after.se, after.k)
    )


def test_a_zero_cell_in_every_trial():
    # With zeros in opposite arms, each trial's odds ratio is at a limit of its range. Conditional
    # on the events, heterogeneity is then unbounded; with both arms' counts it is bounded.
    table = Counts([0, 2, 0], [20, 30, 25], [3, 0, 4], [22, 30, 24], "odds_ratio")
    ours = unconditional_logistic(table)
    assert ours.estimate < 0
    assert math.isfinite(ours.se)
    assert isinstance(conditional_logistic(table), Refused)
    assert conditional_logistic(table, common=True).estimate < 0


@pytest.mark.parametrize("function", FUNCTIONS.values())
@pytest.mark.parametrize("events", [([0, 0], [3, 4]), ([0, 0], [0, 0]), ([20, 30], [3, 4])])
def test_no_estimate_where_one_arm_has_no_or_only_events_in_all_trials(function, events):
    found = function(Counts(events[0], [20, 30], events[1], [22, 30], "odds_ratio"))
    assert not isinstance(found, Pooled)


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 12), st.integers(12, 40), st.integers(0, 12), st.integers(12, 40)),
        min_size=2,
        max_size=5,
    ),
    model=st.sampled_from(list(FUNCTIONS)[:2]),
)
def test_exchanging_the_arms_inverts_the_odds_ratio(rows, model):
    a, n1, c, n0 = zip(*rows, strict=True)
    there = FUNCTIONS[model](Counts(a, n1, c, n0, "odds_ratio"))
    back = FUNCTIONS[model](Counts(c, n0, a, n1, "odds_ratio"))
    if isinstance(there, Refused) or isinstance(back, Refused):
        assert there == back
        return
    assert there.estimate == pytest.approx(-back.estimate, rel=1e-5, abs=1e-6)
    assert there.tau2 == pytest.approx(back.tau2, rel=1e-4, abs=1e-5)


def test_peto_turns_round_with_the_arms():
    there = peto(Counts([1, 5], [20, 30], [4, 9], [22, 31], "odds_ratio"))
    back = peto(Counts([4, 9], [22, 31], [1, 5], [20, 30], "odds_ratio"))
    assert there.estimate == pytest.approx(-back.estimate, rel=1e-12)
    assert there.se == pytest.approx(back.se, rel=1e-12)


def test_peto_has_no_estimate_without_events():
    assert peto(Counts([0, 0], [20, 30], [0, 0], [22, 31], "odds_ratio")) is None


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), peto])
def test_only_odds_ratios(function):
    with pytest.raises(ValueError, match="odds ratios, not risk_ratio"):
        function(counts("hine1989__OR", "risk_ratio"))
