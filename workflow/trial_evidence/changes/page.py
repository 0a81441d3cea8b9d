"""The changes as a page (Markdown and HTML) and as a small forest plot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trial_evidence.changes.compare import EstimateChange, side
from trial_evidence.config.configuration import Configuration
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.measures import measure_words
from trial_evidence.measures.scales import LOG_RATIO
from trial_evidence.report.words.formats import effect
from trial_evidence.report.words.reading import measure_name, model_words
from trial_evidence.words.printed import counted, interval, lower_first, number, words

# For counts, only the leading ratio is drawn: the others would repeat it.
DRAWN = ("risk_ratio", "hazard_ratio")

NOTHING = "No verdict, no certainty, no estimate and no model changed."


@dataclass(frozen=True)
class Section:
    """A table of estimates before and after, or a remark why it is empty.

    ``titles`` maps (setting, id) of analyses and networks to titles; ``level`` is the confidence
    level of the intervals in words: ``95%``.
    """

    title: str
    first_column: str
    estimates: tuple[EstimateChange, ...]
    titles: Mapping[tuple[str, str], str]
    level: str
    remark: str

    @property
    def header(self) -> tuple[str, ...]:
        """Headings of the table."""
        estimate = f"Estimate ({self.level} interval)"
        return (self.first_column, "Population", "When", "k", estimate, "τ²", "PI", "Model")

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table, one before and one after for each estimate that differs."""
        return [row for change in self.estimates for row in self._rows(change)]

    @cached_property
    def conclusions(self) -> list[str]:
        """The changed conclusions, one sentence each."""
        return [
            f"{self._title(c)} ({c.whom}, {measure_name(c.measure)}): {c.conclusion}."
            for c in self.estimates
            if c.conclusion
        ]

    def _title(self, change: EstimateChange) -> str:
        return self.titles.get((change.setting, change.analysis), change.analysis)

    def _rows(self, change: EstimateChange) -> Iterator[tuple[str, ...]]:
        for title, when, record in (
            (self._title(change), "before", change.before),
            ("", "after", change.after),
        ):
            if record is None:
                yield title, change.whom, when, "0", "none", "", "", ""
                continue
            yield (
                title,
                change.whom if title else "",
                when,
                f"{record['k']:.0f}",
                f"{measure_words(change.measure)} {effect(record)}",
                number(record["tau2"], 3),
                interval(record["pi_low"], record["pi_high"]),
                model_words(record),
            )


def moved(
    changes: Sequence[EstimateChange],
    of_networks: Sequence[EstimateChange],
    configurations: Sequence[Configuration],
    titles: Mapping[tuple[str, str], str],
) -> Iterator[str]:
    """The main estimates that changed, one per line, then the number of other changed estimates.

    The main estimates are those in all patients and in the first measure of an analysis, before or
    after. The model is named if it changed.
    """
    first = {(a.setting, a.id, a.measures[0]) for c in configurations for a in c.analyses}
    main = [c for c in changes if (c.setting, c.analysis, c.measure) in first and c.whom == "all"]
    for change in main:
        before, after = change.before, change.after
        title = titles.get((change.setting, change.analysis), change.analysis)
        measure = lower_first(measure_words(change.measure))
        line = f"{title}: {measure} {side(before)} → {side(after)}"
        if change.conclusion:
            line += f"; {change.conclusion}"
        if before is not None and after is not None and before["model"] != after["model"]:
            line += (
                f". The model is now {model_words(after)}, with {counted(int(after['k']), 'trial')}"
                f"; it was {model_words(before)}, with {before['k']:.0f}"
            )
        yield f"{line}."
    others = len(changes) - len(main) + len(of_networks)
    if others:
        more = counted(others, "more estimate" if main else "estimate")
        yield f"{more} moved (subgroups, other measures, networks)."


def as_forest(since: str, section: Section) -> Forest | None:
    """A forest plot with rows before and after for each ratio that differs; None if none does."""
    rows: list[Row] = []
    for change in (c for c in section.estimates if c.measure in DRAWN):
        rows += [Row("gap")] if rows else []
        name = f"{words(change.analysis)}, {change.whom}"
        rows += [_row(name, "before", change.before), _row("", "after", change.after)]
    if not rows:
        return None
    return Forest(
        title=f"Before and after: changes since {since}",
        columns=(
            Column("name", "Analysis", "left", "left"),
            Column("when", "", "left", "left"),
            Column("k", "Trials", "right", "left"),
            Column("result", f"Ratio ({section.level} CI)", "right", "right"),
        ),
        rows=tuple(rows),
        axis=Axis("log", 0.0, "Risk or hazard ratio"),
        description="; ".join(section.conclusions) or "No conclusion changed.",
    )


def _row(name: str, when: str, record: Mapping[str, Any] | None) -> Row:
    texts = {"name": name, "when": when}
    if record is None:
        return Row("unpooled", texts | {"result": "none"})
    texts |= {"k": f"{record['k']:.0f}", "result": effect(record)}
    ends = [record["estimate"], record["ci_low"], record["ci_high"]]
    estimate, low, high = LOG_RATIO.to_analysis(ends).tolist()
    return Row("unpooled" if when == "before" else "pooled", texts, estimate, low, high)
