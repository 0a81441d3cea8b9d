"""The Baujat plot: which trials drive the heterogeneity, and which the pooled result."""

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import geom_names
from trial_evidence.figures.house.marks import disc, geom_disc
from trial_evidence.figures.house.scales import finite, from_zero, scale, spans
from trial_evidence.figures.house.theme import Words, house, panel_height_mm


def baujat(
    trials: pd.DataFrame, words: Words, style: Style, x_label: str, y_label: str
) -> p9.ggplot:
    """Draw a Baujat plot (Baujat et al. 2002), with names next to the points.

    Parameters
    ----------
    trials
        ``trial``, ``contribution`` to Cochran's Q and ``influence`` on the pooled result, both 0 or
        more; trials with a missing value (NaN) are named at the foot.
    words, style
        Title, notes and small print; sizes and colours.
    x_label, y_label
        Axis labels.

    Returns
    -------
    plotnine.ggplot
    """
    known = finite(trials, "contribution", "influence")
    missing = "; ".join(trials.loc[~known, "trial"])
    words = words.with_footnotes(f"Not shown: {missing}." if missing else "")
    height = panel_height_mm(style)
    shown = trials[known]
    across, up = (from_zero(shown[name]) for name in ("contribution", "influence"))
    x, y = spans(across, up, height, style)
    # readers look for the outlying trials: their names get the best positions
    far = shown["contribution"] / x.high + shown["influence"] / y.high
    shown = shown.assign(far=far).sort_values("far", ascending=False, kind="stable")
    plot = p9.ggplot(shown, p9.aes("contribution", "influence"))
    plot += [
        *house(style, words, height, x=x_label, y=y_label),
        geom_disc(**disc(1.15 * style.square_unweighted_mm, style.ink, style.paper, style)),
        geom_names(p9.aes(label="trial"), style=style),
        scale("x", x),
        scale("y", y),
    ]
    return plot
