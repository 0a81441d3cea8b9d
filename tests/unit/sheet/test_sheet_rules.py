"""Rules across cells: the row, column and severity they report, and when they report nothing."""

from __future__ import annotations

import pytest
from sheet_files import VALID, check, files_of
from sheets.invalid.faults import Files, as_csv, rows_of

Told = list[tuple[str, int | None, str]]


def _with(files: Files, table: str, row: int, /, **cells: str) -> Files:
    """The sheet with changed cells in a row, given by its spreadsheet number."""
    rows = rows_of(files[table])
    for column, text in cells.items():
        rows[row - 1][rows[0].index(column)] = text
    return {**files, table: as_csv(rows)}


def _and_again(files: Files, table: str, row: int, **cells: str) -> Files:
    """The sheet with a copy of a row, with changed cells, at the end of its table."""
    rows = rows_of(files[table])
    longer = {**files, table: as_csv([*rows, rows[row - 1]])}
    return _with(longer, table, len(rows) + 1, **cells)


def _told(files: Files) -> Told:
    return [(p.severity, p.row, p.column) for p in check(files)[1]]


def _changed(table: str, row: int, /, **cells: str) -> Told:
    return _told(_with(files_of(VALID), table, row, **cells))


def _repeated(table: str, row: int, **cells: str) -> list[str]:
    return [p.line() for p in check(_and_again(files_of(VALID), table, row, **cells))[1]]


@pytest.mark.parametrize(
    "sign", ["\U0001f642", "\u2713", "\u2460", "\u3001", "\u0639", "\U0001d6fc", "\u2011"]
)
def test_a_sign_that_figures_show_as_a_box_is_warned_of(sign: str) -> None:
    """Emoji, tick, circled number, Japanese comma, Arabic letter, bold alpha, no-break hyphen."""
    assert _changed("trials", 3, name=f"TRIAL {sign}") == [("warning", 3, "name")]


def test_what_figures_can_draw_is_not_warned_of() -> None:
    assert _changed("trials", 3, name="TRIAL-é Ω Ж ½ ≥ → † ™ № \ufb01") == []


@pytest.mark.parametrize(("percent", "told"), [("94", 0), ("94.1", 1), ("94.2", 1), ("93", 1)])
def test_a_rate_that_is_printed_twice_with_other_decimals_is_no_contradiction(
    percent: str, told: int
) -> None:
    """An abstract has 94%, the figure 94.1% with its interval."""
    assert len(_repeated("milestones", 2, percent=percent, ci_low="", ci_high="")) == told


def test_enrolment_may_begin_and_end_in_one_year() -> None:
    assert _changed("trials", 2, enrolment_start_year="2010", enrolment_end_year="2010") == []


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [("agents", 2, "class"), ("agents", 7, "class"), ("pcr", 2, "trial_id")],
)
def test_an_empty_cell_is_not_told_again_by_the_rules_that_need_it(
    table: str, row: int, column: str
) -> None:
    assert _changed(table, row, **{column: ""}) == [("error", row, column)]


def test_an_upper_limit_alone_needs_its_level() -> None:
    assert _changed("hazard_ratios", 29, ci_level="") == [("error", 29, "ci_level")]


def test_patients_are_compared_with_those_allocated_to_their_own_arm() -> None:
    # 220 and 110 were randomised.
    assert _changed("hazard_ratios", 3, n_control="120") == [("warning", 3, "n_control")]


def test_a_bound_of_p_is_held_against_the_interval() -> None:
    # R 4.2.2: 2*pnorm(-abs(log(.62))/((log(1.03)-log(.37))/(2*qnorm(.975)))) is 0.067.
    assert _changed("hazard_ratios", 3, p_value="<0.05") == [("warning", 3, "p_value")]
    assert _changed("hazard_ratios", 3, p_value="<0.1") == []


@pytest.mark.parametrize("earlier", [True, False], ids=["the earlier", "the later"])
def test_a_repeated_result_is_found_whichever_row_lacks_the_follow_up(earlier: bool) -> None:
    # Row 24 leaves its follow-up unsaid, row 2 says it.
    row, months = (24, "30") if earlier else (2, "")
    (told,) = _repeated("hazard_ratios", row, median_followup_months=months)
    assert f"the same result of the same source is also in row {row}." in told


