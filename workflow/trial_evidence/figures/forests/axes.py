"""Axes for comparisons of two arms, by measure."""

from trial_evidence.figures.canvas.axis import Axis, AxisScale
from trial_evidence.measures import MEASURES
from trial_evidence.words.printed import lower_first


def comparison_axis(
    measure: str,
    arm_labels: tuple[str, str],
    fewer_is_better: bool,
    label: str = "",
    *,
    favours: str = "Favours {arm}",
    limits: tuple[float, float] | None = None,
    decimal_mark: str = ".",
) -> Axis:
    """The axis of a comparison of two arms, stating what either side of no effect favours.

    Parameters
    ----------
    measure
        One of ``MEASURES`` that compares arms.
    arm_labels
        Experimental and control arm.
    fewer_is_better
        Whether values below no effect favour the experimental arm.
    label
        Text under the axis.
    favours
        Template for the arm: ``{arm}`` for use within a sentence, ``{Arm}`` unchanged.
    limits
        Ends of the axis as printed; chosen from the data by default.
    decimal_mark
        Decimal mark of the tick labels.
    """
    first, second = (
        favours.replace("{arm}", lower_first(arm)).replace("{Arm}", arm) for arm in arm_labels
    )
    low, high = (first, second) if fewer_is_better else (second, first)
    # no effect is 0 on every analysis scale
    scale: AxisScale = "log" if MEASURES[measure].is_ratio else "linear"
    return Axis(scale, 0.0, label, low, high, limits, decimal_mark)
