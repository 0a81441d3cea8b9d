"""What a person who runs `make` sees: one line for each finished step, and plain errors.

Found by Snakemake because the folder above stands on the Python path; chosen with
``--logger progress``. The full log goes to .snakemake/log as always.
"""

import re
import sys
from logging import ERROR, LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# Said by Snakemake after a job has failed; the job itself has said what is wrong.
_ECHOES = (
    "Exiting because a job execution failed",
    "RuleException:\nCalledProcessError",
    "WorkflowError:\nAt least one job did not complete",
)

# What Snakemake says of a file that was there when the run began and was not a moment later.
_GONE = re.compile(r"MissingInputException.* affected files:\n(?P<files>.*)", re.DOTALL)
_TYPED = ("data/raw/", "config/")

# What comes after it is decided when it is done: until then nobody knows how many steps there are.
_CHECKPOINT = "extract"


class LogHandler(LogHandlerBase):
    """Prints ``[ 3 of 12] Pooled: Neoadjuvant`` for every step that is done.

    Where the number of steps is not known yet it is left out: ``[ 1] Checked the sheet``.
    """

    def __post_init__(self) -> None:
        self._messages: dict[int, str] = {}
        self._checkpoints: set[int] = set()
        self._open = False
        self._finished = ""
        self._last = -1

    def emit(self, record: LogRecord) -> None:
        """Print what concerns a person: progress and errors."""
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
        """Takes the place of Snakemake's own lines on the terminal."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Leaves the log file to Snakemake."""
        return False

    @property
    def has_filter(self) -> bool:
        """Sees every record, whatever is asked to be quiet."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Formats its own lines."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """Needs no graph of the rules."""
        return False


def _in_words(text: str) -> str:
    """An error of Snakemake; of a table that is just being saved, in words of an analyst."""
    gone = _GONE.match(text)
    files = gone["files"].split() if gone else []
    if not files or not all(file.startswith(_TYPED) for file in files):
        return text
    return (
        f"{', '.join(files)}: not there any more since the run began; probably it is just being "
        "saved. Nothing was computed. Run make again."
    )
