"""``make changes``: the sheet as it stands against an earlier revision of it."""

import math
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pandas as pd

from trial_evidence.changes.compare import EstimateChange, estimate_changes
from trial_evidence.changes.networks import NetworkChanges, Side, network_changes
from trial_evidence.changes.page import ChangesPage, as_forest, as_html, as_markdown
from trial_evidence.config.configuration import Configuration, read_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.extract.evidence import SettingEvidence, extract_setting
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.figures.forests.layout import layout
from trial_evidence.files import records, write_text
from trial_evidence.sheet import Dictionary, Sheet, SheetError, Table, load_sheet
from trial_evidence.sheet.adjudication import apply_adjudications
from trial_evidence.sheet.cells import RawTable, read_cells
from trial_evidence.words.errors import RequestError
from trial_evidence.workbook.difference import in_words, table_difference


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
        As they stand now.
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
    with tempfile.TemporaryDirectory() as folder:
        name, (old_raw, old_config) = _export(since, (raw, config), Path(folder))
        before = {t.name: _cells(old_raw, t) for t in dictionary.tables.values()}
        after = {t.name: _cells(raw, t) for t in dictionary.tables.values()}
        rows, touched = _row_changes(before, after)
        remark = network_remark = ""
        changes: tuple[EstimateChange, ...] = ()
        networks = NetworkChanges((), ())
        evidence = _evidence(sheet, configuration)
        now = read_networks(config, configuration)
        _add_new_tables(old_raw, dictionary)
        try:
            old_configuration = read_configuration(old_config)
            old_sheet = apply_adjudications(load_sheet(old_raw, dictionary)[0], dictionary)
        except SheetError as error:
            remark = (
                f"Estimates are not compared: the sheet of {name} does not pass today's check "
                f"({error.problems[0].line()})"
            )
        else:
            earlier = _evidence(old_sheet, old_configuration)
            changes = estimate_changes(earlier, evidence, (old_configuration, configuration))
            try:
                then = read_networks(old_config, old_configuration)
            except SheetError as error:
                network_remark = (
                    f"Networks are not compared: those of {name} do not pass today's check "
                    f"({error.problems[0].line()})"
                )
            else:
                networks = network_changes(
                    Side(old_sheet, old_configuration, then), Side(sheet, configuration, now)
                )
    titles = {(a.setting, a.id): a.title for a in configuration.analyses}
    titles |= {(r.setting, r.id): r.title for r in configuration.rates}
    titles |= {(n.setting, n.id): n.title for n in now.networks}
    users = _users(touched, evidence, networks.used)
    page = ChangesPage(
        name, rows, users, changes, remark, titles, networks.estimates, network_remark,
        configuration.confidence_level,
    )  # fmt: skip
    text = as_markdown(page)
    forest = as_forest(page)
    drawn = {} if forest is None else {"changes": layout(forest, style_for(180.0))}
    publish(drawn, results, ("svg", "png"), own=("changes.svg", "changes.png"))
    drawing = (results / "changes.svg").read_text(encoding="utf-8") if drawn else ""
    write_text(results / "changes.md", text)
    write_text(results / "changes.html", as_html(page, drawing))
    return text


def _export(since: str, folders: tuple[Path, ...], into: Path) -> tuple[str, tuple[Path, ...]]:
    """Unpack the folders as they stood in a revision; its short name and date, and where."""
    top = Path(_git("rev-parse", "--show-toplevel").decode().removesuffix("\n"))
    try:
        commit = _git("rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}")
    except RequestError:
        raise RequestError(f'git knows no revision "{since}".') from None
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
        raise RequestError(f"git cannot give an earlier revision of the sheet: {said}")
    return done.stdout


def _cells(folder: Path, table: Table) -> RawTable | None:
    path = folder / table.file
    return read_cells(table, path.read_bytes() if path.is_file() else None)[0]


def _row_changes(
    before: Mapping[str, RawTable | None], after: Mapping[str, RawTable | None]
) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """The differences in words, and the rows (of today's sheet) that were added or changed."""
    lines: list[str] = []
    touched: list[tuple[str, int]] = []
    for name, new in after.items():
        old = before.get(name)
        if old is None or new is None:
            if (old is None) != (new is None):
                lines.append(f"{name}: the table is {'new' if old is None else 'gone'}")
            continue
        difference = table_difference(old, new)
        lines += in_words(difference)
        touched += [(name, row.number) for _, row in difference.changed]
        touched += [(name, row.number) for row in difference.added]
    return tuple(lines), tuple(touched)


def _users(
    touched: tuple[tuple[str, int], ...],
    evidence: Mapping[str, SettingEvidence],
    networks: tuple[pd.DataFrame, ...],
) -> tuple[str, ...]:
    """Which analyses and networks use the rows that were added or changed."""
    users: dict[tuple[str, int], dict[str, None]] = {}
    for setting, found in evidence.items():
        for table in (found.used, found.rates):
            for record in records(table):
                source = "hazard_ratios" if record["measure"] == "hazard_ratio" else "pcr"
                for row in str(record["rows"]).split(";"):
                    names = users.setdefault((source, int(row)), {})
                    names[f"{setting}/{record['analysis']}"] = None
    for table in networks:
        for record in records(table):
            source = "pcr" if math.isnan(record["hr"]) else "hazard_ratios"
            for row in record["rows"].split(";"):
                names = users.setdefault((source, int(row)), {})
                names[f"{record['setting']}/{record['network']}"] = None
    return tuple(
        f"{table}.csv row {row} is used by {', '.join(users[(table, row)])}"
        if (table, row) in users
        else f"{table}.csv row {row} is used by no analysis (make explain ROW={table}:{row})"
        for table, row in touched
        if table in ("pcr", "hazard_ratios")
    )


def _evidence(sheet: Sheet, configuration: Configuration) -> dict[str, SettingEvidence]:
    return {s: extract_setting(sheet, configuration, s) for s in configuration.settings}
