"""An earlier revision of sheet and configuration, and how its rows differ from the current ones."""

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from trial_evidence.changes.configured import configuration_difference
from trial_evidence.files import write_text
from trial_evidence.sheet import Dictionary
from trial_evidence.sheet.cells import read_cells
from trial_evidence.words.errors import RequestError
from trial_evidence.workbook.difference import TableDifference, in_words, table_difference


@dataclass(frozen=True)
class Revision:
    """The folders of sheet and configuration in a revision.

    Attributes
    ----------
    name : str
        Short hash and date.
    raw, config : Path
        The unpacked folders; tables that did not exist in the revision are missing.
    """

    name: str
    raw: Path
    config: Path


@dataclass(frozen=True)
class SheetDifference:
    """How the rows of two versions of a sheet differ.

    Attributes
    ----------
    tables : mapping of str to TableDifference
        Tables that exist in both versions and differ.
    appeared : mapping of str to bool
        Tables that only one version has -> whether that is the later one.
    """

    tables: Mapping[str, TableDifference]
    appeared: Mapping[str, bool]

    def in_lines(self, *, rows: bool) -> list[str]:
        """Numbers of rows added, changed and removed by table; with ``rows``, also which rows."""
        tables = [in_words(table) for table in self.tables.values()]
        return [line for table in tables for line in (table if rows else table[:1])] + [
            f"{name}: the table was {'added' if later else 'removed'}"
            for name, later in self.appeared.items()
        ]

    def losses(self, raw: Path) -> list[str]:
        """Tables that lost so many rows that it is probably a mistake, and how to restore them."""
        lost = {
            table.table.file: f"{len(table.removed)} of its {table.rows_before} rows"
            for table in self.tables.values()
            if table.loses_many
        }
        lost |= {f"{name}.csv": "every row" for name, later in self.appeared.items() if not later}
        return [
            f"{file} has lost {what}. If nobody meant that, bring the file back as it was: "
            f"git checkout HEAD -- {raw / file}"
            for file, what in lost.items()
        ]


@contextmanager
def unpacked(since: str, raw: Path, config: Path) -> Iterator[Revision]:
    """Unpack the two folders of a revision into a temporary folder.

    Raises
    ------
    RequestError
        If git does not know the revision, or the folders are not in a repository.
    """
    top = _top().resolve()
    try:
        commit = _git("rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}")
    except RequestError:
        raise RequestError(f'git does not know the revision "{since}".') from None
    revision = commit.decode().strip()
    # Paths relative to the top of the repository cannot leave the folder for unpacking.
    inside = [folder.resolve() for folder in (raw, config)]
    for folder in inside:
        if not folder.is_relative_to(top):
            raise RequestError(f"{folder} is not in the git repository {top}.")
    wanted = [folder.relative_to(top).as_posix() for folder in inside]
    described = _git("log", "-1", "--format=%h of %cs", revision, "--")
    listed = _git("-C", str(top), "ls-tree", "-z", "--name-only", revision, "--", *wanted)
    held = listed.decode().split("\0")[:-1]
    with tempfile.TemporaryDirectory() as place:
        if held:
            archive = _git("-C", str(top), "archive", "--format=tar", revision, "--", *held)
            with tarfile.open(fileobj=BytesIO(archive)) as content:
                # The filter exists from Python 3.11.4 on.
                content.extraction_filter = getattr(tarfile, "data_filter", None)
                content.extractall(place)
        yield Revision(described.decode().strip(), *(Path(place) / folder for folder in wanted))


@contextmanager
def last_commit(raw: Path, config: Path) -> Iterator[Revision | None]:
    """The two folders as of the last commit; None without git, or if it contains no sheet."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(unpacked("HEAD", raw, config))
        except RequestError:
            found = None
        yield found if found is not None and found.raw.is_dir() else None


def since_commit(
    commit: Revision | None, raw: Path, config: Path, dictionary: Dictionary, *, briefly: bool
) -> list[str]:
    """The differences from the last commit by table and setting, one per line.

    With ``briefly``, only losses of many rows: a table cut in half by accident passes the check.
    """
    if commit is None:
        return []
    difference = sheet_difference(commit.raw, raw, dictionary)
    lines = [f"LOST: {line}" for line in difference.losses(raw)]
    if not briefly:
        settings = [f"config/{line}" for line in configuration_difference(commit.config, config)]
        lines = [*difference.in_lines(rows=False), *lines, *settings]
    said = [f"Since the last commit ({commit.name}):", *(f"  {line}" for line in lines)]
    return said if lines else []


def sheet_difference(before: Path, after: Path, dictionary: Dictionary) -> SheetDifference:
    """Compare the tables in two folders, row by row; the check reports what cannot be read."""
    tables: dict[str, TableDifference] = {}
    appeared: dict[str, bool] = {}
    for name, table in dictionary.tables.items():
        paths = (before / table.file, after / table.file)
        try:
            contents = [path.read_bytes() if path.exists() else b"" for path in paths]
        except OSError:
            continue
        if contents[0] == contents[1]:
            continue
        old, new = (read_cells(table, content or None)[0] for content in contents)
        if old is not None and new is not None:
            difference = table_difference(old, new)
            tables |= {name: difference} if difference else {}
        elif not all(contents):
            appeared[name] = not contents[0]
    return SheetDifference(tables, appeared)


def add_new_tables(raw: Path, dictionary: Dictionary) -> None:
    """Write tables that did not exist in a revision as empty tables."""
    for table in dictionary.tables.values():
        if not (raw / table.file).exists():
            write_text(raw / table.file, ",".join(table.columns) + "\n")


def _top() -> Path:
    """The top folder of the repository."""
    try:
        return Path(_git("rev-parse", "--show-toplevel").decode().removesuffix("\n"))
    except RequestError as error:
        if "not a git repository" not in error.args[0]:
            raise
        raise RequestError(
            "This folder is not a git repository, so there is no earlier sheet to compare with (a "
            "downloaded zip file has none). Clone the repository with git, or begin one here: "
            'git init, git add ., git commit -m "The sheet as it is".'
        ) from None


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(
            # Messages in English, because they are matched above.
            ["git", *arguments], capture_output=True, check=False, env=os.environ | {"LC_ALL": "C"}
        )  # fmt: skip
    except FileNotFoundError:
        raise RequestError(
            "git is not installed, and only git knows an earlier sheet. Everything else works "
            "without it."
        ) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise RequestError(f"git cannot read an earlier revision of the sheet: {said}")
    return done.stdout
