"""How many workers run, of what kind; BLAS on one thread meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import threadpoolctl
from problems import slow_waves, waves_batch
from subprocesses import output_of, output_of_python

import fastgrad
from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.execution.workers import choose_workers, one_blas_thread
from fastgrad.problem.parameters import Parameters

pytestmark = pytest.mark.usefixtures("many_short_chunks")


def blas_threads(x):
    """A cost that is the number of threads its BLAS may use."""
    return float(
        max(info["num_threads"] for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas")
    )


EXECUTOR = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import fastgrad
from problems import slow_waves, waves_batch

x = np.linspace(0, 1, 600)
if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(sys.argv[1])) as executor:
        check = fastgrad.check_gradient
        report = executor.submit(check, slow_waves, np.cos(x), x, n_jobs=2, engine="python").result()
        batch = executor.submit(check, waves_batch, np.cos(x), x, n_jobs=2, vectorized=True).result()
    print(report.verdict, report.n_jobs, batch.verdict)
"""


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

    @pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
    def test_inside_a_process_of_multiprocessing(self, method):
        """A check in a worker of an executor uses one worker, and the executor ends."""
        tests = os.pathsep.join(map(str, (Path(__file__).parents[1], Path(fastgrad.__file__).parents[1])))

        assert output_of_python(EXECUTOR, method, PYTHONPATH=tests) == "agree 1 agree\n"

    def test_in_a_daemon(self):
        """In a pool, whose processes may start none, one worker is used without a warning."""
        engine = PythonEngine(slow_waves, Parameters(np.ones(1)))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            workers = pool.apply(choose_workers, (engine, 2, None))
        assert (workers.count, workers.kind) == (1, "threads")


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


RAY = """
import numpy as np
import ray
from ray.util.joblib import register_ray
import fastgrad
from problems import slow_waves

ray.init(num_cpus=2, include_dashboard=False, logging_level="critical", object_store_memory=100 * 2**20)
register_ray()
x = np.linspace(0, 1, 200)
options = {"engine": "python", "coordinates": "all"}
here = fastgrad.check_gradient(slow_waves, np.cos(x), x, **options)
there = fastgrad.check_gradient(slow_waves, np.cos(x), x, n_jobs=2, backend="ray", **options)
print(there.verdict, there.n_jobs, (here.numeric == there.numeric).all())
ray.shutdown()
"""


def test_ray():
    """joblib's backend of ray gives the same derivatives, on workers that ray has started."""
    pytest.importorskip("ray")
    tests = os.pathsep.join(map(str, (Path(__file__).parents[1], Path(fastgrad.__file__).parents[1])))
    said = output_of([sys.executable, "-c", RAY], PYTHONPATH=tests, RAY_USAGE_STATS_ENABLED="0")
    assert said.splitlines()[-1] == "agree 2 True"
