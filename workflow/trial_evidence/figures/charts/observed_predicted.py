"""Observed against predicted effects, each with its interval, and the line of agreement."""

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import geom_names
from trial_evidence.figures.house.legends import legend
from trial_evidence.figures.house.marks import DASHED, disc, geom_disc, line_width
from trial_evidence.figures.house.scales import covering, finite, natural, scale, spans
from trial_evidence.figures.house.theme import Words, house, panel_height_mm

NUMBERS = [f"{name}{end}" for name in ("predicted", "observed") for end in ("", "_low", "_high")]
_CUT = "Intervals that end at the frame go on beyond it."
_REGIMEN, _AGREEMENT = "Regimen", "Observed as predicted"


def observed_predicted(
    points: pd.DataFrame, axis: Axis, predicted: str, level: float, words: Words, style: Style
) -> p9.ggplot:
    """Observed effects (vertical) against predicted ones, over the same range.

    Parameters
    ----------
    points
        ``label``; ``predicted``, ``predicted_low``, ``predicted_high``, and the same columns for
        ``observed``, on the analysis scale. Rows with a non-finite number are left out.
    axis
        The axis of both effects; its label goes on the vertical one.
    predicted
        Label of the horizontal axis.
    level
        Confidence level of the intervals in percent.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        Both effects in the units printed on the axes.
    """
    points = points[finite(points, *NUMBERS)]
    estimates = points[["predicted", "observed"]].to_numpy().ravel()
    low, high = (estimates.min(), estimates.max()) if estimates.size else (0.0, 0.0)
    # one imprecise treatment must not compress all the others
    spread = (high - low) or 1.0
    values = points[NUMBERS].to_numpy().ravel()
    near = values[(values >= low - spread / 2) & (values <= high + spread / 2)]
    height = 1.15 * panel_height_mm(style)
    # same range on both axes, so that the line of agreement is the diagonal of the panel
    reach = covering(axis, near)
    x, y = spans(reach, reach, height, style)
    ends = min(x.low, y.low), max(x.high, y.high)
    intervals = f"{level:g}% confidence intervals"
    whole = {name: natural(points[name], axis.scale) for name in NUMBERS}
    inside = {name: values.clip(*ends) for name, values in whole.items()}
    cut = any((inside[name] != values).any() for name, values in whole.items())
    shown = points.assign(**inside, kind=_REGIMEN, interval=intervals)
    legends = [
        legend([_REGIMEN], style, shape=["o"]),
        legend([intervals], style, color=[style.accent_light]),
        legend([_AGREEMENT], style, linetype=[DASHED]),
    ]
    dashed = {"color": style.muted, "size": line_width(style.rule_pt)}
    agreement = pd.DataFrame({"predicted": ends, "observed": ends, "key": _AGREEMENT})
    looks = disc(style.square_unweighted_mm, style.accent, style.paper, style)
    plot = p9.ggplot(shown, p9.aes("predicted", "observed"))
    plot += [
        *house(
            style, words.with_footnotes(_CUT if cut else ""), height, legends, predicted, axis.label
        ),
        p9.geom_line(p9.aes(linetype="key"), agreement, **dashed),
        *(
            p9.geom_segment(p9.aes(**ends_of, color="interval"), size=line_width(style.hair_pt))
            for ends_of in (
                {"y": "observed_low", "xend": "predicted", "yend": "observed_high"},
                {"x": "predicted_low", "xend": "predicted_high", "yend": "observed"},
            )
        ),
        geom_disc(p9.aes(shape="kind"), **looks),
        geom_names(p9.aes(label="label"), style=style),
        scale("x", x),
        scale("y", y),
    ]
    return plot
