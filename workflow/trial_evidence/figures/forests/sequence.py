"""Forest plots of a sequence of pooled results: cumulative, and leaving out each trial."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import printed_result
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.words.numbers import format_number

CREDIBLE = "CI: confidence interval; CrI: credible interval."


@dataclass(frozen=True)
class Step:
    """A pooled result, labelled with the trial that is added or left out.

    Parameters
    ----------
    label
        The trial.
    estimate, low, high
        Pooled estimate and limits on the analysis scale.
    k
        Number of trials pooled.
    i2
        Heterogeneity I2 in percent; None if it is not defined.
    bayesian
        Whether the limits are those of a credible interval.
    """

    label: str
    estimate: float
    low: float
    high: float
    k: int
    i2: float | None = None
    bayesian: bool = False

    def row(self, kind: RowKind, axis: Axis, before: str = "") -> Row:
        """The step as a row, with a prefix to its label."""
        ends = (self.estimate, self.low, self.high)
        texts = {
            "label": before + self.label,
            "k": str(self.k),
            "i2": "" if self.i2 is None or not isfinite(self.i2) else format_number(self.i2, 0),
            "result": printed_result(*ends, axis.scale) if isfinite(self.estimate) else "",
        }
        return Row(kind, texts, *ends)


def cumulative_forest(
    title: str, steps: Sequence[Step], axis: Axis, *, level: float, **words: Any
) -> Forest:
    """Describe a cumulative meta-analysis (Lau et al. 1992) as a forest plot.

    Parameters
    ----------
    title
        Heading of the figure.
    steps
        Results in the order in which trials were added; the last one includes them all.
    axis
        The axis of the estimates; its label also heads their column.
    level
        Level of the intervals, in percent.
    words
        Description, notes and footnotes; see `Described`.
    """
    rows = [
        step.row("overall" if step is steps[-1] else "pooled", axis, "+ " if step.k > 1 else "")
        for step in steps
    ]
    return _forest(title, "Trial added", steps, rows, axis, level, **words)


def leave_one_out_forest(
    title: str, steps: Sequence[Step], overall: Step, axis: Axis, *, level: float, **words: Any
) -> Forest:
    """Describe the pooled results leaving out each trial as a forest plot.

    Parameters
    ----------
    steps
        One result per trial, from all others.
    overall
        The result of all trials.
    title, axis, level, words
        As for `cumulative_forest`.
    """
    rows = [step.row("pooled", axis) for step in steps]
    rows += [Row("gap"), overall.row("overall", axis)]
    return _forest(title, "Trial left out", [*steps, overall], rows, axis, level, **words)


def _forest(
    title: str,
    first: str,
    steps: Sequence[Step],
    rows: Sequence[Row],
    axis: Axis,
    level: float,
    **words: Any,
) -> Forest:
    """The plot of rows, the last of which includes all trials; `first` heads the labels."""
    kinds = " or ".join(sorted({"CrI" if step.bayesian else "CI" for step in steps}))
    # Only random-effects models have I².
    i2 = Column("i2", "I² (%)", "right", "right", priority=1)
    columns = (
        Column("label", first, "left", "left"),
        Column("k", "Trials", "right", "left", priority=2),
        *([i2] if any(row.texts.get("i2") for row in rows) else []),
        Column("result", f"{axis.label}\n({level:g}% {kinds})", "right", "right"),
    )
    overall = rows[-1].estimate if rows else None
    if "CrI" in kinds:
        words["footnotes"] = (*words.get("footnotes", ()), CREDIBLE)
    return Forest(title, columns, tuple(rows), axis, overall, **words)
