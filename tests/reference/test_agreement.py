"""Agreement with metafor, meta, bayesmeta and converged quadrature on every reference data set."""

import re
from pathlib import Path

import numpy as np
import pytest
from trial_evidence.pool.engine.bootstrap_prediction import (
    bootstrap_prediction_interval,
    tau2_confidence_draws,
)

from reference import load
from reference.bounds import BOUNDS, FAMILIES, USUAL_BOUND, bound, pairs, table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/methods.md"
CASES = [(family, name) for family, (_, names) in FAMILIES.items() for name in names]


@pytest.mark.parametrize(("family", "name"), CASES)
def test_numbers_agree_with_the_reference(family, name):
    apart = [p for p in pairs(family, name) if not p.difference <= bound(p.quantity)]
    assert not apart, "\n".join(
        f"{p.quantity} ({p.reference}), {p.where}: {p.difference:.1e} above {bound(p.quantity):g}, "
        f"ours {p.ours}, theirs {p.theirs}"
        for p in apart
    )


def test_every_data_set_is_compared():
    compared = {name for _, name in CASES}
    for file in ("all_inputs", "all_metafor", "all_meta", "all_bayes"):
        assert set(load(file)) <= compared


def test_bounds_are_those_of_quantities_that_are_compared():
    assert set(BOUNDS) <= {row.quantity for row in table()}


# ------------------------------------------------------------------------------- the document

ROW = re.compile(
    r"^\| ([^|]+) \| ([^|]+) \| (\d+) \| (\d+) \| ([\de.-]+) \| [^|]+ \| ([\de.-]+) \|$"
)


def documented():
    """(quantity, reference) -> data sets, numbers, largest difference and bound in the document."""
    rows = [ROW.match(line) for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    return {
        (row[1], row[2]): (int(row[3]), int(row[4]), float(row[5]), float(row[6]))
        for row in rows
        if row is not None
    }


def test_the_document_lists_what_is_compared_and_how_often():
    assert {key: value[:2] for key, value in documented().items()} == {
        (row.quantity, row.reference): (row.datasets, row.numbers) for row in table()
    }


def test_the_documents_bounds_hold():
    said = documented()
    for row in table():
        _, _, printed, limit = said[row.quantity, row.reference]
        assert row.difference <= limit, row
        assert printed <= limit, row


def test_no_bound_is_looser_than_said_in_general():
    # docs/methods.md: 1e-9 unless a line below the table says why not.
    text = DOCUMENT.read_text(encoding="utf-8")
    looser = {key[0] for key, value in documented().items() if value[3] > USUAL_BOUND}
    assert looser == set(BOUNDS)
    assert "The usual bound is 1e-9" in text


# ------------------------------------------------------------------ bootstrap prediction interval

PIMETA = load("bootstrap_prediction")
DRAWS = 100_000
# Proportions below a point, of 400 000 reference draws and DRAWS of ours, differ by chance with
# standard deviation sqrt(p (1 - p) (1 / DRAWS + 1 / 400 000)); 4.5 of these allow one failure in
# 150 000 comparisons, and the seed is fixed.
DEVIATIONS = 4.5 * np.sqrt(1 / DRAWS + 1 / 400_000)


@pytest.mark.parametrize("name", PIMETA)
def test_bootstrap_prediction_interval_agrees_with_pimeta(name):
    data = PIMETA[name]
    slack = 100 * 2 * DEVIATIONS * np.sqrt(0.025 * 0.975)
    wide, narrow = (
        bootstrap_prediction_interval(data["yi"], data["vi"], level, draws=DRAWS)
        for level in (95 + slack, 95 - slack)
    )
    assert wide[0] <= data["low"] <= narrow[0]
    assert narrow[1] <= data["high"] <= wide[1]


@pytest.mark.parametrize("name", PIMETA)
def test_draws_of_tau2_agree_with_pimeta(name):
    data = PIMETA[name]
    effects = (np.array(data[key]) for key in ("yi", "vi"))
    draws = tau2_confidence_draws(*effects, DRAWS, np.random.default_rng(1))
    at_zero = data["zero"]
    assert abs((draws == 0).mean() - at_zero) <= DEVIATIONS * np.sqrt(at_zero * (1 - at_zero))
    for share, quartile in zip((0.25, 0.5, 0.75), data["quartiles"], strict=True):
        if quartile > 0:
            below = (draws <= quartile).mean()
            assert abs(below - share) <= DEVIATIONS * np.sqrt(share * (1 - share))
