"""``make changes``: the current sheet compared with an earlier revision."""

import html
from dataclasses import replace
from pathlib import Path

from trial_evidence.changes.compare import EstimateChange, estimate_changes
from trial_evidence.changes.configured import configuration_difference
from trial_evidence.changes.networks import NetworkChanges, Side, network_changes
from trial_evidence.changes.page import NOTHING, Section, as_forest, moved
from trial_evidence.changes.revision import (
    Revision,
    SheetDifference,
    add_new_tables,
    sheet_difference,
    unpacked,
)
from trial_evidence.changes.verdicts import changed_judgements, networks_in_question
from trial_evidence.config.configuration import Configuration, read_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.config.reports import read_report_configuration
from trial_evidence.extract.context import tables_of
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.figures.forests.layout import layout
from trial_evidence.files import records, write_text
from trial_evidence.sheet import Dictionary, Sheet, load_sheet
from trial_evidence.sheet.adjudication import apply_adjudications
from trial_evidence.words.pages import filled
from trial_evidence.words.problems import SheetError

# Table and row of the sheet.
Place = tuple[str, int]


def write_changes(
    since: str,
    sheet: Sheet,
    configuration: Configuration,
    dictionary: Dictionary,
    raw: Path,
    config: Path,
    results: Path,
) -> str:
    """Compare the sheet with a revision and write ``changes.md``, ``.html`` and a figure.

    Parameters
    ----------
    since : str
        A git revision.
    sheet, configuration : Sheet, Configuration
        The current ones.
    raw, config, results : Path
        Folders of the sheet, the configuration and the results.

    Returns
    -------
    str
        The page in Markdown.

    Raises
    ------
    RequestError
        If the revision does not exist.
    """
    now = _side(sheet, configuration, config)
    remark = ""
    notes: list[str] = []
    matters: list[str] = []
    changes: tuple[EstimateChange, ...] = ()
    networks = NetworkChanges()
    before = now
    titles = _titles(now)
    with unpacked(since, raw, config) as then:
        name = then.name
        difference = sheet_difference(then.raw, raw, dictionary)
        settings = configuration_difference(then.config, config)
        add_new_tables(then.raw, dictionary)
        try:
            old = apply_adjudications(load_sheet(then.raw, dictionary)[0], dictionary)
        except SheetError as error:
            remark = f"Estimates are not compared: the sheet of {name} {_not_passed(error)}"
        else:
            before, notes = _earlier(old, then, now)
            # Analyses that no longer exist keep their old titles.
            titles = _titles(before) | titles
            sides = (before, now)
            configurations = (before.configuration, configuration)
            changes = estimate_changes(before.evidence, now.evidence, configurations)
            judged_anew = networks_in_question(sides, difference)
            networks = network_changes(before, now, judged_anew)
            matters = [
                *changed_judgements(sides, difference, changes, networks, titles),
                *moved(changes, networks.estimates, configurations, titles),
            ]
    shared = (titles, _level(before.configuration, configuration))
    first = Section("Estimates", "Analysis", changes, *shared, remark or "No estimate differs.")
    second = Section("Networks", "Network", networks.estimates, *shared, "")
    content = {
        "since": name,
        "notes": notes,
        "matters": matters or [remark or NOTHING],
        "settings": settings,
        "rows": difference.in_lines(rows=True),
        "users": _users(difference, now),
        "sections": [first, second] if second.estimates else [first],
    }
    text = filled("changes.md.j2", lambda cell: cell.replace("|", "\\|"), **content)
    forest = as_forest(name, first)
    drawn = {} if forest is None else {"changes": layout(forest, style_for(180.0))}
    publish(drawn, results, ("svg", "png"), own=("changes.svg", "changes.png"))
    figure = (results / "changes.svg").read_text(encoding="utf-8") if drawn else ""
    write_text(results / "changes.md", text)
    page = filled("changes.html.j2", html.escape, **content, figure=figure[figure.find("<svg") :])
    write_text(results / "changes.html", page)
    return text


def _titles(side: Side) -> dict[tuple[str, str], str]:
    asked = side.configuration
    entries = (*asked.analyses, *asked.rates, *side.networks.networks)
    titles = {(entry.setting, entry.id): entry.title for entry in entries}
    return titles | {(entry.setting, entry.id): entry.title for entry in side.networks.surrogacy}


def _level(before: Configuration, after: Configuration) -> str:
    """The confidence level of the intervals in words."""
    was, now = (f"{side.confidence_level:g}%" for side in (before, after))
    return now if was == now else f"{was}, now {now}"


def _side(sheet: Sheet, configuration: Configuration, config: Path) -> Side:
    networks = read_networks(config, configuration)
    report = read_report_configuration(config, configuration, networks)
    return Side(sheet, configuration, networks, report)


def _earlier(sheet: Sheet, then: Revision, now: Side) -> tuple[Side, list[str]]:
    """The earlier sheet with its own configuration, or with today's if that fails the check.

    In the second case, a note says that only the sheet is compared.
    """
    try:
        return _side(sheet, read_configuration(then.config), then.config), []
    except SheetError as error:
        note = (
            f"The configuration of {then.name} {_not_passed(error)}. Its sheet is therefore "
            "compared under today's configuration: every difference comes from the sheet."
        )
    return replace(now, sheet=sheet), [note]


def _not_passed(error: SheetError) -> str:
    return f"does not pass today's check ({error.problems[0].line()})"


def _users(difference: SheetDifference, now: Side) -> tuple[str, ...]:
    """The analyses and networks that use each added or changed row, in words."""
    tables = tables_of(now.configuration)
    tables |= {(network.setting, network.id): network.table for network in now.networks.networks}
    frames = [table for found in now.evidence.values() for table in (found.used, found.rates)]
    frames += [
        of.used.rename(columns={"network": "analysis"})
        for networks in now.evidence_of_networks.values()
        for of in networks.values()
    ]
    users: dict[Place, dict[str, None]] = {}
    for use in (row for frame in frames for row in records(frame)):
        setting, analysis = use["setting"], use["analysis"]
        for row in str(use["rows"]).split(";"):
            place = (tables[setting, analysis], int(row))
            users.setdefault(place, {})[f"{setting}/{analysis}"] = None
    # Row numbers of today's sheet.
    touched = [
        (name, row.number)
        for name, table in difference.tables.items()
        for row in (*(new for _, new in table.changed), *table.added)
    ]
    # Absolute effects in the report start from these tables.
    risks = now.sheet.of_kind("rates")
    return tuple(
        f"{table}.csv row {row} is used by {', '.join(users[table, row])}"
        if (table, row) in users
        else f"{table}.csv row {row} is used by no analysis"
        + (", but absolute effects may start from it" if table in risks else "")
        + f" (make explain ROW={table}:{row})"
        for table, row in touched
        if table in now.sheet.results
    )
