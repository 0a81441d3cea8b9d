"""The bubble plot of a meta-regression: effects against a covariate, and the fitted line."""

from typing import Any

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.bubbles import bubbles, sized
from trial_evidence.figures.house.labels import vertical_label
from trial_evidence.figures.house.legends import Legend, legend
from trial_evidence.figures.house.marks import key_size, line_width, reference_line
from trial_evidence.figures.house.scales import between, covering, finite, natural, scale, spans
from trial_evidence.figures.house.theme import Words, house, panel_height_mm

_SMALLEST_MM = 1.2
# margin of the axis on either side, as a share of the covariate's range
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
        ``trial``, ``covariate``, ``estimate`` on the analysis scale, and ``weight`` in any unit,
        to which the area of a bubble is proportional.
    line
        ``covariate`` ascending; ``fitted``, ``low`` and ``high`` on the analysis scale. None if no
        line has been fitted.
    axis
        The axis of the effect, drawn vertically.
    covariate
        Label of the covariate, with its unit.
    level
        Confidence level of the band in percent.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        x is the covariate, y is in the units printed on the axis.
    """
    known = trials[finite(trials, "covariate", "estimate")]
    ends = (known["covariate"].min(), known["covariate"].max()) if len(known) else (0.0, 0.0)
    room = _ROOM * (ends[1] - ends[0]) or max(0.5, 0.01 * abs(ends[0]))
    whole = bool((known["covariate"] % 1 == 0).all())
    fitted: list[float] = [] if line is None else line["fitted"].tolist()
    height = panel_height_mm(style)
    across = between(ends[0] - room, ends[1] + room, whole=whole)
    x, y = spans(across, covering(axis, [*known["estimate"], *fitted]), height, style)
    known = sized(known, "weight", _SMALLEST_MM, style).assign(
        y=lambda bubble: natural(bubble["estimate"], axis.scale)
    )
    # a bubble must not overlap what surrounds the panel
    rims = [min(y.share(at), 1 - y.share(at)) for at in known["y"]]
    beyond = max([0.0, *(known["diameter"] / 2 / height - rims)])
    trial = legend([_TRIAL], style, {"size": key_size(style)}, shape=["o"])
    fit, legends = ([], []) if line is None else _fit(line, axis, level, style)
    plot = p9.ggplot(known, p9.aes("covariate", "y"))
    plot += [
        *house(style, words, height, [trial, *legends], covariate, vertical_label(axis)),
        *fit,
        *reference_line(axis, style, "y"),
        *bubbles(known, _TRIAL, "trial", style),
        scale("x", x),
        scale("y", y, beyond=beyond),
    ]
    return plot


def _fit(
    line: pd.DataFrame, axis: Axis, level: float, style: Style
) -> tuple[list[Any], list[Legend]]:
    """The fitted line with its band, behind the trials, and their legends."""
    band = f"{level:g}% confidence band"
    shown = line.assign(
        **{name: natural(line[name], axis.scale) for name in ("fitted", "low", "high")},
        line=_LINE,
        band=band,
    )
    thick, hair = line_width(1.5 * style.interval_pt), line_width(style.hair_pt)
    edge = {"color": style.accent_light, "size": hair}
    layers = [
        p9.geom_ribbon(p9.aes(y="fitted", ymin="low", ymax="high", fill="band"), shown, **edge),
        p9.geom_line(p9.aes(y="fitted", color="line"), shown, size=thick),
    ]
    return layers, [
        legend([_LINE], style, color=[style.accent]),
        legend([band], style, edge, fill=[style.accent_faint]),
    ]
