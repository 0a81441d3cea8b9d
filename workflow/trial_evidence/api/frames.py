"""Checks of data frames from users; all errors are reported at once, by row and column."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trial_evidence.sheet.arithmetic import off_centre
from trial_evidence.words.problems import Problem, SheetError, did_you_mean, quoted

Floats = npt.NDArray[np.float64]
FRAME = "data frame"
INTERVAL = ("estimate", "ci_low", "ci_high")
LEVEL = "ci_level"
"""Confidence level of the interval of a row, in percent; 95 if the column is missing."""
LARGEST = 1e20
"""Larger numbers, or standard errors below 1 / LARGEST, overflow sums of squares."""
# Rounding to two digits moves the square of a standard error by less, on the log scale.
_ROUNDED = 0.5
_SEVERAL = 'several columns are called "{}". Keep one.'


class DataError(SheetError, ValueError):
    """A data frame cannot be used; the message names every row and column, rows counted from 0."""


@dataclass(frozen=True)
class Frame:
    """A data frame with the errors found in it so far."""

    data: pd.DataFrame
    subject: str
    faults: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, data: pd.DataFrame, *subjects: str) -> "Frame":
        """A frame in which the first of these columns names the subject of each row.

        Empty cells in these columns are noted, and reported together with other errors.

        Raises
        ------
        TypeError
            If `data` is not a data frame.
        DataError
            If it is empty, or lacks one of these columns.
        """
        if not isinstance(data, pd.DataFrame):
            raise TypeError(f"a pandas.DataFrame is needed, not {type(data).__name__}")
        frame = cls(data.reset_index(drop=True), subjects[0])
        frame.need(subjects)
        if not len(data):
            frame.fault("has no rows.")
        frame.raise_faults()
        frame.filled(*subjects)
        return frame

    def named(self, column: str) -> npt.NDArray[np.bool_]:
        """Whether each cell holds a name."""
        cells = self.data[column].astype(object)
        return (cells.notna() & (cells.astype(str).str.strip() != "")).to_numpy(dtype=bool)

    def filled(self, *columns: str) -> None:
        """Note cells without a name; 1 and "1" are one name, and so are "A" and "A "."""
        for column in columns:
            named = self.named(column)
            for row in np.flatnonzero(~named):
                self.fault("the cell is empty.", int(row), column)
            cells = self.data[column].astype(object)
            self.data[column] = cells.where(~named, cells.astype(str).str.strip())

    def fault(
        self, message: str, row: int | None = None, column: str = "", value: Any = ""
    ) -> None:
        """Note an error of the frame or of a cell."""
        subject = ""
        if row is not None and self.subject in self.data:
            name = self.data[self.subject].iloc[row]
            subject = "" if pd.isna(name) else str(name)
        self.faults.append(Problem("error", FRAME, row, subject, column, str(value), message))

    def raise_faults(self) -> None:
        """Raise a `DataError` with all errors noted, if there are any."""
        if self.faults:
            raise DataError(self.faults)

    def need(self, columns: Iterable[str]) -> None:
        """Note columns that are missing."""
        there = [*map(str, self.data.columns)]
        for name in columns:
            if name not in there:
                self.fault(f'there is no column "{name}".{did_you_mean(name, there)}')
            elif there.count(name) > 1:
                self.fault(_SEVERAL.format(name))

    def one_of(self, ways: Mapping[str, Sequence[str]]) -> str:
        """The first way of giving data whose columns are all present.

        Parameters
        ----------
        ways : mapping of str to sequence of str
            Way -> its columns.

        Raises
        ------
        DataError
            If no way is complete; the message lists the columns required and those present.
        """
        there = [*map(str, self.data.columns)]
        for way, columns in ways.items():
            missing = [column for column in columns if column not in there]
            if not missing:
                return way
            # One of several columns is mistyped: no other way was meant.
            if len(missing) == 1 and len(columns) > 2 and (meant := self._meant(missing[0], ways)):
                self.fault(meant)
                raise DataError(self.faults)
        needed = "; or ".join(f"{', '.join(columns)} ({way})" for way, columns in ways.items())
        self.fault(f"needs the columns {needed}. There are: {', '.join(there)}.")
        raise DataError(self.faults)

    def _meant(self, name: str, ways: Mapping[str, Sequence[str]]) -> str:
        """A message if a column of no known name may be the one that is missing; else ``""``."""
        known = {LEVEL, *(column for columns in ways.values() for column in columns)}
        others = [column for column in map(str, self.data.columns) if column not in known]
        found = did_you_mean(name, others)
        return f'there is no column "{name}".{found}' if found else ""

    def numbers(self, column: str) -> Floats:
        """A column as numbers; any other cell is noted as an error and becomes NaN."""
        found, cells = np.full(len(self.data), np.nan), self.data[column]
        if cells.ndim > 1:
            self.fault(_SEVERAL.format(column))
            return found
        for row, value in enumerate(cells):
            if pd.api.types.is_scalar(value) and pd.isna(value):
                self.fault("the cell is empty.", row, column)
                continue
            number = _number(value)
            if number is None:
                self.fault(f"{quoted(str(value))} is not a number.", row, column, value)
                continue
            found[row] = number
            if not np.isfinite(number):
                self.fault(f"{number:g} is not a finite number.", row, column, number)
            elif abs(number) > LARGEST:
                self.fault(f"{number:g} is beyond {LARGEST:g}.", row, column, number)
        return found

    def levels(self) -> Floats:
        """Confidence level of the interval of each row, in percent."""
        return self.numbers(LEVEL) if LEVEL in self.data else np.full(len(self.data), 95.0)

    def hold(self, holds: npt.ArrayLike, column: str, message: str) -> None:
        """Note `message` for each cell where `holds` is false; ``{}`` stands for its value."""
        for row in np.flatnonzero(~np.asarray(holds, dtype=bool)):
            value = self.data[column].iloc[row]
            self.fault(message.format(_printed(value)), int(row), column, value)

    def counts(self, events: str, n: str) -> tuple[Floats, Floats]:
        """Events and patients of an arm: whole numbers, 0 to n, n above 0."""
        x, total = self.numbers(events), self.numbers(n)
        for column, values in ((events, x), (n, total)):
            self.hold(
                np.isnan(values) | (values == np.round(values)), column, "{} is no whole number."
            )
        self.hold(np.isnan(total) | (total > 0), n, "{} patients were analysed: must be above 0.")
        self.hold(np.isnan(x) | (x >= 0), events, "{} is below 0.")
        for row in np.flatnonzero(x > total):
            self.fault(f"{x[row]:g} is more than {n}, {total[row]:g}.", int(row), events, x[row])
        return x, total

    def effects(self, way: str, is_ratio: bool) -> tuple[Floats, Floats]:
        """Effects on the analysis scale and their variances, given in one of the `WAYS`."""
        if way == "interval":
            return self._from_interval()
        yi, given = self.numbers("yi"), "vi" if way == "variance" else "sei"
        spread = self.numbers(given)
        if not is_ratio:
            beyond = "{} is no difference between two risks: between -1 and 1."
            self.hold(np.isnan(yi) | (np.abs(yi) <= 1), "yi", beyond)
        if given == "sei" and "vi" in self.data:
            self._agree(spread, self.numbers("vi"))
        self.hold(np.isnan(spread) | (spread > 0), given, "{} is not above 0.")
        enough = ~(spread > 0) | (spread >= 1 / LARGEST)
        self.hold(enough, given, f"{{}} is less than {1 / LARGEST:g}.")
        return yi, spread if given == "vi" else spread**2

    def _agree(self, sei: Floats, vi: Floats) -> None:
        """Note rows whose standard error and variance contradict each other, beyond rounding."""
        apart = np.abs(np.log(np.where((sei > 0) & (vi > 0), sei**2 / vi, 1.0)))
        for row in np.flatnonzero(apart > _ROUNDED):
            message = f"{vi[row]:g} is not the square of sei, {sei[row]:g}. Keep one of the two."
            self.fault(message, int(row), "vi", vi[row])

    def _from_interval(self) -> tuple[Floats, Floats]:
        from trial_evidence.measures.effects import log_hazard_ratio

        estimate, low, high = map(self.numbers, INTERVAL)
        level = self.levels()
        if LEVEL in self.data:
            self.hold(
                np.isnan(level) | ((level > 1) & (level < 100)), LEVEL,
                "{} is no level in percent: above 1 and below 100, such as 95.",
            )  # fmt: skip
        elif meant := self._meant(LEVEL, WAYS):
            self.fault(meant)
        for column, values in zip(INTERVAL, (estimate, low, high), strict=True):
            self.hold(np.isnan(values) | (values > 0), column, "{} is not above 0, as a ratio is.")
        for row in np.flatnonzero(~((low < high) | np.isnan(low) | np.isnan(high))):
            self.fault(f"{low[row]:g} is not below ci_high, {high[row]:g}.", int(row), "ci_low")
        for row in np.flatnonzero(
            (low < high) & (estimate > 0) & ((estimate < low) | (estimate > high))
        ):
            between = f"{low[row]:g} and {high[row]:g}"
            self.fault(f"{estimate[row]:g} is not between {between}.", int(row), "estimate")
        self.raise_faults()
        for at, numbers in enumerate(zip(estimate, low, high, strict=True)):
            if message := off_centre(*((f"{number:g}", number) for number in numbers)):
                place = f"row {at} ({self.data[self.subject].iloc[at]}), column estimate"
                warnings.warn(f"{FRAME}, {place}: {message} Check all three.", stacklevel=2)
        none, words = np.full(len(estimate), np.nan), np.full(len(estimate), "", dtype=object)
        found = log_hazard_ratio(estimate, low, high, level, none, words, words, none, none)
        vi = found["vi"].to_numpy(float)
        # The logarithms of limits that differ in their last digit can be equal.
        self.hold(vi > 0, "ci_low", "{} is too close to ci_high to tell a standard error.")
        return found["yi"].to_numpy(float), vi


WAYS: Mapping[str, Sequence[str]] = {
    "interval": INTERVAL,
    "standard error": ("yi", "sei"),
    "variance": ("yi", "vi"),
}
"""Way of giving effects -> its columns; intervals only for ratios."""


def ways_of(is_ratio: bool) -> dict[str, Sequence[str]]:
    """The ways in which effects in a measure may be given."""
    return {way: columns for way, columns in WAYS.items() if is_ratio or way != "interval"}


def _number(value: Any) -> float | None:
    """A cell as a number, or None; True and False are not numbers here."""
    if isinstance(value, bool | np.bool) or (isinstance(value, str) and "_" in value):
        return None  # Python reads "1_0" as 10
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None


def _printed(value: Any) -> str:
    """A cell as people write it: 20, not 20.0."""
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """Return `value` if it is allowed.

    Raises
    ------
    ValueError
        If it is not; the message lists the allowed values.
    """
    words = [*allowed]
    if value not in words:
        near = did_you_mean(str(value), words)
        raise ValueError(f"{name} is {value!r}. Allowed: {', '.join(words)}.{near}")
    return value
