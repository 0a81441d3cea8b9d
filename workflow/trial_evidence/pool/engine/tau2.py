"""Estimators of the between-trial variance tau2, for many analyses at once.

Every estimator takes a `Stack` of analyses with at least two studies each and returns one tau2 per
analysis, never negative. Iterative estimators solve their equation within a bracket that contains
the solution, so they always converge.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.engine.roots import falling_roots
from trial_evidence.pool.engine.stacks import Ints, Stack

# Step of the search for sign changes of a likelihood's slope, in log(1 + tau2/smallest variance).
# The slope's terms vary over about one unit on this scale, so two modes within one step can only
# be shallow.
SEARCH_STEP = 0.5


def around_mean(stack: Stack, tau2: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights at a given tau2, their sum, the weighted mean, and the residuals from it."""
    w = 1 / (stack.vi + tau2)
    total = w.sum(axis=0)
    mean = (w * stack.yi).sum(axis=0) / total
    return w, total, mean, stack.yi - mean


def weighted_squares(stack: Stack, tau2: Floats) -> Floats:
    """Q around the weighted mean, at a given tau2.

    Parameters
    ----------
    stack : Stack
        Analyses.
    tau2 : numpy.ndarray of float, shape (analyses,)
        Between-trial variances; zeros give Cochran's Q.

    Returns
    -------
    numpy.ndarray of float, shape (analyses,)
        Sum of w (y - mean)**2 with w = 1/(v + tau2).
    """
    w, _, _, residuals = around_mean(stack, tau2)
    return np.asarray((w * residuals**2).sum(axis=0))


def _plain_squares(stack: Stack) -> Floats:
    """Sum of squares around the unweighted mean."""
    centred, _ = stack.centred()
    return np.asarray((centred.yi**2).sum(axis=0))


def solve_weighted_squares(stack: Stack, target: Floats) -> Floats:
    """The tau2 at which Q equals a target; zero if Q at tau2 = 0 is already below it.

    Parameters
    ----------
    stack : Stack
        Analyses.
    target : numpy.ndarray of float, shape (analyses,)
        Values above zero.

    Notes
    -----
    Q decreases in tau2 and lies between R/(largest v + tau2) and R/(smallest v + tau2), where R is
    the sum of squares around the unweighted mean. This brackets the solution.
    """
    centred, _ = stack.centred()
    result = np.zeros(centred.k.size)
    todo = np.flatnonzero(weighted_squares(centred, result) > target)
    if todo.size == 0:
        return result
    inner, goal = centred.take(todo), target[todo]
    squares = (inner.yi**2).sum(axis=0)
    smallest = inner.vi.min(axis=0)
    largest = np.where(inner.present, inner.vi, 0.0).max(axis=0)
    # Wider than the bounds by one part in 1e12, to allow for rounding.
    low = np.maximum(squares / goal * (1 - 1e-12) - largest * (1 + 1e-12), 0.0)
    high = np.maximum(squares / goal * (1 + 1e-12) - smallest * (1 - 1e-12), low)

    def reciprocal(tau2: Floats, which: Ints) -> tuple[Floats, Floats]:
        # 1/goal - 1/Q is nearly linear in tau2, and exactly so if the variances are equal.
        part = inner if which.size == inner.k.size else inner.take(which)
        w, _, _, residuals = around_mean(part, tau2)
        wr = w * residuals
        q = (wr * residuals).sum(axis=0)
        return 1 / goal[which] - 1 / q, -(wr**2).sum(axis=0) / q**2

    result[todo] = falling_roots(reciprocal, low, high, (low + high) / 2, smallest)
    return result


def _dersimonian_laird(stack: Stack) -> Floats:
    w = 1 / stack.vi
    total = w.sum(axis=0)
    q = weighted_squares(stack, np.zeros(stack.k.size))
    # total minus sum of w**2 / total, without cancellation if one weight dominates.
    rest = (w * (total - w)).sum(axis=0) / total
    return np.asarray(np.maximum((q - (stack.k - 1)) / rest, 0.0))


