"""The workers of joblib: how many, threads or processes, and how tasks run on them.

`evaluate` and `processes` run their chunks by `run_tasks`.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import threadpoolctl

from fastgrad.engines.protocol import Engine
from fastgrad.errors import InputError
from fastgrad.execution.dropped_tasks import dropped_quietly
from fastgrad.execution.joblib_dask import INSTALL, START_A_CLIENT, is_cluster, is_installed, places
from fastgrad.execution.worker_life import Beginning, signals_held

LARGEST_COPY = 2**28
"""Bytes of parameters of which each thread may have a copy of its own; of larger ones one thread has one."""


@dataclass(frozen=True)
class Workers:
    """How chunks will run: how many workers, in threads or processes, by which joblib backend."""

    count: int
    kind: str  # "threads", "processes", or "cluster": processes that were there before
    backend: Any = None
    """The backend that the user named; None where the choice is left to joblib and to us."""


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS on one thread inside, and as it was before afterwards.

    Held for one worker as for many: a product summed by another number of threads rounds differently,
    and values must be bitwise the same for any n_jobs.
    """
    with _thread_pools(len(sys.modules)).limit(limits=1, user_api="blas"):
        yield


@functools.lru_cache(maxsize=1)
def _thread_pools(modules: int) -> threadpoolctl.ThreadpoolController:
    """The BLAS libraries loaded so far, looked for again (2 ms) only when a module was imported since."""
    del modules
    return threadpoolctl.ThreadpoolController()


def choose_workers(engine: Engine, n_jobs: int | None, backend: Any) -> Workers:
    """How many workers joblib would use, and whether they share memory.

    Inside a joblib worker a Python cost stays serial, whatever n_jobs says: joblib would nest threads
    there, and a Python cost may hold state. So it does inside a process of multiprocessing, such as a worker
    of ProcessPoolExecutor: at its end it would wait for joblib's workers, and they for the next task.
    """
    alone = Workers(1, "threads")
    if engine.workers == "one" or (backend is None and n_jobs == 1):
        return alone
    if n_jobs is None and backend is None and "joblib" not in sys.modules:
        return alone  # nobody can have configured joblib: not worth the 0.2 s of importing it
    from multiprocessing import parent_process

    import joblib

    try:
        active = active_backend(engine.workers, backend)
        if is_cluster(active):
            return Workers(places(active, engine.workers == "threads"), "cluster", backend)
        if backend is None and _starts_processes(active) and parent_process() is not None:
            return alone
        with _named_backend(backend):
            count = joblib.effective_n_jobs(n_jobs)
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        raise InputError(_backend_message(backend, n_jobs, error), code="FG403") from error
    shares_memory = getattr(active, "supports_sharedmem", False)
    if shares_memory and backend is None and _copy_of(engine) > LARGEST_COPY:
        return alone
    nested = bool(getattr(active, "nesting_level", 0)) and backend is None
    if nested and shares_memory and engine.workers == "processes":
        return alone
    return Workers(count, "threads" if shares_memory else "processes", backend)


def _copy_of(engine: Engine) -> int:
    """Bytes of a private copy of what the engine moves."""
    return sum(leaf.nbytes for leaf in engine.parameters.leaves)


def run_tasks(
    workers: Workers, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], ahead: bool = True
) -> Generator[Any, None, None]:
    """The results of a function on many tuples of arguments, by joblib, as they come.

    Parameters
    ----------
    workers : Workers
    function : of the arguments
    tasks : the arguments
    ahead : whether workers may have a task waiting; else the next one is taken when one is done
    """
    import joblib

    active = active_backend(workers.kind, workers.backend)
    # Results as they come where the joblib backend can, all at the end where it cannot.
    as_they_come = bool(getattr(active, "supports_return_generator", False))
    # mmap_mode "c": a worker writes to its own copy of the pages it perturbs, and to nothing else.
    parallel = joblib.Parallel(
        n_jobs=workers.count,
        backend=workers.backend,
        prefer=None if workers.backend else workers.kind,
        return_as="generator_unordered" if as_they_come else "list",
        mmap_mode="c",
        batch_size=1,
        pre_dispatch="2 * n_jobs" if ahead else "n_jobs",
        **_beginning(active),
    )
    processes = _starts_processes(active)
    with contextlib.ExitStack() as ending:
        ending.enter_context(dropped_quietly if processes else contextlib.nullcontext())
        with signals_held() if processes and as_they_come else contextlib.nullcontext():
            results = parallel(joblib.delayed(function)(*task) for task in tasks)
            if as_they_come:
                ending.enter_context(closing_quietly(results))
        yield from results


def _starts_processes(active: Any) -> bool:
    """Whether a joblib backend starts processes of this one, rather than threads or what a cluster has."""
    from joblib.parallel import BACKENDS

    return isinstance(active, tuple(BACKENDS[n] for n in ("loky", "multiprocessing") if n in BACKENDS))


def _beginning(active: Any) -> dict[str, Any]:
    """What a joblib backend is told of the beginning of its processes; the user's own initializer is kept."""
    if not _starts_processes(active):
        return {}
    return {"initializer": Beginning(getattr(active, "backend_kwargs", {}).get("initializer"))}


@contextlib.contextmanager
def closing_quietly(results: Generator[Any, None, None]) -> Iterator[None]:
    """Close a generator of joblib's at the end, without its advice where it was not read to its end."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"(?s).*adjusting the input task iterator")
            results.close()


def active_backend(prefer: str, backend: Any) -> Any:
    """The joblib backend that would run: the one named, the one configured, or the one preferred."""
    from joblib.parallel import get_active_backend

    with _named_backend(backend):
        return get_active_backend(prefer=prefer)[0]


def _named_backend(backend: Any) -> contextlib.AbstractContextManager[Any]:
    import joblib

    if backend is None:
        return contextlib.nullcontext()
    config: contextlib.AbstractContextManager[Any] = joblib.parallel_config(backend=backend)
    return config


def _backend_message(backend: Any, n_jobs: Any, error: Exception) -> str:
    from joblib.parallel import BACKENDS

    if isinstance(backend, str) and backend not in BACKENDS:
        return f"unknown backend {backend!r}: joblib's backends here are {', '.join(sorted(BACKENDS))}"
    if backend == "dask":
        return f'backend="dask": {START_A_CLIENT if is_installed() else INSTALL}'
    return f"joblib cannot run with n_jobs={n_jobs!r} and backend={backend!r}: {error}"
