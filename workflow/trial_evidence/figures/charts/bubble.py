"""The bubble plot of a meta-regression: effects against a covariate, and the fitted line."""

from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import geom_names
from trial_evidence.figures.house.scales import (
    between,
    covering,
    finite,
    fitting,
    natural,
    scale,
    vertical_label,
)
from trial_evidence.figures.house.theme import (
    Legend,
    Words,
    across_mm,
    disc,
    geom_disc,
    house,
    legend,
    line_width,
    panel_height_mm,
    point_size,
    reference_line,
)

_LARGEST_MM, _SMALLEST_MM = 6.0, 1.2
# how much wider than the covariate the axis is, on either side
_ROOM = 0.05
_TRIAL, _LINE = "Trial (area follows weight)", "Fitted line"


def bubble(
    trials: pd.DataFrame,
    line: pd.DataFrame | None,
    axis: Axis,
    covariate: str,
    level: float,
    words: Words,
    style: Style,
) -> p9.ggplot:
    """Draw a bubble plot.

    Parameters
    ----------
    trials
        ``trial``, ``covariate``, ``estimate`` on the analysis scale and ``weight`` of any unit,
        which the area of a bubble follows.
    line
        ``covariate`` ascending; ``fitted``, ``low`` and ``high`` on the analysis scale. None where
        no line has been fitted.
    axis
        The axis of the effect, which stands upright.
    covariate
        Words for the covariate, with its unit.
    level
        Confidence level of the band in percent.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        x the covariate, y in the units printed on the axis.
    """
    known = trials[finite(trials, "covariate", "estimate")]
    ends = (known["covariate"].min(), known["covariate"].max()) if len(known) else (0.0, 0.0)
    room = _ROOM * (ends[1] - ends[0]) or max(0.5, 0.01 * abs(ends[0]))
    whole = bool((known["covariate"] % 1 == 0).all())
    fitted: list[float] = [] if line is None else line["fitted"].tolist()
    height = panel_height_mm(style)
    y = fitting(covering(axis, [*known["estimate"], *fitted]), height, style, upright=True)
    across = between(ends[0] - room, ends[1] + room, whole=whole)
    x = fitting(across, across_mm(style, y), style)
    heaviest = known["weight"].max() if len(known) else 0.0
    share = known["weight"].clip(lower=0.0) / heaviest if heaviest > 0 else 1.0
    diameter = np.maximum(_SMALLEST_MM, _LARGEST_MM * np.sqrt(share) * style.square_max_mm / 3.3)
    looks = disc(1.0, style.muted, style.ink, style)
    del looks["size"]
    # a bubble may not reach over what stands around the panel
    rims = [min(y.share(at), 1 - y.share(at)) for at in natural(known["estimate"], axis.scale)]
    beyond = max([0.0, *(diameter / 2 / height - rims)])
    # small ones last: they would vanish behind large ones
    known = known.assign(
        y=natural(known["estimate"], axis.scale), size=point_size(diameter, looks["stroke"])
    ).sort_values("weight", ascending=False, kind="stable")
    keys = [legend([key], style) for key in (_TRIAL, _LINE, f"{level:g}% confidence band")]
    return (
        p9.ggplot(known, p9.aes("covariate", "y"))
        + house(
            style, words, height, keys[: 1 if line is None else 3], covariate, vertical_label(axis)
        )
        + _fit(line, axis, keys[1:], style)
        + reference_line(axis, style, "y")
        + geom_disc(p9.aes(size="size", shape=[_TRIAL] * len(known)), **looks)
        + geom_names(p9.aes(label="trial"), style=style)
        + keys[0].scales(1, {"size": point_size(style.square_unweighted_mm)}, shape=["o"])
        + [scale("x", x), scale("y", y, beyond=beyond), p9.scale_size_identity()]
    )


def _fit(line: pd.DataFrame | None, axis: Axis, keys: list[Legend], style: Style) -> list[Any]:
    """The fitted line with its band, behind the trials."""
    if line is None:
        return []
    shown = line.assign(
        **{name: natural(line[name], axis.scale) for name in ("fitted", "low", "high")},
        line=keys[0].keys[0],
        band=keys[1].keys[0],
    )
    thick, hair = line_width(1.5 * style.interval_pt), line_width(style.hair_pt)
    edge = {"color": style.accent_light, "size": hair}
    return [
        p9.geom_ribbon(p9.aes(y="fitted", ymin="low", ymax="high", fill="band"), shown, **edge),
        p9.geom_line(p9.aes(y="fitted", color="line"), shown, size=thick),
        *keys[0].scales(2, color=[style.accent]),
        *keys[1].scales(3, edge, fill=[style.band]),
    ]
