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


def cumulative_forest(
    title: str,
    steps: Sequence[Step],
    axis: Axis,
    footnotes: tuple[str, ...] = (),
    description: str = "",
    result_header: str = "",
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

    Returns
    -------
    Forest
        A row a step, the last as the overall result.
    """
    rows = [_row("pooled", f"+ {step.label}" if step.k > 1 else step.label, step, axis)
            for step in steps[:-1]]  # fmt: skip
    last = [_row("overall", f"+ {step.label}", step, axis) for step in steps[-1:]]
    columns = _columns("Adding trial", axis, result_header)
    overall = steps[-1].estimate if steps else None
    return Forest(title, columns, (*rows, *last), axis, overall, (), footnotes, description)


def leave_one_out_forest(
    title: str,
    steps: Sequence[Step],
    overall: Step,
    axis: Axis,
    footnotes: tuple[str, ...] = (),
    description: str = "",
    result_header: str = "",
) -> Forest:
    """Describe the pooled results without each trial as a forest plot.

    Parameters
    ----------
    title
        Heading of the figure.
    steps
        One result a trial, from all others.
    overall
        The result of all trials.
    axis
        The axis of the estimates.
    footnotes
        Small print.
    description
        What the figure shows, in words.
    result_header
        Heading of the estimates; the axis label when empty.

    Returns
    -------
    Forest
        A row a trial, then the overall result.
    """
    rows = [_row("pooled", step.label, step, axis) for step in steps]
    last = _row("overall", overall.label, overall, axis)
    columns = _columns("Without trial", axis, result_header)
    return Forest(
        title,
        columns,
        (*rows, Row("gap"), last),
        axis,
        overall.estimate,
        (),
        footnotes,
        description,
    )


def _columns(first: str, axis: Axis, result_header: str) -> tuple[Column, ...]:
    result = result_header or axis.label
    return (
        Column("label", first, "left", "left"),
        Column("k", "Trials", "right", "left", priority=2),
        Column("i2", "I² (%)", "right", "right", priority=1),
        Column("result", f"{result}\n(95% CI)" if result else "95% CI", "right", "right"),
    )


def _row(kind: RowKind, label: str, step: Step, axis: Axis) -> Row:
    texts = {"label": label, "k": str(step.k), "i2": "", "result": ""}
    if step.i2 is not None and math.isfinite(step.i2):
        texts["i2"] = format_number(step.i2, 0)
    if math.isfinite(step.estimate):
        texts["result"] = _result(step, axis)
    return Row(
        kind,
        texts,
        step.estimate,
        step.low,
        step.high,
    )


def _result(step: Step, axis: Axis) -> str:
    estimate = printed(step.estimate, axis.scale)
    if math.isnan(step.low) or math.isnan(step.high):
        return estimate
    ends = [printed(end, axis.scale) for end in (step.low, step.high)]
    between = " to " if any(end.startswith(MINUS) for end in ends) else EN_DASH
    return f"{estimate} ({between.join(ends)})"
