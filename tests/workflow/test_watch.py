"""`make watch`: what an analyst sees who saves the sheet while it runs."""

import os
import signal
import subprocess
import sys
import time
from threading import Thread

import pytest
from project_copy import new_project

# An answer is due within two seconds, but a test machine may be busy.
PATIENCE_S = 120


class Terminal:
    """Output of a command, line by line as it appears."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trial_evidence", "watch"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": "workflow", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A shell makes background processes ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        self.lines += iter(self.process.stdout.readline, "")

    def end(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()

    def wait_for(self, text, after=0):
        """The first line that contains a text, after a number of lines."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = [line for line in self.lines[after:] if text in line]
            if found:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was not said:\n{''.join(self.lines)}")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A project without results, and the terminal running `make watch` in it."""
    project = new_project(tmp_path_factory.mktemp("watched") / "project")
    terminal = Terminal(project.folder)
    terminal.wait_for("Watching the sheet and the configuration.")
    yield project, terminal
    terminal.end()


def test_every_save_is_answered_until_it_is_stopped(watched):
    project, terminal = watched
    said = len(terminal.lines)
    project.replace("data/raw/pcr.csv", "all,42,105,40.0", 'all,"42,0",105,40.0')
    assert "row 2 (trial_a), column events" in terminal.wait_for("pcr.csv", said)
    terminal.wait_for("The results remain those of the last sheet without errors.", said)
    said = len(terminal.lines)
    project.replace("data/raw/pcr.csv", 'all,"42,0",105,40.0', "all,63,105,60.0")
    terminal.wait_for("No errors", said)
    line = terminal.wait_for("neoadjuvant/pcr_dual_v_trastuzumab, all: Risk ratio", said)
    # By hand: before, three trials of 1.83, 1.68 and 1.62; 63/105 against 23/105 is 2.74.
    before, after = line.partition("Risk ratio ")[2].split(" -> ")
    assert before.startswith("1.70 (")
    assert float(after.split()[0]) > 1.8
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(PATIENCE_S) == 0
    # No run continues in the background.
    locks = list((project.folder / ".snakemake/locks").glob("*"))
    assert locks == []
    assert not any("could not be made" in line for line in terminal.lines)