def _paule_mandel(stack: Stack) -> Floats:
    return solve_weighted_squares(stack, (stack.k - 1).astype(float))


def _hedges(stack: Stack) -> Floats:
    mean_variance = np.where(stack.present, stack.vi, 0.0).sum(axis=0) / stack.k
    return np.asarray(np.maximum(_plain_squares(stack) / (stack.k - 1) - mean_variance, 0.0))


def _hunter_schmidt(stack: Stack) -> Floats:
    q = weighted_squares(stack, np.zeros(stack.k.size))
    return np.asarray(np.maximum((q - stack.k) / (1 / stack.vi).sum(axis=0), 0.0))


def _sidik_jonkman(stack: Stack) -> Floats:
    crude = _plain_squares(stack) / stack.k
    # If all effects are identical, crude is zero and so is the estimate.
    squares = weighted_squares(stack, crude)
    return np.asarray(crude * squares / (stack.k - 1))


def _slope(part: Stack, tau2: Floats, restricted: bool) -> Floats:
    """Twice the derivative of the log likelihood."""
    w, total, _, residuals = around_mean(part, tau2)
    squares = w * w
    residuals *= residuals
    residuals *= squares
    slope: Floats = residuals.sum(axis=0) - total
    if restricted:
        slope += squares.sum(axis=0) / total
    return slope


def _slope_and_curvature(part: Stack, tau2: Floats, restricted: bool) -> tuple[Floats, Floats]:
    w, total, _, residuals = around_mean(part, tau2)
    squares = w * w
    sum_squares = squares.sum(axis=0)
    weighted = squares * residuals
    lean = weighted.sum(axis=0)
    weighted *= residuals
    slope = weighted.sum(axis=0) - total
    weighted *= w
    curvature = 2 * lean * lean / total - 2 * weighted.sum(axis=0) + sum_squares
    if restricted:
        ratio = sum_squares / total
        squares *= w
        slope += ratio
        curvature += ratio * ratio - 2 * squares.sum(axis=0) / total
    return slope, curvature


def _log_likelihood(part: Stack, tau2: Floats, restricted: bool) -> Floats:
    w, total, _, residuals = around_mean(part, tau2)
    log_w = np.log(w, out=np.zeros_like(w), where=w > 0).sum(axis=0)
    value: Floats = 0.5 * (log_w - (w * residuals**2).sum(axis=0))
    return value - 0.5 * np.log(total) if restricted else value


def _upper_bound(stack: Stack) -> Floats:
    """A tau2 beyond which neither likelihood increases.

    Since w <= 1/tau2, the quadratic part of the slope is at most R/tau2**2, where R is the sum of
    squares around the unweighted mean; the trace is at least (k - 1)/(tau2 + largest v).
    """
    r = _plain_squares(stack) / (stack.k - 1)
    largest = np.where(stack.present, stack.vi, 0.0).max(axis=0)
    return np.asarray(r / 2 + np.sqrt(r * r / 4 + r * largest))


def _brackets(stack: Stack, restricted: bool) -> tuple[Ints, Floats, Floats]:
    """Every maximum (slope falling through zero): its analysis, and tau2 on both sides of it."""
    smallest = stack.vi.min(axis=0)
    reach = np.log1p(_upper_bound(stack) * (1 + 1e-9) / smallest)
    steps = np.ceil(reach / SEARCH_STEP).astype(np.intp)
    width = reach / np.maximum(steps, 1)
    found: list[tuple[Ints, Floats, Floats]] = [
        (np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0))
    ]
    left = np.flatnonzero(steps > 0)
    part = stack if left.size == stack.k.size else stack.take(left)
    here = np.zeros(left.size)
    rising = _slope(part, here, restricted) > 0
    for step in range(1, int(steps.max(initial=0)) + 1):
        going = steps[left] >= step
        if not going.all():
            left, part = left[going], part.take(going)
            here, rising = here[going], rising[going]
        there = smallest[left] * np.expm1(step * width[left])
        rising_there = _slope(part, there, restricted) > 0
        # Beyond the last step the slope cannot be positive; a rounding error must not hide a fall.
        rising_there &= steps[left] > step
        falls = np.flatnonzero(rising & ~rising_there)
        found.append((left[falls], here[falls], there[falls]))
        here, rising = there, rising_there
    analysis, low, high = (np.concatenate(column) for column in zip(*found, strict=True))
    return analysis, low, high


