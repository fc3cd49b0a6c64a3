"""What joblib's backend "dask" says of a cluster: how many workers there are, or in one sentence why none.

`workers` asks it. joblib is handed a client by `parallel_config`, or takes the one that dask was given last.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from fastgrad.errors import InputError

START_A_CLIENT = (
    "start a dask client first: `from dask.distributed import Client; client = Client()` for workers on this "
    'machine, Client("HOST:8786") for those of a scheduler'
)

INSTALL = 'dask is not installed: pip install "fastgrad[dask]"'


def is_cluster(active: Any) -> bool:
    """Whether a joblib backend is dask's."""
    module = sys.modules.get("joblib._dask")
    return module is not None and isinstance(active, module.DaskDistributedBackend)


def is_installed() -> bool:
    """Whether there is a dask that has workers."""
    return importlib.util.find_spec("distributed") is not None


def places(active: Any, threads: bool) -> int:
    """How many chunks a cluster evaluates side by side.

    Parameters
    ----------
    active : joblib's backend
    threads : whether threads of one process may; else each process takes one

    Raises
    ------
    InputError
        Where the client is closed, or no worker comes.
    """
    if active.client.status != "running":
        raise InputError(
            f"the dask client of joblib's backend is {active.client.status}: {START_A_CLIENT}", code="FG842"
        )
    try:
        cores = active.effective_n_jobs(-1)  # it waits for workers, as joblib's option says
    except TimeoutError as error:
        raise InputError(
            f"the dask cluster has no worker after {active.wait_for_workers_timeout:g} s: start some "
            "(`dask worker ADDRESS`), or wait longer, by joblib's option wait_for_workers_timeout",
            code="FG842",
        ) from error
    return max(1, int(cores) if threads else len(active.client.nthreads()))
