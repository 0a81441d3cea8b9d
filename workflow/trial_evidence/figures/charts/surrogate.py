"""The surrogacy plot: effects on an endpoint against effects on its surrogate, trial by trial."""

from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.bubbles import bubbles, sized
from trial_evidence.figures.house.labels import vertical_label
from trial_evidence.figures.house.legends import legend
from trial_evidence.figures.house.marks import DASHED, DOTTED, key_size, line_width, reference_line
from trial_evidence.figures.house.scales import Span, covering, ends, natural, scale, spans
from trial_evidence.figures.house.theme import Words, house, panel_height_mm

_SMALLEST_MM = 1.4
_TRIAL, _FITTED, _THRESHOLD = "Trial (area: patients)", "Fitted line", "Threshold effect"
_EDGES = ("ci_low", "ci_high")
_POINTS = 301


def surrogate(
    trials: pd.DataFrame,
    line: pd.DataFrame | None,
    threshold: float | None,
    axes: tuple[Axis, Axis],
    level: float,
    words: Words,
    style: Style,
) -> p9.ggplot:
    """One bubble per trial at its two effects, with a fitted line and its bands.

    The axes cover the trials, and the threshold if it is near them; bands may run off the panel.

    Parameters
    ----------
    trials
        ``label``, ``surrogate`` and ``endpoint`` (effects on the analysis scale), and ``patients``,
        to which the area of a bubble is proportional.
    line
        ``surrogate`` ascending, ``fitted``, ``ci_low``, ``ci_high``, ``pi_low`` and ``pi_high`` on
        the analysis scale; None if no line has been fitted.
    threshold
        Surrogate threshold effect on the analysis scale; None if there is none.
    axes
        Of the surrogate and of the endpoint.
    level
        Confidence level of the bands in percent.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        Both effects in the units printed on their axes.
    """
    x, y = axes
    reach = trials["surrogate"].tolist()
    if threshold is not None and threshold <= 2 * max(reach) - min(reach):
        reach.append(threshold)
    height = panel_height_mm(style)
    across, up = spans(covering(x, reach), covering(y, trials["endpoint"]), height, style)
    smallest = _SMALLEST_MM * style.square_max_mm / 3.3
    shown = sized(trials, "patients", smallest, style).assign(
        surrogate=lambda trial: natural(trial["surrogate"], x.scale),
        endpoint=lambda trial: natural(trial["endpoint"], y.scale),
    )
    band, prediction = f"{level:g}% confidence band", f"{level:g}% prediction band"
    curves = _curves(line, threshold, axes, (across, up)).assign(band=band)
    curves["key"] = curves["curve"].map(
        {"fitted": _FITTED, "pi_low": prediction, "pi_high": prediction, "threshold": _THRESHOLD}
    )
    thick, hair = line_width(1.5 * style.interval_pt), line_width(style.hair_pt)
    edge = {"color": style.accent_light, "size": hair}
    strokes = {_FITTED: ("solid", thick), prediction: (DASHED, hair), _THRESHOLD: (DOTTED, thick)}
    drawn = {key: strokes[key] for key in strokes if (curves["key"] == key).any()}
    area = curves[curves["curve"].isin(_EDGES)]
    area = area.assign(endpoint=area["endpoint"].clip(up.low, up.high))
    area = area.pivot(index=["surrogate", "band"], columns="curve", values="endpoint").reset_index()
    curves = curves[curves["endpoint"].between(up.low, up.high)]
    key = {"size": key_size(style)}
    legends = [legend([_TRIAL], style, key, shape=["o"])]
    behind: list[Any] = []
    if len(area):
        legends.append(legend([band], style, edge, fill=[style.accent_faint]))
        behind = [
            p9.geom_ribbon(p9.aes(y="ci_low", ymin="ci_low", ymax="ci_high", fill="band"), area),
            p9.geom_line(p9.aes(group="curve"), curves[curves["curve"].isin(_EDGES)], **edge),
        ]
    if drawn:
        dashes, widths = zip(*drawn.values(), strict=True)
        legends.append(legend(list(drawn), style, {"size": widths}, linetype=dashes))
        behind += [
            p9.geom_path(
                p9.aes(group="curve", linetype="key"),
                curves[curves["key"] == key],
                size=width,
                color=style.accent,
            )
            for key, (_, width) in drawn.items()
        ]
    plot = p9.ggplot(shown, p9.aes("surrogate", "endpoint"))
    plot += [
        *house(style, words, height, legends, x.label, vertical_label(y)),
        *behind,
        *reference_line(x, style),
        *reference_line(y, style, "y"),
        *bubbles(shown, _TRIAL, "label", style),
        scale("x", across),
        scale("y", up),
    ]
    return plot


def _curves(
    line: pd.DataFrame | None,
    threshold: float | None,
    axes: tuple[Axis, Axis],
    spans: tuple[Span, Span],
) -> pd.DataFrame:
    """Points of the line, its bands and the threshold across the width of the panel."""
    (x, y), (across, up) = axes, spans
    points: list[tuple[Any, str, Any]] = []
    if line is not None:
        grid = np.linspace(*ends(across), _POINTS)
        for name in line.columns.drop("surrogate"):
            values = np.interp(grid, line["surrogate"], line[name])
            points.append((natural(grid, x.scale), name, natural(values, y.scale)))
    if threshold is not None:
        points.append((natural([threshold] * 2, x.scale), "threshold", [up.low, up.high]))
    found = pd.DataFrame(points, columns=["surrogate", "curve", "endpoint"])
    found = found.explode(["surrogate", "endpoint"], ignore_index=True)
    found = found.astype({"surrogate": float, "endpoint": float})
    return found[found["surrogate"].between(across.low, across.high)]
