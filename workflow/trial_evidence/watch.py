"""``make watch``: every save of the sheet is answered at once, and the results follow.

The check, and what an edit changes, are worked out here, where everything is imported; the results
are brought up to date by the workflow in a process of its own.
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

from watchfiles import Change, watch

from trial_evidence.changes.compare import EstimateChange, estimate_changes, side
from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.evidence import SettingEvidence, extract_setting
from trial_evidence.files import OWN_SETTINGS, OWN_TABLES
from trial_evidence.measures import measure_words
from trial_evidence.sheet import Sheet

# Programs save a table in several steps: what follows within this time is one save.
DEBOUNCE_MS = 200
TICK_MS = 500
STOP_AGAIN_S = 10
LOG = "watch.log"


@dataclass(frozen=True)
class State:
    """A sound sheet, and what it gives every analysis to pool."""

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
    """Answer every save until a person stops it, which is no error.

    Parameters
    ----------
    raw, config : Path
        Folders of the sheet and of the configuration.
    log : Path
        What the runs say goes here.
    load : callable
        The sheet as it is now; prints what is to be said of it, and is None where it is not sound.
    book : Path
        A workbook that is saved in place of the tables; ``take`` brings it into the sheet.
    """

    def wanted(_: Change, path: str) -> bool:
        place = Path(path)
        table = place.parent == raw.resolve() and place.suffix == ".csv"
        return table or (config.resolve() in place.parents and place.suffix == ".yaml")

    for closed in (SIGHUP, SIGTERM):
        # As Ctrl-C does: no run goes on behind a terminal that was closed.
        signal(closed, default_int_handler)
    with _runs(log) as run, suppress(KeyboardInterrupt):
        seen, saved = _saves(raw, config), _time_of(book)
        known = load()
        print("Watching the sheet and the configuration. Ctrl-C ends it.", flush=True)
        if book is not None and not saved:
            print(f"There is no {book} so far; it is imported once it is there.", flush=True)
        if known is not None:
            run()
        # An import gives the folder of the sheet a new one of the same name: its parent stays.
        for _ in watch(
            raw.parent, config, watch_filter=wanted, debounce=DEBOUNCE_MS, step=50,
            rust_timeout=TICK_MS, yield_on_timeout=True,
        ):  # fmt: skip
            if _time_of(book) != saved:
                saved = _time_of(book)
                # A program that saves may take the old one away first.
                if saved:
                    take()
            # The files themselves tell, whatever the system told of them, or did not.
            if seen == _saves(raw, config):
                continue
            seen = _saves(raw, config)
            now = load()
            if now is None:
                print("The results stay as they were.", flush=True)
                continue
            if known is not None:
                print("\n".join(changes_in_words(known, now)), flush=True)
            known = now
            run()


def state_of(configuration: Configuration, sheet: Sheet) -> State:
    """What a sound sheet gives every analysis to pool."""
    settings = configuration.settings
    return State(configuration, {s: extract_setting(sheet, configuration, s) for s in settings})


def _saves(raw: Path, config: Path) -> dict[Path, int]:
    """When each table and each file of the configuration was last written."""
    files = [*raw.glob(OWN_TABLES), *config.rglob(OWN_SETTINGS)]
    return {path: _time_of(path) for path in files}


def _time_of(path: Path | None) -> int:
    # A program that saves may take a file away between two looks at it.
    with suppress(OSError):
        if path is not None and path.is_file():
            return path.stat().st_mtime_ns
    return 0


def changes_in_words(before: State, after: State) -> Iterator[str]:
    """The leading estimates that differ, before and after, a line each."""
    configurations = (before.configuration, after.configuration)
    changes = estimate_changes(before.evidence, after.evidence, configurations)
    if not changes:
        yield "No estimate changes."
    for change in changes:
        yield _line(change)


def _line(change: EstimateChange) -> str:
    before, after = (side(row) for row in (change.before, change.after))
    measure = measure_words(change.measure)
    told = f"  {change.setting}/{change.analysis}, {change.whom}: {measure} {before} -> {after}"
    return f"{told}; {change.conclusion}" if change.conclusion else told


@contextmanager
def _runs(log: Path) -> Iterator[Callable[[], None]]:
    """Start the workflow; a run that is still under way is stopped first, and so at the end."""
    under_way: list[subprocess.Popen[bytes]] = []

    def stop() -> None:
        while under_way:
            process = under_way.pop()
            # To the stages too, as from the terminal. One that comes while Python starts or tidies
            # up is lost, so it is sent until it is heard.
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
                # Ctrl-C in the terminal is for this process, which then ends the run.
                start_new_session=True,
            )
        under_way.append(process)
        Thread(target=say_when_done, args=(process,), daemon=True).start()

    def say_when_done(process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if process not in under_way:
            # It was stopped: the sheet has been saved again, or nobody watches any more.
            return
        if code:
            print(f"The results could not be made; {log} says why.", file=sys.stderr, flush=True)
        else:
            print("results/ is up to date.", flush=True)

    try:
        yield start
    finally:
        stop()
