"""Forest plots of a sequence of pooled results: cumulative, and without each trial."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.words.numbers import EN_DASH, MINUS, format_number


@dataclass(frozen=True)
class Step:
    """A pooled result: the trial added or left out, and what the others gave.

    Parameters
    ----------
    label
        The trial.
    estimate, low, high
        Pooled estimate and limits on the analysis scale.
    k
        Number of trials pooled.
    i2
        Heterogeneity I2 in percent; None where it is not defined.
    """

    label: str
    estimate: float
    low: float
    high: float
    k: int
    i2: float | None = None

    def row(self, kind: RowKind, axis: Axis, before: str = "") -> Row:
        """The step as a row, with a text before its label."""
        texts = {"label": before + self.label, "k": str(self.k), "i2": "", "result": ""}
        if self.i2 is not None and math.isfinite(self.i2):
            texts["i2"] = format_number(self.i2, 0)
        if math.isfinite(self.estimate):
            texts["result"] = printed(self.estimate, axis.scale)
            if not math.isnan(self.low) and not math.isnan(self.high):
                ends = [printed(end, axis.scale) for end in (self.low, self.high)]
                between = " to " if any(end.startswith(MINUS) for end in ends) else EN_DASH
                texts["result"] += f" ({between.join(ends)})"
        return Row(kind, texts, self.estimate, self.low, self.high)


def cumulative_forest(
    title: str,
    steps: Sequence[Step],
    axis: Axis,
    footnotes: tuple[str, ...] = (),
    description: str = "",
    result_header: str = "",
    *,
    level: float,
) -> Forest:
    """Describe a cumulative meta-analysis (Lau et al. 1992) as a forest plot.

    Parameters
    ----------
    title
        Heading of the figure.
    steps
        Results in the order in which trials came; the last one holds them all.
    axis
        The axis of the estimates.
    footnotes
        Small print.
    description
        What the figure shows, in words.
    result_header
        Heading of the estimates; the axis label when empty.
    level
        Of the intervals, in percent.
    """
    rows = [
        step.row("overall" if step is steps[-1] else "pooled", axis, "+ " if step.k > 1 else "")
        for step in steps
    ]
    columns = _columns("Trial added", result_header or axis.label, level)
    overall = steps[-1].estimate if steps else None
    return Forest(title, columns, tuple(rows), axis, overall, (), footnotes, description)


def leave_one_out_forest(
    title: str,
    steps: Sequence[Step],
    overall: Step,
    axis: Axis,
    footnotes: tuple[str, ...] = (),
    description: str = "",
    result_header: str = "",
    *,
    level: float,
) -> Forest:
    """Describe the pooled results without each trial as a forest plot.

    Parameters
    ----------
    steps
        One result for each trial, from all others.
    overall
        The result of all trials.
    title, axis, footnotes, description, result_header, level
        As for `cumulative_forest`.
    """
    rows = [step.row("pooled", axis) for step in steps]
    rows += [Row("gap"), overall.row("overall", axis)]
    columns = _columns("Trial left out", result_header or axis.label, level)
    centre = overall.estimate
    return Forest(title, columns, tuple(rows), axis, centre, (), footnotes, description)


def _columns(first: str, result: str, level: float) -> tuple[Column, ...]:
    interval = f"{level:g}% CI"
    return (
        Column("label", first, "left", "left"),
        Column("k", "Trials", "right", "left", priority=2),
        Column("i2", "I² (%)", "right", "right", priority=1),
        Column("result", f"{result}\n({interval})" if result else interval, "right", "right"),
    )
