"""Trials as bubbles, area proportional to an amount, for plots of effects against a covariate."""

from typing import Any

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.labels import geom_names
from trial_evidence.figures.house.marks import disc, geom_disc, point_size

_LARGEST_MM = 6.0


def sized(trials: pd.DataFrame, amount: str, smallest_mm: float, style: Style) -> pd.DataFrame:
    """The trials with the ``diameter`` of their bubbles, largest amount first.

    Small bubbles are drawn last so that large ones do not hide them.
    """
    known = trials[amount].clip(lower=0.0)
    share = known / known.max() if (known > 0).any() else 1.0
    large = _LARGEST_MM * np.sqrt(share) * style.square_max_mm / 3.3
    sized = trials.assign(diameter=np.maximum(smallest_mm, large))
    return sized.sort_values(amount, ascending=False, kind="stable")


def bubbles(trials: pd.DataFrame, kind: str, name: str, style: Style) -> list[Any]:
    """Layers of bubbles with names taken from a column, and the legend key of their shape."""
    looks = disc(0.0, style.muted, style.ink, style)
    shown = trials.assign(kind=kind, size=point_size(trials["diameter"], looks["stroke"]))
    del looks["size"]
    return [
        geom_disc(p9.aes(size="size", shape="kind"), shown, **looks),
        geom_names(p9.aes(label=name), shown, style=style),
        p9.scale_size_identity(),
    ]