@pytest.mark.parametrize(
    ("table", "cells"),
    [
        ("hazard_ratios", {"ci_low": "0.37", "ci_high": "1.25"}),
        ("pcr", {"n": "104", "reported_percent": ""}),
    ],
)
def test_a_result_told_again_with_another_number_is_not_called_a_copy(
    table: str, cells: dict[str, str]
) -> None:
    (told,) = _repeated(table, 2, **cells)
    assert told.endswith(
        "with other numbers. Check which is right, and mark the other as superseded."
    )


@pytest.mark.parametrize(
    ("table", "cells"),
    [
        ("hazard_ratios", {"analysis": "interim"}),
        ("hazard_ratios", {"endpoint": "OS"}),
        ("hazard_ratios", {"source_id": "doe_2020_trial_b"}),
        ("hazard_ratios", {"median_followup_months": "48"}),
        ("pcr", {"definition": "ypT0 ypN0"}),
        ("pcr", {"population": "evaluable"}),
        ("pcr", {"assessor": "central"}),
        ("pcr", {"source_id": "doe_2020_trial_b"}),
    ],
    ids=str,
)
def test_a_row_that_differs_in_what_it_is_about_is_no_repetition(
    table: str, cells: dict[str, str]
) -> None:
    assert _repeated(table, 2, **cells) == []


def test_a_trial_reported_in_two_settings_is_not_taken_for_one_counted_twice() -> None:
    assert _changed("trials", 8, nct="NCT00000001") == []


def test_readers_who_agree_are_compared_in_every_column_that_they_read() -> None:
    told = _changed("second_reading", 2, second_value="42|106")
    assert told == [("error", 2, "verdict")]


def test_a_bound_of_p_does_not_contradict_a_number_below_it() -> None:
    told = _changed(
        "second_reading", 2, table="hazard_ratios", trial_id="trial_h", field="p_value",
        row_key="trial_h_dual v trial_h_single;endpoint=PFS;assessor=BICR;subgroup=all",
        first_value="<0.001", second_value="0.0004",
    )  # fmt: skip
    assert told == []


def test_patients_whom_no_result_is_reported_for_do_not_stop_the_run() -> None:
    told = _changed("populations", 2, subgroup="hormone_receptor=unknown")
    assert told == [("warning", 2, "subgroup")]


@pytest.mark.parametrize("level", ["posiitve", "positve", "positivee", "pozitive"])
def test_a_slip_in_a_level_is_told_with_the_level_meant(level: str) -> None:
    files = _with(files_of(VALID), "pcr", 3, subgroup=f"hormone_receptor={level}")
    found = [p.message for p in check(files)[1] if p.column == "subgroup"]
    assert found == [
        f'"hormone_receptor={level}" occurs in no other trial. '
        'Did you mean "hormone_receptor=positive"?'
    ]


def test_a_level_in_other_capitals_is_told_however_many_trials_have_it() -> None:
    """As another level, it would take its trials out of the subgroup."""
    files = _with(files_of(VALID), "pcr", 3, subgroup="hormone_receptor=Positive")
    assert [p.message for p in check(files)[1] if p.column == "subgroup"] == [
        '"hormone_receptor=Positive" differs from "hormone_receptor=positive" only in its '
        "capitals. Write it alike."
    ]


def test_a_slip_in_both_arms_is_told_too() -> None:
    """A level of one trial only, however many of its rows have it."""
    files = files_of(VALID)
    for row in (3, 6):
        files = _with(files, "pcr", row, subgroup="hormone_receptor=positve")
    assert [(p.row, p.column) for p in check(files)[1] if "no other trial" in p.message] == [
        (3, "subgroup")
    ]


def test_one_trial_under_two_names_is_told() -> None:
    """Its patients would count twice."""
    files = files_of(VALID)
    arms = {"trial_a_dual": "trial_d_dual", "trial_a_single": "trial_d_single"}
    for row, old in ((2, "trial_a_dual"), (5, "trial_a_single")):
        files = _and_again(files, "pcr", row, trial_id="trial_d", arm_id=arms[old])
    told = [p.line() for p in check(files)[1] if "the same numbers" in p.message]
    assert len(told) == 1
    assert "trial_d" in told[0]
    assert 'row 2, of "trial_a"' in told[0]


