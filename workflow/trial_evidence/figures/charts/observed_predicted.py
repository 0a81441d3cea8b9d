"""Observed against predicted effects, each with its intervals, and the line of agreement."""

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import geom_names
from trial_evidence.figures.house.scales import covering, fitting, natural, scale
from trial_evidence.figures.house.theme import (
    DASHED,
    Words,
    across_mm,
    disc,
    geom_disc,
    house,
    legend,
    line_width,
    panel_height_mm,
)

NUMBERS = [f"{name}{end}" for name in ("predicted", "observed") for end in ("", "_low", "_high")]
_AGREEMENT = "Observed as predicted"


def observed_predicted(
    points: pd.DataFrame, axis: Axis, predicted: str, level: float, words: Words, style: Style
) -> p9.ggplot:
    """Effects as observed (upright) against the same as predicted, on one range.

    Parameters
    ----------
    points
        ``label``; ``predicted``, ``predicted_low``, ``predicted_high``, and the same as
        ``observed``, on the analysis scale. Rows with a number that is not finite are left out.
    axis
        Of both effects, with the label of the upright one.
    predicted
        Words for the horizontal axis.
    level
        Confidence level of the intervals in percent.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        Both effects in the units printed on the axes.
    """
    points = points[points[NUMBERS].apply(np.isfinite).all(axis=1)]
    estimates = points[["predicted", "observed"]].to_numpy().ravel()
    low, high = (estimates.min(), estimates.max()) if estimates.size else (0.0, 0.0)
    # one imprecise treatment must not press all others together
    spread = (high - low) or 1.0
    values = points[NUMBERS].to_numpy().ravel()
    near = values[(values >= low - spread / 2) & (values <= high + spread / 2)]
    height = 1.15 * panel_height_mm(style)
    # one range for both axes, or the line of agreement would not cut the panel in two
    reach = covering(axis, near)
    y = fitting(reach, height, style, upright=True)
    x = fitting(reach, across_mm(style, y), style)
    ends = min(x.low, y.low), max(x.high, y.high)
    shown = points.assign(
        **{name: natural(points[name], axis.scale).clip(*ends) for name in NUMBERS},
        kind="Regimen",
        interval=f"{level:g}% confidence intervals",
    )
    keys = [legend([key], style) for key in ("Regimen", shown["interval"].iloc[0], _AGREEMENT)]
    dashed = {"color": style.muted, "size": line_width(style.rule_pt)}
    agreement = pd.DataFrame({"predicted": ends, "observed": ends, "key": _AGREEMENT})
    looks = disc(style.square_unweighted_mm, style.accent, style.paper, style)
    return (
        p9.ggplot(shown, p9.aes("predicted", "observed"))
        + house(style, words, height, keys, predicted, axis.label)
        + p9.geom_line(p9.aes(linetype="key"), agreement, **dashed)
        + [
            p9.geom_segment(p9.aes(**ends_of, color="interval"), size=line_width(style.hair_pt))
            for ends_of in (
                {"y": "observed_low", "xend": "predicted", "yend": "observed_high"},
                {"x": "predicted_low", "xend": "predicted_high", "yend": "observed"},
            )
        ]
        + geom_disc(p9.aes(shape="kind"), **looks)
        + geom_names(p9.aes(label="label"), style=style)
        + keys[0].scales(1, shape=["o"])
        + keys[1].scales(2, color=[style.accent_light])
        + keys[2].scales(3, linetype=[DASHED])
        + [scale("x", x), scale("y", y)]
    )
