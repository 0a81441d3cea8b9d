"""A timeline: cumulative trials and patients of a field over the years."""

from dataclasses import replace

import numpy as np
import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import MM_PER_POINT, clean, wrap
from trial_evidence.figures.house.labels import geom_names
from trial_evidence.figures.house.legends import legend
from trial_evidence.figures.house.marks import geom_disc, key_size, line_width, point_size
from trial_evidence.figures.house.scales import (
    Span,
    across_mm,
    fitting,
    from_zero,
    per_panel,
    scale,
)
from trial_evidence.figures.house.theme import Words, house
from trial_evidence.words.numbers import format_tick, linear_ticks

_PANEL_MM = 29.0
_POOLED, _COMPARED = "Pooled in an analysis", "Compared, not pooled"


def timeline(trials: pd.DataFrame, words: Words, style: Style) -> p9.ggplot:
    """A rising line for each part of the field, with a dot for each trial.

    Parameters
    ----------
    trials
        ``panel`` (from top to bottom in the order of the table), ``label``, ``year``, ``patients``,
        to which the area of a dot is proportional, and ``pooled``.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        x the year, y the cumulative number of patients; all panels cover the same years.
    """
    trials = trials.sort_values(["year", "label"], kind="stable")
    headings = {name: _heading(str(name), block, style) for name, block in trials.groupby("panel")}
    in_order = [headings[name] for name in trials.sort_index()["panel"].unique()]
    trials["panel"] = pd.Categorical(trials["panel"].map(headings), in_order)
    parts = trials.groupby("panel", observed=True)["patients"]
    totals = parts.sum()
    first, last = int(trials["year"].min()) - 1, int(trials["year"].max()) + 1

    def years(most: int) -> Span:
        ticks = [t for t in linear_ticks(first, last, most) if first <= t <= last and t % 1 == 0]
        return Span(first, last, tuple(ticks), tuple(map(format_tick, ticks)))

    spans = [
        _with_commas(fitting(from_zero([1.08 * total]), _PANEL_MM, style, upright=True))
        for total in totals
    ]
    x = fitting(years, across_mm(style, max(spans, key=lambda span: span.high)), style)
    foot, head, top = (
        pd.DataFrame({"panel": totals.index, "year": year, "total": total})
        for year, total in ((first, 0), (last, totals.to_numpy()), (last, [s.high for s in spans]))
    )
    stroke = line_width(style.hair_pt)
    share = np.sqrt(trials["patients"] / parts.transform("max").clip(lower=1))
    diameter = np.maximum(style.square_min_mm, style.square_max_mm * share)
    dots = trials.assign(
        total=parts.cumsum(),
        size=point_size(diameter, stroke),
        kind=np.where(trials["pooled"], _POOLED, _COMPARED),
    )
    # placing names from the bottom of the line upward crowds them least
    named = dots.sort_values("total", kind="stable")
    lines = max(heading.count("\n") + 1 for heading in in_order)
    # a name may extend slightly above its panel
    clear = style.block_gap_mm / MM_PER_POINT
    row = _PANEL_MM + lines * style.leading_mm(style.text_pt) + 3 * style.block_gap_mm
    key = {"size": key_size(style)}
    fill, edge = [style.ink, style.paper], [style.paper, style.ink]
    keys = legend([_POOLED, _COMPARED], style, key, fill=fill, color=edge)
    legends = [] if trials["pooled"].all() else [keys]

    plot = p9.ggplot(dots, p9.aes("year", "total"))
    plot += [
        *house(style, words, len(totals) * row, legends, y="Patients"),
        p9.facet_wrap("panel", ncol=1, scales="free_y"),
        p9.geom_blank(data=pd.concat([foot, top])),
        p9.geom_step(
            data=pd.concat([foot, dots, head]),
            color=style.accent, size=line_width(1.5 * style.interval_pt),
        ),
        geom_disc(
            p9.aes(size="size", fill="kind", color="kind"), stroke=stroke,
            show_legend=bool(legends),
        ),
        geom_names(p9.aes(label="label"), named, style=style),
        *([] if legends else keys.scales(1)),
        p9.theme(
            panel_spacing_y=2 * style.block_gap_mm / style.width_mm,
            strip_text=p9.element_text(margin={"t": 0.5 * clear, "b": clear}),
        ),
        scale("x", x),
        *per_panel("y", spans),
        p9.scale_size_identity(),
    ]  # fmt: skip
    return plot


def _with_commas(span: Span) -> Span:
    """Tick labels with thousands separators, as in the headings."""
    labels = (
        f"{tick:,.0f}" if tick >= 1000 else label
        for tick, label in zip(span.ticks, span.labels, strict=True)
    )
    return replace(span, labels=tuple(labels))


def _heading(panel: str, trials: pd.DataFrame, style: Style) -> str:
    """The name of a panel with its numbers of trials and patients."""
    count, pooled = len(trials), int(trials["pooled"].sum())
    patients = f"{int(trials['patients'].sum()):,} patients"
    some = f" ({pooled} pooled)" if pooled < count else ""
    text = f"{clean(panel)}: {count} trial{'' if count == 1 else 's'}{some}, {patients}"
    return "\n".join(wrap(text, style.width_mm - 8 * style.margin_mm, style.text_pt, True))
