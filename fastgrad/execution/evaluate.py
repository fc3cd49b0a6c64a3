"""The only parallel loop: joblib over the chunks of a plan.

`Evaluator` calls it for one engine; values (m, S) come out.

A plan of m coordinates is cut into chunks; each chunk is `engine.values` on a slice, in a thread for
engines that release the GIL, in a process for Python costs. Values do not depend on the cut, so they are
bitwise the same for any number of workers. One worker is a plain loop: nothing is pickled.
"""

from __future__ import annotations

import pickle
import queue
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.errors import WorkerError, warn_user
from fastgrad.execution.budget import INTERRUPTED
from fastgrad.execution.chunks import cut, in_order, run_pilot
from fastgrad.execution.cluster import on_cluster
from fastgrad.execution.job import Job, KnownValues, Watch, unknown_values
from fastgrad.execution.processes import in_processes, reason_not_sent
from fastgrad.execution.run import Run
from fastgrad.execution.value_store import NoCheckpoint
from fastgrad.execution.workers import Workers, choose_workers, closing_quietly, run_tasks

WORTH_STARTING = {"threads": 0.06, "processes": 1.0, "cluster": 0.3}
"""Seconds of work left below which workers are not started. joblib's first worker processes took 0.5 s to
start (and import the cost's modules on top). Those of a cluster are there: it took 0.3 s to import fastgrad
there, and 5 MB reached two of them in 0.1 s. Eight empty tasks in two threads took 14 ms, of which 10
are the nap that joblib takes between two looks at its results, so that half of less than 28 ms is not gained,
and threads that share the interpreter gain less than half."""


QUICK = 0.005
"""Seconds of work that is done at once, by the engine as it is. A whole check of ten parameters took 3.3 ms,
of which 1.2 ms were spent on chunks, workers and kept values of its eleven plans."""


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


def evaluate(
    engine: Engine,
    indices: IndexArray,
    offsets: Values,
    run: Run,
    *,
    seconds: float,
    watch: Watch | None = None,
) -> Evaluation:
    """The cost at theta + offsets[k, s] * e_indices[k] for the whole plan, on all workers asked for.

    What the run's checkpoint holds is not evaluated again. When the budget is over, or Ctrl-C is pressed,
    what is known by then is returned, and the budget says that it was stopped.

    Parameters
    ----------
    engine : Engine
    indices : (m,) flat indices
    offsets : (m, S) displacements
    run : Run, with the workers, the budget and the checkpoint
    seconds : what one evaluation was seen to take
    watch : called with each finished chunk, and its values

    Raises
    ------
    InputError
        For an unknown backend, and for a checkpoint of another cost.
    WorkerError
        When a worker process dies.
    """

    def whole_plan(another: Engine, moved: IndexArray, by: Values) -> Values:
        found = evaluate(another, moved, by, run, seconds=seconds)
        if found.missing is not None:
            raise _Stopped
        return found.values

    if watch is None and not engine.knows_layers and _is_quick(run, seconds * offsets.size):
        return _at_once(engine, indices, offsets, run)
    kept = KnownValues.of(engine, indices, offsets, run.checkpoint)
    try:
        run.resumption.take(kept, engine, indices, offsets)
    except KeyboardInterrupt:
        run.budget.stop(INTERRUPTED)
        return Evaluation(kept.values, 1, (), kept.missing())
    if watch is not None:
        for start, stop in kept.ranges:
            watch(slice(start, stop), kept.values[start:stop])
    if kept.gaps == []:
        return Evaluation(kept.values, 1)
    said = engine.notes
    try:
        engine = engine.prepared(indices, offsets, whole_plan)
    except _Stopped:
        return Evaluation(kept.values, 1, (), kept.missing())
    notes = tuple(note for note in engine.notes if note not in said)
    workers = Workers(1, "threads")
    try:
        workers = choose_workers(engine, run.n_jobs, run.backend)  # it may have to import joblib
        prices = engine.prices(indices)
        if prices is None:
            prices = np.broadcast_to(1.0, len(indices))
        job = Job(engine, indices, offsets, kept, prices, run.budget, watch, run.sent)
        used, note = _run(job, workers, seconds * offsets.shape[1])
    except KeyboardInterrupt:
        run.budget.stop(INTERRUPTED)
        used, note = workers.count, None
    return Evaluation(kept.values, used, notes + ((note,) if note else ()), kept.missing())


