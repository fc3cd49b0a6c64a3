"""Checks that are killed at random moments, alone or with their workers, and what they leave behind."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from fault_outcomes import Left, Outcome, Row

TARGET = Path(__file__).with_name("fault_target.py")

MARK = "FASTGRAD_FAULT"
"""A variable of the environment that all processes of one trial inherit."""

PATIENCE = 10.0
"""Seconds after which nothing may be left of a check that has ended."""

LONGEST = 120.0
"""Seconds after which a check is taken for one that hangs."""

EVALUATION = 0.004
"""Seconds of an evaluation: a check takes 3 s, so that two workers are worth starting."""

LATEST = 3.0
"""Seconds after its beginning within which a check is struck."""

AT_ONCE = 4
"""Trials that run at the same time: their cost only sleeps."""

SHARED = Path("/dev/shm")

NOISE_OF_TRACKER = re.compile(r"^.*resource_tracker\.py:\d+: UserWarning: .*$", re.MULTILINE)
"""What joblib's resource tracker says when it deletes what a killed process left."""

Strike = Callable[["subprocess.Popen[str]"], None]
"""What happens to a check that runs."""


class Trial:
    """A folder with a checkpoint, and the checks that run on it, one after the other.

    Parameters
    ----------
    jobs : how many workers
    seconds : of an evaluation
    """

    def __init__(self, jobs: int, seconds: float = EVALUATION) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fastgrad-fault-")
        self.folder = Path(self._folder.name)
        self.checkpoint = self.folder / "check.db"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.jobs, self.seconds = jobs, seconds
        self.mark = uuid.uuid4().hex
        self.left = Left()

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    @contextlib.contextmanager
    def begun(self, **options: Any) -> Iterator[subprocess.Popen[str]]:
        """A check that runs, in a group of its own; what it leaves is noted at the end."""
        words = [sys.executable, TARGET, self.checkpoint, self.jobs, self.seconds]
        environment = {**os.environ, MARK: self.mark, "TMPDIR": str(self.temporary)}
        with subprocess.Popen(
            list(map(str, words)),
            env=environment | options.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()
                self.note_left(process)

    def note_left(self, process: subprocess.Popen[str]) -> None:
        """Wait until nothing is left of a check, for PATIENCE at most; note and end what is."""
        end = time.monotonic() + PATIENCE
        while (left := self._there(process.pid)) and time.monotonic() < end:
            time.sleep(0.25)
        self.left.add(left)
        for other in marked(self.mark):
            if other.pid != process.pid:
                other.kill()

    def _there(self, pid: int) -> Left:
        processes = [" ".join(p.cmdline())[-90:] for p in marked(self.mark) if p.pid != pid]
        files = [str(path) for path in self.temporary.rglob("*")]
        shared = os.listdir(SHARED) if SHARED.is_dir() else []
        memory = [name for name in shared if re.search(rf"[_-]{pid}[_-]", name)]
        return Left(processes, files, memory)

    def finished(self, expected: str) -> Outcome:
        """What comes of one more run, to its end; only the checkpoint's one file may be there then."""
        with self.begun() as process:
            said, complained = process.communicate(timeout=LONGEST)
        ours = (self.checkpoint, self.temporary)
        self.left.files += [path.name for path in self.folder.iterdir() if path not in ours]
        return outcome_of(process.returncode, said, complained, expected)


def marked(mark: str) -> list[psutil.Process]:
    """The processes that belong to a trial."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def outcome_of(status: int, said: str, complained: str, expected: str) -> Outcome:
    """What the end of a check means; AssertionError where it is neither the same report nor a refusal."""
    assert "Traceback" not in said + complained, complained
    if status == 2:
        assert complained
        assert said == "begun\n"
        return Outcome.REFUSED
    others = sorted(set(said.splitlines()) ^ set(expected.splitlines()))
    assert (status, others) == (0, []), "\n".join([f"status {status}", *others, complained])
    return Outcome.SAME


def undisturbed() -> str:
    """What the check prints when nothing happens."""
    with Trial(1, 0.0) as trial, trial.begun() as process:
        said, complained = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, complained
    return said


def struck(trial: Trial, strike: Strike, after: float) -> tuple[int, str, str]:
    """The end of a check that something happened to some seconds after its beginning."""
    with trial.begun() as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
        strike(process)
        said, complained = process.communicate(timeout=LONGEST)
    return process.returncode, said, complained


def to_parent(number: int) -> Strike:
    """Send a signal to the check's process alone."""
    return lambda process: process.send_signal(number)


def to_group(number: int) -> Strike:
    """Send a signal to the check and its workers, as a terminal or a scheduler does."""

    def strike(process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    return strike


def to_a_worker(process: subprocess.Popen[str]) -> None:
    """Kill one worker, if there is one by now."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children()
        workers = [p for p in children if any("popen_loky" in word for word in p.cmdline())]
        if workers:
            workers[-1].kill()


def nothing(process: subprocess.Popen[str]) -> None:
    """Let it end by itself."""


INTERRUPTIONS = (to_parent(signal.SIGINT), to_group(signal.SIGINT))
"""Ctrl-C, as a program and as a terminal sends it: workers say nothing. Where another signal ends their
parent at once, one that is just being started may say that it has none."""


def assert_parents_only(said: str, complained: str) -> None:
    """At most one traceback, that of the check's own process: none of a worker."""
    words = said + complained
    assert words.count("Traceback") <= 1, words
    assert "loky" not in NOISE_OF_TRACKER.sub("", words).lower(), words


def assert_names_checkpoint(trial: Trial, status: int, said: str, complained: str) -> None:
    """Where a worker died, the error names the file from which the next run goes on."""
    if status == 0:
        return  # it was over before, or had no workers yet
    assert status == 2, (status, said, complained)
    assert f"What was finished is in the checkpoint {trial.checkpoint}" in complained, complained


def trial_of(jobs: int, strike: Strike, expected: str, moments: list[float]) -> tuple[Outcome, Left]:
    """A check that is struck, once after each of these seconds, and then runs to its end."""
    with Trial(jobs) as trial:
        for moment in moments:
            status, said, complained = struck(trial, strike, moment)
            assert 'verdict: "agree"' not in said, "the gradient is wrong"
            if strike in INTERRUPTIONS:
                assert_parents_only(said, complained)
            if strike is nothing:
                assert f"{jobs} workers" in complained, "the others find no workers to kill"
            if strike is to_a_worker:
                assert_names_checkpoint(trial, status, said, complained)
        return trial.finished(expected), trial.left


def row_of(name: str, jobs: int, strike: Strike, expected: str, moments: list[list[float]]) -> Row:
    """The row of a kind of strike, with the moments of each trial."""
    row = Row(name, left=Left())

    def trial(moments: list[float]) -> Outcome:
        outcome, left = trial_of(jobs, strike, expected, moments)
        row.left.add(left)
        return outcome

    return row.try_all([functools.partial(trial, one) for one in moments])


def rows(times: int) -> list[Row]:
    """Kills with one and with two workers, and signals to the parent, to the group, and to a worker."""
    strikes: dict[str, tuple[int, Strike, int]] = {
        f"killed twice, n_jobs={jobs}": (jobs, to_parent(signal.SIGKILL), 2) for jobs in (1, 2)
    }
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name)
        strikes[f"{name} to the parent, n_jobs=2"] = 2, to_parent(number), 1
        strikes[f"{name} to the group, n_jobs=2"] = 2, to_group(number), 1
    for to, interruption in zip(("parent", "group"), INTERRUPTIONS, strict=True):
        strikes[f"SIGINT to the {to}, n_jobs=2"] = 2, interruption, 1
    strikes["a worker killed, n_jobs=2"] = 2, to_a_worker, 1
    strikes["nothing, n_jobs=2"] = 2, nothing, 1
    expected = undisturbed()
    random_moments = random.Random(0)  # of its own: other kinds of fault are tried at the same time
    with ThreadPoolExecutor(AT_ONCE) as at_once:
        found = []
        for name, (jobs, strike, count) in strikes.items():
            moments = [[random_moments.uniform(0.0, LATEST) for _ in range(count)] for _ in range(times)]
            found.append(at_once.submit(row_of, name, jobs, strike, expected, moments))
        return [row.result() for row in found]
