"""``make watch``: check the sheet at every save, and bring the results up to date.

The check and the changed estimates are computed in this process, where everything is imported; the
workflow updates the results in a separate process.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, default_int_handler, signal
from threading import Thread
from time import strftime

from watchfiles import Change, watch

from trial_evidence.changes.compare import estimate_changes, side
from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.evidence import SettingEvidence, extract_setting
from trial_evidence.files import OWN_SETTINGS, OWN_TABLES
from trial_evidence.measures import measure_words
from trial_evidence.sheet import Sheet

# Programs save a table in several steps: changes within this time count as one save.
DEBOUNCE_MS = 200
TICK_MS = 500
STOP_AGAIN_S = 10
LOG = "watch.log"


@dataclass(frozen=True)
class State:
    """The configuration, and the evidence of a sheet without errors, by setting."""

    configuration: Configuration
    evidence: Mapping[str, SettingEvidence]


def watch_sheet(
    raw: Path,
    config: Path,
    log: Path,
    load: Callable[[], State | None],
    book: Path | None,
    take: Callable[[], None],
) -> None:
    """Respond to every save until the user stops it, which is not an error.

    Parameters
    ----------
    raw, config : Path
        Folders of the sheet and of the configuration.
    log : Path
        Log file of the runs.
    load : callable
        Loads and checks the current sheet, prints the findings, and returns None if it has errors.
    book : Path
        A workbook that the user saves instead of the tables; ``take`` imports it into the sheet.
    """

    def wanted(_: Change, path: str) -> bool:
        place = Path(path)
        table = place.parent == raw.resolve() and place.suffix == ".csv"
        return table or (config.resolve() in place.parents and place.suffix == ".yaml")

    for closed in (SIGHUP, SIGTERM):
        # Treated like Ctrl-C, so that no run continues after its terminal was closed.
        signal(closed, default_int_handler)
    with _runs(log) as run, suppress(KeyboardInterrupt):
        seen, saved = _saves(raw, config), _time_of(book)
        known = load()
        print("Watching the sheet and the configuration. Ctrl-C ends it.", flush=True)
        if book is not None and not saved:
            print(f"There is no {book} so far; it is imported once it is there.", flush=True)
        if known is not None:
            run()
        # An import replaces the folder of the sheet, so its parent is watched.
        for _ in watch(
            raw.parent, config, watch_filter=wanted, debounce=DEBOUNCE_MS, step=50,
            rust_timeout=TICK_MS, yield_on_timeout=True,
        ):  # fmt: skip
            if _time_of(book) != saved:
                saved = _time_of(book)
                # A program that saves may first remove the old file.
                if saved:
                    take()
            # The times of the files decide, not the events that the system did or did not report.
            if seen == _saves(raw, config):
                continue
            seen = _saves(raw, config)
            now = load()
            if now is None:
                print("The results remain those of the last sheet without errors.", flush=True)
                continue
            if known is not None:
                print("\n".join(changes_in_words(known, now)), flush=True)
            known = now
            run()


def state_of(configuration: Configuration, sheet: Sheet) -> State:
    """The evidence that a sheet without errors gives every analysis."""
    settings = configuration.settings
    return State(configuration, {s: extract_setting(sheet, configuration, s) for s in settings})


def _saves(raw: Path, config: Path) -> dict[Path, int]:
    """Modification time of each table and each file of the configuration."""
    files = [*raw.glob(OWN_TABLES), *config.rglob(OWN_SETTINGS)]
    return {path: _time_of(path) for path in files}


def _time_of(path: Path | None) -> int:
    # A program that saves may remove the file between the two calls.
    with suppress(OSError):
        if path is not None and path.is_file():
            return path.stat().st_mtime_ns
    return 0


def changes_in_words(before: State, after: State) -> Iterator[str]:
    """The leading estimates that differ, before and after, one per line."""
    configurations = (before.configuration, after.configuration)
    changes = estimate_changes(before.evidence, after.evidence, configurations)
    if not changes:
        yield "No pooled estimate changes. For networks and verdicts, see make changes."
    for change in changes:
        was, now = (side(row) for row in (change.before, change.after))
        named = f"  {change.setting}/{change.analysis}, {change.whom}: "
        line = f"{named}{measure_words(change.measure)} {was} -> {now}"
        yield f"{line}; {change.conclusion}" if change.conclusion else line


@contextmanager
def _runs(log: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that starts the workflow; a run still under way is stopped first.

    At the end, the last run is stopped as well.
    """
    under_way: list[subprocess.Popen[bytes]] = []

    def stop() -> None:
        while under_way:
            process = under_way.pop()
            # Sent to the stages too, as from the terminal. A signal is lost while Python starts or
            # exits, so it is repeated until the process ends.
            while process.poll() is None:
                with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, SIGINT)
                    process.wait(STOP_AGAIN_S)

    def start() -> None:
        stop()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--logger", "progress"],
                stdout=file,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches only this process, which then stops the run.
                start_new_session=True,
            )
        under_way.append(process)
        # By then, the sheet may have been saved again, with errors.
        of = strftime("%H:%M:%S")
        Thread(target=say_when_done, args=(process, of), daemon=True).start()

    def say_when_done(process: subprocess.Popen[bytes], of: str) -> None:
        code = process.wait()
        if process not in under_way:
            # It was stopped: the sheet was saved again, or watching has ended.
            return
        if code:
            print(f"The results could not be made; {log} says why.", file=sys.stderr, flush=True)
        else:
            print(f"results/ is up to date with the sheet of {of}.", flush=True)

    try:
        yield start
    finally:
        stop()
