"""Proportions on variance-stabilising scales, and the way back."""

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.results import Floats, check_counts


def arcsine_proportion(events: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Arcsine of the root of the proportion.

    Parameters
    ----------
    events, n : array_like of shape (k,)
        Patients with the event and patients analysed.

    Returns
    -------
    yi, vi : numpy.ndarray of float, shape (k,)
        ``asin(sqrt(x/n))`` in radians and its variance ``1/(4n)``, which does not depend on the
        proportion: arms without events need no correction.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, or lengths differ.
    """
    x, total = check_counts(events, n, "arm")
    return np.asarray(np.arcsin(np.sqrt(x / total))), 1 / (4 * total)


def arcsine_to_proportion(values: npt.ArrayLike) -> Floats:
    """Proportion of an arcsine.

    Parameters
    ----------
    values : array_like
        In radians; what lies outside 0 to pi/2 (limits of intervals) is set to the nearer end.

    Returns
    -------
    numpy.ndarray of float
    """
    inside = np.clip(np.asarray(values, dtype=float), 0.0, np.pi / 2)
    return np.asarray(np.sin(inside) ** 2)


def freeman_tukey_proportion(events: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Double arcsine of the proportion.

    Parameters
    ----------
    events, n : array_like of shape (k,)
        Patients with the event and patients analysed.

    Returns
    -------
    yi, vi : numpy.ndarray of float, shape (k,)
        Mean of ``asin(sqrt(x/(n+1)))`` and ``asin(sqrt((x+1)/(n+1)))`` in radians, and its variance
        ``1/(4n+2)``.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, or lengths differ.

    Notes
    -----
    Freeman MF, Tukey JW. Ann Math Stat 1950;21:607-611, halved as metafor's ``escalc("PFT")``.
    """
    x, total = check_counts(events, n, "arm")
    both = np.arcsin(np.sqrt(x / (total + 1))) + np.arcsin(np.sqrt((x + 1) / (total + 1)))
    return np.asarray(both / 2), 1 / (4 * total + 2)


def freeman_tukey_to_proportion(values: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    """Proportion of a double arcsine for a given number of patients.

    Parameters
    ----------
    values : array_like
        In radians. What no proportion of n patients can have is set to the nearer end.
    n : array_like
        Patients; for a pooled value the harmonic mean of the arms' numbers. The result depends on
        it, which is why this scale can mislead where arms differ much in size (Schwarzer et al.
        2019).

    Returns
    -------
    numpy.ndarray of float

    Raises
    ------
    ValueError
        If n is not above zero.

    Notes
    -----
    Miller JJ. Am Stat 1978;32:138. Schwarzer G, Chemaitelly H, Abu-Raddad LJ, Rücker G. Res Synth
    Methods 2019;10:476-483.
    """
    t, total = np.broadcast_arrays(np.asarray(values, dtype=float), np.asarray(n, dtype=float))
    if not (total > 0).all():
        raise ValueError("n must be above zero")
    least = np.arcsin(np.sqrt(1 / (total + 1))) / 2
    most = np.arcsin(np.sqrt(total / (total + 1))) / 2 + np.pi / 4
    inside = np.clip(t, least, most)
    sine = np.sin(2 * inside)
    root = np.sqrt(np.maximum(1 - (sine + (sine - 1 / sine) / total) ** 2, 0.0))
    p = 0.5 * (1 - np.sign(np.cos(2 * inside)) * root)
    return np.where(t <= least, 0.0, np.where(t >= most, 1.0, p))


def harmonic_mean(n: npt.ArrayLike) -> float:
    """Harmonic mean of the arms' numbers of patients.

    Parameters
    ----------
    n : array_like of shape (k,)
        Patients.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a number is not above zero.
    """
    total = np.asarray(n, dtype=float)
    if total.size == 0 or not (total > 0).all():
        raise ValueError("n must be above zero")
    return float(total.size / (1 / total).sum())
