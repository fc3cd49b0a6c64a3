"""Workers and shared memory end with the parent, however it ends; Ctrl-C is the parent's alone."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import textwrap
import threading
from types import SimpleNamespace

import joblib
import psutil
import pytest
from subprocesses import started, surroundings, wait_for_line, wait_until

from fastgrad.execution import worker_life
from fastgrad.execution.worker_life import Beginning, signals_held
from fastgrad.execution.workers import Workers, run_tasks

posix = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="there are no such signals")

LATE = """
    import time
    from joblib.externals.loky.process_executor import ProcessPoolExecutor, _ExecutorManagerThread

    def late(thread, wait=_ExecutorManagerThread.wait_result_broken_or_wakeup):
        found = wait(thread)
        time.sleep(1.0)
        return found

    def slow(*given, submit=ProcessPoolExecutor.submit, **named):
        future = submit(*given, **named)
        time.sleep(0.1)
        return future

    _ExecutorManagerThread.wait_result_broken_or_wakeup = late
    ProcessPoolExecutor.submit = slow
"""
"""joblib on a busy machine: its thread that hands out tasks comes to the second when all were given."""

CHECK = """
    import pathlib, sys, time
    import numpy as np, fastgrad

    LARGE = np.ones(300_000)
    SEEN = pathlib.Path(sys.argv[2])

    def cost(x, large):
        SEEN.touch()
        time.sleep(0.02)
        return float(np.sum(np.sin(x)))

    if __name__ == "__main__":
        x = np.linspace(0.1, 1, 3000)
        print("begun", flush=True)
        options = {"n_jobs": 2, "backend": sys.argv[1], "coordinates": "all", "engine": "python"}
        print(fastgrad.check_gradient(cost, np.cos(x), x, args=(LARGE,), **options).verdict)
