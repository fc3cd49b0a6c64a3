"""Chunks on a dask cluster of two worker processes: the same report, whatever happens to the workers."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import joblib
import numba
import numpy as np
import pytest
import threadpoolctl
from dask_cases import (
    Racing,
    cluster_of,
    hidden_cost,
    hidden_gradient,
    in_worker,
    killing_cost,
    limited,
    limited_ends,
    local_and_remote,
    plain_cost,
    plain_gradient,
)
from problems import Unpicklable, slow_waves, waves_loop

import fastgrad
from fastgrad.engines.python import PythonEngine
from fastgrad.errors import FastgradWarning, InputError, WorkerError
from fastgrad.execution import cluster as cluster_module
from fastgrad.execution.budget import Budget
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters

pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("many_short_chunks")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of one thread each, for all tests of this module."""
    with limited_ends(cluster_of(2)) as client:
        yield client


@pytest.fixture
def client(cluster):
    """Their client, with both workers there and nothing held, before and after; within a limit."""
    with limited():
        cluster.wait_for_workers(2)
        yield cluster
        cluster.wait_for_workers(2)
        wait_for(lambda: held_by(cluster) == [])


def held_by(client):
    """The keys that the scheduler knows."""
    return client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))


def blas_threads():
    """The number of threads that BLAS may use."""
    return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")


def wait_for(condition):
    """Wait until a condition holds; the limit of the test ends it."""
    while not condition():
        time.sleep(0.02)


def without_times(report):
    """What a report says, but for the seconds and the number of workers."""
    said = json.loads(report.to_json())
    return {name: value for name, value in said.items() if name not in ("seconds", "n_jobs")}


def hidden():
    """A recorded cost with data that travels apart."""
    rng = np.random.default_rng(1)
    return fastgrad.Problem(
        hidden_cost, hidden_gradient, rng.normal(size=(40, 8)) / 9, (rng.normal(size=(300, 40)),)
    )


def plain(n=60):
    """A plain Python cost with data that travels apart."""
    X = np.random.default_rng(0).normal(size=(300, 50))
    return fastgrad.Problem(plain_cost, plain_gradient, np.linspace(0, 3, n), (X,))


def slow(n=200):
    """A cost of a millisecond."""
    x = np.linspace(0.1, 1, n)
    return fastgrad.Problem(slow_waves, lambda x: np.cos(x), x)


def network():
    """A network that fastgrad knows."""
    layers = [fastgrad.Dense(12, 9), fastgrad.Tanh(), fastgrad.Dense(9, 4)]
    net = fastgrad.Network(layers, loss=fastgrad.SoftmaxCrossEntropy())
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(30, 12)), rng.integers(0, 4, 30)
    return net.problem(net.initial_parameters(0), X, Y)


def compiled():
    """A cost that Numba compiles."""
    x = np.linspace(0, 3, 400)
    return fastgrad.Problem(numba.njit(waves_loop), lambda x: np.cos(x), x)


class TestTheSameReport:
    @pytest.mark.parametrize(
        ("make", "engine"),
        [(plain, "python"), (hidden, "traced"), (compiled, "compiled"), (network, "network")],
    )
    def test_as_locally(self, client, make, engine):
        """The report of a plain, recorded, compiled or known cost is that of a check in one process."""
        del client
        here, there = local_and_remote(make(), engine=engine)
        assert (here.passed, there.engine) == (True, engine)
        assert (here.n_jobs, there.n_jobs) == (1, 2)
        assert without_times(there) == without_times(here)

    def test_a_wrong_gradient(self, client):
        """The twin: a wrong coordinate is found there as here."""
        del client
        right = plain()
        wrong = fastgrad.Problem(
            plain_cost,
            lambda x, X: plain_gradient(x, X) + 0.1 * (np.arange(60) == 7),
            right.params,
            right.args,
        )
        here, there = local_and_remote(wrong)
        assert [w.flat_index for w in there.wrong] == [7]
        assert without_times(there) == without_times(here)

    def test_parallel_config(self, client):
        """joblib.parallel_config says which client, and how its tasks are submitted."""
        with joblib.parallel_config(backend="dask", client=client, priority=5):
            report = fastgrad.check(slow(), engine="python")
        assert (report.passed, report.n_jobs) == (True, 2)

    def test_blas(self, client):
        """BLAS has one thread in the workers, and afterwards as many as before."""
        before = client.run(blas_threads)

        def cost(x):
            if in_worker() and blas_threads() > 1:
                raise RuntimeError("BLAS has several threads")
            return float(np.sum(np.sin(x)))

        x = np.linspace(0, 1, 30)
        report = fastgrad.check_gradient(cost, lambda x: np.cos(x), x, backend="dask", engine="python")
        assert (report.passed, report.n_jobs) == (True, 2)
        assert client.run(blas_threads) == before

    def test_within_a_task(self, client):
        """Checks in tasks on all workers use all workers: each gives up its own place while it waits."""
        tasks = [
            client.submit(
                fastgrad.check, slow(), engine="python", backend="dask", pure=False, workers=[worker]
            )
            for worker in client.nthreads()
        ]
        assert [(task.result().passed, task.result().n_jobs) for task in tasks] == [(True, 2), (True, 2)]


