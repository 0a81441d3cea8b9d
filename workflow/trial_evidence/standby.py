"""A standby process with everything imported, from which each stage of a run is forked.

Importing the libraries takes longer than most stages compute, and every stage starts from the same
sheet. Without a standby process, a stage imports them itself, with the same results.
"""

import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from itertools import pairwise
from pathlib import Path

# Environment variable of the stages with the address of the standby process.
NAME = "TRIAL_EVIDENCE_STANDBY"
# In the order in which they are needed. Two are slow to import, so the stages import them only when
# they use them: statsmodels (extraction and pooling) and PyMARE (pooling and sensitivity analyses).
_STAGES = ("pool", "extract", "network", "figures", "sensitivity", "audit", "exchange", "report")
_MODULES = (
    "statsmodels.stats.meta_analysis",
    *(f"trial_evidence.{stage}.stage" for stage in _STAGES),
    "pymare",
)
_TAKEN = b"taken\n"
_STDIN = 0
_LENGTH = struct.Struct("!Q")


def collect_seldom() -> None:
    """Collect garbage 100 times less often: rows and modules are many objects, but not garbage."""
    gc.set_threshold(70_000, 10, 10)


def print_what_fits() -> None:
    """Print a question mark for each letter that the terminal lacks; forks inherit this."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def start() -> "tuple[str, subprocess.Popen[bytes]]":
    """Start a standby process that lives as long as the calling process.

    Returns
    -------
    str
        Value of `NAME` for the environment of the stages.
    Popen
        Must be kept: when its pipe is closed, the standby process ends.
    """
    name = f"trial-evidence-{os.getpid()}-{os.urandom(8).hex()}"
    command = [sys.executable, "-m", __name__, name]
    environment = os.environ | {"PYTHONPATH": "workflow", "OPENBLAS_NUM_THREADS": "1"}
    return name, subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)


def ask(arguments: Sequence[str]) -> int | None:
    """Run a command in a fork of the standby process.

    Returns
    -------
    int or None
        Its exit code; None without a standby process.
    """
    request = json.dumps([[*arguments], os.getcwd(), dict(os.environ)]).encode()
    taken = False
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(f"\0{os.environ[NAME]}")
            socket.send_fds(line, [_LENGTH.pack(len(request))], [0, 1, 2])
            line.sendall(request)
            taken = line.recv(len(_TAKEN), socket.MSG_WAITALL) == _TAKEN
            # A fork that was killed returns nothing.
            return int(line.recv(8) or 1) if taken else None
        except (KeyError, OSError):
            return None
        except KeyboardInterrupt:
            # Ctrl-C has reached the fork too, which exits in an orderly way.
            return int((taken and line.recv(8)) or 130)


def _stand_by(name: str) -> None:
    """Serve requests until the pipe from the parent process is closed."""
    with socket.socket(socket.AF_UNIX) as listening:
        # An abstract address: no file is left behind, however the process ends.
        listening.bind(f"\0{name}")
        listening.listen()
        # Ctrl-C is meant for the stages.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        collect_seldom()
        print_what_fits()
        ahead = [*_MODULES]
        import_module("trial_evidence.cli")
        while True:
            # Do not wait for requests while there are modules to import.
            asked = select.select([listening.fileno(), _STDIN], [], [], 0 if ahead else None)[0]
            if _STDIN in asked:
                return
            if asked:
                _serve(listening, ahead)
            elif ahead:
                import_module(ahead.pop(0))


def _serve(listening: socket.socket, ahead: list[str]) -> None:
    """Run the requested command in a fork of this process, after importing what it needs."""
    line, _ = listening.accept()
    with line:
        if _user_of(line) == os.getuid() and (request := _request(line)):
            needed = {f"trial_evidence.{stage}.stage" for stage in request.arguments[:1]}
            while needed.intersection(ahead):
                import_module(ahead.pop(0))
            _prepare(request)
            gc.freeze()
            if os.fork() == 0:
                listening.close()
                _run(line, request)
            for file in request.files:
                os.close(file)


def _user_of(line: socket.socket) -> int:
    """User id of the caller: an abstract address is open to every user of the machine."""
    credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


@dataclass(frozen=True)
class _Request:
    """A command with its folder, environment, and standard input, output and error."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    files: list[int]


def _request(line: socket.socket) -> _Request | None:
    """The request on a connection; None if the caller is gone."""
    try:
        header, files, _, _ = socket.recv_fds(line, _LENGTH.size, 3)
        (length,) = _LENGTH.unpack(header)
        arguments, folder, environment = json.loads(line.recv(length, socket.MSG_WAITALL))
    except (OSError, struct.error, ValueError):
        return None
    return _Request(arguments, folder, environment, files)


def _prepare(request: _Request) -> None:
    """Load sheet and configuration of the command, once for all commands on the same state."""
    from trial_evidence.loaded import remember
    from trial_evidence.words.problems import SheetError

    said = dict(pairwise(request.arguments))
    if "--raw" in said and "--config" in said:
        folder = Path(request.folder)
        # The command itself reports errors.
        with contextlib.suppress(SheetError, OSError):
            remember(folder / said["--raw"], folder / said["--config"])


def _run(line: socket.socket, request: _Request) -> None:
    """Run the command as if the caller had started it; never returns."""
    from trial_evidence.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        for place, file in enumerate(request.files):
            os.dup2(file, place)
            os.close(file)
        os.environ.clear()
        os.environ.update(request.environment)
        os.chdir(request.folder)
        line.sendall(_TAKEN)
        code = main(request.arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        line.sendall(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    _stand_by(sys.argv[1])
