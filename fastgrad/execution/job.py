"""A plan that is being evaluated: its points, the values known so far, and where finished chunks are kept.

`evaluate` makes a `Job` of a plan of indices (m,) and offsets (m, S), and fills its `KnownValues` (m, S).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.execution.budget import Budget
from fastgrad.execution.sent import Sent
from fastgrad.execution.value_store import ValueStore

Watch = Callable[[slice, Values], None]
"""A function that is called with each finished chunk and its values."""


def unknown_values(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Values:
    """Values that are not known: NaN, of complex ones both parts, for the imaginary one is the derivative."""
    values = np.empty(shape, dtype=dtype)
    values.real = np.nan
    if np.iscomplexobj(values):
        values.imag = np.nan
    return values


@dataclass(frozen=True, eq=False)
class KnownValues:
    """The values of a plan, those that are known, and where more of them are kept."""

    values: Values
    ranges: list[tuple[int, int]]
    checkpoint: ValueStore
    key: str

    @classmethod
    def of(cls, engine: Engine, indices: IndexArray, offsets: Values, checkpoint: ValueStore) -> KnownValues:
        """The values that a checkpoint has of a plan; the others are NaN."""
        # The engine's own name is part of the key: nodes and parameters have numbers of their own.
        key = checkpoint.key(f"{engine.name} {engine.space.sentence}", indices, offsets)
        values = unknown_values(offsets.shape, engine.dtype)
        ranges = []
        for start, stop, found in checkpoint.finished(key, len(indices), offsets.shape[1], engine.dtype):
            values[start:stop] = found
            ranges.append((start, stop))
        return cls(values, ranges, checkpoint, key)

    def store(self, chunk: slice, values: Values) -> None:
        """Take over a finished chunk."""
        self.values[chunk] = values
        self.ranges.append((chunk.start, chunk.stop))
        self.checkpoint.store(self.key, chunk.start, values)

    @property
    def where_kept(self) -> str:
        """Where finished values are, as the end of a sentence."""
        name = self.checkpoint.name
        kept = f". What was finished is in the checkpoint {name}: with it the next run goes on from there"
        return kept if name else ""

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

    def there(self) -> IndexArray:
        """Which coordinates are known, increasing."""
        if not self.ranges:
            return np.empty(0, dtype=np.intp)
        missing = self.missing()
        return np.arange(len(self.values)) if missing is None else np.flatnonzero(~missing)

    def missing(self) -> npt.NDArray[np.bool_] | None:
        """(m,) which coordinates are not known; None where all are."""
        gaps = self.gaps
        if not gaps:
            return None
        found = np.zeros(len(self.values), dtype=bool)
        for gap in gaps:
            found[gap] = True
        return found


@dataclass(frozen=True)
class Job:
    """The missing chunks of one plan, and who is told of finished ones."""

    engine: Engine
    indices: IndexArray
    offsets: Values
    kept: KnownValues
    prices: npt.NDArray[np.float64]
    """(m,) what a coordinate costs, relative to the others."""
    budget: Budget
    watch: Watch | None = None
    sent: Sent = field(default_factory=Sent)
    """What a cluster has of the engine already."""

    def in_time(self, chunks: Iterable[slice], seconds_each: float) -> Iterator[slice]:
        """Chunks, as long as each is expected to end within the budget.

        Parameters
        ----------
        chunks : of the plan
        seconds_each : what a coordinate takes, for price 1
        """
        for chunk in chunks:
            if self.budget.is_over(self.price(chunk) * seconds_each):
                return
            yield chunk

    def price(self, chunk: slice) -> float:
        """What a chunk costs."""
        return float(self.prices[chunk].sum())

    def run(self, chunk: slice) -> None:
        """Evaluate a chunk here, and take it over."""
        self.store(chunk, self.engine.values(self.indices[chunk], self.offsets[chunk]))

    def store(self, chunk: slice, values: Values) -> None:
        """Take over a finished chunk."""
        self.kept.store(chunk, values)
        if self.watch is not None:
            self.watch(chunk, values)
