"""Risk-of-bias judgements: traffic lights by trial, and summary bars."""

from collections import Counter
from dataclasses import dataclass

from trial_evidence.figures.canvas.chart import (
    JUDGEMENT_SIGNS,
    Chart,
    Described,
    Judgement,
    rectangle,
)
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, shorten, text_width_mm, wrap
from trial_evidence.words.numbers import round_half_up

JUDGEMENT_NAMES: dict[Judgement, str] = {
    "low": "Low risk", "some_concerns": "Some concerns", "high": "High risk",
}  # fmt: skip
# Gap between the headings of two columns of lights.
_BETWEEN_WORDS_MM = 1.0
# Widest column of lights, at the footnotes' size on a page.
_WIDEST_PITCH_MM = 26.0
_LABEL_SHARE = 0.34


@dataclass(frozen=True)
class JudgedTrial:
    """A trial and its judgements, one per domain, then the overall one."""

    label: str
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True)
class TrafficLights(Described):
    """The description of trials' judgements.

    `domains` names them, the overall one last; `outcomes` are the name and the trials of each.
    """

    domains: tuple[str, ...]
    outcomes: tuple[tuple[str, tuple[JudgedTrial, ...]], ...]


def traffic_lights(lights: TrafficLights, style: Style) -> Page:
    """Place one disc per trial and domain, with a sign that is legible in grey."""
    chart = Chart(style)
    chart.title(lights.title)
    room = chart.right - chart.left
    labels = [clean(trial.label) for _, trials in lights.outcomes for trial in trials]
    widest = max((text_width_mm(label, style.text_pt) for label in labels), default=0.0)
    names = min(widest + style.indent_mm, _LABEL_SHARE * room) + style.column_gap_mm
    size = style.footnote_pt
    most = _WIDEST_PITCH_MM * size / Style.footnote_pt
    pitch = min((room - names) / max(1, len(lights.domains)), most)
    centres = [chart.left + names + (at + 0.5) * pitch for at in range(len(lights.domains))]
    words_mm = pitch - _BETWEEN_WORDS_MM
    columns = [wrap(name, words_mm, size, True) for name in lights.domains]
    words = [word for name in lights.domains for word in clean(name).split()]
    small = []
    # No word is broken to stand above its column.
    if max((text_width_mm(word, size, True) for word in words), default=0.0) > words_mm:
        numbered = {str(n): name.lower() for n, name in enumerate(lights.domains[:-1], start=1)}
        columns = [*((number,) for number in numbered), ("All",)]
        small = [f"{', '.join(' '.join(pair) for pair in numbered.items())}; All: overall."]
    centred = zip(centres, columns, strict=True)
    chart.headings("domain", [(x, lines, "center") for x, lines in centred], size)
    chart.y += style.block_gap_mm / 2
    chart.rule()
    height = max(style.row_mm, 1.25 * style.light_mm)
    for heading, trials in lights.outcomes:
        chart.y += style.gap_row_mm / 2
        chart.heading(heading)
        for number, trial in enumerate(trials):
            if number % 2 == 0:
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
    chart.y += style.block_gap_mm
    _key(chart)
    return chart.page(lights, [*small, *lights.footnotes])


def summary_bars(lights: TrafficLights, style: Style) -> Page:
    """Place one bar per domain, divided by the number of judgements, unweighted by trial size."""
    chart = Chart(style)
    chart.title(lights.title)
    every = [trial.judgements for _, trials in lights.outcomes for trial in trials]
    widest = max(text_width_mm(clean(name), style.text_pt) for name in lights.domains)
    names_mm = min(widest, 0.42 * (chart.right - chart.left))
    deepest = max(len(wrap(name, names_mm, style.text_pt, True)) for name in lights.domains)
    row = max(1.2 * style.row_mm, deepest * chart.leading() + style.indent_mm / 2)
    panel = chart.percent_panel(names_mm + style.column_gap_mm, row * len(lights.domains))
    for at, domain in enumerate(lights.domains):
        middle = panel.top + (at + 0.5) * row
        lines = wrap(domain, names_mm, style.text_pt)
        bold = at == len(lights.domains) - 1
        chart.word("domain", lines, chart.left, middle, bold=bold)
        counts = Counter(judgements[at] for judgements in every)
        start = 0
        for judgement, sign in JUDGEMENT_SIGNS.items():
            count = counts[judgement]
            if not count:
                continue
            left, right = (panel.x_mm(end / len(every)) for end in (start, start + count))
            corners = rectangle(left, middle - 0.36 * row, right, middle + 0.36 * row)
            fill = style.judgements[judgement]
            chart.shape("share", corners, fill, style.ink)
            words = f"{sign} {count}"
            if text_width_mm(words, style.text_pt) + 2 * style.indent_mm <= right - left:
                ink = chart.legible(fill)
                chart.word("count", words, (left + right) / 2, middle, "center", colour=ink)
            start += count
    chart.x_axis(panel)
    chart.y += style.block_gap_mm
    _key(chart)
    return chart.page(lights, lights.footnotes)


def judgements_in_words(lights: TrafficLights) -> str:
    """The number of low, some-concerns and high overall judgements, as a clause."""
    overall = [trial.judgements[-1] for _, trials in lights.outcomes for trial in trials]
    counts = {name.lower(): overall.count(key) for key, name in JUDGEMENT_NAMES.items() if overall}
    return ", ".join(
        f"{name} {count} ({round_half_up(100 * count / len(overall), 0)}%)"
        for name, count in counts.items()
    )


def _key(chart: Chart) -> None:
    """The three lights and their names on one line."""
    style = chart.style
    height = max(chart.leading(style.text_pt), 1.25 * style.light_mm)
    x = chart.left
    for judgement, name in JUDGEMENT_NAMES.items():
        chart.light("key", judgement, (x + style.light_mm / 2, chart.y + height / 2))
        x += style.light_mm + style.indent_mm
        chart.word("key", name, x, chart.y + height / 2)
        x += text_width_mm(name, style.text_pt) + style.column_gap_mm
    chart.y += height
