"""Evaluation: the same numbers for any number of workers, and an end to be had at any time."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import time
import warnings

import numba
import numpy as np
import psutil
import pytest
from problems import Unpicklable, layered_problem, slow_waves, waves_batch, waves_loop
from subprocesses import started, wait_for_line

import fastgrad
from fastgrad.engines.choose import is_numba_function
from fastgrad.engines.python import PythonEngine
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters

pytestmark = pytest.mark.usefixtures("many_short_chunks")

jitted_waves = numba.njit(waves_loop)


class TestSameForAnyNumberOfWorkers:
    @pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
    @pytest.mark.parametrize("n_jobs", [1, 2, 3])
    def test_python_cost(self, backend, n_jobs):
        """A Python cost gives bitwise the same numbers for any n_jobs and backend."""
        problem = layered_problem(samples=200)
        expected = fastgrad.check(problem)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads: Python's own advice
            got = fastgrad.check(problem, n_jobs=n_jobs, backend=backend)
        assert got.n_jobs == n_jobs
        assert np.array_equal(expected.numeric, got.numeric)

    @pytest.mark.parametrize("n_jobs", [2, 3])
    def test_batched_cost(self, n_jobs):
        """A vectorized cost gives bitwise the same numbers for any n_jobs."""
        x = np.random.default_rng(0).normal(size=3000)
        expected = fastgrad.check_gradient(waves_batch, np.cos, x, vectorized=True)
        got = fastgrad.check_gradient(waves_batch, np.cos, x, vectorized=True, n_jobs=n_jobs)
        assert (got.n_jobs, got.engine) == (n_jobs, "batched")
        assert np.array_equal(expected.numeric, got.numeric)

    def test_compiled_cost(self):
        """A Numba cost gives bitwise the same numbers for any n_jobs."""
        x = np.random.default_rng(0).normal(size=3000)
        args = (2.0,)
        expected = fastgrad.check_gradient(jitted_waves, 2 * np.cos(x), x, args=args)
        got = fastgrad.check_gradient(jitted_waves, 2 * np.cos(x), x, args=args, n_jobs=2)
        assert got.n_jobs == 2
        assert np.array_equal(expected.numeric, got.numeric)

    def test_stateful_object(self):
        """A network that keeps its parameters in itself is safe in threads: each worker has its own."""
        from fastgrad.cli.demos.lesson import NeuralNetwork, data

        problem = fastgrad.Problem.from_object(NeuralNetwork(), *data())
        expected = fastgrad.check(problem)
        for backend in ("threading", "loky"):
            got = fastgrad.check(problem, n_jobs=3, backend=backend)
            assert got.n_jobs == 3
            assert np.array_equal(expected.numeric, got.numeric)

    def test_matrix_products(self):
        """A cost that rests on BLAS gives bitwise the same numbers for any n_jobs."""
        problem = layered_problem(samples=5000)
        assert np.array_equal(
            fastgrad.check(problem).numeric, fastgrad.check(problem, n_jobs=2, backend="loky").numeric
        )


class TestChunks:
    def test_progress_adds_up(self):
        """Progress is told of each coordinate once, whoever did it."""
        told = []
        engine = PythonEngine(slow_waves, Parameters(np.ones(50)))

        def watch(chunk, values):
            told.append(len(values))

        evaluate(engine, np.arange(50), np.zeros((50, 2)), Run(n_jobs=2), seconds=1e-3, watch=watch)
        assert sum(told) == 50


INTERRUPTED = """
    import time
    import numpy as np
    import fastgrad

    def cost(x):
        began = time.perf_counter()
        while time.perf_counter() - began < 0.05:
            pass
        return float(np.sum(x))

    if __name__ == "__main__":
        print("started", flush=True)
        x = np.ones(10_000)
        print(fastgrad.check_gradient(cost, x, x, n_jobs=2, backend=BACKEND, coordinates="all"))
"""


@pytest.mark.parametrize("backend", ["loky", "threading", None])
def test_interrupt_reports_at_once_and_leaves_no_worker(tmp_path, backend):
    """Ctrl-C ends a run that would take minutes, and all of its processes, with what is known by then."""
    script = tmp_path / "interrupted.py"
    script.write_text(textwrap.dedent(INTERRUPTED).replace("BACKEND", repr(backend)))
    with started([sys.executable, str(script)]) as run:
        wait_for_line(run, b"started\n")
        children = _children_once_started(run.pid, backend)
        run.send_signal(signal.SIGINT)
        said, error = run.communicate(timeout=30)
    assert run.returncode == 0, error
    assert b"UNDECIDED: interrupted by Ctrl-C" in said
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def _children_once_started(pid, backend):
    """The run's worker processes, once there are two (none with threads)."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children(recursive=True)
        if backend == "threading" or len(children) >= 2:
            time.sleep(1.0)
            return psutil.Process(pid).children(recursive=True)
        time.sleep(0.05)
    raise AssertionError("no workers were started")


def test_one_worker_never_pickles():
    """With one worker nothing is pickled: a cost that cannot be is no matter."""
    assert fastgrad.check_gradient(Unpicklable(), np.cos, np.ones(3), n_jobs=1).notes == ()


def test_jit_is_seen():
    """The tests of compiled costs above really test compiled costs, unless JIT is off."""
    assert is_numba_function(jitted_waves) != (os.environ.get("NUMBA_DISABLE_JIT") == "1")
