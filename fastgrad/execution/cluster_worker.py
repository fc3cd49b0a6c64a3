"""What runs in a worker of a dask cluster: chunks, by engines that its threads share or take turns with.

`cluster` submits `task()`, which is sent as code, so that a worker without fastgrad can say so.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.execution.processes import Raised, answer_of
from fastgrad.execution.workers import one_blas_thread
from fastgrad.problem.describe import quoted

if TYPE_CHECKING:
    from fastgrad.execution.parcel import Array

Refusal = tuple[str, str, str]
"""Why a worker cannot evaluate anything: the kind of reason, the worker's address, and what it found."""

ABSENT, ANOTHER, UNMADE = "no fastgrad", "another fastgrad", "no cost"
"""The kinds of a refusal."""


def task() -> Callable[..., Values | Raised | Refusal]:
    """The function that workers run: of the caller's version, and of the arguments of `evaluated`.

    Functions within functions are pickled as code, not by the name of a module. What it refuses is a tuple,
    which any worker can pickle.
    """

    def fastgrad_chunk(version: str, *arguments: Any) -> Any:
        from distributed import get_worker

        where = get_worker().address
        try:
            from fastgrad._version import __version__
        except ImportError as error:
            return ("no fastgrad", where, str(error))
        if __version__ != version:
            return ("another fastgrad", where, __version__)
        from fastgrad.execution.cluster_worker import evaluated

        return evaluated(where, *arguments)

    return fastgrad_chunk


def evaluated(
    where: str, rest: Array, arrays: Sequence[Array], indices: IndexArray, offsets: Values
) -> Values | Raised | Refusal:
    """The values (m, S) of a chunk, or what the cost raised, or why there is no cost here.

    Parameters
    ----------
    where : the address of this worker
    rest, arrays : an engine, as `parcel.packed` made it; the same objects for each chunk
    indices : (m,)
    offsets : (m, S)
    """
    try:
        shared = _shared(rest, arrays)
    except Exception as error:
        return (UNMADE, where, quoted(error))
    # A worker within the caller's own process has BLAS on one thread for as long as the caller's check runs.
    blas = contextlib.nullcontext() if where.startswith("inproc") else _BLAS.held()
    with shared.engine_of_this_thread() as engine, blas:
        return answer_of(engine, indices, offsets)


@dataclass(eq=False)
class _Shared:
    """An engine of this process, and its twins for threads."""

    engine: Engine
    twins: queue.SimpleQueue[Engine] = field(default_factory=queue.SimpleQueue)

    @contextlib.contextmanager
    def engine_of_this_thread(self) -> Iterator[Engine]:
        """An engine that no other thread has meanwhile; a plain Python cost is called by one at a time."""
        if self.engine.workers != "threads":
            with _ONE_AT_A_TIME:
                yield self.engine
            return
        try:
            twin = self.twins.get_nowait()
        except queue.Empty:
            twin = self.engine.for_worker()
        try:
            yield twin
        finally:
            self.twins.put(twin)


_ONE_AT_A_TIME = threading.Lock()
"""Held by the thread that calls a plain Python cost: it may keep state, in its module too."""

_MAKING = threading.Lock()

_MADE: dict[int, _Shared] = {}
"""The engines of this process, by the address of the pickle that dask holds; they go when dask lets go."""


def _shared(rest: Array, arrays: Sequence[Array]) -> _Shared:
    from fastgrad.execution.parcel import unpacked

    with _MAKING:
        if id(rest) not in _MADE:
            _MADE[id(rest)] = _Shared(unpacked(rest, arrays))
            weakref.finalize(rest, _MADE.pop, id(rest), None).atexit = False
        return _MADE[id(rest)]


class _Blas:
    """BLAS on one thread as long as any thread of this process evaluates.

    Each thread for itself would not do: who enters second would leave behind what the first had set.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._exits = contextlib.ExitStack()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if self._holders == 0:
                self._exits.enter_context(one_blas_thread())
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0:
                    self._exits.close()


_BLAS = _Blas()
