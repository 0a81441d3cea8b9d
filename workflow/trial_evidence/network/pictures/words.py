"""Shared by the figures of a network: its tables, and the format of numbers and names."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import pandas as pd

from trial_evidence.extract.regimens import with_labels
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.forests.axes import comparison_axis
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.figures.forests.layout import layout
from trial_evidence.files import records, where
from trial_evidence.measures import MEASURES, Measure
from trial_evidence.network.analysis import NetworkAnalysis
from trial_evidence.network.components.additive import TIMES
from trial_evidence.network.evidence.nodes import SEQUENCE, component_labels, explained, is_own_node
from trial_evidence.network.evidence.rows import WIDER
from trial_evidence.network.models import NetworkModel, interval_heading, interval_words
from trial_evidence.network.tables import network_tables
from trial_evidence.words.numbers import format_interval, format_number
from trial_evidence.words.printed import listing, lower_first

# A larger ratio only shows that there is hardly any evidence.
BEYOND = 1000
LIMITS = ("", "_low", "_high")
PARTLY = "+: not every trial states its number of patients."
NO_LOOP = (
    "No loop of comparisons lets trials of different designs disagree: inconsistency cannot be "
    "tested."
)


@dataclass(frozen=True)
class ShownNetwork:
    """A network as shown in its figures; every number comes from its tables."""

    analysis: NetworkAnalysis
    style: Style

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the network; figures do not use the line of treatment."""
        return network_tables(self.analysis, "")

    def rows(self, table: str, **equal: Any) -> list[dict[str, Any]]:
        """Rows of a table with these values."""
        return records(where(self.tables[table], **equal))

    @cached_property
    def held(self) -> set[str]:
        """Ids of the components of its treatments."""
        return {c for node in self.analysis.nodes.values() for c in node.components}

    @property
    def title(self) -> str:
        """The title of the network."""
        return self.analysis.network.title

    @property
    def measure(self) -> Measure:
        """The measure of effect."""
        return MEASURES[self.analysis.network.measure]

    @property
    def level(self) -> str:
        """Level of the intervals."""
        return f"{self.analysis.level:g}%"

    def value(self, value: float) -> str:
        """A value as printed; an absurdly large ratio only as exceeding `BEYOND`."""
        beyond = self.measure.is_ratio and value > BEYOND
        return f"> {BEYOND:,}" if beyond else format_number(value, self.measure.digits)

    def interval(self, low: float, high: float) -> str:
        """Limits as printed; a dash if there are none."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return "–"
        if self.measure.is_ratio and high > BEYOND:
            return f"{self.value(low)} to {self.value(high)}"
        return format_interval(low, high, self.measure.digits)

    def row(self, label: str, ends: Sequence[float], **texts: str) -> Row:
        """A row of a forest plot, from an estimate and its limits."""
        result = "not estimable"
        if math.isfinite(ends[0]):
            result = f"{self.value(ends[0])} ({self.interval(*ends[1:])})"
        drawn = self.measure.scale.to_analysis(ends).tolist()
        return Row("pooled", {"label": label, "result": result, **texts}, *drawn)

    def forest(
        self,
        what: str,
        rows: Sequence[Row],
        columns: Sequence[Column],
        favours: tuple[str, str],
        description: str,
        **words: Any,
    ) -> Page:
        """A forest plot, with labels for what either side favours.

        `columns` are those other than the result; the description continues after the title.
        """
        title, measure = f"{self.title}, {what}", self.measure
        result = Column("result", f"{measure.title}\n({self.level} interval)", "right", "right")
        fewer = self.analysis.network.fewer_is_better
        described = Forest(
            title,
            tuple(sorted([result, *columns], key=attrgetter("side"))),
            tuple(rows),
            comparison_axis(measure.name, favours, fewer, measure.title),
            description=f"Forest plot. {title}, {description}",
            **words,
        )
        return layout(described, self.style)

    def partly_stated(self, codes: Collection[str]) -> tuple[str, ...]:
        """What ``+`` after a number of patients means, if one of these regimens has it."""
        nodes = self.tables["nodes"]
        partly = (nodes["patients"] > 0) & (nodes["unstated"] > 0)
        return (PARTLY,) if nodes.loc[partly, "code"].isin(codes).any() else ()

    def by_widest_report(self) -> tuple[str, ...]:
        """The trials of which a report of fewer regimens, perhaps a later one, is set aside."""
        aside = self.analysis.evidence.set_aside
        trials = aside.loc[aside["reason"].str.startswith(WIDER), "trial"].unique()
        words = "the report that compares most regimens; a pairwise analysis may use another."
        return (f"{listing(sorted(trials))}: {words}",) if len(trials) else ()

    def overridden(self) -> Iterator[str]:
        """Trials and arms used here that are excluded from pairwise analyses, with the reason."""
        used = self.analysis.evidence.used
        used = used[used["exclusion_overridden"] != ""]
        for row in records(used.drop_duplicates(["trial_id", "exclusion_overridden"])):
            said = f"{row['trial']} is used here; a pairwise analysis of this outcome excludes it: "
            sides = ("regimen", "code"), ("against", "against_code")
            if own := [row[code] for regimen, code in sides if is_own_node(row[regimen])]:
                one = len(own) == 1
                are, them = ("is a separate node", "it") if one else ("are separate nodes", "them")
                said = f"{listing(own)} {are} here; other analyses exclude {them}: "
            yield f"{said}{row['exclusion_overridden']}"

    def untested(self) -> tuple[str, ...]:
        """That inconsistency cannot be tested, if it cannot."""
        return () if any(part.has_loop for part in self.analysis.parts) else (NO_LOOP,)

    def codes(self) -> str:
        """The abbreviations used in the codes of treatments, spelled out."""
        held, evidence = self.held, self.analysis.evidence
        words = [
            explained(short, self.component(component), evidence.spelled.get(component, ""))
            for component, short in evidence.abbreviations.items()
            if component in held
        ]
        words += ["seq: agents in sequence"] if SEQUENCE in held else []
        for node in self.analysis.nodes.values():
            if " " in node.code and "+" in node.code:
                words.append(f"{node.code}: {lower_first(node.label)}")
        return f"{'; '.join(words)}."

    def component(self, name: str) -> str:
        """Display name of a component, or of several in an interaction."""
        words = component_labels(self.analysis.evidence.labels)
        return " × ".join(words.get(part, part) for part in name.split(TIMES))

    def named(self, sentence: str) -> str:
        """A sentence with ids of components replaced by their display names."""
        names = {component: self.component(component) for component in self.held}
        return with_labels(sentence, names).replace(TIMES, " × ")


def interval_columns(models: Sequence[NetworkModel]) -> list[Column]:
    """Columns of further intervals; on a narrow page the last one makes way first."""
    return [
        Column(model.name, interval_heading(model), "right", "right", priority)
        for priority, model in enumerate(models, start=1)
    ]


def intervals(net: ShownNetwork, parts: Collection[int] = (), where: str = "") -> Iterator[str]:
    """Which intervals are shown first, in all or some parts: one sentence for parts alike."""
    alike: dict[str, list[str]] = {}
    for part in net.analysis.parts:
        if not parts or part.number in parts:
            words = interval_words(part.leading, part.fit.heterogeneity.df)
            alike.setdefault(words, []).append(str(part.number))
    for words, numbers in alike.items():
        some = f" of part{'s' if len(numbers) > 1 else ''} {listing(numbers)}"
        yield f"Intervals{where}{some if len(alike) > 1 else ''}: {words}."
