"""``make changes``: the sheet as it stands against an earlier revision of it."""

import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from trial_evidence.changes.compare import EstimateChange, estimate_changes
from trial_evidence.changes.networks import NetworkChanges, Side, network_changes
from trial_evidence.changes.page import ChangesPage, Section, as_forest, as_html, as_markdown
from trial_evidence.config.configuration import Configuration, read_configuration
from trial_evidence.config.networks import NetworkConfiguration, read_networks
from trial_evidence.extract.context import tables_of
from trial_evidence.extract.evidence import SettingEvidence, extract_setting
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.figures.forests.layout import layout
from trial_evidence.files import records, write_text
from trial_evidence.network.evidence.rows import NetworkEvidence
from trial_evidence.sheet import Dictionary, Sheet, SheetError, load_sheet
from trial_evidence.sheet.adjudication import apply_adjudications
from trial_evidence.sheet.cells import RawTable, read_cells
from trial_evidence.words.errors import RequestError
from trial_evidence.workbook.difference import in_words, table_difference

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
        A revision that git knows.
    sheet, configuration : Sheet, Configuration
        As they are now.
    dictionary : Dictionary
    raw, config, results : Path
        Folders of the sheet, the configuration and the results.

    Returns
    -------
    str
        The page in Markdown.

    Raises
    ------
    RequestError
        If there is no such revision; the message says so.
    """
    now = Side(sheet, configuration, read_networks(config, configuration))
    evidence = _evidence(now)
    remark = network_remark = ""
    changes: tuple[EstimateChange, ...] = ()
    networks = NetworkChanges()
    with tempfile.TemporaryDirectory() as folder:
        name, (old_raw, old_config) = _export(since, (raw, config), Path(folder))
        rows, touched = _row_changes(*(_cells(place, dictionary) for place in (old_raw, raw)))
        _add_new_tables(old_raw, dictionary)
        try:
            old = read_configuration(old_config)
            then = Side(
                apply_adjudications(load_sheet(old_raw, dictionary)[0], dictionary),
                old,
                NetworkConfiguration({}, {}, (), (), ()),
            )
        except SheetError as error:
            remark = _not_compared("Estimates are not compared: the sheet", name, "does", error)
        else:
            changes = estimate_changes(_evidence(then), evidence, (old, configuration))
            try:
                networks = network_changes(
                    replace(then, networks=read_networks(old_config, old)), now
                )
            except SheetError as error:
                network_remark = _not_compared(
                    "Networks are not compared: those", name, "do", error
                )
    titles = {(a.setting, a.id): a.title for a in configuration.analyses}
    titles |= {(r.setting, r.id): r.title for r in configuration.rates}
    titles |= {(n.setting, n.id): n.title for n in now.networks.networks}
    page = ChangesPage(
        name,
        rows,
        _users(touched, evidence, networks.evidence, now),
        titles,
        configuration.confidence_level,
        Section("Estimates", "Analysis", changes, remark),
        Section("Networks", "Network", networks.estimates, network_remark),
    )
    text = as_markdown(page)
    forest = as_forest(page)
    drawn = {} if forest is None else {"changes": layout(forest, style_for(180.0))}
    publish(drawn, results, ("svg", "png"), own=("changes.svg", "changes.png"))
    drawing = (results / "changes.svg").read_text(encoding="utf-8") if drawn else ""
    write_text(results / "changes.md", text)
    write_text(results / "changes.html", as_html(page, drawing))
    return text


def _not_compared(what: str, name: str, verb: str, error: SheetError) -> str:
    line = error.problems[0].line()
    return f"{what} of {name} {verb} not pass today's check ({line})"


def _export(since: str, folders: tuple[Path, ...], into: Path) -> tuple[str, tuple[Path, ...]]:
    """Unpack the folders as they stood in a revision; its short name and date, and where."""
    top = Path(_git("rev-parse", "--show-toplevel").decode().removesuffix("\n"))
    try:
        commit = _git("rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}")
    except RequestError:
        raise RequestError(f'git does not know the revision "{since}".') from None
    revision = commit.decode().strip()
    # Counted from the top, no folder lands outside the place where they are unpacked.
    inside = [folder.resolve() for folder in folders]
    for folder in inside:
        if not folder.is_relative_to(top.resolve()):
            raise RequestError(f"{folder} is not in the git repository {top}.")
    wanted = [folder.relative_to(top.resolve()).as_posix() for folder in inside]
    described = _git("log", "-1", "--format=%h of %cs", revision, "--")
    listed = _git("-C", str(top), "ls-tree", "-z", "--name-only", revision, "--", *wanted)
    held = listed.decode().split("\0")[:-1]
    if held:
        archive = _git("-C", str(top), "archive", "--format=tar", revision, "--", *held)
        with tarfile.open(fileobj=BytesIO(archive)) as content:
            content.extractall(into, filter="data")
    return described.decode().strip(), tuple(into / folder for folder in wanted)


def _add_new_tables(raw: Path, dictionary: Dictionary) -> None:
    """Tables that a revision did not have yet stand empty beside the others."""
    for table in dictionary.tables.values():
        if not (raw / table.file).exists():
            write_text(raw / table.file, ",".join(table.columns) + "\n")


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise RequestError(f"git cannot read an earlier revision of the sheet: {said}")
    return done.stdout


def _cells(folder: Path, dictionary: Dictionary) -> dict[str, RawTable | None]:
    cells: dict[str, RawTable | None] = {}
    for table in dictionary.tables.values():
        path = folder / table.file
        cells[table.name] = read_cells(table, path.read_bytes() if path.is_file() else None)[0]
    return cells


def _row_changes(
    before: Mapping[str, RawTable | None], after: Mapping[str, RawTable | None]
) -> tuple[tuple[str, ...], tuple[Place, ...]]:
    """The differences in words, and the rows (of today's sheet) that were added or changed."""
    lines: list[str] = []
    touched: list[Place] = []
    for name, new in after.items():
        old = before.get(name)
        if old is None or new is None:
            if (old is None) != (new is None):
                lines.append(f"{name}: the table was {'added' if old is None else 'removed'}")
            continue
        difference = table_difference(old, new)
        lines += in_words(difference)
        rows = [*(row for _, row in difference.changed), *difference.added]
        touched += [(name, row.number) for row in rows]
    return tuple(lines), tuple(touched)


def _users(
    touched: tuple[Place, ...],
    evidence: Mapping[str, SettingEvidence],
    networks: tuple[NetworkEvidence, ...],
    now: Side,
) -> tuple[str, ...]:
    """Which analyses and networks use the rows that were added or changed."""
    tables = tables_of(now.configuration)
    uses = [
        (tables[setting, record["analysis"]], f"{setting}/{record['analysis']}", record["rows"])
        for setting, found in evidence.items()
        for table in (found.used, found.rates)
        for record in records(table)
    ]
    uses += [
        (of.network.table, f"{of.network.setting}/{of.network.id}", record["rows"])
        for of in networks
        for record in records(of.used)
    ]
    users: dict[Place, dict[str, None]] = {}
    for table, name, rows in uses:
        for row in str(rows).split(";"):
            users.setdefault((table, int(row)), {})[name] = None
    return tuple(
        f"{table}.csv row {row} is used by {', '.join(users[table, row])}"
        if (table, row) in users
        else f"{table}.csv row {row} is used by no analysis (make explain ROW={table}:{row})"
        for table, row in touched
        if table in now.sheet.results
    )


def _evidence(side: Side) -> dict[str, SettingEvidence]:
    settings = side.configuration.settings
    return {s: extract_setting(side.sheet, side.configuration, s) for s in settings}
