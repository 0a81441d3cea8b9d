"""A process that stands by with everything imported; every stage of a run is a copy of it.

Importing the libraries takes longer than most stages compute, and every stage begins with the same
sheet. A stage that finds nobody standing by imports for itself, and makes the same.
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
from itertools import pairwise
from pathlib import Path

# In the environment of the stages: where to ask.
NAME = "TRIAL_EVIDENCE_STANDBY"
# In the order in which they are needed: the extraction computes with what the pooling imports.
# PyMARE takes long, and the pooling and the sensitivity analyses import it where they use it.
_STAGES = ("pool", "extract", "network", "figures", "sensitivity", "audit", "exchange", "report")
_MODULES = (*(f"trial_evidence.{stage}.stage" for stage in _STAGES), "pymare")
_TAKEN = b"taken\n"
_STDIN = 0
_LENGTH = struct.Struct("!Q")


def collect_seldom() -> None:
    """Look for garbage a hundredth as often: rows and modules are many objects, and hardly any."""
    gc.set_threshold(70_000, 10, 10)


def start() -> "tuple[str, subprocess.Popen[bytes]]":
    """Have a process stand by for as long as the one that calls this lives.

    Returns
    -------
    str
        For the stages, as `NAME` in their environment.
    Popen
        To be kept: where its pipe is closed, the process ends.
    """
    name = f"trial-evidence-{os.getpid()}-{os.urandom(8).hex()}"
    command = [sys.executable, "-m", __name__, name]
    environment = os.environ | {"PYTHONPATH": "workflow", "OPENBLAS_NUM_THREADS": "1"}
    return name, subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)


def ask(arguments: Sequence[str]) -> int | None:
    """Have a command run by a copy of the process that stands by; None where there is none.

    Returns
    -------
    int
        Its exit code.
    """
    request = json.dumps([[*arguments], os.getcwd(), dict(os.environ)]).encode()
    taken = False
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(f"\0{os.environ[NAME]}")
            socket.send_fds(line, [_LENGTH.pack(len(request))], [0, 1, 2])
            line.sendall(request)
            taken = line.recv(len(_TAKEN), socket.MSG_WAITALL) == _TAKEN
            # Nothing comes of a copy that was killed.
            return int(line.recv(8) or 1) if taken else None
        except (KeyError, OSError):
            return None
        except KeyboardInterrupt:
            # The copy was stopped by the same key, and ends in good order.
            return int((taken and line.recv(8)) or 130)


def _stand_by(name: str) -> None:
    """Take requests until the pipe from whoever started this is closed."""
    with socket.socket(socket.AF_UNIX) as listening:
        # A name that is no file: nothing of it is left behind, however this ends.
        listening.bind(f"\0{name}")
        listening.listen()
        # The key that stops a run is for the stages.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        collect_seldom()
        ahead = [*_MODULES]
        import_module("trial_evidence.cli")
        while True:
            # As long as there is something to import nobody is waited for.
            asked = select.select([listening.fileno(), _STDIN], [], [], 0 if ahead else None)[0]
            if _STDIN in asked:
                return
            if asked:
                _serve(listening, ahead)
            elif ahead:
                import_module(ahead.pop(0))


def _serve(listening: socket.socket, ahead: list[str]) -> None:
    """Have a copy of this process run what is asked for, with all that it needs imported."""
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
    """Who asks: a name that is no file can be called by every user of the machine."""
    told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[1])


@dataclass(frozen=True)
class _Request:
    """A command, where and in which environment it is to run, and the files it reads and writes."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    files: list[int]


def _request(line: socket.socket) -> _Request | None:
    """What is asked for; None where whoever asked is gone."""
    try:
        told, files, _, _ = socket.recv_fds(line, _LENGTH.size, 3)
        (length,) = _LENGTH.unpack(told)
        arguments, folder, environment = json.loads(line.recv(length, socket.MSG_WAITALL))
    except (OSError, struct.error, ValueError):
        return None
    return _Request(arguments, folder, environment, files)


def _prepare(request: _Request) -> None:
    """Read what the command will ask for, once for all commands that work on the same state."""
    from trial_evidence.loaded import remember
    from trial_evidence.words.problems import SheetError

    said = dict(pairwise(request.arguments))
    if "--raw" in said and "--config" in said:
        folder = Path(request.folder)
        # What is wrong is for the command to tell.
        with contextlib.suppress(SheetError, OSError):
            remember(folder / said["--raw"], folder / said["--config"])


def _run(line: socket.socket, request: _Request) -> None:
    """Run what is asked for as if it had been started where it was asked for; never returns."""
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
