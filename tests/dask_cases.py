"""A dask cluster for tests, with a limit on each test, and the costs that its workers load."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

import fastgrad

LONGEST = 60
"""Seconds after which a test with a cluster fails: the longest takes a few, and none may hang."""

DEATHS = 3
"""So many deaths of its worker one task survives in these tests."""

SETTINGS = {
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.admin.tick.limit": "1h",  # a busy machine is nothing to log
    "distributed.comm.timeouts.connect": "10s",
    "distributed.worker.memory.terminate": False,
    # dask sets 1, and then a test could not see who holds BLAS to one thread
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 2, "OPENBLAS_NUM_THREADS": 2},
    "distributed.deploy.lost-worker-timeout": "1h",  # else LocalCluster ends the nanny of a worker that died
}


@contextlib.contextmanager
def limited(seconds=LONGEST):
    """Fail after so many seconds, whatever the main thread waits for; what cleans up has as many again."""
    if not hasattr(signal, "SIGALRM"):
        pytest.skip("no alarm that could end a test that hangs")

    def fail(*what):
        del what
        pytest.fail(f"it took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def cluster_of(workers=2, threads=1, processes=True):
    """A client of workers on this machine, in processes or not; all of them have ended afterwards."""
    pytest.importorskip("distributed")
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=processes,
            host="127.0.0.1" if processes else None,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=60,  # workers that a test kills are lost on purpose
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def limited_ends(manager, seconds=LONGEST):
    """Enter and leave a context within so many seconds each; what is inside has limits of its own."""
    with limited(seconds):
        entered = manager.__enter__()
    try:
        yield entered
    finally:
        with limited(seconds):
            manager.__exit__(None, None, None)


def plain_cost(x, X):
    """Plain Python that no recorder follows."""
    return sum(float(np.sin(x[k])) * float(X[k, 0]) for k in range(x.size))


def plain_gradient(x, X):
    """Its gradient."""
    return np.cos(x) * X[: x.size, 0]


def hidden_cost(W, X):
    """What fastgrad records."""
    return 0.5 * np.sum(np.tanh(np.tanh(X @ W) @ W.T) ** 2)


def hidden_gradient(W, X):
    """Its gradient by back-propagation."""
    a = np.tanh(X @ W)
    b = np.tanh(a @ W.T)
    d = b * (1 - b**2)
    return X.T @ ((d @ W) * (1 - a**2)) + d.T @ a


def in_worker():
    """Whether this is a worker process."""
    return multiprocessing.parent_process() is not None


def killing_cost(x, marks, deaths, each_once):
    """A cost that kills its worker so many times, as files say; each process only once, or the same again."""
    if in_worker() and not (each_once and os.path.exists(f"{marks}/{os.getpid()}")):
        for number in range(deaths):
            with contextlib.suppress(FileExistsError):
                os.close(os.open(f"{marks}/{number}", os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
    return float(np.sum(np.sin(x)))


class Racing:
    """A cost that keeps its parameters in itself, and looks at them a little later."""

    def __call__(self, x):
        """The sum of sines, a little later."""
        self.x = x.copy()
        time.sleep(2e-4)
        return float(np.sum(np.sin(self.x)))


def local_and_remote(problem, **options):
    """The report of a check in this process, and that of the same check on the cluster."""
    return fastgrad.check(problem, **options), fastgrad.check(problem, backend="dask", **options)