def _is_quick(run: Run, seconds: float) -> bool:
    """Whether a plan is done before any worker could start, and nothing is to be kept or looked up."""
    free = isinstance(run.checkpoint, NoCheckpoint) and run.budget.seconds is None and run.backend is None
    return free and seconds < QUICK


def _at_once(engine: Engine, indices: IndexArray, offsets: Values, run: Run) -> Evaluation:
    """The values of a plan that takes no time: all that is prepared for a longer one takes longer."""
    try:
        values = engine.values(indices, offsets)
        engine.pause()
    except KeyboardInterrupt:
        run.budget.stop(INTERRUPTED)
        missing = np.ones(len(indices), dtype=bool)
        return Evaluation(unknown_values(offsets.shape, engine.dtype), 1, (), missing)
    return Evaluation(values, 1)


def _run(job: Job, workers: Workers, seconds_each: float) -> tuple[int, str | None]:
    """Evaluate what is missing; by how many workers, and what went another way."""
    note = None
    seconds_each = run_pilot(job, job.kept.gaps[0], seconds_each, workers.kind)
    gaps = job.kept.gaps  # the pilot may have filled the first one
    left = sum(job.price(gap) for gap in gaps) * seconds_each
    if workers.count > 1 and (workers.backend is not None or left > WORTH_STARTING[workers.kind]):
        chunks = in_order([c for gap in gaps for c in cut(job, gap, seconds_each, workers)], left)
        if len(chunks) > 1:
            note = _run_parallel(job, job.in_time(chunks, seconds_each), workers)
            if note is None:
                return workers.count, None
            gaps = job.kept.gaps
    alone = Workers(1, "threads")
    chunks = in_order([c for gap in gaps for c in cut(job, gap, seconds_each, alone)], left)
    for chunk in job.in_time(chunks, seconds_each):
        job.run(chunk)
    job.engine.pause()
    return 1, note


def _run_parallel(job: Job, chunks: Iterator[slice], workers: Workers) -> str | None:
    """Run chunks through joblib; a sentence instead of an answer if the cost cannot be sent out."""
    from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

    run = {"threads": _in_threads, "processes": in_processes, "cluster": on_cluster}[workers.kind]
    try:
        results = run(job, chunks, workers)
        with closing_quietly(results):
            for chunk, values in results:
                job.store(chunk, values)
                if job.budget.is_over():
                    break
    except TerminatedWorkerError as error:
        raise WorkerError(
            "a worker process died while evaluating the cost (out of memory, or a crash in compiled "
            f"code): try n_jobs=1, which shows the cost's own error{job.kept.where_kept}",
            code="FG930",
        ) from error
    except (pickle.PicklingError, BrokenProcessPool, AttributeError, TypeError) as error:
        if isinstance(error, AttributeError | TypeError) and "pickle" not in str(error):
            raise
        note = (
            f"the cost cannot be sent to worker processes ({reason_not_sent(error)}), so it was evaluated "
            'by one. If it is safe in threads, say backend="threading"; or define it at the top level '
            "of a module, without locks, files or sockets"
        )
        warn_user(note)
        return note
    return None


def _in_threads(
    job: Job, chunks: Iterator[slice], workers: Workers
) -> Generator[tuple[slice, Values], None, None]:
    """Chunks and their values, each from a thread with an engine of its own.

    The caller's engine takes no part. Where the caller stops early, by Ctrl-C or at the end of a budget,
    threads are still inside a chunk, with perturbed parameters, and the caller's engine may be asked at once.
    """
    job.engine.finish()
    job.engine.release()  # the threads have their own; the caller's would only take up memory
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

    yield from run_tasks(workers, run, ((chunk,) for chunk in chunks), job.budget.seconds is None)
    for twin in everyone:
        twin.finish()
