"""Arithmetic checks between printed numbers."""

from __future__ import annotations

import pytest
from sheet_files import VALID, check, files_of
from sheets.invalid.faults import as_csv, rows_of
from trial_evidence.sheet.arithmetic import Span, printed_span, two_sided_p
from trial_evidence.sheet.values import printed_decimals, subgroup_pairs


def _exactly(number: float) -> Span:
    return Span(number, number)


@pytest.mark.parametrize(
    ("hr", "low", "high", "level", "p"),
    [
        # R 4.2.2: 2*pnorm(-abs(log(hr))/((log(high)-log(low))/(2*qnorm(.5+level/200))))
        (0.74, 0.56, 0.98, 95, 0.0349321549278),
        (0.84, 0.70, 1.02, 97.5, 0.0378878399457),
        (1.05, 0.73, 1.52, 95, 0.794270181253),
        # R 4.2.2: 2*pnorm(-abs(log(hr))/((log(high)-log(hr))/qnorm(.5+level/200)))
        (0.76, None, 0.967, 90, 0.0609308802922),
    ],
)
def test_p_of_an_estimate_with_its_interval(
    hr: float, low: float | None, high: float, level: float, p: float
) -> None:
    lower = None if low is None else _exactly(low)
    span = two_sided_p(_exactly(hr), lower, _exactly(high), level)
    assert span.low == pytest.approx(p, rel=1e-9)
    assert span.high == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "decimals"), [("57", 0), ("1.00", 2), ("<0.001", 3), ("1E-3", 3), ("1.5e2", 0)]
)
def test_decimals_as_printed(text: str, decimals: int) -> None:
    assert printed_decimals(text) == decimals


def test_numbers_that_are_printed_alike() -> None:
    span = printed_span(0.29, 2)
    assert span.meets(_exactly(0.285))
    assert span.meets(_exactly(0.295))
    assert not span.meets(_exactly(0.2951))


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("all", ()),
        ("nodal=positive", (("nodal", "positive"),)),
        ("age=up to 50 & nodal=positive", (("age", "up to 50"), ("nodal", "positive"))),
        ("nodal", None),
        ("nodal=", None),
        ("nodal=a=b", None),
        ("Nodal=positive", None),
        ("a=b&c=d", None),
    ],
)
def test_pairs_of_a_subgroup(text: str, pairs: tuple[tuple[str, str], ...] | None) -> None:
    assert subgroup_pairs(text) == pairs


def _told(table: str, row: int, **cells: str) -> list[str]:
    files = files_of(VALID)
    rows = rows_of(files[table])
    for column, text in cells.items():
        rows[row - 1][rows[0].index(column)] = text
    return [problem.column for problem in check({**files, table: as_csv(rows)})[1]]


@pytest.mark.parametrize(
    "cells",
    [
        # sqrt(0.385 x 1.215) = 0.6839 lies within 0.675 to 0.685.
        {"hr": "0.68", "ci_low": "0.38", "ci_high": "1.22"},
        # A spreadsheet dropped a zero: 0.7 means 0.70, and sqrt(0.375 x 1.305) = 0.6996.
        {"hr": "0.7", "ci_low": "0.37", "ci_high": "1.31"},
        # One decimal: 0.45 to 0.55 and 1.15 to 1.25 allow midpoints from 0.72 to 0.83.
        {"hr": "0.8", "ci_low": "0.5", "ci_high": "1.2"},
    ],
)
def test_an_interval_that_rounding_explains_is_not_reported(cells: dict[str, str]) -> None:
    assert _told("hazard_ratios", 2, **cells) == []


def test_an_interval_that_rounding_does_not_explain_is_reported() -> None:
    # sqrt(0.365 x 1.315) = 0.693 is the largest midpoint of these limits; 0.70 starts at 0.695.
    assert _told("hazard_ratios", 2, hr="0.70", ci_low="0.36", ci_high="1.31") == ["hr"]


def test_a_percentage_is_compared_with_the_decimals_it_is_printed_with() -> None:
    # 23 of 105 is 21.90%.
    assert _told("pcr", 5, reported_percent="22") == []
    assert _told("pcr", 5, reported_percent="22.0") == ["reported_percent"]


def test_arms_of_a_trial_that_was_not_randomised_need_not_add_up() -> None:
    assert _told("trials", 6, n_randomised="70") == []


def test_arms_need_not_add_up_while_one_is_not_given() -> None:
    assert _told("arms", 2, n_randomised="") == []


def test_levels_may_leave_out_patients_of_unknown_status() -> None:
    # 14 of 54 and 27 of 50 add up to 41 of 104; the arm has 42 of 105.
    assert _told("pcr", 3, events="14", n="54", reported_percent="25.9") == []
    # 14 of 55 and 27 of 50 add up to 41 of 105: one event, but no patient, is left over.
    assert _told("pcr", 3, events="14", n="55", reported_percent="25.5") == ["events"]


def test_more_events_than_patients_are_impossible_in_either_arm_of_a_ratio() -> None:
    for column in ("events_experimental", "events_control"):
        assert _told("hazard_ratios", 9, **{column: "2001"}) == [column]


def test_the_estimate_of_a_biomarker_lies_inside_its_interval() -> None:
    assert _told("biomarker_effects", 2, estimate="0.95") == ["estimate"]