class TestWhatIsSent:
    def test_data_once(self, client, monkeypatch):
        """However many plans and chunks there are, an array of the user's is sent once."""
        sent = []
        scatter = client.scatter
        monkeypatch.setattr(client, "scatter", lambda a, **k: (sent.append(a), scatter(a, **k))[1])
        problem = plain()
        assert fastgrad.check(problem, backend="dask").n_jobs == 2
        assert [a.nbytes for a in sent].count(problem.args[0].nbytes) == 1
        assert sum(a.nbytes for a in sent) < 1.5 * problem.args[0].nbytes

    def test_chunks_are_small(self, client, monkeypatch):
        """What is submitted with a chunk is its coordinates, in pieces that dask does not warn of."""
        monkeypatch.setattr(cluster_module, "MOST_BYTES", 500)
        rows = []
        submit = client.submit
        monkeypatch.setattr(client, "submit", lambda *a, **k: (rows.append(a[4].nbytes), submit(*a, **k))[1])
        here, there = local_and_remote(plain())
        assert max(rows) <= 500
        assert without_times(there) == without_times(here)

    def test_what_cannot_be_sent(self, client):
        """A cost with a lock is evaluated by one worker, the caller, and the report says why."""
        del client
        x = np.linspace(0, 1, 12)
        with pytest.warns(FastgradWarning, match="cannot be sent to worker processes"):
            report = fastgrad.check_gradient(
                Unpicklable(), lambda x: np.cos(x), x, backend="dask", engine="python"
            )
        assert report.n_jobs == 1


class TestLostWorkers:
    @pytest.mark.parametrize(("deaths", "each_once"), [(1, False), (2, True)])
    def test_costs_time_only(self, client, tmp_path, deaths, each_once):
        """A worker that is killed in the middle, or both with all the data, change nothing in the report."""
        x = np.linspace(0, 1, 40)
        data = np.ones(10_000)

        def cost(x, data):
            return killing_cost(x, str(tmp_path), deaths, each_once)

        problem = fastgrad.Problem(cost, lambda x, data: np.cos(x), x, (data,))
        before = client.run(os.getpid)
        here, there = local_and_remote(problem, engine="python")
        assert len(list(tmp_path.iterdir())) == deaths
        assert here.passed
        assert without_times(there) == without_times(here)
        client.wait_for_workers(2)
        wait_for(lambda: len(client.run(os.getpid)) == 2)
        assert len(set(client.run(os.getpid).values()) - set(before.values())) == deaths

    def test_a_cost_that_kills(self, tmp_path, monkeypatch):
        """A cost that kills every worker ends the check with a sentence."""
        monkeypatch.setattr(cluster_module, "MOST_LOSSES", 1)
        x = np.linspace(0, 1, 4)

        def cost(x):
            return killing_cost(x, str(tmp_path), 100, False)

        died = pytest.raises(WorkerError, match=r"on the dask cluster .*workers died")
        with limited(), cluster_of(2), died:
            fastgrad.check_gradient(cost, lambda x: np.cos(x), x, backend="dask", engine="python")
        assert len(list(tmp_path.iterdir())) > 1


