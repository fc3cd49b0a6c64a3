"""Chunks on a dask cluster, which joblib's backend "dask" names: submitted by its client, taken as they come.

`evaluate` calls `on_cluster`. joblib says which client, and how tasks are submitted; the tasks go to dask
itself. joblib's own loop waits for ever for a task that dask gives up, as where its worker died, and sends
the cost with each task.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastgrad._version import __version__
from fastgrad.arrays import Values
from fastgrad.errors import InputError, WorkerError
from fastgrad.execution.cluster_worker import ABSENT, ANOTHER, Refusal, task
from fastgrad.execution.job import Job
from fastgrad.execution.processes import Raised
from fastgrad.execution.sent import Parcel
from fastgrad.execution.workers import Workers, active_backend
from fastgrad.problem.describe import quoted

LOOK_EVERY = 0.5
"""Seconds between two looks at the budget, the client and the workers, while no chunk comes."""

MOST_LOSSES = 3
"""So many times in a row, without a finished chunk, all workers that have the data may die."""

MOST_BYTES = 2**21
"""Bytes of coordinates and offsets in a chunk; dask warns of 10 MB."""


def on_cluster(
    job: Job, chunks: Iterator[slice], workers: Workers
) -> Generator[tuple[slice, Values], None, None]:
    """Chunks and their values, each from a worker of the cluster.

    Parameters
    ----------
    job : Job
    chunks : of its plan
    workers : Workers, whose count is how many chunks are evaluated side by side

    Raises
    ------
    InputError
        Where a worker lacks fastgrad, has another version of it, or cannot import what the cost needs.
    WorkerError
        Where workers die of the cost, none is left, or the client is closed.
    """
    job.engine.finish()
    active = active_backend("processes", workers.backend)
    ahead = workers.count * (2 if job.budget.seconds is None else 1)
    with contextlib.ExitStack() as ending:
        ending.enter_context(active.retrieval_context())  # a check in a worker gives its place to others
        submitted = _Submitted(job, active)
        ending.callback(submitted.cancel)
        small = _small_enough(job, chunks)
        while True:
            while len(submitted.waiting) < ahead and (chunk := next(small, None)) is not None:
                submitted.add(chunk)
            if not submitted.waiting:
                return
            yield from submitted.finished()
            if job.budget.is_over():
                return


@dataclass(eq=False)
class _Submitted:
    """The chunks that are on their way, by dask's futures."""

    job: Job
    active: Any
    waiting: dict[Any, slice] = field(default_factory=dict)
    losses: int = 0
    deserted_since: float | None = None

    def __post_init__(self) -> None:
        self.client = self.active.client
        self.task = task()
        self.parcel: Parcel | None = None

    def add(self, chunk: slice) -> None:
        """Submit a chunk."""
        while self.parcel is None:
            self._send()
        future = self.client.submit(
            self.task,
            __version__,
            self.parcel.rest,
            self.parcel.arrays,
            self.job.indices[chunk],
            self.job.offsets[chunk],
            **{"key": f"fastgrad-{uuid.uuid4().hex}", **self.active.submit_kwargs},
        )
        self.waiting[future] = chunk

    def finished(self) -> Iterator[tuple[slice, Values]]:
        """The chunks that have come meanwhile, with their values; the lost ones are submitted again."""
        ended = self._ended()
        good = [future for future in ended if future.status == "finished"]
        lost = [future for future in ended if future.status != "finished"]
        for future, answer in zip(good, self._answers(good), strict=True):
            self.losses, self.deserted_since = 0, None
            yield self._taken(future), _values(answer)
        for future in lost:
            if future.status == "error":
                raise self._failure(future.exception())
        if lost:
            self._lose()
            for chunk in [self._taken(future) for future in lost]:
                self.add(chunk)

    def cancel(self) -> None:
        """Ask for nothing any more: dask does not begin what nobody waits for."""
        while self.waiting:
            self._taken(next(iter(self.waiting)))

    def _taken(self, future: Any) -> slice:
        # Said, not left to the garbage collector: dask would keep the values until then.
        future.release()
        return self.waiting.pop(future)

    def _ended(self) -> list[Any]:
        from distributed import wait

        # It raises where time is over, and where a future was cancelled: both are seen below.
        with contextlib.suppress(Exception):
            wait(list(self.waiting), timeout=LOOK_EVERY, return_when="FIRST_COMPLETED")
        ended = [future for future in self.waiting if future.status not in ("pending", "lost")]
        if not ended:
            self._look_at_workers()
        return ended

    def _answers(self, good: list[Any]) -> list[Any]:
        try:
            return list(self.client.gather(good))
        except (OSError, _cancelled()) as error:
            raise self._died(f"its client or its scheduler has ended ({quoted(error)})") from error

    def _send(self) -> None:
        try:
            patience = self.active.wait_for_workers_timeout
            self.parcel = self.job.sent.parcel(self.job.engine, self.client, patience)
        except (OSError, _cancelled()):  # OSError is a timeout too
            time.sleep(LOOK_EVERY)
            self._lose()

    def _lose(self) -> None:
        """Drop what was sent: the workers that had it are gone."""
        self._look_at_workers()
        self.losses += 1
        if self.losses > MOST_LOSSES:
            raise self._died("all its workers died, again and again")
        self.job.sent.forget()
        self.parcel = None

    def _look_at_workers(self) -> None:
        if self.client.status == "running":
            with contextlib.suppress(OSError):
                if self.client.nthreads():
                    self.deserted_since = None
                    return
        else:
            raise self._died(f"its client is {self.client.status}, or its scheduler has ended")
        now = time.monotonic()
        self.deserted_since = self.deserted_since or now
        if now - self.deserted_since > (self.active.wait_for_workers_timeout or 0):
            raise self._died("no worker is left")

    def _failure(self, error: BaseException) -> Exception:
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return self._died(
                "several workers died of the same piece of work (out of memory, or a crash in compiled code)"
            )
        return self._died(f"a worker could not run its task ({quoted(error)})")

    def _died(self, what: str) -> WorkerError:
        return WorkerError(f"on the dask cluster {what}{self.job.kept.where_kept}", code="FG840")


def _cancelled() -> type[BaseException]:
    """What dask raises of futures whose data is lost, or whose client is closed."""
    from distributed import CancelledError

    found: type[BaseException] = CancelledError
    return found


def _small_enough(job: Job, chunks: Iterator[slice]) -> Iterator[slice]:
    """The chunks, those of many coordinates in pieces."""
    each = job.indices.itemsize + job.offsets.itemsize * job.offsets.shape[1]
    grain = job.engine.granularity
    most = grain * max(1, MOST_BYTES // (each * grain))
    for chunk in chunks:
        for start in range(chunk.start, chunk.stop, most):
            yield slice(start, min(start + most, chunk.stop))


def _values(answer: Values | Raised | Refusal) -> Values:
    if isinstance(answer, Raised):
        raise answer.error()
    if isinstance(answer, tuple):
        raise InputError(_refused(*answer), code="FG841")
    return answer


def _refused(kind: str, where: str, found: str) -> str:
    if kind == ABSENT:
        return f"the dask worker {where} has no fastgrad ({found}): install fastgrad {__version__} there"
    if kind == ANOTHER:
        return (
            f"the dask worker {where} has fastgrad {found}, and this is {__version__}: install the same "
            "version everywhere"
        )
    return (
        f"the dask worker {where} cannot make the cost ({found}): it needs the modules that the cost "
        "imports; install them there, or send one with client.upload_file"
    )
