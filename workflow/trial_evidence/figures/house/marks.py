"""Marks in the house look: lines and discs sized as printed, and the line of no effect."""

import math
from typing import Any

import pandas as pd
import plotnine as p9
from matplotlib.axes import Axes

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT
from trial_evidence.figures.house.scales import natural

DASHED = (0, (6, 3.4))
DOTTED = (0, (1, 1.8))

_POINTS_PER_SIZE = math.sqrt(math.pi)


def line_width(points: float) -> float:
    """The plotnine `size` of a line that is this many points wide."""
    return points / _POINTS_PER_SIZE


def point_size(diameter_mm: Any, stroke: float = 0.0) -> Any:
    """The plotnine `size` of a point (or array of points) with a diameter in mm, edge included."""
    return diameter_mm / MM_PER_POINT / _POINTS_PER_SIZE - stroke


def key_size(style: Style) -> float:
    """The plotnine `size` of a point in a legend: with its edge no taller than a key or capital."""
    return float(point_size(0.85 * style.square_unweighted_mm))


def disc(diameter_mm: float, fill: str, edge: str, style: Style) -> dict[str, Any]:
    """Settings of a `geom_point` with a thin edge."""
    stroke = line_width(style.hair_pt)
    return {
        "size": point_size(diameter_mm, stroke), "stroke": stroke, "fill": fill, "color": edge
    }  # fmt: skip


class geom_disc(p9.geom_point):
    """Points drawn whole even where they overlap the panel's edge; keys as tall as letters."""

    def draw_panel(self, data: pd.DataFrame, panel_params: Any, coord: Any, ax: Axes) -> None:
        """Draw the points whose centre is in the panel."""
        for name, ends in (("x", panel_params.x.range), ("y", panel_params.y.range)):
            slack = 1e-9 * (max(ends) - min(ends))
            data = data[data[name].between(min(ends) - slack, max(ends) + slack)]
        there = len(ax.collections)
        super().draw_panel(data, panel_params, coord, ax)
        for points in ax.collections[there:]:
            points.set_clip_on(False)

    @staticmethod
    def legend_key_size(data: Any, min_size: tuple[int, int], lyr: Any) -> tuple[int, int]:
        """Size of a key in points."""
        return min_size


def no_difference(axis: Axis) -> str:
    """The value of no difference as printed: 1 for ratios, 0 for differences."""
    reference = axis.reference
    return "no effect" if reference is None else f"{float(natural(reference, axis.scale)):g}"


def reference_line(axis: Axis, style: Style, along: str = "x", **panel: Any) -> list[Any]:
    """The line of no effect across a panel, if the axis has one.

    With values for the facet columns it is drawn in that panel only, on the analysis scale, as used
    by panels with their own axes.
    """
    if axis.reference is None:
        return []
    at = axis.reference if panel else float(natural(axis.reference, axis.scale))
    frame = pd.DataFrame([{"reference": at, **panel}])
    looks = {"color": style.ink, "size": line_width(style.rule_pt)}
    if along == "x":
        return [p9.geom_vline(p9.aes(xintercept="reference"), frame, **looks)]
    return [p9.geom_hline(p9.aes(yintercept="reference"), frame, **looks)]
