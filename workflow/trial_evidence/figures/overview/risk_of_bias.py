"""Risk-of-bias judgements: traffic lights trial by trial, and bars that sum them up."""

from collections.abc import Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.chart import (
    JUDGEMENT_SIGNS,
    Chart,
    Judgement,
    between,
    rectangle,
)
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, shorten, text_width_mm, wrap
from trial_evidence.words.numbers import round_half_up

JUDGEMENT_NAMES: dict[Judgement, str] = {
    "low": "Low risk",
    "some_concerns": "Some concerns",
    "high": "High risk",
}
# room for a heading in words above a column of lights
_WORDS_MM = 17.0
_WIDEST_PITCH_MM = 26.0
_LABEL_SHARE = 0.34


@dataclass(frozen=True)
class JudgedTrial:
    """A trial and its judgements, one a domain, the overall one last."""

    label: str
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True)
class JudgedOutcome:
    """The trials judged on one outcome."""

    heading: str
    trials: tuple[JudgedTrial, ...]


@dataclass(frozen=True)
class TrafficLights:
    """Judgements of trials, described.

    Parameters
    ----------
    title
        Heading of the figure.
    domains
        Name of every judgement of a trial, the overall one last.
    outcomes
        From top to bottom.
    notes, footnotes
        Sentences under the plot and small print.
    description
        What the figure shows, in words.
    """

    title: str
    domains: tuple[str, ...]
    outcomes: tuple[JudgedOutcome, ...]
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""


