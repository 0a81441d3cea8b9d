"""The inputs of the report: configuration, sheet, and all outputs of the earlier stages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ControlRisk, ReportConfiguration
from trial_evidence.extract.context import trial_label
from trial_evidence.extract.regimens import agent_labels, spelled_out, with_labels
from trial_evidence.files import Record, read_table, records, where
from trial_evidence.kept import PARTS, Parts
from trial_evidence.pool.columns import ESTIMATE_NUMBERS, POOLED_RATE_NUMBERS, TRIAL_NUMBERS
from trial_evidence.pool.shown import shown_estimates
from trial_evidence.report.trail.evidence import Evidence, pools_of_trials, read_network_tables
from trial_evidence.report.words.abbreviations import abbreviations
from trial_evidence.report.words.formats import FORMATS, Column, Format, cell
from trial_evidence.report.words.templates import declared
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import read_by_two
from trial_evidence.sheet.values import PRIMARY
from trial_evidence.words import printed
from trial_evidence.words.errors import RequestError

# Joins source ids: two arms of a trial may have been read in two sources.
JOINED = " / "
# Subfolder of the cached parts of the page.
PAGE = "page"
NO_NETWORKS = NetworkConfiguration({}, {}, (), (), ())
# Table of the sensitivity stage -> its numeric columns that the report reads.
SENSITIVITY_NUMBERS: Mapping[str, list[str]] = {
    "methods": ["estimate"],
    "leave_one_out": ["estimate", "ci_low", "ci_high"],
    "cumulative": ["k", "estimate", "ci_low", "ci_high", "ci_level", "year"],
    "influence": ["cook_distance"],
    "small_study": ["p_value"],
    "control_risk": ["control_risk", "p_value", "difference", "difference_low", "difference_high"],
    "effect_modifiers": ["k", "estimate", "ci_low", "ci_high", "ci_level", "p_value"],
    "what_would_change": [
        "k", "estimate", "ci_low", "ci_high", "ci_level", "control_risk", "smallest_trial",
        "largest_considered", "required", "required_adjusted", "present", "share_reached",
    ],
    "multiverse_summary": [
        "specifications", "lowest_estimate", "highest_estimate", "share_excluding_no_effect",
        "share_below", "share_above",
    ],
}  # fmt: skip
# Tests of small-study effects; the test for excess significance is reported elsewhere.
_SMALL_STUDY_TESTS = ["egger", "harbord", "peters"]


@dataclass(frozen=True)
class ReportTable:
    """A table as a reader sees it, and as a program reads it.

    A tidy frame (one row per result) and declared columns (:mod:`.formats`), which say what is
    printed under each heading. CSV, workbook, document and page all render the same table.

    Attributes
    ----------
    name : str
        Stem of its files in results/tables, and name of its sheet in the workbook.
    title : str
        The caption, without a number.
    frame : DataFrame
        The printed table: columns are headings, cells are text, ``""`` for an empty cell.
    notes : tuple of str
        Footnotes, one or more sentences each.
    data : DataFrame
        The same rows in the same order for machines: full precision, ids, links (``doi``,
        ``pmid``, ``nct``) in columns of their own.
    grouped : int
        Number of columns on the left that are grey in Word where they repeat the row above.
    """

    name: str
    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...]
    data: pd.DataFrame
    grouped: int = 0


def report_table(
    name: str,
    title: str,
    rows: Iterable[Record],
    columns: Sequence[Column],
    keys: Sequence[str],
    notes: Iterable[str] = (),
    formats: Mapping[str, Format] = FORMATS,
    grouped: int = 0,
) -> ReportTable:
    """A table from its rows; without rows, it still has its columns.

    `columns` are the printed columns and `keys` the columns of ``data``, both in order.
    """
    rows = list(rows)
    frame = pd.DataFrame(
        [[cell(formats, row, column) for column in columns] for row in rows],
        columns=[column[0] for column in columns],
    )
    data = pd.DataFrame([[row[key] for key in keys] for row in rows], columns=list(keys))
    return ReportTable(name, title, frame.astype(str), tuple(notes), data, grouped)


@dataclass(frozen=True)
class Material:
    """Everything the report reads.

    Attributes
    ----------
    evidence : Evidence
        All settings.
    sensitivity : mapping of str to DataFrame
        Table of the sensitivity stage -> its rows, all settings.
    results : Path
        Folder of the results, for the tables that a claim names.
    parts : Parts
        Cached parts of the page and of documents from earlier runs.
    networks : NetworkConfiguration
        The networks that the report shows.
    """

    configuration: Configuration
    report: ReportConfiguration
    sheet: Sheet
    evidence: Evidence
    sensitivity: Mapping[str, pd.DataFrame]
    results: Path
    parts: Parts
    networks: NetworkConfiguration = NO_NETWORKS

    @cached_property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Source id -> its row of the sheet."""
        return {row["source_id"]: row for row in records(self.sheet["sources"])}

    @cached_property
    def trials(self) -> dict[str, dict[str, Any]]:
        """Trial id -> its row of the sheet."""
        return {row["trial_id"]: row for row in records(self.sheet["trials"])}

    @cached_property
    def arm_labels(self) -> dict[str, str]:
        """Arm id -> its label in the sheet."""
        arms = self.sheet["arms"]
        return dict(zip(arms["arm_id"], arms["label"], strict=True))

    @cached_property
    def reported(self) -> pd.DataFrame:
        """Every result in the sheet, table by table; columns that a table lacks are missing."""
        return pd.concat(self.sheet[name] for name in self.sheet.results)

    @cached_property
    def seen_first_hand(self) -> frozenset[tuple[str, int]]:
        """Table and row of every result that somebody saw in the source itself."""
        tables = {
            name: where(self.sheet[name], verification=PRIMARY) for name in self.sheet.results
        }
        return frozenset((name, int(row)) for name in tables for row in tables[name]["row"])

    @cached_property
    def seen_by_two(self) -> frozenset[tuple[str, int]]:
        """Table and row of every result that two readers agree on, or that was settled."""
        return frozenset(read_by_two(self.sheet))

    @cached_property
    def settings(self) -> dict[str, str]:
        """Setting -> title; settings outside the configuration last, titled by their own words."""
        titles = dict(self.configuration.settings)
        for word in self.sheet["trials"]["setting"]:
            titles.setdefault(word, printed.capital(printed.words(word)))
        return titles

    @cached_property
    def titles(self) -> dict[tuple[str, str], str]:
        """(setting, id) -> title of every analysis, pool of rates and network."""
        parts = (self.configuration.analyses, self.configuration.rates, self.networks.networks)
        return {(entry.setting, entry.id): entry.title for part in parts for entry in part}

    @cached_property
    def abbreviated(self) -> dict[str, str]:
        """Abbreviation -> words: outcomes, agents with a short name, and those of report.yaml."""
        outcomes, agents = self.configuration.outcomes.values(), self.sheet["agents"]
        short, long = agent_labels(agents), spelled_out(agents)
        return {
            **{o.label: o.words for o in outcomes if o.words and " " not in o.label},
            **{short[agent]: printed.lower_first(words) for agent, words in long.items()},
            **self.report.abbreviations,
        }

    @cached_property
    def control_risk_rules(self) -> dict[tuple[str, str], ControlRisk]:
        """(setting, id) of an analysis -> where its control risks come from, if configured."""
        return {(rule.setting, rule.analysis): rule for rule in self.report.control_risks}

    @cached_property
    def first_measures(self) -> dict[tuple[str, str], str]:
        """(setting, id) -> the first measure of an analysis, or that of a pool of rates."""
        rates = {(r.setting, r.id): "proportion" for r in self.configuration.rates}
        return {(a.setting, a.id): a.measures[0] for a in self.configuration.analyses} | rates

    def agents_named(self, text: str) -> str:
        """A text of the sheet with agents replaced by their labels: ``added_agents=A-X``."""
        return with_labels(text, agent_labels(self.sheet["agents"]))

    def trial_name(self, trial_id: str) -> str:
        """Name of a trial without any addition in brackets."""
        return trial_label(self.trials[trial_id]["name"])

    def study_name(self, study_id: str, source_id: str) -> str:
        """Name of a trial; for any other study, its citation."""
        if study_id in self.trials:
            return self.trial_name(study_id)
        return self.cited(source_id) or study_id.replace("_", " ")

    def cited(self, cell: str) -> str:
        """Short citations of the sources of a row."""
        return "; ".join(citation(self.sources[k]) for k in source_ids(cell) if k in self.sources)

    def front(self) -> tuple[Analysis, ...]:
        """The analyses that answer the question: those that pool all their trials."""
        return self.configuration.answers

    @property
    def worthwhile_ratio(self) -> float:
        """The smallest clinically relevant ratio above 1; below 1, its reciprocal."""
        return self.configuration.sensitivity.required_information.ratio

    def analysis(self, setting: str, name: str) -> Analysis:
        """An analysis by its setting and id."""
        return next(a for a in self.configuration.of_setting(setting) if a.id == name)

    def surrogate_for(self, analysis: Analysis) -> tuple[str, ...]:
        """The endpoints, worded for a sentence, for which the outcome is a surrogate."""
        networks = {(network.setting, network.id): network for network in self.networks.networks}
        return tuple(
            networks[pair.setting, pair.endpoint].outcomes[0].in_words
            for pair in self.networks.surrogacy
            if pair.setting == analysis.setting
            and analysis.endpoints[0] in networks[pair.setting, pair.surrogate].endpoints
        )

    def about(self, table: pd.DataFrame, analysis: Analysis, **values: str) -> pd.DataFrame:
        """Rows of a table of results on an analysis, in its first measure."""
        place = {"setting": analysis.setting, "analysis": analysis.id}
        return where(table, **place, measure=analysis.measures[0], **values)

    def leads(self, analysis: Analysis) -> list[dict[str, Any]]:
        """The leading estimate in all patients, then the co-primary one; empty without trials."""
        place = analysis.setting, analysis.id, analysis.measures[0]
        return [dict(row) for row in self._leads.get(place, ())]

    @cached_property
    def _leads(self) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for row in by_rank(where(self.evidence.estimates, subgroup="all")):
            place = row["setting"], row["analysis"], row["measure"]
            found.setdefault(place, []).append(row)
        return found

    def lead(self, analysis: Analysis) -> dict[str, Any] | None:
        """The leading estimate of an analysis in all patients; None without trials."""
        return next(iter(self.leads(analysis)), None)

    @cached_property
    def pools(self) -> tuple[tuple[Analysis | RateAnalysis, Record, pd.DataFrame], ...]:
        """See `pools_of_trials`."""
        return tuple(pools_of_trials(self.configuration, self.evidence))

    def pooled_trials(self, analysis: Analysis) -> pd.DataFrame:
        """The trials behind the leading estimate, one per row, with their ``share`` of weight."""
        rows = self.about(self.evidence.trials, analysis, subgroup="all", pooled="yes")
        weights = rows["weight"].fillna(1.0)
        return rows.assign(share=weights / weights.sum())

    def of(self, table: str, analysis: Analysis) -> pd.DataFrame:
        """Rows of a sensitivity table on an analysis, in its first measure."""
        return self.about(self.sensitivity[table], analysis)

    def small_study_tests(self, analysis: Analysis) -> list[dict[str, Any]]:
        """The tests of small-study effects that could be done."""
        rows = self.of("small_study", analysis).dropna(subset=["p_value"])
        return records(rows[rows["test"].isin(_SMALL_STUDY_TESTS)])

    def as_first_measure(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of a table of results in the first measure of their analysis."""
        places = zip(table["setting"], table["analysis"], table["measure"], strict=True)
        return table.loc[[self.first_measures[s, a] == measure for s, a, measure in places]]

    def table(
        self,
        name: str,
        rows: Iterable[Record],
        formats: Mapping[str, Format] = MappingProxyType({}),
        notes: Iterable[str] = (),
        **facts: Any,
    ) -> ReportTable:
        """A table declared in workflow/report/tables.yaml, with these facts filled into its notes.

        Names and links are added to the rows (see `named`). `formats` are the table's own, `notes`
        follow those of the file. The last note explains the abbreviations in the cells.
        """
        declaration = declared("tables")[name]
        rows, known = map(self.named, rows), {**FORMATS, **formats}
        notes = (*(note.format(**facts) for note in declaration.get("notes", ())), *notes)
        grouped = declaration.get("grouped", 0)
        columns, keys = declaration["columns"], declaration["keys"]
        table = report_table(name, declaration["title"], rows, columns, keys, notes, known, grouped)
        explained = abbreviations(table.frame.to_numpy().ravel(), self.abbreviated)
        return replace(table, notes=(*table.notes, explained)) if explained else table

    def named(self, row: Record) -> dict[str, Any]:
        """A row with names and links for the ids that it has.

        Adds ``setting_name``; ``title`` of the analysis; ``nct`` of the trial; ``source``
        (citations), ``doi`` and ``pmid`` of its sources, joined by ``; ``.
        """
        place = row.get("setting", ""), row.get("analysis", "")
        trial = self.trials.get(row.get("trial_id") or row.get("study_id", ""), {"nct": ""})
        found = [self.sources[key] for key in source_ids(row.get("source_id", ""))]
        return {
            "setting_name": self.settings.get(place[0], ""),
            "title": self.titles.get(place, ""),
            "nct": trial["nct"],
            "source": "; ".join(citation(source) for source in found),
            "doi": "; ".join(filter(None, (source["doi"] for source in found))),
            "pmid": "; ".join(filter(None, (source["pmid"] for source in found))),
            **row,
        }


def of_pool(table: pd.DataFrame, pool: Analysis | RateAnalysis) -> pd.DataFrame:
    """Rows of a table on an analysis or a pool of rates."""
    return where(table, setting=pool.setting, analysis=pool.id)


def by_rank(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the leading model, then of the co-primary one, without those of other models."""
    rows = records(table[table["role"].isin(["lead", "co-primary"])])
    return sorted(rows, key=lambda row: str(row["role"]), reverse=True)


def read_evidence(configuration: Configuration, processed: Path, results: Path) -> Evidence:
    """Read the outputs of the earlier stages, all settings together.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    RequestError
        If the results contain analyses that are not in the configuration.
    """
    estimates = all_settings(configuration, results, "estimates", ESTIMATE_NUMBERS)
    known = {(p.setting, p.id) for p in (*configuration.analyses, *configuration.rates)}
    pooled = dict.fromkeys(zip(estimates["setting"], estimates["analysis"], strict=True))
    if others := [
        f"{name} ({setting})" for setting, name in pooled if (setting, name) not in known
    ]:
        raise RequestError(
            f"The results in {results} are of another configuration: {', '.join(others)} is not in "
            "config/analyses.yaml. Run `make` first."
        )
    return Evidence(
        contrasts=all_settings(configuration, processed, "contrasts", []),
        set_aside=all_settings(configuration, processed, "set_aside", []),
        trials=all_settings(configuration, results, "trials", TRIAL_NUMBERS),
        rates=all_settings(configuration, results, "rates", POOLED_RATE_NUMBERS),
        estimates=shown_estimates(estimates, configuration.pooling),
        networks=read_network_tables(configuration.settings, results),
    )


def read_material(
    configuration: Configuration,
    report: ReportConfiguration,
    sheet: Sheet,
    processed: Path,
    results: Path,
    networks: NetworkConfiguration = NO_NETWORKS,
) -> Material:
    """Read the inputs of the report; `processed` and `results` hold the outputs of the stages.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    evidence = read_evidence(configuration, processed, results)
    sensitivity = {
        name: all_settings(configuration, results, f"sensitivity/{name}", numbers)
        for name, numbers in SENSITIVITY_NUMBERS.items()
    }
    parts = Parts(processed / PARTS / PAGE)
    return Material(configuration, report, sheet, evidence, sensitivity, results, parts, networks)


def all_settings(
    configuration: Configuration, folder: Path, name: str, numbers: list[str]
) -> pd.DataFrame:
    """One table of all settings, read from ``<setting>/<name>.csv`` in the folder."""
    tables = [
        read_table(folder / setting / f"{name}.csv", numbers) for setting in configuration.settings
    ]
    return pd.concat(tables, ignore_index=True)


def source_ids(cell: str) -> Iterator[str]:
    """The source ids in a cell, which may join those of two arms."""
    yield from filter(None, dict.fromkeys(cell.split(JOINED)))


def citation(source: Record) -> str:
    """A short citation: author, year, journal, as far as the sheet has them."""
    who = " ".join(filter(None, [source["first_author"], printed.whole(source["year"])]))
    return ", ".join(filter(None, [who, source["journal"] or source["title_short"]]))
