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
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import threadpoolctl

from fastgrad.budget import INTERRUPTED, Budget
from fastgrad.checkpoint import Checkpoint, NoCheckpoint
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

WORTH_SHUFFLING = 2.0
"""Seconds of work that are done in a random order of chunks."""

CHUNKS_PER_WORKER = 16
"""Chunks for each worker where the work is long enough: the last ones to finish leave little idle."""

WORTH_STARTING = {"threads": 0.06, "processes": 1.0}
"""Seconds of work left below which workers are not started. joblib's first worker processes took 0.5 s to
start (and import the cost's modules on top); eight empty tasks in two threads took 14 ms, of which 10 are the
nap that joblib takes between two looks at its results, so that half of less than 28 ms is not gained, and
threads that share the interpreter gain less than half."""

LARGEST_COPY = 2**28
"""Bytes of parameters of which each thread may have a copy of its own; of larger ones one thread has one."""

Advance = Callable[[int], None]
"""Told after each chunk how many coordinates it held."""

Watch = Callable[[slice, Values], None]
"""Shown each chunk, and its values."""


@dataclass(frozen=True)
class Evaluation:
    """The values of a plan, by how many workers they were computed, and what went another way."""

    values: Values
    n_jobs: int
    notes: tuple[str, ...] = ()
    missing: npt.NDArray[np.bool_] | None = None
    """(m,) the coordinates whose values are NaN because there was no more time; None where all are known."""


class _Stopped(Exception):
    """What is prepared for a plan could not be finished."""


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
    watch: Watch | None = None,
    budget: Budget | None = None,
    keeper: NoCheckpoint | Checkpoint | None = None,
) -> Evaluation:
    """The cost at theta + offsets[k, s] * e_indices[k] for the whole plan, on all workers asked for.

    What the keeper has is not evaluated again. When the budget is over, or Ctrl-C is pressed, what is known
    by then is returned, and the budget says that it was stopped.

    Parameters
    ----------
    engine : Engine
    indices : (m,) flat indices
    offsets : (m, S) displacements
    seconds : what one evaluation was seen to take
    n_jobs, backend : as joblib.Parallel takes them; None is what joblib.parallel_config says, else 1
    advance : called with the number of coordinates after each chunk
    watch : called with each chunk, and its values
    budget : when to stop; never by default
    keeper : where finished chunks are kept; nowhere by default

    Raises
    ------
    InputError
        For an unknown backend.
    WorkerError
        When a worker process dies.
    """
    budget, keeper = budget or Budget(), keeper or NoCheckpoint()

    def run(another: Engine, moved: IndexArray, by: Values) -> Values:
        options: dict[str, Any] = {"seconds": seconds, "n_jobs": n_jobs, "backend": backend}
        found = evaluate(another, moved, by, **options, budget=budget, keeper=keeper)
        if found.missing is not None:
            raise _Stopped
        return found.values

    kept = _Kept.of(engine, indices, offsets, keeper)
    for start, stop in kept.ranges:
        advance(stop - start)
        if watch is not None:
            watch(slice(start, stop), kept.values[start:stop])
    if kept.gaps == []:
        return Evaluation(kept.values, 1)
    said = engine.notes
    try:
        engine = engine.prepared(indices, offsets, run)
    except _Stopped:
        return Evaluation(kept.values, 1, (), kept.missing())
    notes = tuple(note for note in engine.notes if note not in said)
    workers = choose_workers(engine, n_jobs, backend)
    prices = engine.prices(indices)
    if prices is None:
        prices = np.broadcast_to(1.0, len(indices))
    job = _Job(engine, indices, offsets, kept, advance, prices, budget, watch)
    try:
        used, note = _run(job, workers, backend, seconds * offsets.shape[1])
    except KeyboardInterrupt:
        budget.stop(INTERRUPTED)
        used, note = workers.count, None
    return Evaluation(kept.values, used, notes + ((note,) if note else ()), kept.missing())


def _run(job: _Job, workers: Workers, backend: Any, seconds_each: float) -> tuple[int, str | None]:
    """Evaluate what is missing; by how many workers, and what went another way."""
    note = None
    first, seconds_each = _pilot(job, job.kept.gaps[0], seconds_each, PILOT_SECONDS[workers.kind])
    gaps = [first, *job.kept.gaps[1:]]
    left = sum(job.price(gap) for gap in gaps) * seconds_each
    if workers.count > 1 and (workers.insisted or left > WORTH_STARTING[workers.kind]):
        chunks = _in_order([c for gap in gaps for c in _chunks(job, gap, seconds_each, workers)], left)
        if len(chunks) > 1:
            note = _run_parallel(job, chunks, workers, backend)
            if note is None:
                return workers.count, None
            gaps = job.kept.gaps
    alone = Workers(1, "threads", False)
    for chunk in _in_order([c for gap in gaps for c in _chunks(job, gap, seconds_each, alone)], left):
        if job.budget.is_over():
            break
        job.run(chunk)
    job.engine.pause()
    return 1, note


def _in_order(chunks: list[slice], seconds: float) -> list[slice]:
    """Chunks of long work in a random order, so that where it is stopped something of each block is known."""
    if seconds < WORTH_SHUFFLING:
        return chunks
    return [chunks[k] for k in np.random.default_rng(0).permutation(len(chunks))]