def traffic_lights(lights: TrafficLights, style: Style) -> Page:
    """Place a disc a trial and domain, with a sign that can be read in grey.

    Parameters
    ----------
    lights
        The description.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(lights.title)
    room = chart.right - chart.left
    widest = max(
        (text_width_mm(clean(trial.label), style.text_pt) for outcome in lights.outcomes
         for trial in outcome.trials),
        default=0.0,
    )  # fmt: skip
    names = min(widest + style.indent_mm, _LABEL_SHARE * room) + style.column_gap_mm
    pitch = min((room - names) / max(1, len(lights.domains)), _WIDEST_PITCH_MM)
    centres = [chart.left + names + (at + 0.5) * pitch for at in range(len(lights.domains))]
    in_words = pitch >= _WORDS_MM
    _headings(chart, lights.domains, centres, pitch, in_words)
    for outcome in lights.outcomes:
        chart.y += style.gap_row_mm / 2
        chart.heading(outcome.heading)
        for number, trial in enumerate(outcome.trials):
            _trial(chart, trial, centres, names, banded=number % 2 == 0)
    chart.y += style.block_gap_mm
    _key(chart)
    chart.notes(lights.notes)
    small = [] if in_words else [_numbered(lights.domains)]
    return chart.page(lights.title, lights.description, [*small, *lights.footnotes])


def summary_bars(lights: TrafficLights, style: Style) -> Page:
    """Place a bar a domain that the judgements share by their number.

    Parameters
    ----------
    lights
        The description; every judgement counts once, whatever the size of the trial.
    style
        Sizes and colours.

    Returns
    -------
    Page
        Every shape and text in mm.
    """
    chart = Chart(style)
    chart.title(lights.title)
    every = [trial.judgements for outcome in lights.outcomes for trial in outcome.trials]
    widest = max(text_width_mm(clean(name), style.text_pt) for name in lights.domains)
    names = min(widest, 0.42 * (chart.right - chart.left)) + style.column_gap_mm
    names_mm = names - style.column_gap_mm
    deepest = max(len(wrap(name, names_mm, style.text_pt, True)) for name in lights.domains)
    row = max(1.2 * style.row_mm, deepest * chart.leading(style.text_pt) + style.indent_mm / 2)
    panel = chart.panel(
        between(0.0, 1.0, percent=True),
        between(0.0, 1.0),
        row * len(lights.domains),
        beside_mm=(names, 0.0),
    )
    fills = {
        "low": style.low_risk,
        "some_concerns": style.some_concerns,
        "high": style.high_risk,
    }
    for at, domain in enumerate(lights.domains):
        middle = panel.top + (at + 0.5) * row
        lines = wrap(domain, names_mm, style.text_pt)
        leading = chart.leading(style.text_pt)
        for number, line in enumerate(lines):
            down = (number - (len(lines) - 1) / 2) * leading
            bold = at == len(lights.domains) - 1
            chart.word("domain", line, chart.left, middle + down, bold=bold)
        start = 0
        for judgement in JUDGEMENT_NAMES:
            count = sum(judgements[at] == judgement for judgements in every)
            if not count:
                continue
            left, right = (panel.x_mm(end / len(every)) for end in (start, start + count))
            corners = rectangle(left, middle - 0.36 * row, right, middle + 0.36 * row)
            chart.shape("share", corners, fills[judgement], style.ink)
            chart.inscribed("count", f"{JUDGEMENT_SIGNS[judgement]} {count}", (left, right), middle,
                            fills[judgement])  # fmt: skip
            start += count
    chart.x_axis(panel)
    chart.y += style.block_gap_mm
    _key(chart)
    chart.notes(lights.notes)
    return chart.page(lights.title, lights.description, lights.footnotes)


def judgements_in_words(lights: TrafficLights) -> str:
    """How many overall judgements are low, some concerns and high, as a clause."""
    overall = [trial.judgements[-1] for outcome in lights.outcomes for trial in outcome.trials]
    counts = [(name, overall.count(judgement)) for judgement, name in JUDGEMENT_NAMES.items()]
    parts = [
        f"{name.lower()} {count} ({round_half_up(100 * count / len(overall), 0)}%)"
        for name, count in counts
        if overall
    ]
    return ", ".join(parts)


def _headings(
    chart: Chart, domains: Sequence[str], centres: Sequence[float], pitch: float, in_words: bool
) -> None:
    style = chart.style
    size = style.footnote_pt
    leading = chart.leading(size)
    texts = [
        wrap(name, pitch - 1.0, size, True) if in_words else (_short(at, domains),)
        for at, name in enumerate(domains)
    ]
    deepest = max(map(len, texts), default=0)
    for x, lines in zip(centres, texts, strict=True):
        for number, line in enumerate(lines):
            y = chart.y + (deepest - len(lines) + number + 0.5) * leading
            chart.word("domain", line, x, y, "center", True, size_pt=size)
    chart.y += deepest * leading + style.block_gap_mm / 2
    chart.rule()


def _short(at: int, domains: Sequence[str]) -> str:
    return "All" if at == len(domains) - 1 else str(at + 1)


def _numbered(domains: Sequence[str]) -> str:
    parts = [f"{_short(at, domains)} {name.lower()}" for at, name in enumerate(domains[:-1])]
    return f"{', '.join(parts)}; All: overall."


def _trial(
    chart: Chart, trial: JudgedTrial, centres: Sequence[float], names: float, *, banded: bool
) -> None:
    style = chart.style
    height = max(style.row_mm, 1.25 * style.light_mm)
    if banded:
        chart.band(height)
    middle = chart.y + height / 2
    label = clean(trial.label)
    text = shorten(label, names - style.indent_mm - style.column_gap_mm / 2, style.text_pt)
    if text != label:
        chart.cut_short(label)
    chart.word("trial", text, chart.left + style.indent_mm, middle)
    for x, judgement in zip(centres, trial.judgements, strict=True):
        chart.light("light", judgement, (x, middle))
    chart.y += height


def _key(chart: Chart) -> None:
    """The three lights and their names on a line."""
    style = chart.style
    height = max(chart.leading(style.text_pt), 1.25 * style.light_mm)
    x = chart.left
    for judgement, name in JUDGEMENT_NAMES.items():
        chart.light("key", judgement, (x + style.light_mm / 2, chart.y + height / 2))
        x += style.light_mm + style.indent_mm
        chart.word("key", name, x, chart.y + height / 2)
        x += text_width_mm(name, style.text_pt) + style.column_gap_mm
    chart.y += height
