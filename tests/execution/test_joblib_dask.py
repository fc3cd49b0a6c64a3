"""What joblib's backend "dask" says of a cluster, and the sentences where there is none."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from joblib.parallel import BACKENDS

import fastgrad
from fastgrad.errors import InputError
from fastgrad.execution import workers
from fastgrad.execution.joblib_dask import INSTALL, START_A_CLIENT, is_cluster, places


def backend(status="running", patience=0.1, cores=6, processes=2):
    """A backend of joblib's, as far as it is asked."""

    def effective_n_jobs(n_jobs):
        if cores == 0:
            raise TimeoutError
        return cores

    client = SimpleNamespace(status=status, nthreads=lambda: dict.fromkeys(range(processes), 3))
    return SimpleNamespace(
        client=client, wait_for_workers_timeout=patience, effective_n_jobs=effective_n_jobs
    )


def refused():
    """What a check on a cluster says where there is none."""
    x = np.ones(3)
    with pytest.raises(InputError) as caught:
        fastgrad.check_gradient(lambda x: float(np.sum(x**2)), 2 * x, x, backend="dask")
    return str(caught.value)


def test_threads_or_processes():
    """Every thread of a cluster is a place for what is safe in threads, else every process is one."""
    assert (places(backend(), threads=True), places(backend(), threads=False)) == (6, 2)


@pytest.mark.parametrize("status", ["closed", "connecting"])
def test_a_client_that_is_not_there(status):
    """A client that was closed, or has lost its scheduler, is named so."""
    with pytest.raises(InputError, match=f"backend is {status}: start a dask client first"):
        places(backend(status), threads=True)


def test_no_worker():
    """A cluster without workers is named so, with joblib's option for waiting longer."""
    with pytest.raises(InputError, match=r"no worker after 0.1 s: start some .*wait_for_workers_timeout"):
        places(backend(cores=0), threads=True)


def test_no_client():
    """Without a client the sentence says how to start one."""
    pytest.importorskip("distributed")
    assert refused() == f'backend="dask": {START_A_CLIENT} [FG403]'


def test_no_dask(monkeypatch):
    """Without dask the sentence says what to install."""

    def missing(**options):
        raise ValueError("dask is not installed")

    monkeypatch.setitem(BACKENDS, "dask", missing)
    monkeypatch.setattr(workers, "is_installed", lambda: False)
    assert refused() == f'backend="dask": {INSTALL} [FG403]'


def test_other_backends_are_no_cluster():
    """Only dask's own backend is one."""
    assert not is_cluster(backend())
    assert not is_cluster(BACKENDS["loky"]())
