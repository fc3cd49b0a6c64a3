"""Processes that a test starts: none outlives its test, and none that hangs keeps a test waiting for ever."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import fastgrad

LONGEST = 120.0
"""Seconds after which a process of a test is killed, and the test fails: the longest takes a few."""


def surroundings(**changes):
    """The environment of this process with some changes, where the same fastgrad is found as in here."""
    path = [str(Path(fastgrad.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), **changes}


def output_of(command, **environment):
    """What a command prints; CalledProcessError if it fails, TimeoutExpired if it does not end."""
    return subprocess.run(
        command,
        env=surroundings(**environment),
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST,
    ).stdout


def output_of_python(code, *arguments, **environment):
    """What a new Python prints, to which every warning is an error."""
    return output_of([sys.executable, "-W", "error", "-c", code, *map(str, arguments)], **environment)


@contextlib.contextmanager
def started(command, **options):
    """A process, with its output in pipes; it is killed at the end of the block, or after LONGEST seconds."""
    options = {"env": surroundings(), **options}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        alarm = threading.Timer(LONGEST, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            yield process
        finally:
            alarm.cancel()
            process.kill()


def wait_for_line(process, line):
    """Read the next line, and see that it is this one; what a process says that died before is shown."""
    found = process.stdout.readline()
    if found != line:
        process.kill()
        raise AssertionError(f"{line!r} was to be said, and {found!r} was: {process.communicate()}")


def wait_until(condition, process):
    """Wait until a condition holds; a process that ended before is shown with what it said."""
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"it ended with status {process.returncode}: {process.communicate()}")
        time.sleep(0.005)
