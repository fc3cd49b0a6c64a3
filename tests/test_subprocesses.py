"""The helpers that start processes end them too."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
import subprocesses
from subprocesses import output_of_python, started, wait_for_line, wait_until

SLEEP = [sys.executable, "-c", "import time; print('asleep', flush=True); time.sleep(1000)"]


class TestStarted:
    def test_ends_with_the_block(self):
        """A process that still runs at the end of the block is killed, after a failure too."""
        with pytest.raises(ZeroDivisionError), started(SLEEP, text=True) as process:  # noqa: PT012
            wait_for_line(process, "asleep\n")
            1 / 0  # noqa: B018

        assert not psutil.pid_exists(process.pid)

    def test_ends_when_it_hangs(self, monkeypatch):
        """A process that says nothing is killed when its time is over: reading from it ends."""
        monkeypatch.setattr(subprocesses, "LONGEST", 0.5)
        with (
            started([sys.executable, "-c", "import time; time.sleep(1000)"], text=True) as process,
            pytest.raises(AssertionError, match="'begun' was to be said, and '' was"),
        ):
            wait_for_line(process, "begun")


class TestWaiting:
    def test_for_a_process_that_died(self):
        """A program that fails is not waited for: what it said on stderr is in the failure."""
        command = [sys.executable, "-c", "import no_such_module"]
        with started(command, text=True) as process, pytest.raises(AssertionError, match="no_such_module"):
            wait_until(lambda: False, process)
        with started(command, text=True) as process, pytest.raises(AssertionError, match="no_such_module"):
            wait_for_line(process, "begun\n")


class TestOutput:
    def test_of_python(self):
        """What a program prints is given, a failure or a warning raises."""
        assert output_of_python("import sys; print(sys.argv[1])", "word") == "word\n"
        for code in ("1 / 0", "import warnings; warnings.warn('once')"):
            with pytest.raises(subprocess.CalledProcessError):
                output_of_python(code)

    def test_that_does_not_come(self, monkeypatch):
        """A program that does not end is killed."""
        monkeypatch.setattr(subprocesses, "LONGEST", 0.5)
        with pytest.raises(subprocess.TimeoutExpired):
            output_of_python("import time; time.sleep(1000)")
