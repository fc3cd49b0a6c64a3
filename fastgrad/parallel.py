"""The one parallel layer: joblib over chunks of a plan.

A plan of m coordinates is cut into chunks; each chunk is `engine.values` on a slice, in a thread for
engines that release the GIL, in a process for Python costs. Values do not depend on the cut, so they are
bitwise the same for any number of workers. One worker is a plain loop: nothing is pickled.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
import queue
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import threadpoolctl

from fastgrad.engines.base import Engine, Values
from fastgrad.errors import InputError, WorkerError, warn_user
from fastgrad.parameters import IndexArray

PILOT_SECONDS = {"threads": 0.001, "processes": 0.005}
"""Work done in the caller first: it sets the measured price of a coordinate, and none of it is wasted, but
other workers wait for it."""

PILOT_START = 64
"""The first piece of a pilot is at most so large, though a cost is expected to be quick: it may be wrong."""

PILOT_GROWTH = 16
"""The next piece of a pilot is at most so many times the last, whose timing may be that of a hiccup."""

SHORTEST_CHUNK = {"threads": 0.003, "processes": 0.2}
"""Seconds a chunk should take at least. Handing over an empty one of 2,410 parameters took 0.2 ms to a thread
and 1.6 ms to a process (pickle, BLAS limit)."""

LONGEST_CHUNK = 0.5
"""Seconds a chunk should take at most, so that Ctrl-C and progress are answered soon."""

CHUNKS_PER_WORKER = 16
"""Chunks for each worker where the work is long enough: the last ones to finish leave little idle."""

WORTH_STARTING = {"threads": 0.03, "processes": 1.0}
"""Seconds of work left below which workers are not started. joblib's first worker processes took 0.5 s to
start (and import the cost's modules on top); eight empty tasks in two threads took 14 ms, of which 10 are the
nap that joblib takes between two looks at its results, so that half of less than 28 ms is not gained."""

Advance = Callable[[int], None]
"""Told after each chunk how many coordinates it held."""


@dataclass(frozen=True)
class Evaluation:
    """The values of a plan, by how many workers they were computed, and what went another way."""

    values: Values
    n_jobs: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workers:
    """How chunks will run: how many workers, in threads or processes, and by joblib's choice or ours."""

    count: int
    kind: str  # "threads" or "processes"
    insisted: bool  # the caller named a backend


def evaluate(
    engine: Engine,
    indices: IndexArray,
    offsets: Values,
    *,
    seconds: float,
    n_jobs: int | None = None,
    backend: Any = None,
    advance: Advance = lambda count: None,
) -> Evaluation:
    """The cost at theta + offsets[k, s] * e_indices[k] for the whole plan, on all workers asked for.

    Parameters
    ----------
    engine : Engine
    indices : (m,) flat indices
    offsets : (m, S) displacements
    seconds : what one evaluation was seen to take
    n_jobs, backend : as joblib.Parallel takes them; None is what joblib.parallel_config says, else 1
    advance : called with the number of coordinates after each chunk

    Raises
    ------
    InputError
        For an unknown backend.
    WorkerError
        When a worker process dies.
    """

    def run(another: Engine, moved: IndexArray, by: Values) -> Values:
        return evaluate(another, moved, by, seconds=seconds, n_jobs=n_jobs, backend=backend).values

    said = engine.notes
    engine = engine.prepared(indices, offsets, run)
    notes = tuple(note for note in engine.notes if note not in said)
    workers = choose_workers(engine, n_jobs, backend)
    values = np.empty(offsets.shape, dtype=engine.dtype)
    prices = engine.prices(indices)
    if prices is None:
        prices = np.broadcast_to(1.0, len(indices))
    job = _Job(engine, indices, offsets, values, advance, prices)
    done, seconds_each = _pilot(job, seconds * offsets.shape[1], PILOT_SECONDS[workers.kind])
    left = job.price(slice(done, None)) * seconds_each
    if workers.count > 1 and (workers.insisted or left > WORTH_STARTING[workers.kind]):
        chunks = list(_chunks(job, done, seconds_each, workers))
        if len(chunks) > 1:
            note = _run_parallel(job, chunks, workers, backend)
            if note is None:
                return Evaluation(values, workers.count, notes)
            notes += (note,)
    for chunk in _chunks(job, done, seconds_each, Workers(1, "threads", False)):
        job.run(chunk)
    engine.finish()
    return Evaluation(values, 1, notes)


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
    there, and a Python cost may hold state.
    """
    alone = Workers(1, "threads", False)
    if engine.workers == "one" or (backend is None and n_jobs == 1):
        return alone
    if n_jobs is None and backend is None and "joblib" not in sys.modules:
        return alone  # nobody can have configured joblib: not worth the 0.2 s of importing it
    import joblib

    try:
        with _named_backend(backend):
            count = joblib.effective_n_jobs(n_jobs)
        active = _active_backend(engine.workers, backend)
    except (ValueError, TypeError) as error:
        raise InputError(_backend_message(backend, n_jobs, error)) from error
    shares_memory = getattr(active, "supports_sharedmem", False)
    nested = bool(getattr(active, "nesting_level", 0)) and backend is None
    if nested and shares_memory and engine.workers == "processes":
        return alone
    return Workers(count, "threads" if shares_memory else "processes", backend is not None)


@dataclass(frozen=True)
class _Job:
    engine: Engine
    indices: IndexArray
    offsets: Values
    values: Values
    advance: Advance
    prices: npt.NDArray[np.float64]
    """(m,) what a coordinate costs, relative to the others."""

    def price(self, chunk: slice) -> float:
        """What a chunk costs."""
        return float(self.prices[chunk].sum())

    def run(self, chunk: slice) -> None:
        self.store(chunk, self.engine.values(self.indices[chunk], self.offsets[chunk]))

    def store(self, chunk: slice, values: Values) -> None:
        self.values[chunk] = values
        self.advance(chunk.stop - chunk.start)


def _pilot(job: _Job, seconds_each: float, enough: float) -> tuple[int, float]:
    """Do a little of the work here, more until it can be timed: coordinates done, seconds for price 1.

    seconds_each is what a coordinate is expected to take, until one was timed.
    """
    if len(job.prices):
        seconds_each /= float(job.prices[0])
    total, done = len(job.indices), 0
    size = job.engine.granularity * int(np.clip(enough / max(4 * seconds_each, 1e-9), 1, PILOT_START))
    while done < total and seconds_each * job.prices[done] < enough:
        chunk = slice(done, min(done + size, total))
        began = time.perf_counter()
        job.run(chunk)
        elapsed = time.perf_counter() - began
        done = chunk.stop
        seconds_each = elapsed / job.price(chunk)
        if elapsed > enough:
            break
        size *= int(np.clip(enough / elapsed, 2, PILOT_GROWTH))
    return done, seconds_each


def _chunks(job: _Job, done: int, seconds_each: float, workers: Workers) -> Iterator[slice]:
    """Slices of the plan from `done` on: multiples of the granularity, of a price worth handing over.

    All are predicted to take as long, so that workers finish together.
    """
    total, grain = len(job.indices), job.engine.granularity
    ideal = job.price(slice(done, None)) * seconds_each / (workers.count * CHUNKS_PER_WORKER)
    target = float(np.clip(ideal, SHORTEST_CHUNK[workers.kind], LONGEST_CHUNK)) / max(seconds_each, 1e-12)
    spent = np.concatenate(([0.0], np.cumsum(job.prices[done:])))
    start = 0
    while start < total - done:
        end = int(np.searchsorted(spent, spent[start] + target, side="right")) - 1
        end = start + grain * max(1, (end - start) // grain)
        yield slice(done + start, min(done + end, total))
        start = end


def _run_parallel(job: _Job, chunks: list[slice], workers: Workers, backend: Any) -> str | None:
    """Run chunks through joblib; a sentence instead of an answer if the cost cannot be sent out."""
    from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

    run = _in_threads if workers.kind == "threads" else _in_processes
    stored = 0
    try:
        results = run(job, chunks, workers, backend)
        with contextlib.closing(results):
            for chunk, values in results:
                job.store(chunk, values)
                stored += chunk.stop - chunk.start
    except TerminatedWorkerError as error:
        raise WorkerError(
            "a worker process died while evaluating the cost (out of memory, or a crash in compiled "
            "code): try n_jobs=1, which shows the cost's own error"
        ) from error
    except (pickle.PicklingError, BrokenProcessPool, AttributeError, TypeError) as error:
        if isinstance(error, AttributeError | TypeError) and "pickle" not in str(error):
            raise
        note = (
            f"the cost cannot be sent to worker processes ({_reason(error)}), so it was evaluated "
            'by one. If it is safe in threads, say backend="threading"; or define it at the top level '
            "of a module, without locks, files or sockets"
        )
        warn_user(note)
        job.advance(-stored)  # all of it is done again
        return note
    return None


def _in_threads(
    job: _Job, chunks: list[slice], workers: Workers, backend: Any
) -> Generator[tuple[slice, Values], None, None]:
    everyone = [job.engine.for_worker() for _ in range(workers.count)]
    twins: queue.SimpleQueue[Engine] = queue.SimpleQueue()
    for twin in everyone:
        twins.put(twin)

    def run(chunk: slice) -> tuple[slice, Values]:
        twin = twins.get()
        try:
            return chunk, twin.values(job.indices[chunk], job.offsets[chunk])
        finally:
            twins.put(twin)

    yield from _joblib(workers, backend, run, ((chunk,) for chunk in chunks))
    for twin in [job.engine, *everyone]:
        twin.finish()


def _in_processes(
    job: _Job, chunks: list[slice], workers: Workers, backend: Any
) -> Generator[tuple[slice, Values], None, None]:
    job.engine.finish()
    job.engine.release()  # the workers have their own; the caller's would only take up memory
    tasks = ((job.engine, c, job.indices[c], job.offsets[c]) for c in chunks)
    for chunk, answer in _joblib(workers, backend, _run_in_process, tasks):
        if isinstance(answer, _Raised):
            raise answer.error()
        yield chunk, answer


def _run_in_process(
    engine: Engine, chunk: slice, indices: IndexArray, offsets: Values
) -> tuple[slice, Values | _Raised]:
    try:
        with one_blas_thread():
            values = engine.values(np.asarray(indices), np.asarray(offsets))
            engine.finish()
            return chunk, values
    except Exception as error:
        return chunk, _Raised.of(error)


@dataclass(frozen=True)
class _Raised:
    """An exception of the cost on its way from a worker, as text too: not every exception can be pickled."""

    pickled: bytes | None
    text: str

    @classmethod
    def of(cls, error: Exception) -> _Raised:
        import cloudpickle

        text = "".join(traceback.format_exception(error))
        try:
            data = cloudpickle.dumps(error)
            pickle.loads(data)
        except Exception:
            data = None
        return cls(data, text)

    def error(self) -> Exception:
        """The exception, or where it could not travel a WorkerError that quotes it."""
        if self.pickled is None:
            return WorkerError(f"the cost raised in a worker:\n{self.text}")
        error: Exception = pickle.loads(self.pickled)
        error.add_note(f"fastgrad: in a worker process\n{self.text}")
        return error


def _joblib(
    workers: Workers, backend: Any, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]
) -> Generator[Any, None, None]:
    import joblib

    # mmap_mode "c": a worker writes to its own copy of the pages it perturbs, and to nothing else.
    parallel = joblib.Parallel(
        n_jobs=workers.count,
        backend=backend,
        prefer=None if backend else workers.kind,
        return_as=_return_as(workers, backend),
        mmap_mode="c",
        batch_size=1,
    )
    results = parallel(joblib.delayed(function)(*task) for task in tasks)
    yield from results


def _return_as(workers: Workers, backend: Any) -> str:
    """Results as they come where the joblib backend can, all at the end where it cannot."""
    active = _active_backend(workers.kind, backend)
    can = getattr(active, "supports_return_generator", False)
    return "generator_unordered" if can else "list"


def _active_backend(prefer: str, backend: Any) -> Any:
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
    return f"joblib cannot run with n_jobs={n_jobs!r} and backend={backend!r}: {error}"


def _reason(error: BaseException) -> str:
    """The last line that says something: loky hands a worker's traceback over as the cause's text."""
    lines = str(error.__cause__ or error).replace('"', "").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), repr(error))
