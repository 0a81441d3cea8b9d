"""The axis of a panel: its ends, its ticks, and the position of a value."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from trial_evidence.figures.canvas.text import clean
from trial_evidence.words.numbers import format_tick, linear_ticks, log_ticks

AxisScale = Literal["log", "linear", "logit"]

TAIL_SHARE = 0.10
RIM_SHARE = 0.03
LEAST_REACH = 0.001
WIDEST_RATIO = 200.0
MOST_TICKS = 7


@dataclass(frozen=True)
class Axis:
    """Describes the axis of a panel.

    Parameters
    ----------
    scale
        How values are given and drawn: ``log`` (values are logarithms of ratios, ticks are
        ratios), ``linear`` (as they are), ``logit`` (values are logits; drawn as percentages on a
        linear axis, since readers compare percentages).
    reference
        Value of no effect on the analysis scale, marked by a vertical line; None for no line.
    label
        Text under the axis; may be empty.
    favours_low, favours_high
        What values below and above the reference favour; may be empty.
    limits
        Ends of the axis as printed on it (ratios, plain values, proportions from 0 to 1); None to
        choose them from the data.
    decimal_mark
        Decimal mark of the tick labels.
    percent_sign
        Text after the tick labels of a logit axis.
    """

    scale: AxisScale
    reference: float | None = None
    label: str = ""
    favours_low: str = ""
    favours_high: str = ""
    limits: tuple[float, float] | None = None
    decimal_mark: str = "."
    percent_sign: str = "%"

    @property
    def sides(self) -> tuple[str, str]:
        """What either side of the reference favours, each with its arrow; empty if not given."""
        low, high = clean(self.favours_low), clean(self.favours_high)
        return (
            f"\N{LEFTWARDS ARROW} {low}" if low else "",
            f"{high} \N{RIGHTWARDS ARROW}" if high else "",
        )


@dataclass(frozen=True)
class Interval:
    """An interval on the analysis scale, used to choose the limits of an axis; None if unknown."""

    estimate: float | None
    low: float | None
    high: float | None
    weight: float | None


@dataclass(frozen=True)
class Tick:
    """A tick: its position in axis units (see `to_axis`) and its label."""

    place: float
    label: str


@dataclass(frozen=True)
class AxisView:
    """An axis with its ends and ticks, in axis units (see `to_axis`)."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def share(self, place: float) -> float:
        """Relative position on the axis, from 0 at its low end to 1 at its high end."""
        return (place - self.low) / (self.high - self.low)


def to_axis(value: float, scale: AxisScale) -> float:
    """Convert a value on the analysis scale to axis units: logits to proportions, others unchanged.

    Parameters
    ----------
    value
        A number; infinities are allowed, NaN is not.
    scale
        Kind of axis.

    Returns
    -------
    float
        A position on the linear axis.
    """
    if scale != "logit":
        return value
    # the exponential of a positive number could overflow
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def view(
    axis: Axis,
    trials: Sequence[Interval],
    pooled: Sequence[Interval] = (),
    shown: Sequence[Interval] = (),
    most: int = 7,
) -> AxisView:
    """Choose the ends and ticks of an axis.

    Given ends are kept. A logit axis runs from 0 to 100%. Otherwise the axis covers every estimate
    and the reference, with a small margin, and as much of the trials' intervals as matters: on
    either side, limits that together carry under 10% of the weight may run past the end, so that
    one imprecise trial does not compress all the others. The interval of a pooled result may extend
    the axis by up to that range again on each side. Intervals of trials that are not pooled never
    extend it; if only pooled results are shown, theirs are treated like those of trials. The ends
    are then moved outward to the next tick. A log axis stays between 1/200 and 200; values beyond
    are drawn as arrows.

    Parameters
    ----------
    axis
        The description of the axis.
    trials
        Intervals of the pooled trials, with their weights if they have any.
    pooled
        Intervals of pooled results.
    shown
        Intervals of trials that are shown but not pooled.
    most
        The largest number of ticks, 3 or more.

    Returns
    -------
    AxisView
        Ends and ticks in axis units.

    Raises
    ------
    ValueError
        If the given limits are not ascending, or not positive on a log axis.
    """
    logit = axis.scale == "logit"
    unit, factor = (axis.percent_sign, 100) if logit else ("", 1)
    low, high = axis.limits or (
        (0.0, 1.0) if logit else _reach(axis, trials or shown or pooled, pooled, shown)
    )
    cover = log_ticks if axis.scale == "log" else linear_ticks
    ticks = [
        (tick / factor, format_tick(tick).replace(".", axis.decimal_mark) + unit)
        for tick in cover(factor * low, factor * high, most)
    ]
    if axis.limits is None:
        low, high = ticks[0][0], ticks[-1][0]
    # a tick on an end belongs to the axis, despite rounding error in either
    least, greatest = (end + side * 1e-9 * abs(end) for end, side in ((low, -1), (high, 1)))
    place = math.log if axis.scale == "log" else float
    inside = (Tick(place(at), label) for at, label in ticks if least <= at <= greatest)
    return AxisView(place(low), place(high), tuple(inside))


def _reach(
    axis: Axis, trials: Sequence[Interval], pooled: Sequence[Interval], shown: Sequence[Interval]
) -> tuple[float, float]:
    """Ends on the natural scale, before they are moved to ticks."""
    estimates = [row.estimate for row in (*trials, *pooled, *shown) if row.estimate is not None]
    reference = [] if axis.reference is None else [axis.reference]
    marks = [mark for mark in (*estimates, *reference) if math.isfinite(mark)] or [0.0]
    known = [row.weight for row in trials if row.weight is not None]
    usual = sum(known) / len(known) if known else 1.0
    weights = [usual if row.weight is None else row.weight for row in trials]
    low = min([*marks, *_tail(zip((row.low for row in trials), weights, strict=True), 1)])
    high = max([*marks, *_tail(zip((row.high for row in trials), weights, strict=True), -1)])
    reach, rim = high - low, RIM_SHARE * (high - low)
    lows = [max(row.low, low - reach) for row in pooled if row.low is not None]
    highs = [min(row.high, high + reach) for row in pooled if row.high is not None]
    low, high = min([min(marks) - rim, low, *lows]), max([max(marks) + rim, high, *highs])
    if axis.scale == "log":
        widest = math.log(WIDEST_RATIO)
        low, high = max(min(low, widest), -widest), min(max(high, -widest), widest)
    # all trials at one point, without intervals: any axis around that point will do
    least = 0.1 if axis.scale == "log" else max(0.1 * abs(low), 0.1 * abs(high), LEAST_REACH)
    if high - low < least:
        low, high = low - least, high + least
    return (math.exp(low), math.exp(high)) if axis.scale == "log" else (low, high)


def _tail(limits: Iterable[tuple[float | None, float]], side: int) -> list[float]:
    """The outermost limit left when extreme limits with under a tenth of the weight are ignored.

    Returns the lowest limit if the side is 1, the highest if it is -1, as a list; empty if no limit
    is known.
    """
    known = [
        (side * end, weight) for end, weight in limits if end is not None and math.isfinite(end)
    ]
    total = sum(weight for _, weight in known)
    passed = 0.0
    for limit, weight in sorted(known):
        passed += weight
        if passed >= TAIL_SHARE * total:
            return [side * limit]
    return []
