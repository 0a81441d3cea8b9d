"""How a measure is drawn and printed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis, AxisScale
from trial_evidence.words.numbers import format_interval, format_number


@dataclass(frozen=True)
class Reading:
    """How a measure is drawn and printed; a proportion is printed in percent."""

    scale: AxisScale
    to_analysis: Callable[[float], float]
    digits: int = 2
    null: float | None = 0.0
    benefit_below: bool = False
    factor: float = 1.0

    def number(self, value: float) -> str:
        """An estimate as printed."""
        return format_number(self.factor * value, self.digits)

    def interval(self, low: float, high: float) -> str:
        """An interval as printed."""
        return format_interval(self.factor * low, self.factor * high, self.digits)

    def result(self, estimate: float, low: float, high: float) -> str:
        """An estimate with its interval in brackets."""
        return f"{self.number(estimate)} ({self.interval(low, high)})"


def _log(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


def _logit(value: float) -> float:
    return _log(value) - _log(1 - value)


READINGS: Mapping[str, Reading] = {
    "risk_ratio": Reading("log", _log),
    "odds_ratio": Reading("log", _log),
    "hazard_ratio": Reading("log", _log, benefit_below=True),
    "risk_difference": Reading("linear", float),
    "proportion": Reading("logit", _logit, digits=0, null=None, factor=100.0),
}


def comparison_axis(
    measure: str,
    arm_labels: tuple[str, str],
    label: str = "",
    *,
    favours: str = "Favours {arm}",
    limits: tuple[float, float] | None = None,
    decimal_mark: str = ".",
) -> Axis:
    """The axis of a comparison of two arms, with what lies on either side of no effect.

    Parameters
    ----------
    measure
        risk_ratio, odds_ratio, risk_difference or hazard_ratio.
    arm_labels
        Experimental and control arm.
    label
        Text under the axis.
    favours
        With the arm in braces: ``{arm}`` within a sentence, ``{Arm}`` as it is given.
    limits
        Ends of the axis as printed; by default those that the data ask for.
    decimal_mark
        Between the digits of the ticks.
    """
    reading = READINGS[measure]
    first, second = (
        favours.replace("{arm}", lower_first(arm)).replace("{Arm}", arm) for arm in arm_labels
    )
    low, high = (first, second) if reading.benefit_below else (second, first)
    return Axis(reading.scale, reading.null, label, low, high, limits, decimal_mark)


def to_analysis_scale(measure: str, value: float) -> float:
    """A value as the analysis has it: the logarithm of a ratio, the logit of a proportion."""
    return READINGS[measure].to_analysis(value)


def lower_first(text: str) -> str:
    """A text as it goes on within a sentence; abbreviations stay as they are."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
