"""What a check has sent to a dask cluster: each array once, however many plans need it.

A `Run` owns one `Sent`, and drops it at its end: dask then frees what the workers hold. `cluster` asks it for
the futures of an engine.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastgrad.engines.protocol import Engine
from fastgrad.execution.array_bytes import meaningful_bytes

if TYPE_CHECKING:
    from fastgrad.execution.parcel import Array

RECENT = 8
"""The number of engines whose arrays are kept: stages of a check take turns with a few."""

Key = tuple[str, int]
"""The contents of an array, and how many of an engine had the same before it. Two of a user's arrays that are
equal now may be written to, and stay two."""


@dataclass(frozen=True)
class Parcel:
    """An engine on the cluster: dask's future of its pickle, and those of its large arrays."""

    rest: Any
    arrays: list[Any]


@dataclass(eq=False)
class Sent:
    """The futures that a check holds on a cluster."""

    _futures: dict[Key, Any] = field(default_factory=dict)
    _last: dict[Key, int] = field(default_factory=dict)
    """When a future was last part of a parcel, by the number of the parcel."""
    _client: Any = None
    _parcels: int = 0

    def parcel(self, engine: Engine, client: Any, patience: float | None = None) -> Parcel:
        """An engine on the cluster of a client; what is there already is not sent again.

        Parameters
        ----------
        engine : Engine
        client : a client of dask.distributed
        patience : seconds in which there must be a worker; None for what dask's settings say

        Raises
        ------
        OSError
            Where there is no worker, or the scheduler does not answer.
        """
        from fastgrad.execution.parcel import packed

        if client is not self._client:
            self.forget()
            self._client = client
        self._parcels += 1
        rest, arrays = packed(engine)
        seen: Counter[str] = Counter()
        futures = [self._future(array, seen, patience) for array in (rest, *arrays)]
        self._drop_old()
        return Parcel(futures[0], futures[1:])

    def forget(self) -> None:
        """Hold nothing any more: dask frees it."""
        for key in list(self._futures):
            self._drop(key)
        self._client = None

    def _future(self, array: Array, seen: Counter[str], patience: float | None) -> Any:
        digest = _digest(array)
        key = (digest, seen[digest])
        seen[digest] += 1
        if key not in self._futures:
            self._futures[key] = _scattered(self._client, array, patience)
        self._last[key] = self._parcels
        return self._futures[key]

    def _drop_old(self) -> None:
        for key in [key for key, last in self._last.items() if last <= self._parcels - RECENT]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        del self._last[key]
        self._futures.pop(key).release()  # said: whatever else of a parcel is left, dask is to free it


def _scattered(client: Any, array: Array, patience: float | None) -> Any:
    """The future of an array on all workers.

    In a thread: a Ctrl-C that came within dask would leave an array on the cluster that no future tells of.
    """
    threads = ThreadPoolExecutor(1)
    # With hash=True dask would give two equal arrays the same name.
    options = {"broadcast": True, "hash": False} | ({"timeout": patience} if patience else {})
    coming = threads.submit(client.scatter, array, **options)
    threads.shutdown(wait=False)
    try:
        return coming.result()
    except BaseException:
        coming.add_done_callback(_release)
        raise


def _release(coming: Future[Any]) -> None:
    if coming.exception() is None:
        coming.result().release()


def _digest(array: Array) -> str:
    """A hash of what an array holds and of how it lies in memory, by which sums round differently."""
    flags = array.flags
    shape = f"{array.dtype!r} {array.shape} {array.strides} {flags.c_contiguous} {flags.writeable}"
    found = hashlib.blake2b(shape.encode(), digest_size=20)
    for piece in meaningful_bytes(array):
        found.update(piece)
    return found.hexdigest()