def unknown(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Values:
    """Values that are not known: NaN, of complex ones both parts, for the imaginary one is the derivative."""
    values = np.empty(shape, dtype=dtype)
    values.real = np.nan
    if np.iscomplexobj(values):
        values.imag = np.nan
    return values


@dataclass(frozen=True, eq=False)
class _Kept:
    """The values of a plan, those that are known, and where more of them are kept."""

    values: Values
    ranges: list[tuple[int, int]]
    keeper: NoCheckpoint | Checkpoint
    key: str

    @classmethod
    def of(
        cls, engine: Engine, indices: IndexArray, offsets: Values, keeper: NoCheckpoint | Checkpoint
    ) -> _Kept:
        """What the keeper has of a plan, the rest NaN."""
        # The engine's own name is part of the key: nodes and parameters have numbers of their own.
        key = keeper.key(f"{engine.name} {engine.space.sentence}", indices, offsets)
        values = unknown(offsets.shape, engine.dtype)
        ranges = []
        for start, stop, found in keeper.finished(key, len(indices), offsets.shape[1], engine.dtype):
            values[start:stop] = found
            ranges.append((start, stop))
        return cls(values, ranges, keeper, key)

    def store(self, chunk: slice, values: Values) -> None:
        """Take over a finished chunk."""
        self.values[chunk] = values
        self.ranges.append((chunk.start, chunk.stop))
        self.keeper.store(self.key, chunk.start, values)

    @property
    def gaps(self) -> list[slice]:
        """What is not known yet."""
        found, at = [], 0
        for start, stop in sorted(self.ranges):
            if start > at:
                found.append(slice(at, start))
            at = max(at, stop)
        if at < len(self.values):
            found.append(slice(at, len(self.values)))
        return found

    def missing(self) -> npt.NDArray[np.bool_] | None:
        """(m,) which coordinates are not known; None where all are."""
        gaps = self.gaps
        if not gaps:
            return None
        found = np.zeros(len(self.values), dtype=bool)
        for gap in gaps:
            found[gap] = True
        return found


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
    if shares_memory and backend is None and _copy_of(engine) > LARGEST_COPY:
        return alone
    nested = bool(getattr(active, "nesting_level", 0)) and backend is None
    if nested and shares_memory and engine.workers == "processes":
        return alone
    return Workers(count, "threads" if shares_memory else "processes", backend is not None)


def _copy_of(engine: Engine) -> int:
    """Bytes of a private copy of what the engine moves."""
    return sum(leaf.nbytes for leaf in engine.parameters.leaves)


@dataclass(frozen=True)
class _Job:
    engine: Engine
    indices: IndexArray
    offsets: Values
    kept: _Kept
    advance: Advance
    prices: npt.NDArray[np.float64]
    """(m,) what a coordinate costs, relative to the others."""
    budget: Budget
    watch: Watch | None = None

    def price(self, chunk: slice) -> float:
        """What a chunk costs."""
        return float(self.prices[chunk].sum())

    def run(self, chunk: slice) -> None:
        self.store(chunk, self.engine.values(self.indices[chunk], self.offsets[chunk]))

    def store(self, chunk: slice, values: Values) -> None:
        self.kept.store(chunk, values)
        self.advance(chunk.stop - chunk.start)
        if self.watch is not None:
            self.watch(chunk, values)


def _pilot(job: _Job, gap: slice, seconds_each: float, enough: float) -> tuple[slice, float]:
    """Do a little of the work here, more until it can be timed: what is left of the gap, seconds for price 1.

    seconds_each is what a coordinate is expected to take, until one was timed.
    """
    total, done = gap.stop, gap.start
    seconds_each /= float(job.prices[done])
    size = job.engine.granularity * int(np.clip(enough / max(4 * seconds_each, 1e-9), 1, PILOT_START))
    while done < total and seconds_each * job.prices[done] < enough and not job.budget.is_over():
        chunk = slice(done, min(done + size, total))
        began = time.perf_counter()
        job.run(chunk)
        elapsed = time.perf_counter() - began
        done = chunk.stop
        seconds_each = elapsed / job.price(chunk)
        if elapsed > enough:
            break
        size *= int(np.clip(enough / elapsed, 2, PILOT_GROWTH))
    return slice(done, total), seconds_each


def _chunks(job: _Job, gap: slice, seconds_each: float, workers: Workers) -> Iterator[slice]:
    """Slices of a gap: multiples of the granularity, of a price worth handing over.

    All are predicted to take as long, so that workers finish together.
    """
    total, done, grain = gap.stop, gap.start, job.engine.granularity
    ideal = job.price(gap) * seconds_each / (workers.count * CHUNKS_PER_WORKER)
    ideal = min(float(np.clip(ideal, SHORTEST_CHUNK[workers.kind], LONGEST_CHUNK)), job.budget.longest_chunk)
    target = ideal / max(seconds_each, 1e-12)
    spent = np.concatenate(([0.0], np.cumsum(job.prices[gap])))
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
    try:
        results = run(job, chunks, workers, backend)
        with _closing(results):
            for chunk, values in results:
                job.store(chunk, values)
                if job.budget.is_over():
                    break
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
        return note
    return None


@contextlib.contextmanager
def _closing(results: Generator[Any, None, None]) -> Iterator[None]:
    """Close a generator of joblib's at the end, without its advice where it was not read to its end."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"(?s).*adjusting the input task iterator")
            results.close()


def _in_threads(
    job: _Job, chunks: list[slice], workers: Workers, backend: Any
) -> Generator[tuple[slice, Values], None, None]:
    everyone = [job.engine, *(job.engine.for_worker() for _ in range(workers.count - 1))]
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
    job.engine.pause()
    for twin in everyone[1:]:
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
        with one_blas_thread(), _deaf_to_ctrl_c():
            values = engine.values(np.asarray(indices), np.asarray(offsets))
            engine.finish()
            return chunk, values
    except Exception as error:
        return chunk, _Raised.of(error)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Leave Ctrl-C to the caller's process, to which the terminal sends it too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
