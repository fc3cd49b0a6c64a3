"""The joblib loop: bitwise the same for any number of workers, and nothing left behind."""

from __future__ import annotations

import mmap
import os
import re
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
from fastgrad.execution import budget, chunks
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.job import KnownValues
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters

pytestmark = pytest.mark.usefixtures("many_short_chunks")

jitted_waves = numba.njit(waves_loop)


def killer(x):
    """A cost that ends its process, when perturbed."""
    if x[0] != 0.0:
        os._exit(7)
    return 1.0


def interrupts(x):
    """A cost during which Ctrl-C is pressed."""
    raise KeyboardInterrupt


def is_mapped(array):
    """Whether an array's memory is, at bottom, a map of a file."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def where_from(x, data):
    """A cost that says whether its parameters and its data are memory maps: 1 + 2 of 3."""
    return float(is_mapped(x)) + 2.0 * is_mapped(data)


def writes_to_data(x, data):
    """A cost that adds one to its data in each call, and says what it found."""
    data += 1
    return float(np.sum(x)) + 0.0 * data[0]


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


class TestWorkers:
    def test_unpicklable_cost(self):
        """A cost that cannot be pickled gets a clear warning, and is evaluated by one worker."""
        x = np.linspace(0, 1, 30)
        with pytest.warns(
            fastgrad.FastgradWarning, match="cannot be sent to worker .*_thread.lock"
        ) as caught:
            report = fastgrad.check_gradient(Unpicklable(), np.cos, x, n_jobs=2)
        assert caught[0].filename == __file__
        assert (report.n_jobs, report.verdict) == (1, "agree")
        assert 'backend="threading"' in report.notes[0]
        assert f"note: {report.notes[0]}" in str(report)

    def test_unpicklable_cost_in_threads(self):
        """The same cost runs in threads when the user says so."""
        x = np.linspace(0, 1, 30)
        report = fastgrad.check_gradient(Unpicklable(), np.cos, x, n_jobs=2, backend="threading")
        assert (report.n_jobs, report.verdict, report.notes) == (2, "agree", ())

    def test_dead_worker(self):
        """A worker that dies is an error of its own, not a hang."""
        with pytest.raises(fastgrad.WorkerError, match="a worker process died"):
            fastgrad.check_gradient(killer, np.zeros(20), np.zeros(20), n_jobs=2, backend="loky")

    def test_dead_worker_and_a_checkpoint(self, path):
        """The error names the checkpoint from which the next run goes on, which does."""
        x = np.zeros(20)
        words = re.escape(f"What was finished is in the checkpoint {path}: with it the next run goes on")
        with pytest.raises(fastgrad.WorkerError, match=words):
            fastgrad.check_gradient(killer, x, x, n_jobs=2, backend="loky", checkpoint=path)
        assert path.exists()

    def test_parameters_and_data_are_memory_mapped(self):
        """Large parameters and large data reach worker processes as memory maps."""
        engine = PythonEngine(where_from, Parameters(np.zeros(200_000)), (np.zeros(200_000),))
        run = evaluate(engine, np.arange(8), np.zeros((8, 1)), Run(n_jobs=2, backend="loky"), seconds=1e-4)
        assert run.n_jobs == 2
        assert run.values.ravel().tolist() == [3.0] * 8

    def test_a_worker_cannot_write_to_the_callers_data(self):
        """What a cost writes into its data in a worker process stays there."""
        data = np.zeros(200_000)
        engine = PythonEngine(writes_to_data, Parameters(np.zeros(200_000)), (data,))
        evaluate(engine, np.arange(8), np.zeros((8, 1)), Run(n_jobs=2, backend="loky"), seconds=1e-4)
        assert not data.any()

    def test_memory_mapped_parameters_are_not_written(self, tmp_path):
        """Parameters in a memory-mapped file open for writing are left as they were, by workers too."""
        path = tmp_path / "theta.npy"
        np.save(path, np.linspace(0, 1, 200_000))
        before = path.read_bytes()
        theta = np.load(path, mmap_mode="r+")
        report = fastgrad.check_gradient(
            slow_waves, np.cos(theta), theta, coordinates=12, n_jobs=2, backend="loky"
        )
        assert report.passed
        assert report.n_jobs == 2
        theta.flush()
        assert path.read_bytes() == before


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
        options = {"n_jobs": 2, "coordinates": "all", "engine": "python"}
        print(fastgrad.check_gradient(cost, x, x, backend=BACKEND, **options))
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


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kept", [[0, 2], [1, 3], [5], [0, 1, 2, 3, 4], [0, 3, 5]])
def test_every_gap_is_filled(kept, n_jobs, monkeypatch, tmp_path):
    """Wherever chunks are missing all are evaluated, also where the pilot fills the first gap by itself."""
    monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 1e-3, "processes": 1e-3})
    indices, offsets = np.arange(6), np.tile([-0.5, 0.5], (6, 1))
    for run in range(2):
        with Run(n_jobs=n_jobs, backend="threading") as this:
            this.keep_in(Checkpoint(tmp_path / "run", {}))
            engine = PythonEngine(lambda x: float(np.sum(x)), Parameters(np.zeros(6)))
            this.resumption.cost(this.checkpoint, engine.baseline(), 0.0, 2.0**-52)
            if run == 0:
                known = KnownValues.of(engine, indices, offsets, this.checkpoint)
                for k in kept:
                    known.store(slice(k, k + 1), offsets[k : k + 1])
            else:
                found = evaluate(engine, indices, offsets, this, seconds=1e-6)
    assert found.missing is None
    assert np.array_equal(found.values, offsets)


def test_interrupted_while_values_are_compared(tmp_path):
    """Ctrl-C while a kept value is compared ends the check with what is known."""
    indices, offsets = np.arange(6), np.tile([-0.5, 0.5], (6, 1))
    with Run() as this:
        this.keep_in(Checkpoint(tmp_path / "run", {}))
        engine = PythonEngine(lambda x: float(np.sum(x)), Parameters(np.zeros(6)))
        this.resumption.cost(this.checkpoint, engine.baseline(), 0.0, 2.0**-52)
        KnownValues.of(engine, indices, offsets, this.checkpoint).store(slice(1, 3), offsets[1:3])
    with Run() as this:
        this.keep_in(Checkpoint(tmp_path / "run", {}))
        this.resumption.cost(this.checkpoint, 0.0, 0.0, 2.0**-52)
        found = evaluate(
            PythonEngine(interrupts, Parameters(np.zeros(6))), indices, offsets, this, seconds=1e-6
        )
    assert this.budget.stopped == budget.INTERRUPTED
    assert found.missing.tolist() == [True, False, False, True, True, True]


def test_one_worker_never_pickles():
    """With one worker nothing is pickled: a cost that cannot be is no matter."""
    assert fastgrad.check_gradient(Unpicklable(), np.cos, np.ones(3), n_jobs=1).notes == ()


def test_jit_is_seen():
    """The tests of compiled costs above really test compiled costs, unless JIT is off."""
    assert is_numba_function(jitted_waves) != (os.environ.get("NUMBA_DISABLE_JIT") == "1")
