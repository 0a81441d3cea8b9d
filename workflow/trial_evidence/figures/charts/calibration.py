"""Performance of intervals and estimators in simulated meta-analyses, as small multiples."""

import math
from typing import Any

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import wrap
from trial_evidence.figures.house.legends import legend
from trial_evidence.figures.house.marks import DASHED, DOTTED, geom_disc, line_width, point_size
from trial_evidence.figures.house.scales import between, fitting, scale
from trial_evidence.figures.house.theme import Words, house
from trial_evidence.words.numbers import format_tick

_LEAST_PANEL_MM = 36.0
_MOST_TAUS = 6
_ROOM = 0.04


def calibration(
    values: pd.DataFrame, target: float, y: str, words: Words, style: Style, percent: bool = False
) -> p9.ggplot:
    """Values by number of trials, with one panel per method and one line per true tau.

    Parameters
    ----------
    values
        ``method`` (panels in the order of the table), ``trials``, ``tau`` and ``value``; a missing
        value leaves a gap.
    target
        Value marked by a dashed line.
    y
        Label of the values.
    words, style
        Title, notes and small print; sizes and colours.
    percent
        Print the values as percentages of 1.

    Returns
    -------
    plotnine.ggplot
        Numbers of trials are evenly spaced, since two and three differ more than nine and ten do.

    Raises
    ------
    ValueError
        If there are more values of tau than distinguishable lines.
    """
    taus, trials = (sorted(set(values[name])) for name in ("tau", "trials"))
    if len(taus) > _MOST_TAUS:
        raise ValueError(f"{len(taus)} values of tau; {_MOST_TAUS} can be distinguished")
    methods = list(dict.fromkeys(values["method"]))
    known = values[values["value"].map(math.isfinite)]
    low, high = min([target, *known["value"]]), max([target, *known["value"]])
    room = _ROOM * (high - low) or 0.01
    # coverage cannot exceed 100%
    highest = min(high + room, 1.0) if percent else high + room

    width = style.width_mm - 2 * style.margin_mm
    fitting_in = max(1, min(int(width / _LEAST_PANEL_MM), len(methods)))
    # rows of equal length look better than a last row with one panel
    columns = math.ceil(len(methods) / math.ceil(len(methods) / fitting_in))
    rows = math.ceil(len(methods) / columns)
    pitch = width / columns
    room_mm = pitch - 2 * style.panel_gap_mm
    headings = {m: "\n".join(wrap(m, room_mm, style.text_pt, True, 2)) for m in methods}
    # plotnine accepts any labeller, but its types admit only its own names
    labeller: Any = p9.as_labeller(headings)
    panel = 0.55 * min(pitch, 52.0)
    lines = max(heading.count("\n") + 1 for heading in headings.values())
    head = lines * style.leading_mm(style.text_pt) + style.block_gap_mm
    span = fitting(between(low - room, highest, percent), panel, style, upright=True)
    pale, full, ink, paper = style.accent_light, style.accent, style.ink, style.paper
    # the lines differ from each other even without colour
    looks: dict[str, Any] = {
        "color": [pale, pale, full, full, ink, ink],
        "fill": [paper, pale, full, paper, ink, ink],
        "shape": ["o", "s", "o", "D", "s", "D"],
        "linetype": ["solid", DASHED, "solid", DASHED, "solid", DOTTED],
    }
    labels = [f"τ = {format_tick(tau)}" for tau in taus]
    keys = legend(labels, style, **{name: values[: len(taus)] for name, values in looks.items()})
    shown = known.assign(
        trials=[str(int(count)) for count in known["trials"]],
        method=pd.Categorical(known["method"], methods),
        key=known["tau"].map(dict(zip(taus, labels, strict=True))),
    )
    together = shown.groupby(["method", "key"], observed=True)["value"].transform("size")
    hair, line = line_width(style.hair_pt), line_width(style.interval_pt)
    plot = p9.ggplot(shown, p9.aes("trials", "value", color="key", group="key"))
    plot += [
        *house(style, words, rows * (head + panel) + (rows - 1) * 4, [keys], "Trials", y),
        p9.theme(strip_text=p9.element_text(ma="left")),
        p9.facet_wrap("method", ncol=columns, labeller=labeller),
        p9.geom_hline(yintercept=target, color=style.muted, size=hair, linetype="dashed"),
        p9.geom_line(p9.aes(linetype="key"), shown[together > 1], size=line),
        geom_disc(
            p9.aes(fill="key", shape="key"), size=point_size(style.square_min_mm, hair), stroke=hair
        ),
        p9.scale_x_discrete(limits=[str(int(count)) for count in trials]),
        scale("y", span),
    ]
    return plot
