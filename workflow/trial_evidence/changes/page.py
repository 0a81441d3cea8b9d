"""The changes as a page, in Markdown and in HTML, and as a small forest plot."""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trial_evidence.changes.compare import EstimateChange, absent
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.measures import measure_words
from trial_evidence.words.models import SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, round_half_up

# Of the ratios of counts, the one that leads: the others say the same in other words.
DRAWN = ("risk_ratio", "hazard_ratio")
NO_CONCLUSION = "No conclusion changed: every interval includes or excludes no effect as before."
OTHERS = "All other estimates are unchanged."


Titles = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Section:
    """A table of estimates before and after, or a remark why there is none."""

    title: str
    first_column: str
    estimates: tuple[EstimateChange, ...]
    remark: str

    def header(self, level: float) -> tuple[str, ...]:
        """Headings of the table; the level of the intervals is in percent."""
        estimate = f"Estimate ({level:g}% interval)"
        return (self.first_column, "Population", "When", "k", estimate, "τ²", "PI", "Model")


@dataclass(frozen=True)
class ChangesPage:
    """Everything the page says.

    Attributes
    ----------
    since : str
        The revision compared with, in words.
    rows : tuple of str
        What differs in the sheet, line by line.
    users : tuple of str
        Which analyses use the rows that differ.
    titles : mapping
        (setting, analysis) -> title, of networks too.
    level : float
        Level of the intervals now, in percent.
    estimates, networks : Section
        Of pools; of networks: effects against the reference, components, interactions, synergy.
    """

    since: str
    rows: tuple[str, ...]
    users: tuple[str, ...]
    titles: Titles
    level: float
    estimates: Section
    networks: Section

    @property
    def sections(self) -> tuple[Section, ...]:
        """Tables of estimates, pools first; that of the networks only where it says anything."""
        said = self.networks.estimates or self.networks.remark
        return (self.estimates, self.networks) if said else (self.estimates,)


def as_markdown(page: ChangesPage) -> str:
    """The page in Markdown."""
    parts = [f"# What changed since {page.since}", "", "## Rows", ""]
    parts += ["```", *page.rows, "```"] if page.rows else ["No row of the sheet differs."]
    parts += ["", *(f"- {line}" for line in page.users)] if page.users else []
    for section in page.sections:
        parts += ["", f"## {section.title}", ""]
        if not section.estimates:
            parts.append(section.remark or "No estimate differs.")
            continue
        rows = _table(section.estimates, page.titles)
        header = section.header(page.level)
        parts += [_line(header), _line(["---"] * len(header))]
        parts += [_line([cell.replace("|", "\\|") for cell in row]) for row in rows]
        conclusions = list(_conclusions(section.estimates, page.titles))
        parts += ["", *([f"**{line}**" for line in conclusions] or [NO_CONCLUSION]), "", OTHERS]
    return "\n".join([*parts, ""])


def as_html(page: ChangesPage, figure: str) -> str:
    """The page in HTML, one file, readable offline; the figure is SVG, or nothing."""
    esc = html.escape
    rows = esc("\n".join(page.rows)) or "No row of the sheet differs."
    users = "".join(f"<li>{esc(line)}</li>" for line in page.users)
    first, *others = (_section_as_html(section, page) for section in page.sections)
    drawing = figure[figure.index("<svg") :] if figure else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>What changed since {esc(page.since)}</title><style>{_STYLE}</style>"
        f"<h1>What changed since {esc(page.since)}</h1><h2>Rows</h2><pre>{rows}</pre>"
        f"<ul>{users}</ul>{first}{drawing}{''.join(others)}</html>\n"
    )


def _section_as_html(section: Section, page: ChangesPage) -> str:
    esc = html.escape
    title = f"<h2>{section.title}</h2>"
    if not section.estimates:
        return f"{title}<p>{esc(section.remark or 'No estimate differs.')}</p>"
    head = "".join(f"<th>{esc(cell)}</th>" for cell in section.header(page.level))
    body = "".join(
        "<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in row) + "</tr>"
        for row in _table(section.estimates, page.titles)
    )
    said = "".join(
        f"<p><strong>{esc(line)}</strong></p>"
        for line in _conclusions(section.estimates, page.titles)
    )
    said = said or f"<p>{NO_CONCLUSION}</p>"
    return f"{title}<table><tr>{head}</tr>{body}</table>{said}<p>{OTHERS}</p>"


def as_forest(page: ChangesPage) -> Forest | None:
    """A forest plot with a row before and a row after for each ratio that differs, if any does."""
    rows: list[Row] = []
    for change in (c for c in page.estimates.estimates if c.measure in DRAWN):
        rows += [Row("gap")] if rows else []
        name = f"{change.analysis.replace('_', ' ')}, {change.whom}"
        rows += [_row(name, "before", change.before), _row("", "after", change.after)]
    if not rows:
        return None
    return Forest(
        title=f"Before and after: changes since {page.since}",
        columns=(
            Column("name", "Analysis", "left", "left"),
            Column("when", "", "left", "left"),
            Column("k", "Trials", "right", "left"),
            Column("result", f"Ratio ({page.level:g}% CI)", "right", "right"),
        ),
        rows=tuple(rows),
        axis=Axis("log", 0.0, "Risk or hazard ratio"),
        description="; ".join(_conclusions(page.estimates.estimates, page.titles))
        or "No conclusion changed.",
    )


def _row(name: str, when: str, record: Mapping[str, Any] | None) -> Row:
    texts = {"name": name, "when": when}
    if record is None:
        return Row("unpooled", texts | {"result": "none"})
    texts |= {"k": f"{record['k']:.0f}", "result": _estimate(record)}
    estimate, low, high = (
        -math.inf if record[c] == 0 else math.log(record[c])
        for c in ("estimate", "ci_low", "ci_high")
    )
    return Row("unpooled" if when == "before" else "pooled", texts, estimate, low, high)


def _table(estimates: Sequence[EstimateChange], titles: Titles) -> Iterator[tuple[str, ...]]:
    for change in estimates:
        title = titles.get((change.setting, change.analysis), change.analysis)
        for when, record in (("before", change.before), ("after", change.after)):
            about = (title, change.whom) if when == "before" else ("", "")
            if record is None:
                yield about[0], change.whom, when, "0", "none", "", "", ""
                continue
            tau2, low = record["tau2"], record["pi_low"]
            yield (
                *about,
                when,
                f"{record['k']:.0f}",
                f"{_name(change)} {_estimate(record)}",
                "" if absent(tau2) else round_half_up(tau2, 3),
                "" if absent(low) else format_interval(low, record["pi_high"]),
                SHORT_MODEL_NAMES.get(record["model"], record["model"]),
            )


def _conclusions(estimates: Sequence[EstimateChange], titles: Titles) -> Iterator[str]:
    for change in estimates:
        if change.conclusion:
            title = titles.get((change.setting, change.analysis), change.analysis)
            yield f"{title} ({change.whom}, {_name(change).lower()}): {change.conclusion}."


def _name(change: EstimateChange) -> str:
    return measure_words(change.measure)


def _estimate(record: Mapping[str, Any]) -> str:
    limits = format_interval(record["ci_low"], record["ci_high"])
    return f"{format_number(record['estimate'])} ({limits})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_STYLE = (
    "body{font:15px/1.45 Arial,Helvetica,sans-serif;max-width:62rem;margin:2rem auto;"
    "padding:0 1rem;color:#1a1a1a}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #ddd;vertical-align:top}"
    "pre{white-space:pre-wrap;background:"
    "#f3f4f6;padding:.8rem}svg{max-width:100%;height:auto;margin-top:1rem}"
)
