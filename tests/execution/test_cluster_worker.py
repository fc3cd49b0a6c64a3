"""What runs in a worker: engines that threads share or take turns with, BLAS on one thread, and refusals."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import numpy as np
import pytest
import threadpoolctl
from problems import waves, waves_batch

import fastgrad
from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.execution import cluster_worker
from fastgrad.execution.cluster_worker import evaluated, task
from fastgrad.execution.parcel import packed
from fastgrad.execution.processes import Raised
from fastgrad.problem.parameters import Parameters

INDICES, OFFSETS = np.arange(3), np.full((3, 1), 0.5)


class Watched:
    """A cost that counts how many threads are within it at once."""

    most = inside = 0
    lock = threading.Lock()
    wait = threading.Event()

    def __call__(self, batch):
        """The cost, of one point or of many."""
        kind = type(self)
        with self.lock:
            kind.inside += 1
            kind.most = max(kind.most, kind.inside)
        kind.wait.wait(0.05)
        with self.lock:
            kind.inside -= 1
        return waves(batch) if batch.ndim == 1 else waves_batch(batch)

    def __reduce__(self):
        return Watched, ()


@pytest.fixture
def watched():
    """The class above, with nothing counted."""
    Watched.most = Watched.inside = 0
    return Watched


def by_four_threads(engine):
    """The values of one chunk by each of four threads."""
    rest, arrays = packed(engine)
    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(evaluated, "tcp://x", rest, arrays, INDICES, OFFSETS) for _ in range(4)]
        return [future.result() for future in futures]


def test_a_python_cost_by_one_thread_at_a_time(watched):
    """A plain Python cost, which may keep state, is called by one thread of a process."""
    found = by_four_threads(PythonEngine(watched(), Parameters(np.ones(3))))
    assert watched.most == 1
    assert len({values.tobytes() for values in found}) == 1


def test_others_by_all_threads(watched):
    """The twin: an engine that is safe in threads is used by several, each with parameters of its own."""
    engine = BatchedEngine(watched(), Parameters(np.ones(3)))
    found = by_four_threads(engine)
    assert watched.most > 1
    assert len({values.tobytes() for values in found}) == 1


def test_an_engine_is_made_once(monkeypatch):
    """Chunks of one engine share it for as long as the worker holds its pickle."""
    from fastgrad.execution import parcel

    made = []
    monkeypatch.setattr(parcel, "unpacked", lambda *a, real=parcel.unpacked: (made.append(1), real(*a))[1])
    rest, arrays = packed(PythonEngine(waves, Parameters(np.ones(3))))
    for _ in range(3):
        evaluated("tcp://x", rest, arrays, INDICES, OFFSETS)
    assert len(made) == 1
    assert id(rest) in cluster_worker._MADE
    address = id(rest)
    del rest
    gc.collect()
    assert address not in cluster_worker._MADE


def test_what_the_cost_raises():
    """What the cost raises is an answer, which travels as that of a worker process does."""

    def cost(x):
        raise LookupError("no such table")

    answer = evaluated("tcp://x", *packed(PythonEngine(cost, Parameters(np.ones(3)))), INDICES, OFFSETS)
    assert isinstance(answer, Raised)
    assert isinstance(answer.error(), LookupError)


def test_a_cost_that_cannot_be_made():
    """A pickle that needs what the worker lacks is refused, with what it lacks."""
    rest = np.frombuffer(b"cno_such_module\nf\n.", dtype=np.uint8)
    kind, where, found = evaluated("tcp://x", rest, [], INDICES, OFFSETS)
    assert (kind, where) == (cluster_worker.UNMADE, "tcp://x")
    assert found == "ModuleNotFoundError: No module named 'no_such_module'"


def blas_threads():
    """The number of threads that BLAS may use."""
    return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")


def test_blas_until_the_last_thread_has_done():
    """BLAS has one thread until the last of several threads is done, and then as many as before."""
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        first, second = cluster_worker._BLAS.held(), cluster_worker._BLAS.held()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == 1
        second.__exit__(None, None, None)
        assert blas_threads() == before


class Worker:
    """What dask says of the worker that runs a task."""

    address = "tcp://10.0.0.1:1234"


class TestTheTask:
    @pytest.fixture
    def there(self, monkeypatch):
        """The task as a worker gets it."""
        distributed = pytest.importorskip("distributed")
        monkeypatch.setattr(distributed, "get_worker", Worker)
        return cloudpickle.loads(cloudpickle.dumps(task()))

    def test_it_names_no_module_of_fastgrad(self):
        """The task is sent as code: a worker that lacks fastgrad can load it."""
        data = cloudpickle.dumps(task())
        assert len(data) < 3000
        assert b"\x8c\x1bfastgrad.execution.cluster_worker\x94\x8c\x04task" not in data

    def test_values(self, there):
        """With the caller's version of fastgrad it gives values."""
        engine = PythonEngine(waves, Parameters(np.ones(3)))
        found = there(fastgrad.__version__, *packed(engine), INDICES, OFFSETS)
        assert found.tolist() == engine.values(INDICES, OFFSETS).tolist()

    def test_another_version(self, there):
        """With another version it refuses."""
        assert there("0.0.1") == (cluster_worker.ANOTHER, Worker.address, fastgrad.__version__)

    def test_no_fastgrad(self, there, monkeypatch):
        """Without fastgrad it refuses."""
        monkeypatch.setitem(__import__("sys").modules, "fastgrad._version", None)
        kind, where, found = there(fastgrad.__version__)
        assert (kind, where) == (cluster_worker.ABSENT, Worker.address)
        assert "fastgrad" in found
