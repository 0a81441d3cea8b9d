"""Rankograms: the probability of each rank for each treatment, as rows of bars."""

import math

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import text_width_mm
from trial_evidence.figures.house.marks import line_width
from trial_evidence.figures.house.scales import Span, across_mm, fitting, scale
from trial_evidence.figures.house.theme import Words, house
from trial_evidence.words.numbers import format_number

# Rows are taller when there are few treatments. Heights are in lines of small print; one line is
# for the number on the row's highest bar.
_HIGHEST_ROW, _LEAST_ROW, _PANEL_MM = 3.3, 2.5, 110.0


def rankogram(ranks: pd.DataFrame, y: str, words: Words, style: Style) -> p9.ggplot:
    """The probability of every rank, one row of bars per treatment over the same ranks.

    Parameters
    ----------
    ranks
        ``treatment`` (rows from top to bottom in the order of the table), ``rank`` (1 is the best)
        and ``probability``.
    y
        Label of the rows.
    words, style
        Title, notes and small print; sizes and colours.

    Returns
    -------
    plotnine.ggplot
        x the rank, y the row, 1 at the bottom; the probability is printed on each row's likeliest
        rank.
    """
    names = list(dict.fromkeys(ranks["treatment"]))
    count, last = len(names), int(ranks["rank"].max())
    highest = max(ranks["probability"].max(), 0.01)
    line = style.leading_mm(style.footnote_pt)
    row_mm = min(max(_PANEL_MM / count, _LEAST_ROW * line), _HIGHEST_ROW * line)
    bar = 1 - line / row_mm
    row = ranks["treatment"].map({name: count - at for at, name in enumerate(names)})
    bars = ranks.assign(row=row, top=row + bar * ranks["probability"] / highest)
    peaks = bars.loc[bars.groupby("row")["probability"].idxmax()]
    peaks = peaks.assign(percent=[f"{format_number(100 * p, 0)}%" for p in peaks["probability"]])
    rows = Span(1, count + 1, tuple(range(count, 0, -1)), tuple(names))
    # the number on the bar of the first or last rank is wider than the bar
    widest = text_width_mm("100%", style.footnote_pt)
    margin = max(0.5, last * widest / across_mm(style, rows) / 2)

    def ranked(most: int) -> Span:
        step = math.ceil((last - 1) / (3 * most - 1)) or 1
        shown = (*range(1, last - step + 1, step), last)
        return Span(1 - margin, last + margin, shown, tuple(map(str, shown)))

    hair = line_width(style.hair_pt)
    plot = p9.ggplot(bars, p9.aes("rank"))
    plot += [
        *house(style, words, count * row_mm, x="Rank (1 is the best)", y=y),
        p9.geom_rect(
            p9.aes(xmin="rank - 0.4", xmax="rank + 0.4", ymin="row", ymax="top"), fill=style.accent
        ),
        p9.geom_hline(p9.aes(yintercept="row"), peaks, color=style.ink, size=hair),
        p9.geom_text(
            p9.aes(y="top", label="percent"), peaks,
            va="bottom", size=style.footnote_pt, color=style.ink,
        ),
        scale("x", fitting(ranked, across_mm(style, rows), style)),
        scale("y", rows),
        p9.theme(axis_ticks_major_y=p9.element_blank(), axis_line_y=p9.element_blank()),
    ]  # fmt: skip
    return plot
