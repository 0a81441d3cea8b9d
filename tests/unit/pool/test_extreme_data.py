"""Data that no trial reports but a wrong cell can produce: a defined result, or a reason.

If a method has no answer it says so; it must not hang, raise an unexpected error, or give a number
that depends on the order of the rows.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.pool.engine.results import Pooled, Refused
from trial_evidence.pool.models import binomial_normal
from trial_evidence.pool.models.binomial_normal import (
    MOST_TABLES,
    NOT_SETTLED,
    TOO_LARGE,
    UNBOUNDED,
    conditional_logistic,
    unconditional_logistic,
)
from trial_evidence.pool.models.counts import Counts, mantel_haenszel, peto
from trial_evidence.pool.probes.meta_regression import meta_regression
from trial_evidence.pool.probes.small_study import egger, pet_peese, trim_and_fill


@st.composite
def tables(draw, most=60):
    """Two-by-two tables in which many arms have no events, or events in all patients."""
    arms = []
    for _ in range(draw(st.integers(2, 5))):
        sizes = (draw(st.integers(1, most)), draw(st.integers(1, most)))
        arms.append([(draw(st.sampled_from([0, n, n // 2, min(1, n)])), n) for n in sizes])
    return Counts(*([arm[i][j] for arm in arms] for i in (0, 1) for j in (0, 1)), "odds_ratio")


def as_measure(counts, measure):
    return Counts(counts.events_e, counts.n_e, counts.events_c, counts.n_c, measure)


def is_a_result(found):
    numbers = (found.estimate, found.se, found.ci_low, found.ci_high, found.p_value)
    return all(math.isfinite(number) for number in numbers) and found.se > 0


@given(tables())
@settings(max_examples=200)
def test_models_of_counts_give_a_result_or_none(counts):
    for measure in ("risk_ratio", "odds_ratio", "risk_difference"):
        found = mantel_haenszel(as_measure(counts, measure))
        assert found is None or is_a_result(found)
    found = peto(counts)
    assert found is None or is_a_result(found)


@pytest.mark.parametrize("function", [unconditional_logistic, conditional_logistic])
@given(counts=tables(most=20))
@settings(max_examples=15)
def test_logistic_models_give_a_result_or_the_reason(function, counts):
    found = function(counts)
    assert found.reason if isinstance(found, Refused) else is_a_result(found)


def test_a_logistic_model_that_does_not_settle_says_so(monkeypatch):
    monkeypatch.setattr(binomial_normal, "MOST_EVALUATIONS", 30)
    counts = Counts([18, 1, 0], [18, 583, 5], [18, 0, 11], [38, 1, 11], "odds_ratio")
    assert conditional_logistic(counts, approximate=True) == Refused(NOT_SETTLED)


def test_empty_arms_beside_full_ones_have_the_estimate_of_direct_integration():
    """Trials so unlike that the reader was told that the fit does not settle, after half a minute.

    In R, with a, n1, c, n0 the columns below:

        sum_of_logs <- function(x) max(x) + log(sum(exp(x - max(x)))); z <- seq(-14, 14, 0.01)
        one <- function(i, p) {
          m <- a[i] + c[i]; j <- max(0, m - n0[i]):min(m, n1[i]); theta <- p[1] + p[2] * z
          l <- lchoose(n1[i], j) + lchoose(n0[i], m - j) + outer(j, theta)
          x <- l[j == a[i], ] - apply(l, 2, sum_of_logs) + dnorm(z, log = TRUE)
          sum_of_logs(x) + log(0.01) }
        f <- function(p) -sum(sapply(1:8, one, p = p))
        best <- optim(optim(c(-3, 4), f)$par, f, method = "BFGS", control = list(reltol = 1e-16))
        sqrt(solve(optimHess(best$par, f))[1, 1])
    """
    counts = Counts(
        [0, 3, 46, 0, 18, 1, 41, 12], [267, 79, 200, 140, 121, 15, 146, 90],
        [218, 42, 36, 81, 41, 45, 35, 41], [218, 272, 107, 198, 175, 198, 67, 157], "odds_ratio",
    )  # fmt: skip
    found = conditional_logistic(counts)
    assert found.estimate == pytest.approx(-3.324180598, rel=1e-6)
    assert found.tau2 == pytest.approx(17.43056, rel=1e-6)
    assert found.se == pytest.approx(1.571991, rel=1e-5)


@pytest.mark.parametrize(
    ("tables", "estimate", "tau2", "se"),
    [
        (([45, 25, 0], [49, 25, 15], [10, 4, 1], [49, 25, 17]), 3.20792178, 25.2407181, 3.3076095),
        (
            ([1, 0, 14, 54, 51], [13, 11, 14, 56, 51], [1, 6, 10, 14, 2], [13, 13, 16, 58, 53]),
            3.72859237, 47.6817, 3.56125179,
        ),
    ],
)  # fmt: skip
def test_a_maximum_beyond_the_usual_tau_is_that_of_direct_integration(tables, estimate, tau2, se):
    """By the R code of the test above, from optim(c(3, 4), f).

    The reader was told that the likelihood rises with tau beyond all bounds.
    """
    found = conditional_logistic(Counts(*tables, "odds_ratio"))
    assert found.estimate == pytest.approx(estimate, rel=1e-6)
    assert found.tau2 == pytest.approx(tau2, rel=1e-6)
    assert found.se == pytest.approx(se, rel=1e-6)


def test_a_likelihood_that_rises_to_the_end_of_the_search_is_no_estimate():
    # Every table is at a limit of its range, some at the lower and some at the upper.
    counts = Counts([0, 20, 0, 20], [20] * 4, [20, 0, 20, 0], [20] * 4, "odds_ratio")
    for model in (unconditional_logistic, conditional_logistic):
        assert model(counts) == Refused(UNBOUNDED)


def test_the_higher_of_two_maxima_of_a_logistic_likelihood_is_found():
    """Fifty large trials that agree, and four that do not: tau = 0 is a maximum, but not the best.

    In R, with the columns below, metafor 3.8-1:

        bobyqa <- list(optimizer = "bobyqa", optCtrl = list(maxfun = 2e5, rhoend = 1e-12))
        rma.glmm(measure = "OR", ai, n1i = n1, ci, n2i = n1, model = "UM.FS", nAGQ = 100,
                 control = list(glmerCtrl = bobyqa))
    """
    n = [10_000] * 50 + [200] * 4
    counts = Counts([3000] * 50 + [10, 100] * 2, n, [2900] * 50 + [100, 10] * 2, n, "odds_ratio")
    found = unconditional_logistic(counts)
    assert found.tau2 == pytest.approx(0.416900414, rel=1e-5)
    assert found.se == pytest.approx(0.0885420806, rel=1e-4)


def test_tables_too_large_for_the_exact_likelihood_are_not_begun():
    n = 3 * MOST_TABLES
    counts = Counts([n // 3, n // 4], [n, n], [n // 4, n // 5], [n, n], "odds_ratio")
    assert conditional_logistic(counts) == Refused(TOO_LARGE)
    assert isinstance(conditional_logistic(counts, approximate=True), Pooled)


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
@pytest.mark.parametrize("silent", [(0, 30, 0, 20), (30, 30, 20, 20)])
def test_a_trial_that_says_nothing_of_a_ratio_does_not_count(measure, silent):
    informative = Counts([12, 9], [40, 50], [20, 18], [41, 49], measure)
    whole = (informative.events_e, informative.n_e, informative.events_c, informative.n_c)
    more = Counts(*([*x, y] for x, y in zip(whole, silent, strict=True)), measure)
    alone, together = mantel_haenszel(informative), mantel_haenszel(more)
    for field in ("k", "q", "q_df", "q_p", "i2_q", "estimate", "se"):
        assert getattr(together, field) == pytest.approx(getattr(alone, field), rel=1e-12), field


def test_a_risk_difference_without_any_event_has_no_standard_error():
    assert mantel_haenszel(Counts([0, 0], [20, 30], [0, 0], [22, 31], "risk_difference")) is None


# Three trials on one line: no residuals are left from which to estimate an error.
LINE = ([0.1, 0.2, 0.3], [0.1**2, 0.2**2, 0.3**2])


@pytest.mark.parametrize("function", [egger, pet_peese])
def test_a_line_through_every_trial_has_no_error(function):
    assert "goes through every trial" in function(*LINE, forced=True).reason


@given(
    st.lists(
        st.tuples(st.sampled_from([-0.5, 0.0, 0.2, 1.0]), st.sampled_from([0.01, 0.04, 0.040001])),
        min_size=3, max_size=7,
    )
)  # fmt: skip
@settings(max_examples=150)
def test_few_distinct_standard_errors_give_a_result_or_the_reason(trials):
    y, v = (np.array(column) for column in zip(*trials, strict=True))
    for function in (egger, pet_peese):
        found = function(y, v, forced=True)
        if not isinstance(found, Refused):
            lines = [found] if function is egger else [found.pet, found.peese]
            for line in lines:
                assert math.isfinite(line.statistic)
                assert 0 <= line.p_value <= 1
                assert line.limit_se > 0


@given(st.permutations(range(8)))
@settings(max_examples=40)
def test_trim_and_fill_does_not_depend_on_the_order_of_the_trials(order):
    # Two pairs of tied effects with different precision, one of them on the side to be filled.
    y = np.array([-0.9, -0.5, -0.5, -0.3, -0.3, -0.2, -0.1, 0.1])
    v = np.array([0.30, 0.20, 0.05, 0.10, 0.04, 0.03, 0.02, 0.01])
    there, back = (
        trim_and_fill(y[at], v[at], side="right", forced=True) for at in (range(8), list(order))
    )
    assert there.missing > 0
    assert back.missing == there.missing
    assert back.estimate == pytest.approx(there.estimate, rel=1e-9)
    assert sorted(back.filled_vi) == sorted(there.filled_vi)


@pytest.mark.parametrize("effect", [0.1, -0.7, 0.0])
def test_no_trial_is_missing_beside_effects_that_are_all_the_same(effect):
    v = np.array([0.04, 0.09, 0.013, 0.25, 0.07])
    found = trim_and_fill([effect] * 5, v, estimator="R0", side="left", forced=True)
    assert (found.missing, found.filled_yi) == (0, ())


def test_a_meta_regression_without_residuals_has_no_hartung_knapp_interval():
    v = [0.04, 0.05, 0.03, 0.02]
    for y in ([0.1, 0.2, 0.3, 0.4], [0.0] * 4, [0.3] * 4):
        found = meta_regression(y, v, {"x": [1, 2, 3, 4]}, interval="hartung_knapp", forced=True)
        assert "goes through every trial" in found.reason
        floored = meta_regression(y, v, {"x": [1, 2, 3, 4]}, forced=True)
        assert (floored.se > 0).all()


def dersimonian_laird(y, v, x):
    """Residual tau2 around a line in exact arithmetic: (Q - k + 2) divided by the trace of P."""
    w, y, x = ([Fraction(value) for value in column] for column in (
        [Fraction(1) / Fraction(value) for value in v], y, x))  # fmt: skip
    s = [sum(a * b**n for a, b in zip(w, x, strict=True)) for n in range(3)]
    u = [sum(a * a * b**n for a, b in zip(w, x, strict=True)) for n in range(3)]
    det = s[0] * s[2] - s[1] ** 2
    sy = [sum(a * b**n * c for a, b, c in zip(w, x, y, strict=True)) for n in range(2)]
    slope = (s[0] * sy[1] - s[1] * sy[0]) / det
    start = (s[2] * sy[0] - s[1] * sy[1]) / det
    q = sum(a * (c - start - slope * b) ** 2 for a, b, c in zip(w, x, y, strict=True))
    trace = s[0] - (s[2] * u[0] - 2 * s[1] * u[1] + s[0] * u[2]) / det
    return float(max(Fraction(0), (q - len(y) + 2) / trace))


@pytest.mark.parametrize("ratio", [1e2, 1e6, 1e8, 1e10])
def test_meta_regression_by_dl_is_exact_however_unequal_the_trials(ratio):
    y, x = [0.3, -0.2, 0.5, 0.1, 0.9], [1.0, 2.0, 3.0, 4.0, 6.0]
    v = [0.04, 0.05, 0.04 / ratio, 0.03, 0.02]
    ours = meta_regression(y, v, {"x": x}, method="DL", interval="wald", forced=True)
    assert ours.tau2 == pytest.approx(dersimonian_laird(y, v, x), rel=1e-9)
