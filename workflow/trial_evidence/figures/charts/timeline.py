"""A timeline: how the trials and the patients of a field added up over the years."""

import math
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import AxisView, Tick
from trial_evidence.figures.canvas.chart import Chart, Key, Label, Panel, ViewOf, from_zero
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.words.numbers import format_tick, linear_ticks

_PANEL_MM = 24.0
# labels may stand in the room above a curve, which grows to the right
_WAYS = ((-1.0, -0.6), (-1.0, 0.0), (1.0, 0.6), (1.0, 0.0), (-0.5, -1.0), (0.0, -1.0), (0.5, 1.0))
_STEPS_MM = (0.0, 0.8, 1.6, 2.6, 4.0, 6.0, 8.5)


@dataclass(frozen=True)
class DatedTrial:
    """A trial, the year of its report, its patients, and whether it is in a pool."""

    label: str
    year: int
    patients: int
    pooled: bool = True


@dataclass(frozen=True)
class TimelinePanel:
    """The trials of one part of the field."""

    heading: str
    trials: tuple[DatedTrial, ...]


@dataclass(frozen=True)
class Timeline:
    """A timeline, described.

    Parameters
    ----------
    title
        Heading of the figure.
    panels
        From top to bottom, on the same years.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    panels: tuple[TimelinePanel, ...]
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def layout(timeline: Timeline, style: Style) -> Page:
    """Place a rising line a panel, with a dot where a trial was added.

    Parameters
    ----------
    timeline
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(timeline.title)
    years = [trial.year for panel in timeline.panels for trial in panel.trials]
    first, last = (min(years) - 1, max(years) + 1) if years else (0, 1)
    # the same room for tick labels everywhere, so that years stand below one another
    beside = 0.09 * (chart.right - chart.left) + 4 * style.tick_mm
    for at, panel in enumerate(timeline.panels):
        total = sum(trial.patients for trial in panel.trials)
        chart.y += style.block_gap_mm if at else 0.0
        trials = f"{len(panel.trials)} trial" + ("" if len(panel.trials) == 1 else "s")
        pooled = sum(trial.pooled for trial in panel.trials)
        of_them = f"; {pooled} of them pooled" if pooled < len(panel.trials) else ""
        chart.heading(f"{panel.heading}: {trials}, {total:,} patients{of_them}")
        chart.y += style.block_gap_mm
        drawn = chart.panel(
            _years(first, last), from_zero([1.08 * total]), _PANEL_MM,
            beside_mm=(beside, 0.0),
        )  # fmt: skip
        labels = _curve(chart, drawn, panel)
        chart.y_axis(drawn)
        chart.x_axis(drawn)
        chart.labels(
            labels, (drawn.left, drawn.top - style.block_gap_mm, chart.right, drawn.bottom),
            _WAYS, _STEPS_MM,
        )  # fmt: skip
    if not all(trial.pooled for panel in timeline.panels for trial in panel.trials):
        chart.y += style.block_gap_mm
        chart.legend(
            [
                Key("dot", "Pooled in an analysis", style.ink, style.paper),
                Key("dot", "Compared, not pooled", style.paper, style.ink),
            ]
        )
    chart.notes(timeline.notes)
    return chart.page(timeline.title, timeline.description, timeline.footnotes)


def _years(first: int, last: int) -> ViewOf:
    """An axis from one year to another with round years as ticks."""

    def made(most: int) -> AxisView:
        places = (place for place in linear_ticks(first, last, most) if first <= place <= last)
        ticks = tuple(Tick(place, format_tick(place)) for place in places if place.is_integer())
        return AxisView(first, last, ticks)

    return made


def _curve(chart: Chart, panel: Panel, described: TimelinePanel) -> list[Label]:
    """Draw the steps; labels for their dots, the largest trials first."""
    style = chart.style
    trials = sorted(described.trials, key=lambda trial: (trial.year, trial.label))
    if not trials:
        return []
    largest = max(trial.patients for trial in trials)
    points = [panel.point(panel.x.low, 0.0)]
    dots: list[tuple[Label, DatedTrial]] = []
    total = 0
    for trial in trials:
        points.append(panel.point(trial.year, total))
        total += trial.patients
        points.append(panel.point(trial.year, total))
        share = math.sqrt(trial.patients / largest) if largest else 0.0
        size = max(style.square_min_mm, style.square_max_mm * share)
        x, y = points[-1]
        dots.append((Label(trial.label, x, y, size / 2), trial))
    points.append(panel.point(panel.x.high, total))
    chart.curve("total", points, style.accent, 1.5 * style.interval_pt, panel)
    for label, trial in dots:
        fill, rim = (style.ink, style.paper) if trial.pooled else (style.paper, style.ink)
        chart.dot("trial", (label.x, label.y), 2 * label.reach, fill, rim)
    return [label for label, _ in sorted(dots, key=lambda dot: -dot[1].patients)]