def _maximum_likelihood(stack: Stack, restricted: bool) -> Floats:
    centred, _ = stack.centred()
    result = np.zeros(stack.k.size)
    analysis, low, high = _brackets(centred, restricted)
    if analysis.size == 0:
        return result
    in_order = analysis.size == stack.k.size and bool((np.diff(analysis) > 0).all())
    inner = centred if in_order else centred.take(analysis)
    offset = inner.k / (1 / inner.vi).sum(axis=0)

    def straightened(tau2: Floats, which: Ints) -> tuple[Floats, Floats]:
        # Multiplied by (offset + tau2)**2, the slope is nearly linear.
        part = inner if which.size == inner.k.size else inner.take(which)
        slope, curvature = _slope_and_curvature(part, tau2, restricted)
        lever = offset[which] + tau2
        return slope * lever, curvature * lever + 2 * slope

    peaks = falling_roots(straightened, low, high, (low + high) / 2, inner.vi.min(axis=0))
    result[analysis] = peaks
    # Zero is a maximum as well if the likelihood decreases from there.
    flat = np.flatnonzero(_slope(centred, np.zeros(stack.k.size), restricted) <= 0)
    several = np.union1d(
        np.intersect1d(flat, analysis), np.flatnonzero(np.bincount(analysis) > 1)
    ).astype(np.intp)
    for one in several:
        candidates = np.append(peaks[analysis == one], [0.0])
        repeated = centred.take(np.full(candidates.size, one))
        result[one] = candidates[int(np.argmax(_log_likelihood(repeated, candidates, restricted)))]
    return result


TAU2_ESTIMATORS: dict[str, Callable[[Stack], Floats]] = {
    "DL": _dersimonian_laird,
    "REML": partial(_maximum_likelihood, restricted=True),
    "ML": partial(_maximum_likelihood, restricted=False),
    "PM": _paule_mandel,
    "HE": _hedges,
    "SJ": _sidik_jonkman,
    # Morris's empirical Bayes estimate solves the Paule-Mandel equation.
    "EB": _paule_mandel,
    "HS": _hunter_schmidt,
}


def estimate_tau2(stack: Stack, method: str) -> Floats:
    """Between-trial variance of each analysis.

    Parameters
    ----------
    stack : Stack
        Analyses.
    method : str
        ``DL`` (DerSimonian-Laird), ``REML``, ``ML``, ``PM`` (Paule-Mandel), ``HE`` (Hedges),
        ``SJ`` (Sidik-Jonkman), ``EB`` (empirical Bayes), ``HS`` (Hunter-Schmidt), or ``EE``:
        zero, the common-effect model.

    Returns
    -------
    numpy.ndarray of float, shape (analyses,)
        tau2; zero for an analysis with a single study, which cannot estimate it.

    Raises
    ------
    ValueError
        If the method is unknown.

    Notes
    -----
    DerSimonian & Laird 1986; Viechtbauer 2005 (REML, ML, HE, HS); Paule & Mandel 1982 (PM);
    Sidik & Jonkman 2005 (SJ, with the unweighted mean square as starting value); Morris 1983 (EB,
    the same equation as PM). As in metafor's ``rma(method=...)``.
    """
    result = np.zeros(stack.k.size)
    if method == "EE":
        return result
    if method not in TAU2_ESTIMATORS:
        raise ValueError(
            f"tau2 estimator {method!r} is not one of EE, {', '.join(TAU2_ESTIMATORS)}"
        )
    several = stack.k > 1
    if several.all():
        return TAU2_ESTIMATORS[method](stack)
    if several.any():
        result[several] = TAU2_ESTIMATORS[method](stack.take(several))
    return result