"""


@pytest.fixture
def program(tmp_path):
    """A function that starts a check with two workers, which share an array in a folder of the test."""
    check = tmp_path / "check.py"
    (tmp_path / "shared").mkdir()
    environment = surroundings(JOBLIB_TEMP_FOLDER=str(tmp_path / "shared"), TMPDIR=str(tmp_path))

    def start(backend="loky", before=""):
        check.write_text(textwrap.dedent(before) + textwrap.dedent(CHECK))
        command = [sys.executable, str(check), backend, str(tmp_path / "seen")]
        return started(command, text=True, start_new_session=True, env=environment)

    return start


def workers_of(process):
    """What a process has started."""
    return psutil.Process(process.pid).children(recursive=True)


def at_work(process, tmp_path):
    """What a check has started, once two workers share an array and evaluate."""
    wait_for_line(process, "begun\n")
    wait_until(lambda: any((tmp_path / "shared").rglob("*.pkl")), process)
    (tmp_path / "seen").unlink()  # it was there since the parent's own first evaluations
    wait_until((tmp_path / "seen").exists, process)
    return workers_of(process)


def while_starting(process):
    """What a check has started, once its first worker is there; two trackers come before it."""
    wait_for_line(process, "begun\n")
    wait_until(lambda: len(workers_of(process)) > 2, process)
    return workers_of(process)


def all_end(others, tmp_path):
    """Whether all of these processes end, and their shared memory with them; those that do not are killed."""
    still = psutil.wait_procs(others, timeout=30)[1]
    for left in still:
        if not any("resource_tracker" in word for word in left.cmdline()):
            left.kill()
    psutil.wait_procs(still, timeout=30)  # the trackers, which delete what the others held
    return still == [] and list((tmp_path / "shared").iterdir()) == []


def assert_quiet(said, complained):
    """The report was made, and nothing but the announcement of a long check is on stderr."""
    assert said == "undecided\n"
    assert [line for line in complained.splitlines() if not line.startswith("fastgrad: 3,000 coord")] == []


def without_the_tracker(complained):
    """All but what loky's tracker of resources says: a process of its own, which ends after the others.

    Where it reads its pipe late it says that it deletes what is deleted already. That was seen once in some
    hundred runs, and no file is left: the tests look for those.
    """
    lines = complained.splitlines()
    own = [k for k, line in enumerate(lines) if "resource_tracker" in line]
    its_code = {k + 1 for k in own if lines[k + 1 : k + 2] == ["  warnings.warn("]}
    return "\n".join(line for k, line in enumerate(lines) if k not in own and k not in its_code)


@posix
class TestTheParentIsKilled:
    @pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
    @pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP"])
    def test_alone(self, program, tmp_path, name, backend):
        """Workers and shared memory do not outlive a parent that a signal ended."""
        with program(backend) as process:
            others = at_work(process, tmp_path)
            process.send_signal(getattr(signal, name))

            assert len(others) > 2
            assert all_end(others, tmp_path)

    @pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
    def test_with_its_group(self, program, tmp_path, name):
        """Where a terminal ends, or a scheduler ends all of a job, the shared memory goes too."""
        with program() as process:
            others = at_work(process, tmp_path)
            os.killpg(process.pid, getattr(signal, name))

            assert all_end(others, tmp_path)

    def test_while_workers_start(self, program, tmp_path):
        """Workers that have no task yet end too."""
        with program() as process:
            others = while_starting(process)
            process.kill()

            assert all_end(others, tmp_path)


@posix
class TestCtrlC:
    def test_at_work(self, program, tmp_path):
        """Ctrl-C, which the terminal sends to workers too, gives a report, and no word from a worker."""
        with program() as process:
            others = at_work(process, tmp_path)
            os.killpg(process.pid, signal.SIGINT)

            assert_quiet(*process.communicate())
            assert all_end(others, tmp_path)

    @pytest.mark.parametrize("before", ["", LATE])
    def test_while_workers_start(self, program, tmp_path, before):
        """Workers that are still importing say nothing, nor does joblib's thread that hands out tasks."""
        with program(before=before) as process:
            others = while_starting(process)
            os.killpg(process.pid, signal.SIGINT)

            said, complained = process.communicate()
            assert_quiet(said, without_the_tracker(complained))
            assert all_end(others, tmp_path)

    def test_held(self):
        """What is started inside does not get the signals of the terminal; afterwards all is as before."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        with signals_held():
            assert {signal.SIGINT, signal.SIGHUP} <= signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


class TestBeginning:
    def test_equal(self):
        """Two are equal where joblib may take the same processes again, and travel to them."""
        assert Beginning() == Beginning()
        assert Beginning(print) == Beginning(print) != Beginning()
        assert pickle.loads(pickle.dumps(Beginning(print))) == Beginning(print)

    def test_initializer_of_the_user(self):
        """The user's own initializer runs, with its arguments, in the workers of a check."""
        with joblib.parallel_config("loky", n_jobs=2, initializer=sys.setrecursionlimit, initargs=(4321,)):
            limits = run_tasks(Workers(2, "processes"), sys.getrecursionlimit, [()] * 4)
            assert list(limits) == [4321] * 4

    def test_same_workers_again(self):
        """The workers of one plan serve the next: they are started once."""
        once, again = (set(run_tasks(Workers(2, "processes"), os.getpid, [()] * 20)) for _ in range(2))
        assert len(once | again) <= 2

    def test_signals_in_a_worker(self):
        """A worker has none of the signals blocked, so that what a cost starts has not either."""
        (masks,) = run_tasks(Workers(2, "processes"), signal.pthread_sigmask, [(signal.SIG_BLOCK, [])])
        assert not masks


class TestTheParentOf:
    """Whom a worker waits for, where the process above it is not the one that it works for."""

    def ended(self, parent):
        """An event that is set when the wait for the end of a parent is over."""
        over = threading.Event()
        threading.Thread(
            target=lambda: (worker_life._wait_for_end_of(parent), over.set()), daemon=True
        ).start()
        return over

    def test_below_a_server(self):
        """With "forkserver", or on Windows, the end of a pipe from the parent is waited for."""
        reader, writer = os.pipe()
        over = self.ended(SimpleNamespace(pid=-1, sentinel=reader))
        assert not over.wait(0.2)
        os.close(writer)
        assert over.wait(60)
        os.close(reader)

    def test_gone_before(self):
        """A parent that ended before the worker was ready, and left nothing to wait for, has ended."""
        assert self.ended(SimpleNamespace(pid=-1, sentinel=None)).wait(60)

    @posix
    def test_alive(self, monkeypatch):
        """A parent that lives is waited for; when it is another one, the wait is over."""
        monkeypatch.setattr(worker_life, "LOOK_EVERY", 0.01)
        over = self.ended(SimpleNamespace(pid=os.getppid(), sentinel=None))
        assert not over.wait(0.2)
        monkeypatch.setattr(os, "getppid", lambda: 1)
        assert over.wait(60)
