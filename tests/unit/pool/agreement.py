"""Tolerances for reference values."""

import pytest

NEAR_ZERO = 1e-8


def close(expected, tolerance=1e-9):
    """Relative tolerance; near zero, where that is meaningless, 1e-8 absolute."""
    if expected is None or isinstance(expected, list):
        raise TypeError(f"one number was expected, not {expected!r}")
    return pytest.approx(expected, rel=tolerance, abs=NEAR_ZERO if abs(expected) < NEAR_ZERO else 0)
