"""Forest plots and charts of pooled trials, as files."""

from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from trial_evidence.api.frames import one_of
from trial_evidence.api.pools import PooledTrials
from trial_evidence.files import records

if TYPE_CHECKING:
    import plotnine as p9

    from trial_evidence.figures.canvas.page import Format

ARMS = ("Experimental", "Control")
BETTER = {"fewer": True, "more": False}


def forest_plot(
    pooled: PooledTrials,
    path: str | Path,
    *,
    title: str = "",
    arms: tuple[str, str] = ARMS,
    better: str | None = None,
    width_mm: float = 180.0,
) -> Path:
    """Draw a forest plot of the trials and their pooled result, as in the pipeline.

    Parameters
    ----------
    pooled : PooledTrials
        Returned by `pool`.
    path : str or Path
        A file name ending with .svg, .pdf, .png, .eps or .tiff.
    title : str
        Heading of the figure; by default the names of the arms.
    arms : tuple of str
        Names of the experimental and control arms.
    better : {"more", "fewer"}, optional
        Whether more or fewer events are better; labels the ends of the axis with the arm favoured.
    width_mm : float
        Width of the page.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the file has another format, or an argument is not allowed.
    """
    from trial_evidence.figures.canvas.page import save_page
    from trial_evidence.figures.canvas.style import style_for
    from trial_evidence.figures.forests.layout import layout
    from trial_evidence.figures.forests.plain import plain_forest

    arms, (stem, kind) = _two(arms), _file(path)
    forest = plain_forest(
        pooled.trials,
        records(pooled.models)[0],
        pooled.measure,
        pooled.level,
        title=title or _against(arms),
        arms=arms,
        fewer_is_better=_fewer(better),
    )
    save_page(layout(forest, style_for(width_mm)), stem, (kind,))
    return Path(path)


def funnel_plot(
    pooled: PooledTrials,
    *,
    title: str = "",
    arms: tuple[str, str] = ARMS,
    better: str | None = None,
    width_mm: float = 120.0,
) -> "p9.ggplot":
    """A funnel plot: estimates against standard errors, with regions of p values around no effect.

    Parameters
    ----------
    pooled : PooledTrials
        Returned by `pool`; only pooled trials are drawn.
    title, arms, better, width_mm
        As in `forest_plot`.

    Returns
    -------
    plotnine.ggplot
        Layers can be added as to any ggplot; save it with `save_chart`.
    """
    import numpy as np
    import pandas as pd

    from trial_evidence.figures.canvas.style import style_for
    from trial_evidence.figures.charts.funnel import funnel
    from trial_evidence.figures.forests.plain import plain_axis
    from trial_evidence.figures.house.theme import Words
    from trial_evidence.measures import MEASURES

    arms = _two(arms)
    used = pooled.trials[pooled.trials["pooled"]]
    points = pd.DataFrame(
        {"estimate": used["yi"], "standard_error": np.sqrt(used["vi"]), "imputed": False}
    )
    reading = MEASURES[pooled.measure]
    axis = plain_axis(pooled.measure, arms, _fewer(better), label=reading.title)
    middle = float(reading.scale.to_analysis(pooled.lead["estimate"]))
    return funnel(
        points, axis, middle, pooled.level, Words(title or _against(arms)), style_for(width_mm)
    )


def save_chart(chart: "p9.ggplot", path: str | Path, description: str = "") -> Path:
    """Save a chart with the font and sizes of the pipeline's figures.

    Parameters
    ----------
    chart : plotnine.ggplot
        A chart of this library, or any other ggplot.
    path : str or Path
        A file name ending with .svg, .pdf, .png, .eps or .tiff.
    description : str
        Alt text, for readers who cannot see the figure.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the file has another format.
    """
    from trial_evidence.figures.canvas.style import style_for
    from trial_evidence.figures.canvas.text import MM_PER_INCH
    from trial_evidence.figures.house.publish import save

    stem, kind = _file(path)
    width = float(chart.theme.getp("figure_size")[0]) * MM_PER_INCH
    save(chart, stem, style_for(width), description, (kind,))
    return Path(path)


def _file(path: str | Path) -> tuple[Path, "Format"]:
    from trial_evidence.figures.canvas.page import Format

    place = Path(path)
    kind = one_of("the end of the file's name", place.suffix.removeprefix("."), get_args(Format))
    return place.with_suffix(""), cast("Format", kind)


def _two(arms: tuple[str, str]) -> tuple[str, str]:
    if isinstance(arms, str) or len(arms) != 2:
        raise ValueError(f"arms is {arms!r}. It is two names, the experimental arm first.")
    return arms


def _against(arms: tuple[str, str]) -> str:
    from trial_evidence.words.printed import lower_first

    return f"{arms[0]} versus {lower_first(arms[1])}"


def _fewer(better: str | None) -> bool | None:
    return None if better is None else BETTER[one_of("better", better, BETTER)]