class TestEarlyEnds:
    def test_an_exception_of_the_cost(self, client):
        """What the cost raises in a worker comes home with its type and the worker's traceback."""
        del client

        def cost(x):
            if in_worker():
                raise LookupError("no such table")
            return float(np.sum(np.sin(x)))

        x = np.linspace(0, 1, 30)
        with pytest.raises(LookupError, match="no such table") as caught:
            fastgrad.check_gradient(cost, lambda x: np.cos(x), x, backend="dask", engine="python")
        assert any("in a worker process" in note for note in caught.value.__notes__)

    @pytest.mark.parametrize("first", ["ndarray-", "fastgrad-"])
    def test_ctrl_c(self, client, first):
        """Ctrl-C, while data is sent or chunks run, gives a report, and leaves nothing in the workers."""
        x = np.linspace(0.1, 1, 4000)

        def interrupt():
            wait_for(lambda: any(key.startswith(first) for key in held_by(client)))
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        report = fastgrad.check_gradient(
            slow_waves, np.cos(x), x, backend="dask", coordinates="all", engine="python"
        )
        thread.join()
        assert report.stopped == "interrupted"
        wait_for(lambda: held_by(client) == [])

    def test_budget(self, client):
        """At the end of a budget what is known by then is returned, and nothing is left in the workers."""
        engine = PythonEngine(slow_waves, Parameters(np.zeros(20_000)))
        budget = Budget(seconds=1.5)
        with Run(backend="dask", budget=budget) as run:
            found = evaluate(engine, np.arange(20_000), np.full((20_000, 1), 0.5), run, seconds=1e-3)
        assert budget.stopped == "the 1.5 seconds of the budget are over"
        assert found.n_jobs == 2
        assert 0 < found.missing.sum() < 20_000
        assert (found.values[~found.missing] == np.sin(0.5)).all()
        wait_for(lambda: held_by(client) == [])

    def test_the_checkpoint_stays_here(self, client, path):
        """Values from the cluster are in the caller's checkpoint, and a local run goes on there."""
        del client
        problem = plain()
        first = fastgrad.check(problem, backend="dask", checkpoint=path)
        again = fastgrad.check(problem, checkpoint=path)
        assert any("came from the checkpoint" in note for note in again.notes)
        assert again.numeric.tolist() == first.numeric.tolist()


class TestOtherSurroundings:
    @pytest.fixture
    def changed(self, client):
        """A function that changes modules of all workers; they are restarted afterwards."""

        def change(name, value, attribute=None):
            def there():
                import sys

                if attribute is None:
                    sys.modules[name] = value
                else:
                    setattr(__import__(name, fromlist=["x"]), attribute, value)

            client.run(there)

        yield change
        client.restart()

    def refused(self):
        """What a check on the cluster says."""
        with pytest.raises(InputError) as caught:
            fastgrad.check(plain(), backend="dask")
        return str(caught.value)

    def test_no_fastgrad(self, changed):
        """A worker without fastgrad is named, with what to install."""
        changed("fastgrad._version", None)
        said = self.refused()
        assert said.startswith("the dask worker tcp://127.0.0.1:")
        assert "has no fastgrad (" in said
        assert f"install fastgrad {fastgrad.__version__} there" in said

    def test_another_version(self, changed):
        """A worker with another version is named, with both."""
        changed("fastgrad._version", "0.0.1", "__version__")
        assert f"has fastgrad 0.0.1, and this is {fastgrad.__version__}" in self.refused()

    def test_a_module_that_is_missing(self, changed):
        """A worker that lacks the cost's own module is named, with how to send it."""
        changed("dask_cases", None)
        said = self.refused()
        assert "cannot make the cost (ModuleNotFoundError" in said
        assert "client.upload_file" in said


class TestTheClusterEnds:
    def test_a_closed_client(self):
        """A client that was closed since joblib was told of it is no client."""
        with limited(), cluster_of(1) as client, joblib.parallel_config(backend="dask", client=client):
            client.close()
            with pytest.raises(InputError, match="dask client of joblib's backend is closed: start a dask"):
                fastgrad.check(plain())

    def test_a_cluster_that_ends(self):
        """Where the scheduler ends while a check runs, the check ends with a sentence."""
        x = np.linspace(0.1, 1, 4000)
        with limited(), cluster_of(2) as client:

            def end():
                wait_for(lambda: held_by(client) != [])
                client.cluster.close()

            thread = threading.Thread(target=end)
            thread.start()
            with pytest.raises(WorkerError, match="on the dask cluster"):
                fastgrad.check_gradient(
                    slow_waves, np.cos(x), x, backend="dask", coordinates="all", engine="python"
                )
            thread.join()


def test_workers_that_are_threads_of_this_process():
    """A cluster within the caller's process gives the same, and its BLAS threads are as before."""
    before = blas_threads()
    with limited(), cluster_of(2, processes=False):
        here, there = local_and_remote(plain(), engine="python")
    assert without_times(there) == without_times(here)
    assert there.n_jobs == 2
    assert blas_threads() == before


def test_threads_of_one_worker_take_turns():
    """A plain Python cost that keeps state is called by one thread of a worker at a time, others by all."""
    x = np.linspace(0.1, 1, 60)
    with limited(), cluster_of(2, threads=2):
        report = fastgrad.check_gradient(Racing(), lambda x: np.cos(x), x, backend="dask", engine="python")
        compiled_there = fastgrad.check(compiled(), backend="dask")
    assert (report.passed, report.n_jobs) == (True, 2)
    assert (compiled_there.passed, compiled_there.n_jobs) == (True, 4)
