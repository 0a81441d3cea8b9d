"""The Baujat plot: which trials make the heterogeneity, and which the pooled result."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import LABEL_WAYS, Chart, Label, from_zero, panel_height_mm
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style

# the trials that fit the others crowd the corner of the panel: their names fan out from there
_UPWARD = tuple((across / 10, -1.0) for across in range(-9, 10, 2)) + tuple(
    (1.0, -down / 10) for down in (2, 4, 8)
)


@dataclass(frozen=True)
class BaujatTrial:
    """A trial: its share in Cochran's Q, and how far the result moves without it (squared)."""

    label: str
    contribution: float
    influence: float


@dataclass(frozen=True)
class Baujat:
    """A Baujat plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    trials
        Trials with both numbers, 0 or more; those without (NaN) are named at the foot.
    x_label, y_label
        Words for the axes.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    trials: Sequence[BaujatTrial]
    x_label: str = "Contribution to Cochran’s Q"
    y_label: str = "Influence on the pooled result"
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(baujat: Baujat, style: Style) -> Page:
    """Place a Baujat plot (Baujat et al. 2002) on a page, its labels beside the points.

    Parameters
    ----------
    baujat
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    trials = [
        trial
        for trial in baujat.trials
        if math.isfinite(trial.contribution) and math.isfinite(trial.influence)
    ]
    chart = Chart(style)
    chart.title(baujat.title)
    chart.above_panel(baujat.y_label)
    panel = chart.panel(
        from_zero(trial.contribution for trial in trials),
        from_zero(trial.influence for trial in trials),
        panel_height_mm(style),
    )
    size = 1.15 * style.square_unweighted_mm
    labels = []
    for trial in trials:
        place = panel.point(trial.contribution, trial.influence)
        chart.dot("trial", place, size, style.ink, style.paper)
        labels.append(Label(trial.label, *place, size / 2))
    chart.y_axis(panel)
    chart.x_axis(panel, Axis("linear", label=baujat.x_label))
    # those far out are what the plot is looked at for
    labels.sort(key=lambda label: (panel.left - label.x) + (label.y - panel.bottom))
    box = (panel.left, panel.top - style.row_mm / 4, chart.right, panel.bottom)
    chart.labels(labels, box, LABEL_WAYS + _UPWARD)
    chart.notes(baujat.notes)
    missing = [trial.label for trial in baujat.trials if trial not in trials]
    footnotes = [*baujat.footnotes, *([f"Not shown: {'; '.join(missing)}."] if missing else [])]
    return chart.page(baujat.title, baujat.description, footnotes)