def test_one_trial_under_two_names_is_told_in_any_order_of_its_rows() -> None:
    files = files_of(VALID)
    for name, row, arm in (("trial_d", 5, "single"), ("trial_d", 2, "dual")):
        files = _and_again(files, "pcr", row, trial_id=name, arm_id=f"{name}_{arm}")
    rows = rows_of(files["pcr"])
    # The first row of one trial is now above, that of the other below its counterpart.
    rows[1], rows[-1] = rows[-1], rows[1]
    told = [p for p in check({**files, "pcr": as_csv(rows)})[1] if "the same numbers" in p.message]
    assert len(told) == 1


def test_two_arms_that_happen_to_equal_one_of_another_trial_are_not_one_trial() -> None:
    """None of 105 patients in three arms, quoted in one review, is one coincidence."""
    files = files_of(VALID)
    for row in (2, 5):
        files = _with(files, "pcr", row, events="0", reported_percent="")
    files = _and_again(files, "pcr", 2, trial_id="trial_d", arm_id="trial_d_dual")
    assert not any("the same numbers" in p.message for p in check(files)[1])


@pytest.mark.parametrize("level", ["95", "95.0"])
def test_the_usual_level_is_a_number(level: str) -> None:
    assert ("warning", 2, "ci_level") not in _changed("hazard_ratios", 2, ci_level=level)


def test_every_row_with_a_level_in_other_capitals_is_counted() -> None:
    """An analyst who corrects the one row that is named would be told of the next."""
    files = files_of(VALID)
    for row in (3, 6):
        files = _with(files, "pcr", row, subgroup="hormone_receptor=Positive")
    (problem,) = [p for p in check(files)[1] if "capitals" in p.message]
    assert problem.message.endswith("Write it alike. It is in 1 more row.")


def test_a_reading_of_an_arm_that_was_renamed_is_told() -> None:
    """It would silently stop to count."""
    key = rows_of(files_of(VALID)["second_reading"])
    row_key = key[1][key[0].index("row_key")]
    other = row_key.replace("trial_a_dual", "trial_a_dua")
    assert other != row_key
    (problem,) = check(_with(files_of(VALID), "second_reading", 2, row_key=other))[1]
    assert (problem.severity, problem.column) == ("warning", "row_key")
    assert 'Did you mean "trial_a_dual"?' in problem.message


@pytest.mark.parametrize(
    ("cells", "told"), [({}, 1), ({"note": "99% interval"}, 0), ({"p_value": "0.2"}, 0)]
)
def test_an_unusual_level_is_told_unless_something_confirms_it(
    cells: dict[str, str], told: int
) -> None:
    cells = {"ci_level": "99", **cells, **({"p_sided": "two"} if "p_value" in cells else {})}
    found = check(_with(files_of(VALID), "hazard_ratios", 2, **cells))[1]
    assert len([p for p in found if p.column == "ci_level"]) == told


# The positive level of the first arm, with three events too many given the other level.
TOO_MANY = {"events": "18", "reported_percent": "32.7"}


def test_levels_of_two_sources_are_not_added_up() -> None:
    assert _changed("pcr", 3, **TOO_MANY, source_id="doe_2020_trial_b") == []


def test_levels_of_some_patients_are_not_compared_with_the_whole_of_others() -> None:
    files = _with(files_of(VALID), "pcr", 3, **TOO_MANY, population="evaluable")
    assert _told(_with(files, "pcr", 4, population="evaluable")) == []


def test_a_level_told_twice_is_not_added_up() -> None:
    assert _repeated("pcr", 3, assessor="central") == []


def test_findings_come_in_the_order_of_the_rows_the_errors_first() -> None:
    files = _with(files_of(VALID), "pcr", 2, note="NA")
    files = _with(_with(files, "pcr", 5, events="x"), "pcr", 3, n="x")
    told = [("error", 3, "n"), ("error", 5, "events"), ("warning", 2, "note")]
    assert _told(files) == told
