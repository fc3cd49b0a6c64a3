"""The joblib loop: bitwise the same for any number of workers, and nothing left behind."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import joblib
import numba
import numpy as np
import psutil
import pytest
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st
from problems import Unpicklable, layered_problem, slow_waves, waves_batch, waves_loop

import fastgrad
from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.choose import is_numba_function
from fastgrad.engines.python import PythonEngine
from fastgrad.execution import chunks, job
from fastgrad.execution import evaluate as evaluate_module
from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint import NoCheckpoint
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.execution.workers import Workers, choose_workers, one_blas_thread
from fastgrad.problem.parameters import Parameters

jitted_waves = numba.njit(waves_loop)


def blas_threads(x):
    """A cost that is the number of threads its BLAS may use."""
    return float(
        max(info["num_threads"] for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas")
    )


def killer(x):
    """A cost that ends its process, when perturbed."""
    if x[0] != 0.0:
        os._exit(7)
    return 1.0


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


@pytest.fixture(autouse=True)
def _many_short_chunks(monkeypatch):
    """Hand over even short work, so that small tests really run in parallel."""
    monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 0.0, "processes": 0.0})
    monkeypatch.setattr(evaluate_module, "WORTH_STARTING", {"threads": 0.0, "processes": 0.0})
    monkeypatch.setattr(chunks, "SHORTEST_CHUNK", {"threads": 1e-5, "processes": 1e-5})


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


def job_of(engine, total, prices):
    """A plan of so many coordinates of which nothing is known yet."""
    indices, offsets = np.arange(total), np.empty((total, 2))
    kept = job.KnownValues.of(engine, indices, offsets, NoCheckpoint())
    return job.Job(engine, indices, offsets, kept, prices, Budget())


class TestChunks:
    @given(
        total=st.integers(1, 5000),
        done=st.integers(0, 5000),
        seconds=st.floats(1e-8, 10),
        count=st.integers(1, 64),
        n=st.integers(1, 10_000),
        seed=st.integers(0, 1000),
    )
    def test_partition(self, total, done, seconds, count, n, seed):
        """Chunks cover what is left, once each, and start at multiples of the granularity."""
        prices = np.random.default_rng(seed).uniform(0.1, 10, total)
        engine = BatchedEngine(waves_batch, Parameters(np.ones(n)))
        done = min(total, done) // engine.granularity * engine.granularity
        work = job_of(engine, total, prices)
        pieces = list(chunks.cut(work, slice(done, total), seconds, Workers(count, "threads")))
        assert [i for c in pieces for i in range(c.start, c.stop)] == list(range(done, total))
        assert all(c.start % engine.granularity == 0 for c in pieces)

    def test_dear_coordinates_make_short_chunks(self):
        """Chunks are cut to take as long: where a coordinate costs ten times as much they hold a tenth."""
        engine = PythonEngine(slow_waves, Parameters(np.ones(4000)))
        work = job_of(engine, 4000, np.repeat([1.0, 10.0], 2000))
        pieces = list(chunks.cut(work, slice(0, 4000), 1e-3, Workers(2, "threads")))
        lengths = [c.stop - c.start for c in pieces]
        assert lengths[0] == 10 * lengths[-2]
        assert max(work.price(c) for c in pieces) <= 1.2 * min(work.price(c) for c in pieces[:-1])

    def test_progress_adds_up(self):
        """Progress is told of each coordinate once, whoever did it."""
        told = []
        engine = PythonEngine(slow_waves, Parameters(np.ones(50)))

        def watch(chunk, values):
            told.append(len(values))

        evaluate(engine, np.arange(50), np.zeros((50, 2)), Run(n_jobs=2), seconds=1e-3, watch=watch)
        assert sum(told) == 50


class TestJoblibsWords:
    def test_default_is_one_worker(self):
        """Without n_jobs there is one worker, as joblib has it."""
        assert choose_workers(PythonEngine(slow_waves, Parameters(np.ones(1))), None, None).count == 1

    @pytest.mark.parametrize("n_jobs", [2, 5])
    def test_parallel_config_sets_n_jobs(self, n_jobs):
        """n_jobs of joblib.parallel_config is respected, for processes and for threads."""
        p = Parameters(np.ones(1))
        with joblib.parallel_config(n_jobs=n_jobs):
            python = choose_workers(PythonEngine(slow_waves, p), None, None)
            batched = choose_workers(BatchedEngine(waves_batch, p), None, None)
        assert (python.count, python.kind) == (n_jobs, "processes")
        assert (batched.count, batched.kind) == (n_jobs, "threads")

    def test_parallel_config_sets_the_backend(self):
        """A backend of joblib.parallel_config is respected."""
        with joblib.parallel_config(backend="threading", n_jobs=3):
            workers = choose_workers(PythonEngine(slow_waves, Parameters(np.ones(1))), None, None)
        assert (workers.count, workers.kind) == (3, "threads")

    def test_negative_n_jobs(self):
        """n_jobs=-1 is all cores."""
        workers = choose_workers(PythonEngine(slow_waves, Parameters(np.ones(1))), -1, None)
        assert workers.count == joblib.cpu_count()

    def test_inside_a_worker_a_python_cost_stays_serial(self):
        """Inside a joblib worker a Python cost is not spread over nested threads."""
        engine = PythonEngine(slow_waves, Parameters(np.ones(1)))
        inside = joblib.Parallel(n_jobs=2, backend="loky")(
            joblib.delayed(choose_workers)(engine, 2, None) for _ in range(2)
        )
        assert [w.count for w in inside] == [1, 1]


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


class TestBlas:
    def test_restored(self):
        """BLAS has one thread inside, and as many as before outside, also after an exception."""
        before = threadpoolctl.threadpool_info()
        with one_blas_thread():
            assert blas_threads(None) == 1
        with pytest.raises(KeyError), one_blas_thread():
            {}.pop("nothing")
        assert threadpoolctl.threadpool_info() == before

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_one_thread_in_each_worker(self, n_jobs):
        """The cost finds BLAS on one thread in every worker."""
        zeros = np.zeros(8)
        report = fastgrad.check_gradient(blas_threads, zeros, zeros, n_jobs=n_jobs, backend="loky")
        assert report.cost == 1
        assert not report.numeric.any()

    def test_restored_in_the_worker(self):
        """A worker process, which joblib may lend to others next, gets its BLAS threads back."""
        get = joblib.delayed(blas_threads)
        run = joblib.Parallel(n_jobs=2, backend="loky")
        before = run(get(None) for _ in range(4))
        fastgrad.check_gradient(blas_threads, np.zeros(8), np.zeros(8), n_jobs=2, backend="loky")
        assert run(get(None) for _ in range(4)) == before


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
    run = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout.readline() == b"started\n"
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
