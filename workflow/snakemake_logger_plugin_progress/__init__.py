"""The terminal output of `make`: one line for each finished step, and plain errors.

Snakemake finds this plugin because the parent folder is on the Python path; ``--logger progress``
selects it. The full log goes to .snakemake/log as usual.
"""

import re
import sys
from logging import ERROR, LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# Messages of Snakemake after a job has failed; the job itself has already reported the error.
_ECHOES = (
    "Exiting because a job execution failed",
    "RuleException:\nCalledProcessError",
    "WorkflowError:\nAt least one job did not complete",
)

# Snakemake's errors on files that were missing a moment after the run began, or that it may not
# write.
_ON_FILES = re.compile(
    r"(?P<error>MissingInput|ProtectedOutput)Exception.* affected files:\n(?P<files>.*)", re.DOTALL
)
_TYPED = ("data/raw/", "config/")

# The steps after it are decided when it is done; until then, their number is unknown.
_CHECKPOINT = "extract"


class LogHandler(LogHandlerBase):
    """Prints ``[ 3 of 12] Pooled: Neoadjuvant`` for every finished step.

    While the number of steps is unknown, it is left out: ``[ 1] Checked the sheet``.
    """

    def __post_init__(self) -> None:
        self._messages: dict[int, str] = {}
        self._checkpoints: set[int] = set()
        self._open = False
        self._finished = ""
        self._last = -1

    def emit(self, record: LogRecord) -> None:
        """Print progress and errors, and ignore everything else."""
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            self._open = _CHECKPOINT in vars(record)["stats"]
        elif event == LogEvent.JOB_INFO:
            fields = vars(record)
            self._messages[fields["jobid"]] = fields.get("rule_msg") or ""
            if fields.get("is_checkpoint"):
                self._checkpoints.add(fields["jobid"])
        elif event == LogEvent.JOB_FINISHED:
            self._finished = self._messages.get(vars(record)["job_id"], "")
            self._last = vars(record)["job_id"]
        elif event == LogEvent.PROGRESS and self._finished:
            done, total = vars(record)["done"], vars(record)["total"]
            of = "" if self._open else f" of {total}"
            print(f"[{done:>2}{of}] {self._finished}", file=sys.stderr, flush=True)
            if self._last in self._checkpoints:
                self._open = False
        elif record.getMessage().startswith("Nothing to be done"):
            print("Everything is up to date", file=sys.stderr, flush=True)
        elif record.levelno >= ERROR and event != LogEvent.JOB_ERROR:
            text = record.getMessage()
            if text and text != "None" and not text.startswith(_ECHOES):
                print(_in_words(text), file=sys.stderr, flush=True)

    @property
    def writes_to_stream(self) -> bool:
        """True: replaces Snakemake's own output on the terminal."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """False: the log file is left to Snakemake."""
        return False

    @property
    def has_filter(self) -> bool:
        """True: receives every record, whatever --quiet says."""
        return True

    @property
    def has_formatter(self) -> bool:
        """True: formats its own lines."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """False: needs no graph of the rules."""
        return False


def _in_words(text: str) -> str:
    """An error of Snakemake; of a table just being saved, or write-protected results, plainly."""
    found = _ON_FILES.match(text)
    files = found["files"].split() if found else []
    named = ", ".join(files)
    if found and found["error"] == "ProtectedOutput":
        return (
            f"{named}: write-protected, so this run cannot write there. Allow writing, or delete "
            "what is there. Run make again."
        )
    if not files or not all(file.startswith(_TYPED) for file in files):
        return text
    return (
        f"{named}: not there any more since the run began; probably it is just being saved. "
        "Nothing was computed. Run make again."
    )
